//! What lies in memory that was given back: no password or token that a Messenger was told and forgot, and no password that was used
//! for a login by SCRAM. (By other mechanisms it is a piece of what is on the wire.) An allocator looks through each piece before
//! the system gets it; that takes unsafe code, so it is here. The stack is not looked at.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferrion_messenger::{Error, Message, Messenger};

/// The secret, with something after it.
macro_rules! secret {
    ($tail:literal) => {
        concat!("?pen-sesame-by-which-nobody-else-opens", $tail)
    };
}

/// Does not begin with the letter that marks it, so that this very text is not found where it is compared.
const SECRET: &str = secret!("");
/// With a character that SASLprep forbids.
const FORBIDDEN: &str = secret!("\u{7}");
/// SASLprep makes it longer.
const GROWING: &str = secret!("\u{bd}");

/// How many pieces of memory were given back with the secret in them.
static FOUND: AtomicUsize = AtomicUsize::new(0);
/// The size of the last of them.
static SIZE: AtomicUsize = AtomicUsize::new(0);
/// One test at a time, as they look at the same memory.
static TURN: Mutex<()> = Mutex::new(());

struct Looking;

// SAFETY: the system's allocator does all of it; a piece is read before it is given back, while it is still the caller's.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise. Zeros, so that what is read below was written by somebody.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: `layout.size()` octets were allocated there, all of them written, and nobody else has them any more.
        let octets = unsafe { std::slice::from_raw_parts(place, layout.size()) };
        if has_secret(octets) {
            FOUND.fetch_add(1, Ordering::Relaxed);
            SIZE.store(layout.size(), Ordering::Relaxed);
        }
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(place, layout) };
    }
}

#[global_allocator]
static ALLOCATOR: Looking = Looking;

/// Allocates nothing.
fn has_secret(octets: &[u8]) -> bool {
    octets
        .windows(SECRET.len())
        .any(|part| part == SECRET.as_bytes())
}

/// How many pieces were given back with the secret in them while this was done.
fn left_behind(work: impl FnOnce()) -> (usize, usize) {
    let _turn = TURN.lock();
    FOUND.store(0, Ordering::Relaxed);
    work();
    (FOUND.load(Ordering::Relaxed), SIZE.load(Ordering::Relaxed))
}

/// Sends a message to a listener, both of which were told what they need; answers whether it was let in.
fn send(listener: &mut Messenger, sender: &mut Messenger) -> bool {
    let subscription = listener.subscribe("amqp://~127.0.0.1:0").expect("a port");
    let port = listener
        .subscription_port(subscription)
        .expect("it listens");
    for messenger in [&mut *listener, sender] {
        messenger.set_blocking(false);
    }
    sender.set_reconnect(None);
    let mut message = Message::with_body("x");
    message.set_address(format!("amqp://127.0.0.1:{port}/x"));
    sender.put(&message).expect("a message");
    loop {
        let _ = listener.recv(10);
        let _ = listener.get(&mut message);
        match sender.send() {
            Err(Error::InProgress) => {
                let _ = sender.work(Some(Duration::from_millis(1)));
            }
            sent => return sent.is_ok(),
        }
    }
}

#[test]
fn a_secret_that_nobody_overwrites_is_found() {
    let copy = |text: &str| drop(std::hint::black_box(text.to_owned()));
    assert_eq!(left_behind(|| copy(SECRET)), (1, SECRET.len()));
    assert_eq!(left_behind(|| copy("another")).0, 0);
}

#[test]
fn passwords_that_are_told_and_forgotten_are_overwritten() {
    let left = left_behind(|| {
        let mut messenger = Messenger::new().expect("a messenger");
        for _ in 0..2 {
            messenger.set_credentials(Some("ann"), Some(SECRET));
            messenger.set_token(Some(SECRET));
            messenger.set_listener_user("ann", Some(SECRET));
            messenger.set_listener_token("ann", Some(SECRET));
        }
        messenger.set_listener_passwords([("bob", SECRET), ("bob", SECRET), ("cid", SECRET)]);
        let mut longer_once = ["ab", SECRET].concat();
        longer_once.truncate(2);
        messenger.set_listener_passwords([("bob", longer_once)]);
        messenger.set_credentials(None, None);
        messenger.set_token(None);
    });
    assert_eq!(left.0, 0, "the last has {} octets", left.1);
}

#[test]
fn a_login_by_scram_leaves_no_password_at_either_side() {
    for (known, shown, admitted) in [
        (SECRET, SECRET, true),
        ("another", SECRET, false),
        (GROWING, GROWING, true),
        (FORBIDDEN, "another", false),
        ("another", FORBIDDEN, false),
    ] {
        let left = left_behind(|| {
            let mut listener = Messenger::new().expect("a messenger");
            listener.set_listener_user("ann", Some(known));
            let mut sender = Messenger::new().expect("a messenger");
            sender.set_credentials(Some("ann"), Some(shown));
            assert_eq!(send(&mut listener, &mut sender), admitted);
        });
        assert_eq!(left.0, 0, "{known:?} {shown:?}, {} octets", left.1);
    }
}
