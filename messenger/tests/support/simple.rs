//! A server that lets in by passwords and tokens, and closes as soon as somebody has logged in.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use bytes::{Buf, BytesMut};
use ferrion_engine::protocol::Condition;
use ferrion_engine::sasl::{Mechanism, SaslAnswer, SaslConfig, SaslRequest, SaslServer};
use ferrion_engine::{Config, Engine, Event, Time};

/// A password and token of joe's that stands in no text of anybody's.
pub(crate) const RARE: &str = "open-sesame";

/// A server with these mechanisms, that admits joe with "secret", the good token or the rare one, and takes one
/// connection. Its thread tells whether it was asked.
pub(crate) fn simple_server(mechanisms: &[Mechanism]) -> (String, JoinHandle<bool>) {
    ending_server(mechanisms, None)
}

/// As [`simple_server`], and what its close says.
pub(crate) fn ending_server(
    mechanisms: &[Mechanism],
    ending: Option<Condition>,
) -> (String, JoinHandle<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("amqp://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let mechanisms = mechanisms.to_vec();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        let mut config = Config::new("simple");
        config.limits.sasl_frame_size = 16 << 10;
        config.sasl = SaslConfig::Server(SaslServer::new(mechanisms));
        let mut engine = Engine::server(config);
        let mut asked = false;
        let mut buffer = [0; 4096];
        loop {
            let count = stream.read(&mut buffer).unwrap_or(0);
            if count == 0 {
                return asked;
            }
            engine.recv(Time(0), &mut BytesMut::from(&buffer[..count]));
            while let Some(event) = engine.poll_event() {
                if event == Event::Authenticate {
                    asked = true;
                    let good = match engine.sasl_request().unwrap() {
                        SaslRequest::Plain { user, password, .. } => {
                            user == "joe"
                                && (password.matches(b"secret")
                                    || password.matches(RARE.as_bytes()))
                        }
                        SaslRequest::Bearer { user, token, .. } => {
                            user == "joe"
                                && (token.matches(good_token().as_bytes())
                                    || token.matches(RARE.as_bytes()))
                        }
                        other => panic!("{other:?}"),
                    };
                    let answer = if good {
                        SaslAnswer::Accept
                    } else {
                        SaslAnswer::Reject
                    };
                    engine.sasl_answer(answer).unwrap();
                }
                if event == Event::RemoteOpen {
                    engine.connection().open().unwrap();
                    engine.connection().close(ending.clone()).unwrap();
                }
            }
            let mut output = engine.transmit(Time(0));
            while output.has_remaining() {
                let chunk = output.chunk().to_vec();
                stream.write_all(&chunk).unwrap();
                output.advance(chunk.len());
            }
        }
    });
    (address, thread)
}

/// As long as real ones are.
pub(crate) fn good_token() -> String {
    "t0ken".repeat(300)
}
