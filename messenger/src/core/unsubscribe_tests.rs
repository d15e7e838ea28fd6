//! Subscriptions that end, in virtual time.
#![expect(clippy::unwrap_used, reason = "tests")]

use ferrion_engine::message::Message;
use ferrion_engine::protocol::DeliveryState;

use super::credit::Credit;
use super::inbox::Decision;
use super::names_tests::NOW;
use super::pool::ConnKey;
use super::recovery_tests::{Plan, World as Remembering, core, listen, message, pass};
use super::source::Subscription;
use super::tracker::{Flags, Status, Tracker};
use super::world_tests::World;
use super::{Action, Core};
use crate::recovery::LinkRecovery;
use crate::subscribe::{SubscribeOptions, Unsubscribe};

fn durable() -> SubscribeOptions {
    SubscribeOptions::new().durable("diary")
}

/// A subscription with three messages, which have come.
fn subscribed(options: &SubscribeOptions) -> (World, Subscription) {
    let mut world = World::new();
    world.core.set_incoming_window(10);
    world.host("one").sends = ["a", "b", "c"].map(str::to_owned).into();
    let subscription = world.core.subscribe("amqp://one/q", options).unwrap();
    world.core.request(Credit::All);
    assert!(world.run(10_000, |world| world.core.incoming() == 3));
    (world, subscription)
}

fn get(core: &mut Core) -> Tracker {
    core.get(&mut Message::new()).unwrap()
}

fn ended(closed: bool) -> [(String, String, bool); 1] {
    [("one".to_owned(), "q".to_owned(), closed)]
}

/// Nothing is left of any subscription.
fn is_rid_of_all(core: &Core) -> bool {
    core.sources.keys().is_empty() && core.broken.is_empty() && core.parting.is_empty()
}

#[test]
fn what_came_of_a_subscription_that_ends_goes_back() {
    let (mut world, subscription) = subscribed(&SubscribeOptions::new());
    let (undecided, accepted) = (get(&mut world.core), get(&mut world.core));
    let core = &mut world.core;
    core.decide(accepted, Flags::NONE, &Decision::Accept)
        .unwrap();
    core.unsubscribe(subscription, Unsubscribe::Close).unwrap();
    assert!(core.is_leaving(subscription));
    assert_eq!(core.incoming(), 0);
    assert_eq!(core.status(undecided), Status::Released);
    // What is decided later comes too late.
    core.decide(undecided, Flags::NONE, &Decision::Accept)
        .unwrap();
    assert_eq!(core.status(undecided), Status::Released);
    world.settle();
    assert_eq!(world.ended, ended(true));
    assert!(!world.core.is_leaving(subscription));
    assert!(is_rid_of_all(&world.core));
    world.outcomes.sort_by(|a, b| a.0.cmp(&b.0));
    let outcomes: Vec<_> = world
        .outcomes
        .iter()
        .map(|(_, it)| it.clone().unwrap())
        .collect();
    let (accepted, released) = (DeliveryState::Accepted, DeliveryState::Released);
    assert_eq!(outcomes, [released.clone(), accepted, released]);
    // A subscription that has ended is no error, and asks for nothing.
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Close)
        .unwrap();
    assert!(!world.core.has_work());
}

#[test]
fn what_a_peer_keeps_stays_there_if_its_link_is_only_detached() {
    let (mut world, subscription) = subscribed(&durable());
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Detach)
        .unwrap();
    world.settle();
    assert_eq!(world.ended, ended(false));
    assert!(is_rid_of_all(&world.core));
    world.core.subscribe("amqp://one/q", &durable()).unwrap();
    assert!(world.run(10_000, |world| world.core.incoming() == 3));
}

#[test]
fn without_a_name_nothing_is_kept() {
    let (mut world, subscription) = subscribed(&SubscribeOptions::new());
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Detach)
        .unwrap();
    world.settle();
    assert_eq!(world.ended, ended(true));
}

#[test]
fn what_a_peer_keeps_is_ended_on_the_next_connection() {
    for kill_first in [true, false] {
        let (mut world, subscription) = subscribed(&durable());
        if kill_first {
            world.kill("one");
        }
        world
            .core
            .unsubscribe(subscription, Unsubscribe::Close)
            .unwrap();
        world.kill("one");
        world.run(500, |_| false);
        assert!(world.core.is_leaving(subscription));
        assert_eq!(world.ended, []);
        world.dead.clear();
        assert!(world.run(60_000, |world| !world.core.is_leaving(subscription)));
        assert_eq!(world.ended, ended(true));
        assert_eq!(world.core.incoming(), 0, "nothing more was let come");
        assert!(is_rid_of_all(&world.core));
        assert!(world.core.take_recv_error().is_none());
    }
}

