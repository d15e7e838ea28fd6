//! The two idle time-outs of a connection (2.4.5). Decides when; writes nothing.

use crate::time::{Deadline, Reason, Time};

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
    pub(crate) fn open(&mut self, local: Option<u32>, remote: Option<u32>) {
        self.local = local.filter(|ms| *ms > 0);
        self.remote = remote.filter(|ms| *ms > 0);
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
        // Half of what the peer allows leaves room for a slow line and a late tick. Never none at all:
        // heartbeats would follow each other without end.
        self.remote
            .map(|ms| self.wrote.after(u64::from((ms / 2).max(1))))
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
    use super::Idle;
    use crate::time::{Reason, Time};

    #[test]
    fn silence_and_heartbeats_are_counted_apart_from_the_peers_open_on() {
        let mut idle = Idle::default();
        idle.start(Time(5));
        assert_eq!(
            (idle.silence_deadline(), idle.heartbeat_deadline()),
            (None, None)
        );
        idle.open(Some(1000), Some(600));
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
    fn a_time_out_of_zero_is_none_and_of_one_leaves_a_pause() {
        let mut idle = Idle::default();
        idle.open(Some(0), Some(0));
        assert!(!idle.is_heartbeat_due(Time(u64::MAX)) && !idle.is_peer_silent(Time(u64::MAX)));
        idle.open(None, Some(1));
        idle.wrote(Time(7));
        assert!(!idle.is_heartbeat_due(Time(7)) && idle.is_heartbeat_due(Time(8)));
    }
}
