//! Delivery states and settlement, in both directions (2.6.12, 2.7.6).

use alloc::vec::Vec;

use crate::delivery::Update;
use crate::endpoints::Endpoints;
use crate::error::{Fault, UsageError};
use crate::event::Event;
use crate::ids::{DeliveryId, IncomingId, LinkId, OutgoingId, SessionId};
use crate::link::Half;
use crate::protocol::{DeliveryState, Disposition, Role, SenderSettleMode, conditions};
use crate::seq::Seq;
use crate::session::Run;

impl Endpoints {
    // ---- commands ----

    /// Whether a delivery is one of this link.
    pub(crate) fn check_delivery(&self, link: LinkId, id: DeliveryId) -> Result<(), UsageError> {
        let owner = match (id.outgoing(), id.incoming()) {
            (Some(id), _) => self.outgoing.get(id).map(|delivery| delivery.link),
            (_, Some(id)) => self.incoming.get(id).map(|delivery| delivery.link),
            (None, None) => None,
        };
        match owner {
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
        self.check_delivery(link, id)?;
        match (id.outgoing(), id.incoming()) {
            (Some(id), _) => self.dispose_outgoing(id, state, settled),
            (_, Some(id)) => self.dispose_incoming(id, state, settled),
            (None, None) => Err(UsageError::StaleHandle),
        }
    }

    fn dispose_incoming(
        &mut self,
        id: IncomingId,
        state: Option<DeliveryState>,
        settled: bool,
    ) -> Result<(), UsageError> {
        let delivery = self
            .incoming
            .get_mut(id)
            .filter(|delivery| !delivery.done)
            .ok_or(UsageError::StaleHandle)?;
        let (number, remote_settled) = (delivery.number, delivery.remote_settled);
        let session = self
            .links
            .get(delivery.link)
            .ok_or(UsageError::StaleHandle)?
            .session;
        // Before the sender has settled, the outcome may be told but not settled (2.8.3).
        let waits = settled && delivery.settles_second && !remote_settled;
        if waits && state.is_none() {
            let text = "the receiver settles second here: settle with an outcome";
            return Err(UsageError::WrongState(text));
        }
        delivery.done = waits;
        let settled = settled && !waits;
        if !settled {
            delivery.local_state.clone_from(&state);
        }
        // What the sender has settled, it has forgotten: there is nobody to tell.
        if !remote_settled {
            let run = single(Role::Receiver, number, settled, state);
            self.request_dispositions(session, run);
        }
        if settled {
            self.forget_incoming(session, number);
            self.incoming.discard(id);
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
        let (number, remote_settled) = (delivery.number, delivery.remote_settled);
        let link_id = delivery.link;
        let link = self.links.get_mut(link_id).ok_or(UsageError::StaleHandle)?;
        let session_id = link.session;
        if number.is_none() && !settled {
            let text = "none of the delivery was written yet: name the state when sending it";
            return Err(UsageError::WrongState(text));
        }
        if settled {
            if delivery.is_open {
                let text = "the delivery is being written: finish or abort it first";
                return Err(UsageError::WrongState(text));
            }
            let mode = link.config.snd_settle_mode;
            if let Half::Sender(sender) = &mut link.half {
                // Only what was not begun, or is under way now, stands in the queue.
                let waits = (number.is_none() || sender.is_under_way(number))
                    && !remote_settled
                    && sender.settle_when_sent(
                        id,
                        state.clone(),
                        mode != SenderSettleMode::Unsettled,
                    );
                if waits {
                    self.outgoing.discard(id);
                    if let Some(number) = number {
                        self.forget_outgoing(session_id, link_id, number);
                    }
                    return Ok(());
                }
            }
            self.outgoing.discard(id);
        }
        // Before its first transfer the peer does not know of it.
        if let Some(number) = number {
            if !remote_settled {
                let run = single(Role::Sender, number, settled, state);
                self.request_dispositions(session_id, run);
            }
            if settled {
                self.forget_outgoing(session_id, link_id, number);
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
    pub(crate) fn next_update(&mut self, id: LinkId) -> Option<Update> {
        loop {
            let delivery = self.links.get_mut(id)?.updates.pop_front()?;
            let update = match (delivery.outgoing(), delivery.incoming()) {
                (Some(outgoing), _) => self.take_outgoing_update(outgoing),
                (_, Some(incoming)) => self.take_incoming_update(incoming),
                (None, None) => None,
            };
            // A delivery that was settled since it was queued has no update any more.
            if update.is_some() {
                return update;
            }
        }
    }

    fn take_outgoing_update(&mut self, id: OutgoingId) -> Option<Update> {
        let delivery = self.outgoing.get_mut(id)?;
        delivery.update_queued = false;
        let undecided = matches!(
            &delivery.remote_state,
            None | Some(DeliveryState::Received(_))
        );
        if delivery.remote_settled && undecided {
            let source = self
                .links
                .get(delivery.link)
                .map(|link| &link.config.source);
            if let Some(Some(source)) = source
                && source.default_outcome.is_some()
            {
                delivery.remote_state.clone_from(&source.default_outcome);
            }
        }
        let update = Update {
            delivery: id.into(),
            tag: delivery.tag,
            state: delivery.remote_state.clone(),
            settled: delivery.remote_settled,
        };
        // While it is being written it needs its name.
        if update.settled && !delivery.is_open {
            self.outgoing.discard(id);
        }
        Some(update)
    }

    fn take_incoming_update(&mut self, id: IncomingId) -> Option<Update> {
        let delivery = self.incoming.get_mut(id)?;
        delivery.update_queued = false;
        let update = Update {
            delivery: id.into(),
            tag: delivery.tag,
            state: delivery.remote_state.clone(),
            settled: delivery.remote_settled,
        };
        if update.settled {
            self.incoming.discard(id);
        }
        Some(update)
    }

    // ---- frames in ----

    pub(crate) fn on_disposition(
        &mut self,
        channel: u16,
        disposition: &Disposition,
    ) -> Result<(), Fault> {
        let Some(session) = self.session_on(channel, "disposition")? else {
            return Ok(());
        };
        let first = Seq(disposition.first);
        let last = Seq(disposition.last.unwrap_or(disposition.first));
        if last.precedes(first) {
            let text = "a disposition's last delivery precedes its first";
            return Err(Fault::session(session, conditions::INVALID_FIELD, text));
        }
        let (state, settled) = (disposition.state.as_ref(), disposition.settled);
        let mut from = first;
        // Walks what is live in the range, not the range.
        match disposition.role {
            Role::Receiver => {
                while let Some((number, id)) = self
                    .sessions
                    .get(session)
                    .and_then(|session| session.outgoing.next_in(from, last))
                {
                    self.update_outgoing(session, number, id, state, settled);
                    if number == last {
                        break;
                    }
                    from = number.next();
                }
            }
            Role::Sender => {
                while let Some((number, id)) = self
                    .sessions
                    .get(session)
                    .and_then(|session| session.incoming.next_in(from, last))
                {
                    self.update_incoming(session, number, id, state, settled);
                    if number == last {
                        break;
                    }
                    from = number.next();
                }
            }
        }
        Ok(())
    }

    fn update_outgoing(
        &mut self,
        session: SessionId,
        number: Seq,
        id: OutgoingId,
        state: Option<&DeliveryState>,
        settled: bool,
    ) {
        let Some(delivery) = self.outgoing.get_mut(id) else {
            return;
        };
        if let Some(state) = state {
            delivery.remote_state = Some(state.clone());
        }
        delivery.remote_settled |= settled;
        let link = delivery.link;
        let fresh = !core::mem::replace(&mut delivery.update_queued, true);
        if settled {
            self.forget_outgoing(session, link, number);
        }
        if fresh {
            self.queue_update(link, id.into());
        }
    }

    fn update_incoming(
        &mut self,
        session: SessionId,
        number: Seq,
        id: IncomingId,
        state: Option<&DeliveryState>,
        settled: bool,
    ) {
        let Some(delivery) = self.incoming.get_mut(id) else {
            return;
        };
        if delivery.done {
            // The caller said its last word; what is left is to forget it in time.
            if settled {
                self.forget_incoming(session, number);
            }
            return;
        }
        if let Some(state) = state {
            delivery.remote_state = Some(state.clone());
        }
        delivery.remote_settled |= settled;
        let link = delivery.link;
        let fresh = !core::mem::replace(&mut delivery.update_queued, true);
        if settled
            && let Some(session) = self.sessions.get_mut(session)
            && session.incoming.remove(number).is_some()
        {
            self.count_settled(link);
        }
        if fresh {
            self.queue_update(link, id.into());
        }
    }

    fn queue_update(&mut self, link: LinkId, delivery: DeliveryId) {
        if let Some(entry) = self.links.get_mut(link) {
            entry.updates.push_back(delivery);
        }
        self.post(Event::Updates(link));
    }

    // ---- endings ----

    /// Forgets an incoming delivery that nobody needs to be told of.
    pub(crate) fn forget_incoming(&mut self, session: SessionId, number: Seq) {
        if let Some(session) = self.sessions.get_mut(session)
            && let Some(id) = session.incoming.remove(number)
        {
            let link = self.incoming.get(id).map(|delivery| delivery.link);
            self.incoming.discard(id);
            if let Some(link) = link {
                self.count_settled(link);
            }
        }
    }

    /// An outgoing delivery is settled: its session need not find it any more.
    pub(crate) fn forget_outgoing(&mut self, session: SessionId, link: LinkId, number: Seq) {
        if let Some(session) = self.sessions.get_mut(session)
            && session.outgoing.remove(number).is_some()
        {
            self.count_settled(link);
        }
    }

    /// One unsettled delivery less: a link that is closing may have waited for it.
    fn count_settled(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id) {
            link.unsettled = link.unsettled.saturating_sub(1);
            if link.unsettled == 0 {
                self.go_on_closing(id);
            }
        }
    }

    /// Frees whatever a link that ended still had.
    pub(crate) fn free_deliveries_of(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        for update in core::mem::take(&mut link.updates) {
            // Settled ones are remembered by nothing but the list of updates.
            match (update.outgoing(), update.incoming()) {
                (Some(outgoing), _) => self.outgoing.discard(outgoing),
                (_, Some(incoming)) => self.incoming.discard(incoming),
                (None, None) => {}
            }
        }
        let Some(session) = self.sessions.get_mut(link.session) else {
            return;
        };
        let outgoing: Vec<OutgoingId> = session.outgoing.iter().collect();
        for delivery in outgoing {
            let of_link = self.outgoing.get(delivery).filter(|d| d.link == id);
            if let Some(number) = of_link.and_then(|delivery| delivery.number) {
                session.outgoing.remove(number);
                self.outgoing.discard(delivery);
            }
        }
        let incoming: Vec<IncomingId> = session.incoming.iter().collect();
        for delivery in incoming {
            if let Some(number) = self
                .incoming
                .get(delivery)
                .filter(|delivery| delivery.link == id)
                .map(|delivery| delivery.number)
            {
                session.incoming.remove(number);
                self.incoming.discard(delivery);
            }
        }
    }
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

const fn single(role: Role, number: Seq, settled: bool, state: Option<DeliveryState>) -> Run {
    Run {
        role,
        first: number,
        last: number,
        settled,
        state,
    }
}
