//! Writing values, in the shortest form or in longer ones that are as legal.

use super::value::{Element, V};

/// Which of several legal encodings to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Form {
    /// The fewest octets.
    #[default]
    Shortest,
    /// One octet of value or size where there is such a form, also for zero and for the empty list; booleans as `56`.
    Small,
    /// The longest: full width numbers, 4-octet sizes.
    Widest,
}

/// Appends `value` in its shortest form.
pub fn encode(value: &V, out: &mut Vec<u8>) {
    encode_with(value, Form::Shortest, out);
}

/// Appends `value` in the given form, inside compounds too.
pub fn encode_with(value: &V, form: Form, out: &mut Vec<u8>) {
    match value {
        V::Raw(octets) => out.extend_from_slice(octets),
        V::Described(descriptor, inner) => {
            out.push(0x00);
            encode_with(descriptor, form, out);
            encode_with(inner, form, out);
        }
        _ => {
            let code = code_for(value, form);
            out.push(code);
            body(value, code, form, out);
        }
    }
}

/// The format code that this form uses for this value.
fn code_for(value: &V, form: Form) -> u8 {
    use Form::{Shortest, Small, Widest};
    let short = |len: usize, narrow: u8, wide: u8| {
        if form == Widest || len > 255 {
            wide
        } else {
            narrow
        }
    };
    match value {
        V::Null => 0x40,
        V::Bool(b) => match (form, b) {
            (Shortest, true) => 0x41,
            (Shortest, false) => 0x42,
            _ => 0x56,
        },
        V::Ubyte(_) => 0x50,
        V::Byte(_) => 0x51,
        V::Ushort(_) => 0x60,
        V::Short(_) => 0x61,
        V::Uint(n) => match (form, n) {
            (Shortest, 0) => 0x43,
            (Shortest | Small, 0..=255) => 0x52,
            _ => 0x70,
        },
        V::Ulong(n) => match (form, n) {
            (Shortest, 0) => 0x44,
            (Shortest | Small, 0..=255) => 0x53,
            _ => 0x80,
        },
        V::Int(n) => match (form, n) {
            (Shortest | Small, -128..=127) => 0x54,
            _ => 0x71,
        },
        V::Long(n) => match (form, n) {
            (Shortest | Small, -128..=127) => 0x55,
            _ => 0x81,
        },
        V::Float(_) => 0x72,
        V::Double(_) => 0x82,
        V::Decimal(octets) => match octets.len() {
            4 => 0x74,
            8 => 0x84,
            _ => 0x94,
        },
        V::Char(_) => 0x73,
        V::Timestamp(_) => 0x83,
        V::Uuid(_) => 0x98,
        V::Bin(b) => short(b.len(), 0xa0, 0xb0),
        V::Str(s) => short(s.len(), 0xa1, 0xb1),
        V::Sym(s) => short(s.len(), 0xa3, 0xb3),
        V::List(items) if items.is_empty() && form == Shortest => 0x45,
        V::List(_) | V::Map(_) => {
            // The size of a list8 or map8 covers the one octet of the count.
            let (narrow, wide) = if matches!(value, V::List(_)) {
                (0xc0, 0xd0)
            } else {
                (0xc1, 0xd1)
            };
            let (content, count) = content(value, form);
            if count > 255 {
                wide
            } else {
                short(content.len() + 1, narrow, wide)
            }
        }
        V::Array(element, items) => {
            let content = elements(element, items, form);
            if items.len() > 255 {
                0xf0
            } else {
                short(content.len() + 1, 0xe0, 0xf0)
            }
        }
        V::Described(..) | V::Raw(_) => unreachable!("no format code of their own"),
    }
}

