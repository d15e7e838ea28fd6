//! Values of every AMQP type, built and walked from C without an allocation per value crossing the border.
//!
//! The functions stand in three files: here what makes, frees and copies, in `put` what builds, in `get` what walks.

mod get;
mod put;
mod tape;

use bytes::Bytes;
use ferrion_engine::codec::{CodecLimits, Type, decode_value, encode_value};

use crate::guard::{Root, free};
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;

pub use get::*;
pub use put::*;
pub(crate) use tape::Tape;

/// AMQP values in a row: often a single one, and then it may be a whole tree.
///
/// Building: each `put_` appends a value; `begin_list` and its like open a value that holds others, and `end` closes it.
///
/// ```c
/// ferrion_value_begin_map(value);
/// ferrion_value_put_symbol_text(value, "colour");
/// ferrion_value_put_text(value, "green");
/// ferrion_value_end(value);
/// ```
///
/// Walking: `next` steps to the next value, at first to the first one; `type` and the `get_` calls look at it, `enter`
/// steps into it and `exit` out again. Building rewinds the walk to before the first value.
///
/// ```c
/// while (ferrion_value_next(value) == FERRION_OK) { ... }
/// ```
#[derive(Debug)]
pub struct ferrion_value_t {
    root: Root<Tape>,
}
object!(ferrion_value_t, Tape);

/// The types of AMQP (part 1.6 of the specification).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_type {
    /// The absent value.
    FERRION_TYPE_NULL = 1,
    /// true or false.
    FERRION_TYPE_BOOL = 2,
    /// Unsigned, 8 bits.
    FERRION_TYPE_UBYTE = 3,
    /// Unsigned, 16 bits.
    FERRION_TYPE_USHORT = 4,
    /// Unsigned, 32 bits.
    FERRION_TYPE_UINT = 5,
    /// Unsigned, 64 bits.
    FERRION_TYPE_ULONG = 6,
    /// Signed, 8 bits.
    FERRION_TYPE_BYTE = 7,
    /// Signed, 16 bits.
    FERRION_TYPE_SHORT = 8,
    /// Signed, 32 bits.
    FERRION_TYPE_INT = 9,
    /// Signed, 64 bits.
    FERRION_TYPE_LONG = 10,
    /// IEEE 754 binary32.
    FERRION_TYPE_FLOAT = 11,
    /// IEEE 754 binary64.
    FERRION_TYPE_DOUBLE = 12,
    /// IEEE 754 decimal32, as 4 octets in network order.
    FERRION_TYPE_DECIMAL32 = 13,
    /// IEEE 754 decimal64, as 8 octets in network order.
    FERRION_TYPE_DECIMAL64 = 14,
    /// IEEE 754 decimal128, as 16 octets in network order.
    FERRION_TYPE_DECIMAL128 = 15,
    /// A Unicode character.
    FERRION_TYPE_CHAR = 16,
    /// Milliseconds since 1970-01-01T00:00Z; may be negative.
    FERRION_TYPE_TIMESTAMP = 17,
    /// A UUID, as 16 octets in network order.
    FERRION_TYPE_UUID = 18,
    /// Octets.
    FERRION_TYPE_BINARY = 19,
    /// Unicode text.
    FERRION_TYPE_STRING = 20,
    /// A name from a constrained domain, ASCII.
    FERRION_TYPE_SYMBOL = 21,
    /// Values of any types.
    FERRION_TYPE_LIST = 22,
    /// Keys and values, alternating.
    FERRION_TYPE_MAP = 23,
    /// Values of one type.
    FERRION_TYPE_ARRAY = 24,
    /// A descriptor, then the value whose meaning it gives.
    FERRION_TYPE_DESCRIBED = 25,
}

macro_rules! types {
    ($($c:ident $rust:ident,)*) => {
        impl From<Type> for ferrion_type {
            #[inline]
            fn from(kind: Type) -> Self {
                match kind {
                    $(Type::$rust => Self::$c,)*
                }
            }
        }

        /// The type that a number from C names.
        fn type_from(number: i32) -> Result<Type, Failure> {
            $(if number == ferrion_type::$c as i32 {
                return Ok(Type::$rust);
            })*
            Err(Failure::invalid(format!("{number} is not a ferrion_type")))
        }
    };
}
types! {
    FERRION_TYPE_NULL Null,
    FERRION_TYPE_BOOL Bool,
    FERRION_TYPE_UBYTE Ubyte,
    FERRION_TYPE_USHORT Ushort,
    FERRION_TYPE_UINT Uint,
    FERRION_TYPE_ULONG Ulong,
    FERRION_TYPE_BYTE Byte,
    FERRION_TYPE_SHORT Short,
    FERRION_TYPE_INT Int,
    FERRION_TYPE_LONG Long,
    FERRION_TYPE_FLOAT Float,
    FERRION_TYPE_DOUBLE Double,
    FERRION_TYPE_DECIMAL32 Decimal32,
    FERRION_TYPE_DECIMAL64 Decimal64,
    FERRION_TYPE_DECIMAL128 Decimal128,
    FERRION_TYPE_CHAR Char,
    FERRION_TYPE_TIMESTAMP Timestamp,
    FERRION_TYPE_UUID Uuid,
    FERRION_TYPE_BINARY Binary,
    FERRION_TYPE_STRING String,
    FERRION_TYPE_SYMBOL Symbol,
    FERRION_TYPE_LIST List,
    FERRION_TYPE_MAP Map,
    FERRION_TYPE_ARRAY Array,
    FERRION_TYPE_DESCRIBED Described,
}

/// A place for values, empty at first.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_value_new() -> *mut ferrion_value_t {
    ffi_fn! { => core::ptr::null_mut(); {
        Ok(Box::into_raw(Box::new(ferrion_value_t { root: Root::new(Tape::default()) })))
    } }
}

/// Frees the values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_free(value: *mut ferrion_value_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_value_new` and is not used again, as the header demands.
        unsafe { free(value) };
        Ok(())
    } }
}

/// Removes all values. The room they took stays for the next ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_clear(value: *mut ferrion_value_t) -> ferrion_status {
    ffi_fn! { object value => {
        value.clear();
        Ok(())
    } }
}

/// Makes the values those of another object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_copy(
    value: *mut ferrion_value_t,
    source: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object value, object source => {
        value.clone_from(&source);
        Ok(())
    } }
}

/// The values in a readable form, for people: `{"colour"="green"}`.
///
/// Borrowed until: the next call on this object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_print(
    value: *mut ferrion_value_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object value, out out_text => {
        let values = value.values()?;
        let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
        out_text.set(value.lend(texts.join(" ").into_bytes()).into());
        Ok(())
    } }
}

/// The values as AMQP 1.0 encodes them, each in its shortest form, one after the other.
///
/// Borrowed until: the next call on this object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_encode(
    value: *mut ferrion_value_t,
    out_data: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object value, out out_data => {
        let mut octets = Vec::new();
        for value in value.values()? {
            encode_value(&value, &mut octets)?;
        }
        out_data.set(value.lend(octets).into());
        Ok(())
    } }
}

/// Makes the values those that are encoded here, in any form that AMQP 1.0 allows. If the octets are something else,
/// the values stay what they were.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_decode(
    value: *mut ferrion_value_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object value, bytes data len => {
        let mut rest = Bytes::copy_from_slice(data);
        let mut decoded = Tape::default();
        while !rest.is_empty() {
            let (value, used) = decode_value(&rest, &CodecLimits::default())?;
            decoded.push_value(value);
            rest = rest.slice(used.max(1).min(rest.len())..);
        }
        *value = decoded;
        Ok(())
    } }
}
