//! The bottom half: octets to frames and frames to octets. Knows no connection, session or link.
//!
//! A connection goes through layers, each begun by a protocol header (2.2): SASL first if it is
//! configured, then AMQP. [`Transport::next`] takes octets off the input until there is something
//! for the engine to do.

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::cast_lossless
    )
)]

pub(crate) mod frame;
mod header;
mod idle;
mod output;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;

use bytes::{Buf, Bytes, BytesMut};

use crate::codec::{Encode, Str, Symbol};
use crate::error::{Failure, Fault, HeaderFailure, SaslFailure, UsageError};
use crate::limits::Limits;
use crate::protocol::{SaslFrame, conditions};
use crate::sasl::{
    Bounds, ClientStage, SaslAnswer, SaslClient, SaslConfig, SaslRequest, SaslServer, ServerStage,
    Stage, Step,
};
use crate::time::Time;
use frame::{FRAME_HEADER, Frame, FrameTooLarge, FrameType, MIN_MAX_FRAME_SIZE};
use header::{HEADER_SIZE, Protocol};
pub(crate) use idle::Idle;
pub(crate) use output::Output;

/// Octets that room is made for by what a frame says of its size; for more only as they come.
const WANTED: usize = 64 << 10;

/// What the engine is to do with what came in.
#[derive(Debug)]
pub(crate) enum Input {
    /// Whole AMQP frames, one after the other.
    Frames(Bytes),
    /// The SASL exchange waits for the embedder's answer.
    Authenticate,
    /// SASL ended with success.
    Authenticated,
    /// The peer broke the framing; the connection must be closed with this.
    Fault(Fault),
    /// The connection cannot even be closed: the layers below AMQP failed.
    Failed(Failure),
}

/// What comes next from the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// A protocol header. `None`: a server that takes whatever layer the client begins with.
    Header(Option<Protocol>),
    Sasl,
    /// AMQP frames until open is among them.
    Open,
    Amqp,
    /// Nothing more is taken.
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Transport {
    reading: Reading,
    /// Whether our AMQP header has been written, so that frames may follow.
    amqp_begun: bool,
    sasl: Option<Stage>,
    /// What to answer a client that begins with SASL.
    server: Option<SaslServer>,
    sasl_bounds: Bounds,
    /// What the SASL exchange was made with, once it is over.
    mechanism: Option<Symbol>,
    output: Output,
    /// The largest frame we take, and the largest the peer takes.
    local_max: u32,
    remote_max: u32,
    sasl_max: u32,
    /// Octets that may still come before the peer's open has.
    early_left: u32,
    early_limit: u32,
    /// Whether the peer can know the largest frame we take.
    told_max: bool,
    pub(crate) idle: Idle,
    trace: Option<VecDeque<String>>,
}

impl Transport {
    pub(crate) fn new(
        is_client: bool,
        config: &SaslConfig,
        hostname: Option<Str>,
        local_max: u32,
        limits: &Limits,
    ) -> Self {
        let sasl_max = limits.sasl_frame_size.max(MIN_MAX_FRAME_SIZE);
        // Larger frames of SASL come before open too.
        let early = limits
            .octets_before_open
            .saturating_add(sasl_max.saturating_sub(MIN_MAX_FRAME_SIZE));
        let mut transport = Self {
            reading: Reading::Nothing,
            amqp_begun: false,
            sasl: None,
            server: None,
            sasl_bounds: limits.into(),
            mechanism: None,
            output: Output::default(),
            local_max,
            remote_max: MIN_MAX_FRAME_SIZE,
            sasl_max,
            early_left: early,
            early_limit: early,
            told_max: false,
            idle: Idle::default(),
            trace: None,
        };
        // What the other side logs in with, or asks for, lets nobody in on this one.
        match (config, is_client) {
            (SaslConfig::None, _) => {}
            (SaslConfig::Client(_) | SaslConfig::Server(_), true) => {
                let client = match config {
                    SaslConfig::Client(client) => client.clone(),
                    _ => SaslClient::nothing(),
                };
                let stage = ClientStage::new(client, hostname, limits.into());
                transport.sasl = Some(Stage::Client(Box::new(stage)));
            }
            (SaslConfig::Server(server), false) => transport.server = Some(server.clone()),
            (SaslConfig::Client(_), false) => transport.server = Some(SaslServer::new([])),
        }
        // A client speaks first; a server listens for what the client wants (2.2).
        if is_client {
            let first = if transport.sasl.is_some() {
                Protocol::Sasl
            } else {
                Protocol::Amqp
            };
            transport.write_header(first);
            transport.reading = Reading::Header(Some(first));
        } else {
            transport.reading = Reading::Header(None);
        }
        transport
    }

