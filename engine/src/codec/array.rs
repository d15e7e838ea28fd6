//! [`Array`]: values of one type, and the fields that may hold several values.

use alloc::vec::Vec;

use super::code;
use super::error::{DecodeError, EncodeError};
use super::prim::{Decode, Encode};
use super::reader::{MAX_DEPTH, Reader};
use super::value::{Described, Type, Value, deeper, encode_all, vector_for};
use super::writer;

/// An array (1.6.24): values of one type, all with the same descriptors, or all without.
///
/// ```
/// use ferrion_engine::codec::{Array, Type, Value};
///
/// let array = Array::new(vec![Value::from(1u32), Value::from(2u32)])?;
/// assert_eq!(array.element_type(), Type::Uint);
/// assert!(Array::new(vec![Value::from(1u32), Value::from("two")]).is_err());
/// # Ok::<(), ferrion_engine::codec::MixedArray>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Array {
    element: Type,
    descriptors: Vec<Value>,
    items: Vec<Value>,
}

/// The values are not of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("element {index} is not of the type of the first: use a list, or convert it")]
pub struct MixedArray {
    /// The first element that differs from element 0, in its type or its descriptor.
    pub index: usize,
}

impl Array {
    /// An array of these values; an empty one is of type null, see [`empty`](Self::empty).
    ///
    /// # Errors
    /// The values differ in type or in descriptor.
    pub fn new(mut items: Vec<Value>) -> Result<Self, MixedArray> {
        let mut descriptors = Vec::new();
        while let Some(Value::Described(first)) = items.first() {
            let descriptor = first.descriptor.clone();
            let mut inner = Vec::with_capacity(items.len());
            for (index, item) in items.into_iter().enumerate() {
                match item {
                    Value::Described(item) if item.descriptor == descriptor => {
                        inner.push(item.value);
                    }
                    _ => return Err(MixedArray { index }),
                }
            }
            items = inner;
            descriptors.push(descriptor);
        }
        let element = items.first().map_or(Type::Null, Value::type_of);
        match items.iter().position(|item| item.type_of() != element) {
            Some(index) => Err(MixedArray { index }),
            None => Ok(Self {
                element,
                descriptors,
                items,
            }),
        }
    }

    /// An array of a type without elements. `Type::Described` counts as null: a descriptor without a type has no encoding.
    pub const fn empty(element: Type) -> Self {
        let element = match element {
            Type::Described => Type::Null,
            other => other,
        };
        Self {
            element,
            descriptors: Vec::new(),
            items: Vec::new(),
        }
    }

    /// An array of a type, with or without elements, whose elements share these descriptors, the outermost first. The items
    /// are given without them.
    ///
    /// # Errors
    /// An item is of another type than `element`; its index is given.
    pub fn with_descriptors(
        element: Type,
        descriptors: Vec<Value>,
        items: Vec<Value>,
    ) -> Result<Self, MixedArray> {
        match items.iter().position(|item| item.type_of() != element) {
            Some(index) => Err(MixedArray { index }),
            None if element == Type::Described => Ok(Self::empty(element)),
            None => Ok(Self {
                element,
                descriptors,
                items,
            }),
        }
    }

    /// The type of the elements, below their descriptors. Never `Type::Described`.
    pub const fn element_type(&self) -> Type {
        self.element
    }

    /// The descriptors that all elements share, the outermost first; mostly none.
    pub fn descriptors(&self) -> &[Value] {
        &self.descriptors
    }

    /// The elements without their descriptors.
    pub fn items(&self) -> &[Value] {
        &self.items
    }

    /// The elements with their descriptors.
    pub fn into_values(self) -> Vec<Value> {
        let Self {
            descriptors, items, ..
        } = self;
        let describe = |item| {
            descriptors.iter().rev().fold(item, |value, descriptor| {
                Value::Described(alloc::boxed::Box::new(Described {
                    descriptor: descriptor.clone(),
                    value,
                }))
            })
        };
        items.into_iter().map(describe).collect()
    }

    /// How many elements there are.
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn encode_in(&self, out: &mut Vec<u8>, depth: u32) -> Result<(), EncodeError> {
        let mark = writer::begin(out);
        self.encode_body(out, depth)?;
        mark.array(out, self.items.len())
    }

