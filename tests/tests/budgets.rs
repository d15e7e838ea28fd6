//! What one peer can make a connection hold, before it has said who it is and after.

use ferrion_engine::sasl::Mechanism;
use ferrion_engine::{Config, Engine, Event, Failure, SaslFailure, SessionConfig, Time};
use ferrion_tests::build::{Build, Role, attach, begin, composite, open, source, target, transfer};
use ferrion_tests::oracle::{AMQP_HEADER, Element, Frame, SASL_HEADER, V};
use ferrion_tests::peer::{Peer, Wired, client, client_with, server, server_with};
use ferrion_tests::sasl::as_server;

const EXCEEDED: &str = "amqp:resource-limit-exceeded";

fn script_sender(name: &str, handle: u32) -> Build {
    attach()
        .name(name)
        .handle(handle)
        .role(Role::Sender)
        .initial_delivery_count(0)
        .source(source().v())
        .target(target().v())
}

fn limited(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::new("engine");
    change(&mut config);
    config
}

// ---- before open

#[test]
fn before_open_a_server_takes_frames_of_512_octets_and_no_more() {
    for (extra, taken) in [(0, true), (1, false)] {
        server(|p| {
            p.inject_raw(&AMQP_HEADER);
            p.expect_header(AMQP_HEADER);
            let named = |size: usize| open().container_id("script").hostname(&"x".repeat(size));
            let beside = p.octets(&named(300)).len() - 300;
            let first = named(512 + extra - beside);
            assert_eq!(p.octets(&first).len(), 512 + extra);
            p.inject(first);
            if taken {
                p.engine().connection().open().unwrap();
                p.expect_open();
            } else {
                p.expect_open();
                p.expect_close().condition("amqp:connection:framing-error");
            }
        });
    }
}

#[test]
fn a_server_may_answer_a_client_that_told_its_frame_size_with_a_larger_open() {
    client(|p| p.opened_with(|open| open.hostname(&"x".repeat(2_000))));
}

#[test]
fn frames_without_end_before_open_end_the_connection() {
    let config = limited(|config| config.limits.octets_before_open = 1_000);
    server_with(config, |p| {
        p.inject_raw(&AMQP_HEADER);
        p.expect_header(AMQP_HEADER);
        for _ in 0..124 {
            p.inject_frame(&Frame::empty(0));
        }
        p.expect_nothing();
        p.inject_frame(&Frame::empty(0));
        p.expect_open();
        p.expect_close().condition(EXCEEDED);
    });
}

#[test]
fn what_an_open_says_of_its_size_counts_before_it_has_come() {
    let config = limited(|config| config.limits.octets_before_open = 400);
    server_with(config, |p| {
        p.inject_raw(&AMQP_HEADER);
        p.expect_header(AMQP_HEADER);
        p.inject_raw(&[0, 0, 1, 0x89]);
        p.expect_open();
        p.expect_close().condition(EXCEEDED);
    });
}

#[test]
fn a_login_that_goes_on_for_ever_ends() {
    let mut config = as_server(&[Mechanism::Plain]);
    config.limits.octets_before_open = 60;
    server_with(config, |p| {
        p.inject_raw(&SASL_HEADER);
        p.expect_header(SASL_HEADER);
        p.expect(0x40);
        p.inject_raw(&[0, 0, 0, 60, 2, 1, 0, 0]);
        p.expect_done();
        let failure = p.engine().failure();
        let Some(Failure::Sasl(SaslFailure::Protocol(text))) = failure else {
            panic!("{failure:?}")
        };
        assert_eq!(text, "more than 60 octets before open");
    });
}

#[test]
fn room_is_made_for_what_has_come_and_not_for_what_is_announced() {
    let config = limited(|config| config.max_frame_size = u32::MAX);
    let mut engine = Engine::client(config);
    engine.connection().open().unwrap();
    let octets = [
        &AMQP_HEADER[..],
        &open().container_id("script").octets(0),
        &[0xff, 0xff, 0xff, 0xf0],
    ]
    .concat();
    engine.recv_buffer(octets.len()).extend_from_slice(&octets);
    engine.recv_filled(Time(0));
    assert_eq!(engine.poll_event(), Some(Event::RemoteOpen));
    let room = engine.recv_buffer(1).capacity();
    assert!(room < 256 << 10, "room for {room} octets");
}

// ---- in a frame

fn nested(depth: usize) -> V {
    (1..depth).fold(V::List(vec![]), |value, _| V::List(vec![value]))
}

#[test]
fn values_are_nested_less_deeply_before_open_than_after() {
    // The fields of open are a list, the properties a map in it.
    for (depth, taken) in [(6, true), (7, false)] {
        server(|p| {
            p.inject_raw(&AMQP_HEADER);
            p.expect_header(AMQP_HEADER);
            let properties = V::fields(&[("k", nested(depth))]);
            p.inject(open().container_id("script").properties(properties));
            if taken {
                p.engine().connection().open().unwrap();
                p.expect_open();
            } else {
                p.expect_open();
                p.expect_close().condition("amqp:decode-error");
            }
        });
    }
    let config = limited(|config| config.limits.nesting_depth = 20);
    for (depth, taken) in [(18, true), (19, false)] {
        server_with(config.clone(), |p| {
            p.opened();
            p.begun_by_script(SessionConfig::default(), |b| b);
            p.inject(script_sender("l", 0).properties(V::fields(&[("k", nested(depth))])));
            if taken {
                p.expect_nothing();
            } else {
                p.expect_end().condition("amqp:decode-error");
            }
        });
    }
}

