//! The Messenger. Here what begins and ends one and what waits; `queue` has putting and getting, `batch` the same for many,
//! `outcomes` what becomes of messages, `addresses` what is known of addresses, `subscribe` what subscriptions ask for, `request` requests and replies, `passive` what a loop of the caller's needs,
//! `reconnect`, `recovery` and `events` what happens to connections, `login`, `tls` and `settings` the rest.

mod addresses;
mod batch;
mod events;
mod interrupter;
mod login;
mod outcomes;
mod passive;
mod queue;
mod reconnect;
mod recovery;
mod request;
mod settings;
mod subscribe;
mod tls;

use core::ffi::c_char;
use std::time::Duration;

use ferrion_messenger::{Credit, Error, ErrorKind, Interrupter, Messenger};

use crate::guard::{Root, free};
use crate::status::{Failure, ferrion_status as Status, ferrion_status};
use crate::types::ferrion_bytes_t;

pub use addresses::*;
pub use batch::*;
pub use events::*;
pub use interrupter::*;
pub use login::*;
pub use outcomes::*;
pub use passive::*;
pub use queue::*;
pub use reconnect::*;
pub use recovery::*;
pub use request::*;
pub use settings::*;
pub use subscribe::*;
pub use tls::*;

/// Sends and receives messages, and looks after the connections for that behind the scenes.
///
/// `put`, `get`, `accept` and the like do not touch the network, but that `put` begins to send what it has, without waiting,
/// each time that this is worth a write (32 KiB), though not in passive mode. `send`, `recv`, `stop` and `work` (and `put`, when
/// too much waits already) do everybody's network work while they wait, at most for the timeout. In non-blocking mode they do
/// what can be done at once and answer FERRION_WOULD_BLOCK.
///
/// Addresses are written `[amqp[s]://][user[:password]@]host[:port][/name]`; `~host[:port]` listens.
#[derive(Debug)]
pub struct ferrion_messenger_t {
    root: Root<Inner>,
    /// Outside of the root, because it is used while a call is inside.
    interrupter: Interrupter,
}
object!(ferrion_messenger_t, Inner);

/// What `ferrion_messenger_recv` can let come other than a number.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_credit {
    /// As many as are taken with `ferrion_messenger_get`, at that pace. So does any negative number without a name here.
    FERRION_CREDIT_ALL = -1,
    /// All credit stays where it is: what was let come before may still come, and nothing more, also not by way of another
    /// link.
    FERRION_CREDIT_MANUAL = -2,
}

/// A messenger, and what its Rust interface does not keep.
#[derive(Debug)]
pub(crate) struct Inner {
    messenger: Messenger,
    /// Text that is lent to C.
    lent: String,
}

impl Inner {
    /// Keeps text so that C can look at it until the next call.
    fn lend(&mut self, text: String) -> ferrion_bytes_t {
        self.lent = text;
        self.lent.as_str().into()
    }
}

/// A messenger. `name` is the one that peers see, and by which they can reply; NULL gives it a random one. NULL is
/// returned if the system lacks what it needs; `ferrion_last_error` says what.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_new(name: *const c_char) -> *mut ferrion_messenger_t {
    ffi_fn! { maybe_text name => core::ptr::null_mut(); {
        let messenger = match name {
            Some(name) => Messenger::with_name(name)?,
            None => Messenger::new()?,
        };
        let interrupter = messenger.interrupter();
        let root = Root::new(Inner { messenger, lent: String::new() });
        Ok(Box::into_raw(Box::new(ferrion_messenger_t { root, interrupter })))
    } }
}

/// Frees the messenger. Connections end abruptly, and what is unsent is lost: call `ferrion_messenger_stop` first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_free(messenger: *mut ferrion_messenger_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_messenger_new` and is not used again, as the header demands.
        unsafe { free(messenger) };
        Ok(())
    } }
}

