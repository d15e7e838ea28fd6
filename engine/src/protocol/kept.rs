//! What a link was attached with, as octets.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

use super::descriptor::read_descriptor;
use super::transport::{Attach, Role};
use crate::codec::{Decode, Encode, Reader, Str};

/// What an attach (2.7.3) says, but for what each side has of its own: role, handle, delivery-count. Of most links both
/// sides say the same.
///
/// It is kept for as long as the link lives. Its termini decoded take ten times the memory, and are asked for when the link
/// is made, if ever.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeptAttach(Box<[u8]>);

impl KeptAttach {
    pub(crate) fn new(mut attach: Attach) -> Self {
        attach.role = Role::Sender;
        attach.handle = 0;
        attach.initial_delivery_count = None;
        let mut octets = Vec::new();
        attach.encode(&mut octets);
        Self(octets.into_boxed_slice())
    }

    /// The attach with what is a side's own.
    pub(crate) fn attach(&self, role: Role, handle: u32, count: Option<u32>) -> Attach {
        let octets = self.octets();
        // It was encoded here, so that it can be decoded.
        let attach = Attach::decode(&mut Reader::new(&octets));
        let mut attach = attach.unwrap_or_else(|_| Attach::new(Str::default(), handle, role));
        attach.role = role;
        attach.handle = handle;
        attach.initial_delivery_count = count;
        attach
    }

    /// The name of the link, without what is said of it.
    pub(crate) fn name(&self) -> Str {
        self.read_name().unwrap_or_default()
    }

    fn read_name(&self) -> Option<Str> {
        let octets = self.octets();
        let mut reader = Reader::new(&octets);
        read_descriptor(&mut reader).ok()?;
        let constructor = reader.u8().ok()?;
        // It is left open: nothing is read of what follows.
        let _list = reader.open_list(constructor).ok()?;
        Some(Str::decode(&mut reader).ok()?.detached())
    }

    fn octets(&self) -> Bytes {
        Bytes::copy_from_slice(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::KeptAttach;
    use crate::codec::{Fields, Raw, Str, Symbol, Value};
    use crate::protocol::{
        Attach, Coordinator, DeliveryState, ReceiverSettleMode, Role, SenderSettleMode, Source,
        Target, TargetArchetype,
    };
    use alloc::boxed::Box;
    use alloc::string::String;
    use alloc::vec;

    fn comes_back(attach: &Attach) {
        let kept = KeptAttach::new(attach.clone());
        let (role, handle) = (attach.role, attach.handle);
        assert_eq!(
            &kept.attach(role, handle, attach.initial_delivery_count),
            attach
        );
        assert_eq!(kept.name(), attach.name);
    }

    #[test]
    fn an_attach_comes_back_as_it_was() {
        comes_back(&Attach::new(Str::default(), 0, Role::Receiver));
        let mut attach = Attach::new("a link".into(), u32::MAX, Role::Sender);
        attach.snd_settle_mode = SenderSettleMode::Settled;
        attach.rcv_settle_mode = ReceiverSettleMode::Second;
        let fields = || {
            Fields::from_entries([(
                Value::Symbol(Symbol::from_static("key")),
                Raw::from(&Value::Uint(7)),
            )])
        };
        attach.source = Some(Box::new(Source {
            address: Some(String::from("an address of more octets than are kept in place").into()),
            dynamic: true,
            dynamic_node_properties: Some(fields()),
            filter: Some(fields()),
            default_outcome: Some(DeliveryState::Released),
            outcomes: vec![
                Symbol::from_static("amqp:accepted:list"),
                Symbol::from_static("amqp:rejected:list"),
            ],
            capabilities: vec![Symbol::from_static("queue")],
            ..Source::default()
        }));
        attach.target = Some(Box::new(TargetArchetype::Target(Target {
            address: Some("queue".into()),
            timeout: 300,
            ..Target::default()
        })));
        attach.unsettled = Some(fields());
        attach.incomplete_unsettled = true;
        attach.initial_delivery_count = Some(0);
        attach.max_message_size = Some(0);
        attach.offered_capabilities = vec![Symbol::from_static("one")];
        attach.properties = Some(fields());
        comes_back(&attach);
        attach.target = Some(Box::new(TargetArchetype::Coordinator(
            Coordinator::default(),
        )));
        attach.name = String::from("a name that has more octets than are kept in place").into();
        comes_back(&attach);
    }
}
