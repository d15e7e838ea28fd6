//! Values that say more than they are: A, N and C.

use ferrion_tests::build::{Role, target};
use ferrion_tests::build::{begin, detach, end, open, sasl_init, sasl_mechanisms, source};
use ferrion_tests::oracle::V;

use crate::victim::State::{Attached, Begun, ClientOpen, ClientSasl, Open, Opened, Sasl};
use crate::victim::{CHANNEL, RECEIVER, SENDER, State, link, session_flow};
use crate::{Attack, DETACHED, ENDED, LOGIN_FAILS, NOTHING};

/// What a value that cannot be read ends, in each state.
const UNREADABLE: &[(State, &str)] = &[
    (Sasl, LOGIN_FAILS),
    (Open, "close, `amqp:decode-error`"),
    (ClientSasl, LOGIN_FAILS),
    (ClientOpen, "close, `amqp:decode-error`"),
    (Opened, "close, `amqp:decode-error`"),
    (Begun, "end, `amqp:decode-error`"),
    (Attached, "detach, `amqp:decode-error`"),
];

/// What one ends for which no frame of SASL has a field.
const OF_AMQP: &[(State, &str)] = &[
    (Open, "close, `amqp:decode-error`"),
    (ClientOpen, "close, `amqp:decode-error`"),
    (Opened, "close, `amqp:decode-error`"),
    (Begun, "end, `amqp:decode-error`"),
    (Attached, "detach, `amqp:decode-error`"),
];

/// What one that cannot be read and is large ends.
const LARGE: &[(State, &str)] = &[
    (Opened, "close, `amqp:decode-error`"),
    (Begun, "end, `amqp:decode-error`"),
    (Attached, "detach, `amqp:decode-error`"),
];

/// The same before open, where it is too large for anybody to look inside.
const LARGE_AND_EARLY: &[(State, &str)] = &[
    (Sasl, LOGIN_FAILS),
    (Open, "close, `amqp:connection:framing-error`"),
];

// What is said of them.
const COUNT: &[&str] = &["elements is more than can be there"];
const LENGTH: &[&str] = &["octets are more than are taken for one value"];
const BEYOND: &[&str] = &["goes on beyond the end of its buffer"];
const LENGTH_OR_BEYOND: &[&str] = &[LENGTH[0], BEYOND[0]];
const DEEP: &[&str] = &["nested too deep"];
const FRAME: &[&str] = &["a frame is larger than the maximum"];

/// The value in the frame that a state waits for.
fn carried(state: State, value: V) -> Vec<u8> {
    let fields = V::fields(&[("k", value.clone())]);
    match state {
        State::Header | Sasl => sasl_init().set("mechanism", value).octets(0),
        ClientSasl => sasl_mechanisms()
            .set("sasl-server-mechanisms", value)
            .octets(0),
        Open | ClientOpen => open().container_id("attacker").properties(fields).octets(0),
        Opened => begin()
            .next_outgoing_id(0)
            .incoming_window(1)
            .outgoing_window(1)
            .properties(fields)
            .octets(CHANNEL),
        Begun => link("attacked", SENDER, Role::Sender)
            .properties(fields)
            .octets(CHANNEL),
        Attached => session_flow()
            .handle(SENDER)
            .properties(fields)
            .octets(CHANNEL),
    }
}

/// The frame that a state waits for, if it is one of SASL, with this where the list of its fields should be.
fn instead_of_fields(state: State, list: &[u8]) -> Option<Vec<u8>> {
    let code = match state {
        Sasl => 0x41,
        ClientSasl => 0x40,
        _ => return None,
    };
    let size = u32::try_from(8 + 3 + list.len()).expect("a small frame");
    Some([&size.to_be_bytes()[..], &[2, 1, 0, 0, 0, 0x53, code], list].concat())
}

fn raw(octets: &[u8]) -> V {
    V::Raw(octets.to_vec())
}

/// A value in so many lists.
fn nest(depth: usize) -> V {
    let mut octets = vec![0x45];
    for _ in 0..depth {
        let size = u32::try_from(octets.len() + 4).expect("it fits a frame");
        let mut outer = vec![0xd0];
        outer.extend(size.to_be_bytes());
        outer.extend([0, 0, 0, 1]);
        outer.append(&mut octets);
        octets = outer;
    }
    V::Raw(octets)
}

fn descriptors(depth: usize) -> V {
    let mut octets = vec![0; depth];
    octets.extend([0x40; 2]);
    V::Raw(octets)
}

