//! Links: attach, detach, names, handles, termini (2.6.1 to 2.6.6, 2.7.3, 2.7.7).

use ferrion_engine::protocol::{Condition, conditions};
use ferrion_engine::{Config, Event, LinkConfig, LinkId, SessionConfig, SessionId, UsageError};
use ferrion_tests::build::{
    Role, attach, begin, detach, disposition, end, error, flow, source, target, transfer,
};
use ferrion_tests::peer::{CHANNEL_OFFSET, Peer, Wired, client, client_with, server};

fn script_sender(name: &str, handle: u32) -> ferrion_tests::build::Build {
    attach()
        .name(name)
        .handle(handle)
        .role(Role::Sender)
        .initial_delivery_count(0)
        .source(source().address("s").v())
        .target(target().address("t").v())
}

fn detached(p: &mut Peer, id: ferrion_engine::LinkId) {
    p.event_where("LinkDetached", |e| {
        (e == Event::LinkDetached(id)).then_some(())
    });
}

#[test]
fn closing_is_answered_with_closing() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "l");
        p.engine().link(link.id).unwrap().close(None).unwrap();
        p.expect_detach()
            .handle(link.ours)
            .closed(true)
            .no_error()
            .respond();
        p.expect_events(&[Event::LinkDetached(link.id)]);
        assert_eq!(p.next_event(), None);
        assert!(matches!(
            p.engine().link(link.id),
            Err(UsageError::StaleHandle)
        ));
        // Name and handle are free again.
        let again = p.sender(session, "l");
        assert_eq!(again.ours, link.ours);
        assert_ne!(again.id, link.id);
    });
}

#[test]
fn the_peers_detach_waits_for_the_applications_answer() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "l");
        p.inject(
            detach()
                .handle(link.theirs)
                .closed(true)
                .error(error("amqp:resource-deleted").v()),
        );
        assert_eq!(p.next_event(), Some(Event::LinkDetached(link.id)));
        let mut view = p.engine().link(link.id).unwrap();
        assert!(view.is_remote_closed());
        assert_eq!(
            view.error().unwrap().condition.condition,
            "amqp:resource-deleted"
        );
        view.close(None).unwrap();
        p.expect_detach().closed(true).no_error();
        p.expect_nothing();
    });
}

#[test]
fn a_detach_that_does_not_close_is_told_from_one_that_does() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "l");
        p.inject(detach().handle(link.theirs));
        assert_eq!(p.next_event(), Some(Event::LinkDetached(link.id)));
        assert!(!p.engine().link(link.id).unwrap().is_remote_closed());
        p.engine().link(link.id).unwrap().detach().unwrap();
        p.expect_detach().handle(link.ours).closed(false);
    });
}

#[test]
fn crossing_detaches_end_the_link_once() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "l");
        p.engine().link(link.id).unwrap().close(None).unwrap();
        p.inject(detach().handle(link.theirs).closed(true));
        p.expect_detach().closed(true);
        p.expect_events(&[Event::LinkDetached(link.id)]);
        p.expect_nothing();
    });
}

#[test]
fn a_sender_and_a_receiver_may_share_a_name() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let sender = p.sender(session, "same");
        let receiver = p.receiver(session, "same");
        assert_ne!(sender.id, receiver.id);
        assert_eq!((sender.ours, receiver.ours), (0, 1));
        p.expect_nothing();
    });
}

#[test]
fn a_second_link_of_our_own_with_the_same_name_and_role_is_refused() {
    client(|p| {
        p.opened();
        let session = p.begun();
        p.sender(session, "l");
        let second = p.attach_sender(session, LinkConfig::sender("l", "q"));
        assert!(matches!(second, Err(UsageError::DuplicateLink(_))));
        p.expect_nothing();
    });
}

#[test]
fn a_peer_that_attaches_a_live_name_again_steals_the_link() {
    server(|p| {
        p.opened();
        p.begun_by_script(Default::default(), |b| b);
        let old = p.attached_by_script(script_sender("l", 3));
        p.inject(script_sender("l", 4));
        p.expect_detach()
            .handle(old.ours)
            .closed(true)
            .condition("amqp:link:stolen");
        let new = p.event_where("LinkAttached", |e| {
            if let Event::LinkAttached(id) = e {
                Some(id)
            } else {
                None
            }
        });
        assert_ne!(new, old.id);
        p.accept_link(new).unwrap();
        p.expect_attach().name("l");
        // What the peer still says about the old one does no harm.
        p.inject(detach().handle(3).closed(true));
        p.expect_nothing();
        assert!(p.engine().link(new).unwrap().is_attached());
    });
}

