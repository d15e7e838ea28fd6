//! How a connection is opened, and what is held for its peer at most.

use core::ffi::c_char;

use ferrion_engine::codec::Value;
use ferrion_engine::sasl::{Nonce, SaslClient, SaslConfig};
use ferrion_engine::{Config, Limits};

use super::fields::{Field, fields, given, number};
use super::login::Offer;
use crate::guard::{Root, free};
use crate::status::{Failure, ferrion_status};
use crate::value::ferrion_value_t;

/// What a connection is opened with (2.7.1), for `ferrion_config_set` and its like.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_config_field {
    /// string: the name of this container.
    FERRION_CONFIG_CONTAINER_ID = 1,
    /// string, optional: the host that a client wants to talk to.
    FERRION_CONFIG_HOSTNAME = 2,
    /// uint: the largest frame taken, in octets; at least 512. Default 65,536.
    FERRION_CONFIG_MAX_FRAME_SIZE = 3,
    /// ushort: one less than the number of sessions. Default 1,023.
    FERRION_CONFIG_CHANNEL_MAX = 4,
    /// uint, optional: milliseconds of silence after which the peer is given up. It is asked for something in half of that, and
    /// one made of ferrion refuses less than 100.
    FERRION_CONFIG_IDLE_TIME_OUT = 5,
    /// symbols: extensions offered to the peer.
    FERRION_CONFIG_OFFERED_CAPABILITIES = 6,
    /// symbols: extensions that will be used if the peer offers them.
    FERRION_CONFIG_DESIRED_CAPABILITIES = 7,
    /// map, optional: what this side says about itself.
    FERRION_CONFIG_PROPERTIES = 8,
    /// bool: send begin, attach and flow without waiting for the peer's open. Default true.
    FERRION_CONFIG_PIPELINED = 9,
    /// bool: end a session when its peer sends for a link that this side detached with an error (2.6.5). Default false.
    FERRION_CONFIG_ENDS_ERRANT_SESSIONS = 10,
}

/// What an engine holds or waits for at most, for `ferrion_config_set_limit`, and a messenger for each of its connections, for
/// `ferrion_messenger_set_limit`. Beyond it the peer is refused, with the condition that fits.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_limit {
    /// Milliseconds until the peer's open must have arrived, and to wait for the answer to our close. 0 is without
    /// limit. Default 30,000.
    FERRION_LIMIT_HANDSHAKE_TIME = 1,
    /// Links on one session. Default 65,536.
    FERRION_LIMIT_LINKS_PER_SESSION = 2,
    /// Octets of one incoming delivery that are buffered until it is complete. Default 256 MiB.
    FERRION_LIMIT_DELIVERY_OCTETS = 3,
    /// Octets of all incoming deliveries of one session that are buffered until they are complete. Default 512 MiB.
    FERRION_LIMIT_PARTIAL_OCTETS = 4,
    /// Transfers without payload in one incoming delivery. Default 1,024.
    FERRION_LIMIT_EMPTY_TRANSFERS = 5,
    /// Incoming deliveries of one session that wait to be settled. Default 2,097,152.
    FERRION_LIMIT_UNSETTLED_PER_SESSION = 6,
    /// Octets of output at which no more transfers are encoded until some are taken. Of payloads that are chained a quarter
    /// counts while they have less than 32 KiB. Default 65,536.
    FERRION_LIMIT_OUTPUT_OCTETS = 7,
    /// Payloads of at least so many octets are chained into the output instead of copied. Default 4,096.
    FERRION_LIMIT_CHAIN_OCTETS = 8,
    /// Octets of one SASL frame, in both directions. Default 512, which is also the least.
    FERRION_LIMIT_SASL_FRAME_SIZE = 9,
    /// Challenges, or responses, of one SASL exchange. Default 16.
    FERRION_LIMIT_SASL_ROUNDS = 10,
    /// Iterations of SCRAM that a server may ask a client to compute. Default 600,000.
    FERRION_LIMIT_SCRAM_ITERATIONS = 11,
    /// Octets that may come until the peer's open has: headers, SASL, and open itself. Default 16,384.
    FERRION_LIMIT_OCTETS_BEFORE_OPEN = 12,
    /// Levels to which values may be nested in a frame. Default 32, which is also the most; before open never more than 8.
    FERRION_LIMIT_NESTING_DEPTH = 13,
    /// Array elements in one frame that have no octets of their own. Default 65,536.
    FERRION_LIMIT_ZERO_WIDTH_ELEMENTS = 14,
    /// Octets of one list, map or array in a frame. Default 1 MiB.
    FERRION_LIMIT_COMPOUND_OCTETS = 15,
    /// Octets of one string, symbol or binary in a frame's fields. Default 65,536.
    FERRION_LIMIT_FIELD_OCTETS = 16,
    /// Octets of all incoming deliveries of one link that wait, complete or not. Default 512 MiB.
    FERRION_LIMIT_LINK_OCTETS = 17,
    /// Octets of everything that the peer makes the engine hold. Default 1 GiB.
    FERRION_LIMIT_CONNECTION_OCTETS = 18,
    /// Octets of output at which nothing more is encoded but a close until some are taken, counted likewise. Default 262,144.
    FERRION_LIMIT_CONTROL_OCTETS = 19,
    /// Replies that wait because of that, beside one for each link that there is and each session that the peer has not
    /// ended, at which nothing more is taken from the peer either. Default 16,384.
    FERRION_LIMIT_PENDING_REPLIES = 20,
    /// Times that the peer may tell a state of deliveries of a session without settling them, on the average of those that
    /// the session carried unsettled; one of more than 64 octets counts twice. Default 16.
    FERRION_LIMIT_STATES_PER_DELIVERY = 21,
}

