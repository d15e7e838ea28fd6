//! What waits: messages on their way out, messages that came in, and what became of both.
//!
//! Every outgoing message has a sequence number, which is its tracker and, in eight octets, its
//! delivery-tag: what a peer says about a delivery finds its message without a lookup.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use bytes::Bytes;
use ferrion_engine::{DeliveryId, LinkId};

use super::index::Index;
use super::octets::Octets;
use super::pool::ConnKey;
use super::reasons::Reasons;
use super::sender::SenderKey;
use super::source::SourceKey;
use super::tracker::{Status, Window};
use crate::error::Error;

/// A message that waits to be handed to an engine.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) sequence: u64,
    pub(crate) payload: Octets,
}

/// What is remembered of a message that was put, while it is in the window.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) status: Status,
    pub(crate) sender: SenderKey,
    /// Set from the moment an engine has it until it is settled there.
    pub(crate) delivery: Option<DeliveryId>,
    /// The message itself for as long, if it is to be sent again should the connection fail.
    pub(crate) payload: Option<Octets>,
}

impl Sent {
    /// Whether an engine has it, or may get it yet.
    fn is_open(&self) -> bool {
        self.delivery.is_some() || self.status == Status::Pending
    }
}

/// The outgoing half.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) window: Window<Sent>,
    /// Why messages in the window failed, and the conditions that came with outcomes.
    pub(crate) reasons: Reasons,
    /// Messages in the queues of all senders together, and their octets.
    pub(crate) queued: usize,
    pub(crate) octets: usize,
    /// Octets that were put since senders were last looked at.
    pub(crate) fresh: usize,
    /// Messages that an engine has and whose outcome is to come, and the octets that are kept of them.
    pub(crate) awaiting: usize,
    pub(crate) retained: usize,
    /// Messages sent settled whose octets the socket has not taken yet.
    pub(crate) unflushed: usize,
    /// The high-water mark: `put` refuses beyond it.
    pub(crate) max_messages: usize,
    pub(crate) max_octets: usize,
    /// The size of the message that was refused last.
    pub(crate) refused: usize,
    /// The messages in the window that are not done with, by their senders.
    by_sender: Index<SenderKey>,
}

impl Outgoing {
    pub(crate) fn new() -> Self {
        Self {
            window: Window::new(),
            reasons: Reasons::default(),
            queued: 0,
            octets: 0,
            fresh: 0,
            awaiting: 0,
            retained: 0,
            unflushed: 0,
            max_messages: 65_536,
            max_octets: 64 << 20,
            refused: 0,
            by_sender: Index::default(),
        }
    }

    /// Messages that were put and are not done with: what `send` waits for.
    pub(crate) const fn unfinished(&self) -> usize {
        self.queued + self.awaiting + self.unflushed
    }

    /// Whether another message of `octets` is too much. A single one always fits, whatever its size.
    pub(crate) const fn is_full(&self, octets: usize) -> bool {
        let held = self.octets.saturating_add(self.retained);
        (self.queued > 0 || self.retained > 0)
            && (self.queued >= self.max_messages || held.saturating_add(octets) > self.max_octets)
    }

    /// Whether the message that was refused last would fit now.
    pub(crate) const fn has_room(&self) -> bool {
        !self.is_full(self.refused)
    }

    /// An engine has a message now. `payload` is kept until it has no need of it any more.
    #[inline]
    pub(crate) fn hand_over(
        &mut self,
        sequence: u64,
        delivery: DeliveryId,
        payload: Option<Octets>,
    ) {
        if let Some(sent) = self.window.get_mut(sequence) {
            self.awaiting += 1;
            self.retained += payload.as_ref().map_or(0, Octets::len);
            (sent.delivery, sent.payload) = (Some(delivery), payload);
        }
    }

    /// No engine has the message any more. Answers what was kept of it.
    pub(crate) fn answered(&mut self, sequence: u64) -> Option<Octets> {
        let sent = self.window.get_mut(sequence)?;
        sent.delivery.take()?;
        let payload = sent.payload.take();
        self.forget(payload.as_ref());
        payload
    }

    /// A message that an engine had is not waited for any more.
    pub(crate) fn forget(&mut self, payload: Option<&Octets>) {
        self.awaiting -= 1;
        self.retained -= payload.map_or(0, Octets::len);
    }

