//! Two cores of messengers in virtual time, that do anything to each other over lines that fail in any way.

mod calls;

use std::collections::{HashSet, VecDeque};

use bytes::Buf;
use ferrion_engine::Time;
use ferrion_engine::codec::Symbol;
use ferrion_engine::message::Message;
use ferrion_engine::protocol::conditions;

use crate::core::credit::Credit;
use crate::core::login::Seeds;
use crate::core::tracker::{Status, Tracker};
use crate::core::{Action, ConnKey, Core, SourceKey, Subscription};
use crate::reconnect::Reconnect;
use crate::recovery::LinkRecovery;

/// Steps of one run: more tell no more, and take their time.
const MOST_STEPS: usize = 300;
/// Turns without time passing, after which there is no end to it.
const MOST_TURNS: usize = 5_000;
/// Deadlines in a row, each of which changes something.
const MOST_DEADLINES: usize = 50_000;
/// Milliseconds in which what was lost is given up, or kept no longer.
const LONG: u64 = 300_000;

const NAMES: [&str; 2] = ["left", "right"];
/// Octet 0: bit 0, whether octets may be altered on their way; bit 1, whether links are recovered; bit 2, whether lost
/// connections are made again; bit 3, whether both listen already. Then one step after the other, each one octet and what it needs.
///
/// Whatever happens: no core panics or works for ever, none asks to be woken at a time that is over, and after the end nothing is
/// left. Where no octet is altered, nothing counts as accepted that nobody got, and neither finds fault with what the other says.
pub fn messenger_core(data: &[u8]) {
    let Some((mode, data)) = data.split_first() else {
        return;
    };
    let mut world = World::new(*mode, data);
    for _ in 0..MOST_STEPS {
        let Some((step, rest)) = world.input.split_first() else {
            break;
        };
        world.input = rest;
        world.step(*step);
        world.check();
    }
    world.finish();
}

/// A connection: who has its ends, as far as they still do.
struct Line {
    ends: [Option<(usize, ConnKey)>; 2],
}

struct World<'a> {
    input: &'a [u8],
    cores: [Core; 2],
    now: Time,
    /// Octets are altered: what goes wrong then is nobody's fault.
    is_noisy: bool,
    /// How many octets travel until the next is altered.
    until_noise: Option<usize>,
    /// An octet was altered: numbers of messages, and of deliveries, may be others.
    is_altered: bool,
    /// Nobody can be connected to.
    is_cut_off: bool,
    lines: Vec<Line>,
    listeners: Vec<(usize, SourceKey, String, u16)>,
    /// Connections with something to write.
    writing: VecDeque<(usize, ConnKey)>,
    /// Numbers of messages, and which of them somebody got.
    numbers: u32,
    got: HashSet<u32>,
    put: Vec<(usize, Tracker, u32)>,
    incoming: [Vec<(Tracker, Message)>; 2],
    subscriptions: [Vec<Subscription>; 2],
    requests: [Vec<u64>; 2],
}

fn new_core(name: &str, mode: u8) -> Core {
    let mut core = Core::new(name.into(), Seeds::new([1; 32], [2; 32]));
    core.options.allow_plain = true;
    core.set_outgoing_window(64);
    core.set_incoming_window(64);
    core.set_link_recovery((mode & 2 != 0).then(LinkRecovery::default));
    core.set_reconnect((mode & 4 != 0).then(|| Reconnect {
        initial: true,
        ..Reconnect::default()
    }));
    core
}

impl<'a> World<'a> {
    fn new(mode: u8, input: &'a [u8]) -> Self {
        let mut world = Self {
            input,
            cores: NAMES.map(|name| new_core(name, mode)),
            now: Time(1000),
            is_noisy: mode & 1 != 0,
            until_noise: None,
            is_altered: false,
            is_cut_off: false,
            lines: Vec::new(),
            listeners: Vec::new(),
            writing: VecDeque::new(),
            numbers: 0,
            got: HashSet::new(),
            put: Vec::new(),
            incoming: Default::default(),
            subscriptions: Default::default(),
            requests: Default::default(),
        };
        if mode & 8 != 0 {
            world.subscribe(1, 0);
            world.subscribe(0, 1);
            for core in &mut world.cores {
                core.request(Credit::All);
            }
        }
        world
    }

    fn octet(&mut self) -> u8 {
        match self.input.split_first() {
            Some((octet, rest)) => {
                self.input = rest;
                *octet
            }
            None => 0,
        }
    }

