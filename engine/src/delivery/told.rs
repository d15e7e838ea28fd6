//! What a peer told of deliveries: as far as it is large, it counts against what the connection may hold until the caller
//! asks for it.

use crate::delivery::settlement::check_range;
use crate::delivery::{Known, Share, Sum};
use crate::endpoints::Endpoints;
use crate::error::Fault;
use crate::ids::{DeliveryId, LinkId, SessionId};
use crate::protocol::{Condition, DeliveryState, Disposition, Role, conditions};
use crate::seq::Seq;
use crate::session::Session;

/// Octets of a state that are not worth counting beside its delivery.
pub(crate) const PLAIN_STATE: usize = 64;

pub(crate) const NO_ROOM: &str = "the connection has no room for the state of a delivery";

/// A state, and what it counts for as long as it is here.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(super) state: DeliveryState,
    share: Option<Share>,
}

impl Counted {
    pub(crate) fn new(state: DeliveryState, charge: Option<&Charge>) -> Self {
        let share = charge.map(|charge| charge.sum.share(charge.octets));
        Self { state, share }
    }

    /// The state, which counts no more.
    pub(crate) fn into_state(self) -> DeliveryState {
        self.state
    }

    pub(super) fn octets(&self) -> u64 {
        self.share.as_ref().map_or(0, Share::octets)
    }
}

/// What a large state costs each delivery that it is told of.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    octets: usize,
    sum: Sum,
}

/// What a state counts that is told to one delivery.
pub(crate) fn counted_of(state: &DeliveryState) -> u64 {
    let octets = state.encoded_len();
    if octets > PLAIN_STATE {
        octets as u64
    } else {
        0
    }
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

impl Session {
    /// The first delivery, at or after `from` and not after `last`, that a disposition of the peer's in this role is about.
    pub(crate) fn next_told_of(
        &self,
        role: Role,
        from: Seq,
        last: Seq,
    ) -> Option<(Seq, DeliveryId)> {
        match role {
            Role::Receiver => {
                let sent = self.outgoing.next_in(from, last);
                sent.map(|(number, id)| (number, id.into()))
            }
            Role::Sender => {
                let received = self.incoming.next_in(from, last);
                received.map(|(number, id)| (number, id.into()))
            }
        }
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
            // What is settled is not walked again and again.
            let is_charged = !disposition.settled;
            self.for_each_in(session, &disposition, is_charged, |endpoints, id| {
                wanted.count += 1;
                let before = endpoints.known(id).map_or(0, Known::counted);
                wanted.freed = wanted.freed.saturating_add(before);
            })?;
            let (state, octets) = self.fit_state(state, octets, wanted);
            charge = self.charge_of(octets);
            if charge.is_none() || self.has_room(wanted.room(octets)) {
                disposition.state = Some(state);
            } else {
                // A state that nobody knows cannot be made smaller. What became of the deliveries is not known here: they stay
                // as they are, and end with their links.
                self.for_each_in(session, &disposition, true, |endpoints, id| {
                    if let Some(link) = endpoints.known(id).map(|known| known.link) {
                        let condition = conditions::RESOURCE_LIMIT_EXCEEDED;
                        endpoints.fail_link(link, Condition::with_description(condition, NO_ROOM));
                    }
                })?;
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
    pub(crate) fn charge_of(&mut self, octets: usize) -> Option<Charge> {
        (octets > PLAIN_STATE).then(|| Charge {
            octets,
            sum: self.charges.shared().clone(),
        })
    }

    /// What one delivery is to remember of a state that the peer told by a transfer or an attach, and what that costs. Whether
    /// there is room at all was seen before that was heard.
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

    /// The deliveries of a disposition that are remembered. They are walked once more for it, which may be once too often where
    /// that `is_charged`.
    fn for_each_in(
        &mut self,
        session_id: SessionId,
        disposition: &Disposition,
        is_charged: bool,
        mut each: impl FnMut(&mut Self, DeliveryId),
    ) -> Result<(), Fault> {
        let role = disposition.role;
        let mut left = match is_charged {
            true => self.may_hear(session_id, role),
            false => u64::MAX,
        };
        let last = Seq(disposition.last.unwrap_or(disposition.first));
        let mut from = Some(Seq(disposition.first));
        while let Some(at) = from
            && let Some(session) = self.sessions.get(session_id)
            && let Some((number, id)) = session.next_told_of(role, at, last)
        {
            left = left
                .checked_sub(1)
                .ok_or_else(|| self.too_often(session_id))?;
            each(self, id);
            from = (number != last).then(|| number.next());
        }
        if is_charged {
            self.heard(session_id, role, left);
        }
        Ok(())
    }
}
