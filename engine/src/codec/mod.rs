//! Encoding and decoding of AMQP 1.0 values (part 1 of the specification).
//!
//! The decoder accepts every legal encoding and bounds depth, counts and sizes before it allocates; text and binary are pieces of
//! the buffer they came in. The encoder writes the shortest form.
//!
//! ```
//! use bytes::Bytes;
//! use ferrion_engine::codec::{CodecLimits, Value, decode_value, encode_value};
//!
//! let value = Value::List(vec![Value::from("hello"), Value::from(7u32)]);
//! let mut octets = Vec::new();
//! encode_value(&value, &mut octets)?;
//! let (back, used) = decode_value(&Bytes::from(octets), &CodecLimits::default())?;
//! assert_eq!((back, used), (value, 12));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::cast_lossless
    )
)]

mod array;
pub mod code;
mod composite;
mod convert;
mod error;
pub(crate) mod field;
mod map;
mod prim;
mod raw;
mod reader;
pub(crate) mod room;
pub(crate) mod show;
mod skip;
mod text;
mod value;
pub mod writer;

pub use array::{Array, MixedArray, decode_multiple, encode_multiple};
pub use composite::FieldSpec;
pub(crate) use composite::{Trace, choice, composite};
pub use convert::WrongType;
pub use error::{DecodeError, DecodeErrorKind, EncodeError, Fault, NotAscii};
pub use map::Map;
pub(crate) use map::encode_map;
pub use prim::{Decimal32, Decimal64, Decimal128, Decode, Encode, Timestamp, Uuid};
pub use raw::{Fields, Raw};
pub use reader::{CodecLimits, Compound, Descriptor, MAX_DEPTH, MAX_ZERO_WIDTH, Reader};
pub(crate) use skip::length;
pub use skip::{jump, skip};
pub use text::{Str, Symbol};
pub(crate) use text::{checked_ascii, checked_text};
pub use value::{Described, Type, Value, decode_value, encode_value};
pub(crate) use value::{decode_list, encode_list};
