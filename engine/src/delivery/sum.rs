//! What counts against what a connection may hold until it goes, in many places and many ways.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

/// The octets of all of it. Shared with everything that counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum(Arc<AtomicUsize>);

impl Sum {
    #[inline]
    pub(crate) fn octets(&self) -> u64 {
        self.0.load(Ordering::Relaxed) as u64
    }

    /// So much more counts, for as long as the answer lives.
    pub(crate) fn share(&self, octets: usize) -> Share {
        self.0.fetch_add(octets, Ordering::Relaxed);
        let sum = self.clone();
        Share { octets, sum }
    }
}

/// What one thing counts.
#[derive(Debug)]
pub(crate) struct Share {
    octets: usize,
    sum: Sum,
}

impl Share {
    pub(super) const fn octets(&self) -> u64 {
        self.octets as u64
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.sum.0.fetch_sub(self.octets, Ordering::Relaxed);
    }
}
