//! Deliveries that fit one frame (2.6.12, 2.7.5).

use ferrion_engine::{Event, LinkConfig, SendError, SendOptions, SessionConfig};
use ferrion_tests::build::{Role, detach, disposition, flow, rejected, transfer};
use ferrion_tests::oracle::V;
use ferrion_tests::peer::{Peer, Wired, client, server};

/// Of which the tags are the first octets.
const TAG: [u8; 32] = *b"0123456789abcdefghijklmnopqrstuv";

fn with_receiver(p: &mut Peer, credit: u32) -> Wired {
    p.opened();
    let session = p.begun();
    let link = p.receiver(session, "in");
    p.take_credit(&link, credit);
    link
}

#[test]
fn a_send_becomes_one_transfer_with_id_tag_and_format() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "l");
        p.grant(&link, 10);
        p.send(&link, b"tag-1", b"hello");
        p.expect_transfer()
            .handle(link.ours)
            .delivery_id(0)
            .delivery_tag(b"tag-1")
            .message_format(0)
            .settled(false)
            .more(false)
            .payload(b"hello");
        p.send_settled(&link, b"tag-2", b"bye");
        p.expect_transfer()
            .delivery_id(1)
            .delivery_tag(b"tag-2")
            .settled(true)
            .payload(b"bye");
        p.expect_nothing();
    });
}

#[test]
fn without_credit_a_send_is_refused_and_nothing_is_written() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "l");
        let refused = p.engine().sender(link.id).unwrap().send(b"t", b"x");
        assert!(matches!(refused, Err(SendError::NoCredit)));
        p.grant(&link, 1);
        p.send(&link, b"t", b"x");
        let refused = p.engine().sender(link.id).unwrap().send(b"u", b"y");
        assert!(matches!(refused, Err(SendError::NoCredit)));
        p.expect_transfer();
        p.expect_nothing();
    });
}

#[test]
fn many_sends_leave_in_order_in_one_go() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "l");
        p.grant(&link, 100);
        for i in 0..100u32 {
            p.send(&link, &i.to_be_bytes(), format!("message {i}").as_bytes());
        }
        for i in 0..100u32 {
            p.expect_transfer()
                .delivery_id(i)
                .delivery_tag(&i.to_be_bytes())
                .payload(format!("message {i}").as_bytes());
        }
        p.expect_nothing();
    });
}

#[test]
fn delivery_ids_are_shared_by_the_links_of_a_session() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let a = p.sender(session, "a");
        let b = p.sender(session, "b");
        p.grant(&a, 2);
        p.grant(&b, 2);
        p.send(&a, b"1", b"");
        p.expect_transfer().handle(a.ours).delivery_id(0);
        p.send(&b, b"1", b"");
        p.expect_transfer().handle(b.ours).delivery_id(1);
        p.send(&a, b"2", b"");
        p.expect_transfer().handle(a.ours).delivery_id(2);
    });
}

#[test]
fn two_sessions_count_their_deliveries_apart() {
    client(|p| {
        p.opened();
        let first = p.begun();
        let a = p.sender(first, "a");
        p.grant(&a, 1);
        let second = p.begun();
        let b = p.sender(second, "b");
        p.grant(&b, 1);
        p.send(&a, b"1", b"");
        p.send(&b, b"1", b"");
        p.expect_transfer().on(0).delivery_id(0);
        p.expect_transfer().on(1).delivery_id(0);
    });
}

#[test]
fn tags_of_32_octets_are_taken_and_longer_ones_refused() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "l");
        p.grant(&link, 2);
        p.send(&link, &[1; 32], b"");
        p.expect_transfer().delivery_tag(&[1; 32]);
        let refused = p.engine().sender(link.id).unwrap().send(&[1; 33], b"");
        assert!(matches!(refused, Err(SendError::TagTooLong(33))));
        p.expect_nothing();
    });
}

#[test]
fn an_incoming_transfer_is_a_delivery_with_everything_it_said() {
    client(|p| {
        let link = with_receiver(p, 5);
        p.inject(
            transfer()
                .handle(link.theirs)
                .delivery_id(0)
                .delivery_tag(b"abc")
                .message_format(7)
                .payload(b"hello"),
        );
        p.expect_events(&[Event::Deliveries(link.id)]);
        let delivery = p.take(&link);
        assert_eq!(&*delivery.tag, b"abc");
        assert_eq!(delivery.message_format, 7);
        assert!(
            delivery.id.is_some(),
            "an unsettled delivery can be settled"
        );
        assert_eq!(delivery.payload.into_bytes(), "hello");
        p.expect_no_delivery(&link);
    });
}

