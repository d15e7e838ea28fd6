//! The receiving half of a link: what has come for its caller, and what is asked for anew as that is taken (2.6.7).

use alloc::boxed::Box;

use bytes::Bytes;

use crate::control::Control;
use crate::delivery::{Delivery, Payload};
use crate::endpoints::Endpoints;
use crate::event::Event;
use crate::ids::{DeliveryId, LinkId, SessionId};
use crate::link::{Half, Partial, RareMap, ReceiverCredit, Waits};
use crate::message::position::end_point;
use crate::protocol::{DeliveryState, Tag};
use crate::queues::{Queue, Queues};
use crate::recovery::{Awaited, Passing};

#[derive(Debug, Default)]
pub(crate) struct ReceiverHalf {
    pub(crate) credit: ReceiverCredit,
    /// Messages that the sender says it has.
    pub(crate) available: u32,
    /// Whether the caller takes deliveries before they are complete.
    pub(crate) streaming: bool,
    /// Credit that is granted anew as deliveries are taken; 0 for none.
    pub(crate) automatic: u32,
    /// The delivery whose last transfer has not come yet.
    pub(super) partial: Option<Box<Partial>>,
    /// The delivery of which nothing is wanted, and whose last transfer has not come yet.
    pub(crate) passing: Option<Box<Passing>>,
    /// Deliveries from before the link was resumed, until the sender resumes them.
    pub(crate) awaiting: RareMap<Tag, Awaited>,
    /// Complete deliveries that the caller has not taken, with what each holds of the window.
    pub(crate) complete: Queue,
    /// Octets of those.
    pub(crate) complete_octets: u64,
}

/// The deliveries of all links that wait for the caller.
pub(crate) type Waiting = Queues<Waits>;

/// What waits for the caller, as the session's window counts it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Held {
    pub(crate) transfers: u32,
    pub(crate) octets: u64,
}

impl ReceiverHalf {
    /// A delivery is whole, and waits for the caller.
    #[inline]
    pub(crate) fn push(&mut self, waiting: &mut Waiting, delivery: Waits) {
        let octets = delivery.held().octets;
        self.complete_octets = self.complete_octets.saturating_add(octets);
        waiting.push(&mut self.complete, delivery);
    }

    pub(crate) const fn has_partial(&self) -> bool {
        self.partial.is_some()
    }

    pub(crate) fn partial(&self) -> Option<&Partial> {
        self.partial.as_deref()
    }

    pub(crate) const fn drop_partial(&mut self) -> Option<Box<Partial>> {
        self.partial.take()
    }
}

impl Endpoints {
    pub(crate) fn hold_for(&mut self, id: LinkId, held: Held) {
        if let Some(link) = self.links.get(id) {
            self.hold(link.session, held);
        }
    }

    pub(super) fn hold(&mut self, session: SessionId, held: Held) {
        if let Some(session) = self.sessions.get_mut(session) {
            session.incoming_window.hold(held.transfers, held.octets);
            self.charges.hold(held);
        }
    }

    /// What was held is held no more.
    #[inline]
    pub(crate) fn unhold(&mut self, session_id: SessionId, held: Held) {
        if let Some(session) = self.sessions.get_mut(session_id) {
            self.charges.release(held);
            if session.release(held) {
                self.control.push_back(Control::SessionFlow(session_id));
            }
        }
    }

