//! A listening Messenger under siege on real sockets: whoever attacks, an honest client beside them keeps at least half of its
//! rate, what the listener holds stays within bounds, and all of it is given back.
//!
//! The listener is a process of its own, so that what it holds can be told apart. `FERRION_FULL_SIEGE=1` has ten times as many
//! attackers, looks for longer, and asks for the rate also where all of them attack at once. On a machine that does other things
//! beside, a rate says little: it is compared with what is undisturbed right before and after, and whoever does not keep half
//! of that is looked at again.

mod attackers;
#[path = "../gauntlet/level.rs"]
mod level;
#[expect(dead_code, reason = "nobody is held up here, nor compared with others")]
#[path = "../crowd/listener.rs"]
mod listener;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use attackers::Attack;
use ferrion_messenger::{Message, Messenger};
use listener::{Listener, is_wanted, listen};

/// The listener would tell something when so many have come from one connection; here nobody asks.
const MESSAGES: usize = usize::MAX;
/// Messages that the honest client has under way.
const WINDOW: usize = 200;
/// How long those who send without end may go on before one of them is refused.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a rate is looked at that is too low.
const LOOKS: usize = 6;

fn is_full() -> bool {
    std::env::var_os("FERRION_FULL_SIEGE").is_some()
}

/// The client that is to be harmed.
struct Honest {
    messenger: Messenger,
    address: String,
    put: usize,
}

impl Honest {
    fn new(port: u16, has_token: bool) -> Self {
        let mut messenger = Messenger::new().unwrap();
        if has_token {
            messenger.set_credentials(Some("honest"), None);
            messenger.set_token(Some(TOKEN));
        }
        messenger.set_outgoing_window(WINDOW * 10);
        messenger.set_timeout(Some(Duration::from_secs(60)));
        let mut honest = Self {
            messenger,
            address: format!("amqp://127.0.0.1:{port}/honest"),
            put: 0,
        };
        honest.rate(Duration::from_millis(100));
        honest
    }

    /// Messages per second that are accepted.
    fn rate(&mut self, time: Duration) -> f64 {
        let begun = Instant::now();
        let before = self.put - self.messenger.outgoing();
        while begun.elapsed() < time {
            while self.messenger.outgoing() < WINDOW {
                let mut message = Message::with_body(format!("0 {}", self.put));
                message.set_address(self.address.as_str());
                self.messenger.put(&message).unwrap();
                self.put += 1;
            }
            self.messenger
                .work(Some(Duration::from_millis(20)))
                .unwrap();
        }
        let done = self.put - self.messenger.outgoing() - before;
        done as f64 / begun.elapsed().as_secs_f64()
    }
}

/// So many that attack in one way, each of whom may make the listener hold so many octets.
type Army = (Attack, usize, usize);

/// Attacks, beside which the honest client goes on, and keeps half of its rate if that is `asked`.
fn siege(test: &str, armies: &[Army], asked: bool) {
    static ALONE: Mutex<()> = Mutex::new(());
    raise_limit();
    let takes_tokens = armies
        .iter()
        .any(|(attack, ..)| matches!(attack, Attack::StallInToken));
    if is_wanted() {
        return listen(|messenger| {
            messenger.set_all_partial_octets(PARTIAL as u64);
            if takes_tokens {
                messenger.set_listener_token("honest", Some(TOKEN));
            }
        });
    }
    let _alone = ALONE.lock();
    let look = Duration::from_millis(if is_full() { 3_000 } else { 400 });
    let mut listener = Listener::start(test);
    let bare = listener.state();
    let mut honest = Honest::new(listener.port, takes_tokens);
    let begun = listener.state();
    let mut best: f64 = 0.0;
    let mut most = 0;
    for _ in 0..LOOKS {
        let before = honest.rate(look);
        let start = |(attack, count, _): &Army| attackers::start(*attack, listener.port, *count);
        let attackers: Vec<_> = armies.iter().map(start).collect();
        let disturbed = honest.rate(look);
        let during = listener.state();
        most = most.max(during.heap - begun.heap);
        for ((attack, ..), attackers) in armies.iter().zip(&attackers) {
            if matches!(attack, Attack::Endless) {
                let since = Instant::now();
                while attackers.refusals() == 0 {
                    assert!(since.elapsed() < PATIENCE, "nobody is refused");
                    honest.rate(look / 10);
                }
                most = most.max(listener.state().heap - begun.heap);
            }
        }
        drop(attackers);
        let rested = listener.state_with(begun.descriptors);
        assert_eq!(
            rested.descriptors, begun.descriptors,
            "descriptors are left"
        );
        let after = honest.rate(look);
        best = best.max(2.0 * disturbed / (before + after));
        let names = armies.iter().map(|(attack, count, _)| (attack, count));
        eprintln!(
            "{:?}: {disturbed:.0} messages/s, {before:.0} before and {after:.0} after; the listener held {most} octets more",
            names.collect::<Vec<_>>()
        );
        if (best >= 0.5 || !asked) && !is_full() {
            break;
        }
    }
    assert!(
        best >= 0.5 || !asked,
        "{best:.2} of its rate is left to an honest client"
    );
    let count: usize = armies.iter().map(|(_, count, _)| count).sum();
    let held: usize = armies.iter().map(|(_, count, each)| count * each).sum();
    let bound = isize::try_from(held).unwrap() + (1 << 20);
    assert!(
        most <= bound,
        "the listener held {most} octets; {bound} is the most"
    );
    honest.messenger.stop().unwrap();
    let end = listener.state_with(bare.descriptors);
    assert_eq!(end.wrong, 0, "messages are out of their order");
    assert_eq!(end.descriptors, bare.descriptors, "descriptors are left");
    // Tables keep the places that they had for as many connections as there were.
    let left = end.heap - bare.heap;
    let places = isize::try_from(count * 256).unwrap() + (256 << 10);
    assert!(
        left <= places,
        "{left} octets are left; {places} is the most"
    );
}

