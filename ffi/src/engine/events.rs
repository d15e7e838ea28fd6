//! What happened.

use ferrion_engine::protocol::Role;
use ferrion_engine::{Engine, Event};

use super::ferrion_engine_t;
use super::handles::{Numbers, ferrion_link_t, ferrion_session_t};
use crate::status::{Failure, ferrion_status};

/// What can happen. Events say where to look; the functions of the session, link and so on have the data.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_event {
    /// Something that has no name yet; it can be passed over.
    FERRION_EVENT_OTHER = 0,
    /// The SASL exchange needs an answer; see `ferrion_engine_sasl_request`.
    FERRION_EVENT_AUTHENTICATE = 1,
    /// SASL ended with success.
    FERRION_EVENT_AUTHENTICATED = 2,
    /// The peer's open arrived; see `ferrion_connection_remote`.
    FERRION_EVENT_REMOTE_OPEN = 3,
    /// The peer's close arrived, and was answered; see `ferrion_connection_remote_condition`.
    FERRION_EVENT_REMOTE_CLOSE = 4,
    /// The peer's begin arrived: the answer to ours, or a session to accept.
    FERRION_EVENT_SESSION_BEGUN = 5,
    /// The session ended. It can be looked at until the next event is polled.
    FERRION_EVENT_SESSION_ENDED = 6,
    /// The peer's attach arrived: the answer to ours, or a link to accept or refuse.
    FERRION_EVENT_LINK_ATTACHED = 7,
    /// The link was detached by the peer, or with its session. If `ferrion_link_awaits_detach`, close or detach it too.
    FERRION_EVENT_LINK_DETACHED = 8,
    /// Sender: credit or the drain flag changed. Receiver: a drain was answered.
    FERRION_EVENT_FLOW = 9,
    /// Receiver: deliveries wait; see `ferrion_receiver_next_delivery`.
    FERRION_EVENT_DELIVERIES = 10,
    /// The peer changed the state of deliveries; see `ferrion_link_next_update`.
    FERRION_EVENT_UPDATES = 11,
    /// The peer broke a rule that ends the connection; see `ferrion_engine_failure`.
    FERRION_EVENT_FAILED = 12,
    /// The last event: no more octets are taken, and after the rest of the output none are given.
    FERRION_EVENT_DISCONNECTED = 13,
}

/// Something that happened, and to what.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ferrion_event_t {
    /// What.
    pub kind: ferrion_event,
    /// Of links, whether this side sends: 1, else 0.
    pub is_sender: u32,
    /// The session that it happened to, or the one of the link; else 0.
    pub session: ferrion_session_t,
    /// The link that it happened to; else 0.
    pub link: ferrion_link_t,
}

/// The next thing that happened. FERRION_END: nothing more for now. Each is told once per object until it is polled, so
/// there are never more of them than there are objects.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_poll_event(
    engine: *mut ferrion_engine_t,
    out_event: *mut ferrion_event_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_event => {
        let inner = &mut *engine;
        let event = inner.engine.poll_event().ok_or_else(|| Failure::end("no event waits"))?;
        out_event.set(told(&mut inner.engine, &inner.numbers, event));
        Ok(())
    } }
}

/// The next things that happened, up to `capacity` of them: `out_events` has room for that many. What ends an object is
/// the last of its row, so that the object can still be looked at: call again until FERRION_END.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_poll_events(
    engine: *mut ferrion_engine_t,
    capacity: usize,
    out_events: *mut ferrion_event_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object engine, out out_events, out out_n => {
        let inner = &mut *engine;
        let mut n = 0;
        while n < capacity {
            let Some(event) = inner.engine.poll_event() else { break };
            out_events.set_at(n, told(&mut inner.engine, &inner.numbers, event));
            n += 1;
            if matches!(event, Event::SessionEnded(_) | Event::LinkDetached(_)) {
                break;
            }
        }
        if n == 0 {
            return Err(match capacity {
                0 => Failure::invalid("capacity is 0: make room for at least one event"),
                _ => Failure::end("no event waits"),
            });
        }
        out_n.set(n);
        Ok(())
    } }
}

fn told(engine: &mut Engine, numbers: &Numbers, event: Event) -> ferrion_event_t {
    use ferrion_event::*;
    let (kind, session, link) = match event {
        Event::Authenticate => (FERRION_EVENT_AUTHENTICATE, None, None),
        Event::Authenticated => (FERRION_EVENT_AUTHENTICATED, None, None),
        Event::RemoteOpen => (FERRION_EVENT_REMOTE_OPEN, None, None),
        Event::RemoteClose => (FERRION_EVENT_REMOTE_CLOSE, None, None),
        Event::SessionBegun(id) => (FERRION_EVENT_SESSION_BEGUN, Some(id), None),
        Event::SessionEnded(id) => (FERRION_EVENT_SESSION_ENDED, Some(id), None),
        Event::LinkAttached(id) => (FERRION_EVENT_LINK_ATTACHED, None, Some(id)),
        Event::LinkDetached(id) => (FERRION_EVENT_LINK_DETACHED, None, Some(id)),
        Event::Flow(id) => (FERRION_EVENT_FLOW, None, Some(id)),
        Event::Deliveries(id) => (FERRION_EVENT_DELIVERIES, None, Some(id)),
        Event::Updates(id) => (FERRION_EVENT_UPDATES, None, Some(id)),
        Event::Failed => (FERRION_EVENT_FAILED, None, None),
        Event::Disconnected => (FERRION_EVENT_DISCONNECTED, None, None),
        _ => (FERRION_EVENT_OTHER, None, None),
    };
    let view = link.and_then(|id| engine.link(id).ok());
    let is_sender = view
        .as_ref()
        .is_some_and(|view| view.role() == Role::Sender);
    let session = session.or_else(|| view?.session());
    ferrion_event_t {
        kind,
        is_sender: u32::from(is_sender),
        session: session.map_or(ferrion_session_t(0), |id| numbers.of_session(id)),
        link: link.map_or(ferrion_link_t(0), |id| numbers.of_link(id)),
    }
}
