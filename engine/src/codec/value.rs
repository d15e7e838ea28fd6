//! [`Value`]: any AMQP value, for what has no Rust type of its own.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::mem;

use bytes::Bytes;

use super::array::{self, Array};
use super::code;
use super::error::{DecodeError, EncodeError};
use super::map::Map;
use super::prim::{Decimal32, Decimal64, Decimal128, Decode, Encode, Timestamp, Uuid};
use super::reader::{CodecLimits, MAX_DEPTH, Reader};
use super::text::{SHORT, Str, Symbol};
use super::writer;

/// Any AMQP value.
///
/// Two values are equal if they are of the same type and encode to the same octets: a NaN equals itself, `-0.0` does not equal
/// `0.0`, and maps are equal in the same order of keys (1.6.23).
///
/// ```
/// use ferrion_engine::codec::{Map, Value};
///
/// let mut map = Map::new();
/// map.insert("count", 3u32);
/// map.insert("tags", vec![Value::from("a"), Value::from(true)]);
/// let value = Value::from(map);
/// assert_eq!(value.to_string(), r#"{"count"=3, "tags"=["a", true]}"#);
/// assert_eq!(u8::try_from(value.as_map().unwrap().get_str("count").unwrap()), Ok(3));
/// ```
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// null (1.6.1).
    #[default]
    Null,
    /// boolean (1.6.2).
    Bool(bool),
    /// ubyte (1.6.3).
    Ubyte(u8),
    /// ushort (1.6.4).
    Ushort(u16),
    /// uint (1.6.5).
    Uint(u32),
    /// ulong (1.6.6).
    Ulong(u64),
    /// byte (1.6.7).
    Byte(i8),
    /// short (1.6.8).
    Short(i16),
    /// int (1.6.9).
    Int(i32),
    /// long (1.6.10).
    Long(i64),
    /// float (1.6.11).
    Float(f32),
    /// double (1.6.12).
    Double(f64),
    /// decimal32 (1.6.13).
    Decimal32(Decimal32),
    /// decimal64 (1.6.14).
    Decimal64(Decimal64),
    /// decimal128 (1.6.15).
    Decimal128(Decimal128),
    /// char (1.6.16).
    Char(char),
    /// timestamp (1.6.17).
    Timestamp(Timestamp),
    /// uuid (1.6.18).
    Uuid(Uuid),
    /// binary (1.6.19).
    Binary(Bytes),
    /// string (1.6.20).
    String(Str),
    /// symbol (1.6.21).
    Symbol(Symbol),
    /// list (1.6.22).
    List(Vec<Self>),
    /// map (1.6.23).
    Map(Map),
    /// array (1.6.24).
    Array(Box<Array>),
    /// A value with a descriptor (1.2).
    Described(Box<Described>),
}

/// A value and the descriptor that gives it its meaning (1.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Described {
    /// Usually a ulong or a symbol; any value is legal.
    pub descriptor: Value,
    /// The value as it is without its descriptor.
    pub value: Value,
}

/// The type of a [`Value`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "the variants are those of Value, documented there"
)]
pub enum Type {
    Null,
    Bool,
    Ubyte,
    Ushort,
    Uint,
    Ulong,
    Byte,
    Short,
    Int,
    Long,
    Float,
    Double,
    Decimal32,
    Decimal64,
    Decimal128,
    Char,
    Timestamp,
    Uuid,
    Binary,
    String,
    Symbol,
    List,
    Map,
    Array,
    Described,
}

/// Decodes the value at the start of a buffer; gives it and the octets it took. Text and binary are pieces of the buffer.
///
/// # Errors
/// The octets are not a value, or one beyond the limits.
pub fn decode_value(octets: &Bytes, limits: &CodecLimits) -> Result<(Value, usize), DecodeError> {
    let mut reader = Reader::with_limits(octets, limits);
    let value = Value::decode(&mut reader)?;
    Ok((value, reader.position()))
}

