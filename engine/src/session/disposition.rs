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

    /// Adds one delivery; extends the latest run where it can.
    pub(crate) fn push(
        &mut self,
        role: Role,
        number: Seq,
        settled: bool,
        state: Option<DeliveryState>,
    ) {
        if let Some(run) = self.runs.last_mut()
            && run.says(role, settled, state.as_ref())
        {
            if number == run.last.next() {
                run.last = number;
                return;
            }
            if number.next() == run.first {
                run.first = number;
                return;
            }
        }
        self.runs.push(Run {
            role,
            first: number,
            last: number,
            settled,
            state,
        });
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
            let adjacent = next.first == run.last.next()
                && run.says(next.role, next.settled, next.state.as_ref());
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
    fn says(&self, role: Role, settled: bool, state: Option<&DeliveryState>) -> bool {
        self.role == role && self.settled == settled && self.state.as_ref() == state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(dispositions: &mut Dispositions, numbers: &[u32]) {
        for number in numbers {
            dispositions.push(
                Role::Receiver,
                Seq(*number),
                true,
                Some(DeliveryState::Accepted),
            );
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
    fn different_outcomes_stay_apart() {
        let mut dispositions = Dispositions::default();
        accept(&mut dispositions, &[0, 1]);
        dispositions.push(Role::Receiver, Seq(2), true, Some(DeliveryState::Released));
        accept(&mut dispositions, &[3, 4]);
        assert_eq!(ranges(&mut dispositions), [(0, 1), (2, 2), (3, 4)]);
    }

    #[test]
    fn a_state_and_its_settlement_keep_their_order() {
        let mut dispositions = Dispositions::default();
        dispositions.push(Role::Receiver, Seq(5), false, Some(DeliveryState::Accepted));
        accept(&mut dispositions, &[3, 4, 5]);
        assert_eq!(ranges(&mut dispositions), [(5, 5), (3, 5)]);
    }
}
