//! A map that nearly every link leaves empty.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

/// A map that takes the room of a pointer while nothing is in it.
#[derive(Debug)]
#[expect(
    clippy::box_collection,
    reason = "each of very many links has one, and it is seldom there"
)]
pub(crate) struct RareMap<K, V>(Option<Box<BTreeMap<K, V>>>);

impl<K, V> Default for RareMap<K, V> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K: Ord, V> RareMap<K, V> {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.0.as_ref()?.get(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.0.get_or_insert_default().insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let map = self.0.as_mut()?;
        let removed = map.remove(key);
        if map.is_empty() {
            self.0 = None;
        }
        removed
    }

    #[inline]
    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }
}
