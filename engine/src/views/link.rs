//! A link of either role as the caller sees it.

use alloc::boxed::Box;
use core::cell::OnceCell;

use crate::codec::Str;
use crate::config::LinkConfig;
use crate::delivery::Update;
use crate::endpoints::{EndError, Phase};
use crate::engine::Engine;
use crate::error::UsageError;
use crate::ids::{LinkId, SessionId};
use crate::link::{self, Closing};
use crate::protocol::{
    Attach, Condition, ReceiverSettleMode, Role, SenderSettleMode, Source, TargetArchetype,
};
use crate::recovery::{LinkState, Recovery, Unsettled};
use crate::time::Time;

/// A link of an [`Engine`] (2.6), whichever its role.
#[derive(Debug)]
pub struct Link<'a> {
    engine: &'a mut Engine,
    id: LinkId,
    /// What the peer said, once it was asked for.
    remote: OnceCell<Option<Box<Attach>>>,
}

impl<'a> Link<'a> {
    #[inline]
    pub(crate) fn new(engine: &'a mut Engine, id: LinkId) -> Result<Self, UsageError> {
        engine.endpoints.link_mut(id)?;
        Ok(Self {
            engine,
            id,
            remote: OnceCell::new(),
        })
    }

    /// Answers an attach of the peer's with the termini and modes it asked for.
    ///
    /// # Errors
    /// It was answered before, its session has not been accepted, or the peer asked for a dynamic node: say which it is
    /// with [`accept_with`](Self::accept_with).
    pub fn accept(&mut self) -> Result<(), UsageError> {
        self.engine.endpoints.accept_link(self.id, None)
    }

    /// Answers an attach of the peer's with other termini or modes; start from
    /// [`offer`](Self::offer). The name stays the peer's.
    ///
    /// # Errors
    /// As for [`accept`](Self::accept); or the termini are not allowed.
    pub fn accept_with(&mut self, config: LinkConfig) -> Result<(), UsageError> {
        self.engine.endpoints.accept_link(self.id, Some(config))
    }

    /// Answers an attach of the peer's with what an earlier endpoint of this link left, and goes on with
    /// that: see [`LinkState`].
    ///
    /// # Errors
    /// As for [`accept`](Self::accept); or the state has another name or role than this link, or two
    /// deliveries of one tag.
    pub fn resume(&mut self, state: &LinkState) -> Result<(), UsageError> {
        self.engine.endpoints.accept_again(self.id, state)
    }

    /// What has to outlive this endpoint of the link for another one to go on with it: see [`LinkState`].
    /// `None` for a link of the peer's that was not accepted.
    ///
    /// Take what is to be taken of updates and deliveries before: what waits here is in the state, and
    /// will come again on the link that is resumed with it.
    #[must_use]
    pub fn state(&self) -> Option<LinkState> {
        self.engine.endpoints.link_state(self.id)
    }

    /// What came of [`Session::resume`](crate::Session::resume) or [`resume`](Self::resume), once both
    /// sides have attached; `None` before, for a link that resumes nothing, and when the peer refuses.
    #[must_use]
    pub fn recovered(&self) -> Option<Recovery> {
        self.state_ref()?.resuming.as_ref()?.report
    }

