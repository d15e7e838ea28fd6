//! Frames as readable lines: `0 -> @open(16) [container-id="x"]`.

use alloc::format;
use alloc::string::String;

use bytes::Bytes;

use crate::protocol::Performative;

/// The line for one AMQP frame body; `beside` counts payload octets that are not in `body`.
pub(crate) fn line(channel: u16, direction: &str, body: &Bytes, beside: usize) -> String {
    if body.is_empty() && beside == 0 {
        return format!("{channel} {direction} (empty)");
    }
    match Performative::decode(body) {
        Ok((performative, used)) => match body.len() - used + beside {
            0 => format!("{channel} {direction} {performative}"),
            payload => format!("{channel} {direction} {performative} ({payload} octets)"),
        },
        Err(error) => format!("{channel} {direction} (not decodable: {error})"),
    }
}
