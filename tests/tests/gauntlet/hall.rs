//! Where all messages arrive: one listening Messenger, and a book of what it received.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferrion_messenger::{Credit, Error, Flags, Message};

use crate::far::Post;
use crate::round::Promise;
use crate::support::Wire;
use crate::{IDLE, MESSAGES};

/// How often each message of a round was received.
pub(crate) type Tally = Vec<u8>;

/// The receiving side of all rounds.
pub(crate) struct Hall {
    pub(crate) post: Post,
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    rounds: HashMap<u32, Tally>,
    /// Messages that came when their round was over.
    late: usize,
}

impl Hall {
    pub(crate) fn open(wire: Wire, promise: Promise) -> Self {
        let mut messenger = wire.client();
        messenger.set_timeout(None);
        messenger.set_idle_time_out(Some(IDLE));
        messenger.set_link_recovery(promise.recovery());
        messenger.set_incoming_window(1);
        let book = Arc::new(Mutex::new(Book::default()));
        let entries = Arc::clone(&book);
        let post = Post::open(wire, messenger, move |messenger, desk| {
            let mut message = Message::new();
            loop {
                if messenger.recv(Credit::All) == Err(Error::Interrupted)
                    && !desk.goes_on(messenger)
                {
                    return;
                }
                while let Ok(tracker) = messenger.get(&mut message) {
                    // What is accepted was written down before.
                    lock(&entries).enter(message.body_text().unwrap().unwrap());
                    messenger.accept(tracker, Flags::NONE).unwrap();
                }
            }
        });
        Self { post, book }
    }

    pub(crate) fn begin(&self, round: u32) {
        lock(&self.book).rounds.insert(round, vec![0; MESSAGES]);
    }

    /// What was received of a round, which is over by that.
    pub(crate) fn end(&self, round: u32) -> Tally {
        lock(&self.book).rounds.remove(&round).unwrap_or_default()
    }

    /// How many messages came when their round was over.
    pub(crate) fn late(&self) -> usize {
        lock(&self.book).late
    }
}

impl Book {
    fn enter(&mut self, body: &str) {
        let (round, number) = body.split_once(' ').unwrap();
        let (round, number): (u32, usize) = (round.parse().unwrap(), number.parse().unwrap());
        match self.rounds.get_mut(&round) {
            Some(tally) => tally[number] = tally[number].saturating_add(1),
            None => self.late += 1,
        }
    }
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
