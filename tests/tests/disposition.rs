//! Delivery states and settlement (2.6.12, 2.7.6, 3.4).

use ferrion_engine::protocol::{Condition, DeliveryState, Modified, SenderSettleMode, conditions};
use ferrion_engine::{DeliveryId, Event, LinkConfig, UsageError};
use ferrion_tests::build::{self, Role, disposition, error, modified, rejected, released};
use ferrion_tests::oracle::V;
use ferrion_tests::peer::{Peer, Wired, client};

fn with_sender(p: &mut Peer, credit: u32) -> Wired {
    p.opened();
    let session = p.begun();
    let link = p.sender(session, "out");
    p.grant(&link, credit);
    p.events();
    link
}

fn sent(p: &mut Peer, link: &Wired, count: u8) -> Vec<DeliveryId> {
    let ids = (0..count).map(|i| p.send(link, &[i], b"x")).collect();
    p.drain_names();
    ids
}

/// Deliveries at the engine's receiver, taken and not settled.
fn received(p: &mut Peer, count: u32) -> (Wired, Vec<DeliveryId>) {
    p.opened();
    let session = p.begun();
    let link = p.receiver(session, "in");
    p.take_credit(&link, count);
    let all: Vec<_> = (0..count).map(|i| p.delivery(&link, i, b"x")).collect();
    p.inject_all(all);
    let ids = (0..count).map(|_| p.take(&link).id.unwrap()).collect();
    p.events();
    p.drain_names();
    (link, ids)
}

fn from_receiver() -> build::Build {
    disposition().role(Role::Receiver)
}

#[test]
fn every_outcome_reaches_the_sender() {
    let info = V::fields(&[("k", V::Uint(1))]);
    let reason = error("amqp:decode-error")
        .set("description", V::str("bad"))
        .set("info", info);
    let annotations = V::fields(&[("x-opt-a", V::Uint(2))]);
    let states = [
        (build::accepted().v(), "accepted"),
        (released().v(), "released"),
        (rejected().v(), "rejected"),
        (rejected().error(reason.v()).v(), "rejected with error"),
        (
            modified()
                .delivery_failed(true)
                .undeliverable_here(true)
                .set("message-annotations", annotations)
                .v(),
            "modified",
        ),
    ];
    for (state, what) in states {
        client(|p| {
            let link = with_sender(p, 1);
            let id = sent(p, &link, 1)[0];
            p.inject(from_receiver().first(0).settled(true).state(state.clone()));
            p.expect_events(&[Event::Updates(link.id)]);
            let updates = p.updates(&link);
            assert_eq!(updates.len(), 1);
            let update = &updates[0];
            assert_eq!(update.delivery, id);
            assert!(update.settled);
            assert_eq!(&*update.tag, [0]);
            match (update.state.as_ref().unwrap(), what) {
                (DeliveryState::Accepted, "accepted")
                | (DeliveryState::Released, "released")
                | (DeliveryState::Rejected(None), "rejected") => {}
                (DeliveryState::Rejected(Some(error)), "rejected with error") => {
                    assert_eq!(error.condition, "amqp:decode-error");
                    assert_eq!(error.description.as_deref(), Some("bad"));
                    assert!(error.info.is_some());
                }
                (DeliveryState::Modified(modified), "modified") => {
                    assert_eq!(
                        (modified.delivery_failed, modified.undeliverable_here),
                        (Some(true), Some(true))
                    );
                    assert!(modified.message_annotations.is_some());
                }
                (other, what) => panic!("{other:?} for {what}"),
            }
            p.expect_nothing();
        });
    }
}

