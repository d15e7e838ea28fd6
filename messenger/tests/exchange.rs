//! Messages there and back, of every size and number, in order, each once.

#[macro_use]
mod support;

use std::time::Duration;

use ferrion_messenger::{Credit, Error, Flags, Message, Status};
use support::way::{Echo, Party, Trio, Way};
use support::{message_to, text};

in_every_way! {
    a_message_goes_out_and_its_echo_comes_back,
    messages_of_every_size_arrive_whole,
    put_waits_until_a_large_message_has_room,
    node_names_may_be_long,
    however_many_messages_arrive_in_order_and_only_when_asked_for,
    unlimited_windows_and_thousands_of_messages,
    a_message_sent_without_a_window_arrives_with_nothing_more_done,
    what_was_sent_without_a_window_is_not_in_the_way_of_a_stop,
    what_has_gone_does_not_come_back_into_the_buffer,
    what_a_slow_peer_has_not_taken_is_in_the_buffer,
    a_messenger_sends_to_itself,
}

fn a_message_goes_out_and_its_echo_comes_back(way: Way) {
    let echo = Echo::start(way);
    let mut party = way.party();
    let mut message = message_to(&echo.address, "Hello World!");
    message.set_subject("Hello");
    message.set_reply_to("~");
    party.put(&message).unwrap();
    party.send().unwrap();
    party.recv(1).unwrap();
    assert_eq!(party.incoming(), 1);
    let mut reply = Message::new();
    party.get(&mut reply).unwrap();
    assert_eq!(reply.subject().unwrap(), Some("Hello"));
    assert_eq!(text(&reply), "Hello World!");
    assert_eq!(party.incoming(), 0);
    assert_eq!(party.get(&mut reply), Err(Error::EndOfQueue));
    party.stop().unwrap();
}

fn messages_of_every_size_arrive_whole(way: Way) {
    let echo = Echo::start(way);
    let mut party = way.party();
    let mut sizes = vec![
        0,
        1,
        1 << 10,
        2 << 10,
        4 << 10,
        10 << 10,
        65_535,
        100 << 10,
        1 << 20,
    ];
    if way == Way::SIMPLE {
        sizes.push(9 << 20);
    }
    for size in sizes {
        let body: String = (b'a'..=b'z').cycle().take(size).map(char::from).collect();
        let mut message = message_to(&echo.address, &body);
        message.set_reply_to("~/some/node");
        party.put(&message).unwrap();
        party.send().unwrap();
        party.recv(1).unwrap();
        let mut reply = Message::new();
        party.get(&mut reply).unwrap();
        assert!(text(&reply) == body, "{size} octets came back changed");
    }
    party.stop().unwrap();
}

fn put_waits_until_a_large_message_has_room(way: Way) {
    let echo = Echo::start(way);
    let mut party = way.party();
    party.set_high_water(100, 1000);
    for _ in 0..3 {
        // The small one alone leaves more than half of the room, but too little for the large one.
        party.put(&message_to(&echo.address, "small")).unwrap();
        let large = "x".repeat(950);
        party.put(&message_to(&echo.address, &large)).unwrap();
    }
    party.send().unwrap();
    party.stop().unwrap();
    echo.has_taken(6);
}

fn node_names_may_be_long(way: Way) {
    let (mut receiver, address) = way.server();
    let long = format!("{address}/{}", "x".repeat(2048));
    let sender = std::thread::spawn(move || {
        let mut party = way.party();
        party.put(&message_to(&long, "far")).unwrap();
        party.send().unwrap();
        party.stop().unwrap();
        long
    });
    let mut message = Message::new();
    receiver.recv(1).unwrap();
    receiver.get(&mut message).unwrap();
    receiver.stop().unwrap();
    assert_eq!(
        message.address().unwrap(),
        Some(sender.join().unwrap().as_str())
    );
}

fn however_many_messages_arrive_in_order_and_only_when_asked_for(way: Way) {
    for count in [1, 16, 1024, 4096] {
        let (mut receiver, address) = way.server();
        let (sent, heard) = std::sync::mpsc::channel();
        let sender = std::thread::spawn(move || {
            let mut party = way.party();
            let mut message = message_to(&address, "");
            for n in 0..count {
                message.set_body(n.to_string().as_str());
                party.put(&message).unwrap();
            }
            assert_eq!(party.outgoing(), count);
            party.send().unwrap();
            assert_eq!(party.outgoing(), 0);
            assert!(!party.stopped());
            sent.send(()).unwrap();
            party.stop().unwrap();
            assert!(party.stopped());
        });
        // The sender comes, and is not asked for anything.
        receiver.work_for(Duration::from_millis(20));
        assert_eq!(receiver.incoming(), 0);
        let mut message = Message::new();
        let mut next = 0;
        while next < count {
            receiver.recv(Credit::All).unwrap();
            while receiver.incoming() > 0 {
                receiver.get(&mut message).unwrap();
                assert_eq!(text(&message), next.to_string());
                next += 1;
            }
        }
        // A receiver that stops at once could be heard to close together with its last outcome.
        while heard.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            receiver.work_for(Duration::from_millis(1));
        }
        receiver.stop().unwrap();
        assert_eq!(receiver.incoming(), 0);
        sender.join().unwrap();
    }
}

