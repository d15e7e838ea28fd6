//! Mechanisms that the embedder does itself, with the engine as the messenger.

use ferrion_engine::codec::Symbol;
use ferrion_engine::sasl::{Mechanism, SaslAnswer, SaslClient, SaslRequest, SaslServer};
use ferrion_engine::{Event, SaslFailure};
use ferrion_tests::build::{
    open, sasl_challenge, sasl_init, sasl_mechanisms, sasl_outcome, sasl_response,
};
use ferrion_tests::oracle::{AMQP_HEADER, SASL_HEADER, V};
use ferrion_tests::peer::{Peer, client_with, server_with};
use ferrion_tests::sasl::{
    AUTH, OK, SYS_TEMP, as_client, gave_up, init, offered, opens, serving, turned_away,
};

const NAME: Symbol = Symbol::from_static("X-RIDDLE");

fn client(initial: Option<&str>) -> SaslClient {
    SaslClient::raw(NAME, initial.map(Into::into))
}

fn server() -> SaslServer {
    SaslServer::new([Mechanism::Anonymous]).raw(NAME)
}

fn challenged(p: &mut Peer, text: &str) {
    p.inject(sasl_challenge().challenge(text.as_bytes()));
    p.expect_events(&[Event::Authenticate]);
    assert_eq!(
        p.engine().sasl_request(),
        Some(&SaslRequest::Challenge {
            mechanism: NAME,
            challenge: text.into(),
        })
    );
}

fn answer(p: &mut Peer, answer: SaslAnswer) {
    p.engine().sasl_answer(answer).unwrap();
}

#[test]
fn a_client_hands_challenges_to_its_embedder_and_answers_with_its_words() {
    client_with(as_client(client(Some("hello"))), |p| {
        offered(p, &["PLAIN", "X-RIDDLE"]);
        p.expect(0x41)
            .is("mechanism", &V::sym("X-RIDDLE"))
            .initial_response(b"hello");
        for round in 0..3 {
            challenged(p, &format!("riddle {round}"));
            p.expect_nothing();
            answer(p, SaslAnswer::Continue("a solution".into()));
            p.expect(0x43).response(b"a solution");
        }
        p.inject(sasl_outcome().code(OK).additional_data(b"well done"));
        p.expect_events(&[Event::Authenticate]);
        p.expect_nothing();
        assert_eq!(
            p.engine().sasl_request(),
            Some(&SaslRequest::Admitted {
                mechanism: NAME,
                additional_data: Some("well done".into()),
            })
        );
        answer(p, SaslAnswer::Accept);
        p.expect_events(&[Event::Authenticated]);
        opens(p);
    });
}

#[test]
fn a_client_may_begin_without_a_word() {
    client_with(as_client(client(None)), |p| {
        offered(p, &["X-RIDDLE"]);
        p.expect(0x41).null("initial-response");
    });
}

#[test]
fn a_client_that_does_not_trust_the_server_gives_up() {
    client_with(as_client(client(None)), |p| {
        offered(p, &["X-RIDDLE"]);
        p.expect(0x41);
        challenged(p, "");
        answer(p, SaslAnswer::Reject);
        assert_eq!(gave_up(p), SaslFailure::Abandoned);
    });
    client_with(as_client(client(None)), |p| {
        offered(p, &["X-RIDDLE"]);
        p.expect(0x41);
        p.inject(sasl_outcome().code(OK));
        p.expect_events(&[Event::Authenticate]);
        answer(p, SaslAnswer::Reject);
        assert_eq!(gave_up(p), SaslFailure::Abandoned);
    });
}

#[test]
fn a_refused_client_is_told() {
    client_with(as_client(client(None)), |p| {
        offered(p, &["X-RIDDLE"]);
        p.expect(0x41);
        p.inject(sasl_outcome().code(AUTH));
        assert_eq!(gave_up(p), SaslFailure::Refused { detail: None });
    });
}

/// A server that has admitted its client may begin the next layer at once (2.2), and be ahead of what the mechanism thinks of it.
#[test]
fn what_a_server_pipelines_behind_its_outcome_waits_for_the_answer() {
    for trusted in [true, false] {
        client_with(as_client(client(None)), |p| {
            offered(p, &["X-RIDDLE"]);
            p.expect(0x41);
            let octets = [
                sasl_outcome().code(OK).octets(0),
                AMQP_HEADER.to_vec(),
                open().container_id("script").octets(0),
            ];
            p.inject_raw(&octets.concat());
            p.expect_nothing();
            p.expect_events(&[Event::Authenticate]);
            if trusted {
                answer(p, SaslAnswer::Accept);
                p.expect_header(AMQP_HEADER);
                p.expect_open();
                p.expect_events(&[Event::Authenticated, Event::RemoteOpen]);
            } else {
                answer(p, SaslAnswer::Reject);
                assert_eq!(gave_up(p), SaslFailure::Abandoned);
            }
        });
    }
}

/// It cannot be told from one that waited: what comes while the client thinks is looked at afterwards.
#[test]
fn a_server_that_does_not_wait_for_the_answer_is_heard_after_it() {
    client_with(as_client(client(None)), |p| {
        offered(p, &["X-RIDDLE"]);
        p.expect(0x41);
        challenged(p, "first");
        p.inject(sasl_challenge().challenge(b"second"));
        p.expect_events(&[]);
        answer(p, SaslAnswer::Continue("one".into()));
        p.expect(0x43).response(b"one");
        p.expect_events(&[Event::Authenticate]);
        p.inject(sasl_mechanisms().sasl_server_mechanisms(&["X-RIDDLE"]));
        answer(p, SaslAnswer::Continue("two".into()));
        p.expect(0x43).response(b"two");
        assert!(matches!(gave_up(p), SaslFailure::Protocol(_)));
        assert_eq!(p.engine().sasl_request(), None);
    });
}

