//! Session flow control (2.5.6).

use ferrion_engine::{Event, LinkConfig, SessionConfig};
use ferrion_tests::build::{Role, attach, begin, flow, source, target};
use ferrion_tests::peer::{Peer, Wired, client, server};

fn sender_with_window(p: &mut Peer, window: u32) -> Wired {
    p.opened_with(|open| open.max_frame_size(512));
    let session = p.begun_with(SessionConfig::default(), |begin| {
        begin.incoming_window(window)
    });
    p.sender(session, "out")
}

/// Credit without a word about the window: it stays what it is now.
fn grant_in_window(p: &mut Peer, link: &Wired, credit: u32, window: u32) {
    let flow = p
        .link_flow(link)
        .link_credit(credit)
        .incoming_window(window);
    p.inject(flow);
}

#[test]
fn a_window_of_zero_holds_everything_back_until_it_opens() {
    client(|p| {
        let link = sender_with_window(p, 0);
        grant_in_window(p, &link, 5, 0);
        p.send(&link, b"1", b"x");
        p.expect_nothing();
        // No link flow at all: only the session's window opens.
        let open = p.flow().incoming_window(1);
        p.inject(open);
        p.expect_transfer().delivery_tag(b"1");
        p.send(&link, b"2", b"y");
        p.expect_nothing();
        let open = p.flow().incoming_window(1);
        p.inject(open);
        p.expect_transfer().delivery_tag(b"2");
    });
}

#[test]
fn a_window_of_one_lets_a_long_message_through_frame_by_frame() {
    client(|p| {
        let link = sender_with_window(p, 1);
        grant_in_window(p, &link, 1, 1);
        p.send(&link, b"t", &[5; 4500]);
        let mut octets = 0;
        let mut frames = 0;
        loop {
            let got = p.expect_transfer();
            octets += got.frame().payload.len();
            frames += 1;
            let more = got.perf().flag("more");
            p.expect_nothing();
            if !more {
                break;
            }
            let open = p.flow().incoming_window(1);
            p.inject(open);
        }
        assert_eq!(octets, 4500);
        assert!(frames > 8, "{frames}");
    });
}

#[test]
fn the_window_in_a_flow_counts_from_what_the_peer_has_seen() {
    client(|p| {
        let link = sender_with_window(p, 10);
        grant_in_window(p, &link, 100, 10);
        for i in 0..4u8 {
            p.send(&link, &[i], b"");
        }
        assert_eq!(p.drain_names().len(), 4);
        // The peer has seen two of four and takes five after those: three more.
        let flow = p.flow().next_incoming_id(2).incoming_window(5);
        p.inject(flow);
        for i in 4..10u8 {
            p.send(&link, &[i], b"");
        }
        assert_eq!(p.drain_names().len(), 3);
    });
}

#[test]
fn a_window_that_shrinks_behind_what_is_under_way_is_zero() {
    client(|p| {
        let link = sender_with_window(p, 10);
        grant_in_window(p, &link, 100, 10);
        for i in 0..6u8 {
            p.send(&link, &[i], b"");
        }
        assert_eq!(p.drain_names().len(), 6);
        let flow = p.flow().next_incoming_id(1).incoming_window(2);
        p.inject(flow);
        p.send(&link, b"later", b"");
        p.expect_nothing();
        let flow = p.flow().incoming_window(1);
        p.inject(flow);
        p.expect_transfer().delivery_tag(b"later");
    });
}

#[test]
fn a_flow_that_names_no_next_incoming_id_counts_from_our_first() {
    client(|p| {
        p.opened();
        let config = SessionConfig {
            next_outgoing_id: 700,
            ..SessionConfig::default()
        };
        let session = p.begun_with(config, |begin| begin.incoming_window(0));
        let link = p.sender(session, "out");
        let flow = p
            .link_flow(&link)
            .link_credit(9)
            .incoming_window(2)
            .set("next-incoming-id", ferrion_tests::oracle::V::Null);
        p.inject(flow);
        for i in 0..3u8 {
            p.send(&link, &[i], b"");
        }
        assert_eq!(p.drain_names().len(), 2);
        let flow = p
            .flow()
            .incoming_window(3)
            .set("next-incoming-id", ferrion_tests::oracle::V::Null);
        p.inject(flow);
        assert_eq!(p.drain_names().len(), 1);
    });
}

