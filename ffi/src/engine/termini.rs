//! The fields of the performatives and of termini, by number: that of their place in the specification's tables, from 1.

use ferrion_engine::codec::Value;
use ferrion_engine::protocol::{Coordinator, Source, Target, TargetArchetype};

use super::fields::{field, with_field};
use crate::status::{Failure, ferrion_status as Status};

/// The fields of a source (3.5.3).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_source_field {
    /// string
    FERRION_SOURCE_ADDRESS = 1,
    /// uint: 0 nothing, 1 configuration, 2 unsettled deliveries too (3.5.5)
    FERRION_SOURCE_DURABLE = 2,
    /// symbol: link-detach, session-end, connection-close or never (3.5.6)
    FERRION_SOURCE_EXPIRY_POLICY = 3,
    /// uint, seconds
    FERRION_SOURCE_TIMEOUT = 4,
    /// bool: the peer is to make a node
    FERRION_SOURCE_DYNAMIC = 5,
    /// map (3.5.9)
    FERRION_SOURCE_DYNAMIC_NODE_PROPERTIES = 6,
    /// symbol: move or copy (3.5.7)
    FERRION_SOURCE_DISTRIBUTION_MODE = 7,
    /// map of symbols to described values (3.5.8)
    FERRION_SOURCE_FILTER = 8,
    /// described value: the outcome of what is settled without one
    FERRION_SOURCE_DEFAULT_OUTCOME = 9,
    /// symbols
    FERRION_SOURCE_OUTCOMES = 10,
    /// symbols
    FERRION_SOURCE_CAPABILITIES = 11,
}

/// The fields of a target (3.5.4). A coordinator (4.5.1) has its capabilities only.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_target_field {
    /// string
    FERRION_TARGET_ADDRESS = 1,
    /// uint, as in a source
    FERRION_TARGET_DURABLE = 2,
    /// symbol, as in a source
    FERRION_TARGET_EXPIRY_POLICY = 3,
    /// uint, seconds
    FERRION_TARGET_TIMEOUT = 4,
    /// bool: the peer is to make a node
    FERRION_TARGET_DYNAMIC = 5,
    /// map (3.5.9)
    FERRION_TARGET_DYNAMIC_NODE_PROPERTIES = 6,
    /// symbols
    FERRION_TARGET_CAPABILITIES = 7,
}

/// The fields of an open (2.7.1), for `ferrion_connection_remote`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_open_field {
    /// string
    FERRION_OPEN_CONTAINER_ID = 1,
    /// string
    FERRION_OPEN_HOSTNAME = 2,
    /// uint
    FERRION_OPEN_MAX_FRAME_SIZE = 3,
    /// ushort
    FERRION_OPEN_CHANNEL_MAX = 4,
    /// uint, milliseconds
    FERRION_OPEN_IDLE_TIME_OUT = 5,
    /// symbols
    FERRION_OPEN_OUTGOING_LOCALES = 6,
    /// symbols
    FERRION_OPEN_INCOMING_LOCALES = 7,
    /// symbols
    FERRION_OPEN_OFFERED_CAPABILITIES = 8,
    /// symbols
    FERRION_OPEN_DESIRED_CAPABILITIES = 9,
    /// map
    FERRION_OPEN_PROPERTIES = 10,
}

/// The fields of a begin (2.7.2), for `ferrion_session_remote`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_begin_field {
    /// ushort
    FERRION_BEGIN_REMOTE_CHANNEL = 1,
    /// uint
    FERRION_BEGIN_NEXT_OUTGOING_ID = 2,
    /// uint
    FERRION_BEGIN_INCOMING_WINDOW = 3,
    /// uint
    FERRION_BEGIN_OUTGOING_WINDOW = 4,
    /// uint
    FERRION_BEGIN_HANDLE_MAX = 5,
    /// symbols
    FERRION_BEGIN_OFFERED_CAPABILITIES = 6,
    /// symbols
    FERRION_BEGIN_DESIRED_CAPABILITIES = 7,
    /// map
    FERRION_BEGIN_PROPERTIES = 8,
}

