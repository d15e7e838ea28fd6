//! The broker that the tests of this program share, and messengers that talk to it.

use std::{sync::OnceLock, time::Duration};

use ferrion_messenger::{Credit, Message, Messenger, Tracker};
use ferrion_tests::interop::{ActiveMq, ActiveMqPlan, Authority, STORE_PASSWORD};

/// How long a call of a messenger may take. It bounds a failure; no test that passes waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Who issued the broker's certificate.
pub(crate) fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| Authority::new("the broker's authority"))
}

/// One broker for all tests: they keep out of each other's way by the names of their queues and topics.
pub(crate) fn broker() -> &'static ActiveMq {
    static BROKER: OnceLock<ActiveMq> = OnceLock::new();
    BROKER.get_or_init(|| {
        let authority = authority();
        let own = authority.issue("broker");
        let stores = |kind, file| {
            format!(
                r#"{kind}Store="file:{{files}}/{file}" {kind}StoreType="PKCS12" {kind}StorePassword="{STORE_PASSWORD}""#
            )
        };
        let (key, trust) = (stores("key", "own.p12"), stores("trust", "trust.p12"));
        ActiveMqPlan::new()
            .file("own.p12", authority.key_store(&own))
            .file("trust.p12", authority.trust_store())
            .element(&format!("<sslContext><sslContext {key} {trust}/></sslContext>"))
            .connector("amqps", "amqp+ssl://127.0.0.1:0")
            .connector("demanding", "amqp+ssl://127.0.0.1:0?transport.needClientAuth=true")
            .connector("ws", "ws://127.0.0.1:0")
            .connector("wss", "wss://127.0.0.1:0")
            .start()
    })
}

/// The address of a queue or topic of the shared broker.
pub(crate) fn address(node: &str) -> String {
    format!("amqp://127.0.0.1:{}/{node}", broker().port())
}

/// A messenger that remembers everything, and waits for no longer than [`PATIENCE`].
pub(crate) fn messenger() -> Messenger {
    let mut messenger = Messenger::new().expect("a messenger");
    messenger.set_timeout(Some(PATIENCE));
    messenger.set_outgoing_window(usize::MAX);
    messenger.set_incoming_window(usize::MAX);
    messenger
}

/// A durable message to an address.
pub(crate) fn message_to(address: &str, body: impl Into<String>) -> Message {
    let mut message = Message::with_body(body.into());
    message.set_durable(true);
    message.set_address(address);
    message
}

/// The text that is the body of a message.
pub(crate) fn text(message: &Message) -> String {
    let body = message.body_text().expect("a body");
    body.expect("a text").to_owned()
}

/// Waits for the next message.
pub(crate) fn take(messenger: &mut Messenger) -> (Tracker, Message) {
    if messenger.incoming() == 0 {
        messenger.recv(Credit::Explicit(1)).expect("a message");
    }
    let mut message = Message::new();
    let tracker = messenger.get(&mut message).expect("a message");
    (tracker, message)
}
