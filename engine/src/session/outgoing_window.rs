//! How many transfer frames this side may still send on a session (2.5.6).

use crate::seq::Seq;

/// The sending half of a session's flow control. Pure arithmetic; knows no frames.
#[derive(Clone, Debug)]
pub(crate) struct OutgoingWindow {
    initial: Seq,
    next: Seq,
    /// Transfers that the peer can still take: the specification's remote-incoming-window.
    remote: u32,
}

impl OutgoingWindow {
    pub(crate) const fn new(initial: Seq) -> Self {
        Self {
            initial,
            next: initial,
            remote: 0,
        }
    }

    /// The peer's begin granted its first window.
    pub(crate) const fn begin(&mut self, incoming_window: u32) {
        self.remote = incoming_window;
    }

    /// The session is accepted, and the transfer-id chosen that it starts from. What the peer granted
    /// stays: it may have done so in a flow right behind its begin.
    pub(crate) const fn start_from(&mut self, initial: Seq) {
        self.initial = initial;
        self.next = initial;
    }

    /// The transfer-id that the next transfer frame has.
    pub(crate) const fn next_id(&self) -> Seq {
        self.next
    }

    pub(crate) const fn available(&self) -> u32 {
        self.remote
    }

    /// One transfer frame was written.
    #[inline]
    pub(crate) const fn send(&mut self) {
        self.next = self.next.next();
        self.remote = self.remote.saturating_sub(1);
    }

    /// A flow arrived. `next_incoming_id` is absent while the peer has not seen our begin; then our
    /// initial id stands for it.
    ///
    /// `false` if the peer claims to have received transfers that were never sent.
    #[must_use]
    pub(crate) fn flow(&mut self, next_incoming_id: Option<u32>, incoming_window: u32) -> bool {
        let seen = next_incoming_id.map_or(self.initial, Seq);
        let Some(in_flight) = self.next.checked_distance_from(seen) else {
            return false;
        };
        // A shrunken window can lie behind what is already in flight: that is 0, not 4 thousand million.
        self.remote = incoming_window.saturating_sub(in_flight);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::OutgoingWindow;
    use crate::seq::Seq;

    #[test]
    fn a_flow_counts_from_what_the_peer_has_seen() {
        let mut window = OutgoingWindow::new(Seq(u32::MAX - 1));
        window.begin(10);
        for _ in 0..4 {
            window.send();
        }
        assert_eq!((window.next_id(), window.available()), (Seq(2), 6));
        assert!(window.flow(Some(0), 10), "it has seen two of the four");
        assert_eq!(window.available(), 8);
    }

    #[test]
    fn without_an_id_the_initial_one_stands_in() {
        let mut window = OutgoingWindow::new(Seq(u32::MAX));
        window.begin(3);
        window.send();
        assert!(window.flow(None, 5));
        assert_eq!(window.available(), 4);
    }

    #[test]
    fn a_shrunken_window_is_clamped_and_a_claim_from_the_future_refused() {
        let mut window = OutgoingWindow::new(Seq(0));
        window.begin(5);
        for _ in 0..5 {
            window.send();
        }
        assert!(window.flow(Some(1), 2));
        assert_eq!(window.available(), 0);
        assert!(!window.flow(Some(6), 2));
    }
}
