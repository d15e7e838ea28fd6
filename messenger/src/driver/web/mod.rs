//! WebSocket as a filter of octets: AMQP in binary frames, with the subprotocol `amqp`.
//!
//! As the session of TLS it has no socket: octets are [fed](Web::feed) in, what is to be sent is
//! [taken](Web::take) in pieces and waits [in frames](Web::backlog). How AMQP is cut into frames and
//! messages means nothing to it, so octets go through as they come, however large a frame claims to be.

mod frames;
mod handshake;

use bytes::{Buf, BytesMut};
use rustls::crypto::SecureRandom;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};

use crate::fault::Cause;
use frames::{Input, Reader};
use handshake::{Answer, Offer};

/// Octets of payload in one frame of ours, and so the most that waits.
const FRAME: usize = 64 << 10;

/// What is the same for all channels over WebSocket.
#[derive(Clone, Debug)]
pub(crate) struct WebSettings {
    /// Which path a client asks for; which one a listener insists on, if it does.
    pub(crate) path: Option<String>,
    random: &'static dyn SecureRandom,
}

impl WebSettings {
    pub(crate) fn new() -> Self {
        Self {
            path: None,
            random: rustls::crypto::ring::default_provider().secure_random,
        }
    }
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Web {
    stage: Stage,
    reader: Reader,
    /// What has to be sent before anything else.
    out: BytesMut,
    /// Where masks come from, for the side that has to mask (RFC 6455, 5.3).
    random: Option<&'static dyn SecureRandom>,
    /// Whether our last frame was taken: nothing may follow it.
    said_goodbye: bool,
}

#[derive(Debug)]
enum Stage {
    /// We asked, and wait for the answer.
    Asked(Box<Offer>),
    /// Somebody is about to ask, for this path if it matters.
    Listening(Option<String>),
    Open,
}

impl Web {
    /// The side that connects, to a host as it stands in the address.
    pub(crate) fn client(settings: &WebSettings, host: &str) -> Result<Self, Cause> {
        let path = settings.path.as_deref().unwrap_or("/");
        let (offer, request) = handshake::ask(host, path)?;
        let stage = Stage::Asked(Box::new(offer));
        Ok(Self::new(stage, Some(settings.random), &request))
    }

    /// The side that was connected to.
    pub(crate) fn server(settings: &WebSettings) -> Self {
        Self::new(Stage::Listening(settings.path.clone()), None, &[])
    }

    fn new(stage: Stage, random: Option<&'static dyn SecureRandom>, out: &[u8]) -> Self {
        Self {
            stage,
            reader: Reader::new(random.is_none()),
            out: BytesMut::from(out),
            random,
            said_goodbye: false,
        }
    }

    /// Whether octets of the engine flow.
    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open)
    }

    /// Whether this is the side that was connected to.
    pub(crate) const fn is_server(&self) -> bool {
        self.random.is_none()
    }

    /// What waits to be sent.
    pub(crate) const fn backlog(&mut self) -> &mut BytesMut {
        &mut self.out
    }

    pub(crate) fn has_backlog(&self) -> bool {
        !self.out.is_empty()
    }

    /// Takes octets that came, and appends to `plain` what they carry. Answers whether the peer said
    /// goodbye: nothing follows then. If it came to nothing, what the peer is told waits to be sent.
    pub(crate) fn feed(&mut self, mut octets: &[u8], plain: &mut Vec<u8>) -> Result<bool, Cause> {
        let answer = match &mut self.stage {
            Stage::Open => None,
            Stage::Asked(offer) => offer.hear(&mut octets)?,
            Stage::Listening(path) => {
                handshake::answer(self.reader.head(), path.as_deref(), &mut octets)
            }
        };
        match answer {
            Some(Answer::Agreed(response)) => {
                self.out.extend_from_slice(&response);
                self.stage = Stage::Open;
            }
            Some(Answer::Refused(response, why)) => {
                self.out.extend_from_slice(&response);
                return Err(Cause::Web(why));
            }
            None if !self.is_open() => return Ok(false),
            None => {}
        }
        loop {
            match self.reader.next(&mut octets, plain) {
                Ok(Input::More) => return Ok(false),
                Ok(Input::Ping(payload)) => {
                    // A peer that asks faster than it reads gets fewer answers (RFC 6455, 5.5.3).
                    if self.out.len() < FRAME {
                        self.frame(OpCode::Control(Control::Pong), &payload);
                    }
                }
                Ok(Input::Close(code)) => {
                    let code = code.map_or(Vec::new(), |code| code.to_be_bytes().to_vec());
                    self.goodbye(&code);
                    return Ok(true);
                }
                Err((code, why)) => {
                    self.goodbye(&u16::from(code).to_be_bytes());
                    let why = format!("the peer broke the rules of WebSocket: {why}");
                    return Err(Cause::Web(why));
                }
            }
        }
    }

    /// Puts as much of `output` as may wait into a frame.
    pub(crate) fn take(&mut self, output: &mut impl Buf) {
        if self.said_goodbye || !self.is_open() {
            return;
        }
        let count = output.remaining().min(FRAME);
        let payload = output.copy_to_bytes(count);
        self.frame(OpCode::Data(Data::Binary), &payload);
    }

    /// Says that nothing more follows.
    pub(crate) fn say_goodbye(&mut self) {
        self.goodbye(&u16::from(CloseCode::Normal).to_be_bytes());
    }

    fn goodbye(&mut self, payload: &[u8]) {
        if self.is_open() && !self.said_goodbye {
            self.frame(OpCode::Control(Control::Close), payload);
            self.said_goodbye = true;
        }
    }

    fn frame(&mut self, opcode: OpCode, payload: &[u8]) {
        let mask = self.random.map(|random| {
            let mut mask = [0; 4];
            // A system without randomness would have failed at TLS or at the handshake before.
            let _ = random.fill(&mut mask);
            mask
        });
        frames::write(&mut self.out, opcode, mask, payload);
    }
}
