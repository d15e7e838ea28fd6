//! The octets of messages that were put: in buffers of their own that are used again and again, or shared.

use bytes::Bytes;
use ferrion_engine::SendPayload;

/// Messages below this size lie in buffers that are used again.
const SMALL: usize = 4096;
/// What buffers that wait to be used again hold together at most.
const SPARE: usize = 512 << 10;
/// A buffer is used again for a message that fills it to one part in so many, or whatever the message if it is as small as that:
/// what waits counts by its octets, and is not to hold much more than that.
const LOOSE: usize = 4;
const TINY: usize = 256;

/// An encoded message.
#[derive(Debug)]
pub(crate) enum Octets {
    /// A small one: engines copy it into what they write.
    Own(Vec<u8>),
    /// A large one, or one that somebody else has as well: engines share it.
    Shared(Bytes),
}

impl Octets {
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Own(octets) => octets.len(),
            Self::Shared(octets) => octets.len(),
        }
    }

    /// For an engine to send.
    #[inline]
    pub(crate) fn to_send(&self) -> SendPayload<'_> {
        match self {
            Self::Own(octets) => octets.into(),
            Self::Shared(octets) => octets.clone().into(),
        }
    }
}

/// Where messages are encoded, and the buffers of those that are done with.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    scratch: Vec<u8>,
    spare: Vec<Vec<u8>>,
    /// The room in those.
    room: usize,
}

impl Buffers {
    /// What `encode` appends, to be shared with an engine that `keeps` what it sends.
    pub(crate) fn fill(&mut self, keeps: bool, encode: impl FnOnce(&mut Vec<u8>)) -> Octets {
        self.scratch.clear();
        encode(&mut self.scratch);
        let len = self.scratch.len();
        if len >= SMALL {
            return Octets::Shared(std::mem::take(&mut self.scratch).into());
        }
        if keeps {
            return Octets::Shared(Bytes::copy_from_slice(&self.scratch));
        }
        let most = TINY.max(LOOSE * len);
        let spare = self.spare.pop_if(|spare| spare.capacity() <= most);
        let mut octets = spare.unwrap_or_default();
        self.room -= octets.capacity();
        octets.extend_from_slice(&self.scratch);
        Octets::Own(octets)
    }

    /// A message is done with: the next one may have its buffer.
    #[inline]
    pub(crate) fn take_back(&mut self, octets: Octets) {
        if let Octets::Own(mut octets) = octets
            && self.room + octets.capacity() <= SPARE
        {
            octets.clear();
            self.room += octets.capacity();
            self.spare.push(octets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Buffers, Octets, SMALL, SPARE, TINY};

    fn filled(buffers: &mut Buffers, len: usize) -> Octets {
        let octets = buffers.fill(false, |out| out.resize(len, 7));
        assert_eq!(octets.len(), len);
        octets
    }

    #[test]
    fn a_buffer_is_used_again_and_has_nothing_left_in_it() {
        let mut buffers = Buffers::default();
        let first = filled(&mut buffers, 100);
        buffers.take_back(first);
        assert_eq!(buffers.spare.len(), 1);
        let second = filled(&mut buffers, 60);
        assert!(matches!(second, Octets::Own(octets) if octets == [7; 60]));
        assert_eq!((buffers.spare.len(), buffers.room), (0, 0));
    }

    #[test]
    fn a_short_message_does_not_hold_the_buffer_of_a_long_one() {
        let mut buffers = Buffers::default();
        let long = filled(&mut buffers, SMALL - 1);
        buffers.take_back(long);
        for _ in 0..10 {
            let short = filled(&mut buffers, 30);
            assert!(matches!(short, Octets::Own(octets) if octets.capacity() <= TINY));
        }
        let long = filled(&mut buffers, SMALL - 1);
        assert!(matches!(long, Octets::Own(_)));
        assert_eq!((buffers.spare.len(), buffers.room), (0, 0));
    }

    #[test]
    fn what_an_engine_keeps_is_there_once() {
        let mut buffers = Buffers::default();
        let kept = buffers.fill(true, |out| out.resize(30, 7));
        assert!(matches!(kept, Octets::Shared(octets) if octets == [7; 30][..]));
    }

    #[test]
    fn large_messages_keep_their_buffers_and_few_small_ones_wait() {
        let mut buffers = Buffers::default();
        let large = filled(&mut buffers, SMALL);
        assert!(matches!(&large, Octets::Shared(_)));
        buffers.take_back(large);
        assert_eq!(buffers.spare.len(), 0);
        let many: Vec<_> = (0..SPARE / 500)
            .map(|_| filled(&mut buffers, 1000))
            .collect();
        for octets in many {
            buffers.take_back(octets);
        }
        assert!((1..=SPARE / 1000).contains(&buffers.spare.len()));
        assert!(buffers.room <= SPARE);
    }
}
