//! One engine over a TCP connection, told what to do step by step. Each step waits for what it is about.
//!
//! ```no_run
//! use ferrion_engine::{Config, Message, protocol::DeliveryState};
//! use ferrion_tests::interop::Conversation;
//!
//! let mut talk = Conversation::connect(5672, Config::new("client"));
//! talk.open();
//! let session = talk.begin();
//! let sender = talk.sender(session, "/queues/orders");
//! let delivery = talk.send(sender, Message::with_body("one").to_bytes());
//! assert_eq!(talk.outcome(sender, delivery), Some(DeliveryState::Accepted));
//! assert_eq!(talk.close(), None);
//! ```
//!
//! Whatever has no step of its own is done through [`engine`](Conversation::engine) and waited for with
//! [`until`](Conversation::until). A step whose time has passed panics with the last frames of both directions.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use ferrion_engine::{
    Config, Delivery, DeliveryId, Engine, Event, Failure, LinkConfig, LinkId, Message, SendError,
    SessionConfig, SessionId, Time, Update,
    protocol::{Attach, Condition, DeliveryState, Open, Role},
    sasl::{SaslClient, SaslConfig},
};

use super::PATIENCE;

/// Frames that a failure shows.
const SHOWN: usize = 60;
/// How long a write may keep this side from reading: a peer that only writes until somebody reads must be read.
const WRITE_SLICE: Duration = Duration::from_millis(20);
/// Octets that are read at once.
const READ: usize = 64 << 10;

/// An engine, its socket, and what both have told so far.
#[derive(Debug)]
pub struct Conversation {
    engine: Engine,
    stream: TcpStream,
    started: Instant,
    /// The peer closed the socket, or it broke.
    over: bool,
    /// The socket takes no more.
    deaf: bool,
    /// Events that no step has asked for.
    heard: VecDeque<Event>,
    /// How links ended that a step has not asked for.
    ends: BTreeMap<LinkId, LinkEnd>,
    /// The errors of sessions that ended and that a step has not asked for.
    endings: BTreeMap<SessionId, Option<Condition>>,
    /// What became of deliveries that a step has not asked for.
    updates: BTreeMap<DeliveryId, Update>,
    trace: VecDeque<String>,
    names: u32,
    tags: u32,
    patience: Duration,
}

/// PLAIN with this password, which may be read by whoever reads the loopback interface along.
pub fn password(user: &str, password: &str) -> SaslConfig {
    SaslConfig::Client(SaslClient::plain(user, password).allow_clear_text(true))
}

/// How a link ended.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkEnd {
    /// The peer's attach, if there was one. Without a source (a sending peer's) or a target (a receiving one's) it was a
    /// refusal (2.6.3).
    pub attach: Option<Box<Attach>>,
    /// The error, of whichever side.
    pub condition: Option<Condition>,
    /// Whether it ended for good.
    pub closed: bool,
}

impl LinkEnd {
    /// The name of the condition; empty if there was none.
    #[must_use]
    pub fn condition(&self) -> &str {
        self.condition
            .as_ref()
            .map_or("", |error| error.condition.as_str())
    }

    /// The text of the condition; empty if there was none.
    #[must_use]
    pub fn description(&self) -> &str {
        let text = self
            .condition
            .as_ref()
            .and_then(|e| e.description.as_deref());
        text.unwrap_or("")
    }
}

// ---- connections -------------------------------------------------------------------------------------------------

