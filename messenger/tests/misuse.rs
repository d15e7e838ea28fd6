//! What cannot be done, however a program waits: a typed error each time that says what to do instead, and nothing
//! changed by it.

#[macro_use]
mod support;

#[path = "support/puppet.rs"]
mod puppet;

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use ferrion_engine::protocol::{Condition, Modified};
use ferrion_messenger::{
    Credit, Error, ErrorKind, Flags, Interrupter, LinkRecovery, Message, Messenger, Reconnect,
    RequestId, Scope, Status, TlsFault, Tracker,
};
use puppet::{ender, refuser};
use support::pki::pki;
use support::way::{Echo, Mode, Party, Way};
use support::{Wire, message_to, nobody};

in_every_mode! {
    addresses_that_cannot_be_understood,
    rules_that_cannot_be_understood,
    peers_that_are_not_there,
    ports_that_cannot_be_listened_on,
    passwords_that_are_wrong,
    certificates_that_do_not_fit,
    files_that_are_of_no_use,
    calls_out_of_turn,
    trackers_of_nothing,
    what_peers_refuse,
    settings_beyond_all_measure,
}

/// What an error is, whether it is worth another try, and that it says what to do.
#[track_caller]
fn says(error: &Error, kind: ErrorKind, retryable: bool, advice: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.is_retryable(), retryable, "{error}");
    let text = error.to_string();
    assert!(text.contains(advice), "{text:?} does not say {advice:?}");
}

/// What fails is not tried again here: the errors are what is looked at.
fn client(way: Way) -> Party {
    let mut party = way.party();
    party.set_reconnect(None);
    party
}

/// Puts a message, and hears why it cannot be sent.
#[track_caller]
fn refused(party: &mut Party, address: &str) -> Error {
    party.set_outgoing_window(1);
    let tracker = party.put(&message_to(address, "x")).unwrap();
    let error = party.send().unwrap_err();
    assert_eq!(party.status(tracker), Status::Aborted, "{error}");
    assert_eq!(party.reason(tracker), Some(&error));
    assert_eq!(party.outgoing(), 0, "{error}");
    error
}

/// Addresses, and what their errors advise.
const MALFORMED: [(&str, &str); 33] = [
    ("", "write host, host:port or [v6]:port"),
    ("/", "write host, host:port or [v6]:port"),
    ("/queue", "write host, host:port or [v6]:port"),
    ("amqp://", "write host, host:port or [v6]:port"),
    ("amqp:///queue", "write host, host:port or [v6]:port"),
    ("joe@", "write host, host:port or [v6]:port"),
    (":5672", "write host, host:port or [v6]:port"),
    ("http://x", "use amqp://, amqps://, ws:// or wss://"),
    ("amqpss://x", "use amqp://, amqps://, ws:// or wss://"),
    ("mqtt://x/q", "use amqp://, amqps://, ws:// or wss://"),
    ("://x", "use amqp://, amqps://, ws:// or wss://"),
    ("amqp+tls://x", "use amqp://, amqps://, ws:// or wss://"),
    ("x:99999", "write a number up to 65535"),
    ("x:65536/q", "write a number up to 65535"),
    ("x:-1", "write a number up to 65535"),
    ("x:+1", "write a number up to 65535"),
    ("x:5672x", "write a number up to 65535"),
    ("x:", "write a number up to 65535"),
    ("x: 5672", "write a number up to 65535"),
    ("x:amqpx", "write a number up to 65535"),
    ("x:0", "write the port that the peer listens on"),
    ("[::1", "write [v6] or [v6]:port"),
    ("[]", "write [v6] or [v6]:port"),
    ("[::g]:1", "write [v6] or [v6]:port"),
    ("[127.0.0.1]", "write [v6] or [v6]:port"),
    ("[::1]5672", "write [v6] or [v6]:port"),
    ("::1", "write [v6] or [v6]:port"),
    ("a b/q", "write host, host:port or [v6]:port"),
    ("a\nb/q", "write host, host:port or [v6]:port"),
    ("a\0b", "write host, host:port or [v6]:port"),
    (
        "joe:s@cret@x/q",
        "write %40 for one in a user's name or password",
    ),
    ("joe:50%@x/q", "%25 is a '%'"),
    ("joe:%ff@x/q", "encode them as UTF-8"),
];

