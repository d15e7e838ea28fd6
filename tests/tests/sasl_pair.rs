//! Two engines that log in to each other with every mechanism, over a wire that cuts octets as it likes.

use ferrion_engine::codec::Symbol;
use ferrion_engine::sasl::{
    Mechanism, Nonce, SaslAnswer, SaslClient, SaslRequest, SaslServer, ScramCredentials, ScramHash,
    ScramServer, ScramSettingsError,
};
use ferrion_engine::{Event, SaslFailure};
use ferrion_tests::pair::{At, Pair};
use ferrion_tests::sasl::{as_client, serving};

const USER: &str = "ann";
const PASSWORD: &str = "open sesame";

fn scram_settings(seed: u64) -> ScramServer {
    let mut random = [0; 18];
    random[..8].copy_from_slice(&seed.to_be_bytes());
    ScramServer::new(Nonce::from_random(random), "a secret of this server")
}

/// A server's list of users, and of riddles.
fn decide(request: &SaslRequest) -> SaslAnswer {
    let good = match request {
        SaslRequest::Plain { user, password, .. } => {
            user == USER && password.matches(PASSWORD.as_bytes())
        }
        SaslRequest::External { authorize_as } => authorize_as == USER,
        SaslRequest::Bearer { user, token, .. } => {
            user == USER && token.matches(PASSWORD.replace(' ', "-").as_bytes())
        }
        SaslRequest::Scram { hash, user, .. } if user == USER => {
            let salt = scram_settings(0).salt(*hash, user);
            let stored = ScramCredentials::derive(*hash, PASSWORD, &salt, 4096).unwrap();
            return SaslAnswer::Scram(stored);
        }
        SaslRequest::Raw { response: None, .. } => return SaslAnswer::Continue("1+1".into()),
        SaslRequest::Raw {
            response: Some(solution),
            ..
        } => solution.matches(b"2"),
        SaslRequest::Challenge { challenge, .. } if challenge.matches(b"1+1") => {
            return SaslAnswer::Continue("2".into());
        }
        SaslRequest::Admitted { .. } => true,
        _ => false,
    };
    if good {
        SaslAnswer::Accept
    } else {
        SaslAnswer::Reject
    }
}

/// Both log in, with whoever is asked answering, until nothing more happens: the mechanism and the events of each.
fn log_in(seed: u64, client: SaslClient, server: SaslServer) -> (Pair, [Vec<Event>; 2]) {
    let mut pair = Pair::with(seed, as_client(client), serving(server));
    for at in [At::Client, At::Server] {
        pair.engine(at).connection().open().unwrap();
    }
    let mut events = [Vec::new(), Vec::new()];
    loop {
        pair.run();
        let mut asked = false;
        for (at, events) in [At::Client, At::Server].into_iter().zip(&mut events) {
            events.extend(pair.events(at));
            if let Some(request) = pair.engine(at).sasl_request() {
                let answer = decide(request);
                pair.engine(at).sasl_answer(answer).unwrap();
                asked = true;
            }
        }
        if !asked {
            return (pair, events);
        }
    }
}

fn every_way() -> Vec<(SaslClient, SaslClient, SaslServer, &'static str)> {
    let token = PASSWORD.replace(' ', "-");
    let mut ways = vec![
        (
            SaslClient::plain(USER, PASSWORD),
            SaslClient::plain(USER, "wrong"),
            SaslServer::new([Mechanism::Plain]),
            "PLAIN",
        ),
        (
            SaslClient::external().authorize_as(USER),
            SaslClient::external().authorize_as("bob"),
            SaslServer::new([Mechanism::External]),
            "EXTERNAL",
        ),
        (
            SaslClient::oauthbearer(USER, token.as_str()),
            SaslClient::oauthbearer(USER, "wrong"),
            SaslServer::new([Mechanism::OAuthBearer]),
            "OAUTHBEARER",
        ),
        (
            SaslClient::xoauth2(USER, token.as_str()),
            SaslClient::xoauth2(USER, "wrong"),
            SaslServer::new([Mechanism::XOAuth2]),
            "XOAUTH2",
        ),
        (
            SaslClient::raw(Symbol::from_static("X-SUM"), None),
            SaslClient::raw(Symbol::from_static("X-SUM"), Some("3".into())),
            SaslServer::new([]).raw(Symbol::from_static("X-SUM")),
            "X-SUM",
        ),
    ];
    for hash in ScramHash::STRONGEST_FIRST {
        let client = |user: &str, password: &str| {
            SaslClient::scram([hash], user, password, Nonce::from_random([9; 18]))
        };
        let server = || {
            SaslServer::new([Mechanism::Scram(hash)]).scram(scram_settings(hash.octets() as u64))
        };
        let name = Mechanism::Scram(hash).name();
        ways.push((
            client(USER, PASSWORD),
            client(USER, "wrong"),
            server(),
            name,
        ));
        ways.push((
            client(USER, PASSWORD),
            client("bob", PASSWORD),
            server(),
            name,
        ));
    }
    ways
}

