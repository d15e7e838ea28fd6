//! Sources: where messages come from. A link to a node of a peer's, or an address listened on.

use ferrion_engine::LinkId;
use ferrion_engine::protocol::Source as Terminus;

use super::address::Address;
use super::detour::Detour;
use super::pool::ConnKey;
use super::slab::Key;
use crate::error::Error;
use crate::subscribe::{SubscribeOptions, Unsubscribe};

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
    pub(crate) options: SubscribeOptions,
    /// The name of its link, if that has to be the same whenever it is attached.
    pub(crate) link_name: Option<String>,
    pub(crate) state: SourceState,
    /// There once a peer has sent it elsewhere.
    pub(crate) detour: Option<Box<Detour>>,
    /// The source as the peer answered.
    pub(crate) answer: Option<Box<Terminus>>,
    /// Whether it ends, and how.
    pub(crate) parting: Option<Unsubscribe>,
    /// Whether its link is still there for what was let come, and is closed after that.
    pub(crate) drains: bool,
    /// Why it could not be listened on, or not be ended.
    pub(crate) error: Option<Error>,
}

impl Source {
    pub(crate) fn new(address: Address, options: SubscribeOptions, state: SourceState) -> Self {
        let link_name = options.link_name().map(str::to_owned);
        Self {
            address,
            options,
            link_name,
            state,
            detour: None,
            answer: None,
            parting: None,
            drains: false,
            error: None,
        }
    }

    /// Whether it ends, and the peer has to be told though there is no link: it may keep what it knows by its name.
    pub(super) fn must_tell(&self) -> bool {
        self.parting == Some(Unsubscribe::Close) && self.link_name.is_some()
    }

    /// Whether it ends, and is gone with its link.
    pub(super) fn ends_with_link(&self) -> bool {
        self.parting.is_some() && !self.must_tell()
    }

    /// What the node is called where the link goes.
    pub(super) fn there(&self) -> &str {
        let node = self.detour.as_ref().and_then(|detour| detour.node.as_ref());
        node.map_or_else(|| self.address.node(), |node| node.as_str())
    }
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
