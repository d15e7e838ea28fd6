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
