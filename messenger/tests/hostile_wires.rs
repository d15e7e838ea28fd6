//! WebSocket and TLS that mean harm, at a listener and at a client: what is held for them and how long they are worked on is
//! bounded, they end with their cause or in time, and honest peers beside them are served.

#[path = "support/cost.rs"]
mod cost;
mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use allocation_counter::measure;
use cost::cost;
use ferrion_messenger::{Credit, Message, Messenger, Status};
use support::{PATIENCE, Serving, Wire, message_to};

/// Octets of an attack that is not about one frame.
const MUCH: usize = 1 << 20;
/// What a peer may make this side hold before AMQP is open: 128 KiB that were read at once, decrypted, and as the engine gets
/// them, in buffers that are up to twice as large; and of TLS a handshake of 64 KiB.
const HELD: u64 = 1 << 20;

/// What is said, in words for what fails, and the octets.
type Attack = (&'static str, fn() -> Vec<u8>);

/// A frame of WebSocket: its first octet, its size as it is written, and what follows, masked with zeros if it is a client's.
fn frame(first: u8, client: bool, payload: &[u8]) -> Vec<u8> {
    let size = u8::try_from(payload.len()).expect("short");
    assert!(size < 126);
    let mask: &[u8] = if client { &[0; 4] } else { &[] };
    [&[first, size | u8::from(client) << 7], mask, payload].concat()
}

fn request() -> Vec<u8> {
    b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
      Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
      Sec-WebSocket-Protocol: amqp\r\n\r\n"
        .to_vec()
}

fn repeated(piece: &[u8]) -> Vec<u8> {
    piece.repeat(MUCH / piece.len())
}

/// Behind the request for a WebSocket, and behind the header of AMQP in it.
fn upgraded(octets: &[u8]) -> Vec<u8> {
    let header = frame(0x82, true, b"AMQP\x00\x01\x00\x00");
    [&request(), &header, octets].concat()
}

const AT_A_WEBSOCKET: &[Attack] = &[
    ("pings without end", || {
        upgraded(&repeated(&frame(0x89, true, &[7; 125])))
    }),
    ("pongs that nobody asked for", || {
        upgraded(&repeated(&frame(0x8a, true, &[7; 125])))
    }),
    ("frames without an octet", || {
        upgraded(&repeated(&frame(0x82, true, b"")))
    }),
    ("fragments without an octet and without end", || {
        let begin = frame(0x02, true, b"");
        upgraded(&[begin, repeated(&frame(0x00, true, b""))].concat())
    }),
    ("a ping of 2^62 octets", || {
        upgraded(&repeated(&[
            0x89, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ]))
    }),
    (
        "a frame of 2^62 octets, full of empty frames of AMQP",
        || {
            let head = [0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            upgraded(&[&head[..], &repeated(&[0, 0, 0, 8, 2, 0, 0, 0])].concat())
        },
    ),
    ("frames that are not masked", || {
        upgraded(&repeated(&frame(0x82, false, b"AMQP")))
    }),
    ("a message that begins within another", || {
        upgraded(&repeated(&frame(0x02, true, b"x")))
    }),
    ("a request without end, in one line", || {
        [&b"GET /"[..], &repeated(b"x")].concat()
    }),
    ("a request without end, in lines", || {
        [&b"GET / HTTP/1.1\r\n"[..], &repeated(b"x: y\r\n")].concat()
    }),
    ("zeros", || vec![0; MUCH]),
];

const AT_TLS: &[Attack] = &[
    ("a hello of 2^24-1 octets", || {
        let first = [&[22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff][..], &[0; 16_380]].concat();
        let more = [&[22, 3, 1, 0x40, 0][..], &[0; 16_384]].concat();
        [first, more.repeat(60)].concat()
    }),
    ("records without an octet", || repeated(&[22, 3, 3, 0, 0])),
    ("changes of the cipher without end", || {
        repeated(&[20, 3, 3, 0, 1, 1])
    }),
    ("warnings without end", || {
        repeated(&[21, 3, 3, 0, 2, 1, 90])
    }),
    ("a record that is larger than any", || {
        [&[22, 3, 3, 0xff, 0xff][..], &vec![0; MUCH]].concat()
    }),
    ("a handshake of one octet in each record", || {
        let hello = [&[22, 3, 1, 0, 4, 1, 0, 0xff, 0xff][..]].concat();
        [hello, repeated(&[22, 3, 1, 0, 1, 0])].concat()
    }),
    ("garbage", || {
        [&[23, 3, 3, 0, 100][..], &vec![0xde; MUCH]].concat()
    }),
];

/// Says everything, and hears nothing, until the other end has had enough. Answers the socket: it is not closed yet.
fn say(mut stream: TcpStream, octets: &[u8]) -> TcpStream {
    stream
        .set_write_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let _ = stream.write_all(octets);
    stream
}

fn accepted(wire: Wire, address: &str) {
    let mut messenger = wire.client();
    messenger.set_outgoing_window(1);
    let tracker = messenger.put(&message_to(address, "honest")).unwrap();
    messenger.send().unwrap();
    assert_eq!(messenger.status(tracker), Status::Accepted);
}

/// Serves until the guest is done, and takes its messages. Answers what was held at most, and the work.
fn serve(server: &mut Messenger, guest: &JoinHandle<()>) -> (u64, Duration) {
    let mut held = 0;
    let work = cost(|| {
        let spent = measure(|| {
            server.recv(Credit::All).unwrap();
            while !guest.is_finished() {
                server.work(Some(Duration::from_millis(5))).unwrap();
                while server.incoming() > 0 {
                    server.get(&mut Message::new()).unwrap();
                }
            }
        });
        held = spent.bytes_max;
    });
    while server.poll_warning().is_some() {}
    (held, work)
}

fn at_a_listener(wire: Wire, attacks: &[Attack]) {
    let (mut server, address) = wire.server();
    server.set_handshake_time_out(Duration::from_millis(500));
    let place = address.split_once("://").unwrap().1.to_owned();
    let mut guest = |octets: Vec<u8>| {
        let (address, place) = (address.clone(), place.clone());
        let guest = std::thread::spawn(move || {
            let hostile =
                (!octets.is_empty()).then(|| say(TcpStream::connect(&place).unwrap(), &octets));
            accepted(wire, &address);
            drop(hostile);
        });
        let costs = serve(&mut server, &guest);
        guest.join().unwrap();
        costs
    };
    // Once for what is made at the first time, and once to know what an honest guest costs.
    guest(Vec::new());
    let (quiet, _) = guest(Vec::new());
    for (what, octets) in attacks {
        let (held, work) = guest(octets());
        assert!(
            held < quiet + HELD,
            "{what}: {held} octets were held, {quiet} for an honest guest"
        );
        assert!(work < Duration::from_secs(1), "{what}: {work:?} of work");
    }
}

#[test]
fn a_listener_of_websocket_bounds_what_it_does_for_who_breaks_its_rules() {
    at_a_listener(Wire::Ws, AT_A_WEBSOCKET);
}

#[test]
fn a_listener_of_tls_bounds_what_it_does_for_who_breaks_its_rules() {
    at_a_listener(Wire::Tls, AT_TLS);
}

/// Who connect and say nothing, as many as any system lets one process have with both ends; and turns whose work is measured.
const SILENT: usize = 400;
const TURNS: usize = 1000;

#[test]
fn who_says_nothing_makes_no_turn_of_a_listener_longer() {
    for wire in [Wire::Ws, Wire::Tls] {
        let (mut server, address) = wire.server();
        let place = address.split_once("://").unwrap().1;
        let turns = |server: &mut Messenger| {
            let turns = || (0..TURNS).for_each(|_| drop(server.work(Some(Duration::ZERO))));
            cost(turns)
        };
        let least = |server: &mut Messenger| (0..5).map(|_| turns(server)).min().unwrap();
        let alone = least(&mut server);
        let mut silent = Vec::new();
        for _ in 0..SILENT {
            silent.push(TcpStream::connect(place).unwrap());
            // It is let in before too many wait for that.
            drop(server.work(Some(Duration::ZERO)));
        }
        turns(&mut server);
        let beside = least(&mut server);
        assert!(
            beside < alone * 3,
            "{alone:?} alone, {beside:?} beside {} who say nothing",
            silent.len()
        );
    }
}

/// As what it is answered in the handshake shows, only the first octets of it count.
#[test]
fn a_listener_of_websocket_over_tls_takes_neither_for_the_other() {
    at_a_listener(Wire::Wss, AT_TLS);
    at_a_listener(Wire::Wss, &[("a request without TLS", request)]);
}

// ---- at a client

/// A server that hears what a client says first, says this, and stays until the client has gone.
fn hostile(
    octets: impl FnOnce(&[u8]) -> Vec<u8> + Send + 'static,
) -> (std::net::SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        let mut heard = [0; 4096];
        let count = stream.read(&mut heard).unwrap();
        let said = octets(&heard[..count]);
        let mut stream = say(stream, &said);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        while stream.read(&mut heard).is_ok_and(|count| count > 0) {}
    });
    (place, thread)
}

