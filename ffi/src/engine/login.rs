//! What a connection is logged in with, and what is asked of clients: the part of the configuration that is about SASL.

use core::ffi::c_char;

use bytes::Bytes;
use ferrion_engine::codec::Symbol;
use ferrion_engine::sasl::{
    Mechanism, Nonce, SaslClient, SaslServer, ScramHash, ScramServer, Secret,
};

use super::config::{Settings, ferrion_config_t};
use super::scram::ferrion_scram_t;
use crate::status::{Failure, ferrion_status};

/// Client: adds a login by ANONYMOUS. A client takes the first login that was added and that the server offers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_login_anonymous(
    config: *mut ferrion_config_t,
) -> ferrion_status {
    ffi_fn! { object config => {
        config.add(SaslClient::anonymous());
        Ok(())
    } }
}

/// Client: adds a login by PLAIN, user and password in clear; see `ferrion_config_login_allow_clear_text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_login_plain(
    config: *mut ferrion_config_t,
    user: *const c_char,
    password: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, text user, text password => {
        config.add(SaslClient::plain(user, password));
        Ok(())
    } }
}

/// Client: adds a login by EXTERNAL, as who the transport has proved.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_login_external(
    config: *mut ferrion_config_t,
) -> ferrion_status {
    ffi_fn! { object config => {
        config.add(SaslClient::external());
        Ok(())
    } }
}

/// Client: adds a login by SCRAM, a password that neither side shows. `mechanism` is "SCRAM-SHA-256" or the like; NULL
/// is all of them, the strongest first. The octets are 18 from a source of randomness that is fit for keys, fresh for
/// each connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_login_scram(
    config: *mut ferrion_config_t,
    mechanism: *const c_char,
    user: *const c_char,
    password: *const c_char,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object config, maybe_text mechanism, text user, text password, bytes data len => {
        let nonce = config.nonce(data)?;
        config.add(match mechanism {
            Some(name) => SaslClient::scram([hash(name)?], user, password, nonce),
            None => SaslClient::scram(ScramHash::STRONGEST_FIRST, user, password, nonce),
        });
        Ok(())
    } }
}

/// Client: adds a login by OAUTHBEARER, with a token. The user may be empty. See
/// `ferrion_config_login_allow_clear_text`, and FERRION_LIMIT_SASL_FRAME_SIZE for tokens of more than about 400 octets.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_login_oauthbearer(
    config: *mut ferrion_config_t,
    user: *const c_char,
    token: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, text user, text token => {
        config.add(SaslClient::oauthbearer(user, token));
        Ok(())
    } }
}

/// Client: adds a login by XOAUTH2, which came before OAUTHBEARER.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_login_xoauth2(
    config: *mut ferrion_config_t,
    user: *const c_char,
    token: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, text user, text token => {
        config.add(SaslClient::xoauth2(user, token));
        Ok(())
    } }
}

/// Client: adds a login by a mechanism of your own, and its initial response; `data` that is NULL is none. Each
/// challenge is a FERRION_SASL_CHALLENGE then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_login_raw(
    config: *mut ferrion_config_t,
    mechanism: *const c_char,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object config, text mechanism, maybe_bytes data len => {
        let initial = data.map(|data| Secret::from(Bytes::copy_from_slice(data)));
        config.add(SaslClient::raw(Symbol::try_from(mechanism)?, initial));
        Ok(())
    } }
}

/// Client: whether logins may be taken that show the secret: PLAIN, OAUTHBEARER and XOAUTH2. True under TLS, or on a
/// transport that never leaves the machine. FERRION_STATE: add a login first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_login_allow_clear_text(
    config: *mut ferrion_config_t,
    allow: bool,
) -> ferrion_status {
    ffi_fn! { object config => {
        config.change(|login| login.allow_clear_text(allow))
    } }
}

/// Client: asks for the rights of this identity with all logins that were added so far. FERRION_STATE: add a login
/// first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_login_authorize_as(
    config: *mut ferrion_config_t,
    identity: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, text identity => {
        config.change(|login| login.authorize_as(identity))
    } }
}

/// Client: the fewest iterations that a server may ask for, with all SCRAM logins that were added so far. Default
/// 4,096. FERRION_STATE: add a login first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_login_least_iterations(
    config: *mut ferrion_config_t,
    n: u32,
) -> ferrion_status {
    ffi_fn! { object config => {
        config.change(|login| login.least_iterations(n))
    } }
}

/// Client: no login: AMQP without SASL, as in a new configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_login_clear(
    config: *mut ferrion_config_t,
) -> ferrion_status {
    ffi_fn! { object config => {
        config.login = None;
        Ok(())
    } }
}

/// Server: offers a mechanism to clients, the preferred one first. One that ferrion does not know is left to the
/// program: each message of the client's is a FERRION_SASL_RAW. A server that offers nothing wants no SASL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_offer(
    config: *mut ferrion_config_t,
    mechanism: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, text mechanism => {
        let mechanism = match Mechanism::from_name(mechanism) {
            Some(known) => Offered::Known(known),
            None => Offered::Raw(Symbol::try_from(mechanism)?),
        };
        config.offer.get_or_insert_default().mechanisms.push(mechanism);
        Ok(())
    } }
}

/// Server: offers a mechanism that is left to the program, though ferrion may know it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_offer_raw(
    config: *mut ferrion_config_t,
    mechanism: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, text mechanism => {
        let mechanism = Offered::Raw(Symbol::try_from(mechanism)?);
        config.offer.get_or_insert_default().mechanisms.push(mechanism);
        Ok(())
    } }
}

