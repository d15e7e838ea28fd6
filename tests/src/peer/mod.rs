//! One engine against a script.
//!
//! The script plays the engine's partner, frame by frame, with a codec of its own:
//!
//! ```text
//! client(|p| {
//!     p.opened();
//!     let session = p.begun();
//!     let link = p.sender(session, "l");
//!     p.grant(&link, 1);
//!     p.engine().sender(link.id).unwrap().send(b"t", b"hi").unwrap();
//!     p.expect_transfer().delivery_id(0).settled(false).payload(b"hi");
//! });
//! ```
//!
//! [`client`] and [`server`] run the script with whole writes and octet by octet, and compare what the engine wrote and which
//! events it gave. They do so with transfer-ids, delivery-ids and delivery-counts that start at zero, as the script writes them,
//! and again with all of them moved to the end of their circle, so that they wrap at the third (2.8.10). For that the engine's
//! sessions and links have to be made by the peer's commands ([`Peer::begin`], [`Peer::attach_sender`] ...), and numbers that
//! pass by the script's frames go through [`Peer::wire`]. Whatever the engine writes is judged by a
//! [`Monitor`](crate::monitor::Monitor) besides. The script numbers its channels and handles differently from the engine, so
//! that mixing them up shows.

mod got;
mod shift;
mod steps;

use std::collections::VecDeque;

use ferrion_engine::{Config, Engine, Event, Time};

pub use got::Got;
use shift::shift;
pub use steps::Wired;

use crate::build::Build;
use crate::endpoint::{Cut, Endpoint, Trace};
use crate::oracle::{AMQP_HEADER, Frame, Piece, What};

/// What the script adds to the engine's channel number to make its own.
pub const CHANNEL_OFFSET: u16 = 5;
/// What the script adds to the engine's handle to make its own.
pub const HANDLE_OFFSET: u32 = 7;
/// What is added to the serial numbers of the script to make those on the wire: nothing, and what makes them wrap at once.
const BASES: [u32; 2] = [0, 0xffff_fffe];

/// Which role the engine plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The engine made the connection.
    Client,
    /// The engine was connected to.
    Server,
}

/// The scripted partner of one engine.
pub struct Peer {
    /// The engine under test, its monitor and its record.
    pub end: Endpoint,
    /// Which role the engine plays.
    pub side: Side,
    now: Time,
    cut: Cut,
    base: u32,
    may_start_at_zero: bool,
    inbox: VecDeque<(Piece, Time)>,
    channel: u16,
    trace: Trace,
    told: bool,
}

/// Runs a script against a client engine with a plain configuration, in every way.
pub fn client(script: impl Fn(&mut Peer)) {
    client_with(Config::new("engine"), script);
}

/// Runs a script against a server engine with a plain configuration, in every way.
pub fn server(script: impl Fn(&mut Peer)) {
    server_with(Config::new("engine"), script);
}

/// [`client`] with a configuration.
pub fn client_with(config: Config, script: impl Fn(&mut Peer)) {
    run(Side::Client, &config, script);
}

/// [`server`] with a configuration.
pub fn server_with(config: Config, script: impl Fn(&mut Peer)) {
    run(Side::Server, &config, script);
}

fn run(side: Side, config: &Config, script: impl Fn(&mut Peer)) {
    for base in BASES {
        let run = |cut: Cut| {
            let mut peer = Peer::new(side, config.clone(), cut, base);
            script(&mut peer);
            peer.finish();
            peer
        };
        let whole = run(Cut::Whole);
        let mut octets = run(Cut::Octets);
        if whole.end.written != octets.end.written {
            let other = whole.trace.text();
            octets.fail(&format!("octet by octet the engine writes other frames than for whole writes; those gave:\n{other}\n"));
        }
        if whole.end.events != octets.end.events {
            let other = whole.trace.text();
            octets.fail(&format!("octet by octet the engine gives other events than for whole writes; those gave:\n{other}\n"));
        }
    }
}

impl Peer {
    fn new(side: Side, config: Config, cut: Cut, base: u32) -> Self {
        let engine = match side {
            Side::Client => Engine::client(config),
            Side::Server => Engine::server(config),
        };
        let mut trace = Trace::default();
        if base > 0 {
            trace.line(
                Time(0),
                &format!("-- serial numbers start at {base:#x} where the script has 0"),
            );
        }
        Self {
            end: Endpoint::new("engine", engine),
            side,
            // Not zero, so that arithmetic before the beginning of time would show.
            now: Time(1_000_000),
            cut,
            base,
            may_start_at_zero: base == 0,
            inbox: VecDeque::new(),
            channel: CHANNEL_OFFSET,
            trace,
            told: false,
        }
    }

