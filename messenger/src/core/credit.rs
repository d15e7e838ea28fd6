//! The credit scheduler: shares what `recv` asked for fairly among all the links it may come from.
//!
//! Nobody can know which sender has messages, so credit is dealt out evenly and moved when it turns
//! out to be in the wrong place: a link that used its credit up waits in line; if there is none left
//! to give, after [`PATIENCE`] the links that sit on theirs are drained (2.6.7), and what comes back
//! goes to those who wait. A sender that does not answer that either has its credit dealt to others,
//! and gets no more before it is heard of. Links are named by any `L`; time is an argument.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use ferrion_engine::Time;

/// How long links may wait in line, in milliseconds, before others are drained for them.
pub(crate) const PATIENCE: u64 = 250;

/// Messages per receiving link that [`Credit::All`] lets come before `get` takes them.
pub(crate) const BATCH: u32 = 1024;

/// How many messages [`recv`](crate::Messenger::recv) lets come.
///
/// Each call replaces what the one before it asked for. A number turns into [`Credit::Explicit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credit {
    /// As many as come, at the pace at which `get` takes them: at most 1,024 per receiving link
    /// wait unread.
    All,
    /// This many, over all links together. 0 is [`Credit::Cancel`].
    Explicit(u32),
    /// No more than what has been granted to peers already.
    Cancel,
    /// Leave all credit where it is: what was granted may still be used, and nothing more is granted, nor moved from one link to
    /// another. Links that are attached later get none.
    Manual,
}

impl From<u32> for Credit {
    fn from(count: u32) -> Self {
        Self::Explicit(count)
    }
}

/// What the scheduler wants done to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order<L> {
    /// Add this much credit.
    Grant(L, u32),
    /// Ask the sender to use its credit up or give it back.
    Drain(L),
}

#[derive(Debug, Default)]
struct Link {
    /// Credit that was granted and not used.
    outstanding: u32,
    draining: bool,
    /// Credit that was dealt to others because no drain was answered. The sender may still use it.
    withdrawn: u32,
    /// The most that may be under way or unread, if there is such a limit, and what is unread.
    most: Option<u32>,
    unread: u32,
    /// In which lines the link stands; each holds a link at most once.
    blocked: bool,
    credited: bool,
    low: bool,
}

impl Link {
    /// What may be outstanding, as far as the limit goes.
    fn room(&self) -> u32 {
        self.most
            .map_or(u32::MAX, |most| most.saturating_sub(self.unread))
    }

    /// Whether it is to be filled up, and does not wait for that yet.
    fn is_low(&self, share: u32) -> bool {
        let full = share.min(self.room());
        !self.draining && !self.low && self.outstanding < low_mark(full)
    }
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Scheduler<L> {
    automatic: bool,
    manual: bool,
    /// Credit that nobody has yet.
    pool: u64,
    /// Credit that links have and did not use.
    distributed: u64,
    links: HashMap<L, Link>,
    /// Links without credit, longest waiting first. This line and the next two may name links that
    /// are gone: finding a link in a line would cost more than skipping it later.
    blocked: VecDeque<L>,
    /// How many of them are not gone.
    waiting: usize,
    /// Links that were given credit, longest ago first.
    credited: VecDeque<L>,
    /// Links that fell below half of their share.
    low: VecDeque<L>,
    draining: usize,
    next_drain: Option<Time>,
    /// Until when drains that were ordered may be answered.
    drain_until: Time,
}

impl<L: Copy + Eq + Hash> Scheduler<L> {
    pub(crate) fn new() -> Self {
        Self {
            automatic: false,
            manual: false,
            pool: 0,
            distributed: 0,
            links: HashMap::new(),
            blocked: VecDeque::new(),
            waiting: 0,
            credited: VecDeque::new(),
            low: VecDeque::new(),
            draining: 0,
            next_drain: None,
            drain_until: Time(0),
        }
    }

    /// What `recv` asked for; replaces what it asked for before. Answers whether that is something else.
    pub(crate) fn request(&mut self, credit: Credit) -> bool {
        let before = (self.automatic, self.manual, self.pool);
        let pool = match credit {
            Credit::Explicit(count) => u64::from(count).saturating_sub(self.distributed),
            Credit::All if self.automatic => self.pool,
            Credit::All | Credit::Cancel | Credit::Manual => 0,
        };
        let after = (credit == Credit::All, credit == Credit::Manual, pool);
        (self.automatic, self.manual, self.pool) = after;
        before != after
    }

