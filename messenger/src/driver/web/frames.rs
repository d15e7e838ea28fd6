//! Frames of WebSocket (RFC 6455, 5), read as they come.

use std::io::Cursor;

use bytes::{BufMut, BytesMut};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};

/// The most octets a control frame carries (RFC 6455, 5.5).
const CONTROL: u64 = 125;
/// The longest header of a frame.
const HEADER: usize = 14;

/// What came that is not payload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// Nothing: more octets are needed.
    More,
    /// A question whether anybody is there, to be answered with the same octets.
    Ping(Vec<u8>),
    /// Nothing more comes, for the reason of this code.
    Close(Option<u16>),
}

/// Takes frames apart, whatever pieces they come in.
#[derive(Debug)]
pub(super) struct Reader {
    /// Whether frames must be masked: those of clients must, those of servers must not be (5.1).
    masked: bool,
    /// A header, or what a control frame carries, as far as it has come.
    head: Vec<u8>,
    /// What is left of the frame that is being read.
    frame: Option<Frame>,
    /// Whether the message that is being read goes on in another frame.
    unfinished: bool,
}

#[derive(Debug)]
struct Frame {
    opcode: OpCode,
    left: u64,
    /// The mask, turned so that its first octet is for the next one.
    mask: [u8; 4],
}

type Fault = (CloseCode, &'static str);

impl Reader {
    pub(super) const fn new(masked: bool) -> Self {
        Self {
            masked,
            head: Vec::new(),
            frame: None,
            unfinished: false,
        }
    }

    /// Where a head is collected: that of a request, before there are frames.
    pub(super) const fn head(&mut self) -> &mut Vec<u8> {
        &mut self.head
    }

    /// Takes octets until something came that has to be looked at; appends payload to `plain`.
    pub(super) fn next(&mut self, octets: &mut &[u8], plain: &mut Vec<u8>) -> Result<Input, Fault> {
        loop {
            let Some(frame) = &mut self.frame else {
                if !self.read_header(octets)? {
                    return Ok(Input::More);
                }
                continue;
            };
            let count = usize::try_from(frame.left).unwrap_or(usize::MAX);
            let count = count.min(octets.len());
            let (now, later) = octets.split_at(count);
            *octets = later;
            let to = match frame.opcode {
                OpCode::Data(_) => &mut *plain,
                OpCode::Control(_) => &mut self.head,
            };
            let start = to.len();
            to.extend_from_slice(now);
            unmask(to.get_mut(start..).unwrap_or_default(), &mut frame.mask);
            frame.left -= count as u64;
            if frame.left > 0 {
                return Ok(Input::More);
            }
            let opcode = frame.opcode;
            self.frame = None;
            if let OpCode::Control(kind) = opcode {
                let payload = std::mem::take(&mut self.head);
                match kind {
                    Control::Ping => return Ok(Input::Ping(payload)),
                    Control::Close => return Ok(Input::Close(close_code(&payload)?)),
                    // An answer to a question that was not asked is allowed, and says nothing.
                    Control::Pong | Control::Reserved(_) => {}
                }
            }
        }
    }

    /// Reads a header; answers whether it is complete.
    fn read_header(&mut self, octets: &mut &[u8]) -> Result<bool, Fault> {
        const RULES: CloseCode = CloseCode::Protocol;
        let known = self.head.len();
        let more = octets.len().min(HEADER - known);
        self.head
            .extend_from_slice(octets.get(..more).unwrap_or_default());
        let mut cursor = Cursor::new(&self.head);
        let parsed = FrameHeader::parse(&mut cursor)
            .map_err(|_| (RULES, "a frame of a kind that nobody knows"))?;
        let Some((header, length)) = parsed else {
            *octets = octets.get(more..).unwrap_or_default();
            return Ok(false);
        };
        let used = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        *octets = octets.get(used.saturating_sub(known)..).unwrap_or_default();
        self.head.clear();
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err((RULES, "a frame of an extension that was not agreed upon"));
        }
        if header.mask.is_some() != self.masked {
            return Err((RULES, "frames of clients must be masked, and no others"));
        }
        if length > i64::MAX as u64 {
            return Err((RULES, "a frame with a length that is none"));
        }
        match header.opcode {
            OpCode::Control(_) if !header.is_final || length > CONTROL => {
                return Err((RULES, "a control frame that is too long, or in pieces"));
            }
            OpCode::Control(_) => {}
            OpCode::Data(Data::Continue) if self.unfinished => self.unfinished = !header.is_final,
            OpCode::Data(Data::Binary) if !self.unfinished => self.unfinished = !header.is_final,
            OpCode::Data(Data::Text) if !self.unfinished => {
                return Err((
                    CloseCode::Unsupported,
                    "AMQP comes in binary frames, not in text",
                ));
            }
            OpCode::Data(_) => {
                return Err((RULES, "a message that begins or goes on where it must not"));
            }
        }
        self.frame = Some(Frame {
            opcode: header.opcode,
            left: length,
            mask: header.mask.unwrap_or_default(),
        });
        Ok(true)
    }
}

/// Turns masked octets into plain ones and the other way round, and the mask on to what follows.
fn unmask(octets: &mut [u8], mask: &mut [u8; 4]) {
    if *mask == [0; 4] {
        return;
    }
    for piece in octets.chunks_mut(4) {
        for (octet, mask) in piece.iter_mut().zip(*mask) {
            *octet ^= mask;
        }
    }
    mask.rotate_left(octets.len() % 4);
}

