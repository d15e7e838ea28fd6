//! The bodies of the fuzz targets, here so that every build compiles them.
//!
//! Each takes any octets. What is wrong with the octets is no failure; a panic is.

mod cores;
mod text;

pub use cores::messenger_core;
pub use text::{address, routes};

/// What a fuzz target runs.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also the name of its folder in the corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("address", address),
    ("messenger_core", messenger_core),
    ("routes", routes),
];
