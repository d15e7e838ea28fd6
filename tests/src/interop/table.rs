//! The values and messages that every peer has to carry.
//!
//! `tests/interop/values.tsv` has every AMQP type at its edges, `tests/interop/messages.tsv` every section of a message.
//! Both are written in the notation that the peer programs read and print; see `tests/interop/README.md`.

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
    let mut cases = Vec::new();
    for (name, value) in values() {
        cases.push(Case {
            name: name.clone(),
            message: json!({ "body": ["value", value] }),
        });
        cases.push(Case {
            name: format!("{name}, as an annotation"),
            message: json!({
                "message_annotations": ["map", [[["symbol", "x-test"], value]]],
                "body": ["data", [""]],
            }),
        });
    }
    cases.extend(
        rows(include_str!("../../interop/messages.tsv"))
            .map(|(name, message)| Case { name, message }),
    );
    cases
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
