//! Transfers become deliveries (2.6.12, 2.7.5).

use alloc::boxed::Box;
use alloc::format;

use bytes::Bytes;

use crate::charges;
use crate::delivery::{Delivery, Incoming, Known, Payload, is_live};
use crate::endpoints::Endpoints;
use crate::error::Fault;
use crate::event::Event;
use crate::ids::{DeliveryId, IncomingId, LinkId, SessionId};
use crate::link::{Half, Held, Partial};
use crate::protocol::{Condition, DeliveryState, ReceiverSettleMode, Tag, Transfer, conditions};
use crate::recovery::Resuming;
use crate::seq::Seq;

impl Endpoints {
    pub(crate) fn on_transfer(
        &mut self,
        channel: u16,
        transfer: &Transfer,
        payload: Bytes,
    ) -> Result<(), Fault> {
        let Some(session_id) = self.count_transfer(channel)? else {
            return Ok(());
        };
        let link = self.link_on(session_id, transfer.handle);
        let result = match link {
            Ok(Some(id)) => self.on_link_transfer(session_id, id, transfer, payload),
            Ok(None) => {
                self.pass_over(session_id, transfer);
                Ok(())
            }
            Err(fault) => Err(fault),
        };
        // Transfers that ended up nowhere use the window as well.
        self.refresh_window(session_id);
        result
    }

    /// A transfer whose fields cannot be decoded: it is one transfer nevertheless.
    pub(crate) fn on_broken_transfer(
        &mut self,
        channel: u16,
        handle: Option<u32>,
        condition: Condition,
    ) -> Result<(), Fault> {
        let Some(session) = self.count_transfer(channel)? else {
            return Ok(());
        };
        let result = self.on_broken(channel, "transfer", handle, condition);
        self.refresh_window(session);
        result
    }

    /// The session of a transfer on this channel, after that was counted against its window (2.5.6).
    #[inline]
    fn count_transfer(&mut self, channel: u16) -> Result<Option<SessionId>, Fault> {
        let Some(id) = self.session_on(channel, "transfer")? else {
            return Ok(None);
        };
        let Some(session) = self.sessions.get_mut(id) else {
            return Ok(None);
        };
        if !session.incoming_window.receive() {
            let text = "transfer without a session window for it";
            let condition = conditions::SESSION_WINDOW_VIOLATION;
            return Err(Fault::session(id, condition, text));
        }
        Ok(Some(id))
    }

    fn on_link_transfer(
        &mut self,
        session_id: SessionId,
        id: LinkId,
        transfer: &Transfer,
        payload: Bytes,
    ) -> Result<(), Fault> {
        let Some(link) = self.links.get_mut(id) else {
            return Ok(());
        };
        let Half::Receiver(receiver) = &mut link.half else {
            let text = "transfer to the sending end of a link";
            return Err(Fault::link(id, conditions::NOT_ALLOWED, text));
        };
        match receiver.partial.take() {
            None => match receiver.passing.take() {
                None => self.first_transfer(session_id, id, transfer, payload),
                Some(passing) => self.passing_transfer(session_id, id, &passing, transfer),
            },
            Some(partial) => self.next_transfer(session_id, id, partial, transfer, payload),
        }
    }

