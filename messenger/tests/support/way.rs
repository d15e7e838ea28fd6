//! The ways in which programs live with a messenger: a mode over a wire. A case is written once, for a [`Way`], and
//! [`in_every_way!`] runs it in each.
#![allow(
    clippy::disallowed_methods,
    reason = "a test that must not hang looks at the clock"
)]

use std::ops::{Deref, DerefMut};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ferrion_messenger::{Credit, Error, Flags, Interrupter, Message, Messenger, Result, Tracker};

use super::{PATIENCE, Wire};

/// How a program waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Calls wait.
    Blocking,
    /// Calls do what can be done at once; the program calls `work`, which waits.
    NonBlocking,
    /// Nothing but `work` does any I/O; the program waits by `poll(2)`.
    Passive,
}

/// A mode, and what octets travel through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) mode: Mode,
    pub(crate) wire: Wire,
}

/// Runs each of these functions, which take a [`Way`], in every mode over TCP and TLS, and in one over WebSocket
/// without and with TLS.
macro_rules! in_every_way {
    ($($test:ident,)*) => {
        in_this_way!(blocking_over_tcp, Blocking, Tcp, $($test,)*);
        in_this_way!(blocking_over_tls, Blocking, Tls, $($test,)*);
        in_this_way!(blocking_over_websocket, Blocking, Ws, $($test,)*);
        in_this_way!(nonblocking_over_tcp, NonBlocking, Tcp, $($test,)*);
        in_this_way!(nonblocking_over_tls, NonBlocking, Tls, $($test,)*);
        in_this_way!(passive_over_tcp, Passive, Tcp, $($test,)*);
        in_this_way!(passive_over_tls, Passive, Tls, $($test,)*);
        in_this_way!(passive_over_websocket_and_tls, Passive, Wss, $($test,)*);
    };
}

/// Runs each of these functions in every mode, over TLS.
macro_rules! in_every_mode {
    ($($test:ident,)*) => {
        in_this_way!(blocking, Blocking, Tls, $($test,)*);
        in_this_way!(nonblocking, NonBlocking, Tls, $($test,)*);
        in_this_way!(passive, Passive, Tls, $($test,)*);
    };
}

/// Runs each of these functions in every mode, over TCP.
macro_rules! in_every_mode_over_tcp {
    ($($test:ident,)*) => {
        in_this_way!(blocking, Blocking, Tcp, $($test,)*);
        in_this_way!(nonblocking, NonBlocking, Tcp, $($test,)*);
        in_this_way!(passive, Passive, Tcp, $($test,)*);
    };
}

macro_rules! in_this_way {
    ($name:ident, $mode:ident, $wire:ident, $($test:ident,)*) => {
        mod $name {
            $(#[test]
            fn $test() {
                super::$test($crate::support::way::Way {
                    mode: $crate::support::way::Mode::$mode,
                    wire: $crate::support::Wire::$wire,
                });
            })*
        }
    };
}

/// A messenger and the program around it, which finishes what it began however its mode wants that.
///
/// Calls that do not wait are those of the messenger itself.
#[derive(Debug)]
pub(crate) struct Party {
    messenger: Messenger,
    mode: Mode,
}

impl Way {
    /// For tests that are about something else.
    pub(crate) const SIMPLE: Self = Self {
        mode: Mode::Blocking,
        wire: Wire::Tcp,
    };

    /// Somebody who does not wait for ever, and can do what this wire needs at either end.
    pub(crate) fn party(self) -> Party {
        self.around(self.wire.client())
    }

    pub(crate) fn party_named(self, name: &str) -> Party {
        self.around(self.wire.client_with_name(Some(name)))
    }

    fn around(self, mut messenger: Messenger) -> Party {
        let mode = self.mode;
        messenger.set_blocking(mode != Mode::NonBlocking);
        messenger.set_passive(mode == Mode::Passive);
        Party { messenger, mode }
    }

    /// Somebody who listens, and where.
    pub(crate) fn server(self) -> (Party, String) {
        let mut party = self.party();
        let address = self.listen(&mut party);
        (party, address)
    }

    /// Listens on a free port of loopback.
    pub(crate) fn listen(self, party: &mut Party) -> String {
        // Whoever makes a program opens what it listens on before anything else.
        party.messenger.set_passive(false);
        let address = self.wire.listen(&mut party.messenger);
        party.messenger.set_passive(self.mode == Mode::Passive);
        address
    }
}

