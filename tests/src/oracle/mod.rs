//! A second, naive AMQP 1.0 codec, sharing nothing with the engine's.
//!
//! A test that decodes the engine's output with the engine's own decoder proves only that the two agree: a field written in
//! the wrong place and read from the same wrong place goes unseen. Everything here owns its data, recurses where the engine
//! iterates, and prefers the obvious over the fast. It also writes what a correct encoder never would: wide encodings of small
//! values, symbolic descriptors, raw octets, so that the engine can be shown every legal and many an illegal form.

mod decode;
mod encode;
mod frame;
mod shape;
mod show;
mod value;

pub use decode::{Fault, decode, decode_all};
pub use encode::{Form, encode, encode_with};
pub use frame::{
    AMQP_HEADER, Descriptors, Frame, FrameReader, Perf, Piece, SASL_HEADER, TLS_HEADER, What,
};
pub use shape::{Field, Kind, Shape, check, same, shape, shape_named};
pub use show::{show_frame, show_piece};
pub use value::{Element, V};
