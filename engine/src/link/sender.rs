//! The sending half of a link: what waits to be transferred.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::delivery::{Outgoing, Payload};
use crate::endpoints::{Control, Endpoints, Phase};
use crate::error::{SendError, UsageError};
use crate::ids::{DeliveryId, LinkId, OutgoingId};
use crate::link::{Half, Link, SenderCredit};
use crate::protocol::{MAX_TAG, SenderSettleMode, Tag};
use crate::seq::Seq;

/// A delivery that is not wholly transferred yet.
#[derive(Debug)]
pub(crate) struct Sending {
    /// `None` for a delivery that is settled by being sent.
    pub(crate) delivery: Option<OutgoingId>,
    pub(crate) tag: Tag,
    pub(crate) format: u32,
    /// What is still to be written, and how many octets that is.
    pub(crate) payload: Payload,
    pub(crate) remaining: usize,
    /// The delivery-id, once the first transfer was written.
    pub(crate) number: Option<Seq>,
}

#[derive(Debug)]
pub(crate) struct SenderHalf {
    pub(crate) credit: SenderCredit,
    pub(crate) queue: VecDeque<Sending>,
    /// Whether the link stands in the scheduler's line, or in its session's.
    pub(crate) scheduled: bool,
    pub(crate) drain_when_idle: bool,
}

impl SenderHalf {
    pub(crate) const fn new(initial_count: Seq) -> Self {
        Self {
            credit: SenderCredit::new(initial_count),
            queue: VecDeque::new(),
            scheduled: false,
            drain_when_idle: false,
        }
    }

    /// Deliveries that wait for their first transfer or are in the middle of it.
    pub(crate) fn queued(&self) -> u32 {
        u32::try_from(self.queue.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn is_busy(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Credit that is not spoken for by what waits already.
    pub(crate) fn free_credit(&self) -> u32 {
        let started = self
            .queue
            .front()
            .is_some_and(|sending| sending.number.is_some());
        let waiting = self.queued() - u32::from(started);
        self.credit.credit().saturating_sub(waiting)
    }

    /// Whether the next transfer of this link needs nothing but the session's window.
    fn can_go_on(&self) -> bool {
        match self.queue.front() {
            Some(sending) => sending.number.is_some() || self.credit.credit() > 0,
            None => false,
        }
    }

    pub(crate) fn drop_queue(&mut self) -> Vec<OutgoingId> {
        self.queue
            .drain(..)
            .filter(|sending| sending.number.is_none())
            .filter_map(|sending| sending.delivery)
            .collect()
    }
}

impl Link {
    pub(crate) fn sender_is_busy(&self) -> bool {
        matches!(&self.half, Half::Sender(sender) if sender.is_busy())
    }
}

impl Endpoints {
    /// What `send` needs to be true: the link is a sender's, attached, in this mode, with credit.
    pub(crate) fn check_send(
        &self,
        id: LinkId,
        size: usize,
        tag: &[u8],
        settled: bool,
    ) -> Result<&SenderHalf, SendError> {
        let link = self.links.get(id).ok_or(UsageError::StaleHandle)?;
        let Half::Sender(sender) = &link.half else {
            return Err(UsageError::WrongKind {
                expected: "a sender",
            }
            .into());
        };
        if !link.is_attached() {
            return Err(UsageError::WrongState("the link is not attached on both sides").into());
        }
        match (link.config.snd_settle_mode, settled) {
            (SenderSettleMode::Settled, false) => {
                return Err(SendError::SettleMode { mode: "settled" });
            }
            (SenderSettleMode::Unsettled, true) => {
                return Err(SendError::SettleMode { mode: "unsettled" });
            }
            _ => {}
        }
        if tag.len() > MAX_TAG {
            return Err(SendError::TagTooLong(tag.len()));
        }
        let size = size as u64;
        if let Some(limit) = link.remote_max_message_size()
            && size > limit
        {
            return Err(SendError::MessageTooLarge { size, limit });
        }
        if sender.free_credit() == 0 {
            return Err(SendError::NoCredit);
        }
        Ok(sender)
    }

    /// Remembers an outgoing delivery until it is settled.
    pub(crate) fn remember(&mut self, link: LinkId, tag: Tag, number: Option<Seq>) -> OutgoingId {
        self.outgoing.insert(Outgoing::new(link, tag, number))
    }

    pub(crate) fn enqueue(&mut self, id: LinkId, sending: Sending) -> Option<DeliveryId> {
        let delivery = sending.delivery.map(DeliveryId::from);
        if let Some(link) = self.links.get_mut(id)
            && let Half::Sender(sender) = &mut link.half
        {
            sender.queue.push_back(sending);
        }
        self.schedule(id);
        delivery
    }

    /// Gives the link a place in line, if it has something to send and the credit to do so.
    pub(crate) fn schedule(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id)
            && let Half::Sender(sender) = &mut link.half
            && !sender.scheduled
            && sender.can_go_on()
        {
            sender.scheduled = true;
            self.ready.push_back(id);
        }
    }

    /// The link had its turn: back into line, out of it, or parked until the session's window opens.
    pub(crate) fn reschedule(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        let Half::Sender(sender) = &mut link.half else {
            return;
        };
        sender.scheduled = sender.can_go_on();
        let idle = !sender.is_busy();
        if idle && core::mem::take(&mut sender.drain_when_idle) && sender.credit.is_draining() {
            sender.credit.exhaust();
            self.request_link_flow(id);
            return;
        }
        if sender.scheduled {
            match self.sessions.get_mut(link.session) {
                Some(session) if session.outgoing_window.available() == 0 => {
                    session.parked.push(id);
                }
                Some(_) => self.ready.push_back(id),
                None => {}
            }
        } else if idle && link.local == Phase::Ended && !link.detach_written {
            self.control.push_back(Control::Detach(id));
        }
    }
}

/// The size that a transfer's fields other than the payload can have at most, frame header included.
pub(crate) const TRANSFER_OVERHEAD: usize = 8 + 3 + 9 + 5 + 5 + 2 + MAX_TAG + 5 + 2 + 8;
