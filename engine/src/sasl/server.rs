//! What a server asks of its clients.

use alloc::vec::Vec;

use super::Mechanism;
use crate::codec::Symbol;

/// What a server asks of its clients: the mechanisms it offers, at least one.
///
/// ANONYMOUS is admitted by the engine itself; every other raises
/// [`Event::Authenticate`](crate::Event::Authenticate) and waits for the embedder's answer. Who offers PLAIN, OAUTHBEARER or
/// XOAUTH2 without TLS lets others read the secrets of its clients.
#[derive(Clone, Debug)]
pub struct SaslServer {
    mechanisms: Vec<Mechanism>,
    raw: Vec<Symbol>,
    required: bool,
    #[cfg(feature = "scram")]
    scram: Option<super::ScramServer>,
}

impl SaslServer {
    /// Offers these mechanisms, in order of preference. SCRAM is left out until `scram` says what it needs.
    pub fn new(mechanisms: impl IntoIterator<Item = Mechanism>) -> Self {
        Self {
            mechanisms: mechanisms.into_iter().collect(),
            raw: Vec::new(),
            required: true,
            #[cfg(feature = "scram")]
            scram: None,
        }
    }

    /// Whether a client that begins with AMQP and no SASL layer is turned away. Default true.
    #[must_use]
    pub const fn required(mut self, required: bool) -> Self {
        self.required = required;
        self
    }

    /// What the SCRAM mechanisms among those that are offered need. With settings that do not pass
    /// [`check`](super::ScramServer::check) they are left out.
    ///
    /// ```
    /// use ferrion_engine::sasl::{Mechanism, Nonce, SaslServer, ScramHash, ScramServer};
    /// # let (random_octets, secret_of_this_server) = ([7; 18], "from a file");
    /// let server = SaslServer::new([Mechanism::Scram(ScramHash::Sha256)]).scram(ScramServer::new(
    ///     Nonce::from_random(random_octets),
    ///     secret_of_this_server,
    /// ));
    /// ```
    #[cfg(feature = "scram")]
    #[must_use]
    pub fn scram(mut self, scram: super::ScramServer) -> Self {
        self.scram = Some(scram);
        self
    }

    /// Offers one more mechanism, that the embedder does itself: each message of the client's is a
    /// [`SaslRequest::Raw`](super::SaslRequest::Raw).
    #[must_use]
    pub fn raw(mut self, mechanism: Symbol) -> Self {
        self.raw.push(mechanism);
        self
    }

    pub(crate) const fn is_required(&self) -> bool {
        self.required
    }

    /// The mechanisms that can be carried out.
    pub(super) fn offer(&self) -> Vec<Symbol> {
        let raw = self.raw.iter().cloned();
        self.known().map(Mechanism::symbol).chain(raw).collect()
    }

    /// The mechanism of this name, if it is offered and the embedder does not do it itself.
    pub(super) fn own(&self, name: &Symbol) -> Option<Mechanism> {
        self.known()
            .find(|mechanism| mechanism.name() == name.as_str())
    }

    pub(super) fn is_raw(&self, name: &Symbol) -> bool {
        self.raw.contains(name)
    }

    /// The mechanisms that the engine does, as far as it has what they need.
    fn known(&self) -> impl Iterator<Item = Mechanism> + '_ {
        let known = self.mechanisms.iter().copied();
        #[cfg(feature = "scram")]
        let has_scram = self
            .scram
            .as_ref()
            .is_some_and(|scram| scram.check().is_ok());
        #[cfg(feature = "scram")]
        let known =
            known.filter(move |mechanism| has_scram || !matches!(mechanism, Mechanism::Scram(_)));
        known
    }

    #[cfg(feature = "scram")]
    pub(super) const fn scram_settings(&self) -> Option<&super::ScramServer> {
        self.scram.as_ref()
    }
}
