//! What the tests do with each peer, and for each of ferrion's two faces: the Messenger here, the command in `command`.

use super::{
    Api, Library, PATIENCE, Program, Role, SIZES, Sasl, digest,
    exceptions::{Fate, Way, fate},
    notation, pattern,
    table::{Case, cases, plain},
};
use ferrion_engine::protocol::Modified;
use ferrion_messenger::{Body, Credit, Error, Flags, Message, Messenger, Status, Tracker};
use serde_json::{Value, json};
use std::time::Duration;

/// What messages without a `to` of their own are addressed to.
const PLACE: &str = "place";
/// The outcomes that a sink is told to give, and those that it has to reach the sender as.
pub const OUTCOMES: &str = "accept,reject,release,modify,accept";
/// See [`OUTCOMES`].
pub const STATUSES: [Status; 5] = [
    Status::Accepted,
    Status::Rejected,
    Status::Released,
    Status::Modified,
    Status::Accepted,
];

/// The address of a node of a server on the loopback interface, with what it takes to log in.
pub fn address(port: u16, sasl: Sasl, node: &str) -> String {
    let user = match sasl {
        Sasl::Plain => format!("{}:{}@", percent(Sasl::user()), percent(Sasl::password())),
        Sasl::None | Sasl::Anonymous => String::new(),
    };
    format!("amqp://{user}127.0.0.1:{port}/{node}")
}

