//! From delivery-ids to deliveries, for one session and one direction.
//!
//! Delivery-ids are dense and grow, so this is a deque of fixed pages and not a hash map. A page
//! whose deliveries are all settled is given up, so one old unsettled delivery pins one page and not
//! everything since; a ranged disposition costs what lives in the range, not the range.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use crate::seq::Seq;

const PAGE: u32 = 256;

#[derive(Debug)]
struct Page<I> {
    live: u32,
    slots: [Option<I>; PAGE as usize],
}

/// The unsettled deliveries of one session and direction.
#[derive(Debug)]
pub(crate) struct Unsettled<I> {
    /// The delivery-id of the first slot of the first page.
    base: Seq,
    pages: VecDeque<Option<Box<Page<I>>>>,
    /// One given-up page, kept so that steady traffic does not allocate.
    spare: Option<Box<Page<I>>>,
    live: u32,
}

impl<I: Copy> Unsettled<I> {
    pub(crate) const fn new() -> Self {
        Self {
            base: Seq(0),
            pages: VecDeque::new(),
            spare: None,
            live: 0,
        }
    }

    pub(crate) const fn len(&self) -> u32 {
        self.live
    }

    /// Remembers a delivery. Its id must not precede any that is remembered; `false` if it does.
    #[must_use]
    #[inline]
    pub(crate) fn insert(&mut self, number: Seq, delivery: I) -> bool {
        // Nearly always there is a page for it.
        if self.live > 0
            && let Some(offset) = number.checked_distance_from(self.base)
            && let (page, slot) = split(offset)
            && let Some(Some(page)) = self.pages.get_mut(page)
            && let Some(free @ None) = page.slots.get_mut(slot)
        {
            *free = Some(delivery);
            page.live += 1;
            self.live += 1;
            return true;
        }
        self.insert_on_new_page(number, delivery)
    }

    #[cold]
    fn insert_on_new_page(&mut self, number: Seq, delivery: I) -> bool {
        if self.live == 0 {
            // Nothing is pinned: begin anew at this page, whatever the gap, in the page that was the last.
            let page = self.pages.pop_back().flatten();
            self.pages.clear();
            self.pages.push_back(page);
            self.base = Seq(number.0 & !(PAGE - 1));
        }
        let Some(offset) = number.checked_distance_from(self.base) else {
            return false;
        };
        let (page, slot) = split(offset);
        while self.pages.len() <= page {
            // The page that was last may have been kept empty only because it was.
            if let Some(last) = self.pages.back_mut()
                && last.as_ref().is_some_and(|page| page.live == 0)
            {
                self.spare = last.take();
            }
            self.pages.push_back(None);
        }
        let Some(entry) = self.pages.get_mut(page) else {
            return false;
        };
        let page = match entry {
            Some(page) => page,
            None => {
                let fresh = || {
                    Box::new(Page {
                        live: 0,
                        slots: [None; PAGE as usize],
                    })
                };
                entry.insert(self.spare.take().unwrap_or_else(fresh))
            }
        };
        match page.slots.get_mut(slot) {
            Some(free @ None) => {
                *free = Some(delivery);
                page.live += 1;
                self.live += 1;
                true
            }
            _ => false,
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, number: Seq) -> Option<I> {
        let (index, slot) = split(number.checked_distance_from(self.base)?);
        let page = self.pages.get_mut(index)?.as_mut()?;
        let delivery = page.slots.get_mut(slot)?.take()?;
        page.live -= 1;
        self.live -= 1;
        if page.live == 0 {
            self.give_up(index);
        }
        Some(delivery)
    }

    /// Nothing lives on a page any more.
    #[cold]
    fn give_up(&mut self, index: usize) {
        // The last page is where the next delivery goes: it is kept even when it is empty.
        if index + 1 < self.pages.len()
            && let Some(page) = self.pages.get_mut(index)
        {
            self.spare = page.take();
            while self.pages.len() > 1 && matches!(self.pages.front(), Some(None)) {
                self.pages.pop_front();
                self.base = self.base.plus(PAGE);
            }
        }
    }

    /// The first live delivery at or after `from` and not after `last`, with its id.
    ///
    /// Stepping through a range with it costs what is live (and a look at each page), never the range.
    #[inline]
    pub(crate) fn next_in(&self, from: Seq, last: Seq) -> Option<(Seq, I)> {
        // Where all of a range lives, the next is the very first.
        if let Some(offset) = from.checked_distance_from(self.base)
            && let (page, slot) = split(offset)
            && let Some(Some(page)) = self.pages.get(page)
            && let Some(Some(delivery)) = page.slots.get(slot)
            && !last.precedes(from)
        {
            return Some((from, *delivery));
        }
        self.search(from, last)
    }

    /// As [`next_in`](Self::next_in); one that `is_settled` is forgotten by it.
    #[inline]
    pub(crate) fn next_to_hear(
        &mut self,
        from: Seq,
        last: Seq,
        is_settled: bool,
    ) -> Option<(Seq, I)> {
        if let Some(offset) = from.checked_distance_from(self.base)
            && let (index, slot) = split(offset)
            && let Some(Some(page)) = self.pages.get_mut(index)
            && let Some(entry) = page.slots.get_mut(slot)
            && let Some(delivery) = *entry
            && !last.precedes(from)
        {
            if is_settled {
                *entry = None;
                page.live -= 1;
                self.live -= 1;
                if page.live == 0 {
                    self.give_up(index);
                }
            }
            return Some((from, delivery));
        }
        let (number, delivery) = self.search(from, last)?;
        if is_settled {
            self.remove(number);
        }
        Some((number, delivery))
    }

    fn search(&self, from: Seq, last: Seq) -> Option<(Seq, I)> {
        // A range that begins before everything we remember begins, for us, at the base.
        let start = from.checked_distance_from(self.base).unwrap_or(0);
        let end = last.checked_distance_from(self.base)?;
        let (first_page, mut slot) = split(start);
        for (index, page) in self.pages.iter().enumerate().skip(first_page) {
            if let Some(page) = page {
                for (at, delivery) in page.slots.iter().enumerate().skip(slot) {
                    if let Some(delivery) = delivery {
                        let offset = join(index, at);
                        return (offset <= end).then(|| (self.base.plus(offset), *delivery));
                    }
                }
            }
            slot = 0;
            if join(index, 0) > end {
                return None;
            }
        }
        None
    }

    /// Every live delivery, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = I> {
        self.pages
            .iter()
            .flatten()
            .flat_map(|page| page.slots.iter().flatten().copied())
    }
}

