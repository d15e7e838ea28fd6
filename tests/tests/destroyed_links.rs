//! Links that the peer detached with an error: its endpoint is gone, and takes nothing but our detach (2.6.5).

use ferrion_engine::protocol::{Condition, DeliveryState, ReceiverSettleMode, conditions};
use ferrion_engine::{Config, Event, LinkConfig, Time, UsageError};
use ferrion_tests::build::{Role, detach, disposition, end, error};
use ferrion_tests::peer::{Peer, Wired, client, client_with};

/// A receiver with credit for ten, to which so many deliveries came.
fn receiver(p: &mut Peer, config: LinkConfig, deliveries: u32) -> Wired {
    p.opened();
    let session = p.begun();
    let link = p.receiver_with(session, config, |attach| attach);
    p.take_credit(&link, 10);
    for id in 0..deliveries {
        let delivery = p.delivery(&link, id, b"x");
        p.inject(delivery);
    }
    link
}

/// The peer's endpoint fails.
fn fails(p: &mut Peer, link: &Wired) {
    let detach = detach().handle(link.theirs).closed(true);
    p.inject(detach.error(error("amqp:internal-error").v()));
    p.event_where("LinkDetached", |e| {
        (e == Event::LinkDetached(link.id)).then_some(())
    });
}

/// Nothing but our detach is written.
fn ends(p: &mut Peer, link: &Wired) {
    p.expect_nothing();
    p.engine().link(link.id).unwrap().close(None).unwrap();
    p.expect_detach().handle(link.ours).closed(true);
    p.expect_nothing();
}

#[test]
fn a_receiver_grants_no_credit_to_it() {
    client(|p| {
        let link = receiver(p, LinkConfig::receiver("in", "q"), 4);
        let mut view = p.engine().receiver(link.id).unwrap();
        view.set_automatic_credit(4).unwrap();
        p.expect_flow().link_credit(4);
        fails(p, &link);
        for _ in 0..4 {
            p.take(&link);
        }
        p.engine().receiver(link.id).unwrap().set_credit(7).unwrap();
        p.engine().receiver(link.id).unwrap().drain().unwrap();
        ends(p, &link);
    });
}

#[test]
fn credit_that_was_not_told_yet_is_not_told_to_it() {
    client(|p| {
        let link = receiver(p, LinkConfig::receiver("in", "q"), 0);
        p.engine().receiver(link.id).unwrap().set_credit(7).unwrap();
        let detach = detach().handle(link.theirs).closed(true);
        p.inject(detach.error(error("amqp:internal-error").v()));
        ends(p, &link);
    });
}

#[test]
fn what_its_receiver_settles_is_settled_here_alone() {
    for mode in [ReceiverSettleMode::First, ReceiverSettleMode::Second] {
        client(|p| {
            let mut config = LinkConfig::receiver("in", "q");
            config.rcv_settle_mode = mode;
            let link = receiver(p, config, 3);
            fails(p, &link);
            let ids = [0; 3].map(|_| p.take(&link).id.unwrap());
            p.update(&link, ids[0], DeliveryState::Released);
            for id in ids {
                p.settle(&link, id, Some(DeliveryState::Accepted));
                let again = p.engine().receiver(link.id).unwrap().accept(id);
                assert_eq!(again, Err(UsageError::StaleHandle));
            }
            assert_eq!(p.engine().census().incoming_deliveries, 0);
            ends(p, &link);
        });
    }
}

#[test]
fn what_its_sender_settles_is_settled_here_alone() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.sender(session, "out");
        p.grant(&link, 2);
        let ids = [p.send(&link, b"1", b"a"), p.send(&link, b"2", b"b")];
        p.expect_transfer();
        p.expect_transfer();
        fails(p, &link);
        let mut sender = p.engine().sender(link.id).unwrap();
        sender.update(ids[0], DeliveryState::Accepted).unwrap();
        for id in ids {
            sender.settle(id).unwrap();
        }
        assert_eq!(p.engine().census().outgoing_deliveries, 0);
        ends(p, &link);
    });
}

#[test]
fn a_graceful_close_that_it_ends_gives_nothing_back_to_it() {
    client(|p| {
        let link = receiver(p, LinkConfig::receiver("in", "q"), 3);
        let id = p.take(&link).id.unwrap();
        let by = Time(p.now().0 + 1_000);
        p.engine().link(link.id).unwrap().close_by(by).unwrap();
        assert_eq!(p.drain_names(), ["flow", "disposition"]);
        let detach = detach().handle(link.theirs).closed(true);
        p.inject(detach.error(error("amqp:internal-error").v()));
        p.settle(&link, id, Some(DeliveryState::Accepted));
        p.expect_detach().handle(link.ours).closed(true);
        p.expect_nothing();
    });
}

