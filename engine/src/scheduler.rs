//! What goes out next: control frames in the order of their causes, then transfers: sessions in turn, their links in turn.

mod send;

use crate::codec::Encode;
use crate::control::Control;
use crate::delivery::{Counted, Payload};
use crate::endpoints::Phase;
use crate::engine::Engine;
use crate::ids::{LinkId, SessionId};
use crate::link::{After, Half, TRANSFER_OVERHEAD};
use crate::protocol::{
    Condition, DeliveryState, Disposition, Open, PlainTransfer, SenderSettleMode, Tag, Transfer,
    conditions,
};
use crate::seq::Seq;
use crate::transport::Output;
use crate::transport::frame::{self, FrameTooLarge, FrameType};

/// Transfers that a link may write before it is the next one's turn.
const QUANTUM: usize = 16;

/// A frame that has to wait: for the peer's open, or for ever because the peer cannot take it.
enum Held {
    UntilOpen,
    TooLarge,
}

impl Engine {
    /// Encodes what is due, as far as the output has room.
    pub(crate) fn encode_due(&mut self) {
        if !self.transport.is_amqp_begun() || self.close_written {
            return;
        }
        self.encode_control();
        if !self.close_written && self.endpoints.control.is_empty() {
            self.encode_transfers(self.endpoints.limits().output_octets);
        }
        // Transfers can cause control frames: the detach or drained flow that waited for them.
        if !self.endpoints.control.is_empty() {
            self.encode_control();
        }
    }

    fn encode_control(&mut self) {
        // Open is the first frame of a connection; whatever is due before it waits (2.4).
        if self.endpoints.connection.local == Phase::New {
            return;
        }
        // Who does not read gets no more to read, but for a close, which waits for nothing.
        let most = if self.endpoints.connection.local == Phase::Ended {
            usize::MAX
        } else {
            self.endpoints.limits().control_octets.max(1)
        };
        while self.transport.pending().weight() < most
            && let Some(next) = self.endpoints.control.pop_front()
        {
            let (control, _) = next;
            // What was sent before the end should arrive before it.
            match control {
                Control::End(id) => while self.encode_turn(id) {},
                Control::Close => self.encode_transfers(usize::MAX),
                _ => {}
            }
            match self.encode_one(control) {
                Ok(()) => {}
                Err(Held::UntilOpen) if self.endpoints.connection.local == Phase::Ended => {
                    // The close waits for nothing, and all that was to come before it is void: nobody has heard of it.
                    self.endpoints.control.clear();
                    self.endpoints.control.push_back(Control::Close);
                }
                Err(Held::UntilOpen) => {
                    self.endpoints.control.put_back(next);
                    return;
                }
                Err(Held::TooLarge) => self.give_up(control),
            }
        }
    }

