//! Links whose peers send them elsewhere, in virtual time.
#![expect(clippy::unwrap_used, reason = "tests")]

use ferrion_engine::message::Message;
use ferrion_engine::protocol::Redirect;
use ferrion_engine::sasl::Mechanism;

use super::credit::Credit;
use super::tracker::{Flags, Status, Tracker};
use super::world_tests::World;
use crate::error::{Error, ErrorKind};
use crate::reconnect::ConnectionEvent;
use crate::subscribe::SubscribeOptions;

fn to(host: &str, node: Option<&str>) -> Redirect {
    Redirect {
        network_host: Some(host.into()),
        port: Some(7000),
        address: node.map(Into::into),
        ..Redirect::default()
    }
}

/// A world in which this host refuses links to `q`, and sends them to that.
fn refusing(host: &str, elsewhere: &Redirect) -> World {
    let mut world = World::new();
    let links = &mut world.host(host).links;
    links.insert("q".to_owned(), elsewhere.clone());
    world
}

fn is_accepted(tracker: Tracker) -> impl Fn(&World) -> bool {
    move |world| world.core.status(tracker) == Status::Accepted
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

/// Where links were sent, and the conditions with which.
fn redirected(world: &World) -> Vec<String> {
    let events = world.events.iter();
    let addresses = events.filter_map(|event| match event {
        ConnectionEvent::Redirected { address, error } => {
            let condition = error.condition().unwrap();
            assert_eq!(condition.condition.as_str(), "amqp:link:redirect");
            Some(address.clone())
        }
        _ => None,
    });
    addresses.collect()
}

#[test]
fn a_sender_that_is_refused_with_a_redirection_goes_where_it_says() {
    for (node, there) in [(Some("q2"), "q2"), (None, "q"), (Some(""), "q")] {
        let mut world = refusing("first", &to("second", node));
        let first = world.put("amqp://first/q", "one");
        world.settle();
        assert!(is_accepted(first)(&world), "{:?}", world.events);
        assert_eq!(world.attached, [pair("second", there)]);
        assert_eq!(redirected(&world), [format!("amqp://second:7000/{there}")]);
        // What else is put there goes the same way, and what is put to other nodes does not.
        let addresses = [
            "amqp://first/q",
            "amqp://first:5672/q",
            "amqp://first/other",
        ];
        let trackers = addresses.map(|address| world.put(address, address));
        world.settle();
        assert!(trackers.into_iter().all(|it| is_accepted(it)(&world)));
        assert_eq!(world.attached[1..], [pair("first", "other")]);
        assert_eq!(world.core.outgoing(), 0);
        assert!(!world.core.has_send_error());
    }
}

#[test]
fn what_a_peer_has_not_answered_when_it_sends_a_sender_away_is_sent_again_there() {
    let mut world = World::new();
    world.host("first").is_mute = true;
    let trackers: Vec<Tracker> = ["a", "b", "c"]
        .into_iter()
        .map(|body| world.put("amqp://first/q", body))
        .collect();
    world.settle();
    assert_eq!(world.arrived.len(), 3);
    let second = trackers[1].sequence();
    world.core.settle_outgoing(second, Flags::NONE).unwrap();
    world.arrived.clear();
    world.send_away("first", "q", &to("second", Some("q2")));
    let later = world.put("amqp://first/q", "d");
    world.settle();
    // Nobody asks for the second one any more.
    let bodies: Vec<_> = world
        .arrived
        .iter()
        .map(|(_, body)| body.as_str())
        .collect();
    assert_eq!(bodies, ["a", "c", "d"]);
    assert!(world.arrived.iter().all(|(host, _)| host == "second"));
    for tracker in [trackers[0], trackers[2], later] {
        assert!(is_accepted(tracker)(&world));
    }
    assert_eq!(world.core.outgoing(), 0);
}

#[test]
fn a_subscription_goes_where_it_is_sent_from_the_beginning_or_later() {
    let mut world = refusing("first", &to("second", Some("q2")));
    world.host("second").sends = vec!["x".to_owned()];
    world.host("third").sends = vec!["y".to_owned()];
    let options = SubscribeOptions::new();
    let subscription = world.core.subscribe("amqp://first/q", &options).unwrap();
    world.core.request(Credit::All);
    world.settle();
    assert_eq!(world.got(), ["x"]);
    world.send_away("second", "q2", &to("third", Some("q3")));
    assert_eq!(world.got(), ["y"]);
    let expected = [pair("second", "q2"), pair("third", "q3")];
    assert_eq!(world.attached, expected);
    assert!(!world.core.has_recv_error());
    let address = world.core.subscription_address(subscription).unwrap();
    assert_eq!(address, "amqp://third:7000/q3");
}

#[test]
fn requests_go_with_their_sender_and_get_their_replies_there() {
    for late in [false, true] {
        let elsewhere = to("second", Some("q2"));
        let mut world = World::new();
        world.host("second").replies = true;
        if !late {
            let links = &mut world.host("first").links;
            links.insert("q".to_owned(), elsewhere.clone());
        }
        let mut question = Message::with_body("?");
        question.set_address("amqp://first/q");
        let ask = |world: &mut World| world.core.send_request(&question, None).unwrap();
        let mut requests = vec![ask(&mut world), ask(&mut world)];
        world.settle();
        if late {
            // Both were taken, and the replies are not there.
            assert!(!world.core.is_answered(requests[0]));
            world.send_away("first", "q", &elsewhere);
        }
        requests.push(ask(&mut world));
        world.settle();
        for request in requests {
            let reply = world.core.take_reply(request).unwrap();
            let reply = Message::decode_lenient(reply.unwrap()).unwrap();
            assert_eq!(reply.body_text().unwrap(), Some("answer"));
        }
        assert_eq!(world.core.outstanding_requests(), 0);
        assert_eq!(world.core.outgoing(), 0);
    }
}

#[test]
fn links_that_are_sent_around_for_ever_are_given_up_with_what_the_peer_said() {
    let mut world = refusing("first", &to("second", None));
    let links = &mut world.host("second").links;
    links.insert("q".to_owned(), to("third", None));
    let links = &mut world.host("third").links;
    links.insert("q".to_owned(), to("second", None));
    let tracker = world.put("amqp://first/q", "x");
    let options = SubscribeOptions::new();
    world.core.subscribe("amqp://first/q", &options).unwrap();
    world.core.request(Credit::All);
    world.settle();
    assert_eq!(redirected(&world).len(), 10);
    assert_eq!(world.core.status(tracker), Status::Aborted);
    let errors = [world.core.take_send_error(), world.core.take_recv_error()];
    for error in errors {
        let condition = error.as_ref().and_then(Error::condition).unwrap();
        assert_eq!(condition.condition.as_str(), "amqp:link:redirect");
    }
    // Both go by the same connections, and those that they have left are closed.
    assert_eq!(world.attempts.len(), 6);
    world.run(3_000, |_| false);
    assert_eq!(world.open_connections(), 1);
}

#[test]
fn messages_that_get_through_begin_the_count_anew() {
    let mut world = World::new();
    for round in 0..20 {
        let tracker = world.put("amqp://first/q", "x");
        world.settle();
        assert!(is_accepted(tracker)(&world), "{round}");
        let (here, there) = if round % 2 == 0 {
            ("first", "second")
        } else {
            ("second", "first")
        };
        world.send_away(here, "q", &to(there, None));
    }
    assert_eq!(redirected(&world).len(), 20);
}

#[test]
fn a_link_that_stood_for_a_while_begins_the_count_anew() {
    let mut world = World::new();
    let options = SubscribeOptions::new();
    world.core.subscribe("amqp://first/q", &options).unwrap();
    world.core.request(Credit::All);
    world.settle();
    let places = ["first", "second", "third"];
    for round in 0..20 {
        world.run(10_000, |_| false);
        world.send_away(places[round % 3], "q", &to(places[(round + 1) % 3], None));
        assert!(!world.core.has_recv_error(), "{round}");
    }
}

#[test]
fn a_place_where_nobody_is_leads_back_until_the_policy_gives_up() {
    let mut world = refusing("first", &to("dead", None));
    world.dead.insert("dead".to_owned());
    let tracker = world.put("amqp://first/q", "x");
    let options = SubscribeOptions::new();
    world.core.subscribe("amqp://first/q", &options).unwrap();
    world.core.request(Credit::All);
    let begun = world.now;
    assert!(world.run(300_000, World::is_given_up));
    let took = world.now.since(begun);
    assert!((45_000..=60_000).contains(&took), "{took}");
    assert_eq!(world.core.status(tracker), Status::Aborted);
    let errors = [world.core.take_send_error(), world.core.take_recv_error()];
    assert!(
        errors
            .iter()
            .flatten()
            .all(|error| error.kind() == ErrorKind::Connect)
    );
    assert_eq!(errors.iter().flatten().count(), 2);
    // The connection to the peer that sends them away stays, and both links share the other one.
    let (stays, tries): (Vec<_>, Vec<_>) =
        world.attempts.iter().partition(|(_, host)| host == "first");
    assert_eq!(stays.len(), 1);
    assert!((7..20).contains(&tries.len()), "{tries:?}");
    let pauses = tries.windows(2).map(|two| two[1].0.since(two[0].0));
    let pauses: Vec<u64> = pauses.collect();
    assert!((75..=125).contains(&pauses[0]), "{pauses:?}");
    assert!(*pauses.last().unwrap() >= 7_500, "{pauses:?}");
    // It is as before for who asks again.
    world.dead.clear();
    let again = world.put("amqp://first/q", "y");
    world.core.request(Credit::All);
    world.settle();
    assert!(is_accepted(again)(&world), "{:?}", world.events);
}

#[test]
fn who_comes_back_where_a_link_was_sent_gets_what_was_put() {
    let mut world = refusing("first", &to("second", None));
    world.dead.insert("second".to_owned());
    let tracker = world.put("amqp://first/q", "x");
    assert!(!world.run(30_000, World::is_given_up));
    world.dead.clear();
    assert!(world.run(15_000, is_accepted(tracker)));
    assert_eq!(world.arrived, [pair("second", "x")]);
}

#[test]
fn when_the_place_fails_links_go_back_to_what_was_asked_for() {
    // The first peer is still there, or has to be connected to again.
    for first_stays in [true, false] {
        let mut world = refusing("first", &to("second", Some("q2")));
        world.host("second").is_mute = true;
        let tracker = world.put("amqp://first/q", "x");
        let mut question = Message::with_body("?");
        question.set_address("amqp://first/q");
        let request = world.core.send_request(&question, None).unwrap();
        let options = SubscribeOptions::new();
        world.core.subscribe("amqp://first/q", &options).unwrap();
        world.core.request(Credit::All);
        world.settle();
        assert_eq!(world.arrived.len(), 2);
        let first = world.host("first");
        first.links.clear();
        first.sends = vec!["back".to_owned()];
        first.replies = true;
        if !first_stays {
            world.kill("first");
            world.dead.clear();
        }
        world.kill("second");
        assert!(world.run(5_000, is_accepted(tracker)), "{:?}", world.events);
        assert!(world.arrived.contains(&pair("first", "x")));
        assert_eq!(world.got(), ["back"]);
        assert!(world.core.take_reply(request).unwrap().is_some());
        let nodes = world.attached.iter().filter(|(host, _)| host == "first");
        assert_eq!(nodes.filter(|(_, node)| node == "q").count(), 2);
        assert!(!world.core.has_send_error() && !world.core.has_recv_error());
        // What is put next is not sent by another link.
        let links = world.attached.len();
        let next = world.put("amqp://first:5672/q", "y");
        world.settle();
        assert!(is_accepted(next)(&world));
        assert_eq!(world.attached.len(), links);
    }
}

#[test]
fn without_a_policy_links_are_followed_once_and_lost_with_the_place() {
    let mut world = refusing("first", &to("second", None));
    world.core.set_reconnect(None);
    let tracker = world.put("amqp://first/q", "x");
    world.settle();
    assert!(is_accepted(tracker)(&world));
    world.host("second").is_mute = true;
    let lost = world.put("amqp://first/q", "y");
    world.settle();
    world.kill("second");
    assert_eq!(world.core.status(lost), Status::Aborted);
    let error = world.core.take_send_error().unwrap();
    assert_eq!(error.kind(), ErrorKind::Lost);
    // And the next one begins where it was asked for.
    world.dead.clear();
    world.host("second").is_mute = false;
    let next = world.put("amqp://first/q", "z");
    world.settle();
    assert!(is_accepted(next)(&world));
}

#[test]
fn a_link_that_is_sent_to_another_node_of_the_same_peer_stays_on_its_connection() {
    let mut home = to("first", Some("q2"));
    home.port = Some(5672);
    let mut world = refusing("first", &home);
    let tracker = world.put("amqp://first/q", "x");
    world.settle();
    assert!(is_accepted(tracker)(&world));
    assert_eq!(world.attached, [pair("first", "q2")]);
    assert_eq!(world.attempts.len(), 1);
}

#[test]
fn a_link_that_is_sent_to_what_was_asked_for_goes_there_though_it_was_found_elsewhere() {
    // The peer that it was found at is an alternative, or where the first one sent the whole connection.
    for is_alternative in [true, false] {
        let mut world = World::new();
        if is_alternative {
            world
                .core
                .set_alternatives("amqp://first", &["second"])
                .unwrap();
            world.dead.insert("first".to_owned());
        } else {
            let second = to("second", None);
            world.host("first").redirects = Some(second);
        }
        world.put("amqp://first/other", "x");
        world.settle();
        assert_eq!(world.attached, [pair("second", "other")]);
        world.dead.clear();
        world.host("first").redirects = None;
        let mut back = to("first", None);
        back.port = Some(5672);
        let links = &mut world.host("second").links;
        links.insert("q".to_owned(), back);
        let tracker = world.put("amqp://first/q", "y");
        world.settle();
        assert!(is_accepted(tracker)(&world), "{:?}", world.events);
        assert_eq!(world.attached[1..], [pair("first", "q")]);
        assert_eq!(redirected(&world), ["amqp://first:5672/q"]);
    }
}

#[test]
fn a_place_that_loses_every_link_it_has_attached_is_given_up_as_one_where_nobody_is() {
    let mut world = refusing("first", &to("second", None));
    world.host("second").is_mute = true;
    let tracker = world.put("amqp://first/q", "x");
    let begun = world.now;
    let is_there = |world: &World| !world.conns_to("second").is_empty();
    while !world.is_given_up() {
        world.run(30_000, |world| world.is_given_up() || is_there(world));
        world.settle();
        world.kill("second");
        world.dead.clear();
        let took = world.now.since(begun);
        assert!(took <= 65_000, "{took}: {:?}", world.events);
    }
    assert!(world.attached.len() > 5, "{:?}", world.attached);
    assert_eq!(world.core.status(tracker), Status::Aborted);
}

#[test]
fn what_is_put_to_a_host_does_not_go_where_a_peer_of_that_name_was_sent_a_link() {
    let mut world = refusing("first", &to("second", None));
    world.put("amqp://first/q", "x");
    world.settle();
    world.put("amqp://second/other", "y");
    world.settle();
    // The peer at port 7000 calls itself `second` too.
    assert_eq!(world.attempts.len(), 3);
    world.kill("second");
    world.dead.clear();
    world.put("amqp://second/other", "z");
    world.settle();
    assert!(!world.attached.contains(&pair("first", "other")));
}

#[test]
fn connections_to_where_no_link_is_any_more_are_closed() {
    let mut world = World::new();
    let options = SubscribeOptions::new();
    world.core.subscribe("amqp://first/q", &options).unwrap();
    world.core.request(Credit::All);
    for round in 0..30 {
        let here = match round {
            0 => "first".to_owned(),
            _ => format!("place-{}", round - 1),
        };
        let tracker = world.put("amqp://first/q", "x");
        world.settle();
        assert!(is_accepted(tracker)(&world), "{round}: {:?}", world.events);
        world.run(10_000, |_| false);
        let most = if round == 0 { 1 } else { 2 };
        assert_eq!(world.open_connections(), most, "{round}");
        world.send_away(&here, "q", &to(&format!("place-{round}"), None));
    }
    assert!(!world.core.has_send_error() && !world.core.has_recv_error());
    assert_eq!(world.attempts.len(), 31);
}

#[test]
fn replies_go_where_the_link_was_sent_that_the_request_came_by_and_name_no_user() {
    let mut world = refusing("first", &to("second", None));
    let second = world.host("second");
    second.sends = vec!["?".to_owned()];
    second.reply_to = Some("back".to_owned());
    let options = SubscribeOptions::new();
    world.core.subscribe("amqp://first/q", &options).unwrap();
    world.core.request(Credit::All);
    world.settle();
    let mut question = Message::new();
    let tracker = world.core.get(&mut question).unwrap();
    let address = world.core.reply_address(tracker, &question).unwrap();
    // The user that it names is none, so that nobody is told those of the settings.
    assert_eq!(address, "amqp://@second:7000/back");
    world.put(&address, "answer");
    world.settle();
    assert!(world.attached.contains(&pair("second", "back")));
}

#[test]
fn what_a_message_waits_for_is_told_with_the_name_of_where_it_goes() {
    let mut world = refusing("first", &to("second", Some("q2")));
    world.host("second").is_mute = true;
    world.put("amqp://first/q", "x");
    world.settle();
    let waiting = world.core.why_unsent(0);
    assert!(waiting.contains("amqp://second:7000/q2: "), "{waiting}");
}

#[test]
fn no_password_is_told_to_whom_only_a_peer_named() {
    let offers = vec![Mechanism::Plain, Mechanism::Anonymous];
    for (scheme, name, host, is_told) in [
        ("amqp", None, "second", false),
        ("amqps", None, "second", false),
        ("amqps", Some("second"), "first", false),
        // A certificate will show that it is who the user named.
        ("amqps", Some("first"), "second", true),
        ("amqp", Some("first"), "second", false),
    ] {
        let mut elsewhere = to(host, None);
        elsewhere.hostname = name.map(Into::into);
        let mut world = refusing("first", &elsewhere);
        world.core.options.allow_plain = true;
        world.host("first").offers.clone_from(&offers);
        world.host("second").offers.clone_from(&offers);
        world.put(&format!("{scheme}://ann:secret@first/q"), "x");
        world.settle();
        assert_eq!(world.names, ["first", name.unwrap_or(host)]);
        let times = usize::from(is_told) + 1;
        assert_eq!(world.told.len(), times, "{scheme} {name:?} {host}");
        // Who names that host is not taken for one that a peer sent there.
        if host == "second" {
            world.put(&format!("{scheme}://ann:secret@second:7000/other"), "x");
            world.settle();
            assert_eq!(world.attempts.len(), 3);
            assert_eq!(world.told.len(), times + 1);
        }
    }
}

#[test]
fn a_place_that_is_none_is_not_followed() {
    let nowhere = Redirect::default();
    let no_port = Redirect {
        port: None,
        ..to("second", None)
    };
    for elsewhere in [nowhere, no_port, to("a b", None), to("user@host", None)] {
        let mut world = refusing("first", &elsewhere);
        let tracker = world.put("amqp://first/q", "x");
        world.settle();
        assert_eq!(world.core.status(tracker), Status::Aborted);
        assert_eq!(world.attempts.len(), 1);
        let error = world.core.take_send_error().unwrap();
        assert_eq!(error.kind(), ErrorKind::Remote);
    }
}

#[test]
fn links_that_could_be_recovered_are_followed_too() {
    let mut world = World::new();
    world
        .core
        .set_link_recovery(Some(crate::recovery::LinkRecovery::default()));
    world.host("first").is_mute = true;
    let tracker = world.put("amqp://first/q", "x");
    world.settle();
    world.send_away("first", "q", &to("second", Some("q2")));
    world.settle();
    assert!(is_accepted(tracker)(&world), "{:?}", world.events);
    world.host("second").is_mute = true;
    let tracker = world.put("amqp://first/q", "y");
    world.settle();
    world.host("first").is_mute = false;
    world.kill("second");
    assert!(world.run(5_000, is_accepted(tracker)), "{:?}", world.events);
    assert!(world.arrived.contains(&pair("first", "y")));
    // That nobody there knows what the other place had is told.
    let forgotten = world.events.iter().filter(|event| {
        matches!(
            event,
            ConnectionEvent::Forgotten {
                sent_again: 1,
                aborted: 0,
                ..
            }
        )
    });
    assert_eq!(forgotten.count(), 1, "{:?}", world.events);
}
