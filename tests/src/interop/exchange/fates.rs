//! What becomes of messages and connections: outcomes, refusals, losses.

use std::time::{Duration, Instant};

use ferrion_engine::protocol::Modified;
use ferrion_messenger::{Credit, Error, Flags, Message, Status, Tracker};
use serde_json::json;

use super::{OUTCOMES, STATUSES, address, listen, messenger, receive, states};
use crate::interop::{Library, PATIENCE, Program, Role, Sasl, exceptions::Fate};

/// Every outcome that a sink gives reaches a Messenger, with what comes along.
///
/// # Panics
///
/// When one does not.
pub fn outcomes_from_peer(library: Library) {
    let sink = Program::serve(
        library,
        Role::Sink,
        Sasl::Anonymous,
        &["--outcomes", OUTCOMES],
        &[],
    );
    let mut messenger = messenger("ferrion-outcomes");
    let mut message = Message::with_body("what becomes of me?");
    message.set_address(address(sink.port(), Sasl::Anonymous, "outcomes").as_str());
    let trackers: Vec<Tracker> = STATUSES
        .iter()
        .map(|_| messenger.put(&message).expect("room"))
        .collect();
    messenger.send().expect("all are settled");
    let statuses: Vec<Status> = trackers
        .iter()
        .map(|tracker| messenger.status(*tracker))
        .collect();
    assert_eq!(statuses, STATUSES);
    let condition = messenger.condition(trackers[1]).expect("a reason");
    assert_eq!(condition.condition.as_str(), "test:refused");
    assert_eq!(
        condition.description.as_deref(),
        Some("the sink refuses this one")
    );
    assert_eq!(messenger.condition(trackers[0]), None);
}

/// Every outcome that a Messenger gives reaches a source.
///
/// # Panics
///
/// When one does not.
pub fn outcomes_to_peer(library: Library) {
    let arguments = ["--size", "10", "--count", "5"];
    let mut source = Program::serve(library, Role::Source, Sasl::Anonymous, &arguments, &[]);
    let mut messenger = messenger("ferrion-outcomes");
    messenger
        .subscribe(&address(source.port(), Sasl::Anonymous, "outcomes"))
        .expect("a subscription");
    let modified = Modified {
        delivery_failed: Some(true),
        undeliverable_here: Some(true),
        ..Modified::default()
    };
    for status in STATUSES {
        if messenger.incoming() == 0 {
            messenger.recv(Credit::All).expect("a message");
        }
        let tracker = messenger.get(&mut Message::new()).expect("a message");
        let flags = Flags::default();
        let decided = match status {
            Status::Accepted => messenger.accept(tracker, flags),
            Status::Rejected => messenger.reject(tracker, flags),
            Status::Released => messenger.release(tracker, flags),
            _ => messenger.modify(tracker, flags, modified.clone()),
        };
        decided.expect("a tracker");
        assert_eq!(messenger.status(tracker), status);
    }
    messenger.stop().expect("an orderly end");
    assert_eq!(
        states(&mut source),
        ["accepted", "rejected", "released", "modified", "accepted"]
    );
}

/// A Messenger sends down the connection that a sink has opened to it, which it knows by its container-id.
///
/// # Panics
///
/// When nothing arrives.
pub fn reply_to_client(library: Library) {
    let mut messenger = messenger("ferrion-server");
    let port = listen(&mut messenger, Sasl::Anonymous);
    let arguments = ["--container", "the-client"];
    let mut sink = Program::connect(library, port, Role::Sink, Sasl::Anonymous, &arguments, &[]);
    while sink.is_silent_about("open") {
        messenger
            .work(Some(Duration::from_millis(20)))
            .expect("work");
    }
    let mut message = Message::with_body("down the same road");
    message.set_address("amqp://the-client/test");
    let tracker = messenger.put(&message).expect("room");
    messenger.send().expect("an outcome");
    assert_eq!(messenger.status(tracker), Status::Accepted);
    assert_eq!(
        sink.expect("message")["message"]["body"],
        json!(["value", ["string", "down the same road"]])
    );
}

