//! Outgoing dispositions, gathered into as few frames as say the same (2.7.6).

use alloc::vec::Vec;

use crate::protocol::{DeliveryState, Role};
use crate::seq::Seq;

/// One disposition frame to be: a range of deliveries that share a state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) role: Role,
    pub(crate) first: Seq,
    pub(crate) last: Seq,
    pub(crate) settled: bool,
    pub(crate) state: Option<DeliveryState>,
}

/// The dispositions of one session that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct Dispositions {
    runs: Vec<Run>,
}

impl Dispositions {
    pub(crate) const fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Adds what is said of some deliveries; extends the latest run where it can.
    #[inline]
    pub(crate) fn push(&mut self, said: Run) {
        if let Some(run) = self.runs.last_mut()
            && run.says_as(&said)
        {
            if said.first == run.last.next() {
                run.last = said.last;
                return;
            }
            if said.last.next() == run.first {
                run.first = said.first;
                return;
            }
        }
        self.runs.push(said);
    }

    /// Adds that a delivery which came in is accepted and settled, if that is what was said of the one before it. `false`: it
    /// was not, and nothing was done.
    #[inline]
    pub(crate) fn accept_next(&mut self, number: Seq) -> bool {
        let Some(run) = self.runs.last_mut() else {
            return false;
        };
        let follows = run.role == Role::Receiver
            && run.settled
            && run.last.next() == number
            && matches!(run.state, Some(DeliveryState::Accepted));
        if follows {
            run.last = number;
        }
        follows
    }

    /// Merges what came out of order, before [`drain`](Self::drain).
    pub(crate) fn merge(&mut self) {
        // An unsettled state and the settlement after it must stay in order; settlements alone may
        // be sorted, because a delivery is settled once.
        if self.runs.len() < 2 || !self.runs.iter().all(|run| run.settled) {
            return;
        }
        // Any point half a circle before one of them makes the circle a line for all.
        let Some(origin) = self.runs.first().map(|run| run.first.plus(1 << 31)) else {
            return;
        };
        self.runs
            .sort_by_key(|run| (run.role == Role::Receiver, run.first.distance_from(origin)));
        self.runs.dedup_by(|next, run| {
            let adjacent = next.first == run.last.next() && run.says_as(next);
            if adjacent {
                run.last = next.last;
            }
            adjacent
        });
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Run> {
        self.runs.drain(..)
    }
}

impl Run {
    /// Whether another says the same of other deliveries.
    #[inline]
    fn says_as(&self, other: &Self) -> bool {
        self.role == other.role && self.settled == other.settled && self.state == other.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(number: u32, settled: bool, state: DeliveryState) -> Run {
        Run {
            role: Role::Receiver,
            first: Seq(number),
            last: Seq(number),
            settled,
            state: Some(state),
        }
    }

    fn accept(dispositions: &mut Dispositions, numbers: &[u32]) {
        for number in numbers {
            dispositions.push(say(*number, true, DeliveryState::Accepted));
        }
    }

    fn ranges(dispositions: &mut Dispositions) -> Vec<(u32, u32)> {
        dispositions.merge();
        dispositions
            .drain()
            .map(|run| (run.first.0, run.last.0))
            .collect()
    }

    #[test]
    fn acceptances_in_any_order_become_one_range_across_the_wrap() {
        let mut dispositions = Dispositions::default();
        accept(&mut dispositions, &[1, u32::MAX, 2, 0, u32::MAX - 1]);
        assert_eq!(ranges(&mut dispositions), [(u32::MAX - 1, 2)]);
    }

    #[test]
    fn only_an_acceptance_right_before_is_gone_on_with() {
        let mut dispositions = Dispositions::default();
        assert!(!dispositions.accept_next(Seq(0)), "nothing was said yet");
        accept(&mut dispositions, &[u32::MAX]);
        assert!(dispositions.accept_next(Seq(0)) && dispositions.accept_next(Seq(1)));
        assert!(!dispositions.accept_next(Seq(1)) && !dispositions.accept_next(Seq(3)));
        for other in [
            say(2, true, DeliveryState::Released),
            say(2, false, DeliveryState::Accepted),
            Run {
                role: Role::Sender,
                ..say(2, true, DeliveryState::Accepted)
            },
        ] {
            dispositions.push(other);
            assert!(!dispositions.accept_next(Seq(3)));
        }
        assert_eq!(dispositions.runs.len(), 4);
    }

    #[test]
    fn different_outcomes_stay_apart() {
        let mut dispositions = Dispositions::default();
        accept(&mut dispositions, &[0, 1]);
        dispositions.push(say(2, true, DeliveryState::Released));
        accept(&mut dispositions, &[3, 4]);
        assert_eq!(ranges(&mut dispositions), [(0, 1), (2, 2), (3, 4)]);
    }

    #[test]
    fn a_state_and_its_settlement_keep_their_order() {
        let mut dispositions = Dispositions::default();
        dispositions.push(say(5, false, DeliveryState::Accepted));
        accept(&mut dispositions, &[3, 4, 5]);
        assert_eq!(ranges(&mut dispositions), [(5, 5), (3, 5)]);
    }
}
