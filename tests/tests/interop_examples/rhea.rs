//! rhea's examples: clients with a Messenger that listens, and those that listen with a Messenger that connects.

use ferrion_messenger::{Flags, Message, Status};

use crate::support::{
    Example, REQUESTS, listener, listening, message_to, messenger, name_of_receiver, take,
    take_sequence, text, work_until_over,
};

#[test]
fn what_its_sender_sends_arrives_and_is_acknowledged() {
    let (mut messenger, port) = listener();
    let sender = Example::rhea("simple_send", &["-p", &port.to_string(), "-m", "20"]);
    take_sequence(&mut messenger, 20);
    let said = work_until_over(&mut messenger, sender);
    assert_eq!(
        said.last().map(String::as_str),
        Some("all messages confirmed")
    );
}

#[test]
fn its_messages_with_properties_arrive() {
    let (mut messenger, port) = listener();
    let sender = Example::rhea("selector/send", &["-p", &port.to_string()]);
    for (colour, body) in [
        ("red", "panda"),
        ("green", "grasshopper"),
        ("red", "squirrel"),
        ("blue", "whale"),
    ] {
        let (tracker, message) = take(&mut messenger);
        assert_eq!(text(&message), body);
        assert_eq!(
            message.property("colour").expect("properties"),
            Some(&colour.into())
        );
        messenger.accept(tracker, Flags::NONE).expect("a tracker");
    }
    work_until_over(&mut messenger, sender);
}

#[test]
fn its_receivers_get_what_is_put_to_their_names() {
    for example in ["simple_recv", "queue_browser", "selector/recv"] {
        let (mut messenger, port) = listener();
        messenger.set_tracing(true);
        let receiver = Example::rhea(example, &["-p", &port.to_string(), "-m", "5"]);
        let name = name_of_receiver(&mut messenger);
        for number in 0..5 {
            let message = message_to(
                &format!("amqp://{name}/examples"),
                &format!("number {number}"),
            );
            messenger.put(&message).expect("room");
        }
        messenger.send().expect("outcomes");
        let said = work_until_over(&mut messenger, receiver);
        assert_eq!(said.len(), 5, "{example}: {said:?}");
        for (number, line) in said.iter().enumerate() {
            assert_eq!(
                line.trim_matches('"'),
                format!("number {number}"),
                "{example}"
            );
        }
    }
}

#[test]
fn its_clients_requests_are_answered() {
    let (mut messenger, port) = listener();
    let client = Example::rhea("client", &["-p", &port.to_string()]);
    for question in REQUESTS {
        let (tracker, request) = take(&mut messenger);
        assert_eq!(text(&request), question);
        let mut reply = messenger.reply_to(tracker, &request).expect("a way back");
        reply.set_body(question.to_uppercase());
        messenger.put(&reply).expect("room");
        messenger.accept(tracker, Flags::NONE).expect("a tracker");
        messenger.send().expect("an outcome");
    }
    let said = work_until_over(&mut messenger, client);
    assert_eq!(
        said,
        REQUESTS.map(|line| format!("{line} => {}", line.to_uppercase()))
    );
}

#[test]
fn its_listening_receiver_prints_what_is_sent() {
    let (receiver, port) =
        listening(|port| Example::rhea("direct_recv", &["-p", &port.to_string(), "-m", "5"]));
    let mut messenger = messenger();
    let address = format!("amqp://127.0.0.1:{port}/examples");
    for number in 0..5 {
        messenger
            .put(&message_to(&address, &format!("hello {number}")))
            .expect("room");
    }
    messenger.send().expect("outcomes");
    let said = work_until_over(&mut messenger, receiver);
    assert_eq!(
        said,
        ["hello 0", "hello 1", "hello 2", "hello 3", "hello 4"]
    );
}

#[test]
fn what_its_listening_sender_has_arrives_and_is_acknowledged() {
    let (mut sender, port) =
        listening(|port| Example::rhea("direct_send", &["-p", &port.to_string(), "-m", "5"]));
    let mut messenger = messenger();
    let address = format!("amqp://127.0.0.1:{port}/examples");
    messenger.subscribe(&address).expect("a subscription");
    take_sequence(&mut messenger, 5);
    messenger.stop().expect("an orderly end");
    // It goes on listening.
    while sender.line() != "all messages confirmed" {}
}

#[test]
fn its_listening_server_answers_requests() {
    let (_server, port) =
        listening(|port| Example::rhea("direct_server", &["-p", &port.to_string()]));
    let mut messenger = messenger();
    let address = format!("amqp://127.0.0.1:{port}/examples");
    for question in REQUESTS {
        let reply = messenger
            .request(&message_to(&address, question))
            .expect("a reply");
        assert_eq!(text(&reply), question.to_uppercase());
    }
    messenger.stop().expect("an orderly end");
}

#[test]
fn its_echo_returns_what_is_sent() {
    let (_echo, port) =
        listening(|port| Example::rhea("reconnect/echo", &["-p", &port.to_string()]));
    let mut messenger = messenger();
    let address = format!("amqp://127.0.0.1:{port}/examples");
    messenger.subscribe(&address).expect("a subscription");
    for number in 0..5 {
        let tracker = messenger
            .put(&message_to(&address, &number.to_string()))
            .expect("room");
        messenger.send().expect("an outcome");
        assert_eq!(messenger.status(tracker), Status::Accepted);
        let (tracker, message): (_, Message) = take(&mut messenger);
        assert_eq!(text(&message), number.to_string());
        messenger.accept(tracker, Flags::NONE).expect("a tracker");
    }
    messenger.stop().expect("an orderly end");
}
