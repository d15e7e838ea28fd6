//! Logins out of step, and TLS that is not there: S and T.

use ferrion_engine::codec::Symbol;
use ferrion_engine::sasl::{SaslClient, SaslConfig};
use ferrion_tests::build::{
    Build, begin, open, sasl_challenge, sasl_init, sasl_mechanisms, sasl_outcome, sasl_response,
};
use ferrion_tests::oracle::{AMQP_HEADER, SASL_HEADER, TLS_HEADER, V};

use crate::victim::RIDDLE;
use crate::victim::State::{ClientOpen, ClientSasl, Header, Open, Sasl};
use crate::{Attack, LOGIN_FAILS, OTHER_HEADER};

fn init(mechanism: &str, response: &[u8]) -> Vec<u8> {
    sasl_init()
        .mechanism(mechanism)
        .initial_response(response)
        .octets(0)
}

/// A frame of 512 octets, which comes in a read of its own: `made` with a filler that has so many.
fn padded(made: impl Fn(usize) -> Build) -> Vec<u8> {
    let octets = (200..512).map(|filler| made(filler).octets(0));
    let mut fitting = octets.filter(|octets| octets.len() == 512);
    fitting.next().expect("a filler that fits")
}

/// What the program's own mechanism is asked, and each of its answers to be asked again.
fn riddles_without_end() -> Vec<u8> {
    let first = padded(|filler| {
        let first = sasl_init().mechanism(RIDDLE);
        first.initial_response(&vec![0; filler])
    });
    let answer = padded(|filler| sasl_response().response(&vec![0; filler]));
    [first, answer.repeat(100)].concat()
}

/// What a client says once it is let in.
fn opens() -> Vec<u8> {
    [&AMQP_HEADER[..], &open().container_id("attacker").octets(0)].concat()
}

pub(crate) fn attacks() -> Vec<Attack> {
    const REFUSED: &[(crate::State, &str)] = &[(Sasl, LOGIN_FAILS)];
    const GIVEN_UP: &[(crate::State, &str)] = &[(ClientSasl, LOGIN_FAILS)];
    vec![
        Attack::new(
            'S',
            "a wrong password, and then AMQP as if it had been right",
            "who fails is done",
            REFUSED,
            |_| [init("PLAIN", b"\0user\0wrong"), opens()].concat(),
        )
        .because(&["credentials were refused"]),
        Attack::new(
            'S',
            "AMQP before the login",
            "`sasl_frame_size`: it begins like a frame of 1,095 million octets",
            REFUSED,
            |_| opens(),
        )
        .because(&["larger than the maximum"]),
        Attack::new(
            'S',
            "a mechanism that is not offered",
            "5.3.3.2",
            REFUSED,
            |_| init("ANONYMOUS", b"me"),
        )
        .because(&["credentials were refused"]),
        Attack::new(
            'S',
            "an answer to what was not asked",
            "5.3.2",
            REFUSED,
            |_| sasl_response().response(b"x").octets(0),
        )
        .because(&["out of place"]),
        Attack::new('S', "what only a server says", "5.3.2", REFUSED, |_| {
            sasl_outcome().code(0).octets(0)
        })
        .because(&["out of place"]),
        Attack::new(
            'S',
            "two logins, one after the other",
            "who fails is done",
            REFUSED,
            |_| init("PLAIN", b"\0user\0wrong").repeat(2),
        )
        .because(&["credentials were refused"]),
        Attack::new('S', "PLAIN without its zeros", "5.3.3.2", REFUSED, |_| {
            init("PLAIN", b"user")
        })
        .because(&["credentials were refused"]),
        Attack::new(
            'S',
            "answers without end to a mechanism that always asks on",
            "`sasl_rounds`",
            REFUSED,
            |_| riddles_without_end(),
        )
        .because(&["no end after 16 rounds"]),
        Attack::new(
            'S',
            "answers without end to a mechanism that may ask without end",
            "`octets_before_open`",
            REFUSED,
            |_| riddles_without_end(),
        )
        .configured(|config| config.limits.sasl_rounds = 1_000)
        .because(&["octets before open"]),
        Attack::new(
            'S',
            "questions without end to a mechanism that always has an answer",
            "`sasl_rounds`",
            GIVEN_UP,
            |_| {
                let offer = padded(|filler| {
                    // No name has more than 255 octets.
                    let (some, others) = ("X".repeat(filler / 2), "X".repeat(filler.div_ceil(2)));
                    let names = [RIDDLE, &some, &others];
                    sasl_mechanisms().sasl_server_mechanisms(&names)
                });
                let more = padded(|filler| sasl_challenge().challenge(&vec![0; filler]));
                [offer, more.repeat(100)].concat()
            },
        )
        .configured(|config| {
            config.sasl = SaslConfig::Client(SaslClient::raw(Symbol::from_static(RIDDLE), None));
        })
        .because(&["no end after 16 rounds"]),
        Attack::new('S', "no mechanism at all", "5.3.3.1", GIVEN_UP, |_| {
            sasl_mechanisms()
                .set("sasl-server-mechanisms", V::Null)
                .octets(0)
        })
        .because(&["mandatory value is missing"]),
        Attack::new(
            'S',
            "a login that succeeds before it began",
            "5.3.2",
            GIVEN_UP,
            |_| [sasl_outcome().code(0).octets(0), opens()].concat(),
        )
        .because(&["out of place"]),
        Attack::new(
            'S',
            "a login that fails, and then AMQP",
            "who fails is done",
            GIVEN_UP,
            |_| {
                let offer = sasl_mechanisms().sasl_server_mechanisms(&["PLAIN"]);
                [offer.octets(0), sasl_outcome().code(1).octets(0), opens()].concat()
            },
        )
        .because(&["credentials were refused"]),
        Attack::new('S', "challenges without end", "5.3.2", GIVEN_UP, |_| {
            let offer = sasl_mechanisms().sasl_server_mechanisms(&["PLAIN"]);
            let more = sasl_challenge().challenge(&[0; 400]).octets(0).repeat(100);
            [offer.octets(0), more].concat()
        })
        .because(&["asks what the mechanism has no answer to"]),
        Attack::new(
            'S',
            "a session before open",
            "2.4.1",
            &[
                (Open, "close, `amqp:not-allowed`"),
                (ClientOpen, "close, `amqp:not-allowed`"),
            ],
            |_| {
                begin()
                    .next_outgoing_id(0)
                    .incoming_window(1)
                    .outgoing_window(1)
                    .octets(0)
            },
        )
        .because(&["begin before open"]),
        Attack::new(
            'T',
            "the header of TLS within AMQP, which is refused and not taken for granted",
            "5.2",
            &[(Header, OTHER_HEADER)],
            |_| [&TLS_HEADER[..], &opens()].concat(),
        ),
        Attack::new(
            'T',
            "a handshake of TLS where none was set up",
            "2.2",
            &[(Header, OTHER_HEADER)],
            |_| vec![22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3],
        ),
        Attack::new(
            'T',
            "the header of SASL where a login is not asked for",
            "2.2",
            &[(Header, OTHER_HEADER)],
            |_| SASL_HEADER.to_vec(),
        ),
    ]
}