/// The octets that follow the format code.
fn body(value: &V, code: u8, form: Form, out: &mut Vec<u8>) {
    match (value, code) {
        (_, 0x40..=0x45) => {}
        (V::Bool(b), _) => out.push(u8::from(*b)),
        (V::Ubyte(n), _) => out.push(*n),
        (V::Byte(n), _) => out.extend_from_slice(&n.to_be_bytes()),
        (V::Ushort(n), _) => out.extend_from_slice(&n.to_be_bytes()),
        (V::Short(n), _) => out.extend_from_slice(&n.to_be_bytes()),
        (V::Uint(n), 0x52) => out.push(*n as u8),
        (V::Uint(n), _) => out.extend_from_slice(&n.to_be_bytes()),
        (V::Ulong(n), 0x53) => out.push(*n as u8),
        (V::Ulong(n), _) => out.extend_from_slice(&n.to_be_bytes()),
        (V::Int(n), 0x54) => out.push(*n as u8),
        (V::Int(n), _) => out.extend_from_slice(&n.to_be_bytes()),
        (V::Long(n), 0x55) => out.push(*n as u8),
        (V::Long(n), _) => out.extend_from_slice(&n.to_be_bytes()),
        (V::Float(bits), _) => out.extend_from_slice(&bits.to_be_bytes()),
        (V::Double(bits), _) => out.extend_from_slice(&bits.to_be_bytes()),
        (V::Decimal(octets), _) => out.extend_from_slice(octets),
        (V::Char(c), _) => out.extend_from_slice(&u32::from(*c).to_be_bytes()),
        (V::Timestamp(n), _) => out.extend_from_slice(&n.to_be_bytes()),
        (V::Uuid(octets), _) => out.extend_from_slice(octets),
        (V::Bin(b), _) => variable(b, code & 0xf0 == 0xb0, out),
        (V::Str(s) | V::Sym(s), _) => variable(s.as_bytes(), code & 0xf0 == 0xb0, out),
        (V::List(_) | V::Map(_), _) => {
            let (content, count) = content(value, form);
            sized(&content, count, code & 0xf0 == 0xd0, out);
        }
        (V::Array(element, items), _) => {
            sized(
                &elements(element, items, form),
                items.len(),
                code == 0xf0,
                out,
            );
        }
        (V::Null | V::Described(..) | V::Raw(_), _) => unreachable!("written by the caller"),
    }
}

/// The encoded items of a list or map, and their count (keys and values both count).
fn content(value: &V, form: Form) -> (Vec<u8>, usize) {
    let mut out = Vec::new();
    match value {
        V::List(items) => {
            items
                .iter()
                .for_each(|item| encode_with(item, form, &mut out));
            (out, items.len())
        }
        V::Map(pairs) => {
            for (key, value) in pairs {
                encode_with(key, form, &mut out);
                encode_with(value, form, &mut out);
            }
            (out, pairs.len() * 2)
        }
        _ => unreachable!("only lists and maps have items"),
    }
}

/// The constructor and the elements of an array.
fn elements(element: &Element, items: &[V], form: Form) -> Vec<u8> {
    let mut out = Vec::new();
    for descriptor in &element.descriptors {
        out.push(0x00);
        encode_with(descriptor, form, &mut out);
    }
    out.push(element.code);
    items.iter().for_each(|item| match item {
        V::Raw(octets) => out.extend_from_slice(octets),
        _ => body(item, element.code, form, &mut out),
    });
    out
}

fn variable(octets: &[u8], wide: bool, out: &mut Vec<u8>) {
    if wide {
        out.extend_from_slice(&(octets.len() as u32).to_be_bytes());
    } else {
        out.push(u8::try_from(octets.len()).expect("fits the narrow form"));
    }
    out.extend_from_slice(octets);
}

