//! Watches one endpoint and says when it breaks the specification.
//!
//! A monitor is shown everything that an endpoint was given and everything that it wrote, in the order in which it happened
//! there, so it knows at each frame what the endpoint could know: which limits the partner had set, how much credit and window
//! was open, what was attached. What the endpoint *receives* is never judged: partners in these tests misbehave on purpose.

mod link;
mod session;

use std::collections::{BTreeMap, VecDeque};

pub use link::Link;
pub use session::Session;

use crate::oracle::{AMQP_HEADER, Frame, Perf, Piece, SASL_HEADER, What, check};

/// Frames are at most this large until the partner's `open` says otherwise (2.4.1).
const MIN_MAX_FRAME_SIZE: usize = 512;

/// One endpoint of a connection, as far as its wire traffic tells.
#[derive(Debug, Default)]
pub struct Monitor {
    headers: Vec<[u8; 8]>,
    sasl_done: bool,
    open_sent: Option<Perf>,
    open_received: Option<Perf>,
    close_sent: bool,
    close_received: bool,
    sessions: Vec<Session>,
    /// Outgoing channel to session.
    by_outgoing: BTreeMap<u16, usize>,
    /// Incoming channel to session.
    by_incoming: BTreeMap<u16, usize>,
    /// Incoming channels of sessions that the partner began and the endpoint did not answer yet.
    unanswered: BTreeMap<u16, VecDeque<usize>>,
    pieces_sent: usize,
}

/// `a` comes before `b` in the serial number arithmetic of RFC 1982.
pub fn before(a: u32, b: u32) -> bool {
    (b.wrapping_sub(a) as i32) > 0
}

impl Monitor {
    /// Nothing sent, nothing received.
    pub fn new() -> Self {
        Self::default()
    }

    /// Frames and headers that the endpoint wrote.
    pub fn pieces_sent(&self) -> usize {
        self.pieces_sent
    }

    /// Did the endpoint write its `close`?
    pub fn close_sent(&self) -> bool {
        self.close_sent
    }

    /// Did the endpoint see the partner's `close`?
    pub fn close_received(&self) -> bool {
        self.close_received
    }

    /// The session on this outgoing channel of the endpoint.
    pub fn session(&self, outgoing: u16) -> Option<&Session> {
        self.sessions.get(*self.by_outgoing.get(&outgoing)?)
    }

    /// The session on this channel of the partner.
    pub fn session_of_partner(&self, incoming: u16) -> Option<&Session> {
        self.sessions.get(*self.by_incoming.get(&incoming)?)
    }

    /// Everything that the endpoint had queued has been written: it knows of all limits that it was told before.
    pub fn drained(&mut self) {
        self.sessions.iter_mut().for_each(Session::drained);
    }

    /// The endpoint was given this.
    pub fn received(&mut self, piece: &Piece) {
        let What::Frame(frame) = &piece.what else {
            return;
        };
        let Some(perf) = &frame.perf else { return };
        if frame.kind != 0 {
            return;
        }
        match perf.code {
            0x10 => self.open_received = Some(perf.clone()),
            0x11 => self.begin_received(frame.channel, perf),
            0x17 => {
                if let Some(index) = self.by_incoming.remove(&frame.channel) {
                    self.sessions[index].end_received = true;
                }
            }
            0x18 => self.close_received = true,
            _ => {
                if let Some(session) = self.by_incoming.get(&frame.channel) {
                    self.sessions[*session].received(perf);
                }
            }
        }
    }

    /// The endpoint wrote this; the error says which rule it broke.
    pub fn sent(&mut self, piece: &Piece) -> Result<(), String> {
        self.pieces_sent += 1;
        if self.close_sent {
            return Err("something after close (2.4.3)".to_owned());
        }
        match &piece.what {
            What::Header(header) => self.header_sent(*header),
            What::Frame(frame) if frame.kind == 1 => self.sasl_sent(frame, piece.octets.len()),
            What::Frame(frame) if frame.kind == 0 => self.frame_sent(frame, piece.octets.len()),
            What::Frame(frame) => Err(format!("frame of type {:#04x}", frame.kind)),
        }
    }

    fn header_sent(&mut self, header: [u8; 8]) -> Result<(), String> {
        if self.headers.last() == Some(&AMQP_HEADER) {
            return Err("a protocol header in the middle of AMQP frames (2.2)".to_owned());
        }
        self.headers.push(header);
        Ok(())
    }

    fn sasl_sent(&mut self, frame: &Frame, octets: usize) -> Result<(), String> {
        if self.headers.last() != Some(&SASL_HEADER) {
            return Err("a SASL frame outside the SASL layer (5.3.1)".to_owned());
        }
        if self.sasl_done {
            return Err("a SASL frame after the outcome (5.3.2)".to_owned());
        }
        if octets > MIN_MAX_FRAME_SIZE {
            return Err(format!("a SASL frame of {octets} octets (5.3.1)"));
        }
        let Some(perf) = &frame.perf else {
            return Err("an empty SASL frame".to_owned());
        };
        if !(0x40..=0x44).contains(&perf.code) || !frame.payload.is_empty() {
            return Err("a SASL frame with another body (5.3.1)".to_owned());
        }
        self.sasl_done = perf.code == 0x44;
        check(perf)
    }

