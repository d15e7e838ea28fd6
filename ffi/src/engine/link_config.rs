//! How a link is attached.

use core::ffi::c_char;

use ferrion_engine::LinkConfig;
use ferrion_engine::codec::Value;
use ferrion_engine::protocol::{Source, Target};

use super::fields::{Field, fields, given, number};
use super::termini::{
    ferrion_source_field, ferrion_target_field, source_field, target_field, with_source_field,
    with_target_field,
};
use crate::guard::{Root, free};
use crate::status::{Failure, ferrion_status};
use crate::value::ferrion_value_t;

/// What a link is attached with (2.7.3), for `ferrion_link_config_set` and its like.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_link_field {
    /// string: unique among the links of this role between the two containers.
    FERRION_LINK_NAME = 1,
    /// described value, optional: where messages come from (3.5.3), whole. See `ferrion_link_config_set_source`. None
    /// in an answer refuses the link.
    FERRION_LINK_SOURCE = 2,
    /// described value, optional: where messages go, a target (3.5.4) or a coordinator (4.5.1), whole. None in an
    /// answer refuses the link.
    FERRION_LINK_TARGET = 3,
    /// ubyte: a `ferrion_snd_settle_mode`. Default mixed.
    FERRION_LINK_SND_SETTLE_MODE = 4,
    /// ubyte: a `ferrion_rcv_settle_mode`. Default first.
    FERRION_LINK_RCV_SETTLE_MODE = 5,
    /// ulong, optional: the largest message taken, in octets.
    FERRION_LINK_MAX_MESSAGE_SIZE = 6,
    /// uint: the delivery-count that a sender starts from. Default 0.
    FERRION_LINK_INITIAL_DELIVERY_COUNT = 7,
    /// bool: keep what the link needs to be recovered; see `ferrion_link_state_t`. Default false.
    FERRION_LINK_RECOVERABLE = 8,
    /// symbols: extensions offered to the peer.
    FERRION_LINK_OFFERED_CAPABILITIES = 9,
    /// symbols: extensions that will be used if the peer offers them.
    FERRION_LINK_DESIRED_CAPABILITIES = 10,
    /// map, optional: properties of the link.
    FERRION_LINK_PROPERTIES = 11,
}

/// Whether a sender settles its deliveries when it sends them (2.8.2).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_snd_settle_mode {
    /// All are sent unsettled.
    FERRION_SND_UNSETTLED = 0,
    /// All are sent settled.
    FERRION_SND_SETTLED = 1,
    /// Either, per delivery.
    FERRION_SND_MIXED = 2,
}

/// Who settles first (2.8.3).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_rcv_settle_mode {
    /// The receiver settles with its outcome.
    FERRION_RCV_FIRST = 0,
    /// The receiver settles after the sender has.
    FERRION_RCV_SECOND = 1,
}

/// How a link is attached, or a peer's attach answered.
#[derive(Debug)]
pub struct ferrion_link_config_t {
    root: Root<LinkConfig>,
}
object!(ferrion_link_config_t, LinkConfig);

/// A configuration with a default for everything, an empty name, and termini without addresses.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_link_config_new() -> *mut ferrion_link_config_t {
    ffi_fn! { => core::ptr::null_mut(); {
        Ok(Box::into_raw(Box::new(ferrion_link_config_t { root: Root::new(LinkConfig::new("", Source::default(), Target::default())) })))
    } }
}

/// Frees it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_free(config: *mut ferrion_link_config_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_link_config_new` and is not used again, as the header demands.
        unsafe { free(config) };
        Ok(())
    } }
}

/// Makes it the same as another one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_copy(
    config: *mut ferrion_link_config_t,
    source: *const ferrion_link_config_t,
) -> ferrion_status {
    ffi_fn! { object config, object source => {
        config.clone_from(&source);
        Ok(())
    } }
}

/// Makes it that of a sender with this name, to `address` at the peer; everything else is as in a new one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_sender(
    config: *mut ferrion_link_config_t,
    name: *const c_char,
    address: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, text name, text address => {
        *config = LinkConfig::sender(name, address);
        Ok(())
    } }
}

/// Makes it that of a receiver with this name, from `address` at the peer, which releases what it does not settle;
/// everything else is as in a new one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_receiver(
    config: *mut ferrion_link_config_t,
    name: *const c_char,
    address: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, text name, text address => {
        *config = LinkConfig::receiver(name, address);
        Ok(())
    } }
}

/// A field as a value of the type it has on the wire. `field` is a `ferrion_link_field`. FERRION_ABSENT: it is not set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_get(
    config: *const ferrion_link_config_t,
    field: i32,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object config, object out_value => {
        let value = get(&config, field)?.ok_or_else(Failure::absent)?;
        out_value.fill([value]);
        Ok(())
    } }
}

