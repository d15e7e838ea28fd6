//! Fields that may be one of several types: [`DeliveryState`] and [`TargetArchetype`].

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::descriptor::code_of;
use super::messaging::{Accepted, Modified, Received, Rejected, Released, Target};
use super::transactions::{Coordinator, Declared, TransactionalState};
use super::transport::Condition;
use crate::codec::{
    Decode, DecodeError, DecodeErrorKind, Descriptor, Encode, Raw, Reader, Trace, code, skip,
    writer,
};

/// The state of a delivery at one end of a link (3.4), a terminal one being an [`Outcome`].
///
/// Two words: it is handed on several times for each delivery, and nearly always one of those without a content.
#[derive(Eq)]
pub enum DeliveryState {
    /// A part has arrived; for links that resume.
    Received(Box<Received>),
    /// Taken over by the receiver.
    Accepted,
    /// Not valid, with the error that says why.
    Rejected(Option<Box<Condition>>),
    /// Not acted upon.
    Released,
    /// Not acted upon, and to be changed.
    Modified(Box<Modified>),
    /// A transaction was declared.
    Declared(Box<Declared>),
    /// A state within a transaction.
    Transactional(Box<TransactionalState>),
    /// A described value that this crate does not know; it is kept as it came.
    Other(Box<Raw>),
}

impl Clone for DeliveryState {
    #[inline]
    fn clone(&self) -> Self {
        match self {
            Self::Accepted => Self::Accepted,
            other => other.clone_rare(),
        }
    }
}

impl PartialEq for DeliveryState {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Accepted, Self::Accepted) => true,
            _ => self.equals_rare(other),
        }
    }
}

/// A delivery state that ends a delivery. The specification's outcomes are states too, so this is no type of its own;
/// [`DeliveryState::is_outcome`] tells.
pub type Outcome = DeliveryState;

impl DeliveryState {
    // Apart from the state that nearly all are, so that this one costs no call.
    #[cold]
    fn clone_rare(&self) -> Self {
        match self {
            Self::Received(state) => Self::Received(state.clone()),
            Self::Accepted => Self::Accepted,
            Self::Rejected(error) => Self::Rejected(error.clone()),
            Self::Released => Self::Released,
            Self::Modified(state) => Self::Modified(state.clone()),
            Self::Declared(state) => Self::Declared(state.clone()),
            Self::Transactional(state) => Self::Transactional(state.clone()),
            Self::Other(state) => Self::Other(state.clone()),
        }
    }

    #[cold]
    fn equals_rare(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Received(a), Self::Received(b)) => a == b,
            (Self::Accepted, Self::Accepted) | (Self::Released, Self::Released) => true,
            (Self::Rejected(a), Self::Rejected(b)) => a == b,
            (Self::Modified(a), Self::Modified(b)) => a == b,
            (Self::Declared(a), Self::Declared(b)) => a == b,
            (Self::Transactional(a), Self::Transactional(b)) => a == b,
            (Self::Other(a), Self::Other(b)) => a == b,
            _ => false,
        }
    }

    /// Rejected, with a reason.
    pub fn rejected(condition: Condition) -> Self {
        Self::Rejected(Some(Box::new(condition)))
    }

    /// The same state without whatever makes it large: for a peer whose frames are too small for the rest, and where there is
    /// no room for it. What is left may still be a piece of a buffer with the whole.
    #[must_use]
    pub(crate) fn without_details(self) -> Self {
        match self {
            Self::Rejected(Some(error)) => Self::rejected(Condition::new(error.condition)),
            Self::Modified(mut modified) => {
                modified.message_annotations = None;
                Self::Modified(modified)
            }
            Self::Transactional(mut state) => {
                state.outcome = state.outcome.map(Self::without_details);
                Self::Transactional(state)
            }
            other => other,
        }
    }

    /// Gives it octets of its own unless it has none: it may be a piece of much that was read together with it.
    #[inline]
    pub(crate) fn detach_if_large(&mut self) {
        if !matches!(self, Self::Accepted | Self::Released) {
            self.detach();
        }
    }

    #[cold]
    fn detach(&mut self) {
        *self = self.detached();
    }

    /// Whether this is an outcome, terminal. A state that is not known counts as one, as all but `received` and
    /// `transactional-state` are.
    pub const fn is_outcome(&self) -> bool {
        !matches!(self, Self::Received(_) | Self::Transactional(_))
    }
}

/// What follows the constructor of `accepted` in its shortest form.
#[expect(clippy::cast_possible_truncation, reason = "the descriptor is 0x24")]
const ACCEPTED: [u8; 3] = [code::ULONG_SMALL, Accepted::DESCRIPTOR as u8, code::LIST0];

