//! Whether an interrupt waits: what one thread writes while another looks. Every order in which they can is tried by the model in
//! `tests/interleavings`, which brings atomics of its own.

use super::{AtomicBool, Ordering};

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Raised(AtomicBool);

impl Raised {
    pub(crate) fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Raises it, and only then wakes who waits: whoever is woken finds it raised.
    pub(crate) fn raise(&self, wake: impl FnOnce()) {
        self.0.store(true, Ordering::Release);
        wake();
    }

    /// Whether one waits. Who looked at the poll since it asked to take one asks this before it waits: that look may have had the
    /// wake, and the poll tells of it once.
    pub(crate) fn waits(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Whether one waits; takes it. Who waits asks this before every turn, for what woke it may have been about something else.
    pub(crate) fn take(&self) -> bool {
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::AcqRel)
    }
}
