//! SCRAM (RFC 5802, RFC 7677) with the exchanges that the standards print, and everything that can go wrong in it.

#[path = "../../messenger/tests/support/cost.rs"]
mod cost;

use ferrion_engine::sasl::{
    Mechanism, Nonce, SaslAnswer, SaslClient, SaslRequest, SaslServer, ScramCredentials, ScramHash,
    ScramServer,
};
use ferrion_engine::{Config, Event, SaslFailure, UsageError};
use ferrion_tests::build::{
    sasl_challenge, sasl_init, sasl_mechanisms, sasl_outcome, sasl_response,
};
use ferrion_tests::oracle::V;
use ferrion_tests::peer::{Peer, client_with, server_with};
use ferrion_tests::sasl::{
    AUTH, OK, SYS_TEMP, as_client, gave_up, init, offered, opens, serving, turned_away,
};

/// An exchange of the user `user` with the password `pencil`.
struct Vector {
    hash: ScramHash,
    client_nonce: &'static str,
    server_nonce: &'static str,
    /// Octets, as the second message has them in base64.
    salt: &'static [u8],
    first: &'static str,
    challenge: &'static str,
    last: &'static str,
    verdict: &'static str,
}

/// RFC 5802, 5.
const SHA_1: Vector = Vector {
    hash: ScramHash::Sha1,
    client_nonce: "fyko+d2lbbFgONRv9qkxdawL",
    server_nonce: "3rfcNHYJY1ZVvWVs7j",
    salt: &[
        0x41, 0x25, 0xc2, 0x47, 0xe4, 0x3a, 0xb1, 0xe9, 0x3c, 0x6d, 0xff, 0x76,
    ],
    first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    challenge: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    last: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    verdict: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
};

/// RFC 7677, 3.
const SHA_256: Vector = Vector {
    hash: ScramHash::Sha256,
    client_nonce: "rOprNGfwEbeRWgbNEkqO",
    server_nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    salt: &[
        0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa,
        0x81,
    ],
    first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    challenge: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    last: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    verdict: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
};

impl Vector {
    fn name(&self) -> &'static str {
        Mechanism::Scram(self.hash).name()
    }

    fn client(&self) -> SaslClient {
        let nonce = Nonce::from_text(self.client_nonce).unwrap();
        SaslClient::scram([self.hash], "user", "pencil", nonce)
    }

    fn server(&self) -> Config {
        let nonce = Nonce::from_text(self.server_nonce).unwrap();
        let mut settings = ScramServer::new(nonce, "a secret of this server");
        settings.salt_octets = self.salt.len();
        serving(SaslServer::new([Mechanism::Scram(self.hash)]).scram(settings))
    }

    fn stored(&self) -> ScramCredentials {
        ScramCredentials::derive(self.hash, "pencil", self.salt, 4096).unwrap()
    }
}

const BOTH: [Vector; 2] = [SHA_1, SHA_256];

/// A client engine up to where the script, as the server, sends its challenge.
fn begun(p: &mut Peer, vector: &Vector) {
    offered(p, &[vector.name()]);
    p.expect(0x41)
        .is("mechanism", &V::sym(vector.name()))
        .hostname("broker")
        .initial_response(vector.first.as_bytes());
}

fn challenge(p: &mut Peer, text: &str) {
    p.inject(sasl_challenge().challenge(text.as_bytes()));
}

/// A client engine up to where it has sent its proof.
fn proved(p: &mut Peer, vector: &Vector) {
    begun(p, vector);
    challenge(p, vector.challenge);
    p.expect(0x43).response(vector.last.as_bytes());
}

/// A server engine up to where it asks for the credentials of `user`.
fn asked(p: &mut Peer, vector: &Vector) {
    init(p, vector.name(), vector.first.as_bytes());
    p.expect_events(&[Event::Authenticate]);
    assert_eq!(
        p.engine().sasl_request(),
        Some(&SaslRequest::Scram {
            hash: vector.hash,
            authorize_as: "".into(),
            user: "user".into(),
        })
    );
}

