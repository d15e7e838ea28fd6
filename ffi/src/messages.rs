//! Many messages, to be put or got with one call.

use ferrion_messenger::{Message, Tracker};

use crate::guard::{Root, free};
use crate::message::ferrion_message_t;
use crate::messenger::ferrion_tracker_t;
use crate::status::{Failure, ferrion_status};

/// Messages in a row, for `ferrion_messenger_put_many` and `ferrion_messenger_get_many`, and with each the tracker that it
/// was last put or got with. Can be used again and again.
#[derive(Debug)]
pub struct ferrion_messages_t {
    root: Root<Messages>,
}
object!(ferrion_messages_t, Messages);

/// The first `count` of `items` are there; the rest is room to be used again.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    items: Vec<Item>,
    count: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Item {
    pub(crate) message: Message,
    pub(crate) tracker: Option<Tracker>,
}

impl Messages {
    pub(crate) const fn clear(&mut self) {
        self.count = 0;
    }

    pub(crate) fn items(&mut self) -> impl Iterator<Item = &mut Item> {
        self.items.iter_mut().take(self.count)
    }

    /// Appends what `fill` makes of a message, and gives its tracker, if it succeeds.
    pub(crate) fn append<E>(
        &mut self,
        fill: impl FnOnce(&mut Message) -> Result<Option<Tracker>, E>,
    ) -> Result<(), E> {
        let mut new = Item::default();
        let room = self.items.get_mut(self.count);
        let item = match room {
            Some(item) => item,
            None => &mut new,
        };
        item.tracker = fill(&mut item.message)?;
        if self.count == self.items.len() {
            self.items.push(new);
        }
        self.count += 1;
        Ok(())
    }

    fn at(&self, index: usize) -> Result<&Item, Failure> {
        self.items
            .get(..self.count)
            .and_then(|items| items.get(index))
            .ok_or_else(|| Failure::end("there are fewer messages"))
    }
}

/// No messages, and room for some.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_messages_new() -> *mut ferrion_messages_t {
    ffi_fn! { => core::ptr::null_mut(); {
        Ok(Box::into_raw(Box::new(ferrion_messages_t { root: Root::new(Messages::default()) })))
    } }
}

/// Frees the messages.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messages_free(messages: *mut ferrion_messages_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_messages_new` and is not used again, as the header demands.
        unsafe { free(messages) };
        Ok(())
    } }
}

/// Removes all messages. The room that they took stays for what comes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messages_clear(
    messages: *mut ferrion_messages_t,
) -> ferrion_status {
    ffi_fn! { object messages => {
        messages.clear();
        Ok(())
    } }
}

/// Appends a copy of a message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messages_add(
    messages: *mut ferrion_messages_t,
    message: *const ferrion_message_t,
) -> ferrion_status {
    ffi_fn! { object messages, object message => {
        messages.append(|added| {
            added.clone_from(&message.message);
            Ok(None)
        })
    } }
}

/// How many messages there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messages_count(
    messages: *const ferrion_messages_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object messages, out out_n => {
        out_n.set(messages.count);
        Ok(())
    } }
}

/// Makes `message` the same as the one at `index`, which is 0 for the first. FERRION_END: there are fewer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messages_get(
    messages: *const ferrion_messages_t,
    index: usize,
    message: *mut ferrion_message_t,
) -> ferrion_status {
    ffi_fn! { object messages, object message => {
        message.message.clone_from(&messages.at(index)?.message);
        Ok(())
    } }
}

/// The tracker that the message at `index` was last put or got with. FERRION_ABSENT: it was neither. FERRION_END: there are
/// fewer messages.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messages_tracker(
    messages: *const ferrion_messages_t,
    index: usize,
    out_tracker: *mut ferrion_tracker_t,
) -> ferrion_status {
    ffi_fn! { object messages, out out_tracker => {
        out_tracker.set(messages.at(index)?.tracker.ok_or_else(Failure::absent)?.into());
        Ok(())
    } }
}
