//! Lost connections: made again behind the scenes, at the same place or another, and given up in the end.
#![expect(
    clippy::disallowed_methods,
    reason = "a test that must not hang looks at the clock"
)]

#[path = "support/puppet.rs"]
mod puppet;
#[macro_use]
mod support;

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ferrion_engine::protocol::{Condition, Redirect, conditions};
use ferrion_messenger::{
    ConnectionEvent, Credit, ErrorKind, Flags, Interrupter, Message, Messenger, Reconnect, Scope,
    Status,
};
use puppet::{Deed, STAGES, Stage, ender, puppet_behind};
use support::way::{Party, Way};
use support::{KeptPort, PATIENCE, Wire, client, message_to, nobody, server, text};

in_every_way! {
    what_was_not_answered_is_sent_again_in_order,
    subscriptions_come_back_without_another_recv,
    another_node_takes_over,
}

// Its peer speaks nothing but TCP.
in_every_mode_over_tcp! {
    when_nobody_comes_back_it_is_given_up_with_an_error,
}

/// Delays that a test can wait for.
fn quick() -> Reconnect {
    Reconnect {
        first_delay: Duration::from_millis(5),
        max_delay: Duration::from_millis(50),
        ..Reconnect::default()
    }
}

fn sender() -> Party {
    sender_in(Way::SIMPLE)
}

fn sender_in(way: Way) -> Party {
    let mut messenger = way.party();
    messenger.set_reconnect(Some(quick()));
    messenger.set_outgoing_window(usize::MAX);
    messenger
}

fn port_of(address: &str) -> u16 {
    address.rsplit(':').next().unwrap().parse().unwrap()
}

/// Takes `count` messages, says so, and then lets go of everything without another word.
fn take(mut messenger: Messenger, count: usize) -> JoinHandle<Vec<String>> {
    std::thread::spawn(move || {
        messenger.set_incoming_window(usize::MAX);
        let mut bodies = Vec::new();
        let mut message = Message::new();
        while bodies.len() < count {
            messenger.recv(Credit::All).unwrap();
            while messenger.incoming() > 0 && bodies.len() < count {
                let tracker = messenger.get(&mut message).unwrap();
                bodies.push(text(&message));
                messenger.accept(tracker, Flags::CUMULATIVE).unwrap();
            }
        }
        messenger.work(Some(Duration::ZERO)).unwrap();
        bodies
    })
}

/// Accepts whatever comes, until it is interrupted.
fn serve(mut messenger: Messenger) -> (Interrupter, JoinHandle<Vec<String>>) {
    messenger.set_timeout(None);
    let interrupter = messenger.interrupter();
    let thread = std::thread::spawn(move || {
        let mut bodies = Vec::new();
        let mut message = Message::new();
        while messenger.recv(Credit::All).is_ok() {
            while messenger.incoming() > 0 {
                messenger.get(&mut message).unwrap();
                bodies.push(text(&message));
            }
        }
        bodies
    });
    (interrupter, thread)
}

/// Names of the events that were told so far.
fn trail(messenger: &mut Messenger) -> Vec<&'static str> {
    std::iter::from_fn(|| messenger.poll_connection_event())
        .map(|event| match event {
            ConnectionEvent::Connected { .. } => "connected",
            ConnectionEvent::Failed { .. } => "failed",
            ConnectionEvent::Retrying { .. } => "retrying",
            ConnectionEvent::GivenUp { .. } => "given up",
            _ => "unknown",
        })
        .collect()
}

fn what_was_not_answered_is_sent_again_in_order(way: Way) {
    const COUNT: usize = 300;
    let port = KeptPort::new();
    let (first, address) = way.wire.server_at(&port);
    let mut messenger = sender_in(way);
    let trackers: Vec<_> = (0..COUNT)
        .map(|n| {
            messenger
                .put(&message_to(&address, &n.to_string()))
                .unwrap()
        })
        .collect();
    let taking = take(first, 100);
    let succession = std::thread::spawn(move || {
        let bodies = taking.join().unwrap();
        (bodies, serve(way.wire.server_at(&port).0))
    });
    messenger.send().unwrap();
    let (mut bodies, (interrupter, serving)) = succession.join().unwrap();
    for tracker in &trackers {
        assert_eq!(messenger.status(*tracker), Status::Accepted);
    }
    assert_eq!(messenger.outgoing(), 0);
    interrupter.interrupt();
    let again = serving.join().unwrap();
    let numbers: Vec<usize> = again.iter().map(|body| body.parse().unwrap()).collect();
    assert!(
        numbers.is_sorted(),
        "each comes once more at most: {numbers:?}"
    );
    bodies.extend(again);
    for n in 0..COUNT {
        assert!(bodies.contains(&n.to_string()), "{n} was lost");
    }
    let events = trail(&mut messenger);
    assert_eq!(events.first(), Some(&"connected"));
    assert_eq!(events.last(), Some(&"connected"));
    assert!(events.contains(&"failed") && events.contains(&"retrying"));
    assert!(!events.contains(&"given up"));
    messenger.stop().unwrap();
}

