//! What becomes of messages.

use core::ffi::c_char;

use ferrion_engine::codec::{Fields, Symbol, Value};
use ferrion_engine::protocol::{Condition, Modified};
use ferrion_messenger::{Flags, Status as Outcome};

use super::{ferrion_messenger_t, ferrion_tracker_t, status_of};
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;
use crate::value::ferrion_value_t;

/// What became of a message.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_delivery_status {
    /// The tracker is outside its window, was settled and forgotten, or never was.
    FERRION_DELIVERY_UNKNOWN = 0,
    /// No outcome yet.
    FERRION_DELIVERY_PENDING = 1,
    /// The receiver accepted it.
    FERRION_DELIVERY_ACCEPTED = 2,
    /// The receiver rejected it as invalid.
    FERRION_DELIVERY_REJECTED = 3,
    /// The receiver gave it back, untouched.
    FERRION_DELIVERY_RELEASED = 4,
    /// The receiver gave it back, with changes.
    FERRION_DELIVERY_MODIFIED = 5,
    /// It was not sent, or its fate cannot be known any more.
    FERRION_DELIVERY_ABORTED = 6,
    /// The other side settled it without saying how it ended.
    FERRION_DELIVERY_SETTLED = 7,
}

/// How `accept` and its like understand their tracker.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_flags {
    /// Only the message of the tracker.
    FERRION_SINGLE = 0,
    /// That message, and every earlier one in the window that has no outcome yet.
    FERRION_CUMULATIVE = 1,
}

/// What became of a message in the window.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_status(
    messenger: *const ferrion_messenger_t,
    tracker: ferrion_tracker_t,
    out_status: *mut ferrion_delivery_status,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_status => {
        out_status.set(match messenger.messenger.status(tracker.check()?) {
            Outcome::Unknown => ferrion_delivery_status::FERRION_DELIVERY_UNKNOWN,
            Outcome::Pending => ferrion_delivery_status::FERRION_DELIVERY_PENDING,
            Outcome::Accepted => ferrion_delivery_status::FERRION_DELIVERY_ACCEPTED,
            Outcome::Rejected => ferrion_delivery_status::FERRION_DELIVERY_REJECTED,
            Outcome::Released => ferrion_delivery_status::FERRION_DELIVERY_RELEASED,
            Outcome::Modified => ferrion_delivery_status::FERRION_DELIVERY_MODIFIED,
            Outcome::Aborted => ferrion_delivery_status::FERRION_DELIVERY_ABORTED,
            Outcome::Settled => ferrion_delivery_status::FERRION_DELIVERY_SETTLED,
        });
        Ok(())
    } }
}

/// Why a message that was put was not accepted, for a person. FERRION_ABSENT: nothing is known against it.
///
/// Borrowed until: the next call on this messenger.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_reason(
    messenger: *mut ferrion_messenger_t,
    tracker: ferrion_tracker_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_text => {
        let reason = messenger.messenger.reason(tracker.check()?).ok_or_else(Failure::absent)?;
        let text = reason.to_string();
        out_text.set(messenger.lend(text));
        Ok(())
    } }
}

/// The status that the reason of `ferrion_messenger_reason` has as a failure: FERRION_CONNECT for a message that was lost
/// because no connection could be made, for example. FERRION_ABSENT: nothing is known against it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_reason_status(
    messenger: *const ferrion_messenger_t,
    tracker: ferrion_tracker_t,
    out_status: *mut ferrion_status,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_status => {
        let reason = messenger.messenger.reason(tracker.check()?).ok_or_else(Failure::absent)?;
        out_status.set(status_of(reason));
        Ok(())
    } }
}

/// The error condition with which a message that was put was refused, "amqp:not-found" for example. FERRION_ABSENT: there
/// is none.
///
/// Borrowed until: the next call on this messenger.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_condition(
    messenger: *const ferrion_messenger_t,
    tracker: ferrion_tracker_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_text => {
        let condition = messenger.messenger.condition(tracker.check()?).ok_or_else(Failure::absent)?;
        out_text.set(condition.condition.as_str().into());
        Ok(())
    } }
}

