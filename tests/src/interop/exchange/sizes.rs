//! Bodies of every size.

use ferrion_messenger::{Body, Credit, Flags, Message, Status};
use serde_json::json;

use super::{address, messenger};
use crate::interop::{Library, Program, Role, SIZES, Sasl, digest, pattern};

/// Bodies of every size go from a Messenger to a peer, and come back whole.
///
/// # Panics
///
/// When one does not.
pub fn sizes_through_peer(library: Library) {
    // It prints what it received as a digest, and sends the octets themselves back.
    let mut echo = Program::serve(library, Role::Echo, Sasl::Anonymous, &["--digest"], &[]);
    let mut messenger = messenger("ferrion-sizes");
    messenger
        .subscribe(&address(echo.port(), Sasl::Anonymous, "back"))
        .expect("a subscription");
    for size in SIZES {
        let body = pattern(size);
        let mut message = Message::with_body(body.clone());
        message.set_address(address(echo.port(), Sasl::Anonymous, "there").as_str());
        let tracker = messenger.put(&message).expect("room");
        messenger.recv(Credit::All).expect("it comes back");
        let printed = echo.expect("message");
        assert_eq!(
            printed["message"]["body"],
            json!(["octets", [digest(&body)]]),
            "{size} octets"
        );
        let mut received = Message::new();
        let back = messenger.get(&mut received).expect("a message");
        messenger.accept(back, Flags::default()).expect("a tracker");
        assert!(
            received.body().expect("a body") == &Body::from(body),
            "{size} octets do not come back as they went"
        );
        messenger.send().expect("an outcome");
        assert_eq!(messenger.status(tracker), Status::Accepted, "{size} octets");
    }
}

/// Bodies of every size that a peer makes itself reach a Messenger.
///
/// # Panics
///
/// When one does not.
pub fn sizes_from_peer(library: Library) {
    for size in SIZES {
        let arguments = ["--size", &size.to_string(), "--count", "2"];
        let mut source = Program::serve(library, Role::Source, Sasl::Anonymous, &arguments, &[]);
        let mut messenger = messenger("ferrion-sizes");
        messenger
            .subscribe(&address(source.port(), Sasl::Anonymous, "sizes"))
            .expect("a subscription");
        for _ in 0..2 {
            let mut received = Message::new();
            if messenger.incoming() == 0 {
                messenger.recv(Credit::Explicit(1)).expect("it comes");
            }
            let tracker = messenger.get(&mut received).expect("a message");
            messenger
                .accept(tracker, Flags::default())
                .expect("a tracker");
            assert!(
                received.body().expect("a body") == &Body::from(pattern(size)),
                "{size} octets are not whole"
            );
        }
        messenger.stop().expect("an orderly end");
        source.expect("done");
    }
}
