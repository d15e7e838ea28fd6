//! What can go wrong, said so that a script's author knows what to do.

use std::io;

use ferrion_engine::codec::DecodeError;
use ferrion_engine::protocol::Condition;

use crate::fault::TlsFault;

/// The result of most calls.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything a [`Messenger`](crate::Messenger) can answer instead of success.
///
/// Errors that concern a connection or a message are also kept with the tracker of every message
/// they cost: see [`Messenger::reason`](crate::Messenger::reason).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address cannot be understood.
    #[error("{address:?} is not an address: {reason}")]
    InvalidAddress {
        /// The address, without its password.
        address: String,
        /// Which part, and what to write instead.
        reason: String,
    },
    /// A route or rewrite rule cannot be understood.
    #[error("the rule {pattern:?} is not valid: {reason}")]
    InvalidPattern {
        /// The rule.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No connection could be made.
    #[error(
        "cannot connect to {address}: {cause}; check the address and that the peer listens there"
    )]
    Connect {
        /// Where to.
        address: String,
        /// Why not.
        cause: String,
    },
    /// A connection could not be secured with TLS, or a listener cannot offer it.
    #[error("cannot secure {address} with TLS: {fault}")]
    Tls {
        /// Where to.
        address: String,
        /// Why not, and what to do.
        fault: TlsFault,
    },
    /// The peer does not speak AMQP over WebSocket, or not at this path.
    #[error("cannot speak AMQP over WebSocket with {address}: {cause}")]
    WebSocket {
        /// Where to.
        address: String,
        /// Why not, and what to do.
        cause: String,
    },
    /// A file with certificates or a key cannot be used.
    #[error("cannot use {file}: {cause}")]
    Certificate {
        /// The file.
        file: String,
        /// Why not, and what is wanted instead.
        cause: String,
    },
    /// A listening address cannot be listened on.
    #[error("cannot listen on {address}: {cause}; choose another address or port")]
    Listen {
        /// Where.
        address: String,
        /// Why not.
        cause: String,
    },
    /// A connection was lost, or broke the protocol.
    #[error("lost the connection to {address}: {cause}; {}", after_loss(.address))]
    Lost {
        /// Where to.
        address: String,
        /// How it ended.
        cause: String,
    },
    /// The peer refused the credentials, or offers no way to log in that may be used.
    #[error("cannot log in to {address}: {cause}")]
    Login {
        /// Where to.
        address: String,
        /// Why not, and what to do.
        cause: String,
    },
    /// The peer ended a connection, session or link, or refused a message, with a condition.
    #[error("{address}: the peer ended the {scope} with {}; {}", describe(.condition), advice(.condition))]
    Remote {
        /// What it ended.
        scope: Scope,
        /// Where to.
        address: String,
        /// The condition that the peer gave. If it ended a connection, a session or a link and has more than 4,096 octets, it
        /// is cut off there, without `info`.
        condition: Box<Condition>,
    },
    /// A blocking call did not finish in time. What it began goes on: call again to wait longer.
    #[error("timed out {waiting}; call again to wait longer, or raise the timeout")]
    Timeout {
        /// What was waited for.
        waiting: String,
    },
    /// A call in non-blocking mode is not finished. Call [`work`](crate::Messenger::work), then again.
    #[error("not finished yet; call work() and then this again")]
    InProgress,
    /// [`Interrupter::interrupt`](crate::Interrupter::interrupt) ended the call.
    #[error("interrupted; what the call began goes on: call again to wait for it")]
    Interrupted,
    /// `get` was called but nothing has been received.
    #[error("no message is waiting; call recv() first")]
    EndOfQueue,
    /// The outgoing queue is full.
    #[error(
        "{messages} messages ({octets} octets) wait to be sent already; call send() or work() until some have gone"
    )]
    Overflow {
        /// Messages that wait.
        messages: usize,
        /// Their octets.
        octets: usize,
    },
    /// The call makes no sense now.
    #[error("not possible now: {0}")]
    State(&'static str),
    /// The tracker is not one of this messenger's, or of the wrong direction.
    #[error(
        "the tracker names no message that this can be done to: it is of another messenger, or of put() where one of \
         get() is wanted, or its message has left the window; set a window large enough before put() or get()"
    )]
    UnknownTracker,
    /// A message cannot be encoded or decoded.
    #[error(
        "the message cannot be read: {0}; whoever made it must encode it as AMQP 1.0 says (part 3)"
    )]
    Decode(#[from] DecodeError),
    /// A message cannot be sent because of what it is.
    #[error("cannot send to {address}: {cause}")]
    Send {
        /// Where to.
        address: String,
        /// Why not.
        cause: String,
    },
    /// A subscription cannot be made as it is asked for.
    #[error("cannot receive from {address}: {cause}")]
    Subscribe {
        /// Where from.
        address: String,
        /// Why not, and what to do.
        cause: String,
    },
    /// `stop` had to give messages up.
    #[error(
        "{count} messages were not acknowledged in time and are given up; their trackers say ABORTED; raise the timeout \
         before stop(), or put them again if it does no harm that some may arrive twice"
    )]
    Unsent {
        /// How many.
        count: usize,
    },
    /// The operating system refused something that needs no peer.
    #[error("{what}: {cause}")]
    System {
        /// What was attempted.
        what: &'static str,
        /// The system's answer.
        cause: String,
    },
}

