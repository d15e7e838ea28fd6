//! The octets of messages that were put: in buffers of their own that are used again and again, or shared.

use bytes::Bytes;
use ferrion_engine::SendPayload;

/// Messages below this size lie in buffers that are used again.
const SMALL: usize = 4096;
/// What buffers that wait to be used again hold together at most.
const SPARE: usize = 512 << 10;

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
    /// What `encode` appends.
    pub(crate) fn fill(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> Octets {
        self.scratch.clear();
        encode(&mut self.scratch);
        if self.scratch.len() >= SMALL {
            return Octets::Shared(std::mem::take(&mut self.scratch).into());
        }
        let mut octets = self.spare.pop().unwrap_or_default();
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
    use super::{Buffers, Octets, SMALL, SPARE};

    fn filled(buffers: &mut Buffers, len: usize) -> Octets {
        let octets = buffers.fill(|out| out.resize(len, 7));
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
