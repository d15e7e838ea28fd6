//! What a server stores of a password, and what both sides make of it (RFC 5802, 3).

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::ScramHash;
use super::hash::xor;
use super::prep::prepare_secret;
use crate::error::UsageError;
use crate::sasl::Secret;

/// What a server stores of a user's password: enough to check a client and to prove itself, not enough to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScramCredentials {
    /// Random octets of this user; not secret.
    pub salt: Bytes,
    /// How many times the hash was applied; not secret.
    pub iterations: u32,
    /// Checks the client's proof.
    pub stored_key: Secret,
    /// Makes the server's signature.
    pub server_key: Secret,
}

impl ScramCredentials {
    /// What is stored of this password. The salt should be random and of 16 octets; `iterations` at least 4,096. The time it
    /// takes grows with `iterations`.
    ///
    /// # Errors
    /// The password is empty, or SASLprep (RFC 4013) forbids something in it; salt or iterations are missing. To find that out
    /// takes as long as to derive keys: a server that derives them when a client asks does not tell by the time which.
    ///
    /// ```
    /// use ferrion_engine::sasl::{ScramCredentials, ScramHash};
    /// # fn main() -> Result<(), ferrion_engine::UsageError> {
    /// # let random_salt = [7; 16];
    /// let stored = ScramCredentials::derive(ScramHash::Sha256, "secret", &random_salt, 4096)?;
    /// assert_eq!(stored.stored_key.as_bytes().len(), 32);
    /// # Ok(())
    /// # }
    /// ```
    pub fn derive(
        hash: ScramHash,
        password: &str,
        salt: &[u8],
        iterations: u32,
    ) -> Result<Self, UsageError> {
        let prepared = prepare_secret(password);
        let keys = Keys::derive(
            hash,
            prepared
                .as_ref()
                .map_or(password.as_bytes(), Secret::as_bytes),
            salt,
            iterations,
        );
        if prepared.is_none() {
            return Err(UsageError::WrongState(
                "SASLprep (RFC 4013) forbids this password; choose another",
            ));
        }
        let credentials = Self {
            salt: Bytes::copy_from_slice(salt),
            iterations,
            stored_key: keys.stored_key,
            server_key: keys.server_key,
        };
        credentials.check(hash)?;
        Ok(credentials)
    }

    /// Whether an exchange can be made with these.
    pub(in crate::sasl) fn check(&self, hash: ScramHash) -> Result<(), UsageError> {
        let lengths = [&self.stored_key, &self.server_key].map(|key| key.as_bytes().len());
        if lengths != [hash.octets(); 2] {
            return Err(UsageError::WrongState(
                "these SCRAM keys were made with another hash; derive them for the one in the request",
            ));
        }
        if self.salt.is_empty() || self.iterations == 0 {
            return Err(UsageError::WrongState(
                "SCRAM credentials need a salt and at least one iteration",
            ));
        }
        Ok(())
    }
}

/// The keys of a password.
pub(super) struct Keys {
    pub(super) client_key: Secret,
    pub(super) stored_key: Secret,
    pub(super) server_key: Secret,
}

impl Keys {
    /// Of a password that was prepared.
    pub(super) fn derive(hash: ScramHash, password: &[u8], salt: &[u8], iterations: u32) -> Self {
        let salted = Secret::from(hash.hi(password, salt, iterations));
        let client_key = hash.hmac(salted.as_bytes(), b"Client Key");
        Self {
            stored_key: hash.digest(&client_key).into(),
            server_key: hash.hmac(salted.as_bytes(), b"Server Key").into(),
            client_key: client_key.into(),
        }
    }

    /// What the client sends.
    pub(super) fn proof(&self, hash: ScramHash, auth_message: &str) -> Vec<u8> {
        let signature = hash.hmac(self.stored_key.as_bytes(), auth_message.as_bytes());
        xor(self.client_key.as_bytes(), &signature)
    }
}

/// What both sides sign.
pub(super) fn auth_message(first_bare: &str, server_first: &str, without_proof: &str) -> String {
    alloc::format!("{first_bare},{server_first},{without_proof}")
}