    // ---- input ----

    /// Takes octets off `input` until something is to be done, at most so many frames; `None` when more octets
    /// are needed.
    pub(crate) fn next(&mut self, input: &mut BytesMut, most: usize) -> Option<Input> {
        loop {
            match self.reading {
                Reading::Header(expected) => {
                    let octets = *input.first_chunk::<HEADER_SIZE>()?;
                    input.advance(HEADER_SIZE);
                    let size = u32::try_from(HEADER_SIZE).unwrap_or(u32::MAX);
                    self.early_left = self.early_left.saturating_sub(size);
                    if let Some(failed) = self.read_header(octets, expected) {
                        self.reading = Reading::Nothing;
                        return Some(Input::Failed(failed));
                    }
                }
                Reading::Sasl => {
                    // Which layer is next is not known before the answer (2.2): until then octets only wait.
                    if self.sasl_request().is_some() {
                        let waiting = self.early_left_after(input.len());
                        return waiting.err().map(|fault| self.fail_sasl(&fault));
                    }
                    // One at a time: what follows the outcome is not SASL any more.
                    let octets = match self.early_frame(input, self.sasl_max) {
                        Ok(octets) => octets?,
                        Err(fault) => return Some(self.fail_sasl(&fault)),
                    };
                    if let Some(done) = self.read_sasl(&octets) {
                        return Some(done);
                    }
                }
                Reading::Open => {
                    return match self.early_frame(input, self.opening_max()) {
                        Ok(octets) => octets.map(Input::Frames),
                        Err(fault) => {
                            self.reading = Reading::Nothing;
                            Some(Input::Fault(fault))
                        }
                    };
                }
                Reading::Amqp => {
                    return match frame::whole_frames(input, self.local_max, most) {
                        Ok(0) => None,
                        Ok(end) => Some(Input::Frames(input.split_to(end).freeze())),
                        Err(fault) => Some(self.bad_frame(input, fault)),
                    };
                }
                Reading::Nothing => {
                    input.clear();
                    return None;
                }
            }
        }
    }

    /// The next frame of those before open has come. What it says of its size counts at once: what is too much is not waited
    /// for.
    fn early_frame(&mut self, input: &mut BytesMut, most: u32) -> Result<Option<Bytes>, Fault> {
        let end = frame::whole_frames(input, most, 1)?;
        let Some(size) = input.first_chunk().map(|size| u32::from_be_bytes(*size)) else {
            return Ok(None);
        };
        let left = self.early_left_after(size as usize)?;
        if end == 0 {
            return Ok(None);
        }
        self.early_left = left;
        Ok(Some(input.split_to(end).freeze()))
    }

    /// How many octets may still come before open once so many have.
    fn early_left_after(&self, octets: usize) -> Result<u32, Fault> {
        let octets = u32::try_from(octets).unwrap_or(u32::MAX);
        self.early_left.checked_sub(octets).ok_or_else(|| {
            let text = format!("more than {} octets before open", self.early_limit);
            Fault::connection(conditions::RESOURCE_LIMIT_EXCEEDED, text)
        })
    }

    /// The largest frame while the peer's open is waited for: that is 512, unless ours told more before (2.4.1).
    const fn opening_max(&self) -> u32 {
        if self.told_max {
            self.local_max
        } else {
            MIN_MAX_FRAME_SIZE
        }
    }

