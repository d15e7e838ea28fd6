//! Who is trusted over TLS and who is not, and that each refusal says what to do.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ferrion_messenger::{
    ClientCertificates, Credit, Error, ErrorKind, Message, Messenger, Status, TlsFault,
};
use rcgen::SanType;
use support::pki::{Identity, pki};
use support::{PATIENCE, Wire, message_to, text};

/// Listens with a certificate, and collects the bodies that come and the warnings until it is ended.
struct Server {
    address: String,
    interrupter: ferrion_messenger::Interrupter,
    /// How many warnings it must have had before it ends.
    warnings: Arc<AtomicUsize>,
    thread: JoinHandle<(Vec<String>, Vec<String>)>,
}

impl Server {
    fn with(identity: &Identity, change: impl FnOnce(&mut Messenger)) -> Self {
        let mut messenger = Wire::Tls.client();
        messenger
            .set_certificate(&identity.certificate, &identity.key)
            .unwrap();
        change(&mut messenger);
        let subscription = messenger.subscribe("amqps://~127.0.0.1:0").unwrap();
        let port = messenger.subscription_port(subscription).unwrap();
        let interrupter = messenger.interrupter();
        let awaited = Arc::new(AtomicUsize::new(usize::MAX));
        let enough = Arc::clone(&awaited);
        let thread = std::thread::spawn(move || {
            let (mut bodies, mut warnings) = (Vec::new(), Vec::new());
            let mut message = Message::new();
            while warnings.len() < enough.load(Ordering::SeqCst) {
                match messenger.recv(Credit::All) {
                    Ok(()) => {
                        messenger.get(&mut message).unwrap();
                        bodies.push(text(&message));
                    }
                    Err(Error::Interrupted) => {
                        messenger.set_timeout(Some(Duration::from_millis(10)));
                    }
                    Err(Error::Timeout { .. }) => {}
                    Err(error) => panic!("the server: {error}"),
                }
                while let Some(warning) = messenger.poll_warning() {
                    warnings.push(warning);
                }
            }
            (bodies, warnings)
        });
        Self {
            address: format!("amqps://127.0.0.1:{port}"),
            interrupter,
            warnings: awaited,
            thread,
        }
    }

    /// Ends when there were this many warnings; answers the bodies that came, and the warnings.
    fn end(self, warnings: usize) -> (Vec<String>, Vec<String>) {
        self.warnings.store(warnings, Ordering::SeqCst);
        self.interrupter.interrupt();
        self.thread.join().unwrap()
    }
}

/// Sends one message; answers the error if it was not accepted.
fn attempt(messenger: &mut Messenger, address: &str) -> Result<(), Error> {
    messenger.set_outgoing_window(1);
    let tracker = messenger.put(&message_to(address, "hello"))?;
    let sent = messenger.send();
    match &sent {
        Ok(()) => assert_eq!(messenger.status(tracker), Status::Accepted),
        Err(error) => {
            assert_eq!(messenger.status(tracker), Status::Aborted, "{error}");
            assert_eq!(messenger.reason(tracker), Some(error));
        }
    }
    sent
}

