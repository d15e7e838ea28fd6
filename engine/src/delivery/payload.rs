//! The octets of a delivery: a rope of the pieces they came in.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

/// The encoded message of a delivery, in as many pieces as it came in frames. Cloning is cheap.
///
/// ```
/// use ferrion_engine::Payload;
/// let mut payload = Payload::from("half ");
/// payload.push("a message".into());
/// assert_eq!(payload.len(), 14);
/// assert_eq!(payload.make_contiguous(), "half a message");
/// assert_eq!(payload.chunks().count(), 1);
/// assert_eq!(payload.into_bytes(), "half a message");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Payload {
    // One piece is by far the commonest: it costs no list.
    first: Bytes,
    #[expect(
        clippy::box_collection,
        reason = "it is moved with every delivery, and seldom there"
    )]
    rest: Option<Box<VecDeque<Bytes>>>,
}

impl Payload {
    /// Octets in all pieces together.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunks().map(|piece| piece.len()).sum()
    }

    /// Whether there is no octet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chunks().all(|piece| piece.is_empty())
    }

    /// The pieces in order.
    pub fn chunks(&self) -> impl Iterator<Item = &Bytes> {
        core::iter::once(&self.first).chain(self.rest.iter().flat_map(|rest| rest.iter()))
    }

    /// Appends a piece without copying it.
    pub fn push(&mut self, piece: Bytes) {
        if self.first.is_empty() {
            self.first = piece;
        } else if !piece.is_empty() {
            self.rest.get_or_insert_default().push_back(piece);
        }
    }

    /// Gives the pieces that lie in `octets` a place of their own.
    pub(crate) fn copy_out(&mut self, octets: &Bytes) {
        let lies = octets.as_ptr_range();
        let rest = self.rest.iter_mut().flat_map(|rest| rest.iter_mut());
        for piece in core::iter::once(&mut self.first).chain(rest) {
            if lies.contains(&piece.as_ptr()) {
                *piece = Bytes::copy_from_slice(piece);
            }
        }
    }

    /// Takes up to `count` octets off the front: all of the first piece, or as much of it as asked for.
    pub(crate) fn take_front(&mut self, count: usize) -> Bytes {
        if count < self.first.len() {
            return self.first.split_to(count);
        }
        let next = self
            .rest
            .as_mut()
            .and_then(|rest| rest.pop_front())
            .unwrap_or_default();
        core::mem::replace(&mut self.first, next)
    }

    /// Joins the pieces where they are, and lends the one they are then: free if there is only one, a copy otherwise.
    #[inline]
    pub fn make_contiguous(&mut self) -> &Bytes {
        if self.rest.is_some() {
            self.first = core::mem::take(self).into_bytes();
        }
        &self.first
    }

    /// All octets in one piece: free if there is only one, a copy otherwise.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        if self.rest.as_ref().is_none_or(|rest| rest.is_empty()) {
            return self.first;
        }
        let mut whole = BytesMut::with_capacity(self.len());
        for piece in self.chunks() {
            whole.extend_from_slice(piece);
        }
        whole.freeze()
    }
}

impl PartialEq for Payload {
    /// Equal octets, however they are cut.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.chunks().flatten().eq(other.chunks().flatten())
    }
}

impl Eq for Payload {}

impl From<Bytes> for Payload {
    fn from(first: Bytes) -> Self {
        Self { first, rest: None }
    }
}

impl From<Vec<u8>> for Payload {
    fn from(octets: Vec<u8>) -> Self {
        Bytes::from(octets).into()
    }
}

impl From<&[u8]> for Payload {
    fn from(octets: &[u8]) -> Self {
        Bytes::copy_from_slice(octets).into()
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

/// What `send` takes: borrowed octets, which are copied straight into the output where possible,
/// or a [`Payload`] of shared ones, whose large pieces are never copied.
#[derive(Clone, Debug)]
pub enum SendPayload<'a> {
    /// Octets of the caller's.
    Borrowed(&'a [u8]),
    /// Shared octets.
    Shared(Payload),
}

impl SendPayload<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Borrowed(octets) => octets.len(),
            Self::Shared(payload) => payload.len(),
        }
    }

    pub(crate) fn into_payload(self) -> Payload {
        match self {
            Self::Borrowed(octets) => octets.into(),
            Self::Shared(payload) => payload,
        }
    }
}

impl<'a> From<&'a [u8]> for SendPayload<'a> {
    fn from(octets: &'a [u8]) -> Self {
        Self::Borrowed(octets)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for SendPayload<'a> {
    fn from(octets: &'a [u8; N]) -> Self {
        Self::Borrowed(octets)
    }
}

impl<'a> From<&'a Vec<u8>> for SendPayload<'a> {
    fn from(octets: &'a Vec<u8>) -> Self {
        Self::Borrowed(octets)
    }
}

impl From<Vec<u8>> for SendPayload<'_> {
    fn from(octets: Vec<u8>) -> Self {
        Self::Shared(octets.into())
    }
}

impl From<Bytes> for SendPayload<'_> {
    fn from(octets: Bytes) -> Self {
        Self::Shared(octets.into())
    }
}

impl From<Payload> for SendPayload<'_> {
    fn from(payload: Payload) -> Self {
        Self::Shared(payload)
    }
}
