//! Where all messages come from: one listening Messenger that sends to whoever asks, by the name of its container.
//!
//! A client asks by a message, whose reply-to is where it wants to have the messages of its round. It asks again when it
//! hears nothing: then it gets what was given up because its connection was lost. Of links that are recovered nothing is
//! given up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferrion_messenger::{Credit, Error, Flags, Message, Messenger, Status, Tracker};

use crate::far::{Desk, Post};
use crate::round::Promise;
use crate::support::Wire;
use crate::{IDLE, MESSAGES};

/// How often is looked at what became of messages.
const PACE: Duration = Duration::from_millis(5);

/// The sending side of rounds in which clients receive.
pub(crate) struct Fountain {
    pub(crate) post: Post,
    book: Arc<Mutex<HashMap<u32, Sent>>>,
}

/// What became of the messages of a round.
#[derive(Default)]
struct Sent {
    messages: Vec<State>,
    /// How many of the first are accepted.
    accepted: usize,
    /// Messages that were put once more, as the one before was given up.
    again: usize,
}

/// What became of one.
#[derive(Clone, Copy)]
enum State {
    Unsent,
    Put(Tracker),
    Accepted,
}

impl Fountain {
    pub(crate) fn open(wire: Wire, promise: Promise) -> Self {
        let mut messenger = wire.client();
        messenger.set_timeout(Some(PACE));
        messenger.set_idle_time_out(Some(IDLE));
        messenger.set_link_recovery(promise.recovery());
        messenger.set_incoming_window(1);
        messenger.set_outgoing_window(usize::MAX);
        let book = Arc::new(Mutex::new(HashMap::new()));
        let entries = Arc::clone(&book);
        let post = Post::open(wire, messenger, move |messenger, desk| {
            serve(messenger, desk, &entries);
        });
        Self { post, book }
    }

    pub(crate) fn begin(&self, round: u32) {
        let sent = Sent {
            messages: vec![State::Unsent; MESSAGES],
            ..Sent::default()
        };
        lock(&self.book).insert(round, sent);
    }

    /// Whether every message of the round is accepted.
    pub(crate) fn is_done(&self, round: u32) -> bool {
        lock(&self.book)
            .get(&round)
            .is_none_or(|sent| sent.accepted == MESSAGES)
    }

    /// Ends a round: how many messages were accepted, and how many had to be put again.
    pub(crate) fn end(&self, round: u32) -> (usize, usize) {
        let sent = lock(&self.book).remove(&round).unwrap_or_default();
        (sent.accepted, sent.again)
    }
}

fn serve(messenger: &mut Messenger, desk: &Desk, book: &Mutex<HashMap<u32, Sent>>) {
    let mut message = Message::new();
    loop {
        // That a peer was lost is told by the trackers of what it did not answer, and sometimes by `recv` as well.
        if messenger.recv(Credit::All) == Err(Error::Interrupted) && !desk.goes_on(messenger) {
            return;
        }
        while let Ok(tracker) = messenger.get(&mut message) {
            let round = message.body_text().unwrap().unwrap().parse().unwrap();
            let address = message.reply_to().unwrap().unwrap().to_owned();
            messenger.accept(tracker, Flags::NONE).unwrap();
            if let Some(sent) = lock(book).get_mut(&round) {
                sent.give(messenger, round, &address);
            }
        }
        for sent in lock(book).values_mut() {
            sent.look(messenger);
        }
    }
}

impl Sent {
    /// Puts what was not put yet, and what was given up.
    fn give(&mut self, messenger: &mut Messenger, round: u32, address: &str) {
        let mut message = Message::new();
        message.set_address(address);
        for (number, state) in self.messages.iter_mut().enumerate() {
            let before = match *state {
                State::Unsent => None,
                State::Put(tracker) if messenger.status(tracker) == Status::Aborted => {
                    Some(tracker)
                }
                State::Put(_) | State::Accepted => continue,
            };
            message.set_body(format!("{round} {number}"));
            // It may have left already, and asks again when it is back.
            let Ok(tracker) = messenger.put(&message) else {
                return;
            };
            *state = State::Put(tracker);
            if let Some(before) = before {
                self.again += 1;
                messenger.settle(before, Flags::NONE).unwrap();
            }
        }
    }

    /// Counts what has been accepted since.
    fn look(&mut self, messenger: &mut Messenger) {
        while let Some(state) = self.messages.get_mut(self.accepted)
            && let State::Put(tracker) = *state
            && messenger.status(tracker) == Status::Accepted
        {
            messenger.settle(tracker, Flags::NONE).unwrap();
            *state = State::Accepted;
            self.accepted += 1;
        }
    }
}

fn lock(book: &Mutex<HashMap<u32, Sent>>) -> MutexGuard<'_, HashMap<u32, Sent>> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
