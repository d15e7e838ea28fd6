//! From the notation of the peer programs to ferrion's values and messages, and back.
//!
//! The notation is described in `tests/interop/README.md`. What a test builds from it goes through ferrion's encoder, and
//! what a test compares with it went through ferrion's decoder.

use bytes::Bytes;
use ferrion_engine::{
    codec::{
        Array, Decimal32, Decimal64, Decimal128, Map, Str, Symbol, Timestamp, Type, Uuid,
        Value as Amqp,
    },
    message::{Body, Header, Message, MessageId, Properties},
};
use serde_json::{Map as Object, Value, json};

/// The message that a notation stands for.
///
/// # Panics
///
/// When it stands for none.
pub fn message(note: &Value) -> Message {
    let mut message = Message::new();
    for (name, section) in note
        .as_object()
        .unwrap_or_else(|| panic!("no message: {note}"))
    {
        match name.as_str() {
            "header" => message.set_header(Some(header(section))),
            "delivery_annotations" => message.set_delivery_annotations(Some(map(section))),
            "message_annotations" => message.set_message_annotations(Some(map(section))),
            "properties" => message.set_properties(Some(properties(section))),
            "application_properties" => message.set_application_properties(Some(map(section))),
            "body" => message.set_body(body(section)),
            "footer" => message.set_footer(Some(map(section))),
            _ => panic!("no section {name}"),
        }
    }
    message
}

/// The notation of a message.
///
/// # Panics
///
/// When a section can not be decoded.
pub fn describe(message: &Message) -> Value {
    let mut note = Object::new();
    let mut put = |name: &str, section: Option<Value>| {
        if let Some(section) = section {
            note.insert(name.to_owned(), section);
        }
    };
    let sound = "the section is sound";
    put(
        "header",
        message.header().expect(sound).map(describe_header),
    );
    put(
        "delivery_annotations",
        message
            .delivery_annotations()
            .expect(sound)
            .map(describe_map),
    );
    put(
        "message_annotations",
        message
            .message_annotations()
            .expect(sound)
            .map(describe_map),
    );
    put(
        "properties",
        message.properties().expect(sound).map(describe_properties),
    );
    put(
        "application_properties",
        message
            .application_properties()
            .expect(sound)
            .map(describe_map),
    );
    put("body", Some(describe_body(message.body().expect(sound))));
    put("footer", message.footer().expect(sound).map(describe_map));
    Value::Object(note)
}

/// The value that a notation stands for.
///
/// # Panics
///
/// When it stands for none.
pub fn value(note: &Value) -> Amqp {
    let kind = text(&note[0]);
    match kind {
        "null" => Amqp::Null,
        "boolean" => Amqp::Bool(
            note[1]
                .as_bool()
                .unwrap_or_else(|| panic!("no boolean: {note}")),
        ),
        "list" => Amqp::List(items(&note[1])),
        "map" => Amqp::Map(map(note)),
        "array" => array(note),
        "described" => Amqp::described(value(&note[1]), value(&note[2])),
        _ => scalar(kind, text(&note[1])),
    }
}

/// The notation of a value.
pub fn describe_value(value: &Amqp) -> Value {
    let (kind, text) = match value {
        Amqp::Null => return json!(["null"]),
        Amqp::Bool(value) => return json!(["boolean", value]),
        Amqp::List(items) => {
            return json!(["list", items.iter().map(describe_value).collect::<Vec<_>>()]);
        }
        Amqp::Map(map) => return describe_map(map),
        Amqp::Array(array) => return describe_array(array),
        Amqp::Described(both) => {
            return json!([
                "described",
                describe_value(&both.descriptor),
                describe_value(&both.value)
            ]);
        }
        Amqp::Ubyte(value) => ("ubyte", value.to_string()),
        Amqp::Ushort(value) => ("ushort", value.to_string()),
        Amqp::Uint(value) => ("uint", value.to_string()),
        Amqp::Ulong(value) => ("ulong", value.to_string()),
        Amqp::Byte(value) => ("byte", value.to_string()),
        Amqp::Short(value) => ("short", value.to_string()),
        Amqp::Int(value) => ("int", value.to_string()),
        Amqp::Long(value) => ("long", value.to_string()),
        Amqp::Float(value) => ("float", hex(&value.to_be_bytes())),
        Amqp::Double(value) => ("double", hex(&value.to_be_bytes())),
        Amqp::Decimal32(value) => ("decimal32", hex(&value.0)),
        Amqp::Decimal64(value) => ("decimal64", hex(&value.0)),
        Amqp::Decimal128(value) => ("decimal128", hex(&value.0)),
        Amqp::Char(value) => ("char", format!("{:x}", u32::from(*value))),
        Amqp::Timestamp(value) => ("timestamp", value.0.to_string()),
        Amqp::Uuid(value) => ("uuid", dashed(value)),
        Amqp::Binary(value) => ("binary", hex(value)),
        Amqp::String(value) => ("string", value.to_string()),
        Amqp::Symbol(value) => ("symbol", value.to_string()),
    };
    json!([kind, text])
}

