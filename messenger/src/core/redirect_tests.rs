//! A core whose peers send it elsewhere: what it names there, and what it tells.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;

use bytes::Buf;
use ferrion_engine::message::Message;
use ferrion_engine::protocol::Redirect;
use ferrion_engine::sasl::{
    Mechanism, Nonce, SaslAnswer, SaslConfig, SaslRequest, SaslServer, ScramCredentials,
    ScramServer,
};
use ferrion_engine::{Config, Engine, Event, Time};

use super::login::Seeds;
use super::{Action, Core};
use crate::error::{Error, ErrorKind};

const NOW: Time = Time(1000);

/// What a peer that takes PLAIN, OAUTHBEARER and ANONYMOUS got to know.
#[derive(Debug, Default)]
pub(super) struct Heard {
    hostname: Option<String>,
    secret: Option<Vec<u8>>,
    /// How the core logged in, if it did.
    pub(super) mechanism: Option<Mechanism>,
}

/// Lets the core talk to a peer that closes as soon as it is open, or goes on if there is nowhere to send to.
pub(super) fn meet(
    core: &mut Core,
    offered: &[Mechanism],
    elsewhere: Option<&Redirect>,
) -> (Action, Heard) {
    core.pump(NOW);
    let mut actions = std::iter::from_fn(|| core.next_action());
    let action = actions.find(|action| matches!(action, Action::Connect { .. }));
    let Some(action @ Action::Connect { conn, .. }) = action else {
        panic!("nobody is connected to");
    };
    let mut config = Config::new("peer");
    let scram = ScramServer::new(Nonce::from_random([3; 18]), vec![4; 32]);
    let server = SaslServer::new(offered.iter().copied()).scram(scram);
    config.sasl = SaslConfig::Server(server);
    let mut peer = Engine::server(config);
    let mut heard = Heard::default();
    core.connected(conn, NOW, None);
    for _ in 0..10 {
        core.pump(NOW);
        while let Some(mut output) = core.output(conn, NOW)
            && output.has_remaining()
        {
            let octets = output.chunk().to_vec();
            output.advance(octets.len());
            peer.recv_buffer(octets.len()).extend_from_slice(&octets);
        }
        core.flushed(conn, NOW);
        peer.recv_filled(NOW);
        while let Some(event) = peer.poll_event() {
            match event {
                Event::Authenticate => {
                    heard.secret = match peer.sasl_request() {
                        Some(SaslRequest::Plain { password, .. }) => Some(password.as_bytes()),
                        Some(SaslRequest::Bearer { token, .. }) => Some(token.as_bytes()),
                        _ => None,
                    }
                    .map(<[u8]>::to_vec);
                    let answer = match peer.sasl_request() {
                        Some(SaslRequest::Scram { hash, .. }) => {
                            let stored = ScramCredentials::derive(*hash, "secret", b"salt", 4096);
                            SaslAnswer::Scram(stored.unwrap())
                        }
                        _ => SaslAnswer::Accept,
                    };
                    peer.sasl_answer(answer).unwrap();
                }
                Event::RemoteOpen => {
                    let chosen = peer.sasl_mechanism().unwrap();
                    heard.mechanism = Mechanism::from_name(chosen.as_str());
                    let open = peer.connection().remote().unwrap().clone();
                    heard.hostname = open.hostname.map(|name| name.to_string());
                    peer.connection().open().unwrap();
                    if let Some(elsewhere) = elsewhere {
                        let condition = elsewhere.connection();
                        peer.connection().close(Some(condition)).unwrap();
                    }
                }
                _ => {}
            }
        }
        let mut output = peer.transmit(NOW);
        let mut octets = Vec::new();
        while output.has_remaining() {
            octets.extend_from_slice(output.chunk());
            output.advance(output.chunk().len());
        }
        core.input(conn, NOW, &octets);
    }
    (action, heard)
}

/// Puts to this address, and goes from a peer that admits everybody to where that one sends it.
pub(super) fn sent_elsewhere(core: &mut Core, address: &str, elsewhere: &Redirect) {
    let mut message = Message::with_body("x");
    message.set_address(address);
    core.set_outgoing_window(1);
    core.put(&message).unwrap();
    let offered = [
        Mechanism::Anonymous,
        Mechanism::Plain,
        Mechanism::OAuthBearer,
    ];
    meet(core, &offered, Some(elsewhere));
    // What is left to do about the first peer.
    while core.take_send_error().is_some() {}
}

pub(super) fn core() -> Core {
    Core::new("client".into(), Seeds::new([1; 32], [2; 32]))
}

