//! Serial numbers (2.8.10, RFC 1982): ids that wrap from 2^32 - 1 to 0.
//!
//! `Seq` deliberately has no `Ord`: "smaller" means nothing on a circle. Ask for
//! [`Seq::precedes`] or [`Seq::distance_from`] instead.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::cast_lossless
    )
)]

use core::fmt;

/// A 32-bit serial number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Seq(pub(crate) u32);

impl Seq {
    /// This number moved forward by `n`.
    #[must_use]
    #[inline]
    pub(crate) const fn plus(self, n: u32) -> Self {
        Self(self.0.wrapping_add(n))
    }

    /// The number after this one.
    #[must_use]
    #[inline]
    pub(crate) const fn next(self) -> Self {
        self.plus(1)
    }

    /// Whether this number comes before `other`, by less than half the circle.
    #[must_use]
    #[inline]
    pub(crate) const fn precedes(self, other: Self) -> bool {
        let ahead = other.0.wrapping_sub(self.0);
        ahead != 0 && ahead < 1 << 31
    }

    /// How many steps forward lead from `earlier` to this number, all around the circle if need be.
    #[must_use]
    #[inline]
    pub(crate) const fn distance_from(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }

    /// Steps forward from `base` to this number, or `None` if it lies behind `base`.
    #[must_use]
    #[inline]
    pub(crate) const fn checked_distance_from(self, base: Self) -> Option<u32> {
        let ahead = self.0.wrapping_sub(base.0);
        if ahead < 1 << 31 { Some(ahead) } else { None }
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Seq;
    use proptest::prelude::*;

    #[test]
    fn order_survives_the_wrap() {
        let last = Seq(u32::MAX);
        assert_eq!(last.next(), Seq(0));
        assert!(last.precedes(Seq(0)));
        assert!(!Seq(0).precedes(last));
        assert!(!Seq(7).precedes(Seq(7)));
        assert_eq!(Seq(2).distance_from(Seq(u32::MAX - 1)), 4);
        assert_eq!(Seq(5).checked_distance_from(Seq(6)), None);
    }

    proptest! {
        #[test]
        fn exactly_one_of_two_different_numbers_precedes(a: u32, b: u32) {
            let (a, b) = (Seq(a), Seq(b));
            // The point half a circle away is the one pair RFC 1982 leaves undefined.
            prop_assume!(a != b && a.distance_from(b) != 1 << 31);
            prop_assert!(a.precedes(b) != b.precedes(a));
        }

        #[test]
        fn distance_undoes_plus(a: u32, n: u32) {
            prop_assert_eq!(Seq(a).plus(n).distance_from(Seq(a)), n);
        }
    }
}