fn addresses_that_cannot_be_understood(way: Way) {
    let mut party = client(way);
    let long = format!("x/{}", "q".repeat(65_535));
    let and_long = [(long.as_str(), "write a shorter one")];
    for (address, advice) in MALFORMED.into_iter().chain(and_long) {
        let error = party.put(&message_to(address, "x")).unwrap_err();
        says(&error, ErrorKind::InvalidAddress, false, advice);
        assert!(error.to_string().len() < 600, "{error}");
        assert!(!error.to_string().contains("s@cret"), "{error}");
        let error = party.subscribe(address).unwrap_err();
        says(&error, ErrorKind::InvalidAddress, false, advice);
        let error = party.set_alternatives("x", [address]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidAddress, "{error}");
    }
    // Without any address, and where one can only listen.
    let error = party.put(&Message::with_body("x")).unwrap_err();
    says(
        &error,
        ErrorKind::InvalidAddress,
        false,
        "give it one before put()",
    );
    for address in ["~127.0.0.1", "amqp://~", "wss://~127.0.0.1:0/q"] {
        let error = party.put(&message_to(address, "x")).unwrap_err();
        says(&error, ErrorKind::InvalidAddress, false, "without the ~");
    }
    for (other, advice) in [
        ("joe@x", "leave them out"),
        ("joe:secret@x", "leave them out"),
        ("x/q", "leave the name out"),
        ("~x", "without the ~"),
        ("amqps://x", "write the same, or none"),
    ] {
        let error = party.set_alternatives("amqp://x", [other]).unwrap_err();
        says(&error, ErrorKind::InvalidAddress, false, advice);
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert_eq!((party.outgoing(), party.outgoing_tracker()), (0, None));
    assert!(party.stopped());
}

fn rules_that_cannot_be_understood(way: Way) {
    let mut party = client(way);
    for (template, advice) in [
        ("amqp://x/$", "a group number or another '$'"),
        ("amqp://x/$q", "a group number or another '$'"),
        ("amqp://x/$99999999999999999999", "up to"),
    ] {
        let error = party.route("*", template).unwrap_err();
        says(&error, ErrorKind::InvalidPattern, false, advice);
        let error = party.rewrite("*", template).unwrap_err();
        says(&error, ErrorKind::InvalidPattern, false, advice);
        assert!(!party.remove_route("*") && !party.remove_rewrite("*"));
    }
}

fn peers_that_are_not_there(way: Way) {
    let advice = "check the address and that the peer listens there";
    for scheme in ["amqp", "amqps", "ws", "wss"] {
        let to = format!("{scheme}://127.0.0.1:{}", nobody().port());
        let error = refused(&mut client(way), &to);
        says(&error, ErrorKind::Connect, true, advice);
        assert!(error.to_string().contains(&to), "{error}");
    }
    // Names that cannot be looked up, whoever is asked.
    for host in ["no..such", "a..b"] {
        let error = refused(&mut client(way), &format!("amqp://{host}:5672/q"));
        says(&error, ErrorKind::Connect, true, advice);
        assert!(error.to_string().contains(host), "{error}");
    }
    // The same for who wants to receive.
    let mut party = client(way);
    let nowhere = format!("amqp://127.0.0.1:{}/q", nobody().port());
    party.subscribe(&nowhere).unwrap();
    says(
        &party.recv(1).unwrap_err(),
        ErrorKind::Connect,
        true,
        advice,
    );
}

/// Listens, and answers what comes of that.
fn listen(party: &mut Party, address: &str) -> Result<(), Error> {
    let subscription = party.subscribe(address)?;
    // Whoever only works when told hears of it when there is something to receive.
    party.work_for(Duration::from_millis(5));
    match party.subscription_port(subscription) {
        Some(_) => Ok(()),
        None => party.recv(1),
    }
}

fn ports_that_cannot_be_listened_on(way: Way) {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let advice = "choose another address or port";
    // 192.0.2.0/24 is for examples (RFC 5737): nobody has such an address.
    for place in [format!("127.0.0.1:{port}"), "192.0.2.1:0".to_owned()] {
        for scheme in ["amqp", "ws"] {
            let mut party = client(way);
            let address = format!("{scheme}://~{place}");
            let error = listen(&mut party, &address).unwrap_err();
            says(&error, ErrorKind::Listen, false, advice);
            assert!(error.to_string().contains(&address), "{error}");
            assert!(party.stopped(), "nothing is left behind");
            party.stop().unwrap();
            assert!(party.stopped());
        }
    }
    for scheme in ["amqps", "wss"] {
        let mut party = client(way);
        let error = listen(&mut party, &format!("{scheme}://~127.0.0.1:0")).unwrap_err();
        says(&error, ErrorKind::Tls, false, "set_certificate()");
        assert!(party.stopped(), "nothing is left behind");
        party.stop().unwrap();
        assert!(party.stopped());
    }
    drop(taken);
}

/// Who listens, and takes whatever it is given until this is dropped.
struct Listener {
    address: String,
    interrupter: Interrupter,
    thread: Option<std::thread::JoinHandle<usize>>,
}

impl Listener {
    fn start(wire: Wire, change: impl FnOnce(&mut Messenger)) -> Self {
        let mut messenger = wire.client();
        let address = wire.listen(&mut messenger);
        change(&mut messenger);
        messenger.set_timeout(None);
        let interrupter = messenger.interrupter();
        let thread = std::thread::spawn(move || {
            let mut taken = 0;
            while messenger.recv(Credit::All).is_ok() {
                taken += messenger.incoming();
                while messenger.get(&mut Message::new()).is_ok() {}
            }
            taken
        });
        let thread = Some(thread);
        Self {
            address,
            interrupter,
            thread,
        }
    }

    /// Ends; answers how many messages came.
    fn end(mut self) -> usize {
        self.interrupter.interrupt();
        self.thread.take().unwrap().join().unwrap()
    }
}

fn passwords_that_are_wrong(way: Way) {
    let listener = Listener::start(way.wire, |messenger| {
        messenger.set_listener_passwords([("joe", "swordfish")]);
    });
    for (user, password) in [
        (Some("joe"), Some("hunter2")),
        (Some("joe"), Some("")),
        (Some("joe"), None),
        (Some("jim"), Some("swordfish")),
        (Some(""), Some("")),
        (None, None),
    ] {
        let mut party = client(way);
        party.set_credentials(user, password);
        let error = refused(&mut party, &listener.address);
        says(&error, ErrorKind::Login, false, "set_credentials()");
        let text = error.to_string();
        assert!(
            !text.contains("hunter2") && !text.contains("swordfish"),
            "{text}"
        );
    }
    // What stands in the address counts more than what was set.
    let mut party = client(way);
    party.set_credentials(Some("joe"), Some("swordfish"));
    let wrong = listener.address.replace("://", "://joe:hunter3@");
    let error = refused(&mut party, &wrong);
    says(&error, ErrorKind::Login, false, "set_credentials()");
    assert!(!error.to_string().contains("hunter3"), "{error}");
    assert_eq!(listener.end(), 0);
}

fn certificates_that_do_not_fit(way: Way) {
    let pki = pki();
    let expired = pki.issue("misuse-expired", |params| {
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 2, 29);
    });
    let early = pki.issue("misuse-early", |params| {
        params.not_before = rcgen::date_time_ymd(2999, 12, 31);
    });
    let other = pki.issue("misuse-other", |params| {
        let name = rcgen::SanType::DnsName("b.example".try_into().unwrap());
        params.subject_alt_names = vec![name];
    });
    let unknown = pki.stranger("misuse-stranger").issue_here("misuse-unknown");
    for (identity, words, advice) in [
        (expired, "expired on 2020-02-29", "the peer needs a new one"),
        (early, "from 2999-12-31 on", "check this machine's clock"),
        (
            other,
            "but for b.example",
            "by a name that stands in the certificate",
        ),
        (unknown, "not trusted here", "set_trusted_certificates()"),
    ] {
        let listener = Listener::start(Wire::Tls, |messenger| {
            let (certificate, key) = (&identity.certificate, &identity.key);
            messenger.set_certificate(certificate, key).unwrap();
        });
        let error = refused(&mut client(way), &listener.address);
        says(&error, ErrorKind::Tls, false, advice);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(listener.end(), 0);
    }
}

