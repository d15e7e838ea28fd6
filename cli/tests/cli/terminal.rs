//! What peers say is printed so that a terminal does not obey it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use bytes::{Buf, BytesMut};
use ferrion_engine::protocol::{Condition, Redirect, conditions};
use ferrion_engine::sasl::{Mechanism, SaslConfig, SaslServer};
use ferrion_engine::{Config, Engine, Event, Time};

use crate::common::{ferrion, nobody};

/// A server that ends the first link of the one connection that it takes, or the connection when there is a link, with this.
fn ending_server(condition: Condition) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("amqp://{}", listener.local_addr().expect("its address"));
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the command");
        drop(listener);
        let mut config = Config::new("ending");
        config.sasl = SaslConfig::Server(SaslServer::new([Mechanism::Anonymous]));
        let mut engine = Engine::server(config);
        let mut buffer = [0; 4096];
        loop {
            let count = stream.read(&mut buffer).unwrap_or(0);
            if count == 0 {
                return;
            }
            engine.recv(Time(0), &mut BytesMut::from(&buffer[..count]));
            while let Some(event) = engine.poll_event() {
                match event {
                    Event::RemoteOpen => drop(engine.connection().open()),
                    Event::SessionBegun(id) => {
                        let mut session = engine.session(id).expect("it has begun");
                        let _ = session.accept(Default::default());
                    }
                    Event::LinkAttached(id) if condition.redirect().is_some() => {
                        let mut link = engine.link(id).expect("it was attached");
                        let _ = link.refuse(condition.clone());
                    }
                    Event::LinkAttached(_) => {
                        let _ = engine.connection().close(Some(condition.clone()));
                    }
                    _ => {}
                }
            }
            let mut output = engine.transmit(Time(0));
            while output.has_remaining() {
                let chunk = output.chunk().to_vec();
                if stream.write_all(&chunk).is_err() {
                    return;
                }
                output.advance(chunk.len());
            }
        }
    });
    (address, thread)
}

#[test]
fn what_a_peer_says_does_not_steer_the_terminal() {
    let nobody = nobody();
    let (host, port) = nobody.rsplit_once(':').expect("host and port");
    let elsewhere = Redirect {
        network_host: Some(host.trim_start_matches("amqp://").into()),
        port: port.parse().ok(),
        address: Some("red\x1b[31mnode".into()),
        ..Redirect::default()
    };
    let told = Condition::with_description(conditions::INTERNAL_ERROR, "red\x1b[31mtext");
    for (condition, shown) in [(elsewhere.link(), "going on at"), (told, "text")] {
        let (address, server) = ending_server(condition);
        let address = format!("{address}/queue");
        let args = ["send", "--give-up-after", "0", "--trace", &address];
        let ran = ferrion(args).stdin("x\n").run();
        assert_ne!(ran.code, 0);
        assert!(ran.stderr.contains(shown), "{}", ran.stderr);
        assert!(ran.stderr.contains("red\\u{1b}[31m"), "{}", ran.stderr);
        assert!(!ran.stderr.contains('\x1b'), "{}", ran.stderr);
        server.join().expect("the server ends with the connection");
    }
}
