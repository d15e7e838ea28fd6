//! Logging in with passwords and tokens, and who is shown them.

#[path = "support/simple.rs"]
mod simple;
#[macro_use]
mod support;

use std::thread::JoinHandle;

use ferrion_engine::protocol::Redirect;
use ferrion_engine::sasl::Mechanism;
use ferrion_messenger::{Credit, Error, ErrorKind, Interrupter, Message, Messenger, Result};
use simple::{ending_server, good_token, simple_server};
use support::way::{Party, Way};
use support::{Wire, message_to};

in_every_way! {
    a_password_logs_in_by_scram_and_a_wrong_one_does_not,
}

// What may be said without TLS.
in_every_mode_over_tcp! {
    plain_is_for_peers_that_have_nothing_better_and_on_loopback_it_warns,
    a_password_is_not_shown_to_a_network_without_a_word_of_the_users,
    where_a_peer_sends_us_to_no_password_is_shown,
}

/// A listener that knows users, and counts what it got.
struct Listener {
    address: String,
    interrupter: Interrupter,
    thread: Option<JoinHandle<usize>>,
}

impl Listener {
    fn new(wire: Wire, users: &[(&str, &str)]) -> Self {
        let mut messenger = wire.client();
        messenger.set_listener_passwords(users.iter().copied());
        messenger.set_timeout(None);
        let address = wire.listen(&mut messenger);
        let interrupter = messenger.interrupter();
        let thread = std::thread::spawn(move || {
            let mut message = Message::new();
            let mut count = 0;
            loop {
                match messenger.recv(Credit::All) {
                    Ok(()) => {}
                    Err(Error::Interrupted) => return count,
                    Err(error) => panic!("listener: {error}"),
                }
                while messenger.get(&mut message).is_ok() {
                    count += 1;
                }
            }
        });
        Self {
            address,
            interrupter,
            thread: Some(thread),
        }
    }

    fn stop(mut self) -> usize {
        self.interrupter.interrupt();
        self.thread.take().unwrap().join().unwrap()
    }
}

/// Sends one message; answers how that went, and the mechanism that was asked for.
fn attempt(messenger: &mut Party, address: &str) -> (Result<()>, Option<String>) {
    messenger.set_tracing(true);
    messenger.set_outgoing_window(1);
    messenger.put(&message_to(address, "hello")).unwrap();
    let sent = messenger.send();
    let mut mechanism = None;
    while let Some(line) = messenger.poll_trace() {
        if line.contains("@sasl-init") {
            let known = [
                "SCRAM-SHA-512",
                "PLAIN",
                "OAUTHBEARER",
                "XOAUTH2",
                "ANONYMOUS",
            ];
            let name = known.into_iter().find(|name| line.contains(name));
            mechanism = name.map(str::to_owned);
        }
    }
    (sent, mechanism)
}

fn a_password_logs_in_by_scram_and_a_wrong_one_does_not(way: Way) {
    let listener = Listener::new(way.wire, &[("joe", "secret"), ("ann", "other")]);
    for (user, password, good) in [
        ("joe", "secret", true),
        ("ann", "other", true),
        ("joe", "other", false),
        ("joe", "", false),
        ("nobody", "nobody", false),
        ("nobody", "secret", false),
    ] {
        let mut messenger = way.party();
        messenger.set_credentials(Some(user), Some(password));
        let (sent, mechanism) = attempt(&mut messenger, &listener.address);
        if good {
            assert_eq!(sent, Ok(()), "{user} {password}");
            assert_eq!(mechanism.as_deref(), Some("SCRAM-SHA-512"));
        } else {
            let error = sent.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Login, "{user} {password}: {error}");
        }
        assert_eq!(messenger.poll_warning(), None);
    }
    // Who has no password is nobody.
    let (sent, _) = attempt(&mut way.party(), &listener.address);
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Login);
    assert_eq!(listener.stop(), 2);
}

/// How this machine is reached by a name that does not look like its own.
fn as_if_far(address: &str) -> String {
    address.replace("127.0.0.1", "127.1")
}

#[test]
fn scram_needs_no_tls_wherever_the_peer_is() {
    let listener = Listener::new(Wire::Tcp, &[("joe", "secret")]);
    let mut messenger = Way::SIMPLE.party();
    messenger.set_credentials(Some("joe"), Some("secret"));
    let (sent, mechanism) = attempt(&mut messenger, &as_if_far(&listener.address));
    assert_eq!(sent, Ok(()));
    assert_eq!(mechanism.as_deref(), Some("SCRAM-SHA-512"));
    assert_eq!(listener.stop(), 1);
}

/// The simple server closes as soon as somebody has logged in.
fn logged_in(sent: &Result<()>) -> bool {
    let error = sent.as_ref().unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::Login | ErrorKind::Lost | ErrorKind::Remote
        ),
        "{error}"
    );
    error.kind() != ErrorKind::Login
}

fn plain_client(way: Way, password: &str) -> Party {
    let mut messenger = way.party();
    messenger.set_reconnect(None);
    messenger.set_credentials(Some("joe"), Some(password));
    messenger
}

fn plain_is_for_peers_that_have_nothing_better_and_on_loopback_it_warns(way: Way) {
    for password in ["secret", "wrong"] {
        let (address, server) = simple_server(&[Mechanism::Plain]);
        let mut messenger = plain_client(way, password);
        let (sent, mechanism) = attempt(&mut messenger, &address);
        assert_eq!(logged_in(&sent), password == "secret");
        assert_eq!(mechanism.as_deref(), Some("PLAIN"));
        let warning = messenger.poll_warning();
        assert_eq!(warning.is_some(), password == "secret", "{warning:?}");
        drop(messenger);
        assert!(server.join().unwrap());
    }
}

