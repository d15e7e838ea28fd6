//! From Rust types to [`Value`] and back.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::array::Array;
use super::map::Map;
use super::prim::{Decimal32, Decimal64, Decimal128, Timestamp, Uuid};
use super::text::{Str, Symbol};
use super::value::{Described, Type, Value};

/// A [`Value`] is of a type that does not convert, or is a number out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {found:?} value is not, or does not fit, {expected}")]
pub struct WrongType {
    /// The Rust type asked for.
    pub expected: &'static str,
    /// The type of the value.
    pub found: Type,
}

macro_rules! from {
    ($($Type:ty => $Variant:ident),* $(,)?) => {$(
        impl From<$Type> for Value {
            fn from(value: $Type) -> Self {
                Self::$Variant(value.into())
            }
        }
    )*};
}

from! {
    bool => Bool, u8 => Ubyte, u16 => Ushort, u32 => Uint, u64 => Ulong, i8 => Byte, i16 => Short, i32 => Int, i64 => Long,
    f32 => Float, f64 => Double, Decimal32 => Decimal32, Decimal64 => Decimal64, Decimal128 => Decimal128, char => Char,
    Timestamp => Timestamp, Uuid => Uuid, Bytes => Binary, Vec<u8> => Binary, &str => String, String => String, Str => String,
    Symbol => Symbol, Vec<Self> => List, Map => Map, Array => Array, Box<Array> => Array, Described => Described,
}

impl From<&[u8]> for Value {
    fn from(octets: &[u8]) -> Self {
        Self::Binary(Bytes::copy_from_slice(octets))
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Any integer value that fits.
macro_rules! integers {
    ($($Type:ty),*) => {$(
        impl TryFrom<&Value> for $Type {
            type Error = WrongType;
            fn try_from(value: &Value) -> Result<Self, WrongType> {
                let number = value.as_i128().and_then(|v| Self::try_from(v).ok());
                number.ok_or(WrongType { expected: stringify!($Type), found: value.type_of() })
            }
        }
        owned!($Type);
    )*};
}

/// The one type that holds it.
macro_rules! exact {
    ($($Type:ty, $($Variant:ident($v:ident) => $back:expr),+;)*) => {$(
        impl TryFrom<&Value> for $Type {
            type Error = WrongType;
            fn try_from(value: &Value) -> Result<Self, WrongType> {
                match value {
                    $(Value::$Variant($v) => Ok($back),)+
                    other => Err(WrongType { expected: stringify!($Type), found: other.type_of() }),
                }
            }
        }
        owned!($Type);
    )*};
}

macro_rules! owned {
    ($Type:ty) => {
        impl TryFrom<Value> for $Type {
            type Error = WrongType;
            fn try_from(value: Value) -> Result<Self, WrongType> {
                Self::try_from(&value)
            }
        }
    };
}

integers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, i128);

exact! {
    bool, Bool(v) => *v;
    f32, Float(v) => *v;
    f64, Double(v) => *v, Float(v) => f64::from(*v);
    Decimal32, Decimal32(v) => *v;
    Decimal64, Decimal64(v) => *v;
    Decimal128, Decimal128(v) => *v;
    char, Char(v) => *v;
    Timestamp, Timestamp(v) => *v;
    Uuid, Uuid(v) => *v;
    Bytes, Binary(v) => v.clone();
    Vec<u8>, Binary(v) => v.to_vec();
    Str, String(v) => v.clone(), Symbol(v) => v.clone().into();
    String, String(v) => v.clone().into(), Symbol(v) => v.clone().into();
    Symbol, Symbol(v) => v.clone();
    Vec<Value>, List(v) => v.clone();
    Map, Map(v) => v.clone();
    Array, Array(v) => Self::clone(v);
    Described, Described(v) => Self::clone(v);
}
