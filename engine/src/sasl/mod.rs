//! SASL (5.3) as a stage of the engine: frames in, frames out.
//!
//! The engine does ANONYMOUS, PLAIN, EXTERNAL, OAUTHBEARER and XOAUTH2 by itself, SCRAM with the cargo feature `scram`, and
//! any other mechanism with the embedder's help. What only the embedder can know is asked with
//! [`Event::Authenticate`](crate::Event::Authenticate): there is a [`SaslRequest`] to look at, and a [`SaslAnswer`] to give.
//!
//! A client has a list of what it can log in with, and takes the first that the server offers:
//!
//! ```
//! use ferrion_engine::{Config, sasl::{SaslClient, SaslConfig}};
//!
//! let mut config = Config::new("client");
//! config.sasl = SaslConfig::Client(
//!     SaslClient::external()
//!         .or(SaslClient::plain("user", "secret"))
//!         .allow_clear_text(true), // under TLS, or where nobody reads along
//! );
//! ```
//!
//! A server offers mechanisms, and decides:
//!
//! ```
//! use bytes::BytesMut;
//! use ferrion_engine::sasl::{Mechanism, SaslAnswer, SaslClient, SaslConfig, SaslRequest, SaslServer};
//! use ferrion_engine::{Config, Engine, Event, Time};
//! # use bytes::Buf;
//! # fn take(engine: &mut Engine) -> BytesMut {
//! #     let mut octets = BytesMut::new();
//! #     let mut output = engine.transmit(Time(0));
//! #     let all = output.copy_to_bytes(output.remaining());
//! #     octets.extend_from_slice(&all);
//! #     octets
//! # }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut config = Config::new("client");
//! # config.sasl = SaslConfig::Client(SaslClient::plain("user", "secret").allow_clear_text(true));
//! # let mut client = Engine::client(config);
//! let mut config = Config::new("server");
//! config.sasl = SaslConfig::Server(SaslServer::new([Mechanism::Plain]));
//! let mut server = Engine::server(config);
//! # for _ in 0..2 {
//! #     server.recv(Time(0), &mut take(&mut client));
//! #     client.recv(Time(0), &mut take(&mut server));
//! # }
//! // ... octets come, and then:
//! assert_eq!(server.poll_event(), Some(Event::Authenticate));
//! let answer = match server.sasl_request() {
//!     Some(SaslRequest::Plain { user, password, .. })
//!         if user == "user" && password.matches(b"secret") => SaslAnswer::Accept,
//!     _ => SaslAnswer::Reject,
//! };
//! server.sasl_answer(answer)?;
//! assert_eq!(server.poll_event(), Some(Event::Authenticated));
//! # client.recv(Time(0), &mut take(&mut server));
//! # assert_eq!(client.poll_event(), Some(Event::Authenticated));
//! # Ok(())
//! # }
//! ```
//!
//! The engine has no randomness: SCRAM is given a `Nonce` with the configuration, a fresh one for each connection.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::cast_lossless
    )
)]

mod bearer;
mod client;
mod client_stage;
mod gs2;
mod mechanism;
mod plain;
mod question;
#[cfg(feature = "scram")]
mod scram;
mod secret;
mod server;
mod server_stage;

use alloc::boxed::Box;
use alloc::string::String;

use bytes::Bytes;

use crate::codec::{Str, Symbol};
use crate::error::{SaslFailure, UsageError};
use crate::limits::Limits;
use crate::protocol::SaslFrame;

pub use client::SaslClient;
pub(crate) use client_stage::ClientStage;
pub use mechanism::Mechanism;
pub use question::{SaslAnswer, SaslRequest};
#[cfg(feature = "scram")]
pub use scram::{Nonce, ScramCredentials, ScramHash, ScramServer, ScramSettingsError};
pub use secret::Secret;
pub use server::SaslServer;
pub(crate) use server_stage::ServerStage;

/// Whether a connection begins with SASL, and on which side of it this engine is.
#[derive(Clone, Debug, Default)]
pub enum SaslConfig {
    /// AMQP without a SASL layer.
    #[default]
    None,
    /// Authenticate to the peer. For a client engine, as the side that opened the transport is the SASL client (5.3.2): a
    /// server with it admits nobody, as one that has no mechanism to offer.
    Client(SaslClient),
    /// Authenticate the peer. For a server engine: a client with it has nothing to log in with, and fails.
    Server(SaslServer),
}

/// The SASL exchange of one connection, on either side.
#[derive(Debug)]
pub(crate) enum Stage {
    Client(Box<ClientStage>),
    Server(Box<ServerStage>),
}

/// The limits that hold for an exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    rounds: u32,
    #[cfg(feature = "scram")]
    scram_iterations: u32,
}

impl From<&Limits> for Bounds {
    fn from(limits: &Limits) -> Self {
        Self {
            rounds: limits.sasl_rounds,
            #[cfg(feature = "scram")]
            scram_iterations: limits.scram_iterations,
        }
    }
}

/// What a stage wants done after a step.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// A frame to send.
    pub(crate) send: Option<SaslFrame>,
    /// The exchange is over.
    pub(crate) outcome: Option<Result<(), SaslFailure>>,
    /// The embedder must answer [`Stage::request`].
    pub(crate) ask: bool,
}

impl Stage {
    pub(crate) fn receive(&mut self, frame: SaslFrame) -> Step {
        match self {
            Self::Client(stage) => stage.receive(frame),
            Self::Server(stage) => stage.receive(frame),
        }
    }

    /// What the embedder must answer.
    pub(crate) const fn request(&self) -> Option<&SaslRequest> {
        match self {
            Self::Client(stage) => stage.request(),
            Self::Server(stage) => stage.request(),
        }
    }

    /// The embedder's answer. An error changes nothing.
    pub(crate) fn answer(&mut self, answer: SaslAnswer) -> Result<Step, UsageError> {
        match self {
            Self::Client(stage) => stage.answer(answer),
            Self::Server(stage) => stage.answer(answer),
        }
    }

    /// The mechanism that was chosen.
    pub(crate) const fn mechanism(&self) -> Option<&Symbol> {
        match self {
            Self::Client(stage) => stage.mechanism(),
            Self::Server(stage) => stage.mechanism(),
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

    fn ask() -> Self {
        Self {
            ask: true,
            ..Self::default()
        }
    }

    fn over(result: Result<(), SaslFailure>) -> Self {
        Self {
            outcome: Some(result),
            ..Self::default()
        }
    }

    fn fail(failure: SaslFailure) -> Self {
        Self::over(Err(failure))
    }

    fn protocol(text: &str) -> Self {
        Self::fail(SaslFailure::Protocol(text.into()))
    }
}

/// The embedder gave an answer to another question.
const WRONG_ANSWER: UsageError =
    UsageError::WrongState("this answer does not fit the SASL request; see SaslRequest");

/// A user name out of octets that a peer sent.
fn name(octets: Bytes) -> Option<Str> {
    Str::try_from(octets).ok()
}

/// What a peer says for people to read, without what could harm a terminal or fill a log.
fn readable(octets: &[u8]) -> String {
    const SHOWN: usize = 300;
    String::from_utf8_lossy(octets)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN)
        .collect()
}