    /// Our open was written, and with it the largest frame we take.
    pub(crate) const fn told_open(&mut self) {
        self.told_max = true;
    }

    /// The peer's open has come: from now on frames are taken as they come.
    pub(crate) const fn take_frames(&mut self) {
        if matches!(self.reading, Reading::Open) {
            self.reading = Reading::Amqp;
        }
    }

    /// The frames before a bad one still count: hand them over, and come back for the bad one.
    fn bad_frame(&mut self, input: &mut BytesMut, fault: Fault) -> Input {
        let mut good: usize = 0;
        while let Some(rest) = input.get(good..)
            && let Ok(size @ 1..) = frame::whole_frames(rest, self.local_max, 1)
        {
            good = good.saturating_add(size);
        }
        if good > 0 {
            return Input::Frames(input.split_to(good).freeze());
        }
        self.reading = Reading::Nothing;
        Input::Fault(fault)
    }

    /// Takes nothing more from the peer.
    pub(crate) const fn stop_reading(&mut self) {
        self.reading = Reading::Nothing;
    }

    pub(crate) const fn has_stopped_reading(&self) -> bool {
        matches!(self.reading, Reading::Nothing)
    }

    /// Octets that a buffer must hold for the frame at the front of `input` to be whole. For a large one it is less: what
    /// the peer only says is there makes nothing much larger than what is.
    pub(crate) fn wanted(&self, input: &[u8]) -> usize {
        let most = match self.reading {
            Reading::Sasl => self.sasl_max,
            Reading::Open => self.opening_max(),
            Reading::Amqp => self.local_max,
            Reading::Header(_) | Reading::Nothing => return FRAME_HEADER,
        };
        let Some(size) = input.first_chunk() else {
            return FRAME_HEADER;
        };
        let size = u32::from_be_bytes(*size).min(most) as usize;
        size.min(input.len().saturating_mul(2).max(WANTED))
    }

    fn read_header(
        &mut self,
        octets: [u8; HEADER_SIZE],
        expected: Option<Protocol>,
    ) -> Option<Failure> {
        let found = match Protocol::read(octets) {
            Ok(found) => found,
            Err(failure) => {
                // A server names what it would have taken before it hangs up (2.2).
                if let Some(owed) = self.owed_header(expected) {
                    self.write_header(owed);
                }
                return Some(Failure::Header(failure));
            }
        };
        self.note(|| format!("<- {}", found.name()));
        match (expected, found) {
            (None, Protocol::Sasl) => match self.server.take() {
                Some(server) => {
                    self.write_header(Protocol::Sasl);
                    let stage = ServerStage::new(server, self.sasl_bounds);
                    let offer = stage.offer();
                    self.sasl = Some(Stage::Server(Box::new(stage)));
                    self.reading = Reading::Sasl;
                    match self.take_step(offer) {
                        Some(Input::Failed(failure)) => Some(failure),
                        _ => None,
                    }
                }
                None => {
                    self.write_header(Protocol::Amqp);
                    Some(unsupported(octets))
                }
            },
            (None, Protocol::Amqp) => {
                if self.server.as_ref().is_some_and(SaslServer::is_required) {
                    self.write_header(Protocol::Sasl);
                    return Some(Failure::Header(HeaderFailure::SaslRequired));
                }
                self.write_header(Protocol::Amqp);
                self.reading = Reading::Open;
                None
            }
            (Some(expected), found) if expected == found => {
                self.reading = match found {
                    Protocol::Sasl => Reading::Sasl,
                    Protocol::Amqp => Reading::Open,
                };
                if let Some(owed) = self.owed_header(Some(expected)) {
                    self.write_header(owed);
                }
                None
            }
            (Some(_), Protocol::Sasl) => match self.owed_header(expected) {
                Some(owed) => {
                    self.write_header(owed);
                    Some(unsupported(octets))
                }
                None => Some(Failure::Header(HeaderFailure::SaslRequired)),
            },
            (Some(_), Protocol::Amqp) => {
                let text = "the server does not use SASL; connect without it".into();
                Some(Failure::Sasl(SaslFailure::Protocol(text)))
            }
        }
    }

