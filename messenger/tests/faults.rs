//! Peers that fail at every point, and what cannot be done in the first place: a typed error with its
//! cause each time, never a hang, and no message PENDING for ever.

#![expect(
    clippy::disallowed_methods,
    reason = "a test that must not hang looks at the clock"
)]

#[path = "support/puppet.rs"]
mod puppet;
mod support;

use std::time::{Duration, Instant};

use ferrion_messenger::{Credit, Error, ErrorKind, Flags, Message, Messenger, Scope, Status};
use puppet::{Deed, STAGES, Stage, puppet, refuser};
use support::way::{Echo, Way};
use support::{message_to, nobody};

/// What fails is not tried again here: the errors are what is looked at.
fn client() -> Messenger {
    let mut messenger = support::client();
    messenger.set_reconnect(None);
    messenger
}

fn server() -> (Messenger, String) {
    let mut messenger = client();
    let address = support::listen(&mut messenger);
    (messenger, address)
}

const DEEDS: [Deed; 5] = [
    Deed::Close,
    Deed::Reset,
    Deed::Garbage,
    Deed::Tear,
    Deed::Stall,
];

fn timeout_for(deed: Deed) -> Duration {
    // A stall is all that may take this long.
    Duration::from_millis(if deed == Deed::Stall { 100 } else { 10_000 })
}

fn assert_error(error: &Error, stage: Stage, deed: Deed, address: &str) {
    let expected: &[ErrorKind] = match (deed, stage) {
        (Deed::Stall, _) => &[ErrorKind::Timeout],
        // Before the peer's open there was no connection to lose.
        (_, Stage::Accepted | Stage::Header) => &[ErrorKind::Connect, ErrorKind::Login],
        (_, Stage::Authenticated) => &[ErrorKind::Connect],
        _ => &[ErrorKind::Lost],
    };
    assert!(
        expected.contains(&error.kind()),
        "{stage:?} {deed:?}: {error:?}"
    );
    let named = deed == Deed::Stall || error.to_string().contains(address);
    assert!(named, "{stage:?} {deed:?}: {error}");
}

#[test]
fn a_sender_hears_of_every_fault() {
    for stage in STAGES {
        for deed in DEEDS {
            let (address, thread) = puppet(stage, deed);
            let begun = Instant::now();
            let mut messenger = client();
            messenger.set_outgoing_window(10);
            messenger.set_timeout(Some(timeout_for(deed)));
            let tracker = messenger.put(&message_to(&address, "x")).unwrap();
            let error = messenger.send().unwrap_err();
            assert_error(&error, stage, deed, &address);
            if deed == Deed::Stall {
                assert_eq!(messenger.status(tracker), Status::Pending);
                let stopped = messenger.stop().unwrap_err();
                assert_eq!(stopped, Error::Unsent { count: 1 });
            } else {
                assert_eq!(messenger.reason(tracker), Some(&error));
                assert_eq!(messenger.outgoing(), 0);
                messenger.stop().unwrap();
            }
            assert_eq!(
                messenger.status(tracker),
                Status::Aborted,
                "{stage:?} {deed:?}"
            );
            assert!(messenger.reason(tracker).is_some());
            assert!(
                begun.elapsed() < Duration::from_secs(5),
                "{stage:?} {deed:?}"
            );
            drop(messenger);
            thread.join().unwrap();
        }
    }
}

#[test]
fn a_receiver_hears_of_every_fault() {
    for stage in STAGES {
        for deed in DEEDS {
            let (address, thread) = puppet(stage, deed);
            let begun = Instant::now();
            let mut messenger = client();
            messenger.set_incoming_window(1);
            messenger.set_timeout(Some(timeout_for(deed)));
            messenger.subscribe(&format!("{address}/q")).unwrap();
            let mut message = Message::new();
            if stage == Stage::Transferred {
                // What came before the fault can be had; what is decided after it cannot be told.
                messenger.recv(10).unwrap();
                let tracker = messenger.get(&mut message).unwrap();
                let error = messenger.recv(10).unwrap_err();
                assert_error(&error, stage, deed, &address);
                let expected = if deed == Deed::Stall {
                    Status::Pending
                } else {
                    Status::Aborted
                };
                assert_eq!(messenger.status(tracker), expected, "{deed:?}");
                messenger.accept(tracker, Flags::NONE).unwrap();
            } else {
                let error = messenger.recv(10).unwrap_err();
                assert_error(&error, stage, deed, &address);
            }
            if deed != Deed::Stall {
                // The next one tries again, but here nobody is left to answer.
                let error = messenger.recv(10).unwrap_err();
                assert_eq!(
                    error.kind(),
                    ErrorKind::Connect,
                    "{stage:?} {deed:?}: {error}"
                );
            }
            messenger.stop().unwrap();
            assert!(
                begun.elapsed() < Duration::from_secs(5),
                "{stage:?} {deed:?}"
            );
            drop(messenger);
            thread.join().unwrap();
        }
    }
}

