//! Proton's example clients and a Messenger that listens.

use std::thread;

use ferrion_messenger::{Flags, Message, Status};

use crate::support::{
    Example, REQUESTS, listener, message_to, name_of_receiver, take, take_sequence, text,
    work_until_over,
};

#[test]
fn what_the_senders_send_arrives_and_is_acknowledged() {
    let (mut messenger, port) = listener();
    let place = format!("127.0.0.1:{port}/examples");
    let port = port.to_string();
    let sender = Example::compiled("c-send", "sender", &["127.0.0.1", &port, "examples", "50"]);
    take_sequence(&mut messenger, 50);
    let said = work_until_over(&mut messenger, sender);
    assert_eq!(said, ["50 messages sent and acknowledged"]);
    let arguments = ["-a", &place, "-m", "50"];
    for language in ["Python", "C++"] {
        let sender = match language {
            "Python" => Example::python("simple_send", &arguments),
            _ => Example::compiled("cpp-simple_send", "sender", &arguments),
        };
        take_sequence(&mut messenger, 50);
        let said = work_until_over(&mut messenger, sender);
        assert_eq!(said, ["all messages confirmed"]);
    }
    assert_eq!(messenger.incoming(), 0);
}

#[test]
fn a_message_that_is_given_up_half_way_is_never_seen() {
    let (mut messenger, port) = listener();
    let port = port.to_string();
    let arguments = ["127.0.0.1", &port, "examples", "5"];
    let quitter = Example::compiled("c-send-abort", "quitter", &arguments);
    let sender = Example::compiled("c-send", "sender", &arguments);
    take_sequence(&mut messenger, 5);
    work_until_over(&mut messenger, sender);
    let said = work_until_over(&mut messenger, quitter);
    assert_eq!(said, ["5 messages started and aborted"]);
    assert_eq!(messenger.incoming(), 0);
}

#[test]
fn properties_arrive() {
    let (mut messenger, port) = listener();
    let place = format!("127.0.0.1:{port}/examples");
    let sender = Example::python("colour_send", &["-a", &place, "-m", "4"]);
    for (number, colour) in [(1, "green"), (2, "red"), (3, "green"), (4, "red")] {
        let (tracker, message) = take(&mut messenger);
        assert_eq!(text(&message), format!("{colour} {number}"));
        let property = message.property("colour").expect("properties");
        assert_eq!(property, Some(&colour.into()));
        messenger.accept(tracker, Flags::NONE).expect("a tracker");
    }
    let said = work_until_over(&mut messenger, sender);
    assert_eq!(said, ["all messages confirmed"]);
}

#[test]
fn the_receivers_get_what_is_put_to_their_names() {
    type Start = fn(u16) -> Example;
    let receivers: [Start; 3] = [
        |port| {
            let port = port.to_string();
            Example::compiled(
                "c-receive",
                "receiver",
                &["127.0.0.1", &port, "examples", "5"],
            )
        },
        |port| {
            let place = format!("127.0.0.1:{port}/examples");
            Example::python("simple_recv", &["-a", &place, "-m", "5"])
        },
        |port| {
            let place = format!("127.0.0.1:{port}/examples");
            Example::compiled("cpp-simple_recv", "receiver", &["-a", &place, "-m", "5"])
        },
    ];
    for start in receivers {
        let (mut messenger, port) = listener();
        messenger.set_tracing(true);
        let receiver = start(port);
        let name = name_of_receiver(&mut messenger);
        let address = format!("amqp://{name}/examples");
        let trackers: Vec<_> = (0..5)
            .map(|number| messenger.put(&message_to(&address, &format!("to you, {number}"))))
            .collect::<Result<_, _>>()
            .expect("room");
        messenger.send().expect("outcomes");
        for tracker in trackers {
            assert_eq!(messenger.status(tracker), Status::Accepted);
        }
        let said = work_until_over(&mut messenger, receiver);
        let bodies: Vec<_> = said
            .iter()
            .filter(|line| line.contains("to you, "))
            .collect();
        assert_eq!(bodies.len(), 5, "{said:?}");
        for (number, body) in bodies.iter().enumerate() {
            assert!(body.contains(&format!("to you, {number}")), "{said:?}");
        }
    }
}

