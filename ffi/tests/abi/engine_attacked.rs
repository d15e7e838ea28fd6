//! The servers among the examples of the engine in C, and peers that do what an answer cannot be given to: nobody ends a server of
//! many.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use ferrion_engine::Config;
use ferrion_engine::protocol::DeliveryState;
use ferrion_tests::build::{
    Build, Role, accepted, attach, begin, close, detach, disposition, end, flow, open, source,
    target, transfer,
};
use ferrion_tests::interop::Conversation;

use crate::engine_examples::{Listening, example};
use crate::programs::build_with_threads;
use crate::support::tree;

const HEADER: &[u8] = b"AMQP\x00\x01\x00\x00";

/// What a peer says with one write, and so with one read of the example's.
fn octets(frames: &[Build]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.octets(0)).collect()
}

fn opened() -> Build {
    open().container_id("attacker")
}

fn begun() -> Build {
    begin()
        .next_outgoing_id(0)
        .incoming_window(100)
        .outgoing_window(100)
}

/// A link by which the peer sends.
fn sender() -> Build {
    attach()
        .name("sender")
        .handle(0)
        .role(Role::Sender)
        .source(source().v())
        .target(target().address("queue").v())
        .initial_delivery_count(0)
}

/// A link by which it receives.
fn receiver() -> Build {
    attach()
        .name("receiver")
        .handle(0)
        .role(Role::Receiver)
        .source(source().address("queue").v())
        .target(target().v())
}

fn ended() -> Build {
    detach().handle(0).closed(true)
}

/// A message with the text "x", or something else that is none.
fn message(number: u32, octets: &[u8]) -> Build {
    transfer()
        .handle(0)
        .delivery_id(number)
        .delivery_tag(&number.to_be_bytes())
        .message_format(0)
        .payload(octets)
}

const TEXT: &[u8] = b"\x00\x53\x77\xa1\x01x";

/// What peers say: all at first, and then all once they have read something in answer to that.
fn attacks() -> Vec<(&'static str, Vec<Build>, Vec<Build>)> {
    let dynamic = sender().target(target().dynamic(true).v());
    let made_up = receiver().source(source().dynamic(true).v());
    let drain = flow()
        .next_incoming_id(0)
        .incoming_window(100)
        .next_outgoing_id(0)
        .outgoing_window(100)
        .handle(0)
        .delivery_count(0)
        .link_credit(10)
        .drain(true);
    let settled = disposition()
        .role(Role::Sender)
        .range(0, 1)
        .settled(true)
        .state(accepted().v());
    let few = || opened().channel_max(0);
    vec![
        (
            "a session that ends",
            vec![opened(), begun(), end()],
            vec![],
        ),
        (
            "a connection that ends",
            vec![opened(), begun(), sender(), close()],
            vec![],
        ),
        (
            "more sessions than channels",
            vec![few(), begun(), begun().on(1)],
            vec![],
        ),
        (
            "links of a session too many",
            vec![
                few(),
                begun(),
                begun().on(1),
                sender().on(1),
                made_up.clone().handle(1).on(1),
            ],
            vec![],
        ),
        (
            "a node to be made up to send to",
            vec![opened(), begun(), dynamic],
            vec![],
        ),
        (
            "a link that ends",
            vec![opened(), begun(), sender(), ended()],
            vec![],
        ),
        (
            "a link that ends with its session",
            vec![opened(), begun(), made_up, end()],
            vec![],
        ),
        (
            "a drain that ends",
            vec![opened(), begun(), receiver(), drain, ended()],
            vec![],
        ),
        (
            "messages that are settled, or none, on a link that ends",
            vec![opened(), begun(), sender()],
            vec![message(0, TEXT), message(1, b"\xff\xff"), settled, ended()],
        ),
        (
            "messages on a session that ends",
            vec![opened(), begun(), sender()],
            vec![message(0, TEXT), end()],
        ),
    ]
}

/// Does it, and hears the example out.
fn attack(port: &str, first: &[Build], then: &[Build]) {
    let mut peer = TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens");
    let patience = Some(Duration::from_secs(60));
    peer.set_read_timeout(patience).expect("a time");
    peer.write_all(&[HEADER, &octets(first)].concat())
        .expect("room");
    let mut heard = vec![0; 4096];
    if !then.is_empty() {
        // An answer to the attach, and with it credit.
        let mut said = Vec::new();
        while !is_flow_said(&said) {
            let count = peer.read(&mut heard).expect("an answer");
            assert!(count > 0, "credit was not given");
            said.extend_from_slice(&heard[..count]);
        }
        peer.write_all(&octets(then)).expect("room");
    }
    peer.shutdown(Shutdown::Write).expect("a socket");
    // A connection that was closed with something unread is reset.
    while peer.read(&mut heard).is_ok_and(|count| count > 0) {}
}

/// Whether there is a flow's descriptor in what was said.
fn is_flow_said(said: &[u8]) -> bool {
    said.windows(3).any(|octets| octets == [0x00, 0x53, 0x13])
}

/// An honest peer, whose message is taken.
fn is_served(port: &str) {
    let port = port.parse().expect("a number");
    let mut peer = Conversation::connect(port, Config::new("honest"));
    peer.open();
    let session = peer.begin();
    let sender = peer.sender(session, "honest");
    let sent = peer.send(sender, TEXT.to_vec());
    assert_eq!(peer.outcome(sender, sent), Some(DeliveryState::Accepted));
    assert!(peer.close().is_none());
}

#[test]
fn no_peer_ends_the_broker_for_the_others() {
    let broker = Listening::start(example("broker.c"), &["0"]);
    for (what, first, then) in attacks() {
        println!("{what}");
        attack(&broker.port, &first, &then);
        is_served(&broker.port);
    }
    assert_eq!(broker.terminate(), "");
}

#[test]
fn no_peer_ends_the_server_of_thousands_for_the_others() {
    let server = build_with_threads(&tree().join("bindings/c/engine_epoll.c"));
    let server = Listening::start(server, &["0"]);
    let count = attacks().len();
    for (what, first, then) in attacks() {
        println!("{what}");
        attack(&server.port, &first, &then);
        is_served(&server.port);
    }
    let said = server.terminate();
    let connections = format!("{} connections, ", 2 * count);
    assert!(said.starts_with(&connections), "{said}");
}