#[test]
fn a_listener_outlives_whatever_its_clients_do() {
    use std::io::{Read, Write};
    let (mut receiver, address) = server();
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    let hostile = std::thread::spawn(move || {
        let connect = || std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        drop(connect());
        let mut stream = connect();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        // It is told what is spoken here (2.2), and then hung up on.
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(answer.get(..4), Some(&b"AMQP"[..]));
        let mut stream = connect();
        stream.write_all(b"AMQP\x00\x01\x00\x00").unwrap();
        stream.write_all(&[0xff; 64]).unwrap();
        let _ = stream.read_to_end(&mut answer);
        let mut stream = connect();
        stream.write_all(b"AMQP\x03\x01").unwrap();
        let mut messenger = client();
        messenger
            .put(&message_to(&format!("127.0.0.1:{port}"), "fine"))
            .unwrap();
        messenger.send().unwrap();
        messenger.stop().unwrap();
        drop(stream);
    });
    receiver.recv(Credit::All).unwrap();
    receiver.get(&mut Message::new()).unwrap();
    hostile.join().unwrap();
    receiver.stop().unwrap();
}

#[test]
fn refusals_carry_the_peers_condition() {
    for scope in [Scope::Connection, Scope::Session, Scope::Link] {
        for sending in [true, false] {
            let (address, thread) = refuser(scope);
            let mut messenger = client();
            messenger.set_outgoing_window(1);
            let error = if sending {
                let tracker = messenger
                    .put(&message_to(&format!("{address}/q"), "x"))
                    .unwrap();
                let error = messenger.send().unwrap_err();
                assert_eq!(messenger.status(tracker), Status::Aborted);
                assert_eq!(messenger.condition(tracker), error.condition());
                error
            } else {
                messenger.subscribe(&format!("{address}/q")).unwrap();
                messenger.recv(1).unwrap_err()
            };
            let condition = error
                .condition()
                .unwrap_or_else(|| panic!("{scope:?}: {error:?}"));
            assert_eq!(condition.condition.as_str(), "test:refused", "{scope:?}");
            assert!(error.to_string().contains("not today"), "{error}");
            assert!(error.to_string().contains(&address), "{error}");
            drop(messenger);
            thread.join().unwrap();
        }
    }
}

#[test]
fn a_refused_connection_costs_its_own_messages_and_no_others() {
    let echo = Echo::start(Way::SIMPLE);
    let mut messenger = client();
    messenger.set_outgoing_window(10);
    let nowhere = format!("amqp://{}", nobody());
    let lost = messenger.put(&message_to(&nowhere, "x")).unwrap();
    let fine = messenger.put(&message_to(&echo.address, "x")).unwrap();
    let error = messenger.send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains(&nowhere), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(error.is_retryable());
    messenger.send().unwrap();
    assert_eq!(messenger.status(lost), Status::Aborted);
    assert_eq!(messenger.status(fine), Status::Accepted);
    messenger.subscribe(&nowhere).unwrap();
    assert_eq!(messenger.recv(1).unwrap_err().kind(), ErrorKind::Connect);
    messenger.stop().unwrap();
}

