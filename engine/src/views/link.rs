//! A link of either role as the caller sees it.

use crate::codec::Str;
use crate::config::LinkConfig;
use crate::delivery::Update;
use crate::endpoints::{EndError, Phase};
use crate::engine::Engine;
use crate::error::UsageError;
use crate::ids::{LinkId, SessionId};
use crate::link;
use crate::protocol::{
    Attach, Condition, ReceiverSettleMode, Role, SenderSettleMode, Source, TargetArchetype,
};

/// A link of an [`Engine`] (2.6), whichever its role.
#[derive(Debug)]
pub struct Link<'a> {
    engine: &'a mut Engine,
    id: LinkId,
}

impl<'a> Link<'a> {
    pub(crate) fn new(engine: &'a mut Engine, id: LinkId) -> Result<Self, UsageError> {
        engine.endpoints.link_mut(id)?;
        Ok(Self { engine, id })
    }

    /// Answers an attach of the peer's with the termini and modes it asked for.
    ///
    /// # Errors
    /// It was answered before, or its session has not been accepted.
    pub fn accept(&mut self) -> Result<(), UsageError> {
        self.engine.endpoints.accept_link(self.id, None)
    }

    /// Answers an attach of the peer's with other termini or modes; start from
    /// [`offer`](Self::offer). The name stays the peer's.
    ///
    /// # Errors
    /// As for [`accept`](Self::accept).
    pub fn accept_with(&mut self, config: LinkConfig) -> Result<(), UsageError> {
        self.engine.endpoints.accept_link(self.id, Some(config))
    }

    /// What [`accept`](Self::accept) would answer; for a link of ours, what it was attached with.
    #[must_use]
    pub fn offer(&self) -> Option<LinkConfig> {
        Some((*self.state()?.config).clone())
    }

    /// Answers an attach of the peer's with a refusal (2.6.3).
    ///
    /// # Errors
    /// As for [`accept`](Self::accept).
    pub fn refuse(&mut self, error: Condition) -> Result<(), UsageError> {
        self.engine.endpoints.refuse_link(self.id, error)
    }

    /// Detaches the link without closing it (2.6.4), after what was sent has left.
    ///
    /// # Errors
    /// It is not attached.
    pub fn detach(&mut self) -> Result<(), UsageError> {
        self.engine.endpoints.detach(self.id, false, None)
    }

    /// Closes the link for good (2.6.5), after what was sent has left.
    ///
    /// # Errors
    /// It is not attached.
    pub fn close(&mut self, error: Option<Condition>) -> Result<(), UsageError> {
        self.engine.endpoints.detach(self.id, true, error)
    }

    /// The next delivery whose state the peer changed, after [`Event::Updates`](crate::Event::Updates).
    ///
    /// A delivery that the peer has settled is forgotten by this; one that it has not still wants
    /// to be settled.
    pub fn next_update(&mut self) -> Option<Update> {
        self.engine.endpoints.next_update(self.id)
    }

    /// Which side of the link this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.state().map_or(Role::Sender, link::Link::role)
    }

    /// The link's name.
    #[must_use]
    pub fn name(&self) -> Str {
        self.state()
            .map_or_else(Str::default, |link| link.config.name.clone())
    }

    /// The session it is on.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.state().map(|link| link.session)
    }

    /// Whether the peer attached it and it has not been answered yet.
    #[must_use]
    pub fn is_incoming(&self) -> bool {
        self.state().is_some_and(|link| link.local == Phase::New)
    }

    /// Whether both sides have attached and neither has detached.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.state().is_some_and(link::Link::is_attached)
    }

    /// Whether the peer has detached and waits for our detach.
    #[must_use]
    pub fn awaits_detach(&self) -> bool {
        self.state()
            .is_some_and(|link| link.remote == Phase::Ended && link.local != Phase::Ended)
    }

    /// Whether the peer's detach closed the link for good.
    #[must_use]
    pub fn is_remote_closed(&self) -> bool {
        self.state().is_some_and(|link| link.remote_closed)
    }

    /// The peer's attach, once it has arrived.
    #[must_use]
    pub fn remote(&self) -> Option<&Attach> {
        self.state()?.remote_attach.as_deref()
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

    /// The sender's settle mode in force.
    #[must_use]
    pub fn snd_settle_mode(&self) -> SenderSettleMode {
        self.state()
            .map_or(SenderSettleMode::Mixed, link::Link::snd_settle_mode)
    }

    /// The receiver's settle mode in force.
    #[must_use]
    pub fn rcv_settle_mode(&self) -> ReceiverSettleMode {
        self.state()
            .map_or(ReceiverSettleMode::First, link::Link::rcv_settle_mode)
    }

    /// The error that ended it, from either side.
    #[must_use]
    pub fn error(&self) -> Option<&EndError> {
        self.state()?.error.as_deref()
    }

    fn state(&self) -> Option<&link::Link> {
        self.engine.endpoints.links.get(self.id)
    }
}
