//! A core and the peers that it connects to, in virtual time: some send it elsewhere, and some are not there.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{HashMap, HashSet};

use bytes::Buf;
use ferrion_engine::message::Message;
use ferrion_engine::protocol::{DeliveryState, Redirect, Role, TargetArchetype};
use ferrion_engine::sasl::{Mechanism, SaslAnswer, SaslConfig, SaslRequest, SaslServer};
use ferrion_engine::{Config, Engine, Event, LinkConfig, LinkId, SessionConfig, Time};

use super::login::Seeds;
use super::tracker::Tracker;
use super::{Action, ConnKey, Core};
use crate::reconnect::ConnectionEvent;

/// What the peers of a host do. By default they are there for everybody, and take every message.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// Where it sends whoever connects.
    pub(super) redirects: Option<Redirect>,
    /// Where it sends who attaches a link to or from one of these nodes.
    pub(super) links: HashMap<String, Redirect>,
    /// Whether it takes messages, and says nothing about them.
    pub(super) is_mute: bool,
    /// What it sends from any node, to each link.
    pub(super) sends: Vec<String>,
    /// Where it wants replies to that.
    pub(super) reply_to: Option<String>,
    /// Whether it answers requests.
    pub(super) replies: bool,
    /// What it offers to log in by; ANONYMOUS if nothing.
    pub(super) offers: Vec<Mechanism>,
}

/// A core, and everybody that it can reach.
pub(super) struct World {
    pub(super) core: Core,
    pub(super) now: Time,
    pub(super) hosts: HashMap<String, Host>,
    pub(super) dead: HashSet<String>,
    /// What the core says that is misheard once, and as what: as many octets.
    pub(super) misheard: Option<(&'static str, &'static str)>,
    peers: HashMap<ConnKey, Peer>,
    /// When which host was connected to, and who was to be there.
    pub(super) attempts: Vec<(Time, String)>,
    pub(super) names: Vec<String>,
    /// The hosts that were told a password.
    pub(super) told: Vec<String>,
    /// Links that were attached, by host and node.
    pub(super) attached: Vec<(String, String)>,
    /// Links that the core detached, by host and node, and whether that closed them.
    pub(super) ended: Vec<(String, String, bool)>,
    /// What arrived, and at which host.
    pub(super) arrived: Vec<(String, String)>,
    /// What became of what hosts sent.
    pub(super) outcomes: Vec<(String, Option<DeliveryState>)>,
    pub(super) events: Vec<ConnectionEvent>,
}

struct Peer {
    host: String,
    engine: Engine,
    /// With the nodes to or from which they are.
    links: Vec<(LinkId, String)>,
    /// What is to be sent once there is credit.
    unsent: Vec<(LinkId, Vec<String>)>,
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
            misheard: None,
            peers: HashMap::new(),
            attempts: Vec::new(),
            names: Vec::new(),
            told: Vec::new(),
            attached: Vec::new(),
            ended: Vec::new(),
            arrived: Vec::new(),
            outcomes: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(super) fn host(&mut self, name: &str) -> &mut Host {
        self.hosts.entry(name.to_owned()).or_default()
    }

    pub(super) fn put(&mut self, address: &str, body: &str) -> Tracker {
        let mut message = Message::with_body(body);
        message.set_address(address);
        self.core.put(&message).unwrap()
    }

    /// What was received, and taken.
    pub(super) fn got(&mut self) -> Vec<String> {
        let mut bodies = Vec::new();
        let mut message = Message::new();
        while self.core.get(&mut message).is_ok() {
            bodies.push(message.body_text().unwrap().unwrap().to_owned());
        }
        bodies
    }

    pub(super) fn is_given_up(&self) -> bool {
        let mut events = self.events.iter();
        events.any(|event| matches!(event, ConnectionEvent::GivenUp { .. }))
    }

    /// How many connections are there.
    pub(super) fn open_connections(&self) -> usize {
        self.peers.len()
    }

