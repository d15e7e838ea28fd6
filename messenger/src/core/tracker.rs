//! Trackers and windows: how a script asks later what became of a message.

use std::collections::VecDeque;
use std::fmt;

/// Names a message that was `put` or that `get` gave, within the window of its direction.
///
/// Trackers of one direction count upwards and are never reused, so that a stale one can only
/// answer [`Status::Unknown`], never speak of another message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tracker(u64);

/// The bit that tells incoming trackers from outgoing ones. The top bit stays clear, so that a
/// language without unsigned numbers keeps trackers positive.
const INCOMING: u64 = 1 << 62;

impl Tracker {
    pub(crate) const fn outgoing(sequence: u64) -> Self {
        Self(sequence & (INCOMING - 1))
    }

    pub(crate) const fn incoming(sequence: u64) -> Self {
        Self(sequence & (INCOMING - 1) | INCOMING)
    }

    /// Whether it names a received message.
    #[must_use]
    pub const fn is_incoming(self) -> bool {
        self.0 & INCOMING != 0
    }

    pub(crate) const fn sequence(self) -> u64 {
        self.0 & (INCOMING - 1)
    }

    /// The tracker as a plain number, never 0 and below 2^63.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The tracker that [`to_bits`](Self::to_bits) gave; `None` for numbers it never gives.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        if bits & (INCOMING - 1) == 0 || bits >> 63 != 0 {
            return None;
        }
        Some(Self(bits))
    }
}

impl fmt::Debug for Tracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.is_incoming() {
            "incoming"
        } else {
            "outgoing"
        };
        write!(f, "Tracker({direction} {})", self.sequence())
    }
}

/// What became of a message. The numbers are part of the interface and do not change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Status {
    /// The tracker is outside its window, was settled and forgotten, or never was.
    #[default]
    Unknown = 0,
    /// No outcome yet.
    Pending = 1,
    /// The receiver accepted it.
    Accepted = 2,
    /// The receiver rejected it as invalid.
    Rejected = 3,
    /// The receiver gave it back, untouched.
    Released = 4,
    /// The receiver gave it back, with changes to its annotations or delivery count.
    Modified = 5,
    /// It was not sent, or its fate cannot be known any more: connection or link ended first.
    Aborted = 6,
    /// The other side settled it without saying how it ended.
    Settled = 7,
}

impl Status {
    /// Whether there is nothing more to wait for.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Unknown | Self::Pending)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "UNKNOWN",
            Self::Pending => "PENDING",
            Self::Accepted => "ACCEPTED",
            Self::Rejected => "REJECTED",
            Self::Released => "RELEASED",
            Self::Modified => "MODIFIED",
            Self::Aborted => "ABORTED",
            Self::Settled => "SETTLED",
        })
    }
}

/// How `accept`, `reject`, `release`, `modify` and `settle` understand their tracker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u32);

impl Flags {
    /// The message of the tracker only.
    pub const NONE: Self = Self(0);
    /// That message and every earlier one in the window that has no outcome yet.
    pub const CUMULATIVE: Self = Self(1);

    /// Whether every flag of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags as a plain number.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Flags from a plain number; `None` if a bit is set that means nothing.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits > 1 { None } else { Some(Self(bits)) }
    }
}

/// Messages for which a window keeps the room that it once had.
const ROOM: usize = 1024;

/// The last `limit` messages of one direction, by sequence number.
///
/// Sequence numbers begin at 1 and are dense, so that a window is a ring and every question about
/// one message costs the same however large the window is.
#[derive(Debug)]
pub(crate) struct Window<T> {
    /// `None` marks a message that was settled by hand before it slid out.
    slots: VecDeque<Option<T>>,
    /// The sequence number of the first slot.
    base: u64,
    limit: usize,
    /// No message before this one waits for a decision: cumulative decisions begin here.
    decided: u64,
}

impl<T> Window<T> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: VecDeque::new(),
            base: 1,
            limit: 0,
            decided: 1,
        }
    }

    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// Changes the limit. What no longer fits slides out, oldest first.
    pub(crate) fn set_limit(&mut self, limit: usize) -> Vec<(u64, T)> {
        self.limit = limit;
        let mut slid = Vec::new();
        while self.slots.len() > limit {
            slid.extend(self.pop());
        }
        slid
    }

    /// Takes the next message in. Answers its number, and the message that slides out for it.
    /// With a limit of 0 that is the message itself.
    pub(crate) fn push(&mut self, slot: T) -> (u64, Option<(u64, T)>) {
        let sequence = self.next();
        self.slots.push_back(Some(slot));
        let slid = if self.slots.len() > self.limit {
            self.pop()
        } else {
            None
        };
        (sequence, slid)
    }

    /// The number that the next message will have.
    pub(crate) fn next(&self) -> u64 {
        self.base + self.slots.len() as u64
    }

    fn pop(&mut self) -> Option<(u64, T)> {
        let slot = self.slots.pop_front()?;
        let sequence = self.base;
        self.base += 1;
        self.decided = self.decided.max(self.base);
        self.give_room_back();
        slot.map(|slot| (sequence, slot))
    }

    /// After a while in which much was in the window, as where one of many peers did not answer, there is room for a
    /// multiple of what is in it now.
    fn give_room_back(&mut self) {
        let room = self.slots.capacity();
        if room > ROOM && self.slots.len() < room / 8 {
            self.slots.shrink_to(self.slots.len() * 2);
        }
    }

    fn index(&self, sequence: u64) -> Option<usize> {
        usize::try_from(sequence.checked_sub(self.base)?).ok()
    }

    #[inline]
    pub(crate) fn get(&self, sequence: u64) -> Option<&T> {
        self.slots.get(self.index(sequence)?)?.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, sequence: u64) -> Option<&mut T> {
        let index = self.index(sequence)?;
        self.slots.get_mut(index)?.as_mut()
    }

    /// Forgets one message.
    pub(crate) fn take(&mut self, sequence: u64) -> Option<T> {
        let index = self.index(sequence)?;
        let slot = self.slots.get_mut(index)?.take();
        // What was forgotten at the old end gives its room back at once.
        while let Some(None) = self.slots.front() {
            self.pop();
        }
        slot
    }

    /// The messages a cumulative decision up to `sequence` may concern: each is visited by one such
    /// decision only, so that accepting message by message does not get slower with the window.
    pub(crate) fn undecided(&mut self, sequence: u64) -> std::ops::Range<u64> {
        let from = self.decided.max(self.base);
        let to = sequence.saturating_add(1).min(self.next());
        self.decided = self.decided.max(to);
        from..to.max(from)
    }

    /// How many messages there may be in the window: those included that were settled by hand.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The numbers in the window, oldest first.
    pub(crate) fn range(&self) -> std::ops::Range<u64> {
        self.base..self.next()
    }
}

