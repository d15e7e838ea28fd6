//! Messages by whose they are: of which link they came, to which sender they were put.
//!
//! That is asked only where a link goes on, or ends with messages under way, and how often links do so is for peers to decide. So
//! it is written down when it is asked for, once for each message: what a link costs then is not more for the messages of
//! others. Who never asks pays nothing.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

/// Messages that may be written down whether there are so many or not.
const FEW: usize = 64;

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Index<K> {
    /// The numbers of messages: of those that were written down together, the older come first.
    numbers: HashMap<K, Vec<u64>>,
    /// Messages from this one on are not written down yet.
    next: u64,
    /// How many are, those included that are gone meanwhile.
    len: usize,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            next: 0,
            len: 0,
        }
    }
}

impl<K: Eq + Hash> Index<K> {
    /// Which of the messages that there are have to be written down.
    pub(crate) fn missing(&mut self, there: Range<u64>) -> Range<u64> {
        let from = self.next.clamp(there.start, there.end);
        self.next = there.end;
        from..there.end
    }

    pub(crate) fn add(&mut self, of: K, number: u64) {
        self.numbers.entry(of).or_default().push(number);
        self.len += 1;
    }

    /// Takes the numbers of whoever it is out, to look at the messages.
    pub(crate) fn take(&mut self, of: &K) -> Vec<u64> {
        let numbers = self.numbers.remove(of).unwrap_or_default();
        self.len -= numbers.len();
        numbers
    }

    /// Messages are of whoever it is from now on, or still.
    pub(crate) fn put(&mut self, of: K, numbers: Vec<u64>) {
        if numbers.is_empty() {
            return;
        }
        self.len += numbers.len();
        let known = self.numbers.entry(of).or_default();
        if known.is_empty() {
            *known = numbers;
        } else {
            known.extend(numbers);
        }
    }

    /// Whether most of what is written down is of messages that are gone, where there are so many.
    pub(crate) const fn is_stale(&self, there: usize) -> bool {
        self.len > FEW && self.len / 2 > there
    }

    /// Leaves only what is of messages that are there.
    pub(crate) fn retain(&mut self, is_there: impl Fn(u64) -> bool) {
        self.len = 0;
        self.numbers.retain(|_, numbers| {
            numbers.retain(|number| is_there(*number));
            numbers.shrink_to_fit();
            self.len += numbers.len();
            !numbers.is_empty()
        });
        self.numbers.shrink_to_fit();
    }

    /// Messages have other numbers from now on: all have to be written down anew.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::{FEW, Index};

    #[test]
    fn each_message_is_written_down_once() {
        let mut index: Index<char> = Index::default();
        assert_eq!(index.missing(1..4), 1..4);
        assert_eq!(index.missing(1..4), 4..4);
        // Some left, and others came.
        assert_eq!(index.missing(3..6), 4..6);
        assert_eq!(index.missing(9..12), 9..12);
        assert_eq!(index.missing(20..20), 20..20);
        index.clear();
        assert_eq!(index.missing(15..20), 15..20);
    }

    #[test]
    fn messages_are_found_by_whose_they_are_then() {
        let mut index = Index::default();
        for (of, number) in [('a', 1), ('b', 2), ('a', 3)] {
            index.add(of, number);
        }
        let numbers = index.take(&'a');
        assert_eq!(numbers, [1, 3]);
        assert_eq!(index.take(&'a'), []);
        index.put('c', numbers);
        index.add('c', 4);
        index.put('c', vec![5]);
        assert_eq!(index.take(&'c'), [1, 3, 4, 5]);
        assert_eq!(index.take(&'b'), [2]);
    }

    #[test]
    fn what_is_gone_takes_no_room_for_long() {
        let mut index = Index::default();
        for number in 0..10 * FEW as u64 {
            index.add(number % 7, number);
        }
        assert!(!index.is_stale(5 * FEW));
        assert!(index.is_stale(FEW));
        index.retain(|number| number >= 635);
        assert!(!index.is_stale(0));
        assert_eq!(index.numbers.len(), 5);
        index.retain(|_| false);
        assert!(index.numbers.capacity() == 0 && index.len == 0);
    }
}