fn subscriptions_come_back_without_another_recv(way: Way) {
    // No host can have this name, so nobody is asked for one.
    let name = "sub..scriber";
    let port = KeptPort::new();
    let (mut first, address) = way.wire.server_at(&port);
    let mut messenger = way.party_named(name);
    messenger.set_reconnect(Some(quick()));
    messenger.subscribe(&format!("{address}/news")).unwrap();
    let serving = std::thread::spawn(move || {
        let publish = |server: &mut Messenger, body: &str| {
            server.set_outgoing_window(1);
            // Until the subscriber is there its name leads nowhere.
            let begun = Instant::now();
            loop {
                server.work(Some(Duration::from_millis(1))).unwrap();
                let address = format!("amqp://{name}/news");
                if server.put(&message_to(&address, body)).is_ok() && server.send().is_ok() {
                    return;
                }
                assert!(begun.elapsed() < PATIENCE, "the subscriber does not come");
            }
        };
        publish(&mut first, "one");
        drop(first);
        let (mut second, _) = way.wire.server_at(&port);
        publish(&mut second, "two");
    });
    let mut message = Message::new();
    messenger.recv(2).unwrap();
    messenger.get(&mut message).unwrap();
    assert_eq!(text(&message), "one");
    messenger.recv(Credit::Explicit(1)).unwrap();
    messenger.get(&mut message).unwrap();
    assert_eq!(text(&message), "two");
    messenger.stop().unwrap();
    serving.join().unwrap();
}

#[test]
fn whatever_a_peer_does_the_next_one_gets_the_message() {
    for stage in STAGES.into_iter().filter(|stage| *stage >= Stage::Opened) {
        for deed in [Deed::Close, Deed::Reset, Deed::Garbage, Deed::Tear] {
            let port = KeptPort::new();
            let (address, thread) = puppet_behind(port.listener(), stage, deed);
            let mut messenger = sender();
            let tracker = messenger.put(&message_to(&address, "x")).unwrap();
            messenger.set_blocking(false);
            let begun = Instant::now();
            while !trail(&mut messenger).contains(&"failed") {
                messenger.work(Some(Duration::from_millis(20))).unwrap();
                assert!(begun.elapsed() < PATIENCE, "{stage:?} {deed:?}");
            }
            messenger.set_blocking(true);
            let taking = take(Wire::Tcp.server_at(&port).0, 1);
            // What the peer sent was no frame: to try again would be answered in the same way.
            if deed == Deed::Garbage && messenger.status(tracker) == Status::Aborted {
                messenger.put(&message_to(&address, "x")).unwrap();
                messenger.send().unwrap();
            } else {
                messenger.send().unwrap();
                assert_eq!(
                    messenger.status(tracker),
                    Status::Accepted,
                    "{stage:?} {deed:?}"
                );
            }
            assert_eq!(taking.join().unwrap(), ["x"], "{stage:?} {deed:?}");
            drop(messenger);
            thread.join().unwrap();
        }
    }
}

fn when_nobody_comes_back_it_is_given_up_with_an_error(way: Way) {
    let port = KeptPort::new();
    let (address, thread) = puppet_behind(port.listener(), Stage::Transferred, Deed::Close);
    let mut messenger = sender_in(way);
    messenger.set_reconnect(Some(Reconnect {
        give_up_after: Some(Duration::from_millis(300)),
        ..quick()
    }));
    let tracker = messenger.put(&message_to(&address, "x")).unwrap();
    let begun = Instant::now();
    let error = messenger.send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(messenger.status(tracker), Status::Aborted);
    assert_eq!(messenger.reason(tracker), Some(&error));
    assert_eq!(messenger.outgoing(), 0);
    let events = trail(&mut messenger);
    assert_eq!(events.last(), Some(&"given up"), "{events:?}");
    assert!(events.iter().filter(|event| **event == "retrying").count() > 2);
    messenger.stop().unwrap();
    thread.join().unwrap();
}

