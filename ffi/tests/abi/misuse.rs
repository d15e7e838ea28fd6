//! Every function of the header, called wrongly: a status is the answer, never a crash and never a leak.
//!
//! The program that does it is written from the header, so no function can be forgotten.

use std::fs;

use crate::programs::build;
use crate::rules::{Function, Header, Parameter};
use crate::support::{bounded, run, scratch, tree};

/// What a parameter can be given.
#[derive(Clone, Copy, PartialEq)]
enum Given {
    /// Something that fits.
    Right,
    /// NULL for a pointer; the smallest number there is otherwise.
    Low,
    /// The largest number there is. Not for pointers and what goes with them.
    High,
    /// A handle whose object has ended.
    Stale,
    /// A handle of an object of another kind.
    WrongKind,
    /// The handle of an object of another engine.
    Foreign,
}

/// Whether a parameter is the number of an engine's object.
fn is_handle(parameter: &Parameter) -> bool {
    matches!(
        parameter.kind.as_str(),
        "ferrion_session_t" | "ferrion_link_t" | "ferrion_delivery_t"
    )
}

/// The name that the program has for a handle.
fn handle(function: &Function, parameter: &Parameter, given: Given) -> String {
    let engine = if given == Given::Foreign {
        "other"
    } else {
        "own"
    };
    let receives = function.name.starts_with("ferrion_receiver");
    let noun = match (parameter.kind.as_str(), given == Given::WrongKind) {
        ("ferrion_session_t", false) | ("ferrion_link_t", true) => "session",
        ("ferrion_link_t", false) if receives => "receiver",
        ("ferrion_link_t", false) | (_, true) => "sender",
        _ if receives => "incoming",
        _ => "outgoing",
    };
    match given {
        Given::Stale => format!("stale_{noun}"),
        _ => format!("{engine}.{noun}"),
    }
}

/// The C expression for a parameter.
fn expression(function: &Function, parameter: &Parameter, given: Given, roots: &[&str]) -> String {
    let kind = parameter.kind.as_str();
    let object = kind.trim_start_matches("const ").trim_end_matches(" *");
    match (kind, given) {
        (_, Given::Low) if kind.ends_with('*') => "NULL".into(),
        ("const char *", _) => "\"amqp:text\"".into(),
        ("const uint8_t *", _) => "(const uint8_t *)\"octets\"".into(),
        _ if parameter.name == "len" || parameter.name == "tag_len" => "6".into(),
        // As much as there is room for, at most.
        _ if parameter.name == "capacity" && given != Given::Low => "4".into(),
        _ if is_handle(parameter) && !matches!(given, Given::Low | Given::High) => {
            handle(function, parameter, given)
        }
        _ if kind.ends_with('*')
            && parameter.name.starts_with("out_")
            && !roots.contains(&object) =>
        {
            // Room for any result.
            format!("({kind})room")
        }
        _ if kind.ends_with('*') && matches!(parameter.name.as_str(), "source" | "reply") => {
            format!("other_{}", noun(object))
        }
        ("ferrion_engine_t *" | "const ferrion_engine_t *", _) => "own.engine".into(),
        _ if kind.ends_with('*') => noun(object).into(),
        ("bool", Given::High) => "true".into(),
        ("float" | "double", Given::High) => "3e38f".into(),
        ("float" | "double", _) => "-1.0f".into(),
        (_, Given::Low) if kind.starts_with("int") => limit(kind, "MIN"),
        (_, Given::Low) => "0".into(),
        (_, Given::High) => limit(kind, "MAX"),
        _ => "1".into(),
    }
}

/// The name that C has for the end of a number's range.
fn limit(kind: &str, end: &str) -> String {
    // Handles are numbers of 64 bits.
    let kind = if kind.starts_with("ferrion_") {
        "uint64_t"
    } else {
        kind
    };
    format!("{}_{end}", kind.trim_end_matches("_t").to_uppercase())
}

fn noun(object: &str) -> &str {
    object.trim_start_matches("ferrion_").trim_end_matches("_t")
}

fn is_pointer(parameter: &Parameter) -> bool {
    parameter.kind.ends_with('*')
}

