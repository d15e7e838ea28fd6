//! A receiving link as the caller sees it.

use crate::delivery::{Delivery, Payload};
use crate::engine::Engine;
use crate::error::UsageError;
use crate::ids::{DeliveryId, LinkId};
use crate::link::{Half, MOST_CREDIT, PartialDelivery, ReceiverHalf};
use crate::protocol::{Condition, DeliveryState};

/// A link of an [`Engine`] that receives (2.6.7, 2.6.12).
#[derive(Debug)]
pub struct Receiver<'a> {
    engine: &'a mut Engine,
    id: LinkId,
}

impl<'a> Receiver<'a> {
    #[inline]
    pub(crate) fn new(engine: &'a mut Engine, id: LinkId) -> Result<Self, UsageError> {
        match engine.endpoints.link_mut(id)?.half {
            Half::Receiver(_) => Ok(Self { engine, id }),
            Half::Sender(_) => Err(UsageError::WrongKind {
                expected: "a receiver",
            }),
        }
    }

    /// The next complete delivery, after [`Event::Deliveries`](crate::Event::Deliveries). Taking it makes
    /// room in the session's window.
    #[inline]
    pub fn next_delivery(&mut self) -> Option<Delivery> {
        self.engine.endpoints.next_delivery(self.id)
    }

    /// Lets deliveries be read while they come: then [`Event::Deliveries`](crate::Event::Deliveries) also
    /// tells of parts. For messages too large to be held whole.
    ///
    /// Call it before credit is granted; a delivery that is under way must not see a change.
    pub fn set_streaming(&mut self, on: bool) {
        if let Some(half) = self.half_mut() {
            half.streaming = on;
        }
    }

    /// The delivery that is coming in but not complete.
    #[must_use]
    pub fn partial(&self) -> Option<PartialDelivery> {
        self.engine.endpoints.partial(self.id)
    }

    /// Takes what has come of the [partial](Self::partial) delivery, on a link that is
    /// [streaming](Self::set_streaming). That makes room in the session's window for more of it. The
    /// rest comes by this too, or, once complete, by [`next_delivery`](Self::next_delivery). `None` if
    /// nothing has come since.
    pub fn read_partial(&mut self) -> Option<Payload> {
        self.engine.endpoints.read_partial(self.id)
    }

    /// Refuses the [partial](Self::partial) delivery, and with it the link, as where one of the engine's own limits is passed: what
    /// came of it is dropped at once, the link is closed with this error, and [`Event::LinkDetached`](crate::Event::LinkDetached)
    /// tells. For who has a bound for many engines together, each of which tells
    /// [what it holds](crate::Engine::partial_octets).
    ///
    /// # Errors
    /// No delivery is coming in.
    pub fn refuse_partial(&mut self, error: Condition) -> Result<(), UsageError> {
        self.engine.endpoints.refuse_partial(self.id, error)
    }

    /// Keeps the credit at `credit` by itself, less what waits to be taken: it is granted anew once half
    /// of it is used. 0 ends that, and leaves the credit as it is.
    ///
    /// # Errors
    /// The link is not attached from this side.
    pub fn set_automatic_credit(&mut self, credit: u32) -> Result<(), UsageError> {
        if credit > 0 {
            self.set_credit(credit)?;
        }
        if let Some(half) = self.half_mut() {
            half.automatic = credit.min(MOST_CREDIT);
        }
        Ok(())
    }