#[test]
fn a_timeout_says_why_the_connection_is_not_there() {
    let port = KeptPort::new();
    let (address, thread) = puppet_behind(port.listener(), Stage::Transferred, Deed::Close);
    let mut messenger = sender();
    messenger.set_timeout(Some(Duration::from_millis(200)));
    let tracker = messenger.put(&message_to(&address, "x")).unwrap();
    let error = messenger.send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("refused"), "{error}");
    assert_eq!(messenger.status(tracker), Status::Pending);
    assert_eq!(messenger.stop().unwrap_err().kind(), ErrorKind::Unsent);
    assert_eq!(messenger.status(tracker), Status::Aborted);
    thread.join().unwrap();
}

#[test]
fn the_first_connection_is_tried_again_only_if_asked_to() {
    let port = KeptPort::new();
    let address = format!("amqp://127.0.0.1:{}", port.number);
    let mut messenger = sender();
    messenger.put(&message_to(&address, "x")).unwrap();
    assert_eq!(messenger.send().unwrap_err().kind(), ErrorKind::Connect);
    messenger.set_reconnect(Some(Reconnect {
        initial: true,
        ..quick()
    }));
    let tracker = messenger.put(&message_to(&address, "x")).unwrap();
    messenger.work(Some(Duration::from_millis(50))).unwrap();
    let taking = take(Wire::Tcp.server_at(&port).0, 1);
    messenger.send().unwrap();
    assert_eq!(messenger.status(tracker), Status::Accepted);
    taking.join().unwrap();
}

#[test]
fn alternatives_that_say_more_than_a_place_are_refused() {
    let mut messenger = client();
    for (other, what) in [
        ("amqp://ann:secret@b", "leave them out"),
        ("ann@b:1", "leave them out"),
        ("~b", "connected to"),
        ("b/queue", "leave the name out"),
        ("amqps://b", "write the same"),
    ] {
        let error = messenger
            .set_alternatives("amqp://a", ["c", other])
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidAddress);
        let text = error.to_string();
        assert!(text.contains(what) && !text.contains("secret"), "{text}");
    }
    messenger
        .set_alternatives("amqps://a", ["b", "amqps://c:1"])
        .unwrap();
}

fn another_node_takes_over(way: Way) {
    let (first, address) = way.wire.server();
    let (second, other) = way.wire.server();
    let mut messenger = sender_in(way);
    messenger
        .set_alternatives(&address, [other.as_str()])
        .unwrap();
    let (_, serving) = serve(second);
    let trackers: Vec<_> = (0..100)
        .map(|n| {
            messenger
                .put(&message_to(&address, &n.to_string()))
                .unwrap()
        })
        .collect();
    let taking = take(first, 10);
    messenger.send().unwrap();
    assert_eq!(taking.join().unwrap().len(), 10);
    for tracker in trackers {
        assert_eq!(messenger.status(tracker), Status::Accepted);
    }
    let last = std::iter::from_fn(|| messenger.poll_connection_event()).last();
    assert_eq!(last, Some(ConnectionEvent::Connected { address: other }));
    drop(serving);
}

#[test]
fn an_alternative_is_tried_at_once_when_the_first_was_never_there() {
    let address = format!("amqp://{}", nobody());
    let (second, other) = server();
    let taking = take(second, 1);
    let mut messenger = sender();
    messenger
        .set_alternatives(&address, [other.as_str()])
        .unwrap();
    messenger.put(&message_to(&address, "x")).unwrap();
    messenger.send().unwrap();
    assert_eq!(taking.join().unwrap(), ["x"]);
}

#[test]
fn a_redirection_is_followed_whatever_the_policy() {
    for policy in [None, Some(quick())] {
        let (second, other) = server();
        let taking = take(second, 1);
        let elsewhere = Redirect {
            network_host: Some("127.0.0.1".into()),
            port: Some(port_of(&other)),
            ..Redirect::default()
        };
        let condition = elsewhere.connection();
        let (address, thread) = ender(Scope::Connection, condition);
        let mut messenger = sender();
        messenger.set_reconnect(policy);
        let tracker = messenger.put(&message_to(&address, "x")).unwrap();
        messenger.send().unwrap();
        assert_eq!(messenger.status(tracker), Status::Accepted);
        assert_eq!(taking.join().unwrap(), ["x"]);
        thread.join().unwrap();
    }
}