/// A server engine up to where it waits for the proof.
fn answered(p: &mut Peer, vector: &Vector) {
    asked(p, vector);
    let stored = vector.stored();
    p.engine().sasl_answer(SaslAnswer::Scram(stored)).unwrap();
    p.expect(0x42).challenge(vector.challenge.as_bytes());
}

// ----- the client

#[test]
fn a_client_says_what_the_standards_print_and_takes_the_proof_with_the_outcome() {
    for vector in BOTH {
        client_with(as_client(vector.client()), |p| {
            proved(p, &vector);
            p.expect_nothing();
            p.inject(
                sasl_outcome()
                    .code(OK)
                    .additional_data(vector.verdict.as_bytes()),
            );
            p.expect_events(&[Event::Authenticated]);
            assert_eq!(p.engine().sasl_mechanism().unwrap().as_str(), vector.name());
            opens(p);
        });
    }
}

#[test]
fn a_client_takes_the_proof_as_one_more_challenge() {
    for vector in BOTH {
        client_with(as_client(vector.client()), |p| {
            proved(p, &vector);
            challenge(p, vector.verdict);
            p.expect(0x43).response(b"");
            p.expect_nothing();
            p.inject(sasl_outcome().code(OK));
            p.expect_events(&[Event::Authenticated]);
            opens(p);
        });
    }
}

#[test]
fn a_server_that_admits_without_a_proof_is_an_impostor() {
    client_with(as_client(SHA_256.client()), |p| {
        proved(p, &SHA_256);
        p.inject(sasl_outcome().code(OK));
        assert_eq!(gave_up(p), SaslFailure::Impostor);
    });
    client_with(as_client(SHA_256.client()), |p| {
        begun(p, &SHA_256);
        let verdict = SHA_256.verdict.as_bytes();
        p.inject(sasl_outcome().code(OK).additional_data(verdict));
        assert_eq!(gave_up(p), SaslFailure::Impostor);
    });
}

#[test]
fn a_server_with_another_signature_is_an_impostor() {
    let other = SHA_256.verdict.replacen('6', "7", 1);
    for verdict in [other.as_str(), "v=", SHA_1.verdict] {
        client_with(as_client(SHA_256.client()), |p| {
            proved(p, &SHA_256);
            let verdict = verdict.as_bytes();
            p.inject(sasl_outcome().code(OK).additional_data(verdict));
            assert_eq!(gave_up(p), SaslFailure::Impostor);
        });
        client_with(as_client(SHA_256.client()), |p| {
            proved(p, &SHA_256);
            challenge(p, verdict);
            assert_eq!(gave_up(p), SaslFailure::Impostor);
        });
    }
}

#[test]
fn a_client_is_told_that_its_password_is_wrong() {
    client_with(as_client(SHA_256.client()), |p| {
        proved(p, &SHA_256);
        p.inject(sasl_outcome().code(AUTH));
        assert_eq!(gave_up(p), SaslFailure::Refused { detail: None });
    });
    client_with(as_client(SHA_256.client()), |p| {
        proved(p, &SHA_256);
        challenge(p, "e=invalid-proof");
        let detail = Some("invalid-proof".to_owned());
        assert_eq!(gave_up(p), SaslFailure::Refused { detail });
    });
}

