//! Delivery states are carried unharmed: with all their fields, both ways, known or not (3.4, 4.5.8).

use bytes::Bytes;
use ferrion_engine::codec::{Decode, Encode, Reader};
use ferrion_engine::protocol::{DeliveryState, Received, ReceiverSettleMode, Source};
use ferrion_engine::{DeliveryId, LinkConfig, SendError, SendOptions, UsageError};
use ferrion_tests::build::{
    self, Role, disposition, error, modified, received, rejected, released, transfer,
};
use ferrion_tests::oracle::{self, V};
use ferrion_tests::peer::{Peer, Wired, client};

fn transactional(outcome: V) -> V {
    let mut fields = vec![V::bin(b"txn-1"), outcome];
    // Nulls at the end are left out.
    fields.retain(|field| !field.is_null());
    V::described(0x34, V::List(fields))
}

fn annotations() -> V {
    let nested = V::List(vec![V::Null, V::Long(-1)]);
    V::fields(&[("x-opt-a", nested), ("x-opt-b", V::str("b"))])
}

/// Outcomes with each of their fields set and unset, and states of transactions and of vendors.
fn states() -> Vec<V> {
    let reason = error("amqp:decode-error")
        .set("description", V::str("bad"))
        .set("info", V::fields(&[("k", V::Uint(1))]));
    let mut states = vec![
        build::accepted().v(),
        rejected().v(),
        rejected().error(error("vendor:no").v()).v(),
        rejected().error(reason.v()).v(),
        released().v(),
        modified().v(),
        modified().delivery_failed(true).v(),
        modified().delivery_failed(false).v(),
        modified().undeliverable_here(true).v(),
        modified().undeliverable_here(false).v(),
        modified().set("message-annotations", annotations()).v(),
        modified()
            .delivery_failed(true)
            .undeliverable_here(true)
            .set("message-annotations", annotations())
            .v(),
        // declared
        V::described(0x33, V::List(vec![V::bin(b"txn-1")])),
        transactional(V::Null),
        // Nobody here knows these.
        V::described(0x0000_468c_0000_0077, V::Map(vec![])),
        V::Described(
            Box::new(V::sym("vendor:state:list")),
            Box::new(V::List(vec![V::Uint(1), V::described(7, V::Bool(true))])),
        ),
        V::described(0x0000_468c_0000_0078, V::Null),
    ];
    let outcomes: Vec<V> = states.drain(..12).collect();
    states.extend(outcomes.iter().cloned().map(transactional));
    states.extend(outcomes);
    states
}

/// As the engine has it.
fn state(value: &V) -> DeliveryState {
    let mut octets = Vec::new();
    oracle::encode(value, &mut octets);
    DeliveryState::decode(&mut Reader::new(&Bytes::from(octets))).expect("a state")
}

/// As the naive codec reads what the engine makes of it.
fn seen(state: Option<&DeliveryState>) -> V {
    let Some(state) = state else { return V::Null };
    let mut octets = Vec::new();
    state.encode(&mut octets);
    let (value, used) = oracle::decode(&octets).expect("a value");
    assert_eq!(used, octets.len());
    value
}

fn with_sender(p: &mut Peer, config: LinkConfig) -> Wired {
    p.opened_with(|open| open.max_frame_size(512));
    let session = p.begun();
    let link = p.sender_with(session, config, |b| b);
    p.grant(&link, 10);
    link
}

/// Its peer takes frames of 512 octets.
fn with_small_receiver(p: &mut Peer) -> Wired {
    p.opened_with(|open| open.max_frame_size(512));
    let session = p.begun();
    let link = p.receiver(session, "in");
    p.take_credit(&link, 10);
    link
}

fn with_receiver(p: &mut Peer, mode: ReceiverSettleMode) -> Wired {
    p.opened();
    let session = p.begun();
    let mut config = LinkConfig::receiver("in", "q");
    config.rcv_settle_mode = mode;
    let link = p.receiver_with(session, config, |b| b);
    p.take_credit(&link, 10);
    link
}