    /// The header of this side that has not been written when the peer's comes: a server's, of the layer that it would take.
    const fn owed_header(&self, expected: Option<Protocol>) -> Option<Protocol> {
        match expected {
            None if self.server.is_some() => Some(Protocol::Sasl),
            None => Some(Protocol::Amqp),
            // The second layer, to a client whose SASL ended well.
            Some(Protocol::Amqp) if !self.amqp_begun => Some(Protocol::Amqp),
            Some(_) => None,
        }
    }

    fn read_sasl(&mut self, octets: &Bytes) -> Option<Input> {
        let body = match Frame::read(octets, 0, FrameType::Sasl) {
            Ok(frame) => octets.slice(frame.body..frame.end),
            Err(fault) => return Some(self.fail_sasl(&fault)),
        };
        let frame = match SaslFrame::decode(&body) {
            Ok((frame, used)) if used == body.len() => frame,
            Ok(_) => {
                let text = "a SASL frame has more in it than one value (5.3.1)";
                let fault = Fault::connection(conditions::CONNECTION_FRAMING_ERROR, text);
                return Some(self.fail_sasl(&fault));
            }
            Err(error) => {
                let fault = Fault::decode("SASL frame", &error);
                return Some(self.fail_sasl(&fault));
            }
        };
        self.note(|| format!("<- {frame}"));
        let step = match &mut self.sasl {
            Some(stage) => stage.receive(frame),
            None => return None,
        };
        self.take_step(step)
    }

    fn fail_sasl(&mut self, fault: &Fault) -> Input {
        self.reading = Reading::Nothing;
        let text = match &fault.condition.description {
            Some(text) => String::from(text.as_str()),
            None => String::new(),
        };
        Input::Failed(Failure::Sasl(SaslFailure::Protocol(text)))
    }

    fn take_step(&mut self, step: Step) -> Option<Input> {
        if let Some(frame) = step.send
            && let Err(failure) = self.write_sasl(&frame)
        {
            self.reading = Reading::Nothing;
            return Some(Input::Failed(Failure::Sasl(failure)));
        }
        match step.outcome {
            Some(Ok(())) => {
                self.mechanism = self.sasl_mechanism().cloned();
                // A client goes on at once: its header, open and more may leave in one write.
                if matches!(self.sasl, Some(Stage::Client(_))) {
                    self.write_header(Protocol::Amqp);
                }
                self.sasl = None;
                self.reading = Reading::Header(Some(Protocol::Amqp));
                Some(Input::Authenticated)
            }
            Some(Err(failure)) => {
                self.reading = Reading::Nothing;
                Some(Input::Failed(Failure::Sasl(failure)))
            }
            None => step.ask.then_some(Input::Authenticate),
        }
    }

    // ---- SASL answers ----

    pub(crate) const fn sasl_request(&self) -> Option<&SaslRequest> {
        match &self.sasl {
            Some(stage) => stage.request(),
            None => None,
        }
    }

    /// The embedder's answer to [`sasl_request`](Self::sasl_request).
    pub(crate) fn answer_sasl(&mut self, answer: SaslAnswer) -> Result<Option<Input>, UsageError> {
        match &mut self.sasl {
            Some(stage) if stage.request().is_some() => {
                let step = stage.answer(answer)?;
                Ok(self.take_step(step))
            }
            _ => Err(UsageError::WrongState(
                "the SASL exchange asks nothing; wait for Event::Authenticate",
            )),
        }
    }

    pub(crate) const fn sasl_hostname(&self) -> Option<&Str> {
        match &self.sasl {
            Some(Stage::Server(stage)) => stage.hostname(),
            _ => None,
        }
    }

