//! The header and the properties of a message, any field of them as a value.

use ferrion_engine::codec::Value;
use ferrion_engine::message::{Message, MessageId};

use super::ferrion_message_t;
use crate::status::{Failure, ferrion_status};
use crate::value::{Tape, ferrion_value_t};

/// The fields of the header (3.2.1) and of the properties (3.2.4), for `ferrion_message_get` and `ferrion_message_set`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_field {
    /// bool
    FERRION_FIELD_DURABLE = 1,
    /// ubyte
    FERRION_FIELD_PRIORITY = 2,
    /// uint, milliseconds
    FERRION_FIELD_TTL = 3,
    /// bool
    FERRION_FIELD_FIRST_ACQUIRER = 4,
    /// uint
    FERRION_FIELD_DELIVERY_COUNT = 5,
    /// ulong, uuid, binary or string
    FERRION_FIELD_ID = 10,
    /// binary
    FERRION_FIELD_USER_ID = 11,
    /// string; the field is called `to` in the specification
    FERRION_FIELD_ADDRESS = 12,
    /// string
    FERRION_FIELD_SUBJECT = 13,
    /// string
    FERRION_FIELD_REPLY_TO = 14,
    /// ulong, uuid, binary or string
    FERRION_FIELD_CORRELATION_ID = 15,
    /// symbol
    FERRION_FIELD_CONTENT_TYPE = 16,
    /// symbol
    FERRION_FIELD_CONTENT_ENCODING = 17,
    /// timestamp
    FERRION_FIELD_EXPIRY_TIME = 18,
    /// timestamp
    FERRION_FIELD_CREATION_TIME = 19,
    /// string
    FERRION_FIELD_GROUP_ID = 20,
    /// uint
    FERRION_FIELD_GROUP_SEQUENCE = 21,
    /// string
    FERRION_FIELD_REPLY_TO_GROUP_ID = 22,
}

/// Any field of the header or the properties, as a value of the type it has on the wire. `field` is a `ferrion_field`.
/// FERRION_ABSENT: the message does not have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_get(
    message: *const ferrion_message_t,
    field: i32,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object message, object out_value => {
        get(&message.message, field_from(field)?, &mut out_value)
    } }
}

/// Sets any field of the header or the properties. `field` is a `ferrion_field`; the value is of the type it has on the
/// wire. A null, or no value at all, removes the field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set(
    message: *mut ferrion_message_t,
    field: i32,
    value: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object message, object value => {
        let value = if value.is_empty() { Value::Null } else { value.single()? };
        set(&mut message.message, field_from(field)?, value)
    } }
}

/// The field that a number from C names.
fn field_from(number: i32) -> Result<ferrion_field, Failure> {
    use ferrion_field::*;
    let all = [
        FERRION_FIELD_DURABLE,
        FERRION_FIELD_PRIORITY,
        FERRION_FIELD_TTL,
        FERRION_FIELD_FIRST_ACQUIRER,
        FERRION_FIELD_DELIVERY_COUNT,
        FERRION_FIELD_ID,
        FERRION_FIELD_USER_ID,
        FERRION_FIELD_ADDRESS,
        FERRION_FIELD_SUBJECT,
        FERRION_FIELD_REPLY_TO,
        FERRION_FIELD_CORRELATION_ID,
        FERRION_FIELD_CONTENT_TYPE,
        FERRION_FIELD_CONTENT_ENCODING,
        FERRION_FIELD_EXPIRY_TIME,
        FERRION_FIELD_CREATION_TIME,
        FERRION_FIELD_GROUP_ID,
        FERRION_FIELD_GROUP_SEQUENCE,
        FERRION_FIELD_REPLY_TO_GROUP_ID,
    ];
    let found = all.into_iter().find(|field| *field as i32 == number);
    found.ok_or_else(|| Failure::invalid(format!("{number} is not a ferrion_field")))
}

/// Makes the field the value, made where it stays.
fn get(message: &Message, field: ferrion_field, out: &mut Tape) -> Result<(), Failure> {
    use ferrion_field::*;
    macro_rules! fill {
        ($found:expr) => {
            $found.map(|found| out.fill_one(found.into()))
        };
        // Text is shared with all properties, once they are decoded; of the rest only the field itself is looked at.
        (shared $field:ident) => {
            fill!(message.properties()?.and_then(|p| p.$field.clone()))
        };
    }
    // What the header leaves out has a default, but a header that is not there has no fields.
    let header = || message.header();
    let filled = match field {
        FERRION_FIELD_DURABLE => fill!(header()?.map(|h| h.durable)),
        FERRION_FIELD_PRIORITY => fill!(header()?.map(|h| h.priority)),
        FERRION_FIELD_TTL => fill!(header()?.and_then(|h| h.ttl)),
        FERRION_FIELD_FIRST_ACQUIRER => fill!(header()?.map(|h| h.first_acquirer)),
        FERRION_FIELD_DELIVERY_COUNT => fill!(header()?.map(|h| h.delivery_count)),
        FERRION_FIELD_ID => fill_id(message.message_id()?, out),
        FERRION_FIELD_USER_ID => fill!(shared user_id),
        FERRION_FIELD_ADDRESS => fill!(shared to),
        FERRION_FIELD_SUBJECT => fill!(shared subject),
        FERRION_FIELD_REPLY_TO => fill!(shared reply_to),
        FERRION_FIELD_CORRELATION_ID => fill_id(message.correlation_id()?, out),
        FERRION_FIELD_CONTENT_TYPE => fill!(shared content_type),
        FERRION_FIELD_CONTENT_ENCODING => fill!(shared content_encoding),
        FERRION_FIELD_EXPIRY_TIME => fill!(message.absolute_expiry_time()?),
        FERRION_FIELD_CREATION_TIME => fill!(message.creation_time()?),
        FERRION_FIELD_GROUP_ID => fill!(shared group_id),
        FERRION_FIELD_GROUP_SEQUENCE => fill!(message.group_sequence()?),
        FERRION_FIELD_REPLY_TO_GROUP_ID => fill!(shared reply_to_group_id),
    };
    filled.ok_or_else(Failure::absent)
}