    fn first_transfer(
        &mut self,
        session_id: SessionId,
        id: LinkId,
        transfer: &Transfer,
        payload: Bytes,
    ) -> Result<(), Fault> {
        let (Some(number), Some(tag)) = (transfer.delivery_id, transfer.delivery_tag) else {
            let text = "the first transfer of a delivery needs delivery-id and delivery-tag";
            return Err(Fault::link(id, conditions::INVALID_FIELD, text));
        };
        let number = Seq(number);
        self.count_delivery(session_id, number)?;
        let mut awaits = false;
        if let Some(link) = self.links.get_mut(id)
            && let Half::Receiver(receiver) = &mut link.half
        {
            if !receiver.credit.receive() {
                let text = "transfer without credit for it";
                let condition = conditions::LINK_TRANSFER_LIMIT_EXCEEDED;
                return Err(Fault::link(id, condition, text));
            }
            // It may send more than it said it had (2.6.7).
            receiver.available = receiver.available.saturating_sub(1);
            awaits = !receiver.awaiting.is_empty();
            let resuming = link.resuming.as_deref();
            if !transfer.resume && resuming.is_some_and(Resuming::told_in_part) {
                let text = "a new delivery on a link of which only a part was told: suspend and resume it first";
                return Err(Fault::link(id, conditions::NOT_ALLOWED, text));
            }
        }
        if transfer.resume {
            return self.resumed_transfer(session_id, id, number, tag, transfer, payload);
        }
        if transfer.aborted {
            self.came_to_nothing(id);
            return Ok(());
        }
        if awaits {
            // A tag that is given to something new says that the old was settled.
            self.settle_by_silence(id, tag);
        }
        let settled = transfer.settled.unwrap_or(false);
        let format = transfer.message_format.unwrap_or(0);
        if !transfer.more {
            // Whole in one transfer: nothing to gather, and if it is settled nothing to remember.
            let octets = payload.len() as u64;
            self.check_size(id, octets, octets)?;
            let held = Held {
                transfers: 1,
                octets: octets.saturating_add(charges::of_state(transfer.state.as_ref())),
            };
            self.check_waiting(id, self.waiting_octets(id), held)?;
            let remembered = if settled {
                None
            } else {
                Some(
                    self.remember_incoming(session_id, id, number, tag, transfer)?
                        .into(),
                )
            };
            let delivery = Delivery {
                id: remembered,
                tag,
                message_format: format,
                state: transfer.state.clone().map(Box::new),
                batchable: transfer.batchable,
                payload: payload.into(),
                aborted: false,
            };
            self.hold(session_id, held);
            self.complete(id, delivery, held);
            return Ok(());
        }
        let incoming = self.remember_incoming(session_id, id, number, tag, transfer)?;
        let partial = Box::new(Partial {
            id: incoming,
            number,
            tag,
            format,
            settled,
            state: None,
            batchable: false,
            payload: Payload::default(),
            octets: 0,
            skip: 0,
            waiting: Held::default(),
            state_octets: 0,
            empty_transfers: 0,
            streaming: self.is_streaming(id),
            was_read: false,
        });
        self.take_transfer(session_id, id, partial, transfer, payload)
    }

    /// Remembers an incoming delivery until it is settled.
    fn remember_incoming(
        &mut self,
        session_id: SessionId,
        link: LinkId,
        number: Seq,
        tag: Tag,
        transfer: &Transfer,
    ) -> Result<IncomingId, Fault> {
        // The mode is ignored on what is settled (2.7.5).
        let said = transfer
            .rcv_settle_mode
            .filter(|_| transfer.settled != Some(true));
        let settles_second = self.settles_second(link, said)?;
        let format = transfer.message_format.unwrap_or(0);
        let known = Known::new(link, Some(number), format).with_tag(&tag);
        let id = self.incoming.insert(Incoming::new(known, settles_second));
        if let Err(fault) = self.number_incoming(session_id, id, number) {
            self.incoming.discard(id);
            return Err(fault);
        }
        if let Some(link) = self.links.get_mut(link) {
            let live = is_live(&self.outgoing, &self.incoming);
            link.deliveries.push(id.into(), live);
            link.unsettled += 1;
        }
        Ok(id)
    }

    /// From now on the session finds an incoming delivery by its delivery-id.
    #[inline]
    pub(crate) fn number_incoming(
        &mut self,
        session_id: SessionId,
        id: IncomingId,
        number: Seq,
    ) -> Result<(), Fault> {
        let limit = self.limits().unsettled_per_session;
        let Some(session) = self.sessions.get_mut(session_id) else {
            return Ok(());
        };
        let condition = conditions::RESOURCE_LIMIT_EXCEEDED;
        if session.incoming.len() >= limit
            && let Some(incoming) = self.incoming.get(id)
        {
            let text = format!("more than {limit} unsettled deliveries of the session");
            return Err(Fault::link(incoming.known.link, condition, text));
        }
        if session.incoming.insert(number, id) {
            return Ok(());
        }
        let text = format!("delivery-id {number} has no place among those that are not settled");
        Err(Fault::session(session_id, condition, text))
    }