#[test]
fn unknown_and_transactional_states_reach_the_sender_unharmed() {
    let transactional = V::described(0x34, V::List(vec![V::bin(b"txn"), build::accepted().v()]));
    let vendor = V::Described(
        Box::new(V::sym("vendor:state:list")),
        Box::new(V::List(vec![V::Uint(1)])),
    );
    let declared = V::described(0x33, V::List(vec![V::bin(b"txn")]));
    for state in [
        transactional,
        vendor,
        declared,
        build::received().section_number(1).section_offset(2).v(),
    ] {
        client(|p| {
            let link = with_sender(p, 1);
            sent(p, &link, 1);
            p.inject(from_receiver().first(0).state(state.clone()));
            let updates = p.updates(&link);
            assert_eq!(updates.len(), 1);
            assert!(!updates[0].settled);
            let state = updates[0].state.as_ref().unwrap();
            assert!(
                matches!(
                    state,
                    DeliveryState::Transactional(_)
                        | DeliveryState::Other(_)
                        | DeliveryState::Declared(_)
                        | DeliveryState::Received(_)
                ),
                "{state:?}"
            );
            p.expect_nothing();
        });
    }
}

#[test]
fn settled_without_a_state_is_settled_and_unknown() {
    client(|p| {
        let link = with_sender(p, 1);
        sent(p, &link, 1);
        p.inject(from_receiver().first(0).settled(true));
        let updates = p.updates(&link);
        assert!(updates[0].settled);
        assert_eq!(updates[0].state, None);
    });
}

#[test]
fn a_range_covers_its_deliveries_and_no_others() {
    client(|p| {
        let link = with_sender(p, 10);
        let ids = sent(p, &link, 10);
        p.inject(from_receiver().range(2, 5).settled(true).accepted());
        let updated: Vec<_> = p.updates(&link).into_iter().map(|u| u.delivery).collect();
        assert_eq!(updated, ids[2..=5]);
        // Those that are settled already are passed over.
        p.inject(from_receiver().range(0, 9).settled(true).accepted());
        assert_eq!(p.updates(&link).len(), 6);
    });
}

#[test]
fn an_absent_last_is_first_and_a_last_of_zero_is_zero() {
    client(|p| {
        let link = with_sender(p, 3);
        let ids = sent(p, &link, 3);
        p.inject(from_receiver().range(0, 0).settled(true).accepted());
        assert_eq!(
            p.updates(&link)
                .iter()
                .map(|u| u.delivery)
                .collect::<Vec<_>>(),
            [ids[0]]
        );
        p.inject(from_receiver().first(1).settled(true).accepted());
        assert_eq!(
            p.updates(&link)
                .iter()
                .map(|u| u.delivery)
                .collect::<Vec<_>>(),
            [ids[1]]
        );
    });
}

#[test]
fn a_range_that_runs_backwards_is_a_fault_of_the_session() {
    client(|p| {
        let link = with_sender(p, 3);
        sent(p, &link, 3);
        p.inject(from_receiver().range(2, 1).settled(true).accepted());
        p.expect_end()
            .check("with an error", |end| !end.get("error").is_null());
    });
}

#[test]
fn a_gigantic_range_costs_no_more_than_what_lives_in_it() {
    client(|p| {
        let link = with_sender(p, 3);
        sent(p, &link, 3);
        for _ in 0..1000 {
            p.inject(from_receiver().range(0, 0x7fff_fffe).accepted());
        }
        p.updates(&link);
        p.inject(
            from_receiver()
                .range(0, 0x7fff_fffe)
                .settled(true)
                .accepted(),
        );
        let names = p.drain_names();
        assert!(names.is_empty() || names == ["end"], "{names:?}");
    });
}

#[test]
fn a_disposition_for_deliveries_nobody_knows_is_ignored() {
    client(|p| {
        let link = with_sender(p, 3);
        sent(p, &link, 1);
        p.inject(from_receiver().first(0).settled(true).accepted());
        assert_eq!(p.updates(&link).len(), 1);
        p.inject(from_receiver().first(0).settled(true).accepted());
        assert!(p.updates(&link).is_empty());
        p.expect_nothing();
        let again = p.send(&link, b"n", b"");
        p.expect_transfer().delivery_id(1);
        p.inject(from_receiver().first(1).settled(true).accepted());
        assert_eq!(p.updates(&link)[0].delivery, again);
    });
}