#[test]
fn a_server_that_never_ends_is_given_up() {
    let mut config = as_client(client(None));
    config.limits.sasl_rounds = 3;
    client_with(config, |p| {
        offered(p, &["X-RIDDLE"]);
        p.expect(0x41);
        for _ in 0..3 {
            challenged(p, "again");
            answer(p, SaslAnswer::Continue("no".into()));
            p.expect(0x43);
        }
        p.inject(sasl_challenge().challenge(b"again"));
        assert_eq!(gave_up(p), SaslFailure::TooManyRounds { limit: 3 });
    });
}

#[test]
fn a_server_hands_responses_to_its_embedder() {
    for last in [
        SaslAnswer::Accept,
        SaslAnswer::AcceptWith("well done".into()),
    ] {
        server_with(serving(server()), |p| {
            p.inject_raw(&SASL_HEADER);
            p.expect_header(SASL_HEADER);
            p.expect(0x40)
                .sasl_server_mechanisms(&["ANONYMOUS", "X-RIDDLE"]);
            p.inject(sasl_init().mechanism("X-RIDDLE"));
            p.expect_events(&[Event::Authenticate]);
            let mut heard = None;
            for round in 0..3 {
                let response = heard.as_deref().map(Into::into);
                assert_eq!(
                    p.engine().sasl_request(),
                    Some(&SaslRequest::Raw {
                        mechanism: NAME,
                        response,
                    })
                );
                answer(p, SaslAnswer::Continue("riddle".into()));
                p.expect(0x42).challenge(b"riddle");
                let text = format!("solution {round}");
                p.inject(sasl_response().response(text.as_bytes()));
                p.expect_events(&[Event::Authenticate]);
                heard = Some(text);
            }
            answer(p, last.clone());
            let outcome = p.expect(0x44).code(OK);
            match &last {
                SaslAnswer::Accept => outcome.null("additional-data"),
                _ => outcome.additional_data(b"well done"),
            };
            p.expect_events(&[Event::Authenticated]);
            assert_eq!(p.engine().sasl_mechanism(), Some(&NAME));
            p.opened();
        });
    }
}

#[test]
fn a_server_may_refuse_at_any_step() {
    server_with(serving(server()), |p| {
        init(p, "X-RIDDLE", b"hello");
        answer(p, SaslAnswer::Reject);
        assert_eq!(turned_away(p), SaslFailure::Refused { detail: None });
    });
    server_with(serving(server()), |p| {
        init(p, "X-RIDDLE", b"hello");
        answer(p, SaslAnswer::Continue("riddle".into()));
        p.expect(0x42);
        p.inject(sasl_response().response(b"no idea"));
        answer(p, SaslAnswer::Unavailable);
        p.expect(0x44).code(SYS_TEMP);
        assert_eq!(gave_up(p), SaslFailure::System { temporary: true });
    });
}

#[test]
fn a_client_that_never_ends_is_turned_away() {
    let mut config = serving(server());
    config.limits.sasl_rounds = 3;
    server_with(config, |p| {
        init(p, "X-RIDDLE", b"hello");
        for _ in 0..3 {
            answer(p, SaslAnswer::Continue("riddle".into()));
            p.expect(0x42);
            p.inject(sasl_response().response(b"no idea"));
        }
        answer(p, SaslAnswer::Continue("riddle".into()));
        p.expect(0x42);
        p.inject(sasl_response().response(b"no idea"));
        assert_eq!(turned_away(p), SaslFailure::TooManyRounds { limit: 3 });
    });
}

#[test]
fn answers_of_the_other_side_change_nothing() {
    client_with(as_client(client(None)), |p| {
        offered(p, &["X-RIDDLE"]);
        p.expect(0x41);
        challenged(p, "riddle");
        for wrong in [
            SaslAnswer::Accept,
            SaslAnswer::AcceptWith("x".into()),
            SaslAnswer::RejectWith("x".into()),
            SaslAnswer::Unavailable,
        ] {
            assert!(p.engine().sasl_answer(wrong).is_err());
            p.expect_nothing();
        }
        answer(p, SaslAnswer::Continue("solution".into()));
        p.expect(0x43).response(b"solution");
        p.inject(sasl_outcome().code(OK));
        assert!(
            p.engine()
                .sasl_answer(SaslAnswer::Continue("x".into()))
                .is_err()
        );
        answer(p, SaslAnswer::Accept);
        opens(p);
    });
    server_with(serving(server()), |p| {
        init(p, "X-RIDDLE", b"hello");
        assert!(
            p.engine()
                .sasl_answer(SaslAnswer::RejectWith("x".into()))
                .is_err()
        );
        answer(p, SaslAnswer::Accept);
        p.expect(0x44).code(OK);
    });
}

#[test]
fn a_response_that_does_not_fit_its_frame_ends_the_exchange() {
    client_with(as_client(client(None)), |p| {
        offered(p, &["X-RIDDLE"]);
        p.expect(0x41);
        challenged(p, "riddle");
        answer(p, SaslAnswer::Continue(vec![b'x'; 600].into()));
        assert!(matches!(
            gave_up(p),
            SaslFailure::FrameTooLarge { limit: 512, .. }
        ));
    });
}
