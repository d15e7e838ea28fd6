//! AMQP values as JSON and back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use ferrion_engine::codec::{
    Array, Decimal32, Decimal64, Decimal128, Map, Symbol, Timestamp, Type, Uuid, Value,
};

use super::JsonError;
use super::number::{
    double_from_json, double_to_json, float_from_json, float_to_json, integer_from_json,
    integer_to_json,
};

/// A JSON value.
pub(crate) type Json = serde_json::Value;
/// A JSON object, its members in order.
pub(super) type Object = serde_json::Map<String, Json>;

/// The JSON form of a value.
pub(super) fn value_to_json(value: &Value) -> Json {
    let (name, json) = match value {
        Value::Null => return Json::Null,
        Value::Bool(b) => return Json::from(*b),
        Value::String(text) => return Json::from(text.as_str()),
        Value::List(items) => return items.iter().map(value_to_json).collect(),
        Value::Ubyte(n) => ("ubyte", integer_to_json((*n).into())),
        Value::Ushort(n) => ("ushort", integer_to_json((*n).into())),
        Value::Uint(n) => ("uint", integer_to_json((*n).into())),
        Value::Ulong(n) => ("ulong", integer_to_json((*n).into())),
        Value::Byte(n) => ("byte", integer_to_json((*n).into())),
        Value::Short(n) => ("short", integer_to_json((*n).into())),
        Value::Int(n) => ("int", integer_to_json((*n).into())),
        Value::Long(n) => ("long", integer_to_json((*n).into())),
        Value::Float(f) => ("float", float_to_json(*f)),
        Value::Double(f) => ("double", double_to_json(*f)),
        Value::Decimal32(d) => ("decimal32", Json::from(hex(&d.0))),
        Value::Decimal64(d) => ("decimal64", Json::from(hex(&d.0))),
        Value::Decimal128(d) => ("decimal128", Json::from(hex(&d.0))),
        Value::Char(c) => ("char", Json::from(c.to_string())),
        Value::Timestamp(t) => ("timestamp", integer_to_json(t.0.into())),
        Value::Uuid(uuid) => ("uuid", Json::from(uuid.to_string())),
        Value::Binary(octets) => ("binary", binary_to_json(octets)),
        Value::Symbol(symbol) => ("symbol", Json::from(symbol.as_str())),
        Value::Map(map) => ("map", pairs_to_json(map)),
        Value::Array(array) => return array_to_json(array),
        Value::Described(described) => {
            let pair = [
                value_to_json(&described.descriptor),
                value_to_json(&described.value),
            ];
            ("described", pair.into_iter().collect())
        }
    };
    object([(name, json)])
}

/// The value that a JSON form stands for.
pub(super) fn value_from_json(json: &Json) -> Result<Value, JsonError> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::List(values_from_json(items)?),
        Json::Number(n) => match n.as_i64() {
            Some(long) => Value::Long(long),
            None if n.is_u64() => Value::Ulong(integer_from_json(json, "ulong")?),
            None => Value::Double(double_from_json(json)?),
        },
        Json::Object(object) => typed_from_json(object)?,
    })
}

pub(super) fn binary_to_json(octets: &[u8]) -> Json {
    Json::from(BASE64.encode(octets))
}

pub(super) fn binary_from_json(json: &Json) -> Result<Bytes, JsonError> {
    let text = text_of(json)?;
    let octets = BASE64
        .decode(text)
        .map_err(|e| JsonError::new(format!("not base64: {e}")))?;
    Ok(octets.into())
}

pub(super) fn symbol_from_json(json: &Json) -> Result<Symbol, JsonError> {
    Symbol::try_from(text_of(json)?).map_err(|e| JsonError::new(e.to_string()))
}

pub(super) fn text_of(json: &Json) -> Result<&str, JsonError> {
    json.as_str()
        .ok_or_else(|| JsonError::new(format!("{} should be a string", brief(json))))
}

pub(super) fn list_of(json: &Json) -> Result<&Vec<Json>, JsonError> {
    json.as_array()
        .ok_or_else(|| JsonError::new(format!("{} should be a JSON array", brief(json))))
}

