//! The GS2 header that SCRAM and OAUTHBEARER begin with, and its names (RFC 5801, 4; RFC 5802, 7).

use alloc::string::String;

use crate::codec::Str;

/// `n,a=NAME,`: no channel binding, and whose rights are asked for (nobody's in particular when empty).
pub(super) fn header(authorize_as: &str) -> String {
    if authorize_as.is_empty() {
        return String::from("n,,");
    }
    alloc::format!("n,a={},", escape(authorize_as))
}

/// Whose rights are asked for, and what follows the header. `None` if it is none, or asks for a channel binding (`p`),
/// which no mechanism here has. A client that could bind but thinks the server cannot (`y`) is right.
pub(super) fn parse(message: &str) -> Option<(Str, &str)> {
    let rest = message
        .strip_prefix("n,")
        .or_else(|| message.strip_prefix("y,"))?;
    let (name, rest) = rest.split_once(',')?;
    let authorize_as = match name.strip_prefix("a=") {
        Some(name) => unescape(name)?,
        None if name.is_empty() => String::new(),
        None => return None,
    };
    Some((authorize_as.into(), rest))
}

/// A name in which `=` and `,` have no meaning.
pub(super) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

/// The name, unless it is empty or escaped otherwise than it must be.
pub(super) fn unescape(name: &str) -> Option<String> {
    let mut parts = name.split('=');
    let mut plain = String::from(parts.next()?);
    for part in parts {
        let (octet, rest) = part
            .strip_prefix("2C")
            .map(|rest| (',', rest))
            .or_else(|| part.strip_prefix("3D").map(|rest| ('=', rest)))?;
        plain.push(octet);
        plain.push_str(rest);
    }
    (!plain.is_empty() && !plain.contains('\0')).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::{escape, header, parse, unescape};

    #[test]
    fn headers_and_names_come_back_as_they_went() {
        for name in ["", "user", "a=b,c", "=2C", "=3D,"] {
            let text = header(name) + "rest,more";
            let (read, rest) = parse(&text).unwrap();
            assert_eq!((read.as_str(), rest), (name, "rest,more"));
        }
        assert_eq!(escape("a=b,c"), "a=3Db=2Cc");
    }

    #[test]
    fn what_is_no_header_or_name_is_refused() {
        for text in [
            "",
            "n",
            "n,",
            "p=tls-unique,,",
            "x,,",
            "n,b=c,",
            "n,a=,",
            "n,a==,",
            "n,a=a=2c,",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
        for name in ["", "=", "a=2", "a=4D", "a\0"] {
            assert!(unescape(name).is_none(), "{name}");
        }
    }
}
