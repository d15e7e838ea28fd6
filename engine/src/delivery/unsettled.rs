//! From delivery-ids to deliveries, for one session and one direction.
//!
//! Delivery-ids are dense and grow, so this is a deque of fixed pages and not a hash map. A page
//! whose deliveries are all settled is given up, so one old unsettled delivery pins one page and not
//! everything since; a ranged disposition costs what lives in the range, not the range.
//!
//! The peer chooses which ids its deliveries have and which of them stay unsettled. So that what is left of many ids is not
//! many places without a page, which every search would pass, pages that are old by that measure go into an ordered map; and
//! each page counts against what the connection may hold.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};

use crate::delivery::hearings::Hearings;
use crate::delivery::{Share, Sum};
use crate::seq::Seq;

const PAGE: u32 = 256;

/// How many ids there are.
const WRAP: u64 = 1 << 32;

/// What a page takes beside itself: its places in the deque, or in the map.
const BESIDE: usize = 96;

/// Places without a page that the deque may have beside one for each page and the page's own.
const PLACES: usize = 16;

/// Places that it may have however many of them have a page: a search passes those without one, for each frame that asks for it.
const MOST_PLACES: usize = 16 << 10;

#[derive(Debug)]
struct Page<I> {
    live: u32,
    slots: [Option<I>; PAGE as usize],
    /// What it counts for as long as it is here.
    _share: Option<Share>,
}

impl<I: Copy> Page<I> {
    /// Its first that is live at `start` or after it, if its first slot is `first`.
    fn first_from(&self, first: u64, start: u64) -> Option<(u64, I)> {
        let slot = usize::try_from(start.saturating_sub(first)).ok()?;
        let mut slots = (first..).zip(&self.slots).skip(slot);
        slots.find_map(|(at, delivery)| delivery.map(|delivery| (at, delivery)))
    }
}

/// The unsettled deliveries of one session and direction.
#[derive(Debug)]
pub(crate) struct Unsettled<I> {
    /// The delivery-id of the first slot of the first page. It counts on where ids wrap, so that what is older is less.
    base: u64,
    pages: VecDeque<Option<Box<Page<I>>>>,
    /// Places of `pages` that have a page.
    filled: usize,
    /// Pages before the base, by the delivery-ids of their first slots, which are counted as the base is. Each has a delivery.
    old: BTreeMap<u64, Box<Page<I>>>,
    /// One given-up page, kept so that steady traffic does not allocate.
    spare: Option<Box<Page<I>>>,
    /// Deliveries that were ever remembered, and that were forgotten again, in numbers that wrap.
    came: u32,
    went: u32,
    hearings: Hearings,
    /// Where its pages count, if the peer decides how many there are.
    sum: Option<Sum>,
}

impl<I: Copy> Unsettled<I> {
    /// What one more page counts.
    pub(crate) const PAGE_OCTETS: u64 = (size_of::<Page<I>>() + BESIDE) as u64;

    /// `sum`: where the pages count, if the peer decides how many there are.
    pub(crate) const fn new(sum: Option<Sum>) -> Self {
        Self {
            base: WRAP,
            pages: VecDeque::new(),
            filled: 0,
            old: BTreeMap::new(),
            spare: None,
            came: 0,
            went: 0,
            hearings: Hearings::new(),
            sum,
        }
    }

    #[inline]
    pub(crate) const fn len(&self) -> u32 {
        self.came.wrapping_sub(self.went)
    }

    /// How many deliveries the next disposition may tell of that does not settle them, where each that came pays for so many.
    pub(crate) fn may_hear(&mut self, each: u32) -> u64 {
        self.hearings.look(self.came, self.len(), each)
    }

    /// So much is left over of what it might tell of.
    pub(crate) fn heard(&mut self, left: u64) {
        self.hearings.leave(left);
    }

    /// Steps from the first slot of the first page, unless it lies before that.
    #[inline]
    const fn offset(&self, number: Seq) -> Option<u32> {
        number.checked_distance_from(wrapped(self.base))
    }

    /// The first slot of the oldest page there is, counted as the base is.
    fn oldest(&self) -> u64 {
        self.old.keys().next().map_or(self.base, |first| *first)
    }