#[test]
fn states_that_change_twice_between_looks_are_told_once_with_the_last() {
    client(|p| {
        let link = with_sender(p, 1);
        sent(p, &link, 1);
        p.inject(
            from_receiver()
                .first(0)
                .state(build::received().section_number(0).section_offset(9).v()),
        );
        p.inject(from_receiver().first(0).settled(true).accepted());
        p.expect_events(&[Event::Updates(link.id)]);
        let updates = p.updates(&link);
        assert_eq!(updates.len(), 1);
        assert_eq!(
            (updates[0].settled, &updates[0].state),
            (true, &Some(DeliveryState::Accepted))
        );
    });
}

#[test]
fn a_sender_settles_what_the_receiver_has_only_stated() {
    client(|p| {
        let link = with_sender(p, 1);
        let id = sent(p, &link, 1)[0];
        p.inject(from_receiver().first(0).accepted());
        let updates = p.updates(&link);
        assert!(!updates[0].settled);
        p.engine().sender(link.id).unwrap().settle(id).unwrap();
        p.expect_disposition()
            .role(Role::Sender)
            .first(0)
            .settled(true);
        p.expect_nothing();
        assert!(
            p.engine().sender(link.id).unwrap().settle(id).is_err(),
            "settled is gone"
        );
    });
}

/// A sender that gives a delivery up says so, and settles it once the receiver has taken note (2.6.12).
#[test]
fn a_sender_states_an_outcome_of_its_own_and_settles_when_it_is_confirmed() {
    client(|p| {
        let link = with_sender(p, 1);
        let id = sent(p, &link, 1)[0];
        let mut sender = p.engine().sender(link.id).unwrap();
        sender.update(id, DeliveryState::Released).unwrap();
        p.expect_disposition()
            .role(Role::Sender)
            .first(0)
            .settled(false)
            .state(build::released().v());
        p.expect_nothing();
        assert_eq!(p.engine().census().outgoing_deliveries, 1);
        p.inject(from_receiver().first(0).state(build::released().v()));
        let update = p.updates(&link).remove(0);
        assert_eq!(update.state, Some(DeliveryState::Released));
        p.engine().sender(link.id).unwrap().settle(id).unwrap();
        p.expect_disposition().first(0).settled(true);
        assert_eq!(p.engine().census().outgoing_deliveries, 0);
    });
}

#[test]
fn a_sender_has_no_state_for_what_the_receiver_has_not_heard_of() {
    client(|p| {
        p.opened();
        let session = p.begun_with(Default::default(), |begin| begin.incoming_window(0));
        let link = p.sender(session, "out");
        let flow = p.link_flow(&link).link_credit(2).incoming_window(0);
        p.inject(flow);
        let id = p.send(&link, b"t", b"x");
        let mut sender = p.engine().sender(link.id).unwrap();
        assert!(matches!(
            sender.update(id, DeliveryState::Released),
            Err(UsageError::WrongState(_))
        ));
        p.expect_nothing();
    });
}

#[test]
fn a_receiver_accepts_with_one_disposition_for_a_run() {
    client(|p| {
        let (link, ids) = received(p, 5);
        for id in ids {
            p.settle(&link, id, Some(DeliveryState::Accepted));
        }
        p.expect_disposition()
            .role(Role::Receiver)
            .first(0)
            .last(4)
            .settled(true)
            .accepted();
        p.expect_nothing();
    });
}

#[test]
fn settling_out_of_order_still_makes_one_run() {
    client(|p| {
        let (link, ids) = received(p, 5);
        for i in [3, 1, 4, 0, 2] {
            p.settle(&link, ids[i], Some(DeliveryState::Accepted));
        }
        p.expect_disposition()
            .first(0)
            .last(4)
            .settled(true)
            .accepted();
        p.expect_nothing();
    });
}

