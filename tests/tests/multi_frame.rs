//! Deliveries over several frames: splitting, joining, aborting, interleaving (2.6.12, 2.7.5).

use ferrion_engine::{Config, Event, SessionConfig};
use ferrion_tests::build::{Build, transfer};
use ferrion_tests::oracle::V;
use ferrion_tests::peer::{Peer, Wired, client, client_with};

fn with_receiver(p: &mut Peer, credit: u32) -> Wired {
    p.opened();
    let session = p.begun();
    let link = p.receiver(session, "in");
    p.take_credit(&link, credit);
    link
}

fn more(link: &Wired, payload: &[u8]) -> Build {
    transfer().handle(link.theirs).more(true).payload(payload)
}

fn last(link: &Wired, payload: &[u8]) -> Build {
    transfer().handle(link.theirs).payload(payload)
}

#[test]
fn a_large_message_is_split_into_frames_of_the_peers_size() {
    for size in [512u32, 1000, 65_536] {
        client(|p| {
            p.opened_with(|open| open.max_frame_size(size));
            let session = p.begun();
            let link = p.sender(session, "l");
            p.grant(&link, 1);
            let message: Vec<u8> = (0..5000u32).map(|i| i as u8).collect();
            p.send(&link, b"tag", &message);
            let mut seen = Vec::new();
            let mut frames = 0;
            loop {
                let mut got = p.expect_transfer().handle(link.ours);
                if frames == 0 {
                    got = got.delivery_id(0).delivery_tag(b"tag").message_format(0);
                }
                frames += 1;
                seen.extend_from_slice(&got.frame().payload);
                let more = got.perf().flag("more");
                if more {
                    assert!(
                        got.size() <= size as usize && got.size() > size as usize - 100,
                        "frames are filled"
                    );
                } else {
                    break;
                }
            }
            assert_eq!(seen, message);
            p.expect_nothing();
        });
    }
}

#[test]
fn no_size_of_message_makes_a_frame_too_large_or_loses_an_octet() {
    client(|p| {
        p.opened_with(|open| open.max_frame_size(512));
        let session = p.begun();
        let link = p.sender(session, "l");
        p.grant(&link, 1000);
        for size in 380..600usize {
            p.send_settled(&link, &[9; 32], &vec![1; size]);
            let mut seen = 0;
            loop {
                let got = p.expect_transfer();
                seen += got.frame().payload.len();
                if !got.perf().flag("more") {
                    break;
                }
            }
            assert_eq!(seen, size);
            p.expect_nothing();
        }
    });
}

#[test]
fn a_settled_message_over_many_frames_says_so_on_the_first() {
    client(|p| {
        p.opened_with(|open| open.max_frame_size(512));
        let session = p.begun();
        let link = p.sender(session, "l");
        p.grant(&link, 1);
        p.send_settled(&link, b"t", &[0; 1200]);
        p.expect_transfer().settled(true).more(true);
        p.expect_transfer().more(true);
        p.expect_transfer().more(false);
    });
}

#[test]
fn every_frame_counts_as_a_transfer_but_the_delivery_as_one() {
    client(|p| {
        p.opened_with(|open| open.max_frame_size(512));
        let session = p.begun();
        let link = p.sender(session, "l");
        p.grant(&link, 5);
        p.send_settled(&link, b"t", &[0; 1200]);
        assert_eq!(p.drain_names(), ["transfer", "transfer", "transfer"]);
        let echo = p.link_flow(&link).link_credit(4).echo(true);
        p.inject(echo);
        p.expect_flow()
            .next_outgoing_id(3)
            .delivery_count(1)
            .link_credit(4);
        p.send_settled(&link, b"u", b"");
        p.expect_transfer().delivery_id(1);
    });
}

#[test]
fn frames_are_joined_to_one_delivery() {
    client(|p| {
        let link = with_receiver(p, 5);
        let first = p.delivery(&link, 0, b"one ").more(true);
        p.inject(first);
        p.expect_events(&[]);
        p.expect_no_delivery(&link);
        p.inject(more(&link, b"two "));
        p.inject(last(&link, b"three"));
        p.expect_events(&[Event::Deliveries(link.id)]);
        assert_eq!(p.take(&link).payload.into_bytes(), "one two three");
    });
}

#[test]
fn continuations_may_repeat_what_the_first_said() {
    client(|p| {
        let link = with_receiver(p, 5);
        let first = p.delivery(&link, 0, b"a").more(true);
        let again = p.delivery(&link, 0, b"b").more(true);
        let end = p.delivery(&link, 0, b"c");
        p.inject_all([first, again, end]);
        assert_eq!(p.take(&link).payload.into_bytes(), "abc");
        p.expect_nothing();
    });
}

#[test]
fn a_continuation_that_says_other_than_the_first_is_a_fault_of_the_link() {
    let others: [fn(Build) -> Build; 4] = [
        |again| again.delivery_id(1),
        |again| again.delivery_tag(b"other"),
        |again| again.message_format(1),
        // A whole other delivery: those of one link do not interleave.
        |again| again.delivery_id(1).delivery_tag(b"other"),
    ];
    for other in others {
        client(|p| {
            let link = with_receiver(p, 5);
            let first = p.delivery(&link, 0, b"a").more(true);
            let again = other(p.delivery(&link, 0, b"b"));
            p.inject_all([first, again]);
            p.expect_detach()
                .handle(link.ours)
                .closed(true)
                .condition("amqp:invalid-field");
            p.expect_no_delivery(&link);
            p.expect_nothing();
        });
    }
}

