//! One TCP connection: made without waiting, then read and written as far as the system lets it.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Buf;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use super::clock;

/// How long one of several addresses may take to answer before the next is tried.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the last one may take.
const LAST_PATIENCE: Duration = Duration::from_secs(30);
/// Pieces of output given to the system in one call.
const SLICES: usize = 64;

/// How an attempt to connect stands.
pub(crate) enum Progress {
    Waiting,
    Connected,
    /// No address answered; the causes, one per address.
    Failed(String),
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Option<TcpStream>,
    /// Addresses still to be tried, the next one last. `None` once connected.
    attempt: Option<Attempt>,
    /// Whether octets may wait to be read, and whether the system would take some. The poll tells
    /// of changes only, so what it said must be remembered.
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// Why nothing can be written any more. What the peer sent before can still be read.
    failure: Option<String>,
    token: Token,
}

#[derive(Debug)]
struct Attempt {
    current: Option<SocketAddr>,
    rest: Vec<SocketAddr>,
    deadline: Instant,
    /// Whether the system has said something about it.
    signalled: bool,
    failures: Vec<String>,
}

impl Socket {
    /// A socket that is to be connected to the first of `addresses` that answers.
    pub(crate) fn connecting(mut addresses: Vec<SocketAddr>, token: Token) -> Self {
        addresses.reverse();
        let attempt = Attempt {
            current: None,
            rest: addresses,
            deadline: clock(),
            signalled: false,
            failures: Vec::new(),
        };
        Self {
            stream: None,
            attempt: Some(attempt),
            readable: false,
            writable: false,
            failure: None,
            token,
        }
    }

