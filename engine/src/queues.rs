//! Queues that share their storage.

use alloc::vec::Vec;

/// The number of no place.
const NOWHERE: u32 = u32::MAX;
/// Places that are kept though nothing is in any.
const MOST_KEPT: usize = 256;

/// The storage of many queues.
///
/// What one queue gave up is what the next one takes, most-recently-freed first: queues that fill and empty in turn go through the
/// same few cache lines, however many there are. The storage is as large as all of them ever were at once, until
/// [`shrink`](Self::shrink) finds them empty.
#[derive(Debug)]
pub(crate) struct Queues<T> {
    places: Vec<Place<T>>,
    /// How many of the places are taken.
    taken: u32,
    /// The first free place; each names the next one.
    free: u32,
}

#[derive(Debug)]
struct Place<T> {
    value: Option<T>,
    /// Behind it in its queue, or among the free places. Means nothing in the last of a queue.
    next: u32,
    /// Before it in its queue. Means nothing in the first.
    before: u32,
}

/// One queue; its storage is lent for each step. To be emptied before it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    first: u32,
    last: u32,
    len: u32,
}

impl Queue {
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }
}

impl<T> Queues<T> {
    pub(crate) const fn new() -> Self {
        Self {
            places: Vec::new(),
            taken: 0,
            free: NOWHERE,
        }
    }

    /// Adds at the end.
    // Inlined, as what is put together for it would be moved once more otherwise.
    #[inline(always)]
    pub(crate) fn push(&mut self, queue: &mut Queue, value: T) {
        let index = if let Some(place) = self.places.get_mut(self.free as usize)
            && let empty @ None = &mut place.value
        {
            *empty = Some(value);
            core::mem::replace(&mut self.free, place.next)
        } else {
            self.push_behind(value)
        };
        let before = core::mem::replace(&mut queue.last, index);
        if queue.len == 0 {
            queue.first = index;
        } else if let Some(last) = self.places.get_mut(before as usize) {
            last.next = index;
        }
        queue.len += 1;
        self.taken += 1;
        if let Some(place) = self.places.get_mut(index as usize) {
            place.before = before;
        }
    }

    #[cold]
    fn push_behind(&mut self, value: T) -> u32 {
        let index = u32::try_from(self.places.len()).unwrap_or(NOWHERE);
        if self.places.len() == self.places.capacity() {
            // From one on, as in an arena: on most connections little waits.
            self.places.reserve_exact(self.places.len().max(1));
        }
        self.places.push(Place {
            value: Some(value),
            next: NOWHERE,
            before: NOWHERE,
        });
        index
    }

    #[inline]
    pub(crate) fn front(&self, queue: &Queue) -> Option<&T> {
        if queue.len == 0 {
            return None;
        }
        self.places.get(queue.first as usize)?.value.as_ref()
    }

    // Inlined, as what it answers would be moved once more otherwise.
    #[inline(always)]
    pub(crate) fn pop(&mut self, queue: &mut Queue) -> Option<T> {
        if queue.len == 0 {
            return None;
        }
        let index = queue.first;
        let place = self.places.get_mut(index as usize)?;
        queue.first = core::mem::replace(&mut place.next, self.free);
        queue.len -= 1;
        self.taken -= 1;
        self.free = index;
        place.value.take()
    }

    /// Gives storage back that was made for many, where all queues are empty.
    pub(crate) fn shrink(&mut self) {
        if self.taken == 0 && self.places.len() > MOST_KEPT {
            *self = Self::new();
        }
    }

    /// All of a queue, in order.
    pub(crate) fn iter(&self, queue: &Queue) -> impl Iterator<Item = &T> {
        let mut next = queue.first;
        (0..queue.len).filter_map(move |_| {
            let place = self.places.get(next as usize)?;
            next = place.next;
            place.value.as_ref()
        })
    }

    /// Does something to the last ones of a queue, the last first.
    pub(crate) fn for_last(&mut self, queue: &Queue, count: usize, mut change: impl FnMut(&mut T)) {
        let mut index = queue.last;
        for _ in 0..count.min(queue.len()) {
            let Some(place) = self.places.get_mut(index as usize) else {
                return;
            };
            index = place.before;
            if let Some(value) = &mut place.value {
                change(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Queue, Queues};
    use alloc::collections::VecDeque;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn queues_that_share_storage_are_as_queues_of_their_own(
            steps in prop::collection::vec((0usize..3, any::<bool>(), 0usize..4), 0..200),
        ) {
            let mut storage = Queues::new();
            let mut queues = [Queue::default(), Queue::default(), Queue::default()];
            let mut expected = [const { VecDeque::new() }; 3];
            for (number, (which, pushes, last)) in steps.into_iter().enumerate() {
                let (queue, own) = (&mut queues[which], &mut expected[which]);
                if pushes {
                    storage.push(queue, number);
                    own.push_back(number);
                } else {
                    prop_assert_eq!(storage.front(queue), own.front());
                    prop_assert_eq!(storage.pop(queue), own.pop_front());
                }
                storage.for_last(queue, last, |value| *value += 1000);
                own.iter_mut().rev().take(last).for_each(|value| *value += 1000);
                prop_assert_eq!(queue.len(), own.len());
                let all: Vec<_> = storage.iter(queue).collect();
                prop_assert_eq!(all, own.iter().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn queues_that_take_turns_use_the_same_places() {
        let mut storage = Queues::new();
        for _ in 0..100 {
            let mut queue = Queue::default();
            for value in 0..10 {
                storage.push(&mut queue, value);
            }
            while storage.pop(&mut queue).is_some() {}
        }
        assert_eq!(storage.places.len(), 10);
    }

    #[test]
    fn storage_made_for_many_is_given_back_once_all_are_empty() {
        let mut storage = Queues::new();
        let mut queues = [Queue::default(), Queue::default()];
        for value in 0..1000 {
            storage.push(&mut queues[value % 2], value);
        }
        while storage.pop(&mut queues[0]).is_some() {}
        storage.shrink();
        assert_eq!(storage.front(&queues[1]), Some(&1));
        while storage.pop(&mut queues[1]).is_some() {}
        storage.shrink();
        assert_eq!(storage.places.capacity(), 0);
        storage.push(&mut queues[0], 7);
        assert_eq!(storage.pop(&mut queues[0]), Some(7));
    }
}