#[test]
fn what_nobody_keeps_ends_with_its_connection() {
    for kill_first in [true, false] {
        let (mut world, subscription) = subscribed(&SubscribeOptions::new());
        if kill_first {
            world.kill("one");
        }
        world
            .core
            .unsubscribe(subscription, Unsubscribe::Close)
            .unwrap();
        world.kill("one");
        assert!(!world.core.is_leaving(subscription));
        assert!(is_rid_of_all(&world.core));
        assert!(world.core.take_recv_error().is_none());
        // Nobody needs the connection: once it is known to have failed, it is let go of.
        assert!(world.run(60_000, World::is_given_up));
        assert!(world.attempts.len() <= 2, "{:?}", world.attempts);
    }
}

#[test]
fn that_a_peer_cannot_be_told_is_told() {
    let (mut world, subscription) = subscribed(&durable());
    world.core.set_reconnect(None);
    world.kill("one");
    assert!(world.core.take_recv_error().is_some());
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Close)
        .unwrap();
    world.settle();
    assert!(!world.core.is_leaving(subscription));
    let error = world.core.take_parting_error(subscription).unwrap();
    assert!(
        error.to_string().contains("nobody listens at one"),
        "{error}"
    );
    // `recv` does not tell it again, nor subscribe again.
    assert!(world.core.take_recv_error().is_none());
    let attempts = world.attempts.len();
    world.core.request(Credit::All);
    world.dead.clear();
    world.settle();
    assert_eq!(world.attempts.len(), attempts);
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Close)
        .unwrap();
    world.settle();
    assert!(world.core.take_parting_error(subscription).is_none());
    assert_eq!(world.ended, ended(true));
    assert!(is_rid_of_all(&world.core));
}

#[test]
fn one_that_is_lost_and_that_nobody_keeps_is_forgotten_at_once() {
    let (mut world, subscription) = subscribed(&SubscribeOptions::new());
    world.core.set_reconnect(None);
    world.kill("one");
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Close)
        .unwrap();
    assert!(is_rid_of_all(&world.core));
    assert!(!world.core.is_leaving(subscription));
}

#[test]
fn another_subscription_to_the_same_peer_goes_on_and_gets_the_credit() {
    let (mut world, subscription) = subscribed(&SubscribeOptions::new());
    world
        .core
        .subscribe("amqp://one/other", &SubscribeOptions::new())
        .unwrap();
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Close)
        .unwrap();
    assert!(world.run(10_000, |world| world.core.incoming() == 3));
    assert_eq!(world.ended, ended(true));
    assert_eq!(world.got(), ["a", "b", "c"]);
    assert_eq!(world.core.sources.keys().len(), 1);
}

#[test]
fn one_that_ends_before_its_connection_is_there_takes_no_credit_from_another() {
    let mut world = World::new();
    let options = SubscribeOptions::new();
    let early = world.core.subscribe("amqp://one/early", &options).unwrap();
    world.core.unsubscribe(early, Unsubscribe::Close).unwrap();
    world.host("one").sends = vec!["a".to_owned()];
    world.core.subscribe("amqp://one/other", &options).unwrap();
    world.core.request(Credit::Explicit(1));
    let before = world.now;
    assert!(world.run(10_000, |world| world.core.incoming() == 1));
    assert_eq!(world.now, before, "the credit was for the other at once");
    // Also later nothing of what is asked for is set aside for it.
    world.run(5_000, |_| false);
    assert_eq!(world.core.receiving(), 0);
    assert_eq!(world.got(), ["a"]);
}

#[test]
fn what_is_said_of_a_session_that_ends_first_is_said_on_another() {
    let (mut world, subscription) = subscribed(&durable());
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Close)
        .unwrap();
    world.end_sessions("one");
    assert!(world.run(60_000, |world| !world.core.is_leaving(subscription)));
    assert!(world.core.take_parting_error(subscription).is_none());
    assert_eq!(world.ended, ended(true));
    assert!(is_rid_of_all(&world.core));
}

#[test]
fn why_one_could_not_be_ended_is_told_before_it_is_tried_again() {
    let (mut world, subscription) = subscribed(&durable());
    world.core.set_reconnect(None);
    world.kill("one");
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Close)
        .unwrap();
    world.settle();
    let attempts = world.attempts.len();
    // As who polls does.
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Close)
        .unwrap();
    assert!(!world.core.is_leaving(subscription));
    assert!(world.core.take_parting_error(subscription).is_some());
    world.settle();
    assert_eq!(world.attempts.len(), attempts);
    // Nothing comes of it any more: `recv` has nothing to wait for.
    assert!(!world.core.has_sources());
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Close)
        .unwrap();
    assert!(world.core.is_leaving(subscription));
    world.settle();
    assert_eq!(world.attempts.len(), attempts + 1);
}

