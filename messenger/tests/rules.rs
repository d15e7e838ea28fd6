//! Routes and rewrites, as they show at the other end.

#[macro_use]
mod support;

use ferrion_messenger::{Credit, ErrorKind, Message};
use support::way::{Echo, Party, Way};
use support::{Wire, message_to, text};

in_every_way! {
    without_a_rule_only_credentials_are_taken_off,
    rewrites_change_what_the_receiver_sees,
    a_removed_rule_does_not_apply_any_more,
    routes_lead_messages_and_subscriptions_where_they_say,
    a_rewrite_to_the_address_itself_keeps_user_and_password,
    a_route_without_a_group_leads_everything_to_one_place,
}

in_every_mode! {
    routes_lead_to_plain_and_to_secure_places,
}

/// Puts a message to each address, with everything routed to a server; answers the `to` that arrived.
fn arrived(way: Way, party: &mut Party, addresses: &[&str]) -> Vec<Option<String>> {
    let (mut receiver, address) = way.server();
    party.route("*", &address).unwrap();
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
        party.put(&message).unwrap();
        assert_eq!(
            message.address().unwrap(),
            Some(address.as_str()),
            "the original is not changed"
        );
    }
    party.send().unwrap();
    party.stop().unwrap();
    received.join().unwrap()
}

fn assert_rewrites(way: Way, party: &mut Party, table: &[(&str, Option<&str>)]) {
    let addresses: Vec<_> = table.iter().map(|(address, _)| *address).collect();
    let got = arrived(way, party, &addresses);
    for ((address, expected), got) in table.iter().zip(got) {
        assert_eq!(got.as_deref(), *expected, "{address}");
    }
}

fn without_a_rule_only_credentials_are_taken_off(way: Way) {
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
    assert_rewrites(way, &mut way.party(), &table);
}

fn rewrites_change_what_the_receiver_sees(way: Way) {
    let mut party = way.party();
    party.rewrite("a", "b").unwrap();
    party.rewrite("amqp://%@*", "amqp://$2").unwrap();
    party.rewrite("amqp://%/*", "$2@$1").unwrap();
    party.rewrite("keep:%", "$0").unwrap();
    party.rewrite("hush", None).unwrap();
    assert_rewrites(
        way,
        &mut party,
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

fn a_removed_rule_does_not_apply_any_more(way: Way) {
    let mut party = way.party();
    party.rewrite("*", "x").unwrap();
    assert!(party.remove_rewrite("*"));
    assert!(!party.remove_rewrite("*"));
    assert_rewrites(way, &mut party, &[("a", Some("a"))]);
    party.clear_rules();
    assert_eq!(
        party.put(&message_to("", "x")).unwrap_err().kind(),
        ErrorKind::InvalidAddress
    );
    assert_eq!(
        party.route("*", "$").unwrap_err().kind(),
        ErrorKind::InvalidPattern
    );
}

fn routes_lead_messages_and_subscriptions_where_they_say(way: Way) {
    let mut receiver = way.party();
    let scheme = way.wire.scheme();
    way.wire.certify(&mut receiver);
    receiver
        .route("in", &format!("{scheme}://~127.0.0.1:0"))
        .unwrap();
    let subscription = receiver.subscribe("in").unwrap();
    receiver.work_until("open", |messenger| {
        messenger.subscription_port(subscription).is_some()
    });
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
    let mut party = way.party();
    party
        .route("route1/%", &format!("{scheme}://127.0.0.1:{port}/$1"))
        .unwrap();
    party
        .route("*", &format!("{scheme}://127.0.0.1:{port}/$1"))
        .unwrap();
    party.put(&message_to("route1/a", "one")).unwrap();
    party.put(&message_to("asdf", "two")).unwrap();
    party.send().unwrap();
    party.stop().unwrap();
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

fn a_rewrite_to_the_address_itself_keeps_user_and_password(way: Way) {
    let mut party = way.party();
    party.rewrite("*", "$1").unwrap();
    let full = "amqp://user:pass@host/name";
    assert_rewrites(way, &mut party, &[(full, Some(full))]);
}

/// A default route is where what has no host goes; [`arrived`] has one of that kind.
fn a_route_without_a_group_leads_everything_to_one_place(way: Way) {
    let addresses = ["asdf", "amqp://elsewhere/x"];
    let got = arrived(way, &mut way.party(), &addresses);
    assert_eq!(got, addresses.map(|address| Some(address.to_owned())));
}

fn routes_lead_to_plain_and_to_secure_places(way: Way) {
    let plain = Echo::start(Way {
        wire: Wire::Tcp,
        ..way
    });
    let secure = Echo::start(way);
    let mut party = way.party();
    party.route("plain", &plain.address).unwrap();
    party.route("secure", &secure.address).unwrap();
    for (node, address) in [("plain", "amqp://"), ("secure", "amqps://")] {
        let mut message = message_to(node, node);
        message.set_reply_to("~");
        party.put(&message).unwrap();
        party.send().unwrap();
        party.recv(1).unwrap();
        party.get(&mut message).unwrap();
        assert_eq!(text(&message), node, "through {address}");
    }
    party.stop().unwrap();
    plain.has_taken(1);
    secure.has_taken(1);
}