    fn encode_one(&mut self, control: Control) -> Result<(), Held> {
        let waits_for_open = self.endpoints.connection.remote == Phase::New
            && !self.endpoints.config.pipelined
            && !matches!(control, Control::Open | Control::Close);
        if waits_for_open {
            return Err(Held::UntilOpen);
        }
        match control {
            Control::Open => {
                let mut open = self.endpoints.make_open();
                if self.transport.write(0, &open).is_err() {
                    // Only a fault can bring it here unchecked: what it is for is to be closed at once.
                    open = Open::new(open.container_id);
                    let _ = self.transport.write(0, &open);
                }
                self.open_written = true;
                self.transport.told_open();
                Ok(())
            }
            Control::Begin(id) => {
                if self.endpoints.begin_exceeds_peer(id) {
                    // Until its open says otherwise, the peer takes channel 0 and no other (2.4.1).
                    if self.endpoints.connection.remote == Phase::New {
                        return Err(Held::UntilOpen);
                    }
                    self.endpoints.drop_session(id);
                    return Ok(());
                }
                let made = self.endpoints.make_begin(id);
                self.write_made(made)
            }
            Control::Attach(id) => {
                if self.endpoints.attach_exceeds_peer(id) {
                    self.endpoints.drop_link(id);
                    return Ok(());
                }
                if let Some((channel, attach)) = self.endpoints.make_resuming_attach(id) {
                    self.write(channel, &attach)?;
                    self.endpoints.attach_written(id, Some(attach));
                } else if let Some((channel, attach)) = self.endpoints.make_attach(id) {
                    let written = self.transport.write(channel, &attach);
                    self.check_written(written)?;
                    self.endpoints.attach_written(id, None);
                }
                Ok(())
            }
            Control::LinkFlow(id) => {
                let made = self.endpoints.make_link_flow(id);
                self.write_made(made)
            }
            Control::SessionFlow(id) => {
                // A link's flow may have told it since.
                let due = self.endpoints.sessions.get(id).is_some_and(|s| s.flow_due);
                let made = self.endpoints.make_session_flow(id).filter(|_| due);
                self.write_made(made)
            }
            Control::Dispositions(id) => {
                self.encode_dispositions(id);
                Ok(())
            }
            Control::Detach(id) => {
                let made = self.endpoints.make_detach(id);
                self.write_made(made)?;
                self.endpoints.detach_written(id);
                Ok(())
            }
            Control::End(id) => {
                if let Some((channel, end)) = self.endpoints.make_end(id) {
                    self.write_or_trim(channel, end, |end| end.error.as_mut());
                }
                self.endpoints.end_written(id);
                Ok(())
            }
            Control::Close => {
                let close = self.endpoints.make_close();
                self.write_or_trim(0, close, |close| close.error.as_mut());
                self.close_written = true;
                // Close is the last frame (2.4.3): what was to follow will not.
                self.endpoints.control.clear();
                self.endpoints.ready.clear();
                Ok(())
            }
        }
    }

    fn write_made<P: Encode>(&mut self, made: Option<(u16, P)>) -> Result<(), Held> {
        match made {
            Some((channel, performative)) => self.write(channel, &performative),
            // Its object ended since: nothing to say.
            None => Ok(()),
        }
    }

    fn write(&mut self, channel: u16, performative: &impl Encode) -> Result<(), Held> {
        let written = self.transport.write(channel, performative);
        self.check_written(written)
    }

    fn check_written(&self, written: Result<(), FrameTooLarge>) -> Result<(), Held> {
        match written {
            Ok(()) => Ok(()),
            // The peer's open may allow larger frames (2.4.1).
            Err(FrameTooLarge) if self.endpoints.connection.remote == Phase::New => {
                Err(Held::UntilOpen)
            }
            Err(FrameTooLarge) => Err(Held::TooLarge),
        }
    }

    /// Writes a frame whose error text is what may make it too large; then without that text.
    fn write_or_trim<P: Encode>(
        &mut self,
        channel: u16,
        mut performative: P,
        error: impl FnOnce(&mut P) -> Option<&mut Condition>,
    ) {
        if self.transport.write(channel, &performative).is_err() {
            if let Some(condition) = error(&mut performative) {
                condition.description = None;
                condition.info = None;
            }
            // What is left has some tens of octets, and every peer takes 512.
            let _ = self.transport.write(channel, &performative);
        }
    }

    /// The peer cannot take a frame that large: the object it is for ends (2.8.15).
    fn give_up(&mut self, control: Control) {
        let mut condition = Condition::new(conditions::FRAME_SIZE_TOO_SMALL);
        condition.description = Some("the frame exceeds the peer's max-frame-size".into());
        match control {
            Control::Detach(id) => {
                if let Some((channel, detach)) = self.endpoints.make_detach(id) {
                    self.write_or_trim(channel, detach, |detach| detach.error.as_mut());
                }
                self.endpoints.detach_written(id);
            }
            Control::Attach(id) | Control::LinkFlow(id) => {
                // The attach was not written, so there is nothing to detach from: the session ends.
                if let Some(link) = self.endpoints.links.get(id) {
                    let session = link.session;
                    self.endpoints.fail_session(session, condition);
                }
            }
            Control::Begin(_) | Control::SessionFlow(_) | Control::Dispositions(_) => {
                self.fail(crate::error::Fault {
                    scope: crate::error::Scope::Connection,
                    condition,
                });
            }
            Control::Open | Control::End(_) | Control::Close => {}
        }
    }

