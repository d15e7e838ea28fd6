//! A receiving link as the caller sees it.

use crate::delivery::Delivery;
use crate::engine::Engine;
use crate::error::UsageError;
use crate::ids::{DeliveryId, LinkId};
use crate::link::{Half, ReceiverHalf};
use crate::protocol::DeliveryState;

/// A link of an [`Engine`] that receives (2.6.7, 2.6.12).
#[derive(Debug)]
pub struct Receiver<'a> {
    engine: &'a mut Engine,
    id: LinkId,
}

impl<'a> Receiver<'a> {
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
    pub fn next_delivery(&mut self) -> Option<Delivery> {
        self.engine.endpoints.next_delivery(self.id)
    }

    /// Complete deliveries that wait to be taken.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.half().map_or(0, |half| half.complete.len())
    }

    /// Settles a delivery and tells the sender its outcome.
    ///
    /// # Errors
    /// The delivery is settled and forgotten already.
    pub fn settle(
        &mut self,
        delivery: DeliveryId,
        outcome: DeliveryState,
    ) -> Result<(), UsageError> {
        self.engine.endpoints.dispose(delivery, Some(outcome), true)
    }

    /// Accepts and settles: the commonest [`settle`](Self::settle).
    ///
    /// # Errors
    /// As for [`settle`](Self::settle).
    pub fn accept(&mut self, delivery: DeliveryId) -> Result<(), UsageError> {
        self.settle(delivery, DeliveryState::Accepted)
    }

    /// Tells the sender the state of a delivery without settling it: for receivers that settle second,
    /// and for states that are not outcomes.
    ///
    /// # Errors
    /// As for [`settle`](Self::settle).
    pub fn update(&mut self, delivery: DeliveryId, state: DeliveryState) -> Result<(), UsageError> {
        self.engine.endpoints.dispose(delivery, Some(state), false)
    }

    /// Settles a delivery without saying in which state.
    ///
    /// # Errors
    /// As for [`settle`](Self::settle).
    pub fn forget(&mut self, delivery: DeliveryId) -> Result<(), UsageError> {
        self.engine.endpoints.dispose(delivery, None, true)
    }

    /// Messages that the sender may still send.
    #[must_use]
    pub fn credit(&self) -> u32 {
        self.half().map_or(0, |half| half.credit.credit())
    }

    /// Messages that the sender says wait at its side.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.half().map_or(0, |half| half.available)
    }

    /// Lets the sender send this many messages from now on, whatever was granted before.
    ///
    /// # Errors
    /// The link is not attached from this side.
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
    /// tells when that is done.
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

    fn half(&self) -> Option<&ReceiverHalf> {
        match &self.engine.endpoints.links.get(self.id)?.half {
            Half::Receiver(half) => Some(half),
            Half::Sender(_) => None,
        }
    }
}
