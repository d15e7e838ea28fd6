//! Transfers and dispositions: W, D and M.

use ferrion_tests::build::{Role, accepted, composite, disposition, modified, rejected, transfer};
use ferrion_tests::oracle::{Frame, V};

use crate::victim::State::Attached;
use crate::victim::{CHANNEL, CREDIT, Program, SENDER, UNSETTLED, delivery};
use crate::{Attack, NOTHING};

fn deliveries(count: u32, payload: &[u8]) -> Vec<u8> {
    (0..count)
        .flat_map(|n| delivery(n, payload).octets(CHANNEL))
        .collect()
}

/// A delivery whose transfers all say that more comes.
fn endless(count: u32, payload: &[u8]) -> Vec<u8> {
    let more = transfer().handle(SENDER).more(true).payload(payload);
    let first = delivery(0, payload).more(true).octets(CHANNEL);
    [first, more.octets(CHANNEL).repeat(count as usize)].concat()
}

fn told(role: Role, first: u32, last: u32) -> Vec<u8> {
    disposition()
        .role(role)
        .range(first, last)
        .settled(false)
        .state(accepted().v())
        .octets(CHANNEL)
}

pub(crate) fn attacks() -> Vec<Attack> {
    let mut all = kept_to();
    all.extend(ranges());
    all.extend(without_end());
    all
}

fn kept_to() -> Vec<Attack> {
    vec![
        Attack::new(
            'W',
            "one delivery more than there is credit for",
            "credit, 2.6.7",
            &[(Attached, "detach, `amqp:link:transfer-limit-exceeded`")],
            |_| deliveries(CREDIT + 1, b"x"),
        )
        .because(&["transfer without credit"])
        .with(Program::Idle),
        Attack::new(
            'W',
            "one transfer more than there is window for",
            "window, 2.5.6",
            &[(Attached, "end, `amqp:session:window-violation`")],
            |_| endless(600, b"x"),
        )
        .harmless_by_default(1 << 20)
        .because(&["without a session window"]),
        Attack::new(
            'W',
            "deliveries to the sending end of a link",
            "2.6",
            &[(Attached, "detach, `amqp:not-allowed`")],
            |_| {
                delivery(0, b"x")
                    .handle(crate::victim::RECEIVER)
                    .octets(CHANNEL)
            },
        )
        .because(&["to the sending end"]),
        Attack::new(
            'W',
            "a delivery that begins within another",
            "2.6.14",
            &[(Attached, "detach, `amqp:invalid-field`")],
            |_| {
                let first = delivery(0, b"x").more(true).octets(CHANNEL);
                [first, delivery(1, b"x").octets(CHANNEL)].concat()
            },
        )
        .because(&["began before the one before it"]),
        Attack::new(
            'W',
            "a delivery on a handle that has no link",
            "2.6.2",
            &[(Attached, "end, `amqp:session:unattached-handle`")],
            |_| delivery(0, b"x").handle(77).octets(CHANNEL),
        )
        .because(&["is not attached"]),
    ]
}