    /// Element constructor and elements.
    fn encode_body(&self, out: &mut Vec<u8>, depth: u32) -> Result<(), EncodeError> {
        let mut depth = deeper(depth)?;
        for descriptor in &self.descriptors {
            depth = deeper(depth)?;
            out.push(code::DESCRIBED);
            descriptor.encode_in(out, depth)?;
        }
        let at = out.len();
        let constructor = self.constructor();
        out.push(constructor);
        for item in &self.items {
            encode_element(item, constructor, out, depth)?;
        }
        if matches!(constructor, code::LIST32 | code::MAP32 | code::ARRAY32) {
            narrow_elements(out, at, self.items.len());
        }
        Ok(())
    }

    /// The narrowest constructor that fits every element. Compounds begin as the wide form.
    fn constructor(&self) -> u8 {
        let all = |small: fn(&Value) -> bool| self.items.iter().all(small);
        let pick =
            |short: u8, long: u8, small: fn(&Value) -> bool| if all(small) { short } else { long };
        match self.element {
            Type::Null | Type::Described => code::NULL,
            Type::Bool => code::BOOL,
            Type::Ubyte => code::UBYTE,
            Type::Ushort => code::USHORT,
            Type::Uint => pick(code::UINT_SMALL, code::UINT, |v| {
                matches!(v, Value::Uint(0..=255))
            }),
            Type::Ulong => pick(code::ULONG_SMALL, code::ULONG, |v| {
                matches!(v, Value::Ulong(0..=255))
            }),
            Type::Byte => code::BYTE,
            Type::Short => code::SHORT,
            Type::Int => pick(code::INT_SMALL, code::INT, |v| {
                matches!(v, Value::Int(-128..=127))
            }),
            Type::Long => pick(code::LONG_SMALL, code::LONG, |v| {
                matches!(v, Value::Long(-128..=127))
            }),
            Type::Float => code::FLOAT,
            Type::Double => code::DOUBLE,
            Type::Decimal32 => code::DECIMAL32,
            Type::Decimal64 => code::DECIMAL64,
            Type::Decimal128 => code::DECIMAL128,
            Type::Char => code::CHAR,
            Type::Timestamp => code::TIMESTAMP,
            Type::Uuid => code::UUID,
            Type::Binary => pick(code::BINARY8, code::BINARY32, is_short),
            Type::String => pick(code::STRING8, code::STRING32, is_short),
            Type::Symbol => pick(code::SYMBOL8, code::SYMBOL32, is_short),
            Type::List => code::LIST32,
            Type::Map => code::MAP32,
            Type::Array => code::ARRAY32,
        }
    }
}

impl Encode for Array {
    fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        if self.encode_in(out, MAX_DEPTH).is_err() {
            out.truncate(start);
            out.push(code::NULL);
        }
    }
}

impl Decode for Array {
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let array = r.open_array(constructor)?;
        let mut descriptors = Vec::new();
        let mut inner = r.u8()?;
        while inner == code::DESCRIBED {
            r.descend()?;
            descriptors.push(Value::decode(r)?);
            inner = r.u8()?;
        }
        let Some(element) = type_of_code(inner) else {
            return Err(r.unknown_code(inner));
        };
        r.check_elements(inner, array.count)?;
        let mut items = vector_for(array.count);
        for _ in 0..array.count {
            items.push(Value::decode_as(inner, r)?);
        }
        for _ in &descriptors {
            r.ascend();
        }
        r.close(array)?;
        Ok(Self {
            element,
            descriptors,
            items,
        })
    }
}

