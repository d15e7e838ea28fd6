//! The receiving half of a link: transfers become deliveries (2.6.12, 2.7.5).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;

use bytes::Bytes;

use crate::delivery::{Delivery, Incoming, Payload};
use crate::endpoints::Endpoints;
use crate::error::Fault;
use crate::event::Event;
use crate::ids::{DeliveryId, IncomingId, LinkId, SessionId};
use crate::link::{Half, ReceiverCredit};
use crate::protocol::{Tag, Transfer, conditions};
use crate::seq::Seq;

/// How far a delivery-id may run ahead of the one before; ids are dense, so more is nonsense.
const MAX_ID_GAP: u32 = 1 << 16;

#[derive(Debug, Default)]
pub(crate) struct ReceiverHalf {
    pub(crate) credit: ReceiverCredit,
    /// Messages that the sender says it has.
    pub(crate) available: u32,
    /// The delivery whose last transfer has not come yet.
    partial: Option<Box<Partial>>,
    /// Complete deliveries that the caller has not taken, with the transfers each came in.
    pub(crate) complete: VecDeque<(Delivery, u32)>,
}

#[derive(Debug)]
pub(crate) struct Partial {
    id: IncomingId,
    number: Seq,
    tag: Tag,
    format: u32,
    settled: bool,
    payload: Payload,
    octets: u64,
    transfers: u32,
    empty_transfers: u32,
}

impl ReceiverHalf {
    pub(crate) const fn drop_partial(&mut self) -> Option<Box<Partial>> {
        self.partial.take()
    }
}

impl Endpoints {
    pub(crate) fn on_transfer(
        &mut self,
        channel: u16,
        transfer: &Transfer,
        payload: Bytes,
    ) -> Result<(), Fault> {
        let Some(session_id) = self.session_on(channel, "transfer")? else {
            return Ok(());
        };
        let Some(session) = self.sessions.get_mut(session_id) else {
            return Ok(());
        };
        if !session.incoming_window.receive() {
            let text = "transfer without a session window for it";
            return Err(Fault::session(
                session_id,
                conditions::SESSION_WINDOW_VIOLATION,
                text,
            ));
        }
        let link = self.link_on(session_id, transfer.handle);
        let result = match link {
            Ok(Some(id)) => self.on_link_transfer(session_id, id, transfer, payload),
            Ok(None) => Ok(()),
            Err(fault) => Err(fault),
        };
        // Transfers that ended up nowhere use the window as well.
        self.refresh_window(session_id);
        result
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
            return Err(Fault::session(
                session_id,
                conditions::SESSION_ERRANT_LINK,
                text,
            ));
        };
        match receiver.partial.take() {
            None => self.first_transfer(session_id, id, transfer, payload),
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
        if let Some(link) = self.links.get_mut(id)
            && let Half::Receiver(receiver) = &mut link.half
            && !receiver.credit.receive()
        {
            let text = "transfer without credit for it";
            return Err(Fault::link(
                id,
                conditions::LINK_TRANSFER_LIMIT_EXCEEDED,
                text,
            ));
        }
        if transfer.aborted {
            return Ok(());
        }
        let settled = transfer.settled.unwrap_or(false);
        let format = transfer.message_format.unwrap_or(0);
        if settled && !transfer.more {
            // The fast path: nothing to remember.
            self.check_size(id, payload.len() as u64)?;
            let delivery = Delivery {
                id: None,
                tag,
                message_format: format,
                payload: payload.into(),
            };
            self.complete(session_id, id, delivery, 1);
            return Ok(());
        }
        let incoming = self.incoming.insert(Incoming::new(id, number, tag));
        let limit = self.limits().unsettled_per_session;
        if let Some(session) = self.sessions.get_mut(session_id) {
            if session.incoming.len() >= limit {
                self.incoming.remove(incoming);
                let text = format!("more than {limit} unsettled deliveries");
                return Err(Fault::session(
                    session_id,
                    conditions::RESOURCE_LIMIT_EXCEEDED,
                    text,
                ));
            }
            if !session.incoming.insert(number, incoming) {
                self.incoming.remove(incoming);
                let text = format!("delivery-id {number} is in use");
                return Err(Fault::session(session_id, conditions::INVALID_FIELD, text));
            }
        }
        let partial = Box::new(Partial {
            id: incoming,
            number,
            tag,
            format,
            settled,
            payload: Payload::default(),
            octets: 0,
            transfers: 0,
            empty_transfers: 0,
        });
        self.take_transfer(session_id, id, partial, transfer, payload)
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
            self.forget_partial(Some(session_id), Some(partial));
            let text = "a delivery began before the one before it on the link was complete";
            return Err(Fault::link(id, conditions::INVALID_FIELD, text));
        }
        partial.settled |= transfer.settled.unwrap_or(false);
        if transfer.aborted {
            self.forget_partial(Some(session_id), Some(partial));
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
        partial.transfers = partial.transfers.saturating_add(1);
        partial.octets = partial.octets.saturating_add(payload.len() as u64);
        if payload.is_empty() {
            partial.empty_transfers += 1;
        }
        let empty_limit = self.limits().empty_transfers;
        let sound = if partial.empty_transfers > empty_limit {
            let text = format!("more than {empty_limit} transfers without payload in one delivery");
            Err(Fault::link(id, conditions::RESOURCE_LIMIT_EXCEEDED, text))
        } else {
            self.check_size(id, partial.octets)
        };
        if let Err(fault) = sound {
            self.forget_partial(Some(session_id), Some(partial));
            return Err(fault);
        }
        partial.payload.push(payload);
        if transfer.more {
            if let Some(link) = self.links.get_mut(id)
                && let Half::Receiver(receiver) = &mut link.half
            {
                receiver.partial = Some(partial);
            }
            return Ok(());
        }
        let mut delivery_id = Some(DeliveryId::from(partial.id));
        if partial.settled {
            self.forget_incoming(session_id, partial.number);
            delivery_id = None;
        }
        let delivery = Delivery {
            id: delivery_id,
            tag: partial.tag,
            message_format: partial.format,
            payload: partial.payload,
        };
        self.complete(session_id, id, delivery, partial.transfers);
        Ok(())
    }