fn ranges() -> Vec<Attack> {
    vec![
        Attack::new(
            'D',
            "a disposition of all delivery-ids there can be",
            "what is not settled, not the range",
            &[(Attached, NOTHING)],
            |_| told(Role::Receiver, 0, 0x7fff_ffff),
        ),
        Attack::new(
            'D',
            "500 dispositions of 2^31 delivery-ids, of which 100 are not settled",
            "what is not settled, not the range",
            &[(Attached, NOTHING)],
            |_| told(Role::Receiver, 0, 0x7fff_ffff).repeat(500),
        ),
        Attack::new(
            'D',
            "100,000 dispositions of 2^31 delivery-ids, of which 100 are not settled, and stay so",
            "`states_per_delivery`",
            &[(Attached, "end, `amqp:resource-limit-exceeded`")],
            |_| told(Role::Receiver, 0, 0x7fff_ffff).repeat(100_000),
        ).because(&["again and again"]),
        Attack::new(
            'D',
            "100,000 dispositions of all deliveries that came, which nobody settles",
            "`states_per_delivery`",
            &[(Attached, "end, `amqp:resource-limit-exceeded`")],
            |_| [deliveries(CREDIT - 1, b"x"), told(Role::Sender, 0, 0x7fff_ffff).repeat(100_000)].concat(),
        ).because(&["again and again"])
        .with(Program::Unsettling),
        Attack::new(
            'D',
            "1,000 dispositions of deliveries that never came",
            "what is not settled, not the range",
            &[(Attached, NOTHING)],
            |_| told(Role::Sender, 0, 0x7fff_ffff).repeat(1_000),
        ),
        Attack::new(
            'D',
            "a disposition that ends before it begins",
            "2.7.6",
            &[(Attached, "end, `amqp:invalid-field`")],
            |_| told(Role::Receiver, 0, u32::MAX),
        ).because(&["precedes its first"]),
        Attack::new(
            'D',
            "states of 8,000 octets for each of 100 deliveries, told ten times",
            "the last of each delivery is kept until it was looked at",
            &[(Attached, NOTHING)],
            |_| {
                let text = V::fields(&[("k", V::Str("x".repeat(8_000)))]);
                let state = modified().set("message-annotations", text).v();
                each_told(&state).collect::<Vec<_>>().concat().repeat(10)
            },
        ),
        Attack::new(
            'D',
            "states of 24,000 octets for each of 100 deliveries, for which there is no room",
            "`connection_octets`; they are told without their details",
            &[(Attached, NOTHING)],
            |_| {
                let text = || V::Str("x".repeat(8_000));
                let text = V::fields(&[("a", text()), ("b", text()), ("c", text())]);
                let state = modified().set("message-annotations", text).v();
                each_told(&state).flatten().collect()
            },
        )
        .configured(|config| config.limits.connection_octets = 256 << 10),
        Attack::new(
            'D',
            "errors of 24,000 octets with a condition of 40 for each of 100 deliveries, for which there is no room",
            "`connection_octets`; what is left of them is no piece of what they came with",
            &[(Attached, NOTHING)],
            |_| {
                let text = || V::Str("x".repeat(8_000));
                let error = composite(0x1d)
                    .set("condition", V::sym(&"c".repeat(40)))
                    .set("description", text())
                    .set("info", V::fields(&[("a", text()), ("b", text())]));
                let state = rejected().error(error.v()).v();
                each_told(&state).flatten().collect()
            },
        )
        .configured(|config| config.limits.connection_octets = 256 << 10),
        Attack::new(
            'D',
            "conditions of 24 octets for each of 100 deliveries, each in a read that is filled with empty frames",
            "a state keeps its own octets, and not the read",
            &[(Attached, NOTHING)],
            |_| {
                let error = composite(0x1d).set("condition", V::sym(&"c".repeat(24)));
                let state = rejected().error(error.v()).v();
                let empty = Frame::empty(0).encode().repeat(8_000);
                let reads = each_told(&state).map(|told| [told, empty.clone()].concat());
                reads.flatten().collect()
            },
        )
        .configured(|config| config.limits.connection_octets = 128 << 10),
    ]
}

/// A disposition of this state for each delivery that is not settled.
fn each_told(state: &V) -> impl Iterator<Item = Vec<u8>> {
    (0..UNSETTLED).map(|n| {
        disposition()
            .role(Role::Receiver)
            .first(n)
            .state(state.clone())
            .octets(CHANNEL)
    })
}