impl Party {
    pub(crate) fn put(&mut self, message: &Message) -> Result<Tracker> {
        let until = self.give_up_at();
        loop {
            match self.messenger.put(message) {
                Err(Error::Overflow { .. }) if self.goes_on(until) => self.step(STEP).map(drop)?,
                put => return put,
            }
        }
    }

    pub(crate) fn send(&mut self) -> Result<()> {
        self.finish(Messenger::send)
    }

    pub(crate) fn send_n(&mut self, count: usize) -> Result<()> {
        // Counted from now on, not from each time that it is asked.
        let left = self.outgoing().saturating_sub(count);
        self.finish(|messenger| messenger.send_n(messenger.outgoing().saturating_sub(left)))
    }

    pub(crate) fn recv(&mut self, credit: impl Into<Credit>) -> Result<()> {
        let credit = credit.into();
        let mut asked = false;
        self.finish(|messenger| {
            // To ask again when it is there would ask for more.
            if asked && messenger.incoming() > 0 {
                return Ok(());
            }
            asked = true;
            messenger.recv(credit)
        })
    }

    /// Asks for messages, and does not wait for them.
    pub(crate) fn ask(&mut self, credit: impl Into<Credit>) {
        let timeout = self.timeout();
        self.set_timeout(Some(Duration::ZERO));
        match self.messenger.recv(credit) {
            Ok(()) | Err(Error::InProgress | Error::Timeout { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        self.set_timeout(timeout);
    }

    /// Stops; how long that may take is the messenger's business in every mode.
    pub(crate) fn stop(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            match self.messenger.stop() {
                Err(Error::InProgress) => self.step(STEP).map(drop)?,
                stopped => return stopped,
            }
            assert!(begun.elapsed() < PATIENCE, "never stopped");
        }
    }

    /// Works until something happened, at most for so long.
    pub(crate) fn step(&mut self, most: Duration) -> Result<bool> {
        match self.mode {
            Mode::Passive => turn(&mut [&mut self.messenger], most),
            Mode::Blocking | Mode::NonBlocking => self.messenger.work(Some(most)),
        }
    }

    /// Works for so long, whatever happens.
    pub(crate) fn work_for(&mut self, time: Duration) {
        let begun = Instant::now();
        while let Some(left) = time.checked_sub(begun.elapsed()) {
            self.step(left).unwrap();
        }
    }

    /// Works until `done`.
    pub(crate) fn work_until(&mut self, what: &str, done: impl Fn(&Messenger) -> bool) {
        let begun = Instant::now();
        while !done(&self.messenger) {
            assert!(begun.elapsed() < PATIENCE, "never {what}");
            self.step(STEP).unwrap();
        }
    }

    /// Whether this is what the mode calls not finished.
    pub(crate) fn is_unfinished(&self, error: &Error) -> bool {
        match self.mode {
            Mode::Blocking => matches!(error, Error::Timeout { .. }),
            Mode::NonBlocking | Mode::Passive => *error == Error::InProgress,
        }
    }

    /// Calls until it is done, or the timeout has passed.
    pub(crate) fn finish<T>(
        &mut self,
        mut call: impl FnMut(&mut Messenger) -> Result<T>,
    ) -> Result<T> {
        let until = self.give_up_at();
        loop {
            match call(&mut self.messenger) {
                Err(Error::InProgress) if self.goes_on(until) => self.step(STEP).map(drop)?,
                done => {
                    if self.mode == Mode::Passive && self.deadline() == Some(Duration::ZERO) {
                        // Where a loop comes around again.
                        self.messenger.work(Some(Duration::ZERO))?;
                    }
                    return done;
                }
            }
        }
    }

    fn give_up_at(&self) -> Option<Instant> {
        self.timeout()
            .and_then(|timeout| Instant::now().checked_add(timeout))
    }

    fn goes_on(&self, until: Option<Instant>) -> bool {
        self.mode != Mode::Blocking && until.is_none_or(|until| Instant::now() < until)
    }
}

impl Deref for Party {
    type Target = Messenger;

    fn deref(&self) -> &Messenger {
        &self.messenger
    }
}

impl DerefMut for Party {
    fn deref_mut(&mut self) -> &mut Messenger {
        &mut self.messenger
    }
}

/// How long a program works before it looks again at what it waits for.
const STEP: Duration = Duration::from_millis(20);

/// One turn of a loop over messengers as a program would write it: waits for their descriptors, at most until
/// the first deadline and no longer than `most`. Answers whether any of them had something to do.
#[cfg(unix)]
pub(crate) fn turn(messengers: &mut [&mut Messenger], most: Duration) -> Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let due = |messenger: &&mut Messenger| messenger.deadline();
    let wait = messengers.iter().filter_map(due).min();
    let wait = Timespec::try_from(wait.unwrap_or(most).min(most)).unwrap();
    let mut watched: Vec<_> = messengers
        .iter()
        .map(|messenger| PollFd::new(&**messenger, PollFlags::IN))
        .collect();
    poll(&mut watched, Some(&wait)).unwrap();
    let ready: Vec<_> = watched.iter().map(|fd| !fd.revents().is_empty()).collect();
    let mut worked = false;
    for (messenger, ready) in messengers.iter_mut().zip(ready) {
        if ready || messenger.deadline() == Some(Duration::ZERO) {
            worked |= messenger.work(Some(Duration::ZERO))?;
        }
    }
    Ok(worked)
}

/// Without `poll(2)` there is nothing to wait by but time.
#[cfg(not(unix))]
pub(crate) fn turn(messengers: &mut [&mut Messenger], most: Duration) -> Result<bool> {
    let mut worked = false;
    for messenger in messengers {
        let due = messenger.deadline().unwrap_or(most).min(most);
        worked |= messenger.work(Some(due.min(Duration::from_millis(1))))?;
    }
    Ok(worked)
}

/// A server that sends what it gets back to its `reply-to`, and rejects bodies of `*REJECT-ME*`.
pub(crate) struct Echo {
    pub(crate) address: String,
    interrupter: Interrupter,
    taken: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    pub(crate) fn start(way: Way) -> Self {
        let (mut party, address) = way.server();
        party.set_timeout(None);
        party.set_incoming_window(usize::MAX);
        let interrupter = party.interrupter();
        let (tell, taken) = channel();
        let thread = std::thread::spawn(move || echo(party, &tell));
        Self {
            address,
            interrupter,
            taken,
            thread: Some(thread),
        }
    }