/// Sets a field from a value of the type it has on the wire. `field` is a `ferrion_link_field`. A null, or no value at
/// all, removes an optional field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_set(
    config: *mut ferrion_link_config_t,
    field: i32,
    value: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object config, object value => {
        set(&mut config, field, given(&value)?)
    } }
}

/// A field that is a number, a mode or a bool (0 or 1). `field` is a `ferrion_link_field`. FERRION_ABSENT: it is not
/// set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_number(
    config: *const ferrion_link_config_t,
    field: i32,
    out_number: *mut u64,
) -> ferrion_status {
    ffi_fn! { object config, out out_number => {
        out_number.set(number(get(&config, field)?)?);
        Ok(())
    } }
}

/// Sets a field that is a number, a mode or a bool (0 or 1). `field` is a `ferrion_link_field`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_set_number(
    config: *mut ferrion_link_config_t,
    field: i32,
    number: u64,
) -> ferrion_status {
    ffi_fn! { object config => {
        set(&mut config, field, Value::Ulong(number))
    } }
}

/// Sets a field that is a string, or symbols to this one. `field` is a `ferrion_link_field`. NULL removes an optional
/// field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_set_text(
    config: *mut ferrion_link_config_t,
    field: i32,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, maybe_text text => {
        set_text(&mut config, field, text)
    } }
}

/// A field of the source, as a value of the type it has on the wire; one that is left out has its default. `field` is a
/// `ferrion_source_field`. FERRION_ABSENT: it is not there, or there is no source.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_source(
    config: *const ferrion_link_config_t,
    field: i32,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object config, object out_value => {
        out_value.fill([source_field(config.source.as_deref(), field)?]);
        Ok(())
    } }
}

/// Sets a field of the source from a value of the type it has on the wire; null, or no value at all, takes it away.
/// `field` is a `ferrion_source_field`. If there is no source it is made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_set_source(
    config: *mut ferrion_link_config_t,
    field: i32,
    value: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object config, object value => {
        let changed = with_source_field(config.source.as_deref(), field, given(&value)?)?;
        config.source = Some(Box::new(changed));
        Ok(())
    } }
}

/// Sets the address of the source; NULL takes it away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_set_source_address(
    config: *mut ferrion_link_config_t,
    address: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, maybe_text address => {
        let address = address.map_or(Value::Null, Value::from);
        let changed = with_source_field(config.source.as_deref(), ferrion_source_field::FERRION_SOURCE_ADDRESS as i32, address)?;
        config.source = Some(Box::new(changed));
        Ok(())
    } }
}

/// A field of the target, as a value of the type it has on the wire; one that is left out has its default. `field` is a
/// `ferrion_target_field`. FERRION_ABSENT: it is not there, or there is no target.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_target(
    config: *const ferrion_link_config_t,
    field: i32,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object config, object out_value => {
        out_value.fill([target_field(config.target.as_deref(), field)?]);
        Ok(())
    } }
}

/// Sets a field of the target from a value of the type it has on the wire; null, or no value at all, takes it away.
/// `field` is a `ferrion_target_field`. If there is no target it is made. FERRION_STATE: the target is a coordinator.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_set_target(
    config: *mut ferrion_link_config_t,
    field: i32,
    value: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object config, object value => {
        let changed = with_target_field(config.target.as_deref(), field, given(&value)?)?;
        config.target = Some(Box::new(changed));
        Ok(())
    } }
}

/// Sets the address of the target; NULL takes it away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_link_config_set_target_address(
    config: *mut ferrion_link_config_t,
    address: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, maybe_text address => {
        let address = address.map_or(Value::Null, Value::from);
        let changed = with_target_field(config.target.as_deref(), ferrion_target_field::FERRION_TARGET_ADDRESS as i32, address)?;
        config.target = Some(Box::new(changed));
        Ok(())
    } }
}

fields! { LinkConfig as ferrion_link_field {
    FERRION_LINK_NAME => name,
    FERRION_LINK_SOURCE => source,
    FERRION_LINK_TARGET => target,
    FERRION_LINK_SND_SETTLE_MODE => snd_settle_mode,
    FERRION_LINK_RCV_SETTLE_MODE => rcv_settle_mode,
    FERRION_LINK_MAX_MESSAGE_SIZE => max_message_size,
    FERRION_LINK_INITIAL_DELIVERY_COUNT => initial_delivery_count,
    FERRION_LINK_RECOVERABLE => recoverable,
    FERRION_LINK_OFFERED_CAPABILITIES => offered_capabilities,
    FERRION_LINK_DESIRED_CAPABILITIES => desired_capabilities,
    FERRION_LINK_PROPERTIES => properties,
} }
