//! What recovery does when it cannot: peers that forget, that never come back, or for which there is no room.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use ferrion_engine::Time;
use ferrion_engine::message::Message;
use ferrion_engine::protocol::{Condition, conditions};

use super::Core;
use super::credit::Credit;
use super::inbox::Decision;
use super::pool::ConnKey;
use super::recovery_tests::{BACK, FORTH, Plan, World, core, listen, message};
use super::tracker::{Flags, Status};
use crate::reconnect::{ConnectionEvent, Reconnect};
use crate::recovery::LinkRecovery;
use crate::subscribe::SubscribeOptions;

const COUNT: usize = 8;
/// The client of a plan like that decides nothing of its own accord.
const UNDECIDED: usize = 100;

/// An exchange that is cut when a good part of it is done, and nothing is decided.
fn cut_in_the_middle(plan: Plan, server: Option<LinkRecovery>) -> World {
    let plan = Plan {
        undecided: UNDECIDED,
        ..plan
    };
    let mut world = World::with(plan, COUNT, Some(LinkRecovery::default()), server);
    world.work(3500);
    assert!((2..COUNT).contains(&world.got.len()), "{world:?}");
    world.cut();
    world
}

fn forgotten(world: &World) -> (u32, u32) {
    let counts = world.events.iter().filter_map(|event| match event {
        ConnectionEvent::Forgotten {
            sent_again,
            aborted,
            ..
        } => Some((*sent_again, *aborted)),
        _ => None,
    });
    counts.fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1))
}

fn recovered(world: &World) -> usize {
    let events = world.events.iter();
    events
        .filter(|event| matches!(event, ConnectionEvent::Recovered { .. }))
        .count()
}

/// Each message came at least once, and the sender knows.
fn check_at_least_once(world: &mut World) {
    world.rest();
    for n in 0..COUNT {
        let begins = format!("{n}:");
        assert!(
            world.got.iter().any(|body| body.starts_with(&begins)),
            "{n} was lost: {world:?}"
        );
    }
    for tracker in world.trackers.clone() {
        assert_eq!(world.sender().status(tracker), Status::Accepted);
    }
    world.check_empty();
}

#[test]
fn decisions_while_the_peer_is_away_reach_it_when_it_is_back() {
    for plan in [FORTH, BACK] {
        let mut world = cut_in_the_middle(plan, Some(LinkRecovery::default()));
        for tracker in std::mem::take(&mut world.waiting) {
            assert_eq!(world.receiver().status(tracker), Status::Pending);
            let decided = world
                .receiver()
                .decide(tracker, Flags::NONE, &Decision::Release);
            decided.unwrap();
            assert_eq!(world.receiver().status(tracker), Status::Released);
        }
        let decided = world.got.len();
        world.work(usize::MAX);
        world.rest();
        assert_eq!(world.got.len(), COUNT, "{world:?}");
        for (n, tracker) in world.trackers.clone().into_iter().enumerate() {
            let status = world.sender().status(tracker);
            let expected = if n < decided {
                Status::Released
            } else {
                Status::Accepted
            };
            assert_eq!(status, expected, "{n}: {world:?}");
        }
        world.check_empty();
    }
}

#[test]
fn a_server_that_was_started_anew_is_sent_everything_again_and_that_is_told() {
    let mut world = cut_in_the_middle(FORTH, Some(LinkRecovery::default()));
    let before = world.got.len();
    world.cores[1] = core("server", Some(LinkRecovery::default()));
    world.listener = listen(&mut world.cores[1]);
    world.waiting.clear();
    world.work(4000);
    assert_eq!(forgotten(&world).1, 0);
    assert!(forgotten(&world).0 as usize >= before, "{world:?}");
    let (again, told) = (world.got.len(), recovered(&world));
    assert!((before..before + COUNT).contains(&again), "{world:?}");
    // The new server remembers from then on.
    world.cut();
    world.work(usize::MAX);
    check_at_least_once(&mut world);
    assert_eq!(world.got.len(), before + COUNT, "{world:?}");
    assert!(recovered(&world) > told, "{world:?}");
}

