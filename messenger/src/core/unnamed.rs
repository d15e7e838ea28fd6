//! Links whose answer names no source.
//!
//! A peer that refuses a link answers with an attach without the terminus that it does not make, and
//! detaches at once (2.6.3). But there are peers that leave it out of every answer. Credit given to a
//! refused link can cost the session, so such a link gets its credit when no detach has followed for
//! a while.

use std::collections::VecDeque;

use ferrion_engine::Time;
use ferrion_engine::protocol::Source;

use super::Core;
use super::pool::Party;
use super::store::Origin;

/// Milliseconds in which a refusal would have been followed by its detach.
const SUSPICION: u64 = 100;

/// Links that may have been refused, in the order of their times.
#[derive(Debug, Default)]
pub(super) struct Unnamed(VecDeque<(Time, Origin)>);

impl Unnamed {
    /// When the next one is to be looked at.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.0.front().map(|(at, _)| *at)
    }

    fn next_due(&mut self, now: Time) -> Option<Origin> {
        self.deadline().filter(|at| *at <= now)?;
        self.0.pop_front().map(|(_, origin)| origin)
    }
}

impl Core {
    /// A link of ours was answered without a source.
    pub(super) fn suspect(&mut self, origin: Origin, now: Time) {
        self.unnamed
            .0
            .push_back((Time(now.0.saturating_add(SUSPICION)), origin));
    }

    /// Gives those credit that were not refused after all.
    pub(super) fn trust_unnamed(&mut self, now: Time) {
        while let Some(origin) = self.unnamed.next_due(now) {
            let conn = self.pool.get(origin.conn);
            match conn.and_then(|conn| conn.links.get(&origin.link)).copied() {
                // A reply address that has no name is none.
                Some(Party::Replies) => self.replies_attached(origin.conn, None),
                Some(Party::Receiver(Some(source))) => {
                    self.source_attached(source, origin, Source::default());
                }
                Some(_) => self.credit.attach(origin, None),
                None => {}
            }
        }
    }
}
