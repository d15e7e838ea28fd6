//! The body of a message (3.2.6 to 3.2.8) and the ways to make one.

use alloc::{string::String, vec, vec::Vec};

use bytes::Bytes;

use crate::codec::{
    Decode, DecodeError, EncodeError, Map, Reader, Str, Value, code, decode_list, encode_list,
    encode_value, writer,
};

use super::sections::{Section, Span};
use super::slot::SectionValue;

/// The body of a message: one or more sections of octets, one or more lists, or a single value (3.2).
///
/// ```
/// use ferrion_engine::codec::Value;
/// use ferrion_engine::message::Body;
///
/// assert_eq!(Body::from("hello"), Body::Value(Value::from("hello")));
/// assert_eq!(Body::from(vec![1u8, 2, 3]), Body::Data(vec![vec![1u8, 2, 3].into()]));
/// assert_eq!(Body::default(), Body::Value(Value::Null));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Opaque octets in one or more sections (3.2.6). No section at all is sent as one empty section.
    Data(Vec<Bytes>),
    /// One or more lists of values (3.2.7). No list at all is sent as one empty list.
    Sequence(Vec<Vec<Value>>),
    /// A single value of any type (3.2.8).
    Value(Value),
}

/// What a message without content carries, because the body is mandatory (3.2).
pub(super) static NULL_BODY: Body = Body::Value(Value::Null);

impl Body {
    /// About how many octets the encoded body has: exact enough to reserve room for the large ones.
    pub(super) fn size_hint(&self) -> usize {
        let with_head = |octets: &[u8]| octets.len().saturating_add(8);
        match self {
            Self::Data(sections) => sections
                .iter()
                .fold(0, |sum, octets| sum.saturating_add(with_head(octets))),
            Self::Value(Value::String(text)) => with_head(text.as_bytes()),
            Self::Value(Value::Binary(octets)) => with_head(octets),
            _ => 0,
        }
    }
}

impl Default for Body {
    /// The value null.
    fn default() -> Self {
        Self::Value(Value::Null)
    }
}

impl SectionValue for Body {
    fn read(r: &mut Reader<'_>, span: &Span) -> Result<Self, DecodeError> {
        let end = span.end as usize;
        match span.section {
            Some(Section::Data) => {
                let mut sections = vec![Bytes::decode(r)?];
                while r.position() < end {
                    Section::read(r)?;
                    sections.push(Bytes::decode(r)?);
                }
                Ok(Self::Data(sections))
            }
            Some(Section::Sequence) => {
                let mut lists = vec![read_list(r)?];
                while r.position() < end {
                    Section::read(r)?;
                    lists.push(read_list(r)?);
                }
                Ok(Self::Sequence(lists))
            }
            _ => Value::decode(r).map(Self::Value),
        }
    }

    fn write(&self, _: Section, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Data(sections) if sections.is_empty() => write_data(&[], out),
            Self::Data(sections) => sections
                .iter()
                .try_for_each(|octets| write_data(octets, out)),
            Self::Sequence(lists) if lists.is_empty() => write_list(&[], out),
            Self::Sequence(lists) => lists.iter().try_for_each(|list| write_list(list, out)),
            Self::Value(value) => {
                out.extend_from_slice(&Section::Value.prefix());
                encode_value(value, out)
            }
        }
    }
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

/// Text is a value (3.2.8).
macro_rules! values {
    ($($Type:ty),*) => {$(
        impl From<$Type> for Body {
            fn from(value: $Type) -> Self {
                Self::Value(value.into())
            }
        }
    )*};
}

/// Octets are a data section (3.2.6).
macro_rules! data {
    ($($Type:ty),*) => {$(
        impl From<$Type> for Body {
            fn from(octets: $Type) -> Self {
                Self::Data(vec![octets.into()])
            }
        }
    )*};
}

values!(&str, String, Str, Map);
data!(Bytes, Vec<u8>);

impl From<&[u8]> for Body {
    /// A data section with a copy of the octets.
    fn from(octets: &[u8]) -> Self {
        Self::Data(vec![Bytes::copy_from_slice(octets)])
    }
}

fn read_list(r: &mut Reader<'_>) -> Result<Vec<Value>, DecodeError> {
    let constructor = r.u8()?;
    decode_list(constructor, r)
}

fn write_data(octets: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let [a, b, c] = Section::Data.prefix();
    if let Ok(size) = u8::try_from(octets.len()) {
        out.extend_from_slice(&[a, b, c, code::BINARY8, size]);
        out.extend_from_slice(octets);
        return Ok(());
    }
    out.extend_from_slice(&[a, b, c]);
    writer::variable(out, code::BINARY8, code::BINARY32, octets)
}

fn write_list(list: &[Value], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    out.extend_from_slice(&Section::Sequence.prefix());
    encode_list(list, out)
}