/// The calls of one function: all right but for one parameter that is NULL, or for the numbers, which are extreme.
fn calls(function: &Function, roots: &[&str]) -> Vec<String> {
    let parameters = &function.parameters;
    let mut variants = vec![
        vec![Given::Right; parameters.len()],
        vec![Given::Low; parameters.len()],
    ];
    for wrong in 0..parameters.len() {
        for given in [Given::Low, Given::High] {
            if given == Given::Low || !is_pointer(&parameters[wrong]) {
                let mut variant = vec![Given::Right; parameters.len()];
                variant[wrong] = given;
                variants.push(variant);
            }
        }
        if is_handle(&parameters[wrong]) {
            for given in [Given::Stale, Given::WrongKind, Given::Foreign] {
                let mut variant = vec![Given::Right; parameters.len()];
                variant[wrong] = given;
                variants.push(variant);
            }
        }
    }
    let call = |variant: &Vec<Given>| {
        let arguments: Vec<String> = parameters
            .iter()
            .zip(variant)
            .map(|(p, given)| expression(function, p, *given, roots))
            .collect();
        format!("{}({})", function.name, arguments.join(", "))
    };
    let check = |variant: &Vec<Given>| {
        // An object that is NULL, in first place, is always an error; for the rest it is enough to come back.
        let object =
            parameters.first().is_some_and(is_pointer) && variant.first() == Some(&Given::Low);
        // So is a handle that names nothing of the kind, whatever the other arguments are.
        let named_wrongly = parameters.iter().zip(variant).any(|(p, given)| {
            is_handle(p) && matches!(given, Given::Stale | Given::WrongKind | Given::Foreign)
        });
        match function.returns.as_str() {
            "ferrion_status" if named_wrongly => format!("  refused({});\n", call(variant)),
            "ferrion_status" if object => {
                format!("  IS(FERRION_NULL_POINTER, {});\n", call(variant))
            }
            "ferrion_status" => format!("  any({});\n", call(variant)),
            _ => format!("  (void){};\n", call(variant)),
        }
    };
    variants.iter().map(check).collect()
}

