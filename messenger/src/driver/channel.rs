//! The way of octets between one socket and one engine: TCP, and what is wrapped around it.
//!
//! A channel opens step by step: TCP connects, then the two sides agree on TLS if there is any, and then
//! on WebSocket if there is any. Only then octets of the engine flow. What is wrapped around TCP keeps
//! only what the system does not take at once, so that a peer that does not read is felt by the engine.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Buf;
use mio::net::TcpStream;
use mio::{Registry, Token};
use rustls::ServerConfig;

use super::clock;
use super::pace::Pace;
use super::parting;
use super::socket::{self, Socket};
use super::tls::{Tls, is_tls};
use super::web::Web;
use crate::fault::{Cause, TlsFault};

/// Octets read at once at most. Large enough that a full one costs many times the call that fills it.
pub(crate) const READ: usize = 128 << 10;
/// What a client is told that speaks AMQP without TLS where there is no way but TLS (2.2, 5.2).
const TLS_HEADER: &[u8] = b"AMQP\x02\x01\x00\x00";
/// As good as for ever: a hundred years.
const AGES: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Where octets are read to; one for all channels.
#[derive(Debug)]
pub(crate) struct Buffers {
    pub(super) wire: Vec<u8>,
    /// What TLS made of it, and then WebSocket.
    plain: Vec<u8>,
    content: Vec<u8>,
}

impl Buffers {
    pub(crate) fn new() -> Self {
        Self {
            wire: vec![0; READ],
            plain: Vec::new(),
            content: Vec::new(),
        }
    }
}

/// How TCP is secured.
#[derive(Debug)]
pub(crate) enum Security {
    /// Not at all.
    Plain,
    /// With TLS.
    Tls(Box<Tls>),
    /// With TLS if the peer begins so: the first octet tells.
    Either(Arc<ServerConfig>),
}

/// What is wrapped around TCP.
#[derive(Debug)]
pub(crate) struct Wrapping {
    pub(crate) security: Security,
    pub(crate) web: Option<Box<Web>>,
}

impl Wrapping {
    /// Whether there is nothing.
    const fn is_none(&self) -> bool {
        matches!(self.security, Security::Plain) && self.web.is_none()
    }

    /// Whether this is the side that was connected to.
    fn is_server(&self) -> bool {
        match (&self.security, &self.web) {
            (Security::Tls(tls), _) => tls.is_server(),
            (Security::Either(_), _) => true,
            (Security::Plain, web) => web.as_ref().is_some_and(|web| web.is_server()),
        }
    }

    /// Whether TLS is still being agreed upon.
    fn is_being_secured(&self) -> bool {
        match &self.security {
            Security::Plain => false,
            Security::Tls(tls) => tls.is_handshaking(),
            Security::Either(_) => true,
        }
    }

    /// Whether everything is agreed upon.
    fn is_agreed(&self) -> bool {
        !self.is_being_secured() && self.web.as_ref().is_none_or(|web| web.is_open())
    }

    fn timed_out(&self) -> Cause {
        if self.is_being_secured() {
            return TlsFault::TimedOut.into();
        }
        let words = "the peer did not agree on WebSocket in time; check that it speaks it on this port, or raise \
                     set_handshake_time_out()";
        words.to_owned().into()
    }

    fn closed_early(&self) -> Cause {
        if self.is_being_secured() {
            return TlsFault::Closed.into();
        }
        let words = "the peer closed the connection instead of agreeing on WebSocket; check that it speaks it on \
                     this port, and its log";
        words.to_owned().into()
    }
}

/// What reading brought.
#[derive(Debug)]
pub(crate) enum Arrival<'a> {
    /// Nothing: no more is there now.
    Nothing,
    /// Octets for the engine; none if those that came were only for what is wrapped around TCP.
    Octets(&'a [u8]),
    /// Nothing more will come: in order, or with an explanation.
    End(Option<Cause>),
    /// The channel is of no use any more.
    Failed(Cause),
}

