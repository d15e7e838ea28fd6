//! Who settles, and when: every settle mode of a sender with every one of a receiver, both ways.

use ferrion_engine::{
    LinkConfig,
    protocol::{
        DeliveryState, ReceiverSettleMode, Role, SenderSettleMode,
        SenderSettleMode::{Mixed, Settled, Unsettled},
    },
};
use ferrion_tests::interop::Library;
use serde_json::{Value, json};

use crate::common::{Meeting, Side, everywhere, meet, message};

everywhere!(ferrion_sends, the_peer_sends, outcomes_of_every_kind);

/// All of them: the modes, and whether a message is sent settled.
fn modes() -> Vec<(SenderSettleMode, ReceiverSettleMode, bool)> {
    let mut modes = Vec::new();
    for second in [ReceiverSettleMode::First, ReceiverSettleMode::Second] {
        for (mode, settled) in [
            (Unsettled, false),
            (Settled, true),
            (Mixed, false),
            (Mixed, true),
        ] {
            modes.push((mode, second, settled));
        }
    }
    modes
}

/// The rows of `m`'s peer that say how it sees the modes of a link.
fn told(snd: SenderSettleMode, rcv: ReceiverSettleMode, heard: &Value) {
    assert_eq!(heard["snd"], snd as u8, "{heard}");
    assert_eq!(heard["rcv"], rcv as u8, "{heard}");
}

fn ferrion_sends(library: Library, side: Side) {
    let mut m = meet(library, side);
    for (number, (snd, rcv, settled)) in modes().into_iter().enumerate() {
        let name = format!("out-{number}");
        let config = LinkConfig {
            snd_settle_mode: snd,
            rcv_settle_mode: rcv,
            ..LinkConfig::sender(name.as_str(), "node")
        };
        let link = m.talk.attach(m.session, Role::Sender, config).unwrap();
        told(snd, rcv, &m.hear("link"));
        let view = m.talk.engine().link(link).unwrap();
        assert_eq!((view.snd_settle_mode(), view.rcv_settle_mode()), (snd, rcv));
        m.tell(&json!({"do": "credit", "link": name, "count": 1}));
        if settled {
            m.talk.send_settled(link, message("one"));
            assert_eq!(m.hear("message")["settled"], true);
            continue;
        }
        let delivery = m.talk.send(link, message("one"));
        assert_eq!(m.hear("message")["settled"], false);
        let second = rcv == ReceiverSettleMode::Second;
        m.tell(&json!({
            "do": "disposition", "link": name, "index": 0, "outcome": "accepted", "settle": !second,
        }));
        let update = m.talk.update(link, delivery);
        assert_eq!(
            (update.state, update.settled),
            (Some(DeliveryState::Accepted), !second)
        );
        if second {
            // The sender settles first, and only then the receiver.
            m.talk
                .engine()
                .sender(link)
                .unwrap()
                .settle(delivery)
                .unwrap();
            assert_eq!(m.hear("update")["settled"], true);
            m.tell(&json!({"do": "disposition", "link": name, "index": 0, "settle": true}));
        }
        let session = m.talk.engine().session(m.session).unwrap();
        assert_eq!(session.unsettled_outgoing(), 0, "{snd:?} {rcv:?}");
    }
    m.part();
}

fn the_peer_sends(library: Library, side: Side) {
    let mut m = meet(library, side);
    for (number, (snd, rcv, settled)) in modes().into_iter().enumerate() {
        let name = format!("in-{number}");
        let link = m.accept(&json!({
            "do": "attach", "role": "sender", "name": name, "source": {}, "target": {"address": "node"},
            "snd": snd as u8, "rcv": rcv as u8,
        }));
        let view = m.talk.engine().link(link).unwrap();
        assert_eq!((view.snd_settle_mode(), view.rcv_settle_mode()), (snd, rcv));
        m.talk.grant(link, 1);
        m.tell(&json!({"do": "send", "link": name, "texts": ["one"], "settled": settled}));
        let delivery = m.talk.receive(link);
        assert_eq!(delivery.is_settled(), settled, "{snd:?} {rcv:?}");
        let Some(id) = delivery.id else { continue };
        m.talk.settle(link, id, DeliveryState::Accepted);
        let second = rcv == ReceiverSettleMode::Second;
        let heard = m.hear("update");
        assert_eq!(
            (&heard["state"], &heard["settled"]),
            (&json!("accepted"), &json!(!second)),
            "{heard}"
        );
        if second {
            assert_eq!(unsettled(&mut m), 1, "the sender has not settled yet");
            m.tell(&json!({"do": "disposition", "link": name, "index": 0, "settle": true}));
            m.talk.until("the sender to settle", |engine| {
                (engine.census().incoming_deliveries == 0).then_some(())
            });
        }
        assert_eq!(unsettled(&mut m), 0, "{snd:?} {rcv:?}");
    }
    m.part();
}

fn unsettled(m: &mut Meeting) -> u32 {
    let session = m.talk.engine().session(m.session).unwrap();
    session.unsettled_incoming()
}

/// Each outcome, both ways, with what it carries.
fn outcomes_of_every_kind(library: Library, side: Side) {
    let mut m = meet(library, side);
    let link = m.sender("node");
    let name = m.name(link);
    m.tell(&json!({"do": "credit", "link": name, "count": 10}));
    for (index, outcome) in ["accepted", "rejected", "released", "modified"]
        .iter()
        .enumerate()
    {
        let delivery = m.talk.send(link, message("one"));
        m.hear("message");
        let mut step = json!({
            "do": "disposition", "link": name, "index": index, "outcome": outcome, "settle": true,
        });
        if *outcome == "rejected" {
            step["condition"] = json!("amqp:not-allowed");
            step["description"] = json!("not this one");
        }
        m.tell(&step);
        let update = m.talk.update(link, delivery);
        assert!(update.settled);
        let state = update.state.expect("an outcome");
        match (*outcome, &state) {
            ("rejected", DeliveryState::Rejected(Some(error))) => {
                assert_eq!(error.condition.as_str(), "amqp:not-allowed");
                assert_eq!(error.description.as_deref(), Some("not this one"));
            }
            ("accepted", DeliveryState::Accepted)
            | ("released", DeliveryState::Released)
            | ("modified", DeliveryState::Modified(_)) => {}
            _ => panic!("{outcome}: {state}"),
        }
    }
    let link = m.receiver("node");
    let name = m.name(link);
    m.talk.grant(link, 10);
    for (state, word) in [
        (DeliveryState::Accepted, "accepted"),
        (DeliveryState::Rejected(None), "rejected"),
        (DeliveryState::Released, "released"),
        (DeliveryState::Modified(Default::default()), "modified"),
    ] {
        m.tell(&json!({"do": "send", "link": name, "texts": ["two"]}));
        m.talk.take(link, state);
        let heard = m.hear("update");
        assert_eq!(
            (&heard["state"], &heard["settled"]),
            (&json!(word), &json!(true))
        );
    }
    m.part();
}