/// A name stands for a link between two containers, not for one on a session (2.6.1).
#[test]
fn a_live_name_is_stolen_from_another_session_too() {
    server(|p| {
        p.opened();
        p.begun_by_script(Default::default(), |b| b);
        let old = p.attached_by_script(script_sender("l", 3));
        let begin = begin()
            .next_outgoing_id(0)
            .incoming_window(9)
            .outgoing_window(9);
        p.inject(begin.on(9));
        let session = p.event_where("SessionBegun", |e| match e {
            Event::SessionBegun(id) => Some(id),
            _ => None,
        });
        p.accept_session(session, Default::default()).unwrap();
        p.expect_begin().remote_channel(9).on(1);
        p.inject(script_sender("l", 3).on(9));
        p.expect_detach()
            .on(0)
            .handle(old.ours)
            .closed(true)
            .condition("amqp:link:stolen");
        let new = p.event_where("LinkAttached", |e| match e {
            Event::LinkAttached(id) => Some(id),
            _ => None,
        });
        p.accept_link(new).unwrap();
        p.expect_attach().on(1).name("l");
        assert_eq!(p.engine().link(new).unwrap().session(), Some(session));
        p.expect_nothing();
    });
}

/// Each side asks for the same link on a session of its own, before it has heard of the other's (2.6.1): each attach on the session
/// where one waits is its answer, and nothing is stolen.
#[test]
fn attaches_of_one_name_that_cross_on_two_sessions_are_both_answered() {
    client(|p| {
        p.opened();
        p.begun_by_script(Default::default(), |begin| begin);
        let session = p.begin(Default::default()).unwrap();
        p.expect_begin().on(1).respond();
        let ours = p
            .attach_sender(session, LinkConfig::sender("l", "q"))
            .unwrap();
        p.expect_attach().on(1).name("l");
        p.events();
        let receiver = || attach().name("l").role(Role::Receiver);
        p.use_channel(CHANNEL_OFFSET);
        p.inject(receiver().handle(3));
        let theirs = p.event_where("LinkAttached", |e| match e {
            Event::LinkAttached(id) => Some(id),
            _ => None,
        });
        assert_ne!(ours, theirs);
        p.accept_link(theirs).unwrap();
        p.expect_attach().on(0).name("l");
        p.inject(receiver().handle(4).on(CHANNEL_OFFSET + 1));
        p.expect_events(&[Event::LinkAttached(ours)]);
        p.expect_nothing();
        for link in [ours, theirs] {
            assert!(p.engine().link(link).unwrap().is_attached());
        }
        // Whichever ends, the other has the name.
        p.engine().link(theirs).unwrap().close(None).unwrap();
        p.expect_detach().on(0);
        p.inject(detach().handle(3).closed(true));
        p.events();
        let again = p.attach_sender(session, LinkConfig::sender("l", "q"));
        assert!(matches!(again, Err(UsageError::DuplicateLink(_))));
    });
}

fn script_receiver(handle: u32) -> ferrion_tests::build::Build {
    attach()
        .name("l")
        .handle(handle)
        .role(Role::Receiver)
        .source(source().address("s").v())
        .target(target().address("t").v())
}

fn attached(p: &mut Peer) -> LinkId {
    p.event_where("LinkAttached", |e| match e {
        Event::LinkAttached(id) => Some(id),
        _ => None,
    })
}

fn recoverable() -> LinkConfig {
    let mut config = LinkConfig::sender("l", "q");
    config.recoverable = true;
    config
}

/// A link that was asked for on a session of this side's, and has to be answered there, and the session.
fn asked_for(p: &mut Peer) -> (SessionId, LinkId) {
    p.opened();
    p.begun_by_script(Default::default(), |begin| begin);
    let session = p.begin(Default::default()).unwrap();
    p.expect_begin().on(1).respond();
    let ours = p.attach_sender(session, recoverable()).unwrap();
    p.expect_attach().on(1).name("l");
    p.events();
    (session, ours)
}

