//! A core and the peers that it connects to, in virtual time: some send it elsewhere, and some are not there.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::{HashMap, HashSet};

use bytes::Buf;
use ferrion_engine::message::Message;
use ferrion_engine::protocol::{DeliveryState, Redirect};
use ferrion_engine::sasl::{Mechanism, SaslAnswer, SaslConfig, SaslServer};
use ferrion_engine::{Config, Engine, Event, Time};

use super::login::Seeds;
use super::tracker::Status;
use super::{Action, ConnKey, Core};
use crate::error::ErrorKind;
use crate::reconnect::ConnectionEvent;

/// What the peers of a host do.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// Where it sends whoever connects.
    pub(super) redirects: Option<Redirect>,
}

/// A core, and everybody that it can reach.
pub(super) struct World {
    pub(super) core: Core,
    pub(super) now: Time,
    /// Who is not named is there for everybody, and takes every message.
    pub(super) hosts: HashMap<String, Host>,
    pub(super) dead: HashSet<String>,
    peers: HashMap<ConnKey, (String, Engine)>,
    /// When which host was connected to.
    pub(super) attempts: Vec<(Time, String)>,
    /// What arrived, and at which host.
    pub(super) arrived: Vec<(String, String)>,
    pub(super) events: Vec<ConnectionEvent>,
}

