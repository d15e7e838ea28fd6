//! Deliveries (2.6.12): what is remembered of them until both sides have settled.

mod acceptance;
mod hearings;
mod known;
mod of_link;
mod payload;
mod settlement;
mod sum;
mod told;
mod unsettled;

use alloc::boxed::Box;

use crate::arena::Arena;
use crate::ids::{DeliveryId, IncomingId, OutgoingId};
use crate::protocol::{DeliveryState, Tag};
pub(crate) use known::Known;
pub(crate) use of_link::OfLink;
pub use payload::{Payload, SendPayload};
pub(crate) use settlement::{check_sender_state, state_to_keep};
pub(crate) use sum::{Share, Sum};
pub(crate) use told::{Charge, Counted, NO_ROOM, PLAIN_STATE, counted_of};
pub(crate) use unsettled::Unsettled;

/// A complete incoming delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What to call it when settling. `None` if the sender settled it: then nothing is left to do.
    pub id: Option<DeliveryId>,
    /// The sender's name for it.
    pub tag: Tag,
    /// The format of the payload; 0 is an AMQP message (2.8.11).
    pub message_format: u32,
    /// Its state at the sender, if a transfer named one: a transaction's (4.5.8), for example.
    /// Boxed, as hardly any delivery has one and all of them are moved about.
    pub state: Option<Box<DeliveryState>>,
    /// The sender is in no hurry for the outcome (2.7.5). The engine tells many outcomes at once anyhow; this is for who could
    /// decide later.
    pub batchable: bool,
    /// The encoded message; of one that was read while it came, what was not taken then.
    pub payload: Payload,
    /// The sender took it back after part of it was read: forget that part. Only for deliveries that
    /// were [read early](crate::Receiver::read_partial); others vanish unseen.
    pub aborted: bool,
}

impl Delivery {
    /// Whether the sender settled it.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.id.is_none()
    }
}

/// What the peer told of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// The sender's name for it.
    pub tag: Tag,
    /// Its state at the peer. Once the peer has settled one of ours without an outcome, it is the default outcome of the
    /// link's source (3.5.3). `None` if there is neither, and if the delivery was [lost](crate::Recovery::lost).
    pub state: Option<DeliveryState>,
    /// Whether the peer has settled, and so forgotten, it. If not, settle it when you are done with it.
    pub settled: bool,
}

/// What is remembered of an unsettled outgoing delivery.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) known: Known,
}

/// What few outgoing deliveries have.
#[derive(Debug, Default)]
pub(crate) struct OutgoingMore {
    /// The caller is still writing it.
    pub(crate) is_open: bool,
    /// It is named only for as long as it is written: there is nothing to settle.
    pub(crate) is_settled: bool,
    /// What was sent, on a link that can be recovered.
    pub(crate) payload: Option<Payload>,
}

impl Outgoing {
    #[inline(always)]
    pub(crate) const fn new(known: Known) -> Self {
        Self { known }
    }

    /// What a link that can be recovered keeps; of the state see [`state_to_keep`].
    pub(crate) fn keep(&mut self, payload: Payload, local_state: Option<DeliveryState>) {
        self.known.set_local_state(local_state);
        self.more_mut().payload = Some(payload);
    }

    pub(crate) fn more_mut(&mut self) -> &mut OutgoingMore {
        self.known.outgoing_mut()
    }

    /// What was sent, if it was kept.
    pub(crate) fn payload(&self) -> Option<&Payload> {
        self.known.outgoing()?.payload.as_ref()
    }

    /// The caller is still writing it.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.known.is_open()
    }

    /// The caller writes no more of it.
    pub(crate) fn close(&mut self) {
        if self.is_open() {
            self.more_mut().is_open = false;
        }
    }

    /// It is sent settled, and named only while it is written.
    pub(crate) fn is_settled(&self) -> bool {
        self.known.outgoing().is_some_and(|more| more.is_settled)
    }

    /// Whether the peer has settled it and the caller knows.
    pub(crate) const fn is_over(&self) -> bool {
        self.known.remote_settled && !self.known.update_queued
    }
}

/// What is remembered of an unsettled incoming delivery.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) known: Known,
    /// The sender settles before us (2.8.3).
    pub(crate) settles_second: bool,
    /// The caller is done with it: it goes once the sender has settled.
    pub(crate) done: bool,
}

impl Incoming {
    #[inline(always)]
    pub(crate) const fn new(known: Known, settles_second: bool) -> Self {
        Self {
            known,
            settles_second,
            done: false,
        }
    }

    /// Octets that the caller took before it was complete.
    pub(crate) fn read(&self) -> u64 {
        self.known.read()
    }

    pub(crate) fn set_read(&mut self, octets: u64) {
        self.known.set_read(octets);
    }
}

const _: () = assert!(
    size_of::<Option<Incoming>>() <= 56 && size_of::<Option<Outgoing>>() <= 56,
    "with its place among all of them no more than a line of the cache"
);

/// Tells which deliveries are not forgotten.
#[inline]
pub(crate) fn is_live(
    outgoing: &Arena<OutgoingId, Outgoing>,
    incoming: &Arena<IncomingId, Incoming>,
) -> impl Fn(DeliveryId) -> bool {
    |id| match id.outgoing() {
        Some(id) => outgoing.get(id).is_some(),
        None => id.incoming().is_some_and(|id| incoming.get(id).is_some()),
    }
}
