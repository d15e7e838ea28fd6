//! Those who attack: threads with plain sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ferrion_tests::build::{Role, attach, begin, detach, open, source, target, transfer};
use ferrion_tests::oracle::{AMQP_HEADER, Frame, FrameReader, SASL_HEADER, What};
use socket2::{Domain, Socket, Type};

/// What they do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attack {
    /// Nothing, the beginning of a handshake, or all that may come before open, but for its last octet.
    Stall,
    /// The longest login by a token, but for its last octet.
    StallInToken,
    /// One octet at a time.
    SlowWriter,
    /// Ask for what they never read.
    SlowReader,
    /// Frames without a body.
    EmptyFrames,
    /// Links that are attached and detached: more names than anybody remembers, or a name is answered later and later.
    Churn,
    /// Frames that say that they are larger than is allowed; each time on a new connection.
    Oversized,
    /// Messages of which more is to come for ever. Who is refused comes again.
    Endless,
}

/// Between two writes of one attacker. They come by networks, and each has no more of one than others have: what is asked is
/// what their octets cost, not who wins where one machine does nothing but attack itself.
const PAUSE: Duration = Duration::from_millis(2);
/// What one of them writes at once: of empty frames, and of what is answered.
const CHUNK: usize = 8 << 10;
const ASKED: usize = 1 << 10;
/// Names of links that come and go.
const NAMES: usize = 200;
/// Octets that may come before open, and of a frame of SASL where tokens are taken.
const BEFORE_OPEN: usize = 16 << 10;
const TOKEN_FRAME: usize = 64 << 10;
/// When those who do not read were heard of last so long ago, they are not heard any more; and how long that may take.
const UNHEARD: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(120);

/// They attack until this is dropped.
pub(crate) struct Attackers {
    over: Arc<AtomicBool>,
    /// How often one of them was refused what it asked for.
    refusals: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
    /// Those who do nothing more.
    _idle: Vec<TcpStream>,
}

impl Attackers {
    pub(crate) fn refusals(&self) -> usize {
        self.refusals.load(Ordering::Relaxed)
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let joined = thread.join();
            assert!(
                joined.is_ok() || std::thread::panicking(),
                "an attacker fell"
            );
        }
    }
}

/// So many begin; they are connected when this returns.
pub(crate) fn start(attack: Attack, port: u16, count: usize) -> Attackers {
    let over = Arc::new(AtomicBool::new(false));
    let refusals = Arc::new(AtomicUsize::new(0));
    let mut sockets: Vec<TcpStream> = (0..count)
        .map(|number| connect(attack, port, number))
        .collect();
    let mut threads = Vec::new();
    let mut idle = Vec::new();
    if matches!(attack, Attack::Stall | Attack::StallInToken) {
        idle.append(&mut sockets);
    } else {
        let over = Arc::clone(&over);
        let octets = said(attack);
        let mut places = vec![0; sockets.len()];
        if matches!(attack, Attack::SlowReader) {
            // Until then they are as those who read: what is asked here is what comes after.
            let (begun, mut heard) = (Instant::now(), Instant::now());
            while heard.elapsed() < UNHEARD {
                assert!(begun.elapsed() < PATIENCE, "they are heard for ever");
                for (socket, place) in sockets.iter_mut().zip(&mut places) {
                    if go_on(attack, port, socket, place, &octets, &refusals) {
                        heard = Instant::now();
                    }
                }
            }
        }
        let refusals = Arc::clone(&refusals);
        threads.push(std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                for (socket, place) in sockets.iter_mut().zip(&mut places) {
                    go_on(attack, port, socket, place, &octets, &refusals);
                }
                std::thread::sleep(PAUSE);
            }
        }));
    }
    Attackers {
        over,
        refusals,
        threads,
        _idle: idle,
    }
}

fn connect(attack: Attack, port: u16, number: usize) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    if matches!(attack, Attack::SlowReader) {
        // Otherwise the system would read a few megabytes for it.
        let small = socket.set_recv_buffer_size(4 << 10);
        small.expect("a size that the system takes");
    }
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let connected = socket.connect(&address.into());
    connected.expect("the listener takes everybody");
    let mut socket = TcpStream::from(socket);
    let first = match (attack, number % 4) {
        (Attack::Stall, 0) => Vec::new(),
        (Attack::Stall, 1) => b"AMQ".to_vec(),
        (Attack::Stall, 2) => {
            let mut octets = AMQP_HEADER.to_vec();
            octets.extend([0, 0, 1, 0xff, 2, 0, 0, 0, 0, 0x53]);
            octets
        }
        (Attack::Stall, _) => {
            let before = Frame::empty(0).encode().repeat((BEFORE_OPEN - 8 - 512) / 8);
            [&AMQP_HEADER[..], &before, &unfinished(512, 0)].concat()
        }
        (Attack::StallInToken, _) => [&SASL_HEADER[..], &unfinished(TOKEN_FRAME, 1)].concat(),
        (Attack::SlowWriter, _) => Vec::new(),
        (Attack::Endless, _) => [greeting(), sender(0)].concat(),
        _ => greeting(),
    };
    socket.write_all(&first).expect("the system takes a little");
    if matches!(attack, Attack::Endless) {
        let first = transfer().handle(0).delivery_id(0).delivery_tag(b"endless");
        wait_for_credit(&mut socket);
        let first = first.message_format(0).more(true).octets(0);
        socket.write_all(&first).expect("the system takes a little");
    }
    socket.set_nonblocking(true).expect("a socket");
    socket
}