fn percent(text: &str) -> String {
    let escape = |octet: u8| match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(octet).to_string(),
        _ => format!("%{octet:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// A messenger that keeps all its trackers.
///
/// # Panics
///
/// When there can be none.
pub fn messenger(name: &str) -> Messenger {
    let mut messenger = Messenger::with_name(name).expect("a messenger");
    messenger.set_timeout(Some(PATIENCE));
    messenger.set_outgoing_window(usize::MAX);
    messenger.set_incoming_window(usize::MAX);
    messenger
}

/// Every case goes from a Messenger to a sink that serves.
///
/// # Panics
///
/// When one arrives otherwise than it should.
pub fn table_to_peer(library: Library, api: Api, sasl: Sasl) {
    let cases = cases();
    let mut sink = Program::serve(library, Role::Sink, sasl, &["--api", api.name()], &[]);
    let mut messenger = messenger("ferrion-sender");
    messenger
        .route("*", &address(sink.port(), sasl, "table"))
        .expect("a route");
    let trackers: Vec<Tracker> = cases.iter().map(|case| put(&mut messenger, case)).collect();
    messenger.send().expect("all are sent and settled");
    check_mechanism(&mut sink, sasl);
    let mut faults = Faults::default();
    for (case, tracker) in cases.iter().zip(trackers) {
        let expected = fate(library, api, Way::Shows, &case.name, &case.message);
        let event = sink.expect_any(&["message", "refused"]);
        let (observed, status) = if event["event"] == "refused" {
            (Fate::Refused, Status::Rejected)
        } else {
            (Fate::Arrives(event["message"].clone()), Status::Accepted)
        };
        faults.compare(case, &expected, &observed);
        assert_eq!(messenger.status(tracker), status, "{}", case.name);
    }
    messenger.stop().expect("an orderly end");
    faults.report();
}

/// Every case goes from a source that serves to a Messenger.
///
/// # Panics
///
/// When one arrives otherwise than it should.
pub fn table_from_peer(library: Library, api: Api, sasl: Sasl) {
    let cases = cases();
    let mut source = Program::serve(
        library,
        Role::Source,
        sasl,
        &["--api", api.name()],
        &notes(&cases),
    );
    let mut messenger = messenger("ferrion-receiver");
    messenger
        .subscribe(&address(source.port(), sasl, "table"))
        .expect("a subscription");
    check_received(&mut messenger, library, api, &cases, &source);
    check_mechanism(&mut source, sasl);
    messenger.stop().expect("an orderly end");
    check_outcomes(&mut source, library, api, &cases);
}

/// Every case goes from a source that connects to a Messenger that listens.
///
/// # Panics
///
/// When one arrives otherwise than it should.
pub fn table_from_client(library: Library, api: Api, sasl: Sasl) {
    let cases = cases();
    let mut messenger = messenger("ferrion-server");
    let port = listen(&mut messenger, sasl);
    let arguments = ["--api", api.name()];
    let mut source = Program::connect(
        library,
        port,
        Role::Source,
        sasl,
        &arguments,
        &notes(&cases),
    );
    check_received(&mut messenger, library, api, &cases, &source);
    check_mechanism(&mut source, sasl);
    messenger.stop().expect("an orderly end");
    check_outcomes(&mut source, library, api, &cases);
}

/// Every case goes from a Messenger to an echo that serves, and back.
///
/// # Panics
///
/// When one returns otherwise than it should.
pub fn table_through_peer(library: Library, api: Api, sasl: Sasl) {
    let cases = cases();
    let echo = Program::serve(library, Role::Echo, sasl, &["--api", api.name()], &[]);
    let mut messenger = messenger("ferrion-both");
    messenger
        .subscribe(&address(echo.port(), sasl, "back"))
        .expect("a subscription");
    messenger
        .route("*", &address(echo.port(), sasl, "there"))
        .expect("a route");
    let mut faults = Faults::default();
    // The echo settles a message when it has come back, so the next one has to wait for no one else.
    for case in &cases {
        let expected = fate(library, api, Way::Returns, &case.name, &case.message);
        let tracker = put(&mut messenger, case);
        // What is refused or can not be encoded again is rejected, and does not come back.
        if matches!(expected, Fate::Refused | Fate::Unsendable) {
            messenger.send().expect("an outcome");
            assert_eq!(messenger.status(tracker), Status::Rejected, "{}", case.name);
            continue;
        }
        let observed = receive(&mut messenger);
        if let Fate::Illegal = expected {
            assert_eq!(observed, Fate::Illegal, "{}", case.name);
            continue;
        }
        faults.compare(case, &expected, &observed);
        messenger.send().expect("an outcome");
        assert_eq!(messenger.status(tracker), Status::Accepted, "{}", case.name);
    }
    faults.report();
}

/// Bodies of every size go from a Messenger to a peer, and come back whole.
///
/// # Panics
///
/// When one does not.
pub fn sizes_through_peer(library: Library) {
    // It prints what it received as a digest, and sends the octets themselves back.
    let mut echo = Program::serve(library, Role::Echo, Sasl::Anonymous, &["--digest"], &[]);
    let mut messenger = messenger("ferrion-sizes");
    messenger
        .subscribe(&address(echo.port(), Sasl::Anonymous, "back"))
        .expect("a subscription");
    for size in SIZES {
        let body = pattern(size);
        let mut message = Message::with_body(body.clone());
        message.set_address(address(echo.port(), Sasl::Anonymous, "there").as_str());
        let tracker = messenger.put(&message).expect("room");
        messenger.recv(Credit::All).expect("it comes back");
        let printed = echo.expect("message");
        assert_eq!(
            printed["message"]["body"],
            json!(["octets", [digest(&body)]]),
            "{size} octets"
        );
        let mut received = Message::new();
        let back = messenger.get(&mut received).expect("a message");
        messenger.accept(back, Flags::default()).expect("a tracker");
        assert!(
            received.body().expect("a body") == &Body::from(body),
            "{size} octets do not come back as they went"
        );
        messenger.send().expect("an outcome");
        assert_eq!(messenger.status(tracker), Status::Accepted, "{size} octets");
    }
}

/// Bodies of every size that a peer makes itself reach a Messenger.
///
/// # Panics
///
/// When one does not.
pub fn sizes_from_peer(library: Library) {
    for size in SIZES {
        let arguments = ["--size", &size.to_string(), "--count", "2"];
        let mut source = Program::serve(library, Role::Source, Sasl::Anonymous, &arguments, &[]);
        let mut messenger = messenger("ferrion-sizes");
        messenger
            .subscribe(&address(source.port(), Sasl::Anonymous, "sizes"))
            .expect("a subscription");
        for _ in 0..2 {
            let mut received = Message::new();
            if messenger.incoming() == 0 {
                messenger.recv(Credit::Explicit(1)).expect("it comes");
            }
            let tracker = messenger.get(&mut received).expect("a message");
            messenger
                .accept(tracker, Flags::default())
                .expect("a tracker");
            assert!(
                received.body().expect("a body") == &Body::from(pattern(size)),
                "{size} octets are not whole"
            );
        }
        messenger.stop().expect("an orderly end");
        source.expect("done");
    }
}

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
    let condition = messenger.remote_condition(trackers[1]).expect("a reason");
    assert_eq!(condition.condition.as_str(), "test:refused");
    assert_eq!(
        condition.description.as_deref(),
        Some("the sink refuses this one")
    );
    assert_eq!(messenger.remote_condition(trackers[0]), None);
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

// ---- the steps ---------------------------------------------------------------------------------------------------

/// Listens on a free port, for those who know the password if it takes one.
fn listen(messenger: &mut Messenger, sasl: Sasl) -> u16 {
    if sasl == Sasl::Plain {
        messenger.set_listener_passwords([(Sasl::user(), Sasl::password())]);
    }
    let subscription = messenger.subscribe("~127.0.0.1:0").expect("a listener");
    messenger.subscription_port(subscription).expect("a port")
}

fn put(messenger: &mut Messenger, case: &Case) -> Tracker {
    let mut message = notation::message(&case.message);
    if message.address().expect("an address, or none").is_none() {
        message.set_address(PLACE);
    }
    messenger
        .put(&message)
        .unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

/// Takes the next message, and accepts it.
fn receive(messenger: &mut Messenger) -> Fate {
    if messenger.incoming() == 0 {
        messenger.recv(Credit::All).expect("a message");
    }
    let mut message = Message::new();
    match messenger.get(&mut message) {
        Ok(tracker) => {
            messenger
                .accept(tracker, Flags::default())
                .expect("a tracker");
            Fate::Arrives(notation::describe(&message))
        }
        Err(Error::Decode(_)) => Fate::Illegal,
        Err(error) => panic!("{error}"),
    }
}

fn check_received(
    messenger: &mut Messenger,
    library: Library,
    api: Api,
    cases: &[Case],
    source: &Program,
) {
    let unsendable: Vec<usize> = source.unsendable().map(|(index, _)| index).collect();
    let mut faults = Faults::default();
    for (index, case) in cases.iter().enumerate() {
        let expected = fate(library, api, Way::Encodes, &case.name, &case.message);
        let observed = if unsendable.contains(&index) {
            Fate::Unsendable
        } else {
            receive(messenger)
        };
        faults.compare(case, &expected, &observed);
    }
    faults.report();
}

/// What was sent by a source is accepted, but for what was illegal.
fn check_outcomes(source: &mut Program, library: Library, api: Api, cases: &[Case]) {
    let fates = cases
        .iter()
        .map(|case| fate(library, api, Way::Encodes, &case.name, &case.message));
    let expected = fates.filter_map(|fate| match fate {
        Fate::Unsendable => None,
        Fate::Illegal => Some("rejected"),
        _ => Some("accepted"),
    });
    assert_eq!(states(source), expected.collect::<Vec<_>>());
}

/// The outcomes that a source tells, in the order of its messages.
pub fn states(source: &mut Program) -> Vec<String> {
    let mut outcomes = source.collect("outcome", "done");
    outcomes.sort_by_key(|outcome| outcome["index"].as_u64());
    outcomes
        .iter()
        .map(|outcome| outcome["state"].as_str().unwrap_or("none").to_owned())
        .collect()
}

/// What the SASL layer of a peer says is what was meant.
pub fn check_mechanism(peer: &mut Program, sasl: Sasl) {
    let open = peer.expect("open");
    match sasl {
        Sasl::None => {}
        Sasl::Anonymous => assert_eq!(open["mechanism"], "ANONYMOUS"),
        Sasl::Plain => {
            assert_eq!(open["mechanism"], "PLAIN");
            assert!(
                open["user"].is_null() || open["user"] == Sasl::user(),
                "{open}"
            );
        }
    }
}

/// The messages of the cases, for a source to send.
pub fn notes(cases: &[Case]) -> Vec<Value> {
    cases.iter().map(|case| case.message.clone()).collect()
}

/// What differs, told all at once.
#[derive(Debug, Default)]
pub struct Faults(Vec<String>);

impl Faults {
    /// Notes a difference between what should become of a message and what has.
    pub fn compare(&mut self, case: &Case, expected: &Fate, observed: &Fate) {
        let placed = case.message["properties"]["to"].is_null();
        let alike = match (expected, observed) {
            (Fate::Arrives(expected), Fate::Arrives(observed)) => {
                let mut expected = expected.clone();
                // To ferrion, a message that breaks 3.2 by having no body has an empty one.
                if expected["body"].is_null() {
                    expected["body"] = json!(["value", ["null"]]);
                }
                plain(&expected) == plain(&displaced(observed, placed))
            }
            _ => expected == observed,
        };
        if !alike {
            let text = |fate: &Fate| match fate {
                Fate::Arrives(message) => format!("{:.500}", message.to_string()),
                other => format!("{other:?}"),
            };
            self.0.push(format!(
                "{}\n  expected {}\n  observed {}",
                case.name,
                text(expected),
                text(observed)
            ));
        }
    }

    /// Ends the test if there is any.
    ///
    /// # Panics
    ///
    /// When there is.
    pub fn report(self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

/// The message without the address that it was given for want of its own.
fn displaced(message: &Value, placed: bool) -> Value {
    let mut message = message.clone();
    if let Some(Value::Object(properties)) = message.get_mut("properties")
        && placed
        && properties.get("to") == Some(&json!(["string", PLACE]))
    {
        properties.remove("to");
    }
    message
}
