//! What is accepted was decided by whoever got it, wherever the line is cut: two cores that recover no links, so that what
//! had no answer travels once more.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use super::recovery_tests::{BACK, FORTH, Plan, World, message};
use super::tracker::Status;

const COUNT: usize = 8;

/// A world, and the number of each message that was put, in turn.
struct Exchange {
    world: World,
    put: Vec<usize>,
    client_sends: bool,
}

impl Exchange {
    fn new(plan: Plan) -> Self {
        Self {
            world: World::with(plan, COUNT, None, None),
            put: (0..COUNT).collect(),
            client_sends: plan.client_sends,
        }
    }

    /// The numbers of the messages with this status at the sender.
    fn with_status(&mut self, status: Status) -> BTreeSet<usize> {
        let trackers = self.world.trackers.clone();
        let numbers = trackers.into_iter().zip(self.put.clone());
        let sender = self.world.sender();
        numbers
            .filter(|(tracker, _)| sender.status(*tracker) == status)
            .map(|(_, number)| number)
            .collect()
    }

    /// No message counts as accepted that nobody got and decided about.
    fn check(&mut self) {
        let got = &self.world.got;
        // The decisions that are to come concern the last.
        let decided = &got[..got.len() - self.world.waiting.len()];
        let number = |body: &String| body.split(':').next().unwrap().parse().unwrap();
        let decided: BTreeSet<usize> = decided.iter().map(number).collect();
        let accepted = self.with_status(Status::Accepted);
        assert!(
            accepted.is_subset(&decided),
            "{accepted:?} {:?}",
            self.world
        );
    }

    fn cut_after(&mut self, octets: usize) {
        self.world.work(octets);
        self.check();
        self.world.cut();
        self.check();
    }

    /// Goes on until each message is accepted. What was given up is put again, as any program would to which it matters.
    fn finish(&mut self, address: &str) {
        for _ in 0..5 {
            self.world.work(usize::MAX);
            self.check();
            let accepted = self.with_status(Status::Accepted);
            let again: Vec<usize> = (0..COUNT).filter(|it| !accepted.contains(it)).collect();
            if again.is_empty() {
                self.world.rest();
                self.world.check_empty();
                return;
            }
            let aborted = self.with_status(Status::Aborted);
            // Who connects again sends again by itself; who was connected to cannot.
            assert!(!self.client_sends || aborted.is_empty(), "{:?}", self.world);
            assert!(
                again.iter().all(|it| aborted.contains(it)),
                "{:?}",
                self.world
            );
            self.world
                .put_again(again.iter().map(|it| message(address, *it)));
            self.put.extend(again);
        }
        panic!("it is never accepted: {:?}", self.world);
    }
}

/// Cuts the line after every `step`th octet of an exchange, and mostly once more while it is being mended.
fn cut_everywhere(plan: Plan, step: usize) {
    let address = if plan.client_sends {
        "amqp://s1/q"
    } else {
        "amqp://client/q"
    };
    let mut undisturbed = Exchange::new(plan);
    let octets = undisturbed.world.work(usize::MAX);
    undisturbed.finish(address);
    assert_eq!(undisturbed.world.got.len(), COUNT, "none travels twice");
    for at in (0..octets).step_by(step) {
        let mut exchange = Exchange::new(plan);
        exchange.cut_after(at);
        if at % 3 > 0 {
            exchange.cut_after(at * 7 % 1900);
        }
        exchange.finish(address);
    }
}

#[test]
fn a_sender_counts_nothing_as_accepted_that_the_other_side_has_not_seen_wherever_the_line_is_cut() {
    for together in [false, true] {
        cut_everywhere(
            Plan {
                together,
                undecided: 0,
                ..FORTH
            },
            5,
        );
        cut_everywhere(
            Plan {
                together,
                undecided: 0,
                half_open: true,
                ..FORTH
            },
            7,
        );
    }
}

#[test]
fn a_subscriber_accepts_nothing_that_it_has_not_got_wherever_the_line_is_cut() {
    for together in [false, true] {
        cut_everywhere(
            Plan {
                together,
                undecided: 0,
                ..BACK
            },
            5,
        );
    }
}
