//! Idle time-outs and heartbeats, in virtual time (2.4.5).

use ferrion_engine::{Config, Event, Failure, Origin, Reason};
use ferrion_tests::build::open;
use ferrion_tests::oracle::{AMQP_HEADER, Frame, V};
use ferrion_tests::peer::{Peer, client, client_with, server, server_with};

fn patient(ms: u32) -> Config {
    let mut config = Config::new("engine");
    config.idle_time_out = Some(ms);
    config
}

#[test]
fn half_of_the_enforced_time_out_is_advertised() {
    client_with(patient(10_000), |p| {
        p.engine().connection().open().unwrap();
        p.expect_header(AMQP_HEADER);
        p.expect_open().idle_time_out(5_000);
    });
}

#[test]
fn without_a_time_out_nothing_is_advertised_and_nothing_happens() {
    client(|p| {
        p.engine().connection().open().unwrap();
        p.expect_header(AMQP_HEADER).respond();
        p.expect_open().null("idle-time-out").respond();
        assert_eq!(p.engine().poll_timeout(), None);
        p.advance(1_000_000_000);
        p.expect_nothing();
    });
}

#[test]
fn a_peers_time_out_of_zero_is_none() {
    client(|p| {
        p.opened_with(|open| open.idle_time_out(0));
        assert_eq!(p.engine().poll_timeout(), None);
        p.advance(1_000_000);
        p.expect_nothing();
    });
}

#[test]
fn heartbeats_come_well_within_the_peers_time_out_and_on_channel_zero() {
    client(|p| {
        p.opened_with(|open| open.idle_time_out(10_000));
        let mut last = p.now();
        p.advance(60_000);
        let mut beats = 0;
        while let Some((piece, at)) = p.next_piece() {
            assert_eq!(piece.octets, Frame::empty(0).encode());
            assert!(at.since(last) < 10_000, "{} ms of silence", at.since(last));
            last = at;
            beats += 1;
        }
        assert!(
            (6..=13).contains(&beats),
            "{beats} heartbeats in six time-outs"
        );
    });
}

#[test]
fn what_is_written_anyway_stands_in_for_a_heartbeat() {
    client(|p| {
        p.opened_with(|open| open.idle_time_out(10_000));
        let session = p.begun();
        let link = p.sender(session, "l");
        p.grant(&link, 100);
        for i in 0..10u8 {
            p.advance(4_000);
            p.send_settled(&link, &[i], b"");
            p.expect_transfer();
            p.expect_nothing();
        }
    });
}

#[test]
fn heartbeats_go_on_while_a_link_waits_for_credit() {
    client(|p| {
        p.opened_with(|open| open.idle_time_out(1_000));
        let session = p.begun();
        p.sender(session, "dry");
        p.advance(3_000);
        p.expect_empty();
    });
}

#[test]
fn a_late_tick_still_sends_the_heartbeat() {
    client(|p| {
        p.opened_with(|open| open.idle_time_out(10_000));
        p.oversleep(9_500);
        p.expect_empty();
        p.expect_nothing();
    });
}

#[test]
fn a_time_out_that_asks_for_frames_without_end_closes_the_connection_and_says_why() {
    for ms in [1, 99] {
        client(|p| {
            p.engine().connection().open().unwrap();
            p.expect_header(AMQP_HEADER).respond();
            p.expect_open();
            p.inject(open().container_id("script").idle_time_out(ms));
            p.expect_close().condition("amqp:not-implemented").check(
                "which time-out would do",
                |close| {
                    let text =
                        format!("an idle-time-out of {ms} ms is too short: ask for 100 or more");
                    let error = close.get("error");
                    let said = error
                        .composite()
                        .and_then(|(_, fields)| fields.get(1).cloned());
                    said == Some(V::Str(text))
                },
            );
            p.advance(1_000);
            p.expect_nothing();
        });
    }
    server(|p| {
        p.inject_raw(&AMQP_HEADER);
        p.inject(open().container_id("script").idle_time_out(1));
        p.expect_header(AMQP_HEADER);
        p.expect_open();
        p.expect_close().condition("amqp:not-implemented");
        p.advance(1_000);
        p.expect_nothing();
    });
}

