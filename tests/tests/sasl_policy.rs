//! Which mechanism is chosen, what must not be sent, and where the exchange is bounded.

use ferrion_engine::sasl::{Mechanism, SaslAnswer, SaslClient, SaslServer};
use ferrion_engine::{Event, Failure, HeaderFailure, SaslFailure, Time};
use ferrion_tests::build::{sasl_challenge, sasl_init, sasl_outcome};
use ferrion_tests::oracle::{SASL_HEADER, V};
use ferrion_tests::peer::{client_with, server_with};
use ferrion_tests::sasl::{
    SYS_PERM, SYS_TEMP, as_client, as_server, gave_up, init, offered, serving,
};

fn plain(user: &str, password: &str) -> SaslClient {
    SaslClient::plain(user, password).allow_clear_text(true)
}

#[test]
fn the_client_takes_the_first_of_its_ways_that_is_offered() {
    let client = || {
        SaslClient::external()
            .or(plain("user", "secret"))
            .or(SaslClient::anonymous())
    };
    for (offer, chosen) in [
        (&["ANONYMOUS", "PLAIN", "EXTERNAL"][..], "EXTERNAL"),
        (&["ANONYMOUS", "PLAIN"], "PLAIN"),
        (&["GSSAPI", "ANONYMOUS"], "ANONYMOUS"),
    ] {
        client_with(as_client(client()), |p| {
            offered(p, offer);
            p.expect(0x41).is("mechanism", &V::sym(chosen));
            assert_eq!(p.engine().sasl_mechanism().unwrap().as_str(), chosen);
        });
    }
}

#[test]
fn nothing_readable_is_sent_over_a_transport_that_does_not_keep_secrets() {
    for (client, offer) in [
        (SaslClient::plain("user", "secret"), "PLAIN"),
        (SaslClient::xoauth2("user", "token"), "XOAUTH2"),
        (SaslClient::oauthbearer("user", "token"), "OAUTHBEARER"),
    ] {
        client_with(as_client(client.clone()), |p| {
            offered(p, &["ANONYMOUS", offer]);
            let mechanisms = offer.to_owned();
            assert_eq!(gave_up(p), SaslFailure::ClearText { mechanisms });
        });
        // A way that shows nothing is taken instead, though it is liked less.
        client_with(as_client(client.or(SaslClient::anonymous())), |p| {
            offered(p, &[offer, "ANONYMOUS"]);
            p.expect(0x41).is("mechanism", &V::sym("ANONYMOUS"));
        });
    }
}

#[test]
fn a_server_without_a_mechanism_offers_no_empty_list() {
    for sasl in [
        SaslServer::new([]),
        // SCRAM was not given what it needs.
        SaslServer::new([Mechanism::from_name("SCRAM-SHA-256").unwrap()]),
    ] {
        server_with(serving(sasl), |p| {
            p.inject_raw(&SASL_HEADER);
            p.expect_header(SASL_HEADER);
            assert_eq!(gave_up(p), SaslFailure::NothingOffered);
        });
    }
}

#[test]
fn every_mechanism_is_known_by_its_name() {
    for name in [
        "ANONYMOUS",
        "PLAIN",
        "EXTERNAL",
        "SCRAM-SHA-1",
        "SCRAM-SHA-256",
        "SCRAM-SHA-512",
        "OAUTHBEARER",
        "XOAUTH2",
    ] {
        assert_eq!(Mechanism::from_name(name).unwrap().to_string(), name);
    }
    assert_eq!(Mechanism::from_name("plain"), None);
    assert_eq!(Mechanism::from_name("SCRAM-SHA-256-PLUS"), None);
}

#[test]
fn names_and_passwords_cannot_smuggle_in_another_identity() {
    for client in [
        plain("", "secret"),
        plain("us\0er", "secret"),
        plain("user", "sec\0ret"),
        plain("user", "secret").authorize_as("a\0b"),
    ] {
        client_with(as_client(client), |p| {
            offered(p, &["PLAIN"]);
            assert!(matches!(gave_up(p), SaslFailure::Credentials(_)));
        });
    }
}

#[test]
fn a_server_that_overlooked_the_initial_response_is_told_once_more() {
    for (client, name, response) in [
        (plain("user", "secret"), "PLAIN", &b"\0user\0secret"[..]),
        (SaslClient::external(), "EXTERNAL", b""),
    ] {
        client_with(as_client(client), |p| {
            offered(p, &[name]);
            p.expect(0x41);
            p.inject(sasl_challenge().challenge(b""));
            p.expect(0x43).response(response);
            p.inject(sasl_challenge().challenge(b""));
            assert!(matches!(gave_up(p), SaslFailure::Protocol(_)));
        });
    }
}

#[test]
fn a_challenge_that_a_mechanism_does_not_have_ends_the_exchange() {
    client_with(as_client(plain("user", "secret")), |p| {
        offered(p, &["PLAIN"]);
        p.expect(0x41);
        p.inject(sasl_challenge().challenge(b"prove it"));
        assert!(matches!(gave_up(p), SaslFailure::Protocol(_)));
    });
}

