//! Link recovery at the receiving side (2.6.13, 3.4.6): what becomes of each delivery that was not settled before.
//!
//! The tests that begin with `example_` are the deliveries of the specification's example, as its receiver sees them.

use ferrion_engine::codec::Symbol;
use ferrion_engine::protocol::{Condition, DeliveryState, Received, ReceiverSettleMode, Role, Tag};
use ferrion_engine::{
    Closing, Config, Event, LinkConfig, LinkState, Recovery, SessionConfig, UnsettledDelivery,
};
use ferrion_tests::build::{
    self, Build, accepted, composite, detach, disposition, received, rejected, released, transfer,
};
use ferrion_tests::oracle::V;
use ferrion_tests::peer::{HANDLE_OFFSET, Peer, Wired, client, client_with, server};

/// Three sections: a header of 5 octets, data that look like the beginning of sections themselves, data of 4.
const MESSAGE: &[u8] = &[
    0, 0x53, 0x70, 0xc0, 1, 0, 0, 0x53, 0x75, 0xa0, 8, 0, 0x53, 0x75, 0xa0, 1, 0, 0, 0x53, 0, 0x53,
    0x75, 0xa0, 4, b'l', b'a', b's', b't',
];
/// Where the second and the third section begin.
const SECOND: usize = 6;
const THIRD: usize = 19;

fn point(section: u32, offset: u64) -> V {
    received()
        .section_number(section)
        .section_offset(offset)
        .v()
}

/// A delivery that the application has, in this state.
fn taken(tag: &[u8], local_state: Option<DeliveryState>) -> UnsettledDelivery {
    UnsettledDelivery {
        local_state,
        ..UnsettledDelivery::new(Tag::new(tag).unwrap())
    }
}

/// A delivery that the application settled where the sender settles first.
fn done(tag: &[u8], outcome: DeliveryState) -> UnsettledDelivery {
    UnsettledDelivery {
        done: true,
        ..taken(tag, Some(outcome))
    }
}

/// A delivery of which so many octets arrived, and were not handed over.
fn arrived(tag: &[u8], octets: usize) -> UnsettledDelivery {
    UnsettledDelivery {
        payload: Some(MESSAGE[..octets].into()),
        complete: octets == MESSAGE.len(),
        ..taken(tag, None)
    }
}

fn whole() -> Option<DeliveryState> {
    Some(DeliveryState::Received(Box::new(Received::new(3, 0))))
}

fn state(unsettled: Vec<UnsettledDelivery>) -> LinkState {
    LinkState {
        unsettled,
        ..LinkState::new(Role::Receiver, LinkConfig::receiver("l", "q"))
    }
}

fn second(unsettled: Vec<UnsettledDelivery>) -> LinkState {
    let mut state = state(unsettled);
    state.config.rcv_settle_mode = ReceiverSettleMode::Second;
    state
}

fn map(entries: &[(&[u8], V)]) -> V {
    let entries = entries
        .iter()
        .map(|(tag, state)| (V::bin(tag), state.clone()));
    V::Map(entries.collect())
}

/// The engine resumes a receiver, which tells this map; the script remembers deliveries of its own, and gets credit.
fn resumed(p: &mut Peer, state: LinkState, ours: &[(&[u8], V)], theirs: &[(&[u8], V)]) -> Wired {
    p.opened();
    let session = p.begun();
    let id = p.resume(session, state).unwrap();
    let got = p
        .expect_attach()
        .unsettled(map(ours))
        .incomplete_unsettled(false);
    let ours = got.uint("handle");
    got.respond_with(|attach| attach.unsettled(map(theirs)));
    p.event_where("LinkAttached", |e| {
        (e == Event::LinkAttached(id)).then_some(())
    });
    let link = Wired {
        id,
        ours,
        theirs: ours + ferrion_tests::peer::HANDLE_OFFSET,
    };
    p.take_credit(&link, 100);
    link
}

#[test]
fn whether_the_peer_remembers_deliveries_is_known_once_it_has_attached() {
    for (unsettled, remembers) in [
        (None, false),
        (Some(map(&[])), true),
        (Some(map(&[(b"t", V::Null)])), true),
    ] {
        client(|p| {
            p.opened();
            let session = p.begun();
            let config = LinkConfig::receiver("l", "source");
            let mut session = p.engine().session(session).unwrap();
            let id = session.attach_receiver(config).unwrap();
            assert_eq!(p.engine().link(id).unwrap().peer_remembers(), None);
            p.expect_attach()
                .respond_with(|attach| match unsettled.clone() {
                    Some(map) => attach.unsettled(map),
                    None => attach,
                });
            let told = p.engine().link(id).unwrap().peer_remembers();
            assert_eq!(told, Some(remembers));
        });
    }
}