#[test]
fn large_fields_are_refused_as_what_they_are_about() {
    let config = limited(|config| {
        config.limits.field_octets = 1_000;
        config.limits.compound_octets = 2_000;
        config.limits.zero_width_elements = 10;
    });
    let nulls = |count| {
        let null = Element {
            descriptors: vec![],
            code: 0x40,
        };
        V::Array(null, vec![V::Null; count])
    };
    let cases = [
        (V::Str("x".repeat(1_000)), true),
        (V::Str("x".repeat(1_001)), false),
        (V::Sym("x".repeat(1_001)), false),
        (V::Bin(vec![1; 1_001]), false),
        (V::List(vec![V::Str("x".repeat(900)); 2]), true),
        (V::List(vec![V::Str("x".repeat(700)); 3]), false),
        (nulls(10), true),
        (nulls(11), false),
    ];
    for (value, taken) in cases {
        client_with(config.clone(), |p| {
            p.opened();
            let session = p.begun();
            let link = p.receiver(session, "in");
            let other = p.receiver(session, "other");
            p.take_credit(&other, 1);
            let flow = p
                .link_flow(&link)
                .properties(V::fields(&[("k", value.clone())]));
            p.inject(flow);
            if !taken {
                p.expect_detach()
                    .handle(link.ours)
                    .condition("amqp:decode-error");
            }
            let fine = p.delivery(&other, 0, b"fine");
            p.inject(fine);
            assert_eq!(p.take(&other).payload.into_bytes(), "fine");
            p.expect_nothing();
        });
    }
}

// ---- after open

fn with_receivers(p: &mut Peer, names: &[&str]) -> Vec<Wired> {
    p.opened();
    let session = p.begun();
    let mut links = Vec::new();
    for name in names {
        let link = p.receiver(session, name);
        p.take_credit(&link, 100);
        links.push(link);
    }
    links
}

#[test]
fn what_waits_of_a_link_is_bounded_whole_or_in_part_and_costs_that_link() {
    let config = limited(|config| config.limits.link_octets = 1_000);
    for more in [false, true] {
        client_with(config.clone(), |p| {
            let links = with_receivers(p, &["full", "other"]);
            let first = p.delivery(&links[0], 0, &[1; 600]);
            let second = p.delivery(&links[0], 1, &[1; 400]).more(more);
            p.inject_all([first, second]);
            p.expect_nothing();
            let third = if more {
                transfer().handle(links[0].theirs).more(true).payload(b"x")
            } else {
                p.delivery(&links[0], 2, b"x")
            };
            p.inject(third);
            p.expect_detach()
                .handle(links[0].ours)
                .closed(true)
                .condition(EXCEEDED);
            let fine = p.delivery(&links[1], 3, &[1; 1_000]);
            p.inject(fine);
            assert_eq!(p.take(&links[1]).payload.len(), 1_000);
            p.expect_nothing();
        });
    }
}

#[test]
fn what_was_taken_makes_room_on_its_link_and_connection() {
    let config = limited(|config| {
        config.limits.link_octets = 1_000;
        config.limits.connection_octets = 14_000;
    });
    client_with(config, |p| {
        let links = with_receivers(p, &["in"]);
        for id in 0..50 {
            let delivery = p.delivery(&links[0], id, &[1; 900]).settled(true);
            p.inject(delivery);
            assert_eq!(p.take(&links[0]).payload.len(), 900);
        }
        p.expect_nothing();
        for id in 50..90 {
            let parts = p.delivery(&links[0], id, &[1; 900]).more(true);
            p.inject(parts);
            p.inject(transfer().handle(links[0].theirs).aborted(true));
        }
        p.expect_nothing();
    });
}

#[test]
fn a_transfer_beyond_what_the_connection_may_hold_costs_its_link() {
    let config = limited(|config| config.limits.connection_octets = 30_000);
    client_with(config, |p| {
        let links = with_receivers(p, &["full", "other"]);
        let mut ended = None;
        for id in 0..100 {
            let delivery = p.delivery(&links[0], id, &[1; 1_000]);
            p.inject(delivery);
            if p.drain_names().contains(&"detach".to_owned()) {
                ended = Some(id);
                break;
            }
        }
        let count = ended.expect("a limit");
        assert!(
            (10..30).contains(&count),
            "{count} deliveries of 1,000 octets"
        );
        let error = p.engine().link(links[0].id).unwrap().error().cloned();
        assert_eq!(error.unwrap().condition.condition, EXCEEDED);
        // What came is still the application's, and once it has that, others have room.
        while p
            .engine()
            .receiver(links[0].id)
            .unwrap()
            .next_delivery()
            .is_some()
        {}
        let fine = p.delivery(&links[1], 100, &[1; 1_000]);
        p.inject(fine);
        assert_eq!(p.take(&links[1]).payload.len(), 1_000);
    });
}

