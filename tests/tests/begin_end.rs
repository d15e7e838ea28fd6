//! Sessions: begin, end, channels (2.5.1 to 2.5.5, 2.7.2, 2.7.8).

use ferrion_engine::protocol::{Condition, DeliveryState, conditions};
use ferrion_engine::{Event, SessionConfig, SessionId, UsageError};
use ferrion_tests::build::{
    Role, attach, begin, detach, disposition, end, error, flow, source, target,
};
use ferrion_tests::oracle::AMQP_HEADER;
use ferrion_tests::peer::{Peer, client, server};

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
            p.begin(SessionConfig::default()).unwrap();
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
        p.accept_session(id, SessionConfig::default()).unwrap();
        p.expect_begin().on(0).remote_channel(17);
    });
}

#[test]
fn incoming_and_outgoing_channels_are_told_apart() {
    client(|p| {
        p.opened();
        // Ours on 0 answered from 1, ours on 1 answered from 0.
        let first = p.begin(SessionConfig::default()).unwrap();
        let second = p.begin(SessionConfig::default()).unwrap();
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
        p.begin(SessionConfig::default()).unwrap();
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
fn our_own_reason_for_ending_is_the_sessions_whatever_the_peer_answers() {
    client(|p| {
        p.opened();
        let id = p.begun();
        let reason = Condition::new(conditions::ILLEGAL_STATE);
        let mut session = p.engine().session(id).unwrap();
        session.end(Some(reason.clone())).unwrap();
        p.expect_end().condition("amqp:illegal-state");
        p.inject(end().error(error("amqp:resource-deleted").v()));
        assert_eq!(p.next_event(), Some(Event::SessionEnded(id)));
        let error = p.engine().session(id).unwrap().error().cloned().unwrap();
        assert_eq!(error.origin, ferrion_engine::Origin::Local);
        assert_eq!(error.condition, reason);
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
        let id = p.begin(SessionConfig::default()).unwrap();
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
        p.engine_starts_at_zero();
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
        p.begin(config).unwrap();
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

/// Two sessions of the script's; a sending link waits on the second for the application, with credit.
fn link_with_early_credit(p: &mut Peer) -> (SessionId, ferrion_engine::LinkId) {
    p.opened();
    p.inject(a_begin().on(4));
    p.inject(a_begin().on(5));
    let ids: Vec<_> = p
        .events()
        .into_iter()
        .filter_map(|e| {
            if let Event::SessionBegun(id) = e {
                Some(id)
            } else {
                None
            }
        })
        .collect();
    for id in &ids {
        p.accept_session(*id, SessionConfig::default()).unwrap();
    }
    p.drain_names();
    p.use_channel(5);
    p.inject(
        attach()
            .name("l")
            .handle(0)
            .role(Role::Receiver)
            .source(source().v())
            .target(target().v()),
    );
    let grant = flow()
        .next_incoming_id(0)
        .incoming_window(100)
        .next_outgoing_id(0)
        .outgoing_window(100);
    p.inject(grant.handle(0).link_credit(5));
    let link = p.event_where("LinkAttached", |e| {
        if let Event::LinkAttached(id) = e {
            Some(id)
        } else {
            None
        }
    });
    (ids[0], link)
}

#[test]
fn ending_one_session_does_not_send_on_another_before_its_links_are_attached() {
    server(|p| {
        let (first, link) = link_with_early_credit(p);
        p.engine().session(first).unwrap().end(None).unwrap();
        p.accept_link(link).unwrap();
        p.engine().sender(link).unwrap().send(b"t", b"x").unwrap();
        let names = p.drain_names();
        let at = |name: &str| names.iter().position(|n| n == name).unwrap();
        assert!(at("attach") < at("transfer"), "{names:?}");
    });
}

#[test]
fn what_was_sent_before_the_end_goes_before_it_with_its_attach() {
    server(|p| {
        let (_, link) = link_with_early_credit(p);
        let session = p.engine().link(link).unwrap().session().unwrap();
        p.accept_link(link).unwrap();
        p.engine().sender(link).unwrap().send(b"t", b"x").unwrap();
        p.engine().session(session).unwrap().end(None).unwrap();
        assert_eq!(p.drain_names(), ["attach", "transfer", "end"]);
    });
}

#[test]
fn nothing_is_sent_on_a_session_after_its_end() {
    client(|p| {
        p.opened();
        let session = p.begun_with(SessionConfig::default(), |begin| begin.incoming_window(0));
        let link = p.sender(session, "l");
        let grant = p.link_flow(&link).link_credit(5).incoming_window(0);
        p.inject(grant);
        // This one has no window to go through before the end.
        p.send(&link, b"1", b"x");
        p.engine().session(session).unwrap().end(None).unwrap();
        p.expect_end();
        let open = p.flow().incoming_window(10);
        p.inject(open);
        p.expect_nothing();
        assert!(
            p.engine()
                .sender(link.id)
                .unwrap()
                .send(b"2", b"y")
                .is_err()
        );
        p.inject(end());
        p.expect_nothing();
        p.events();
        assert_eq!(p.engine().census(), Default::default());
    });
}

#[test]
fn links_that_were_never_answered_go_with_their_session() {
    server(|p| {
        p.opened();
        let session = p.begun_by_script(SessionConfig::default(), |b| b);
        for handle in 0..3u32 {
            let name = format!("l{handle}");
            p.inject(
                attach()
                    .name(&name)
                    .handle(handle)
                    .role(Role::Receiver)
                    .source(source().v())
                    .target(target().v()),
            );
            if handle < 2 {
                p.inject(detach().handle(handle).closed(true));
            }
        }
        p.events();
        assert_eq!(p.engine().census().links, 3);
        p.engine().session(session).unwrap().end(None).unwrap();
        p.inject(end());
        p.expect_end();
        p.events();
        assert_eq!(p.engine().census(), Default::default());
    });
}

/// Once end is written nothing may follow on the session (2.5.5), so what was said before goes before.
#[test]
fn an_outcome_that_was_stated_before_the_end_goes_before_it() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 1);
        let delivery = p.delivery(&link, 0, b"x");
        p.inject(delivery);
        let id = p.take(&link).id.unwrap();
        p.settle(&link, id, Some(DeliveryState::Accepted));
        p.engine().session(session).unwrap().end(None).unwrap();
        assert_eq!(p.drain_names(), ["disposition", "end"]);
    });
}
