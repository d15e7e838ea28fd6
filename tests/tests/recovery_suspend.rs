//! Links that are detached without being closed, and attached again (2.6.4 to 2.6.6, 2.6.13).

use ferrion_engine::protocol::{
    Condition, DeliveryState, Received, ReceiverSettleMode, Role, conditions,
};
use ferrion_engine::{Event, LinkConfig, LinkState, SendOptions, SessionConfig, UsageError};
use ferrion_tests::build::{self, accepted, attach, begin, detach, disposition, end, transfer};
use ferrion_tests::oracle::V;
use ferrion_tests::peer::{HANDLE_OFFSET, Peer, Wired, client, server};

fn recoverable(mut config: LinkConfig) -> LinkConfig {
    config.recoverable = true;
    config
}

/// A sender that keeps what it sends, with credit.
fn sender(p: &mut Peer) -> Wired {
    p.opened();
    let session = p.begun();
    let link = p.sender_with(
        session,
        recoverable(LinkConfig::sender("l", "q")),
        |attach| attach,
    );
    p.grant(&link, 10);
    p.events();
    link
}

/// A receiver that keeps what arrives, with credit.
fn receiver(p: &mut Peer) -> Wired {
    p.opened();
    let session = p.begun();
    let config = recoverable(LinkConfig::receiver("l", "q"));
    let link = p.receiver_with(session, config, |attach| attach);
    p.take_credit(&link, 10);
    link
}

/// The engine detaches without closing, the script answers in kind; the state of the link.
fn suspended(p: &mut Peer, link: &Wired) -> LinkState {
    p.engine().link(link.id).unwrap().detach().unwrap();
    p.expect_detach().closed(false).no_error().respond();
    told(p, link);
    p.engine().link(link.id).unwrap().state().unwrap()
}

fn told(p: &mut Peer, link: &Wired) {
    p.event_where("LinkDetached", |e| {
        (e == Event::LinkDetached(link.id)).then_some(())
    });
}

fn tags(state: &LinkState) -> Vec<Vec<u8>> {
    state
        .unsettled
        .iter()
        .map(|delivery| delivery.tag.to_vec())
        .collect()
}

fn map(entries: &[(&[u8], V)]) -> V {
    let entries = entries
        .iter()
        .map(|(tag, state)| (V::bin(tag), state.clone()));
    V::Map(entries.collect())
}

#[test]
fn a_suspended_sender_goes_on_where_it_was_on_the_same_session() {
    client(|p| {
        let link = sender(p);
        p.send(&link, b"1", b"one");
        p.send(&link, b"2", b"two");
        p.expect_transfer();
        p.expect_transfer();
        let session = p.engine().link(link.id).unwrap().session().unwrap();
        let state = suspended(p, &link);
        assert_eq!(tags(&state), [b"1", b"2"]);
        assert_eq!(
            state.unsettled[1].payload.clone().unwrap().into_bytes(),
            "two"
        );
        let again = p.resumed_with(session, state, |attach| {
            attach.unsettled(map(&[(b"1", accepted().v())]))
        });
        assert_eq!(again.ours, link.ours);
        assert_ne!(again.id, link.id);
        p.grant(&again, 2);
        let update = p.updates(&again).remove(0);
        p.engine()
            .sender(again.id)
            .unwrap()
            .settle(update.delivery)
            .unwrap();
        p.expect_transfer()
            .delivery_id(2)
            .delivery_tag(b"1")
            .resume(true)
            .settled(true);
        p.expect_transfer()
            .delivery_id(3)
            .delivery_tag(b"2")
            .resume(false)
            .payload(b"two");
        // The old endpoint is gone, with all it had.
        assert!(p.engine().link(link.id).is_err());
        assert_eq!(p.engine().census().outgoing_deliveries, 1);
    });
}

