//! Reading values: strict, recursive, every octet checked.

use super::value::{Element, V};

/// Why octets are not AMQP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Octets that lay before the fault.
    pub at: usize,
    /// What is wrong.
    pub why: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at octet {}", self.why, self.at)
    }
}

/// Nesting beyond this is a fault: the decoder recurses.
const MAX_DEPTH: usize = 100;
/// Elements of no width cost no octets, so their number is bounded here.
const MAX_WIDTHLESS: usize = 1 << 20;

/// Reads one value; answers it and the octets it took.
pub fn decode(octets: &[u8]) -> Result<(V, usize), Fault> {
    let mut cursor = Cursor { octets, at: 0 };
    let value = cursor.value(0)?;
    Ok((value, cursor.at))
}

/// Reads values until the octets end.
pub fn decode_all(octets: &[u8]) -> Result<Vec<V>, Fault> {
    let mut cursor = Cursor { octets, at: 0 };
    let mut values = Vec::new();
    while cursor.at < octets.len() {
        values.push(cursor.value(0)?);
    }
    Ok(values)
}

/// Every format code of a primitive (1.6).
const CODES: [u8; 39] = [
    0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x60, 0x61, 0x70,
    0x71, 0x72, 0x73, 0x74, 0x80, 0x81, 0x82, 0x83, 0x84, 0x94, 0x98, 0xa0, 0xa1, 0xa3, 0xb0, 0xb1,
    0xb3, 0xc0, 0xc1, 0xd0, 0xd1, 0xe0, 0xf0,
];

