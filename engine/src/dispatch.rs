//! From frames to the endpoints: which performative is it, and who handles it.

use alloc::collections::BTreeMap;
use core::ops::Range;

use bytes::Bytes;

use crate::charges;
use crate::codec::{Decode, DecodeError, Reader, skip};
use crate::delivery::PLAIN_STATE;
use crate::engine::{Engine, codec_limits};
use crate::error::{Fault, Scope};
use crate::protocol::{
    Attach, Begin, Close, Condition, Detach, Disposition, End, Flow, Open, PlainTransfer, Transfer,
    conditions, read_descriptor,
};
use crate::transport::Transport;
use crate::transport::frame::{Frame, FrameType};

/// Octets that come at once, and are not worth a look whether much of them is kept for the sake of little.
const FEW: usize = 4 << 10;
/// Of a buffer that has more room, what waits takes up at least one part of so many, or does not keep it.
const SPARSE: u64 = 4;

impl Engine {
    /// Handles whole frames, in order, until one of them ends the connection. The buffer that they lie in has `room` for so many
    /// octets behind them.
    pub(crate) fn dispatch(&mut self, octets: &Bytes, room: usize) {
        let before = self.endpoints.charges.waiting;
        let mut at = 0;
        while at < octets.len() && !self.transport.has_stopped_reading() {
            let plain = self.take_plain(octets, at);
            if plain > at {
                at = plain;
                continue;
            }
            let frame = match Frame::read(octets, at, FrameType::Amqp) {
                Ok(frame) => frame,
                Err(fault) => {
                    self.transport.stop_reading();
                    self.fail(fault);
                    return;
                }
            };
            at = frame.end;
            if self.transport.is_tracing() {
                note_heard(&mut self.transport, octets, frame);
            }
            // An empty frame is a heartbeat on whatever channel it comes (2.4.5).
            if frame.body < frame.end
                && let Err(fault) = self.dispatch_frame(octets, frame)
            {
                self.fail(fault);
            }
        }
        // Payloads are pieces of what was read. Where most of that was something else, they do not keep all of it alive: what
        // waits is counted, and that would not be.
        let counted = self.endpoints.charges.waiting.saturating_sub(before);
        let is_among_others = octets.len() > FEW && counted < octets.len() as u64;
        // A program that reads little at a time with room for much does that too. One that takes at once what comes pays nothing.
        let all = octets.len().saturating_add(room);
        let is_sparse = before > 0 && all > FEW && counted.saturating_mul(SPARSE) < all as u64;
        if counted > 0 && (is_among_others || is_sparse) {
            self.copy_out(octets);
        }
    }

    /// Takes the deliveries that begin at `start` and are whole in one transfer each, as far as they are for one link. Answers
    /// where the frames behind them begin; whatever is out of the ordinary is left to [`dispatch_frame`](Self::dispatch_frame).
    fn take_plain(&mut self, octets: &Bytes, start: usize) -> usize {
        let Some((channel, handle)) = link_at(octets, start) else {
            return start;
        };
        let Some(mut arrivals) = self.endpoints.arrivals(channel, handle) else {
            return start;
        };
        let mut at = start;
        while let Some((frame, transfer, from_tag)) = plain_at(octets, at)
            && arrivals.is_for(frame.channel, &transfer)
        {
            if !arrivals.take(&transfer, octets, from_tag, frame.end) {
                break;
            }
            if self.transport.is_tracing() {
                note_heard(&mut self.transport, octets, frame);
            }
            at = frame.end;
        }
        if at > start
            && let Some(session) = arrivals.finish()
        {
            self.endpoints.request_session_flow(session);
        }
        at
    }

    /// Gives what waits of these frames octets of its own.
    #[cold]
    fn copy_out(&mut self, octets: &Bytes) {
        let mut transfers = BTreeMap::new();
        let mut at = 0;
        while let Ok(frame) = Frame::read(octets, at, FrameType::Amqp)
            && frame.end > at
        {
            at = frame.end;
            let mut reader = Reader::within(octets, frame.body, frame.end);
            if let Ok(Transfer::DESCRIPTOR) = read_descriptor(&mut reader)
                && let Some(handle) = handle_in(octets, reader.position()..frame.end, 0)
            {
                *transfers.entry((frame.channel, handle)).or_insert(0) += 1;
            }
        }
        for ((channel, handle), count) in transfers {
            self.endpoints.copy_out(channel, handle, count, octets);
        }
    }