    /// Deliveries that are not settled by both sides, in order.
    pub fn unsettled(&self) -> impl Iterator<Item = Unsettled<'_>> {
        self.engine.endpoints.unsettled(self.id)
    }

    /// What [`accept`](Self::accept) would answer; for a link of ours, what it was attached with.
    #[must_use]
    pub fn offer(&self) -> Option<LinkConfig> {
        Some(self.state_ref()?.terms.config())
    }

    /// Answers an attach of the peer's with a refusal (2.6.3).
    ///
    /// # Errors
    /// As for [`accept`](Self::accept).
    pub fn refuse(&mut self, error: Condition) -> Result<(), UsageError> {
        self.engine.endpoints.refuse_link(self.id, error)
    }

    /// Detaches the link without closing it (2.6.4), after what was sent has left. That takes credit:
    /// [`close_by`](Self::close_by) does not wait for it without end.
    ///
    /// # Errors
    /// It is not attached.
    pub fn detach(&mut self) -> Result<(), UsageError> {
        self.engine.endpoints.detach(self.id, false, None)
    }

    /// Closes the link for good (2.6.5): without an error after what was sent has left, with one at
    /// once. [`close_by`](Self::close_by) waits for more than that, and not without end.
    ///
    /// # Errors
    /// It is not attached.
    pub fn close(&mut self, error: Option<Condition>) -> Result<(), UsageError> {
        self.engine.endpoints.detach(self.id, true, error)
    }

    /// Closes the link gracefully: for good, and so that neither side has to guess what became of a
    /// delivery. That takes as long as it takes, but not beyond the moment `by`.
    ///
    /// - A **receiver** asks for the rest of its credit (2.6.7), by a drain. What the caller was given
    ///   it goes on settling; what it was not given, now or until the sender has answered, is released.
    ///   Only what the sender settled, so that it cannot be given back, can still be taken.
    /// - A **sender** takes no more messages, and waits until those that it took have left and the peer
    ///   has settled them. A delivery that is being written can be finished.
    ///
    /// When nothing is left to wait for, or the peer detaches, or at the moment `by`
    /// ([`Reason::LinkClose`](crate::Reason::LinkClose), at the next
    /// [`handle_timeout`](crate::Engine::handle_timeout)), the detach goes out; what has not left then is
    /// dropped. [`closing`](Self::closing) tells how far it has come, and
    /// [`Event::LinkDetached`](crate::Event::LinkDetached) that the peer has answered.
    ///
    /// Called again, it moves the moment. After a [`close`](Self::close) or [`detach`](Self::detach) that
    /// still waits for credit it takes the place of that; `close` and `detach` take the place of it.
    ///
    /// ```
    /// # use bytes::{Buf, BytesMut};
    /// use ferrion_engine::{Closing, Config, Engine, Event, LinkConfig, SessionConfig, Time};
    /// # fn carry(now: Time, from: &mut Engine, to: &mut Engine) {
    /// #     let mut wire = BytesMut::new();
    /// #     let mut output = from.transmit(now);
    /// #     while output.has_remaining() {
    /// #         let n = output.chunk().len();
    /// #         wire.extend_from_slice(output.chunk());
    /// #         output.advance(n);
    /// #     }
    /// #     to.recv(now, &mut wire);
    /// # }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let now = Time(0);
    /// # let mut client = Engine::client(Config::new("client"));
    /// # let mut server = Engine::server(Config::new("server"));
    /// # client.connection().open()?;
    /// # server.connection().open()?;
    /// # let session = client.connection().begin(SessionConfig::default())?;
    /// # let inbox = client.session(session)?.attach_receiver(LinkConfig::receiver("inbox", "queue"))?;
    /// # client.receiver(inbox)?.set_credit(10)?;
    /// # carry(now, &mut client, &mut server);
    /// # let mut outbox = None;
    /// # while let Some(event) = server.poll_event() {
    /// #     match event {
    /// #         Event::SessionBegun(id) => server.session(id)?.accept(SessionConfig::default())?,
    /// #         Event::LinkAttached(id) => {
    /// #             server.link(id)?.accept()?;
    /// #             outbox = Some(id);
    /// #         }
    /// #         _ => {}
    /// #     }
    /// # }
    /// # let outbox = outbox.ok_or("no link")?;
    /// # server.sender(outbox)?.send(b"1", b"first")?;
    /// # server.sender(outbox)?.send(b"2", b"second")?;
    /// # carry(now, &mut server, &mut client);
    /// // Two messages have come; the first is being worked on.
    /// let first = client.receiver(inbox)?.next_delivery().ok_or("a message")?;
    ///
    /// client.link(inbox)?.close_by(now.after(5_000))?;
    /// assert_eq!(client.link(inbox)?.closing(), Some(Closing::Draining));
    /// # carry(now, &mut client, &mut server);
    /// # while server.poll_event().is_some() {}
    /// # server.sender(outbox)?.drained()?;
    /// # carry(now, &mut server, &mut client);
    /// // The sender has answered, and has the second message again. The first is still ours:
    /// assert_eq!(client.link(inbox)?.closing(), Some(Closing::Settling));
    /// client.receiver(inbox)?.accept(first.id.ok_or("unsettled")?)?;
    /// assert_eq!(client.link(inbox)?.closing(), Some(Closing::Complete));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// It is not attached from this side, or its detach was sent already.
    pub fn close_by(&mut self, by: Time) -> Result<(), UsageError> {
        self.engine.endpoints.close_by(self.id, by)
    }

    /// How far a [graceful close](Self::close_by) has come. `None` if there was none, or another way of
    /// ending the link took its place.
    #[must_use]
    pub fn closing(&self) -> Option<Closing> {
        self.state_ref()?.closing()
    }

    /// The next delivery whose state the peer changed, after [`Event::Updates`](crate::Event::Updates).
    ///
    /// A delivery that the peer has settled is forgotten by this; one that it has not still wants
    /// to be settled.
    #[inline]
    pub fn next_update(&mut self) -> Option<Update> {
        self.engine.endpoints.next_update(self.id)
    }

    /// Which side of the link this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.state_ref().map_or(Role::Sender, link::Link::role)
    }

    /// The link's name.
    #[must_use]
    pub fn name(&self) -> Str {
        self.state_ref()
            .map_or_else(Str::default, |link| link.terms.name())
    }

    /// The session it is on.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.state_ref().map(|link| link.session)
    }

    /// Whether the peer attached it and it has not been answered yet.
    #[must_use]
    pub fn is_incoming(&self) -> bool {
        self.state_ref()
            .is_some_and(|link| link.local == Phase::New)
    }

    /// Whether both sides have attached and neither has detached.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.state_ref().is_some_and(link::Link::is_attached)
    }

    /// Whether the peer has detached and waits for our detach.
    #[must_use]
    pub fn awaits_detach(&self) -> bool {
        self.state_ref()
            .is_some_and(|link| link.remote == Phase::Ended && link.local != Phase::Ended)
    }

    /// Whether the peer's detach closed the link for good.
    #[must_use]
    pub fn is_remote_closed(&self) -> bool {
        self.state_ref().is_some_and(|link| link.remote_closed)
    }

    /// The peer's attach, once it has arrived.
    #[must_use]
    pub fn remote(&self) -> Option<&Attach> {
        let remote = || Some(Box::new(self.state_ref()?.remote()?));
        self.remote.get_or_init(remote).as_deref()
    }

    /// The source as the peer sees it. `None` from a sending peer means that it refused the link.
    #[must_use]
    pub fn remote_source(&self) -> Option<&Source> {
        self.remote()?.source.as_deref()
    }

    /// The target as the peer sees it. `None` from a receiving peer means that it refused the link.
    #[must_use]
    pub fn remote_target(&self) -> Option<&TargetArchetype> {
        self.remote()?.target.as_deref()
    }

    /// Whether the peer remembers deliveries of the link from before, if only that there are none: its attach has an
    /// unsettled map (2.6.13), as [`remote`](Self::remote) has it, but is not decoded for this. `None` before it has arrived.
    #[must_use]
    pub fn peer_remembers(&self) -> Option<bool> {
        self.state_ref()?.terms.peer_remembers()
    }

    /// The sender's settle mode in force.
    #[must_use]
    pub fn snd_settle_mode(&self) -> SenderSettleMode {
        self.state_ref()
            .map_or(SenderSettleMode::Mixed, |link| link.terms.snd_settle_mode)
    }

    /// The receiver's settle mode in force.
    #[must_use]
    pub fn rcv_settle_mode(&self) -> ReceiverSettleMode {
        self.state_ref()
            .map_or(ReceiverSettleMode::First, |link| link.terms.rcv_settle_mode)
    }

    /// The error that ended it, from either side, be it one that [`close`](Self::close) was given.
    #[must_use]
    pub fn error(&self) -> Option<&EndError> {
        self.state_ref()?.error()
    }

    fn state_ref(&self) -> Option<&link::Link> {
        self.engine.endpoints.links.get(self.id)
    }
}
