//! SASLprep (RFC 4013): the same name or password, typed on different keyboards, becomes the same text.
//!
//! Text is prepared as a query string: code points that Unicode 3.2 did not have are let through.

use alloc::string::String;

use unicode_bidi::{BidiClass, bidi_class};
use unicode_normalization::UnicodeNormalization as _;

use crate::sasl::Secret;

/// The text as it is compared; `None` if it is empty then, or has something in it that is forbidden.
pub(super) fn prepare(text: &str) -> Option<String> {
    let mapped = mapped(text);
    is_good(&mapped).then_some(mapped)
}

/// The same with a password, which is overwritten when it goes, also where it is forbidden.
pub(super) fn prepare_secret(password: &str) -> Option<Secret> {
    let mapped = mapped(password);
    let good = is_good(&mapped);
    let secret = Secret::from(mapped.into_bytes());
    good.then_some(secret)
}

/// The text as it is compared, if it is good.
fn mapped(text: &str) -> String {
    let chars = text
        .chars()
        .filter(|c| !is_nothing(*c))
        .map(|c| if is_space(c) { ' ' } else { c });
    // Of a password no piece is to be left behind where the text grew: it may become longer.
    let octets = chars.clone().nfkc().map(char::len_utf8).sum();
    let mut mapped = String::with_capacity(octets);
    mapped.extend(chars.nfkc());
    mapped
}

fn is_good(mapped: &str) -> bool {
    !mapped.is_empty() && !mapped.contains(is_prohibited) && is_one_way(mapped)
}

/// RFC 3454, B.1: commonly mapped to nothing.
const fn is_nothing(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{1806}' | '\u{180b}'..='\u{180d}' | '\u{200b}'..='\u{200d}' | '\u{2060}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// RFC 3454, C.1.2: spaces that are not ASCII.
const fn is_space(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// RFC 4013, 2.3: the tables C.1.2 to C.9 of RFC 3454. C.5, surrogates, is no part of UTF-8.
const fn is_prohibited(c: char) -> bool {
    let control = matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{200c}'
        | '\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2063}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffc}' | '\u{1d173}'..='\u{1d17a}');
    let private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}');
    let no_character = matches!(c, '\u{fdd0}'..='\u{fdef}') || c as u32 & 0xfffe == 0xfffe;
    let unfit = matches!(c, '\u{fffd}' | '\u{2ff0}'..='\u{2ffb}' | '\u{340}' | '\u{341}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}');
    is_space(c) || control || private || no_character || unfit
}

/// RFC 3454, 6: text with characters that go from right to left begins and ends with such, and has none that go the
/// other way.
fn is_one_way(text: &str) -> bool {
    let right_to_left = |c: char| matches!(bidi_class(c), BidiClass::R | BidiClass::AL);
    let left_to_right = |c: char| bidi_class(c) == BidiClass::L;
    !text.contains(right_to_left)
        || (text.starts_with(right_to_left)
            && text.ends_with(right_to_left)
            && !text.contains(left_to_right))
}

#[cfg(test)]
mod tests {
    use super::prepare;

    #[test]
    fn the_examples_of_rfc_4013_come_out_as_it_says() {
        let prepared = |text: &str| prepare(text);
        assert_eq!(prepared("I\u{ad}X").as_deref(), Some("IX"));
        assert_eq!(prepared("user").as_deref(), Some("user"));
        assert_eq!(prepared("USER").as_deref(), Some("USER"));
        assert_eq!(prepared("\u{aa}").as_deref(), Some("a"));
        assert_eq!(prepared("\u{2168}").as_deref(), Some("IX"));
        assert_eq!(prepared("\u{7}"), None);
        assert_eq!(prepared("\u{627}\u{31}"), None);
    }

    #[test]
    fn spaces_are_spaces_and_nothing_is_refused() {
        assert_eq!(prepare("a\u{a0}b\u{3000}c").as_deref(), Some("a b c"));
        assert_eq!(
            prepare("\u{627}\u{31}\u{628}").as_deref(),
            Some("\u{627}1\u{628}")
        );
        assert_eq!(prepare("open sesame/%&").as_deref(), Some("open sesame/%&"));
        // Younger than Unicode 3.2.
        assert_eq!(prepare("\u{1f980}").as_deref(), Some("\u{1f980}"));
        for refused in [
            "",
            "\u{ad}",
            "\u{e000}",
            "a\u{fffe}",
            "\u{627}a\u{628}",
            "\u{200e}",
            "a\0",
        ] {
            assert_eq!(prepare(refused), None, "{refused:?}");
        }
    }
}
