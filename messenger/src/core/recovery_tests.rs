//! Two cores over a line in memory that is cut anywhere, in virtual time.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;

use bytes::Buf;
use ferrion_engine::Time;
use ferrion_engine::message::Message;

use super::credit::Credit;
use super::inbox::Decision;
use super::login::Seeds;
use super::pool::ConnKey;
use super::tracker::{Flags, Status, Tracker};
use super::{Action, Core, SourceKey};
use crate::reconnect::{ConnectionEvent, Reconnect};
use crate::recovery::LinkRecovery;
use crate::subscribe::SubscribeOptions;

/// Octets that travel at once.
const PIECE: usize = 48;

/// Who sends, and who hears of a cut first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// The client puts, or the server does, down the client's subscription.
    pub(super) client_sends: bool,
    /// The listening side does not hear that the line was cut before the other is back.
    pub(super) half_open: bool,
    /// Messages that are got and wait for a decision.
    pub(super) undecided: usize,
    /// Instead, all that are there are got, and then decided about together.
    pub(super) together: bool,
}

/// One connection: the keys of both sides, and whether each still has it.
#[derive(Clone, Copy, Debug)]
struct Line {
    ends: [Option<ConnKey>; 2],
}

pub(super) struct World {
    plan: Plan,
    pub(super) cores: [Core; 2],
    lines: Vec<Line>,
    pub(super) listener: SourceKey,
    pub(super) now: Time,
    put: VecDeque<Message>,
    pub(super) trackers: Vec<Tracker>,
    pub(super) got: Vec<String>,
    pub(super) waiting: VecDeque<Tracker>,
    pub(super) decided: Vec<Tracker>,
    pub(super) events: Vec<ConnectionEvent>,
}

pub(super) fn core(name: &str, recovery: Option<LinkRecovery>) -> Core {
    let mut core = Core::new(name.into(), Seeds::new([1; 32], [2; 32]));
    core.set_link_recovery(recovery);
    // Messages take several frames.
    core.options.max_frame_size = Some(512);
    core.set_reconnect(Some(Reconnect {
        initial: true,
        ..Reconnect::default()
    }));
    core.set_outgoing_window(usize::MAX);
    core.set_incoming_window(usize::MAX);
    core
}

pub(super) fn message(address: &str, number: usize) -> Message {
    let sizes = [3, 900, 0, 1300, 10, 40];
    let mut message = Message::with_body(format!("{number}:{}", "x".repeat(sizes[number % 6])));
    message.set_address(address);
    message
}

pub(super) fn listen(core: &mut Core) -> SourceKey {
    let everyone = core.subscribe("~0.0.0.0", &SubscribeOptions::new());
    core.request(Credit::All);
    everyone.unwrap().0
}

/// Carries what one has to say to the other.
pub(super) fn pass(from: (&mut Core, ConnKey), to: (&mut Core, ConnKey), now: Time) {
    from.0.pump(now);
    while let Some(mut output) = from.0.output(from.1, now)
        && output.has_remaining()
    {
        let octets = output.chunk().to_vec();
        output.advance(octets.len());
        to.0.input(to.1, now, &octets);
    }
    from.0.flushed(from.1, now);
    to.0.pump(now);
}

impl World {
    fn new(plan: Plan, count: usize) -> Self {
        let recovery = Some(LinkRecovery::default());
        Self::with(plan, count, recovery.clone(), recovery)
    }

