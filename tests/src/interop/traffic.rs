//! A stream of messages that goes on while brokers are killed, and the account of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use ferrion_messenger::{
    ConnectionEvent, Credit, Error, Flags, Message, Messenger, Reconnect, Status,
};

use super::whereabouts;

/// How long nothing may happen. It bounds a failure; no test that passes ever waits for it.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many messages have no answer at a time.
const WINDOW: usize = 200;
/// How many messages are put at a time, and how much time lies between: brokers have better things to do.
const BATCH: usize = 20;
const PACE: Duration = Duration::from_millis(10);
/// How many messages are sent after the last misfortune.
const AFTER: usize = 500;

/// A sender and a receiver, each a Messenger in a thread of its own, that make lost connections again.
#[derive(Debug)]
pub struct Traffic {
    shared: Arc<Shared>,
    sending: JoinHandle<(Outcomes, Trail)>,
    receiving: JoinHandle<Trail>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Messages that arrived, each counted once.
    arrived: AtomicUsize,
    /// Nothing bad happens any more.
    calm: AtomicBool,
    /// How many messages there are in all, once all of them are accepted.
    total: OnceLock<usize>,
}

/// How often each outcome came.
type Outcomes = BTreeMap<String, usize>;

/// What was told of a messenger's connections.
#[derive(Debug)]
struct Trail {
    /// The addresses that were connected to, in turn.
    connected: Vec<String>,
    /// What calls and trackers told although connections are made again.
    errors: Vec<String>,
}

impl Traffic {
    /// Lets messages flow through a queue, which may be found at the alternatives too.
    ///
    /// # Panics
    ///
    /// When an address can not be understood.
    #[must_use]
    pub fn start(address: &str, alternatives: &[String]) -> Self {
        Self::start_with(address, alternatives, |_| ())
    }

    /// The same between messengers that are prepared like this.
    ///
    /// # Panics
    ///
    /// When an address can not be understood.
    #[must_use]
    pub fn start_with(
        address: &str,
        alternatives: &[String],
        prepare: impl Fn(&mut Messenger),
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let start = || {
            let mut messenger = Messenger::new().expect("a messenger");
            messenger.set_outgoing_window(usize::MAX);
            messenger.set_incoming_window(usize::MAX);
            messenger.set_timeout(Some(PATIENCE));
            messenger.set_reconnect(Some(Reconnect {
                max_delay: Duration::from_millis(500),
                give_up_after: Some(PATIENCE),
                ..Reconnect::default()
            }));
            let others = alternatives.iter().map(String::as_str);
            let known = messenger.set_alternatives(address, others);
            known.expect("addresses");
            prepare(&mut messenger);
            (messenger, address.to_owned(), Arc::clone(&shared))
        };
        let ((sender, to, theirs), (receiver, from, ours)) = (start(), start());
        let others = alternatives.to_vec();
        Self {
            sending: thread::spawn(move || send(sender, &to, &theirs)),
            receiving: thread::spawn(move || receive(receiver, &from, &others, &ours)),
            shared,
        }
    }

