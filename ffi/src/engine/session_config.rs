//! How a session is begun.

use core::ffi::c_char;

use ferrion_engine::SessionConfig;
use ferrion_engine::codec::Value;

use super::fields::{Field, fields, given, number};
use crate::guard::{Root, free};
use crate::status::{Failure, ferrion_status};
use crate::value::ferrion_value_t;

/// What a session is begun with (2.7.2), for `ferrion_session_config_set` and its like.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_session_field {
    /// uint: transfer frames that the peer may send before deliveries are taken. Default 2,048.
    FERRION_SESSION_INCOMING_WINDOW = 1,
    /// ulong: octets of payload that may wait before the window closes. Default 64 MiB.
    FERRION_SESSION_INCOMING_OCTETS = 2,
    /// uint: the transfer-id that this side starts from. Default 0.
    FERRION_SESSION_NEXT_OUTGOING_ID = 3,
    /// symbols: extensions offered to the peer.
    FERRION_SESSION_OFFERED_CAPABILITIES = 4,
    /// symbols: extensions that will be used if the peer offers them.
    FERRION_SESSION_DESIRED_CAPABILITIES = 5,
    /// map, optional: properties of the session.
    FERRION_SESSION_PROPERTIES = 6,
}

/// How a session is begun, or a peer's begin answered.
#[derive(Debug)]
pub struct ferrion_session_config_t {
    root: Root<SessionConfig>,
}
object!(ferrion_session_config_t, SessionConfig);

/// A configuration with a default for everything.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_session_config_new() -> *mut ferrion_session_config_t {
    ffi_fn! { => core::ptr::null_mut(); {
        Ok(Box::into_raw(Box::new(ferrion_session_config_t { root: Root::new(SessionConfig::default()) })))
    } }
}

/// Frees it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_config_free(config: *mut ferrion_session_config_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_session_config_new` and is not used again, as the header demands.
        unsafe { free(config) };
        Ok(())
    } }
}

/// Makes it the same as another one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_config_copy(
    config: *mut ferrion_session_config_t,
    source: *const ferrion_session_config_t,
) -> ferrion_status {
    ffi_fn! { object config, object source => {
        config.clone_from(&source);
        Ok(())
    } }
}

/// A field as a value of the type it has on the wire. `field` is a `ferrion_session_field`. FERRION_ABSENT: it is not
/// set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_config_get(
    config: *const ferrion_session_config_t,
    field: i32,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object config, object out_value => {
        let value = get(&config, field)?.ok_or_else(Failure::absent)?;
        out_value.fill([value]);
        Ok(())
    } }
}

/// Sets a field from a value of the type it has on the wire. `field` is a `ferrion_session_field`. A null, or no value
/// at all, removes an optional field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_config_set(
    config: *mut ferrion_session_config_t,
    field: i32,
    value: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object config, object value => {
        set(&mut config, field, given(&value)?)
    } }
}

/// A field that is a number, a mode or a bool (0 or 1). `field` is a `ferrion_session_field`. FERRION_ABSENT: it is not
/// set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_config_number(
    config: *const ferrion_session_config_t,
    field: i32,
    out_number: *mut u64,
) -> ferrion_status {
    ffi_fn! { object config, out out_number => {
        out_number.set(number(get(&config, field)?)?);
        Ok(())
    } }
}

/// Sets a field that is a number, a mode or a bool (0 or 1). `field` is a `ferrion_session_field`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_config_set_number(
    config: *mut ferrion_session_config_t,
    field: i32,
    number: u64,
) -> ferrion_status {
    ffi_fn! { object config => {
        set(&mut config, field, Value::Ulong(number))
    } }
}

/// Sets a field that is a string, or symbols to this one. `field` is a `ferrion_session_field`. NULL removes an
/// optional field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_config_set_text(
    config: *mut ferrion_session_config_t,
    field: i32,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, maybe_text text => {
        set_text(&mut config, field, text)
    } }
}

fields! { SessionConfig as ferrion_session_field {
    FERRION_SESSION_INCOMING_WINDOW => incoming_window,
    FERRION_SESSION_INCOMING_OCTETS => incoming_octets,
    FERRION_SESSION_NEXT_OUTGOING_ID => next_outgoing_id,
    FERRION_SESSION_OFFERED_CAPABILITIES => offered_capabilities,
    FERRION_SESSION_DESIRED_CAPABILITIES => desired_capabilities,
    FERRION_SESSION_PROPERTIES => properties,
} }
