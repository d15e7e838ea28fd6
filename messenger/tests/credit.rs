//! Who may send how much, and how what one does not use goes to another.

#[macro_use]
mod support;

use std::time::Duration;

use ferrion_messenger::{Credit, ErrorKind, Message, Status};
use support::way::{Mode, Trio, Way};
use support::{message_to, text};

in_every_way! {
    credit_moves_between_links_while_the_sender_waits,
    unlimited_credit_serves_links_that_come_later,
    nothing_comes_before_it_is_asked_for_and_cancel_asks_no_more,
    unread_messages_are_given_back_by_stop,
    what_was_sent_settled_is_there_to_be_read_after_a_stop,
    what_comes_while_everything_closes_is_not_ours,
    nobody_who_does_not_read_is_flooded,
    automatic_credit_follows_what_is_read,
    who_asks_before_subscribing_gets_what_is_sent_by_name,
    credit_that_one_link_does_not_use_goes_to_another,
    the_credit_of_a_client_that_leaves_comes_back,
    all_that_was_asked_for_comes_however_it_is_spread,
}

/// The server asks for 11 messages, once. The first link uses one, so the rest must move.
fn credit_moves_between_links_while_the_sender_waits(way: Way) {
    let (mut receiver, address) = way.server();
    let receiving = std::thread::spawn(move || {
        receiver.recv(11).unwrap();
        receiver.work_until("moved", |messenger| messenger.incoming() == 11);
        // One more would need more credit.
        receiver.work_for(Duration::from_millis(300));
        assert_eq!(receiver.incoming(), 11);
        receiver
    });
    let mut party = way.party();
    let message = |node| message_to(&format!("{address}/{node}"), "x");
    party.put(&message("link1")).unwrap();
    party.send().unwrap();
    for _ in 0..11 {
        party.put(&message("link2")).unwrap();
    }
    party.send_n(10).unwrap();
    assert_eq!(party.outgoing(), 1);
    party.set_timeout(Some(Duration::from_millis(50)));
    let error = party.send().unwrap_err();
    assert!(party.is_unfinished(&error), "{error}");
    if error.kind() == ErrorKind::Timeout {
        assert!(error.to_string().contains("grants no credit"), "{error}");
    }
    assert_eq!(party.outgoing(), 1);
    let _receiver = receiving.join().unwrap();
    // Nobody will ever take it: stop says so.
    assert_eq!(party.stop().unwrap_err().kind(), ErrorKind::Unsent);
    assert!(party.stopped());
}

fn unlimited_credit_serves_links_that_come_later(way: Way) {
    let (mut receiver, address) = way.server();
    let receiving = std::thread::spawn(move || {
        let mut message = Message::new();
        for _ in 0..2 {
            receiver.recv(Credit::All).unwrap();
            receiver.get(&mut message).unwrap();
        }
        receiver.stop().unwrap();
    });
    let mut party = way.party();
    party.set_outgoing_window(1);
    for node in ["a", "b"] {
        party
            .put(&message_to(&format!("{address}/{node}"), "x"))
            .unwrap();
        party.send().unwrap();
    }
    party.stop().unwrap();
    receiving.join().unwrap();
}

fn nothing_comes_before_it_is_asked_for_and_cancel_asks_no_more(way: Way) {
    let (mut receiver, address) = way.server();
    let sending = std::thread::spawn(move || {
        let mut party = way.party();
        party.put(&message_to(&address, "x")).unwrap();
        party.send().unwrap();
        party.stop().unwrap();
    });
    receiver.work_for(Duration::from_millis(50));
    receiver.recv(Credit::Cancel).unwrap();
    assert_eq!((receiver.incoming(), receiver.receiving()), (0, 0));
    receiver.recv(5).unwrap();
    assert_eq!((receiver.incoming(), receiver.receiving()), (1, 4));
    receiver.recv(Credit::Cancel).unwrap();
    receiver.stop().unwrap();
    sending.join().unwrap();
}