    /// Lets time pass until `done`, from one deadline to the next, and at most for so many milliseconds.
    pub(super) fn run(&mut self, most: u64, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now.after(most);
        loop {
            self.settle();
            if done(self) {
                return true;
            }
            let peers = self.peers.values();
            let peers = peers.filter_map(|peer| Some(peer.engine.poll_timeout()?.at));
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
    pub(super) fn settle(&mut self) {
        for _ in 0..1000 {
            if !self.turn() {
                return;
            }
        }
        panic!("there is no end to it: {:?}", self.events);
    }

    /// The peer of a host attaches a link of this name to receive by, asks for what there is, and closes the link at once.
    /// Answers whether it was told that there is nothing.
    pub(super) fn peer_asks(&mut self, host: &str, name: &'static str) -> bool {
        let conn = self.conns_to(host)[0];
        let peer = self.peers.get_mut(&conn).unwrap();
        let session = peer.engine.link(peer.links[0].0).unwrap().session();
        let mut session = peer.engine.session(session.unwrap()).unwrap();
        let config = LinkConfig::receiver(name, "nothing");
        let link = session.attach_receiver(config).unwrap();
        let mut receiver = peer.engine.receiver(link).unwrap();
        receiver.add_credit(10).unwrap();
        receiver.drain().unwrap();
        self.exchange(conn);
        self.settle();
        let peer = self.peers.get_mut(&conn).unwrap();
        let answered = peer.engine.receiver(link).unwrap().credit() == 0;
        peer.engine.link(link).unwrap().close(None).unwrap();
        self.exchange(conn);
        self.settle();
        answered
    }

    /// The peers of a host end their links to or from a node, and send them elsewhere.
    pub(super) fn send_away(&mut self, host: &str, node: &str, elsewhere: &Redirect) {
        for peer in self.peers.values_mut().filter(|peer| peer.host == host) {
            for (link, _) in peer.links.iter().filter(|(_, known)| known == node) {
                if let Ok(mut link) = peer.engine.link(*link) {
                    link.close(Some(elsewhere.link())).unwrap();
                }
            }
        }
        for conn in self.conns_to(host) {
            self.exchange(conn);
        }
        self.settle();
    }

    /// The peers of a host end the sessions of their links, and take new ones.
    pub(super) fn end_sessions(&mut self, host: &str) {
        for peer in self.peers.values_mut().filter(|peer| peer.host == host) {
            for (link, _) in &peer.links {
                let session = peer.engine.link(*link).ok().and_then(|link| link.session());
                if let Some(session) = session
                    && let Ok(mut session) = peer.engine.session(session)
                {
                    session.end(None).unwrap();
                }
            }
        }
        for conn in self.conns_to(host) {
            self.exchange(conn);
        }
        self.settle();
    }

    /// A host is gone, and with it all connections to it.
    pub(super) fn kill(&mut self, host: &str) {
        self.dead.insert(host.to_owned());
        for conn in self.conns_to(host) {
            self.peers.remove(&conn);
            self.core
                .lost(conn, self.now, "the host is gone".to_owned());
        }
        self.settle();
    }

    /// The connections to a host.
    pub(super) fn conns_to(&self, host: &str) -> Vec<ConnKey> {
        let peers = self.peers.iter().filter(|(_, peer)| peer.host == host);
        let mut conns: Vec<ConnKey> = peers.map(|(conn, _)| *conn).collect();
        conns.sort_by_key(|conn| conn.to_bits());
        conns
    }

    fn turn(&mut self) -> bool {
        let now = self.now;
        self.core.handle_timeout(now);
        self.core.pump(now);
        let mut busy = false;
        while let Some(action) = self.core.next_action() {
            busy = true;
            match action {
                Action::Connect {
                    conn, host, name, ..
                } => {
                    self.names.push(name);
                    self.connect(conn, host);
                }
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
        let offers = self.host(&host).offers.clone();
        let offers = if offers.is_empty() {
            vec![Mechanism::Anonymous]
        } else {
            offers
        };
        config.sasl = SaslConfig::Server(SaslServer::new(offers));
        let peer = Peer {
            host,
            engine: Engine::server(config),
            links: Vec::new(),
            unsent: Vec::new(),
        };
        self.peers.insert(conn, peer);
        self.core.connected(conn, self.now, None);
    }

    /// Carries octets between a connection of the core and its peer, in both directions.
    fn exchange(&mut self, conn: ConnKey) -> bool {
        let now = self.now;
        let Some(mut peer) = self.peers.remove(&conn) else {
            return false;
        };
        peer.engine.handle_timeout(now);
        let mut busy = false;
        if let Some(output) = self.core.output(conn, now) {
            let mut octets = drain(output);
            busy |= !octets.is_empty();
            if let Some((said, heard)) = self.misheard
                && let Some(at) = octets
                    .windows(said.len())
                    .position(|it| it == said.as_bytes())
            {
                octets[at..at + said.len()].copy_from_slice(heard.as_bytes());
                self.misheard = None;
            }
            let buffer = peer.engine.recv_buffer(octets.len());
            buffer.extend_from_slice(&octets);
            peer.engine.recv_filled(now);
        }
        self.core.flushed(conn, now);
        while let Some(event) = peer.engine.poll_event() {
            busy = true;
            self.answer(&mut peer, event);
        }
        let octets = drain(peer.engine.transmit(now));
        if !octets.is_empty() {
            busy = true;
            self.core.input(conn, now, &octets);
        }
        self.peers.insert(conn, peer);
        busy
    }

    fn answer(&mut self, peer: &mut Peer, event: Event) {
        let nothing = Host::default();
        let script = self.hosts.get(&peer.host).unwrap_or(&nothing);
        let engine = &mut peer.engine;
        match event {
            Event::Authenticate => {
                if matches!(engine.sasl_request(), Some(SaslRequest::Plain { .. })) {
                    self.told.push(peer.host.clone());
                }
                engine.sasl_answer(SaslAnswer::Accept).unwrap();
            }
            Event::RemoteOpen => {
                engine.connection().open().unwrap();
                if let Some(elsewhere) = &script.redirects {
                    let condition = elsewhere.connection();
                    engine.connection().close(Some(condition)).unwrap();
                }
            }
            // It has closed already.
            _ if script.redirects.is_some() => {}
            Event::SessionBegun(session) => {
                let mut session = engine.session(session).unwrap();
                session.accept(SessionConfig::default()).unwrap();
            }
            Event::LinkAttached(id) => {
                let mut link = engine.link(id).unwrap();
                if !link.is_incoming() {
                    return;
                }
                let mut offer = link.offer().unwrap();
                let is_sender = link.role() == Role::Sender;
                let node = match (&mut offer.source, offer.target.as_deref()) {
                    (Some(source), _) if is_sender => {
                        if source.dynamic {
                            source.address = Some(format!("made-up-at-{}", peer.host).into());
                        }
                        source.address.clone()
                    }
                    (_, Some(TargetArchetype::Target(target))) => target.address.clone(),
                    _ => None,
                };
                let node = node.unwrap_or_default().to_string();
                if let Some(elsewhere) = script.links.get(&node) {
                    return link.refuse(elsewhere.link()).unwrap();
                }
                link.accept_with(offer).unwrap();
                self.attached.push((peer.host.clone(), node.clone()));
                if is_sender && !node.starts_with("made-up") {
                    peer.unsent.push((id, script.sends.clone()));
                }
                peer.links.push((id, node));
                if !is_sender {
                    engine.receiver(id).unwrap().add_credit(100).unwrap();
                }
            }
            Event::Flow(id) => {
                let Ok(mut link) = engine.sender(id) else {
                    return;
                };
                for (_, bodies) in peer.unsent.iter_mut().filter(|(link, _)| *link == id) {
                    for body in bodies.drain(..) {
                        let mut message = Message::with_body(body.as_str());
                        if let Some(reply_to) = &script.reply_to {
                            message.set_reply_to(reply_to.as_str());
                        }
                        link.send(body.as_bytes(), message.to_bytes()).unwrap();
                    }
                }
                if link.is_draining() {
                    link.drained().unwrap();
                }
            }
            Event::Deliveries(id) => {
                let mut questions = Vec::new();
                let mut link = engine.receiver(id).unwrap();
                while let Some(delivery) = link.next_delivery() {
                    let message = Message::decode_lenient(delivery.payload.into_bytes()).unwrap();
                    let body = message.body_text().unwrap().unwrap_or_default();
                    self.arrived.push((peer.host.clone(), body.to_owned()));
                    if let Some(id) = delivery.id.filter(|_| !script.is_mute) {
                        link.settle(id, DeliveryState::Accepted).unwrap();
                    }
                    let wants = script.replies && message.reply_to().unwrap().is_some();
                    questions.extend(wants.then_some(message));
                }
                for question in questions {
                    peer.reply(&question);
                }
            }
            Event::LinkDetached(id) => {
                let mut link = engine.link(id).unwrap();
                if link.awaits_detach() {
                    let closed = link.is_remote_closed();
                    let known = peer.links.iter().find(|(known, _)| *known == id);
                    let node = known.map(|(_, node)| node.clone()).unwrap_or_default();
                    self.ended.push((peer.host.clone(), node, closed));
                    // Not for good, if the core did not.
                    if closed {
                        link.close(None).unwrap();
                    } else {
                        link.detach().unwrap();
                    }
                }
            }
            Event::Updates(id) => {
                while let Some(update) = engine.link(id).unwrap().next_update() {
                    let body = String::from_utf8_lossy(&update.tag).into_owned();
                    self.outcomes.push((body, update.state));
                    if !update.settled {
                        engine.sender(id).unwrap().settle(update.delivery).unwrap();
                    }
                }
            }
            _ => {}
        }
    }
}

impl Peer {
    /// Sends a reply from the address that the question names.
    fn reply(&mut self, question: &Message) {
        let to = question.reply_to().unwrap().unwrap();
        let mut answer = Message::with_body("answer");
        answer.set_correlation_id(question.correlation_id().unwrap().unwrap());
        let (link, _) = self.links.iter().find(|(_, node)| node == to).unwrap();
        let mut link = self.engine.sender(*link).unwrap();
        link.send(b"reply", answer.to_bytes()).unwrap();
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
