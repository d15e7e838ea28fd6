//! What the termini of an attach must and must not say (3.5.3, 3.5.4, 3.5.8, 3.5.9).

use alloc::vec::Vec;

use crate::codec::{Fields, Raw, Value};
use crate::config::LinkConfig;
use crate::error::UsageError;
use crate::protocol::{Attach, DeliveryState, NodeProperties, Role, Source, TargetArchetype};

/// Checks the termini of an attach that we are about to send, the first one of the link or the answer to the peer's.
pub(crate) fn check(role: Role, answers: bool, config: &LinkConfig) -> Result<(), UsageError> {
    if let Some(source) = &config.source {
        check_node(
            source.dynamic,
            source.address.is_some(),
            source.dynamic_node_properties.as_ref(),
            (role == Role::Sender, answers),
        )?;
        if !is_outcome(source) {
            return Err(UsageError::Terminus("the default outcome is no outcome"));
        }
        if let Some(filter) = &source.filter
            && !filter.entries().all(|entry| is_filter(&entry))
        {
            let text = "each filter needs a symbol as its name, and a described value or null";
            return Err(UsageError::Terminus(text));
        }
    }
    if let Some(TargetArchetype::Target(target)) = config.target.as_deref() {
        check_node(
            target.dynamic,
            target.address.is_some(),
            target.dynamic_node_properties.as_ref(),
            (role == Role::Receiver, answers),
        )?;
    }
    Ok(())
}

/// Whether the answer to a peer's attach may repeat its termini as they are; otherwise [`mirror`] makes one.
pub(super) fn may_be_repeated(attach: &Attach) -> bool {
    let source = attach.source.as_ref().is_none_or(|source| {
        source.dynamic_node_properties.is_none() && source.filter.is_none() && is_outcome(source)
    });
    let target = match attach.target.as_deref() {
        Some(TargetArchetype::Target(target)) => target.dynamic_node_properties.is_none(),
        _ => true,
    };
    source && target
}

/// The answer that a peer's attach gets unless the caller says otherwise: what it asked for, but for what must not be said.
pub(super) fn mirror(attach: &Attach) -> LinkConfig {
    let mut source = attach.source.clone();
    if let Some(source) = &mut source {
        trim_properties(source.dynamic, &mut source.dynamic_node_properties);
        if !is_outcome(source) {
            source.default_outcome = None;
        }
        if let Some(filter) = &mut source.filter
            && !filter.entries().all(|entry| is_filter(&entry))
        {
            let sound: Vec<_> = filter.entries().filter(is_filter).collect();
            *filter = Fields::from_entries(sound);
        }
    }
    let mut target = attach.target.clone();
    if let Some(TargetArchetype::Target(target)) = target.as_deref_mut() {
        trim_properties(target.dynamic, &mut target.dynamic_node_properties);
    }
    LinkConfig {
        name: attach.name.clone(),
        source,
        target,
        snd_settle_mode: attach.snd_settle_mode,
        rcv_settle_mode: attach.rcv_settle_mode,
        max_message_size: None,
        initial_delivery_count: 0,
        recoverable: false,
        offered_capabilities: Vec::new(),
        desired_capabilities: Vec::new(),
        properties: None,
    }
}

/// A node that is asked for has no address yet; one that was made has. `local`: the node would be, or is, with us.
fn check_node(
    dynamic: bool,
    has_address: bool,
    properties: Option<&Fields>,
    (local, answers): (bool, bool),
) -> Result<(), UsageError> {
    let text = match properties {
        Some(_) if !dynamic => "node properties are for a dynamic node",
        Some(fields) if NodeProperties::from_fields(fields).is_err() => {
            "the lifetime policy or the distribution modes of the node are none"
        }
        _ if dynamic && !local && !answers && has_address => {
            "a dynamic node is asked for without an address: the peer makes one up"
        }
        _ if dynamic && local && answers && !has_address => {
            "a dynamic node that was asked for needs an address: answer with one, or refuse"
        }
        _ => return Ok(()),
    };
    Err(UsageError::Terminus(text))
}

fn trim_properties(dynamic: bool, properties: &mut Option<Fields>) {
    if properties
        .as_ref()
        .is_some_and(|fields| !dynamic || NodeProperties::from_fields(fields).is_err())
    {
        *properties = None;
    }
}

fn is_outcome(source: &Source) -> bool {
    source
        .default_outcome
        .as_ref()
        .is_none_or(DeliveryState::is_outcome)
}

fn is_filter((name, filter): &(Value, Raw)) -> bool {
    let sound = matches!(filter.decode(), Ok(Value::Described(_) | Value::Null));
    sound && matches!(name, Value::Symbol(_))
}