/// The fault for which a message could not be sent.
fn fault(messenger: &mut Messenger, to: &str) -> TlsFault {
    match attempt(messenger, to).unwrap_err() {
        error @ Error::Tls { .. } => {
            assert_eq!(error.kind(), ErrorKind::Tls);
            let text = error.to_string();
            let Error::Tls { address, fault } = error else {
                unreachable!()
            };
            assert_eq!(address, to);
            assert!(
                text.contains(to) && text.contains(&fault.to_string()),
                "{text}"
            );
            fault
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_certificate_of_an_authority_that_is_not_trusted_is_refused() {
    let server = Server::with(&pki().server, |_| {});
    let mut messenger = Wire::Tls.client();
    let stranger = pki().stranger("nobody-issued-by-this");
    messenger.set_trusted_certificates(&stranger.file).unwrap();
    assert_eq!(
        fault(&mut messenger, &server.address),
        TlsFault::UnknownAuthority
    );
    // What is trusted can be changed, and the next connection heeds it.
    messenger
        .set_trusted_certificates(&pki().authority.file)
        .unwrap();
    attempt(&mut messenger, &server.address).unwrap();
    let (bodies, warnings) = server.end(1);
    assert_eq!(bodies, ["hello"]);
    assert!(warnings[0].contains("unknown_ca"), "{warnings:?}");
}

#[test]
fn certificates_out_of_their_time_are_refused_and_the_day_is_told() {
    let expired = pki().issue("expired", |params| {
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 2, 29);
    });
    let server = Server::with(&expired, |_| {});
    assert_eq!(
        fault(&mut Wire::Tls.client(), &server.address),
        TlsFault::Expired {
            since: Some("2020-02-29".to_owned())
        }
    );
    let (_, warnings) = server.end(1);
    assert!(warnings[0].contains("certificate_expired"), "{warnings:?}");
    let early = pki().issue("early", |params| {
        params.not_before = rcgen::date_time_ymd(2999, 12, 31);
    });
    let server = Server::with(&early, |_| {});
    assert_eq!(
        fault(&mut Wire::Tls.client(), &server.address),
        TlsFault::NotYetValid {
            until: Some("2999-12-31".to_owned())
        }
    );
}

#[test]
fn a_certificate_for_other_names_is_refused_and_they_are_told() {
    let other = pki().issue("other", |params| {
        let name = |text: &str| SanType::DnsName(text.try_into().unwrap());
        params.subject_alt_names = vec![name("a.example"), name("b.example")];
    });
    let server = Server::with(&other, |_| {});
    assert_eq!(
        fault(&mut Wire::Tls.client(), &server.address),
        TlsFault::WrongName {
            expected: "127.0.0.1".to_owned(),
            presented: vec!["a.example".to_owned(), "b.example".to_owned()],
        }
    );
    // The name is that of the address, also if it is looked up.
    let server = Server::with(&pki().server, |_| {});
    let by_name = server.address.replace("127.0.0.1", "localhost");
    attempt(&mut Wire::Tls.client(), &by_name).unwrap();
    let only_ip = pki().issue("only-ip", |params| {
        params.subject_alt_names.remove(0);
    });
    let server = Server::with(&only_ip, |_| {});
    attempt(&mut Wire::Tls.client(), &server.address).unwrap();
    let by_name = server.address.replace("127.0.0.1", "localhost");
    let refused = fault(&mut Wire::Tls.client(), &by_name);
    assert!(
        matches!(&refused, TlsFault::WrongName { expected, .. } if expected == "localhost"),
        "{refused:?}"
    );
}

#[test]
fn no_check_is_left_out_without_a_warning() {
    let stranger = pki().stranger("danger").issue_here("dangerous");
    let server = Server::with(&stranger, |_| {});
    let mut messenger = Wire::Tls.client();
    messenger.set_dangerous_accept_any_certificate(true);
    attempt(&mut messenger, &server.address).unwrap();
    let warning = messenger.poll_warning().unwrap();
    assert!(warning.contains("any certificate is accepted"), "{warning}");
    messenger.stop().unwrap();
    messenger.set_dangerous_accept_any_certificate(false);
    assert_eq!(
        fault(&mut messenger, &server.address),
        TlsFault::UnknownAuthority
    );
}

#[test]
fn who_speaks_plain_where_tls_is_meant_is_told_and_so_the_other_way_round() {
    let (mut plain, address) = Wire::Tcp.server();
    let interrupter = plain.interrupter();
    let serving = std::thread::spawn(move || plain.recv(Credit::All));
    let mut messenger = Wire::Tls.client();
    let secure = address.replace("amqp://", "amqps://");
    assert_eq!(fault(&mut messenger, &secure), TlsFault::PeerSpeaksPlain);
    interrupter.interrupt();
    assert_eq!(serving.join().unwrap(), Err(Error::Interrupted));

    let server = Server::with(&pki().server, |_| {});
    let plain = server.address.replace("amqps://", "amqp://");
    let wants = fault(&mut messenger, &plain);
    assert_eq!(wants, TlsFault::PeerWantsTls);
    assert!(wants.to_string().contains("amqps://"), "{wants}");
    let (_, warnings) = server.end(1);
    assert!(warnings[0].contains("without TLS"), "{warnings:?}");
}

#[test]
fn tls_and_plain_share_a_port_where_that_was_asked_for() {
    let server = Server::with(&pki().server, |messenger| {
        messenger.set_listeners_allow_plain(true);
    });
    attempt(&mut Wire::Tls.client(), &server.address).unwrap();
    let plain = server.address.replace("amqps://", "amqp://");
    attempt(&mut Wire::Tcp.client(), &plain).unwrap();
    let (bodies, warnings) = server.end(0);
    assert_eq!(bodies.len(), 2);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn a_password_over_tls_needs_no_permission_and_no_warning() {
    let server = Server::with(&pki().server, |messenger| {
        messenger.set_listener_passwords([("joe", "secret")]);
    });
    let mut messenger = Wire::Tls.client();
    messenger.set_credentials(Some("joe"), Some("secret"));
    attempt(&mut messenger, &server.address).unwrap();
    assert_eq!(messenger.poll_warning(), None);
    let mut messenger = Wire::Tls.client();
    messenger.set_credentials(Some("joe"), Some("wrong"));
    let error = attempt(&mut messenger, &server.address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Login);
    // Not even the attempt is refused over a network.
    let mut messenger = Wire::Tls.client();
    messenger.set_blocking(false);
    messenger
        .put(&message_to("amqps://joe:secret@192.0.2.1/q", "x"))
        .unwrap();
}

#[test]
fn listeners_may_demand_certificates() {
    let server = Server::with(&pki().server, |messenger| {
        messenger.set_client_certificates(ClientCertificates::Require);
    });
    let mut messenger = Wire::Tls.client();
    assert_eq!(
        fault(&mut messenger, &server.address),
        TlsFault::CertificateRequired
    );
    let stranger = pki().stranger("strange-clients").issue_here("stranger");
    messenger
        .set_certificate(&stranger.certificate, &stranger.key)
        .unwrap();
    let refused = fault(&mut messenger, &server.address);
    assert!(
        matches!(&refused, TlsFault::CertificateRefused(alert) if alert.contains("unknown_ca")),
        "{refused:?}"
    );
    let old = pki().issue("old-client", |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    messenger
        .set_certificate(&old.certificate, &old.key)
        .unwrap();
    let refused = fault(&mut messenger, &server.address);
    assert!(
        matches!(&refused, TlsFault::CertificateRefused(alert) if alert.contains("expired")),
        "{refused:?}"
    );
    let client = &pki().client;
    messenger
        .set_certificate(&client.certificate, &client.key)
        .unwrap();
    attempt(&mut messenger, &server.address).unwrap();
    let (bodies, warnings) = server.end(3);
    assert_eq!(bodies, ["hello"]);
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[0].contains("no certificate"), "{warnings:?}");
    assert!(warnings[1].contains("not trusted"), "{warnings:?}");
    assert!(warnings[2].contains("2020-01-01"), "{warnings:?}");
}

#[test]
fn a_certificate_logs_in_where_others_need_a_password() {
    let server = Server::with(&pki().server, |messenger| {
        messenger.set_client_certificates(ClientCertificates::Accept);
        messenger.set_listener_passwords([("joe", "secret")]);
    });
    let client = &pki().client;
    // Twice, and the second session may go on where the first one stopped.
    let mut messenger = Wire::Tls.client();
    messenger
        .set_certificate(&client.certificate, &client.key)
        .unwrap();
    messenger.set_tracing(true);
    for _ in 0..2 {
        attempt(&mut messenger, &server.address).unwrap();
        messenger.stop().unwrap();
        let mut external = false;
        while let Some(line) = messenger.poll_trace() {
            external |= line.contains("sasl-init") && line.contains("EXTERNAL");
        }
        assert!(external);
    }
    // With a user, the user is what logs in.
    messenger.set_credentials(Some("joe"), Some("wrong"));
    let error = attempt(&mut messenger, &server.address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Login);
    let mut messenger = Wire::Tls.client();
    messenger.set_credentials(Some("joe"), Some("secret"));
    attempt(&mut messenger, &server.address).unwrap();
    let mut nobody = Wire::Tls.client();
    let error = attempt(&mut nobody, &server.address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Login);
}

#[test]
fn who_does_not_shake_hands_in_time_is_given_up_on_either_side() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("amqps://{}", mute.local_addr().unwrap());
    let mut messenger = Wire::Tls.client();
    messenger.set_handshake_time_out(Duration::from_millis(30));
    messenger.set_reconnect(None);
    let late = fault(&mut messenger, &to);
    assert_eq!(late, TlsFault::TimedOut);
    let address = to.clone();
    assert!(
        Error::Tls {
            address,
            fault: late
        }
        .is_retryable()
    );

    let server = Server::with(&pki().server, |messenger| {
        messenger.set_handshake_time_out(Duration::from_millis(30));
    });
    let port = server.address.strip_prefix("amqps://").unwrap();
    let mut stream = TcpStream::connect(port).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The first half of the header of a record.
    stream.write_all(&[22, 3]).unwrap();
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "hung up on");
    let (_, warnings) = server.end(1);
    assert!(warnings[0].contains("in time"), "{warnings:?}");
}

#[test]
fn who_hangs_up_in_the_middle_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("amqps://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let count = stream.read(&mut [0; 4096]).unwrap();
        assert!(count > 0);
    });
    let mut messenger = Wire::Tls.client();
    messenger.set_reconnect(None);
    assert_eq!(fault(&mut messenger, &to), TlsFault::Closed);
    thread.join().unwrap();
}

