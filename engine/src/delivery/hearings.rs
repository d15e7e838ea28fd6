//! How often a peer may tell a state of deliveries without settling them.
//!
//! What settles a delivery is heard of it once, so that all of that together costs what was sent. A state without settlement
//! may be told again (2.7.6), of all that is not settled with one frame of thirty octets: without a bound a peer that takes
//! what it is sent and settles nothing could have the engine walk as far as it likes. So each delivery pays for a number of
//! hearings, and each disposition for some.

/// Deliveries that each disposition may tell of, whatever was told before: about what its octets are worth.
const BY_FRAME: u64 = 16;

/// Deliveries that count as if they had been there beside those that were, so that few may be told of often.
const SPARE: u64 = 4 << 10;

/// What is left to a peer, for one session and direction.
#[derive(Debug)]
pub(crate) struct Hearings {
    left: u64,
    /// Deliveries there had been, in a number that wraps, when it was last looked.
    came: u32,
}

impl Hearings {
    pub(super) const fn new() -> Self {
        // As much as there can be, which is less at the first look.
        Self {
            left: u64::MAX,
            came: 0,
        }
    }

    /// How many deliveries the next disposition may tell of, where `came` have been there, of which `live` are not settled,
    /// and each pays for so many hearings. Nothing is saved up beyond what those pay for that are there.
    pub(super) fn look(&mut self, came: u32, live: u32, each: u32) -> u64 {
        let each = u64::from(each);
        let new = u64::from(came.wrapping_sub(self.came));
        self.came = came;
        let most = each.saturating_mul(u64::from(live) + SPARE);
        let left = self.left.saturating_add(each.saturating_mul(new));
        self.left = left.min(most);
        self.left.saturating_add(BY_FRAME)
    }

    /// So much was left over of what it might tell of.
    pub(super) fn leave(&mut self, left: u64) {
        self.left = self.left.min(left);
    }
}

#[cfg(test)]
mod tests {
    use super::{BY_FRAME, Hearings, SPARE};
    use proptest::prelude::*;

    #[test]
    fn a_disposition_of_few_deliveries_is_always_heard() {
        let mut hearings = Hearings::new();
        for _ in 0..1_000_000 {
            let left = hearings.look(16, 16, 0);
            assert!(left >= BY_FRAME);
            hearings.leave(left - BY_FRAME);
        }
    }

    #[test]
    fn what_is_told_twice_of_each_is_heard_for_ever_wherever_the_count_begins() {
        let mut hearings = Hearings::new();
        let mut came = u32::MAX - 50_000;
        hearings.look(came, 0, 2);
        hearings.leave(0);
        for _ in 0..1_000 {
            came = came.wrapping_add(100);
            for _ in 0..2 {
                let left = hearings.look(came, 100, 2);
                assert!(left >= 100, "{left}");
                hearings.leave(left - 100);
            }
        }
    }

    #[test]
    fn nothing_is_saved_up_beyond_what_is_there() {
        let mut hearings = Hearings::new();
        assert_eq!(hearings.look(0, 0, 16), 16 * SPARE + BY_FRAME);
        assert_eq!(
            hearings.look(u32::MAX, 10, 16),
            16 * (10 + SPARE) + BY_FRAME
        );
        // Six more, that may be told of as often as can be said.
        assert!(hearings.look(5, 6, u32::MAX) > 6 * u64::from(u32::MAX));
    }

    proptest! {
        /// However a peer goes about it, it is heard as often as it paid for and no more.
        #[test]
        fn all_that_is_heard_is_in_proportion_to_what_came(
            steps in proptest::collection::vec((0u32..2_000, 0u32..1 << 20, 0u64..1 << 40), 1..200),
            each in 0u32..64,
        ) {
            let mut hearings = Hearings::new();
            let (mut came, mut heard) = (0u32, 0);
            for (step, (new, live, wanted)) in steps.iter().enumerate() {
                came += new;
                let may = hearings.look(came, (*live).min(came), each);
                let told = may.min(*wanted);
                hearings.leave(may - told);
                heard += told;
                let paid = u64::from(each) * (u64::from(came) + SPARE);
                prop_assert!(heard <= paid + (step as u64 + 1) * BY_FRAME);
            }
        }
    }
}
