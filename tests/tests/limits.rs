//! What a peer can make the engine hold is bounded, and going beyond it has one answer (2.8.15).

use ferrion_engine::protocol::{Condition, conditions};
use ferrion_engine::{Config, Event, Failure, LinkConfig, Origin, SessionConfig, UsageError};
use ferrion_tests::build::{Build, Role, attach, begin, detach, end, source, target, transfer};
use ferrion_tests::peer::{Peer, Wired, client, client_with, server_with};

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

// ---- deliveries that do not become whole

fn with_receivers(p: &mut Peer, count: usize) -> Vec<Wired> {
    p.opened();
    let session = p.begun();
    let mut links = Vec::new();
    for i in 0..count {
        let link = p.receiver(session, &format!("in-{i}"));
        p.take_credit(&link, 100);
        links.push(link);
    }
    links
}

fn small_buffers() -> Config {
    let mut config = Config::new("engine");
    config.limits.partial_octets = 10_000;
    config
}

#[test]
fn what_all_links_of_a_session_buffer_is_bounded_and_costs_the_link_that_wants_more() {
    client_with(small_buffers(), |p| {
        let links = with_receivers(p, 4);
        for (id, link) in (0..).zip(&links) {
            let part = p.delivery(link, id, &[1; 2_600]).more(true);
            p.inject(part);
        }
        p.expect_detach()
            .handle(links[3].ours)
            .closed(true)
            .condition("amqp:resource-limit-exceeded");
        p.expect_nothing();
        // The others go on, and what is complete makes room: taken or not, it is the window that counts it.
        for (id, link) in (0..).zip(&links[..3]) {
            p.inject(transfer().handle(link.theirs).payload(b"end"));
            let next = p.delivery(link, 4 + id, &[2; 2_600]).more(true);
            p.inject(next);
            assert_eq!(p.take(link).payload.len(), 2_603);
        }
        p.expect_nothing();
        // As does what was taken back, or is lost with its link.
        p.inject(transfer().handle(links[0].theirs).aborted(true));
        p.inject(detach().handle(links[1].theirs).closed(true));
        let parts = [7, 8].map(|id| p.delivery(&links[0], id, &[3; 2_600]).more(id == 8));
        p.inject_all(parts);
        p.take(&links[0]);
        p.expect_nothing();
        assert_eq!(p.engine().census().links, 4);
    });
}

#[test]
fn many_small_transfers_count_for_what_they_cost() {
    client_with(small_buffers(), |p| {
        let links = with_receivers(p, 1);
        let first = p.delivery(&links[0], 0, b"x").more(true);
        p.inject(first);
        for _ in 1..153 {
            p.inject(transfer().handle(links[0].theirs).more(true).payload(b"x"));
        }
        p.expect_nothing();
        p.inject(transfer().handle(links[0].theirs).more(true).payload(b"x"));
        p.expect_detach().condition("amqp:resource-limit-exceeded");
        assert_eq!(p.engine().census().incoming_deliveries, 0);
    });
}

/// Of engines together only their program knows how much they hold.
#[test]
fn an_incomplete_delivery_can_be_refused_and_holds_nothing_then_whether_the_peer_answers_or_not() {
    for recoverable in [false, true] {
        client(|p| {
            p.opened();
            let session = p.begun();
            let links = ["in-0", "in-1"].map(|name| {
                let mut config = LinkConfig::receiver(name, name);
                config.recoverable = recoverable;
                let link = p.receiver_with(session, config, |attach| attach);
                p.take_credit(&link, 100);
                link
            });
            for (id, link) in (0..).zip(&links) {
                let part = p.delivery(link, id, &[1; 2_000]).more(true);
                p.inject(part);
            }
            assert_eq!(p.engine().partial_octets(), 2 * (2_000 + 64));
            let condition = Condition::with_description(conditions::RESOURCE_LIMIT_EXCEEDED, "all");
            let mut receiver = p.engine().receiver(links[0].id).unwrap();
            receiver.refuse_partial(condition.clone()).unwrap();
            p.expect_events(&[Event::LinkDetached(links[0].id)]);
            p.expect_detach()
                .handle(links[0].ours)
                .closed(true)
                .condition("amqp:resource-limit-exceeded");
            assert_eq!(p.engine().partial_octets(), 2_000 + 64);
            // What was under way comes to nothing.
            p.inject(transfer().handle(links[0].theirs).more(true).payload(b"x"));
            p.expect_nothing();
            assert_eq!(p.engine().partial_octets(), 2_000 + 64);
            // The other link goes on.
            p.inject(transfer().handle(links[1].theirs).payload(b"end"));
            assert_eq!(p.take(&links[1]).payload.len(), 2_003);
            assert_eq!(p.engine().partial_octets(), 0);
            let mut receiver = p.engine().receiver(links[1].id).unwrap();
            let refused = receiver.refuse_partial(condition);
            assert!(matches!(refused, Err(UsageError::WrongState(_))));
        });
    }
}

