//! The brokers of this program, and messengers that talk to them.

use std::{
    fs,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

pub(crate) use ferrion_tests::interop::messaging::{PATIENCE, message_to, messenger, take, text};
use ferrion_tests::interop::{Authority, Identity, Queue, RabbitMq, RabbitMqPlan};

/// The largest message that the shared broker takes, in octets.
pub(crate) const LARGEST: usize = 64 << 20;
/// The port with TLS, in the settings.
const TLS: &str = "tls";

/// Who issued the certificates of the brokers and of those clients that they let in.
pub(crate) fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| Authority::new("the brokers' authority"))
}

/// One broker for all tests that do not hurt it: they keep out of each other's way by the names of their queues.
pub(crate) fn broker() -> &'static RabbitMq {
    static BROKER: OnceLock<RabbitMq> = OnceLock::new();
    BROKER.get_or_init(|| {
        plan(&authority().issue("broker"))
            .setting("ssl_options.fail_if_no_peer_cert = false")
            .setting(&format!("max_message_size = {LARGEST}"))
            .start()
    })
}

/// A broker for tests that kill it and start it again, one after the other. Its certificate expired long ago, and it lets
/// nobody in by TLS who shows none.
pub(crate) fn victim() -> MutexGuard<'static, RabbitMq> {
    static VICTIM: OnceLock<Mutex<RabbitMq>> = OnceLock::new();
    let victim = VICTIM.get_or_init(|| {
        let broker = plan(&authority().issue_expired("victim"))
            .setting("ssl_options.fail_if_no_peer_cert = true")
            .start();
        Mutex::new(broker)
    });
    victim.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A broker with TLS, which logs in who has a certificate by the name in it: `alice`, for one.
fn plan(identity: &Identity) -> RabbitMqPlan {
    let (certificate, key) = identity.pem();
    RabbitMqPlan::new()
        .plugin("rabbitmq_auth_mechanism_ssl")
        .user("alice", "another way in")
        .file("ca.pem", fs::read(authority().file()).expect("a file"))
        .file("own.pem", certificate)
        .file("own.key", key)
        .setting(&format!("listeners.ssl.1 = 127.0.0.1:{{port {TLS}}}"))
        .setting("ssl_options.cacertfile = {files}/ca.pem")
        .setting("ssl_options.certfile = {files}/own.pem")
        .setting("ssl_options.keyfile = {files}/own.key")
        .setting("ssl_options.verify = verify_peer")
        .setting("ssl_cert_login_from = common_name")
        .setting("auth_mechanisms.1 = PLAIN")
        .setting("auth_mechanisms.2 = ANONYMOUS")
        .setting("auth_mechanisms.3 = EXTERNAL")
}

/// Declares a queue at the shared broker, and answers its address for a messenger that is nobody in particular.
pub(crate) fn declare(queue: &Queue) -> String {
    broker().declare(queue);
    at(broker(), queue)
}

/// The address of a queue at a broker.
pub(crate) fn at(broker: &RabbitMq, queue: &Queue) -> String {
    format!("amqp://127.0.0.1:{}/{}", broker.port(), queue.address())
}

/// The address of a queue by TLS.
pub(crate) fn securely_at(broker: &RabbitMq, user: &str, queue: &Queue) -> String {
    let port = broker.named_port(0, TLS);
    format!("amqps://{user}127.0.0.1:{port}/{}", queue.address())
}