#[test]
fn a_huge_window_is_not_an_overflow() {
    client(|p| {
        let link = sender_with_window(p, u32::MAX);
        grant_in_window(p, &link, u32::MAX, i32::MAX as u32);
        for i in 0..10u8 {
            p.send(&link, &[i], b"");
        }
        assert_eq!(p.drain_names().len(), 10);
    });
}

fn receiver_with_window(p: &mut Peer, window: u32) -> Wired {
    p.opened();
    let session = p.begun_with(
        SessionConfig {
            incoming_window: window,
            ..SessionConfig::default()
        },
        |b| b,
    );
    let link = p.receiver(session, "in");
    p.engine()
        .receiver(link.id)
        .unwrap()
        .set_credit(1000)
        .unwrap();
    p.expect_flow().incoming_window(window);
    link
}

#[test]
fn transfers_beyond_our_window_end_the_session() {
    client(|p| {
        let link = receiver_with_window(p, 3);
        for i in 0..3 {
            let delivery = p.delivery(&link, i, b"x");
            p.inject(delivery);
        }
        p.expect_nothing();
        let delivery = p.delivery(&link, 3, b"x");
        p.inject(delivery);
        p.expect_end().condition("amqp:session:window-violation");
    });
}

#[test]
fn the_window_opens_again_at_half_as_deliveries_are_taken() {
    client(|p| {
        let link = receiver_with_window(p, 4);
        for i in 0..4 {
            let delivery = p.delivery(&link, i, b"x").settled(true);
            p.inject(delivery);
        }
        p.take(&link);
        p.expect_nothing();
        p.take(&link);
        p.expect_flow().next_incoming_id(4).incoming_window(2);
        p.take(&link);
        p.take(&link);
        p.expect_flow().incoming_window(4);
        p.expect_nothing();
    });
}

#[test]
fn aborted_and_discarded_transfers_give_their_window_back() {
    client(|p| {
        let link = receiver_with_window(p, 4);
        for i in 0..20 {
            let aborted = p.delivery(&link, i, b"x").aborted(true);
            p.inject(aborted);
            p.drain_names();
        }
        let kept = p.delivery(&link, 20, b"kept");
        p.inject(kept);
        assert_eq!(p.take(&link).payload.into_bytes(), "kept");
    });
}

#[test]
fn transfers_for_a_link_that_failed_give_their_window_back() {
    client(|p| {
        p.opened();
        let session = p.begun_with(
            SessionConfig {
                incoming_window: 4,
                ..SessionConfig::default()
            },
            |b| b,
        );
        let bad = p.receiver(session, "bad");
        let good = p.receiver(session, "good");
        let first = p.delivery(&bad, 0, b"no credit");
        p.inject(first);
        p.expect_detach().handle(bad.ours);
        for i in 1..20 {
            let ignored = p.delivery(&bad, i, b"x");
            p.inject(ignored);
            assert!(p.drain_names().iter().all(|n| n == "flow"));
        }
        p.take_credit(&good, 1);
        let delivery = p.delivery(&good, 20, b"good");
        p.inject(delivery);
        assert_eq!(p.take(&good).payload.into_bytes(), "good");
    });
}

#[test]
fn a_message_of_more_frames_than_the_window_arrives() {
    client(|p| {
        let link = receiver_with_window(p, 3);
        let first = p.delivery(&link, 0, b"0").more(true);
        p.inject(first);
        for i in 1..10u8 {
            // A careful partner: it waits for window.
            let told = p.end.monitor.session(0).unwrap().incoming_window;
            assert!(told > 0);
            p.drain_names();
            let part = ferrion_tests::build::transfer()
                .handle(link.theirs)
                .more(i < 9)
                .payload(&[b'0' + i]);
            p.inject(part);
        }
        assert_eq!(p.take(&link).payload.into_bytes(), "0123456789");
    });
}

