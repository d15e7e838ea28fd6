//! What becomes of messages in a quorum queue, both ways.

use ferrion_engine::{
    codec::{Fields, Symbol, Value},
    protocol::{Condition, Modified, conditions},
};
use ferrion_messenger::{Credit, ErrorKind, Flags, Message, Status};
use ferrion_tests::interop::{Queue, digest, pattern};

use crate::support::{LARGEST, broker, declare, message_to, messenger, take, text};

#[test]
fn a_thousand_are_sent_taken_in_order_and_gone_when_they_are_accepted() {
    const COUNT: usize = 1000;
    let address = declare(&Queue::quorum("thousand"));
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
    let mut last = None;
    for n in 0..COUNT {
        if receiver.incoming() == 0 {
            receiver.recv(Credit::All).unwrap();
        }
        let mut message = Message::new();
        last = Some(receiver.get(&mut message).unwrap());
        assert_eq!(text(&message), n.to_string());
    }
    receiver.accept(last.unwrap(), Flags::CUMULATIVE).unwrap();
    receiver.stop().unwrap();
    // Nothing is left for another one.
    let mut other = messenger();
    other.subscribe(&address).unwrap();
    other.set_timeout(Some(std::time::Duration::from_millis(300)));
    let error = other.recv(Credit::All).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    other.stop().unwrap();
}

#[test]
fn a_broker_that_takes_no_more_rejects_and_one_that_has_no_place_releases() {
    let queue = Queue::classic("full")
        .argument("x-max-length", 1_i64)
        .argument("x-overflow", "reject-publish");
    let full = declare(&queue);
    let nowhere = format!(
        "amqp://127.0.0.1:{}//exchanges/amq.direct/nobody",
        broker().port()
    );
    let mut sender = messenger();
    let fits = sender.put(&message_to(&full, "fits")).unwrap();
    sender.send().unwrap();
    let refused = sender.put(&message_to(&full, "does not")).unwrap();
    let unrouted = sender.put(&message_to(&nowhere, "for nobody")).unwrap();
    sender.send().unwrap();
    assert_eq!(sender.status(fits), Status::Accepted);
    assert_eq!(sender.status(refused), Status::Rejected);
    let why = sender.condition(refused).expect("a condition");
    assert_eq!(why.condition, conditions::RESOURCE_LIMIT_EXCEEDED);
    assert_eq!(sender.status(unrouted), Status::Released);
    sender.stop().unwrap();
}

/// It takes 256 links on a session (`link_max_per_session`), and each routing key is a node of its own.
#[test]
fn more_nodes_are_put_to_than_it_takes_links_for() {
    const NODES: usize = 300;
    let port = broker().port();
    let message = |n| {
        let node = format!("amqp://127.0.0.1:{port}//exchanges/amq.topic/key.{n}");
        message_to(&node, "for nobody")
    };
    let mut sender = messenger();
    for n in 0..NODES {
        let tracker = sender.put(&message(n)).unwrap();
        sender.send().unwrap();
        assert_eq!(sender.status(tracker), Status::Released);
    }
    // All of them at once.
    let trackers: Vec<_> = (0..NODES)
        .map(|n| sender.put(&message(n)).unwrap())
        .collect();
    sender.send().unwrap();
    for tracker in trackers {
        assert_eq!(sender.status(tracker), Status::Released);
    }
    sender.stop().unwrap();
}

#[test]
fn what_is_rejected_arrives_among_the_dead_letters() {
    let dead = declare(&Queue::quorum("dead"));
    let queue = Queue::quorum("dying")
        .argument("x-dead-letter-exchange", "")
        .argument("x-dead-letter-routing-key", "dead");
    let address = declare(&queue);
    let mut messenger = messenger();
    messenger.put(&message_to(&address, "unreadable")).unwrap();
    messenger.put(&message_to(&address, "unwanted")).unwrap();
    messenger.subscribe(&address).unwrap();
    let why = Condition::with_description(conditions::DECODE_ERROR, "not for me");
    let (tracker, _) = take(&mut messenger);
    messenger
        .reject_with(tracker, Flags::NONE, why)
        .expect("a message in the window");
    let (tracker, _) = take(&mut messenger);
    messenger.reject(tracker, Flags::NONE).unwrap();
    messenger.subscribe(&dead).unwrap();
    for body in ["unreadable", "unwanted"] {
        let (tracker, message) = take(&mut messenger);
        assert_eq!(text(&message), body);
        let reason = annotation(&message, "x-last-death-reason");
        assert_eq!(reason, Some("rejected".into()));
        let queue = annotation(&message, "x-last-death-queue");
        assert_eq!(queue, Some("dying".into()));
        messenger.accept(tracker, Flags::NONE).unwrap();
    }
    messenger.stop().unwrap();
}

