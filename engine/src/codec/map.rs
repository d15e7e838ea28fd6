//! [`Map`]: keys and values in their order.

use alloc::vec::Vec;
use core::fmt;
use core::mem::{self, ManuallyDrop};

use super::error::{DecodeError, DecodeErrorKind as Kind, EncodeError};
use super::prim::{Decode, Encode};
use super::reader::{MAX_DEPTH, Reader};
use super::value::{Value, deeper, vector_for};
use super::{code, writer};

/// A map (1.6.23). The order of the entries is kept and counts for equality; a key is in it once.
///
/// A received map with the same key twice is refused as malformed, as the specification says it is invalid and two readers of it
/// could come to two conclusions.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Map {
    entries: Vec<Entry>,
}

/// A key and its value, which the map drops: of most there is nothing to be dropped, which takes a look there and a call
/// otherwise ([`Value::let_go`]). Whoever takes an entry out of its map takes it out of this too ([`Entry::taken`]).
#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Entry(ManuallyDrop<(Value, Value)>);

impl Entry {
    const fn new(key: Value, value: Value) -> Self {
        Self(ManuallyDrop::new((key, value)))
    }

    fn key(&self) -> &Value {
        &self.0.0
    }

    fn pair(&self) -> (&Value, &Value) {
        (&self.0.0, &self.0.1)
    }

    fn pair_mut(&mut self) -> (&mut Value, &mut Value) {
        let (key, value) = &mut *self.0;
        (key, value)
    }

    fn taken(self) -> (Value, Value) {
        ManuallyDrop::into_inner(self.0)
    }
}

impl Drop for Map {
    #[inline(never)]
    fn drop(&mut self) {
        self.let_go();
    }
}

impl Map {
    /// An empty map.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// Puts a value under a key and gives back the value that was there. A new key goes to the end. Takes time in the number of
    /// entries, as maps on the wire are short.
    pub fn insert(&mut self, key: impl Into<Value>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        let mut entries = self.entries.iter_mut().map(Entry::pair_mut);
        if let Some((_, place)) = entries.find(|(k, _)| **k == key) {
            return Some(mem::replace(place, value));
        }
        self.entries.push(Entry::new(key, value));
        None
    }

    /// The value under a key.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.iter().find(|(k, _)| *k == key).map(|(_, v)| v)
    }

    /// The value under a key that is a string or a symbol with this text.
    pub fn get_str(&self, key: &str) -> Option<&Value> {
        let found = self.iter().find(|(k, _)| is_text(k, key));
        found.map(|(_, v)| v)
    }

    /// Takes a key out and gives back its value. The order of the others stays.
    pub fn remove(&mut self, key: &Value) -> Option<Value> {
        let at = self.iter().position(|(k, _)| k == key)?;
        Some(self.entries.remove(at).taken().1)
    }

    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Value, &Value)> + DoubleEndedIterator {
        self.entries.iter().map(Entry::pair)
    }

    /// How many entries there are.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes all entries out; the room they took stays for others.
    pub fn clear(&mut self) {
        self.let_go();
        self.entries.clear();
    }

    /// Drops what the entries hold.
    #[inline(always)]
    fn let_go(&mut self) {
        for (key, value) in self.entries.iter_mut().map(Entry::pair_mut) {
            key.let_go();
            value.let_go();
        }
    }

    pub(super) fn encode_in(&self, out: &mut Vec<u8>, depth: u32) -> Result<(), EncodeError> {
        let depth = deeper(depth)?;
        let mark = writer::begin(out);
        self.encode_entries(out, depth)?;
        mark.map(out, self.entries.len().saturating_mul(2))
    }

    pub(super) fn encode_entries(&self, out: &mut Vec<u8>, depth: u32) -> Result<(), EncodeError> {
        for (key, value) in self.iter() {
            key.encode_in(out, depth)?;
            value.encode_in(out, depth)?;
        }
        Ok(())
    }
}

impl<K: Into<Value>, V: Into<Value>> FromIterator<(K, V)> for Map {
    /// The last of several values for one key is kept, at the place of the first.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K: Into<Value>, V: Into<Value>> Extend<(K, V)> for Map {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl IntoIterator for Map {
    type Item = (Value, Value);
    type IntoIter = alloc::vec::IntoIter<(Value, Value)>;
    fn into_iter(mut self) -> Self::IntoIter {
        let entries = mem::take(&mut self.entries);
        // In the room that they have.
        let entries: Vec<_> = entries.into_iter().map(Entry::taken).collect();
        entries.into_iter()
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Encode for Map {
    fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        if self.encode_in(out, MAX_DEPTH).is_err() {
            out.truncate(start);
            out.push(code::NULL);
        }
    }
}

impl Decode for Map {
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.position().saturating_sub(1);
        let map = r.open_map(constructor)?;
        let count = map.count as usize / 2;
        let mut read = Self {
            entries: vector_for(map.count / 2),
        };
        let entries = &mut read.entries;
        while entries.len() < count {
            // As many as there is room for are made where they stay, and then read. To make each by itself and put it there is to
            // move what was just written in small pieces, which is waited for.
            let start = entries.len();
            let room = entries.capacity().max(start.saturating_add(1));
            entries.resize_with(count.min(room), Default::default);
            for entry in entries.get_mut(start..).unwrap_or_default() {
                let (key, value) = entry.pair_mut();
                key.read(r)?;
                value.read(r)?;
            }
        }
        r.close(map)?;
        if has_duplicates(entries, Entry::key) {
            return Err(DecodeError::new(at, Kind::DuplicateKey));
        }
        Ok(read)
    }
}

/// Appends a map, as [`encode_value`](super::encode_value) does for [`Value::Map`].
pub(crate) fn encode_map(map: &Map, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    map.encode_in(out, MAX_DEPTH)
}

/// Whether a key is a string or a symbol with this text.
pub(super) fn is_text(key: &Value, text: &str) -> bool {
    match key {
        Value::String(key) => key == text,
        Value::Symbol(key) => key == text,
        _ => false,
    }
}

/// Whether two keys are equal; nearly all are strings, for which it is known here.
#[inline]
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a == b,
        _ => a == b,
    }
}

/// Up to here comparing each key with each other one is the quickest.
const FEW: usize = 16;

/// Whether two keys are equal. Short of quadratic time for whatever a peer sends.
pub(super) fn has_duplicates<T>(entries: &[T], key: impl Fn(&T) -> &Value) -> bool {
    if entries.len() <= FEW {
        let mut rest = entries;
        while let [first, others @ ..] = rest {
            if others.iter().any(|other| is_same(key(first), key(other))) {
                return true;
            }
            rest = others;
        }
        return false;
    }
    // Equal values have equal shortest forms, and octets can be sorted.
    let mut octets = Vec::new();
    let mut ends = Vec::with_capacity(entries.len());
    for entry in entries {
        let start = octets.len();
        key(entry).encode(&mut octets);
        ends.push(start..octets.len());
    }
    // The first octets tell nearly all of them apart, in one comparison.
    let mut keys: Vec<(u64, &[u8])> = ends
        .into_iter()
        .filter_map(|range| octets.get(range))
        .map(|key| (beginning(key), key))
        .collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

/// The first eight octets, as a number that is ordered as they are.
fn beginning(octets: &[u8]) -> u64 {
    let mut first = [0; 8];
    for (place, octet) in first.iter_mut().zip(octets) {
        *place = *octet;
    }
    u64::from_be_bytes(first)
}
