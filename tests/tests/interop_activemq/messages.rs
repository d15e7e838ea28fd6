//! What becomes of messages.

use ferrion_engine::{
    LinkConfig, Message,
    codec::{Fields, Symbol, Value},
    protocol::{
        Condition,
        DeliveryState::{self, Accepted, Released},
        Modified, Role, SenderSettleMode, conditions,
    },
};

use crate::support::{talk, text};

/// Messages of the test of many.
const MANY: usize = 10_000;

#[test]
fn every_outcome_that_is_given_has_its_effect() {
    let (mut talk, session) = talk("fates");
    let sender = talk.sender(session, "queue://fates");
    let receiver = talk.receiver(session, "queue://fates");
    talk.grant(receiver, 100);
    let mut fate = |name: &str, outcome: DeliveryState| {
        let delivery = talk.send(sender, text(name).to_bytes());
        assert_eq!(talk.outcome(sender, delivery), Some(Accepted));
        assert_eq!(talk.take(receiver, outcome).body_text(), Ok(Some(name)));
        // What is not gone comes again, to this only receiver, before what is sent later.
        talk.send(sender, text("next").to_bytes());
        let again = talk.take(receiver, Accepted);
        if again.body_text() == Ok(Some("next")) {
            return None;
        }
        assert_eq!(talk.take(receiver, Accepted).body_text(), Ok(Some("next")));
        Some(again)
    };
    assert!(fate("accepted", Accepted).is_none());
    let error = Condition::with_description(conditions::DECODE_ERROR, "not for me");
    assert!(fate("rejected", DeliveryState::rejected(error)).is_none());
    let again: Message = fate("released", Released).expect("it comes again");
    assert_eq!(again.delivery_count(), Ok(0));
    let note = (Symbol::from_static("x-opt-why"), Value::from("because"));
    let failed = Modified {
        delivery_failed: Some(true),
        message_annotations: Some(Fields::from_entries([note])),
        ..Modified::default()
    };
    let again = fate("failed", DeliveryState::Modified(Box::new(failed.clone())));
    let again = again.expect("it comes again");
    assert_eq!(again.delivery_count(), Ok(1));
    // The broker keeps no annotations, although it should (3.4.5).
    assert_eq!(again.message_annotations(), Ok(None));
    let elsewhere = Modified {
        undeliverable_here: Some(true),
        ..failed
    };
    assert!(fate("elsewhere", DeliveryState::Modified(Box::new(elsewhere))).is_none());
    // What was rejected, and what was undeliverable, went to the dead letters.
    let receiver = talk.receiver(session, "queue://ActiveMQ.DLQ");
    talk.grant(receiver, 2);
    for name in ["rejected", "elsewhere"] {
        let dead = talk.take(receiver, Accepted);
        assert_eq!(dead.body_text(), Ok(Some(name)));
    }
    assert_eq!(talk.close(), None);
}

#[test]
fn a_relay_sends_each_message_where_it_says_and_rejects_what_may_not_be_sent() {
    let (mut talk, session) = talk("relay");
    let mut config = LinkConfig::sender("relay", "");
    // No address at all: the anonymous terminus.
    config.target = Some(Box::default());
    let sender = talk.attach(session, Role::Sender, config).unwrap();
    let mut send = |to| {
        let mut message = text("x");
        message.set_address(to);
        let delivery = talk.send(sender, message.to_bytes());
        talk.outcome(sender, delivery).expect("an outcome")
    };
    assert_eq!(send("queue://relayed"), Accepted);
    let DeliveryState::Rejected(Some(error)) = send("queue://private.diary") else {
        panic!("guest may not write there")
    };
    assert_eq!(error.condition, conditions::UNAUTHORIZED_ACCESS);
    assert_eq!(talk.close(), None);
}

#[test]
fn every_settle_mode_of_the_sender_is_carried() {
    let (mut talk, session) = talk("settling");
    for mode in [
        SenderSettleMode::Settled,
        SenderSettleMode::Unsettled,
        SenderSettleMode::Mixed,
    ] {
        let mut config = LinkConfig::sender(talk.name("sender"), "queue://settling");
        config.snd_settle_mode = mode;
        let sender = talk.attach(session, Role::Sender, config).unwrap();
        assert_eq!(talk.engine().link(sender).unwrap().snd_settle_mode(), mode);
        let mut sent = 0;
        if mode != SenderSettleMode::Unsettled {
            talk.send_settled(sender, text("x").to_bytes());
            sent += 1;
        }
        if mode != SenderSettleMode::Settled {
            let delivery = talk.send(sender, text("x").to_bytes());
            assert_eq!(talk.outcome(sender, delivery), Some(Accepted));
            sent += 1;
        }
        let mut config = LinkConfig::receiver(talk.name("receiver"), "queue://settling");
        config.snd_settle_mode = mode;
        let receiver = talk.attach(session, Role::Receiver, config).unwrap();
        talk.grant(receiver, sent);
        for _ in 0..sent {
            let delivery = talk.receive(receiver);
            assert_eq!(delivery.is_settled(), mode == SenderSettleMode::Settled);
            if let Some(id) = delivery.id {
                talk.settle(receiver, id, Accepted);
            }
        }
        talk.close_link(receiver);
    }
    assert_eq!(talk.close(), None);
}

#[test]
fn a_topic_gives_each_message_to_all() {
    let (mut talk, session) = talk("publisher");
    let receivers = [(); 2].map(|()| {
        let receiver = talk.receiver(session, "topic://news");
        talk.grant(receiver, 10);
        receiver
    });
    let sender = talk.sender(session, "topic://news");
    for number in 0..5 {
        talk.send(sender, text(number.to_string()).to_bytes());
    }
    for receiver in receivers {
        for number in 0..5 {
            let message = talk.take(receiver, Accepted);
            assert_eq!(message.body_text(), Ok(Some(&*number.to_string())));
        }
    }
    assert_eq!(talk.close(), None);
}

#[test]
fn ten_thousand_are_accepted_and_taken_in_order() {
    let (talk, session) = talk("many");
    let mut talk = talk.quiet();
    let sender = talk.sender(session, "queue://many");
    for number in 0..MANY {
        talk.send(sender, text(number.to_string()).to_bytes());
    }
    let outcomes = talk.outcomes(sender, MANY);
    assert!(outcomes.iter().all(|state| *state == Some(Accepted)));
    let receiver = talk.receiver(session, "queue://many");
    let mut view = talk.engine().receiver(receiver).unwrap();
    view.set_automatic_credit(200).unwrap();
    for number in 0..MANY {
        let message = talk.take(receiver, Accepted);
        assert_eq!(message.body_text(), Ok(Some(&*number.to_string())));
    }
    assert_eq!(talk.close(), None);
}
