//! The numbers that name an engine's objects.

use std::sync::atomic::{AtomicU64, Ordering};

use ferrion_engine::{DeliveryId, LinkId, SessionId};

use crate::status::{Failure, ferrion_status as Status};

/// A session of an engine (part 2.5 of the specification). Never 0.
///
/// Handles of all kinds: once their object has ended they are answered with FERRION_STALE_HANDLE, for ever. A handle of
/// another kind is answered with FERRION_WRONG_KIND. A handle of another engine is answered with FERRION_STALE_HANDLE too:
/// each engine numbers its objects in a sequence of its own, so that with a million objects the chance of mistaking one is
/// less than one in 500 thousand million.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ferrion_session_t(pub(crate) u64);

/// A link of an engine, of either role (2.6). Never 0. See `ferrion_session_t`.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ferrion_link_t(pub(crate) u64);

/// A delivery that is not settled (2.6.12). 0 where there is none: a delivery that was sent settled has no handle. See
/// `ferrion_session_t`.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ferrion_delivery_t(pub(crate) u64);

/// What makes the handles of one engine differ from those of all others: their generation and index, not their kind, are
/// mixed with a number of the engine's own.
#[derive(Debug)]
pub(super) struct Numbers(u64);

/// The bits of an id that are not its kind.
const MIXED: u64 = (1 << 59) - 1;

impl Numbers {
    /// The numbers of the next engine.
    pub(super) fn new() -> Self {
        static ENGINES: AtomicU64 = AtomicU64::new(1);
        let engine = ENGINES.fetch_add(1, Ordering::Relaxed);
        // SplitMix64: numbers in a row become numbers that have nothing in common.
        let mut mixed = engine.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((mixed ^ mixed >> 31) & MIXED)
    }

    #[inline]
    pub(super) const fn of_session(&self, id: SessionId) -> ferrion_session_t {
        ferrion_session_t(id.to_bits() ^ self.0)
    }

    #[inline]
    pub(super) const fn of_link(&self, id: LinkId) -> ferrion_link_t {
        ferrion_link_t(id.to_bits() ^ self.0)
    }

    /// 0 for a delivery that needs no settling.
    #[inline]
    pub(super) fn of_delivery(&self, id: Option<DeliveryId>) -> ferrion_delivery_t {
        ferrion_delivery_t(id.map_or(0, |id| id.to_bits() ^ self.0))
    }

    #[inline]
    pub(super) fn session(&self, handle: ferrion_session_t) -> Result<SessionId, Failure> {
        SessionId::from_bits(handle.0 ^ self.0).ok_or_else(|| wrong_kind("a session"))
    }

    #[inline]
    pub(super) fn link(&self, handle: ferrion_link_t) -> Result<LinkId, Failure> {
        LinkId::from_bits(handle.0 ^ self.0).ok_or_else(|| wrong_kind("a link"))
    }

    #[inline]
    pub(super) fn delivery(&self, handle: ferrion_delivery_t) -> Result<DeliveryId, Failure> {
        DeliveryId::from_bits(handle.0 ^ self.0).ok_or_else(|| wrong_kind("a delivery"))
    }
}

#[cold]
#[inline(never)]
fn wrong_kind(expected: &str) -> Failure {
    Failure::new(
        Status::FERRION_WRONG_KIND,
        format!("this handle does not name {expected}"),
    )
}
