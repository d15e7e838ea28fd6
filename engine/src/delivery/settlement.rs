//! Delivery states and settlement, in both directions (2.6.12, 2.7.6).

use alloc::format;

use crate::config::SendOptions;
use crate::control::Control;
use crate::delivery::{Charge, Known, Update};
use crate::endpoints::Endpoints;
use crate::error::{Fault, UsageError};
use crate::event::Event;
use crate::ids::{DeliveryId, IncomingId, LinkId, OutgoingId, SessionId};
use crate::link::{Half, Link};
use crate::protocol::{DeliveryState, Disposition, Role, conditions};
use crate::seq::Seq;
use crate::session::Run;

/// What the peer tells of deliveries up to the last: a state, which costs this much for each of them if it is large.
#[derive(Clone, Copy)]
struct Told<'a> {
    last: Seq,
    state: Option<&'a DeliveryState>,
    charge: Option<&'a Charge>,
    settled: bool,
}

/// The peer told more states without settling anything than what came between pays for.
struct TooOften;

impl Endpoints {
    // ---- either direction ----

    #[inline]
    pub(crate) fn known(&self, id: DeliveryId) -> Option<&Known> {
        match id.outgoing() {
            Some(id) => self.outgoing.get(id).map(|delivery| &delivery.known),
            None => self
                .incoming
                .get(id.incoming()?)
                .map(|delivery| &delivery.known),
        }
    }

    #[inline]
    pub(crate) fn known_mut(&mut self, id: DeliveryId) -> Option<&mut Known> {
        match id.outgoing() {
            Some(id) => self
                .outgoing
                .get_mut(id)
                .map(|delivery| &mut delivery.known),
            None => self
                .incoming
                .get_mut(id.incoming()?)
                .map(|delivery| &mut delivery.known),
        }
    }

    /// Forgets a delivery that has no delivery-id any more.
    #[inline]
    pub(crate) fn discard(&mut self, id: DeliveryId) {
        match (id.outgoing(), id.incoming()) {
            (Some(id), _) => self.outgoing.discard(id),
            (_, Some(id)) => self.incoming.discard(id),
            (None, None) => {}
        }
    }

    // ---- commands ----

    /// Whether a delivery is one of this link.
    pub(crate) fn check_delivery(&self, link: LinkId, id: DeliveryId) -> Result<(), UsageError> {
        match self.known(id).map(|known| known.link) {
            Some(owner) if owner == link => Ok(()),
            Some(_) => Err(UsageError::WrongKind {
                expected: "a delivery of this link",
            }),
            None => Err(UsageError::StaleHandle),
        }
    }

    /// Tells the peer the state of a delivery of a link, and settles it if `settled`.
    pub(crate) fn dispose(
        &mut self,
        link: LinkId,
        id: DeliveryId,
        state: Option<DeliveryState>,
        settled: bool,
    ) -> Result<(), UsageError> {
        if let Some(id) = id.incoming() {
            return self.dispose_incoming(link, id, state, settled);
        }
        self.check_delivery(link, id)?;
        let id = id.outgoing().ok_or(UsageError::StaleHandle)?;
        self.dispose_outgoing(id, state, settled)
    }

    /// A received delivery is settled without waiting for the sender, whatever the link agreed on.
    pub(crate) fn settle_first(&mut self, link: LinkId, id: DeliveryId) -> Result<(), UsageError> {
        self.check_delivery(link, id)?;
        let delivery = id.incoming().and_then(|id| self.incoming.get_mut(id));
        match delivery.filter(|delivery| !delivery.done) {
            Some(delivery) => delivery.settles_second = false,
            None => return Err(UsageError::StaleHandle),
        }
        Ok(())
    }

    fn dispose_incoming(
        &mut self,
        link_id: LinkId,
        id: IncomingId,
        state: Option<DeliveryState>,
        settled: bool,
    ) -> Result<(), UsageError> {
        let delivery = self.incoming.get_mut(id).ok_or(UsageError::StaleHandle)?;
        if delivery.known.link != link_id {
            return Err(UsageError::WrongKind {
                expected: "a delivery of this link",
            });
        }
        let link = self.links.get_mut(link_id).ok_or(UsageError::StaleHandle)?;
        if delivery.done {
            return Err(UsageError::StaleHandle);
        }
        let (number, remote_settled) = (delivery.known.number(), delivery.known.remote_settled);
        let session_id = link.session;
        let is_destroyed = link.is_destroyed();
        // A link that failed at the sender may be resumed, and what was sent on it with it.
        let is_resumed = is_destroyed && link.keeps_deliveries();
        // Else the sender has forgotten all of it, as it has what it settled: there is nobody to tell.
        let unheard = remote_settled || (is_destroyed && !is_resumed);
        // Before the sender has settled, the outcome may be told but not settled (2.8.3).
        let waits = settled && delivery.settles_second && !unheard;
        if waits && state.is_none() {
            let text = "the receiver settles second here: settle with an outcome";
            return Err(UsageError::WrongState(text));
        }
        if (number.is_none() || is_resumed) && !remote_settled {
            // The sender is told once it has resumed the delivery: until then it has no id.
            delivery.done = settled;
            delivery.known.set_local_state(state);
            return Ok(());
        }
        delivery.done = waits;
        let settled = settled && !waits;
        if !settled {
            delivery.known.set_local_state(state.clone());
        }
        let mut is_last = false;
        if let Some(number) = number
            && let Some(session) = self.sessions.get_mut(session_id)
        {
            if !unheard && session.dispose(single(Role::Receiver, number, settled, state)) {
                self.control.push_back(Control::Dispositions(session_id));
            }
            if settled && session.incoming.remove(number).is_some() {
                is_last = link.count_settled();
            }
        }
        if settled {
            self.incoming.discard(id);
        }
        if is_last {
            self.go_on_closing(link_id);
        }
        Ok(())
    }