fn arrived(p: &mut Peer, link: &Wired) -> DeliveryId {
    let delivery = p.delivery(link, 0, b"x");
    p.inject(delivery);
    p.take(link).id.expect("an unsettled delivery")
}

fn in_state(state: DeliveryState) -> SendOptions {
    SendOptions {
        state: Some(state),
        ..SendOptions::default()
    }
}

#[test]
fn every_state_goes_from_the_receiver_to_the_sender_unharmed() {
    for value in states() {
        for settled in [false, true] {
            client(|p| {
                let link = with_sender(p, LinkConfig::sender("out", "q"));
                p.send(&link, b"t", b"x");
                p.expect_transfer();
                let told = disposition().role(Role::Receiver).first(0);
                p.inject(told.settled(settled).state(value.clone()));
                let update = p.updates(&link).remove(0);
                assert_eq!(seen(update.state.as_ref()), value);
                assert_eq!(update.settled, settled);
                p.expect_nothing();
            });
            client(|p| {
                let link = with_receiver(p, ReceiverSettleMode::First);
                let id = arrived(p, &link);
                if settled {
                    p.settle(&link, id, Some(state(&value)));
                } else {
                    p.update(&link, id, state(&value));
                }
                p.expect_disposition()
                    .role(Role::Receiver)
                    .first(0)
                    .settled(settled)
                    .check("the state", |told| told.get("state") == value);
                p.expect_nothing();
            });
        }
    }
}

#[test]
fn every_state_goes_from_the_sender_to_the_receiver_unharmed() {
    for value in states() {
        client(|p| {
            let link = with_sender(p, LinkConfig::sender("out", "q"));
            let id = p.send(&link, b"t", b"x");
            p.expect_transfer();
            p.engine()
                .sender(link.id)
                .unwrap()
                .update(id, state(&value))
                .unwrap();
            p.expect_disposition()
                .role(Role::Sender)
                .first(0)
                .settled(false)
                .check("the state", |told| told.get("state") == value);
            p.engine()
                .sender(link.id)
                .unwrap()
                .settle_as(id, Some(state(&value)))
                .unwrap();
            p.expect_disposition()
                .role(Role::Sender)
                .first(0)
                .settled(true)
                .check("the state", |told| told.get("state") == value);
            p.expect_nothing();
        });
        client(|p| {
            let link = with_receiver(p, ReceiverSettleMode::Second);
            let id = arrived(p, &link);
            let told = disposition().role(Role::Sender).first(0);
            p.inject(told.settled(true).state(value.clone()));
            let update = p.updates(&link).remove(0);
            assert_eq!((update.delivery, update.settled), (id, true));
            assert_eq!(seen(update.state.as_ref()), value);
            p.expect_nothing();
        });
    }
}

#[test]
fn received_goes_from_the_receiver_to_the_sender_only() {
    let value = received().section_number(1).section_offset(1 << 40).v();
    client(|p| {
        let link = with_sender(p, LinkConfig::sender("out", "q"));
        p.send(&link, b"t", b"x");
        p.expect_transfer();
        p.inject(
            disposition()
                .role(Role::Receiver)
                .first(0)
                .state(value.clone()),
        );
        assert_eq!(seen(p.updates(&link)[0].state.as_ref()), value);
    });
    client(|p| {
        let link = with_receiver(p, ReceiverSettleMode::First);
        let id = arrived(p, &link);
        p.update(&link, id, state(&value));
        p.expect_disposition().settled(false).state(value.clone());
    });
    // 3.4.1: a sender that does not resume says no such thing.
    client(|p| {
        let link = with_sender(p, LinkConfig::sender("out", "q"));
        let id = p.send(&link, b"t", b"x");
        p.expect_transfer();
        let received = || DeliveryState::Received(Box::new(Received::new(0, 0)));
        let mut sender = p.engine().sender(link.id).unwrap();
        assert!(sender.settle_as(id, Some(received())).is_err());
        let refused = sender.send_with(b"u", &in_state(received()), b"x");
        assert!(matches!(
            refused,
            Err(SendError::Usage(UsageError::WrongState(_)))
        ));
        p.expect_nothing();
        p.engine().sender(link.id).unwrap().settle(id).unwrap();
        p.expect_disposition().settled(true).null("state");
    });
}