    fn step(&mut self, step: u8) {
        let who = usize::from(step & 1);
        match step >> 1 & 0x1f {
            0..=3 => self.put(who),
            4 | 5 => {
                let which = self.octet();
                self.subscribe(who, which);
            }
            6 | 7 => self.grant(who),
            8 | 9 => self.get(who),
            10 | 11 => self.decide(who),
            12 => self.settle(who),
            13 => self.ask(who),
            14 => self.take_reply(who),
            15 => self.reply(who),
            16..=18 => {
                let budget = usize::from(self.octet()) * 4;
                self.turn(budget);
            }
            19..=21 => self.settle_down(),
            22 => self.cut(),
            23 => self.half_open(who),
            24 => self.is_cut_off = !self.is_cut_off,
            25 => self.alter(),
            26 => {
                let time = u64::from(self.octet()) * [1, 10, 1000][usize::from(step >> 6) % 3];
                self.pass(time);
            }
            27 => self.settings(who),
            28 => self.routes(who),
            29 => self.try_routes(who),
            30 => self.unsubscribe(who),
            _ => self.stop(who),
        }
    }

    // ---- the world ----

    /// Everything that happens at this time.
    fn settle_down(&mut self) {
        for _ in 0..MOST_TURNS {
            if !self.turn(usize::MAX) {
                for (core, name) in self.cores.iter().zip(NAMES) {
                    let due = core.deadline().is_some_and(|at| at <= self.now);
                    assert!(!due, "{name} wants to be woken for ever");
                }
                return;
            }
        }
        panic!("there is no end to it");
    }

    /// Lets time pass, from one deadline to the next.
    fn pass(&mut self, time: u64) {
        let end = self.now.after(time);
        for _ in 0..MOST_DEADLINES {
            self.settle_down();
            let next = self.cores.iter().filter_map(Core::deadline).min();
            match next {
                Some(next) if next <= end => self.now = next,
                _ => {
                    self.now = end;
                    return self.settle_down();
                }
            }
        }
        panic!("there is no end to the deadlines");
    }

    /// One turn of both, in which so many octets travel; whether anything happened.
    fn turn(&mut self, budget: usize) -> bool {
        let mut busy = false;
        for who in 0..2 {
            let now = self.now;
            self.cores[who].handle_timeout(now);
            self.cores[who].pump(now);
            while let Some(action) = self.cores[who].next_action() {
                busy = true;
                self.act(who, action);
            }
            while let Some(conn) = self.cores[who].next_output() {
                busy = true;
                if !self.writing.contains(&(who, conn)) {
                    self.writing.push_back((who, conn));
                }
            }
            busy |= self.cores[who].has_ready();
            while self.cores[who].next_connection_event().is_some() {}
            while self.cores[who].next_warning().is_some() {}
            while self.cores[who].next_trace().is_some() {}
        }
        busy |= self.carry(budget);
        busy
    }

    fn act(&mut self, who: usize, action: Action) {
        let now = self.now;
        match action {
            Action::Connect {
                conn, host, port, ..
            } => {
                let listener = self
                    .listeners
                    .iter()
                    .find(|(_, _, name, at)| *name == host && *at == port);
                let come = listener
                    .filter(|_| !self.is_cut_off)
                    .map(|(there, source, ..)| (*there, *source))
                    .and_then(|(there, source)| {
                        let theirs = self.cores[there].accepted(source, "somebody".to_owned())?;
                        Some((there, theirs))
                    });
                let Some((there, theirs)) = come else {
                    let cause = format!("nobody listens at {host}");
                    return self.cores[who].connect_failed(conn, now, cause);
                };
                self.lines.push(Line {
                    ends: [Some((who, conn)), Some((there, theirs))],
                });
                self.cores[who].connected(conn, now, None);
                self.cores[there].connected(theirs, now, None);
            }
            Action::Listen {
                source, host, port, ..
            } => {
                if !self.cores[who].is_listening(source) {
                    return;
                }
                let taken = |(_, _, name, at): &(_, _, String, u16)| *name == host && *at == port;
                if self.listeners.iter().any(taken) {
                    self.cores[who].listen_failed(source, "the port is taken".to_owned());
                } else {
                    self.listeners.push((who, source, host, port));
                    self.cores[who].listening(source, port);
                }
            }
            Action::Unlisten { source } => {
                let listeners = &mut self.listeners;
                listeners.retain(|(owner, known, ..)| (*owner, *known) != (who, source));
            }
            Action::Close { conn, failed } => {
                if let Some(Some((there, theirs))) = self.let_go((who, conn)) {
                    if failed {
                        self.cores[there].lost(theirs, now, "reset by the peer".to_owned());
                    } else {
                        self.cores[there].ended(theirs, now, None);
                    }
                }
            }
        }
    }

    /// Takes an end off its line, if there is one; answers the other.
    fn let_go(&mut self, end: (usize, ConnKey)) -> Option<Option<(usize, ConnKey)>> {
        let at = self
            .lines
            .iter()
            .position(|line| line.ends.contains(&Some(end)))?;
        let ends = &mut self.lines[at].ends;
        for it in ends.iter_mut().filter(|it| **it == Some(end)) {
            *it = None;
        }
        let other = ends.iter().flatten().next().copied();
        if other.is_none() {
            self.lines.swap_remove(at);
        }
        Some(other)
    }

    /// Whether there is such a connection, and who is at its other end, if anybody is.
    fn across(&self, end: (usize, ConnKey)) -> Option<Option<(usize, ConnKey)>> {
        let line = self
            .lines
            .iter()
            .find(|line| line.ends.contains(&Some(end)))?;
        let mut others = line.ends.iter().flatten();
        Some(others.find(|it| **it != end).copied())
    }

