//! Frames (2.3): where they begin and end, and what their headers say.

use alloc::vec::Vec;

use bytes::Bytes;

use super::output::Output;
use crate::codec::Encode;
use crate::error::Fault;
use crate::protocol::conditions;

pub(crate) const FRAME_HEADER: usize = 8;
/// The frame size that every peer takes, also before open was exchanged (2.4.1).
pub(crate) const MIN_MAX_FRAME_SIZE: u32 = 512;

/// The two types of frame there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameType {
    Amqp = 0,
    Sasl = 1,
}

/// Octets at the front of `input` that are whole frames, at most `most` frames.
///
/// A size is checked against `max_size` as soon as its four octets are there, before the frame it
/// announces is waited for.
pub(crate) fn whole_frames(input: &[u8], max_size: u32, most: usize) -> Result<usize, Fault> {
    let mut end = 0;
    for _ in 0..most {
        let Some(size) = input.get(end..).and_then(|rest| rest.first_chunk::<4>()) else {
            break;
        };
        let size = u32::from_be_bytes(*size);
        if (size as usize) < FRAME_HEADER {
            return Err(framing("a frame's size is less than its header"));
        }
        if size > max_size {
            return Err(framing(
                "a frame is larger than the maximum that was agreed",
            ));
        }
        match end.checked_add(size as usize) {
            Some(next) if next <= input.len() => end = next,
            _ => break,
        }
    }
    Ok(end)
}

/// One frame, as positions in the octets it lies in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) channel: u16,
    /// Where the body begins and ends; equal for an empty frame.
    pub(crate) body: usize,
    pub(crate) end: usize,
}

impl Frame {
    /// Reads the header of an AMQP frame without an extended header that begins at `at`. `None` if it is any other.
    ///
    /// Nearly every frame there is: one comparison, and not a word about what is wrong, which [`read`](Self::read) has.
    #[inline]
    pub(crate) fn plain(octets: &[u8], at: usize) -> Option<Self> {
        let [s0, s1, s2, s3, doff, kind, c0, c1] = *octets.get(at..)?.first_chunk()?;
        ([doff, kind] == [2, FrameType::Amqp as u8]).then_some(Self {
            channel: u16::from_be_bytes([c0, c1]),
            body: at.saturating_add(FRAME_HEADER),
            end: at.saturating_add(u32::from_be_bytes([s0, s1, s2, s3]) as usize),
        })
    }

    /// Reads the header of the frame that begins at `at`. The size was checked by [`whole_frames`].
    pub(crate) fn read(octets: &Bytes, at: usize, expected: FrameType) -> Result<Self, Fault> {
        let header = octets.get(at..).and_then(|rest| rest.first_chunk::<8>());
        let Some([s0, s1, s2, s3, doff, kind, c0, c1]) = header.copied() else {
            return Err(framing("a frame header is cut short"));
        };
        let size = u32::from_be_bytes([s0, s1, s2, s3]) as usize;
        let offset = usize::from(doff) * 4;
        if offset < FRAME_HEADER || offset > size {
            return Err(framing("a frame's data offset lies outside the frame"));
        }
        if kind != expected as u8 {
            return Err(framing("a frame of a type that has no place here"));
        }
        Ok(Self {
            channel: u16::from_be_bytes([c0, c1]),
            body: at.saturating_add(offset),
            end: at.saturating_add(size),
        })
    }
}

fn framing(text: &'static str) -> Fault {
    Fault::connection(conditions::CONNECTION_FRAMING_ERROR, text)
}

/// The frame would be larger than the peer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameTooLarge;

/// Begins a frame in the output; returns where, for [`finish`].
#[inline]
pub(crate) fn begin(output: &mut Output, kind: FrameType, channel: u16) -> usize {
    let buffer = output.buffer();
    let start = buffer.len();
    let [c0, c1] = channel.to_be_bytes();
    buffer.extend_from_slice(&[0, 0, 0, 0, 2, kind as u8, c0, c1]);
    start
}

