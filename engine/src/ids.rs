//! The names of an engine's objects: small copyable numbers instead of references.
//!
//! An id packs `0 | kind:4 | generation:27 | index:32` into 64 bits. It is never 0, its top bit is
//! clear (so a language without unsigned numbers keeps it positive), and once its object has
//! ended it answers [`UsageError::StaleHandle`](crate::UsageError::StaleHandle) for ever.

use core::fmt;
use core::num::NonZeroU64;

/// What an arena needs to know of the id type it hands out.
pub(crate) trait Id: Copy {
    const GENERATION_MASK: u32 = (1 << 27) - 1;
    fn pack(index: u32, generation: u32) -> Self;
    fn index(self) -> u32;
    fn generation(self) -> u32;
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident = $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(NonZeroU64);

        impl $name {
            const KIND: u64 = $kind;

            /// The id as a plain number, for languages and interfaces that know no Rust types.
            #[must_use]
            pub const fn to_bits(self) -> u64 {
                self.0.get()
            }

            /// The id that [`to_bits`](Self::to_bits) gave; `None` if the number names another kind of object.
            #[must_use]
            pub const fn from_bits(bits: u64) -> Option<Self> {
                if bits >> 59 != Self::KIND {
                    return None;
                }
                match NonZeroU64::new(bits) {
                    Some(bits) => Some(Self(bits)),
                    None => None,
                }
            }
        }

        impl Id for $name {
            #[inline]
            fn pack(index: u32, generation: u32) -> Self {
                let bits = Self::KIND << 59
                    | u64::from(generation & Self::GENERATION_MASK) << 32
                    | u64::from(index);
                // The kind is never 0, so neither are the bits: the fallback is not reached.
                Self(NonZeroU64::new(bits).unwrap_or(NonZeroU64::MIN))
            }

            #[inline]
            fn index(self) -> u32 {
                self.0.get() as u32
            }

            #[inline]
            fn generation(self) -> u32 {
                (self.0.get() >> 32) as u32 & Self::GENERATION_MASK
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({}.{})"), self.index(), self.generation())
            }
        }
    };
}

id! {
    /// Names a session of one engine.
    SessionId = 1
}
id! {
    /// Names a link (of either role) of one engine.
    LinkId = 2
}

/// Names a delivery of one engine: outgoing ones from `send`, incoming ones from `next_delivery`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryId(NonZeroU64);

id! {
    /// The arena's name of an outgoing delivery.
    #[doc(hidden)]
    OutgoingId = 3
}
id! {
    /// The arena's name of an incoming delivery.
    #[doc(hidden)]
    IncomingId = 4
}

impl DeliveryId {
    /// The id as a plain number, for languages and interfaces that know no Rust types.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0.get()
    }

    /// The id that [`to_bits`](Self::to_bits) gave; `None` if the number names another kind of object.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        match (OutgoingId::from_bits(bits), IncomingId::from_bits(bits)) {
            (Some(OutgoingId(bits)), _) | (_, Some(IncomingId(bits))) => Some(Self(bits)),
            (None, None) => None,
        }
    }

    /// Whether this engine sends the delivery.
    #[must_use]
    pub const fn is_outgoing(self) -> bool {
        self.outgoing().is_some()
    }

    pub(crate) const fn outgoing(self) -> Option<OutgoingId> {
        OutgoingId::from_bits(self.0.get())
    }

    pub(crate) const fn incoming(self) -> Option<IncomingId> {
        IncomingId::from_bits(self.0.get())
    }
}

impl From<OutgoingId> for DeliveryId {
    fn from(id: OutgoingId) -> Self {
        Self(id.0)
    }
}

impl From<IncomingId> for DeliveryId {
    fn from(id: IncomingId) -> Self {
        Self(id.0)
    }
}

impl fmt::Debug for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.outgoing(), self.incoming()) {
            (Some(id), _) => id.fmt(f),
            (_, Some(id)) => id.fmt(f),
            (None, None) => write!(f, "DeliveryId({})", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_the_trip_through_bits_and_know_their_kind() {
        let link = LinkId::pack(7, Id::index(LinkId::pack(3, 0)));
        assert_eq!(LinkId::from_bits(link.to_bits()), Some(link));
        assert_eq!(SessionId::from_bits(link.to_bits()), None);
        assert_eq!(LinkId::from_bits(0), None);
        assert_eq!(link.to_bits() >> 63, 0);
        let out = DeliveryId::from(OutgoingId::pack(u32::MAX, u32::MAX));
        assert_eq!(DeliveryId::from_bits(out.to_bits()), Some(out));
        assert!(out.is_outgoing());
        assert!(!DeliveryId::from(IncomingId::pack(0, 0)).is_outgoing());
    }
}