    fn encode_dispositions(&mut self, id: SessionId) {
        let Some(session) = self.endpoints.sessions.get_mut(id) else {
            return;
        };
        // An end that was asked for since stands behind them.
        let Some(channel) = session.local_channel.filter(|_| !session.end_written) else {
            return;
        };
        let mut untold = false;
        session.dispositions.merge();
        for run in session.dispositions.drain() {
            let mut disposition = Disposition::new(run.role, run.first.0);
            disposition.last = (run.last != run.first).then_some(run.last.0);
            disposition.settled = run.settled;
            disposition.state = run.state;
            if self.transport.write(channel, &disposition).is_err() {
                // An outcome whose text does not fit is told without the text.
                disposition.state = disposition.state.map(|state| state.without_details());
                untold |= self.transport.write(channel, &disposition).is_err();
            }
        }
        if untold {
            // The peer would wait for it for ever.
            let text = "a delivery state exceeds the peer's max-frame-size";
            let condition = Condition::with_description(conditions::FRAME_SIZE_TOO_SMALL, text);
            self.endpoints.fail_session(id, condition);
        }
    }

    // ---- transfers ----

    /// Writes transfers until `budget` octets wait or nothing can go on: sessions in turn, and of each
    /// its links in turn, so that none waits for another's credit, window or long message.
    fn encode_transfers(&mut self, budget: usize) {
        while self.transport.pending().weight() < budget {
            let Some(id) = self.endpoints.ready.pop_front() else {
                return;
            };
            if let Some(session) = self.endpoints.sessions.get_mut(id) {
                session.scheduled = false;
            }
            self.encode_turn(id);
            self.endpoints.line_up(id);
        }
    }

    /// Lets the next link of a session write; `false` if none of them can.
    fn encode_turn(&mut self, id: SessionId) -> bool {
        let Some(session) = self.endpoints.sessions.get_mut(id) else {
            return false;
        };
        // A link keeps its place while the window is shut.
        if session.outgoing_window.available() == 0 {
            return false;
        }
        let Some(link) = session.line.pop_front() else {
            return false;
        };
        let mut left = core::mem::take(&mut session.turn).unwrap_or(QUANTUM);
        while left > 0 && self.encode_transfer(link) {
            left -= 1;
        }
        self.endpoints.reschedule(link, left);
        true
    }

