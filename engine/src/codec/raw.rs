//! Values that stay encoded until somebody asks: [`Raw`] and [`Fields`].

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::error::{DecodeError, DecodeErrorKind as Kind, EncodeError};
use super::map::{Map, has_duplicates, is_text};
use super::prim::{Decode, Encode};
use super::reader::Reader;
use super::skip::{jump, skip, skip_as};
use super::value::{Value, encode_value, vector_for};
use super::{code, writer};

/// One encoded value of any type, checked but not decoded.
///
/// Two are equal if their octets are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Raw(Bytes);

impl Raw {
    /// Encodes a value; one that cannot be encoded is null, see [`try_new`](Self::try_new).
    pub fn new(value: &(impl Encode + ?Sized)) -> Self {
        let mut out = Vec::new();
        value.encode(&mut out);
        Self(Bytes::from(out))
    }

    /// Encodes a value.
    ///
    /// # Errors
    /// As [`encode_value`].
    pub fn try_new(value: &Value) -> Result<Self, EncodeError> {
        let mut out = Vec::new();
        encode_value(value, &mut out)?;
        Ok(Self(Bytes::from(out)))
    }

    /// Octets that are one value and nothing more.
    ///
    /// # Errors
    /// They are not.
    pub fn from_encoded(octets: Bytes) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(&octets);
        skip(&mut reader)?;
        if !reader.is_empty() {
            return Err(reader.error(Kind::TrailingOctets));
        }
        Ok(Self(octets))
    }

    /// Octets that [`skip`] has passed over.
    pub(crate) const fn from_checked(octets: Bytes) -> Self {
        Self(octets)
    }

    /// The value.
    ///
    /// # Errors
    /// A map in it holds a key twice. All else was checked before.
    pub fn decode(&self) -> Result<Value, DecodeError> {
        self.decode_to()
    }

    /// The value as another type.
    ///
    /// # Errors
    /// It is of another type.
    pub fn decode_to<T: Decode>(&self) -> Result<T, DecodeError> {
        T::decode(&mut Reader::trusted(&self.0))
    }

    /// The encoded value.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl Default for Raw {
    /// null.
    fn default() -> Self {
        Self(Bytes::from_static(&[code::NULL]))
    }
}

impl From<&Value> for Raw {
    fn from(value: &Value) -> Self {
        Self::new(value)
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.decode() {
            Ok(value) => fmt::Display::fmt(&value, f),
            Err(error) => write!(f, "<{} octets: {error}>", self.0.len()),
        }
    }
}

impl Encode for Raw {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

impl Decode for Raw {
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let start = r.position().saturating_sub(1);
        skip_as(constructor, r)?;
        Ok(Self(r.since(start)))
    }
}

const EMPTY_MAP: [u8; 3] = [code::MAP8, 1, 0];

/// A map that stays encoded: connection, session, link and node properties, filters, the info of an error, unsettled deliveries.
///
/// ```
/// use ferrion_engine::codec::{Fields, Map, Symbol, Value};
///
/// let fields: Fields = Map::from_iter([(Symbol::from_static("product"), "ferrion")]).into();
/// assert_eq!(fields.get("product"), Some(Value::from("ferrion")));
/// ```
#[derive(Clone)]
pub struct Fields(Bytes);

impl Fields {
    /// A map of keys and values that are encoded as they are; each key must be there once.
    pub fn from_entries<K: Encode, V: Encode>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut out = Vec::new();
        let mark = writer::begin(&mut out);
        let mut count = 0usize;
        for (key, value) in entries {
            key.encode(&mut out);
            value.encode(&mut out);
            count = count.saturating_add(2);
        }
        Self::finish(out, |out| mark.map(out, count))
    }

    /// The map.
    pub fn to_map(&self) -> Map {
        // Checked by every constructor, so the default is never taken.
        Map::decode(&mut Reader::trusted(&self.0)).unwrap_or_default()
    }

    /// The value under a key that is a symbol or a string with this text.
    pub fn get(&self, key: &str) -> Option<Value> {
        let (_, value) = self.entries().find(|(k, _)| is_text(k, key))?;
        value.decode().ok()
    }

    /// The entries in order; the values stay encoded.
    pub fn entries(&self) -> impl Iterator<Item = (Value, Raw)> + '_ {
        let mut reader = Reader::trusted(&self.0);
        let opened = reader.u8().and_then(|c| reader.open_map(c));
        let mut left = opened.map_or(0, |map| map.count / 2);
        core::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let key = Value::decode(&mut reader).ok()?;
            let start = reader.position();
            jump(&mut reader).ok()?;
            Some((key, Raw(reader.since(start))))
        })
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        let mut reader = Reader::trusted(&self.0);
        let opened = reader.u8().and_then(|c| reader.open_map(c));
        opened.map_or(0, |map| map.count as usize / 2)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The encoded map.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// A copy in a buffer of its own, so that it does not keep alive the buffer it was received in.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }

    fn finish(mut out: Vec<u8>, end: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>) -> Self {
        match end(&mut out) {
            Ok(()) => Self(Bytes::from(out)),
            Err(_) => Self::default(),
        }
    }
}

impl Default for Fields {
    /// The empty map.
    fn default() -> Self {
        Self(Bytes::from_static(&EMPTY_MAP))
    }
}

impl From<&Map> for Fields {
    /// A map that cannot be encoded (too deep, or over 4 GiB) becomes the empty one; [`encode_value`] tells.
    fn from(map: &Map) -> Self {
        Self::finish(Vec::new(), |out| map.encode_in(out, super::MAX_DEPTH))
    }
}

impl From<Map> for Fields {
    /// As from `&Map`.
    fn from(map: Map) -> Self {
        Self::from(&map)
    }
}

impl PartialEq for Fields {
    /// Equal as maps, in whichever encoding.
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.to_map() == other.to_map()
    }
}

impl Eq for Fields {}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_map(), f)
    }
}

impl Encode for Fields {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

impl Decode for Fields {
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let start = r.position().saturating_sub(1);
        let map = r.open_map(constructor)?;
        let pairs = map.count / 2;
        let mut keys = vector_for(pairs);
        for _ in 0..pairs {
            keys.push(Value::decode(r)?);
            skip(r)?;
        }
        r.close(map)?;
        if has_duplicates(&keys, |key| key) {
            return Err(DecodeError::new(start, Kind::DuplicateKey));
        }
        Ok(Self(r.since(start)))
    }
}