    /// An id, counted as the base is. What is half the circle ahead of the oldest page lies before it.
    fn counted(&self, number: Seq) -> u64 {
        let oldest = self.oldest();
        match number.checked_distance_from(wrapped(oldest)) {
            Some(ahead) => oldest + u64::from(ahead),
            None => oldest - u64::from(wrapped(oldest).distance_from(number)),
        }
    }

    /// Remembers a delivery if there is a page for it, as there nearly always is.
    #[must_use]
    #[inline]
    pub(crate) fn insert_on_page(&mut self, number: Seq, delivery: I) -> bool {
        if let Some(offset) = self.offset(number)
            && let (page, slot) = split(offset)
            && let Some(Some(page)) = self.pages.get_mut(page)
            && let Some(free @ None) = page.slots.get_mut(slot)
        {
            *free = Some(delivery);
            page.live += 1;
            self.came = self.came.wrapping_add(1);
            return true;
        }
        false
    }

    /// Remembers a delivery. Its id must not precede any that is remembered; `false` if it does.
    #[must_use]
    #[inline]
    pub(crate) fn insert(&mut self, number: Seq, delivery: I) -> bool {
        self.insert_on_page(number, delivery) || self.insert_on_new_page(number, delivery)
    }

    #[cold]
    fn insert_on_new_page(&mut self, number: Seq, delivery: I) -> bool {
        let mut page = None;
        if self.len() == 0 {
            // Nothing is pinned: begin anew at this page, whatever the gap, in the page that was the last.
            page = self.pages.pop_back().flatten();
            self.pages.clear();
            self.filled = 0;
            self.base = WRAP + u64::from(number.0 & !(PAGE - 1));
        }
        let oldest = self.oldest();
        let last_slot = Seq(number.0 | (PAGE - 1));
        let reach = last_slot.checked_distance_from(wrapped(oldest));
        let (Some(_), Some(offset)) = (reach, self.offset(number)) else {
            return false;
        };
        let start = self.counted(number) & !u64::from(PAGE - 1);
        let (index, slot) = split(offset);
        if matches!(self.pages.get(index), Some(Some(_))) {
            return false;
        }
        // The page that was last may have been kept empty only because it was.
        if index >= self.pages.len()
            && let Some(last) = self.pages.back_mut()
            && last.as_ref().is_some_and(|page| page.live == 0)
        {
            self.spare = last.take();
            self.filled -= 1;
        }
        let places = self.put_aside_beyond(index + 1);
        let mut index = places - 1;
        if self.pages.is_empty() {
            self.base = start;
            index = 0;
        }
        while self.pages.len() <= index {
            self.pages.push_back(None);
        }
        page = page.or_else(|| self.spare.take());
        let mut page = page.unwrap_or_else(|| {
            let octets = size_of::<Page<I>>() + BESIDE;
            Box::new(Page {
                live: 0,
                slots: [None; PAGE as usize],
                _share: self.sum.as_ref().map(|sum| sum.share(octets)),
            })
        });
        let (Some(place), Some(free)) = (self.pages.get_mut(index), page.slots.get_mut(slot))
        else {
            return false;
        };
        *free = Some(delivery);
        page.live = 1;
        *place = Some(page);
        self.filled += 1;
        self.came = self.came.wrapping_add(1);
        true
    }

    /// Puts pages aside from the first on, until so many places are in proportion to the pages that are left, and the first place
    /// has one. Answers how many places that leaves.
    fn put_aside_beyond(&mut self, mut places: usize) -> usize {
        while let Some(first) = self.pages.front()
            && (first.is_none() || places > (PLACES + 2 * self.filled).min(MOST_PLACES))
        {
            self.put_aside();
            places -= 1;
        }
        places
    }

    /// The first page is found by the map from now on.
    fn put_aside(&mut self) {
        if let Some(Some(page)) = self.pages.pop_front() {
            self.filled -= 1;
            if page.live == 0 {
                self.spare = Some(page);
            } else {
                self.old.insert(self.base, page);
            }
        }
        self.base += u64::from(PAGE);
    }

    #[inline]
    pub(crate) fn remove(&mut self, number: Seq) -> Option<I> {
        let Some(offset) = self.offset(number) else {
            return self.remove_old(number);
        };
        let (index, slot) = split(offset);
        let page = self.pages.get_mut(index)?.as_mut()?;
        let delivery = page.slots.get_mut(slot)?.take()?;
        page.live -= 1;
        self.went = self.went.wrapping_add(1);
        if page.live == 0 {
            self.give_up(index);
        }
        Some(delivery)
    }

