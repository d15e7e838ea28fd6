//! Messages taken for sending: written at once where nothing stands before them, else queued.

use super::write_rope;
use crate::config::SendOptions;
use crate::delivery::{Known, Outgoing, Payload, SendPayload, is_live, state_to_keep};
use crate::endpoints::Phase;
use crate::engine::Engine;
use crate::error::SendError;
use crate::ids::{DeliveryId, LinkId};
use crate::link::{Half, Sending, TRANSFER_OVERHEAD};
use crate::protocol::{DeliveryState, PlainTransfer, Tag};
use crate::transport::frame;

impl Engine {
    /// Takes a message for sending.
    pub(crate) fn send(
        &mut self,
        id: LinkId,
        tag: &[u8],
        options: &SendOptions,
        mut payload: SendPayload<'_>,
    ) -> Result<Option<DeliveryId>, SendError> {
        if let Some(sent) = self.send_at_once(id, tag, options, &mut payload) {
            return Ok(sent);
        }
        let settled = options.settled;
        let endpoints = &mut self.endpoints;
        let keeps = endpoints.check_send(id, payload.len(), tag, options)? && !settled;
        self.check_state(options.state.as_ref())?;
        let kept = keeps.then(|| share(&mut payload));
        let format = options.message_format;
        let tag = Tag::new(tag).map_err(|error| SendError::TagTooLong(error.len))?;
        let delivery = (!settled).then(|| self.endpoints.remember(id, &tag, format));
        if let Some(payload) = kept
            && let Some(delivery) = delivery
            && let Some(outgoing) = self.endpoints.outgoing.get_mut(delivery)
        {
            outgoing.keep(payload, state_to_keep(options));
        }
        let sending = Sending {
            state: options.state.clone(),
            batchable: options.batchable,
            ..Sending::new(delivery, tag, format, payload.into_payload())
        };
        Ok(self.endpoints.enqueue(id, sending))
    }

    /// Writes a message of one frame, if that is in the same place of the stream where the scheduler would put it. Answers
    /// the delivery, if it is not settled. `None`: nothing was done, because something has to wait or is not allowed.
    ///
    /// This spares the queue, and for borrowed octets an allocation. What it looks at, it looks up once.
    fn send_at_once(
        &mut self,
        id: LinkId,
        tag: &[u8],
        options: &SendOptions,
        payload: &mut SendPayload<'_>,
    ) -> Option<Option<DeliveryId>> {
        let endpoints = &mut self.endpoints;
        let limits = &endpoints.config.limits;
        let size = payload.len();
        let settled = options.settled;
        let nothing_waits = endpoints.control.is_empty() && endpoints.ready.is_empty();
        if !nothing_waits
            || options.state.is_some()
            || self.close_written
            || self.transport.pending().weight() >= limits.output_octets
            || size + TRANSFER_OVERHEAD > self.transport.remote_max() as usize
        {
            return None;
        }
        let link = endpoints.links.get_mut(id)?;
        let session = endpoints.sessions.get_mut(link.session)?;
        if !link.takes(settled, size as u64)
            || session.local != Phase::Open
            || session.outgoing_window.available() == 0
        {
            return None;
        }
        let keeps = link.keeps_deliveries();
        let Half::Sender(sender) = &mut link.half else {
            return None;
        };
        if sender.is_busy() || sender.credit.credit() == 0 {
            return None;
        }
        let channel = session.local_channel?;
        let number = session.next_delivery;
        let mut transfer = PlainTransfer::new(link.local_handle?, number.0, tag)?;
        transfer.message_format = options.message_format;
        transfer.settled = settled;
        transfer.batchable = options.batchable;

        session.next_delivery = number.next();
        session.outgoing_window.send();
        sender.credit.send();
        let mut delivery = None;
        if !settled {
            let format = options.message_format;
            let outgoing = endpoints.outgoing.insert_in_place(
                || Outgoing::new(Known::new(id, Some(number), format)),
                |outgoing| outgoing.known.set_tag(tag),
            );
            if keeps && let Some(outgoing) = endpoints.outgoing.get_mut(outgoing) {
                outgoing.keep(share(payload), state_to_keep(options));
            }
            let live = is_live(&endpoints.outgoing, &endpoints.incoming);
            link.deliveries.push(outgoing.into(), live);
            // Our own ids are dense: there is always a place.
            if session.outgoing.insert(number, outgoing) {
                link.unsettled += 1;
            }
            delivery = Some(outgoing.into());
        }

        let output = self.transport.output();
        let start = frame::begin_short(output, channel, size, |room| transfer.write(room));
        let mut chained = 0;
        match payload {
            SendPayload::Borrowed(octets) => output.buffer().extend_from_slice(octets),
            SendPayload::Shared(rope) => {
                chained = write_rope(output, rope, size, limits.chain_octets);
            }
        }
        self.transport.trace_written(channel, start, chained);
        Some(delivery)
    }

    /// Begins a delivery whose payload is written in pieces.
    pub(crate) fn stream(
        &mut self,
        id: LinkId,
        tag: &[u8],
        options: &SendOptions,
    ) -> Result<DeliveryId, SendError> {
        self.check_state(options.state.as_ref())?;
        self.endpoints.stream(id, tag, options)
    }

    /// A state goes with each transfer, and must leave room for the message.
    fn check_state(&self, state: Option<&DeliveryState>) -> Result<(), SendError> {
        let Some(state) = state else { return Ok(()) };
        let size = state.encoded_len();
        // Half of what a frame has room for, so that a message does not become a thousand of them.
        let limit = (self.transport.remote_max() as usize - TRANSFER_OVERHEAD) / 2;
        if size > limit {
            return Err(SendError::StateTooLarge { size, limit });
        }
        Ok(())
    }
}

/// Shares the payload with what the link remembers of the delivery.
#[cold]
fn share(payload: &mut SendPayload<'_>) -> Payload {
    let shared = core::mem::replace(payload, SendPayload::Borrowed(&[])).into_payload();
    *payload = SendPayload::Shared(shared.clone());
    shared
}
