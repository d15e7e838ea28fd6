//! What a messenger shows: in its trace, by `Debug`, in errors, events and warnings. Never a password, a token or a key.

#[path = "support/simple.rs"]
mod simple;
mod support;

use std::time::Duration;

use ferrion_engine::protocol::Redirect;
use ferrion_engine::sasl::Mechanism;
use ferrion_messenger::{Error, ErrorKind, Message, Messenger, Result};
use simple::{ending_server, simple_server};
use support::pki::pki;
use support::{Wire, client, message_to, nobody};

/// The password, the token and whatever else nobody is to read.
const SECRET: &str = simple::RARE;

/// Everything that can be read about a messenger, and about this address. Of that, its `Debug` is looked at here.
fn look(messenger: &mut Messenger, address: &str) -> String {
    hides(&format!("{messenger:?}\n{messenger:#?}\n"));
    let mut shown = String::new();
    while let Some(line) = messenger.poll_trace() {
        shown += &format!("{line}\n");
    }
    while let Some(warning) = messenger.poll_warning() {
        shown += &format!("{warning}\n");
    }
    while let Some(event) = messenger.poll_connection_event() {
        shown += &format!("{event:?}\n");
    }
    if let Some(error) = messenger.address_reason(address).unwrap() {
        shown += &tell(error);
    }
    shown
}

fn hides(shown: &str) {
    for secret in [SECRET, "b3Blbi1zZXNhbWU", "6f70656e2d736573616d65"] {
        assert!(!shown.contains(secret), "{secret} is in: {shown}");
    }
}

fn tell(error: &Error) -> String {
    format!("{error} {error:?} {error:#?}")
}

/// Sends a message to an address while the listener, if there is one, works too; looks at both all the time.
fn send(
    sender: &mut Messenger,
    mut listener: Option<&mut Messenger>,
    address: &str,
) -> (Result<()>, String) {
    sender.set_tracing(true);
    sender.set_blocking(false);
    sender.set_reconnect(None);
    sender.set_outgoing_window(1);
    let tracker = sender.put(&message_to(address, "x")).unwrap();
    let mut shown = String::new();
    let sent = loop {
        if let Some(listener) = &mut listener {
            listener.set_blocking(false);
            listener.set_tracing(true);
            if let Err(error) = listener.recv(10) {
                shown += &tell(&error);
            }
            let _ = listener.get(&mut Message::new());
            shown += &look(listener, address);
        }
        shown += &look(sender, address);
        match sender.send() {
            Err(Error::InProgress) => drop(sender.work(Some(Duration::from_millis(1))).unwrap()),
            ended => break ended,
        }
    };
    if let Err(error) = &sent {
        shown += &tell(error);
    }
    shown += &format!("{:?}", sender.reason(tracker));
    (sent, shown)
}

#[test]
fn a_login_shows_no_secret_at_either_side() {
    logins(Wire::Tcp);
}

#[test]
fn nor_does_one_through_a_websocket_over_tls() {
    logins(Wire::Wss);
}

fn logins(wire: Wire) {
    let mut listener = wire.client();
    listener.set_listener_user("ann", Some(SECRET));
    listener.set_listener_user("bob", Some("another"));
    listener.set_listener_token("cid", Some(SECRET));
    let address = wire.listen(&mut listener);
    let (scheme, place) = address.split_once("://").unwrap();
    // In the address, by SCRAM.
    for (user, good) in [("ann", true), ("bob", false), ("nobody", false)] {
        let address = format!("{scheme}://{user}:{SECRET}@{place}/x");
        let (sent, shown) = send(&mut wire.client(), Some(&mut listener), &address);
        assert_eq!(sent.is_ok(), good, "{user}: {sent:?}");
        assert!(shown.contains("SCRAM-SHA-512"), "{shown}");
        hides(&shown);
    }
    // Beside it, as a password and as a token.
    for (user, password, token, good) in [
        ("ann", Some(SECRET), None, true),
        ("bob", Some(SECRET), None, false),
        ("cid", None, Some(SECRET), true),
        ("dan", None, Some(SECRET), false),
    ] {
        let mut sender = wire.client();
        sender.set_credentials(Some(user), password);
        sender.set_token(token);
        let (sent, shown) = send(&mut sender, Some(&mut listener), &format!("{address}/x"));
        assert_eq!(sent.is_ok(), good, "{user}: {sent:?}");
        assert!(shown.contains("sasl-init"), "{shown}");
        hides(&shown);
    }
}