    #[cold]
    fn remove_old(&mut self, number: Seq) -> Option<I> {
        let (_, slot) = split(number.0);
        let start = self.counted(number) & !u64::from(PAGE - 1);
        let page = self.old.get_mut(&start)?;
        let delivery = page.slots.get_mut(slot)?.take()?;
        page.live -= 1;
        self.went = self.went.wrapping_add(1);
        if page.live == 0 {
            self.spare = self.old.remove(&start);
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
            self.filled -= 1;
            let places = self.put_aside_beyond(self.pages.len());
            // The room for many pages is not kept for few.
            if self.pages.capacity() > 4 * (PLACES + places) {
                self.pages.shrink_to(2 * (PLACES + places));
            }
        }
    }

    /// The first live delivery at or after `from` and not after `last`, with its id.
    ///
    /// Stepping through a range with it costs what is live (and a look at each page), never the range.
    #[inline]
    pub(crate) fn next_in(&self, from: Seq, last: Seq) -> Option<(Seq, I)> {
        // Where all of a range lives, the next is the very first.
        if let Some(offset) = self.offset(from)
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
        if let Some(offset) = self.offset(from)
            && let (index, slot) = split(offset)
            && let Some(Some(page)) = self.pages.get_mut(index)
            && let Some(entry) = page.slots.get_mut(slot)
            && let Some(delivery) = *entry
            && !last.precedes(from)
        {
            if is_settled {
                *entry = None;
                page.live -= 1;
                self.went = self.went.wrapping_add(1);
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
        if last.precedes(from) {
            return None;
        }
        let start = self.counted(from);
        let end = start + u64::from(last.distance_from(from));
        let found = |(at, delivery)| (at <= end).then(|| (wrapped(at), delivery));
        let page_start = start & !u64::from(PAGE - 1);
        for (first, page) in self.old.range(page_start..=end) {
            if let Some(first) = page.first_from(*first, start) {
                return found(first);
            }
        }
        // A range that begins before everything we remember begins, for us, at the base.
        let skipped = page_start.saturating_sub(self.base) / u64::from(PAGE);
        let mut first = self.base + skipped * u64::from(PAGE);
        for page in self.pages.iter().skip(usize::try_from(skipped).ok()?) {
            if first > end {
                return None;
            }
            if let Some(page) = page
                && let Some(first) = page.first_from(first, start)
            {
                return found(first);
            }
            first += u64::from(PAGE);
        }
        None
    }

    /// Every live delivery, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = I> {
        let recent = self.pages.iter().flatten();
        let pages = self.old.values().chain(recent);
        pages.flat_map(|page| page.slots.iter().flatten().copied())
    }
}

const fn split(offset: u32) -> (usize, usize) {
    ((offset / PAGE) as usize, (offset % PAGE) as usize)
}

/// The id that is counted so.
const fn wrapped(counted: u64) -> Seq {
    #[expect(clippy::cast_possible_truncation)]
    Seq(counted as u32)
}

#[cfg(test)]
mod tests {
    use super::{PAGE, Unsettled};
    use crate::delivery::Sum;
    use crate::seq::Seq;
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;
    use proptest::prelude::*;

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
        let mut map = Unsettled::new(None);
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

    /// One delivery stays, and so many that come after it are settled at once.
    fn one_behind(count: u32) -> Unsettled<u32> {
        let mut map = Unsettled::new(None);
        assert!(map.insert(Seq(0), 0));
        for id in 1..=count {
            assert!(map.insert(Seq(id), id));
            assert_eq!(map.remove(Seq(id)), Some(id));
        }
        map
    }

    #[test]
    fn a_range_that_begins_far_before_the_oldest_has_it() {
        let map = one_behind(100 * PAGE);
        assert_eq!(map.old.len(), 1);
        assert_eq!(range(&map, Seq((1 << 31) + 1), Seq(0)), [0]);
        assert_eq!(range(&map, Seq(0), Seq((1 << 31) - 1)), [0]);
        assert_eq!(range(&map, Seq(1), Seq(1 << 31)), []);
    }

