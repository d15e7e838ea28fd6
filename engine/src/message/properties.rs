//! The header and the standard properties of a message, and what identifies one.

use alloc::{string::String, vec::Vec};
use core::fmt;

use bytes::Bytes;

use crate::codec::{
    Decode, DecodeError, Encode, Reader, Str, Symbol, Timestamp, Trace, Uuid, Value, WrongType,
    code, composite, show::Octets,
};

composite! {
    /// The header: how the message is to be delivered (3.2.1). Intermediaries may change it.
    pub struct Header: "amqp:header:list" = 0x70 {
        /// Whether the message must survive the failure of an intermediary.
        durable: bool = "durable" "boolean" default(false, "false"),
        /// The priority, higher numbers first.
        priority: u8 = "priority" "ubyte" default(Header::DEFAULT_PRIORITY, "4"),
        /// The time to live in milliseconds.
        ttl: Option<u32> = "ttl" "milliseconds" optional,
        /// Whether the message was not acquired by any other link before.
        first_acquirer: bool = "first-acquirer" "boolean" default(false, "false"),
        /// The number of unsuccessful attempts to deliver the message before this one.
        delivery_count: u32 = "delivery-count" "uint" default(0, "0"),
    }
}

impl Header {
    /// The priority of a message that says nothing about it.
    pub const DEFAULT_PRIORITY: u8 = 4;

    /// Reads a short list whose fields are in the forms that encoders choose; `None` for any other and for what is wrong,
    /// which the table has to tell apart.
    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "of octets that are there, the count before them among them"
    )]
    pub(super) fn quick(list: &[u8]) -> Option<Self> {
        let [code::LIST8, size, count, rest @ ..] = list else {
            return None;
        };
        let mut fields = ShortFields { left: *count, rest };
        let header = Self {
            durable: fields.flag()?,
            priority: fields.priority()?,
            ttl: fields.uint()?,
            first_acquirer: fields.flag()?,
            delivery_count: fields.uint()?.unwrap_or(0),
        };
        let is_whole = usize::from(*size) == rest.len() + 1;
        let is_read = fields.left == 0 && fields.rest.is_empty();
        (is_whole && is_read).then_some(header)
    }
}

/// The fields of a short list, read one after the other; those left out at its end are null.
struct ShortFields<'a> {
    left: u8,
    rest: &'a [u8],
}

impl ShortFields<'_> {
    #[inline(always)]
    fn flag(&mut self) -> Option<bool> {
        match self.constructor()? {
            code::NULL | code::FALSE => Some(false),
            code::TRUE => Some(true),
            _ => None,
        }
    }

    #[inline(always)]
    fn priority(&mut self) -> Option<u8> {
        match self.constructor()? {
            code::NULL => Some(Header::DEFAULT_PRIORITY),
            code::UBYTE => self.octets().map(|[priority]| priority),
            _ => None,
        }
    }

    #[inline(always)]
    fn uint(&mut self) -> Option<Option<u32>> {
        Some(match self.constructor()? {
            code::NULL => None,
            code::UINT => Some(u32::from_be_bytes(self.octets()?)),
            code::UINT_SMALL => self.octets().map(|[small]| Some(small.into()))?,
            code::UINT_ZERO => Some(0),
            _ => return None,
        })
    }

    /// The constructor of the next field.
    #[inline(always)]
    fn constructor(&mut self) -> Option<u8> {
        let Some(left) = self.left.checked_sub(1) else {
            return Some(code::NULL);
        };
        self.left = left;
        self.octets().map(|[constructor]| constructor)
    }

    #[inline(always)]
    fn octets<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (octets, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*octets)
    }
}

composite! {
    /// The standard properties (3.2.4). They belong to the sender; intermediaries leave them as they are.
    pub struct Properties: "amqp:properties:list" = 0x73 {
        /// Identifies the message.
        message_id: Option<MessageId> = "message-id" "*" optional,
        /// The identity of the user that made the message.
        user_id: Option<Bytes> = "user-id" "binary" optional,
        /// The address of the node that the message is for.
        to: Option<Str> = "to" "*" optional,
        /// What the message is about.
        subject: Option<Str> = "subject" "string" optional,
        /// The address of the node that replies go to.
        reply_to: Option<Str> = "reply-to" "*" optional,
        /// Ties the message to others, mostly a reply to its request.
        correlation_id: Option<MessageId> = "correlation-id" "*" optional,
        /// The MIME type of a body of data sections.
        content_type: Option<Symbol> = "content-type" "symbol" optional,
        /// The encodings applied on top of the content type.
        content_encoding: Option<Symbol> = "content-encoding" "symbol" optional,
        /// When the message expires.
        absolute_expiry_time: Option<Timestamp> = "absolute-expiry-time" "timestamp" optional,
        /// When the message was made.
        creation_time: Option<Timestamp> = "creation-time" "timestamp" optional,
        /// The group that the message belongs to.
        group_id: Option<Str> = "group-id" "string" optional,
        /// The place of the message in its group, a serial number.
        group_sequence: Option<u32> = "group-sequence" "sequence-no" optional,
        /// The group that replies belong to.
        reply_to_group_id: Option<Str> = "reply-to-group-id" "string" optional,
    }
}

