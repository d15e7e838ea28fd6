//! The gate of an object of the C header (`ffi/src/guard`), which threads must not pass together whatever they do.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use loom::thread;

#[path = "../../../ffi/src/guard/gate.rs"]
mod gate;

use gate::{Gate, POISONED};

struct Object {
    gate: Gate,
    /// The checker refuses two that touch it and are not in order.
    inner: UnsafeCell<u32>,
}

impl Object {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            gate: Gate::new(),
            inner: UnsafeCell::new(0),
        })
    }

    /// A call; whether it was let in.
    fn call(&self) -> bool {
        let entered = self.gate.enter().is_ok();
        if entered {
            self.inner.with_mut(|_| ());
            self.gate.leave();
        }
        entered
    }
}

#[test]
fn of_calls_at_once_those_that_are_let_in_come_one_after_the_other() {
    loom::model(|| {
        let object = Object::new();
        let others = [(); 2].map(|()| {
            let object = Arc::clone(&object);
            thread::spawn(move || object.call())
        });
        let own = object.call();
        let others = others.map(|other| other.join().unwrap());
        assert!(own || others.contains(&true), "somebody was first");
        assert!(object.call(), "nobody is inside any more");
    });
}

#[test]
fn nobody_enters_what_a_fault_left_half_changed() {
    loom::model(|| {
        let object = Object::new();
        let other = {
            let object = Arc::clone(&object);
            thread::spawn(move || match object.gate.enter() {
                Ok(()) => {
                    object.inner.with_mut(|_| ());
                    object.gate.poison();
                    true
                }
                Err(_) => false,
            })
        };
        let own = object.call();
        if other.join().unwrap() {
            assert_eq!(object.gate.enter(), Err(POISONED));
        } else {
            assert!(own && object.call());
        }
    });
}

#[test]
#[should_panic(expected = "Causality violation")]
fn the_model_sees_two_inside_at_once() {
    loom::model(|| {
        let busy = Arc::new(AtomicBool::new(false));
        let inner = Arc::new(UnsafeCell::new(0));
        let call = move || {
            // Looks, and then enters.
            if !busy.load(Ordering::Acquire) {
                busy.store(true, Ordering::Release);
                inner.with_mut(|_| ());
                busy.store(false, Ordering::Release);
            }
        };
        let other = thread::spawn(call.clone());
        call();
        other.join().unwrap();
    });
}
