//! The output rope: small things copied into one buffer, large payloads chained beside it.
//!
//! Copying wins up to a few KiB, chaining beyond; the rope does both and presents the result as one
//! [`Buf`]. The buffer is reused, so that a steady flow of small frames allocates nothing.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::{Buf, Bytes};

/// Octets that wait to be taken by the caller.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Everything that was copied; `head` of it has been taken already.
    buffer: Vec<u8>,
    head: usize,
    chained: VecDeque<Chained>,
    chained_octets: usize,
    /// What the chained payloads count together.
    chained_weight: usize,
}

/// A payload that is not copied.
#[derive(Debug)]
struct Chained {
    /// The position in the buffer before which it goes.
    at: usize,
    payload: Bytes,
    /// How much of a limit for output it takes, until all of it is gone.
    weight: usize,
}

/// From this size on a chained payload counts for what it is: what a frame costs is little beside it, and to let more of such wait
/// gains nothing.
const LARGE: usize = 32 << 10;

impl Output {
    /// Where frames are written. Only ever append.
    pub(crate) const fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Appends `payload` without copying it.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "all that waits fits into memory"
    )]
    pub(crate) fn append(&mut self, payload: Bytes) {
        if !payload.is_empty() {
            let octets = payload.len();
            let weight = if octets < LARGE { octets / 4 } else { octets };
            self.chained_octets += octets;
            self.chained_weight += weight;
            self.chained.push_back(Chained {
                at: self.buffer.len(),
                payload,
                weight,
            });
        }
    }

    #[expect(
        clippy::arithmetic_side_effects,
        reason = "what was taken was there, and all that waits fits into memory"
    )]
    pub(crate) const fn len(&self) -> usize {
        self.buffer.len() - self.head + self.chained_octets
    }

    /// How much of a limit for output this takes. Chained payloads that are not [`LARGE`] count for a quarter: they are in memory
    /// whether they wait here or in a queue, and what goes through a queue first costs a fifth of what a payload of 10 KiB costs
    /// altogether.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "what was taken was there, and all that waits fits into memory"
    )]
    pub(crate) const fn weight(&self) -> usize {
        self.buffer.len() - self.head + self.chained_weight
    }

    /// Octets of the buffer from `head` that come before the next chained payload.
    fn run(&self) -> &[u8] {
        let end = self
            .chained
            .front()
            .map_or(self.buffer.len(), |chained| chained.at);
        self.buffer.get(self.head..end).unwrap_or_default()
    }

    /// Everything that waits, in order, in as few pieces as it lies in memory.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let mut at = self.head;
        let chained = self.chained.iter().flat_map(move |chained| {
            let copied = self.buffer.get(at..chained.at).unwrap_or_default();
            at = chained.at;
            [copied, chained.payload.as_ref()]
        });
        let tail_at = self.chained.back().map_or(self.head, |last| last.at);
        let tail = self.buffer.get(tail_at..).unwrap_or_default();
        chained.chain([tail]).filter(|piece| !piece.is_empty())
    }

    /// Forgets what was taken. Moves the rest to the front only when at least as much was taken as
    /// would have to be moved, so that the cost per octet stays constant however slow the reader is.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a chained payload never goes before what was taken"
    )]
    fn reclaim(&mut self) {
        if self.head == self.buffer.len() {
            if self.chained.is_empty() {
                self.buffer.clear();
                self.head = 0;
            }
        } else if self.head > self.buffer.len() / 2 {
            self.buffer.drain(..self.head);
            for chained in &mut self.chained {
                chained.at -= self.head;
            }
            self.head = 0;
        }
    }
}

impl Buf for Output {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        let run = self.run();
        match self.chained.front() {
            Some(chained) if run.is_empty() => &chained.payload,
            _ => run,
        }
    }

    #[cfg(feature = "std")]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "one for each place in a slice"
    )]
    fn chunks_vectored<'a>(&'a self, dst: &mut [std::io::IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for (slot, piece) in dst.iter_mut().zip(self.pieces()) {
            *slot = std::io::IoSlice::new(piece);
            filled += 1;
        }
        filled
    }

    /// # Panics
    /// As `Buf` demands, when `count` exceeds what was offered.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "no step is larger than what it is taken of"
    )]
    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.len(), "cannot advance past the output");
        while count > 0 {
            let run = self.run().len();
            if run > 0 {
                let step = run.min(count);
                self.head += step;
                count -= step;
            } else if let Some(chained) = self.chained.front_mut() {
                let step = chained.payload.len().min(count);
                chained.payload.advance(step);
                self.chained_octets -= step;
                count -= step;
                if chained.payload.is_empty() {
                    self.chained_weight -= chained.weight;
                    self.chained.pop_front();
                }
            }
        }
        self.reclaim();
    }
}

#[cfg(test)]
mod tests {
    use super::Output;
    use alloc::vec::Vec;
    use bytes::{Buf, Bytes};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out_however_it_is_cut(
            parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), any::<bool>()), 0..20),
            cuts in prop::collection::vec(1usize..30, 1..50),
        ) {
            let mut output = Output::default();
            let mut expected = Vec::new();
            let mut got = Vec::new();
            let mut cuts = cuts.into_iter().cycle();
            for (octets, chain) in parts {
                expected.extend_from_slice(&octets);
                if chain {
                    output.append(Bytes::from(octets));
                } else {
                    output.buffer().extend_from_slice(&octets);
                }
                let pieces: Vec<u8> = output.pieces().flatten().copied().collect();
                prop_assert_eq!(&pieces[..], &expected[got.len()..]);
                let step = cuts.next().unwrap_or(1).min(output.remaining());
                got.extend_from_slice(&output.copy_to_bytes(step));
            }
            let rest = output.remaining();
            got.extend_from_slice(&output.copy_to_bytes(rest));
            prop_assert_eq!(got, expected);
            prop_assert_eq!(output.buffer().len(), 0);
            prop_assert_eq!(output.weight(), 0);
        }
    }
}
