//! The receiving side: deliveries of before wait for the sender to resume them, or to be settled by its silence (2.6.13).

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::delivery::{Delivery, Payload};
use crate::endpoints::Endpoints;
use crate::error::Fault;
use crate::ids::{DeliveryId, IncomingId, LinkId, SessionId};
use crate::link::{Half, Held, Partial, ReceiverHalf};
use crate::message::position::octet_at;
use crate::protocol::{DeliveryState, Role, Tag, Transfer, conditions};
use crate::recovery::Recovery;
use crate::recovery::map::Remembered;
use crate::seq::Seq;
use crate::session::Run;

/// A delivery that this side remembers, and that the sender has not resumed yet.
#[derive(Clone, Debug)]
pub(crate) struct Awaited {
    pub(crate) id: IncomingId,
    /// What arrived and was not handed over; `None` if all was.
    pub(crate) payload: Option<Payload>,
    pub(crate) complete: bool,
}

/// A delivery that is under way, and of which nothing is wanted.
#[derive(Debug)]
pub(crate) struct Passing {
    number: Seq,
    /// `None` for one that this side knows nothing of.
    delivery: Option<IncomingId>,
}

impl ReceiverHalf {
    pub(crate) fn await_resumption(&mut self, tag: Tag, awaited: Awaited) {
        self.awaiting.insert(tag, awaited);
    }

    /// What of a delivery is here from before, while it is not resumed.
    pub(crate) fn awaited(&self, tag: &Tag, id: DeliveryId) -> Option<&Awaited> {
        self.awaiting
            .get(tag)
            .filter(|awaited| DeliveryId::from(awaited.id) == id)
    }
}

impl Endpoints {
    /// The sender told what it remembers. What it does not, it has settled.
    pub(super) fn await_sender(
        &mut self,
        id: LinkId,
        remembered: &Remembered,
        report: &mut Recovery,
    ) {
        let Some(link) = self.links.get(id) else {
            return;
        };
        let Half::Receiver(half) = &link.half else {
            return;
        };
        let mut settled = Vec::new();
        for delivery in link.deliveries.iter() {
            let Some(known) = self.known(delivery) else {
                continue;
            };
            if half.awaited(&known.tag(), delivery).is_none() {
                continue;
            }
            if remembered.contains_key(&known.tag()) {
                report.resumed += 1;
            } else if report.complete {
                report.settled += 1;
                settled.push(known.tag());
            }
        }
        for tag in settled {
            self.settle_by_silence(id, tag);
        }
    }

    /// The sender has settled a delivery of before without telling it so.
    pub(crate) fn settle_by_silence(&mut self, id: LinkId, tag: Tag) {
        if let Some(link) = self.links.get_mut(id)
            && let Half::Receiver(half) = &mut link.half
            && let Some(awaited) = half.awaiting.remove(&tag)
        {
            self.settle_awaited(id, tag, awaited);
            self.go_on_closing(id);
        }
    }

    pub(super) fn settle_awaited(&mut self, id: LinkId, tag: Tag, awaited: Awaited) {
        let (Some(payload), true) = (&awaited.payload, awaited.complete) else {
            self.drop_awaited(id, tag, &awaited, None);
            return;
        };
        let payload = payload.clone();
        let Some(mut incoming) = self.incoming.remove(awaited.id) else {
            return;
        };
        if incoming.done {
            return;
        }
        // All of it is here, so it is the application's, and there is nothing left to settle.
        let held = Held {
            transfers: 0,
            octets: payload.len() as u64,
        };
        let delivery = Delivery {
            id: None,
            tag,
            message_format: incoming.known.format,
            state: incoming.known.take_remote_state().map(Box::new),
            batchable: false,
            payload,
            aborted: false,
        };
        self.hold_for(id, held);
        self.complete(id, delivery, held);
    }

    /// The rest of a delivery of before will never come, or nothing more is wanted of it.
    fn drop_awaited(
        &mut self,
        id: LinkId,
        tag: Tag,
        awaited: &Awaited,
        state: Option<DeliveryState>,
    ) {
        let Some(incoming) = self.incoming.get(awaited.id) else {
            return;
        };
        let (format, was_read) = (incoming.known.format, incoming.read() > 0);
        if awaited.payload.is_none() && !incoming.done {
            self.tell(awaited.id.into(), state, true);
            return;
        }
        let done = incoming.done;
        self.incoming.discard(awaited.id);
        if was_read && !done {
            self.complete_aborted(id, tag, format);
        }
    }

