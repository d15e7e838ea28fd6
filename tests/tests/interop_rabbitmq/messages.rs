//! What becomes of messages.

use bytes::Bytes;
use ferrion_engine::{
    LinkConfig, LinkId, Message, SendError,
    codec::{Fields, Symbol, Value},
    protocol::{
        Condition,
        DeliveryState::{self, Accepted, Released},
        Modified, Role, SenderSettleMode, conditions,
    },
};
use ferrion_tests::interop::{Conversation, Queue};

use crate::support::{LARGEST, declare, talk, text};

/// Messages of the test of many.
const MANY: usize = 10_000;

#[test]
fn the_broker_accepts_rejects_and_releases() {
    let full = Queue::classic("full")
        .argument("x-max-length", 1_i64)
        .argument("x-overflow", "reject-publish");
    let full = declare(&full);
    let (mut talk, session) = talk();
    let sender = talk.sender(session, &full);
    assert_eq!(state(&mut talk, sender), Accepted);
    let DeliveryState::Rejected(Some(error)) = state(&mut talk, sender) else {
        panic!("the queue is full")
    };
    assert_eq!(error.condition, conditions::RESOURCE_LIMIT_EXCEEDED);
    let sender = talk.sender(session, "/exchanges/amq.direct/nobody");
    assert_eq!(state(&mut talk, sender), Released);
    assert_eq!(talk.close(), None);
}

/// Sends a message: what the broker makes of it.
fn state(talk: &mut Conversation, sender: LinkId) -> DeliveryState {
    let delivery = talk.send(sender, text("x").to_bytes());
    let update = talk.update(sender, delivery);
    assert!(update.settled);
    update.state.expect("an outcome")
}

#[test]
fn a_relay_sends_each_message_where_it_says() {
    let address = declare(&Queue::classic("relayed"));
    let (mut talk, session) = talk();
    let mut config = LinkConfig::sender("relay", "");
    // No address at all: the anonymous terminus.
    config.target = Some(Box::default());
    let sender = talk.attach(session, Role::Sender, config).unwrap();
    for (to, outcome) in [(&*address, Accepted), ("/queues/nowhere", Released)] {
        let mut message = text("x");
        message.set_address(to);
        let delivery = talk.send(sender, message.to_bytes());
        assert_eq!(talk.outcome(sender, delivery), Some(outcome));
    }
    assert_eq!(talk.close(), None);
}

#[test]
fn every_outcome_that_is_given_has_its_effect() {
    declare(&Queue::classic("dead"));
    let queue = Queue::quorum("fates")
        .argument("x-dead-letter-exchange", "")
        .argument("x-dead-letter-routing-key", "dead");
    let address = declare(&queue);
    let (mut talk, session) = talk();
    let sender = talk.sender(session, &address);
    let receiver = talk.receiver(session, &address);
    talk.grant(receiver, 100);
    let mut fate = |outcome: DeliveryState| {
        talk.send(sender, text("x").to_bytes());
        let message = talk.take(receiver, outcome);
        assert_eq!(message.first_acquirer(), Ok(true));
        // What is not gone comes again, to this only receiver.
        talk.send(sender, text("next").to_bytes());
        let again = talk.take(receiver, Accepted);
        if again.body_text() == Ok(Some("next")) {
            // The order of the two may be either.
            talk.rest(std::time::Duration::from_millis(50));
            let mut view = talk.engine().receiver(receiver).unwrap();
            let late = view.next_delivery()?;
            talk.settle(receiver, late.id.unwrap(), Accepted);
            return Some(Message::decode(late.payload.into_bytes()).unwrap());
        }
        assert_eq!(talk.take(receiver, Accepted).body_text(), Ok(Some("next")));
        Some(again)
    };
    assert!(fate(Accepted).is_none());
    let error = Condition::with_description(conditions::DECODE_ERROR, "not for me");
    assert!(fate(DeliveryState::rejected(error)).is_none());
    let again = fate(Released).expect("it comes again");
    assert_eq!(
        (again.first_acquirer(), again.delivery_count()),
        (Ok(false), Ok(0))
    );
    let failed = Modified {
        delivery_failed: Some(true),
        ..Modified::default()
    };
    let again = fate(modified(&failed)).expect("it comes again");
    assert_eq!(again.delivery_count(), Ok(1));
    let noted = Modified {
        message_annotations: Some(Fields::from_entries([(
            Symbol::from_static("x-opt-why"),
            Value::from("because"),
        )])),
        ..Modified::default()
    };
    let again = fate(modified(&noted)).expect("it comes again");
    assert_eq!(annotation(&again, "x-opt-why"), Some("because".into()));
    let elsewhere = Modified {
        undeliverable_here: Some(true),
        ..noted
    };
    assert!(fate(modified(&elsewhere)).is_none());
    // What was rejected, and what was undeliverable, went where the queue sends its dead letters.
    let receiver = talk.receiver(session, "/queues/dead");
    talk.grant(receiver, 2);
    for note in [None, Some("because".into())] {
        let dead = talk.take(receiver, Accepted);
        assert_eq!(annotation(&dead, "x-opt-why"), note);
        let reason = annotation(&dead, "x-last-death-reason");
        assert_eq!(reason, Some("rejected".into()));
    }
    assert_eq!(talk.close(), None);
}

