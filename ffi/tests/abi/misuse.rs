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
}

/// The C expression for a parameter.
fn expression(parameter: &Parameter, given: Given) -> String {
    let kind = parameter.kind.as_str();
    let object = kind.trim_start_matches("const ").trim_end_matches(" *");
    match (kind, given) {
        (_, Given::Low) if kind.ends_with('*') => "NULL".into(),
        ("const char *", _) => "\"amqp:text\"".into(),
        ("const uint8_t *", _) => "(const uint8_t *)\"octets\"".into(),
        _ if parameter.name == "len" => "6".into(),
        _ if kind.ends_with('*')
            && parameter.name.starts_with("out_")
            && !object.starts_with("ferrion_value") =>
        {
            // Room for any result.
            format!("({kind})room")
        }
        _ if kind.ends_with('*') && matches!(parameter.name.as_str(), "source" | "reply") => {
            format!("other_{}", noun(object))
        }
        _ if kind.ends_with('*') => noun(object).into(),
        ("bool", Given::High) => "true".into(),
        ("float" | "double", Given::High) => "3e38f".into(),
        ("float" | "double", _) => "-1.0f".into(),
        (_, Given::Low) if kind.starts_with("int") => limit(kind, "MIN"),
        (_, Given::Low) => "0".into(),
        (_, Given::High) => limit(kind, "MAX"),
        (_, Given::Right) => "1".into(),
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
fn calls(function: &Function) -> Vec<String> {
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
    }
    let call = |variant: &Vec<Given>| {
        let arguments: Vec<String> = parameters
            .iter()
            .zip(variant)
            .map(|(p, given)| expression(p, *given))
            .collect();
        format!("{}({})", function.name, arguments.join(", "))
    };
    let check = |variant: &Vec<Given>| {
        // An object that is NULL, in first place, is always an error; for the rest it is enough to come back.
        let object =
            parameters.first().is_some_and(is_pointer) && variant.first() == Some(&Given::Low);
        match function.returns.as_str() {
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
    let mut text = String::from(
        r#"/* Written by ffi/tests/abi/misuse.rs from the header. */
#include "check.h"

static ferrion_messenger_t *messenger;
static ferrion_message_t *message, *other_message;
static ferrion_messages_t *messages;
static ferrion_value_t *value, *other_value;
static ferrion_reconnect_t *reconnect;
static ferrion_connection_events_t *connection_events;
static ferrion_interrupter_t *interrupter;
static uint64_t room[8];

/* Any answer will do, if it is one that the header knows. */
static void any(ferrion_status status) {
  CHECK(strcmp(ferrion_status_name(status), "FERRION_UNKNOWN_STATUS") != 0);
  CHECK(status != FERRION_PANIC && status != FERRION_POISONED && status != FERRION_OTHER);
}

static void setup(void) {
  messenger = ferrion_messenger_new(NULL);
  message = ferrion_message_new();
  other_message = ferrion_message_new();
  value = ferrion_value_new();
  other_value = ferrion_value_new();
  messages = ferrion_messages_new();
  reconnect = ferrion_reconnect_new();
  connection_events = ferrion_connection_events_new();
  interrupter = ferrion_interrupter_new(messenger);
  CHECK(messenger && message && other_message && value && other_value && interrupter);
  CHECK(messages && reconnect && connection_events);
  /* Nothing shall wait here. */
  OK(ferrion_messenger_set_blocking(messenger, false));
}

static void teardown(void) {
  ferrion_interrupter_free(interrupter);
  ferrion_connection_events_free(connection_events);
  ferrion_reconnect_free(reconnect);
  ferrion_messages_free(messages);
  ferrion_value_free(other_value);
  ferrion_value_free(value);
  ferrion_message_free(other_message);
  ferrion_message_free(message);
  ferrion_messenger_free(messenger);
}

"#,
    );
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
        for call in calls(function) {
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
    text + &main + "  }\n  teardown();\n  return 0;\n}\n"
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
