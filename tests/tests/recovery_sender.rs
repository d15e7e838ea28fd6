//! Link recovery at the sending side (2.6.13, 3.4.6): what becomes of each delivery that was not settled before.
//!
//! The tests that begin with `example_` are the deliveries of the specification's example, in its order.

use std::cell::RefCell;

use ferrion_engine::protocol::{
    DeliveryState, Received, Role, SenderSettleMode, Tag, TransactionalState,
};
use ferrion_engine::{
    Closing, DeliveryId, Event, LinkConfig, LinkState, Recovery, SendError, SendOptions,
    SessionConfig, UnsettledDelivery, UsageError,
};
use ferrion_tests::build::{
    self, accepted, composite, detach, disposition, received, rejected, released,
};
use ferrion_tests::oracle::V;
use ferrion_tests::peer::{Got, HANDLE_OFFSET, Peer, Wired, client, server};

/// Three sections: a header of 5 octets, data of 600 that look like the beginning of sections themselves, data of 4.
fn message() -> Vec<u8> {
    let mut octets = vec![0, 0x53, 0x70, 0xc0, 1, 0, 0, 0x53, 0x75, 0xb0];
    octets.extend(600u32.to_be_bytes());
    octets.extend([0, 0x53, 0x75, 0xa0, 1, 0].repeat(100));
    octets.extend([0, 0x53, 0x75, 0xa0, 4, b'l', b'a', b's', b't']);
    octets
}

/// Where the second and the third section of the message begin, and where it ends.
const SECTIONS: [usize; 3] = [6, 614, 623];

fn at(section: u32, offset: u64) -> Option<DeliveryState> {
    Some(DeliveryState::Received(Box::new(Received::new(
        section, offset,
    ))))
}

fn point(section: u32, offset: u64) -> V {
    received()
        .section_number(section)
        .section_offset(offset)
        .v()
}

/// A delivery that the sender remembers in this state, payload and all.
fn delivery(tag: &[u8], local_state: Option<DeliveryState>) -> UnsettledDelivery {
    UnsettledDelivery {
        local_state,
        payload: Some(message().into()),
        ..UnsettledDelivery::new(Tag::new(tag).unwrap())
    }
}

fn state(unsettled: Vec<UnsettledDelivery>) -> LinkState {
    LinkState {
        unsettled,
        ..LinkState::new(Role::Sender, LinkConfig::sender("l", "q"))
    }
}

fn map(entries: &[(&[u8], V)]) -> V {
    let entries = entries
        .iter()
        .map(|(tag, state)| (V::bin(tag), state.clone()));
    V::Map(entries.collect())
}

/// The engine resumes a sender; the script remembers these deliveries, and gives credit.
fn resumed(p: &mut Peer, state: LinkState, theirs: &[(&[u8], V)]) -> Wired {
    p.opened();
    let session = p.begun();
    let link = p.resumed_with(session, state, |attach| attach.unsettled(map(theirs)));
    p.grant(&link, 100);
    link
}

fn report(p: &mut Peer, link: &Wired) -> Recovery {
    p.engine().link(link.id).unwrap().recovered().unwrap()
}

/// The report of a recovery in which all was told.
const ALL: Recovery = Recovery {
    peer_remembers: true,
    complete: true,
    resumed: 0,
    sent_again: 0,
    aborted: 0,
    settled: 0,
    lost: 0,
};

fn expect_new<'p>(p: &'p mut Peer, tag: &[u8]) -> Got<'p> {
    p.expect_transfer()
        .delivery_tag(tag)
        .resume(false)
        .aborted(false)
        .settled(false)
        .null("state")
        .payload(&message())
}

fn expect_aborted(p: &mut Peer, tag: &[u8]) {
    p.expect_transfer()
        .delivery_tag(tag)
        .resume(true)
        .aborted(true)
        .more(false)
        .payload(b"");
}

fn expect_rest<'p>(p: &'p mut Peer, tag: &[u8], from: usize) -> Got<'p> {
    p.expect_transfer()
        .delivery_tag(tag)
        .resume(true)
        .aborted(false)
        .settled(false)
        .more(false)
        .payload(&message()[from..])
}

/// Nothing is left on either side.
fn expect_nothing_unsettled(p: &mut Peer, link: &Wired) {
    p.expect_nothing();
    assert_eq!(p.engine().link(link.id).unwrap().unsettled().count(), 0);
    assert_eq!(p.engine().census().outgoing_deliveries, 0);
}

#[test]
fn the_attach_of_a_resumed_link_tells_what_is_unsettled() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let told = DeliveryState::Accepted;
        let settled = UnsettledDelivery {
            settled: true,
            remote_state: Some(told.clone()),
            ..delivery(b"4", None)
        };
        let unsettled = vec![
            delivery(b"1", None),
            delivery(b"2", at(1, 7)),
            delivery(b"3", Some(told.clone())),
            settled,
        ];
        let id = p.resume(session, state(unsettled)).unwrap();
        // What the peer settled is only to be told to the application.
        let updates = p.engine().link(id).unwrap().next_update().unwrap();
        assert_eq!((updates.tag.as_bytes(), updates.settled), (&b"4"[..], true));
        assert_eq!(updates.state, Some(told));
        let expected = map(&[(b"1", V::Null), (b"2", point(1, 7)), (b"3", accepted().v())]);
        p.expect_attach()
            .unsettled(expected)
            .incomplete_unsettled(false);
        assert_eq!(p.engine().link(id).unwrap().recovered(), None);
    });
}

