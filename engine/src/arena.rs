//! A generational arena: flat storage whose ids go stale instead of dangling.

use alloc::vec::Vec;
use core::marker::PhantomData;

use crate::ids::Id;

/// Storage for objects of one kind, named by `I`.
///
/// Freed slots are reused most-recently-freed first, so that a steady coming and going of
/// deliveries stays within a few cache lines and never allocates.
#[derive(Debug)]
pub(crate) struct Arena<I, T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    kind: PhantomData<I>,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<I: Id, T> Arena<I, T> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            kind: PhantomData,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// All objects, in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        (0u32..).zip(&self.slots).filter_map(|(index, slot)| {
            let value = slot.value.as_ref()?;
            Some((I::pack(index, slot.generation), value))
        })
    }

    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> I {
        if let Some(index) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(index as usize)
            && let place @ None = &mut slot.value
        {
            *place = Some(value);
            return I::pack(index, slot.generation);
        }
        self.insert_behind(value)
    }

    /// Adds an object that is put together where it lies: `fill` completes what `make` begins.
    ///
    /// What was just written word by word is waited for when it is moved in larger pieces, and a hundred instructions could
    /// have been done meanwhile.
    #[inline(always)]
    pub(crate) fn insert_in_place(&mut self, make: impl Fn() -> T, fill: impl FnOnce(&mut T)) -> I {
        if let Some(index) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(index as usize)
            && let place @ None = &mut slot.value
        {
            *place = Some(make());
            if let Some(object) = place {
                fill(object);
            }
            return I::pack(index, slot.generation);
        }
        let id = self.insert_behind(make());
        if let Some(object) = self.get_mut(id) {
            fill(object);
        }
        id
    }

    #[cold]
    fn insert_behind(&mut self, value: T) -> I {
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        if self.slots.len() == self.slots.capacity() {
            // Twice as many each time, from one on: most connections have one session and few links, and what a vector takes
            // unasked, room for four, is more than all else that such a connection needs.
            self.slots.reserve_exact(self.slots.len().max(1));
        }
        self.slots.push(Slot {
            generation: 0,
            value: Some(value),
        });
        I::pack(index, 0)
    }

    #[inline]
    pub(crate) fn get(&self, id: I) -> Option<&T> {
        let slot = self.slots.get(id.index() as usize)?;
        if slot.generation == id.generation() {
            slot.value.as_ref()
        } else {
            None
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: I) -> Option<&mut T> {
        let slot = self.slots.get_mut(id.index() as usize)?;
        if slot.generation == id.generation() {
            slot.value.as_mut()
        } else {
            None
        }
    }

    /// Removes an object that nobody wants to look at any more: it is dropped where it lies, not moved.
    #[inline]
    pub(crate) fn discard(&mut self, id: I) {
        let _ = self.look_and_discard(id, |_| Some(((), true)));
    }

    /// Removes an object that was just added, and of whose id nobody was told: the next has that id.
    #[cold]
    pub(crate) fn take_back(&mut self, id: I) {
        if let Some(slot) = self.slots.get_mut(id.index() as usize)
            && slot.generation == id.generation()
            && slot.value.take().is_some()
        {
            self.free.push(id.index());
        }
    }

    /// Looks at an object for the last time, perhaps: what `look` answers is handed on, with whether to remove the object.
    #[inline]
    pub(crate) fn look_and_discard<R>(
        &mut self,
        id: I,
        look: impl FnOnce(&mut T) -> Option<(R, bool)>,
    ) -> Option<R> {
        let slot = self.slots.get_mut(id.index() as usize)?;
        if slot.generation != id.generation() {
            return None;
        }
        let (answer, over) = look(slot.value.as_mut()?)?;
        if over {
            slot.value = None;
            slot.generation = slot.generation.wrapping_add(1) & I::GENERATION_MASK;
            self.free.push(id.index());
        }
        Some(answer)
    }

    #[inline]
    pub(crate) fn remove(&mut self, id: I) -> Option<T> {
        let slot = self.slots.get_mut(id.index() as usize)?;
        if slot.generation != id.generation() {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1) & I::GENERATION_MASK;
        self.free.push(id.index());
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Arena;
    use crate::ids::LinkId;

    #[test]
    fn a_freed_id_is_stale_even_after_its_slot_is_reused() {
        let mut arena = Arena::<LinkId, u8>::new();
        let first = arena.insert(1);
        assert_eq!(arena.remove(first), Some(1));
        let second = arena.insert(2);
        assert_ne!(first, second);
        assert_eq!(arena.get(first), None);
        assert_eq!(arena.remove(first), None);
        assert_eq!(arena.get(second), Some(&2));
        arena.discard(first);
        assert_eq!(arena.len(), 1);
        arena.discard(second);
        arena.discard(second);
        assert_eq!((arena.get(second), arena.len()), (None, 0));
        let third = arena.insert(3);
        arena.take_back(third);
        arena.take_back(third);
        assert_eq!((arena.get(third), arena.len()), (None, 0));
        assert_eq!(arena.insert(4), third, "nobody was told of it");
    }
}
