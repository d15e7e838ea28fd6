//! Link credit, both roles (2.6.7). Pure arithmetic; knows no frames.

use crate::seq::Seq;

/// The most credit that is granted: to the delivery-count, a serial number, no more can be added (RFC 1982, 3.1).
pub(crate) const MOST_CREDIT: u32 = i32::MAX as u32;

/// What a sender may still send on a link.
#[derive(Clone, Debug, Default)]
pub(crate) struct SenderCredit {
    initial: Seq,
    count: Seq,
    credit: u32,
    /// The flag as the receiver last set it, which a sender repeats (2.6.7).
    drain: bool,
    /// The drain was answered.
    drained: bool,
}

impl SenderCredit {
    pub(crate) const fn new(initial: Seq) -> Self {
        Self {
            initial,
            count: initial,
            credit: 0,
            drain: false,
            drained: false,
        }
    }

    /// The link is accepted, and the delivery-count chosen that it starts from. Credit stays: the
    /// receiver may have granted it right after its attach, before it knew what it counts from.
    pub(crate) const fn start_from(&mut self, initial: Seq) {
        self.initial = initial;
        self.count = initial;
    }

    /// The delivery-count to advertise.
    pub(crate) const fn count(&self) -> Seq {
        self.count
    }

    pub(crate) const fn credit(&self) -> u32 {
        self.credit
    }

    /// The drain flag to advertise.
    pub(crate) const fn drain(&self) -> bool {
        self.drain
    }

    /// Whether a drain has not been answered yet.
    pub(crate) const fn is_draining(&self) -> bool {
        self.drain && !self.drained
    }

    /// A flow for the link arrived. A receiver that has not seen our attach yet cannot know the
    /// delivery-count; then it counts from the initial one. A flow without link-credit changes none.
    pub(crate) fn flow(&mut self, count: Option<u32>, credit: Option<u32>, drain: bool) {
        self.drain = drain;
        self.drained = false;
        let Some(credit) = credit else { return };
        let seen = count.map_or(self.initial, Seq);
        // The limit may lie behind what was sent since: credit was taken back. That is 0, never a wrap.
        self.credit = match self.count.checked_distance_from(seen) {
            Some(in_flight) => credit.saturating_sub(in_flight),
            None => credit,
        };
    }

    /// The first transfer of a delivery was written.
    #[inline]
    pub(crate) const fn send(&mut self) {
        self.count = self.count.next();
        self.credit = self.credit.saturating_sub(1);
    }

    /// Uses up what is left, as a drained sender must.
    pub(crate) const fn exhaust(&mut self) {
        self.count = self.count.plus(self.credit);
        self.credit = 0;
        self.drained = true;
    }
}

/// What a receiver has granted on a link.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReceiverCredit {
    /// Unknown until the sender's attach; must not be advertised before (2.7.4).
    count: Option<Seq>,
    credit: u32,
    /// What the sender may use by the most generous word it was given. When credit is taken back, what
    /// it sent before it heard of that is no fault of its own (2.6.7).
    usable: u32,
    drain: bool,
}

impl ReceiverCredit {
    /// The sender's attach named the delivery-count it starts from.
    pub(crate) const fn attach(&mut self, initial: Seq) {
        self.count = Some(initial);
    }

    pub(crate) const fn count(&self) -> Option<Seq> {
        self.count
    }

    pub(crate) const fn credit(&self) -> u32 {
        self.credit
    }

    pub(crate) const fn is_draining(&self) -> bool {
        self.drain
    }

    /// Whether the sender has used all that it was ever granted, and knows of no other credit.
    pub(crate) const fn is_used_up(&self) -> bool {
        self.credit == 0 && self.usable == 0
    }

    /// Whether what was to be drained is used up.
    #[inline]
    pub(crate) const fn is_drained(&self) -> bool {
        self.drain && self.is_used_up()
    }

    /// Grants so much, or [`MOST_CREDIT`].
    pub(crate) const fn set(&mut self, credit: u32) {
        self.credit = if credit < MOST_CREDIT {
            credit
        } else {
            MOST_CREDIT
        };
    }

    pub(crate) const fn set_drain(&mut self, drain: bool) {
        self.drain = drain;
    }

    /// Asks for all that the sender was ever granted to be used or given back, so that it is known
    /// when nothing more can come. `false` if nothing was granted: then there is nobody to ask.
    #[must_use]
    pub(crate) const fn take_back(&mut self) -> bool {
        self.credit = self.usable;
        self.drain = self.usable > 0;
        self.drain
    }