pub(super) fn elsewhere(hostname: Option<&str>, network_host: Option<&str>) -> Redirect {
    Redirect {
        hostname: hostname.map(Into::into),
        network_host: network_host.map(Into::into),
        port: Some(7000),
        ..Redirect::default()
    }
}

#[test]
fn the_hostname_of_a_redirection_is_who_is_asked_for_and_its_network_host_where() {
    for (hostname, network_host, name, host) in [
        (
            Some("node.example"),
            Some("10.0.0.7"),
            "node.example",
            "10.0.0.7",
        ),
        (None, Some("10.0.0.7"), "10.0.0.7", "10.0.0.7"),
        (Some("node.example"), None, "node.example", "node.example"),
        (Some(""), Some("10.0.0.7"), "10.0.0.7", "10.0.0.7"),
    ] {
        let mut core = core();
        let there = elsewhere(hostname, network_host);
        sent_elsewhere(&mut core, "amqps://first/q", &there);
        let (action, heard) = meet(&mut core, &[Mechanism::Anonymous], None);
        let Action::Connect {
            host: to,
            port,
            name: asked,
            ..
        } = action
        else {
            panic!("{action:?}");
        };
        assert_eq!((to.as_str(), port, asked.as_str()), (host, 7000, name));
        assert_eq!(heard.hostname.as_deref(), Some(name));
    }
}

#[test]
fn a_name_that_is_none_is_not_followed() {
    for bad in ["a b", "a\r\nHost: b", "user@host", "a/b"] {
        for there in [elsewhere(Some(bad), Some("h")), elsewhere(None, Some(bad))] {
            let mut core = core();
            let mut message = Message::with_body("x");
            message.set_address("ws://first/q");
            core.set_outgoing_window(1);
            core.put(&message).unwrap();
            meet(&mut core, &[Mechanism::Anonymous], Some(&there));
            let error = core.take_send_error();
            let again = std::iter::from_fn(|| core.next_action())
                .filter_map(|action| match action {
                    Action::Connect { host, .. } => Some(host),
                    _ => None,
                })
                .collect::<Vec<_>>();
            assert!(again.iter().all(|host| host == "first"), "{again:?}");
            assert!(error.is_none_or(|error| error.kind() == ErrorKind::Remote));
        }
    }
}

/// What a peer that takes PLAIN and OAUTHBEARER only hears, when another sent us there.
fn told(core: &mut Core, address: &str, there: &Redirect) -> (Option<Vec<u8>>, Option<Error>) {
    sent_elsewhere(core, address, there);
    let (_, heard) = meet(core, &[Mechanism::Plain, Mechanism::OAuthBearer], None);
    (heard.secret, core.take_send_error())
}

#[test]
fn no_password_or_token_is_told_to_whom_only_a_peer_named() {
    for scheme in ["amqps", "wss", "amqp", "ws"] {
        for there in [
            elsewhere(None, Some("stranger")),
            elsewhere(Some("stranger"), Some("first")),
        ] {
            let mut core = core();
            core.options.allow_plain = true;
            let address = format!("{scheme}://ann:secret@first/q");
            let (secret, error) = told(&mut core, &address, &there);
            assert_eq!(secret, None, "{scheme} {there}");
            let error = error.unwrap();
            assert_eq!(error.kind(), ErrorKind::Login);
            assert!(error.to_string().contains("set_alternatives"), "{error}");

            let mut core = super::redirect_tests::core();
            core.options.allow_plain = true;
            core.options.token = Some("t0ken".into());
            let address = format!("{scheme}://first/q");
            let (secret, error) = told(&mut core, &address, &there);
            assert_eq!(secret, None, "{scheme} {there}");
            assert_eq!(error.unwrap().kind(), ErrorKind::Login);
        }
    }
}

#[test]
fn in_tls_a_host_that_the_user_named_is_told_the_password_wherever_it_is() {
    let expected = HashMap::from([("first", true), ("OTHER", true), ("third", false)]);
    for (name, is_told) in expected {
        for accepts_any in [false, true] {
            let mut core = core();
            core.options.accepts_any = accepts_any;
            core.set_alternatives("amqps://first", &["other"]).unwrap();
            let there = elsewhere(Some(name), Some("10.0.0.7"));
            let (secret, _) = told(&mut core, "amqps://ann:secret@first/q", &there);
            // Where any certificate will do, none shows who it is.
            let is_told = is_told && !accepts_any;
            assert_eq!(secret.is_some(), is_told, "{name} {accepts_any}");
        }
    }
    // In clear nothing shows who it is.
    let mut core = core();
    core.options.allow_plain = true;
    let there = elsewhere(None, Some("first"));
    let (secret, _) = told(&mut core, "amqp://ann:secret@first/q", &there);
    assert_eq!(secret, None);
}
