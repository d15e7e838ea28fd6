//! The states of deliveries (3.4), as values.

use core::ffi::c_char;

use bytes::Bytes;
use ferrion_engine::codec::Value;
use ferrion_engine::protocol::{Declared, DeliveryState, Received, TransactionalState};

use super::condition::{Parts, given_condition, parts};
use super::ferrion_engine_t;
use super::fields::{from_value, given, to_value};
use super::receiver::modified;
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;
use crate::value::{Tape, ferrion_value_t};

/// The kinds of states that a delivery can have (3.4).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_state {
    /// None was told.
    FERRION_STATE_NONE = 0,
    /// A part has arrived.
    FERRION_STATE_RECEIVED = 1,
    /// Taken over by the receiver.
    FERRION_STATE_ACCEPTED = 2,
    /// Not valid.
    FERRION_STATE_REJECTED = 3,
    /// Not acted upon.
    FERRION_STATE_RELEASED = 4,
    /// Not acted upon, and to be changed.
    FERRION_STATE_MODIFIED = 5,
    /// A transaction was declared.
    FERRION_STATE_DECLARED = 6,
    /// A state within a transaction.
    FERRION_STATE_TRANSACTIONAL = 7,
    /// A described value that ferrion does not know.
    FERRION_STATE_OTHER = 8,
}

/// The state that came with the delivery or the update that was taken last, whole: a described value. FERRION_ABSENT:
/// it had none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_state(
    engine: *const ferrion_engine_t,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, object out_value => {
        let state = engine.state().ok_or_else(Failure::absent)?;
        out_value.fill([to_value(state)?]);
        Ok(())
    } }
}

/// The reason of the rejection that was taken last, in a transaction too. Each result may be NULL. FERRION_ABSENT:
/// there is none.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_state_condition(
    engine: *mut ferrion_engine_t,
    out_condition: *mut ferrion_bytes_t,
    out_description: *mut ferrion_bytes_t,
    out_info: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, optional out_condition, optional out_description, maybe_object out_info => {
        let rejected = match engine.state() {
            Some(DeliveryState::Transactional(state)) => state.outcome.as_ref(),
            state => state,
        };
        let error = match rejected {
            Some(DeliveryState::Rejected(error)) => error.as_deref().cloned(),
            _ => None,
        };
        engine.tell(error, parts!(out_condition, out_description, out_info))
    } }
}

/// Appends the delivery state `received`: how much of a message has arrived (3.4.1).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_received(
    value: *mut ferrion_value_t,
    section_number: u32,
    section_offset: u64,
) -> ferrion_status {
    ffi_fn! { object value => {
        put(&mut value, &DeliveryState::Received(Box::new(Received { section_number, section_offset })))
    } }
}

/// Appends the outcome `accepted` (3.4.2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_accepted(value: *mut ferrion_value_t) -> ferrion_status {
    ffi_fn! { object value => {
        put(&mut value, &DeliveryState::Accepted)
    } }
}

/// Appends the outcome `rejected` (3.4.3). The condition, its text for people and its map may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_rejected(
    value: *mut ferrion_value_t,
    condition: *const c_char,
    description: *const c_char,
    info: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object value, maybe_text condition, maybe_text description, maybe_object info => {
        let error = given_condition(condition, description, info.as_deref())?;
        put(&mut value, &DeliveryState::Rejected(error.map(Box::new)))
    } }
}

/// Appends the outcome `released` (3.4.4).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_released(value: *mut ferrion_value_t) -> ferrion_status {
    ffi_fn! { object value => {
        put(&mut value, &DeliveryState::Released)
    } }
}

/// Appends the outcome `modified` (3.4.5): whether the attempt counts as `failed`, whether it should not come `here`
/// again, and a map of annotations to add, which may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_modified(
    value: *mut ferrion_value_t,
    failed: bool,
    not_here: bool,
    annotations: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object value, maybe_object annotations => {
        let changes = modified(failed, not_here, annotations.as_deref())?;
        put(&mut value, &DeliveryState::Modified(Box::new(changes)))
    } }
}

/// Appends the outcome `declared`: the name of a transaction that was made (4.5.5).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_declared(
    value: *mut ferrion_value_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object value, bytes data len => {
        let txn_id = Bytes::copy_from_slice(data);
        put(&mut value, &DeliveryState::Declared(Box::new(Declared { txn_id })))
    } }
}

/// Appends the delivery state `transactional-state` (4.5.8): the name of the transaction, and the outcome within it,
/// which may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_value_put_transactional(
    value: *mut ferrion_value_t,
    data: *const u8,
    len: usize,
    outcome: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object value, bytes data len, maybe_object outcome => {
        let outcome = match outcome {
            Some(outcome) => given_state(&outcome)?,
            None => None,
        };
        let txn_id = Bytes::copy_from_slice(data);
        put(&mut value, &DeliveryState::Transactional(Box::new(TransactionalState { txn_id, outcome })))
    } }
}

/// What kind of state it is.
pub(super) const fn kind_of(state: Option<&DeliveryState>) -> ferrion_state {
    use ferrion_state::*;
    match state {
        None => FERRION_STATE_NONE,
        Some(DeliveryState::Received(_)) => FERRION_STATE_RECEIVED,
        Some(DeliveryState::Accepted) => FERRION_STATE_ACCEPTED,
        Some(DeliveryState::Rejected(_)) => FERRION_STATE_REJECTED,
        Some(DeliveryState::Released) => FERRION_STATE_RELEASED,
        Some(DeliveryState::Modified(_)) => FERRION_STATE_MODIFIED,
        Some(DeliveryState::Declared(_)) => FERRION_STATE_DECLARED,
        Some(DeliveryState::Transactional(_)) => FERRION_STATE_TRANSACTIONAL,
        Some(DeliveryState::Other(_)) => FERRION_STATE_OTHER,
    }
}

/// The state that C gives; null, or no value at all, is none.
pub(super) fn given_state(value: &Tape) -> Result<Option<DeliveryState>, Failure> {
    state_from(given(value)?)
}

/// The state that a value is; null is none.
pub(super) fn state_from(value: Value) -> Result<Option<DeliveryState>, Failure> {
    match value {
        Value::Null => Ok(None),
        value => from_value(&value).map(Some),
    }
}

fn put(value: &mut Tape, state: &DeliveryState) -> Result<(), Failure> {
    value.put_tree(to_value(state)?)
}
