//! Queues: what becomes of messages, requests, and nodes that the broker makes up.

use std::thread;

use ferrion_engine::protocol::Modified;
use ferrion_messenger::{Credit, Flags, Message, Status};
use ferrion_tests::interop::{digest, pattern};

use crate::support::{address, message_to, messenger, take, text};

#[test]
fn a_thousand_are_sent_and_taken_in_order() {
    const COUNT: usize = 1000;
    let address = address("queue://thousand");
    let mut sender = messenger();
    let trackers: Vec<_> = (0..COUNT)
        .map(|n| sender.put(&message_to(&address, n.to_string())).unwrap())
        .collect();
    sender.send().unwrap();
    for tracker in trackers {
        assert_eq!(sender.status(tracker), Status::Accepted);
    }
    sender.stop().unwrap();
    let mut receiver = messenger();
    receiver.subscribe(&address).unwrap();
    let mut message = Message::new();
    for n in 0..COUNT {
        if receiver.incoming() == 0 {
            receiver.recv(Credit::All).unwrap();
        }
        let tracker = receiver.get(&mut message).unwrap();
        assert_eq!(text(&message), n.to_string());
        receiver.accept(tracker, Flags::NONE).unwrap();
    }
    receiver.stop().unwrap();
}

#[test]
fn what_is_not_accepted_comes_again_and_what_is_rejected_is_a_dead_letter() {
    let address = address("queue://fates");
    let mut messenger = messenger();
    messenger.put(&message_to(&address, "x")).unwrap();
    messenger.subscribe(&address).unwrap();
    let (tracker, message) = take(&mut messenger);
    assert_eq!(message.delivery_count(), Ok(0));
    messenger.release(tracker, Flags::NONE).unwrap();
    let (tracker, message) = take(&mut messenger);
    assert_eq!(message.delivery_count(), Ok(0));
    let failed = Modified {
        delivery_failed: Some(true),
        ..Modified::default()
    };
    messenger.modify(tracker, Flags::NONE, failed).unwrap();
    let (tracker, message) = take(&mut messenger);
    assert_eq!(message.delivery_count(), Ok(1));
    messenger.reject(tracker, Flags::NONE).unwrap();
    messenger
        .subscribe(&address.replace("fates", "ActiveMQ.DLQ"))
        .unwrap();
    let (tracker, message) = take(&mut messenger);
    assert_eq!(text(&message), "x");
    messenger.accept(tracker, Flags::NONE).unwrap();
    messenger.stop().unwrap();
}

#[test]
fn a_large_message_arrives_octet_by_octet() {
    let address = address("queue://large");
    let body = pattern(20 << 20);
    let expected = digest(&body);
    let mut message = Message::with_body(body);
    message.set_address(address.as_str());
    let mut messenger = messenger();
    let tracker = messenger.put(&message).unwrap();
    messenger.send().unwrap();
    assert_eq!(messenger.status(tracker), Status::Accepted);
    messenger.subscribe(&address).unwrap();
    let (tracker, message) = take(&mut messenger);
    let received = message.body_octets().unwrap().expect("octets");
    assert_eq!(digest(received), expected);
    messenger.accept(tracker, Flags::NONE).unwrap();
    messenger.stop().unwrap();
}

#[test]
fn requests_are_answered_to_a_temporary_queue() {
    const COUNT: usize = 20;
    let address = address("queue://questions");
    let mut server = messenger();
    server.subscribe(&address).unwrap();
    let serving = thread::spawn(move || {
        for _ in 0..COUNT {
            let (tracker, request) = take(&mut server);
            let mut reply = server.reply_to(tracker, &request).unwrap();
            reply.set_body(text(&request).to_uppercase());
            server.put(&reply).unwrap();
            server.accept(tracker, Flags::NONE).unwrap();
        }
        server.stop().unwrap();
    });
    let mut client = messenger();
    let waiting: Vec<_> = (0..COUNT)
        .map(|n| {
            let question = message_to(&address, format!("question {n}"));
            client.send_request(&question).unwrap()
        })
        .collect();
    let mut reply = Message::new();
    for (n, request) in waiting.into_iter().enumerate() {
        client.reply(request, &mut reply).unwrap();
        assert_eq!(text(&reply), format!("QUESTION {n}"));
    }
    serving.join().unwrap();
    client.stop().unwrap();
}
