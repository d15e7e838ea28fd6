//! What is no AMQP, what has ended, numbers at their ends, and messages that look like something: P, U, I and J.

use ferrion_tests::build::{Role, attach, begin, detach, disposition, end, flow, transfer};
use ferrion_tests::oracle::V;

use crate::victim::State;
use crate::victim::State::{Attached, Begun, ClientOpen, ClientSasl, Header, Open, Opened, Sasl};
use crate::victim::{CHANNEL, RECEIVER, SENDER, delivery, link, session_flow};
use crate::{Attack, LOGIN_FAILS, NOTHING, OTHER_HEADER};

/// A frame with this body.
fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(8 + body.len()).expect("a small frame");
    [&size.to_be_bytes()[..], &[2, kind, 0, 3], body].concat()
}

/// The frame type that the state has.
fn kind(state: State) -> u8 {
    u8::from(matches!(state, Sasl | ClientSasl))
}

pub(crate) fn attacks() -> Vec<Attack> {
    let mut all = no_amqp();
    all.extend(ended());
    all.extend(numbers());
    all.extend(messages());
    all
}

fn no_amqp() -> Vec<Attack> {
    vec![
        Attack::new(
            'P',
            "a request of HTTP",
            "2.2",
            &[(Header, OTHER_HEADER)],
            |_| b"GET / HTTP/1.1\r\nHost: example.net\r\n\r\n".repeat(100),
        ),
        Attack::new(
            'P',
            "half of a header, and nothing more",
            "`handshake_time`",
            &[(Header, NOTHING)],
            |_| b"AMQP".to_vec(),
        ),
        Attack::new(
            'P',
            "half of a frame, and nothing more",
            "`handshake_time`, idle-time-out",
            &[
                (Sasl, NOTHING),
                (Open, NOTHING),
                (ClientSasl, NOTHING),
                (ClientOpen, NOTHING),
                (Attached, NOTHING),
            ],
            |state| vec![0, 0, 1, 0, 2, kind(state), 0, 0, 0, 0x53, 0x10],
        ),
        Attack::new(
            'P',
            "a body without a descriptor",
            "2.3",
            &[
                (Sasl, LOGIN_FAILS),
                (Open, "close, `amqp:decode-error`"),
                (ClientSasl, LOGIN_FAILS),
                (ClientOpen, "close, `amqp:decode-error`"),
                (Opened, "close, `amqp:decode-error`"),
                (Begun, "close, `amqp:decode-error`"),
                (Attached, "close, `amqp:decode-error`"),
            ],
            |state| frame(kind(state), &[0x45]),
        )
        .because(&["expected a described value"]),
        Attack::new(
            'P',
            "a performative that there is not",
            "2.7",
            &[
                (Sasl, LOGIN_FAILS),
                (Open, "close, `amqp:decode-error`"),
                (ClientSasl, LOGIN_FAILS),
                (ClientOpen, "close, `amqp:decode-error`"),
                (Opened, "close, `amqp:decode-error`"),
                (Begun, "close, `amqp:decode-error`"),
                (Attached, "close, `amqp:decode-error`"),
            ],
            |state| frame(kind(state), &[0, 0x53, 0x7f, 0x45]),
        )
        .because(&["is not a performative", "found another descriptor"]),
        Attack::new(
            'P',
            "a constructor that there is not",
            "1.2",
            &[
                (Open, "close, `amqp:decode-error`"),
                (Attached, "end, `amqp:decode-error`"),
            ],
            |state| {
                let code = if state == Open { 0x10 } else { 0x12 };
                frame(0, &[0, 0x53, code, 0xc0, 2, 1, 0x7b])
            },
        )
        .because(&["unknown constructor"]),
    ]
}

fn ended() -> Vec<Attack> {
    vec![
        Attack::new(
            'U',
            "a link that is detached, and used",
            "2.6.2",
            &[(Attached, "end, `amqp:session:unattached-handle`")],
            |_| {
                let gone = detach().handle(SENDER).closed(true).octets(CHANNEL);
                [gone, delivery(0, b"x").octets(CHANNEL)].concat()
            },
        )
        .because(&["is not attached"]),
        Attack::new(
            'U',
            "a session that is ended, and used",
            "2.5.5",
            &[(Attached, "close, `amqp:not-allowed`")],
            |_| [end().octets(CHANNEL), delivery(0, b"x").octets(CHANNEL)].concat(),
        )
        .because(&["has no session"]),
        Attack::new(
            'U',
            "a link that is detached twice",
            "2.6.2",
            &[(Attached, "end, `amqp:session:unattached-handle`")],
            |_| {
                detach()
                    .handle(SENDER)
                    .closed(true)
                    .octets(CHANNEL)
                    .repeat(2)
            },
        )
        .because(&["is not attached"]),
        Attack::new(
            'U',
            "a delivery that is settled, and settled again",
            "nothing is left of it",
            &[(Attached, NOTHING)],
            |_| {
                disposition()
                    .role(Role::Receiver)
                    .range(0, 50)
                    .settled(true)
                    .octets(CHANNEL)
                    .repeat(100)
            },
        ),
        Attack::new(
            'U',
            "an answer to a session that was not begun",
            "2.5.1",
            &[(Opened, "close, `amqp:not-allowed`")],
            |_| {
                begin()
                    .remote_channel(50)
                    .next_outgoing_id(0)
                    .incoming_window(1)
                    .outgoing_window(1)
                    .octets(CHANNEL)
            },
        )
        .because(&["waits for none"]),
    ]
}