#[test]
fn a_transfer_says_the_state_that_its_delivery_was_sent_with() {
    for value in states() {
        for settled in [false, true] {
            client(|p| {
                let link = with_sender(p, LinkConfig::sender("out", "q"));
                let options = SendOptions {
                    message_format: 7,
                    settled,
                    state: Some(state(&value)),
                    ..SendOptions::default()
                };
                let sent = p
                    .engine()
                    .sender(link.id)
                    .unwrap()
                    .send_with(b"t", &options, b"x")
                    .unwrap();
                assert_eq!(sent.is_none(), settled);
                p.expect_transfer()
                    .message_format(7)
                    .settled(settled)
                    .payload(b"x")
                    .check("the state", |sent| sent.get("state") == value);
                p.expect_nothing();
            });
        }
        client(|p| {
            let link = with_receiver(p, ReceiverSettleMode::First);
            let delivery = p.delivery(&link, 0, b"x").state(value.clone());
            p.inject(delivery);
            assert_eq!(seen(p.take(&link).state.as_deref()), value);
            p.expect_nothing();
        });
    }
}

/// Each transfer of a delivery that belongs to a transaction says so (4.4.1).
#[test]
fn every_transfer_of_a_delivery_in_a_transaction_says_so() {
    let value = transactional(V::Null);
    client(|p| {
        let link = with_sender(p, LinkConfig::sender("out", "q"));
        let content: Vec<u8> = (0..1200u32).map(|i| i as u8).collect();
        p.engine()
            .sender(link.id)
            .unwrap()
            .send_with(b"whole", &in_state(state(&value)), &content[..])
            .unwrap();
        let mut sender = p.engine().sender(link.id).unwrap();
        let stream = sender.stream(b"pieces", &in_state(state(&value))).unwrap();
        for piece in [&content[..600], &content[600..]] {
            sender.write(stream, piece.to_vec()).unwrap();
        }
        sender.finish(stream).unwrap();
        for tag in [&b"whole"[..], b"pieces"] {
            let mut whole = Vec::new();
            loop {
                let got = p.expect_transfer().state(value.clone());
                let got = if whole.is_empty() {
                    got.delivery_tag(tag)
                } else {
                    got
                };
                assert!(got.size() <= 512, "{}", got.size());
                whole.extend_from_slice(&got.frame().payload);
                if !got.perf().flag("more") {
                    break;
                }
            }
            assert_eq!(whole, content);
        }
        p.expect_nothing();
    });
    // Said once is said for the delivery, whichever transfer said it.
    for at in 0..3 {
        client(|p| {
            let link = with_receiver(p, ReceiverSettleMode::First);
            for i in 0..3 {
                let next = if i == 0 {
                    p.delivery(&link, 0, b"x")
                } else {
                    transfer().handle(link.theirs).payload(b"x")
                };
                let next = next.more(i < 2);
                p.inject(if i == at {
                    next.state(value.clone())
                } else {
                    next
                });
            }
            assert_eq!(seen(p.take(&link).state.as_deref()), value);
        });
    }
}

#[test]
fn a_state_that_leaves_no_room_in_a_frame_is_refused() {
    client(|p| {
        let link = with_sender(p, LinkConfig::sender("out", "q"));
        let large = V::described(
            0x34,
            V::List(vec![V::bin(&[7; 300]), build::accepted().v()]),
        );
        let mut sender = p.engine().sender(link.id).unwrap();
        for refused in [
            sender
                .send_with(b"t", &in_state(state(&large)), b"x")
                .map(drop),
            sender.stream(b"t", &in_state(state(&large))).map(drop),
        ] {
            let Err(SendError::StateTooLarge { size, limit }) = refused else {
                panic!("{refused:?}")
            };
            assert!(size > 300 && limit < 300, "{size} {limit}");
        }
        assert_eq!(p.engine().census().outgoing_deliveries, 0);
        p.expect_nothing();
    });
}

