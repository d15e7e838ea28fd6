//! AMQP over WebSocket, with another implementation of it at the other end: fragments, pings, goodbyes, and
//! refusals.

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use ferrion_engine::sasl::{Mechanism, SaslConfig, SaslServer};
use ferrion_engine::{Config, Engine, Event, LinkConfig, SessionConfig, Time};
use ferrion_messenger::{Credit, Error, ErrorKind, Message, Messenger, Status};
use support::{PATIENCE, Wire, message_to, text};
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};
use tungstenite::{Error as WebError, Message as Piece, WebSocket};

type Socket = WebSocket<TcpStream>;

/// Serves one connection with a script, after it answered with this subprotocol if any; answers its address.
fn script(
    subprotocol: Option<&'static str>,
    play: impl FnOnce(&mut Socket) + Send + 'static,
) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("ws://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        #[expect(clippy::result_large_err, reason = "the library asks for it")]
        let answer = |request: &Request, mut response: Response| {
            let offered = request.headers().get("sec-websocket-protocol");
            assert_eq!(offered.unwrap(), "amqp");
            if let Some(name) = subprotocol {
                let name = name.parse().unwrap();
                response
                    .headers_mut()
                    .insert("sec-websocket-protocol", name);
            }
            Ok(response)
        };
        play(&mut tungstenite::accept_hdr(stream, answer).unwrap());
    });
    (address, thread)
}

/// The octets that an engine has to say, one frame each, in messages of several frames; now and then a ping.
fn say(socket: &mut Socket, engine: &mut Engine) {
    let octets = {
        let mut output = engine.transmit(Time(0));
        output.copy_to_bytes(output.remaining())
    };
    for (at, message) in octets.chunks(5).enumerate() {
        for (place, octet) in message.iter().enumerate() {
            let kind = if place == 0 {
                Data::Binary
            } else {
                Data::Continue
            };
            let last = place + 1 == message.len();
            let frame = Frame::message(vec![*octet], OpCode::Data(kind), last);
            socket.write(Piece::Frame(frame)).unwrap();
            if at % 7 == 0 && !last {
                let ping = Frame::ping(format!("{at}").into_bytes());
                socket.write(Piece::Frame(ping)).unwrap();
            }
        }
    }
    socket.flush().unwrap();
}

/// Goes along as a server until the WebSocket is closed; answers the pongs that came and how it was closed.
fn serve(socket: &mut Socket) -> (usize, Option<CloseFrame>) {
    let mut config = Config::new("script");
    config.sasl = SaslConfig::Server(SaslServer::new([Mechanism::Anonymous]));
    let mut engine = Engine::server(config);
    let mut pongs = 0;
    let mut input = BytesMut::new();
    let goodbye = loop {
        match socket.read() {
            Ok(Piece::Binary(octets)) => input.extend_from_slice(&octets),
            Ok(Piece::Pong(_)) => pongs += 1,
            Ok(Piece::Close(frame)) => break frame,
            Ok(other) => panic!("{other:?}"),
            Err(error) => panic!("{error}"),
        }
        engine.recv(Time(0), &mut input);
        while let Some(event) = engine.poll_event() {
            match event {
                Event::RemoteOpen => engine.connection().open().unwrap(),
                Event::SessionBegun(id) => {
                    let mut session = engine.session(id).unwrap();
                    session.accept(SessionConfig::default()).unwrap();
                }
                Event::LinkAttached(id) => {
                    engine.link(id).unwrap().accept().unwrap();
                    engine.receiver(id).unwrap().set_credit(10).unwrap();
                }
                Event::Deliveries(id) => {
                    let mut link = engine.receiver(id).unwrap();
                    while let Some(delivery) = link.next_delivery() {
                        link.accept(delivery.id.unwrap()).unwrap();
                    }
                }
                _ => {}
            }
        }
        say(socket, &mut engine);
    };
    (pongs, goodbye)
}

fn attempt(messenger: &mut Messenger, address: &str) -> Result<(), Error> {
    messenger.set_outgoing_window(1);
    let tracker = messenger.put(&message_to(address, "hello"))?;
    let sent = messenger.send();
    let expected = if sent.is_ok() {
        Status::Accepted
    } else {
        Status::Aborted
    };
    assert_eq!(messenger.status(tracker), expected);
    sent
}

