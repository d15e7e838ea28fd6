//! Who may enter an object: one call at a time, whichever threads they come from. Every order in which they can is tried by the
//! model in `tests/interleavings`, which brings atomics of its own.

use super::{AtomicU8, Ordering};

const IDLE: u8 = 0;
const BUSY: u8 = 1;
pub(crate) const POISONED: u8 = 2;

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Gate(AtomicU8);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(AtomicU8::new(IDLE))
    }

    /// Enters, or says in which state that was refused. Who enters sees all that was done by who left last.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Result<(), u8> {
        self.0
            .compare_exchange(IDLE, BUSY, Ordering::Acquire, Ordering::Relaxed)
            .map(drop)
    }

    /// Who entered leaves.
    #[inline(always)]
    pub(crate) fn leave(&self) {
        self.0.store(IDLE, Ordering::Release);
    }

    /// Who entered leaves, and nobody enters again.
    pub(crate) fn poison(&self) {
        self.0.store(POISONED, Ordering::Release);
    }
}
