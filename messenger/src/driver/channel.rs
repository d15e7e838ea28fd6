//! The way of octets between one socket and one engine: TCP, and what is wrapped around it.
//!
//! A channel opens step by step: TCP connects, then the two sides agree on TLS if there is any. Only
//! then octets of the engine flow. What is wrapped around TCP keeps only what the system does not take
//! at once, so that a peer that does not read is felt by the engine.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Buf;
use mio::net::TcpStream;
use mio::{Registry, Token};
use rustls::ServerConfig;

use super::clock;
use super::socket::{self, Socket};
use super::tls::{Tls, is_tls};
use crate::fault::{Cause, TlsFault};

/// Octets read at once. Large enough that a full one costs many times the call that fills it.
const READ: usize = 128 << 10;
/// How long somebody who failed to come in may take to read why.
const PARTING: Duration = Duration::from_secs(1);
/// What a client is told that speaks AMQP without TLS where there is no way but TLS (2.2, 5.2).
const TLS_HEADER: &[u8] = b"AMQP\x02\x01\x00\x00";

/// Where octets are read to; one for all channels.
#[derive(Debug)]
pub(crate) struct Buffers {
    wire: Vec<u8>,
    plain: Vec<u8>,
}

impl Buffers {
    pub(crate) fn new() -> Self {
        Self {
            wire: vec![0; READ],
            plain: Vec::new(),
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
    security: Security,
    stage: Stage,
    /// How it ended, when octets that came before have to be told first.
    ending: Option<Ending>,
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
    pub(crate) fn connecting(addresses: Vec<SocketAddr>, security: Security, token: Token) -> Self {
        Self::new(
            Socket::connecting(addresses, token),
            security,
            Stage::Connecting,
        )
    }

    /// A channel from somebody whom a listener accepted; it must be open by `until`.
    pub(crate) fn accepted(
        stream: TcpStream,
        security: Security,
        until: Instant,
        token: Token,
        registry: &Registry,
    ) -> io::Result<Self> {
        let stage = if matches!(security, Security::Plain) {
            Stage::Open
        } else {
            Stage::Shaking(until)
        };
        let socket = Socket::accepted(stream, token, registry)?;
        Ok(Self::new(socket, security, stage))
    }

    const fn new(socket: Socket, security: Security, stage: Stage) -> Self {
        Self {
            socket,
            security,
            stage,
            ending: None,
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
        match &self.security {
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
    pub(crate) fn progress(&mut self, patience: Duration, registry: &Registry) -> Progress {
        let now = clock();
        match &self.stage {
            Stage::Connecting => match self.socket.progress(now, registry) {
                socket::Progress::Waiting => Progress::Waiting,
                socket::Progress::Failed(cause) => Progress::Failed(cause.into()),
                socket::Progress::Connected if matches!(self.security, Security::Plain) => {
                    self.stage = Stage::Open;
                    Progress::Open
                }
                socket::Progress::Connected => {
                    self.stage = Stage::Shaking(later(now, patience));
                    self.flush();
                    Progress::Waiting
                }
            },
            Stage::Shaking(until) if *until <= now => Progress::Failed(TlsFault::TimedOut.into()),
            Stage::Parting(cause, until) if *until <= now => Progress::Failed(cause.clone()),
            Stage::Shaking(_) | Stage::Parting(..) => Progress::Waiting,
            Stage::Open => Progress::Open,
        }
    }

    // ---- reading ----

    /// Reads once. It may have become [open](Self::is_open) by what came.
    pub(crate) fn read<'a>(&mut self, buffers: &'a mut Buffers) -> Arrival<'a> {
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
        let count = match self.socket.read(&mut buffers.wire) {
            Ok(None) => return Arrival::Nothing,
            Ok(Some(0)) => return self.ended(),
            Ok(Some(count)) => count,
            Err(error) => {
                self.socket.readable = false;
                return Arrival::Failed(match &self.stage {
                    Stage::Parting(cause, _) => cause.clone(),
                    _ => error.to_string().into(),
                });
            }
        };
        let octets = buffers.wire.get(..count).unwrap_or_default();
        if let (Security::Plain, Stage::Open) = (&self.security, &self.stage) {
            return Arrival::Octets(octets);
        }
        self.unwrap(octets, &mut buffers.plain)
    }

    /// The network has nothing more.
    fn ended(&mut self) -> Arrival<'static> {
        self.socket.readable = false;
        let failure = self.socket.take_failure();
        match (&self.stage, &self.security) {
            (Stage::Parting(cause, _), _) => Arrival::Failed(cause.clone()),
            (Stage::Open, Security::Tls(_)) if failure.is_none() => {
                Arrival::End(Some(TlsFault::Truncated.into()))
            }
            (Stage::Open, _) => match failure {
                Some(failure) => Arrival::Failed(failure.into()),
                None => Arrival::End(None),
            },
            _ => Arrival::Failed(TlsFault::Closed.into()),
        }
    }

    /// Takes off what is wrapped around octets for the engine.
    fn unwrap<'a>(&mut self, octets: &'a [u8], plain: &'a mut Vec<u8>) -> Arrival<'a> {
        if matches!(self.stage, Stage::Parting(..)) {
            return Arrival::Octets(&[]);
        }
        if let Security::Either(config) = &self.security {
            if !is_tls(octets) {
                self.security = Security::Plain;
                self.stage = Stage::Open;
                return Arrival::Octets(octets);
            }
            match Tls::server(Arc::clone(config)) {
                Ok(tls) => self.security = Security::Tls(Box::new(tls)),
                Err(fault) => return Arrival::Failed(fault.into()),
            }
        }
        let Security::Tls(tls) = &mut self.security else {
            return Arrival::Octets(octets);
        };
        plain.clear();
        let fed = tls.feed(octets, plain);
        if matches!(self.stage, Stage::Shaking(_)) && !tls.is_handshaking() {
            self.stage = Stage::Open;
        }
        match fed {
            Ok(false) => {}
            Ok(true) if self.is_open() => self.ending = Some(Ending::Goodbye),
            Ok(true) => return Arrival::Failed(TlsFault::Closed.into()),
            Err(fault) => self.fail(fault, octets),
        }
        Arrival::Octets(plain)
    }

    /// TLS came to nothing: the peer is told, and what it makes of it waited for where that matters.
    fn fail(&mut self, fault: TlsFault, octets: &[u8]) {
        // The alert, if there is one.
        self.flush();
        let is_server = matches!(&self.security, Security::Tls(tls) if tls.is_server());
        if self.is_open() || !is_server {
            self.ending = Some(Ending::Failed(fault.into()));
            return;
        }
        if fault == TlsFault::PeerSpeaksPlain && octets.starts_with(b"AMQP") {
            self.socket.write(&mut { TLS_HEADER });
        }
        // To close with octets unread would take the alert back on its way.
        self.socket.finish();
        self.stage = Stage::Parting(fault.into(), later(clock(), PARTING));
    }

    // ---- writing ----

    /// Writes as much of `output` as the system takes, and no more than a little in addition waits.
    pub(crate) fn write(&mut self, output: &mut impl Buf) {
        if matches!(self.security, Security::Plain) {
            self.socket.write(output);
            return;
        }
        while self.flush() && output.has_remaining() {
            if let Security::Tls(tls) = &mut self.security {
                tls.take(output);
            }
        }
    }

    /// Writes what waits. Answers whether all of it has gone.
    pub(crate) fn flush(&mut self) -> bool {
        match &mut self.security {
            Security::Tls(tls) if tls.has_backlog() => {
                self.socket.attempt(|stream| tls.flush(stream));
                !tls.has_backlog()
            }
            _ => true,
        }
    }

    /// Lets go of the connection, and tells the peer if that is possible at once.
    pub(crate) fn close(&mut self, registry: &Registry) {
        if self.is_open()
            && let Security::Tls(tls) = &mut self.security
        {
            tls.say_goodbye();
            self.flush();
        }
        self.socket.close(registry);
    }
}

/// A time from now.
pub(super) fn later(now: Instant, by: Duration) -> Instant {
    // Beyond the end of time is as good as never.
    now.checked_add(by)
        .unwrap_or_else(|| now + Duration::from_secs(86_400))
}