/// The link is to be resumed, and then the sender is told.
#[test]
fn what_is_settled_on_a_link_that_can_be_recovered_is_told_when_it_is_resumed() {
    client(|p| {
        let mut config = LinkConfig::receiver("in", "q");
        config.recoverable = true;
        let link = receiver(p, config, 2);
        fails(p, &link);
        let id = p.take(&link).id.unwrap();
        p.settle(&link, id, Some(DeliveryState::Accepted));
        let again = p.engine().receiver(link.id).unwrap().accept(id);
        assert_eq!(again, Err(UsageError::StaleHandle));
        let state = p.engine().link(link.id).unwrap().state().unwrap();
        let kept: Vec<_> = state
            .unsettled
            .iter()
            .map(|delivery| (delivery.done, delivery.local_state.clone()))
            .collect();
        assert_eq!(
            kept,
            [(true, Some(DeliveryState::Accepted)), (false, None)],
            "{state:?}"
        );
        ends(p, &link);
    });
}

/// The sender will resume what it sent, and is to hear of an outcome then as if the link had not failed (2.8.3).
#[test]
fn what_settles_second_on_a_link_that_can_be_recovered_takes_an_outcome() {
    client(|p| {
        let mut config = LinkConfig::receiver("in", "q");
        config.recoverable = true;
        config.rcv_settle_mode = ReceiverSettleMode::Second;
        let link = receiver(p, config, 1);
        fails(p, &link);
        let id = p.take(&link).id.unwrap();
        let mut view = p.engine().receiver(link.id).unwrap();
        let refused = view.forget(id);
        assert!(matches!(refused, Err(UsageError::WrongState(_))));
        view.settle(id, DeliveryState::Accepted).unwrap();
        let state = p.engine().link(link.id).unwrap().state().unwrap();
        let kept = &state.unsettled[0];
        assert!(kept.done);
        assert_eq!(kept.local_state, Some(DeliveryState::Accepted));
        ends(p, &link);
    });
}

/// Without an error the peer's endpoint is only detached, and what it sent is still to be settled.
#[test]
fn a_link_that_was_only_detached_is_told_outcomes_and_given_no_credit() {
    client(|p| {
        let link = receiver(p, LinkConfig::receiver("in", "q"), 1);
        p.inject(detach().handle(link.theirs).closed(false));
        p.engine().receiver(link.id).unwrap().set_credit(7).unwrap();
        let id = p.take(&link).id.unwrap();
        p.settle(&link, id, Some(DeliveryState::Accepted));
        p.expect_disposition().first(0).settled(true);
        p.expect_nothing();
    });
}

/// What is said of a link's deliveries is input for it as much as what comes by its handle.
#[test]
fn a_disposition_for_a_failed_link_ends_the_session_where_that_is_asked_for() {
    for errant in [true, false] {
        let mut config = Config::new("engine");
        config.ends_errant_sessions = errant;
        client_with(config, |p| {
            p.opened();
            let session = p.begun();
            let (good, bad) = (p.sender(session, "good"), p.sender(session, "bad"));
            for link in [&good, &bad] {
                p.grant(link, 1);
                p.send(link, b"t", b"x");
                p.expect_transfer();
            }
            let why = Condition::new(conditions::INTERNAL_ERROR);
            let mut view = p.engine().link(bad.id).unwrap();
            view.close(Some(why)).unwrap();
            p.expect_detach().condition("amqp:internal-error");
            let said = disposition().role(Role::Receiver).settled(true).accepted();
            p.inject(said.clone().first(0));
            p.expect_nothing();
            p.inject(said.first(0).last(7));
            if errant {
                p.expect_end().condition("amqp:session:errant-link");
                p.inject(end());
            } else {
                p.expect_nothing();
            }
        });
    }
    let mut config = Config::new("engine");
    config.ends_errant_sessions = true;
    client_with(config, |p| {
        let link = receiver(p, LinkConfig::receiver("in", "q"), 1);
        let why = Condition::new(conditions::INTERNAL_ERROR);
        let mut view = p.engine().link(link.id).unwrap();
        view.close(Some(why)).unwrap();
        p.expect_detach().condition("amqp:internal-error");
        p.inject(disposition().role(Role::Sender).first(0).settled(true));
        p.expect_end().condition("amqp:session:errant-link");
        p.inject(end());
    });
}
