//! Two messengers over loopback: messages there and back, windows, outcomes.

#[macro_use]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ferrion_messenger::{Credit, Error, ErrorKind, Flags, Message, Messenger, Status};
use support::{Echo, PATIENCE, Wire, message_to, text};

over_every_wire! {
    a_message_goes_out_and_its_echo_comes_back,
    messages_of_every_size_arrive_whole,
    put_waits_until_a_large_message_has_room,
    node_names_may_be_long,
    the_outgoing_window_decides_what_has_a_status,
    what_the_receiver_decides_reaches_the_sender,
    received_messages_have_a_status_while_they_are_in_the_window,
    what_leaves_the_window_undecided_is_accepted,
    unlimited_windows_and_thousands_of_messages,
    a_message_sent_without_a_window_arrives_with_nothing_more_done,
}

fn a_message_goes_out_and_its_echo_comes_back(wire: Wire) {
    let echo = Echo::over(wire);
    let mut messenger = wire.client();
    let mut message = message_to(&echo.address, "Hello World!");
    message.set_subject("Hello");
    message.set_reply_to("~");
    messenger.put(&message).unwrap();
    messenger.send().unwrap();
    messenger.recv(1).unwrap();
    assert_eq!(messenger.incoming(), 1);
    let mut reply = Message::new();
    messenger.get(&mut reply).unwrap();
    assert_eq!(reply.subject().unwrap(), Some("Hello"));
    assert_eq!(text(&reply), "Hello World!");
    assert_eq!(messenger.incoming(), 0);
    assert_eq!(messenger.get(&mut reply), Err(Error::EndOfQueue));
    messenger.stop().unwrap();
}

fn messages_of_every_size_arrive_whole(wire: Wire) {
    let echo = Echo::over(wire);
    let mut messenger = wire.client();
    for size in [
        0,
        1,
        1 << 10,
        2 << 10,
        4 << 10,
        10 << 10,
        65_535,
        100 << 10,
        1 << 20,
        9 << 20,
    ] {
        let body: String = (b'a'..=b'z').cycle().take(size).map(char::from).collect();
        let mut message = message_to(&echo.address, &body);
        message.set_reply_to("~/some/node");
        messenger.put(&message).unwrap();
        messenger.send().unwrap();
        messenger.recv(1).unwrap();
        let mut reply = Message::new();
        messenger.get(&mut reply).unwrap();
        assert!(text(&reply) == body, "{size} octets came back changed");
    }
    messenger.stop().unwrap();
}

fn put_waits_until_a_large_message_has_room(wire: Wire) {
    let echo = Echo::over(wire);
    let mut messenger = wire.client();
    messenger.set_high_water(100, 1000);
    for _ in 0..3 {
        // The small one alone leaves more than half of the room, but too little for the large one.
        messenger.put(&message_to(&echo.address, "small")).unwrap();
        let large = "x".repeat(950);
        messenger.put(&message_to(&echo.address, &large)).unwrap();
    }
    messenger.send().unwrap();
    messenger.stop().unwrap();
}

fn node_names_may_be_long(wire: Wire) {
    let (mut receiver, address) = wire.server();
    let long = format!("{address}/{}", "x".repeat(2048));
    let sender = std::thread::spawn(move || {
        let mut messenger = wire.client();
        messenger.put(&message_to(&long, "far")).unwrap();
        messenger.send().unwrap();
        messenger.stop().unwrap();
        long
    });
    let mut message = Message::new();
    receiver.recv(1).unwrap();
    receiver.get(&mut message).unwrap();
    assert_eq!(
        message.address().unwrap(),
        Some(sender.join().unwrap().as_str())
    );
}

fn the_outgoing_window_decides_what_has_a_status(wire: Wire) {
    let echo = Echo::over(wire);
    let mut messenger = wire.client();
    let message = message_to(&echo.address, "x");
    let trackers: Vec<_> = (0..10).map(|_| messenger.put(&message).unwrap()).collect();
    assert!(
        trackers
            .iter()
            .all(|tracker| messenger.status(*tracker) == Status::Unknown)
    );
    assert_eq!(messenger.outgoing_tracker(), trackers.last().copied());

    messenger.set_outgoing_window(5);
    let trackers: Vec<_> = (0..10).map(|_| messenger.put(&message).unwrap()).collect();
    let statuses = |messenger: &Messenger| -> Vec<_> {
        trackers
            .iter()
            .map(|tracker| messenger.status(*tracker))
            .collect()
    };
    assert_eq!(statuses(&messenger)[..5], [Status::Unknown; 5]);
    assert_eq!(statuses(&messenger)[5..], [Status::Pending; 5]);
    messenger.send().unwrap();
    assert_eq!(statuses(&messenger)[..5], [Status::Unknown; 5]);
    assert_eq!(statuses(&messenger)[5..], [Status::Accepted; 5]);
    messenger.settle(trackers[9], Flags::CUMULATIVE).unwrap();
    assert_eq!(statuses(&messenger), [Status::Unknown; 10]);
    messenger.stop().unwrap();
}