#[test]
fn who_knows_the_secret_gets_in_with_every_mechanism() {
    for (client, _, server, name) in every_way() {
        for seed in 0..4 {
            let client = client.clone().allow_clear_text(true);
            let (mut pair, events) = log_in(seed, client, server.clone());
            for (at, events) in [At::Client, At::Server].into_iter().zip(events) {
                assert!(
                    events.ends_with(&[Event::Authenticated, Event::RemoteOpen]),
                    "{name} at the {at:?}: {events:?} {:?}",
                    pair.engine(at).failure()
                );
                assert_eq!(pair.engine(at).sasl_mechanism().unwrap().as_str(), name);
            }
        }
    }
}

#[test]
fn who_does_not_know_it_gets_in_with_none() {
    for (_, client, server, name) in every_way() {
        for seed in 0..4 {
            let client = client.clone().allow_clear_text(true);
            let (mut pair, events) = log_in(seed, client, server.clone());
            for (at, events) in [At::Client, At::Server].into_iter().zip(events) {
                assert_eq!(
                    events.last(),
                    Some(&Event::Disconnected),
                    "{name} at the {at:?}"
                );
                assert!(!events.contains(&Event::Authenticated));
                let failure = pair.engine(at).failure().unwrap().as_sasl().unwrap();
                assert!(matches!(failure, SaslFailure::Refused { .. }), "{failure}");
                assert!(pair.engine(at).is_done());
            }
        }
    }
}

#[test]
fn anonymous_gets_in_only_where_it_is_offered() {
    let (mut pair, events) = log_in(
        1,
        SaslClient::anonymous(),
        SaslServer::new([Mechanism::Anonymous]),
    );
    assert!(events.iter().all(|e| e.contains(&Event::Authenticated)));
    assert_eq!(
        pair.engine(At::Server).sasl_mechanism().unwrap().as_str(),
        "ANONYMOUS"
    );
    let (mut pair, _) = log_in(
        1,
        SaslClient::anonymous(),
        SaslServer::new([Mechanism::External]),
    );
    let failure = pair.engine(At::Client).failure().unwrap().as_sasl();
    assert!(matches!(
        failure,
        Some(SaslFailure::NoCommonMechanism { .. })
    ));
}

#[test]
fn a_client_that_prefers_scram_falls_back_to_what_the_server_has() {
    let client = || {
        let nonce = Nonce::from_random([9; 18]);
        SaslClient::scram(ScramHash::STRONGEST_FIRST, USER, PASSWORD, nonce)
            .or(SaslClient::plain(USER, PASSWORD))
            .allow_clear_text(true)
    };
    let all = [
        Mechanism::Plain,
        Mechanism::Scram(ScramHash::Sha1),
        Mechanism::Scram(ScramHash::Sha256),
    ];
    let mut long_salt = scram_settings(1);
    long_salt.salt_octets = 65;
    assert_eq!(long_salt.check(), Err(ScramSettingsError::SaltOctets(65)));
    for (server, chosen) in [
        (
            SaslServer::new(all).scram(scram_settings(1)),
            "SCRAM-SHA-256",
        ),
        // Without its settings SCRAM is not offered, nor with a key that can be guessed.
        (SaslServer::new(all), "PLAIN"),
        (
            SaslServer::new(all).scram(ScramServer::new(Nonce::from_random([1; 18]), "short")),
            "PLAIN",
        ),
        (SaslServer::new(all).scram(long_salt), "PLAIN"),
    ] {
        let (mut pair, events) = log_in(2, client(), server);
        assert!(events.iter().all(|e| e.contains(&Event::Authenticated)));
        assert_eq!(
            pair.engine(At::Client).sasl_mechanism().unwrap().as_str(),
            chosen
        );
    }
}
