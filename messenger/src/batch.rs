//! Many messages with one call, and messages that are sent on as they are.

use bytes::Bytes;
use ferrion_engine::message::Message;

use crate::core::tracker::Tracker;
use crate::error::Result;
use crate::messenger::Messenger;

/// Batches, and messages that are encoded already.
impl Messenger {
    /// [Puts](Self::put) one message after the other, and appends their trackers to `trackers`.
    ///
    /// ```
    /// use ferrion_messenger::{Credit, Flags, Message, Messenger};
    ///
    /// let mut receiver = Messenger::new()?;
    /// receiver.set_incoming_window(1000);
    /// let subscription = receiver.subscribe("~127.0.0.1:0")?;
    /// let port = receiver.subscription_port(subscription).unwrap();
    /// let receiving = std::thread::spawn(move || {
    ///     let mut messages = Vec::new();
    ///     let mut count = 0;
    ///     while count < 100 {
    ///         receiver.recv(Credit::All)?;
    ///         let last = receiver.get_many(&mut messages, 1000)?;
    ///         count += messages.len();
    ///         receiver.accept(last, Flags::CUMULATIVE)?;
    ///     }
    ///     receiver.stop()
    /// });
    ///
    /// let mut sender = Messenger::new()?;
    /// let messages: Vec<Message> = (0..100)
    ///     .map(|number| {
    ///         let mut message = Message::with_body(format!("number {number}"));
    ///         message.set_address(format!("127.0.0.1:{port}"));
    ///         message
    ///     })
    ///     .collect();
    /// let mut trackers = Vec::new();
    /// sender.put_many(&messages, &mut trackers)?;
    /// sender.stop()?;
    /// # receiving.join().unwrap()?;
    /// # Ok::<(), ferrion_messenger::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`put`](Self::put), of the first message that cannot be put. Those before it are, and
    /// their trackers tell how many they were.
    pub fn put_many<'m>(
        &mut self,
        messages: impl IntoIterator<Item = &'m Message>,
        trackers: &mut Vec<Tracker>,
    ) -> Result<()> {
        for message in messages {
            trackers.push(self.put(message)?);
        }
        Ok(())
    }

    /// [Gets](Self::get) up to `most` messages, at least one, in place of what `messages` were, and answers the
    /// tracker of the last: with [`Flags::CUMULATIVE`](crate::Flags::CUMULATIVE) one
    /// [`accept`](Self::accept) is for all, if the [incoming window](Self::set_incoming_window) holds them.
    ///
    /// # Errors
    /// As for [`get`](Self::get), of the first message that cannot be got; also that there is none. Those
    /// before it are in `messages`, and [`incoming_tracker`](Self::incoming_tracker) is that of the last.
    pub fn get_many(&mut self, messages: &mut Vec<Message>, most: usize) -> Result<Tracker> {
        let count = most.min(self.incoming()).max(1);
        let mut last = None;
        for at in 0..count {
            if messages.len() == at {
                messages.push(Message::new());
            }
            let got = match messages.get_mut(at) {
                Some(message) => self.get(message),
                None => break,
            };
            match got {
                Ok(tracker) => last = Some(tracker),
                Err(error) => {
                    messages.truncate(at);
                    return Err(error);
                }
            }
        }
        messages.truncate(count);
        last.ok_or(crate::error::Error::EndOfQueue)
    }

    /// As [`put`](Self::put), of a message that is encoded already, to an address that need not be its `to`.
    /// Nothing in it is changed.
    ///
    /// # Errors
    /// As for [`put`](Self::put), of the address. [`Error::Decode`](crate::Error::Decode): the octets are not the
    /// sections of a message; what is in the sections is not looked at.
    pub fn put_encoded(&mut self, address: &str, message: impl Into<Bytes>) -> Result<Tracker> {
        let message = Message::decode(message)?;
        self.forward(&message, address)
    }

    /// Sends a message on to another address. No section is decoded for it, and nothing is changed: not
    /// even its `to`. Of a message that [`get`](Self::get) gave not even a copy is made.
    ///
    /// What the caller changed of such a message since is sent as changed, and all other sections with the
    /// octets that they came with: who only adds annotations or changes the header leaves the bare
    /// message (3.2) as its sender made it.
    ///
    /// A relay loses nothing if its sender is told only what became of the message further on. Both windows have to be as large
    /// as what is under way: who leaves the incoming one undecided is accepted.
    ///
    /// ```
    /// use ferrion_messenger::{Credit, Flags, Message, Messenger, Result, Status};
    ///
    /// /// Sends on what has come, and tells where that came from what became of it. What is lost on the way is given back.
    /// fn relay(messenger: &mut Messenger, to: &str) -> Result<()> {
    ///     let mut message = Message::new();
    ///     let mut under_way = Vec::new();
    ///     while messenger.incoming() > 0 && under_way.len() < messenger.outgoing_window() {
    ///         let from = messenger.get(&mut message)?;
    ///         message.set_delivery_count(0);
    ///         under_way.push((from, messenger.forward(&message, to)?));
    ///     }
    ///     let sent = messenger.send();
    ///     for (from, onward) in under_way {
    ///         match messenger.status(onward) {
    ///             Status::Accepted => messenger.accept(from, Flags::NONE)?,
    ///             Status::Rejected => messenger.reject(from, Flags::NONE)?,
    ///             _ => messenger.release(from, Flags::NONE)?,
    ///         }
    ///     }
    ///     sent
    /// }
    /// # let mut end = Messenger::new()?;
    /// # let subscription = end.subscribe("~127.0.0.1:0")?;
    /// # let end_port = end.subscription_port(subscription).unwrap();
    /// # let ended = std::thread::spawn(move || -> Result<String> {
    /// #     end.recv(Credit::All)?;
    /// #     let mut message = Message::new();
    /// #     end.get(&mut message)?;
    /// #     end.stop()?;
    /// #     Ok(message.body_text()?.unwrap_or_default().to_owned())
    /// # });
    ///
    /// let mut messenger = Messenger::new()?;
    /// messenger.set_incoming_window(100);
    /// messenger.set_outgoing_window(100);
    /// # let subscription = messenger.subscribe("~127.0.0.1:0")?;
    /// # let port = messenger.subscription_port(subscription).unwrap();
    /// # let sent = std::thread::spawn(move || -> Result<Status> {
    /// #     let mut sender = Messenger::new()?;
    /// #     sender.set_outgoing_window(1);
    /// #     let mut message = Message::with_body("on its way");
    /// #     message.set_address(format!("127.0.0.1:{port}"));
    /// #     let tracker = sender.put(&message)?;
    /// #     sender.send()?;
    /// #     Ok(sender.status(tracker))
    /// # });
    /// messenger.recv(Credit::All)?;
    /// # let to = &format!("127.0.0.1:{end_port}/next");
    /// relay(&mut messenger, to)?;
    /// # messenger.stop()?;
    /// # assert_eq!(sent.join().unwrap()?, Status::Accepted);
    /// # assert_eq!(ended.join().unwrap()?, "on its way");
    /// # Ok::<(), ferrion_messenger::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`put`](Self::put), of the address that is given here; what is in the message is not looked at.
    pub fn forward(&mut self, message: &Message, address: &str) -> Result<Tracker> {
        let octets = message.to_bytes();
        self.put_by(|core| core.put_octets(address, octets.clone()))
    }
}
