//! What a Rust user of the engine can do, a C user can: names read from the engine's sources and looked for in the header.

use std::fs;

use crate::names::{members, upper};
use crate::rules::Header;
use crate::support::tree;

/// Where the public functions are, and how those of a type begin in the header.
const FACES: &[(&str, &str, &str)] = &[
    ("engine.rs", "impl Engine {", "ferrion_engine_"),
    (
        "engine.rs",
        "impl Transmit<'_> {",
        "ferrion_engine_transmit_",
    ),
    (
        "views/connection.rs",
        "impl<'a> Connection<'a> {",
        "ferrion_connection_",
    ),
    (
        "views/session.rs",
        "impl<'a> Session<'a> {",
        "ferrion_session_",
    ),
    ("views/link.rs", "impl<'a> Link<'a> {", "ferrion_link_"),
    (
        "views/sender.rs",
        "impl<'a> Sender<'a> {",
        "ferrion_sender_",
    ),
    (
        "views/receiver.rs",
        "impl<'a> Receiver<'a> {",
        "ferrion_receiver_",
    ),
    ("config.rs", "impl LinkConfig {", "ferrion_link_config_"),
    (
        "sasl/client.rs",
        "impl SaslClient {",
        "ferrion_config_login_",
    ),
    (
        "sasl/server.rs",
        "impl SaslServer {",
        "ferrion_config_offer_",
    ),
    (
        "sasl/scram/server.rs",
        "impl ScramServer {",
        "ferrion_config_offer_",
    ),
    (
        "sasl/scram/keys.rs",
        "impl ScramCredentials {",
        "ferrion_scram_",
    ),
    (
        "sasl/scram/nonce.rs",
        "impl Nonce {",
        "ferrion_config_nonce_",
    ),
];

/// Functions that have another name in the header.
const CALLED: &[(&str, &str)] = &[
    ("ferrion_engine_client", "ferrion_engine_new"),
    ("ferrion_engine_server", "ferrion_engine_new"),
    ("ferrion_engine_link_states", "ferrion_engine_link_state"),
    ("ferrion_sender_next_update", "ferrion_link_next_update"),
    // The name of a mechanism is enough: one that ferrion does not know is raw.
    ("ferrion_config_offer_new", "ferrion_config_offer"),
    // Who logs in by SCRAM, or offers it, gives the random octets at once.
    (
        "ferrion_config_nonce_from_random",
        "ferrion_config_login_scram",
    ),
    // What the peer's attach says has it, to be read.
    ("ferrion_link_peer_remembers", "ferrion_link_remote"),
    // Adding a login means "or this one".
    ("ferrion_config_login_or", "ferrion_config_login_plain"),
    // Settings that do not pass are refused at once.
    ("ferrion_config_offer_check", "ferrion_config_offer_scram"),
];

/// Functions that the header does without, and why.
const WITHOUT: &[(&str, &str)] = &[
    (
        "ferrion_engine_connection",
        "functions of the connection take the engine",
    ),
    (
        "ferrion_engine_session",
        "functions of a session take its handle",
    ),
    ("ferrion_engine_link", "functions of a link take its handle"),
    (
        "ferrion_engine_sender",
        "functions of a sender take the link's handle",
    ),
    (
        "ferrion_engine_receiver",
        "functions of a receiver take the link's handle",
    ),
];

/// Where choices are, and how their constants begin in the header.
const CHOICES: &[(&str, &str, &str)] = &[
    ("event.rs", "pub enum Event {", "FERRION_EVENT_"),
    ("time.rs", "pub enum Reason {", "FERRION_REASON_"),
    ("link/closing.rs", "pub enum Closing {", "FERRION_CLOSING_"),
    (
        "sasl/question.rs",
        "pub enum SaslRequest {",
        "FERRION_SASL_",
    ),
    (
        "protocol/state.rs",
        "pub enum DeliveryState {",
        "FERRION_STATE_",
    ),
    ("limits.rs", "pub struct Limits {", "FERRION_LIMIT_"),
    ("config.rs", "pub struct Config {", "FERRION_CONFIG_"),
    (
        "config.rs",
        "pub struct SessionConfig {",
        "FERRION_SESSION_",
    ),
    ("config.rs", "pub struct LinkConfig {", "FERRION_LINK_"),
];

