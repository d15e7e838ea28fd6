//! An engine that logs in, or lets log in, against a peer that sends any SASL frames at all.

use alloc::vec::Vec;

use bytes::{Buf, BytesMut};

use crate::codec::Symbol;
use crate::config::Config;
use crate::engine::Engine;
use crate::event::Event;
use crate::sasl::{Mechanism, SaslAnswer, SaslClient, SaslConfig, SaslServer};
use crate::time::Time;

const PASSWORD: &str = "sesame-open-thyself";
const RAW: Symbol = Symbol::from_static("X-RAW");

/// Octet 0: bit 0 the role, bit 1 whether the embedder refuses, bit 2 whether secrets may be readable, bits 4 to 7 the
/// mechanism. Then pieces of octets, each after its length; each but the protocol header is the body of a SASL frame.
pub fn sasl_octets(data: &[u8]) {
    let Some((mode, data)) = data.split_first() else {
        return;
    };
    let is_client = mode & 1 == 0;
    let refuses = mode & 2 != 0;
    let mut config = Config::new("fuzzed");
    config.hostname = Some("host".into());
    config.limits.sasl_frame_size = 1024;
    // A few iterations tell as much as many, and take no time.
    config.limits.scram_iterations = 8;
    config.sasl = if is_client {
        SaslConfig::Client(client(mode >> 4).allow_clear_text(mode & 4 != 0))
    } else {
        SaslConfig::Server(server())
    };
    let mut engine = if is_client {
        Engine::client(config)
    } else {
        Engine::server(config)
    };
    let mut authenticated = false;
    let mut written = Vec::new();
    let mut input = BytesMut::from(&b"AMQP\x03\x01\x00\x00"[..]);
    let mut rest = data;
    loop {
        engine.recv(Time(0), &mut input);
        while let Some(event) = engine.poll_event() {
            authenticated |= event == Event::Authenticated;
            if event == Event::Authenticate {
                answer(&mut engine, refuses);
            }
        }
        take(&mut engine, &mut written);
        let Some((length, after)) = rest.split_first() else {
            break;
        };
        // The longest reaches beyond the limit.
        let length = if *length == 255 {
            1100
        } else {
            usize::from(*length)
        };
        let (piece, after) = after.split_at(length.min(after.len()));
        rest = after;
        let size = u32::try_from(piece.len() + 8).unwrap_or(8);
        input.extend_from_slice(&size.to_be_bytes());
        input.extend_from_slice(&[2, 1, 0, 0]);
        input.extend_from_slice(piece);
    }
    let shown = alloc::format!("{engine:?}{:?}", engine.sasl_request());
    let is_in = |octets: &[u8]| {
        let mut parts = octets.windows(PASSWORD.len());
        parts.any(|part| part == PASSWORD.as_bytes())
    };
    // A peer that says the words itself may see them in what is told of it.
    let is_told = is_in(data);
    assert!(is_told || !shown.contains(PASSWORD), "Debug shows a secret");
    if is_client && mode & 4 == 0 {
        assert!(!is_in(&written), "a secret went out in clear");
    }
    if !is_client && refuses {
        assert!(!authenticated, "a client that was refused got in");
    }
    engine.recv_eof(Time(0));
    take(&mut engine, &mut written);
    assert!(engine.is_done(), "after the end nothing is left to do");
    assert!(engine.sasl_answer(SaslAnswer::Accept).is_err());
}

fn client(way: u8) -> SaslClient {
    match way {
        0 => SaslClient::anonymous(),
        1 => SaslClient::plain("user", PASSWORD),
        2 => SaslClient::external(),
        3 => SaslClient::oauthbearer("user", PASSWORD),
        4 => SaslClient::xoauth2("user", PASSWORD),
        5 => SaslClient::raw(RAW, None),
        _ => scram(way),
    }
}

#[cfg(feature = "scram")]
fn scram(way: u8) -> SaslClient {
    use crate::sasl::{Nonce, ScramHash};
    let hashes = match way {
        6 => [ScramHash::Sha1],
        7 => [ScramHash::Sha512],
        _ => [ScramHash::Sha256],
    };
    let nonce = Nonce::from_text("client-nonce").expect("it is visible ASCII");
    SaslClient::scram(hashes, "user", PASSWORD, nonce).least_iterations(1)
}

#[cfg(not(feature = "scram"))]
fn scram(_: u8) -> SaslClient {
    SaslClient::raw(RAW, Some(PASSWORD.into()))
}

/// Everything but ANONYMOUS, which nobody can be refused.
fn server() -> SaslServer {
    let names = [
        "PLAIN",
        "EXTERNAL",
        "OAUTHBEARER",
        "XOAUTH2",
        "SCRAM-SHA-1",
        "SCRAM-SHA-256",
        "SCRAM-SHA-512",
    ];
    let known = names.iter().filter_map(|name| Mechanism::from_name(name));
    let server = SaslServer::new(known).raw(RAW);
    #[cfg(feature = "scram")]
    let server = {
        use crate::sasl::{Nonce, ScramServer};
        let nonce = Nonce::from_text("server-nonce").expect("it is visible ASCII");
        server.scram(ScramServer::new(nonce, "a secret of this server"))
    };
    server
}

/// Any answer that fits. Which one does not, is refused without harm.
fn answer(engine: &mut Engine, refuses: bool) {
    if refuses {
        // Once with words, which not every request has room for.
        let _ = engine.sasl_answer(SaslAnswer::RejectWith("{}".into()));
        let _ = engine.sasl_answer(SaslAnswer::Reject);
        return;
    }
    #[cfg(feature = "scram")]
    if let Some(crate::sasl::SaslRequest::Scram { hash, .. }) = engine.sasl_request() {
        let stored = crate::sasl::ScramCredentials::derive(*hash, PASSWORD, b"salt", 4);
        let _ = engine.sasl_answer(SaslAnswer::Scram(stored.expect("good credentials")));
    }
    let _ = engine.sasl_answer(SaslAnswer::Continue("go on".into()));
    let _ = engine.sasl_answer(SaslAnswer::Accept);
}

fn take(engine: &mut Engine, written: &mut Vec<u8>) {
    let mut output = engine.transmit(Time(0));
    while output.has_remaining() {
        let count = output.chunk().len();
        written.extend_from_slice(output.chunk());
        output.advance(count);
    }
}