/// The name that peers see.
///
/// Borrowed until: the messenger is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_name(
    messenger: *const ferrion_messenger_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_text => {
        out_text.set(messenger.messenger.name().into());
        Ok(())
    } }
}

/// Begins to work. Nothing needs it but checked routes (`ferrion_messenger_set_check_routes`), which it tries: it connects
/// to where they lead, and waits until all of those peers have answered, or it is known why one cannot.
///
/// Without checked routes it succeeds. FERRION_CONNECT, FERRION_TLS, FERRION_LOGIN and the like: a route leads nowhere, for
/// this reason. FERRION_TIMEOUT, and FERRION_WOULD_BLOCK in non-blocking mode: call again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_start(
    messenger: *mut ferrion_messenger_t,
) -> ferrion_status {
    ffi_fn! { object messenger => { Ok(messenger.messenger.start()?) } }
}

/// Sends what is unsent, closes all connections in order and forgets all subscriptions. Takes no longer than the
/// timeout, or 10 seconds if there is none. The messenger can be used again.
///
/// Messages that came and were not taken are given back to their senders; those that were sent settled, which nobody else has
/// any more, stay for `ferrion_messenger_get`.
///
/// FERRION_UNSENT: messages were given up; their trackers say ABORTED, and why. FERRION_CONNECT, FERRION_LOST, FERRION_SEND and
/// what else `ferrion_messenger_send` has to tell, if it was not called for it: messages were lost before. FERRION_INTERRUPTED:
/// while messages were sent, and nothing is closed yet; go on, or call again. FERRION_WOULD_BLOCK, in non-blocking mode:
/// call `ferrion_messenger_work`, then this again; in passive mode nothing has left and nothing is closed until then.
/// FERRION_SYSTEM: the system's poll failed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_stop(
    messenger: *mut ferrion_messenger_t,
) -> ferrion_status {
    ffi_fn! { object messenger => { Ok(messenger.messenger.stop()?) } }
}

/// Whether there are neither connections nor listeners.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_stopped(
    messenger: *const ferrion_messenger_t,
    out_stopped: *mut bool,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_stopped => {
        out_stopped.set(messenger.messenger.stopped());
        Ok(())
    } }
}

/// Waits until `n` messages fewer are unsent than now; a negative `n` waits for all. A message is sent when it is
/// acknowledged, or, with an outgoing window of 0, when the system has taken it.
///
/// FERRION_CONNECT, FERRION_TLS, FERRION_WEBSOCKET, FERRION_LOGIN, FERRION_LOST, FERRION_REMOTE or FERRION_SEND: messages were lost
/// for this reason; their trackers say ABORTED. FERRION_TIMEOUT: not everything was acknowledged in time; it is still being sent.
/// FERRION_WOULD_BLOCK in non-blocking and passive mode: call `ferrion_messenger_work`, then again. FERRION_INTERRUPTED: messages
/// are still being sent. FERRION_SYSTEM: the system's poll failed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_send(
    messenger: *mut ferrion_messenger_t,
    n: i32,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        match usize::try_from(n) {
            Ok(n) => messenger.messenger.send_n(n)?,
            Err(_) => messenger.messenger.send()?,
        }
        Ok(())
    } }
}

/// Lets `n` messages come, and waits until at least one is there. `n` may be a `ferrion_credit`, and 0 lets no more come and
/// does not wait. Each call replaces what the one before it asked for.
///
/// FERRION_CONNECT, FERRION_TLS, FERRION_WEBSOCKET, FERRION_LOGIN, FERRION_LOST, FERRION_REMOTE, FERRION_SUBSCRIBE or
/// FERRION_LISTEN: a subscription was lost, or could not be made, and no message waits; the next call tries again. FERRION_STATE:
/// there is nothing from which messages could come. FERRION_TIMEOUT: nothing came in time; what was asked for is still let come.
/// FERRION_WOULD_BLOCK in non-blocking and passive mode: nothing is there yet; call `ferrion_messenger_work`, then again.
/// FERRION_INTERRUPTED: the call was ended, also if messages wait. FERRION_SYSTEM: the system's poll failed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_recv(
    messenger: *mut ferrion_messenger_t,
    n: i32,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        let credit = match u32::try_from(n) {
            Ok(n) => Credit::Explicit(n),
            Err(_) if n == ferrion_credit::FERRION_CREDIT_MANUAL as i32 => Credit::Manual,
            Err(_) => Credit::All,
        };
        Ok(messenger.messenger.recv(credit)?)
    } }
}

