//! What the engine takes from the allocator: nothing for messages in a steady flow, and how much for each object. A
//! counting allocator looks on.
#![forbid(unsafe_code)]

use allocation_counter::{AllocationInfo, measure};
use bytes::Buf;
use ferrion_engine::message::Message;
use ferrion_engine::{
    Config, Engine, Event, Limits, LinkConfig, LinkId, SessionConfig, SessionId, Time,
};

const NOW: Time = Time(1);
const CREDIT: u32 = 1000;
const BATCH: u32 = 100;
/// More than any container or queue needs to grow to its size.
const WARM_UP: u32 = 20_000;
const MEASURED: u32 = 10_000;

/// Two engines with a session on which links can be made.
struct Pair {
    client: Engine,
    server: Engine,
    session: SessionId,
    received: u32,
    acknowledged: u32,
}

impl Pair {
    fn new() -> Self {
        let mut limits = Limits::default();
        limits.links_per_session = 1 << 20;
        let config = |name: &'static str| {
            let mut config = Config::new(name);
            config.limits = limits.clone();
            config
        };
        let mut client = Engine::client(config("client"));
        client.connection().open().expect("a new connection");
        let session = client.connection().begin(SessionConfig::default());
        let mut pair = Self {
            client,
            server: Engine::server(config("server")),
            session: session.expect("an open connection"),
            received: 0,
            acknowledged: 0,
        };
        pair.run();
        pair
    }

    fn attach(&mut self, name: &str) -> LinkId {
        let mut session = self.client.session(self.session).expect("a session");
        let attached = session.attach_sender(LinkConfig::sender(name, "queue"));
        attached.expect("a name of its own")
    }

    fn send(&mut self, link: LinkId, settled: bool, count: u32) {
        let mut sender = self.client.sender(link).expect("a sender");
        for number in 0..count {
            let tag = number.to_be_bytes();
            if settled {
                sender.send_settled(&tag, &[7; 100]).expect("credit");
            } else {
                sender.send(&tag, &[7; 100]).expect("credit");
            }
        }
    }

    /// Goes on until neither has anything to say.
    fn run(&mut self) {
        loop {
            let there = carry(&mut self.client, &mut self.server);
            self.serve();
            let back = carry(&mut self.server, &mut self.client);
            self.hear();
            if !there && !back {
                return;
            }
        }
    }

    fn serve(&mut self) {
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::RemoteOpen => self.server.connection().open().expect("not open yet"),
                Event::SessionBegun(id) => {
                    let mut session = self.server.session(id).expect("a session");
                    session
                        .accept(SessionConfig::default())
                        .expect("not accepted yet");
                }
                Event::LinkAttached(id) => {
                    let accepted = self.server.link(id).expect("a link").accept();
                    accepted.expect("not accepted yet");
                    let mut receiver = self.server.receiver(id).expect("a receiver");
                    receiver.set_automatic_credit(CREDIT).expect("attached");
                }
                Event::Deliveries(id) => {
                    let mut receiver = self.server.receiver(id).expect("a receiver");
                    while let Some(delivery) = receiver.next_delivery() {
                        self.received += 1;
                        if let Some(id) = delivery.id {
                            receiver.accept(id).expect("not settled yet");
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn hear(&mut self) {
        while let Some(event) = self.client.poll_event() {
            if let Event::Updates(id) = event {
                let mut link = self.client.link(id).expect("a link");
                while let Some(update) = link.next_update() {
                    assert!(update.settled, "accepted and settled");
                    self.acknowledged += 1;
                }
            }
        }
    }
}

/// Moves the output of one into the other, by copy.
fn carry(from: &mut Engine, to: &mut Engine) -> bool {
    let mut moved = false;
    loop {
        let mut output = from.transmit(NOW);
        let octets = output.remaining();
        if octets == 0 {
            return moved;
        }
        moved = true;
        let input = to.recv_buffer(octets);
        while output.has_remaining() {
            let piece = output.chunk();
            let length = piece.len();
            input.extend_from_slice(piece);
            output.advance(length);
        }
        to.recv_filled(NOW);
    }
}

/// What so many messages take, after enough of them that everything has grown to its size.
fn of_a_steady_flow(settled: bool) -> AllocationInfo {
    let mut pair = Pair::new();
    let link = pair.attach("steady");
    pair.run();
    for _ in 0..WARM_UP / BATCH {
        pair.send(link, settled, BATCH);
        pair.run();
    }
    let info = measure(|| {
        for _ in 0..MEASURED / BATCH {
            pair.send(link, settled, BATCH);
            pair.run();
        }
    });
    assert_eq!(pair.received, WARM_UP + MEASURED);
    let acknowledged = if settled { 0 } else { WARM_UP + MEASURED };
    assert_eq!(pair.acknowledged, acknowledged);
    info
}

#[test]
fn small_accepted_messages_take_nothing_from_the_allocator() {
    let info = of_a_steady_flow(false);
    assert_eq!(info.count_total, 0, "{info:?} for {MEASURED} messages");
}

#[test]
fn small_settled_messages_take_nothing_from_the_allocator() {
    let info = of_a_steady_flow(true);
    assert_eq!(info.count_total, 0, "{info:?} for {MEASURED} messages");
}

#[test]
fn a_short_message_keeps_no_more_than_its_octets() {
    let mut message = Message::new();
    message.set_body("hello");
    message.set_subject("greeting");
    let mut octets = None;
    let info = measure(|| octets = Some(message.to_bytes()));
    let length = octets.expect("measured").len();
    assert_eq!(info.count_total, 1, "{info:?} for {length} octets");
    assert_eq!(info.bytes_current, length as i64, "{info:?}");
}

/// Octets at one end, of which a pair has two, that `make` leaves allocated.
fn per_end(count: i64, make: impl FnOnce()) -> i64 {
    let info = measure(make);
    let octets = info.bytes_current / count / 2;
    println!("{octets} octets at each end");
    octets
}

#[test]
fn a_connection_with_a_session_and_a_link_takes_little_memory() {
    let mut pair = None;
    let octets = per_end(1, || {
        let mut made = Pair::new();
        made.attach("only");
        made.run();
        pair = Some(made);
    });
    assert!(octets <= MOST_OF_A_CONNECTION, "{octets} octets");
}

#[test]
fn an_attached_link_takes_little_memory() {
    const LINKS: u32 = 4096;
    let mut pair = Pair::new();
    let octets = per_end(LINKS.into(), || {
        for number in 0..LINKS {
            pair.attach(&format!("link-{number}"));
            // The buffers of the connection grow to what the largest batch needs, and are no part of a link.
            if number % 16 == 15 {
                pair.run();
            }
        }
    });
    assert_eq!(pair.server.census().links, LINKS as usize);
    assert!(octets <= MOST_OF_A_LINK, "{octets} octets");
}

/// The engine itself and its buffers, with one session and one link.
const MOST_OF_A_CONNECTION: i64 = 4 << 10;
/// With what the two sides said when they attached, which can be asked for as long as the link lives.
const MOST_OF_A_LINK: i64 = 400;

/// Where the engine is optimised, 100,000 links take a fraction of a second. Quadratic time would be a minute.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how long it takes is what is asked here; the engine is not told"
)]
fn the_time_to_attach_a_link_does_not_depend_on_how_many_there_are() {
    let links = if cfg!(debug_assertions) {
        20_000
    } else {
        100_000
    };
    let mut pair = Pair::new();
    let start = std::time::Instant::now();
    for number in 0..links {
        pair.attach(&format!("link-{number}"));
    }
    pair.run();
    let time = start.elapsed();
    println!("{links} links in {time:?}");
    assert_eq!(pair.client.census().links, links);
    assert_eq!(pair.server.census().links, links);
    assert!(time.as_secs() < 20, "{links} links took {time:?}");
}
