//! States that a peer tells again and again of deliveries that stay unsettled (2.7.6): whoever does so as links need it is
//! heard, and whoever makes the engine walk all it has for a frame at a time is not.

use ferrion_engine::protocol::ReceiverSettleMode;
use ferrion_engine::{Config, DeliveryId, LinkConfig};
use ferrion_tests::build::{Build, Role, composite, disposition, received, rejected};
use ferrion_tests::oracle::V;
use ferrion_tests::peer::{Peer, Wired, client_with};

const EXCEEDED: &str = "amqp:resource-limit-exceeded";

/// Deliveries that count as if they had been there, and that each disposition may tell of for nothing.
const SPARE: u64 = 4_096;
const FREE: u64 = 16;

fn limited(states_per_delivery: u32) -> Config {
    let mut config = Config::new("engine");
    config.limits.states_per_delivery = states_per_delivery;
    config
}

fn all(role: Role) -> Build {
    disposition().role(role).range(0, 0x7fff_ffff)
}

/// An outcome with more to it than is free with each delivery.
fn refused() -> V {
    let error = composite(0x1d)
        .set("condition", V::sym("script:no"))
        .description(&"x".repeat(100));
    rejected().error(error.v()).v()
}

/// A sender whose peer settles second.
fn sending(p: &mut Peer) -> Wired {
    p.opened();
    let session = p.begun();
    let mut config = LinkConfig::sender("out", "q");
    config.rcv_settle_mode = ReceiverSettleMode::Second;
    let link = p.sender_with(session, config, |b| b);
    p.events();
    link
}

fn send(p: &mut Peer, link: &Wired, numbers: std::ops::Range<u32>) -> Vec<DeliveryId> {
    p.grant(link, numbers.len() as u32);
    let ids = numbers
        .map(|n| p.send(link, &n.to_be_bytes(), b"x"))
        .collect();
    p.drain_names();
    ids
}

/// Dispositions of everything that are heard until the session ends.
fn heard_until_the_end(p: &mut Peer, told: &Build) -> u64 {
    for count in 0..1_000_000 {
        p.inject(told.clone());
        let names = p.drain_names();
        if names == ["end"] {
            return count;
        }
        assert!(names.is_empty(), "{names:?}");
    }
    panic!("it is heard for ever");
}

/// How often a frame that is about so many deliveries can be heard by this limit.
const fn heard(each: u64, live: u64) -> u64 {
    each * (live + SPARE) / (live - FREE)
}

#[test]
fn a_receiver_that_tells_of_everything_again_and_again_ends_its_session() {
    for (each, live) in [(2, 1_000), (16, 500), (1, 100)] {
        client_with(limited(each), |p| {
            let link = sending(p);
            send(p, &link, 0..live);
            let told = all(Role::Receiver).accepted();
            let count = heard_until_the_end(p, &told);
            assert_eq!(count, heard(each.into(), live.into()), "of {live}");
        });
    }
}

#[test]
fn the_session_ends_with_a_condition_that_names_the_limit() {
    client_with(limited(1), |p| {
        let link = sending(p);
        send(p, &link, 0..100);
        p.inject_all((0..100).map(|_| all(Role::Receiver).accepted()));
        p.expect_end().condition(EXCEEDED);
        p.expect_nothing();
    });
}

#[test]
fn a_sender_that_tells_of_everything_again_and_again_ends_its_session() {
    client_with(limited(2), |p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 500);
        let came: Vec<_> = (0..500).map(|n| p.delivery(&link, n, b"x")).collect();
        p.inject_all(came);
        (0..500).for_each(|_| drop(p.take(&link)));
        p.events();
        p.drain_names();
        let count = heard_until_the_end(p, &all(Role::Sender).accepted());
        assert_eq!(count, heard(2, 500));
    });
}

/// What deliveries have to be walked for before it is heard of them counts as well.
#[test]
fn large_states_count_twice() {
    client_with(limited(2), |p| {
        let link = sending(p);
        send(p, &link, 0..500);
        let told = all(Role::Receiver).state(refused());
        let count = heard_until_the_end(p, &told);
        assert_eq!(count, heard(2, 500) / 2);
    });
}

#[test]
fn a_receiver_that_settles_second_tells_each_state_once_or_twice_for_ever() {
    client_with(limited(2), |p| {
        let link = sending(p);
        for round in 0..100 {
            let numbers = round * 100..(round + 1) * 100;
            let ids = send(p, &link, numbers.clone());
            let range = || {
                let told = disposition().role(Role::Receiver);
                told.range(numbers.start, numbers.end - 1)
            };
            let point = received().section_number(0).section_offset(1);
            p.inject(range().state(point.v()));
            p.inject(range().accepted());
            assert_eq!(p.updates(&link).len(), 100);
            let mut sender = p.engine().sender(link.id).unwrap();
            ids.into_iter().for_each(|id| sender.settle(id).unwrap());
            assert_eq!(p.drain_names(), ["disposition"]);
        }
    });
}

#[test]
fn who_tells_a_state_of_each_delivery_by_itself_is_heard_whatever_the_limit() {
    client_with(limited(0), |p| {
        let link = sending(p);
        send(p, &link, 0..16);
        // How far the only message has come, after each of its transfers, and then all of them with each frame.
        for octets in 0..2_000 {
            let point = received().section_number(0).section_offset(octets);
            let told = disposition().role(Role::Receiver).first(0);
            p.inject(told.state(point.v()));
        }
        p.inject_all((0..2_000).map(|_| all(Role::Receiver).accepted()));
        assert_eq!(p.updates(&link).len(), 16);
        p.expect_nothing();
    });
}

#[test]
fn what_is_settled_costs_nothing_however_the_ranges_lie() {
    client_with(limited(0), |p| {
        let link = sending(p);
        // Every range begins with the first delivery there ever was.
        for round in 0..20 {
            send(p, &link, round * 1_000..(round + 1) * 1_000);
            let last = (round + 1) * 1_000 - 1;
            let told = disposition().role(Role::Receiver).range(0, last);
            p.inject(told.settled(true).accepted());
            assert_eq!(p.updates(&link).len(), 1_000);
        }
        // Nor does it with details, for which there has to be room before they are heard.
        for round in 20..40 {
            send(p, &link, round * 1_000..(round + 1) * 1_000);
            let last = (round + 1) * 1_000 - 1;
            let told = disposition().role(Role::Receiver).range(0, last);
            p.inject(told.settled(true).state(refused()));
            assert_eq!(p.updates(&link).len(), 1_000);
        }
        // And is told once more, when nothing is left of it.
        p.inject_all((0..1_000).map(|_| all(Role::Receiver).accepted()));
        p.expect_nothing();
    });
}

#[test]
fn ranges_that_begin_with_what_is_settled_count_only_what_is_not() {
    client_with(limited(1), |p| {
        let link = sending(p);
        for round in 0..500 {
            let ids = send(p, &link, round * 20..(round + 1) * 20);
            let told = disposition().role(Role::Receiver);
            p.inject(told.range(0, (round + 1) * 20 - 1).accepted());
            assert_eq!(p.updates(&link).len(), 20);
            let mut sender = p.engine().sender(link.id).unwrap();
            ids.into_iter().for_each(|id| sender.settle(id).unwrap());
            p.drain_names();
        }
    });
}