    /// The messages of a sender that an engine has, oldest first.
    pub(crate) fn under_way_of(&mut self, sender: SenderKey) -> Vec<u64> {
        for number in self.by_sender.missing(self.window.range()) {
            if let Some(sent) = self.window.get(number)
                && sent.is_open()
            {
                self.by_sender.add(sent.sender, number);
            }
        }
        let mut open = self.by_sender.take(&sender);
        open.retain(|number| self.window.get(*number).is_some_and(Sent::is_open));
        let has = |number: &u64| {
            let sent = self.window.get(*number);
            sent.is_some_and(|sent| sent.delivery.is_some())
        };
        let under_way = open.iter().copied().filter(has).collect();
        self.by_sender.put(sender, open);
        under_way
    }

    /// Nothing more is to be done for now.
    #[inline]
    pub(crate) fn rest(&mut self) {
        if self.by_sender.is_stale(self.window.len()) {
            let window = &self.window;
            self.by_sender
                .retain(|number| window.get(number).is_some_and(Sent::is_open));
        }
    }

    /// Records the end of a message in the window. The first end counts.
    pub(crate) fn finish(&mut self, sequence: u64, status: Status, reason: Option<Error>) {
        let Some(sent) = self.window.get_mut(sequence) else {
            return;
        };
        if sent.status != Status::Pending {
            return;
        }
        sent.status = status;
        if let Some(reason) = reason {
            self.reasons.insert(sequence, reason, self.max_octets);
        }
    }
}

/// A message that came in and that `get` has not taken yet.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) payload: Bytes,
    pub(crate) origin: Origin,
    pub(crate) source: Option<SourceKey>,
    /// `None` if the peer sent it settled.
    pub(crate) delivery: Option<DeliveryId>,
}

impl Received {
    /// What it counts.
    const fn weight(&self) -> usize {
        self.payload.len().saturating_add(OVERHEAD)
    }
}

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) conn: ConnKey,
    pub(crate) link: LinkId,
}

/// What is remembered of a message that `get` gave out, while it is in the window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// What was decided here; `Pending` until then.
    pub(crate) status: Status,
    pub(crate) origin: Origin,
    /// `None` once it is settled, by either side.
    pub(crate) delivery: Option<DeliveryId>,
}

/// What was decided, if anything was, cannot be told any more. Who gets the message later learns that then.
fn abort(delivery: &mut Option<DeliveryId>, status: Option<&mut Status>) {
    if let Some(status) = status
        && delivery.take().is_some()
    {
        *status = Status::Aborted;
    }
}

/// The message at this place in the queue.
fn queued(queue: &mut VecDeque<Received>, place: u64) -> Option<&mut Received> {
    queue.get_mut(usize::try_from(place).ok()?)
}

/// Links in the order in which they came, each once. What one of them, or all of a connection, costs is not more for how many
/// others there are: peers choose their number.
#[derive(Debug, Default)]
pub(crate) struct Stalled {
    /// By their places in line.
    line: BTreeMap<u64, Origin>,
    places: HashMap<ConnKey, HashMap<LinkId, u64>>,
    next: u64,
}

impl Stalled {
    pub(crate) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    pub(crate) fn contains(&self, origin: Origin) -> bool {
        let places = self.places.get(&origin.conn);
        places.is_some_and(|places| places.contains_key(&origin.link))
    }

    /// Puts a link at the end, if it does not stand in line already.
    pub(crate) fn push(&mut self, origin: Origin) {
        let places = self.places.entry(origin.conn).or_default();
        if let Entry::Vacant(place) = places.entry(origin.link) {
            place.insert(self.next);
            self.line.insert(self.next, origin);
            self.next += 1;
        }
    }

    /// The link that has waited longest.
    pub(crate) fn pop(&mut self) -> Option<Origin> {
        let (_, origin) = self.line.pop_first()?;
        self.forget_place(origin);
        Some(origin)
    }

    /// Takes a link out of the line. Answers whether it stood there.
    pub(crate) fn remove(&mut self, origin: Origin) -> bool {
        let place = self.forget_place(origin);
        place.is_some_and(|place| self.line.remove(&place).is_some())
    }

    /// Takes the links of a connection out of the line, in their order.
    pub(crate) fn remove_all(&mut self, conn: ConnKey) -> Vec<Origin> {
        let places = self.places.remove(&conn).unwrap_or_default();
        let mut places: Vec<u64> = places.into_values().collect();
        places.sort_unstable();
        let origins = places.into_iter();
        origins
            .filter_map(|place| self.line.remove(&place))
            .collect()
    }

