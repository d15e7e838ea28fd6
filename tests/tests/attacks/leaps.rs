//! Delivery-ids that run ahead of what is not settled: they cost nothing where dispositions are looked up.

use ferrion_tests::build::{Role, accepted, disposition, transfer};

use crate::victim::State::Attached;
use crate::victim::{CHANNEL, Program, SENDER, Side, Victim, WINDOW, config, cpu, link};

/// Two more links of the attacker's.
const PIN: u32 = 10;
const FAR: u32 = 11;

/// How far an id may be from the one before.
const LEAP: u32 = 256;

/// Nanoseconds of work for a thousand dispositions of all ids there were, two of them not settled, after so many leaps.
fn work_of_dispositions(leaps: u32) -> u64 {
    let mut victim = Victim::new(
        Side::Server,
        Attached,
        config(),
        WINDOW,
        Program::Unsettling,
    );
    for (name, handle) in [("pin", PIN), ("far", FAR)] {
        victim.hear(&link(name, handle, Role::Sender).octets(CHANNEL));
    }
    let delivery = |handle, number: u32| {
        let tag = number.to_be_bytes();
        let begun = transfer().handle(handle).delivery_id(number);
        begun.delivery_tag(&tag).message_format(0)
    };
    // It is never whole.
    victim.hear(&delivery(PIN, 0).more(true).payload(b"x").octets(CHANNEL));
    // The link fails, and its end is never answered: what still comes on it needs no credit, and has ids.
    victim.hear(&transfer().handle(SENDER).payload(b"x").octets(CHANNEL));
    for window in (1..=leaps).collect::<Vec<_>>().chunks(400) {
        let leaping = window.iter().map(|n| delivery(SENDER, n * LEAP));
        victim.hear(&leaping.flat_map(|d| d.octets(CHANNEL)).collect::<Vec<_>>());
    }
    let far = (leaps + 1) * LEAP;
    victim.hear(&delivery(FAR, far).payload(b"x").octets(CHANNEL));
    let unsettled = victim.engine.census().incoming_deliveries;
    assert_eq!(unsettled, 2, "after {leaps} leaps: {:?}", victim.ends);
    let told = disposition()
        .role(Role::Sender)
        .range(1, far)
        .state(accepted().v())
        .octets(CHANNEL)
        .repeat(1_000);
    let before = cpu();
    victim.hear(&told);
    cpu() - before
}

#[test]
fn a_disposition_costs_what_is_not_settled_however_far_apart_that_is() {
    let (near, far) = (work_of_dispositions(100), work_of_dispositions(200_000));
    // The clock moves in steps of some milliseconds.
    let most = 4 * near + 30_000_000;
    assert!(
        far <= most,
        "{far} ns of work after leaps, and {near} without"
    );
}