    #[inline]
    pub(crate) fn complete(&mut self, id: LinkId, delivery: Delivery, held: Held) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        if link.is_closing() {
            self.complete_while_closing(id, delivery, held);
            return;
        }
        let mut drained = false;
        if let Half::Receiver(receiver) = &mut link.half {
            receiver.push(&mut self.waiting, Waits::new(delivery, held));
            drained = receiver.credit.is_drained();
        }
        self.post(Event::Deliveries(id));
        if drained {
            self.end_drain(id);
        }
    }

    /// A delivery has used credit and brought the application nothing.
    pub(crate) fn came_to_nothing(&mut self, id: LinkId) {
        self.end_drain(id);
        self.top_up(id);
        self.go_on_closing(id);
    }

    /// Deliveries have used all the credit that was to be drained. Not every sender answers then.
    #[cold]
    fn end_drain(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id)
            && let Half::Receiver(receiver) = &mut link.half
            && receiver.credit.is_drained()
        {
            receiver.credit.set_drain(false);
            self.post(Event::Flow(id));
        }
    }

    /// Nobody is to be given what comes now, but for what cannot be given back.
    fn complete_while_closing(&mut self, id: LinkId, delivery: Delivery, held: Held) {
        if let Some(delivery) = delivery.id.filter(|id| self.can_be_given_back(*id)) {
            if let Some(link) = self.links.get(id) {
                let session = link.session;
                self.unhold(session, held);
            }
            self.give_back(id, delivery);
        } else {
            if let Some(link) = self.links.get_mut(id)
                && let Half::Receiver(receiver) = &mut link.half
            {
                receiver.push(&mut self.waiting, Waits::new(delivery, held));
            }
            self.post(Event::Deliveries(id));
        }
        self.go_on_closing(id);
    }

    /// The sender took the delivery back. Nobody needs to hear of that but a caller who has part of it.
    pub(super) fn drop_aborted(
        &mut self,
        session_id: SessionId,
        id: LinkId,
        partial: Box<Partial>,
    ) {
        let (was_read, tag, message_format) = (partial.was_read, partial.tag, partial.format);
        self.forget_partial(session_id, Some(partial));
        if was_read {
            self.complete_aborted(id, tag, message_format);
        }
        self.came_to_nothing(id);
    }

    /// A caller who has part of a delivery is to hear that this was all.
    pub(crate) fn complete_aborted(&mut self, id: LinkId, tag: Tag, message_format: u32) {
        let delivery = Delivery {
            id: None,
            tag,
            message_format,
            state: None,
            batchable: false,
            payload: Payload::default(),
            aborted: true,
        };
        self.complete(id, delivery, Held::default());
    }

    // Inlined, as the delivery would be moved once more otherwise.
    #[inline(always)]
    pub(crate) fn next_delivery(&mut self, id: LinkId) -> Option<Delivery> {
        let link = self.links.get_mut(id)?;
        let keeps = link.keeps_deliveries();
        let Half::Receiver(receiver) = &mut link.half else {
            return None;
        };
        let held = self.waiting.front(&receiver.complete)?.held();
        receiver.complete_octets = receiver.complete_octets.saturating_sub(held.octets);
        if let Some(session) = self.sessions.get_mut(link.session) {
            self.charges.release(held);
            if session.release(held) {
                self.control.push_back(Control::SessionFlow(link.session));
            }
        }
        let tops_up = receiver.automatic > 0;
        if !keeps && !tops_up {
            // Moved but once, to where the caller wants it.
            let next = self.waiting.pop(&mut receiver.complete);
            return next.map(Waits::into_delivery);
        }
        let delivery = self.waiting.pop(&mut receiver.complete)?.into_delivery();
        if keeps {
            self.note_all_received(&delivery);
        }
        if tops_up {
            self.top_up(id);
        }
        Some(delivery)
    }

    /// The application takes a whole delivery: should the link be resumed, nothing of it need be sent again.
    #[cold]
    fn note_all_received(&mut self, delivery: &Delivery) {
        if let Some(incoming) = delivery
            .id
            .and_then(DeliveryId::incoming)
            .and_then(|id| self.incoming.get_mut(id))
            // Where the payload ends can only be told of all of it.
            && incoming.read() == 0
            && incoming.known.local_state().is_none()
        {
            let octets = delivery.payload.clone().into_bytes();
            let point = end_point(&octets, delivery.message_format);
            let state = DeliveryState::Received(point.into());
            incoming.known.set_local_state(Some(state));
        }
    }

    /// Automatic credit: granted anew once half of it is used and taken.
    fn top_up(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        let Half::Receiver(receiver) = &mut link.half else {
            return;
        };
        let waiting = u32::try_from(receiver.complete.len()).unwrap_or(u32::MAX);
        // A drain ends with no credit, and must not be kept from it.
        if receiver.credit.is_draining() {
            return;
        }
        let room = receiver.automatic.saturating_sub(waiting);
        let credit = receiver.credit.credit();
        if room > credit && room - credit >= receiver.automatic.div_ceil(2) {
            receiver.credit.set(room);
            self.request_link_flow(id);
        }
    }

    /// The last deliveries that came on a link, as many as transfers did, are not to keep these octets alive.
    pub(crate) fn copy_out(&mut self, channel: u16, handle: u32, count: usize, octets: &Bytes) {
        let session = self.connection.channels.by_remote(channel);
        let session = session.and_then(|id| self.sessions.get(id));
        let link = session.and_then(|session| session.handles.by_remote(handle));
        let Some(link) = link.and_then(|id| self.links.get_mut(id)) else {
            return;
        };
        let Half::Receiver(receiver) = &mut link.half else {
            return;
        };
        let waiting = &mut self.waiting;
        waiting.for_last(&receiver.complete, count, |delivery| {
            delivery.copy_out(octets);
        });
        if let Some(partial) = receiver.partial.as_deref_mut() {
            partial.copy_out(octets);
        }
    }
}
