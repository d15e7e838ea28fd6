//! What the engine shows of logins, in its trace, by `Debug` and in failures: never a secret, in whatever form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, BytesMut};
use ferrion_engine::codec::Symbol;
use ferrion_engine::sasl::{
    Mechanism, Nonce, SaslAnswer, SaslClient, SaslConfig, SaslRequest, SaslServer,
    ScramCredentials, ScramHash, ScramServer, Secret,
};
use ferrion_engine::{Config, Engine, Time};

const PASSWORD: &str = "open-sesame";
const KEY: &str = "a secret of this server";

/// Everything that can be read about an engine at this moment.
fn look(engine: &mut Engine, shown: &mut String) {
    *shown += &format!("{engine:?}\n{engine:#?}\n");
    if let Some(request) = engine.sasl_request() {
        *shown += &format!("{request:?}\n");
    }
    if let Some(failure) = engine.failure() {
        *shown += &format!("{failure:?} {failure}\n");
    }
    while let Some(line) = engine.poll_trace() {
        *shown += &format!("{line}\n");
    }
}

/// What SCRAM says to prove who is who.
fn proofs(octets: &[u8], secrets: &mut Vec<Vec<u8>>) {
    let text = String::from_utf8_lossy(octets);
    for mark in [",p=", "v="] {
        if let Some((_, proof)) = text.split_once(mark) {
            secrets.push(proof.as_bytes()[..20].to_vec());
        }
    }
}

/// Logs in; gives what was shown meanwhile, and the secrets that went over the wire.
fn log_in(
    client: SaslClient,
    server: SaslServer,
    mut decide: impl FnMut(&SaslRequest) -> SaslAnswer,
) -> (String, Vec<Vec<u8>>) {
    let mut shown = format!("{client:?} {server:?}\n");
    let mut secrets = vec![PASSWORD.into(), KEY.into()];
    let engine = |sasl: SaslConfig| {
        let mut config = Config::new("engine");
        config.hostname = Some("broker.example".into());
        config.sasl = sasl;
        config
    };
    let (client, server) = (SaslConfig::Client(client), SaslConfig::Server(server));
    let (client, server) = (engine(client), engine(server));
    shown += &format!("{client:?} {server:?}\n");
    let mut engines = [Engine::client(client), Engine::server(server)];
    for engine in &mut engines {
        engine.set_tracing(true);
        engine.connection().open().unwrap();
    }
    for _ in 0..8 {
        for from in [0, 1] {
            let mut output = engines[from].transmit(Time(0));
            let octets = output.copy_to_bytes(output.remaining());
            look(&mut engines[from], &mut shown);
            proofs(&octets, &mut secrets);
            let to = &mut engines[1 - from];
            to.recv(Time(0), &mut BytesMut::from(&octets[..]));
            look(to, &mut shown);
            if let Some(request) = to.sasl_request() {
                let answer = decide(request);
                shown += &format!("{answer:?}\n");
                to.sasl_answer(answer).unwrap();
                look(to, &mut shown);
            }
        }
    }
    (shown, secrets)
}

/// The ways in which octets are written down.
fn forms(secret: &[u8]) -> Vec<String> {
    let list = format!("{secret:?}");
    let hex = |upper: bool| {
        let octet = |octet: &u8| match upper {
            true => format!("{octet:02X}"),
            false => format!("{octet:02x}"),
        };
        secret.iter().map(octet).collect::<String>()
    };
    let escaped = secret.escape_ascii().to_string();
    // What stands before it in a response moves where base64 cuts it.
    let encoded = (0..3).map(|before| {
        let padded = [&b"   "[..before], secret].concat();
        let text = STANDARD.encode(padded);
        text[4..text.len() - 4].to_owned()
    });
    let mut forms = vec![
        escaped,
        hex(true),
        hex(false),
        list[1..list.len() - 1].to_owned(),
    ];
    forms.extend(encoded);
    forms
}

fn shows_none(what: &str, shown: &str, secrets: &[Vec<u8>]) {
    assert!(shown.contains("sasl-init"), "{what}: {shown}");
    for form in secrets.iter().flat_map(|secret| forms(secret)) {
        assert!(!shown.contains(&form), "{what} shows {form}: {shown}");
    }
}

#[test]
fn passwords_and_tokens_are_shown_neither_when_they_are_good_nor_when_they_are_not() {
    let ways = [
        (SaslClient::plain("ann", PASSWORD), Mechanism::Plain),
        (
            SaslClient::plain("ann", PASSWORD).authorize_as("bob"),
            Mechanism::Plain,
        ),
        (
            SaslClient::oauthbearer("ann", PASSWORD),
            Mechanism::OAuthBearer,
        ),
        (SaslClient::xoauth2("ann", PASSWORD), Mechanism::XOAuth2),
    ];
    for (client, mechanism) in ways {
        for answer in [
            SaslAnswer::Accept,
            SaslAnswer::Reject,
            SaslAnswer::Unavailable,
        ] {
            let mut asked = 0;
            let client = client.clone().allow_clear_text(true);
            let (shown, secrets) = log_in(client, SaslServer::new([mechanism]), |_| {
                asked += 1;
                answer.clone()
            });
            assert_eq!(asked, 1, "{mechanism:?}");
            shows_none(mechanism.name(), &shown, &secrets);
        }
    }
}

#[test]
fn scram_shows_neither_the_password_nor_proofs_nor_keys() {
    for hash in ScramHash::STRONGEST_FIRST {
        let stored = ScramCredentials::derive(hash, PASSWORD, b"salt", 4096).unwrap();
        for password in [PASSWORD, "wrong"] {
            let client = SaslClient::scram([hash], "ann", password, Nonce::from_random([9; 18]));
            let server = SaslServer::new([Mechanism::Scram(hash)])
                .scram(ScramServer::new(Nonce::from_random([8; 18]), KEY));
            let (shown, mut secrets) =
                log_in(client, server, |_| SaslAnswer::Scram(stored.clone()));
            // The client's proof, and where that is right the server's.
            let count = if password == PASSWORD { 4 } else { 3 };
            assert_eq!(secrets.len(), count, "{shown}");
            secrets.push(stored.stored_key.as_bytes().to_vec());
            secrets.push(stored.server_key.as_bytes().to_vec());
            shows_none(Mechanism::Scram(hash).name(), &shown, &secrets);
        }
    }
}

#[test]
fn what_mechanisms_of_the_embedders_say_is_not_shown() {
    let client = SaslClient::raw(Symbol::from_static("X-RIDDLE"), Some(PASSWORD.into()));
    let server = SaslServer::new([]).raw(Symbol::from_static("X-RIDDLE"));
    let mut turn = 0;
    let (shown, secrets) = log_in(client, server, |_| {
        turn += 1;
        match turn {
            1 | 2 => SaslAnswer::Continue(Secret::from(PASSWORD)),
            3 => SaslAnswer::AcceptWith(Secret::from(PASSWORD)),
            _ => SaslAnswer::Accept,
        }
    });
    assert_eq!(turn, 4, "{shown}");
    shows_none("X-RIDDLE", &shown, &secrets);
}