/// Agrees to the WebSocket that was asked for.
fn agreement(request: &[u8]) -> Vec<u8> {
    let request = String::from_utf8_lossy(request);
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let accept = tungstenite::handshake::derive_accept_key(key.unwrap().as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: amqp\r\n\r\n"
    )
    .into_bytes()
}

/// What a server says behind its agreement, or instead of one; and what the client says of that.
type Answer = (&'static str, fn(&[u8]) -> Vec<u8>, &'static str);

const OF_A_WEBSOCKET: &[Answer] = &[
    (
        "pings without end",
        |heard| [agreement(heard), repeated(&frame(0x89, false, &[7; 125]))].concat(),
        "in time",
    ),
    (
        "fragments without an octet and without end",
        |heard| {
            let begin = frame(0x02, false, b"");
            [agreement(heard), begin, repeated(&frame(0x00, false, b""))].concat()
        },
        "in time",
    ),
    (
        "masked frames",
        |heard| [agreement(heard), repeated(&frame(0x82, true, b"AMQP"))].concat(),
        "masked",
    ),
    (
        "a ping of 2^62 octets",
        |heard| {
            let ping = [0x89, 0x7f, 0x40, 0, 0, 0, 0, 0, 0, 0];
            [agreement(heard), repeated(&ping)].concat()
        },
        "control frame that is too long",
    ),
    (
        "a frame of 2^62 octets, full of empty frames of AMQP",
        |heard| {
            let head = [0x82, 0x7f, 0x40, 0, 0, 0, 0, 0, 0, 0];
            let empty = repeated(&[0, 0, 0, 8, 2, 0, 0, 0]);
            [
                agreement(heard),
                head.to_vec(),
                b"AMQP\x00\x01\x00\x00".to_vec(),
                empty,
            ]
            .concat()
        },
        "",
    ),
    (
        "an answer without end, in one line",
        |_| [&b"HTTP/1.1 101 "[..], &repeated(b"x")].concat(),
        "does not speak WebSocket: its head has more than",
    ),
    (
        "an answer without end, in lines",
        |_| [&b"HTTP/1.1 101 x\r\n"[..], &repeated(b"x: y\r\n")].concat(),
        "does not speak WebSocket: ",
    ),
    (
        "an answer that never ends",
        |_| b"HTTP/1.1 101 x\r\n".to_vec(),
        "in time",
    ),
];

