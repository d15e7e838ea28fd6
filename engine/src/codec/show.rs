//! Values as readable text.

use core::fmt::{self, Display, Formatter, Write};

use super::array::Array;
use super::map::Map;
use super::reader::MAX_DEPTH;
use super::value::Value;

/// Octets as text where they are printable, else as `\x..`.
pub(crate) struct Octets<'a>(pub(crate) &'a [u8]);

/// Beyond this many octets a binary is cut short.
const LONGEST: usize = 256;

impl Display for Octets<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("b\"")?;
        for &octet in self.0.iter().take(LONGEST) {
            Display::fmt(&core::ascii::escape_default(octet), f)?;
        }
        f.write_char('"')?;
        match self.0.len().checked_sub(LONGEST) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, "...({more} more)"),
        }
    }
}

/// Text of a symbol as `:name`, quoted if it is not a plain word.
pub(crate) struct SymbolText<'a>(pub(crate) &'a str);

impl Display for SymbolText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/+*".contains(c);
        if !self.0.is_empty() && self.0.chars().all(plain) {
            write!(f, ":{}", self.0)
        } else {
            write!(f, ":{:?}", self.0)
        }
    }
}

/// Separates elements.
pub(crate) fn joined<T>(
    f: &mut Formatter<'_>,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        each(f, item)?;
    }
    Ok(())
}

impl Display for Value {
    /// Text like `["a", :sym, 3, {"k"=b"\x00"}]`. The widths of numbers are not shown. For people: there is no way back.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        value(self, f, MAX_DEPTH)
    }
}

impl Display for Map {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        map(self, f, MAX_DEPTH)
    }
}

impl Display for Array {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        array(self, f, MAX_DEPTH)
    }
}

fn value(v: &Value, f: &mut Formatter<'_>, depth: u32) -> fmt::Result {
    match v {
        Value::Null => f.write_str("null"),
        Value::Bool(v) => Display::fmt(v, f),
        Value::Ubyte(v) => Display::fmt(v, f),
        Value::Ushort(v) => Display::fmt(v, f),
        Value::Uint(v) => Display::fmt(v, f),
        Value::Ulong(v) => Display::fmt(v, f),
        Value::Byte(v) => Display::fmt(v, f),
        Value::Short(v) => Display::fmt(v, f),
        Value::Int(v) => Display::fmt(v, f),
        Value::Long(v) => Display::fmt(v, f),
        // Debug keeps the point of whole numbers.
        Value::Float(v) => fmt::Debug::fmt(v, f),
        Value::Double(v) => fmt::Debug::fmt(v, f),
        Value::Decimal32(v) => hex("d32", &v.0, f),
        Value::Decimal64(v) => hex("d64", &v.0, f),
        Value::Decimal128(v) => hex("d128", &v.0, f),
        Value::Char(v) => fmt::Debug::fmt(v, f),
        Value::Timestamp(v) => Display::fmt(v, f),
        Value::Uuid(v) => Display::fmt(v, f),
        Value::Binary(v) => Display::fmt(&Octets(v), f),
        Value::String(v) => fmt::Debug::fmt(v.as_str(), f),
        Value::Symbol(v) => Display::fmt(&SymbolText(v), f),
        Value::List(list) => {
            f.write_char('[')?;
            nested(f, depth, |f, depth| {
                joined(f, list, |f, v| value(v, f, depth))
            })?;
            f.write_char(']')
        }
        Value::Map(v) => map(v, f, depth),
        Value::Array(v) => array(v, f, depth),
        Value::Described(v) => nested(f, depth, |f, depth| {
            f.write_char('@')?;
            value(&v.descriptor, f, depth)?;
            f.write_char(' ')?;
            value(&v.value, f, depth)
        }),
    }
}

fn map(map: &Map, f: &mut Formatter<'_>, depth: u32) -> fmt::Result {
    f.write_char('{')?;
    nested(f, depth, |f, depth| {
        joined(f, map.iter(), |f, (k, v)| {
            value(k, f, depth)?;
            f.write_char('=')?;
            value(v, f, depth)
        })
    })?;
    f.write_char('}')
}

fn array(array: &Array, f: &mut Formatter<'_>, depth: u32) -> fmt::Result {
    for descriptor in array.descriptors() {
        f.write_char('@')?;
        nested(f, depth, |f, depth| value(descriptor, f, depth))?;
        f.write_char(' ')?;
    }
    f.write_str("@[")?;
    nested(f, depth, |f, depth| {
        joined(f, array.items(), |f, v| value(v, f, depth))
    })?;
    f.write_char(']')
}

/// What is nested deeper than any received value can be is cut short.
fn nested(
    f: &mut Formatter<'_>,
    depth: u32,
    inner: impl FnOnce(&mut Formatter<'_>, u32) -> fmt::Result,
) -> fmt::Result {
    match depth.checked_sub(1) {
        Some(depth) => inner(f, depth),
        None => f.write_str("..."),
    }
}

fn hex(prefix: &str, octets: &[u8], f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "{prefix}:")?;
    octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
}
