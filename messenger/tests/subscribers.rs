//! Peers that only receive: how a program that listens learns of them, and sends to them.

#[macro_use]
mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use ferrion_engine::{Config, Engine, Event, LinkConfig, LinkId, SessionConfig, Time};
use ferrion_messenger::{ConnectionEvent, Error, Message, Messenger};
use support::way::{Party, Trio, Way};
use support::{PATIENCE, message_to, text};

in_every_mode_over_tcp! {
    a_listener_is_told_who_receives_and_sends_to_each_of_them,
    who_has_left_is_not_told_of_and_cannot_be_sent_to,
    an_address_that_was_made_up_before_a_restart_leads_to_nobody,
}

/// A peer that receives: where to put messages for it, what it calls itself, and its node.
type Subscriber = (String, String, String);

fn subscribers(messenger: &mut Messenger) -> Vec<Subscriber> {
    let events = std::iter::from_fn(|| messenger.poll_connection_event());
    let told = events.map(|event| match event {
        ConnectionEvent::Subscribed {
            address,
            container,
            node,
        } => (address, container, node),
        other => panic!("nothing else happens to a listener: {other:?}"),
    });
    told.collect()
}

/// A listener and two peers that have the same name.
fn twins(way: Way) -> Trio {
    let (server, address) = way.server();
    Trio {
        server,
        client: way.party_named("twin"),
        client2: way.party_named("twin"),
        address,
    }
}

/// Takes what has come: the text, and where it says that it goes to.
fn take(party: &mut Party) -> Vec<(String, Option<String>)> {
    let mut message = Message::new();
    let mut taken = Vec::new();
    while party.incoming() > 0 {
        party.get(&mut message).unwrap();
        let to = message.address().unwrap().map(str::to_owned);
        taken.push((text(&message).to_owned(), to));
    }
    taken
}

fn a_listener_is_told_who_receives_and_sends_to_each_of_them(way: Way) {
    let mut trio = twins(way);
    let address = trio.address.clone();
    trio.client.subscribe(&format!("{address}/news")).unwrap();
    trio.client.ask(10);
    trio.settle();
    trio.client2.subscribe(&format!("{address}/news")).unwrap();
    trio.client2.subscribe(&format!("{address}/#")).unwrap();
    trio.client2.ask(10);
    trio.settle();

    let told = subscribers(&mut trio.server);
    let [first, second, dynamic] = &told[..] else {
        panic!("{told:?}");
    };
    for (_, container, _) in &told {
        assert_eq!(container, "twin");
    }
    assert_eq!((&*first.2, &*second.2), ("news", "news"));
    assert_eq!(dynamic.0, dynamic.2, "it was made up for this peer");
    let mut trackers = Vec::new();
    for (to, body) in [(first, "1"), (second, "2"), (dynamic, "3")] {
        trackers.push(trio.server.put(&message_to(&to.0, body)).unwrap());
    }
    // The name leads to one of them: who came last, as nobody logged in, so that it may be the same again.
    trackers.push(
        trio.server
            .put(&message_to("amqp://twin/news", "4"))
            .unwrap(),
    );
    trio.until("arrived", |trio| {
        trio.client.incoming() + trio.client2.incoming() == trackers.len()
    });
    let got = take(&mut trio.client);
    let news = || Some("news".to_owned());
    assert_eq!(got, [("1".to_owned(), news())]);
    let mut got = take(&mut trio.client2);
    got.sort();
    let made_up = Some(dynamic.2.clone());
    let by_name = Some("amqp://twin/news".to_owned());
    let expected = [("2", news()), ("3", made_up), ("4", by_name)];
    assert_eq!(got, expected.map(|(text, to)| (text.to_owned(), to)));
    assert_eq!(subscribers(&mut trio.server), []);
}