/// The peer asks for the same on its session.
fn crosses(p: &mut Peer) -> LinkId {
    p.use_channel(CHANNEL_OFFSET);
    p.inject(script_receiver(3));
    let theirs = attached(p);
    let mut config = recoverable();
    config.initial_delivery_count = p.wire(0);
    let mut view = p.engine().link(theirs).unwrap();
    view.accept_with(config).unwrap();
    p.expect_attach().on(0).name("l");
    theirs
}

/// The peer attaches the name to one more session, and the link there is new.
fn comes_anew(p: &mut Peer) -> LinkId {
    let begin = begin()
        .next_outgoing_id(0)
        .incoming_window(9)
        .outgoing_window(9);
    p.inject(begin.on(9));
    let session = p.event_where("SessionBegun", |e| match e {
        Event::SessionBegun(id) => Some(id),
        _ => None,
    });
    p.accept_session(session, Default::default()).unwrap();
    p.expect_begin().remote_channel(9).on(2);
    p.inject(script_receiver(3).on(9));
    attached(p)
}

fn named_states(p: &mut Peer) -> usize {
    p.engine().link_states().len()
}

#[test]
fn links_whose_attaches_crossed_both_have_states_to_keep() {
    client(|p| {
        let (_, ours) = asked_for(p);
        let theirs = crosses(p);
        assert_eq!(named_states(p), 2);
        p.inject(script_receiver(4).on(CHANNEL_OFFSET + 1));
        assert_eq!(attached(p), ours);
        assert_eq!(named_states(p), 2);
        for link in [ours, theirs] {
            assert!(p.engine().link(link).unwrap().is_attached());
        }
        p.expect_nothing();
    });
}

#[test]
fn a_newcomer_steals_both_links_whose_attaches_crossed() {
    client(|p| {
        let (session, ours) = asked_for(p);
        crosses(p);
        p.inject(script_receiver(4).on(CHANNEL_OFFSET + 1));
        assert_eq!(attached(p), ours);
        let new = comes_anew(p);
        for channel in [1, 0] {
            p.expect_detach()
                .on(channel)
                .closed(true)
                .condition("amqp:link:stolen");
        }
        p.accept_link(new).unwrap();
        p.expect_attach().on(2).name("l");
        let again = p.attach_sender(session, recoverable());
        assert!(matches!(again, Err(UsageError::DuplicateLink(_))));
    });
}

/// What waits for its answer is not stolen from, for a newcomer may be that no more than what crossed it before.
#[test]
fn a_newcomer_steals_what_crossed_and_not_what_still_waits_for_its_answer() {
    client(|p| {
        let (_, ours) = asked_for(p);
        crosses(p);
        let new = comes_anew(p);
        p.expect_detach()
            .on(0)
            .closed(true)
            .condition("amqp:link:stolen");
        p.accept_link(new).unwrap();
        p.expect_attach().on(2).name("l");
        p.inject(script_receiver(4).on(CHANNEL_OFFSET + 1));
        assert_eq!(attached(p), ours);
        for link in [ours, new] {
            assert!(p.engine().link(link).unwrap().is_attached());
        }
        p.expect_nothing();
    });
}

/// Its answer is still to come and to be known as that, but the name is the other's.
#[test]
fn a_link_that_was_detached_before_its_answer_leaves_the_name_to_another() {
    client(|p| {
        let (session, ours) = asked_for(p);
        p.engine().link(ours).unwrap().detach().unwrap();
        p.expect_detach().on(1).closed(false);
        let theirs = crosses(p);
        let again = p.attach_sender(session, recoverable());
        assert!(matches!(again, Err(UsageError::DuplicateLink(_))));
        assert_eq!(named_states(p), 1);
        // The answer steals nothing.
        p.inject(script_receiver(4).on(CHANNEL_OFFSET + 1));
        p.inject(detach().handle(4).closed(false).on(CHANNEL_OFFSET + 1));
        p.expect_nothing();
        p.events();
        assert!(p.engine().link(theirs).unwrap().is_attached());
        assert_eq!(named_states(p), 1);
        let again = p.attach_sender(session, recoverable());
        assert!(matches!(again, Err(UsageError::DuplicateLink(_))));
        // It can be stolen as any other.
        comes_anew(p);
        p.expect_detach()
            .on(0)
            .closed(true)
            .condition("amqp:link:stolen");
        p.expect_nothing();
    });
}

