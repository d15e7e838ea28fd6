//! Links that receive (2.6.7, 2.6.12).

use core::ffi::c_char;

use ferrion_engine::codec::Fields;
use ferrion_engine::protocol::{DeliveryState, Modified};

use super::condition::{given_condition, required_condition};
use super::state::given_state;
use super::{
    Inner, Taken, ferrion_delivery_t, ferrion_engine_t, ferrion_link_t, ferrion_state, kind_of,
};
use crate::message::ferrion_message_t;
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;
use crate::value::{Tape, ferrion_value_t};

/// A delivery that arrived.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ferrion_incoming_t {
    /// What to call it when settling; 0 if the sender has settled it.
    pub delivery: ferrion_delivery_t,
    /// The sender's name for it.
    pub tag: ferrion_bytes_t,
    /// The encoded message, in one piece.
    pub payload: ferrion_bytes_t,
    /// The format of the payload; 0 is an AMQP message.
    pub message_format: u32,
    /// The state that the sender gave it; `ferrion_engine_state` has it whole.
    pub state: ferrion_state,
    /// 1 if the outcome may wait for others to join it, else 0.
    pub batchable: u32,
    /// 1 if the sender called it off after parts of it had been read, else 0: what was read is void.
    pub aborted: u32,
}

/// A delivery that is arriving.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ferrion_partial_t {
    /// What to call it when settling.
    pub delivery: ferrion_delivery_t,
    /// The sender's name for it.
    pub tag: ferrion_bytes_t,
    /// The octets that have come and were not read.
    pub waiting: u64,
    /// The format of the payload; 0 is an AMQP message.
    pub message_format: u32,
}

/// Takes the next complete delivery, after FERRION_EVENT_DELIVERIES. Of one that was read while it came, the payload is
/// what was not read. FERRION_END: no more.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_next_delivery(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_incoming: *mut ferrion_incoming_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_incoming => {
        let inner = &mut *engine;
        let delivery = inner.receiver(link)?.next_delivery();
        let Some(told) = Inner::keep(&mut inner.delivery, delivery) else {
            return Err(Failure::end("no delivery waits"));
        };
        inner.taken = Taken::Delivery;
        inner.part = None;
        out_incoming.set(ferrion_incoming_t {
            delivery: inner.numbers.of_delivery(told.id),
            tag: told.tag.as_bytes().into(),
            payload: (&**told.payload.make_contiguous()).into(),
            message_format: told.message_format,
            state: kind_of(told.state.as_deref()),
            batchable: u32::from(told.batchable),
            aborted: u32::from(told.aborted),
        });
        Ok(())
    } }
}

/// Makes a message of the payload that was taken last, without copying it. FERRION_DECODE: it is none.
///
/// The message keeps what was read with it alive, and can be sent on by `ferrion_sender_send_message` without a copy. Where
/// small ones are kept for long, `ferrion_message_decode` copies no more than the payload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_message(
    engine: *mut ferrion_engine_t,
    message: *mut ferrion_message_t,
) -> ferrion_status {
    ffi_fn! { object engine, object message => {
        message.message.load(engine.payload())?;
        Ok(())
    } }
}

/// Whether deliveries are read while they come, with `ferrion_receiver_read_partial`; FERRION_EVENT_DELIVERIES tells of
/// parts too then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_set_streaming(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    on: bool,
) -> ferrion_status {
    ffi_fn! { object engine => {
        engine.receiver(link)?.set_streaming(on);
        Ok(())
    } }
}

/// The delivery that is arriving. FERRION_ABSENT: none.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_partial(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_partial: *mut ferrion_partial_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_partial => {
        let partial = engine.receiver(link)?.partial().ok_or_else(Failure::absent)?;
        let tag = engine.lend(partial.tag.as_bytes().to_vec());
        out_partial.set(ferrion_partial_t {
            delivery: engine.numbers.of_delivery(Some(partial.id)),
            tag,
            waiting: partial.waiting,
            message_format: partial.message_format,
        });
        Ok(())
    } }
}

/// Refuses the delivery that is arriving, and with it the link, as where a limit of the engine is passed: what came of it is
/// dropped at once, the link is closed with this condition, and FERRION_EVENT_LINK_DETACHED tells. The text for people and the map
/// may be NULL. For who has a bound for many engines together, each of which tells what it holds
/// (`ferrion_engine_partial_octets`). FERRION_STATE: no delivery is arriving.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_refuse_partial(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    condition: *const c_char,
    description: *const c_char,
    info: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, text condition, maybe_text description, maybe_object info => {
        let error = required_condition(condition, description, info.as_deref())?;
        Ok(engine.receiver(link)?.refuse_partial(error)?)
    } }
}

/// Takes what has come of the delivery that is arriving. FERRION_END: nothing more at present.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_read_partial(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_data: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_data => {
        let payload = engine.receiver(link)?.read_partial().ok_or_else(|| Failure::end("nothing more has come"))?;
        out_data.set((&**engine.part.insert(payload.into_bytes())).into());
        Ok(())
    } }
}

/// Complete deliveries that wait to be taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_waiting(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object engine, out out_n => {
        out_n.set(engine.receiver(link)?.waiting());
        Ok(())
    } }
}

