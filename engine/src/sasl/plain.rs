//! The one message of PLAIN (RFC 4616).

use bytes::Bytes;

use super::{SaslRequest, Secret, name};
use crate::error::SaslFailure;

/// `[authzid] NUL authcid NUL passwd`.
pub(super) fn write(
    authorize_as: &str,
    user: &str,
    password: &Secret,
) -> Result<Secret, SaslFailure> {
    let password = password.as_bytes();
    let has_nul = |part: &[u8]| part.contains(&0);
    if user.is_empty()
        || [authorize_as.as_bytes(), user.as_bytes(), password]
            .into_iter()
            .any(has_nul)
    {
        return Err(SaslFailure::Credentials(
            "PLAIN needs a user, and neither user nor password may have a NUL in it",
        ));
    }
    let parts = [authorize_as.as_bytes(), user.as_bytes(), password];
    Ok(parts.join(&0).into())
}

/// The question that the message puts to the embedder.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "places within what a frame holds"
)]
pub(super) fn read(message: &Bytes) -> Option<SaslRequest> {
    let first = message.iter().position(|octet| *octet == 0)?;
    let rest = message.get(first + 1..)?;
    let second = first + 1 + rest.iter().position(|octet| *octet == 0)?;
    let user = name(message.slice(first + 1..second))?;
    let password = message.slice(second + 1..);
    if user.is_empty() || password.contains(&0) {
        return None;
    }
    Some(SaslRequest::Plain {
        authorize_as: name(message.slice(..first))?,
        user,
        password: password.into(),
    })
}
