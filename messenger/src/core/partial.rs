//! What messages that are not complete hold, of all connections together.
//!
//! They count against no high-water mark, for only the rest of them makes room again, and each connection has limits of its own:
//! without a bound for all of them, who opens many connections could fill the memory. All of them may be waiting for their rest,
//! and so nobody is kept waiting for room here: who holds most is refused.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use ferrion_engine::protocol::{Condition, conditions};
use ferrion_engine::{LinkId, Time};

use super::Core;
use super::pool::ConnKey;

/// Connections by what their incomplete messages hold. Those with none are not there.
#[derive(Debug, Default)]
pub(super) struct Partials {
    by_octets: BTreeSet<(u64, u64)>,
    octets: u64,
}

impl Partials {
    /// What a connection holds is something else now.
    pub(super) fn change(&mut self, key: ConnKey, before: u64, after: u64) {
        if before > 0 {
            self.by_octets.remove(&(before, key.to_bits()));
        }
        if after > 0 {
            self.by_octets.insert((after, key.to_bits()));
        }
        self.octets = self.octets.saturating_sub(before).saturating_add(after);
    }

    /// The connection that holds most.
    fn largest(&self) -> Option<ConnKey> {
        let (_, bits) = self.by_octets.last()?;
        Some(ConnKey::from_bits(*bits))
    }
}

impl Core {
    /// Something came on a connection: if that is more than all of them may hold, who holds most is refused until it is not.
    pub(super) fn bound_partials(&mut self, key: ConnKey, now: Time) {
        while self.note_partial(key) > self.options.partial_octets
            && let Some(key) = self.pool.conns_and_partials().1.largest()
        {
            self.refuse_partials(key, now);
        }
    }

    /// Looks at what they hold on a connection. Answers what they hold on all.
    #[inline]
    fn note_partial(&mut self, key: ConnKey) -> u64 {
        let (conns, partials) = self.pool.conns_and_partials();
        if let Some(conn) = conns.get_mut(key) {
            let octets = conn.engine.partial_octets();
            if octets != conn.partial {
                let before = std::mem::replace(&mut conn.partial, octets);
                partials.change(key, before, octets);
            }
        }
        partials.octets
    }

    /// Ends links of a connection, those first on which most has come, until it holds half of what it did. To look at all of them
    /// for one that holds little would be work that costs the peer nothing.
    fn refuse_partials(&mut self, key: ConnKey, now: Time) {
        let most = self.options.partial_octets;
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let enough = conn.engine.partial_octets() / 2;
        let links: Vec<LinkId> = conn.links.keys().copied().collect();
        let held = links.into_iter().filter_map(|id| {
            let partial = conn.engine.receiver(id).ok()?.partial()?;
            Some((Reverse(partial.waiting), id))
        });
        let mut held: Vec<_> = held.collect();
        held.sort_unstable();
        let text = format!("incomplete messages of all connections have more than {most} octets");
        for (_, id) in held {
            if conn.engine.partial_octets() <= enough {
                break;
            }
            let condition =
                Condition::with_description(conditions::RESOURCE_LIMIT_EXCEEDED, text.clone());
            if let Ok(mut link) = conn.engine.receiver(id) {
                // It was found just now.
                let _ = link.refuse_partial(condition);
            }
        }
        let is_less = conn.engine.partial_octets() <= enough;
        let warning = format!("{} was refused, as it holds most: {text}", conn.endpoint);
        self.warn(warning);
        self.note_partial(key);
        if is_less {
            self.pool.touch(key);
        } else {
            // What is left belongs to links that are given up, or the connection itself is: it would be let go of a little later.
            self.lost(key, now, text);
        }
    }
}