pub(super) fn values_from_json(items: &[Json]) -> Result<Vec<Value>, JsonError> {
    items
        .iter()
        .enumerate()
        .map(|(i, item)| value_from_json(item).map_err(|e| e.within(i)))
        .collect()
}

/// A map as an array of pairs.
pub(super) fn pairs_to_json(map: &Map) -> Json {
    map.iter()
        .map(|(k, v)| Json::from(vec![value_to_json(k), value_to_json(v)]))
        .collect()
}

/// A map from an array of pairs, or from an object whose names become keys by `key`.
pub(super) fn map_from_json(
    json: &Json,
    key: fn(&str) -> Result<Value, JsonError>,
) -> Result<Map, JsonError> {
    let mut map = Map::new();
    let mut insert = |k: Value, v: Value| match map.insert(k.clone(), v) {
        None => Ok(()),
        Some(_) => Err(JsonError::new(format!("the key {k} is there twice"))),
    };
    match json {
        Json::Object(members) => {
            for (name, value) in members {
                insert(
                    key(name)?,
                    value_from_json(value).map_err(|e| e.within(name))?,
                )?;
            }
        }
        Json::Array(pairs) => {
            for (i, pair) in pairs.iter().enumerate() {
                let (k, v) = pair_from_json(pair).map_err(|e| e.within(i))?;
                insert(k, v)?;
            }
        }
        other => {
            return Err(JsonError::new(format!(
                "{} should be an object or an array of pairs",
                brief(other)
            )));
        }
    }
    Ok(map)
}

pub(super) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(
        members
            .into_iter()
            .map(|(name, json)| (name.to_owned(), json))
            .collect(),
    )
}