#[test]
fn a_suspended_receiver_goes_on_where_it_was_on_another_session() {
    client(|p| {
        let link = receiver(p);
        p.inject(p.delivery(&link, 0, b"\x00\x53\x77\x41"));
        p.inject(p.delivery(&link, 1, b"\x00\x53\x77\x42"));
        p.inject(p.delivery(&link, 2, b"\x00\x53\x75\xa0").more(true));
        let taken = p.take(&link).id.unwrap();
        let state = suspended(p, &link);
        assert_eq!(state.unsettled.len(), 3);
        let whole = DeliveryState::Received(Box::new(Received::new(1, 0)));
        assert_eq!(state.unsettled[0].local_state, Some(whole));
        assert_eq!(state.unsettled[0].payload, None);
        assert!(state.unsettled[1].complete && !state.unsettled[2].complete);
        assert_eq!(state.unsettled[2].payload.clone().unwrap().len(), 4);
        // While the endpoint lives, its deliveries can be settled; what is settled is not in the state.
        p.settle(&link, taken, Some(DeliveryState::Accepted));
        p.expect_disposition().first(0).settled(true);
        let state = p.engine().link(link.id).unwrap().state().unwrap();
        let session = p.begun();
        let names: [&[u8]; 2] = [&1u32.to_be_bytes(), &2u32.to_be_bytes()];
        let again = p.resumed_with(session, state, |attach| {
            attach.unsettled(map(&[(names[0], V::Null), (names[1], V::Null)]))
        });
        p.take_credit(&again, 5);
        let resume = |id: u32, tag: &[u8]| {
            transfer()
                .handle(again.theirs)
                .delivery_id(id)
                .delivery_tag(tag)
                .resume(true)
        };
        p.inject(
            resume(0, names[0]).state(build::received().section_number(1).section_offset(0).v()),
        );
        assert_eq!(
            p.take(&again).payload.into_bytes(),
            &b"\x00\x53\x77\x42"[..]
        );
        p.inject(resume(1, names[1]).payload(b"\x00\x53\x75\xa0\x02hi"));
        assert_eq!(
            p.take(&again).payload.into_bytes(),
            &b"\x00\x53\x75\xa0\x02hi"[..]
        );
    });
}

#[test]
fn without_the_option_tags_and_states_are_kept_and_payloads_are_not() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "l");
        p.grant(&link, 2);
        p.send(&link, b"1", b"one");
        p.expect_transfer();
        let state = suspended(p, &link);
        assert_eq!(tags(&state), [b"1"]);
        assert_eq!(state.unsettled[0].payload, None);
        assert_eq!(p.engine().link_states(), []);
        let again = p.resumed_with(session, state, |attach| attach.unsettled(map(&[])));
        let recovery = p.engine().link(again.id).unwrap().recovered().unwrap();
        assert_eq!((recovery.lost, recovery.sent_again), (1, 0));
        let update = p.updates(&again).remove(0);
        assert_eq!((update.state, update.settled), (None, true));
    });
}

#[test]
fn what_waited_for_credit_or_was_being_written_is_in_the_state() {
    client(|p| {
        let link = sender(p);
        let mut sender = p.engine().sender(link.id).unwrap();
        let stream = sender.stream(b"s", &SendOptions::default()).unwrap();
        sender.write(stream, b"part ".to_vec()).unwrap();
        sender.send(b"behind", b"it").unwrap();
        sender.stream(b"settled", &SendOptions::settled()).unwrap();
        p.expect_transfer().more(true);
        p.inject(detach().handle(link.theirs));
        told(p, &link);
        let state = p.engine().link(link.id).unwrap().state().unwrap();
        assert_eq!(tags(&state), [&b"s"[..], b"behind"]);
        assert!(!state.unsettled[0].complete && state.unsettled[1].complete);
        assert_eq!(
            state.unsettled[0].payload.clone().unwrap().into_bytes(),
            "part "
        );
        p.engine().link(link.id).unwrap().detach().unwrap();
        p.expect_detach().closed(false);
        p.events();
        assert_eq!(p.engine().census().outgoing_deliveries, 0);
    });
}