    /// A new delivery-id: it must go forward (2.6.12), and not by a leap.
    fn count_delivery(&mut self, session_id: SessionId, number: Seq) -> Result<(), Fault> {
        let Some(session) = self.sessions.get_mut(session_id) else {
            return Ok(());
        };
        if let Some(last) = session.last_incoming {
            let step = number.distance_from(last);
            if step == 0 || step > MAX_ID_GAP {
                let text = format!("delivery-id {number} does not follow {last}");
                return Err(Fault::session(session_id, conditions::INVALID_FIELD, text));
            }
        }
        session.last_incoming = Some(number);
        Ok(())
    }

    /// A delivery must fit what we advertised, and what we are ready to buffer.
    fn check_size(&self, id: LinkId, octets: u64) -> Result<(), Fault> {
        let advertised = self
            .links
            .get(id)
            .and_then(|link| link.config.max_message_size)
            .filter(|size| *size > 0);
        let limit = self
            .limits()
            .delivery_octets
            .min(advertised.unwrap_or(u64::MAX));
        if octets > limit {
            let text = format!("the message has more than {limit} octets");
            return Err(Fault::link(
                id,
                conditions::LINK_MESSAGE_SIZE_EXCEEDED,
                text,
            ));
        }
        Ok(())
    }

    fn complete(&mut self, session_id: SessionId, id: LinkId, delivery: Delivery, transfers: u32) {
        if let Some(session) = self.sessions.get_mut(session_id) {
            session.incoming_window.hold(transfers);
        }
        if let Some(link) = self.links.get_mut(id)
            && let Half::Receiver(receiver) = &mut link.half
        {
            receiver.complete.push_back((delivery, transfers));
        }
        self.post(Event::Deliveries(id));
    }

    pub(crate) fn next_delivery(&mut self, id: LinkId) -> Option<Delivery> {
        let link = self.links.get_mut(id)?;
        let Half::Receiver(receiver) = &mut link.half else {
            return None;
        };
        let (delivery, transfers) = receiver.complete.pop_front()?;
        let session_id = link.session;
        if let Some(session) = self.sessions.get_mut(session_id) {
            session.incoming_window.release(transfers);
        }
        self.refresh_window(session_id);
        Some(delivery)
    }

    /// An incomplete delivery is void: aborted, or its link failed.
    pub(crate) fn forget_partial(
        &mut self,
        session: Option<SessionId>,
        partial: Option<Box<Partial>>,
    ) {
        if let (Some(session), Some(partial)) = (session, partial) {
            self.forget_incoming(session, partial.number);
        }
    }
}