/// A state that the peer's frames have no room for loses what explains it, in a transaction too.
#[test]
fn a_state_that_is_too_large_to_be_told_is_told_without_its_details() {
    let long = |text: &str| V::str(&text.repeat(600));
    let details = error("amqp:not-allowed")
        .set("description", long("d"))
        .set("info", V::fields(&[("k", long("i"))]));
    let noted = V::fields(&[("x-opt-a", long("a"))]);
    let cases = [
        (
            rejected().error(details.v()).v(),
            rejected().error(error("amqp:not-allowed").v()).v(),
        ),
        (
            modified()
                .delivery_failed(true)
                .set("message-annotations", noted)
                .v(),
            modified().delivery_failed(true).v(),
        ),
    ];
    for (whole, told) in cases {
        for in_transaction in [false, true] {
            let wrap = |value: &V| match in_transaction {
                true => transactional(value.clone()),
                false => value.clone(),
            };
            client(|p| {
                let link = with_small_receiver(p);
                let id = arrived(p, &link);
                p.settle(&link, id, Some(state(&wrap(&whole))));
                let told = wrap(&told);
                p.expect_disposition()
                    .settled(true)
                    .check("the state", |got| got.get("state") == told);
                p.expect_nothing();
            });
        }
    }
}

/// What cannot be made smaller is not lost in silence.
#[test]
fn a_state_that_can_not_be_told_ends_the_session() {
    let vendor = V::described(0x468c_0000_0077, V::bin(&[7; 600]));
    client(|p| {
        let link = with_small_receiver(p);
        let id = arrived(p, &link);
        p.settle(&link, id, Some(state(&vendor)));
        p.expect_end().condition("amqp:frame-size-too-small");
        p.inject(build::end());
        p.expect_nothing();
        assert!(p.engine().connection().is_open());
    });
}

/// A delivery that is settled without an outcome has the default outcome of the source (3.5.3).
#[test]
fn a_delivery_that_is_settled_without_an_outcome_has_the_default_one() {
    let undecided = [V::Null, received().section_number(0).section_offset(3).v()];
    let defaults = [
        V::Null,
        released().v(),
        modified().delivery_failed(true).v(),
    ];
    for default in &defaults {
        for told in &undecided {
            client(|p| {
                let source = Source {
                    default_outcome: (!default.is_null()).then(|| state(default)),
                    ..Source::default()
                };
                let mut config = LinkConfig::sender("out", "q");
                config.source = Some(Box::new(source));
                let link = with_sender(p, config);
                p.send(&link, b"t", b"x");
                p.send(&link, b"u", b"x");
                p.drain_names();
                let range = disposition().role(Role::Receiver);
                p.inject(range.clone().range(0, 1).state(told.clone()));
                assert!(
                    p.updates(&link)
                        .iter()
                        .all(|u| seen(u.state.as_ref()) == *told)
                );
                // What was decided stays so.
                p.inject(range.clone().first(1).accepted());
                p.inject(range.range(0, 1).settled(true));
                let expected = if default.is_null() { told } else { default };
                let mut updates = p.updates(&link);
                updates.sort_by_key(|update| update.tag.to_vec());
                assert_eq!(seen(updates[0].state.as_ref()), *expected);
                assert_eq!(updates[1].state, Some(DeliveryState::Accepted));
                assert!(updates.iter().all(|u| u.settled));
            });
        }
    }
}

/// A state in a transaction is no outcome of the delivery, but it is what the receiver said last (4.4.2).
#[test]
fn a_transactional_state_is_not_replaced_by_the_default_outcome() {
    client(|p| {
        let mut config = LinkConfig::sender("out", "q");
        config.source = Some(Box::new(Source {
            default_outcome: Some(DeliveryState::Released),
            ..Source::default()
        }));
        let link = with_sender(p, config);
        p.send(&link, b"t", b"x");
        p.expect_transfer();
        let value = transactional(build::accepted().v());
        let told = disposition().role(Role::Receiver).first(0);
        p.inject(told.settled(true).state(value.clone()));
        assert_eq!(seen(p.updates(&link)[0].state.as_ref()), value);
    });
}
