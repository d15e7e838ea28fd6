//! What is about sessions, links and deliveries, where there are none; logins, TLS and other protocols in the middle of AMQP;
//! and opaque values outside of messages: what other modules try only where it belongs.

use ferrion_engine::sasl::{SaslClient, SaslConfig};
use ferrion_tests::build::{
    Build, Role, accepted, detach, disposition, open, sasl_challenge, sasl_init, sasl_mechanisms,
    sasl_outcome, transfer,
};
use ferrion_tests::oracle::{AMQP_HEADER, SASL_HEADER, TLS_HEADER, V};

use crate::victim::State;
use crate::victim::State::{Attached, Begun, ClientOpen, ClientSasl, Open, Opened, Sasl};
use crate::victim::{CHANNEL, SENDER, delivery, link, session, session_flow};
use crate::{Attack, LOGIN_FAILS, NOTHING};

const REFUSED: &str = "close, `amqp:not-allowed`";
const FRAMING: &str = "close, `amqp:connection:framing-error`";
const UNATTACHED: &str = "end, `amqp:session:unattached-handle`";

/// Frames that need a session, in each state that has none, and that need a link where there is a session.
const NO_LINK: &[(State, &str)] = &[
    (Sasl, LOGIN_FAILS),
    (Open, REFUSED),
    (ClientSasl, LOGIN_FAILS),
    (ClientOpen, REFUSED),
    (Opened, REFUSED),
    (Begun, UNATTACHED),
];

/// The same, of what needs a session and no link.
const NO_SESSION: &[(State, &str)] = &[
    (Sasl, LOGIN_FAILS),
    (Open, REFUSED),
    (ClientSasl, LOGIN_FAILS),
    (ClientOpen, REFUSED),
    (Opened, REFUSED),
    (Begun, NOTHING),
];

/// Octets that are no frame, wherever frames are.
const NO_FRAME: &[(State, &str)] = &[
    (Sasl, LOGIN_FAILS),
    (Open, FRAMING),
    (ClientSasl, LOGIN_FAILS),
    (ClientOpen, FRAMING),
    (Opened, FRAMING),
    (Begun, FRAMING),
    (Attached, FRAMING),
];

/// Why each of these is refused.
const NOWHERE: &[&str] = &[
    "type that has no place",
    "before open",
    "has no session",
    "is not attached",
];

pub(crate) fn attacks() -> Vec<Attack> {
    let mut all = without_a_link();
    all.extend(within_amqp());
    all.extend(logins());
    all.extend(opens());
    all.extend(opaque());
    all
}

fn told(role: Role, last: u32) -> Build {
    disposition()
        .role(role)
        .range(0, last)
        .settled(true)
        .state(accepted().v())
}

