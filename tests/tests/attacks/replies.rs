//! Frames that ask for frames: E.

use ferrion_tests::build::{Role, begin, detach, end};
use ferrion_tests::oracle::V;

use crate::victim::State::{Attached, Begun, Opened};
use crate::victim::{CHANNEL, Program, RECEIVER, link, session_flow};
use crate::{Attack, DETACHED, ENDED, NOTHING, UNHEARD};

fn session() -> Vec<u8> {
    begin()
        .next_outgoing_id(0)
        .incoming_window(100)
        .outgoing_window(100)
        .properties(V::fields(&[("k", V::Str("x".repeat(500)))]))
        .octets(CHANNEL)
}

/// A link comes and goes, under a name of so many octets.
fn come_and_go(name: usize) -> Vec<u8> {
    let attach = link(&"n".repeat(name), 9, Role::Receiver);
    let detach = detach().handle(9).closed(true);
    [attach.octets(CHANNEL), detach.octets(CHANNEL)].concat()
}

fn echo(of_link: bool) -> Vec<u8> {
    let flow = session_flow().echo(true);
    if of_link {
        let flow = flow.handle(RECEIVER).delivery_count(0).link_credit(1_000);
        flow.octets(CHANNEL)
    } else {
        flow.octets(CHANNEL)
    }
}

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new(
            'E',
            "10,000 flows that ask for one of the session",
            "one answer in each write",
            &[(Begun, NOTHING), (Attached, NOTHING)],
            |_| echo(false).repeat(10_000),
        )
        .answered_once(),
        Attack::new(
            'E',
            "10,000 flows that ask for one of the link",
            "one answer in each write",
            &[(Attached, NOTHING)],
            |_| echo(true).repeat(10_000),
        )
        .answered_once(),
        Attack::new(
            'E',
            "10,000 flows that ask for one, from a peer that does not read",
            "one answer that waits",
            &[(Attached, NOTHING)],
            |_| echo(true).repeat(10_000),
        )
        .answered_once()
        .with(Program::Stuck),
        Attack::new(
            'E',
            "5,000 links that come and go",
            "nothing is kept of them",
            &[(Begun, DETACHED), (Attached, DETACHED)],
            |_| come_and_go(100).repeat(5_000),
        ),
        Attack::new(
            'E',
            "5,000 links that come and go, from a peer that does not read",
            "`control_octets`, `pending_replies`",
            &[(Begun, UNHEARD), (Attached, UNHEARD)],
            |_| come_and_go(1_000).repeat(5_000),
        )
        .by_default(UNHEARD, |_| come_and_go(10).repeat(40_000), 32 << 20)
        .with(Program::Stuck),
        Attack::new(
            'E',
            "5,000 sessions that come and go",
            "nothing is kept of them",
            &[(Opened, ENDED)],
            |_| [session(), end().octets(CHANNEL)].concat().repeat(5_000),
        ),
        Attack::new(
            'E',
            "50,000 sessions that come and go, from a peer that does not read",
            "`control_octets`, `pending_replies`",
            &[(Opened, UNHEARD)],
            |_| [session(), end().octets(CHANNEL)].concat().repeat(50_000),
        )
        .by_default(
            "close, `amqp:resource-limit-exceeded`; end without error",
            |_| [session(), end().octets(CHANNEL)].concat().repeat(10_000),
            4 << 20,
        )
        .with(Program::Stuck),
        Attack::new(
            'E',
            "200 links of one name, each of which takes it from the one before",
            "`links_per_session`",
            &[(Begun, "detach, `amqp:link:stolen`")],
            |_| {
                let one = |handle: u32| link("same", handle, Role::Sender).octets(CHANNEL);
                (0..200).flat_map(one).collect()
            },
        )
        .because(&["attached again elsewhere"]),
        Attack::new(
            'E',
            "links that come and go, of which the program does not ask",
            "`links_per_session`",
            &[(Begun, "end, `amqp:resource-limit-exceeded`")],
            |_| come_and_go(20).repeat(201),
        )
        .with(Program::Asleep)
        .because(&["links"])
        .harmless_by_default(2 << 20),
        Attack::new(
            'E',
            "links without end",
            "handle-max, which is `links_per_session`",
            &[(Begun, "close, `amqp:connection:framing-error`")],
            |_| {
                let one = |handle: u32| {
                    let name = format!("l{handle}");
                    link(&name, handle, Role::Receiver).octets(CHANNEL)
                };
                (0..201).flat_map(one).collect()
            },
        )
        .because(&["beyond the handle-max"])
        .harmless_by_default(1 << 20),
    ]
}
