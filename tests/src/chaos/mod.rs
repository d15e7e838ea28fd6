//! Two engines driven by a plan of random commands, and what must hold whatever the plan is.
//!
//! Each engine is used well (every event is answered, no command is forced), so neither may ever find fault with the other.
//! After every command the monitors have judged every frame; whenever the two come to rest, both sides must agree on credit and
//! on what is unsettled; at the end everything is closed and nothing may be left over.

mod rest;

use std::collections::{BTreeMap, BTreeSet};

use ferrion_engine::protocol::{DeliveryState, ReceiverSettleMode, Role, SenderSettleMode};
use ferrion_engine::{
    Config, DeliveryId, Event, LinkConfig, LinkId, SendOptions, SessionConfig, SessionId,
};

use crate::endpoint::Cut;
use crate::oracle::{FrameReader, What};
use crate::pair::{At, Pair};

/// One command of a plan. The numbers are taken modulo whatever there is to choose from, so that every plan means something.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    /// Which command.
    pub kind: u8,
    /// Which object.
    pub pick: u8,
    /// How much.
    pub amount: u16,
}

/// What a plan is run under.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// How octets are cut; 0 is not at all.
    pub seed: u64,
    /// Frame size of both.
    pub max_frame_size: u32,
    /// Window of both, in frames.
    pub window: u32,
    /// Where all serial numbers start.
    pub start: u32,
    /// Octets of output at which an engine stops encoding.
    pub output: usize,
    /// Idle time-out of both, in milliseconds.
    pub idle: Option<u32>,
}

/// What two engines said and told in a run.
#[derive(Debug, PartialEq)]
pub struct Record {
    /// All octets of client and server.
    pub written: [Vec<u8>; 2],
    /// All events of client and server.
    pub events: [Vec<Event>; 2],
}

/// Channel, descriptor code and payload of a frame.
pub type Said = (u16, Option<u64>, Vec<u8>);

impl Record {
    /// The frames of each side without what a serial number says.
    pub fn frames(&self) -> [Vec<Said>; 2] {
        self.written.each_ref().map(|octets| {
            let mut reader = FrameReader::new();
            reader.push(octets);
            let mut frames = Vec::new();
            while let Some(piece) = reader.next_piece().expect("it was read before") {
                if let What::Frame(frame) = piece.what {
                    let code = frame.perf.map(|perf| perf.code);
                    frames.push((frame.channel, code, frame.payload));
                }
            }
            frames
        })
    }
}

/// A delivery as the test follows it: link number, number on that link.
type Key = (u32, u32);

struct Chaos {
    pair: Pair,
    setting: Setting,
    /// The line changes octets: what goes wrong is nobody's fault.
    noisy: bool,
    sessions: [Vec<SessionId>; 2],
    links: [Vec<LinkId>; 2],
    /// Link numbers by name are given out here.
    next_link: u32,
    /// Deliveries sent so far on each link.
    sent: BTreeMap<u32, u32>,
    /// The next delivery that each receiver must see.
    expected: BTreeMap<u32, u32>,
    /// Deliveries that a receiver took and has not settled.
    taken: [Vec<(LinkId, DeliveryId, Key)>; 2],
    /// Unsettled deliveries of senders.
    unsettled: [Vec<(LinkId, DeliveryId, Key)>; 2],
    /// Deliveries that are being written.
    streams: [Vec<(LinkId, DeliveryId, Key)>; 2],
    /// What was read of deliveries that are not complete, by link number.
    read: BTreeMap<u32, Vec<u8>>,
    /// Deliveries that were taken back.
    aborted: BTreeSet<Key>,
    /// Links that a side closes gracefully: what it does not take of them is released.
    closing: BTreeSet<u32>,
    /// The outcome that a receiver settled with.
    outcomes: BTreeMap<Key, DeliveryState>,
}

/// Runs a plan and checks all that must hold; panics with the trace if something does not.
pub fn run(setting: Setting, plan: &[Op]) -> Record {
    Chaos::new(setting).run(plan)
}

