//! A thousand connections into one listening Messenger, each with a thousand messages: all arrive, nobody is favoured, and
//! a connection costs little.
//!
//! The clients are one Messenger: a connection is shared only by addresses with the same user, and here each has its own.
//! The listener is another process: its memory is its own, and it can be held up until everybody has begun.
//!
//! Nobody is favoured: when the last message of the first connection was accepted, every other had at least half.

#[path = "../gauntlet/level.rs"]
mod level;
mod listener;
mod sender;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use ferrion_messenger::Messenger;
use level::Level;
use listener::{Listener, State, is_wanted, listen};
use sender::Sender;

const CONNECTIONS: usize = 1_000;
const MESSAGES: usize = 1_000;
/// Far more than all of it takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// What a connection may cost the listener in octets of memory when a message has come over it and it is quiet, and when a
/// thousand have.
const QUIET: isize = 16 << 10;
const BUSY: isize = 128 << 10;

#[test]
fn a_thousand_connections_that_say_everything_at_once_get_on_alike() {
    crowd(
        "a_thousand_connections_that_say_everything_at_once_get_on_alike",
        MESSAGES,
    );
}

#[test]
fn a_thousand_connections_that_wait_for_answers_get_on_alike() {
    crowd(
        "a_thousand_connections_that_wait_for_answers_get_on_alike",
        MESSAGES / 10,
    );
}

/// `window`: messages that each connection has under way at most.
fn crowd(test: &str, window: usize) {
    static ALONE: Mutex<()> = Mutex::new(());
    raise_limit();
    if is_wanted() {
        return listen(|_| ());
    }
    let _alone = ALONE.lock();
    let mut listener = Listener::start(test);
    let mut clients: Vec<_> = (0..CONNECTIONS)
        .map(|number| Sender::new(number, listener.port))
        .collect();
    let mut messenger = Messenger::new().unwrap();
    messenger.set_outgoing_window(usize::MAX);
    messenger.set_high_water(usize::MAX, usize::MAX);
    messenger.set_timeout(Some(PATIENCE));
    let (bare, own_bare) = (listener.state(), Level::now().octets);

    // The first message of each brings everybody there.
    for client in &mut clients {
        client.put(&mut messenger);
    }
    messenger.send().unwrap();
    let (quiet, own_quiet) = (listener.state(), Level::now().octets);

    // Nobody is first: whoever is read has as much to say as all the others.
    listener.hold();
    fill(&mut clients, &mut messenger, window);
    while messenger.work(Some(Duration::from_millis(50))).unwrap() {}
    listener.go();
    let begun = Instant::now();
    while messenger.outgoing() > 0 {
        messenger.work(Some(Duration::from_secs(1))).unwrap();
        for client in &mut clients {
            client.look(&messenger);
        }
        fill(&mut clients, &mut messenger, window);
        let left = messenger.outgoing();
        assert!(begun.elapsed() < PATIENCE, "{left} wait to be accepted");
    }
    let taken = begun.elapsed();
    assert!(clients.iter().all(|client| client.accepted() == MESSAGES));
    let (after, own_after) = (listener.state(), Level::now().octets);
    messenger.stop().unwrap();
    let end = listener.state_with(bare.descriptors);

    let each = |less: isize, more: isize| (more - less) / CONNECTIONS as isize;
    let of = |state: State| {
        (
            each(bare.heap, state.heap),
            each(bare.resident, state.resident),
        )
    };
    eprintln!(
        "{CONNECTIONS} connections, up to {window} of {MESSAGES} messages each under way: {:.0} messages/s; when the first \
         was done the last had {}; octets of memory per connection (heap, resident), listener: quiet {:?}, after all {:?}; \
         clients (heap): quiet {}, after all {}; listener at the end {end:?}",
        (CONNECTIONS * MESSAGES) as f64 / taken.as_secs_f64(),
        after.least,
        of(quiet),
        of(after),
        each(own_bare, own_quiet),
        each(own_bare, own_after),
    );
    assert_eq!((after.received, after.wrong), (CONNECTIONS * MESSAGES, 0));
    assert_eq!(after.descriptors - bare.descriptors, CONNECTIONS);
    assert_eq!(end.descriptors, bare.descriptors, "descriptors are left");
    assert!(
        after.least >= MESSAGES / 2,
        "{}: that is not fair",
        after.least
    );
    assert!(of(quiet).0 < QUIET && of(after).0 < BUSY, "memory");
}

/// Puts what may be under way.
fn fill(clients: &mut [Sender], messenger: &mut Messenger, window: usize) {
    for client in clients {
        while client.put_so_far() < MESSAGES && client.under_way() < window {
            client.put(messenger);
        }
    }
}

/// A connection takes a descriptor at either end, and 1,024 is all that many systems give without being asked.
fn raise_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = CONNECTIONS as u64 + 200;
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        setrlimit(Resource::Nofile, limit).unwrap_or_else(|error| {
            panic!("{wanted} descriptors are needed (ulimit -Hn): {error}")
        });
    }
}
