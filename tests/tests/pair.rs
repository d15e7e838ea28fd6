//! Two engines against each other: what both must agree on, at length and under every way of cutting octets.

use std::time::Instant;

use bytes::{Buf, BytesMut};
use ferrion_engine::protocol::{DeliveryState, SenderSettleMode};
use ferrion_engine::{Config, Engine, Event, Failure, LinkConfig, SessionConfig, Time};
use ferrion_tests::pair::{At, Joined, Pair};

fn joined(pair: &mut Pair, credit: u32) -> Joined {
    pair.opened();
    let (session, _) = pair.begun();
    let link = pair.joined(At::Client, session, LinkConfig::sender("l", "q"));
    pair.engine(At::Server)
        .receiver(link.receiver)
        .unwrap()
        .set_credit(credit)
        .unwrap();
    pair.run();
    link
}

/// Takes and accepts all that waits at the server; answers how many and their octets.
fn take_all(pair: &mut Pair, link: &Joined) -> (usize, Vec<u8>) {
    let mut octets = Vec::new();
    let mut count = 0;
    let mut receiver = pair.engine(At::Server).receiver(link.receiver).unwrap();
    while let Some(delivery) = receiver.next_delivery() {
        count += 1;
        octets.extend_from_slice(&delivery.payload.into_bytes());
        if let Some(id) = delivery.id {
            receiver.accept(id).unwrap();
        }
    }
    (count, octets)
}

fn accepted(pair: &mut Pair, link: &Joined) -> usize {
    let mut sender = pair.engine(At::Client).sender(link.sender).unwrap();
    std::iter::from_fn(|| sender.next_update())
        .filter(|update| update.settled && update.state == Some(DeliveryState::Accepted))
        .count()
}

#[test]
fn a_message_goes_there_and_its_outcome_comes_back_however_octets_are_cut() {
    for seed in 0..200 {
        let mut pair = Pair::new(seed);
        let link = joined(&mut pair, 10);
        for i in 0..10u8 {
            pair.engine(At::Client)
                .sender(link.sender)
                .unwrap()
                .send(&[i], vec![i; 300])
                .unwrap();
        }
        pair.run();
        let (count, octets) = take_all(&mut pair, &link);
        assert_eq!((count, octets.len()), (10, 3000));
        pair.run();
        assert_eq!(accepted(&mut pair, &link), 10);
        for at in [At::Client, At::Server] {
            let census = pair.engine(at).census();
            assert_eq!(
                (census.outgoing_deliveries, census.incoming_deliveries),
                (0, 0)
            );
        }
    }
}

#[test]
fn messages_of_any_size_arrive_whole_through_frames_of_any_size() {
    for max_frame_size in [512, 4096, 65_536, u32::MAX] {
        let config = |name: &'static str| {
            let mut config = Config::new(name);
            config.max_frame_size = max_frame_size;
            config
        };
        let mut pair = Pair::with(
            u64::from(max_frame_size),
            config("client"),
            config("server"),
        );
        let link = joined(&mut pair, 100);
        for size in [
            0, 1, 400, 511, 512, 513, 4095, 4096, 4097, 65_535, 65_536, 300_000,
        ] {
            let message: Vec<u8> = (0..size).map(|i: u32| (i % 251) as u8).collect();
            pair.engine(At::Client)
                .sender(link.sender)
                .unwrap()
                .send(b"t", message.clone())
                .unwrap();
            pair.run();
            let (count, octets) = take_all(&mut pair, &link);
            assert_eq!(count, 1);
            assert!(
                octets == message,
                "{size} octets in frames of {max_frame_size}"
            );
            pair.run();
            assert_eq!(accepted(&mut pair, &link), 1);
        }
    }
}

