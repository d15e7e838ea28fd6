//! The client's side of SCRAM.

use alloc::string::String;

use bytes::Bytes;

use super::keys::{Keys, auth_message};
use super::message::{ServerFinal, ServerFirst, encode};
use super::prep::{prepare, prepare_secret};
use super::{Nonce, ScramHash};
use crate::codec::Str;
use crate::error::SaslFailure;
use crate::sasl::{Secret, gs2, readable};

/// What RFC 7677, 4 wants a server to use at least.
pub(in crate::sasl) const LEAST_ITERATIONS: u32 = 4096;

/// What a client authenticates with.
#[derive(Clone, Debug)]
pub(in crate::sasl) struct ClientCredentials {
    pub(in crate::sasl) hash: ScramHash,
    pub(in crate::sasl) user: Str,
    pub(in crate::sasl) password: Secret,
    pub(in crate::sasl) nonce: Nonce,
    pub(in crate::sasl) least_iterations: u32,
}

/// The exchange after the first message.
#[derive(Debug)]
pub(in crate::sasl) struct ClientExchange {
    credentials: ClientCredentials,
    header: String,
    first_bare: String,
    server: Server,
}

/// What the server has said of itself.
#[derive(Debug)]
enum Server {
    Silent,
    /// It has the proof; what it must answer.
    MustProve(Secret),
    HasProved,
}

impl ClientExchange {
    /// The exchange, and its first message.
    pub(in crate::sasl) fn begin(
        credentials: &ClientCredentials,
        authorize_as: &str,
    ) -> Result<(Self, Bytes), SaslFailure> {
        let Some(user) = prepare(&credentials.user) else {
            return Err(SaslFailure::Credentials(
                "SCRAM needs a user, and SASLprep (RFC 4013) forbids something in this one",
            ));
        };
        if authorize_as.contains('\0') {
            return Err(SaslFailure::Credentials(
                "the identity to act as must not have a NUL in it",
            ));
        }
        let header = gs2::header(authorize_as);
        let nonce = credentials.nonce.as_str();
        let first_bare = alloc::format!("n={},r={nonce}", gs2::escape(&user));
        let message = alloc::format!("{header}{first_bare}");
        let exchange = Self {
            credentials: credentials.clone(),
            header,
            first_bare,
            server: Server::Silent,
        };
        Ok((exchange, message.into()))
    }

    /// The answer to a challenge: to the first the proof, to the server's proof nothing more.
    pub(in crate::sasl) fn challenged(
        &mut self,
        challenge: &[u8],
        most_iterations: u32,
    ) -> Result<Bytes, SaslFailure> {
        match &self.server {
            Server::Silent => self.prove(challenge, most_iterations),
            Server::MustProve(_) => {
                self.check(challenge)?;
                Ok(Bytes::new())
            }
            Server::HasProved => Err(SaslFailure::Protocol(
                "the server goes on after the last message of SCRAM".into(),
            )),
        }
    }

    /// The server admits the client, and may prove itself only now.
    pub(in crate::sasl) fn admitted(
        mut self,
        additional_data: Option<&[u8]>,
    ) -> Result<(), SaslFailure> {
        match (&self.server, additional_data) {
            (Server::HasProved, _) => Ok(()),
            (Server::MustProve(_), Some(message)) => self.check(message),
            _ => Err(SaslFailure::Impostor),
        }
    }

    fn prove(&mut self, challenge: &[u8], most_iterations: u32) -> Result<Bytes, SaslFailure> {
        let credentials = &self.credentials;
        let text = core::str::from_utf8(challenge).map_err(|_| malformed())?;
        // Also a server that cannot go on may say why.
        if let Some(ServerFinal::Error(error)) = ServerFinal::read(challenge) {
            return Err(refused(error));
        }
        let first = ServerFirst::read(text).ok_or_else(malformed)?;
        let own = first.nonce.strip_prefix(credentials.nonce.as_str());
        if own.is_none_or(str::is_empty) {
            return Err(SaslFailure::Protocol(
                "the server's SCRAM nonce does not extend this client's; this may be a replay"
                    .into(),
            ));
        }
        let (least, most) = (credentials.least_iterations.max(1), most_iterations);
        let iterations = u32::try_from(first.iterations)
            .ok()
            .filter(|count| (least..=most).contains(count))
            .ok_or(SaslFailure::Iterations {
                asked: first.iterations,
                least,
                most,
            })?;
        let password = core::str::from_utf8(credentials.password.as_bytes())
            .ok()
            .and_then(prepare_secret)
            .ok_or(SaslFailure::Credentials(
                "SCRAM needs a password, and SASLprep (RFC 4013) forbids something in this one",
            ))?;
        let hash = credentials.hash;
        let keys = Keys::derive(hash, password.as_bytes(), &first.salt, iterations);
        let without_proof =
            alloc::format!("c={},r={}", encode(self.header.as_bytes()), first.nonce);
        let signed = auth_message(&self.first_bare, text, &without_proof);
        let proof = encode(&keys.proof(hash, &signed));
        let signature = hash.hmac(keys.server_key.as_bytes(), signed.as_bytes());
        self.server = Server::MustProve(signature.into());
        Ok(alloc::format!("{without_proof},p={proof}").into())
    }

    /// Whether the server knows the password too.
    fn check(&mut self, message: &[u8]) -> Result<(), SaslFailure> {
        match (ServerFinal::read(message), &self.server) {
            (Some(ServerFinal::Signature(signature)), Server::MustProve(expected))
                if expected.matches(&signature) =>
            {
                self.server = Server::HasProved;
                Ok(())
            }
            (Some(ServerFinal::Error(error)), _) => Err(refused(error)),
            (Some(_), _) => Err(SaslFailure::Impostor),
            (None, _) => Err(malformed()),
        }
    }
}

fn refused(error: &str) -> SaslFailure {
    SaslFailure::Refused {
        detail: Some(readable(error.as_bytes())),
    }
}

fn malformed() -> SaslFailure {
    SaslFailure::Protocol("the server sent a SCRAM message that cannot be read".into())
}
