//! The types of the protocol as tables: performatives, termini, delivery states, SASL and transactions (parts 2 to 5).
//!
//! Each struct has the names of the specification in Rust spelling. A mandatory field is of its plain type, so is one with a
//! default; an optional field is an `Option`; a field that may hold several values is a `Vec`, for which null, an empty array and
//! absence are the same. A null in a mandatory field and fields beyond those of the type are decode errors.
//!
//! ```
//! use ferrion_engine::protocol::{Open, Performative};
//!
//! let mut open = Open::new("here".into());
//! open.channel_max = 255;
//! assert_eq!(Performative::from(open).to_string(), r#"@open(16) [container-id="here", channel-max=255]"#);
//! ```

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::cast_lossless
    )
)]

pub mod conditions;
mod descriptor;
mod kept;
mod messaging;
mod node;
mod plain;
mod redirect;
mod security;
mod state;
mod tag;
mod transactions;
mod transport;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

pub use descriptor::{code_of, name_of, read_descriptor};
pub(crate) use kept::{KeptAttach, OwnAttach, Said};
pub use messaging::{
    Accepted, DeleteOnClose, DeleteOnNoLinks, DeleteOnNoLinksOrMessages, DeleteOnNoMessages,
    Modified, Received, Rejected, Released, Source, StdDistMode, Target, TerminusDurability,
    TerminusExpiryPolicy,
};
pub use node::{LifetimePolicy, NodeProperties};
pub(crate) use plain::PlainTransfer;
pub use redirect::Redirect;
pub use security::{SaslChallenge, SaslCode, SaslInit, SaslMechanisms, SaslOutcome, SaslResponse};
pub use state::{DeliveryState, Outcome, TargetArchetype};
pub use tag::{MAX_TAG, Tag, TagTooLong};
pub use transactions::{
    Coordinator, Declare, Declared, Discharge, TransactionalState, TxnCapability,
};
pub use transport::{
    Attach, Begin, Close, Condition, Detach, Disposition, End, Flow, Open, ReceiverSettleMode,
    Role, SenderSettleMode, Transfer,
};

use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader};

/// An enum over composite types that are told apart by their descriptors.
macro_rules! frame_body {
    (
        $(#[$meta:meta])*
        pub enum $Name:ident as $expected:literal {
            $($(#[$variant_meta:meta])* $Variant:ident($Type:ident $(in $Box:ident)?),)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq)]
        pub enum $Name {
            $($(#[$variant_meta])* $Variant(frame_body!(@type $Type $($Box)?)),)*
        }

        impl $Name {
            /// Reads one from the start of a buffer; gives it and the octets it took.
            ///
            /// # Errors
            /// The octets are none.
            pub fn decode(octets: &Bytes) -> Result<(Self, usize), DecodeError> {
                let mut reader = Reader::new(octets);
                let body = <Self as Decode>::decode(&mut reader)?;
                Ok((body, reader.position()))
            }

            /// The numeric descriptor.
            pub const fn descriptor(&self) -> u64 {
                match self {
                    $(Self::$Variant(_) => $Type::DESCRIPTOR,)*
                }
            }
        }

        impl Decode for $Name {
            fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = r.position();
                match descriptor::read_descriptor_as(constructor, r)? {
                    $($Type::DESCRIPTOR => Ok($Type::decode_body(r)?.into()),)*
                    _ => Err(DecodeError::new(at, DecodeErrorKind::UnknownDescriptor($expected))),
                }
            }
        }

        impl Encode for $Name {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$Variant(body) => body.encode(out),)*
                }
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$Variant(body) => body.fmt(f),)*
                }
            }
        }

        impl fmt::Debug for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        $(
            impl From<$Type> for $Name {
                fn from(body: $Type) -> Self {
                    Self::$Variant(frame_body!(@make body $($Box)?))
                }
            }
        )*
    };
    (@type $Type:ident) => { $Type };
    (@type $Type:ident $Box:ident) => { $Box<$Type> };
    (@make $body:ident) => { $body };
    (@make $body:ident $Box:ident) => { $Box::new($body) };
}

frame_body! {
    /// The body of an AMQP frame (2.7). Of a transfer, the payload follows it in the frame.
    ///
    /// `Display` gives the readable trace.
    pub enum Performative as "a performative" {
        /// open
        Open(Open in Box),
        /// begin
        Begin(Begin),
        /// attach
        Attach(Attach in Box),
        /// flow
        Flow(Flow),
        /// transfer
        Transfer(Transfer),
        /// disposition
        Disposition(Disposition),
        /// detach
        Detach(Detach),
        /// end
        End(End),
        /// close
        Close(Close),
    }
}

frame_body! {
    /// The body of a SASL frame (5.3.3).
    ///
    /// `Display` gives the readable trace, in which secrets are not shown.
    pub enum SaslFrame as "a SASL frame" {
        /// sasl-mechanisms
        Mechanisms(SaslMechanisms),
        /// sasl-init
        Init(SaslInit),
        /// sasl-challenge
        Challenge(SaslChallenge),
        /// sasl-response
        Response(SaslResponse),
        /// sasl-outcome
        Outcome(SaslOutcome),
    }
}
