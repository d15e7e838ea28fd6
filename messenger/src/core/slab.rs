//! Flat storage whose keys go stale instead of naming the next tenant.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// Names an object in a [`Slab`] of `T`. Once the object is removed the key finds nothing, for ever
/// (for 2^31 tenants of the same slot).
pub(crate) struct Key<T> {
    index: u32,
    generation: u32,
    kind: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    pub(crate) const fn index(self) -> usize {
        self.index as usize
    }

    /// The key as a number below 2^63 and never 0.
    pub(crate) const fn to_bits(self) -> u64 {
        (self.generation as u64 & 0x7fff_ffff) << 32 | self.index as u64
    }

    /// The key that [`to_bits`](Self::to_bits) gave. One of 0 finds nothing.
    pub(crate) const fn from_bits(bits: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "two halves of 64 bits")]
        let (index, generation) = (bits as u32, (bits >> 32) as u32);
        Self {
            index,
            generation,
            kind: PhantomData,
        }
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Key<T> {}
impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.index, self.generation) == (other.index, other.generation)
    }
}
impl<T> Eq for Key<T> {}
impl<T> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.to_bits());
    }
}
impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.index, self.generation)
    }
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    /// The objects lie apart: a place is kept for another one, and there may have been thousands.
    slots: Vec<(u32, Option<Box<T>>)>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn insert(&mut self, value: T) -> Key<T> {
        let kind = PhantomData;
        if let Some(index) = self.free.pop()
            && let Some((generation, slot)) = self.slots.get_mut(index as usize)
        {
            *slot = Some(Box::new(value));
            return Key {
                index,
                generation: *generation,
                kind,
            };
        }
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push((1, Some(Box::new(value))));
        Key {
            index,
            generation: 1,
            kind,
        }
    }

    #[inline]
    pub(crate) fn get(&self, key: Key<T>) -> Option<&T> {
        match self.slots.get(key.index()) {
            Some((generation, value)) if *generation == key.generation => value.as_deref(),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        match self.slots.get_mut(key.index()) {
            Some((generation, value)) if *generation == key.generation => value.as_deref_mut(),
            _ => None,
        }
    }

    pub(crate) fn remove(&mut self, key: Key<T>) -> Option<T> {
        let (generation, slot) = self.slots.get_mut(key.index())?;
        if *generation != key.generation {
            return None;
        }
        let value = *slot.take()?;
        // 31 bits, and never 0, so that the number of a key is never 0 either.
        *generation = (generation.wrapping_add(1) & 0x7fff_ffff).max(1);
        self.free.push(key.index);
        Some(value)
    }

    /// The live objects in slot order, the same on every run.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key<T>, &T)> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(index, (generation, value))| {
                let index = u32::try_from(index).ok()?;
                let key = Key {
                    index,
                    generation: *generation,
                    kind: PhantomData,
                };
                Some((key, value.as_deref()?))
            })
    }

    pub(crate) fn keys(&self) -> Vec<Key<T>> {
        self.iter().map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Slab};

    #[test]
    fn stale_keys_find_nothing() {
        let mut slab = Slab::new();
        let a = slab.insert('a');
        let b = slab.insert('b');
        assert_eq!(slab.remove(a), Some('a'));
        assert_eq!(slab.remove(a), None);
        let c = slab.insert('c');
        assert_eq!(c.index(), a.index());
        assert_eq!(
            (slab.get(a), slab.get(b), slab.get(c)),
            (None, Some(&'b'), Some(&'c'))
        );
        assert_eq!(Key::from_bits(c.to_bits()), c);
        assert_eq!(slab.keys(), [c, b]);
        assert_eq!(slab.len(), 2);
    }
}
