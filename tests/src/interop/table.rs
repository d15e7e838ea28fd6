//! The values and messages that every peer has to carry.
//!
//! `tests/interop/values.tsv` has every AMQP type at its edges, `tests/interop/messages.tsv` every section of a message.
//! Both are written in the notation that the peer programs read and print; see `tests/interop/README.md`. `tests/languages`
//! has more of either, which ferrion carries in every language and other libraries do not.

use serde_json::{Map, Value, json};

/// A message with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What a failure is reported as, and what an exception refers to.
    pub name: String,
    /// The message in notation.
    pub message: Value,
}

/// Every case: each value as a body and as an annotation, then the messages.
///
/// # Panics
///
/// When a table can not be read.
pub fn cases() -> Vec<Case> {
    let mut cases = of_values(values());
    cases.extend(of_messages(include_str!("../../interop/messages.tsv")));
    cases
}

/// What ferrion carries in every language, and other libraries do not: each value as a body and as an annotation, then the
/// messages.
///
/// # Panics
///
/// When a table can not be read.
pub fn corners() -> Vec<Case> {
    let mut values: Vec<_> = rows(include_str!("../../languages/values.tsv")).collect();
    // Where the constructors with one octet of length end (part 1, 1.2).
    for kind in ["binary", "string", "symbol"] {
        let long = "ab".repeat(150);
        values.push((
            format!("array of short and long {kind}"),
            json!(["array", kind, null, [[kind, "aa"], [kind, long]]]),
        ));
    }
    let items = vec![json!(["array", "uint", null, [["uint", "0"]]]); 300];
    values.push((
        String::from("array of 300 arrays"),
        json!(["array", "array", null, items]),
    ));
    let mut cases = of_values(values);
    cases.extend(of_messages(include_str!("../../languages/messages.tsv")));
    for length in [255, 256, 70_000] {
        let part = "ab".repeat(length);
        cases.push(Case {
            name: format!("data of {length} in two sections"),
            message: json!({ "body": ["data", [part, part]] }),
        });
    }
    cases
}

/// Each value as a body, and as an annotation.
fn of_values(values: Vec<(String, Value)>) -> Vec<Case> {
    let both = values.into_iter().map(|(name, value)| {
        let annotation = Case {
            name: format!("{name}, as an annotation"),
            message: json!({
                "message_annotations": ["map", [[["symbol", "x-test"], value]]],
                "body": ["data", [""]],
            }),
        };
        let body = Case {
            name,
            message: json!({ "body": ["value", value] }),
        };
        [body, annotation]
    });
    both.flatten().collect()
}

fn of_messages(text: &'static str) -> impl Iterator<Item = Case> {
    rows(text).map(|(name, message)| Case { name, message })
}

/// Every value of the table, and some that are too long to be written there.
///
/// # Panics
///
/// When the table can not be read.
pub fn values() -> Vec<(String, Value)> {
    let mut values: Vec<_> = rows(include_str!("../../interop/values.tsv")).collect();
    // Where the encodings with one octet of length end (part 1, 1.2).
    for length in [255, 256, 70_000] {
        values.push((
            format!("string of {length}"),
            json!(["string", "s".repeat(length)]),
        ));
        values.push((
            format!("symbol of {length}"),
            json!(["symbol", "y".repeat(length)]),
        ));
        values.push((
            format!("binary of {length}"),
            json!(["binary", "ab".repeat(length)]),
        ));
    }
    for count in [254, 255, 256, 1_000] {
        values.push((
            format!("list of {count}"),
            json!(["list", vec![json!(["int", "1"]); count]]),
        ));
        let pairs: Vec<_> = (0..count / 2)
            .map(|i| json!([["string", format!("k{i}")], ["null"]]))
            .collect();
        values.push((format!("map of {count}"), json!(["map", pairs])));
        values.push((
            format!("array of {count}"),
            json!(["array", "ushort", null, vec![json!(["ushort", "1"]); count]]),
        ));
    }
    let nest = (0..20).fold(json!(["list", []]), |inner, _| json!(["list", [inner]]));
    values.push((String::from("list 20 deep"), nest));
    values
}

/// The message with everything removed that means the same when it is absent: fields of the header at their defaults
/// (3.2.1), and a header or properties without a field.
///
/// # Panics
///
/// When the message is not an object.
pub fn plain(message: &Value) -> Value {
    let mut message = message
        .as_object()
        .cloned()
        .unwrap_or_else(|| panic!("no message: {message}"));
    let defaults: Map<String, Value> = [
        ("durable", json!(["boolean", false])),
        ("priority", json!(["ubyte", "4"])),
        ("first_acquirer", json!(["boolean", false])),
        ("delivery_count", json!(["uint", "0"])),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    if let Some(Value::Object(header)) = message.get_mut("header") {
        header.retain(|name, value| defaults.get(name) != Some(value));
    }
    message.retain(|name, section| {
        !(matches!(name.as_str(), "header" | "properties")
            && section.as_object().is_some_and(Map::is_empty))
    });
    Value::Object(message)
}

fn rows(text: &'static str) -> impl Iterator<Item = (String, Value)> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, json) = line
                .split_once('\t')
                .unwrap_or_else(|| panic!("no tab in {line:?}"));
            let value =
                serde_json::from_str(json).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name.to_owned(), value)
        })
}
