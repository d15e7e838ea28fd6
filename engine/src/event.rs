//! What the engine tells its caller.

use alloc::collections::VecDeque;

use crate::ids::{LinkId, SessionId};

/// Something happened. Events say *where to look*; the views have the data.
///
/// An event is queued at most once per object and kind until it is polled, so the queue is bounded by
/// live objects and not by what the peer sends. They come in the order in which their causes arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// The SASL exchange needs an answer: on a server, whether the client is who it says; on a client, for a mechanism of the
    /// embedder's. See [`Engine::sasl_request`](crate::Engine::sasl_request).
    Authenticate,
    /// SASL ended with success (both roles).
    Authenticated,
    /// The peer's open arrived. See [`Connection::remote`](crate::Connection::remote).
    RemoteOpen,
    /// The peer's close arrived; the engine has answered it.
    RemoteClose,
    /// The peer's begin arrived: the answer to ours, or a session to
    /// [`accept`](crate::Session::accept).
    SessionBegun(SessionId),
    /// The session ended. It can be looked at until the next event is polled.
    SessionEnded(SessionId),
    /// The peer's attach arrived: the answer to ours, or a link to [`accept`](crate::Link::accept).
    LinkAttached(LinkId),
    /// The link was detached by the peer, or with its session. If the peer's detach is not answered yet,
    /// answer it ([`Link::close`](crate::Link::close) or [`Link::detach`](crate::Link::detach)).
    LinkDetached(LinkId),
    /// Sender: credit or the drain flag changed. Receiver: a drain was answered.
    Flow(LinkId),
    /// Receiver: complete deliveries wait. See [`Receiver::next_delivery`](crate::Receiver::next_delivery).
    Deliveries(LinkId),
    /// The peer changed the state of deliveries. See [`Link::next_update`](crate::Link::next_update).
    Updates(LinkId),
    /// The peer broke a rule that ends the connection; see [`Engine::failure`](crate::Engine::failure).
    /// [`Disconnected`](Self::Disconnected) follows once the peer has answered our close.
    Failed,
    /// The last event: no more octets are taken, and after the rest of the output none are given.
    /// See [`Engine::failure`](crate::Engine::failure).
    Disconnected,
}

/// The kinds of event that a session or link can have queued, one bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Queued(u8);

impl Queued {
    /// Marks the event as queued; `false` if it was already.
    pub(crate) const fn mark(&mut self, event: Event) -> bool {
        let bit = Self::bit(event);
        let fresh = self.0 & bit == 0;
        self.0 |= bit;
        fresh
    }

    pub(crate) const fn clear(&mut self, event: Event) {
        self.0 &= !Self::bit(event);
    }

    const fn bit(event: Event) -> u8 {
        match event {
            Event::SessionBegun(_) | Event::LinkAttached(_) => 1,
            Event::SessionEnded(_) | Event::LinkDetached(_) => 2,
            Event::Flow(_) => 4,
            Event::Deliveries(_) => 8,
            Event::Updates(_) => 16,
            // Connection events happen once by themselves.
            _ => 0,
        }
    }
}

pub(crate) type Events = VecDeque<Event>;