    fn next_transfer(
        &mut self,
        session_id: SessionId,
        id: LinkId,
        mut partial: Box<Partial>,
        transfer: &Transfer,
        payload: Bytes,
    ) -> Result<(), Fault> {
        // What was said on the first transfer may be left out or repeated, not changed.
        let same = transfer.delivery_id.is_none_or(|n| n == partial.number.0)
            && transfer.delivery_tag.is_none_or(|tag| tag == partial.tag)
            && transfer
                .message_format
                .is_none_or(|format| format == partial.format);
        if !same {
            self.forget_partial(session_id, Some(partial));
            let text = "a delivery began before the one before it on the link was complete";
            return Err(Fault::link(id, conditions::INVALID_FIELD, text));
        }
        partial.settled |= transfer.settled.unwrap_or(false);
        if transfer.aborted {
            self.drop_aborted(session_id, id, partial);
            return Ok(());
        }
        self.take_transfer(session_id, id, partial, transfer, payload)
    }

    fn take_transfer(
        &mut self,
        session_id: SessionId,
        id: LinkId,
        mut partial: Box<Partial>,
        transfer: &Transfer,
        payload: Bytes,
    ) -> Result<(), Fault> {
        if payload.is_empty() {
            partial.empty_transfers += 1;
        }
        let payload = partial.pass_known(payload);
        let octets = payload.len() as u64;
        let cost = partial.cost();
        // Where a resumed delivery begins (3.4.1) is nothing to the caller.
        if !matches!(transfer.state, None | Some(DeliveryState::Received(_))) {
            partial.state_octets = charges::of_state(transfer.state.as_ref());
            partial.state = transfer.state.clone().map(Box::new);
        }
        partial.waiting.transfers = partial.waiting.transfers.saturating_add(1);
        partial.waiting.octets = partial.waiting.octets.saturating_add(octets);
        let buffered = self.buffer(session_id, cost, partial.cost());
        partial.octets = partial.octets.saturating_add(octets);
        // What streams is held against the window as it comes. What does not can only be taken once
        // it is complete, so until then it must not close the window that the rest has to come through.
        if partial.streaming {
            let held = Held {
                transfers: 1,
                octets,
            };
            self.hold(session_id, held);
        }
        let waits = self
            .waiting_octets(id)
            .saturating_add(partial.waiting.octets);
        let empty_limit = self.limits().empty_transfers;
        let sound = if partial.empty_transfers > empty_limit {
            let text = format!("more than {empty_limit} transfers without payload in one delivery");
            Err(Fault::link(id, conditions::RESOURCE_LIMIT_EXCEEDED, text))
        } else if buffered > self.limits().partial_octets {
            let most = self.limits().partial_octets;
            let text = format!("incomplete deliveries of the session have more than {most} octets");
            Err(Fault::link(id, conditions::RESOURCE_LIMIT_EXCEEDED, text))
        } else if partial.skip > 0 && !transfer.more {
            let text = "a resumed delivery ends before what had arrived of it";
            Err(Fault::link(id, conditions::INVALID_FIELD, text))
        } else {
            self.check_size(id, partial.octets, partial.waiting.octets)
                // All of it is counted already.
                .and_then(|()| self.check_waiting(id, waits, Held::default()))
        };
        if let Err(fault) = sound {
            self.forget_partial(session_id, Some(partial));
            return Err(fault);
        }
        partial.payload.push(payload);
        partial.batchable |= transfer.batchable;
        let streaming = partial.streaming;
        if !streaming && !transfer.more {
            self.buffer(session_id, partial.cost(), 0);
            partial.waiting.octets = partial.waiting.octets.saturating_add(partial.state_octets);
            self.hold(session_id, partial.waiting);
        }
        if transfer.more {
            if let Some(link) = self.links.get_mut(id)
                && let Half::Receiver(receiver) = &mut link.half
            {
                receiver.partial = Some(partial);
            }
            if streaming {
                self.post(Event::Deliveries(id));
            }
            return Ok(());
        }
        let mut delivery_id = Some(DeliveryId::from(partial.id));
        // A disposition may have settled it while it came (2.7.6).
        let is_settled = match self.incoming.get(partial.id) {
            Some(incoming) => partial.settled || incoming.known.remote_settled,
            None => true,
        };
        if is_settled {
            self.forget_incoming(session_id, Some(partial.number));
            self.incoming.discard(partial.id);
            delivery_id = None;
        }
        let delivery = Delivery {
            id: delivery_id,
            tag: partial.tag,
            message_format: partial.format,
            state: partial.state,
            batchable: partial.batchable,
            payload: partial.payload,
            aborted: false,
        };
        self.complete(id, delivery, partial.waiting);
        Ok(())
    }

