//! The hashes, and what is made of them (RFC 5802, 2.2).

use alloc::vec::Vec;
use core::fmt;

use hmac::digest::{Digest, Key, KeyInit};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// The hash of a SCRAM mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScramHash {
    /// SCRAM-SHA-1 (RFC 5802).
    Sha1,
    /// SCRAM-SHA-256 (RFC 7677).
    Sha256,
    /// SCRAM-SHA-512, made as the others are.
    Sha512,
}

/// Does the same with each of the hashes: `$D` is the hash.
macro_rules! with_hash {
    ($hash:expr, $D:ident => $body:expr) => {
        match $hash {
            ScramHash::Sha1 => {
                type $D = Sha1;
                $body
            }
            ScramHash::Sha256 => {
                type $D = Sha256;
                $body
            }
            ScramHash::Sha512 => {
                type $D = Sha512;
                $body
            }
        }
    };
}

/// The keyed state of an HMAC with the hash `$D`. Any length of key will do (RFC 2104, 2), so nothing can fail.
macro_rules! keyed {
    ($D:ident, $key:expr) => {{
        let mut block = Key::<Hmac<$D>>::default();
        let key: &[u8] = $key;
        let hashed;
        let key = if key.len() > block.len() {
            hashed = $D::digest(key);
            hashed.as_slice()
        } else {
            key
        };
        for (place, octet) in block.iter_mut().zip(key) {
            *place = *octet;
        }
        Hmac::<$D>::new(&block)
    }};
}

impl ScramHash {
    /// All of them, as a client should prefer them.
    pub const STRONGEST_FIRST: [Self; 3] = [Self::Sha512, Self::Sha256, Self::Sha1];

    /// Octets of a hash, and so of each key.
    #[must_use]
    pub const fn octets(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    pub(in crate::sasl) const fn mechanism_name(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// `H(octets)`.
    pub(super) fn digest(self, octets: &[u8]) -> Vec<u8> {
        with_hash!(self, D => D::digest(octets).to_vec())
    }

    /// `HMAC(key, octets)`.
    pub(super) fn hmac(self, key: &[u8], octets: &[u8]) -> Vec<u8> {
        with_hash!(self, D => keyed!(D, key).chain_update(octets).finalize().into_bytes().to_vec())
    }

    /// `Hi(password, salt, iterations)`: PBKDF2 with one block of output.
    pub(super) fn hi(self, password: &[u8], salt: &[u8], iterations: u32) -> Vec<u8> {
        with_hash!(self, D => {
            let keyed = keyed!(D, password);
            let first = keyed.clone().chain_update(salt).chain_update([0, 0, 0, 1]);
            let mut last = first.finalize().into_bytes();
            let mut sum = last;
            for _ in 1..iterations {
                last = keyed.clone().chain_update(last).finalize().into_bytes();
                for (octet, other) in sum.iter_mut().zip(last) {
                    *octet ^= other;
                }
            }
            sum.to_vec()
        })
    }
}

impl fmt::Display for ScramHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mechanism_name())
    }
}

/// `a XOR b`.
pub(super) fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::ScramHash;

    fn unhex(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        digits
            .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn hi_is_pbkdf2() {
        // RFC 6070, test vector 3.
        assert_eq!(
            ScramHash::Sha1.hi(b"password", b"salt", 4096),
            unhex("4b007901b765489abead49d926f721d065a429c1")
        );
        assert_eq!(
            ScramHash::Sha256.hi(b"password", b"salt", 2),
            unhex("ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43")
        );
    }

    #[test]
    fn keys_of_any_length_will_do() {
        // RFC 4231, test cases 2 and 6.
        assert_eq!(
            ScramHash::Sha256.hmac(b"Jefe", b"what do ya want for nothing?"),
            unhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        );
        assert_eq!(
            ScramHash::Sha256.hmac(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            ),
            unhex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        );
        for hash in ScramHash::STRONGEST_FIRST {
            assert_eq!(hash.hmac(b"", b"").len(), hash.octets());
            assert_eq!(hash.digest(b"").len(), hash.octets());
        }
    }
}