    #[test]
    fn the_room_for_many_pages_is_not_kept_for_few() {
        const PAGES: u32 = 10_000;
        let mut map = Unsettled::new(None);
        for page in 0..PAGES {
            assert!(map.insert(Seq(page * PAGE), page));
        }
        assert!(map.pages.capacity() >= PAGES as usize);
        for page in 0..PAGES - 1 {
            assert_eq!(map.remove(Seq(page * PAGE)), Some(page));
        }
        assert!(map.pages.capacity() < 200, "{}", map.pages.capacity());
    }

    #[test]
    fn a_range_over_half_the_circle_costs_what_is_live() {
        let mut map = Unsettled::new(None);
        assert!(map.insert(Seq(10), 1) && map.insert(Seq(12), 2));
        assert_eq!(range(&map, Seq(0), Seq((1 << 31) - 1)), [1, 2]);
        assert_eq!(range(&map, Seq(u32::MAX - 5), Seq(11)), [1]);
        assert_eq!(range(&map, Seq(13), Seq(20)), []);
    }

    #[test]
    fn one_old_delivery_pins_one_page() {
        let mut map = Unsettled::new(None);
        assert!(map.insert(Seq(0), 0));
        for n in 1..100 * PAGE {
            assert!(map.insert(Seq(n), n));
            assert_eq!(map.remove(Seq(n)), Some(n));
        }
        assert_eq!(map.pages.iter().flatten().count() + map.old.len(), 2);
        assert_eq!(map.remove(Seq(0)), Some(0));
        assert!(
            map.insert(Seq(7), 7),
            "after it went, any id may start anew"
        );
        assert_eq!(map.iter().collect::<Vec<_>>(), [7]);
    }

    /// What a search may pass beside the pages that it looks at.
    fn places(map: &Unsettled<u32>) -> usize {
        map.pages.len()
    }

    #[test]
    fn old_deliveries_cost_a_page_each_and_no_place_for_what_went_since() {
        let sum = Sum::default();
        let mut map = Unsettled::new(Some(sum.clone()));
        let page = size_of::<super::Page<u32>>() as u64;
        // Ids a thousand pages apart, and dense ones between which nothing stays.
        let mut number = Seq(u32::MAX - 300 * 1_000 * PAGE);
        for n in 0..400 {
            assert!(map.insert(number, n));
            assert!(places(&map) <= 100, "{} places", places(&map));
            for _ in 0..300 {
                number = number.next();
                assert!(map.insert(number, u32::MAX));
                assert_eq!(map.remove(number), Some(u32::MAX));
            }
            number = number.plus(1_000 * PAGE);
        }
        let all: Vec<_> = (0..400).collect();
        assert_eq!(map.iter().collect::<Vec<_>>(), all);
        let before = number.plus(u32::MAX / 2 + 2);
        assert_eq!(range(&map, before, number), all);
        assert!(sum.octets() >= 400 * page && sum.octets() <= 403 * (page + 100));
        // Those in the middle go first: what there is room for shrinks with them.
        let mut from = before;
        let mut heard = Vec::new();
        while let Some((at, n)) = map.next_to_hear(from, number, true) {
            assert!(places(&map) <= 100);
            heard.push(n);
            from = at.next();
        }
        assert_eq!((heard, map.len()), (all, 0));
        assert!(map.old.is_empty() && sum.octets() <= 2 * (page + 100));
        drop(map);
        assert_eq!(sum.octets(), 0);
    }

    #[test]
    fn places_go_with_the_pages_they_were_in_proportion_to() {
        let mut map = Unsettled::new(None);
        for n in 0..1_000 * PAGE {
            assert!(map.insert(Seq(n), n));
        }
        assert_eq!(
            (places(&map), map.old.len()),
            (1_000, 0),
            "dense ids are found by index"
        );
        for n in 1..999 * PAGE {
            assert_eq!(map.remove(Seq(n)), Some(n));
        }
        assert!(places(&map) <= 20, "{} places", places(&map));
        assert_eq!(map.next_in(Seq(0), Seq(9)), Some((Seq(0), 0)));
        assert_eq!(
            map.next_in(Seq(1), Seq(999 * PAGE)),
            Some((Seq(999 * PAGE), 999 * PAGE))
        );
        assert_eq!(map.next_in(Seq(1), Seq(999 * PAGE - 1)), None);
        assert_eq!(map.remove(Seq(0)), Some(0));
        assert_eq!(map.remove(Seq(0)), None);
    }