/// How a connection is opened, how it is logged in, and its limits. Engines copy it when they are made.
#[derive(Debug)]
pub struct ferrion_config_t {
    root: Root<Settings>,
}
object!(ferrion_config_t, Settings);

/// A configuration with a default for everything, and an empty container-id.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_config_new() -> *mut ferrion_config_t {
    ffi_fn! { => core::ptr::null_mut(); {
        Ok(Box::into_raw(Box::new(ferrion_config_t { root: Root::new(Settings::default()) })))
    } }
}

/// Frees it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_free(config: *mut ferrion_config_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_config_new` and is not used again, as the header demands.
        unsafe { free(config) };
        Ok(())
    } }
}

/// Makes it the same as another one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_copy(
    config: *mut ferrion_config_t,
    source: *const ferrion_config_t,
) -> ferrion_status {
    ffi_fn! { object config, object source => {
        config.clone_from(&source);
        Ok(())
    } }
}

/// A field as a value of the type it has on the wire. `field` is a `ferrion_config_field`. FERRION_ABSENT: it is not
/// set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_get(
    config: *const ferrion_config_t,
    field: i32,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object config, object out_value => {
        let value = get(&config.config, field)?.ok_or_else(Failure::absent)?;
        out_value.fill([value]);
        Ok(())
    } }
}

/// Sets a field from a value of the type it has on the wire. `field` is a `ferrion_config_field`. A null, or no value
/// at all, removes an optional field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_set(
    config: *mut ferrion_config_t,
    field: i32,
    value: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object config, object value => {
        set(&mut config.config, field, given(&value)?)
    } }
}

/// A field that is a number, a mode or a bool (0 or 1). `field` is a `ferrion_config_field`. FERRION_ABSENT: it is not
/// set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_number(
    config: *const ferrion_config_t,
    field: i32,
    out_number: *mut u64,
) -> ferrion_status {
    ffi_fn! { object config, out out_number => {
        out_number.set(number(get(&config.config, field)?)?);
        Ok(())
    } }
}

/// Sets a field that is a number, a mode or a bool (0 or 1). `field` is a `ferrion_config_field`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_set_number(
    config: *mut ferrion_config_t,
    field: i32,
    number: u64,
) -> ferrion_status {
    ffi_fn! { object config => {
        set(&mut config.config, field, Value::Ulong(number))
    } }
}

/// Sets a field that is a string, or symbols to this one. `field` is a `ferrion_config_field`. NULL removes an optional
/// field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_set_text(
    config: *mut ferrion_config_t,
    field: i32,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object config, maybe_text text => {
        set_text(&mut config.config, field, text)
    } }
}

/// A limit. `limit` is a `ferrion_limit`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_limit(
    config: *const ferrion_config_t,
    limit: i32,
    out_number: *mut u64,
) -> ferrion_status {
    ffi_fn! { object config, out out_number => {
        let mut limits = config.config.limits.clone();
        let number = of_limit(&mut limits, limit, None)?;
        out_number.set(number);
        Ok(())
    } }
}

