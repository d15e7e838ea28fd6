//! How a message is sent: what is said of a delivery besides its tag and its payload.

use ferrion_engine::SendOptions;

use super::state::given_state;
use crate::guard::{Root, free};
use crate::status::ferrion_status;
use crate::value::ferrion_value_t;

/// How a message is sent, for `ferrion_sender_send_with` and its like. One object serves for any number of messages.
#[derive(Debug)]
pub struct ferrion_send_options_t {
    root: Root<SendOptions>,
}
object!(ferrion_send_options_t, SendOptions);

/// Options of an AMQP message that waits for its outcome, and of which nothing else is said.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_send_options_new() -> *mut ferrion_send_options_t {
    ffi_fn! { => core::ptr::null_mut(); {
        Ok(Box::into_raw(Box::new(ferrion_send_options_t { root: Root::new(SendOptions::default()) })))
    } }
}

/// Frees them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_send_options_free(options: *mut ferrion_send_options_t) {
    ffi_fn! { => (); {
        // SAFETY: they came from `ferrion_send_options_new` and are not used again, as the header demands.
        unsafe { free(options) };
        Ok(())
    } }
}

/// Whether the delivery is settled by being sent: then there will be no outcome, and it has no handle. Default false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_send_options_set_settled(
    options: *mut ferrion_send_options_t,
    settled: bool,
) -> ferrion_status {
    ffi_fn! { object options => {
        options.settled = settled;
        Ok(())
    } }
}

/// Whether the receiver need not hurry to tell its outcome, so that it can tell that of many at once (2.7.5). Default
/// false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_send_options_set_batchable(
    options: *mut ferrion_send_options_t,
    batchable: bool,
) -> ferrion_status {
    ffi_fn! { object options => {
        options.batchable = batchable;
        Ok(())
    } }
}

/// The format of the payload (2.8.11). Default 0, an AMQP message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_send_options_set_message_format(
    options: *mut ferrion_send_options_t,
    message_format: u32,
) -> ferrion_status {
    ffi_fn! { object options => {
        options.message_format = message_format;
        Ok(())
    } }
}

/// The delivery's state at this side, said on every transfer of it: that it belongs to a transaction (4.4.1), for
/// example; see `ferrion_value_put_transactional`. Not `received`, which is for deliveries that are resumed: with that,
/// sending answers FERRION_STATE. NULL, or a value that is null: none, as by default.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_send_options_set_state(
    options: *mut ferrion_send_options_t,
    state: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object options, maybe_object state => {
        options.state = match state {
            Some(state) => given_state(&state)?,
            None => None,
        };
        Ok(())
    } }
}

/// The options that C gives; null is those of a new object.
pub(super) fn given(options: Option<&SendOptions>) -> &SendOptions {
    const PLAIN: &SendOptions = &SendOptions {
        message_format: 0,
        settled: false,
        state: None,
        batchable: false,
    };
    options.unwrap_or(PLAIN)
}
