//! What the peer makes an engine hold, in octets.
//!
//! What is small and of one size is counted by the objects there are; only what differs is added up as it comes and goes.

use alloc::format;

use crate::codec::Symbol;
use crate::delivery::Sum;
use crate::endpoints::Endpoints;
use crate::error::{Fault, Scope};
use crate::ids::{LinkId, SessionId};
use crate::link::Held;
use crate::protocol::{Attach, Begin, Condition, DeliveryState, Open, Said, conditions};

/// A session without what its begin said, a link without what its attach said, a delivery that is not settled without the page it
/// is found on, and a transfer that waits without its payload. A little more than they take, with their places in the tables.
const SESSION: u64 = 2048;
const LINK: u64 = 2560;
const UNSETTLED: u64 = 320;
const TRANSFER: u64 = 320;

/// The sums of what differs.
#[derive(Debug, Default)]
pub(crate) struct Charges {
    /// What open, begins and attaches said, and the errors of detaches and ends.
    pub(crate) said: u64,
    /// Transfers and payloads that wait, and deliveries that are not complete.
    pub(crate) waiting: u64,
    /// Of that, deliveries that are not complete.
    pub(crate) partial: u64,
    /// Large states of deliveries, and the pages that deliveries are found on, each of which gives its share back when it goes.
    /// There once there was a session.
    shared: Option<Sum>,
}

impl Charges {
    /// Where what counts until it goes is added up.
    pub(crate) fn shared(&mut self) -> &Sum {
        self.shared.get_or_insert_default()
    }

    /// So much more of what was said is kept, by what keeps `said` already.
    pub(crate) const fn say(&mut self, said: &mut u64, octets: usize) {
        *said = said.saturating_add(octets as u64);
        self.said = self.said.saturating_add(octets as u64);
    }

    #[inline]
    pub(crate) const fn hold(&mut self, held: Held) {
        self.waiting = self.waiting.saturating_add(cost(held));
    }

    #[inline]
    pub(crate) const fn release(&mut self, held: Held) {
        self.waiting = self.waiting.saturating_sub(cost(held));
    }
}

/// What is kept of the state that comes with a transfer or a delivery.
pub(crate) fn of_state(state: Option<&DeliveryState>) -> u64 {
    state.map_or(0, |state| state.encoded_len() as u64)
}

/// What a delivery costs that is whole and may not be settled.
#[inline]
pub(crate) const fn waiting(held: Held) -> u64 {
    cost(held).saturating_add(UNSETTLED)
}

/// What it costs that this waits.
#[inline]
const fn cost(held: Held) -> u64 {
    (held.transfers as u64)
        .saturating_mul(TRANSFER)
        .saturating_add(held.octets)
}

impl Endpoints {
    /// Everything that the peer makes this side hold.
    #[inline(always)]
    pub(crate) fn held_octets(&self) -> u64 {
        let count = |objects: usize, each: u64| objects as u64 * each;
        count(self.sessions.len(), SESSION)
            .saturating_add(count(self.links.len(), LINK))
            .saturating_add(count(self.incoming.len(), UNSETTLED))
            .saturating_add(self.charges.said)
            .saturating_add(self.charges.waiting)
            .saturating_add(self.charges.shared.as_ref().map_or(0, Sum::octets))
    }

    /// Whether so much more may be held.
    #[inline]
    pub(crate) fn has_room(&self, octets: u64) -> bool {
        self.held_octets().saturating_add(octets) <= self.limits().connection_octets
    }

    /// Whether a session that says so much may begin.
    pub(crate) fn check_session_room(&self, said: u64) -> Result<(), Fault> {
        self.check_room(said.saturating_add(SESSION), Scope::Connection)
    }

    /// Whether a link that says so much may be attached.
    pub(crate) fn check_link_room(&self, session: SessionId, said: u64) -> Result<(), Fault> {
        self.check_room(said.saturating_add(LINK), Scope::Session(session))
    }

    /// Whether this may be added to what waits of a link that holds `before` already.
    pub(crate) fn check_waiting(&self, link: LinkId, before: u64, more: Held) -> Result<(), Fault> {
        let most = self.limits().link_octets;
        if before.saturating_add(more.octets) > most {
            let text = format!("more than {most} octets of the link wait");
            return Err(Fault::link(link, conditions::RESOURCE_LIMIT_EXCEEDED, text));
        }
        self.check_room(waiting(more), Scope::Link(link))
    }

    fn check_room(&self, octets: u64, scope: Scope) -> Result<(), Fault> {
        if self.has_room(octets) {
            return Ok(());
        }
        let most = self.limits().connection_octets;
        let text = format!("the connection would hold more than {most} octets");
        let condition = Condition::with_description(conditions::RESOURCE_LIMIT_EXCEEDED, text);
        Err(Fault { scope, condition })
    }
}

/// What is kept of what an open says beside the fields that were read of it, `octets` of them on the wire.
pub(crate) fn of_open(open: &Open, octets: usize) -> u64 {
    let lists = [
        &open.outgoing_locales,
        &open.incoming_locales,
        &open.offered_capabilities,
        &open.desired_capabilities,
    ];
    said(octets, lists.map(|list| list.len()))
}

/// What is kept of what a begin says.
pub(crate) fn of_begin(begin: &Begin, octets: usize) -> u64 {
    let lists = [&begin.offered_capabilities, &begin.desired_capabilities];
    said(octets, lists.map(|list| list.len()))
}

/// What is kept of what an attach says, as octets: what it says, what an answer repeats of that, and, apart from it, the
/// default outcome.
pub(crate) fn of_attach(attach: &Attach, list: &[u8]) -> u64 {
    let repeated = Said::to_repeat(list).octets() as u64;
    let source = attach.source.as_ref();
    let outcome = match source.and_then(|source| source.default_outcome.as_ref()) {
        None | Some(DeliveryState::Accepted | DeliveryState::Released) => 0,
        // No more than the termini, which it is a part of.
        Some(_) => repeated,
    };
    (list.len() as u64)
        .saturating_add(repeated)
        .saturating_add(outcome)
}

/// Octets, and symbols that are held one by one. A list of them may have room for twice as many as it has.
fn said<const N: usize>(octets: usize, lists: [usize; N]) -> u64 {
    let symbols = lists.iter().sum::<usize>() as u64;
    let each = 2 * size_of::<Symbol>() as u64;
    (octets as u64).saturating_add(symbols.saturating_mul(each))
}
