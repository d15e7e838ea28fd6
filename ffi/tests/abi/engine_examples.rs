//! The examples of the engine in C, each built and run.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use ferrion_engine::protocol::DeliveryState;
use ferrion_engine::{Config, SendOptions};
use ferrion_messenger::{Credit, Flags, Message, Messenger, Status};

use ferrion_tests::interop::Conversation;

use crate::pki;
use crate::programs::{build, build_with_threads};
use crate::support::{bounded, run, stdout, tree};

/// A program that listens on a free port of this machine, and says so.
pub(crate) struct Listening {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    pub(crate) port: String,
}

impl Listening {
    pub(crate) fn start(program: PathBuf, arguments: &[&str]) -> Self {
        let mut child = bounded(program)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let first = lines.next().expect("a line").expect("text");
        let port = first
            .strip_prefix("listening on port ")
            .expect("the port comes first")
            .to_owned();
        Self { child, lines, port }
    }

    fn line(&mut self) -> Option<String> {
        self.lines.next().map(|line| line.expect("text"))
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn terminate(mut self) -> String {
        // The signal goes to `timeout`, which passes it on.
        run(Command::new("kill").arg(self.child.id().to_string()));
        let rest: Vec<String> = self
            .lines
            .by_ref()
            .map(|line| line.expect("text"))
            .collect();
        self.child.wait().expect("it ends");
        rest.join("\n")
    }
}

pub(crate) fn example(name: &str) -> PathBuf {
    build(&tree().join("bindings/c").join(name), &[])
}

#[test]
fn the_engines_of_two_programs_talk_over_blocking_sockets() {
    let mut receiving = Listening::start(example("engine_recv.c"), &["0", "3"]);
    let texts = ["Hello World!", "", "Grüße"];
    let sent = stdout(
        bounded(example("engine_send.c"))
            .args(["127.0.0.1", &receiving.port, "greetings"])
            .args(texts),
    );
    assert_eq!(
        sent,
        "Hello World!: accepted\n: accepted\nGrüße: accepted\n"
    );
    for text in texts {
        assert_eq!(receiving.line().as_deref(), Some(text));
    }
    assert!(receiving.child.wait().expect("it ends").success());
}

/// The example behind OpenSSL, built once.
fn openssl_example() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let source = tree().join("bindings/c/engine_openssl.c");
    let program = PROGRAM.get_or_init(|| build(&source, &["-lssl", "-lcrypto"]));
    program.clone()
}

fn openssl_server() -> Listening {
    let (certificate, key) = (pki_file("server.crt"), pki_file("server.key"));
    Listening::start(openssl_example(), &["serve", "0", &certificate, &key])
}

fn pki_file(name: &str) -> String {
    let path = pki::folder().join(name);
    path.to_str().expect("a plain path").to_owned()
}

/// The example as a server, and as a client that trusts this authority: what the client said, and the server.
fn over_openssl(trusted: &str) -> (Output, Listening) {
    let server = openssl_server();
    let sent = bounded(openssl_example())
        .args(["send", "127.0.0.1", &server.port, &pki_file(trusted)])
        .args(["greetings", "Grüße"])
        .output()
        .expect("it runs");
    (sent, server)
}

#[test]
fn the_engine_behind_openssl_talks_to_whom_it_trusts_and_to_nobody_else() {
    let (sent, mut server) = over_openssl("authority.pem");
    let said = String::from_utf8_lossy(&sent.stdout);
    assert_eq!(said, "Grüße: accepted, by TLSv1.3\n", "{sent:?}");
    assert!(sent.status.success(), "{sent:?}");
    assert_eq!(server.line().as_deref(), Some("Grüße"));
    assert!(server.child.wait().expect("it ends").success());

    let (sent, mut server) = over_openssl("stranger.pem");
    assert_eq!(sent.status.code(), Some(1), "{sent:?}");
    let said = String::from_utf8_lossy(&sent.stderr);
    assert!(said.contains("TLS failed: unable to"), "{said}");
    assert_eq!(server.line(), None, "nothing arrived");
    assert_eq!(server.child.wait().expect("it ends").code(), Some(1));
}

#[test]
fn a_messenger_sends_to_the_engine_behind_openssl() {
    let mut server = openssl_server();
    let mut messenger = Messenger::new().expect("a messenger");
    messenger.set_timeout(Some(Duration::from_secs(60)));
    messenger.set_outgoing_window(10);
    messenger
        .set_trusted_certificates(pki_file("authority.pem"))
        .expect("a file of certificates");
    // More than a record of TLS, and less than a pipe holds that nobody reads.
    let mut message = Message::with_body("x".repeat(50_000));
    message.set_address(format!("amqps://127.0.0.1:{}/greetings", server.port));
    let tracker = messenger.put(&message).expect("room");
    messenger.send().expect("it is taken");
    assert_eq!(messenger.status(tracker), Status::Accepted);
    messenger.stop().expect("an orderly end");
    assert_eq!(server.line().map(|line| line.len()), Some(50_000));
    assert!(server.child.wait().expect("it ends").success());
}