    fn frame_sent(&mut self, frame: &Frame, octets: usize) -> Result<(), String> {
        if self.headers.last() != Some(&AMQP_HEADER) {
            return Err("a frame before the AMQP protocol header (2.2)".to_owned());
        }
        let limit = self
            .partner_limit("max-frame-size")
            .map_or(MIN_MAX_FRAME_SIZE, |n| (n as usize).max(MIN_MAX_FRAME_SIZE));
        if octets > limit {
            return Err(format!(
                "a frame of {octets} octets where the partner takes {limit} (2.7.1)"
            ));
        }
        let channel_max = self.partner_limit("channel-max").unwrap_or(0);
        if u64::from(frame.channel) > channel_max {
            return Err(format!(
                "channel {} above the partner's {channel_max} (2.7.1)",
                frame.channel
            ));
        }
        let Some(perf) = &frame.perf else {
            let opened = self.open_sent.is_some();
            return if opened {
                Ok(())
            } else {
                Err("an empty frame before open (2.4.5)".to_owned())
            };
        };
        check(perf)?;
        if perf.code != 0x14 && !frame.payload.is_empty() {
            return Err(format!("{} with a payload (2.3.2)", perf.name()));
        }
        if self.open_sent.is_none() && perf.code != 0x10 {
            return Err(format!("{} before open (2.4.1)", perf.name()));
        }
        match perf.code {
            0x10 => self.open_was_sent(frame, perf),
            0x11 => self.begin_sent(frame.channel, perf),
            0x18 => {
                self.close_sent = true;
                Ok(())
            }
            _ => {
                let Some(index) = self.by_outgoing.get(&frame.channel).copied() else {
                    return Err(format!(
                        "{} on channel {} without a session (2.5.5)",
                        perf.name(),
                        frame.channel
                    ));
                };
                if perf.code == 0x17 {
                    self.by_outgoing.remove(&frame.channel);
                    self.sessions[index].end_sent = true;
                    return Ok(());
                }
                self.sessions[index].sent(perf)
            }
        }
    }

    /// A limit in the partner's `open`; nothing if there was no `open` yet.
    fn partner_limit(&self, field: &str) -> Option<u64> {
        self.open_received.as_ref().and_then(|open| open.num(field))
    }

    fn open_was_sent(&mut self, frame: &Frame, perf: &Perf) -> Result<(), String> {
        if self.open_sent.is_some() {
            return Err("a second open (2.7.1)".to_owned());
        }
        if frame.channel != 0 {
            return Err("open on another channel than 0 (2.4.1)".to_owned());
        }
        self.open_sent = Some(perf.clone());
        Ok(())
    }

    fn begin_sent(&mut self, channel: u16, perf: &Perf) -> Result<(), String> {
        if self.by_outgoing.contains_key(&channel) {
            return Err(format!(
                "begin on channel {channel}, which is in use (2.5.1)"
            ));
        }
        let index = match perf.num("remote-channel") {
            None => {
                self.sessions.push(Session::default());
                self.sessions.len() - 1
            }
            Some(remote) => {
                let remote = remote as u16;
                match self
                    .unanswered
                    .get_mut(&remote)
                    .and_then(VecDeque::pop_front)
                {
                    Some(index) => index,
                    None => {
                        return Err(format!(
                            "begin answers channel {remote}, where none was begun (2.7.2)"
                        ));
                    }
                }
            }
        };
        self.by_outgoing.insert(channel, index);
        self.sessions[index].begin_sent(channel, perf);
        Ok(())
    }

    fn begin_received(&mut self, channel: u16, perf: &Perf) {
        let index = match perf.num("remote-channel") {
            Some(ours) => match self.by_outgoing.get(&(ours as u16)) {
                Some(index) => *index,
                // The answer to a session that was ended before it was answered: its `end` will follow.
                None => match self
                    .sessions
                    .iter()
                    .rposition(|s| s.outgoing == Some(ours as u16) && s.incoming.is_none())
                {
                    Some(index) => index,
                    None => return,
                },
            },
            None => {
                if self.by_incoming.contains_key(&channel) {
                    return;
                }
                self.sessions.push(Session::default());
                let index = self.sessions.len() - 1;
                self.unanswered.entry(channel).or_default().push_back(index);
                index
            }
        };
        self.by_incoming.insert(channel, index);
        self.sessions[index].begin_received(channel, perf);
    }
}

/// A uint field of a performative as the monitor uses it: zero stands in where a broken partner left it out.
fn uint_or_zero(perf: &Perf, name: &str) -> u32 {
    perf.uint(name).unwrap_or(0)
}
