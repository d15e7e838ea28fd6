//! The tables of composite and restricted types: one entry gives the struct, its decoder, its encoder, its readable form and
//! [`FieldSpec`]s that a test compares with the specification.

/// A field of a composite type as the specification defines it (1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSpec {
    /// Name.
    pub name: &'static str,
    /// Type, `*` where any type of some kind is allowed.
    pub ty: &'static str,
    /// Whether it must not be null.
    pub mandatory: bool,
    /// The value that null stands for.
    pub default: Option<&'static str>,
    /// Whether it may hold several values.
    pub multiple: bool,
}

/// Declares a composite type:
///
/// ```text
/// composite! {
///     /// Doc.
///     pub struct Name: "amqp:name:list" = 0x00 {
///         /// Doc.
///         field: Type = "field-name" "spec-type" kind,
///     }
/// }
/// ```
///
/// The kinds are the modules of [`field`]: `mandatory`, `optional` (an `Option`), `default(value, "text")`, `multiple` (a `Vec`),
/// `mandatory_multiple`, and `secret`, `optional_secret` for octets that a trace must not show. Where that depends on another
/// field, `, shown as function` after the code gives what is shown instead of the value.
macro_rules! composite {
    (
        $(#[$meta:meta])*
        pub struct $Name:ident: $symbol:literal = $code:literal $(, shown as $shown:path)? {
            $(
                $(#[$field_meta:meta])*
                $field:ident: $ty:ty = $name:literal $spec:literal $kind:ident $(($default:expr, $text:literal))?
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $Name {
            $($(#[$field_meta])* pub $field: $ty,)*
        }

        impl $Name {
            /// The numeric descriptor.
            pub const DESCRIPTOR: u64 = $code;
            /// The symbolic descriptor.
            pub const NAME: &'static str = $symbol;
            /// The fields as the specification has them, in their order.
            pub const FIELDS: &'static [$crate::codec::FieldSpec] =
                &[$($crate::codec::field::$kind::spec($name, $spec $(, $text)?)),*];

            /// Reads the list that follows the descriptor. Fields left out at the end are null; more fields than the type has
            /// are an error.
            ///
            /// # Errors
            /// The octets are no such list.
            pub fn decode_body(r: &mut $crate::codec::Reader<'_>) -> Result<Self, $crate::codec::DecodeError> {
                let list = $crate::codec::field::open(r, const { $crate::codec::field::count(Self::FIELDS) })?;
                #[allow(unused_mut, unused_variables, reason = "types without fields count nothing")]
                let mut left = list.count;
                // Not a value that is then moved: fields that become one in the place where it is wanted.
                $(let $field = $crate::codec::field::$kind::decode(r, &mut left, $name $(, $default)?)?;)*
                r.close(list)?;
                Ok(Self { $($field,)* })
            }
        }

        impl $crate::codec::Decode for $Name {
            fn decode_as(
                constructor: u8,
                r: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::DecodeError> {
                $crate::codec::field::descriptor(constructor, r, Self::DESCRIPTOR, Self::NAME)?;
                Self::decode_body(r)
            }
        }

        impl $crate::codec::Encode for $Name {
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                #[allow(unused_mut, reason = "types without fields write nothing more")]
                let mut list = $crate::codec::field::Writer::begin(out, Self::DESCRIPTOR);
                $(
                    let present = $crate::codec::field::$kind::encode(&self.$field, out $(, &$default)?);
                    list.wrote(out, present);
                )*
                list.end(out);
            }
        }

        impl core::fmt::Display for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                #[allow(unused_variables, reason = "types without fields show nothing more")]
                let it = self;
                $(
                    let it = $shown(it);
                    let it = &*it;
                )?
                #[allow(unused_mut, reason = "types without fields show nothing more")]
                let mut list = $crate::codec::field::Shower::begin(f, Self::DESCRIPTOR, Self::NAME)?;
                $($crate::codec::field::$kind::trace(&mut list, $name, &it.$field $(, &$default)?)?;)*
                list.end()
            }
        }

        impl core::fmt::Debug for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }

        impl $crate::codec::Trace for $Name {
            fn trace(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }

        $crate::codec::composite!(@new $Name () () $($kind $(($default))? $field: $ty,)*);
    };

    // Sorts fields into arguments of `new` and defaults; without arguments there is `Default` instead.
    (@new $Name:ident ($($args:tt)*) ($($done:tt)*) mandatory $field:ident: $ty:ty, $($rest:tt)*) => {
        $crate::codec::composite!(@new $Name ($($args)* $field: $ty,) ($($done)* $field: $field,) $($rest)*);
    };
    (@new $Name:ident ($($args:tt)*) ($($done:tt)*) secret $field:ident: $ty:ty, $($rest:tt)*) => {
        $crate::codec::composite!(@new $Name ($($args)* $field: $ty,) ($($done)* $field: $field,) $($rest)*);
    };
    (@new $Name:ident ($($args:tt)*) ($($done:tt)*) mandatory_multiple $field:ident: $ty:ty, $($rest:tt)*) => {
        $crate::codec::composite!(@new $Name ($($args)* $field: $ty,) ($($done)* $field: $field,) $($rest)*);
    };
    (@new $Name:ident ($($args:tt)*) ($($done:tt)*) default($default:expr) $field:ident: $ty:ty, $($rest:tt)*) => {
        $crate::codec::composite!(@new $Name ($($args)*) ($($done)* $field: $default,) $($rest)*);
    };
    // What is left is optional or multiple, whose own defaults are None and the empty Vec.
    (@new $Name:ident ($($args:tt)*) ($($done:tt)*) $kind:ident $field:ident: $ty:ty, $($rest:tt)*) => {
        $crate::codec::composite!(@new $Name ($($args)*) ($($done)* $field: Default::default(),) $($rest)*);
    };
    (@new $Name:ident () ($($done:tt)*)) => {
        impl Default for $Name {
            fn default() -> Self {
                Self { $($done)* }
            }
        }
    };
    (@new $Name:ident ($($arg:ident: $ty:ty,)*) ($($done:tt)*)) => {
        impl $Name {
            /// With these mandatory fields, and all others absent or at their defaults.
            pub fn new($($arg: $ty),*) -> Self {
                #[allow(clippy::redundant_field_names, reason = "one table row makes defaults and arguments")]
                Self { $($done)* }
            }
        }
    };
}
pub(crate) use composite;

/// Declares a restricted type whose values are a closed choice (1.5):
///
/// ```text
/// choice! {
///     /// Doc.
///     pub enum Name: u8 as "spec-name" {
///         /// Doc.
///         Variant = 0, "spec-choice";
///     }
/// }
/// ```
///
/// `symbol` instead of a Rust type makes the choices symbols with the text of their names.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        pub enum $Name:ident: symbol as $spec:literal {
            $($(#[$variant_meta:meta])* $Variant:ident, $text:literal;)*
        }
    ) => {
        $crate::codec::choice!(@common $spec $(#[$meta])* $Name { $($(#[$variant_meta])* $Variant $text,)* });

        impl $Name {
            /// The choice as it is on the wire.
            pub const fn symbol(self) -> $crate::codec::Symbol {
                match self {
                    $(Self::$Variant => $crate::codec::Symbol::from_static($text),)*
                }
            }

            /// The choice that a symbol means.
            pub fn from_symbol(symbol: &$crate::codec::Symbol) -> Option<Self> {
                $(if symbol == $text { return Some(Self::$Variant); })*
                None
            }
        }

        impl $crate::codec::Decode for $Name {
            fn decode_as(
                constructor: u8,
                r: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::DecodeError> {
                let at = r.position();
                let symbol = <$crate::codec::Symbol as $crate::codec::Decode>::decode_as(constructor, r)?;
                Self::from_symbol(&symbol).ok_or_else(|| {
                    $crate::codec::DecodeError::new(at, $crate::codec::DecodeErrorKind::BadChoice($spec))
                })
            }
        }

        impl $crate::codec::Encode for $Name {
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                $crate::codec::Encode::encode(&self.symbol(), out);
            }
        }
    };
    (
        $(#[$meta:meta])*
        pub enum $Name:ident: $wire:ty as $spec:literal {
            $($(#[$variant_meta:meta])* $Variant:ident = $value:literal, $text:literal;)*
        }
    ) => {
        $crate::codec::choice!(@common $spec $(#[$meta])* $Name { $($(#[$variant_meta])* $Variant $text,)* });

        impl $Name {
            /// The choice as it is on the wire.
            pub const fn code(self) -> $wire {
                match self {
                    $(Self::$Variant => $value,)*
                }
            }

            /// The choice that a value on the wire means.
            pub const fn from_code(code: $wire) -> Option<Self> {
                $(if code == $value { return Some(Self::$Variant); })*
                None
            }
        }

        impl $crate::codec::Decode for $Name {
            #[inline]
            fn decode_as(
                constructor: u8,
                r: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::DecodeError> {
                let at = r.position();
                let code = <$wire as $crate::codec::Decode>::decode_as(constructor, r)?;
                Self::from_code(code).ok_or_else(|| {
                    $crate::codec::DecodeError::new(at, $crate::codec::DecodeErrorKind::BadChoice($spec))
                })
            }
        }

        impl $crate::codec::Encode for $Name {
            #[inline]
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                $crate::codec::Encode::encode(&self.code(), out);
            }
        }
    };
    (
        @common $spec:literal $(#[$meta:meta])* $Name:ident { $($(#[$variant_meta:meta])* $Variant:ident $text:literal,)* }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $Name {
            $($(#[$variant_meta])* $Variant,)*
        }

        impl $Name {
            /// The name of the type in the specification.
            pub const NAME: &'static str = $spec;
            /// All choices.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),*];

            /// The name of the choice in the specification.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Variant => $text,)*
                }
            }
        }

        impl core::fmt::Display for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::codec::Trace for $Name {
            fn trace(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use choice;

use alloc::boxed::Box;
use core::fmt::{self, Display, Formatter};

use bytes::Bytes;

use super::show::{Octets, SymbolText};
use super::{Fields, Raw, Str, Symbol, Timestamp, Uuid};

/// How a field looks in the readable trace of a frame.
pub(crate) trait Trace {
    fn trace(&self, f: &mut Formatter<'_>) -> fmt::Result;
}

macro_rules! trace {
    ($($Type:ty, $v:ident => $shown:expr;)*) => {$(
        impl Trace for $Type {
            fn trace(&self, f: &mut Formatter<'_>) -> fmt::Result {
                let $v = self;
                Display::fmt(&$shown, f)
            }
        }
    )*};
}

trace! {
    bool, v => v;
    u8, v => v;
    u16, v => v;
    u32, v => v;
    u64, v => v;
    Timestamp, v => v;
    Uuid, v => v;
    Raw, v => v;
    Fields, v => v;
    Bytes, v => Octets(v);
    Symbol, v => SymbolText(v);
}

impl Trace for Str {
    fn trace(&self, f: &mut Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl<T: Trace> Trace for Box<T> {
    fn trace(&self, f: &mut Formatter<'_>) -> fmt::Result {
        (**self).trace(f)
    }
}
