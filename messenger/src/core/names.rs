//! The links of connections, and where links are recovered those of peers by what they are called.
//!
//! A peer that comes back attaches its links one by one, by their names (2.6.1). Each is found by its name, however many links
//! and connections the peer has.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::ops::Deref;

use ferrion_engine::LinkId;
use ferrion_engine::codec::Str;
use ferrion_engine::protocol::Role;

use super::away::{Peer, is_link};
use super::pool::{Conn, ConnKey, Party, Pool, State};
use super::store::Origin;

/// The links of a connection. Only the [`Pool`] changes them, which knows them by their names as well.
#[derive(Debug, Default)]
pub(crate) struct Links(HashMap<LinkId, Party>);

impl Deref for Links {
    type Target = HashMap<LinkId, Party>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Links for which there is room whether there are so many or not.
const FEW: usize = 64;

/// A hash of whose link it is and what it is called, and a number that is higher for later links.
type Place = (u64, u64);

/// Links of peers by what they are called.
///
/// The names themselves are with the engines. Here are hashes, with a secret key: who chooses names does not choose those.
#[derive(Debug, Default)]
pub(super) struct Names {
    wanted: bool,
    key: RandomState,
    count: u64,
    links: BTreeMap<Place, Origin>,
    places: HashMap<Origin, Place>,
}

impl Names {
    fn hash(&self, is_kept: bool, peer: &Peer, (role, name): &(Role, Str)) -> u64 {
        let is_sender = *role == Role::Sender;
        self.key.hash_one((is_kept, peer, is_sender, name))
    }

    fn add(&mut self, conn: &mut Conn, origin: Origin) {
        // Nobody looks for links on connections of ours by their names.
        if !self.wanted || conn.line.is_some() {
            return;
        }
        let Some(peer) = Peer::of(conn) else {
            return;
        };
        let is_kept = conn.kept.is_some();
        let Ok(link) = conn.engine.link(origin.link) else {
            return;
        };
        let known = (link.role(), link.name());
        let place = (self.hash(is_kept, &peer, &known), self.count);
        self.count += 1;
        if let Some(before) = self.places.insert(origin, place) {
            self.links.remove(&before);
        }
        self.links.insert(place, origin);
    }

    fn remove(&mut self, origin: Origin) {
        if self.places.is_empty() {
            return;
        }
        if let Some(place) = self.places.remove(&origin) {
            self.links.remove(&place);
        }
        if self.places.capacity() > 4 * self.places.len().max(FEW) {
            // Room is not kept for as many as there once were.
            self.places.shrink_to(2 * self.places.len());
        }
    }
}

impl Pool {
    /// A connection has a link.
    pub(crate) fn add_link(&mut self, key: ConnKey, link: LinkId, party: Party) {
        let (conns, names) = self.conns_and_names();
        if let Some(conn) = conns.get_mut(key) {
            conn.links.0.insert(link, party);
            names.add(conn, Origin { conn: key, link });
        }
    }

    /// A connection does not have a link any more.
    pub(crate) fn remove_link(&mut self, key: ConnKey, link: LinkId) -> Option<Party> {
        let (conns, names) = self.conns_and_names();
        names.remove(Origin { conn: key, link });
        conns.get_mut(key)?.links.0.remove(&link)
    }

    /// A connection has no links any more. Answers which it had.
    pub(crate) fn take_links(&mut self, key: ConnKey) -> HashMap<LinkId, Party> {
        let (conns, names) = self.conns_and_names();
        let Some(conn) = conns.get_mut(key) else {
            return HashMap::new();
        };
        let links = std::mem::take(&mut conn.links.0);
        for link in links.keys() {
            names.remove(Origin {
                conn: key,
                link: *link,
            });
        }
        links
    }

    /// From now on links of peers are found by their names, those that are there already as well.
    pub(super) fn name_links(&mut self) {
        if std::mem::replace(&mut self.conns_and_names().1.wanted, true) {
            return;
        }
        for key in self.keys() {
            let (conns, names) = self.conns_and_names();
            if let Some(conn) = conns.get_mut(key) {
                let links: Vec<LinkId> = conn.links.keys().copied().collect();
                for link in links {
                    names.add(conn, Origin { conn: key, link });
                }
            }
        }
    }

    /// How many links are known by their names.
    #[cfg(test)]
    pub(super) fn named_links(&mut self) -> usize {
        let (_, names) = self.conns_and_names();
        assert_eq!(names.links.len(), names.places.len());
        names.links.len()
    }

    /// The connections on which a peer is and has a link of this name.
    pub(super) fn running_with(&mut self, peer: &Peer, known: &(Role, Str)) -> Vec<ConnKey> {
        let (conns, names) = self.conns_and_names();
        let hash = names.hash(false, peer, known);
        let mut found = Vec::new();
        for (_, origin) in names.links.range((hash, 0)..=(hash, u64::MAX)).rev() {
            let Origin { conn: key, link } = *origin;
            if let Some(conn) = conns.get_mut(key)
                && conn.state == State::Running
                && is_link(&mut conn.engine, link, known)
                && Peer::of(conn).as_ref() == Some(peer)
            {
                found.push(key);
            }
        }
        found
    }

    /// A link of this name that is kept for a peer: of several, the one that was kept first.
    pub(super) fn kept_with(
        &mut self,
        peer: &Peer,
        known: &(Role, Str),
    ) -> Option<(Origin, Party)> {
        let (conns, names) = self.conns_and_names();
        let hash = names.hash(true, peer, known);
        let mut named = names.links.range((hash, 0)..=(hash, u64::MAX));
        named.find_map(|(_, origin)| {
            let conn = conns.get_mut(origin.conn)?;
            let party = *conn.links.get(&origin.link)?;
            let same = is_link(&mut conn.engine, origin.link, known)
                && Peer::of(conn).as_ref() == Some(peer);
            same.then_some((*origin, party))
        })
    }
}
