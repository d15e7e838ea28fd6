//! What is known of addresses.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::messenger::Messenger;

/// What is known of addresses. [Routes](Messenger::route) are applied to them first.
impl Messenger {
    /// What went wrong last at an address, from the beginning on and also if all is well again since: with the connection
    /// to its host and port, or with the link to or from its name. Of a listening address, why it cannot be listened
    /// on. `None` if nothing did. The newest 1,024 addresses with errors are kept.
    ///
    /// What became of single messages is told by their trackers: see [`reason`](Self::reason).
    ///
    /// ```
    /// # use ferrion_messenger::{ErrorKind, Message, Messenger};
    /// # let mut messenger = Messenger::new()?;
    /// # let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    /// let orders = format!("amqp://{closed}/orders"); // where nobody listens
    /// let mut message = Message::with_body("one of each");
    /// message.set_address(orders.as_str());
    /// messenger.put(&message)?;
    /// messenger.send().unwrap_err();
    /// let error = messenger.address_reason(&orders)?.unwrap();
    /// assert_eq!(error.kind(), ErrorKind::Connect);
    /// # Ok::<(), ferrion_messenger::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidAddress`]: it cannot be understood.
    pub fn address_reason(&self, address: &str) -> Result<Option<&Error>> {
        self.core.address_reason(address)
    }

    /// After how much silence the peer at an address gives the connection up, as it said when it opened it (2.4.5). `None`
    /// if it never does, or if there is no connection to that host and port; none is made.
    ///
    /// Such a peer hears of this messenger in time by itself, as long as there is a call that waits, or
    /// [`work`](Self::work).
    ///
    /// # Errors
    /// [`Error::InvalidAddress`]: it cannot be understood.
    pub fn remote_idle_time_out(&self, address: &str) -> Result<Option<Duration>> {
        let ms = self.core.remote_idle_time_out(address)?;
        Ok(ms.map(|ms| Duration::from_millis(ms.into())))
    }
}
