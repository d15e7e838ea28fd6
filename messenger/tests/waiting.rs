//! Calls that wait, and those that do not: full queues, interrupts, time-outs, stops, names that take long to look up.
#![expect(
    clippy::disallowed_methods,
    reason = "time that really passes is what these are about"
)]

#[macro_use]
mod support;

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use ferrion_messenger::{Credit, Error, ErrorKind, Flags, Message, Status};
use support::way::{Mode, Trio, Way};
use support::{PATIENCE, message_to};

in_every_way! {
    put_refuses_beyond_the_high_water_mark,
    a_queue_that_is_full_has_room_when_something_has_gone,
    a_name_that_takes_long_to_look_up_does_not_hold_up_who_does_not_wait,
    an_interrupt_ends_the_call_that_waits_or_the_next,
    an_interrupt_costs_nothing,
    what_takes_too_long_goes_on_all_the_same,
    stop_ends_in_time_when_the_peer_never_says_a_word,
    stop_reports_what_nobody_took_however_often_it_is_called,
    stop_sends_what_there_is_credit_for,
}

fn put_refuses_beyond_the_high_water_mark(way: Way) {
    let mut trio = Trio::new(way);
    trio.client.set_timeout(Some(Duration::from_millis(20)));
    trio.client.set_high_water(10, usize::MAX);
    trio.put("x", 10);
    let message = message_to(&trio.address, "x");
    let error = trio.client.put(&message).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overflow);
    assert!(
        error.to_string().contains("call send() or work()"),
        "{error}"
    );
    trio.client.set_high_water(100, 1);
    let error = trio.client.put(&message).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overflow);
    trio.server.ask(11);
    trio.until("sent", |trio| trio.client.outgoing() == 0);
    // A single message goes, whatever its size.
    trio.client.put(&message).unwrap();
    // Whoever waits for room, here until the first has used up the credit, does not wait for ever.
    trio.client.set_high_water(1, usize::MAX);
    trio.until("sent", |trio| trio.client.outgoing() == 0);
    trio.client.put(&message).unwrap();
    let error = trio.client.put(&message).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overflow);
}

fn a_queue_that_is_full_has_room_when_something_has_gone(way: Way) {
    let (mut receiver, address) = way.server();
    let receiving = std::thread::spawn(move || {
        for _ in 0..20 {
            receiver.recv(1).unwrap();
            receiver.get(&mut Message::new()).unwrap();
        }
        receiver.stop().unwrap();
    });
    let mut party = way.party();
    party.set_outgoing_window(20);
    party.set_high_water(2, usize::MAX);
    let mut trackers = Vec::new();
    for _ in 0..20 {
        trackers.push(party.put(&message_to(&address, "x")).unwrap());
        let waiting = trackers.iter().filter(|tracker| party.buffered(**tracker));
        assert!(waiting.count() <= 2);
    }
    party.send().unwrap();
    party.stop().unwrap();
    receiving.join().unwrap();
}

fn a_name_that_takes_long_to_look_up_does_not_hold_up_who_does_not_wait(way: Way) {
    let mut party = way.party();
    party.set_outgoing_window(1);
    let to = format!("{}://no-such-host.invalid:5/x", way.wire.scheme());
    let begun = Instant::now();
    let tracker = party.put(&message_to(&to, "x")).unwrap();
    if way.mode != Mode::Blocking {
        let messenger: &mut ferrion_messenger::Messenger = &mut party;
        assert_eq!(messenger.send(), Err(Error::InProgress));
        assert!(messenger.buffered(tracker));
    }
    assert!(begun.elapsed() < Duration::from_secs(1));
    let error = party.send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    let text = error.to_string();
    assert!(text.contains("no-such-host.invalid"), "{text}");
    assert!(text.contains("check the address"), "{text}");
    assert_eq!(party.status(tracker), Status::Aborted);
    assert_eq!(party.reason(tracker), Some(&error));
}

fn an_interrupt_ends_the_call_that_waits_or_the_next(way: Way) {
    let (mut server, _) = way.server();
    server.set_timeout(None);
    server.interrupter().interrupt();
    assert_eq!(server.recv(1), Err(Error::Interrupted));
    let interrupter = server.interrupter();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        interrupter.interrupt();
    });
    assert_eq!(server.recv(1), Err(Error::Interrupted));
    thread.join().unwrap();
    assert_eq!(server.step(Duration::ZERO), Ok(false));
}

