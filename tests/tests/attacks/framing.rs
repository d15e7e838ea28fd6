//! Frames of wrong sizes, and too many of them: F.

use ferrion_tests::build::{begin, open, sasl_init};
use ferrion_tests::oracle::{AMQP_HEADER, Frame, SASL_HEADER};

use crate::victim::State;
use crate::victim::State::{Attached, Begun, ClientOpen, ClientSasl, Header, Open, Opened, Sasl};
use crate::{Attack, LOGIN_FAILS, NOTHING};

const FRAMING_ERROR: &str = "close, `amqp:connection:framing-error`";

const FRAMING: &[(State, &str)] = &[
    (Header, "close, `amqp:connection:framing-error`"),
    (Sasl, LOGIN_FAILS),
    (Open, "close, `amqp:connection:framing-error`"),
    (ClientSasl, LOGIN_FAILS),
    (ClientOpen, "close, `amqp:connection:framing-error`"),
    (Opened, "close, `amqp:connection:framing-error`"),
    (Begun, "close, `amqp:connection:framing-error`"),
    (Attached, "close, `amqp:connection:framing-error`"),
];

/// Where a frame is to come, or first a header.
fn after_header(state: State, octets: &[u8]) -> Vec<u8> {
    let header: &[u8] = if state == Header { &AMQP_HEADER } else { &[] };
    [header, octets].concat()
}

/// The frame type that the state has.
fn kind(state: State) -> u8 {
    u8::from(matches!(state, Sasl | ClientSasl))
}

/// The header of a frame that says it has so many octets.
fn announced(state: State, size: u32, offset: u8) -> Vec<u8> {
    let [a, b, c, d] = size.to_be_bytes();
    after_header(state, &[a, b, c, d, offset, kind(state), 0, 0])
}

fn begins_on(channel: u16) -> Vec<u8> {
    begin()
        .next_outgoing_id(0)
        .incoming_window(1)
        .outgoing_window(1)
        .octets(channel)
}

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new(
            'F',
            "a frame that says it has 2^32-1 octets",
            "`max_frame_size`, 512 before open",
            FRAMING,
            |state| announced(state, u32::MAX, 2),
        )
        .because(&["larger than the maximum"]),
        Attack::new(
            'F',
            "a frame that says it has one octet more than is allowed",
            "`max_frame_size`, 512 before open",
            &[
                (Header, "close, `amqp:connection:framing-error`"),
                (Sasl, LOGIN_FAILS),
                (Open, "close, `amqp:connection:framing-error`"),
                (ClientSasl, LOGIN_FAILS),
                (Attached, "close, `amqp:connection:framing-error`"),
            ],
            |state| announced(state, if state.is_early() { 513 } else { 65_537 }, 2),
        )
        .because(&["larger than the maximum"]),
        Attack::new(
            'F',
            "a frame that says it has less than its header",
            "2.3.1",
            FRAMING,
            |state| announced(state, 7, 2),
        )
        .because(&["less than its header"]),
        Attack::new(
            'F',
            "a frame whose body begins before it",
            "2.3.1",
            FRAMING,
            |state| announced(state, 8, 1),
        )
        .because(&["data offset"]),
        Attack::new(
            'F',
            "a frame whose body begins behind it",
            "2.3.1",
            FRAMING,
            |state| announced(state, 8, 255),
        )
        .because(&["data offset"]),
        Attack::new(
            'F',
            "empty frames, 10,000 of them",
            "`octets_before_open`",
            &[
                (Open, "close, `amqp:resource-limit-exceeded`"),
                (ClientOpen, "close, `amqp:resource-limit-exceeded`"),
                (Opened, NOTHING),
                (Attached, NOTHING),
            ],
            |_| Frame::empty(0).encode().repeat(10_000),
        )
        .because(&["octets before open"]),
        Attack::new(
            'F',
            "an open of 40,000 octets from a server",
            "`octets_before_open`",
            &[(ClientOpen, "close, `amqp:resource-limit-exceeded`")],
            |_| {
                open()
                    .container_id("attacker")
                    .hostname(&"x".repeat(40_000))
                    .octets(0)
            },
        )
        .because(&["octets before open"]),
        Attack::new(
            'F',
            "a frame of SASL where AMQP has begun",
            "5.3",
            &[
                (Open, "close, `amqp:connection:framing-error`"),
                (Opened, "close, `amqp:connection:framing-error`"),
                (Attached, "close, `amqp:connection:framing-error`"),
            ],
            |_| sasl_init().mechanism("PLAIN").octets(0),
        )
        .because(&["type that has no place"]),
        Attack::new(
            'F',
            "a frame of AMQP where SASL has not ended",
            "5.3",
            &[(Sasl, LOGIN_FAILS), (ClientSasl, LOGIN_FAILS)],
            |_| open().container_id("attacker").octets(0),
        )
        .because(&["type that has no place"]),
        Attack::new(
            'F',
            "a session on a channel beyond the last",
            "`channel_max`",
            &[(Opened, "close, `amqp:connection:framing-error`")],
            |_| begins_on(64),
        )
        .because(&["beyond the channel-max"])
        .by_default(FRAMING_ERROR, |_| begins_on(1_024), 64 << 10),
        Attack::new(
            'F',
            "the headers of two layers, again and again",
            "2.2",
            &[(Header, OTHER)],
            |_| [SASL_HEADER, AMQP_HEADER].concat().repeat(100),
        ),
    ]
}

const OTHER: &str = crate::OTHER_HEADER;
