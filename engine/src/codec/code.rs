//! Constructor octets (1.2, 1.6) and what they say about the octets that follow.

/// A descriptor and a value follow (1.2).
pub const DESCRIBED: u8 = 0x00;
/// null (1.6.1).
pub const NULL: u8 = 0x40;
/// boolean true, no octets.
pub const TRUE: u8 = 0x41;
/// boolean false, no octets.
pub const FALSE: u8 = 0x42;
/// boolean, one octet.
pub const BOOL: u8 = 0x56;
/// ubyte.
pub const UBYTE: u8 = 0x50;
/// ushort.
pub const USHORT: u8 = 0x60;
/// uint, four octets.
pub const UINT: u8 = 0x70;
/// uint, one octet.
pub const UINT_SMALL: u8 = 0x52;
/// uint 0, no octets.
pub const UINT_ZERO: u8 = 0x43;
/// ulong, eight octets.
pub const ULONG: u8 = 0x80;
/// ulong, one octet.
pub const ULONG_SMALL: u8 = 0x53;
/// ulong 0, no octets.
pub const ULONG_ZERO: u8 = 0x44;
/// byte.
pub const BYTE: u8 = 0x51;
/// short.
pub const SHORT: u8 = 0x61;
/// int, four octets.
pub const INT: u8 = 0x71;
/// int, one signed octet.
pub const INT_SMALL: u8 = 0x54;
/// long, eight octets.
pub const LONG: u8 = 0x81;
/// long, one signed octet.
pub const LONG_SMALL: u8 = 0x55;
/// float.
pub const FLOAT: u8 = 0x72;
/// double.
pub const DOUBLE: u8 = 0x82;
/// decimal32.
pub const DECIMAL32: u8 = 0x74;
/// decimal64.
pub const DECIMAL64: u8 = 0x84;
/// decimal128.
pub const DECIMAL128: u8 = 0x94;
/// char, UTF-32BE.
pub const CHAR: u8 = 0x73;
/// timestamp, milliseconds since the Unix epoch.
pub const TIMESTAMP: u8 = 0x83;
/// uuid.
pub const UUID: u8 = 0x98;
/// binary up to 255 octets.
pub const BINARY8: u8 = 0xa0;
/// binary up to 4 GiB.
pub const BINARY32: u8 = 0xb0;
/// string up to 255 octets.
pub const STRING8: u8 = 0xa1;
/// string up to 4 GiB.
pub const STRING32: u8 = 0xb1;
/// symbol up to 255 octets.
pub const SYMBOL8: u8 = 0xa3;
/// symbol up to 4 GiB.
pub const SYMBOL32: u8 = 0xb3;
/// The empty list.
pub const LIST0: u8 = 0x45;
/// list up to 255 octets.
pub const LIST8: u8 = 0xc0;
/// list up to 4 GiB.
pub const LIST32: u8 = 0xd0;
/// map up to 255 octets.
pub const MAP8: u8 = 0xc1;
/// map up to 4 GiB.
pub const MAP32: u8 = 0xd1;
/// array up to 255 octets.
pub const ARRAY8: u8 = 0xe0;
/// array up to 4 GiB.
pub const ARRAY32: u8 = 0xf0;

/// How the octets after a constructor are delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// This many octets.
    Fixed(u8),
    /// A size of one octet, then that many octets.
    Sized8,
    /// A size of four octets, then that many octets.
    Sized32,
}

/// The width of what follows a constructor; `None` if there is no such constructor.
/// (For [`DESCRIBED`] there is no answer either: two whole values follow.)
#[inline]
#[expect(
    clippy::indexing_slicing,
    reason = "the table has a row for every octet"
)]
pub const fn width(code: u8) -> Option<Width> {
    // A table: this is asked for every value that is passed over.
    WIDTHS[code as usize]
}

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated when this is compiled"
)]
static WIDTHS: [Option<Width>; 256] = {
    let mut widths = [None; 256];
    let mut code = 0;
    while code < widths.len() {
        widths[code] = width_of(code as u8);
        code += 1;
    }
    widths
};

const fn width_of(code: u8) -> Option<Width> {
    Some(match code {
        NULL | TRUE | FALSE | UINT_ZERO | ULONG_ZERO | LIST0 => Width::Fixed(0),
        BOOL | UBYTE | BYTE | UINT_SMALL | ULONG_SMALL | INT_SMALL | LONG_SMALL => Width::Fixed(1),
        USHORT | SHORT => Width::Fixed(2),
        UINT | INT | FLOAT | CHAR | DECIMAL32 => Width::Fixed(4),
        ULONG | LONG | DOUBLE | TIMESTAMP | DECIMAL64 => Width::Fixed(8),
        DECIMAL128 | UUID => Width::Fixed(16),
        BINARY8 | STRING8 | SYMBOL8 | LIST8 | MAP8 | ARRAY8 => Width::Sized8,
        BINARY32 | STRING32 | SYMBOL32 | LIST32 | MAP32 | ARRAY32 => Width::Sized32,
        _ => return None,
    })
}

/// The fewest octets one array element of this constructor takes.
pub(super) fn least_width(code: u8) -> u64 {
    match code {
        LIST8 | MAP8 => 2,
        ARRAY8 => 3,
        LIST32 | MAP32 => 8,
        ARRAY32 => 9,
        _ => match width(code) {
            Some(Width::Fixed(n)) => n.into(),
            Some(Width::Sized8) | None => 1,
            Some(Width::Sized32) => 4,
        },
    }
}
