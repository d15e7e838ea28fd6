//! The sending half of a link: what waits to be transferred.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::config::SendOptions;
use crate::control::Control;
use crate::delivery::{
    Counted, Known, Outgoing, OutgoingMore, Payload, check_sender_state, is_live, state_to_keep,
};
use crate::endpoints::{Endpoints, Phase};
use crate::error::{SendError, UsageError};
use crate::ids::{DeliveryId, LinkId, OutgoingId};
use crate::link::{Half, Link, RareMap, SenderCredit};
use crate::protocol::{DeliveryState, MAX_TAG, SenderSettleMode, Tag};
use crate::recovery::Resuming;
use crate::seq::Seq;

/// A delivery that is not wholly transferred yet.
#[derive(Debug)]
pub(crate) struct Sending {
    /// `None` for a delivery that is settled by being sent.
    pub(crate) delivery: Option<OutgoingId>,
    pub(crate) tag: Tag,
    pub(crate) format: u32,
    /// What each of its transfers says of its state.
    pub(crate) state: Option<DeliveryState>,
    pub(crate) batchable: bool,
    /// What is still to be written, and how many octets that is.
    pub(crate) payload: Payload,
    pub(crate) remaining: usize,
    /// Octets that were handed over so far, for one that is written in pieces.
    pub(crate) written: u64,
    /// The caller is still writing it, under this id.
    pub(crate) open: Option<OutgoingId>,
    /// The caller took it back after the peer heard of it.
    pub(crate) aborted: bool,
    /// The delivery-id, once the first transfer was written.
    pub(crate) number: Option<Seq>,
    pub(crate) after: After,
    /// It was begun on another endpoint of the link, and goes on here.
    pub(crate) resumes: Option<Box<Resumes>>,
}

/// What the first transfer of a resumed delivery says (2.6.13).
#[derive(Debug)]
pub(crate) struct Resumes {
    /// Counted as what a peer told, as it may be the peer's own word that is said again.
    pub(crate) state: Option<Counted>,
    /// Settle by a disposition of its own: the link's mode forbids settled transfers.
    pub(crate) unsettled: bool,
}

impl Resumes {
    pub(crate) fn boxed(state: Option<Counted>) -> Box<Self> {
        Box::new(Self {
            state,
            unsettled: false,
        })
    }
}

/// What is to be told once a delivery was wholly sent.
#[derive(Debug)]
pub(crate) enum After {
    Nothing,
    /// That it is settled, in this state.
    Settle(Option<DeliveryState>),
}

impl Sending {
    /// All of a delivery, of which nothing is said but the payload.
    pub(crate) fn new(
        delivery: Option<OutgoingId>,
        tag: Tag,
        format: u32,
        payload: Payload,
    ) -> Self {
        let remaining = payload.len();
        Self {
            delivery,
            tag,
            format,
            state: None,
            batchable: false,
            payload,
            remaining,
            written: remaining as u64,
            open: None,
            aborted: false,
            number: None,
            after: After::Nothing,
            resumes: None,
        }
    }

    /// Whether it goes in one transfer with so many octets of payload, of which nothing is to be said that is rare.
    #[inline]
    pub(crate) const fn is_plain(&self, octets: usize) -> bool {
        self.number.is_none()
            && self.state.is_none()
            && self.remaining <= octets
            && self.open.is_none()
            && !self.aborted
            && self.resumes.is_none()
            && matches!(self.after, After::Nothing)
    }

    /// Whether there is a transfer to be written: something is left, or the end is to be told.
    pub(crate) const fn has_transfer(&self) -> bool {
        self.remaining > 0 || self.open.is_none()
    }
}

