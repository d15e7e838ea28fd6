//! A whole delivery while it waits for its caller: of nearly all, the piece of the frame that it came in.

use alloc::boxed::Box;

use bytes::{Buf, Bytes};

use crate::delivery::Delivery;
use crate::ids::DeliveryId;
use crate::link::Held;
use crate::protocol::Tag;

/// A delivery that waits for the caller, and what it holds of the session's window.
///
/// It is written and read once each, with all that comes in one read between: how many lines of the cache it lies in costs more
/// than to make a [`Delivery`] of it.
#[derive(Debug)]
pub(crate) enum Waits {
    Plain(PlainDelivery),
    /// One with a state, of several pieces, or with anything else that is rare.
    Other(Box<(Delivery, Held)>),
}

/// A delivery that came in one plain transfer.
#[derive(Clone, Debug)]
pub(crate) struct PlainDelivery {
    /// From the first octet of its tag to the last of its payload, with the end of the transfer between them.
    pub(super) octets: Bytes,
    pub(super) id: Option<DeliveryId>,
    pub(super) message_format: u32,
    /// How many octets the tag has.
    pub(super) tag: u8,
    /// Where the payload begins. It has an octet at least: an empty one is not to keep what was read alive.
    pub(super) payload: u8,
    pub(super) batchable: bool,
}

const _: () = assert!(
    size_of::<Option<Waits>>() <= 48,
    "with its place in a queue less than a line of the cache"
);

impl PlainDelivery {
    #[inline]
    fn held(&self) -> Held {
        let octets = self.octets.len().saturating_sub(self.payload.into());
        Held {
            transfers: 1,
            octets: octets as u64,
        }
    }

    // Inlined, as the delivery would be moved once more otherwise.
    #[inline(always)]
    fn into_delivery(self) -> Delivery {
        let Self {
            mut octets,
            id,
            message_format,
            tag: length,
            payload,
            batchable,
        } = self;
        let tag = Tag::at_front(&octets, length.into());
        octets.advance(octets.len().min(payload.into()));
        Delivery {
            id,
            tag,
            message_format,
            state: None,
            batchable,
            payload: octets.into(),
            aborted: false,
        }
    }
}

impl Waits {
    pub(super) fn new(delivery: Delivery, held: Held) -> Self {
        Self::Other(Box::new((delivery, held)))
    }

    #[inline]
    pub(crate) fn id(&self) -> Option<DeliveryId> {
        match self {
            Self::Plain(plain) => plain.id,
            Self::Other(other) => other.0.id,
        }
    }

    /// What it holds of the session's window.
    #[inline]
    pub(crate) fn held(&self) -> Held {
        match self {
            Self::Plain(plain) => plain.held(),
            Self::Other(other) => other.1,
        }
    }

    /// What the caller would be given.
    pub(crate) fn to_delivery(&self) -> Delivery {
        match self {
            Self::Plain(plain) => plain.clone().into_delivery(),
            Self::Other(other) => other.0.clone(),
        }
    }

    /// What the caller is given.
    #[inline(always)]
    pub(crate) fn into_delivery(self) -> Delivery {
        match self {
            Self::Plain(plain) => plain.into_delivery(),
            Self::Other(other) => {
                let (delivery, _) = *other;
                delivery
            }
        }
    }

    /// It is not to keep these octets alive.
    pub(super) fn copy_out(&mut self, octets: &Bytes) {
        match self {
            Self::Plain(plain) => {
                if octets.as_ptr_range().contains(&plain.octets.as_ptr()) {
                    plain.octets = Bytes::copy_from_slice(&plain.octets);
                }
            }
            Self::Other(other) => {
                other.0.payload.copy_out(octets);
                if let Some(state) = &mut other.0.state {
                    **state = state.detached();
                }
            }
        }
    }
}