fn files_that_are_of_no_use(way: Way) {
    let pki = pki();
    let write = |name: &str, octets: &[u8]| {
        // Each test writes its own.
        let path = pki.own_path(name);
        std::fs::write(&path, octets).unwrap();
        path
    };
    let missing = pki.path("missing.pem");
    let directory = missing.parent().unwrap().to_owned();
    let empty = write("empty.pem", b"");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken = write("broken.pem", broken.as_bytes());
    let garbled = "-----BEGIN CERTIFICATE-----\n*?*\n-----END CERTIFICATE-----\n";
    let garbled = write("garbled.pem", garbled.as_bytes());
    let cut = write("cut.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n");
    let binary = write("binary.der", &[0x30, 0x82, 0xff, 0x00]);
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let locked = write("locked.pem", locked.as_bytes());
    let odd = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let odd = write("odd.pem", odd.as_bytes());
    let (server, client) = (&pki.server, &pki.client);
    let mut party = self::client(way);
    let expect = |result: Result<(), Error>, named: &PathBuf, advice: &str| {
        let error = result.unwrap_err();
        says(&error, ErrorKind::Certificate, false, advice);
        assert!(
            error.to_string().contains(&named.display().to_string()),
            "{error}"
        );
    };
    for (file, advice) in [
        (&missing, "check the path"),
        (&directory, "check the path"),
        (&empty, "-----BEGIN CERTIFICATE-----"),
        (&binary, "-----BEGIN CERTIFICATE-----"),
        (&server.key, "-----BEGIN CERTIFICATE-----"),
        (&garbled, "openssl x509"),
        (&cut, "openssl x509"),
        (&broken, "openssl x509"),
    ] {
        expect(party.set_trusted_certificates(file), file, advice);
        if file != &broken {
            expect(party.set_certificate(file, &server.key), file, advice);
        }
    }
    let certificate = &server.certificate;
    for (key, advice) in [
        (&missing, "check the path"),
        (&directory, "check the path"),
        (&empty, "-----BEGIN PRIVATE KEY-----"),
        (&binary, "-----BEGIN PRIVATE KEY-----"),
        (certificate, "-----BEGIN PRIVATE KEY-----"),
        (&locked, "openssl pkey"),
        (&odd, "use a key for RSA, ECDSA or Ed25519"),
        (
            &client.key,
            "give the key that the certificate was made for",
        ),
    ] {
        expect(party.set_certificate(certificate, key), key, advice);
    }
    // Nothing was set by any of them.
    let error = listen(&mut party, "amqps://~127.0.0.1:0").unwrap_err();
    says(&error, ErrorKind::Tls, false, "set_certificate()");
    // Both may be in one file.
    let both = [certificate, &server.key].map(|file| std::fs::read(file).unwrap());
    let both = write("both.pem", &both.concat());
    party.set_certificate(&both, &both).unwrap();
    listen(&mut party, "amqps://~127.0.0.1:0").unwrap();
}