#[test]
fn the_states_of_all_links_outlive_the_connection() {
    client(|p| {
        let link = sender(p);
        p.send(&link, b"1", b"one");
        p.expect_transfer();
        let session = p.engine().link(link.id).unwrap().session().unwrap();
        let mut config = recoverable(LinkConfig::receiver("in", "q"));
        config.rcv_settle_mode = ReceiverSettleMode::Second;
        let inward = p.receiver_with(session, config, |attach| attach);
        p.receiver(session, "not recoverable");
        let closed = p.receiver_with(
            session,
            recoverable(LinkConfig::receiver("closed", "q")),
            |b| b,
        );
        p.engine().link(closed.id).unwrap().close(None).unwrap();
        p.expect_detach().closed(true);
        p.take_credit(&inward, 3);
        p.inject(p.delivery(&inward, 0, b"\x00\x53\x77\x41"));
        p.inject(p.delivery(&inward, 1, b"\x00\x53\x77\x41").settled(true));
        let delivery = p.take(&inward);
        p.settle(&inward, delivery.id.unwrap(), Some(DeliveryState::Accepted));
        // It does not matter whether the engine lives.
        let before = p.engine().link_states();
        p.inject_eof();
        let after = p.engine().link_states();
        assert_eq!(before, after);
        let names: Vec<&str> = after.iter().map(|state| &*state.config.name).collect();
        assert_eq!(names, ["l", "in"]);
        assert_eq!(
            (after[0].role, after[1].role),
            (Role::Sender, Role::Receiver)
        );
        assert_eq!(tags(&after[0]), [b"1"]);
        let [outcome, settled] = &after[1].unsettled[..] else {
            panic!("{:?}", after[1])
        };
        assert_eq!(outcome.local_state, Some(DeliveryState::Accepted));
        assert!(outcome.done && !outcome.settled && outcome.payload.is_none());
        // What the sender had settled is only to be handed over.
        assert!(settled.settled && settled.payload.is_some());
    });
}

#[test]
fn what_was_settled_and_not_taken_is_handed_over_by_the_next_endpoint() {
    client(|p| {
        let link = receiver(p);
        p.inject(p.delivery(&link, 0, b"hello").settled(true));
        let state = suspended(p, &link);
        let session = p.begun();
        let again = p.resumed_with(session, state, |attach| attach);
        let delivery = p.take(&again);
        assert_eq!(
            (delivery.id, delivery.payload.into_bytes()),
            (None, "hello".into())
        );
        p.expect_nothing();
    });
}

#[test]
fn the_end_of_the_session_leaves_the_states_of_its_links() {
    client(|p| {
        let link = sender(p);
        p.send(&link, b"1", b"one");
        p.expect_transfer();
        p.inject(end().error(build::error("amqp:internal-error").v()));
        told(p, &link);
        let state = p.engine().link(link.id).unwrap().state().unwrap();
        assert_eq!(p.engine().link_states(), std::slice::from_ref(&state));
        assert_eq!(tags(&state), [b"1"]);
        p.expect_end();
        p.events();
        assert_eq!(p.engine().link_states(), []);
        let session = p.begun();
        let again = p.resumed_with(session, state, |attach| {
            attach.unsettled(map(&[(b"1", V::Null)]))
        });
        p.grant(&again, 1);
        p.expect_transfer()
            .delivery_tag(b"1")
            .resume(true)
            .payload(b"one");
    });
}

#[test]
fn an_error_that_detached_the_link_leaves_its_state() {
    client(|p| {
        let link = sender(p);
        p.send(&link, b"1", b"one");
        p.expect_transfer();
        p.inject(
            detach()
                .handle(link.theirs)
                .closed(true)
                .error(build::error("amqp:internal-error").v()),
        );
        told(p, &link);
        assert_eq!(p.engine().link_states().len(), 1);
        p.engine().link(link.id).unwrap().close(None).unwrap();
        let error = Condition::new(conditions::INTERNAL_ERROR);
        assert!(
            p.engine()
                .link(link.id)
                .unwrap()
                .close(Some(error))
                .is_err()
        );
        p.expect_detach().closed(true);
    });
}