    // Decodes into exactly the type that the descriptor names and hands that on, what comes most often by
    // reference: a value that could be any performative would be as large as the largest, and each move of
    // one that was just written costs as much as the decoding of several fields.
    fn dispatch_frame(&mut self, octets: &Bytes, frame: Frame) -> Result<(), Fault> {
        let channel = frame.channel;
        let mut reader = Reader::within(octets, frame.body, frame.end);
        reader.limit(&self.codec_limits);
        let code = read_descriptor(&mut reader)
            .map_err(|error| Fault::decode("frame", &error.relative_to(frame.body)))?;
        if self.endpoints.connection.is_discarding() && code != Close::DESCRIPTOR {
            if code == Open::DESCRIPTOR {
                // What follows is not before open, of which there may be less.
                self.transport.take_frames();
            }
            return Ok(());
        }
        let endpoints = &mut self.endpoints;
        let at = reader.position();
        match code {
            Transfer::DESCRIPTOR => match &Transfer::decode_body(&mut reader) {
                Ok(transfer) => endpoints.on_transfer(channel, transfer, reader.rest()),
                Err(error) => self.undecodable(channel, code, octets, at..frame.end, error),
            },
            // The state that it tells is kept until the caller asks for it: most are but a word.
            Disposition::DESCRIPTOR if frame.end - at > PLAIN_STATE => {
                let list = octets.get(at..frame.end).unwrap_or_default();
                self.dispatch_kept(channel, code, &Bytes::copy_from_slice(list))
            }
            Disposition::DESCRIPTOR => match &mut Disposition::decode_body(&mut reader) {
                Ok(disposition) => endpoints.on_disposition(channel, disposition),
                Err(error) => self.undecodable(channel, code, octets, at..frame.end, error),
            },
            Flow::DESCRIPTOR => match &Flow::decode_body(&mut reader) {
                Ok(flow) => endpoints.on_flow(channel, flow),
                Err(error) => self.undecodable(channel, code, octets, at..frame.end, error),
            },
            _ => {
                // What these say is kept for as long as its object lives, and must not keep the whole
                // of what was read together with it.
                let list = octets.get(at..frame.end).unwrap_or_default();
                self.dispatch_kept(channel, code, &Bytes::copy_from_slice(list))
            }
        }
    }

    /// Handles the frames that begin and end things; `list` holds the fields of this one.
    fn dispatch_kept(&mut self, channel: u16, code: u64, list: &Bytes) -> Result<(), Fault> {
        let mut reader = Reader::within(list, 0, list.len());
        reader.limit(&self.codec_limits);
        let reader = &mut reader;
        let endpoints = &mut self.endpoints;
        let error = match code {
            Attach::DESCRIPTOR => match Attach::decode_body(reader) {
                Ok(attach) => {
                    let said = charges::of_attach(&attach, list);
                    return endpoints.on_attach(channel, &attach, list, said);
                }
                Err(error) => error,
            },
            Detach::DESCRIPTOR => match Detach::decode_body(reader) {
                Ok(detach) => return endpoints.on_detach(channel, detach, list.len()),
                Err(error) => error,
            },
            Begin::DESCRIPTOR => match Begin::decode_body(reader) {
                Ok(begin) => {
                    let said = charges::of_begin(&begin, list.len());
                    return endpoints.on_begin(channel, begin, said);
                }
                Err(error) => error,
            },
            End::DESCRIPTOR => match End::decode_body(reader) {
                Ok(end) => return endpoints.on_end(channel, end, list.len()),
                Err(error) => error,
            },
            Disposition::DESCRIPTOR => match Disposition::decode_body(reader) {
                Ok(disposition) => {
                    return endpoints.on_large_disposition(channel, disposition, list.len());
                }
                Err(error) => error,
            },
            Open::DESCRIPTOR => match Open::decode_body(reader) {
                Ok(open) => {
                    self.endpoints.charges.said = charges::of_open(&open, list.len());
                    return self.take_open(channel, open);
                }
                Err(error) => error,
            },
            Close::DESCRIPTOR => match Close::decode_body(reader) {
                Ok(close) => return self.take_close(close),
                Err(error) => error,
            },
            other => {
                let text = alloc::format!("descriptor {other:#x} is not a performative");
                return Err(Fault::connection(conditions::DECODE_ERROR, text));
            }
        };
        self.undecodable(channel, code, list, 0..list.len(), &error)
    }

    fn take_open(&mut self, channel: u16, open: Open) -> Result<(), Fault> {
        let (max, idle) = (open.max_frame_size, open.idle_time_out);
        self.endpoints.on_open(channel, open)?;
        self.transport.set_remote_max(max);
        self.transport.take_frames();
        self.codec_limits = codec_limits(self.endpoints.limits(), true);
        let ours = self.endpoints.config.idle_time_out;
        self.transport.idle.open(ours, idle)
    }