fn program(header: &Header) -> String {
    let roots: Vec<&str> = header.roots().collect();
    let mut text = String::from(
        r#"/* Written by ffi/tests/abi/misuse.rs from the header. */
#include "check.h"

static ferrion_messenger_t *messenger;
static ferrion_interrupter_t *interrupter;
static uint64_t room[64];

OBJECTS

/* An engine with one of everything. */
struct side {
  ferrion_engine_t *engine, *peer;
  ferrion_session_t session;
  ferrion_link_t sender, receiver;
  ferrion_delivery_t outgoing, incoming;
};
static struct side own, other;
static ferrion_session_t stale_session;
static ferrion_link_t stale_sender, stale_receiver;
static ferrion_delivery_t stale_outgoing, stale_incoming;

/* Any answer will do, if it is one that the header knows. */
static void any(ferrion_status status) {
  CHECK(strcmp(ferrion_status_name(status), "FERRION_UNKNOWN_STATUS") != 0);
  CHECK(status != FERRION_PANIC && status != FERRION_POISONED && status != FERRION_OTHER);
}

static void refused(ferrion_status status) {
  any(status);
  CHECK(status != FERRION_OK);
}

static void carry(ferrion_engine_t *from, ferrion_engine_t *to) {
  ferrion_bytes_t piece;
  while (ferrion_engine_transmit(from, 1, &piece) == FERRION_OK) {
    OK(ferrion_engine_recv(to, 1, piece.data, piece.len));
    OK(ferrion_engine_advance(from, 1, piece.len));
  }
}

/* What the peer does: it accepts everything, and sends a message. */
static void answer(ferrion_engine_t *peer) {
  ferrion_event_t event;
  while (ferrion_engine_poll_event(peer, &event) == FERRION_OK) {
    if (event.kind == FERRION_EVENT_SESSION_BEGUN) any(ferrion_session_accept(peer, event.session, NULL));
    if (event.kind == FERRION_EVENT_LINK_ATTACHED) {
      any(ferrion_link_accept(peer, event.link));
      if (!event.is_sender) any(ferrion_receiver_set_credit(peer, event.link, 10));
    }
    if (event.kind == FERRION_EVENT_FLOW && event.is_sender) {
      any(ferrion_sender_send(peer, event.link, BYTES("t"), BYTES("payload"), NULL));
      any(ferrion_sender_send(peer, event.link, BYTES("u"), BYTES("payload"), NULL));
    }
  }
}

static void begin(struct side *side) {
  ferrion_config_t *plain = ferrion_config_new();
  ferrion_link_config_t *link = ferrion_link_config_new();
  ferrion_incoming_t incoming;
  side->engine = ferrion_engine_new(FERRION_CLIENT, plain);
  side->peer = ferrion_engine_new(FERRION_SERVER, plain);
  OK(ferrion_connection_open(side->engine));
  OK(ferrion_connection_open(side->peer));
  OK(ferrion_connection_begin(side->engine, NULL, &side->session));
  OK(ferrion_link_config_sender(link, "sender", "there"));
  OK(ferrion_session_attach_sender(side->engine, side->session, link, &side->sender));
  OK(ferrion_link_config_receiver(link, "receiver", "there"));
  OK(ferrion_session_attach_receiver(side->engine, side->session, link, &side->receiver));
  OK(ferrion_receiver_set_credit(side->engine, side->receiver, 10));
  for (int i = 0; i < 3; i++) {
    carry(side->engine, side->peer);
    answer(side->peer);
    carry(side->peer, side->engine);
  }
  OK(ferrion_sender_send(side->engine, side->sender, BYTES("tag"), BYTES("payload"), &side->outgoing));
  OK(ferrion_receiver_next_delivery(side->engine, side->receiver, &incoming));
  side->incoming = incoming.delivery;
  ferrion_link_config_free(link);
  ferrion_config_free(plain);
}

static void end(struct side *side) {
  ferrion_engine_free(side->engine);
  ferrion_engine_free(side->peer);
}

/* Handles of objects of `own` that have ended. */
static void spoil(void) {
  ferrion_link_config_t *link = ferrion_link_config_new();
  ferrion_event_t event;
  ferrion_incoming_t incoming;
  OK(ferrion_sender_send(own.engine, own.sender, BYTES("old"), BYTES("payload"), &stale_outgoing));
  OK(ferrion_sender_settle(own.engine, own.sender, stale_outgoing));
  OK(ferrion_receiver_next_delivery(own.engine, own.receiver, &incoming));
  stale_incoming = incoming.delivery;
  OK(ferrion_receiver_accept(own.engine, own.receiver, stale_incoming));
  OK(ferrion_connection_begin(own.engine, NULL, &stale_session));
  OK(ferrion_link_config_sender(link, "old sender", "there"));
  OK(ferrion_session_attach_sender(own.engine, stale_session, link, &stale_sender));
  OK(ferrion_link_config_receiver(link, "old receiver", "there"));
  OK(ferrion_session_attach_receiver(own.engine, stale_session, link, &stale_receiver));
  for (int i = 0; i < 3; i++) {
    carry(own.engine, own.peer);
    answer(own.peer);
    carry(own.peer, own.engine);
  }
  OK(ferrion_session_end(own.engine, stale_session, NULL, NULL, NULL));
  carry(own.engine, own.peer);
  carry(own.peer, own.engine);
  while (ferrion_engine_poll_event(own.engine, &event) == FERRION_OK) continue;
  ferrion_link_config_free(link);
}

static void setup(void) {
  messenger = ferrion_messenger_new(NULL);
  interrupter = ferrion_interrupter_new(messenger);
  CHECK(messenger && interrupter);
  make();
  begin(&own);
  begin(&other);
  spoil();
  /* Nothing shall wait here. */
  OK(ferrion_messenger_set_blocking(messenger, false));
}

static void teardown(void) {
  end(&own);
  end(&other);
  unmake();
  ferrion_interrupter_free(interrupter);
  ferrion_messenger_free(messenger);
}

"#,
    );
    // Two of each kind of object that needs nothing to be made.
    let simple = roots
        .iter()
        .map(|root| noun(root))
        .filter(|noun| !matches!(*noun, "messenger" | "interrupter" | "engine"));
    let (mut objects, mut make, mut unmake) = (String::new(), String::new(), String::new());
    for noun in simple {
        objects += &format!("static ferrion_{noun}_t *{noun}, *other_{noun};\n");
        for name in [noun.to_owned(), format!("other_{noun}")] {
            make += &format!("  CHECK({name} = ferrion_{noun}_new());\n");
            unmake += &format!("  ferrion_{noun}_free({name});\n");
        }
    }
    objects += &format!(
        "\nstatic void make(void) {{\n{make}}}\n\nstatic void unmake(void) {{\n{unmake}}}\n"
    );
    text = text.replace("OBJECTS\n", &objects);
    let mut main = String::from("int main(void) {\n");
    for function in &header.functions {
        let name = &function.name;
        if name.ends_with("_free") {
            main += &format!("  {name}(NULL);\n");
            continue;
        }
        if name.ends_with("_new") {
            // What they make must be freed; the C programs beside this one show what they refuse.
            continue;
        }
        text += &format!("static void misuse_{name}(void) {{\n");
        for call in calls(function, &roots) {
            if name == "ferrion_messenger_work" {
                // The one call that waits in non-blocking mode too, and with nothing to do for ever.
                text += "  OK(ferrion_messenger_interrupt(messenger));\n";
            }
            text += &call;
        }
        if name == "ferrion_messenger_set_passive" {
            text += "  OK(ferrion_messenger_set_passive(messenger, false));\n";
        }
        if name == "ferrion_messenger_set_blocking" {
            text += "  OK(ferrion_messenger_set_blocking(messenger, false));\n";
        }
        text += "}\n\n";
        main += &format!("  setup();\n  misuse_{name}();\n  teardown();\n");
    }
    // All functions on the same objects, one after the other, whatever state the ones before left behind; twice over.
    main += "  setup();\n  for (int i = 0; i < 2; i++) {\n";
    for function in &header.functions {
        if !function.name.ends_with("_free") && !function.name.ends_with("_new") {
            main += &format!("    misuse_{}();\n", function.name);
        }
    }
    main += "  }\n  teardown();\n  wander();\n  return 0;\n}\n";
    text + &wander(header) + &main
}

