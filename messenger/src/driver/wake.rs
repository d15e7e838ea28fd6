//! The one thing other threads may touch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::Waker;
use raised::Raised;

mod raised;

/// Ends a blocking call of a [`Messenger`](crate::Messenger) from any other thread.
///
/// ```
/// use ferrion_messenger::{Credit, Error, Messenger};
/// let mut messenger = Messenger::new()?;
/// messenger.subscribe("~127.0.0.1:0")?;
/// let interrupter = messenger.interrupter();
/// let other = std::thread::spawn(move || interrupter.interrupt());
/// assert_eq!(messenger.recv(Credit::All), Err(Error::Interrupted));
/// # other.join().unwrap();
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Interrupter {
    raised: Arc<Raised>,
    waker: Arc<Waker>,
}

impl Interrupter {
    pub(crate) fn new(waker: Arc<Waker>) -> Self {
        Self {
            raised: Arc::new(Raised::new()),
            waker,
        }
    }

    /// Makes the blocking call that is under way, or else the next one, answer
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn interrupt(&self) {
        // If the messenger is gone there is nobody left to wake.
        self.raised.raise(|| drop(self.waker.wake()));
    }

    /// Whether an interrupt waits.
    pub(crate) fn waits(&self) -> bool {
        self.raised.waits()
    }

    /// Whether an interrupt waits; takes it.
    pub(crate) fn take(&self) -> bool {
        self.raised.take()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ferrion_engine::Time;

    use crate::{Error, Message, Messenger};

    #[test]
    fn a_turn_that_looked_at_the_poll_for_something_due_does_not_wait_where_an_interrupt_came() {
        let mut messenger = Messenger::new().unwrap();
        messenger.set_passive(true);
        messenger.set_timeout(Some(Duration::from_millis(1)));
        let mut request = Message::with_body("x");
        request.set_address("127.0.0.1");
        messenger.send_request(&request).unwrap();
        let interrupter = messenger.interrupter();
        let (core, driver) = (&mut messenger.core, &mut messenger.driver);
        core.pump(Time(0));
        // Nobody connects: nothing is due but the request, which has waited for long.
        while core.next_action().is_some() {}
        driver.start -= Duration::from_secs(1);
        assert_eq!(core.deadline(), Some(Time(1)));
        // As if it came after the call had asked for one.
        interrupter.interrupt();
        let prepared = driver.prepare(core, None, |_, _| false).unwrap();
        assert_eq!(prepared, (true, Some(Duration::ZERO)));
        assert_eq!(core.deadline(), None);
        assert_eq!(messenger.work(None), Err(Error::Interrupted));
    }
}
