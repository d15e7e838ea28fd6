//! [`Str`] and [`Symbol`]: checked text that is cheap to clone: short text is held in place, longer text is a piece of a
//! buffer.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;
use core::str::Utf8Error;

use ascii::AsciiStr;
use bytes::Bytes;

use super::code;
use super::error::{DecodeError, DecodeErrorKind as Kind, EncodeError, NotAscii};
use super::prim::{Decode, Encode};
use super::reader::Reader;
use super::room;
use super::writer;

/// An AMQP string (1.6.20): UTF-8, at most 4 GiB, cheap to clone.
#[derive(Clone, Default)]
pub struct Str(Text);

/// An AMQP symbol (1.6.21): ASCII, from a vocabulary that both sides know, cheap to clone.
#[derive(Clone, Default)]
pub struct Symbol(Text);

macro_rules! text {
    ($Name:ident, $short:expr, $long:expr) => {
        impl $Name {
            /// The text. It is checked again on the way, which for short text costs a few nanoseconds; compare values of this
            /// type with each other, or their [`as_bytes`](Self::as_bytes), where that counts.
            #[inline]
            pub fn as_str(&self) -> &str {
                // Checked by every constructor, so the default is never taken; unsafe code would be the only other way.
                checked_text(self.as_bytes()).unwrap_or_default()
            }

            /// The octets of the text.
            #[inline]
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }

            /// The text as a buffer: the one it is a piece of, without a copy, unless the text is short.
            pub fn into_bytes(self) -> Bytes {
                self.0.into_bytes()
            }

            /// Appends the text.
            ///
            /// # Errors
            /// More than 4 GiB; nothing is written.
            #[inline(always)]
            pub(super) fn try_encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
                self.0.encode(out, $short, $long)
            }

            /// Whether the text is held in place, so that there is nothing to be dropped.
            #[inline(always)]
            pub(super) const fn is_in_place(&self) -> bool {
                matches!(self.0, Text::InPlace(_))
            }

            /// Short ASCII text with its size in front, and how many octets both have; `None` for any other.
            #[inline(always)]
            pub(crate) fn short(sized: &[u8; SHORT]) -> Option<(Self, usize)> {
                let (text, len) = Text::short(sized)?;
                Some((Self(text), len))
            }

            /// Writes the text if it is short, as the functions of [`room`] do.
            #[inline(always)]
            pub(crate) fn put<const ROOM: usize>(&self, room: &mut [u8; ROOM], at: usize) -> usize {
                self.0.put(room, at, $short)
            }

            /// A copy in a buffer of its own, so that a short text does not keep alive the large buffer it was received in.
            #[must_use]
            pub fn detached(&self) -> Self {
                Self(Text::copied(self.as_bytes()))
            }
        }

        impl Deref for $Name {
            type Target = str;
            #[inline]
            fn deref(&self) -> &str {
                self.as_str()
            }
        }
        impl AsRef<str> for $Name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
        impl PartialEq for $Name {
            #[inline]
            fn eq(&self, other: &Self) -> bool {
                self.0 == other.0
            }
        }
        impl Eq for $Name {}
        impl Hash for $Name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_bytes().hash(state);
            }
        }
        impl PartialOrd for $Name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $Name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.as_bytes().cmp(other.as_bytes())
            }
        }
        impl PartialEq<str> for $Name {
            fn eq(&self, other: &str) -> bool {
                self.as_bytes() == other.as_bytes()
            }
        }
        impl PartialEq<&str> for $Name {
            fn eq(&self, other: &&str) -> bool {
                self.as_bytes() == other.as_bytes()
            }
        }
        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
        impl fmt::Debug for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }
        impl From<$Name> for String {
            fn from(text: $Name) -> Self {
                Self::from(text.as_str())
            }
        }
        impl Encode for $Name {
            #[inline(always)]
            fn encode(&self, out: &mut Vec<u8>) {
                if self.try_encode(out).is_err() {
                    out.push(code::NULL);
                }
            }
        }
    };
}

text!(Str, code::STRING8, code::STRING32);
text!(Symbol, code::SYMBOL8, code::SYMBOL32);

impl Str {
    /// Text that lives as long as the program.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Text::Shared(Bytes::from_static(text.as_bytes())))
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self(Text::copied(text.as_bytes()))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self(Text::Shared(Bytes::from(text.into_bytes())))
    }
}

impl From<Symbol> for Str {
    fn from(symbol: Symbol) -> Self {
        Self(symbol.0)
    }
}

