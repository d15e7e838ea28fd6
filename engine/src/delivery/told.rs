//! What a peer told of deliveries: as far as it is large, it counts against what the connection may hold until the caller
//! asks for it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::delivery::Known;
use crate::delivery::settlement::check_range;
use crate::endpoints::Endpoints;
use crate::error::Fault;
use crate::ids::{DeliveryId, LinkId, SessionId};
use crate::protocol::{Condition, DeliveryState, Disposition, Role, conditions};
use crate::seq::Seq;

/// Octets of a state that are not worth counting beside its delivery.
pub(crate) const PLAIN_STATE: usize = 64;

const NO_ROOM: &str = "the connection has no room for the state of a delivery";

/// The state of a delivery at the peer. Nearly all are a word; what else there is lies apart, with what it costs.
#[derive(Debug, Default)]
pub(crate) enum Told {
    #[default]
    Nothing,
    Accepted,
    Released,
    More(More),
}

/// A state that is more than a word. Always there: it is an option so that it can be taken out and dropped by a call that is
/// rare, and what asks whether there is one is nothing but a comparison where a delivery ends.
#[derive(Debug)]
pub(crate) struct More(Option<Box<Counted>>);

/// A state, and what it counts for as long as it is here.
#[derive(Debug)]
struct Counted {
    state: DeliveryState,
    charge: Option<Charge>,
}

const _: () = assert!(
    size_of::<Told>() <= size_of::<DeliveryState>(),
    "each delivery has one"
);

impl More {
    #[cold]
    fn new(state: DeliveryState, charge: Option<&Charge>) -> Self {
        if let Some(charge) = charge {
            charge.sum.0.fetch_add(charge.octets, Ordering::Relaxed);
        }
        let charge = charge.cloned();
        Self(Some(Box::new(Counted { state, charge })))
    }

    #[cold]
    fn take(&mut self) -> Option<DeliveryState> {
        let mut counted = self.0.take()?;
        Some(core::mem::replace(
            &mut counted.state,
            DeliveryState::Accepted,
        ))
    }
}

impl Drop for More {
    #[inline]
    fn drop(&mut self) {
        if let Some(counted) = self.0.take() {
            drop_counted(counted);
        }
    }
}

#[cold]
#[inline(never)]
fn drop_counted(counted: Box<Counted>) {
    drop(counted);
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(charge) = &self.charge {
            charge.sum.0.fetch_sub(charge.octets, Ordering::Relaxed);
        }
    }
}

/// The octets of all large states of a connection. Shared with each of them, as deliveries are in many places and end in many
/// ways.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum(Arc<AtomicUsize>);

impl Sum {
    #[inline]
    pub(crate) fn octets(&self) -> u64 {
        self.0.load(Ordering::Relaxed) as u64
    }
}

/// What a large state costs each delivery that it is told of.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    octets: usize,
    sum: Sum,
}

/// The deliveries that are to remember a state.
#[derive(Clone, Copy, Debug, Default)]
struct Wanted {
    count: u64,
    /// Octets of what they were told before, which count no more once this is there.
    freed: u64,
}

impl Wanted {
    const ONE: Self = Self { count: 1, freed: 0 };

    /// What a state of so many octets needs more than there is.
    const fn room(self, octets: usize) -> u64 {
        let octets = self.count.saturating_mul(octets as u64);
        octets.saturating_sub(self.freed)
    }
}

impl Told {
    /// A state with octets of its own. What does not count is small, or the caller's own.
    pub(crate) fn new(state: DeliveryState, charge: Option<&Charge>) -> Self {
        match state {
            DeliveryState::Accepted => Self::Accepted,
            DeliveryState::Released => Self::Released,
            more => Self::More(More::new(more, charge)),
        }
    }

    /// Octets that count no more once another state takes its place.
    fn counted(&self) -> u64 {
        match self {
            Self::More(More(Some(counted))) => {
                let charge = counted.charge.as_ref();
                charge.map_or(0, |charge| charge.octets as u64)
            }
            _ => 0,
        }
    }

    pub(crate) fn state(&self) -> Option<&DeliveryState> {
        match self {
            Self::Nothing => None,
            Self::Accepted => Some(const { &DeliveryState::Accepted }),
            Self::Released => Some(const { &DeliveryState::Released }),
            Self::More(more) => more.0.as_ref().map(|counted| &counted.state),
        }
    }

    #[inline]
    pub(crate) fn take(&mut self) -> Option<DeliveryState> {
        match core::mem::take(self) {
            Self::Nothing => None,
            Self::Accepted => Some(DeliveryState::Accepted),
            Self::Released => Some(DeliveryState::Released),
            Self::More(mut more) => more.take(),
        }
    }

    /// Whether it says nothing of what became of the delivery.
    #[inline]
    pub(super) fn is_undecided(&self) -> bool {
        match self {
            Self::Accepted | Self::Released => false,
            other => matches!(other.state(), None | Some(DeliveryState::Received(_))),
        }
    }
}

