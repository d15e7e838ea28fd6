//! The broker that all tests of this program share, and connections to it.

use std::sync::OnceLock;

use ferrion_engine::{Config, Message, SessionId};
use ferrion_tests::interop::{Conversation, Queue, RabbitMq, RabbitMqPlan, password};

/// The largest message that RabbitMQ can be told to take, in octets.
pub(crate) const LARGEST: u64 = 512 << 20;

/// One broker for all tests: they keep out of each other's way by the names of their queues.
pub(crate) fn broker() -> &'static RabbitMq {
    static BROKER: OnceLock<RabbitMq> = OnceLock::new();
    BROKER.get_or_init(|| {
        RabbitMqPlan::new()
            .setting(&format!("max_message_size = {LARGEST}"))
            .start()
    })
}

/// What this program says when it logs in as `guest`.
pub(crate) fn config() -> Config {
    let mut config = Config::new("ferrion");
    config.hostname = Some("vhost:/".into());
    config.sasl = password("guest", "guest");
    config
}

/// A connection to the shared broker, with a session.
pub(crate) fn talk() -> (Conversation, SessionId) {
    let mut talk = Conversation::connect(broker().port(), config());
    talk.open();
    let session = talk.begin();
    (talk, session)
}

/// Declares a queue at the shared broker: its address.
pub(crate) fn declare(queue: &Queue) -> String {
    broker().declare(queue);
    queue.address()
}

/// A durable message with this text.
pub(crate) fn text(body: impl Into<String>) -> Message {
    let mut message = Message::with_body(body.into());
    message.set_durable(true);
    message
}