/// Two octets, and a text that is for people; or nothing (RFC 6455, 5.5.1).
fn close_code(payload: &[u8]) -> Result<Option<u16>, Fault> {
    match payload {
        [] => Ok(None),
        [high, low, ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if CloseCode::from(code).is_allowed() {
                Ok(Some(code))
            } else {
                Err((
                    CloseCode::Protocol,
                    "a goodbye for a reason that must not be sent",
                ))
            }
        }
        [_] => Err((CloseCode::Protocol, "a goodbye with half a reason")),
    }
}

/// Appends a frame.
pub(super) fn write(to: &mut BytesMut, opcode: OpCode, mask: Option<[u8; 4]>, payload: &[u8]) {
    let header = FrameHeader {
        opcode,
        mask,
        ..FrameHeader::default()
    };
    let length = payload.len() as u64;
    to.reserve(header.len(length) + payload.len());
    // Memory takes everything.
    let _ = header.format(length, &mut to.writer());
    let start = to.len();
    to.extend_from_slice(payload);
    if let Some(mut mask) = mask {
        unmask(to.get_mut(start..).unwrap_or_default(), &mut mask);
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

    use super::{Fault, Input, Reader, write};

    const BINARY: OpCode = OpCode::Data(Data::Binary);

    /// Everything that comes out of octets that come in pieces of `size`.
    fn read(masked: bool, octets: &[u8], size: usize) -> Result<(Vec<u8>, Vec<Input>), Fault> {
        let mut reader = Reader::new(masked);
        let (mut plain, mut inputs) = (Vec::new(), Vec::new());
        for mut piece in octets.chunks(size) {
            loop {
                match reader.next(&mut piece, &mut plain)? {
                    Input::More => break,
                    input => inputs.push(input),
                }
            }
            assert!(piece.is_empty());
        }
        Ok((plain, inputs))
    }

    #[test]
    fn what_is_written_is_read_whatever_the_pieces() {
        for mask in [None, Some([0x12, 0xff, 0, 0x9a])] {
            let mut octets = BytesMut::new();
            let mut expected = Vec::new();
            for length in [0, 1, 3, 125, 126, 127, 65_535, 65_536, 70_001] {
                let payload: Vec<u8> = (0..length).map(|n: u32| n as u8).collect();
                write(&mut octets, BINARY, mask, &payload);
                expected.extend(payload);
                write(&mut octets, OpCode::Control(Control::Ping), mask, b"ping");
                write(&mut octets, OpCode::Control(Control::Pong), mask, b"");
            }
            write(
                &mut octets,
                OpCode::Control(Control::Close),
                mask,
                &[3, 232, b'x'],
            );
            for size in [1, 2, 7, 4096, octets.len()] {
                let (plain, mut inputs) = read(mask.is_some(), &octets, size).unwrap();
                assert!(plain == expected, "{size}");
                assert_eq!(inputs.pop(), Some(Input::Close(Some(1000))));
                assert_eq!(inputs.len(), 9);
                assert!(
                    inputs
                        .iter()
                        .all(|ping| *ping == Input::Ping(b"ping".to_vec()))
                );
            }
        }
    }

    #[test]
    fn a_message_may_come_in_fragments_with_control_frames_in_between() {
        let octets = [
            &[0x02, 2, 1, 2][..], // begins
            &[0x89, 0],           // ping
            &[0x00, 1, 3],        // goes on
            &[0x80, 0],           // ends
            &[0x82, 1, 4],        // another
        ]
        .concat();
        let (plain, inputs) = read(false, &octets, 1).unwrap();
        assert_eq!(plain, [1, 2, 3, 4]);
        assert_eq!(inputs, [Input::Ping(Vec::new())]);
    }

    #[test]
    fn what_breaks_the_rules_is_told_with_its_code() {
        for (octets, code) in [
            (&[0xc2, 0][..], 1002),                          // reserved bit
            (&[0x83, 0], 1002),                              // unknown kind
            (&[0x82, 0x80, 0, 0, 0, 0], 1002),               // masked by a server
            (&[0x09, 0], 1002),                              // control in pieces
            (&[0x89, 126, 0, 126], 1002),                    // control too long
            (&[0x80, 0], 1002),                              // goes on, but never began
            (&[0x02, 0, 0x82, 0], 1002),                     // begins in the middle
            (&[0x81, 1, b'x'], 1003),                        // text
            (&[0x88, 1, 3], 1002),                           // half a code
            (&[0x88, 2, 3, 237], 1002),                      // 1005 must not be sent
            (&[0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 0], 1002), // 2^63 and more
        ] {
            let (found, _) = read(false, octets, 1).unwrap_err();
            assert_eq!(u16::from(found), code, "{octets:x?}");
        }
        let (found, _) = read(true, &[0x82, 0], 1).unwrap_err();
        assert_eq!(u16::from(found), 1002);
    }

    #[test]
    fn a_frame_may_claim_any_size_and_is_passed_on_as_it_comes() {
        let mut octets = vec![0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0];
        octets.extend([7; 1000]);
        let (plain, _) = read(false, &octets, 100).unwrap();
        assert_eq!(plain, [7; 1000]);
    }
}