fn numbers() -> Vec<Attack> {
    const MOST: u32 = u32::MAX;
    vec![
        Attack::new(
            'I',
            "a session whose every number is the largest",
            "serial numbers, 2.8.10",
            &[(Opened, NOTHING)],
            |_| {
                begin()
                    .next_outgoing_id(MOST)
                    .incoming_window(MOST)
                    .outgoing_window(MOST)
                    .handle_max(MOST)
                    .octets(CHANNEL)
            },
        ),
        Attack::new(
            'I',
            "a handle that is the largest",
            "`links_per_session`",
            &[(Begun, "close, `amqp:connection:framing-error`")],
            |_| link("attacked", MOST, Role::Sender).octets(CHANNEL),
        )
        .because(&["beyond the handle-max"]),
        Attack::new(
            'I',
            "a link whose every number is the largest",
            "serial numbers, 2.8.10",
            &[(Begun, NOTHING)],
            |_| {
                attach()
                    .name("attacked")
                    .handle(SENDER)
                    .role(Role::Sender)
                    .initial_delivery_count(MOST)
                    .max_message_size(u64::MAX)
                    .source(ferrion_tests::build::source().timeout(MOST).v())
                    .target(ferrion_tests::build::target().timeout(MOST).v())
                    .octets(CHANNEL)
            },
        ),
        Attack::new(
            'I',
            "a flow whose every number is the largest",
            "serial numbers, 2.8.10",
            &[(Attached, NOTHING)],
            |_| {
                flow()
                    .next_incoming_id(MOST)
                    .incoming_window(MOST)
                    .next_outgoing_id(MOST)
                    .outgoing_window(MOST)
                    .handle(RECEIVER)
                    .delivery_count(MOST)
                    .link_credit(MOST)
                    .octets(CHANNEL)
            },
        ),
        Attack::new(
            'I',
            "as much credit as there can be, from a count that is not the sender's",
            "2.6.7",
            &[(Attached, NOTHING)],
            |_| {
                session_flow()
                    .handle(RECEIVER)
                    .delivery_count(0x8000_0000)
                    .link_credit(MOST)
                    .octets(CHANNEL)
            },
        ),
        Attack::new(
            'I',
            "a delivery-id that leaps by 2^31",
            "2.6.12",
            &[(Attached, "end, `amqp:invalid-field`")],
            |_| {
                let next = transfer()
                    .handle(SENDER)
                    .delivery_id(0x8000_0000)
                    .delivery_tag(b"u")
                    .message_format(0);
                [delivery(0, b"x").octets(CHANNEL), next.octets(CHANNEL)].concat()
            },
        )
        .because(&["does not follow"]),
        Attack::new(
            'I',
            "a tag of 33 octets",
            "2.8.7",
            &[(Attached, "detach, `amqp:decode-error`")],
            |_| {
                transfer()
                    .handle(SENDER)
                    .delivery_id(0)
                    .delivery_tag(&[1; 33])
                    .message_format(0)
                    .octets(CHANNEL)
            },
        )
        .because(&["delivery-tag of 33 octets"]),
    ]
}

fn messages() -> Vec<Attack> {
    vec![
        Attack::new(
            'J',
            "a message that is no message",
            "octets are handed over as they are",
            &[(Attached, NOTHING)],
            |_| delivery(0, &[0, 0x53, 0x77, 0xd0, 255, 255, 255, 255]).octets(CHANNEL),
        ),
        Attack::new(
            'J',
            "a serialised object of Java, said to be one",
            "octets are handed over as they are",
            &[(Attached, NOTHING)],
            |_| {
                let body = V::Described(
                    Box::new(V::Ulong(0x75)),
                    Box::new(V::bin(b"\xac\xed\0\x05sr\0\x11java.util.HashMap")),
                );
                let mut octets = Vec::new();
                ferrion_tests::oracle::encode(&body, &mut octets);
                delivery(0, &octets).octets(CHANNEL)
            },
        ),
        Attack::new(
            'J',
            "a payload nested 10,000 times",
            "octets are handed over as they are",
            &[(Attached, NOTHING)],
            |_| delivery(0, &[0; 10_000]).octets(CHANNEL),
        ),
    ]
}
