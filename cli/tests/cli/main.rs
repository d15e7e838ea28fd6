//! The `ferrion` command, as a user runs it.
#![forbid(unsafe_code)]

mod alternatives;
mod common;
mod decode;
mod demo;
mod messages;
mod readme;
mod secrets;
mod selector;
mod terminal;
mod tls;
