//! What happens to TLS streams: cut short, cut anywhere, never read, in the older version; and what a
//! certificate may and may not log in as. The peers here are scripts with a TLS library and an engine.

mod support;

use std::io::{ErrorKind as IoErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use ferrion_engine::sasl::{Mechanism, SaslConfig, SaslServer};
use ferrion_engine::{Config, Engine, Event, SessionConfig, Time};
use ferrion_messenger::{ClientCertificates, Credit, Error, ErrorKind, Status, TlsFault, Tracker};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    SupportedProtocolVersion,
};
use support::pki::{Identity, pki};
use support::{Wire, message_to};

fn identity(identity: &Identity) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    (
        vec![CertificateDer::from_pem_file(&identity.certificate).unwrap()],
        PrivateKeyDer::from_pem_file(&identity.key).unwrap(),
    )
}

fn server_config(versions: &[&'static SupportedProtocolVersion]) -> Arc<ServerConfig> {
    let (chain, key) = identity(&pki().server);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key);
    Arc::new(config.unwrap())
}

fn client_config() -> Arc<ClientConfig> {
    let (chain, key) = identity(&pki().client);
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(&pki().authority.file).unwrap();
    roots.add(authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key);
    Arc::new(config.unwrap())
}

type ServerStream = StreamOwned<ServerConnection, TcpStream>;

/// Serves one connection with a script; answers its address.
fn script(
    versions: &'static [&'static SupportedProtocolVersion],
    play: impl FnOnce(&mut ServerStream, &mut Engine) + Send + 'static,
) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("amqps://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let session = ServerConnection::new(server_config(versions)).unwrap();
        let mut stream = StreamOwned::new(session, stream);
        let mut config = Config::new("script");
        config.sasl = SaslConfig::Server(SaslServer::new([Mechanism::Anonymous]));
        let mut engine = Engine::server(config);
        play(&mut stream, &mut engine);
    });
    (address, thread)
}

/// Goes along, granting `credit` and accepting what comes, until `done`.
fn serve(
    stream: &mut ServerStream,
    engine: &mut Engine,
    credit: u32,
    mut done: impl FnMut(Event) -> bool,
) {
    let mut input = BytesMut::new();
    let mut buffer = [0; 16_384];
    loop {
        while let Some(event) = engine.poll_event() {
            match event {
                Event::RemoteOpen => engine.connection().open().unwrap(),
                Event::SessionBegun(id) => {
                    let mut session = engine.session(id).unwrap();
                    session.accept(SessionConfig::default()).unwrap();
                }
                Event::LinkAttached(id) => {
                    engine.link(id).unwrap().accept().unwrap();
                    engine.receiver(id).unwrap().set_credit(credit).unwrap();
                }
                Event::Deliveries(id) => {
                    let mut link = engine.receiver(id).unwrap();
                    while let Some(delivery) = link.next_delivery() {
                        if let Some(id) = delivery.id {
                            link.accept(id).unwrap();
                        }
                    }
                }
                _ => {}
            }
            flush(stream, engine);
            if done(event) {
                return;
            }
        }
        flush(stream, engine);
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => input.extend_from_slice(&buffer[..count]),
            _ => return,
        }
        engine.recv(Time(0), &mut input);
    }
}

fn flush(stream: &mut impl Write, engine: &mut Engine) {
    loop {
        let mut output = engine.transmit(Time(0));
        if !output.has_remaining() {
            let _ = stream.flush();
            return;
        }
        let count = output.chunk().len();
        let _ = stream.write_all(output.chunk());
        output.advance(count);
    }
}

const BOTH: &[&SupportedProtocolVersion] = rustls::ALL_VERSIONS;
const OLD: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];

#[test]
fn both_versions_of_tls_are_spoken() {
    for (versions, number) in [
        (OLD, rustls::ProtocolVersion::TLSv1_2),
        (BOTH, rustls::ProtocolVersion::TLSv1_3),
    ] {
        let (address, thread) = script(versions, move |stream, engine| {
            serve(stream, engine, 10, |_| false);
            assert_eq!(stream.conn.protocol_version(), Some(number));
        });
        let mut messenger = Wire::Tls.client();
        messenger.set_outgoing_window(1);
        let tracker = messenger.put(&message_to(&address, "x")).unwrap();
        messenger.send().unwrap();
        assert_eq!(messenger.status(tracker), Status::Accepted);
        drop(messenger);
        thread.join().unwrap();
    }
}

