//! The engine: one AMQP connection without sockets, clock or threads. Here what makes and frees one, and what the nouns share.
//!
//! `octets` has octets and time, `events` what happened, `config`, `session_config` and `link_config` how things are begun,
//! `connection`, `session`, `link`, `sender` and `receiver` the views, `state` what becomes of deliveries, `link_state` what
//! outlives a link, `sasl` and `scram` logins, `failure` how connections fail.

mod condition;
mod config;
mod connection;
mod events;
mod failure;
mod fields;
mod handles;
mod link;
mod link_config;
mod link_state;
mod login;
mod octets;
mod receiver;
mod sasl;
mod scram;
mod send_options;
mod sender;
mod session;
mod session_config;
mod state;
mod termini;

use bytes::Bytes;
use ferrion_engine::protocol::{Condition, DeliveryState};
use ferrion_engine::{
    Delivery, DeliveryId, Engine, Link, LinkId, LinkState, Receiver, SendError, Sender, Session,
    Update, UsageError,
};

use crate::guard::{Root, free};
use crate::status::{Failure, ferrion_status as Status, ferrion_status};
use crate::types::ferrion_bytes_t;

pub use config::*;
pub use connection::*;
pub use events::*;
pub use failure::*;
pub use handles::*;
pub use link::*;
pub use link_config::*;
pub use link_state::*;
pub use login::*;
pub use octets::*;
pub use receiver::*;
pub use sasl::*;
pub use scram::*;
pub use send_options::*;
pub use sender::*;
pub use session::*;
pub use session_config::*;
pub use state::*;
pub use termini::*;

/// One AMQP connection as a state machine: octets in, octets out, events. It has no sockets, clock or threads; the program
/// that embeds it has them.
///
/// The calls may come in any order. Those that command something change the engine's state and write nothing:
/// `ferrion_engine_transmit` encodes what is due. What the peer does wrong is never an error of a call: it ends the smallest
/// thing the specification allows, with the right condition, and is told as an event. A call that fails has changed nothing.
///
/// `now` is the time in milliseconds on any clock that never goes back; where it begins does not matter.
#[derive(Debug)]
pub struct ferrion_engine_t {
    root: Root<Inner>,
}
object!(ferrion_engine_t, Inner);

/// Which side of the transport an engine is on.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_side {
    /// The side that opened the transport: it speaks first.
    FERRION_CLIENT = 0,
    /// The side that accepted the transport: it answers the layer that the client begins with.
    FERRION_SERVER = 1,
}

/// An engine, and what its Rust interface does not keep.
#[derive(Debug)]
pub(crate) struct Inner {
    engine: Engine,
    numbers: Numbers,
    /// Where the room is that C may be writing into, and its octets.
    lent: Option<(usize, usize)>,
    /// Where it was when it was told of last.
    room: Option<(usize, usize)>,
    /// Octets of output that C may be sending.
    offered: usize,
    /// What is lent to C until the next call.
    text: Bytes,
    condition: Option<Condition>,
    /// What was taken last of either kind, and lent. A payload is in one piece.
    delivery: Option<Delivery>,
    update: Option<Update>,
    /// Which of the two was taken last.
    taken: Taken,
    /// The part that was taken last of a delivery that was arriving; `None` once a whole one was taken.
    part: Option<Bytes>,
    /// What is gone through by numbers.
    unsettled_of: Option<LinkId>,
    unsettled: Vec<ferrion_unsettled_t>,
    tags: Vec<ferrion_engine::protocol::Tag>,
    link_states: Vec<LinkState>,
}

/// What a state can have come with.
#[derive(Debug, Clone, Copy)]
enum Taken {
    Delivery,
    Update,
}

impl Inner {
    fn new(engine: Engine) -> Self {
        Self {
            engine,
            numbers: Numbers::new(),
            lent: None,
            room: None,
            offered: 0,
            text: Bytes::new(),
            condition: None,
            delivery: None,
            update: None,
            taken: Taken::Delivery,
            part: None,
            unsettled_of: None,
            unsettled: Vec::new(),
            tags: Vec::new(),
            link_states: Vec::new(),
        }
    }

    /// Keeps octets so that C can look at them until the next call.
    fn lend(&mut self, octets: impl Into<Bytes>) -> ferrion_bytes_t {
        self.text = octets.into();
        (&*self.text).into()
    }

    /// The state that came with the delivery or the update that was taken last.
    fn state(&self) -> Option<&DeliveryState> {
        match self.taken {
            Taken::Delivery => self.delivery.as_ref()?.state.as_deref(),
            Taken::Update => self.update.as_ref()?.state.as_ref(),
        }
    }

    /// Keeps what was taken in place of what was taken before, if something was.
    #[inline(always)]
    fn keep<T>(kept: &mut Option<T>, taken: Option<T>) -> Option<&mut T> {
        // Asked first and moved after: one move, where binding what is inside takes two.
        taken.as_ref()?;
        *kept = taken;
        kept.as_mut()
    }