#[test]
fn what_goes_by_plain_and_xoauth2_is_not_shown_nor_where_a_peer_sends_us_to() {
    for mechanism in [Mechanism::Plain, Mechanism::OAuthBearer, Mechanism::XOAuth2] {
        let elsewhere = Redirect {
            network_host: Some("127.0.0.1".into()),
            port: Some(nobody().port()),
            ..Redirect::default()
        };
        for ending in [None, Some(elsewhere.connection())] {
            let (address, server) = match ending {
                Some(_) => ending_server(&[mechanism], ending),
                None => simple_server(&[mechanism]),
            };
            let mut sender = client();
            sender.set_credentials(Some("joe"), None);
            let mut to = format!("{address}/x");
            if mechanism == Mechanism::Plain {
                to = to.replace("amqp://", &format!("amqp://joe:{SECRET}@"));
            } else {
                sender.set_token(Some(SECRET));
            }
            let (sent, shown) = send(&mut sender, None, &to);
            assert!(sent.is_err());
            assert!(shown.contains(mechanism.name()), "{shown}");
            hides(&shown);
            drop(sender);
            assert!(server.join().unwrap(), "it was asked whether that is joe");
        }
    }
}

#[test]
fn addresses_that_lead_nowhere_or_mean_nothing_are_told_without_their_password() {
    let mut messenger = client();
    messenger.set_reconnect(None);
    let nowhere = nobody();
    let to = format!("amqp://ann:{SECRET}@{nowhere}/x");
    let (sent, shown) = send(&mut messenger, None, &to);
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Connect);
    hides(&shown);

    // By a route, whose texts are as much of an address.
    messenger
        .route("to/*", &format!("amqp://ann:{SECRET}@{nowhere}/$1"))
        .unwrap();
    messenger
        .rewrite("from/*", format!("amqp://ann:{SECRET}@host/$1").as_str())
        .unwrap();
    messenger
        .route(&format!("amqp://ann:{SECRET}@host/*"), "to/$1")
        .unwrap();
    let (sent, shown) = send(&mut messenger, None, "to/x");
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Connect);
    hides(&shown);
    let error = messenger
        .route("x", &format!("amqp://ann:{SECRET}@host/$x"))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidPattern);
    hides(&tell(&error));
    messenger
        .route("bad", &format!("amqp://ann:{SECRET}@ho st/"))
        .unwrap();
    let error = messenger.put(&message_to("bad", "x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidAddress);
    hides(&tell(&error));

    for bad in [
        format!("amqp://ann:{SECRET}@ho st/x"),
        format!("amqp://ann:{SECRET}@host:port/x"),
        format!("amqp://ann:{SECRET}@b@host/x"),
        format!("amqp://ann:%zz{SECRET}@host/x"),
        format!("http://ann:{SECRET}@host/x"),
        format!("ann:{SECRET}@[::1"),
        format!("amqp://~ann:{SECRET}@ho st"),
    ] {
        for error in [
            messenger.put(&message_to(&bad, "x")).unwrap_err(),
            messenger.subscribe(&bad).unwrap_err(),
            messenger.address_reason(&bad).unwrap_err(),
            messenger.set_alternatives(&bad, ["host"]).unwrap_err(),
            messenger
                .set_alternatives("host", [bad.as_str()])
                .unwrap_err(),
        ] {
            hides(&tell(&error));
        }
    }
    let error = messenger
        .set_alternatives("host", [format!("amqp://ann:{SECRET}@host").as_str()])
        .unwrap_err();
    hides(&tell(&error));
    hides(&look(&mut messenger, &to));
}

#[test]
fn a_key_that_cannot_be_used_is_not_quoted() {
    let key = std::fs::read_to_string(&pki().server.key).unwrap();
    let inside = key.lines().nth(1).unwrap();
    let mut messenger = client();
    for text in [
        // Of another certificate, torn, and of no kind that is known.
        key.clone(),
        key.replace(inside, &inside[..8]),
        key.replace("PRIVATE KEY", "SECRET KEY"),
        key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        inside.to_owned(),
    ] {
        let file = pki().own_path("some.key");
        std::fs::write(&file, text).unwrap();
        let error = messenger
            .set_certificate(&pki().client.certificate, &file)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Certificate);
        let shown = tell(&error) + &format!("{messenger:?}");
        for part in [inside, &inside[..8]] {
            assert!(!shown.contains(part), "{shown}");
        }
    }
    let own = &pki().server;
    messenger
        .set_certificate(&own.certificate, &own.key)
        .unwrap();
    assert!(!format!("{messenger:?}").contains(inside));
}
