//! Links of one name that a peer attaches again and again, and that end at once or are refused, while nothing is carried on
//! them.
//!
//! Two that accept every link can take each other's answers for links that are asked for, once a name was altered on its way,
//! and there is no end to it: each attach is answered, and each answer as well. Neither can tell that from a peer that closes
//! its links and attaches them anew, but for how often and how fast. So who does that is answered later and later, and not at
//! all in the end: the session ends with an error. Who attaches to receive and drains was answered that there is nothing, which
//! is an answer, and may ask as often as it likes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use ferrion_engine::protocol::{Condition, Role, conditions};
use ferrion_engine::{Link, LinkId, SessionId, Time};

use super::Core;
use super::pool::{Conn, ConnKey, Party};

/// Names of which it is remembered that a link ended.
const MOST_NAMES: usize = 64;
/// Links of one name in a row that are answered at once, and those after which the session ends.
const MOST_AT_ONCE: u32 = 32;
const MOST_IN_VAIN: u32 = 100;
/// Milliseconds: what the first waits that is not answered at once, each doubling it, and the longest of them.
const FIRST_DELAY: u64 = 10;
const LONGEST_DELAY: u64 = 1_000;
/// Milliseconds: a link that was there for longer was of some use, as is one whose name was not used for longer before. Where
/// they wait for their answers it is twice as long as the last one waited, since the other side may do the same.
const SHORT: u64 = 50;

/// What a connection knows of links that ended.
#[derive(Debug, Default)]
pub(crate) struct Churn {
    /// In the order in which they ended.
    names: VecDeque<Name>,
    /// Links that are answered later.
    waiting: Vec<LinkId>,
}

#[derive(Debug)]
struct Name {
    mark: Mark,
    /// Links in a row that came soon, ended soon and carried nothing.
    in_vain: u32,
    /// When the last was answered, and when it ended.
    answered: Time,
    ended: Time,
}

/// A link's role and name, in less room than a peer may fill with names. If two have one mark, links of one count for the
/// other, which is a peer's own fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark(u64);

