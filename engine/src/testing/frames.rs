//! Where frames begin and end, however the octets were cut.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::transport::frame::{FRAME_HEADER, Frame, FrameType, whole_frames};

/// A frame's channel and its body, or that what came was none.
type Read = Result<(u16, Vec<u8>), ()>;

/// Octet 0 is the largest frame, in steps of 64 octets; octet 1 how many octets come at a time; then the octets. What is split
/// off as they come is what a reader finds that has all of them, and checks nothing before.
pub fn frames(data: &[u8]) {
    let [largest, step, octets @ ..] = data else {
        return;
    };
    let largest = 512 + 64 * usize::from(*largest);
    let all = naive(octets, largest);
    for (step, most) in [
        (usize::from(*step).max(1), usize::MAX),
        (usize::from(*step).max(1), 1),
        (octets.len().max(1), usize::MAX),
    ] {
        assert_eq!(split(octets, largest, step, most), all);
    }
}

/// As a transport splits them: what is whole is taken off the front, what is not waits for more.
fn split(octets: &[u8], largest: usize, step: usize, most: usize) -> Vec<Read> {
    let largest = u32::try_from(largest).unwrap_or(u32::MAX);
    let mut found = Vec::new();
    let mut input = Vec::new();
    for piece in octets.chunks(step) {
        input.extend_from_slice(piece);
        loop {
            let Ok(end) = whole_frames(&input, largest, most) else {
                // Those before it that are whole count.
                while let Ok(end @ 1..) = whole_frames(&input, largest, 1) {
                    if !take(&mut input, end, &mut found) {
                        return found;
                    }
                }
                found.push(Err(()));
                return found;
            };
            assert!(end <= input.len(), "more octets than there are");
            if end == 0 {
                break;
            }
            if !take(&mut input, end, &mut found) {
                return found;
            }
        }
        assert!(
            input.len() < largest as usize,
            "more waits than the largest frame has"
        );
    }
    found
}

/// Reads the frames in the first `end` octets; whether all of them are frames.
fn take(input: &mut Vec<u8>, end: usize, found: &mut Vec<Read>) -> bool {
    let whole: Bytes = input.drain(..end).collect();
    let mut at = 0;
    while at < end {
        let Ok(frame) = Frame::read(&whole, at, FrameType::Amqp) else {
            found.push(Err(()));
            return false;
        };
        assert!(frame.end > at, "no step forward");
        let body = whole
            .get(frame.body..frame.end)
            .expect("a body lies in its frame");
        found.push(Ok((frame.channel, body.to_vec())));
        at = frame.end;
    }
    assert_eq!(at, end, "a whole frame ends where the next begins");
    true
}

/// The same from all octets at once, by the text of 2.3.1.
fn naive(mut octets: &[u8], largest: usize) -> Vec<Read> {
    let mut found = Vec::new();
    while let Some((size, _)) = octets.split_first_chunk::<4>() {
        let size = u32::from_be_bytes(*size) as usize;
        if size < FRAME_HEADER || size > largest {
            found.push(Err(()));
            return found;
        }
        let Some((frame, rest)) = octets.split_at_checked(size) else {
            return found;
        };
        let body = usize::from(frame[4]) * 4;
        if body < FRAME_HEADER || body > size || frame[5] != 0 {
            found.push(Err(()));
            return found;
        }
        let channel = u16::from_be_bytes([frame[6], frame[7]]);
        found.push(Ok((channel, frame[body..].to_vec())));
        octets = rest;
    }
    found
}
