//! How many transfer frames the peer may still send on a session (2.5.6).

use crate::seq::Seq;

/// The receiving half of a session's flow control. Pure arithmetic; knows no frames.
///
/// The window counts transfer frames. It shrinks as they arrive and is opened again, not one by one but
/// once half of it is used, as the application takes the deliveries they belong to.
#[derive(Clone, Debug)]
pub(crate) struct IncomingWindow {
    size: u32,
    /// Transfers that the peer may still send, by what it was last told.
    granted: u32,
    /// Transfers of complete deliveries that the application has not taken yet.
    held: u32,
    /// The transfer-id expected next; unknown until the peer's begin has been seen.
    next: Option<Seq>,
}

impl IncomingWindow {
    pub(crate) const fn new(size: u32) -> Self {
        Self {
            size,
            granted: size,
            held: 0,
            next: None,
        }
    }

    /// The peer's begin named the transfer-id it starts from.
    pub(crate) const fn begin(&mut self, next_outgoing_id: Seq) {
        self.next = Some(next_outgoing_id);
    }

    /// One transfer arrived. `false` if the peer had no window for it: it broke 2.5.6.
    #[must_use]
    pub(crate) fn receive(&mut self) -> bool {
        let Some(granted) = self.granted.checked_sub(1) else {
            return false;
        };
        self.granted = granted;
        self.next = self.next.map(Seq::next);
        true
    }

    /// A complete delivery of `transfers` frames waits for the application.
    pub(crate) const fn hold(&mut self, transfers: u32) {
        self.held = self.held.saturating_add(transfers);
    }

    /// The application took, or the engine dropped, a delivery of `transfers` frames.
    pub(crate) const fn release(&mut self, transfers: u32) {
        self.held = self.held.saturating_sub(transfers);
    }

    /// Whether enough room has come free that the peer should be told.
    pub(crate) const fn wants_update(&self) -> bool {
        self.room().saturating_sub(self.granted) >= self.size.div_ceil(2)
    }

    /// What to put into the flow (or begin) that is being written: next-incoming-id and incoming-window.
    pub(crate) fn advertise(&mut self) -> (Option<Seq>, u32) {
        // A window that was granted is never taken back: the frames may be on their way.
        self.granted = self.granted.max(self.room());
        (self.next, self.granted)
    }

    const fn room(&self) -> u32 {
        self.size.saturating_sub(self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::IncomingWindow;
    use crate::seq::Seq;

    #[test]
    fn the_window_shrinks_is_enforced_and_opens_at_half() {
        let mut window = IncomingWindow::new(4);
        window.begin(Seq(u32::MAX));
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
    fn what_the_application_has_not_taken_stays_out_of_the_window() {
        let mut window = IncomingWindow::new(4);
        for _ in 0..3 {
            assert!(window.receive());
        }
        window.hold(3);
        assert!(!window.wants_update());
        assert_eq!(window.advertise().1, 1);
        window.release(2);
        assert!(window.wants_update());
        assert_eq!(window.advertise().1, 3);
    }
}
