//! Whom a listening messenger lets in by a token, what many logins cost it, and links that it refuses.

#[path = "support/cost.rs"]
mod cost;
#[macro_use]
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use ferrion_engine::protocol::{Source, Target, TargetArchetype};
use ferrion_engine::{Config, Engine, Event, LinkConfig, SessionConfig, Time};
use ferrion_messenger::{Error, ErrorKind, Message, Messenger, Result};
use support::{Wire, client, listen, message_to, server};

over_every_wire! {
    a_token_that_the_listener_finds_good_lets_in,
}

/// Sends a message while the listener works too.
fn send(sender: &mut Messenger, listener: &mut Messenger) -> Result<()> {
    sender.set_blocking(false);
    listener.set_blocking(false);
    loop {
        let _ = listener.recv(10);
        let _ = listener.get(&mut Message::new());
        match sender.send() {
            Err(Error::InProgress) => drop(sender.work(Some(Duration::from_millis(1)))?),
            ended => return ended,
        }
    }
}

/// What a client logs in with.
#[derive(Clone, Copy, Default)]
struct Login<'a> {
    user: Option<&'a str>,
    password: Option<&'a str>,
    token: Option<&'a str>,
}

impl Login<'_> {
    /// Tries once to get a message through to the listener.
    fn attempt(self, mut client: Messenger, listener: &mut Messenger, address: &str) -> Result<()> {
        client.set_reconnect(None);
        client.set_credentials(self.user, self.password);
        client.set_token(self.token);
        client.set_outgoing_window(1);
        client.put(&message_to(address, "x")).unwrap();
        send(&mut client, listener)
    }
}

fn a_token_that_the_listener_finds_good_lets_in(wire: Wire) {
    let mut listener = wire.client();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    // Longer than the frames that the specification had in mind.
    let good = "t".repeat(3000);
    let expected = good.clone();
    listener.set_listener_tokens(Some(Box::new(move |user, token| {
        seen.lock().unwrap().push(user.to_owned());
        user != "mallory" && token == expected
    })));
    let address = wire.listen(&mut listener);
    let attempt = |listener: &mut Messenger, user: Option<&str>, token: Option<&str>| {
        let password = None;
        let login = Login {
            user,
            password,
            token,
        };
        login.attempt(wire.client(), listener, &address)
    };
    assert_eq!(attempt(&mut listener, Some("ann"), Some(&good)), Ok(()));
    assert_eq!(attempt(&mut listener, None, Some(&good)), Ok(()));
    for (user, token) in [
        (Some("ann"), Some("stale")),
        (Some("mallory"), Some(good.as_str())),
        (None, None),
    ] {
        let error = attempt(&mut listener, user, token).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Login, "{error}");
        assert!(!error.to_string().contains("stale"), "{error}");
    }
    let asked = asked.lock().unwrap();
    assert_eq!(**asked, ["ann", "", "ann", "mallory"]);
}

#[test]
fn tokens_and_passwords_may_both_let_in() {
    let mut listener = client();
    listener.set_listener_passwords([("bob", "secret")]);
    listener.set_listener_tokens(Some(Box::new(|user, token| {
        (user, token) == ("ann", "good")
    })));
    let address = listen(&mut listener);
    for (user, password, token) in [("bob", Some("secret"), None), ("ann", None, Some("good"))] {
        let user = Some(user);
        let login = Login {
            user,
            password,
            token,
        };
        login.attempt(client(), &mut listener, &address).unwrap();
    }
}

#[test]
fn a_user_is_let_in_with_the_token_it_has_and_no_longer_without_one() {
    let mut listener = client();
    let address = listen(&mut listener);
    let attempt = |listener: &mut Messenger, user: &str, token: &str| {
        let login = Login {
            user: Some(user).filter(|user| !user.is_empty()),
            password: None,
            token: Some(token),
        };
        login.attempt(client(), listener, &address).is_ok()
    };
    listener.set_listener_token("ann", Some("of-ann"));
    listener.set_listener_token("bob", Some("of-bob"));
    listener.set_listener_token("", Some("of-nobody-by-name"));
    for (user, token, good) in [
        ("ann", "of-ann", true),
        ("ann", "of-bob", false),
        ("bob", "of-bob", true),
        ("", "of-nobody-by-name", true),
        ("", "of-ann", false),
        ("eve", "", false),
    ] {
        assert_eq!(attempt(&mut listener, user, token), good, "{user} {token}");
    }
    listener.set_listener_token("ann", Some("a-newer-one"));
    listener.set_listener_token("bob", None);
    assert!(!attempt(&mut listener, "ann", "of-ann"));
    assert!(attempt(&mut listener, "ann", "a-newer-one"));
    assert!(!attempt(&mut listener, "bob", "of-bob"));
    // What a check of the program's finds good counts beside them.
    listener.set_listener_tokens(Some(Box::new(|user, token| {
        (user, token) == ("eve", "new")
    })));
    assert!(attempt(&mut listener, "eve", "new") && attempt(&mut listener, "ann", "a-newer-one"));
}

