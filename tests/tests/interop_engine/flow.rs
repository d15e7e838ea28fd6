//! Credit that is drained, and windows that are small.

use std::time::Duration;

use ferrion_engine::{Config, SessionConfig, protocol::DeliveryState};
use ferrion_tests::interop::Library;
use serde_json::json;

use crate::common::{Side, accept, attach, begin, everywhere, large, meet, message, open};

everywhere!(
    ferrion_drains,
    ferrion_is_drained,
    a_small_window_lets_all_of_it_through,
    a_small_window_of_the_peer_lets_all_of_it_through,
);

/// What is there comes before the credit goes back; what the peer gets to send later waits for new credit.
fn ferrion_drains(library: Library, side: Side) {
    let mut m = meet(library, side);
    let link = m.receiver("node");
    let name = m.name(link);
    m.tell(&json!({"do": "send", "link": name, "texts": ["one", "two", "three"]}));
    m.talk.grant(link, 10);
    m.talk.drain(link);
    for text in ["one", "two", "three"] {
        let mut receiver = m.talk.engine().receiver(link).unwrap();
        // It is there already: the answer to the drain came behind it.
        let delivery = receiver.next_delivery().expect("a delivery");
        assert_eq!(delivery.payload.into_bytes(), message(text));
        receiver.accept(delivery.id.unwrap()).unwrap();
    }
    assert_eq!(m.talk.engine().receiver(link).unwrap().credit(), 0);
    assert_eq!(m.hear("draining")["credit"], 7);
    // Nothing to send, and nothing to give back.
    m.talk.drain(link);
    // As many messages as credit: nothing to give back either, and Proton says nothing.
    m.tell(&json!({"do": "send", "link": name, "texts": ["four", "five"]}));
    m.talk.grant(link, 2);
    m.talk.drain(link);
    for text in ["four", "five"] {
        let delivery = m.talk.receive(link);
        assert_eq!(delivery.payload.into_bytes(), message(text));
    }
    m.tell(&json!({"do": "send", "link": name, "texts": ["six"]}));
    m.talk.grant(link, 1);
    let six = m.talk.receive(link);
    assert_eq!(six.payload.into_bytes(), message("six"));
    m.part();
}

fn ferrion_is_drained(library: Library, side: Side) {
    let mut m = meet(library, side);
    let link = m.accept(&attach("receiver", "in"));
    m.tell(&json!({"do": "credit", "link": "in", "count": 5, "drain": true}));
    m.talk.until("a drain", |engine| {
        engine.sender(link).ok()?.is_draining().then_some(())
    });
    assert_eq!(m.talk.engine().sender(link).unwrap().credit(), 5);
    for text in ["one", "two"] {
        m.talk.send(link, message(text));
    }
    m.talk.engine().sender(link).unwrap().drained().unwrap();
    assert_eq!(m.talk.engine().sender(link).unwrap().credit(), 0);
    let drained = m.hear("drained");
    // All that was sent came before.
    assert_eq!(drained["received"], 2, "{drained}");
    assert_eq!(m.hear("message")["text"], "one");
    assert_eq!(m.hear("message")["text"], "two");
    // The end of a drain: the credit that comes next is to be kept.
    m.tell(&json!({"do": "credit", "link": "in", "count": 1}));
    let three = m.talk.send(link, message("three"));
    assert_eq!(m.hear("message")["text"], "three");
    m.tell(&accept("in", 2));
    assert_eq!(m.talk.outcome(link, three), Some(DeliveryState::Accepted));
    m.part();
}

const SIZE: usize = 300_000;

/// Four frames of 4 KiB at a time, for messages of more than seventy.
fn a_small_window_lets_all_of_it_through(library: Library, side: Side) {
    let mut config = Config::new("ferrion");
    config.max_frame_size = 4096;
    let (talk, peer, heard) = open(library, side, config, &json!({}));
    assert_eq!(heard["max_frame"], 4096);
    let mut m = begin(talk, peer, side);
    let session = m.talk.begin_with(SessionConfig {
        incoming_window: 4,
        ..SessionConfig::default()
    });
    let link = m.talk.receiver(session, "node");
    let name = m.name(link);
    m.hear("link");
    m.talk.grant(link, 3);
    m.tell(&json!({"do": "send", "link": name, "size": SIZE, "count": 3}));
    let body = large(SIZE);
    for _ in 0..3 {
        let delivery = m.talk.receive(link);
        assert!(delivery.payload.into_bytes() == body);
        m.talk
            .settle(link, delivery.id.unwrap(), DeliveryState::Accepted);
    }
    for _ in 0..3 {
        assert_eq!(m.hear("update")["state"], "accepted");
    }
    m.part();
}

/// The same the other way. rhea opens its window only when its application does something, which in the midst of a delivery
/// it has no reason to: it is nudged, by credit that it would not need.
fn a_small_window_of_the_peer_lets_all_of_it_through(library: Library, side: Side) {
    let theirs = json!({"max_frame": 4096, "capacity": 4 * 4096, "buffer": 4});
    let (talk, peer, _) = open(library, side, Config::new("ferrion"), &theirs);
    let mut m = begin(talk, peer, side);
    let session = m.talk.engine().session(m.session).unwrap();
    assert_eq!(session.remote().unwrap().incoming_window, 4);
    let link = m.accept(&attach("receiver", "in"));
    m.tell(&json!({"do": "credit", "link": "in", "count": 3}));
    for index in 0..3 {
        let delivery = m.talk.send(link, large(SIZE));
        if library == Library::Rhea {
            m.talk.rest(Duration::from_millis(10));
            let session = m.talk.engine().session(m.session).unwrap();
            assert_eq!(session.outgoing_window(), 0);
            while m.peer.is_silent_about("message") {
                m.tell(&json!({"do": "credit", "link": "in", "count": 1}));
            }
        }
        let heard = m.hear("message");
        assert_eq!(heard["length"], SIZE);
        assert_eq!(heard["pattern"], true);
        m.tell(&accept("in", index));
        assert_eq!(
            m.talk.outcome(link, delivery),
            Some(DeliveryState::Accepted)
        );
    }
    m.part();
}
