//! What makes an exchange a new one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::codec::Str;
use crate::error::UsageError;

/// A value that nobody can foresee and that is used for one exchange only. The engine has no randomness of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce(Str);

impl Nonce {
    /// A nonce of octets from a source of randomness that is fit for keys.
    #[must_use]
    pub fn from_random(octets: [u8; 18]) -> Self {
        Self(STANDARD.encode(octets).into())
    }

    /// A nonce that is text already: visible ASCII without comma, for who must reproduce an exchange.
    ///
    /// # Errors
    /// The text is empty, or is no such text.
    pub fn from_text(text: &str) -> Result<Self, UsageError> {
        if !is_nonce(text) {
            return Err(UsageError::WrongState(
                "a nonce is visible ASCII without comma, and not empty",
            ));
        }
        Ok(Self(text.into()))
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// RFC 5802, 7: `printable`, at least one.
pub(super) fn is_nonce(text: &str) -> bool {
    let good = |octet: u8| octet.is_ascii_graphic() && octet != b',';
    !text.is_empty() && text.bytes().all(good)
}