    /// Complete deliveries that wait to be taken.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.half().map_or(0, |half| half.complete.len())
    }

    /// Settles a delivery and tells the sender its outcome.
    ///
    /// Where the receiver settles second (2.8.3), the outcome is told now, and the delivery is settled and
    /// forgotten once the sender has settled; there will be no update for that.
    ///
    /// # Errors
    /// The delivery is settled and forgotten already.
    #[inline]
    pub fn settle(
        &mut self,
        delivery: DeliveryId,
        outcome: DeliveryState,
    ) -> Result<(), UsageError> {
        let endpoints = &mut self.engine.endpoints;
        if matches!(outcome, DeliveryState::Accepted) && endpoints.accept_next(self.id, delivery) {
            return Ok(());
        }
        endpoints.dispose(self.id, delivery, Some(outcome), true)
    }

    /// Settles a delivery, and does not wait for the sender even where the receiver settles second (2.8.3): for senders
    /// that remember nothing, and so have nothing to wait for. Without an outcome as [`forget`](Self::forget).
    ///
    /// # Errors
    /// As for [`settle`](Self::settle).
    pub fn settle_at_once(
        &mut self,
        delivery: DeliveryId,
        outcome: Option<DeliveryState>,
    ) -> Result<(), UsageError> {
        let endpoints = &mut self.engine.endpoints;
        endpoints.settle_first(self.id, delivery)?;
        endpoints.dispose(self.id, delivery, outcome, true)
    }

    /// Accepts and settles: the commonest [`settle`](Self::settle).
    ///
    /// # Errors
    /// As for [`settle`](Self::settle).
    #[inline]
    pub fn accept(&mut self, delivery: DeliveryId) -> Result<(), UsageError> {
        self.settle(delivery, DeliveryState::Accepted)
    }

    /// Tells the sender the state of a delivery without settling it: for receivers that settle second,
    /// and for states that are not outcomes.
    ///
    /// # Errors
    /// As for [`settle`](Self::settle).
    pub fn update(&mut self, delivery: DeliveryId, state: DeliveryState) -> Result<(), UsageError> {
        self.engine
            .endpoints
            .dispose(self.id, delivery, Some(state), false)
    }

    /// Settles a delivery without saying in which state.
    ///
    /// # Errors
    /// As for [`settle`](Self::settle); or the receiver settles second, which takes an outcome.
    pub fn forget(&mut self, delivery: DeliveryId) -> Result<(), UsageError> {
        self.engine.endpoints.dispose(self.id, delivery, None, true)
    }

    /// Messages that the sender may still send.
    #[must_use]
    #[inline]
    pub fn credit(&self) -> u32 {
        self.half().map_or(0, |half| half.credit.credit())
    }

    /// Messages that wait at the sender's side: what it last said, less what came since.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.half().map_or(0, |half| half.available)
    }

    /// Lets the sender send this many messages from now on, whatever was granted before.
    ///
    /// More than 2,147,483,647 counts as that, as what it is counted from is a serial number (RFC 1982).
    ///
    /// # Errors
    /// The link is not attached from this side.
    #[inline]
    pub fn set_credit(&mut self, credit: u32) -> Result<(), UsageError> {
        self.engine.endpoints.set_credit(self.id, |_| credit, false)
    }

    /// Lets the sender send this many messages more.
    ///
    /// # Errors
    /// The link is not attached from this side.
    pub fn add_credit(&mut self, more: u32) -> Result<(), UsageError> {
        self.engine
            .endpoints
            .set_credit(self.id, |credit| credit.saturating_add(more), false)
    }

    /// Asks the sender to use its credit now or give it back; [`Event::Flow`](crate::Event::Flow)
    /// tells when that is done, at once if there is no credit.
    ///
    /// # Errors
    /// The link is not attached from this side.
    pub fn drain(&mut self) -> Result<(), UsageError> {
        self.engine
            .endpoints
            .set_credit(self.id, |credit| credit, true)
    }

    /// Whether a drain has not been answered yet.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.half().is_some_and(|half| half.credit.is_draining())
    }

    #[inline]
    fn half_mut(&mut self) -> Option<&mut ReceiverHalf> {
        match &mut self.engine.endpoints.links.get_mut(self.id)?.half {
            Half::Receiver(half) => Some(half),
            Half::Sender(_) => None,
        }
    }

    #[inline]
    fn half(&self) -> Option<&ReceiverHalf> {
        match &self.engine.endpoints.links.get(self.id)?.half {
            Half::Receiver(half) => Some(half),
            Half::Sender(_) => None,
        }
    }
}