#[test]
fn flows_before_the_answer_to_our_begin_carry_no_next_incoming_id() {
    client(|p| {
        p.opened();
        let id = p.begin(SessionConfig::default()).unwrap();
        p.expect_begin();
        let receiver = p
            .attach_receiver(id, LinkConfig::receiver("l", "q"))
            .unwrap();
        p.engine()
            .receiver(receiver)
            .unwrap()
            .set_credit(5)
            .unwrap();
        // Early or late, what is written is legal: the monitor sees to that.
        p.drain_names();
        p.inject(
            ferrion_tests::build::begin()
                .remote_channel(0)
                .next_outgoing_id(40)
                .incoming_window(10)
                .outgoing_window(10)
                .on(5),
        );
        p.expect_events(&[Event::SessionBegun(id)]);
        p.inject(
            attach()
                .name("l")
                .handle(3)
                .role(Role::Sender)
                .initial_delivery_count(9)
                .source(source().v())
                .target(target().v()),
        );
        p.expect_events(&[Event::LinkAttached(receiver)]);
        p.expect_flow()
            .next_incoming_id(40)
            .delivery_count(9)
            .link_credit(5);
    });
}

#[test]
fn a_server_counts_its_window_from_the_clients_first_id() {
    server(|p| {
        p.opened();
        p.begun_by_script(
            SessionConfig {
                incoming_window: 8,
                ..SessionConfig::default()
            },
            |b| b.next_outgoing_id(1234),
        );
        let link = p.attached_by_script(
            attach()
                .name("l")
                .handle(0)
                .role(Role::Sender)
                .initial_delivery_count(0)
                .source(source().v())
                .target(target().v()),
        );
        p.engine().receiver(link.id).unwrap().set_credit(3).unwrap();
        p.expect_flow().next_incoming_id(1234).incoming_window(8);
        let delivery = p.delivery(&link, 0, b"x");
        p.inject(delivery);
        p.engine().receiver(link.id).unwrap().set_credit(4).unwrap();
        p.expect_flow().next_incoming_id(1235);
    });
}

/// The peer knows best which transfer it sends next, and how many it has room for (2.5.6).
#[test]
fn what_the_peer_says_of_its_own_numbers_is_taken_over() {
    client(|p| {
        p.opened();
        let session = p.begun_with(SessionConfig::default(), |begin| begin.outgoing_window(5));
        let link = p.receiver(session, "in");
        p.take_credit(&link, 10);
        let window = |p: &mut Peer| {
            let view = p.engine().session(session).unwrap();
            view.remote_outgoing_window()
        };
        assert_eq!(window(p), 5);
        for i in 0..3 {
            let delivery = p.delivery(&link, i, b"x").settled(true);
            p.inject(delivery);
        }
        assert_eq!(window(p), 2);
        let flow = p.flow().next_outgoing_id(50).outgoing_window(9);
        p.inject(flow.echo(true));
        p.expect_flow().next_incoming_id(50);
        assert_eq!(window(p), 9);
        let delivery = p.delivery(&link, 3, b"x").settled(true);
        p.inject(delivery);
        let ask = p.flow().outgoing_window(8).echo(true);
        p.inject(ask);
        p.expect_flow().next_incoming_id(51);
    });
}

#[test]
fn a_window_that_is_granted_before_the_session_is_accepted_counts() {
    server(|p| {
        p.opened();
        p.use_channel(0);
        p.inject(
            begin()
                .next_outgoing_id(0)
                .incoming_window(0)
                .outgoing_window(9),
        );
        p.inject(
            flow()
                .incoming_window(100)
                .next_outgoing_id(0)
                .outgoing_window(9),
        );
        let id = p.event_where("SessionBegun", |e| match e {
            Event::SessionBegun(id) => Some(id),
            _ => None,
        });
        p.accept_session(id, SessionConfig::default()).unwrap();
        p.expect_begin();
        assert_eq!(p.engine().session(id).unwrap().outgoing_window(), 100);
    });
}
