//! The connection as the caller sees it.

use crate::config::SessionConfig;
use crate::engine::Engine;
use crate::error::{Failure, Origin, UsageError};
use crate::ids::SessionId;
use crate::protocol::{Condition, Open};

/// The connection of an [`Engine`] (2.4).
#[derive(Debug)]
pub struct Connection<'a> {
    engine: &'a mut Engine,
}

impl<'a> Connection<'a> {
    pub(crate) const fn new(engine: &'a mut Engine) -> Self {
        Self { engine }
    }

    /// Opens the connection: sends our open, as the [`Config`](crate::Config) describes it. Both sides
    /// do this once, in any order.
    ///
    /// # Errors
    /// It was opened before, or the frame would be larger than the peer takes.
    pub fn open(&mut self) -> Result<(), UsageError> {
        self.engine.open()
    }

    /// Closes the connection, after what could be sent was sent.
    ///
    /// # Errors
    /// It is not open, or was closed before.
    pub fn close(&mut self, error: Option<Condition>) -> Result<(), UsageError> {
        self.engine.endpoints.close(error)
    }

    /// Begins a session.
    ///
    /// # Errors
    /// The connection is not open, or all channels are in use.
    pub fn begin(&mut self, config: SessionConfig) -> Result<SessionId, UsageError> {
        self.engine.endpoints.begin(config)
    }

    /// Whether both sides have opened and neither has closed.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.engine.endpoints.connection.is_open()
    }

    /// The peer's open, once it has arrived.
    #[must_use]
    pub fn remote(&self) -> Option<&Open> {
        self.engine.endpoints.connection.remote_open.as_deref()
    }

    /// The error that the peer's close carried, if it did.
    #[must_use]
    pub const fn remote_condition(&self) -> Option<&Condition> {
        match &self.engine.endpoints.connection.failure {
            Some(Failure::Condition {
                origin: Origin::Remote,
                condition,
            }) => Some(condition),
            _ => None,
        }
    }
}
