//! From frames to the endpoints: which performative is it, and who handles it.

use bytes::Bytes;

use crate::codec::{DecodeError, Reader};
use crate::engine::Engine;
use crate::error::Fault;
use crate::protocol::{
    Attach, Begin, Close, Detach, Disposition, End, Flow, Open, Transfer, conditions,
    read_descriptor,
};
use crate::transport::frame::{Frame, FrameType};

impl Engine {
    /// Handles whole frames, in order, until one of them ends the connection.
    pub(crate) fn dispatch(&mut self, octets: &Bytes) {
        let mut at = 0;
        while at < octets.len() && !self.transport.has_stopped_reading() {
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
                let body = octets.slice(frame.body..frame.end);
                self.transport
                    .note(|| crate::trace::line(frame.channel, "<-", &body, 0));
            }
            // An empty frame is a heartbeat on whatever channel it comes (2.4.5).
            if frame.body < frame.end
                && let Err(fault) = self.dispatch_frame(octets, frame)
            {
                self.fail(fault);
            }
        }
    }

    // Decodes into exactly the type that the descriptor names and hands that on, what comes most often by
    // reference: a value that could be any performative would be as large as the largest, and each move of
    // one that was just written costs as much as the decoding of several fields.
    fn dispatch_frame(&mut self, octets: &Bytes, frame: Frame) -> Result<(), Fault> {
        let channel = frame.channel;
        // Where in the frame, not where in what happened to be read together with it.
        let decode =
            |what, error: &DecodeError| Fault::decode(what, &error.relative_to(frame.body));
        let mut reader = Reader::within(octets, frame.body, frame.end);
        let code = read_descriptor(&mut reader).map_err(|error| decode("frame", &error))?;
        if self.endpoints.is_discarding() && code != Close::DESCRIPTOR {
            return Ok(());
        }
        let endpoints = &mut self.endpoints;
        match code {
            Transfer::DESCRIPTOR => match &Transfer::decode_body(&mut reader) {
                Ok(transfer) => endpoints.on_transfer(channel, transfer, reader.rest()),
                Err(error) => Err(decode("transfer", error)),
            },
            Disposition::DESCRIPTOR => match &Disposition::decode_body(&mut reader) {
                Ok(disposition) => endpoints.on_disposition(channel, disposition),
                Err(error) => Err(decode("disposition", error)),
            },
            Flow::DESCRIPTOR => {
                let flow =
                    Flow::decode_body(&mut reader).map_err(|error| decode("flow", &error))?;
                endpoints.on_flow(channel, &flow)
            }
            _ => {
                // What these say is kept for as long as its object lives, and must not keep the whole
                // of what was read together with it.
                let at = reader.position() - frame.body;
                let body = octets.get(frame.body..frame.end).unwrap_or_default();
                self.dispatch_kept(channel, code, &Bytes::copy_from_slice(body), at)
            }
        }
    }

    /// Handles the frames that begin and end things; the fields of this one begin at `at` of `body`.
    fn dispatch_kept(
        &mut self,
        channel: u16,
        code: u64,
        body: &Bytes,
        at: usize,
    ) -> Result<(), Fault> {
        let mut reader = Reader::within(body, at, body.len());
        let reader = &mut reader;
        let endpoints = &mut self.endpoints;
        match code {
            Attach::DESCRIPTOR => {
                let attach = kept("attach", Attach::decode_body(reader))?;
                endpoints.on_attach(channel, attach)
            }
            Detach::DESCRIPTOR => {
                let detach = kept("detach", Detach::decode_body(reader))?;
                endpoints.on_detach(channel, detach)
            }
            Begin::DESCRIPTOR => {
                let begin = kept("begin", Begin::decode_body(reader))?;
                endpoints.on_begin(channel, begin)
            }
            End::DESCRIPTOR => {
                let end = kept("end", End::decode_body(reader))?;
                endpoints.on_end(channel, end)
            }
            Open::DESCRIPTOR => {
                let open = kept("open", Open::decode_body(reader))?;
                let (max, idle) = (open.max_frame_size, open.idle_time_out);
                endpoints.on_open(channel, open)?;
                self.transport.set_remote_max(max);
                let ours = self.endpoints.config.idle_time_out;
                self.transport.idle.open(ours, idle);
                Ok(())
            }
            Close::DESCRIPTOR => {
                let close = kept("close", Close::decode_body(reader))?;
                endpoints.check_open("close")?;
                endpoints.on_close(close);
                self.transport.stop_reading();
                Ok(())
            }
            other => {
                let text = alloc::format!("descriptor {other:#x} is not a performative");
                Err(Fault::connection(conditions::NOT_IMPLEMENTED, text))
            }
        }
    }
}

fn kept<T>(what: &'static str, decoded: Result<T, DecodeError>) -> Result<T, Fault> {
    decoded.map_err(|error| Fault::decode(what, &error))
}
