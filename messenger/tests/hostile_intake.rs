//! Peers that would have a Messenger keep much for little, or work long for it: messages of nearly no octets, buffers of which next
//! to nothing is a message, and links that end while they wait for room.

#[path = "support/broker.rs"]
mod broker;
#[path = "support/cost.rs"]
mod cost;
mod support;

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use allocation_counter::measure;
use broker::{Broker, Dealt, usual};
use bytes::{Buf, BytesMut};
use cost::cost;
use ferrion_engine::protocol::{Condition, Role, conditions};
use ferrion_engine::{Config, Engine, Event, LinkConfig, LinkId, SessionConfig, Time};
use ferrion_messenger::{Credit, Message, Messenger};
use support::{client, message_to, server};

/// Works until nothing more happens for a moment.
fn exhaust(messenger: &mut Messenger) {
    while messenger.work(Some(Duration::from_millis(100))).unwrap() {}
}

/// Works until so many messages came in.
fn work_until_there_are(count: usize, messenger: &mut Messenger) {
    let mut quiet = 0;
    while messenger.incoming() < count {
        assert!(quiet < 2000, "{} came", messenger.incoming());
        let moved = messenger.work(Some(Duration::from_millis(10))).unwrap();
        quiet = if moved { 0 } else { quiet + 1 };
    }
}

#[test]
fn messages_of_no_octets_count_as_what_is_kept_of_each() {
    const COUNT: u32 = 30_000;
    const MARK: usize = 1 << 20;
    let mut sent = 0;
    let broker = Broker::start(move |_, engine, event| {
        let Event::Flow(id) = event else {
            return Dealt::Usual;
        };
        let Ok(mut link) = engine.sender(id) else {
            return Dealt::Done;
        };
        while link.credit() > 0 && sent < COUNT {
            link.send_settled(&sent.to_be_bytes(), Message::new().to_bytes())
                .unwrap();
            sent += 1;
        }
        Dealt::Done
    });
    let mut messenger = client();
    messenger.set_incoming_high_water(usize::MAX, MARK);
    let address = format!("{}/q", broker.address);
    let mut came = 0;
    let spent = measure(|| {
        messenger.subscribe(&address).unwrap();
        messenger.recv(COUNT).unwrap();
        exhaust(&mut messenger);
        came = messenger.incoming();
    });
    assert!(came > 1000 && came <= MARK / 128 + 1, "{came} came in");
    let held = spent.bytes_current;
    // Here, and where they came in.
    assert!(held < 4 << 20, "{held} octets are held");
    let mut message = Message::new();
    for _ in 0..COUNT {
        if messenger.incoming() == 0 {
            messenger.recv(COUNT).unwrap();
        }
        messenger.get(&mut message).unwrap();
    }
    messenger.stop().unwrap();
}

/// A client of which each read of the other side is told apart, as nobody works meanwhile.
struct Guest {
    stream: TcpStream,
    engine: Engine,
    input: BytesMut,
}

