//! Descriptors by name and by number.

use super::messaging::{
    Accepted, DeleteOnClose, DeleteOnNoLinks, DeleteOnNoLinksOrMessages, DeleteOnNoMessages,
    Modified, Received, Rejected, Released, Source, Target,
};
use super::security::{SaslChallenge, SaslInit, SaslMechanisms, SaslOutcome, SaslResponse};
use super::transactions::{Coordinator, Declare, Declared, Discharge, TransactionalState};
use super::transport::{
    Attach, Begin, Close, Condition, Detach, Disposition, End, Flow, Open, Transfer,
};
use crate::codec::{DecodeError, DecodeErrorKind, Descriptor, Reader, code};

macro_rules! known {
    ($($Type:ident),* $(,)?) => {
        &[$(($Type::NAME, $Type::DESCRIPTOR),)*]
    };
}

/// The composite types of this module.
const COMPOSITES: &[(&str, u64)] = known![
    Open,
    Begin,
    Attach,
    Flow,
    Transfer,
    Disposition,
    Detach,
    End,
    Close,
    Condition,
    Received,
    Accepted,
    Rejected,
    Released,
    Modified,
    Source,
    Target,
    DeleteOnClose,
    DeleteOnNoLinks,
    DeleteOnNoMessages,
    DeleteOnNoLinksOrMessages,
    Coordinator,
    Declare,
    Discharge,
    Declared,
    TransactionalState,
    SaslMechanisms,
    SaslInit,
    SaslChallenge,
    SaslResponse,
    SaslOutcome,
];

/// The sections of a message (3.2).
const SECTIONS: &[(&str, u64)] = &[
    ("amqp:header:list", 0x70),
    ("amqp:delivery-annotations:map", 0x71),
    ("amqp:message-annotations:map", 0x72),
    ("amqp:properties:list", 0x73),
    ("amqp:application-properties:map", 0x74),
    ("amqp:data:binary", 0x75),
    ("amqp:amqp-sequence:list", 0x76),
    ("amqp:amqp-value:*", 0x77),
    ("amqp:footer:map", 0x78),
];

/// The number of a symbolic descriptor of the specification.
pub fn code_of(name: &[u8]) -> Option<u64> {
    let tables = COMPOSITES.iter().chain(SECTIONS);
    tables
        .copied()
        .find(|(known, _)| known.as_bytes() == name)
        .map(|(_, code)| code)
}

/// The symbolic form of a numeric descriptor of the specification.
pub fn name_of(code: u64) -> Option<&'static str> {
    let tables = COMPOSITES.iter().chain(SECTIONS);
    tables
        .copied()
        .find(|(_, known)| *known == code)
        .map(|(name, _)| name)
}

/// Reads the constructor of a described value and its descriptor, in either form, as the number. What it describes is next:
/// choose the type by the number and call its `decode_body`.
///
/// # Errors
/// This is no described value, or its descriptor is a symbol that the specification does not define.
#[inline]
pub fn read_descriptor(r: &mut Reader<'_>) -> Result<u64, DecodeError> {
    let constructor = r.u8()?;
    read_descriptor_as(constructor, r)
}

/// As [`read_descriptor`], after the constructor.
#[inline]
pub(super) fn read_descriptor_as(constructor: u8, r: &mut Reader<'_>) -> Result<u64, DecodeError> {
    if constructor != code::DESCRIBED {
        return Err(r.wrong_type("a described value", constructor));
    }
    let at = r.position();
    match r.descriptor()? {
        Descriptor::Code(code) => Ok(code),
        Descriptor::Name(name) => code_of(name).ok_or_else(|| {
            DecodeError::new(
                at,
                DecodeErrorKind::UnknownDescriptor("a descriptor of AMQP 1.0"),
            )
        }),
    }
}