impl Mark {
    fn of(link: &Link<'_>) -> Self {
        let mut hasher = DefaultHasher::new();
        (link.role() == Role::Sender).hash(&mut hasher);
        link.name().as_bytes().hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl Name {
    /// How long the next is not answered.
    fn delay(&self) -> u64 {
        match self.in_vain.checked_sub(MOST_AT_ONCE) {
            None => 0,
            Some(more) => (FIRST_DELAY << more.min(u8::BITS)).min(LONGEST_DELAY),
        }
    }

    /// Whether no longer has gone by since then than between links that are in vain.
    fn is_soon(&self, then: Time, now: Time) -> bool {
        now.since(then) <= SHORT.max(2 * self.delay())
    }
}

impl Churn {
    fn at(&self, mark: Mark) -> Option<usize> {
        self.names.iter().position(|known| known.mark == mark)
    }

    /// Whether links are known of that ended: only then [`carried`](Self::carried) has anything to say.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Something was carried on a link of the name: those before it were not in vain.
    fn carried(&mut self, mark: Mark) {
        if let Some(at) = self.at(mark) {
            self.names.remove(at);
        }
    }

    fn ended(&mut self, mark: Mark, now: Time) {
        let before = self.at(mark).and_then(|at| self.names.remove(at));
        let in_vain = before.as_ref().map_or(0, |before| {
            let is_short = before.is_soon(before.answered, now);
            if is_short { before.in_vain } else { 0 }
        });
        if self.names.len() == MOST_NAMES {
            self.names.pop_front();
        }
        self.names.push_back(Name {
            mark,
            in_vain,
            answered: before.map_or(now, |before| before.answered),
            ended: now,
        });
    }

    /// A link is attached by the peer: how many of its name before it were in vain, and how long it waits for the answer.
    fn attached(&mut self, mark: Mark, now: Time) -> (u32, u64) {
        let Some(known) = self.at(mark).and_then(|at| self.names.get_mut(at)) else {
            return (0, 0);
        };
        known.in_vain = if known.is_soon(known.ended, now) {
            known.in_vain.saturating_add(1)
        } else {
            0
        };
        let delay = known.delay();
        known.answered = now.after(delay);
        (known.in_vain, delay)
    }
}

/// Links that are answered later, of all connections.
#[derive(Debug, Default)]
pub(super) struct Delayed(BinaryHeap<Reverse<(Time, u64, u64)>>);

impl Delayed {
    /// When the next one is to be answered.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.0.peek().map(|Reverse((at, ..))| *at)
    }

    fn next_due(&mut self, now: Time) -> Option<(ConnKey, Option<LinkId>)> {
        self.deadline().filter(|at| *at <= now)?;
        let Reverse((_, conn, link)) = self.0.pop()?;
        Some((ConnKey::from_bits(conn), LinkId::from_bits(link)))
    }
}

impl Core {
    /// Whether a link that the peer attached is not answered, now or ever, because others of its name were in vain.
    pub(super) fn keeps_waiting(&mut self, key: ConnKey, id: LinkId, now: Time) -> bool {
        let Some(conn) = self.pool.get_mut(key).filter(|conn| !conn.churn.is_empty()) else {
            return false;
        };
        let Ok(link) = conn.engine.link(id) else {
            return false;
        };
        let (mark, name, session) = (Mark::of(&link), link.name(), link.session());
        let (in_vain, delay) = conn.churn.attached(mark, now);
        if in_vain >= MOST_IN_VAIN
            && let Some(session) = session
        {
            let text = format!(
                "link {name} is attached again and again, and ends each time with nothing sent on it"
            );
            // On another session it begins anew.
            conn.churn.carried(mark);
            conn.give_up(
                session,
                Condition::with_description(conditions::ILLEGAL_STATE, text),
            );
            self.pool.touch(key);
            return true;
        }
        if delay == 0 {
            return false;
        }
        conn.churn.waiting.push(id);
        let due = (now.after(delay), key.to_bits(), id.to_bits());
        self.delayed.0.push(Reverse(due));
        true
    }

    /// Refuses a link that the peer attached: it was in vain, too, and may be gone before it is told that it ended.
    pub(super) fn refuse(&mut self, key: ConnKey, id: LinkId, error: Condition, now: Time) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        if let Ok(mut link) = conn.engine.link(id) {
            let mark = Mark::of(&link);
            // If refusing fails the link is gone already.
            let _ = link.refuse(error);
            conn.churn.ended(mark, now);
        }
        self.pool.touch(key);
    }

    /// Answers what has waited long enough.
    pub(super) fn answer_delayed(&mut self, now: Time) {
        while let Some((key, id)) = self.delayed.next_due(now) {
            let Some((conn, id)) = self.pool.get_mut(key).zip(id) else {
                continue;
            };
            let waiting = &mut conn.churn.waiting;
            let Some(at) = waiting.iter().position(|it| *it == id) else {
                continue;
            };
            waiting.swap_remove(at);
            let Ok(mut link) = conn.engine.link(id) else {
                continue;
            };
            if link.awaits_detach() {
                let _ = link.close(None);
                self.pool.touch(key);
            } else if link.is_incoming() {
                self.admit(key, id, now);
            }
        }
    }

