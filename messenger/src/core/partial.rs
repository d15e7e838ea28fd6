//! What messages that are not complete hold, of all connections together that listeners accepted.
//!
//! They count against no high-water mark, for only the rest of them makes room again, and each connection has limits of its own:
//! without a bound for all of them, who opens many connections could fill the memory. All of them may be waiting for their rest,
//! and so nobody is kept waiting for room here: who holds most is refused, which need not be who attacks. Connections that this
//! side asked for do not count: there are as many of them as it chose, and strangers are to end none.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use ferrion_engine::protocol::{Condition, conditions};
use ferrion_engine::{LinkId, Time};

use super::Core;
use super::pool::{Conn, ConnKey, Pool, State};

/// What incomplete messages hold on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Partial {
    /// Whether nothing more comes of them. Those are given up before anybody is refused, however little they hold.
    is_over: bool,
    octets: u64,
}

impl Partial {
    fn of(conn: &Conn) -> Self {
        if conn.listener.is_none() {
            return Self::default();
        }
        Self {
            is_over: matches!(conn.state, State::Over(_)) || conn.engine.failure().is_some(),
            octets: conn.engine.partial_octets(),
        }
    }
}

/// Connections by what their incomplete messages hold. Those with none are not there.
#[derive(Debug, Default)]
pub(super) struct Partials {
    by_octets: BTreeSet<(Partial, u64)>,
    octets: u64,
}

impl Partials {
    /// What a connection holds is something else now.
    pub(super) fn change(&mut self, key: ConnKey, before: Partial, after: Partial) {
        if before.octets > 0 {
            self.by_octets.remove(&(before, key.to_bits()));
        }
        if after.octets > 0 {
            self.by_octets.insert((after, key.to_bits()));
        }
        self.octets = self.octets.saturating_sub(before.octets);
        self.octets = self.octets.saturating_add(after.octets);
    }

    /// Who is to give up what it holds: a connection that is over, or that holds most.
    fn first(&self) -> Option<(ConnKey, Partial)> {
        let (partial, bits) = self.by_octets.last()?;
        Some((ConnKey::from_bits(*bits), *partial))
    }
}

impl Pool {
    /// Looks at what incomplete messages hold on a connection. Answers whether that is something else than it was.
    #[inline]
    pub(super) fn note_partial(&mut self, key: ConnKey) -> bool {
        let (conns, partials) = self.conns_and_partials();
        let Some(conn) = conns.get_mut(key) else {
            return false;
        };
        let partial = Partial::of(conn);
        let before = std::mem::replace(&mut conn.partial, partial);
        if partial != before {
            partials.change(key, before, partial);
        }
        partial != before
    }
}

impl Core {
    /// Something came on a connection: if that is more than all of them may hold, who holds most is refused until it is not.
    pub(super) fn bound_partials(&mut self, key: ConnKey, now: Time) {
        self.pool.note_partial(key);
        loop {
            let (_, partials) = self.pool.conns_and_partials();
            if partials.octets <= self.options.all_partial_octets {
                return;
            }
            let Some((key, partial)) = partials.first() else {
                return;
            };
            // It may have been dropped for another reason since something came there.
            if self.pool.note_partial(key) {
                continue;
            }
            if partial.is_over {
                self.lost(key, now, "nothing more comes".to_owned());
            } else {
                self.refuse_partials(key, now);
            }
        }
    }

    /// Ends links of a connection, those first on which most has come, until it holds half of what it did. To look at all of them
    /// for one that holds little would be work that costs the peer nothing.
    fn refuse_partials(&mut self, key: ConnKey, now: Time) {
        let most = self.options.all_partial_octets;
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
        let text = format!("incomplete messages of all that came in have more than {most} octets");
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
        self.pool.note_partial(key);
        if is_less {
            self.pool.touch(key);
        } else {
            // What is left belongs to links that are given up, or the connection itself is: it would be let go of a little later.
            self.lost(key, now, text);
        }
    }
}