#[test]
fn different_outcomes_are_told_apart() {
    client(|p| {
        let (link, ids) = received(p, 6);
        let reason = Condition::new(conditions::NOT_FOUND);
        p.settle(&link, ids[0], Some(DeliveryState::Accepted));
        p.settle(&link, ids[1], Some(DeliveryState::Accepted));
        p.settle(&link, ids[2], Some(DeliveryState::Released));
        p.settle(
            &link,
            ids[3],
            Some(DeliveryState::Rejected(Some(Box::new(reason)))),
        );
        p.settle(
            &link,
            ids[4],
            Some(DeliveryState::Modified(Box::<Modified>::default())),
        );
        p.settle(&link, ids[5], None);
        let mut seen = Vec::new();
        while let Some((piece, _)) = p.next_piece() {
            let ferrion_tests::oracle::What::Frame(frame) = piece.what else {
                panic!()
            };
            let perf = frame.perf.unwrap();
            let first = perf.uint("first").unwrap();
            let last = perf.uint("last").unwrap_or(first);
            let state = perf.get("state").composite().map(|(code, _)| code);
            seen.push((first, last, state, perf.flag("settled")));
        }
        seen.sort_unstable();
        assert_eq!(
            seen,
            [
                (0, 1, Some(0x24), true),
                (2, 2, Some(0x26), true),
                (3, 3, Some(0x25), true),
                (4, 4, Some(0x27), true),
                (5, 5, None, true)
            ]
        );
    });
}

#[test]
fn rejecting_says_why() {
    client(|p| {
        let (link, ids) = received(p, 1);
        let mut reason = Condition::new(conditions::NOT_ALLOWED);
        reason.description = Some("no".into());
        p.settle(
            &link,
            ids[0],
            Some(DeliveryState::Rejected(Some(Box::new(reason)))),
        );
        let expected = rejected()
            .error(
                error("amqp:not-allowed")
                    .set("description", V::str("no"))
                    .v(),
            )
            .v();
        p.expect_disposition()
            .first(0)
            .settled(true)
            .state(expected);
    });
}

#[test]
fn a_state_without_settlement_and_the_settlement_after_it_stay_in_order() {
    client(|p| {
        let (link, ids) = received(p, 1);
        p.update(&link, ids[0], DeliveryState::Accepted);
        p.settle(&link, ids[0], Some(DeliveryState::Accepted));
        let names = p.drain_names();
        assert!(
            !names.is_empty() && names.iter().all(|n| n == "disposition"),
            "{names:?}"
        );
        let trace = p.trace();
        let last = trace.lines().rfind(|l| l.contains("@disposition")).unwrap();
        assert!(last.contains("settled=true"), "{last}");
    });
}

#[test]
fn a_settled_delivery_can_not_be_settled_again() {
    client(|p| {
        let (link, ids) = received(p, 1);
        p.settle(&link, ids[0], Some(DeliveryState::Accepted));
        p.expect_disposition();
        let again = p
            .engine()
            .receiver(link.id)
            .unwrap()
            .settle(ids[0], DeliveryState::Released);
        assert!(again.is_err());
        p.expect_nothing();
    });
}

#[test]
fn a_sender_settling_first_ends_the_delivery_at_the_receiver() {
    client(|p| {
        let (link, ids) = received(p, 2);
        p.inject(disposition().role(Role::Sender).range(0, 1).settled(true));
        p.expect_events(&[Event::Updates(link.id)]);
        let updates = p.updates(&link);
        assert_eq!(
            updates
                .iter()
                .map(|u| (u.delivery, u.settled))
                .collect::<Vec<_>>(),
            [(ids[0], true), (ids[1], true)]
        );
        assert!(
            p.engine()
                .receiver(link.id)
                .unwrap()
                .settle(ids[0], DeliveryState::Accepted)
                .is_err()
        );
        p.expect_nothing();
    });
}

#[test]
fn one_range_covers_deliveries_of_several_links() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let a = p.sender(session, "a");
        let b = p.sender(session, "b");
        p.grant(&a, 2);
        p.grant(&b, 2);
        for (link, tag) in [(&a, b"1"), (&b, b"1"), (&a, b"2"), (&b, b"2")] {
            p.send(link, tag, b"");
            p.expect_transfer();
        }
        p.inject(from_receiver().range(0, 3).settled(true).accepted());
        assert_eq!(p.updates(&a).len(), 2);
        assert_eq!(p.updates(&b).len(), 2);
    });
}

