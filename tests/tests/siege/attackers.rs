//! Those who attack: threads with plain sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ferrion_tests::build::{Role, attach, begin, detach, open, source, target};
use ferrion_tests::oracle::{AMQP_HEADER, Frame};
use socket2::{Domain, Socket, Type};

/// What they do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attack {
    /// Nothing, or the beginning of a handshake.
    Stall,
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
}

/// Between two writes of one attacker. They come by networks, and each has no more of one than others have: what is asked is
/// what their octets cost, not who wins where one machine does nothing but attack itself.
const PAUSE: Duration = Duration::from_millis(2);
/// What one of them writes at once: of empty frames, and of what is answered.
const CHUNK: usize = 8 << 10;
const ASKED: usize = 1 << 10;
/// Names of links that come and go.
const NAMES: usize = 200;
/// When those who do not read were heard of last so long ago, they are not heard any more; and how long that may take.
const UNHEARD: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(120);

/// They attack until this is dropped.
pub(crate) struct Attackers {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    /// Those who do nothing more.
    _idle: Vec<TcpStream>,
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
    let mut sockets: Vec<TcpStream> = (0..count)
        .map(|number| connect(attack, port, number))
        .collect();
    let mut threads = Vec::new();
    let mut idle = Vec::new();
    if matches!(attack, Attack::Stall) {
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
                    if go_on(attack, port, socket, place, &octets) {
                        heard = Instant::now();
                    }
                }
            }
        }
        threads.push(std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                for (socket, place) in sockets.iter_mut().zip(&mut places) {
                    go_on(attack, port, socket, place, &octets);
                }
                std::thread::sleep(PAUSE);
            }
        }));
    }
    Attackers {
        over,
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
    let first = match (attack, number % 3) {
        (Attack::Stall, 0) => Vec::new(),
        (Attack::Stall, 1) => b"AMQ".to_vec(),
        (Attack::Stall, _) => {
            let mut octets = AMQP_HEADER.to_vec();
            octets.extend([0, 0, 1, 0xff, 2, 0, 0, 0, 0, 0x53]);
            octets
        }
        (Attack::SlowWriter, _) => Vec::new(),
        _ => greeting(),
    };
    socket.write_all(&first).expect("the system takes a little");
    socket.set_nonblocking(true).expect("a socket");
    socket
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
        Attack::Stall | Attack::SlowReader | Attack::Churn => {
            let link = |number| {
                attach()
                    .name(&format!("{number:0200}"))
                    .handle(0)
                    .role(Role::Sender)
                    .initial_delivery_count(0)
                    .source(source().v())
                    .target(target().address("honest").v())
                    .octets(0)
            };
            let detach = detach().handle(0).closed(true).octets(0);
            let rounds = (0..NAMES).flat_map(|number| [link(number), detach.clone()]);
            rounds.collect::<Vec<_>>().concat()
        }
    }
}

/// One attacker does what it does next, as far as the system lets it. Answers whether that was anything.
fn go_on(
    attack: Attack,
    port: u16,
    socket: &mut TcpStream,
    place: &mut usize,
    octets: &[u8],
) -> bool {
    if !matches!(attack, Attack::SlowReader) {
        let mut answer = [0; 4096];
        loop {
            match socket.read(&mut answer) {
                Ok(1..) => {}
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