    /// Messages that may still come.
    pub(crate) const fn receiving(&self) -> u64 {
        self.pool + self.distributed
    }

    /// A link came up; it waits in line. At most `most` of its messages may be under way or unread.
    pub(crate) fn attach(&mut self, link: L, most: Option<u32>) {
        self.links.entry(link).or_default().most = most;
        self.block(link);
    }

    /// A message of a link with a limit was taken: there is room for another.
    pub(crate) fn taken(&mut self, link: L) {
        let share = self.share();
        let Some(state) = self.links.get_mut(&link) else {
            return;
        };
        state.unread = state.unread.saturating_sub(1);
        if state.outstanding == 0 {
            self.block(link);
        } else if state.is_low(share) {
            state.low = true;
            self.low.push_back(link);
        }
    }

    /// A link is gone; what it did not use goes to the others.
    pub(crate) fn detach(&mut self, link: L) {
        let Some(state) = self.links.remove(&link) else {
            return;
        };
        self.distributed -= u64::from(state.outstanding);
        self.pool += u64::from(state.outstanding);
        self.draining -= usize::from(state.draining);
        self.waiting -= usize::from(state.blocked);
        // The gone are swept out when they are the majority: constant cost per link.
        let links = &self.links;
        for line in [&mut self.blocked, &mut self.credited, &mut self.low] {
            if line.len() > 2 * links.len() + 16 {
                line.retain(|link| links.contains_key(link));
            }
        }
    }

    /// `count` messages came down a link.
    pub(crate) fn received(&mut self, link: L, count: u32) {
        let share = self.share();
        let Some(state) = self.links.get_mut(&link) else {
            return;
        };
        if count == 0 {
            return;
        }
        let late = std::mem::take(&mut state.withdrawn);
        if late > 0 {
            // It is alive: it has its credit again, as far as nobody else got it.
            let restored = self.pool.min(u64::from(late));
            self.pool -= restored;
            self.distributed += restored;
            state.outstanding = u32::try_from(restored).unwrap_or(late);
            if !std::mem::replace(&mut state.credited, true) {
                self.credited.push_back(link);
            }
        }
        let used = count.min(state.outstanding);
        state.outstanding -= used;
        self.distributed -= u64::from(used);
        if state.most.is_some() {
            state.unread = state.unread.saturating_add(count);
        }
        if state.outstanding == 0 {
            self.block(link);
        } else if state.is_low(share) {
            state.low = true;
            self.low.push_back(link);
        }
    }

    /// A sender answered a drain: what it did not use comes back, and it waits in line again.
    pub(crate) fn drained(&mut self, link: L) {
        let Some(state) = self.links.get_mut(&link) else {
            return;
        };
        state.withdrawn = 0;
        let unused = u64::from(std::mem::take(&mut state.outstanding));
        self.distributed -= unused;
        self.pool += unused;
        self.block(link);
    }

    /// When [`schedule`](Self::schedule) must be called at the latest.
    pub(crate) const fn deadline(&self) -> Option<Time> {
        if self.draining > 0 && self.waiting > 0 && !self.manual {
            Some(self.drain_until)
        } else {
            self.next_drain
        }
    }

    /// Deals out what there is. `unread` is the number of messages that came and were not taken; while it is
    /// as `full` as may be nothing is dealt.
    pub(crate) fn schedule(
        &mut self,
        now: Time,
        unread: usize,
        full: bool,
        orders: &mut Vec<Order<L>>,
    ) {
        if self.manual || self.links.is_empty() {
            self.next_drain = None;
            return;
        }
        if self.draining > 0 && self.waiting > 0 && self.drain_until <= now {
            self.withdraw();
        }
        if full {
            self.next_drain = None;
            return;
        }
        if self.automatic {
            let most = self.links.len() as u64 * u64::from(BATCH);
            self.pool = most.saturating_sub(self.distributed.saturating_add(unread as u64));
        }
        let share = self.share();
        while self.pool > 0
            && let Some(link) = self.blocked.pop_front()
        {
            self.grant(link, share, orders);
        }
        if self.waiting == 0 {
            self.next_drain = None;
            while self.pool > 0
                && let Some(link) = self.low.pop_front()
            {
                self.grant(link, share, orders);
            }
            return;
        }
        // With messages unread, `get` makes room soon enough; taking credit away only costs time.
        let misplaced = self.distributed > 0 && !(self.automatic && unread > 0);
        if self.draining > 0 || !misplaced {
            self.next_drain = None;
            return;
        }
        match self.next_drain {
            None => self.next_drain = Some(now.after(PATIENCE)),
            Some(at) if at <= now => {
                self.next_drain = None;
                self.drain_until = now.after(PATIENCE);
                self.drain(share, orders);
            }
            Some(_) => {}
        }
    }

