//! The properties that a dynamic node is made with (3.5.9).

use alloc::vec::Vec;

use super::descriptor::read_descriptor_as;
use super::messaging::{
    DeleteOnClose, DeleteOnNoLinks, DeleteOnNoLinksOrMessages, DeleteOnNoMessages,
};
use crate::codec::{
    Decode, DecodeError, DecodeErrorKind, Encode, Fields, Raw, Reader, Symbol, decode_multiple,
    encode_multiple,
};

/// When a dynamic node goes (3.5.10 to 3.5.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LifetimePolicy {
    /// With the link that made it.
    DeleteOnClose,
    /// When it has no links.
    DeleteOnNoLinks,
    /// When the link that made it is gone and it has no messages.
    DeleteOnNoMessages,
    /// When it has neither links nor messages.
    DeleteOnNoLinksOrMessages,
}

impl Encode for LifetimePolicy {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::DeleteOnClose => DeleteOnClose::default().encode(out),
            Self::DeleteOnNoLinks => DeleteOnNoLinks::default().encode(out),
            Self::DeleteOnNoMessages => DeleteOnNoMessages::default().encode(out),
            Self::DeleteOnNoLinksOrMessages => DeleteOnNoLinksOrMessages::default().encode(out),
        }
    }
}

impl Decode for LifetimePolicy {
    fn decode_as(constructor: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.position();
        match read_descriptor_as(constructor, r)? {
            DeleteOnClose::DESCRIPTOR => DeleteOnClose::decode_body(r).map(|_| Self::DeleteOnClose),
            DeleteOnNoLinks::DESCRIPTOR => {
                DeleteOnNoLinks::decode_body(r).map(|_| Self::DeleteOnNoLinks)
            }
            DeleteOnNoMessages::DESCRIPTOR => {
                DeleteOnNoMessages::decode_body(r).map(|_| Self::DeleteOnNoMessages)
            }
            DeleteOnNoLinksOrMessages::DESCRIPTOR => {
                DeleteOnNoLinksOrMessages::decode_body(r).map(|_| Self::DeleteOnNoLinksOrMessages)
            }
            _ => Err(DecodeError::new(
                at,
                DecodeErrorKind::UnknownDescriptor("a lifetime policy"),
            )),
        }
    }
}

/// The properties of a node that the specification defines; a peer may have more (3.5.9).
///
/// ```
/// use ferrion_engine::protocol::{LifetimePolicy, NodeProperties, Source};
///
/// let properties = NodeProperties {
///     lifetime_policy: Some(LifetimePolicy::DeleteOnClose),
///     ..NodeProperties::default()
/// };
/// let source = Source {
///     dynamic: true,
///     dynamic_node_properties: Some(properties.to_fields()),
///     ..Source::default()
/// };
/// let fields = source.dynamic_node_properties.unwrap();
/// assert_eq!(NodeProperties::from_fields(&fields), Ok(properties));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeProperties {
    /// When the node goes.
    pub lifetime_policy: Option<LifetimePolicy>,
    /// What the node can do with its messages, mostly [`StdDistMode`](super::StdDistMode)s.
    pub supported_dist_modes: Vec<Symbol>,
}

const LIFETIME_POLICY: &str = "lifetime-policy";
const SUPPORTED_DIST_MODES: &str = "supported-dist-modes";

impl NodeProperties {
    /// As a terminus carries them.
    #[must_use]
    pub fn to_fields(&self) -> Fields {
        let policy = self
            .lifetime_policy
            .map(|policy| (Symbol::from_static(LIFETIME_POLICY), Raw::new(&policy)));
        let modes = (!self.supported_dist_modes.is_empty()).then(|| {
            let modes = Several(&self.supported_dist_modes);
            (Symbol::from_static(SUPPORTED_DIST_MODES), Raw::new(&modes))
        });
        Fields::from_entries(policy.into_iter().chain(modes))
    }

    /// From what a terminus carries; other properties are passed over.
    ///
    /// # Errors
    /// One of the two has a value that it must not have.
    pub fn from_fields(fields: &Fields) -> Result<Self, DecodeError> {
        let mut properties = Self::default();
        for (key, value) in fields.entries() {
            let mut r = Reader::new(value.as_bytes());
            if is(&key, LIFETIME_POLICY) {
                properties.lifetime_policy = Option::<LifetimePolicy>::decode(&mut r)?;
            } else if is(&key, SUPPORTED_DIST_MODES) {
                let constructor = r.u8()?;
                properties.supported_dist_modes = decode_multiple(constructor, &mut r)?;
            }
        }
        Ok(properties)
    }
}

fn is(key: &crate::codec::Value, name: &str) -> bool {
    matches!(key, crate::codec::Value::Symbol(symbol) if *symbol == *name)
}

/// A field that may hold several symbols (1.3).
struct Several<'a>(&'a [Symbol]);

impl Encode for Several<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_multiple(self.0, out);
    }
}