impl Known {
    /// The peer told a state of it, which costs this much if it is large. Answers whether that is to be queued as an update.
    // Inlined: it comes once for every delivery, and hardly ever does more than set a byte.
    #[inline(always)]
    pub(super) fn hear(
        &mut self,
        state: Option<&DeliveryState>,
        charge: Option<&Charge>,
        settled: bool,
    ) -> bool {
        match (&mut self.remote_state, state) {
            // As nearly always: there is nothing to be dropped.
            (nothing @ Told::Nothing, Some(DeliveryState::Accepted)) => *nothing = Told::Accepted,
            (before, Some(state)) => *before = Told::new(state.clone(), charge),
            (_, None) => {}
        }
        self.remote_settled |= settled;
        !core::mem::replace(&mut self.update_queued, true)
    }
}

impl Endpoints {
    /// A disposition that has so many octets, which are many. Where there is no room for them with each of its deliveries,
    /// those have to do without the details.
    #[cold]
    pub(crate) fn on_large_disposition(
        &mut self,
        channel: u16,
        mut disposition: Disposition,
        octets: usize,
    ) -> Result<(), Fault> {
        let Some(session) = self.session_on(channel, "disposition")? else {
            return Ok(());
        };
        check_range(session, &disposition)?;
        let mut charge = None;
        if let Some(state) = disposition.state.take() {
            let mut wanted = Wanted::default();
            self.for_each_in(session, &disposition, |endpoints, id| {
                wanted.count += 1;
                let before = endpoints
                    .known(id)
                    .map_or(0, |it| it.remote_state.counted());
                wanted.freed = wanted.freed.saturating_add(before);
            });
            let (state, octets) = self.fit_state(state, octets, wanted);
            charge = self.charge_of(octets);
            if charge.is_none() || self.has_room(wanted.room(octets)) {
                disposition.state = Some(state);
            } else {
                // A state that nobody knows cannot be made smaller. What became of the deliveries is not known here: they stay
                // as they are, and end with their links.
                self.for_each_in(session, &disposition, |endpoints, id| {
                    if let Some(link) = endpoints.known(id).map(|known| known.link) {
                        let condition = conditions::RESOURCE_LIMIT_EXCEEDED;
                        endpoints.fail_link(link, Condition::with_description(condition, NO_ROOM));
                    }
                });
                return Ok(());
            }
        }
        self.hear_disposition(session, &disposition, charge.as_ref())
    }

    /// What of a state there is room for that deliveries are to remember, and how many octets that has.
    fn fit_state(
        &self,
        state: DeliveryState,
        octets: usize,
        wanted: Wanted,
    ) -> (DeliveryState, usize) {
        if self.has_room(wanted.room(octets)) {
            return (state, octets);
        }
        // What is left may be a piece of the whole.
        let state = state.without_details().detached();
        let octets = state.encoded_len();
        (state, octets)
    }

    /// What a state of so many octets costs beside its delivery.
    fn charge_of(&mut self, octets: usize) -> Option<Charge> {
        (octets > PLAIN_STATE).then(|| Charge {
            octets,
            sum: self.charges.told.get_or_insert_default().clone(),
        })
    }

    /// What one delivery is to remember of a state that the peer told by a transfer or an attach, and what that costs. Whether
    /// there is room at all was seen before: by the transfer, or as part of the attach, which may be passed by as much again.
    pub(crate) fn weigh(&mut self, state: &DeliveryState) -> (DeliveryState, Option<Charge>) {
        let state = state.detached();
        let octets = state.encoded_len();
        let (state, octets) = self.fit_state(state, octets, Wanted::ONE);
        let charge = self.charge_of(octets);
        (state, charge)
    }

    /// Whether there is room for the state that a transfer of a link tells, if need be without its details.
    pub(crate) fn check_state_room(
        &self,
        link: LinkId,
        state: Option<&DeliveryState>,
    ) -> Result<(), Fault> {
        let Some(state) = state else { return Ok(()) };
        let (_, octets) = self.fit_state(state.clone(), state.encoded_len(), Wanted::ONE);
        if octets <= PLAIN_STATE || self.has_room(octets as u64) {
            return Ok(());
        }
        Err(Fault::link(
            link,
            conditions::RESOURCE_LIMIT_EXCEEDED,
            NO_ROOM,
        ))
    }

    /// The deliveries of a disposition that are remembered.
    fn for_each_in(
        &mut self,
        session: SessionId,
        disposition: &Disposition,
        mut each: impl FnMut(&mut Self, DeliveryId),
    ) {
        let last = Seq(disposition.last.unwrap_or(disposition.first));
        let mut from = Some(Seq(disposition.first));
        while let Some(at) = from
            && let Some(session) = self.sessions.get(session)
            && let Some((number, id)) = match disposition.role {
                Role::Receiver => {
                    let found = session.outgoing.next_in(at, last);
                    found.map(|(number, id)| (number, id.into()))
                }
                Role::Sender => {
                    let found = session.incoming.next_in(at, last);
                    found.map(|(number, id)| (number, id.into()))
                }
            }
        {
            each(self, id);
            from = (number != last).then(|| number.next());
        }
    }
}
