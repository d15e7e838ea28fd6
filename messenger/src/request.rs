//! Requests and replies.

use std::time::Duration;

use ferrion_engine::message::Message;

use crate::core::tracker::Tracker;
use crate::error::{Error, Result};
use crate::messenger::Messenger;

/// Names a request that was sent, until its reply is taken or it is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(u64);

impl RequestId {
    /// The request as a plain number, never 0 and below 2^61.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The request that [`to_bits`](Self::to_bits) gave.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

/// Requests and replies.
///
/// All requests over one connection share one reply address, which the peer makes up (a dynamic
/// node, 3.5.3), and are told apart by correlation-ids (3.2.4). Replies do not mix with what
/// [`recv`](Self::recv) lets come, and need no call of it.
///
/// ```
/// use ferrion_messenger::{Credit, Flags, Message, Messenger};
///
/// let mut server = Messenger::new()?;
/// let subscription = server.subscribe("~127.0.0.1:0")?;
/// let port = server.subscription_port(subscription).unwrap();
/// let serving = std::thread::spawn(move || {
///     let mut request = Message::new();
///     server.recv(Credit::All)?;
///     let tracker = server.get(&mut request)?;
///     let mut reply = server.reply_to(tracker, &request)?;
///     reply.set_body(request.body_text()?.unwrap_or_default().to_uppercase());
///     server.put(&reply)?;
///     server.stop()
/// });
///
/// let mut client = Messenger::new()?;
/// let mut question = Message::with_body("hello");
/// question.set_address(format!("127.0.0.1:{port}/upper"));
/// let answer = client.request(&question)?;
/// assert_eq!(answer.body_text()?, Some("HELLO"));
/// client.stop()?;
/// # serving.join().unwrap()?;
/// # Ok::<(), ferrion_messenger::Error>(())
/// ```
impl Messenger {
    /// Sends a request to the address it carries, and waits for the reply, at most for the
    /// [timeout](Self::set_timeout). After an error the request is [cancelled](Self::cancel_request).
    ///
    /// # Errors
    /// - Those of [`send_request`](Self::send_request) and [`reply`](Self::reply).
    /// - [`Error::State`] in non-blocking and passive mode, which have [`send_request`](Self::send_request)
    ///   and [`poll_reply`](Self::poll_reply).
    pub fn request(&mut self, message: &Message) -> Result<Message> {
        if !self.waits() {
            return Err(Error::State(
                "request() waits; in non-blocking mode use send_request() and poll_reply()",
            ));
        }
        let id = self.send_request(message)?;
        let mut reply = Message::new();
        if let Err(error) = self.reply(id, &mut reply) {
            self.cancel_request(id);
            return Err(error);
        }
        Ok(reply)
    }

    /// Sends a request to the address it carries, and does not wait. There may be many.
    ///
    /// The request is not changed. The copy that is sent has a `reply-to`, a `message-id` and a
    /// `correlation-id` of the messenger's own, and its `to` rewritten as by [`put`](Self::put). It is sent
    /// unsettled, whatever the outgoing window is: a receiver that does not take it ends it.
    ///
    /// The time for the reply is the [timeout](Self::timeout) that is set now. When a connection is
    /// [made again](crate::Reconnect), or the link is [sent elsewhere](crate::ConnectionEvent::Redirected),
    /// requests without a reply are sent again, also those that were accepted, with another reply address: a server may
    /// see one twice, or two servers the same.
    ///
    /// # Errors
    /// - [`Error::InvalidAddress`], [`Error::Decode`]: as for [`put`](Self::put).
    /// - [`Error::Overflow`]: the requests without a reply have more octets together than the
    ///   [high-water mark](Self::set_high_water) allows.
    /// - [`Error::State`]: 65,536 requests are outstanding; or replies that nobody took have as many octets as
    ///   [may wait](Self::set_incoming_high_water).
    pub fn send_request(&mut self, message: &Message) -> Result<RequestId> {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let patience = self.timeout.map(millis);
        self.core.send_request(message, patience).map(RequestId)
    }