/// The handle is gone, the deliveries are not: their ids still mean something on the session (2.6.4, 2.7.6).
#[test]
fn a_state_that_is_told_after_a_detach_that_does_not_close_still_counts() {
    client(|p| {
        let link = sender(p);
        let ids = [p.send(&link, b"1", b"one"), p.send(&link, b"2", b"two")];
        assert_eq!(p.drain_names(), ["transfer", "transfer"]);
        p.inject(detach().handle(link.theirs));
        let outcome = disposition().role(build::Role::Receiver).accepted();
        p.inject(outcome.clone().first(0).settled(true));
        let update = p.updates(&link).remove(0);
        assert_eq!((update.delivery, update.settled), (ids[0], true));
        // Also between our own detach and the application's taking note of both.
        p.engine().link(link.id).unwrap().detach().unwrap();
        p.expect_detach().closed(false);
        p.inject(outcome.first(1));
        told(p, &link);
        let state = p.engine().link(link.id).unwrap().state().unwrap();
        assert_eq!(tags(&state), [b"2"]);
        assert_eq!(
            state.unsettled[0].remote_state,
            Some(DeliveryState::Accepted)
        );
    });
}

#[test]
fn an_update_that_was_not_told_is_told_by_the_next_endpoint() {
    client(|p| {
        let link = sender(p);
        p.send(&link, b"1", b"one");
        p.expect_transfer();
        p.inject(
            disposition()
                .role(build::Role::Receiver)
                .first(0)
                .settled(true)
                .accepted(),
        );
        let state = suspended(p, &link);
        assert!(state.unsettled[0].settled);
        let session = p.begun();
        let again = p.resumed_with(session, state, |attach| attach);
        let update = p.updates(&again).remove(0);
        assert_eq!(
            (update.state, update.settled),
            (Some(DeliveryState::Accepted), true)
        );
        p.grant(&again, 1);
        p.expect_nothing();
        assert_eq!(p.engine().census().outgoing_deliveries, 0);
    });
}

#[test]
fn a_delivery_is_settled_while_the_link_is_suspended_by_taking_it_out_of_the_state() {
    client(|p| {
        let link = sender(p);
        p.send(&link, b"1", b"one");
        p.expect_transfer();
        let mut state = suspended(p, &link);
        state.unsettled.clear();
        let session = p.begun();
        let id = p.resume(session, state).unwrap();
        // An empty map, which is not none: the receiver learns that the sender has settled.
        p.expect_attach()
            .unsettled(map(&[]))
            .respond_with(|attach| attach.unsettled(map(&[(b"1", V::Null)])));
        p.events();
        let link = Wired {
            id,
            ours: 0,
            theirs: HANDLE_OFFSET,
        };
        p.grant(&link, 1);
        p.expect_nothing();
    });
}

#[test]
fn an_outcome_that_the_sender_told_of_its_own_accord_counts_after_resuming() {
    client(|p| {
        let link = sender(p);
        let id = p.send(&link, b"1", b"one");
        p.expect_transfer();
        let mut view = p.engine().sender(link.id).unwrap();
        view.update(id, DeliveryState::Released).unwrap();
        p.expect_disposition().settled(false);
        let state = suspended(p, &link);
        assert_eq!(
            state.unsettled[0].local_state,
            Some(DeliveryState::Released)
        );
        let session = p.begun();
        let again = p.resumed_with(session, state, |attach| {
            attach.unsettled(map(&[(b"1", accepted().v())]))
        });
        p.grant(&again, 1);
        p.expect_transfer()
            .resume(true)
            .settled(false)
            .state(build::released().v());
    });
}

#[test]
fn the_name_of_a_suspended_link_is_free() {
    client(|p| {
        let link = sender(p);
        let session = p.engine().link(link.id).unwrap().session().unwrap();
        let state = suspended(p, &link);
        let other = p.sender(session, "l");
        let taken = p.engine().session(session).unwrap().resume(&state);
        assert!(matches!(taken, Err(UsageError::DuplicateLink(_))));
        p.engine().link(other.id).unwrap().close(None).unwrap();
        p.expect_detach().closed(true).respond();
        // What was refused is still the caller's.
        p.resumed_with(session, state, |attach| attach);
    });
}

