//! Every wire cut after any octet, from the first of TLS and of WebSocket to the last of an exchange.

#[macro_use]
mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::JoinHandle;

use ferrion_messenger::{Credit, Error, ErrorKind, Message, Status};
use support::{Wire, message_to, text};

over_every_wire! {
    a_handshake_that_is_cut_after_any_octet_fails_in_time_and_the_listener_goes_on,
}

fn a_handshake_that_is_cut_after_any_octet_fails_in_time_and_the_listener_goes_on(wire: Wire) {
    let (mut server, address) = wire.server();
    server.set_timeout(None);
    let interrupter = server.interrupter();
    let serving = std::thread::spawn(move || {
        let mut bodies = Vec::new();
        let mut message = Message::new();
        while server.recv(Credit::All) != Err(Error::Interrupted) {
            while server.get(&mut message).is_ok() {
                bodies.push(text(&message));
            }
        }
        bodies
    });
    let scheme = wire.scheme();
    let (_, to) = address.split_once("://").unwrap();
    let mut delivered = 0;
    for towards_server in [true, false] {
        let mut limit = 0;
        loop {
            let (proxied, thread) = proxy(to.to_owned(), towards_server, limit);
            let mut messenger = wire.client();
            messenger.set_reconnect(None);
            messenger.set_outgoing_window(1);
            let message = message_to(&format!("{scheme}://{proxied}"), "x");
            let tracker = messenger.put(&message).unwrap();
            let sent = messenger.send();
            let status = messenger.status(tracker);
            drop(messenger);
            if thread.join().unwrap().is_some() {
                sent.unwrap();
                assert_eq!(status, Status::Accepted);
                delivered += 1;
                break;
            }
            if let Err(error) = sent {
                let kind = error.kind();
                let expected = [ErrorKind::Tls, ErrorKind::Connect, ErrorKind::Lost];
                assert!(
                    expected.contains(&kind),
                    "{towards_server} {limit}: {error}"
                );
                assert_eq!(status, Status::Aborted);
            }
            // Every octet of the headers, and then enough to meet every message of the handshake.
            limit += if limit < 64 { 1 } else { 13 };
        }
        assert!(limit > 100, "a handshake is longer");
    }
    interrupter.interrupt();
    let bodies = serving.join().unwrap();
    assert!(bodies.len() >= delivered);
}

/// Passes on `limit` octets of one direction (and all of the other), and then hangs up. Answers how many
/// octets there were, if they were fewer.
fn proxy(to: String, towards_server: bool, limit: usize) -> (String, JoinHandle<Option<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(to).unwrap();
        let pass = |mut from: TcpStream, mut to: TcpStream, limit: usize| {
            let mut passed = 0;
            let mut buffer = [0; 4096];
            loop {
                let room = buffer.len().min(limit - passed);
                if room == 0 {
                    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                    return None;
                }
                match from.read(&mut buffer[..room]) {
                    Ok(count) if count > 0 => {
                        let _ = to.write_all(&buffer[..count]);
                        passed += count;
                    }
                    _ => {
                        let _ = to.shutdown(Shutdown::Write);
                        return Some(passed);
                    }
                }
            }
        };
        let (up, down) = if towards_server {
            (limit, usize::MAX)
        } else {
            (usize::MAX, limit)
        };
        let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let other = std::thread::spawn(move || pass(from, to, up));
        let downward = pass(server, client, down);
        let upward = other.join().unwrap();
        if towards_server { upward } else { downward }
    });
    (address, thread)
}
