//! `ferrion recv --selector`, at a peer that knows of selectors and at one that does not.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::thread::{self, JoinHandle};

use bytes::{Buf, BytesMut};
use ferrion_engine::codec::Fields;
use ferrion_engine::sasl::{Mechanism, SaslAnswer, SaslConfig, SaslServer};
use ferrion_engine::{Config, Engine, Event, Message, SessionConfig, Time};

use crate::common::ferrion;

/// What the peer was asked to filter by.
type Asked = JoinHandle<Option<Fields>>;

/// Serves one receiver, with one message; answers where, and what it was asked for once it has left.
fn source(filters: bool) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let place = listener.local_addr().expect("its address");
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody comes");
        let mut config = Config::new("source");
        config.sasl = SaslConfig::Server(SaslServer::new([Mechanism::Anonymous]));
        let mut engine = Engine::server(config);
        let mut asked = None;
        let (mut input, mut buffer) = (BytesMut::new(), [0; 4096]);
        while let Ok(count) = stream.read(&mut buffer)
            && count > 0
        {
            input.extend_from_slice(&buffer[..count]);
            engine.recv(Time(0), &mut input);
            while let Some(event) = engine.poll_event() {
                answer(&mut engine, event, filters, &mut asked);
            }
            let mut output = engine.transmit(Time(0));
            while output.has_remaining() {
                let Ok(count) = stream.write(output.chunk()) else {
                    return asked;
                };
                output.advance(count);
            }
            if engine.is_done() {
                // What is said last is read before the connection is gone.
                let _ = stream.shutdown(Shutdown::Write);
            }
        }
        asked
    });
    (format!("amqp://{place}/queue"), serving)
}

fn answer(engine: &mut Engine, event: Event, filters: bool, asked: &mut Option<Fields>) {
    match event {
        Event::Authenticate => engine.sasl_answer(SaslAnswer::Accept).expect("asked"),
        Event::RemoteOpen => engine.connection().open().expect("not open"),
        Event::SessionBegun(id) => {
            let mut session = engine.session(id).expect("a session");
            session.accept(SessionConfig::default()).expect("begun");
        }
        Event::LinkAttached(id) => {
            let mut link = engine.link(id).expect("a link");
            let mut offer = link.offer().expect("attached");
            let source = offer.source.as_mut().expect("a source");
            asked.clone_from(&source.filter);
            if !filters {
                source.filter = None;
            }
            link.accept_with(offer).expect("attached");
        }
        Event::Flow(id) => {
            let mut link = engine.sender(id).expect("a link");
            if link.credit() > 0 {
                let message = Message::with_body("red").to_bytes();
                link.send(b"1", message).expect("credit");
            }
        }
        Event::LinkDetached(id) => {
            // It fails if this side detached first.
            let _ = engine.link(id).expect("a link").close(None);
        }
        _ => {}
    }
}

fn recv(address: &str, more: &[&str]) -> crate::common::Ran {
    let mut args = vec!["recv", address, "-n", "1", "--timeout", "20"];
    args.extend(more);
    ferrion(args).run()
}

#[test]
fn a_selector_is_asked_for_in_the_form_that_brokers_know() {
    const TEXT: &str = "colour = 'red' AND price > 10";
    let (address, asked) = source(true);
    let received = recv(&address, &["--selector", TEXT]);
    assert_eq!(received.code, 0, "{}", received.stderr);
    assert_eq!(received.stdout, "red\n");
    let asked = asked.join().expect("the source ends").expect("filters");
    let filters: Vec<_> = asked.entries().collect();
    let [(_, filter)] = filters.as_slice() else {
        panic!("{filters:?}");
    };
    let text = format!("{:?}", filter.decode().expect("well formed"));
    assert!(text.contains("apache.org:selector-filter:string"), "{text}");
    assert!(text.contains(TEXT), "{text}");
}

#[test]
fn without_a_selector_nothing_is_filtered() {
    let (address, asked) = source(true);
    assert_eq!(recv(&address, &[]).stdout, "red\n");
    assert_eq!(asked.join().expect("the source ends"), None);
}

#[test]
fn a_peer_that_does_not_filter_is_an_error() {
    let (address, asked) = source(false);
    let received = recv(&address, &["--selector", "price > 10"]);
    assert_eq!((received.code, received.stdout.as_str()), (1, ""));
    assert!(received.stderr.contains("selector"), "{}", received.stderr);
    assert!(asked.join().expect("the source ends").is_some());
}

#[test]
fn who_listens_has_nobody_to_ask_for_a_selector() {
    let received = ferrion(["recv", "~127.0.0.1:0", "--selector", "price > 10"]).run();
    assert_eq!(received.code, 1);
    assert!(
        received.stderr.contains("asks nobody"),
        "{}",
        received.stderr
    );
}
