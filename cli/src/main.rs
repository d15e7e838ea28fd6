//! The `ferrion` command.
#![forbid(unsafe_code)]

fn main() {}
