//! The interrupt of a Messenger (`messenger/src/driver/wake`), which any thread may raise at any time.

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

#[path = "../../../messenger/src/driver/wake/raised.rs"]
mod raised;

use raised::Raised;

/// The poll, and what wakes it: one wake is remembered until the poll was looked at, however many there were. The lock stands for
/// the one that the system takes for both.
#[derive(Default)]
struct Poll {
    woken: Mutex<bool>,
    news: Condvar,
}

impl Poll {
    fn wake(&self) {
        *self.woken.lock().unwrap() = true;
        self.news.notify_one();
    }

    fn wait(&self) {
        let mut woken = self.woken.lock().unwrap();
        while !*woken {
            woken = self.news.wait(woken).unwrap();
        }
        *woken = false;
    }

    /// Whether it would wake who waits. As a call looks that has other things to do.
    fn look(&self) -> bool {
        std::mem::take(&mut *self.woken.lock().unwrap())
    }
}

struct Shared {
    raised: Raised,
    poll: Poll,
}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            raised: Raised::new(),
            poll: Poll::default(),
        })
    }

    fn interrupt(&self) {
        self.raised.raise(|| self.poll.wake());
    }

    /// `Messenger::work` without an end, where nothing else ever happens: returns when it is interrupted. A turn that `looks`
    /// does so before it waits, as `Driver::turn` does where something is due.
    fn work(&self, looks: bool) {
        while !self.raised.take() {
            if looks {
                self.poll.look();
            }
            // As `Driver::patience` says.
            if self.raised.waits() {
                self.poll.look();
            } else {
                self.poll.wait();
            }
        }
    }
}

/// A thread that interrupts.
fn interrupter(shared: &Arc<Shared>) -> thread::JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || shared.interrupt())
}

#[test]
fn an_interrupt_ends_the_call_that_waits_or_the_next_one_and_is_answered_once() {
    for looks in [false, true] {
        loom::model(move || {
            let shared = Shared::new();
            let other = interrupter(&shared);
            shared.work(looks);
            other.join().unwrap();
            assert!(!shared.raised.waits());
            assert!(!shared.raised.take(), "the next call waits");
        });
    }
}

#[test]
fn an_interrupt_before_the_call_ends_it() {
    loom::model(|| {
        let shared = Shared::new();
        interrupter(&shared).join().unwrap();
        assert!(shared.raised.waits());
        shared.work(true);
        assert!(!shared.raised.waits());
    });
}

#[test]
fn several_at_once_are_answered_no_more_often_than_they_were_raised() {
    loom::model(|| {
        let raised = Arc::new(Raised::new());
        let others = [(); 2].map(|()| {
            let raised = Arc::clone(&raised);
            // Waking is another matter, and would make many more orders of it.
            thread::spawn(move || raised.raise(|| ()))
        });
        let mut answers = u32::from(raised.take());
        for other in others {
            other.join().unwrap();
        }
        // What came after that look, or was not seen by it, is one more.
        answers += u32::from(raised.take());
        assert!(matches!(answers, 1 | 2), "{answers}");
        assert!(!raised.take() && !raised.waits());
    });
}

#[test]
fn each_that_is_raised_after_an_answer_is_answered_too() {
    loom::model(|| {
        let shared = Shared::new();
        let first = interrupter(&shared);
        shared.work(false);
        // Three at once make too many orders.
        first.join().unwrap();
        let second = interrupter(&shared);
        shared.work(false);
        second.join().unwrap();
        assert!(!shared.raised.waits());
    });
}

#[test]
fn a_call_that_looked_at_the_poll_for_something_else_loses_no_interrupt() {
    loom::model(|| {
        let shared = Shared::new();
        let other = interrupter(&shared);
        // It takes the wake away, if that was there.
        shared.poll.look();
        other.join().unwrap();
        // A loop of the caller's is told that there is something to do, whatever its poll says.
        assert!(shared.raised.waits());
        shared.work(true);
        assert!(!shared.raised.waits());
    });
}

#[test]
fn what_was_done_before_an_interrupt_is_seen_after_it() {
    loom::model(|| {
        let shared = Shared::new();
        let note = Arc::new(UnsafeCell::new(()));
        let other = {
            let (shared, note) = (Arc::clone(&shared), Arc::clone(&note));
            thread::spawn(move || {
                // The checker refuses two that are not in order.
                note.with_mut(|_| ());
                shared.interrupt();
            })
        };
        shared.work(true);
        note.with_mut(|_| ());
        other.join().unwrap();
    });
}

/// What becomes of an interrupt that is raised like this while somebody is about to wait.
fn is_not_lost(raise: fn(&Shared)) {
    loom::model(move || {
        let shared = Shared::new();
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || raise(&shared))
        };
        let answered = shared.raised.take() || (shared.poll.look() && shared.raised.take());
        other.join().unwrap();
        // Who waits now is woken, and then finds it.
        let found = shared.raised.take();
        assert!(answered || (found && shared.poll.look()), "it is lost");
    });
}

#[test]
fn whoever_is_about_to_wait_is_woken() {
    is_not_lost(Shared::interrupt);
}

#[test]
#[should_panic(expected = "it is lost")]
fn the_model_sees_an_interrupt_that_is_lost() {
    is_not_lost(|shared| {
        // The wrong way round.
        shared.poll.wake();
        shared.raised.raise(|| ());
    });
}

/// What becomes of an interrupt while a turn looks at the poll for something that is due, and then waits unless it is `asked` not to.
fn is_not_swallowed(asked: fn(&Raised) -> bool) {
    loom::model(move || {
        let shared = Shared::new();
        let other = interrupter(&shared);
        let answered = shared.raised.take();
        shared.poll.look();
        let waits = !asked(&shared.raised);
        other.join().unwrap();
        assert!(answered || !waits || shared.poll.look(), "it is swallowed");
    });
}

#[test]
fn a_turn_that_looked_does_not_wait_for_what_it_took_away() {
    is_not_swallowed(Raised::waits);
}

#[test]
#[should_panic(expected = "it is swallowed")]
fn the_model_sees_a_turn_that_swallows_an_interrupt() {
    is_not_swallowed(|_| false);
}