impl TryFrom<Bytes> for Str {
    type Error = Utf8Error;
    fn try_from(octets: Bytes) -> Result<Self, Utf8Error> {
        core::str::from_utf8(&octets)?;
        Ok(Self(Text::Shared(octets)))
    }
}

impl Decode for Str {
    #[inline]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if constructor == code::STRING8
            && let Some(short) = Text::read_short(r)
        {
            return Ok(Self(short));
        }
        Self::decode_any(constructor, r)
    }
}

impl Str {
    /// Text of whichever length, and the faults.
    #[inline(never)]
    fn decode_any(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let wide = match constructor {
            code::STRING8 => false,
            code::STRING32 => true,
            other => return Err(r.wrong_type("string", other)),
        };
        let size = r.size(wide)?;
        let start = r.position();
        let octets = r.slice(size)?;
        check_utf8(start, octets)?;
        Ok(Self(Text::since(r, start)))
    }
}

impl Symbol {
    /// A symbol that lives as long as the program; meant for constants, where text that is not ASCII does not compile.
    ///
    /// # Panics
    /// When called outside a constant with text that is not ASCII. Use `Symbol::try_from` for text from elsewhere.
    pub const fn from_static(text: &'static str) -> Self {
        assert!(text.is_ascii(), "a symbol holds ASCII only");
        Self(Text::Shared(Bytes::from_static(text.as_bytes())))
    }
}

impl TryFrom<&str> for Symbol {
    type Error = NotAscii;
    fn try_from(text: &str) -> Result<Self, NotAscii> {
        check_ascii(text.as_bytes())?;
        Ok(Self(Text::copied(text.as_bytes())))
    }
}

impl TryFrom<String> for Symbol {
    type Error = NotAscii;
    fn try_from(text: String) -> Result<Self, NotAscii> {
        Self::try_from(Bytes::from(text.into_bytes()))
    }
}

impl TryFrom<Str> for Symbol {
    type Error = NotAscii;
    fn try_from(text: Str) -> Result<Self, NotAscii> {
        check_ascii(text.as_bytes())?;
        Ok(Self(text.0))
    }
}

impl TryFrom<Bytes> for Symbol {
    type Error = NotAscii;
    fn try_from(octets: Bytes) -> Result<Self, NotAscii> {
        check_ascii(&octets)?;
        Ok(Self(Text::Shared(octets)))
    }
}

impl Decode for Symbol {
    #[inline]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if constructor == code::SYMBOL8
            && let Some(short) = Text::read_short(r)
        {
            return Ok(Self(short));
        }
        Self::decode_any(constructor, r)
    }
}

impl Symbol {
    /// Text of whichever length, and the faults.
    #[inline(never)]
    fn decode_any(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let wide = match constructor {
            code::SYMBOL8 => false,
            code::SYMBOL32 => true,
            other => return Err(r.wrong_type("symbol", other)),
        };
        let size = r.size(wide)?;
        let start = r.position();
        let octets = r.slice(size)?;
        check_symbol(start, octets)?;
        Ok(Self(Text::since(r, start)))
    }
}

/// The most octets that text held in place has.
const IN_PLACE: usize = 23;

/// The octets of a text. Most are so short that to copy them costs less than to count references to their buffer, and they
/// do not keep it alive then. A [`Bytes`] has room for them, beside what tells the two apart.
#[derive(Clone)]
enum Text {
    /// As many of the first octets as the last one says, and zeros between. One array, as a length beside it would be copied
    /// octet by octet.
    InPlace([u8; IN_PLACE + 1]),
    /// A piece of a buffer.
    Shared(Bytes),
}

impl Text {
    #[inline]
    fn as_bytes(&self) -> &[u8] {
        match self {
            // The last octet is never more than there are before it.
            Self::InPlace(octets) => octets
                .get(..usize::from(octets[IN_PLACE]))
                .unwrap_or_default(),
            Self::Shared(octets) => octets,
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::InPlace(_) => Bytes::copy_from_slice(self.as_bytes()),
            Self::Shared(octets) => octets,
        }
    }

    /// A copy that is no piece of another buffer.
    fn copied(text: &[u8]) -> Self {
        if text.len() > IN_PLACE {
            return Self::Shared(Bytes::copy_from_slice(text));
        }
        let mut octets = [0; IN_PLACE + 1];
        if let Some(place) = octets.get_mut(..text.len()) {
            place.copy_from_slice(text);
        }
        octets[IN_PLACE] = u8::try_from(text.len()).unwrap_or_default();
        Self::InPlace(octets)
    }