fn a_password_is_not_shown_to_a_network_without_a_word_of_the_users(way: Way) {
    let (address, server) = simple_server(&[Mechanism::Plain]);
    let mut messenger = plain_client(way, "secret");
    let (sent, mechanism) = attempt(&mut messenger, &as_if_far(&address));
    let error = sent.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Login);
    assert!(
        error.to_string().contains("set_allow_plain_without_tls"),
        "{error}"
    );
    assert_eq!(mechanism, None);
    drop(messenger);
    assert!(!server.join().unwrap());

    let (address, server) = simple_server(&[Mechanism::Plain]);
    let mut messenger = plain_client(way, "secret");
    messenger.set_allow_plain_without_tls(true);
    let (sent, _) = attempt(&mut messenger, &as_if_far(&address));
    assert!(logged_in(&sent));
    assert_eq!(messenger.poll_warning(), None);
    drop(messenger);
    assert!(server.join().unwrap());
}

fn where_a_peer_sends_us_to_no_password_is_shown(way: Way) {
    let (second, asked) = simple_server(&[Mechanism::Plain]);
    let elsewhere = Redirect {
        network_host: Some("localhost".into()),
        port: second.rsplit(':').next().and_then(|port| port.parse().ok()),
        ..Redirect::default()
    };
    let (first, _) = ending_server(&[Mechanism::Plain], Some(elsewhere.connection()));
    let mut messenger = plain_client(way, "secret");
    // To this machine, which the user wrote, it may go in clear.
    let (sent, _) = attempt(&mut messenger, &first);
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Login);
    drop(messenger);
    assert!(!asked.join().unwrap());
}

#[test]
fn tokens_log_in_by_oauthbearer_or_else_by_xoauth2() {
    let good = good_token();
    for (offered, chosen) in [
        (
            &[Mechanism::Plain, Mechanism::XOAuth2, Mechanism::OAuthBearer][..],
            "OAUTHBEARER",
        ),
        (&[Mechanism::XOAuth2, Mechanism::Plain][..], "XOAUTH2"),
    ] {
        for token in [good.as_str(), "expired"] {
            let (address, server) = simple_server(offered);
            let mut messenger = plain_client(Way::SIMPLE, "secret");
            messenger.set_token(Some(token));
            let (sent, mechanism) = attempt(&mut messenger, &address);
            assert_eq!(logged_in(&sent), token == good, "{chosen}");
            assert_eq!(mechanism.as_deref(), Some(chosen));
            drop(messenger);
            assert!(server.join().unwrap());
        }
    }
    // Over a network, a token needs TLS or a word of the user's.
    let (address, server) = simple_server(&[Mechanism::OAuthBearer]);
    let mut messenger = plain_client(Way::SIMPLE, "secret");
    messenger.set_token(Some(&good));
    let (sent, _) = attempt(&mut messenger, &as_if_far(&address));
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Login);
    drop(messenger);
    assert!(!server.join().unwrap());
}

#[test]
fn a_name_that_somebody_logged_in_with_is_nobody_elses() {
    of_two_with_one_name_each_gets_its_own(|client, user| {
        let password = if user == "ann" { "secret" } else { "other" };
        client.set_credentials(Some(user), Some(password));
    });
}

#[test]
fn nor_is_that_of_somebody_whose_token_says_who_it_is() {
    of_two_with_one_name_each_gets_its_own(|client, user| client.set_token(Some(user)));
}

/// Peers log in, as ann, bob and ann again, under one name, to which messages are put.
fn of_two_with_one_name_each_gets_its_own(log_in: fn(&mut Messenger, &str)) {
    // No host can have this name.
    const NAME: &str = "t..win";
    let mut server = Wire::Tcp.client();
    server.set_listener_passwords([("ann", "secret"), ("bob", "other")]);
    server.set_listener_tokens(Some(Box::new(|user, token| {
        user.is_empty() && ["ann", "bob"].contains(&token)
    })));
    let address = Wire::Tcp.listen(&mut server);
    server.set_blocking(false);
    let mut clients: Vec<Messenger> = Vec::new();
    let mut message = Message::new();
    // Who logs in as somebody else gets nothing that is for the name; whoever is the same user has only connected anew.
    for (user, gets) in [("ann", 0), ("bob", 0), ("ann", 2)] {
        let mut client = Wire::Tcp.client_with_name(Some(NAME));
        client.set_blocking(false);
        log_in(&mut client, user);
        let subscription = client.subscribe(&format!("{address}/news")).unwrap();
        while client.subscription_address(subscription).is_none() {
            let _ = (server.recv(0), client.recv(10));
        }
        clients.push(client);
        let to = format!("amqp://{NAME}/news");
        server.put(&message_to(&to, user)).unwrap();
        while clients.iter().all(|client| client.incoming() == 0) {
            let _ = server.send();
            for client in &mut clients {
                let _ = client.recv(10);
            }
        }
        let got: Vec<usize> = clients.iter().map(Messenger::incoming).collect();
        let whose = got.iter().position(|count| *count == 1);
        assert_eq!(
            (whose, got.iter().sum()),
            (Some(gets), 1),
            "{user}: {got:?}"
        );
        clients[gets].get(&mut message).unwrap();
    }
}
