//! Whom a certificate names: its subject, as one line (RFC 4514).

use std::fmt::Write;

/// The tags of DER that lie on the way (X.690).
const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const EXPLICIT_0: u8 = 0xa0;
const BMP_STRING: u8 = 0x1e;

/// Names of attributes, by the octets of their identifiers (RFC 4514, 3; RFC 4519).
const ATTRIBUTES: &[(&[u8], &str)] = &[
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "STREET"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1],
        "UID",
    ),
    (
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25],
        "DC",
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1],
        "emailAddress",
    ),
];

/// The subject of a certificate, the most specific part first: `CN=client,O=Example`. `None` if it has
/// none, or is no certificate.
pub(super) fn of(certificate: &[u8]) -> Option<String> {
    let (_, certificate, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, mut rest, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    if let Some((EXPLICIT_0, _, after)) = element(rest) {
        rest = after; // the version
    }
    // Serial number, algorithm, issuer, validity (RFC 5280, 4.1).
    for expected in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE] {
        let (_, _, after) = element(rest).filter(|(tag, ..)| *tag == expected)?;
        rest = after;
    }
    let (_, name, _) = element(rest).filter(|(tag, ..)| *tag == SEQUENCE)?;
    distinguished_name(name).filter(|name| !name.is_empty())
}

fn distinguished_name(mut rest: &[u8]) -> Option<String> {
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (_, mut set, after) = element(rest).filter(|(tag, ..)| *tag == SET)?;
        rest = after;
        let mut part = String::new();
        while !set.is_empty() {
            let (_, pair, after) = element(set).filter(|(tag, ..)| *tag == SEQUENCE)?;
            set = after;
            let (_, identifier, value) =
                element(pair).filter(|(tag, ..)| *tag == OBJECT_IDENTIFIER)?;
            let (tag, octets, _) = element(value)?;
            if !part.is_empty() {
                part.push('+');
            }
            attribute(&mut part, identifier, tag, octets);
        }
        parts.push(part);
    }
    parts.reverse();
    Some(parts.join(","))
}

/// `CN=value`. What has no short name, or is no text, is written in a way that nothing else is.
fn attribute(to: &mut String, identifier: &[u8], tag: u8, octets: &[u8]) {
    let known = ATTRIBUTES.iter().find(|(octets, _)| *octets == identifier);
    match known {
        Some((_, name)) => to.push_str(name),
        None => to.push_str(&dotted(identifier)),
    }
    to.push('=');
    // Of the kinds of text that certificates have, only this one is not a part of UTF-8.
    match std::str::from_utf8(octets) {
        Ok(text) if known.is_some() && tag != BMP_STRING => escape(to, text),
        _ => {
            let _ = write!(to, "#{tag:02x}");
            for octet in octets {
                // Writing to a string does not fail.
                let _ = write!(to, "{octet:02x}");
            }
        }
    }
}

/// So that no value can look like another attribute (RFC 4514, 2.4).
fn escape(to: &mut String, text: &str) {
    let last = text.chars().count().saturating_sub(1);
    for (at, letter) in text.chars().enumerate() {
        match letter {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' => to.extend(['\\', letter]),
            '#' if at == 0 => to.push_str("\\#"),
            ' ' if at == 0 || at == last => to.push_str("\\ "),
            letter if letter.is_control() => {
                let mut octets = [0; 4];
                for octet in letter.encode_utf8(&mut octets).bytes() {
                    let _ = write!(to, "\\{octet:02x}");
                }
            }
            letter => to.push(letter),
        }
    }
}

/// An identifier as numbers with dots: the first octet holds two of them (X.690, 8.19).
fn dotted(identifier: &[u8]) -> String {
    let mut numbers = Vec::new();
    let mut number: u64 = 0;
    for octet in identifier {
        number = number << 7 | u64::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first.to_string());
                number -= first * 40;
            }
            numbers.push(number.to_string());
            number = 0;
        }
    }
    numbers.join(".")
}

/// The first element: its tag, its contents, and what follows it.
fn element(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = octets.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let mut total: usize = 0;
        for octet in length {
            total = total.checked_mul(256)?.checked_add(usize::from(*octet))?;
        }
        (total, rest)
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((*tag, contents, rest))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, DnValue, KeyPair};

    use super::{dotted, of};

    fn subject(parts: &[(DnType, DnValue)]) -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in parts {
            params.distinguished_name.push(kind.clone(), value.clone());
        }
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    fn utf8(text: &str) -> DnValue {
        DnValue::Utf8String(text.to_owned())
    }

    #[test]
    fn the_most_specific_part_comes_first() {
        let certificate = subject(&[
            (
                DnType::CountryName,
                DnValue::PrintableString("DE".try_into().unwrap()),
            ),
            (DnType::OrganizationName, utf8("Example")),
            (DnType::CommonName, utf8("client")),
        ]);
        assert_eq!(
            of(&certificate).as_deref(),
            Some("CN=client,O=Example,C=DE")
        );
    }

    #[test]
    fn no_value_looks_like_another_attribute() {
        let certificate = subject(&[(DnType::CommonName, utf8(" a,O=b+c\\\"\u{1}é "))]);
        assert_eq!(
            of(&certificate).as_deref(),
            Some("CN=\\ a\\,O\\=b\\+c\\\\\\\"\\01é\\ ")
        );
        let certificate = subject(&[(DnType::CommonName, utf8("#30"))]);
        assert_eq!(of(&certificate).as_deref(), Some("CN=\\#30"));
    }

    #[test]
    fn what_has_no_short_name_is_written_in_numbers() {
        let certificate = subject(&[(DnType::CustomDnType(vec![1, 2, 840, 113_549]), utf8("x"))]);
        assert_eq!(of(&certificate).as_deref(), Some("1.2.840.113549=#0c78"));
        assert_eq!(dotted(&[0x88, 0x37, 3]), "2.999.3");
        assert_eq!(dotted(&[]), "");
    }

    #[test]
    fn without_a_subject_there_is_none_and_cut_certificates_are_harmless() {
        assert_eq!(of(&subject(&[])), None);
        let whole = subject(&[(DnType::CommonName, utf8("client"))]);
        for end in 0..whole.len() {
            assert_eq!(of(&whole[..end]), None, "{end}");
        }
        let mut changed = whole.clone();
        for at in 0..whole.len() {
            for octet in [0, 0x30, 0x7f, 0x84, 0xff] {
                changed[at] = octet;
                // Whatever it says, it says it without a panic.
                let _ = of(&changed);
            }
            changed[at] = whole[at];
        }
    }
}
