//! Bringing an engine and a peer together, and what both of them say compared.

use std::{
    net::{Ipv4Addr, TcpListener},
    time::{Duration, Instant},
};

use ferrion_engine::{
    Config, LinkId, Message, SessionId,
    codec::{Fields, Value as Amqp},
};
use ferrion_tests::interop::{
    Conversation, Library, PATIENCE, Program, Role, Sasl, notation, pattern,
};
use serde_json::{Value, json};

/// Which side of the connection ferrion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// A test for each peer and each side, of a function that takes both.
macro_rules! everywhere {
    ($($scenario:ident),* $(,)?) => {$(
        mod $scenario {
            use $crate::common::Side;
            use ferrion_tests::interop::Library::{Proton, Rhea};

            #[test]
            fn with_a_proton_server() {
                super::$scenario(Proton, Side::Client);
            }

            #[test]
            fn with_a_proton_client() {
                super::$scenario(Proton, Side::Server);
            }

            #[test]
            fn with_a_rhea_server() {
                super::$scenario(Rhea, Side::Client);
            }

            #[test]
            fn with_a_rhea_client() {
                super::$scenario(Rhea, Side::Server);
            }
        }
    )*};
}
pub(crate) use everywhere;

/// An engine and a peer whose connection is open, and has a session that the connection's client began.
pub(crate) struct Meeting {
    pub(crate) talk: Conversation,
    pub(crate) peer: Program,
    pub(crate) session: SessionId,
}

/// Brings them together. `open` is what the peer's open says.
pub(crate) fn meet(library: Library, side: Side) -> Meeting {
    let (talk, peer, _) = open(library, side, Config::new("ferrion"), &json!({}));
    begin(talk, peer, side)
}

/// Opens a connection: the conversation, the peer, and what it says of ferrion's open.
pub(crate) fn open(
    library: Library,
    side: Side,
    config: Config,
    theirs: &Value,
) -> (Conversation, Program, Value) {
    let theirs = theirs.to_string();
    let arguments = ["--open", theirs.as_str()];
    let (mut talk, mut peer) = match side {
        Side::Client => {
            let peer = Program::serve(library, Role::Steps, Sasl::None, &arguments, &[]);
            (Conversation::connect(peer.port(), config), peer)
        }
        Side::Server => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            let port = listener.local_addr().expect("an address").port();
            let peer = Program::connect(library, port, Role::Steps, Sasl::None, &arguments, &[]);
            (Conversation::accept(&listener, config), peer)
        }
    };
    talk.open();
    let heard = run(&mut talk, &mut peer, "open");
    (talk, peer, heard)
}

/// Begins a session from the side of the connection's client.
pub(crate) fn begin(mut talk: Conversation, mut peer: Program, side: Side) -> Meeting {
    let session = match side {
        Side::Client => talk.begin(),
        Side::Server => {
            peer.tell(&json!({"do": "begin"}));
            run(&mut talk, &mut peer, "did");
            talk.accept_session()
        }
    };
    run(&mut talk, &mut peer, "begin");
    Meeting {
        talk,
        peer,
        session,
    }
}

impl Meeting {
    /// Tells the peer what to do, and waits until it has been told.
    pub(crate) fn tell(&mut self, step: &Value) {
        self.peer.tell(step);
        self.hear("did");
    }

    /// Lets the connection run until the peer says this.
    pub(crate) fn hear(&mut self, event: &str) -> Value {
        run(&mut self.talk, &mut self.peer, event)
    }

    /// A sender of ferrion's, to the peer.
    pub(crate) fn sender(&mut self, address: &str) -> LinkId {
        let link = self.talk.sender(self.session, address);
        self.hear("link");
        link
    }

    /// A receiver of ferrion's, from the peer.
    pub(crate) fn receiver(&mut self, address: &str) -> LinkId {
        let link = self.talk.receiver(self.session, address);
        self.hear("link");
        link
    }

    /// Has the peer attach a link, and accepts it as it is.
    pub(crate) fn accept(&mut self, step: &Value) -> LinkId {
        let link = self.offered(step);
        let mut view = self.talk.engine().link(link).expect("a link");
        view.accept().expect("an attach");
        self.hear("link");
        link
    }

    /// Has the peer attach a link. It is to be answered.
    pub(crate) fn offered(&mut self, step: &Value) -> LinkId {
        self.tell(step);
        self.talk.offered_link()
    }

    /// The name of a link.
    pub(crate) fn name(&mut self, link: LinkId) -> String {
        let view = self.talk.engine().link(link).expect("a link");
        view.name().to_string()
    }

    /// Closes the connection in order.
    pub(crate) fn part(self) {
        let Self { talk, mut peer, .. } = self;
        assert_eq!(talk.close(), None);
        assert_eq!(peer.expect("close")["condition"], Value::Null);
        assert!(peer.is_silent_about("transport_error"));
    }
}

/// Lets the connection run until the peer says this.
pub(crate) fn run(talk: &mut Conversation, peer: &mut Program, event: &str) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(said) = peer.hear(event) {
            return said;
        }
        assert!(
            Instant::now() < until,
            "the peer does not say {event:?}.\n{}",
            talk.story()
        );
        talk.rest(Duration::from_millis(2));
    }
}

/// The step that attaches a link of the peer's.
pub(crate) fn attach(role: &str, name: &str) -> Value {
    let (near, far) = match role {
        "sender" => ("target", "source"),
        _ => ("source", "target"),
    };
    json!({"do": "attach", "role": role, "name": name, near: {"address": "node"}, far: {}})
}

/// The step that accepts and settles a delivery to the peer.
pub(crate) fn accept(link: &str, index: usize) -> Value {
    json!({"do": "disposition", "link": link, "index": index, "outcome": "accepted", "settle": true})
}

/// A message of one data section.
pub(crate) fn message(body: &str) -> Vec<u8> {
    Message::with_body(body.as_bytes().to_vec())
        .to_bytes()
        .to_vec()
}

/// A message of so many octets of the pattern, in one data section.
pub(crate) fn large(size: usize) -> Vec<u8> {
    Message::with_body(pattern(size)).to_bytes().to_vec()
}

/// The map that a notation stands for.
pub(crate) fn fields(note: &Value) -> Fields {
    match notation::value(note) {
        Amqp::Map(map) => map.into(),
        other => panic!("not a map: {other:?}"),
    }
}

/// The notation of a map.
pub(crate) fn note(fields: Option<&Fields>) -> Value {
    fields.map_or(Value::Null, |fields| {
        notation::describe_value(&Amqp::Map(fields.to_map()))
    })
}

/// The same, as an application of this library is told it: to one of rhea's, a symbol is a string.
pub(crate) fn plain(library: Library, note: &Value) -> Value {
    if library == Library::Proton {
        return note.clone();
    }
    match note {
        Value::Array(items) => items.iter().map(|item| plain(library, item)).collect(),
        Value::String(text) if text == "symbol" => json!("string"),
        other => other.clone(),
    }
}