fn calls_out_of_turn(way: Way) {
    let mut party = client(way);
    let mut message = Message::new();
    let error = party.get(&mut message).unwrap_err();
    says(&error, ErrorKind::EndOfQueue, true, "call recv() first");
    let none = party.get_many(&mut Vec::new(), 10).unwrap_err();
    assert_eq!(none, error);
    // Nobody to receive from. The call itself is meant, not one after the other until it is done.
    let error = Messenger::recv(&mut party, 1).unwrap_err();
    if way.mode == Mode::Blocking {
        says(&error, ErrorKind::State, false, "call subscribe() first");
    } else {
        says(&error, ErrorKind::InProgress, true, "call work()");
        let error = party.request(&message_to("x", "x")).unwrap_err();
        says(
            &error,
            ErrorKind::State,
            false,
            "use send_request() and poll_reply()",
        );
    }
    let error = party
        .poll_reply(RequestId::from_bits(99), &mut message)
        .unwrap_err();
    says(&error, ErrorKind::State, false, "was cancelled");
    party.interrupter().interrupt();
    let error = party.work(Some(Duration::from_secs(1))).unwrap_err();
    says(&error, ErrorKind::Interrupted, true, "call again");
    // A peer that takes nothing in: there is no end to the waiting, and to what may wait.
    let (_idle, address) = Way {
        mode: Mode::NonBlocking,
        ..way
    }
    .server();
    party.set_high_water(1, usize::MAX);
    party.set_timeout(Some(Duration::from_millis(20)));
    party.set_outgoing_window(1);
    let tracker = party.put(&message_to(&address, "x")).unwrap();
    let error = Messenger::put(&mut party, &message_to(&address, "x")).unwrap_err();
    says(&error, ErrorKind::Overflow, true, "call send() or work()");
    let error = Messenger::send(&mut party).unwrap_err();
    let (kind, advice) = match way.mode {
        Mode::Blocking => (ErrorKind::Timeout, "raise the timeout"),
        Mode::NonBlocking | Mode::Passive => (ErrorKind::InProgress, "call work()"),
    };
    says(&error, kind, true, advice);
    assert_eq!(party.status(tracker), Status::Pending);
    let error = party.stop().unwrap_err();
    says(&error, ErrorKind::Unsent, false, "raise the timeout");
    assert_eq!(party.status(tracker), Status::Aborted);
    party.stop().unwrap();
    // Octets that are no message.
    let error = Error::from(Message::decode(&b"odd"[..]).unwrap_err());
    says(&error, ErrorKind::Decode, false, "whoever made it must");
}