/// Sets a limit. `limit` is a `ferrion_limit`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_config_set_limit(
    config: *mut ferrion_config_t,
    limit: i32,
    number: u64,
) -> ferrion_status {
    ffi_fn! { object config => {
        of_limit(&mut config.config.limits, limit, Some(number))?;
        Ok(())
    } }
}

fields! { Config as ferrion_config_field {
    FERRION_CONFIG_CONTAINER_ID => container_id,
    FERRION_CONFIG_HOSTNAME => hostname,
    FERRION_CONFIG_MAX_FRAME_SIZE => max_frame_size,
    FERRION_CONFIG_CHANNEL_MAX => channel_max,
    FERRION_CONFIG_IDLE_TIME_OUT => idle_time_out,
    FERRION_CONFIG_OFFERED_CAPABILITIES => offered_capabilities,
    FERRION_CONFIG_DESIRED_CAPABILITIES => desired_capabilities,
    FERRION_CONFIG_PROPERTIES => properties,
    FERRION_CONFIG_PIPELINED => pipelined,
    FERRION_CONFIG_ENDS_ERRANT_SESSIONS => ends_errant_sessions,
} }

/// A configuration, and the logins of both sides, of which an engine needs one.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(super) config: Config,
    pub(super) login: Option<SaslClient>,
    pub(super) offer: Option<Offer>,
    /// What stands in for random octets, if the program says so.
    pub(super) nonce: Option<Nonce>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            config: Config::new(""),
            login: None,
            offer: None,
            nonce: None,
        }
    }
}

impl Settings {
    pub(super) fn for_client(&self) -> Config {
        let mut config = self.config.clone();
        config.sasl = self
            .login
            .clone()
            .map_or(SaslConfig::None, SaslConfig::Client);
        config
    }

    pub(super) fn for_server(&self) -> Config {
        let mut config = self.config.clone();
        config.sasl = match &self.offer {
            Some(offer) => SaslConfig::Server(offer.server()),
            None => SaslConfig::None,
        };
        config
    }
}

/// Gets, and maybe sets, the limit that a number from C names.
pub(crate) fn of_limit(limits: &mut Limits, number: i32, new: Option<u64>) -> Result<u64, Failure> {
    use ferrion_limit::*;
    macro_rules! limits {
        ($($NUMBER:ident => $limit:ident,)*) => {
            $(if number == $NUMBER as i32 {
                if let Some(new) = new {
                    limits.$limit = new.try_into().map_err(|_| {
                        Failure::invalid(format!("{new} is too large for this limit"))
                    })?;
                }
                return Ok(u64::try_from(limits.$limit).unwrap_or(u64::MAX));
            })*
        };
    }
    limits! {
        FERRION_LIMIT_HANDSHAKE_TIME => handshake_time,
        FERRION_LIMIT_LINKS_PER_SESSION => links_per_session,
        FERRION_LIMIT_DELIVERY_OCTETS => delivery_octets,
        FERRION_LIMIT_PARTIAL_OCTETS => partial_octets,
        FERRION_LIMIT_EMPTY_TRANSFERS => empty_transfers,
        FERRION_LIMIT_UNSETTLED_PER_SESSION => unsettled_per_session,
        FERRION_LIMIT_OUTPUT_OCTETS => output_octets,
        FERRION_LIMIT_CHAIN_OCTETS => chain_octets,
        FERRION_LIMIT_SASL_FRAME_SIZE => sasl_frame_size,
        FERRION_LIMIT_SASL_ROUNDS => sasl_rounds,
        FERRION_LIMIT_SCRAM_ITERATIONS => scram_iterations,
        FERRION_LIMIT_OCTETS_BEFORE_OPEN => octets_before_open,
        FERRION_LIMIT_NESTING_DEPTH => nesting_depth,
        FERRION_LIMIT_ZERO_WIDTH_ELEMENTS => zero_width_elements,
        FERRION_LIMIT_COMPOUND_OCTETS => compound_octets,
        FERRION_LIMIT_FIELD_OCTETS => field_octets,
        FERRION_LIMIT_LINK_OCTETS => link_octets,
        FERRION_LIMIT_CONNECTION_OCTETS => connection_octets,
        FERRION_LIMIT_CONTROL_OCTETS => control_octets,
        FERRION_LIMIT_PENDING_REPLIES => pending_replies,
        FERRION_LIMIT_STATES_PER_DELIVERY => states_per_delivery,
    }
    Err(Failure::invalid(format!("{number} is not a ferrion_limit")))
}
