//! How a messenger gets in, and what it is told when it does not.

use ferrion_engine::protocol::conditions;
use ferrion_messenger::{Error, ErrorKind, Messenger, Status, TlsFault};
use ferrion_tests::interop::{Authority, Identity, Queue};

use crate::support::{
    authority, broker, declare, message_to, messenger, securely_at, take, text, victim,
};

/// Sends a message to an address and takes it from there again.
fn goes_through(messenger: &mut Messenger, address: &str) {
    let tracker = messenger.put(&message_to(address, "x")).unwrap();
    messenger.send().unwrap();
    assert_eq!(messenger.status(tracker), Status::Accepted);
    messenger.subscribe(address).unwrap();
    let (_, message) = take(messenger);
    assert_eq!(text(&message), "x");
}

/// The error that both the call and the tracker tell.
fn refused(messenger: &mut Messenger, address: &str) -> Error {
    let tracker = messenger.put(&message_to(address, "x")).unwrap();
    let error = messenger.send().unwrap_err();
    assert_eq!(messenger.status(tracker), Status::Aborted);
    assert_eq!(messenger.reason(tracker), Some(&error));
    error
}

/// A messenger that trusts who issued the broker's certificate.
fn trusting() -> Messenger {
    let mut messenger = messenger();
    messenger
        .set_trusted_certificates(authority().file())
        .unwrap();
    messenger
}

fn showing(identity: &Identity) -> Messenger {
    let mut messenger = trusting();
    messenger
        .set_certificate(&identity.certificate, &identity.key)
        .unwrap();
    messenger
}

