//! Connections whose peers send us elsewhere, in virtual time.
#![expect(clippy::unwrap_used, reason = "tests")]

use ferrion_engine::protocol::Redirect;

use super::tracker::Status;
use super::world_tests::World;
use crate::error::ErrorKind;

fn to(host: &str) -> Redirect {
    Redirect {
        network_host: Some(host.into()),
        port: Some(7000),
        ..Redirect::default()
    }
}

#[test]
fn a_redirection_to_where_nobody_is_leads_back_until_the_policy_gives_up() {
    let mut world = World::new();
    world.host("first").redirects = Some(to("dead"));
    world.dead.insert("dead".to_owned());
    let tracker = world.put("amqp://first/q", "x");
    let begun = world.now;
    assert!(world.run(300_000, World::is_given_up));
    // The default is a minute, and ten seconds at most from attempt to attempt.
    let took = world.now.since(begun);
    assert!((45_000..=60_000).contains(&took), "{took}");
    assert_eq!(world.core.status(tracker), Status::Aborted);
    let error = world.core.take_send_error().unwrap();
    assert_eq!(error.kind(), ErrorKind::Connect);
    // Both by turns, and after each failure more time.
    assert!(world.attempts.len() > 10 && world.attempts.len() < 40);
    let mut pauses = Vec::new();
    for (n, (at, host)) in world.attempts.iter().enumerate() {
        assert_eq!(host, ["first", "dead"][n % 2]);
        if n % 2 == 1 {
            assert_eq!(*at, world.attempts[n - 1].0, "a peer is followed at once");
        } else if n > 0 {
            pauses.push(at.since(world.attempts[n - 1].0));
        }
    }
    assert!(pauses[0] >= 75 && pauses[0] <= 125, "{pauses:?}");
    assert!(pauses.windows(2).all(|two| two[0] < two[1] * 2));
    assert!(*pauses.last().unwrap() >= 7_500, "{pauses:?}");
}

#[test]
fn who_comes_back_where_a_redirection_leads_gets_what_was_put() {
    let mut world = World::new();
    world.host("first").redirects = Some(to("second"));
    world.dead.insert("second".to_owned());
    let tracker = world.put("amqp://first/q", "x");
    assert!(!world.run(20_000, World::is_given_up));
    assert!(world.attempts.len() > 12, "{:?}", world.attempts);
    world.dead.clear();
    let is_there = |world: &World| world.core.status(tracker) == Status::Accepted;
    assert!(world.run(15_000, is_there));
    assert_eq!(world.arrived, [("second".to_owned(), "x".to_owned())]);
}

#[test]
fn peers_that_send_us_around_for_ever_are_given_up_at_once() {
    let mut world = World::new();
    for (host, next) in [("first", "second"), ("second", "first")] {
        world.host(host).redirects = Some(to(next));
    }
    world.put("amqp://first/q", "x");
    assert!(world.run(0, World::is_given_up));
    assert_eq!(world.attempts.len(), 6);
    let error = world.core.take_send_error().unwrap();
    assert_eq!(error.kind(), ErrorKind::Remote);
}
