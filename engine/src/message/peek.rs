//! Reads one field of a received section without decoding the others.
//!
//! Whoever routes messages looks at two or three fields; they are borrowed from the received octets.

use core::cell::Cell;

use bytes::Bytes;

use crate::codec::code::Width;
use crate::codec::{
    Decode, DecodeError, DecodeErrorKind as Kind, Reader, Str, Timestamp, checked_ascii,
    checked_text, code, jump,
};

use super::MessageId;
use super::sections::Span;

/// Constructor, size and count of a short list.
const HEAD: usize = 3;

/// The most fields that a section has.
const FIELDS: usize = 13;

/// Where the fields of a received list begin, so that each is found without passing over those before it.
///
/// It is made in place, as far as it is used, and holds as many fields as are sound; whoever asks for another has to look at
/// the octets.
#[derive(Clone, Default)]
pub(super) struct FieldIndex {
    known: Cell<u8>,
    /// Where the first field begins that is not known, counted as `starts` are.
    next: Cell<u8>,
    /// From the first field on.
    starts: [Cell<u8>; FIELDS],
}

impl FieldIndex {
    /// Forgets what it knows.
    pub(super) fn clear(&mut self) {
        self.known.set(0);
        self.next.set(0);
    }

    /// Where field number `field` of the list at `span` begins in the message.
    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "places within the octets of the message"
    )]
    pub(super) fn find(&self, octets: &[u8], span: &Span, field: u8) -> Option<usize> {
        if field >= self.known.get() {
            self.go_on_to(octets, span, field);
        }
        let start = self
            .starts
            .get(usize::from(field))
            .filter(|_| field < self.known.get())?;
        Some(span.value as usize + HEAD + usize::from(start.get()))
    }

    /// Four fields at a time, so that most are known already when they are asked for, and this is no part of the callers.
    #[inline(never)]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a list whose size has one octet has no more than 254 octets of fields"
    )]
    fn go_on_to(&self, octets: &[u8], span: &Span, field: u8) {
        // Longer lists are rare enough to be gone through for every field.
        let Some([code::LIST8, _, count, fields @ ..]) =
            octets.get(span.value as usize..span.end as usize)
        else {
            return;
        };
        let first = self.known.get();
        let end = (*count).min((field | 3).wrapping_add(1));
        let Some(wanted) = self.starts.get(usize::from(first)..usize::from(end)) else {
            return;
        };
        let mut known = first;
        let mut at = usize::from(self.next.get());
        for start in wanted {
            let Some(len) = field_len(fields, at) else {
                break;
            };
            let behind = at.wrapping_add(len);
            if behind > fields.len() {
                break;
            }
            start.set(at as u8);
            known = known.wrapping_add(1);
            at = behind;
        }
        self.known.set(known);
        self.next.set(at as u8);
    }
}

/// How many octets the field that begins `at` has, should it end within these; `None` unless it is a primitive.
#[inline(always)]
#[expect(
    clippy::indexing_slicing,
    reason = "the table has a row for every octet"
)]
fn field_len(fields: &[u8], at: usize) -> Option<usize> {
    let sized = || Some(2 + usize::from(*fields.get(at.wrapping_add(1))?));
    // Most are known without the table: where the next one begins is waited for.
    match *fields.get(at)? {
        code::STRING8 | code::SYMBOL8 | code::BINARY8 => sized(),
        code::NULL => Some(1),
        constructor => match STEPS[usize::from(constructor)] {
            SIZED => sized(),
            fixed => Some(usize::from(fixed)),
        },
    }
}

/// In [`STEPS`]: as many octets as the one behind the constructor says, and these two.
const SIZED: u8 = 0;

/// Octets of a value with its constructor. What is not found by this is more than a short list has.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated when this is compiled"
)]
static STEPS: [u8; 256] = {
    let mut steps = [u8::MAX; 256];
    let mut constructor = 0;
    while constructor < steps.len() {
        match code::width(constructor as u8) {
            Some(Width::Fixed(size)) => steps[constructor] = 1 + size,
            Some(Width::Sized8) => steps[constructor] = SIZED,
            Some(Width::Sized32) | None => {}
        }
        constructor += 1;
    }
    steps
};

/// An encoded value that is not null: its constructor, which has been read, and where to read on.
pub(super) struct Encoded<'a> {
    pub(super) constructor: u8,
    reader: Reader<'a>,
}