#[test]
fn what_a_server_sent_before_it_was_started_anew_cannot_be_answered() {
    let mut world = cut_in_the_middle(BACK, Some(LinkRecovery::default()));
    world.cores[1] = core("server", Some(LinkRecovery::default()));
    world.listener = listen(&mut world.cores[1]);
    world.trackers.clear();
    world.work(usize::MAX);
    world.rest();
    world.play();
    let count = u32::try_from(world.got.len()).unwrap();
    assert_eq!(forgotten(&world), (0, count), "{world:?}");
    // Neither what was decided while nobody was there, nor what is decided now.
    let decided = std::mem::take(&mut world.decided);
    assert!(!decided.is_empty());
    for tracker in decided
        .into_iter()
        .chain(std::mem::take(&mut world.waiting))
    {
        assert_eq!(world.receiver().status(tracker), Status::Aborted);
        let accept = Decision::Accept;
        let late = world.receiver().decide(tracker, Flags::NONE, &accept);
        late.unwrap();
        assert_eq!(world.receiver().status(tracker), Status::Aborted);
    }
    world.check_empty();
}

#[test]
fn a_server_that_does_not_recover_gets_everything_at_least_once() {
    for plan in [FORTH, BACK] {
        let mut undisturbed = World::with(plan, COUNT, Some(LinkRecovery::default()), None);
        let octets = undisturbed.work(usize::MAX);
        undisturbed.check(COUNT);
        // What a server sends without recovery is given up with its connection, and is not sent again.
        let cuts = if plan.client_sends { 0..octets } else { 0..0 };
        for at in cuts.step_by(61) {
            let mut world = World::with(plan, COUNT, Some(LinkRecovery::default()), None);
            world.work(at);
            world.cut();
            world.work(usize::MAX);
            check_at_least_once(&mut world);
            assert!(
                world.got.len() - COUNT <= forgotten(&world).0 as usize,
                "{world:?}"
            );
        }
    }
}

#[test]
fn a_client_that_never_comes_back_is_forgotten_and_every_tracker_is_definite() {
    for plan in [FORTH, BACK] {
        let keep_for = Duration::from_secs(7);
        let recovery = LinkRecovery {
            keep_for,
            ..LinkRecovery::default()
        };
        let mut world = cut_in_the_middle(plan, Some(recovery));
        let now = world.now;
        let server = &mut world.cores[1];
        assert_eq!(server.away.iter().count(), 1);
        let trackers = if plan.client_sends {
            world.waiting.make_contiguous().to_vec()
        } else {
            world.trackers.clone()
        };
        server.handle_timeout(Time(now.0 + 6_999));
        server.pump(Time(now.0 + 6_999));
        assert!(
            trackers
                .iter()
                .any(|it| server.status(*it) == Status::Pending)
        );
        assert!(!server.is_stopped() && server.deadline().is_some());
        server.handle_timeout(Time(now.0 + 7_000));
        server.pump(Time(now.0 + 7_000));
        for tracker in trackers {
            assert_eq!(server.status(tracker), Status::Aborted);
        }
        if !plan.client_sends {
            let error = server.take_send_error().unwrap();
            assert!(error.to_string().contains("did not come back"), "{error}");
        }
        assert!(server.away.is_empty() && server.pool.is_empty());
        assert_eq!(server.outgoing.unfinished(), 0);
        assert_eq!(server.outgoing.retained, 0);
    }
}

#[test]
fn a_server_that_stops_keeps_nobody() {
    let mut world = cut_in_the_middle(BACK, Some(LinkRecovery::default()));
    let now = world.now;
    let server = &mut world.cores[1];
    server.close_all();
    server.pump(now);
    // The driver lets go of the sockets.
    while server.next_action().is_some() {}
    assert!(server.is_stopped());
    for tracker in world.trackers.clone() {
        assert_eq!(world.cores[1].status(tracker), Status::Aborted);
    }
}

#[test]
fn a_client_that_gives_up_knows_so_of_every_message() {
    let mut world = cut_in_the_middle(FORTH, Some(LinkRecovery::default()));
    world.cores[0].set_reconnect(Some(Reconnect {
        give_up_after: Some(Duration::from_secs(1)),
        ..Reconnect::default()
    }));
    // Nobody listens any more.
    world.cores[1] = core("server", None);
    world.rest();
    world.play();
    assert!(matches!(
        world.events.last(),
        Some(ConnectionEvent::GivenUp { .. })
    ));
    for tracker in world.trackers.clone() {
        assert_eq!(world.cores[0].status(tracker), Status::Aborted);
    }
    assert_eq!(world.cores[0].outgoing(), 0);
    assert_eq!(world.cores[0].outgoing.retained, 0);
}

