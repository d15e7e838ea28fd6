//! How many transfer frames the peer may still send on a session (2.5.6).

use crate::seq::Seq;

/// Frames that a budget is taken to hold which is smaller than the largest frame.
const FEW: u64 = 16;

/// The receiving half of a session's flow control. Pure arithmetic; knows no frames.
///
/// The window counts transfer frames. It shrinks as they arrive and is opened again, not one by one but
/// once half of it is used, as the application takes the deliveries they belong to. Octets that wait
/// to be taken narrow it as well: the peer never has window for more frames than still fit.
#[derive(Clone, Debug)]
pub(crate) struct IncomingWindow {
    size: u32,
    /// Octets that may wait to be taken, and the size of the largest frame.
    budget: u64,
    frame: u64,
    /// Half of what an empty window is: when so much can be granted anew, it is worth a frame.
    half: u32,
    /// Transfers that the peer may still send, by what it was last told.
    granted: u32,
    /// Transfers of complete deliveries that the application has not taken yet.
    held: u32,
    held_octets: u64,
    /// The transfer-id expected next; unknown until the peer's begin has been seen.
    next: Option<Seq>,
    /// Transfers that the peer has room to send: the specification's remote-outgoing-window.
    remote: u32,
}

impl IncomingWindow {
    pub(crate) fn new(size: u32, budget: u64, frame: u32) -> Self {
        // Frames that may be larger than the whole budget cannot be kept within it; without any window
        // nothing would ever move. Then some are let come, as if the budget held a few of them.
        let frame = if u64::from(frame) > budget {
            budget / FEW
        } else {
            u64::from(frame)
        };
        let mut window = Self {
            size,
            budget,
            frame: frame.max(1),
            half: 0,
            granted: 0,
            held: 0,
            held_octets: 0,
            next: None,
            remote: 0,
        };
        window.granted = window.room();
        window.half = window.granted.div_ceil(2).max(1);
        window
    }

    /// The peer's begin or flow says with which transfer-id it goes on, and how many transfers it has room for. Its word counts
    /// more than what was counted here (2.5.6).
    pub(crate) const fn told(&mut self, next_outgoing_id: u32, outgoing_window: u32) {
        self.next = Some(Seq(next_outgoing_id));
        self.remote = outgoing_window;
    }

    /// Transfers that the peer has room to send.
    pub(crate) const fn remote(&self) -> u32 {
        self.remote
    }

    /// Whether the peer may send one transfer more.
    #[inline]
    pub(crate) const fn is_open(&self) -> bool {
        self.granted > 0
    }

    /// One transfer arrived. `false` if the peer had no window for it: it broke 2.5.6.
    #[must_use]
    pub(crate) fn receive(&mut self) -> bool {
        let Some(granted) = self.granted.checked_sub(1) else {
            return false;
        };
        self.granted = granted;
        self.next = self.next.map(Seq::next);
        self.remote = self.remote.saturating_sub(1);
        true
    }

    /// So much came that now waits for the application.
    pub(crate) const fn hold(&mut self, transfers: u32, octets: u64) {
        self.held = self.held.saturating_add(transfers);
        self.held_octets = self.held_octets.saturating_add(octets);
    }

    /// The application took, or the engine dropped, so much of what waited.
    pub(crate) const fn release(&mut self, transfers: u32, octets: u64) {
        self.held = self.held.saturating_sub(transfers);
        self.held_octets = self.held_octets.saturating_sub(octets);
    }

    /// What waits for the application.
    pub(crate) const fn held(&self) -> (u32, u64) {
        (self.held, self.held_octets)
    }

    /// Whether enough room has come free that the peer should be told.
    #[inline]
    pub(crate) fn wants_update(&self) -> bool {
        // Whether the room is so large, asked without a division.
        let wanted = u64::from(self.granted) + u64::from(self.half);
        u64::from(self.size.saturating_sub(self.held)) >= wanted
            && self.budget.saturating_sub(self.held_octets) >= wanted.saturating_mul(self.frame)
    }

    /// What to put into the flow (or begin) that is being written: next-incoming-id and incoming-window.
    pub(crate) fn advertise(&mut self) -> (Option<Seq>, u32) {
        // A window that was granted is never taken back: the frames may be on their way.
        self.granted = self.granted.max(self.room());
        (self.next, self.granted)
    }

    fn room(&self) -> u32 {
        let fitting = frames(self.budget.saturating_sub(self.held_octets), self.frame);
        self.size.saturating_sub(self.held).min(fitting)
    }
}

fn frames(octets: u64, frame: u64) -> u32 {
    u32::try_from(octets / frame).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::IncomingWindow;
    use crate::seq::Seq;

    #[test]
    fn the_window_shrinks_is_enforced_and_opens_at_half() {
        let mut window = IncomingWindow::new(4, u64::MAX, 512);
        window.told(u32::MAX, 5);
        assert_eq!(window.advertise(), (Some(Seq(u32::MAX)), 4));
        assert!(window.receive());
        assert!(!window.wants_update());
        assert!(window.receive());
        assert!(window.wants_update());
        assert!(window.receive() && window.receive());
        assert!(!window.receive(), "the fifth transfer has no window");
        assert_eq!(window.advertise(), (Some(Seq(3)), 4));
    }

    #[test]
    fn what_the_peer_says_of_its_side_counts() {
        let mut window = IncomingWindow::new(4, u64::MAX, 512);
        window.told(7, 1);
        assert!(window.receive() && window.receive());
        assert_eq!((window.next, window.remote()), (Some(Seq(9)), 0));
        window.told(20, 3);
        assert_eq!((window.next, window.remote()), (Some(Seq(20)), 3));
    }

    #[test]
    fn what_the_application_has_not_taken_stays_out_of_the_window() {
        let mut window = IncomingWindow::new(4, u64::MAX, 512);
        for _ in 0..3 {
            assert!(window.receive());
        }
        window.hold(3, 0);
        assert!(!window.wants_update());
        assert_eq!(window.advertise().1, 1);
        window.release(2, 0);
        assert!(window.wants_update());
        assert_eq!(window.advertise().1, 3);
    }

    #[test]
    fn frames_without_a_limit_do_not_shut_the_window() {
        let mut window = IncomingWindow::new(100, 64 << 20, u32::MAX);
        assert_eq!(window.advertise().1, 16);
        for _ in 0..16 {
            assert!(window.receive());
        }
        assert!(window.wants_update());
        assert!(IncomingWindow::new(100, 1, 512).advertise().1 > 0);
    }

    #[test]
    fn octets_that_wait_narrow_the_window_too() {
        let mut window = IncomingWindow::new(100, 4 * 512, 512);
        assert_eq!(window.advertise().1, 4);
        for _ in 0..4 {
            assert!(window.receive());
        }
        window.hold(4, 3 * 512 + 1);
        assert_eq!(window.advertise().1, 0);
        window.release(2, 1024 + 1);
        assert!(window.wants_update());
        assert_eq!(window.advertise().1, 3);
    }
}