fn modified(modified: &Modified) -> DeliveryState {
    DeliveryState::Modified(Box::new(modified.clone()))
}

fn annotation(message: &Message, name: &str) -> Option<Value> {
    let annotations = message.message_annotations().unwrap();
    annotations.and_then(|all| all.get_str(name).cloned())
}

#[test]
fn what_is_not_settled_comes_again_when_the_link_ends() {
    let address = declare(&Queue::quorum("again"));
    let (mut talk, session) = talk();
    let sender = talk.sender(session, &address);
    for number in 0..3 {
        talk.send(sender, text(number.to_string()).to_bytes());
    }
    talk.outcomes(sender, 3);
    let receiver = talk.receiver(session, &address);
    talk.grant(receiver, 3);
    for _ in 0..3 {
        talk.receive(receiver);
    }
    talk.close_link(receiver);
    let receiver = talk.receiver(session, &address);
    talk.grant(receiver, 3);
    for number in 0..3 {
        let message = talk.take(receiver, Accepted);
        assert_eq!(message.body_text(), Ok(Some(&*number.to_string())));
        assert_eq!(message.first_acquirer(), Ok(false));
    }
    assert_eq!(talk.close(), None);
}

#[test]
fn every_settle_mode_of_the_sender_is_carried() {
    let address = declare(&Queue::classic("settling"));
    let (mut talk, session) = talk();
    for mode in [
        SenderSettleMode::Settled,
        SenderSettleMode::Unsettled,
        SenderSettleMode::Mixed,
    ] {
        let mut config = LinkConfig::sender(talk.name("sender"), address.as_str());
        config.snd_settle_mode = mode;
        let sender = talk.attach(session, Role::Sender, config).unwrap();
        assert_eq!(talk.engine().link(sender).unwrap().snd_settle_mode(), mode);
        let mut sent = 0;
        if mode != SenderSettleMode::Unsettled {
            talk.send_settled(sender, text("x").to_bytes());
            sent += 1;
        }
        if mode != SenderSettleMode::Settled {
            assert_eq!(state(&mut talk, sender), Accepted);
            sent += 1;
        }
        let mut config = LinkConfig::receiver(talk.name("receiver"), address.as_str());
        config.snd_settle_mode = mode;
        let receiver = talk.attach(session, Role::Receiver, config).unwrap();
        talk.grant(receiver, sent);
        for _ in 0..sent {
            let delivery = talk.receive(receiver);
            // RabbitMQ settles first only if it is told so; asked for either, it leaves that to the receiver.
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
fn a_message_that_is_too_large_is_not_sent() {
    let address = declare(&Queue::classic("small"));
    let (mut talk, session) = talk();
    let sender = talk.sender(session, &address);
    talk.until("credit", |engine| {
        (engine.sender(sender).unwrap().credit() > 0).then_some(())
    });
    let mut view = talk.engine().sender(sender).unwrap();
    let delivery = view.stream(b"large", &Default::default()).unwrap();
    let piece = Bytes::from(vec![0; 32 << 20]);
    for _ in 0..LARGEST >> 25 {
        view.write(delivery, piece.clone()).unwrap();
    }
    let refused = view.write(delivery, piece.slice(..1)).unwrap_err();
    assert_eq!(
        refused,
        SendError::MessageTooLarge {
            size: LARGEST + 1,
            limit: LARGEST
        }
    );
    view.abort(delivery).unwrap();
    assert_eq!(state(&mut talk, sender), Accepted);
    assert_eq!(talk.close(), None);
}

#[test]
fn ten_thousand_are_accepted_by_a_quorum_queue_and_taken_in_order() {
    let address = declare(&Queue::quorum("many"));
    let (talk, session) = talk();
    let mut talk = talk.quiet();
    let sender = talk.sender(session, &address);
    for number in 0..MANY {
        talk.send(sender, text(number.to_string()).to_bytes());
    }
    assert!(
        talk.outcomes(sender, MANY)
            .iter()
            .all(|state| *state == Some(Accepted))
    );
    let receiver = talk.receiver(session, &address);
    let mut view = talk.engine().receiver(receiver).unwrap();
    view.set_automatic_credit(200).unwrap();
    for number in 0..MANY {
        let message = talk.take(receiver, Accepted);
        assert_eq!(message.body_text(), Ok(Some(&*number.to_string())));
    }
    assert_eq!(talk.close(), None);
    // All of it was settled: nothing is left for another one.
    let (mut talk, session) = crate::support::talk();
    let receiver = talk.receiver(session, &address);
    talk.grant(receiver, 1);
    talk.drain(receiver);
    assert_eq!(talk.engine().receiver(receiver).unwrap().waiting(), 0);
    assert_eq!(talk.close(), None);
}