/// Appends a value in its shortest form.
///
/// # Errors
/// The value is nested deeper than [`MAX_DEPTH`] or longer than 4 GiB; nothing is appended.
pub fn encode_value(value: &Value, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = out.len();
    let done = value.encode_in(out, MAX_DEPTH);
    if done.is_err() {
        out.truncate(start);
    }
    done
}

impl Value {
    /// The type of the value.
    pub const fn type_of(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Ubyte(_) => Type::Ubyte,
            Self::Ushort(_) => Type::Ushort,
            Self::Uint(_) => Type::Uint,
            Self::Ulong(_) => Type::Ulong,
            Self::Byte(_) => Type::Byte,
            Self::Short(_) => Type::Short,
            Self::Int(_) => Type::Int,
            Self::Long(_) => Type::Long,
            Self::Float(_) => Type::Float,
            Self::Double(_) => Type::Double,
            Self::Decimal32(_) => Type::Decimal32,
            Self::Decimal64(_) => Type::Decimal64,
            Self::Decimal128(_) => Type::Decimal128,
            Self::Char(_) => Type::Char,
            Self::Timestamp(_) => Type::Timestamp,
            Self::Uuid(_) => Type::Uuid,
            Self::Binary(_) => Type::Binary,
            Self::String(_) => Type::String,
            Self::Symbol(_) => Type::Symbol,
            Self::List(_) => Type::List,
            Self::Map(_) => Type::Map,
            Self::Array(_) => Type::Array,
            Self::Described(_) => Type::Described,
        }
    }

    /// A described value.
    pub fn described(descriptor: impl Into<Self>, value: impl Into<Self>) -> Self {
        Self::Described(Box::new(Described {
            descriptor: descriptor.into(),
            value: value.into(),
        }))
    }

    /// Whether the value is null.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a string or a symbol.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Symbol(text) => Some(text),
            _ => None,
        }
    }

    /// The octets of a binary.
    pub const fn as_binary(&self) -> Option<&Bytes> {
        match self {
            Self::Binary(octets) => Some(octets),
            _ => None,
        }
    }

    /// The elements of a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The map.
    pub const fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Any integer type (not boolean, not char), if it fits.
    pub fn as_i128(&self) -> Option<i128> {
        Some(match *self {
            Self::Ubyte(v) => v.into(),
            Self::Ushort(v) => v.into(),
            Self::Uint(v) => v.into(),
            Self::Ulong(v) => v.into(),
            Self::Byte(v) => v.into(),
            Self::Short(v) => v.into(),
            Self::Int(v) => v.into(),
            Self::Long(v) => v.into(),
            _ => return None,
        })
    }

    /// Writes the value with `depth` levels of nesting left.
    pub(super) fn encode_in(&self, out: &mut Vec<u8>, depth: u32) -> Result<(), EncodeError> {
        match self {
            Self::Null => out.push(code::NULL),
            Self::Bool(v) => v.encode(out),
            Self::Ubyte(v) => v.encode(out),
            Self::Ushort(v) => v.encode(out),
            Self::Uint(v) => v.encode(out),
            Self::Ulong(v) => v.encode(out),
            Self::Byte(v) => v.encode(out),
            Self::Short(v) => v.encode(out),
            Self::Int(v) => v.encode(out),
            Self::Long(v) => v.encode(out),
            Self::Float(v) => v.encode(out),
            Self::Double(v) => v.encode(out),
            Self::Decimal32(v) => v.encode(out),
            Self::Decimal64(v) => v.encode(out),
            Self::Decimal128(v) => v.encode(out),
            Self::Char(v) => v.encode(out),
            Self::Timestamp(v) => v.encode(out),
            Self::Uuid(v) => v.encode(out),
            Self::Binary(v) => writer::variable(out, code::BINARY8, code::BINARY32, v)?,
            Self::String(v) => v.try_encode(out)?,
            Self::Symbol(v) => v.try_encode(out)?,
            Self::List(list) => encode_list_in(list, out, depth)?,
            Self::Map(map) => map.encode_in(out, depth)?,
            Self::Array(array) => array.encode_in(out, depth)?,
            Self::Described(described) => {
                let depth = deeper(depth)?;
                out.push(code::DESCRIBED);
                described.descriptor.encode_in(out, depth)?;
                described.value.encode_in(out, depth)?;
            }
        }
        Ok(())
    }
}