    /// A socket that a listener accepted.
    pub(crate) fn accepted(
        mut stream: TcpStream,
        token: Token,
        registry: &Registry,
    ) -> io::Result<Self> {
        prepare(&stream)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            stream: Some(stream),
            attempt: None,
            readable: true,
            writable: true,
            failure: None,
            token,
        })
    }

    pub(crate) const fn is_connected(&self) -> bool {
        self.attempt.is_none()
    }

    /// When the attempt to connect must be looked at again.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        match &self.attempt {
            Some(attempt) => Some(attempt.deadline),
            None => None,
        }
    }

    /// The system has news.
    pub(crate) fn signal(&mut self, readable: bool, writable: bool) {
        self.readable |= readable;
        self.writable |= writable;
        if let Some(attempt) = &mut self.attempt {
            attempt.signalled = true;
        }
    }

    /// Looks how the attempt to connect stands, and goes on to the next address if it must.
    pub(crate) fn progress(&mut self, now: Instant, registry: &Registry) -> Progress {
        loop {
            let Some(attempt) = &mut self.attempt else {
                return Progress::Connected;
            };
            if !std::mem::take(&mut attempt.signalled) && now < attempt.deadline {
                return Progress::Waiting;
            }
            if let (Some(stream), Some(address)) = (&self.stream, attempt.current) {
                match established(stream) {
                    Ok(true) => {
                        self.attempt = None;
                        (self.readable, self.writable) = (true, true);
                        return Progress::Connected;
                    }
                    Ok(false) if now < attempt.deadline => return Progress::Waiting,
                    Ok(false) => attempt.failures.push(format!("{address}: no answer")),
                    Err(error) => attempt.failures.push(format!("{address}: {error}")),
                }
            }
            self.close(registry);
            let Some(attempt) = &mut self.attempt else {
                return Progress::Connected;
            };
            let Some(address) = attempt.rest.pop() else {
                return Progress::Failed(attempt.failures.join("; "));
            };
            attempt.current = Some(address);
            attempt.deadline = now
                + if attempt.rest.is_empty() {
                    LAST_PATIENCE
                } else {
                    PATIENCE
                };
            match open(address, self.token, registry) {
                Ok(stream) => self.stream = Some(stream),
                Err(error) => {
                    attempt.failures.push(format!("{address}: {error}"));
                    attempt.deadline = now;
                }
            }
        }
    }

    /// Reads once. `Ok(None)` means that nothing more is there now; `Ok(Some(0))` is the end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(stream) = &mut self.stream else {
            self.readable = false;
            return Ok(None);
        };
        loop {
            match stream.read(buffer) {
                Ok(count) => return Ok(Some(count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.readable = false;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Why the other side is gone, if writing told so before reading did.
    pub(crate) fn take_failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    /// Whether writing failed, and nobody was told.
    pub(crate) const fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Writes as much of `output` as the system takes; `writable` tells whether it would take more.
    pub(crate) fn write(&mut self, output: &mut impl Buf) {
        self.attempt(|stream| {
            while output.has_remaining() {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let count = output.chunks_vectored(&mut slices);
                match stream.write_vectored(slices.get(..count).unwrap_or_default())? {
                    0 => return Err(ErrorKind::WriteZero.into()),
                    written => output.advance(written),
                }
            }
            Ok(())
        });
    }

    /// Lets `write` write until it is done or the system takes no more, whichever way it has to be
    /// called again after an interruption.
    ///
    /// A failure is not the end: what the peer sent before it went may be what it went for. It is
    /// remembered until reading comes to the end as well.
    pub(crate) fn attempt(&mut self, mut write: impl FnMut(&mut TcpStream) -> io::Result<()>) {
        let Some(stream) = self.stream.as_mut().filter(|_| self.failure.is_none()) else {
            self.writable = false;
            return;
        };
        loop {
            match write(stream) {
                Ok(()) => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.writable = false;
                    if error.kind() != ErrorKind::WouldBlock {
                        self.failure = Some(words(&error));
                        self.readable = true;
                    }
                    return;
                }
            }
        }
    }

    /// Tells the peer that nothing more comes, and goes on reading.
    pub(crate) fn finish(&mut self) {
        if let Some(stream) = &self.stream {
            // If it fails the peer is gone already.
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
    }

    /// Lets the poll forget the connection.
    pub(crate) fn leave(&mut self, registry: &Registry) {
        if let Some(stream) = &mut self.stream {
            // It may never have been registered.
            let _ = registry.deregister(stream);
        }
    }

    /// Lets go of the connection.
    pub(crate) fn close(&mut self, registry: &Registry) {
        self.leave(registry);
        self.stream = None;
    }
}

/// Why the other side is gone. A pipe is broken for who writes, or would, after the peer has closed: which of the two the system
/// tells of depends on which was first.
pub(super) fn words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::BrokenPipe => format!("the peer closed the connection: {error}"),
        _ => error.to_string(),
    }
}

fn open(address: SocketAddr, token: Token, registry: &Registry) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
    Ok(stream)
}

/// Small frames go at once; and the system asks now and then whether the peer's is still there, which finds the dead ones where
/// no idle time-out was agreed on (2.4.5).
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_keepalive(true)
}

/// Whether a connect that was begun has succeeded, is under way, or has failed.
fn established(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => {
            prepare(stream)?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use mio::{Events, Poll};

    use super::*;

    fn is_kept_alive(socket: &Socket) -> bool {
        let stream = socket.stream.as_ref().unwrap();
        SockRef::from(stream).keepalive().unwrap()
    }

    #[test]
    fn both_ends_of_a_connection_are_kept_alive() {
        let mut poll = Poll::new().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = Socket::connecting(vec![address], Token(1));
        while !matches!(
            client.progress(clock(), poll.registry()),
            Progress::Connected
        ) {
            poll.poll(&mut Events::with_capacity(4), None).unwrap();
            client.signal(false, true);
        }
        assert!(is_kept_alive(&client));
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let stream = TcpStream::from_std(stream);
        let server = Socket::accepted(stream, Token(2), poll.registry()).unwrap();
        assert!(is_kept_alive(&server));
    }
}
