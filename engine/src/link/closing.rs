//! Closing a link gracefully: what is waited for, and until when at most (2.6.5, 2.6.7).

use crate::endpoints::{Endpoints, Phase};
use crate::error::UsageError;
use crate::ids::{DeliveryId, LinkId};
use crate::link::{Half, Link, Waits};
use crate::protocol::DeliveryState;
use crate::time::{Deadline, Reason, Time};

/// How far a [graceful close](crate::Link::close_by) has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Closing {
    /// A receiver has asked for the rest of the credit, and the sender has neither used it up nor
    /// given it back; or a delivery has come in part.
    Draining,
    /// Messages of a sender wait for credit, for the window or for the transport.
    Sending,
    /// Deliveries are not settled: those that a receiver's caller has taken, or those that a sender's
    /// peer has; or the peer has not said yet what it remembers of a link that is resumed, or not resumed
    /// all that it does.
    Settling,
    /// Nothing was left to wait for, or the peer detached first: our detach is on its way.
    Complete,
    /// The moment came before that: our detach is on its way all the same.
    Overdue,
}

/// What a link remembers of its graceful close.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Graceful {
    /// It waits, but not beyond this moment.
    Until(Time),
    /// It is over, in this way.
    Over(Closing),
}

impl Link {
    /// How far the graceful close has come, if there is one.
    pub(crate) fn closing(&self) -> Option<Closing> {
        match self.graceful()? {
            Graceful::Over(closing) => Some(closing),
            Graceful::Until(_) => Some(self.awaited().unwrap_or(Closing::Complete)),
        }
    }

    /// Whether a graceful close waits.
    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.graceful(), Some(Graceful::Until(_)))
    }

    /// What a graceful close has to wait for; `None` if it need not.
    fn awaited(&self) -> Option<Closing> {
        if self.remote == Phase::Ended {
            return None;
        }
        let under_way = match &self.half {
            Half::Sender(sender) => sender.is_busy().then_some(Closing::Sending),
            Half::Receiver(receiver) => {
                let more_comes = receiver.credit.credit() > 0 || receiver.has_partial();
                more_comes.then_some(Closing::Draining)
            }
        };
        under_way
            .or_else(|| (self.unsettled > 0 || self.is_recovering()).then_some(Closing::Settling))
    }

    /// Whether deliveries of before have no delivery-id yet, and will get one or be settled (2.6.13).
    fn is_recovering(&self) -> bool {
        let Some(resuming) = &self.resuming else {
            return false;
        };
        let awaits = match &self.half {
            Half::Sender(_) => false,
            Half::Receiver(receiver) => !receiver.awaiting.is_empty(),
        };
        resuming.is_waiting() || awaits
    }
}

impl Endpoints {
    /// Closes the link once nothing is left to wait for, and at `by` in any case.
    pub(crate) fn close_by(&mut self, id: LinkId, by: Time) -> Result<(), UsageError> {
        let link = self.link_mut(id)?;
        if link.remote == Phase::Ended && link.local != Phase::Ended {
            return self.detach(id, true, None);
        }
        match link.local {
            Phase::New => return Err(UsageError::WrongState("accept or refuse the link first")),
            // The peer has not heard of the detach that was asked for: it becomes this close.
            Phase::Ended if link.detach_waits() => {
                link.local = Phase::Open;
                link.ending_mut().detach = None;
            }
            Phase::Ended => return Err(UsageError::WrongState("the link was detached before")),
            Phase::Open => {}
        }
        let before = link.ending_mut().graceful.replace(Graceful::Until(by));
        if let Half::Receiver(receiver) = &mut link.half {
            receiver.automatic = 0;
            if receiver.credit.take_back() {
                self.request_link_flow(id);
            }
        }
        if let Some(Graceful::Until(before)) = before {
            self.closings.remove(&(before, id));
        }
        self.closings.insert((by, id));
        self.give_back_waiting(id);
        self.go_on_closing(id);
        Ok(())
    }

