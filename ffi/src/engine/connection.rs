//! The connection of an engine (2.4).

use core::ffi::c_char;

use ferrion_engine::protocol::Open;

use super::condition::{Parts, given_condition, parts};
use super::fields::field as field_of;
use super::{ferrion_engine_t, ferrion_session_config_t, ferrion_session_t};
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;
use crate::value::ferrion_value_t;

/// Opens the connection: sends our open. Both sides do this once, in any order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_open(engine: *mut ferrion_engine_t) -> ferrion_status {
    ffi_fn! { object engine => {
        Ok(engine.engine.connection().open()?)
    } }
}

/// Closes the connection, after what could be sent was sent. The condition, its text for people and its map may be
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_close(
    engine: *mut ferrion_engine_t,
    condition: *const c_char,
    description: *const c_char,
    info: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, maybe_text condition, maybe_text description, maybe_object info => {
        let error = given_condition(condition, description, info.as_deref())?;
        Ok(engine.engine.connection().close(error)?)
    } }
}

/// Begins a session. `config` may be NULL. FERRION_LIMIT: all channels are in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_begin(
    engine: *mut ferrion_engine_t,
    config: *const ferrion_session_config_t,
    out_session: *mut ferrion_session_t,
) -> ferrion_status {
    ffi_fn! { object engine, maybe_object config, out out_session => {
        let config = config.map_or_else(Default::default, |config| config.clone());
        let id = engine.engine.connection().begin(config)?;
        out_session.set(engine.numbers.of_session(id));
        Ok(())
    } }
}

/// Whether both sides have opened and neither has closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_is_open(
    engine: *mut ferrion_engine_t,
    out_open: *mut bool,
) -> ferrion_status {
    ffi_fn! { object engine, out out_open => {
        out_open.set(engine.engine.connection().is_open());
        Ok(())
    } }
}

/// A field of the peer's open; one that it left out has its default. `field` is a `ferrion_open_field`. FERRION_ABSENT:
/// the open has not arrived, or does not have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_remote(
    engine: *mut ferrion_engine_t,
    field: i32,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, object out_value => {
        let connection = engine.engine.connection();
        let remote = connection.remote().ok_or_else(Failure::absent)?;
        out_value.fill([field_of(remote, Open::FIELDS, field)?]);
        Ok(())
    } }
}

/// The error that the peer's close carried. Each result may be NULL. FERRION_ABSENT: none.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_remote_condition(
    engine: *mut ferrion_engine_t,
    out_condition: *mut ferrion_bytes_t,
    out_description: *mut ferrion_bytes_t,
    out_info: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, optional out_condition, optional out_description, maybe_object out_info => {
        let error = engine.engine.connection().remote_condition().cloned();
        engine.tell(error, parts!(out_condition, out_description, out_info))
    } }
}
