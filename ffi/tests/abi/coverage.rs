//! What a Rust user can do, a C user can, and what a C user can, users of Python, Ruby and Perl can: lists of names, read from
//! the sources, so that nothing new is forgotten.

use std::fs;
use std::path::PathBuf;

use crate::names::{self, upper};
use crate::rules::Header;
use crate::support::{sources, tree};

/// Functions of the Messenger that have another name in the header, where names without types say less.
const CALLED: &[(&str, &str)] = &[
    ("new", "ferrion_messenger_new"),
    ("with_name", "ferrion_messenger_new"),
    ("send_n", "ferrion_messenger_send"),
    ("reject_with", "ferrion_messenger_reject"),
    ("interrupter", "ferrion_interrupter_new"),
    ("is_blocking", "ferrion_messenger_blocking"),
    ("is_passive", "ferrion_messenger_passive"),
    // Limits are got and set one by one.
    ("limits", "ferrion_messenger_limit"),
    ("set_limits", "ferrion_messenger_set_limit"),
    // A table is one call for each of its rows.
    (
        "set_listener_passwords",
        "ferrion_messenger_set_listener_user",
    ),
    (
        "set_listener_tokens",
        "ferrion_messenger_set_listener_token",
    ),
    (
        "poll_connection_event",
        "ferrion_messenger_poll_connection_events",
    ),
];

/// Types that the Messenger's crate shows, and what stands for them in the header.
const TYPES: &[(&str, &str)] = &[
    ("Messenger", "ferrion_messenger_t"),
    ("Message", "ferrion_message_t"),
    ("Body", "ferrion_body"),
    ("Tracker", "ferrion_tracker_t"),
    ("Subscription", "ferrion_subscription_t"),
    ("Unsubscribe", "ferrion_messenger_unsubscribe"),
    ("RequestId", "ferrion_request_t"),
    ("Interrupter", "ferrion_interrupter_t"),
    ("Reconnect", "ferrion_reconnect_t"),
    ("LinkRecovery", "ferrion_link_recovery_t"),
    ("SenderSettleMode", "ferrion_snd_settle_mode"),
    ("ReceiverSettleMode", "ferrion_rcv_settle_mode"),
    ("ConnectionEvent", "ferrion_connection_events_t"),
    ("SubscribeOptions", "ferrion_subscribe_options_t"),
    ("ClientCertificates", "ferrion_client_certificates"),
    ("Credit", "ferrion_credit"),
    ("Flags", "ferrion_flags"),
    ("Status", "ferrion_delivery_status"),
    ("Error", "ferrion_last_error"),
    ("ErrorKind", "ferrion_status"),
    ("Result", "ferrion_status"),
    ("Limits", "ferrion_limit"),
];

/// Types that the header does without, and why.
const NO_TYPES: &[(&str, &str)] = &[
    (
        "TlsFault",
        "the text of FERRION_TLS says what it is and what to do",
    ),
    (
        "Scope",
        "the text of FERRION_REMOTE says what the condition ended",
    ),
    ("Address", "every function takes addresses as text"),
    ("Scheme", "part of an address"),
    (
        "TokenCheck",
        "a callback, and the header has none: a table of tokens stands for it",
    ),
];

/// Functions that Python does without, and why.
const NO_PYTHON: &[(&str, &str)] = &[
    (
        "ferrion_messenger_put_many",
        "each message is an object of Python's: the extension puts a list of them",
    ),
    ("ferrion_messenger_get_many", "as for putting many"),
    (
        "ferrion_messenger_timeout",
        "calls wait in slices, so that signals are heard; the whole is known in Python",
    ),
    (
        "ferrion_messenger_blocking",
        "stop takes turns, between which the library is told not to block",
    ),
];

/// What begins the names of the functions that are for messengers.
const MESSENGER: &[&str] = &[
    "ferrion_messenger_",
    "ferrion_reconnect_",
    "ferrion_connection_events_",
];

/// What begins the names of the functions that are for engines.
const ENGINE: &[&str] = &[
    "ferrion_engine_",
    "ferrion_config_",
    "ferrion_connection_",
    "ferrion_session_",
    "ferrion_link_",
    "ferrion_send_options_",
    "ferrion_sender_",
    "ferrion_receiver_",
    "ferrion_scram_",
];

/// Functions for engines that Python does without, and why.
const NO_PYTHON_ENGINE: &[(&str, &str)] = &[
    (
        "ferrion_engine_recv_buffer",
        "memory to be written to: what a script has read is an object of its own already",
    ),
    (
        "ferrion_engine_recv_filled",
        "as for ferrion_engine_recv_buffer",
    ),
    ("ferrion_engine_poll_event", "events come in rows"),
    (
        "ferrion_engine_message",
        "a delivery has its payload, and makes a message of it at any time",
    ),
    (
        "ferrion_engine_state_condition",
        "the state that a delivery or update has is whole",
    ),
    (
        "ferrion_session_config_number",
        "ferrion_session_config_get has numbers too",
    ),
    (
        "ferrion_session_config_set_number",
        "ferrion_session_config_set takes numbers too",
    ),
    (
        "ferrion_session_config_set_text",
        "ferrion_session_config_set takes names too",
    ),
];

