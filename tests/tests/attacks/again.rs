//! What there is already, asked for once more, and what nobody remembers: names, handles, channels and deliveries.

use ferrion_tests::build::{Role, detach, end, open, transfer};
use ferrion_tests::oracle::V;

use crate::victim::State::{Attached, Begun, Opened};
use crate::victim::{CHANNEL, RECEIVER, SENDER, link, session, session_flow};
use crate::{Attack, DETACHED, NOTHING};

/// A delivery that is said to go on from before.
fn resumed(number: u32) -> Vec<u8> {
    transfer()
        .handle(SENDER)
        .delivery_id(number)
        .delivery_tag(&number.to_be_bytes())
        .message_format(0)
        .resume(true)
        .payload(b"x")
        .octets(CHANNEL)
}

/// A link that says it remembers so many deliveries.
fn remembering(handle: u32, count: u32) -> Vec<u8> {
    let entry = |n: u32| (V::Bin(n.to_be_bytes().to_vec()), V::Null);
    link("remembers", handle, Role::Sender)
        .unsettled(V::Map((0..count).map(entry).collect()))
        .octets(CHANNEL)
}

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new(
            'U',
            "a second open",
            "2.4.1",
            &[
                (Opened, "close, `amqp:not-allowed`"),
                (Attached, "close, `amqp:not-allowed`"),
            ],
            |_| open().container_id("again").octets(0),
        )
        .because(&["opened before"]),
        Attack::new(
            'U',
            "a session on a channel that has one",
            "2.5.1",
            &[
                (Begun, "close, `amqp:not-allowed`"),
                (Attached, "close, `amqp:not-allowed`"),
            ],
            |_| session().octets(CHANNEL),
        )
        .because(&["which has a session"]),
        Attack::new(
            'U',
            "an end on a channel without a session, 1,000 times",
            "2.5.5",
            &[(Opened, "close, `amqp:not-allowed`")],
            |_| end().octets(CHANNEL).repeat(1_000),
        )
        .because(&["which has no session"]),
        Attack::new(
            'U',
            "a link on a handle that has one",
            "2.7.3",
            &[(Attached, "end, `amqp:session:handle-in-use`")],
            |_| link("another", SENDER, Role::Sender).octets(CHANNEL),
        )
        .because(&["is in use"]),
        Attack::new(
            'U',
            "40 deliveries that go on from before, of which nobody knows",
            "2.6.13",
            &[(Attached, NOTHING)],
            |_| (0..40).flat_map(resumed).collect(),
        ),
        Attack::new(
            'U',
            "a link that remembers 2,000 deliveries which never were, 100 times",
            "nothing is kept of what has ended",
            &[(Begun, DETACHED), (Attached, DETACHED)],
            |_| {
                let gone = detach().handle(50).closed(true).octets(CHANNEL);
                [remembering(50, 2_000), gone].concat().repeat(100)
            },
        ),
        Attack::new(
            'A',
            "150 links with handles from the last one down, each as far as can be from those that are there",
            "`links_per_session`",
            &[(Begun, NOTHING), (Attached, NOTHING)],
            |_| {
                let one = |handle: u32| {
                    link(&format!("far {handle}"), handle, Role::Receiver).octets(CHANNEL)
                };
                (0..150).map(|n| 199 - n).flat_map(one).collect()
            },
        ),
        Attack::new(
            'E',
            "10,000 flows of a link that is being taken away by another of its name",
            "one answer in each write",
            &[(Attached, "detach, `amqp:link:stolen`")],
            |_| {
                let thief = link("asked-3", 150, Role::Receiver).octets(CHANNEL);
                let flow = session_flow()
                    .handle(RECEIVER)
                    .delivery_count(0)
                    .link_credit(1);
                [thief, flow.echo(true).octets(CHANNEL).repeat(10_000)].concat()
            },
        )
        .because(&["attached again elsewhere"]),
    ]
}
