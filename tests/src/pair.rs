//! Two engines, joined by a wire that cuts and joins octets as it likes, in virtual time.

use std::collections::VecDeque;

use ferrion_engine::{Config, Engine, Event, LinkConfig, LinkId, SessionConfig, SessionId, Time};

use crate::endpoint::{Cut, Endpoint, Trace};
use crate::rng::Rng;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The engine that made the connection.
    Client,
    /// The engine that was connected to.
    Server,
}

impl At {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Octets under way in one direction.
#[derive(Default)]
struct Wire {
    chunks: VecDeque<(Time, Vec<u8>)>,
}

/// A client and a server engine.
pub struct Pair {
    /// The engine that made the connection.
    pub client: Endpoint,
    /// The engine that was connected to.
    pub server: Endpoint,
    /// Milliseconds that octets are under way.
    pub latency: u64,
    /// Changes octets under way: about one in so many. The two then misunderstand each other, and must survive it.
    pub noise: Option<usize>,
    now: Time,
    cut: Cut,
    plan: Rng,
    to_client: Wire,
    to_server: Wire,
    trace: Trace,
    told: bool,
}

/// A sender and the receiver at its other end.
#[derive(Clone, Copy, Debug)]
pub struct Joined {
    /// The sending engine.
    pub from: At,
    /// The sender, at the sending engine.
    pub sender: LinkId,
    /// The receiver, at the other.
    pub receiver: LinkId,
}

impl Pair {
    /// Two engines with plain configurations; the seed decides how octets are cut.
    pub fn new(seed: u64) -> Self {
        Self::with(seed, Config::new("client"), Config::new("server"))
    }

    /// Two engines with these configurations.
    pub fn with(seed: u64, client: Config, server: Config) -> Self {
        let mut plan = Rng::new(seed);
        Self {
            client: Endpoint::new("client", Engine::client(client)),
            server: Endpoint::new("server", Engine::server(server)),
            latency: 0,
            noise: None,
            now: Time(1_000_000),
            cut: if seed == 0 {
                Cut::Whole
            } else {
                Cut::Random(Rng::new(plan.next_u64()))
            },
            plan,
            to_client: Wire::default(),
            to_server: Wire::default(),
            trace: Trace::default(),
            told: false,
        }
    }