/// The fields of an attach (2.7.3), for `ferrion_link_remote`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_attach_field {
    /// string
    FERRION_ATTACH_NAME = 1,
    /// uint
    FERRION_ATTACH_HANDLE = 2,
    /// bool: true for a receiver
    FERRION_ATTACH_ROLE = 3,
    /// ubyte: a `ferrion_snd_settle_mode`
    FERRION_ATTACH_SND_SETTLE_MODE = 4,
    /// ubyte: a `ferrion_rcv_settle_mode`
    FERRION_ATTACH_RCV_SETTLE_MODE = 5,
    /// described value; absent: the link is refused
    FERRION_ATTACH_SOURCE = 6,
    /// described value; absent: the link is refused
    FERRION_ATTACH_TARGET = 7,
    /// map
    FERRION_ATTACH_UNSETTLED = 8,
    /// bool
    FERRION_ATTACH_INCOMPLETE_UNSETTLED = 9,
    /// uint
    FERRION_ATTACH_INITIAL_DELIVERY_COUNT = 10,
    /// ulong; absent and 0 mean any
    FERRION_ATTACH_MAX_MESSAGE_SIZE = 11,
    /// symbols
    FERRION_ATTACH_OFFERED_CAPABILITIES = 12,
    /// symbols
    FERRION_ATTACH_DESIRED_CAPABILITIES = 13,
    /// map
    FERRION_ATTACH_PROPERTIES = 14,
}

pub(super) fn source_field(source: Option<&Source>, number: i32) -> Result<Value, Failure> {
    field(source.ok_or_else(Failure::absent)?, Source::FIELDS, number)
}

pub(super) fn with_source_field(
    source: Option<&Source>,
    number: i32,
    value: Value,
) -> Result<Source, Failure> {
    match source {
        Some(source) => with_field(source, Source::FIELDS, number, value),
        None => with_field(&Source::default(), Source::FIELDS, number, value),
    }
}

pub(super) fn target_field(
    target: Option<&TargetArchetype>,
    number: i32,
) -> Result<Value, Failure> {
    match target.ok_or_else(Failure::absent)? {
        TargetArchetype::Target(target) => field(target, Target::FIELDS, number),
        TargetArchetype::Coordinator(coordinator) => match number {
            _ if number == ferrion_target_field::FERRION_TARGET_CAPABILITIES as i32 => {
                field(coordinator, Coordinator::FIELDS, 1)
            }
            _ => Err(Failure::absent()),
        },
    }
}

pub(super) fn with_target_field(
    target: Option<&TargetArchetype>,
    number: i32,
    value: Value,
) -> Result<TargetArchetype, Failure> {
    Ok(TargetArchetype::Target(match target {
        Some(TargetArchetype::Target(target)) => with_field(target, Target::FIELDS, number, value)?,
        Some(TargetArchetype::Coordinator(_)) => {
            let text = "the target is a coordinator: set it whole, or remove it first";
            return Err(Failure::new(Status::FERRION_STATE, text));
        }
        None => with_field(&Target::default(), Target::FIELDS, number, value)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrion_engine::codec::FieldSpec;
    use ferrion_engine::protocol::{Attach, Begin, Open};

    /// The enumerators of one enum, as this file spells them.
    fn numbers(prefix: &str) -> Vec<(String, usize)> {
        let lines = include_str!("termini.rs").lines().map(str::trim);
        let rows = lines.filter_map(|line| {
            line.strip_prefix(prefix)?
                .strip_suffix(',')?
                .split_once(" = ")
        });
        rows.map(|(name, number)| (name.to_owned(), number.parse().expect("a number")))
            .collect()
    }

    #[test]
    fn every_field_has_the_number_of_its_place_in_the_table() {
        let tables: [(&str, &[FieldSpec]); 5] = [
            ("FERRION_SOURCE_", Source::FIELDS),
            ("FERRION_TARGET_", Target::FIELDS),
            ("FERRION_OPEN_", Open::FIELDS),
            ("FERRION_BEGIN_", Begin::FIELDS),
            ("FERRION_ATTACH_", Attach::FIELDS),
        ];
        for (prefix, fields) in tables {
            let names = fields
                .iter()
                .map(|field| field.name.replace('-', "_").to_uppercase());
            let expected: Vec<(String, usize)> = names.zip(1..).collect();
            assert_eq!(numbers(prefix), expected, "{prefix}");
        }
    }
}