#[test]
fn what_is_read_while_it_comes_is_bounded_by_the_window_instead() {
    client_with(small_buffers(), |p| {
        let links = with_receivers(p, 1);
        let link = &links[0];
        p.engine().receiver(link.id).unwrap().set_streaming(true);
        let first = p.delivery(link, 0, b"x").more(true);
        p.inject(first);
        for _ in 0..10 {
            p.inject(
                transfer()
                    .handle(link.theirs)
                    .more(true)
                    .payload(&[1; 5_000]),
            );
        }
        p.expect_nothing();
        let waiting = p.engine().receiver(link.id).unwrap().partial().unwrap();
        assert_eq!(waiting.waiting, 50_001);
    });
}

// ---- what the peer never answers

#[test]
fn detaches_that_are_never_answered_use_up_the_handles_and_no_more() {
    let mut config = Config::new("engine");
    config.limits.links_per_session = 4;
    client_with(config, |p| {
        p.opened();
        let session = p.begun();
        for i in 0..4 {
            let config = LinkConfig::sender(format!("out-{i}"), "node");
            let link = p.sender_with(session, config, |attach| attach.handle(i));
            p.engine().link(link.id).unwrap().close(None).unwrap();
            p.expect_detach();
        }
        let config = LinkConfig::sender("one more", "node");
        let refused = p.engine().session(session).unwrap().attach_sender(config);
        assert_eq!(
            refused,
            Err(UsageError::LimitReached {
                what: "link",
                limit: 4
            })
        );
        // Ending the session needs no answer of theirs.
        p.engine().session(session).unwrap().end(None).unwrap();
        p.expect_end().respond();
        p.events();
        assert_eq!(p.engine().census(), Default::default());
    });
}

#[test]
fn ends_that_are_never_answered_use_up_the_channels_and_no_more() {
    let mut config = Config::new("engine");
    config.channel_max = 3;
    client_with(config, |p| {
        p.opened();
        for i in 0..4 {
            let session = p.begun_with(SessionConfig::default(), |begin| begin.on(i));
            p.engine().session(session).unwrap().end(None).unwrap();
            p.expect_end();
        }
        let begin = p.engine().connection().begin(SessionConfig::default());
        assert_eq!(
            begin,
            Err(UsageError::LimitReached {
                what: "session",
                limit: 4
            })
        );
        assert_eq!(p.engine().census().sessions, 4);
    });
}

/// Each attach of a name that is in use ends the link before it (2.6.1), whether the peer answers that or not.
#[test]
fn links_that_are_stolen_again_and_again_end_the_session() {
    let mut config = Config::new("engine");
    config.limits.links_per_session = 6;
    server_with(config, |p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |b| b);
        let mut ended = false;
        for handle in 0..6 {
            p.inject(script_sender("l").handle(handle));
            ended |= p.drain_names().contains(&"end".to_owned());
        }
        assert!(!ended, "six links are allowed");
        p.inject(detach().handle(0));
        p.inject(script_sender("l").handle(0));
        p.expect_end().condition("amqp:resource-limit-exceeded");
        assert!(p.engine().census().links <= 6);
    });
}

#[test]
fn a_peer_that_sends_on_after_our_detach_is_held_to_the_window() {
    client(|p| {
        p.opened();
        let config = SessionConfig {
            incoming_window: 50,
            ..SessionConfig::default()
        };
        let session = p.begun_with(config, |b| b);
        let link = p.receiver(session, "in");
        p.take_credit(&link, 1_000);
        p.engine().link(link.id).unwrap().close(None).unwrap();
        p.expect_detach();
        for id in 0..51 {
            let delivery = p.delivery(&link, id, b"late");
            p.inject(delivery);
        }
        p.expect_end().condition("amqp:session:window-violation");
    });
}
