//! What comes of good and bad certificates at either end: accepted, or refused with a reason, and nothing in between.

#[macro_use]
mod support;

use std::path::Path;

use ferrion_messenger::{
    ClientCertificates, Credit, Error, ErrorKind, Flags, Interrupter, Message, Status, TlsFault,
};
use support::message_to;
use support::pki::{Identity, pki};
use support::way::{Party, Way};

in_every_mode! {
    a_good_certificate_listens,
    what_is_no_good_certificate_does_not,
    what_both_sides_trust_arrives_whole,
    who_is_not_trusted_gets_nothing,
    a_client_without_a_certificate_gets_nothing_in,
    what_is_no_good_certificate_shows_nothing,
}

/// Listens with a certificate, wants those of clients, and takes what comes.
struct Server {
    address: String,
    interrupter: Interrupter,
    thread: std::thread::JoinHandle<Vec<Vec<u8>>>,
}

impl Server {
    fn start(way: Way, identity: &Identity, clients: ClientCertificates) -> Self {
        let mut party = way.party();
        party.set_client_certificates(clients);
        let address = way.listen(&mut party);
        party
            .set_certificate(&identity.certificate, &identity.key)
            .unwrap();
        let interrupter = party.interrupter();
        let thread = std::thread::spawn(move || {
            let mut bodies = Vec::new();
            let mut message = Message::new();
            party.set_incoming_window(1);
            party.set_timeout(None);
            while party.recv(Credit::All) != Err(Error::Interrupted) {
                let tracker = party.get(&mut message).unwrap();
                bodies.push(message.body_text().unwrap().unwrap().as_bytes().to_vec());
                party.accept(tracker, Flags::NONE).unwrap();
            }
            bodies
        });
        Self {
            address,
            interrupter,
            thread,
        }
    }

    /// Ends; answers what came.
    fn end(self) -> Vec<Vec<u8>> {
        self.interrupter.interrupt();
        self.thread.join().unwrap()
    }
}

fn listen(party: &mut Party) -> Result<(), Error> {
    let subscription = party.subscribe("amqps://~127.0.0.1:0")?;
    // Whoever only works when told hears of it when there is something to receive.
    party.work_for(std::time::Duration::from_millis(5));
    match party.subscription_port(subscription) {
        Some(_) => Ok(()),
        None => party.recv(1),
    }
}

fn a_good_certificate_listens(way: Way) {
    let mut party = way.party();
    way.wire.certify(&mut party);
    listen(&mut party).unwrap();
    party.stop().unwrap();
}

/// Files that are no certificate with its key, and what is said of them.
fn unusable() -> Vec<(std::path::PathBuf, std::path::PathBuf, &'static str)> {
    let pki = pki();
    let (server, client) = (&pki.server, &pki.client);
    let missing = pki.path("nowhere.pem");
    let locked = pki.own_path("locked.key");
    let sealed =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    std::fs::write(&locked, sealed).unwrap();
    let own = |path: &Path| path.to_owned();
    vec![
        (missing.clone(), own(&server.key), "nowhere.pem"),
        (own(&server.certificate), missing, "nowhere.pem"),
        (own(&server.key), own(&server.key), "no certificate"),
        (
            own(&server.certificate),
            own(&server.certificate),
            "no private key",
        ),
        (
            own(&server.certificate),
            own(&client.key),
            "not the key of the certificate",
        ),
        (own(&server.certificate), locked, "openssl pkey"),
    ]
}

fn what_is_no_good_certificate_does_not(way: Way) {
    for (certificate, key, words) in unusable() {
        let mut party = way.party();
        let error = party.set_certificate(&certificate, &key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Certificate);
        assert!(error.to_string().contains(words), "{error}");
        // Nothing was set, and nothing listens.
        let error = listen(&mut party).unwrap_err();
        assert!(error.to_string().contains("set_certificate()"), "{error}");
        let fault = matches!(
            error,
            Error::Tls {
                fault: TlsFault::NoCertificate,
                ..
            }
        );
        assert!(fault, "{error:?}");
    }
}

fn body() -> String {
    // No pattern that a frame or a record could hide in.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + u8::try_from(state % 90).unwrap())
    };
    (0..10_099).map(|_| next()).collect()
}

/// Sends a message; answers its status, and why.
fn attempt(party: &mut Party, address: &str) -> (Status, Option<Error>) {
    party.set_outgoing_window(1);
    let tracker = party.put(&message_to(address, &body())).unwrap();
    let sent = party.send();
    assert_eq!(party.reason(tracker), sent.as_ref().err());
    (party.status(tracker), sent.err())
}

fn what_both_sides_trust_arrives_whole(way: Way) {
    let server = Server::start(way, &pki().server, ClientCertificates::Require);
    let mut party = way.party();
    let client = &pki().client;
    party
        .set_certificate(&client.certificate, &client.key)
        .unwrap();
    assert_eq!(
        attempt(&mut party, &server.address),
        (Status::Accepted, None)
    );
    party.stop().unwrap();
    assert_eq!(server.end(), [body().into_bytes()]);
}

fn who_is_not_trusted_gets_nothing(way: Way) {
    let stranger = pki().stranger("untrusted");
    let expired = pki().issue("long-ago", |params| {
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 2, 29);
    });
    let elsewhere = pki().issue("elsewhere", |params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName("b.example".try_into().unwrap())];
    });
    let authority = pki().issue("authority-of-its-own", |params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    for (identity, advice) in [
        (
            stranger.issue_here("of-a-stranger"),
            "set_trusted_certificates()",
        ),
        (expired, "the peer needs a new one"),
        (
            elsewhere,
            "connect to it by a name that stands in the certificate",
        ),
        (authority, "basicConstraints=critical,CA:FALSE"),
    ] {
        let server = Server::start(way, &identity, ClientCertificates::Ignore);
        let (status, error) = attempt(&mut way.party(), &server.address);
        let error = error.unwrap();
        assert_eq!((status, error.kind()), (Status::Aborted, ErrorKind::Tls));
        assert!(error.to_string().contains(advice), "{error}");
        assert!(!error.is_retryable());
        assert_eq!(server.end(), [[0; 0]; 0]);
    }
}

fn a_client_without_a_certificate_gets_nothing_in(way: Way) {
    let server = Server::start(way, &pki().server, ClientCertificates::Require);
    let stranger = pki().stranger("stranger").issue_here("stranger-client");
    let mut unknown = way.party();
    unknown
        .set_certificate(&stranger.certificate, &stranger.key)
        .unwrap();
    for mut party in [way.party(), unknown] {
        let (status, error) = attempt(&mut party, &server.address);
        let error = error.unwrap();
        assert_eq!((status, error.kind()), (Status::Aborted, ErrorKind::Tls));
        assert!(error.to_string().contains("set_certificate()"), "{error}");
    }
    assert_eq!(server.end(), [[0; 0]; 0]);
}

fn what_is_no_good_certificate_shows_nothing(way: Way) {
    let server = Server::start(way, &pki().server, ClientCertificates::Require);
    let mut party = way.party();
    for (certificate, key, _) in unusable() {
        party.set_certificate(&certificate, &key).unwrap_err();
    }
    party
        .set_trusted_certificates(pki().path("nowhere.pem"))
        .unwrap_err();
    // What was trusted before still is, and there is no certificate to show.
    let (status, error) = attempt(&mut party, &server.address);
    assert_eq!(status, Status::Aborted);
    let text = error.unwrap().to_string();
    assert!(text.contains("set one with set_certificate()"), "{text}");
    assert_eq!(server.end(), [[0; 0]; 0]);
}
