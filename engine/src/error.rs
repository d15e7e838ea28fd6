//! What can go wrong, by whose fault, and what it ends.
//!
//! - [`UsageError`] and [`SendError`]: the caller asked for something impossible. Nothing changed.
//! - [`Failure`]: the connection ended in a way that was not orderly, and why.
//! - `Fault` (internal): the peer broke a rule. It becomes a detach, an end or a close with the
//!   right condition at the narrowest scope (2.8.14), never an error of the caller's.

use alloc::string::String;
use core::fmt;

use crate::codec::{DecodeError, Str, Symbol};
use crate::ids::{LinkId, SessionId};
use crate::protocol::{Condition, Redirect, conditions};

/// The caller used the API in a way that cannot be carried out. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// The object this id named has ended.
    #[error("this id is stale: the object it named has ended; forget it")]
    StaleHandle,
    /// The id names another kind of object, or a link of the other role.
    #[error("this id names another kind of object; expected {expected}")]
    WrongKind {
        /// The kind that the call wanted.
        expected: &'static str,
    },
    /// The object is not in a state in which this can be done.
    #[error("not possible now: {0}")]
    WrongState(&'static str),
    /// No more objects of this kind fit; the peer or the configuration set the limit.
    #[error(
        "no room for another {what}: the limit is {limit}; end one first or negotiate a larger limit"
    )]
    LimitReached {
        /// What there is no room for.
        what: &'static str,
        /// The limit in force.
        limit: u32,
    },
    /// Our open is larger than the peer takes: 512 octets before its own open is known (2.4.1).
    #[error(
        "the open has {size} octets, the peer takes {limit} at most; shorten the properties, or open after the peer did"
    )]
    OpenTooLarge {
        /// Octets of the frame.
        size: usize,
        /// Octets the peer takes.
        limit: u32,
    },
    /// What the attach would say of source or target is not allowed (3.5.3, 3.5.4).
    #[error("the link's termini cannot be sent like this: {0}")]
    Terminus(&'static str),
    /// A link of this name and role exists already (2.6.1).
    #[error(
        "a link named {0:?} of this role exists already; choose another name or close that one"
    )]
    DuplicateLink(Str),
}

/// Why a message was not taken for sending. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The receiver has granted no credit that is not already spoken for (2.6.7).
    #[error("the receiver granted no credit; try again after the link's next Flow event")]
    NoCredit,
    /// The message is larger than the receiver takes on this link (2.7.3).
    #[error(
        "the message has {size} octets, the receiver takes {limit} at most; send a smaller one, or several that are \
         parts of it, or allow larger ones there"
    )]
    MessageTooLarge {
        /// Octets of the message.
        size: u64,
        /// Octets the peer's attach allowed.
        limit: u64,
    },
    /// A delivery-tag has at most 32 octets (2.8.7).
    #[error("the delivery-tag has {0} octets; 32 are allowed")]
    TagTooLong(usize),
    /// The delivery's state leaves no room for the message in the frames that the peer takes (2.7.1).
    #[error(
        "the delivery's state has {size} octets, the peer's frames have room for {limit}; use a smaller state"
    )]
    StateTooLarge {
        /// Octets of the state.
        size: usize,
        /// Octets there is room for.
        limit: usize,
    },
    /// The settle mode that was negotiated forbids it (2.8.2).
    #[error("the link's sender-settle-mode is {mode}; send that way")]
    SettleMode {
        /// The mode in force.
        mode: &'static str,
    },
    /// The API was misused.
    #[error(transparent)]
    Usage(#[from] UsageError),
}

/// Which side a failure came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This engine found the fault.
    Local,
    /// The peer reported it.
    Remote,
}

/// Why a connection ended in a way that was not orderly.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Failure {
    /// One side closed the connection with an error.
    Condition {
        /// Who found the error.
        origin: Origin,
        /// What the close carried.
        condition: Condition,
    },
    /// The protocol headers did not agree (2.2).
    Header(HeaderFailure),
    /// SASL ended without success.
    Sasl(SaslFailure),
    /// The transport ended before both closes were exchanged.
    TransportClosed,
    /// The peer did not finish the handshake, or answer our close, in time.
    HandshakeTimeout,
}

