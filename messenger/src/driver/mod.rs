//! The driver: sockets, names, clock and waiting, for a [`Core`] that has none of them.
//!
//! One readiness poll for everything. A [`turn`](Driver::turn) lets the core work, writes what it
//! has to say, waits if there is nothing else to do, and reads what came. Octets are written once
//! per turn and connection however many messages there are.

mod resolve;
mod socket;
mod wake;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrion_engine::Time;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::core::{Action, ConnKey, Core, SourceKey};
use crate::error::{Error, Result};
use resolve::Resolver;
use socket::{Progress, Socket};
pub use wake::Interrupter;

const WAKE: Token = Token(0);
/// Octets read at once. Large enough that a full one costs many times the call that fills it.
const READ: usize = 128 << 10;
/// Reads from one connection in one turn: nobody who talks without pause keeps the others waiting.
const READS: usize = 16;
/// Connections taken from one listener in one turn.
const ACCEPTS: usize = 64;
/// How long a listener rests when the system has no descriptor left for another connection.
const REST: Duration = Duration::from_millis(100);

/// Who asked for a name to be looked up.
#[derive(Clone, Copy, Debug)]
enum Asker {
    Connect(ConnKey),
    Listen(SourceKey),
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Driver {
    poll: Poll,
    events: Events,
    resolver: Resolver<Asker>,
    interrupter: Interrupter,
    /// By the index of their keys, as are their tokens.
    sockets: Vec<Option<(ConnKey, Socket)>>,
    listeners: Vec<Option<Listener>>,
    /// Sockets that may have something to read.
    readable: Vec<ConnKey>,
    /// Sockets that can take octets again.
    unblocked: Vec<ConnKey>,
    /// Sockets that are being connected.
    connecting: Vec<ConnKey>,
    /// Listeners that may have someone waiting.
    accepting: Vec<SourceKey>,
    buffer: Vec<u8>,
    start: Instant,
    /// When the system had no descriptor left, until when no connection is accepted.
    resting: Option<Instant>,
}

#[derive(Debug)]
struct Listener {
    source: SourceKey,
    socket: TcpListener,
}

impl Driver {
    pub(crate) fn new() -> Result<Self> {
        let failed = |error: io::Error| Error::system("cannot set up the poll", &error);
        let poll = Poll::new().map_err(failed)?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE).map_err(failed)?);
        Ok(Self {
            poll,
            events: Events::with_capacity(256),
            resolver: Resolver::new(Arc::clone(&waker)),
            interrupter: Interrupter::new(waker),
            sockets: Vec::new(),
            listeners: Vec::new(),
            readable: Vec::new(),
            unblocked: Vec::new(),
            connecting: Vec::new(),
            accepting: Vec::new(),
            buffer: vec![0; READ],
            start: clock(),
            resting: None,
        })
    }

    pub(crate) const fn interrupter(&self) -> &Interrupter {
        &self.interrupter
    }

    /// The core's time.
    pub(crate) fn now(&self) -> Time {
        Time(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// One turn. Unless what is there already makes the caller's business `done`, waits until
    /// something happens, at most for `wait` (`None`: for ever). Answers whether anything was read,
    /// written or decided.
    pub(crate) fn turn(
        &mut self,
        core: &mut Core,
        wait: Option<Duration>,
        done: impl Fn(&Core, bool) -> bool,
    ) -> Result<bool> {
        if core.deadline().is_some_and(|at| at <= self.now()) {
            // What came while nobody looked must be heard before anyone is found silent.
            self.look(core, Some(Duration::ZERO))?;
        }
        let before = self.advance(core);
        let wait = if done(core, before) {
            Some(Duration::ZERO)
        } else {
            self.patience(core, wait)
        };
        let mut busy = before;
        busy |= self.look(core, wait)?;
        busy |= self.advance(core);
        Ok(busy)
    }

    /// Waits for news, and takes them in.
    fn look(&mut self, core: &mut Core, wait: Option<Duration>) -> Result<bool> {
        let deadline = wait.and_then(|wait| clock().checked_add(wait));
        loop {
            // A wait cut short by a signal goes on.
            let left = deadline.map(|at| at.saturating_duration_since(clock()));
            match self.poll.poll(&mut self.events, left) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::system("cannot wait for readiness", &error)),
                Ok(()) => break,
            }
        }
        self.sort_events();
        let mut busy = self.connect_all(core);
        busy |= self.accept_all(core);
        busy |= self.read_all(core);
        for conn in std::mem::take(&mut self.unblocked) {
            busy |= self.write(core, conn);
        }
        Ok(busy)
    }

    /// Lets the core work and writes what comes of it, without looking for anything new.
    pub(crate) fn advance(&mut self, core: &mut Core) -> bool {
        let mut busy = false;
        loop {
            let now = self.now();
            core.handle_timeout(now);
            core.pump(now);
            let mut more = false;
            while let Some(action) = core.next_action() {
                self.perform(core, action);
                more = true;
            }
            while let Some(conn) = core.next_output() {
                more |= self.write(core, conn);
            }
            // What was written may have made room for more, also where nothing was left to write.
            more |= core.has_ready();
            busy |= more;
            if !more {
                return busy;
            }
        }
    }

    /// How long there is to wait: until the caller, the core or an attempt to connect wants something.
    fn patience(&self, core: &Core, wait: Option<Duration>) -> Option<Duration> {
        let acceptable = !self.accepting.is_empty() && self.resting.is_none();
        if !self.readable.is_empty() || acceptable {
            return Some(Duration::ZERO);
        }
        let now = clock();
        let core = core
            .deadline()
            .map(|at| Duration::from_millis(at.since(self.now())));
        let attempts = self
            .connecting
            .iter()
            .filter_map(|conn| self.socket(*conn)?.deadline())
            .min();
        let rest = self.resting.filter(|_| !self.accepting.is_empty());
        let attempts = attempts.map(|at| at.saturating_duration_since(now));
        let rest = rest.map(|at| at.saturating_duration_since(now));
        [wait, core, attempts, rest].into_iter().flatten().min()
    }

    /// Remembers what the poll told.
    fn sort_events(&mut self) {
        for event in &self.events {
            let Token(token) = event.token();
            let Some(index) = token.checked_sub(1) else {
                continue;
            };
            if index % 2 == 0 {
                let Some(Some((conn, socket))) = self.sockets.get_mut(index / 2) else {
                    continue;
                };
                let (was_readable, was_writable) = (socket.readable, socket.writable);
                let failed = event.is_error() || event.is_write_closed();
                socket.signal(
                    event.is_readable() || event.is_read_closed() || failed,
                    event.is_writable() || failed,
                );
                if socket.is_connected() {
                    self.readable
                        .extend((socket.readable && !was_readable).then_some(*conn));
                    self.unblocked
                        .extend((socket.writable && !was_writable).then_some(*conn));
                }
            } else if let Some(Some(listener)) = self.listeners.get(index / 2)
                && !self.accepting.contains(&listener.source)
            {
                self.accepting.push(listener.source);
            }
        }
    }

    fn perform(&mut self, core: &mut Core, action: Action) {
        match action {
            Action::Connect { conn, host, port } => {
                if let Some(addresses) = self.resolver.lookup(Asker::Connect(conn), &host, port) {
                    self.connect(core, conn, addresses);
                }
            }
            Action::Listen { source, host, port } => {
                let host = if host.is_empty() { "0.0.0.0" } else { &host };
                if let Some(addresses) = self.resolver.lookup(Asker::Listen(source), host, port) {
                    self.listen(core, source, &addresses);
                }
            }
            Action::Close { conn } => self.close(conn),
            Action::Unlisten { source } => self.unlisten(source),
        }
    }

    fn connect(&mut self, core: &mut Core, conn: ConnKey, addresses: Vec<SocketAddr>) {
        if !core.is_connecting(conn) {
            return;
        }
        if addresses.is_empty() {
            core.connect_failed(conn, "the name has no address".to_owned());
            return;
        }
        let token = Token(1 + conn.index() * 2);
        place(
            &mut self.sockets,
            conn.index(),
            (conn, Socket::connecting(addresses, token)),
        );
        self.progress(core, conn);
    }

    /// Takes an attempt to connect as far as it goes now. Answers whether it is over.
    fn progress(&mut self, core: &mut Core, conn: ConnKey) -> bool {
        let time = self.now();
        let Some(Some((key, socket))) = self.sockets.get_mut(conn.index()) else {
            return false;
        };
        if *key != conn {
            return false;
        }
        match socket.progress(clock(), self.poll.registry()) {
            Progress::Waiting => {
                self.connecting.push(conn);
                return false;
            }
            Progress::Connected => {
                self.readable.push(conn);
                core.connected(conn, time);
            }
            Progress::Failed(cause) => {
                self.close(conn);
                core.connect_failed(conn, cause);
            }
        }
        true
    }

    /// Looks after lookups and attempts to connect.
    fn connect_all(&mut self, core: &mut Core) -> bool {
        let mut busy = false;
        while let Some((asker, answer)) = self.resolver.poll() {
            busy = true;
            match (asker, answer) {
                (Asker::Connect(conn), Ok(addresses)) => self.connect(core, conn, addresses),
                (Asker::Listen(source), Ok(addresses)) => self.listen(core, source, &addresses),
                (Asker::Connect(conn), Err(error)) => core.connect_failed(conn, error.to_string()),
                (Asker::Listen(source), Err(error)) => {
                    core.listen_failed(source, error.to_string());
                }
            }
        }
        for conn in std::mem::take(&mut self.connecting) {
            busy |= self.progress(core, conn);
        }
        busy
    }

    fn listen(&mut self, core: &mut Core, source: SourceKey, addresses: &[SocketAddr]) {
        if !core.is_listening(source) {
            return;
        }
        let token = Token(2 + source.index() * 2);
        let mut cause = "the name has no address".to_owned();
        for address in addresses {
            let bound = TcpListener::bind(*address).and_then(|mut socket| {
                self.poll
                    .registry()
                    .register(&mut socket, token, Interest::READABLE)?;
                let port = socket.local_addr()?.port();
                Ok((socket, port))
            });
            match bound {
                Ok((socket, port)) => {
                    place(
                        &mut self.listeners,
                        source.index(),
                        Listener { source, socket },
                    );
                    core.listening(source, port);
                    return;
                }
                Err(error) => cause = error.to_string(),
            }
        }
        core.listen_failed(source, cause);
    }

    fn accept_all(&mut self, core: &mut Core) -> bool {
        if self.accepting.is_empty() || self.resting.is_some_and(|until| clock() < until) {
            return false;
        }
        self.resting = None;
        let mut busy = false;
        for source in std::mem::take(&mut self.accepting) {
            for round in 0.. {
                let Some(Some(listener)) = self.listeners.get(source.index()) else {
                    break;
                };
                if listener.source != source || round == ACCEPTS {
                    // Whoever still waits is taken in the next turn.
                    self.accepting
                        .extend((listener.source == source).then_some(source));
                    break;
                }
                match listener.socket.accept() {
                    Ok((stream, peer)) => {
                        busy = true;
                        self.admit(core, source, stream, peer);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if is_transient(error.kind()) => {}
                    Err(error) => {
                        core.warn(format!("cannot accept a connection: {error}"));
                        self.accepting.push(source);
                        self.resting = Some(clock() + REST);
                        break;
                    }
                }
            }
        }
        busy
    }

    fn admit(
        &mut self,
        core: &mut Core,
        source: SourceKey,
        stream: mio::net::TcpStream,
        peer: SocketAddr,
    ) {
        let now = self.now();
        let Some(conn) = core.accepted(source, peer.to_string(), now) else {
            return;
        };
        let token = Token(1 + conn.index() * 2);
        match Socket::accepted(stream, token, self.poll.registry()) {
            Ok(socket) => {
                place(&mut self.sockets, conn.index(), (conn, socket));
                self.readable.push(conn);
            }
            Err(error) => core.lost(conn, now, Some(error.to_string())),
        }
    }

    fn read_all(&mut self, core: &mut Core) -> bool {
        let mut busy = false;
        for conn in std::mem::take(&mut self.readable) {
            for _ in 0..READS {
                let now = self.now();
                let Some(Some((key, socket))) = self.sockets.get_mut(conn.index()) else {
                    break;
                };
                if *key != conn || !socket.readable || !socket.is_connected() {
                    break;
                }
                match socket.read(&mut self.buffer) {
                    Ok(None) => break,
                    Ok(Some(0)) => {
                        socket.readable = false;
                        let cause = socket.take_failure();
                        core.lost(conn, now, cause);
                    }
                    Ok(Some(count)) => {
                        core.input(conn, now, self.buffer.get(..count).unwrap_or_default());
                    }
                    Err(error) => {
                        socket.readable = false;
                        core.lost(conn, now, Some(error.to_string()));
                    }
                }
                busy = true;
            }
            if self
                .socket(conn)
                .is_some_and(|socket| socket.readable && socket.is_connected())
            {
                self.readable.push(conn);
            }
        }
        busy
    }

    /// Writes what a connection has to say, as far as the system takes it.
    fn write(&mut self, core: &mut Core, conn: ConnKey) -> bool {
        let now = self.now();
        let Some(Some((key, socket))) = self.sockets.get_mut(conn.index()) else {
            return false;
        };
        if *key != conn || !socket.is_connected() {
            return false;
        }
        let mut busy = false;
        loop {
            let Some(mut output) = core.output(conn, now) else {
                return busy;
            };
            if !bytes::Buf::has_remaining(&output) {
                break;
            }
            if !socket.writable {
                return busy;
            }
            busy = true;
            if socket.write(&mut output) && !self.readable.contains(&conn) {
                self.readable.push(conn);
            }
        }
        core.flushed(conn, now);
        busy
    }

    fn socket(&self, conn: ConnKey) -> Option<&Socket> {
        match self.sockets.get(conn.index()) {
            Some(Some((key, socket))) if *key == conn => Some(socket),
            _ => None,
        }
    }

    fn close(&mut self, conn: ConnKey) {
        if let Some(slot) = self.sockets.get_mut(conn.index())
            && let Some((key, socket)) = slot
            && *key == conn
        {
            socket.close(self.poll.registry());
            *slot = None;
        }
    }

    fn unlisten(&mut self, source: SourceKey) {
        if let Some(slot) = self.listeners.get_mut(source.index())
            && let Some(listener) = slot
            && listener.source == source
        {
            // Dropping it closes it, whether or not the poll still knew it.
            let _ = self.poll.registry().deregister(&mut listener.socket);
            *slot = None;
        }
    }
}

/// The clock: the only place where it is read.
#[expect(clippy::disallowed_methods, reason = "the driver is who reads it")]
pub(crate) fn clock() -> Instant {
    Instant::now()
}

fn place<T>(slots: &mut Vec<Option<T>>, index: usize, value: T) {
    if slots.len() <= index {
        slots.resize_with(index + 1, || None);
    }
    if let Some(slot) = slots.get_mut(index) {
        *slot = Some(value);
    }
}

/// What concerns only the one connection that could not be accepted.
const fn is_transient(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::Interrupted
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
