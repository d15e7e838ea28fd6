//! The header and the properties of a message, a getter and a setter for each field.

use core::ffi::c_char;

use bytes::Bytes;
use ferrion_engine::codec::{Symbol, Timestamp};

use super::ferrion_message_t;
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;

/// The address of the node that the message is for. FERRION_ABSENT: it has none.
///
/// Borrowed until: the next call that changes this message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_address(
    message: *const ferrion_message_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object message, out out_text => {
        out_text.set(message.message.address()?.ok_or_else(Failure::absent)?.into());
        Ok(())
    } }
}

/// Sets the address of the node that the message is for. NULL removes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_address(
    message: *mut ferrion_message_t,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object message, maybe_text text => {
        match text {
            Some(text) => message.message.set_address(text),
            None => message.message.properties_mut()?.to = None,
        }
        Ok(())
    } }
}

/// What the message is about. FERRION_ABSENT: it has none.
///
/// Borrowed until: the next call that changes this message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_subject(
    message: *const ferrion_message_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object message, out out_text => {
        out_text.set(message.message.subject()?.ok_or_else(Failure::absent)?.into());
        Ok(())
    } }
}

/// Sets what the message is about. NULL removes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_subject(
    message: *mut ferrion_message_t,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object message, maybe_text text => {
        match text {
            Some(text) => message.message.set_subject(text),
            None => message.message.properties_mut()?.subject = None,
        }
        Ok(())
    } }
}

/// The address of the node that replies go to. FERRION_ABSENT: it has none.
///
/// Borrowed until: the next call that changes this message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_reply_to(
    message: *const ferrion_message_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object message, out out_text => {
        out_text.set(message.message.reply_to()?.ok_or_else(Failure::absent)?.into());
        Ok(())
    } }
}

/// Sets the address of the node that replies go to. NULL removes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_reply_to(
    message: *mut ferrion_message_t,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object message, maybe_text text => {
        match text {
            Some(text) => message.message.set_reply_to(text),
            None => message.message.properties_mut()?.reply_to = None,
        }
        Ok(())
    } }
}

/// The group that the message belongs to. FERRION_ABSENT: it has none.
///
/// Borrowed until: the next call that changes this message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_group_id(
    message: *const ferrion_message_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object message, out out_text => {
        out_text.set(message.message.group_id()?.ok_or_else(Failure::absent)?.into());
        Ok(())
    } }
}

/// Sets the group that the message belongs to. NULL removes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_group_id(
    message: *mut ferrion_message_t,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object message, maybe_text text => {
        match text {
            Some(text) => message.message.set_group_id(text),
            None => message.message.properties_mut()?.group_id = None,
        }
        Ok(())
    } }
}

/// The group that replies belong to. FERRION_ABSENT: it has none.
///
/// Borrowed until: the next call that changes this message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_reply_to_group_id(
    message: *const ferrion_message_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object message, out out_text => {
        out_text.set(message.message.reply_to_group_id()?.ok_or_else(Failure::absent)?.into());
        Ok(())
    } }
}

/// Sets the group that replies belong to. NULL removes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_reply_to_group_id(
    message: *mut ferrion_message_t,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object message, maybe_text text => {
        match text {
            Some(text) => message.message.set_reply_to_group_id(text),
            None => message.message.properties_mut()?.reply_to_group_id = None,
        }
        Ok(())
    } }
}

/// The MIME type of a body of data. FERRION_ABSENT: not said.
///
/// Borrowed until: the next call that changes this message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_content_type(
    message: *const ferrion_message_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object message, out out_text => {
        out_text.set(message.message.content_type()?.ok_or_else(Failure::absent)?.into());
        Ok(())
    } }
}

/// Sets the MIME type of a body of data; ASCII. NULL removes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_content_type(
    message: *mut ferrion_message_t,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object message, maybe_text text => {
        match text {
            Some(text) => message.message.set_content_type(Symbol::try_from(text)?),
            None => message.message.properties_mut()?.content_type = None,
        }
        Ok(())
    } }
}

/// The encodings that were applied to the body on top of its type. FERRION_ABSENT: not said.
///
/// Borrowed until: the next call that changes this message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_content_encoding(
    message: *const ferrion_message_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object message, out out_text => {
        out_text.set(message.message.content_encoding()?.ok_or_else(Failure::absent)?.into());
        Ok(())
    } }
}

/// Sets the encodings that were applied to the body on top of its type; ASCII. NULL removes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_content_encoding(
    message: *mut ferrion_message_t,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object message, maybe_text text => {
        match text {
            Some(text) => message.message.set_content_encoding(Symbol::try_from(text)?),
            None => message.message.properties_mut()?.content_encoding = None,
        }
        Ok(())
    } }
}

/// The identity of the user that made the message. FERRION_ABSENT: not said.
///
/// Borrowed until: the next call that changes this message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_user_id(
    message: *const ferrion_message_t,
    out_data: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object message, out out_data => {
        out_data.set(message.message.user_id()?.ok_or_else(Failure::absent)?.into());
        Ok(())
    } }
}