    /// The piece of the buffer from `start` to where `r` stands.
    fn since(r: &Reader<'_>, start: usize) -> Self {
        let len = r.position().saturating_sub(start);
        if len > IN_PLACE {
            return Self::Shared(r.since(start));
        }
        Self::copied(&r.since(start))
    }

    /// Reads short ASCII text, its size being next, as nearly all text is; `None`, with nothing read, for any other.
    #[inline]
    fn read_short(r: &mut Reader<'_>) -> Option<Self> {
        let (text, len) = Self::short(r.window()?)?;
        r.pass(len).then_some(text)
    }

    /// Short ASCII text with its size in front, as nearly all text is, and how many octets both have.
    ///
    /// What follows the text is taken with it, as a copy of one size takes a few instructions, and made zero.
    #[inline(always)]
    fn short(sized: &[u8; SHORT]) -> Option<(Self, usize)> {
        let [size, octets @ ..] = sized;
        let mask = MASKS.get(usize::from(*size))?;
        let (words, _) = octets.as_chunks();
        let [first, second, third] = words else {
            return None;
        };
        let first = u64::from_le_bytes(*first) & mask[0];
        let second = u64::from_le_bytes(*second) & mask[1];
        let third = u64::from_le_bytes(*third) & mask[2];
        if (first | second | third) & NOT_ASCII != 0 {
            return None;
        }
        let mut octets = [0; IN_PLACE + 1];
        octets[..8].copy_from_slice(&first.to_le_bytes());
        octets[8..16].copy_from_slice(&second.to_le_bytes());
        // With the size, as what is written into a word by itself is waited for by who moves the word.
        octets[16..].copy_from_slice(&(third | u64::from(*size) << 56).to_le_bytes());
        Some((Self::InPlace(octets), usize::from(*size).saturating_add(1)))
    }

    /// Writes the text with constructor and size, if that has one octet.
    #[inline(always)]
    fn put<const ROOM: usize>(&self, room: &mut [u8; ROOM], at: usize, short: u8) -> usize {
        match self {
            Self::InPlace(octets) => {
                let size = octets[IN_PLACE];
                let at = room::put(room, at, [short, size]);
                // One copy of one size, as in reading.
                room::put_some(room, at, octets, usize::from(size))
            }
            Self::Shared(octets) => room::sized(room, at, short, octets),
        }
    }

    /// Appends the text with constructor and size.
    #[inline(always)]
    fn encode(&self, out: &mut Vec<u8>, short: u8, long: u8) -> Result<(), EncodeError> {
        match self {
            Self::InPlace(octets) => {
                encode_in_place(octets, out, short);
                Ok(())
            }
            Self::Shared(octets) => writer::variable(out, short, long, octets),
        }
    }
}

/// Apart from what encodes other text, which is part of its callers.
#[inline(never)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "no vector has as many octets as a number can count"
)]
fn encode_in_place(octets: &[u8; IN_PLACE + 1], out: &mut Vec<u8>, short: u8) {
    let size = octets[IN_PLACE];
    let end = out.len() + 2 + usize::from(size);
    let mut encoded = [0; 2 + IN_PLACE + 1];
    encoded[0] = short;
    encoded[1] = size;
    encoded[2..].copy_from_slice(octets);
    // One copy of one size, as in reading.
    out.extend_from_slice(&encoded);
    out.truncate(end);
}

/// As many octets as are looked at to read short text: its size, and as many as are held in place with theirs.
pub(super) const SHORT: usize = 1 + IN_PLACE + 1;

/// The high bits of eight octets, by which they are not ASCII.
const NOT_ASCII: u64 = 0x8080_8080_8080_8080;

/// For each size of short text the octets of it, in little-endian words.
#[expect(clippy::indexing_slicing, reason = "evaluated when this is compiled")]
static MASKS: [[u64; 3]; IN_PLACE + 1] = {
    let mut masks = [[0; 3]; IN_PLACE + 1];
    let mut size = 0;
    while size < masks.len() {
        let mut at = 0;
        while at < size {
            masks[size][at / 8] |= 0xff << (8 * (at % 8));
            at += 1;
        }
        size += 1;
    }
    masks
};

impl PartialEq for Text {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            // What is behind the text is zero in both.
            (Self::InPlace(a), Self::InPlace(b)) => a == b,
            _ => self.as_bytes() == other.as_bytes(),
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::Shared(Bytes::new())
    }
}