/// Choices that are made otherwise: how.
const OTHERWISE: &[(&str, &str)] = &[
    ("FERRION_CONFIG_SASL", "ferrion_config_login_plain"),
    ("FERRION_CONFIG_LIMITS", "ferrion_config_set_limit"),
];

/// Where plain data is, and the struct of the header that has the same fields.
const DATA: &[(&str, &str, &str)] = &[
    ("engine.rs", "pub struct Census {", "ferrion_census_t"),
    (
        "delivery/mod.rs",
        "pub struct Delivery {",
        "ferrion_incoming_t",
    ),
    ("delivery/mod.rs", "pub struct Update {", "ferrion_update_t"),
    (
        "link/partial.rs",
        "pub struct PartialDelivery {",
        "ferrion_partial_t",
    ),
    (
        "recovery/mod.rs",
        "pub struct Unsettled<'a> {",
        "ferrion_unsettled_t",
    ),
    (
        "recovery/mod.rs",
        "pub struct UnsettledDelivery {",
        "ferrion_remembered_t",
    ),
    (
        "recovery/mod.rs",
        "pub struct Recovery {",
        "ferrion_recovery_t",
    ),
];

#[test]
fn the_header_has_every_function_of_the_engine() {
    let header = Header::read();
    let has = |name: &str| header.functions.iter().any(|f| f.name == name);
    let mut count = 0;
    for (file, head, start) in FACES {
        let names = functions(&block(file, head));
        assert!(!names.is_empty(), "{head} of {file} has no functions");
        for name in names {
            let expected = format!("{start}{name}");
            let called = CALLED.iter().find(|(rust, _)| *rust == expected);
            let wanted = called.map_or(expected.as_str(), |(_, c)| *c);
            let without = WITHOUT.iter().any(|(without, _)| *without == wanted);
            assert!(
                has(wanted) != without,
                "{head} {name}: write {wanted} in ffi/src/engine, or tell in ffi/tests/abi/engine_coverage.rs why not"
            );
            count += 1;
        }
    }
    assert!(count > 100, "{count} functions were found");
}

#[test]
fn the_header_has_every_choice_and_setting_of_the_engine() {
    let header = Header::read().text;
    for (file, head, start) in CHOICES {
        let names = members(&block(file, head));
        assert!(names.len() > 4, "{head} of {file}: {names:?}");
        for name in names {
            let constant = format!("{start}{}", upper(&name));
            let otherwise = OTHERWISE.iter().find(|(rust, _)| *rust == constant);
            let found = match otherwise {
                Some((_, function)) => header.contains(&format!("{function}(")),
                None => header.contains(&format!("  {constant} = ")),
            };
            assert!(found, "{head} {name}: {constant} is not in the header");
        }
    }
}

#[test]
fn the_header_has_all_that_the_engine_tells_of_deliveries_and_links() {
    let header = Header::read().text;
    for (file, head, c) in DATA {
        let (before, _) = header.split_once(&format!("\n}} {c};")).expect("a struct");
        let (_, body) = before.rsplit_once("typedef struct {").expect("its fields");
        for name in members(&block(file, head)) {
            // What names a delivery is called like its kind.
            let name = if name == "id" { "delivery" } else { &name };
            assert!(
                body.contains(&format!(" {name};")),
                "{c} has no {name}, as {head} has"
            );
        }
    }
}

/// What stands between the braces that `head` opens.
fn block(file: &str, head: &str) -> String {
    let path = tree().join("engine/src").join(file);
    let source =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (_, rest) = source
        .split_once(&format!("\n{head}\n"))
        .unwrap_or_else(|| panic!("{head} is not in {file}"));
    rest.split("\n}").next().unwrap_or_default().to_owned()
}

/// The public functions of a block.
fn functions(block: &str) -> Vec<String> {
    let public = block
        .lines()
        .filter_map(|line| line.strip_prefix("    pub "));
    public
        .map(|line| line.strip_prefix("const ").unwrap_or(line))
        .filter_map(|line| line.strip_prefix("fn ")?.split(['(', '<']).next())
        .map(str::to_owned)
        .collect()
}