// ---- values ------------------------------------------------------------------------------------------------------

fn scalar(kind: &str, text: &str) -> Amqp {
    fn number<N: std::str::FromStr>(text: &str) -> N {
        text.parse()
            .unwrap_or_else(|_| panic!("no such number: {text}"))
    }
    match kind {
        "ubyte" => Amqp::Ubyte(number(text)),
        "ushort" => Amqp::Ushort(number(text)),
        "uint" => Amqp::Uint(number(text)),
        "ulong" => Amqp::Ulong(number(text)),
        "byte" => Amqp::Byte(number(text)),
        "short" => Amqp::Short(number(text)),
        "int" => Amqp::Int(number(text)),
        "long" => Amqp::Long(number(text)),
        "float" => Amqp::Float(f32::from_be_bytes(octets(text))),
        "double" => Amqp::Double(f64::from_be_bytes(octets(text))),
        "decimal32" => Amqp::Decimal32(Decimal32(octets(text))),
        "decimal64" => Amqp::Decimal64(Decimal64(octets(text))),
        "decimal128" => Amqp::Decimal128(Decimal128(octets(text))),
        "char" => {
            let point = u32::from_str_radix(text, 16).ok().and_then(char::from_u32);
            Amqp::Char(point.unwrap_or_else(|| panic!("no character: {text}")))
        }
        "timestamp" => Amqp::Timestamp(Timestamp(number(text))),
        "uuid" => Amqp::Uuid(Uuid(octets(&text.replace('-', "")))),
        "binary" => Amqp::Binary(binary(text)),
        "string" => Amqp::String(Str::from(text)),
        "symbol" => Amqp::Symbol(Symbol::try_from(text).unwrap_or_else(|error| panic!("{error}"))),
        _ => panic!("no such type: {kind}"),
    }
}

fn map(note: &Value) -> Map {
    list(&note[1])
        .iter()
        .map(|pair| (value(&pair[0]), value(&pair[1])))
        .collect()
}

fn describe_map(map: &Map) -> Value {
    let pairs: Vec<Value> = map
        .iter()
        .map(|(key, value)| json!([describe_value(key), describe_value(value)]))
        .collect();
    json!(["map", pairs])
}

const TYPES: [(&str, Type); 24] = [
    ("null", Type::Null),
    ("boolean", Type::Bool),
    ("ubyte", Type::Ubyte),
    ("ushort", Type::Ushort),
    ("uint", Type::Uint),
    ("ulong", Type::Ulong),
    ("byte", Type::Byte),
    ("short", Type::Short),
    ("int", Type::Int),
    ("long", Type::Long),
    ("float", Type::Float),
    ("double", Type::Double),
    ("decimal32", Type::Decimal32),
    ("decimal64", Type::Decimal64),
    ("decimal128", Type::Decimal128),
    ("char", Type::Char),
    ("timestamp", Type::Timestamp),
    ("uuid", Type::Uuid),
    ("binary", Type::Binary),
    ("string", Type::String),
    ("symbol", Type::Symbol),
    ("list", Type::List),
    ("map", Type::Map),
    ("array", Type::Array),
];

fn array(note: &Value) -> Amqp {
    let name = text(&note[1]);
    let element = TYPES
        .iter()
        .find(|(other, _)| *other == name)
        .unwrap_or_else(|| panic!("no such type: {name}"))
        .1;
    let descriptors = descriptors(&note[2]).iter().map(value).collect();
    let array = Array::with_descriptors(element, descriptors, items(&note[3]));
    Amqp::Array(Box::new(
        array.unwrap_or_else(|error| panic!("{note}: {error}")),
    ))
}