fn without_end() -> Vec<Attack> {
    const FULL_BY_DEFAULT: &str = "detach, `amqp:resource-limit-exceeded`";
    const FULL: &[(crate::State, &str)] = &[(Attached, "detach, `amqp:resource-limit-exceeded`")];
    const LARGE: &[(crate::State, &str)] =
        &[(Attached, "detach, `amqp:link:message-size-exceeded`")];
    vec![
        Attack::new(
            'M',
            "a message larger than the link takes",
            "max-message-size, 2.7.3",
            LARGE,
            |_| endless(3, &[0; 40_000]),
        )
        .because(&["more than 100000 octets"]),
        Attack::new(
            'M',
            "a delivery larger than is buffered",
            "`delivery_octets`",
            LARGE,
            |_| endless(3, &[0; 20_000]),
        )
        .because(&["more than 50000 octets"])
        .configured(|config| config.limits.delivery_octets = 50_000),
        Attack::new(
            'M',
            "transfers without payload",
            "`empty_transfers`",
            FULL,
            |_| endless(400, b""),
        )
        .because(&["transfers without payload in one delivery"])
        .by_default(FULL_BY_DEFAULT, |_| endless(1_100, b""), 1 << 20),
        Attack::new(
            'M',
            "transfers of one octet",
            "`partial_octets`, 64 for each transfer",
            FULL,
            |_| endless(400, b"x"),
        )
        .because(&["incomplete deliveries of the session"])
        .configured(|config| config.limits.partial_octets = 10_000),
        Attack::new(
            'M',
            "deliveries that nobody takes",
            "`link_octets`",
            FULL,
            |_| deliveries(40, &[0; 10_000]),
        )
        .because(&["octets of the link wait"])
        .harmless_by_default(1 << 20)
        .with(Program::Idle),
        Attack::new(
            'M',
            "deliveries that nobody takes",
            "`connection_octets`",
            FULL,
            |_| deliveries(40, &[0; 3_000]),
        )
        .because(&["the connection would hold"])
        .with(Program::Idle)
        .configured(|config| config.limits.connection_octets = 128 << 10),
        Attack::new(
            'M',
            "states of 8,000 octets with deliveries that nobody takes",
            "`link_octets`",
            FULL,
            |_| {
                let text = V::fields(&[("k", V::Str("x".repeat(8_000)))]);
                let state = modified().set("message-annotations", text).v();
                let one = |n| delivery(n, b"").state(state.clone()).octets(CHANNEL);
                (0..CREDIT).flat_map(one).collect()
            },
        )
        .because(&["octets of the link wait"])
        .harmless_by_default(1 << 20)
        .with(Program::Idle),
        Attack::new(
            'M',
            "deliveries that nobody settles",
            "`unsettled_per_session`",
            FULL,
            |_| deliveries(45, b"x"),
        )
        .because(&["unsettled deliveries of the session"])
        .with(Program::Unsettling)
        .configured(|config| config.limits.unsettled_per_session = 40),
        Attack::new(
            'M',
            "deliveries that nobody settles, each with an id far from the one before",
            "`connection_octets`; where they are found counts too",
            FULL,
            |_| {
                let one = |n: u32| delivery(n * 256, &[0; 400]).octets(CHANNEL);
                (0..2_000).flat_map(one).collect()
            },
        )
        .because(&["the connection would hold"])
        .harmless_by_default(5 << 20)
        .with(Program::Unsettling)
        .configured(|config| config.limits.unsettled_per_session = 3_000),
        Attack::new(
            'M',
            "deliveries that are begun and taken back, one more than there is credit for",
            "credit, 2.6.7",
            &[(Attached, "detach, `amqp:link:transfer-limit-exceeded`")],
            |_| {
                let one = |n| {
                    let begun = delivery(n, &[0; 500]).more(true).octets(CHANNEL);
                    [
                        begun,
                        transfer().handle(SENDER).aborted(true).octets(CHANNEL),
                    ]
                    .concat()
                };
                (0..CREDIT + 1).flat_map(one).collect()
            },
        )
        .because(&["transfer without credit"]),
        Attack::new(
            'M',
            "deliveries of one octet, each in a read that is filled with empty frames",
            "`connection_octets`",
            &[(Attached, NOTHING)],
            |_| {
                let empty = Frame::empty(0).encode().repeat(2_000);
                let one = |n| [delivery(n, b"x").octets(CHANNEL), empty.clone()].concat();
                (0..CREDIT).flat_map(one).collect()
            },
        )
        .with(Program::Idle)
        .configured(|config| config.limits.connection_octets = 128 << 10),
    ]
}
