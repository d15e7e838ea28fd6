//! How links are attached, and what is refused.

use ferrion_engine::{
    Event, LinkConfig,
    codec::{Fields, Symbol, Value},
    protocol::{
        Coordinator, DeliveryState::Accepted, ReceiverSettleMode, Role, Source, Target,
        TargetArchetype, TerminusExpiryPolicy,
    },
};
use ferrion_tests::interop::{Conversation, LinkEnd, Queue};

use crate::support::{declare, talk, text};

/// A link that can not be attached, on a session that goes on.
fn refused(role: Role, config: LinkConfig) -> LinkEnd {
    let (mut talk, session) = talk();
    let end = talk.attach(session, role, config).expect_err("a refusal");
    let attach = end.attach.as_ref().expect("an attach before the detach");
    // The broker shows that by the terminus that it leaves out (2.6.3).
    assert!(attach.source.is_none() || attach.target.is_none());
    assert!(end.closed);
    let address = declare(&Queue::classic("beside"));
    talk.sender(session, &address);
    assert_eq!(talk.close(), None);
    end
}

#[test]
fn a_queue_that_does_not_exist_refuses_the_link_and_nothing_else() {
    let configs = [
        (Role::Sender, LinkConfig::sender("a", "/queues/nowhere")),
        (Role::Receiver, LinkConfig::receiver("a", "/queues/nowhere")),
    ];
    for (role, config) in configs {
        let end = refused(role, config);
        assert_eq!(end.condition(), "amqp:not-found");
        assert_eq!(end.description(), "no queue 'nowhere' in vhost '/'");
    }
}

#[test]
fn a_refusal_is_two_events() {
    let (mut talk, session) = talk();
    let config = LinkConfig::sender("a", "/queues/nowhere");
    let mut view = talk.engine().session(session).unwrap();
    let id = view.attach_sender(config).unwrap();
    // The first says that an attach came, whose target is null; the second that the link is over.
    talk.expect(Event::LinkAttached(id));
    talk.expect(Event::LinkDetached(id));
    assert_eq!(talk.detached(id).condition(), "amqp:not-found");
}

#[test]
fn credit_before_a_refusal_ends_the_session() {
    let (mut talk, session) = talk();
    let config = LinkConfig::receiver("a", "/queues/nowhere");
    let mut view = talk.engine().session(session).unwrap();
    let id = view.attach_receiver(config).unwrap();
    talk.grant(id, 10);
    // RabbitMQ forgets the handle when it detaches, although our flow may be under way until our own detach.
    let condition = talk.ended(session).expect("a reason");
    assert_eq!(
        condition.condition.as_str(),
        "amqp:session:unattached-handle"
    );
    // The connection goes on.
    talk.begin();
    assert_eq!(talk.close(), None);
}

#[test]
fn what_the_broker_does_not_implement_is_told() {
    let address = declare(&Queue::classic("modes"));
    let mut second = LinkConfig::receiver("a", address.as_str());
    second.rcv_settle_mode = ReceiverSettleMode::Second;
    let dynamic = Target {
        dynamic: true,
        ..Target::default()
    };
    let dynamic = LinkConfig::new("a", Source::default(), dynamic);
    let mut transactions = LinkConfig::sender("a", "");
    let coordinator = TargetArchetype::Coordinator(Coordinator::default());
    transactions.target = Some(Box::new(coordinator));
    let cases = [
        (
            Role::Receiver,
            second,
            "rcv-settle-mode second not supported",
        ),
        (Role::Sender, dynamic, "Dynamic target not supported"),
        (Role::Sender, transactions, "Transactions not supported"),
    ];
    for (role, config, text) in cases {
        let end = refused(role, config);
        assert_eq!(end.condition(), "amqp:not-implemented");
        assert!(end.description().starts_with(text), "{end:?}");
    }
}

