//! Passive mode: the caller's own loop waits, and the messenger works when it is told to.

use super::{ferrion_messenger_t, milliseconds};
use crate::status::ferrion_status;

/// Whether only `ferrion_messenger_work` does network work; false unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_passive(
    messenger: *const ferrion_messenger_t,
    out_passive: *mut bool,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_passive => {
        out_passive.set(messenger.messenger.is_passive());
        Ok(())
    } }
}

/// Sets whether only `ferrion_messenger_work` does network work. All other calls then answer at once, with
/// FERRION_WOULD_BLOCK if they are not finished: make them again after some work. That a listening address cannot be
/// listened on is told by `ferrion_messenger_recv` then.
///
/// A loop of the caller's needs three things: the descriptor to watch, the deadline to wake up at, and work for zero
/// milliseconds whenever one of them says so.
///
/// ```c
/// for (;;) {
///   struct pollfd watched = {descriptor, POLLIN, 0};
///   ferrion_messenger_deadline(messenger, &milliseconds);
///   poll(&watched, 1, milliseconds > INT_MAX ? INT_MAX : (int)milliseconds);
///   ferrion_messenger_work(messenger, 0, NULL);
///   ... recv, get, put, send: none of them does any I/O.
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_passive(
    messenger: *mut ferrion_messenger_t,
    passive: bool,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_passive(passive);
        Ok(())
    } }
}

/// What the caller's loop is to watch: one descriptor for connections, listeners, names that are looked up and interrupts.
/// When it is readable there is something to work on, and there is nothing else to watch, writing included. It is the
/// same until the messenger is freed, belongs to it, and is not to be read from or closed.
///
/// Loops that tell of changes only (EPOLLET) must take back that it was readable before the work, not after.
///
/// FERRION_UNSUPPORTED: this system has nothing of the kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_descriptor(
    messenger: *const ferrion_messenger_t,
    out_descriptor: *mut i32,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_descriptor => {
        #[cfg(unix)]
        out_descriptor.set(messenger.messenger.descriptor());
        #[cfg(not(unix))]
        {
            let (_, _) = (messenger, out_descriptor);
            return Err(crate::status::Failure::new(
                ferrion_status::FERRION_UNSUPPORTED,
                "this system has no descriptors that stand for others: call ferrion_messenger_work from time to time",
            ));
        }
        #[cfg(unix)]
        Ok(())
    } }
}

/// In how many milliseconds `ferrion_messenger_work` has to be called whether or not there is news: for heartbeats,
/// time-outs, and what was put, subscribed or decided since the last time. 0 means now, and negative that nothing is due, as
/// `poll(2)` has it. It is to be asked again after each call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_deadline(
    messenger: *const ferrion_messenger_t,
    out_milliseconds: *mut i64,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_milliseconds => {
        out_milliseconds.set(milliseconds(messenger.messenger.deadline()));
        Ok(())
    } }
}
