//! More nodes than a peer takes links for: senders that nobody needs make room for others.

#[path = "support/broker.rs"]
mod broker;
#[macro_use]
mod support;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use broker::{Broker, Dealt};
use ferrion_engine::protocol::{Role, TargetArchetype};
use ferrion_engine::{Event, LinkId};
use ferrion_messenger::{ErrorKind, Status};
use support::message_to;
use support::way::Way;

in_every_mode_over_tcp! {
    any_number_of_nodes_can_be_put_to_in_turn,
    a_peer_that_takes_one_session_only_can_be_put_to_at_any_number_of_nodes,
    all_nodes_can_be_put_to_at_once_where_there_may_be_more_sessions,
    who_has_no_room_says_so_and_has_some_when_messages_were_acknowledged,
}

/// The nodes that were written to, in turn, and the links that are there.
#[derive(Default)]
struct Seen {
    nodes: Vec<String>,
    links: BTreeSet<(usize, LinkId)>,
    most: usize,
}

/// A peer that takes so many links on a session, and so many sessions.
fn broker(links: u32, sessions: u16) -> (Broker, Arc<Mutex<Seen>>) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let noted = Arc::clone(&seen);
    let broker = Broker::with_config(
        move |config| {
            config.channel_max = sessions - 1;
            config.limits.links_per_session = links;
        },
        move |number, engine, event| {
            let mut seen = noted.lock().unwrap();
            match event {
                Event::LinkAttached(id) if engine.link(id).unwrap().role() == Role::Receiver => {
                    seen.links.insert((number, id));
                    seen.most = seen.most.max(seen.links.len());
                }
                Event::Deliveries(id) => {
                    let link = engine.link(id).unwrap();
                    let Some(TargetArchetype::Target(target)) = link.remote_target() else {
                        panic!("a target is asked for");
                    };
                    let node = target.address.clone().unwrap().to_string();
                    seen.nodes.push(node);
                }
                Event::LinkDetached(id) => drop(seen.links.remove(&(number, id))),
                _ => {}
            }
            Dealt::Usual
        },
    );
    (broker, seen)
}

/// Puts to so many nodes twice, one after the other, and answers how many links there were at most at a time.
fn put_in_turn(way: Way, links: u32, sessions: u16, nodes: usize) -> usize {
    let (broker, seen) = broker(links, sessions);
    let mut party = way.party();
    party.set_outgoing_window(1);
    let mut names = Vec::new();
    for n in 0..2 * nodes {
        let name = format!("n{}", n % nodes);
        let message = message_to(&format!("{}/{name}", broker.address), "x");
        let tracker = party.put(&message).unwrap();
        party.send().unwrap();
        assert_eq!(party.status(tracker), Status::Accepted);
        names.push(name);
    }
    party.stop().unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.nodes, names);
    seen.most
}

fn any_number_of_nodes_can_be_put_to_in_turn(way: Way) {
    // As many as RabbitMQ takes.
    assert!(put_in_turn(way, 256, 64, 600) <= 256);
}

fn a_peer_that_takes_one_session_only_can_be_put_to_at_any_number_of_nodes(way: Way) {
    assert!(put_in_turn(way, 8, 1, 50) <= 8);
}

fn all_nodes_can_be_put_to_at_once_where_there_may_be_more_sessions(way: Way) {
    let (broker, seen) = broker(256, 8);
    let mut party = way.party();
    party.set_outgoing_window(usize::MAX);
    let address = |n| format!("{}/n{n}", broker.address);
    // Before anything is known of the peer, and after.
    for _ in 0..2 {
        let trackers: Vec<_> = (0..1000)
            .map(|n| party.put(&message_to(&address(n), "x")).unwrap())
            .collect();
        party.send().unwrap();
        for tracker in trackers {
            assert_eq!(party.status(tracker), Status::Accepted);
        }
    }
    party.stop().unwrap();
    let nodes: BTreeSet<_> = seen.lock().unwrap().nodes.iter().cloned().collect();
    assert_eq!(nodes.len(), 1000);
}

fn who_has_no_room_says_so_and_has_some_when_messages_were_acknowledged(way: Way) {
    let (broker, seen) = broker(4, 1);
    let mut party = way.party();
    party.set_outgoing_window(10);
    let message = |n| message_to(&format!("{}/n{n}", broker.address), "x");
    // What the peer takes is known from here on.
    party.put(&message(0)).unwrap();
    party.send().unwrap();
    let mut put = 0;
    let error = loop {
        assert!(put < 4, "there is no room for more");
        match party.put(&message(put + 1)) {
            Ok(_) => put += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Send);
    let text = error.to_string();
    assert!(text.contains("try again when more"), "{text}");
    let error = party
        .subscribe(&format!("{}/feed", broker.address))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Subscribe);
    party.send().unwrap();
    party.put(&message(put + 1)).unwrap();
    party.send().unwrap();
    party.stop().unwrap();
    assert_eq!(seen.lock().unwrap().nodes.len(), put + 2);
}