/// What a connection may cost before open, and what the Messenger itself needs for one.
const EARLY: usize = (16 << 10) + 512 + (8 << 10);
/// What one may cost after open that takes nothing it is sent: links that came and went and wait for two frames each, up to
/// `Limits::pending_replies`, what may wait to be written, and about as much in buffers.
const DEAF: usize = (16 << 10) / 2 * 2560 + 2 * (256 << 10) + (512 << 10);

/// What the listener lets incomplete messages hold, and what that takes: as much again in buffers that are not full.
const PARTIAL: usize = 4 << 20;
const ENDLESS: usize = 8;
/// A frame of SASL with a token, in a buffer that is up to twice as large.
const EARLY_TOKEN: usize = 2 * (64 << 10) + EARLY;
const TOKEN: &str = "eyJhbGciOi";

fn many(ordinary: usize) -> usize {
    if is_full() { ordinary * 10 } else { ordinary }
}

fn stalling() -> Army {
    (Attack::Stall, many(500), EARLY)
}

const fn slow_writers(count: usize) -> Army {
    (Attack::SlowWriter, count, EARLY)
}

fn stalling_in_tokens() -> Army {
    (Attack::StallInToken, many(50), EARLY_TOKEN)
}

const SLOW_READERS: Army = (Attack::SlowReader, 5, DEAF);
const EMPTY_FRAMES: Army = (Attack::EmptyFrames, 4, DEAF);
const CHURN: Army = (Attack::Churn, 4, DEAF);

const ENDLESS_ONES: Army = (
    Attack::Endless,
    ENDLESS,
    2 * PARTIAL / ENDLESS + (512 << 10),
);

const fn oversized(count: usize) -> Army {
    (Attack::Oversized, count, DEAF)
}

#[test]
fn connections_that_stall_in_the_handshake_harm_nobody() {
    let test = "connections_that_stall_in_the_handshake_harm_nobody";
    siege(test, &[stalling()], true);
}

#[test]
fn connections_that_stall_in_a_token_harm_nobody() {
    let test = "connections_that_stall_in_a_token_harm_nobody";
    siege(test, &[stalling_in_tokens()], true);
}

#[test]
fn slow_writers_harm_nobody() {
    siege("slow_writers_harm_nobody", &[slow_writers(many(50))], true);
}

#[test]
fn slow_readers_harm_nobody() {
    siege("slow_readers_harm_nobody", &[SLOW_READERS], true);
}

#[test]
fn floods_of_empty_frames_harm_nobody() {
    let test = "floods_of_empty_frames_harm_nobody";
    siege(test, &[EMPTY_FRAMES], true);
}

#[test]
fn links_that_come_and_go_harm_nobody() {
    let test = "links_that_come_and_go_harm_nobody";
    siege(test, &[CHURN], true);
}

#[test]
fn frames_that_are_too_large_harm_nobody() {
    let test = "frames_that_are_too_large_harm_nobody";
    siege(test, &[oversized(many(5))], true);
}

#[test]
fn messages_without_end_harm_nobody() {
    siege("messages_without_end_harm_nobody", &[ENDLESS_ONES], true);
}

/// Those who attack take processors as well, where they are on the same machine: the rate is asked for only in full.
#[test]
fn all_of_them_at_once_leave_nothing_behind_and_in_full_harm_nobody() {
    let test = "all_of_them_at_once_leave_nothing_behind_and_in_full_harm_nobody";
    let armies = [
        SLOW_READERS,
        stalling(),
        slow_writers(50),
        EMPTY_FRAMES,
        CHURN,
        oversized(5),
        ENDLESS_ONES,
    ];
    siege(test, &armies, is_full());
}

/// A connection takes a descriptor at either end, and 1,024 is all that many systems give without being asked.
fn raise_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = many(560) as u64 + 200;
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        setrlimit(Resource::Nofile, limit).unwrap_or_else(|error| {
            panic!("{wanted} descriptors are needed (ulimit -Hn): {error}")
        });
    }
}