impl Conversation {
    /// Connects, as a client, to the server at this port of the loopback interface. Nothing is sent yet.
    ///
    /// # Panics
    ///
    /// When nobody listens there.
    pub fn connect(port: u16, config: Config) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .unwrap_or_else(|error| panic!("no connection to port {port}: {error}"));
        Self::over(stream, Engine::client(config))
    }

    /// Takes the next connection of a listener, as a server.
    ///
    /// # Panics
    ///
    /// When the listener fails.
    pub fn accept(listener: &TcpListener, config: Config) -> Self {
        let (stream, _) = listener
            .accept()
            .unwrap_or_else(|error| panic!("no connection came: {error}"));
        Self::over(stream, Engine::server(config))
    }

    fn over(stream: TcpStream, mut engine: Engine) -> Self {
        stream.set_nodelay(true).expect("a socket");
        stream
            .set_write_timeout(Some(WRITE_SLICE))
            .expect("a socket");
        engine.set_tracing(true);
        Self {
            engine,
            stream,
            started: Instant::now(),
            over: false,
            deaf: false,
            heard: VecDeque::new(),
            ends: BTreeMap::new(),
            endings: BTreeMap::new(),
            updates: BTreeMap::new(),
            trace: VecDeque::new(),
            names: 0,
            tags: 0,
            patience: PATIENCE,
        }
    }

    /// The engine, for what has no step of its own.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Keeps no trace from now on: for conversations of many messages.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.engine.set_tracing(false);
        self
    }

    /// How long each step waits, instead of [`PATIENCE`].
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Opens the connection, whichever side began; gives the peer's open.
    pub fn open(&mut self) -> Open {
        self.engine.connection().open().expect("not opened before");
        self.until("the peer's open", |engine| {
            engine.connection().remote().cloned()
        })
    }

    /// Closes the connection and waits for its end: the reason, if that was not orderly.
    pub fn close(mut self) -> Option<Failure> {
        // It may have ended by itself; then the wait tells how.
        drop(self.engine.connection().close(None));
        self.disconnected()
    }

    /// Waits for the end of the connection: the reason, if that was not orderly.
    pub fn disconnected(&mut self) -> Option<Failure> {
        self.expect(Event::Disconnected);
        self.engine.failure().cloned()
    }

    /// Keeps the connection going for so long, and does nothing on it.
    pub fn rest(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.turn(until);
            self.listen();
        }
    }
}

// ---- sessions and links ------------------------------------------------------------------------------------------

impl Conversation {
    /// Begins a session, and waits until the peer has too.
    pub fn begin(&mut self) -> SessionId {
        self.begin_with(SessionConfig::default())
    }

    /// [Begins](Self::begin) a session that is not like others.
    pub fn begin_with(&mut self, config: SessionConfig) -> SessionId {
        let begun = self.engine.connection().begin(config);
        let session = begun.expect("a session");
        self.until("the peer's begin", |engine| {
            engine.session(session).ok()?.is_begun().then_some(session)
        })
    }

    /// Waits for the end of a session: the error, of whichever side.
    pub fn ended(&mut self, session: SessionId) -> Option<Condition> {
        self.wait("the end of a session", |talk| talk.endings.remove(&session))
    }

    /// Accepts the next session that the peer begins.
    pub fn accept_session(&mut self) -> SessionId {
        let id = self.wait("a begin", |talk| {
            let (place, id) = talk.heard.iter().enumerate().find_map(|(place, event)| {
                let Event::SessionBegun(id) = *event else {
                    return None;
                };
                let session = talk.engine.session(id).ok()?;
                session.is_incoming().then_some((place, id))
            })?;
            talk.heard.remove(place);
            Some(id)
        });
        let mut session = self.engine.session(id).expect("a session that has begun");
        session.accept(SessionConfig::default()).expect("a begin");
        id
    }

    /// Accepts the next link that the peer attaches, as it asks.
    pub fn accept_link(&mut self) -> LinkId {
        let id = self.offered_link();
        let mut link = self.engine.link(id).expect("a link that was attached");
        link.accept().expect("an attach of the peer's");
        id
    }

    /// The next link that the peer attaches. It is to be answered.
    pub fn offered_link(&mut self) -> LinkId {
        self.wait("an attach", |talk| {
            let (place, id) = talk.heard.iter().enumerate().find_map(|(place, event)| {
                let Event::LinkAttached(id) = *event else {
                    return None;
                };
                let link = talk.engine.link(id).ok()?;
                link.is_incoming().then_some((place, id))
            })?;
            talk.heard.remove(place);
            Some(id)
        })
    }

    /// Attaches a sender to this address.
    pub fn sender(&mut self, session: SessionId, address: &str) -> LinkId {
        let config = LinkConfig::sender(self.name("sender"), address);
        self.attach(session, Role::Sender, config)
            .unwrap_or_else(|end| panic!("{address} refused a sender: {end:?}"))
    }

    /// Attaches a receiver to this address. It has no credit yet.
    pub fn receiver(&mut self, session: SessionId, address: &str) -> LinkId {
        let config = LinkConfig::receiver(self.name("receiver"), address);
        self.attach(session, Role::Receiver, config)
            .unwrap_or_else(|end| panic!("{address} refused a receiver: {end:?}"))
    }

