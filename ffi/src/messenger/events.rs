//! What happened to connections.

use std::time::Duration;

use ferrion_messenger::{ConnectionEvent, Error};

use super::{ferrion_messenger_t, status_of};
use crate::guard::{Root, free};
use crate::status::{Failure, ferrion_status as Status, ferrion_status};
use crate::types::ferrion_bytes_t;

/// What happened to connections that a messenger made, and which peers receive from it, in the order in which it did, for
/// `ferrion_messenger_poll_connection_events`. Can be used again and again.
///
/// `next` steps to the next event, at first to the first one, and the other calls look at it.
#[derive(Debug)]
pub struct ferrion_connection_events_t {
    root: Root<Events>,
}
object!(ferrion_connection_events_t, Events);

/// What happened to a connection.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_connection_event {
    /// Something that has no number yet.
    FERRION_CONNECTION_OTHER = 0,
    /// The peer answered: the connection is there.
    FERRION_CONNECTION_CONNECTED = 1,
    /// It failed, or could not be made.
    FERRION_CONNECTION_FAILED = 2,
    /// It will be made again, after the delay, at an address that can be another one than before.
    FERRION_CONNECTION_RETRYING = 3,
    /// It will not be made again, unless something is put or received there.
    FERRION_CONNECTION_GIVEN_UP = 4,
    /// A link was attached again, and both sides knew what had become of what: nothing is lost, and nothing came twice.
    FERRION_CONNECTION_RECOVERED = 5,
    /// A link was to be recovered, and the peer does not know what became of what on it.
    FERRION_CONNECTION_FORGOTTEN = 6,
    /// The peer sends a link elsewhere, for the reason given; messages that it had not answered are sent again there, and
    /// so are requests without a reply. Without a policy for lost connections the messages are ABORTED instead.
    FERRION_CONNECTION_REDIRECTED = 7,
    /// A peer has attached a link to receive by, on whichever side's connection: whom a program that listens can send to, by
    /// the address. Told of only while the link is there. Nobody checks what a peer calls itself.
    FERRION_CONNECTION_SUBSCRIBED = 8,
}

#[derive(Debug, Default)]
pub(crate) struct Events {
    /// Those that were not stepped to yet, the next one last.
    waiting: Vec<ConnectionEvent>,
    current: Option<ConnectionEvent>,
    /// Text that is lent to C.
    lent: String,
}

impl Events {
    fn current(&self) -> Result<&ConnectionEvent, Failure> {
        self.current.as_ref().ok_or_else(|| {
            Failure::new(
                Status::FERRION_STATE,
                "no event is looked at: call ferrion_connection_events_next first, as long as it succeeds",
            )
        })
    }

    fn error(&self) -> Result<&Error, Failure> {
        match self.current()? {
            ConnectionEvent::Failed { error, .. } | ConnectionEvent::GivenUp { error, .. } => {
                Ok(error)
            }
            _ => Err(Failure::absent()),
        }
    }

    fn retry(&self) -> Result<(u32, Duration), Failure> {
        match self.current()? {
            ConnectionEvent::Retrying {
                failures, delay, ..
            } => Ok((*failures, *delay)),
            _ => Err(Failure::absent()),
        }
    }
}

/// Room for events.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_connection_events_new() -> *mut ferrion_connection_events_t {
    ffi_fn! { => core::ptr::null_mut(); {
        Ok(Box::into_raw(Box::new(ferrion_connection_events_t { root: Root::new(Events::default()) })))
    } }
}

/// Frees the events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_free(events: *mut ferrion_connection_events_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_connection_events_new` and is not used again, as the header demands.
        unsafe { free(events) };
        Ok(())
    } }
}

/// Takes up to `most` of what happened to connections since the last time, at least one, in place of what `events` were. A
/// messenger keeps the newest 1,024, and all peers that still receive. FERRION_END: nothing happened; `events` stay as they were.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_poll_connection_events(
    messenger: *mut ferrion_messenger_t,
    events: *mut ferrion_connection_events_t,
    most: usize,
) -> ferrion_status {
    ffi_fn! { object messenger, object events => {
        let first = messenger.messenger.poll_connection_event();
        let first = first.ok_or_else(|| Failure::end("nothing happened to connections"))?;
        events.current = None;
        events.waiting.clear();
        events.waiting.push(first);
        while events.waiting.len() < most {
            match messenger.messenger.poll_connection_event() {
                Some(event) => events.waiting.push(event),
                None => break,
            }
        }
        events.waiting.reverse();
        Ok(())
    } }
}

/// Steps to the next event. FERRION_END: there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_next(
    events: *mut ferrion_connection_events_t,
) -> ferrion_status {
    ffi_fn! { object events => {
        events.current = events.waiting.pop();
        if events.current.is_some() { Ok(()) } else { Err(Failure::end("there are no more events")) }
    } }
}

/// What happened. FERRION_STATE, here and in what follows: no event is looked at; call `ferrion_connection_events_next` first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_kind(
    events: *const ferrion_connection_events_t,
    out_kind: *mut ferrion_connection_event,
) -> ferrion_status {
    ffi_fn! { object events, out out_kind => {
        out_kind.set(match events.current()? {
            ConnectionEvent::Connected { .. } => ferrion_connection_event::FERRION_CONNECTION_CONNECTED,
            ConnectionEvent::Failed { .. } => ferrion_connection_event::FERRION_CONNECTION_FAILED,
            ConnectionEvent::Retrying { .. } => ferrion_connection_event::FERRION_CONNECTION_RETRYING,
            ConnectionEvent::GivenUp { .. } => ferrion_connection_event::FERRION_CONNECTION_GIVEN_UP,
            ConnectionEvent::Recovered { .. } => ferrion_connection_event::FERRION_CONNECTION_RECOVERED,
            ConnectionEvent::Forgotten { .. } => ferrion_connection_event::FERRION_CONNECTION_FORGOTTEN,
            ConnectionEvent::Redirected { .. } => ferrion_connection_event::FERRION_CONNECTION_REDIRECTED,
            ConnectionEvent::Subscribed { .. } => ferrion_connection_event::FERRION_CONNECTION_SUBSCRIBED,
            _ => ferrion_connection_event::FERRION_CONNECTION_OTHER,
        });
        Ok(())
    } }
}

