//! Settle modes of both sides (2.8.2, 2.8.3, 2.7.5).

use ferrion_engine::protocol::{DeliveryState, ReceiverSettleMode, SenderSettleMode};
use ferrion_engine::{Event, LinkConfig, SendError};
use ferrion_tests::build::{Role, disposition, transfer};
use ferrion_tests::peer::{Peer, Wired, client};

const SETTLED: u8 = 1;
const FIRST: u8 = 0;
const SECOND: u8 = 1;

fn sender_in(p: &mut Peer, mode: SenderSettleMode) -> Wired {
    p.opened();
    let session = p.begun();
    let mut config = LinkConfig::sender("out", "q");
    config.snd_settle_mode = mode;
    let link = p.sender_with(session, config, |b| b);
    p.grant(&link, 5);
    link
}

fn receiver_in(p: &mut Peer, mode: ReceiverSettleMode) -> Wired {
    p.opened();
    let session = p.begun();
    let mut config = LinkConfig::receiver("in", "q");
    config.rcv_settle_mode = mode;
    let link = p.receiver_with(session, config, |b| b);
    p.take_credit(&link, 5);
    link
}

#[test]
fn a_settled_sender_sends_settled_only() {
    client(|p| {
        let link = sender_in(p, SenderSettleMode::Settled);
        let refused = p.engine().sender(link.id).unwrap().send(b"t", b"x");
        assert!(matches!(refused, Err(SendError::SettleMode { .. })));
        p.send_settled(&link, b"t", b"x");
        p.expect_transfer().settled(true);
    });
}

#[test]
fn an_unsettled_sender_sends_unsettled_only() {
    client(|p| {
        let link = sender_in(p, SenderSettleMode::Unsettled);
        assert!(
            p.engine()
                .sender(link.id)
                .unwrap()
                .send_settled(b"t", b"x")
                .is_err()
        );
        p.send(&link, b"t", b"x");
        p.expect_transfer().settled(false);
    });
}

#[test]
fn the_modes_that_the_peer_answers_are_shown() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let mut config = LinkConfig::receiver("in", "q");
        config.snd_settle_mode = SenderSettleMode::Unsettled;
        config.rcv_settle_mode = ReceiverSettleMode::Second;
        let link = p.attach_receiver(session, config).unwrap();
        p.expect_attach()
            .snd_settle_mode(0)
            .rcv_settle_mode(SECOND)
            .respond_with(|b| b.snd_settle_mode(SETTLED).rcv_settle_mode(FIRST));
        p.expect_events(&[Event::LinkAttached(link)]);
        let view = p.engine().link(link).unwrap();
        assert_eq!(
            view.snd_settle_mode(),
            SenderSettleMode::Settled,
            "what the sender says"
        );
        assert_eq!(
            view.rcv_settle_mode(),
            ReceiverSettleMode::Second,
            "what we, the receiver, said"
        );
    });
}

#[test]
fn in_mode_first_the_receiver_settles_with_its_outcome() {
    client(|p| {
        let link = receiver_in(p, ReceiverSettleMode::First);
        let delivery = p.delivery(&link, 0, b"x");
        p.inject(delivery);
        let id = p.take(&link).id.unwrap();
        p.settle(&link, id, Some(DeliveryState::Accepted));
        p.expect_disposition()
            .role(Role::Receiver)
            .settled(true)
            .accepted();
        p.expect_nothing();
    });
}

#[test]
fn in_mode_second_the_receiver_states_its_outcome_and_the_sender_settles() {
    client(|p| {
        let link = receiver_in(p, ReceiverSettleMode::Second);
        let delivery = p.delivery(&link, 0, b"x");
        p.inject(delivery);
        let id = p.take(&link).id.unwrap();
        p.update(&link, id, DeliveryState::Accepted);
        p.expect_disposition()
            .role(Role::Receiver)
            .first(0)
            .settled(false)
            .accepted();
        p.inject(
            disposition()
                .role(Role::Sender)
                .first(0)
                .settled(true)
                .accepted(),
        );
        let updates = p.updates(&link);
        assert_eq!(updates.len(), 1);
        assert!(updates[0].settled);
        assert_eq!(updates[0].delivery, id);
        p.expect_nothing();
    });
}

#[test]
fn in_mode_second_settle_tells_the_outcome_and_waits_for_the_sender() {
    client(|p| {
        let link = receiver_in(p, ReceiverSettleMode::Second);
        let deliveries = [p.delivery(&link, 0, b"x"), p.delivery(&link, 1, b"y")];
        p.inject_all(deliveries);
        let ids = [p.take(&link).id.unwrap(), p.take(&link).id.unwrap()];
        p.events();
        for id in ids {
            p.settle(&link, id, Some(DeliveryState::Accepted));
        }
        p.expect_disposition()
            .role(Role::Receiver)
            .first(0)
            .last(1)
            .settled(false)
            .accepted();
        assert!(
            p.engine()
                .receiver(link.id)
                .unwrap()
                .settle(ids[0], DeliveryState::Released)
                .is_err()
        );
        assert_eq!(p.engine().census().incoming_deliveries, 2);
        p.inject(
            disposition()
                .role(Role::Sender)
                .range(0, 1)
                .settled(true)
                .accepted(),
        );
        assert_eq!(p.engine().census().incoming_deliveries, 0);
        // The application was done with them: nothing is left to tell.
        p.expect_events(&[]);
        p.expect_nothing();
    });
}