#[track_caller]
fn unknown(result: Result<(), Error>) {
    let error = result.unwrap_err();
    says(&error, ErrorKind::UnknownTracker, false, "set a window");
    let text = error.to_string();
    for cause in ["another messenger", "put()", "get()", "left the window"] {
        assert!(text.contains(cause), "{text}");
    }
}

fn trackers_of_nothing(way: Way) {
    let (mut party, address) = way.server();
    // Somebody who asks what becomes of each message.
    let sending = std::thread::spawn(move || {
        let mut sender = way.wire.client();
        sender.set_outgoing_window(10);
        let put = |body| sender.put(&message_to(&address, body)).unwrap();
        let trackers = ["one", "two"].map(put);
        sender.send().unwrap();
        let became = trackers.map(|tracker| sender.status(tracker));
        sender.stop().unwrap();
        became
    });
    let echo = Echo::start(way);
    party.set_outgoing_window(10);
    party.set_incoming_window(1);
    let outgoing = party.put(&message_to(&echo.address, "x")).unwrap();
    party.send().unwrap();
    let mut incoming = Vec::new();
    for body in ["one", "two"] {
        let mut message = Message::new();
        party.recv(1).unwrap();
        incoming.push(party.get(&mut message).unwrap());
        assert_eq!(support::text(&message), body);
    }
    // What was put is decided by its receiver.
    for flags in [Flags::NONE, Flags::CUMULATIVE] {
        unknown(party.accept(outgoing, flags));
        unknown(party.reject(outgoing, flags));
        unknown(party.release(outgoing, flags));
        unknown(party.modify(outgoing, flags, Modified::default()));
    }
    assert_eq!(party.status(outgoing), Status::Accepted);
    // The first message left the window when the second came, and was accepted by that.
    assert_eq!(party.status(incoming[0]), Status::Unknown);
    for flags in [Flags::NONE, Flags::CUMULATIVE] {
        unknown(party.reject(incoming[0], flags));
        unknown(party.release(incoming[0], flags));
        unknown(party.modify(incoming[0], flags, Modified::default()));
        party.accept(incoming[0], flags).unwrap();
    }
    // Those that never were, and those of somebody else who has got further.
    let mut other = client(way);
    other.set_outgoing_window(99);
    let put = |_| other.put(&message_to(&echo.address, "x")).unwrap();
    let later = (0..99).map(put).last();
    let stale = [99, u64::MAX, u64::MAX >> 1].map(Tracker::from_bits);
    for stale in stale.into_iter().flatten().chain(later) {
        assert_eq!(party.status(stale), Status::Unknown);
        assert_eq!(party.reason(stale), None);
        assert!(!party.buffered(stale));
        for flags in [Flags::NONE, Flags::CUMULATIVE] {
            unknown(party.accept(stale, flags));
            unknown(party.reject(stale, flags));
            unknown(party.release(stale, flags));
            unknown(party.modify(stale, flags, Modified::default()));
            unknown(party.settle(stale, flags));
        }
    }
    assert_eq!(Tracker::from_bits(0), None);
    // None of it changed anything: the second message is still to be decided, and its sender waits.
    assert_eq!(party.status(incoming[1]), Status::Pending);
    assert_eq!(party.status(outgoing), Status::Accepted);
    assert!(!party.buffered(incoming[1]));
    party.reject(incoming[1], Flags::NONE).unwrap();
    assert_eq!(party.status(incoming[1]), Status::Rejected);
    // The first outcome counts.
    party.accept(incoming[1], Flags::NONE).unwrap();
    party.stop().unwrap();
    assert_eq!(
        sending.join().unwrap(),
        [Status::Accepted, Status::Rejected]
    );
}

