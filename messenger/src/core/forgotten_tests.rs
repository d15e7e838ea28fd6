//! What is decided about messages of a link that has begun anew, because its sender forgot it, while another of that sender's is
//! still expected.
#![expect(clippy::unwrap_used, reason = "tests")]

use bytes::Buf;
use ferrion_engine::message::Message;
use ferrion_engine::protocol::Role;
use ferrion_engine::sasl::{SaslClient, SaslConfig};
use ferrion_engine::{Config, Engine, LinkConfig, LinkId, LinkState, SessionConfig};

use super::Core;
use super::credit::Credit;
use super::inbox::Decision;
use super::names_tests::{NOW, server};
use super::pool::ConnKey;
use super::source::SourceKey;
use super::tracker::{Flags, Status, Tracker};

/// Somebody who sends to a server, down links of these names.
struct Guest {
    engine: Engine,
    peer: ConnKey,
    links: Vec<LinkId>,
}

impl Guest {
    fn new(server: &mut Core, listener: SourceKey, links: &[&str], remembers: bool) -> Self {
        let mut config = Config::new("guest");
        config.sasl = SaslConfig::Client(SaslClient::anonymous());
        let mut engine = Engine::client(config);
        engine.connection().open().unwrap();
        let session = engine.connection().begin(SessionConfig::default()).unwrap();
        let mut session = engine.session(session).unwrap();
        let attach = |name: &&str| {
            let mut config = LinkConfig::sender(*name, "node");
            config.recoverable = remembers;
            if remembers {
                // That there is nothing yet is said as well.
                let state = LinkState::new(Role::Sender, config);
                return session.resume(&state).unwrap();
            }
            session.attach_sender(config).unwrap()
        };
        let links = links.iter().map(attach).collect();
        let peer = server.accepted(listener, "guest".to_owned()).unwrap();
        server.connected(peer, NOW, None);
        let mut guest = Self {
            engine,
            peer,
            links,
        };
        guest.talk(server);
        guest
    }

    fn talk(&mut self, server: &mut Core) {
        for _ in 0..10 {
            let said = drain(self.engine.transmit(NOW));
            server.input(self.peer, NOW, &said);
            server.pump(NOW);
            let said = server.output(self.peer, NOW).map(drain).unwrap_or_default();
            server.flushed(self.peer, NOW);
            self.engine.recv_buffer(said.len()).extend_from_slice(&said);
            self.engine.recv_filled(NOW);
            while self.engine.poll_event().is_some() {}
        }
    }

    /// Sends a message down each link.
    fn send(&mut self, server: &mut Core) {
        let message = Message::with_body("x").to_bytes();
        for link in &self.links {
            let mut sender = self.engine.sender(*link).unwrap();
            sender.send(b"tag", message.clone()).unwrap();
        }
        self.talk(server);
    }
}

fn drain(mut output: ferrion_engine::Transmit<'_>) -> Vec<u8> {
    let mut octets = vec![0; output.remaining()];
    output.copy_to_slice(&mut octets);
    octets
}

fn get(server: &mut Core) -> Tracker {
    server.get(&mut Message::new()).unwrap()
}

#[test]
fn what_is_decided_about_a_message_that_its_sender_forgot_reaches_nobody() {
    let (mut server, listener) = server();
    server.set_incoming_window(10);
    server.request(Credit::All);
    let mut guest = Guest::new(&mut server, listener, &["one", "other"], true);
    guest.send(&mut server);
    assert_eq!(server.incoming(), 2);
    server.lost(guest.peer, NOW, "cut".to_owned());
    server.pump(NOW);
    // It comes back with one of the two, and knows nothing of before.
    Guest::new(&mut server, listener, &["one"], false);
    let (of_one, of_other) = (get(&mut server), get(&mut server));
    assert_eq!(server.status(of_one), Status::Aborted);
    assert_eq!(server.status(of_other), Status::Pending);
    for tracker in [of_one, of_other] {
        let accepted = server.decide(tracker, Flags::NONE, &Decision::Accept);
        accepted.unwrap();
    }
    assert_eq!(server.status(of_one), Status::Aborted);
    // It may yet be told.
    assert_eq!(server.status(of_other), Status::Accepted);
}