#[test]
fn there_is_room_for_so_many_links_and_octets() {
    let roomless = [
        LinkRecovery {
            max_links: 0,
            ..LinkRecovery::default()
        },
        LinkRecovery {
            max_octets: 300,
            ..LinkRecovery::default()
        },
    ];
    for recovery in roomless {
        let world = cut_in_the_middle(BACK, Some(recovery));
        let server = &world.cores[1];
        assert!(server.away.is_empty() && server.pool.is_empty());
        for tracker in &world.trackers {
            assert_eq!(server.status(*tracker), Status::Aborted);
        }
    }
}

#[test]
fn what_was_said_of_messages_and_what_links_are_called_takes_room_too() {
    for (text, node, is_kept) in [(10, 10, true), (300, 10, false), (10, 200, false)] {
        let recovery = LinkRecovery {
            max_octets: 420,
            ..LinkRecovery::default()
        };
        let mut server = core("server", Some(recovery));
        let listener = listen(&mut server);
        let mut client = core("client", Some(LinkRecovery::default()));
        let address = format!("amqp://s/{}", "q".repeat(node));
        client.put(&message(&address, 0)).unwrap();
        let peer = greet(&mut client, &mut server, listener);
        let tracker = server.get(&mut Message::new()).unwrap();
        let why = Condition::with_description(conditions::NOT_ALLOWED, "x".repeat(text));
        let decision = Decision::Reject(Some(why));
        server.decide(tracker, Flags::NONE, &decision).unwrap();
        server.pump(Time(5));
        server.lost(peer, Time(5), "cut".to_owned());
        server.pump(Time(5));
        assert_eq!(!server.away.is_empty(), is_kept, "{text}, {node} octets");
    }
}

#[test]
fn of_many_lost_peers_those_that_left_first_are_forgotten_first() {
    let bounds = [
        LinkRecovery {
            max_links: 2,
            ..LinkRecovery::default()
        },
        LinkRecovery {
            // A link costs 128, a message the same and its payload.
            max_octets: 2 * (128 + 3 * 180),
            ..LinkRecovery::default()
        },
    ];
    for recovery in bounds {
        let mut server = core("server", Some(recovery));
        let listener = listen(&mut server);
        let mut names = Vec::new();
        for n in 0..4 {
            let mut client = core(&format!("client-{n}"), Some(LinkRecovery::default()));
            for _ in 0..3 {
                client.put(&message("amqp://s/q", 0)).unwrap();
            }
            meet(&mut client, &mut server, listener);
            names.push(client);
        }
        assert_eq!(away(&server), ["client-2", "client-3"]);
    }
}

/// The names of those whose links a server keeps.
fn away(server: &Core) -> Vec<String> {
    let conns = server.away.iter().map(|key| server.pool.get(*key).unwrap());
    conns
        .map(|conn| conn.container.clone().unwrap().to_string())
        .collect()
}

#[test]
fn who_has_much_makes_room_for_who_has_little_and_never_the_other_way() {
    let recovery = LinkRecovery {
        max_links: 8,
        max_octets: 8 * (128 + 3 * 180),
        ..LinkRecovery::default()
    };
    let mut server = core("server", Some(recovery));
    let listener = listen(&mut server);
    let mut come = |user: &str, name: String, count: usize| {
        let mut client = core(&name, Some(LinkRecovery::default()));
        for _ in 0..count {
            let hello = message("amqp://s/q", 0);
            client.put(&hello).unwrap();
        }
        let peer = greet(&mut client, &mut server, listener);
        server.pool.get_mut(peer).unwrap().user = Some(user.to_owned());
        server.lost(peer, Time(5), "cut".to_owned());
        server.pump(Time(5));
        away(&server)
    };
    assert_eq!(come("small", "small".to_owned(), 3), ["small"]);
    for n in 0..30 {
        let kept = come("large", format!("large-{n}"), 3);
        assert_eq!(kept.first().map(String::as_str), Some("small"));
        assert_eq!(kept.len(), 8.min(n + 2));
        assert_eq!(kept.last(), Some(&format!("large-{n}")));
    }
    // What alone is more than all others have gives way as well.
    let kept = come("huge", "huge".to_owned(), 60);
    assert!(!kept.contains(&"huge".to_owned()) && kept.contains(&"small".to_owned()));
    let kept = come("new", "new".to_owned(), 3);
    assert!(kept.contains(&"new".to_owned()) && kept.contains(&"small".to_owned()));
}

/// A client connects, sends what it has, and is lost.
fn meet(client: &mut Core, server: &mut Core, listener: super::SourceKey) {
    let peer = greet(client, server, listener);
    server.lost(peer, Time(5), "cut".to_owned());
    server.pump(Time(5));
}