    /// The payload that was taken last.
    fn payload(&self) -> Bytes {
        let whole = || self.delivery.as_ref()?.payload.chunks().next();
        self.part
            .as_ref()
            .or_else(whole)
            .cloned()
            .unwrap_or_default()
    }

    #[inline(always)]
    fn session(&mut self, handle: ferrion_session_t) -> Result<Session<'_>, Failure> {
        Ok(self.engine.session(self.numbers.session(handle)?)?)
    }

    #[inline(always)]
    fn link(&mut self, handle: ferrion_link_t) -> Result<Link<'_>, Failure> {
        Ok(self.engine.link(self.numbers.link(handle)?)?)
    }

    #[inline(always)]
    fn sender(&mut self, handle: ferrion_link_t) -> Result<Sender<'_>, Failure> {
        Ok(self.engine.sender(self.numbers.link(handle)?)?)
    }

    #[inline(always)]
    fn receiver(&mut self, handle: ferrion_link_t) -> Result<Receiver<'_>, Failure> {
        Ok(self.engine.receiver(self.numbers.link(handle)?)?)
    }

    /// A sending link and a delivery of it.
    #[inline(always)]
    fn sent(
        &mut self,
        link: ferrion_link_t,
        delivery: ferrion_delivery_t,
    ) -> Result<(Sender<'_>, DeliveryId), Failure> {
        let id = self.numbers.delivery(delivery)?;
        Ok((self.sender(link)?, id))
    }

    /// A receiving link and a delivery of it.
    #[inline(always)]
    fn received(
        &mut self,
        link: ferrion_link_t,
        delivery: ferrion_delivery_t,
    ) -> Result<(Receiver<'_>, DeliveryId), Failure> {
        let id = self.numbers.delivery(delivery)?;
        Ok((self.receiver(link)?, id))
    }
}

/// An engine. `side` is a `ferrion_side`. The configuration is copied. NULL is returned if it is NULL; `ferrion_last_error`
/// says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_new(
    side: i32,
    config: *const ferrion_config_t,
) -> *mut ferrion_engine_t {
    ffi_fn! { object config => core::ptr::null_mut(); {
        let engine = match side {
            _ if side == ferrion_side::FERRION_CLIENT as i32 => Engine::client(config.for_client()),
            _ if side == ferrion_side::FERRION_SERVER as i32 => Engine::server(config.for_server()),
            _ => return Err(Failure::invalid(format!("{side} is not a ferrion_side"))),
        };
        Ok(Box::into_raw(Box::new(ferrion_engine_t { root: Root::new(Inner::new(engine)) })))
    } }
}

/// Frees the engine. The peer is not told: close the connection first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_free(engine: *mut ferrion_engine_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_engine_new` and is not used again, as the header demands.
        unsafe { free(engine) };
        Ok(())
    } }
}

/// How many objects an engine holds.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ferrion_census_t {
    /// Sessions.
    pub sessions: usize,
    /// Links of both roles.
    pub links: usize,
    /// Outgoing deliveries that are not settled and told of yet.
    pub outgoing_deliveries: usize,
    /// Incoming deliveries that are not settled and told of yet.
    pub incoming_deliveries: usize,
}

/// How many objects the engine holds at the moment, for watching and for tests.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_census(
    engine: *const ferrion_engine_t,
    out_census: *mut ferrion_census_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_census => {
        let census = engine.engine.census();
        out_census.set(ferrion_census_t {
            sessions: census.sessions,
            links: census.links,
            outgoing_deliveries: census.outgoing_deliveries,
            incoming_deliveries: census.incoming_deliveries,
        });
        Ok(())
    } }
}

/// What incomplete deliveries hold, of all sessions together, each transfer counted as 64 octets more than its payload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_partial_octets(
    engine: *const ferrion_engine_t,
    out_octets: *mut u64,
) -> ferrion_status {
    ffi_fn! { object engine, out out_octets => {
        out_octets.set(engine.engine.partial_octets());
        Ok(())
    } }
}

impl From<UsageError> for Failure {
    #[cold]
    #[inline(never)]
    fn from(error: UsageError) -> Self {
        let status = match error {
            UsageError::StaleHandle => Status::FERRION_STALE_HANDLE,
            UsageError::WrongKind { .. } => Status::FERRION_WRONG_KIND,
            UsageError::WrongState(_) => Status::FERRION_STATE,
            UsageError::LimitReached { .. } => Status::FERRION_LIMIT,
            UsageError::OpenTooLarge { .. } | UsageError::Terminus(_) => {
                Status::FERRION_INVALID_ARGUMENT
            }
            UsageError::DuplicateLink(_) => Status::FERRION_DUPLICATE,
            _ => Status::FERRION_OTHER,
        };
        Self::new(status, error.to_string())
    }
}

impl From<SendError> for Failure {
    #[cold]
    #[inline(never)]
    fn from(error: SendError) -> Self {
        let status = match error {
            SendError::NoCredit => Status::FERRION_NO_CREDIT,
            SendError::TagTooLong(_) => Status::FERRION_INVALID_ARGUMENT,
            SendError::Usage(error) => return error.into(),
            _ => Status::FERRION_SEND,
        };
        Self::new(status, error.to_string())
    }
}