#[test]
fn what_attaches_say_counts_for_as_long_as_their_links_live() {
    let config = limited(|config| config.limits.connection_octets = 36_000);
    server_with(config, |p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |b| b);
        let wordy = |handle: u32| {
            let said = V::fields(&[("k", V::Str("x".repeat(10_000)))]);
            script_sender(&format!("l{handle}"), handle).properties(said)
        };
        for round in 0..20 {
            let link = p.attached_by_script(wordy(round));
            p.inject(ferrion_tests::build::detach().handle(round).closed(true));
            p.engine().link(link.id).unwrap().close(None).unwrap();
            p.expect_detach();
            p.events();
        }
        for handle in 0..2 {
            p.attached_by_script(wordy(handle));
        }
        p.inject(wordy(2));
        p.expect_end().condition(EXCEEDED);
    });
}

#[test]
fn a_session_beyond_what_the_connection_may_hold_closes_it() {
    let config = limited(|config| config.limits.connection_octets = 20_000);
    server_with(config, |p| {
        p.opened();
        p.use_channel(0);
        let wordy = |channel| {
            begin()
                .next_outgoing_id(0)
                .incoming_window(9)
                .outgoing_window(9)
                .properties(V::fields(&[("k", V::Str("x".repeat(5_000)))]))
                .on(channel)
        };
        p.inject_all((0..3).map(wordy));
        assert_eq!(p.engine().census().sessions, 2);
        let names = p.drain_names();
        assert_eq!(names.last().map(String::as_str), Some("close"), "{names:?}");
        let Some(Failure::Condition { condition, .. }) = p.engine().failure() else {
            panic!("no failure");
        };
        assert_eq!(condition.condition, EXCEEDED);
    });
}

#[test]
fn deliveries_that_nobody_settles_cost_the_link_with_one_too_many() {
    let config = limited(|config| config.limits.unsettled_per_session = 3);
    client_with(config, |p| {
        let links = with_receivers(p, &["full", "other"]);
        for id in 0..3 {
            let delivery = p.delivery(&links[0], id, b"x");
            p.inject(delivery);
        }
        p.expect_nothing();
        let fourth = p.delivery(&links[0], 3, b"x");
        p.inject(fourth);
        p.expect_detach().handle(links[0].ours).condition(EXCEEDED);
        let settled = p.delivery(&links[1], 4, b"fine").settled(true);
        p.inject(settled);
        assert_eq!(p.take(&links[1]).payload.into_bytes(), "fine");
        p.expect_nothing();
    });
}

#[test]
fn errors_of_detaches_count_for_as_long_as_their_links_live() {
    let config = limited(|config| config.limits.connection_octets = 36_000);
    server_with(config, |p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |b| b);
        let wordy = |handle: u32| {
            let error = composite(0x1d)
                .set("condition", V::sym("script:no"))
                .description(&"x".repeat(10_000));
            ferrion_tests::build::detach()
                .handle(handle)
                .closed(true)
                .error(error.v())
        };
        for round in 0..20 {
            let link = p.attached_by_script(script_sender(&format!("l{round}"), 0));
            p.inject(wordy(0));
            p.engine().link(link.id).unwrap().close(None).unwrap();
            p.expect_detach();
            p.events();
        }
        // The program does not close these in turn, and so holds what was said of them.
        for handle in 0..2 {
            p.attached_by_script(script_sender(&format!("h{handle}"), handle));
            p.inject(wordy(handle));
        }
        p.inject(script_sender("third", 2));
        p.expect_nothing();
        p.inject(wordy(2));
        p.inject(script_sender("fourth", 3));
        p.expect_end().condition(EXCEEDED);
    });
}

#[test]
fn larger_frames_of_a_login_need_no_second_limit() {
    let mut config = as_server(&[Mechanism::Plain]);
    config.limits.sasl_frame_size = 20_000;
    server_with(config, |p| {
        p.inject_raw(&SASL_HEADER);
        p.expect_header(SASL_HEADER);
        p.expect(0x40);
        // It waits for all of it.
        p.inject_raw(&[0, 0, 78, 32, 2, 1, 0, 0]);
        p.expect_nothing();
        assert_eq!(p.engine().failure(), None);
    });
}

#[test]
fn what_an_attach_says_is_there_also_where_more_elements_without_octets_are_allowed() {
    let config = limited(|config| config.limits.zero_width_elements = 200_000);
    server_with(config, |p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |b| b);
        let mut nulls = vec![0xf0, 0, 0, 0, 5];
        nulls.extend(100_000u32.to_be_bytes());
        nulls.push(0x40);
        let said = V::fields(&[("nulls", V::Raw(nulls))]);
        let link = p.attached_by_script(script_sender("wide", 0).properties(said));
        let link = p.engine().link(link.id).unwrap();
        let remote = link.remote().unwrap();
        assert_eq!(remote.name, "wide");
        assert!(remote.properties.is_some());
    });
}