impl Guest {
    fn new(address: &str) -> Self {
        let stream = TcpStream::connect(address.strip_prefix("amqp://").unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut engine = Engine::client(Config::new("guest"));
        engine.connection().open().unwrap();
        Self {
            stream,
            engine,
            input: BytesMut::new(),
        }
    }

    /// Reads and writes what can be read and written now.
    fn step(&mut self) {
        loop {
            let mut output = self.engine.transmit(Time(0));
            if !output.has_remaining() {
                break;
            }
            let count = self.stream.write(output.chunk()).unwrap();
            output.advance(count);
        }
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(count) => {
                self.input.extend_from_slice(&buffer[..count]);
                self.engine.recv(Time(0), &mut self.input);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }

    /// Writes octets that no engine would.
    fn say(&mut self, messenger: &mut Messenger, mut octets: &[u8]) {
        while !octets.is_empty() {
            match self.stream.write(octets) {
                Ok(count) => octets = &octets[count..],
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            messenger.work(Some(Duration::from_millis(1))).unwrap();
        }
    }
}

/// Messages of some octets, each alone in a buffer that heartbeats fill otherwise. Answers what is held of them.
fn held_of_messages_among_heartbeats(taken_at_once: bool) -> i64 {
    const COUNT: usize = 200;
    let (mut receiver, address) = server();
    receiver.set_blocking(false);
    let _ = receiver.recv(Credit::All);
    let mut guest = Guest::new(&address);
    let session = guest.engine.connection().begin(SessionConfig::default());
    let mut session = guest.engine.session(session.unwrap()).unwrap();
    let link = session.attach_sender(LinkConfig::sender("l", "q")).unwrap();
    while guest.engine.sender(link).unwrap().credit() < COUNT as u32 {
        guest.step();
        while guest.engine.poll_event().is_some() {}
        receiver.work(Some(Duration::from_millis(1))).unwrap();
    }
    let heartbeats = [0, 0, 0, 8, 2, 0, 0, 0].repeat(16 << 10);
    let octets = Message::with_body("x").to_bytes();
    let mut message = Message::new();
    let spent = measure(|| {
        for n in 0..COUNT {
            guest.say(&mut receiver, &heartbeats);
            while receiver.work(Some(Duration::from_millis(2))).unwrap() {}
            let mut link = guest.engine.sender(link).unwrap();
            link.send_settled(b"t", octets.clone()).unwrap();
            guest.step();
            let before = if taken_at_once { 0 } else { n };
            work_until_there_are(before + 1, &mut receiver);
            if taken_at_once {
                receiver.get(&mut message).unwrap();
            }
        }
    });
    spent.bytes_current
}

#[test]
fn a_message_that_waits_does_not_keep_the_heartbeats_that_came_around_it() {
    let held = held_of_messages_among_heartbeats(false);
    assert!(held < 1 << 20, "{held} octets are held");
    let held = held_of_messages_among_heartbeats(true);
    assert!(held < 1 << 20, "{held} octets are held");
}

/// A peer that attaches so many links on so many sessions, sends one message on each once all may send, and ends the sessions when
/// it gets a second message.
fn crowd(sessions: usize, links: usize) -> Broker {
    let mut begun = Vec::new();
    let mut fed: HashSet<LinkId> = HashSet::new();
    let mut got = 0;
    Broker::start(move |_, engine, event| {
        match event {
            Event::RemoteOpen => {
                usual(engine, event);
                for round in 0..sessions {
                    let config = SessionConfig::default();
                    let id = engine.connection().begin(config).unwrap();
                    begun.push(id);
                    let mut session = engine.session(id).unwrap();
                    for n in 0..links {
                        let config = LinkConfig::sender(format!("l{round}-{n}"), "q");
                        session.attach_sender(config).unwrap();
                    }
                }
            }
            Event::SessionBegun(id) if begun.contains(&id) => {}
            Event::LinkAttached(id) if engine.link(id).unwrap().role() == Role::Sender => {}
            Event::Flow(id) if engine.sender(id).is_ok_and(|link| link.credit() > 0) => {
                if fed.insert(id) && fed.len() == sessions * links {
                    for id in &fed {
                        let mut link = engine.sender(*id).unwrap();
                        link.send_settled(b"t", Message::with_body("x").to_bytes())
                            .unwrap();
                    }
                }
            }
            Event::Deliveries(_) => {
                usual(engine, event);
                got += 1;
                for id in begun.iter().filter(|_| got == 2) {
                    engine.session(*id).unwrap().end(None).unwrap();
                }
            }
            _ => return Dealt::Usual,
        }
        Dealt::Done
    })
}

#[test]
fn links_that_end_while_they_wait_for_room_cost_no_more_than_they_did_to_attach() {
    const SESSIONS: usize = 8;
    const LINKS: usize = 1024;
    let broker = crowd(SESSIONS, LINKS);
    let mut messenger = client();
    messenger.set_blocking(false);
    messenger.set_outgoing_window(1);
    messenger.set_incoming_high_water(1, usize::MAX);
    let word = message_to(&format!("{}/q", broker.address), "x");
    let coming = cost(|| {
        messenger.put(&word).unwrap();
        let _ = messenger.recv(Credit::All);
        work_until_there_are(1, &mut messenger);
        exhaust(&mut messenger);
    });
    assert_eq!(messenger.incoming(), 1);
    let going = cost(|| {
        messenger.put(&word).unwrap();
        work_until_there_are(SESSIONS * LINKS, &mut messenger);
        exhaust(&mut messenger);
    });
    assert_eq!(messenger.incoming(), SESSIONS * LINKS);
    assert!(going < coming * 2, "{coming:?} to come and {going:?} to go");
    let _ = messenger.stop();
}

#[test]
fn what_one_peer_settled_does_not_make_the_ends_of_others_cost_more() {
    const COUNT: u32 = 100_000;
    const GUESTS: usize = 300;
    let mut sent = Vec::new();
    let mut got = 0;
    let mut link_to_us = None;
    let broker = Broker::start(move |_, engine, event| {
        match event {
            Event::Flow(id) if sent.is_empty() && engine.sender(id).is_ok() => {
                let mut link = engine.sender(id).unwrap();
                if link.credit() < COUNT {
                    return Dealt::Done;
                }
                link_to_us = Some(id);
                for n in 0..COUNT {
                    let payload = Message::new().to_bytes();
                    sent.push(link.send(&n.to_be_bytes(), payload).unwrap());
                }
            }
            Event::Deliveries(_) => {
                usual(engine, event);
                got += 1;
                let mut link = engine.sender(link_to_us.unwrap()).unwrap();
                for id in sent.iter().filter(|_| got == 1) {
                    link.settle(*id).unwrap();
                }
            }
            _ => return Dealt::Usual,
        }
        Dealt::Done
    });
    let (mut messenger, address) = server();
    let place = address.strip_prefix("amqp://").unwrap();
    messenger.set_blocking(false);
    messenger.set_outgoing_window(1);
    let come_and_go = |messenger: &mut Messenger| {
        cost(|| {
            for _ in 0..GUESTS {
                drop(TcpStream::connect(place).unwrap());
                messenger.work(Some(Duration::ZERO)).unwrap();
            }
            exhaust(messenger);
        })
    };
    let before = come_and_go(&mut messenger);
    let address = format!("{}/q", broker.address);
    messenger.subscribe(&address).unwrap();
    let _ = messenger.recv(COUNT);
    work_until_there_are(COUNT as usize, &mut messenger);
    messenger.put(&message_to(&address, "x")).unwrap();
    exhaust(&mut messenger);
    let after = come_and_go(&mut messenger);
    assert!(after < before * 3, "{before:?} before and {after:?} after");
    let _ = messenger.stop();
}

#[test]
fn a_session_that_ends_for_what_is_not_implemented_costs_what_its_links_did() {
    const LINKS: usize = 1500;
    let mut got = 0;
    let hostile = Broker::start(move |_, engine, event| {
        if let Event::Deliveries(id) = event {
            usual(engine, event);
            got += 1;
            if got == 1 + LINKS + 1 {
                let session = engine.link(id).unwrap().session().unwrap();
                let why = Condition::new(conditions::NOT_IMPLEMENTED);
                engine.session(session).unwrap().end(Some(why)).unwrap();
            }
            return Dealt::Done;
        }
        Dealt::Usual
    });
    let mut messenger = client();
    messenger.set_outgoing_window(LINKS);
    let message = |n: usize| message_to(&format!("{}/n{n}", hostile.address), "x");
    // What the peer takes is known from here on.
    messenger.put(&message(0)).unwrap();
    messenger.send().unwrap();
    let coming = cost(|| {
        for n in 1..=LINKS {
            messenger.put(&message(n)).unwrap();
        }
        messenger.send().unwrap();
    });
    let going = cost(|| {
        messenger.put(&message(0)).unwrap();
        let _ = messenger.send();
        while !matches!(messenger.work(Some(Duration::from_millis(100))), Ok(false)) {}
    });
    assert!(going < coming * 2, "{coming:?} to come and {going:?} to go");
    let _ = messenger.stop();
}
