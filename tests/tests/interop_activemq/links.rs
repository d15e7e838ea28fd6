//! How links are attached, and what is refused.

use ferrion_engine::{
    LinkConfig, LinkId,
    codec::{Fields, Symbol, Value},
    protocol::{
        DeliveryState::Accepted, ReceiverSettleMode, Role, Source, Target, TargetArchetype,
    },
};
use ferrion_tests::interop::Conversation;

use crate::support::{talk, text};

/// The selector of JMS as a filter: its key, and what describes it.
const SELECTOR: (&str, &str) = ("jms-selector", "apache.org:selector-filter:string");

#[test]
fn a_queue_that_is_private_refuses_the_link_and_nothing_else() {
    let (mut talk, session) = talk("stranger");
    let configs = [
        (
            Role::Sender,
            LinkConfig::sender("a", "queue://private.diary"),
        ),
        (
            Role::Receiver,
            LinkConfig::receiver("a", "queue://private.diary"),
        ),
    ];
    for (role, config) in configs {
        let end = talk.attach(session, role, config).unwrap_err();
        assert_eq!(end.condition(), "amqp:unauthorized-access");
        assert!(end.description().contains("private.diary"), "{end:?}");
        let attach = end.attach.expect("an attach before the detach");
        // The broker shows that by the terminus that it leaves out (2.6.3).
        assert!(attach.source.is_none() || attach.target.is_none());
    }
    talk.sender(session, "queue://public");
    assert_eq!(talk.close(), None);
}

#[test]
fn credit_before_a_refusal_is_passed_over() {
    let (mut talk, session) = talk("eager");
    let config = LinkConfig::receiver("a", "queue://private.diary");
    let mut view = talk.engine().session(session).unwrap();
    let id = view.attach_receiver(config).unwrap();
    talk.grant(id, 10);
    assert_eq!(talk.detached(id).condition(), "amqp:unauthorized-access");
    talk.sender(session, "queue://public");
    assert_eq!(talk.close(), None);
}

#[test]
fn a_selector_chooses_messages() {
    let (mut talk, session) = talk("choosy");
    let receiver = select(&mut talk, session, "n > 5 AND colour = 'red'");
    let receiver = receiver.expect("a selector");
    let link = talk.engine().link(receiver).unwrap();
    let kept = link.remote_source().unwrap().filter.clone();
    // The other filter of the set is not known there, so it is not said back (3.5.3).
    assert_eq!(kept, Some(filters("n > 5 AND colour = 'red'", false)));
    let sender = talk.sender(session, "queue://choosy");
    for number in 0..10_i32 {
        let mut message = text(number.to_string());
        message.set_property("n", number);
        message.set_property("colour", if number == 7 { "blue" } else { "red" });
        talk.send(sender, message.to_bytes());
    }
    talk.outcomes(sender, 10);
    talk.grant(receiver, 100);
    talk.drain(receiver);
    assert_eq!(texts(&mut talk, receiver), ["6", "8", "9"]);
    assert_eq!(talk.close(), None);
}

#[test]
fn a_selector_that_is_wrong_refuses_the_link() {
    let (mut talk, session) = talk("confused");
    let condition = select(&mut talk, session, "n >").unwrap_err();
    assert_eq!(condition, "amqp:invalid-field");
    assert!(select(&mut talk, session, "n > 1").is_ok());
    assert_eq!(talk.close(), None);
}

/// A receiver with this selector and a filter that nobody knows, or the condition of its refusal.
fn select(
    talk: &mut Conversation,
    session: ferrion_engine::SessionId,
    selector: &str,
) -> Result<LinkId, String> {
    let source = Source {
        filter: Some(filters(selector, true)),
        ..Source::with_address("queue://choosy")
    };
    let config = LinkConfig::new(talk.name("receiver"), source, Target::default());
    talk.attach(session, Role::Receiver, config)
        .map_err(|end| end.condition().to_owned())
}

fn filters(selector: &str, with_unknown: bool) -> Fields {
    let known = (SELECTOR, Value::from(selector));
    let unknown = (("unheard", "unheard:of"), Value::from("x"));
    let all = [known, unknown].into_iter();
    Fields::from_entries(all.take(1 + usize::from(with_unknown)).map(
        |((key, descriptor), value)| {
            let descriptor = Symbol::from_static(descriptor);
            (
                Symbol::from_static(key),
                Value::described(descriptor, value),
            )
        },
    ))
}

