//! TLS as a filter of octets between a socket and an engine.
//!
//! The session has no socket: octets from the network are [fed](Tls::feed) in and come out as plain
//! ones, what is to be sent is [taken](Tls::take) in pieces and [flushed](Tls::flush) as far as the
//! system lets it. No more than [`BACKLOG`] octets wait in between, so that a peer that does not read
//! is felt by the engine as it is without TLS.

mod fault;
mod settings;
mod subject;

use std::io::{self, IoSlice, Read, Write};
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Buf;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};

use crate::fault::TlsFault;
pub use settings::ClientCertificates;
pub(crate) use settings::TlsSettings;

/// Octets that are encrypted before the system must have taken them.
const BACKLOG: usize = 64 << 10;
/// Pieces of output that are encrypted in one go.
const SLICES: usize = 16;

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Tls {
    session: Connection,
    /// Whether there is a certificate of ours that the peer could have seen.
    certified: bool,
    /// Whether anything has come yet.
    heard: bool,
}

/// Whether octets that came begin a record of TLS: every content type of it is there (RFC 8446, 5.1).
pub(crate) fn is_tls(octets: &[u8]) -> bool {
    matches!(octets.first(), Some(20..=24))
}

impl Tls {
    /// The side that connects to `host`, and expects a certificate for it.
    pub(crate) fn client(
        config: Arc<ClientConfig>,
        host: &str,
        certified: bool,
    ) -> Result<Self, TlsFault> {
        let session = ClientConnection::new(config, server_name(host)?)
            .map_err(|error| fault::of(&error, certified))?;
        Ok(Self::new(session.into(), certified))
    }

    /// The side that was connected to.
    pub(crate) fn server(config: Arc<ServerConfig>) -> Result<Self, TlsFault> {
        let session = ServerConnection::new(config).map_err(|error| fault::of(&error, true))?;
        Ok(Self::new(session.into(), true))
    }

    fn new(mut session: Connection, certified: bool) -> Self {
        session.set_buffer_limit(Some(BACKLOG));
        Self {
            session,
            certified,
            heard: false,
        }
    }

    /// Whether the two sides have not agreed yet.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.session.is_handshaking()
    }

    /// Whether this is the side that was connected to.
    pub(crate) const fn is_server(&self) -> bool {
        matches!(self.session, Connection::Server(_))
    }

    /// Whom the certificate names that the peer showed, if it showed one; it was checked then.
    pub(crate) fn subject(&self) -> Option<String> {
        let certificate = self.session.peer_certificates()?.first()?;
        subject::of(certificate)
    }

    /// Takes octets from the network, and appends to `plain` what they say. Answers whether the peer
    /// said goodbye: nothing follows then.
    pub(crate) fn feed(
        &mut self,
        mut octets: &[u8],
        plain: &mut Vec<u8>,
    ) -> Result<bool, TlsFault> {
        if !self.heard && !is_tls(octets) {
            return Err(TlsFault::PeerSpeaksPlain);
        }
        self.heard = true;
        while !octets.is_empty() {
            let failed = |error: io::Error| TlsFault::Protocol(error.to_string());
            if self.session.read_tls(&mut octets).map_err(failed)? == 0 {
                break;
            }
            let state = self.session.process_new_packets();
            // What came before a fault is as good as ever.
            self.drain(plain);
            let state = state.map_err(|error| fault::of(&error, self.certified))?;
            if state.peer_has_closed() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn drain(&mut self, plain: &mut Vec<u8>) {
        // Reading ends with "would block", or with the stream: which of them is asked elsewhere.
        let _ = self.session.reader().read_to_end(plain);
    }

    /// Encrypts as much of `output` as may wait.
    pub(crate) fn take(&mut self, output: &mut impl Buf) {
        while output.has_remaining() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = output.chunks_vectored(&mut slices);
            let slices = slices.get(..count).unwrap_or_default();
            match self.session.writer().write_vectored(slices) {
                Ok(taken) if taken > 0 => output.advance(taken),
                _ => return,
            }
        }
    }

    /// Whether encrypted octets wait.
    pub(crate) fn has_backlog(&self) -> bool {
        self.session.wants_write()
    }

    /// Writes what waits; ends with `WouldBlock` when the system takes no more.
    pub(crate) fn flush(&mut self, to: &mut impl Write) -> io::Result<()> {
        while self.session.wants_write() {
            if self.session.write_tls(to)? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    /// Says that nothing more follows, so that nobody on the way can cut off what was said before.
    pub(crate) fn say_goodbye(&mut self) {
        self.session.send_close_notify();
    }
}

/// The name that the certificate must have, and that the peer is told (SNI) if it is one of DNS.
fn server_name(host: &str) -> Result<ServerName<'static>, TlsFault> {
    // The zone of a link-local address is this machine's affair.
    let bare = host.split('%').next().unwrap_or(host);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(ServerName::IpAddress(ip.into()));
    }
    ServerName::try_from(host.to_owned()).map_err(|_| TlsFault::InvalidName(host.to_owned()))
}
