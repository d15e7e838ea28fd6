//! Windows, trackers and statuses at both ends.

#[macro_use]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ferrion_messenger::{Credit, Error, ErrorKind, Flags, Message, Status, Tracker};
use support::way::{Echo, Party, Way};
use support::{message_to, text};

in_every_way! {
    the_outgoing_window_decides_what_has_a_status,
    what_the_receiver_decides_reaches_the_sender,
    one_of_many_is_rejected,
    what_was_rejected_is_not_accepted_with_the_rest,
    what_was_not_got_is_not_accepted_with_the_rest,
    received_messages_are_accepted_in_the_window,
    received_messages_have_a_status_while_they_are_in_the_window,
    a_window_larger_than_what_a_session_holds_is_a_window,
    what_leaves_the_window_undecided_is_accepted,
    what_nobody_takes_is_aborted_by_a_stop,
}

fn statuses(party: &Party, trackers: &[Tracker]) -> Vec<Status> {
    let status = |tracker: &_| party.status(*tracker);
    trackers.iter().map(status).collect()
}

fn the_outgoing_window_decides_what_has_a_status(way: Way) {
    let echo = Echo::start(way);
    let mut party = way.party();
    let message = message_to(&echo.address, "x");
    let trackers: Vec<_> = (0..10).map(|_| party.put(&message).unwrap()).collect();
    assert_eq!(statuses(&party, &trackers), [Status::Unknown; 10]);
    assert_eq!(party.outgoing_tracker(), trackers.last().copied());

    party.set_outgoing_window(5);
    let trackers: Vec<_> = (0..10).map(|_| party.put(&message).unwrap()).collect();
    assert_eq!(statuses(&party, &trackers)[..5], [Status::Unknown; 5]);
    assert_eq!(statuses(&party, &trackers)[5..], [Status::Pending; 5]);
    party.send().unwrap();
    assert_eq!(statuses(&party, &trackers)[..5], [Status::Unknown; 5]);
    assert_eq!(statuses(&party, &trackers)[5..], [Status::Accepted; 5]);
    party.settle(trackers[9], Flags::CUMULATIVE).unwrap();
    assert_eq!(statuses(&party, &trackers), [Status::Unknown; 10]);
    party.stop().unwrap();
}

fn what_the_receiver_decides_reaches_the_sender(way: Way) {
    let (mut receiver, address) = way.server();
    receiver.set_incoming_window(usize::MAX);
    let sender = std::thread::spawn(move || {
        let mut party = way.party();
        party.set_outgoing_window(100);
        let trackers: Vec<_> = (0..12)
            .map(|n: i32| party.put(&message_to(&address, &n.to_string())).unwrap())
            .collect();
        party.send().unwrap();
        let statuses = statuses(&party, &trackers);
        let condition = party.condition(trackers[4]).cloned();
        assert_eq!(party.condition(trackers[3]), None);
        party.stop().unwrap();
        (statuses, condition)
    });
    let mut message = Message::new();
    for n in 0..12 {
        receiver.recv(Credit::All).unwrap();
        let tracker = receiver.get(&mut message).unwrap();
        assert_eq!(text(&message), n.to_string());
        assert_eq!(receiver.status(tracker), Status::Pending);
        match n {
            3 => receiver.reject(tracker, Flags::NONE).unwrap(),
            4 => {
                let mut why =
                    ferrion_engine::protocol::Condition::new("test:reason".try_into().unwrap());
                why.description = Some("four".into());
                receiver.reject_with(tracker, Flags::NONE, why).unwrap();
            }
            5 => receiver.release(tracker, Flags::NONE).unwrap(),
            6 => receiver
                .modify(tracker, Flags::NONE, Default::default())
                .unwrap(),
            7 => receiver.settle(tracker, Flags::NONE).unwrap(),
            // One cumulative decision for all that have none: the others keep theirs.
            11 => receiver.accept(tracker, Flags::CUMULATIVE).unwrap(),
            _ => {}
        }
    }
    receiver.stop().unwrap();
    let (statuses, condition) = sender.join().unwrap();
    let mut expected = vec![Status::Accepted; 12];
    expected[3] = Status::Rejected;
    expected[4] = Status::Rejected;
    expected[5] = Status::Released;
    expected[6] = Status::Modified;
    expected[7] = Status::Settled;
    assert_eq!(statuses, expected);
    let condition = condition.expect("the rejection carried a condition");
    assert_eq!(condition.condition.as_str(), "test:reason");
    assert_eq!(condition.description.as_deref(), Some("four"));
}

