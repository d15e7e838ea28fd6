//! A thousand messages, acknowledged, through whatever a network can do to a stream, at every place of it.
//!
//! Each round is one exchange through a proxy that does one thing to it at one place: at a frame boundary, or at an octet
//! drawn by seed. Whatever that is, every message ends ACCEPTED and was received, and nothing is left behind.
//!
//! Ordinary runs meet a close and a reset at every boundary, and one of the other faults, by seed, at each.
//! With `FERRION_FULL_GAUNTLET=1` it is every fault at every boundary and at every octet drawn, more octets, and recovered
//! links over TLS and over WebSocket each by itself.

mod campaign;
mod far;
mod fountain;
mod hall;
mod level;
mod receive;
mod round;
#[path = "../../../messenger/tests/support/mod.rs"]
mod support;

use std::sync::Mutex;
use std::time::Duration;

use campaign::Campaign;
use far::Flow;
use ferrion_tests::interop::proxy::{Cut, Direction, Fault, Place};
use ferrion_tests::rng::Rng;
use round::Promise;
use support::Wire;

/// Messages of an exchange.
const MESSAGES: usize = 1_000;
/// Octets that are drawn in each direction.
const OCTETS: usize = 1_000;
/// Far more than any call or round takes.
const WATCHDOG: Duration = Duration::from_secs(30);
/// Peers that are silent for this long are given up: what a stall costs.
const IDLE: Duration = Duration::from_millis(300);

const DIRECTIONS: [Direction; 2] = [Direction::ToServer, Direction::ToClient];
const FAULTS: [Fault; 6] = [
    Fault::Close,
    Fault::Reset,
    Fault::Stall,
    Fault::HalfClose,
    Fault::Delay(Duration::from_millis(5)),
    Fault::Split(100),
];

/// What a process holds is looked at: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Every fault at every place, rather than some by seed.
fn is_full() -> bool {
    std::env::var_os("FERRION_FULL_GAUNTLET").is_some_and(|value| value == "1")
}

/// The faults at one place.
fn faults(always: &[Fault], rng: &mut Rng) -> Vec<Fault> {
    if is_full() {
        return FAULTS.to_vec();
    }
    let others: Vec<Fault> = FAULTS
        .into_iter()
        .filter(|fault| !always.contains(fault))
        .collect();
    let mut faults = always.to_vec();
    faults.push(others[rng.below(others.len())]);
    faults
}

fn cuts(
    direction: Direction,
    places: impl Iterator<Item = Place>,
    always: &[Fault],
    rng: &mut Rng,
) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for place in places {
        cuts.extend(faults(always, rng).into_iter().map(|fault| Cut {
            fault,
            direction,
            place,
        }));
    }
    cuts
}

#[test]
fn at_every_frame_boundary_nothing_that_was_accepted_is_lost() {
    let always = [Fault::Close, Fault::Reset];
    at_every_boundary(Flow::FromClient, Promise::AtLeastOnce, &always, 1);
}

#[test]
fn at_a_thousand_octets_of_each_direction_nothing_that_was_accepted_is_lost() {
    at_octets(Flow::FromClient, Wire::Tcp, Promise::AtLeastOnce, OCTETS, 2);
}

#[test]
fn at_every_frame_boundary_recovered_links_carry_each_message_once() {
    at_every_boundary(Flow::FromClient, Promise::ExactlyOnce, &[], 6);
}

#[test]
fn at_octets_of_each_direction_recovered_links_carry_each_message_once() {
    at_octets(Flow::FromClient, Wire::Tcp, Promise::ExactlyOnce, 250, 7);
}

#[test]
fn at_some_octets_of_tls_and_of_websocket_nothing_that_was_accepted_is_lost() {
    for (seed, wire) in [(3, Wire::Tls), (4, Wire::Ws), (5, Wire::Wss)] {
        at_octets(Flow::FromClient, wire, Promise::AtLeastOnce, 50, seed);
    }
}

#[test]
fn at_some_octets_of_tls_and_of_websocket_recovered_links_carry_each_message_once() {
    for (seed, wire) in (8..).zip(wrapped()) {
        at_octets(Flow::FromClient, wire, Promise::ExactlyOnce, 50, seed);
    }
}

#[test]
fn at_every_frame_boundary_a_client_receives_everything() {
    at_every_boundary(Flow::ToClient, Promise::AtLeastOnce, &[], 11);
}

#[test]
fn at_every_frame_boundary_a_client_receives_each_message_once_over_recovered_links() {
    at_every_boundary(Flow::ToClient, Promise::ExactlyOnce, &[], 12);
}

/// Every frame boundary of each direction, with these faults and others.
fn at_every_boundary(flow: Flow, promise: Promise, always: &[Fault], seed: u64) {
    let _alone = ALONE.lock();
    let campaign = Campaign::open(flow, Wire::Tcp, promise);
    let mut rng = Rng::new(seed);
    let mut plan = Vec::new();
    for direction in DIRECTIONS {
        let (frames, _) = campaign.size(direction);
        assert!(frames > 10, "{frames} frames are no exchange");
        let places = (0..=frames).map(|frames| Place::Frame(frames, 0));
        plan.extend(cuts(direction, places, always, &mut rng));
    }
    campaign.run("at every frame boundary", plan);
}

#[test]
fn at_octets_of_each_direction_a_client_receives_everything() {
    receive_at_octets(Promise::AtLeastOnce, 13);
}

#[test]
fn at_octets_of_each_direction_a_client_receives_each_message_once_over_recovered_links() {
    receive_at_octets(Promise::ExactlyOnce, 17);
}

fn receive_at_octets(promise: Promise, seed: u64) {
    let wires = std::iter::once(Wire::Tcp).chain(wrapped());
    for (seed, wire) in (seed..).zip(wires) {
        let count = if wire == Wire::Tcp { 250 } else { 50 };
        at_octets(Flow::ToClient, wire, promise, count, seed);
    }
}

/// So many octets of each direction, or in full runs all that are drawn.
fn at_octets(flow: Flow, wire: Wire, promise: Promise, count: usize, seed: u64) {
    let _alone = ALONE.lock();
    let campaign = Campaign::open(flow, wire, promise);
    let count = if is_full() { OCTETS } else { count };
    let mut rng = Rng::new(seed);
    let mut plan = Vec::new();
    for direction in DIRECTIONS {
        let (_, octets) = campaign.size(direction);
        let drawn: Vec<_> = (0..count)
            .map(|_| Place::Octet(rng.below(octets + 1)))
            .collect();
        plan.extend(cuts(direction, drawn.into_iter(), &[], &mut rng));
    }
    campaign.run(&format!("at {count} octets of each direction"), plan);
}

/// What can be around the frames: in ordinary runs all of it at once.
fn wrapped() -> impl Iterator<Item = Wire> {
    let alone = [Wire::Tls, Wire::Ws].into_iter().filter(|_| is_full());
    alone.chain([Wire::Wss])
}
