//! A broker that is killed and started again.

use ferrion_engine::{Config, Message, protocol::DeliveryState::Accepted};
use ferrion_tests::interop::{ActiveMqPlan, Conversation, Signal, password};

#[test]
fn durable_messages_survive_the_kill_of_the_broker() {
    let mut broker = ActiveMqPlan::new().persistent().start();
    let connect = |port| {
        let mut config = Config::new("guest's");
        config.sasl = password("guest", "guest");
        let mut talk = Conversation::connect(port, config);
        talk.open();
        let session = talk.begin();
        (talk, session)
    };
    let (mut talk, session) = connect(broker.port());
    let sender = talk.sender(session, "queue://survivors");
    for number in 0..50 {
        let mut message = Message::with_body(number.to_string());
        message.set_durable(true);
        talk.send(sender, message.to_bytes());
    }
    assert_eq!(talk.outcomes(sender, 50), vec![Some(Accepted); 50]);
    broker.signal(Signal::Kill);
    assert!(talk.disconnected().is_some());
    broker.restart();
    let (mut talk, session) = connect(broker.port());
    let receiver = talk.receiver(session, "queue://survivors");
    talk.grant(receiver, 100);
    for number in 0..50 {
        let message = talk.take(receiver, Accepted);
        assert_eq!(message.body_text(), Ok(Some(&*number.to_string())));
    }
    assert_eq!(talk.close(), None);
}