/// Does network work until something happened, at most for this long; negative is for ever. Tells whether anything
/// did: octets came or left, or a time was over, of a connection, of a request or of a stop that was begun. `out_worked`
/// may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_work(
    messenger: *mut ferrion_messenger_t,
    milliseconds: i64,
    out_worked: *mut bool,
) -> ferrion_status {
    ffi_fn! { object messenger, optional out_worked => {
        out_worked.set(messenger.messenger.work(duration(milliseconds))?);
        Ok(())
    } }
}

/// Makes the call that waits on this messenger, or else the next one that would, answer FERRION_INTERRUPTED. May be
/// called from another thread and from a signal handler, as long as the messenger is not being freed; a
/// `ferrion_interrupter_t` has not even that limit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_interrupt(
    messenger: *const ferrion_messenger_t,
) -> ferrion_status {
    ffi_fn! { shared messenger => {
        messenger.interrupter.interrupt();
        Ok(())
    } }
}

/// Milliseconds from C; negative is for ever.
fn duration(milliseconds: i64) -> Option<Duration> {
    u64::try_from(milliseconds).ok().map(Duration::from_millis)
}

/// Milliseconds for C; for ever is negative.
fn milliseconds(duration: Option<Duration>) -> i64 {
    duration.map_or(-1, |duration| {
        i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
    })
}

/// The number of an error.
fn status_of(error: &Error) -> ferrion_status {
    match error.kind() {
        ErrorKind::InvalidAddress | ErrorKind::InvalidPattern => Status::FERRION_ADDRESS,
        ErrorKind::Connect => Status::FERRION_CONNECT,
        ErrorKind::Listen => Status::FERRION_LISTEN,
        ErrorKind::Lost => Status::FERRION_LOST,
        ErrorKind::Login => Status::FERRION_LOGIN,
        ErrorKind::Remote => Status::FERRION_REMOTE,
        ErrorKind::Timeout => Status::FERRION_TIMEOUT,
        ErrorKind::InProgress => Status::FERRION_WOULD_BLOCK,
        ErrorKind::Interrupted => Status::FERRION_INTERRUPTED,
        ErrorKind::EndOfQueue => Status::FERRION_END,
        ErrorKind::Overflow => Status::FERRION_OVERFLOW,
        ErrorKind::State => Status::FERRION_STATE,
        ErrorKind::UnknownTracker => Status::FERRION_UNKNOWN_TRACKER,
        ErrorKind::Decode => Status::FERRION_DECODE,
        ErrorKind::Send => Status::FERRION_SEND,
        ErrorKind::Unsent => Status::FERRION_UNSENT,
        ErrorKind::System => Status::FERRION_SYSTEM,
        ErrorKind::Tls => Status::FERRION_TLS,
        ErrorKind::Certificate => Status::FERRION_CERTIFICATE,
        ErrorKind::WebSocket => Status::FERRION_WEBSOCKET,
        ErrorKind::Subscribe => Status::FERRION_SUBSCRIBE,
        _ => Status::FERRION_OTHER,
    }
}

impl From<Error> for Failure {
    #[cold]
    fn from(error: Error) -> Self {
        let condition = error
            .condition()
            .map(|condition| condition.condition.to_string());
        Self::with_condition(status_of(&error), error.to_string(), condition)
    }
}
