//! What incomplete messages hold on all connections, and who is refused when that is too much.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;

use bytes::Buf;
use ferrion_engine::message::Message;
use ferrion_engine::protocol::{Condition, conditions};
use ferrion_engine::sasl::{Mechanism, SaslAnswer, SaslConfig, SaslServer};
use ferrion_engine::{
    Config, DeliveryId, Engine, Event, Limits, LinkConfig, LinkId, SendOptions, SessionConfig,
    SessionId, Time,
};

use super::credit::Credit;
use super::login::Seeds;
use super::recovery_tests::listen;
use super::source::SourceKey;
use super::{ConnKey, Core};
use crate::subscribe::SubscribeOptions;

const NOW: Time = Time(1000);
/// What a transfer counts beside its payload.
const TRANSFER: u64 = 64;

fn core(most: u64) -> (Core, SourceKey) {
    let mut core = Core::new("server".into(), Seeds::new([1; 32], [2; 32]));
    core.options.all_partial_octets = most;
    let source = listen(&mut core);
    core.listening(source, 5672);
    (core, source)
}

/// Who sends messages piece by piece, each on a link of its own.
struct Guest {
    key: ConnKey,
    engine: Engine,
    session: SessionId,
    sent: Vec<(LinkId, DeliveryId)>,
    refused: HashMap<LinkId, String>,
}

impl Guest {
    fn new(core: &mut Core, source: SourceKey) -> Self {
        let mut engine = Engine::client(Config::new("guest"));
        engine.connection().open().unwrap();
        let session = engine.connection().begin(SessionConfig::default()).unwrap();
        let key = core.accepted(source, "guest".to_owned()).unwrap();
        core.connected(key, NOW, None);
        let mut guest = Self {
            key,
            engine,
            session,
            sent: Vec::new(),
            refused: HashMap::new(),
        };
        guest.exchange(core);
        guest
    }

    /// Begins a message on a new link, and says this much of it.
    fn begin(&mut self, core: &mut Core, octets: &[u8]) {
        let config = LinkConfig::sender(format!("l{}", self.sent.len()), "q");
        let mut session = self.engine.session(self.session).unwrap();
        let link = session.attach_sender(config).unwrap();
        self.exchange(core);
        let mut sender = self.engine.sender(link).unwrap();
        let delivery = sender.stream(b"t", &SendOptions::default()).unwrap();
        self.sent.push((link, delivery));
        self.go_on(core, self.sent.len() - 1, octets);
    }

    /// Says more of one of its messages.
    fn go_on(&mut self, core: &mut Core, which: usize, octets: &[u8]) {
        let (link, delivery) = self.sent[which];
        let mut sender = self.engine.sender(link).unwrap();
        sender.write(delivery, octets.to_vec()).unwrap();
        self.exchange(core);
    }

    fn finish(&mut self, core: &mut Core, which: usize) {
        let (link, delivery) = self.sent[which];
        self.engine.sender(link).unwrap().finish(delivery).unwrap();
        self.exchange(core);
    }

    /// Why its link ended, if it did.
    fn refusal(&self, which: usize) -> Option<&String> {
        self.refused.get(&self.sent[which].0)
    }