#[test]
fn a_link_without_a_past_tells_no_map_and_one_with_an_empty_past_an_empty_one() {
    client(|p| {
        p.opened();
        let session = p.begun();
        p.attach_sender(session, LinkConfig::sender("fresh", "q"))
            .unwrap();
        p.expect_attach().null("unsettled");
        p.resume(session, state(Vec::new())).unwrap();
        p.expect_attach().unsettled(map(&[]));
    });
}

#[test]
fn example_1_what_the_receiver_has_nothing_of_is_sent_as_a_new_delivery() {
    client(|p| {
        let link = resumed(p, state(vec![delivery(b"1", None)]), &[]);
        assert_eq!(
            report(p, &link),
            Recovery {
                sent_again: 1,
                ..ALL
            }
        );
        expect_new(p, b"1").delivery_id(0);
        p.inject(
            disposition()
                .role(build::Role::Receiver)
                .first(0)
                .settled(true)
                .accepted(),
        );
        let updates = p.updates(&link);
        assert_eq!(updates[0].state, Some(DeliveryState::Accepted));
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_2_what_the_receiver_has_a_part_of_goes_on_from_there() {
    client(|p| {
        let link = resumed(p, state(vec![delivery(b"2", None)]), &[(b"2", point(2, 0))]);
        assert_eq!(report(p, &link), Recovery { resumed: 1, ..ALL });
        expect_rest(p, b"2", SECTIONS[1])
            .state(point(2, 0))
            .delivery_id(0);
        p.inject(
            disposition()
                .role(build::Role::Receiver)
                .first(0)
                .settled(true)
                .accepted(),
        );
        assert!(p.updates(&link)[0].settled);
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_3_an_outcome_at_the_receiver_is_confirmed_by_settling() {
    client(|p| {
        let link = resumed(
            p,
            state(vec![delivery(b"3", None)]),
            &[(b"3", accepted().v())],
        );
        assert_eq!(report(p, &link), Recovery { resumed: 1, ..ALL });
        let update = p.updates(&link).remove(0);
        assert_eq!(
            (update.state, update.settled),
            (Some(DeliveryState::Accepted), false)
        );
        p.engine()
            .sender(link.id)
            .unwrap()
            .settle(update.delivery)
            .unwrap();
        p.expect_transfer()
            .delivery_tag(b"3")
            .resume(true)
            .settled(true)
            .more(false)
            .accepted()
            .payload(b"");
        expect_nothing_unsettled(p, &link);
    });
}

/// Its receiver compares it with what it has.
#[test]
fn an_outcome_with_details_is_said_back_as_it_was_told() {
    client(|p| {
        let error = composite(0x1d).set("condition", V::sym("app:broken"));
        let error = error.description(&"the lid is missing ".repeat(20));
        let told = rejected().error(error.v()).v();
        let before = state(vec![delivery(b"3", None)]);
        let link = resumed(p, before, &[(b"3", told.clone())]);
        p.expect_transfer()
            .resume(true)
            .settled(false)
            .state(told)
            .payload(b"");
        let update = p.updates(&link).remove(0);
        assert!(format!("{update:?}").contains("the lid is missing"));
        let mut sender = p.engine().sender(link.id).unwrap();
        sender.settle(update.delivery).unwrap();
        p.expect_disposition().first(0).settled(true);
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn an_outcome_that_the_application_has_not_settled_yet_is_confirmed_all_the_same() {
    client(|p| {
        let link = resumed(
            p,
            state(vec![delivery(b"3", None)]),
            &[(b"3", accepted().v())],
        );
        p.expect_transfer()
            .resume(true)
            .settled(false)
            .accepted()
            .payload(b"");
        let update = p.updates(&link).remove(0);
        p.engine()
            .sender(link.id)
            .unwrap()
            .settle(update.delivery)
            .unwrap();
        p.expect_disposition().first(0).settled(true);
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_4_a_receiver_that_knows_of_it_but_has_nothing_gets_all_of_it_resumed() {
    client(|p| {
        let link = resumed(p, state(vec![delivery(b"4", None)]), &[(b"4", V::Null)]);
        expect_rest(p, b"4", 0).null("state");
        assert_eq!(report(p, &link), Recovery { resumed: 1, ..ALL });
    });
}

#[test]
fn example_5_what_can_be_resumed_late_but_is_unknown_is_sent_as_a_new_delivery() {
    client(|p| {
        let link = resumed(p, state(vec![delivery(b"5", at(0, 5))]), &[]);
        expect_new(p, b"5");
        assert_eq!(
            report(p, &link),
            Recovery {
                sent_again: 1,
                ..ALL
            }
        );
    });
}

#[test]
fn example_6_a_receiver_ahead_of_what_can_be_resumed_gets_the_rest() {
    client(|p| {
        let ours = delivery(b"6", at(1, 150));
        let link = resumed(p, state(vec![ours]), &[(b"6", point(2, 0))]);
        expect_rest(p, b"6", SECTIONS[1]).state(point(2, 0));
        assert_eq!(report(p, &link), Recovery { resumed: 1, ..ALL });
    });
}

#[test]
fn example_7_a_receiver_behind_what_can_be_resumed_has_it_aborted_and_sent_anew() {
    client(|p| {
        let ours = delivery(b"7", at(1, 500));
        let link = resumed(p, state(vec![ours]), &[(b"7", point(1, 100))]);
        expect_aborted(p, b"7");
        expect_new(p, b"7").delivery_id(1);
        let expected = Recovery {
            resumed: 1,
            aborted: 1,
            sent_again: 1,
            ..ALL
        };
        assert_eq!(report(p, &link), expected);
        p.inject(
            disposition()
                .role(build::Role::Receiver)
                .first(1)
                .settled(true)
                .accepted(),
        );
        assert!(p.updates(&link)[0].settled);
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_8_an_outcome_is_confirmed_wherever_the_sender_could_resume() {
    client(|p| {
        let ours = delivery(b"8", at(2, 5));
        let link = resumed(p, state(vec![ours]), &[(b"8", accepted().v())]);
        let update = p.updates(&link).remove(0);
        p.engine()
            .sender(link.id)
            .unwrap()
            .settle(update.delivery)
            .unwrap();
        p.expect_transfer()
            .delivery_tag(b"8")
            .resume(true)
            .settled(true)
            .accepted()
            .payload(b"");
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_9_a_receiver_with_nothing_has_it_aborted_where_the_beginning_is_gone() {
    client(|p| {
        let ours = UnsettledDelivery {
            payload: None,
            ..delivery(b"9", at(2, 0))
        };
        let link = resumed(p, state(vec![ours]), &[(b"9", V::Null)]);
        expect_aborted(p, b"9");
        // There is nothing to send anew: the application is told.
        let update = p.updates(&link).remove(0);
        assert_eq!(
            (update.tag.as_bytes(), update.state, update.settled),
            (&b"9"[..], None, true)
        );
        assert_eq!(
            report(p, &link),
            Recovery {
                resumed: 1,
                aborted: 1,
                lost: 1,
                ..ALL
            }
        );
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_10_an_outcome_that_the_receiver_forgot_is_settled() {
    client(|p| {
        let ours = delivery(b"10", Some(DeliveryState::Accepted));
        let link = resumed(p, state(vec![ours]), &[]);
        let update = p.updates(&link).remove(0);
        assert_eq!(
            (update.state, update.settled),
            (Some(DeliveryState::Accepted), true)
        );
        assert_eq!(report(p, &link), Recovery { settled: 1, ..ALL });
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_11_an_outcome_of_its_own_calls_off_what_the_receiver_has_a_part_of() {
    client(|p| {
        let ours = delivery(b"11", Some(DeliveryState::Accepted));
        let link = resumed(p, state(vec![ours]), &[(b"11", point(1, 20))]);
        expect_aborted(p, b"11");
        assert!(p.updates(&link)[0].settled);
        assert_eq!(
            report(p, &link),
            Recovery {
                resumed: 1,
                aborted: 1,
                ..ALL
            }
        );
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_12_the_same_outcome_on_both_sides_is_settled() {
    client(|p| {
        let ours = delivery(b"12", Some(DeliveryState::Accepted));
        let link = resumed(p, state(vec![ours]), &[(b"12", accepted().v())]);
        p.expect_transfer()
            .delivery_tag(b"12")
            .resume(true)
            .settled(true)
            .more(false)
            .payload(b"");
        assert!(p.updates(&link)[0].settled);
        assert_eq!(
            report(p, &link),
            Recovery {
                resumed: 1,
                settled: 1,
                ..ALL
            }
        );
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_13_of_two_outcomes_the_senders_counts() {
    client(|p| {
        let ours = delivery(b"13", Some(DeliveryState::Accepted));
        let link = resumed(p, state(vec![ours]), &[(b"13", released().v())]);
        p.expect_transfer()
            .delivery_tag(b"13")
            .resume(true)
            .settled(false)
            .accepted()
            .payload(b"");
        p.inject(
            disposition()
                .role(build::Role::Receiver)
                .first(0)
                .settled(true)
                .accepted(),
        );
        let update = p.updates(&link).remove(0);
        assert_eq!(
            (update.state, update.settled),
            (Some(DeliveryState::Accepted), true)
        );
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_14_an_outcome_of_its_own_calls_off_what_the_receiver_only_knows_of() {
    client(|p| {
        let ours = delivery(b"14", Some(DeliveryState::Accepted));
        let link = resumed(p, state(vec![ours]), &[(b"14", V::Null)]);
        expect_aborted(p, b"14");
        assert!(p.updates(&link)[0].settled);
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn all_examples_at_once_keep_their_order_and_stand_before_what_is_new() {
    client(|p| {
        let outcome = || Some(DeliveryState::Accepted);
        let ours = vec![
            delivery(b"1", None),
            delivery(b"2", None),
            delivery(b"3", None),
            delivery(b"4", None),
            delivery(b"5", at(0, 2)),
            delivery(b"6", at(1, 150)),
            delivery(b"7", at(1, 500)),
            delivery(b"8", at(2, 5)),
            delivery(b"9", at(2, 0)),
            delivery(b"10", outcome()),
            delivery(b"11", outcome()),
            delivery(b"12", outcome()),
            delivery(b"13", outcome()),
            delivery(b"14", outcome()),
        ];
        let theirs: Vec<(&[u8], V)> = vec![
            (b"2", point(3, 0)),
            (b"3", accepted().v()),
            (b"4", V::Null),
            (b"6", point(2, 0)),
            (b"7", point(1, 100)),
            (b"8", accepted().v()),
            (b"9", V::Null),
            (b"11", point(1, 20)),
            (b"12", accepted().v()),
            (b"13", released().v()),
            (b"14", V::Null),
            (b"unknown", accepted().v()),
        ];
        let link = resumed(p, state(ours), &theirs);
        p.send(&link, b"new", b"new");
        let tags: Vec<(V, bool)> = std::iter::from_fn(|| p.next_piece())
            .filter_map(|(piece, _)| match piece.what {
                ferrion_tests::oracle::What::Frame(frame) => frame.perf,
                ferrion_tests::oracle::What::Header(_) => None,
            })
            .map(|perf| (perf.get("delivery-tag"), perf.flag("resume")))
            .collect();
        let expected: Vec<(V, bool)> = [
            ("1", false),
            ("2", true),
            ("3", true),
            ("4", true),
            ("5", false),
            ("6", true),
            ("7", true),
            ("7", false),
            ("8", true),
            ("9", true),
            ("9", false),
            ("11", true),
            ("12", true),
            ("13", true),
            ("14", true),
            ("new", false),
        ]
        .map(|(tag, resume)| (V::bin(tag.as_bytes()), resume))
        .to_vec();
        assert_eq!(tags, expected);
        let expected = Recovery {
            resumed: 11,
            sent_again: 4,
            aborted: 4,
            settled: 2,
            ..ALL
        };
        assert_eq!(report(p, &link), expected);
    });
}

#[test]
fn the_place_to_go_on_from_is_found_by_structure() {
    let sections = [0, SECTIONS[0], SECTIONS[1], SECTIONS[2]];
    for (section, offset) in [
        (0, 0),
        (0, 6),
        (1, 0),
        (1, 11),
        (1, 608),
        (2, 3),
        (2, 9),
        (3, 0),
    ] {
        client(|p| {
            let theirs = point(section, offset);
            resumed(
                p,
                state(vec![delivery(b"t", None)]),
                &[(b"t", theirs.clone())],
            );
            let from = sections[section as usize] + offset as usize;
            expect_rest(p, b"t", from).state(theirs);
        });
    }
}

#[test]
fn a_large_message_goes_on_in_as_many_frames_as_the_rest_needs() {
    client(|p| {
        p.opened_with(|open| open.max_frame_size(512));
        let session = p.begun();
        let states = state(vec![delivery(b"t", None)]);
        let link = p.resumed_with(session, states, |attach| {
            attach.unsettled(map(&[(b"t", point(1, 9))]))
        });
        p.grant(&link, 1);
        let mut rest = Vec::new();
        let first = p
            .expect_transfer()
            .resume(true)
            .more(true)
            .state(point(1, 9));
        assert!(first.size() <= 512);
        rest.extend(first.frame().payload.clone());
        let last = p.expect_transfer().null("state").more(false);
        rest.extend(last.frame().payload.clone());
        assert_eq!(rest, message()[SECTIONS[0] + 9..]);
    });
}

#[test]
fn claims_to_more_than_the_message_has_detach_the_link_and_lose_nothing() {
    for beyond in [
        point(0, 7),
        point(2, 10),
        point(3, 1),
        point(4, 0),
        point(u32::MAX, 0),
    ] {
        client(|p| {
            p.opened();
            let session = p.begun();
            let other = p.sender(session, "other");
            let ours = state(vec![delivery(b"a", None), delivery(b"t", None)]);
            let link = p.resumed_with(session, ours.clone(), |attach| {
                attach.unsettled(map(&[(b"a", point(2, 0)), (b"t", beyond.clone())]))
            });
            p.expect_detach()
                .handle(link.ours)
                .closed(true)
                .condition("amqp:invalid-field");
            p.expect_events(&[Event::LinkDetached(link.id)]);
            let mut left = p.engine().link(link.id).unwrap().state().unwrap();
            left.config.initial_delivery_count = 0;
            assert_eq!(left, ours);
            p.inject(detach().handle(link.theirs).closed(true));
            p.grant(&other, 1);
            p.send(&other, b"x", b"x");
            p.expect_transfer().handle(other.ours);
        });
    }
}

#[test]
fn a_map_of_what_is_none_detaches_the_link_and_loses_nothing() {
    let broken = [
        V::Map(vec![(V::str("t"), V::Null)]),
        V::Map(vec![(V::Null, V::Null)]),
        V::Map(vec![(V::bin(&[7; 33]), V::Null)]),
        V::Map(vec![(V::bin(b"t"), V::Uint(4))]),
        V::Map(vec![(V::bin(b"t"), V::described(0x23, V::List(vec![])))]),
    ];
    for unsettled in broken {
        client(|p| {
            p.opened();
            let session = p.begun();
            let ours = state(vec![delivery(b"t", None)]);
            let link = p.resumed_with(session, ours.clone(), |attach| {
                attach.unsettled(unsettled.clone())
            });
            p.expect_detach()
                .closed(true)
                .condition("amqp:invalid-field");
            p.expect_events(&[Event::LinkDetached(link.id)]);
            assert_eq!(p.engine().link_states()[..], []);
            let left = p.engine().link(link.id).unwrap().state().unwrap();
            assert_eq!(left.unsettled, ours.unsettled);
            p.expect_nothing();
        });
    }
}

#[test]
fn a_state_that_nobody_knows_is_told_as_it_came() {
    client(|p| {
        let vendor = V::described(0x1234_5678, V::str("stored on two disks"));
        let link = resumed(
            p,
            state(vec![delivery(b"t", None)]),
            &[(b"t", vendor.clone())],
        );
        p.expect_transfer()
            .resume(true)
            .settled(false)
            .state(vendor)
            .payload(b"");
        let update = p.updates(&link).remove(0);
        assert!(matches!(update.state, Some(DeliveryState::Other(_))) && !update.settled);
    });
}

#[test]
fn a_peer_that_remembers_nothing_is_reported_and_all_is_sent_again() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let ours = vec![delivery(b"1", None), delivery(b"2", None)];
        let link = p.resumed_with(session, state(ours), |attach| attach);
        let expected = Recovery {
            peer_remembers: false,
            sent_again: 2,
            ..ALL
        };
        assert_eq!(report(p, &link), expected);
        p.grant(&link, 1);
        expect_new(p, b"1");
        // The second waits for credit, and what is new behind it.
        p.expect_nothing();
        let refused = p.engine().sender(link.id).unwrap().send(b"new", b"x");
        assert_eq!(refused, Err(SendError::NoCredit));
        p.grant(&link, 2);
        p.send(&link, b"new", b"x");
        expect_new(p, b"2");
        p.expect_transfer().delivery_tag(b"new");
    });
}

#[test]
fn what_the_receiver_told_before_it_forgot_is_not_sent_again() {
    client(|p| {
        let ours = UnsettledDelivery {
            remote_state: Some(DeliveryState::Released),
            ..delivery(b"t", None)
        };
        let link = resumed(p, state(vec![ours]), &[]);
        let update = p.updates(&link).remove(0);
        assert_eq!(
            (update.state, update.settled),
            (Some(DeliveryState::Released), true)
        );
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn a_peer_that_refuses_changes_nothing() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let ours = state(vec![delivery(b"t", None)]);
        let link = p.resumed_with(session, ours.clone(), |attach| {
            attach.target(V::Null).unsettled(map(&[]))
        });
        assert_eq!(p.engine().link(link.id).unwrap().recovered(), None);
        p.inject(detach().handle(link.theirs).closed(true));
        p.expect_events(&[Event::LinkDetached(link.id)]);
        let left = p.engine().link(link.id).unwrap().state().unwrap();
        assert_eq!(left.unsettled, ours.unsettled);
    });
}

#[test]
fn a_sender_that_must_not_send_settled_settles_by_a_disposition() {
    client(|p| {
        let mut ours = state(vec![
            delivery(b"12", Some(DeliveryState::Accepted)),
            delivery(b"3", None),
        ]);
        ours.config.snd_settle_mode = SenderSettleMode::Unsettled;
        let link = resumed(p, ours, &[(b"12", accepted().v()), (b"3", released().v())]);
        let updates = p.updates(&link);
        p.engine()
            .sender(link.id)
            .unwrap()
            .settle(updates[1].delivery)
            .unwrap();
        p.expect_transfer()
            .delivery_tag(b"12")
            .settled(false)
            .accepted();
        p.expect_transfer()
            .delivery_tag(b"3")
            .settled(false)
            .state(released().v());
        let names = p.drain_names();
        assert!(names.iter().all(|name| name == "disposition") && !names.is_empty());
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn a_delivery_that_was_being_written_goes_on_being_written() {
    client(|p| {
        let half = message()[..300].to_vec();
        let ours = UnsettledDelivery {
            payload: Some(half.into()),
            complete: false,
            ..delivery(b"t", None)
        };
        let link = resumed(p, state(vec![ours]), &[(b"t", point(1, 100))]);
        p.expect_transfer()
            .resume(true)
            .more(true)
            .payload(&message()[106..300]);
        let id = p
            .engine()
            .link(link.id)
            .unwrap()
            .unsettled()
            .next()
            .unwrap()
            .id;
        let mut sender = p.engine().sender(link.id).unwrap();
        sender.write(id, message()[300..].to_vec()).unwrap();
        sender.finish(id).unwrap();
        p.expect_transfer().more(false).payload(&message()[300..]);
    });
}

#[test]
fn the_peers_attach_is_answered_with_what_is_remembered() {
    server(|p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |begin| begin);
        p.inject(
            build::attach()
                .name("l")
                .handle(3)
                .role(build::Role::Receiver)
                .source(build::source().address("q").v())
                .target(build::target().v())
                .unsettled(map(&[(b"t", point(1, 1))])),
        );
        let id = p.event_where("LinkAttached", |e| match e {
            Event::LinkAttached(id) => Some(id),
            _ => None,
        });
        let mut ours = state(vec![delivery(b"t", None), delivery(b"u", None)]);
        ours.config.initial_delivery_count = p.wire(0);
        let mut other = ours.clone();
        other.config.name = "other".into();
        assert!(p.engine().link(id).unwrap().resume(&other).is_err());
        p.engine().link(id).unwrap().resume(&ours).unwrap();
        let ours = p
            .expect_attach()
            .unsettled(map(&[(b"t", V::Null), (b"u", V::Null)]))
            .uint("handle");
        let link = Wired {
            id,
            ours,
            theirs: 3,
        };
        assert_eq!(
            report(p, &link),
            Recovery {
                resumed: 1,
                sent_again: 1,
                ..ALL
            }
        );
        p.grant(&link, 9);
        expect_rest(p, b"t", 7).state(point(1, 1));
        expect_new(p, b"u");
    });
}

#[test]
fn what_fits_no_frame_is_told_in_part_and_nothing_new_is_sent() {
    client(|p| {
        p.opened_with(|open| open.max_frame_size(512));
        let session = p.begun();
        let tags: Vec<[u8; 30]> = (0..40).map(|n| [n; 30]).collect();
        let ours = tags.iter().map(|tag| delivery(tag, None)).collect();
        let link = {
            let id = p.resume(session, state(ours)).unwrap();
            let got = p.expect_attach().incomplete_unsettled(true);
            assert!(got.size() <= 512 && got.size() > 440, "{}", got.size());
            let told = got.perf().get("unsettled");
            let V::Map(told) = told else { panic!("{told}") };
            assert!(told.iter().all(|(_, state)| state.is_null()));
            let ours = got.uint("handle");
            // The receiver has two of them: one that was told, and one that was not.
            let theirs = map(&[(&tags[0], accepted().v()), (&tags[39], accepted().v())]);
            got.respond_with(|attach| attach.unsettled(theirs));
            Wired {
                id,
                ours,
                theirs: ours + ferrion_tests::peer::HANDLE_OFFSET,
            }
        };
        p.grant(&link, 100);
        assert_eq!(
            report(p, &link),
            Recovery {
                complete: false,
                resumed: 2,
                ..ALL
            }
        );
        let refused = p.engine().sender(link.id).unwrap().send(b"new", b"x");
        assert!(matches!(refused, Err(SendError::Usage(_))));
        for update in p.updates(&link) {
            p.engine()
                .sender(link.id)
                .unwrap()
                .settle(update.delivery)
                .unwrap();
        }
        p.expect_transfer()
            .delivery_tag(&tags[0])
            .resume(true)
            .settled(true);
        p.expect_transfer()
            .delivery_tag(&tags[39])
            .resume(true)
            .settled(true);
        p.expect_nothing();
        let left = p.engine().link(link.id).unwrap().state().unwrap();
        assert_eq!(left.unsettled.len(), 38);
    });
}

#[test]
fn a_peer_that_tells_in_part_is_sent_nothing_that_it_might_have() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let ours = vec![
            delivery(b"1", None),
            delivery(b"2", None),
            delivery(b"3", at(2, 0)),
        ];
        let link = p.resumed_with(session, state(ours), |attach| {
            attach
                .unsettled(map(&[(b"1", point(2, 0)), (b"3", V::Null)]))
                .incomplete_unsettled(true)
        });
        p.grant(&link, 9);
        expect_rest(p, b"1", SECTIONS[1]);
        expect_aborted(p, b"3");
        p.expect_nothing();
        assert!(!report(p, &link).complete);
        // What is left comes with the next attach.
        p.engine().link(link.id).unwrap().detach().unwrap();
        p.expect_detach().closed(false).respond();
        p.event_where("LinkDetached", |e| {
            (e == Event::LinkDetached(link.id)).then_some(())
        });
        let left = p.engine().link(link.id).unwrap().state().unwrap();
        let tags: Vec<_> = left.unsettled.iter().map(|d| d.tag).collect();
        assert_eq!(
            tags,
            [&b"1"[..], b"2", b"3"].map(|tag| Tag::new(tag).unwrap())
        );
        let link = p.resumed_with(session, left, |attach| {
            attach.unsettled(map(&[(b"1", point(3, 0))]))
        });
        p.grant(&link, 9);
        expect_rest(p, b"1", SECTIONS[2]).state(point(3, 0));
        expect_new(p, b"2");
        expect_new(p, b"3");
        p.expect_nothing();
    });
}

#[test]
fn two_deliveries_of_one_tag_are_refused() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let ours = state(vec![delivery(b"1", None), delivery(b"1", None)]);
        assert!(p.resume(session, ours).is_err());
        p.expect_nothing();
        assert_eq!(p.engine().census().links, 0);
    });
}

#[test]
fn a_resumed_delivery_is_not_settled_before_the_peer_has_answered() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let id = p
            .resume(session, state(vec![delivery(b"1", None)]))
            .unwrap();
        let delivery = p.engine().link(id).unwrap().unsettled().next().unwrap().id;
        assert!(p.engine().sender(id).unwrap().settle(delivery).is_err());
        p.expect_attach().unsettled(map(&[(b"1", V::Null)]));
        assert_eq!(p.engine().link(id).unwrap().unsettled().count(), 1);
    });
}

/// The first half of a delivery, the rest of which is still to be written.
fn half_written(tag: &[u8], local_state: Option<DeliveryState>) -> UnsettledDelivery {
    UnsettledDelivery {
        payload: Some(message()[..300].to_vec().into()),
        complete: false,
        ..delivery(tag, local_state)
    }
}

fn first_unsettled(p: &mut Peer, link: &Wired) -> DeliveryId {
    let link = p.engine().link(link.id).unwrap();
    link.unsettled().next().unwrap().id
}

fn within_transaction() -> DeliveryState {
    let id = bytes::Bytes::from_static(b"x");
    DeliveryState::Transactional(Box::new(TransactionalState::new(id)))
}

#[test]
fn an_open_delivery_is_not_touched_before_the_peer_has_answered() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let id = p
            .resume(session, state(vec![half_written(b"1", None)]))
            .unwrap();
        let delivery = p.engine().link(id).unwrap().unsettled().next().unwrap().id;
        let mut sender = p.engine().sender(id).unwrap();
        let wait = UsageError::WrongState("the link is being resumed: wait until it is attached");
        assert_eq!(sender.abort(delivery), Err(wait.clone()));
        assert_eq!(sender.finish(delivery), Err(wait.clone()));
        assert_eq!(
            sender.write(delivery, b"more".to_vec()),
            Err(SendError::Usage(wait))
        );
        p.expect_attach().unsettled(map(&[(b"1", V::Null)]));
        p.expect_nothing();
    });
}

#[test]
fn what_the_receiver_remembers_is_aborted_aloud_though_nothing_was_written_yet() {
    let remembered = [point(1, 3), V::Null, accepted().v(), released().v()];
    for (n, theirs) in remembered.into_iter().enumerate() {
        client(|p| {
            // The last is restated, the one before it confirmed, the others are resumed.
            let ours = match n {
                3 => delivery(b"1", Some(DeliveryState::Accepted)),
                2 => delivery(b"1", None),
                _ => half_written(b"1", None),
            };
            p.opened();
            let session = p.begun();
            let link = p.resumed_with(session, state(vec![ours]), |attach| {
                attach.unsettled(map(&[(b"1", theirs.clone())]))
            });
            let id = first_unsettled(p, &link);
            p.engine().sender(link.id).unwrap().abort(id).unwrap();
            assert_eq!(
                p.engine().sender(link.id).unwrap().abort(id),
                Err(UsageError::StaleHandle)
            );
            p.expect_nothing();
            p.grant(&link, 5);
            p.expect_transfer()
                .delivery_tag(b"1")
                .resume(true)
                .aborted(true)
                .settled(false)
                .more(false)
                .null("state")
                .payload(b"");
            expect_nothing_unsettled(p, &link);
            p.send(&link, b"2", b"hi");
            p.expect_transfer().delivery_tag(b"2").resume(false);
        });
    }
}

#[test]
fn what_the_receiver_has_nothing_of_is_aborted_in_silence() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.resumed_with(session, state(vec![delivery(b"1", None)]), |attach| {
            attach.unsettled(map(&[]))
        });
        let id = first_unsettled(p, &link);
        p.engine().sender(link.id).unwrap().abort(id).unwrap();
        p.grant(&link, 5);
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn an_open_delivery_with_an_outcome_is_not_written_to_the_end() {
    let told = DeliveryState::Accepted;
    let remembered = [None, Some(point(1, 3)), Some(accepted().v())];
    for theirs in remembered {
        client(|p| {
            let ours = state(vec![half_written(b"1", Some(told.clone()))]);
            let theirs: Vec<(&[u8], V)> = theirs.iter().map(|v| (&b"1"[..], v.clone())).collect();
            let link = resumed(p, ours, &theirs);
            let update = p.updates(&link).remove(0);
            assert_eq!((&update.state, update.settled), (&Some(told.clone()), true));
            let mut sender = p.engine().sender(link.id).unwrap();
            assert_eq!(
                sender.finish(update.delivery),
                Err(UsageError::StaleHandle),
                "it was over with its update"
            );
            p.drain_names();
            expect_nothing_unsettled(p, &link);
        });
    }
}

#[test]
fn an_open_delivery_of_two_outcomes_is_settled_by_either_side() {
    client(|p| {
        let ours = || half_written(b"1", Some(DeliveryState::Accepted));
        let link = resumed(p, state(vec![ours()]), &[(b"1", released().v())]);
        let id = first_unsettled(p, &link);
        p.engine().sender(link.id).unwrap().settle(id).unwrap();
        p.expect_transfer()
            .resume(true)
            .settled(true)
            .accepted()
            .payload(b"");
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn an_open_delivery_whose_outcome_was_told_is_over_once_the_receiver_forgot_it() {
    client(|p| {
        let ours = UnsettledDelivery {
            remote_state: Some(DeliveryState::Released),
            ..half_written(b"1", None)
        };
        let link = resumed(p, state(vec![ours]), &[]);
        let update = p.updates(&link).remove(0);
        assert_eq!(
            (update.state, update.settled),
            (Some(DeliveryState::Released), true)
        );
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn a_lost_delivery_has_no_outcome_whatever_the_default_is() {
    for remote_state in [None, at(1, 3)] {
        client(|p| {
            let mut ours = state(vec![UnsettledDelivery {
                payload: None,
                remote_state: remote_state.clone(),
                ..delivery(b"1", None)
            }]);
            let source = ours.config.source.get_or_insert_default();
            source.default_outcome = Some(DeliveryState::Accepted);
            let link = resumed(p, ours, &[]);
            assert_eq!(report(p, &link), Recovery { lost: 1, ..ALL });
            // Nor is it made up where the link is lost again before the application was told.
            let left = p.engine().link(link.id).unwrap().state().unwrap();
            assert_eq!(left.unsettled[0].remote_state, None);
            let update = p.updates(&link).remove(0);
            assert_eq!((update.state, update.settled), (None, true));
            expect_nothing_unsettled(p, &link);
        });
    }
}

#[test]
fn what_the_receiver_settles_without_a_word_has_the_default_outcome_also_in_what_is_left() {
    client(|p| {
        let mut ours = state(vec![delivery(b"1", None)]);
        let source = ours.config.source.get_or_insert_default();
        source.default_outcome = Some(DeliveryState::Accepted);
        let link = resumed(p, ours, &[]);
        expect_new(p, b"1");
        p.inject(
            disposition()
                .role(build::Role::Receiver)
                .first(0)
                .settled(true),
        );
        let left = p.engine().link(link.id).unwrap().state().unwrap();
        assert_eq!(
            left.unsettled[0].remote_state,
            Some(DeliveryState::Accepted)
        );
        let update = p.updates(&link).remove(0);
        assert_eq!(update.state, Some(DeliveryState::Accepted));
    });
}

/// What is left of a link that can be recovered when its connection is lost after a message was sent in this state: at
/// once, after its transfer got out, or in the middle of it.
fn left_of_what_was_sent(said: &DeliveryState) -> [LinkState; 3] {
    let options = SendOptions {
        state: Some(said.clone()),
        ..SendOptions::default()
    };
    [0, 1, 2].map(|way| {
        let left = RefCell::new(None);
        client(|p| {
            p.opened();
            let session = p.begun();
            let mut config = LinkConfig::sender("l", "q");
            config.recoverable = true;
            let link = p.sender_with(session, config, |attach| attach);
            p.grant(&link, 1);
            let mut sender = p.engine().sender(link.id).unwrap();
            if way == 2 {
                let id = sender.stream(b"1", &options).unwrap();
                sender.write(id, message()[..300].to_vec()).unwrap();
            } else {
                sender.send_with(b"1", &options, message()).unwrap();
            }
            if way > 0 {
                p.expect_transfer();
            }
            p.inject_eof();
            *left.borrow_mut() = Some(p.engine().link_states().remove(0));
        });
        left.into_inner().unwrap()
    })
}

#[test]
fn an_outcome_said_when_sending_does_not_decide_what_the_receiver_has_nothing_of() {
    for left in left_of_what_was_sent(&DeliveryState::Accepted) {
        client(|p| {
            let link = resumed(p, left.clone(), &[]);
            let expected = Recovery {
                sent_again: 1,
                ..ALL
            };
            assert_eq!(report(p, &link), expected);
            assert_eq!(p.updates(&link), []);
            p.expect_transfer().delivery_tag(b"1").resume(false);
            p.expect_nothing();
        });
    }
}

#[test]
fn an_outcome_said_when_sending_does_not_call_off_what_the_receiver_has_a_part_of() {
    for left in left_of_what_was_sent(&DeliveryState::Accepted) {
        client(|p| {
            let link = resumed(p, left.clone(), &[(b"1", point(1, 100))]);
            assert_eq!(report(p, &link), Recovery { resumed: 1, ..ALL });
            p.expect_transfer()
                .resume(true)
                .aborted(false)
                .state(point(1, 100));
        });
    }
}

#[test]
fn the_work_of_a_transaction_is_not_done_outside_of_it() {
    for left in left_of_what_was_sent(&within_transaction()) {
        client(|p| {
            let link = resumed(p, left.clone(), &[]);
            assert_eq!(report(p, &link), Recovery { lost: 1, ..ALL });
            let update = p.updates(&link).remove(0);
            assert_eq!((update.state, update.settled), (None, true));
            expect_nothing_unsettled(p, &link);
        });
    }
}

#[test]
fn the_work_of_a_transaction_is_called_off_where_the_receiver_has_decided_nothing() {
    for theirs in [V::Null, point(1, 3)] {
        client(|p| {
            let ours = state(vec![delivery(b"1", Some(within_transaction()))]);
            let link = resumed(p, ours, &[(b"1", theirs.clone())]);
            expect_aborted(p, b"1");
            let expected = Recovery {
                resumed: 1,
                aborted: 1,
                lost: 1,
                ..ALL
            };
            assert_eq!(report(p, &link), expected);
            let update = p.updates(&link).remove(0);
            assert_eq!((update.state, update.settled), (None, true));
            expect_nothing_unsettled(p, &link);
        });
    }
}

#[test]
fn the_state_of_a_transaction_at_the_receiver_is_told_and_settles_nothing() {
    for ours in [None, Some(within_transaction())] {
        client(|p| {
            let theirs = V::described(0x34, V::List(vec![V::bin(b"x")]));
            let ours = state(vec![delivery(b"1", ours.clone())]);
            let link = resumed(p, ours, &[(b"1", theirs.clone())]);
            p.expect_transfer()
                .resume(true)
                .settled(false)
                .state(theirs)
                .payload(b"");
            let update = p.updates(&link).remove(0);
            assert_eq!(
                (update.state, update.settled),
                (Some(within_transaction()), false)
            );
            assert_eq!(report(p, &link), Recovery { resumed: 1, ..ALL });
        });
    }
}

#[test]
fn a_graceful_close_waits_for_what_a_resumed_sender_remembers() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let id = p
            .resume(session, state(vec![delivery(b"1", None)]))
            .unwrap();
        let by = p.now().after(60_000);
        p.engine().link(id).unwrap().close_by(by).unwrap();
        let closing = |p: &mut Peer| p.engine().link(id).unwrap().closing();
        assert_eq!(closing(p), Some(Closing::Settling));
        let got = p.expect_attach();
        let ours = got.uint("handle");
        got.respond_with(|attach| attach.unsettled(map(&[])));
        p.event_where("LinkAttached", |e| {
            (e == Event::LinkAttached(id)).then_some(())
        });
        let link = Wired {
            id,
            ours,
            theirs: ours + HANDLE_OFFSET,
        };
        assert_eq!(closing(p), Some(Closing::Sending));
        p.grant(&link, 5);
        expect_new(p, b"1");
        assert_eq!(closing(p), Some(Closing::Settling));
        p.expect_nothing();
        let outcome = disposition().role(build::Role::Receiver).first(0);
        p.inject(outcome.settled(true).accepted());
        p.expect_detach().closed(true);
        assert_eq!(closing(p), Some(Closing::Complete));
    });
}