    fn forget_place(&mut self, origin: Origin) -> Option<u64> {
        let places = self.places.get_mut(&origin.conn)?;
        let place = places.remove(&origin.link);
        if places.is_empty() {
            self.places.remove(&origin.conn);
        }
        place
    }
}

/// What a message that waits counts beside its octets: about what is kept of it.
const OVERHEAD: usize = 128;
/// Messages that come together and count less than this keep a read's buffer for the sake of little. Peers decide how much else
/// is in it, and that may be four times as much.
pub(crate) const SPARSE: usize = 32 << 10;

/// The incoming half.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) queue: VecDeque<Received>,
    /// How many of those were there already when it was last looked at what came.
    old: usize,
    /// What the messages in the queue count: their octets, and what is kept of each beside them.
    octets: usize,
    /// The high-water mark: beyond it no more is let in.
    pub(crate) max_messages: usize,
    pub(crate) max_octets: usize,
    /// Links whose engines hold messages that there is no room for, longest waiting first.
    pub(crate) stalled: Stalled,
    pub(crate) window: Window<Taken>,
    /// The messages in the queue and the window, by the links that they are of. One in the queue has the number there that it
    /// will have in the window.
    by_origin: Index<Origin>,
    /// Deliveries that the sender settled before anything was decided here, by their connections. Empty as a rule.
    settled: HashMap<ConnKey, HashSet<DeliveryId>>,
}

