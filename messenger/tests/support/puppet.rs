//! A peer that behaves up to a point, and then does something to the connection.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use bytes::{Buf, BytesMut};
use ferrion_engine::protocol::{Condition, Role};
use ferrion_engine::sasl::{Mechanism, SaslConfig, SaslServer};
use ferrion_engine::{Config, Engine, Event, Message, SessionConfig, Time};

/// How far the peer goes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// The connection is accepted, nothing is read.
    Accepted,
    /// The first octets were read.
    Header,
    Authenticated,
    Opened,
    Begun,
    /// The link is attached, there is no credit yet.
    Attached,
    /// A message was transferred, in either direction, and is not settled.
    Transferred,
}

pub(crate) const STAGES: [Stage; 7] = [
    Stage::Accepted,
    Stage::Header,
    Stage::Authenticated,
    Stage::Opened,
    Stage::Begun,
    Stage::Attached,
    Stage::Transferred,
];

/// What it does then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Closes the socket in order.
    Close,
    /// Resets the connection.
    Reset,
    /// Says nothing more, for as long as the other side stays.
    Stall,
    /// Sends octets that mean nothing.
    Garbage,
    /// Sends the first half of a frame and closes.
    Tear,
}

/// Waits for one connection and plays its part; answers the address and the thread.
pub(crate) fn puppet(stage: Stage, deed: Deed) -> (String, JoinHandle<()>) {
    puppet_behind(TcpListener::bind("127.0.0.1:0").unwrap(), stage, deed)
}

/// The same, by a listener that ends with its first connection.
pub(crate) fn puppet_behind(
    listener: TcpListener,
    stage: Stage,
    deed: Deed,
) -> (String, JoinHandle<()>) {
    let address = format!("amqp://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        drop(listener);
        let mut peer = Peer::new(stream);
        peer.play(stage);
        peer.commit(deed);
    });
    (address, thread)
}

struct Peer {
    stream: TcpStream,
    engine: Engine,
    reached: Stage,
}

impl Peer {
    fn new(stream: TcpStream) -> Self {
        let mut config = Config::new("puppet");
        config.sasl = SaslConfig::Server(SaslServer::new([Mechanism::Anonymous]));
        Self {
            stream,
            engine: Engine::server(config),
            reached: Stage::Accepted,
        }
    }

    /// Goes along until `stage` is reached; what would follow is not written.
    fn play(&mut self, stage: Stage) {
        let mut input = BytesMut::new();
        let mut buffer = [0; 4096];
        while self.reached < stage {
            let count = self.stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the messenger left at {:?}", self.reached);
            self.reach(Stage::Header);
            input.extend_from_slice(&buffer[..count]);
            self.engine.recv(Time(0), &mut input);
            while self.reached < stage
                && let Some(event) = self.engine.poll_event()
            {
                self.react(event);
                // What is written is what was decided up to here, and not a frame further.
                self.flush();
            }
            if self.reached < stage {
                self.flush();
            }
        }
    }

    fn reach(&mut self, stage: Stage) {
        self.reached = self.reached.max(stage);
    }

    fn react(&mut self, event: Event) {
        let engine = &mut self.engine;
        match event {
            Event::Authenticated => self.reach(Stage::Authenticated),
            Event::RemoteOpen => {
                engine.connection().open().unwrap();
                self.reach(Stage::Opened);
            }
            Event::SessionBegun(id) => {
                engine
                    .session(id)
                    .unwrap()
                    .accept(SessionConfig::default())
                    .unwrap();
                self.reach(Stage::Begun);
            }
            Event::LinkAttached(id) => {
                let mut link = engine.link(id).unwrap();
                link.accept().unwrap();
                if link.role() == Role::Receiver {
                    engine.receiver(id).unwrap().set_credit(10).unwrap();
                }
                self.reach(Stage::Attached);
            }
            Event::Flow(id) => {
                let mut sender = engine.sender(id).unwrap();
                if sender.credit() > 0 {
                    sender
                        .send(b"t", Message::with_body("x").to_bytes())
                        .unwrap();
                    self.flush();
                    self.reach(Stage::Transferred);
                }
            }
            Event::Deliveries(_) => self.reach(Stage::Transferred),
            _ => {}
        }
    }

    fn flush(&mut self) {
        loop {
            let mut output = self.engine.transmit(Time(0));
            if !output.has_remaining() {
                return;
            }
            let count = output.chunk().len();
            // The messenger may have seen enough already.
            let _ = self.stream.write_all(output.chunk());
            output.advance(count);
        }
    }

    fn commit(mut self, deed: Deed) {
        match deed {
            Deed::Close => self.stream.shutdown(std::net::Shutdown::Both).unwrap(),
            Deed::Reset => {
                let socket = socket2::SockRef::from(&self.stream);
                socket.set_linger(Some(std::time::Duration::ZERO)).unwrap();
            }
            Deed::Stall => self.wait(),
            Deed::Garbage => {
                let _ = self.stream.write_all(&[0xde; 512]);
                self.wait();
            }
            Deed::Tear => {
                let _ = self.stream.write_all(&[0, 0, 0, 100, 2, 0, 0, 0, 0, 0x53]);
                let _ = self.stream.shutdown(std::net::Shutdown::Write);
                self.wait();
            }
        }
    }

    /// Until the other side is gone.
    fn wait(&mut self) {
        let mut buffer = [0; 4096];
        while self.stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
    }
}

/// A peer that answers everything properly, and ends one thing with a condition.
pub(crate) fn refuser(scope: ferrion_messenger::Scope) -> (String, JoinHandle<()>) {
    let mut condition = Condition::new("test:refused".try_into().unwrap());
    condition.description = Some("not today".into());
    ender(scope, condition)
}

/// As [`refuser`], with this condition.
pub(crate) fn ender(
    scope: ferrion_messenger::Scope,
    condition: Condition,
) -> (String, JoinHandle<()>) {
    use ferrion_messenger::Scope;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("amqp://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        drop(listener);
        let mut peer = Peer::new(stream);
        peer.play(Stage::Begun);
        peer.flush();
        let mut input = BytesMut::new();
        let mut buffer = [0; 4096];
        loop {
            while let Some(event) = peer.engine.poll_event() {
                if let Event::LinkAttached(id) = event {
                    let why = condition.clone();
                    match scope {
                        Scope::Link => peer.engine.link(id).unwrap().refuse(why).unwrap(),
                        Scope::Session => {
                            let session = peer.engine.link(id).unwrap().session().unwrap();
                            peer.engine
                                .session(session)
                                .unwrap()
                                .end(Some(why))
                                .unwrap();
                        }
                        _ => peer.engine.connection().close(Some(why)).unwrap(),
                    }
                }
            }
            peer.flush();
            match peer.stream.read(&mut buffer) {
                Ok(count) if count > 0 => input.extend_from_slice(&buffer[..count]),
                _ => return,
            }
            peer.engine.recv(Time(0), &mut input);
        }
    });
    (address, thread)
}
