//! The server's side of SCRAM.

use alloc::string::String;

use bytes::Bytes;

use super::hash::xor;
use super::keys::auth_message;
use super::message::{ClientFinal, ClientFirst, encode};
use super::prep::prepare;
use super::{Nonce, ScramCredentials, ScramHash};
use crate::sasl::{SaslRequest, Secret};

/// What a server needs for SCRAM beside its users.
///
/// A user that does not exist is answered like one that does, with a salt that is always the same for this name, so that
/// nobody learns who exists: `iterations` and `salt_octets` must be those of the stored credentials.
///
/// ```
/// use ferrion_engine::sasl::{
///     Mechanism, Nonce, SaslAnswer, SaslClient, SaslConfig, SaslRequest, SaslServer, ScramCredentials, ScramHash,
///     ScramServer,
/// };
/// use ferrion_engine::{Config, Engine, Event, Time};
/// # use bytes::{Buf, BytesMut};
/// # fn carry(from: &mut Engine, to: &mut Engine) {
/// #     let mut output = from.transmit(Time(0));
/// #     let octets = output.copy_to_bytes(output.remaining());
/// #     to.recv(Time(0), &mut BytesMut::from(&octets[..]));
/// # }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (random, more_random, salt) = ([1; 18], [2; 18], [3; 16]);
/// // Once, when the user chooses a password:
/// let stored = ScramCredentials::derive(ScramHash::Sha256, "secret", &salt, 4096)?;
///
/// // For each connection:
/// let settings = ScramServer::new(Nonce::from_random(random), "a secret of this server");
/// let mut config = Config::new("server");
/// config.sasl = SaslConfig::Server(
///     SaslServer::new([Mechanism::Scram(ScramHash::Sha256)]).scram(settings),
/// );
/// let mut server = Engine::server(config);
///
/// let mut config = Config::new("client");
/// let nonce = Nonce::from_random(more_random);
/// config.sasl = SaslConfig::Client(SaslClient::scram([ScramHash::Sha256], "ann", "secret", nonce));
/// let mut client = Engine::client(config);
///
/// let mut admitted = [false; 2];
/// while admitted != [true; 2] {
///     carry(&mut client, &mut server);
///     while let Some(event) = server.poll_event() {
///         if event == Event::Authenticate {
///             let known = matches!(server.sasl_request(), Some(SaslRequest::Scram { user, .. }) if user == "ann");
///             server.sasl_answer(if known { SaslAnswer::Scram(stored.clone()) } else { SaslAnswer::Reject })?;
///         }
///         admitted[0] |= event == Event::Authenticated;
///     }
///     carry(&mut server, &mut client);
///     while let Some(event) = client.poll_event() {
///         admitted[1] |= event == Event::Authenticated;
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`check`](Self::check) says whether they will do; SCRAM is not offered with settings that will not.
#[derive(Clone, Debug)]
pub struct ScramServer {
    /// A fresh one for each connection.
    pub nonce: Nonce,
    /// A secret of this server that stays the same, of at least 16 octets. Salts of users that do not exist are made of it.
    pub key: Secret,
    /// The iterations that users who do not exist seem to have. Default 4,096.
    pub iterations: u32,
    /// The octets of salt that users who do not exist seem to have, 1 to 64. Default 16.
    pub salt_octets: usize,
}

/// Why SCRAM is not offered with these settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScramSettingsError {
    /// Who guesses the key tells users that do not exist from those that do.
    #[error("the key for SCRAM has {0} octets; take a random one of at least 16")]
    KeyTooShort(usize),
    /// No stored credentials look like that.
    #[error("the salt of users that do not exist cannot have {0} octets; 1 to 64 are possible")]
    SaltOctets(usize),
}

/// Octets of the shortest key, and of the longest salt: as many as the hash has that makes it.
const LEAST_KEY: usize = 16;
const LONGEST_SALT: usize = 64;