#[test]
fn a_hundred_thousand_transfers_from_near_the_end_of_the_circle() {
    let start = u32::MAX - 70_000;
    let config = || SessionConfig {
        next_outgoing_id: start,
        incoming_window: 500,
        ..SessionConfig::default()
    };
    let mut pair = Pair::new(0);
    pair.opened();
    let (session, _) = pair.begun_with(config(), config());
    let mut link = LinkConfig::sender("l", "q");
    link.initial_delivery_count = start;
    let link = pair.joined(At::Client, session, link);
    let mut receiver = pair.engine(At::Server).receiver(link.receiver).unwrap();
    receiver.set_automatic_credit(400).unwrap();
    pair.run();
    let mut sent = 0u32;
    let mut taken = 0;
    while taken < (1 << 17) + 10 {
        let mut sender = pair.engine(At::Client).sender(link.sender).unwrap();
        while sender.credit() > 0 {
            sender
                .send(&sent.to_be_bytes(), &sent.to_be_bytes())
                .unwrap();
            sent += 1;
        }
        pair.run();
        let (count, octets) = take_all(&mut pair, &link);
        for (i, number) in octets.chunks(4).enumerate() {
            assert_eq!(number, (taken as u32 + i as u32).to_be_bytes());
        }
        assert!(count > 0, "a stall after {taken} deliveries");
        taken += count;
        pair.run();
        accepted(&mut pair, &link);
    }
    assert_eq!(pair.engine(At::Client).census().outgoing_deliveries, 0);
}

#[test]
fn ten_thousand_links_on_a_session_cost_as_much_each_as_the_first_ones() {
    // Quadratic work would make the last batch some twenty times as long as the first. A busy machine may
    // look like that once, but not three times.
    let ratios: Vec<f64> = (0..3).map(|_| attach_in_batches()).collect();
    assert!(ratios.iter().any(|ratio| *ratio < 8.0), "{ratios:?}");
}

/// Attaches ten thousand links, sends on each, and answers how much longer the last took than the first.
fn attach_in_batches() -> f64 {
    let mut pair = Pair::new(0);
    // The monitor is naive: it would be the slow one.
    pair.client.judged = false;
    pair.server.judged = false;
    pair.opened();
    let (session, _) = pair.begun();
    let mut batches = Vec::new();
    let mut senders = Vec::new();
    for batch in 0..10 {
        let begun = Instant::now();
        for i in 0..1000 {
            let config = LinkConfig::sender(format!("link-{batch}-{i}"), "q");
            senders.push(
                pair.client
                    .engine
                    .session(session)
                    .unwrap()
                    .attach_sender(config)
                    .unwrap(),
            );
        }
        exchange(&mut pair);
        while let Some(event) = pair.server.engine.poll_event() {
            if let Event::LinkAttached(id) = event {
                pair.server.engine.link(id).unwrap().accept().unwrap();
                pair.server
                    .engine
                    .receiver(id)
                    .unwrap()
                    .set_credit(1)
                    .unwrap();
            }
        }
        exchange(&mut pair);
        while pair.client.engine.poll_event().is_some() {}
        batches.push(begun.elapsed());
    }
    assert_eq!(pair.server.engine.census().links, 10_000);
    for sender in senders {
        pair.client
            .engine
            .sender(sender)
            .unwrap()
            .send_settled(b"t", b"x")
            .unwrap();
    }
    let mut arrived = 0;
    loop {
        exchange(&mut pair);
        let before = arrived;
        while let Some(event) = pair.server.engine.poll_event() {
            if let Event::Deliveries(id) = event {
                let mut receiver = pair.server.engine.receiver(id).unwrap();
                arrived += usize::from(receiver.next_delivery().is_some());
            }
        }
        if arrived == before {
            break;
        }
    }
    assert_eq!(arrived, 10_000);
    let (first, last) = (batches[..2].iter().min(), batches[8..].iter().min());
    last.unwrap().as_secs_f64() / first.unwrap().as_secs_f64()
}

/// Octets to and fro without watching them.
fn exchange(pair: &mut Pair) {
    let now = pair.now();
    loop {
        let there = move_octets(&mut pair.client.engine, &mut pair.server.engine, now);
        let back = move_octets(&mut pair.server.engine, &mut pair.client.engine, now);
        if there + back == 0 {
            return;
        }
    }
}