/// Settles a delivery with an outcome: a described value; see `ferrion_value_put_accepted` and its like.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_settle(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
    state: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, object state => {
        let state = given_state(&state)?.ok_or_else(|| Failure::invalid("an outcome belongs here; ferrion_receiver_forget takes none"))?;
        let (mut receiver, id) = engine.received(link, delivery)?;
        Ok(receiver.settle(id, state)?)
    } }
}

/// Settles a delivery, and does not wait for the sender even where the receiver settles second: for senders that remember
/// nothing, and so have nothing to wait for. The state is a described value; NULL tells none, as
/// `ferrion_receiver_forget`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_settle_at_once(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
    state: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, maybe_object state => {
        let outcome = state.as_deref().map(given_state).transpose()?.flatten();
        let (mut receiver, id) = engine.received(link, delivery)?;
        Ok(receiver.settle_at_once(id, outcome)?)
    } }
}

/// Takes responsibility for a delivery, and settles it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_accept(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
) -> ferrion_status {
    ffi_fn! { object engine => {
        let (mut receiver, id) = engine.received(link, delivery)?;
        Ok(receiver.accept(id)?)
    } }
}

/// Refuses a delivery as invalid, and settles it. The condition, its text for people and its map may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_reject(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
    condition: *const c_char,
    description: *const c_char,
    info: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, maybe_text condition, maybe_text description, maybe_object info => {
        let error = given_condition(condition, description, info.as_deref())?;
        let (mut receiver, id) = engine.received(link, delivery)?;
        Ok(receiver.settle(id, DeliveryState::Rejected(error.map(Box::new)))?)
    } }
}

/// Gives a delivery back as if it had never come, and settles it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_release(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
) -> ferrion_status {
    ffi_fn! { object engine => {
        let (mut receiver, id) = engine.received(link, delivery)?;
        Ok(receiver.settle(id, DeliveryState::Released)?)
    } }
}

/// Gives a delivery back with changes, and settles it: whether the attempt counts as `failed`, whether it should not
/// come `here` again, and a map of annotations to add, which may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_modify(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
    failed: bool,
    not_here: bool,
    annotations: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, maybe_object annotations => {
        let changes = modified(failed, not_here, annotations.as_deref())?;
        let (mut receiver, id) = engine.received(link, delivery)?;
        Ok(receiver.settle(id, DeliveryState::Modified(Box::new(changes)))?)
    } }
}

/// Tells the sender the state of a delivery without settling it, a described value: for links whose receiver settles
/// second, the outcome.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_update(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
    state: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, object state => {
        let state = given_state(&state)?.ok_or_else(|| Failure::invalid("a state belongs here"))?;
        let (mut receiver, id) = engine.received(link, delivery)?;
        Ok(receiver.update(id, state)?)
    } }
}

/// Settles a delivery without telling a state: it has the default outcome of the source.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_forget(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
) -> ferrion_status {
    ffi_fn! { object engine => {
        let (mut receiver, id) = engine.received(link, delivery)?;
        Ok(receiver.forget(id)?)
    } }
}

/// Lets so many messages come from now on, whatever it was before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_set_credit(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    n: u32,
) -> ferrion_status {
    ffi_fn! { object engine => {
        Ok(engine.receiver(link)?.set_credit(n)?)
    } }
}

/// Lets so many more messages come.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_add_credit(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    n: u32,
) -> ferrion_status {
    ffi_fn! { object engine => {
        Ok(engine.receiver(link)?.add_credit(n)?)
    } }
}

/// Lets so many messages come, and grants more as they are taken. 0 stops granting.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_set_automatic_credit(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    n: u32,
) -> ferrion_status {
    ffi_fn! { object engine => {
        Ok(engine.receiver(link)?.set_automatic_credit(n)?)
    } }
}

/// Messages that may still come.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_credit(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object engine, out out_n => {
        out_n.set(engine.receiver(link)?.credit());
        Ok(())
    } }
}

/// Messages that wait at the sender, as far as it told.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_available(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object engine, out out_n => {
        out_n.set(engine.receiver(link)?.available());
        Ok(())
    } }
}

/// Asks the sender to use the credit up or give it back. FERRION_EVENT_FLOW tells when it has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_drain(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
) -> ferrion_status {
    ffi_fn! { object engine => {
        Ok(engine.receiver(link)?.drain()?)
    } }
}

/// Whether a drain has not been answered yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_receiver_is_draining(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_draining: *mut bool,
) -> ferrion_status {
    ffi_fn! { object engine, out out_draining => {
        out_draining.set(engine.receiver(link)?.is_draining());
        Ok(())
    } }
}

/// The outcome `modified`, from what C says.
pub(super) fn modified(
    failed: bool,
    not_here: bool,
    annotations: Option<&Tape>,
) -> Result<Modified, Failure> {
    let annotations = match annotations {
        Some(annotations) => annotations.single_map()?.map(Fields::from),
        None => None,
    };
    Ok(Modified {
        delivery_failed: failed.then_some(true),
        undeliverable_here: not_here.then_some(true),
        message_annotations: annotations,
    })
}