/// Appends a list, as [`encode_value`] does for [`Value::List`].
pub(crate) fn encode_list(list: &[Value], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    encode_list_in(list, out, MAX_DEPTH)
}

fn encode_list_in(list: &[Value], out: &mut Vec<u8>, depth: u32) -> Result<(), EncodeError> {
    let depth = deeper(depth)?;
    let mark = writer::begin(out);
    encode_all(list, out, depth)?;
    mark.list(out, list.len())
}

/// The levels left one level down.
pub(super) const fn deeper(depth: u32) -> Result<u32, EncodeError> {
    match depth.checked_sub(1) {
        Some(left) => Ok(left),
        None => Err(EncodeError::TooDeep),
    }
}

pub(super) fn encode_all(list: &[Value], out: &mut Vec<u8>, depth: u32) -> Result<(), EncodeError> {
    list.iter()
        .try_for_each(|value| value.encode_in(out, depth))
}

/// A vector for `count` elements. A count comes from the peer and so earns little room in advance: what is really there makes
/// the vector grow.
pub(super) fn vector_for<T>(count: u32) -> Vec<T> {
    Vec::with_capacity(count.min(32) as usize)
}

impl Encode for Value {
    fn encode(&self, out: &mut Vec<u8>) {
        if encode_value(self, out).is_err() {
            out.push(code::NULL);
        }
    }
}

impl Decode for Value {
    #[inline]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut value = Self::Null;
        value.read_as(constructor, r)?;
        Ok(value)
    }
}

impl Value {
    /// Becomes the value that is next, from null.
    ///
    /// For the elements of compounds: what is written where it stays is not moved there, which for a value that
    /// was just written would take longer than to decode most.
    pub(super) fn read(&mut self, r: &mut Reader<'_>) -> Result<(), DecodeError> {
        if let Some(octets) = r.window()
            && self.read_short(octets, r)
        {
            return Ok(());
        }
        let constructor = r.u8()?;
        self.read_as(constructor, r)
    }

    /// Becomes the value that is next, from null, if it is one of those that most are: `octets` are what the buffer has there,
    /// be they part of what is read or not, so that nothing else has to be looked for. `false`, with nothing read, for others.
    #[inline(always)]
    fn read_short(&mut self, octets: &[u8; 1 + SHORT], r: &mut Reader<'_>) -> bool {
        let [constructor, octets @ ..] = octets;
        let [first, ..] = octets;
        let word = || octets.first_chunk().copied().unwrap_or_default();
        match *constructor {
            code::STRING8 => return self.read_text(Str::short(octets), Self::String, r),
            code::SYMBOL8 => return self.read_text(Symbol::short(octets), Self::Symbol, r),
            code::INT_SMALL if r.pass(2) => self.put(Self::Int(first.cast_signed().into())),
            code::UINT_SMALL if r.pass(2) => self.put(Self::Uint((*first).into())),
            code::ULONG_SMALL if r.pass(2) => self.put(Self::Ulong((*first).into())),
            code::LONG_SMALL if r.pass(2) => self.put(Self::Long(first.cast_signed().into())),
            code::ULONG if r.pass(9) => self.put(Self::Ulong(u64::from_be_bytes(word()))),
            code::LONG if r.pass(9) => self.put(Self::Long(i64::from_be_bytes(word()))),
            code::TRUE if r.pass(1) => self.put(Self::Bool(true)),
            code::FALSE if r.pass(1) => self.put(Self::Bool(false)),
            _ => return false,
        }
        true
    }

