//! Link recovery: what it promises, and what it may cost.

use std::time::Duration;

/// That links are recovered (2.6.13), so that between two messengers that both want it each message arrives **exactly
/// once**, also if its connection is lost.
///
/// Without it a message that was sent, and whose outcome the lost connection did not tell, is sent again: it arrives at
/// least once, perhaps twice. With it, each side remembers what is not settled on its links, keeps that when the
/// connection is lost, and compares it with what the other side remembers as soon as there is a connection again:
/// only what did not arrive is sent again, and what was decided meanwhile is told then. Meanwhile
///
/// - trackers of messages that were put are [`Pending`](crate::Status::Pending), and become what the receiver
///   decides, or [`Aborted`](crate::Status::Aborted) when the connection is given up;
/// - messages that were got stay what they were: they can be accepted, rejected, released or modified before, while
///   and after the connection is made again, and their sender hears of it.
///
/// Set it at both sides before the connection is made, with an [outgoing window](crate::Messenger::set_outgoing_window)
/// at the sender that has room for what is under way. The side that connects also needs [`Reconnect`](crate::Reconnect),
/// which it has by default. The receiver settles second (2.8.3) on such links, whatever
/// [`set_rcv_settle_mode`](crate::Messenger::set_rcv_settle_mode) says.
///
/// What is not settled on a link is told in one frame (2.7.3), so the largest that is taken has 1 MiB then, unless
/// [`set_max_frame_size`](crate::Messenger::set_max_frame_size) says otherwise: less bounds how many messages of a link can be
/// told of at once.
///
/// Few peers can do this: of the well-known brokers and libraries, none. With a peer that remembers nothing, or that has
/// forgotten (it was started anew, or it was another one under the same address), what it has not answered is sent
/// again, and what it sent and was not decided here is [`Aborted`](crate::Status::Aborted), for it will come again.
/// [`ConnectionEvent`](crate::ConnectionEvent) says which of the two happened.
///
/// A link that a peer [sends elsewhere](crate::ConnectionEvent::Redirected) is not recovered: what was not settled is known to who
/// sent it away (2.6.13), and to nobody at the place where the link goes on or comes back from. What was not answered is sent again
/// there, at least once, and the events say so.
///
/// Peers that refuse links whose receiver settles second, as RabbitMQ does, get others instead, on which nothing is
/// recovered. What senders that remember nothing sent is settled at once, for some of them, as those made of rhea, would
/// wait for that.
///
/// The fields bound what is kept for peers that connected to this messenger and were lost. They come back or they do not;
/// after that everything of them is freed, and trackers of what they have not answered are
/// [`Aborted`](crate::Status::Aborted). A peer is known again by its container name, and the user or certificate it
/// logged in with, or the token if that named no user: where nobody has to log in, whoever says the name is taken for it.
///
/// ```
/// use ferrion_messenger::{LinkRecovery, Messenger};
///
/// let mut messenger = Messenger::new()?;
/// messenger.set_link_recovery(Some(LinkRecovery::default()));
/// messenger.set_outgoing_window(1000);
/// # Ok::<(), ferrion_messenger::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRecovery {
    /// How long the links of a peer that was lost are kept. Default 2 minutes.
    pub keep_for: Duration,
    /// The most links that are kept, of all lost peers together. Beyond it who has the most gives up those lost longest
    /// ago: users and certificates are told apart, and all who did not log in are one. Default 4,096.
    pub max_links: usize,
    /// The most octets that are kept with them: payloads, what was said of messages where it has more than 64 octets, names
    /// and termini of links, and 128 for each unsettled message and each link; beyond it the same happens. Default 64 MiB.
    pub max_octets: usize,
}

impl Default for LinkRecovery {
    fn default() -> Self {
        Self {
            keep_for: Duration::from_secs(120),
            max_links: 4096,
            max_octets: 64 << 20,
        }
    }
}