    /// An equal part of all credit for every link, and never nothing.
    fn share(&self) -> u32 {
        let links = self.links.len().max(1) as u64;
        u32::try_from(self.receiving() / links)
            .unwrap_or(u32::MAX)
            .max(1)
    }

    /// Fills a link up to its share, as far as the pool goes.
    fn grant(&mut self, link: L, share: u32, orders: &mut Vec<Order<L>>) {
        let Some(state) = self.links.get_mut(&link) else {
            return;
        };
        self.waiting -= usize::from(std::mem::take(&mut state.blocked));
        state.low = false;
        let share = share.min(state.room());
        let wanted = u64::from(share.saturating_sub(state.outstanding)).min(self.pool);
        let credit = u32::try_from(wanted).unwrap_or(u32::MAX);
        if credit == 0 || state.draining || state.withdrawn > 0 {
            return;
        }
        state.outstanding += credit;
        self.pool -= u64::from(credit);
        self.distributed += u64::from(credit);
        if !state.credited {
            state.credited = true;
            self.credited.push_back(link);
        }
        orders.push(Order::Grant(link, credit));
    }

    /// Puts a link that has no credit into line, unless it may not have any.
    fn block(&mut self, link: L) {
        if let Some(state) = self.links.get_mut(&link) {
            self.draining -= usize::from(std::mem::take(&mut state.draining));
            state.low = false;
            if !state.blocked && state.room() > 0 {
                state.blocked = true;
                self.waiting += 1;
                self.blocked.push_back(link);
            }
        }
    }

    /// Takes back the credit of those who did not answer a drain.
    fn withdraw(&mut self) {
        for state in self.links.values_mut().filter(|state| state.draining) {
            state.draining = false;
            state.withdrawn = std::mem::take(&mut state.outstanding);
            self.pool += u64::from(state.withdrawn);
            self.distributed -= u64::from(state.withdrawn);
        }
        self.draining = 0;
    }