/// Functions that Ruby does without, and why.
const NO_RUBY: &[(&str, &str)] = &[
    (
        "ferrion_messenger_put_many",
        "each message is an object of Ruby's: putting them one by one crosses the border as often",
    ),
    ("ferrion_messenger_get_many", "as for putting many"),
    (
        "ferrion_messenger_subscribe",
        "with no options ferrion_messenger_subscribe_with does the same",
    ),
    ("ferrion_messenger_subscribe_ttl", "that is an option"),
    (
        "ferrion_messenger_blocking",
        "Ruby waits, the library does not: it is known in Ruby",
    ),
];

/// Functions that Perl does without, and why.
const NO_PERL: &[(&str, &str)] = &[
    (
        "ferrion_messenger_put_many",
        "each message is an object of Perl's: putting them one by one crosses the border as often",
    ),
    ("ferrion_messenger_get_many", "as for putting many"),
    (
        "ferrion_messenger_subscribe",
        "with no options ferrion_messenger_subscribe_with does the same",
    ),
    ("ferrion_messenger_subscribe_ttl", "that is an option"),
    (
        "ferrion_messenger_blocking",
        "Perl waits, the library does not: it is known in Perl",
    ),
];

#[test]
fn the_header_has_every_function_of_the_messenger() {
    let header = Header::read();
    let has = |name: &str| header.functions.iter().any(|f| f.name == name);
    let mut count = 0;
    for file in sources(&tree().join("messenger/src")) {
        let source = fs::read_to_string(&file).expect("a source file");
        for name in public_functions(&source, "Messenger") {
            count += 1;
            let called = CALLED.iter().find(|(rust, _)| *rust == name);
            let wanted = called.map_or_else(
                || format!("ferrion_messenger_{name}"),
                |(_, c)| (*c).to_owned(),
            );
            assert!(
                has(&wanted),
                "Messenger::{name} of {} has no {wanted}: write it in ffi/src/messenger, or tell in ffi/tests/abi/coverage.rs \
                 what it is called there",
                file.display()
            );
        }
    }
    assert!(count > 80, "{count} functions were found");
}

#[test]
fn the_header_has_every_type_and_choice_of_the_messenger() {
    let header = &Header::read().text;
    for name in exported_types(&source("messenger/src/lib.rs")) {
        if NO_TYPES.iter().any(|(without, _)| *without == name) {
            continue;
        }
        let stands = TYPES.iter().find(|(rust, _)| *rust == name);
        let (_, c) = stands.unwrap_or_else(|| {
            panic!("tell in ffi/tests/abi/coverage.rs what stands for {name} in the header")
        });
        assert!(header.contains(c), "{c} is not in the header");
    }

    let choices = [
        ("messenger/src/core/tracker.rs", "Status", "DELIVERY"),
        (
            "messenger/src/driver/tls/settings.rs",
            "ClientCertificates",
            "CLIENT_CERTIFICATES",
        ),
        (
            "messenger/src/reconnect.rs",
            "ConnectionEvent",
            "CONNECTION",
        ),
    ];
    for (file, name, prefix) in choices {
        let names = members(&source(file), &format!("pub enum {name} {{"));
        assert!(names.len() > 2, "{name} was found");
        for member in names {
            let constant = format!("FERRION_{prefix}_{}", upper(&member));
            assert!(
                header.contains(&constant),
                "{constant} for {name}::{member}"
            );
        }
    }
    for (file, name, noun) in [
        ("messenger/src/reconnect.rs", "Reconnect", "reconnect"),
        ("messenger/src/recovery.rs", "LinkRecovery", "link_recovery"),
    ] {
        let fields = members(&source(file), &format!("pub struct {name} {{"));
        assert!(fields.len() > 2, "{name} was found");
        for field in fields {
            assert!(header.contains(&format!("ferrion_{noun}_{field}(")));
            assert!(header.contains(&format!("ferrion_{noun}_set_{field}(")));
        }
    }
}

#[test]
fn the_header_has_every_option_of_a_subscription() {
    let header = &Header::read().text;
    let options = public_functions(&source("messenger/src/subscribe.rs"), "SubscribeOptions");
    assert!(options.len() > 10, "{options:?}");
    for option in options {
        let names =
            ["", "set_", "add_"].map(|verb| format!("ferrion_subscribe_options_{verb}{option}("));
        assert!(
            names.iter().any(|name| header.contains(name)),
            "SubscribeOptions::{option} is not in the header"
        );
    }
}