#[test]
fn what_cannot_be_ended_at_the_peer_can_be_left_there() {
    let (mut world, subscription) = subscribed(&durable());
    world.core.set_reconnect(None);
    world.kill("one");
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Close)
        .unwrap();
    world.settle();
    assert!(world.core.take_parting_error(subscription).is_some());
    world.dead.clear();
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Detach)
        .unwrap();
    assert!(is_rid_of_all(&world.core));
    world.settle();
    assert_eq!(world.ended, []);
}

#[test]
fn while_the_peer_is_told_one_thing_it_is_not_told_another() {
    use Unsubscribe::{Close, Detach};
    for (first, second) in [(Close, Detach), (Detach, Close)] {
        let (mut world, subscription) = subscribed(&durable());
        world.core.unsubscribe(subscription, first).unwrap();
        world.core.unsubscribe(subscription, second).unwrap_err();
        world.core.unsubscribe(subscription, first).unwrap();
        world.settle();
        assert_eq!(world.ended, ended(first == Close));
        world.core.unsubscribe(subscription, second).unwrap();
        assert!(is_rid_of_all(&world.core));
    }
}

#[test]
fn what_a_peer_keeps_stays_there_also_if_its_connection_is_being_made() {
    let (mut world, subscription) = subscribed(&durable());
    world.kill("one");
    world
        .core
        .unsubscribe(subscription, Unsubscribe::Detach)
        .unwrap();
    assert!(is_rid_of_all(&world.core));
    world.dead.clear();
    world.run(60_000, |_| false);
    assert!(
        !world.ended.iter().any(|(.., closed)| *closed),
        "{:?}",
        world.ended
    );
}

#[test]
fn what_was_decided_about_a_link_that_does_not_go_on_reaches_nobody() {
    let plan = Plan {
        client_sends: false,
        half_open: false,
        undecided: 0,
        together: false,
    };
    let recovery = Some(LinkRecovery::default());
    let mut world = Remembering::with(plan, 0, recovery.clone(), recovery);
    world.rest();
    let sent = world.cores[1].put(&message("amqp://client/q", 0)).unwrap();
    world.rest();
    let received = get(&mut world.cores[0]);
    world.cut();
    let client = &mut world.cores[0];
    client
        .decide(received, Flags::NONE, &Decision::Accept)
        .unwrap();
    // It may be told yet, when the link goes on.
    assert_eq!(client.status(received), Status::Accepted);
    let subscription = Subscription(client.sources.keys()[0]);
    client
        .unsubscribe(subscription, Unsubscribe::Close)
        .unwrap();
    assert_eq!(client.status(received), Status::Aborted);
    world.rest();
    assert_eq!(world.cores[1].status(sent), Status::Aborted);
}

/// A core that listens, and one that has put messages to it.
struct Pair {
    client: (Core, ConnKey),
    server: (Core, ConnKey),
}

impl Pair {
    fn talk(&mut self) {
        for _ in 0..6 {
            let ((client, conn), (server, peer)) = (&mut self.client, &mut self.server);
            pass((client, *conn), (server, *peer), NOW);
            pass((server, *peer), (client, *conn), NOW);
        }
    }
}

#[test]
fn who_is_connected_to_a_listening_address_that_is_left_sends_no_more() {
    let (mut server, mut client) = (core("server", None), core("client", None));
    let everyone = listen(&mut server);
    let put = |client: &mut Core, node: &str| {
        let address = format!("amqp://s1/{node}");
        client.put(&message(&address, 0)).unwrap()
    };
    let trackers = [put(&mut client, "q"), put(&mut client, "q")];
    client.pump(NOW);
    let Some(Action::Connect { conn, .. }) = client.next_action() else {
        panic!("it connects");
    };
    let peer = server.accepted(everyone, "client".to_owned()).unwrap();
    client.connected(conn, NOW, None);
    server.connected(peer, NOW, None);
    let mut pair = Pair {
        client: (client, conn),
        server: (server, peer),
    };
    pair.talk();
    assert_eq!(pair.server.0.incoming(), 2);
    get(&mut pair.server.0);
    let server = &mut pair.server.0;
    let everyone = Subscription(everyone);
    server.unsubscribe(everyone, Unsubscribe::Close).unwrap();
    assert!(!server.is_leaving(everyone));
    let actions = std::iter::from_fn(|| server.next_action());
    let is_unlisten = |action: &Action| matches!(action, Action::Unlisten { .. });
    assert_eq!(actions.filter(is_unlisten).count(), 1);
    pair.talk();
    assert_eq!(
        trackers.map(|it| pair.client.0.status(it)),
        [Status::Released; 2]
    );
    // The connection stays; but nobody takes what comes that way.
    let late = put(&mut pair.client.0, "another");
    pair.talk();
    assert_eq!(pair.client.0.status(late), Status::Aborted);
    let error = pair.client.0.reason(late).unwrap().to_string();
    assert!(error.contains("nobody receives here any more"), "{error}");
    assert_eq!(pair.server.0.incoming(), 0);
    assert!(is_rid_of_all(&pair.server.0));
}
