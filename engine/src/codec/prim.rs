//! The primitive types of AMQP (1.6) as Rust types, and the two traits of the codec.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::code;
use super::error::{DecodeError, DecodeErrorKind as Kind};
use super::reader::Reader;
use super::writer;

/// A type that can be written as an AMQP value.
pub trait Encode {
    /// Appends the value in its shortest form.
    ///
    /// What AMQP cannot express (text, octets or a compound of more than 4 GiB, nesting beyond [`MAX_DEPTH`](super::MAX_DEPTH))
    /// is written as null; [`encode_value`](super::encode_value) tells instead.
    fn encode(&self, out: &mut Vec<u8>);
}

/// A type that can be read from an AMQP value, in any of its encodings.
pub trait Decode: Sized {
    /// Reads the value whose constructor has just been read.
    ///
    /// # Errors
    /// The octets are not a value of this type.
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Reads a value with its constructor.
    ///
    /// # Errors
    /// The octets are not a value of this type.
    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let constructor = r.u8()?;
        Self::decode_as(constructor, r)
    }
}

/// Milliseconds since the Unix epoch, 1970-01-01T00:00Z (1.6.17). May be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(pub i64);

/// A universally unique identifier, octets in network order (1.6.18).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Uuid(pub [u8; 16]);

/// An IEEE 754 decimal32 as its octets (1.6.13). ferrion carries decimals and does not reckon with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal32(pub [u8; 4]);

/// An IEEE 754 decimal64 as its octets (1.6.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal64(pub [u8; 8]);

/// An IEEE 754 decimal128 as its octets (1.6.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal128(pub [u8; 16]);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, octet) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{octet:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// Types with one encoding of fixed width: constructor, then the octets.
macro_rules! fixed {
    ($($Type:ty, $name:literal, $code:expr, $r:ident => $read:expr, $v:ident => $write:expr;)*) => {$(
        impl Decode for $Type {
            #[inline(always)]
            fn decode_as(constructor: u8, $r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                if constructor == $code {
                    $read
                } else {
                    Err($r.wrong_type($name, constructor))
                }
            }
        }
        impl Encode for $Type {
            #[inline]
            fn encode(&self, out: &mut Vec<u8>) {
                let $v = *self;
                out.push($code);
                out.extend_from_slice(&$write);
            }
        }
    )*};
}

fixed! {
    u8, "ubyte", code::UBYTE, r => r.u8(), v => [v];
    i8, "byte", code::BYTE, r => r.u8().map(u8::cast_signed), v => [v.cast_unsigned()];
    u16, "ushort", code::USHORT, r => r.u16(), v => v.to_be_bytes();
    i16, "short", code::SHORT, r => r.u16().map(u16::cast_signed), v => v.to_be_bytes();
    f32, "float", code::FLOAT, r => r.u32().map(f32::from_bits), v => v.to_bits().to_be_bytes();
    f64, "double", code::DOUBLE, r => r.u64().map(f64::from_bits), v => v.to_bits().to_be_bytes();
    char, "char", code::CHAR, r => read_char(r), v => u32::from(v).to_be_bytes();
    Timestamp, "timestamp", code::TIMESTAMP, r => r.u64().map(|v| Timestamp(v.cast_signed())), v => v.0.to_be_bytes();
    Uuid, "uuid", code::UUID, r => r.octets().map(Uuid), v => v.0;
    Decimal32, "decimal32", code::DECIMAL32, r => r.octets().map(Decimal32), v => v.0;
    Decimal64, "decimal64", code::DECIMAL64, r => r.octets().map(Decimal64), v => v.0;
    Decimal128, "decimal128", code::DECIMAL128, r => r.octets().map(Decimal128), v => v.0;
}

impl Decode for bool {
    #[inline(always)]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match constructor {
            code::TRUE => Ok(true),
            code::FALSE => Ok(false),
            code::BOOL => read_bool(r),
            other => Err(r.wrong_type("boolean", other)),
        }
    }
}

