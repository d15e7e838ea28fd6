//! What connections log in with, and who is admitted to listening addresses.

use core::ffi::c_char;

use super::ferrion_messenger_t;
use crate::status::ferrion_status;

/// Sets the user and the password for addresses that carry none. Either may be NULL. They go by SCRAM, which shows the
/// password to nobody, where the peer offers it, or else by PLAIN; that one without TLS only to this machine, unless
/// `ferrion_messenger_set_allow_plain_without_tls` says otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_credentials(
    messenger: *mut ferrion_messenger_t,
    user: *const c_char,
    password: *const c_char,
) -> ferrion_status {
    ffi_fn! { object messenger, maybe_text user, maybe_text password => {
        messenger.messenger.set_credentials(user, password);
        Ok(())
    } }
}

/// Sets an OAuth 2.0 token to log in with (OAUTHBEARER, or else XOAUTH2) to addresses that carry no password; NULL is none.
/// The user is that of `ferrion_messenger_set_credentials`, or none. Tokens expire: set the next one in time, because
/// connections are made again with the last one that was set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_token(
    messenger: *mut ferrion_messenger_t,
    token: *const c_char,
) -> ferrion_status {
    ffi_fn! { object messenger, maybe_text token => {
        messenger.messenger.set_token(token);
        Ok(())
    } }
}

/// Sets whether passwords and tokens may go in clear over connections without TLS to other machines; false unless
/// set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_allow_plain_without_tls(
    messenger: *mut ferrion_messenger_t,
    allow: bool,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_allow_plain_without_tls(allow);
        Ok(())
    } }
}

/// Admits a user to listening addresses, or no longer if the password is NULL. Before the first user is named
/// everyone is admitted; when the last is taken away, nobody.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_listener_user(
    messenger: *mut ferrion_messenger_t,
    user: *const c_char,
    password: *const c_char,
) -> ferrion_status {
    ffi_fn! { object messenger, text user, maybe_text password => {
        messenger.messenger.set_listener_user(user, password);
        Ok(())
    } }
}

/// Admits who shows this token as this user to listening addresses (OAUTHBEARER, XOAUTH2), or no longer if the token is
/// NULL. A user has one token; the empty user is for tokens that come without a user's name. They are admitted beside
/// those of `ferrion_messenger_set_listener_user`, and nobody else is, even when the last token is taken away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_listener_token(
    messenger: *mut ferrion_messenger_t,
    user: *const c_char,
    token: *const c_char,
) -> ferrion_status {
    ffi_fn! { object messenger, text user, maybe_text token => {
        messenger.messenger.set_listener_token(user, token);
        Ok(())
    } }
}