/// How the exchange of protocol headers failed (2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderFailure {
    /// The first octets were not a protocol header at all.
    NotAmqp([u8; 8]),
    /// The peer speaks another protocol id or version.
    Unsupported {
        /// 0 AMQP, 2 TLS, 3 SASL.
        id: u8,
        /// Major, minor, revision.
        version: [u8; 3],
    },
    /// The peer wants TLS first (raw TLS hello, or protocol id 2): wrap the transport and begin again.
    TlsRequested,
    /// The peer skipped SASL, which this engine requires.
    SaslRequired,
}

/// How authentication failed (5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaslFailure {
    /// The server refused the credentials. (On the server: this engine's embedder, or the mechanism, did.)
    Refused {
        /// What the server has against them, if the mechanism lets it say so (SCRAM, OAUTHBEARER, XOAUTH2).
        detail: Option<String>,
    },
    /// The server reported a failure of its own (`sys`, `sys-perm`, `sys-temp`); the last may pass.
    System {
        /// Whether trying again later may help (`sys-temp`).
        temporary: bool,
    },
    /// Client and server have no mechanism in common.
    NoCommonMechanism {
        /// What the server offered, separated by spaces.
        offered: String,
    },
    /// The server offers only mechanisms with which whoever reads the transport could log in later, and that was not allowed.
    ClearText {
        /// Those that the client could have used, separated by spaces.
        mechanisms: String,
    },
    /// The client's mechanism cannot be carried out with these credentials; the text says why.
    Credentials(&'static str),
    /// SCRAM: the server did not prove that it knows the password. It may be somebody else.
    Impostor,
    /// SCRAM: the server asks for fewer iterations than are safe, or for more than the client is willing to compute.
    Iterations {
        /// What it asks for.
        asked: u64,
        /// The fewest that are taken.
        least: u32,
        /// The most that are taken.
        most: u32,
    },
    /// A SASL frame of ours is larger than is allowed (5.3.1).
    FrameTooLarge {
        /// Octets of the frame.
        size: usize,
        /// Octets allowed.
        limit: u32,
    },
    /// The exchange does not come to an end.
    TooManyRounds {
        /// The limit in force.
        limit: u32,
    },
    /// Server: it was configured without a mechanism that it can carry out, and must offer one (5.3.3.1).
    NothingOffered,
    /// Client: the embedder gave the exchange up.
    Abandoned,
    /// The exchange broke the protocol.
    Protocol(String),
}

impl Failure {
    /// The error that a close carried, ours or the peer's. It knows where a peer redirected to
    /// ([`Condition::redirect`]), and whether it was only told to close ([`Condition::is_forced`]).
    #[must_use]
    pub const fn condition(&self) -> Option<&Condition> {
        match self {
            Self::Condition { condition, .. } => Some(condition),
            _ => None,
        }
    }

    /// The SASL failure behind this, if that is what it was.
    #[must_use]
    pub const fn as_sasl(&self) -> Option<&SaslFailure> {
        match self {
            Self::Sasl(failure) => Some(failure),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condition { origin, condition } => {
                match origin {
                    Origin::Local => f.write_str("the peer broke the protocol: ")?,
                    Origin::Remote => f.write_str("the peer closed the connection: ")?,
                }
                write!(f, "{}", condition.condition)?;
                if let Some(text) = &condition.description {
                    write!(f, ": {text}")?;
                }
                match condition.redirect() {
                    Some(elsewhere) if elsewhere != Redirect::default() => {
                        write!(f, "; connect to {elsewhere} instead")
                    }
                    _ => Ok(()),
                }
            }
            Self::Header(failure) => failure.fmt(f),
            Self::Sasl(failure) => failure.fmt(f),
            Self::TransportClosed => {
                f.write_str("the transport ended before the connection was closed")
            }
            Self::HandshakeTimeout => {
                f.write_str("the peer did not answer the handshake or the close in time")
            }
        }
    }
}

