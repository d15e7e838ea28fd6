//! Octets that nobody is to see.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use zeroize::Zeroize;

/// A secret: never printed, not even by `Debug`, and overwritten when the last copy goes, unless it is a piece of something larger
/// (a password that a client sent is one of what was received), or was sent and is still held for the wire. Copies that go at the
/// same time in two threads may each take the other for the last, and then neither is overwritten.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Bytes);

impl Secret {
    /// The octets themselves.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `other` is the same secret, in time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, other: &[u8]) -> bool {
        let difference = self
            .0
            .iter()
            .zip(other)
            .fold(0, |sum, (a, b)| sum | core::hint::black_box(a ^ b));
        self.0.len() == other.len() && difference == 0
    }

    /// The octets, for the wire.
    pub(crate) fn to_bytes(&self) -> Bytes {
        self.0.clone()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        // Refused as long as somebody else has it.
        if let Ok(mut octets) = core::mem::take(&mut self.0).try_into_mut() {
            octets.as_mut().zeroize();
            // What it was made of may have been longer.
            octets.spare_capacity_mut().zeroize();
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<Bytes> for Secret {
    fn from(octets: Bytes) -> Self {
        Self(octets)
    }
}

impl From<Vec<u8>> for Secret {
    fn from(octets: Vec<u8>) -> Self {
        Self(octets.into())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}