#[test]
fn every_kind_of_error_has_a_status_of_its_own() {
    let kinds = members(&source("messenger/src/error.rs"), "pub enum ErrorKind {");
    assert!(kinds.len() > 20, "{kinds:?}");
    let mapped = source("ffi/src/messenger/mod.rs");
    for kind in kinds {
        let named = [" =>", " |"].map(|then| mapped.contains(&format!("ErrorKind::{kind}{then}")));
        assert!(
            named.contains(&true),
            "ErrorKind::{kind} would be FERRION_OTHER"
        );
    }
}

#[test]
fn python_has_every_function_of_the_header_for_messengers() {
    // What SWIG wrote for an editable install has everything, and nobody reads it.
    let modules = modules("bindings/python/src/ferrion", "py", "abi.py");
    has_every_function(
        "bindings/python/src/ferrion",
        &modules,
        "abi.",
        MESSENGER,
        NO_PYTHON,
    );
}

#[test]
fn python_has_every_function_of_the_header_for_engines() {
    let mut modules = modules("bindings/python/src/ferrion/engine", "py", "");
    modules += &source("bindings/python/src/ferrion/connections.py");
    // What the extension has in place of functions that lend arrays.
    modules += &source("bindings/python/engine.h")
        .replace("ferrion_status status = ", "abi.")
        .replace("py_check(", "abi.");
    has_every_function(
        "bindings/python/src/ferrion/engine",
        &modules,
        "abi.",
        ENGINE,
        NO_PYTHON_ENGINE,
    );
}

#[test]
fn ruby_has_every_function_of_the_header_for_messengers() {
    let modules = modules("bindings/ruby/lib", "rb", "");
    has_every_function("bindings/ruby/lib", &modules, "Abi.", MESSENGER, NO_RUBY);
}

#[test]
fn perl_has_every_function_of_the_header_for_messengers() {
    let modules = modules("bindings/perl/lib", "pm", "");
    has_every_function(
        "bindings/perl/lib",
        &modules,
        "Ferrion::Abi::",
        MESSENGER,
        NO_PERL,
    );
}

/// The text of the sources in a folder with this extension, but for the file of one name.
fn modules(folder: &str, extension: &str, but: &str) -> String {
    sources(&tree().join(folder))
        .into_iter()
        .filter(|file| file.extension().is_some_and(|its| its == extension))
        .filter(|file| file.file_name().is_some_and(|name| name != but))
        .map(|file: PathBuf| fs::read_to_string(file).expect("a module"))
        .collect()
}

/// Asserts that a script language's package calls all of the header with names that begin like this, but for the exceptions.
fn has_every_function(
    package: &str,
    text: &str,
    call: &str,
    begin: &[&str],
    exceptions: &[(&str, &str)],
) {
    for function in Header::read().functions {
        let name = &function.name;
        if !begin.iter().any(|begin| name.starts_with(begin)) || name.ends_with("_free") {
            continue;
        }
        // A longer name does not count for a shorter one that it begins with.
        let calls = text
            .match_indices(&format!("{call}{name}"))
            .any(|(at, found)| {
                let next = text[at + found.len()..].chars().next();
                next.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_')
            });
        let without = exceptions.iter().any(|(without, _)| without == name);
        assert!(
            calls != without,
            "{name}: {package} shall offer it, or ffi/tests/abi/coverage.rs tell why not"
        );
    }
}

fn source(path: &str) -> String {
    fs::read_to_string(tree().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The public functions in the blocks `impl` of a type.
fn public_functions(source: &str, of: &str) -> Vec<String> {
    let mut names = Vec::new();
    let head = format!("\nimpl {of} {{\n");
    for block in source.split(&head).skip(1) {
        let block = block.split("\n}\n").next().unwrap_or_default();
        for line in block.lines() {
            let Some(rest) = line.strip_prefix("    pub ") else {
                continue;
            };
            let rest = rest.strip_prefix("const ").unwrap_or(rest);
            if let Some(rest) = rest.strip_prefix("fn ") {
                names.extend(rest.split(['(', '<']).next().map(str::to_owned));
            }
        }
    }
    names
}

/// What a crate's root shows: the names in `pub use a::b::{C, D};`.
fn exported_types(root: &str) -> Vec<String> {
    let mut names = Vec::new();
    for exported in root.split("\npub use ").skip(1) {
        let path = exported.split(';').next().unwrap_or_default();
        let list = path.rsplit("::").next().unwrap_or_default();
        let list = match path.split_once('{') {
            Some((_, list)) => list.trim_end_matches('}'),
            None => list,
        };
        names.extend(list.split(',').map(|name| name.trim().to_owned()));
    }
    names.retain(|name| !name.is_empty());
    assert!(names.len() > 10, "{names:?}");
    names
}

/// The fields of the struct, or the variants of the enum, that begins with `head`.
fn members(source: &str, head: &str) -> Vec<String> {
    let (_, body) = source
        .split_once(head)
        .unwrap_or_else(|| panic!("{head} is somewhere else"));
    names::members(body.split("\n}\n").next().unwrap_or_default())
}