impl Encode for bool {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(if *self { code::TRUE } else { code::FALSE });
    }
}

impl Decode for u32 {
    #[inline(always)]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match constructor {
            code::UINT_SMALL => r.u8().map(Self::from),
            code::UINT_ZERO => Ok(0),
            code::UINT => r.u32(),
            other => Err(r.wrong_type("uint", other)),
        }
    }
}

impl Encode for u32 {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        match u8::try_from(*self) {
            Ok(0) => out.push(code::UINT_ZERO),
            Ok(small) => out.extend_from_slice(&[code::UINT_SMALL, small]),
            Err(_) => {
                let [a, b, c, d] = self.to_be_bytes();
                out.extend_from_slice(&[code::UINT, a, b, c, d]);
            }
        }
    }
}

impl Decode for u64 {
    #[inline(always)]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match constructor {
            code::ULONG_SMALL => r.u8().map(Self::from),
            code::ULONG_ZERO => Ok(0),
            code::ULONG => r.u64(),
            other => Err(r.wrong_type("ulong", other)),
        }
    }
}

impl Encode for u64 {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        match u8::try_from(*self) {
            Ok(0) => out.push(code::ULONG_ZERO),
            Ok(small) => out.extend_from_slice(&[code::ULONG_SMALL, small]),
            Err(_) => {
                out.push(code::ULONG);
                out.extend_from_slice(&self.to_be_bytes());
            }
        }
    }
}

impl Decode for i32 {
    #[inline(always)]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match constructor {
            code::INT_SMALL => r.u8().map(|v| Self::from(v.cast_signed())),
            code::INT => r.u32().map(u32::cast_signed),
            other => Err(r.wrong_type("int", other)),
        }
    }
}

impl Encode for i32 {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        if let Ok(small) = i8::try_from(*self) {
            out.extend_from_slice(&[code::INT_SMALL, small.cast_unsigned()]);
        } else {
            out.push(code::INT);
            out.extend_from_slice(&self.to_be_bytes());
        }
    }
}

impl Decode for i64 {
    #[inline(always)]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match constructor {
            code::LONG_SMALL => r.u8().map(|v| Self::from(v.cast_signed())),
            code::LONG => r.u64().map(u64::cast_signed),
            other => Err(r.wrong_type("long", other)),
        }
    }
}

impl Encode for i64 {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        if let Ok(small) = i8::try_from(*self) {
            out.extend_from_slice(&[code::LONG_SMALL, small.cast_unsigned()]);
        } else {
            out.push(code::LONG);
            out.extend_from_slice(&self.to_be_bytes());
        }
    }
}

impl Decode for Bytes {
    #[inline]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let wide = match constructor {
            code::BINARY8 => false,
            code::BINARY32 => true,
            other => return Err(r.wrong_type("binary", other)),
        };
        let size = r.size(wide)?;
        r.take(size)
    }
}

impl Encode for Bytes {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        writer::binary(out, self);
    }
}

/// `None` is null (1.6.1).
impl<T: Decode> Decode for Option<T> {
    #[inline]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if constructor == code::NULL {
            return Ok(None);
        }
        T::decode_as(constructor, r).map(Some)
    }
}

impl<T: Encode> Encode for Option<T> {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.encode(out),
            None => out.push(code::NULL),
        }
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::decode_as(constructor, r).map(Self::new)
    }
}

impl<T: Encode + ?Sized> Encode for Box<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        (**self).encode(out);
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, out: &mut Vec<u8>) {
        (**self).encode(out);
    }
}

#[inline]
pub(super) fn read_bool(r: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match r.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(DecodeError::new(
            r.position().saturating_sub(1),
            Kind::BadBool(other),
        )),
    }
}

#[inline]
pub(super) fn read_char(r: &mut Reader<'_>) -> Result<char, DecodeError> {
    let at = r.position();
    let number = r.u32()?;
    char::from_u32(number).ok_or_else(|| DecodeError::new(at, Kind::BadChar(number)))
}
