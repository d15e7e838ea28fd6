//! Passive mode: the caller's own loop waits, and the messenger works when it is told to.

#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use crate::messenger::Messenger;

/// Passive mode, for programs that have a loop of their own: `poll(2)`, asyncio, tokio and their like.
///
/// A loop needs three things of a messenger. **One descriptor** ([`descriptor`](Self::descriptor)) stands
/// for all it has to do with the world: connections, listeners, names that are looked up, interrupts. It never
/// changes, and becomes readable when there is something to do; there is nothing else to watch. **A deadline**
/// ([`deadline`](Self::deadline)) says when it has to work at the latest all the same: it is to be asked again
/// after each call. **[`work`](Self::work)** with a timeout of zero then does what can be done at once, and
/// never waits.
///
/// ```no_run
/// # use std::time::Duration;
/// # fn wait_until_readable(_: i32, _: Option<Duration>) {}
/// # let mut messenger = ferrion_messenger::Messenger::new()?;
/// messenger.set_passive(true);
/// messenger.subscribe("~127.0.0.1")?;
/// loop {
///     // poll(2), or whatever else waits for this and other things.
///     wait_until_readable(messenger.descriptor(), messenger.deadline());
///     messenger.work(Some(Duration::ZERO))?;
///     // ... recv, get, put, send: none of them does any I/O.
/// }
/// # #[expect(unreachable_code)]
/// # Ok::<(), ferrion_messenger::Error>(())
/// ```
impl Messenger {
    /// Whether only [`work`](Self::work) does I/O. Default false.
    #[must_use]
    pub const fn is_passive(&self) -> bool {
        self.passive
    }

    /// Sets whether only [`work`](Self::work) does I/O. All other calls then change nothing but the
    /// messenger itself and answer at once, with [`Error::InProgress`](crate::Error::InProgress) if they
    /// are not finished: call them again after some work. That a listening address cannot be listened on
    /// is told by [`recv`](Self::recv) then.
    pub const fn set_passive(&mut self, passive: bool) {
        self.passive = passive;
    }

    /// What the caller's loop is to watch: when it is readable there is something to [`work`](Self::work)
    /// on. It is the same as long as the messenger lives, belongs to it, and is not to be read from.
    ///
    /// Loops that tell of changes only, as tokio and `epoll` with `EPOLLET` do, must take back that it was
    /// readable before they call [`work`](Self::work), not after.
    #[cfg(unix)]
    #[must_use]
    pub fn descriptor(&self) -> RawFd {
        self.driver.registry().as_raw_fd()
    }

    /// In how much time [`work`](Self::work) has to be called, whether or not there is news: heartbeats,
    /// time-outs, what was put, subscribed or decided since the last time. Zero means now; `None`, that
    /// nothing is due. It is rounded up to whole milliseconds.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        if self.core.has_work() {
            return Some(Duration::ZERO);
        }
        let due = self.driver.patience(&self.core, self.until_stopped());
        // A loop that counts in milliseconds must not wake up too early, and then again and again.
        due.map(|due| {
            let whole = due.as_nanos().div_ceil(1_000_000);
            Duration::from_millis(u64::try_from(whole).unwrap_or(u64::MAX))
        })
    }
}

#[cfg(unix)]
impl AsRawFd for Messenger {
    /// The [descriptor](Messenger::descriptor).
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor()
    }
}

#[cfg(unix)]
impl AsFd for Messenger {
    /// The [descriptor](Messenger::descriptor).
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.driver.registry().as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn an_interrupt_that_comes_in_the_middle_of_work_is_due_at_once() {
        let mut messenger = Messenger::new().unwrap();
        messenger.set_passive(true);
        assert_eq!(messenger.deadline(), None);
        // As if it came after `work` had asked for one, and before it looked at the poll.
        messenger.interrupter().interrupt();
        let (core, driver) = (&mut messenger.core, &mut messenger.driver);
        driver
            .turn(core, Some(Duration::ZERO), |_, _| true)
            .unwrap();
        assert_eq!(messenger.deadline(), Some(Duration::ZERO));
        let worked = messenger.work(Some(Duration::ZERO));
        assert_eq!(worked, Err(Error::Interrupted));
        assert_eq!(messenger.deadline(), None);
    }
}
