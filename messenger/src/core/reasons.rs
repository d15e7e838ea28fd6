//! Why things failed, as peers say it. They choose the texts, so what is kept of these has bounds.

use std::collections::HashMap;

use ferrion_engine::codec::{Encode, Fields, Str};
use ferrion_engine::protocol::Condition;

use crate::error::{Error, Scope};

/// Octets of what a peer said of a message that are not worth counting beside it.
const PLAIN: usize = 64;
/// The same of a reason, which has an address as well.
const PLAIN_REASON: usize = 256;
/// What is kept of a condition that ended a connection, a session or a link, and of its name: errors of those are counted in
/// many places, and their octets in none.
const BRIEF: usize = 4096;
const BRIEF_NAME: usize = 256;

/// The error for a condition that a peer gave.
pub(super) fn remote(scope: Scope, address: String, condition: Condition) -> Error {
    // What it came with may be larger than the condition.
    let mut condition = Condition {
        condition: condition.condition.detached(),
        description: condition.description.as_ref().map(Str::detached),
        info: condition.info.as_ref().map(Fields::detached),
    };
    if scope != Scope::Message && encoded_len(&condition) > BRIEF {
        let name = beginning(&condition.condition, BRIEF_NAME).to_owned();
        let description = condition.description.as_deref();
        condition = Condition {
            condition: name.try_into().unwrap_or(condition.condition),
            description: description.map(|text| beginning(text, BRIEF).to_owned().into()),
            info: None,
        };
    }
    Error::Remote {
        scope,
        address,
        condition: Box::new(condition),
    }
}

/// What a peer said of one message counts, for as long as it is kept.
pub(super) fn told_octets(told: &impl Encode) -> usize {
    beyond(PLAIN, encoded_len(told))
}

/// What a reason counts. Those of connections, sessions and links count nothing: they are brief.
pub(super) fn reason_octets(reason: &Error) -> usize {
    match reason {
        Error::Remote {
            scope: Scope::Message,
            address,
            condition,
        } => beyond(PLAIN_REASON, address.len() + encoded_len(&**condition)),
        _ => 0,
    }
}

/// The reasons why messages in the window failed, by their sequence numbers.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    of: HashMap<u64, Error>,
    octets: usize,
}

impl Reasons {
    /// Keeps a reason; beyond `room` octets of all that are kept without its text, and not at all if it is too large even so.
    pub(super) fn insert(&mut self, sequence: u64, mut reason: Error, room: usize) {
        let is_too_much = |octets: usize| octets > 0 && self.octets.saturating_add(octets) > room;
        let mut octets = reason_octets(&reason);
        if is_too_much(octets)
            && let Error::Remote { condition, .. } = &mut reason
        {
            (condition.description, condition.info) = (None, None);
            octets = reason_octets(&reason);
            if is_too_much(octets) {
                return;
            }
        }
        self.octets += octets;
        self.of.insert(sequence, reason);
    }

    pub(super) fn get(&self, sequence: u64) -> Option<&Error> {
        self.of.get(&sequence)
    }

    pub(super) fn remove(&mut self, sequence: u64) {
        if self.of.is_empty() {
            return;
        }
        if let Some(reason) = self.of.remove(&sequence) {
            self.octets -= reason_octets(&reason);
        }
    }
}

/// Octets that a value has on the wire.
pub(super) fn encoded_len(value: &impl Encode) -> usize {
    let mut octets = Vec::new();
    value.encode(&mut octets);
    octets.len()
}

const fn beyond(plain: usize, octets: usize) -> usize {
    if octets > plain { octets } else { 0 }
}

/// As much of a text as has so many octets.
fn beginning(text: &str, octets: usize) -> &str {
    let mut end = octets.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