    #[test]
    fn no_search_passes_more_places_than_a_frame_is_worth() {
        const PAGES: u32 = 3 * super::MOST_PLACES as u32;
        // One stays on each page of the first half, and none of the second but the last.
        let mut map = Unsettled::new(None);
        for n in 0..PAGES {
            assert!(map.insert(Seq(n * PAGE), n));
            assert!(places(&map) <= super::MOST_PLACES);
            if n > PAGES / 2 && n < PAGES - 1 {
                assert_eq!(map.remove(Seq(n * PAGE)), Some(n));
            }
        }
        let gap = Seq((PAGES / 2) * PAGE + 1);
        let last = Seq((PAGES - 1) * PAGE);
        assert_eq!(map.next_in(gap, last), Some((last, PAGES - 1)));
        let all: Vec<_> = (0..=PAGES / 2).chain([PAGES - 1]).collect();
        assert_eq!(range(&map, Seq(0), last), all);
        for n in all {
            assert_eq!(map.remove(Seq(n * PAGE)), Some(n));
        }
        assert_eq!(map.len(), 0);
    }

    #[test]
    fn half_the_circle_behind_is_too_old_for_anything_new() {
        let mut map = Unsettled::new(None);
        assert!(map.insert(Seq(5), 5));
        assert!(map.insert(Seq((1 << 31) - 1), 6));
        assert!(!map.insert(Seq(1 << 31), 7));
        assert_eq!(map.remove(Seq(5)), Some(5));
        assert!(map.insert(Seq(1 << 31), 7));
        assert_eq!(map.remove(Seq((1 << 31) - 1)), Some(6));
    }

    proptest! {
        #[test]
        fn it_is_what_a_map_of_counted_ids_would_be(
            start: u32,
            steps in prop::collection::vec((0u8..8, 0u32..2_000, any::<u16>()), 1..300),
        ) {
            let sum = Sum::default();
            let mut map = Unsettled::new(Some(sum.clone()));
            let mut model = BTreeMap::new();
            let mut newest = (1u64 << 32) + u64::from(start);
            let seq = |at: u64| super::wrapped(at);
            for (what, distance, pick) in steps {
                let some = (usize::from(pick) < model.len() * 4)
                    .then(|| model.keys().nth(usize::from(pick) % model.len().max(1)).copied())
                    .flatten()
                    .unwrap_or(newest);
                match what {
                    0..=2 => {
                        newest += u64::from(if what == 0 { distance * 100 } else { 1 + distance % 3 });
                        let is_new = !model.contains_key(&newest);
                        prop_assert_eq!(map.insert(seq(newest), pick.into()), is_new);
                        model.entry(newest).or_insert_with(|| u32::from(pick));
                    }
                    3 | 4 => {
                        let at = some + u64::from(distance % 2);
                        prop_assert_eq!(map.remove(seq(at)), model.remove(&at));
                    }
                    5 | 6 => {
                        let end = some + u64::from(distance) * 50;
                        let expected = model.range(some..=end).next().map(|(at, n)| (*at, *n));
                        let expected_seq = expected.map(|(at, n)| (seq(at), n));
                        prop_assert_eq!(map.next_in(seq(some), seq(end)), expected_seq);
                        let heard = map.next_to_hear(seq(some), seq(end), what == 6);
                        prop_assert_eq!(heard, expected_seq);
                        if what == 6 && let Some((at, _)) = expected {
                            model.remove(&at);
                        }
                    }
                    _ => {
                        let all: Vec<_> = model.values().copied().collect();
                        prop_assert_eq!(map.iter().collect::<Vec<_>>(), all);
                    }
                }
                prop_assert_eq!(map.len() as usize, model.len());
                prop_assert!(places(&map) <= super::PLACES + 2 * map.filled);
                let filled = map.pages.iter().flatten().count();
                prop_assert_eq!(map.filled, filled);
                let pages = filled + map.old.len() + usize::from(map.spare.is_some());
                let each = size_of::<super::Page<u32>>() + super::BESIDE;
                prop_assert_eq!(sum.octets(), (pages * each) as u64);
            }
        }
    }
}
