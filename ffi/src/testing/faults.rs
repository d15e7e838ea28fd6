//! Panics where a test wants them: it names an object, and one of the next calls on it panics.

use core::sync::atomic::{AtomicUsize, Ordering};

/// The address of the object that is to suffer a fault; 0 for none.
#[unsafe(no_mangle)]
#[allow(
    non_upper_case_globals,
    reason = "C programs set it, and it is named as they name things"
)]
pub static ferrion_testing_faulty: AtomicUsize = AtomicUsize::new(0);

/// How many calls on that object go well before.
#[unsafe(no_mangle)]
#[allow(
    non_upper_case_globals,
    reason = "C programs set it, and it is named as they name things"
)]
pub static ferrion_testing_calls_before: AtomicUsize = AtomicUsize::new(0);

/// Panics if this is the call and the object. Each object that a call has entered by then is inside.
pub(crate) fn fault(object: usize) {
    if object != ferrion_testing_faulty.load(Ordering::Relaxed) {
        return;
    }
    let before = ferrion_testing_calls_before.load(Ordering::Relaxed);
    match before.checked_sub(1) {
        Some(left) => ferrion_testing_calls_before.store(left, Ordering::Relaxed),
        None => {
            // Once: others may be made at the same address.
            ferrion_testing_faulty.store(0, Ordering::Relaxed);
            panic!("a fault that a test planted");
        }
    }
}
