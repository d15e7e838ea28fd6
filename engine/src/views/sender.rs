//! A sending link as the caller sees it.

use crate::config::SendOptions;
use crate::delivery::{Payload, SendPayload, Update};
use crate::engine::Engine;
use crate::error::{SendError, UsageError};
use crate::ids::{DeliveryId, LinkId};
use crate::link::{Half, SenderHalf};
use crate::protocol::DeliveryState;

const DEFAULT_OPTIONS: SendOptions = SendOptions {
    message_format: 0,
    settled: false,
    state: None,
    batchable: false,
};
const SETTLED_OPTIONS: SendOptions = SendOptions {
    settled: true,
    ..DEFAULT_OPTIONS
};

/// A link of an [`Engine`] that sends (2.6.7, 2.6.12).
#[derive(Debug)]
pub struct Sender<'a> {
    engine: &'a mut Engine,
    id: LinkId,
}

impl<'a> Sender<'a> {
    #[inline]
    pub(crate) fn new(engine: &'a mut Engine, id: LinkId) -> Result<Self, UsageError> {
        match engine.endpoints.link_mut(id)?.half {
            Half::Sender(_) => Ok(Self { engine, id }),
            Half::Receiver(_) => Err(UsageError::WrongKind {
                expected: "a sender",
            }),
        }
    }

    /// Sends a message, to be settled later: its outcome comes with
    /// [`Event::Updates`](crate::Event::Updates).
    ///
    /// `tag` names the delivery to both sides; it must differ from those of all that are unsettled.
    ///
    /// # Errors
    /// There is no credit, the message is larger than the receiver takes, or the link is not attached.
    #[inline]
    pub fn send<'p>(
        &mut self,
        tag: &[u8],
        payload: impl Into<SendPayload<'p>>,
    ) -> Result<DeliveryId, SendError> {
        let sent = self
            .engine
            .send(self.id, tag, &DEFAULT_OPTIONS, payload.into())?;
        sent.ok_or(SendError::Usage(UsageError::StaleHandle))
    }

    /// Sends a message and forgets it: there will be no outcome.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    #[inline]
    pub fn send_settled<'p>(
        &mut self,
        tag: &[u8],
        payload: impl Into<SendPayload<'p>>,
    ) -> Result<(), SendError> {
        self.engine
            .send(self.id, tag, &SETTLED_OPTIONS, payload.into())
            .map(drop)
    }

    /// As [`send`](Self::send) and [`send_settled`](Self::send_settled), with all that can be said of a delivery.
    /// `None` for a settled one.
    ///
    /// # Errors
    /// As for [`send`](Self::send); or the state is `received`, or too large for the peer's frames.
    pub fn send_with<'p>(
        &mut self,
        tag: &[u8],
        options: &SendOptions,
        payload: impl Into<SendPayload<'p>>,
    ) -> Result<Option<DeliveryId>, SendError> {
        self.engine.send(self.id, tag, options, payload.into())
    }

    /// Begins a delivery that is written in pieces: [`write`](Self::write) them, then
    /// [`finish`](Self::finish), or [`abort`](Self::abort). What is sent on the link meanwhile waits
    /// behind it, since deliveries of one link do not interleave (2.6.12).
    ///
    /// # Errors
    /// As for [`send_with`](Self::send_with).
    pub fn stream(&mut self, tag: &[u8], options: &SendOptions) -> Result<DeliveryId, SendError> {
        self.engine.stream(self.id, tag, options)
    }

    /// Adds a piece to a delivery that is being written. Watch
    /// [`queued_octets`](Self::queued_octets) to not run ahead of the peer.
    ///
    /// # Errors
    /// The delivery is not being written, or becomes larger than the receiver takes.
    pub fn write(
        &mut self,
        delivery: DeliveryId,
        payload: impl Into<Payload>,
    ) -> Result<(), SendError> {
        let endpoints = &mut self.engine.endpoints;
        endpoints.check_delivery(self.id, delivery)?;
        endpoints.write_stream(delivery, payload.into())
    }

    /// Ends a delivery that is being written.
    ///
    /// # Errors
    /// The delivery is not being written.
    pub fn finish(&mut self, delivery: DeliveryId) -> Result<(), UsageError> {
        let endpoints = &mut self.engine.endpoints;
        endpoints.check_delivery(self.id, delivery)?;
        endpoints.finish_stream(delivery)
    }

    /// Takes back a delivery that is not wholly sent. The receiver discards what it has of it.
    ///
    /// # Errors
    /// The delivery was wholly sent, or is forgotten already.
    pub fn abort(&mut self, delivery: DeliveryId) -> Result<(), UsageError> {
        let endpoints = &mut self.engine.endpoints;
        endpoints.check_delivery(self.id, delivery)?;
        endpoints.abort(delivery)
    }

    /// Octets of payload that were sent but wait for the window or the transport.
    #[must_use]
    pub fn queued_octets(&self) -> usize {
        self.half().map_or(0, |half| half.queued_octets)
    }

    /// Messages that may be sent now.
    #[must_use]
    #[inline]
    pub fn credit(&self) -> u32 {
        self.half().map_or(0, SenderHalf::free_credit)
    }

    /// Whether the receiver wants the credit used up, or given back with [`drained`](Self::drained).
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.half().is_some_and(|half| half.credit.is_draining())
    }

    /// There is nothing more to send for a drain: gives the rest of the credit back, after what was
    /// sent. Without a drain, does nothing.
    ///
    /// # Errors
    /// The link has ended.
    pub fn drained(&mut self) -> Result<(), UsageError> {
        self.engine.endpoints.drained(self.id)
    }

    /// Messages that were sent but have not wholly left the engine.
    #[must_use]
    pub fn queued(&self) -> u32 {
        self.half().map_or(0, SenderHalf::queued)
    }

    /// The next delivery whose state the receiver changed.
    pub fn next_update(&mut self) -> Option<Update> {
        self.engine.endpoints.next_update(self.id)
    }

    /// Tells the receiver the state of a delivery without settling it, of one that expired here for example. Settle it once
    /// the receiver has answered, which [`Event::Updates`](crate::Event::Updates) tells (2.6.12).
    ///
    /// # Errors
    /// The delivery is settled and forgotten already; none of it was written, so that the receiver does not know it; or the
    /// state is `received`.
    pub fn update(&mut self, delivery: DeliveryId, state: DeliveryState) -> Result<(), UsageError> {
        self.engine
            .endpoints
            .dispose(self.id, delivery, Some(state), false)
    }

    /// Settles a delivery that the receiver has not settled itself.
    ///
    /// # Errors
    /// The delivery is settled and forgotten already.
    #[inline]
    pub fn settle(&mut self, delivery: DeliveryId) -> Result<(), UsageError> {
        self.settle_as(delivery, None)
    }

    /// Settles a delivery and says in which state.
    ///
    /// # Errors
    /// As for [`settle`](Self::settle).
    pub fn settle_as(
        &mut self,
        delivery: DeliveryId,
        state: Option<DeliveryState>,
    ) -> Result<(), UsageError> {
        self.engine
            .endpoints
            .dispose(self.id, delivery, state, true)
    }

    #[inline]
    fn half(&self) -> Option<&SenderHalf> {
        match &self.engine.endpoints.links.get(self.id)?.half {
            Half::Sender(half) => Some(half),
            Half::Receiver(_) => None,
        }
    }
}
