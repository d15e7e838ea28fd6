//! Routes and rewrites, as they show at the other end.

#[macro_use]
mod support;

use ferrion_messenger::{Credit, ErrorKind, Message, Messenger};
use support::{Wire, message_to, text};

over_every_wire! {
    without_a_rule_only_credentials_are_taken_off,
    rewrites_change_what_the_receiver_sees,
    a_removed_rule_does_not_apply_any_more,
    routes_lead_messages_and_subscriptions_where_they_say,
}

/// Puts a message to each address, with everything routed to a server; answers the `to` that arrived.
fn arrived(wire: Wire, messenger: &mut Messenger, addresses: &[&str]) -> Vec<Option<String>> {
    let (mut receiver, address) = wire.server();
    messenger.route("*", &address).unwrap();
    let addresses: Vec<String> = addresses
        .iter()
        .map(|&address| address.to_owned())
        .collect();
    let count = addresses.len();
    let received = std::thread::spawn(move || {
        let mut message = Message::new();
        let mut tos = Vec::new();
        while tos.len() < count {
            receiver.recv(Credit::All).unwrap();
            while receiver.incoming() > 0 {
                receiver.get(&mut message).unwrap();
                tos.push(message.address().unwrap().map(str::to_owned));
            }
        }
        tos
    });
    for address in addresses {
        let message = message_to(&address, "x");
        messenger.put(&message).unwrap();
        assert_eq!(
            message.address().unwrap(),
            Some(address.as_str()),
            "the original is not changed"
        );
    }
    messenger.send().unwrap();
    messenger.stop().unwrap();
    received.join().unwrap()
}

fn assert_rewrites(wire: Wire, messenger: &mut Messenger, table: &[(&str, Option<&str>)]) {
    let addresses: Vec<_> = table.iter().map(|(address, _)| *address).collect();
    let got = arrived(wire, messenger, &addresses);
    for ((address, expected), got) in table.iter().zip(got) {
        assert_eq!(got.as_deref(), *expected, "{address}");
    }
}

fn without_a_rule_only_credentials_are_taken_off(wire: Wire) {
    let mut table = Vec::new();
    let mut texts = Vec::new();
    for scheme in ["", "amqp://"] {
        for name in ["", "/name"] {
            for port in ["", ":123"] {
                for user in ["", "user@", "user:pass@"] {
                    let full = format!("{scheme}{user}host{port}{name}");
                    texts.push((full, format!("{scheme}host{port}{name}")));
                }
            }
        }
    }
    for (full, bare) in &texts {
        table.push((full.as_str(), Some(bare.as_str())));
    }
    assert_rewrites(wire, &mut wire.client(), &table);
}

fn rewrites_change_what_the_receiver_sees(wire: Wire) {
    let mut messenger = wire.client();
    messenger.rewrite("a", "b").unwrap();
    messenger.rewrite("amqp://%@*", "amqp://$2").unwrap();
    messenger.rewrite("amqp://%/*", "$2@$1").unwrap();
    messenger.rewrite("keep:%", "$0").unwrap();
    messenger.rewrite("hush", None).unwrap();
    assert_rewrites(
        wire,
        &mut messenger,
        &[
            ("a", Some("b")),
            ("aa", Some("aa")),
            ("amqp://joe:secret@host/name", Some("amqp://host/name")),
            ("amqp://host/name", Some("name@host")),
            ("keep:me@host", Some("keep:me@host")),
            ("hush", None),
        ],
    );
}

fn a_removed_rule_does_not_apply_any_more(wire: Wire) {
    let mut messenger = wire.client();
    messenger.rewrite("*", "x").unwrap();
    assert!(messenger.remove_rewrite("*"));
    assert!(!messenger.remove_rewrite("*"));
    assert_rewrites(wire, &mut messenger, &[("a", Some("a"))]);
    messenger.clear_rules();
    assert_eq!(
        messenger.put(&message_to("", "x")).unwrap_err().kind(),
        ErrorKind::InvalidAddress
    );
    assert_eq!(
        messenger.route("*", "$").unwrap_err().kind(),
        ErrorKind::InvalidPattern
    );
}

fn routes_lead_messages_and_subscriptions_where_they_say(wire: Wire) {
    let mut receiver = wire.client();
    receiver.route("in", "amqp://~127.0.0.1:0").unwrap();
    let subscription = receiver.subscribe("in").unwrap();
    let port = receiver.subscription_port(subscription).unwrap();
    let received = std::thread::spawn(move || {
        let mut message = Message::new();
        let mut bodies = Vec::new();
        while bodies.len() < 2 {
            receiver.recv(2).unwrap();
            while receiver.incoming() > 0 {
                receiver.get(&mut message).unwrap();
                assert_eq!(receiver.incoming_subscription(), Some(subscription));
                bodies.push((
                    message.address().unwrap().unwrap().to_owned(),
                    text(&message),
                ));
            }
        }
        bodies
    });
    let mut messenger = wire.client();
    messenger
        .route("route1/%", &format!("amqp://127.0.0.1:{port}/$1"))
        .unwrap();
    messenger
        .route("*", &format!("127.0.0.1:{port}/$1"))
        .unwrap();
    messenger.put(&message_to("route1/a", "one")).unwrap();
    messenger.put(&message_to("asdf", "two")).unwrap();
    messenger.send().unwrap();
    messenger.stop().unwrap();
    let mut bodies = received.join().unwrap();
    bodies.sort();
    assert_eq!(
        bodies,
        [
            ("asdf".into(), "two".into()),
            ("route1/a".into(), "one".into())
        ]
    );
}
