//! What a subscription asks of the peer beyond an address.

use core::ffi::c_char;
use std::time::Duration;

use bytes::Bytes;
use ferrion_engine::codec::{CodecLimits, Encode, Value, decode_value};
use ferrion_messenger::{SubscribeOptions, Subscription, Unsubscribe};

use super::{ferrion_messenger_t, ferrion_subscription_t};
use crate::guard::{Root, free};
use crate::status::{Failure, ferrion_status as Status, ferrion_status};
use crate::value::ferrion_value_t;

/// What `ferrion_messenger_subscribe_with` asks of a peer: which messages, and what is to outlast a lost connection. A new
/// one asks for nothing in particular. All of it is asked for again whenever the connection is made again.
#[derive(Debug)]
pub struct ferrion_subscribe_options_t {
    root: Root<SubscribeOptions>,
}
object!(ferrion_subscribe_options_t, SubscribeOptions);

/// Changes options that have to be moved for it.
fn change(
    options: &mut SubscribeOptions,
    how: impl FnOnce(SubscribeOptions) -> SubscribeOptions,
) -> Result<(), Failure> {
    *options = how(core::mem::take(options));
    Ok(())
}

/// Options that ask for nothing in particular.
#[unsafe(no_mangle)]
pub extern "C" fn ferrion_subscribe_options_new() -> *mut ferrion_subscribe_options_t {
    ffi_fn! { => core::ptr::null_mut(); {
        let root = Root::new(SubscribeOptions::new());
        Ok(Box::into_raw(Box::new(ferrion_subscribe_options_t { root })))
    } }
}

/// Frees the options. Subscriptions that were made with them keep them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_free(options: *mut ferrion_subscribe_options_t) {
    ffi_fn! { => (); {
        // SAFETY: it came from `ferrion_subscribe_options_new` and is not used again, as the header demands.
        unsafe { free(options) };
        Ok(())
    } }
}

/// Asks the peer to keep the subscription for so many milliseconds after the link was lost, and to go on with it if it
/// comes back in time. AMQP counts in whole seconds; what is between is rounded up. 0 asks for nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_set_ttl(
    options: *mut ferrion_subscribe_options_t,
    milliseconds: u64,
) -> ferrion_status {
    ffi_fn! { object options => { change(&mut options, |options| options.ttl(Duration::from_millis(milliseconds))) } }
}

/// Names the subscription: a peer that kept it finds it again by this and the name of the messenger, which has to be the
/// same one too. It must be used once at a time. Unless set, a name is made up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_set_name(
    options: *mut ferrion_subscribe_options_t,
    name: *const c_char,
) -> ferrion_status {
    ffi_fn! { object options, text name => { change(&mut options, |options| options.name(name)) } }
}

/// Names the subscription, and asks the peer to keep it and what comes for it also while nobody is there, until
/// `ferrion_messenger_unsubscribe`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_set_durable(
    options: *mut ferrion_subscribe_options_t,
    name: *const c_char,
) -> ferrion_status {
    ffi_fn! { object options, text name => { change(&mut options, |options| options.durable(name)) } }
}

/// Lets only messages come for which this JMS selector is true: conditions over application properties and header fields,
/// as in "colour = 'red' AND price > 10".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_set_selector(
    options: *mut ferrion_subscribe_options_t,
    selector: *const c_char,
) -> ferrion_status {
    ffi_fn! { object options, text selector => { change(&mut options, |options| options.selector(selector)) } }
}

/// Lets no messages come that were sent over the same connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_set_no_local(
    options: *mut ferrion_subscribe_options_t,
) -> ferrion_status {
    ffi_fn! { object options => { change(&mut options, SubscribeOptions::no_local) } }
}

/// Adds a filter: a name of one's own choice, and a described value, of which the descriptor tells the peer what kind of
/// filter it is (a symbol, or its number as a ulong). Another filter of the same name is replaced. All have to let a message
/// pass.
///
/// FERRION_WRONG_TYPE: the value is not described.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_add_filter(
    options: *mut ferrion_subscribe_options_t,
    name: *const c_char,
    value: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object options, text name, object value => {
        match value.single()? {
            Value::Described(filter) => {
                change(&mut options, |options| options.filter(name, filter.descriptor, filter.value))
            }
            other => Err(Failure::new(
                Status::FERRION_WRONG_TYPE,
                format!("a filter is a described value, not a {:?}", other.type_of()),
            )),
        }
    } }
}

/// Receives also if the peer does not apply all the filters. Unless set, that is a failure of `ferrion_messenger_recv`:
/// unwanted messages could not be told from others. With this it is a warning.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_set_filters_optional(
    options: *mut ferrion_subscribe_options_t,
) -> ferrion_status {
    ffi_fn! { object options => { change(&mut options, SubscribeOptions::filters_optional) } }
}

/// Takes copies of messages, which stay there for others. Unless set, the peer decides; a queue mostly lets them move.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_set_copies(
    options: *mut ferrion_subscribe_options_t,
) -> ferrion_status {
    ffi_fn! { object options => { change(&mut options, SubscribeOptions::copies) } }
}

/// Sets how the peer distributes messages among those who receive them: "move", "copy", or what else it knows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_set_distribution_mode(
    options: *mut ferrion_subscribe_options_t,
    mode: *const c_char,
) -> ferrion_status {
    ffi_fn! { object options, text mode => { change(&mut options, |options| options.distribution_mode(mode)) } }
}

