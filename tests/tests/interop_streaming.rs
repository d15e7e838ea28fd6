//! One message of a gibibyte each way between the engine and a real peer, in bounded memory.
//!
//! These tests are a program of their own, so that the memory of its process is theirs alone: at the end of each it must never
//! have been larger than [`MOST`], whatever went through it.
//!
//! | peer | receives | sends |
//! |---|---|---|
//! | Proton | 1 GiB, as it comes | 1 GiB, as the socket takes it |
//! | rhea | 128 MiB: it gathers a message in memory, twice over (`Incoming.on_transfer`, `Buffer.concat`) | 128 MiB: it takes a message as one buffer, and each of its frames as another (`Sender.send`, `frames.write_frame`) |

use std::{fs, net::TcpListener, sync::Mutex, time::Duration};

use bytes::Bytes;
use ferrion_engine::{
    Config, Event, LinkConfig, LinkId, SendOptions, SessionConfig,
    protocol::{DeliveryState, Role as End},
};
use ferrion_tests::interop::{
    Conversation,
    Library::{self, Proton, Rhea},
    Program, Role, Sasl, pattern,
};
use serde_json::{Value, json};

/// Octets of memory that this process may have had at most. It holds the program itself, and the buffers of every test that
/// runs at the same time.
const MOST: u64 = 32 << 20;

const GIB: usize = 1 << 30;
const LESS: usize = 128 << 20;

/// Octets that ferrion writes at once, and how many may wait in the engine.
const PIECE: usize = 251 << 10;
const AHEAD: usize = 1 << 20;

/// The lock under which the tests run, one at a time: they would only slow each other down.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn a_gibibyte_goes_to_a_proton_server() {
    goes(Proton, GIB, true);
}

#[test]
fn a_gibibyte_comes_from_a_proton_server() {
    comes(Proton, GIB, true);
}

#[test]
fn a_large_message_goes_to_a_proton_client() {
    goes(Proton, LESS, false);
}

#[test]
fn a_large_message_comes_from_a_proton_client() {
    comes(Proton, LESS, false);
}

#[test]
fn as_much_as_it_gathers_goes_to_rhea() {
    goes(Rhea, LESS, true);
}

#[test]
fn as_much_as_it_holds_comes_from_rhea() {
    comes(Rhea, LESS, true);
}

/// Ferrion sends one message of so many octets.
fn goes(library: Library, size: usize, as_client: bool) {
    let _turn = ONE_AT_A_TIME.lock();
    let (mut talk, mut peer, link) = attach(library, as_client, "sender");
    peer.tell(&json!({"do": "credit", "link": "big", "count": 1}));
    talk.until("credit", |engine| {
        (engine.sender(link).ok()?.credit() > 0).then_some(())
    });
    let mut sender = talk.engine().sender(link).unwrap();
    let delivery = sender.stream(b"big", &SendOptions::default()).unwrap();
    sender.write(delivery, section(size)).unwrap();
    // A whole number of rounds of the pattern, so that each piece begins as the first one does.
    let piece = Bytes::from(pattern(PIECE));
    let mut left = size;
    talk.until("the last octet", |engine| {
        let mut sender = engine.sender(link).ok()?;
        while left > 0 && sender.queued_octets() < AHEAD {
            let octets = piece.slice(..PIECE.min(left));
            left -= octets.len();
            sender.write(delivery, octets).unwrap();
        }
        (left == 0).then(|| sender.finish(delivery).unwrap())
    });
    let heard = hear(&mut talk, &mut peer, "message");
    assert_eq!(
        (&heard["length"], &heard["pattern"]),
        (&json!(size), &json!(true))
    );
    peer.tell(&json!({"do": "disposition", "link": "big", "index": 0, "outcome": "accepted", "settle": true}));
    assert_eq!(talk.outcome(link, delivery), Some(DeliveryState::Accepted));
    assert_eq!(talk.close(), None);
    assert_frugal();
}

