//! The messages of OAUTHBEARER (RFC 7628, 3) and of XOAUTH2, which came before it.

use alloc::string::String;

use bytes::Bytes;

use super::{Mechanism, SaslRequest, Secret, gs2};
use crate::codec::Str;
use crate::error::SaslFailure;

/// Ends each pair of key and value, and the message.
const SEPARATOR: char = '\x01';

/// The client's message.
pub(super) fn write(
    mechanism: Mechanism,
    user: &str,
    token: &Secret,
    host: Option<&str>,
) -> Result<Secret, SaslFailure> {
    let token = core::str::from_utf8(token.as_bytes())
        .ok()
        .filter(|token| !token.is_empty() && token.bytes().all(|octet| octet.is_ascii_graphic()))
        .ok_or(SaslFailure::Credentials(
            "an OAuth 2.0 token is visible ASCII without spaces (RFC 6750, 2.1)",
        ))?;
    if user.contains([SEPARATOR, '\0']) {
        return Err(SaslFailure::Credentials(
            "a user of OAUTHBEARER or XOAUTH2 has no U+0000 or U+0001 in its name",
        ));
    }
    let greeting = if mechanism == Mechanism::XOAuth2 {
        alloc::format!("user={user}")
    } else {
        gs2::header(user)
    };
    // Where the client means to be is of use to servers with many names only.
    let host = host
        .filter(|host| mechanism == Mechanism::OAuthBearer && !host.contains(SEPARATOR))
        .map_or_else(String::new, |host| alloc::format!("{SEPARATOR}host={host}"));
    let begin = alloc::format!("{greeting}{host}{SEPARATOR}auth=Bearer ");
    // In one piece: a text that grows leaves copies behind.
    let parts = [begin.as_bytes(), token.as_bytes(), b"\x01\x01"];
    Ok(parts.concat().into())
}

/// What a client says to a refusal, so that the server may end the exchange (RFC 7628, 3.2.3).
pub(super) fn dummy(mechanism: Mechanism) -> Bytes {
    if mechanism == Mechanism::XOAuth2 {
        Bytes::new()
    } else {
        Bytes::from_static(b"\x01")
    }
}

/// What a server says to a token that is not good, if its embedder has nothing to add (RFC 7628, 3.2.2).
pub(super) fn refusal(mechanism: Mechanism) -> Str {
    Str::from_static(if mechanism == Mechanism::XOAuth2 {
        r#"{"status":"401","schemes":"bearer"}"#
    } else {
        r#"{"status":"invalid_token"}"#
    })
}

/// The question that the message puts to the embedder.
pub(super) fn read(mechanism: Mechanism, message: &[u8]) -> Option<SaslRequest> {
    let text = core::str::from_utf8(message).ok()?;
    let (user, pairs) = if mechanism == Mechanism::XOAuth2 {
        let (user, pairs) = text.strip_prefix("user=")?.split_once(SEPARATOR)?;
        (Str::from(user), pairs)
    } else {
        let (user, rest) = gs2::parse(text)?;
        (user, rest.strip_prefix(SEPARATOR)?)
    };
    let (mut token, mut host, mut port) = (None, None, None);
    // The last pair is ended, and so is the message.
    for pair in pairs.strip_suffix("\x01\x01")?.split(SEPARATOR) {
        let (key, value) = pair.split_once('=')?;
        let again = match key {
            "auth" => token.replace(bearer(value)?).is_some(),
            "host" => host.replace(Str::from(value)).is_some(),
            "port" => port.replace(value.parse().ok()?).is_some(),
            // Keys that are not known are ignored (RFC 7628, 3.1).
            _ => key.is_empty(),
        };
        if again {
            return None;
        }
    }
    Some(SaslRequest::Bearer {
        mechanism,
        user,
        token: token?,
        host,
        port,
    })
}

/// The token of `Bearer TOKEN`; the scheme's case does not matter.
fn bearer(value: &str) -> Option<Secret> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let good = scheme.eq_ignore_ascii_case("bearer")
        && !token.is_empty()
        && token.bytes().all(|octet| octet.is_ascii_graphic());
    good.then(|| token.into())
}