#[test]
fn a_tag_of_any_length_comes_with_its_delivery_whatever_is_behind_it() {
    client(|p| {
        let link = with_receiver(p, 200);
        let tags = (0..=32).flat_map(|length| [0, 1, 15, 100].map(|payload| (length, payload)));
        let mut all = Vec::new();
        for (number, (tag, payload)) in (0..).zip(tags.clone()) {
            let named = transfer().handle(link.theirs).delivery_id(number);
            all.push(named.delivery_tag(&TAG[..tag]).payload(&vec![9; payload]));
        }
        p.inject_all(all);
        for (tag, payload) in tags {
            let delivery = p.take(&link);
            assert_eq!(&*delivery.tag, &TAG[..tag], "with {payload} octets");
            assert_eq!(delivery.payload.into_bytes(), vec![9; payload]);
        }
        // And is remembered by it.
        let view = p.engine().link(link.id).unwrap();
        let remembered = view.unsettled().map(|known| known.tag.to_vec());
        let expected = (0..33 * 4).map(|number| TAG[..number / 4].to_vec());
        assert!(remembered.eq(expected));
    });
}

#[test]
fn an_update_has_the_tag_of_its_delivery_whatever_its_length() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "l");
        p.grant(&link, 100);
        for length in 0..=32 {
            p.send(&link, &TAG[..length], b"x");
            p.expect_transfer().delivery_tag(&TAG[..length]);
        }
        // Some are words, some say more.
        p.inject(
            disposition()
                .role(Role::Receiver)
                .range(0, 19)
                .settled(true)
                .accepted(),
        );
        let refusal = disposition().role(Role::Receiver).range(20, 32);
        p.inject(refusal.settled(true).state(rejected().v()));
        let tags: Vec<_> = p.updates(&link).iter().map(|told| told.tag).collect();
        assert_eq!(tags.len(), 33);
        for (length, tag) in tags.iter().enumerate() {
            assert_eq!(&**tag, &TAG[..length]);
        }
    });
}

#[test]
fn a_settled_delivery_has_no_id_to_settle() {
    client(|p| {
        let link = with_receiver(p, 5);
        let settled = p.delivery(&link, 0, b"x").settled(true);
        p.inject(settled);
        assert!(p.take(&link).id.is_none());
        p.expect_nothing();
    });
}

#[test]
fn deliveries_are_announced_once_however_many_wait() {
    client(|p| {
        let link = with_receiver(p, 10);
        let all: Vec<_> = (0..10).map(|i| p.delivery(&link, i, &[i as u8])).collect();
        p.inject_all(all);
        p.expect_events(&[Event::Deliveries(link.id)]);
        for i in 0..10u8 {
            assert_eq!(p.take(&link).payload.into_bytes(), [i][..]);
        }
    });
}

#[test]
fn an_empty_message_body_is_a_delivery() {
    client(|p| {
        let link = with_receiver(p, 1);
        let empty = p.delivery(&link, 0, b"");
        p.inject(empty);
        assert!(p.take(&link).payload.is_empty());
    });
}

#[test]
fn the_first_transfer_needs_id_and_tag() {
    for missing in ["delivery-id", "delivery-tag"] {
        client(|p| {
            let link = with_receiver(p, 1);
            let broken = p.delivery(&link, 0, b"x").set(missing, V::Null);
            p.inject(broken);
            p.expect_detach()
                .handle(link.ours)
                .closed(true)
                .check("with an error", |d| !d.get("error").is_null());
        });
    }
}

#[test]
fn a_delivery_id_that_goes_back_ends_the_session() {
    client(|p| {
        let link = with_receiver(p, 5);
        let (five, four) = (p.delivery(&link, 5, b"x"), p.delivery(&link, 4, b"y"));
        p.inject_all([five, four]);
        p.expect_end().condition("amqp:invalid-field");
        p.expect_nothing();
    });
}

