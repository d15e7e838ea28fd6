//! The sending side: what becomes of each delivery that was not settled before (3.4.6).

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::delivery::{Counted, NO_ROOM, Payload, counted_of};
use crate::endpoints::Endpoints;
use crate::ids::{LinkId, OutgoingId};
use crate::link::{After, Resumes, Sending};
use crate::message::position::octet_at;
use crate::protocol::{Condition, DeliveryState, Received, SenderSettleMode, Tag, conditions};
use crate::recovery::Recovery;
use crate::recovery::map::Remembered;
use crate::recovery::table::{Step, step};

/// An outgoing delivery of before.
struct Earlier {
    id: OutgoingId,
    link: LinkId,
    tag: Tag,
    format: u32,
    local: Option<DeliveryState>,
    /// The outcome at the receiver that was heard of before.
    heard: Option<DeliveryState>,
    /// What can be sent again.
    payload: Option<Payload>,
    is_open: bool,
}

impl Endpoints {
    /// Plans the transfers that resume what both sides remember, or send again what the receiver does not. They stand
    /// in the queue before anything new. The error is what is wrong with what the peer remembers.
    pub(super) fn resume_sending(
        &mut self,
        id: LinkId,
        remembered: Remembered,
        report: &mut Recovery,
    ) -> Result<(), Condition> {
        let mut remembered = self.fit(remembered)?;
        for delivery in self.earlier(id) {
            let theirs = remembered.remove(&delivery.tag);
            let octets = delivery.payload.clone().map(Payload::into_bytes);
            let at = |point: &Received| octet_at(octets.as_ref()?, delivery.format, point);
            let lacks = |theirs: &Received, ours: &Received| match (at(theirs), at(ours)) {
                (Some(theirs), Some(ours)) => theirs < ours,
                _ => theirs.key() < ours.key(),
            };
            let found = step(
                delivery.local.as_ref(),
                theirs.as_ref().map(Option::as_ref),
                lacks,
            );
            if theirs.is_some() {
                report.resumed += 1;
            }
            match found {
                Step::SendAgain => self.send_again(&delivery, report),
                Step::Resume(point) => {
                    let start = match (point, &octets) {
                        (Some(point), Some(_)) => at(point).ok_or_else(beyond)?,
                        _ => 0,
                    };
                    match octets {
                        Some(octets) => {
                            let state = point.map(|point| {
                                let state = DeliveryState::Received(Box::new(point.clone()));
                                Counted::new(state, None)
                            });
                            let mut sending = delivery.sending(octets.slice(start..).into());
                            sending.written = octets.len() as u64;
                            sending.open = delivery.is_open.then_some(delivery.id);
                            sending.resumes = Some(Resumes::boxed(state));
                            self.enqueue(id, sending);
                        }
                        None => self.call_off_and_send_again(&delivery, report),
                    }
                }
                Step::Answer(state) => {
                    self.close_writing(&delivery);
                    let (state, charge) = self.weigh(state);
                    self.tell_state(&delivery, Counted::new(state.clone(), charge.as_ref()));
                    self.tell(delivery.id.into(), Some(state), false);
                }
                Step::AbortAndSendAgain => self.call_off_and_send_again(&delivery, report),
                Step::Forget(outcome) => {
                    // Nothing new may be concluded while one side has not told all.
                    if report.complete {
                        report.settled += 1;
                        self.conclude(&delivery, Some(outcome.clone()));
                    }
                }
                Step::Abort(outcome) => {
                    self.call_off(&delivery, report);
                    self.conclude(&delivery, Some(outcome.clone()));
                }
                Step::Settle(outcome) => {
                    report.settled += 1;
                    self.settle_again(&delivery, outcome);
                    self.conclude(&delivery, Some(outcome.clone()));
                }
                Step::Restate(outcome) => {
                    self.close_writing(&delivery);
                    self.tell_state(&delivery, Counted::new(outcome.clone(), None));
                }
            }
        }
        Ok(())
    }

    /// What of the peer's states there is room for beside the attach that told them, as each is kept until the caller asks for
    /// it, and once more until it was said again: all of it, or all without the details, or it is refused before anything is
    /// done about it.
    fn fit(&self, remembered: Remembered) -> Result<Remembered, Condition> {
        let sum = |states: &Remembered| {
            let counted = states.values().flatten().map(counted_of);
            counted.fold(0, u64::saturating_add)
        };
        if self.has_room(sum(&remembered).saturating_mul(2)) {
            return Ok(remembered);
        }
        let bare = |state: Option<DeliveryState>| state.map(DeliveryState::without_details);
        let entries = remembered.into_iter();
        let bare: Remembered = entries.map(|(tag, state)| (tag, bare(state))).collect();
        if self.has_room(sum(&bare).saturating_mul(2)) {
            return Ok(bare);
        }
        let condition = conditions::RESOURCE_LIMIT_EXCEEDED;
        Err(Condition::with_description(condition, NO_ROOM))
    }