/// Symbols that nobody has seen before, as keys of a map.
fn fresh(count: usize, round: usize) -> V {
    let names: Vec<String> = (0..count).map(|n| format!("s{round}-{n}")).collect();
    let pairs: Vec<_> = names.iter().map(|name| (name.as_str(), V::Null)).collect();
    V::fields(&pairs)
}

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new(
            'A',
            "an array of 2^32-1 nulls, in ten octets",
            "`zero_width_elements`",
            OF_AMQP,
            |state| carried(state, raw(&[0xf0, 0, 0, 0, 5, 255, 255, 255, 255, 0x40])),
        )
        .because(COUNT),
        Attack::new(
            'A',
            "an array of 65,537 times true, in ten octets",
            "`zero_width_elements`",
            OF_AMQP,
            |state| carried(state, raw(&[0xf0, 0, 0, 0, 5, 0, 1, 0, 1, 0x41])),
        )
        .because(COUNT),
        Attack::new(
            'A',
            "mechanisms of which there are said to be 2^32-1",
            "octets that are there",
            &[(ClientSasl, LOGIN_FAILS)],
            |state| carried(state, raw(&[0xf0, 0, 0, 0, 6, 255, 255, 255, 255, 0xa3, 0])),
        )
        .because(COUNT),
        Attack::new(
            'A',
            "a list that says it has 2^31 elements",
            "octets that are there",
            UNREADABLE,
            |state| {
                let list = [0xd0, 0, 0, 0, 8, 128, 0, 0, 0, 64, 64, 64, 64];
                instead_of_fields(state, &list).unwrap_or_else(|| carried(state, raw(&list)))
            },
        )
        .because(COUNT),
        Attack::new(
            'A',
            "a map that says it has 2^32-2 elements",
            "octets that are there",
            OF_AMQP,
            |state| carried(state, raw(&[0xd1, 0, 0, 0, 5, 255, 255, 255, 254, 64])),
        )
        .because(COUNT),
        Attack::new(
            'A',
            "a symbol that says it has 2^32-1 octets",
            "`field_octets`; in SASL octets that are there",
            UNREADABLE,
            |state| carried(state, raw(&[0xb3, 255, 255, 255, 255, b'x'])),
        )
        .because(LENGTH_OR_BEYOND),
        Attack::new(
            'A',
            "a symbol that says it has 8,000 octets, of which one is there",
            "octets that are there",
            UNREADABLE,
            |state| carried(state, raw(&[0xb3, 0, 0, 0x1f, 0x40, b'x'])),
        )
        .because(BEYOND),
        Attack::new(
            'A',
            "a string of 9,000 octets",
            "512 octets of a frame before open",
            LARGE_AND_EARLY,
            |state| carried(state, V::Str("x".repeat(9_000))),
        )
        .because(FRAME),
        Attack::new(
            'A',
            "a string of 9,000 octets",
            "`field_octets`",
            LARGE,
            |state| carried(state, V::Str("x".repeat(9_000))),
        )
        .because(LENGTH)
        .harmless_by_default(256 << 10),
        Attack::new(
            'A',
            "a list of 40,000 octets",
            "`compound_octets`",
            LARGE,
            |state| carried(state, V::List(vec![V::Str("x".repeat(4_000)); 10])),
        )
        .because(LENGTH)
        .harmless_by_default(256 << 10),
        Attack::new(
            'A',
            "20,000 capabilities without a letter, each of which takes one octet and 32 in memory",
            "what an attach says is kept as octets",
            &[(Begun, NOTHING)],
            |_| {
                let mut array = vec![0xf0];
                array.extend((20_000u32 + 5).to_be_bytes());
                array.extend(20_000u32.to_be_bytes());
                array.push(0xa3);
                array.resize(array.len() + 20_000, 0);
                link("attacked", SENDER, Role::Sender)
                    .source(source().set("capabilities", V::Raw(array)).v())
                    .octets(CHANNEL)
            },
        ),
        Attack::new(
            'N',
            "a value in 40 descriptors",
            "`nesting_depth`",
            OF_AMQP,
            |state| carried(state, descriptors(40)),
        )
        .because(DEEP),
        Attack::new(
            'N',
            "a value in 40 descriptors, where no field takes one",
            "the type of the field, 5.3.3",
            &[(Sasl, LOGIN_FAILS), (ClientSasl, LOGIN_FAILS)],
            |state| carried(state, descriptors(40)),
        )
        .because(&["expected symbol"]),
        Attack::new(
            'N',
            "a value in 30,000 descriptors",
            "`nesting_depth`",
            LARGE,
            |state| carried(state, descriptors(30_000)),
        )
        .because(DEEP),
        Attack::new(
            'N',
            "a list in 12 lists",
            "`nesting_depth`, less before open",
            &[
                (Open, "close, `amqp:decode-error`"),
                (ClientOpen, "close, `amqp:decode-error`"),
                (Opened, NOTHING),
                (Begun, NOTHING),
                (Attached, NOTHING),
            ],
            |state| carried(state, nest(12)),
        )
        .because(DEEP),
        Attack::new(
            'N',
            "a list in 3,000 lists",
            "`nesting_depth`",
            LARGE,
            |state| carried(state, nest(3_000)),
        )
        .because(DEEP),
        Attack::new(
            'C',
            "500 sessions after each other with 100 symbols each that are new",
            "nothing is kept of what has ended",
            &[(Opened, ENDED)],
            |_| {
                let round = |round| {
                    let mut octets = carried(Opened, fresh(100, round));
                    octets.extend(end().octets(CHANNEL));
                    octets
                };
                (0..500).flat_map(round).collect()
            },
        ),
        Attack::new(
            'C',
            "500 links after each other with 100 symbols each that are new",
            "nothing is kept of what has ended",
            &[(Begun, DETACHED), (Attached, DETACHED)],
            |_| {
                let round = |round| {
                    let attach = link(&format!("l{round}"), 9, Role::Receiver)
                        .target(target().v())
                        .properties(fresh(100, round));
                    let detach = detach().handle(9).closed(true);
                    [attach.octets(CHANNEL), detach.octets(CHANNEL)].concat()
                };
                (0..500).flat_map(round).collect()
            },
        ),
        Attack::new(
            'C',
            "1,000 flows with 50 symbols each that are new",
            "nothing is kept of a flow",
            &[(Attached, NOTHING)],
            |_| {
                let round = |round| {
                    session_flow()
                        .handle(RECEIVER)
                        .delivery_count(0)
                        .link_credit(1_000)
                        .properties(fresh(50, round))
                        .octets(CHANNEL)
                };
                (0..1_000).flat_map(round).collect()
            },
        ),
    ]
}
