//! [`Tag`]: the name of a delivery.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;

use crate::codec::show::Octets;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Trace, code, writer};

/// The most octets a delivery-tag has (2.8.7).
pub const MAX_TAG: usize = 32;

/// A delivery-tag: up to 32 octets, kept in place.
#[derive(Clone, Copy)]
#[repr(C, align(8))] // So that it is moved in whole words, none of which was written in part just before.
pub struct Tag {
    octets: [u8; MAX_TAG],
    len: usize,
}

/// More than 32 octets cannot be a delivery-tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a delivery-tag has at most 32 octets, not {len}: choose a shorter one")]
pub struct TagTooLong {
    /// The octets there were.
    pub len: usize,
}

impl Tag {
    /// A tag of these octets.
    ///
    /// # Errors
    /// There are more than 32.
    #[inline]
    pub fn new(octets: &[u8]) -> Result<Self, TagTooLong> {
        let mut tag = Self::default();
        tag.set(octets)?;
        Ok(tag)
    }

    /// The tag that octets begin with, so many of them and no more than one can have.
    // What is behind a tag is never looked at. So it is copied together with it, in one move of one size, that no later move has to
    // wait for.
    #[inline(always)]
    pub(crate) fn at_front(octets: &[u8], len: usize) -> Self {
        const WORDS: usize = MAX_TAG / 2;
        match octets.first_chunk() {
            Some(front) if len <= WORDS => {
                let mut octets = [0; MAX_TAG];
                if let Some(place) = octets.first_chunk_mut::<WORDS>() {
                    *place = *front;
                }
                Self { octets, len }
            }
            _ => Self::copied(octets, len),
        }
    }

    #[cold]
    fn copied(octets: &[u8], len: usize) -> Self {
        let octets = octets.get(..len).unwrap_or_default();
        Self::new(octets).unwrap_or_default()
    }

    /// Becomes the tag of these octets, where it lies.
    ///
    /// # Errors
    /// There are more than 32; the tag is as it was.
    #[inline]
    pub fn set(&mut self, octets: &[u8]) -> Result<(), TagTooLong> {
        let too_long = TagTooLong { len: octets.len() };
        // Nearly all tags are numbers of 32 or 64 bits: those are copied in one move, not by a call.
        if let (Ok(word), Some(place)) =
            (<[u8; 8]>::try_from(octets), self.octets.first_chunk_mut())
        {
            *place = word;
        } else if let (Ok(word), Some(place)) =
            (<[u8; 4]>::try_from(octets), self.octets.first_chunk_mut())
        {
            *place = word;
        } else {
            let place = self.octets.get_mut(..octets.len()).ok_or(too_long)?;
            place.copy_from_slice(octets);
        }
        self.len = octets.len();
        Ok(())
    }

    /// The octets.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

impl Default for Tag {
    /// The empty tag.
    fn default() -> Self {
        Self {
            len: 0,
            octets: [0; MAX_TAG],
        }
    }
}

impl From<u64> for Tag {
    /// The number, in eight octets.
    fn from(number: u64) -> Self {
        let mut tag = Self::default();
        if let Some(place) = tag.octets.first_chunk_mut() {
            *place = number.to_be_bytes();
            tag.len = 8;
        }
        tag
    }
}

impl TryFrom<&[u8]> for Tag {
    type Error = TagTooLong;
    fn try_from(octets: &[u8]) -> Result<Self, TagTooLong> {
        Self::new(octets)
    }
}

impl Deref for Tag {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Tag {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Tag {}

impl PartialOrd for Tag {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Tag {
    /// By octets, as slices are.
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Tag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Octets(self), f)
    }
}

impl Trace for Tag {
    fn trace(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Encode for Tag {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        writer::binary(out, self);
    }
}

impl Decode for Tag {
    #[inline]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let size = match constructor {
            code::BINARY8 => usize::from(r.u8()?),
            code::BINARY32 => r.u32()? as usize,
            other => return Err(r.wrong_type("binary", other)),
        };
        let at = r.position();
        let octets = r.slice(size)?;
        Self::new(octets).map_err(|e| DecodeError::new(at, DecodeErrorKind::TagTooLong(e.len)))
    }
}
