//! The SASL layer (5.3).

use bytes::BytesMut;
use ferrion_engine::sasl::{
    Mechanism, SaslAnswer, SaslClient, SaslConfig, SaslRequest, SaslServer,
};
use ferrion_engine::{Config, Engine, Event, Failure, HeaderFailure, SaslFailure, Time};
use ferrion_tests::build::{
    open, sasl_challenge, sasl_init, sasl_mechanisms, sasl_outcome, sasl_response,
};
use ferrion_tests::oracle::{self, AMQP_HEADER, Element, Frame, SASL_HEADER, V};
use ferrion_tests::peer::{Got, Peer, client_with, server_with};
use ferrion_tests::sasl::{
    AUTH, OK, SYS_TEMP, as_client, as_server, gave_up, init, offered, opens, turned_away,
};

fn plain(user: &str, password: &str) -> SaslClient {
    SaslClient::plain(user, password).allow_clear_text(true)
}

#[test]
fn an_anonymous_client_gets_through() {
    client_with(as_client(SaslClient::anonymous()), |p| {
        offered(p, &["PLAIN", "ANONYMOUS"]);
        p.expect(0x41)
            .is("mechanism", &V::sym("ANONYMOUS"))
            .hostname("broker");
        p.expect_nothing();
        p.inject(sasl_outcome().code(OK));
        p.expect_events(&[Event::Authenticated]);
        opens(p);
    });
}

#[test]
fn a_plain_client_sends_no_authorization_identity() {
    client_with(as_client(plain("user", "secret")), |p| {
        offered(p, &["PLAIN"]);
        p.expect(0x41)
            .is("mechanism", &V::sym("PLAIN"))
            .initial_response(b"\0user\0secret");
        p.inject(sasl_outcome().code(OK));
        opens(p);
    });
}

#[test]
fn an_external_client_sends_an_empty_response_rather_than_none() {
    client_with(as_client(SaslClient::external()), |p| {
        offered(p, &["EXTERNAL"]);
        p.expect(0x41)
            .is("mechanism", &V::sym("EXTERNAL"))
            .initial_response(b"");
        p.inject(sasl_outcome().code(OK));
        opens(p);
    });
}

#[test]
fn a_lone_mechanism_may_come_without_an_array() {
    client_with(as_client(SaslClient::anonymous()), |p| {
        p.engine().connection().open().unwrap();
        p.expect_header(SASL_HEADER).respond();
        p.inject(sasl_mechanisms().set("sasl-server-mechanisms", V::sym("ANONYMOUS")));
        p.expect(0x41).is("mechanism", &V::sym("ANONYMOUS"));
    });
}

#[test]
fn a_server_that_offers_nothing_breaks_the_protocol() {
    let empty = V::Array(
        Element {
            descriptors: vec![],
            code: 0xa3,
        },
        vec![],
    );
    for none in [V::Null, empty] {
        client_with(as_client(SaslClient::anonymous()), |p| {
            p.engine().connection().open().unwrap();
            p.expect_header(SASL_HEADER).respond();
            p.inject(sasl_mechanisms().set("sasl-server-mechanisms", none.clone()));
            p.expect_events(&[Event::Disconnected]);
            p.expect_done();
            assert!(matches!(p.engine().failure(), Some(Failure::Sasl(_))));
        });
    }
}

