//! Building values.

use core::ffi::c_char;

use bytes::Bytes;
use ferrion_engine::codec::{
    Decimal32, Decimal64, Decimal128, Str, Symbol, Timestamp, Type, Uuid, Value,
};

use super::tape::Branch;
use super::{ferrion_value_t, type_from};
use crate::status::{Failure, ferrion_status};

/// Appends null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_null(value: *mut ferrion_value_t) -> ferrion_status {
    ffi_fn! { object value => { value.put(Value::Null) } }
}

/// Appends true or false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_bool(
    value: *mut ferrion_value_t,
    truth: bool,
) -> ferrion_status {
    ffi_fn! { object value => { value.put(Value::Bool(truth)) } }
}

/// Appends an unsigned number of 8 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_ubyte(
    value: *mut ferrion_value_t,
    number: u8,
) -> ferrion_status {
    ffi_fn! { object value => { value.put(Value::Ubyte(number)) } }
}

/// Appends an unsigned number of 16 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_ushort(
    value: *mut ferrion_value_t,
    number: u16,
) -> ferrion_status {
    ffi_fn! { object value => { value.put(Value::Ushort(number)) } }
}

/// Appends an unsigned number of 32 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_uint(
    value: *mut ferrion_value_t,
    number: u32,
) -> ferrion_status {
    ffi_fn! { object value => { value.put(Value::Uint(number)) } }
}

/// Appends an unsigned number of 64 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_ulong(
    value: *mut ferrion_value_t,
    number: u64,
) -> ferrion_status {
    ffi_fn! { object value => { value.put(Value::Ulong(number)) } }
}

/// Appends a signed number of 8 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_byte(
    value: *mut ferrion_value_t,
    number: i8,
) -> ferrion_status {
    ffi_fn! { object value => { value.put(Value::Byte(number)) } }
}

/// Appends a signed number of 16 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_short(
    value: *mut ferrion_value_t,
    number: i16,
) -> ferrion_status {
    ffi_fn! { object value => { value.put(Value::Short(number)) } }
}

/// Appends a signed number of 32 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_int(
    value: *mut ferrion_value_t,
    number: i32,
) -> ferrion_status {
    ffi_fn! { object value => { value.put(Value::Int(number)) } }
}

/// Appends a signed number of 64 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_long(
    value: *mut ferrion_value_t,
    number: i64,
) -> ferrion_status {
    ffi_fn! { object value => { value.put(Value::Long(number)) } }
}

/// Appends a number of IEEE 754 binary32.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_float(
    value: *mut ferrion_value_t,
    number: f32,
) -> ferrion_status {
    ffi_fn! { object value => { value.put(Value::Float(number)) } }
}

/// Appends a number of IEEE 754 binary64.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_double(
    value: *mut ferrion_value_t,
    number: f64,
) -> ferrion_status {
    ffi_fn! { object value => { value.put(Value::Double(number)) } }
}

/// Appends a decimal32 from its 4 octets in network order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_decimal32(
    value: *mut ferrion_value_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object value, bytes data len => { value.put(Value::Decimal32(Decimal32(exactly(data)?))) } }
}

/// Appends a decimal64 from its 8 octets in network order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_decimal64(
    value: *mut ferrion_value_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object value, bytes data len => { value.put(Value::Decimal64(Decimal64(exactly(data)?))) } }
}

/// Appends a decimal128 from its 16 octets in network order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_decimal128(
    value: *mut ferrion_value_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object value, bytes data len => { value.put(Value::Decimal128(Decimal128(exactly(data)?))) } }
}

/// Appends a Unicode character, given by its number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_char(
    value: *mut ferrion_value_t,
    character: u32,
) -> ferrion_status {
    ffi_fn! { object value => {
        let character = char::from_u32(character)
            .ok_or_else(|| Failure::invalid(format!("0x{character:x} is not a Unicode character")))?;
        value.put(Value::Char(character))
    } }
}

/// Appends a point in time, in milliseconds since 1970-01-01T00:00Z.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_timestamp(
    value: *mut ferrion_value_t,
    milliseconds: i64,
) -> ferrion_status {
    ffi_fn! { object value => { value.put(Value::Timestamp(Timestamp(milliseconds))) } }
}

/// Appends a UUID from its 16 octets in network order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_uuid(
    value: *mut ferrion_value_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object value, bytes data len => { value.put(Value::Uuid(Uuid(exactly(data)?))) } }
}

/// Appends octets.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_binary(
    value: *mut ferrion_value_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object value, bytes data len => { value.put(Value::Binary(Bytes::copy_from_slice(data))) } }
}

/// Appends a string, given as UTF-8. It may contain the character NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_string(
    value: *mut ferrion_value_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object value, bytes data len => {
        let text = core::str::from_utf8(data).map_err(|_| Failure::invalid("a string must be UTF-8"))?;
        value.put(Value::String(Str::from(text)))
    } }
}

/// Appends a symbol, given as ASCII.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_symbol(
    value: *mut ferrion_value_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object value, bytes data len => { value.put(Value::Symbol(symbol(data)?)) } }
}

/// Appends a string that ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_text(
    value: *mut ferrion_value_t,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object value, text text => { value.put(Value::String(Str::from(text))) } }
}

/// Appends a symbol that ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_symbol_text(
    value: *mut ferrion_value_t,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object value, text text => { value.put(Value::Symbol(symbol(text.as_bytes())?)) } }
}

/// Appends a list of the values that follow, up to `ferrion_value_end`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_begin_list(value: *mut ferrion_value_t) -> ferrion_status {
    ffi_fn! { object value => { value.begin(Branch::List) } }
}

/// Appends a map of the values that follow, up to `ferrion_value_end`: a key, its value, the next key and so on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_begin_map(value: *mut ferrion_value_t) -> ferrion_status {
    ffi_fn! { object value => { value.begin(Branch::Map) } }
}

/// Appends a described value. Two values follow before `ferrion_value_end`: the descriptor, and what it describes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_begin_described(
    value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object value => { value.begin(Branch::Described) } }
}

/// Appends an array of the values that follow, up to `ferrion_value_end`, all of one `ferrion_type`.
///
/// The elements of an array may share descriptors: the first `descriptors` values that follow are these, the outermost
/// first. Mostly there are none. `element` is the type below them, so it is never FERRION_TYPE_DESCRIBED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_begin_array(
    value: *mut ferrion_value_t,
    element: i32,
    descriptors: usize,
) -> ferrion_status {
    ffi_fn! { object value => {
        let element = type_from(element)?;
        if element == Type::Described {
            return Err(Failure::invalid("say the type below the descriptor, and that there is 1 descriptor"));
        }
        value.begin(Branch::Array { element, descriptors })
    } }
}

/// Closes the list, map, array or described value that was begun last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_end(value: *mut ferrion_value_t) -> ferrion_status {
    ffi_fn! { object value => { value.end() } }
}

/// Octets of which there must be a certain number.
fn exactly<const N: usize>(data: &[u8]) -> Result<[u8; N], Failure> {
    data.try_into()
        .map_err(|_| Failure::invalid(format!("{N} octets belong here, not {}", data.len())))
}

fn symbol(data: &[u8]) -> Result<Symbol, Failure> {
    Ok(Symbol::try_from(Bytes::copy_from_slice(data))?)
}