#[cfg(test)]
mod tests {
    use super::{Flags, Status, Tracker, Window};

    #[test]
    fn trackers_survive_the_trip_through_bits() {
        for tracker in [
            Tracker::outgoing(1),
            Tracker::incoming(1),
            Tracker::incoming((1 << 62) - 1),
        ] {
            assert_eq!(Tracker::from_bits(tracker.to_bits()), Some(tracker));
            assert_eq!(tracker.to_bits() >> 63, 0);
        }
        assert_ne!(Tracker::outgoing(7), Tracker::incoming(7));
        assert!(Tracker::incoming(7).is_incoming());
        for bits in [0, 1 << 62, 1 << 63, u64::MAX] {
            assert_eq!(Tracker::from_bits(bits), None);
        }
        assert_eq!(format!("{:?}", Tracker::incoming(7)), "Tracker(incoming 7)");
    }

    #[test]
    fn a_window_of_nothing_remembers_nothing() {
        let mut window = Window::new();
        assert_eq!(window.push('a'), (1, Some((1, 'a'))));
        assert_eq!(window.push('b'), (2, Some((2, 'b'))));
        assert_eq!(window.get(1), None);
        assert_eq!(window.range(), 3..3);
    }

    #[test]
    fn old_messages_slide_out() {
        let mut window = Window::new();
        assert!(window.set_limit(5).is_empty());
        let slid: Vec<_> = (0..10).filter_map(|n| window.push(n).1).collect();
        assert_eq!(slid, [(1, 0), (2, 1), (3, 2), (4, 3), (5, 4)]);
        assert_eq!(
            (1..=11)
                .map(|n| window.get(n).is_some())
                .filter(|there| *there)
                .count(),
            5
        );
        assert_eq!(window.get(6), Some(&5));
        assert_eq!(window.set_limit(2), [(6, 5), (7, 6), (8, 7)]);
        assert_eq!(window.range(), 9..11);
    }

    #[test]
    fn forgotten_messages_give_their_room_back_at_the_old_end() {
        let mut window = Window::new();
        window.set_limit(usize::MAX);
        for n in 1..=4 {
            window.push(n);
        }
        assert_eq!(window.take(2), Some(2));
        assert_eq!(window.take(2), None);
        assert_eq!(window.range(), 1..5);
        assert_eq!(window.take(1), Some(1));
        assert_eq!(window.range(), 3..5);
        assert_eq!(window.get(3), Some(&3));
        assert_eq!(window.take(99), None);
        assert_eq!(window.take(0), None);
    }

    #[test]
    fn a_window_that_was_large_gives_its_room_back_when_it_is_small_again() {
        let mut window = Window::new();
        window.set_limit(usize::MAX);
        let count = 100_000;
        for n in 1..=count {
            window.push(n);
        }
        // All but the first were answered, and at last that one.
        for n in (1..=count).rev() {
            assert_eq!(window.take(n), Some(n));
        }
        assert!(window.slots.capacity() <= super::ROOM);
        assert_eq!(window.range(), count + 1..count + 1);
        assert_eq!(window.push(0), (count + 1, None));
    }

    #[test]
    fn cumulative_decisions_visit_every_message_once() {
        let mut window = Window::new();
        window.set_limit(10);
        for n in 0..8 {
            window.push(n);
        }
        assert_eq!(window.undecided(3), 1..4);
        assert_eq!(window.undecided(3), 4..4);
        assert_eq!(window.undecided(2), 4..4);
        assert_eq!(window.undecided(u64::MAX), 4..9);
        window.push(8);
        assert_eq!(window.undecided(9), 9..10);
    }

    #[test]
    fn flags_and_status_are_stable_numbers() {
        assert!(Flags::CUMULATIVE.contains(Flags::NONE));
        assert!(!Flags::NONE.contains(Flags::CUMULATIVE));
        assert_eq!(Flags::from_bits(1), Some(Flags::CUMULATIVE));
        assert_eq!(Flags::from_bits(2), None);
        assert_eq!(Status::Settled as u8, 7);
        assert!(Status::Aborted.is_final() && !Status::Pending.is_final());
    }
}
