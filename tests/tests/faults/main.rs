//! Whatever the network or the peer does wrong, a Messenger says what it was, in time, and goes on.

mod misfortunes;

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, TcpStream},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use ferrion_messenger::{Credit, Error, ErrorKind, Flags, Interrupter, Message, Messenger, Status};
use ferrion_tests::{
    build,
    interop::{
        PATIENCE, free_port,
        proxy::{Cut, Direction, Fault, Place, Proxy},
    },
    oracle::{AMQP_HEADER, SASL_HEADER, TLS_HEADER},
};
use socket2::SockRef;

/// The time-out of calls that are meant to run into it.
const SHORT: Duration = Duration::from_millis(300);
/// What a call may take beyond its time-out: the farewell of `stop`, and a machine with much to do.
const GRACE: Duration = Duration::from_secs(5);

/// A Messenger that listens, accepts everything, and answers a message that has a reply-to.
struct Server {
    port: u16,
    interrupter: Interrupter,
    thread: Option<thread::JoinHandle<Vec<Error>>>,
}

impl Server {
    fn start() -> Self {
        let mut messenger = Messenger::with_name("faults-server").unwrap();
        messenger.set_reconnect(None);
        messenger.set_incoming_window(1);
        let subscription = messenger.subscribe("~127.0.0.1:0").unwrap();
        let port = messenger.subscription_port(subscription).unwrap();
        let interrupter = messenger.interrupter();
        let thread = thread::spawn(move || {
            let mut faults = Vec::new();
            loop {
                match messenger.recv(Credit::All) {
                    Err(Error::Interrupted) => return faults,
                    Err(error) => faults.push(error),
                    Ok(()) => {}
                }
                assert!(
                    faults.len() < 10,
                    "a listener fails for what its clients do: {faults:?}"
                );
                let mut message = Message::new();
                while let Ok(tracker) = messenger.get(&mut message) {
                    messenger.accept(tracker, Flags::default()).unwrap();
                    if let Some(reply_to) = message.reply_to().unwrap().map(str::to_owned) {
                        let mut reply = Message::with_body("pong");
                        reply.set_address(reply_to.as_str());
                        // Who asked may be gone already.
                        drop(messenger.put(&reply));
                    }
                }
            }
        });
        Self {
            port,
            interrupter,
            thread: Some(thread),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.interrupter.interrupt();
        let faults = self.thread.take().map(thread::JoinHandle::join);
        if !thread::panicking() {
            let faults = faults.unwrap().expect("the listener does not panic");
            assert!(
                faults.is_empty(),
                "a listener fails for what its clients do: {faults:?}"
            );
        }
    }
}

/// A message there, its outcome, an answer, and an orderly end.
fn exchange(port: u16, timeout: Duration) -> Result<(), Error> {
    // The answer finds its way by the name.
    static CLIENTS: AtomicUsize = AtomicUsize::new(0);
    let number = CLIENTS.fetch_add(1, Ordering::Relaxed);
    let mut messenger = Messenger::with_name(&format!("faults-client-{number}"))?;
    // It is the errors that are looked at.
    messenger.set_reconnect(None);
    messenger.set_timeout(Some(timeout));
    messenger.set_outgoing_window(1);
    messenger.set_incoming_window(1);
    let mut message = Message::with_body("ping");
    message.set_address(format!("amqp://127.0.0.1:{port}/faults"));
    message.set_reply_to("~");
    let tracker = messenger.put(&message)?;
    messenger.send()?;
    assert_eq!(messenger.status(tracker), Status::Accepted);
    messenger.recv(Credit::Explicit(1))?;
    let tracker = messenger.get(&mut message)?;
    assert_eq!(message.body_text()?, Some("pong"));
    messenger.accept(tracker, Flags::default())?;
    messenger.stop()
}

/// Cuts the connection of the exchange at every frame boundary and at some octets inside of each frame, both ways.
#[test]
fn every_cut_is_an_error_that_says_what_happened() {
    let server = Server::start();
    let whole = Proxy::start(server.port, None);
    exchange(whole.port(), PATIENCE).unwrap();
    let mut cuts = Vec::new();
    for direction in [Direction::ToServer, Direction::ToClient] {
        let sizes = whole.frames(direction);
        assert!(sizes.len() > 8, "the exchange is not all there: {sizes:?}");
        for (frames, size) in sizes.iter().enumerate() {
            let mut inside = vec![0, 1, 4, size / 2, size - 1];
            inside.dedup();
            for octets in inside {
                // The last frames are those of the farewell: the exchange is complete without them.
                let late = frames + 2 >= sizes.len();
                let cut = |fault| {
                    (
                        Cut {
                            fault,
                            direction,
                            place: Place::Frame(frames, octets),
                        },
                        late,
                    )
                };
                cuts.extend([Fault::Close, Fault::Reset, Fault::Stall].map(cut));
            }
        }
    }
    // Those that stall take their time: many at once.
    let faults = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some((cut, late)) = cuts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(fault) = meet(server.port, *cut, *late) {
                        faults.lock().unwrap().push(format!("{cut:?}: {fault}"));
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(
        faults.is_empty(),
        "{} of {} went wrong:\n{}",
        faults.len(),
        cuts.len(),
        faults[..faults.len().min(20)].join("\n")
    );
    // It serves on.
    exchange(server.port, PATIENCE).unwrap();
}

/// The exchange through a proxy that cuts.
fn meet(port: u16, cut: Cut, late: bool) -> Result<(), String> {
    let proxy = Proxy::start(port, Some(cut));
    let timeout = if cut.fault == Fault::Stall {
        SHORT
    } else {
        PATIENCE
    };
    let begun = Instant::now();
    let result = exchange(proxy.port(), timeout);
    let taken = begun.elapsed();
    let bound = if cut.fault == Fault::Stall {
        SHORT + GRACE
    } else {
        GRACE
    };
    if taken > bound {
        return Err(format!("took {taken:?}: {result:?}"));
    }
    let Err(error) = result else {
        let missed = late || !proxy.has_cut();
        return if missed {
            Ok(())
        } else {
            Err(String::from("all went well"))
        };
    };
    let text = error.to_string();
    let good = match cut.fault {
        Fault::Stall => error.kind() == ErrorKind::Timeout,
        Fault::HalfClose | Fault::Delay(_) | Fault::Split(_) => false,
        Fault::Close => is_loss(&error) && text.contains("closed"),
        Fault::Reset => is_loss(&error) && (text.contains("reset") || text.contains("closed")),
    };
    // Whoever reads it wants to know which of many connections it was.
    let placed =
        text.contains(&format!("127.0.0.1:{}", proxy.port())) || text.contains("no message came");
    if good && placed { Ok(()) } else { Err(text) }
}

fn is_loss(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Connect | ErrorKind::Lost)
}

#[test]
fn a_port_where_nobody_listens_is_an_error_at_once() {
    let port = free_port();
    let begun = Instant::now();
    let error = exchange(port, PATIENCE).unwrap_err();
    assert!(begun.elapsed() < GRACE);
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(error.to_string().contains(&port.to_string()), "{error}");
}

/// Clients that do no more than part of an exchange, right or wrong, and go in order or not, do not disturb the others.
#[test]
fn a_listener_serves_on_whatever_its_clients_do() {
    let server = Server::start();
    let open = build::open().container_id("hostile").octets(0);
    let begin = build::begin()
        .next_outgoing_id(0)
        .incoming_window(9)
        .outgoing_window(9)
        .octets(0);
    let attach = build::attach()
        .name("l")
        .handle(0)
        .role(build::Role::Sender)
        .initial_delivery_count(0);
    let attach = attach
        .source(build::source().v())
        .target(build::target().address("x").v())
        .octets(0);
    let transfer = build::transfer()
        .handle(0)
        .delivery_id(0)
        .delivery_tag(b"t")
        .message_format(0);
    let fitting = [&AMQP_HEADER[..], &open, &begin, &attach].concat();
    let join = |more: &[u8]| [&fitting, more].concat();
    let says: Vec<Vec<u8>> = vec![
        vec![],
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"AMQP\0\0\x09\x01".to_vec(),
        TLS_HEADER.to_vec(),
        SASL_HEADER.to_vec(),
        [
            &SASL_HEADER[..],
            &build::sasl_init()
                .mechanism("PLAIN")
                .initial_response(b"\0a\0b")
                .octets(0),
        ]
        .concat(),
        [
            &SASL_HEADER[..],
            &build::sasl_init().mechanism("ANONYMOUS").octets(0),
        ]
        .concat(),
        [&AMQP_HEADER[..], &[255; 64]].concat(),
        fitting.clone(),
        join(&[0, 0, 0, 7, 2, 0, 0, 0]),
        join(&[0, 0, 0, 12, 2, 0, 0, 0, 255, 255, 255, 255]),
        // No credit is there for it yet, no message is in it, or not all of one.
        join(&transfer.clone().payload(b"no message").octets(0)),
        join(&transfer.more(true).payload(&[0; 100]).octets(0)),
        join(&build::detach().handle(7).octets(0)),
        join(&build::end().octets(3)),
        join(&build::close().octets(0)),
    ];
    for octets in &says {
        for leave in [Leave::Close, Leave::HalfClose, Leave::Reset] {
            visit(server.port, octets, leave);
        }
        exchange(server.port, PATIENCE).unwrap();
    }
}

#[derive(Clone, Copy)]
enum Leave {
    Close,
    HalfClose,
    Reset,
}

/// Connects, says something, and leaves.
fn visit(port: u16, octets: &[u8], leave: Leave) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A listener may hang up while it is still spoken to.
    drop(stream.write_all(octets));
    match leave {
        Leave::Close => {}
        Leave::HalfClose => {
            drop(stream.shutdown(Shutdown::Write));
            // It ends the connection as well: in order, or with a reset for what it did not read.
            drop(stream.read_to_end(&mut Vec::new()).inspect_err(|error| {
                assert_ne!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock,
                    "the listener keeps a connection that is over"
                );
            }));
        }
        Leave::Reset => SockRef::from(&stream)
            .set_linger(Some(Duration::ZERO))
            .unwrap(),
    }
}
