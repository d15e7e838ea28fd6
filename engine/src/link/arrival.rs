//! Whole deliveries in one transfer, on links on which nothing is out of the ordinary: nearly all there are.
//!
//! What is done for one here is what [`transfer`](super::transfer) does for it, with each object looked up once. Whatever
//! does not fit is found before anything was changed, and left to that.

use core::ops::Range;

use bytes::Bytes;

use crate::charges;
use crate::delivery::{Delivery, Incoming, Known, is_live};
use crate::endpoints::{Endpoints, Phase};
use crate::event::Event;
use crate::link::{Half, Held, ReceiverHalf};
use crate::protocol::{PlainTransfer, ReceiverSettleMode, Tag};
use crate::seq::Seq;

impl Endpoints {
    /// Takes the delivery that a transfer is all of; its payload is this part of `octets`. `false`: nothing was done, and it
    /// is to be handled as any other transfer.
    #[inline]
    pub(crate) fn take_plain(
        &mut self,
        channel: u16,
        transfer: &PlainTransfer<'_>,
        octets: &Bytes,
        payload: Range<usize>,
    ) -> bool {
        self.try_take_plain(channel, transfer, octets, payload)
            .is_some()
    }

    fn try_take_plain(
        &mut self,
        channel: u16,
        transfer: &PlainTransfer<'_>,
        octets: &Bytes,
        payload: Range<usize>,
    ) -> Option<()> {
        if self.connection.remote != Phase::Open {
            return None;
        }
        let held = Held {
            transfers: 1,
            octets: payload.len() as u64,
        };
        if !self.has_room(charges::waiting(held)) {
            return None;
        }
        let session_id = self.connection.channels.by_remote(channel)?;
        let session = self.sessions.get_mut(session_id)?;
        let id = session.handles.by_remote(transfer.handle)?;
        let link = self.links.get_mut(id)?;
        let number = Seq(transfer.delivery_id);
        let size = payload.len() as u64;
        if session.discarding
            || !session.is_next_incoming(number)
            || !session.incoming_window.is_open()
            || link.discarding
            || link.is_closing()
            || link.resuming.is_some()
            || size > link.most_octets(&self.config.limits)
        {
            return None;
        }
        let settles_second = link.terms.rcv_settle_mode == ReceiverSettleMode::Second;
        let Half::Receiver(receiver) = &mut link.half else {
            return None;
        };
        if !receiver.takes_plain()
            || receiver.complete_octets.saturating_add(size) > self.config.limits.link_octets
        {
            return None;
        }
        let mut delivery = Delivery {
            id: None,
            tag: Tag::default(),
            message_format: transfer.message_format,
            state: None,
            batchable: transfer.batchable,
            payload: octets.slice(payload).into(),
            aborted: false,
        };
        // No longer than a tag can be.
        let _ = delivery.tag.set(transfer.tag());
        if !transfer.settled {
            if session.incoming.len() >= self.config.limits.unsettled_per_session {
                return None;
            }
            let known = Known::new(id, delivery.tag, Some(number), transfer.message_format);
            let incoming = self.incoming.insert(Incoming::new(known, settles_second));
            if !session.incoming.insert(number, incoming) {
                self.incoming.discard(incoming);
                return None;
            }
            let live = is_live(&self.outgoing, &self.incoming);
            link.deliveries.push(incoming.into(), live);
            link.unsettled += 1;
            delivery.id = Some(incoming.into());
        }
        session.last_incoming = Some(number);
        let counted = session.incoming_window.receive() && receiver.credit.receive();
        debug_assert!(counted, "there was window and credit");
        receiver.available = receiver.available.saturating_sub(1);
        session.incoming_window.hold(1, size);
        self.charges.hold(held);
        receiver.push(delivery, held);
        if link.queued.mark(Event::Deliveries(id)) {
            self.events.push_back(Event::Deliveries(id));
        }
        if session.incoming_window.wants_update() {
            self.request_session_flow(session_id);
        }
        Some(())
    }
}

impl ReceiverHalf {
    /// Whether the next delivery is nothing but one more of those that were asked for.
    #[inline]
    fn takes_plain(&self) -> bool {
        !self.has_partial()
            && self.passing.is_none()
            && self.awaiting.is_empty()
            && self.credit.is_open()
            && !self.credit.is_draining()
    }
}
