//! What goes out first, and that nobody waits for another's credit, window or long message.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};
use ferrion_engine::protocol::DeliveryState;
use ferrion_engine::{Config, LinkConfig, SendOptions, SessionConfig, SessionId, Time};
use ferrion_tests::build::Role;
use ferrion_tests::line::Line;
use ferrion_tests::oracle::{FrameReader, What};
use ferrion_tests::peer::{Peer, Wired, client, client_with};

/// Transfers that a link may write before it is the next one's turn.
const QUANTUM: usize = 16;

/// A session whose window is shut, so that what is sent on it has to stand in line.
fn shut_session(p: &mut Peer) -> SessionId {
    p.begun_with(SessionConfig::default(), |begin| begin.incoming_window(0))
}

fn senders(p: &mut Peer, session: SessionId, count: u32, credit: u32) -> Vec<Wired> {
    let mut links = Vec::new();
    for i in 0..count {
        let config = LinkConfig::sender(format!("{session:?} {i}"), "node");
        let link = p.sender_with(session, config, |attach| attach);
        let flow = p.link_flow(&link).link_credit(credit).incoming_window(0);
        p.inject(flow);
        links.push(link);
    }
    p.events();
    links
}

/// Opens the window of the latest session by so many transfers.
fn open_window(p: &mut Peer, transfers: u32) {
    let flow = p.flow().incoming_window(transfers);
    p.inject(flow);
}

/// Everything that comes now: channel and handle of each transfer, and names of what else there is.
#[derive(Debug, PartialEq)]
enum Came {
    Transfer(u16, u32),
    Other(String),
}

fn all(p: &mut Peer) -> Vec<Came> {
    let mut came = Vec::new();
    while let Some((piece, _)) = p.next_piece() {
        let What::Frame(frame) = &piece.what else {
            continue;
        };
        came.push(match &frame.perf {
            Some(perf) if perf.code == 0x14 => {
                Came::Transfer(frame.channel, perf.uint("handle").unwrap())
            }
            Some(perf) => Came::Other(perf.name()),
            None => Came::Other("empty".to_owned()),
        });
    }
    came
}

fn handles(came: &[Came]) -> Vec<u32> {
    came.iter()
        .map(|came| match came {
            Came::Transfer(_, handle) => *handle,
            Came::Other(name) => panic!("{name} among the transfers"),
        })
        .collect()
}

#[test]
fn control_frames_go_before_transfers_that_were_asked_for_earlier() {
    client(|p| {
        p.opened_with(|open| open.max_frame_size(512));
        let session = p.begun();
        let receiver = p.receiver(session, "in");
        p.take_credit(&receiver, 1);
        let delivery = p.delivery(&receiver, 0, b"x");
        p.inject(delivery);
        let sender = p.sender(session, "out");
        p.grant(&sender, 10);
        let taken = p.take(&receiver).id.unwrap();
        p.send(&sender, b"long", &[1; 100_000]);
        p.settle(&receiver, taken, Some(DeliveryState::Accepted));
        let mut view = p.engine().receiver(receiver.id).unwrap();
        view.set_credit(1).unwrap();
        p.expect_disposition().accepted();
        p.expect_flow().handle(receiver.ours);
        p.expect_transfer().handle(sender.ours);
    });
}

/// Between two output calls no more than a budget of transfers is encoded, and what is due then goes before the rest of them.
#[test]
fn control_frames_overtake_the_rest_of_a_long_message() {
    let mut config = Config::new("engine");
    config.limits.output_octets = 1;
    client_with(config, |p| {
        p.opened_with(|open| open.max_frame_size(512));
        let session = p.begun();
        let sender = p.sender(session, "out");
        let other = p.sender(session, "other");
        p.grant(&sender, 10);
        p.send(&sender, b"long", &[1; 100_000]);
        // One turn's worth is encoded by looking whether there is any.
        let now = p.now();
        assert!(p.engine().transmit(now).has_remaining());
        p.engine().link(other.id).unwrap().close(None).unwrap();
        let came = all(p);
        let detach = came
            .iter()
            .position(|came| *came == Came::Other("detach".to_owned()));
        assert_eq!(detach, Some(QUANTUM));
        assert!(came.len() > 200);
    });
}

#[test]
fn a_hundred_links_get_the_same_whenever_the_window_opens_a_little() {
    for window in [1u32, 10, 100] {
        client(|p| {
            p.opened();
            let session = shut_session(p);
            let links = senders(p, session, 100, 40);
            for link in &links {
                for i in 0..40u8 {
                    p.send_settled(link, &[i], b"x");
                }
            }
            p.expect_nothing();
            let mut counts: BTreeMap<u32, usize> = links.iter().map(|l| (l.ours, 0)).collect();
            let mut last = None;
            let mut in_turn = 0;
            for _ in 0..3_000 / window {
                open_window(p, window);
                for handle in handles(&all(p)) {
                    in_turn = if last == Some(handle) { in_turn + 1 } else { 1 };
                    last = Some(handle);
                    assert!(in_turn <= QUANTUM, "one link has a turn of {in_turn}");
                    *counts.get_mut(&handle).unwrap() += 1;
                    let (least, most) = (counts.values().min(), counts.values().max());
                    assert!(most.unwrap() - least.unwrap() <= QUANTUM, "{counts:?}");
                }
            }
            assert_eq!(
                counts.values().sum::<usize>(),
                (3_000 / window * window) as usize
            );
        });
    }
}

