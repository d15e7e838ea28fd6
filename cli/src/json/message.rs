//! Messages as JSON and back.
//!
//! A message is an object with a member for each section it has; annotations, application properties and the footer are
//! objects (or arrays of pairs, where a key is not plain text of the usual type):
//!
//! ```text
//! {"header": {"durable": true, "priority": 4, "ttl": 1000, "first_acquirer": false, "delivery_count": 0},
//!  "delivery_annotations": {"x-opt-a": VALUE}, "message_annotations": {...},
//!  "properties": {"message_id": VALUE, "user_id": {"binary": BASE64}, "to": "queue", "creation_time": 1700000000000, ...},
//!  "application_properties": {"name": VALUE}, "body": {"data": [BASE64, ...]} or {"sequence": [[VALUE, ...], ...]} or
//!  {"value": VALUE}, "footer": {...}}
//! ```
//!
//! On input every member may be left out, and a body that is a string is short for `{"value": "..."}`.

use ferrion_engine::codec::{DecodeError, Map, Str, Symbol, Timestamp, Value};
use ferrion_engine::message::{Body, Header, Message, MessageId, Properties};

use super::JsonError;
use super::number::{integer_from_json, integer_to_json};
use super::value::{
    Json, Object, binary_from_json, binary_to_json, brief, list_of, map_from_json, object,
    pairs_to_json, symbol_from_json, text_of, value_from_json, value_to_json, values_from_json,
};

/// The JSON form of a message.
///
/// # Errors
/// A section cannot be decoded.
pub(crate) fn message_to_json(message: &Message) -> Result<Json, DecodeError> {
    let mut json = Object::new();
    let mut put = |name: &str, section: Option<Json>| {
        if let Some(section) = section {
            json.insert(name.to_owned(), section);
        }
    };
    put("header", message.header()?.map(header_to_json));
    put(
        "delivery_annotations",
        message.delivery_annotations()?.map(annotations_to_json),
    );
    put(
        "message_annotations",
        message.message_annotations()?.map(annotations_to_json),
    );
    put("properties", message.properties()?.map(properties_to_json));
    put(
        "application_properties",
        message.application_properties()?.map(text_keys_to_json),
    );
    put("body", Some(body_to_json(message.body()?)));
    put("footer", message.footer()?.map(annotations_to_json));
    Ok(Json::Object(json))
}

/// The message that a JSON form stands for.
///
/// # Errors
/// It is no such form; the error says where and why.
pub(crate) fn message_from_json(json: &Json) -> Result<Message, JsonError> {
    let mut message = Message::new();
    for (name, section) in members(json)? {
        set_section(&mut message, name, section).map_err(|e| e.within(name))?;
    }
    Ok(message)
}

// ---- sections to JSON ---------------------------------------------------------------------------------------------

fn header_to_json(header: &Header) -> Json {
    object([
        ("durable", Json::from(header.durable)),
        ("priority", Json::from(header.priority)),
        ("ttl", header.ttl.map_or(Json::Null, Json::from)),
        ("first_acquirer", Json::from(header.first_acquirer)),
        ("delivery_count", Json::from(header.delivery_count)),
    ])
}

fn properties_to_json(properties: &Properties) -> Json {
    let Properties {
        message_id,
        user_id,
        to,
        subject,
        reply_to,
        correlation_id,
        content_type,
        content_encoding,
        absolute_expiry_time,
        creation_time,
        group_id,
        group_sequence,
        reply_to_group_id,
    } = properties;
    let id = |id: &Option<MessageId>| id.as_ref().map(|id| value_to_json(&id_to_value(id)));
    let text = |text: &Option<Str>| text.as_ref().map(|text| Json::from(text.as_str()));
    let symbol =
        |symbol: &Option<Symbol>| symbol.as_ref().map(|symbol| Json::from(symbol.as_str()));
    let time = |time: &Option<Timestamp>| time.map(|time| integer_to_json(time.0.into()));
    let members = [
        ("message_id", id(message_id)),
        (
            "user_id",
            user_id
                .as_ref()
                .map(|octets| object([("binary", binary_to_json(octets))])),
        ),
        ("to", text(to)),
        ("subject", text(subject)),
        ("reply_to", text(reply_to)),
        ("correlation_id", id(correlation_id)),
        ("content_type", symbol(content_type)),
        ("content_encoding", symbol(content_encoding)),
        ("absolute_expiry_time", time(absolute_expiry_time)),
        ("creation_time", time(creation_time)),
        ("group_id", text(group_id)),
        ("group_sequence", group_sequence.map(Json::from)),
        ("reply_to_group_id", text(reply_to_group_id)),
    ];
    let present = members
        .into_iter()
        .filter_map(|(name, json)| Some((name.to_owned(), json?)));
    Json::Object(present.collect())
}

