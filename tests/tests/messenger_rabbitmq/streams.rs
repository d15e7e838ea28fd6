//! Streams, which are read without being emptied, and the filters that they know.

use ferrion_engine::codec::{Symbol, Value};
use ferrion_messenger::{Credit, Flags, Message, Messenger, SubscribeOptions};
use ferrion_tests::interop::Queue;

use crate::support::{declare, message_to, messenger, text};

/// Where in a stream to begin.
const OFFSET: Symbol = Symbol::from_static("rabbitmq:stream-offset-spec");
/// Conditions as in SQL.
const SQL: Symbol = Symbol::from_static("amqp:sql-filter");

/// Declares a stream with ten numbers, each with a property of that value and a subject: its address.
fn numbers(name: &str) -> String {
    let address = declare(&Queue::stream(name));
    let mut sender = messenger();
    for number in 0..10_i32 {
        let mut message = message_to(&address, number.to_string());
        message.set_property("n", number);
        message.set_subject(if number % 2 == 0 { "even" } else { "odd" });
        sender.put(&message).unwrap();
    }
    sender.stop().unwrap();
    address
}

/// The texts of the next messages.
fn texts(messenger: &mut Messenger, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    let mut message = Message::new();
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
fn a_stream_is_read_from_where_it_is_asked_to_be_as_often_as_one_likes() {
    let address = numbers("log");
    let from = |offset: Value| SubscribeOptions::new().filter("offset", OFFSET, offset);
    for (offset, first) in [(Value::from("first"), 0), (Value::Ulong(7), 7)] {
        let mut reader = messenger();
        reader.subscribe_with(&address, &from(offset)).unwrap();
        let expected: Vec<String> = (first..10).map(|n: i32| n.to_string()).collect();
        assert_eq!(texts(&mut reader, expected.len()), expected);
        reader.stop().unwrap();
    }
}

#[test]
fn conditions_choose_among_the_messages_of_a_stream() {
    let address = numbers("chosen");
    // RabbitMQ knows this one by its name too.
    let options = SubscribeOptions::new()
        .filter("offset", OFFSET, "first")
        .filter("sql-filter", SQL, "n > 4 AND properties.subject = 'odd'");
    let mut reader = messenger();
    reader.subscribe_with(&address, &options).unwrap();
    assert_eq!(texts(&mut reader, 3), ["5", "7", "9"]);
    assert_eq!(reader.poll_warning(), None);
    reader.stop().unwrap();
}

#[test]
fn a_filter_that_the_broker_does_not_apply_is_an_error_unless_it_may_be_left_out() {
    let address = numbers("unfiltered");
    let options = SubscribeOptions::new()
        .filter("offset", OFFSET, "first")
        .selector("n > 4");
    let mut reader = messenger();
    reader.subscribe_with(&address, &options).unwrap();
    let error = reader.recv(Credit::All).unwrap_err().to_string();
    assert!(error.contains("does not filter by selector"), "{error}");
    assert_eq!(reader.incoming(), 0);
    reader.stop().unwrap();

    let mut reader = messenger();
    reader
        .subscribe_with(&address, &options.filters_optional())
        .unwrap();
    assert_eq!(texts(&mut reader, 10).len(), 10);
    let warning = reader.poll_warning().expect("a warning");
    assert!(warning.contains("selector"), "{warning}");
    reader.stop().unwrap();
}
