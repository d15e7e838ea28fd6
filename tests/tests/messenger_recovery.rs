//! A Messenger that would recover links, with Proton's Python library and rhea, which remember nothing.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use ferrion_messenger::{
    ConnectionEvent, Credit, Flags, LinkRecovery, Message, Messenger, Reconnect, Status,
};
use ferrion_tests::interop::{
    Library::{self, Proton, Rhea},
    PATIENCE, Program, Role, Sasl,
    proxy::{Cut, Direction, Fault, Place, Proxy},
};

fn messenger() -> Messenger {
    let mut messenger = Messenger::new().expect("a messenger");
    messenger.set_timeout(Some(PATIENCE));
    messenger.set_outgoing_window(usize::MAX);
    messenger.set_incoming_window(usize::MAX);
    messenger.set_link_recovery(Some(LinkRecovery::default()));
    messenger.set_reconnect(Some(Reconnect {
        first_delay: Duration::from_millis(1),
        ..Reconnect::default()
    }));
    messenger
}

fn sent_to(library: Library) {
    const COUNT: usize = 100;
    let mut sink = Program::serve(library, Role::Sink, Sasl::Anonymous, &[], &[]);
    // With the login and what attaches the link, about the thirtieth message is the last that gets through.
    let cut = Cut {
        fault: Fault::Close,
        direction: Direction::ToServer,
        place: Place::Frame(36, 7),
    };
    let proxy = Proxy::once(sink.port(), cut);
    let mut messenger = messenger();
    let trackers: Vec<_> = (0..COUNT)
        .map(|n| {
            let mut message = Message::with_body(n.to_string());
            message.set_address(format!("amqp://127.0.0.1:{}/queue", proxy.port()));
            messenger.put(&message).unwrap()
        })
        .collect();
    messenger.send().unwrap();
    assert!(proxy.has_cut());
    for tracker in trackers {
        assert_eq!(messenger.status(tracker), Status::Accepted);
    }
    messenger.stop().unwrap();
    let events: Vec<_> = std::iter::from_fn(|| messenger.poll_connection_event()).collect();
    let recovered = |event: &ConnectionEvent| matches!(event, ConnectionEvent::Recovered { .. });
    assert!(!events.iter().any(recovered), "{events:?}");
    let mut arrived = BTreeSet::new();
    while arrived.len() < COUNT {
        let event = sink.expect("message");
        arrived.insert(event["message"]["body"].to_string());
    }
}

#[test]
fn proton_gets_all_that_it_accepts_through_a_line_that_is_cut() {
    sent_to(Proton);
}

#[test]
fn rhea_gets_all_that_it_accepts_through_a_line_that_is_cut() {
    sent_to(Rhea);
}

fn fetched_from(library: Library) {
    let arguments = ["--size", "10", "--count", "50"];
    let mut source = Program::serve(library, Role::Source, Sasl::Anonymous, &arguments, &[]);
    let mut messenger = messenger();
    let address = format!("amqp://127.0.0.1:{}/queue", source.port());
    messenger.subscribe(&address).unwrap();
    take(&mut messenger, 50);
    messenger.set_blocking(false);
    if library == Proton {
        hear(&mut messenger, &mut source, "done");
        for _ in 0..50 {
            let outcome = source.hear("outcome");
            assert_eq!(outcome.expect("before the end")["state"], "accepted");
        }
    } // rhea never settles of its own accord, but waits for the receiver, which waits for it (2.8.3).
    messenger.set_blocking(true);
    messenger.stop().unwrap();
}

/// Takes and accepts so many messages.
fn take(messenger: &mut Messenger, count: usize) {
    let mut message = Message::new();
    for _ in 0..count {
        if messenger.incoming() == 0 {
            messenger.recv(Credit::All).unwrap();
        }
        let tracker = messenger.get(&mut message).unwrap();
        messenger.accept(tracker, Flags::NONE).unwrap();
        assert_eq!(messenger.status(tracker), Status::Accepted);
    }
}

#[test]
fn what_proton_sends_down_a_subscription_is_accepted_and_settled() {
    fetched_from(Proton);
}

#[test]
fn what_rhea_sends_down_a_subscription_is_accepted() {
    fetched_from(Rhea);
}

fn listen(messenger: &mut Messenger) -> u16 {
    let subscription = messenger.subscribe("~127.0.0.1:0").unwrap();
    messenger.subscription_port(subscription).unwrap()
}

/// A peer that connects, and sends small messages.
fn source_to(library: Library, port: u16, arguments: &[&str]) -> Program {
    let arguments = [&["--size", "10"], arguments].concat();
    Program::connect(
        library,
        port,
        Role::Source,
        Sasl::Anonymous,
        &arguments,
        &[],
    )
}

/// Does what is to be done until a peer has said something.
fn hear(messenger: &mut Messenger, peer: &mut Program, event: &str) {
    let begun = Instant::now();
    while peer.hear(event).is_none() {
        messenger.work(Some(Duration::from_millis(5))).unwrap();
        assert!(begun.elapsed() < PATIENCE, "no {event} is heard");
    }
}

/// Connects twice as the same container, with links of the same names if the library makes them from that.
fn twice(library: Library) {
    let mut messenger = messenger();
    let port = listen(&mut messenger);
    messenger.set_blocking(false);
    let arguments = ["--count", "50", "--container", "twin"];
    let mut twins = [(); 2].map(|()| source_to(library, port, &arguments));
    for twin in &mut twins {
        hear(&mut messenger, twin, "link");
    }
    messenger.set_blocking(true);
    take(&mut messenger, 100);
    messenger.set_blocking(false);
    for twin in &mut twins {
        hear(&mut messenger, twin, "done");
    }
}

#[test]
fn two_connections_of_one_container_of_proton_do_not_end_each_other() {
    twice(Proton);
}

#[test]
fn two_connections_of_one_container_of_rhea_do_not_end_each_other() {
    twice(Rhea);
}

fn killed(library: Library) {
    let mut messenger = messenger();
    let port = listen(&mut messenger);
    let peer = source_to(library, port, &["--count", "5"]);
    let mut message = Message::new();
    let mut trackers = Vec::new();
    while trackers.len() < 5 {
        messenger.recv(Credit::All).unwrap();
        while let Ok(tracker) = messenger.get(&mut message) {
            trackers.push(tracker);
        }
    }
    messenger.accept(trackers[0], Flags::NONE).unwrap();
    assert_eq!(messenger.status(trackers[0]), Status::Accepted);
    assert_eq!(messenger.status(trackers[4]), Status::Pending);
    // It is killed, and nobody waits for it as for one that remembers.
    drop(peer);
    let begun = Instant::now();
    while messenger.status(trackers[4]) == Status::Pending {
        messenger.work(Some(Duration::from_millis(5))).unwrap();
        assert!(begun.elapsed() < PATIENCE);
    }
    for tracker in &trackers[1..] {
        assert_eq!(messenger.status(*tracker), Status::Aborted);
    }
    messenger.stop().unwrap();
}

#[test]
fn a_proton_that_is_killed_leaves_no_tracker_without_an_end() {
    killed(Proton);
}

#[test]
fn a_rhea_that_is_killed_leaves_no_tracker_without_an_end() {
    killed(Rhea);
}