impl World {
    pub(super) fn new() -> Self {
        let mut core = Core::new("client".into(), Seeds::new([1; 32], [2; 32]));
        core.set_outgoing_window(100);
        Self {
            core,
            now: Time(1000),
            hosts: HashMap::new(),
            dead: HashSet::new(),
            peers: HashMap::new(),
            attempts: Vec::new(),
            arrived: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(super) fn put(&mut self, address: &str, body: &str) -> super::tracker::Tracker {
        let mut message = Message::with_body(body);
        message.set_address(address);
        self.core.put(&message).unwrap()
    }

    /// Lets time pass until `done`, from one deadline to the next, and at most for so many milliseconds.
    pub(super) fn run(&mut self, most: u64, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now.after(most);
        loop {
            self.settle();
            if done(self) {
                return true;
            }
            let peers = self.peers.values_mut();
            let peers = peers.filter_map(|(_, peer)| Some(peer.poll_timeout()?.at));
            let next = peers.chain(self.core.deadline()).min();
            match next {
                Some(next) if next <= end => self.now = self.now.max(next),
                _ => {
                    self.now = end;
                    self.settle();
                    return done(self);
                }
            }
        }
    }

    /// Does everything that is to be done at this time.
    fn settle(&mut self) {
        for _ in 0..1000 {
            if !self.turn() {
                return;
            }
        }
        panic!("there is no end to it");
    }

    fn turn(&mut self) -> bool {
        let now = self.now;
        self.core.handle_timeout(now);
        self.core.pump(now);
        let mut busy = false;
        while let Some(action) = self.core.next_action() {
            busy = true;
            match action {
                Action::Connect { conn, host, .. } => self.connect(conn, host),
                Action::Close { conn, .. } => drop(self.peers.remove(&conn)),
                _ => {}
            }
        }
        while let Some(conn) = self.core.next_output() {
            busy |= self.exchange(conn);
        }
        while let Some(event) = self.core.next_connection_event() {
            self.events.push(event);
        }
        busy
    }

    fn connect(&mut self, conn: ConnKey, host: String) {
        self.attempts.push((self.now, host.clone()));
        if self.dead.contains(&host) {
            let cause = format!("nobody listens at {host}");
            return self.core.connect_failed(conn, self.now, cause);
        }
        let mut config = Config::new(host.clone());
        config.sasl = SaslConfig::Server(SaslServer::new([Mechanism::Anonymous]));
        self.peers.insert(conn, (host, Engine::server(config)));
        self.core.connected(conn, self.now, None);
    }

    /// Carries octets between a connection of the core and its peer, in both directions.
    fn exchange(&mut self, conn: ConnKey) -> bool {
        let now = self.now;
        let Some((host, mut peer)) = self.peers.remove(&conn) else {
            return false;
        };
        peer.handle_timeout(now);
        let mut busy = false;
        if let Some(output) = self.core.output(conn, now) {
            let octets = drain(output);
            busy |= !octets.is_empty();
            peer.recv_buffer(octets.len()).extend_from_slice(&octets);
            peer.recv_filled(now);
        }
        self.core.flushed(conn, now);
        while let Some(event) = peer.poll_event() {
            busy = true;
            self.answer(&host, &mut peer, event);
        }
        let octets = drain(peer.transmit(now));
        if !octets.is_empty() {
            busy = true;
            self.core.input(conn, now, &octets);
        }
        self.peers.insert(conn, (host, peer));
        busy
    }

    fn answer(&mut self, host: &str, peer: &mut Engine, event: Event) {
        let script = self.hosts.get(host);
        match event {
            Event::Authenticate => peer.sasl_answer(SaslAnswer::Accept).unwrap(),
            Event::RemoteOpen => {
                peer.connection().open().unwrap();
                if let Some(elsewhere) = script.and_then(|script| script.redirects.as_ref()) {
                    let condition = elsewhere.connection();
                    peer.connection().close(Some(condition)).unwrap();
                }
            }
            // It has closed already.
            _ if script.is_some_and(|script| script.redirects.is_some()) => {}
            Event::SessionBegun(session) => {
                peer.session(session)
                    .unwrap()
                    .accept(Default::default())
                    .unwrap();
            }
            Event::LinkAttached(link) => {
                peer.link(link).unwrap().accept().unwrap();
                peer.receiver(link).unwrap().add_credit(100).unwrap();
            }
            Event::Deliveries(link) => {
                let mut link = peer.receiver(link).unwrap();
                while let Some(delivery) = link.next_delivery() {
                    let message = Message::decode_lenient(delivery.payload.into_bytes());
                    let message = message.expect("a message");
                    let body = message.body_text().unwrap().unwrap_or_default().to_owned();
                    self.arrived.push((host.to_owned(), body));
                    if let Some(id) = delivery.id {
                        link.settle(id, DeliveryState::Accepted).unwrap();
                    }
                }
            }
            _ => {}
        }
    }
}

fn drain(mut output: ferrion_engine::Transmit<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    while output.has_remaining() {
        octets.extend_from_slice(output.chunk());
        output.advance(output.chunk().len());
    }
    octets
}

fn to(host: &str) -> Redirect {
    Redirect {
        network_host: Some(host.into()),
        port: Some(7000),
        ..Redirect::default()
    }
}

fn is_given_up(world: &World) -> bool {
    let mut events = world.events.iter();
    events.any(|event| matches!(event, ConnectionEvent::GivenUp { .. }))
}

#[test]
fn a_redirection_to_where_nobody_is_leads_back_until_the_policy_gives_up() {
    let mut world = World::new();
    let first = Host {
        redirects: Some(to("dead")),
    };
    world.hosts.insert("first".to_owned(), first);
    world.dead.insert("dead".to_owned());
    let tracker = world.put("amqp://first/q", "x");
    let begun = world.now;
    assert!(world.run(300_000, is_given_up));
    // The default is a minute, and ten seconds at most from attempt to attempt.
    let took = world.now.since(begun);
    assert!((45_000..=60_000).contains(&took), "{took}");
    assert_eq!(world.core.status(tracker), Status::Aborted);
    let error = world.core.take_send_error().unwrap();
    assert_eq!(error.kind(), ErrorKind::Connect);
    // Both by turns, and after each failure more time.
    assert!(world.attempts.len() > 10 && world.attempts.len() < 40);
    let mut pauses = Vec::new();
    for (n, (at, host)) in world.attempts.iter().enumerate() {
        assert_eq!(host, ["first", "dead"][n % 2]);
        if n % 2 == 1 {
            assert_eq!(*at, world.attempts[n - 1].0, "a peer is followed at once");
        } else if n > 0 {
            pauses.push(at.since(world.attempts[n - 1].0));
        }
    }
    assert!(pauses[0] >= 75 && pauses[0] <= 125, "{pauses:?}");
    assert!(pauses.windows(2).all(|two| two[0] < two[1] * 2));
    assert!(*pauses.last().unwrap() >= 7_500, "{pauses:?}");
}

#[test]
fn who_comes_back_where_a_redirection_leads_gets_what_was_put() {
    let mut world = World::new();
    let first = Host {
        redirects: Some(to("second")),
    };
    world.hosts.insert("first".to_owned(), first);
    world.dead.insert("second".to_owned());
    let tracker = world.put("amqp://first/q", "x");
    assert!(!world.run(20_000, is_given_up));
    assert!(world.attempts.len() > 12, "{:?}", world.attempts);
    world.dead.clear();
    let is_there = |world: &World| world.core.status(tracker) == Status::Accepted;
    assert!(world.run(15_000, is_there));
    assert_eq!(world.arrived, [("second".to_owned(), "x".to_owned())]);
}

#[test]
fn peers_that_send_us_around_for_ever_are_given_up_at_once() {
    let mut world = World::new();
    for (host, next) in [("first", "second"), ("second", "first")] {
        let host = world.hosts.entry(host.to_owned()).or_default();
        host.redirects = Some(to(next));
    }
    world.put("amqp://first/q", "x");
    assert!(world.run(0, is_given_up));
    assert_eq!(world.attempts.len(), 6);
    let error = world.core.take_send_error().unwrap();
    assert_eq!(error.kind(), ErrorKind::Remote);
}