#[test]
fn a_refusal_for_good_is_not_tried_again() {
    let condition = Condition::new(conditions::UNAUTHORIZED_ACCESS);
    let (address, thread) = ender(Scope::Connection, condition);
    let mut messenger = sender();
    messenger.put(&message_to(&address, "x")).unwrap();
    let error = messenger.send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Remote, "{error}");
    assert_eq!(trail(&mut messenger), ["connected", "failed", "given up"]);
    thread.join().unwrap();
}

#[test]
fn what_is_sent_and_not_answered_counts_against_the_high_water_mark() {
    let (mut receiver, address) = server();
    let mut messenger = sender();
    messenger.set_high_water(1000, 10_000);
    messenger.set_blocking(false);
    receiver.set_blocking(false);
    receiver.set_incoming_window(usize::MAX);
    let body = "x".repeat(1000);
    let begun = Instant::now();
    let mut put = 0;
    // The receiver takes everything and answers nothing.
    let error = loop {
        match messenger.put(&message_to(&address, &body)) {
            Ok(_) => put += 1,
            Err(error) => break error,
        }
        while messenger.work(Some(Duration::ZERO)).unwrap() {}
        let _ = receiver.recv(Credit::All);
        assert!(begun.elapsed() < PATIENCE);
    };
    assert_eq!(error.kind(), ErrorKind::Overflow, "{error}");
    assert!((8..=10).contains(&put), "{put}");
    while receiver.incoming() < put {
        messenger.work(Some(Duration::ZERO)).unwrap();
        receiver.work(Some(Duration::ZERO)).unwrap();
        assert!(begun.elapsed() < PATIENCE);
    }
    let mut message = Message::new();
    let mut last = None;
    while receiver.incoming() > 0 {
        last = Some(receiver.get(&mut message).unwrap());
    }
    receiver.accept(last.unwrap(), Flags::CUMULATIVE).unwrap();
    while messenger.outgoing() > 0 {
        messenger.work(Some(Duration::ZERO)).unwrap();
        receiver.work(Some(Duration::ZERO)).unwrap();
        assert!(begun.elapsed() < PATIENCE);
    }
    messenger.put(&message_to(&address, &body)).unwrap();
}

#[test]
fn a_connection_that_stood_for_a_while_is_made_again_however_long_ago_the_last_loss_was() {
    let port = KeptPort::new();
    let (first, address) = Wire::Tcp.server_at(&port);
    let mut messenger = client();
    messenger.set_reconnect(Some(Reconnect {
        give_up_after: Some(Duration::from_millis(400)),
        ..quick()
    }));
    messenger.subscribe(&format!("{address}/news")).unwrap();
    messenger.set_blocking(false);
    let mut server = Some(first);
    for _ in 0..3 {
        let begun = Instant::now();
        let mut peer = server
            .take()
            .unwrap_or_else(|| Wire::Tcp.server_at(&port).0);
        // Longer than its patience it stands, and nothing comes.
        while begun.elapsed() < Duration::from_millis(500) {
            let _ = messenger.recv(1);
            peer.work(Some(Duration::from_millis(5))).unwrap();
        }
        drop(peer);
        let _ = messenger.recv(1);
    }
    assert!(!trail(&mut messenger).contains(&"given up"));
}

#[test]
fn attempts_that_fail_at_once_keep_nobody_from_the_timeout() {
    let mut messenger = client();
    messenger.set_timeout(Some(Duration::from_millis(100)));
    messenger.set_reconnect(Some(Reconnect {
        first_delay: Duration::ZERO,
        max_delay: Duration::ZERO,
        give_up_after: None,
        initial: true,
    }));
    messenger.set_outgoing_window(1);
    // No connection can be made to everybody.
    messenger
        .put(&message_to("amqp://255.255.255.255", "x"))
        .unwrap();
    let begun = Instant::now();
    assert_eq!(messenger.send().unwrap_err().kind(), ErrorKind::Timeout);
    assert!(begun.elapsed() < PATIENCE);
}