/// A client connects, and sends what it has.
fn greet(client: &mut Core, server: &mut Core, listener: super::SourceKey) -> ConnKey {
    let now = Time(5);
    server.request(Credit::All);
    client.pump(now);
    let Some(super::Action::Connect { conn, .. }) = client.next_action() else {
        panic!("it connects");
    };
    let peer = server.accepted(listener, "c".to_owned()).unwrap();
    client.connected(conn, now, None);
    server.connected(peer, now, None);
    for _ in 0..12 {
        super::recovery_tests::pass((client, conn), (server, peer), now);
        super::recovery_tests::pass((server, peer), (client, conn), now);
    }
    assert!(server.incoming() > 0);
    peer
}

#[test]
fn a_named_subscription_that_cannot_tell_all_it_remembers_is_attached_afresh() {
    const MANY: usize = 60;
    let mut world = World::with(
        BACK,
        0,
        Some(LinkRecovery::default()),
        Some(LinkRecovery::default()),
    );
    let named = SubscribeOptions::new().name("mine");
    let client = &mut world.cores[0];
    client.subscribe("amqp://s1/named", &named).unwrap();
    world.rest();
    let put = |world: &mut World| {
        let message = message("amqp://client/named", 0);
        world.cores[1].put(&message).unwrap()
    };
    let trackers: Vec<_> = (0..MANY).map(|_| put(&mut world)).collect();
    world.rest();
    let mut got = Message::new();
    for _ in 0..MANY {
        world.cores[0].get(&mut got).unwrap();
    }
    // What they are called takes more than the 512 octets of a frame.
    world.cut();
    world.rest();
    let error = world.cores[0].take_recv_error().unwrap();
    assert!(error.is_retryable(), "{error}");
    for tracker in trackers {
        assert_eq!(world.cores[1].status(tracker), Status::Aborted);
    }
    world.cores[0].request(Credit::All);
    world.rest();
    let tracker = put(&mut world);
    world.rest();
    let got = world.cores[0].get(&mut got).unwrap();
    let accepted = world.cores[0].decide(got, Flags::NONE, &Decision::Accept);
    accepted.unwrap();
    world.rest();
    assert_eq!(world.cores[1].status(tracker), Status::Accepted);
    assert_eq!(world.cores[0].status(got), Status::Accepted);
}

#[test]
fn a_server_that_notices_a_loss_after_the_peer_is_back_goes_on_where_it_is() {
    let plan = Plan {
        half_open: true,
        ..FORTH
    };
    let recovery = Some(LinkRecovery::default());
    let mut world = World::with(plan, 0, recovery.clone(), recovery.clone());
    let hello = message("amqp://s1/q", 0);
    world.cores[0].put(&hello).unwrap();
    world.cores[0].request(Credit::All);
    world.rest();
    let back = message("amqp://client/back", 0);
    let trackers: Vec<_> = (0..3).map(|_| world.cores[1].put(&back).unwrap()).collect();
    world.rest();
    assert_eq!(world.cores[0].incoming(), 3);
    world.cut();
    // It has forgotten what links it had, so that none of them tells that it lost its connection.
    world.cores[0] = core("client", recovery);
    world.cores[0].set_instance(7);
    world.cores[0].put(&hello).unwrap();
    world.cores[0].request(Credit::All);
    world.work(600);
    for tracker in &trackers {
        assert_eq!(world.cores[1].status(*tracker), Status::Pending);
    }
    world.rest();
    let mut got = Message::new();
    for _ in 0..3 {
        let tracker = world.cores[0].get(&mut got).unwrap();
        let accepted = world.cores[0].decide(tracker, Flags::NONE, &Decision::Accept);
        accepted.unwrap();
    }
    world.rest();
    for tracker in trackers {
        assert_eq!(world.cores[1].status(tracker), Status::Accepted);
    }
}

#[test]
fn a_low_limit_of_links_loses_none_of_a_peer_that_is_away() {
    const NODES: usize = 5;
    let mut world = World::with(
        FORTH,
        0,
        Some(LinkRecovery::default()),
        Some(LinkRecovery::default()),
    );
    for core in &mut world.cores {
        core.options.limits.links_per_session = 2;
    }
    world.put_again((0..NODES).map(|n| message(&format!("amqp://s1/q{n}"), n)));
    world.work(usize::MAX);
    assert_eq!(world.got.len(), NODES, "{world:?}");
    world.cut();
    let pool = &world.cores[1].pool;
    let links = pool
        .keys()
        .into_iter()
        .filter_map(|key| Some(pool.get(key)?.links.keys().count()));
    assert_eq!(links.sum::<usize>(), NODES);
}
