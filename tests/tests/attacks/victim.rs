//! An engine under attack: how it got into the state it is attacked in, the program around it, and what it costs.

use std::collections::BTreeSet;

use allocation_counter::measure;
use bytes::Buf;
use ferrion_engine::codec::Symbol;
use ferrion_engine::sasl::{
    Mechanism, SaslAnswer, SaslClient, SaslConfig, SaslRequest, SaslServer,
};
use ferrion_engine::{Config, Engine, Event, Failure, LinkId, SessionConfig, Time};
use ferrion_tests::build::{Build, Role, attach, begin, flow, open, source, target, transfer};
use ferrion_tests::oracle::{AMQP_HEADER, FrameReader, Perf, SASL_HEADER, V, What};

use State::{Attached, Begun, ClientOpen, ClientSasl, Header, Open, Opened, Sasl};

/// How far a connection has come when it is attacked. The first four are a server's, before it knows whom it talks to; two are
/// a client's, whose server is hostile; the rest are the same for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// A server before the first octet.
    Header,
    /// A server that waits for what the client logs in with.
    Sasl,
    /// A server that waits for open.
    Open,
    /// A client that waits for what the server offers.
    ClientSasl,
    /// A client that waits for the server's open.
    ClientOpen,
    /// Open was exchanged.
    Opened,
    /// A session was begun.
    Begun,
    /// On which links are attached: one each way that is attacked, and another to see that it is not harmed.
    Attached,
}

/// All of them, in the order of a connection.
pub(crate) const STATES: [State; 8] = [
    Header, Sasl, Open, ClientSasl, ClientOpen, Opened, Begun, Attached,
];

/// Which side the attacked engine is, where the state leaves that open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

impl State {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Header => "server, before the header",
            Sasl => "server, in SASL",
            Open => "server, before open",
            ClientSasl => "client, in SASL",
            ClientOpen => "client, before open",
            Opened => "after open",
            Begun => "on a session",
            Attached => "on a link",
        }
    }

    /// Whether the peer has not said yet who it is.
    pub(crate) const fn is_early(self) -> bool {
        matches!(self, Header | Sasl | Open | ClientSasl | ClientOpen)
    }
}

/// The channel and the handles that the attacker uses.
pub(crate) const CHANNEL: u16 = 3;
/// The handle of its sender, which the attacks are on; to its receiver it is the next one, and the honest link has `HONEST`.
pub(crate) const SENDER: u32 = 0;
pub(crate) const RECEIVER: u32 = 1;
pub(crate) const HONEST: u32 = 2;
/// Another session, with a link of its own.
const OTHER: u16 = 4;
/// Deliveries that the attacked engine has sent and that are not settled.
pub(crate) const UNSETTLED: u32 = 100;
/// Credit on each link of the attacker's.
pub(crate) const CREDIT: u32 = 50;

/// What a program does that is not well: nothing is taken, or nothing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// It takes what comes, accepts what is asked for, and writes what there is to write.
    Brisk,
    /// It takes no deliveries.
    Idle,
    /// It takes deliveries and does not settle them.
    Unsettling,
    /// The attacker does not read: nothing can be written.
    Stuck,
    /// It does not ask what has happened.
    Asleep,
}

pub(crate) struct Victim {
    pub(crate) engine: Engine,
    pub(crate) program: Program,
    reader: FrameReader,
    /// What ended, in the words of the table.
    pub(crate) ends: BTreeSet<String>,
    /// Octets that it wrote since it was attacked.
    pub(crate) wrote: usize,
    /// Frames that it wrote since then, by name.
    pub(crate) frames: Vec<String>,
    /// What it said of why something ended, and why it failed.
    pub(crate) reasons: Vec<String>,
    links: Vec<LinkId>,
    /// Links that are not attacked, of another session and of the one that is.
    honest: Vec<LinkId>,
    watched: bool,
    window: u32,
}

/// What an attack costs, and what comes of it.
pub(crate) struct Costs {
    /// Octets that were allocated at most at one moment, the engine with all it is made of among them.
    pub(crate) held: u64,
    /// Nanoseconds that the processor was busy with it.
    pub(crate) time: u64,
    pub(crate) outcome: String,
    pub(crate) victim: Victim,
}

