//! SASL (5.3) as a stage of the engine: frames in, frames out, no crypto library.

mod client;
mod server;

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::codec::{Str, Symbol};
use crate::error::SaslFailure;
use crate::protocol::SaslFrame;

pub(crate) use client::ClientStage;
pub use client::SaslClient;
pub(crate) use server::ServerStage;
pub use server::{SaslRequest, SaslServer};

/// Whether a connection begins with SASL, and on which side of it this engine is.
#[derive(Clone, Debug, Default)]
pub enum SaslConfig {
    /// AMQP without a SASL layer.
    #[default]
    None,
    /// Authenticate to the peer.
    Client(SaslClient),
    /// Authenticate the peer.
    Server(SaslServer),
}

/// A SASL mechanism that the engine knows how to do by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// RFC 4505: no identity is asked for.
    Anonymous,
    /// RFC 4616: user and password, readable by whoever reads the transport.
    Plain,
    /// RFC 4422 appendix A: the transport (TLS client certificate) has proved the identity.
    External,
}

impl Mechanism {
    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "ANONYMOUS",
            Self::Plain => "PLAIN",
            Self::External => "EXTERNAL",
        }
    }

    /// The mechanism of this registered name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Anonymous, Self::Plain, Self::External]
            .into_iter()
            .find(|mechanism| mechanism.name() == name)
    }

    pub(crate) const fn symbol(self) -> Symbol {
        Symbol::from_static(self.name())
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A secret: never printed, not even by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Bytes);

impl Secret {
    /// The octets themselves.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `other` is the same secret, in time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, other: &[u8]) -> bool {
        let difference = self
            .0
            .iter()
            .zip(other)
            .fold(0, |sum, (a, b)| sum | (a ^ b));
        self.0.len() == other.len() && difference == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<Bytes> for Secret {
    fn from(octets: Bytes) -> Self {
        Self(octets)
    }
}

impl From<Vec<u8>> for Secret {
    fn from(octets: Vec<u8>) -> Self {
        Self(octets.into())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

/// The SASL exchange of one connection, on either side.
#[derive(Debug)]
pub(crate) enum Stage {
    Client(ClientStage),
    Server(ServerStage),
}

/// What a stage wants done after a step.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// A frame to send.
    pub(crate) send: Option<SaslFrame>,
    /// The exchange is over.
    pub(crate) outcome: Option<Result<(), SaslFailure>>,
    /// The embedder must decide about [`ServerStage::request`].
    pub(crate) ask: bool,
}

impl Stage {
    pub(crate) fn receive(&mut self, frame: SaslFrame) -> Step {
        match self {
            Self::Client(stage) => stage.receive(frame),
            Self::Server(stage) => stage.receive(frame),
        }
    }
}

impl Step {
    fn send(frame: SaslFrame) -> Self {
        Self {
            send: Some(frame),
            ..Self::default()
        }
    }

    fn fail(failure: SaslFailure) -> Self {
        Self {
            outcome: Some(Err(failure)),
            ..Self::default()
        }
    }

    fn protocol(text: &str) -> Self {
        Self::fail(SaslFailure::Protocol(text.into()))
    }
}

/// A user name out of octets that a peer sent.
fn user_name(octets: Bytes) -> Option<Str> {
    Str::try_from(octets).ok()
}