/// Asks for a capability of the node, "topic" or "shared" for example.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_add_capability(
    options: *mut ferrion_subscribe_options_t,
    capability: *const c_char,
) -> ferrion_status {
    ffi_fn! { object options, text capability => { change(&mut options, |options| options.capability(capability)) } }
}

/// Says what kind of node is to be made up, for the address "#".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_set_node_property(
    options: *mut ferrion_subscribe_options_t,
    key: *const c_char,
    value: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object options, text key, object value => {
        let value = value.single()?;
        change(&mut options, |options| options.node_property(key, value))
    } }
}

/// Sets a property of the link.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_set_link_property(
    options: *mut ferrion_subscribe_options_t,
    key: *const c_char,
    value: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object options, text key, object value => {
        let value = value.single()?;
        change(&mut options, |options| options.link_property(key, value))
    } }
}

/// Lets at most so many messages of the subscription be under way or wait to be got; at least 1. Unless set, it gets its
/// share of what `ferrion_messenger_recv` lets come. Of a listening address it holds for each sender.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_subscribe_options_set_credit(
    options: *mut ferrion_subscribe_options_t,
    messages: u32,
) -> ferrion_status {
    ffi_fn! { object options => { change(&mut options, |options| options.credit(messages)) } }
}

/// As `ferrion_messenger_subscribe`, with options, which are copied; NULL asks for nothing in particular. `out_subscription` may be
/// NULL.
///
/// FERRION_SUBSCRIBE: the options do not fit the address, or have a text where AMQP has a symbol, which is ASCII. That the
/// peer does not apply a filter is told by `ferrion_messenger_recv`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_subscribe_with(
    messenger: *mut ferrion_messenger_t,
    address: *const c_char,
    options: *const ferrion_subscribe_options_t,
    out_subscription: *mut ferrion_subscription_t,
) -> ferrion_status {
    ffi_fn! { object messenger, text address, maybe_object options, optional out_subscription => {
        let subscription = match options {
            Some(options) => messenger.messenger.subscribe_with(address, &options)?,
            None => messenger.messenger.subscribe(address)?,
        };
        out_subscription.set(ferrion_subscription_t(subscription.to_bits()));
        Ok(())
    } }
}

/// As `ferrion_messenger_subscribe`; the peer is asked to keep the subscription for so many milliseconds after the link was
/// lost. `out_subscription` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_subscribe_ttl(
    messenger: *mut ferrion_messenger_t,
    address: *const c_char,
    milliseconds: u64,
    out_subscription: *mut ferrion_subscription_t,
) -> ferrion_status {
    ffi_fn! { object messenger, text address, optional out_subscription => {
        let ttl = Duration::from_millis(milliseconds);
        let subscription = messenger.messenger.subscribe_ttl(address, ttl)?;
        out_subscription.set(ferrion_subscription_t(subscription.to_bits()));
        Ok(())
    } }
}

/// Ends a subscription, and waits until the peer has answered that. If `keep`, what the peer keeps under the name of the
/// subscription stays there, and is found again by who subscribes with that name; otherwise the subscription ends there too, also
/// if its connection is lost at present: that is then made again for it.
///
/// From the beginning of this call on nothing more comes of it but what is sent settled: until the peer has answered, and for two
/// seconds at most, that may still come if it was let come before, and like what came before it stays for
/// `ferrion_messenger_get`, for nobody else has it any more. What else came and has no outcome, got or not, goes back to whom it
/// came from, and its trackers say RELEASED, or ABORTED if the connection is lost at present. Of a listening address nobody is let in any more; who is connected stays, for what is put to it, and
/// can send nothing more.
///
/// A subscription that is not there (any more) has ended, which is no failure. FERRION_CONNECT, FERRION_LOST, FERRION_REMOTE and
/// what else `ferrion_messenger_recv` tells of a subscription: it could not be ended at the peer, which may keep it; it is not
/// received from any more; call again to try again, or with `keep` to leave it there, which takes no connection. Where calls do not
/// wait, the failure is told first, and only the call after that tries again. FERRION_STATE: a call before this one asked for the
/// other of `keep`, and the peer has not answered that yet, which goes on. FERRION_TIMEOUT: the peer has not answered in time; call again to wait longer.
/// FERRION_WOULD_BLOCK in non-blocking and passive mode: call `ferrion_messenger_work`, then again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_unsubscribe(
    messenger: *mut ferrion_messenger_t,
    subscription: ferrion_subscription_t,
    keep: bool,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        let how = if keep { Unsubscribe::Detach } else { Unsubscribe::Close };
        Ok(messenger.messenger.unsubscribe(Subscription::from_bits(subscription.0), how)?)
    } }
}

/// What the peer granted of what was asked for: the source of its answer, as the described list of part 3.5.3 of the
/// specification, with the filters that it applies at place 7, counted from 0. FERRION_ABSENT: it has not answered yet, or the
/// subscription listens.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_subscription_source(
    messenger: *const ferrion_messenger_t,
    subscription: ferrion_subscription_t,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object messenger, object out_value => {
        let subscription = Subscription::from_bits(subscription.0);
        let source = messenger.messenger.subscription_source(subscription).ok_or_else(Failure::absent)?;
        let mut octets = Vec::new();
        source.encode(&mut octets);
        let (value, _) = decode_value(&Bytes::from(octets), &CodecLimits::default())?;
        out_value.fill([value]);
        Ok(())
    } }
}