#[test]
fn nobody_and_who_has_a_password_get_in() {
    let address = declare(&Queue::classic("doors"));
    goes_through(&mut messenger(), &address);
    let with_password = address.replace("amqp://", "amqp://guest:guest@");
    goes_through(&mut messenger(), &with_password);
    let mut messenger = messenger();
    messenger.set_credentials(Some("alice"), Some("another way in"));
    goes_through(&mut messenger, &address);
    let warning = messenger.poll_warning().expect("a warning");
    assert!(warning.contains("without TLS"), "{warning}");
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_refused_alike() {
    let address = declare(&Queue::classic("doors"));
    for login in ["guest:wrong", "nobody:guest"] {
        let address = address.replace("amqp://", &format!("amqp://{login}@"));
        let mut messenger = messenger();
        let error = refused(&mut messenger, &address);
        assert_eq!(error.kind(), ErrorKind::Login, "{error}");
        assert!(!error.is_retryable());
        // It can be seen where, but not with what.
        let text = error.to_string();
        assert!(
            text.contains("127.0.0.1") && !text.contains("wrong"),
            "{text}"
        );
        messenger.subscribe(&address).unwrap();
        let error = messenger.recv(1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Login, "{error}");
    }
}

#[test]
fn a_queue_that_does_not_exist_is_told_and_costs_nothing_else() {
    let address = declare(&Queue::classic("beside"));
    let nowhere = address.replace("beside", "nowhere");
    let mut messenger = messenger();
    let error = refused(&mut messenger, &nowhere);
    assert_eq!(error.kind(), ErrorKind::Remote, "{error}");
    let condition = error.condition().expect("a condition");
    assert_eq!(condition.condition, conditions::NOT_FOUND);
    assert!(error.to_string().contains("no queue 'nowhere'"), "{error}");
    goes_through(&mut messenger, &address);
}

#[test]
fn tls_carries_passwords_and_nobody() {
    let queue = Queue::classic("behind-tls");
    broker().declare(&queue);
    for user in ["alice:another%20way%20in@", ""] {
        let mut messenger = trusting();
        goes_through(&mut messenger, &securely_at(broker(), user, &queue));
        assert_eq!(messenger.poll_warning(), None);
    }
}

#[test]
fn a_certificate_is_enough_to_log_in() {
    let queue = Queue::classic("by-certificate");
    broker().declare(&queue);
    let address = securely_at(broker(), "", &queue);
    let mut messenger = showing(&authority().issue("alice"));
    messenger.set_tracing(true);
    goes_through(&mut messenger, &address);
    let trace: Vec<String> = std::iter::from_fn(|| messenger.poll_trace()).collect();
    assert!(
        trace
            .iter()
            .any(|line| line.contains("EXTERNAL") && line.contains("sasl-init")),
        "{trace:?}"
    );

    // The name in this one is that of no user.
    let error = refused(&mut showing(&authority().issue("mallory")), &address);
    assert_eq!(error.kind(), ErrorKind::Login, "{error}");
}

#[test]
fn certificates_that_the_broker_does_not_take_are_told_as_such() {
    let queue = Queue::classic("by-certificate");
    broker().declare(&queue);
    let address = securely_at(broker(), "", &queue);
    let error = refused(&mut showing(&authority().issue_expired("alice")), &address);
    let Error::Tls {
        fault: TlsFault::CertificateRefused(reason),
        ..
    } = &error
    else {
        panic!("{error}")
    };
    assert!(reason.contains("expired"), "{reason}");
    let stranger = Authority::new("another authority");
    let error = refused(&mut showing(&stranger.issue("alice")), &address);
    assert!(
        matches!(
            &error,
            Error::Tls {
                fault: TlsFault::CertificateRefused(_),
                ..
            }
        ),
        "{error}"
    );
    assert!(!error.is_retryable());
}

#[test]
fn a_broker_whom_nobody_vouches_for_or_by_another_name_is_not_talked_to() {
    let queue = Queue::classic("by-certificate");
    broker().declare(&queue);
    let address = securely_at(broker(), "guest:guest@", &queue);
    let mut messenger = messenger();
    let stranger = Authority::new("another authority");
    messenger.set_trusted_certificates(stranger.file()).unwrap();
    assert_eq!(fault(&mut messenger, &address), TlsFault::UnknownAuthority);

    let by_name = address.replace("127.0.0.1", "localhost");
    let fault = fault(&mut trusting(), &by_name);
    let TlsFault::WrongName {
        expected,
        presented,
    } = &fault
    else {
        panic!("{fault}")
    };
    assert_eq!(expected, "localhost");
    assert!(
        presented.iter().any(|name| name.contains("127.0.0.1")),
        "{presented:?}"
    );
}

#[test]
fn a_broker_whose_certificate_expired_is_not_talked_to() {
    let victim = victim();
    let address = securely_at(&victim, "guest:guest@", &Queue::classic("any"));
    let fault = fault(&mut showing(&authority().issue("alice")), &address);
    assert_eq!(
        fault,
        TlsFault::Expired {
            since: Some(String::from("2020-12-31"))
        }
    );
}

#[test]
fn a_broker_that_demands_a_certificate_says_so() {
    let victim = victim();
    let address = securely_at(&victim, "guest:guest@", &Queue::classic("any"));
    let mut messenger = messenger();
    messenger.set_dangerous_accept_any_certificate(true);
    assert_eq!(
        fault(&mut messenger, &address),
        TlsFault::CertificateRequired
    );
}

#[test]
fn tls_where_there_is_none_is_told_and_the_other_way_round_nobody_is_there() {
    let queue = Queue::classic("by-certificate");
    broker().declare(&queue);
    let secure = securely_at(broker(), "guest:guest@", &queue);
    let plain = declare(&queue);
    assert_eq!(
        fault(&mut trusting(), &plain.replace("amqp://", "amqps://")),
        TlsFault::PeerSpeaksPlain
    );
    // RabbitMQ hangs up on who speaks without TLS where it listens with TLS, and says nothing.
    let error = refused(&mut messenger(), &secure.replace("amqps://", "amqp://"));
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
}

fn fault(messenger: &mut Messenger, address: &str) -> TlsFault {
    match refused(messenger, address) {
        Error::Tls { fault, .. } => fault,
        error => panic!("{error}"),
    }
}
