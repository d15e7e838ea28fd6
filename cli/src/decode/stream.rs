//! A stream of AMQP 1.0 frames as lines of text.

use std::fmt;

use bytes::Bytes;
use ferrion_engine::protocol::{Performative, SaslFrame};

/// What stands at one place of a stream.
pub(super) struct Item {
    /// Octets from the start of the stream.
    pub(super) at: usize,
    content: Content,
}

enum Content {
    /// A protocol header (2.2): the protocol and its version.
    Header { protocol: u8, version: [u8; 3] },
    /// A frame without a body: a heartbeat (2.4.5).
    Empty { channel: u16 },
    /// A frame with a performative, and the octets of payload that follow it.
    Amqp {
        channel: u16,
        performative: Box<Performative>,
        payload: usize,
    },
    /// A SASL frame (5.3.1).
    Sasl(Box<SaslFrame>),
}

/// Octets that are no stream of frames.
#[derive(Debug)]
pub(super) struct StreamError {
    /// Octets from the start of the stream.
    pub(super) at: usize,
    what: String,
}

/// The items of a stream in their order; the first error is the last item.
pub(super) struct Items {
    octets: Bytes,
    at: usize,
}

impl Items {
    pub(super) const fn new(octets: Bytes) -> Self {
        Self { octets, at: 0 }
    }

    fn take(&mut self) -> Result<Item, StreamError> {
        let at = self.at;
        let rest = self.octets.slice(at..);
        if rest.starts_with(b"AMQP") {
            let Some((&[_, _, _, _, protocol, major, minor, revision], _)) =
                rest.split_first_chunk()
            else {
                return Err(cut_short(at, "a protocol header", 8, rest.len()));
            };
            self.at += 8;
            let version = [major, minor, revision];
            return Ok(Item {
                at,
                content: Content::Header { protocol, version },
            });
        }
        let Some((&[a, b, c, d, offset, kind, channel_high, channel_low], _)) =
            rest.split_first_chunk()
        else {
            return Err(cut_short(at, "the header of a frame", 8, rest.len()));
        };
        let size = u32::from_be_bytes([a, b, c, d]) as usize;
        let body = usize::from(offset) * 4;
        if body < 8 || size < body {
            let what = format!(
                "not a frame: its size is {size} and its body begins at {body}, neither header nor frame"
            );
            return Err(StreamError { at, what });
        }
        if size > rest.len() {
            return Err(cut_short(at, "a frame", size, rest.len()));
        }
        let channel = u16::from_be_bytes([channel_high, channel_low]);
        let content =
            content(kind, channel, &rest.slice(body..size)).map_err(|(inner, what)| {
                StreamError {
                    at: at + body + inner,
                    what,
                }
            })?;
        self.at += size;
        Ok(Item { at, content })
    }
}

impl Iterator for Items {
    type Item = Result<Item, StreamError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.octets.len() {
            return None;
        }
        let item = self.take();
        if item.is_err() {
            self.at = self.octets.len();
        }
        Some(item)
    }
}

/// Reads the body of a frame; an error has its offset within the body.
fn content(kind: u8, channel: u16, body: &Bytes) -> Result<Content, (usize, String)> {
    match kind {
        0 if body.is_empty() => Ok(Content::Empty { channel }),
        0 => {
            let (performative, used) =
                Performative::decode(body).map_err(|e| (e.at, e.kind.to_string()))?;
            let payload = body.len().saturating_sub(used);
            Ok(Content::Amqp {
                channel,
                performative: Box::new(performative),
                payload,
            })
        }
        1 => {
            let (frame, _) = SaslFrame::decode(body).map_err(|e| (e.at, e.kind.to_string()))?;
            Ok(Content::Sasl(Box::new(frame)))
        }
        other => Err((
            0,
            format!("a frame of the unknown type {other}; 0 is AMQP and 1 is SASL"),
        )),
    }
}

fn cut_short(at: usize, what: &str, size: usize, there: usize) -> StreamError {
    let what = format!("the input ends within {what} of {size} octets, of which {there} are there");
    StreamError { at, what }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Header {
                protocol,
                version: [major, minor, revision],
            } => {
                let name = match protocol {
                    0 => "AMQP",
                    2 => "TLS",
                    3 => "SASL",
                    _ => "unknown protocol",
                };
                write!(f, "-  {name} {major}.{minor}.{revision}")
            }
            Content::Empty { channel } => write!(f, "{channel}  (empty frame)"),
            Content::Amqp {
                channel,
                performative,
                payload: 0,
            } => write!(f, "{channel}  {performative}"),
            Content::Amqp {
                channel,
                performative,
                payload,
            } => {
                write!(f, "{channel}  {performative} ({payload} octets of payload)")
            }
            Content::Sasl(frame) => write!(f, "-  {frame}"),
        }
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed at octet {}: {}", self.at, self.what)
    }
}
