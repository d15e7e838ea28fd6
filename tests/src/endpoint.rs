//! An engine under observation: everything that goes in and comes out is cut into frames, written down and judged.

use std::collections::VecDeque;

use bytes::{Buf, BytesMut};
use ferrion_engine::{Engine, Event, Time};

use crate::monitor::Monitor;
use crate::oracle::{FrameReader, Piece, show_piece};
use crate::rng::Rng;

/// A readable record of a test run.
#[derive(Debug, Default)]
pub struct Trace {
    lines: Vec<String>,
}

impl Trace {
    /// Adds a line.
    pub fn line(&mut self, now: Time, text: &str) {
        self.lines.push(format!("{:>8} {text}", now.0));
    }

    /// All of it. Very long traces keep their end.
    pub fn text(&self) -> String {
        const SHOWN: usize = 400;
        let skipped = self.lines.len().saturating_sub(SHOWN);
        let head = if skipped > 0 {
            format!("... {skipped} lines before\n")
        } else {
            String::new()
        };
        head + &self.lines[skipped..].join("\n")
    }
}

/// In what pieces octets are handed to the engine and taken from it.
#[derive(Clone, Debug)]
pub enum Cut {
    /// As much as there is.
    Whole,
    /// One octet at a time, in both directions.
    Octets,
    /// Pieces of random length.
    Random(Rng),
}

impl Cut {
    fn next(&mut self, available: usize) -> usize {
        match self {
            Self::Whole => available,
            Self::Octets => available.min(1),
            // Mostly small pieces, sometimes all of it.
            Self::Random(rng) => match rng.below(4) {
                0 => available,
                1 => 1 + rng.below(available),
                _ => available.min(1 + rng.below(24)),
            },
        }
    }
}

/// One engine and its monitor.
pub struct Endpoint {
    /// The engine.
    pub engine: Engine,
    /// What its traffic says about it.
    pub monitor: Monitor,
    /// Judge what the engine writes. Off, the output is only cut and recorded.
    pub judged: bool,
    /// All octets that it wrote.
    pub written: Vec<u8>,
    /// All events that were polled.
    pub events: Vec<Event>,
    name: &'static str,
    input: BytesMut,
    read: FrameReader,
    wrote: FrameReader,
    readable: bool,
    /// What the engine read, each with the octet of output from which on it could know of it.
    unheard: VecDeque<(usize, Piece)>,
}

impl Endpoint {
    /// Watches this engine; the name goes into the trace.
    pub fn new(name: &'static str, engine: Engine) -> Self {
        Self {
            engine,
            monitor: Monitor::new(),
            judged: true,
            written: Vec::new(),
            events: Vec::new(),
            name,
            input: BytesMut::new(),
            read: FrameReader::new(),
            wrote: FrameReader::new(),
            readable: true,
            unheard: VecDeque::new(),
        }
    }

    /// Gives octets to the engine; the monitor holds what it writes next against them.
    pub fn feed(&mut self, now: Time, octets: &[u8], cut: &mut Cut, trace: &mut Trace) {
        self.observe_input(now, octets, trace);
        for (_, piece) in std::mem::take(&mut self.unheard) {
            self.monitor.received(&piece);
        }
        self.give(now, octets, cut);
    }

    /// Gives octets to the engine while output of it may still wait to be taken, which was made without knowing them.
    pub fn feed_beside_output(
        &mut self,
        now: Time,
        octets: &[u8],
        cut: &mut Cut,
        trace: &mut Trace,
    ) {
        self.observe_input(now, octets, trace);
        let made = self.written.len() + self.engine.transmit(now).remaining();
        for (from, _) in &mut self.unheard {
            *from = (*from).min(made);
        }
        self.give(now, octets, cut);
    }

    fn give(&mut self, now: Time, octets: &[u8], cut: &mut Cut) {
        let mut rest = octets;
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(cut.next(rest.len()));
            self.input.extend_from_slice(piece);
            self.engine.recv(now, &mut self.input);
            rest = later;
        }
    }

    /// Takes all output; the error names a broken rule.
    pub fn pull(
        &mut self,
        now: Time,
        cut: &mut Cut,
        trace: &mut Trace,
    ) -> Result<Vec<(Piece, Time)>, String> {
        let mut pieces = Vec::new();
        loop {
            let octets = self.take_some(now, usize::MAX, cut);
            if octets.is_empty() {
                break;
            }
            pieces.extend(self.observe_output(now, &octets, trace)?);
        }
        self.monitor.drained();
        Ok(pieces)
    }

    /// Takes at most `most` octets of output, without looking at them.
    pub fn take_some(&mut self, now: Time, most: usize, cut: &mut Cut) -> Vec<u8> {
        let mut octets = Vec::new();
        while octets.len() < most {
            let mut transmit = self.engine.transmit(now);
            let n = transmit.chunk().len().min(most - octets.len());
            if n == 0 {
                break;
            }
            let n = cut.next(n);
            octets.extend_from_slice(&transmit.chunk()[..n]);
            transmit.advance(n);
        }
        octets
    }

    /// Cuts output into pieces, records and judges them.
    pub fn observe_output(
        &mut self,
        now: Time,
        octets: &[u8],
        trace: &mut Trace,
    ) -> Result<Vec<(Piece, Time)>, String> {
        let mut start = self.written.len() - self.wrote.pending();
        self.written.extend_from_slice(octets);
        self.wrote.push(octets);
        let mut pieces = Vec::new();
        while let Some(piece) = self
            .wrote
            .next_piece()
            .map_err(|f| format!("output that is not AMQP: {f}"))?
        {
            trace.line(now, &format!("{} -> {}", self.name, show_piece(&piece)));
            while self.unheard.front().is_some_and(|(from, _)| *from <= start) {
                if let Some((_, piece)) = self.unheard.pop_front() {
                    self.monitor.received(&piece);
                    self.monitor.drained();
                }
            }
            start += piece.octets.len();
            let verdict = self.monitor.sent(&piece);
            if self.judged {
                verdict?;
            }
            pieces.push((piece, now));
        }
        Ok(pieces)
    }

    /// Polls one event.
    pub fn poll_event(&mut self, now: Time, trace: &mut Trace) -> Option<Event> {
        let event = self.engine.poll_event()?;
        trace.line(now, &format!("{} !! {event:?}", self.name));
        self.events.push(event);
        Some(event)
    }

    /// Octets of an output frame that has not been taken whole.
    pub fn half_written(&self) -> usize {
        self.wrote.pending()
    }

    fn observe_input(&mut self, now: Time, octets: &[u8], trace: &mut Trace) {
        if self.readable {
            self.read.push(octets);
        }
        while self.readable {
            match self.read.next_piece() {
                Ok(Some(piece)) => {
                    trace.line(now, &format!("{} <- {}", self.name, show_piece(&piece)));
                    self.unheard.push_back((usize::MAX, piece));
                }
                Ok(None) => return,
                Err(fault) => {
                    trace.line(now, &format!("{} <- broken: {fault}", self.name));
                    self.readable = false;
                }
            }
        }
        trace.line(
            now,
            &format!(
                "{} <- {} octets {}",
                self.name,
                octets.len(),
                octets.escape_ascii()
            ),
        );
    }
}
