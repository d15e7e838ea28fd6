//! Links that send (2.6.7, 2.6.12).

use bytes::Bytes;
use ferrion_engine::protocol::DeliveryState;

use super::send_options::{ferrion_send_options_t, given};
use super::state::given_state;
use super::{ferrion_delivery_t, ferrion_engine_t, ferrion_link_t};
use crate::message::ferrion_message_t;
use crate::status::{Failure, ferrion_status};
use crate::value::{Tape, ferrion_value_t};

/// Sends a message: the octets of an encoded one. They are copied. The tag names the delivery; it has at most 32
/// octets, and differs from those of the link's other unsettled deliveries. `out_delivery` may be NULL.
///
/// FERRION_NO_CREDIT: the receiver granted none that is not already spoken for. FERRION_SEND: the message is larger
/// than the receiver takes, or the settle mode that was negotiated forbids it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_send(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    tag: *const u8,
    tag_len: usize,
    data: *const u8,
    len: usize,
    out_delivery: *mut ferrion_delivery_t,
) -> ferrion_status {
    ffi_fn! { object engine, bytes tag tag_len, bytes data len, optional out_delivery => {
        let id = engine.sender(link)?.send(tag, data)?;
        out_delivery.set(engine.numbers.of_delivery(Some(id)));
        Ok(())
    } }
}

/// Sends a message that is settled by being sent: there will be no outcome.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_send_settled(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    tag: *const u8,
    tag_len: usize,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object engine, bytes tag tag_len, bytes data len => {
        Ok(engine.sender(link)?.send_settled(tag, data)?)
    } }
}

/// Sends a message with everything that can be said of it. `options` may be NULL: an AMQP message of which nothing is
/// said. `out_delivery` may be NULL; it gets 0 for a delivery that is settled by being sent. The rest is as for
/// `ferrion_sender_send`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_send_with(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    tag: *const u8,
    tag_len: usize,
    data: *const u8,
    len: usize,
    options: *const ferrion_send_options_t,
    out_delivery: *mut ferrion_delivery_t,
) -> ferrion_status {
    ffi_fn! { object engine, bytes tag tag_len, bytes data len, maybe_object options, optional out_delivery => {
        let id = engine.sender(link)?.send_with(tag, given(options.as_deref()), data)?;
        out_delivery.set(engine.numbers.of_delivery(id));
        Ok(())
    } }
}

/// Encodes a message and sends it. `options` may be NULL. `out_delivery` may be NULL; it gets 0 for a delivery that is
/// settled by being sent. The rest is as for `ferrion_sender_send`. FERRION_INVALID_ARGUMENT also: the options tell of
/// another format than that of AMQP messages.
///
/// A message that was received or decoded, and not changed since, is sent as it is. From `FERRION_LIMIT_CHAIN_OCTETS` on
/// its octets are not copied but shared, by any number of sends on any engines, and stay for as long as one of them, or
/// this object, needs them. The object may be changed, used again or freed at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_send_message(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    tag: *const u8,
    tag_len: usize,
    message: *const ferrion_message_t,
    options: *const ferrion_send_options_t,
    out_delivery: *mut ferrion_delivery_t,
) -> ferrion_status {
    ffi_fn! { object engine, bytes tag tag_len, object message, maybe_object options, optional out_delivery => {
        let options = given(options.as_deref());
        if options.message_format != 0 {
            return Err(Failure::invalid("a message has the format 0: send octets of another one with ferrion_sender_send_with"));
        }
        let id = engine.sender(link)?.send_with(tag, options, message.payload())?;
        out_delivery.set(engine.numbers.of_delivery(id));
        Ok(())
    } }
}

/// Begins a delivery whose payload follows in parts: `ferrion_sender_write` adds to it, `ferrion_sender_finish` or
/// `ferrion_sender_abort` end it. Parameters are those of `ferrion_sender_send_with`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_stream(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    tag: *const u8,
    tag_len: usize,
    options: *const ferrion_send_options_t,
    out_delivery: *mut ferrion_delivery_t,
) -> ferrion_status {
    ffi_fn! { object engine, bytes tag tag_len, maybe_object options, out out_delivery => {
        let id = engine.sender(link)?.stream(tag, given(options.as_deref()))?;
        out_delivery.set(engine.numbers.of_delivery(Some(id)));
        Ok(())
    } }
}