#[test]
fn a_peer_that_attaches_a_suspended_link_again_finds_it() {
    client(|p| {
        let link = receiver(p);
        p.inject(p.delivery(&link, 0, b"\x00\x53\x77\x41").delivery_tag(b"1"));
        // The peer suspends, and resumes before it is answered.
        p.inject(detach().handle(link.theirs));
        told(p, &link);
        let state = p.engine().link(link.id).unwrap().state().unwrap();
        p.engine().link(link.id).unwrap().detach().unwrap();
        p.inject(
            attach()
                .name("l")
                .handle(link.theirs)
                .role(build::Role::Sender)
                .initial_delivery_count(0)
                .source(build::source().v())
                .target(build::target().v())
                .unsettled(map(&[(b"1", V::Null)])),
        );
        // Until the new endpoint goes on with it, the state of the old one is the link's.
        assert_eq!(p.engine().link_states(), std::slice::from_ref(&state));
        let id = p.event_where("LinkAttached", |e| match e {
            Event::LinkAttached(id) => Some(id),
            _ => None,
        });
        p.engine().link(id).unwrap().resume(&state).unwrap();
        assert_eq!(p.engine().link_states().len(), 1);
        p.expect_detach().handle(link.ours).closed(false);
        let point = build::received().section_number(1).section_offset(0).v();
        let ours = p
            .expect_attach()
            .unsettled(map(&[(b"1", point)]))
            .uint("handle");
        let again = Wired {
            id,
            ours,
            theirs: link.theirs,
        };
        p.take_credit(&again, 1);
        p.inject(
            transfer()
                .handle(again.theirs)
                .delivery_id(1)
                .delivery_tag(b"1")
                .resume(true)
                .payload(b"\x00\x53\x77\x41"),
        );
        assert_eq!(
            p.take(&again).payload.into_bytes(),
            &b"\x00\x53\x77\x41"[..]
        );
    });
}

#[test]
fn a_link_that_the_peer_suspends_is_attached_again_at_once() {
    client(|p| {
        let link = sender(p);
        p.send(&link, b"1", b"one");
        p.expect_transfer();
        p.inject(detach().handle(link.theirs));
        told(p, &link);
        let mut view = p.engine().link(link.id).unwrap();
        let (session, state) = (view.session().unwrap(), view.state().unwrap());
        view.detach().unwrap();
        let id = p.resume(session, state).unwrap();
        p.expect_detach().handle(link.ours).closed(false);
        p.expect_attach()
            .name("l")
            .unsettled(map(&[(b"1", V::Null)]))
            .respond();
        assert_eq!(p.next_event(), Some(Event::LinkAttached(id)));
    });
}

#[test]
fn a_stolen_link_leaves_its_state() {
    client(|p| {
        let link = sender(p);
        p.send(&link, b"1", b"one");
        p.expect_transfer();
        p.inject(
            attach()
                .name("l")
                .handle(31)
                .role(build::Role::Receiver)
                .source(build::source().v())
                .target(build::target().v())
                .unsettled(map(&[(b"1", accepted().v())])),
        );
        p.expect_detach().closed(true).condition("amqp:link:stolen");
        told(p, &link);
        let mut state = p.engine().link(link.id).unwrap().state().unwrap();
        state.config.initial_delivery_count = p.wire(0);
        let id = p.event_where("LinkAttached", |e| match e {
            Event::LinkAttached(id) => Some(id),
            _ => None,
        });
        p.engine().link(id).unwrap().resume(&state).unwrap();
        p.expect_attach().unsettled(map(&[(b"1", V::Null)]));
        let again = Wired {
            id,
            ours: 1,
            theirs: 31,
        };
        assert_eq!(p.updates(&again)[0].state, Some(DeliveryState::Accepted));
    });
}

#[test]
fn a_closing_detach_that_crosses_ours_is_answered_by_attaching_and_closing() {
    client(|p| {
        let link = sender(p);
        let session = p.engine().link(link.id).unwrap().session().unwrap();
        p.engine().link(link.id).unwrap().detach().unwrap();
        p.expect_detach().handle(link.ours).closed(false);
        p.inject(detach().handle(link.theirs).closed(true));
        p.expect_attach().name("l").handle(link.ours).respond();
        p.expect_detach().handle(link.ours).closed(true).respond();
        // The application hears of one end of one link.
        p.expect_events(&[Event::LinkDetached(link.id)]);
        p.expect_nothing();
        assert_eq!(p.next_event(), None);
        assert_eq!(p.engine().census().links, 0);
        p.sender(session, "l");
    });
}