/// A sender over an open connection whose peer does `deed` when the message has come.
fn after_the_transfer(deed: fn(&mut ServerStream)) -> (Error, Tracker) {
    let (address, thread) = script(BOTH, move |stream, engine| {
        serve(stream, engine, 1, |event| {
            matches!(event, Event::LinkAttached(_))
        });
        deed(stream);
        // Until the other side has gone.
        let _ = std::io::copy(&mut stream.sock, &mut std::io::sink());
    });
    let mut messenger = Wire::Tls.client();
    messenger.set_reconnect(None);
    messenger.set_outgoing_window(1);
    let tracker = messenger.put(&message_to(&address, "x")).unwrap();
    let error = messenger.send().unwrap_err();
    assert_eq!(messenger.status(tracker), Status::Aborted);
    assert!(error.to_string().contains(&address), "{error}");
    drop(messenger);
    thread.join().unwrap();
    (error, tracker)
}

#[test]
fn a_stream_that_ends_without_goodbye_was_cut_and_one_with_goodbye_was_closed() {
    let (cut, _) = after_the_transfer(|stream| stream.sock.shutdown(Shutdown::Write).unwrap());
    assert_eq!(cut.kind(), ErrorKind::Lost);
    assert!(
        cut.to_string().contains(&TlsFault::Truncated.to_string()),
        "{cut}"
    );
    let (closed, _) = after_the_transfer(|stream| {
        stream.conn.send_close_notify();
        stream.flush().unwrap();
    });
    assert_eq!(closed.kind(), ErrorKind::Lost);
    assert!(
        closed.to_string().contains("closed the transport"),
        "{closed}"
    );
}

#[test]
fn octets_that_are_no_records_end_the_connection_with_their_cause() {
    let (garbage, _) = after_the_transfer(|stream| stream.sock.write_all(&[0xde; 512]).unwrap());
    assert_eq!(garbage.kind(), ErrorKind::Lost, "{garbage}");
    // A record that nobody encrypted with our keys.
    let (forged, _) = after_the_transfer(|stream| {
        let mut record = vec![23, 3, 3, 0, 64];
        record.resize(5 + 64, 0xab);
        stream.sock.write_all(&record).unwrap();
    });
    assert_eq!(forged.kind(), ErrorKind::Lost, "{forged}");
    assert!(forged.to_string().contains("decrypt"), "{forged}");
}

#[test]
fn a_messenger_says_goodbye_when_it_stops() {
    let (address, thread) = script(BOTH, |stream, engine| {
        serve(stream, engine, 1, |event| {
            matches!(event, Event::Disconnected)
        });
        flush(stream, engine);
        // The end of the plain stream, not of the socket: that would be an error without goodbye.
        loop {
            match stream.read(&mut [0; 64]) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == IoErrorKind::Interrupted => {}
                Err(error) => panic!("no goodbye: {error}"),
            }
        }
    });
    let mut messenger = Wire::Tls.client();
    messenger.set_outgoing_window(1);
    messenger.put(&message_to(&address, "x")).unwrap();
    messenger.send().unwrap();
    messenger.stop().unwrap();
    thread.join().unwrap();
}