#[derive(Debug)]
pub(crate) struct SenderHalf {
    pub(crate) credit: SenderCredit,
    pub(crate) queue: VecDeque<Sending>,
    /// What the caller settled before its turn came, and in which state. Nothing is in it that began.
    pub(crate) settled: RareMap<OutgoingId, Option<DeliveryState>>,
    /// Octets of the queue that have not been encoded.
    pub(crate) queued_octets: usize,
    /// Whether the link stands in its session's line.
    pub(crate) scheduled: bool,
    pub(crate) drain_when_idle: bool,
}

impl SenderHalf {
    pub(crate) const fn new(initial_count: Seq) -> Self {
        Self {
            credit: SenderCredit::new(initial_count),
            queue: VecDeque::new(),
            settled: RareMap::new(),
            queued_octets: 0,
            scheduled: false,
            drain_when_idle: false,
        }
    }

    /// Deliveries that wait for their first transfer or are in the middle of it.
    pub(crate) fn queued(&self) -> u32 {
        u32::try_from(self.queue.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn is_busy(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Credit that is not spoken for by what waits already.
    pub(crate) fn free_credit(&self) -> u32 {
        let started = self
            .queue
            .front()
            .is_some_and(|sending| sending.number.is_some());
        let waiting = self.queued() - u32::from(started);
        self.credit.credit().saturating_sub(waiting)
    }

    /// Whether the next transfer of this link needs nothing but the session's window.
    fn can_go_on(&self) -> bool {
        self.queue.front().is_some_and(|sending| {
            let has_credit = sending.number.is_some() || self.credit.credit() > 0;
            has_credit && sending.has_transfer()
        })
    }

    /// Whether a transfer can still leave by what was granted: what waits for more credit cannot.
    pub(crate) fn can_still_send(&self) -> bool {
        self.queue
            .front()
            .is_some_and(|sending| sending.number.is_some() || self.credit.credit() > 0)
    }

    /// The delivery that the caller is still writing, if it is this one.
    fn open_mut(&mut self, id: OutgoingId) -> Option<&mut Sending> {
        // Whatever was sent after it waits behind it, so it may stand anywhere in the queue.
        let at = self.place(|sending| sending.open == Some(id))?;
        self.queue.get_mut(at)
    }

    /// Where in the queue a delivery stands. It is most often the first or one of the last.
    fn place(&self, is_it: impl Fn(&Sending) -> bool) -> Option<usize> {
        if self.queue.front().is_some_and(&is_it) {
            return Some(0);
        }
        self.queue.iter().rposition(is_it)
    }

    /// Empties the queue. Answers what is known of it by name, and whether the peer may know it too.
    pub(crate) fn drop_queue(&mut self) -> Vec<(OutgoingId, bool)> {
        self.queued_octets = 0;
        self.settled.clear();
        self.queue
            .drain(..)
            .filter_map(|sending| {
                let known = sending.number.is_some() && sending.delivery.is_some();
                Some((sending.delivery.or(sending.open)?, known))
            })
            .collect()
    }

    /// The caller settles a delivery. One that is not wholly sent is settled once it is, so that its
    /// transfers do not say now this and now that; `false` if there is nothing to wait for.
    ///
    /// Many may be settled that wait, as when a link is resumed: none is looked for in the queue.
    pub(crate) fn settle_when_sent(
        &mut self,
        id: OutgoingId,
        number: Option<Seq>,
        state: Option<DeliveryState>,
    ) -> bool {
        match self.queue.front_mut() {
            Some(first) if number.is_some() && first.number == number => {
                first.after = After::Settle(state);
                true
            }
            Some(_) if number.is_none() => {
                self.settled.insert(id, state);
                true
            }
            _ => false,
        }
    }

    /// The first of the queue was wholly sent.
    pub(crate) fn pop_sent(&mut self) -> Option<Sending> {
        let sent = self.queue.pop_front();
        if self.queue.is_empty() {
            self.settled.clear();
        }
        sent
    }
}

impl Link {
    /// Whether a message that is settled or not, and of this size, is one that this link takes.
    /// [`check_send`](Endpoints::check_send) says what is wrong with another.
    #[inline]
    pub(crate) fn takes(&self, settled: bool, size: u64) -> bool {
        let refused = if settled {
            SenderSettleMode::Unsettled
        } else {
            SenderSettleMode::Settled
        };
        let resuming = self.resuming.as_deref();
        self.is_attached()
            && !self.is_closing()
            && !resuming.is_some_and(Resuming::is_in_parts)
            && self.terms.snd_settle_mode != refused
            && size <= self.terms.remote_largest
    }
}

impl Endpoints {
    /// Whether a delivery that was sent has not wholly left.
    pub(crate) fn is_queued(&self, id: DeliveryId) -> Result<bool, UsageError> {
        let known = self.known(id).ok_or(UsageError::StaleHandle)?;
        let link = self.links.get(known.link).ok_or(UsageError::StaleHandle)?;
        let Half::Sender(sender) = &link.half else {
            let expected = "a delivery that was sent";
            return Err(UsageError::WrongKind { expected });
        };
        // What waits has no number yet, and only the first of the queue can be under way.
        let mut first = sender.queue.front().into_iter();
        Ok(known.number().is_none() || first.any(|sending| sending.number == known.number()))
    }

    /// What `send` needs to be true: the link is a sender's, attached, in this mode, with credit.
    /// Answers whether the link keeps what it sends until that is settled.
    pub(crate) fn check_send(
        &self,
        id: LinkId,
        size: usize,
        tag: &[u8],
        options: &SendOptions,
    ) -> Result<bool, SendError> {
        let link = self.links.get(id).ok_or(UsageError::StaleHandle)?;
        let Half::Sender(sender) = &link.half else {
            return Err(UsageError::WrongKind {
                expected: "a sender",
            }
            .into());
        };
        if !link.is_attached() {
            return Err(UsageError::WrongState("the link is not attached on both sides").into());
        }
        if link.is_closing() {
            return Err(UsageError::WrongState("the link is being closed").into());
        }
        if link
            .resuming
            .as_ref()
            .is_some_and(|resuming| resuming.is_in_parts())
        {
            let text = "the link was resumed in part: settle what it resumed, detach it, and resume it again";
            return Err(UsageError::WrongState(text).into());
        }
        let session = self.sessions.get(link.session);
        let session = session.ok_or(UsageError::StaleHandle)?;
        if session.local != Phase::Open {
            return Err(session.refusal().into());
        }
        self.connection.check_usable()?;
        check_sender_state(options.state.as_ref())?;
        match (link.terms.snd_settle_mode, options.settled) {
            (SenderSettleMode::Settled, false) => {
                return Err(SendError::SettleMode { mode: "settled" });
            }
            (SenderSettleMode::Unsettled, true) => {
                return Err(SendError::SettleMode { mode: "unsettled" });
            }
            _ => {}
        }
        if tag.len() > MAX_TAG {
            return Err(SendError::TagTooLong(tag.len()));
        }
        let size = size as u64;
        let limit = link.terms.remote_largest;
        if size > limit {
            return Err(SendError::MessageTooLarge { size, limit });
        }
        if sender.free_credit() == 0 {
            return Err(SendError::NoCredit);
        }
        Ok(link.keeps_deliveries())
    }

    /// Remembers an outgoing delivery, of which nothing is written yet, until it is settled.
    pub(crate) fn remember(&mut self, link: LinkId, tag: &Tag, format: u32) -> OutgoingId {
        let known = Known::new(link, None, format).with_tag(tag);
        let id = self.outgoing.insert(Outgoing::new(known));
        if let Some(link) = self.links.get_mut(link) {
            let live = is_live(&self.outgoing, &self.incoming);
            link.deliveries.push(id.into(), live);
        }
        id
    }

    pub(crate) fn enqueue(&mut self, id: LinkId, sending: Sending) -> Option<DeliveryId> {
        let delivery = sending.delivery.map(DeliveryId::from);
        if let Some(link) = self.links.get_mut(id)
            && let Half::Sender(sender) = &mut link.half
        {
            sender.queued_octets += sending.remaining;
            sender.queue.push_back(sending);
        }
        self.schedule(id);
        delivery
    }

    /// Begins a delivery whose payload is written in pieces.
    pub(crate) fn stream(
        &mut self,
        id: LinkId,
        tag: &[u8],
        options: &SendOptions,
    ) -> Result<DeliveryId, SendError> {
        let keeps = self.check_send(id, 0, tag, options)?;
        let tag = Tag::new(tag).map_err(|error| SendError::TagTooLong(error.len))?;
        // A settled one needs a name too while it is being written.
        let settled = options.settled;
        let delivery = self.remember(id, &tag, options.message_format);
        if let Some(outgoing) = self.outgoing.get_mut(delivery) {
            *outgoing.more_mut() = OutgoingMore {
                is_open: true,
                is_settled: settled,
                payload: (keeps && !settled).then(Payload::default),
            };
            let state = state_to_keep(options).filter(|_| keeps);
            outgoing.known.set_local_state(state);
        }
        let named = (!settled).then_some(delivery);
        let sending = Sending {
            state: options.state.clone(),
            batchable: options.batchable,
            open: Some(delivery),
            ..Sending::new(named, tag, options.message_format, Payload::default())
        };
        self.enqueue(id, sending);
        Ok(delivery.into())
    }

    /// The delivery that is being written under this id, and its link.
    fn open_sending(&mut self, id: DeliveryId) -> Result<(LinkId, &mut Sending), UsageError> {
        let expected = "an outgoing delivery";
        let id = id.outgoing().ok_or(UsageError::WrongKind { expected })?;
        let outgoing = self.outgoing.get(id).ok_or(UsageError::StaleHandle)?;
        let link = outgoing.known.link;
        let entry = self.link_mut(link)?;
        entry.check_resumed()?;
        let over = UsageError::WrongState("the delivery is not being written any more");
        match &mut entry.half {
            Half::Sender(sender) => Ok((link, sender.open_mut(id).ok_or(over)?)),
            Half::Receiver(_) => Err(over),
        }
    }

    pub(crate) fn write_stream(
        &mut self,
        id: DeliveryId,
        payload: Payload,
    ) -> Result<(), SendError> {
        let (link, _) = self.open_sending(id)?;
        let limit = self.link_mut(link)?.terms.remote_largest;
        let (_, sending) = self.open_sending(id)?;
        let more = payload.len();
        let size = sending.written.saturating_add(more as u64);
        if size > limit {
            return Err(SendError::MessageTooLarge { size, limit });
        }
        sending.written = size;
        sending.remaining += more;
        for piece in payload.chunks() {
            sending.payload.push(piece.clone());
        }
        if let Some(outgoing) = id.outgoing().and_then(|id| self.outgoing.get_mut(id))
            && let Some(kept) = outgoing.more_mut().payload.as_mut()
        {
            for piece in payload.chunks() {
                kept.push(piece.clone());
            }
        }
        if let Half::Sender(sender) = &mut self.link_mut(link)?.half {
            sender.queued_octets += more;
        }
        self.schedule(link);
        Ok(())
    }

    pub(crate) fn finish_stream(&mut self, id: DeliveryId) -> Result<(), UsageError> {
        let (link, sending) = self.open_sending(id)?;
        let open = sending.open.take();
        let settled = sending.delivery.is_none();
        if let Some(open) = open {
            // With its last octet written there is nothing to remember of one that is sent settled, or
            // that the peer settled before.
            if let Some(outgoing) = self.outgoing.get_mut(open) {
                outgoing.close();
                if settled || outgoing.is_over() {
                    self.outgoing.discard(open);
                }
            }
        }
        self.schedule(link);
        Ok(())
    }

    /// Takes back a delivery that is not wholly sent (2.7.5): it counts as settled.
    pub(crate) fn abort(&mut self, id: DeliveryId) -> Result<(), UsageError> {
        let expected = "an outgoing delivery";
        let outgoing = id.outgoing().ok_or(UsageError::WrongKind { expected })?;
        let link_id = self
            .outgoing
            .get(outgoing)
            .ok_or(UsageError::StaleHandle)?
            .known
            .link;
        let link = self.link_mut(link_id)?;
        link.check_resumed()?;
        let session = link.session;
        let Half::Sender(sender) = &mut link.half else {
            return Err(UsageError::WrongKind { expected });
        };
        let this = |sending: &Sending| {
            sending.delivery == Some(outgoing) || sending.open == Some(outgoing)
        };
        let Some(at) = sender.place(this) else {
            return Err(UsageError::WrongState("the delivery was wholly sent"));
        };
        let mut number = None;
        let mut is_known = false;
        if let Some(sending) = sender.queue.get_mut(at) {
            number = sending.number;
            is_known = number.is_some() || sending.resumes.is_some();
            if number.is_none()
                && let Some(resumes) = &mut sending.resumes
            {
                resumes.state = None;
            }
            sending.delivery = None;
            sending.open = None;
            sending.aborted = true;
            sending.after = After::Nothing;
            sender.queued_octets -= core::mem::take(&mut sending.remaining);
            sending.payload = Payload::default();
        }
        if !is_known {
            // The peer never heard of it: it costs no credit.
            sender.queue.remove(at);
        }
        self.outgoing.discard(outgoing);
        if let Some(number) = number {
            self.forget_number(session, link_id, outgoing.into(), number);
        }
        self.schedule(link_id);
        self.at_rest(link_id);
        Ok(())
    }

    /// Gives the link a place in line, if it has something to send and the credit to do so.
    pub(crate) fn schedule(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id)
            && link.attach_written
            && let Half::Sender(sender) = &mut link.half
            && !sender.scheduled
            && sender.can_go_on()
        {
            sender.scheduled = true;
            let id_of_session = link.session;
            if let Some(session) = self.sessions.get_mut(id_of_session) {
                session.line.push_back(id);
            }
            self.line_up(id_of_session);
        }
    }

    /// The link had its turn, but for the last `left` transfers of it: back into its session's line, or
    /// out of it. If it was the window that cut the turn short, it goes on first when that opens.
    pub(crate) fn reschedule(&mut self, id: LinkId, left: usize) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        let Half::Sender(sender) = &mut link.half else {
            return;
        };
        sender.scheduled = sender.can_go_on();
        if sender.scheduled
            && let Some(session) = self.sessions.get_mut(link.session)
        {
            if left > 0 && session.outgoing_window.available() == 0 {
                session.turn = Some(left);
                session.line.push_front(id);
            } else {
                session.line.push_back(id);
            }
        }
        self.at_rest(id);
    }

    /// Does what waits until nothing of the link is under way: answers a drain, and detaches.
    pub(crate) fn at_rest(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        let mut drained = false;
        let mut idle = true;
        if let Half::Sender(sender) = &mut link.half {
            idle = !sender.is_busy();
            if !sender.can_still_send() && core::mem::take(&mut sender.drain_when_idle) {
                // The receiver may have thought better of it since.
                drained = sender.credit.is_draining();
                if drained {
                    sender.credit.exhaust();
                }
            }
        }
        if idle && link.local == Phase::Ended && !link.detach_written && !link.detach_due {
            link.detach_due = true;
            let is_reply = link.remote == Phase::Ended || link.error().is_some();
            self.control.push(Control::Detach(id), is_reply);
        }
        if drained {
            self.request_link_flow(id);
        }
        self.go_on_closing(id);
    }
}

/// The size that a transfer's fields other than the payload can have at most, frame header included.
pub(crate) const TRANSFER_OVERHEAD: usize = 8 + 3 + 9 + 5 + 5 + 2 + MAX_TAG + 5 + 2 + 8;
