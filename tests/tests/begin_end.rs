//! Sessions: begin, end, channels (2.5.1 to 2.5.5, 2.7.2, 2.7.8).

use ferrion_engine::{Event, SessionConfig, UsageError};
use ferrion_tests::build::{Role, attach, begin, disposition, end, error, flow};
use ferrion_tests::oracle::AMQP_HEADER;
use ferrion_tests::peer::{client, server};

fn a_begin() -> ferrion_tests::build::Build {
    begin()
        .next_outgoing_id(0)
        .incoming_window(100)
        .outgoing_window(100)
}

#[test]
fn a_session_of_ours_has_no_remote_channel_and_takes_the_lowest_number() {
    client(|p| {
        p.opened();
        for channel in 0..3 {
            p.engine()
                .connection()
                .begin(SessionConfig::default())
                .unwrap();
            p.expect_begin()
                .on(channel)
                .null("remote-channel")
                .respond();
        }
    });
}

#[test]
fn a_session_of_the_peers_is_answered_with_its_channel() {
    server(|p| {
        p.opened();
        p.inject(a_begin().on(17));
        let Some(Event::SessionBegun(id)) = p.next_event() else {
            panic!()
        };
        assert!(p.engine().session(id).unwrap().is_incoming());
        p.expect_nothing();
        p.engine()
            .session(id)
            .unwrap()
            .accept(SessionConfig::default())
            .unwrap();
        p.expect_begin().on(0).remote_channel(17);
    });
}

#[test]
fn incoming_and_outgoing_channels_are_told_apart() {
    client(|p| {
        p.opened();
        // Ours on 0 answered from 1, ours on 1 answered from 0.
        let first = p
            .engine()
            .connection()
            .begin(SessionConfig::default())
            .unwrap();
        let second = p
            .engine()
            .connection()
            .begin(SessionConfig::default())
            .unwrap();
        p.expect_begin().on(0);
        p.expect_begin().on(1);
        p.inject(a_begin().remote_channel(0).on(1));
        p.inject(a_begin().remote_channel(1).on(0));
        p.expect_events(&[Event::SessionBegun(first), Event::SessionBegun(second)]);
        p.inject(end().on(0));
        p.expect_end().on(1);
        p.expect_events(&[Event::SessionEnded(second)]);
        p.inject(end().on(1));
        p.expect_end().on(0);
        p.expect_events(&[Event::SessionEnded(first)]);
    });
}

#[test]
fn ending_first_waits_for_the_peers_end() {
    client(|p| {
        p.opened();
        let id = p.begun();
        p.engine().session(id).unwrap().end(None).unwrap();
        p.expect_end().on(0).no_error().respond();
        p.expect_events(&[Event::SessionEnded(id)]);
        p.expect_nothing();
        // The id is stale once the event was followed by another poll, and its channel is free again.
        assert_eq!(p.next_event(), None);
        assert!(matches!(
            p.engine().session(id),
            Err(UsageError::StaleHandle)
        ));
        p.engine()
            .connection()
            .begin(SessionConfig::default())
            .unwrap();
        p.expect_begin().on(0);
    });
}

#[test]
fn crossing_ends_end_the_session_once() {
    client(|p| {
        p.opened();
        let id = p.begun();
        p.engine().session(id).unwrap().end(None).unwrap();
        p.inject(end());
        p.expect_end();
        p.expect_events(&[Event::SessionEnded(id)]);
        p.expect_nothing();
    });
}

#[test]
fn the_peers_reason_for_ending_is_reported() {
    client(|p| {
        p.opened();
        let id = p.begun();
        p.inject(end().error(error("amqp:resource-deleted").v()));
        p.expect_end().no_error();
        assert_eq!(p.next_event(), Some(Event::SessionEnded(id)));
        let error = p.engine().session(id).unwrap().error().cloned().unwrap();
        assert_eq!(error.origin, ferrion_engine::Origin::Remote);
        assert_eq!(error.condition.condition, "amqp:resource-deleted");
    });
}