    fn dispose_outgoing(
        &mut self,
        id: OutgoingId,
        state: Option<DeliveryState>,
        settled: bool,
    ) -> Result<(), UsageError> {
        check_sender_state(state.as_ref())?;
        let delivery = self.outgoing.get_mut(id).ok_or(UsageError::StaleHandle)?;
        let (number, remote_settled) = (delivery.known.number(), delivery.known.remote_settled);
        let link_id = delivery.known.link;
        let link = self.links.get_mut(link_id).ok_or(UsageError::StaleHandle)?;
        let session_id = link.session;
        let is_destroyed = link.is_destroyed();
        if !remote_settled {
            link.check_resumed()?;
        }
        if number.is_none() && !settled {
            let text = "none of the delivery was written yet: name the state when sending it";
            return Err(UsageError::WrongState(text));
        }
        if settled {
            if delivery.is_open() {
                let text = "the delivery is being written: finish or abort it first";
                return Err(UsageError::WrongState(text));
            }
            if let Half::Sender(sender) = &mut link.half {
                // Only what was not begun, or is under way now, stands in the queue.
                let waits = !remote_settled && sender.settle_when_sent(id, number, state.clone());
                if waits {
                    self.outgoing.discard(id);
                    if let Some(number) = number {
                        self.forget_number(session_id, link_id, id.into(), number);
                    }
                    return Ok(());
                }
            }
            self.outgoing.discard(id);
        }
        if !settled
            && link.keeps_deliveries()
            && let Some(delivery) = self.outgoing.get_mut(id)
        {
            delivery.known.set_local_state(state.clone());
        }
        // Before its first transfer the peer does not know of it.
        if let Some(number) = number {
            if !remote_settled && !is_destroyed {
                let run = single(Role::Sender, number, settled, state);
                self.request_dispositions(session_id, run);
            }
            if settled {
                self.forget_number(session_id, link_id, id.into(), number);
            }
        }
        Ok(())
    }

    /// A delivery was wholly sent that the caller settled before.
    pub(crate) fn settle_sent(
        &mut self,
        session: SessionId,
        number: Seq,
        state: Option<DeliveryState>,
    ) {
        self.request_dispositions(session, single(Role::Sender, number, true, state));
    }

    /// The next change of state that the peer made to a delivery of this link.
    // Inlined, as what it answers would be moved once more otherwise.
    #[inline(always)]
    pub(crate) fn next_update(&mut self, id: LinkId) -> Option<Update> {
        loop {
            let updates = &mut self.links.get_mut(id)?.updates;
            let delivery = self.updates.pop(updates)?;
            // A delivery that was settled since it was queued has no update any more.
            let Some(known) = self.known_mut(delivery) else {
                continue;
            };
            // While it is being written it needs its name.
            let is_over = known.remote_settled && !known.is_open();
            let (tag, settled) = (known.tag(), known.remote_settled);
            let state = known.take_update(is_over);
            if is_over {
                self.discard(delivery);
            }
            // Put together last: what was just written is waited for where it is moved.
            return Some(Update {
                delivery,
                tag,
                state,
                settled,
            });
        }
    }

    // ---- frames in ----

    pub(crate) fn on_disposition(
        &mut self,
        channel: u16,
        disposition: &mut Disposition,
    ) -> Result<(), Fault> {
        if let Some(state) = &mut disposition.state {
            state.detach_if_large();
        }
        match self.session_on(channel, "disposition")? {
            Some(session) => self.hear_disposition(session, disposition, None),
            None => Ok(()),
        }
    }