/// A Messenger keeps no queue to choose from, and says so: it answers without the filter (3.5.3).
#[test]
fn a_receiver_that_asks_for_green_gets_what_is_put_to_its_name() {
    let (mut messenger, port) = listener();
    messenger.set_tracing(true);
    let place = format!("127.0.0.1:{port}/examples");
    let receiver = Example::python("selected_recv", &["-a", &place, "-m", "2"]);
    let name = name_of_receiver(&mut messenger);
    for colour in ["red", "green"] {
        let mut message = message_to(&format!("amqp://{name}/examples"), colour);
        message.set_property("colour", colour);
        messenger.put(&message).expect("room");
    }
    messenger.send().expect("outcomes");
    assert_eq!(work_until_over(&mut messenger, receiver), ["red", "green"]);
}

#[test]
fn the_clients_requests_are_answered() {
    let (mut messenger, port) = listener();
    let place = format!("127.0.0.1:{port}/examples");
    let arguments = ["-a", place.as_str()];
    for client in ["client", "sync_client", "cpp-client"] {
        let client = match client {
            "cpp-client" => Example::compiled(client, "client", &arguments),
            client => Example::python(client, &arguments),
        };
        for question in REQUESTS {
            let (tracker, request) = take(&mut messenger);
            assert_eq!(text(&request), question);
            let mut reply = messenger.reply_to(tracker, &request).expect("a way back");
            reply.set_body(question.to_uppercase());
            let sent = messenger.put(&reply).expect("room");
            messenger.accept(tracker, Flags::NONE).expect("a tracker");
            messenger.send().expect("an outcome");
            assert_eq!(messenger.status(sent), Status::Accepted);
        }
        let said = work_until_over(&mut messenger, client);
        let expected = REQUESTS.map(|line| format!("{line} => {}", line.to_uppercase()));
        assert_eq!(said, expected);
    }
}

/// The servers connect and ask for requests. The one in Python answers through a link to no node in particular, the one in
/// C++ through one to the node that the answer goes to.
#[test]
fn the_servers_answer_a_messenger_that_they_connect_to() {
    for server in ["server", "cpp-server"] {
        let (mut messenger, port) = listener();
        messenger.set_tracing(true);
        let place = format!("127.0.0.1:{port}");
        let _server = match server {
            "cpp-server" => Example::compiled(server, "server", &[&place, "examples"]),
            server => Example::python(server, &["-a", &format!("{place}/examples")]),
        };
        let name = name_of_receiver(&mut messenger);
        let mut question = Message::with_body("what is it?");
        question.set_address(format!("amqp://{name}/examples"));
        question.set_reply_to("answers");
        question.set_correlation_id(7_u64);
        let tracker = messenger.put(&question).expect("room");
        messenger.send().expect("an outcome");
        assert_eq!(messenger.status(tracker), Status::Accepted);
        let (_, answer) = take(&mut messenger);
        assert_eq!(text(&answer), "WHAT IS IT?");
        assert_eq!(answer.address().expect("properties"), Some("answers"));
    }
}

/// Nobody is refused for coming with others.
#[test]
fn all_senders_at_once_are_heard() {
    let (mut messenger, port) = listener();
    let place = format!("127.0.0.1:{port}/examples");
    let senders = [
        Example::python("simple_send", &["-a", &place, "-m", "100"]),
        Example::compiled("cpp-simple_send", "sender", &["-a", &place, "-m", "100"]),
        Example::compiled(
            "c-send",
            "sender",
            &["127.0.0.1", &port.to_string(), "examples", "100"],
        ),
    ];
    for _ in 0..300 {
        let (tracker, _) = take(&mut messenger);
        messenger.accept(tracker, Flags::NONE).expect("a tracker");
    }
    let waiting = thread::spawn(move || senders.map(Example::finish));
    while !waiting.is_finished() {
        let moment = std::time::Duration::from_millis(5);
        messenger.work(Some(moment)).expect("work");
    }
    let said = waiting.join().expect("all have ended well").concat();
    assert_eq!(said.len(), 3, "{said:?}");
}
