//! Topics: everybody who listens gets everything.

use ferrion_messenger::{Credit, Flags, Message, Messenger, Subscription};

use crate::support::{PATIENCE, address, message_to, messenger, text};

/// Waits until the broker has answered: a topic keeps nothing for who comes later.
pub(crate) fn answered(messenger: &mut Messenger, subscription: Subscription) {
    while messenger.subscription_address(subscription).is_none() {
        assert!(messenger.work(Some(PATIENCE)).unwrap(), "no answer");
    }
}

/// Somebody who listens to a topic.
fn subscribed(address: &str) -> Messenger {
    let mut messenger = messenger();
    let subscription = messenger.subscribe(address).unwrap();
    answered(&mut messenger, subscription);
    messenger
}

/// The texts of the next messages.
pub(crate) fn texts(messenger: &mut Messenger, count: usize) -> Vec<String> {
    let mut message = Message::new();
    let mut texts = Vec::new();
    while texts.len() < count {
        messenger.recv(Credit::All).unwrap();
        while messenger.incoming() > 0 {
            let tracker = messenger.get(&mut message).unwrap();
            texts.push(text(&message));
            messenger.accept(tracker, Flags::NONE).unwrap();
        }
    }
    texts
}

#[test]
fn two_subscribers_of_a_topic_get_all_of_it_and_two_of_a_queue_share_it() {
    const COUNT: usize = 100;
    let numbers: Vec<String> = (0..COUNT).map(|n| n.to_string()).collect();
    let news = address("topic://news");
    let mut first = subscribed(&news);
    let mut second = subscribed(&news);
    let mut sender = messenger();
    for number in &numbers {
        sender.put(&message_to(&news, number.as_str())).unwrap();
    }
    sender.send().unwrap();
    assert_eq!(texts(&mut first, COUNT), numbers);
    assert_eq!(texts(&mut second, COUNT), numbers);
    // Who comes late has missed it.
    let mut late = subscribed(&news);
    sender.put(&message_to(&news, "the last")).unwrap();
    sender.send().unwrap();
    assert_eq!(texts(&mut late, 1), ["the last"]);

    let work = address("queue://work");
    for worker in [&mut first, &mut second] {
        worker.stop().unwrap();
        worker.subscribe(&work).unwrap();
    }
    for number in &numbers[..2] {
        sender.put(&message_to(&work, number.as_str())).unwrap();
    }
    sender.send().unwrap();
    let mut shared = Vec::new();
    for worker in [&mut first, &mut second] {
        worker.recv(Credit::Explicit(1)).unwrap();
        let mut message = Message::new();
        let tracker = worker.get(&mut message).unwrap();
        worker.accept(tracker, Flags::NONE).unwrap();
        shared.push(text(&message));
    }
    shared.sort();
    assert_eq!(shared, numbers[..2]);
    for messenger in [&mut first, &mut second, &mut late, &mut sender] {
        messenger.stop().unwrap();
    }
}