    /// The first transfer of a delivery that began on another endpoint of the link.
    pub(crate) fn resumed_transfer(
        &mut self,
        session_id: SessionId,
        id: LinkId,
        number: Seq,
        tag: Tag,
        transfer: &Transfer,
        payload: Bytes,
    ) -> Result<(), Fault> {
        let Some(link) = self.links.get(id) else {
            return Ok(());
        };
        let Half::Receiver(half) = &link.half else {
            return Ok(());
        };
        let Some(awaited) = half.awaiting.get(&tag).cloned() else {
            // A sender may resume before it knows what we remember: then this is nothing to us (2.6.13).
            self.let_pass(id, number, None, transfer);
            return Ok(());
        };
        self.check_state_room(id, transfer.state.as_ref())?;
        if transfer.aborted {
            self.stop_awaiting(id, tag);
            self.drop_awaited(id, tag, &awaited, transfer.state.clone());
            self.came_to_nothing(id);
            return Ok(());
        }
        // Everything is checked before anything is changed: what a broken transfer resumes can be resumed again.
        let said = transfer
            .rcv_settle_mode
            .filter(|_| transfer.settled != Some(true));
        let settles_second = self.settles_second(id, said)?;
        let Some(incoming) = self.incoming.get(awaited.id) else {
            return Ok(());
        };
        let (read, done) = (incoming.read(), incoming.done);
        let format = transfer.message_format.unwrap_or(incoming.known.format);
        let held = awaited
            .payload
            .clone()
            .filter(|_| !done)
            .map(Payload::into_bytes);
        let start = match &held {
            Some(octets) => resumes_at(transfer, octets, format, read).ok_or_else(|| {
                let text = "a delivery is resumed behind what has arrived of it";
                Fault::link(id, conditions::INVALID_FIELD, text)
            })?,
            None => 0,
        };
        self.number_incoming(session_id, awaited.id, number)?;
        self.stop_awaiting(id, tag);
        if let Some(link) = self.links.get_mut(id) {
            link.unsettled += 1;
        }
        if let Some(incoming) = self.incoming.get_mut(awaited.id) {
            incoming.known.set_number(number);
            incoming.settles_second = settles_second;
            incoming.known.format = format;
        }
        let Some(octets) = held else {
            self.take_word(session_id, awaited.id, number, transfer);
            self.let_pass(id, number, Some(awaited.id), transfer);
            return Ok(());
        };
        let have = read.saturating_add(octets.len() as u64);
        // A sender that tells an outcome sends no payload: what is here is all there is.
        let outcome_only = payload.is_empty() && !transfer.more && tells_outcome(transfer);
        if outcome_only && !awaited.complete {
            // The rest will not come. The sender's word counts, and the sender waits to hear that it was heard.
            if transfer.settled != Some(true) {
                let echo = say(number, true, transfer.state.as_ref().map(echo));
                self.request_dispositions(session_id, echo);
            }
            self.forget_incoming(session_id, Some(number));
            if read > 0 {
                self.complete_aborted(id, tag, format);
            }
            self.came_to_nothing(id);
            return Ok(());
        }
        let skip = if outcome_only { 0 } else { have - start };
        let partial = Partial::resumed(awaited.id, number, tag, format, octets.into(), have, skip);
        self.go_on_with(session_id, id, partial, transfer, payload)
    }

    /// A transfer of a delivery of which nothing is wanted.
    pub(crate) fn passing_transfer(
        &mut self,
        session_id: SessionId,
        id: LinkId,
        passing: &Passing,
        transfer: &Transfer,
    ) -> Result<(), Fault> {
        if transfer.delivery_id.is_some_and(|n| n != passing.number.0) {
            let text = "a delivery began before the one before it on the link was complete";
            return Err(Fault::link(id, conditions::INVALID_FIELD, text));
        }
        if let Some(delivery) = passing.delivery
            && (transfer.aborted || transfer.settled == Some(true))
        {
            self.hear_of_received(session_id, passing.number, delivery, None, None, true);
        }
        self.let_pass(id, passing.number, passing.delivery, transfer);
        Ok(())
    }

