//! What is known of addresses.

use core::ffi::c_char;

use ferrion_messenger::Error;

use super::{Inner, ferrion_messenger_t, milliseconds, status_of};
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;

/// What went wrong last at an address, for a person: with the connection to its host and port, or with the link to or from
/// its name; of a listening address, why it cannot be listened on. Routes are applied first. The newest 1,024 addresses
/// are kept, also where all is well again since. FERRION_ABSENT, here and below: nothing went wrong. FERRION_ADDRESS: the
/// address cannot be understood.
///
/// Borrowed until: the next call on this messenger.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_address_reason(
    messenger: *mut ferrion_messenger_t,
    address: *const c_char,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object messenger, text address, out out_text => {
        let text = fault(&messenger, address)?.to_string();
        out_text.set(messenger.lend(text));
        Ok(())
    } }
}

/// The status that this reason has as a failure: FERRION_CONNECT where no connection could be made, for example.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_address_status(
    messenger: *const ferrion_messenger_t,
    address: *const c_char,
    out_status: *mut ferrion_status,
) -> ferrion_status {
    ffi_fn! { object messenger, text address, out out_status => {
        out_status.set(status_of(fault(&messenger, address)?));
        Ok(())
    } }
}

/// The error condition that the peer gave as its reason, "amqp:not-found" for example. FERRION_ABSENT: it gave none.
///
/// Borrowed until: the next call on this messenger.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_address_condition(
    messenger: *const ferrion_messenger_t,
    address: *const c_char,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object messenger, text address, out out_text => {
        let condition = fault(&messenger, address)?.condition().ok_or_else(Failure::absent)?;
        out_text.set(condition.condition.as_str().into());
        Ok(())
    } }
}

/// After how many milliseconds of silence the peer at an address gives the connection up, as it said when it opened it.
/// Routes are applied first, and no connection is made. FERRION_ABSENT: it never does, or there is no connection to that
/// host and port. FERRION_ADDRESS: the address cannot be understood.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_remote_idle_time_out(
    messenger: *const ferrion_messenger_t,
    address: *const c_char,
    out_milliseconds: *mut i64,
) -> ferrion_status {
    ffi_fn! { object messenger, text address, out out_milliseconds => {
        let silence = messenger.messenger.remote_idle_time_out(address)?.ok_or_else(Failure::absent)?;
        out_milliseconds.set(milliseconds(Some(silence)));
        Ok(())
    } }
}

fn fault<'a>(inner: &'a Inner, address: &str) -> Result<&'a Error, Failure> {
    inner
        .messenger
        .address_reason(address)?
        .ok_or_else(Failure::absent)
}
