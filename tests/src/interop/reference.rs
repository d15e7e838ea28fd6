//! What a message in notation is as octets, by the naive codec: neither ferrion's encoder nor its decoder has a say.

use super::notation::{binary, descriptors, hex, items_of, list, octets, text};
use crate::oracle::{Element, Form, V, encode_with};
use serde_json::Value;

/// The fields of the header (3.2.1), in their order.
const HEADER: [&str; 5] = [
    "durable",
    "priority",
    "ttl",
    "first_acquirer",
    "delivery_count",
];

/// The fields of the properties (3.2.4), in their order.
const PROPERTIES: [&str; 13] = [
    "message_id",
    "user_id",
    "to",
    "subject",
    "reply_to",
    "correlation_id",
    "content_type",
    "content_encoding",
    "absolute_expiry_time",
    "creation_time",
    "group_id",
    "group_sequence",
    "reply_to_group_id",
];

/// The octets of a message, in hexadecimal digits.
///
/// In the shortest form the encoding is the only one: numbers in as few octets as they need, trailing fields without a
/// value left out, and arrays with the narrowest constructor that all elements fit.
///
/// # Panics
///
/// When the notation stands for no message.
pub fn encoded(message: &Value, form: Form) -> String {
    let mut out = Vec::new();
    let mut put = |code: u64, value: V| encode_with(&V::described(code, value), form, &mut out);
    let map = |name: &str, code: u64| message.get(name).map(|section| (code, value(section)));
    let fields = |name: &str, code: u64, names: &[&str]| {
        message.get(name).map(|note| {
            let mut fields: Vec<V> = names
                .iter()
                .map(|name| note.get(name).map_or(V::Null, value))
                .collect();
            while fields.last().is_some_and(V::is_null) {
                fields.pop();
            }
            (code, V::List(fields))
        })
    };
    let before = [
        fields("header", 0x70, &HEADER),
        map("delivery_annotations", 0x71),
        map("message_annotations", 0x72),
        fields("properties", 0x73, &PROPERTIES),
        map("application_properties", 0x74),
    ];
    for (code, section) in before.into_iter().flatten() {
        put(code, section);
    }
    let parts = &message["body"][1];
    match text(&message["body"][0]) {
        "data" => {
            for part in list(parts) {
                put(0x75, V::Bin(binary(text(part)).to_vec()));
            }
        }
        "sequence" => {
            for part in list(parts) {
                put(0x76, V::List(items_of(part, value)));
            }
        }
        "value" => put(0x77, value(parts)),
        other => panic!("no such body: {other}"),
    }
    if let Some((code, footer)) = map("footer", 0x78) {
        put(code, footer);
    }
    hex(&out)
}

/// The value that a notation stands for.
fn value(note: &Value) -> V {
    match text(&note[0]) {
        "null" => V::Null,
        "boolean" => V::Bool(note[1] == true),
        "list" => V::List(items_of(&note[1], value)),
        "map" => V::Map(items_of(&note[1], |pair| {
            (value(&pair[0]), value(&pair[1]))
        })),
        "array" => array(note),
        "described" => V::Described(Box::new(value(&note[1])), Box::new(value(&note[2]))),
        kind => scalar(kind, text(&note[1])),
    }
}

fn scalar(kind: &str, text: &str) -> V {
    fn number<N: std::str::FromStr>(text: &str) -> N {
        text.parse()
            .unwrap_or_else(|_| panic!("no such number: {text}"))
    }
    match kind {
        "ubyte" => V::Ubyte(number(text)),
        "ushort" => V::Ushort(number(text)),
        "uint" => V::Uint(number(text)),
        "ulong" => V::Ulong(number(text)),
        "byte" => V::Byte(number(text)),
        "short" => V::Short(number(text)),
        "int" => V::Int(number(text)),
        "long" => V::Long(number(text)),
        "timestamp" => V::Timestamp(number(text)),
        "float" => V::Float(u32::from_be_bytes(octets(text))),
        "double" => V::Double(u64::from_be_bytes(octets(text))),
        "decimal32" | "decimal64" | "decimal128" => V::Decimal(binary(text).to_vec()),
        "char" => {
            let point = u32::from_str_radix(text, 16).ok().and_then(char::from_u32);
            V::Char(point.unwrap_or_else(|| panic!("no character: {text}")))
        }
        "uuid" => V::Uuid(octets(&text.replace('-', ""))),
        "binary" => V::Bin(binary(text).to_vec()),
        "string" => V::str(text),
        "symbol" => V::sym(text),
        _ => panic!("no such type: {kind}"),
    }
}

/// An array, with the narrowest constructor that its elements fit (1.6). None without octets, other than null: a handful
/// of octets could claim to be millions of elements.
fn array(note: &Value) -> V {
    let items = items_of(&note[3], value);
    let all = |fits: fn(&V) -> bool| items.iter().all(fits);
    let short = all(|item| match item {
        V::Bin(octets) => octets.len() < 256,
        V::Str(text) | V::Sym(text) => text.len() < 256,
        _ => true,
    });
    let code = match text(&note[1]) {
        "null" => 0x40,
        "boolean" => 0x56,
        "ubyte" => 0x50,
        "byte" => 0x51,
        "ushort" => 0x60,
        "short" => 0x61,
        "uint" if all(|item| matches!(item, V::Uint(0..=255))) => 0x52,
        "uint" => 0x70,
        "ulong" if all(|item| matches!(item, V::Ulong(0..=255))) => 0x53,
        "ulong" => 0x80,
        "int" if all(|item| matches!(item, V::Int(-128..=127))) => 0x54,
        "int" => 0x71,
        "long" if all(|item| matches!(item, V::Long(-128..=127))) => 0x55,
        "long" => 0x81,
        "float" => 0x72,
        "double" => 0x82,
        "decimal32" => 0x74,
        "decimal64" => 0x84,
        "decimal128" => 0x94,
        "char" => 0x73,
        "timestamp" => 0x83,
        "uuid" => 0x98,
        "binary" if short => 0xa0,
        "binary" => 0xb0,
        "string" if short => 0xa1,
        "string" => 0xb1,
        "symbol" if short => 0xa3,
        "symbol" => 0xb3,
        "list" => 0xc0,
        "map" => 0xc1,
        "array" => 0xe0,
        other => panic!("no such type: {other}"),
    };
    let descriptors = descriptors(&note[2]).iter().map(value).collect();
    V::Array(Element { descriptors, code }, items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interop::{notation, table};

    /// The shortest form is one and the same to both codecs.
    #[test]
    fn every_case_is_the_same_octets_to_ferrion_and_to_the_naive_codec() {
        for case in table::cases().into_iter().chain(table::corners()) {
            let message = table::plain(&case.message);
            assert_eq!(
                hex(&notation::message(&message).to_bytes()),
                encoded(&message, Form::Shortest),
                "{}",
                case.name
            );
        }
    }
}
