//! Connections that ended with an error: what their peers still send is read away for a while.
//!
//! To close a socket with octets unread makes the system reset the connection, which can take back
//! what was said last, and that is why it ended (2.2, 5.2).

use std::time::{Duration, Instant};

use mio::Registry;

use super::socket::Socket;

/// How long the other side may take to hear that it is over.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// More than this many at a time are closed at once: whoever floods a listener must not keep its sockets.
const MOST: usize = 64;
/// Reads from one of them at a time.
const READS: usize = 4;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Parting {
    leaving: Vec<(Instant, Socket)>,
}

impl Parting {
    /// Ends the outgoing stream, and goes on reading until `until`.
    pub(super) fn add(&mut self, mut socket: Socket, until: Instant, registry: &Registry) {
        socket.finish();
        // Its place in the poll is another's from now on: it is looked at in every turn.
        socket.leave(registry);
        if self.leaving.len() < MOST {
            self.leaving.push((until, socket));
        }
    }

    /// When [`read`](Self::read) must be called at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.leaving.first().map(|(until, _)| *until)
    }

    /// Reads away what came, and lets those go who have gone or whose time is over.
    pub(super) fn read(&mut self, now: Instant, buffer: &mut [u8]) {
        self.leaving.retain_mut(|(until, socket)| {
            for _ in 0..READS {
                match socket.read(buffer) {
                    Ok(None) => break,
                    Ok(Some(0)) | Err(_) => return false,
                    Ok(Some(_)) => {}
                }
            }
            now < *until
        });
    }
}
