//! What a server stores for SCRAM.

use core::ffi::c_char;

use bytes::Bytes;
use ferrion_engine::sasl::{ScramCredentials, Secret};

use super::login::hash;
use crate::guard::{Root, free};
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;

/// What a server stores of a user's password for SCRAM: enough to check a client and to prove itself, not enough to log
/// in. The parts are got to be stored, and set to be used.
#[derive(Debug)]
pub struct ferrion_scram_t {
    root: Root<Stored>,
}
object!(ferrion_scram_t, Stored);

/// Credentials with nothing in them.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_scram_new() -> *mut ferrion_scram_t {
    ffi_fn! { => core::ptr::null_mut(); {
        Ok(Box::into_raw(Box::new(ferrion_scram_t { root: Root::new(Stored::default()) })))
    } }
}

/// Frees it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_scram_free(scram: *mut ferrion_scram_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_scram_new` and is not used again, as the header demands.
        unsafe { free(scram) };
        Ok(())
    } }
}

/// Makes it the same as another one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_scram_copy(
    scram: *mut ferrion_scram_t,
    source: *const ferrion_scram_t,
) -> ferrion_status {
    ffi_fn! { object scram, object source => {
        scram.clone_from(&source);
        Ok(())
    } }
}

/// The parts of what is stored, for `ferrion_scram_get` and `ferrion_scram_set`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_scram_field {
    /// Random octets of this user; not secret.
    FERRION_SCRAM_SALT = 1,
    /// Checks the client's proof.
    FERRION_SCRAM_STORED_KEY = 2,
    /// Makes the server's signature.
    FERRION_SCRAM_SERVER_KEY = 3,
}

/// Makes it what is stored of this password. `mechanism` is "SCRAM-SHA-256" or the like; the octets are the salt, which
/// should be random and of 16; `iterations` at least 4,096. FERRION_STATE: the password is empty, or has what SASLprep
/// (RFC 4013) forbids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_scram_derive(
    scram: *mut ferrion_scram_t,
    mechanism: *const c_char,
    password: *const c_char,
    iterations: u32,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object scram, text mechanism, text password, bytes data len => {
        scram.credentials = ScramCredentials::derive(hash(mechanism)?, password, data, iterations)?;
        Ok(())
    } }
}

/// A part of what is stored. `field` is a `ferrion_scram_field`.
///
/// Borrowed until: the next call on this object that changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_scram_get(
    scram: *const ferrion_scram_t,
    field: i32,
    out_data: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object scram, out out_data => {
        let credentials = &scram.credentials;
        let octets: &[u8] = match field {
            _ if field == ferrion_scram_field::FERRION_SCRAM_SALT as i32 => &credentials.salt,
            _ if field == ferrion_scram_field::FERRION_SCRAM_STORED_KEY as i32 => credentials.stored_key.as_bytes(),
            _ if field == ferrion_scram_field::FERRION_SCRAM_SERVER_KEY as i32 => credentials.server_key.as_bytes(),
            _ => return Err(unknown(field)),
        };
        out_data.set(octets.into());
        Ok(())
    } }
}

/// Sets a part of what is stored. `field` is a `ferrion_scram_field`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_scram_set(
    scram: *mut ferrion_scram_t,
    field: i32,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object scram, bytes data len => {
        let octets = Bytes::copy_from_slice(data);
        let credentials = &mut scram.credentials;
        match field {
            _ if field == ferrion_scram_field::FERRION_SCRAM_SALT as i32 => credentials.salt = octets,
            _ if field == ferrion_scram_field::FERRION_SCRAM_STORED_KEY as i32 => credentials.stored_key = octets.into(),
            _ if field == ferrion_scram_field::FERRION_SCRAM_SERVER_KEY as i32 => credentials.server_key = octets.into(),
            _ => return Err(unknown(field)),
        }
        Ok(())
    } }
}

/// How many times the hash was applied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_scram_iterations(
    scram: *const ferrion_scram_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object scram, out out_n => {
        out_n.set(scram.credentials.iterations);
        Ok(())
    } }
}

/// Sets how many times the hash was applied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_scram_set_iterations(
    scram: *mut ferrion_scram_t,
    n: u32,
) -> ferrion_status {
    ffi_fn! { object scram => {
        scram.credentials.iterations = n;
        Ok(())
    } }
}

/// What is stored of a password.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(super) credentials: ScramCredentials,
}

impl Default for Stored {
    fn default() -> Self {
        let nothing = || Secret::from(Bytes::new());
        Self {
            credentials: ScramCredentials {
                salt: Bytes::new(),
                iterations: 0,
                stored_key: nothing(),
                server_key: nothing(),
            },
        }
    }
}

#[cold]
fn unknown(field: i32) -> Failure {
    Failure::invalid(format!("{field} is not a ferrion_scram_field"))
}
