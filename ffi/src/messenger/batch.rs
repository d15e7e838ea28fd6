//! Many messages with one call, and messages that are sent on as they are.

use core::ffi::c_char;

use bytes::Bytes;

use super::{ferrion_messenger_t, ferrion_tracker_t};
use crate::message::ferrion_message_t;
use crate::messages::ferrion_messages_t;
use crate::status::ferrion_status;

/// Puts those of the messages that were not put yet, one after the other, as `ferrion_messenger_put` does;
/// `ferrion_messages_tracker` has the tracker of each afterwards.
///
/// The failures are those of `ferrion_messenger_put`, of the first message that cannot be put. Those before it are: after
/// FERRION_OVERFLOW and some work, the same call puts the rest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_put_many(
    messenger: *mut ferrion_messenger_t,
    messages: *mut ferrion_messages_t,
) -> ferrion_status {
    ffi_fn! { object messenger, object messages => {
        for item in messages.items() {
            let was_put = item.tracker.is_some_and(|tracker| !tracker.is_incoming());
            if !was_put {
                item.tracker = Some(messenger.messenger.put(&item.message)?);
            }
        }
        Ok(())
    } }
}

/// Gets up to `most` messages, at least one, in place of what `messages` were. The tracker of the last is, with
/// FERRION_CUMULATIVE, for all of them, if the incoming window holds them. `out_last` may be NULL.
///
/// The failures are those of `ferrion_messenger_get`, of the first message that cannot be got. FERRION_END: none waits.
/// FERRION_DECODE: those before it are in `messages`, and `ferrion_messenger_incoming_tracker` is that of the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_get_many(
    messenger: *mut ferrion_messenger_t,
    messages: *mut ferrion_messages_t,
    most: usize,
    out_last: *mut ferrion_tracker_t,
) -> ferrion_status {
    ffi_fn! { object messenger, object messages, optional out_last => {
        let count = most.min(messenger.messenger.incoming()).max(1);
        messages.clear();
        let mut last = ferrion_tracker_t(0);
        for _ in 0..count {
            messages.append(|message| {
                let tracker = messenger.messenger.get(message)?;
                last = tracker.into();
                Ok::<_, ferrion_messenger::Error>(Some(tracker))
            })?;
        }
        out_last.set(last);
        Ok(())
    } }
}

/// Puts a message that is encoded already, for an address that need not be the one it carries. Nothing in it is changed, and
/// what is in its sections is not looked at. `out_tracker` may be NULL.
///
/// FERRION_ADDRESS, FERRION_OVERFLOW: as for `ferrion_messenger_put`. FERRION_DECODE: the octets are not the sections of
/// a message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_put_encoded(
    messenger: *mut ferrion_messenger_t,
    address: *const c_char,
    data: *const u8,
    len: usize,
    out_tracker: *mut ferrion_tracker_t,
) -> ferrion_status {
    ffi_fn! { object messenger, text address, bytes data len, optional out_tracker => {
        let tracker = messenger.messenger.put_encoded(address, Bytes::copy_from_slice(data))?;
        out_tracker.set(tracker.into());
        Ok(())
    } }
}

/// Sends a message on to another address. No section is decoded for it, and nothing is changed but what the caller changed
/// since it was got: not even the address that it carries. `out_tracker` may be NULL.
///
/// The failures are those of `ferrion_messenger_put`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_forward(
    messenger: *mut ferrion_messenger_t,
    message: *const ferrion_message_t,
    address: *const c_char,
    out_tracker: *mut ferrion_tracker_t,
) -> ferrion_status {
    ffi_fn! { object messenger, object message, text address, optional out_tracker => {
        let tracker = messenger.messenger.forward(&message.message, address)?;
        out_tracker.set(tracker.into());
        Ok(())
    } }
}