/// How opening a channel stands.
pub(crate) enum Progress {
    Waiting,
    Open,
    Failed(Cause),
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Channel {
    socket: Socket,
    wrapping: Wrapping,
    stage: Stage,
    /// How it ended, when octets that came before have to be told first.
    ending: Option<Ending>,
    /// What its octets cost.
    pub(super) pace: Pace,
}

#[derive(Debug)]
enum Stage {
    /// TCP is not connected.
    Connecting,
    /// The two sides agree on what is wrapped around it, at most until then.
    Shaking(Instant),
    /// Octets of the engine flow.
    Open,
    /// It came to nothing, for this cause. The peer has a moment to read why.
    Parting(Cause, Instant),
}

#[derive(Debug)]
enum Ending {
    Goodbye,
    Failed(Cause),
    /// It was told.
    Told,
}

impl Channel {
    /// A channel to the first of `addresses` that answers.
    pub(crate) fn connecting(addresses: Vec<SocketAddr>, wrapping: Wrapping, token: Token) -> Self {
        let socket = Socket::connecting(addresses, token);
        Self::new(socket, wrapping, Stage::Connecting)
    }

    /// A channel from somebody whom a listener accepted; it must be open by `until`.
    pub(crate) fn accepted(
        stream: TcpStream,
        wrapping: Wrapping,
        until: Instant,
        token: Token,
        registry: &Registry,
    ) -> io::Result<Self> {
        let stage = if wrapping.is_none() {
            Stage::Open
        } else {
            Stage::Shaking(until)
        };
        let socket = Socket::accepted(stream, token, registry)?;
        Ok(Self::new(socket, wrapping, stage))
    }

    const fn new(socket: Socket, wrapping: Wrapping, stage: Stage) -> Self {
        Self {
            socket,
            wrapping,
            stage,
            ending: None,
            pace: Pace::new(),
        }
    }

    /// Whether octets of the engine flow.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open)
    }

    /// Whether there is something to read from and to write to.
    pub(crate) const fn is_connected(&self) -> bool {
        self.socket.is_connected()
    }

    /// Whether reading may bring something.
    pub(crate) const fn is_readable(&self) -> bool {
        let untold = matches!(self.ending, Some(Ending::Goodbye | Ending::Failed(_)));
        (self.socket.readable && self.is_connected()) || untold
    }

    /// Whether the system would take octets.
    pub(crate) const fn is_writable(&self) -> bool {
        self.socket.writable
    }

    /// Whether writing failed, which reading will tell of.
    pub(crate) const fn has_failed(&self) -> bool {
        self.socket.has_failed()
    }

    /// Whom the peer's certificate names, if it showed one that is good.
    pub(crate) fn subject(&self) -> Option<String> {
        match &self.wrapping.security {
            Security::Tls(tls) => tls.subject(),
            _ => None,
        }
    }

