//! Owned AMQP values.

/// One AMQP value, owned. Floats are kept as bits so that `Eq` means "the same octets".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum V {
    /// `null`
    Null,
    /// `boolean`
    Bool(bool),
    /// `ubyte`
    Ubyte(u8),
    /// `ushort`
    Ushort(u16),
    /// `uint`
    Uint(u32),
    /// `ulong`
    Ulong(u64),
    /// `byte`
    Byte(i8),
    /// `short`
    Short(i16),
    /// `int`
    Int(i32),
    /// `long`
    Long(i64),
    /// `float`, its bits
    Float(u32),
    /// `double`, its bits
    Double(u64),
    /// `decimal32`, `decimal64` or `decimal128`, told apart by length (4, 8, 16 octets)
    Decimal(Vec<u8>),
    /// `char`
    Char(char),
    /// `timestamp`, milliseconds since the epoch
    Timestamp(i64),
    /// `uuid`
    Uuid([u8; 16]),
    /// `binary`
    Bin(Vec<u8>),
    /// `string`
    Str(String),
    /// `symbol`
    Sym(String),
    /// `list`
    List(Vec<Self>),
    /// `map`, pairs in wire order, duplicates kept
    Map(Vec<(Self, Self)>),
    /// `array`: what each element is, then the elements without their constructors
    Array(Element, Vec<Self>),
    /// a described value: descriptor, value
    Described(Box<Self>, Box<Self>),
    /// octets written as they are (never produced by decoding): the way to put a broken value inside a good frame
    Raw(Vec<u8>),
}

/// The constructor that the elements of an array share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Descriptors, outermost first; empty for plain elements.
    pub descriptors: Vec<V>,
    /// The primitive format code.
    pub code: u8,
}

impl V {
    /// A string.
    pub fn str(s: &str) -> Self {
        Self::Str(s.to_owned())
    }

    /// A symbol.
    pub fn sym(s: &str) -> Self {
        Self::Sym(s.to_owned())
    }

    /// A binary.
    pub fn bin(b: &[u8]) -> Self {
        Self::Bin(b.to_vec())
    }

    /// A described value with a numeric descriptor.
    pub fn described(code: u64, value: Self) -> Self {
        Self::Described(Box::new(Self::Ulong(code)), Box::new(value))
    }

    /// An array of symbols (`sym8` elements).
    pub fn symbols(names: &[&str]) -> Self {
        let element = Element {
            descriptors: Vec::new(),
            code: 0xa3,
        };
        Self::Array(element, names.iter().map(|n| Self::sym(n)).collect())
    }

    /// A map with symbol keys, as `fields` are.
    pub fn fields(pairs: &[(&str, Self)]) -> Self {
        Self::Map(
            pairs
                .iter()
                .map(|(k, v)| (Self::sym(k), v.clone()))
                .collect(),
        )
    }

    /// Is this `null`?
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The values of a field that may hold several (1.3): null, one value and an array are one idea.
    pub fn multiple(&self) -> Vec<Self> {
        match self {
            Self::Null => Vec::new(),
            Self::Array(element, items) if element.descriptors.is_empty() => items.clone(),
            other => vec![other.clone()],
        }
    }

    /// Descriptor code and fields of a described list; the descriptor may be numeric or a known symbol.
    pub fn composite(&self) -> Option<(u64, &[Self])> {
        let Self::Described(descriptor, value) = self else {
            return None;
        };
        let code = match &**descriptor {
            Self::Ulong(code) => *code,
            Self::Sym(name) => super::shape_named(name)?.code,
            _ => return None,
        };
        match &**value {
            Self::List(fields) => Some((code, fields)),
            _ => None,
        }
    }
}
