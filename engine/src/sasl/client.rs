//! What a client authenticates with.

use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

use super::{Mechanism, Secret, plain};
use crate::codec::{Str, Symbol};
use crate::error::SaslFailure;

/// What a client authenticates with: one or more ways, the favourite first.
///
/// ```
/// use ferrion_engine::sasl::SaslClient;
/// // The certificate if the server wants it, else the password.
/// let client = SaslClient::external().or(SaslClient::plain("user", "secret"));
/// ```
#[derive(Clone, Debug)]
pub struct SaslClient {
    choices: Vec<Choice>,
    clear_text: bool,
}

const NOTHING: &str = "this client was given nothing to log in with; configure it with SaslConfig::Client and at least one \
                       way (SaslConfig::Server is for servers)";

/// One way to authenticate.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) credentials: Credentials,
    pub(super) authorize_as: Str,
}

#[derive(Clone, Debug)]
pub(super) enum Credentials {
    Anonymous,
    Plain {
        user: Str,
        password: Secret,
    },
    External,
    #[cfg(feature = "scram")]
    Scram(super::scram::ClientCredentials),
    Bearer {
        mechanism: Mechanism,
        user: Str,
        token: Secret,
    },
    Raw {
        mechanism: Symbol,
        initial: Option<Secret>,
    },
}

impl SaslClient {
    fn one(credentials: Credentials) -> Self {
        Self {
            choices: Vec::from([Choice {
                credentials,
                authorize_as: Str::default(),
            }]),
            clear_text: false,
        }
    }

    /// No way to authenticate.
    pub(crate) const fn nothing() -> Self {
        Self {
            choices: Vec::new(),
            clear_text: false,
        }
    }

