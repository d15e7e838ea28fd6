//! Frames and values as a person reads them.

use std::fmt;

use super::frame::{Frame, Perf, Piece, What};
use super::shape::shape;
use super::value::V;

/// One piece of the stream in a line.
pub fn show_piece(piece: &Piece) -> String {
    match &piece.what {
        What::Header(header) => format!(
            "AMQP header id={} {}.{}.{}",
            header[4], header[5], header[6], header[7]
        ),
        What::Frame(frame) => show_frame(frame),
    }
}

/// One frame in a line.
pub fn show_frame(frame: &Frame) -> String {
    let mut line = match frame.kind {
        0 => format!("ch {}", frame.channel),
        1 => "sasl".to_owned(),
        other => format!("type {other:#04x} ch {}", frame.channel),
    };
    if !frame.extended.is_empty() {
        line += &format!(" (+{} octets of extended header)", frame.extended.len());
    }
    match &frame.perf {
        Some(perf) => line += &format!(" {perf}"),
        None => line += " (empty)",
    }
    if !frame.payload.is_empty() {
        line += &format!(" ({}) {}", frame.payload.len(), octets(&frame.payload));
    }
    line
}

impl fmt::Display for Perf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        composite(f, self.code, &self.fields)
    }
}

impl fmt::Display for V {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((code, fields)) = self.composite()
            && shape(code).is_some()
        {
            return composite(f, code, fields);
        }
        match self {
            Self::Null => write!(f, "null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Ubyte(n) => write!(f, "{n}"),
            Self::Ushort(n) => write!(f, "{n}"),
            Self::Uint(n) => write!(f, "{n}"),
            Self::Ulong(n) => write!(f, "{n}"),
            Self::Byte(n) => write!(f, "{n}"),
            Self::Short(n) => write!(f, "{n}"),
            Self::Int(n) => write!(f, "{n}"),
            Self::Long(n) => write!(f, "{n}"),
            Self::Float(bits) => write!(f, "{}f", f32::from_bits(*bits)),
            Self::Double(bits) => write!(f, "{}d", f64::from_bits(*bits)),
            Self::Decimal(b) => write!(f, "decimal{} {b:02x?}", b.len() * 8),
            Self::Char(c) => write!(f, "{c:?}"),
            Self::Timestamp(n) => write!(f, "@{n}"),
            Self::Uuid(b) => write!(f, "uuid {b:02x?}"),
            Self::Bin(b) => write!(f, "b{}", octets(b)),
            Self::Str(s) => write!(f, "{s:?}"),
            Self::Sym(s) => write!(f, ":{s}"),
            Self::List(items) => joined(f, "[", items, "]"),
            Self::Map(pairs) => {
                write!(f, "{{")?;
                for (i, (key, value)) in pairs.iter().enumerate() {
                    write!(f, "{}{key}={value}", if i == 0 { "" } else { ", " })?;
                }
                write!(f, "}}")
            }
            Self::Array(element, items) => {
                write!(f, "@{:02x}", element.code)?;
                joined(f, "[", items, "]")
            }
            Self::Described(descriptor, value) => write!(f, "@{descriptor} {value}"),
            Self::Raw(b) => write!(f, "raw {b:02x?}"),
        }
    }
}

fn composite(f: &mut fmt::Formatter<'_>, code: u64, fields: &[V]) -> fmt::Result {
    let Some(shape) = shape(code) else {
        write!(f, "@{code:#x} ")?;
        return joined(f, "[", fields, "]");
    };
    write!(f, "@{}({code})", shape.name)?;
    let mut separator = " [";
    for (i, value) in fields.iter().enumerate().filter(|(_, v)| !v.is_null()) {
        match shape.fields.get(i) {
            Some(field) if field.name == "role" => {
                let role = if *value == V::Bool(true) {
                    "receiver"
                } else {
                    "sender"
                };
                write!(f, "{separator}role={role}")?;
            }
            Some(field) => write!(f, "{separator}{}={value}", field.name)?,
            None => write!(f, "{separator}#{i}={value}")?,
        }
        separator = ", ";
    }
    if separator == ", " {
        write!(f, "]")
    } else {
        Ok(())
    }
}

fn joined(f: &mut fmt::Formatter<'_>, open: &str, items: &[V], close: &str) -> fmt::Result {
    write!(f, "{open}")?;
    for (i, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
    }
    write!(f, "{close}")
}

/// Octets as text where they are text, the rest escaped, long ones cut.
fn octets(octets: &[u8]) -> String {
    const SHOWN: usize = 48;
    let text = octets[..octets.len().min(SHOWN)].escape_ascii();
    let cut = if octets.len() > SHOWN { "..." } else { "" };
    format!("\"{text}\"{cut}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_read_like_the_specification_writes_them() {
        let fields = vec![
            V::str("l"),
            V::Uint(0),
            V::Bool(true),
            V::Null,
            V::Null,
            V::described(0x28, V::List(vec![])),
        ];
        let frame = Frame {
            perf: Some(Perf { code: 0x12, fields }),
            ..Frame::empty(4)
        };
        assert_eq!(
            show_frame(&frame),
            r#"ch 4 @attach(18) [name="l", handle=0, role=receiver, source=@source(40)]"#
        );
        assert_eq!(show_frame(&Frame::empty(0)), "ch 0 (empty)");
        let frame = Frame {
            perf: Some(Perf {
                code: 0x14,
                fields: vec![V::Uint(1)],
            }),
            payload: b"hi\0".to_vec(),
            ..Frame::empty(0)
        };
        assert_eq!(
            show_frame(&frame),
            r#"ch 0 @transfer(20) [handle=1] (3) "hi\x00""#
        );
    }
}