#[test]
fn the_shortest_time_out_that_a_peer_may_ask_for_is_met() {
    client(|p| {
        p.opened_with(|open| open.idle_time_out(100));
        p.advance(1_000);
        assert_eq!(p.drain_names(), ["empty"; 20]);
    });
}

fn is_given_up(p: &mut Peer) {
    p.opened();
    p.advance(9_999);
    p.expect_nothing();
    let deadline = p.engine().poll_timeout().unwrap();
    assert_eq!(deadline.reason, Reason::PeerSilent);
    p.advance(1);
    p.expect_close()
        .check("with an error", |close| !close.get("error").is_null());
    p.advance(60_000);
    p.event_where("Disconnected", |e| (e == Event::Disconnected).then_some(()));
    assert!(matches!(
        p.engine().failure(),
        Some(Failure::Condition {
            origin: Origin::Local,
            ..
        })
    ));
    p.expect_done();
}

#[test]
fn a_silent_peer_is_given_up_with_a_close_that_says_why() {
    client_with(patient(10_000), is_given_up);
    server_with(patient(10_000), is_given_up);
}

#[test]
fn an_empty_frame_on_any_channel_is_a_sign_of_life() {
    client_with(patient(10_000), |p| {
        p.opened();
        for channel in [0, 1, 1000] {
            p.advance(9_000);
            p.inject_frame(&Frame::empty(channel));
        }
        p.advance(9_000);
        p.expect_nothing();
    });
}

#[test]
fn a_slow_large_frame_is_not_silence() {
    client_with(patient(10_000), |p| {
        p.opened();
        let octets = ferrion_tests::build::begin()
            .next_outgoing_id(0)
            .incoming_window(1)
            .outgoing_window(1)
            .octets(0);
        for octet in octets.chunks(1) {
            p.advance(5_000);
            p.inject_raw(octet);
        }
        p.expect_nothing();
        assert!(matches!(p.events()[..], [Event::SessionBegun(_)]));
    });
}

#[test]
fn nothing_but_the_handshake_is_timed_before_open() {
    server_with(patient(1_000), |p| {
        p.inject_raw(&AMQP_HEADER);
        p.engine().connection().open().unwrap();
        p.expect_header(AMQP_HEADER);
        p.expect_open();
        p.advance(5_000);
        p.expect_nothing();
        p.inject(open().container_id("late"));
        p.expect_events(&[Event::RemoteOpen]);
        p.advance(999);
        p.expect_nothing();
        p.advance(1);
        p.expect_close();
    });
}

#[test]
fn no_heartbeat_follows_close() {
    client(|p| {
        p.opened_with(|open| open.idle_time_out(1_000));
        p.engine().connection().close(None).unwrap();
        p.expect_close();
        p.advance(20_000);
        p.expect_nothing();
    });
}

#[test]
fn handling_a_timeout_twice_is_the_same_as_once() {
    client(|p| {
        p.opened_with(|open| open.idle_time_out(1_000));
        p.oversleep(700);
        p.oversleep(0);
        p.expect_empty();
        p.expect_nothing();
    });
}

/// An empty frame before open would be the first frame, which open has to be (2.4.1).
#[test]
fn no_heartbeat_goes_before_a_late_open() {
    server(|p| {
        p.inject_raw(&AMQP_HEADER);
        p.inject(open().container_id("script").idle_time_out(1_000));
        p.expect_header(AMQP_HEADER);
        p.advance(900);
        p.engine().connection().open().unwrap();
        p.oversleep(0);
        assert_eq!(p.drain_names(), ["open"]);
    });
}