    #[inline(always)]
    fn read_text<T>(
        &mut self,
        short: Option<(T, usize)>,
        value: impl FnOnce(T) -> Self,
        r: &mut Reader<'_>,
    ) -> bool {
        match short {
            // With its constructor.
            Some((text, len)) if r.pass(len.saturating_add(1)) => {
                self.put(value(text));
                true
            }
            _ => false,
        }
    }

    fn read_as(&mut self, constructor: u8, r: &mut Reader<'_>) -> Result<(), DecodeError> {
        match constructor {
            code::NULL => self.put(Self::Null),
            code::TRUE | code::FALSE | code::BOOL => {
                self.put(Self::Bool(bool::decode_as(constructor, r)?));
            }
            code::UBYTE => self.put(Self::Ubyte(r.u8()?)),
            code::USHORT => self.put(Self::Ushort(r.u16()?)),
            code::UINT | code::UINT_SMALL | code::UINT_ZERO => {
                self.put(Self::Uint(u32::decode_as(constructor, r)?));
            }
            code::ULONG | code::ULONG_SMALL | code::ULONG_ZERO => {
                self.put(Self::Ulong(u64::decode_as(constructor, r)?));
            }
            code::BYTE => self.put(Self::Byte(r.u8()?.cast_signed())),
            code::SHORT => self.put(Self::Short(r.u16()?.cast_signed())),
            code::INT | code::INT_SMALL => self.put(Self::Int(i32::decode_as(constructor, r)?)),
            code::LONG | code::LONG_SMALL => self.put(Self::Long(i64::decode_as(constructor, r)?)),
            code::FLOAT => self.put(Self::Float(f32::decode_as(constructor, r)?)),
            code::DOUBLE => self.put(Self::Double(f64::decode_as(constructor, r)?)),
            code::DECIMAL32 => self.put(Self::Decimal32(Decimal32(r.octets()?))),
            code::DECIMAL64 => self.put(Self::Decimal64(Decimal64(r.octets()?))),
            code::DECIMAL128 => self.put(Self::Decimal128(Decimal128(r.octets()?))),
            code::CHAR => self.put(Self::Char(char::decode_as(constructor, r)?)),
            code::TIMESTAMP => self.put(Self::Timestamp(Timestamp::decode_as(constructor, r)?)),
            code::UUID => self.put(Self::Uuid(Uuid(r.octets()?))),
            code::BINARY8 | code::BINARY32 => {
                self.put(Self::Binary(Bytes::decode_as(constructor, r)?));
            }
            code::STRING8 | code::STRING32 => {
                self.put(Self::String(Str::decode_as(constructor, r)?));
            }
            code::SYMBOL8 | code::SYMBOL32 => {
                self.put(Self::Symbol(Symbol::decode_as(constructor, r)?));
            }
            compound => self.put(decode_compound(compound, r)?),
        }
        Ok(())
    }

    /// Drops what the value holds, which is of no use then. Of nearly all there is nothing to be dropped, which is seen here.
    #[inline(always)]
    pub(super) fn let_go(&mut self) {
        let holds = match self {
            Self::String(text) => !text.is_in_place(),
            Self::Symbol(text) => !text.is_in_place(),
            Self::Binary(_)
            | Self::List(_)
            | Self::Map(_)
            | Self::Array(_)
            | Self::Described(_) => true,
            // All by name: what holds something is not to be forgotten here.
            Self::Null
            | Self::Bool(_)
            | Self::Ubyte(_)
            | Self::Ushort(_)
            | Self::Uint(_)
            | Self::Ulong(_)
            | Self::Byte(_)
            | Self::Short(_)
            | Self::Int(_)
            | Self::Long(_)
            | Self::Float(_)
            | Self::Double(_)
            | Self::Decimal32(_)
            | Self::Decimal64(_)
            | Self::Decimal128(_)
            | Self::Char(_)
            | Self::Timestamp(_)
            | Self::Uuid(_) => false,
        };
        if holds {
            self.clear();
        }
    }