#[test]
fn after_a_loss_the_next_put_and_recv_connect_again() {
    let (mut receiver, address) = server();
    let mut sender = client();
    sender.set_outgoing_window(10);
    let receiving = std::thread::spawn(move || {
        let mut message = Message::new();
        receiver.recv(1).unwrap();
        receiver.get(&mut message).unwrap();
        receiver.stop().unwrap();
        receiver
    });
    sender.put(&message_to(&address, "one")).unwrap();
    sender.send().unwrap();
    let mut receiver = receiving.join().unwrap();
    // The same address again: the connection of before is gone, and that was orderly.
    receiver
        .subscribe(&address.replace("amqp://", "amqp://~"))
        .unwrap();
    let receiving = std::thread::spawn(move || {
        let mut message = Message::new();
        receiver.recv(1).unwrap();
        receiver.get(&mut message).unwrap();
        receiver.stop().unwrap();
    });
    sender.work(Some(Duration::from_millis(20))).unwrap();
    let tracker = sender.put(&message_to(&address, "two")).unwrap();
    sender.send().unwrap();
    assert_eq!(sender.status(tracker), Status::Accepted);
    receiving.join().unwrap();
    sender.stop().unwrap();
}

#[test]
fn a_client_that_waits_for_a_reply_hears_that_the_server_left() {
    let (mut receiver, address) = server();
    let leaving = std::thread::spawn(move || {
        receiver.recv(1).unwrap();
        receiver.get(&mut Message::new()).unwrap();
        receiver.stop().unwrap();
    });
    let mut messenger = client();
    messenger.set_outgoing_window(1);
    messenger
        .put(&message_to(&address, "are you there?"))
        .unwrap();
    messenger.send().unwrap();
    assert_eq!(messenger.recv(1).unwrap_err().kind(), ErrorKind::Lost);
    assert_eq!(messenger.recv(1).unwrap_err().kind(), ErrorKind::State);
    leaving.join().unwrap();
}

#[test]
fn passwords() {
    let mut receiver = client();
    receiver.set_listener_passwords([("joe", "secret")]);
    let address = support::listen(&mut receiver);
    let serving = {
        let interrupter = receiver.interrupter();
        let thread = std::thread::spawn(move || {
            let mut bodies = Vec::new();
            let mut message = Message::new();
            while receiver.recv(Credit::All).is_ok() {
                receiver.get(&mut message).unwrap();
                bodies.push(support::text(&message));
            }
            bodies
        });
        (interrupter, thread)
    };
    let attempt = |user: Option<&str>, password: Option<&str>| {
        let mut messenger = client();
        messenger.set_credentials(user, password);
        messenger.set_outgoing_window(1);
        messenger
            .put(&message_to(&address, user.unwrap_or("nobody")))
            .unwrap();
        let sent = messenger.send();
        let warned = messenger.poll_warning();
        (sent, warned)
    };
    let (sent, warned) = attempt(Some("joe"), Some("secret"));
    sent.unwrap();
    // SCRAM showed the password to nobody.
    assert_eq!(warned, None);
    for (user, password) in [
        (Some("joe"), Some("wrong")),
        (Some("jim"), Some("")),
        (None, None),
    ] {
        let error = attempt(user, password).0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Login, "{user:?}: {error}");
    }
    // In the address, percent-encoded.
    let mut messenger = client();
    let host = address.strip_prefix("amqp://").unwrap();
    messenger.set_outgoing_window(1);
    messenger
        .put(&message_to(
            &format!("amqp://joe:s%65cret@{host}"),
            "encoded",
        ))
        .unwrap();
    messenger.send().unwrap();
    messenger.stop().unwrap();
    serving.0.interrupt();
    assert_eq!(serving.1.join().unwrap(), ["joe", "encoded"]);
}

#[test]
fn who_came_by_itself_and_was_lost_is_not_said_to_be_connected_to_again() {
    let (mut listening, address) = server();
    let mut guest = Messenger::with_name("guest").unwrap();
    let news = guest.subscribe(&format!("{address}/news")).unwrap();
    listening.set_blocking(false);
    guest.set_blocking(false);
    while guest.subscription_source(news).is_none() {
        listening.work(Some(Duration::from_millis(1))).unwrap();
        guest.work(Some(Duration::from_millis(1))).unwrap();
    }
    listening.set_outgoing_window(1);
    let message = message_to("amqp://guest/news", "for whom there is no credit");
    let tracker = listening.put(&message).unwrap();
    drop(guest);
    listening.set_blocking(true);
    let error = listening.send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    let text = error.to_string();
    assert!(text.ends_with("put again when it is back"), "{text}");
    assert_eq!(listening.status(tracker), Status::Aborted);
    assert_eq!(listening.reason(tracker), Some(&error));
}