#[test]
fn a_dynamic_source_is_a_temporary_queue_that_others_can_send_to() {
    let (mut talk, session) = talk("asking");
    let source = Source {
        dynamic: true,
        ..Source::default()
    };
    let config = LinkConfig::new("replies", source, Target::default());
    let receiver = talk.attach(session, Role::Receiver, config).unwrap();
    let link = talk.engine().link(receiver).unwrap();
    let address = link.remote_source().unwrap().address.clone();
    let address = address.expect("the address that was made").to_string();
    assert!(address.starts_with("temp-queue://"), "{address}");
    let sender = talk.sender(session, &address);
    talk.send(sender, text("an answer").to_bytes());
    talk.grant(receiver, 1);
    let answer = talk.take(receiver, Accepted);
    assert_eq!(answer.body_text(), Ok(Some("an answer")));
    assert_eq!(talk.close(), None);
}

#[test]
fn a_dynamic_target_is_a_temporary_topic_if_it_is_asked_to_be_one() {
    let (mut talk, session) = talk("announcing");
    let target = Target {
        dynamic: true,
        capabilities: vec![Symbol::from_static("temporary-topic")],
        ..Target::default()
    };
    let config = LinkConfig::new("news", Source::default(), target);
    let sender = talk.attach(session, Role::Sender, config).unwrap();
    let link = talk.engine().link(sender).unwrap();
    let Some(TargetArchetype::Target(made)) = link.remote_target().cloned() else {
        panic!("a target")
    };
    let address = made.address.expect("the address that was made").to_string();
    assert!(address.starts_with("temp-topic://"), "{address}");
    let receiver = talk.receiver(session, &address);
    talk.grant(receiver, 1);
    talk.send(sender, text("news").to_bytes());
    assert_eq!(talk.take(receiver, Accepted).body_text(), Ok(Some("news")));
    assert_eq!(talk.close(), None);
}

#[test]
fn a_drain_is_answered_by_messages_and_by_giving_credit_back() {
    let (mut talk, session) = talk("drained");
    let receiver = talk.receiver(session, "queue://drained");
    let sender = talk.sender(session, "queue://drained");
    for count in [0, 3] {
        for number in 0..count {
            let delivery = talk.send(sender, text(number.to_string()).to_bytes());
            talk.outcome(sender, delivery);
        }
        talk.grant(receiver, 10);
        talk.drain(receiver);
        assert_eq!(talk.engine().receiver(receiver).unwrap().credit(), 0);
        assert_eq!(texts(&mut talk, receiver).len(), count);
    }
    assert_eq!(talk.close(), None);
}

/// Takes the messages that wait.
fn texts(talk: &mut Conversation, receiver: LinkId) -> Vec<String> {
    let mut texts = Vec::new();
    while talk.engine().receiver(receiver).unwrap().waiting() > 0 {
        let message = talk.take(receiver, Accepted);
        texts.push(message.body_text().unwrap().unwrap().to_owned());
    }
    texts
}

#[test]
fn a_receiver_that_settles_second_is_settled_with() {
    let (mut talk, session) = talk("second");
    let mut config = LinkConfig::receiver("a", "queue://second");
    config.rcv_settle_mode = ReceiverSettleMode::Second;
    let receiver = talk.attach(session, Role::Receiver, config).unwrap();
    let link = talk.engine().link(receiver).unwrap();
    // The broker's attach says that it would like `first`; what counts is what the receiver said (2.7.3).
    let wish = link.remote().unwrap().rcv_settle_mode;
    assert_eq!(wish, ReceiverSettleMode::First);
    assert_eq!(link.rcv_settle_mode(), ReceiverSettleMode::Second);
    let sender = talk.sender(session, "queue://second");
    talk.send(sender, text("x").to_bytes());
    talk.grant(receiver, 1);
    talk.take(receiver, Accepted);
    // The outcome goes out unsettled, and the broker settles first.
    talk.until("settlement by the broker", |engine| {
        (engine.session(session).unwrap().unsettled_incoming() == 0).then_some(())
    });
    assert_eq!(talk.close_link(receiver).condition, None);
    let receiver = talk.receiver(session, "queue://second");
    talk.grant(receiver, 1);
    talk.drain(receiver);
    assert_eq!(texts(&mut talk, receiver), [""; 0]);
    assert_eq!(talk.close(), None);
}
