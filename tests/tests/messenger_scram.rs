//! The Messenger logs in with SCRAM to Proton's Python broker, which has Cyrus SASL look after its passwords.

use std::time::Duration;

use ferrion_engine::sasl::{Mechanism, ScramHash};
use ferrion_messenger::{ErrorKind, Message, Messenger, Status};
use ferrion_tests::interop::{Library, PATIENCE, Program, Role, Sasl};

fn broker(hash: ScramHash) -> Program {
    let sasl = Sasl::With(Mechanism::Scram(hash).name());
    Program::serve(Library::Proton, Role::Sink, sasl, &[], &[])
}

fn messenger() -> Messenger {
    let mut messenger = Messenger::new().expect("a messenger");
    messenger.set_timeout(Some(PATIENCE));
    messenger.set_outgoing_window(10);
    messenger
}

fn message_to(broker: &Program) -> Message {
    let mut message = Message::with_body("let me in");
    message.set_address(format!("amqp://127.0.0.1:{}/queue", broker.port()));
    message
}

#[test]
fn every_hash_opens_the_door_and_the_password_is_not_shown() {
    for hash in ScramHash::STRONGEST_FIRST {
        let mut broker = broker(hash);
        let mut messenger = messenger();
        messenger.set_credentials(Some(Sasl::user()), Some(Sasl::password()));
        let tracker = messenger.put(&message_to(&broker)).unwrap();
        messenger.send().unwrap();
        assert_eq!(messenger.status(tracker), Status::Accepted, "{hash:?}");
        let open = broker.expect("open");
        assert_eq!(open["mechanism"], Mechanism::Scram(hash).name());
        // Without TLS, and yet nothing to warn of: nobody on the way could read it.
        assert_eq!(messenger.poll_warning(), None);
        messenger.stop().unwrap();
    }
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_refused_at_once_and_for_good() {
    let broker = broker(ScramHash::Sha256);
    for (user, password) in [(Sasl::user(), "wrong"), ("nobody@test", Sasl::password())] {
        let mut messenger = messenger();
        messenger.set_credentials(Some(user), Some(password));
        // To try again with the same would be refused again.
        messenger.set_reconnect(Some(ferrion_messenger::Reconnect {
            initial: true,
            first_delay: Duration::from_secs(3600),
            ..Default::default()
        }));
        let tracker = messenger.put(&message_to(&broker)).unwrap();
        let error = messenger.send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Login, "{error}");
        assert!(!error.to_string().contains(password), "{error}");
        assert_eq!(messenger.status(tracker), Status::Aborted);
        messenger.stop().unwrap();
    }
}