fn one_of_many_is_rejected(way: Way) {
    let echo = Echo::start(way);
    let mut party = way.party();
    party.set_outgoing_window(10);
    let bodies = (0..10).map(|n| if n == 5 { "*REJECT-ME*" } else { "fine" });
    let trackers: Vec<_> = bodies
        .map(|body| party.put(&message_to(&echo.address, body)).unwrap())
        .collect();
    party.send().unwrap();
    let mut expected = [Status::Accepted; 10];
    expected[5] = Status::Rejected;
    assert_eq!(statuses(&party, &trackers), expected);
    party.stop().unwrap();
}

fn what_was_rejected_is_not_accepted_with_the_rest(way: Way) {
    let (mut receiver, address) = way.server();
    receiver.set_incoming_window(10);
    let sender = std::thread::spawn(move || {
        let mut party = way.party();
        party.set_outgoing_window(10);
        let message = message_to(&address, "x");
        let trackers: Vec<_> = (0..10).map(|_| party.put(&message).unwrap()).collect();
        party.send().unwrap();
        let statuses = statuses(&party, &trackers);
        party.stop().unwrap();
        statuses
    });
    let mut trackers = Vec::new();
    while trackers.len() < 10 {
        receiver.recv(10).unwrap();
        while receiver.incoming() > 0 {
            trackers.push(receiver.get(&mut Message::new()).unwrap());
        }
    }
    receiver.reject(trackers[3], Flags::NONE).unwrap();
    receiver.accept(trackers[9], Flags::CUMULATIVE).unwrap();
    let mut expected = [Status::Accepted; 10];
    expected[3] = Status::Rejected;
    assert_eq!(statuses(&receiver, &trackers), expected);
    receiver.stop().unwrap();
    assert_eq!(sender.join().unwrap(), expected);
}

/// Has so many messages echoed to a party, and answers their trackers.
fn what_was_not_got_is_not_accepted_with_the_rest(way: Way) {
    let (mut receiver, address) = way.server();
    receiver.set_incoming_window(10);
    let sender = std::thread::spawn(move || {
        let mut party = way.party();
        party.set_outgoing_window(4);
        let message = message_to(&address, "x");
        let trackers: Vec<_> = (0..4).map(|_| party.put(&message).unwrap()).collect();
        party.send().unwrap();
        statuses(&party, &trackers)
    });
    receiver.recv(4).unwrap();
    receiver.work_until("there", |messenger| messenger.incoming() == 4);
    receiver.get(&mut Message::new()).unwrap();
    let second = receiver.get(&mut Message::new()).unwrap();
    receiver.accept(second, Flags::CUMULATIVE).unwrap();
    // The others are given back.
    receiver.stop().unwrap();
    use Status::{Accepted, Released};
    let expected = [Accepted, Accepted, Released, Released];
    assert_eq!(sender.join().unwrap(), expected);
}

fn echoed(echo: &Echo, party: &mut Party, count: usize) -> Vec<Tracker> {
    let mut message = message_to(&echo.address, "x");
    message.set_reply_to("~");
    for _ in 0..count {
        party.put(&message).unwrap();
    }
    party.send().unwrap();
    let mut trackers = Vec::new();
    while trackers.len() < count {
        party.recv(Credit::All).unwrap();
        while party.incoming() > 0 {
            let tracker = party.get(&mut message).unwrap();
            // The echo sends settled: there is nothing to answer, but a status all the same.
            assert_eq!(party.status(tracker), Status::Settled);
            trackers.push(tracker);
        }
    }
    trackers
}

fn received_messages_are_accepted_in_the_window(way: Way) {
    let echo = Echo::start(way);
    let mut party = way.party();
    party.set_incoming_window(10);
    let trackers = echoed(&echo, &mut party, 10);
    for tracker in trackers {
        party.accept(tracker, Flags::NONE).unwrap();
        assert_eq!(party.status(tracker), Status::Accepted);
    }
    party.stop().unwrap();
}