fn move_octets(from: &mut Engine, to: &mut Engine, now: Time) -> usize {
    let mut octets = BytesMut::new();
    loop {
        let mut transmit = from.transmit(now);
        let n = transmit.chunk().len();
        if n == 0 {
            break;
        }
        octets.extend_from_slice(transmit.chunk());
        transmit.advance(n);
    }
    let moved = octets.len();
    if moved > 0 {
        to.recv(now, &mut octets);
    }
    moved
}

#[test]
fn heartbeats_keep_an_idle_connection_alive_over_a_slow_line() {
    let config = |name: &'static str, ms| {
        let mut config = Config::new(name);
        config.idle_time_out = Some(ms);
        config
    };
    let mut pair = Pair::with(3, config("client", 4_000), config("server", 10_000));
    pair.latency = 700;
    pair.opened();
    pair.run_for(300_000);
    assert!(pair.client.engine.connection().is_open() && pair.server.engine.connection().is_open());
    let beats = pair.client.monitor.pieces_sent();
    assert!(
        (60..=200).contains(&beats),
        "{beats} frames in five minutes"
    );
}

#[test]
fn a_line_that_goes_dead_is_noticed_on_both_sides() {
    let config = |name: &'static str| {
        let mut config = Config::new(name);
        config.idle_time_out = Some(5_000);
        config
    };
    let mut pair = Pair::with(0, config("client"), config("server"));
    pair.opened();
    pair.latency = 1_000_000_000;
    pair.run_until_silent(20_000);
    for at in [At::Client, At::Server] {
        let events = pair.events(at);
        assert!(events.contains(&Event::Disconnected), "{at:?}: {events:?}");
        assert!(matches!(
            pair.engine(at).failure(),
            Some(Failure::Condition { .. })
        ));
    }
}

#[test]
fn a_broken_connection_is_told_to_both_sides() {
    let mut pair = Pair::new(5);
    let link = joined(&mut pair, 10);
    pair.engine(At::Client)
        .sender(link.sender)
        .unwrap()
        .send(b"t", b"lost")
        .unwrap();
    pair.sever();
    for at in [At::Client, At::Server] {
        let events = pair.events(at);
        assert_eq!(events.last(), Some(&Event::Disconnected));
        assert_eq!(pair.engine(at).failure(), Some(&Failure::TransportClosed));
    }
}

#[test]
fn crossing_commands_of_both_sides_end_well() {
    for seed in 0..50 {
        let mut pair = Pair::new(seed);
        let link = joined(&mut pair, 10);
        pair.client
            .engine
            .link(link.sender)
            .unwrap()
            .close(None)
            .unwrap();
        pair.server
            .engine
            .link(link.receiver)
            .unwrap()
            .close(None)
            .unwrap();
        pair.run();
        for (at, id) in [(At::Client, link.sender), (At::Server, link.receiver)] {
            assert_eq!(
                pair.events(at)
                    .iter()
                    .filter(|e| **e == Event::LinkDetached(id))
                    .count(),
                1
            );
        }
        let (ours, theirs) = pair.begun();
        pair.client.engine.session(ours).unwrap().end(None).unwrap();
        pair.server
            .engine
            .session(theirs)
            .unwrap()
            .end(None)
            .unwrap();
        pair.run();
        for (at, id) in [(At::Client, ours), (At::Server, theirs)] {
            assert_eq!(
                pair.events(at)
                    .iter()
                    .filter(|e| **e == Event::SessionEnded(id))
                    .count(),
                1
            );
        }
        pair.client.engine.connection().close(None).unwrap();
        pair.server.engine.connection().close(None).unwrap();
        pair.run();
        for at in [At::Client, At::Server] {
            assert!(pair.engine(at).is_done());
            assert_eq!(pair.engine(at).failure(), None);
        }
    }
}