const OF_TLS: &[Answer] = &[
    (
        "a hello of 2^24-1 octets",
        |_| {
            let first = [&[22, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff][..], &[0; 16_380]].concat();
            let more = [&[22, 3, 3, 0x40, 0][..], &[0; 16_384]].concat();
            [first, more.repeat(60)].concat()
        },
        "",
    ),
    (
        "records without an octet",
        |_| repeated(&[22, 3, 3, 0, 0]),
        "",
    ),
    (
        "changes of the cipher without end",
        |_| repeated(&[20, 3, 3, 0, 1, 1]),
        "",
    ),
    (
        "warnings without end",
        |_| repeated(&[21, 3, 3, 0, 2, 1, 90]),
        "",
    ),
    (
        "garbage",
        |_| [&[23, 3, 3, 0, 100][..], &vec![0xde; MUCH]].concat(),
        "",
    ),
    (
        "half of a record, and nothing more",
        |_| vec![22, 3, 3, 0x40, 0, 2],
        "in time",
    ),
];

fn at_a_client(wire: Wire, answers: &'static [Answer]) {
    let (server, address) = wire.server();
    let honest = Serving::start(server, address, |server| {
        while server.recv(Credit::All).is_ok() {
            while server.incoming() > 0 {
                server.get(&mut Message::new()).unwrap();
            }
        }
    });
    let mut messenger = wire.client();
    messenger.set_handshake_time_out(Duration::from_millis(300));
    messenger.set_reconnect(None);
    messenger.set_outgoing_window(100);
    for (what, octets, said) in answers {
        let (place, thread) = hostile(octets);
        let astray = messenger
            .put(&message_to(&format!("{}://{place}", wire.scheme()), "x"))
            .unwrap();
        let fine = messenger.put(&message_to(&honest.address, "x")).unwrap();
        let mut held = 0;
        let work = cost(|| {
            let spent = measure(|| {
                let error = messenger.send().unwrap_err().to_string();
                assert!(error.contains(said), "{what}: {error}");
            });
            held = spent.bytes_max;
        });
        assert_eq!(messenger.status(astray), Status::Aborted, "{what}");
        while messenger.outgoing() > 0 {
            messenger.work(Some(Duration::from_millis(5))).unwrap();
        }
        assert_eq!(messenger.status(fine), Status::Accepted, "{what}");
        assert!(held < HELD, "{what}: {held} octets were held");
        assert!(work < Duration::from_secs(1), "{what}: {work:?} of work");
        while !thread.is_finished() {
            // The socket of a connection that was given up is closed by the next turn at the latest.
            messenger.work(Some(Duration::from_millis(5))).unwrap();
        }
        thread.join().unwrap();
    }
    messenger.stop().unwrap();
}

#[test]
fn a_client_gives_up_a_websocket_that_breaks_its_rules() {
    at_a_client(Wire::Ws, OF_A_WEBSOCKET);
}

#[test]
fn a_client_gives_up_a_server_that_breaks_the_rules_of_tls() {
    at_a_client(Wire::Tls, OF_TLS);
}