    pub(crate) const fn sasl_mechanism(&self) -> Option<&Symbol> {
        match &self.sasl {
            Some(stage) => stage.mechanism(),
            None => self.mechanism.as_ref(),
        }
    }

    // ---- output ----

    pub(crate) const fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    pub(crate) const fn pending(&self) -> &Output {
        &self.output
    }

    /// Whether AMQP frames may be written yet.
    pub(crate) const fn is_amqp_begun(&self) -> bool {
        self.amqp_begun
    }

    pub(crate) const fn remote_max(&self) -> u32 {
        self.remote_max
    }

    /// The peer's open named the largest frame it takes.
    pub(crate) fn set_remote_max(&mut self, max: u32) {
        self.remote_max = max.max(MIN_MAX_FRAME_SIZE);
    }

    pub(crate) fn write(
        &mut self,
        channel: u16,
        performative: &impl Encode,
    ) -> Result<(), FrameTooLarge> {
        let start = self.output.buffer().len();
        frame::write(
            &mut self.output,
            FrameType::Amqp,
            channel,
            performative,
            self.remote_max,
        )?;
        self.trace_written(channel, start, 0);
        Ok(())
    }

    pub(crate) fn write_empty_frame(&mut self) {
        let start = frame::begin(&mut self.output, FrameType::Amqp, 0);
        frame::finish(&mut self.output, start, 0);
        self.note(|| "0 -> (empty)".into());
    }

    fn write_header(&mut self, protocol: Protocol) {
        self.amqp_begun |= protocol == Protocol::Amqp;
        self.output.buffer().extend_from_slice(&protocol.header());
        self.note(|| format!("-> {}", protocol.name()));
    }

    fn write_sasl(&mut self, sasl: &SaslFrame) -> Result<(), SaslFailure> {
        let limit = self.sasl_max;
        frame::write(&mut self.output, FrameType::Sasl, 0, sasl, limit).map_err(|_| {
            let size = frame::size(sasl);
            SaslFailure::FrameTooLarge { size, limit }
        })?;
        self.note(|| format!("-> {sasl}"));
        Ok(())
    }

    // ---- time ----

    pub(crate) const fn wrote(&mut self, now: Time) {
        self.idle.wrote(now);
    }

    // ---- trace ----

    pub(crate) fn set_tracing(&mut self, on: bool) {
        if !on {
            self.trace = None;
        } else if self.trace.is_none() {
            // What was written before anybody could ask: the header a client begins with.
            let mut lines = VecDeque::new();
            if let Reading::Header(Some(protocol)) = self.reading {
                lines.push_back(format!("-> {}", protocol.name()));
            }
            self.trace = Some(lines);
        }
    }

    pub(crate) const fn is_tracing(&self) -> bool {
        self.trace.is_some()
    }

    pub(crate) fn poll_trace(&mut self) -> Option<String> {
        self.trace.as_mut()?.pop_front()
    }

    /// Adds a line to the trace, if there is one.
    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.trace {
            lines.push_back(line());
        }
    }

    /// Traces the frame that was just written at `start` of the output, `chained` payload octets beside it.
    #[inline]
    pub(crate) fn trace_written(&mut self, channel: u16, start: usize, chained: usize) {
        if self.is_tracing() {
            self.trace_output(channel, start, chained);
        }
    }

    #[cold]
    fn trace_output(&mut self, channel: u16, start: usize, chained: usize) {
        let octets = self.output.buffer();
        let body = octets
            .get(start.saturating_add(FRAME_HEADER)..)
            .unwrap_or_default();
        let body = Bytes::copy_from_slice(body);
        self.note(|| crate::trace::line(channel, "->", &body, chained));
    }
}

/// A header that is one of AMQP's, and not of a layer that is taken here.
const fn unsupported(octets: [u8; HEADER_SIZE]) -> Failure {
    let [.., id, major, minor, revision] = octets;
    let version = [major, minor, revision];
    Failure::Header(HeaderFailure::Unsupported { id, version })
}