fn an_interrupt_costs_nothing(way: Way) {
    let (mut server, address) = way.server();
    let (tell, told) = channel();
    let interrupter = server.interrupter();
    let serving = std::thread::spawn(move || {
        server.set_incoming_window(1);
        let mut interrupts = 0;
        let mut message = Message::new();
        while interrupts < 3 {
            match server.recv(Credit::All) {
                Ok(()) => {
                    let tracker = server.get(&mut message).unwrap();
                    server.accept(tracker, Flags::NONE).unwrap();
                }
                Err(Error::Interrupted) => {
                    interrupts += 1;
                    let _ = tell.send(());
                }
                Err(error) => panic!("{error}"),
            }
        }
        server.stop().unwrap();
    });
    let mut party = way.party();
    party.set_outgoing_window(1);
    for _ in 0..3 {
        let tracker = party.put(&message_to(&address, "x")).unwrap();
        party.send().unwrap();
        assert_eq!(party.status(tracker), Status::Accepted);
        interrupter.interrupt();
        told.recv_timeout(PATIENCE).unwrap();
    }
    party.stop().unwrap();
    serving.join().unwrap();
}

fn what_takes_too_long_goes_on_all_the_same(way: Way) {
    let (mut receiver, address) = way.server();
    let mut party = way.party();
    party.set_outgoing_window(1);
    let tracker = party.put(&message_to(&address, "x")).unwrap();
    party.set_timeout(Some(Duration::from_millis(30)));
    for _ in 0..2 {
        let error = party.send().unwrap_err();
        assert!(party.is_unfinished(&error), "{error}");
        assert!(error.is_retryable());
        assert!(error.to_string().contains("call"), "{error}");
        assert_eq!(party.status(tracker), Status::Pending);
    }
    let receiving = std::thread::spawn(move || {
        receiver.recv(1).unwrap();
        receiver.get(&mut Message::new()).unwrap();
        receiver.stop().unwrap();
    });
    party.set_timeout(Some(PATIENCE));
    party.send().unwrap();
    assert_eq!(party.status(tracker), Status::Accepted);
    party.stop().unwrap();
    receiving.join().unwrap();
}

fn stop_ends_in_time_when_the_peer_never_says_a_word(way: Way) {
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut party = way.party();
    party.set_outgoing_window(1);
    party.set_timeout(Some(Duration::from_millis(50)));
    let to = format!("{}://{}", way.wire.scheme(), mute.local_addr().unwrap());
    let tracker = party.put(&message_to(&to, "lost")).unwrap();
    assert_eq!(party.stop(), Err(Error::Unsent { count: 1 }));
    assert!(party.stopped());
    assert_eq!(party.status(tracker), Status::Aborted);
}

fn stop_reports_what_nobody_took_however_often_it_is_called(way: Way) {
    let mut trio = Trio::new(way);
    trio.put("x", 3);
    trio.settle();
    let mut client = std::mem::replace(&mut trio.client, way.party());
    client.set_timeout(Some(Duration::from_millis(50)));
    let stopping = std::thread::spawn(move || {
        let stopped = client.stop();
        assert!(client.stopped());
        (stopped, client.stop())
    });
    trio.until("stopped", |_| stopping.is_finished());
    let stopped = stopping.join().unwrap();
    assert_eq!(stopped, (Err(Error::Unsent { count: 3 }), Ok(())));
    let text = stopped.0.unwrap_err().to_string();
    assert!(text.contains("3 messages"), "{text}");
}

fn stop_sends_what_there_is_credit_for(way: Way) {
    let (mut receiver, address) = way.server();
    receiver.set_incoming_window(10);
    let sending = std::thread::spawn(move || {
        let mut party = way.party();
        party.set_outgoing_window(10);
        let message = message_to(&address, "x");
        let trackers: Vec<_> = (0..10).map(|_| party.put(&message).unwrap()).collect();
        // Nothing is sent before.
        party.stop().unwrap();
        assert!(
            trackers
                .iter()
                .all(|tracker| party.status(*tracker) == Status::Accepted)
        );
    });
    for _ in 0..10 {
        receiver.recv(Credit::All).unwrap();
        let tracker = receiver.get(&mut Message::new()).unwrap();
        receiver.accept(tracker, Flags::NONE).unwrap();
    }
    receiver.stop().unwrap();
    sending.join().unwrap();
}