impl Decode for DeliveryState {
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if constructor != code::DESCRIBED {
            return Err(r.wrong_type("delivery-state", constructor));
        }
        // Nearly every state that is sent is this one, in this form.
        if r.skip_octets(&ACCEPTED) {
            return Ok(Self::Accepted);
        }
        let start = r.position().saturating_sub(1);
        let known = match r.peek() {
            Some(code::ULONG_SMALL | code::ULONG | code::SYMBOL8 | code::SYMBOL32) => {
                match r.descriptor()? {
                    Descriptor::Code(known) => known,
                    Descriptor::Name(name) => code_of(name).unwrap_or_default(),
                }
            }
            // Any value may be a descriptor (1.2), though none here is one that we know.
            _ => {
                skip(r)?;
                0
            }
        };
        Ok(match known {
            Accepted::DESCRIPTOR => {
                Accepted::decode_body(r)?;
                Self::Accepted
            }
            Rejected::DESCRIPTOR => Self::Rejected(Rejected::decode_body(r)?.error.map(Box::new)),
            Released::DESCRIPTOR => {
                Released::decode_body(r)?;
                Self::Released
            }
            Received::DESCRIPTOR => Self::Received(Box::new(Received::decode_body(r)?)),
            Modified::DESCRIPTOR => Self::Modified(Box::new(Modified::decode_body(r)?)),
            Declared::DESCRIPTOR => Self::Declared(Box::new(Declared::decode_body(r)?)),
            TransactionalState::DESCRIPTOR => {
                Self::Transactional(Box::new(TransactionalState::decode_body(r)?))
            }
            _ => {
                skip(r)?;
                Self::Other(Box::new(Raw::from_checked(r.since(start))))
            }
        })
    }
}

impl Encode for DeliveryState {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Accepted => empty(out, Accepted::DESCRIPTOR),
            Self::Released | Self::Rejected(None) => empty(out, self.descriptor()),
            Self::Rejected(Some(error)) => {
                writer::descriptor(out, Rejected::DESCRIPTOR);
                let list = writer::begin(out);
                error.encode(out);
                if list.list(out, 1).is_err() {
                    out.push(code::NULL);
                }
            }
            Self::Received(state) => state.encode(out),
            Self::Modified(state) => state.encode(out),
            Self::Declared(state) => state.encode(out),
            Self::Transactional(state) => state.encode(out),
            Self::Other(state) => state.encode(out),
        }
    }
}

impl DeliveryState {
    /// Octets that it has on the wire.
    pub(crate) fn encoded_len(&self) -> usize {
        let mut octets = Vec::new();
        self.encode(&mut octets);
        octets.len()
    }

    /// The same, with octets of its own, and no more than it needs.
    pub(crate) fn detached(&self) -> Self {
        if let Self::Accepted | Self::Released | Self::Received(_) | Self::Rejected(None) = self {
            return self.clone();
        }
        let mut octets = Vec::new();
        self.encode(&mut octets);
        let octets = octets.into_boxed_slice().into();
        Self::decode(&mut Reader::trusted(&octets)).unwrap_or_else(|_| self.clone())
    }

    /// 0 for what is not known.
    const fn descriptor(&self) -> u64 {
        match self {
            Self::Received(_) => Received::DESCRIPTOR,
            Self::Accepted => Accepted::DESCRIPTOR,
            Self::Rejected(_) => Rejected::DESCRIPTOR,
            Self::Released => Released::DESCRIPTOR,
            Self::Modified(_) => Modified::DESCRIPTOR,
            Self::Declared(_) => Declared::DESCRIPTOR,
            Self::Transactional(_) => TransactionalState::DESCRIPTOR,
            Self::Other(_) => 0,
        }
    }
}

fn empty(out: &mut Vec<u8>, descriptor: u64) {
    writer::descriptor(out, descriptor);
    out.push(code::LIST0);
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Received(state) => state.fmt(f),
            Self::Accepted => Accepted::default().fmt(f),
            Self::Rejected(error) => {
                let error = error.as_deref().cloned();
                Rejected { error }.fmt(f)
            }
            Self::Released => Released::default().fmt(f),
            Self::Modified(state) => state.fmt(f),
            Self::Declared(state) => state.fmt(f),
            Self::Transactional(state) => state.fmt(f),
            Self::Other(state) => state.fmt(f),
        }
    }
}

/// What an attach can have as its target (2.7.3): a node, or the coordinator of transactions.
///
/// A target of any other type is refused as malformed.
#[derive(Clone, PartialEq, Eq)]
pub enum TargetArchetype {
    /// A node.
    Target(Target),
    /// A coordinator of transactions.
    Coordinator(Coordinator),
}

impl Default for TargetArchetype {
    /// A node without an address.
    fn default() -> Self {
        Self::Target(Target::default())
    }
}

impl From<Target> for TargetArchetype {
    fn from(target: Target) -> Self {
        Self::Target(target)
    }
}

impl From<Coordinator> for TargetArchetype {
    fn from(coordinator: Coordinator) -> Self {
        Self::Coordinator(coordinator)
    }
}

impl Decode for TargetArchetype {
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if constructor != code::DESCRIBED {
            return Err(r.wrong_type("target", constructor));
        }
        let at = r.position();
        let known = match r.descriptor()? {
            Descriptor::Code(known) => Some(known),
            Descriptor::Name(name) => code_of(name),
        };
        match known {
            Some(Target::DESCRIPTOR) => Target::decode_body(r).map(Self::Target),
            Some(Coordinator::DESCRIPTOR) => Coordinator::decode_body(r).map(Self::Coordinator),
            _ => Err(DecodeError::new(
                at,
                DecodeErrorKind::UnknownDescriptor("target or coordinator"),
            )),
        }
    }
}

impl Encode for TargetArchetype {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Target(target) => target.encode(out),
            Self::Coordinator(coordinator) => coordinator.encode(out),
        }
    }
}

impl fmt::Display for TargetArchetype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(target) => target.fmt(f),
            Self::Coordinator(coordinator) => coordinator.fmt(f),
        }
    }
}

macro_rules! readable {
    ($($Type:ty),*) => {$(
        impl fmt::Debug for $Type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl Trace for $Type {
            fn trace(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

readable!(DeliveryState, TargetArchetype);