    /// The link-credit for the flow that is being written.
    pub(crate) fn advertise(&mut self) -> u32 {
        self.usable = self.usable.max(self.credit);
        self.credit
    }

    /// Whether there is credit for one delivery more.
    #[inline]
    pub(crate) const fn is_open(&self) -> bool {
        self.usable > 0
    }

    /// The first transfer of a delivery arrived. `false` if there was no credit for it.
    #[must_use]
    #[inline]
    pub(crate) fn receive(&mut self) -> bool {
        let Some(usable) = self.usable.checked_sub(1) else {
            return false;
        };
        self.usable = usable;
        self.credit = self.credit.saturating_sub(1);
        self.count = self.count.map(Seq::next);
        true
    }

    /// The sender's flow told its delivery-count: it may have moved ahead without deliveries, which
    /// is how a drain is answered. Returns whether a drain ended by it.
    ///
    /// What is left of credit that was taken back may have been under way when the sender wrote this. That it skipped some,
    /// or repeats our flag, says that it has heard of the drain (2.6.7).
    pub(crate) fn flow(&mut self, count: Option<u32>, drain: bool) -> bool {
        let mut has_heard = drain;
        if let (Some(known), Some(count)) = (self.count, count)
            && let Some(skipped) = Seq(count).checked_distance_from(known)
        {
            self.credit = self.credit.saturating_sub(skipped);
            self.usable = self.usable.saturating_sub(skipped);
            self.count = Some(Seq(count));
            has_heard |= skipped > 0;
        }
        let drained = self.drain && self.credit == 0 && (has_heard || self.usable == 0);
        if drained {
            self.drain = false;
        }
        drained
    }
}

#[cfg(test)]
mod tests {
    use super::{ReceiverCredit, SenderCredit};
    use crate::seq::Seq;

    #[test]
    fn a_sender_counts_credit_from_what_the_receiver_has_seen() {
        let mut credit = SenderCredit::new(Seq(u32::MAX));
        credit.flow(None, Some(3), false);
        credit.send();
        credit.send();
        assert_eq!((credit.count(), credit.credit()), (Seq(1), 1));
        credit.flow(Some(0), Some(5), false);
        assert_eq!(credit.credit(), 4, "one delivery was in flight");
        credit.flow(Some(0), Some(0), false);
        assert_eq!(credit.credit(), 0, "taken back, not wrapped");
        credit.flow(Some(1), None, true);
        assert!(credit.is_draining());
        assert_eq!(credit.credit(), 0);
    }

    #[test]
    fn credit_granted_before_the_link_was_accepted_is_good() {
        let mut credit = SenderCredit::new(Seq(0));
        credit.flow(Some(0), Some(100), false);
        credit.start_from(Seq(u32::MAX));
        assert_eq!((credit.count(), credit.credit()), (Seq(u32::MAX), 100));
    }

    #[test]
    fn draining_moves_the_count_over_the_unused_credit() {
        let mut sender = SenderCredit::new(Seq(u32::MAX - 1));
        let mut receiver = ReceiverCredit::default();
        receiver.attach(sender.count());
        receiver.set(10);
        receiver.set_drain(true);
        assert_eq!(receiver.advertise(), 10);
        sender.flow(receiver.count().map(|c| c.0), Some(10), true);
        sender.send();
        assert!(receiver.receive());
        sender.exhaust();
        assert_eq!(sender.count(), Seq(8));
        assert!(sender.drain() && !sender.is_draining());
        assert!(receiver.flow(Some(sender.count().0), false));
        assert_eq!((receiver.credit(), receiver.count()), (0, Some(Seq(8))));
        assert!(!receiver.is_draining());
    }

    #[test]
    fn a_delivery_without_credit_is_noticed() {
        let mut credit = ReceiverCredit::default();
        credit.attach(Seq(0));
        credit.set(1);
        assert!(!credit.receive(), "the sender was not told yet");
        assert_eq!(credit.advertise(), 1);
        assert!(credit.receive());
        assert!(!credit.receive());
    }

    #[test]
    fn what_is_under_way_when_credit_is_taken_back_was_granted() {
        let mut credit = ReceiverCredit::default();
        credit.attach(Seq(0));
        credit.set(3);
        credit.advertise();
        credit.set(0);
        credit.advertise();
        assert!(credit.receive());
        credit.set(1);
        assert_eq!(credit.advertise(), 1);
        assert!(credit.receive() && credit.receive());
        assert!(!credit.receive(), "three were granted in all");
        assert_eq!((credit.credit(), credit.count()), (0, Some(Seq(3))));
    }
}