    /// A name that no other link of this conversation has.
    pub fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}-{}", self.names)
    }

    /// Attaches a link and waits for the peer's attach.
    ///
    /// # Errors
    ///
    /// The peer refused: how the link ended, which this has waited for.
    pub fn attach(
        &mut self,
        session: SessionId,
        role: Role,
        config: LinkConfig,
    ) -> Result<LinkId, LinkEnd> {
        let mut view = self.engine.session(session).expect("a session");
        let attached = match role {
            Role::Sender => view.attach_sender(config),
            Role::Receiver => view.attach_receiver(config),
        };
        let id = attached.expect("a link");
        self.expect_any("the peer's attach", |event| {
            matches!(event, Event::LinkAttached(link) | Event::LinkDetached(link) if *link == id)
        });
        let granted = self.engine.link(id).is_ok_and(|link| match role {
            Role::Sender => link.remote_target().is_some(),
            Role::Receiver => link.remote_source().is_some(),
        });
        if granted && !self.ends.contains_key(&id) {
            return Ok(id);
        }
        Err(self.detached(id))
    }

    /// Waits until the peer has detached a link, and answers that if it is to be answered.
    pub fn detached(&mut self, link: LinkId) -> LinkEnd {
        self.wait("the peer's detach", |talk| {
            talk.ends.contains_key(&link).then_some(())
        });
        if let Ok(mut view) = self.engine.link(link)
            && view.awaits_detach()
        {
            view.close(None).expect("a detach that waits for ours");
        }
        self.ends.remove(&link).expect("it was just there")
    }

    /// Closes a link and waits for the peer's answer.
    pub fn close_link(&mut self, link: LinkId) -> LinkEnd {
        let mut view = self.engine.link(link).expect("a link");
        view.close(None).expect("a link that is attached");
        self.detached(link)
    }
}

// ---- messages ----------------------------------------------------------------------------------------------------

impl Conversation {
    /// Sends a message as soon as there is credit. It leaves with the next step that waits.
    pub fn send(&mut self, link: LinkId, message: impl Into<Bytes>) -> DeliveryId {
        let (tag, octets) = (self.tag(), message.into());
        self.until("credit", |engine| {
            let mut sender = engine.sender(link).expect("a sender");
            match sender.send(&tag, octets.clone()) {
                Err(SendError::NoCredit) => None,
                sent => Some(sent.expect("a message that can be sent")),
            }
        })
    }

    /// Sends a settled message as soon as there is credit. It leaves with the next step that waits.
    pub fn send_settled(&mut self, link: LinkId, message: impl Into<Bytes>) {
        let (tag, octets) = (self.tag(), message.into());
        self.until("credit", |engine| {
            let mut sender = engine.sender(link).expect("a sender");
            match sender.send_settled(&tag, octets.clone()) {
                Err(SendError::NoCredit) => None,
                sent => sent.map(Some).expect("a message that can be sent"),
            }
        });
    }

    /// Waits for the state that the peer gives to a delivery.
    pub fn outcome(&mut self, link: LinkId, delivery: DeliveryId) -> Option<DeliveryState> {
        self.update(link, delivery).state
    }

    /// Waits for what the peer says of a delivery.
    pub fn update(&mut self, link: LinkId, delivery: DeliveryId) -> Update {
        self.wait("the outcome of a delivery", |talk| {
            talk.collect_updates(link);
            talk.updates.remove(&delivery)
        })
    }

    /// Waits until the peer has said something of each of so many deliveries: the states, in the order in which they came.
    pub fn outcomes(&mut self, link: LinkId, count: usize) -> Vec<Option<DeliveryState>> {
        let mut states = Vec::with_capacity(count);
        self.until("the outcomes of deliveries", |engine| {
            let mut view = engine.link(link).expect("a link");
            while states.len() < count
                && let Some(update) = view.next_update()
            {
                states.push(update.state);
            }
            (states.len() == count).then_some(())
        });
        states
    }

    /// Lets so many more messages come.
    pub fn grant(&mut self, link: LinkId, credit: u32) {
        let mut receiver = self.engine.receiver(link).expect("a receiver");
        receiver
            .add_credit(credit)
            .expect("a link that is attached");
    }

