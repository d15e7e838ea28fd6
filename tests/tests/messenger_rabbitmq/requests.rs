//! Requests and replies through a broker, and nodes that it makes up.

use std::{thread, time::Instant};

use ferrion_messenger::{ErrorKind, Flags, LinkRecovery, Message, Messenger, Status, Subscription};
use ferrion_tests::interop::Queue;

use crate::support::{PATIENCE, broker, declare, message_to, messenger, take, text};

/// Answers so many requests that come to an address, each with its text in capitals.
fn serve(address: &str, count: usize) -> thread::JoinHandle<()> {
    let mut server = messenger();
    server.subscribe(address).unwrap();
    thread::spawn(move || {
        for _ in 0..count {
            let (tracker, request) = take(&mut server);
            let mut reply = server.reply_to(tracker, &request).unwrap();
            reply.set_body(text(&request).to_uppercase());
            server.put(&reply).unwrap();
            server.accept(tracker, Flags::NONE).unwrap();
        }
        server.stop().unwrap();
    })
}

#[test]
fn requests_are_answered_through_the_broker_to_an_address_that_it_makes_up() {
    const COUNT: usize = 50;
    let address = declare(&Queue::quorum("questions"));
    let serving = serve(&address, COUNT + 1);
    let mut client = messenger();
    let answer = client.request(&message_to(&address, "hello")).unwrap();
    assert_eq!(text(&answer), "HELLO");
    // Many at a time, and each gets its own.
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

#[test]
fn a_client_that_would_recover_links_is_answered_as_any_other() {
    let address = declare(&Queue::quorum("asked-questions"));
    let serving = serve(&address, 2);
    let mut client = messenger();
    client.set_link_recovery(Some(LinkRecovery::default()));
    for _ in 0..2 {
        let answer = client.request(&message_to(&address, "hello")).unwrap();
        assert_eq!(text(&answer), "HELLO");
    }
    serving.join().unwrap();
    client.stop().unwrap();
}

#[test]
fn replies_find_their_way_to_a_queue_of_the_clients_own() {
    let address = declare(&Queue::quorum("letters"));
    let answers = Queue::quorum("answers");
    let own = declare(&answers);
    let serving = serve(&address, 2);
    let mut client = messenger();
    client.subscribe(&own).unwrap();
    // A node of the broker's, and an address that others can use too.
    for (n, reply_to) in [answers.address(), own.clone()].into_iter().enumerate() {
        let mut request = message_to(&address, format!("letter {n}"));
        request.set_reply_to(reply_to.as_str());
        request.set_correlation_id(n as u64);
        client.put(&request).unwrap();
        let (tracker, reply) = take(&mut client);
        assert_eq!(text(&reply), format!("LETTER {n}"));
        assert_eq!(reply.correlation_id().unwrap(), Some((n as u64).into()));
        client.accept(tracker, Flags::NONE).unwrap();
    }
    serving.join().unwrap();
    client.stop().unwrap();
}

#[test]
fn a_request_to_a_queue_that_nobody_serves_ends_in_time() {
    let address = declare(&Queue::classic("deserted"));
    let mut client = messenger();
    client.set_timeout(Some(std::time::Duration::from_millis(300)));
    let error = client.request(&message_to(&address, "hello?")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    client.set_timeout(Some(PATIENCE));
    client.stop().unwrap();
}

#[test]
fn a_node_that_the_broker_makes_up_is_there_for_others_as_long_as_its_subscription() {
    let mut owner = messenger();
    let subscription = owner
        .subscribe(&format!("amqp://127.0.0.1:{}/#", broker().port()))
        .unwrap();
    let address = made_up(&mut owner, subscription);
    let mut sender = messenger();
    sender.put(&message_to(&address, "for the owner")).unwrap();
    sender.send().unwrap();
    let (tracker, message) = take(&mut owner);
    assert_eq!(text(&message), "for the owner");
    owner.accept(tracker, Flags::NONE).unwrap();
    owner.stop().unwrap();
    // The node goes with its subscription, a moment later: nobody is there then who could take it.
    let begun = Instant::now();
    loop {
        let tracker = sender.put(&message_to(&address, "too late")).unwrap();
        match (sender.send(), sender.status(tracker)) {
            (Ok(()), Status::Accepted) => {
                assert!(begun.elapsed() < PATIENCE, "the node is still there");
            }
            (Ok(()), status) => {
                assert_eq!(status, Status::Released);
                break;
            }
            // The link went with the node.
            (Err(error), status) => {
                assert_eq!(error.kind(), ErrorKind::Remote, "{error}");
                assert_eq!(status, Status::Aborted);
                break;
            }
        }
    }
    sender.stop().unwrap();
}

/// The address of a dynamic node, once the broker has told it.
fn made_up(messenger: &mut Messenger, subscription: Subscription) -> String {
    loop {
        if let Some(address) = messenger.subscription_address(subscription) {
            return address;
        }
        assert!(
            messenger.work(Some(PATIENCE)).unwrap(),
            "it is told nothing"
        );
    }
}