#[test]
fn listening_needs_a_certificate_and_authorities_of_its_own_for_clients() {
    let mut messenger = Messenger::new().unwrap();
    let listen = |messenger: &mut Messenger| match messenger.subscribe("amqps://~127.0.0.1:0") {
        Err(Error::Tls { fault, address }) => {
            assert_eq!(address, "amqps://~127.0.0.1:0");
            Some(fault)
        }
        Ok(_) => None,
        Err(other) => panic!("{other}"),
    };
    assert_eq!(listen(&mut messenger), Some(TlsFault::NoCertificate));
    let server = &pki().server;
    messenger
        .set_certificate(&server.certificate, &server.key)
        .unwrap();
    messenger.set_client_certificates(ClientCertificates::Require);
    let missing = listen(&mut messenger).unwrap();
    assert!(matches!(missing, TlsFault::NoAuthorities(_)), "{missing:?}");
    assert!(missing.to_string().contains("set_trusted_certificates"));
    messenger
        .set_trusted_certificates(&pki().authority.file)
        .unwrap();
    assert_eq!(listen(&mut messenger), None);
}

#[test]
fn a_host_that_no_certificate_can_be_for_is_told() {
    let mut messenger = Wire::Tls.client();
    messenger.set_blocking(false);
    messenger
        .put(&message_to("amqps://under_score..x/q", "x"))
        .unwrap();
    messenger.set_blocking(true);
    let error = messenger.send().unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Connect | ErrorKind::Tls),
        "{error}"
    );
}
