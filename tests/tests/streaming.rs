//! Deliveries written and read in pieces, and taken back (2.6.12, 2.7.5).

use ferrion_engine::protocol::DeliveryState;
use ferrion_engine::{Event, LinkConfig, SendError, SendOptions, SessionConfig};
use ferrion_tests::build::{Role, detach, disposition, transfer};
use ferrion_tests::peer::{Peer, Wired, client};

fn with_sender(p: &mut Peer) -> Wired {
    p.opened_with(|open| open.max_frame_size(512));
    let session = p.begun();
    let link = p.sender(session, "out");
    p.grant(&link, 10);
    p.events();
    link
}

#[test]
fn pieces_become_transfers_of_one_delivery() {
    client(|p| {
        let link = with_sender(p);
        let id = p
            .engine()
            .sender(link.id)
            .unwrap()
            .stream(b"t", &SendOptions::default())
            .unwrap();
        p.expect_nothing();
        p.engine()
            .sender(link.id)
            .unwrap()
            .write(id, &b"one "[..])
            .unwrap();
        p.expect_transfer()
            .delivery_id(0)
            .delivery_tag(b"t")
            .settled(false)
            .more(true)
            .payload(b"one ");
        p.engine()
            .sender(link.id)
            .unwrap()
            .write(id, &b"two"[..])
            .unwrap();
        p.expect_transfer().more(true).payload(b"two");
        p.engine().sender(link.id).unwrap().finish(id).unwrap();
        p.expect_transfer().more(false).payload(b"");
        p.expect_nothing();
        p.inject(
            disposition()
                .role(Role::Receiver)
                .first(0)
                .settled(true)
                .accepted(),
        );
        assert_eq!(p.updates(&link)[0].delivery, id);
    });
}

#[test]
fn a_settled_stream_says_so_from_the_first_frame() {
    client(|p| {
        let link = with_sender(p);
        let id = p
            .engine()
            .sender(link.id)
            .unwrap()
            .stream(b"t", &SendOptions::settled())
            .unwrap();
        p.engine()
            .sender(link.id)
            .unwrap()
            .write(id, &[1; 600][..])
            .unwrap();
        p.expect_transfer().settled(true).more(true);
        p.expect_transfer().more(true);
        p.engine().sender(link.id).unwrap().finish(id).unwrap();
        p.expect_transfer().more(false);
        assert_eq!(p.engine().census().outgoing_deliveries, 0);
    });
}

#[test]
fn what_is_sent_meanwhile_waits_behind_a_stream_and_does_not_interleave() {
    client(|p| {
        let link = with_sender(p);
        let id = p
            .engine()
            .sender(link.id)
            .unwrap()
            .stream(b"t", &SendOptions::default())
            .unwrap();
        p.engine()
            .sender(link.id)
            .unwrap()
            .write(id, &b"a"[..])
            .unwrap();
        p.send(&link, b"u", b"behind");
        p.expect_transfer().delivery_id(0).payload(b"a");
        p.expect_nothing();
        p.engine().sender(link.id).unwrap().finish(id).unwrap();
        p.expect_transfer().more(false);
        p.expect_transfer().delivery_id(1).payload(b"behind");
    });
}

#[test]
fn a_stream_on_one_link_does_not_hold_up_another() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let slow = p.sender(session, "slow");
        let quick = p.sender(session, "quick");
        p.grant(&slow, 1);
        p.grant(&quick, 1);
        let id = p
            .engine()
            .sender(slow.id)
            .unwrap()
            .stream(b"t", &SendOptions::default())
            .unwrap();
        p.engine()
            .sender(slow.id)
            .unwrap()
            .write(id, &b"a"[..])
            .unwrap();
        p.expect_transfer().handle(slow.ours);
        p.send(&quick, b"q", b"quick");
        p.expect_transfer()
            .handle(quick.ours)
            .delivery_id(1)
            .payload(b"quick");
        p.engine().sender(slow.id).unwrap().finish(id).unwrap();
        p.expect_transfer().handle(slow.ours).more(false);
    });
}