    #[inline(never)]
    fn clear(&mut self) {
        *self = Self::Null;
    }

    /// Becomes this value, from null: a value that has nothing to be dropped is not asked whether it has. Each kind of value is
    /// written by itself, as one that may be any of them would be put together elsewhere and copied here in pieces.
    #[inline(always)]
    fn put(&mut self, value: Self) {
        mem::forget(mem::replace(self, value));
    }
}

/// A value that holds others. Apart from the rest, so that the rest can be part of its callers.
#[inline(never)]
fn decode_compound(constructor: u8, r: &mut Reader<'_>) -> Result<Value, DecodeError> {
    Ok(match constructor {
        code::LIST0 | code::LIST8 | code::LIST32 => Value::List(decode_list(constructor, r)?),
        code::MAP8 | code::MAP32 => Value::Map(Map::decode_as(constructor, r)?),
        code::ARRAY8 | code::ARRAY32 => {
            Value::Array(Box::new(array::Array::decode_as(constructor, r)?))
        }
        code::DESCRIBED => {
            r.descend()?;
            let descriptor = Value::decode(r)?;
            let value = Value::decode(r)?;
            r.ascend();
            Value::Described(Box::new(Described { descriptor, value }))
        }
        other => return Err(r.unknown_code(other)),
    })
}

/// Reads the list whose constructor has just been read.
pub(crate) fn decode_list(constructor: u8, r: &mut Reader<'_>) -> Result<Vec<Value>, DecodeError> {
    let list = r.open_list(constructor)?;
    let mut values = vector_for(list.count);
    for _ in 0..list.count {
        values.push(Value::decode(r)?);
    }
    r.close(list)?;
    Ok(values)
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Ubyte(a), Self::Ubyte(b)) => a == b,
            (Self::Ushort(a), Self::Ushort(b)) => a == b,
            (Self::Uint(a), Self::Uint(b)) => a == b,
            (Self::Ulong(a), Self::Ulong(b)) => a == b,
            (Self::Byte(a), Self::Byte(b)) => a == b,
            (Self::Short(a), Self::Short(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Long(a), Self::Long(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Double(a), Self::Double(b)) => a.to_bits() == b.to_bits(),
            (Self::Decimal32(a), Self::Decimal32(b)) => a == b,
            (Self::Decimal64(a), Self::Decimal64(b)) => a == b,
            (Self::Decimal128(a), Self::Decimal128(b)) => a == b,
            (Self::Char(a), Self::Char(b)) => a == b,
            (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            (Self::Uuid(a), Self::Uuid(b)) => a == b,
            (Self::Binary(a), Self::Binary(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Symbol(a), Self::Symbol(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Described(a), Self::Described(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        mem::discriminant(self).hash(state);
        match self {
            Self::Null => {}
            Self::Bool(v) => v.hash(state),
            Self::Ubyte(v) => v.hash(state),
            Self::Ushort(v) => v.hash(state),
            Self::Uint(v) => v.hash(state),
            Self::Ulong(v) => v.hash(state),
            Self::Byte(v) => v.hash(state),
            Self::Short(v) => v.hash(state),
            Self::Int(v) => v.hash(state),
            Self::Long(v) => v.hash(state),
            Self::Float(v) => v.to_bits().hash(state),
            Self::Double(v) => v.to_bits().hash(state),
            Self::Decimal32(v) => v.hash(state),
            Self::Decimal64(v) => v.hash(state),
            Self::Decimal128(v) => v.hash(state),
            Self::Char(v) => v.hash(state),
            Self::Timestamp(v) => v.hash(state),
            Self::Uuid(v) => v.hash(state),
            Self::Binary(v) => v.hash(state),
            Self::String(v) => v.hash(state),
            Self::Symbol(v) => v.hash(state),
            Self::List(v) => v.hash(state),
            Self::Map(v) => v.hash(state),
            Self::Array(v) => v.hash(state),
            Self::Described(v) => v.hash(state),
        }
    }
}