/// Where the connection goes to, or of a link, the node at the peer; where it is sent elsewhere, the node there. Of a peer that
/// receives, where to put messages for its link: when it has left, that fails with FERRION_SEND. FERRION_ABSENT: nowhere in
/// particular.
///
/// Borrowed until: the next call on these events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_address(
    events: *const ferrion_connection_events_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object events, out out_text => {
        out_text.set(match events.current()? {
            ConnectionEvent::Connected { address }
            | ConnectionEvent::Failed { address, .. }
            | ConnectionEvent::Retrying { address, .. }
            | ConnectionEvent::GivenUp { address, .. }
            | ConnectionEvent::Recovered { address, .. }
            | ConnectionEvent::Forgotten { address, .. }
            | ConnectionEvent::Redirected { address, .. }
            | ConnectionEvent::Subscribed { address, .. } => address.as_str().into(),
            _ => return Err(Failure::absent()),
        });
        Ok(())
    } }
}

/// Of a peer that receives: what it calls itself. FERRION_ABSENT: it is not one.
///
/// Borrowed until: the next call on these events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_container(
    events: *const ferrion_connection_events_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object events, out out_text => {
        match events.current()? {
            ConnectionEvent::Subscribed { container, .. } => out_text.set(container.as_str().into()),
            _ => return Err(Failure::absent()),
        }
        Ok(())
    } }
}

/// Of a peer that receives: the node that it asked for, or that was made up as it asked for one. May be empty.
/// FERRION_ABSENT: it is not one.
///
/// Borrowed until: the next call on these events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_node(
    events: *const ferrion_connection_events_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object events, out out_text => {
        match events.current()? {
            ConnectionEvent::Subscribed { node, .. } => out_text.set(node.as_str().into()),
            _ => return Err(Failure::absent()),
        }
        Ok(())
    } }
}

/// Why it failed, was given up or is sent elsewhere, for a person. FERRION_ABSENT, here and below: it did not.
///
/// Borrowed until: the next call on these events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_reason(
    events: *mut ferrion_connection_events_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object events, out out_text => {
        events.lent = events.error()?.to_string();
        out_text.set(events.lent.as_str().into());
        Ok(())
    } }
}

/// The status that this reason has as a failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_status(
    events: *const ferrion_connection_events_t,
    out_status: *mut ferrion_status,
) -> ferrion_status {
    ffi_fn! { object events, out out_status => {
        out_status.set(status_of(events.error()?));
        Ok(())
    } }
}

/// The error condition that the peer gave as its reason, "amqp:connection:forced" for example. FERRION_ABSENT: it gave none.
///
/// Borrowed until: the next call on these events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_condition(
    events: *const ferrion_connection_events_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object events, out out_text => {
        let condition = events.error()?.condition().ok_or_else(Failure::absent)?;
        out_text.set(condition.condition.as_str().into());
        Ok(())
    } }
}

/// Of a connection that will be made again: how many attempts have failed since a message last got through. FERRION_ABSENT,
/// here and below: it is not one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_failures(
    events: *const ferrion_connection_events_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object events, out out_n => {
        out_n.set(events.retry()?.0);
        Ok(())
    } }
}

/// In how many milliseconds the next attempt will be made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_delay(
    events: *const ferrion_connection_events_t,
    out_milliseconds: *mut u64,
) -> ferrion_status {
    ffi_fn! { object events, out out_milliseconds => {
        let delay = events.retry()?.1;
        out_milliseconds.set(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        Ok(())
    } }
}

/// Of a link that was recovered: of how many messages both sides knew. FERRION_ABSENT: it was not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_resumed(
    events: *const ferrion_connection_events_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object events, out out_n => {
        match events.current()? {
            ConnectionEvent::Recovered { resumed, .. } => out_n.set(*resumed),
            _ => return Err(Failure::absent()),
        }
        Ok(())
    } }
}

/// Of a link that was, or was to be recovered: how many messages are sent again. On one that was, they had not arrived;
/// otherwise the peer may have had them already. FERRION_ABSENT: it was not to be recovered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_sent_again(
    events: *const ferrion_connection_events_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object events, out out_n => {
        match events.current()? {
            ConnectionEvent::Recovered { sent_again, .. }
            | ConnectionEvent::Forgotten { sent_again, .. } => out_n.set(*sent_again),
            _ => return Err(Failure::absent()),
        }
        Ok(())
    } }
}

/// Of a link that the peer has forgotten: of how many messages from it nothing was decided, and cannot be any more.
/// FERRION_ABSENT: it has not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_connection_events_aborted(
    events: *const ferrion_connection_events_t,
    out_n: *mut u32,
) -> ferrion_status {
    ffi_fn! { object events, out out_n => {
        match events.current()? {
            ConnectionEvent::Forgotten { aborted, .. } => out_n.set(*aborted),
            _ => return Err(Failure::absent()),
        }
        Ok(())
    } }
}