#[test]
fn aborting_tells_the_receiver_and_forgets_the_delivery() {
    client(|p| {
        let link = with_sender(p);
        let id = p
            .engine()
            .sender(link.id)
            .unwrap()
            .stream(b"t", &SendOptions::default())
            .unwrap();
        p.engine()
            .sender(link.id)
            .unwrap()
            .write(id, &b"a"[..])
            .unwrap();
        p.expect_transfer().more(true);
        p.engine()
            .sender(link.id)
            .unwrap()
            .write(id, &b"not this"[..])
            .unwrap();
        p.engine().sender(link.id).unwrap().abort(id).unwrap();
        p.expect_transfer().aborted(true).more(false).payload(b"");
        assert_eq!(p.engine().census().outgoing_deliveries, 0);
        assert!(
            p.engine()
                .sender(link.id)
                .unwrap()
                .write(id, &b"b"[..])
                .is_err()
        );
        assert!(p.engine().sender(link.id).unwrap().abort(id).is_err());
        p.send(&link, b"t", b"the same tag again");
        p.expect_transfer().delivery_id(1);
    });
}

#[test]
fn aborting_before_the_first_frame_costs_nothing() {
    client(|p| {
        let link = with_sender(p);
        let id = p
            .engine()
            .sender(link.id)
            .unwrap()
            .stream(b"t", &SendOptions::default())
            .unwrap();
        p.engine().sender(link.id).unwrap().abort(id).unwrap();
        p.expect_nothing();
        assert_eq!(p.engine().sender(link.id).unwrap().credit(), 10);
        p.send(&link, b"u", b"x");
        p.expect_transfer().delivery_id(0);
    });
}

#[test]
fn a_receiver_that_settles_early_does_not_stop_the_stream_from_being_finished() {
    client(|p| {
        let link = with_sender(p);
        let id = p
            .engine()
            .sender(link.id)
            .unwrap()
            .stream(b"t", &SendOptions::default())
            .unwrap();
        p.engine()
            .sender(link.id)
            .unwrap()
            .write(id, &b"a"[..])
            .unwrap();
        p.expect_transfer();
        p.inject(
            disposition()
                .role(Role::Receiver)
                .first(0)
                .settled(true)
                .state(ferrion_tests::build::rejected().v()),
        );
        let update = p.updates(&link).remove(0);
        assert!(update.settled);
        assert_eq!(update.state, Some(DeliveryState::Rejected(None)));
        p.engine()
            .sender(link.id)
            .unwrap()
            .write(id, &b"b"[..])
            .unwrap();
        p.engine().sender(link.id).unwrap().finish(id).unwrap();
        p.expect_transfer().more(false).payload(b"b");
        assert_eq!(p.engine().census().outgoing_deliveries, 0);
        p.send(&link, b"u", b"next");
        p.expect_transfer().delivery_id(1).payload(b"next");
    });
}

#[test]
fn a_stream_can_not_be_settled_before_it_is_finished() {
    client(|p| {
        let link = with_sender(p);
        let id = p
            .engine()
            .sender(link.id)
            .unwrap()
            .stream(b"t", &SendOptions::default())
            .unwrap();
        p.engine()
            .sender(link.id)
            .unwrap()
            .write(id, &b"a"[..])
            .unwrap();
        assert!(p.engine().sender(link.id).unwrap().settle(id).is_err());
        p.engine().sender(link.id).unwrap().finish(id).unwrap();
        p.engine().sender(link.id).unwrap().settle(id).unwrap();
        p.drain_names();
        assert_eq!(p.engine().census().outgoing_deliveries, 0);
    });
}