#[test]
fn attaching_a_handle_in_use_ends_the_session() {
    server(|p| {
        p.opened();
        p.begun_by_script(Default::default(), |b| b);
        p.attached_by_script(script_sender("a", 3));
        p.inject(script_sender("b", 3));
        p.expect_end().condition("amqp:session:handle-in-use");
    });
}

#[test]
fn input_and_output_handles_are_independent() {
    server(|p| {
        p.opened();
        p.begun_by_script(Default::default(), |b| b);
        let a = p.attached_by_script(script_sender("a", 1));
        let b = p.attached_by_script(script_sender("b", 0));
        assert_eq!((a.ours, b.ours), (0, 1));
        p.inject(detach().handle(0).closed(true));
        detached(p, b.id);
        p.engine().link(b.id).unwrap().close(None).unwrap();
        p.expect_detach().handle(1);
    });
}

#[test]
fn a_handle_is_not_used_again_before_both_sides_detached() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let first = p.sender(session, "a");
        p.engine().link(first.id).unwrap().close(None).unwrap();
        p.expect_detach().handle(0);
        let second = p.sender(session, "b");
        assert_eq!(second.ours, 1);
        p.inject(detach().handle(first.theirs).closed(true));
        detached(p, first.id);
        let third = p.sender(session, "c");
        assert_eq!(third.ours, 0);
    });
}

#[test]
fn detach_of_an_unknown_handle_ends_the_session() {
    client(|p| {
        p.opened();
        p.begun();
        p.inject(detach().handle(4));
        p.expect_end().condition("amqp:session:unattached-handle");
    });
}

#[test]
fn a_flow_for_an_unknown_handle_ends_the_session() {
    client(|p| {
        p.opened();
        p.begun();
        let bad = p.flow().handle(4).delivery_count(0).link_credit(1);
        p.inject(bad);
        p.expect_end().condition("amqp:session:unattached-handle");
    });
}

#[test]
fn a_handle_above_our_handle_max_is_a_framing_error() {
    server(|p| {
        p.opened();
        p.inject(
            ferrion_tests::build::begin()
                .next_outgoing_id(0)
                .incoming_window(9)
                .outgoing_window(9),
        );
        let id = p.event_where("SessionBegun", |e| {
            if let Event::SessionBegun(id) = e {
                Some(id)
            } else {
                None
            }
        });
        p.accept_session(id, Default::default()).unwrap();
        let max = p.expect_begin().uint("handle-max");
        assert!(max < u32::MAX, "a limit there must be");
        p.inject(script_sender("l", max + 1));
        p.expect_close().condition("amqp:connection:framing-error");
    });
}

#[test]
fn links_never_exceed_the_peers_handle_max() {
    client(|p| {
        p.opened();
        let session = p.begun_with(Default::default(), |begin| begin.handle_max(1));
        p.sender(session, "a");
        p.sender(session, "b");
        let third = p.attach_sender(session, LinkConfig::sender("c", "q"));
        assert!(matches!(third, Err(UsageError::LimitReached { .. })));
        p.expect_nothing();
    });
}

/// Handles that were taken before the peer said how many it has are not used again (2.7.2).
#[test]
fn handles_that_turned_out_to_be_beyond_the_peers_handle_max_are_not_used_again() {
    client(|p| {
        p.opened();
        let session = p.begin(Default::default()).unwrap();
        p.expect_begin();
        let config = |name: &str| LinkConfig::sender(name, "q");
        let links =
            ["a", "b", "c", "d"].map(|name| p.attach_sender(session, config(name)).unwrap());
        let begin = begin()
            .remote_channel(0)
            .next_outgoing_id(0)
            .incoming_window(9)
            .outgoing_window(9);
        p.inject(begin.handle_max(1));
        for handle in [0, 1] {
            p.expect_attach().handle(handle).respond();
        }
        p.expect_nothing();
        let events = p.events();
        for link in &links[2..] {
            assert!(events.contains(&Event::LinkDetached(*link)));
        }
        let refused = p.attach_sender(session, config("e"));
        assert!(
            matches!(refused, Err(UsageError::LimitReached { limit: 2, .. })),
            "{refused:?}"
        );
        p.engine().link(links[0]).unwrap().close(None).unwrap();
        p.expect_detach().handle(0).respond();
        p.attach_sender(session, config("e")).unwrap();
        p.expect_attach().handle(0);
        p.expect_nothing();
    });
}

