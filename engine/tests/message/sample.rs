//! Octets from hexadecimal text, and one value of each type.

use bytes::Bytes;
use ferrion_engine::codec::{
    Array, Decimal32, Decimal64, Decimal128, Map, Str, Symbol, Timestamp, Uuid, Value,
};

/// Octets from hexadecimal text; blanks count for nothing.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2);
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(octet).collect()
}

/// At least one value of every type, with the extremes that are easy to get wrong.
pub(crate) fn simple_values() -> Vec<Value> {
    let long = "long text ".repeat(30);
    vec![
        Value::Null,
        Value::Bool(true),
        Value::Bool(false),
        Value::Ubyte(0),
        Value::Ubyte(255),
        Value::Ushort(65_535),
        Value::Uint(0),
        Value::Uint(255),
        Value::Uint(256),
        Value::Uint(u32::MAX),
        Value::Ulong(0),
        Value::Ulong(255),
        Value::Ulong(256),
        Value::Ulong(u64::MAX),
        Value::Byte(-128),
        Value::Short(i16::MIN),
        Value::Int(-128),
        Value::Int(-129),
        Value::Int(i32::MAX),
        Value::Long(127),
        Value::Long(128),
        Value::Long(i64::MIN),
        Value::Float(f32::NAN),
        Value::Float(-0.0),
        Value::Double(f64::NEG_INFINITY),
        Value::Double(1.5e300),
        Value::Decimal32(Decimal32([0x22, 0x50, 0, 1])),
        Value::Decimal64(Decimal64([0x22, 0x34, 0, 0, 0, 0, 0, 7])),
        Value::Decimal128(Decimal128([0x22; 16])),
        Value::Char('x'),
        Value::Char('\u{10ffff}'),
        Value::Timestamp(Timestamp(-62_135_596_800_000)),
        Value::Timestamp(Timestamp(i64::MAX)),
        Value::Uuid(Uuid([0xa5; 16])),
        Value::Binary(Bytes::new()),
        Value::Binary(Bytes::from(vec![0; 256])),
        Value::String(Str::from("")),
        Value::String(Str::from("naïve \u{1f980}")),
        Value::String(Str::from(long.as_str())),
        Value::Symbol(Symbol::from_static("x-opt-a")),
        Value::Symbol(Symbol::try_from(long.as_str()).unwrap()),
    ]
}

/// Values that hold others.
fn compound_values() -> Vec<Value> {
    let mut map = Map::new();
    map.insert("text", "value");
    map.insert(Symbol::from_static("symbol"), Value::Null);
    map.insert(7_u64, vec![Value::from(1_u8)]);
    let array = |items: Vec<Value>| Value::from(Array::new(items).unwrap());
    let numbers = array(vec![Value::from(1_u32), Value::from(70_000_u32)]);
    vec![
        Value::List(vec![]),
        Value::List(simple_values()),
        Value::Map(Map::new()),
        Value::Map(map.clone()),
        Value::List(vec![
            Value::Map(map),
            Value::List(vec![Value::List(vec![])]),
        ]),
        array(vec![]),
        array(vec![Value::Bool(true), Value::Bool(false)]),
        array(vec![Value::from("a"), Value::from("b")]),
        array(vec![numbers.clone(), numbers]),
        array(vec![
            Value::described(1_u64, "a"),
            Value::described(1_u64, "b"),
        ]),
        Value::described(Symbol::from_static("org.example:thing"), 4_i32),
        Value::described(
            0x0000_468c_0000_0004_u64,
            vec![Value::described("x", Value::Null)],
        ),
    ]
}

/// Values of all types.
pub(crate) fn values() -> Vec<Value> {
    let mut all = simple_values();
    all.extend(compound_values());
    all
}