#[test]
fn without_a_common_mechanism_the_client_gives_up_and_says_what_was_offered() {
    client_with(as_client(SaslClient::anonymous()), |p| {
        offered(p, &["PLAIN", "SCRAM-SHA-256"]);
        p.expect_events(&[Event::Disconnected]);
        p.expect_done();
        match p.engine().failure() {
            Some(Failure::Sasl(SaslFailure::NoCommonMechanism { offered })) => {
                assert!(offered.contains("PLAIN") && offered.contains("SCRAM-SHA-256"));
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_refused_client_takes_nothing_that_follows() {
    client_with(as_client(plain("user", "wrong")), |p| {
        offered(p, &["PLAIN"]);
        p.expect(0x41);
        p.inject(sasl_outcome().code(AUTH));
        p.inject_raw(&AMQP_HEADER);
        p.inject(open().container_id("script"));
        p.expect_events(&[Event::Disconnected]);
        p.expect_done();
        assert_eq!(
            p.engine().failure(),
            Some(&Failure::Sasl(SaslFailure::Refused { detail: None }))
        );
        assert!(p.engine().connection().remote().is_none());
    });
}

#[test]
fn a_temporary_failure_of_the_server_is_told_from_a_refusal() {
    client_with(as_client(plain("user", "pw")), |p| {
        offered(p, &["PLAIN"]);
        p.expect(0x41);
        p.inject(sasl_outcome().code(SYS_TEMP));
        p.expect_done();
        assert_eq!(
            p.engine().failure(),
            Some(&Failure::Sasl(SaslFailure::System { temporary: true }))
        );
    });
}

#[test]
fn a_sasl_frame_after_the_outcome_is_an_error() {
    client_with(as_client(SaslClient::anonymous()), |p| {
        offered(p, &["ANONYMOUS"]);
        p.expect(0x41);
        p.inject(sasl_outcome().code(OK));
        p.inject(sasl_outcome().code(OK));
        p.event_where("Disconnected", |e| (e == Event::Disconnected).then_some(()));
        p.drain_names();
        p.expect_done();
        assert!(p.engine().failure().is_some());
    });
}

#[test]
fn an_outcome_before_init_is_an_error() {
    client_with(as_client(SaslClient::anonymous()), |p| {
        p.engine().connection().open().unwrap();
        p.expect_header(SASL_HEADER).respond();
        p.inject(sasl_outcome().code(OK));
        p.expect_events(&[Event::Disconnected]);
        p.expect_done();
    });
}

#[test]
fn a_client_that_wants_sasl_refuses_a_server_without() {
    client_with(as_client(SaslClient::anonymous()), |p| {
        p.engine().connection().open().unwrap();
        p.expect_header(SASL_HEADER);
        p.inject_raw(&AMQP_HEADER);
        p.expect_events(&[Event::Disconnected]);
        p.expect_done();
    });
}

#[test]
fn a_server_offers_its_mechanisms_at_once() {
    server_with(as_server(&[Mechanism::Anonymous, Mechanism::Plain]), |p| {
        p.inject_raw(&SASL_HEADER);
        p.expect_header(SASL_HEADER);
        p.expect(0x40)
            .sasl_server_mechanisms(&["ANONYMOUS", "PLAIN"]);
        p.expect_nothing();
    });
}

#[test]
fn a_server_admits_anonymous_by_itself() {
    server_with(as_server(&[Mechanism::Anonymous]), |p| {
        init(p, "ANONYMOUS", b"");
        p.expect(0x44).code(OK);
        p.expect_events(&[Event::Authenticated]);
        p.engine().connection().open().unwrap();
        p.inject_raw(&AMQP_HEADER);
        p.inject(open().container_id("script"));
        p.expect_header(AMQP_HEADER);
        p.expect_open();
    });
}

#[test]
fn a_server_asks_its_embedder_about_plain() {
    for admitted in [true, false] {
        server_with(as_server(&[Mechanism::Plain]), |p| {
            init(p, "PLAIN", b"\0user\0secret");
            p.expect_events(&[Event::Authenticate]);
            p.expect_nothing();
            match p.engine().sasl_request() {
                Some(SaslRequest::Plain {
                    authorize_as,
                    user,
                    password,
                }) => {
                    assert_eq!((authorize_as.as_str(), user.as_str()), ("", "user"));
                    assert!(password.matches(b"secret"));
                }
                other => panic!("{other:?}"),
            }
            if admitted {
                p.engine().sasl_answer(SaslAnswer::Accept).unwrap();
                p.expect(0x44).code(OK);
                p.expect_events(&[Event::Authenticated]);
            } else {
                p.engine().sasl_answer(SaslAnswer::Reject).unwrap();
                p.expect(0x44).code(AUTH);
                p.expect_events(&[Event::Disconnected]);
                p.inject_raw(&AMQP_HEADER);
                p.expect_done();
            }
        });
    }
}

#[test]
fn a_mechanism_that_was_not_offered_fails_with_auth() {
    for mechanism in ["PLAIN", "X-UNKNOWN", "anonymous"] {
        server_with(as_server(&[Mechanism::Anonymous]), |p| {
            init(p, mechanism, b"\0user\0secret");
            p.expect(0x44).code(AUTH);
            p.expect_events(&[Event::Disconnected]);
            p.expect_done();
        });
    }
}

#[test]
fn broken_plain_responses_fail_and_do_no_harm() {
    let broken: [&[u8]; 6] = [
        b"",
        b"user",
        b"user\0secret",
        b"\0\xff\xfe\0x",
        b"\0\0",
        b"\0a\0b\0c",
    ];
    for response in broken {
        server_with(as_server(&[Mechanism::Plain]), |p| {
            init(p, "PLAIN", response);
            let names = p.drain_names();
            let asked = p.engine().sasl_request().is_some();
            assert!(
                asked || names == ["sasl-outcome"] || names.is_empty(),
                "{names:?}"
            );
        });
    }
}

#[test]
fn plain_without_an_initial_response_is_asked_for_it() {
    server_with(as_server(&[Mechanism::Plain]), |p| {
        p.inject_raw(&SASL_HEADER);
        p.expect_header(SASL_HEADER);
        p.expect(0x40);
        p.inject(sasl_init().mechanism("PLAIN"));
        p.expect(0x42).challenge(b"");
        p.inject(sasl_response().response(b"\0user\0secret"));
        p.expect_events(&[Event::Authenticate]);
        p.engine().sasl_answer(SaslAnswer::Accept).unwrap();
        p.expect(0x44).code(OK);
    });
}

#[test]
fn a_pipelining_client_may_send_everything_at_once() {
    server_with(as_server(&[Mechanism::Anonymous]), |p| {
        p.engine().connection().open().unwrap();
        let frames = [
            SASL_HEADER.to_vec(),
            sasl_init().mechanism("ANONYMOUS").octets(0),
            AMQP_HEADER.to_vec(),
            open().container_id("script").octets(0),
        ]
        .concat();
        p.inject_raw(&frames);
        p.expect_header(SASL_HEADER);
        p.expect(0x40);
        p.expect(0x44).code(OK);
        p.expect_header(AMQP_HEADER);
        p.expect_open();
        p.expect_events(&[Event::Authenticated, Event::RemoteOpen]);
    });
}

/// A pipelining client whose credentials the embedder judges, up to the question.
fn pipelined(p: &mut Peer, mechanism: &str, response: &[u8]) {
    p.engine().connection().open().unwrap();
    let init = sasl_init().mechanism(mechanism).initial_response(response);
    let frames = [
        SASL_HEADER.to_vec(),
        init.octets(0),
        AMQP_HEADER.to_vec(),
        open().container_id("script").octets(0),
    ];
    p.inject_raw(&frames.concat());
    p.expect_header(SASL_HEADER);
    p.expect(0x40);
    p.expect_nothing();
    p.expect_events(&[Event::Authenticate]);
}

/// What a client sends behind its credentials is for the layer that follows (2.2), and waits for the answer.
#[test]
fn what_a_client_pipelines_behind_its_credentials_waits_for_the_answer() {
    for (mechanism, response) in [
        (Mechanism::Plain, &b"\0user\0secret"[..]),
        (Mechanism::External, b"user"),
        (Mechanism::XOAuth2, b"user=ann\x01auth=Bearer token\x01\x01"),
    ] {
        server_with(as_server(&[mechanism]), |p| {
            pipelined(p, mechanism.name(), response);
            p.engine().sasl_answer(SaslAnswer::Accept).unwrap();
            p.expect(0x44).code(OK);
            p.expect_header(AMQP_HEADER);
            p.expect_open();
            p.expect_events(&[Event::Authenticated, Event::RemoteOpen]);
        });
        server_with(as_server(&[mechanism]), |p| {
            pipelined(p, mechanism.name(), response);
            p.engine().sasl_answer(SaslAnswer::Unavailable).unwrap();
            p.expect(0x44).code(SYS_TEMP);
            p.expect_events(&[Event::Disconnected]);
            p.expect_done();
        });
    }
}

/// The rest of a frame that came in part goes on where it was, whoever lent the buffer that its beginning came in.
#[test]
fn a_frame_that_came_in_part_before_the_answer_is_completed_after_it() {
    server_with(as_server(&[Mechanism::Plain]), |p| {
        let open = open().container_id("script").octets(0);
        let (first, rest) = open.split_at(9);
        init(p, "PLAIN", b"\0user\0secret");
        p.inject_raw(&[&AMQP_HEADER[..], first].concat());
        p.engine().sasl_answer(SaslAnswer::Accept).unwrap();
        p.expect(0x44).code(OK);
        p.expect_header(AMQP_HEADER);
        p.expect_events(&[Event::Authenticate, Event::Authenticated]);
        p.inject_raw(rest);
        p.expect_events(&[Event::RemoteOpen]);
    });
}

/// It is the same whose buffer it came in, and comes in later.
#[test]
fn what_came_in_a_lent_buffer_waits_for_the_answer_too() {
    let now = Time(1);
    let open = open().container_id("script").octets(0);
    let (first, rest) = open.split_at(9);
    let init = sasl_init()
        .mechanism("PLAIN")
        .initial_response(b"\0user\0secret")
        .octets(0);
    let octets = [&SASL_HEADER[..], &init, &AMQP_HEADER, first].concat();
    for is_lent in [true, false] {
        let mut engine = Engine::server(as_server(&[Mechanism::Plain]));
        engine.recv_buffer(octets.len()).extend_from_slice(&octets);
        engine.recv_filled(now);
        assert_eq!(engine.poll_event(), Some(Event::Authenticate));
        engine.sasl_answer(SaslAnswer::Accept).unwrap();
        assert_eq!(engine.poll_event(), Some(Event::Authenticated));
        assert_eq!(engine.poll_event(), None);
        if is_lent {
            engine.recv_buffer(rest.len()).extend_from_slice(rest);
            engine.recv_filled(now);
        } else {
            engine.recv(now, &mut BytesMut::from(rest));
        }
        assert_eq!(engine.poll_event(), Some(Event::RemoteOpen));
    }
}

#[test]
fn no_more_waits_for_the_answer_than_may_come_before_open() {
    let mut config = as_server(&[Mechanism::Plain]);
    config.limits.octets_before_open = 1_000;
    for (waiting, admitted) in [(900, true), (1_000, false)] {
        server_with(config.clone(), |p| {
            init(p, "PLAIN", b"\0user\0secret");
            p.expect_events(&[Event::Authenticate]);
            p.inject_raw(&vec![0; waiting]);
            assert_eq!(p.engine().sasl_answer(SaslAnswer::Accept).is_ok(), admitted);
            if !admitted {
                assert_eq!(p.engine().sasl_request(), None);
                p.expect_events(&[Event::Disconnected]);
                p.expect_done();
            }
        });
    }
}

#[test]
fn a_client_that_skips_sasl_is_turned_away_unless_it_is_optional() {
    server_with(as_server(&[Mechanism::Anonymous]), |p| {
        p.inject_raw(&AMQP_HEADER);
        p.expect_header(SASL_HEADER);
        p.expect_done();
        assert_eq!(
            p.engine().failure(),
            Some(&Failure::Header(HeaderFailure::SaslRequired))
        );
    });
    let mut config = as_server(&[]);
    config.sasl = SaslConfig::Server(SaslServer::new([Mechanism::Plain]).required(false));
    server_with(config, |p| p.opened());
}

#[test]
fn a_server_without_sasl_answers_a_sasl_client_with_amqp_and_hangs_up() {
    server_with(Config::new("engine"), |p| {
        p.inject_raw(&SASL_HEADER);
        p.expect_header(AMQP_HEADER);
        p.expect_events(&[Event::Disconnected]);
        p.expect_done();
    });
}

#[test]
fn sasl_frames_over_512_octets_are_refused() {
    server_with(as_server(&[Mechanism::Plain]), |p| {
        p.inject_raw(&SASL_HEADER);
        p.expect_header(SASL_HEADER);
        p.expect(0x40);
        p.inject(
            sasl_init()
                .mechanism("PLAIN")
                .initial_response(&[b'x'; 600]),
        );
        p.event_where("Disconnected", |e| (e == Event::Disconnected).then_some(()));
        p.drain_names();
        p.expect_done();
    });
}

#[test]
fn amqp_frames_inside_the_sasl_layer_are_refused() {
    server_with(as_server(&[Mechanism::Plain]), |p| {
        p.inject_raw(&SASL_HEADER);
        p.expect_header(SASL_HEADER);
        p.expect(0x40);
        p.inject(open().container_id("script"));
        p.event_where("Disconnected", |e| (e == Event::Disconnected).then_some(()));
        p.drain_names();
        p.expect_done();
        assert!(p.engine().connection().remote().is_none());
    });
}

#[test]
fn empty_and_foreign_frames_in_the_sasl_layer_do_no_harm() {
    for frame in [
        Frame {
            kind: 1,
            ..Frame::empty(0)
        },
        Frame {
            kind: 9,
            ..Frame::empty(0)
        },
    ] {
        server_with(as_server(&[Mechanism::Plain]), |p| {
            p.inject_raw(&SASL_HEADER);
            p.expect_header(SASL_HEADER);
            p.expect(0x40);
            p.inject_frame(&frame);
            p.drain_names();
        });
    }
    client_with(as_client(SaslClient::anonymous()), |p| {
        offered(p, &["ANONYMOUS"]);
        p.expect(0x41);
        p.inject(sasl_challenge().challenge(b"prove it"));
        p.drain_names();
    });
}

/// Type-specific octets of zero, no extended header, and one value that fills the frame (5.3.1).
#[test]
fn sasl_frames_are_written_in_their_plainest_form() {
    fn plainest(got: &Got<'_>) {
        let octets = got.octets();
        assert_eq!(octets[4..8], [2, 1, 0, 0]);
        let (_, used) = oracle::decode(&octets[8..]).unwrap();
        assert_eq!(used, octets.len() - 8);
    }
    client_with(as_client(SaslClient::anonymous()), |p| {
        offered(p, &["ANONYMOUS"]);
        plainest(&p.expect(0x41));
    });
    server_with(as_server(&[Mechanism::Anonymous]), |p| {
        p.inject_raw(&SASL_HEADER);
        p.expect_header(SASL_HEADER);
        plainest(&p.expect(0x40));
        p.inject(sasl_init().mechanism("ANONYMOUS"));
        plainest(&p.expect(0x44));
    });
}

/// A server names what it would have taken, also of the second layer, before it hangs up (2.2).
#[test]
fn a_foreign_header_behind_the_outcome_is_answered_with_amqp() {
    for header in [
        SASL_HEADER,
        *b"AMQP\x00\x02\x00\x00",
        *b"AMQP\x02\x01\x00\x00",
        *b"GET / HT",
    ] {
        server_with(as_server(&[Mechanism::Anonymous]), |p| {
            p.engine().connection().open().unwrap();
            init(p, "ANONYMOUS", b"");
            p.expect(0x44).code(OK);
            p.inject_raw(&header);
            p.expect_header(AMQP_HEADER);
            p.expect_done();
            assert!(matches!(
                p.engine().failure(),
                Some(Failure::Header(failure)) if *failure != HeaderFailure::SaslRequired
            ));
        });
    }
}

/// Who opened the transport is the SASL client, and the other the server (5.3.2). The settings of the other side admit nobody.
#[test]
fn a_client_plays_no_sasl_server_and_a_server_no_client() {
    let server = SaslConfig::Server(SaslServer::new([Mechanism::Anonymous]));
    let client = SaslConfig::Client(SaslClient::anonymous());
    let config = |sasl: &SaslConfig| {
        let mut config = Config::new("engine");
        config.sasl = sasl.clone();
        config
    };
    client_with(config(&server), |p| {
        offered(p, &["ANONYMOUS"]);
        let failure = gave_up(p).to_string();
        assert!(failure.contains("SaslConfig::Server"), "{failure}");
    });
    server_with(config(&client), |p| {
        p.inject_raw(&SASL_HEADER);
        p.expect_header(SASL_HEADER);
        assert_eq!(gave_up(p), SaslFailure::NothingOffered);
    });
    server_with(config(&client), |p| {
        p.inject_raw(&AMQP_HEADER);
        p.expect_header(SASL_HEADER);
        p.expect_done();
        assert_eq!(
            p.engine().failure(),
            Some(&Failure::Header(HeaderFailure::SaslRequired))
        );
    });
}

#[test]
fn octets_six_and_seven_of_a_sasl_frame_are_ignored() {
    client_with(as_client(SaslClient::anonymous()), |p| {
        p.engine().connection().open().unwrap();
        p.expect_header(SASL_HEADER).respond();
        p.inject(
            sasl_mechanisms()
                .sasl_server_mechanisms(&["ANONYMOUS"])
                .on(0x1234),
        );
        p.expect(0x41);
        p.inject(sasl_outcome().code(OK).extended(&[1, 2, 3, 4]).on(0xffff));
        p.expect_events(&[Event::Authenticated]);
    });
}

#[test]
fn a_client_may_ask_for_the_rights_of_another() {
    client_with(
        as_client(plain("user", "secret").authorize_as("admin")),
        |p| {
            offered(p, &["PLAIN"]);
            p.expect(0x41).initial_response(b"admin\0user\0secret");
        },
    );
    client_with(
        as_client(SaslClient::external().authorize_as("admin")),
        |p| {
            offered(p, &["EXTERNAL"]);
            p.expect(0x41).initial_response(b"admin");
            p.inject(sasl_outcome().code(OK));
            opens(p);
        },
    );
}

#[test]
fn a_server_asks_its_embedder_about_external() {
    for (admitted, identity) in [(true, ""), (true, "admin"), (false, "root")] {
        server_with(as_server(&[Mechanism::External]), |p| {
            init(p, "EXTERNAL", identity.as_bytes());
            p.expect_events(&[Event::Authenticate]);
            assert_eq!(
                p.engine().sasl_request(),
                Some(&SaslRequest::External {
                    authorize_as: identity.into()
                })
            );
            if admitted {
                p.engine().sasl_answer(SaslAnswer::Accept).unwrap();
                p.expect(0x44).code(OK);
                p.expect_events(&[Event::Authenticated]);
                p.opened();
            } else {
                p.engine().sasl_answer(SaslAnswer::Reject).unwrap();
                assert_eq!(turned_away(p), SaslFailure::Refused { detail: None });
            }
        });
    }
}

#[test]
fn a_server_knows_the_host_that_the_client_wants() {
    for host in [Some("broker.example"), None] {
        server_with(as_server(&[Mechanism::Plain]), |p| {
            p.inject_raw(&SASL_HEADER);
            p.expect_header(SASL_HEADER);
            p.expect(0x40);
            let init = sasl_init()
                .mechanism("PLAIN")
                .initial_response(b"\0user\0secret");
            p.inject(match host {
                Some(host) => init.hostname(host),
                None => init,
            });
            p.expect_events(&[Event::Authenticate]);
            let heard = p.engine().sasl_hostname().map(|host| host.as_str());
            assert_eq!(heard, host);
        });
    }
}

#[test]
fn external_identities_are_text() {
    server_with(as_server(&[Mechanism::External]), |p| {
        init(p, "EXTERNAL", b"\xff\xfe");
        assert_eq!(turned_away(p), SaslFailure::Refused { detail: None });
    });
}