    /// Hears a disposition, whose state costs this much for each of its deliveries if it is large.
    pub(super) fn hear_disposition(
        &mut self,
        session: SessionId,
        disposition: &Disposition,
        charge: Option<&Charge>,
    ) -> Result<(), Fault> {
        let (first, last) = check_range(session, disposition)?;
        if self.config.ends_errant_sessions {
            self.check_errant_range(session, disposition.role, first, last)?;
        }
        let told = Told {
            last,
            state: disposition.state.as_ref(),
            charge,
            settled: disposition.settled,
        };
        // What is settled is not heard of again.
        let mut left = match told.settled {
            true => u64::MAX,
            false => self.may_hear(session, disposition.role),
        };
        let heard = match disposition.role {
            Role::Receiver => self.hear_of_sent(session, first, told, &mut left),
            Role::Sender => self.hear_of_all_received(session, first, told, &mut left),
        };
        if !told.settled {
            self.heard(session, disposition.role, left);
        }
        heard.map_err(|TooOften| self.too_often(session))
    }

    /// How many deliveries the next disposition of this role may tell of that does not settle them.
    pub(super) fn may_hear(&mut self, session: SessionId, role: Role) -> u64 {
        let each = self.limits().states_per_delivery;
        let session = self.sessions.get_mut(session);
        session.map_or(0, |session| match role {
            Role::Receiver => session.outgoing.may_hear(each),
            Role::Sender => session.incoming.may_hear(each),
        })
    }

    /// So much is left over of that.
    pub(super) fn heard(&mut self, session: SessionId, role: Role, left: u64) {
        if let Some(session) = self.sessions.get_mut(session) {
            match role {
                Role::Receiver => session.outgoing.heard(left),
                Role::Sender => session.incoming.heard(left),
            }
        }
    }

    #[cold]
    pub(super) fn too_often(&self, session: SessionId) -> Fault {
        let each = self.limits().states_per_delivery;
        let text = format!(
            "states of deliveries are told again and again without settling them, more than {each} times of each"
        );
        Fault::session(session, conditions::RESOURCE_LIMIT_EXCEEDED, text)
    }

    /// The peer told a state of deliveries that it sends, or that it has settled them.
    fn hear_of_all_received(
        &mut self,
        session_id: SessionId,
        first: Seq,
        told: Told<'_>,
        left: &mut u64,
    ) -> Result<(), TooOften> {
        let Told {
            last,
            state,
            charge,
            settled,
        } = told;
        let mut from = Some(first);
        // Walks what is live in the range, not the range.
        while let Some(at) = from
            && let Some(session) = self.sessions.get(session_id)
            && let Some((number, id)) = session.incoming.next_in(at, last)
        {
            if !settled {
                *left = left.checked_sub(1).ok_or(TooOften)?;
            }
            self.hear_of_received(session_id, number, id, state, charge, settled);
            from = (number != last).then(|| number.next());
        }
        Ok(())
    }

    /// The peer told a state of deliveries of ours, or that it has settled them.
    fn hear_of_sent(
        &mut self,
        session: SessionId,
        first: Seq,
        told: Told<'_>,
        left: &mut u64,
    ) -> Result<(), TooOften> {
        let mut from = Some(first);
        while let Some(link) = self.hear_until_closing(session, &mut from, told, left)? {
            self.go_on_closing(link);
        }
        Ok(())
    }

    /// Hears of deliveries `from` on, until the last or one that a link waited for which is closing. Answers that link.
    fn hear_until_closing(
        &mut self,
        session: SessionId,
        from: &mut Option<Seq>,
        told: Told<'_>,
        left: &mut u64,
    ) -> Result<Option<LinkId>, TooOften> {
        let Told {
            last,
            state,
            charge,
            settled,
        } = told;
        let Some(session) = self.sessions.get_mut(session) else {
            return Ok(None);
        };
        // Walks what is live in the range, not the range.
        while let Some(at) = *from
            && let Some((number, id)) = session.outgoing.next_to_hear(at, last, settled)
        {
            if !settled {
                *left = left.checked_sub(1).ok_or(TooOften)?;
            }
            *from = (number != last).then(|| number.next());
            let Some(sent) = self.outgoing.get_mut(id) else {
                continue;
            };
            let link_id = sent.known.link;
            let Some(link) = self.links.get_mut(link_id) else {
                continue;
            };
            let fresh = sent.known.hear(state, charge, settled);
            if sent.known.is_undecided()
                && let Some(outcome) = link.terms.default_outcome()
            {
                sent.known.set_remote_state(outcome, None);
            }
            if fresh {
                self.updates.push(&mut link.updates, id.into());
                if link.queued.mark(Event::Updates(link_id)) {
                    self.events.push_back(Event::Updates(link_id));
                }
            }
            if settled && link.count_settled() && link.is_closing() {
                return Ok(Some(link_id));
            }
        }
        Ok(None)
    }

