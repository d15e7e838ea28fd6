//! What something costs, in processor time of this thread: other work of the machine does not count.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Runs it, and tells how much processor time it took.
pub(crate) fn cost(run: impl FnOnce()) -> Duration {
    let before = now();
    run();
    now().saturating_sub(before)
}

fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap())
}