#[test]
fn a_peer_that_does_not_read_holds_the_sender_back() {
    const COUNT: usize = 256;
    let (address, thread) = script(BOTH, |stream, engine| {
        serve(stream, engine, 100_000, |event| {
            matches!(event, Event::LinkAttached(_))
        });
        // It has promised credit for everything, and reads none of it until it is told to.
        let mut go = [0; 1];
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        GO.set(address).unwrap();
        listener.accept().unwrap().0.read_exact(&mut go).unwrap();
        let mut count = 0;
        serve(stream, engine, 100_000, |event| {
            count += usize::from(matches!(event, Event::Deliveries(_)));
            false
        });
        assert!(count > 0);
    });
    static GO: std::sync::OnceLock<std::net::SocketAddr> = std::sync::OnceLock::new();
    let mut messenger = Wire::Tls.client();
    messenger.set_blocking(false);
    messenger.set_high_water(usize::MAX, usize::MAX);
    let body = "x".repeat(256 << 10);
    let message = message_to(&address, &body);
    for _ in 0..COUNT {
        messenger.put(&message).unwrap();
    }
    // Works until nothing moves any more.
    while messenger.work(Some(Duration::from_millis(300))).unwrap() {}
    // Sent settled, a message is outgoing until the system has taken it: what is between is little.
    let taken = COUNT - messenger.outgoing();
    assert!(
        taken < COUNT / 2,
        "{taken} messages of 256 KiB went nowhere"
    );
    TcpStream::connect(GO.get().unwrap())
        .unwrap()
        .write_all(b"!")
        .unwrap();
    messenger.set_blocking(true);
    messenger.send().unwrap();
    messenger.stop().unwrap();
    thread.join().unwrap();
}

#[test]
fn a_certificate_logs_in_as_its_subject_and_as_nobody_else() {
    let mut server = Wire::Tls.client();
    server.set_client_certificates(ClientCertificates::Require);
    let address = Wire::Tls.listen(&mut server);
    let interrupter = server.interrupter();
    let serving = std::thread::spawn(move || server.recv(Credit::All));
    let log_in = |authorize_as: &str| {
        let stream = TcpStream::connect(address.strip_prefix("amqps://").unwrap()).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(client_config(), name).unwrap();
        let mut stream = StreamOwned::new(session, stream);
        stream.write_all(b"AMQP\x03\x01\x00\x00").unwrap();
        stream.write_all(&sasl_init(authorize_as)).unwrap();
        let mut heard = Vec::new();
        loop {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "no outcome in {heard:x?}");
            heard.extend_from_slice(&buffer[..count]);
            // sasl-outcome (5.3.3.6): a list whose first field is the code, a ubyte.
            let outcome = heard
                .windows(8)
                .find(|octets| octets[..3] == [0, 0x53, 0x44]);
            if let Some([.., constructor, code]) = outcome {
                assert_eq!(*constructor, 0x50);
                return *code == 0;
            }
        }
    };
    assert!(log_in(""));
    assert!(log_in("CN=client,O=Example"));
    assert!(!log_in("CN=client"));
    assert!(!log_in("admin"));
    interrupter.interrupt();
    assert_eq!(serving.join().unwrap(), Err(Error::Interrupted));
}

/// A server of several hosts chooses its certificate by the name that the client says it wants (5.2).
#[test]
fn a_client_names_the_host_that_it_wants() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let named = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut acceptor = rustls::server::Acceptor::default();
        loop {
            assert!(acceptor.read_tls(&mut stream).unwrap() > 0, "no hello");
            if let Ok(Some(accepted)) = acceptor.accept() {
                return accepted.client_hello().server_name().map(str::to_owned);
            }
        }
    });
    let mut client = Wire::Tls.client();
    let address = format!("amqps://localhost:{port}/queue");
    client.put(&message_to(&address, "x")).unwrap();
    assert!(client.send().is_err(), "the server hangs up");
    assert_eq!(named.join().unwrap().as_deref(), Some("localhost"));
}

/// sasl-init (5.3.3.2) with the mechanism EXTERNAL.
fn sasl_init(authorize_as: &str) -> Vec<u8> {
    let mut fields = vec![2, 0xa3, 8];
    fields.extend(b"EXTERNAL");
    fields.extend([0xa0, u8::try_from(authorize_as.len()).unwrap()]);
    fields.extend(authorize_as.as_bytes());
    let mut frame = vec![0, 0, 0, 0, 2, 1, 0, 0, 0, 0x53, 0x41, 0xc0];
    frame.push(u8::try_from(fields.len()).unwrap());
    frame.extend(fields);
    frame[3] = u8::try_from(frame.len()).unwrap();
    frame
}