#[test]
fn when_the_last_who_was_named_is_taken_away_nobody_is_admitted_rather_than_everyone() {
    let ways: [fn(&mut Messenger, Option<&str>); 2] = [
        |listener, secret| listener.set_listener_user("ann", secret),
        |listener, secret| listener.set_listener_token("ann", secret),
    ];
    for name in ways {
        let mut listener = client();
        let address = listen(&mut listener);
        let nobody = Login::default();
        let ann = Login {
            user: Some("ann"),
            password: Some("secret"),
            token: Some("secret"),
        };
        let attempt = |listener: &mut Messenger, login: Login<'_>| {
            login.attempt(client(), listener, &address).is_ok()
        };
        // To take away who was never there closes no door.
        name(&mut listener, None);
        assert!(attempt(&mut listener, nobody));
        name(&mut listener, Some("secret"));
        assert!(!attempt(&mut listener, nobody));
        name(&mut listener, None);
        assert!(!attempt(&mut listener, nobody));
        assert!(!attempt(&mut listener, ann));
        // Everyone is let in when the program says so.
        listener.set_listener_passwords([("", ""); 0]);
        assert!(attempt(&mut listener, nobody));
    }
}

#[test]
fn many_logins_of_one_user_are_not_as_many_derivations_of_keys() {
    let mut listener = client();
    listener.set_listener_passwords([("ann", "secret")]);
    let address = listen(&mut listener);
    listener.set_blocking(false);
    // What the listener's own work costs.
    let login = |listener: &mut Messenger, password: &str| {
        let mut spent = Duration::ZERO;
        let mut sender = client();
        sender.set_reconnect(None);
        sender.set_credentials(Some("ann"), Some(password));
        sender.set_outgoing_window(1);
        sender.put(&message_to(&address, "x")).unwrap();
        sender.set_blocking(false);
        let ended = loop {
            spent += cost::cost(|| {
                let _ = listener.recv(10);
                let _ = listener.get(&mut Message::new());
            });
            match sender.send() {
                Err(Error::InProgress) => drop(sender.work(Some(Duration::from_millis(1)))),
                ended => break ended,
            }
        };
        (ended, spent)
    };
    let (ended, first) = login(&mut listener, "secret");
    assert_eq!(ended, Ok(()));
    let mut rest = Duration::ZERO;
    for n in 0..60 {
        let password = if n % 2 == 0 { "secret" } else { "wrong" };
        let (ended, spent) = login(&mut listener, password);
        assert_eq!(ended.is_ok(), n % 2 == 0);
        rest += spent;
    }
    assert!(
        rest < first * 30,
        "the first took {first:?}, sixty more {rest:?}"
    );
    // A new password counts from the next login on.
    listener.set_listener_passwords([("ann", "changed")]);
    assert_eq!(login(&mut listener, "changed").0, Ok(()));
    assert!(login(&mut listener, "secret").0.is_err());
}

/// An engine that attaches one link to a listening messenger, and how that ended it.
fn refusal(config: LinkConfig, is_sender: bool) -> (String, String) {
    let (mut listener, address) = server();
    listener.set_blocking(false);
    let port = address.rsplit_once(':').unwrap().1.parse().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(1)))
        .unwrap();
    let mut engine = Engine::client(Config::new("raw"));
    engine.connection().open().unwrap();
    let session = engine.connection().begin(SessionConfig::default()).unwrap();
    let mut view = engine.session(session).unwrap();
    let link = if is_sender {
        view.attach_sender(config).unwrap()
    } else {
        view.attach_receiver(config).unwrap()
    };
    let mut buffer = [0; 4096];
    let mut input = BytesMut::new();
    loop {
        let mut output = engine.transmit(Time(0));
        while output.has_remaining() {
            let count = stream.write(output.chunk()).unwrap();
            output.advance(count);
        }
        listener.work(Some(Duration::from_millis(1))).unwrap();
        if let Ok(count) = stream.read(&mut buffer) {
            assert!(count > 0, "the listener left");
            input.extend_from_slice(&buffer[..count]);
            engine.recv(Time(0), &mut input);
        }
        while let Some(event) = engine.poll_event() {
            if event == Event::LinkDetached(link) {
                let view = engine.link(link).unwrap();
                let why = &view.error().unwrap().condition;
                let text = why.description.as_deref().unwrap_or_default();
                return (why.condition.to_string(), text.to_owned());
            }
        }
    }
}

#[test]
fn a_receiver_without_a_source_is_refused_and_told_why() {
    let mut config = LinkConfig::new("r", Source::default(), Target::default());
    config.source = None;
    let (condition, text) = refusal(config, false);
    assert_eq!(condition, "amqp:invalid-field");
    assert!(text.contains("attach with a source"), "{text}");
}

#[test]
fn a_sender_without_a_target_is_refused_and_told_why() {
    let mut config = LinkConfig::new("s", Source::default(), Target::default());
    config.target = None::<Box<TargetArchetype>>;
    let (condition, text) = refusal(config, true);
    assert_eq!(condition, "amqp:invalid-field");
    assert!(text.contains("attach with a target"), "{text}");
}