/// Nanoseconds that the processor has worked for this thread, whatever else it did.
pub(crate) fn cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = stat.split_whitespace().next();
    first.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The attacker begins a session.
pub(crate) fn session() -> Build {
    begin()
        .next_outgoing_id(0)
        .incoming_window(5_000)
        .outgoing_window(5_000)
}

/// The attacker attaches a link of this role.
pub(crate) fn link(name: &str, handle: u32, role: Role) -> Build {
    let attach = attach()
        .name(name)
        .handle(handle)
        .role(role)
        .source(source().v())
        .target(target().v());
    match role {
        Role::Sender => attach.initial_delivery_count(0),
        Role::Receiver => attach,
    }
}

/// One transfer of the attacker's, of a delivery that is whole.
pub(crate) fn delivery(number: u32, payload: &[u8]) -> Build {
    transfer()
        .handle(SENDER)
        .delivery_id(number)
        .delivery_tag(&number.to_be_bytes())
        .message_format(0)
        .payload(payload)
}

/// A flow with numbers that fit a session on which nothing has come.
pub(crate) fn session_flow() -> Build {
    flow()
        .next_incoming_id(0)
        .incoming_window(5_000)
        .next_outgoing_id(0)
        .outgoing_window(5_000)
}

pub(crate) const NOW: Time = Time(1_000);

/// Limits so low that attacks reach them soon.
pub(crate) fn config() -> Config {
    let mut config = Config::new("victim");
    config.limits.connection_octets = 1 << 20;
    config.limits.link_octets = 256 << 10;
    config.limits.delivery_octets = 128 << 10;
    config.limits.partial_octets = 192 << 10;
    config.limits.empty_transfers = 100;
    config.limits.links_per_session = 200;
    config.limits.unsettled_per_session = 500;
    config.limits.control_octets = 64 << 10;
    config.limits.pending_replies = 100;
    config.limits.compound_octets = 32 << 10;
    config.limits.field_octets = 8 << 10;
    config.channel_max = 63;
    config
}

/// Octets that an engine with this configuration may hold for a peer that it does not know yet: 16 KiB and a frame.
pub(crate) const EARLY: u64 = (16 << 10) + 512;

/// Octets that it may hold after open: what the limits say, and 10 % more. That is what the peer makes it hold, what waits to
/// be written, and the frame that is coming.
pub(crate) fn budget(config: &Config) -> u64 {
    let limits = &config.limits;
    let output = limits.control_octets as u64;
    let sum = limits.connection_octets + output + u64::from(config.max_frame_size);
    sum + sum / 10
}

/// Transfers that the program's sessions take at a time, where limits are low.
pub(crate) const WINDOW: u32 = 500;

/// Octets of a read after open.
pub(crate) const READ: usize = 16 << 10;

/// A mechanism of the program's own.
pub(crate) const RIDDLE: &str = "X-RIDDLE";

impl Victim {
    /// An engine in that state, and what it allocated for that.
    pub(crate) fn new(
        side: Side,
        state: State,
        mut config: Config,
        window: u32,
        program: Program,
    ) -> Self {
        config.sasl = match (state, config.sasl) {
            (Sasl, _) => {
                let offer = SaslServer::new([Mechanism::Plain, Mechanism::External]);
                SaslConfig::Server(offer.raw(Symbol::from_static(RIDDLE)))
            }
            (ClientSasl, SaslConfig::None) => {
                // Otherwise it would end at the offer, whatever follows.
                let plain = SaslClient::plain("user", "secret").allow_clear_text(true);
                SaslConfig::Client(plain)
            }
            (ClientSasl, configured) => configured,
            _ => SaslConfig::None,
        };
        let side = match state {
            Header | Sasl | Open => Side::Server,
            ClientSasl | ClientOpen => Side::Client,
            Opened | Begun | Attached => side,
        };
        let engine = match side {
            Side::Server => Engine::server(config),
            Side::Client => Engine::client(config),
        };
        let mut victim = Self {
            engine,
            program: Program::Brisk,
            reader: FrameReader::new(),
            ends: BTreeSet::new(),
            wrote: 0,
            frames: Vec::new(),
            reasons: Vec::new(),
            links: Vec::new(),
            honest: Vec::new(),
            watched: false,
            window,
        };
        if side == Side::Client {
            victim.engine.connection().open().unwrap();
        }
        victim.bring_to(state);
        victim.program = program;
        victim
    }