#[test]
fn a_second_init_is_an_error() {
    server_with(as_server(&[Mechanism::Plain]), |p| {
        init(p, "PLAIN", b"\0user\0secret");
        p.inject(
            sasl_init()
                .mechanism("PLAIN")
                .initial_response(b"\0user\0secret"),
        );
        // It is looked at once the first was judged, where a header is to come.
        p.engine().sasl_answer(SaslAnswer::Accept).unwrap();
        p.event_where("Disconnected", |e| (e == Event::Disconnected).then_some(()));
        assert!(matches!(
            p.engine().failure(),
            Some(Failure::Header(HeaderFailure::NotAmqp(_)))
        ));
        assert_eq!(p.engine().sasl_request(), None);
        assert!(p.engine().sasl_answer(SaslAnswer::Accept).is_err());
        p.drain_names();
        p.expect_done();
    });
}

#[test]
fn a_failure_that_stays_is_told_from_one_that_passes() {
    client_with(as_client(plain("user", "pw")), |p| {
        offered(p, &["PLAIN"]);
        p.expect(0x41);
        p.inject(sasl_outcome().code(SYS_PERM));
        assert_eq!(gave_up(p), SaslFailure::System { temporary: false });
    });
}

#[test]
fn a_server_that_cannot_check_now_says_so() {
    server_with(as_server(&[Mechanism::Plain]), |p| {
        init(p, "PLAIN", b"\0user\0secret");
        p.engine().sasl_answer(SaslAnswer::Unavailable).unwrap();
        p.expect(0x44).code(SYS_TEMP);
        assert_eq!(gave_up(p), SaslFailure::System { temporary: true });
    });
}

#[test]
fn a_large_secret_needs_a_larger_frame_at_both_sides() {
    let long = "x".repeat(5000);
    client_with(as_client(plain("user", &long)), |p| {
        offered(p, &["PLAIN"]);
        match gave_up(p) {
            SaslFailure::FrameTooLarge { size, limit } => {
                assert!(size > 5000 && limit == 512, "{size} {limit}");
            }
            other => panic!("{other:?}"),
        }
    });
    let mut config = as_client(plain("user", &long));
    config.limits.sasl_frame_size = 8192;
    client_with(config, |p| {
        // The specification would not have it.
        p.end.judged = false;
        offered(p, &["PLAIN"]);
        p.expect(0x41)
            .initial_response(format!("\0user\0{long}").as_bytes());
    });
    let mut config = as_server(&[Mechanism::Plain]);
    config.limits.sasl_frame_size = 8192;
    server_with(config, |p| {
        init(p, "PLAIN", format!("\0user\0{long}").as_bytes());
        p.expect_events(&[Event::Authenticate]);
    });
    // Less than the specification's 512 cannot be asked for.
    let mut config = as_server(&[Mechanism::Plain]);
    config.limits.sasl_frame_size = 0;
    server_with(config, |p| {
        init(
            p,
            "PLAIN",
            format!("\0user\0{}", "x".repeat(400)).as_bytes(),
        );
        p.expect_events(&[Event::Authenticate]);
    });
}

#[test]
fn a_frame_with_two_values_is_refused() {
    server_with(as_server(&[Mechanism::Anonymous]), |p| {
        p.inject_raw(&SASL_HEADER);
        p.expect_header(SASL_HEADER);
        p.expect(0x40);
        let mut frame = sasl_init().mechanism("ANONYMOUS").octets(0);
        frame.push(0x40);
        frame[3] += 1;
        p.inject_raw(&frame);
        assert!(matches!(gave_up(p), SaslFailure::Protocol(_)));
    });
}

#[test]
fn secrets_are_shown_nowhere() {
    client_with(as_client(plain("user", "sesame")), |p| {
        p.engine().set_tracing(true);
        offered(p, &["PLAIN"]);
        p.engine().transmit(Time(1_000_000));
        let mut shown = format!("{:?}", p.engine());
        while let Some(line) = p.engine().poll_trace() {
            shown += &line;
        }
        assert!(
            shown.contains("sasl-init") && !shown.contains("sesame"),
            "{shown}"
        );
        p.expect(0x41);
    });
    server_with(as_server(&[Mechanism::Plain]), |p| {
        p.engine().set_tracing(true);
        init(p, "PLAIN", b"\0user\0sesame");
        let mut shown = format!("{:?}", p.engine());
        shown += &format!("{:?}", p.engine().sasl_request());
        while let Some(line) = p.engine().poll_trace() {
            shown += &line;
        }
        assert!(
            shown.contains("sasl-init") && !shown.contains("sesame"),
            "{shown}"
        );
    });
    let config = as_client(plain("user", "sesame").or(SaslClient::oauthbearer("user", "sesame")));
    assert!(!format!("{config:?}").contains("sesame"));
}