    pub(super) fn with(
        plan: Plan,
        count: usize,
        client: Option<LinkRecovery>,
        server: Option<LinkRecovery>,
    ) -> Self {
        let mut cores = [core("client", client), core("server", server)];
        let listener = listen(&mut cores[1]);
        let address = if plan.client_sends {
            "amqp://s1/q"
        } else {
            cores[0]
                .subscribe("amqp://s1/q", &SubscribeOptions::new())
                .unwrap();
            "amqp://client/q"
        };
        cores[usize::from(plan.client_sends)].request(Credit::All);
        Self {
            plan,
            cores,
            lines: Vec::new(),
            listener,
            now: Time(1000),
            put: (0..count).map(|n| message(address, n)).collect(),
            trackers: Vec::new(),
            got: Vec::new(),
            waiting: VecDeque::new(),
            decided: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(super) fn sender(&mut self) -> &mut Core {
        &mut self.cores[usize::from(!self.plan.client_sends)]
    }

    pub(super) fn receiver(&mut self) -> &mut Core {
        &mut self.cores[usize::from(self.plan.client_sends)]
    }

    /// What the applications do.
    pub(super) fn play(&mut self) {
        // Until a subscriber is there its name leads nowhere.
        let pool = &self.cores[1].pool;
        let subscriber = pool.find_container("client").and_then(|key| pool.get(key));
        let is_there = subscriber.is_some_and(|conn| conn.senders.contains_key(&"q".into()));
        while (self.plan.client_sends || is_there)
            && let Some(message) = self.put.pop_front()
        {
            let tracker = self.sender().put(&message).unwrap();
            self.trackers.push(tracker);
        }
        let mut message = Message::new();
        if let Ok(tracker) = self.receiver().get(&mut message) {
            self.got
                .push(message.body_text().unwrap().unwrap().to_owned());
            self.waiting.push_back(tracker);
        } else if self.plan.together
            && let Some(last) = self.waiting.back()
        {
            let last = *last;
            self.accept(last, Flags::CUMULATIVE);
            self.decided.extend(self.waiting.drain(..));
        }
        let last = self.put.is_empty() && self.got.len() >= self.trackers.len();
        if !self.plan.together
            && (self.waiting.len() > self.plan.undecided || last)
            && let Some(tracker) = self.waiting.pop_front()
        {
            self.accept(tracker, Flags::NONE);
            self.decided.push(tracker);
        }
        while let Some(event) = self.cores[0].next_connection_event() {
            self.events.push(event);
        }
    }

    fn accept(&mut self, tracker: Tracker, flags: Flags) {
        let accepted = self.receiver().decide(tracker, flags, &Decision::Accept);
        accepted.unwrap();
    }

    /// Has the sender put more.
    pub(super) fn put_again(&mut self, messages: impl Iterator<Item = Message>) {
        self.put.extend(messages);
    }

    fn act(&mut self, side: usize) {
        let now = self.now;
        self.cores[side].handle_timeout(now);
        self.cores[side].pump(now);
        while let Some(action) = self.cores[side].next_action() {
            match action {
                Action::Connect { conn, .. } => {
                    let Some(peer) = self.cores[1].accepted(self.listener, "c1".to_owned()) else {
                        self.cores[0].connect_failed(conn, now, "nobody listens".to_owned());
                        continue;
                    };
                    self.cores[0].connected(conn, now, None);
                    self.cores[1].connected(peer, now, None);
                    self.lines.push(Line {
                        ends: [Some(conn), Some(peer)],
                    });
                }
                Action::Listen { source, .. } => self.cores[side].listening(source, 5672),
                Action::Close { conn, .. } => {
                    for line in &mut self.lines {
                        if line.ends[side] == Some(conn) {
                            line.ends[side] = None;
                            if let Some(other) = line.ends[1 - side] {
                                self.cores[1 - side].ended(other, now, None);
                            }
                        }
                    }
                }
                Action::Unlisten { .. } => {}
            }
        }
    }

    /// Carries up to `most` octets. Answers how many there were.
    fn carry(&mut self, most: usize) -> usize {
        let now = self.now;
        let mut moved = 0;
        for side in [0, 1] {
            for line in self.lines.clone() {
                let Some(from) = line.ends[side] else {
                    continue;
                };
                let room = PIECE.min(most - moved);
                let Some(mut output) = self.cores[side].output(from, now) else {
                    continue;
                };
                let chunk = output.chunk();
                let octets = chunk[..room.min(chunk.len())].to_vec();
                // What was written into a line that is cut is gone, and was taken all the same.
                output.advance(octets.len());
                let is_flushed = !output.has_remaining();
                moved += octets.len();
                if is_flushed {
                    self.cores[side].flushed(from, now);
                }
                if let Some(to) = line.ends[1 - side] {
                    self.cores[1 - side].input(to, now, &octets);
                }
            }
        }
        self.lines.retain(|line| line.ends != [None, None]);
        moved
    }

    /// Lets everybody work until so many octets have travelled, or all is done. Answers how many have.
    pub(super) fn work(&mut self, most: usize) -> usize {
        let mut moved = 0;
        let mut idle = 0;
        while moved < most {
            self.play();
            for side in [0, 1] {
                self.act(side);
            }
            let count = self.carry(most - moved);
            moved += count;
            idle = if count > 0 { 0 } else { idle + 1 };
            if idle > 2 * self.plan.undecided + 8 {
                let next = self.cores.iter().filter_map(Core::deadline).min();
                let all = self.put.is_empty() && self.waiting.is_empty();
                if all && self.sender().outgoing() == 0 {
                    break;
                }
                let next = next.unwrap_or_else(|| panic!("nothing moves: {self:?}"));
                assert!(next.0 < 10_000_000, "it takes for ever: {self:?}");
                self.now = Time(next.0.max(self.now.0 + 1));
                idle = 0;
            }
        }
        moved
    }

    /// Cuts every line.
    pub(super) fn cut(&mut self) {
        let now = self.now;
        for line in std::mem::take(&mut self.lines) {
            for (side, end) in line.ends.into_iter().enumerate() {
                if let Some(end) = end
                    && !(side == 1 && self.plan.half_open)
                {
                    self.cores[side].lost(end, now, "the line was cut".to_owned());
                }
            }
            if self.plan.half_open {
                self.lines.push(Line {
                    ends: [None, line.ends[1]],
                });
            }
        }
    }

    /// Lets time pass until whoever is away is back, or is not expected any more.
    pub(super) fn rest(&mut self) {
        for line in self.lines.clone() {
            if let [None, Some(end)] = line.ends {
                // In the end everybody notices.
                self.cores[1].lost(end, self.now, "nothing was heard".to_owned());
            }
        }
        let until = self.now.0 + 200_000;
        while self.now.0 < until {
            let mut idle = 0;
            while idle < 3 {
                self.act(0);
                self.act(1);
                idle = if self.carry(usize::MAX) > 0 {
                    0
                } else {
                    idle + 1
                };
            }
            let next = self.cores.iter().filter_map(Core::deadline).min();
            self.now = Time(next.map_or(until, |next| next.0.clamp(self.now.0 + 1, until)));
        }
    }

    pub(super) fn check(&mut self, count: usize) {
        self.rest();
        let number = |body: &String| body.split(':').next().unwrap().parse().unwrap();
        let got: Vec<usize> = self.got.iter().map(number).collect();
        assert!(
            got.into_iter().eq(0..count),
            "each comes once, in order: {self:?}"
        );
        for tracker in self.trackers.clone() {
            assert_eq!(self.sender().status(tracker), Status::Accepted, "{self:?}");
        }
        for tracker in self.decided.clone() {
            assert_eq!(self.receiver().status(tracker), Status::Accepted);
        }
        let forgot = |event: &ConnectionEvent| matches!(event, ConnectionEvent::Forgotten { .. });
        assert!(!self.events.iter().any(forgot), "{self:?}");
        self.check_empty();
    }

    /// Nothing is left that only a lost connection needed.
    pub(super) fn check_empty(&self) {
        for core in &self.cores {
            assert!(core.away.is_empty(), "{self:?}");
            assert_eq!(core.outgoing.unfinished(), 0);
            assert_eq!((core.outgoing.octets, core.outgoing.retained), (0, 0));
            assert!(core.incoming.is_empty());
            for key in core.pool.keys() {
                let conn = core.pool.get(key).unwrap();
                assert!(conn.returning.is_empty() && conn.kept.is_none());
                let census = conn.engine.census();
                let deliveries = census.outgoing_deliveries + census.incoming_deliveries;
                assert_eq!(deliveries, 0, "{self:?}");
                assert_eq!(census.links, conn.links.len(), "{self:?}");
            }
        }
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers = self.got.iter().filter_map(|body| body.split(':').next());
        let sender = &self.cores[usize::from(!self.plan.client_sends)];
        let statuses = self.trackers.iter().map(|tracker| sender.status(*tracker));
        f.debug_struct("World")
            .field("plan", &self.plan)
            .field("now", &self.now)
            .field("put", &self.put.len())
            .field("got", &numbers.collect::<Vec<_>>())
            .field("waiting", &self.waiting)
            .field("statuses", &statuses.collect::<Vec<_>>())
            .field("events", &self.events)
            .field("pools", &self.cores.each_ref().map(|core| &core.pool))
            .finish_non_exhaustive()
    }
}

/// Cuts the line after every `step`th octet of an exchange, and mostly once more while it is being mended.
fn cut_everywhere(plan: Plan, step: usize) {
    const COUNT: usize = 8;
    let mut undisturbed = World::new(plan, COUNT);
    let octets = undisturbed.work(usize::MAX);
    undisturbed.check(COUNT);
    assert!(octets > 4000, "{octets} octets show little");
    // Who waits for a subscriber by its name must not find one that has left before it subscribed.
    let from = if plan.half_open { 900 } else { 0 };
    for at in (from..octets).step_by(step) {
        let mut world = World::new(plan, COUNT);
        world.work(at);
        world.cut();
        if at % 3 > 0 {
            world.work(at * 7 % 1900);
            world.cut();
        }
        world.work(usize::MAX);
        world.check(COUNT);
    }
}

pub(super) const FORTH: Plan = Plan {
    client_sends: true,
    half_open: false,
    undecided: 2,
    together: false,
};
pub(super) const BACK: Plan = Plan {
    client_sends: false,
    ..FORTH
};

#[test]
fn what_a_client_sends_arrives_once_wherever_the_line_is_cut() {
    cut_everywhere(FORTH, 1);
}

#[test]
fn what_a_subscriber_is_sent_arrives_once_wherever_the_line_is_cut() {
    cut_everywhere(BACK, 1);
}

#[test]
fn a_peer_that_is_back_before_its_loss_was_noticed_goes_on_all_the_same() {
    for plan in [FORTH, BACK] {
        let half_open = true;
        cut_everywhere(Plan { half_open, ..plan }, 7);
    }
}

#[test]
fn whether_decisions_are_made_at_once_or_late_makes_no_difference() {
    for plan in [FORTH, BACK] {
        for undecided in [0, 100] {
            cut_everywhere(Plan { undecided, ..plan }, 11);
        }
    }
}
