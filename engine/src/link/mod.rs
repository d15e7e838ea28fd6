//! The link endpoint (2.6): attach and detach, for both roles.

mod arrival;
mod attach;
mod closing;
mod credit;
mod detach;
mod flow;
mod names;
mod partial;
mod rare;
mod receiver;
mod sender;
mod termini;
mod terms;
mod transfer;
mod waits;

use alloc::boxed::Box;
use alloc::format;

use crate::delivery::OfLink;
use crate::endpoints::{EndError, Endpoints, Phase};
use crate::error::{Fault, Origin, UsageError};
use crate::event::Queued;
use crate::ids::{LinkId, SessionId};
use crate::limits::Limits;
use crate::protocol::{Attach, Condition, Detach, Role, conditions};
use crate::queues::Queue;
use crate::recovery::Resuming;
use crate::seq::Seq;
pub use closing::Closing;
pub(crate) use closing::Graceful;
pub(crate) use credit::{MOST_CREDIT, ReceiverCredit, SenderCredit};
pub(crate) use names::Names;
pub(crate) use partial::Partial;
pub use partial::PartialDelivery;
use rare::RareMap;
pub(crate) use receiver::{Held, ReceiverHalf, Waiting};
pub(crate) use sender::{After, Resumes, SenderHalf, Sending, TRANSFER_OVERHEAD};
use terms::Terms;
pub(crate) use waits::{PlainDelivery, Waits};

/// The state of one link.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) session: SessionId,
    pub(crate) terms: Terms,
    pub(crate) half: Half,
    pub(crate) local: Phase,
    pub(crate) remote: Phase,
    pub(crate) local_handle: Option<u32>,
    ending: Option<Box<Ending>>,
    /// Whether the peer's detach closed the link for good.
    pub(crate) remote_closed: bool,
    /// We detached it for an error: what still comes is ignored until the peer's detach.
    pub(crate) discarding: bool,
    pub(crate) flow_due: bool,
    pub(crate) detach_due: bool,
    pub(crate) attach_written: bool,
    pub(crate) detach_written: bool,
    pub(crate) end_was_told: bool,
    pub(crate) queued: Queued,
    /// What the peer's attach said, in octets.
    said: u64,
    /// Deliveries of it that its session remembers as unsettled.
    pub(crate) unsettled: u32,
    /// Deliveries whose state the peer changed, each at most once.
    pub(crate) updates: Queue,
    /// Deliveries that are not settled and told of.
    pub(crate) deliveries: OfLink,
    /// There for a link that goes on with what another endpoint left.
    pub(crate) resuming: Option<Box<Resuming>>,
    /// The link is attached once more, only to be closed (2.6.6).
    closes_again: bool,
}

/// What there is to say of a link that is over, or about to be.
#[derive(Debug, Default)]
struct Ending {
    error: Option<EndError>,
    /// What our detach says.
    detach: Option<Detach>,
    graceful: Option<Graceful>,
    /// The peer detached it with an error.
    destroyed: bool,
}

/// What only one of the two roles has.
#[derive(Debug)]
pub(crate) enum Half {
    Sender(SenderHalf),
    Receiver(ReceiverHalf),
}

impl Link {
    fn new(session: SessionId, role: Role, count: Seq, terms: Terms) -> Self {
        let half = match role {
            Role::Sender => Half::Sender(SenderHalf::new(count)),
            Role::Receiver => Half::Receiver(ReceiverHalf::default()),
        };
        Self {
            session,
            terms,
            half,
            local: Phase::New,
            remote: Phase::New,
            local_handle: None,
            ending: None,
            remote_closed: false,
            discarding: false,
            flow_due: false,
            detach_due: false,
            attach_written: false,
            detach_written: false,
            end_was_told: false,
            queued: Queued::default(),
            said: 0,
            unsettled: 0,
            updates: Queue::default(),
            deliveries: OfLink::default(),
            resuming: None,
            closes_again: false,
        }
    }

    pub(crate) const fn role(&self) -> Role {
        match self.half {
            Half::Sender(_) => Role::Sender,
            Half::Receiver(_) => Role::Receiver,
        }
    }

    /// Both sides have attached and neither has detached.
    pub(crate) const fn is_attached(&self) -> bool {
        matches!((self.local, self.remote), (Phase::Open, Phase::Open))
    }

    /// Both sides have detached, if only in intention on this one.
    const fn is_detached(&self) -> bool {
        matches!((self.local, self.remote), (Phase::Ended, Phase::Ended))
    }

    /// Detaching was asked for and waits for what was sent: the peer knows nothing of it.
    pub(crate) const fn detach_waits(&self) -> bool {
        matches!(self.local, Phase::Ended) && !self.detach_due && !self.detach_written
    }