fn sized(content: &[u8], count: usize, wide: bool, out: &mut Vec<u8>) {
    if wide {
        out.extend_from_slice(&(content.len() as u32 + 4).to_be_bytes());
        out.extend_from_slice(&(count as u32).to_be_bytes());
    } else {
        out.push(u8::try_from(content.len() + 1).expect("fits the narrow form"));
        out.push(u8::try_from(count).expect("fits the narrow form"));
    }
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_form(value: &V, form: Form) -> Vec<u8> {
        let mut out = Vec::new();
        encode_with(value, form, &mut out);
        out
    }

    #[test]
    fn each_form_writes_the_octets_of_section_1_6() {
        type Case = (V, &'static [u8], &'static [u8], &'static [u8]);
        let cases: &[Case] = &[
            (V::Null, &[0x40], &[0x40], &[0x40]),
            (V::Bool(true), &[0x41], &[0x56, 1], &[0x56, 1]),
            (V::Bool(false), &[0x42], &[0x56, 0], &[0x56, 0]),
            (V::Uint(0), &[0x43], &[0x52, 0], &[0x70, 0, 0, 0, 0]),
            (
                V::Uint(255),
                &[0x52, 255],
                &[0x52, 255],
                &[0x70, 0, 0, 0, 255],
            ),
            (
                V::Uint(256),
                &[0x70, 0, 0, 1, 0],
                &[0x70, 0, 0, 1, 0],
                &[0x70, 0, 0, 1, 0],
            ),
            (
                V::Ulong(0),
                &[0x44],
                &[0x53, 0],
                &[0x80, 0, 0, 0, 0, 0, 0, 0, 0],
            ),
            (
                V::Int(-1),
                &[0x54, 0xff],
                &[0x54, 0xff],
                &[0x71, 0xff, 0xff, 0xff, 0xff],
            ),
            (
                V::str("ab"),
                &[0xa1, 2, b'a', b'b'],
                &[0xa1, 2, b'a', b'b'],
                &[0xb1, 0, 0, 0, 2, b'a', b'b'],
            ),
            (
                V::List(vec![]),
                &[0x45],
                &[0xc0, 1, 0],
                &[0xd0, 0, 0, 0, 4, 0, 0, 0, 0],
            ),
            (
                V::List(vec![V::Null, V::Uint(1)]),
                &[0xc0, 4, 2, 0x40, 0x52, 1],
                &[0xc0, 4, 2, 0x40, 0x52, 1],
                &[0xd0, 0, 0, 0, 10, 0, 0, 0, 2, 0x40, 0x70, 0, 0, 0, 1],
            ),
            (
                V::symbols(&["x", "yz"]),
                &[0xe0, 7, 2, 0xa3, 1, b'x', 2, b'y', b'z'],
                &[0xe0, 7, 2, 0xa3, 1, b'x', 2, b'y', b'z'],
                &[0xf0, 0, 0, 0, 10, 0, 0, 0, 2, 0xa3, 1, b'x', 2, b'y', b'z'],
            ),
            (
                V::described(0x24, V::List(vec![])),
                &[0x00, 0x53, 0x24, 0x45],
                &[0x00, 0x53, 0x24, 0xc0, 1, 0],
                &[
                    0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x24, 0xd0, 0, 0, 0, 4, 0, 0, 0, 0,
                ],
            ),
        ];
        for (value, shortest, small, widest) in cases {
            assert_eq!(in_form(value, Form::Shortest), *shortest, "{value:?}");
            assert_eq!(in_form(value, Form::Small), *small, "{value:?}");
            assert_eq!(in_form(value, Form::Widest), *widest, "{value:?}");
        }
    }

    #[test]
    fn a_list_over_255_octets_takes_the_wide_form() {
        let list = V::List(vec![V::Bin(vec![0; 252])]);
        assert_eq!(
            in_form(&list, Form::Shortest)[0],
            0xc0,
            "252 + 2 + 1 octets still fit in list8"
        );
        let list = V::List(vec![V::Bin(vec![0; 253])]);
        assert_eq!(
            in_form(&list, Form::Shortest)[..9],
            [0xd0, 0, 0, 1, 3, 0, 0, 0, 1]
        );
    }
}