fn who_has_left_is_not_told_of_and_cannot_be_sent_to(way: Way) {
    let mut trio = twins(way);
    let address = format!("{}/news", trio.address);
    trio.client.subscribe(&address).unwrap();
    trio.settle();
    let told = subscribers(&mut trio.server);
    trio.client2.subscribe(&address).unwrap();
    trio.settle();
    for client in [&mut trio.client, &mut trio.client2] {
        drop(std::mem::replace(client, way.party()));
    }
    trio.settle();
    assert_eq!(subscribers(&mut trio.server), []);
    let error = trio.server.put(&message_to(&told[0].0, "x")).unwrap_err();
    assert!(matches!(error, Error::Send { .. }), "{error}");
    assert!(
        error.to_string().contains("a peer that has left"),
        "{error}"
    );
}

fn an_address_that_was_made_up_before_a_restart_leads_to_nobody(way: Way) {
    let mut told: Vec<Subscriber> = Vec::new();
    for _ in 0..2 {
        let mut server = way.party_named("server");
        let address = way.listen(&mut server);
        let client = way.party_named("twin");
        let client2 = way.party();
        let mut trio = Trio {
            server,
            client,
            client2,
            address,
        };
        for node in ["news", "#"] {
            let address = format!("{}/{node}", trio.address);
            trio.client.subscribe(&address).unwrap();
        }
        trio.settle();
        // They would be the same two links, by their numbers.
        for (old, _, _) in &told {
            let error = trio.server.put(&message_to(old, "x")).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("a peer that has left"), "{text}");
        }
        told = subscribers(&mut trio.server);
        assert_eq!(told.len(), 2);
        for (new, _, _) in &told {
            trio.server.put(&message_to(new, "x")).unwrap();
        }
    }
}

/// A peer that can do what no messenger does: end one of its links.
struct Peer {
    stream: TcpStream,
    engine: Engine,
}

impl Peer {
    fn new(address: &str) -> Self {
        let stream = TcpStream::connect(address.strip_prefix("amqp://").unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut engine = Engine::client(Config::new("peer"));
        engine.connection().open().unwrap();
        Self { stream, engine }
    }

    /// It and the server work until this is so.
    #[expect(clippy::disallowed_methods, reason = "the test is who has a clock")]
    fn until(&mut self, server: &mut Party, done: impl Fn(&mut Engine) -> bool) {
        let begun = Instant::now();
        while !done(&mut self.engine) {
            assert!(begun.elapsed() < PATIENCE, "it never comes to that");
            let mut output = self.engine.transmit(Time(0));
            while output.has_remaining() {
                let count = self.stream.write(output.chunk()).unwrap();
                output.advance(count);
            }
            server.work(Some(Duration::from_millis(1))).unwrap();
            let mut octets = [0; 4096];
            match self.stream.read(&mut octets) {
                Ok(count) => {
                    let mut input = BytesMut::from(&octets[..count]);
                    self.engine.recv(Time(0), &mut input);
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
    }

    /// What came down a link that nobody has taken.
    fn waiting(engine: &mut Engine, link: LinkId) -> usize {
        engine.receiver(link).unwrap().waiting()
    }
}

#[test]
fn when_the_first_link_to_a_node_leaves_the_next_is_found_by_the_node() {
    let (mut server, address) = Way::SIMPLE.server();
    let mut peer = Peer::new(&address);
    let session = peer.engine.connection().begin(SessionConfig::default());
    let session = session.unwrap();
    let links = ["first", "second", "third"].map(|name| {
        let mut session = peer.engine.session(session).unwrap();
        let config = LinkConfig::receiver(name, "news");
        let link = session.attach_receiver(config).unwrap();
        peer.engine.receiver(link).unwrap().set_credit(10).unwrap();
        link
    });
    let [first, second, third] = links;
    peer.until(&mut server, |engine| {
        let mut links = links.iter();
        links.all(|link| engine.link(*link).unwrap().is_attached())
    });
    for (found, waiting, leaves) in [(first, 1, first), (second, 1, third), (second, 2, second)] {
        server.put(&message_to("amqp://peer/news", "x")).unwrap();
        peer.until(&mut server, |engine| {
            Peer::waiting(engine, found) == waiting
        });
        peer.engine.link(leaves).unwrap().close(None).unwrap();
        peer.until(&mut server, |engine| {
            while let Some(event) = engine.poll_event() {
                if event == Event::LinkDetached(leaves) {
                    return true;
                }
            }
            false
        });
    }
}
