//! A server that follows a script of octets, right or wrong.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use socket2::SockRef;

use crate::build::{self, Build};
use crate::oracle::{AMQP_HEADER, FrameReader, Perf, SASL_HEADER, V, What};

/// What a scripted server does next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Reads until this was there: `header`, or the name of a performative or SASL frame.
    Await(&'static str),
    /// Writes.
    Send(Vec<u8>),
    /// Writes what is made of the frame that was awaited last.
    Answer(fn(&Perf) -> Vec<u8>),
    /// Ends the connection in order.
    Close,
    /// Ends it with a reset.
    Reset,
}

/// A server on a free port that does the same to everyone who comes, one after the other. At the end of the script it says no
/// more, but keeps the connection open.
#[derive(Debug)]
pub struct Script {
    port: u16,
    shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

impl Script {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// When there is no port to be had.
    pub fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let server = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.serve(&listener, &steps)
        });
        Self {
            port,
            shared,
            server: Some(server),
        }
    }

    /// The port that it listens on.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        if let Some(stream) = &*self.shared.current() {
            drop(stream.shutdown(Shutdown::Both));
        }
        // Wakes it up if it waits for the next one.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(server) = self.server.take() {
            drop(server.join());
        }
    }
}

/// The steps of a server that says the right thing up to and with the peer's login.
pub fn login() -> Vec<Step> {
    vec![
        Step::Await("header"),
        Step::Send(SASL_HEADER.to_vec()),
        Step::Send(
            build::sasl_mechanisms()
                .sasl_server_mechanisms(&["ANONYMOUS"])
                .octets(0),
        ),
        Step::Await("sasl-init"),
        Step::Send(build::sasl_outcome().code(0).octets(0)),
        Step::Await("header"),
        Step::Send(AMQP_HEADER.to_vec()),
    ]
}

/// ... and then up to and with the session.
pub fn session() -> Vec<Step> {
    let begin = build::begin()
        .remote_channel(0)
        .next_outgoing_id(0)
        .incoming_window(100)
        .outgoing_window(100);
    let opened = [
        Step::Await("open"),
        Step::Send(build::open().container_id("script").octets(0)),
        Step::Await("begin"),
        Step::Send(begin.octets(0)),
    ];
    [login(), opened.to_vec()].concat()
}

/// ... and then up to and with a link on which there is credit.
pub fn link() -> Vec<Step> {
    let attached = [
        Step::Await("attach"),
        Step::Answer(answer_attach),
        Step::Send(credit().octets(0)),
    ];
    [session(), attached.to_vec()].concat()
}

/// The attach that agrees with the peer's.
pub fn answer_attach(attach: &Perf) -> Vec<u8> {
    let answer = answer(attach)
        .set("source", attach.get("source"))
        .set("target", attach.get("target"));
    answer.octets(0)
}

/// An attach in answer to the peer's, without termini.
pub fn answer(attach: &Perf) -> Build {
    let sending = attach.flag("role");
    let answer = build::attach()
        .set("name", attach.get("name"))
        .handle(0)
        .set("role", V::Bool(!sending));
    if sending {
        answer.initial_delivery_count(0)
    } else {
        answer
    }
}

/// A flow that gives credit for ten messages.
pub fn credit() -> Build {
    let flow = build::flow()
        .next_incoming_id(0)
        .incoming_window(100)
        .next_outgoing_id(0)
        .outgoing_window(100);
    flow.handle(0).delivery_count(0).link_credit(10)
}

#[derive(Debug, Default)]
struct Shared {
    ended: AtomicBool,
    current: Mutex<Option<Arc<TcpStream>>>,
}

impl Shared {
    fn current(&self) -> MutexGuard<'_, Option<Arc<TcpStream>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, listener: &TcpListener, steps: &[Step]) {
        for stream in listener.incoming().map_while(Result::ok) {
            // Small frames are to leave at once.
            drop(stream.set_nodelay(true));
            let stream = Arc::new(stream);
            *self.current() = Some(Arc::clone(&stream));
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            // The other side may go before the end of the script.
            let reset = matches!(play(&stream, steps), Ok(End::Reset));
            *self.current() = None;
            if reset {
                // A socket that is closed without lingering resets its connection.
                drop(SockRef::from(&*stream).set_linger(Some(Duration::ZERO)));
            }
        }
    }
}

enum End {
    Close,
    Reset,
}

fn play(mut stream: &TcpStream, steps: &[Step]) -> io::Result<End> {
    let mut reader = FrameReader::new();
    let mut last = None;
    for step in steps {
        match step {
            Step::Await(name) => last = wait_for(name, stream, &mut reader)?,
            Step::Send(octets) => stream.write_all(octets)?,
            Step::Answer(make) => {
                let frame = last.as_ref().ok_or(io::ErrorKind::InvalidInput)?;
                stream.write_all(&make(frame))?;
            }
            Step::Close => return Ok(End::Close),
            Step::Reset => return Ok(End::Reset),
        }
    }
    // Whatever still comes is read, so that the end of the connection is noticed.
    io::copy(&mut stream, &mut io::sink()).map(|_| End::Close)
}

fn wait_for(
    name: &str,
    mut stream: &TcpStream,
    reader: &mut FrameReader,
) -> io::Result<Option<Perf>> {
    let mut buffer = [0; 4096];
    loop {
        while let Ok(Some(piece)) = reader.next_piece() {
            match piece.what {
                What::Header(_) if name == "header" => return Ok(None),
                What::Frame(frame) => match frame.perf {
                    Some(perf) if perf.name() == name => return Ok(Some(perf)),
                    _ => {}
                },
                What::Header(_) => {}
            }
        }
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        reader.push(&buffer[..count]);
    }
}
