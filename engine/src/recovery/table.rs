//! What a sender does about a delivery that it remembers, by what the receiver remembers of it (3.4.6).

use crate::protocol::{DeliveryState, Received};

/// What is to be done. The numbers are those of the specification's examples.
#[derive(Debug, PartialEq)]
pub(super) enum Step<'a> {
    /// 1, 5: the receiver has nothing of it. It is sent as a new delivery.
    SendAgain,
    /// 2, 4, 6: the rest is sent, from this point or from the beginning.
    Resume(Option<&'a Received>),
    /// 3, 8: the receiver has all of it and tells a state, which it is told is known.
    Answer(&'a DeliveryState),
    /// 7, 9: the receiver lacks what cannot be sent any more. It is called off, and sent as a new delivery.
    AbortAndSendAgain,
    /// 10: nobody waits for it.
    Forget(&'a DeliveryState),
    /// 11, 14: what became of it is decided, and the receiver will not get the rest.
    Abort(&'a DeliveryState),
    /// 12: both sides say the same.
    Settle(&'a DeliveryState),
    /// 13: the sender's word counts.
    Restate(&'a DeliveryState),
}

/// Finds the step.
///
/// `local` is the state at this side, the sender's; `remote` that in the receiver's map, `None` if the map lacks the
/// delivery. `lacks` is whether the receiver lacks octets before a point that this side has.
///
/// A transaction's state (4.4.1) decides nothing. At this side, it says that the payload must not be sent again: that
/// would be outside of the transaction.
pub(super) fn step<'a>(
    local: Option<&'a DeliveryState>,
    remote: Option<Option<&'a DeliveryState>>,
    lacks: impl FnOnce(&Received, &Received) -> bool,
) -> Step<'a> {
    use DeliveryState::{Received, Transactional};
    match (local, remote) {
        (None | Some(Received(_) | Transactional(_)), None) => Step::SendAgain,
        (None, Some(None)) => Step::Resume(None),
        (None, Some(Some(Received(theirs)))) => Step::Resume(Some(theirs)),
        (Some(Received(ours)), Some(None)) if ours.is_start() => Step::Resume(None),
        (Some(Received(_)), Some(None)) => Step::AbortAndSendAgain,
        (Some(Received(ours)), Some(Some(Received(theirs)))) if lacks(theirs, ours) => {
            Step::AbortAndSendAgain
        }
        (Some(Received(_)), Some(Some(Received(theirs)))) => Step::Resume(Some(theirs)),
        (Some(Transactional(_)), Some(None | Some(Received(_)))) => Step::AbortAndSendAgain,
        (None | Some(Received(_) | Transactional(_)), Some(Some(state))) => Step::Answer(state),
        (Some(outcome), None) => Step::Forget(outcome),
        (Some(outcome), Some(None | Some(Received(_)))) => Step::Abort(outcome),
        (Some(ours), Some(Some(theirs))) if ours == theirs => Step::Settle(ours),
        (Some(ours), Some(Some(_))) => Step::Restate(ours),
    }
}

impl Received {
    /// Whether nothing lies before this point.
    pub(super) const fn is_start(&self) -> bool {
        self.section_number == 0 && self.section_offset == 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Step, step};
    use crate::protocol::{DeliveryState, Received, TransactionalState};
    use alloc::boxed::Box;
    use bytes::Bytes;

    #[test]
    fn the_examples_of_the_specification_give_their_steps() {
        let received = |section, offset| {
            Some(DeliveryState::Received(Box::new(Received::new(
                section, offset,
            ))))
        };
        let accepted = || Some(DeliveryState::Accepted);
        let released = || Some(DeliveryState::Released);
        // What the sender remembers, what the receiver does (`None`: nothing), and the step.
        let table = [
            (None, None, "SendAgain"),
            (None, Some(received(3, 0)), "Resume"),
            (None, Some(accepted()), "Answer"),
            (None, Some(None), "Resume"),
            (received(0, 200), None, "SendAgain"),
            (received(1, 150), Some(received(2, 0)), "Resume"),
            (
                received(0, 500),
                Some(received(0, 100)),
                "AbortAndSendAgain",
            ),
            (received(3, 5), Some(accepted()), "Answer"),
            (received(2, 0), Some(None), "AbortAndSendAgain"),
            (accepted(), None, "Forget"),
            (accepted(), Some(received(1, 2000)), "Abort"),
            (accepted(), Some(accepted()), "Settle"),
            (accepted(), Some(released()), "Restate"),
            (accepted(), Some(None), "Abort"),
        ];
        for (number, (local, remote, expected)) in table.iter().enumerate() {
            let lacks = |theirs: &Received, ours: &Received| {
                (theirs.section_number, theirs.section_offset)
                    < (ours.section_number, ours.section_offset)
            };
            let remote = remote.as_ref().map(Option::as_ref);
            let found = alloc::format!("{:?}", step(local.as_ref(), remote, lacks));
            assert!(
                found.starts_with(expected),
                "example {}: {found}",
                number + 1
            );
        }
    }

    #[test]
    fn the_state_of_a_transaction_is_no_outcome() {
        let within = |outcome| {
            let mut state = TransactionalState::new(Bytes::from_static(b"t"));
            state.outcome = outcome;
            DeliveryState::Transactional(Box::new(state))
        };
        let ours = within(None);
        let theirs = within(Some(DeliveryState::Accepted));
        let start = DeliveryState::Received(Box::new(Received::new(0, 0)));
        let accepted = DeliveryState::Accepted;
        let table = [
            (Some(&ours), None, Step::SendAgain),
            (Some(&ours), Some(None), Step::AbortAndSendAgain),
            (Some(&ours), Some(Some(&start)), Step::AbortAndSendAgain),
            (Some(&ours), Some(Some(&ours)), Step::Answer(&ours)),
            (Some(&ours), Some(Some(&theirs)), Step::Answer(&theirs)),
            (Some(&ours), Some(Some(&accepted)), Step::Answer(&accepted)),
            (None, Some(Some(&theirs)), Step::Answer(&theirs)),
            (
                Some(&accepted),
                Some(Some(&theirs)),
                Step::Restate(&accepted),
            ),
        ];
        for (local, remote, expected) in table {
            assert_eq!(step(local, remote, |_, _| false), expected);
        }
    }

    #[test]
    fn a_sender_that_has_all_from_the_start_need_not_abort() {
        let start = DeliveryState::Received(Box::new(Received::new(0, 0)));
        assert_eq!(
            step(Some(&start), Some(None), |_, _| true),
            Step::Resume(None)
        );
    }
}