    /// Cuts octets in another way from now on.
    pub fn recut(&mut self, cut: Cut) {
        self.cut = cut;
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// One of the two endpoints.
    pub fn end(&mut self, at: At) -> &mut Endpoint {
        match at {
            At::Client => &mut self.client,
            At::Server => &mut self.server,
        }
    }

    /// One of the two engines.
    pub fn engine(&mut self, at: At) -> &mut Engine {
        &mut self.end(at).engine
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

    /// The next event at one engine.
    pub fn next_event(&mut self, at: At) -> Option<Event> {
        let now = self.now;
        let end = match at {
            At::Client => &mut self.client,
            At::Server => &mut self.server,
        };
        end.poll_event(now, &mut self.trace)
    }

    /// All events that wait at one engine.
    pub fn events(&mut self, at: At) -> Vec<Event> {
        std::iter::from_fn(|| self.next_event(at)).collect()
    }

    /// The next event that `pick` likes; those before it are dropped. There must be one.
    pub fn event_where<T>(&mut self, at: At, what: &str, pick: impl Fn(Event) -> Option<T>) -> T {
        while let Some(event) = self.next_event(at) {
            if let Some(found) = pick(event) {
                return found;
            }
        }
        self.fail(&format!("no event {what} at the {at:?}"))
    }

    /// Moves octets to and fro until neither engine has anything to say and nothing is under way.
    pub fn run(&mut self) {
        for _ in 0..1_000_000 {
            if self.step() {
                continue;
            }
            let arrivals =
                [&self.to_client, &self.to_server].map(|w| w.chunks.front().map(|(at, _)| *at));
            match arrivals.into_iter().flatten().min() {
                Some(at) => self.advance_to(at),
                None => return,
            }
        }
        self.fail("the engines do not come to rest");
    }

    /// Moves octets once in each direction; `false` if there were none to move at this moment.
    pub fn step(&mut self) -> bool {
        let mut moved = false;
        for at in [At::Client, At::Server] {
            moved |= self.take_output(at);
            moved |= self.deliver(at);
        }
        moved
    }

    /// Lets time pass, jumping from deadline to deadline, and moves octets.
    pub fn run_for(&mut self, ms: u64) {
        let target = self.now.after(ms);
        self.run();
        while self.now < target {
            let deadlines = [
                self.client.engine.poll_timeout(),
                self.server.engine.poll_timeout(),
            ];
            let next = deadlines
                .into_iter()
                .flatten()
                .map(|d| d.at)
                .min()
                .unwrap_or(target);
            self.advance_to(next.min(target).max(self.now));
            self.run();
        }
    }

    /// Lets time pass for both engines without delivering what is under way, as on a line that went dead.
    pub fn run_until_silent(&mut self, ms: u64) {
        let target = self.now.after(ms);
        while self.now < target {
            while self.step() {}
            let deadlines = [
                self.client.engine.poll_timeout(),
                self.server.engine.poll_timeout(),
            ];
            let next = deadlines.into_iter().flatten().map(|d| d.at).min();
            self.advance_to(next.unwrap_or(target).min(target).max(self.now));
        }
        while self.step() {}
    }

    /// Ends the stream to one engine, after what is under way.
    pub fn cut_off(&mut self, at: At) {
        self.run();
        let now = self.now;
        self.note(&format!("the stream to the {at:?} ends"));
        self.end(at).engine.recv_eof(now);
    }

    /// Loses what is under way and ends both streams, as a broken connection does.
    pub fn sever(&mut self) {
        self.note("the connection breaks");
        self.to_client.chunks.clear();
        self.to_server.chunks.clear();
        let now = self.now;
        self.client.engine.recv_eof(now);
        self.server.engine.recv_eof(now);
    }

    fn advance_to(&mut self, time: Time) {
        self.now = time;
        for at in [At::Client, At::Server] {
            let engine = self.engine(at);
            if engine.poll_timeout().is_some_and(|d| d.at <= time) {
                engine.handle_timeout(time);
                if engine.poll_timeout().is_some_and(|d| d.at <= time) {
                    self.fail(&format!(
                        "after handle_timeout the {at:?}'s deadline is still in the past"
                    ));
                }
            }
        }
    }

    /// Puts some output of one engine on the wire.
    fn take_output(&mut self, at: At) -> bool {
        let (end, wire) = match at {
            At::Client => (&mut self.client, &mut self.to_server),
            At::Server => (&mut self.server, &mut self.to_client),
        };
        // Sometimes the socket takes only a little, and input is read before the rest can be written.
        let most = if matches!(self.cut, Cut::Whole) || !self.plan.one_in(3) {
            usize::MAX
        } else {
            1 + self.plan.below(64)
        };
        let mut octets = end.take_some(self.now, most, &mut self.cut);
        if octets.is_empty() {
            return false;
        }
        if let Err(why) = end.observe_output(self.now, &octets, &mut self.trace) {
            self.fail(&format!("the {at:?} breaks a rule: {why}"));
        }
        if let Some(rarity) = self.noise {
            for octet in &mut octets {
                if self.plan.one_in(rarity) {
                    *octet = self.plan.next_u64() as u8;
                }
            }
        }
        wire.chunks
            .push_back((self.now.after(self.latency), octets));
        true
    }

    /// Gives one engine what has arrived.
    fn deliver(&mut self, at: At) -> bool {
        let (end, wire) = match at {
            At::Client => (&mut self.client, &mut self.to_client),
            At::Server => (&mut self.server, &mut self.to_server),
        };
        let mut moved = false;
        while wire
            .chunks
            .front()
            .is_some_and(|(arrival, _)| *arrival <= self.now)
        {
            if let Some((_, octets)) = wire.chunks.pop_front() {
                end.feed_beside_output(self.now, &octets, &mut self.cut, &mut self.trace);
                moved = true;
            }
        }
        moved
    }

    // ----- the steps that most tests begin with

    /// Opens the connection at both ends; takes the events of it.
    pub fn opened(&mut self) {
        for at in [At::Client, At::Server] {
            self.engine(at)
                .connection()
                .open()
                .expect("a fresh engine opens");
        }
        self.run();
        for at in [At::Client, At::Server] {
            self.event_where(at, "RemoteOpen", |e| (e == Event::RemoteOpen).then_some(()));
        }
    }

    /// The client begins a session, the server accepts: the client's id and the server's.
    pub fn begun(&mut self) -> (SessionId, SessionId) {
        self.begun_with(SessionConfig::default(), SessionConfig::default())
    }

    /// [`begun`](Self::begun) with configurations.
    pub fn begun_with(
        &mut self,
        client: SessionConfig,
        server: SessionConfig,
    ) -> (SessionId, SessionId) {
        let ours = self
            .client
            .engine
            .connection()
            .begin(client)
            .expect("an open connection begins sessions");
        self.run();
        let theirs = self.event_where(At::Server, "SessionBegun", |e| match e {
            Event::SessionBegun(id) => Some(id),
            _ => None,
        });
        self.server
            .engine
            .session(theirs)
            .expect("live")
            .accept(server)
            .expect("to accept");
        self.run();
        self.event_where(At::Client, "SessionBegun", |e| {
            (e == Event::SessionBegun(ours)).then_some(())
        });
        (ours, theirs)
    }

    /// One end attaches a sender, the other accepts the receiver.
    pub fn joined(&mut self, from: At, session: SessionId, config: LinkConfig) -> Joined {
        let view = self.engine(from).session(session);
        let sender = view.expect("live").attach_sender(config).expect("attaches");
        self.run();
        let to = from.other();
        let receiver = self.event_where(to, "LinkAttached", |e| match e {
            Event::LinkAttached(id) => Some(id),
            _ => None,
        });
        self.engine(to)
            .link(receiver)
            .expect("live")
            .accept()
            .expect("to accept");
        self.run();
        self.event_where(from, "LinkAttached", |e| {
            (e == Event::LinkAttached(sender)).then_some(())
        });
        Joined {
            from,
            sender,
            receiver,
        }
    }
}

impl Drop for Pair {
    /// An `assert!` of the test knows nothing of the trace.
    fn drop(&mut self) {
        if std::thread::panicking() && !self.told {
            eprintln!("the trace of the failed test:\n{}", self.trace.text());
        }
    }
}
