//! The steps that scripts about SASL begin and end with.

use ferrion_engine::sasl::{Mechanism, SaslClient, SaslConfig, SaslServer};
use ferrion_engine::{Config, Event, Failure, SaslFailure};

use crate::build::{open, sasl_init, sasl_mechanisms};
use crate::oracle::{AMQP_HEADER, SASL_HEADER};
use crate::peer::Peer;

/// `sasl-code` (5.3.3.6).
pub const OK: u8 = 0;
/// `sasl-code` (5.3.3.6).
pub const AUTH: u8 = 1;
/// `sasl-code` (5.3.3.6).
pub const SYS_PERM: u8 = 3;
/// `sasl-code` (5.3.3.6).
pub const SYS_TEMP: u8 = 4;

/// A client that logs in like this, to the host `broker`.
pub fn as_client(sasl: SaslClient) -> Config {
    let mut config = Config::new("engine");
    config.hostname = Some("broker".into());
    config.sasl = SaslConfig::Client(sasl);
    config
}

/// A server that offers these mechanisms.
pub fn as_server(mechanisms: &[Mechanism]) -> Config {
    serving(SaslServer::new(mechanisms.iter().copied()))
}

/// A server with these settings.
pub fn serving(sasl: SaslServer) -> Config {
    let mut config = Config::new("engine");
    config.sasl = SaslConfig::Server(sasl);
    config
}

/// Up to the point where the script, as a server, has offered mechanisms.
pub fn offered(p: &mut Peer, mechanisms: &[&str]) {
    p.engine().connection().open().unwrap();
    p.expect_header(SASL_HEADER);
    p.expect_nothing();
    p.inject_raw(&SASL_HEADER);
    p.inject(sasl_mechanisms().sasl_server_mechanisms(mechanisms));
}

/// Up to the point where the script, as a client, has chosen a mechanism.
pub fn init(p: &mut Peer, mechanism: &str, response: &[u8]) {
    p.inject_raw(&SASL_HEADER);
    p.expect_header(SASL_HEADER);
    p.expect(0x40);
    p.inject(sasl_init().mechanism(mechanism).initial_response(response));
}

/// After an outcome that admits it, the client engine goes on with AMQP.
pub fn opens(p: &mut Peer) {
    p.expect_header(AMQP_HEADER);
    p.expect_open();
    p.inject_raw(&AMQP_HEADER);
    p.inject(open().container_id("script"));
    p.event_where("RemoteOpen", |e| (e == Event::RemoteOpen).then_some(()));
}

/// The engine has given up and says why; nothing that follows counts.
pub fn gave_up(p: &mut Peer) -> SaslFailure {
    p.inject_raw(&AMQP_HEADER);
    p.inject(open().container_id("script"));
    p.event_where("Disconnected", |e| (e == Event::Disconnected).then_some(()));
    p.expect_done();
    assert!(p.engine().connection().remote().is_none());
    match p.engine().failure() {
        Some(Failure::Sasl(failure)) => failure.clone(),
        other => panic!("{other:?}"),
    }
}

/// The server engine has turned the script away.
pub fn turned_away(p: &mut Peer) -> SaslFailure {
    p.expect(0x44).code(AUTH).null("additional-data");
    gave_up(p)
}