    /// Waits for the next delivery, for which there has to be credit.
    pub fn receive(&mut self, link: LinkId) -> Delivery {
        self.until("a delivery", |engine| {
            engine.receiver(link).expect("a receiver").next_delivery()
        })
    }

    /// Waits for the next message, for which there has to be credit, and settles it like this.
    pub fn take(&mut self, link: LinkId, outcome: DeliveryState) -> Message {
        let delivery = self.receive(link);
        if let Some(id) = delivery.id {
            self.settle(link, id, outcome);
        }
        Message::decode(delivery.payload.into_bytes()).expect("a message")
    }

    /// Settles a delivery that came, and says how.
    pub fn settle(&mut self, link: LinkId, delivery: DeliveryId, outcome: DeliveryState) {
        let mut receiver = self.engine.receiver(link).expect("a receiver");
        receiver.settle(delivery, outcome).expect("not settled yet");
    }

    /// Asks the peer to use its credit or to give it back, and waits for that.
    pub fn drain(&mut self, link: LinkId) {
        let mut receiver = self.engine.receiver(link).expect("a receiver");
        receiver.drain().expect("a link that is attached");
        self.until("the answer to a drain", |engine| {
            let receiver = engine.receiver(link).expect("a receiver");
            (!receiver.is_draining()).then_some(())
        });
    }

    /// A delivery-tag that no other delivery of this conversation has.
    pub fn tag(&mut self) -> [u8; 4] {
        self.tags += 1;
        self.tags.to_be_bytes()
    }

    fn collect_updates(&mut self, link: LinkId) {
        let Ok(mut view) = self.engine.link(link) else {
            return;
        };
        while let Some(update) = view.next_update() {
            self.updates.insert(update.delivery, update);
        }
    }
}

// ---- waiting -----------------------------------------------------------------------------------------------------

impl Conversation {
    /// Waits until the engine has what is asked for.
    ///
    /// # Panics
    ///
    /// When that does not come in time, or can not come because the connection ended.
    pub fn until<T>(&mut self, what: &str, mut ask: impl FnMut(&mut Engine) -> Option<T>) -> T {
        self.wait(what, |talk| ask(&mut talk.engine))
    }

    /// Waits for this event, if no step has taken it yet.
    ///
    /// # Panics
    ///
    /// As for [`until`](Self::until).
    pub fn expect(&mut self, event: Event) {
        self.expect_any(&format!("{event:?}"), |heard| *heard == event);
    }

    /// Waits for the oldest event of these that no step has taken yet.
    ///
    /// # Panics
    ///
    /// As for [`until`](Self::until).
    pub fn expect_any(&mut self, what: &str, mut wanted: impl FnMut(&Event) -> bool) -> Event {
        self.wait(what, |talk| {
            let place = talk.heard.iter().position(&mut wanted)?;
            talk.heard.remove(place)
        })
    }