fn without_a_link() -> Vec<Attack> {
    vec![
        Attack::new(
            'W',
            "a delivery where nothing is attached",
            "2.4.1, 2.5.5, 2.6.2",
            NO_LINK,
            |_| delivery(0, b"x").octets(CHANNEL),
        )
        .because(NOWHERE),
        Attack::new(
            'W',
            "a flow of a link that is not attached",
            "2.4.1, 2.5.5, 2.6.2",
            NO_LINK,
            |_| {
                session_flow()
                    .handle(SENDER)
                    .delivery_count(0)
                    .link_credit(u32::MAX)
                    .octets(CHANNEL)
            },
        )
        .because(NOWHERE),
        Attack::new(
            'D',
            "a disposition of 2^31 delivery-ids where nothing is attached",
            "2.4.1, 2.5.5; what is not settled, not the range",
            NO_SESSION,
            |_| told(Role::Receiver, 0x7fff_ffff).octets(CHANNEL),
        )
        .because(NOWHERE),
        Attack::new(
            'D',
            "1,000 dispositions where nothing was ever sent",
            "what is not settled, not the range",
            &[(Opened, REFUSED), (Begun, NOTHING)],
            |_| {
                [Role::Receiver, Role::Sender]
                    .map(|role| told(role, 0x7fff_ffff).octets(CHANNEL))
                    .concat()
                    .repeat(500)
            },
        )
        .because(NOWHERE),
        Attack::new(
            'M',
            "a delivery without end where nothing is attached",
            "2.4.1, 2.5.5, 2.6.2",
            NO_LINK,
            |_| {
                let more = transfer().handle(SENDER).more(true).payload(&[0; 300]);
                let begun = delivery(0, &[0; 300]).more(true).octets(CHANNEL);
                [begun, more.octets(CHANNEL).repeat(400)].concat()
            },
        )
        .because(NOWHERE),
        Attack::new(
            'M',
            "payload of 30,000 octets behind each of 60 begins or 100 flows, which have none",
            "it is passed over, and counts with a begin, which is kept as it came",
            &[
                (Opened, "close, `amqp:resource-limit-exceeded`"),
                (Begun, NOTHING),
                (Attached, NOTHING),
            ],
            |state| {
                let payload = [0; 30_000];
                let empty = match state {
                    // Each on a channel of its own.
                    Opened => {
                        return (0..60)
                            .flat_map(|n| session().payload(&payload).octets(n))
                            .collect();
                    }
                    _ => session_flow().payload(&payload),
                };
                empty.octets(CHANNEL).repeat(100)
            },
        )
        .because(&["the connection would hold"])
        .harmless_by_default(3 << 20),
        Attack::new(
            'E',
            "10,000 flows that ask for one where there is no session",
            "2.4.1, 2.5.5",
            &[
                (Sasl, LOGIN_FAILS),
                (Open, REFUSED),
                (ClientSasl, LOGIN_FAILS),
                (ClientOpen, REFUSED),
                (Opened, REFUSED),
            ],
            |_| session_flow().echo(true).octets(CHANNEL).repeat(10_000),
        )
        .because(NOWHERE),
        Attack::new(
            'U',
            "a detach of a link that never was, 1,000 times",
            "2.4.1, 2.5.5, 2.6.2",
            NO_LINK,
            |_| {
                detach()
                    .handle(SENDER)
                    .closed(true)
                    .octets(CHANNEL)
                    .repeat(1_000)
            },
        )
        .because(NOWHERE),
    ]
}

fn within_amqp() -> Vec<Attack> {
    vec![
        Attack::new(
            'T',
            "a handshake of TLS in the middle of a connection",
            "`max_frame_size`: it begins like a frame of 369 million octets",
            NO_FRAME,
            |_| vec![22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3],
        )
        .because(&["larger than the maximum"]),
        Attack::new(
            'T',
            "the header of TLS in the middle of a connection",
            "`max_frame_size`: it begins like a frame of 1,095 million octets",
            NO_FRAME,
            |_| TLS_HEADER.to_vec(),
        )
        .because(&["larger than the maximum"]),
        Attack::new(
            'P',
            "a request of HTTP in the middle of a connection",
            "`max_frame_size`: it begins like a frame of 1,195 million octets",
            NO_FRAME,
            |_| b"GET / HTTP/1.1\r\nHost: example.net\r\n\r\n".repeat(100),
        )
        .because(&["larger than the maximum"]),
    ]
}

