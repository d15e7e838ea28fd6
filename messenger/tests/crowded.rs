//! More nodes than a peer takes links for: senders that nobody needs make room for others.

#[path = "support/broker.rs"]
mod broker;
#[macro_use]
mod support;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::{Broker, Dealt};
use ferrion_engine::protocol::{Condition, Role, TargetArchetype, conditions};
use ferrion_engine::{Engine, Event, LinkId};
use ferrion_messenger::{ErrorKind, LinkRecovery, Message, Reconnect, Status};
use support::way::{Party, Way};
use support::{message_to, text};

in_every_mode_over_tcp! {
    any_number_of_nodes_can_be_put_to_in_turn,
    a_peer_that_takes_one_session_only_can_be_put_to_at_any_number_of_nodes,
    all_nodes_can_be_put_to_at_once_where_there_may_be_more_sessions,
    all_nodes_can_be_put_to_before_it_is_known_that_there_may_be_one_session_only,
    all_senders_go_on_where_there_may_be_one_session_only_when_the_connection_is_made_again,
    no_link_is_lost_where_every_session_ends_for_links_that_could_be_recovered,
    requests_are_answered_however_many_nodes_there_are_on_the_only_session,
    senders_that_were_all_needed_at_once_are_ended_before_there_is_no_room,
    a_request_is_a_use_of_its_sender,
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

fn all_nodes_can_be_put_to_before_it_is_known_that_there_may_be_one_session_only(way: Way) {
    // No session more; one that is full at once and one more; one that does not take all of them.
    for sessions in [1, 2, 3] {
        let (broker, seen) = broker(65_535, sessions);
        let mut party = way.party();
        party.set_outgoing_window(usize::MAX);
        let put = |party: &mut Party, n: usize| {
            let message = message_to(&format!("{}/n{n}", broker.address), "x");
            party.put(&message).unwrap()
        };
        let trackers: Vec<_> = (0..900).map(|n| put(&mut party, n)).collect();
        party.send().unwrap();
        for tracker in trackers {
            assert_eq!(party.status(tracker), Status::Accepted);
        }
        let tracker = put(&mut party, 900);
        party.send().unwrap();
        assert_eq!(party.status(tracker), Status::Accepted);
        party.stop().unwrap();
        let nodes: BTreeSet<_> = seen.lock().unwrap().nodes.iter().cloned().collect();
        assert_eq!(nodes.len(), 901);
    }
}

fn all_senders_go_on_where_there_may_be_one_session_only_when_the_connection_is_made_again(
    way: Way,
) {
    for recovers in [false, true] {
        let mut dropped = false;
        let broker = Broker::with_config(
            |config| {
                config.channel_max = 0;
                config.limits.links_per_session = 65_535;
            },
            move |_, _, event| match event {
                Event::Deliveries(_) if !std::mem::replace(&mut dropped, true) => Dealt::Cut,
                _ => Dealt::Usual,
            },
        );
        let mut party = way.party();
        party.set_outgoing_window(usize::MAX);
        let policy = Reconnect {
            first_delay: Duration::from_millis(1),
            ..Reconnect::default()
        };
        party.set_reconnect(Some(policy));
        if recovers {
            party.set_link_recovery(Some(LinkRecovery::default()));
        }
        let trackers: Vec<_> = (0..300)
            .map(|n| {
                let message = message_to(&format!("{}/n{n}", broker.address), "x");
                party.put(&message).unwrap()
            })
            .collect();
        party.send().unwrap();
        for tracker in trackers {
            assert_eq!(party.status(tracker), Status::Accepted);
        }
        party.stop().unwrap();
    }
}

fn no_link_is_lost_where_every_session_ends_for_links_that_could_be_recovered(way: Way) {
    let broker = Broker::with_config(
        |config| config.limits.links_per_session = 256,
        |_, engine, event| {
            let Event::LinkAttached(id) = event else {
                return Dealt::Usual;
            };
            let link = engine.link(id).unwrap();
            if link.remote().unwrap().unsettled.is_none() {
                return Dealt::Usual;
            }
            let session = link.session().unwrap();
            let condition = Condition::new(conditions::NOT_IMPLEMENTED);
            // It fails for all links of the session but the first.
            let _ = engine.session(session).unwrap().end(Some(condition));
            Dealt::Done
        },
    );
    let mut party = way.party();
    party.set_outgoing_window(usize::MAX);
    party.set_link_recovery(Some(LinkRecovery::default()));
    let message = |n| message_to(&format!("{}/n{n}", broker.address), "x");
    let trackers: Vec<_> = (0..600).map(|n| party.put(&message(n)).unwrap()).collect();
    party.send().unwrap();
    for tracker in trackers {
        assert_eq!(party.status(tracker), Status::Accepted);
    }
    party.stop().unwrap();
}

/// Answers requests as soon as they come, with themselves.
fn answer(engine: &mut Engine, event: Event, replies: &mut Option<LinkId>) -> Dealt {
    match event {
        Event::LinkAttached(id) if engine.link(id).unwrap().role() == Role::Sender => {
            let mut link = engine.link(id).unwrap();
            let mut offer = link.offer().unwrap();
            offer.source.as_deref_mut().unwrap().address = Some("replies".into());
            link.accept_with(offer).unwrap();
            *replies = Some(id);
        }
        Event::Deliveries(id) => {
            let mut receiver = engine.receiver(id).unwrap();
            let mut taken = Vec::new();
            while let Some(delivery) = receiver.next_delivery() {
                // A request may be sent settled.
                let _ = delivery.id.map(|id| receiver.accept(id));
                taken.push(delivery.payload.into_bytes());
            }
            // What comes before somebody asked for replies is no request.
            let Some(link) = *replies else {
                return Dealt::Done;
            };
            for request in taken {
                let mut sender = engine.sender(link).unwrap();
                // What is no request comes without credit for a reply.
                let _ = sender.send_settled(b"reply", request);
            }
        }
        _ => return Dealt::Usual,
    }
    Dealt::Done
}

fn requests_are_answered_however_many_nodes_there_are_on_the_only_session(way: Way) {
    for links in [65_535, 8, 2] {
        let mut replies = None;
        let broker = Broker::with_config(
            move |config| {
                config.channel_max = 0;
                config.limits.links_per_session = links;
            },
            move |_, engine, event| answer(engine, event, &mut replies),
        );
        let mut party = way.party();
        party.set_outgoing_window(usize::MAX);
        let message = |n| message_to(&format!("{}/n{n}", broker.address), "x");
        // More than a session is given before its peer has said how many it takes, or as many as it takes.
        if links == 65_535 {
            for n in 0..300 {
                party.put(&message(n)).unwrap();
            }
            party.send().unwrap();
        }
        for n in 0..links.min(8) {
            party.put(&message(n)).unwrap();
            party.send().unwrap();
        }
        for n in 0..20 {
            let mut tries = 0;
            let asked = loop {
                tries += 1;
                // There is room when the peer has answered. First it is the last node that was put to.
                match party.send_request(&message((n + links.min(8) - 1) % 20)) {
                    Ok(asked) => break asked,
                    Err(error) if tries > 200 => panic!("{error}"),
                    Err(error) => assert!(error.to_string().contains("try again"), "{error}"),
                }
                party.work_for(Duration::from_millis(5));
            };
            let mut reply = Message::new();
            while !party.poll_reply(asked, &mut reply).unwrap() {
                party.step(Duration::from_millis(5)).unwrap();
            }
            assert_eq!(text(&reply), "x");
        }
        party.stop().unwrap();
    }
}

fn senders_that_were_all_needed_at_once_are_ended_before_there_is_no_room(way: Way) {
    let (broker, seen) = broker(256, 1);
    let mut party = way.party();
    party.set_outgoing_window(usize::MAX);
    let message = |n| message_to(&format!("{}/n{n}", broker.address), "x");
    // What the peer takes is known from here on. A subscription takes room as well.
    party.put(&message(0)).unwrap();
    party.send().unwrap();
    for n in 0..20 {
        party
            .subscribe(&format!("{}/feed{n}", broker.address))
            .unwrap();
    }
    for n in 0..200 {
        party.put(&message(n)).unwrap();
    }
    party.send().unwrap();
    for n in 200..600 {
        party.put(&message(n)).unwrap();
        party.send().unwrap();
    }
    party.stop().unwrap();
    assert_eq!(seen.lock().unwrap().nodes.len(), 601);
}

fn a_request_is_a_use_of_its_sender(way: Way) {
    let mut replies = None;
    let ended = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&ended);
    let broker = Broker::with_config(
        |config| {
            config.channel_max = 0;
            config.limits.links_per_session = 16;
        },
        move |_, engine, event| {
            if let Event::LinkDetached(id) = event {
                let link = engine.link(id).unwrap();
                if let Some(TargetArchetype::Target(target)) = link.remote_target() {
                    let node = target.address.clone().unwrap_or_default();
                    noted.lock().unwrap().push(node.to_string());
                }
            }
            answer(engine, event, &mut replies)
        },
    );
    let mut party = way.party();
    party.set_outgoing_window(usize::MAX);
    let message = |node: &str| message_to(&format!("{}/{node}", broker.address), "x");
    for n in 0..30 {
        let asked = party.send_request(&message("asked")).unwrap();
        let mut reply = Message::new();
        while !party.poll_reply(asked, &mut reply).unwrap() {
            party.step(Duration::from_millis(5)).unwrap();
        }
        party.put(&message(&format!("n{n}"))).unwrap();
        party.send().unwrap();
    }
    let ended = ended.lock().unwrap().clone();
    party.stop().unwrap();
    assert!(ended.len() > 10, "{ended:?}");
    assert!(!ended.contains(&"asked".to_owned()), "{ended:?}");
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
    assert!(
        text.contains("try again when the peer has answered"),
        "{text}"
    );
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
