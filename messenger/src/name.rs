//! Names for messengers that were given none, and the randomness they are made of.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use crate::error::{Error, Result};

/// The randomness is that which the standard library gives its hash maps: enough to be unique, and
/// nothing secret hangs on it.
pub(crate) fn random_word() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Octets from the system that are fit for keys.
pub(crate) fn secret_octets() -> Result<[u8; 32]> {
    let mut octets = [0; 32];
    let source = rustls::crypto::ring::default_provider().secure_random;
    source.fill(&mut octets).map_err(|_| Error::System {
        what: "reading randomness",
        cause: "the system has none to give".to_owned(),
    })?;
    Ok(octets)
}

/// A random UUID, version 4.
pub(crate) fn random_name() -> String {
    let (a, b) = (random_word(), random_word());
    let bits = u128::from(a) << 64 | u128::from(b);
    let bits = bits & !(0xf << 76) & !(0b11 << 62) | 0x4 << 76 | 0b10 << 62;
    let hex = format!("{bits:032x}");
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

#[cfg(test)]
mod tests {
    use super::random_name;

    #[test]
    fn random_names_are_uuids_and_differ() {
        let (a, b) = (random_name(), random_name());
        assert_ne!(a, b);
        assert_eq!(a.len(), 36);
        assert_eq!(a.as_bytes().get(14), Some(&b'4'), "{a}");
        assert!(
            a.as_bytes().get(19).is_some_and(|c| b"89ab".contains(c)),
            "{a}"
        );
    }
}
