//! The C ABI of ferrion, as `include/ferrion.h` declares it.
//!
//! The header is generated from these sources by `tests/header.rs`; its preamble (`preamble.h`) states the rules that hold
//! for every function. One file per C noun; each export is a single `ffi_fn!` (`guard.rs`), the one door between C and Rust.

#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]
#![allow(non_camel_case_types, reason = "the names are those of the header")]
#![allow(
    clippy::missing_safety_doc,
    reason = "what a C caller must keep is the same for every function and stands at the top of the header"
)]

#[macro_use]
mod guard;
// The order is that of the header.
pub mod engine;
pub mod message;
pub mod messages;
pub mod messenger;
pub mod status;
#[cfg(feature = "testing")]
pub mod testing;
pub mod types;
pub mod value;
pub mod version;