/// An object where every key is a symbol, else an array of pairs.
fn annotations_to_json(map: &Map) -> Json {
    keyed_to_json(map, |key| match key {
        Value::Symbol(symbol) => Some(symbol.as_str()),
        _ => None,
    })
}

/// An object where every key is a string, else an array of pairs.
fn text_keys_to_json(map: &Map) -> Json {
    keyed_to_json(map, |key| match key {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    })
}

fn keyed_to_json(map: &Map, name: fn(&Value) -> Option<&str>) -> Json {
    let members: Option<Object> = map
        .iter()
        .map(|(k, v)| Some((name(k)?.to_owned(), value_to_json(v))))
        .collect();
    members.map_or_else(|| pairs_to_json(map), Json::Object)
}

fn body_to_json(body: &Body) -> Json {
    match body {
        Body::Data(sections) => object([(
            "data",
            sections
                .iter()
                .map(|octets| binary_to_json(octets))
                .collect(),
        )]),
        Body::Sequence(lists) => {
            let lists = lists
                .iter()
                .map(|list| list.iter().map(value_to_json).collect::<Json>());
            object([("sequence", lists.collect())])
        }
        Body::Value(value) => object([("value", value_to_json(value))]),
    }
}

fn id_to_value(id: &MessageId) -> Value {
    match id {
        MessageId::Ulong(n) => Value::Ulong(*n),
        MessageId::Uuid(uuid) => Value::Uuid(*uuid),
        MessageId::Binary(octets) => Value::Binary(octets.clone()),
        MessageId::String(text) => Value::String(text.clone()),
    }
}

// ---- sections from JSON -------------------------------------------------------------------------------------------

fn set_section(message: &mut Message, name: &str, json: &Json) -> Result<(), JsonError> {
    match name {
        "header" => message.set_header(Some(header_from_json(json)?)),
        "delivery_annotations" => {
            message.set_delivery_annotations(Some(annotations_from_json(json)?));
        }
        "message_annotations" => {
            message.set_message_annotations(Some(annotations_from_json(json)?));
        }
        "properties" => message.set_properties(Some(properties_from_json(json)?)),
        "application_properties" => {
            message.set_application_properties(Some(map_from_json(json, |name| {
                Ok(Value::from(name))
            })?));
        }
        "body" => message.set_body(body_from_json(json)?),
        "footer" => message.set_footer(Some(annotations_from_json(json)?)),
        _ => {
            let known = "header, delivery_annotations, message_annotations, properties, application_properties, body, footer";
            return Err(JsonError::new(format!(
                "there is no such section; the sections are {known}"
            )));
        }
    }
    Ok(())
}

fn header_from_json(json: &Json) -> Result<Header, JsonError> {
    let mut header = Header::default();
    for (name, json) in members(json)? {
        set_header_field(&mut header, name, json).map_err(|e| e.within(name))?;
    }
    Ok(header)
}

fn set_header_field(header: &mut Header, name: &str, json: &Json) -> Result<(), JsonError> {
    let flag = || {
        json.as_bool()
            .ok_or_else(|| JsonError::new("should be true or false"))
    };
    match name {
        "durable" => header.durable = flag()?,
        "priority" => header.priority = integer_from_json(json, "ubyte")?,
        "ttl" if json.is_null() => header.ttl = None,
        "ttl" => header.ttl = Some(integer_from_json(json, "uint (milliseconds)")?),
        "first_acquirer" => header.first_acquirer = flag()?,
        "delivery_count" => header.delivery_count = integer_from_json(json, "uint")?,
        _ => return Err(JsonError::new("the header has no such field")),
    }
    Ok(())
}

