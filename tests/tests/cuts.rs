//! Every wire cut after any octet, from the first of TLS and of WebSocket to the last of an exchange.

#[path = "../../messenger/tests/support/mod.rs"]
#[macro_use]
mod support;

use std::collections::HashSet;

use ferrion_messenger::{Credit, Error, ErrorKind, Message, Status};
use ferrion_tests::interop::proxy::{Cut, Direction, Fault, Place, Proxy};
use support::{Wire, message_to, text};

over_every_wire! {
    a_handshake_that_is_cut_after_any_octet_fails_in_time_and_the_listener_goes_on,
}

fn a_handshake_that_is_cut_after_any_octet_fails_in_time_and_the_listener_goes_on(wire: Wire) {
    let (mut server, address) = wire.server();
    server.set_timeout(None);
    let interrupter = server.interrupter();
    let serving = std::thread::spawn(move || {
        let mut bodies = HashSet::new();
        let mut message = Message::new();
        while server.recv(Credit::All) != Err(Error::Interrupted) {
            while server.get(&mut message).is_ok() {
                bodies.insert(text(&message));
            }
        }
        bodies
    });
    let scheme = wire.scheme();
    let port = address.rsplit(':').next().unwrap().parse().unwrap();
    let mut accepted = Vec::new();
    for direction in [Direction::ToServer, Direction::ToClient] {
        let mut limit = 0;
        loop {
            let cut = Cut {
                fault: Fault::Close,
                direction,
                place: Place::Octet(limit),
            };
            let proxy = Proxy::start(port, Some(cut));
            let mut messenger = wire.client();
            messenger.set_reconnect(None);
            messenger.set_outgoing_window(1);
            let address = format!("{scheme}://127.0.0.1:{}", proxy.port());
            let body = format!("{direction:?} {limit}");
            let message = message_to(&address, &body);
            let tracker = messenger.put(&message).unwrap();
            let sent = messenger.send();
            let status = messenger.status(tracker);
            drop(messenger);
            let is_whole = !proxy.has_cut();
            match sent {
                Ok(()) => {
                    assert_eq!(status, Status::Accepted, "{body}");
                    accepted.push(body);
                }
                Err(error) => {
                    assert!(!is_whole, "{body}: {error}");
                    let expected = [ErrorKind::Tls, ErrorKind::Connect, ErrorKind::Lost];
                    assert!(expected.contains(&error.kind()), "{body}: {error}");
                    assert_eq!(status, Status::Aborted, "{body}");
                }
            }
            if is_whole {
                break;
            }
            // Every octet of the headers, and then enough to meet every message of the handshake.
            limit += if limit < 64 { 1 } else { 13 };
        }
        assert!(limit > 100, "a handshake is longer");
    }
    interrupter.interrupt();
    let bodies = serving.join().unwrap();
    // Also where the line was cut right after the answer: what is accepted was received.
    assert!(accepted.len() >= 2);
    for body in accepted {
        assert!(bodies.contains(&body), "{body} was accepted");
    }
}