fn what_the_receiver_decides_reaches_the_sender(wire: Wire) {
    let (mut receiver, address) = wire.server();
    receiver.set_incoming_window(usize::MAX);
    let sender = std::thread::spawn(move || {
        let mut messenger = wire.client();
        messenger.set_outgoing_window(100);
        let put = |messenger: &mut Messenger, text: &str| {
            messenger.put(&message_to(&address, text)).unwrap()
        };
        let trackers: Vec<_> = (0..12)
            .map(|n| put(&mut messenger, &n.to_string()))
            .collect();
        messenger.send().unwrap();
        let statuses: Vec<_> = trackers.iter().map(|t| messenger.status(*t)).collect();
        let condition = messenger.remote_condition(trackers[4]).cloned();
        assert_eq!(messenger.remote_condition(trackers[3]), None);
        messenger.stop().unwrap();
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
    receiver.set_timeout(Some(Duration::from_secs(1)));
    let _ = receiver.recv(Credit::All);
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

fn received_messages_have_a_status_while_they_are_in_the_window(wire: Wire) {
    let echo = Echo::over(wire);
    let mut messenger = wire.client();
    messenger.set_incoming_window(10);
    let mut message = message_to(&echo.address, "x");
    message.set_reply_to("~");
    for _ in 0..20 {
        messenger.put(&message).unwrap();
    }
    messenger.send().unwrap();
    let mut trackers = Vec::new();
    while trackers.len() < 20 {
        messenger.recv(Credit::All).unwrap();
        while messenger.incoming() > 0 {
            let tracker = messenger.get(&mut message).unwrap();
            // The echo sends settled: there is nothing to answer, but a status all the same.
            assert_eq!(messenger.status(tracker), Status::Settled);
            trackers.push(tracker);
        }
    }
    for (n, tracker) in trackers.iter().enumerate() {
        let expected = if n < 10 {
            Status::Unknown
        } else {
            Status::Settled
        };
        assert_eq!(messenger.status(*tracker), expected);
    }
    messenger
        .accept(messenger.incoming_tracker().unwrap(), Flags::CUMULATIVE)
        .unwrap();
    for (n, tracker) in trackers.iter().enumerate() {
        let expected = if n < 10 {
            Status::Unknown
        } else {
            Status::Accepted
        };
        assert_eq!(messenger.status(*tracker), expected);
    }
    // To accept what was accepted by leaving the window is idle; to reject it is too late.
    messenger.accept(trackers[0], Flags::NONE).unwrap();
    assert_eq!(
        messenger.reject(trackers[0], Flags::NONE),
        Err(Error::UnknownTracker)
    );
    messenger.stop().unwrap();
}

fn what_leaves_the_window_undecided_is_accepted(wire: Wire) {
    let (mut receiver, address) = wire.server();
    receiver.set_incoming_window(2);
    let told = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&told);
    let sender = std::thread::spawn(move || {
        let mut messenger = wire.client();
        messenger.set_reconnect(None);
        messenger.set_outgoing_window(10);
        let trackers: Vec<_> = (0..5)
            .map(|_| messenger.put(&message_to(&address, "x")).unwrap())
            .collect();
        messenger.send_n(3).unwrap();
        let accepted = |t: &&_| messenger.status(**t) == Status::Accepted;
        assert_eq!(trackers.iter().filter(accepted).count(), 3);
        tell.store(true, Ordering::SeqCst);
        // The last two stay in the window of a receiver that stops: they come to no outcome.
        messenger.set_timeout(Some(PATIENCE));
        let error = messenger.send().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Lost), "{error}");
        assert_eq!(messenger.status(trackers[4]), Status::Aborted);
        assert_eq!(messenger.tracker_error(trackers[4]), Some(&error));
    });
    let mut message = Message::new();
    for _ in 0..5 {
        receiver.recv(Credit::All).unwrap();
        receiver.get(&mut message).unwrap();
    }
    while !told.load(Ordering::SeqCst) {
        receiver.work(Some(Duration::from_millis(10))).unwrap();
    }
    receiver.stop().unwrap();
    sender.join().unwrap();
}

fn unlimited_windows_and_thousands_of_messages(wire: Wire) {
    const COUNT: usize = 20_000;
    let (mut receiver, address) = wire.server();
    receiver.set_incoming_window(usize::MAX);
    let sender = std::thread::spawn(move || {
        let mut messenger = wire.client();
        messenger.set_outgoing_window(usize::MAX);
        // More than the high-water mark: put waits, and goes on.
        messenger.set_high_water(1000, usize::MAX);
        let mut message = message_to(&address, "");
        let trackers: Vec<_> = (0..COUNT)
            .map(|n| {
                message.set_body(n.to_string().as_str());
                messenger.put(&message).unwrap()
            })
            .collect();
        messenger.send().unwrap();
        assert!(
            trackers
                .iter()
                .all(|tracker| messenger.status(*tracker) == Status::Accepted)
        );
        messenger.stop().unwrap();
    });
    let mut message = Message::new();
    let mut count = 0;
    while count < COUNT {
        receiver.recv(Credit::All).unwrap();
        let mut last = None;
        while receiver.incoming() > 0 {
            last = Some(receiver.get(&mut message).unwrap());
            assert_eq!(text(&message), count.to_string());
            count += 1;
        }
        receiver.accept(last.unwrap(), Flags::CUMULATIVE).unwrap();
    }
    receiver.work(Some(Duration::from_millis(100))).unwrap();
    sender.join().unwrap();
    receiver.stop().unwrap();
}

fn a_message_sent_without_a_window_arrives_with_nothing_more_done(wire: Wire) {
    let (mut receiver, address) = wire.server();
    let sender = std::thread::spawn(move || {
        let mut messenger = wire.client();
        messenger.put(&message_to(&address, "222")).unwrap();
        messenger.send().unwrap();
        messenger
    });
    receiver.recv(1).unwrap();
    assert_eq!(receiver.incoming(), 1);
    sender.join().unwrap();
}