/// The notations of the descriptors that the elements of an array share, from the place in its notation that says them.
pub(super) fn descriptors(note: &Value) -> Vec<Value> {
    match note {
        Value::Null => Vec::new(),
        Value::Array(several) if several[0] == "descriptors" => several[2..].to_vec(),
        one => vec![one.clone()],
    }
}

fn describe_array(array: &Array) -> Value {
    let (name, _) = TYPES
        .iter()
        .find(|(_, element)| *element == array.element_type())
        .expect("every type has a name");
    let descriptor = match array.descriptors() {
        [] => Value::Null,
        [descriptor] => describe_value(descriptor),
        several => {
            let mut note = vec![json!("descriptors"), json!(several.len().to_string())];
            note.extend(several.iter().map(describe_value));
            Value::Array(note)
        }
    };
    json!([
        "array",
        name,
        descriptor,
        array.items().iter().map(describe_value).collect::<Vec<_>>()
    ])
}

// ---- sections ----------------------------------------------------------------------------------------------------

fn header(note: &Value) -> Header {
    let mut header = Header::default();
    for (name, field) in note.as_object().into_iter().flatten() {
        match (name.as_str(), value(field)) {
            ("durable", Amqp::Bool(value)) => header.durable = value,
            ("priority", Amqp::Ubyte(value)) => header.priority = value,
            ("ttl", Amqp::Uint(value)) => header.ttl = Some(value),
            ("first_acquirer", Amqp::Bool(value)) => header.first_acquirer = value,
            ("delivery_count", Amqp::Uint(value)) => header.delivery_count = value,
            (name, value) => panic!("no field of a header: {name} {value}"),
        }
    }
    header
}

fn describe_header(header: &Header) -> Value {
    let mut note = json!({
        "durable": ["boolean", header.durable],
        "priority": ["ubyte", header.priority.to_string()],
        "first_acquirer": ["boolean", header.first_acquirer],
        "delivery_count": ["uint", header.delivery_count.to_string()],
    });
    if let Some(ttl) = header.ttl {
        note["ttl"] = json!(["uint", ttl.to_string()]);
    }
    note
}

fn properties(note: &Value) -> Properties {
    let mut properties = Properties::default();
    for (name, field) in note.as_object().into_iter().flatten() {
        match (name.as_str(), value(field)) {
            ("message_id", value) => properties.message_id = Some(message_id(value)),
            ("correlation_id", value) => properties.correlation_id = Some(message_id(value)),
            ("user_id", Amqp::Binary(value)) => properties.user_id = Some(value),
            ("to", Amqp::String(value)) => properties.to = Some(value),
            ("subject", Amqp::String(value)) => properties.subject = Some(value),
            ("reply_to", Amqp::String(value)) => properties.reply_to = Some(value),
            ("content_type", Amqp::Symbol(value)) => properties.content_type = Some(value),
            ("content_encoding", Amqp::Symbol(value)) => properties.content_encoding = Some(value),
            ("absolute_expiry_time", Amqp::Timestamp(value)) => {
                properties.absolute_expiry_time = Some(value);
            }
            ("creation_time", Amqp::Timestamp(value)) => properties.creation_time = Some(value),
            ("group_id", Amqp::String(value)) => properties.group_id = Some(value),
            ("group_sequence", Amqp::Uint(value)) => properties.group_sequence = Some(value),
            ("reply_to_group_id", Amqp::String(value)) => {
                properties.reply_to_group_id = Some(value);
            }
            (name, value) => panic!("no field of properties: {name} {value}"),
        }
    }
    properties
}