#[test]
fn a_link_that_ends_takes_its_streams_with_it() {
    for (settled, settled_by_peer) in [(false, false), (false, true), (true, false)] {
        client(|p| {
            let link = with_sender(p);
            let options = SendOptions {
                settled,
                ..SendOptions::default()
            };
            let id = p
                .engine()
                .sender(link.id)
                .unwrap()
                .stream(b"t", &options)
                .unwrap();
            p.engine()
                .sender(link.id)
                .unwrap()
                .write(id, &b"a"[..])
                .unwrap();
            p.expect_transfer();
            if settled_by_peer {
                p.inject(
                    disposition()
                        .role(Role::Receiver)
                        .first(0)
                        .settled(true)
                        .accepted(),
                );
                p.updates(&link);
            }
            p.inject(detach().handle(link.theirs).closed(true));
            p.event_where("LinkDetached", |e| {
                (e == Event::LinkDetached(link.id)).then_some(())
            });
            p.engine().link(link.id).unwrap().close(None).unwrap();
            p.expect_detach();
            assert_eq!(p.next_event(), None);
            assert_eq!(
                (
                    p.engine().census().links,
                    p.engine().census().outgoing_deliveries
                ),
                (0, 0)
            );
        });
    }
}

#[test]
fn a_stream_that_outgrows_what_the_receiver_takes_is_refused() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender_with(session, LinkConfig::sender("l", "q"), |attach| {
            attach.max_message_size(10)
        });
        p.grant(&link, 1);
        let id = p
            .engine()
            .sender(link.id)
            .unwrap()
            .stream(b"t", &SendOptions::default())
            .unwrap();
        p.engine()
            .sender(link.id)
            .unwrap()
            .write(id, &[0; 8][..])
            .unwrap();
        let refused = p.engine().sender(link.id).unwrap().write(id, &[0; 3][..]);
        assert!(matches!(
            refused,
            Err(SendError::MessageTooLarge {
                size: 11,
                limit: 10
            })
        ));
        p.engine().sender(link.id).unwrap().abort(id).unwrap();
    });
}

fn streaming_receiver(p: &mut Peer, window: u32) -> Wired {
    p.opened();
    let session = p.begun_with(
        SessionConfig {
            incoming_window: window,
            ..SessionConfig::default()
        },
        |b| b,
    );
    let link = p.receiver(session, "in");
    p.engine().receiver(link.id).unwrap().set_streaming(true);
    p.take_credit(&link, 2);
    p.events();
    link
}

#[test]
fn a_delivery_can_be_read_while_it_comes() {
    client(|p| {
        let link = streaming_receiver(p, 100);
        let first = p.delivery(&link, 0, b"one ").more(true);
        p.inject(first);
        p.expect_events(&[Event::Deliveries(link.id)]);
        p.expect_no_delivery(&link);
        let partial = p.engine().receiver(link.id).unwrap().partial().unwrap();
        assert_eq!(
            (&*partial.tag, partial.waiting),
            (&0u32.to_be_bytes()[..], 4)
        );
        assert_eq!(
            p.engine()
                .receiver(link.id)
                .unwrap()
                .read_partial()
                .unwrap()
                .into_bytes(),
            "one "
        );
        assert!(
            p.engine()
                .receiver(link.id)
                .unwrap()
                .read_partial()
                .is_none(),
            "nothing has come since"
        );
        p.inject(transfer().handle(link.theirs).payload(b"two"));
        p.expect_events(&[Event::Deliveries(link.id)]);
        let rest = p.take(&link);
        assert_eq!(rest.id, Some(partial.id));
        assert_eq!(rest.payload.into_bytes(), "two");
    });
}

#[test]
fn what_is_not_read_keeps_the_window_shut_and_reading_opens_it() {
    client(|p| {
        let link = streaming_receiver(p, 4);
        let first = p.delivery(&link, 0, b"0").more(true);
        p.inject(first);
        for _ in 1..4 {
            p.inject(transfer().handle(link.theirs).more(true).payload(b"x"));
        }
        p.expect_nothing();
        p.engine()
            .receiver(link.id)
            .unwrap()
            .read_partial()
            .unwrap();
        p.expect_flow().next_incoming_id(4).incoming_window(4);
    });
}