/// Functions of engines and of values, in every order that a generator of numbers makes up, on engines that are alive: each
/// call finds what the ones before left behind, while the peer goes on answering. Messengers stay out: what they would
/// wait for is outside of the program.
fn wander(header: &Header) -> String {
    let outside = [
        "ferrion_messenger_",
        "ferrion_messages_",
        "ferrion_connection_events_",
        "ferrion_reconnect_",
        "ferrion_interrupter_",
    ];
    let names = header
        .functions
        .iter()
        .map(|function| function.name.as_str());
    let names = names.filter(|name| !name.ends_with("_free") && !name.ends_with("_new"));
    let inside: Vec<String> = names
        .filter(|name| !outside.iter().any(|start| name.starts_with(start)))
        .map(|name| format!("misuse_{name}"))
        .collect();
    assert!(inside.len() > 200, "{} functions", inside.len());
    let table = inside.join(", ");
    format!(
        r#"static void wander(void) {{
  static void (*const functions[])(void) = {{{table}}};
  uint64_t number = 88172645463325252u;
  for (int round = 0; round < 200; round++) {{
    setup();
    for (int step = 0; step < 60; step++) {{
      number ^= number << 13;
      number ^= number >> 7;
      number ^= number << 17;
      functions[number % (sizeof functions / sizeof *functions)]();
      if (number >> 60 < 6) {{
        carry(own.engine, own.peer);
        answer(own.peer);
        carry(own.peer, own.engine);
      }}
    }}
    teardown();
  }}
}}

"#
    )
}

#[test]
fn every_function_survives_what_is_wrong() {
    let source = scratch("misuse").join("misuse.c");
    fs::write(&source, program(&Header::read())).expect("a source file");
    let check = tree().join("ffi/tests/c");
    run(&mut bounded(build(
        &source,
        &["-I", check.to_str().expect("a plain path")],
    )));
}
