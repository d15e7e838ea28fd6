//! The sessions of an engine (2.5).

use core::ffi::c_char;

use ferrion_engine::protocol::Begin;

use super::condition::{Parts, given_condition, parts};
use super::fields::field as field_of;
use super::{
    ferrion_engine_t, ferrion_link_config_t, ferrion_link_state_t, ferrion_link_t,
    ferrion_session_config_t, ferrion_session_t,
};
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;
use crate::value::ferrion_value_t;

/// Answers a begin of the peer's. `config` may be NULL. FERRION_STATE: it was answered before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_accept(
    engine: *mut ferrion_engine_t,
    session: ferrion_session_t,
    config: *const ferrion_session_config_t,
) -> ferrion_status {
    ffi_fn! { object engine, maybe_object config => {
        let config = config.map_or_else(Default::default, |config| config.clone());
        Ok(engine.session(session)?.accept(config)?)
    } }
}

/// Ends the session and the links on it, after what could be sent was sent. The condition, its text for people and its
/// map may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_end(
    engine: *mut ferrion_engine_t,
    session: ferrion_session_t,
    condition: *const c_char,
    description: *const c_char,
    info: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, maybe_text condition, maybe_text description, maybe_object info => {
        let error = given_condition(condition, description, info.as_deref())?;
        Ok(engine.session(session)?.end(error)?)
    } }
}

/// Attaches a link that sends. FERRION_DUPLICATE: there is one of this name; FERRION_LIMIT: no more fit on the session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_attach_sender(
    engine: *mut ferrion_engine_t,
    session: ferrion_session_t,
    config: *const ferrion_link_config_t,
    out_link: *mut ferrion_link_t,
) -> ferrion_status {
    ffi_fn! { object engine, object config, out out_link => {
        let id = engine.session(session)?.attach_sender(config.clone())?;
        out_link.set(engine.numbers.of_link(id));
        Ok(())
    } }
}

/// Attaches a link that receives. FERRION_DUPLICATE: there is one of this name; FERRION_LIMIT: no more fit on the
/// session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_attach_receiver(
    engine: *mut ferrion_engine_t,
    session: ferrion_session_t,
    config: *const ferrion_link_config_t,
    out_link: *mut ferrion_link_t,
) -> ferrion_status {
    ffi_fn! { object engine, object config, out out_link => {
        let id = engine.session(session)?.attach_receiver(config.clone())?;
        out_link.set(engine.numbers.of_link(id));
        Ok(())
    } }
}

/// Attaches a link again, with what an earlier endpoint of it left. See `ferrion_link_state_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_resume(
    engine: *mut ferrion_engine_t,
    session: ferrion_session_t,
    state: *const ferrion_link_state_t,
    out_link: *mut ferrion_link_t,
) -> ferrion_status {
    ffi_fn! { object engine, object state, out out_link => {
        let id = engine.session(session)?.resume(&state.state)?;
        out_link.set(engine.numbers.of_link(id));
        Ok(())
    } }
}

/// Whether the peer began it and it has not been answered yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_is_incoming(
    engine: *mut ferrion_engine_t,
    session: ferrion_session_t,
    out_incoming: *mut bool,
) -> ferrion_status {
    ffi_fn! { object engine, out out_incoming => {
        out_incoming.set(engine.session(session)?.is_incoming());
        Ok(())
    } }
}

/// Whether both sides have begun it and neither has ended it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_is_begun(
    engine: *mut ferrion_engine_t,
    session: ferrion_session_t,
    out_begun: *mut bool,
) -> ferrion_status {
    ffi_fn! { object engine, out out_begun => {
        out_begun.set(engine.session(session)?.is_begun());
        Ok(())
    } }
}

/// A field of the peer's begin; one that it left out has its default. `field` is a `ferrion_begin_field`.
/// FERRION_ABSENT: the begin has not arrived, or does not have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_remote(
    engine: *mut ferrion_engine_t,
    session: ferrion_session_t,
    field: i32,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, object out_value => {
        let session = engine.session(session)?;
        let remote = session.remote().ok_or_else(Failure::absent)?;
        out_value.fill([field_of(remote, Begin::FIELDS, field)?]);
        Ok(())
    } }
}

/// The error that ended it, and whether the peer found it. Each result may be NULL. FERRION_ABSENT: none.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_error(
    engine: *mut ferrion_engine_t,
    session: ferrion_session_t,
    out_remote: *mut bool,
    out_condition: *mut ferrion_bytes_t,
    out_description: *mut ferrion_bytes_t,
    out_info: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, optional out_remote, optional out_condition, optional out_description, maybe_object out_info => {
        let error = engine.session(session)?.error().cloned();
        engine.tell_end(error, out_remote, parts!(out_condition, out_description, out_info))
    } }
}

/// Transfer frames that may be sent before the peer opens its window again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_outgoing_window(
    engine: *mut ferrion_engine_t,
    session: ferrion_session_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object engine, out out_n => {
        out_n.set(engine.session(session)?.outgoing_window());
        Ok(())
    } }
}

/// Transfer frames that the peer said it would send next.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_remote_outgoing_window(
    engine: *mut ferrion_engine_t,
    session: ferrion_session_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object engine, out out_n => {
        out_n.set(engine.session(session)?.remote_outgoing_window());
        Ok(())
    } }
}

/// Deliveries that were sent and are not settled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_unsettled_outgoing(
    engine: *mut ferrion_engine_t,
    session: ferrion_session_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object engine, out out_n => {
        out_n.set(engine.session(session)?.unsettled_outgoing());
        Ok(())
    } }
}

/// Deliveries that arrived and are not settled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_session_unsettled_incoming(
    engine: *mut ferrion_engine_t,
    session: ferrion_session_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object engine, out out_n => {
        out_n.set(engine.session(session)?.unsettled_incoming());
        Ok(())
    } }
}