struct Cursor<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn fault<T>(&self, why: impl Into<String>) -> Result<T, Fault> {
        Err(Fault {
            at: self.at,
            why: why.into(),
        })
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], Fault> {
        let left = self.octets.len() - self.at;
        if n > left {
            return self.fault(format!("{n} octets wanted, {left} left"));
        }
        let taken = &self.octets[self.at..self.at + n];
        self.at += n;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn number(&mut self, wide: bool) -> Result<usize, Fault> {
        Ok(if wide {
            u32::from_be_bytes(self.fixed()?) as usize
        } else {
            usize::from(self.fixed::<1>()?[0])
        })
    }

    fn value(&mut self, depth: usize) -> Result<V, Fault> {
        if depth > MAX_DEPTH {
            return self.fault("nested too deeply");
        }
        let code = self.fixed::<1>()?[0];
        if code == 0x00 {
            let descriptor = self.value(depth + 1)?;
            let value = self.value(depth + 1)?;
            return Ok(V::Described(Box::new(descriptor), Box::new(value)));
        }
        self.primitive(code, depth)
    }

    fn primitive(&mut self, code: u8, depth: usize) -> Result<V, Fault> {
        Ok(match code {
            0x40 => V::Null,
            0x41 => V::Bool(true),
            0x42 => V::Bool(false),
            0x43 => V::Uint(0),
            0x44 => V::Ulong(0),
            0x45 => V::List(Vec::new()),
            0x50 => V::Ubyte(self.fixed::<1>()?[0]),
            0x51 => V::Byte(i8::from_be_bytes(self.fixed()?)),
            0x52 => V::Uint(u32::from(self.fixed::<1>()?[0])),
            0x53 => V::Ulong(u64::from(self.fixed::<1>()?[0])),
            0x54 => V::Int(i32::from(i8::from_be_bytes(self.fixed()?))),
            0x55 => V::Long(i64::from(i8::from_be_bytes(self.fixed()?))),
            0x56 => match self.fixed::<1>()?[0] {
                0 => V::Bool(false),
                1 => V::Bool(true),
                other => return self.fault(format!("boolean octet {other:#04x}")),
            },
            0x60 => V::Ushort(u16::from_be_bytes(self.fixed()?)),
            0x61 => V::Short(i16::from_be_bytes(self.fixed()?)),
            0x70 => V::Uint(u32::from_be_bytes(self.fixed()?)),
            0x71 => V::Int(i32::from_be_bytes(self.fixed()?)),
            0x72 => V::Float(u32::from_be_bytes(self.fixed()?)),
            0x73 => match char::from_u32(u32::from_be_bytes(self.fixed()?)) {
                Some(c) => V::Char(c),
                None => return self.fault("not a Unicode scalar value"),
            },
            0x74 => V::Decimal(self.take(4)?.to_vec()),
            0x80 => V::Ulong(u64::from_be_bytes(self.fixed()?)),
            0x81 => V::Long(i64::from_be_bytes(self.fixed()?)),
            0x82 => V::Double(u64::from_be_bytes(self.fixed()?)),
            0x83 => V::Timestamp(i64::from_be_bytes(self.fixed()?)),
            0x84 => V::Decimal(self.take(8)?.to_vec()),
            0x94 => V::Decimal(self.take(16)?.to_vec()),
            0x98 => V::Uuid(self.fixed()?),
            0xa0 | 0xb0 => V::Bin(self.variable(code)?.to_vec()),
            0xa1 | 0xb1 => match std::str::from_utf8(self.variable(code)?) {
                Ok(s) => V::str(s),
                Err(_) => return self.fault("string that is not UTF-8"),
            },
            0xa3 | 0xb3 => {
                let octets = self.variable(code)?;
                if !octets.is_ascii() {
                    return self.fault("symbol that is not ASCII");
                }
                V::Sym(octets.iter().copied().map(char::from).collect())
            }
            0xc0 | 0xd0 | 0xc1 | 0xd1 | 0xe0 | 0xf0 => self.compound(code, depth)?,
            other => return self.fault(format!("no such format code {other:#04x}")),
        })
    }

    fn variable(&mut self, code: u8) -> Result<&'a [u8], Fault> {
        let len = self.number(code & 0xf0 == 0xb0)?;
        self.take(len)
    }

    /// List, map or array: size, count, content. The content must fill the size exactly (1.6.22).
    fn compound(&mut self, code: u8, depth: usize) -> Result<V, Fault> {
        let wide = matches!(code, 0xd0 | 0xd1 | 0xf0);
        let size = self.number(wide)?;
        let start = self.at;
        let octets = self.take(size)?;
        let mut inner = Cursor { octets, at: 0 };
        let value = inner.content(code, wide, depth).map_err(|f| Fault {
            at: start + f.at,
            ..f
        })?;
        if inner.at != octets.len() {
            return self.fault(format!(
                "{} octets of {size} left over in a compound",
                octets.len() - inner.at
            ));
        }
        Ok(value)
    }

    fn content(&mut self, code: u8, wide: bool, depth: usize) -> Result<V, Fault> {
        let count = self.number(wide)?;
        match code {
            0xc0 | 0xd0 => {
                let mut items = Vec::new();
                for _ in 0..count {
                    items.push(self.value(depth + 1)?);
                }
                Ok(V::List(items))
            }
            0xc1 | 0xd1 => {
                if count % 2 != 0 {
                    return self.fault(format!("map of {count} items, an odd number"));
                }
                let mut pairs = Vec::new();
                for _ in 0..count / 2 {
                    pairs.push((self.value(depth + 1)?, self.value(depth + 1)?));
                }
                Ok(V::Map(pairs))
            }
            _ => self.array(count, depth),
        }
    }

    fn array(&mut self, count: usize, depth: usize) -> Result<V, Fault> {
        let mut descriptors = Vec::new();
        let mut code = self.fixed::<1>()?[0];
        while code == 0x00 {
            if descriptors.len() > MAX_DEPTH {
                return self.fault("descriptors nested too deeply");
            }
            descriptors.push(self.value(depth + 1)?);
            code = self.fixed::<1>()?[0];
        }
        if (0x40..=0x45).contains(&code) && count > MAX_WIDTHLESS {
            return self.fault(format!("{count} elements of no width"));
        }
        // An empty array is of some type all the same.
        if !CODES.contains(&code) {
            return self.fault(format!("no such format code {code:#04x}"));
        }
        let mut items = Vec::new();
        for _ in 0..count {
            if depth + 1 > MAX_DEPTH {
                return self.fault("nested too deeply");
            }
            items.push(self.primitive(code, depth + 1)?);
        }
        Ok(V::Array(Element { descriptors, code }, items))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Form, encode_with};
    use super::*;

    #[test]
    fn hand_written_octets_decode() {
        let cases: &[(&[u8], V)] = &[
            (&[0x40], V::Null),
            (&[0x56, 1], V::Bool(true)),
            (&[0x53, 0x10], V::Ulong(16)),
            (&[0x55, 0x80], V::Long(-128)),
            (
                &[0x83, 0, 0, 0x01, 0x31, 0x18, 0x9d, 0x4f, 0xe7],
                V::Timestamp(0x0131_189d_4fe7),
            ),
            (&[0x73, 0, 1, 0xf6, 0x00], V::Char('\u{1f600}')),
            (&[0xa3, 3, b'a', b'b', b'c'], V::sym("abc")),
            (&[0xb1, 0, 0, 0, 1, b'x'], V::str("x")),
            (
                &[0xc1, 5, 2, 0xa3, 1, b'k', 0x41],
                V::fields(&[("k", V::Bool(true))]),
            ),
            (
                &[0x00, 0x53, 0x24, 0x45],
                V::described(0x24, V::List(vec![])),
            ),
            (
                &[0xe0, 2, 3, 0x43],
                V::Array(
                    Element {
                        descriptors: vec![],
                        code: 0x43,
                    },
                    vec![V::Uint(0); 3],
                ),
            ),
            (
                &[0xe0, 7, 2, 0x00, 0x53, 5, 0x50, 7, 8],
                V::Array(
                    Element {
                        descriptors: vec![V::Ulong(5)],
                        code: 0x50,
                    },
                    vec![V::Ubyte(7), V::Ubyte(8)],
                ),
            ),
        ];
        for (octets, value) in cases {
            assert_eq!(
                decode(octets),
                Ok((value.clone(), octets.len())),
                "{octets:02x?}"
            );
        }
    }

    #[test]
    fn broken_octets_are_faults() {
        let cases: &[&[u8]] = &[
            &[],
            &[0x46],
            &[0x56, 2],
            &[0x70, 0, 0, 0],
            &[0x73, 0, 0, 0xd8, 0x00],
            &[0xa1, 1, 0xff],
            &[0xa3, 1, 0x80],
            &[0xa1, 5, b'a'],
            &[0xc0, 2, 1],
            &[0xc0, 3, 1, 0x40, 0x40],
            &[0xc0, 1, 1],
            &[0xc1, 2, 1, 0x40],
            &[0xc0, 0],
            &[0xe0, 1, 0],
            &[0x00, 0x53],
            &[0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x40],
        ];
        for octets in cases {
            assert!(decode(octets).is_err(), "{octets:02x?}");
        }
        assert!(
            decode(&[0x00; 4096]).is_err(),
            "descriptors of descriptors end in a fault, not in a stack overflow"
        );
    }

    #[test]
    fn every_form_reads_back_as_the_same_value() {
        let value = V::List(vec![
            V::Bool(false),
            V::Uint(0),
            V::Ulong(7),
            V::Int(-5),
            V::Long(i64::MIN),
            V::Float(f32::NAN.to_bits()),
            V::Double((-0.0f64).to_bits()),
            V::Decimal(vec![1; 16]),
            V::Uuid([9; 16]),
            V::Bin(vec![0; 300]),
            V::Map(vec![(V::str("k"), V::List(vec![])), (V::str("k"), V::Null)]),
            V::described(0x28, V::List(vec![V::str("q")])),
            V::Array(
                Element {
                    descriptors: vec![],
                    code: 0xb1,
                },
                vec![V::str("a"), V::str("")],
            ),
        ]);
        for form in [Form::Shortest, Form::Small, Form::Widest] {
            let mut out = Vec::new();
            encode_with(&value, form, &mut out);
            assert_eq!(decode(&out), Ok((value.clone(), out.len())), "{form:?}");
        }
    }
}
