//! The unsettled deliveries of one link, in order.

use alloc::vec::Vec;

use crate::ids::DeliveryId;

/// Room that is not worth being gone through.
const LEAST: usize = 16;

/// Which deliveries a link has. What was settled stays listed until room is needed, so that settling, which
/// comes once for every delivery, costs nothing here; ids that went stale say themselves that they did.
#[derive(Debug, Default)]
pub(crate) struct OfLink {
    ids: Vec<DeliveryId>,
}

impl OfLink {
    /// Adds a delivery. Where there is no room, what is not `live` any more is taken out first; each is
    /// looked at once for at least one that was added since, and the list is at most four times as long as
    /// the most deliveries that were ever live.
    #[inline]
    pub(crate) fn push(&mut self, id: DeliveryId, live: impl Fn(DeliveryId) -> bool) {
        if self.ids.len() == self.ids.capacity() {
            self.make_room(live);
        }
        self.ids.push(id);
    }

    #[cold]
    fn make_room(&mut self, live: impl Fn(DeliveryId) -> bool) {
        // Deliveries are mostly settled in order: then none behind the first live one need be looked at.
        let settled = self.ids.iter().position(|id| live(*id));
        self.ids.drain(..settled.unwrap_or(self.ids.len()));
        if self.ids.len() > self.ids.capacity() / 2 {
            self.ids.retain(|id| live(*id));
        }
        if self.ids.len() > self.ids.capacity() / 2 || self.ids.capacity() < LEAST {
            self.ids.reserve_exact(self.ids.len().max(LEAST));
        }
    }

    /// Every delivery that was added, in order; some may be settled and gone.
    pub(crate) fn iter(&self) -> impl Iterator<Item = DeliveryId> {
        self.ids.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{LEAST, OfLink};
    use crate::arena::Arena;
    use crate::ids::OutgoingId;

    #[test]
    fn what_was_settled_makes_room_for_what_comes() {
        let mut arena = Arena::<OutgoingId, u32>::new();
        let mut list = OfLink::default();
        let old = arena.insert(0);
        list.push(old.into(), |_| true);
        for n in 1..10_000 {
            let id = arena.insert(n);
            let live = |id: crate::ids::DeliveryId| {
                id.outgoing().is_some_and(|id| arena.get(id).is_some())
            };
            list.push(id.into(), live);
            arena.discard(id);
        }
        assert_eq!(list.iter().next(), Some(old.into()));
        assert!(
            list.ids.capacity() <= 4 * LEAST,
            "one live delivery needs no long list"
        );
    }

    #[test]
    fn what_is_live_stays_in_order() {
        let mut arena = Arena::<OutgoingId, u32>::new();
        let mut list = OfLink::default();
        for n in 0..1000 {
            let id = arena.insert(n);
            list.push(id.into(), |id| {
                id.outgoing().is_some_and(|id| arena.get(id).is_some())
            });
        }
        let numbers = list
            .iter()
            .filter_map(|id| arena.get(id.outgoing()?).copied());
        assert!(numbers.eq(0..1000));
    }
}
