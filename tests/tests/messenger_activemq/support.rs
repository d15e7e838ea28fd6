//! The broker that the tests of this program share, and messengers that talk to it.

use std::sync::OnceLock;

pub(crate) use ferrion_tests::interop::messaging::{PATIENCE, message_to, messenger, take, text};
use ferrion_tests::interop::{ActiveMq, ActiveMqPlan, Authority, STORE_PASSWORD};

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
