//! What the SASL exchange asks of the program, and the answers.

use bytes::Bytes;
use ferrion_engine::codec::Str;
use ferrion_engine::sasl::{SaslAnswer, SaslRequest, Secret};

use super::ferrion_engine_t;
use super::scram::ferrion_scram_t;
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;

/// What the SASL exchange waits for, after FERRION_EVENT_AUTHENTICATE.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_sasl_request {
    /// A question that has no name yet: reject it.
    FERRION_SASL_OTHER = 0,
    /// Server: check that the secret is the password of the user, and that the user may act as who is asked for.
    FERRION_SASL_PLAIN = 1,
    /// Server: check that the transport has proved an identity that may act as this one.
    FERRION_SASL_EXTERNAL = 2,
    /// Server: give what is stored of this user with `ferrion_engine_sasl_answer_scram`, or reject.
    FERRION_SASL_SCRAM = 3,
    /// Server, OAUTHBEARER or XOAUTH2: check that the secret is a token that is valid, here, and for this user.
    FERRION_SASL_BEARER = 4,
    /// Server, a mechanism of the program's: what the client said is the secret. Continue with a challenge, or end.
    FERRION_SASL_RAW = 5,
    /// Client, a mechanism of the program's: what the server asks is the secret. Continue with a response, or reject.
    FERRION_SASL_CHALLENGE = 6,
    /// Client, a mechanism of the program's: the server admits this client, and says the secret last. Accept or reject
    /// it.
    FERRION_SASL_ADMITTED = 7,
}

/// The parts of a request, for `ferrion_engine_sasl_field`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_sasl_field {
    /// The mechanism that was chosen.
    FERRION_SASL_FIELD_MECHANISM = 1,
    /// Who is asking.
    FERRION_SASL_FIELD_USER = 2,
    /// Whose rights are asked for; empty for the user's own.
    FERRION_SASL_FIELD_AUTHORIZE_AS = 3,
    /// The password, the token, or what the other side said.
    FERRION_SASL_FIELD_SECRET = 4,
    /// The host that the client means to talk to.
    FERRION_SASL_FIELD_HOST = 5,
}

/// The answers to a request.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_sasl_answer {
    /// Server: the client is admitted; with octets, for mechanisms of the program's, it is told them too. Client: the
    /// server is trusted.
    FERRION_SASL_ACCEPT = 1,
    /// Server: the client is turned away; with octets, for OAUTHBEARER and XOAUTH2, it is told why, as a JSON object.
    /// Client: gives up.
    FERRION_SASL_REJECT = 2,
    /// Server: who the client is cannot be found out now; it may try again later.
    FERRION_SASL_UNAVAILABLE = 3,
    /// A mechanism of the program's: the octets are the next challenge, or the next response.
    FERRION_SASL_CONTINUE = 4,
}

/// What the SASL exchange waits for. FERRION_ABSENT: nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_sasl_request(
    engine: *const ferrion_engine_t,
    out_request: *mut ferrion_sasl_request,
) -> ferrion_status {
    ffi_fn! { object engine, out out_request => {
        let request = engine.engine.sasl_request().ok_or_else(Failure::absent)?;
        out_request.set(match request {
            SaslRequest::Plain { .. } => ferrion_sasl_request::FERRION_SASL_PLAIN,
            SaslRequest::External { .. } => ferrion_sasl_request::FERRION_SASL_EXTERNAL,
            SaslRequest::Scram { .. } => ferrion_sasl_request::FERRION_SASL_SCRAM,
            SaslRequest::Bearer { .. } => ferrion_sasl_request::FERRION_SASL_BEARER,
            SaslRequest::Raw { .. } => ferrion_sasl_request::FERRION_SASL_RAW,
            SaslRequest::Challenge { .. } => ferrion_sasl_request::FERRION_SASL_CHALLENGE,
            SaslRequest::Admitted { .. } => ferrion_sasl_request::FERRION_SASL_ADMITTED,
            _ => ferrion_sasl_request::FERRION_SASL_OTHER,
        });
        Ok(())
    } }
}

/// A part of the request. `field` is a `ferrion_sasl_field`. FERRION_ABSENT: the request does not have it.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_sasl_field(
    engine: *mut ferrion_engine_t,
    field: i32,
    out_data: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_data => {
        let request = engine.engine.sasl_request().ok_or_else(Failure::absent)?;
        let mechanism = engine.engine.sasl_mechanism().cloned();
        use ferrion_sasl_field::*;
        let part = match field {
            _ if field == FERRION_SASL_FIELD_MECHANISM as i32 => mechanism.map(|mechanism| mechanism.into_bytes()),
            _ if field == FERRION_SASL_FIELD_USER as i32 => user(request).map(octets),
            _ if field == FERRION_SASL_FIELD_AUTHORIZE_AS as i32 => authorize_as(request).map(octets),
            _ if field == FERRION_SASL_FIELD_SECRET as i32 => secret(request).map(|secret| Bytes::copy_from_slice(secret.as_bytes())),
            _ if field == FERRION_SASL_FIELD_HOST as i32 => match request {
                SaslRequest::Bearer { host, .. } => host.as_ref().map(octets),
                _ => None,
            },
            _ => return Err(Failure::invalid(format!("{field} is not a ferrion_sasl_field"))),
        };
        let part = part.ok_or_else(Failure::absent)?;
        out_data.set(engine.lend(part));
        Ok(())
    } }
}