#[test]
fn in_mode_second_a_receiver_that_need_not_wait_settles_at_once_with_an_outcome_or_without() {
    client(|p| {
        let link = receiver_in(p, ReceiverSettleMode::Second);
        let delivery = p.delivery(&link, 0, b"x");
        p.inject(delivery);
        let id = p.take(&link).id.unwrap();
        let mut receiver = p.engine().receiver(link.id).unwrap();
        let settled = receiver.settle_at_once(id, Some(DeliveryState::Accepted));
        settled.unwrap();
        assert!(receiver.settle_at_once(id, None).is_err(), "it is gone");
        p.expect_disposition()
            .role(Role::Receiver)
            .settled(true)
            .accepted();
        let delivery = p.delivery(&link, 1, b"y");
        p.inject(delivery);
        let id = p.take(&link).id.unwrap();
        let mut receiver = p.engine().receiver(link.id).unwrap();
        receiver.settle_at_once(id, None).unwrap();
        p.expect_disposition().role(Role::Receiver).settled(true);
        p.expect_nothing();
    });
}

#[test]
fn in_mode_second_a_delivery_is_not_forgotten_without_an_outcome() {
    client(|p| {
        let link = receiver_in(p, ReceiverSettleMode::Second);
        let delivery = p.delivery(&link, 0, b"x");
        p.inject(delivery);
        let id = p.take(&link).id.unwrap();
        assert!(p.engine().receiver(link.id).unwrap().forget(id).is_err());
        p.expect_nothing();
        p.inject(disposition().role(Role::Sender).first(0).settled(true));
        p.engine().receiver(link.id).unwrap().forget(id).unwrap();
        p.expect_nothing();
        assert_eq!(p.engine().census().incoming_deliveries, 0);
    });
}

#[test]
fn a_settled_transfer_ignores_the_receivers_mode() {
    client(|p| {
        let link = receiver_in(p, ReceiverSettleMode::Second);
        let delivery = p
            .delivery(&link, 0, b"x")
            .settled(true)
            .rcv_settle_mode(FIRST);
        p.inject(delivery);
        assert!(p.take(&link).id.is_none());
        p.expect_nothing();
    });
}

#[test]
fn a_transfer_may_lower_the_mode_to_first() {
    client(|p| {
        let link = receiver_in(p, ReceiverSettleMode::Second);
        let delivery = p.delivery(&link, 0, b"x").rcv_settle_mode(FIRST);
        p.inject(delivery);
        let id = p.take(&link).id.unwrap();
        p.settle(&link, id, Some(DeliveryState::Accepted));
        p.expect_disposition().settled(true).accepted();
    });
}

#[test]
fn a_transfer_may_not_raise_the_mode_to_second() {
    client(|p| {
        let link = receiver_in(p, ReceiverSettleMode::First);
        let delivery = p.delivery(&link, 0, b"x").rcv_settle_mode(SECOND);
        p.inject(delivery);
        p.expect_detach()
            .handle(link.ours)
            .closed(true)
            .check("with an error", |d| !d.get("error").is_null());
    });
}

#[test]
fn a_sender_in_mode_second_settles_after_the_receivers_outcome() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let mut config = LinkConfig::sender("out", "q");
        config.rcv_settle_mode = ReceiverSettleMode::Second;
        let link = p.sender_with(session, config, |b| b);
        p.grant(&link, 1);
        let id = p.send(&link, b"t", b"x");
        p.expect_transfer();
        p.inject(disposition().role(Role::Receiver).first(0).accepted());
        assert_eq!(p.updates(&link)[0].state, Some(DeliveryState::Accepted));
        p.expect_nothing();
        p.engine().sender(link.id).unwrap().settle(id).unwrap();
        p.expect_disposition()
            .role(Role::Sender)
            .first(0)
            .settled(true);
    });
}

/// The mode of a transfer is ignored where the delivery is settled (2.7.5), also one that the link does not allow.
#[test]
fn a_settled_transfer_may_name_any_mode() {
    for more in [false, true] {
        client(|p| {
            let link = receiver_in(p, ReceiverSettleMode::First);
            let delivery = p
                .delivery(&link, 0, b"x")
                .settled(true)
                .rcv_settle_mode(SECOND)
                .more(more);
            p.inject(delivery);
            if more {
                p.inject(transfer().handle(link.theirs).payload(b"y"));
            }
            p.expect_nothing();
            assert!(p.take(&link).id.is_none());
        });
    }
}
