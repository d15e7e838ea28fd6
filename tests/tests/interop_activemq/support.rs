//! The broker that all tests of this program share, and connections to it.

use std::sync::OnceLock;

use ferrion_engine::{Config, Message, SessionId};
use ferrion_tests::interop::{ActiveMq, ActiveMqPlan, Conversation, password};

/// One broker for all tests: they keep out of each other's way by the names of their queues.
pub(crate) fn broker() -> &'static ActiveMq {
    static BROKER: OnceLock<ActiveMq> = OnceLock::new();
    BROKER.get_or_init(|| {
        ActiveMqPlan::new()
            // Nobody is an owner. What is allowed to more is the sum of all entries that fit, so these do not overlap.
            .plugin(
                r#"<authorizationPlugin><map><authorizationMap><authorizationEntries>
                <authorizationEntry queue="*" read="users,anonymous" write="users,anonymous" admin="users,anonymous"/>
                <authorizationEntry queue="ActiveMQ.&gt;" read="users" write="users" admin="users"/>
                <authorizationEntry topic="&gt;" read="users,anonymous" write="users,anonymous" admin="users,anonymous"/>
                <authorizationEntry queue="private.&gt;" read="owners" write="owners" admin="owners"/>
                </authorizationEntries></authorizationMap></map></authorizationPlugin>"#,
            )
            .start()
    })
}

/// What this program says when it logs in as `guest`. ActiveMQ wants a name that no other connection has.
pub(crate) fn config(name: &str) -> Config {
    let mut config = Config::new(name);
    config.sasl = password("guest", "guest");
    config
}

/// A connection to the shared broker, with a session.
pub(crate) fn talk(name: &str) -> (Conversation, SessionId) {
    let mut talk = Conversation::connect(broker().port(), config(name));
    talk.open();
    let session = talk.begin();
    (talk, session)
}

/// A durable message with this text.
pub(crate) fn text(body: impl Into<String>) -> Message {
    let mut message = Message::with_body(body.into());
    message.set_durable(true);
    message
}