    fn take_close(&mut self, close: Close) -> Result<(), Fault> {
        // Where all else is discarded, so was the open before it.
        if !self.endpoints.connection.is_discarding() {
            self.endpoints.check_open("close")?;
        }
        self.endpoints.on_close(close);
        self.transport.stop_reading();
        Ok(())
    }

    /// The fields of a performative cannot be decoded. The frame around them could, so what is to end is only what they are
    /// about (2.8.14): a link if its handle can be read, else the session of the channel, else the connection. What ends by
    /// the frame itself has ended, whatever else it says.
    #[cold]
    fn undecodable(
        &mut self,
        channel: u16,
        code: u64,
        octets: &Bytes,
        list: Range<usize>,
        error: &DecodeError,
    ) -> Result<(), Fault> {
        // Where in the fields, not where in what happened to be read together with them.
        let error = error.relative_to(list.start);
        let endpoints = &mut self.endpoints;
        let broken = |what: &str| {
            let text = alloc::format!("{what}: {error}");
            Condition::with_description(conditions::DECODE_ERROR, text)
        };
        match code {
            Transfer::DESCRIPTOR => {
                let handle = handle_in(octets, list, 0);
                endpoints.on_broken_transfer(channel, handle, broken("transfer"))
            }
            Flow::DESCRIPTOR => {
                let handle = handle_in(octets, list, 4);
                endpoints.on_broken(channel, "flow", handle, broken("flow"))
            }
            Disposition::DESCRIPTOR => {
                endpoints.on_broken(channel, "disposition", None, broken("disposition"))
            }
            Attach::DESCRIPTOR => endpoints.on_broken(channel, "attach", None, broken("attach")),
            Detach::DESCRIPTOR => {
                let handle = handle_in(octets, list, 0);
                let fault = endpoints.on_broken(channel, "detach", handle, broken("detach"));
                if let Err(fault) = fault {
                    self.fail(fault);
                }
                let Some(handle) = handle else { return Ok(()) };
                let mut detach = Detach::new(handle);
                detach.closed = true;
                self.endpoints.on_detach(channel, detach, 0)
            }
            End::DESCRIPTOR => {
                if let Err(fault) = endpoints.on_broken(channel, "end", None, broken("end")) {
                    self.fail(fault);
                }
                self.endpoints.on_end(channel, End::default(), 0)
            }
            Close::DESCRIPTOR => {
                self.fail(Fault {
                    scope: Scope::Connection,
                    condition: broken("close"),
                });
                self.take_close(Close::default())
            }
            Begin::DESCRIPTOR => Err(Fault::decode("begin", &error)),
            _ => Err(Fault::decode("open", &error)),
        }
    }
}

/// Channel and handle of the transfer in the frame that begins at `at`, as far as [`plain_at`] could say more of it.
#[inline]
fn link_at(octets: &[u8], at: usize) -> Option<(u16, u32)> {
    let frame = Frame::plain(octets, at)?;
    let handle = PlainTransfer::handle_in(octets.get(frame.body..frame.end)?)?;
    Some((frame.channel, handle))
}

/// The transfer in the frame that begins at `at`, if both are as nearly all are: the frame, what it says, and where its
/// tag begins and its payload.
#[inline(always)]
fn plain_at(octets: &[u8], at: usize) -> Option<(Frame, PlainTransfer<'_>, Range<usize>)> {
    let frame = Frame::plain(octets, at)?;
    let (transfer, from_tag) = PlainTransfer::read(octets.get(frame.body..frame.end)?)?;
    let begins = frame.body + from_tag.start..frame.body + from_tag.end;
    Some((frame, transfer, begins))
}

/// Adds a frame that came to the trace, whichever way it is handled: to look on changes nothing.
#[cold]
fn note_heard(transport: &mut Transport, octets: &Bytes, frame: Frame) {
    let body = octets.slice(frame.body..frame.end);
    transport.note(|| crate::trace::line(frame.channel, "<-", &body, 0));
}

/// The handle in a list of fields that is broken somewhere, if it can be read.
fn handle_in(octets: &Bytes, list: Range<usize>, index: usize) -> Option<u32> {
    let mut reader = Reader::within(octets, list.start, list.end);
    let constructor = reader.u8().ok()?;
    // It is left open: what follows the handle may be anything.
    let _list = reader.open_list(constructor).ok()?;
    for _ in 0..index {
        skip(&mut reader).ok()?;
    }
    u32::decode(&mut reader).ok()
}