#[test]
fn what_is_no_message_is_rejected_and_said_so() {
    use std::io::{Read, Write};

    use bytes::{Buf, BytesMut};
    use ferrion_engine::protocol::DeliveryState;
    use ferrion_engine::{Config, Engine, Event, LinkConfig, SessionConfig, Time};

    let (mut receiver, address) = server();
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    let sending = std::thread::spawn(move || {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let mut engine = Engine::client(Config::new("odd"));
        engine.connection().open().unwrap();
        let session = engine.connection().begin(SessionConfig::default()).unwrap();
        let config = LinkConfig::sender("l", "q");
        let link = engine
            .session(session)
            .unwrap()
            .attach_sender(config)
            .unwrap();
        let mut input = BytesMut::new();
        let mut buffer = [0; 4096];
        loop {
            while let Some(event) = engine.poll_event() {
                match event {
                    Event::Flow(_) if engine.sender(link).unwrap().credit() > 0 => {
                        engine
                            .sender(link)
                            .unwrap()
                            .send(b"odd", b"no sections")
                            .unwrap();
                    }
                    Event::Updates(_) => {
                        return engine.sender(link).unwrap().next_update().unwrap().state;
                    }
                    _ => {}
                }
            }
            loop {
                let mut output = engine.transmit(Time(0));
                if !output.has_remaining() {
                    break;
                }
                let count = output.chunk().len();
                stream.write_all(output.chunk()).unwrap();
                output.advance(count);
            }
            let count = stream.read(&mut buffer).unwrap();
            input.extend_from_slice(&buffer[..count]);
            engine.recv(Time(0), &mut input);
        }
    });
    receiver.recv(1).unwrap();
    let error = receiver.get(&mut Message::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    receiver.work(Some(Duration::from_millis(10))).unwrap();
    let Some(DeliveryState::Rejected(Some(condition))) = sending.join().unwrap() else {
        panic!("not rejected");
    };
    assert_eq!(condition.condition.as_str(), "amqp:decode-error");
}

/// To hang up with octets unread would take the answer back on its way (5.2).
#[test]
fn who_is_refused_hears_so_though_it_has_more_to_say() {
    use std::io::{Read, Write};
    let (mut receiver, address) = server();
    receiver.set_listener_passwords([("joe", "secret")]);
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    let refused = std::thread::spawn(move || {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(b"AMQP\x03\x01\x00\x00").unwrap();
        // The header comes back, and the frame with the mechanisms.
        let mut header = [0; 12];
        stream.read_exact(&mut header).unwrap();
        let size = u32::from_be_bytes(header[8..].try_into().unwrap());
        stream.read_exact(&mut vec![0; size as usize - 4]).unwrap();
        // PLAIN, as joe, with another password.
        let mut init = vec![0, 0, 0, 34, 2, 1, 0, 0, 0, 0x53, 0x41, 0xc0, 21, 2];
        init.extend(b"\xa3\x05PLAIN\xa0\x0b\0joe\0public");
        init[3] = u8::try_from(init.len()).unwrap();
        init[12] = u8::try_from(init.len() - 13).unwrap();
        stream.write_all(&init).unwrap();
        // The answer is there, but it is not read before everything was said.
        stream.peek(&mut [0; 64]).unwrap();
        let _ = stream.write_all(&[0; 300_000]);
        let mut answer = Vec::new();
        let ending = stream.read_to_end(&mut answer);
        let outcome = answer.windows(3).any(|octets| octets == [0, 0x53, 0x44]);
        (ending.map(drop).map_err(|error| error.kind()), outcome)
    });
    receiver.set_blocking(false);
    while !refused.is_finished() {
        receiver.work(Some(Duration::from_millis(5))).unwrap();
    }
    assert_eq!(refused.join().unwrap(), (Ok(()), true));
    receiver.set_blocking(true);
    receiver.stop().unwrap();
}