fn what_peers_refuse(way: Way) {
    for scope in [Scope::Connection, Scope::Session, Scope::Link] {
        let (address, thread) = refuser(scope);
        let mut party = client(way);
        let error = refused(&mut party, &format!("{address}/q"));
        says(&error, ErrorKind::Remote, false, "its log may say more");
        assert!(
            matches!(&error, Error::Remote { scope: ended, .. } if *ended == scope),
            "{error:?}"
        );
        assert_eq!(
            error.condition().unwrap().condition.as_str(),
            "test:refused"
        );
        let text = error.to_string();
        assert!(
            text.contains(&address) && text.contains("not today"),
            "{text}"
        );
        drop(party);
        thread.join().unwrap();
    }
    for (condition, advice) in [
        ("amqp:not-found", "check the name after the host"),
        ("amqp:unauthorized-access", "log in as a user who may"),
        ("amqp:resource-limit-exceeded", "try again later"),
        ("amqp:resource-locked", "try again later"),
        ("amqp:link:message-size-exceeded", "send smaller messages"),
    ] {
        let ending = Condition::new(condition.try_into().unwrap());
        let (address, thread) = ender(Scope::Link, ending);
        let mut party = client(way);
        party.subscribe(&format!("{address}/q")).unwrap();
        let error = party.recv(1).unwrap_err();
        says(&error, ErrorKind::Remote, false, advice);
        assert_eq!(error.condition().unwrap().condition.as_str(), condition);
        drop(party);
        thread.join().unwrap();
    }
}

fn settings_beyond_all_measure(way: Way) {
    // As much as can be said of everything, and as little.
    for (most, duration) in [(usize::MAX, Duration::MAX), (0, Duration::ZERO)] {
        let echo = Echo::start(way);
        let mut party = way.party();
        party.set_high_water(most, most);
        party.set_outgoing_window(most.max(1));
        party.set_incoming_window(most);
        party.set_handshake_time_out(duration.max(Duration::from_secs(20)));
        party.set_idle_time_out(Some(duration));
        party.set_reconnect(Some(Reconnect {
            first_delay: duration,
            max_delay: duration,
            give_up_after: Some(duration),
            initial: true,
        }));
        party.set_link_recovery(Some(LinkRecovery {
            keep_for: duration,
            max_links: most,
            max_octets: most,
        }));
        if way.mode == Mode::Blocking && most > 0 {
            party.set_timeout(Some(duration));
        }
        let mut question = message_to(&echo.address, "x");
        question.set_reply_to("~/answers");
        let tracker = party.put(&question).unwrap();
        party.send().unwrap();
        assert_eq!(party.status(tracker), Status::Accepted);
        party.recv(u32::MAX).unwrap();
        let mut answer = Message::new();
        party.get(&mut answer).unwrap();
        assert_eq!(support::text(&answer), "x");
        party.set_timeout(Some(support::PATIENCE));
        party.stop().unwrap();
    }
    // No time at all is not enough for anybody.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut party = client(way);
    party.set_handshake_time_out(Duration::ZERO);
    let error = refused(
        &mut party,
        &format!("amqps://{}", mute.local_addr().unwrap()),
    );
    says(
        &error,
        ErrorKind::Tls,
        true,
        "raise set_handshake_time_out()",
    );
    // What is no path is none of a peer's business.
    for path in ["", "mqtt", "/a b", "/\r\nX: y"] {
        let mut party = client(way);
        party.set_websocket_path(path);
        let error = refused(&mut party, &format!("ws://{}", mute.local_addr().unwrap()));
        says(
            &error,
            ErrorKind::WebSocket,
            false,
            "set one that begins with /",
        );
    }
}

/// Whoever listens without saying who may issue certificates to clients, and who trusts nobody.
#[test]
fn there_must_be_somebody_to_trust() {
    for why in ["the system has no authorities", "no root"] {
        let fault = TlsFault::NoAuthorities(why.to_owned());
        let address = "amqps://x:5671".to_owned();
        let error = Error::Tls { address, fault };
        says(&error, ErrorKind::Tls, false, "set_trusted_certificates()");
    }
}