#[test]
fn what_is_released_or_modified_comes_again_and_its_failures_are_counted() {
    let address = declare(&Queue::quorum("again"));
    let mut messenger = messenger();
    messenger.put(&message_to(&address, "again")).unwrap();
    messenger.send().unwrap();
    messenger.subscribe(&address).unwrap();

    let (tracker, message) = take(&mut messenger);
    assert_eq!(message.first_acquirer(), Ok(true));
    assert_eq!(message.delivery_count(), Ok(0));
    messenger.release(tracker, Flags::NONE).unwrap();

    // As if it had not come; but that it did is seen.
    let (tracker, message) = take(&mut messenger);
    assert_eq!(message.first_acquirer(), Ok(false));
    assert_eq!(message.delivery_count(), Ok(0));
    let note = (Symbol::from_static("x-opt-why"), Value::from("not ready"));
    let failed = Modified {
        delivery_failed: Some(true),
        message_annotations: Some(Fields::from_entries([note])),
        ..Modified::default()
    };
    messenger.modify(tracker, Flags::NONE, failed).unwrap();

    let (tracker, message) = take(&mut messenger);
    assert_eq!(text(&message), "again");
    assert_eq!(message.delivery_count(), Ok(1));
    assert_eq!(annotation(&message, "x-opt-why"), Some("not ready".into()));
    messenger.accept(tracker, Flags::NONE).unwrap();
    messenger.stop().unwrap();
}

#[test]
fn what_was_got_and_not_decided_comes_again_to_another() {
    let address = declare(&Queue::quorum("undecided"));
    let mut sender = messenger();
    sender.put(&message_to(&address, "x")).unwrap();
    sender.stop().unwrap();
    let mut first = messenger();
    first.subscribe(&address).unwrap();
    take(&mut first);
    // Without another word.
    drop(first);
    let mut second = messenger();
    second.subscribe(&address).unwrap();
    let (tracker, message) = take(&mut second);
    assert_eq!(message.first_acquirer(), Ok(false));
    second.accept(tracker, Flags::NONE).unwrap();
    second.stop().unwrap();
}

#[test]
fn large_messages_arrive_octet_by_octet_and_those_that_are_too_large_are_not_sent() {
    let address = declare(&Queue::quorum("large"));
    let mut messenger = messenger();
    let body = pattern(40 << 20);
    let expected = digest(&body);
    let mut message = Message::with_body(bytes::Bytes::from(body));
    message.set_address(address.as_str());
    let tracker = messenger.put(&message).unwrap();
    messenger.send().unwrap();
    assert_eq!(messenger.status(tracker), Status::Accepted);
    messenger.subscribe(&address).unwrap();
    let (tracker, message) = take(&mut messenger);
    let received = message.body_octets().unwrap().expect("octets");
    assert_eq!(digest(received), expected);
    messenger.accept(tracker, Flags::NONE).unwrap();

    let mut message = Message::with_body(bytes::Bytes::from(vec![0; LARGEST]));
    message.set_address(address.as_str());
    let tracker = messenger.put(&message).unwrap();
    let error = messenger.send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Send, "{error}");
    assert!(error.to_string().contains(&LARGEST.to_string()), "{error}");
    assert_eq!(messenger.status(tracker), Status::Aborted);
    // It costs the link nothing.
    let tracker = messenger.put(&message_to(&address, "small")).unwrap();
    messenger.send().unwrap();
    assert_eq!(messenger.status(tracker), Status::Accepted);
    messenger.stop().unwrap();
}

fn annotation(message: &Message, name: &str) -> Option<Value> {
    let annotations = message.message_annotations().expect("annotations");
    annotations.and_then(|all| all.get_str(name).cloned())
}
