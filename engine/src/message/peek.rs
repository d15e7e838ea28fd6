//! Reads one field of a received section without decoding the others.
//!
//! Whoever routes messages looks at two or three fields; they are borrowed from the received octets.

use bytes::Bytes;

use crate::codec::{Decode, DecodeError, DecodeErrorKind as Kind, Reader, code, jump};

use super::sections::Span;

/// An encoded value that is not null: its constructor, which has been read, and where to read on.
pub(super) struct Encoded<'a> {
    pub(super) constructor: u8,
    reader: Reader<'a>,
}

impl<'a> Encoded<'a> {
    /// The field number `index` of the list at `span`; `None` if it is null or was left out.
    #[inline]
    pub(super) fn list_field(
        octets: &'a Bytes,
        span: Span,
        index: u32,
    ) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::new(octets);
        reader.slice(span.value as usize)?;
        let constructor = reader.u8()?;
        // Opened and not closed: from here on nothing can be read beyond the list.
        let list = reader.open_list(constructor)?;
        if index >= list.count {
            return Ok(None);
        }
        for _ in 0..index {
            jump(&mut reader)?;
        }
        let constructor = reader.u8()?;
        Ok((constructor != code::NULL).then_some(Self {
            constructor,
            reader,
        }))
    }

    /// The value of the section at `span`; `None` if more than one section lies there.
    pub(super) fn alone(octets: &'a Bytes, span: Span) -> Result<Option<Self>, DecodeError> {
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
        core::str::from_utf8(octets).map_err(|_| DecodeError::new(at, Kind::BadUtf8))
    }

    /// The text of a symbol.
    #[inline]
    pub(super) fn symbol(self) -> Result<&'a str, DecodeError> {
        let at = self.reader.position();
        let octets = self.sized(code::SYMBOL8, code::SYMBOL32, "symbol")?;
        match core::str::from_utf8(octets) {
            Ok(text) if text.is_ascii() => Ok(text),
            _ => Err(DecodeError::new(at, Kind::NotAscii)),
        }
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