fn unlimited_windows_and_thousands_of_messages(way: Way) {
    const COUNT: usize = 5_000;
    let (mut receiver, address) = way.server();
    receiver.set_incoming_window(usize::MAX);
    let sender = std::thread::spawn(move || {
        let mut party = way.party();
        party.set_outgoing_window(usize::MAX);
        // More than the high-water mark: put waits, and goes on.
        party.set_high_water(1000, usize::MAX);
        let mut message = message_to(&address, "");
        let trackers: Vec<_> = (0..COUNT)
            .map(|n| {
                message.set_body(n.to_string().as_str());
                party.put(&message).unwrap()
            })
            .collect();
        party.send().unwrap();
        let accepted = |tracker: &_| party.status(*tracker) == Status::Accepted;
        assert!(trackers.iter().all(accepted));
        party.stop().unwrap();
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
    receiver.stop().unwrap();
    sender.join().unwrap();
}

fn a_message_sent_without_a_window_arrives_with_nothing_more_done(way: Way) {
    let (mut receiver, address) = way.server();
    let sender = std::thread::spawn(move || {
        let mut party = way.party();
        party.put(&message_to(&address, "222")).unwrap();
        party.send().unwrap();
        party
    });
    receiver.recv(1).unwrap();
    assert_eq!(receiver.incoming(), 1);
    sender.join().unwrap();
}

fn what_was_sent_without_a_window_is_not_in_the_way_of_a_stop(way: Way) {
    let echo = Echo::start(way);
    let mut party = way.party();
    let message = message_to(&echo.address, &"x".repeat(1000));
    for _ in 0..100 {
        party.put(&message).unwrap();
    }
    party.send().unwrap();
    party.stop().unwrap();
    echo.has_taken(100);
}

fn what_has_gone_does_not_come_back_into_the_buffer(way: Way) {
    let echo = Echo::start(way);
    let mut party = way.party();
    party.set_outgoing_window(1000);
    let message = message_to(&echo.address, "x");
    let mut trackers = Vec::new();
    let buffered = |party: &Party, trackers: &[_]| {
        trackers
            .iter()
            .filter(|tracker| party.buffered(**tracker))
            .count()
    };
    for _ in 0..100 {
        let before = buffered(&party, &trackers);
        trackers.push(party.put(&message).unwrap());
        let after = buffered(&party, &trackers);
        assert!(after <= before + 1, "{before} and then {after}");
        // What is behind what waits, waits as well.
        let first = trackers.iter().position(|tracker| party.buffered(*tracker));
        let rest = &trackers[first.unwrap_or(trackers.len())..];
        assert!(rest.iter().all(|tracker| party.buffered(*tracker)));
    }
    while party.outgoing() > 0 {
        let before = buffered(&party, &trackers);
        party.send().unwrap();
        assert!(buffered(&party, &trackers) <= before);
    }
    assert_eq!(buffered(&party, &trackers), 0);
    party.stop().unwrap();
    echo.has_taken(100);
}

fn what_a_slow_peer_has_not_taken_is_in_the_buffer(way: Way) {
    let mut trio = Trio::new(way);
    trio.server.ask(1);
    trio.client.set_outgoing_window(1);
    // More than the system holds for anybody.
    let message = message_to(&trio.address, &"x".repeat(16 << 20));
    let tracker = trio.client.put(&message).unwrap();
    // As soon as there is credit the engine has it, which can write only a part of it.
    trio.until("begun", |trio| {
        trio.server.receiving() == 1 && trio.client.buffered(tracker)
    });
    for _ in 0..100 {
        trio.client.step(Duration::ZERO).unwrap();
        assert!(trio.client.buffered(tracker));
    }
    trio.until("arrived", |trio| trio.server.incoming() == 1);
    trio.settle();
    assert!(!trio.client.buffered(tracker));
    assert_eq!(trio.client.status(tracker), Status::Pending);
    trio.server.get(&mut Message::new()).unwrap();
    trio.until("accepted", |trio| {
        trio.client.status(tracker) == Status::Accepted
    });
    assert!(!trio.client.buffered(tracker));
}

fn a_messenger_sends_to_itself(way: Way) {
    let (mut party, address) = way.server();
    party.set_outgoing_window(10);
    party.set_incoming_window(10);
    let mut trackers = Vec::new();
    for body in ["one", "two"] {
        trackers.push(party.put(&message_to(&address, body)).unwrap());
    }
    // It waits for both at once: here for what it sent, which is not accepted before it is taken.
    let mut message = Message::new();
    for body in ["one", "two"] {
        party.recv(1).unwrap();
        let tracker = party.get(&mut message).unwrap();
        assert_eq!(text(&message), body);
        party.accept(tracker, Flags::NONE).unwrap();
    }
    party.send().unwrap();
    for tracker in trackers {
        assert_eq!(party.status(tracker), Status::Accepted);
    }
    party.stop().unwrap();
    assert!(party.stopped());
}