/// The port that a client with a token means to talk to. FERRION_ABSENT: it does not say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_sasl_port(
    engine: *const ferrion_engine_t,
    out_port: *mut u16,
) -> ferrion_status {
    ffi_fn! { object engine, out out_port => {
        match engine.engine.sasl_request() {
            Some(SaslRequest::Bearer { port: Some(port), .. }) => out_port.set(*port),
            _ => return Err(Failure::absent()),
        }
        Ok(())
    } }
}

/// Answers the request, now or later. `answer` is a `ferrion_sasl_answer`; it says what the octets are for, if there
/// are any. What the peer sent behind what was asked about is taken up with it, as by `ferrion_engine_recv`: look at the
/// events and transmit after it. FERRION_STATE: nothing is asked, or the answer does not fit the request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_sasl_answer(
    engine: *mut ferrion_engine_t,
    answer: i32,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object engine, bytes data len => {
        use ferrion_sasl_answer::*;
        let answer = match answer {
            _ if answer == FERRION_SASL_ACCEPT as i32 && data.is_empty() => SaslAnswer::Accept,
            _ if answer == FERRION_SASL_ACCEPT as i32 => SaslAnswer::AcceptWith(own(data)),
            _ if answer == FERRION_SASL_REJECT as i32 && data.is_empty() => SaslAnswer::Reject,
            _ if answer == FERRION_SASL_REJECT as i32 => {
                let why = core::str::from_utf8(data).map_err(|_| Failure::invalid("the reason must be UTF-8"))?;
                SaslAnswer::RejectWith(why.into())
            }
            _ if answer == FERRION_SASL_UNAVAILABLE as i32 => SaslAnswer::Unavailable,
            _ if answer == FERRION_SASL_CONTINUE as i32 => SaslAnswer::Continue(own(data)),
            _ => return Err(Failure::invalid(format!("{answer} is not a ferrion_sasl_answer"))),
        };
        Ok(engine.engine.sasl_answer(answer)?)
    } }
}

/// Answers FERRION_SASL_SCRAM with what is stored of the user. Look at the events and transmit after it, as after
/// `ferrion_engine_sasl_answer`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_sasl_answer_scram(
    engine: *mut ferrion_engine_t,
    scram: *const ferrion_scram_t,
) -> ferrion_status {
    ffi_fn! { object engine, object scram => {
        Ok(engine.engine.sasl_answer(SaslAnswer::Scram(scram.credentials.clone()))?)
    } }
}

/// Server: the host that the client says it wants to reach. Known while a request waits. FERRION_ABSENT: it does not
/// say.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_sasl_hostname(
    engine: *mut ferrion_engine_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_text => {
        let host = engine.engine.sasl_hostname().cloned().ok_or_else(Failure::absent)?;
        out_text.set(engine.lend(host.into_bytes()));
        Ok(())
    } }
}

/// The SASL mechanism that was chosen. FERRION_ABSENT: none yet.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_sasl_mechanism(
    engine: *mut ferrion_engine_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_text => {
        let mechanism = engine.engine.sasl_mechanism().cloned().ok_or_else(Failure::absent)?;
        out_text.set(engine.lend(mechanism.into_bytes()));
        Ok(())
    } }
}

fn user(request: &SaslRequest) -> Option<&Str> {
    match request {
        SaslRequest::Plain { user, .. }
        | SaslRequest::Scram { user, .. }
        | SaslRequest::Bearer { user, .. } => Some(user),
        _ => None,
    }
}

fn authorize_as(request: &SaslRequest) -> Option<&Str> {
    match request {
        SaslRequest::Plain { authorize_as, .. }
        | SaslRequest::External { authorize_as }
        | SaslRequest::Scram { authorize_as, .. } => Some(authorize_as),
        _ => None,
    }
}

fn secret(request: &SaslRequest) -> Option<&Secret> {
    match request {
        SaslRequest::Plain { password, .. } => Some(password),
        SaslRequest::Bearer { token, .. } => Some(token),
        SaslRequest::Raw { response, .. } => response.as_ref(),
        SaslRequest::Challenge { challenge, .. } => Some(challenge),
        SaslRequest::Admitted {
            additional_data, ..
        } => additional_data.as_ref(),
        _ => None,
    }
}

fn octets(text: &Str) -> Bytes {
    text.clone().into_bytes()
}

fn own(data: &[u8]) -> Secret {
    Bytes::copy_from_slice(data).into()
}
