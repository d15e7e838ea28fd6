//! What the tests of messengers with any broker say again and again.

use std::time::Duration;

use ferrion_messenger::{
    Credit, ErrorKind, Flags, LinkRecovery, Message, Messenger, Status, Tracker,
};

/// How long a call of a messenger may take. It bounds a failure; no test that passes waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// How long a queue is watched that should be empty.
const SILENCE: Duration = Duration::from_millis(300);

/// A messenger that remembers everything, and waits for no longer than [`PATIENCE`].
///
/// # Panics
///
/// When it can not be made.
#[must_use]
pub fn messenger() -> Messenger {
    let mut messenger = Messenger::new().expect("a messenger");
    messenger.set_timeout(Some(PATIENCE));
    messenger.set_outgoing_window(usize::MAX);
    messenger.set_incoming_window(usize::MAX);
    messenger
}

/// A durable message to an address.
#[must_use]
pub fn message_to(address: &str, body: impl Into<String>) -> Message {
    let mut message = Message::with_body(body.into());
    message.set_durable(true);
    message.set_address(address);
    message
}

/// The text that is the body of a message.
///
/// # Panics
///
/// When its body is no text.
#[must_use]
pub fn text(message: &Message) -> String {
    let body = message.body_text().expect("a body");
    body.expect("a text").to_owned()
}

/// Waits for the next message.
///
/// # Panics
///
/// When none comes.
pub fn take(messenger: &mut Messenger) -> (Tracker, Message) {
    if messenger.incoming() == 0 {
        messenger.recv(Credit::Explicit(1)).expect("a message");
    }
    let mut message = Message::new();
    let tracker = messenger.get(&mut message).expect("a message");
    (tracker, message)
}

/// Sends and accepts messages over links that are asked to be recovered, by way of a queue that is empty.
///
/// # Panics
///
/// When one is not accepted, or when any is left of what was.
pub fn settles_on_links_that_would_be_recovered(address: &str) {
    let recovering = || {
        let mut messenger = messenger();
        messenger.set_link_recovery(Some(LinkRecovery::default()));
        messenger
    };
    let mut sender = recovering();
    let put = |number: i32| sender.put(&message_to(address, number.to_string()));
    let trackers: Result<Vec<_>, _> = (0..20).map(put).collect();
    sender.send().expect("answers");
    for tracker in trackers.expect("room") {
        assert_eq!(sender.status(tracker), Status::Accepted);
    }
    sender.stop().expect("an orderly end");
    let mut receiver = recovering();
    receiver.subscribe(address).expect("a subscription");
    for number in 0..20 {
        let (tracker, message) = take(&mut receiver);
        assert_eq!(text(&message), number.to_string());
        let accepted = receiver.accept(tracker, Flags::NONE);
        accepted.expect("a message in the window");
        assert_eq!(receiver.status(tracker), Status::Accepted);
    }
    receiver.stop().expect("an orderly end");
    let mut late = messenger();
    late.subscribe(address).expect("a subscription");
    late.set_timeout(Some(SILENCE));
    let error = late.recv(Credit::All).expect_err("nothing");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    late.stop().expect("an orderly end");
}
