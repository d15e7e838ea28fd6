//! What is altered on its way, and is good AMQP all the same: nobody notices at first, and still it comes to an end.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::tracker::Status;
use super::world_tests::World;

/// The peer answers with the name that it heard, which to the core is a link that the peer asks for. Each answers the other's
/// answers, as both accept everything: the core later and later, and then it ends the session.
#[test]
fn a_link_whose_name_was_altered_on_its_way_ends_with_an_error_and_the_next_is_as_good_as_any() {
    let mut world = World::new();
    world.misheard = Some(("client-sender-1", "client-sendar-1"));
    let lost = world.put("amqp://a/q", "lost");
    let ended = world.run(100_000, |world| world.core.status(lost) == Status::Aborted);
    assert!(ended, "there is no end to it");
    assert_eq!(world.misheard, None);
    let links = world.attached.len();
    assert!((100..110).contains(&links), "{links} links in vain");
    let error = world.core.take_send_error().unwrap().to_string();
    assert!(error.contains("again and again"), "{error}");
    let sent = world.put("amqp://a/q", "sent");
    world.settle();
    assert_eq!(world.core.status(sent), Status::Accepted);
    assert_eq!(world.arrived, [("a".to_owned(), "sent".to_owned())]);
    assert_eq!(world.open_connections(), 1);
}

/// That there is nothing is an answer: a peer may ask for it again and again, by a link of the same name each time.
#[test]
fn a_peer_that_looks_for_messages_again_and_again_is_answered_at_once_each_time() {
    let mut world = World::new();
    world.put("amqp://a/q", "first");
    world.settle();
    for time in 0..300 {
        assert!(world.peer_asks("a", "poll"), "{time}");
    }
    assert_eq!(world.open_connections(), 1);
}
