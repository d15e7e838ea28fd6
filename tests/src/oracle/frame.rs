//! Protocol headers and frames (2.2, 2.3), written and read incrementally.

use std::collections::VecDeque;

use super::decode::{Fault, decode};
use super::encode::{Form, encode_with};
use super::shape::shape;
use super::value::V;

/// The protocol header of AMQP 1.0.0 without a security layer.
pub const AMQP_HEADER: [u8; 8] = *b"AMQP\x00\x01\x00\x00";
/// The protocol header of the SASL layer.
pub const SASL_HEADER: [u8; 8] = *b"AMQP\x03\x01\x00\x00";
/// The protocol header of in-band TLS.
pub const TLS_HEADER: [u8; 8] = *b"AMQP\x02\x01\x00\x00";

/// A performative or SASL frame body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Perf {
    /// The numeric descriptor.
    pub code: u64,
    /// The fields that were there.
    pub fields: Vec<V>,
}

impl Perf {
    /// The name of the type, or its number.
    pub fn name(&self) -> String {
        shape(self.code).map_or_else(|| format!("{:#x}", self.code), |s| s.name.to_owned())
    }

    /// A field by name: its value, its default if null or absent. A name that this performative has not is a mistake in the test.
    pub fn get(&self, name: &str) -> V {
        let place = shape(self.code).and_then(|s| Some((s, s.index(name)?)));
        let Some((shape, index)) = place else {
            panic!("{} has no field {name}", self.name())
        };
        match self.fields.get(index) {
            None | Some(V::Null) => (shape.fields[index].default)(),
            Some(value) => value.clone(),
        }
    }

    /// A number field of any width.
    pub fn num(&self, name: &str) -> Option<u64> {
        match self.get(name) {
            V::Ubyte(n) => Some(n.into()),
            V::Ushort(n) => Some(n.into()),
            V::Uint(n) => Some(n.into()),
            V::Ulong(n) => Some(n),
            _ => None,
        }
    }

    /// A uint field.
    pub fn uint(&self, name: &str) -> Option<u32> {
        self.num(name).and_then(|n| u32::try_from(n).ok())
    }

    /// A flag; null counts as false.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == V::Bool(true)
    }
}

/// How descriptors of performatives are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Descriptors {
    /// As numbers.
    #[default]
    Numeric,
    /// As symbols, which are as legal.
    Symbolic,
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// 0 for AMQP, 1 for SASL.
    pub kind: u8,
    /// Octets 6 and 7: the channel.
    pub channel: u16,
    /// The extended header, empty when DOFF is 2.
    pub extended: Vec<u8>,
    /// The body's performative; `None` for an empty frame.
    pub perf: Option<Perf>,
    /// What follows the performative.
    pub payload: Vec<u8>,
}

impl Frame {
    /// An empty AMQP frame: a heartbeat (2.4.5).
    pub fn empty(channel: u16) -> Self {
        Self {
            kind: 0,
            channel,
            extended: Vec::new(),
            perf: None,
            payload: Vec::new(),
        }
    }

    /// The octets, in the shortest form.
    pub fn encode(&self) -> Vec<u8> {
        self.encode_with(Form::Shortest, Descriptors::Numeric)
    }

    /// The octets, in another legal form.
    pub fn encode_with(&self, form: Form, descriptors: Descriptors) -> Vec<u8> {
        let mut out = vec![0; 8];
        out.extend_from_slice(&self.extended);
        // An extended header is padded to whole words, which is all that DOFF can say.
        out.resize(out.len().next_multiple_of(4), 0);
        out[4] = u8::try_from(out.len() / 4).expect("an extended header of at most 1012 octets");
        out[5] = self.kind;
        out[6..8].copy_from_slice(&self.channel.to_be_bytes());
        if let Some(perf) = &self.perf {
            let descriptor = match (descriptors, shape(perf.code)) {
                (Descriptors::Symbolic, Some(shape)) => V::Sym(shape.symbol()),
                _ => V::Ulong(perf.code),
            };
            let value = V::Described(Box::new(descriptor), Box::new(V::List(perf.fields.clone())));
            encode_with(&value, form, &mut out);
        }
        out.extend_from_slice(&self.payload);
        let size = u32::try_from(out.len()).expect("a frame below 4 GiB");
        out[..4].copy_from_slice(&size.to_be_bytes());
        out
    }