/// A frame of a kind that has so many octets, but for its last one.
fn unfinished(size: usize, kind: u8) -> Vec<u8> {
    let said = u32::try_from(size).expect("short").to_be_bytes();
    let head = [&said[..], &[2, kind, 0, 0]].concat();
    [head, vec![0; size - 8 - 1]].concat()
}

/// Reads until a link may send.
fn wait_for_credit(socket: &mut TcpStream) {
    let patience = socket.set_read_timeout(Some(PATIENCE));
    patience.expect("a socket");
    let mut reader = FrameReader::new();
    let mut answer = [0; 4096];
    loop {
        let count = socket.read(&mut answer).expect("an answer");
        assert!(count > 0, "nobody takes what is endless");
        reader.push(&answer[..count]);
        while let Some(piece) = reader.next_piece().expect("frames") {
            if let What::Frame(frame) = piece.what
                && let Some(perf) = frame.perf
                && perf.name() == "flow"
                && perf.num("link-credit").is_some_and(|credit| credit > 0)
            {
                return;
            }
        }
    }
}

/// The attach of a link of this number.
fn sender(number: usize) -> Vec<u8> {
    attach()
        .name(&format!("{number:0200}"))
        .handle(0)
        .role(Role::Sender)
        .initial_delivery_count(0)
        .source(source().v())
        .target(target().address("honest").v())
        .octets(0)
}

fn greeting() -> Vec<u8> {
    let begin = begin()
        .next_outgoing_id(0)
        .incoming_window(100)
        .outgoing_window(100);
    [
        &AMQP_HEADER[..],
        &open().container_id("attacker").octets(0),
        &begin.octets(0),
    ]
    .concat()
}

/// What an attacker says over and over; a slow one says it once.
fn said(attack: Attack) -> Vec<u8> {
    match attack {
        Attack::SlowWriter => [greeting(), Frame::empty(0).encode().repeat(CHUNK)].concat(),
        Attack::EmptyFrames => Frame::empty(0).encode().repeat(CHUNK / 8),
        Attack::Oversized => vec![255, 255, 255, 255, 2, 0, 0, 0],
        Attack::Endless => transfer()
            .handle(0)
            .more(true)
            .payload(&[0; CHUNK])
            .octets(0),
        Attack::Stall | Attack::StallInToken | Attack::SlowReader | Attack::Churn => {
            let detach = detach().handle(0).closed(true).octets(0);
            let rounds = (0..NAMES).flat_map(|number| [sender(number), detach.clone()]);
            rounds.collect::<Vec<_>>().concat()
        }
    }
}

/// Whether there is a detach in what was heard.
fn is_detached(heard: &[u8]) -> bool {
    heard.windows(3).any(|octets| octets == [0, 0x53, 0x16])
}

/// One attacker does what it does next, as far as the system lets it. Answers whether that was anything.
fn go_on(
    attack: Attack,
    port: u16,
    socket: &mut TcpStream,
    place: &mut usize,
    octets: &[u8],
    refusals: &AtomicUsize,
) -> bool {
    if !matches!(attack, Attack::SlowReader) {
        let mut answer = [0; 4096];
        loop {
            match socket.read(&mut answer) {
                Ok(count @ 1..) => {
                    let heard = &answer[..count];
                    if matches!(attack, Attack::Endless) && is_detached(heard) {
                        refusals.fetch_add(1, Ordering::Relaxed);
                        *socket = connect(attack, port, 0);
                        *place = 0;
                        return true;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // It was thrown out, and comes again.
                _ => {
                    *socket = connect(attack, port, 0);
                    *place = 0;
                    return true;
                }
            }
        }
    }
    let most = match attack {
        Attack::SlowWriter => 1,
        Attack::SlowReader => ASKED,
        Attack::Churn if !crate::is_full() => ASKED,
        _ => CHUNK,
    };
    let rest = &octets[*place..];
    match socket.write(&rest[..most.min(rest.len())]) {
        Ok(count) => {
            *place = (*place + count) % octets.len();
            true
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => false,
        Err(_) => {
            *socket = connect(attack, port, 0);
            *place = 0;
            true
        }
    }
}