#[test]
fn a_transfer_to_our_sender_detaches_that_link() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "out");
        let good = p.receiver(session, "in");
        p.take_credit(&good, 1);
        let wrong_way = p.delivery(&link, 0, b"x");
        p.inject(wrong_way);
        p.expect_detach()
            .handle(link.ours)
            .closed(true)
            .condition("amqp:not-allowed");
        let fine = p.delivery(&good, 1, b"fine");
        p.inject(fine);
        assert_eq!(p.take(&good).payload.into_bytes(), "fine");
        p.expect_nothing();
    });
}

#[test]
fn a_transfer_on_an_unknown_handle_ends_the_session() {
    client(|p| {
        p.opened();
        p.begun();
        p.inject(
            transfer()
                .handle(99)
                .delivery_id(0)
                .delivery_tag(b"t")
                .message_format(0),
        );
        p.expect_end().condition("amqp:session:unattached-handle");
    });
}

#[test]
fn a_message_larger_than_the_receiver_takes_is_refused_before_its_first_octet() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender_with(session, LinkConfig::sender("l", "q"), |attach| {
            attach.max_message_size(10)
        });
        p.grant(&link, 2);
        let refused = p.engine().sender(link.id).unwrap().send(b"t", &[0; 11]);
        assert!(matches!(
            refused,
            Err(SendError::MessageTooLarge {
                size: 11,
                limit: 10
            })
        ));
        p.expect_nothing();
        p.send(&link, b"t", &[0; 10]);
        p.expect_transfer();
    });
}

#[test]
fn a_max_message_size_of_zero_is_no_limit() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender_with(session, LinkConfig::sender("l", "q"), |attach| {
            attach.max_message_size(0)
        });
        p.grant(&link, 1);
        p.send(&link, b"t", &[0; 400]);
        p.expect_transfer();
    });
}

#[test]
fn a_max_message_size_of_ours_of_zero_is_no_limit() {
    for size in [Some(0), None] {
        client(|p| {
            p.opened();
            let session = p.begun();
            let mut config = LinkConfig::receiver("in", "q");
            config.max_message_size = size;
            let link = p.receiver_with(session, config, |b| b);
            p.take_credit(&link, 1);
            let first = p.delivery(&link, 0, &[1; 300]).more(true);
            p.inject(first);
            p.inject(transfer().handle(link.theirs).payload(&[1; 300]));
            assert_eq!(p.take(&link).payload.len(), 600);
            p.expect_nothing();
        });
    }
}

#[test]
fn a_message_larger_than_we_take_detaches_the_link() {
    for frames in [1, 3] {
        client(|p| {
            p.opened();
            let session = p.begun();
            let mut config = LinkConfig::receiver("in", "q");
            config.max_message_size = Some(10);
            let link = p.receiver_with(session, config, |b| b);
            p.take_credit(&link, 5);
            let fits = p.delivery(&link, 0, &[0; 10]);
            p.inject(fits);
            p.take(&link);
            let first = p.delivery(&link, 1, &[0; 4]).more(frames > 1);
            if frames == 1 {
                p.inject(first.payload(&[0; 11]));
            } else {
                p.inject(first);
                p.inject(transfer().handle(link.theirs).more(true).payload(&[0; 4]));
                p.inject(transfer().handle(link.theirs).payload(&[0; 4]));
            }
            p.expect_detach()
                .handle(link.ours)
                .closed(true)
                .condition("amqp:link:message-size-exceeded");
            p.expect_no_delivery(&link);
        });
    }
}

#[test]
fn sends_that_are_queued_leave_before_the_detach() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "l");
        p.grant(&link, 3);
        for tag in [b"1", b"2", b"3"] {
            p.send_settled(&link, tag, b"x");
        }
        p.engine().link(link.id).unwrap().close(None).unwrap();
        assert_eq!(
            p.drain_names(),
            ["transfer", "transfer", "transfer", "detach"]
        );
    });
}

#[test]
fn deliveries_that_arrived_before_a_detach_can_still_be_taken() {
    client(|p| {
        let link = with_receiver(p, 5);
        let delivery = p.delivery(&link, 0, b"x").settled(true);
        p.inject_all([delivery, detach().handle(link.theirs).closed(true)]);
        assert_eq!(p.next_event(), Some(Event::Deliveries(link.id)));
        assert_eq!(p.take(&link).payload.into_bytes(), "x");
        assert_eq!(p.next_event(), Some(Event::LinkDetached(link.id)));
    });
}