    /// Drains as many links as it takes to give everyone in line a share.
    fn drain(&mut self, share: u32, orders: &mut Vec<Order<L>>) {
        let mut needed = self.waiting as u64 * u64::from(share);
        let mut rest = VecDeque::new();
        while let Some(link) = self.credited.pop_front() {
            let Some(state) = self.links.get_mut(&link) else {
                continue;
            };
            if state.outstanding == 0 {
                state.credited = false;
                continue;
            }
            // The drained go to the back, so that the next drain begins with others.
            rest.push_back(link);
            state.draining = true;
            self.draining += 1;
            orders.push(Order::Drain(link));
            needed = needed.saturating_sub(u64::from(state.outstanding));
            if needed == 0 {
                break;
            }
        }
        self.credited.append(&mut rest);
    }
}

/// Below half of its share a link is filled up: what it has left is under way while the word of it travels.
const fn low_mark(share: u32) -> u32 {
    share.div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::{BATCH, Credit, Order, PATIENCE, Scheduler};
    use ferrion_engine::Time;

    fn run(scheduler: &mut Scheduler<u8>, now: u64, waiting: usize) -> Vec<Order<u8>> {
        let mut orders = Vec::new();
        scheduler.schedule(Time(now), waiting, false, &mut orders);
        orders
    }

    fn with_links(links: &[u8], credit: Credit) -> Scheduler<u8> {
        let mut scheduler = Scheduler::new();
        scheduler.request(credit);
        for link in links {
            scheduler.attach(*link, None);
        }
        scheduler
    }

    #[test]
    fn credit_is_shared_evenly_and_nobody_gets_less_than_one() {
        let mut scheduler = with_links(&[1, 2, 3], Credit::Explicit(9));
        assert_eq!(
            run(&mut scheduler, 0, 0),
            [Order::Grant(1, 3), Order::Grant(2, 3), Order::Grant(3, 3)]
        );
        assert_eq!(scheduler.receiving(), 9);
        let mut scheduler = with_links(&[1, 2, 3], Credit::Explicit(2));
        assert_eq!(
            run(&mut scheduler, 0, 0),
            [Order::Grant(1, 1), Order::Grant(2, 1)]
        );
    }

    #[test]
    fn a_request_replaces_the_one_before() {
        let mut scheduler = with_links(&[1], Credit::Explicit(5));
        run(&mut scheduler, 0, 0);
        scheduler.request(Credit::Explicit(7));
        assert_eq!(scheduler.receiving(), 7);
        scheduler.request(Credit::Explicit(3));
        assert_eq!(
            scheduler.receiving(),
            5,
            "what is granted cannot be taken back"
        );
        scheduler.request(Credit::Explicit(7));
        scheduler.request(Credit::Cancel);
        assert_eq!(scheduler.receiving(), 5);
        scheduler.request(Credit::Manual);
        scheduler.attach(2, None);
        assert_eq!(run(&mut scheduler, 10_000, 0), []);
    }

    #[test]
    fn a_link_with_a_limit_gets_credit_as_its_messages_are_taken() {
        let mut scheduler = Scheduler::new();
        scheduler.request(Credit::All);
        scheduler.attach(1u8, Some(3));
        scheduler.attach(2, None);
        assert_eq!(
            run(&mut scheduler, 0, 0),
            [Order::Grant(1, 3), Order::Grant(2, BATCH)]
        );
        scheduler.received(1, 2);
        assert_eq!(run(&mut scheduler, 0, 2), []);
        scheduler.received(1, 1);
        assert_eq!(run(&mut scheduler, 0, 3), []);
        assert_eq!(scheduler.deadline(), None, "nobody is drained for it");
        scheduler.taken(1);
        assert_eq!(run(&mut scheduler, 0, 2), [Order::Grant(1, 1)]);
        scheduler.taken(1);
        scheduler.taken(1);
        scheduler.received(1, 1);
        assert_eq!(run(&mut scheduler, 0, 1), [Order::Grant(1, 2)]);
    }

    #[test]
    fn automatic_credit_stops_when_nobody_reads() {
        let mut scheduler = with_links(&[1], Credit::All);
        assert_eq!(run(&mut scheduler, 0, 0), [Order::Grant(1, BATCH)]);
        let mut waiting = 0;
        for _ in 0..10_000 {
            if scheduler.receiving() == 0 {
                break;
            }
            scheduler.received(1, 1);
            waiting += 1;
            run(&mut scheduler, 0, waiting);
        }
        assert_eq!(waiting, BATCH as usize);
        assert_eq!(
            scheduler.deadline(),
            None,
            "there is nobody to drain, so no timer either"
        );
        assert_eq!(run(&mut scheduler, 0, 1000), [Order::Grant(1, 24)]);
    }

    #[test]
    fn links_are_refilled_below_half_of_their_share() {
        let mut scheduler = with_links(&[1], Credit::All);
        run(&mut scheduler, 0, 0);
        scheduler.received(1, BATCH / 2);
        assert_eq!(run(&mut scheduler, 0, 0), []);
        scheduler.received(1, 1);
        assert_eq!(run(&mut scheduler, 0, 0), [Order::Grant(1, BATCH / 2 + 1)]);
    }

    #[test]
    fn refill_waits_for_room_and_is_not_forgotten() {
        let mut scheduler = with_links(&[1], Credit::All);
        run(&mut scheduler, 0, 0);
        scheduler.received(1, BATCH - 10);
        assert_eq!(run(&mut scheduler, 0, BATCH as usize - 10), []);
        assert_eq!(run(&mut scheduler, 0, 0), [Order::Grant(1, BATCH - 10)]);
    }

    /// recv(11) once: one link sends 1, another 10; the credit follows by a drain.
    #[test]
    fn idle_credit_moves_to_who_waits() {
        let mut scheduler = with_links(&[1], Credit::Explicit(11));
        assert_eq!(run(&mut scheduler, 0, 0), [Order::Grant(1, 11)]);
        scheduler.received(1, 1);
        scheduler.attach(2, None);
        assert_eq!(run(&mut scheduler, 100, 1), []);
        assert_eq!(scheduler.deadline(), Some(Time(100 + PATIENCE)));
        assert_eq!(run(&mut scheduler, 349, 1), []);
        assert_eq!(run(&mut scheduler, 350, 1), [Order::Drain(1)]);
        assert_eq!(run(&mut scheduler, 599, 1), [], "one drain at a time");
        scheduler.drained(1);
        assert_eq!(
            run(&mut scheduler, 400, 1),
            [Order::Grant(2, 5), Order::Grant(1, 5)]
        );
        scheduler.received(2, 5);
        assert_eq!(run(&mut scheduler, 400, 6), []);
        assert_eq!(run(&mut scheduler, 650, 6), [Order::Drain(1)]);
        scheduler.drained(1);
        let orders = run(&mut scheduler, 660, 6);
        assert!(orders.contains(&Order::Grant(2, 2)), "{orders:?}");
        assert_eq!(scheduler.receiving(), 5);
    }

    #[test]
    fn a_drained_link_that_still_had_messages_is_done_when_its_credit_is_used() {
        let mut scheduler = with_links(&[1], Credit::Explicit(2));
        run(&mut scheduler, 0, 0);
        scheduler.attach(2, None);
        run(&mut scheduler, 0, 0);
        assert_eq!(run(&mut scheduler, 250, 0), [Order::Drain(1)]);
        scheduler.received(1, 2);
        assert_eq!(scheduler.receiving(), 0);
        scheduler.request(Credit::Explicit(2));
        assert_eq!(
            run(&mut scheduler, 251, 2),
            [Order::Grant(2, 1), Order::Grant(1, 1)]
        );
    }

    #[test]
    fn who_ignores_a_drain_starves_nobody() {
        let mut scheduler = with_links(&[1], Credit::Explicit(3));
        run(&mut scheduler, 0, 0);
        scheduler.attach(2, None);
        run(&mut scheduler, 0, 0);
        assert_eq!(run(&mut scheduler, 250, 0), [Order::Drain(1)]);
        assert_eq!(scheduler.deadline(), Some(Time(500)));
        assert_eq!(run(&mut scheduler, 500, 0), [Order::Grant(2, 1)]);
        assert_eq!((scheduler.receiving(), scheduler.deadline()), (3, None));
        // It gets nothing more before it is heard of; then it has what is left.
        scheduler.received(1, 0);
        scheduler.received(2, 1);
        assert_eq!(run(&mut scheduler, 600, 1), [Order::Grant(2, 1)]);
        scheduler.received(1, 1);
        assert_eq!(scheduler.receiving(), 1);
        scheduler.drained(1);
        scheduler.received(2, 1);
        assert_eq!(scheduler.receiving(), 0);
    }

    #[test]
    fn the_credit_of_a_lost_link_returns() {
        let mut scheduler = with_links(&[1, 2, 3], Credit::Explicit(9));
        run(&mut scheduler, 0, 0);
        scheduler.received(1, 3);
        scheduler.detach(3);
        scheduler.detach(3);
        assert_eq!(scheduler.receiving(), 6);
        assert_eq!(run(&mut scheduler, 0, 3), [Order::Grant(1, 3)]);
        scheduler.received(1, 3);
        scheduler.received(2, 3);
        assert_eq!(scheduler.receiving(), 0);
    }

    #[test]
    fn links_that_come_and_go_leave_nothing_behind() {
        let mut scheduler = with_links(&[0], Credit::Explicit(3));
        run(&mut scheduler, 0, 0);
        for round in 0..1000 {
            for link in 1..20 {
                scheduler.attach(link, None);
            }
            run(&mut scheduler, round, 0);
            (1..20).for_each(|link| scheduler.detach(link));
            assert!(scheduler.blocked.len() + scheduler.credited.len() + scheduler.low.len() < 100);
        }
        assert_eq!(scheduler.waiting, 0);
        assert_eq!(scheduler.receiving(), 3);
    }

    /// recv(50) over three links: one bursts its share, the rest is moved until all 50 came.
    #[test]
    fn all_that_was_asked_for_arrives_in_the_end() {
        let mut scheduler = with_links(&[1, 2, 3], Credit::Explicit(50));
        let orders = run(&mut scheduler, 0, 0);
        assert_eq!(
            orders,
            [
                Order::Grant(1, 16),
                Order::Grant(2, 16),
                Order::Grant(3, 16)
            ]
        );
        let (mut now, mut came) = (0, 0);
        let mut credit = 16;
        while came < 50 {
            scheduler.received(1, credit);
            came += credit;
            credit = 0;
            for _ in 0..20 {
                now += 125;
                for order in run(&mut scheduler, now, came as usize) {
                    match order {
                        Order::Grant(1, more) => credit += more,
                        Order::Grant(..) => {}
                        Order::Drain(link) => scheduler.drained(link),
                    }
                }
                if credit > 0 {
                    break;
                }
            }
            assert!(now < 60_000, "{came} of 50 came");
        }
        assert_eq!(came, 50);
        assert_eq!(scheduler.receiving(), 0);
    }
}
