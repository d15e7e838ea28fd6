//! Listening sockets, and those who come through them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Token};

use super::channel::{Channel, Security, Wrapping, later};
use super::tls::Tls;
use super::web::Web;
use super::{Driver, clock, place};
use crate::core::address::Scheme;
use crate::core::{ConnKey, Core, SourceKey};
use crate::fault::Cause;

/// Connections taken from one listener in one turn.
const ACCEPTS: usize = 64;
/// How long a listener rests when the system has no descriptor left for another connection.
const REST: Duration = Duration::from_millis(100);

/// A listening socket.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) source: SourceKey,
    socket: TcpListener,
    /// What is wrapped around TCP for those who come.
    scheme: Scheme,
}

impl Driver {
    /// Listens on the first of `addresses` that lets it; answers the port.
    pub(super) fn listen(
        &mut self,
        source: SourceKey,
        scheme: Scheme,
        addresses: &[SocketAddr],
    ) -> Result<u16, Cause> {
        if scheme.is_secure() {
            // Better told now than to everyone who comes.
            self.tls.listen()?;
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
                    let listener = Listener {
                        source,
                        socket,
                        scheme,
                    };
                    place(&mut self.listeners, source.index(), listener);
                    return Ok(port);
                }
                Err(error) => cause = error.to_string(),
            }
        }
        Err(cause.into())
    }

    pub(super) fn accept_all(&mut self, core: &mut Core) -> bool {
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
                        let scheme = listener.scheme;
                        self.admit(core, source, scheme, stream, peer);
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
        scheme: Scheme,
        stream: TcpStream,
        peer: SocketAddr,
    ) {
        let Some(conn) = core.accepted(source, peer.to_string()) else {
            return;
        };
        match self.welcome(conn, scheme, stream) {
            Ok(channel) => {
                if channel.is_open() {
                    core.connected(conn, self.now(), None);
                } else {
                    self.opening.change(conn, None, channel.deadline());
                }
                place(&mut self.channels, conn.index(), (conn, channel));
                self.readable.push(conn);
            }
            Err(cause) => core.connect_failed(conn, self.now(), cause),
        }
    }

    fn welcome(
        &mut self,
        conn: ConnKey,
        scheme: Scheme,
        stream: TcpStream,
    ) -> Result<Channel, Cause> {
        let security = if !scheme.is_secure() {
            Security::Plain
        } else if self.listeners_allow_plain {
            Security::Either(self.tls.listen()?)
        } else {
            Security::Tls(Box::new(Tls::server(self.tls.listen()?)?))
        };
        let web = scheme.is_web().then(|| Box::new(Web::server(&self.web)));
        let wrapping = Wrapping { security, web };
        let token = Token(1 + conn.index() * 2);
        let until = later(clock(), self.handshake);
        Channel::accepted(stream, wrapping, until, token, self.poll.registry())
            .map_err(|error| error.to_string().into())
    }

    pub(super) fn unlisten(&mut self, source: SourceKey) {
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

/// What concerns only the one connection that could not be accepted.
const fn is_transient(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::Interrupted
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
