//! What one connection has to send, and how far it is.

use std::collections::VecDeque;

use ferrion_messenger::{Message, Messenger, Status, Tracker};

pub(crate) struct Sender {
    pub(crate) number: usize,
    address: String,
    /// Of messages that are not accepted yet, oldest first.
    trackers: VecDeque<Tracker>,
    accepted: usize,
}

impl Sender {
    /// The user makes the connection its own.
    pub(crate) fn new(number: usize, port: u16) -> Self {
        Self {
            number,
            address: format!("amqp://c{number}@127.0.0.1:{port}/crowd"),
            trackers: VecDeque::new(),
            accepted: 0,
        }
    }

    pub(crate) const fn accepted(&self) -> usize {
        self.accepted
    }

    pub(crate) fn under_way(&self) -> usize {
        self.trackers.len()
    }

    pub(crate) fn put_so_far(&self) -> usize {
        self.accepted + self.trackers.len()
    }

    pub(crate) fn put(&mut self, messenger: &mut Messenger) {
        let mut message = Message::with_body(format!("{} {}", self.number, self.put_so_far()));
        message.set_address(self.address.as_str());
        self.trackers.push_back(messenger.put(&message).unwrap());
    }

    /// Counts what was accepted since.
    pub(crate) fn look(&mut self, messenger: &Messenger) {
        while let Some(tracker) = self.trackers.front() {
            match messenger.status(*tracker) {
                Status::Pending => return,
                Status::Accepted => {}
                other => panic!("{other}: {:?}", messenger.reason(*tracker)),
            }
            self.accepted += 1;
            self.trackers.pop_front();
        }
    }
}
