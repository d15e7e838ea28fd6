//! Walking values.

use ferrion_engine::codec::{Type, Value};

use super::tape::Branch;
use super::{ferrion_type, ferrion_value_t};
use crate::status::ferrion_status;
use crate::types::ferrion_bytes_t;

/// Goes back to before the first value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_rewind(value: *mut ferrion_value_t) -> ferrion_status {
    ffi_fn! { object value => {
        value.rewind();
        Ok(())
    } }
}

/// Steps to the next value. FERRION_END: there is none in this row.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_next(value: *mut ferrion_value_t) -> ferrion_status {
    ffi_fn! { object value => { value.next() } }
}

/// Steps into a list, map, array or described value: `next` then walks what is inside. In an array its descriptors come
/// before its elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_enter(value: *mut ferrion_value_t) -> ferrion_status {
    ffi_fn! { object value => { value.enter() } }
}

/// Steps out again: the value that was entered is looked at, and `next` goes on behind it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_exit(value: *mut ferrion_value_t) -> ferrion_status {
    ffi_fn! { object value => { value.exit() } }
}

/// The type of the value that is looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_type(
    value: *const ferrion_value_t,
    out_type: *mut ferrion_type,
) -> ferrion_status {
    ffi_fn! { object value, out out_type => {
        out_type.set(value.type_of()?.into());
        Ok(())
    } }
}

/// How many values are directly inside the one that is looked at. A map counts keys and values, an array its descriptors
/// too, a described value has 2.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_count(
    value: *const ferrion_value_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object value, out out_n => {
        out_n.set(value.inside()?.1);
        Ok(())
    } }
}

/// What the array that is looked at holds: the type of its elements below their descriptors, and how many descriptors
/// the elements share.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_array(
    value: *const ferrion_value_t,
    out_type: *mut ferrion_type,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object value, out out_type, out out_n => {
        let (Branch::Array { element, descriptors }, _) = value.inside()? else {
            return Err(value.wrong_type("not an Array"));
        };
        out_type.set(element.into());
        out_n.set(descriptors);
        Ok(())
    } }
}

/// The truth of a bool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_bool(
    value: *const ferrion_value_t,
    out_truth: *mut bool,
) -> ferrion_status {
    ffi_fn! { object value, out out_truth => {
        if let Value::Bool(truth) = value.leaf(Type::Bool)? {
            out_truth.set(*truth);
        }
        Ok(())
    } }
}

/// The number of an ubyte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_ubyte(
    value: *const ferrion_value_t,
    out_number: *mut u8,
) -> ferrion_status {
    ffi_fn! { object value, out out_number => {
        if let Value::Ubyte(number) = value.leaf(Type::Ubyte)? {
            out_number.set(*number);
        }
        Ok(())
    } }
}

/// The number of an ushort.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_ushort(
    value: *const ferrion_value_t,
    out_number: *mut u16,
) -> ferrion_status {
    ffi_fn! { object value, out out_number => {
        if let Value::Ushort(number) = value.leaf(Type::Ushort)? {
            out_number.set(*number);
        }
        Ok(())
    } }
}

/// The number of an uint.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_uint(
    value: *const ferrion_value_t,
    out_number: *mut u32,
) -> ferrion_status {
    ffi_fn! { object value, out out_number => {
        if let Value::Uint(number) = value.leaf(Type::Uint)? {
            out_number.set(*number);
        }
        Ok(())
    } }
}

/// The number of an ulong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_ulong(
    value: *const ferrion_value_t,
    out_number: *mut u64,
) -> ferrion_status {
    ffi_fn! { object value, out out_number => {
        if let Value::Ulong(number) = value.leaf(Type::Ulong)? {
            out_number.set(*number);
        }
        Ok(())
    } }
}

/// The number of a byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_byte(
    value: *const ferrion_value_t,
    out_number: *mut i8,
) -> ferrion_status {
    ffi_fn! { object value, out out_number => {
        if let Value::Byte(number) = value.leaf(Type::Byte)? {
            out_number.set(*number);
        }
        Ok(())
    } }
}

/// The number of a short.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_short(
    value: *const ferrion_value_t,
    out_number: *mut i16,
) -> ferrion_status {
    ffi_fn! { object value, out out_number => {
        if let Value::Short(number) = value.leaf(Type::Short)? {
            out_number.set(*number);
        }
        Ok(())
    } }
}

/// The number of an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_int(
    value: *const ferrion_value_t,
    out_number: *mut i32,
) -> ferrion_status {
    ffi_fn! { object value, out out_number => {
        if let Value::Int(number) = value.leaf(Type::Int)? {
            out_number.set(*number);
        }
        Ok(())
    } }
}

/// The number of a long.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_long(
    value: *const ferrion_value_t,
    out_number: *mut i64,
) -> ferrion_status {
    ffi_fn! { object value, out out_number => {
        if let Value::Long(number) = value.leaf(Type::Long)? {
            out_number.set(*number);
        }
        Ok(())
    } }
}

/// The number of a float.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_float(
    value: *const ferrion_value_t,
    out_number: *mut f32,
) -> ferrion_status {
    ffi_fn! { object value, out out_number => {
        if let Value::Float(number) = value.leaf(Type::Float)? {
            out_number.set(*number);
        }
        Ok(())
    } }
}

/// The number of a double.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_double(
    value: *const ferrion_value_t,
    out_number: *mut f64,
) -> ferrion_status {
    ffi_fn! { object value, out out_number => {
        if let Value::Double(number) = value.leaf(Type::Double)? {
            out_number.set(*number);
        }
        Ok(())
    } }
}

/// The number of a char: a Unicode character.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_char(
    value: *const ferrion_value_t,
    out_character: *mut u32,
) -> ferrion_status {
    ffi_fn! { object value, out out_character => {
        if let Value::Char(character) = value.leaf(Type::Char)? {
            out_character.set(u32::from(*character));
        }
        Ok(())
    } }
}

/// The milliseconds since 1970-01-01T00:00Z of a timestamp.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_timestamp(
    value: *const ferrion_value_t,
    out_milliseconds: *mut i64,
) -> ferrion_status {
    ffi_fn! { object value, out out_milliseconds => {
        if let Value::Timestamp(timestamp) = value.leaf(Type::Timestamp)? {
            out_milliseconds.set(timestamp.0);
        }
        Ok(())
    } }
}

/// The octets of a binary, decimal32, decimal64, decimal128, uuid, string or symbol. They are not copied, and no NUL
/// follows them.
///
/// Borrowed until: the next call on this object that changes values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_get_bytes(
    value: *const ferrion_value_t,
    out_data: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object value, out out_data => {
        let octets: &[u8] = match value.any_leaf()? {
            Value::Binary(octets) => octets,
            Value::Decimal32(decimal) => &decimal.0,
            Value::Decimal64(decimal) => &decimal.0,
            Value::Decimal128(decimal) => &decimal.0,
            Value::Uuid(uuid) => &uuid.0,
            Value::String(text) => text.as_bytes(),
            Value::Symbol(text) => text.as_bytes(),
            _ => return Err(value.wrong_type("which has no octets")),
        };
        out_data.set(octets.into());
        Ok(())
    } }
}