    fn let_pass(
        &mut self,
        id: LinkId,
        number: Seq,
        delivery: Option<IncomingId>,
        transfer: &Transfer,
    ) {
        if transfer.more && !transfer.aborted {
            if let Some(link) = self.links.get_mut(id)
                && let Half::Receiver(half) = &mut link.half
            {
                half.passing = Some(Box::new(Passing { number, delivery }));
            }
        } else {
            self.came_to_nothing(id);
        }
    }

    fn stop_awaiting(&mut self, id: LinkId, tag: Tag) {
        if let Some(link) = self.links.get_mut(id)
            && let Half::Receiver(half) = &mut link.half
        {
            half.awaiting.remove(&tag);
        }
    }

    /// The sender resumed a delivery that the application has: each side tells the other its last word.
    fn take_word(&mut self, session: SessionId, id: IncomingId, number: Seq, transfer: &Transfer) {
        let theirs = transfer.state.clone().filter(|_| tells_outcome(transfer));
        let (theirs, charge) = theirs.map(|state| self.weigh(&state)).unzip();
        let (theirs, charge) = (theirs.as_ref(), charge.flatten());
        if transfer.settled == Some(true) {
            self.hear_of_received(session, number, id, theirs, charge.as_ref(), true);
            return;
        }
        let Some(incoming) = self.incoming.get_mut(id) else {
            return;
        };
        let ours = incoming.known.local_state().cloned().filter(is_told);
        match (&ours, theirs) {
            // The outcome takes effect at the sender, so its word counts (3.4.6, the 13th example).
            (Some(ours), Some(theirs)) if !is_same_outcome(ours, theirs) => {
                incoming.done = false;
                self.request_dispositions(session, say(number, true, Some(echo(theirs))));
                self.hear_of_received(session, number, id, Some(theirs), charge.as_ref(), true);
            }
            // Where there is no outcome, the sender has none to confirm, whoever is to settle first.
            _ if incoming.done && (!incoming.settles_second || ours.is_none()) => {
                self.request_dispositions(session, say(number, true, ours));
                self.forget_incoming(session, Some(number));
            }
            (Some(_), None) => self.request_dispositions(session, say(number, false, ours)),
            (None, Some(_)) => {
                self.hear_of_received(session, number, id, theirs, charge.as_ref(), false);
            }
            _ => {}
        }
    }
}

const fn say(number: Seq, settled: bool, state: Option<DeliveryState>) -> Run {
    Run {
        role: Role::Receiver,
        first: number,
        last: number,
        settled,
        state,
    }
}

/// Whether two sides have the same outcome: one may have had no room, or no frame, for the details.
fn is_same_outcome(ours: &DeliveryState, theirs: &DeliveryState) -> bool {
    ours == theirs || ours.clone().without_details() == theirs.clone().without_details()
}

/// A sender's own outcome, as it is told that it was heard: its details are not kept until that is written.
fn echo(state: &DeliveryState) -> DeliveryState {
    state.clone().without_details().detached()
}

/// Whether a state is one to be told to the sender in a disposition.
const fn is_told(state: &DeliveryState) -> bool {
    !matches!(state, DeliveryState::Received(_))
}

/// Whether the transfer names a state other than where it begins.
fn tells_outcome(transfer: &Transfer) -> bool {
    transfer.state.as_ref().is_some_and(is_told)
}

/// Which octet of the delivery the payload of its first resumed transfer begins with; `None` if that is behind what has
/// arrived, or cannot be told as the application has `read` what was before.
fn resumes_at(transfer: &Transfer, octets: &Bytes, format: u32, read: u64) -> Option<u64> {
    match &transfer.state {
        Some(DeliveryState::Received(point)) if point.is_start() => Some(0),
        Some(DeliveryState::Received(_)) if read > 0 => None,
        Some(DeliveryState::Received(point)) => {
            octet_at(octets, format, point).map(|octet| octet as u64)
        }
        _ => Some(0),
    }
}