/// The transfer that resumes a delivery.
fn resume(link: &Wired, id: u32, tag: &[u8]) -> Build {
    transfer()
        .handle(link.theirs)
        .delivery_id(id)
        .delivery_tag(tag)
        .resume(true)
}

fn report(p: &mut Peer, link: &Wired) -> Recovery {
    p.engine().link(link.id).unwrap().recovered().unwrap()
}

/// Nothing is left, nothing is said.
fn expect_nothing_unsettled(p: &mut Peer, link: &Wired) {
    p.expect_nothing();
    p.expect_no_delivery(link);
    assert_eq!(p.updates(link), []);
    assert_eq!(p.engine().link(link.id).unwrap().unsettled().count(), 0);
    assert_eq!(p.engine().census().incoming_deliveries, 0);
}

#[test]
fn examples_1_5_and_10_what_only_the_sender_remembers_comes_as_new_or_not_at_all() {
    client(|p| {
        let theirs: [(&[u8], V); 3] = [
            (b"1", V::Null),
            (b"5", point(0, 2)),
            (b"10", accepted().v()),
        ];
        let link = resumed(p, state(vec![]), &[], &theirs);
        assert_eq!(
            report(p, &link),
            Recovery {
                peer_remembers: true,
                complete: true,
                ..Recovery::default()
            }
        );
        p.inject(p.delivery(&link, 0, MESSAGE).delivery_tag(b"1"));
        let delivery = p.take(&link);
        p.settle(&link, delivery.id.unwrap(), Some(DeliveryState::Accepted));
        p.expect_disposition().first(0).settled(true).accepted();
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_2_the_rest_of_a_delivery_is_put_behind_what_had_arrived() {
    for from in [0, 3, SECOND, 10, THIRD] {
        client(|p| {
            let link = resumed(
                p,
                state(vec![arrived(b"2", THIRD)]),
                &[(b"2", point(2, 0))],
                &[(b"2", V::Null)],
            );
            assert_eq!(report(p, &link).resumed, 1);
            // Wherever the sender begins, what is here already is passed over.
            let begin = match from {
                0 => V::Null,
                3 => point(0, 3),
                10 => point(1, 4),
                SECOND => point(1, 0),
                _ => point(2, 0),
            };
            p.inject(
                resume(&link, 0, b"2")
                    .state(begin)
                    .payload(&MESSAGE[from..]),
            );
            let delivery = p.take(&link);
            assert_eq!(delivery.payload.into_bytes(), MESSAGE);
            assert_eq!((delivery.tag.as_bytes(), delivery.state), (&b"2"[..], None));
            p.settle(&link, delivery.id.unwrap(), Some(DeliveryState::Accepted));
            p.expect_disposition().first(0).settled(true).accepted();
            expect_nothing_unsettled(p, &link);
        });
    }
}

#[test]
fn the_rest_may_come_in_many_transfers() {
    client(|p| {
        let ours = state(vec![arrived(b"2", 8)]);
        let link = resumed(p, ours, &[(b"2", point(1, 2))], &[(b"2", V::Null)]);
        p.inject(resume(&link, 0, b"2").more(true).payload(&MESSAGE[..5]));
        p.inject(
            transfer()
                .handle(link.theirs)
                .more(true)
                .payload(&MESSAGE[5..7]),
        );
        p.inject(
            transfer()
                .handle(link.theirs)
                .more(true)
                .payload(&MESSAGE[7..15]),
        );
        p.expect_no_delivery(&link);
        p.inject(transfer().handle(link.theirs).payload(&MESSAGE[15..]));
        assert_eq!(p.take(&link).payload.into_bytes(), MESSAGE);
    });
}

#[test]
fn examples_3_and_8_an_outcome_that_the_sender_confirms_by_settling_is_forgotten() {
    client(|p| {
        let ours = second(vec![done(b"3", DeliveryState::Accepted)]);
        let link = resumed(p, ours, &[(b"3", accepted().v())], &[(b"3", V::Null)]);
        p.inject(resume(&link, 0, b"3").settled(true).accepted());
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn an_outcome_that_the_sender_confirms_without_settling_is_kept_until_it_settles() {
    client(|p| {
        let ours = second(vec![done(b"3", DeliveryState::Accepted)]);
        let link = resumed(p, ours, &[(b"3", accepted().v())], &[(b"3", V::Null)]);
        p.inject(resume(&link, 0, b"3").accepted());
        p.expect_nothing();
        assert_eq!(p.engine().link(link.id).unwrap().unsettled().count(), 1);
        p.inject(
            disposition()
                .role(build::Role::Sender)
                .first(0)
                .settled(true)
                .accepted(),
        );
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn an_outcome_that_the_sender_confirms_without_its_details_is_the_same() {
    let error =
        Condition::with_description(Symbol::from_static("app:broken"), "the lid is missing");
    let told = composite(0x1d).set("condition", V::sym("app:broken"));
    let whole = rejected()
        .error(told.clone().description("the lid is missing").v())
        .v();
    let told = rejected().error(told.v()).v();
    client(|p| {
        let ours = second(vec![done(b"3", DeliveryState::rejected(error.clone()))]);
        let link = resumed(p, ours, &[(b"3", whole.clone())], &[(b"3", V::Null)]);
        p.inject(resume(&link, 0, b"3").state(told.clone()));
        p.expect_nothing();
        assert_eq!(p.updates(&link), []);
        assert_eq!(p.engine().link(link.id).unwrap().unsettled().count(), 1);
        p.inject(
            disposition()
                .role(build::Role::Sender)
                .first(0)
                .settled(true),
        );
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn an_outcome_is_told_again_to_a_sender_that_does_not_name_it() {
    client(|p| {
        let ours = second(vec![done(b"3", DeliveryState::Released)]);
        let link = resumed(p, ours, &[(b"3", released().v())], &[(b"3", V::Null)]);
        p.inject(resume(&link, 0, b"3").payload(MESSAGE));
        p.expect_disposition()
            .first(0)
            .settled(false)
            .state(released().v());
        p.expect_no_delivery(&link);
        p.inject(
            disposition()
                .role(build::Role::Sender)
                .first(0)
                .settled(true),
        );
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn an_outcome_is_settled_where_the_receiver_settles_first() {
    client(|p| {
        let ours = state(vec![taken(b"3", None)]);
        let link = resumed(p, ours, &[(b"3", V::Null)], &[(b"3", V::Null)]);
        // The application settles it before the sender has resumed it.
        let id = p
            .engine()
            .link(link.id)
            .unwrap()
            .unsettled()
            .next()
            .unwrap()
            .id;
        p.settle(&link, id, Some(DeliveryState::Accepted));
        p.expect_nothing();
        p.inject(resume(&link, 0, b"3").more(true).payload(&MESSAGE[..9]));
        p.expect_disposition().first(0).settled(true).accepted();
        p.inject(transfer().handle(link.theirs).payload(&MESSAGE[9..]));
        expect_nothing_unsettled(p, &link);
    });
}

/// There is no outcome for the sender to confirm, so that it would wait for ever.
#[test]
fn what_was_settled_without_an_outcome_is_settled_when_it_is_resumed_where_the_receiver_settles_second_too()
 {
    for has_state in [false, true] {
        client(|p| {
            let told = has_state.then(|| point(1, 0));
            let read = has_state.then(|| Received::new(1, 0));
            let read = read.map(|point| DeliveryState::Received(Box::new(point)));
            let ours = second(vec![taken(b"3", read)]);
            let link = resumed(
                p,
                ours,
                &[(b"3", told.unwrap_or(V::Null))],
                &[(b"3", V::Null)],
            );
            let id = p
                .engine()
                .link(link.id)
                .unwrap()
                .unsettled()
                .next()
                .unwrap()
                .id;
            let mut receiver = p.engine().receiver(link.id).unwrap();
            receiver.settle_at_once(id, None).unwrap();
            p.expect_nothing();
            p.inject(resume(&link, 0, b"3").payload(MESSAGE));
            p.expect_disposition().first(0).settled(true);
            expect_nothing_unsettled(p, &link);
        });
    }
}

#[test]
fn example_4_what_the_application_has_is_not_handed_over_again() {
    client(|p| {
        let ours = state(vec![taken(b"4", None)]);
        let link = resumed(p, ours, &[(b"4", V::Null)], &[(b"4", V::Null)]);
        p.inject(resume(&link, 0, b"4").more(true).payload(&MESSAGE[..9]));
        p.inject(transfer().handle(link.theirs).payload(&MESSAGE[9..]));
        p.expect_no_delivery(&link);
        let id = p
            .engine()
            .link(link.id)
            .unwrap()
            .unsettled()
            .next()
            .unwrap()
            .id;
        p.settle(&link, id, Some(DeliveryState::Accepted));
        p.expect_disposition().first(0).settled(true).accepted();
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_4_a_delivery_of_which_nothing_arrived_comes_whole() {
    client(|p| {
        let ours = state(vec![arrived(b"4", 0)]);
        let link = resumed(p, ours, &[(b"4", point(0, 0))], &[(b"4", V::Null)]);
        p.inject(resume(&link, 0, b"4").payload(MESSAGE));
        assert_eq!(p.take(&link).payload.into_bytes(), MESSAGE);
    });
}

#[test]
fn example_6_a_sender_that_begins_late_but_not_too_late_completes_the_delivery() {
    client(|p| {
        let link = resumed(
            p,
            state(vec![arrived(b"6", THIRD + 2)]),
            &[(b"6", point(2, 2))],
            &[(b"6", point(1, 5))],
        );
        p.inject(
            resume(&link, 0, b"6")
                .state(point(1, 5))
                .payload(&MESSAGE[SECOND + 5..]),
        );
        assert_eq!(p.take(&link).payload.into_bytes(), MESSAGE);
    });
}

#[test]
fn examples_7_9_11_and_14_what_the_sender_calls_off_is_discarded() {
    for sender in [point(2, 0), accepted().v()] {
        client(|p| {
            let ours = state(vec![arrived(b"7", 8), arrived(b"9", 0)]);
            let told: [(&[u8], V); 2] = [(b"7", point(1, 2)), (b"9", point(0, 0))];
            let theirs: [(&[u8], V); 2] = [(b"7", sender.clone()), (b"9", sender.clone())];
            let link = resumed(p, ours, &told, &theirs);
            p.inject(resume(&link, 0, b"7").aborted(true));
            p.inject(resume(&link, 1, b"9").aborted(true));
            expect_nothing_unsettled(p, &link);
            // What was called off may be sent anew.
            p.inject(p.delivery(&link, 2, MESSAGE).delivery_tag(b"7"));
            assert_eq!(p.take(&link).payload.into_bytes(), MESSAGE);
        });
    }
}

#[test]
fn a_delivery_that_the_application_has_is_settled_when_the_sender_calls_it_off() {
    client(|p| {
        let ours = state(vec![taken(b"11", whole())]);
        let link = resumed(p, ours, &[(b"11", point(3, 0))], &[(b"11", accepted().v())]);
        p.inject(resume(&link, 0, b"11").aborted(true));
        let update = p.updates(&link).remove(0);
        assert!(update.settled && update.tag.as_bytes() == b"11");
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_12_the_same_outcome_on_both_sides_is_forgotten_when_the_sender_settles() {
    client(|p| {
        let ours = second(vec![done(b"12", DeliveryState::Accepted)]);
        let link = resumed(
            p,
            ours,
            &[(b"12", accepted().v())],
            &[(b"12", accepted().v())],
        );
        p.inject(resume(&link, 0, b"12").settled(true));
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn example_13_of_two_outcomes_the_senders_is_echoed_and_the_delivery_settled() {
    client(|p| {
        let ours = second(vec![done(b"13", DeliveryState::Released)]);
        let link = resumed(
            p,
            ours,
            &[(b"13", released().v())],
            &[(b"13", accepted().v())],
        );
        p.inject(resume(&link, 0, b"13").accepted());
        p.expect_disposition()
            .role(build::Role::Receiver)
            .first(0)
            .settled(true)
            .accepted();
        // The application thought otherwise, so it is told.
        let update = p.updates(&link).remove(0);
        assert_eq!(
            (update.state, update.settled),
            (Some(DeliveryState::Accepted), true)
        );
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn what_only_the_receiver_remembers_was_settled_by_the_sender() {
    client(|p| {
        let ours = second(vec![
            taken(b"a", whole()),
            done(b"b", DeliveryState::Accepted),
            arrived(b"c", MESSAGE.len()),
            arrived(b"d", 8),
        ]);
        let told: [(&[u8], V); 4] = [
            (b"a", point(3, 0)),
            (b"b", accepted().v()),
            (b"c", point(3, 0)),
            (b"d", point(1, 2)),
        ];
        let link = resumed(p, ours, &told, &[]);
        let settled = Recovery {
            peer_remembers: true,
            complete: true,
            settled: 4,
            ..Recovery::default()
        };
        assert_eq!(report(p, &link), settled);
        let updates = p.updates(&link);
        assert_eq!(updates.len(), 1);
        assert!(updates[0].settled && updates[0].tag.as_bytes() == b"a");
        // What arrived whole is the application's, and there is nothing to settle.
        let delivery = p.take(&link);
        assert_eq!((delivery.id, delivery.tag.as_bytes()), (None, &b"c"[..]));
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn what_arrived_whole_is_handed_over_once_the_sender_resumes_it() {
    for begin in [point(3, 0), point(2, 9), V::Null] {
        client(|p| {
            let ours = state(vec![arrived(b"t", MESSAGE.len())]);
            let link = resumed(p, ours, &[(b"t", point(3, 0))], &[(b"t", V::Null)]);
            p.expect_no_delivery(&link);
            let rest = if begin.is_null() { MESSAGE } else { b"" };
            p.inject(resume(&link, 0, b"t").state(begin.clone()).payload(rest));
            let delivery = p.take(&link);
            assert_eq!(delivery.payload.into_bytes(), MESSAGE);
            p.settle(&link, delivery.id.unwrap(), Some(DeliveryState::Accepted));
            p.expect_disposition().first(0).settled(true);
            expect_nothing_unsettled(p, &link);
        });
    }
}

#[test]
fn a_resumed_delivery_that_nobody_remembers_is_passed_over() {
    client(|p| {
        let link = resumed(p, state(vec![]), &[], &[(b"x", V::Null)]);
        p.inject(resume(&link, 0, b"x").more(true).payload(b"much"));
        p.inject(transfer().handle(link.theirs).more(true).payload(b" of"));
        p.inject(transfer().handle(link.theirs).payload(b" it"));
        p.inject(resume(&link, 1, b"x").settled(true).accepted());
        p.inject(resume(&link, 2, b"x").more(true));
        p.inject(transfer().handle(link.theirs).aborted(true));
        expect_nothing_unsettled(p, &link);
        // The next one is none of it.
        p.inject(p.delivery(&link, 3, MESSAGE).delivery_tag(b"x"));
        assert_eq!(p.take(&link).payload.into_bytes(), MESSAGE);
        assert_eq!(p.engine().receiver(link.id).unwrap().credit(), 96);
    });
}

#[test]
fn resuming_on_a_link_without_a_past_is_passed_over() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "l");
        p.take_credit(&link, 2);
        p.inject(resume(&link, 0, b"x").payload(MESSAGE));
        expect_nothing_unsettled(p, &link);
        p.inject(p.delivery(&link, 1, MESSAGE));
        assert_eq!(p.take(&link).payload.into_bytes(), MESSAGE);
    });
}

#[test]
fn a_delivery_is_resumed_once() {
    client(|p| {
        let ours = state(vec![arrived(b"t", 8)]);
        let link = resumed(p, ours, &[(b"t", point(1, 2))], &[(b"t", V::Null)]);
        p.inject(resume(&link, 0, b"t").payload(MESSAGE));
        let delivery = p.take(&link);
        // Also not once it is settled.
        p.inject(resume(&link, 1, b"t").payload(MESSAGE));
        p.expect_no_delivery(&link);
        p.settle(&link, delivery.id.unwrap(), Some(DeliveryState::Accepted));
        p.expect_disposition().first(0).settled(true);
        p.inject(resume(&link, 2, b"t").payload(MESSAGE));
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn a_tag_that_is_given_to_something_new_settles_the_old() {
    client(|p| {
        let ours = state(vec![taken(b"t", whole())]);
        let link = resumed(p, ours, &[(b"t", point(3, 0))], &[(b"t", V::Null)]);
        p.inject(p.delivery(&link, 0, b"new").delivery_tag(b"t"));
        assert!(p.updates(&link)[0].settled);
        let delivery = p.take(&link);
        assert_eq!(delivery.payload.into_bytes(), "new");
        p.settle(&link, delivery.id.unwrap(), Some(DeliveryState::Accepted));
        p.expect_disposition().first(0);
        expect_nothing_unsettled(p, &link);
    });
}

#[test]
fn resuming_behind_what_arrived_detaches_the_link_and_loses_nothing() {
    for beyond in [point(1, 3), point(2, 0), point(0, 7), point(9, 0)] {
        client(|p| {
            p.opened();
            let session = p.begun();
            let other = p.receiver(session, "other");
            p.take_credit(&other, 1);
            let ours = state(vec![taken(b"a", whole()), arrived(b"t", 8)]);
            let link = p.resumed_with(session, ours.clone(), |attach| {
                attach.unsettled(map(&[(b"a", V::Null), (b"t", V::Null)]))
            });
            p.take_credit(&link, 9);
            p.inject(
                resume(&link, 0, b"t")
                    .state(beyond.clone())
                    .payload(&MESSAGE[19..]),
            );
            p.expect_detach()
                .handle(link.ours)
                .closed(true)
                .condition("amqp:invalid-field");
            p.expect_events(&[Event::LinkDetached(link.id)]);
            let left = p.engine().link(link.id).unwrap().state().unwrap();
            assert_eq!(left.unsettled, ours.unsettled);
            p.inject(detach().handle(link.theirs).closed(true));
            p.inject(p.delivery(&other, 1, MESSAGE));
            p.take(&other);
        });
    }
}

#[test]
fn a_resumed_delivery_that_ends_before_what_arrived_detaches_the_link() {
    client(|p| {
        let ours = state(vec![arrived(b"t", 20)]);
        let link = resumed(p, ours, &[(b"t", point(2, 1))], &[(b"t", V::Null)]);
        p.inject(resume(&link, 0, b"t").payload(&MESSAGE[..10]));
        p.expect_detach()
            .closed(true)
            .condition("amqp:invalid-field");
        p.expect_no_delivery(&link);
    });
}

#[test]
fn a_resumed_delivery_needs_credit_as_any_other() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.resumed_with(session, state(vec![taken(b"t", whole())]), |attach| {
            attach.unsettled(map(&[(b"t", V::Null)]))
        });
        p.inject(resume(&link, 0, b"t"));
        p.expect_detach()
            .condition("amqp:link:transfer-limit-exceeded");
    });
}

#[test]
fn a_part_that_the_application_read_is_not_read_twice() {
    client(|p| {
        // Ten octets came, of which the application read six.
        let ours = UnsettledDelivery {
            payload: Some(MESSAGE[6..10].into()),
            read: 6,
            complete: false,
            ..taken(b"t", None)
        };
        // Without what was read nobody can tell where in the message this is.
        let link = resumed(p, state(vec![ours]), &[(b"t", V::Null)], &[(b"t", V::Null)]);
        p.engine().receiver(link.id).unwrap().set_streaming(true);
        p.inject(resume(&link, 0, b"t").more(true).payload(&MESSAGE[..15]));
        let read = p
            .engine()
            .receiver(link.id)
            .unwrap()
            .read_partial()
            .unwrap();
        assert_eq!(read.into_bytes(), MESSAGE[6..15]);
        p.inject(transfer().handle(link.theirs).payload(&MESSAGE[15..]));
        let delivery = p.take(&link);
        assert_eq!(delivery.payload.into_bytes(), MESSAGE[15..]);
    });
}

#[test]
fn a_part_that_the_application_read_is_called_off_aloud() {
    let theirs: [(&[u8], V); 1] = [(b"t", V::Null)];
    for (remembered, aborted) in [(&theirs[..], true), (&[][..], false)] {
        client(|p| {
            let ours = UnsettledDelivery {
                payload: Some(MESSAGE[6..10].into()),
                read: 6,
                complete: false,
                ..taken(b"t", None)
            };
            let link = resumed(p, state(vec![ours]), &[(b"t", V::Null)], remembered);
            if aborted {
                p.inject(resume(&link, 0, b"t").aborted(true));
            }
            let delivery = p.take(&link);
            assert!(delivery.aborted && delivery.tag.as_bytes() == b"t");
            expect_nothing_unsettled(p, &link);
        });
    }
}

#[test]
fn what_was_held_is_given_back_to_the_window() {
    client(|p| {
        p.opened();
        let config = SessionConfig {
            incoming_octets: 100,
            ..SessionConfig::default()
        };
        let session = p.begun_with(config, |begin| begin);
        for (n, tag) in (0u32..).zip([b"a", b"b", b"c"]) {
            let mut ours = state(vec![arrived(tag, MESSAGE.len())]);
            ours.config.name = n.to_string().into();
            let link = p.resumed_with(session, ours, |attach| {
                attach.unsettled(map(&[(tag, V::Null)]))
            });
            p.take_credit(&link, 1);
            p.inject(resume(&link, n, tag).state(point(3, 0)));
            assert_eq!(p.take(&link).payload.len(), MESSAGE.len());
        }
        let link = p.receiver(session, "last");
        p.take_credit(&link, 1);
        p.inject(p.delivery(&link, 3, MESSAGE));
        p.take(&link);
    });
}

#[test]
fn a_map_of_what_is_none_detaches_the_link_and_loses_nothing() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let ours = state(vec![taken(b"a", whole()), arrived(b"t", 8)]);
        let link = p.resumed_with(session, ours.clone(), |attach| {
            attach.unsettled(V::Map(vec![(V::str("t"), V::Null)]))
        });
        p.expect_detach()
            .closed(true)
            .condition("amqp:invalid-field");
        p.expect_events(&[Event::LinkDetached(link.id)]);
        let left = p.engine().link(link.id).unwrap().state().unwrap();
        assert_eq!(left.unsettled, ours.unsettled);
    });
}

#[test]
fn a_peer_that_refuses_settles_nothing() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let ours = state(vec![taken(b"a", whole())]);
        let link = p.resumed_with(session, ours.clone(), |attach| attach.source(V::Null));
        p.inject(
            detach()
                .handle(link.theirs)
                .closed(true)
                .error(build::error("amqp:not-found").v()),
        );
        p.expect_events(&[Event::LinkDetached(link.id)]);
        assert_eq!(p.engine().link(link.id).unwrap().recovered(), None);
        let left = p.engine().link(link.id).unwrap().state().unwrap();
        assert_eq!(left.unsettled, ours.unsettled);
    });
}

#[test]
fn while_the_sender_has_told_only_a_part_its_silence_settles_nothing() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let ours = second(vec![
            done(b"a", DeliveryState::Accepted),
            done(b"b", DeliveryState::Accepted),
        ]);
        let link = p.resumed_with(session, ours, |attach| {
            attach
                .unsettled(map(&[(b"a", V::Null)]))
                .incomplete_unsettled(true)
        });
        p.take_credit(&link, 9);
        let expected = Recovery {
            peer_remembers: true,
            complete: false,
            resumed: 1,
            ..Recovery::default()
        };
        assert_eq!(report(p, &link), expected);
        // One that was not told may be resumed all the same.
        p.inject(resume(&link, 0, b"a").settled(true).accepted());
        assert_eq!(p.engine().link(link.id).unwrap().unsettled().count(), 1);
        p.inject(resume(&link, 1, b"b").settled(true).accepted());
        expect_nothing_unsettled(p, &link);
    });
}

/// Of what was not told it might be one (2.7.3).
#[test]
fn where_only_a_part_was_told_nothing_new_is_taken() {
    client(|p| {
        p.opened_with(|open| open.max_frame_size(512));
        let session = p.begun();
        let tags: Vec<[u8; 30]> = (0..40).map(|n| [n; 30]).collect();
        let ours = tags.iter().map(|tag| taken(tag, whole())).collect();
        let id = p.resume(session, state(ours)).unwrap();
        let got = p.expect_attach().incomplete_unsettled(true);
        let (ours, theirs) = (got.uint("handle"), map(&[(&tags[0], point(3, 0))]));
        got.respond_with(|attach| attach.unsettled(theirs));
        let link = Wired {
            id,
            ours,
            theirs: ours + HANDLE_OFFSET,
        };
        p.events();
        p.take_credit(&link, 9);
        p.inject(resume(&link, 0, &tags[0]).settled(true).accepted());
        p.expect_nothing();
        let new = p.delivery(&link, 1, MESSAGE);
        p.inject(new);
        p.expect_detach()
            .handle(link.ours)
            .condition("amqp:not-allowed");
        p.expect_no_delivery(&link);
        // All but the one that was resumed is still there to resume.
        let left = p.engine().link(id).unwrap().state().unwrap();
        assert!(left.unsettled.len() >= 39, "{}", left.unsettled.len());
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
                .role(build::Role::Sender)
                .initial_delivery_count(0)
                .source(build::source().address("q").v())
                .target(build::target().v())
                .unsettled(map(&[(b"t", V::Null)])),
        );
        let id = p.event_where("LinkAttached", |e| match e {
            Event::LinkAttached(id) => Some(id),
            _ => None,
        });
        p.engine()
            .link(id)
            .unwrap()
            .resume(&state(vec![arrived(b"t", 8), taken(b"u", whole())]))
            .unwrap();
        let told = map(&[(b"t", point(1, 2)), (b"u", point(3, 0))]);
        let ours = p.expect_attach().unsettled(told).uint("handle");
        let link = Wired {
            id,
            ours,
            theirs: 3,
        };
        assert!(p.updates(&link)[0].settled);
        p.take_credit(&link, 2);
        p.inject(
            resume(&link, 0, b"t")
                .state(point(1, 2))
                .payload(&MESSAGE[8..]),
        );
        assert_eq!(p.take(&link).payload.into_bytes(), MESSAGE);
    });
}

#[test]
fn an_outcome_for_what_had_not_all_arrived_is_echoed_and_the_delivery_settled() {
    for settled in [false, true] {
        client(|p| {
            let link = resumed(
                p,
                second(vec![arrived(b"1", THIRD)]),
                &[(b"1", point(2, 0))],
                &[(b"1", accepted().v())],
            );
            p.inject(resume(&link, 0, b"1").settled(settled).accepted());
            if !settled {
                p.expect_disposition()
                    .role(build::Role::Receiver)
                    .first(0)
                    .settled(true)
                    .accepted();
            }
            let mut receiver = p.engine().receiver(link.id).unwrap();
            assert_eq!(receiver.next_delivery(), None);
            expect_nothing_unsettled(p, &link);
        });
    }
}

#[test]
fn a_graceful_close_waits_for_the_sender_to_resume_what_it_remembers() {
    client(|p| {
        let theirs = [(&b"1"[..], V::Null)];
        let link = resumed(p, state(vec![taken(b"1", None)]), &theirs, &theirs);
        let by = p.now().after(60_000);
        p.engine().link(link.id).unwrap().close_by(by).unwrap();
        p.expect_flow().drain(true);
        let credit_used = p.flow().handle(link.theirs).delivery_count(100);
        p.inject(credit_used.link_credit(0).drain(true));
        p.expect_nothing();
        let closing = |p: &mut Peer| p.engine().link(link.id).unwrap().closing();
        assert_eq!(closing(p), Some(Closing::Settling));
        p.advance(60_000);
        p.expect_detach().closed(true);
        assert_eq!(closing(p), Some(Closing::Overdue));
    });
}

#[test]
fn a_graceful_close_of_a_receiver_waits_until_the_sender_tells_what_it_remembers() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let id = p.resume(session, state(vec![taken(b"1", None)])).unwrap();
        let by = p.now().after(60_000);
        p.engine().link(id).unwrap().close_by(by).unwrap();
        let closing = |p: &mut Peer| p.engine().link(id).unwrap().closing();
        assert_eq!(closing(p), Some(Closing::Settling));
        p.expect_attach()
            .respond_with(|attach| attach.unsettled(map(&[])));
        // It remembers nothing, so it has settled, and there is nothing to wait for.
        p.expect_detach().closed(true);
        assert_eq!(closing(p), Some(Closing::Complete));
    });
}

#[test]
fn a_state_that_a_resumed_delivery_tells_and_for_which_there_is_no_room_detaches_the_link() {
    let mut config = Config::new("engine");
    config.limits.connection_octets = 30_000;
    client_with(config, |p| {
        let tags: Vec<[u8; 1]> = (b'a'..=b'j').map(|tag| [tag]).collect();
        let map: Vec<(&[u8], V)> = tags.iter().map(|tag| (&tag[..], V::Null)).collect();
        let ours = tags.iter().map(|tag| taken(tag, None)).collect();
        let link = resumed(p, state(ours), &map, &map);
        for (number, tag) in (0..).zip(&tags) {
            let text = V::Str("x".repeat(5_000));
            let state = V::Described(Box::new(V::sym("script:odd")), Box::new(text));
            p.inject(resume(&link, number, tag).state(state));
        }
        p.expect_detach()
            .closed(true)
            .condition("amqp:resource-limit-exceeded");
        let told = p.updates(&link).len();
        assert!((2..6).contains(&told), "{told} states of 5,000 octets");
    });
}
