//! The JSON form of AMQP values and messages, without loss: what `recv --json` prints, `send --json` reads.
//!
//! A JSON string, `true`, `false`, `null` and an array are the AMQP string, boolean, null and list. Everything else is an
//! object with one member, the name of the AMQP type:
//!
//! ```text
//! {"ubyte": 7}  {"long": -3}  {"ulong": "18446744073709551615"}  {"float": 1.5}  {"double": "NaN"}
//! {"decimal64": "2238000000000001"}  {"char": "x"}  {"timestamp": 1700000000000}  {"uuid": "6ba7b810-..."}
//! {"binary": "BASE64"}  {"symbol": "x-opt"}  {"map": [[KEY, VALUE], ...]}  {"array": [{"uint": 1}, {"uint": 2}]}
//! {"array": [], "of": "uint"}  {"array": [], "of": {"described": [DESCRIPTOR, "uint"]}}
//! {"described": [DESCRIPTOR, VALUE]}
//! ```
//!
//! Integers beyond 2^53 are strings, because many JSON readers would round them. On input a bare whole number is a long, any
//! other bare number a double, and a map with only text keys may be written `{"map": {"key": VALUE}}`.

mod message;
mod number;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;

pub(crate) use message::{message_from_json, message_to_json};
use value::Json;

/// JSON that is no message or value of the form above.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    /// Where in the object, such as `properties.to`.
    path: String,
    what: String,
}

impl JsonError {
    fn new(what: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            what: what.into(),
        }
    }

    /// Says that the fault is within the member `name`.
    fn within(mut self, name: impl fmt::Display) -> Self {
        self.path = if self.path.is_empty() {
            name.to_string()
        } else {
            format!("{name}.{}", self.path)
        };
        self
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.what)
    }
}
