//! The two idle time-outs of a connection (2.4.5). Decides when; writes nothing.

use alloc::format;

use crate::error::Fault;
use crate::protocol::conditions;
use crate::time::{Deadline, Reason, Time};

/// The least time-out in milliseconds that a peer may ask for.
///
/// Whoever asks for less asks for frames without end: at 1 ms one open would make this side write a thousand of them a second,
/// for as long as there is a connection. Half of this between two heartbeats is a rate that costs little.
const LEAST: u32 = 100;

/// Who was heard or written to when.
///
/// The peer's silence is counted from the last *octet* that came, not from the last whole frame:
/// a large frame on a slow line is not silence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Idle {
    /// Milliseconds after which we give the peer up.
    local: Option<u32>,
    /// Milliseconds after which the peer says that it gives us up.
    remote: Option<u32>,
    heard: Time,
    wrote: Time,
}

impl Idle {
    /// Notes when the connection began.
    pub(crate) const fn start(&mut self, now: Time) {
        self.heard = now;
        self.wrote = now;
    }

    /// The peer's open has come: from now on its silence counts, and what its open says about ours.
    /// Time-outs of 0 are none.
    ///
    /// A time-out that cannot be met should close the connection with an error that says why, and nobody has to meet one that is
    /// arbitrarily short (2.4.5). To heartbeat less often than was asked for, and say nothing, would have the peer give up a
    /// connection on which nothing is wrong, again and again, with nothing to learn from it.
    pub(crate) fn open(&mut self, local: Option<u32>, remote: Option<u32>) -> Result<(), Fault> {
        self.local = local.filter(|ms| *ms > 0);
        let remote = remote.filter(|ms| *ms > 0);
        if let Some(ms) = remote.filter(|ms| *ms < LEAST) {
            let text = format!("an idle-time-out of {ms} ms is too short: ask for {LEAST} or more");
            return Err(Fault::connection(conditions::NOT_IMPLEMENTED, text));
        }
        self.remote = remote;
        Ok(())
    }

    pub(crate) const fn heard(&mut self, now: Time) {
        self.heard = now;
    }

    pub(crate) const fn wrote(&mut self, now: Time) {
        self.wrote = now;
    }

    fn silent_at(&self) -> Option<Time> {
        self.local.map(|ms| self.heard.after(u64::from(ms)))
    }

    fn heartbeat_at(&self) -> Option<Time> {
        // Half of what the peer allows leaves room for a slow line and a late tick.
        self.remote.map(|ms| self.wrote.after(u64::from(ms / 2)))
    }

    pub(crate) fn is_peer_silent(&self, now: Time) -> bool {
        self.silent_at().is_some_and(|at| now >= at)
    }

    pub(crate) fn is_heartbeat_due(&self, now: Time) -> bool {
        self.heartbeat_at().is_some_and(|at| now >= at)
    }

    pub(crate) fn silence_deadline(&self) -> Option<Deadline> {
        self.silent_at().map(|at| Deadline {
            at,
            reason: Reason::PeerSilent,
        })
    }

    pub(crate) fn heartbeat_deadline(&self) -> Option<Deadline> {
        self.heartbeat_at().map(|at| Deadline {
            at,
            reason: Reason::Heartbeat,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Idle, LEAST};
    use crate::time::{Reason, Time};

    #[test]
    fn silence_and_heartbeats_are_counted_apart_from_the_peers_open_on() {
        let mut idle = Idle::default();
        idle.start(Time(5));
        assert_eq!(
            (idle.silence_deadline(), idle.heartbeat_deadline()),
            (None, None)
        );
        assert!(idle.open(Some(1000), Some(600)).is_ok());
        let heartbeat = idle.heartbeat_deadline().unwrap();
        assert_eq!(
            (heartbeat.at, heartbeat.reason),
            (Time(305), Reason::Heartbeat)
        );
        assert!(
            idle.is_heartbeat_due(Time(400)),
            "a late tick still sees it"
        );
        idle.wrote(Time(900));
        assert!(!idle.is_heartbeat_due(Time(1199)));
        idle.heard(Time(1000));
        assert_eq!(idle.silence_deadline().unwrap().at, Time(2000));
        assert!(!idle.is_peer_silent(Time(1999)) && idle.is_peer_silent(Time(2000)));
    }

    #[test]
    fn a_time_out_of_zero_is_none_and_a_short_one_is_refused() {
        let mut idle = Idle::default();
        assert!(idle.open(Some(0), Some(0)).is_ok());
        assert!(!idle.is_heartbeat_due(Time(u64::MAX)) && !idle.is_peer_silent(Time(u64::MAX)));
        for ms in [1, 50, LEAST - 1] {
            assert!(idle.open(None, Some(ms)).is_err());
            assert_eq!(idle.heartbeat_deadline(), None);
        }
        assert!(idle.open(None, Some(LEAST)).is_ok());
        idle.wrote(Time(7));
        assert!(!idle.is_heartbeat_due(Time(56)) && idle.is_heartbeat_due(Time(57)));
    }
}