impl<'a> Encoded<'a> {
    /// The field that begins `at` in the list at `span`; `None` if it is null.
    #[inline]
    pub(super) fn at(
        octets: &'a Bytes,
        span: &Span,
        at: usize,
    ) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::within(octets, at, span.end as usize);
        let constructor = reader.u8()?;
        if constructor == code::NULL {
            return Ok(None);
        }
        Ok(Some(Self {
            constructor,
            reader,
        }))
    }

    /// The field number `field` of the list at `span`; `None` if it is null or was left out.
    #[cold]
    pub(super) fn seek(
        octets: &'a Bytes,
        span: &Span,
        field: u8,
    ) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::new(octets);
        if !seek(&mut reader, span, field)? {
            return Ok(None);
        }
        Self::at(octets, span, reader.position())
    }

    /// The value of the section at `span`; `None` if more than one section lies there.
    pub(super) fn alone(octets: &'a Bytes, span: &Span) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::new(octets);
        reader.slice(span.value as usize)?;
        jump(&mut reader)?;
        if reader.position() != span.end as usize {
            return Ok(None);
        }
        let mut reader = Reader::new(octets);
        reader.slice(span.value as usize)?;
        let constructor = reader.u8()?;
        Ok(Some(Self {
            constructor,
            reader,
        }))
    }

    /// The value as a type of its own.
    #[inline]
    pub(super) fn decode<T: Decode>(mut self) -> Result<T, DecodeError> {
        T::decode_as(self.constructor, &mut self.reader)
    }

    /// The octets of a binary value.
    #[inline]
    pub(super) fn binary(self) -> Result<&'a [u8], DecodeError> {
        self.sized(code::BINARY8, code::BINARY32, "binary")
    }

    /// The text of a string.
    #[inline]
    pub(super) fn string(self) -> Result<&'a str, DecodeError> {
        let at = self.reader.position();
        let octets = self.sized(code::STRING8, code::STRING32, "string")?;
        checked_text(octets).ok_or_else(|| DecodeError::new(at, Kind::BadUtf8))
    }

    /// The text of a symbol.
    #[inline]
    pub(super) fn symbol(self) -> Result<&'a str, DecodeError> {
        let at = self.reader.position();
        let octets = self.sized(code::SYMBOL8, code::SYMBOL32, "symbol")?;
        checked_ascii(octets).ok_or_else(|| DecodeError::new(at, Kind::NotAscii))
    }

    #[inline]
    fn sized(
        mut self,
        short: u8,
        long: u8,
        expected: &'static str,
    ) -> Result<&'a [u8], DecodeError> {
        let size = if self.constructor == short {
            usize::from(self.reader.u8()?)
        } else if self.constructor == long {
            // Where a u32 does not fit usize there is no such slice either.
            usize::try_from(self.reader.u32()?).unwrap_or(usize::MAX)
        } else {
            return Err(self.reader.wrong_type(expected, self.constructor));
        };
        self.reader.slice(size)
    }
}

/// The octets of a short binary, string or symbol at the start of `field`; `None` for whatever else is there.
///
/// The quick way to what nearly all text is; [`Encoded`] has the way for everything, and the faults.
#[inline]
fn short(field: &[u8], constructor: u8) -> Option<&[u8]> {
    let (head, rest) = field.split_first_chunk::<2>()?;
    if head[0] != constructor {
        return None;
    }
    rest.get(..usize::from(head[1]))
}

/// A short binary, as [`short`] finds it.
#[inline]
pub(super) fn short_binary(field: &[u8]) -> Option<&[u8]> {
    short(field, code::BINARY8)
}

/// An id that is a number or short text.
#[inline]
pub(super) fn short_id(field: &[u8]) -> Option<MessageId> {
    match field {
        [code::STRING8, text @ ..] => {
            // The field was found to be whole.
            let (text, _) = Str::short(text.first_chunk()?)?;
            Some(MessageId::String(text))
        }
        [code::ULONG_SMALL, number, ..] => Some(MessageId::Ulong(u64::from(*number))),
        [code::ULONG, rest @ ..] => {
            Some(MessageId::Ulong(u64::from_be_bytes(*rest.first_chunk()?)))
        }
        _ => None,
    }
}

/// A point in time.
#[inline]
pub(super) fn timestamp(field: &[u8]) -> Option<Timestamp> {
    let (constructor, rest) = field.split_first()?;
    let octets = rest
        .first_chunk()
        .filter(|_| *constructor == code::TIMESTAMP)?;
    Some(Timestamp(i64::from_be_bytes(*octets)))
}

/// A number in whichever form.
#[inline]
pub(super) fn uint(field: &[u8]) -> Option<u32> {
    match field {
        [code::UINT_SMALL, number, ..] => Some(u32::from(*number)),
        [code::UINT_ZERO, ..] => Some(0),
        [code::UINT, rest @ ..] => Some(u32::from_be_bytes(*rest.first_chunk()?)),
        _ => None,
    }
}

/// A short string, as [`short`] finds it.
#[inline]
pub(super) fn short_string(field: &[u8]) -> Option<&str> {
    checked_text(short(field, code::STRING8)?)
}

/// A short symbol, as [`short`] finds it.
#[inline]
pub(super) fn short_symbol(field: &[u8]) -> Option<&str> {
    checked_ascii(short(field, code::SYMBOL8)?)
}

/// Passes over the fields before number `field` of the list at `span`; false if the list has no such field.
fn seek(reader: &mut Reader<'_>, span: &Span, field: u8) -> Result<bool, DecodeError> {
    reader.slice(span.value as usize)?;
    let constructor = reader.u8()?;
    // Opened and not closed: from here on nothing can be read beyond the list.
    let list = reader.open_list(constructor)?;
    if u32::from(field) >= list.count {
        return Ok(false);
    }
    for _ in 0..field {
        jump(reader)?;
    }
    Ok(true)
}