/// Begins a frame of which `write` writes what comes before the payload, in room for `N` octets, and answers how many that were.
/// The caller appends the payload. Returns where the frame is.
#[inline]
pub(crate) fn begin_short<const N: usize>(
    output: &mut Output,
    channel: u16,
    payload: usize,
    write: impl FnOnce(&mut [u8; N]) -> usize,
) -> usize {
    let buffer = output.buffer();
    let start = buffer.len();
    buffer.extend_from_slice(&[0; FRAME_HEADER]);
    buffer.extend_from_slice(&[0; N]);
    if let Some(frame) = buffer.get_mut(start..)
        && let Some((header, frame)) = frame.split_first_chunk_mut()
        && let Some(room) = frame.first_chunk_mut()
    {
        let length = FRAME_HEADER.saturating_add(write(room));
        let size = u32::try_from(length.saturating_add(payload)).unwrap_or(u32::MAX);
        let [s0, s1, s2, s3] = size.to_be_bytes();
        let [c0, c1] = channel.to_be_bytes();
        *header = [s0, s1, s2, s3, 2, FrameType::Amqp as u8, c0, c1];
        buffer.truncate(start.saturating_add(length));
    }
    start
}

/// Writes the size of the frame begun at `start`, which also has `chained` octets beside the buffer.
#[inline]
pub(crate) fn finish(output: &mut Output, start: usize, chained: usize) {
    let buffer = output.buffer();
    let size = u32::try_from(buffer.len().saturating_sub(start).saturating_add(chained))
        .unwrap_or(u32::MAX);
    if let Some(place) = buffer
        .get_mut(start..)
        .and_then(|frame| frame.first_chunk_mut())
    {
        *place = size.to_be_bytes();
    }
}

/// Octets that a frame with this body has.
pub(crate) fn size(body: &impl Encode) -> usize {
    let mut octets = Vec::new();
    body.encode(&mut octets);
    octets.len().saturating_add(FRAME_HEADER)
}

/// Writes a whole frame, or nothing if it exceeds `max_size`.
pub(crate) fn write(
    output: &mut Output,
    kind: FrameType,
    channel: u16,
    body: &impl Encode,
    max_size: u32,
) -> Result<(), FrameTooLarge> {
    let start = begin(output, kind, channel);
    body.encode(output.buffer());
    if output.buffer().len().saturating_sub(start) > max_size as usize {
        output.buffer().truncate(start);
        return Err(FrameTooLarge);
    }
    finish(output, start, 0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Frame, FrameType, whole_frames};
    use bytes::Bytes;

    #[test]
    fn sizes_are_checked_before_the_frame_is_there() {
        assert_eq!(whole_frames(&[0, 0, 0], 512, 9).unwrap(), 0);
        assert_eq!(
            whole_frames(&[0, 0, 0, 8, 2, 0, 0, 0, 0], 512, 9).unwrap(),
            8
        );
        assert!(whole_frames(&[0, 0, 2, 1], 512, 9).is_err());
        assert_eq!(whole_frames(&[0, 0, 2, 0], 512, 9).unwrap(), 0);
        assert!(whole_frames(&[0, 0, 0, 7], 512, 9).is_err());
        let two = [[0, 0, 0, 8, 2, 0, 0, 0]; 2].concat();
        assert_eq!(whole_frames(&two, 512, 9).unwrap(), 16);
        assert_eq!(whole_frames(&two, 512, 1).unwrap(), 8);
    }

    #[test]
    fn extended_headers_are_skipped_and_bad_offsets_refused() {
        let frame = |doff: u8, kind: u8| {
            Bytes::from(alloc::vec![0, 0, 0, 13, doff, kind, 0, 7, 1, 2, 3, 4, 9])
        };
        let read = Frame::read(&frame(3, 0), 0, FrameType::Amqp).unwrap();
        assert_eq!((read.channel, read.body, read.end), (7, 12, 13));
        assert!(Frame::read(&frame(1, 0), 0, FrameType::Amqp).is_err());
        assert!(Frame::read(&frame(4, 0), 0, FrameType::Amqp).is_err());
        assert!(Frame::read(&frame(2, 1), 0, FrameType::Amqp).is_err());
    }
}
