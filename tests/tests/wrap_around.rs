//! Serial numbers near the end of their circle behave as they do near zero (2.8.10).

use std::cell::RefCell;

use ferrion_engine::protocol::DeliveryState;
use ferrion_engine::{LinkConfig, SessionConfig};
use ferrion_tests::build::{Role, disposition, transfer};
use ferrion_tests::peer::{Peer, Wired, client};

const STARTS: [u32; 4] = [0, 0xffff_fffe, 0x7fff_fffe, 0xffff_fff0];

fn session_from(start: u32) -> SessionConfig {
    SessionConfig {
        next_outgoing_id: start,
        incoming_window: 8,
        ..SessionConfig::default()
    }
}

fn sender_from(p: &mut Peer, id: u32, count: u32) -> Wired {
    p.opened_with(|open| open.max_frame_size(512));
    let session = p.begun_with(session_from(id), |b| b);
    let mut config = LinkConfig::sender("out", "q");
    config.initial_delivery_count = count;
    p.sender_with(session, config, |b| b)
}

fn receiver_from(p: &mut Peer, id: u32, count: u32) -> Wired {
    p.opened();
    let session = p.begun_with(
        SessionConfig {
            incoming_window: 8,
            ..SessionConfig::default()
        },
        |b| b.next_outgoing_id(id),
    );
    p.receiver_with(session, LinkConfig::receiver("in", "q"), |b| {
        b.initial_delivery_count(count)
    })
}

#[test]
fn every_script_also_runs_where_the_numbers_wrap() {
    let seen = RefCell::new(Vec::new());
    client(|p| {
        let link = sender_from(p, 0, 0);
        p.grant(&link, 3);
        for i in 0..3u32 {
            p.send_settled(&link, &i.to_be_bytes(), b"");
            p.expect_transfer().delivery_id(i);
        }
        let session = p.end.monitor.session(0).unwrap();
        let count = session.link(link.ours).unwrap().delivery_count.unwrap();
        seen.borrow_mut().push((session.next_outgoing_id, count));
    });
    // Whole and octet by octet, each from zero and from before the end.
    assert_eq!(seen.into_inner(), [(3, 3), (3, 3), (1, 1), (1, 1)]);
}

#[test]
fn an_outgoing_sessions_ids_wrap() {
    for start in STARTS {
        client(|p| {
            let link = sender_from(p, start, 0);
            p.grant(&link, 100);
            let mut first = None;
            for i in 0..20u32 {
                p.send_settled(&link, &i.to_be_bytes(), b"");
                let id = p.expect_transfer().uint("delivery-id");
                assert_eq!(id, first.get_or_insert(id).wrapping_add(i));
            }
            let ask = p.flow().echo(true);
            p.inject(ask);
            p.expect_flow().next_outgoing_id(start.wrapping_add(20));
        });
    }
}

#[test]
fn transfer_ids_wrap_apart_from_delivery_ids() {
    for start in STARTS {
        client(|p| {
            let link = sender_from(p, start, 0);
            p.grant(&link, 100);
            for i in 0..5u32 {
                p.send_settled(&link, &i.to_be_bytes(), &[0; 1200]);
                assert_eq!(p.drain_names().len(), 3);
            }
            let ask = p.flow().echo(true);
            p.inject(ask);
            p.expect_flow().next_outgoing_id(start.wrapping_add(15));
        });
    }
}

#[test]
fn a_senders_credit_wraps_with_its_delivery_count() {
    for start in STARTS {
        client(|p| {
            let link = sender_from(p, 0, start);
            for round in 0..4u32 {
                p.grant(&link, 3);
                for i in 0..3u32 {
                    assert_eq!(p.engine().sender(link.id).unwrap().credit(), 3 - i);
                    p.send_settled(&link, &(round * 3 + i).to_be_bytes(), b"");
                    p.expect_transfer();
                }
                assert!(p.engine().sender(link.id).unwrap().send(b"x", b"").is_err());
            }
            // The receiver has seen ten of twelve and wants five after those.
            let flow = p
                .flow()
                .handle(link.theirs)
                .delivery_count(start.wrapping_add(10))
                .link_credit(5);
            p.inject(flow);
            assert_eq!(p.engine().sender(link.id).unwrap().credit(), 3);
            let drain = p.link_flow(&link).link_credit(9).drain(true);
            p.inject(drain);
            p.engine().sender(link.id).unwrap().drained().unwrap();
            p.expect_flow()
                .delivery_count(start.wrapping_add(12 + 9))
                .link_credit(0);
        });
    }
}

