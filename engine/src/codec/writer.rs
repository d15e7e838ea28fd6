//! Appends encoded pieces to a `Vec<u8>`, each in its shortest form.
//!
//! A compound does not know its size before it is written. [`begin`] leaves the three octets of the short form free, the elements
//! follow, and [`Mark::list`], [`Mark::map`] or [`Mark::array`] fill them in; a body too long for the short form is moved up once.

use alloc::vec::Vec;

use super::code;
use super::error::EncodeError;

/// Where a compound began.
#[derive(Debug, Clone, Copy)]
#[must_use = "a compound needs its end"]
pub struct Mark {
    at: usize,
}

const SHORT_HEADER: usize = 3;
const LONG_HEADER: usize = 9;

/// Begins a compound: write its elements next, then end it.
#[inline]
pub fn begin(out: &mut Vec<u8>) -> Mark {
    let at = out.len();
    out.extend_from_slice(&[0; SHORT_HEADER]);
    Mark { at }
}

impl Mark {
    /// Ends a list of `count` elements.
    ///
    /// # Errors
    /// The list is longer than 4 GiB; nothing of it stays in `out`.
    #[inline]
    pub fn list(self, out: &mut Vec<u8>, count: usize) -> Result<(), EncodeError> {
        if count == 0 {
            out.truncate(self.at);
            out.push(code::LIST0);
            return Ok(());
        }
        self.end(out, code::LIST8, code::LIST32, count)
    }

    /// Ends a map of `count` elements (keys and values).
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn map(self, out: &mut Vec<u8>, count: usize) -> Result<(), EncodeError> {
        self.end(out, code::MAP8, code::MAP32, count)
    }

    /// Ends an array of `count` elements. What was written began with the element constructor.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn array(self, out: &mut Vec<u8>, count: usize) -> Result<(), EncodeError> {
        self.end(out, code::ARRAY8, code::ARRAY32, count)
    }

    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "no vector has as many octets as a number can count"
    )]
    fn end(self, out: &mut Vec<u8>, short: u8, long: u8, count: usize) -> Result<(), EncodeError> {
        let body = out.len().saturating_sub(self.at + SHORT_HEADER);
        if let (Ok(size), Ok(count)) = (u8::try_from(body + 1), u8::try_from(count)) {
            patch(out, self.at, &[short, size, count]);
            return Ok(());
        }
        self.end_long(out, long, body, count)
    }

    #[cold]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "no vector has as many octets as a number can count"
    )]
    fn end_long(
        self,
        out: &mut Vec<u8>,
        long: u8,
        body: usize,
        count: usize,
    ) -> Result<(), EncodeError> {
        let (Ok(size), Ok(count)) = (u32::try_from(body.saturating_add(4)), u32::try_from(count))
        else {
            out.truncate(self.at);
            return Err(EncodeError::TooLong);
        };
        let start = self.at + SHORT_HEADER;
        out.extend_from_slice(&[0; LONG_HEADER - SHORT_HEADER]);
        out.copy_within(start..start + body, self.at + LONG_HEADER);
        let mut header = [long; LONG_HEADER];
        header[1..5].copy_from_slice(&size.to_be_bytes());
        header[5..].copy_from_slice(&count.to_be_bytes());
        patch(out, self.at, &header);
        Ok(())
    }
}

/// Overwrites octets that were reserved earlier.
#[inline]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "no vector has as many octets as a number can count"
)]
pub(super) fn patch(out: &mut [u8], at: usize, octets: &[u8]) {
    if let Some(place) = out.get_mut(at..at + octets.len()) {
        place.copy_from_slice(octets);
    }
}

/// A variable-width value: constructor, size, octets.
///
/// # Errors
/// More than 4 GiB; nothing is written.
#[inline]
pub(crate) fn variable(
    out: &mut Vec<u8>,
    short: u8,
    long: u8,
    octets: &[u8],
) -> Result<(), EncodeError> {
    let Ok(size) = u8::try_from(octets.len()) else {
        return variable_long(out, long, octets);
    };
    out.extend_from_slice(&[short, size]);
    out.extend_from_slice(octets);
    Ok(())
}

#[cold]
fn variable_long(out: &mut Vec<u8>, long: u8, octets: &[u8]) -> Result<(), EncodeError> {
    let size = u32::try_from(octets.len()).map_err(|_| EncodeError::TooLong)?;
    out.push(long);
    out.extend_from_slice(&size.to_be_bytes());
    out.extend_from_slice(octets);
    Ok(())
}

/// As [`variable`], but what is too long becomes null, for places that have no way to fail.
#[inline]
pub(super) fn variable_or_null(out: &mut Vec<u8>, short: u8, long: u8, octets: &[u8]) {
    if variable(out, short, long, octets).is_err() {
        out.push(code::NULL);
    }
}

/// A binary value.
#[inline]
pub fn binary(out: &mut Vec<u8>, octets: &[u8]) {
    variable_or_null(out, code::BINARY8, code::BINARY32, octets);
}

/// The constructor of a described value and its descriptor in numeric form (1.4).
#[inline]
pub fn descriptor(out: &mut Vec<u8>, descriptor: u64) {
    if let Ok(small) = u8::try_from(descriptor) {
        out.extend_from_slice(&[code::DESCRIBED, code::ULONG_SMALL, small]);
    } else {
        out.extend_from_slice(&[code::DESCRIBED, code::ULONG]);
        out.extend_from_slice(&descriptor.to_be_bytes());
    }
}