    /// Waits until so many more messages have arrived.
    ///
    /// # Panics
    ///
    /// When nothing arrives any more.
    pub fn flow(&self, more: usize) {
        let until = self.shared.arrived.load(Ordering::Relaxed) + more;
        let begun = Instant::now();
        while self.shared.arrived.load(Ordering::Relaxed) < until {
            assert!(!self.sending.is_finished(), "the sender has ended");
            assert!(!self.receiving.is_finished(), "the receiver has ended");
            assert!(begun.elapsed() < PATIENCE, "nothing arrives any more");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets it come to its end: the sender goes on until everything is accepted, and the receiver until
    /// all of that has arrived. Answers the places that either was connected to, in turn.
    ///
    /// No message of such a sender has any outcome but one: accepted, by whichever broker; and no call of either
    /// tells anything of the misfortunes.
    ///
    /// # Panics
    ///
    /// When it is otherwise, or something that was accepted does not arrive.
    #[must_use]
    pub fn finish(self) -> [Vec<String>; 2] {
        self.shared.calm.store(true, Ordering::Relaxed);
        let (outcomes, sender) = self.sending.join().expect("a sender that ends well");
        let receiver = self.receiving.join().expect("a receiver that ends well");
        let outcomes: Vec<(&str, usize)> = outcomes
            .iter()
            .map(|(outcome, times)| (outcome.as_str(), *times))
            .collect();
        let total = self.shared.total.get().copied().unwrap_or_default();
        assert_eq!(outcomes, [("ACCEPTED", total)], "{sender:?}");
        assert_eq!(sender.errors, [""; 0]);
        assert_eq!(receiver.errors, [""; 0]);
        [sender.connected, receiver.connected]
    }
}

/// Sends numbers. What is not accepted is put again, as it would be by any program to which it matters.
fn send(mut messenger: Messenger, address: &str, shared: &Shared) -> (Outcomes, Trail) {
    let mut open = Vec::new();
    let mut again = Vec::new();
    let mut outcomes = Outcomes::new();
    let mut errors = Vec::new();
    let (mut next, mut calm_from) = (0, None);
    let mut last = Instant::now();
    loop {
        if calm_from.is_none() && shared.calm.load(Ordering::Relaxed) {
            calm_from = Some(next);
        }
        let enough = calm_from.is_some_and(|from| next >= from + AFTER);
        for _ in 0..BATCH.min(WINDOW - open.len()) {
            let number = again.pop().or_else(|| {
                (!enough).then(|| {
                    next += 1;
                    next - 1
                })
            });
            let Some(number) = number else { break };
            let mut message = Message::with_body(number.to_string());
            message.set_durable(true);
            message.set_address(address);
            open.push((messenger.put(&message).expect("room"), number));
        }
        if open.is_empty() {
            break;
        }
        let turn = Instant::now() + PACE;
        while let left = turn.saturating_duration_since(Instant::now())
            && !left.is_zero()
        {
            messenger.work(Some(left)).expect("no interrupt");
        }
        open.retain(|(tracker, number)| {
            let status = messenger.status(*tracker);
            if !status.is_final() {
                return true;
            }
            last = Instant::now();
            *outcomes.entry(status.to_string()).or_default() += 1;
            if status != Status::Accepted {
                errors.extend(messenger.reason(*tracker).map(ToString::to_string));
                again.push(*number);
            }
            false
        });
        assert!(last.elapsed() < PATIENCE, "{} have no outcome", open.len());
    }
    shared.total.set(next).expect("the only sender");
    let trail = Trail::new(&mut messenger, errors);
    messenger.stop().expect("an orderly end");
    (outcomes, trail)
}

/// Accepts what comes, and ends when everything has come.
fn receive(
    mut messenger: Messenger,
    address: &str,
    alternatives: &[String],
    shared: &Shared,
) -> Trail {
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    let mut errors = Vec::new();
    messenger.set_timeout(Some(Duration::from_millis(100)));
    messenger.subscribe(address).expect("a subscription");
    let mut message = Message::new();
    let mut last = Instant::now();
    while shared.total.get().is_none_or(|total| seen.len() < *total) {
        match messenger.recv(Credit::All) {
            Ok(()) => last = Instant::now(),
            Err(Error::Timeout { .. }) => {}
            Err(error) => errors.push(error.to_string()),
        }
        if last.elapsed() >= PATIENCE {
            // What it holds must be back before it can be found.
            drop(messenger.stop());
            let Some(total) = shared.total.get().copied() else {
                panic!("nothing arrives after {}; {errors:?}", seen.len());
            };
            let missing = (0..total).filter(|number| !seen.contains(number)).collect();
            let found = whereabouts(&missing, address, alternatives);
            panic!("of {total} {found}; {errors:?}");
        }
        while messenger.incoming() > 0 {
            let tracker = messenger.get(&mut message).expect("a message");
            let body = message.body_text().expect("a body");
            let number = body.and_then(|text| text.parse().ok()).expect("a number");
            if seen.insert(number) {
                shared.arrived.fetch_add(1, Ordering::Relaxed);
            }
            let accepted = messenger.accept(tracker, Flags::NONE);
            accepted.expect("a message in the window");
        }
    }
    let trail = Trail::new(&mut messenger, errors);
    messenger.stop().expect("an orderly end");
    trail
}

impl Trail {
    fn new(messenger: &mut Messenger, errors: Vec<String>) -> Self {
        let events = std::iter::from_fn(|| messenger.poll_connection_event());
        let connected = events.filter_map(|event| match event {
            ConnectionEvent::Connected { address } => Some(address),
            _ => None,
        });
        Self {
            connected: connected.collect(),
            errors,
        }
    }
}
