//! Why messages in the window failed. A peer chooses the text, so what is kept of all texts together has a bound.

use std::collections::HashMap;

use ferrion_engine::codec::Encode;
use ferrion_engine::protocol::Condition;

use crate::error::{Error, Scope};

/// Octets of a state or condition that are not worth counting beside its message.
const PLAIN: usize = 64;

/// What a peer said of one message counts, for as long as it is kept.
pub(super) fn told_octets(told: &impl Encode) -> usize {
    let mut octets = Vec::new();
    told.encode(&mut octets);
    if octets.len() > PLAIN {
        octets.len()
    } else {
        0
    }
}

/// What a reason counts. Those of connections, sessions and links count nothing: all their messages share one.
pub(super) fn reason_octets(reason: &Error) -> usize {
    match reason {
        Error::Remote {
            scope: Scope::Message,
            condition,
            ..
        } => told_octets(&**condition),
        _ => 0,
    }
}

/// The reasons, by the sequence numbers of their messages.
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
            **condition = Condition::new(condition.condition.detached());
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