    fn bring_to(&mut self, state: State) {
        match state {
            Header => return,
            Sasl | ClientSasl => return self.hear(&SASL_HEADER),
            _ => self.hear(&AMQP_HEADER),
        }
        if state == Open || state == ClientOpen {
            return;
        }
        self.hear(&open().container_id("attacker").octets(0));
        if state == Opened {
            return;
        }
        for channel in [OTHER, CHANNEL] {
            self.hear(&session().octets(channel));
            if state == Begun && channel == CHANNEL {
                return;
            }
            self.attach("honest", HONEST, Role::Receiver, channel);
            self.honest.extend(self.links.last());
        }
        self.attach("attacked", SENDER, Role::Sender, CHANNEL);
        self.attach("asked", RECEIVER, Role::Receiver, CHANNEL);
        let asked = *self.links.last().expect("its attach was answered");
        for number in 0..UNSETTLED {
            let mut sender = self.engine.sender(asked).expect("a sender");
            let tag = number.to_be_bytes();
            sender.send(&tag, b"x").expect("there is credit");
        }
        self.turn();
    }

    fn attach(&mut self, name: &str, handle: u32, role: Role, channel: u16) {
        let name = format!("{name}-{channel}");
        self.hear(&link(&name, handle, role).octets(channel));
        if role == Role::Receiver {
            let credit = session_flow().handle(handle).delivery_count(0);
            self.hear(&credit.link_credit(1_000).octets(channel));
        }
    }

    /// Octets come from the peer, in reads of a size that is usual.
    pub(crate) fn hear(&mut self, octets: &[u8]) {
        let size = if self.engine.connection().remote().is_none() {
            512
        } else {
            READ
        };
        for piece in octets.chunks(size) {
            if self.engine.is_blocked() {
                // A program does not read then.
                return;
            }
            self.engine
                .recv_buffer(piece.len())
                .extend_from_slice(piece);
            self.engine.recv_filled(NOW);
            self.turn();
        }
    }

    /// The program does its part.
    pub(crate) fn turn(&mut self) {
        while self.program != Program::Asleep
            && let Some(event) = self.engine.poll_event()
        {
            match event {
                // A client's was opened before.
                Event::RemoteOpen => {
                    let _ = self.engine.connection().open();
                }
                Event::Authenticate => {
                    let is_raw = matches!(
                        self.engine.sasl_request(),
                        Some(SaslRequest::Raw { .. } | SaslRequest::Challenge { .. })
                    );
                    let _ = self.engine.sasl_answer(match is_raw {
                        true => SaslAnswer::Continue("again".into()),
                        false => SaslAnswer::Reject,
                    });
                }
                Event::SessionBegun(id) => {
                    let config = SessionConfig {
                        incoming_window: self.window,
                        ..SessionConfig::default()
                    };
                    if let Ok(mut session) = self.engine.session(id) {
                        let _ = session.accept(config);
                    }
                }
                Event::LinkAttached(id) => self.accept(id),
                Event::LinkDetached(id) => {
                    if let Ok(mut link) = self.engine.link(id) {
                        let _ = link.close(None);
                    }
                }
                Event::Deliveries(id) if self.program != Program::Idle => self.take(id),
                Event::Updates(id) => {
                    if let Ok(mut link) = self.engine.link(id) {
                        while link.next_update().is_some() {}
                    }
                }
                _ => {}
            }
        }
        if self.program != Program::Stuck {
            self.write();
        } else {
            self.engine.transmit(NOW);
        }
    }

    fn accept(&mut self, id: LinkId) {
        let Ok(mut link) = self.engine.link(id) else {
            return;
        };
        let Some(mut config) = link.offer() else {
            return;
        };
        config.max_message_size = Some(100_000);
        let _ = link.accept_with(config);
        self.links.push(id);
        if let Ok(mut receiver) = self.engine.receiver(id) {
            let _ = receiver.set_credit(CREDIT);
        }
    }

