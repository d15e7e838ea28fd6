//! Peers that send connections and links elsewhere: where the messenger goes, and who has to be there.

#[path = "support/broker.rs"]
mod broker;
#[macro_use]
mod support;

use std::sync::{Arc, Mutex};

use broker::{Broker, Dealt};
use ferrion_engine::protocol::Redirect;
use ferrion_engine::{Engine, Event};
use ferrion_messenger::{ConnectionEvent, Credit, ErrorKind, Message, Status, TlsFault};
use rcgen::SanType;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use support::pki::{Identity, pki};
use support::way::{Echo, Way};
use support::{Wire, message_to, text};

in_every_mode_over_tcp! {
    links_are_opened_where_their_peer_sends_them,
}

fn to_port(port: u16, node: &str) -> Redirect {
    Redirect {
        network_host: Some("127.0.0.1".into()),
        port: Some(port),
        address: Some(node.into()),
        ..Redirect::default()
    }
}

/// A peer that refuses every link but those to and from one node, and sends them elsewhere.
fn sends_away(mut elsewhere: impl FnMut() -> Redirect + Send + 'static) -> Broker {
    Broker::start(move |_, engine, event| match event {
        Event::LinkAttached(link) => {
            let condition = elsewhere().link();
            engine.link(link).unwrap().refuse(condition).unwrap();
            Dealt::Done
        }
        _ => Dealt::Usual,
    })
}

fn port_of(address: &str) -> u16 {
    address.rsplit(':').next().unwrap().parse().unwrap()
}

/// A message, a request, and a subscription from which its echo comes.
fn links_are_opened_where_their_peer_sends_them(way: Way) {
    let echo = Echo::start(way);
    let port = port_of(&echo.address);
    let away = sends_away(move || to_port(port, "there"));
    let mut messenger = way.party_named("wanderer");
    messenger.set_outgoing_window(10);

    let mut message = message_to(&format!("{}/orders", away.address), "hello");
    message.set_reply_to("~/back");
    let tracker = messenger.put(&message).unwrap();
    messenger.send().unwrap();
    assert_eq!(messenger.status(tracker), Status::Accepted);
    messenger.recv(1).unwrap();
    let mut reply = Message::new();
    messenger.get(&mut reply).unwrap();
    assert_eq!(text(&reply), "hello");

    let question = message_to(&format!("{}/orders", away.address), "?");
    let request = messenger.send_request(&question).unwrap();
    messenger
        .finish(|messenger| messenger.reply(request, &mut reply))
        .unwrap();
    assert_eq!(text(&reply), "?");

    let redirected = std::iter::from_fn(|| messenger.poll_connection_event());
    let redirected: Vec<_> = redirected
        .filter_map(|event| match event {
            ConnectionEvent::Redirected { address, error } => {
                let said = error.to_string();
                assert!(
                    said.contains("/orders") && said.contains("redirect"),
                    "{said}"
                );
                Some(address)
            }
            _ => None,
        })
        .collect();
    assert_eq!(redirected, [format!("amqp://127.0.0.1:{port}/there")]);
    messenger.stop().unwrap();
}

#[test]
fn a_subscription_is_opened_where_its_peer_sends_it() {
    let there = Broker::start(|_, engine: &mut Engine, event| match event {
        Event::Flow(link) => {
            if let Ok(mut sender) = engine.sender(link)
                && sender.credit() > 0
            {
                let message = Message::with_body("news").to_bytes();
                sender.send_settled(b"1", message).unwrap();
            }
            Dealt::Done
        }
        _ => Dealt::Usual,
    });
    let port = there.port;
    let away = sends_away(move || to_port(port, "news"));
    let mut messenger = Wire::Tcp.client();
    let address = format!("{}/q", away.address);
    let subscription = messenger.subscribe(&address).unwrap();
    messenger.recv(1).unwrap();
    let mut message = Message::new();
    messenger.get(&mut message).unwrap();
    assert_eq!(text(&message), "news");
    assert_eq!(messenger.incoming_subscription(), Some(subscription));
    assert_eq!(
        messenger.subscription_address(subscription),
        Some(format!("amqp://127.0.0.1:{port}/news"))
    );
    assert_eq!(messenger.address_reason(&address).unwrap(), None);
    messenger.recv(Credit::Cancel).unwrap();
    messenger.stop().unwrap();
}