    /// Carries octets both ways until there are no more.
    fn exchange(&mut self, core: &mut Core) {
        while exchange_once(core, self.key, &mut self.engine) {
            while let Some(event) = self.engine.poll_event() {
                if let Event::LinkDetached(id) = event
                    && let Ok(mut link) = self.engine.link(id)
                    && link.awaits_detach()
                {
                    let error = link.error().unwrap().condition.clone();
                    assert_eq!(error.condition, conditions::RESOURCE_LIMIT_EXCEEDED);
                    let text = error.description.unwrap_or_default();
                    self.refused.insert(id, text.to_string());
                    link.close(None).unwrap();
                }
            }
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

fn bodies(core: &mut Core) -> Vec<usize> {
    let mut bodies = Vec::new();
    let mut message = Message::new();
    while core.get(&mut message).is_ok() {
        bodies.push(message.body_text().unwrap().unwrap().len());
    }
    bodies
}

fn held(core: &mut Core) -> u64 {
    let keys = core.pool.keys();
    let held = keys
        .into_iter()
        .map(|key| core.pool.get(key).unwrap().engine.partial_octets());
    held.sum()
}

/// A message with so many octets in its body.
fn message(octets: usize) -> Vec<u8> {
    Message::with_body("x".repeat(octets)).to_bytes().to_vec()
}

#[test]
fn who_holds_most_is_refused_and_nobody_else() {
    let (mut core, source) = core(10_000);
    let messages = [5_000, 3_000, 3_000].map(message);
    let mut guests = [(); 3].map(|()| Guest::new(&mut core, source));
    for (guest, message) in guests.iter_mut().zip(&messages) {
        guest.begin(&mut core, &message[..2_000]);
    }
    let [large, small, other] = &mut guests;
    large.go_on(&mut core, 0, &messages[0][2_000..4_500]);
    small.go_on(&mut core, 0, &messages[1][2_000..2_500]);
    assert_eq!(core.next_warning(), None);
    other.go_on(&mut core, 0, &messages[2][2_000..3_000]);
    large.exchange(&mut core);
    let refusal = large.refusal(0).unwrap();
    assert!(refusal.contains("more than 10000 octets"), "{refusal}");
    let warning = core.next_warning().unwrap();
    assert!(warning.starts_with("guest was refused"), "{warning}");
    for (guest, rest) in [
        (small, &messages[1][2_500..]),
        (other, &messages[2][3_000..]),
    ] {
        assert_eq!(guest.refusal(0), None);
        guest.go_on(&mut core, 0, rest);
        guest.finish(&mut core, 0);
    }
    assert_eq!(bodies(&mut core), [3_000, 3_000]);
    assert_eq!(held(&mut core), 0);
    // What it comes with next is taken.
    large.begin(&mut core, &messages[0]);
    large.finish(&mut core, 1);
    assert_eq!(bodies(&mut core), [5_000]);
    assert_eq!(core.next_warning(), None);
}

#[test]
fn what_is_refused_is_dropped_whether_the_peer_answers_or_not() {
    let (mut core, source) = core(1_000);
    let mut guest = Guest::new(&mut core, source);
    guest.begin(&mut core, &[0; 500]);
    let (link, delivery) = guest.sent[0];
    let mut sender = guest.engine.sender(link).unwrap();
    sender.write(delivery, vec![0; 500]).unwrap();
    // It hears nothing any more.
    let said = drain(guest.engine.transmit(NOW));
    core.input(guest.key, NOW, &said);
    assert_eq!(held(&mut core), 0);
    core.pump(NOW);
    let mut sender = guest.engine.sender(link).unwrap();
    sender.write(delivery, vec![0; 500]).unwrap();
    let said = drain(guest.engine.transmit(NOW));
    core.input(guest.key, NOW, &said);
    assert_eq!(held(&mut core), 0);
}

#[test]
fn of_many_links_of_one_connection_those_are_refused_that_hold_half() {
    let (mut core, source) = core(8 * (1_000 + TRANSFER) - 1);
    let mut guest = Guest::new(&mut core, source);
    let mut other = Guest::new(&mut core, source);
    other.begin(&mut core, &[0; 100]);
    for _ in 0..7 {
        guest.begin(&mut core, &[0; 1_000]);
    }
    assert!((0..7).all(|n| guest.refusal(n).is_none()));
    guest.begin(&mut core, &[0; 1_000]);
    let refused = (0..8).filter(|n| guest.refusal(*n).is_some()).count();
    assert_eq!(refused, 4);
    assert_eq!(held(&mut core), 4 * (1_000 + TRANSFER) + 100 + TRANSFER);
}

#[test]
fn what_connections_held_that_are_gone_or_over_makes_nobody_else_be_refused() {
    let (mut core, source) = core(10_000);
    let mut gone = Guest::new(&mut core, source);
    gone.begin(&mut core, &[0; 9_000]);
    core.lost(gone.key, NOW, "the line was cut".to_owned());
    let mut over = Guest::new(&mut core, source);
    over.begin(&mut core, &[0; 9_000]);
    assert_eq!(core.next_warning(), None);
    // Longer than any frame: its connection is over, and there until it was told.
    core.input(over.key, NOW, &[255; 8]);
    core.pump(NOW);
    assert!(core.pool.get(over.key).is_some());
    let mut honest = Guest::new(&mut core, source);
    let message = message(8_000);
    honest.begin(&mut core, &message);
    assert!(core.pool.get(over.key).is_none());
    honest.finish(&mut core, 0);
    assert_eq!(bodies(&mut core), [8_000]);
}

#[test]
fn limits_and_the_frame_size_are_those_of_every_connection() {
    let (mut core, source) = core(1_000);
    let mut limits = Limits::default();
    limits.links_per_session = 7;
    core.options.limits = limits;
    core.options.max_frame_size = Some(10_000);
    let mut guest = Guest::new(&mut core, source);
    let told = guest.engine.connection().remote().unwrap().max_frame_size;
    assert_eq!(told, 10_000);
    let session = guest.engine.session(guest.session).unwrap();
    assert_eq!(session.remote().unwrap().handle_max, 6);
    // And of one that it makes.
    let mut host = Host::new(&mut core);
    let told = host.engine.connection().remote().unwrap().max_frame_size;
    assert_eq!(told, 10_000);
    let session = host.engine.session(host.session).unwrap();
    assert_eq!(session.remote().unwrap().handle_max, 6);
}

#[test]
fn who_is_subscribed_to_what_is_refused_is_told_that_it_was_a_limit() {
    let (mut core, _) = core(1_000);
    core.options.limits.partial_octets = 1_000;
    let mut host = Host::new(&mut core);
    let mut sender = host.engine.sender(host.link).unwrap();
    let delivery = sender.stream(b"t", &SendOptions::default()).unwrap();
    sender.write(delivery, vec![0; 2_000]).unwrap();
    host.exchange(&mut core);
    let error = core.take_recv_error().unwrap().to_string();
    assert!(
        error.contains("a limit of this side is passed: amqp:resource-limit-exceeded"),
        "{error}"
    );
}

#[test]
fn what_strangers_send_ends_no_subscription_of_ours() {
    let (mut core, source) = core(10_000);
    let mut host = Host::new(&mut core);
    let message = message(20_000);
    let mut sender = host.engine.sender(host.link).unwrap();
    let delivery = sender.stream(b"t", &SendOptions::default()).unwrap();
    sender.write(delivery, message[..15_000].to_vec()).unwrap();
    host.exchange(&mut core);
    let mut guests = [(); 3].map(|()| Guest::new(&mut core, source));
    for guest in &mut guests {
        guest.begin(&mut core, &[0; 3_000]);
    }
    assert_eq!(core.next_warning(), None);
    // They hold too much without it.
    guests[1].go_on(&mut core, 0, &[0; 1_000]);
    assert!(guests[1].refusal(0).is_some());
    assert_eq!(guests[0].refusal(0).or_else(|| guests[2].refusal(0)), None);
    let mut sender = host.engine.sender(host.link).unwrap();
    sender.write(delivery, message[15_000..].to_vec()).unwrap();
    sender.finish(delivery).unwrap();
    host.exchange(&mut core);
    assert_eq!(bodies(&mut core), [20_000]);
    assert!(core.take_recv_error().is_none());
}

#[test]
fn a_connection_that_is_over_goes_before_anybody_is_refused() {
    for is_looked_at in [true, false] {
        let (mut core, source) = core(10_000);
        let mut over = Guest::new(&mut core, source);
        over.begin(&mut core, &[0; 4_000]);
        core.input(over.key, NOW, &[255; 8]);
        if is_looked_at {
            core.pump(NOW);
        }
        assert!(core.pool.get(over.key).is_some());
        let mut honest = Guest::new(&mut core, source);
        let message = message(8_000);
        honest.begin(&mut core, &message);
        assert_eq!(honest.refusal(0), None);
        assert_eq!(core.next_warning(), None);
        assert!(core.pool.get(over.key).is_none());
        honest.finish(&mut core, 0);
        assert_eq!(bodies(&mut core), [8_000]);
    }
}

#[test]
fn what_was_dropped_since_something_came_makes_nobody_be_refused() {
    for is_looked_at in [true, false] {
        let (mut core, source) = core(10_000);
        let mut guests = [(); 3].map(|()| Guest::new(&mut core, source));
        let [ended, small, other] = &mut guests;
        for (guest, octets) in [(&mut *ended, 6_000), (small, 3_000)] {
            guest.begin(&mut core, &vec![0; octets]);
        }
        // As whoever ends a subscription does.
        let conn = core.pool.get_mut(ended.key).unwrap();
        let link = *conn.links.keys().next().unwrap();
        let error = Condition::new(conditions::RESOURCE_LIMIT_EXCEEDED);
        let mut link = conn.engine.receiver(link).unwrap();
        link.refuse_partial(error).unwrap();
        core.pool.touch(ended.key);
        if is_looked_at {
            core.pump(NOW);
        }
        other.begin(&mut core, &[0; 6_000]);
        assert_eq!(core.next_warning(), None);
        assert_eq!(other.refusal(0), None);
    }
}

/// Where a subscription leads.
struct Host {
    key: ConnKey,
    engine: Engine,
    session: SessionId,
    link: LinkId,
}

impl Host {
    fn new(core: &mut Core) -> Self {
        let subscribed = core.subscribe("amqp://host/q", &SubscribeOptions::new());
        subscribed.unwrap();
        core.request(Credit::All);
        core.pump(NOW);
        let key = *core.pool.keys().last().unwrap();
        core.connected(key, NOW, None);
        let mut config = Config::new("host");
        config.sasl = SaslConfig::Server(SaslServer::new([Mechanism::Anonymous]));
        let mut engine = Engine::server(config);
        let (mut session, mut link) = (None, None);
        while exchange_once(core, key, &mut engine) {
            while let Some(event) = engine.poll_event() {
                match event {
                    Event::Authenticate => engine.sasl_answer(SaslAnswer::Accept).unwrap(),
                    Event::RemoteOpen => engine.connection().open().unwrap(),
                    Event::SessionBegun(id) => {
                        session = Some(id);
                        let mut begun = engine.session(id).unwrap();
                        begun.accept(SessionConfig::default()).unwrap();
                    }
                    Event::LinkAttached(id) => {
                        link = Some(id);
                        engine.link(id).unwrap().accept().unwrap();
                    }
                    _ => {}
                }
            }
        }
        let (session, link) = (session.unwrap(), link.unwrap());
        let mut host = Self {
            key,
            engine,
            session,
            link,
        };
        host.exchange(core);
        host
    }

    fn exchange(&mut self, core: &mut Core) {
        while exchange_once(core, self.key, &mut self.engine) {}
    }
}

/// Carries what both sides have to say to the other. Answers whether that was anything.
fn exchange_once(core: &mut Core, key: ConnKey, engine: &mut Engine) -> bool {
    let said = drain(engine.transmit(NOW));
    if !said.is_empty() {
        core.input(key, NOW, &said);
    }
    core.pump(NOW);
    let heard = core.output(key, NOW).map(drain).unwrap_or_default();
    core.flushed(key, NOW);
    engine.recv_buffer(heard.len()).extend_from_slice(&heard);
    engine.recv_filled(NOW);
    !said.is_empty() || !heard.is_empty()
}