    fn earlier(&self, id: LinkId) -> Vec<Earlier> {
        let Some(link) = self.links.get(id) else {
            return Vec::new();
        };
        let earlier = |id: OutgoingId| {
            let sent = self.outgoing.get(id)?;
            let known = &sent.known;
            if known.remote_settled || known.number().is_some() {
                return None;
            }
            let local = known.local_state().cloned();
            // The work of a transaction is not done again outside of it.
            let is_repeatable = !matches!(local, Some(DeliveryState::Transactional(_)));
            let is_outcome = |state: &&DeliveryState| state.is_outcome();
            Some(Earlier {
                id,
                link: known.link,
                tag: known.tag(),
                format: known.format,
                local,
                heard: known.remote_state().filter(is_outcome).cloned(),
                payload: sent.payload().filter(|_| is_repeatable).cloned(),
                is_open: sent.is_open(),
            })
        };
        let ids = link.deliveries.iter().filter_map(|id| id.outgoing());
        ids.filter_map(earlier).collect()
    }

    /// The receiver has nothing of it.
    fn send_again(&mut self, delivery: &Earlier, report: &mut Recovery) {
        // Only when both sides have told all may it be sent as new (2.6.13).
        if !report.complete {
            return;
        }
        // A receiver that told an outcome and forgot the delivery since has settled it.
        if delivery.heard.is_some() {
            report.settled += 1;
            self.conclude(delivery, None);
            return;
        }
        let Some(payload) = delivery.payload.clone() else {
            report.lost += 1;
            // How far it had come at the receiver says nothing any more.
            if let Some(sent) = self.outgoing.get_mut(delivery.id) {
                sent.known.take_remote_state();
            }
            self.conclude(delivery, None);
            return;
        };
        report.sent_again += 1;
        let mut sending = delivery.sending(payload);
        sending.open = delivery.is_open.then_some(delivery.id);
        self.enqueue(delivery.link, sending);
    }

    /// A transfer without payload gives the delivery an id again, and says what became of it: of what the peer told itself,
    /// all that there is room for, as it compares that with what it has.
    fn tell_state(&mut self, delivery: &Earlier, state: Counted) {
        let mut sending = delivery.sending(Payload::default());
        sending.resumes = Some(Resumes::boxed(Some(state)));
        self.enqueue(delivery.link, sending);
    }

    /// The receiver will not get the rest. An aborted delivery counts as settled (2.7.5).
    fn call_off(&mut self, delivery: &Earlier, report: &mut Recovery) {
        report.aborted += 1;
        let mut sending = delivery.sending(Payload::default());
        sending.delivery = None;
        sending.aborted = true;
        sending.resumes = Some(Resumes::boxed(None));
        self.enqueue(delivery.link, sending);
    }

    fn call_off_and_send_again(&mut self, delivery: &Earlier, report: &mut Recovery) {
        self.call_off(delivery, report);
        self.send_again(delivery, report);
    }

    /// Both sides know the outcome: the transfer says so, and that is the end of it.
    fn settle_again(&mut self, delivery: &Earlier, outcome: &DeliveryState) {
        let mode = self
            .links
            .get(delivery.link)
            .map(|link| link.terms.snd_settle_mode);
        let mut sending = delivery.sending(Payload::default());
        sending.delivery = None;
        let mut resumes = Resumes::boxed(Some(Counted::new(outcome.clone(), None)));
        if mode == Some(SenderSettleMode::Unsettled) {
            resumes.unsettled = true;
            sending.after = After::Settle(Some(outcome.clone()));
        }
        sending.resumes = Some(resumes);
        self.enqueue(delivery.link, sending);
    }

    /// It is over: the application is told, and has nothing left to do.
    fn conclude(&mut self, delivery: &Earlier, outcome: Option<DeliveryState>) {
        self.close_writing(delivery);
        self.tell(delivery.id.into(), outcome, true);
    }

    /// What is decided needs not be written to the end.
    fn close_writing(&mut self, delivery: &Earlier) {
        if let Some(sent) = self.outgoing.get_mut(delivery.id) {
            sent.close();
        }
    }
}

fn beyond() -> Condition {
    let text = "unsettled tells of more octets received than the delivery has";
    Condition::with_description(conditions::INVALID_FIELD, text)
}

impl Earlier {
    fn sending(&self, payload: Payload) -> Sending {
        Sending::new(Some(self.id), self.tag, self.format, payload)
    }
}

impl Received {
    /// In the order of a message's octets, as far as can be told without the message.
    const fn key(&self) -> (u32, u64) {
        (self.section_number, self.section_offset)
    }
}