#[test]
fn links_that_are_sent_around_for_ever_are_told_of_with_what_the_peer_said() {
    let port = Arc::new(Mutex::new(0));
    let own = Arc::clone(&port);
    let mut n = 0;
    let away = sends_away(move || {
        n += 1;
        to_port(*own.lock().unwrap(), &format!("q{n}"))
    });
    *port.lock().unwrap() = away.port;
    let mut messenger = Wire::Tcp.client();
    messenger.set_outgoing_window(1);
    let address = format!("{}/q", away.address);
    let tracker = messenger.put(&message_to(&address, "x")).unwrap();
    let error = messenger.send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Remote);
    assert!(error.to_string().contains("amqp:link:redirect"), "{error}");
    assert_eq!(messenger.status(tracker), Status::Aborted);
    let known = messenger.address_reason(&address).unwrap();
    assert_eq!(
        known.map(ferrion_messenger::Error::kind),
        Some(ErrorKind::Remote)
    );
}

// ---- TLS ----

fn config(identity: &Identity) -> Arc<rustls::ServerConfig> {
    let chain = vec![CertificateDer::from_pem_file(&identity.certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&identity.key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key);
    Arc::new(config.unwrap())
}

/// A certificate for this name, and for nothing else.
fn for_name(name: &str) -> Identity {
    pki().issue(name, |params| {
        params.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
    })
}

/// What the peer heard that a redirection named `node.example`, with this certificate, and how that ended.
fn sent_to_node_example(
    certificate: &Identity,
    by_link: bool,
) -> (
    Vec<Option<String>>,
    Vec<String>,
    ferrion_messenger::Result<()>,
) {
    let opened = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&opened);
    let there = Broker::over_tls(config(certificate), move |_, engine, event| {
        if event == Event::RemoteOpen {
            let open = engine.connection().remote().unwrap().hostname.clone();
            told.lock()
                .unwrap()
                .extend(open.map(|name| name.to_string()));
        }
        Dealt::Usual
    });
    let elsewhere = Redirect {
        hostname: Some("node.example".into()),
        network_host: Some("127.0.0.1".into()),
        port: Some(there.port),
        ..Redirect::default()
    };
    let home = Broker::over_tls(config(&pki().server), move |_, engine, event| match event {
        Event::RemoteOpen if !by_link => {
            let mut connection = engine.connection();
            connection.open().unwrap();
            connection.close(Some(elsewhere.connection())).unwrap();
            Dealt::Done
        }
        Event::LinkAttached(link) if by_link => {
            let condition = elsewhere.link();
            engine.link(link).unwrap().refuse(condition).unwrap();
            Dealt::Done
        }
        // It is closed already.
        Event::SessionBegun(_) | Event::LinkAttached(_) if !by_link => Dealt::Done,
        _ => Dealt::Usual,
    });
    let mut messenger = Wire::Tls.client();
    messenger.set_outgoing_window(1);
    let address = format!("amqps://localhost:{}/q", home.port);
    messenger.put(&message_to(&address, "x")).unwrap();
    let sent = messenger.send();
    drop(messenger);
    assert_eq!(home.server_names(), [Some("localhost".to_owned())]);
    let names = there.server_names();
    let opened = opened.lock().unwrap().clone();
    (names, opened, sent)
}

#[test]
fn over_tls_the_hostname_of_a_redirection_is_who_has_to_be_there() {
    let named = for_name("node.example");
    for by_link in [false, true] {
        let (names, opened, sent) = sent_to_node_example(&named, by_link);
        sent.unwrap();
        // What was connected to is 127.0.0.1.
        assert_eq!(names, [Some("node.example".to_owned())]);
        assert_eq!(opened, ["node.example"]);
    }
}

#[test]
fn over_tls_nobody_else_is_taken_for_the_hostname_of_a_redirection() {
    // Good for where it is, and for where it was sent from.
    let others = [pki().server.clone(), for_name("other.example")];
    for other in others {
        for by_link in [false, true] {
            let (names, opened, sent) = sent_to_node_example(&other, by_link);
            let error = sent.unwrap_err();
            assert!(
                matches!(
                    &error,
                    ferrion_messenger::Error::Tls {
                        fault: TlsFault::WrongName { .. },
                        ..
                    }
                ),
                "{error}"
            );
            assert!(error.to_string().contains("node.example"), "{error}");
            assert_eq!(names, [Some("node.example".to_owned())]);
            assert_eq!(opened, [""; 0]);
        }
    }
}