#[test]
fn ending_the_session_detaches_its_links_without_detach_frames() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "l");
        p.engine().session(session).unwrap().end(None).unwrap();
        p.expect_end().respond();
        p.expect_nothing();
        let events = p.events();
        assert!(events.contains(&Event::LinkDetached(link.id)), "{events:?}");
        assert!(events.contains(&Event::SessionEnded(session)), "{events:?}");
        assert!(p.engine().link(link.id).is_err());
        let session = p.begun();
        p.sender(session, "l");
    });
}

#[test]
fn our_own_reason_for_closing_is_the_links_whatever_the_peer_answers() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "l");
        let reason = Condition::new(conditions::ILLEGAL_STATE);
        let mut view = p.engine().link(link.id).unwrap();
        view.close(Some(reason.clone())).unwrap();
        p.expect_detach().condition("amqp:illegal-state");
        let answer = detach().handle(link.theirs).closed(true);
        p.inject(answer.error(error("amqp:resource-deleted").v()));
        detached(p, link.id);
        let error = p.engine().link(link.id).unwrap().error().cloned().unwrap();
        assert_eq!(error.origin, ferrion_engine::Origin::Local);
        assert_eq!(error.condition, reason);
    });
}

#[test]
fn after_detaching_for_an_error_everything_but_detach_is_ignored() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "l");
        // No credit was given: the transfer is the link's fault.
        let transfer = p.delivery(&link, 0, b"x");
        p.inject(transfer);
        p.expect_detach()
            .handle(link.ours)
            .closed(true)
            .condition("amqp:link:transfer-limit-exceeded");
        let transfer = p.delivery(&link, 1, b"x");
        p.inject(transfer);
        p.inject(
            flow()
                .next_incoming_id(0)
                .incoming_window(10)
                .next_outgoing_id(2)
                .outgoing_window(10)
                .handle(link.theirs)
                .delivery_count(2),
        );
        p.expect_nothing();
        p.inject(detach().handle(link.theirs).closed(true));
        p.expect_nothing();
        let detaches = p
            .events()
            .into_iter()
            .filter(|e| *e == Event::LinkDetached(link.id))
            .count();
        assert_eq!(detaches, 1);
        // The session lives on.
        p.sender(session, "other");
    });
}

/// Runs a script in which a link of the name "l" has failed, with an engine that takes errant input at its word.
fn errant(script: impl Fn(&mut Peer, Wired)) {
    let mut config = Config::new("engine");
    config.ends_errant_sessions = true;
    client_with(config, |p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "l");
        let transfer = p.delivery(&link, 0, b"x");
        p.inject(transfer);
        p.expect_detach()
            .condition("amqp:link:transfer-limit-exceeded");
        script(p, link);
    });
}

#[test]
fn input_for_a_failed_link_ends_the_session_where_that_is_asked_for() {
    errant(|p, link| {
        let transfer = p.delivery(&link, 1, b"x");
        p.inject(transfer);
        p.expect_end().condition("amqp:session:errant-link");
        p.inject(end());
    });
    errant(|p, link| {
        p.inject(detach().handle(link.theirs).closed(true));
        p.expect_nothing();
    });
}

#[test]
fn an_attach_on_the_heels_of_a_failed_link_ends_the_session_where_that_is_asked_for() {
    errant(|p, _| {
        p.inject(script_sender("l", 70));
        p.expect_end().condition("amqp:session:errant-link");
        p.inject(end());
    });
    errant(|p, _| {
        p.inject(script_sender("another", 70));
        p.expect_nothing();
    });
}

#[test]
fn an_id_of_the_other_role_is_the_wrong_kind() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let sender = p.sender(session, "s");
        let receiver = p.receiver(session, "r");
        assert!(matches!(
            p.engine().receiver(sender.id),
            Err(UsageError::WrongKind { .. })
        ));
        assert!(matches!(
            p.engine().sender(receiver.id),
            Err(UsageError::WrongKind { .. })
        ));
    });
}

#[test]
fn a_link_that_both_detached_can_be_attached_again() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "l");
        p.engine().link(link.id).unwrap().detach().unwrap();
        p.expect_detach().closed(false).respond();
        detached(p, link.id);
        let again = p.sender(session, "l");
        p.grant(&again, 1);
        p.send(&again, b"t", b"x");
        p.expect_transfer().handle(again.ours).payload(b"x");
    });
}

