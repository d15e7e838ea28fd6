//! TLS and WebSocket.

use core::ffi::c_char;
use std::time::Duration;

use ferrion_messenger::ClientCertificates;

use super::ferrion_messenger_t;
use crate::status::{Failure, ferrion_status};

/// What listeners with TLS do about certificates of those who connect.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_client_certificates {
    /// None is asked for.
    FERRION_CLIENT_CERTIFICATES_IGNORE = 0,
    /// One is asked for, and must be good if it is shown. Who has none can log in another way.
    FERRION_CLIENT_CERTIFICATES_ACCEPT = 1,
    /// Nobody comes in without a good one.
    FERRION_CLIENT_CERTIFICATES_REQUIRE = 2,
}

/// Sets the certificate that is shown to peers that want to see one, and that is needed to listen on `amqps://~`: a file in
/// PEM form with a chain of certificates, the own one first, and a file with its key, which may be the same. Where no
/// user is set, connections with TLS also log in by it (SASL EXTERNAL). The files are read now.
///
/// FERRION_CERTIFICATE: one of the files cannot be used; the text says which, and what is wanted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_certificate(
    messenger: *mut ferrion_messenger_t,
    certificate: *const c_char,
    key: *const c_char,
) -> ferrion_status {
    ffi_fn! { object messenger, text certificate, text key => {
        Ok(messenger.messenger.set_certificate(certificate, key)?)
    } }
}

/// Trusts the authorities whose certificates are in this file (PEM form) to say who is who, and no others. Without it those
/// whom the system trusts are trusted. The file is read now.
///
/// FERRION_CERTIFICATE: the file cannot be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_trusted_certificates(
    messenger: *mut ferrion_messenger_t,
    file: *const c_char,
) -> ferrion_status {
    ffi_fn! { object messenger, text file => { Ok(messenger.messenger.set_trusted_certificates(file)?) } }
}

/// DANGEROUS, for experiments only: sets whether connections are made to whoever answers, with whatever certificate, so
/// that anybody on the way can read and change everything. Each one that is made so leaves a warning. False unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_dangerous_accept_any_certificate(
    messenger: *mut ferrion_messenger_t,
    accept: bool,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_dangerous_accept_any_certificate(accept);
        Ok(())
    } }
}

/// Sets what `amqps://~` listeners do about certificates of those who connect: a `ferrion_client_certificates`. Who may
/// issue them must be said with `ferrion_messenger_set_trusted_certificates`. Whoever shows a good one can log in by it
/// (SASL EXTERNAL) under the name in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_client_certificates(
    messenger: *mut ferrion_messenger_t,
    what: i32,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_client_certificates(client_certificates(what)?);
        Ok(())
    } }
}

/// Sets whether those who connect to `amqps://~` listeners may also begin without TLS, on the same port; false unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_listeners_allow_plain(
    messenger: *mut ferrion_messenger_t,
    allow: bool,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_listeners_allow_plain(allow);
        Ok(())
    } }
}

/// Sets the path of a WebSocket: which one is asked for on `ws://` and `wss://`, "/" unless set, and which one listeners of
/// that kind insist on; unless set they take any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_websocket_path(
    messenger: *mut ferrion_messenger_t,
    path: *const c_char,
) -> ferrion_status {
    ffi_fn! { object messenger, text path => {
        messenger.messenger.set_websocket_path(path);
        Ok(())
    } }
}

/// Sets how many milliseconds the two sides of a new connection may take to agree on TLS and WebSocket, and then
/// as long again for the login and the opening of AMQP, on connections made from then on; 30,000 unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_handshake_time_out(
    messenger: *mut ferrion_messenger_t,
    milliseconds: u64,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_handshake_time_out(Duration::from_millis(milliseconds));
        Ok(())
    } }
}

/// The choice that a number from C names.
fn client_certificates(number: i32) -> Result<ClientCertificates, Failure> {
    use ferrion_client_certificates as Choice;
    let choices = [
        (
            Choice::FERRION_CLIENT_CERTIFICATES_IGNORE,
            ClientCertificates::Ignore,
        ),
        (
            Choice::FERRION_CLIENT_CERTIFICATES_ACCEPT,
            ClientCertificates::Accept,
        ),
        (
            Choice::FERRION_CLIENT_CERTIFICATES_REQUIRE,
            ClientCertificates::Require,
        ),
    ];
    let found = choices.iter().find(|(c, _)| *c as i32 == number);
    found
        .map(|(_, rust)| *rust)
        .ok_or_else(|| Failure::invalid(format!("{number} is not a ferrion_client_certificates")))
}