/// Runs a plan with octets moved at the same moments as in [`run`], but each by itself: handed to the engine one by one, and its
/// output advanced one by one.
pub fn run_octet_by_octet(setting: Setting, plan: &[Op]) -> Record {
    let mut chaos = Chaos::new(setting);
    chaos.pair.recut(Cut::Octets);
    chaos.run(plan)
}

/// Runs a plan over a line that changes one octet in `rarity`. Nothing can be said about what comes of it, but that neither side
/// panics, writes what is not AMQP, or fails to end when the line does.
pub fn run_with_noise(setting: Setting, rarity: usize, plan: &[Op]) {
    let mut chaos = Chaos::new(setting);
    chaos.noisy = true;
    chaos.pair.noise = Some(rarity);
    chaos.pair.client.judged = false;
    chaos.pair.server.judged = false;
    for op in plan {
        chaos.carry_out(*op);
        chaos.answer_events();
    }
    chaos.pair.run();
    chaos.answer_events();
    chaos.pair.sever();
    chaos.answer_events();
    for at in [At::Client, At::Server] {
        if chaos.pair.engine(at).poll_timeout().is_some() {
            chaos.pair.fail("a deadline after the end");
        }
    }
}

fn side(at: At) -> usize {
    match at {
        At::Client => 0,
        At::Server => 1,
    }
}

fn choose<T: Copy>(from: &[T], pick: u8) -> Option<T> {
    (!from.is_empty()).then(|| from[usize::from(pick) % from.len()])
}

impl Chaos {
    fn run(mut self, plan: &[Op]) -> Record {
        for op in plan {
            self.carry_out(*op);
            self.answer_events();
        }
        self.come_to_rest();
        self.close_everything();
        let ends = [&mut self.pair.client, &mut self.pair.server];
        let (written, events) = (
            ends.each_ref().map(|end| end.written.clone()),
            ends.map(|end| std::mem::take(&mut end.events)),
        );
        Record { written, events }
    }

