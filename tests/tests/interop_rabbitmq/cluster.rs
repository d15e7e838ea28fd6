//! Three nodes, of which one is killed.

use ferrion_engine::{Config, Message, protocol::DeliveryState::Accepted};
use ferrion_tests::interop::{Conversation, Queue, RabbitMqPlan, Signal, password};

/// Messages before and after the kill.
const COUNT: usize = 50;

#[test]
fn what_a_quorum_accepted_survives_the_kill_of_a_node() {
    let mut cluster = RabbitMqPlan::new()
        .nodes(3)
        .user("ann", "pass word")
        .start();
    let queue = Queue::quorum("survivors");
    cluster.declare(&queue);
    let connect = |port| {
        let mut config = Config::new("ann's");
        config.sasl = password("ann", "pass word");
        let mut talk = Conversation::connect(port, config);
        talk.open();
        let session = talk.begin();
        (talk, session)
    };
    let send = |port| {
        let (mut talk, session) = connect(port);
        let sender = talk.sender(session, &queue.address());
        for number in 0..COUNT {
            let mut message = Message::with_body(number.to_string());
            message.set_durable(true);
            talk.send(sender, message.to_bytes());
        }
        assert_eq!(talk.outcomes(sender, COUNT), vec![Some(Accepted); COUNT]);
        assert_eq!(talk.close(), None);
    };
    send(cluster.port());
    cluster.signal(0, Signal::Kill);
    // Two of three are a majority.
    send(cluster.node_port(1));
    cluster.restart(0);
    let (mut talk, session) = connect(cluster.port());
    let receiver = talk.receiver(session, &queue.address());
    talk.grant(receiver, 1000);
    for number in (0..COUNT).chain(0..COUNT) {
        let message = talk.take(receiver, Accepted);
        assert_eq!(message.body_text(), Ok(Some(&*number.to_string())));
    }
    assert_eq!(talk.close(), None);
}