/// Server: whether a client that skips SASL is turned away. Default true.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_offer_required(
    config: *mut ferrion_config_t,
    required: bool,
) -> ferrion_status {
    ffi_fn! { object config => {
        config.offer.get_or_insert_default().optional = !required;
        Ok(())
    } }
}

/// Server: what SCRAM needs. `key` is a secret of this server that stays the same, of at least 16 octets; users that do
/// not exist seem to have `iterations` (4,096 are usual) and a salt of `salt_octets` (16). The octets are 18 from a
/// source of randomness that is fit for keys, fresh for each connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_offer_scram(
    config: *mut ferrion_config_t,
    key: *const c_char,
    iterations: u32,
    salt_octets: usize,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object config, text key, bytes data len => {
        let scram = ScramServer {
            iterations,
            salt_octets,
            ..ScramServer::new(config.nonce(data)?, key)
        };
        scram.check().map_err(|error| Failure::invalid(error.to_string()))?;
        config.offer.get_or_insert_default().scram = Some(scram);
        Ok(())
    } }
}

/// Server: the salt that a user seems to have when it does not exist. Who stores passwords instead of credentials
/// derives them with this salt, so that nothing tells the two kinds of user apart. `out_scram` gets it. FERRION_STATE:
/// call `ferrion_config_offer_scram` first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_offer_salt(
    config: *const ferrion_config_t,
    mechanism: *const c_char,
    user: *const c_char,
    out_scram: *mut ferrion_scram_t,
) -> ferrion_status {
    ffi_fn! { object config, text mechanism, text user, object out_scram => {
        let scram = config.offer.as_ref().and_then(|offer| offer.scram.as_ref());
        let scram = scram.ok_or_else(|| Failure::new(ferrion_status::FERRION_STATE, "call ferrion_config_offer_scram first"))?;
        out_scram.credentials.salt = scram.salt(hash(mechanism)?, user);
        Ok(())
    } }
}

/// The nonce of the SCRAM logins that are added, and of the SCRAM that is offered, after this: text, visible ASCII without
/// comma. It takes the place of the random octets, which may be NULL then. Only for who must reproduce an exchange: a
/// nonce that somebody can foresee, or that comes twice, gives away what SCRAM protects. NULL: random octets again.
/// FERRION_INVALID_ARGUMENT: it is no such text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_nonce_from_text(
    config: *mut ferrion_config_t,
    nonce: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, maybe_text nonce => {
        let nonce = nonce.map(Nonce::from_text).transpose();
        config.nonce = nonce.map_err(|error| Failure::invalid(error.to_string()))?;
        Ok(())
    } }
}

/// Server: no SASL, as in a new configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_offer_clear(
    config: *mut ferrion_config_t,
) -> ferrion_status {
    ffi_fn! { object config => {
        config.offer = None;
        Ok(())
    } }
}

/// What a server asks of its clients.
#[derive(Debug, Clone, Default)]
pub(super) struct Offer {
    mechanisms: Vec<Offered>,
    optional: bool,
    scram: Option<ScramServer>,
}

#[derive(Debug, Clone)]
enum Offered {
    Known(Mechanism),
    Raw(Symbol),
}

impl Offer {
    /// What the engine is told.
    pub(super) fn server(&self) -> SaslServer {
        let known = self.mechanisms.iter().filter_map(|offered| match offered {
            Offered::Known(mechanism) => Some(*mechanism),
            Offered::Raw(_) => None,
        });
        let mut server = SaslServer::new(known).required(!self.optional);
        for offered in &self.mechanisms {
            if let Offered::Raw(mechanism) = offered {
                server = server.raw(mechanism.clone());
            }
        }
        match &self.scram {
            Some(scram) => server.scram(scram.clone()),
            None => server,
        }
    }
}

impl Settings {
    /// Adds a login, which is taken if none of those before it is offered.
    fn add(&mut self, login: SaslClient) {
        self.login = Some(match self.login.take() {
            Some(before) => before.or(login),
            None => login,
        });
    }

    /// The nonce that was given, or one of random octets.
    fn nonce(&self, random: &[u8]) -> Result<Nonce, Failure> {
        match &self.nonce {
            Some(nonce) => Ok(nonce.clone()),
            None => exactly(random).map(Nonce::from_random),
        }
    }

    /// Changes all logins.
    fn change(&mut self, change: impl FnOnce(SaslClient) -> SaslClient) -> Result<(), Failure> {
        let login = self.login.take().ok_or_else(|| {
            Failure::new(
                ferrion_status::FERRION_STATE,
                "there is no login yet: add one first",
            )
        })?;
        self.login = Some(change(login));
        Ok(())
    }
}

/// The hash of the SCRAM mechanism that C names.
pub(super) fn hash(mechanism: &str) -> Result<ScramHash, Failure> {
    match Mechanism::from_name(mechanism) {
        Some(Mechanism::Scram(hash)) => Ok(hash),
        _ => Err(Failure::invalid(format!(
            "{mechanism:?} is not a SCRAM mechanism that ferrion knows"
        ))),
    }
}

fn exactly(data: &[u8]) -> Result<[u8; 18], Failure> {
    data.try_into()
        .map_err(|_| Failure::invalid(format!("18 random octets belong here, not {}", data.len())))
}