/// The text for people that came with that condition. FERRION_ABSENT: none did.
///
/// Borrowed until: the next call on this messenger.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_condition_description(
    messenger: *const ferrion_messenger_t,
    tracker: ferrion_tracker_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_text => {
        let condition = messenger.messenger.condition(tracker.check()?);
        let description = condition.and_then(|condition| condition.description.as_ref());
        out_text.set(description.ok_or_else(Failure::absent)?.as_str().into());
        Ok(())
    } }
}

/// The map with more that came with that condition. FERRION_ABSENT: none did.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_condition_info(
    messenger: *const ferrion_messenger_t,
    tracker: ferrion_tracker_t,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object messenger, object out_value => {
        let condition = messenger.messenger.condition(tracker.check()?);
        let info = condition.and_then(|condition| condition.info.as_ref());
        out_value.fill([Value::Map(info.ok_or_else(Failure::absent)?.to_map())]);
        Ok(())
    } }
}

/// Takes responsibility for a message that was got, and settles it. `flags` is a `ferrion_flags`.
///
/// FERRION_UNKNOWN_TRACKER, here and in what follows: no such message was got, or it left the window, which accepted it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_accept(
    messenger: *mut ferrion_messenger_t,
    tracker: ferrion_tracker_t,
    flags: i32,
) -> ferrion_status {
    ffi_fn! { object messenger => { Ok(messenger.messenger.accept(tracker.check()?, flags_from(flags)?)?) } }
}

/// Refuses a message that was got as invalid, and settles it. The reason is an error condition, a text for people, and a
/// map with more for programs that know the condition; without a condition (NULL) there is none, and the other two may be
/// NULL in any case. `flags` is a `ferrion_flags`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_reject(
    messenger: *mut ferrion_messenger_t,
    tracker: ferrion_tracker_t,
    flags: i32,
    condition: *const c_char,
    description: *const c_char,
    info: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object messenger, maybe_text condition, maybe_text description, maybe_object info => {
        let (tracker, flags) = (tracker.check()?, flags_from(flags)?);
        match condition {
            Some(condition) => {
                let mut why = Condition::new(Symbol::try_from(condition)?);
                why.description = description.map(Into::into);
                why.info = match info {
                    Some(info) => info.single_map()?.map(Fields::from),
                    None => None,
                };
                messenger.messenger.reject_with(tracker, flags, why)?;
            }
            None => messenger.messenger.reject(tracker, flags)?,
        }
        Ok(())
    } }
}

/// Gives a message that was got back as if it had never come, and settles it. `flags` is a `ferrion_flags`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_release(
    messenger: *mut ferrion_messenger_t,
    tracker: ferrion_tracker_t,
    flags: i32,
) -> ferrion_status {
    ffi_fn! { object messenger => { Ok(messenger.messenger.release(tracker.check()?, flags_from(flags)?)?) } }
}

/// Gives a message that was got back with changes, and settles it: whether the attempt counts as `failed`, whether it
/// should not come `here` again, and a map of annotations to add, which may be NULL. `flags` is a `ferrion_flags`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_modify(
    messenger: *mut ferrion_messenger_t,
    tracker: ferrion_tracker_t,
    flags: i32,
    failed: bool,
    not_here: bool,
    annotations: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object messenger, maybe_object annotations => {
        let annotations = match annotations {
            Some(annotations) => annotations.single_map()?.map(Fields::from),
            None => None,
        };
        let changes = Modified {
            delivery_failed: failed.then_some(true),
            undeliverable_here: not_here.then_some(true),
            message_annotations: annotations,
        };
        Ok(messenger.messenger.modify(tracker.check()?, flags_from(flags)?, changes)?)
    } }
}

/// Forgets a message of either direction, whatever became of it. `flags` is a `ferrion_flags`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_settle(
    messenger: *mut ferrion_messenger_t,
    tracker: ferrion_tracker_t,
    flags: i32,
) -> ferrion_status {
    ffi_fn! { object messenger => { Ok(messenger.messenger.settle(tracker.check()?, flags_from(flags)?)?) } }
}

/// The flags that a number from C names.
fn flags_from(number: i32) -> Result<Flags, Failure> {
    u32::try_from(number)
        .ok()
        .and_then(Flags::from_bits)
        .ok_or_else(|| Failure::invalid(format!("{number} is not a ferrion_flags")))
}