/// Reads a field that may hold several values (1.3): null is none, a single value is one, an array is as many as it has.
///
/// # Errors
/// A value, or an element, is of another type.
pub fn decode_multiple<T: Decode>(
    constructor: u8,
    r: &mut Reader<'_>,
) -> Result<Vec<T>, DecodeError> {
    let mut values = Vec::new();
    match constructor {
        code::NULL => {}
        code::ARRAY8 | code::ARRAY32 => {
            let array = r.open_array(constructor)?;
            let inner = r.u8()?;
            if array.count == 0 {
                // What the element constructor of an empty array says does not matter, only that it is one.
                finish_constructor(inner, r)?;
            } else if inner == code::DESCRIBED {
                return Err(r.wrong_type("an array of values without descriptors", inner));
            } else {
                r.check_elements(inner, array.count)?;
            }
            values = vector_for(array.count);
            for left in (1..=array.count).rev() {
                if values.len() == values.capacity() {
                    // Elements may be a small part of what they take here: room for as many again, and for no more than
                    // there are.
                    values.reserve_exact(values.len().min(left as usize).max(1));
                }
                values.push(T::decode_as(inner, r)?);
            }
            r.close(array)?;
        }
        other => values.push(T::decode_as(other, r)?),
    }
    Ok(values)
}

/// Appends several values as an array, none as null (1.3).
pub fn encode_multiple(values: &[super::Symbol], out: &mut Vec<u8>) {
    if values.is_empty() {
        out.push(code::NULL);
        return;
    }
    let start = out.len();
    let mark = writer::begin(out);
    let long = values
        .iter()
        .any(|v| v.as_bytes().len() > usize::from(u8::MAX));
    let constructor = if long { code::SYMBOL32 } else { code::SYMBOL8 };
    out.push(constructor);
    let written = values
        .iter()
        .try_for_each(|v| encode_sized(v.as_bytes(), long, out))
        .and_then(|()| mark.array(out, values.len()));
    if written.is_err() {
        out.truncate(start);
        out.push(code::NULL);
    }
}

/// Reads on to the end of an element constructor that began with `inner`, descriptors included.
fn finish_constructor(mut inner: u8, r: &mut Reader<'_>) -> Result<(), DecodeError> {
    while inner == code::DESCRIBED {
        super::skip::skip(r)?;
        inner = r.u8()?;
    }
    match code::width(inner) {
        Some(_) => Ok(()),
        None => Err(r.unknown_code(inner)),
    }
}

pub(super) const fn type_of_code(constructor: u8) -> Option<Type> {
    Some(match constructor {
        code::NULL => Type::Null,
        code::TRUE | code::FALSE | code::BOOL => Type::Bool,
        code::UBYTE => Type::Ubyte,
        code::USHORT => Type::Ushort,
        code::UINT | code::UINT_SMALL | code::UINT_ZERO => Type::Uint,
        code::ULONG | code::ULONG_SMALL | code::ULONG_ZERO => Type::Ulong,
        code::BYTE => Type::Byte,
        code::SHORT => Type::Short,
        code::INT | code::INT_SMALL => Type::Int,
        code::LONG | code::LONG_SMALL => Type::Long,
        code::FLOAT => Type::Float,
        code::DOUBLE => Type::Double,
        code::DECIMAL32 => Type::Decimal32,
        code::DECIMAL64 => Type::Decimal64,
        code::DECIMAL128 => Type::Decimal128,
        code::CHAR => Type::Char,
        code::TIMESTAMP => Type::Timestamp,
        code::UUID => Type::Uuid,
        code::BINARY8 | code::BINARY32 => Type::Binary,
        code::STRING8 | code::STRING32 => Type::String,
        code::SYMBOL8 | code::SYMBOL32 => Type::Symbol,
        code::LIST0 | code::LIST8 | code::LIST32 => Type::List,
        code::MAP8 | code::MAP32 => Type::Map,
        code::ARRAY8 | code::ARRAY32 => Type::Array,
        _ => return None,
    })
}

fn octets_of(value: &Value) -> &[u8] {
    match value {
        Value::Binary(v) => v,
        Value::String(v) => v.as_bytes(),
        Value::Symbol(v) => v.as_bytes(),
        _ => &[],
    }
}

fn is_short(value: &Value) -> bool {
    octets_of(value).len() <= usize::from(u8::MAX)
}

fn encode_sized(octets: &[u8], wide: bool, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match (wide, u8::try_from(octets.len())) {
        (false, Ok(size)) => out.push(size),
        _ => {
            let size = u32::try_from(octets.len()).map_err(|_| EncodeError::TooLong)?;
            out.extend_from_slice(&size.to_be_bytes());
        }
    }
    out.extend_from_slice(octets);
    Ok(())
}