fn describe_properties(properties: &Properties) -> Value {
    let id = |id: &MessageId| match id.clone() {
        MessageId::Ulong(value) => Amqp::Ulong(value),
        MessageId::Uuid(value) => Amqp::Uuid(value),
        MessageId::Binary(value) => Amqp::Binary(value),
        MessageId::String(value) => Amqp::String(value),
    };
    let fields = [
        ("message_id", properties.message_id.as_ref().map(id)),
        ("user_id", properties.user_id.clone().map(Amqp::Binary)),
        ("to", properties.to.clone().map(Amqp::String)),
        ("subject", properties.subject.clone().map(Amqp::String)),
        ("reply_to", properties.reply_to.clone().map(Amqp::String)),
        ("correlation_id", properties.correlation_id.as_ref().map(id)),
        (
            "content_type",
            properties.content_type.clone().map(Amqp::Symbol),
        ),
        (
            "content_encoding",
            properties.content_encoding.clone().map(Amqp::Symbol),
        ),
        (
            "absolute_expiry_time",
            properties.absolute_expiry_time.map(Amqp::Timestamp),
        ),
        (
            "creation_time",
            properties.creation_time.map(Amqp::Timestamp),
        ),
        ("group_id", properties.group_id.clone().map(Amqp::String)),
        ("group_sequence", properties.group_sequence.map(Amqp::Uint)),
        (
            "reply_to_group_id",
            properties.reply_to_group_id.clone().map(Amqp::String),
        ),
    ];
    let there = fields
        .into_iter()
        .filter_map(|(name, field)| Some((name.to_owned(), describe_value(&field?))));
    Value::Object(there.collect())
}

fn message_id(value: Amqp) -> MessageId {
    match value {
        Amqp::Ulong(value) => MessageId::Ulong(value),
        Amqp::Uuid(value) => MessageId::Uuid(value),
        Amqp::Binary(value) => MessageId::Binary(value),
        Amqp::String(value) => MessageId::String(value),
        other => panic!("no message-id: {other}"),
    }
}

fn body(note: &Value) -> Body {
    let parts = &note[1];
    match text(&note[0]) {
        "data" => Body::Data(list(parts).iter().map(|part| binary(text(part))).collect()),
        "sequence" => Body::Sequence(list(parts).iter().map(items).collect()),
        "value" => Body::Value(value(parts)),
        other => panic!("no such body: {other}"),
    }
}

fn describe_body(body: &Body) -> Value {
    match body {
        Body::Data(parts) => json!([
            "data",
            parts.iter().map(|part| hex(part)).collect::<Vec<_>>()
        ]),
        Body::Sequence(parts) => {
            let parts = parts
                .iter()
                .map(|part| part.iter().map(describe_value).collect::<Vec<_>>());
            json!(["sequence", parts.collect::<Vec<_>>()])
        }
        Body::Value(value) => json!(["value", describe_value(value)]),
    }
}

// ---- text --------------------------------------------------------------------------------------------------------

pub(super) fn text(note: &Value) -> &str {
    note.as_str().unwrap_or_else(|| panic!("no text: {note}"))
}

pub(super) fn list(note: &Value) -> &[Value] {
    note.as_array().unwrap_or_else(|| panic!("no list: {note}"))
}

fn items(note: &Value) -> Vec<Amqp> {
    items_of(note, value)
}

pub(super) fn items_of<T>(note: &Value, item: impl Fn(&Value) -> T) -> Vec<T> {
    list(note).iter().map(item).collect()
}

/// Octets as hexadecimal digits.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The octets for hexadecimal digits.
///
/// # Panics
///
/// When something else is among them.
pub fn binary(hex: &str) -> Bytes {
    let digits = |i: usize| {
        hex.get(i..i + 2)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    let octets: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(digits).collect();
    Bytes::from(octets.unwrap_or_else(|| panic!("not hexadecimal: {hex:.100}")))
}

pub(super) fn octets<const N: usize>(hex: &str) -> [u8; N] {
    <[u8; N]>::try_from(&binary(hex)[..]).unwrap_or_else(|_| panic!("not {N} octets: {hex}"))
}

fn dashed(uuid: &Uuid) -> String {
    let [a, b, c, d, e] = [0..4, 4..6, 6..8, 8..10, 10..16].map(|range| hex(&uuid.0[range]));
    format!("{a}-{b}-{c}-{d}-{e}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interop::table::{cases, corners, plain};

    /// The tables are sound, and so is ferrion's own codec, before a peer has a say.
    #[test]
    fn every_case_survives_ferrion_alone() {
        for case in cases().into_iter().chain(corners()) {
            let received =
                Message::decode(message(&case.message).to_bytes()).expect("it is a message");
            assert_eq!(
                plain(&describe(&received)),
                plain(&case.message),
                "{}",
                case.name
            );
        }
    }
}
