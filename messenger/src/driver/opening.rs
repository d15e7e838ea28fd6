//! Channels that are being opened: which of them there is something to be done about.
//!
//! Who connects and says nothing is looked at when its time is over, and costs the turns before that nothing.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::core::ConnKey;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Opening {
    /// When each is to be looked at at the latest: what its channel says.
    due: BTreeSet<(Instant, u64)>,
    /// Those of which the poll has news.
    told: Vec<ConnKey>,
}

impl Opening {
    /// A channel is to be looked at at another time than before, or not any more.
    pub(super) fn change(
        &mut self,
        conn: ConnKey,
        before: Option<Instant>,
        after: Option<Instant>,
    ) {
        if let Some(before) = before {
            self.due.remove(&(before, conn.to_bits()));
        }
        if let Some(after) = after {
            self.due.insert((after, conn.to_bits()));
        }
    }

    /// The poll has news of a channel.
    pub(super) fn tell(&mut self, conn: ConnKey) {
        self.told.push(conn);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.due.is_empty() && self.told.is_empty()
    }

    /// When a channel is to be looked at.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The channels that are to be looked at now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<ConnKey> {
        let mut conns = std::mem::take(&mut self.told);
        while let Some((at, conn)) = self.due.first().copied()
            && at <= now
        {
            self.due.pop_first();
            conns.push(ConnKey::from_bits(conn));
        }
        conns
    }
}
