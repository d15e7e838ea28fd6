//! SCRAM (RFC 5802, RFC 7677): both sides prove that they know a password, and neither shows it. Without channel binding.

mod client;
mod hash;
mod keys;
mod message;
mod nonce;
mod prep;
mod server;

pub(super) use client::{ClientCredentials, ClientExchange, LEAST_ITERATIONS};
pub use hash::ScramHash;
pub use keys::ScramCredentials;
pub use nonce::Nonce;
pub(super) use server::ServerExchange;
pub use server::{ScramServer, ScramSettingsError};
