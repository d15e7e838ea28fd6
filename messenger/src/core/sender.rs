//! Senders: where messages wait for credit, one queue per node of one connection.

use std::collections::VecDeque;

use ferrion_engine::LinkId;
use ferrion_engine::codec::Str;

use super::detour::Detour;
use super::pool::ConnKey;
use super::slab::Key;
use super::store::Queued;

/// Names a sender.
pub(crate) type SenderKey = Key<Sender>;

/// Octets given to an engine before the socket must have taken them. What is more waits here, where
/// it counts against the high-water mark.
pub(crate) const HANDOVER: usize = 64 << 10;
/// What a frame adds to a message, about: with it an engine that was handed so much writes all of it at once, and queues nothing.
pub(crate) const FRAME: usize = 40;

/// Messages on their way to one node.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) conn: ConnKey,
    pub(crate) link: LinkId,
    /// Whether we attached it; what a peer asked for it may ask for again.
    pub(crate) ours: bool,
    /// The node at the peer.
    pub(crate) node: Str,
    /// There once a peer has sent it elsewhere.
    pub(crate) detour: Option<Box<Detour>>,
    /// The number of the last message that was put to it, or of the next one when the last request was made.
    pub(crate) last: u64,
    pub(crate) queue: VecDeque<Queued>,
    /// How many of the queue are requests that ended meanwhile. They count for nothing, and are taken
    /// out when they are the majority: finding each when it ends would cost more.
    pub(crate) struck: usize,
    /// Messages in the window that the peer has and did not answer.
    pub(crate) in_flight: usize,
    /// Messages sent settled whose octets the socket has not taken yet.
    pub(crate) unflushed: usize,
    /// Those among them that are in the window.
    pub(crate) sent_settled: Vec<u64>,
    /// Whether it stands in the line of those that may send, and in that of its connection.
    pub(crate) ready: bool,
    pub(crate) flushing: bool,
}

impl Sender {
    /// What the node is called where the link goes.
    pub(super) fn there(&self) -> &Str {
        let node = self.detour.as_ref().and_then(|detour| detour.node.as_ref());
        node.unwrap_or(&self.node)
    }

    /// Messages that wait for credit.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len() - self.struck
    }
}
