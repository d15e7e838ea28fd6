//! What a Messenger does with each peer: here every case of the tables, below bodies of every size, and what becomes of
//! messages and connections.

mod fates;
mod sizes;

pub use fates::{
    answers_without_termini, killed, outcomes_from_peer, outcomes_to_peer, reply_to_client,
    wrong_password,
};
pub use sizes::{sizes_from_peer, sizes_through_peer};

use ferrion_messenger::{Credit, Error, Flags, Message, Messenger, Status, Tracker};
use serde_json::{Value, json};

use super::{
    Api, Library, PATIENCE, Program, Role, Sasl,
    exceptions::{Fate, Way, fate},
    notation,
    table::{Case, cases, plain},
};

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
        Sasl::Plain | Sasl::With(_) => {
            format!("{}:{}@", percent(Sasl::user()), percent(Sasl::password()))
        }
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
        Sasl::Plain | Sasl::With(_) => {
            assert_eq!(open["mechanism"], sasl.mechanism());
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