    /// A link ended. Answers whether it is to wait for being answered, as its beginning did.
    pub(super) fn ended_soon(&mut self, key: ConnKey, id: LinkId, now: Time) -> bool {
        let Some(conn) = self.pool.get_mut(key) else {
            return false;
        };
        let Ok(link) = conn.engine.link(id) else {
            return false;
        };
        let (mark, awaits_detach) = (Mark::of(&link), link.awaits_detach());
        let waits = conn.churn.waiting.iter().position(|it| *it == id);
        let ours = match conn.links.get(&id) {
            Some(Party::Sender(sender)) => {
                self.senders.get(*sender).is_none_or(|sender| sender.ours)
            }
            Some(Party::Receiver(source)) => *source != conn.listener,
            Some(Party::Replies) | None => true,
        };
        if !ours || waits.is_some() {
            conn.churn.ended(mark, now);
        }
        match waits {
            Some(_) if awaits_detach => true,
            Some(at) => {
                conn.churn.waiting.swap_remove(at);
                false
            }
            None => false,
        }
    }
}

impl Conn {
    /// Something was carried on this link.
    #[cold]
    pub(super) fn note_carried(&mut self, id: LinkId) {
        if let Ok(link) = self.engine.link(id) {
            let mark = Mark::of(&link);
            self.churn.carried(mark);
        }
    }

    /// Ends a session of which the peer makes no use.
    fn give_up(&mut self, id: SessionId, condition: Condition) {
        let session = self.engine.session(id);
        if session.is_ok_and(|mut session| session.end(Some(condition)).is_ok()) {
            self.leave_session(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Churn, LONGEST_DELAY, MOST_AT_ONCE, MOST_NAMES, Mark, Name, SHORT};
    use ferrion_engine::Time;

    const NAME: Mark = Mark(1);

    /// Attaches and ends so many links of one name, each of which is there for `life` after it was answered and comes `pause`
    /// after the one before. Answers how long the last one was kept waiting.
    fn come_and_go(count: u32, life: u64, pause: u64, carries: bool) -> u64 {
        let mut churn = Churn::default();
        let mut now = Time(5);
        let mut last = 0;
        for _ in 0..count {
            let (_, delay) = churn.attached(NAME, now);
            if carries {
                churn.carried(NAME);
            }
            now = now.after(delay + life);
            churn.ended(NAME, now);
            now = now.after(pause);
            last = delay;
        }
        last
    }

    #[test]
    fn links_in_vain_are_answered_later_and_later() {
        assert_eq!(come_and_go(MOST_AT_ONCE, 0, 0, false), 0);
        assert_eq!(come_and_go(MOST_AT_ONCE + 1, 0, 0, false), 10);
        assert_eq!(come_and_go(MOST_AT_ONCE + 2, 0, 0, false), 20);
        assert_eq!(come_and_go(MOST_AT_ONCE + 60, 0, 0, false), LONGEST_DELAY);
        assert_eq!(
            come_and_go(u32::from(u8::MAX), SHORT, 1, false),
            LONGEST_DELAY
        );
    }

    #[test]
    fn links_that_carry_something_or_last_or_come_seldom_are_answered_at_once() {
        assert_eq!(come_and_go(1_000, 0, 0, true), 0);
        assert_eq!(come_and_go(1_000, SHORT + 1, 0, false), 0);
        assert_eq!(come_and_go(1_000, 0, SHORT + 1, false), 0);
    }

    #[test]
    fn the_next_never_waits_for_less() {
        let mut name = Name {
            mark: NAME,
            in_vain: 0,
            answered: Time(0),
            ended: Time(0),
        };
        let mut longest = 0;
        for in_vain in (0..1_000).chain([u32::MAX - 1, u32::MAX]) {
            name.in_vain = in_vain;
            assert!(name.delay() >= longest, "{in_vain}");
            longest = name.delay();
        }
        assert_eq!(longest, LONGEST_DELAY);
    }

    #[test]
    fn who_uses_many_names_fills_no_memory_with_them() {
        let mut churn = Churn::default();
        for name in 0..10_000 {
            churn.ended(Mark(name), Time(name));
        }
        assert_eq!(churn.names.len(), MOST_NAMES);
        // The latest are remembered.
        assert_eq!(churn.attached(Mark(9_999), Time(10_000)), (1, 0));
        assert_eq!(churn.attached(Mark(1), Time(10_000)), (0, 0));
    }
}
