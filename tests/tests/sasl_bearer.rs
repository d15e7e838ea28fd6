//! OAUTHBEARER (RFC 7628) and XOAUTH2.

use ferrion_engine::sasl::{Mechanism, SaslAnswer, SaslClient, SaslRequest};
use ferrion_engine::{Event, SaslFailure};
use ferrion_tests::build::{sasl_challenge, sasl_outcome, sasl_response};
use ferrion_tests::oracle::V;
use ferrion_tests::peer::{Peer, client_with, server_with};
use ferrion_tests::sasl::{
    AUTH, OK, SYS_TEMP, as_client, as_server, gave_up, init, offered, opens, turned_away,
};

const TOKEN: &str = "vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==";
/// What RFC 7628, 3.2.2 prints.
const REFUSAL: &str = r#"{"status":"invalid_token","scope":"example_scope"}"#;

/// A mechanism, its name, a message of its, and what a client says to a refusal.
fn both() -> [(SaslClient, Mechanism, String, &'static [u8]); 2] {
    let bearer = SaslClient::oauthbearer("user@example.com", TOKEN).allow_clear_text(true);
    let older = SaslClient::xoauth2("user@example.com", TOKEN).allow_clear_text(true);
    [
        (
            bearer,
            Mechanism::OAuthBearer,
            format!("n,a=user@example.com,\x01host=broker\x01auth=Bearer {TOKEN}\x01\x01"),
            b"\x01",
        ),
        (
            older,
            Mechanism::XOAuth2,
            format!("user=user@example.com\x01auth=Bearer {TOKEN}\x01\x01"),
            b"",
        ),
    ]
}

fn shown(p: &mut Peer, mechanism: Mechanism, message: &str) {
    offered(p, &["PLAIN", mechanism.name()]);
    p.expect(0x41)
        .is("mechanism", &V::sym(mechanism.name()))
        .initial_response(message.as_bytes());
    p.expect_nothing();
}

#[test]
fn a_client_shows_its_token() {
    for (client, mechanism, message, _) in both() {
        client_with(as_client(client), |p| {
            shown(p, mechanism, &message);
            p.inject(sasl_outcome().code(OK));
            p.expect_events(&[Event::Authenticated]);
            opens(p);
        });
    }
}

#[test]
fn a_refused_client_takes_note_and_says_what_the_server_said() {
    for (client, mechanism, message, note) in both() {
        client_with(as_client(client), |p| {
            shown(p, mechanism, &message);
            p.inject(sasl_challenge().challenge(REFUSAL.as_bytes()));
            p.expect(0x43).response(note);
            p.expect_nothing();
            p.inject(sasl_outcome().code(AUTH));
            let failure = gave_up(p);
            assert!(failure.to_string().contains(REFUSAL), "{failure}");
            let detail = Some(REFUSAL.to_owned());
            assert_eq!(failure, SaslFailure::Refused { detail });
        });
    }
}

#[test]
fn what_the_server_says_can_harm_no_terminal() {
    let (client, mechanism, message, note) = both()[0].clone();
    client_with(as_client(client), |p| {
        shown(p, mechanism, &message);
        let text = [b"\x1b[2J\xff\0".as_slice(), &[b'x'; 400]].concat();
        p.inject(sasl_challenge().challenge(&text));
        p.expect(0x43).response(note);
        p.inject(sasl_outcome().code(AUTH));
        match gave_up(p) {
            SaslFailure::Refused { detail: Some(text) } => {
                assert!(!text.contains(char::is_control) && text.chars().count() <= 300);
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_server_that_refuses_and_admits_is_not_believed() {
    for (client, mechanism, message, note) in both() {
        client_with(as_client(client.clone()), |p| {
            shown(p, mechanism, &message);
            p.inject(sasl_challenge().challenge(REFUSAL.as_bytes()));
            p.expect(0x43).response(note);
            p.inject(sasl_outcome().code(OK));
            assert!(matches!(gave_up(p), SaslFailure::Protocol(_)));
        });
        client_with(as_client(client), |p| {
            shown(p, mechanism, &message);
            for _ in 0..2 {
                p.inject(sasl_challenge().challenge(REFUSAL.as_bytes()));
            }
            p.expect(0x43).response(note);
            assert!(matches!(gave_up(p), SaslFailure::Protocol(_)));
        });
    }
}

#[test]
fn a_server_that_overlooked_the_token_is_shown_it_once_more() {
    for (client, mechanism, message, _) in both() {
        client_with(as_client(client), |p| {
            shown(p, mechanism, &message);
            p.inject(sasl_challenge().challenge(b""));
            p.expect(0x43).response(message.as_bytes());
            p.inject(sasl_outcome().code(OK));
            opens(p);
        });
    }
}

#[test]
fn tokens_and_users_that_would_break_the_message_are_not_sent() {
    for (user, token) in [
        ("user", ""),
        ("user", "a b"),
        ("user", "a\x01b"),
        ("user", "\u{e4}"),
        ("us\x01er", "t"),
    ] {
        for client in [
            SaslClient::oauthbearer(user, token),
            SaslClient::xoauth2(user, token),
        ] {
            client_with(as_client(client.allow_clear_text(true)), |p| {
                offered(p, &["OAUTHBEARER", "XOAUTH2"]);
                assert!(matches!(gave_up(p), SaslFailure::Credentials(_)));
            });
        }
    }
}

#[test]
fn a_server_asks_its_embedder_about_the_token() {
    for (_, mechanism, message, _) in both() {
        server_with(as_server(&[mechanism]), |p| {
            init(p, mechanism.name(), message.as_bytes());
            p.expect_events(&[Event::Authenticate]);
            p.expect_nothing();
            let host = (mechanism == Mechanism::OAuthBearer).then(|| "broker".into());
            assert_eq!(
                p.engine().sasl_request(),
                Some(&SaslRequest::Bearer {
                    mechanism,
                    user: "user@example.com".into(),
                    token: TOKEN.into(),
                    host,
                    port: None,
                })
            );
            p.engine().sasl_answer(SaslAnswer::Accept).unwrap();
            p.expect(0x44).code(OK);
            p.expect_events(&[Event::Authenticated]);
            p.opened();
        });
    }
}

#[test]
fn a_server_says_why_before_it_ends() {
    for (_, mechanism, message, note) in both() {
        for why in [None, Some(REFUSAL)] {
            server_with(as_server(&[mechanism]), |p| {
                init(p, mechanism.name(), message.as_bytes());
                let answer =
                    why.map_or(SaslAnswer::Reject, |why| SaslAnswer::RejectWith(why.into()));
                p.engine().sasl_answer(answer).unwrap();
                p.expect(0x42)
                    .check("a JSON object with a status", |challenge| {
                        let expected = why.unwrap_or("status");
                        match challenge.get("challenge") {
                            V::Bin(octets) => String::from_utf8(octets).unwrap().contains(expected),
                            _ => false,
                        }
                    });
                p.expect_nothing();
                p.inject(sasl_response().response(note));
                assert_eq!(turned_away(p), SaslFailure::Refused { detail: None });
            });
        }
        server_with(as_server(&[mechanism]), |p| {
            init(p, mechanism.name(), message.as_bytes());
            p.engine().sasl_answer(SaslAnswer::Unavailable).unwrap();
            p.expect(0x44).code(SYS_TEMP);
        });
    }
}

#[test]
fn messages_of_other_clients_are_understood() {
    // RFC 7628, 4.1 and 4.2; a key that is not known; a scheme in another case.
    for (message, user, host, port) in [
        (
            "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer t\x01\x01",
            "user@example.com",
            Some("server.example.com"),
            Some(143),
        ),
        ("n,,\x01auth=bearer  t\x01\x01", "", None, None),
        (
            "y,,\x01mthd=POST\x01auth=BEARER t\x01qs=a=b\x01\x01",
            "",
            None,
            None,
        ),
    ] {
        server_with(as_server(&[Mechanism::OAuthBearer]), |p| {
            init(p, "OAUTHBEARER", message.as_bytes());
            assert_eq!(
                p.engine().sasl_request(),
                Some(&SaslRequest::Bearer {
                    mechanism: Mechanism::OAuthBearer,
                    user: user.into(),
                    token: "t".into(),
                    host: host.map(Into::into),
                    port,
                })
            );
        });
    }
}

#[test]
fn messages_that_cannot_be_read_are_turned_away() {
    let broken: [&[u8]; 13] = [
        b"",
        b"\xff",
        b"n,,",
        b"n,,\x01\x01",
        b"n,,\x01auth=Bearer t",
        b"n,,\x01auth=Bearer t\x01",
        b"n,,\x01auth=Basic t\x01\x01",
        b"n,,\x01auth=Bearer \x01\x01",
        b"n,,\x01auth=Bearer t\x01auth=Bearer u\x01\x01",
        b"n,,\x01port=x\x01auth=Bearer t\x01\x01",
        b"n,,\x01=x\x01auth=Bearer t\x01\x01",
        b"n,,\x01noise\x01auth=Bearer t\x01\x01",
        b"p=tls-unique,,\x01auth=Bearer t\x01\x01",
    ];
    for message in broken {
        server_with(as_server(&[Mechanism::OAuthBearer]), |p| {
            init(p, "OAUTHBEARER", message);
            assert_eq!(turned_away(p), SaslFailure::Refused { detail: None });
        });
    }
    for message in [
        "user=u\x01auth=Bearer t\x01",
        "u\x01auth=Bearer t\x01\x01",
        "user=u",
    ] {
        server_with(as_server(&[Mechanism::XOAuth2]), |p| {
            init(p, "XOAUTH2", message.as_bytes());
            assert_eq!(turned_away(p), SaslFailure::Refused { detail: None });
        });
    }
}