impl fmt::Display for HeaderFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAmqp(octets) => {
                write!(
                    f,
                    "the peer does not speak AMQP: it began with \"{}\"",
                    octets.escape_ascii()
                )
            }
            Self::Unsupported {
                id,
                version: [major, minor, revision],
            } => write!(
                f,
                "the peer speaks protocol id {id} version {major}.{minor}.{revision}, not AMQP 1.0.0"
            ),
            Self::TlsRequested => f.write_str("the peer wants TLS before AMQP"),
            Self::SaslRequired => f.write_str("the peer skipped SASL, which is required here"),
        }
    }
}

impl fmt::Display for SaslFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { detail: None } => {
                f.write_str(
                "authentication failed: the credentials were refused; check the user, its secret and what it may do",
            )
            }
            Self::Refused { detail: Some(why) } => {
                write!(f, "authentication failed: the credentials were refused: {why}")
            }
            Self::System { temporary: true } => {
                f.write_str("authentication failed: the server cannot check now; try again later")
            }
            Self::System { temporary: false } => {
                f.write_str("authentication failed: the server reported an error of its own")
            }
            Self::NoCommonMechanism { offered } => write!(
                f,
                "authentication failed: no SASL mechanism in common; the server offers [{offered}]"
            ),
            Self::ClearText { mechanisms } => write!(
                f,
                "authentication failed: the server takes only [{mechanisms}], which would show the secret to whoever \
                 reads along; use TLS, or allow clear text if the network is trusted"
            ),
            Self::Credentials(text) => write!(f, "authentication failed: {text}"),
            Self::Impostor => f.write_str(
                "authentication failed: the server did not prove that it knows the password; do not trust it",
            ),
            Self::Iterations { asked, least, most } => write!(
                f,
                "authentication failed: the server asks for {asked} iterations of SCRAM, {least} to {most} are allowed; \
                 store the password anew at the server, or change the bounds"
            ),
            Self::FrameTooLarge { size, limit } => write!(
                f,
                "authentication failed: a SASL frame has {size} octets, {limit} are allowed; use a shorter secret, or \
                 raise sasl_frame_size at both sides"
            ),
            Self::TooManyRounds { limit } => write!(
                f,
                "authentication failed: no end after {limit} rounds; the peer's mechanism is broken, or raise sasl_rounds"
            ),
            Self::NothingOffered => f.write_str(
                "authentication failed: this server has no SASL mechanism to offer; configure one that it can carry out",
            ),
            Self::Abandoned => f.write_str("authentication failed: this side gave up"),
            Self::Protocol(text) => write!(f, "authentication failed: {text}"),
        }
    }
}

impl core::error::Error for Failure {}
impl core::error::Error for HeaderFailure {}
impl core::error::Error for SaslFailure {}

/// The object that a peer's fault ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Connection,
    Session(SessionId),
    Link(LinkId),
}

/// A rule that the peer broke: what it ends, and with which condition.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) scope: Scope,
    pub(crate) condition: Condition,
}

impl Fault {
    pub(crate) fn new(scope: Scope, condition: Symbol, description: impl Into<Str>) -> Self {
        let mut condition = Condition::new(condition);
        condition.description = Some(description.into());
        Self { scope, condition }
    }

    pub(crate) fn connection(condition: Symbol, description: impl Into<Str>) -> Self {
        Self::new(Scope::Connection, condition, description)
    }

    pub(crate) fn session(id: SessionId, condition: Symbol, description: impl Into<Str>) -> Self {
        Self::new(Scope::Session(id), condition, description)
    }

    pub(crate) fn link(id: LinkId, condition: Symbol, description: impl Into<Str>) -> Self {
        Self::new(Scope::Link(id), condition, description)
    }

    /// A frame body that cannot be decoded, and belongs to nothing smaller than the connection.
    pub(crate) fn decode(what: &'static str, error: &DecodeError) -> Self {
        let text = alloc::format!("{what}: {error}");
        Self::connection(conditions::DECODE_ERROR, text)
    }
}
