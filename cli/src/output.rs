//! Standard output: buffered, and able to say that nobody reads it any more; and notes beside it.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use crate::exit::Failure;

/// Standard output.
pub(crate) struct Output {
    to: BufWriter<Stdout>,
    is_terminal: bool,
}

impl Output {
    pub(crate) fn standard() -> Self {
        let to = io::stdout();
        Self {
            is_terminal: to.is_terminal(),
            to: BufWriter::with_capacity(64 * 1024, to),
        }
    }

    /// Writes text and a line break. Control characters do not reach a terminal, which would obey them.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        if self.is_terminal {
            self.octets(shown(text).as_bytes())
        } else {
            self.octets(text.as_bytes())
        }
    }

    /// Writes octets that somebody else made, as they are, and a line break.
    pub(crate) fn octets_line(&mut self, octets: &[u8]) -> Result<(), Failure> {
        if self.is_terminal {
            self.line(&String::from_utf8_lossy(octets))
        } else {
            self.octets(octets)
        }
    }

    /// Hands everything to the reader.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.to.flush().map_err(|e| Failure::output(&e))
    }

    fn octets(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let written = self
            .to
            .write_all(octets)
            .and_then(|()| self.to.write_all(b"\n"));
        written.map_err(|e| Failure::output(&e))
    }
}

/// Prints a note for the user to standard error. Control characters do not get there: much of it is what peers say. That nobody
/// reads it is no failure.
pub(crate) fn note(text: impl fmt::Display) {
    raw_note(format_args!("ferrion: {text}"));
}

/// As [`note`], without saying who tells.
pub(crate) fn raw_note(text: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{}", shown(&text.to_string()));
}

/// The text with its control characters, but for line breaks and tabs, made visible.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            c if c.is_control() => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_terminal_gets_no_control_characters() {
        assert_eq!(shown("a\x1b[31m\tb\nc"), "a\\u{1b}[31m\tb\nc");
    }
}