#[test]
fn a_thousand_connections_on_two_threads_race_for_nothing() {
    let server = build_with_threads(&tree().join("bindings/c/engine_epoll.c"));
    let server = Listening::start(server, &["0"]);
    let crowd = build(&tree().join("ffi/tests/c/crowd.c"), &[]);
    run(bounded(crowd).args([&server.port, "1000", "10"]));
    assert_eq!(server.terminate(), "1000 connections, 10000 messages");
}

#[test]
fn the_broker_keeps_messages_until_somebody_accepts_them() {
    let broker = Listening::start(example("broker.c"), &["0"]);
    let address = format!("amqp://127.0.0.1:{}/queue", broker.port);
    let messenger = || {
        let mut messenger = Messenger::new().expect("a messenger");
        messenger.set_timeout(Some(Duration::from_secs(60)));
        messenger.set_incoming_window(10);
        messenger.set_outgoing_window(10);
        messenger
    };

    let mut sender = messenger();
    for text in ["first", "second"] {
        let mut message = Message::with_body(text);
        message.set_address(address.as_str());
        let tracker = sender.put(&message).expect("room");
        sender.send().expect("the broker takes it");
        assert_eq!(sender.status(tracker), Status::Accepted);
    }
    sender.stop().expect("an orderly end");

    // Given back, then lost with its receiver, then accepted.
    let mut message = Message::new();
    let mut take = |receiver: &mut Messenger| {
        receiver.recv(Credit::Explicit(1)).expect("a message");
        let tracker = receiver.get(&mut message).expect("a message");
        let text = message.body_text().expect("a body").map(str::to_owned);
        (tracker, text.expect("a text"))
    };
    let mut receiver = messenger();
    receiver.subscribe(&address).expect("an address");
    let (tracker, text) = take(&mut receiver);
    assert_eq!(text, "first");
    receiver
        .release(tracker, Flags::NONE)
        .expect("a tracker in the window");
    receiver.stop().expect("an orderly end");

    let mut careless = messenger();
    careless.subscribe(&address).expect("an address");
    assert_eq!(take(&mut careless).1, "first");
    drop(careless);

    let mut receiver = messenger();
    receiver.subscribe(&address).expect("an address");
    for expected in ["first", "second"] {
        let (tracker, text) = take(&mut receiver);
        assert_eq!(text, expected);
        receiver
            .accept(tracker, Flags::NONE)
            .expect("a tracker in the window");
    }
    receiver.stop().expect("an orderly end");
    assert_eq!(broker.terminate(), "");
}

#[test]
fn the_broker_passes_on_unread_what_is_of_another_format() {
    let broker = Listening::start(example("broker.c"), &["0"]);
    let port = broker.port.parse().expect("a number");
    let mut peer = Conversation::connect(port, Config::new("peer"));
    let opened = peer.open();
    assert_eq!(opened.container_id.as_str(), "broker");
    let session = peer.begin();
    let sender = peer.sender(session, "queue");
    // No section of a message begins with these octets.
    let foreign = SendOptions {
        message_format: 7,
        ..SendOptions::default()
    };
    for (tag, octets) in [("small", 10), ("large", 100_000), ("none", 0)] {
        let octets = vec![0xFF; octets];
        let sent = peer.until("credit", |engine| {
            let mut sender = engine.sender(sender).expect("a sender");
            let sent = sender.send_with(tag.as_bytes(), &foreign, octets.clone());
            sent.expect("format and tag are allowed")
        });
        assert_eq!(peer.outcome(sender, sent), Some(DeliveryState::Accepted));
    }
    // What says that it is a message is looked at, and not taken if it is none.
    let sent = peer.send(sender, vec![0xFF; 10]);
    let refused = peer.outcome(sender, sent);
    assert!(
        matches!(refused, Some(DeliveryState::Rejected(_))),
        "{refused:?}"
    );

    let receiver = peer.receiver(session, "queue");
    peer.grant(receiver, 10);
    for octets in [10, 100_000, 0] {
        let mut taken = peer.receive(receiver);
        assert_eq!(taken.message_format, 7);
        assert_eq!(**taken.payload.make_contiguous(), vec![0xFF; octets]);
        let id = taken.id.expect("it is to be settled");
        peer.settle(receiver, id, DeliveryState::Accepted);
    }
    assert!(peer.close().is_none());
    assert_eq!(broker.terminate(), "");
}