/// The start of some JSON, for an error text.
pub(super) fn brief(json: &Json) -> String {
    let text = json.to_string();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

// ---- the objects with one member ----------------------------------------------------------------------------------

fn typed_from_json(object: &Object) -> Result<Value, JsonError> {
    if let Some(of) = object.get("of") {
        return empty_array(object, of);
    }
    let (Some((name, json)), 1) = (object.iter().next(), object.len()) else {
        let shown = brief(&Json::Object(object.clone()));
        let advice =
            r#"should have one member, an AMQP type such as {"uint": 7}; a map is {"map": {...}}"#;
        return Err(JsonError::new(format!("{shown} {advice}")));
    };
    value_of_type(name, json).map_err(|e| e.within(name))
}

fn value_of_type(name: &str, json: &Json) -> Result<Value, JsonError> {
    Ok(match name {
        "null" => Value::Null,
        "boolean" => Value::Bool(
            json.as_bool()
                .ok_or_else(|| JsonError::new("should be true or false"))?,
        ),
        "ubyte" => Value::Ubyte(integer_from_json(json, name)?),
        "ushort" => Value::Ushort(integer_from_json(json, name)?),
        "uint" => Value::Uint(integer_from_json(json, name)?),
        "ulong" => Value::Ulong(integer_from_json(json, name)?),
        "byte" => Value::Byte(integer_from_json(json, name)?),
        "short" => Value::Short(integer_from_json(json, name)?),
        "int" => Value::Int(integer_from_json(json, name)?),
        "long" => Value::Long(integer_from_json(json, name)?),
        "float" => Value::Float(float_from_json(json)?),
        "double" => Value::Double(double_from_json(json)?),
        "decimal32" => Value::Decimal32(Decimal32(unhex(json)?)),
        "decimal64" => Value::Decimal64(Decimal64(unhex(json)?)),
        "decimal128" => Value::Decimal128(Decimal128(unhex(json)?)),
        "char" => Value::Char(char_from_json(json)?),
        "timestamp" => Value::Timestamp(Timestamp(integer_from_json(json, name)?)),
        "uuid" => Value::Uuid(Uuid(unhex(json)?)),
        "binary" => Value::Binary(binary_from_json(json)?),
        "string" => Value::from(text_of(json)?),
        "symbol" => Value::Symbol(symbol_from_json(json)?),
        "list" => Value::List(values_from_json(list_of(json)?)?),
        "map" => Value::Map(map_from_json(json, |name| Ok(Value::from(name)))?),
        "array" => {
            let array = Array::new(values_from_json(list_of(json)?)?);
            Value::from(array.map_err(|e| JsonError::new(e.to_string()))?)
        }
        "described" => {
            let (descriptor, value) = pair_from_json(json)?;
            Value::described(descriptor, value)
        }
        other => {
            return Err(JsonError::new(format!(
                "there is no AMQP type of the name {other:?}"
            )));
        }
    })
}

fn pair_from_json(json: &Json) -> Result<(Value, Value), JsonError> {
    let [first, second] = pair_of(json)?;
    Ok((value_from_json(first)?, value_from_json(second)?))
}

fn pair_of(json: &Json) -> Result<&[Json; 2], JsonError> {
    let pair = json
        .as_array()
        .and_then(|items| items.as_slice().try_into().ok());
    pair.ok_or_else(|| JsonError::new(format!("{} should be an array of two", brief(json))))
}

fn char_from_json(json: &Json) -> Result<char, JsonError> {
    let mut chars = text_of(json)?.chars();
    match (chars.next(), chars.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(JsonError::new("should be a string of one character")),
    }
}

// ---- arrays -------------------------------------------------------------------------------------------------------

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

/// The elements; without any, also the type that they would have, with its descriptors.
fn array_to_json(array: &Array) -> Json {
    if !array.is_empty() {
        let items = array.clone().into_values();
        return object([("array", items.iter().map(value_to_json).collect())]);
    }
    let name = TYPES.iter().find(|(_, t)| *t == array.element_type());
    let bare = Json::from(name.map_or("null", |(name, _)| name));
    let described = |of, descriptor| {
        object([(
            "described",
            Json::Array(vec![value_to_json(descriptor), of]),
        )])
    };
    let of = array.descriptors().iter().rev().fold(bare, described);
    object([("array", Json::Array(Vec::new())), ("of", of)])
}

fn empty_array(object: &Object, of: &Json) -> Result<Value, JsonError> {
    let is_empty = |json: &Json| json.as_array().is_some_and(Vec::is_empty);
    if object.len() != 2 || !object.get("array").is_some_and(is_empty) {
        return Err(JsonError::new(
            r#""of" belongs to an empty array only: {"array": [], "of": "uint"}"#,
        ));
    }
    let mut descriptors = Vec::new();
    let mut of = of;
    while let Some(both) = of.as_object().and_then(|object| object.get("described")) {
        let [descriptor, inner] = pair_of(both).map_err(|e| e.within("of"))?;
        descriptors.push(value_from_json(descriptor).map_err(|e| e.within("of"))?);
        of = inner;
    }
    let name = text_of(of).map_err(|e| e.within("of"))?;
    let Some((_, element)) = TYPES.iter().find(|(known, _)| *known == name) else {
        let text = format!("there is no AMQP type of the name {name:?}");
        return Err(JsonError::new(text).within("of"));
    };
    let array = Array::with_descriptors(*element, descriptors, Vec::new());
    Ok(Value::from(
        array.map_err(|e| JsonError::new(e.to_string()))?,
    ))
}

// ---- hexadecimal --------------------------------------------------------------------------------------------------

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Exactly `N` octets from hexadecimal digits; hyphens, as in a uuid, do not count.
fn unhex<const N: usize>(json: &Json) -> Result<[u8; N], JsonError> {
    let wrong = || {
        JsonError::new(format!(
            "{} should be {} hexadecimal digits",
            brief(json),
            2 * N
        ))
    };
    let digits: Option<Vec<u8>> = text_of(json)?
        .chars()
        .filter(|c| *c != '-')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits
        .filter(|digits| digits.len() == 2 * N)
        .ok_or_else(wrong)?;
    let mut octets = [0; N];
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        *octet = pair.iter().fold(0, |sum, digit| sum << 4 | digit);
    }
    Ok(octets)
}