#[test]
fn a_dynamic_source_is_a_queue_that_others_can_send_to() {
    let (mut talk, session) = talk();
    let source = Source {
        dynamic: true,
        expiry_policy: TerminusExpiryPolicy::LinkDetach,
        // RabbitMQ wants to be asked for this by name.
        capabilities: vec![Symbol::from_static("temporary-queue")],
        ..Source::default()
    };
    let config = LinkConfig::new("replies", source, Target::default());
    let receiver = talk.attach(session, Role::Receiver, config).unwrap();
    let link = talk.engine().link(receiver).unwrap();
    let address = link.remote_source().unwrap().address.clone();
    let address = address.expect("the address that was made").to_string();
    let sender = talk.sender(session, &address);
    talk.send(sender, text("an answer").to_bytes());
    talk.grant(receiver, 1);
    let answer = talk.take(receiver, Accepted);
    assert_eq!(answer.body_text(), Ok(Some("an answer")));
    // It lives as long as the link.
    talk.close_link(sender);
    talk.close_link(receiver);
    let config = LinkConfig::sender("late", address.as_str());
    let end = talk.attach(session, Role::Sender, config).unwrap_err();
    assert_eq!(end.condition(), "amqp:not-found");
    assert_eq!(talk.close(), None);
}

#[test]
fn a_drain_is_answered_by_messages_and_by_giving_credit_back() {
    let address = declare(&Queue::quorum("drained"));
    let (mut talk, session) = talk();
    let receiver = talk.receiver(session, &address);
    talk.grant(receiver, 10);
    talk.drain(receiver);
    assert_eq!(credit(&mut talk, receiver), (0, 0));
    let sender = talk.sender(session, &address);
    for number in 0..3 {
        let delivery = talk.send(sender, text(number.to_string()).to_bytes());
        talk.outcome(sender, delivery);
    }
    talk.grant(receiver, 10);
    talk.drain(receiver);
    assert_eq!(credit(&mut talk, receiver), (0, 3));
    for number in 0..3 {
        let message = talk.take(receiver, Accepted);
        assert_eq!(message.body_text(), Ok(Some(&*number.to_string())));
    }
    assert_eq!(talk.close(), None);
}

/// The credit of a receiver, and the deliveries that wait there.
fn credit(talk: &mut Conversation, receiver: ferrion_engine::LinkId) -> (u32, usize) {
    let view = talk.engine().receiver(receiver).unwrap();
    (view.credit(), view.waiting())
}

#[test]
fn filters_of_streams_are_kept_and_a_filter_that_is_not_known_is_left_out() {
    let address = declare(&Queue::stream("log"));
    let (mut talk, session) = talk();
    let sender = talk.sender(session, &address);
    for number in 0..10_i32 {
        let mut message = text(number.to_string());
        message.set_property("n", number);
        message.set_subject(if number % 2 == 0 { "even" } else { "odd" });
        talk.send(sender, message.to_bytes());
    }
    talk.outcomes(sender, 10);
    let offset = |value: Value| ("rabbitmq:stream-offset-spec", value);
    let cases = [
        (vec![offset(Value::Ulong(7))], 1, vec!["7", "8", "9"]),
        (
            vec![
                offset(Value::from("first")),
                (
                    "amqp:sql-filter",
                    Value::from("n > 4 AND properties.subject = 'odd'"),
                ),
            ],
            2,
            vec!["5", "7", "9"],
        ),
        (
            vec![offset(Value::Ulong(8)), ("unheard:of", Value::from("x"))],
            1,
            vec!["8", "9"],
        ),
    ];
    for (filters, kept, expected) in cases {
        let source = Source {
            filter: Some(filter_set(&filters)),
            ..Source::with_address(address.as_str())
        };
        let config = LinkConfig::new(talk.name("reader"), source, Target::default());
        let reader = talk.attach(session, Role::Receiver, config).unwrap();
        let link = talk.engine().link(reader).unwrap();
        let filter = link.remote_source().unwrap().filter.clone();
        // What the sender of the source echoes is what it does (3.5.3).
        assert_eq!(filter, Some(filter_set(&filters[..kept])));
        talk.grant(reader, 100);
        talk.drain(reader);
        let mut found = Vec::new();
        while credit(&mut talk, reader).1 > 0 {
            let message = talk.take(reader, Accepted);
            found.push(message.body_text().unwrap().unwrap().to_owned());
        }
        assert_eq!(found, expected);
    }
    assert_eq!(talk.close(), None);
}

/// A filter set (3.5.8), whose filters are described by their names.
fn filter_set(filters: &[(&'static str, Value)]) -> Fields {
    Fields::from_entries(filters.iter().map(|(name, value)| {
        // RabbitMQ knows a filter of the standard by its key and by what describes it, which differ.
        let key = Symbol::from_static(name.trim_start_matches("amqp:"));
        (
            key,
            Value::described(Symbol::from_static(name), value.clone()),
        )
    }))
}