    /// Waits until it took so many messages, no more and no less.
    pub(crate) fn has_taken(self, count: usize) {
        for _ in 0..count {
            self.taken.recv_timeout(PATIENCE).unwrap();
        }
        assert!(self.taken.try_recv().is_err());
    }
}

fn echo(mut party: Party, taken: &Sender<()>) {
    let mut message = Message::new();
    loop {
        match party.recv(Credit::All) {
            Ok(()) => {}
            Err(Error::Interrupted) => break,
            Err(error) => panic!("echo: {error}"),
        }
        while party.incoming() > 0 {
            let tracker = party.get(&mut message).unwrap();
            if message.body_text().unwrap() == Some("*REJECT-ME*") {
                party.reject(tracker, Flags::NONE).unwrap();
            } else {
                party.accept(tracker, Flags::NONE).unwrap();
            }
            if let Some(reply_to) = message.reply_to().unwrap().map(str::to_owned) {
                message.set_address(reply_to);
                party.put(&message).unwrap();
            }
            let _ = taken.send(());
        }
    }
    party.set_timeout(Some(PATIENCE));
    let _ = party.stop();
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.interrupter.interrupt();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Two clients and a server in one thread, which does not wait for any of them.
pub(crate) struct Trio {
    pub(crate) server: Party,
    pub(crate) client: Party,
    pub(crate) client2: Party,
    pub(crate) address: String,
}

impl Trio {
    pub(crate) fn new(way: Way) -> Self {
        let (server, address) = way.server();
        let (client, client2) = (way.party(), way.party());
        Self {
            server,
            client,
            client2,
            address,
        }
    }

    pub(crate) fn pump(&mut self) -> bool {
        let mut busy = false;
        for party in [&mut self.server, &mut self.client, &mut self.client2] {
            busy |= party.step(Duration::ZERO).unwrap();
        }
        busy
    }

    /// Works until nobody has anything to do for a while.
    pub(crate) fn settle(&mut self) {
        let (mut quiet, mut looks) = (Instant::now(), 0);
        // On a busy machine time passes between two looks as well.
        while quiet.elapsed() < Duration::from_millis(30) || looks < 50 {
            looks += 1;
            if self.pump() {
                (quiet, looks) = (Instant::now(), 0);
            } else {
                std::thread::yield_now();
            }
        }
    }

    pub(crate) fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !done(self) {
            assert!(begun.elapsed() < PATIENCE, "never {what}");
            if !self.pump() {
                std::thread::yield_now();
            }
        }
    }

    /// Puts messages to a node of the server, from the first client.
    pub(crate) fn put(&mut self, node: &str, count: usize) {
        let message = super::message_to(&format!("{}/{node}", self.address), node);
        for _ in 0..count {
            self.client.put(&message).unwrap();
        }
    }
}