fn logins() -> Vec<Attack> {
    const GIVEN_UP: &[(State, &str)] = &[(ClientSasl, LOGIN_FAILS)];
    vec![
        Attack::new(
            'S',
            "a login once more, with its header",
            "2.2, 5.3",
            &[
                (Open, FRAMING),
                (ClientOpen, FRAMING),
                (Opened, FRAMING),
                (Begun, FRAMING),
                (Attached, FRAMING),
            ],
            |_| {
                let login = sasl_init().mechanism("ANONYMOUS").octets(0);
                [&SASL_HEADER[..], &login].concat()
            },
        )
        .because(&["larger than the maximum"]),
        Attack::new(
            'S',
            "nothing but mechanisms that show no password, to a client that has one to show",
            "5.3.3.1; a client does not fall back",
            GIVEN_UP,
            |_| {
                let offer = ["ANONYMOUS", "EXTERNAL"];
                sasl_mechanisms().sasl_server_mechanisms(&offer).octets(0)
            },
        )
        .because(&["no SASL mechanism in common"]),
        Attack::new(
            'S',
            "nothing but PLAIN, to a client whose octets everybody can read",
            "`allow_clear_text`; a client does not fall back",
            GIVEN_UP,
            |_| {
                let offer = sasl_mechanisms().sasl_server_mechanisms(&["PLAIN"]);
                [offer.octets(0), sasl_outcome().code(0).octets(0)].concat()
            },
        )
        .because(&["would show the secret"])
        .configured(|config| config.sasl = SaslConfig::Client(SaslClient::plain("user", "secret"))),
        Attack::new(
            'S',
            "a question before there is an offer",
            "5.3.2",
            GIVEN_UP,
            |_| sasl_challenge().challenge(b"?").octets(0),
        )
        .because(&["out of place"]),
        Attack::new('S', "what only a client says", "5.3.2", GIVEN_UP, |_| {
            sasl_init().mechanism("PLAIN").octets(0)
        })
        .because(&["out of place"]),
        Attack::new('E', "offers without end", "5.3.2", GIVEN_UP, |_| {
            let offer = sasl_mechanisms().sasl_server_mechanisms(&["PLAIN"]);
            offer.octets(0).repeat(500)
        })
        .because(&["out of place"]),
        Attack::new(
            'I',
            "an outcome that is no number of an outcome",
            "5.3.3.6",
            GIVEN_UP,
            |_| {
                let offer = sasl_mechanisms().sasl_server_mechanisms(&["PLAIN"]);
                [offer.octets(0), sasl_outcome().code(255).octets(0)].concat()
            },
        )
        .because(&["not one of the values"]),
    ]
}

fn opens() -> Vec<Attack> {
    vec![
        Attack::new(
            'U',
            "two opens in one breath",
            "2.4.1",
            &[(Open, REFUSED), (ClientOpen, REFUSED)],
            |_| open().container_id("twice").octets(0).repeat(2),
        )
        .because(&["opened before"]),
        Attack::new(
            'E',
            "an open that asks for a frame in every millisecond",
            "an idle-time-out of 100 ms is the least, 2.4.5",
            &[
                (Open, "close, `amqp:not-implemented`"),
                (ClientOpen, "close, `amqp:not-implemented`"),
            ],
            |_| {
                let open = open().container_id("attacker");
                open.idle_time_out(1).octets(0)
            },
        )
        .because(&["too short"]),
        Attack::new(
            'I',
            "an open whose every number is the largest",
            "what this side takes is this side's to say",
            &[(Open, NOTHING), (ClientOpen, NOTHING)],
            |_| {
                open()
                    .container_id("attacker")
                    .max_frame_size(u32::MAX)
                    .channel_max(u16::MAX)
                    .idle_time_out(u32::MAX)
                    .octets(0)
            },
        ),
    ]
}

/// What begins like a serialised object of Java.
const OBJECT: &[u8] = b"\xac\xed\0\x05sr\0\x11java.util.HashMap";

fn opaque() -> Vec<Attack> {
    vec![Attack::new(
        'J',
        "a serialised object of Java in what is said beside messages",
        "octets are handed over as they are",
        &[
            (Sasl, LOGIN_FAILS),
            (Open, NOTHING),
            (ClientSasl, NOTHING),
            (ClientOpen, NOTHING),
            (Opened, NOTHING),
            (Begun, NOTHING),
        ],
        |state| {
            let said = V::fields(&[("object", V::bin(OBJECT))]);
            let opens = open().container_id("attacker").properties(said.clone());
            match state {
                Sasl => sasl_init()
                    .mechanism("PLAIN")
                    .initial_response(OBJECT)
                    .octets(0),
                ClientSasl => [
                    sasl_mechanisms()
                        .sasl_server_mechanisms(&["PLAIN"])
                        .octets(0),
                    sasl_outcome().code(0).additional_data(OBJECT).octets(0),
                    AMQP_HEADER.to_vec(),
                    opens.octets(0),
                ]
                .concat(),
                Open | ClientOpen => opens.octets(0),
                Opened => session().properties(said).octets(CHANNEL),
                _ => link("opaque", 9, Role::Receiver)
                    .properties(said)
                    .octets(CHANNEL),
            }
        },
    )]
}
