//! Ways into the broker: plain, with TLS, and through WebSocket with and without it.

use ferrion_messenger::{Error, ErrorKind, Messenger, Status, TlsFault};
use ferrion_tests::interop::Authority;

use crate::support::{address, authority, broker, message_to, messenger, take, text};

/// Sends a message to an address and takes it from there again.
fn goes_through(messenger: &mut Messenger, address: &str) {
    let tracker = messenger.put(&message_to(address, "x")).unwrap();
    messenger.send().unwrap();
    assert_eq!(messenger.status(tracker), Status::Accepted);
    messenger.subscribe(address).unwrap();
    let (tracker, message) = take(messenger);
    assert_eq!(text(&message), "x");
    messenger.accept(tracker, Default::default()).unwrap();
    messenger.stop().unwrap();
}

/// The error that both the call and the tracker tell.
fn refused(messenger: &mut Messenger, address: &str) -> Error {
    let tracker = messenger.put(&message_to(address, "x")).unwrap();
    let error = messenger.send().unwrap_err();
    assert_eq!(messenger.status(tracker), Status::Aborted);
    assert_eq!(messenger.reason(tracker), Some(&error));
    error
}

/// The address of a queue behind a connector.
fn by(connector: &str, scheme: &str, queue: &str) -> String {
    let port = broker().named_port(connector);
    format!("{scheme}://127.0.0.1:{port}/queue://{queue}")
}

fn trusting() -> Messenger {
    let mut messenger = messenger();
    messenger
        .set_trusted_certificates(authority().file())
        .unwrap();
    messenger
}

#[test]
fn nobody_and_who_has_a_password_get_in_and_a_wrong_one_is_told() {
    let plain = address("queue://doors");
    goes_through(&mut messenger(), &plain);
    let with_password = plain.replace("amqp://", "amqp://guest:guest@");
    goes_through(&mut messenger(), &with_password);
    let wrong = plain.replace("amqp://", "amqp://guest:wrong@");
    let error = refused(&mut messenger(), &wrong);
    assert_eq!(error.kind(), ErrorKind::Login, "{error}");
}

#[test]
fn tls_is_spoken_with_java() {
    goes_through(&mut trusting(), &by("amqps", "amqps", "behind-tls"));
    let mut messenger = messenger();
    let stranger = Authority::new("another authority");
    messenger.set_trusted_certificates(stranger.file()).unwrap();
    let error = refused(&mut messenger, &by("amqps", "amqps", "behind-tls"));
    assert!(
        matches!(
            &error,
            Error::Tls {
                fault: TlsFault::UnknownAuthority,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_certificate_is_shown_where_it_is_demanded() {
    let address = by("demanding", "amqps", "demanding");
    let own = authority().issue("client");
    let mut messenger = trusting();
    messenger
        .set_certificate(&own.certificate, &own.key)
        .unwrap();
    goes_through(&mut messenger, &address);
    let error = refused(&mut trusting(), &address);
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
}

#[test]
fn messages_go_through_websocket() {
    goes_through(&mut messenger(), &by("ws", "ws", "through-the-web"));
}

#[test]
fn messages_go_through_websocket_in_tls() {
    goes_through(&mut trusting(), &by("wss", "wss", "through-the-safe-web"));
}