    /// Whether what is not settled outlives the endpoint.
    pub(crate) const fn keeps_deliveries(&self) -> bool {
        self.terms.recoverable || self.resuming.is_some()
    }

    /// What was begun on another endpoint of the link waits until it is known what the peer remembers of it.
    pub(crate) fn check_resumed(&self) -> Result<(), UsageError> {
        match &self.resuming {
            Some(resuming) if resuming.is_waiting() => Err(UsageError::WrongState(
                "the link is being resumed: wait until it is attached",
            )),
            _ => Ok(()),
        }
    }

    /// Whether either side closed the link, and not because of an error, after which it may be resumed (2.6.5).
    pub(crate) fn was_closed(&self) -> bool {
        let closed_here = self
            .planned_detach()
            .is_some_and(|detach| detach.closed && detach.error.is_none());
        closed_here || (self.remote_closed && self.error().is_none())
    }

    /// The error that ended it, from either side.
    pub(crate) fn error(&self) -> Option<&EndError> {
        self.ending.as_ref()?.error.as_ref()
    }

    /// The link ends for this, unless something else ended it before.
    fn ends_for(&mut self, origin: Origin, condition: Condition) {
        let error = &mut self.ending_mut().error;
        error.get_or_insert(EndError { origin, condition });
    }

    /// The peer's attach, once it has come.
    pub(crate) fn remote(&self) -> Option<Attach> {
        self.terms.remote(self.role().peer())
    }

    /// The peer's endpoint failed and is gone: whatever else we would say of the link, by its handle or by its
    /// deliveries, is an error of the whole session there (2.6.5).
    #[inline]
    pub(crate) fn is_destroyed(&self) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.destroyed)
    }

    /// Whether the link is over, or about to be, in any way.
    #[inline]
    pub(crate) const fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// What our detach says.
    fn planned_detach(&self) -> Option<&Detach> {
        self.ending.as_ref()?.detach.as_ref()
    }

    #[inline]
    fn graceful(&self) -> Option<Graceful> {
        self.ending.as_ref()?.graceful
    }

    fn ending_mut(&mut self) -> &mut Ending {
        self.ending.get_or_insert_default()
    }

    /// The largest delivery that is taken whole.
    #[inline]
    fn most_octets(&self, limits: &Limits) -> u64 {
        self.terms.largest.min(limits.delivery_octets)
    }
}

impl Endpoints {
    #[inline]
    pub(crate) fn link_mut(&mut self, id: LinkId) -> Result<&mut Link, UsageError> {
        self.links.get_mut(id).ok_or(UsageError::StaleHandle)
    }

    /// The link that the peer's `handle` names. `None`: ignore the frame.
    pub(crate) fn link_on(&self, session: SessionId, handle: u32) -> Result<Option<LinkId>, Fault> {
        let found = self
            .sessions
            .get(session)
            .and_then(|session| session.handles.by_remote(handle));
        let Some(id) = found else {
            let text = format!("handle {handle} is not attached");
            return Err(Fault::session(
                session,
                conditions::SESSION_UNATTACHED_HANDLE,
                text,
            ));
        };
        let discarding = self.links.get(id).filter(|link| link.discarding);
        if let Some(link) = discarding {
            self.check_errant(session, link)?;
            return Ok(None);
        }
        Ok(self.links.get(id).map(|_| id))
    }

    /// A disposition may be of deliveries on links that are over for this side.
    #[cold]
    pub(crate) fn check_errant_range(
        &self,
        id: SessionId,
        role: Role,
        first: Seq,
        last: Seq,
    ) -> Result<(), Fault> {
        let Some(session) = self.sessions.get(id) else {
            return Ok(());
        };
        let mut from = Some(first);
        while let Some(at) = from
            && let Some((number, delivery)) = session.next_told_of(role, at, last)
        {
            let link = self
                .known(delivery)
                .and_then(|known| self.links.get(known.link));
            if let Some(link) = link.filter(|link| link.discarding) {
                self.check_errant(id, link)?;
            }
            from = (number != last).then(|| number.next());
        }
        Ok(())
    }

    /// Something came for a link that is over for this side.
    fn check_errant(&self, session: SessionId, link: &Link) -> Result<(), Fault> {
        let failed = link
            .planned_detach()
            .is_some_and(|detach| detach.error.is_some());
        if self.config.ends_errant_sessions && failed {
            let text = format!("link {} was detached with an error", link.terms.name());
            return Err(Fault::session(
                session,
                conditions::SESSION_ERRANT_LINK,
                text,
            ));
        }
        Ok(())
    }
}