#[test]
fn the_same_plan_gives_the_same_octets() {
    let run = || {
        let mut pair = Pair::new(11);
        let link = joined(&mut pair, 50);
        for i in 0..50u8 {
            pair.engine(At::Client)
                .sender(link.sender)
                .unwrap()
                .send(&[i], vec![i; usize::from(i) * 40])
                .unwrap();
        }
        pair.run();
        take_all(&mut pair, &link);
        pair.run();
        (pair.client.written.clone(), pair.server.written.clone())
    };
    assert!(run() == run());
}

#[test]
fn output_taken_in_fragments_is_the_same_as_taken_whole() {
    let send = |piece: usize| {
        let mut pair = Pair::new(0);
        let mut config = LinkConfig::sender("l", "q");
        config.snd_settle_mode = SenderSettleMode::Settled;
        pair.opened();
        let (session, _) = pair.begun();
        let link = pair.joined(At::Client, session, config);
        pair.engine(At::Server)
            .receiver(link.receiver)
            .unwrap()
            .set_credit(20)
            .unwrap();
        pair.run();
        let now = pair.now();
        let client = &mut pair.client.engine;
        for (i, size) in [0, 10, 5000, 100, 200_000, 4096, 7].into_iter().enumerate() {
            client
                .sender(link.sender)
                .unwrap()
                .send_settled(&[i as u8], vec![i as u8; size])
                .unwrap();
        }
        let mut octets = Vec::new();
        loop {
            let mut transmit = client.transmit(now);
            let n = transmit.chunk().len().min(piece);
            if n == 0 {
                return octets;
            }
            octets.extend_from_slice(&transmit.chunk()[..n]);
            transmit.advance(n);
        }
    };
    let whole = send(usize::MAX);
    assert!(whole.len() > 209_000);
    for piece in [1, 3, 1000, 4095, 70_000] {
        assert!(send(piece) == whole, "in pieces of {piece}");
    }
}

#[test]
fn a_lent_buffer_is_as_good_as_ones_own() {
    let mut client = Engine::client(Config::new("client"));
    let mut server = Engine::server(Config::new("server"));
    client.connection().open().unwrap();
    server.connection().open().unwrap();
    let session = client.connection().begin(SessionConfig::default()).unwrap();
    let now = Time(0);
    for _ in 0..4 {
        for turn in [true, false] {
            let (from, to) = if turn {
                (&mut client, &mut server)
            } else {
                (&mut server, &mut client)
            };
            loop {
                let mut transmit = from.transmit(now);
                // Odd sizes, so that frames are cut.
                let n = transmit.chunk().len().min(7);
                if n == 0 {
                    break;
                }
                to.recv_buffer(n).extend_from_slice(&transmit.chunk()[..n]);
                transmit.advance(n);
                to.recv_filled(now);
            }
        }
        while let Some(event) = server.poll_event() {
            if let Event::SessionBegun(id) = event {
                server
                    .session(id)
                    .unwrap()
                    .accept(SessionConfig::default())
                    .unwrap();
            }
        }
    }
    assert_eq!(client.poll_event(), Some(Event::RemoteOpen));
    assert_eq!(client.poll_event(), Some(Event::SessionBegun(session)));
}

#[test]
fn a_deaf_transport_does_not_make_the_caller_spin() {
    let mut client = Config::new("client");
    client.idle_time_out = Some(60_000);
    let mut server = Config::new("server");
    server.idle_time_out = Some(2_000);
    let mut pair = Pair::with(0, client, server);
    let link = joined(&mut pair, 10);
    pair.engine(At::Client)
        .sender(link.sender)
        .unwrap()
        .send(b"t", vec![1; 1000])
        .unwrap();
    // The socket takes nothing: no deadline may lie in the past, or a caller would spin until it does.
    let mut now = pair.now();
    for _ in 0..20 {
        let engine = &mut pair.client.engine;
        assert!(engine.transmit(now).remaining() > 0);
        let deadline = engine.poll_timeout().unwrap();
        assert!(deadline.at > now, "{deadline:?} at {now}");
        now = deadline.at;
        engine.handle_timeout(now);
        if engine.failure().is_some() {
            return;
        }
    }
    panic!("the peer's silence should have been noticed");
}