/// Identifies a message, or ties it to others (3.2.11 to 3.2.14).
///
/// ```
/// use ferrion_engine::message::MessageId;
///
/// assert_eq!(MessageId::from(7).to_string(), "7");
/// assert_eq!(MessageId::from("order-7").to_string(), "order-7");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum MessageId {
    /// A number.
    Ulong(u64),
    /// A UUID.
    Uuid(Uuid),
    /// Octets.
    Binary(Bytes),
    /// Text.
    String(Str),
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ulong(number) => number.fmt(f),
            Self::Uuid(uuid) => uuid.fmt(f),
            Self::Binary(octets) => Octets(octets).fmt(f),
            Self::String(text) => text.fmt(f),
        }
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.trace(f)
    }
}

impl Trace for MessageId {
    fn trace(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Quoted, so that the text "7" is not taken for the number.
            Self::String(text) => text.trace(f),
            other => fmt::Display::fmt(other, f),
        }
    }
}

impl Encode for MessageId {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ulong(number) => number.encode(out),
            Self::Uuid(uuid) => uuid.encode(out),
            Self::Binary(octets) => octets.encode(out),
            Self::String(text) => text.encode(out),
        }
    }
}

impl Decode for MessageId {
    #[inline]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match constructor {
            code::STRING8 | code::STRING32 => Str::decode_as(constructor, r).map(Self::String),
            code::ULONG | code::ULONG_SMALL | code::ULONG_ZERO => {
                u64::decode_as(constructor, r).map(Self::Ulong)
            }
            code::UUID => Uuid::decode_as(constructor, r).map(Self::Uuid),
            code::BINARY8 | code::BINARY32 => Bytes::decode_as(constructor, r).map(Self::Binary),
            other => Err(r.wrong_type("a message id (ulong, uuid, binary or string)", other)),
        }
    }
}

macro_rules! from {
    ($($Type:ty => $Variant:ident),* $(,)?) => {$(
        impl From<$Type> for MessageId {
            fn from(id: $Type) -> Self {
                Self::$Variant(id.into())
            }
        }
    )*};
}

from! {
    u64 => Ulong, Uuid => Uuid, Bytes => Binary, Vec<u8> => Binary, &str => String, String => String, Str => String,
}

impl From<MessageId> for Value {
    fn from(id: MessageId) -> Self {
        match id {
            MessageId::Ulong(number) => number.into(),
            MessageId::Uuid(uuid) => uuid.into(),
            MessageId::Binary(octets) => octets.into(),
            MessageId::String(text) => text.into(),
        }
    }
}

impl TryFrom<Value> for MessageId {
    type Error = WrongType;

    /// # Errors
    /// The value is neither ulong, uuid, binary nor string.
    fn try_from(value: Value) -> Result<Self, WrongType> {
        Ok(match value {
            Value::Ulong(number) => Self::Ulong(number),
            Value::Uuid(uuid) => Self::Uuid(uuid),
            Value::Binary(octets) => Self::Binary(octets),
            Value::String(text) => Self::String(text),
            other => {
                return Err(WrongType {
                    expected: "a message id",
                    found: other.type_of(),
                });
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Header;
    use crate::codec::{Encode, Reader};
    use alloc::vec::Vec;
    use bytes::Bytes;

    #[test]
    fn a_header_is_the_same_by_the_quick_way_and_by_the_table() {
        let mut quick_ones = 0;
        for bits in 0..1u32 << 10 {
            let header = Header {
                durable: bits & 1 != 0,
                priority: if bits & 2 != 0 { 9 } else { 4 },
                ttl: (bits & 4 != 0).then_some(if bits & 8 != 0 { 30_000 } else { 3 }),
                first_acquirer: bits & 16 != 0,
                delivery_count: [0, 1, 300, u32::MAX][(bits >> 5 & 3) as usize],
            };
            let mut octets = Vec::new();
            header.encode(&mut octets);
            // Behind the descriptor, and with one octet another one, an octet too few or too many.
            let mut list = octets.split_off(3);
            match bits >> 7 {
                1 => list.push(0x40),
                2 => drop(list.pop()),
                3 => {
                    let at = bits as usize % list.len();
                    list[at] ^= 1;
                }
                _ => {}
            }
            let list = Bytes::from(list);
            let mut reader = Reader::new(&list);
            let thorough = Header::decode_body(&mut reader);
            if let Some(quick) = Header::quick(&list) {
                assert_eq!(thorough, Ok(quick));
                assert!(reader.is_empty());
                quick_ones += 1;
            }
        }
        assert!(quick_ones > 50, "{quick_ones}");
    }
}
