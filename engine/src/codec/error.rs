//! What can be wrong with octets, or with a value that is to become octets.

use alloc::boxed::Box;
use core::fmt;
use core::ops::Deref;

/// Octets that are not the AMQP value they should be. The details are in [`Fault`], which this dereferences to.
///
/// The details are boxed: an error is rare, and results as small as a pointer are what makes decoding without errors fast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError(Box<Fault>);

/// What a [`DecodeError`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// Octets from the start of the buffer to the place of the fault.
    pub at: usize,
    /// The field of a composite type in which the fault is, by its name in the specification.
    pub field: Option<&'static str>,
    /// The fault.
    pub kind: DecodeErrorKind,
}

impl DecodeError {
    /// The same fault, its place counted from `start` on.
    #[cold]
    pub(crate) fn relative_to(&self, start: usize) -> Self {
        let mut fault = self.0.clone();
        fault.at = fault.at.saturating_sub(start);
        Self(fault)
    }

    /// A fault at an offset.
    #[cold]
    #[inline(never)]
    pub fn new(at: usize, kind: DecodeErrorKind) -> Self {
        let field = None;
        Self(Box::new(Fault { at, field, kind }))
    }

    /// Names the field the fault is in. The innermost name stays.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn in_field(mut self, name: &'static str) -> Self {
        self.0.field = self.0.field.or(Some(name));
        self
    }
}

impl Deref for DecodeError {
    type Target = Fault;
    fn deref(&self) -> &Fault {
        &self.0
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field {
            write!(f, "field {field}: ")?;
        }
        write!(f, "{} at octet {}", self.kind, self.at)
    }
}

impl core::error::Error for DecodeError {}

/// The kinds of [`DecodeError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The buffer, or the compound around the value, ends inside the value.
    #[error("the value goes on beyond the end of its buffer")]
    UnexpectedEnd,
    /// No AMQP 1.0 encoding has this constructor.
    #[error("unknown constructor 0x{0:02x}")]
    UnknownCode(u8),
    /// A value of another type than the one that belongs here.
    #[error("expected {expected}, found constructor 0x{found:02x}")]
    WrongType {
        /// What belongs here.
        expected: &'static str,
        /// The constructor that was found.
        found: u8,
    },
    /// A string is not UTF-8 (1.6.20).
    #[error("string is not valid UTF-8")]
    BadUtf8,
    /// A symbol has an octet above 127 (1.6.21).
    #[error("symbol is not ASCII")]
    NotAscii,
    /// A char is not a Unicode scalar value (1.6.16).
    #[error("0x{0:x} is not a Unicode character")]
    BadChar(u32),
    /// The octet of a boolean is neither 0 nor 1 (1.6.2).
    #[error("0x{0:02x} is not a boolean")]
    BadBool(u8),
    /// Values are nested deeper than the limit.
    #[error("nested too deep")]
    TooDeep,
    /// A list, map, array, string, symbol or binary has more octets than the limit.
    #[error("{0} octets are more than are taken for one value")]
    TooLarge(u32),
    /// A count that its octets cannot hold, or more elements without octets than the limit.
    #[error("a count of {0} elements is more than can be there")]
    BadCount(u32),
    /// The size of a compound disagrees with what is in it.
    #[error("size of the compound disagrees with its content")]
    SizeMismatch,
    /// A map holds a key without a value (1.6.23).
    #[error("map has an odd number of elements")]
    OddMapCount,
    /// A map holds one key twice (1.6.23).
    #[error("map has the same key twice")]
    DuplicateKey,
    /// A mandatory field is absent or null (1.4).
    #[error("mandatory value is missing")]
    MissingField,
    /// A composite has more fields than its type defines.
    #[error("{found} fields where the type has {known}")]
    ExtraFields {
        /// Fields the type defines.
        known: u32,
        /// Fields that were found.
        found: u32,
    },
    /// A value outside the choices of a restricted type (1.5).
    #[error("not one of the values of {0}")]
    BadChoice(&'static str),
    /// A delivery-tag has more than 32 octets (2.8.7).
    #[error("delivery-tag of {0} octets; 32 is the most")]
    TagTooLong(usize),
    /// A descriptor that names no type which may stand here.
    #[error("expected {0}, found another descriptor")]
    UnknownDescriptor(&'static str),
    /// A section of a message stands behind one that it belongs before (3.2).
    #[error("section {found} must come before {after}")]
    SectionOrder {
        /// The section that comes too late.
        found: &'static str,
        /// The section right before it.
        after: &'static str,
    },
    /// A section of a message, other than data and amqp-sequence, is there twice (3.2).
    #[error("section {0} is there twice")]
    DuplicateSection(&'static str),
    /// The body of a message has sections of more than one kind (3.2).
    #[error("the body mixes data, amqp-sequence and amqp-value sections")]
    MixedBody,
    /// A message has no body (3.2).
    #[error(
        "the message has no body, which is mandatory: send an amqp-value section with null for no content"
    )]
    MissingBody,
    /// A message is longer than the 4 GiB that its sections are counted in.
    #[error("a message of {0} octets; 4294967295 is the most")]
    MessageTooLong(usize),
    /// A second value, or anything else, follows where the buffer should end.
    #[error("octets left over after the value")]
    TrailingOctets,
}

/// A value that AMQP 1.0, or the limits of this codec, cannot express.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH). Build the value flatter.
    #[error("value is nested too deep to be encoded: build it flatter")]
    TooDeep,
    /// More than 4 GiB in one variable-width value or compound. Split the value.
    #[error("value is longer than 4 GiB, the most AMQP can express: split it")]
    TooLong,
}

/// Text that is no [`Symbol`](super::Symbol): an octet is above 127 (1.6.21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a symbol holds ASCII only: replace the character at octet {at}")]
pub struct NotAscii {
    /// Offset of the first octet that is not ASCII.
    pub at: usize,
}