    /// ANONYMOUS: no identity.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::one(Credentials::Anonymous)
    }

    /// PLAIN: user and password in clear. See [`allow_clear_text`](Self::allow_clear_text).
    pub fn plain(user: impl Into<Str>, password: impl Into<Secret>) -> Self {
        Self::one(Credentials::Plain {
            user: user.into(),
            password: password.into(),
        })
    }

    /// EXTERNAL: the identity that the transport has proved.
    #[must_use]
    pub fn external() -> Self {
        Self::one(Credentials::External)
    }

    /// SCRAM with any of these hashes, the favourite first: a password that neither side shows, and a server that proves
    /// that it knows it too. The nonce must be a fresh one for every connection.
    ///
    /// User and password are prepared by SASLprep (RFC 4013), as query strings: code points that Unicode 3.2 did not have
    /// are let through, which RFC 5802 would have refused in a password.
    ///
    /// ```
    /// use ferrion_engine::sasl::{Nonce, SaslClient, ScramHash};
    /// # let random_octets = [7; 18];
    /// let nonce = Nonce::from_random(random_octets);
    /// let client = SaslClient::scram(ScramHash::STRONGEST_FIRST, "user", "secret", nonce);
    /// ```
    #[cfg(feature = "scram")]
    pub fn scram(
        hashes: impl IntoIterator<Item = super::ScramHash>,
        user: impl Into<Str>,
        password: impl Into<Secret>,
        nonce: super::Nonce,
    ) -> Self {
        let (user, password) = (user.into(), password.into());
        let choice = |hash| Choice {
            credentials: Credentials::Scram(super::scram::ClientCredentials {
                hash,
                user: user.clone(),
                password: password.clone(),
                nonce: nonce.clone(),
                least_iterations: super::scram::LEAST_ITERATIONS,
            }),
            authorize_as: Str::default(),
        };
        Self {
            choices: hashes.into_iter().map(choice).collect(),
            clear_text: false,
        }
    }

    /// The fewest iterations of SCRAM that a server may ask for; fewer make guessing the password cheap for who listens.
    /// Default 4,096 (RFC 7677, 4). The most are [`Limits::scram_iterations`](crate::Limits::scram_iterations).
    #[cfg(feature = "scram")]
    #[must_use]
    pub fn least_iterations(mut self, least: u32) -> Self {
        for choice in &mut self.choices {
            if let Credentials::Scram(scram) = &mut choice.credentials {
                scram.least_iterations = least;
            }
        }
        self
    }

    /// OAUTHBEARER (RFC 7628): an OAuth 2.0 token. The user may be empty, as the token says who it is. The
    /// [`Config::hostname`](crate::Config::hostname) is told to the server. See
    /// [`allow_clear_text`](Self::allow_clear_text), and [`Limits::sasl_frame_size`](crate::Limits::sasl_frame_size) for tokens
    /// of more than about 400 octets.
    pub fn oauthbearer(user: impl Into<Str>, token: impl Into<Secret>) -> Self {
        Self::bearer(Mechanism::OAuthBearer, user.into(), token.into())
    }

    /// XOAUTH2, which came before OAUTHBEARER: the same with another message.
    pub fn xoauth2(user: impl Into<Str>, token: impl Into<Secret>) -> Self {
        Self::bearer(Mechanism::XOAuth2, user.into(), token.into())
    }

    fn bearer(mechanism: Mechanism, user: Str, token: Secret) -> Self {
        Self::one(Credentials::Bearer {
            mechanism,
            user,
            token,
        })
    }

    /// Any other mechanism, done by the embedder: after the initial response each challenge is a
    /// [`SaslRequest::Challenge`](super::SaslRequest::Challenge), and the server's consent a
    /// [`SaslRequest::Admitted`](super::SaslRequest::Admitted).
    #[must_use]
    pub fn raw(mechanism: Symbol, initial_response: Option<Secret>) -> Self {
        Self::one(Credentials::Raw {
            mechanism,
            initial: initial_response,
        })
    }

    /// If the server offers none of these, then `others`. Who can change what the server offers decides which of them it is:
    /// add nothing that is weaker than you would be content with alone.
    #[must_use]
    pub fn or(mut self, others: Self) -> Self {
        self.choices.extend(others.choices);
        self.clear_text |= others.clear_text;
        self
    }

    /// Asks for the rights of this identity instead of the user's own (RFC 4422, 3.4.1). PLAIN, EXTERNAL and SCRAM; some
    /// servers refuse any.
    #[must_use]
    pub fn authorize_as(mut self, identity: impl Into<Str>) -> Self {
        let identity = identity.into();
        for choice in &mut self.choices {
            choice.authorize_as = identity.clone();
        }
        self
    }

    /// Whether PLAIN, OAUTHBEARER and XOAUTH2 may be chosen, with which whoever reads the transport can log in later. True
    /// under TLS, on a transport that never leaves the machine, or when the user takes the risk. Default false.
    #[must_use]
    pub const fn allow_clear_text(mut self, allow: bool) -> Self {
        self.clear_text = allow;
        self
    }

    /// The first way to authenticate that the server offers and that may be gone.
    pub(super) fn choose(&mut self, offered: &[Symbol]) -> Result<Choice, SaslFailure> {
        if self.choices.is_empty() {
            return Err(SaslFailure::Credentials(NOTHING));
        }
        let mut refused = Vec::new();
        for choice in mem::take(&mut self.choices) {
            let mechanism = choice.mechanism();
            if !offered.contains(&mechanism) {
                continue;
            }
            if self.clear_text || !choice.shows_secret() {
                return Ok(choice);
            }
            refused.push(mechanism);
        }
        if refused.is_empty() {
            let offered = join(offered);
            Err(SaslFailure::NoCommonMechanism { offered })
        } else {
            let mechanisms = join(&refused);
            Err(SaslFailure::ClearText { mechanisms })
        }
    }
}

impl Choice {
    pub(super) fn mechanism(&self) -> Symbol {
        match &self.credentials {
            Credentials::Anonymous => Mechanism::Anonymous.symbol(),
            Credentials::Plain { .. } => Mechanism::Plain.symbol(),
            Credentials::External => Mechanism::External.symbol(),
            #[cfg(feature = "scram")]
            Credentials::Scram(scram) => Mechanism::Scram(scram.hash).symbol(),
            Credentials::Bearer { mechanism, .. } => mechanism.symbol(),
            Credentials::Raw { mechanism, .. } => mechanism.clone(),
        }
    }

    fn shows_secret(&self) -> bool {
        Mechanism::from_name(self.mechanism().as_str()).is_some_and(Mechanism::shows_secret)
    }

    /// The one message of a mechanism that has no other.
    pub(super) fn message(&self) -> Result<Secret, SaslFailure> {
        match &self.credentials {
            // RFC 4505 allows a trace string here; there is nothing worth telling.
            Credentials::Anonymous => Ok(Bytes::from_static(b"anonymous").into()),
            // An empty authorization identity by default: some servers refuse any other (RFC 4616).
            Credentials::Plain { user, password } => {
                plain::write(&self.authorize_as, user, password)
            }
            _ => Ok(self.authorize_as.clone().into_bytes().into()),
        }
    }
}

fn join(names: &[Symbol]) -> alloc::string::String {
    let names: Vec<&str> = names.iter().map(Symbol::as_str).collect();
    super::readable(names.join(" ").as_bytes())
}