/// What kind of thing went wrong, for programs that decide by it. The numbers are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum ErrorKind {
    /// [`Error::InvalidAddress`]
    InvalidAddress = 1,
    /// [`Error::InvalidPattern`]
    InvalidPattern = 2,
    /// [`Error::Connect`]
    Connect = 3,
    /// [`Error::Listen`]
    Listen = 4,
    /// [`Error::Lost`]
    Lost = 5,
    /// [`Error::Login`]
    Login = 6,
    /// [`Error::Remote`]
    Remote = 7,
    /// [`Error::Timeout`]
    Timeout = 8,
    /// [`Error::InProgress`]
    InProgress = 9,
    /// [`Error::Interrupted`]
    Interrupted = 10,
    /// [`Error::EndOfQueue`]
    EndOfQueue = 11,
    /// [`Error::Overflow`]
    Overflow = 12,
    /// [`Error::State`]
    State = 13,
    /// [`Error::UnknownTracker`]
    UnknownTracker = 14,
    /// [`Error::Decode`]
    Decode = 15,
    /// [`Error::Send`]
    Send = 16,
    /// [`Error::Unsent`]
    Unsent = 17,
    /// [`Error::System`]
    System = 19,
    /// [`Error::Tls`]
    Tls = 20,
    /// [`Error::Certificate`]
    Certificate = 21,
    /// [`Error::WebSocket`]
    WebSocket = 22,
    /// [`Error::Subscribe`]
    Subscribe = 23,
}

impl Error {
    /// What kind of error it is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidAddress { .. } => ErrorKind::InvalidAddress,
            Self::InvalidPattern { .. } => ErrorKind::InvalidPattern,
            Self::Connect { .. } => ErrorKind::Connect,
            Self::Listen { .. } => ErrorKind::Listen,
            Self::Lost { .. } => ErrorKind::Lost,
            Self::Login { .. } => ErrorKind::Login,
            Self::Remote { .. } => ErrorKind::Remote,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::InProgress => ErrorKind::InProgress,
            Self::Interrupted => ErrorKind::Interrupted,
            Self::EndOfQueue => ErrorKind::EndOfQueue,
            Self::Overflow { .. } => ErrorKind::Overflow,
            Self::State(_) => ErrorKind::State,
            Self::UnknownTracker => ErrorKind::UnknownTracker,
            Self::Decode(_) => ErrorKind::Decode,
            Self::Send { .. } => ErrorKind::Send,
            Self::Unsent { .. } => ErrorKind::Unsent,
            Self::System { .. } => ErrorKind::System,
            Self::Tls { .. } => ErrorKind::Tls,
            Self::Certificate { .. } => ErrorKind::Certificate,
            Self::WebSocket { .. } => ErrorKind::WebSocket,
            Self::Subscribe { .. } => ErrorKind::Subscribe,
        }
    }

    /// Whether doing the same again later may succeed.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        if let Self::Tls { fault, .. } = self {
            // A certificate does not get better by trying again.
            return matches!(
                fault,
                TlsFault::TimedOut | TlsFault::Closed | TlsFault::Truncated
            );
        }
        matches!(
            self.kind(),
            ErrorKind::Connect
                | ErrorKind::Lost
                | ErrorKind::Timeout
                | ErrorKind::InProgress
                | ErrorKind::Interrupted
                | ErrorKind::EndOfQueue
                | ErrorKind::Overflow
        )
    }

    /// The condition that a peer gave, if that is what went wrong.
    #[must_use]
    pub fn condition(&self) -> Option<&Condition> {
        match self {
            Self::Remote { condition, .. } => Some(condition),
            _ => None,
        }
    }

    pub(crate) fn system(what: &'static str, cause: &io::Error) -> Self {
        Self::System {
            what,
            cause: cause.to_string(),
        }
    }
}

/// What a peer's condition ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// The connection, and everything on it.
    Connection,
    /// The session, and every link on it.
    Session,
    /// The link to or from one address.
    Link,
    /// One message.
    Message,
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connection => "connection",
            Self::Session => "session",
            Self::Link => "link",
            Self::Message => "delivery",
        })
    }
}

/// What to do about a lost connection. Those of ours have an address with a scheme, and who came by itself is only known
/// by where it came from.
fn after_loss(address: &str) -> &'static str {
    if address.contains("://") {
        "the next put or recv connects again"
    } else {
        "it had come by itself; put again when it is back"
    }
}

/// What to do about a condition.
fn advice(condition: &Condition) -> &'static str {
    match condition.condition.as_str() {
        "amqp:not-found" => "check the name after the host, or make such a node there",
        "amqp:unauthorized-access" => "log in as a user who may do this, or allow it there",
        "amqp:resource-limit-exceeded"
        | "amqp:resource-locked"
        | "amqp:resource-deleted"
        | "amqp:connection:forced"
        | "amqp:link:detach-forced" => "try again later, or ask whoever runs it",
        "amqp:connection:redirect" | "amqp:link:redirect" => {
            "put or subscribe to where it says that this is now"
        }
        "amqp:link:message-size-exceeded" => "send smaller messages, or allow larger ones there",
        "amqp:not-implemented" | "amqp:not-allowed" | "amqp:precondition-failed" => {
            "ask for something else, or for it in another way"
        }
        _ => "its log may say more",
    }
}

/// `condition: description`
pub(crate) fn describe(condition: &Condition) -> String {
    match &condition.description {
        Some(text) => format!("{}: {text}", condition.condition),
        None => condition.condition.to_string(),
    }
}
