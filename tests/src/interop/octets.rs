//! Bodies too long to be printed: how they are made, and how they are compared.

use serde_json::{Value, json};

/// The sizes of body that have to arrive whole, in octets.
pub const SIZES: [usize; 6] = [0, 1, 100, 65_535, 1 << 20, 64 << 20];

/// So many octets, as a peer's source makes them: 0 to 250 over and over. That is a prime number, so that a piece which is
/// lost, doubled or out of place does not fit.
pub fn pattern(size: usize) -> Vec<u8> {
    let round: Vec<u8> = (0..=250).collect();
    let mut octets = round.repeat(size / round.len() + 1);
    octets.truncate(size);
    octets
}

/// What a peer prints in place of the octets: their number, and their CRC-32 in hexadecimal digits.
pub fn digest(octets: &[u8]) -> Value {
    json!([octets.len(), format!("{:08x}", crc32(octets))])
}

/// The CRC-32 of zlib, which Python and Node.js have built in.
pub fn crc32(octets: &[u8]) -> u32 {
    let mut table = [0_u32; 256];
    for (entry, byte) in table.iter_mut().zip(0_u32..) {
        *entry = (0..8).fold(byte, |crc, _| {
            if crc & 1 == 1 {
                0xEDB8_8320 ^ (crc >> 1)
            } else {
                crc >> 1
            }
        });
    }
    !octets.iter().fold(u32::MAX, |crc, octet| {
        let [low, ..] = crc.to_le_bytes();
        table[usize::from(low ^ octet)] ^ (crc >> 8)
    })
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn crc32_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