    /// Reads one whole frame.
    pub fn decode(octets: &[u8]) -> Result<Self, Fault> {
        let fault = |at: usize, why: &str| {
            Err(Fault {
                at,
                why: why.to_owned(),
            })
        };
        if octets.len() < 8 {
            return fault(octets.len(), "shorter than a frame header");
        }
        let size = u32::from_be_bytes([octets[0], octets[1], octets[2], octets[3]]) as usize;
        let offset = usize::from(octets[4]) * 4;
        if size != octets.len() {
            return fault(0, "size disagrees with the octets");
        }
        if offset < 8 || offset > size {
            return fault(4, "data offset outside the frame");
        }
        let mut frame = Self {
            kind: octets[5],
            channel: u16::from_be_bytes([octets[6], octets[7]]),
            extended: octets[8..offset].to_vec(),
            perf: None,
            payload: Vec::new(),
        };
        if offset < size {
            let (value, used) = decode(&octets[offset..]).map_err(|f| Fault {
                at: f.at + offset,
                ..f
            })?;
            let Some((code, fields)) = value.composite() else {
                return fault(offset, "the body is not a described list");
            };
            frame.perf = Some(Perf {
                code,
                fields: fields.to_vec(),
            });
            frame.payload = octets[offset + used..].to_vec();
        }
        Ok(frame)
    }
}

/// What stands on the wire between frame boundaries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A protocol header.
    Header([u8; 8]),
    /// A frame.
    Frame(Frame),
}

/// One protocol header or frame with its octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// As they came.
    pub octets: Vec<u8>,
    /// What they are.
    pub what: What,
}

/// Cuts a stream into headers and frames, however it was split.
#[derive(Debug, Default)]
pub struct FrameReader {
    pending: VecDeque<u8>,
}

impl FrameReader {
    /// An empty reader.
    pub fn new() -> Self {
        Self::default()
    }

    /// More of the stream.
    pub fn push(&mut self, octets: &[u8]) {
        self.pending.extend(octets);
    }

    /// Octets of a piece that is not whole yet.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The next whole piece. A frame can not start with `AMQP`: it would be over a gigabyte, which no test sends.
    pub fn next_piece(&mut self) -> Result<Option<Piece>, Fault> {
        if self.pending.len() < 8 {
            return Ok(None);
        }
        let head: Vec<u8> = self.pending.iter().copied().take(8).collect();
        if head.starts_with(b"AMQP") {
            let octets: Vec<u8> = self.pending.drain(..8).collect();
            let header = octets.clone().try_into().expect("eight octets");
            return Ok(Some(Piece {
                octets,
                what: What::Header(header),
            }));
        }
        let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if size < 8 {
            return Err(Fault {
                at: 0,
                why: format!("frame of {size} octets"),
            });
        }
        if self.pending.len() < size {
            return Ok(None);
        }
        let octets: Vec<u8> = self.pending.drain(..size).collect();
        let frame = Frame::decode(&octets)?;
        Ok(Some(Piece {
            octets,
            what: What::Frame(frame),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end() -> Frame {
        Frame {
            perf: Some(Perf {
                code: 0x17,
                fields: vec![],
            }),
            ..Frame::empty(0x0102)
        }
    }

    #[test]
    fn a_frame_has_the_octets_of_section_2_3() {
        assert_eq!(
            end().encode(),
            [0, 0, 0, 12, 2, 0, 1, 2, 0x00, 0x53, 0x17, 0x45]
        );
        assert_eq!(Frame::empty(0).encode(), [0, 0, 0, 8, 2, 0, 0, 0]);
    }

    #[test]
    fn wide_and_symbolic_forms_read_back_as_the_same_frame() {
        let frame = Frame {
            extended: vec![1, 2, 3, 4],
            payload: vec![9; 5],
            ..end()
        };
        for form in [Form::Shortest, Form::Small, Form::Widest] {
            for descriptors in [Descriptors::Numeric, Descriptors::Symbolic] {
                let octets = frame.encode_with(form, descriptors);
                assert_eq!(
                    Frame::decode(&octets),
                    Ok(frame.clone()),
                    "{form:?} {descriptors:?}"
                );
            }
        }
    }

    #[test]
    fn the_reader_does_not_care_how_the_stream_was_cut() {
        let stream = [&AMQP_HEADER[..], &end().encode(), &Frame::empty(3).encode()].concat();
        for step in 1..=stream.len() {
            let mut reader = FrameReader::new();
            let mut seen = Vec::new();
            for chunk in stream.chunks(step) {
                reader.push(chunk);
                while let Some(piece) = reader.next_piece().unwrap() {
                    seen.push(piece.what);
                }
            }
            let expected = [
                What::Header(AMQP_HEADER),
                What::Frame(end()),
                What::Frame(Frame::empty(3)),
            ];
            assert_eq!(seen, expected, "in steps of {step}");
            assert_eq!(reader.pending(), 0);
        }
    }

    #[test]
    fn bad_sizes_and_offsets_are_faults() {
        for octets in [
            &[0, 0, 0, 7, 2, 0, 0, 0][..],
            &[0, 0, 0, 8, 1, 0, 0, 0],
            &[0, 0, 0, 8, 3, 0, 0, 0],
            &[0, 0, 0, 9, 2, 0, 0, 0, 0x40],
        ] {
            let mut reader = FrameReader::new();
            reader.push(octets);
            assert!(reader.next_piece().is_err(), "{octets:02x?}");
        }
    }
}
