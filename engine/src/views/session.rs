//! A session as the caller sees it.

use crate::config::{LinkConfig, SessionConfig};
use crate::endpoints::{EndError, Phase};
use crate::engine::Engine;
use crate::error::UsageError;
use crate::ids::{LinkId, SessionId};
use crate::protocol::{Begin, Condition, Role};
use crate::recovery::LinkState;
use crate::session;

/// A session of an [`Engine`] (2.5).
#[derive(Debug)]
pub struct Session<'a> {
    engine: &'a mut Engine,
    id: SessionId,
}

impl<'a> Session<'a> {
    #[inline]
    pub(crate) fn new(engine: &'a mut Engine, id: SessionId) -> Result<Self, UsageError> {
        engine.endpoints.session_mut(id)?;
        Ok(Self { engine, id })
    }

    /// Answers a begin of the peer's.
    ///
    /// # Errors
    /// It was answered before, or the connection is not open.
    pub fn accept(&mut self, config: SessionConfig) -> Result<(), UsageError> {
        self.engine.endpoints.accept_session(self.id, config)
    }

    /// Ends the session, after what could be sent on it was sent. Its links end with it.
    ///
    /// # Errors
    /// It is not begun, or was ended before.
    pub fn end(&mut self, error: Option<Condition>) -> Result<(), UsageError> {
        self.engine.endpoints.end(self.id, error)
    }

    /// Attaches a link that sends; make the configuration with [`LinkConfig::sender`].
    ///
    /// # Errors
    /// The session is not begun, the name is in use, no handle is free, or the termini are not allowed.
    pub fn attach_sender(&mut self, config: LinkConfig) -> Result<LinkId, UsageError> {
        self.engine.endpoints.attach(self.id, Role::Sender, config)
    }

    /// Attaches a link that receives; make the configuration with [`LinkConfig::receiver`].
    ///
    /// # Errors
    /// The session is not begun, the name is in use, no handle is free, or the termini are not allowed.
    pub fn attach_receiver(&mut self, config: LinkConfig) -> Result<LinkId, UsageError> {
        self.engine
            .endpoints
            .attach(self.id, Role::Receiver, config)
    }

    /// Attaches a link of either role with what an earlier endpoint of it left, on this or another
    /// connection, and goes on with that: see [`LinkState`]. The state is copied, but for the octets of its
    /// payloads, which are shared; so it is still there if this fails.
    ///
    /// # Errors
    /// As for [`attach_sender`](Self::attach_sender), or two of the deliveries have one tag.
    pub fn resume(&mut self, state: &LinkState) -> Result<LinkId, UsageError> {
        self.engine.endpoints.attach_again(self.id, state)
    }

    /// Whether the peer began it and it has not been [accepted](Self::accept) yet.
    #[must_use]
    pub fn is_incoming(&self) -> bool {
        self.state()
            .is_some_and(|session| session.local == Phase::New)
    }

    /// Whether both sides have begun and neither has ended.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.state()
            .is_some_and(|session| (session.local, session.remote) == (Phase::Open, Phase::Open))
    }

    /// The peer's begin, once it has arrived.
    #[must_use]
    pub fn remote(&self) -> Option<&Begin> {
        self.state()?.remote_begin.as_deref()
    }

    /// The error that ended it, from either side, be it one that [`end`](Self::end) was given.
    #[must_use]
    pub fn error(&self) -> Option<&EndError> {
        self.state()?.error.as_deref()
    }

    /// Transfer frames that the peer takes at the moment.
    #[must_use]
    pub fn outgoing_window(&self) -> u32 {
        self.state()
            .map_or(0, |session| session.outgoing_window.available())
    }

    /// Transfer frames that the peer says it has room to send at the moment (2.5.6). When it shrinks, transfers wait there.
    #[must_use]
    pub fn remote_outgoing_window(&self) -> u32 {
        self.state()
            .map_or(0, |session| session.incoming_window.remote())
    }

    /// Outgoing deliveries that are not settled yet.
    #[must_use]
    pub fn unsettled_outgoing(&self) -> u32 {
        self.state().map_or(0, |session| session.outgoing.len())
    }

    /// Incoming deliveries that are not settled yet.
    #[must_use]
    pub fn unsettled_incoming(&self) -> u32 {
        self.state().map_or(0, |session| session.incoming.len())
    }

    fn state(&self) -> Option<&session::Session> {
        self.engine.endpoints.sessions.get(self.id)
    }
}