#[test]
fn a_delivery_that_is_aborted_after_it_was_read_is_told() {
    client(|p| {
        let link = streaming_receiver(p, 100);
        let first = p.delivery(&link, 0, b"gone").more(true);
        p.inject(first);
        p.engine()
            .receiver(link.id)
            .unwrap()
            .read_partial()
            .unwrap();
        p.events();
        p.inject(transfer().handle(link.theirs).aborted(true));
        p.expect_events(&[Event::Deliveries(link.id)]);
        assert!(p.engine().receiver(link.id).unwrap().partial().is_none());
        let delivery = p.take(&link);
        assert!(delivery.aborted);
        let next = p.delivery(&link, 1, b"kept");
        p.inject(next);
        assert_eq!(p.take(&link).payload.into_bytes(), "kept");
        assert_eq!(p.engine().census().incoming_deliveries, 1);
    });
}

#[test]
fn automatic_credit_is_given_again_at_half() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.engine()
            .receiver(link.id)
            .unwrap()
            .set_automatic_credit(4)
            .unwrap();
        p.expect_flow().link_credit(4);
        let mut given = 0;
        for i in 0..40 {
            let delivery = p.delivery(&link, i, b"x").settled(true);
            p.inject(delivery);
            p.take(&link);
            given += p.drain_names().len();
        }
        assert!(
            (10..=20).contains(&given),
            "{given} flows for 40 deliveries"
        );
    });
}

#[test]
fn aborting_lets_a_close_go_that_waited_for_the_stream() {
    client(|p| {
        let link = with_sender(p);
        let id = p
            .engine()
            .sender(link.id)
            .unwrap()
            .stream(b"t", &SendOptions::default())
            .unwrap();
        p.engine().link(link.id).unwrap().close(None).unwrap();
        p.expect_nothing();
        p.engine().sender(link.id).unwrap().abort(id).unwrap();
        p.expect_detach().closed(true);
    });
}

#[test]
fn aborting_lets_a_drain_be_answered_that_waited_for_the_stream() {
    client(|p| {
        let link = with_sender(p);
        let drain = p.link_flow(&link).link_credit(5).drain(true);
        p.inject(drain);
        let id = p
            .engine()
            .sender(link.id)
            .unwrap()
            .stream(b"t", &SendOptions::default())
            .unwrap();
        p.engine().sender(link.id).unwrap().drained().unwrap();
        p.engine().sender(link.id).unwrap().abort(id).unwrap();
        p.expect_flow().link_credit(0);
    });
}

/// The window is the session's (2.5.6): what a failed link leaves behind must not shut it for others.
#[test]
fn streams_that_fail_half_way_give_their_window_back() {
    for too_large in [true, false] {
        client(|p| {
            p.opened();
            let session = p.begun_with(
                SessionConfig {
                    incoming_window: 4,
                    ..SessionConfig::default()
                },
                |b| b,
            );
            for (id, name) in [(0, "a"), (1, "b")] {
                let mut config = LinkConfig::receiver(name, name);
                config.max_message_size = Some(10);
                let link = p.receiver_with(session, config, |b| b);
                p.engine().receiver(link.id).unwrap().set_streaming(true);
                p.take_credit(&link, 5);
                let first = p.delivery(&link, id, b"1").more(true);
                let second = transfer().handle(link.theirs).more(true).payload(b"2");
                let bad = transfer().handle(link.theirs);
                let bad = if too_large {
                    bad.payload(&[0; 20])
                } else {
                    bad.delivery_id(77).payload(b"of another delivery")
                };
                p.inject_all([first, second, bad]);
                p.drain_names();
                p.inject(detach().handle(link.theirs).closed(true));
                p.events();
                p.drain_names();
            }
            let echo = p.flow().echo(true);
            p.inject(echo);
            p.expect_flow().incoming_window(4);
        });
    }
}