    fn take(&mut self, id: LinkId) {
        let Ok(mut receiver) = self.engine.receiver(id) else {
            return;
        };
        while let Some(delivery) = receiver.next_delivery() {
            if let Some(id) = delivery.id
                && self.program != Program::Unsettling
            {
                let _ = receiver.accept(id);
            }
        }
        let _ = receiver.set_credit(CREDIT);
    }

    /// What it wrote is taken, and looked at once somebody watches.
    pub(crate) fn write(&mut self) {
        loop {
            let mut output = self.engine.transmit(NOW);
            let count = output.chunk().len();
            if count == 0 {
                return;
            }
            self.wrote += count;
            if self.watched {
                self.reader.push(output.chunk());
            }
            output.advance(count);
            while let Some(piece) = self.reader.next_piece().expect("it writes AMQP") {
                match piece.what {
                    What::Header(_) => self.frames.push("header".into()),
                    What::Frame(frame) => match frame.perf {
                        Some(perf) => self.note(&perf),
                        None => self.frames.push("empty".into()),
                    },
                }
            }
        }
    }

    fn note(&mut self, perf: &Perf) {
        let name = perf.name();
        if matches!(name.as_str(), "detach" | "end" | "close") {
            let error = perf.get("error");
            let error = error.composite().map(|(_, fields)| fields);
            match error.and_then(|fields| fields.first()) {
                Some(V::Sym(condition)) => self.ends.insert(format!("{name}, `{condition}`")),
                _ => self.ends.insert(format!("{name} without error")),
            };
            if let Some(V::Str(reason)) = error.and_then(|fields| fields.get(1)) {
                self.reasons.push(reason.clone());
            }
        }
        self.frames.push(name);
    }

    /// Is attacked, and measured. What the octets are was thought out before; the answer is the most that was allocated at
    /// one moment, since before there was an engine, and the number of allocations.
    pub(crate) fn attack(
        side: Side,
        state: State,
        config: &Config,
        window: u32,
        program: Program,
        octets: &[u8],
    ) -> Costs {
        let mut victim = None;
        let mut time = 0;
        let info = measure(|| {
            let mut made = Self::new(side, state, config.clone(), window, program);
            let before = cpu();
            made.hear(octets);
            time = cpu() - before;
            victim = Some(made);
        });
        let held = info.bytes_max;
        // Again, with somebody who looks at what is written.
        drop(victim);
        let mut victim = Self::new(side, state, config.clone(), window, program);
        victim.watched = true;
        victim.wrote = 0;
        victim.hear(octets);
        Costs {
            held,
            time,
            outcome: victim.outcome(),
            victim,
        }
    }

    /// What became of it, in the words of the table.
    fn outcome(&mut self) -> String {
        if !self.engine.is_blocked() {
            self.write();
        }
        if let Some(failure) = self.engine.failure() {
            self.reasons.push(failure.to_string());
            let connection = match failure {
                Failure::Sasl(_) => Some("disconnected: the login fails"),
                Failure::Header(_) => Some("disconnected: another header is named"),
                _ => None,
            };
            if let Some(connection) = connection {
                return connection.into();
            }
        }
        if self.engine.is_blocked() {
            return "not heard until it reads".into();
        }
        match self.ends.len() {
            0 => "nothing comes of it".into(),
            _ => self.ends.iter().cloned().collect::<Vec<_>>().join("; "),
        }
    }

    /// Whether what was not attacked still carries messages: a link of another session, and if `all` of the same one too.
    pub(crate) fn carries(&mut self, all: bool) -> bool {
        self.program = Program::Brisk;
        self.turn();
        self.turn();
        self.honest.clone().iter().enumerate().all(|(index, id)| {
            if index > 0 && !all {
                return true;
            }
            self.frames.clear();
            let Ok(mut sender) = self.engine.sender(*id) else {
                return false;
            };
            let sent = sender.send_settled(b"fine", b"fine").is_ok();
            self.turn();
            sent && self.frames == ["transfer"]
        })
    }
}