const fn split(offset: u32) -> (usize, usize) {
    ((offset / PAGE) as usize, (offset % PAGE) as usize)
}

fn join(page: usize, slot: usize) -> u32 {
    u32::try_from(page * PAGE as usize + slot).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{PAGE, Unsettled};
    use crate::seq::Seq;
    use alloc::vec::Vec;

    fn range(map: &Unsettled<u32>, first: Seq, last: Seq) -> Vec<u32> {
        let mut found = Vec::new();
        let mut from = first;
        while let Some((number, delivery)) = map.next_in(from, last) {
            found.push(delivery);
            from = number.next();
        }
        found
    }

    #[test]
    fn ids_wrap_and_ranges_follow() {
        let mut map = Unsettled::new();
        let start = Seq(u32::MAX - 2);
        for n in 0..6 {
            assert!(map.insert(start.plus(n), n));
        }
        assert_eq!(range(&map, Seq(u32::MAX), Seq(1)), [2, 3, 4]);
        assert_eq!(map.remove(Seq(0)), Some(3));
        assert_eq!(map.remove(Seq(0)), None);
        assert_eq!(range(&map, start, Seq(100)), [0, 1, 2, 4, 5]);
        assert!(!map.insert(Seq(1), 9), "an id in use is refused");
        assert_eq!(map.len(), 5);
    }

    #[test]
    fn a_range_over_half_the_circle_costs_what_is_live() {
        let mut map = Unsettled::new();
        assert!(map.insert(Seq(10), 1) && map.insert(Seq(12), 2));
        assert_eq!(range(&map, Seq(0), Seq((1 << 31) - 1)), [1, 2]);
        assert_eq!(range(&map, Seq(u32::MAX - 5), Seq(11)), [1]);
        assert_eq!(range(&map, Seq(13), Seq(20)), []);
    }

    #[test]
    fn one_old_delivery_pins_one_page() {
        let mut map = Unsettled::new();
        assert!(map.insert(Seq(0), 0));
        for n in 1..100 * PAGE {
            assert!(map.insert(Seq(n), n));
            assert_eq!(map.remove(Seq(n)), Some(n));
        }
        assert_eq!(map.pages.iter().flatten().count(), 2);
        assert_eq!(map.remove(Seq(0)), Some(0));
        assert!(
            map.insert(Seq(7), 7),
            "after it went, any id may start anew"
        );
        assert_eq!(map.iter().collect::<Vec<_>>(), [7]);
    }
}