    /// The engine, for commands and questions.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.end.engine
    }

    /// A serial number of the script's as the wire has it in this run.
    pub fn wire(&self, number: u32) -> u32 {
        number.wrapping_add(self.base)
    }

    /// Allows for sessions and links that no command of the peer's made: those that the engine begins or attaches only to end
    /// or refuse them.
    pub fn engine_starts_at_zero(&mut self) {
        self.may_start_at_zero = true;
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// A remark in the trace.
    pub fn note(&mut self, text: &str) {
        self.trace.line(self.now, &format!("-- {text}"));
    }

    /// Ends the test with a message and the trace.
    pub fn fail(&mut self, why: &str) -> ! {
        self.told = true;
        panic!("{why}\n{}", self.trace.text());
    }

    /// The trace so far.
    pub fn trace(&self) -> String {
        self.trace.text()
    }

    /// The channel that frames go to which name none.
    pub fn use_channel(&mut self, channel: u16) {
        self.channel = channel;
    }

    // ----- to the engine

    /// Sends one frame.
    pub fn inject(&mut self, build: Build) {
        let octets = self.octets(&build);
        self.inject_raw(&octets);
    }

    /// What [`inject`](Self::inject) would send.
    pub fn octets(&self, build: &Build) -> Vec<u8> {
        build.octets_with(self.channel, |frame| shift(frame, self.base))
    }

    /// Sends several frames in one write.
    pub fn inject_all(&mut self, builds: impl IntoIterator<Item = Build>) {
        let octets: Vec<u8> = builds.into_iter().flat_map(|b| self.octets(&b)).collect();
        self.inject_raw(&octets);
    }

    /// Sends a frame as it is.
    pub fn inject_frame(&mut self, frame: &Frame) {
        self.inject_raw(&frame.encode());
    }

    /// Sends octets.
    pub fn inject_raw(&mut self, octets: &[u8]) {
        self.end
            .feed(self.now, octets, &mut self.cut, &mut self.trace);
    }

    /// Ends the stream to the engine.
    pub fn inject_eof(&mut self) {
        self.note("end of stream");
        self.end.engine.recv_eof(self.now);
    }

    /// Lets time pass; calls the engine at each of its deadlines on the way and keeps what it writes.
    pub fn advance(&mut self, ms: u64) {
        let target = self.now.after(ms);
        self.note(&format!("{ms} ms pass"));
        while let Some(deadline) = self.end.engine.poll_timeout().filter(|d| d.at <= target) {
            self.now = self.now.max(deadline.at);
            self.end.engine.handle_timeout(self.now);
            self.pull();
            if self
                .end
                .engine
                .poll_timeout()
                .is_some_and(|d| d.at <= self.now)
            {
                self.fail("after handle_timeout the deadline is still in the past");
            }
        }
        self.now = target;
    }

    /// Lets time pass without calling the engine, as a busy program would; then calls it once.
    pub fn oversleep(&mut self, ms: u64) {
        self.now = self.now.after(ms);
        self.note(&format!("{ms} ms pass unnoticed"));
        self.end.engine.handle_timeout(self.now);
    }

    // ----- from the engine

    /// The next frame or header, if the engine has any.
    pub fn next_piece(&mut self) -> Option<(Piece, Time)> {
        if self.inbox.is_empty() {
            self.pull();
        }
        self.inbox.pop_front()
    }

    /// Everything that the engine has to say now, as performative names, `header` and `empty`.
    pub fn drain_names(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        while let Some((piece, _)) = self.next_piece() {
            names.push(name_of(&piece));
        }
        names
    }

    /// A protocol header must come.
    pub fn expect_header(&mut self, header: [u8; 8]) -> Got<'_> {
        let Some((piece, at)) = self.next_piece() else {
            self.fail("no protocol header came")
        };
        if piece.what != What::Header(header) {
            self.fail(&format!("another thing came than header {header:02x?}"));
        }
        Got::new(self, piece, at)
    }

    /// A frame with the performative of this descriptor code must come.
    pub fn expect(&mut self, code: u64) -> Got<'_> {
        let name = crate::oracle::shape(code).map_or("?", |s| s.name);
        let Some((piece, at)) = self.next_piece() else {
            self.fail(&format!("no {name} came"))
        };
        if name_of(&piece) != name {
            let other = name_of(&piece);
            self.fail(&format!("{other} came where {name} was expected"));
        }
        Got::new(self, piece, at)
    }

    /// `open` must come.
    pub fn expect_open(&mut self) -> Got<'_> {
        self.expect(0x10)
    }

    /// `begin` must come.
    pub fn expect_begin(&mut self) -> Got<'_> {
        self.expect(0x11)
    }

    /// `attach` must come.
    pub fn expect_attach(&mut self) -> Got<'_> {
        self.expect(0x12)
    }

    /// `flow` must come.
    pub fn expect_flow(&mut self) -> Got<'_> {
        self.expect(0x13)
    }

    /// `transfer` must come.
    pub fn expect_transfer(&mut self) -> Got<'_> {
        self.expect(0x14)
    }

    /// `disposition` must come.
    pub fn expect_disposition(&mut self) -> Got<'_> {
        self.expect(0x15)
    }

    /// `detach` must come.
    pub fn expect_detach(&mut self) -> Got<'_> {
        self.expect(0x16)
    }

    /// `end` must come.
    pub fn expect_end(&mut self) -> Got<'_> {
        self.expect(0x17)
    }

    /// `close` must come.
    pub fn expect_close(&mut self) -> Got<'_> {
        self.expect(0x18)
    }

    /// An empty frame must come.
    pub fn expect_empty(&mut self) -> Got<'_> {
        match self.next_piece() {
            Some((piece, at)) if name_of(&piece) == "empty" => Got::new(self, piece, at),
            _ => self.fail("no empty frame came"),
        }
    }

    /// The engine must have nothing to say.
    pub fn expect_nothing(&mut self) {
        if let Some((piece, _)) = self.next_piece() {
            let name = name_of(&piece);
            self.fail(&format!("{name} came where nothing was expected"));
        }
        if self.end.half_written() > 0 {
            self.fail("the output ends in the middle of a frame");
        }
    }

    /// The engine must have finished: nothing more to write, the transport can go.
    pub fn expect_done(&mut self) {
        self.expect_nothing();
        if !self.end.engine.is_done() {
            self.fail("the engine is not done");
        }
    }

    // ----- events

    /// The next event.
    pub fn next_event(&mut self) -> Option<Event> {
        self.end.poll_event(self.now, &mut self.trace)
    }

    /// All events that wait.
    pub fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.next_event()).collect()
    }

    /// Exactly these events must wait.
    pub fn expect_events(&mut self, expected: &[Event]) {
        let events = self.events();
        if events != expected {
            self.fail(&format!(
                "events {events:?} where {expected:?} were expected"
            ));
        }
    }

    /// The next event that `pick` likes; those before it are dropped. There must be one.
    pub fn event_where<T>(&mut self, what: &str, pick: impl Fn(Event) -> Option<T>) -> T {
        while let Some(event) = self.next_event() {
            if let Some(found) = pick(event) {
                return found;
            }
        }
        self.fail(&format!("no event {what}"))
    }

    fn pull(&mut self) {
        let pieces = match self.end.pull(self.now, &mut self.cut, &mut self.trace) {
            Ok(pieces) => pieces,
            Err(why) => self.fail(&format!("the engine breaks a rule: {why}")),
        };
        for (mut piece, at) in pieces {
            if let What::Frame(frame) = &mut piece.what {
                if !self.may_start_at_zero && shift::start(frame) == Some(0) {
                    self.fail("an endpoint of the engine's starts at 0: make it by a command of the peer's");
                }
                shift(frame, self.base.wrapping_neg());
            }
            self.inbox.push_back((piece, at));
        }
    }

    /// The rest of a run, so that nothing escapes the comparison.
    fn finish(&mut self) {
        self.pull();
        self.events();
    }
}

impl Drop for Peer {
    /// An `assert!` of the test knows nothing of the trace.
    fn drop(&mut self) {
        if std::thread::panicking() && !self.told {
            eprintln!("the trace of the failed test:\n{}", self.trace.text());
        }
    }
}

fn name_of(piece: &Piece) -> String {
    match &piece.what {
        What::Header(AMQP_HEADER) => "header".to_owned(),
        What::Header(other) => format!("header {other:02x?}"),
        What::Frame(frame) => frame
            .perf
            .as_ref()
            .map_or_else(|| "empty".to_owned(), |p| p.name()),
    }
}