    /// Something that a graceful close may have waited for is over.
    #[inline]
    pub(crate) fn go_on_closing(&mut self, id: LinkId) {
        if let Some(link) = self.links.get(id)
            && link.is_closing()
            && link.awaited().is_none()
        {
            self.finish_closing(id, Closing::Complete);
        }
    }

    /// The peer detached: there is nothing left to wait for.
    pub(crate) fn answer_while_closing(&mut self, id: LinkId) {
        if self.links.get(id).is_some_and(Link::is_closing) {
            self.finish_closing(id, Closing::Complete);
        }
    }

    fn finish_closing(&mut self, id: LinkId, how: Closing) {
        self.forget_closing(id);
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        link.ending_mut().graceful = Some(Graceful::Over(how));
        if how == Closing::Overdue {
            self.drop_transfers(id);
        }
        // It is attached from this side, or it would not be closing.
        let _ = self.detach(id, true, None);
        if how == Closing::Overdue
            && let Some(link) = self.links.get_mut(id)
        {
            // Nobody waits for what still comes.
            link.discarding = true;
        }
    }

    /// Nothing waits for the link's moment any more.
    pub(crate) fn forget_closing(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id)
            && let Some(Graceful::Until(by)) = link.graceful()
        {
            link.ending_mut().graceful = None;
            self.closings.remove(&(by, id));
        }
    }

    /// Detaches the links whose moment has come.
    pub(crate) fn close_overdue(&mut self, now: Time) {
        while let Some(&(by, id)) = self.closings.first()
            && by <= now
        {
            self.closings.pop_first();
            self.finish_closing(id, Closing::Overdue);
        }
    }

    /// When the next link that is closing is detached in any case.
    pub(crate) fn closing_deadline(&self) -> Option<Deadline> {
        // With the connection, its links end without a detach.
        let waits = self.connection.local != Phase::Ended;
        let (at, _) = *self.closings.first().filter(|_| waits)?;
        Some(Deadline {
            at,
            reason: Reason::LinkClose,
        })
    }

    /// Releases the deliveries that wait for the caller of a receiver that is closing.
    fn give_back_waiting(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        let session = link.session;
        let Half::Receiver(receiver) = &mut link.half else {
            return;
        };
        for _ in 0..receiver.complete.len() {
            let Some(waits) = self.take_waiting(id) else {
                return;
            };
            if let Some(delivery) = waits.id().filter(|id| self.can_be_given_back(*id)) {
                self.unhold(session, waits.held());
                self.give_back(id, delivery);
            } else if let Some(link) = self.links.get_mut(id)
                && let Half::Receiver(receiver) = &mut link.half
            {
                // Behind the others: all of them go round once, and stay in their order.
                receiver.push(&mut self.waiting, waits);
            }
        }
    }

    fn take_waiting(&mut self, id: LinkId) -> Option<Waits> {
        let Half::Receiver(receiver) = &mut self.links.get_mut(id)?.half else {
            return None;
        };
        let waits = self.waiting.pop(&mut receiver.complete)?;
        receiver.complete_octets = receiver.complete_octets.saturating_sub(waits.held().octets);
        Some(waits)
    }

    /// Whether the sender still has the delivery, and the caller nothing of it.
    pub(crate) fn can_be_given_back(&self, id: DeliveryId) -> bool {
        let incoming = id.incoming().and_then(|id| self.incoming.get(id));
        incoming.is_some_and(|delivery| !delivery.known.remote_settled && delivery.read() == 0)
    }

    /// Releases a delivery that the caller was not given.
    pub(crate) fn give_back(&mut self, link: LinkId, delivery: DeliveryId) {
        // It was looked at just now, and an outcome suits both settle modes.
        let _ = self.dispose(link, delivery, Some(DeliveryState::Released), true);
    }
}