fn properties_from_json(json: &Json) -> Result<Properties, JsonError> {
    let mut properties = Properties::default();
    for (name, json) in members(json)?
        .into_iter()
        .filter(|(_, json)| !json.is_null())
    {
        set_property_field(&mut properties, name, json).map_err(|e| e.within(name))?;
    }
    Ok(properties)
}

fn set_property_field(
    properties: &mut Properties,
    name: &str,
    json: &Json,
) -> Result<(), JsonError> {
    let text = || text_of(json).map(|text| Some(Str::from(text)));
    let time = || integer_from_json(json, "timestamp").map(|t| Some(Timestamp(t)));
    match name {
        "message_id" => properties.message_id = Some(id_from_json(json)?),
        "user_id" => properties.user_id = Some(octets_from_json(json)?),
        "to" => properties.to = text()?,
        "subject" => properties.subject = text()?,
        "reply_to" => properties.reply_to = text()?,
        "correlation_id" => properties.correlation_id = Some(id_from_json(json)?),
        "content_type" => properties.content_type = Some(symbol_from_json(json)?),
        "content_encoding" => properties.content_encoding = Some(symbol_from_json(json)?),
        "absolute_expiry_time" => properties.absolute_expiry_time = time()?,
        "creation_time" => properties.creation_time = time()?,
        "group_id" => properties.group_id = text()?,
        "group_sequence" => properties.group_sequence = Some(integer_from_json(json, "uint")?),
        "reply_to_group_id" => properties.reply_to_group_id = text()?,
        _ => {
            return Err(JsonError::new(
                "there is no such property; your own go to application_properties",
            ));
        }
    }
    Ok(())
}

/// Octets: an object `{"binary": BASE64}`, or text for its UTF-8 octets.
fn octets_from_json(json: &Json) -> Result<bytes::Bytes, JsonError> {
    match value_from_json(json)? {
        Value::Binary(octets) => Ok(octets),
        Value::String(text) => Ok(text.into_bytes()),
        other => Err(JsonError::new(format!(
            "{other} should be text or {{\"binary\": BASE64}}"
        ))),
    }
}

fn id_from_json(json: &Json) -> Result<MessageId, JsonError> {
    match value_from_json(json)? {
        Value::Ulong(n) => Ok(MessageId::Ulong(n)),
        Value::Uuid(uuid) => Ok(MessageId::Uuid(uuid)),
        Value::Binary(octets) => Ok(MessageId::Binary(octets)),
        Value::String(text) => Ok(MessageId::String(text)),
        other => Err(JsonError::new(format!(
            "{other} cannot be an id: use a ulong, uuid, binary or string"
        ))),
    }
}

fn annotations_from_json(json: &Json) -> Result<Map, JsonError> {
    map_from_json(json, |name| {
        symbol_from_json(&Json::from(name)).map(Value::Symbol)
    })
}

fn body_from_json(json: &Json) -> Result<Body, JsonError> {
    let Some(object) = json.as_object() else {
        return Ok(Body::Value(value_from_json(json)?));
    };
    let (Some((name, json)), 1) = (object.iter().next(), object.len()) else {
        return Err(JsonError::new(
            "should have one member: data, sequence or value",
        ));
    };
    let body = match name.as_str() {
        "data" => list_of(json)
            .and_then(|sections| sections.iter().map(binary_from_json).collect())
            .map(Body::Data),
        "sequence" => list_of(json)
            .and_then(|lists| {
                lists
                    .iter()
                    .map(|list| values_from_json(list_of(list)?))
                    .collect()
            })
            .map(Body::Sequence),
        "value" => value_from_json(json).map(Body::Value),
        _ => Err(JsonError::new("should be data, sequence or value")),
    };
    body.map_err(|e| e.within(name))
}

fn members(json: &Json) -> Result<&Object, JsonError> {
    json.as_object()
        .ok_or_else(|| JsonError::new(format!("{} should be a JSON object", brief(json))))
}