/// Sets the identity of the user that made the message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_user_id(
    message: *mut ferrion_message_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object message, bytes data len => {
        message.message.set_user_id(Bytes::copy_from_slice(data));
        Ok(())
    } }
}

/// Whether the message must survive a crash of the node it is on; false unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_durable(
    message: *const ferrion_message_t,
    out_durable: *mut bool,
) -> ferrion_status {
    ffi_fn! { object message, out out_durable => {
        out_durable.set(message.message.durable()?);
        Ok(())
    } }
}

/// Sets whether the message must survive a crash of the node it is on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_durable(
    message: *mut ferrion_message_t,
    durable: bool,
) -> ferrion_status {
    ffi_fn! { object message => {
        message.message.set_durable(durable);
        Ok(())
    } }
}

/// Whether no other receiver has acquired the message before; false unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_first_acquirer(
    message: *const ferrion_message_t,
    out_first: *mut bool,
) -> ferrion_status {
    ffi_fn! { object message, out out_first => {
        out_first.set(message.message.first_acquirer()?);
        Ok(())
    } }
}

/// Sets whether no other receiver has acquired the message before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_first_acquirer(
    message: *mut ferrion_message_t,
    first: bool,
) -> ferrion_status {
    ffi_fn! { object message => {
        message.message.set_first_acquirer(first);
        Ok(())
    } }
}

/// The priority of the message; higher ones may overtake; 4 unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_priority(
    message: *const ferrion_message_t,
    out_priority: *mut u8,
) -> ferrion_status {
    ffi_fn! { object message, out out_priority => {
        out_priority.set(message.message.priority()?);
        Ok(())
    } }
}

/// Sets the priority of the message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_priority(
    message: *mut ferrion_message_t,
    priority: u8,
) -> ferrion_status {
    ffi_fn! { object message => {
        message.message.set_priority(priority);
        Ok(())
    } }
}

/// How many deliveries of the message failed before; 0 unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_delivery_count(
    message: *const ferrion_message_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object message, out out_n => {
        out_n.set(message.message.delivery_count()?);
        Ok(())
    } }
}

/// Sets how many deliveries of the message failed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_delivery_count(
    message: *mut ferrion_message_t,
    n: u32,
) -> ferrion_status {
    ffi_fn! { object message => {
        message.message.set_delivery_count(n);
        Ok(())
    } }
}

/// How long the message is worth delivering, in milliseconds. FERRION_ABSENT: it does not age.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_ttl(
    message: *const ferrion_message_t,
    out_milliseconds: *mut u32,
) -> ferrion_status {
    ffi_fn! { object message, out out_milliseconds => {
        out_milliseconds.set(message.message.ttl()?.ok_or_else(Failure::absent)?);
        Ok(())
    } }
}

/// Sets how long the message is worth delivering, in milliseconds. `ferrion_message_set` can remove it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_ttl(
    message: *mut ferrion_message_t,
    milliseconds: u32,
) -> ferrion_status {
    ffi_fn! { object message => {
        message.message.set_ttl(Some(milliseconds));
        Ok(())
    } }
}

/// The time when the message expires, in milliseconds since 1970-01-01T00:00Z. FERRION_ABSENT: it does not expire.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_expiry_time(
    message: *const ferrion_message_t,
    out_milliseconds: *mut i64,
) -> ferrion_status {
    ffi_fn! { object message, out out_milliseconds => {
        out_milliseconds.set(message.message.absolute_expiry_time()?.ok_or_else(Failure::absent)?.0);
        Ok(())
    } }
}

/// Sets the time when the message expires, in milliseconds since 1970-01-01T00:00Z. `ferrion_message_set` can remove it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_expiry_time(
    message: *mut ferrion_message_t,
    milliseconds: i64,
) -> ferrion_status {
    ffi_fn! { object message => {
        message.message.set_absolute_expiry_time(Timestamp(milliseconds));
        Ok(())
    } }
}

/// The time when the message was made, in milliseconds since 1970-01-01T00:00Z. FERRION_ABSENT: not said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_creation_time(
    message: *const ferrion_message_t,
    out_milliseconds: *mut i64,
) -> ferrion_status {
    ffi_fn! { object message, out out_milliseconds => {
        out_milliseconds.set(message.message.creation_time()?.ok_or_else(Failure::absent)?.0);
        Ok(())
    } }
}

/// Sets the time when the message was made, in milliseconds since 1970-01-01T00:00Z. `ferrion_message_set` can remove it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_creation_time(
    message: *mut ferrion_message_t,
    milliseconds: i64,
) -> ferrion_status {
    ffi_fn! { object message => {
        message.message.set_creation_time(Timestamp(milliseconds));
        Ok(())
    } }
}

/// The place of the message in its group. FERRION_ABSENT: not said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_group_sequence(
    message: *const ferrion_message_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object message, out out_n => {
        out_n.set(message.message.group_sequence()?.ok_or_else(Failure::absent)?);
        Ok(())
    } }
}

/// Sets the place of the message in its group. `ferrion_message_set` can remove it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_group_sequence(
    message: *mut ferrion_message_t,
    n: u32,
) -> ferrion_status {
    ffi_fn! { object message => {
        message.message.set_group_sequence(n);
        Ok(())
    } }
}