fn unread_messages_are_given_back_by_stop(way: Way) {
    let (mut receiver, address) = way.server();
    let sending = std::thread::spawn(move || {
        let mut party = way.party();
        party.set_outgoing_window(3);
        let trackers: Vec<_> = (0..3)
            .map(|_| party.put(&message_to(&address, "x")).unwrap())
            .collect();
        party.send().unwrap();
        let status = |tracker| party.status(tracker);
        trackers.into_iter().map(status).collect::<Vec<_>>()
    });
    receiver.recv(3).unwrap();
    receiver.work_until("there", |messenger| messenger.incoming() == 3);
    receiver.get(&mut Message::new()).unwrap();
    receiver.stop().unwrap();
    use Status::{Accepted, Released};
    assert_eq!(sending.join().unwrap(), [Accepted, Released, Released]);
}

/// Its sender has forgotten it, so nobody else would have it: neither what waits for `get`, nor what there was no room for.
fn what_was_sent_settled_is_there_to_be_read_after_a_stop(way: Way) {
    let (mut receiver, address) = way.server();
    receiver.set_incoming_high_water(2, usize::MAX);
    let sending = std::thread::spawn(move || {
        let mut party = way.party();
        for n in 0..5 {
            party.put(&message_to(&address, &n.to_string())).unwrap();
        }
        party.send().unwrap();
        party.stop().unwrap();
    });
    receiver.recv(5).unwrap();
    while !sending.is_finished() {
        receiver.step(Duration::from_millis(5)).unwrap();
    }
    sending.join().unwrap();
    assert_eq!(receiver.incoming(), 5);
    receiver.stop().unwrap();
    assert!(receiver.stopped());
    let mut message = Message::new();
    for n in 0..5 {
        receiver.get(&mut message).unwrap();
        assert_eq!(text(&message), n.to_string());
    }
    assert_eq!(receiver.incoming(), 0);
}

/// The sender keeps what was on its way: another receiver will get it, so this one must not.
fn what_comes_while_everything_closes_is_not_ours(way: Way) {
    let (mut receiver, address) = way.server();
    let mut sender = way.party();
    sender.set_outgoing_window(10);
    sender.set_reconnect(None);
    sender.put(&message_to(&address, "first")).unwrap();
    let sending = std::thread::spawn(move || {
        sender.send().unwrap();
        sender
    });
    receiver.recv(10).unwrap();
    let mut message = Message::new();
    receiver.get(&mut message).unwrap();
    receiver.step(Duration::ZERO).unwrap();
    let mut sender = sending.join().unwrap();
    let late: Vec<_> = (0..5)
        .map(|_| sender.put(&message_to(&address, "late")).unwrap())
        .collect();
    // Out to the wire, where the receiver does not look before it stops.
    for _ in 0..5 {
        sender.step(Duration::from_millis(2)).unwrap();
    }
    receiver.stop().unwrap();
    assert_eq!(receiver.incoming(), 0);
    // The receiver left, which costs nothing if it had none of them.
    drop(sender.send());
    for tracker in late {
        assert_ne!(sender.status(tracker), Status::Accepted);
    }
}

fn nobody_who_does_not_read_is_flooded(way: Way) {
    let mut trio = Trio::new(way);
    trio.put("x", 16 * 1024);
    trio.server.ask(Credit::All);
    // A handshake takes what it takes where others work too; only then is silence a sign.
    trio.until("there", |trio| trio.server.incoming() > 0);
    trio.settle();
    assert_eq!(trio.server.incoming(), 1024);
    assert_eq!(trio.client.outgoing(), 15 * 1024);
}

