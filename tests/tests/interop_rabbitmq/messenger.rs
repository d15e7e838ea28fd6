//! The Messenger with a broker.

use std::time::Duration;

use ferrion_messenger::{Credit, Flags, Message, Messenger, Status};
use ferrion_tests::interop::Queue;

use crate::support::{broker, declare};

/// The address of a queue of the shared broker, for a Messenger.
fn address(node: &str) -> String {
    format!("amqp://127.0.0.1:{}/{node}", broker().port())
}

fn messenger(name: &str) -> Messenger {
    let mut messenger = Messenger::with_name(name).expect("a messenger");
    messenger.set_timeout(Some(Duration::from_secs(30)));
    messenger.set_outgoing_window(100);
    messenger.set_incoming_window(100);
    messenger
}

#[test]
fn a_subscription_that_is_refused_is_told_and_leaves_the_others() {
    let node = declare(&Queue::quorum("beside-nothing"));
    let mut messenger = messenger("reader");
    messenger
        .subscribe(&address(&node))
        .expect("a subscription");
    messenger
        .subscribe(&address("/queues/nothing"))
        .expect("told later");
    let refused = messenger.recv(Credit::All).unwrap_err().to_string();
    assert!(refused.contains("no queue 'nothing'"), "{refused}");
    let mut message = Message::with_body("for the other one");
    message.set_address(address(&node));
    let tracker = messenger.put(&message).expect("a tracker");
    messenger.send().expect("an outcome");
    assert_eq!(messenger.status(tracker), Status::Accepted);
    messenger.recv(1).expect("a message");
    let tracker = messenger.get(&mut message).expect("a message");
    assert_eq!(message.body_text(), Ok(Some("for the other one")));
    messenger
        .accept(tracker, Flags::default())
        .expect("a tracker");
    messenger.stop().expect("an orderly end");
}
