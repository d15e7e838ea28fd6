//! A delivery of which more is to come (2.6.14).

use alloc::boxed::Box;

use bytes::{Buf, Bytes};

use crate::delivery::Payload;
use crate::endpoints::Endpoints;
use crate::error::UsageError;
use crate::ids::{DeliveryId, IncomingId, LinkId, SessionId};
use crate::link::{Half, Held};
use crate::protocol::{Condition, DeliveryState, Tag};
use crate::seq::Seq;

/// What it costs to remember a transfer beside its payload, about.
const TRANSFER_COST: u64 = 64;

#[derive(Debug)]
pub(crate) struct Partial {
    pub(super) id: IncomingId,
    pub(super) number: Seq,
    pub(super) tag: Tag,
    pub(super) format: u32,
    pub(super) settled: bool,
    pub(super) state: Option<Box<DeliveryState>>,
    pub(super) batchable: bool,
    pub(super) payload: Payload,
    /// Octets that came, including those that were taken already.
    pub(super) octets: u64,
    /// Octets that will come again, and are here already.
    pub(super) skip: u64,
    /// What keeping `state` costs.
    pub(super) state_octets: u64,
    /// What has not been taken.
    pub(super) waiting: Held,
    pub(super) empty_transfers: u32,
    /// Whether it is held against the window, and shown to the caller, as it comes.
    pub(super) streaming: bool,
    pub(super) was_read: bool,
}

/// A delivery of which more is to come; see [`Receiver::partial`](crate::Receiver::partial).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialDelivery {
    /// What to call it when settling.
    pub id: DeliveryId,
    /// The sender's name for it.
    pub tag: Tag,
    /// The format of the payload; 0 is an AMQP message (2.8.11).
    pub message_format: u32,
    /// Octets that have come and were not taken.
    pub waiting: u64,
}

impl Partial {
    /// A delivery that began before, and of which this much is here; `octets` came in all.
    pub(crate) fn resumed(
        id: IncomingId,
        number: Seq,
        tag: Tag,
        format: u32,
        payload: Payload,
        octets: u64,
        skip: u64,
    ) -> Box<Self> {
        let here = payload.len() as u64;
        Box::new(Self {
            id,
            number,
            tag,
            format,
            settled: false,
            state: None,
            batchable: false,
            payload,
            octets,
            skip,
            waiting: Held {
                transfers: 0,
                octets: here,
            },
            state_octets: 0,
            empty_transfers: 0,
            streaming: false,
            was_read: octets > here,
        })
    }

    pub(crate) fn id(&self) -> DeliveryId {
        self.id.into()
    }

    pub(crate) const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// What of a transfer's payload is not here already.
    pub(super) fn pass_known(&mut self, mut payload: Bytes) -> Bytes {
        if self.skip > 0 {
            let known = usize::try_from(self.skip).map_or(payload.len(), |n| n.min(payload.len()));
            payload.advance(known);
            self.skip -= known as u64;
        }
        payload
    }

    /// What came of it is not to keep these octets alive.
    pub(super) fn copy_out(&mut self, octets: &Bytes) {
        self.payload.copy_out(octets);
        if let Some(state) = &mut self.state {
            **state = state.detached();
        }
    }

    /// What the session's window holds for it.
    pub(crate) fn held(&self) -> Held {
        if self.streaming {
            self.waiting
        } else {
            Held::default()
        }
    }

    /// What it costs its session to keep it until it is complete.
    pub(super) fn cost(&self) -> u64 {
        if self.streaming {
            return 0;
        }
        let transfers = u64::from(self.waiting.transfers).saturating_mul(TRANSFER_COST);
        let octets = self.waiting.octets.saturating_add(self.state_octets);
        octets.saturating_add(transfers)
    }
}

impl Endpoints {
    pub(crate) fn partial(&self, id: LinkId) -> Option<PartialDelivery> {
        let Half::Receiver(receiver) = &self.links.get(id)?.half else {
            return None;
        };
        let partial = receiver.partial.as_ref()?;
        Some(PartialDelivery {
            id: partial.id.into(),
            tag: partial.tag,
            message_format: partial.format,
            waiting: partial.waiting.octets,
        })
    }

    pub(crate) fn read_partial(&mut self, id: LinkId) -> Option<Payload> {
        let link = self.links.get_mut(id)?;
        let session = link.session;
        let Half::Receiver(receiver) = &mut link.half else {
            return None;
        };
        let partial = receiver
            .partial
            .as_mut()
            .filter(|partial| partial.streaming)?;
        let held = core::mem::take(&mut partial.waiting);
        let payload = core::mem::take(&mut partial.payload);
        partial.was_read |= !payload.is_empty();
        let delivery = partial.id;
        self.unhold(session, held);
        if let Some(incoming) = self.incoming.get_mut(delivery) {
            let read = incoming.read().saturating_add(payload.len() as u64);
            incoming.set_read(read);
        }
        (!payload.is_empty()).then_some(payload)
    }

    pub(crate) fn refuse_partial(
        &mut self,
        id: LinkId,
        condition: Condition,
    ) -> Result<(), UsageError> {
        let link = self.link_mut(id)?;
        let session = link.session;
        let partial = match &mut link.half {
            Half::Receiver(receiver) => receiver.drop_partial(),
            Half::Sender(_) => None,
        };
        if partial.is_none() {
            return Err(UsageError::WrongState("no delivery is coming in"));
        }
        self.forget_partial(session, partial);
        self.fail_link(id, condition);
        Ok(())
    }

    /// An incomplete delivery is void: aborted, or its link failed.
    pub(crate) fn forget_partial(&mut self, session: SessionId, partial: Option<Box<Partial>>) {
        if let Some(partial) = partial {
            self.buffer(session, partial.cost(), 0);
            self.unhold(session, partial.held());
            self.forget_incoming(session, Some(partial.number));
        }
    }

    /// What an incomplete delivery costs its session changed. Answers what all of them cost.
    pub(super) fn buffer(&mut self, session: SessionId, before: u64, after: u64) -> u64 {
        let Some(session) = self.sessions.get_mut(session) else {
            return 0;
        };
        let others = session.partial_octets.saturating_sub(before);
        session.partial_octets = others.saturating_add(after);
        let charges = &mut self.charges;
        charges.waiting = charges.waiting.saturating_sub(before).saturating_add(after);
        charges.partial = charges.partial.saturating_sub(before).saturating_add(after);
        session.partial_octets
    }
}
