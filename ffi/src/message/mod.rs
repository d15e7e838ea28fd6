//! Messages: what makes, frees, encodes and decodes them. `shortcuts` has the header and the
//! properties field by field, `fields` any field as a value, `sections` the body and the maps.

mod fields;
mod sections;
mod shortcuts;

use bytes::Bytes;
use ferrion_engine::SendPayload;
use ferrion_engine::message::Message;

use crate::guard::{Root, free};
use crate::status::ferrion_status;
use crate::types::ferrion_bytes_t;

pub use fields::*;
pub use sections::*;
pub use shortcuts::*;

/// A message: header, annotations, properties, the application's properties, body and footer (part 3.2 of the
/// specification). Can be used again and again.
///
/// What a received message contains is decoded when it is first asked for, so any getter can answer FERRION_DECODE.
#[derive(Debug)]
pub struct ferrion_message_t {
    root: Root<Inner>,
}
object!(ferrion_message_t, Inner);

/// From so many octets an engine shares a payload instead of copying it, unless its limits say otherwise.
const SHARED: usize = 4096;

/// A message, octets that are lent to C, and room for those that are sent.
#[derive(Debug, Default)]
pub(crate) struct Inner {
    pub(crate) message: Message,
    lent: Bytes,
    /// The octets of the message as it was encoded last, lent as well.
    encoded: Vec<u8>,
    /// Where it is encoded to be sent. What is large goes with it, so that it never has much more room than it needs.
    sent: Vec<u8>,
}

impl Inner {
    /// The encoded message: octets that are there already, or else in the room that is used again.
    fn encoded(&mut self) -> &[u8] {
        match self.message.untouched() {
            Some(octets) => octets,
            None => encode(&self.message, &mut self.encoded),
        }
    }

    /// The encoded message, to be sent. What is large is shared; to copy less than that costs less than to count references.
    pub(crate) fn payload(&mut self) -> SendPayload<'_> {
        match self.message.untouched() {
            Some(octets) if octets.len() < SHARED => SendPayload::from(&**octets),
            Some(octets) => SendPayload::from(octets.clone()),
            None => {
                encode(&self.message, &mut self.sent);
                if self.sent.len() < SHARED {
                    SendPayload::from(&self.sent)
                } else {
                    SendPayload::from(core::mem::take(&mut self.sent))
                }
            }
        }
    }

    /// Keeps octets so that C can look at them until the next call.
    fn lend(&mut self, octets: impl Into<Bytes>) -> ferrion_bytes_t {
        self.lent = octets.into();
        (&*self.lent).into()
    }
}

/// Encodes a message in place of what is in the room.
#[inline]
fn encode<'a>(message: &Message, room: &'a mut Vec<u8>) -> &'a [u8] {
    room.clear();
    message.encode(room);
    room
}

/// A message with the body null and nothing else.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_message_new() -> *mut ferrion_message_t {
    ffi_fn! { => core::ptr::null_mut(); {
        Ok(Box::into_raw(Box::new(ferrion_message_t { root: Root::new(Inner::default()) })))
    } }
}

/// Frees the message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_free(message: *mut ferrion_message_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_message_new` and is not used again, as the header demands.
        unsafe { free(message) };
        Ok(())
    } }
}

/// Makes this a new message. The room that it took stays for what comes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_clear(message: *mut ferrion_message_t) -> ferrion_status {
    ffi_fn! { object message => {
        message.message.clear();
        Ok(())
    } }
}

/// Makes this message the same as another one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_copy(
    message: *mut ferrion_message_t,
    source: *const ferrion_message_t,
) -> ferrion_status {
    ffi_fn! { object message, object source => {
        message.message.clone_from(&source.message);
        Ok(())
    } }
}

/// The message as AMQP 1.0 encodes it. Sections that were received and not changed are the octets that were received.
///
/// Borrowed until: the next call on this object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_encode(
    message: *mut ferrion_message_t,
    out_data: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object message, out out_data => {
        out_data.set(message.encoded().into());
        Ok(())
    } }
}

/// Makes this message the one that is encoded here. If the octets are no message, it stays what it was. A message without a body is none
/// (3.2); `ferrion_message_decode_lenient` takes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_decode(
    message: *mut ferrion_message_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object message, bytes data len => {
        message.message.load(Bytes::copy_from_slice(data))?;
        Ok(())
    } }
}

/// As `ferrion_message_decode`, but a message without a body is taken as one with the body null. Some peers leave it out of messages
/// that have no content; `ferrion_messenger_get` takes those too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_decode_lenient(
    message: *mut ferrion_message_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object message, bytes data len => {
        message.message.load_lenient(Bytes::copy_from_slice(data))?;
        Ok(())
    } }
}