    /// The events that no step has taken, up to now.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.listen();
        self.heard.drain(..).collect()
    }

    fn wait<T>(&mut self, what: &str, mut ask: impl FnMut(&mut Self) -> Option<T>) -> T {
        let until = Instant::now() + self.patience;
        loop {
            self.listen();
            if let Some(answer) = ask(self) {
                return answer;
            }
            let lost = self.over || self.engine.is_done();
            if lost || Instant::now() >= until {
                let why = match self.engine.failure() {
                    Some(failure) if lost => format!("the connection has ended: {failure}"),
                    _ if lost => String::from("the connection has ended"),
                    _ => format!("{:?} have passed", self.patience),
                };
                panic!("{what} did not come: {why}.\n{}", self.story());
            }
            self.turn(until);
        }
    }

    /// What was said last, on both sides.
    #[must_use]
    pub fn story(&self) -> String {
        let frames: Vec<&str> = self.trace.iter().map(String::as_str).collect();
        format!("events: {:?}\n  {}", self.heard, frames.join("\n  "))
    }

    /// Writes, or if there is nothing to write reads once, or does what is due.
    fn turn(&mut self, until: Instant) {
        let mut wait = match self.write() {
            // What left may be what a step waits for.
            Written::Some => return,
            Written::Nothing => until.saturating_duration_since(Instant::now()),
            Written::Blocked => Duration::ZERO,
        };
        if let Some(deadline) = self.engine.poll_timeout() {
            wait = wait.min(Duration::from_millis(deadline.at.since(self.now())));
        }
        if self.over {
            std::thread::sleep(wait.min(WRITE_SLICE));
        } else {
            // A socket takes no waiting time of zero.
            self.read(wait.max(Duration::from_millis(1)));
        }
        self.engine.handle_timeout(self.now());
    }

    /// Writes all output, or as much as the socket takes.
    fn write(&mut self) -> Written {
        let mut written = Written::Nothing;
        loop {
            let now = self.now();
            let mut output = self.engine.transmit(now);
            if !output.has_remaining() {
                return written;
            }
            written = Written::Some;
            if self.deaf {
                output.advance(output.remaining());
                continue;
            }
            match self.stream.write(output.chunk()) {
                Ok(count) => output.advance(count),
                Err(error) if is_late(error.kind()) => return Written::Blocked,
                // Reading tells how the connection ended.
                Err(_) => self.deaf = true,
            }
        }
    }

    fn read(&mut self, wait: Duration) {
        self.stream.set_read_timeout(Some(wait)).expect("a socket");
        let buffer = self.engine.recv_buffer(READ);
        let filled = buffer.len();
        buffer.resize(filled + READ, 0);
        let count = self.stream.read(&mut buffer[filled..]);
        buffer.truncate(filled + count.as_ref().map_or(0, |count| *count));
        let now = self.now();
        match count {
            Ok(1..) => self.engine.recv_filled(now),
            Err(error) if is_late(error.kind()) => {}
            Ok(0) | Err(_) => {
                self.over = true;
                self.engine.recv_eof(now);
            }
        }
    }

    /// Takes all events, with what must be looked at before the next one.
    fn listen(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            if let Event::LinkDetached(id) = event {
                let end = self.engine.link(id).map(|link| LinkEnd {
                    attach: link.remote().cloned().map(Box::new),
                    condition: link.error().map(|error| error.condition.clone()),
                    closed: link.is_remote_closed(),
                });
                self.ends.insert(id, end.expect("a link that just ended"));
            }
            if let Event::SessionEnded(id) = event {
                let error = self.engine.session(id).map(|session| {
                    let error = session.error();
                    error.map(|error| error.condition.clone())
                });
                self.endings.insert(id, error.unwrap_or_default());
            }
            // Once is enough, as the data is in the views; so this is bounded as the engine's queue is.
            if !self.heard.contains(&event) {
                self.heard.push_back(event);
            }
        }
        while let Some(line) = self.engine.poll_trace() {
            if self.trace.len() == SHOWN {
                self.trace.pop_front();
            }
            self.trace.push_back(line);
        }
    }

    fn now(&self) -> Time {
        Time(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

/// What became of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Nothing,
    Some,
    /// The peer does not read.
    Blocked,
}

fn is_late(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// A server that takes one message and accepts it, then refuses a link.
    fn serve(listener: &TcpListener) {
        let mut talk = Conversation::accept(listener, Config::new("server"));
        talk.open();
        let _session = talk.accept_session();
        let link = talk.accept_link();
        talk.grant(link, 1);
        let message = talk.take(link, DeliveryState::Accepted);
        assert_eq!(message.body_text(), Ok(Some("one")));
        let second = talk.offered_link();
        let error = Condition::with_description(
            ferrion_engine::protocol::conditions::NOT_FOUND,
            "no such node",
        );
        talk.engine().link(second).unwrap().refuse(error).unwrap();
        assert_eq!(talk.disconnected(), None);
    }

    #[test]
    fn two_conversations_understand_each_other() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || serve(&listener));
        let mut talk = Conversation::connect(port, Config::new("client"));
        assert_eq!(talk.open().container_id, "server");
        let session = talk.begin();
        let sender = talk.sender(session, "node");
        let delivery = talk.send(sender, Message::with_body("one").to_bytes());
        assert_eq!(
            talk.outcome(sender, delivery),
            Some(DeliveryState::Accepted)
        );
        let config = LinkConfig::sender("refused", "nowhere");
        let end = talk.attach(session, Role::Sender, config).unwrap_err();
        assert_eq!(
            (end.condition(), end.description(), end.closed),
            ("amqp:not-found", "no such node", true)
        );
        assert!(end.attach.is_some_and(|attach| attach.target.is_none()));
        assert_eq!(talk.close(), None);
        server.join().unwrap();
    }
}