    fn new(setting: Setting) -> Self {
        let config = |name: &'static str| {
            let mut config = Config::new(name);
            config.max_frame_size = setting.max_frame_size;
            config.limits.output_octets = setting.output;
            config.idle_time_out = setting.idle;
            config
        };
        let mut pair = Pair::with(setting.seed, config("client"), config("server"));
        for at in [At::Client, At::Server] {
            pair.engine(at).connection().open().expect("fresh");
        }
        Self {
            pair,
            setting,
            noisy: false,
            sessions: Default::default(),
            links: Default::default(),
            next_link: 0,
            sent: BTreeMap::new(),
            expected: BTreeMap::new(),
            taken: Default::default(),
            unsettled: Default::default(),
            streams: Default::default(),
            read: BTreeMap::new(),
            aborted: BTreeSet::new(),
            closing: BTreeSet::new(),
            outcomes: BTreeMap::new(),
        }
    }

    fn wrong(&mut self, why: &str) {
        if !self.noisy {
            self.pair.fail(why);
        }
    }

    fn session_config(&self) -> SessionConfig {
        SessionConfig {
            incoming_window: self.setting.window,
            next_outgoing_id: self.setting.start,
            ..SessionConfig::default()
        }
    }

    fn carry_out(&mut self, op: Op) {
        let at = if op.pick & 0x80 == 0 {
            At::Client
        } else {
            At::Server
        };
        let (pick, amount) = (op.pick & 0x7f, op.amount);
        match op.kind % 44 {
            0 | 1 => self.begin(at),
            2 | 3 => self.attach(at, pick, amount),
            4..=11 => {
                for _ in 0..=amount % 4 {
                    self.send(at, pick, amount);
                }
            }
            12..=16 => self.grant(at, pick, amount),
            17 => self.drain(at, pick),
            18..=21 => {
                for _ in 0..=amount % 4 {
                    self.take(at, pick);
                }
            }
            22..=26 => {
                for _ in 0..=amount % 4 {
                    self.settle(at, pick, amount);
                }
            }
            27 => self.settle_as_sender(at, pick),
            28 if amount % 4 == 0 => self.close_link(at, pick, amount / 4),
            29 if amount % 8 == 0 => self.end_session(at, pick),
            30..=32 => self.stream(at, pick, amount),
            33 => self.pair.run_for(u64::from(amount)),
            40 | 41 => self.read_part(at, pick),
            42 if amount % 3 == 0 => self.close_gracefully(at, pick, amount / 3),
            34..=37 => {
                for _ in 0..=amount % 4 {
                    self.pair.step();
                }
            }
            _ => self.come_to_rest(),
        }
    }

    fn begin(&mut self, at: At) {
        if self.sessions[side(at)].len() >= 3 {
            return;
        }
        let config = self.session_config();
        match self.pair.engine(at).connection().begin(config) {
            Ok(id) => self.sessions[side(at)].push(id),
            Err(e) => self.wrong(&format!("begin: {e}")),
        }
    }

    fn attach(&mut self, at: At, pick: u8, amount: u16) {
        if self.links[side(at)].len() >= 6 {
            return;
        }
        let Some(session) = choose(&self.sessions[side(at)], pick) else {
            return;
        };
        let number = self.next_link;
        let mut config = LinkConfig::sender(number.to_string(), "node");
        config.initial_delivery_count = self.setting.start;
        config.snd_settle_mode = match amount % 4 {
            0 => SenderSettleMode::Settled,
            1 => SenderSettleMode::Unsettled,
            _ => SenderSettleMode::Mixed,
        };
        if amount.is_multiple_of(3) {
            config.rcv_settle_mode = ReceiverSettleMode::Second;
        }
        let Ok(mut view) = self.pair.engine(at).session(session) else {
            return;
        };
        let attached = if amount & 0x100 == 0 {
            view.attach_sender(config)
        } else {
            view.attach_receiver(config)
        };
        if let Ok(id) = attached {
            self.next_link += 1;
            self.links[side(at)].push(id);
            self.stream_every_other(at, id);
        }
    }

    /// On every other link deliveries can be read while they come.
    fn stream_every_other(&mut self, at: At, link: LinkId) {
        if let Ok(receiver) = self.pair.engine(at).receiver(link)
            && receiver.credit() == 0
        {
            let number = self.number(at, link).unwrap_or_default();
            if let Ok(mut receiver) = self.pair.engine(at).receiver(link) {
                receiver.set_streaming(number % 2 == 1);
            }
        }
    }

    /// The number of a link, if it lives.
    fn number(&mut self, at: At, link: LinkId) -> Option<u32> {
        self.pair
            .engine(at)
            .link(link)
            .ok()
            .map(|l| l.name().parse().unwrap_or(u32::MAX))
    }

    fn links_of(&mut self, at: At, role: Role) -> Vec<LinkId> {
        let links = self.links[side(at)].clone();
        let engine = self.pair.engine(at);
        links
            .into_iter()
            .filter(|id| engine.link(*id).is_ok_and(|link| link.role() == role))
            .collect()
    }

    fn send(&mut self, at: At, pick: u8, amount: u16) {
        let Some(link) = choose(&self.links_of(at, Role::Sender), pick) else {
            return;
        };
        let Some(number) = self.number(at, link) else {
            return;
        };
        let count = *self.sent.entry(number).or_default();
        let mut payload = [number.to_be_bytes(), count.to_be_bytes()].concat();
        payload.resize(8 + usize::from(amount % 2000), count as u8);
        let Ok(mut sender) = self.pair.engine(at).sender(link) else {
            return;
        };
        let tag = count.to_be_bytes();
        if amount.is_multiple_of(2) {
            if let Ok(id) = sender.send(&tag, payload) {
                self.unsettled[side(at)].push((link, id, (number, count)));
                self.sent.insert(number, count + 1);
            }
        } else if sender.send_settled(&tag, payload).is_ok() {
            self.sent.insert(number, count + 1);
        }
    }

    /// One step of a delivery that is written in pieces: begins it, adds to it, ends it or takes it back.
    fn stream(&mut self, at: At, pick: u8, amount: u16) {
        let streams = &mut self.streams[side(at)];
        if streams.is_empty() || amount.is_multiple_of(5) {
            self.begin_stream(at, pick, amount);
            return;
        }
        let index = usize::from(pick) % streams.len();
        let (link, id, key) = streams[index];
        let Ok(mut sender) = self.pair.engine(at).sender(link) else {
            return;
        };
        let filler = vec![key.1 as u8; usize::from(amount % 1500)];
        match amount % 5 {
            1 => {
                if sender.finish(id).is_ok() {
                    self.streams[side(at)].swap_remove(index);
                }
            }
            2 => {
                // The receiver must not miss it: it never was.
                if sender.abort(id).is_ok() {
                    self.aborted.insert(key);
                    self.streams[side(at)].swap_remove(index);
                    self.unsettled[side(at)].retain(|(_, d, _)| *d != id);
                }
            }
            _ => {
                let _ = sender.write(id, filler);
            }
        }
    }

    fn begin_stream(&mut self, at: At, pick: u8, amount: u16) {
        let Some(link) = choose(&self.links_of(at, Role::Sender), pick) else {
            return;
        };
        let Some(number) = self.number(at, link) else {
            return;
        };
        let count = *self.sent.entry(number).or_default();
        let settled = amount & 0x40 == 0;
        let Ok(mut sender) = self.pair.engine(at).sender(link) else {
            return;
        };
        let options = SendOptions {
            settled,
            ..SendOptions::default()
        };
        let Ok(id) = sender.stream(&count.to_be_bytes(), &options) else {
            return;
        };
        let head = [number.to_be_bytes(), count.to_be_bytes()].concat();
        sender.write(id, head).expect("just begun");
        self.sent.insert(number, count + 1);
        self.streams[side(at)].push((link, id, (number, count)));
        if !settled {
            self.unsettled[side(at)].push((link, id, (number, count)));
        }
    }

    fn grant(&mut self, at: At, pick: u8, amount: u16) {
        let Some(link) = choose(&self.links_of(at, Role::Receiver), pick) else {
            return;
        };
        if let Ok(mut receiver) = self.pair.engine(at).receiver(link) {
            // May fail while the link is not attached from this side.
            let _ = match amount % 3 {
                0 => receiver.add_credit(u32::from(amount % 7)),
                _ => receiver.set_credit(u32::from(amount % 20)),
            };
        }
    }

    fn drain(&mut self, at: At, pick: u8) {
        let Some(link) = choose(&self.links_of(at, Role::Receiver), pick) else {
            return;
        };
        if let Ok(mut receiver) = self.pair.engine(at).receiver(link) {
            let _ = receiver.drain();
        }
    }

    fn take(&mut self, at: At, pick: u8) {
        let Some(link) = choose(&self.links_of(at, Role::Receiver), pick) else {
            return;
        };
        self.take_one(at, link);
    }

    fn take_one(&mut self, at: At, link: LinkId) -> bool {
        let Some(number) = self.number(at, link) else {
            return false;
        };
        let Ok(mut receiver) = self.pair.engine(at).receiver(link) else {
            return false;
        };
        let Some(delivery) = receiver.next_delivery() else {
            return false;
        };
        let mut octets = self.read.remove(&number).unwrap_or_default();
        octets.extend_from_slice(&delivery.payload.into_bytes());
        if delivery.aborted {
            return true;
        }
        let expected = self.expected.entry(number).or_default();
        while self.aborted.contains(&(number, *expected)) {
            *expected += 1;
        }
        // What came while the link was closing went back unseen.
        let first = octets.get(4..8).and_then(|octets| octets.first_chunk());
        let came = first.map_or(*expected, |octets| u32::from_be_bytes(*octets));
        if self.closing.contains(&number) && came > *expected {
            *expected = came;
        }
        let start = [number.to_be_bytes(), expected.to_be_bytes()].concat();
        let (key, filler) = ((number, *expected), *expected as u8);
        *expected += 1;
        if !octets.starts_with(&start) || !octets[8..].iter().all(|o| *o == filler) {
            self.wrong(&format!(
                "delivery {key:?} came as {:?}",
                octets.escape_ascii().to_string()
            ));
        }
        if *delivery.tag != key.1.to_be_bytes() {
            self.wrong(&format!(
                "delivery {key:?} came with tag {:?}",
                delivery.tag
            ));
        }
        if let Some(id) = delivery.id {
            self.taken[side(at)].push((link, id, key));
        }
        true
    }

    /// Takes what has come of a delivery.
    fn read_part(&mut self, at: At, pick: u8) {
        let Some(link) = choose(&self.links_of(at, Role::Receiver), pick) else {
            return;
        };
        let Some(number) = self.number(at, link) else {
            return;
        };
        let Ok(mut receiver) = self.pair.engine(at).receiver(link) else {
            return;
        };
        // Deliveries before it come first, or the octets would be of two.
        if receiver.waiting() == 0
            && let Some(payload) = receiver.read_partial()
        {
            let read = self.read.entry(number).or_default();
            read.extend_from_slice(&payload.into_bytes());
        }
    }

    fn close_gracefully(&mut self, at: At, pick: u8, amount: u16) {
        let Some(link) = choose(&self.links[side(at)], pick) else {
            return;
        };
        let Some(number) = self.number(at, link) else {
            return;
        };
        let by = self.pair.now().after(u64::from(amount));
        let mut view = self.pair.engine(at).link(link).expect("it has a number");
        if view.close_by(by).is_ok() && view.role() == Role::Receiver {
            self.closing.insert(number);
        }
    }

    fn settle(&mut self, at: At, pick: u8, amount: u16) {
        let taken = &mut self.taken[side(at)];
        if taken.is_empty() {
            return;
        }
        let index = usize::from(pick) % taken.len();
        let (link, id, key) = taken[index];
        let state = match amount % 4 {
            0 => DeliveryState::Released,
            1 => DeliveryState::Rejected(None),
            _ => DeliveryState::Accepted,
        };
        let Ok(mut receiver) = self.pair.engine(at).receiver(link) else {
            return;
        };
        if amount.is_multiple_of(5) {
            let _ = receiver.update(id, state);
            return;
        }
        if receiver.settle(id, state.clone()).is_ok() {
            self.outcomes.insert(key, state);
        }
        self.taken[side(at)].swap_remove(index);
    }

    fn settle_as_sender(&mut self, at: At, pick: u8) {
        let unsettled = &mut self.unsettled[side(at)];
        if unsettled.is_empty() {
            return;
        }
        let index = usize::from(pick) % unsettled.len();
        let (link, id, _) = unsettled[index];
        let Ok(mut sender) = self.pair.engine(at).sender(link) else {
            return;
        };
        // Refused while it is being written.
        if sender.settle(id).is_ok() {
            self.unsettled[side(at)].swap_remove(index);
        }
    }

    fn close_link(&mut self, at: At, pick: u8, amount: u16) {
        let Some(link) = choose(&self.links[side(at)], pick) else {
            return;
        };
        if let Ok(mut view) = self.pair.engine(at).link(link) {
            let _ = if amount.is_multiple_of(2) {
                view.close(None)
            } else {
                view.detach()
            };
        }
    }

    fn end_session(&mut self, at: At, pick: u8) {
        let Some(session) = choose(&self.sessions[side(at)], pick) else {
            return;
        };
        if let Ok(mut view) = self.pair.engine(at).session(session) {
            let _ = view.end(None);
        }
    }
}