fn automatic_credit_follows_what_is_read(way: Way) {
    let mut trio = Trio::new(way);
    trio.put("x", 3000);
    trio.server.ask(Credit::All);
    // A handshake takes what it takes where others work too; only then is silence a sign.
    trio.until("there", |trio| trio.server.incoming() > 0);
    trio.settle();
    assert_eq!(trio.server.incoming(), 1024);
    let mut message = Message::new();
    trio.server.get(&mut message).unwrap();
    trio.server.ask(Credit::All);
    trio.settle();
    assert!((1024..=1025).contains(&trio.server.incoming()));
    // Who reads gets the rest.
    let mut count = 1;
    while count < 3000 {
        trio.until("there", |trio| trio.server.incoming() > 0);
        while trio.server.get(&mut message).is_ok() {
            count += 1;
        }
        trio.server.ask(Credit::All);
    }
    trio.until("gone", |trio| trio.client.outgoing() == 0);
}

fn who_asks_before_subscribing_gets_what_is_sent_by_name(way: Way) {
    let mut trio = Trio::new(way);
    let mut named = way.party_named("named-client");
    if way.mode == Mode::Blocking {
        // Who waits would wait for ever.
        assert_eq!(named.recv(2).unwrap_err().kind(), ErrorKind::State);
    } else {
        named.ask(2);
    }
    named.subscribe(&format!("{}/foo", trio.address)).unwrap();
    trio.client = named;
    trio.client.ask(2);
    trio.settle();
    // By the container's name: to the node it subscribed to, and to one that it did not.
    let mut message = Message::new();
    for node in ["foo", "bar"] {
        let reply = message_to(&format!("amqp://named-client/{node}"), node);
        trio.server.put(&reply).unwrap();
    }
    trio.until("there", |trio| trio.client.incoming() == 2);
    trio.until("gone", |trio| trio.server.outgoing() == 0);
    for node in ["foo", "bar"] {
        trio.client.get(&mut message).unwrap();
        assert_eq!(text(&message), node);
    }
}

fn credit_that_one_link_does_not_use_goes_to_another(way: Way) {
    let mut trio = Trio::new(way);
    trio.put("link1", 1);
    trio.server.ask(5);
    trio.until("first", |trio| trio.server.incoming() == 1);
    assert_eq!(trio.server.receiving(), 4);
    trio.put("link2", 1);
    trio.until("second", |trio| trio.server.incoming() == 2);
    assert_eq!(trio.server.receiving(), 3);
}

fn the_credit_of_a_client_that_leaves_comes_back(way: Way) {
    let mut trio = Trio::new(way);
    trio.server.ask(9);
    trio.put("link1", 1);
    trio.put("link2", 1);
    let message = message_to(&format!("{}/link3", trio.address), "link3");
    trio.client2.put(&message).unwrap();
    trio.until("each sent one", |trio| trio.server.incoming() == 3);
    assert_eq!(trio.server.receiving(), 6);
    let mut leaving = std::mem::replace(&mut trio.client2, way.party());
    let leaving = std::thread::spawn(move || {
        leaving.stop().unwrap();
        leaving.stopped()
    });
    trio.until("left", |_| leaving.is_finished());
    assert!(leaving.join().unwrap());
    trio.put("link1", 4);
    trio.put("link2", 2);
    trio.until("all came", |trio| trio.server.incoming() == 9);
    assert_eq!(trio.server.receiving(), 0);
    assert_eq!(trio.client.outgoing(), 0);
}

fn all_that_was_asked_for_comes_however_it_is_spread(way: Way) {
    let mut trio = Trio::new(way);
    trio.server.ask(50);
    for node in ["link1", "link2", "link3"] {
        trio.put(node, 1);
    }
    trio.until("each sent one", |trio| trio.server.incoming() == 3);
    trio.put("link2", 17);
    trio.until("a burst", |trio| trio.server.incoming() == 20);
    trio.put("link1", 15);
    trio.put("link3", 15);
    trio.until("all came", |trio| trio.server.incoming() == 50);
    assert_eq!(trio.server.receiving(), 0);
    assert_eq!(trio.client.outgoing(), 0);
}
