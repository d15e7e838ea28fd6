//! The four messages (RFC 5802, 7): attributes of one letter, in a fixed order, with commas between them.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::nonce::is_nonce;
use crate::codec::Str;
use crate::sasl::gs2;

/// The first message: who wants to log in.
#[derive(Debug)]
pub(super) struct ClientFirst {
    pub(super) authorize_as: Str,
    pub(super) user: String,
    pub(super) nonce: String,
    /// The header before the part that is signed, and that part.
    pub(super) header: String,
    pub(super) bare: String,
}

/// The second: what is needed to make a key of the password.
#[derive(Debug)]
pub(super) struct ServerFirst<'a> {
    pub(super) nonce: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u64,
}

/// The third: the client's proof.
#[derive(Debug)]
pub(super) struct ClientFinal<'a> {
    pub(super) binding: Vec<u8>,
    pub(super) nonce: &'a str,
    pub(super) proof: Vec<u8>,
    /// What is signed of it.
    pub(super) without_proof: &'a str,
}

/// The last: the server's proof, or what it has against the client.
#[derive(Debug)]
pub(super) enum ServerFinal<'a> {
    Signature(Vec<u8>),
    Error(&'a str),
}

impl ClientFirst {
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(message).ok()?;
        let (authorize_as, bare) = gs2::parse(text)?;
        // An `m=` here would be an extension that must be understood; none is.
        let mut attributes = bare.split(',');
        let user = gs2::unescape(attributes.next()?.strip_prefix("n=")?)?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        if !is_nonce(nonce) || !are_extensions(attributes) {
            return None;
        }
        Some(Self {
            authorize_as,
            user,
            nonce: nonce.into(),
            header: text.strip_suffix(bare)?.into(),
            bare: bare.into(),
        })
    }
}

impl<'a> ServerFirst<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let mut attributes = text.split(',');
        let nonce = attributes.next()?.strip_prefix("r=")?;
        let salt = decode(attributes.next()?.strip_prefix("s=")?)?;
        let iterations = attributes.next()?.strip_prefix("i=")?;
        let is_number = iterations.bytes().all(|octet| octet.is_ascii_digit());
        // A number that no counter holds is as good as the largest.
        let count = iterations.parse().unwrap_or(u64::MAX);
        let good = is_nonce(nonce) && !salt.is_empty() && is_number && !iterations.is_empty();
        (good && are_extensions(attributes)).then_some(Self {
            nonce,
            salt,
            iterations: count,
        })
    }
}

impl<'a> ClientFinal<'a> {
    pub(super) fn read(message: &'a [u8]) -> Option<Self> {
        let text = core::str::from_utf8(message).ok()?;
        // Extensions come before the proof, which is last.
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let mut attributes = without_proof.split(',');
        let binding = decode(attributes.next()?.strip_prefix("c=")?)?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        are_extensions(attributes).then_some(Self {
            binding,
            nonce,
            proof: decode(proof)?,
            without_proof,
        })
    }
}

impl<'a> ServerFinal<'a> {
    pub(super) fn read(message: &'a [u8]) -> Option<Self> {
        let text = core::str::from_utf8(message).ok()?;
        let mut attributes = text.split(',');
        let first = attributes.next()?;
        if let Some(error) = first.strip_prefix("e=") {
            return Some(Self::Error(error));
        }
        let signature = decode(first.strip_prefix("v=")?)?;
        are_extensions(attributes).then_some(Self::Signature(signature))
    }
}

/// Attributes that may follow and are ignored: a letter and a value each.
fn are_extensions<'a>(mut attributes: impl Iterator<Item = &'a str>) -> bool {
    attributes.all(|attribute| {
        let mut octets = attribute.bytes();
        octets
            .next()
            .is_some_and(|octet| octet.is_ascii_alphabetic())
            && octets.next() == Some(b'=')
    })
}

pub(super) fn encode(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
