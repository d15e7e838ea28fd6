//! What a peer can make the engine hold is bounded, and going beyond it has one answer (2.8.15).

use ferrion_engine::{Config, Failure, Origin, SessionConfig};
use ferrion_tests::build::{Build, Role, attach, begin, detach, end, source, target};
use ferrion_tests::peer::{client, server_with};

fn script_sender(name: &str) -> Build {
    attach()
        .name(name)
        .handle(0)
        .role(Role::Sender)
        .initial_delivery_count(0)
        .source(source().v())
        .target(target().v())
}

/// Links that the peer left again live on until the application was told, so they have to count.
#[test]
fn links_that_come_and_go_faster_than_they_are_looked_at_end_the_session() {
    let mut config = Config::new("engine");
    config.limits.links_per_session = 4;
    server_with(config, |p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |b| b);
        p.inject_all((0..100).flat_map(|i| [script_sender(&format!("l{i}")), detach().handle(0)]));
        p.expect_end().condition("amqp:resource-limit-exceeded");
        let links = p.engine().census().links;
        assert!(links <= 4, "{links} links");
    });
}

#[test]
fn an_engine_that_allows_no_links_refuses_the_first() {
    let mut config = Config::new("engine");
    config.limits.links_per_session = 0;
    server_with(config, |p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |b| b);
        p.inject(script_sender("l"));
        // A handle-max cannot say "none" (2.7.2): the handle is good, but there is no room for the link.
        p.expect_end().condition("amqp:resource-limit-exceeded");
        p.expect_nothing();
        assert_eq!(p.engine().census().links, 0);
    });
}

/// Channel-max bounds the sessions that live (2.4.1); as many again may have ended without being told.
#[test]
fn sessions_that_come_and_go_faster_than_they_are_looked_at_fail_the_connection() {
    let mut config = Config::new("engine");
    config.channel_max = 3;
    server_with(config, |p| {
        p.opened();
        p.use_channel(0);
        let session = || {
            begin()
                .next_outgoing_id(0)
                .incoming_window(9)
                .outgoing_window(9)
        };
        p.inject_all((0..100).flat_map(|_| [session(), end()]));
        let sessions = p.engine().census().sessions;
        assert!(sessions <= 2 * (3 + 1), "{sessions} sessions");
        let names = p.drain_names();
        assert_eq!(names.last().map(String::as_str), Some("close"), "{names:?}");
        let Some(Failure::Condition { origin, condition }) = p.engine().failure() else {
            panic!("no failure");
        };
        assert_eq!(*origin, Origin::Local);
        assert_eq!(condition.condition, "amqp:resource-limit-exceeded");
    });
}

/// Delivery-ids count up (2.6.12). Far apart they would make every range of a disposition dear.
#[test]
fn a_delivery_id_that_leaps_far_ahead_ends_the_session() {
    for (leap, taken) in [(256, true), (257, false), (1 << 16, false)] {
        client(|p| {
            p.opened();
            let session = p.begun();
            let link = p.receiver(session, "in");
            p.take_credit(&link, 2);
            let first = p.delivery(&link, 0, b"");
            p.inject(first);
            p.take(&link);
            let second = p.delivery(&link, leap, b"");
            p.inject(second);
            if taken {
                p.take(&link);
                p.expect_nothing();
            } else {
                p.expect_end().condition("amqp:invalid-field");
            }
        });
    }
}