#[test]
fn fragments_and_pings_mean_nothing_to_the_messages_and_stop_says_goodbye() {
    let (address, thread) = script(Some("amqp"), |socket| {
        let (pongs, goodbye) = serve(socket);
        assert!(pongs > 0);
        assert_eq!(goodbye.unwrap().code, CloseCode::Normal);
    });
    let mut messenger = Wire::Ws.client();
    attempt(&mut messenger, &address).unwrap();
    messenger.stop().unwrap();
    thread.join().unwrap();
}

#[test]
fn another_implementation_sends_to_a_listener_octet_by_octet() {
    let (mut server, address) = Wire::Ws.server();
    let sending = std::thread::spawn(move || {
        let host = address.strip_prefix("ws://").unwrap();
        let request = Request::builder()
            .uri(&address)
            .header("Host", host)
            .header("Connection", "keep-alive, Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", generate_key())
            .header("Sec-WebSocket-Protocol", "mqtt, amqp")
            .body(())
            .unwrap();
        let stream = TcpStream::connect(host).unwrap();
        let (mut socket, response) = tungstenite::client(request, stream).unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "amqp");
        let mut engine = Engine::client(Config::new("octets"));
        engine.connection().open().unwrap();
        let session = engine.connection().begin(SessionConfig::default()).unwrap();
        let config = LinkConfig::sender("l", "q");
        let link = engine
            .session(session)
            .unwrap()
            .attach_sender(config)
            .unwrap();
        let mut input = BytesMut::new();
        let mut pongs = 0;
        loop {
            say(&mut socket, &mut engine);
            match socket.read().unwrap() {
                Piece::Binary(octets) => input.extend_from_slice(&octets),
                Piece::Pong(_) => pongs += 1,
                other => panic!("{other:?}"),
            }
            engine.recv(Time(0), &mut input);
            while let Some(event) = engine.poll_event() {
                match event {
                    Event::Flow(_) if engine.sender(link).unwrap().credit() > 0 => {
                        let message = Message::with_body("octet by octet").to_bytes();
                        engine.sender(link).unwrap().send(b"t", message).unwrap();
                    }
                    Event::Updates(_) => {
                        assert!(pongs > 0);
                        socket.close(None).unwrap();
                        // The other side answers, and then nothing follows.
                        loop {
                            match socket.read() {
                                Ok(_) => {}
                                Err(WebError::ConnectionClosed) => return,
                                Err(error) => panic!("{error}"),
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    });
    server.recv(1).unwrap();
    let mut message = Message::new();
    server.get(&mut message).unwrap();
    assert_eq!(text(&message), "octet by octet");
    while !sending.is_finished() {
        server.work(Some(Duration::from_millis(10))).unwrap();
    }
    sending.join().unwrap();
}

#[test]
fn a_peer_without_the_subprotocol_is_refused() {
    for (subprotocol, why) in [
        (None, "did not agree on the subprotocol amqp"),
        (Some("mqtt"), "instead of amqp"),
    ] {
        let (address, thread) = script(subprotocol, |socket| {
            let _ = socket.read();
        });
        let error = attempt(&mut Wire::Ws.client(), &address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WebSocket);
        assert!(error.to_string().contains(why), "{error}");
        thread.join().unwrap();
    }
}

#[test]
fn goodbyes_and_their_absence_are_told_apart() {
    let after = |deed: fn(&mut Socket)| {
        let (address, thread) = script(Some("amqp"), move |socket| {
            let _ = socket.read().unwrap();
            deed(socket);
            // Until the other side has gone.
            let _ = std::io::copy(socket.get_mut(), &mut std::io::sink());
        });
        let mut messenger = Wire::Ws.client();
        messenger.set_reconnect(None);
        let error = attempt(&mut messenger, &address).unwrap_err();
        drop(messenger);
        thread.join().unwrap();
        let kinds = [ErrorKind::Connect, ErrorKind::WebSocket];
        assert!(kinds.contains(&error.kind()), "{error:?}");
        error.to_string()
    };
    let closed = after(|socket| {
        let code = CloseCode::Away;
        let reason = "closing time".into();
        socket.close(Some(CloseFrame { code, reason })).unwrap();
        assert!(matches!(socket.read(), Ok(Piece::Close(Some(frame))) if frame.code == code));
    });
    assert!(closed.contains("closed the transport"), "{closed}");
    let cut = after(|socket| socket.get_mut().shutdown(Shutdown::Write).unwrap());
    assert!(cut.contains("goodbye"), "{cut}");
    let text = after(|socket| {
        socket.send(Piece::text("hello")).unwrap();
        let closed = socket.read().unwrap();
        assert!(
            matches!(&closed, Piece::Close(Some(frame)) if frame.code == CloseCode::Unsupported),
            "{closed:?}"
        );
    });
    assert!(text.contains("binary frames"), "{text}");
    let garbage = after(|socket| socket.get_mut().write_all(&[0xde; 512]).unwrap());
    assert!(garbage.contains("rules of WebSocket"), "{garbage}");
}

#[test]
fn who_speaks_something_else_on_the_port_is_told_as_such() {
    let (mut plain, address) = Wire::Tcp.server();
    let interrupter = plain.interrupter();
    let serving = std::thread::spawn(move || plain.recv(Credit::All));
    let to = address.replace("amqp://", "ws://");
    let error = attempt(&mut Wire::Ws.client(), &to).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WebSocket);
    assert!(
        error
            .to_string()
            .contains("does not speak WebSocket: what came is AMQP without WebSocket"),
        "{error}"
    );
    interrupter.interrupt();
    assert_eq!(serving.join().unwrap(), Err(Error::Interrupted));

    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut messenger = Wire::Ws.client();
    messenger.set_handshake_time_out(Duration::from_millis(30));
    messenger.set_reconnect(None);
    let to = format!("ws://{}", mute.local_addr().unwrap());
    let error = attempt(&mut messenger, &to).unwrap_err();
    assert!(error.to_string().contains("in time"), "{error}");
}

#[test]
fn of_the_time_that_a_handshake_may_take_counts_what_was_set_last() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("ws://{}", mute.local_addr().unwrap());
    let mut messenger = Wire::Ws.client();
    messenger.set_reconnect(None);
    let mut limits = messenger.limits().clone();
    limits.handshake_time = 30;
    messenger.set_limits(limits.clone());
    // Long before the default is over.
    messenger.set_timeout(Some(Duration::from_secs(10)));
    let error = attempt(&mut messenger, &to).unwrap_err();
    assert!(error.to_string().contains("in time"), "{error}");
    messenger.set_handshake_time_out(Duration::from_millis(20));
    assert_eq!(messenger.limits().handshake_time, 20);
    // For ever.
    limits.handshake_time = 0;
    messenger.set_limits(limits);
    assert_eq!(messenger.limits().handshake_time, 0);
    messenger.set_timeout(Some(Duration::from_millis(200)));
    messenger.put(&message_to(&to, "hello")).unwrap();
    assert_eq!(messenger.send().unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn the_path_is_what_was_set_and_a_listener_may_insist_on_it() {
    let mut server = Wire::Ws.client();
    server.set_websocket_path("/amqp");
    let address = Wire::Ws.listen(&mut server);
    let interrupter = server.interrupter();
    let serving = std::thread::spawn(move || {
        let mut bodies = Vec::new();
        let mut message = Message::new();
        while server.recv(Credit::All).is_ok() {
            server.get(&mut message).unwrap();
            bodies.push(text(&message));
        }
        bodies
    });
    let mut messenger = Wire::Ws.client();
    let error = attempt(&mut messenger, &address).unwrap_err();
    assert!(error.to_string().contains("404"), "{error}");
    assert!(error.to_string().contains("set_websocket_path"), "{error}");
    messenger.set_websocket_path("/amqp");
    attempt(&mut messenger, &address).unwrap();
    let mut messenger = Wire::Ws.client();
    messenger.set_websocket_path("amqp");
    let error = attempt(&mut messenger, &address).unwrap_err();
    assert!(error.to_string().contains("begins with /"), "{error}");
    interrupter.interrupt();
    assert_eq!(serving.join().unwrap(), ["hello"]);
}

#[test]
fn a_listener_outlives_whatever_is_no_websocket_for_amqp() {
    let (mut server, address) = Wire::Ws.server();
    let hostile = std::thread::spawn(move || {
        let host = address.strip_prefix("ws://").unwrap();
        let answer_to = |octets: &[u8]| {
            let mut stream = TcpStream::connect(host).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(octets).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        };
        let request = |more: &str| {
            format!(
                "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
            )
        };
        assert!(answer_to(b"GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 426 "));
        assert!(answer_to(b"AMQP\x00\x01\x00\x00").starts_with("HTTP/1.1 400 "));
        assert!(answer_to(&[22, 3, 1, 0, 5, 1, 2, 3, 4, 5]).starts_with("HTTP/1.1 400 "));
        assert!(answer_to(&[b'x'; 20_000]).starts_with("HTTP/1.1 400 "));
        assert!(answer_to(request("").as_bytes()).contains("offer the subprotocol amqp"));
        let good = request("Sec-WebSocket-Protocol: amqp\r\n");
        // Frames of clients must be masked: the goodbye has the code 1002.
        let answer = answer_to(&[good.as_bytes(), &[0x82, 4], b"AMQP"].concat());
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert!(answer.ends_with("\u{3}\u{fffd}"), "{answer:?}");
        let mut half = TcpStream::connect(host).unwrap();
        half.write_all(&good.as_bytes()[..40]).unwrap();
        attempt(&mut Wire::Ws.client(), &address).unwrap();
        drop(half);
    });
    server.recv(Credit::All).unwrap();
    server.get(&mut Message::new()).unwrap();
    while !hostile.is_finished() {
        server.work(Some(Duration::from_millis(10))).unwrap();
    }
    hostile.join().unwrap();
    let mut warnings = Vec::new();
    while let Some(warning) = server.poll_warning() {
        warnings.push(warning);
    }
    // One for each of the first five, and perhaps one for the half request.
    assert!((5..=6).contains(&warnings.len()), "{warnings:?}");
    assert!(warnings[4].contains("subprotocol"), "{warnings:?}");
}

#[test]
fn a_password_is_proved_and_not_shown_here_as_well() {
    let mut server = Wire::Ws.client();
    server.set_listener_passwords([("joe", "secret")]);
    // Written like this it is not known to be this machine: in clear text nothing would be sent there.
    let address = Wire::Ws.listen(&mut server);
    let address = address.replace("127.0.0.1", "joe:secret@127.1");
    let sending = std::thread::spawn(move || {
        let mut messenger = Wire::Ws.client();
        messenger.set_outgoing_window(1);
        let tracker = messenger.put(&message_to(&address, "x")).unwrap();
        messenger.send().unwrap();
        messenger.status(tracker)
    });
    server.recv(Credit::All).unwrap();
    server.get(&mut Message::new()).unwrap();
    while !sending.is_finished() {
        server.work(Some(Duration::from_millis(10))).unwrap();
    }
    assert_eq!(sending.join().unwrap(), Status::Accepted);
}

/// So many speak at once that each is read from once in a turn: the goodbye is known, and told of in the next one.
#[test]
fn who_asks_and_says_goodbye_in_one_breath_does_not_stop_a_listener() {
    const CROWD: usize = 40;
    let (mut server, address) = Wire::Ws.server();
    let host = address.strip_prefix("ws://").unwrap();
    let mut crowd: Vec<_> = (0..CROWD)
        .map(|_| {
            let mut stream = TcpStream::connect(host).unwrap();
            stream.set_nonblocking(true).unwrap();
            let request = format!(
                "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 Sec-WebSocket-Protocol: amqp\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).unwrap();
            (stream, Vec::new())
        })
        .collect();
    // Whether the other end has gone.
    let hear = |(stream, heard): &mut (TcpStream, Vec<u8>)| {
        let mut buffer = [0; 4096];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return true,
                Ok(count) => heard.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return false,
                Err(error) => panic!("{error}"),
            }
        }
    };
    while !crowd.iter().all(|(_, heard)| heard.ends_with(b"\r\n\r\n")) {
        server.work(Some(Duration::from_millis(10))).unwrap();
        for one in &mut crowd {
            assert!(!hear(one));
        }
    }
    // A protocol header, which asks for one, and a goodbye; both are masked with zeros.
    let breath = b"\x82\x88\0\0\0\0AMQP\x00\x01\x00\x00\x88\x80\0\0\0\0";
    for (stream, heard) in &mut crowd {
        heard.clear();
        stream.write_all(breath).unwrap();
    }
    let mut gone = [false; CROWD];
    while gone.contains(&false) {
        server.work(Some(Duration::from_millis(10))).unwrap();
        for (one, gone) in crowd.iter_mut().zip(&mut gone) {
            *gone |= hear(one);
        }
    }
    for (_, heard) in crowd {
        assert!(heard.ends_with(b"\x88\x00"), "{heard:?}");
    }
}