/// A Messenger hears a source, and is heard by a sink, that leave source and target out of their attach, as rhea does
/// unless the application names them.
///
/// # Panics
///
/// When nothing arrives.
pub fn answers_without_termini() {
    let note = json!({ "body": ["value", ["string", "to whom it may concern"]] });
    let mut source = Program::serve(
        Library::Rhea,
        Role::Source,
        Sasl::Anonymous,
        &["--bare-attach"],
        &[note],
    );
    let mut messenger = messenger("ferrion-receiver");
    messenger
        .subscribe(&address(source.port(), Sasl::Anonymous, "bare"))
        .expect("a subscription");
    let Fate::Arrives(received) = receive(&mut messenger) else {
        panic!("no message")
    };
    assert_eq!(
        received["body"],
        json!(["value", ["string", "to whom it may concern"]])
    );
    let mut sink = Program::serve(
        Library::Rhea,
        Role::Sink,
        Sasl::Anonymous,
        &["--bare-attach"],
        &[],
    );
    let mut message = Message::with_body("and back");
    message.set_address(address(sink.port(), Sasl::Anonymous, "bare"));
    messenger.put(&message).expect("room");
    messenger.send().expect("an outcome");
    assert_eq!(
        sink.expect("message")["message"]["body"],
        json!(["value", ["string", "and back"]])
    );
    messenger.stop().expect("an orderly end");
    assert_eq!(states(&mut source), ["accepted"]);
}

/// A peer that is killed while a Messenger waits for it is an error, at once.
///
/// # Panics
///
/// When it is none, or comes late.
pub fn killed(library: Library) {
    let mut sink = Program::serve(
        library,
        Role::Sink,
        Sasl::Anonymous,
        &["--outcomes", "none"],
        &[],
    );
    let mut messenger = messenger("ferrion-left-alone");
    // It is the error that is looked at, not what a new attempt would bring.
    messenger.set_reconnect(None);
    let mut message = Message::with_body("and then there was one");
    message.set_address(address(sink.port(), Sasl::Anonymous, "killed"));
    let tracker = messenger.put(&message).expect("room");
    while sink.is_silent_about("message") {
        messenger
            .work(Some(Duration::from_millis(20)))
            .expect("work");
    }
    drop(sink);
    let begun = Instant::now();
    let error = messenger.send().expect_err("no one is left to answer");
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
    assert_eq!(messenger.status(tracker), Status::Aborted);

    let mut source = Program::serve(library, Role::Source, Sasl::Anonymous, &[], &[]);
    messenger
        .subscribe(&address(source.port(), Sasl::Anonymous, "killed"))
        .expect("a subscription");
    while source.is_silent_about("link") {
        messenger
            .work(Some(Duration::from_millis(20)))
            .expect("work");
    }
    drop(source);
    let error = messenger
        .recv(Credit::All)
        .expect_err("no one is left to send");
    // What it said last may not have come through.
    assert!(
        matches!(error, Error::Lost { .. } | Error::Connect { .. }),
        "{error:?}"
    );
    assert!(
        begun.elapsed() < PATIENCE / 2,
        "after {:?}",
        begun.elapsed()
    );
}

/// A wrong password is an error that says so, at once.
///
/// # Panics
///
/// When it is something else.
pub fn wrong_password(library: Library) {
    let sink = Program::serve(library, Role::Sink, Sasl::Plain, &[], &[]);
    let mut messenger = messenger("ferrion-intruder");
    let mut message = Message::with_body("let me in");
    message.set_address(format!(
        "amqp://guest%40test:wrong@127.0.0.1:{}/x",
        sink.port()
    ));
    let tracker = messenger.put(&message).expect("room");
    let error = messenger.send().expect_err("no one is let in");
    assert!(matches!(error, Error::Login { .. }), "{error:?}");
    assert!(
        !error.to_string().contains("wrong@"),
        "a password is told: {error}"
    );
    assert_eq!(messenger.status(tracker), Status::Aborted);
}