#[test]
fn a_first_transfer_may_leave_out_the_message_format() {
    for more_follows in [false, true] {
        client(|p| {
            let link = with_receiver(p, 5);
            let first = p.delivery(&link, 0, b"a").set("message-format", V::Null);
            p.inject(first.more(more_follows));
            if more_follows {
                p.inject(last(&link, b"").message_format(0));
            }
            assert_eq!(p.take(&link).message_format, 0);
            p.expect_nothing();
        });
    }
}

#[test]
fn transfers_without_payload_are_legal_at_every_place() {
    client(|p| {
        let link = with_receiver(p, 5);
        let first = p.delivery(&link, 0, b"").more(true);
        p.inject_all([
            first,
            more(&link, b"x"),
            more(&link, b""),
            more(&link, b"y"),
            last(&link, b""),
        ]);
        assert_eq!(p.take(&link).payload.into_bytes(), "xy");
        let first = p.delivery(&link, 1, b"").more(true);
        p.inject_all([first, last(&link, b"")]);
        assert!(p.take(&link).payload.is_empty());
        p.expect_nothing();
    });
}

#[test]
fn settled_on_any_frame_settles_the_delivery() {
    for settled_at in 0..3 {
        client(|p| {
            let link = with_receiver(p, 5);
            let first = p.delivery(&link, 0, b"a").more(true);
            let frames = [first, more(&link, b"b"), last(&link, b"c")];
            let frames = frames
                .into_iter()
                .enumerate()
                .map(|(i, f)| if i == settled_at { f.settled(true) } else { f });
            p.inject_all(frames);
            let delivery = p.take(&link);
            assert!(delivery.id.is_none());
            assert_eq!(delivery.payload.into_bytes(), "abc");
        });
    }
}

#[test]
fn settled_set_to_false_later_does_not_take_it_back() {
    client(|p| {
        let link = with_receiver(p, 5);
        let first = p.delivery(&link, 0, b"a").more(true).settled(true);
        p.inject_all([first, last(&link, b"b").settled(false)]);
        assert!(p.take(&link).id.is_none());
    });
}

#[test]
fn an_aborted_delivery_vanishes_and_the_next_is_untouched() {
    client(|p| {
        let link = with_receiver(p, 5);
        let first = p.delivery(&link, 0, b"gone").more(true);
        // The payload of the aborting frame and its more flag do not count.
        p.inject_all([first, last(&link, b"also gone").aborted(true).more(true)]);
        p.expect_events(&[]);
        // It counts as settled on both sides.
        assert_eq!(p.engine().census().incoming_deliveries, 0);
        let next = p.delivery(&link, 1, b"kept");
        p.inject(next);
        assert_eq!(p.take(&link).payload.into_bytes(), "kept");
        p.expect_no_delivery(&link);
        p.expect_nothing();
    });
}

#[test]
fn an_aborted_delivery_uses_one_credit_as_at_the_sender() {
    client(|p| {
        let link = with_receiver(p, 2);
        let first = p.delivery(&link, 0, b"gone").more(true);
        p.inject_all([first, last(&link, b"").aborted(true)]);
        let second = p.delivery(&link, 1, b"kept");
        p.inject(second);
        let third = p.delivery(&link, 2, b"too much");
        p.inject(third);
        p.expect_detach()
            .condition("amqp:link:transfer-limit-exceeded");
    });
}

#[test]
fn a_delivery_aborted_by_its_only_transfer_vanishes() {
    client(|p| {
        let link = with_receiver(p, 2);
        let only = p.delivery(&link, 0, b"gone").aborted(true);
        let next = p.delivery(&link, 1, b"kept");
        p.inject_all([only, next]);
        assert_eq!(p.take(&link).payload.into_bytes(), "kept");
        p.expect_no_delivery(&link);
    });
}

#[test]
fn deliveries_of_two_links_may_interleave() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let a = p.receiver(session, "a");
        let b = p.receiver(session, "b");
        p.take_credit(&a, 1);
        p.take_credit(&b, 1);
        let (a0, b0) = (
            p.delivery(&a, 0, b"A1").more(true),
            p.delivery(&b, 1, b"B1").more(true),
        );
        p.inject_all([
            a0,
            b0,
            more(&a, b"A2"),
            more(&b, b"B2"),
            last(&b, b"B3"),
            last(&a, b"A3"),
        ]);
        assert_eq!(p.take(&a).payload.into_bytes(), "A1A2A3");
        assert_eq!(p.take(&b).payload.into_bytes(), "B1B2B3");
        p.expect_nothing();
    });
}

#[test]
fn a_multi_frame_delivery_uses_one_credit_and_a_window_place_per_frame() {
    let config = Config::new("engine");
    client_with(config, |p| {
        p.opened();
        let session = p.begun_with(
            SessionConfig {
                incoming_window: 4,
                ..Default::default()
            },
            |b| b,
        );
        let link = p.receiver(session, "in");
        p.take_credit(&link, 1);
        let first = p.delivery(&link, 0, b"a").more(true);
        p.inject_all([
            first,
            more(&link, b"b"),
            more(&link, b"c"),
            last(&link, b"d"),
        ]);
        assert_eq!(p.take(&link).payload.into_bytes(), "abcd");
        p.expect_flow().next_incoming_id(4).incoming_window(4);
    });
}

#[test]
fn a_large_message_does_not_keep_a_small_one_waiting() {
    client(|p| {
        p.opened_with(|open| open.max_frame_size(512));
        let session = p.begun();
        let large = p.sender(session, "large");
        let small = p.sender(session, "small");
        p.grant(&large, 1);
        p.grant(&small, 1);
        p.send(&large, b"L", &vec![0; 400_000]);
        p.send(&small, b"S", b"quick");
        let mut before = 0;
        while p.expect_transfer().perf().get("handle") != V::Uint(small.ours) {
            before += 1;
        }
        assert!(
            before < 400,
            "{before} frames of the large message went first"
        );
    });
}
