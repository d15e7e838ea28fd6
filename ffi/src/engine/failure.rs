//! How connections end in a way that is not orderly.

use ferrion_engine::{Failure as EngineFailure, HeaderFailure, Origin, SaslFailure};

use super::condition::{Parts, parts};
use super::ferrion_engine_t;
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;
use crate::value::ferrion_value_t;

/// Why a connection ended in a way that was not orderly.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_failure {
    /// A failure that has no name yet.
    FERRION_FAILURE_OTHER = 0,
    /// The peer broke a rule, and was told by which condition.
    FERRION_FAILURE_LOCAL = 1,
    /// The peer closed the connection with a condition.
    FERRION_FAILURE_REMOTE = 2,
    /// The peer does not speak AMQP at all.
    FERRION_FAILURE_NOT_AMQP = 3,
    /// The peer speaks another protocol id or version.
    FERRION_FAILURE_PROTOCOL_VERSION = 4,
    /// The peer wants TLS first.
    FERRION_FAILURE_TLS_REQUESTED = 5,
    /// The peer skipped SASL, which is required here.
    FERRION_FAILURE_SASL_REQUIRED = 6,
    /// The transport ended before both closes were exchanged.
    FERRION_FAILURE_TRANSPORT_CLOSED = 7,
    /// The peer did not finish the handshake, or answer our close, in time.
    FERRION_FAILURE_HANDSHAKE_TIMEOUT = 8,
    /// The credentials were refused.
    FERRION_FAILURE_SASL_REFUSED = 20,
    /// The server has a failure of its own.
    FERRION_FAILURE_SASL_SYSTEM = 21,
    /// The same, and it may pass.
    FERRION_FAILURE_SASL_TEMPORARY = 22,
    /// Client and server have no mechanism in common.
    FERRION_FAILURE_SASL_NO_MECHANISM = 23,
    /// The server offers only mechanisms that show the secret, and that was not allowed.
    FERRION_FAILURE_SASL_CLEAR_TEXT = 24,
    /// The mechanism cannot be carried out with these credentials.
    FERRION_FAILURE_SASL_CREDENTIALS = 25,
    /// The server did not prove that it knows the password.
    FERRION_FAILURE_SASL_IMPOSTOR = 26,
    /// The server asks for fewer or more iterations of SCRAM than are allowed.
    FERRION_FAILURE_SASL_ITERATIONS = 27,
    /// A SASL frame is larger than is allowed.
    FERRION_FAILURE_SASL_FRAME_TOO_LARGE = 28,
    /// The exchange does not come to an end.
    FERRION_FAILURE_SASL_TOO_MANY_ROUNDS = 29,
    /// The server has no mechanism that it can carry out.
    FERRION_FAILURE_SASL_NOTHING_OFFERED = 30,
    /// This side gave the exchange up.
    FERRION_FAILURE_SASL_ABANDONED = 31,
    /// The exchange broke the protocol.
    FERRION_FAILURE_SASL_PROTOCOL = 32,
}

/// Why the connection ended in a way that was not orderly, for the program and, with what to do, for people. Each
/// result may be NULL. FERRION_ABSENT: it has not.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_failure(
    engine: *mut ferrion_engine_t,
    out_failure: *mut ferrion_failure,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object engine, optional out_failure, optional out_text => {
        let failure = engine.engine.failure().ok_or_else(Failure::absent)?;
        let (kind, text) = (kind(failure), failure.to_string());
        out_text.set(engine.lend(text));
        out_failure.set(kind);
        Ok(())
    } }
}

/// The error condition that the close carried, ours or the peer's. Each result may be NULL. FERRION_ABSENT: the
/// connection did not end by one.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_failure_condition(
    engine: *mut ferrion_engine_t,
    out_condition: *mut ferrion_bytes_t,
    out_description: *mut ferrion_bytes_t,
    out_info: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object engine, optional out_condition, optional out_description, maybe_object out_info => {
        let error = engine.engine.failure().and_then(EngineFailure::condition).cloned();
        engine.tell(error, parts!(out_condition, out_description, out_info))
    } }
}

fn kind(failure: &EngineFailure) -> ferrion_failure {
    use ferrion_failure::*;
    match failure {
        EngineFailure::Condition {
            origin: Origin::Local,
            ..
        } => FERRION_FAILURE_LOCAL,
        EngineFailure::Condition {
            origin: Origin::Remote,
            ..
        } => FERRION_FAILURE_REMOTE,
        EngineFailure::Header(HeaderFailure::NotAmqp(_)) => FERRION_FAILURE_NOT_AMQP,
        EngineFailure::Header(HeaderFailure::Unsupported { .. }) => {
            FERRION_FAILURE_PROTOCOL_VERSION
        }
        EngineFailure::Header(HeaderFailure::TlsRequested) => FERRION_FAILURE_TLS_REQUESTED,
        EngineFailure::Header(HeaderFailure::SaslRequired) => FERRION_FAILURE_SASL_REQUIRED,
        EngineFailure::TransportClosed => FERRION_FAILURE_TRANSPORT_CLOSED,
        EngineFailure::HandshakeTimeout => FERRION_FAILURE_HANDSHAKE_TIMEOUT,
        EngineFailure::Sasl(SaslFailure::Refused { .. }) => FERRION_FAILURE_SASL_REFUSED,
        EngineFailure::Sasl(SaslFailure::System { temporary: false }) => {
            FERRION_FAILURE_SASL_SYSTEM
        }
        EngineFailure::Sasl(SaslFailure::System { temporary: true }) => {
            FERRION_FAILURE_SASL_TEMPORARY
        }
        EngineFailure::Sasl(SaslFailure::NoCommonMechanism { .. }) => {
            FERRION_FAILURE_SASL_NO_MECHANISM
        }
        EngineFailure::Sasl(SaslFailure::ClearText { .. }) => FERRION_FAILURE_SASL_CLEAR_TEXT,
        EngineFailure::Sasl(SaslFailure::Credentials(_)) => FERRION_FAILURE_SASL_CREDENTIALS,
        EngineFailure::Sasl(SaslFailure::Impostor) => FERRION_FAILURE_SASL_IMPOSTOR,
        EngineFailure::Sasl(SaslFailure::Iterations { .. }) => FERRION_FAILURE_SASL_ITERATIONS,
        EngineFailure::Sasl(SaslFailure::FrameTooLarge { .. }) => {
            FERRION_FAILURE_SASL_FRAME_TOO_LARGE
        }
        EngineFailure::Sasl(SaslFailure::TooManyRounds { .. }) => {
            FERRION_FAILURE_SASL_TOO_MANY_ROUNDS
        }
        EngineFailure::Sasl(SaslFailure::NothingOffered) => FERRION_FAILURE_SASL_NOTHING_OFFERED,
        EngineFailure::Sasl(SaslFailure::Abandoned) => FERRION_FAILURE_SASL_ABANDONED,
        EngineFailure::Sasl(SaslFailure::Protocol(_)) => FERRION_FAILURE_SASL_PROTOCOL,
        _ => FERRION_FAILURE_OTHER,
    }
}
