//! Requests and replies.

use ferrion_messenger::RequestId;

use super::{ferrion_messenger_t, ferrion_tracker_t};
use crate::message::ferrion_message_t;
use crate::status::{Failure, ferrion_status};

/// Names a request that was sent, until its reply is taken or it is cancelled. Never 0.
#[repr(transparent)]
#[derive(Debug, Clone, Copy)]
pub struct ferrion_request_t(pub u64);

impl ferrion_request_t {
    const fn id(self) -> RequestId {
        RequestId::from_bits(self.0)
    }
}

/// Sends a request to the address that it carries, waits for the reply, at most for the timeout, and puts it in place of
/// what `reply` was. After a failure the request is cancelled.
///
/// The failures are those of `ferrion_messenger_send_request` and `ferrion_messenger_reply`. FERRION_STATE: it waits, which
/// in non-blocking and passive mode nothing does; use `ferrion_messenger_send_request` and `ferrion_messenger_poll_reply`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_request(
    messenger: *mut ferrion_messenger_t,
    message: *const ferrion_message_t,
    reply: *mut ferrion_message_t,
) -> ferrion_status {
    ffi_fn! { object messenger, object message, object reply => {
        reply.message = messenger.messenger.request(&message.message)?;
        Ok(())
    } }
}

/// Sends a request to the address that it carries, and does not wait. There may be many; all over one connection share one
/// reply address, which the peer makes up.
///
/// The message is copied; the copy gets a reply-to, a message-id and a correlation-id of the messenger's own. The time for
/// the reply is the timeout that is set now. When a connection is made again, requests without a reply are sent again: a
/// server may see one twice.
///
/// FERRION_ADDRESS: it carries no address, or none that can be understood. FERRION_OVERFLOW: the requests without a reply
/// have more octets together than the high-water mark allows. FERRION_STATE: 65,536 are outstanding.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_send_request(
    messenger: *mut ferrion_messenger_t,
    message: *const ferrion_message_t,
    out_request: *mut ferrion_request_t,
) -> ferrion_status {
    ffi_fn! { object messenger, object message, out out_request => {
        let request = messenger.messenger.send_request(&message.message)?;
        out_request.set(ferrion_request_t(request.to_bits()));
        Ok(())
    } }
}

/// Waits for the reply to a request, and puts it in place of what `reply` was.
///
/// FERRION_CONNECT, FERRION_TLS, FERRION_WEBSOCKET, FERRION_LOGIN, FERRION_LOST, FERRION_REMOTE or FERRION_SEND: there will be no
/// reply, for this reason.
/// FERRION_TIMEOUT: the time of the request is over; a reply that comes later is dropped. FERRION_DECODE: what came
/// cannot be read. FERRION_STATE: there is no such request; nor is there one any more after the failures before.
/// FERRION_WOULD_BLOCK in non-blocking mode, and FERRION_INTERRUPTED: call it again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_reply(
    messenger: *mut ferrion_messenger_t,
    request: ferrion_request_t,
    reply: *mut ferrion_message_t,
) -> ferrion_status {
    ffi_fn! { object messenger, object reply => {
        Ok(messenger.messenger.reply(request.id(), &mut reply.message)?)
    } }
}

/// Takes the reply to a request if it has come, puts it in place of what `reply` was, and tells whether it had. It does not
/// touch the network: call `ferrion_messenger_work` in between.
///
/// The failures are those of `ferrion_messenger_reply`, apart from those of waiting.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_poll_reply(
    messenger: *mut ferrion_messenger_t,
    request: ferrion_request_t,
    reply: *mut ferrion_message_t,
    out_replied: *mut bool,
) -> ferrion_status {
    ffi_fn! { object messenger, object reply, out out_replied => {
        out_replied.set(messenger.messenger.poll_reply(request.id(), &mut reply.message)?);
        Ok(())
    } }
}

/// Gives a request up: it is not sent any more if it was not yet, and a reply is dropped. FERRION_ABSENT: there is no such
/// request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_cancel_request(
    messenger: *mut ferrion_messenger_t,
    request: ferrion_request_t,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        if messenger.messenger.cancel_request(request.id()) { Ok(()) } else { Err(Failure::absent()) }
    } }
}

/// How many requests wait for their reply.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_requests(
    messenger: *const ferrion_messenger_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_n => {
        out_n.set(messenger.messenger.requests());
        Ok(())
    } }
}

/// Makes `reply` an empty reply to a message that was got: addressed to the reply-to of `message`, and with its
/// correlation-id, or else its message-id, as correlation-id. Then it is for a body, and for `ferrion_messenger_put`.
///
/// To a host that the reply-to names, no user and password go: whoever asks could name any host.
///
/// FERRION_UNKNOWN_TRACKER: the tracker is neither in the incoming window nor of the last message got. FERRION_ADDRESS:
/// the message has no reply-to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_reply_to(
    messenger: *const ferrion_messenger_t,
    tracker: ferrion_tracker_t,
    message: *const ferrion_message_t,
    reply: *mut ferrion_message_t,
) -> ferrion_status {
    ffi_fn! { object messenger, object message, object reply => {
        reply.message = messenger.messenger.reply_to(tracker.check()?, &message.message)?;
        Ok(())
    } }
}