/// Adds octets to a delivery that was begun with `ferrion_sender_stream`. They are copied. To bound what waits, look at
/// `ferrion_sender_queued_octets`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_write(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object engine, bytes data len => {
        let (mut sender, id) = engine.sent(link, delivery)?;
        Ok(sender.write(id, Bytes::copy_from_slice(data))?)
    } }
}

/// A delivery that was begun with `ferrion_sender_stream` is complete.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_finish(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
) -> ferrion_status {
    ffi_fn! { object engine => {
        let (mut sender, id) = engine.sent(link, delivery)?;
        Ok(sender.finish(id)?)
    } }
}

/// Calls off a delivery that was begun with `ferrion_sender_stream`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_abort(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
) -> ferrion_status {
    ffi_fn! { object engine => {
        let (mut sender, id) = engine.sent(link, delivery)?;
        Ok(sender.abort(id)?)
    } }
}

/// Tells the receiver the state of a delivery at this side, without settling it. The state is a described value; see
/// `ferrion_value_put_accepted` and its like.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_update(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
    state: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, object state => {
        let state = given_state(&state)?.ok_or_else(|| Failure::invalid("a state belongs here"))?;
        let (mut sender, id) = engine.sent(link, delivery)?;
        Ok(sender.update(id, state)?)
    } }
}

/// Settles a delivery: it is forgotten here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_settle(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
) -> ferrion_status {
    ffi_fn! { object engine => {
        let (mut sender, id) = engine.sent(link, delivery)?;
        Ok(sender.settle(id)?)
    } }
}

/// Settles a delivery with a state of this side's, which may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_settle_as(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    delivery: ferrion_delivery_t,
    state: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, maybe_object state => {
        let state = maybe_state(state.as_deref())?;
        let (mut sender, id) = engine.sent(link, delivery)?;
        Ok(sender.settle_as(id, state)?)
    } }
}

/// Messages that can be sent at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_credit(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object engine, out out_n => {
        out_n.set(engine.sender(link)?.credit());
        Ok(())
    } }
}

/// Messages that were sent by calls and have not left yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_queued(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object engine, out out_n => {
        out_n.set(engine.sender(link)?.queued());
        Ok(())
    } }
}

/// Octets of payload that were sent by calls and have not left yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_queued_octets(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object engine, out out_n => {
        out_n.set(engine.sender(link)?.queued_octets());
        Ok(())
    } }
}

/// Whether a delivery that was sent waits here, whole or in part, for the session's window or the transport.
/// FERRION_STALE_HANDLE: it is settled and forgotten already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_is_queued(
    engine: *const ferrion_engine_t,
    delivery: ferrion_delivery_t,
    out_queued: *mut bool,
) -> ferrion_status {
    ffi_fn! { object engine, out out_queued => {
        let id = engine.numbers.delivery(delivery)?;
        out_queued.set(engine.engine.is_queued(id)?);
        Ok(())
    } }
}

/// Whether the receiver asks to have its credit used up or given back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_is_draining(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
    out_draining: *mut bool,
) -> ferrion_status {
    ffi_fn! { object engine, out out_draining => {
        out_draining.set(engine.sender(link)?.is_draining());
        Ok(())
    } }
}

/// Gives back the credit that is not used, in answer to a drain.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_sender_drained(
    engine: *mut ferrion_engine_t,
    link: ferrion_link_t,
) -> ferrion_status {
    ffi_fn! { object engine => {
        Ok(engine.sender(link)?.drained()?)
    } }
}

fn maybe_state(state: Option<&Tape>) -> Result<Option<DeliveryState>, Failure> {
    state.map_or(Ok(None), given_state)
}
