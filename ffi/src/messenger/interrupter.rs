//! What ends a waiting call from elsewhere.

use ferrion_messenger::Interrupter;

use super::ferrion_messenger_t;
use crate::guard::free;
use crate::status::ferrion_status;

/// Ends a waiting call of its messenger. May be used from any thread and from a signal handler, at any time: while the
/// messenger waits, while it is being freed, and afterwards.
#[derive(Debug)]
pub struct ferrion_interrupter_t {
    interrupter: Interrupter,
}

/// What can interrupt this messenger. It is freed by itself, before or after the messenger.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_interrupter_new(
    messenger: *const ferrion_messenger_t,
) -> *mut ferrion_interrupter_t {
    ffi_fn! { shared messenger => core::ptr::null_mut(); {
        let interrupter = messenger.interrupter.clone();
        Ok(Box::into_raw(Box::new(ferrion_interrupter_t { interrupter })))
    } }
}

/// Frees the interrupter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_interrupter_free(interrupter: *mut ferrion_interrupter_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_interrupter_new` and is not used again, as the header demands.
        unsafe { free(interrupter) };
        Ok(())
    } }
}

/// Makes the call that waits on the messenger, or else the next one that would, answer FERRION_INTERRUPTED. If the
/// messenger is gone, nothing happens.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_interrupter_interrupt(
    interrupter: *const ferrion_interrupter_t,
) -> ferrion_status {
    ffi_fn! { shared interrupter => {
        interrupter.interrupter.interrupt();
        Ok(())
    } }
}
