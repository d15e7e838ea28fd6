//! Which peers are away, in the order in which they left, and how much is kept for each of those who answer for them.
//!
//! Peers come and go as often as they like: what one of them costs is not more for how many others are away.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::{Add, AddAssign, SubAssign};

use ferrion_engine::codec::Str;

use super::away::{Login, Peer};
use super::pool::ConnKey;
use crate::recovery::LinkRecovery;

/// Links that are kept, and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) links: usize,
    pub(super) octets: usize,
}

impl Load {
    /// Of one link.
    pub(super) const fn of(octets: usize) -> Self {
        Self { links: 1, octets }
    }

    const fn is_within(self, policy: &LinkRecovery) -> bool {
        self.links <= policy.max_links && self.octets <= policy.max_octets
    }

    /// How much of the room it takes, where as much as there is of the one counts as much as all of the other.
    fn share(self, policy: &LinkRecovery) -> u128 {
        let links = (self.links as u128).saturating_mul(policy.max_octets as u128);
        links.saturating_add((self.octets as u128).saturating_mul(policy.max_links as u128))
    }
}

impl Add for Load {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            links: self.links.saturating_add(more.links),
            octets: self.octets.saturating_add(more.octets),
        }
    }
}

impl AddAssign for Load {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

impl SubAssign for Load {
    fn sub_assign(&mut self, less: Self) {
        self.links = self.links.saturating_sub(less.links);
        self.octets = self.octets.saturating_sub(less.octets);
    }
}

/// A number that is higher for those who left later.
pub(super) type Place = u64;

/// What is kept for one login.
#[derive(Debug, Default)]
struct Share {
    load: Load,
    places: BTreeSet<Place>,
}

/// Connections that stand for peers that are away.
#[derive(Debug, Default)]
pub(crate) struct Absent {
    line: BTreeMap<Place, ConnKey>,
    next: Place,
    shares: HashMap<Login, Share>,
    load: Load,
    by_container: HashMap<Str, BTreeSet<Place>>,
    /// Those with links of ours, which go on wherever the peer is.
    expected: HashMap<Peer, BTreeSet<Place>>,
}

impl Absent {
    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Those who left longest ago come first.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &ConnKey> {
        self.line.values()
    }

    /// A peer is away.
    pub(super) fn add(&mut self, key: ConnKey, peer: &Peer) -> Place {
        let place = self.next;
        self.next += 1;
        self.line.insert(place, key);
        let share = self.shares.entry(peer.login.clone()).or_default();
        share.places.insert(place);
        let container = peer.container.clone();
        self.by_container
            .entry(container)
            .or_default()
            .insert(place);
        place
    }

    /// It is not any more, and so much was kept for it to the last.
    pub(super) fn remove(&mut self, place: Place, peer: &Peer, load: Load) {
        if self.line.remove(&place).is_none() {
            return;
        }
        self.unload(peer, load);
        if let Some(share) = self.shares.get_mut(&peer.login) {
            share.places.remove(&place);
            if share.places.is_empty() {
                self.shares.remove(&peer.login);
            }
        }
        remove(&mut self.by_container, &peer.container, place);
        remove(&mut self.expected, peer, place);
    }

    /// More is kept for a peer.
    pub(super) fn load(&mut self, peer: &Peer, load: Load) {
        if let Some(share) = self.shares.get_mut(&peer.login) {
            share.load += load;
            self.load += load;
        }
    }

    /// Less is kept for it.
    pub(super) fn unload(&mut self, peer: &Peer, load: Load) {
        if let Some(share) = self.shares.get_mut(&peer.login) {
            share.load -= load;
            self.load -= load;
        }
    }

    /// Whether there is room for so much more.
    pub(super) fn has_room(&self, load: Load, policy: &LinkRecovery) -> bool {
        (self.load + load).is_within(policy)
    }

    /// Who left longest ago of those for whose login most is kept, if so much more is for this one. `None` if that alone is more
    /// than what is kept for any other.
    pub(super) fn oldest_of_most(
        &self,
        login: &Login,
        load: Load,
        policy: &LinkRecovery,
    ) -> Option<ConnKey> {
        let shares = self.shares.iter().map(|(known, share)| {
            let more = if known == login {
                load
            } else {
                Load::default()
            };
            ((share.load + more).share(policy), &share.places)
        });
        let alone = load.share(policy);
        let most = shares
            .clone()
            .fold(alone, |most, (share, _)| most.max(share));
        let those = shares.filter(|(share, _)| *share == most);
        let oldest = those.filter_map(|(_, places)| places.first()).min()?;
        self.line.get(oldest).copied()
    }

    /// Links of ours are kept for a peer.
    pub(super) fn expect(&mut self, place: Place, peer: &Peer) {
        self.expected.entry(peer.clone()).or_default().insert(place);
    }

    /// Links of ours are not kept for it any more.
    pub(super) fn stop_expecting(&mut self, place: Place, peer: &Peer) {
        remove(&mut self.expected, peer, place);
    }

    /// Where links of ours are kept for a peer.
    pub(super) fn expecting(&self, peer: &Peer) -> Vec<ConnKey> {
        self.those(self.expected.get(peer)).collect()
    }

    /// Whether there are any.
    pub(super) fn expects(&self, peer: &Peer) -> bool {
        self.expected.contains_key(peer)
    }

    /// Those with this name.
    pub(super) fn of_container(&self, name: &str) -> impl Iterator<Item = ConnKey> {
        self.those(self.by_container.get(&Str::from(name)))
    }

    fn those<'a>(
        &'a self,
        places: Option<&'a BTreeSet<Place>>,
    ) -> impl Iterator<Item = ConnKey> + 'a {
        let places = places.into_iter().flatten();
        places.filter_map(|place| self.line.get(place).copied())
    }
}

fn remove<K: Eq + std::hash::Hash>(map: &mut HashMap<K, BTreeSet<Place>>, key: &K, place: Place) {
    if let Some(places) = map.get_mut(key) {
        places.remove(&place);
        if places.is_empty() {
            map.remove(key);
        }
    }
}
