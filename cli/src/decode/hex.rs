//! Hexadecimal text to octets.

use std::fmt;

/// Text that is not hexadecimal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HexError {
    /// A character that is no digit, and its place, from 1.
    NotADigit {
        line: usize,
        column: usize,
        found: char,
    },
    /// The last digit has no partner.
    Odd,
}

impl fmt::Display for HexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotADigit {
                line,
                column,
                found,
            } => {
                write!(
                    f,
                    "line {line}, column {column}: {found:?} is not a hexadecimal digit"
                )
            }
            Self::Odd => f.write_str("the number of hexadecimal digits is odd: one is missing"),
        }
    }
}

/// The octets that hexadecimal digits stand for. White space, colons, commas, hyphens and `0x` do not count.
pub(super) fn octets_from_hex(text: &str) -> Result<Vec<u8>, HexError> {
    let mut octets = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for (number, line) in text.lines().enumerate() {
        let mut chars = line.chars().enumerate().peekable();
        while let Some((column, c)) = chars.next() {
            let opens_prefix =
                c == '0' && high.is_none() && matches!(chars.peek(), Some((_, 'x' | 'X')));
            if opens_prefix {
                chars.next();
                continue;
            }
            if c.is_whitespace() || matches!(c, ':' | ',' | '-') {
                continue;
            }
            let not_a_digit = || HexError::NotADigit {
                line: number + 1,
                column: column + 1,
                found: c,
            };
            let digit = c
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
                .ok_or_else(not_a_digit)?;
            high = match high {
                None => Some(digit),
                Some(high) => {
                    octets.push(high << 4 | digit);
                    None
                }
            };
        }
    }
    if high.is_some() {
        Err(HexError::Odd)
    } else {
        Ok(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_prefixes_do_not_count() {
        assert_eq!(
            octets_from_hex("41 4d:51\n0x50, 0xFF").unwrap(),
            b"AMQP\xff"
        );
        assert_eq!(octets_from_hex("").unwrap(), b"");
        assert_eq!(octets_from_hex("0a0").unwrap_err(), HexError::Odd);
    }

    #[test]
    fn a_wrong_character_is_named_with_its_place() {
        let error = octets_from_hex("41\n4g").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2, column 2: 'g' is not a hexadecimal digit"
        );
    }
}