#[test]
fn a_nonce_that_does_not_extend_the_clients_is_a_replay() {
    for nonce in [
        "rOprNGfwEbeRWgbNEkqO",
        "rOprNGfwEbeRWgbNEkqo%hvYDpWUa2RaTCAfuxFIlj",
        "%hvYDpWUa2RaTCAfuxFIlj",
        "x",
    ] {
        client_with(as_client(SHA_256.client()), |p| {
            begun(p, &SHA_256);
            challenge(p, &format!("r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
            match gave_up(p) {
                SaslFailure::Protocol(text) => assert!(text.contains("nonce"), "{text}"),
                other => panic!("{other:?}"),
            }
        });
    }
}

#[test]
fn too_few_and_too_many_iterations_are_refused() {
    let nonce = "rOprNGfwEbeRWgbNEkqOx";
    for asked in [0, 1, 4095, 600_001, 4_294_967_296, u64::MAX] {
        client_with(as_client(SHA_256.client()), |p| {
            begun(p, &SHA_256);
            challenge(
                p,
                &format!("r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i={asked}"),
            );
            let (least, most) = (4096, 600_000);
            assert_eq!(gave_up(p), SaslFailure::Iterations { asked, least, most });
        });
    }
    client_with(as_client(SHA_256.client()), |p| {
        begun(p, &SHA_256);
        let long = "9".repeat(100);
        challenge(p, &format!("r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i={long}"));
        assert!(matches!(
            gave_up(p),
            SaslFailure::Iterations {
                asked: u64::MAX,
                ..
            }
        ));
    });
}

#[test]
fn the_bounds_of_iterations_can_be_moved() {
    let mut config = as_client(SHA_256.client().least_iterations(10));
    config.limits.scram_iterations = 20;
    for (asked, taken) in [(9, false), (10, true), (20, true), (21, false)] {
        client_with(config.clone(), |p| {
            begun(p, &SHA_256);
            challenge(
                p,
                &format!("r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i={asked}"),
            );
            if taken {
                p.expect(0x43);
            } else {
                assert!(matches!(gave_up(p), SaslFailure::Iterations { .. }));
            }
        });
    }
}

#[test]
fn garbage_at_each_step_ends_the_clients_exchange() {
    let garbage: [&[u8]; 16] = [
        b"",
        b"\xff\xfe",
        b"r=",
        b"hello",
        b"r=rOprNGfwEbeRWgbNEkqOx",
        b"r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096",
        b"r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096",
        b"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf9,i=4096",
        b"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92",
        b"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=",
        b"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=-1",
        b"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=+4096",
        b"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=4096,",
        b"m=ext,r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=4096",
        b"s=QSXCR+Q6sek8bf92,r=rOprNGfwEbeRWgbNEkqOx,i=4096",
        b"r=rOprNGfwEbeRWgbNEkqO\x01,s=QSXCR+Q6sek8bf92,i=4096",
    ];
    for octets in garbage {
        client_with(as_client(SHA_256.client()), |p| {
            begun(p, &SHA_256);
            p.inject(sasl_challenge().challenge(octets));
            assert!(matches!(gave_up(p), SaslFailure::Protocol(_)));
        });
        client_with(as_client(SHA_256.client()), |p| {
            proved(p, &SHA_256);
            p.inject(sasl_challenge().challenge(octets));
            assert!(matches!(gave_up(p), SaslFailure::Protocol(_)));
        });
    }
    client_with(as_client(SHA_256.client()), |p| {
        proved(p, &SHA_256);
        challenge(p, SHA_256.verdict);
        p.expect(0x43);
        challenge(p, SHA_256.verdict);
        assert!(matches!(gave_up(p), SaslFailure::Protocol(_)));
    });
}

#[test]
fn frames_out_of_place_end_the_clients_exchange() {
    let frames = [
        sasl_mechanisms().sasl_server_mechanisms(&["SCRAM-SHA-256"]),
        sasl_init().mechanism("SCRAM-SHA-256"),
        sasl_response().response(b""),
    ];
    for frame in frames {
        client_with(as_client(SHA_256.client()), |p| {
            proved(p, &SHA_256);
            p.inject(frame.clone());
            assert!(matches!(gave_up(p), SaslFailure::Protocol(_)));
        });
    }
}

#[test]
fn extensions_of_the_server_are_ignored_but_signed() {
    client_with(as_client(SHA_256.client()), |p| {
        begun(p, &SHA_256);
        challenge(p, &format!("{},x=extension", SHA_256.challenge));
        p.expect(0x43)
            .check("another proof than without", |response| {
                response.get("response") != V::bin(SHA_256.last.as_bytes())
            });
        let verdict = SHA_256.verdict.as_bytes();
        p.inject(sasl_outcome().code(OK).additional_data(verdict));
        assert_eq!(gave_up(p), SaslFailure::Impostor);
    });
}

#[test]
fn the_strongest_hash_that_is_offered_is_taken() {
    for (offer, chosen) in [
        (
            &["SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN"][..],
            "SCRAM-SHA-256",
        ),
        (&["SCRAM-SHA-1", "SCRAM-SHA-512"], "SCRAM-SHA-512"),
        (&["PLAIN", "SCRAM-SHA-1"], "SCRAM-SHA-1"),
        (&["PLAIN"], "PLAIN"),
    ] {
        let nonce = Nonce::from_random([7; 18]);
        let client = SaslClient::scram(ScramHash::STRONGEST_FIRST, "user", "pencil", nonce)
            .or(SaslClient::plain("user", "pencil"))
            .allow_clear_text(true);
        client_with(as_client(client), |p| {
            offered(p, offer);
            p.expect(0x41).is("mechanism", &V::sym(chosen));
        });
    }
}

#[test]
fn users_are_prepared_escaped_and_may_ask_for_the_rights_of_others() {
    let nonce = || Nonce::from_text("n0").unwrap();
    for (user, authorize_as, first) in [
        ("a=b,c", "", "n,,n=a=3Db=2Cc,r=n0"),
        ("user", "ad,min", "n,a=ad=2Cmin,n=user,r=n0"),
        ("I\u{ad}X\u{aa}", "", "n,,n=IXa,r=n0"),
    ] {
        let client = SaslClient::scram([ScramHash::Sha1], user, "pencil", nonce());
        client_with(as_client(client.authorize_as(authorize_as)), |p| {
            offered(p, &["SCRAM-SHA-1"]);
            p.expect(0x41).initial_response(first.as_bytes());
        });
    }
}

#[test]
fn credentials_that_saslprep_forbids_are_told_of() {
    for (user, password) in [("", "pencil"), ("us\u{7}er", "pencil")] {
        let nonce = Nonce::from_random([7; 18]);
        let client = SaslClient::scram([ScramHash::Sha1], user, password, nonce);
        client_with(as_client(client), |p| {
            offered(p, &["SCRAM-SHA-1"]);
            assert!(matches!(gave_up(p), SaslFailure::Credentials(_)));
        });
    }
    let nonce = Nonce::from_text(SHA_1.client_nonce).unwrap();
    let client = SaslClient::scram([ScramHash::Sha1], "user", "pen\u{e000}cil", nonce);
    client_with(as_client(client), |p| {
        begun(p, &SHA_1);
        challenge(p, SHA_1.challenge);
        assert!(matches!(gave_up(p), SaslFailure::Credentials(_)));
    });
    assert!(ScramCredentials::derive(ScramHash::Sha1, "", b"salt", 4096).is_err());
    assert!(ScramCredentials::derive(ScramHash::Sha1, "pencil", b"", 4096).is_err());
    assert!(ScramCredentials::derive(ScramHash::Sha1, "pencil", b"salt", 0).is_err());
    for text in ["", "a,b", "a b", "\u{e4}"] {
        assert!(Nonce::from_text(text).is_err());
    }
}

// ----- the server

#[test]
fn a_server_says_what_the_standards_print() {
    for vector in BOTH {
        server_with(vector.server(), |p| {
            answered(p, &vector);
            p.inject(sasl_response().response(vector.last.as_bytes()));
            p.expect(0x44)
                .code(OK)
                .additional_data(vector.verdict.as_bytes());
            p.expect_events(&[Event::Authenticated]);
            assert_eq!(p.engine().sasl_mechanism().unwrap().as_str(), vector.name());
            p.opened();
        });
    }
}

#[test]
fn a_server_asks_for_the_first_message_if_it_was_left_out() {
    server_with(SHA_1.server(), |p| {
        p.inject_raw(&ferrion_tests::oracle::SASL_HEADER);
        p.expect_header(ferrion_tests::oracle::SASL_HEADER);
        p.expect(0x40).sasl_server_mechanisms(&["SCRAM-SHA-1"]);
        p.inject(sasl_init().mechanism("SCRAM-SHA-1"));
        p.expect(0x42).challenge(b"");
        p.inject(sasl_response().response(SHA_1.first.as_bytes()));
        p.expect_events(&[Event::Authenticate]);
    });
}

#[test]
fn an_unknown_user_is_answered_like_a_known_one_with_a_wrong_password() {
    let transcript = |known: bool, last: &str| {
        let shapes = std::cell::RefCell::new(Vec::new());
        server_with(SHA_256.server(), |p| {
            asked(p, &SHA_256);
            let answer = if known {
                SaslAnswer::Scram(SHA_256.stored())
            } else {
                SaslAnswer::Reject
            };
            p.engine().sasl_answer(answer).unwrap();
            p.expect_events(&[]);
            let got = p.expect(0x42);
            shapes.borrow_mut().push(got.size());
            p.inject(sasl_response().response(last.as_bytes()));
            shapes
                .borrow_mut()
                .push(p.expect(0x44).code(AUTH).null("additional-data").size());
            assert_eq!(gave_up(p), SaslFailure::Refused { detail: None });
        });
        shapes.into_inner()
    };
    let wrong = SHA_256.last.replace("p=dH", "p=eH");
    assert_eq!(transcript(true, &wrong), transcript(false, &wrong));
    // Also the right proof of another user is none of this one.
    transcript(false, SHA_256.last);
}

#[test]
fn the_salt_of_an_unknown_user_stays_the_same_and_is_no_others() {
    let key = "a secret of this server";
    let settings = ScramServer::new(Nonce::from_random([1; 18]), key);
    let again = ScramServer::new(Nonce::from_random([2; 18]), key);
    let foreign = ScramServer::new(Nonce::from_random([1; 18]), "another");
    let salt = settings.salt(ScramHash::Sha256, "nobody");
    assert_eq!(salt.len(), 16);
    assert_eq!(salt, again.salt(ScramHash::Sha256, "nobody"));
    assert_ne!(salt, again.salt(ScramHash::Sha256, "noone"));
    assert_ne!(salt, again.salt(ScramHash::Sha1, "nobody"));
    assert_ne!(salt, foreign.salt(ScramHash::Sha256, "nobody"));
}

#[test]
fn proofs_that_prove_nothing_are_turned_away() {
    let last = SHA_256.last;
    let broken = [
        String::new(),
        "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".to_owned(),
        last.replace("p=dH", "p=eH"),
        last.replace("p=dHzb", "p="),
        last.replace(",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", ",p="),
        last.replace(",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", ""),
        last.replace("dVQ=", "dVQ=AAAA"),
        // Another nonce, and the binding of another header.
        last.replace("%hv", "%hw"),
        last.replace("c=biws", "c=eSws"),
        last.replace("c=biws", "c=bj1z"),
        last.replace("c=biws", "c=!"),
        last.replace("c=biws,", ""),
    ];
    for response in broken {
        server_with(SHA_256.server(), |p| {
            answered(p, &SHA_256);
            p.inject(sasl_response().response(response.as_bytes()));
            assert_eq!(turned_away(p), SaslFailure::Refused { detail: None });
        });
    }
}

#[test]
fn first_messages_that_cannot_be_read_are_turned_away() {
    let broken: [&[u8]; 18] = [
        b"",
        b"\xff",
        b"n",
        b"n,,",
        b"n,,n=user",
        b"n,,r=abc,n=user",
        b"n,,n=,r=abc",
        b"n,,n=user,r=",
        b"n,,n=us=er,r=abc",
        b"n,,n=user,r=a\x7fc",
        b"n,,n=user,r=abc,",
        b"n,,m=ext,n=user,r=abc",
        b"n,b=admin,n=user,r=abc",
        b"n,a=,n=user,r=abc",
        b"x,,n=user,r=abc",
        b"n,,n=us\x07er,r=abc",
        // Channel bindings, which nobody offered (RFC 5802, 6).
        b"p=tls-unique,,n=user,r=abc",
        b"p=tls-server-end-point,,n=user,r=abc",
    ];
    for first in broken {
        server_with(SHA_256.server(), |p| {
            init(p, "SCRAM-SHA-256", first);
            assert_eq!(turned_away(p), SaslFailure::Refused { detail: None });
        });
    }
}

#[test]
fn a_client_that_could_bind_a_channel_is_welcome() {
    server_with(SHA_1.server(), |p| {
        init(p, "SCRAM-SHA-1", b"y,a=ad=2Cmin,n=us=3Der,r=abc,x=1");
        p.expect_events(&[Event::Authenticate]);
        assert_eq!(
            p.engine().sasl_request(),
            Some(&SaslRequest::Scram {
                hash: ScramHash::Sha1,
                authorize_as: "ad,min".into(),
                user: "us=er".into(),
            })
        );
    });
}

#[test]
fn frames_out_of_place_end_the_servers_exchange() {
    let first = SHA_1.first.as_bytes();
    let frames = [
        sasl_init().mechanism("SCRAM-SHA-1").initial_response(first),
        sasl_challenge().challenge(b""),
        sasl_mechanisms().sasl_server_mechanisms(&["SCRAM-SHA-1"]),
        sasl_outcome().code(OK),
    ];
    for frame in frames {
        server_with(SHA_1.server(), |p| {
            answered(p, &SHA_1);
            p.inject(frame.clone());
            assert!(matches!(gave_up(p), SaslFailure::Protocol(_)));
        });
        // While the embedder looks up the user: looked at once that has answered.
        server_with(SHA_1.server(), |p| {
            asked(p, &SHA_1);
            p.inject(frame.clone());
            let answer = SaslAnswer::Scram(SHA_1.stored());
            p.engine().sasl_answer(answer).unwrap();
            p.expect(0x42);
            assert!(matches!(gave_up(p), SaslFailure::Protocol(_)));
        });
    }
}

#[test]
fn answers_that_do_not_fit_change_nothing() {
    server_with(SHA_1.server(), |p| {
        let none = p.engine().sasl_answer(SaslAnswer::Accept);
        assert!(matches!(none, Err(UsageError::WrongState(_))));
        asked(p, &SHA_1);
        let other_hash = SaslAnswer::Scram(SHA_256.stored());
        let mut without_salt = SHA_1.stored();
        without_salt.salt = Default::default();
        let mut without_iterations = SHA_1.stored();
        without_iterations.iterations = 0;
        for wrong in [
            SaslAnswer::Accept,
            SaslAnswer::AcceptWith("v=".into()),
            SaslAnswer::RejectWith("{}".into()),
            SaslAnswer::Continue("r=".into()),
            other_hash,
            SaslAnswer::Scram(without_salt),
            SaslAnswer::Scram(without_iterations),
        ] {
            assert!(p.engine().sasl_answer(wrong).is_err());
            p.expect_nothing();
        }
        p.engine()
            .sasl_answer(SaslAnswer::Scram(SHA_1.stored()))
            .unwrap();
        p.expect(0x42).challenge(SHA_1.challenge.as_bytes());
    });
}

#[test]
fn a_server_that_cannot_look_up_users_says_so() {
    server_with(SHA_1.server(), |p| {
        asked(p, &SHA_1);
        p.engine().sasl_answer(SaslAnswer::Unavailable).unwrap();
        p.expect(0x44).code(SYS_TEMP);
        assert_eq!(gave_up(p), SaslFailure::System { temporary: true });
    });
}

#[test]
fn a_password_that_cannot_be_said_takes_as_long_to_refuse_as_others_to_derive() {
    let cost = |password: &str, good: bool| {
        cost::cost(|| {
            let derived = ScramCredentials::derive(ScramHash::Sha256, password, b"salt", 20_000);
            assert_eq!(derived.is_ok(), good, "{password:?}");
        })
    };
    for password in ["bell\u{7}", ""] {
        let costs = [(); 5].map(|()| (cost("pencil", true), cost(password, false)));
        let derived = costs.map(|(derived, _)| derived).into_iter().min().unwrap();
        let refused = costs.map(|(_, refused)| refused).into_iter().min().unwrap();
        assert!(refused * 4 > derived, "{refused:?} and {derived:?}");
    }
}
