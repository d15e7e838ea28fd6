//! Selectors, and subscriptions to topics that go on while nobody is there.

use ferrion_engine::protocol::conditions;
use ferrion_messenger::{Credit, Messenger, SubscribeOptions, Unsubscribe};

use crate::support::{PATIENCE, address, message_to, messenger, text};
use crate::topics::{answered, texts};

#[test]
fn a_selector_chooses_messages_and_leaves_the_others_to_others() {
    let address = address("queue://choosy");
    let mut sender = messenger();
    for number in 0..10_i32 {
        let mut message = message_to(&address, number.to_string());
        message.set_property("n", number);
        message.set_property("colour", if number == 7 { "blue" } else { "red" });
        sender.put(&message).unwrap();
    }
    sender.stop().unwrap();
    let mut choosy = messenger();
    let options = SubscribeOptions::new().selector("n > 5 AND colour = 'red'");
    choosy.subscribe_with(&address, &options).unwrap();
    assert_eq!(texts(&mut choosy, 3), ["6", "8", "9"]);
    choosy.stop().unwrap();
    let mut other = messenger();
    other.subscribe(&address).unwrap();
    assert_eq!(texts(&mut other, 7), ["0", "1", "2", "3", "4", "5", "7"]);
    other.stop().unwrap();
}

#[test]
fn a_selector_that_is_wrong_is_told_with_its_reason() {
    let mut messenger = messenger();
    let options = SubscribeOptions::new().selector("n >");
    messenger
        .subscribe_with(&address("queue://confused"), &options)
        .unwrap();
    let error = messenger.recv(Credit::All).unwrap_err();
    let condition = error.condition().expect("a condition");
    assert_eq!(condition.condition, conditions::INVALID_FIELD, "{error}");
}

#[test]
fn a_durable_subscription_keeps_what_came_while_nobody_was_there() {
    let news = address("topic://diary");
    let reader = || {
        let mut messenger = Messenger::with_name("reader of diaries").unwrap();
        messenger.set_timeout(Some(PATIENCE));
        messenger.set_incoming_window(10);
        let options = SubscribeOptions::new().durable("diary").capability("topic");
        let subscription = messenger.subscribe_with(&news, &options).unwrap();
        answered(&mut messenger, subscription);
        messenger
    };
    // The connection ends without a word of the subscription, so that stays.
    drop(reader());
    let mut sender = messenger();
    sender.put(&message_to(&news, "dear diary")).unwrap();
    sender.stop().unwrap();
    let mut back = reader();
    assert_eq!(texts(&mut back, 1), ["dear diary"]);
    drop(back);
}

#[test]
fn a_durable_subscription_that_was_ended_keeps_nothing_and_one_that_was_left_does() {
    let news = address("topic://notebook");
    let reader = || {
        let mut messenger = Messenger::with_name("reader of notebooks").unwrap();
        messenger.set_timeout(Some(PATIENCE));
        messenger.set_incoming_window(10);
        let options = SubscribeOptions::new()
            .durable("notebook")
            .capability("topic");
        let subscription = messenger.subscribe_with(&news, &options).unwrap();
        answered(&mut messenger, subscription);
        (messenger, subscription)
    };
    let write = |body: &str| {
        let mut sender = messenger();
        sender.put(&message_to(&news, body)).unwrap();
        sender.stop().unwrap();
    };
    let (mut messenger, subscription) = reader();
    messenger
        .unsubscribe(subscription, Unsubscribe::Detach)
        .unwrap();
    write("kept");
    // On the same connection, and once more when it was lost.
    let options = SubscribeOptions::new()
        .durable("notebook")
        .capability("topic");
    messenger.subscribe_with(&news, &options).unwrap();
    assert_eq!(texts(&mut messenger, 1), ["kept"]);
    drop(messenger);
    let (mut messenger, subscription) = reader();
    messenger
        .unsubscribe(subscription, Unsubscribe::Close)
        .unwrap();
    messenger.stop().unwrap();
    write("for nobody");
    let (mut back, _) = reader();
    write("for whoever is there");
    assert_eq!(texts(&mut back, 1), ["for whoever is there"]);
}

#[test]
fn at_most_the_credit_of_a_subscription_is_under_way() {
    let address = address("queue://slowly");
    let mut sender = messenger();
    for number in 0..10 {
        sender
            .put(&message_to(&address, number.to_string()))
            .unwrap();
    }
    sender.stop().unwrap();
    let mut slow = messenger();
    let options = SubscribeOptions::new().credit(2);
    slow.subscribe_with(&address, &options).unwrap();
    slow.recv(Credit::All).unwrap();
    while slow.incoming() < 2 {
        assert!(
            slow.work(Some(PATIENCE)).unwrap(),
            "the second does not come"
        );
    }
    // All the others are there for another one at once.
    let mut quick = messenger();
    quick.subscribe(&address).unwrap();
    assert_eq!(
        texts(&mut quick, 8),
        ["2", "3", "4", "5", "6", "7", "8", "9"]
    );
    let mut message = ferrion_messenger::Message::new();
    slow.get(&mut message).unwrap();
    assert_eq!(text(&message), "0");
    quick.stop().unwrap();
    slow.stop().unwrap();
}