#[test]
fn the_roles_of_dispositions_are_told_apart() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let out = p.sender(session, "out");
        let inn = p.receiver(session, "in");
        p.grant(&out, 1);
        p.take_credit(&inn, 1);
        p.send(&out, b"t", b"");
        p.expect_transfer().delivery_id(0);
        let delivery = p.delivery(&inn, 0, b"x");
        p.inject(delivery);
        p.take(&inn);
        p.inject(from_receiver().first(0).settled(true).accepted());
        assert_eq!(p.updates(&out).len(), 1);
        assert!(p.updates(&inn).is_empty());
        p.inject(disposition().role(Role::Sender).first(0).settled(true));
        assert!(p.updates(&out).is_empty());
        assert_eq!(p.updates(&inn).len(), 1);
    });
}

#[test]
fn one_old_unsettled_delivery_holds_nothing_up() {
    client(|p| {
        let link = with_sender(p, 5000);
        let old = p.send(&link, b"old", b"");
        p.expect_transfer();
        for i in 1..3000u32 {
            p.send(&link, &i.to_be_bytes(), b"");
            p.expect_transfer().delivery_id(i);
            p.inject(from_receiver().first(i).settled(true).accepted());
            assert_eq!(p.updates(&link).len(), 1);
            if i % 1000 == 0 {
                let flow = p.flow();
                p.inject(flow);
            }
        }
        p.inject(from_receiver().first(0).settled(true).accepted());
        assert_eq!(p.updates(&link)[0].delivery, old);
    });
}

#[test]
fn a_delivery_that_the_sender_settles_while_it_comes_needs_no_settling() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "in");
        p.take_credit(&link, 1);
        let first = p.delivery(&link, 0, b"a").more(true);
        p.inject_all([
            first,
            disposition().role(Role::Sender).first(0).settled(true),
            build::transfer().handle(link.theirs).payload(b"b"),
        ]);
        let delivery = p.take(&link);
        assert!(delivery.id.is_none());
        assert_eq!(delivery.payload.into_bytes(), "ab");
        p.updates(&link);
        assert_eq!(p.engine().census().incoming_deliveries, 0);
        p.expect_nothing();
    });
}

/// A window of one frame, and a message of three: it stays in the middle.
fn under_way(p: &mut Peer, mode: SenderSettleMode) -> (Wired, DeliveryId) {
    p.opened_with(|open| open.max_frame_size(512));
    let session = p.begun_with(Default::default(), |begin| begin.incoming_window(1));
    let mut config = LinkConfig::sender("out", "q");
    config.snd_settle_mode = mode;
    let link = p.sender_with(session, config, |b| b);
    let flow = p.link_flow(&link).link_credit(2).incoming_window(1);
    p.inject(flow);
    let id = p.send(&link, b"t", &[0; 1000]);
    p.expect_transfer().more(true);
    p.expect_nothing();
    (link, id)
}

#[test]
fn settling_what_is_under_way_is_told_when_it_was_wholly_sent() {
    client(|p| {
        let (link, id) = under_way(p, SenderSettleMode::Mixed);
        p.engine().sender(link.id).unwrap().settle(id).unwrap();
        assert!(p.engine().sender(link.id).unwrap().settle(id).is_err());
        p.expect_nothing();
        let open = p.flow().incoming_window(10);
        p.inject(open);
        p.expect_transfer().settled(false).more(true);
        p.expect_transfer().settled(false).more(false);
        p.expect_disposition()
            .role(Role::Sender)
            .first(0)
            .settled(true);
        p.expect_nothing();
        assert_eq!(p.engine().census().outgoing_deliveries, 0);
    });
}

#[test]
fn settling_what_was_not_begun_sends_it_settled_where_the_mode_allows_it() {
    for mode in [SenderSettleMode::Mixed, SenderSettleMode::Unsettled] {
        client(|p| {
            let (link, _) = under_way(p, mode);
            let waiting = p.send(&link, b"u", b"x");
            p.engine().sender(link.id).unwrap().settle(waiting).unwrap();
            let open = p.flow().incoming_window(10);
            p.inject(open);
            p.expect_transfer();
            p.expect_transfer();
            let settled = mode == SenderSettleMode::Mixed;
            p.expect_transfer().delivery_tag(b"u").settled(settled);
            if !settled {
                p.expect_disposition()
                    .role(Role::Sender)
                    .first(1)
                    .settled(true);
            }
            p.expect_nothing();
        });
    }
}
