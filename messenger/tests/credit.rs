//! Credit between blocking messengers.

#[macro_use]
mod support;

use std::time::Duration;

use ferrion_messenger::{Credit, ErrorKind, Message};
use support::{Wire, message_to};

over_every_wire! {
    credit_moves_between_links_while_the_sender_waits,
    unlimited_credit_serves_links_that_come_later,
    nothing_comes_before_it_is_asked_for_and_cancel_asks_no_more,
    unread_messages_are_given_back_by_stop,
    what_comes_while_everything_closes_is_not_ours,
}

/// The server asks for 11 messages, once. The first link uses one, so the rest must move.
fn credit_moves_between_links_while_the_sender_waits(wire: Wire) {
    let (mut receiver, address) = wire.server();
    let receiving = std::thread::spawn(move || {
        receiver.recv(11).unwrap();
        while receiver.incoming() < 11 {
            receiver.work(Some(Duration::from_millis(100))).unwrap();
        }
        // One more would need more credit.
        for _ in 0..5 {
            receiver.work(Some(Duration::from_millis(100))).unwrap();
        }
        assert_eq!(receiver.incoming(), 11);
        receiver
    });
    let mut messenger = wire.client();
    messenger
        .put(&message_to(&format!("{address}/link1"), "x"))
        .unwrap();
    messenger.send().unwrap();
    for _ in 0..11 {
        messenger
            .put(&message_to(&format!("{address}/link2"), "x"))
            .unwrap();
    }
    messenger.send_n(10).unwrap();
    assert_eq!(messenger.outgoing(), 1);
    messenger.set_timeout(Some(Duration::from_millis(100)));
    let error = messenger.send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("grants no credit"), "{error}");
    assert_eq!(messenger.outgoing(), 1);
    let _receiver = receiving.join().unwrap();
    // Nobody will ever take it: stop says so.
    assert_eq!(messenger.stop().unwrap_err().kind(), ErrorKind::Unsent);
    assert!(messenger.stopped());
}

fn unlimited_credit_serves_links_that_come_later(wire: Wire) {
    let (mut receiver, address) = wire.server();
    let receiving = std::thread::spawn(move || {
        let mut message = Message::new();
        for _ in 0..2 {
            receiver.recv(Credit::All).unwrap();
            receiver.get(&mut message).unwrap();
        }
        receiver.stop().unwrap();
    });
    let mut messenger = wire.client();
    messenger.set_outgoing_window(1);
    for node in ["a", "b"] {
        messenger
            .put(&message_to(&format!("{address}/{node}"), "x"))
            .unwrap();
        messenger.send().unwrap();
    }
    messenger.stop().unwrap();
    receiving.join().unwrap();
}

fn nothing_comes_before_it_is_asked_for_and_cancel_asks_no_more(wire: Wire) {
    let (mut receiver, address) = wire.server();
    let sending = std::thread::spawn(move || {
        let mut messenger = wire.client();
        messenger.put(&message_to(&address, "x")).unwrap();
        messenger.send().unwrap();
        messenger.stop().unwrap();
    });
    for _ in 0..10 {
        receiver.work(Some(Duration::from_millis(10))).unwrap();
    }
    receiver.recv(Credit::Cancel).unwrap();
    assert_eq!((receiver.incoming(), receiver.receiving()), (0, 0));
    receiver.recv(5).unwrap();
    assert_eq!((receiver.incoming(), receiver.receiving()), (1, 4));
    sending.join().unwrap();
    receiver.recv(Credit::Cancel).unwrap();
    receiver.stop().unwrap();
}

fn unread_messages_are_given_back_by_stop(wire: Wire) {
    let (mut receiver, address) = wire.server();
    let sending = std::thread::spawn(move || {
        let mut messenger = wire.client();
        messenger.set_outgoing_window(3);
        let trackers: Vec<_> = (0..3)
            .map(|_| messenger.put(&message_to(&address, "x")).unwrap())
            .collect();
        messenger.send().unwrap();
        trackers
            .into_iter()
            .map(|tracker| messenger.status(tracker))
            .collect::<Vec<_>>()
    });
    let mut message = Message::new();
    while receiver.incoming() < 3 {
        receiver.recv(3).unwrap();
        receiver.work(Some(Duration::from_millis(5))).unwrap();
    }
    receiver.get(&mut message).unwrap();
    receiver.stop().unwrap();
    use ferrion_messenger::Status::{Accepted, Released};
    assert_eq!(sending.join().unwrap(), [Accepted, Released, Released]);
}

/// The sender keeps what was on its way: another receiver will get it, so this one must not.
fn what_comes_while_everything_closes_is_not_ours(wire: Wire) {
    let (mut receiver, address) = wire.server();
    let mut sender = wire.client();
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
    receiver.work(Some(Duration::ZERO)).unwrap();
    let mut sender = sending.join().unwrap();
    let late: Vec<_> = (0..5)
        .map(|_| sender.put(&message_to(&address, "late")).unwrap())
        .collect();
    // Out to the wire, where the receiver does not look before it stops.
    for _ in 0..5 {
        sender.work(Some(Duration::from_millis(2))).unwrap();
    }
    receiver.stop().unwrap();
    assert_eq!(receiver.incoming(), 0);
    // The receiver left, which costs nothing if it had none of them.
    drop(sender.send());
    for tracker in late {
        assert_ne!(sender.status(tracker), ferrion_messenger::Status::Accepted);
    }
}
