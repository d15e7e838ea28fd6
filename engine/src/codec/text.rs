//! [`Str`] and [`Symbol`]: checked text that is a piece of a buffer and cheap to clone.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;
use core::str::Utf8Error;

use bytes::Bytes;

use super::code;
use super::error::{DecodeError, DecodeErrorKind as Kind, NotAscii};
use super::prim::{Decode, Encode};
use super::reader::Reader;
use super::writer;

/// An AMQP string (1.6.20): UTF-8, at most 4 GiB, cheap to clone.
#[derive(Clone, Default)]
pub struct Str(Bytes);

/// An AMQP symbol (1.6.21): ASCII, from a vocabulary that both sides know, cheap to clone.
#[derive(Clone, Default)]
pub struct Symbol(Bytes);

macro_rules! text {
    ($Name:ident, $short:expr, $long:expr) => {
        impl $Name {
            /// The text. It is checked again on the way, which for short text costs a few nanoseconds; compare values of this
            /// type with each other, or their [`as_bytes`](Self::as_bytes), where that counts.
            #[inline]
            pub fn as_str(&self) -> &str {
                // Checked by every constructor, so the default is never taken; unsafe code would be the only other way.
                core::str::from_utf8(&self.0).unwrap_or_default()
            }

            /// The octets of the text.
            #[inline]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// The buffer of the text, for reuse without a copy.
            pub fn into_bytes(self) -> Bytes {
                self.0
            }

            /// A copy in a buffer of its own, so that a short text does not keep alive the large buffer it was received in.
            #[must_use]
            pub fn detached(&self) -> Self {
                Self(Bytes::copy_from_slice(&self.0))
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
                self.0.hash(state);
            }
        }
        impl PartialOrd for $Name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $Name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.cmp(&other.0)
            }
        }
        impl PartialEq<str> for $Name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other.as_bytes()
            }
        }
        impl PartialEq<&str> for $Name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == other.as_bytes()
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
            #[inline]
            fn encode(&self, out: &mut Vec<u8>) {
                writer::variable_or_null(out, $short, $long, &self.0);
            }
        }
    };
}

text!(Str, code::STRING8, code::STRING32);
text!(Symbol, code::SYMBOL8, code::SYMBOL32);

impl Str {
    /// Text that lives as long as the program.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self(Bytes::from(text.into_bytes()))
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
        Ok(Self(octets))
    }
}

impl Decode for Str {
    #[inline]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let wide = match constructor {
            code::STRING8 => false,
            code::STRING32 => true,
            other => return Err(r.wrong_type("string", other)),
        };
        let size = r.size(wide)?;
        let start = r.position();
        let octets = r.slice(size)?;
        check_utf8(start, octets)?;
        Ok(Self(r.since(start)))
    }
}

impl Symbol {
    /// A symbol that lives as long as the program; meant for constants, where text that is not ASCII does not compile.
    ///
    /// # Panics
    /// When called outside a constant with text that is not ASCII. Use `Symbol::try_from` for text from elsewhere.
    pub const fn from_static(text: &'static str) -> Self {
        assert!(text.is_ascii(), "a symbol holds ASCII only");
        Self(Bytes::from_static(text.as_bytes()))
    }
}

impl TryFrom<&str> for Symbol {
    type Error = NotAscii;
    fn try_from(text: &str) -> Result<Self, NotAscii> {
        check_ascii(text.as_bytes())?;
        Ok(Self(Bytes::copy_from_slice(text.as_bytes())))
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
        Self::try_from(text.0)
    }
}

impl TryFrom<Bytes> for Symbol {
    type Error = NotAscii;
    fn try_from(octets: Bytes) -> Result<Self, NotAscii> {
        check_ascii(&octets)?;
        Ok(Self(octets))
    }
}

impl Decode for Symbol {
    #[inline]
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let wide = match constructor {
            code::SYMBOL8 => false,
            code::SYMBOL32 => true,
            other => return Err(r.wrong_type("symbol", other)),
        };
        let size = r.size(wide)?;
        let start = r.position();
        let octets = r.slice(size)?;
        check_symbol(start, octets)?;
        Ok(Self(r.since(start)))
    }
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