#[test]
fn a_message_of_64_mib_lets_small_ones_pass_after_every_turn() {
    let mut line = Line::new(Config::new("client"), Config::new("server"));
    let wide = SessionConfig {
        incoming_octets: 1 << 30,
        ..SessionConfig::default()
    };
    let (session, _) = line.begun(SessionConfig::default(), wide);
    let configs = ["large", "small"].map(|name| LinkConfig::sender(name, "node"));
    let links = line.joined(session, configs);
    for link in &links {
        let mut receiver = line.server.receiver(link.receiver).unwrap();
        receiver.set_credit(100).unwrap();
    }
    line.run();
    let mut send = |link: usize, payload: Vec<u8>| {
        let mut sender = line.client.sender(links[link].sender).unwrap();
        sender.send_settled(b"tag", payload).unwrap();
    };
    send(0, vec![7; 64 << 20]);
    for _ in 0..20 {
        send(1, vec![1; 100_000]);
    }
    let mut reader = FrameReader::new();
    let mut came = Vec::new();
    loop {
        let mut output = line.client.transmit(Time(1));
        if !output.has_remaining() {
            break;
        }
        reader.push(output.chunk());
        output.advance(output.chunk().len());
        while let Some(piece) = reader.next_piece().unwrap() {
            let What::Frame(frame) = piece.what else {
                panic!("a header");
            };
            came.push(frame.perf.unwrap().uint("handle").unwrap());
        }
    }
    let small = |handle: &u32| *handle == 1;
    assert_eq!(came.iter().filter(|handle| small(handle)).count(), 40);
    assert_eq!(came.iter().filter(|handle| !small(handle)).count(), 1_026);
    let (first, last) = (came.iter().position(small), came.iter().rposition(small));
    assert_eq!(first, Some(QUANTUM), "frames before the first small one");
    // Forty frames are three turns, with a turn of the other's before each.
    assert_eq!(
        last,
        Some(3 * QUANTUM + 40 - 1),
        "frames before the last small one"
    );
}

#[test]
fn a_link_without_credit_or_with_a_message_that_is_still_written_is_in_nobodys_way() {
    client(|p| {
        p.opened_with(|open| open.max_frame_size(512));
        let session = p.begun();
        let [starved, slow, brisk] =
            ["starved", "slow", "brisk"].map(|name| p.sender(session, name));
        // This one's credit is taken back while its message waits.
        let shut = p.link_flow(&starved).link_credit(1).incoming_window(0);
        p.inject(shut);
        p.send(&starved, b"1", b"x");
        p.grant(&starved, 0);
        p.grant(&slow, 5);
        let mut view = p.engine().sender(slow.id).unwrap();
        let id = view.stream(b"s", &SendOptions::default()).unwrap();
        view.write(id, vec![1; 1_000]).unwrap();
        view.send(b"behind", b"x").unwrap();
        p.grant(&brisk, 5);
        for i in 0..3u8 {
            p.send(&brisk, &[i], &[2; 600]);
        }
        let came = handles(&all(p));
        assert_eq!(came.iter().filter(|h| **h == slow.ours).count(), 3);
        assert_eq!(came.iter().filter(|h| **h == brisk.ours).count(), 6);
        assert_eq!(came.len(), 9);
        // Whatever comes later passes it just so.
        p.send(&brisk, b"9", b"x");
        assert_eq!(handles(&all(p)), [brisk.ours]);
        p.engine().sender(slow.id).unwrap().finish(id).unwrap();
        assert_eq!(handles(&all(p)), [slow.ours, slow.ours]);
    });
}

#[test]
fn a_session_whose_window_is_shut_delays_no_other() {
    client(|p| {
        p.opened_with(|open| open.max_frame_size(512));
        let shut = shut_session(p);
        let stuck = senders(p, shut, 3, 10);
        for link in &stuck {
            p.send(link, b"1", &[1; 5_000]);
        }
        let open = p.begun();
        let free = p.sender(open, "free");
        p.grant(&free, 10);
        for i in 0..10u8 {
            p.send(&free, &[i], &[2; 600]);
        }
        let came = all(p);
        assert_eq!(came.len(), 20);
        assert!(
            came.iter()
                .all(|came| *came == Came::Transfer(1, free.ours))
        );
    });
}

