//! Lost connections: how they are made again, and what is told of it.

use std::time::Duration;

use crate::error::Error;

/// How a connection that failed is made again.
///
/// A connection that was open once, and fails while it is needed, is made again behind the scenes: its subscriptions
/// and senders are attached anew, and messages in the
/// [outgoing window](crate::Messenger::set_outgoing_window) that the peer has not answered are sent again. Such a
/// message may arrive twice (at least once), never not at all; [`LinkRecovery`](crate::LinkRecovery) is for exactly once. Messages that were sent settled and
/// were on their way are lost, and [`send`](crate::Messenger::send) says so.
///
/// The first attempt follows after about [`first_delay`](Self::first_delay), each later one after
/// twice the time of the one before, up to [`max_delay`](Self::max_delay). Each delay is varied by up to a
/// quarter, so that a thousand clients do not come back in step. With
/// [alternatives](crate::Messenger::set_alternatives) the next one is tried at once, and the delay comes
/// after the last of them.
///
/// A peer that closes a connection with `amqp:connection:redirect` (2.8.16) is followed at once, whatever the policy, up to
/// five times before anything gets through: to the network host and port that it names, where the hostname that it names is
/// who the certificate must be for. [`set_credentials`](crate::Messenger::set_credentials) says what is shown there. If
/// nobody is there, that is a failure as any other: the next attempt, after its delay, is at the place that was asked for.
///
/// A peer that ends or refuses one link with `amqp:link:redirect` (2.8.18) is followed in the same way, by this link only: it is
/// attached on another connection, where the peer says, and messages that were not answered are sent again there. When that
/// place fails, its links wait as long as this policy says, and go back to what was asked for. Without a policy nothing is kept
/// to be sent again: what was not answered when the link was sent away is [`Aborted`](crate::Status::Aborted).
///
/// ```
/// use std::time::Duration;
/// use ferrion_messenger::{Messenger, Reconnect};
///
/// let mut messenger = Messenger::new()?;
/// let patient = Reconnect {
///     give_up_after: None,
///     initial: true,
///     ..Reconnect::default()
/// };
/// messenger.set_reconnect(Some(patient));
/// messenger.set_alternatives("amqp://node-a", ["node-b", "node-c:5673"])?;
/// # Ok::<(), ferrion_messenger::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// What passes before the first attempt. Default 100 ms.
    pub first_delay: Duration,
    /// The most that passes between attempts. Default 10 s.
    pub max_delay: Duration,
    /// How long a connection may fail, without one message getting through or standing for
    /// [`max_delay`](Self::max_delay), before it is given up with an error, and its messages with it. `None` never does. Default 60 s.
    pub give_up_after: Option<Duration>,
    /// Whether a connection that was never open is tried again too. If not, the default, an address
    /// at which nobody listens is an error at once.
    pub initial: bool,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            first_delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(10),
            give_up_after: Some(Duration::from_secs(60)),
            initial: false,
        }
    }
}

/// What happened to a connection, in the order in which it did.
///
/// See [`poll_connection_event`](crate::Messenger::poll_connection_event).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// The peer answered: the connection is there.
    Connected {
        /// Where to.
        address: String,
    },
    /// The connection failed, or could not be made.
    Failed {
        /// Where to.
        address: String,
        /// Why.
        error: Error,
    },
    /// It will be made again.
    Retrying {
        /// Where to: another address than before if there are alternatives.
        address: String,
        /// How many attempts have failed since a message last got through.
        failures: u32,
        /// When.
        delay: Duration,
    },
    /// A link was attached again, and both sides knew what had become of what: nothing is lost, and nothing came twice.
    /// See [`LinkRecovery`](crate::LinkRecovery).
    Recovered {
        /// The node at the peer.
        address: String,
        /// Messages of which both sides knew.
        resumed: u32,
        /// Messages that were sent again as they had not arrived.
        sent_again: u32,
    },
    /// Links are to be recovered, and the peer does not know what became of what on this one: it cannot recover, or it has
    /// forgotten, or there was too much to tell.
    Forgotten {
        /// The node at the peer.
        address: String,
        /// Messages that are sent again as the peer had not answered them. It may have had them already.
        sent_again: u32,
        /// Messages from the peer about which nothing was decided: it cannot be told of any decision any more.
        aborted: u32,
    },
    /// The peer sends a link elsewhere (2.8.18), where it is attached now. Messages that the peer had not answered are sent
    /// again there, and so are requests without a reply, though the peer had accepted them: it may have had them already.
    /// Without a [policy](Reconnect) messages are [`Aborted`](crate::Status::Aborted) instead; requests are sent again.
    Redirected {
        /// The node there.
        address: String,
        /// What the peer said, and of which node.
        error: Error,
    },
    /// A peer has attached a link to receive by, on whichever side's connection: a program that listens learns here whom it can
    /// send to. Told of only while the link is there; there is no other limit to how many are.
    ///
    /// Nobody checks what a peer calls itself: who it is, is for [passwords](crate::Messenger::set_listener_passwords) or certificates to say.
    /// What is put to `amqp://CONTAINER/NODE` goes to one of the peers of that name, and to a host of that name when none is there.
    Subscribed {
        /// Where to put messages for this link: a name that is made up for it. When the peer has left, to put there is an
        /// [error](crate::Error::Send); with [`LinkRecovery`](crate::LinkRecovery) it waits for the peer to come back.
        address: String,
        /// What the peer calls itself.
        container: String,
        /// The node that it asked for, or that was made up as it asked for one. May be empty.
        node: String,
    },
    /// It will not be made again, unless something is put or received there.
    GivenUp {
        /// Where to.
        address: String,
        /// Why.
        error: Error,
    },
}