    /// Waits for the reply to a request, and puts it in place of what `reply` was.
    ///
    /// # Errors
    /// - [`Error::Connect`], [`Error::Tls`], [`Error::WebSocket`], [`Error::Login`], [`Error::Lost`], [`Error::Remote`],
    ///   [`Error::Send`]: there will be no reply, for this reason.
    /// - [`Error::Timeout`]: the time of the request is over. A reply that comes later is dropped.
    /// - [`Error::Decode`]: what came cannot be read.
    /// - [`Error::State`]: there is no such request (any more). After each error above there is none.
    /// - [`Error::Interrupted`], and [`Error::InProgress`] in non-blocking mode: call again.
    pub fn reply(&mut self, request: RequestId, reply: &mut Message) -> Result<()> {
        // The request has a time limit of its own.
        let waited = self.wait(None, |core| core.is_answered(request.0), |_| String::new());
        match waited {
            Ok(()) => {}
            Err(Error::InProgress) if self.core.is_answered(request.0) => {}
            Err(error) => return Err(error),
        }
        match self.poll_reply(request, reply) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::InProgress),
            Err(error) => Err(error),
        }
    }

    /// Takes the reply to a request if it has come, and answers whether it had. Does no I/O: call
    /// [`work`](Self::work) in between.
    ///
    /// ```
    /// # use ferrion_messenger::{Message, Messenger};
    /// # fn ask(client: &mut Messenger, questions: &[Message]) -> ferrion_messenger::Result<()> {
    /// let mut waiting = Vec::new();
    /// for question in questions {
    ///     waiting.push(client.send_request(question)?);
    /// }
    /// let mut reply = Message::new();
    /// while !waiting.is_empty() {
    ///     client.work(None)?;
    ///     for request in std::mem::take(&mut waiting) {
    ///         match client.poll_reply(request, &mut reply) {
    ///             Ok(true) => println!("{:?}", reply.body()?),
    ///             Ok(false) => waiting.push(request),
    ///             Err(error) => println!("no reply: {error}"),
    ///         }
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// # ask(&mut Messenger::new()?, &[])?;
    /// # Ok::<(), ferrion_messenger::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`reply`](Self::reply) that end a request, apart from waiting: never [`Error::InProgress`] nor
    /// [`Error::Interrupted`]. That there is no reply yet is `false`.
    pub fn poll_reply(&mut self, request: RequestId, reply: &mut Message) -> Result<bool> {
        match self.core.take_reply(request.0)? {
            Some(octets) => {
                reply.load_lenient(octets)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Gives a request up: it is not sent any more if it was not yet, and a reply is dropped. Answers
    /// whether there was such a request.
    pub fn cancel_request(&mut self, request: RequestId) -> bool {
        self.core.cancel_request(request.0)
    }

    /// Requests that wait for their reply.
    #[must_use]
    pub const fn requests(&self) -> usize {
        self.core.outstanding_requests()
    }

    /// An empty reply to a message that [`get`](Self::get) gave: addressed to its `reply-to`, and with its
    /// `correlation-id`, or else its `message-id`, as `correlation-id`.
    ///
    /// A `reply-to` that names a node only is one of the peer's that the request came from. The address
    /// may carry the password with which that connection was made; it does not leave with the message. If
    /// another peer sent the link to that one ([`Redirected`](crate::ConnectionEvent::Redirected)), it is the
    /// address of where the link is, without user and password.
    /// To a host that the `reply-to` names, no user and password go: whoever asks could name any host. (An
    /// ordinary [`put`](Self::put) to the text of a `reply-to` does use the messenger's credentials.)
    ///
    /// # Errors
    /// - [`Error::UnknownTracker`]: it is neither in the incoming window nor of the last message got.
    /// - [`Error::InvalidAddress`]: the request has no `reply-to`.
    /// - [`Error::Decode`]: a field that is needed of the request cannot be decoded.
    pub fn reply_to(&self, tracker: Tracker, request: &Message) -> Result<Message> {
        let address = self.core.reply_address(tracker, request)?;
        let mut reply = Message::new();
        reply.set_address(address);
        let own = match request.correlation_id()? {
            Some(id) => Some(id),
            None => request.message_id()?,
        };
        if let Some(id) = own {
            reply.set_correlation_id(id);
        }
        Ok(reply)
    }
}
