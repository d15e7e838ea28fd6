//! Every AMQP type and every section goes to JSON text and comes back the same.

use bytes::Bytes;
use ferrion_engine::codec::{
    Array, Decimal32, Decimal64, Decimal128, Map, Symbol, Timestamp, Type, Uuid, Value,
};
use ferrion_engine::message::{Body, Header, Message, MessageId, Properties};

use super::value::{value_from_json, value_to_json};
use super::{Json, message_from_json, message_to_json};

/// A value, and its JSON text.
fn table() -> Vec<(Value, &'static str)> {
    let symbol = |text: &'static str| Value::from(Symbol::from_static(text));
    let array = |items: Vec<Value>| Value::from(Array::new(items).unwrap());
    let map: Map = [
        (Value::from("b"), Value::from(1_u8)),
        (Value::from(2_u32), Value::Null),
    ]
    .into_iter()
    .collect();
    vec![
        (Value::Null, "null"),
        (Value::Bool(true), "true"),
        (Value::Bool(false), "false"),
        (Value::Ubyte(255), r#"{"ubyte":255}"#),
        (Value::Ushort(65535), r#"{"ushort":65535}"#),
        (Value::Uint(u32::MAX), r#"{"uint":4294967295}"#),
        (Value::Ulong(7), r#"{"ulong":7}"#),
        (
            Value::Ulong(u64::MAX),
            r#"{"ulong":"18446744073709551615"}"#,
        ),
        (Value::Byte(-128), r#"{"byte":-128}"#),
        (Value::Short(-32768), r#"{"short":-32768}"#),
        (Value::Int(i32::MIN), r#"{"int":-2147483648}"#),
        (Value::Long(-1), r#"{"long":-1}"#),
        (Value::Long(i64::MIN), r#"{"long":"-9223372036854775808"}"#),
        (Value::Float(1.5), r#"{"float":1.5}"#),
        (Value::Float(0.1), r#"{"float":0.1}"#),
        (Value::Float(f32::NAN), r#"{"float":"NaN"}"#),
        (Value::Double(-0.0), r#"{"double":-0.0}"#),
        (
            Value::Double(f64::NEG_INFINITY),
            r#"{"double":"-Infinity"}"#,
        ),
        (
            Value::Double(f64::from_bits(0x7ff8_0000_0000_0001)),
            r#"{"double":"0x7ff8000000000001"}"#,
        ),
        (
            Value::Decimal32(Decimal32([0x22, 0x50, 0, 1])),
            r#"{"decimal32":"22500001"}"#,
        ),
        (
            Value::Decimal64(Decimal64([1, 2, 3, 4, 5, 6, 7, 8])),
            r#"{"decimal64":"0102030405060708"}"#,
        ),
        (
            Value::Decimal128(Decimal128([0xab; 16])),
            r#"{"decimal128":"abababababababababababababababab"}"#,
        ),
        (Value::Char('\u{1f600}'), r#"{"char":"😀"}"#),
        (Value::Timestamp(Timestamp(-1)), r#"{"timestamp":-1}"#),
        (
            Value::Uuid(Uuid(
                0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8_u128.to_be_bytes(),
            )),
            r#"{"uuid":"6ba7b810-9dad-11d1-80b4-00c04fd430c8"}"#,
        ),
        (
            Value::Binary(Bytes::from_static(b"\0\xff")),
            r#"{"binary":"AP8="}"#,
        ),
        (Value::from("gr\u{fc}n\n"), r#""grün\n""#),
        (symbol("x-opt"), r#"{"symbol":"x-opt"}"#),
        (
            Value::List(vec![Value::Null, Value::List(vec![]), Value::from("a")]),
            r#"[null,[],"a"]"#,
        ),
        (
            Value::from(map),
            r#"{"map":[["b",{"ubyte":1}],[{"uint":2},null]]}"#,
        ),
        (
            array(vec![Value::Uint(1), Value::Uint(2)]),
            r#"{"array":[{"uint":1},{"uint":2}]}"#,
        ),
        (
            Value::from(Array::empty(Type::Symbol)),
            r#"{"array":[],"of":"symbol"}"#,
        ),
        (
            Value::from(
                Array::with_descriptors(Type::Uint, vec![symbol("a"), symbol("b")], vec![])
                    .unwrap(),
            ),
            r#"{"array":[],"of":{"described":[{"symbol":"a"},{"described":[{"symbol":"b"},"uint"]}]}}"#,
        ),
        (
            array(vec![
                Value::described(1_u64, "x"),
                Value::described(1_u64, "y"),
            ]),
            r#"{"array":[{"described":[{"ulong":1},"x"]},{"described":[{"ulong":1},"y"]}]}"#,
        ),
        (
            Value::described(symbol("a:b"), 3_i8),
            r#"{"described":[{"symbol":"a:b"},{"byte":3}]}"#,
        ),
    ]
}

#[test]
fn every_type_has_a_form_that_leads_back() {
    for (value, text) in table() {
        assert_eq!(value_to_json(&value).to_string(), text);
        let json: Json = serde_json::from_str(text).unwrap();
        assert_eq!(value_from_json(&json).unwrap(), value, "{text}");
    }
}

#[test]
fn input_may_be_shorter_than_output() {
    let read = |text: &str| value_from_json(&serde_json::from_str(text).unwrap()).unwrap();
    assert_eq!(read("7"), Value::Long(7));
    assert_eq!(read("18446744073709551615"), Value::Ulong(u64::MAX));
    assert_eq!(read("1.5"), Value::Double(1.5));
    assert_eq!(
        read(r#"{"list": [{"string": "a"}, {"boolean": true}, {"null": null}]}"#).to_string(),
        r#"["a", true, null]"#
    );
    assert_eq!(
        read(r#"{"map": {"k": {"uint": 1}}}"#).to_string(),
        r#"{"k"=1}"#
    );
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let fault = |text: &str| {
        message_from_json(&serde_json::from_str(text).unwrap())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        fault(r#"{"body": {"value": {"uint": -1}}}"#),
        "body.value.uint: -1 is not a whole number that fits uint"
    );
    assert_eq!(
        fault(r#"{"properties": {"too": "x"}}"#),
        "properties.too: there is no such property; your own go to application_properties"
    );
    assert_eq!(
        fault(r#"{"application_properties": {"a": {"b": 1}}}"#),
        "application_properties.a.b: there is no AMQP type of the name \"b\""
    );
    assert_eq!(
        fault(r#"{"body": {"data": ["*"]}}"#).split(':').next(),
        Some("body.data")
    );
    assert!(fault(r#"{"bodi": 1}"#).starts_with("bodi: there is no such section"));
    assert!(fault("[]").contains("should be a JSON object"));
    assert!(fault(r#"{"footer": [[1, 2], [1, 3]]}"#).contains("twice"));
    assert!(
        fault(r#"{"body": {"value": {"array": [1, "a"]}}}"#)
            .starts_with("body.value.array: element 1")
    );
    assert!(fault(r#"{"message_annotations": {"grün": 1}}"#).contains("ASCII"));
}

/// A message with everything in it.
fn full() -> Message {
    let annotations = |key: &'static str| {
        Map::from_iter([(
            Value::from(Symbol::from_static(key)),
            Value::List(table().into_iter().map(|(v, _)| v).collect()),
        )])
    };
    let mut message = Message::with_body(Body::Data(vec![
        Bytes::from_static(b"one"),
        Bytes::from_static(b"\xfe"),
    ]));
    message.set_header(Some(Header {
        durable: true,
        priority: 9,
        ttl: Some(1),
        first_acquirer: true,
        delivery_count: 7,
    }));
    message.set_delivery_annotations(Some(annotations("x-opt-d")));
    message.set_message_annotations(Some(Map::from_iter([(Value::Ulong(1), Value::Null)])));
    message.set_properties(Some(Properties {
        message_id: Some(MessageId::Ulong(u64::MAX)),
        user_id: Some(Bytes::from_static(b"\xffguest")),
        to: Some("to".into()),
        subject: Some("subject".into()),
        reply_to: Some("reply".into()),
        correlation_id: Some(MessageId::Uuid(Uuid([9; 16]))),
        content_type: Some(Symbol::from_static("text/plain")),
        content_encoding: Some(Symbol::from_static("gzip")),
        absolute_expiry_time: Some(Timestamp(i64::MAX)),
        creation_time: Some(Timestamp(-5)),
        group_id: Some("group".into()),
        group_sequence: Some(u32::MAX),
        reply_to_group_id: Some("other".into()),
    }));
    let properties = table()
        .into_iter()
        .filter(|(v, _)| !matches!(v, Value::List(_) | Value::Map(_) | Value::Array(_)));
    message.set_application_properties(Some(
        properties.map(|(v, text)| (Value::from(text), v)).collect(),
    ));
    message.set_footer(Some(annotations("x-sum")));
    message
}

#[test]
fn every_section_survives() {
    let bodies = [
        Body::Data(vec![Bytes::new()]),
        Body::Sequence(vec![vec![], vec![Value::Uint(1), Value::from("a")]]),
        Body::Value(Value::Null),
        Body::Value(Value::List(table().into_iter().map(|(v, _)| v).collect())),
    ];
    let mut messages = vec![full(), Message::new()];
    for body in bodies {
        let mut message = full();
        message.set_body(body);
        messages.push(message);
    }
    for message in messages {
        let text = message_to_json(&message).unwrap().to_string();
        let back = message_from_json(&serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(back.to_bytes(), message.to_bytes(), "{text}");
    }
}
