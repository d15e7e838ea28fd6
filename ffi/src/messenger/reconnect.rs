//! How connections that fail are made again.

use core::ffi::c_char;
use std::time::Duration;

use ferrion_messenger::Reconnect;

use super::{duration, ferrion_messenger_t, milliseconds};
use crate::guard::{Root, free};
use crate::status::{Failure, ferrion_status};

/// How connections that were lost are made again, for `ferrion_messenger_set_reconnect`. A new one is fit for most.
#[derive(Debug)]
pub struct ferrion_reconnect_t {
    root: Root<Reconnect>,
}
object!(ferrion_reconnect_t, Reconnect);

/// The policy that is fit for most: the first attempt after about 100 ms, each later one after twice the time of the one
/// before, up to 10 s; given up after 60 s; only for connections that were open once.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_reconnect_new() -> *mut ferrion_reconnect_t {
    ffi_fn! { => core::ptr::null_mut(); {
        Ok(Box::into_raw(Box::new(ferrion_reconnect_t { root: Root::new(Reconnect::default()) })))
    } }
}

/// Frees the policy. Messengers that were given it keep it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_reconnect_free(reconnect: *mut ferrion_reconnect_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_reconnect_new` and is not used again, as the header demands.
        unsafe { free(reconnect) };
        Ok(())
    } }
}

/// How many milliseconds pass before the first attempt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_reconnect_first_delay(
    reconnect: *const ferrion_reconnect_t,
    out_milliseconds: *mut u64,
) -> ferrion_status {
    ffi_fn! { object reconnect, out out_milliseconds => {
        out_milliseconds.set(whole(reconnect.first_delay));
        Ok(())
    } }
}

/// Sets how many milliseconds pass before the first attempt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_reconnect_set_first_delay(
    reconnect: *mut ferrion_reconnect_t,
    milliseconds: u64,
) -> ferrion_status {
    ffi_fn! { object reconnect => {
        reconnect.first_delay = Duration::from_millis(milliseconds);
        Ok(())
    } }
}

/// How many milliseconds pass between attempts at most.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_reconnect_max_delay(
    reconnect: *const ferrion_reconnect_t,
    out_milliseconds: *mut u64,
) -> ferrion_status {
    ffi_fn! { object reconnect, out out_milliseconds => {
        out_milliseconds.set(whole(reconnect.max_delay));
        Ok(())
    } }
}

/// Sets how many milliseconds pass between attempts at most.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_reconnect_set_max_delay(
    reconnect: *mut ferrion_reconnect_t,
    milliseconds: u64,
) -> ferrion_status {
    ffi_fn! { object reconnect => {
        reconnect.max_delay = Duration::from_millis(milliseconds);
        Ok(())
    } }
}

/// For how many milliseconds a connection may fail, without one message getting through or standing for the longest delay,
/// before it is given up with an error, and its messages with it; negative never does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_reconnect_give_up_after(
    reconnect: *const ferrion_reconnect_t,
    out_milliseconds: *mut i64,
) -> ferrion_status {
    ffi_fn! { object reconnect, out out_milliseconds => {
        out_milliseconds.set(milliseconds(reconnect.give_up_after));
        Ok(())
    } }
}

/// Sets for how many milliseconds a connection may fail before it is given up; negative never does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_reconnect_set_give_up_after(
    reconnect: *mut ferrion_reconnect_t,
    milliseconds: i64,
) -> ferrion_status {
    ffi_fn! { object reconnect => {
        reconnect.give_up_after = duration(milliseconds);
        Ok(())
    } }
}

/// Whether a connection that was never open is tried again too. If not, an address at which nobody listens is an error at
/// once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_reconnect_initial(
    reconnect: *const ferrion_reconnect_t,
    out_initial: *mut bool,
) -> ferrion_status {
    ffi_fn! { object reconnect, out out_initial => {
        out_initial.set(reconnect.initial);
        Ok(())
    } }
}

/// Sets whether a connection that was never open is tried again too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_reconnect_set_initial(
    reconnect: *mut ferrion_reconnect_t,
    initial: bool,
) -> ferrion_status {
    ffi_fn! { object reconnect => {
        reconnect.initial = initial;
        Ok(())
    } }
}

/// Makes `reconnect` the same as the policy of the messenger. FERRION_ABSENT: it has none, and lost connections are not made
/// again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_reconnect(
    messenger: *const ferrion_messenger_t,
    reconnect: *mut ferrion_reconnect_t,
) -> ferrion_status {
    ffi_fn! { object messenger, object reconnect => {
        *reconnect = messenger.messenger.reconnect().ok_or_else(Failure::absent)?.clone();
        Ok(())
    } }
}

/// Sets how connections that fail are made again: behind the scenes, with their subscriptions and senders, and messages in the
/// outgoing window that were not answered are sent again. Such a message may arrive twice, never not at all. The
/// policy is copied; unless set it is what `ferrion_reconnect_new` makes. With NULL a lost connection is a failure of the next
/// `ferrion_messenger_send` or `ferrion_messenger_recv`, and its messages are ABORTED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_reconnect(
    messenger: *mut ferrion_messenger_t,
    reconnect: *const ferrion_reconnect_t,
) -> ferrion_status {
    ffi_fn! { object messenger, maybe_object reconnect => {
        messenger.messenger.set_reconnect(reconnect.map(|reconnect| reconnect.clone()));
        Ok(())
    } }
}

/// Sets the seed from which the delays between attempts are varied, so that a run can be repeated; it is random unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_reconnect_seed(
    messenger: *mut ferrion_messenger_t,
    seed: u64,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_reconnect_seed(seed);
        Ok(())
    } }
}

/// Sets where else an address may be found, by host and port: addresses with commas between them, "node-b, node-c:5673" for
/// example, which are tried in turn if it fails. They speak its scheme, and get its user and password. Replaces what was
/// set for the address before; NULL or an empty text removes it. Concerns connections made from then on.
///
/// FERRION_ADDRESS: one of them cannot be understood.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_alternatives(
    messenger: *mut ferrion_messenger_t,
    address: *const c_char,
    others: *const c_char,
) -> ferrion_status {
    ffi_fn! { object messenger, text address, maybe_text others => {
        let others = others.unwrap_or_default().trim();
        let others = others.split(',').map(str::trim).filter(|_| !others.is_empty());
        Ok(messenger.messenger.set_alternatives(address, others)?)
    } }
}

/// Whole milliseconds.
pub(super) fn whole(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
