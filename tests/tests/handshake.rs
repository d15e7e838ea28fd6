//! A peer that stalls before open, wherever it does, is given up when `handshake_time` is over, and not later for an octet now
//! and then.

use ferrion_engine::codec::Symbol;
use ferrion_engine::sasl::{Mechanism, SaslClient, SaslConfig, SaslServer};
use ferrion_engine::{Config, Failure, Reason};
use ferrion_tests::build::{open, sasl_challenge, sasl_init, sasl_mechanisms, sasl_outcome};
use ferrion_tests::oracle::{AMQP_HEADER, SASL_HEADER};
use ferrion_tests::peer::{Peer, client_with, server_with};

const RIDDLE: Symbol = Symbol::from_static("X-RIDDLE");

/// Milliseconds that a handshake may take by default.
const TIME: u64 = 30_000;

/// Where a peer stalls.
struct Stall {
    what: &'static str,
    is_server: bool,
    sasl: fn() -> SaslConfig,
    /// What it said until then.
    said: Vec<u8>,
    /// What comes an octet at a time, and would be in order if it came sooner.
    trickle: Vec<u8>,
}

fn offers() -> SaslConfig {
    SaslConfig::Server(SaslServer::new([Mechanism::Plain]))
}

fn logs_in() -> SaslConfig {
    SaslConfig::Client(SaslClient::plain("user", "secret").allow_clear_text(true))
}

fn solves_riddles() -> SaslConfig {
    SaslConfig::Client(SaslClient::raw(RIDDLE, None))
}

fn none() -> SaslConfig {
    SaslConfig::None
}

fn long_open() -> Vec<u8> {
    open().container_id(&"slow".repeat(100)).octets(0)
}

fn long_init() -> Vec<u8> {
    let init = sasl_init().mechanism("PLAIN");
    init.initial_response(&[7; 400]).octets(0)
}

fn stalls() -> Vec<Stall> {
    let server = |what, sasl, said: &[&[u8]], trickle: &[&[u8]]| Stall {
        what,
        is_server: true,
        sasl,
        said: said.concat(),
        trickle: trickle.concat(),
    };
    let client = |what, sasl, said: &[&[u8]], trickle: &[&[u8]]| Stall {
        is_server: false,
        ..server(what, sasl, said, trickle)
    };
    let offer = sasl_mechanisms();
    let offer = offer
        .sasl_server_mechanisms(&["PLAIN", "X-RIDDLE"])
        .octets(0);
    let long_offer = vec!["OTHER"; 60];
    let long_offer = sasl_mechanisms().sasl_server_mechanisms(&long_offer);
    let outcome = sasl_outcome().code(0).octets(0);
    let long_outcome = sasl_outcome().code(0).additional_data(&[7; 400]).octets(0);
    let asks = sasl_init().mechanism("PLAIN").initial_response(b"\0u\0p");
    let challenge = sasl_challenge().challenge(b"?").octets(0);
    vec![
        server(
            "before the header",
            none,
            &[],
            &[&AMQP_HEADER, &long_open()],
        ),
        server(
            "in the header",
            none,
            &[b"AMQ"],
            &[b"P\0\x01\0\0", &long_open()],
        ),
        server("before open", none, &[&AMQP_HEADER], &[&long_open()]),
        server(
            "in open",
            none,
            &[&AMQP_HEADER, &long_open()[..20]],
            &[&long_open()[20..]],
        ),
        server(
            "with empty frames before open",
            none,
            &[&AMQP_HEADER],
            &[&[0, 0, 0, 8, 2, 0, 0, 0].repeat(40)],
        ),
        server(
            "before the header of SASL",
            offers,
            &[],
            &[&SASL_HEADER, &long_init()],
        ),
        server("before init", offers, &[&SASL_HEADER], &[&long_init()]),
        server(
            "while the program looks the user up",
            offers,
            &[&SASL_HEADER, &asks.octets(0)],
            &[&long_init()],
        ),
        client(
            "before the header",
            none,
            &[],
            &[&AMQP_HEADER, &long_open()],
        ),
        client("before open", none, &[&AMQP_HEADER], &[&long_open()]),
        client(
            "before the header of SASL",
            logs_in,
            &[],
            &[&SASL_HEADER, &long_offer.octets(0)],
        ),
        client(
            "before the offer",
            logs_in,
            &[&SASL_HEADER],
            &[&long_offer.octets(0)],
        ),
        client(
            "before the outcome",
            logs_in,
            &[&SASL_HEADER, &offer],
            &[&long_outcome],
        ),
        client(
            "after a question",
            solves_riddles,
            &[&SASL_HEADER, &offer, &challenge],
            &[&long_outcome],
        ),
        client(
            "after the login, before the header",
            logs_in,
            &[&SASL_HEADER, &offer, &outcome],
            &[&AMQP_HEADER, &long_open()],
        ),
        client(
            "after the login, before open",
            logs_in,
            &[&SASL_HEADER, &offer, &outcome, &AMQP_HEADER],
            &[&long_open()],
        ),
    ]
}

fn play(stall: &Stall, script: impl Fn(&mut Peer)) {
    let mut config = Config::new("engine");
    config.sasl = (stall.sasl)();
    let begin = |p: &mut Peer| {
        p.note(stall.what);
        if !stall.is_server {
            p.engine().connection().open().unwrap();
        }
        // The clock starts with the first call that tells the time.
        p.oversleep(0);
        if !stall.said.is_empty() {
            p.inject_raw(&stall.said);
        }
        assert_eq!(p.engine().failure(), None, "{}", stall.what);
        script(p);
        assert_eq!(
            p.engine().failure(),
            Some(&Failure::HandshakeTimeout),
            "{}",
            stall.what
        );
        p.events();
        p.drain_names();
        p.expect_done();
    };
    if stall.is_server {
        server_with(config, begin);
    } else {
        client_with(config, begin);
    }
}

#[test]
fn who_stalls_is_given_up_wherever_that_is() {
    for stall in stalls() {
        play(&stall, |p| {
            let deadline = p.engine().poll_timeout().expect(stall.what);
            assert_eq!(deadline.reason, Reason::Handshake, "{}", stall.what);
            p.advance(TIME - 1);
            assert_eq!(p.engine().failure(), None, "{}", stall.what);
            p.advance(1);
        });
    }
}

#[test]
fn an_octet_a_second_buys_no_time() {
    for stall in stalls() {
        let seconds = (TIME / 1_000) as usize;
        assert!(stall.trickle.len() > seconds, "{}", stall.what);
        play(&stall, |p| {
            for octet in &stall.trickle[..seconds - 1] {
                p.advance(1_000);
                p.inject_raw(&[*octet]);
                assert_eq!(p.engine().failure(), None, "{}", stall.what);
            }
            p.advance(999);
            assert_eq!(p.engine().failure(), None, "{}", stall.what);
            p.advance(1);
        });
    }
}