#[test]
fn a_closing_detach_before_ours_has_left_makes_ours_a_closing_one() {
    client(|p| {
        let link = sender(p);
        p.engine().link(link.id).unwrap().detach().unwrap();
        p.inject(detach().handle(link.theirs).closed(true));
        p.expect_detach().handle(link.ours).closed(true);
        p.expect_nothing();
        p.expect_events(&[Event::LinkDetached(link.id)]);
        assert_eq!(p.engine().link_states(), []);
    });
}

#[test]
fn a_session_that_ends_while_a_link_is_attached_to_be_closed_ends_the_link() {
    client(|p| {
        let link = receiver(p);
        p.engine().link(link.id).unwrap().detach().unwrap();
        p.expect_detach().closed(false);
        p.inject(detach().handle(link.theirs).closed(true));
        p.expect_attach();
        p.expect_detach().closed(true);
        p.events();
        p.inject(end());
        p.expect_end();
        p.events();
        assert_eq!(p.engine().census(), ferrion_engine::Census::default());
    });
}

#[test]
fn the_address_that_was_made_for_a_link_is_asked_for_again() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let mut config = recoverable(LinkConfig::receiver("l", "q"));
        if let Some(source) = &mut config.source {
            source.address = None;
            source.dynamic = true;
        }
        let link = p.receiver_with(session, config, |attach| {
            attach.source(build::source().address("made-up").dynamic(true).v())
        });
        let state = suspended(p, &link);
        let source = state.config.source.unwrap();
        assert_eq!(
            (source.address.as_deref(), source.dynamic),
            (Some("made-up"), false)
        );
    });
}

#[test]
fn an_address_that_is_not_known_is_asked_for_as_before() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let mut config = recoverable(LinkConfig::receiver("l", "q"));
        if let Some(source) = &mut config.source {
            source.address = None;
            source.dynamic = true;
        }
        let link = p.receiver_with(session, config, |attach| {
            attach.source(build::source().dynamic(true).v())
        });
        let source = suspended(p, &link).config.source.unwrap();
        assert_eq!((source.address.as_deref(), source.dynamic), (None, true));
    });
}

#[test]
fn a_node_that_this_side_made_for_a_link_is_not_made_again() {
    server(|p| {
        p.opened();
        p.begun_by_script(SessionConfig::default(), |begin| begin);
        p.inject(
            attach()
                .name("l")
                .handle(3)
                .role(build::Role::Receiver)
                .source(build::source().dynamic(true).v())
                .target(build::target().v()),
        );
        let id = p.event_where("LinkAttached", |e| match e {
            Event::LinkAttached(id) => Some(id),
            _ => None,
        });
        let start = p.wire(0);
        let mut link = p.engine().link(id).unwrap();
        let mut config = recoverable(link.offer().unwrap());
        config.initial_delivery_count = start;
        if let Some(source) = &mut config.source {
            source.address = Some("made-up".into());
        }
        link.accept_with(config).unwrap();
        let source = link.state().unwrap().config.source.unwrap();
        assert_eq!(
            (source.address.as_deref(), source.dynamic),
            (Some("made-up"), false)
        );
        p.expect_attach();
    });
}