    /// Writes the next transfer of a link; `false` if it has none that may go now.
    fn encode_transfer(&mut self, id: LinkId) -> bool {
        let endpoints = &mut self.endpoints;
        let Some(link) = endpoints.links.get_mut(id) else {
            return false;
        };
        let Some(session) = endpoints.sessions.get_mut(link.session) else {
            return false;
        };
        let (Half::Sender(sender), Some(handle), Some(channel)) =
            (&mut link.half, link.local_handle, session.local_channel)
        else {
            return false;
        };
        let Some(sending) = sender.queue.front_mut() else {
            return false;
        };
        if session.outgoing_window.available() == 0 {
            return false;
        }
        if !sending.has_transfer() {
            return false;
        }
        let mut octets = self.transport.remote_max() as usize - TRANSFER_OVERHEAD;
        let chain_octets = endpoints.config.limits.chain_octets;
        if sending.is_plain(octets)
            && sender.settled.is_empty()
            && sender.credit.credit() > 0
            && let number = session.next_delivery
            && let Some(mut transfer) = PlainTransfer::new(handle, number.0, &sending.tag)
        {
            transfer.message_format = sending.format;
            transfer.settled = sending.delivery.is_none();
            transfer.batchable = sending.batchable;
            session.next_delivery = number.next();
            session.outgoing_window.send();
            sender.credit.send();
            if let Some(delivery) = sending.delivery
                && let Some(outgoing) = endpoints.outgoing.get_mut(delivery)
            {
                outgoing.known.set_number(number);
                // Our own ids are dense: there is always a place.
                if session.outgoing.insert(number, delivery) {
                    link.unsettled += 1;
                }
            }
            let size = sending.remaining;
            sender.queued_octets -= size;
            let output = self.transport.output();
            let start = frame::begin_short(output, channel, size, |room| transfer.write(room));
            let chained = write_rope(output, &mut sending.payload, size, chain_octets);
            self.transport.trace_written(channel, start, chained);
            sender.pop_sent();
            return true;
        }
        let mut transfer = Transfer::new(handle);
        if sending.number.is_none() {
            if sender.credit.credit() == 0 {
                return false;
            }
            if let Some(id) = sending.delivery
                && let Some(state) = sender.settled.remove(&id)
            {
                if state.is_none() && link.terms.snd_settle_mode != SenderSettleMode::Unsettled {
                    sending.delivery = None;
                } else {
                    sending.after = After::Settle(state);
                }
            }
            let number = session.next_delivery;
            session.next_delivery = number.next();
            sender.credit.send();
            sending.number = Some(number);
            if let Some(delivery) = sending.delivery {
                // It is not remembered if it was settled already.
                if let Some(outgoing) = endpoints.outgoing.get_mut(delivery) {
                    outgoing.known.set_number(number);
                    // Our own ids are dense: there is always a place.
                    if session.outgoing.insert(number, delivery) {
                        link.unsettled += 1;
                    }
                }
            }
            first_transfer(&mut transfer, number, &sending.tag, sending.format);
            if let Some(resumes) = &mut sending.resumes {
                transfer.resume = true;
                transfer.state = resumes.state.take().map(Counted::into_state);
            }
        }
        // Settled is said on every transfer: some peers look at the first, some at the last (2.7.5).
        let unsettled = sending.resumes.as_ref().is_some_and(|r| r.unsettled);
        transfer.settled =
            (sending.delivery.is_none() && !sending.aborted && !unsettled).then_some(true);
        session.outgoing_window.send();
        if transfer.state.is_none() && !sending.aborted {
            transfer.state.clone_from(&sending.state);
        }
        if let Some(state) = transfer.state.take() {
            // That this leaves room was checked when the message was taken for sending; an outcome that a resumed
            // delivery tells comes without payload, and `received` is small.
            let state = fitting(state, octets);
            octets = octets.saturating_sub(state.encoded_len()).max(1);
            transfer.state = Some(state);
        }
        transfer.more = sending.remaining > octets || sending.open.is_some();
        transfer.aborted = sending.aborted;
        transfer.batchable = sending.batchable;
        let count = sending.remaining.min(octets);
        sending.remaining -= count;
        sender.queued_octets -= count;
        let output = self.transport.output();
        let start = frame::begin(output, FrameType::Amqp, channel);
        transfer.encode(output.buffer());
        let chained = write_rope(output, &mut sending.payload, count, chain_octets);
        frame::finish(output, start, chained);
        self.transport.trace_written(channel, start, chained);
        if !transfer.more
            && let Some(sent) = sender.pop_sent()
            && let (After::Settle(state), Some(number)) = (sent.after, sent.number)
        {
            let session = link.session;
            endpoints.settle_sent(session, number, state);
        }
        true
    }
}

/// The state, or if a frame has no room for it the state without its text.
fn fitting(state: DeliveryState, octets: usize) -> DeliveryState {
    if state.encoded_len() > octets {
        state.without_details()
    } else {
        state
    }
}

fn first_transfer(transfer: &mut Transfer, number: Seq, tag: &[u8], format: u32) {
    transfer.delivery_id = Some(number.0);
    // Filled where it lies, which is quicker than to move one. Its length was checked before.
    let _ = transfer.delivery_tag.insert(Tag::default()).set(tag);
    transfer.message_format = Some(format);
}

/// Takes `count` octets off the front of a rope and writes them, the large pieces without a copy. Answers how many lie
/// beside the buffer.
fn write_rope(
    output: &mut Output,
    rope: &mut Payload,
    mut count: usize,
    chain_octets: usize,
) -> usize {
    let mut chained = 0;
    while count > 0 {
        let piece = rope.take_front(count);
        count -= piece.len();
        if piece.len() >= chain_octets {
            chained += piece.len();
            output.append(piece);
        } else {
            output.buffer().extend_from_slice(&piece);
        }
    }
    chained
}

const _: () = assert!(TRANSFER_OVERHEAD < 512, "every frame has room for payload");
