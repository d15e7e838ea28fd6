//! The eight octets that begin each layer of a connection (2.2).

use crate::error::HeaderFailure;

/// Which layer a protocol header begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Amqp,
    Sasl,
}

pub(crate) const HEADER_SIZE: usize = 8;

const TLS_ID: u8 = 2;

impl Protocol {
    pub(crate) const fn header(self) -> [u8; HEADER_SIZE] {
        let id = match self {
            Self::Amqp => 0,
            Self::Sasl => 3,
        };
        [b'A', b'M', b'Q', b'P', id, 1, 0, 0]
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Amqp => "AMQP",
            Self::Sasl => "SASL",
        }
    }

    /// What a peer's first octets ask for.
    pub(crate) fn read(octets: [u8; HEADER_SIZE]) -> Result<Self, HeaderFailure> {
        match octets {
            [b'A', b'M', b'Q', b'P', 0, 1, 0, 0] => Ok(Self::Amqp),
            [b'A', b'M', b'Q', b'P', 3, 1, 0, 0] => Ok(Self::Sasl),
            // Protocol id 2, or the record header of a TLS hello sent without one.
            [b'A', b'M', b'Q', b'P', TLS_ID, 1, 0, 0] | [0x16, 3, ..] => {
                Err(HeaderFailure::TlsRequested)
            }
            [b'A', b'M', b'Q', b'P', id, major, minor, revision] => {
                Err(HeaderFailure::Unsupported {
                    id,
                    version: [major, minor, revision],
                })
            }
            _ => Err(HeaderFailure::NotAmqp(octets)),
        }
    }
}
