//! Two engines joined by memory: nothing is written down and nothing judged, so that a hundred thousand messages take a moment.
//! What is said between them is the business of the [pair](crate::pair).

use bytes::{Buf, BytesMut};
use ferrion_engine::{Config, Engine, Event, LinkConfig, LinkId, SessionConfig, SessionId, Time};

/// A client and a server, and the octets between them.
#[derive(Debug)]
pub struct Line {
    /// The engine that made the connection.
    pub client: Engine,
    /// The engine that was connected to.
    pub server: Engine,
    /// Octets that have been moved, both ways.
    pub octets: usize,
    wires: [BytesMut; 2],
}

/// A link from the client to the server.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The client's end.
    pub sender: LinkId,
    /// The server's end.
    pub receiver: LinkId,
}

const NOW: Time = Time(1);

impl Line {
    /// An open connection between two engines of these configurations.
    pub fn new(client: Config, server: Config) -> Self {
        let mut line = Self {
            client: Engine::client(client),
            server: Engine::server(server),
            octets: 0,
            wires: Default::default(),
        };
        for engine in [&mut line.client, &mut line.server] {
            engine.connection().open().expect("it is new");
        }
        line.run();
        assert_eq!(line.client.poll_event(), Some(Event::RemoteOpen));
        assert_eq!(line.server.poll_event(), Some(Event::RemoteOpen));
        line
    }

    /// Moves octets until there are none.
    pub fn run(&mut self) {
        loop {
            let [up, down] = &mut self.wires;
            let moved = carry(&mut self.client, &mut self.server, up)
                + carry(&mut self.server, &mut self.client, down);
            self.octets += moved;
            if moved == 0 {
                return;
            }
        }
    }

    /// A session of the client's, accepted by the server: the ids of both.
    pub fn begun(
        &mut self,
        client: SessionConfig,
        server: SessionConfig,
    ) -> (SessionId, SessionId) {
        let ours = self.client.connection().begin(client).expect("a channel");
        self.run();
        let Some(Event::SessionBegun(theirs)) = self.server.poll_event() else {
            panic!("no session came");
        };
        let mut session = self.server.session(theirs).expect("told just now");
        session.accept(server).expect("it is new");
        self.run();
        assert_eq!(self.client.poll_event(), Some(Event::SessionBegun(ours)));
        (ours, theirs)
    }

    /// A sender of the client's for each configuration, accepted by the server.
    pub fn joined(
        &mut self,
        session: SessionId,
        configs: impl IntoIterator<Item = LinkConfig>,
    ) -> Vec<Link> {
        let mut session = self.client.session(session).expect("live");
        let senders: Vec<LinkId> = configs
            .into_iter()
            .map(|config| session.attach_sender(config).expect("a handle and a name"))
            .collect();
        self.run();
        let mut links = Vec::new();
        for sender in senders {
            let Some(Event::LinkAttached(receiver)) = self.server.poll_event() else {
                panic!("no link came");
            };
            let mut link = self.server.link(receiver).expect("told just now");
            link.accept().expect("it is new");
            links.push(Link { sender, receiver });
        }
        self.run();
        for link in &links {
            let attached = Event::LinkAttached(link.sender);
            assert_eq!(self.client.poll_event(), Some(attached));
        }
        links
    }
}

/// Moves the output of one engine to the other; answers how many octets that was.
fn carry(from: &mut Engine, to: &mut Engine, wire: &mut BytesMut) -> usize {
    let mut moved = 0;
    loop {
        let mut output = from.transmit(NOW);
        if !output.has_remaining() {
            return moved;
        }
        while output.has_remaining() {
            let piece = output.chunk().len();
            wire.extend_from_slice(output.chunk());
            output.advance(piece);
            moved += piece;
        }
        to.recv(NOW, wire);
    }
}