/// An element without its constructor.
fn encode_element(
    item: &Value,
    constructor: u8,
    out: &mut Vec<u8>,
    depth: u32,
) -> Result<(), EncodeError> {
    match item {
        Value::Null | Value::Described(_) => {}
        Value::Bool(v) => out.push(u8::from(*v)),
        Value::Uint(v) if constructor == code::UINT => out.extend_from_slice(&v.to_be_bytes()),
        Value::Ulong(v) if constructor == code::ULONG => out.extend_from_slice(&v.to_be_bytes()),
        Value::Int(v) if constructor == code::INT => out.extend_from_slice(&v.to_be_bytes()),
        Value::Long(v) if constructor == code::LONG => out.extend_from_slice(&v.to_be_bytes()),
        // The short forms: constructor() chose them because all values fit.
        Value::Uint(v) => out.extend(v.to_be_bytes().last()),
        Value::Ulong(v) => out.extend(v.to_be_bytes().last()),
        Value::Int(v) => out.extend(v.to_be_bytes().last()),
        Value::Long(v) => out.extend(v.to_be_bytes().last()),
        Value::Binary(_) | Value::String(_) | Value::Symbol(_) => {
            let wide = matches!(
                constructor,
                code::BINARY32 | code::STRING32 | code::SYMBOL32
            );
            encode_sized(octets_of(item), wide, out)?;
        }
        Value::List(list) => {
            let depth = deeper(depth)?;
            wide_element(out, list.len(), |out| encode_all(list, out, depth))?;
        }
        Value::Map(map) => {
            let depth = deeper(depth)?;
            let count = map.len().saturating_mul(2);
            wide_element(out, count, |out| map.encode_entries(out, depth))?;
        }
        Value::Array(array) => {
            wide_element(out, array.len(), |out| array.encode_body(out, depth))?;
        }
        // What remains has one form of fixed width: the constructor goes, the octets stay.
        _ => {
            let at = out.len();
            item.encode_in(out, depth)?;
            out.remove(at);
        }
    }
    Ok(())
}

/// A compound element with four-octet size and count.
fn wide_element(
    out: &mut Vec<u8>,
    count: usize,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let at = out.len();
    out.extend_from_slice(&[0; 8]);
    body(out)?;
    let size = out.len().saturating_sub(at.saturating_add(4));
    let (Ok(size), Ok(count)) = (u32::try_from(size), u32::try_from(count)) else {
        return Err(EncodeError::TooLong);
    };
    writer::patch(out, at, &size.to_be_bytes());
    writer::patch(out, at.saturating_add(4), &count.to_be_bytes());
    Ok(())
}

/// Turns the wide compound elements behind the constructor at `at` into their short form, if all of them fit. They are written
/// wide first because which form fits is known only when all are written; trying the short form first would, with arrays in
/// arrays, write the innermost twice per level.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "positions in a vector, and within its length"
)]
fn narrow_elements(out: &mut Vec<u8>, at: usize, count: usize) {
    let header = |out: &[u8], from: usize| -> Option<(usize, u8, Option<u8>)> {
        let (size, rest) = out.get(from..)?.split_first_chunk::<4>()?;
        let (count, _) = rest.split_first_chunk::<4>()?;
        let body = usize::try_from(u32::from_be_bytes(*size))
            .ok()?
            .checked_sub(4)?;
        let count = u8::try_from(u32::from_be_bytes(*count)).ok()?;
        Some((body, count, u8::try_from(body + 1).ok()))
    };
    let mut from = at + 1;
    for _ in 0..count {
        match header(out, from) {
            Some((body, _, Some(_))) => from += 8 + body,
            _ => return,
        }
    }
    let (mut from, mut to) = (at + 1, at + 1);
    for _ in 0..count {
        let Some((body, count, Some(size))) = header(out, from) else {
            return;
        };
        writer::patch(out, to, &[size, count]);
        out.copy_within(from + 8..from + 8 + body, to + 2);
        from += 8 + body;
        to += 2 + body;
    }
    out.truncate(to);
    if let Some(constructor) = out.get_mut(at) {
        // LIST32, MAP32 and ARRAY32 lie one row of the table below their short forms (1.2).
        *constructor -= code::LIST32 - code::LIST8;
    }
}
