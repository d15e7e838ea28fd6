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
    /// Begins to count, once frames may come.
    pub(crate) const fn start(&mut self, local: Option<u32>, now: Time) {
        self.local = local;
        self.heard = now;
        self.wrote = now;
    }

    /// The peer's open named its time-out; 0 means none.
    pub(crate) fn set_remote(&mut self, remote: Option<u32>) {
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
        // Half of what the peer allows leaves room for a slow line and a late tick.
        self.remote.map(|ms| self.wrote.after(u64::from(ms / 2)))
    }

    pub(crate) fn is_peer_silent(&self, now: Time) -> bool {
        self.silent_at().is_some_and(|at| now >= at)
    }

    pub(crate) fn is_heartbeat_due(&self, now: Time) -> bool {
        self.heartbeat_at().is_some_and(|at| now >= at)
    }

    pub(crate) fn deadline(&self) -> Option<Deadline> {
        let silent = self.silent_at().map(|at| Deadline {
            at,
            reason: Reason::PeerSilent,
        });
        let heartbeat = self.heartbeat_at().map(|at| Deadline {
            at,
            reason: Reason::Heartbeat,
        });
        Deadline::earliest(silent, heartbeat)
    }
}

#[cfg(test)]
mod tests {
    use super::Idle;
    use crate::time::{Reason, Time};

    #[test]
    fn the_earlier_of_silence_and_heartbeat_is_the_deadline() {
        let mut idle = Idle::default();
        assert_eq!(idle.deadline(), None);
        idle.start(Some(1000), Time(5));
        idle.set_remote(Some(600));
        let deadline = idle.deadline().unwrap();
        assert_eq!(
            (deadline.at, deadline.reason),
            (Time(305), Reason::Heartbeat)
        );
        assert!(
            idle.is_heartbeat_due(Time(400)),
            "a late tick still sees it"
        );
        idle.wrote(Time(900));
        assert_eq!(idle.deadline().unwrap().reason, Reason::PeerSilent);
        idle.heard(Time(1000));
        assert!(!idle.is_peer_silent(Time(1999)) && idle.is_peer_silent(Time(2000)));
        idle.set_remote(Some(0));
        assert!(!idle.is_heartbeat_due(Time(u64::MAX)));
    }
}
