//! Whole deliveries in one transfer each, on links on which nothing is out of the ordinary: nearly all there are.
//!
//! What is done for one here is what [`transfer`](super::transfer) does for it, with each object looked up once for all that
//! come one after the other. Whatever does not fit is found before anything was changed, and left to that.

use core::ops::Range;

use bytes::{Buf, Bytes};

use crate::arena::Arena;
use crate::charges::{self, Charges};
use crate::delivery::{Incoming, Known, Outgoing, Unsettled, is_live};
use crate::endpoints::{Endpoints, Phase};
use crate::event::{Event, Events};
use crate::ids::{IncomingId, LinkId, OutgoingId, SessionId};
use crate::link::{Half, Held, Link, PlainDelivery, ReceiverHalf, Waiting, Waits};
use crate::protocol::{PlainTransfer, ReceiverSettleMode};
use crate::seq::Seq;
use crate::session::Session;

/// A link to which deliveries come, one after the other.
pub(crate) struct Arrivals<'a> {
    channel: u16,
    handle: u32,
    session_id: SessionId,
    id: LinkId,
    session: &'a mut Session,
    link: &'a mut Link,
    outgoing: &'a Arena<OutgoingId, Outgoing>,
    incoming: &'a mut Arena<IncomingId, Incoming>,
    waiting: &'a mut Waiting,
    events: &'a mut Events,
    charges: &'a mut Charges,
    /// Octets that may still be held, of all that the connection may.
    room: u64,
    /// Octets of the largest delivery.
    largest: u64,
    /// Octets that may wait on the link.
    most_octets: u64,
    /// Deliveries that may be unsettled on the session.
    most_unsettled: u32,
    settles_second: bool,
}

impl Endpoints {
    /// The link of the peer's that has this handle, if it takes plain deliveries.
    #[inline]
    pub(crate) fn arrivals(&mut self, channel: u16, handle: u32) -> Option<Arrivals<'_>> {
        if self.connection.remote != Phase::Open || self.connection.is_discarding() {
            return None;
        }
        let limits = &self.config.limits;
        let room = limits.connection_octets.checked_sub(self.held_octets())?;
        let session_id = self.connection.channels.by_remote(channel)?;
        let session = self.sessions.get_mut(session_id)?;
        let id = session.handles.by_remote(handle)?;
        let link = self.links.get_mut(id)?;
        if session.discarding || link.discarding || link.is_closing() || link.resuming.is_some() {
            return None;
        }
        let Half::Receiver(receiver) = &link.half else {
            return None;
        };
        receiver.takes_plain().then_some(Arrivals {
            channel,
            handle,
            session_id,
            id,
            room,
            largest: link.most_octets(limits),
            most_octets: limits.link_octets,
            most_unsettled: limits.unsettled_per_session,
            settles_second: link.terms.rcv_settle_mode == ReceiverSettleMode::Second,
            session,
            link,
            outgoing: &self.outgoing,
            incoming: &mut self.incoming,
            waiting: &mut self.waiting,
            events: &mut self.events,
            charges: &mut self.charges,
        })
    }
}

impl Arrivals<'_> {
    /// Whether a transfer is one to this link.
    #[inline]
    pub(crate) const fn is_for(&self, channel: u16, transfer: &PlainTransfer<'_>) -> bool {
        self.channel == channel && self.handle == transfer.handle
    }

    /// Takes the delivery that a transfer is all of. From its tag on that is this part of `octets`, and from there up to `end` its
    /// payload. `false`: nothing was done, and it is to be handled as any other transfer.
    #[inline]
    pub(crate) fn take(
        &mut self,
        transfer: &PlainTransfer<'_>,
        octets: &Bytes,
        from_tag: Range<usize>,
        end: usize,
    ) -> bool {
        let Half::Receiver(receiver) = &mut self.link.half else {
            return false;
        };
        let session = &mut *self.session;
        let number = Seq(transfer.delivery_id);
        let size = end.saturating_sub(from_tag.end) as u64;
        let held = Held {
            transfers: 1,
            octets: size,
        };
        let cost = charges::waiting(held);
        if cost > self.room
            || size == 0
            || size > self.largest
            || receiver.complete_octets.saturating_add(size) > self.most_octets
            || !session.is_next_incoming(number)
            || !session.incoming_window.is_open()
            || !receiver.credit.is_open()
        {
            return false;
        }
        let (tag, format) = (transfer.tag(), transfer.message_format);
        let (Ok(tag_length), Ok(payload)) = (tag.len().try_into(), from_tag.len().try_into())
        else {
            return false;
        };
        // Put together first and moved last: a move right behind would be waited for.
        let mut piece = octets.clone();
        piece.truncate(end);
        piece.advance(from_tag.start);
        let mut delivery_id = None;
        if !transfer.settled {
            if session.incoming.len() >= self.most_unsettled {
                return false;
            }
            let (link, second) = (self.id, self.settles_second);
            let incoming = self.incoming.insert_in_place(
                || {
                    let known = Known::new(link, Some(number), format);
                    Incoming::new(known, second)
                },
                |incoming| incoming.known.set_tag(tag),
            );
            let mut has_place = session.incoming.insert_on_page(number, incoming);
            if !has_place && self.room - cost >= Unsettled::<IncomingId>::PAGE_OCTETS {
                self.room -= Unsettled::<IncomingId>::PAGE_OCTETS;
                has_place = session.incoming.insert(number, incoming);
            }
            if !has_place {
                self.incoming.take_back(incoming);
                return false;
            }
            let live = is_live(self.outgoing, self.incoming);
            self.link.deliveries.push(incoming.into(), live);
            self.link.unsettled += 1;
            delivery_id = Some(incoming.into());
        }
        // A little more than it takes, if it is settled. That this runs out early does no harm: what finds no room is handled as
        // any other transfer, and what comes behind it is counted anew.
        self.room -= cost;
        session.last_incoming = Some(number);
        let counted = session.incoming_window.receive() && receiver.credit.receive();
        debug_assert!(counted, "there was window and credit");
        receiver.available = receiver.available.saturating_sub(1);
        session.incoming_window.hold(1, size);
        self.charges.hold(held);
        let delivery = PlainDelivery {
            octets: piece,
            id: delivery_id,
            message_format: format,
            tag: tag_length,
            payload,
            batchable: transfer.batchable,
        };
        receiver.push(self.waiting, Waits::Plain(delivery));
        true
    }

    /// What is to be done once for all that came. Answers the session, if it is to tell the peer of more window.
    #[inline]
    pub(crate) fn finish(self) -> Option<SessionId> {
        let event = Event::Deliveries(self.id);
        if self.link.queued.mark(event) {
            self.events.push_back(event);
        }
        let wants = self.session.incoming_window.wants_update();
        wants.then_some(self.session_id)
    }
}

impl ReceiverHalf {
    /// Whether whatever comes next is a delivery of its own, and nothing else has to be done for it.
    #[inline]
    fn takes_plain(&self) -> bool {
        !self.has_partial()
            && self.passing.is_none()
            && self.awaiting.is_empty()
            && !self.credit.is_draining()
    }
}
