//! The plain types that several nouns of the header share.

/// Octets, or UTF-8 text without a NUL at its end, that belong to the object which was asked. Each function says until
/// when they stay.
///
/// To print text: `printf("%.*s", (int)text.len, (const char *)text.data)`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ferrion_bytes_t {
    /// The first octet; never NULL, not even if there are none.
    pub data: *const u8,
    /// How many there are.
    pub len: usize,
}

impl From<&[u8]> for ferrion_bytes_t {
    fn from(octets: &[u8]) -> Self {
        Self {
            data: octets.as_ptr(),
            len: octets.len(),
        }
    }
}

impl From<&str> for ferrion_bytes_t {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}