impl Incoming {
    pub(crate) fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            old: 0,
            octets: 0,
            max_messages: usize::MAX,
            max_octets: 64 << 20,
            stalled: Stalled::default(),
            window: Window::new(),
            by_origin: Index::default(),
            settled: HashMap::new(),
        }
    }

    /// Whether another message is too much, where so many octets of replies wait as well. A single one
    /// always fits, whatever its size.
    pub(crate) fn is_full(&self, replies: usize) -> bool {
        !self.queue.is_empty()
            && (self.queue.len() >= self.max_messages
                || self.octets.saturating_add(replies) >= self.max_octets)
    }

    pub(crate) fn push(&mut self, received: Received) {
        self.octets = self.octets.saturating_add(received.weight());
        self.queue.push_back(received);
    }

    pub(crate) fn pop(&mut self) -> Option<Received> {
        let received = self.queue.pop_front()?;
        self.octets = self.octets.saturating_sub(received.weight());
        self.old = self.old.saturating_sub(1);
        Some(received)
    }

    /// All that came by now was looked at.
    #[inline]
    pub(crate) fn rest(&mut self) {
        self.old = self.queue.len();
        if self
            .by_origin
            .is_stale(self.queue.len() + self.window.len())
        {
            let (window, next) = (&self.window, self.window.next());
            self.by_origin
                .retain(|number| number >= next || window.get(number).is_some());
        }
    }

    /// Puts back what was taken out of the queue: it may have another place there.
    pub(crate) fn refill(&mut self, kept: VecDeque<Received>) {
        self.by_origin.clear();
        for received in kept {
            self.push(received);
        }
    }

    // ---- links that go on ----

    /// Takes the numbers of a link's messages out of the index.
    fn take_numbers(&mut self, origin: Origin) -> Vec<u64> {
        let got = self.window.next();
        let end = got + self.queue.len() as u64;
        for number in self.by_origin.missing(self.window.range().start..end) {
            let known = match number.checked_sub(got) {
                None => self.window.get(number).map(|taken| taken.origin),
                Some(place) => queued(&mut self.queue, place).map(|received| received.origin),
            };
            if let Some(origin) = known {
                self.by_origin.add(origin, number);
            }
        }
        self.by_origin.take(&origin)
    }

    /// Looks at each message of a link, and what was decided about it if `get` took it. Those that are of another link then are
    /// of `to`.
    fn each_of(
        &mut self,
        from: Origin,
        to: Origin,
        mut look: impl FnMut(&mut Origin, &mut Option<DeliveryId>, Option<&mut Status>),
    ) {
        let mut stay = self.take_numbers(from);
        let mut go = Vec::new();
        let got = self.window.next();
        stay.retain(|number| {
            let (origin, delivery, status) = match number.checked_sub(got) {
                None => match self.window.get_mut(*number) {
                    Some(taken) => (
                        &mut taken.origin,
                        &mut taken.delivery,
                        Some(&mut taken.status),
                    ),
                    None => return false,
                },
                Some(place) => match queued(&mut self.queue, place) {
                    Some(received) => (&mut received.origin, &mut received.delivery, None),
                    None => return false,
                },
            };
            look(origin, delivery, status);
            if *origin != from {
                go.push(*number);
            }
            *origin == from
        });
        self.by_origin.put(from, stay);
        self.by_origin.put(to, go);
    }

    /// A link has taken the place of another, and its deliveries have other names. What has none was settled by the sender.
    pub(crate) fn rename(
        &mut self,
        from: Origin,
        to: Origin,
        ids: &HashMap<DeliveryId, DeliveryId>,
    ) {
        self.each_of(from, to, |origin, delivery, _| {
            *origin = to;
            *delivery = delivery.and_then(|delivery| ids.get(&delivery).copied());
        });
    }

    /// What was decided about messages of a link that was away is told now, as any other decision.
    pub(crate) fn forget_decided(&mut self, of: Origin) {
        self.each_of(of, of, |_, delivery, status| {
            if status.is_some_and(|status| *status != Status::Pending) {
                *delivery = None;
            }
        });
    }

    /// Nobody can be told of decisions about what came down a link that has gone on in the place of `before`. Answers how
    /// many messages this concerns.
    pub(crate) fn disown(&mut self, from: Origin, before: Origin) -> u32 {
        let mut count = 0;
        self.each_of(from, before, |origin, delivery, status| {
            if delivery.is_some() {
                *origin = before;
                count += 1;
                abort(delivery, status);
            }
        });
        count
    }

    /// Messages of a link that `get` took, and about which nothing is decided.
    pub(crate) fn undecided_of(&mut self, of: Origin) -> Vec<u64> {
        let numbers = self.take_numbers(of);
        let is_undecided = |number: &u64| {
            let taken = self.window.get(*number);
            taken.is_some_and(|it| it.status == Status::Pending && it.delivery.is_some())
        };
        let undecided = numbers.iter().copied().filter(is_undecided).collect();
        self.by_origin.put(of, numbers);
        undecided
    }

    /// What was decided about messages of a link, if anything was, cannot be told any more.
    pub(crate) fn abort(&mut self, of: Origin) {
        self.each_of(of, of, |_, delivery, status| abort(delivery, status));
    }

    /// The last `count` messages came together. If others wait for longer, and these are little, they get octets of their own:
    /// what waits is counted, and the rest of what they were read with would not be. A program that takes at once what comes
    /// pays nothing.
    #[inline]
    pub(crate) fn came_together(&mut self, count: usize) {
        if self.old > 0 && count > 0 {
            self.copy_out(count);
        }
    }

    #[cold]
    fn copy_out(&mut self, count: usize) {
        let first = self.queue.len().saturating_sub(count);
        let weights = self.queue.range(first..).map(Received::weight);
        if weights.take(SPARSE / OVERHEAD).sum::<usize>() < SPARSE {
            for received in self.queue.range_mut(first..) {
                received.payload = Bytes::copy_from_slice(&received.payload);
            }
        }
    }

    /// The sender settled a delivery.
    pub(crate) fn note_settled(&mut self, conn: ConnKey, delivery: DeliveryId) {
        self.settled.entry(conn).or_default().insert(delivery);
    }

    /// Whether the sender settled a delivery before anything was decided here.
    pub(crate) fn is_settled(&self, conn: ConnKey, delivery: DeliveryId) -> bool {
        let settled = self.settled.get(&conn);
        settled.is_some_and(|settled| settled.contains(&delivery))
    }

    /// A delivery is decided about.
    pub(crate) fn forget(&mut self, conn: ConnKey, delivery: DeliveryId) {
        if self.settled.is_empty() {
            return;
        }
        if let Some(settled) = self.settled.get_mut(&conn) {
            settled.remove(&delivery);
            if settled.is_empty() {
                self.settled.remove(&conn);
            }
        }
    }

    /// Nobody asks any more what became of the deliveries of a connection.
    pub(crate) fn forget_settled(&mut self, conn: ConnKey) {
        self.settled.remove(&conn);
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.settled.is_empty()
    }
}
