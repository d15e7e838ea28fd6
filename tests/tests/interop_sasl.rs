//! Logging in to other libraries, and letting them log in: python-qpid-proton with Cyrus SASL, and rhea.

use std::net::{Ipv4Addr, TcpListener};

use ferrion_engine::sasl::{
    Mechanism, Nonce, SaslAnswer, SaslClient, SaslConfig, SaslRequest, SaslServer,
    ScramCredentials, ScramHash, ScramServer,
};
use ferrion_engine::{Config, Event, SaslFailure};
use ferrion_tests::interop::{Conversation, Library, Program, Role, Sasl};

const SCRAMS: [ScramHash; 3] = ScramHash::STRONGEST_FIRST;

/// A name for the mechanism that lives as long as the program does.
fn scram(hash: ScramHash) -> Sasl {
    Sasl::With(Mechanism::Scram(hash).name())
}

fn nonce(seed: u8) -> Nonce {
    Nonce::from_random([seed; 18])
}

fn connect(program: &Program, client: SaslClient) -> Conversation {
    let mut config = Config::new("ferrion");
    config.sasl = SaslConfig::Client(client);
    Conversation::connect(program.port(), config)
}

/// The client gets in, and the server knows as whom and how.
fn gets_in(library: Library, sasl: Sasl, client: SaslClient) {
    let mut program = Program::serve(library, Role::Sink, sasl, &[], &[]);
    let mut talk = connect(&program, client);
    talk.open();
    let engine = talk.engine();
    assert_eq!(engine.sasl_mechanism().unwrap().as_str(), sasl.mechanism());
    let open = program.expect("open");
    assert_eq!(open["mechanism"], sasl.mechanism());
    assert!(
        open["user"].is_null() || open["user"] == Sasl::user(),
        "{open}"
    );
    assert_eq!(talk.close(), None);
}

fn is_refused(library: Library, sasl: Sasl, client: SaslClient) {
    let program = Program::serve(library, Role::Sink, sasl, &[], &[]);
    let failure = connect(&program, client).disconnected().unwrap();
    assert!(
        matches!(failure.as_sasl(), Some(SaslFailure::Refused { .. })),
        "{failure}"
    );
}

fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A program logs in to an engine that answers its request like this.
fn logs_in(
    library: Library,
    sasl: Sasl,
    server: SaslServer,
    answer: impl FnOnce(&SaslRequest) -> SaslAnswer,
) -> (Program, Conversation) {
    let (listener, port) = listen();
    let program = Program::connect(library, port, Role::Sink, sasl, &[], &[]);
    let mut config = Config::new("ferrion");
    config.sasl = SaslConfig::Server(server);
    let mut talk = Conversation::accept(&listener, config);
    talk.expect(Event::Authenticate);
    let engine = talk.engine();
    let answer = answer(engine.sasl_request().unwrap());
    engine.sasl_answer(answer).unwrap();
    (program, talk)
}

/// The failure, when the other side has been told of it.
fn ended(talk: &mut Conversation) -> SaslFailure {
    let failure = talk.disconnected().unwrap();
    talk.until("the outcome to leave", |engine| {
        engine.is_done().then_some(())
    });
    failure.as_sasl().unwrap().clone()
}

/// It gets in, and both sides know how.
fn got_in(mut program: Program, mut talk: Conversation, sasl: Sasl) {
    talk.expect(Event::Authenticated);
    talk.open();
    let engine = talk.engine();
    assert_eq!(engine.sasl_mechanism().unwrap().as_str(), sasl.mechanism());
    // What this side said last leaves on the way to the end.
    assert_eq!(talk.close(), None);
    assert_eq!(program.expect("open")["mechanism"], sasl.mechanism());
}

fn scram_server(hash: ScramHash) -> SaslServer {
    let settings = ScramServer::new(nonce(1), "a secret of this server");
    SaslServer::new([Mechanism::Scram(hash)]).scram(settings)
}

