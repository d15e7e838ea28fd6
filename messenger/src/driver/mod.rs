//! The driver: sockets, names, clock and waiting, for a [`Core`] that has none of them.
//!
//! One readiness poll for everything. A [`turn`](Driver::turn) lets the core work, writes what it
//! has to say, waits if there is nothing else to do, and reads what came. Octets are written once
//! per turn and connection however many messages there are.

mod channel;
mod listen;
mod opening;
mod pace;
mod parting;
mod resolve;
mod socket;
mod tls;
mod wake;
mod web;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferrion_engine::Time;
use mio::{Events, Poll, Registry, Token, Waker};

use crate::core::address::Scheme;
use crate::core::{Action, ConnKey, Core, SourceKey};
use crate::error::{Error, Result};
use crate::fault::Cause;
use channel::{Arrival, Buffers, Channel, Progress, READ, Security, Wrapping, later};
use listen::Listener;
use opening::Opening;
use parting::Parting;
use resolve::Resolver;
pub use tls::ClientCertificates;
use tls::TlsSettings;
pub use wake::Interrupter;
use web::{Web, WebSettings};

const WAKE: Token = Token(0);
/// Channels whose places are kept whether there are so many or not.
const FEW: usize = 16;
/// How much the poll tells at once.
const EVENTS: usize = 256;
/// Octets read in one turn, shared out among those who have something to say by what they cost: nobody who talks without pause
/// keeps the others waiting, and many who talk at once get on alike.
const TURN: usize = 16 * READ;
/// The least that each of them may say in one turn. With less, the calls would cost more than what they bring.
const LEAST: usize = 8 << 10;
/// How long the two sides of a new connection may take to agree on how they talk, unless it is set.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// Who asked for a name to be looked up.
#[derive(Clone, Debug)]
enum Asker {
    Connect {
        conn: ConnKey,
        scheme: Scheme,
        name: String,
        port: u16,
    },
    Listen {
        source: SourceKey,
        scheme: Scheme,
    },
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Driver {
    poll: Poll,
    events: Events,
    resolver: Resolver<Asker>,
    interrupter: Interrupter,
    /// By the index of their keys, as are their tokens.
    channels: Vec<Option<(ConnKey, Channel)>>,
    listeners: Vec<Option<Listener>>,
    /// Channels that may have something to read.
    readable: Vec<ConnKey>,
    /// Channels that can take octets again.
    unblocked: Vec<ConnKey>,
    /// Channels that are being opened.
    opening: Opening,
    /// Listeners that may have someone waiting.
    accepting: Vec<SourceKey>,
    /// Connections that are over, but for what their peers still send.
    parting: Parting,
    buffers: Buffers,
    start: Instant,
    /// Whether the poll may have had more to tell than it was asked for.
    crowded: bool,
    /// Whether something was done since the last turn, which the next one is to tell.
    untold: bool,
    /// When the system had no descriptor left, until when no connection is accepted.
    resting: Option<Instant>,
    pub(crate) tls: TlsSettings,
    pub(crate) web: WebSettings,
    /// Whether who comes through a listener for TLS may also begin without.
    pub(crate) listeners_allow_plain: bool,
    /// How long the two sides of a new connection may take to agree on how they talk.
    pub(crate) handshake: Duration,
}

impl Driver {
    pub(crate) fn new() -> Result<Self> {
        let failed = |error: io::Error| Error::system("cannot set up the poll", &error);
        let poll = Poll::new().map_err(failed)?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE).map_err(failed)?);
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS),
            resolver: Resolver::new(Arc::clone(&waker)),
            interrupter: Interrupter::new(waker),
            channels: Vec::new(),
            listeners: Vec::new(),
            readable: Vec::new(),
            unblocked: Vec::new(),
            opening: Opening::default(),
            accepting: Vec::new(),
            parting: Parting::default(),
            buffers: Buffers::new(),
            start: clock(),
            crowded: false,
            untold: false,
            resting: None,
            tls: TlsSettings::new(),
            web: WebSettings::new(),
            listeners_allow_plain: false,
            handshake: HANDSHAKE,
        })
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    pub(crate) const fn interrupter(&self) -> &Interrupter {
        &self.interrupter
    }

    /// The core's time.
    pub(crate) fn now(&self) -> Time {
        let elapsed = clock().saturating_duration_since(self.start);
        Time(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
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
        let (mut busy, wait) = self.prepare(core, wait, done)?;
        busy |= self.look(core, wait)?;
        busy |= self.advance(core);
        Ok(busy)
    }

    /// What a turn does before it waits: whether that was anything, and how long to wait after it.
    fn prepare(
        &mut self,
        core: &mut Core,
        wait: Option<Duration>,
        done: impl Fn(&Core, bool) -> bool,
    ) -> Result<(bool, Option<Duration>)> {
        let mut busy = std::mem::take(&mut self.untold);
        if core.deadline().is_some_and(|at| at <= self.now()) {
            // What came while nobody looked must be heard before anyone is found silent.
            busy |= self.look(core, Some(Duration::ZERO))?;
        }
        busy |= self.advance(core);
        let wait = if done(core, busy) {
            Some(Duration::ZERO)
        } else {
            self.patience(core, wait)
        };
        Ok((busy, wait))
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
        // Who is known first is read first: all are to be known before anybody is read.
        for _ in 0..self.channels.len() / EVENTS {
            if !self.crowded {
                break;
            }
            let polled = self.poll.poll(&mut self.events, Some(Duration::ZERO));
            if polled.is_err_and(|error| error.kind() != io::ErrorKind::Interrupted) {
                break;
            }
            self.sort_events();
        }
        let mut busy = self.open_all(core);
        busy |= self.accept_all(core);
        busy |= self.read_all(core);
        for conn in std::mem::take(&mut self.unblocked) {
            busy |= self.write(core, conn);
        }
        self.parting.read(clock(), &mut self.buffers.wire);
        Ok(busy)
    }

    /// Writes what was put, and does not wait for anything. Not where something is due: what came while nobody looked has to
    /// be heard first, as in a turn, or a peer is found silent that is not.
    pub(crate) fn hand_on(&mut self, core: &mut Core) {
        if core.deadline().is_none_or(|at| at > self.now()) {
            self.untold |= self.advance(core);
        }
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
            busy |= more | core.take_ended();
            if !more {
                return busy;
            }
        }
    }

    /// How long there is to wait: until the caller, the core or an attempt to connect wants something. Not at all with an
    /// interrupt, which may have lost its place in the poll when that was looked at since it was asked for: the model in
    /// `tests/interleavings` waits as this does.
    pub(crate) fn patience(&self, core: &Core, wait: Option<Duration>) -> Option<Duration> {
        let acceptable = !self.accepting.is_empty() && self.resting.is_none();
        let interrupted = self.interrupter.waits();
        if !self.readable.is_empty() || acceptable || self.crowded || interrupted {
            return Some(Duration::ZERO);
        }
        let now = clock();
        let core = core
            .deadline()
            .map(|at| Duration::from_millis(at.since(self.now())));
        let attempts = self.opening.deadline();
        let rest = self.resting.filter(|_| !self.accepting.is_empty());
        let attempts = attempts.map(|at| at.saturating_duration_since(now));
        let rest = rest.map(|at| at.saturating_duration_since(now));
        let parting = self.parting.deadline();
        let parting = parting.map(|at| at.saturating_duration_since(now));
        [wait, core, attempts, rest, parting]
            .into_iter()
            .flatten()
            .min()
    }

    /// Remembers what the poll told.
    fn sort_events(&mut self) {
        self.crowded = self.events.iter().count() >= EVENTS;
        for event in &self.events {
            let Token(token) = event.token();
            let Some(index) = token.checked_sub(1) else {
                continue;
            };
            if index % 2 == 0 {
                let Some(Some((conn, channel))) = self.channels.get_mut(index / 2) else {
                    continue;
                };
                if !channel.is_connected() {
                    self.opening.tell(*conn);
                }
                let failed = event.is_error() || event.is_write_closed();
                let (readable, writable) = channel.signal(
                    event.is_readable() || event.is_read_closed() || failed,
                    event.is_writable() || failed,
                );
                self.readable.extend(readable.then_some(*conn));
                self.unblocked.extend(writable.then_some(*conn));
            } else if let Some(Some(listener)) = self.listeners.get(index / 2)
                && !self.accepting.contains(&listener.source)
            {
                self.accepting.push(listener.source);
            }
        }
    }

    fn perform(&mut self, core: &mut Core, action: Action) {
        match action {
            Action::Connect {
                conn,
                scheme,
                host,
                port,
                name,
            } => {
                let asker = Asker::Connect {
                    conn,
                    scheme,
                    name,
                    port,
                };
                if let Some((asker, addresses)) = self.resolver.lookup(asker, &host, port) {
                    self.found(core, asker, Ok(addresses));
                }
            }
            Action::Listen {
                source,
                scheme,
                host,
                port,
            } => {
                let host = if host.is_empty() { "0.0.0.0" } else { &host };
                let asker = Asker::Listen { source, scheme };
                if let Some((asker, addresses)) = self.resolver.lookup(asker, host, port) {
                    self.found(core, asker, Ok(addresses));
                }
            }
            Action::Close { conn, failed } => self.close(conn, failed),
            Action::Unlisten { source } => self.unlisten(source),
        }
    }

    /// A name was looked up.
    fn found(&mut self, core: &mut Core, asker: Asker, found: io::Result<Vec<SocketAddr>>) {
        match (asker, found) {
            (
                Asker::Connect {
                    conn,
                    scheme,
                    name,
                    port,
                },
                Ok(addresses),
            ) => {
                if !core.is_connecting(conn) {
                    return;
                }
                let wrapping = self.wrap(core, scheme, &name, port);
                match wrapping {
                    Ok(wrapping) => self.connect(core, conn, wrapping, addresses),
                    Err(cause) => core.connect_failed(conn, self.now(), cause),
                }
            }
            (Asker::Listen { source, scheme }, Ok(addresses)) => {
                if core.is_listening(source) {
                    match self.listen(source, scheme, &addresses) {
                        Ok(port) => core.listening(source, port),
                        Err(cause) => core.listen_failed(source, cause),
                    }
                }
            }
            (Asker::Connect { conn, .. }, Err(error)) => {
                core.connect_failed(conn, self.now(), error.to_string());
            }
            (Asker::Listen { source, .. }, Err(error)) => {
                core.listen_failed(source, error.to_string());
            }
        }
    }

    /// What is wrapped around TCP for this scheme.
    fn wrap(
        &mut self,
        core: &mut Core,
        scheme: Scheme,
        host: &str,
        port: u16,
    ) -> std::result::Result<Wrapping, Cause> {
        let security = if scheme.is_secure() {
            if self.tls.accepts_any() {
                core.warn(format!(
                    "nobody checks whether it is {host} that answers: any certificate is accepted"
                ));
            }
            Security::Tls(Box::new(self.tls.connect(host)?))
        } else {
            Security::Plain
        };
        let web = if scheme.is_web() {
            Some(Box::new(Web::client(
                &self.web,
                &host_and_port(host, port),
            )?))
        } else {
            None
        };
        Ok(Wrapping { security, web })
    }

    fn connect(
        &mut self,
        core: &mut Core,
        conn: ConnKey,
        wrapping: Wrapping,
        addresses: Vec<SocketAddr>,
    ) {
        if addresses.is_empty() {
            core.connect_failed(conn, self.now(), "the name has no address".to_owned());
            return;
        }
        let token = Token(1 + conn.index() * 2);
        let channel = Channel::connecting(addresses, wrapping, token);
        place(&mut self.channels, conn.index(), (conn, channel));
        self.progress(core, conn, clock());
    }

    /// Takes the opening of a channel as far as it goes now. Answers whether it is over.
    fn progress(&mut self, core: &mut Core, conn: ConnKey, now: Instant) -> bool {
        let time = self.now();
        let Some(Some((key, channel))) = self.channels.get_mut(conn.index()) else {
            return false;
        };
        if *key != conn || channel.is_open() {
            return false;
        }
        let before = channel.deadline();
        let progress = channel.progress(now, self.handshake, self.poll.registry());
        self.opening.change(conn, before, channel.deadline());
        match progress {
            Progress::Waiting => {
                // The answer may be there before the poll could tell.
                self.readable.extend(channel.is_readable().then_some(conn));
                return false;
            }
            Progress::Open => {
                self.readable.push(conn);
                core.connected(conn, time, None);
            }
            Progress::Failed(cause) => {
                self.close(conn, false);
                core.connect_failed(conn, time, cause);
            }
        }
        true
    }

    /// Looks after lookups and channels that are being opened.
    fn open_all(&mut self, core: &mut Core) -> bool {
        let mut busy = false;
        while let Some((asker, answer)) = self.resolver.poll() {
            busy = true;
            self.found(core, asker, answer);
        }
        if !self.opening.is_empty() {
            let now = clock();
            for conn in self.opening.take(now) {
                busy |= self.progress(core, conn, now);
            }
        }
        busy
    }

    fn read_all(&mut self, core: &mut Core) -> bool {
        let mut busy = false;
        let share = (TURN / self.readable.len().max(1)).max(LEAST);
        for conn in std::mem::take(&mut self.readable) {
            let work = core.take_work(conn);
            let Some(channel) = self.channel_mut(conn) else {
                continue;
            };
            let share = channel.pace.share(share, work);
            for _ in 0..share.div_ceil(READ) {
                if !self.read(core, conn, share) {
                    break;
                }
                busy = true;
            }
            if let Some(channel) = self.channel(conn)
                && channel.is_readable()
                && !is_deaf(core, conn, channel)
            {
                self.readable.push(conn);
            }
        }
        busy
    }

    /// Reads `most` octets, or fewer, once. Answers whether anything came of it.
    fn read(&mut self, core: &mut Core, conn: ConnKey, most: usize) -> bool {
        let now = self.now();
        let Some(Some((key, channel))) = self.channels.get_mut(conn.index()) else {
            return false;
        };
        if *key != conn || !channel.is_readable() || is_deaf(core, conn, channel) {
            return false;
        }
        let was_open = channel.is_open();
        let before = channel.deadline();
        let arrival = channel.read(&mut self.buffers, most);
        if before != channel.deadline() {
            self.opening.change(conn, before, channel.deadline());
        }
        match arrival {
            Arrival::Nothing => return false,
            Arrival::Octets(octets) => {
                if !was_open && channel.is_open() {
                    core.connected(conn, now, channel.subject());
                }
                if !octets.is_empty() {
                    core.input(conn, now, octets);
                }
                if !channel.flush() || channel.has_failed() {
                    // What was said in between waits; writing goes on with it.
                    self.unblocked.push(conn);
                }
            }
            Arrival::End(cause) => core.ended(conn, now, cause),
            Arrival::Failed(cause) if was_open => core.lost(conn, now, cause),
            Arrival::Failed(cause) => {
                self.close(conn, false);
                core.connect_failed(conn, self.now(), cause);
            }
        }
        true
    }

    /// Writes what a connection has to say, as far as the system takes it.
    fn write(&mut self, core: &mut Core, conn: ConnKey) -> bool {
        let was_blocked = core.is_blocked(conn);
        let busy = self.write_out(core, conn);
        if was_blocked && !core.is_blocked(conn) {
            // What had come already was looked at, and the rest can be read again.
            core.heard(conn, self.now());
            if self.channel(conn).is_some_and(Channel::is_readable)
                && !self.readable.contains(&conn)
            {
                self.readable.push(conn);
            }
        }
        busy
    }

    fn write_out(&mut self, core: &mut Core, conn: ConnKey) -> bool {
        let now = self.now();
        let Some(Some((key, channel))) = self.channels.get_mut(conn.index()) else {
            return false;
        };
        if *key != conn || !channel.is_connected() {
            return false;
        }
        let mut busy = false;
        loop {
            if !channel.is_open() {
                channel.flush();
                if channel.has_failed() && !self.readable.contains(&conn) {
                    self.readable.push(conn);
                }
                return busy;
            }
            let Some(mut output) = core.output(conn, now) else {
                return busy;
            };
            if !bytes::Buf::has_remaining(&output) && channel.flush() {
                break;
            }
            if !channel.is_writable() {
                return busy;
            }
            let before = bytes::Buf::remaining(&output);
            channel.write(&mut output);
            let stuck = before > 0 && before == bytes::Buf::remaining(&output);
            busy |= !stuck;
            if channel.has_failed() && !self.readable.contains(&conn) {
                busy = true;
                self.readable.push(conn);
            }
            if stuck {
                // The system takes nothing now, or leave was taken already, which reading will tell of.
                return busy;
            }
        }
        core.flushed(conn, now);
        busy
    }

    fn channel(&self, conn: ConnKey) -> Option<&Channel> {
        match self.channels.get(conn.index()) {
            Some(Some((key, channel))) if *key == conn => Some(channel),
            _ => None,
        }
    }

    fn channel_mut(&mut self, conn: ConnKey) -> Option<&mut Channel> {
        match self.channels.get_mut(conn.index()) {
            Some(Some((key, channel))) if *key == conn => Some(channel),
            _ => None,
        }
    }

    fn close(&mut self, conn: ConnKey, failed: bool) {
        let Some(slot) = self.channels.get_mut(conn.index()) else {
            return;
        };
        let Some((_, channel)) = slot.take_if(|(key, _)| *key == conn) else {
            return;
        };
        self.opening.change(conn, channel.deadline(), None);
        let registry = self.poll.registry();
        if failed && channel.is_open() {
            let until = later(clock(), parting::PATIENCE);
            self.parting.add(channel.part(), until, registry);
        } else {
            channel.close(registry);
        }
        // Places are not kept for as many as there once were.
        while self.channels.last().is_some_and(Option::is_none) {
            self.channels.pop();
        }
        if self.channels.capacity() > 4 * self.channels.len().max(FEW) {
            self.channels.shrink_to(2 * self.channels.len());
        }
    }
}

/// Who does not read what comes of what it says is not heard until it does; writing tells when, and when it never will.
fn is_deaf(core: &Core, conn: ConnKey, channel: &Channel) -> bool {
    core.is_blocked(conn) && !channel.has_failed()
}

/// The clock: the only place where it is read.
#[expect(clippy::disallowed_methods, reason = "the driver is who reads it")]
pub(crate) fn clock() -> Instant {
    Instant::now()
}

fn host_and_port(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

fn place<T>(slots: &mut Vec<Option<T>>, index: usize, value: T) {
    if slots.len() <= index {
        slots.resize_with(index + 1, || None);
    }
    if let Some(slot) = slots.get_mut(index) {
        *slot = Some(value);
    }
}