    /// When opening must be looked at again.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Connecting => self.socket.deadline(),
            Stage::Shaking(until) | Stage::Parting(_, until) => Some(*until),
            Stage::Open => None,
        }
    }

    /// The system has news. Answers what is new: whether there may be something to read, and to write.
    pub(crate) fn signal(&mut self, readable: bool, writable: bool) -> (bool, bool) {
        let (was_readable, was_writable) = (self.socket.readable, self.socket.writable);
        self.socket.signal(readable, writable);
        let news = self.socket.is_connected();
        (
            news && self.socket.readable && !was_readable,
            news && self.socket.writable && !was_writable,
        )
    }

    /// Looks how opening stands. What is agreed upon after TCP must be done within `patience`.
    pub(crate) fn progress(
        &mut self,
        now: Instant,
        patience: Duration,
        registry: &Registry,
    ) -> Progress {
        match &self.stage {
            Stage::Connecting => match self.socket.progress(now, registry) {
                socket::Progress::Waiting => Progress::Waiting,
                socket::Progress::Failed(cause) => Progress::Failed(cause.into()),
                socket::Progress::Connected if self.wrapping.is_none() => {
                    self.stage = Stage::Open;
                    Progress::Open
                }
                socket::Progress::Connected => {
                    self.stage = Stage::Shaking(later(now, patience));
                    self.flush();
                    Progress::Waiting
                }
            },
            Stage::Shaking(until) if *until <= now => Progress::Failed(self.wrapping.timed_out()),
            Stage::Parting(cause, until) if *until <= now => Progress::Failed(cause.clone()),
            Stage::Shaking(_) | Stage::Parting(..) => Progress::Waiting,
            Stage::Open => Progress::Open,
        }
    }

    // ---- reading ----

    /// Reads once. It may have become [open](Self::is_open) by what came.
    pub(crate) fn read<'a>(&mut self, buffers: &'a mut Buffers, most: usize) -> Arrival<'a> {
        if let Some(ending) = &mut self.ending {
            return match std::mem::replace(ending, Ending::Told) {
                Ending::Goodbye => Arrival::End(None),
                Ending::Failed(cause) => Arrival::Failed(cause),
                Ending::Told => {
                    self.socket.readable = false;
                    Arrival::Nothing
                }
            };
        }
        let most = most.min(buffers.wire.len());
        let count = match self
            .socket
            .read(buffers.wire.get_mut(..most).unwrap_or_default())
        {
            Ok(None) => return Arrival::Nothing,
            Ok(Some(0)) => return self.ended(),
            Ok(Some(count)) => count,
            Err(error) => {
                self.socket.readable = false;
                return Arrival::Failed(match &self.stage {
                    Stage::Parting(cause, _) => cause.clone(),
                    _ => socket::words(&error).into(),
                });
            }
        };
        self.pace.read(count);
        let octets = buffers.wire.get(..count).unwrap_or_default();
        if self.wrapping.is_none() && self.is_open() {
            return Arrival::Octets(octets);
        }
        self.unwrap(octets, &mut buffers.plain, &mut buffers.content)
    }

    /// The network has nothing more.
    fn ended(&mut self) -> Arrival<'static> {
        self.socket.readable = false;
        match &self.stage {
            Stage::Parting(cause, _) => return Arrival::Failed(cause.clone()),
            Stage::Open => {}
            _ => return Arrival::Failed(self.wrapping.closed_early()),
        }
        if let Some(failure) = self.socket.take_failure() {
            return Arrival::Failed(failure.into());
        }
        Arrival::End(match (&self.wrapping.security, &self.wrapping.web) {
            (Security::Tls(_), _) => Some(TlsFault::Truncated.into()),
            (_, Some(_)) => {
                let words = "the stream ended without WebSocket having said goodbye: the peer crashed, or somebody \
                             on the way cut it off";
                Some(words.to_owned().into())
            }
            (_, None) => None,
        })
    }

    /// Takes off what is wrapped around octets for the engine.
    fn unwrap<'a>(
        &mut self,
        octets: &'a [u8],
        plain: &'a mut Vec<u8>,
        content: &'a mut Vec<u8>,
    ) -> Arrival<'a> {
        if matches!(self.stage, Stage::Parting(..)) {
            return Arrival::Octets(&[]);
        }
        if let Security::Either(config) = &self.wrapping.security {
            self.wrapping.security = if is_tls(octets) {
                match Tls::server(Arc::clone(config)) {
                    Ok(tls) => Security::Tls(Box::new(tls)),
                    Err(fault) => return Arrival::Failed(fault.into()),
                }
            } else {
                Security::Plain
            };
        }
        let mut carried = octets;
        let mut fed = Ok(false);
        if let Security::Tls(tls) = &mut self.wrapping.security {
            plain.clear();
            fed = tls.feed(octets, plain).map_err(Cause::from);
            carried = plain;
        }
        if let Some(web) = &mut self.wrapping.web
            && !carried.is_empty()
        {
            content.clear();
            match web.feed(carried, content) {
                Ok(goodbye) => fed = fed.map(|before| before || goodbye),
                Err(cause) => fed = Err(cause),
            }
            carried = content;
        }
        if matches!(self.stage, Stage::Shaking(_)) && self.wrapping.is_agreed() {
            self.stage = Stage::Open;
        }
        match fed {
            Ok(false) => {}
            Ok(true) if self.is_open() => self.ending = Some(Ending::Goodbye),
            Ok(true) => return Arrival::Failed(self.wrapping.closed_early()),
            Err(cause) => self.fail(cause, octets),
        }
        Arrival::Octets(if self.is_open() { carried } else { &[] })
    }

    /// It came to nothing: the peer is told, and what it makes of it waited for where that matters.
    fn fail(&mut self, cause: Cause, octets: &[u8]) {
        // The alert, the answer, or the goodbye that says why.
        self.flush();
        if self.is_open() || !self.wrapping.is_server() {
            self.ending = Some(Ending::Failed(cause));
            return;
        }
        if cause == Cause::Tls(TlsFault::PeerSpeaksPlain) && octets.starts_with(b"AMQP") {
            self.socket.write(&mut { TLS_HEADER });
        }
        // To close with octets unread would take that back on its way.
        self.socket.finish();
        self.stage = Stage::Parting(cause, later(clock(), parting::PATIENCE));
    }

    // ---- writing ----

    /// Writes as much of `output` as the system takes, and no more than a little in addition waits.
    pub(crate) fn write(&mut self, output: &mut impl Buf) {
        let Wrapping { security, web } = &mut self.wrapping;
        let Some(web) = web else {
            write(security, &mut self.socket, output);
            return;
        };
        loop {
            write(security, &mut self.socket, web.backlog());
            if web.has_backlog() || !output.has_remaining() {
                return;
            }
            web.take(output);
            if !web.has_backlog() {
                // It said goodbye: nothing more goes.
                return;
            }
        }
    }

    /// Writes what waits. Answers whether all of it has gone.
    pub(crate) fn flush(&mut self) -> bool {
        let Wrapping { security, web } = &mut self.wrapping;
        match web {
            Some(web) if web.has_backlog() => {
                write(security, &mut self.socket, web.backlog());
                !web.has_backlog() && flush(security, &mut self.socket)
            }
            _ => flush(security, &mut self.socket),
        }
    }

    /// Lets go of the connection, and tells the peer if that is possible at once.
    pub(crate) fn close(mut self, registry: &Registry) {
        self.say_goodbye();
        self.socket.close(registry);
    }

    /// Takes leave of the peer. What is left is a socket that nobody writes to any more.
    pub(crate) fn part(mut self) -> Socket {
        self.say_goodbye();
        self.socket
    }

    fn say_goodbye(&mut self) {
        if self.is_open() && !self.wrapping.is_none() {
            if let Some(web) = &mut self.wrapping.web {
                web.say_goodbye();
                self.flush();
            }
            if let Security::Tls(tls) = &mut self.wrapping.security {
                tls.say_goodbye();
                self.flush();
            }
        }
    }
}

/// Writes as much of `output` as TLS and the system take.
fn write(security: &mut Security, socket: &mut Socket, output: &mut impl Buf) {
    if matches!(security, Security::Plain) {
        socket.write(output);
        return;
    }
    while flush(security, socket) && output.has_remaining() {
        let before = output.remaining();
        if let Security::Tls(tls) = security {
            tls.take(output);
        }
        if output.remaining() == before {
            // Nobody knows yet how the peer wants to talk.
            return;
        }
    }
}

/// Writes what waits in TLS. Answers whether all of it has gone.
fn flush(security: &mut Security, socket: &mut Socket) -> bool {
    match security {
        Security::Tls(tls) if tls.has_backlog() => {
            socket.attempt(|stream| tls.flush(stream));
            !tls.has_backlog()
        }
        _ => true,
    }
}

/// A time from now.
pub(super) fn later(now: Instant, by: Duration) -> Instant {
    // Clocks go on for longer, but not for as long as a duration can be.
    now + by.min(AGES)
}