/// What is stored of the peers' user, with this password.
fn stored(request: &SaslRequest, password: &str) -> ScramCredentials {
    match request {
        SaslRequest::Scram { hash, user, .. } if user == Sasl::user() => {
            ScramCredentials::derive(*hash, password, b"sixteen octets..", 4096).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn scram_opens_the_door_of_proton_with_every_hash() {
    for hash in SCRAMS {
        let client = SaslClient::scram([hash], Sasl::user(), Sasl::password(), nonce(2));
        gets_in(Library::Proton, scram(hash), client);
    }
}

#[test]
fn proton_turns_away_who_has_the_wrong_password_or_no_account() {
    for (user, password) in [(Sasl::user(), "wrong"), ("nobody@test", Sasl::password())] {
        let client = SaslClient::scram([ScramHash::Sha256], user, password, nonce(3));
        is_refused(Library::Proton, scram(ScramHash::Sha256), client);
    }
}

#[test]
fn a_list_of_ways_finds_the_one_that_proton_has() {
    let client = || {
        SaslClient::scram(SCRAMS, Sasl::user(), Sasl::password(), nonce(4))
            .or(SaslClient::plain(Sasl::user(), Sasl::password()))
            .allow_clear_text(true)
    };
    gets_in(Library::Proton, scram(ScramHash::Sha1), client());
    gets_in(Library::Proton, Sasl::Plain, client());
    gets_in(Library::Rhea, Sasl::Plain, client());
}

#[test]
fn proton_and_rhea_are_shown_no_password_that_may_not_be_read() {
    for library in [Library::Proton, Library::Rhea] {
        let program = Program::serve(library, Role::Sink, Sasl::Plain, &[], &[]);
        let client = SaslClient::plain(Sasl::user(), Sasl::password());
        let failure = connect(&program, client).disconnected().unwrap();
        assert!(
            matches!(failure.as_sasl(), Some(SaslFailure::ClearText { .. })),
            "{failure}"
        );
    }
}

#[test]
fn proton_logs_in_with_scram_and_every_hash() {
    for hash in SCRAMS {
        let (program, talk) = logs_in(Library::Proton, scram(hash), scram_server(hash), |asked| {
            SaslAnswer::Scram(stored(asked, Sasl::password()))
        });
        got_in(program, talk, scram(hash));
    }
}

#[test]
fn proton_is_turned_away_with_the_wrong_password_and_without_an_account() {
    let hash = ScramHash::Sha256;
    let wrong = |asked: &SaslRequest| SaslAnswer::Scram(stored(asked, "another password"));
    let unknown = |_: &SaslRequest| SaslAnswer::Reject;
    let answers: [&dyn Fn(&SaslRequest) -> SaslAnswer; 2] = [&wrong, &unknown];
    for answer in answers {
        let (mut program, mut talk) =
            logs_in(Library::Proton, scram(hash), scram_server(hash), answer);
        assert_eq!(ended(&mut talk), SaslFailure::Refused { detail: None });
        let error = program.expect("transport_error");
        assert_eq!(error["condition"], "amqp:unauthorized-access", "{error}");
    }
}

#[test]
fn rhea_logs_in_with_a_token() {
    let sasl = Sasl::With("XOAUTH2");
    let server = || SaslServer::new([Mechanism::XOAuth2]);
    let (program, talk) = logs_in(Library::Rhea, sasl, server(), |asked| {
        assert!(
            matches!(asked, SaslRequest::Bearer { mechanism: Mechanism::XOAuth2, user, token, .. }
                if user == Sasl::user() && token.matches(b"token.of.rhea")),
            "{asked:?}"
        );
        SaslAnswer::Accept
    });
    got_in(program, talk, sasl);
}

#[test]
fn rhea_is_told_that_its_token_cannot_be_looked_at() {
    let server = SaslServer::new([Mechanism::XOAuth2]);
    let (mut program, mut talk) = logs_in(Library::Rhea, Sasl::With("XOAUTH2"), server, |_| {
        SaslAnswer::Unavailable
    });
    assert_eq!(ended(&mut talk), SaslFailure::System { temporary: true });
    drop(talk);
    program.expect("disconnected");
}