impl ScramServer {
    /// Whether the key is long enough to keep a secret, and a salt can be as long as asked for.
    ///
    /// ```
    /// use ferrion_engine::sasl::{Nonce, ScramServer, ScramSettingsError};
    ///
    /// let settings = ScramServer::new(Nonce::from_random([7; 18]), "short");
    /// assert_eq!(settings.check(), Err(ScramSettingsError::KeyTooShort(5)));
    /// ```
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), ScramSettingsError> {
        let key = self.key.as_bytes().len();
        if key < LEAST_KEY {
            return Err(ScramSettingsError::KeyTooShort(key));
        }
        if !(1..=LONGEST_SALT).contains(&self.salt_octets) {
            return Err(ScramSettingsError::SaltOctets(self.salt_octets));
        }
        Ok(())
    }

    /// With the usual iterations and length of salt.
    pub fn new(nonce: Nonce, key: impl Into<Secret>) -> Self {
        Self {
            nonce,
            key: key.into(),
            iterations: 4096,
            salt_octets: 16,
        }
    }

    /// The salt that this user seems to have when it does not exist. Who stores passwords instead of credentials derives
    /// them with this salt, so that nothing tells the two kinds of user apart.
    #[must_use]
    pub fn salt(&self, hash: ScramHash, user: &str) -> Bytes {
        let name = hash.mechanism_name().as_bytes();
        let named = [name, b"\0", user.as_bytes()].concat();
        // The embedder may mark a token with it, that is as a user: nothing of it is left behind.
        let named = Secret::from(named);
        let mut salt = ScramHash::Sha512.hmac(self.key.as_bytes(), named.as_bytes());
        salt.truncate(self.salt_octets.max(1));
        salt.into()
    }
}

/// The exchange after the client's first message.
#[derive(Debug)]
pub(in crate::sasl) struct ServerExchange {
    hash: ScramHash,
    first: ClientFirst,
    /// Of both sides.
    nonce: String,
    /// What a user that does not exist seems to have.
    seeming: (Bytes, u32),
    server_first: String,
    credentials: Option<ScramCredentials>,
}

impl ServerExchange {
    /// Reads the client's first message; what the embedder is to be asked.
    pub(in crate::sasl) fn read(
        hash: ScramHash,
        settings: &ScramServer,
        message: &[u8],
    ) -> Option<(Self, SaslRequest)> {
        let first = ClientFirst::read(message)?;
        let user = prepare(&first.user)?;
        let request = SaslRequest::Scram {
            hash,
            authorize_as: first.authorize_as.clone(),
            user: user.as_str().into(),
        };
        let exchange = Self {
            hash,
            nonce: alloc::format!("{}{}", first.nonce, settings.nonce.as_str()),
            seeming: (settings.salt(hash, &user), settings.iterations.max(1)),
            first,
            server_first: String::new(),
            credentials: None,
        };
        Some((exchange, request))
    }

    /// The server's first message, for the user whose credentials these are, or for none.
    pub(in crate::sasl) fn challenge(&mut self, credentials: Option<ScramCredentials>) -> Bytes {
        self.credentials = credentials;
        let (salt, iterations) = match &self.credentials {
            Some(known) => (&known.salt, known.iterations),
            None => (&self.seeming.0, self.seeming.1),
        };
        self.server_first = alloc::format!("r={},s={},i={iterations}", self.nonce, encode(salt));
        self.server_first.clone().into()
    }

    /// The server's last message, if the client has proved that it knows the password.
    pub(in crate::sasl) fn check_proof(self, message: &[u8]) -> Option<Bytes> {
        let last = ClientFinal::read(message)?;
        // The header is sent again so that nobody can have changed it under way.
        if last.binding != self.first.header.as_bytes() || last.nonce != self.nonce {
            return None;
        }
        let signed = auth_message(&self.first.bare, &self.server_first, last.without_proof);
        // The same work for a user that does not exist, who has no key that any proof fits.
        let nobody = [0; 64];
        let (stored_key, server_key) = match &self.credentials {
            Some(known) => (known.stored_key.as_bytes(), known.server_key.as_bytes()),
            None => (&nobody[..], &nobody[..]),
        };
        let signature = self.hash.hmac(stored_key, signed.as_bytes());
        let client_key = xor(&last.proof, &signature);
        let proved = Secret::from(self.hash.digest(&client_key)).matches(stored_key);
        let verifier = self.hash.hmac(server_key, signed.as_bytes());
        let whole = last.proof.len() == self.hash.octets();
        (proved && whole && self.credentials.is_some())
            .then(|| alloc::format!("v={}", encode(&verifier)).into())
    }
}