#[test]
fn after_ending_for_an_error_everything_but_end_is_ignored() {
    client(|p| {
        p.opened();
        let id = p.begun();
        // A flow for a handle that was never attached is the session's fault.
        let flow = p.flow().handle(9).link_credit(1).delivery_count(0);
        p.inject(flow);
        p.expect_end().condition("amqp:session:unattached-handle");
        p.inject(attach().name("x").handle(0).role(Role::Receiver));
        p.inject(disposition().role(Role::Receiver).first(5));
        p.inject(build_transfer());
        p.expect_nothing();
        p.inject(end());
        p.expect_nothing();
        let events = p.events();
        assert_eq!(events, [Event::SessionEnded(id)], "one end, told once");
        // The connection lives on.
        p.begun();
    });
}

fn build_transfer() -> ferrion_tests::build::Build {
    ferrion_tests::build::transfer()
        .handle(3)
        .delivery_id(0)
        .delivery_tag(b"t")
        .message_format(0)
}

#[test]
fn one_session_ending_leaves_the_others_alone() {
    client(|p| {
        p.opened();
        let first = p.begun();
        p.inject(end());
        p.expect_end().on(0);
        p.expect_events(&[Event::SessionEnded(first)]);
        let second = p.begun();
        let link = p.sender(second, "l");
        p.grant(&link, 1);
        p.send(&link, b"t", b"x");
        p.expect_transfer().payload(b"x");
    });
}

#[test]
fn a_frame_on_a_channel_without_a_session_closes_the_connection() {
    for frame in [
        flow()
            .incoming_window(1)
            .next_outgoing_id(0)
            .outgoing_window(1),
        end(),
        build_transfer(),
    ] {
        client(|p| {
            p.opened();
            p.inject(frame.clone().on(3));
            p.expect_close()
                .check("with an error", |close| !close.get("error").is_null());
        });
    }
}

#[test]
fn begin_on_a_channel_in_use_closes_the_connection() {
    server(|p| {
        p.opened();
        p.inject_all([a_begin().on(2), a_begin().on(2)]);
        p.expect_close()
            .check("with an error", |close| !close.get("error").is_null());
    });
}

#[test]
fn begin_that_answers_a_session_we_never_began_closes_the_connection() {
    client(|p| {
        p.opened();
        p.inject(a_begin().remote_channel(0).on(0));
        p.expect_close()
            .check("with an error", |close| !close.get("error").is_null());
    });
}

#[test]
fn a_session_that_is_ended_before_it_was_answered_still_ends_in_order() {
    client(|p| {
        p.opened();
        let id = p
            .engine()
            .connection()
            .begin(SessionConfig::default())
            .unwrap();
        p.engine().session(id).unwrap().end(None).unwrap();
        p.expect_begin().on(0).respond();
        p.expect_end().on(0);
        p.inject(end());
        p.event_where("SessionEnded", |e| {
            (e == Event::SessionEnded(id)).then_some(())
        });
        p.expect_nothing();
    });
}

#[test]
fn a_peer_that_begins_and_ends_at_once_is_answered_with_both() {
    server(|p| {
        p.inject_raw(&AMQP_HEADER);
        p.engine().connection().open().unwrap();
        p.inject_all([
            ferrion_tests::build::open().container_id("c"),
            a_begin().on(4),
            end().on(4),
        ]);
        p.expect_header(AMQP_HEADER);
        p.expect_open();
        p.expect_begin().remote_channel(4);
        p.expect_end();
        p.expect_nothing();
    });
}

#[test]
fn a_session_config_shows_in_begin() {
    client(|p| {
        p.opened();
        let config = SessionConfig {
            incoming_window: 7,
            next_outgoing_id: 0xffff_fffe,
            ..SessionConfig::default()
        };
        p.engine().connection().begin(config).unwrap();
        p.expect_begin()
            .incoming_window(7)
            .next_outgoing_id(0xffff_fffe);
    });
}

#[test]
fn sessions_come_and_go_on_one_channel() {
    client(|p| {
        p.opened();
        for _ in 0..200 {
            let id = p.begun();
            p.engine().session(id).unwrap().end(None).unwrap();
            p.expect_end().on(0).respond();
            p.expect_events(&[Event::SessionEnded(id)]);
        }
    });
}