/// The peer sends one message of so many octets.
fn comes(library: Library, size: usize, as_client: bool) {
    let _turn = ONE_AT_A_TIME.lock();
    let (mut talk, mut peer, link) = attach(library, as_client, "receiver");
    let mut receiver = talk.engine().receiver(link).unwrap();
    receiver.set_streaming(true);
    receiver.set_credit(1).unwrap();
    let step = if library == Proton { "stream" } else { "send" };
    peer.tell(&json!({"do": step, "link": "big", "size": size}));
    let mut body = Body::default();
    let delivery = talk.until("the last octet", |engine| {
        let mut receiver = engine.receiver(link).ok()?;
        while let Some(part) = receiver.read_partial() {
            part.chunks().for_each(|octets| body.take(octets));
        }
        let last = receiver.next_delivery()?;
        last.payload.chunks().for_each(|octets| body.take(octets));
        Some(last.id.expect("unsettled"))
    });
    assert_eq!(body.size(), Some(size));
    talk.settle(link, delivery, DeliveryState::Accepted);
    let heard = hear(&mut talk, &mut peer, "update");
    assert_eq!(heard["state"], "accepted");
    assert_eq!(talk.close(), None);
    assert_frugal();
}

/// A connection with a session and a link called `big`, which the connection's client attaches.
fn attach(library: Library, as_client: bool, role: &str) -> (Conversation, Program, LinkId) {
    let mut config = Config::new("ferrion");
    config.max_frame_size = 1 << 17;
    // Octets are what is bounded here; frames follow from them.
    let window = SessionConfig {
        incoming_octets: 4 << 20,
        incoming_window: 32,
        ..SessionConfig::default()
    };
    let open = json!({"max_frame": 1 << 17, "capacity": 4 << 20}).to_string();
    let arguments = ["--open", open.as_str()];
    if as_client {
        let peer = Program::serve(library, Role::Steps, Sasl::None, &arguments, &[]);
        let mut talk = Conversation::connect(peer.port(), config).quiet();
        talk.open();
        let session = talk.begin_with(window);
        let (role, config) = match role {
            "sender" => (End::Sender, LinkConfig::sender("big", "node")),
            _ => (End::Receiver, LinkConfig::receiver("big", "node")),
        };
        let link = talk.attach(session, role, config).expect("a link");
        return (talk, peer, link);
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let mut peer = Program::connect(library, port, Role::Steps, Sasl::None, &arguments, &[]);
    let mut talk = Conversation::accept(&listener, config).quiet();
    talk.open();
    peer.tell(&json!({"do": "begin"}));
    let theirs = if role == "sender" {
        "receiver"
    } else {
        "sender"
    };
    peer.tell(&json!({"do": "attach", "role": theirs, "name": "big"}));
    let Event::SessionBegun(session) =
        talk.expect_any("a begin", |event| matches!(event, Event::SessionBegun(_)))
    else {
        unreachable!("nothing else was asked for")
    };
    let mut view = talk.engine().session(session).expect("a session");
    view.accept(window).expect("a begin");
    let link = talk.accept_link();
    (talk, peer, link)
}

/// Lets the connection run until the peer says this.
fn hear(talk: &mut Conversation, peer: &mut Program, event: &str) -> Value {
    loop {
        if let Some(said) = peer.hear(event) {
            return said;
        }
        assert!(peer.is_silent_about("disconnected"), "the peer has gone");
        talk.rest(Duration::from_millis(2));
    }
}

/// What stands before a data section of so many octets.
fn section(size: usize) -> Vec<u8> {
    let size = u32::try_from(size).expect("a size that fits");
    [&[0x00, 0x53, 0x75, 0xb0][..], &size.to_be_bytes()].concat()
}

/// A data section, looked at as it comes.
#[derive(Default)]
struct Body {
    header: Vec<u8>,
    length: usize,
    rounds: Vec<u8>,
}

impl Body {
    fn take(&mut self, octets: &[u8]) {
        if self.rounds.is_empty() {
            self.rounds = pattern(PIECE * 2);
        }
        let missing = octets.len().min(8 - self.header.len());
        let (header, mut rest) = octets.split_at(missing);
        self.header.extend_from_slice(header);
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(rest.len().min(PIECE));
            let at = self.length % 251;
            assert!(
                piece == &self.rounds[at..at + piece.len()],
                "not what was sent, after {} octets",
                self.length
            );
            self.length += piece.len();
            rest = later;
        }
    }

    /// How long it is, if its header says the same.
    fn size(&self) -> Option<usize> {
        (self.header == section(self.length)).then_some(self.length)
    }
}

/// The memory of this process was never more than it may be.
fn assert_frugal() {
    let status = fs::read_to_string("/proc/self/status").expect("a Linux system");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse::<u64>().ok())
        .expect("the peak of the resident set");
    println!("at most {} MiB of memory", peak >> 10);
    assert!(peak << 10 <= MOST, "{} MiB of memory", peak >> 10);
}