/// What is shared is in memory anyway: to let more of it wait as output costs less than to put it in the queue first.
#[test]
fn of_payloads_that_are_shared_four_times_as_much_is_encoded_at_a_time() {
    const LIMIT: usize = 64 << 10;
    const PAYLOAD: usize = 10 << 10;
    client_with(Config::new("engine"), |p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "out");
        p.grant(&link, 50);
        let (now, id) = (p.now(), link.id);
        let engine = p.engine();
        for i in 0..50u8 {
            let payload = Bytes::from(vec![i; PAYLOAD]);
            engine.sender(id).unwrap().send(&[i], payload).unwrap();
        }
        let encoded = engine.transmit(now).remaining();
        assert!((4 * LIMIT - 2 * PAYLOAD..4 * LIMIT + 2 * PAYLOAD).contains(&encoded));
        assert_eq!(engine.sender(id).unwrap().queued(), 24);
        for _ in 0..50 {
            p.expect_transfer().handle(link.ours);
        }
    });
}

/// What a frame costs is little beside a large payload: no more of such is encoded at a time than of what is copied.
#[test]
fn of_large_payloads_that_are_shared_all_counts() {
    const PAYLOAD: usize = 40 << 10;
    client_with(Config::new("engine"), |p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "out");
        p.grant(&link, 10);
        let (now, id) = (p.now(), link.id);
        let engine = p.engine();
        for i in 0..10u8 {
            let payload = Bytes::from(vec![i; PAYLOAD]);
            engine.sender(id).unwrap().send(&[i], payload).unwrap();
        }
        // The second goes beyond 64 KiB, and is the last.
        let encoded = engine.transmit(now).remaining();
        assert!((2 * PAYLOAD..2 * PAYLOAD + 100).contains(&encoded));
        assert_eq!(engine.sender(id).unwrap().queued(), 8);
        for _ in 0..10 {
            p.expect_transfer().handle(link.ours);
        }
    });
}

#[test]
fn sessions_take_turns_however_many_links_each_has() {
    let mut config = Config::new("engine");
    config.limits.output_octets = 1 << 20;
    client_with(config, |p| {
        p.opened();
        let crowded = shut_session(p);
        let crowd = senders(p, crowded, 50, 100);
        for link in &crowd {
            for i in 0..40u8 {
                p.send_settled(link, &[i], b"x");
            }
        }
        let single = shut_session(p);
        let one = senders(p, single, 1, 100);
        for i in 0..80u8 {
            p.send_settled(&one[0], &[i], b"x");
        }
        // Both windows open before the engine writes again.
        let flows = [5, 6].map(|channel| {
            p.use_channel(channel);
            p.flow().incoming_window(5_000).on(channel)
        });
        p.inject_all(flows);
        let came = all(p);
        let of_one = |came: &&Came| matches!(came, Came::Transfer(1, _));
        assert_eq!(came.iter().filter(of_one).count(), 80);
        let last = came.iter().rposition(|came| of_one(&came)).unwrap();
        assert!(last < 2 * 80 + QUANTUM, "{last}");
    });
}

/// The end of one session waits for what was sent on it, not for the long message of another.
#[test]
fn a_session_ends_before_the_rest_of_another_sessions_long_message() {
    client(|p| {
        p.opened_with(|open| open.max_frame_size(512));
        let busy = p.begun();
        let long = p.sender(busy, "long");
        p.grant(&long, 1);
        let other = p.begun();
        let short = p.sender(other, "short");
        p.grant(&short, 1);
        p.send(&long, b"1", &[1; 1 << 20]);
        p.send(&short, b"1", &[2; 1_000]);
        p.engine().session(other).unwrap().end(None).unwrap();
        let came = all(p);
        let end = came
            .iter()
            .position(|came| *came == Came::Other("end".to_owned()));
        let sent = came[..end.unwrap()].iter();
        assert_eq!(
            sent.filter(|c| **c == Came::Transfer(1, short.ours))
                .count(),
            3
        );
        assert!(end.unwrap() <= 3 + QUANTUM, "{end:?}");
    });
}

#[test]
fn heartbeats_dispositions_and_flows_leave_while_the_window_is_shut() {
    client(|p| {
        p.opened_with(|open| open.idle_time_out(1_000));
        let session = shut_session(p);
        let receiver = p.receiver(session, "in");
        p.take_credit(&receiver, 1);
        let stuck = senders(p, session, 3, 10);
        for link in &stuck {
            p.send(link, b"1", &[1; 5_000]);
        }
        p.advance(501);
        p.expect_empty();
        let flow = p.flow().incoming_window(0);
        p.inject(flow);
        let delivery = p.delivery(&receiver, 0, b"x");
        p.inject(delivery);
        let id = p.take(&receiver).id.unwrap();
        p.settle(&receiver, id, Some(DeliveryState::Accepted));
        p.expect_disposition().role(Role::Receiver).accepted();
        let mut view = p.engine().receiver(receiver.id).unwrap();
        view.set_credit(3).unwrap();
        p.expect_flow().link_credit(3);
        p.advance(501);
        p.expect_empty();
        p.expect_nothing();
    });
}
