//! Time as the engine sees it: a number the caller passes in, never a clock it reads.

use core::fmt;

/// A moment, in milliseconds on the caller's own monotonic clock.
///
/// Any origin will do (process start, boot): the engine only compares and subtracts.
///
/// ```
/// use ferrion_engine::Time;
/// let now = Time(1_000);
/// assert_eq!(now.after(500), Time(1_500));
/// assert_eq!(now.after(500).since(now), 500);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Time {
    /// The moment `ms` milliseconds later; saturates at the end of time.
    #[must_use]
    pub const fn after(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`; 0 if `earlier` is in fact later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// When [`Engine::handle_timeout`](crate::Engine::handle_timeout) wants to be called, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The moment to call at, or as soon after it as the caller can.
    pub at: Time,
    /// What the engine will do then.
    pub reason: Reason,
}

/// Why a [`Deadline`] exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Headers, SASL and open must be exchanged by then, or the engine gives up.
    Handshake,
    /// Our close was sent; if the peer's does not arrive by then the engine stops waiting.
    Close,
    /// The peer has been silent; at this moment its silence exceeds our idle time-out (2.4.5).
    PeerSilent,
    /// The peer has read nothing of what waits for it, and is [not heard](crate::Engine::is_blocked) because of that; at
    /// this moment it has not for [`handshake_time`](crate::Limits::handshake_time).
    PeerNotReading,
    /// A link that is closing gracefully is detached then, whatever it still waits for; see
    /// [`Link::close_by`](crate::Link::close_by).
    LinkClose,
    /// An empty frame is due, to keep the peer from timing us out (2.4.5).
    Heartbeat,
}

impl Deadline {
    /// The earlier of two optional deadlines.
    pub(crate) fn earliest(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(if b.at < a.at { b } else { a }),
            (a, b) => a.or(b),
        }
    }
}
