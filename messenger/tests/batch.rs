//! Many messages with one call, and messages that are sent on as they are.

#[macro_use]
mod support;

use bytes::Bytes;
use ferrion_engine::codec::Value;
use ferrion_messenger::{Credit, Error, ErrorKind, Flags, Message, Status};
use support::{PATIENCE, Wire, client, message_to, server, text};

over_every_wire! {
    many_messages_go_with_one_call_and_are_accepted_with_another,
}

fn many_messages_go_with_one_call_and_are_accepted_with_another(wire: Wire) {
    const COUNT: usize = 1000;
    let (mut receiver, address) = wire.server();
    receiver.set_incoming_window(COUNT);
    let receiving = std::thread::spawn(move || {
        let mut messages = vec![Message::with_body("old"); 3];
        let mut texts = Vec::new();
        while texts.len() < COUNT {
            receiver.recv(Credit::All).unwrap();
            let waiting = receiver.incoming();
            let last = receiver.get_many(&mut messages, 300).unwrap();
            assert_eq!(messages.len(), waiting.min(300));
            assert_eq!(receiver.incoming_tracker(), Some(last));
            texts.extend(messages.iter().map(text));
            receiver.accept(last, Flags::CUMULATIVE).unwrap();
        }
        receiver.stop().unwrap();
        texts
    });
    let mut sender = wire.client();
    sender.set_outgoing_window(COUNT);
    let expected: Vec<String> = (0..COUNT).map(|n| n.to_string()).collect();
    let messages: Vec<_> = expected.iter().map(|n| message_to(&address, n)).collect();
    let mut trackers = Vec::new();
    sender.put_many(&messages, &mut trackers).unwrap();
    assert_eq!(trackers.len(), COUNT);
    sender.send().unwrap();
    for tracker in trackers {
        assert_eq!(sender.status(tracker), Status::Accepted);
    }
    assert_eq!(receiving.join().unwrap(), expected);
}

#[test]
fn of_many_messages_the_first_are_with_the_peer_before_send_is_called() {
    const COUNT: usize = 100;
    let (mut receiver, address) = server();
    let (tell, told) = std::sync::mpsc::channel();
    let receiving = std::thread::spawn(move || {
        let mut message = Message::new();
        for _ in 0..=COUNT {
            while receiver.incoming() == 0 {
                receiver.recv(Credit::All).unwrap();
            }
            receiver.get(&mut message).unwrap();
            tell.send(()).unwrap();
        }
        receiver.stop().unwrap();
    });
    let mut sender = client();
    sender.set_outgoing_window(COUNT);
    sender.put(&message_to(&address, "to connect")).unwrap();
    sender.send().unwrap();
    let large = message_to(&address, &"x".repeat(1000));
    for _ in 0..COUNT {
        sender.put(&large).unwrap();
    }
    // The one before, and what 32 KiB hold.
    for _ in 0..=32 {
        told.recv_timeout(PATIENCE).unwrap();
    }
    sender.send().unwrap();
    receiving.join().unwrap();
}

#[test]
fn a_message_that_cannot_be_put_ends_the_batch_and_the_trackers_tell_where() {
    let (_receiver, address) = server();
    let mut sender = client();
    let good = message_to(&address, "good");
    let bad = message_to("amqp://", "bad");
    let mut trackers = Vec::new();
    let error = sender
        .put_many([&good, &good, &bad, &good], &mut trackers)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidAddress);
    assert_eq!(trackers.len(), 2);
    assert_eq!(sender.outgoing(), 2);
    assert_eq!(sender.outgoing_tracker(), trackers.last().copied());
}

#[test]
fn getting_many_of_nothing_says_so_and_leaves_no_old_messages() {
    let mut messenger = client();
    let mut messages = vec![Message::with_body("old")];
    let nothing = messenger.get_many(&mut messages, 10);
    assert_eq!(nothing, Err(Error::EndOfQueue));
    assert!(messages.is_empty());
}

/// A message with fields that `put` would change, and with more than properties and a body.
fn elaborate(address: &str) -> Message {
    let mut message = Message::with_body(Bytes::from_static(b"body"));
    message.set_address(address);
    message.set_subject("subject");
    message.set_message_id("id");
    message.set_reply_to("~/not/expanded");
    message.set_property("colour", "green");
    message.set_priority(7);
    message
}

#[test]
fn an_encoded_message_arrives_octet_by_octet() {
    let (mut receiver, address) = server();
    // Its `to` is of no interest, and is not changed, nor is anything else.
    let octets = elaborate("amqp://user:secret@elsewhere/x").to_bytes();
    let mut sender = client();
    let tracker = sender.put_encoded(&address, octets.clone()).unwrap();
    assert_eq!(sender.outgoing_tracker(), Some(tracker));
    let sending = std::thread::spawn(move || sender.stop());
    receiver.recv(1).unwrap();
    let mut message = Message::new();
    receiver.get(&mut message).unwrap();
    assert_eq!(message.to_bytes(), octets);
    sending.join().unwrap().unwrap();
}

#[test]
fn octets_that_are_no_message_are_not_put() {
    let mut sender = client();
    for octets in [&b""[..], b"hello", b"\0\x53\x77"] {
        let error = sender.put_encoded("127.0.0.1", octets).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{octets:?}");
    }
    let octets = elaborate("x").to_bytes();
    let error = sender.put_encoded("~127.0.0.1", octets).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidAddress);
    assert_eq!(sender.outgoing(), 0);
}

#[test]
fn a_message_is_sent_on_as_it_came_or_with_changes_outside_the_bare_message() {
    let (mut last, far) = server();
    let (mut relay, near) = server();
    let octets = elaborate(&near).to_bytes();
    let sent = octets.clone();
    let sending = std::thread::spawn(move || {
        let mut sender = client();
        for _ in 0..2 {
            sender.put_encoded(&near, sent.clone()).unwrap();
        }
        sender.stop().unwrap();
    });
    let relaying = std::thread::spawn(move || {
        relay.set_incoming_window(10);
        let mut message = Message::new();
        for n in 0..2 {
            relay.recv(Credit::All).unwrap();
            let tracker = relay.get(&mut message).unwrap();
            if n == 1 {
                message.set_priority(9);
                message.set_delivery_count(3);
            }
            relay.forward(&message, &far).unwrap();
            relay.accept(tracker, Flags::NONE).unwrap();
        }
        relay.stop().unwrap();
    });
    let mut message = Message::new();
    last.set_timeout(Some(PATIENCE));
    last.recv(Credit::All).unwrap();
    last.get(&mut message).unwrap();
    assert_eq!(message.to_bytes(), octets);
    last.recv(Credit::All).unwrap();
    last.get(&mut message).unwrap();
    assert_eq!(message.priority().unwrap(), 9);
    assert_eq!(message.delivery_count().unwrap(), 3);
    assert_eq!(
        message.property("colour").unwrap(),
        Some(&Value::from("green"))
    );
    // Only the header is another.
    let bare = octets.windows(3).position(|at| at == b"\0\x53\x73");
    let bare = &octets[bare.unwrap()..];
    let after = message.to_bytes();
    assert!(after.ends_with(bare));
    sending.join().unwrap();
    relaying.join().unwrap();
}