fn fill_id(id: Option<MessageId>, out: &mut Tape) -> Option<()> {
    match id? {
        MessageId::Ulong(number) => out.fill_one(Value::Ulong(number)),
        MessageId::Uuid(uuid) => out.fill_one(Value::Uuid(uuid)),
        MessageId::Binary(octets) => out.fill_one(Value::Binary(octets)),
        MessageId::String(text) => out.fill_one(Value::String(text)),
    }
    Some(())
}

fn set(message: &mut Message, field: ferrion_field, value: Value) -> Result<(), Failure> {
    use ferrion_field::*;
    match field {
        FERRION_FIELD_DURABLE => {
            message.header_mut()?.durable = take(value)?.unwrap_or_default();
        }
        FERRION_FIELD_PRIORITY => {
            message.header_mut()?.priority = take(value)?.unwrap_or(4);
        }
        FERRION_FIELD_TTL => {
            message.header_mut()?.ttl = take(value)?;
        }
        FERRION_FIELD_FIRST_ACQUIRER => {
            message.header_mut()?.first_acquirer = take(value)?.unwrap_or_default();
        }
        FERRION_FIELD_DELIVERY_COUNT => {
            message.header_mut()?.delivery_count = take(value)?.unwrap_or_default();
        }
        FERRION_FIELD_ID => {
            message.properties_mut()?.message_id = id_from_value(value)?;
        }
        FERRION_FIELD_USER_ID => {
            message.properties_mut()?.user_id = take(value)?;
        }
        FERRION_FIELD_ADDRESS => {
            message.properties_mut()?.to = take(value)?;
        }
        FERRION_FIELD_SUBJECT => {
            message.properties_mut()?.subject = take(value)?;
        }
        FERRION_FIELD_REPLY_TO => {
            message.properties_mut()?.reply_to = take(value)?;
        }
        FERRION_FIELD_CORRELATION_ID => {
            message.properties_mut()?.correlation_id = id_from_value(value)?;
        }
        FERRION_FIELD_CONTENT_TYPE => {
            message.properties_mut()?.content_type = take(value)?;
        }
        FERRION_FIELD_CONTENT_ENCODING => {
            message.properties_mut()?.content_encoding = take(value)?;
        }
        FERRION_FIELD_EXPIRY_TIME => {
            message.properties_mut()?.absolute_expiry_time = take(value)?;
        }
        FERRION_FIELD_CREATION_TIME => {
            message.properties_mut()?.creation_time = take(value)?;
        }
        FERRION_FIELD_GROUP_ID => {
            message.properties_mut()?.group_id = take(value)?;
        }
        FERRION_FIELD_GROUP_SEQUENCE => {
            message.properties_mut()?.group_sequence = take(value)?;
        }
        FERRION_FIELD_REPLY_TO_GROUP_ID => {
            message.properties_mut()?.reply_to_group_id = take(value)?;
        }
    }
    Ok(())
}

/// The native form of a value; null is nothing.
fn take<T: TryFrom<Value, Error: core::fmt::Display>>(value: Value) -> Result<Option<T>, Failure> {
    if value.is_null() {
        return Ok(None);
    }
    let wrong =
        |error: T::Error| Failure::new(ferrion_status::FERRION_WRONG_TYPE, error.to_string());
    T::try_from(value).map(Some).map_err(wrong)
}

fn id_from_value(value: Value) -> Result<Option<MessageId>, Failure> {
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::Ulong(number) => MessageId::Ulong(number),
        Value::Uuid(uuid) => MessageId::Uuid(uuid),
        Value::Binary(octets) => MessageId::Binary(octets),
        Value::String(text) => MessageId::String(text),
        other => {
            return Err(Failure::new(
                ferrion_status::FERRION_WRONG_TYPE,
                format!(
                    "an id is a ulong, uuid, binary or string, not a {:?}",
                    other.type_of()
                ),
            ));
        }
    }))
}