#[test]
fn unsettled_deliveries_are_listed_with_their_states_at_both_ends() {
    client(|p| {
        let link = sender(p);
        let first = p.send(&link, b"1", b"one");
        p.send(&link, b"2", b"two");
        p.send_settled(&link, b"3", b"three");
        p.drain_names();
        p.inject(
            disposition()
                .role(build::Role::Receiver)
                .first(0)
                .accepted(),
        );
        let view = p.engine().link(link.id).unwrap();
        let listed: Vec<_> = view
            .unsettled()
            .map(|d| (d.tag.to_vec(), d.remote_state.cloned(), d.settled))
            .collect();
        assert_eq!(
            listed,
            [
                (b"1".to_vec(), Some(DeliveryState::Accepted), false),
                (b"2".to_vec(), None, false)
            ]
        );
        assert_eq!(view.unsettled().next().unwrap().id, first);
    });
    client(|p| {
        let link = receiver(p);
        p.inject(p.delivery(&link, 0, b"x"));
        p.inject(p.delivery(&link, 1, b"x").settled(true));
        p.inject(p.delivery(&link, 2, b"x"));
        let id = p.take(&link).id.unwrap();
        p.update(&link, id, DeliveryState::Accepted);
        let view = p.engine().link(link.id).unwrap();
        let listed: Vec<_> = view.unsettled().map(|d| d.local_state.cloned()).collect();
        assert_eq!(listed, [Some(DeliveryState::Accepted), None]);
    });
}

#[test]
fn a_link_has_as_many_unsettled_deliveries_as_it_likes() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let a = p.sender(session, "a");
        let b = p.sender(session, "b");
        p.grant(&a, 1000);
        p.grant(&b, 1000);
        for n in 0u32..1000 {
            p.send(&a, &n.to_be_bytes(), b"x");
            p.send(&b, &n.to_be_bytes(), b"x");
        }
        p.drain_names();
        let all = disposition()
            .role(build::Role::Receiver)
            .range(0, 1900)
            .settled(true)
            .accepted();
        p.inject(all);
        assert_eq!(p.updates(&a).len() + p.updates(&b).len(), 1901);
        let view = p.engine().link(b.id).unwrap();
        let tags: Vec<_> = view.unsettled().map(|d| d.tag.to_vec()).collect();
        assert_eq!(tags.len(), 50);
        assert_eq!(tags.last().unwrap()[..], 999u32.to_be_bytes());
        p.inject(detach().handle(b.theirs).closed(true));
        p.engine().link(b.id).unwrap().close(None).unwrap();
        p.expect_detach();
        p.events();
        // What the other link has is still there.
        assert_eq!(p.engine().census().outgoing_deliveries, 49);
        p.inject(
            disposition()
                .role(build::Role::Receiver)
                .range(1901, 1999)
                .settled(true)
                .accepted(),
        );
        assert_eq!(p.updates(&a).len(), 49);
    });
}

#[test]
fn a_suspended_link_is_attached_again_with_new_properties() {
    client(|p| {
        let link = receiver(p);
        let session = p.engine().link(link.id).unwrap().session().unwrap();
        let mut state = suspended(p, &link);
        state.config.max_message_size = Some(4711);
        let id = p.resume(session, state).unwrap();
        p.expect_attach().max_message_size(4711).respond();
        p.event_where("LinkAttached", |e| {
            (e == Event::LinkAttached(id)).then_some(())
        });
    });
}

#[test]
fn begin_and_attach_may_be_pipelined_with_what_is_remembered() {
    client(|p| {
        let link = sender(p);
        p.send(&link, b"1", b"one");
        p.expect_transfer();
        let state = suspended(p, &link);
        let session = p.begin(SessionConfig::default()).unwrap();
        let id = p.resume(session, state).unwrap();
        p.expect_begin();
        let got = p.expect_attach().unsettled(map(&[(b"1", V::Null)]));
        let theirs = got.uint("handle") + HANDLE_OFFSET;
        p.inject_all([
            begin()
                .remote_channel(1)
                .next_outgoing_id(0)
                .incoming_window(9)
                .outgoing_window(9)
                .on(9),
            attach()
                .name("l")
                .handle(theirs)
                .role(build::Role::Receiver)
                .source(build::source().v())
                .target(build::target().v())
                .unsettled(map(&[(b"1", V::Null)]))
                .on(9),
            build::flow()
                .next_incoming_id(0)
                .incoming_window(9)
                .next_outgoing_id(0)
                .outgoing_window(9)
                .handle(theirs)
                .delivery_count(0)
                .link_credit(1)
                .on(9),
        ]);
        p.expect_transfer().resume(true).payload(b"one");
        assert!(p.engine().link(id).unwrap().recovered().is_some());
    });
}
