//! The mechanisms that the engine knows how to do by itself.

use core::fmt;

use crate::codec::Symbol;

/// A SASL mechanism that the engine knows how to do by itself. Any other can be done with the embedder's help:
/// [`SaslClient::raw`](super::SaslClient::raw), [`SaslServer::raw`](super::SaslServer::raw).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// RFC 4505: no identity is asked for.
    Anonymous,
    /// RFC 4616: user and password, readable by whoever reads the transport.
    Plain,
    /// RFC 4422 appendix A: the transport (TLS client certificate) has proved the identity.
    External,
    /// RFC 5802, RFC 7677: both sides prove that they know the password, and neither shows it.
    #[cfg(feature = "scram")]
    Scram(super::ScramHash),
    /// RFC 7628: an OAuth 2.0 token, readable by whoever reads the transport.
    OAuthBearer,
    /// What some services had before OAUTHBEARER: user and OAuth 2.0 token.
    XOAuth2,
}

const KNOWN: &[Mechanism] = &[
    Mechanism::Anonymous,
    Mechanism::Plain,
    Mechanism::External,
    #[cfg(feature = "scram")]
    Mechanism::Scram(super::ScramHash::Sha1),
    #[cfg(feature = "scram")]
    Mechanism::Scram(super::ScramHash::Sha256),
    #[cfg(feature = "scram")]
    Mechanism::Scram(super::ScramHash::Sha512),
    Mechanism::OAuthBearer,
    Mechanism::XOAuth2,
];

impl Mechanism {
    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "ANONYMOUS",
            Self::Plain => "PLAIN",
            Self::External => "EXTERNAL",
            #[cfg(feature = "scram")]
            Self::Scram(hash) => hash.mechanism_name(),
            Self::OAuthBearer => "OAUTHBEARER",
            Self::XOAuth2 => "XOAUTH2",
        }
    }

    /// The mechanism of this registered name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        KNOWN
            .iter()
            .copied()
            .find(|mechanism| mechanism.name() == name)
    }

    /// Whether what is sent is good for logging in again, so that nobody may read it on the way.
    #[must_use]
    pub const fn shows_secret(self) -> bool {
        matches!(self, Self::Plain | Self::OAuthBearer | Self::XOAuth2)
    }

    pub(crate) const fn symbol(self) -> Symbol {
        Symbol::from_static(self.name())
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