    /// The peer told a state of a delivery that it sends, or that it has settled it.
    pub(crate) fn hear_of_received(
        &mut self,
        session: SessionId,
        number: Seq,
        id: IncomingId,
        state: Option<&DeliveryState>,
        charge: Option<&Charge>,
        settled: bool,
    ) {
        let Some(received) = self.incoming.get_mut(id) else {
            return;
        };
        // The caller said its last word; what is left is to forget it in time.
        if received.done {
            if settled {
                self.forget_incoming(session, Some(number));
            }
            return;
        }
        let link = received.known.link;
        let fresh = received.known.hear(state, charge, settled);
        if settled {
            self.forget_number(session, link, id.into(), number);
        }
        if fresh {
            self.queue_update(link, id.into());
        }
    }

    /// The caller is to be told of a delivery what did not come as a disposition: it is as it was found to be, without
    /// the default outcome.
    pub(crate) fn tell(&mut self, id: DeliveryId, state: Option<DeliveryState>, settled: bool) {
        let (state, charge) = state.map(|state| self.weigh(&state)).unzip();
        if let Some(known) = self.known_mut(id) {
            let link = known.link;
            if known.hear(state.as_ref(), charge.flatten().as_ref(), settled) {
                self.queue_update(link, id);
            }
        }
    }

    fn queue_update(&mut self, link: LinkId, delivery: DeliveryId) {
        if let Some(entry) = self.links.get_mut(link) {
            self.updates.push(&mut entry.updates, delivery);
        }
        self.post(Event::Updates(link));
    }

    // ---- endings ----

    /// Forgets an incoming delivery that nobody needs to be told of.
    pub(crate) fn forget_incoming(&mut self, session: SessionId, number: Option<Seq>) {
        if let Some(number) = number
            && let Some(session) = self.sessions.get_mut(session)
            && let Some(id) = session.incoming.remove(number)
        {
            let link = self.incoming.get(id).map(|delivery| delivery.known.link);
            self.incoming.discard(id);
            if let Some(link) = link {
                self.count_settled(link);
            }
        }
    }

    /// A delivery is settled: its session need not find it any more.
    #[inline]
    pub(crate) fn forget_number(
        &mut self,
        session: SessionId,
        link: LinkId,
        delivery: DeliveryId,
        number: Seq,
    ) {
        if let Some(session) = self.sessions.get_mut(session)
            && session.forget(delivery, number)
        {
            self.count_settled(link);
        }
    }

    /// One unsettled delivery less: a link that is closing may have waited for it.
    fn count_settled(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id)
            && link.count_settled()
        {
            self.go_on_closing(id);
        }
    }

    /// Frees whatever a link that ended still had.
    pub(crate) fn free_deliveries_of(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        let session = link.session;
        for delivery in core::mem::take(&mut link.deliveries).iter() {
            if let Some(number) = self.known(delivery).and_then(Known::number)
                && let Some(session) = self.sessions.get_mut(session)
            {
                session.forget(delivery, number);
            }
            self.discard(delivery);
        }
    }
}

impl Link {
    /// One unsettled delivery less. Whether it was the last, for which a link that is closing may have waited.
    #[inline]
    pub(super) const fn count_settled(&mut self) -> bool {
        self.unsettled = self.unsettled.saturating_sub(1);
        self.unsettled == 0
    }
}

/// What a link that can be recovered keeps of the state that the caller said when it sent a delivery. That it belongs to
/// a transaction holds from the beginning. An outcome does not: the receiver may turn out to have nothing of the
/// delivery, and then it is to be sent again, and not forgotten as one that is decided.
pub(crate) fn state_to_keep(options: &SendOptions) -> Option<DeliveryState> {
    let said = options.state.as_ref();
    said.filter(|state| !state.is_outcome()).cloned()
}

/// A sender tells `received` only of a delivery that it resumes (3.4.1).
pub(crate) const fn check_sender_state(state: Option<&DeliveryState>) -> Result<(), UsageError> {
    match state {
        Some(DeliveryState::Received(_)) => Err(UsageError::WrongState(
            "only a receiver says `received`: name an outcome, or no state",
        )),
        _ => Ok(()),
    }
}

/// The first and the last delivery that a disposition is about.
#[inline]
pub(super) fn check_range(
    session: SessionId,
    disposition: &Disposition,
) -> Result<(Seq, Seq), Fault> {
    let first = Seq(disposition.first);
    let last = Seq(disposition.last.unwrap_or(disposition.first));
    if last.precedes(first) {
        let text = "a disposition's last delivery precedes its first";
        return Err(Fault::session(session, conditions::INVALID_FIELD, text));
    }
    Ok((first, last))
}

const fn single(role: Role, number: Seq, settled: bool, state: Option<DeliveryState>) -> Run {
    Run {
        role,
        first: number,
        last: number,
        settled,
        state,
    }
}