/// Octets as text, if they are UTF-8.
///
/// Nearly all text is ASCII, which is seen in words of eight octets: of short text that takes a third of what the check for
/// UTF-8 does. A function of its own answers in two registers. What the check of the library answers lies in memory, written as
/// two words; moved from there in one piece, as a compiler does, it is waited for.
#[inline(never)]
pub(crate) fn checked_text(octets: &[u8]) -> Option<&str> {
    // Where long text is not ASCII, the crate looks for the place octet by octet; the library is quick with it.
    if octets.len() <= FEW
        && let Ok(text) = AsciiStr::from_ascii(octets)
    {
        return Some(text.as_str());
    }
    core::str::from_utf8(octets).ok()
}

/// Octets of text that is not long.
const FEW: usize = 64;

/// Octets as the text of a symbol, if they are ASCII.
#[inline(never)]
pub(crate) fn checked_ascii(octets: &[u8]) -> Option<&str> {
    AsciiStr::from_ascii(octets).ok().map(AsciiStr::as_str)
}

/// An error if the octets, which begin at `start` of the buffer, are not UTF-8.
#[inline]
pub(super) fn check_utf8(start: usize, octets: &[u8]) -> Result<(), DecodeError> {
    // Most text is short and ASCII, for which this is three times as fast.
    if octets.is_ascii() {
        return Ok(());
    }
    match core::str::from_utf8(octets) {
        Ok(_) => Ok(()),
        Err(error) => Err(DecodeError::new(
            start.saturating_add(error.valid_up_to()),
            Kind::BadUtf8,
        )),
    }
}

/// An error if the octets, which begin at `start` of the buffer, are not ASCII.
#[inline]
pub(super) fn check_symbol(start: usize, octets: &[u8]) -> Result<(), DecodeError> {
    match check_ascii(octets) {
        Ok(()) => Ok(()),
        Err(error) => Err(DecodeError::new(
            start.saturating_add(error.at),
            Kind::NotAscii,
        )),
    }
}

#[inline]
fn check_ascii(octets: &[u8]) -> Result<(), NotAscii> {
    if octets.is_ascii() {
        return Ok(());
    }
    let at = octets.iter().position(|octet| !octet.is_ascii());
    Err(NotAscii {
        at: at.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::{IN_PLACE, Str, Symbol};
    use crate::codec::{Decode, Encode, Reader};
    use alloc::{format, string::String, vec::Vec};
    use bytes::Bytes;

    /// What is encoded, followed by this many octets that are no text.
    fn with_rest(text: &str, rest: usize) -> Bytes {
        let mut octets = Vec::new();
        Str::from(text).encode(&mut octets);
        octets.extend(core::iter::repeat_n(0xff, rest));
        Bytes::from(octets)
    }

    #[test]
    fn text_is_the_same_however_long_it_is_and_whatever_follows_it() {
        for size in 0..2 * IN_PLACE {
            for rest in [0, 1, IN_PLACE, 2 * IN_PLACE] {
                let text = "a".repeat(size);
                let octets = with_rest(&text, rest);
                let mut reader = Reader::new(&octets);
                let read = Str::decode(&mut reader);
                assert_eq!(
                    read.as_deref(),
                    Ok(text.as_str()),
                    "{size} octets, then {rest}"
                );
                assert_eq!(reader.remaining(), rest);
            }
        }
    }

    #[test]
    fn one_octet_that_is_not_ascii_is_found_wherever_it_stands() {
        for size in 1..2 * IN_PLACE {
            for at in 0..size {
                let mut octets = with_rest(&"a".repeat(size), IN_PLACE).to_vec();
                octets[2 + at] = 0x80;
                let fault = Str::decode(&mut Reader::new(&Bytes::from(octets.clone()))).err();
                assert_eq!(fault.map(|fault| fault.at), Some(2 + at), "{size} octets");
                octets[0] = crate::codec::code::SYMBOL8;
                let fault = Symbol::decode(&mut Reader::new(&Bytes::from(octets))).err();
                assert_eq!(fault.map(|fault| fault.at), Some(2 + at), "{size} octets");
            }
        }
    }

    #[test]
    fn text_beyond_ascii_is_read_and_written_as_it_is() {
        let text: String = "\u{e4}".repeat(IN_PLACE / 2);
        let octets = with_rest(&text, IN_PLACE);
        let read = Str::decode(&mut Reader::new(&octets)).unwrap();
        assert_eq!(read, text.as_str());
        assert_eq!(format!("{read:?}"), format!("{text:?}"));
        assert_eq!(read.into_bytes(), text.as_bytes());
    }

    #[test]
    fn text_takes_no_more_room_than_a_piece_of_a_buffer() {
        assert_eq!(size_of::<Str>(), size_of::<Bytes>());
    }
}