    /// A delivery that began before goes on where it broke off.
    pub(crate) fn go_on_with(
        &mut self,
        session_id: SessionId,
        id: LinkId,
        mut partial: Box<Partial>,
        transfer: &Transfer,
        payload: Bytes,
    ) -> Result<(), Fault> {
        partial.settled = transfer.settled.unwrap_or(false);
        partial.streaming = self.is_streaming(id);
        self.buffer(session_id, 0, partial.cost());
        self.hold(session_id, partial.held());
        self.take_transfer(session_id, id, partial, transfer, payload)
    }

    /// Whether the sender is to settle first: what the link agreed on, unless the transfer says that it
    /// need not. More than was agreed on it must not say (2.7.5).
    pub(crate) fn settles_second(
        &self,
        id: LinkId,
        said: Option<ReceiverSettleMode>,
    ) -> Result<bool, Fault> {
        let agreed = self.links.get(id).map(|link| link.terms.rcv_settle_mode);
        match (agreed, said) {
            (Some(ReceiverSettleMode::First), Some(ReceiverSettleMode::Second)) => {
                let text = "rcv-settle-mode is second on a link that agreed on first";
                Err(Fault::link(id, conditions::INVALID_FIELD, text))
            }
            (agreed, said) => Ok(said.or(agreed) == Some(ReceiverSettleMode::Second)),
        }
    }

    /// A new delivery-id: it must go forward (2.6.12), and not by a leap.
    fn count_delivery(&mut self, session_id: SessionId, number: Seq) -> Result<(), Fault> {
        let Some(session) = self.sessions.get_mut(session_id) else {
            return Ok(());
        };
        match session.last_incoming {
            Some(last) if !session.is_next_incoming(number) => {
                let text = format!("delivery-id {number} does not follow {last}");
                Err(Fault::session(session_id, conditions::INVALID_FIELD, text))
            }
            _ => {
                session.last_incoming = Some(number);
                Ok(())
            }
        }
    }

    /// A transfer for a link that ended here: nobody wants it, but the ids of the session go on from it.
    fn pass_over(&mut self, session_id: SessionId, transfer: &Transfer) {
        if let Some(session) = self.sessions.get_mut(session_id)
            && let (Some(_), Some(number)) = (session.last_incoming, transfer.delivery_id)
            && session.is_next_incoming(Seq(number))
        {
            session.last_incoming = Some(Seq(number));
        }
    }

    /// Octets of whole deliveries of the link that wait for the caller.
    fn waiting_octets(&self, id: LinkId) -> u64 {
        match self.links.get(id).map(|link| &link.half) {
            Some(Half::Receiver(receiver)) => receiver.complete_octets,
            _ => 0,
        }
    }

    fn is_streaming(&self, id: LinkId) -> bool {
        let link = self.links.get(id);
        link.is_some_and(|link| matches!(&link.half, Half::Receiver(half) if half.streaming))
    }

    /// A delivery must fit what we advertised, and what we are ready to buffer.
    fn check_size(&self, id: LinkId, octets: u64, buffered: u64) -> Result<(), Fault> {
        let most = self
            .links
            .get(id)
            .map_or(u64::MAX, |link| link.terms.largest);
        let buffer = self.limits().delivery_octets;
        if octets > most || buffered > buffer {
            let text = format!("the message has more than {} octets", most.min(buffer));
            return Err(Fault::link(
                id,
                conditions::LINK_MESSAGE_SIZE_EXCEEDED,
                text,
            ));
        }
        Ok(())
    }
}
