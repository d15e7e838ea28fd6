//! Proton's example brokers, with a Messenger on each side, and with their own clients and servers on one of them.

use std::thread;

use ferrion_messenger::{Flags, Message, Status};

use crate::support::{
    Example, REQUESTS, listening, message_to, messenger, take, take_sequence, text,
};

/// All of them, and their ports.
fn brokers() -> [(Example, u16); 3] {
    let mut broker = Example::compiled("c-broker", "broker", &["127.0.0.1", "0"]);
    let port = broker.port();
    [(broker, port), python(), cpp()]
}

fn python() -> (Example, u16) {
    listening(|port| Example::python("broker", &["-a", &format!("127.0.0.1:{port}")]))
}

fn cpp() -> (Example, u16) {
    listening(|port| {
        Example::compiled(
            "cpp-broker",
            "broker",
            &["-a", &format!("127.0.0.1:{port}")],
        )
    })
}

#[test]
fn what_is_sent_to_a_queue_is_accepted_and_comes_back_in_order() {
    for (_broker, port) in brokers() {
        let queue = format!("amqp://127.0.0.1:{port}/queue");
        let mut messenger = messenger();
        let trackers: Vec<_> = (0..100)
            .map(|number| messenger.put(&message_to(&queue, &number.to_string())))
            .collect::<Result<_, _>>()
            .expect("room");
        messenger.send().expect("outcomes");
        for tracker in trackers {
            assert_eq!(messenger.status(tracker), Status::Accepted);
        }
        messenger.subscribe(&queue).expect("a subscription");
        for number in 0..100 {
            let (tracker, message) = take(&mut messenger);
            assert_eq!(text(&message), number.to_string());
            // To a broker that has forgotten it, all decisions are alike.
            let decided = match number % 3 {
                0 => messenger.accept(tracker, Flags::NONE),
                1 => messenger.reject(tracker, Flags::NONE),
                _ => messenger.release(tracker, Flags::NONE),
            };
            decided.expect("a tracker");
        }
        messenger.stop().expect("an orderly end");
    }
}

#[test]
fn a_large_message_comes_back_whole() {
    for (_broker, port) in brokers() {
        let queue = format!("amqp://127.0.0.1:{port}/large");
        let body = "All mimsy were the borogroves, ".repeat(10_000);
        let mut messenger = messenger();
        messenger.subscribe(&queue).expect("a subscription");
        let tracker = messenger.put(&message_to(&queue, &body)).expect("room");
        messenger.send().expect("an outcome");
        assert_eq!(messenger.status(tracker), Status::Accepted);
        assert!(text(&take(&mut messenger).1) == body);
        messenger.stop().expect("an orderly end");
    }
}

#[test]
fn their_own_senders_and_receivers_are_on_the_other_side() {
    for (_broker, port) in brokers() {
        let place = format!("127.0.0.1:{port}/examples");
        let sender = Example::python("simple_send", &["-a", &place, "-m", "20"]);
        let mut messenger = messenger();
        messenger.subscribe(&place).expect("a subscription");
        take_sequence(&mut messenger, 20);
        messenger.stop().expect("an orderly end");
        assert_eq!(sender.finish(), ["all messages confirmed"]);
        for number in 0..20 {
            messenger
                .put(&message_to(&place, &format!("number {number}")))
                .expect("room");
        }
        messenger.send().expect("outcomes");
        let receiver =
            Example::compiled("cpp-simple_recv", "receiver", &["-a", &place, "-m", "20"]);
        let said = receiver.finish();
        let expected: Vec<_> = (0..20).map(|number| format!("number {number}")).collect();
        assert_eq!(said, expected);
        messenger.stop().expect("an orderly end");
    }
}

#[test]
fn their_own_servers_answer_to_a_node_that_the_broker_made_up() {
    for language in ["Python", "C++"] {
        // The server in Python answers through a link to no node in particular, which the broker in C++ has no use for.
        let ((_broker, port), server) = match language {
            "Python" => (python(), "server"),
            _ => (cpp(), "cpp-server"),
        };
        let host = format!("127.0.0.1:{port}");
        let place = format!("{host}/examples");
        let _server = match server {
            "cpp-server" => Example::compiled(server, "server", &[&host, "examples"]),
            server => Example::python(server, &["-a", &place]),
        };
        let mut messenger = messenger();
        let waiting: Vec<_> = REQUESTS
            .iter()
            .map(|question| messenger.send_request(&message_to(&place, question)))
            .collect::<Result<_, _>>()
            .expect("room");
        let mut reply = Message::new();
        for (question, request) in REQUESTS.iter().zip(waiting) {
            messenger.reply(request, &mut reply).expect("a reply");
            assert_eq!(text(&reply), question.to_uppercase());
        }
        messenger.stop().expect("an orderly end");
    }
}

#[test]
fn their_own_clients_are_answered() {
    for (_broker, port) in [python(), cpp()] {
        let place = format!("127.0.0.1:{port}/examples");
        let mut server = messenger();
        server.subscribe(&place).expect("a subscription");
        let serving = thread::spawn(move || {
            for _ in 0..3 * REQUESTS.len() {
                let (tracker, request) = take(&mut server);
                let mut reply = server.reply_to(tracker, &request).expect("a way back");
                reply.set_body(text(&request).to_uppercase());
                server.put(&reply).expect("room");
                server.accept(tracker, Flags::NONE).expect("a tracker");
                server.send().expect("an outcome");
            }
            server.stop().expect("an orderly end");
        });
        let expected = REQUESTS.map(|line| format!("{line} => {}", line.to_uppercase()));
        for client in [
            Example::python("client", &["-a", &place]),
            Example::python("sync_client", &["-a", &place]),
            Example::compiled("cpp-client", "client", &["-a", &place]),
        ] {
            assert_eq!(client.finish(), expected);
        }
        serving.join().expect("a server without a fault");
    }
}