#[test]
fn a_peer_may_attach_again_before_its_detach_is_answered() {
    server(|p| {
        p.opened();
        p.begun_by_script(Default::default(), |b| b);
        let old = p.attached_by_script(script_sender("l", 3));
        p.inject_all([detach().handle(3), script_sender("l", 3)]);
        assert_eq!(p.next_event(), Some(Event::LinkDetached(old.id)));
        p.engine().link(old.id).unwrap().detach().unwrap();
        let Some(Event::LinkAttached(new)) = p.next_event() else {
            panic!()
        };
        assert!(p.engine().link(new).unwrap().is_incoming());
        p.accept_link(new).unwrap();
        p.expect_detach().handle(old.ours).closed(false).no_error();
        p.expect_attach().name("l");
        p.engine().receiver(new).unwrap().set_credit(1).unwrap();
        p.expect_flow();
        let delivery = transfer()
            .handle(3)
            .delivery_id(0)
            .delivery_tag(b"t")
            .message_format(0)
            .payload(b"x");
        p.inject(delivery);
        assert_eq!(p.next_event(), Some(Event::Deliveries(new)));
    });
}

#[test]
fn detaching_does_not_disturb_what_is_unsettled_on_other_links() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let (a, b) = (p.sender(session, "a"), p.sender(session, "b"));
        p.grant(&a, 1);
        p.grant(&b, 1);
        p.send(&a, b"1", b"");
        let kept = p.send(&b, b"1", b"");
        p.drain_names();
        p.engine().link(a.id).unwrap().close(None).unwrap();
        p.expect_detach().respond();
        detached(p, a.id);
        p.events();
        let all = disposition()
            .role(Role::Receiver)
            .range(0, 1)
            .settled(true)
            .accepted();
        p.inject(all);
        assert_eq!(p.updates(&b)[0].delivery, kept);
        assert_eq!(p.engine().census().outgoing_deliveries, 0);
    });
}

/// A receiver states outcomes for what it received, and for nothing else (2.6.12).
#[test]
fn a_receiver_does_not_settle_what_a_sender_sent() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let receiver = p.receiver(session, "in");
        let sender = p.sender(session, "out");
        p.grant(&sender, 5);
        let sent = p.send(&sender, b"t", b"x");
        p.expect_transfer();
        assert!(matches!(
            p.engine().receiver(receiver.id).unwrap().accept(sent),
            Err(UsageError::WrongKind { .. })
        ));
        p.expect_nothing();
    });
}

#[test]
fn refusing_a_link_before_its_session_is_accepted_changes_nothing() {
    server(|p| {
        p.opened();
        p.use_channel(0);
        p.inject(
            begin()
                .next_outgoing_id(0)
                .incoming_window(9)
                .outgoing_window(9),
        );
        p.inject(script_sender("l", 0));
        let session = p.event_where("SessionBegun", |e| match e {
            Event::SessionBegun(id) => Some(id),
            _ => None,
        });
        let link = p.event_where("LinkAttached", |e| match e {
            Event::LinkAttached(id) => Some(id),
            _ => None,
        });
        let why = Condition::new(conditions::NOT_FOUND);
        assert!(matches!(
            p.engine().link(link).unwrap().refuse(why),
            Err(UsageError::WrongState(_))
        ));
        p.accept_session(session, SessionConfig::default()).unwrap();
        p.accept_link(link).unwrap();
        p.expect_begin();
        // A refusal would have answered without a target (2.6.3).
        p.expect_attach()
            .check("a target", |attach| !attach.get("target").is_null());
    });
}

#[test]
fn closing_with_an_error_does_not_wait_for_credit() {
    client(|p| {
        p.opened();
        let session = p.begun_with(SessionConfig::default(), |b| b.incoming_window(0));
        let link = p.sender(session, "out");
        let shut = p.link_flow(&link).link_credit(3).incoming_window(0);
        p.inject(shut);
        p.send_settled(&link, b"1", b"x");
        let taken_back = p.link_flow(&link).link_credit(0).incoming_window(100);
        p.inject(taken_back);
        let why = Condition::new(conditions::INTERNAL_ERROR);
        p.engine().link(link.id).unwrap().close(Some(why)).unwrap();
        p.expect_detach()
            .closed(true)
            .condition("amqp:internal-error");
    });
}
