//! Deliveries (2.6.12): what is remembered of them until both sides have settled.

mod acceptance;
mod of_link;
mod payload;
mod settlement;
mod told;
mod unsettled;

use alloc::boxed::Box;

use crate::arena::Arena;
use crate::ids::{DeliveryId, IncomingId, LinkId, OutgoingId};
use crate::protocol::{DeliveryState, Tag};
use crate::seq::Seq;
pub(crate) use of_link::OfLink;
pub use payload::{Payload, SendPayload};
pub(crate) use settlement::{check_sender_state, state_to_keep};
pub(crate) use told::{Charge, PLAIN_STATE, Sum, Told};
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

/// What is remembered of an unsettled delivery, whichever its direction.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) link: LinkId,
    pub(crate) tag: Tag,
    /// The delivery-id, once the first transfer was written or read.
    pub(crate) number: Option<Seq>,
    pub(crate) format: u32,
    pub(crate) remote_state: Told,
    pub(crate) remote_settled: bool,
    /// Whether it stands in its link's list of updates.
    pub(crate) update_queued: bool,
}

impl Known {
    pub(crate) const fn new(link: LinkId, tag: Tag, number: Option<Seq>, format: u32) -> Self {
        Self {
            link,
            tag,
            number,
            format,
            remote_state: Told::Nothing,
            remote_settled: false,
            update_queued: false,
        }
    }

    /// Whether it was settled without a word on what became of it.
    fn is_undecided(&self) -> bool {
        self.remote_settled && self.remote_state.is_undecided()
    }

    /// What the caller is to be told; of a delivery that `is_over` for the last time.
    #[inline(always)]
    fn take_update(&mut self, delivery: DeliveryId, is_over: bool) -> Update {
        self.update_queued = false;
        let state = if is_over {
            self.remote_state.take()
        } else {
            self.remote_state.state().cloned()
        };
        Update {
            delivery,
            tag: self.tag,
            state,
            settled: self.remote_settled,
        }
    }
}

/// What is remembered of an unsettled outgoing delivery.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) known: Known,
    /// What few deliveries have.
    pub(crate) more: Option<Box<OutgoingMore>>,
}

#[derive(Debug, Default)]
pub(crate) struct OutgoingMore {
    /// The caller is still writing it.
    pub(crate) is_open: bool,
    /// It is named only for as long as it is written: there is nothing to settle.
    pub(crate) is_settled: bool,
    /// Its state at this side, as the caller said of what was sent or when it resumed the link; see [`state_to_keep`].
    pub(crate) local_state: Option<DeliveryState>,
    /// What was sent, on a link that can be recovered.
    pub(crate) payload: Option<Payload>,
}

impl OutgoingMore {
    /// What a link that can be recovered keeps.
    pub(crate) fn keep(payload: Payload, local_state: Option<DeliveryState>) -> Box<Self> {
        Box::new(Self {
            local_state,
            payload: Some(payload),
            ..Self::default()
        })
    }
}

impl Outgoing {
    pub(crate) const fn new(known: Known) -> Self {
        Self { known, more: None }
    }

    /// The caller is still writing it.
    pub(crate) fn is_open(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.is_open)
    }

    /// It is sent settled, and named only while it is written.
    pub(crate) fn is_settled(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.is_settled)
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
    pub(crate) local_state: Option<DeliveryState>,
    /// Octets that the caller took before it was complete.
    pub(crate) read: u64,
}

impl Incoming {
    pub(crate) const fn new(known: Known, settles_second: bool) -> Self {
        Self {
            known,
            settles_second,
            done: false,
            local_state: None,
            read: 0,
        }
    }
}

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
