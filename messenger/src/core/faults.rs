//! What went wrong last, by address: of connections of ours, of links on them, and of what is listened on.

use std::collections::{BTreeMap, HashMap};

use super::Core;
use super::address::Address;
use super::pool::{ConnKey, State};
use super::sender::SenderKey;
use crate::error::{Error, Result};

/// Addresses whose last fault is remembered; beyond it those that it happened to longest ago are forgotten.
const MAX_FAULTS: usize = 1024;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// With the number of the fault: later ones have larger ones.
    by_place: HashMap<String, (u64, Error)>,
    /// The same places by those numbers, so that the oldest is found.
    order: BTreeMap<u64, String>,
    count: u64,
}

impl Faults {
    /// How many faults there were so far.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn note(&mut self, place: String, error: &Error) {
        self.count += 1;
        let fault = (self.count, error.clone());
        if let Some((older, _)) = self.by_place.insert(place.clone(), fault) {
            self.order.remove(&older);
        }
        self.order.insert(self.count, place);
        if self.order.len() > MAX_FAULTS
            && let Some((_, place)) = self.order.pop_first()
        {
            self.by_place.remove(&place);
        }
    }

    /// The last fault there, if it is among those after the first `count`.
    pub(super) fn after(&self, count: u64, place: &str) -> Option<&Error> {
        let (number, error) = self.by_place.get(place)?;
        (*number > count).then_some(error)
    }

    /// The later one of what went wrong at two places.
    fn later(&self, one: &str, other: &str) -> Option<&Error> {
        let faults = [self.by_place.get(one), self.by_place.get(other)];
        let later = faults.into_iter().flatten().max_by_key(|fault| fault.0);
        later.map(|(_, error)| error)
    }
}

/// Where a connection for an address leads, or who listens listens: what connection faults are remembered by.
pub(super) fn place(address: &Address) -> String {
    address.endpoint().to_ascii_lowercase()
}

impl Core {
    /// A connection of ours failed. What peers opened is nobody's address.
    pub(super) fn note_lost(&mut self, key: ConnKey, error: &Error) {
        let line = self.pool.get(key).and_then(|conn| conn.line.as_ref());
        if let Some(line) = line {
            let place = place(line.asked());
            self.faults.note(place, error);
        }
    }

    /// A link ended, and not because everything is being closed.
    pub(super) fn note_detached(&mut self, key: ConnKey, node: Option<&str>, error: &Error) {
        let conn = self.pool.get(key);
        if conn.is_some_and(|conn| conn.state == State::Running) {
            self.note_link(key, node.unwrap_or_default(), error);
        }
    }

    /// A message cannot be sent by a link because of what it is.
    pub(super) fn note_unsendable(&mut self, key: SenderKey, error: &Error) {
        if let Some(sender) = self.senders.get(key) {
            let (conn, node) = (sender.conn, sender.node.clone());
            self.note_link(conn, &node, error);
        }
    }

    /// A link to or from a node failed.
    pub(super) fn note_link(&mut self, key: ConnKey, node: &str, error: &Error) {
        let line = self.pool.get(key).and_then(|conn| conn.line.as_ref());
        if let Some(line) = line {
            let place = format!("{}/{node}", place(line.asked()));
            self.faults.note(place, error);
        }
    }

    /// What went wrong last at an address.
    pub(crate) fn address_reason(&self, address: &str) -> Result<Option<&Error>> {
        let address = self.routed(address)?;
        let place = place(&address);
        let node = format!("{place}/{}", address.node());
        Ok(self.faults.later(&place, &node))
    }

    /// After how many milliseconds of silence the peer at an address gives up, if there is one and it said so.
    pub(crate) fn remote_idle_time_out(&self, address: &str) -> Result<Option<u32>> {
        let address = self.routed(address)?;
        let identity = self.identity_of(&address);
        let key = self.pool.find(&identity);
        let key = key.or_else(|| self.peer_named(&address));
        let key = key.or_else(|| self.pool.find_at(&address));
        Ok(key.and_then(|key| self.pool.get(key)?.peer_idle))
    }

    /// What an address means once the routes were applied.
    fn routed(&self, address: &str) -> Result<Address> {
        let routed = self.routes.apply(address).flatten();
        Address::parse(routed.as_deref().unwrap_or(address))
    }
}

#[cfg(test)]
mod tests {
    use super::{Faults, MAX_FAULTS};
    use crate::error::Error;

    #[test]
    fn the_last_fault_of_each_place_is_known_and_their_number_has_an_end() {
        let mut faults = Faults::default();
        for n in 0..3 {
            faults.note("a".to_owned(), &Error::Unsent { count: n });
        }
        assert_eq!(faults.after(2, "a"), Some(&Error::Unsent { count: 2 }));
        assert_eq!(faults.after(3, "a"), None);
        faults.note("a/b".to_owned(), &Error::EndOfQueue);
        assert_eq!(faults.later("a", "a/b"), Some(&Error::EndOfQueue));
        assert_eq!(faults.later("a", "a/c"), Some(&Error::Unsent { count: 2 }));
        for n in 0..MAX_FAULTS {
            faults.note(format!("p{n}"), &Error::InProgress);
        }
        assert_eq!(faults.later("a", "a/b"), None);
        assert_eq!(faults.after(0, "p0"), Some(&Error::InProgress));
        assert_eq!(
            (faults.by_place.len(), faults.order.len()),
            (MAX_FAULTS, MAX_FAULTS)
        );
    }
}
