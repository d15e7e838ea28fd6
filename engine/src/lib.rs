//! The AMQP 1.0 protocol engine: bytes in, bytes out, events, time as an argument.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

pub mod codec;
pub mod message;
pub mod protocol;

pub use message::Message;