/// Twice as many messages as the window holds: the first half has no status any more.
fn twice_the_window(way: Way, window: usize) {
    let echo = Echo::start(way);
    let mut party = way.party();
    party.set_incoming_window(window);
    let trackers = echoed(&echo, &mut party, 2 * window);
    let (gone, held) = trackers.split_at(window);
    let all = |party: &Party, trackers: &[_], expected| {
        let is = |tracker: &_| party.status(*tracker) == expected;
        trackers.iter().all(is)
    };
    assert!(all(&party, gone, Status::Unknown));
    assert!(all(&party, held, Status::Settled));
    let last = party.incoming_tracker().unwrap();
    party.accept(last, Flags::CUMULATIVE).unwrap();
    assert!(all(&party, gone, Status::Unknown));
    assert!(all(&party, held, Status::Accepted));
    // To accept what was accepted by leaving the window is idle; to reject it is too late.
    party.accept(gone[0], Flags::NONE).unwrap();
    assert_eq!(
        party.reject(gone[0], Flags::NONE),
        Err(Error::UnknownTracker)
    );
    party.stop().unwrap();
}

fn received_messages_have_a_status_while_they_are_in_the_window(way: Way) {
    twice_the_window(way, 10);
}

fn a_window_larger_than_what_a_session_holds_is_a_window(way: Way) {
    twice_the_window(way, 2048);
}

fn what_leaves_the_window_undecided_is_accepted(way: Way) {
    let (mut receiver, address) = way.server();
    receiver.set_incoming_window(2);
    let told = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&told);
    let sender = std::thread::spawn(move || {
        let mut party = way.party();
        party.set_reconnect(None);
        party.set_outgoing_window(10);
        let trackers: Vec<_> = (0..5)
            .map(|_| party.put(&message_to(&address, "x")).unwrap())
            .collect();
        party.send_n(3).unwrap();
        let statuses = statuses(&party, &trackers);
        assert_eq!(statuses[..3], [Status::Accepted; 3]);
        assert_eq!(statuses[3..], [Status::Pending; 2]);
        tell.store(true, Ordering::SeqCst);
        // The last two stay in the window of a receiver that stops: they come to no outcome.
        let error = party.send().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Lost), "{error}");
        assert_eq!(party.status(trackers[4]), Status::Aborted);
        assert_eq!(party.reason(trackers[4]), Some(&error));
    });
    let mut message = Message::new();
    for _ in 0..5 {
        receiver.recv(Credit::All).unwrap();
        receiver.get(&mut message).unwrap();
    }
    receiver.work_until("told", |_| told.load(Ordering::SeqCst));
    receiver.stop().unwrap();
    sender.join().unwrap();
}

fn what_nobody_takes_is_aborted_by_a_stop(way: Way) {
    let (mut receiver, address) = way.server();
    receiver.set_incoming_window(10);
    let stopped = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&stopped);
    let sender = std::thread::spawn(move || {
        let mut party = way.party();
        party.set_outgoing_window(10);
        let message = message_to(&address, "x");
        let trackers: Vec<_> = (0..4).map(|_| party.put(&message).unwrap()).collect();
        // One is accepted; there is no credit for the others.
        party.send_n(1).unwrap();
        party.set_timeout(Some(Duration::from_millis(50)));
        assert_eq!(party.stop(), Err(Error::Unsent { count: 3 }));
        assert!(party.stopped());
        let mut expected = [Status::Aborted; 4];
        expected[0] = Status::Accepted;
        assert_eq!(statuses(&party, &trackers), expected);
        assert!(party.reason(trackers[1]).is_some());
        assert_eq!(party.stop(), Ok(()), "each loss is told once");
        tell.store(true, Ordering::SeqCst);
    });
    receiver.recv(1).unwrap();
    let tracker = receiver.get(&mut Message::new()).unwrap();
    receiver.accept(tracker, Flags::NONE).unwrap();
    receiver.work_until("stopped", |_| stopped.load(Ordering::SeqCst));
    sender.join().unwrap();
    assert_eq!(receiver.incoming(), 0);
}