#[test]
fn a_peer_detaching_in_the_middle_of_our_sends_stops_them() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "l");
        p.grant(&link, 3);
        p.send(&link, b"1", b"x");
        p.inject(detach().handle(link.theirs).closed(true));
        // Whether the transfer was written already or not, nothing may follow our detach.
        p.event_where("LinkDetached", |e| {
            (e == Event::LinkDetached(link.id)).then_some(())
        });
        p.engine().link(link.id).unwrap().close(None).unwrap();
        let names = p.drain_names();
        assert_eq!(
            names.last().map(String::as_str),
            Some("detach"),
            "{names:?}"
        );
        let late = p
            .engine()
            .sender(link.id)
            .map(|mut s| s.send(b"2", b"y").is_err());
        assert!(late.unwrap_or(true));
    });
}

#[test]
fn a_sender_in_no_hurry_says_so_on_its_transfers() {
    client(|p| {
        p.opened_with(|open| open.max_frame_size(512));
        let session = p.begun();
        let link = p.sender(session, "l");
        p.grant(&link, 5);
        for (tag, batchable) in [(b"a", true), (b"b", false)] {
            let options = SendOptions {
                batchable,
                ..SendOptions::default()
            };
            let mut sender = p.engine().sender(link.id).unwrap();
            sender.send_with(tag, &options, b"x").unwrap();
            p.expect_transfer().batchable(batchable);
            let mut sender = p.engine().sender(link.id).unwrap();
            sender.send_with(&[tag[0], 1], &options, &[0; 700]).unwrap();
            p.expect_transfer().batchable(batchable).more(true);
            p.expect_transfer().batchable(batchable).more(false);
        }
    });
}

/// On any of several transfers it means the whole delivery.
#[test]
fn a_delivery_is_in_no_hurry_if_one_of_its_transfers_says_so() {
    client(|p| {
        let link = with_receiver(p, 5);
        let hurry = p.delivery(&link, 0, b"a");
        p.inject(hurry);
        assert!(!p.take(&link).batchable);
        let no_hurry = p.delivery(&link, 1, b"b").batchable(true);
        p.inject(no_hurry);
        assert!(p.take(&link).batchable);
        let first = p.delivery(&link, 2, b"c").more(true);
        let rest = [
            transfer().handle(link.theirs).more(true).batchable(true),
            transfer().handle(link.theirs),
        ];
        p.inject(first);
        p.inject_all(rest);
        assert!(p.take(&link).batchable);
    });
}

#[test]
fn unknown_states_on_a_transfer_do_no_harm() {
    server(|p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |b| b);
        let link = p.attached_by_script(
            ferrion_tests::build::attach()
                .name("l")
                .handle(2)
                .role(ferrion_tests::build::Role::Sender)
                .initial_delivery_count(0)
                .source(ferrion_tests::build::source().v())
                .target(ferrion_tests::build::target().v()),
        );
        p.take_credit(&link, 3);
        let transactional = V::described(0x34, V::List(vec![V::bin(b"txn")]));
        let vendor = V::Described(
            Box::new(V::sym("vendor:state:list")),
            Box::new(V::List(vec![V::Uint(1)])),
        );
        let first = p.delivery(&link, 0, b"a").state(transactional);
        let second = p.delivery(&link, 1, b"b").state(vendor);
        p.inject_all([first, second]);
        assert_eq!(p.take(&link).payload.into_bytes(), "a");
        assert_eq!(p.take(&link).payload.into_bytes(), "b");
        p.expect_nothing();
    });
}

#[test]
fn transfers_the_peer_sends_after_our_close_of_the_link_are_harmless() {
    client(|p| {
        let link = with_receiver(p, 5);
        p.engine().link(link.id).unwrap().close(None).unwrap();
        p.expect_detach();
        let late = p.delivery(&link, 0, b"late");
        p.inject(late);
        p.inject(
            flow()
                .next_incoming_id(0)
                .incoming_window(9)
                .next_outgoing_id(1)
                .outgoing_window(9)
                .handle(link.theirs)
                .delivery_count(1),
        );
        p.inject(detach().handle(link.theirs).closed(true));
        let names = p.drain_names();
        assert!(
            names.iter().all(|n| n == "flow" || n == "disposition"),
            "{names:?}"
        );
    });
}
