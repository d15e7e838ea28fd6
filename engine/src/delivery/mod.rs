//! Deliveries (2.6.12): what is remembered of them until both sides have settled.

mod payload;
mod settlement;
mod unsettled;

use crate::ids::{DeliveryId, LinkId};
use crate::protocol::{DeliveryState, Tag};
use crate::seq::Seq;
pub use payload::{Payload, SendPayload};
pub(crate) use settlement::check_sender_state;
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
    pub state: Option<DeliveryState>,
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
    /// link's source (3.5.3). `None` if there is neither.
    pub state: Option<DeliveryState>,
    /// Whether the peer has settled, and so forgotten, it. If not, settle it when you are done with it.
    pub settled: bool,
}

/// What is remembered of an unsettled outgoing delivery.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) link: LinkId,
    pub(crate) tag: Tag,
    /// The delivery-id, once the first transfer was written.
    pub(crate) number: Option<Seq>,
    pub(crate) remote_state: Option<DeliveryState>,
    pub(crate) remote_settled: bool,
    /// Whether it stands in its link's list of updates.
    pub(crate) update_queued: bool,
    /// The caller is still writing it.
    pub(crate) is_open: bool,
}

impl Outgoing {
    pub(crate) const fn new(link: LinkId, tag: Tag, number: Option<Seq>) -> Self {
        Self {
            link,
            tag,
            number,
            remote_state: None,
            remote_settled: false,
            update_queued: false,
            is_open: false,
        }
    }

    /// Whether the peer has settled it and the caller knows.
    pub(crate) const fn is_over(&self) -> bool {
        self.remote_settled && !self.update_queued
    }
}

/// What is remembered of an unsettled incoming delivery.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) link: LinkId,
    pub(crate) tag: Tag,
    pub(crate) number: Seq,
    /// The sender settles before us (2.8.3).
    pub(crate) settles_second: bool,
    /// The caller is done with it: it goes once the sender has settled.
    pub(crate) done: bool,
    pub(crate) local_state: Option<DeliveryState>,
    pub(crate) remote_state: Option<DeliveryState>,
    pub(crate) remote_settled: bool,
    /// The caller took some of it before it was complete.
    pub(crate) was_read: bool,
    /// Whether it stands in its link's list of updates.
    pub(crate) update_queued: bool,
}

impl Incoming {
    pub(crate) const fn new(link: LinkId, number: Seq, tag: Tag, settles_second: bool) -> Self {
        Self {
            link,
            tag,
            number,
            settles_second,
            done: false,
            local_state: None,
            remote_state: None,
            remote_settled: false,
            was_read: false,
            update_queued: false,
        }
    }
}
