//! By which mechanism a core logs in, by what it was given, what the peer offers, and who could read along.
#![expect(clippy::unwrap_used, reason = "tests")]

use ferrion_engine::message::Message;
use ferrion_engine::sasl::{Mechanism, ScramHash};

use super::Core;
use super::redirect_tests::{core, elsewhere, meet, sent_elsewhere};
use crate::error::ErrorKind;

const ANONYMOUS: Mechanism = Mechanism::Anonymous;
const PLAIN: Mechanism = Mechanism::Plain;
const BEARER: Mechanism = Mechanism::OAuthBearer;
const SCRAM: Mechanism = Mechanism::Scram(ScramHash::Sha256);

/// Where the peer is, and how the core comes there.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In clear, over a network that was not called trusted, or was.
    Far {
        allowed: bool,
    },
    Loopback,
    Tls,
    /// Another peer sent it there: in clear over a network that was called trusted, or in TLS.
    SentTo {
        tls: bool,
    },
}

const PLACES: [Place; 6] = [
    Place::Far { allowed: false },
    Place::Far { allowed: true },
    Place::Loopback,
    Place::Tls,
    Place::SentTo { tls: false },
    Place::SentTo { tls: true },
];

impl Place {
    /// Whether a password or token may be shown there.
    const fn is_private(self) -> bool {
        matches!(
            self,
            Self::Far { allowed: true } | Self::Loopback | Self::Tls
        )
    }
}

/// Goes there with these credentials in the address, or this token: how it logged in, or the text of the error, and the warnings.
fn outcome(
    place: Place,
    (login, token): (&str, bool),
    offered: &[Mechanism],
) -> (Result<Mechanism, String>, Vec<String>) {
    let mut core = core();
    core.options.token = token.then(|| "t0ken".into());
    core.options.allow_plain = matches!(
        place,
        Place::Far { allowed: true } | Place::SentTo { tls: false }
    );
    let (scheme, host) = match place {
        Place::Far { .. } | Place::SentTo { tls: false } => ("amqp", "far"),
        Place::Loopback => ("amqp", "127.0.0.1"),
        Place::Tls | Place::SentTo { tls: true } => ("amqps", "far"),
    };
    let address = format!("{scheme}://{login}{host}/q");
    if let Place::SentTo { .. } = place {
        sent_elsewhere(&mut core, &address, &elsewhere(None, Some("stranger")));
    } else {
        let mut message = Message::with_body("x");
        message.set_address(address.as_str());
        core.set_outgoing_window(1);
        core.put(&message).unwrap();
    }
    warnings(&mut core);
    let (_, heard) = meet(&mut core, offered, None);
    let result = heard.mechanism.ok_or_else(|| {
        let error = core.take_send_error().unwrap();
        assert_eq!(error.kind(), ErrorKind::Login, "{error}");
        error.to_string()
    });
    (result, warnings(&mut core))
}

fn warnings(core: &mut Core) -> Vec<String> {
    std::iter::from_fn(|| core.next_warning()).collect()
}

#[test]
fn who_has_a_login_uses_it_or_does_not_go_there_and_who_has_none_is_nobody() {
    for place in PLACES {
        for offered in [
            &[PLAIN, ANONYMOUS][..],
            &[ANONYMOUS, PLAIN],
            &[ANONYMOUS],
            &[ANONYMOUS, PLAIN, SCRAM],
            &[BEARER, ANONYMOUS],
            &[PLAIN, BEARER],
        ] {
            let has = |mechanism| offered.contains(&mechanism);
            let say = |what: &str| format!("{place:?} {offered:?} {what}");

            for nobody in ["", "@"] {
                let (result, warnings) = outcome(place, (nobody, false), offered);
                assert_eq!(
                    result.ok(),
                    has(ANONYMOUS).then_some(ANONYMOUS),
                    "{}",
                    say(nobody)
                );
                assert_eq!(warnings, [""; 0]);
            }

            let (result, warnings) = outcome(place, ("ann@", false), offered);
            assert_eq!(result.is_ok(), has(ANONYMOUS), "{}", say("ann"));
            let told = warnings
                .iter()
                .any(|warning| warning.contains("nobody is logged in"));
            assert_eq!(told, has(ANONYMOUS), "{}: {warnings:?}", say("ann"));

            for (login, token, best, clear) in [
                ("ann:secret@", false, Some(SCRAM), PLAIN),
                ("", true, None, BEARER),
            ] {
                let expected = best.filter(|best| has(*best));
                let in_clear = || (has(clear) && place.is_private()).then_some(clear);
                let expected = expected.or_else(in_clear);
                let (result, warnings) = outcome(place, (login, token), offered);
                let text = match result {
                    Ok(mechanism) => {
                        assert_eq!(Some(mechanism), expected, "{}", say(login));
                        let open = matches!(place, Place::Loopback) && mechanism == clear;
                        assert_eq!(
                            warnings.len(),
                            usize::from(open),
                            "{}: {warnings:?}",
                            say(login)
                        );
                        continue;
                    }
                    Err(text) => text,
                };
                assert_eq!(expected, None, "{}: {text}", say(login));
                // What to do about it.
                let advice = match place {
                    _ if !has(clear) => "leave them out to go there as nobody",
                    Place::SentTo { .. } => "set_alternatives()",
                    _ => "set_allow_plain_without_tls(true)",
                };
                assert!(text.contains(advice), "{}: {text}", say(login));
            }
        }
    }
}
