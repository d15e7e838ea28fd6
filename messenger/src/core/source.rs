//! Sources: where messages come from. A link to a node of a peer's, or an address listened on.

use ferrion_engine::LinkId;

use super::address::Address;
use super::pool::ConnKey;
use super::slab::Key;
use crate::error::Error;

/// Names a source.
pub(crate) type SourceKey = Key<Source>;

/// Names what [`subscribe`](crate::Messenger::subscribe) made, for as long as the messenger lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subscription(pub(crate) SourceKey);

impl Subscription {
    /// The subscription as a plain number, never 0 and below 2^63.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0.to_bits()
    }

    /// The subscription that [`to_bits`](Self::to_bits) gave.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(SourceKey::from_bits(bits))
    }
}

/// What is known of a subscription.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) address: Address,
    pub(crate) state: SourceState,
    /// The address as the peer gave it, when it made the node up.
    pub(crate) remote_address: Option<String>,
    /// Why it could not be listened on.
    pub(crate) error: Option<Error>,
}

#[derive(Debug)]
pub(crate) enum SourceState {
    /// The driver has not opened the listening socket yet.
    Opening,
    /// Listening on this port.
    Listening(u16),
    /// A link on this connection, attached or about to be.
    Link(ConnKey, LinkId),
    /// Lost or refused. The next `recv` tries again.
    Broken,
}