#[test]
fn the_peers_window_wraps() {
    for start in STARTS {
        client(|p| {
            p.opened();
            let session = p.begun_with(session_from(start), |b| b.incoming_window(3));
            let link = p.sender(session, "out");
            let flow = p.link_flow(&link).link_credit(100).incoming_window(3);
            p.inject(flow);
            for i in 0..10u8 {
                p.send_settled(&link, &[i], b"");
            }
            assert_eq!(p.drain_names().len(), 3);
            let flow = p
                .flow()
                .next_incoming_id(start.wrapping_add(2))
                .incoming_window(3);
            p.inject(flow);
            assert_eq!(p.drain_names().len(), 2);
            let flow = p.flow().incoming_window(100);
            p.inject(flow);
            assert_eq!(p.drain_names().len(), 5);
        });
    }
}

#[test]
fn dispositions_cross_the_end_of_the_circle_at_the_sender() {
    for start in STARTS {
        client(|p| {
            let link = sender_from(p, start, start);
            p.grant(&link, 100);
            let mut ids = Vec::new();
            let mut numbers = Vec::new();
            for i in 0..6u8 {
                ids.push(p.send(&link, &[i], b""));
                numbers.push(p.expect_transfer().uint("delivery-id"));
            }
            p.inject(
                disposition()
                    .role(Role::Receiver)
                    .range(numbers[1], numbers[4])
                    .settled(true)
                    .accepted(),
            );
            let updated: Vec<_> = p.updates(&link).into_iter().map(|u| u.delivery).collect();
            assert_eq!(updated, ids[1..=4]);
            p.inject(
                disposition()
                    .role(Role::Receiver)
                    .first(numbers[0])
                    .settled(true)
                    .accepted(),
            );
            p.inject(
                disposition()
                    .role(Role::Receiver)
                    .first(numbers[5])
                    .settled(true)
                    .accepted(),
            );
            assert_eq!(p.updates(&link).len(), 2);
            p.expect_nothing();
        });
    }
}

#[test]
fn a_receivers_numbers_wrap() {
    for start in STARTS {
        client(|p| {
            let link = receiver_from(p, start, start);
            p.take_credit(&link, 20);
            let mut ids = Vec::new();
            for i in 0..6u32 {
                let delivery = p.delivery(&link, start.wrapping_add(i), b"x");
                p.inject(delivery);
                ids.push(p.take(&link).id.unwrap());
                p.drain_names();
            }
            for i in [2, 0, 1, 5, 4, 3] {
                p.settle(&link, ids[i], Some(DeliveryState::Accepted));
            }
            p.expect_disposition()
                .first(start)
                .last(start.wrapping_add(5))
                .settled(true)
                .accepted();
            p.engine()
                .receiver(link.id)
                .unwrap()
                .set_credit(20)
                .unwrap();
            p.expect_flow()
                .next_incoming_id(start.wrapping_add(6))
                .delivery_count(start.wrapping_add(6))
                .link_credit(20);
            let settled = disposition()
                .role(Role::Sender)
                .range(start, start.wrapping_add(5))
                .settled(true);
            p.inject(settled);
            p.expect_nothing();
        });
    }
}

#[test]
fn a_receivers_drain_wraps() {
    for start in STARTS {
        client(|p| {
            let link = receiver_from(p, 0, start);
            p.take_credit(&link, 9);
            p.engine().receiver(link.id).unwrap().drain().unwrap();
            p.expect_flow().drain(true).delivery_count(start);
            let answer = p
                .flow()
                .handle(link.theirs)
                .delivery_count(start.wrapping_add(9))
                .link_credit(0)
                .drain(true);
            p.inject(answer);
            assert_eq!(p.engine().receiver(link.id).unwrap().credit(), 0);
            p.engine().receiver(link.id).unwrap().set_credit(1).unwrap();
            p.expect_flow().delivery_count(start.wrapping_add(9));
        });
    }
}

#[test]
fn a_delivery_of_many_frames_crosses_the_end_of_the_circle() {
    for start in STARTS {
        client(|p| {
            let link = receiver_from(p, start, start);
            p.take_credit(&link, 20);
            for i in 0..4u32 {
                let first = p.delivery(&link, start.wrapping_add(i), b"a").more(true);
                let rest = transfer().handle(link.theirs).payload(b"b");
                p.inject_all([first, rest]);
                assert_eq!(p.take(&link).payload.into_bytes(), "ab");
                p.drain_names();
            }
            p.engine()
                .receiver(link.id)
                .unwrap()
                .set_credit(20)
                .unwrap();
            p.expect_flow()
                .next_incoming_id(start.wrapping_add(8))
                .delivery_count(start.wrapping_add(4));
        });
    }
}
