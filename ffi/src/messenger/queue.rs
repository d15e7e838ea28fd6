//! What goes into a messenger and comes out of it.

use core::ffi::c_char;

use ferrion_messenger::{Message, Subscription, Tracker};

use super::ferrion_messenger_t;
use crate::message::ferrion_message_t;
use crate::status::{Failure, ferrion_status as Status, ferrion_status};
use crate::types::ferrion_bytes_t;

/// Names a message that was put or got, within the window of its direction. Never 0, and never the same for another
/// message.
#[repr(transparent)]
#[derive(Debug, Clone, Copy)]
pub struct ferrion_tracker_t(pub u64);

impl From<Tracker> for ferrion_tracker_t {
    fn from(tracker: Tracker) -> Self {
        Self(tracker.to_bits())
    }
}

impl ferrion_tracker_t {
    /// The tracker, if the number can be one.
    pub(super) fn check(self) -> Result<Tracker, Failure> {
        Tracker::from_bits(self.0).ok_or_else(|| {
            Failure::new(
                Status::FERRION_UNKNOWN_TRACKER,
                format!("{} is not a tracker", self.0),
            )
        })
    }
}

/// Names what a messenger receives from.
#[repr(transparent)]
#[derive(Debug, Clone, Copy)]
pub struct ferrion_subscription_t(pub u64);

/// Queues a message for the address that it carries. The message is copied and can be used again. The tracker tells later
/// what became of it, if the outgoing window is larger than 0. `out_tracker` may be NULL.
///
/// FERRION_ADDRESS: it carries no address, or none that can be understood. FERRION_OVERFLOW: too much waits to be sent
/// already, and in blocking mode still did after the timeout.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_put(
    messenger: *mut ferrion_messenger_t,
    message: *const ferrion_message_t,
    out_tracker: *mut ferrion_tracker_t,
) -> ferrion_status {
    ffi_fn! { object messenger, object message, optional out_tracker => {
        let tracker = messenger.messenger.put(&message.message)?;
        out_tracker.set(tracker.into());
        Ok(())
    } }
}

/// How many messages were put and are not sent yet, in the sense of `ferrion_messenger_send`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_outgoing(
    messenger: *const ferrion_messenger_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_n => {
        out_n.set(messenger.messenger.outgoing());
        Ok(())
    } }
}

/// The tracker of the last message that was put. FERRION_ABSENT: none was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_outgoing_tracker(
    messenger: *const ferrion_messenger_t,
    out_tracker: *mut ferrion_tracker_t,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_tracker => {
        out_tracker.set(messenger.messenger.outgoing_tracker().ok_or_else(Failure::absent)?.into());
        Ok(())
    } }
}

/// Whether a message that was put still waits in this process. If not, that does not mean that it arrived.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_buffered(
    messenger: *const ferrion_messenger_t,
    tracker: ferrion_tracker_t,
    out_buffered: *mut bool,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_buffered => {
        out_buffered.set(messenger.messenger.buffered(tracker.check()?));
        Ok(())
    } }
}

/// Receives from an address, or with `~host[:port]` from everyone who connects there. Port 0 takes a free one;
/// `ferrion_messenger_subscription_port` tells which. `out_subscription` may be NULL.
///
/// FERRION_LISTEN: the port is taken, or the address is not this machine's. That a remote address cannot be reached, or
/// refuses, is told by `ferrion_messenger_recv`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_subscribe(
    messenger: *mut ferrion_messenger_t,
    address: *const c_char,
    out_subscription: *mut ferrion_subscription_t,
) -> ferrion_status {
    ffi_fn! { object messenger, text address, optional out_subscription => {
        let subscription = messenger.messenger.subscribe(address)?;
        out_subscription.set(ferrion_subscription_t(subscription.to_bits()));
        Ok(())
    } }
}

/// The port that a subscription listens on. FERRION_ABSENT: it does not listen.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_subscription_port(
    messenger: *const ferrion_messenger_t,
    subscription: ferrion_subscription_t,
    out_port: *mut u16,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_port => {
        let subscription = Subscription::from_bits(subscription.0);
        out_port.set(messenger.messenger.subscription_port(subscription).ok_or_else(Failure::absent)?);
        Ok(())
    } }
}

/// The address that a subscription receives from; for a dynamic node (`#`) where others can send to. FERRION_ABSENT: it
/// is not known yet.
///
/// Borrowed until: the next call on this messenger.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_subscription_address(
    messenger: *mut ferrion_messenger_t,
    subscription: ferrion_subscription_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_text => {
        let subscription = Subscription::from_bits(subscription.0);
        let address = messenger.messenger.subscription_address(subscription).ok_or_else(Failure::absent)?;
        out_text.set(messenger.lend(address));
        Ok(())
    } }
}

/// How many messages wait to be got.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_incoming(
    messenger: *const ferrion_messenger_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_n => {
        out_n.set(messenger.messenger.incoming());
        Ok(())
    } }
}

/// How many messages may still come without another `ferrion_messenger_recv`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_receiving(
    messenger: *const ferrion_messenger_t,
    out_n: *mut u64,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_n => {
        out_n.set(messenger.messenger.receiving());
        Ok(())
    } }
}

/// Takes the oldest message received. With an incoming window of 0 that accepts it; otherwise the tracker is for
/// `ferrion_messenger_accept` and its like. `message` may be NULL, which drops the message; `out_tracker` may be NULL.
///
/// FERRION_END: no message waits. FERRION_DECODE: it was not an AMQP message; it is gone, and its sender told so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_get(
    messenger: *mut ferrion_messenger_t,
    message: *mut ferrion_message_t,
    out_tracker: *mut ferrion_tracker_t,
) -> ferrion_status {
    ffi_fn! { object messenger, maybe_object message, optional out_tracker => {
        let tracker = match message {
            Some(mut message) => messenger.messenger.get(&mut message.message)?,
            None => messenger.messenger.get(&mut Message::new())?,
        };
        out_tracker.set(tracker.into());
        Ok(())
    } }
}

/// The tracker of the last message that was got. FERRION_ABSENT: none was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_incoming_tracker(
    messenger: *const ferrion_messenger_t,
    out_tracker: *mut ferrion_tracker_t,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_tracker => {
        out_tracker.set(messenger.messenger.incoming_tracker().ok_or_else(Failure::absent)?.into());
        Ok(())
    } }
}

/// The subscription that the last message got came by. FERRION_ABSENT: none, or a peer that we connected to sent it
/// unasked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_incoming_subscription(
    messenger: *const ferrion_messenger_t,
    out_subscription: *mut ferrion_subscription_t,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_subscription => {
        let subscription = messenger.messenger.incoming_subscription().ok_or_else(Failure::absent)?;
        out_subscription.set(ferrion_subscription_t(subscription.to_bits()));
        Ok(())
    } }
}