    /// Octets travel, at most so many.
    fn carry(&mut self, mut budget: usize) -> bool {
        let mut busy = false;
        while let Some(end) = self.writing.pop_front() {
            let Some(other) = self.across(end) else {
                continue;
            };
            let (who, conn) = end;
            loop {
                let now = self.now;
                let Some(mut output) = self.cores[who].output(conn, now) else {
                    break;
                };
                let length = output.chunk().len().min(budget);
                if !output.has_remaining() {
                    self.cores[who].flushed(conn, now);
                    break;
                }
                if length == 0 {
                    self.writing.push_front(end);
                    return busy;
                }
                let mut octets = output.chunk()[..length].to_vec();
                output.advance(length);
                busy = true;
                budget = budget.saturating_sub(length);
                self.disturb(&mut octets);
                if let Some((there, theirs)) = other {
                    self.cores[there].input(theirs, now, &octets);
                }
            }
        }
        busy
    }

    fn disturb(&mut self, octets: &mut [u8]) {
        if let Some(left) = &mut self.until_noise {
            if let Some(octet) = octets.get_mut(*left) {
                *octet ^= 1 << (*left % 8);
                self.until_noise = None;
                self.is_altered = true;
            } else {
                *left -= octets.len();
            }
        }
    }

    fn alter(&mut self) {
        let after = usize::from(self.octet());
        if self.is_noisy {
            self.until_noise = Some(after);
        }
    }

    /// A line fails, and both ends hear of it.
    fn cut(&mut self) {
        let which = usize::from(self.octet());
        if self.lines.is_empty() {
            return;
        }
        let line = self.lines.swap_remove(which % self.lines.len());
        for (who, conn) in line.ends.into_iter().flatten() {
            self.cores[who].lost(conn, self.now, "the line was cut".to_owned());
        }
    }

    /// A line fails, and only one end hears of it.
    fn half_open(&mut self, who: usize) {
        let which = usize::from(self.octet());
        let ends = self.lines.iter().flat_map(|line| line.ends).flatten();
        let ends: Vec<_> = ends.filter(|(owner, _)| *owner == who).collect();
        if !ends.is_empty() {
            let end = ends[which % ends.len()];
            self.let_go(end);
            self.cores[who].lost(end.1, self.now, "the line was cut".to_owned());
        }
    }

    // ---- what must hold ----

    fn check(&mut self) {
        for (who, tracker, number) in &self.put {
            if self.cores[*who].status(*tracker) == Status::Accepted {
                let was_got = self.is_altered || self.got.contains(number);
                assert!(was_got, "{number} was never got");
            }
        }
        for core in &mut self.cores {
            let errors = [core.take_send_error(), core.take_recv_error()];
            for error in errors.into_iter().flatten() {
                let condition = error.condition().map(|it| &it.condition);
                let fault = condition.is_some_and(|it| FAULTS.contains(it));
                assert!(self.is_noisy || !fault, "{error}");
            }
        }
    }

    fn finish(&mut self) {
        self.is_cut_off = false;
        // Who has not heard of it hears of it now.
        let (whole, half) = std::mem::take(&mut self.lines)
            .into_iter()
            .partition(|line: &Line| line.ends.iter().all(Option::is_some));
        self.lines = whole;
        for (who, conn) in half.into_iter().flat_map(|line: Line| line.ends).flatten() {
            self.cores[who].lost(conn, self.now, "the line was cut".to_owned());
        }
        self.pass(LONG);
        self.check();
        for core in &mut self.cores {
            core.close_all();
        }
        self.pass(1000);
        self.check();
        for core in &mut self.cores {
            core.abandon_all();
        }
        self.settle_down();
        self.check();
        for (core, name) in self.cores.iter().zip(NAMES) {
            assert!(core.is_stopped(), "{name} has not stopped: {core:?}");
            assert_eq!(core.outgoing(), 0, "{name} has something left to send");
            assert_eq!(core.outstanding_requests(), 0, "{name} waits for replies");
        }
        assert!(self.lines.is_empty() && self.listeners.is_empty());
        for (who, tracker, number) in &self.put {
            let status = self.cores[*who].status(*tracker);
            assert_ne!(status, Status::Pending, "message {number}");
        }
    }
}

/// What only a peer is told that does not keep to the protocol.
const FAULTS: [Symbol; 9] = [
    conditions::CONNECTION_FRAMING_ERROR,
    conditions::DECODE_ERROR,
    conditions::INTERNAL_ERROR,
    conditions::INVALID_FIELD,
    conditions::SESSION_WINDOW_VIOLATION,
    conditions::SESSION_ERRANT_LINK,
    conditions::SESSION_HANDLE_IN_USE,
    conditions::SESSION_UNATTACHED_HANDLE,
    conditions::LINK_TRANSFER_LIMIT_EXCEEDED,
];
