//! What functions are given, by the types of their parameters, and what is done with their results.

use core::ffi::{CStr, c_char};

use super::world::{CAPACITY, Kind, World};
use crate::engine::*;
use crate::message::*;
use crate::messages::*;
use crate::messenger::*;
use crate::status::*;
use crate::types::*;
use crate::value::*;

/// A parameter's type.
pub(super) trait Argument: Copy {
    fn draw(world: &mut World<'_>) -> Self;
    /// After a call that succeeded.
    fn look(self, _: &mut World<'_>) {}
}

/// A result's type. Tells whether the call succeeded.
pub(super) trait Returned {
    fn check(self, world: &mut World<'_>) -> bool;
}

/// A function of the header.
pub(super) trait Call {
    fn call(self, world: &mut World<'_>);
}

macro_rules! calls {
    ($(($($name:ident: $kind:ident),*))*) => {$(
        impl<R: Returned, $($kind: Argument),*> Call for unsafe extern "C" fn($($kind),*) -> R {
            fn call(self, world: &mut World<'_>) {
                $(let $name = $kind::draw(world);)*
                // SAFETY: the arguments are what the header allows: live objects or NULL, octets that are there, text that
                // ends, room for the results.
                let succeeded = unsafe { self($($name),*) }.check(world);
                world.judge(succeeded);
                if succeeded {
                    $($name.look(world);)*
                }
                world.clean_up();
            }
        }
    )*};
}
calls! {
    () (a: A) (a: A, b: B) (a: A, b: B, c: C) (a: A, b: B, c: C, d: D) (a: A, b: B, c: C, d: D, e: E)
    (a: A, b: B, c: C, d: D, e: E, f: F) (a: A, b: B, c: C, d: D, e: E, f: F, g: G)
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H)
}

impl Returned for ferrion_status {
    fn check(self, _: &mut World<'_>) -> bool {
        assert!(
            !matches!(
                self,
                Self::FERRION_PANIC | Self::FERRION_POISONED | Self::FERRION_OTHER
            ),
            "{self:?}"
        );
        self == Self::FERRION_OK
    }
}

impl Returned for *const c_char {
    fn check(self, _: &mut World<'_>) -> bool {
        assert!(!self.is_null());
        // SAFETY: what the header calls text ends with a NUL.
        let _ = unsafe { CStr::from_ptr(self) }.to_bytes().len();
        true
    }
}

impl Returned for u32 {
    fn check(self, _: &mut World<'_>) -> bool {
        true
    }
}

/// The kinds of objects: how many of each there are at most, what makes one, and what ends it.
macro_rules! objects {
    ($($field:ident: $kind:ty, $n:literal, $make:path, $free:ident;)*) => {
        pub(super) struct Objects {
            $(pub(super) $field: [*mut $kind; $n],)*
        }

        impl Objects {
            pub(super) fn new() -> Self {
                Self { $($field: core::array::from_fn(|_| $make()),)* }
            }
        }

        impl Drop for Objects {
            fn drop(&mut self) {
                $(for object in self.$field {
                    // SAFETY: it is live, or NULL, and not used again.
                    unsafe { $free(object) };
                })*
            }
        }

        $(
            impl Argument for *mut $kind {
                fn draw(world: &mut World<'_>) -> Self {
                    if world.is_null() {
                        return core::ptr::null_mut();
                    }
                    let which = usize::from(world.input.octet()) % $n;
                    world.objects.$field[which]
                }
            }

            impl Argument for *const $kind {
                fn draw(world: &mut World<'_>) -> Self {
                    <*mut $kind>::draw(world).cast_const()
                }
            }

            impl Returned for *mut $kind {
                fn check(self, world: &mut World<'_>) -> bool {
                    if self.is_null() {
                        return false;
                    }
                    let which = usize::from(world.input.octet()) % $n;
                    let before = core::mem::replace(&mut world.objects.$field[which], self);
                    // SAFETY: it is in no other place.
                    unsafe { $free(before) };
                    true
                }
            }
        )*
    };
}
objects! {
    engines: ferrion_engine_t, 3, core::ptr::null_mut, ferrion_engine_free;
    configs: ferrion_config_t, 2, ferrion_config_new, ferrion_config_free;
    session_configs: ferrion_session_config_t, 2, ferrion_session_config_new, ferrion_session_config_free;
    link_configs: ferrion_link_config_t, 2, ferrion_link_config_new, ferrion_link_config_free;
    link_states: ferrion_link_state_t, 2, ferrion_link_state_new, ferrion_link_state_free;
    send_options: ferrion_send_options_t, 2, ferrion_send_options_new, ferrion_send_options_free;
    scrams: ferrion_scram_t, 2, ferrion_scram_new, ferrion_scram_free;
    values: ferrion_value_t, 3, ferrion_value_new, ferrion_value_free;
    messages: ferrion_message_t, 2, ferrion_message_new, ferrion_message_free;
    lists: ferrion_messages_t, 2, ferrion_messages_new, ferrion_messages_free;
    interrupters: ferrion_interrupter_t, 2, core::ptr::null_mut, ferrion_interrupter_free;
    messengers: ferrion_messenger_t, 2, core::ptr::null_mut, ferrion_messenger_free;
    events: ferrion_connection_events_t, 2, ferrion_connection_events_new, ferrion_connection_events_free;
    reconnects: ferrion_reconnect_t, 2, ferrion_reconnect_new, ferrion_reconnect_free;
    recoveries: ferrion_link_recovery_t, 2, ferrion_link_recovery_new, ferrion_link_recovery_free;
    options: ferrion_subscribe_options_t, 2, ferrion_subscribe_options_new, ferrion_subscribe_options_free;
}

macro_rules! numbers {
    ($($kind:ty)*) => {$(
        impl Argument for $kind {
            fn draw(world: &mut World<'_>) -> Self {
                let octet = world.input.octet();
                match octet {
                    _ if world.small => Self::from(octet % 8),
                    ..240 => Self::from(octet % 64),
                    240..244 => Self::MAX,
                    244..248 => Self::MIN,
                    _ => world.input.number() as Self,
                }
            }
        }
    )*};
}
numbers! { u16 u32 u64 i32 i64 i16 }

impl Argument for u8 {
    fn draw(world: &mut World<'_>) -> Self {
        world.input.octet()
    }
}

impl Argument for i8 {
    fn draw(world: &mut World<'_>) -> Self {
        world.input.octet() as Self
    }
}

impl Argument for bool {
    fn draw(world: &mut World<'_>) -> Self {
        world.input.octet() & 1 != 0
    }
}

impl Argument for f32 {
    fn draw(world: &mut World<'_>) -> Self {
        Self::from_bits(world.input.number() as u32)
    }
}

impl Argument for f64 {
    fn draw(world: &mut World<'_>) -> Self {
        Self::from_bits(world.input.number())
    }
}

impl Argument for usize {
    fn draw(world: &mut World<'_>) -> Self {
        if let Some(len) = world.len.take() {
            return len;
        }
        let octet = world.input.octet();
        match octet {
            _ if world.small => Self::from(octet) % (CAPACITY + 1),
            ..240 => Self::from(octet % 64),
            240..244 => Self::MAX,
            244..248 => Self::MAX / 2,
            _ => world.input.number() as Self % (1 << 20),
        }
    }
}

impl Argument for *const u8 {
    fn draw(world: &mut World<'_>) -> Self {
        if world.is_null() {
            world.len = Some(usize::from(world.input.octet() & 3));
            return core::ptr::null();
        }
        let octets = match world.input.octet() {
            n @ ..240 => world.input.take(usize::from(n % 80)).to_vec(),
            240..248 => vec![world.input.octet(); 70_000],
            huge => {
                let octets = world.lend(vec![huge]);
                // More than there can be.
                world.len = Some(usize::MAX - usize::from(world.input.octet()));
                return octets;
            }
        };
        world.len = Some(octets.len());
        world.lend(octets)
    }
}

/// Texts that mean something somewhere.
const TEXTS: &[&[u8]] = &[
    b"",
    b"amqp:not-found",
    b"amqp:link:redirect",
    b"ANONYMOUS",
    b"PLAIN",
    b"SCRAM-SHA-256",
    b"XOAUTH2",
    b"X-OWN",
    b"sender",
    b"receiver",
    b"node",
    b"\xc3(\xff",
    b"gr\xc3\xbc\xc3\x9fe",
    b"true",
];
/// Texts that lead nowhere, and can be given to messengers.
const NOWHERE: &[&[u8]] = &[
    b"",
    b"127.0.0.1:1/box",
    b"amqp://127.0.0.1:1",
    b"amqps://u:p@127.0.0.1:1/x",
    b"ws://127.0.0.1:1/x",
    b"~127.0.0.1:0",
    b"#",
    b"127.0.0.1:1/*",
    b"127.0.0.1:1/%",
    b"127.0.0.1:1/$1",
    b"\xc3(\xff",
    b"[",
    b"~",
    b"a:b:c",
];

impl Argument for *const c_char {
    fn draw(world: &mut World<'_>) -> Self {
        if world.is_null() {
            return core::ptr::null();
        }
        let octet = world.input.octet();
        let mut text = match octet {
            ..16 if world.of_messenger => world.here.clone().into_bytes(),
            _ if world.of_messenger => NOWHERE[usize::from(octet) % NOWHERE.len()].to_vec(),
            ..192 => TEXTS[usize::from(octet) % TEXTS.len()].to_vec(),
            192..250 => world.input.take(usize::from(octet - 192)).to_vec(),
            _ => vec![b'x'; 70_000],
        };
        text.retain(|octet| *octet != 0);
        text.push(0);
        world.lend(text).cast()
    }
}

macro_rules! handles {
    ($($kind:ident: $which:expr, $make:expr;)*) => {$(
        impl Argument for $kind {
            fn draw(world: &mut World<'_>) -> Self {
                $make(world.handle($which))
            }
        }
    )*};
}
handles! {
    ferrion_session_t: Kind::Session, ferrion_session_t;
    ferrion_link_t: Kind::Link, ferrion_link_t;
    ferrion_delivery_t: Kind::Delivery, ferrion_delivery_t;
    ferrion_tracker_t: Kind::Tracker, ferrion_tracker_t;
    ferrion_subscription_t: Kind::Subscription, ferrion_subscription_t;
    ferrion_request_t: Kind::Request, ferrion_request_t;
}

/// Results, and what is done with one that was written.
macro_rules! results {
    ($($kind:ty $(: |$world:ident, $result:ident| $look:expr)?;)*) => {$(
        impl Argument for *mut $kind {
            fn draw(world: &mut World<'_>) -> Self {
                if world.is_null() {
                    return core::ptr::null_mut();
                }
                world.room::<$kind>()
            }

            $(fn look(self, $world: &mut World<'_>) {
                if !self.is_null() {
                    // SAFETY: the call succeeded, and so wrote it.
                    let $result = unsafe { self.read() };
                    $look;
                }
            })?
        }
    )*};
}
results! {
    u8;
    u16;
    u32;
    u64;
    usize;
    i8;
    i16;
    i32;
    i64;
    f32;
    f64;
    ferrion_census_t;
    ferrion_recovery_t;
    ferrion_body;
    ferrion_closing;
    ferrion_connection_event;
    ferrion_delivery_status;
    ferrion_failure;
    ferrion_rcv_settle_mode;
    ferrion_reason;
    ferrion_role;
    ferrion_sasl_request;
    ferrion_snd_settle_mode;
    ferrion_status;
    ferrion_type;
    bool;
    ferrion_session_t: |w, session| w.handles.add(Kind::Session, session.0);
    ferrion_link_t: |w, link| w.handles.add(Kind::Link, link.0);
    ferrion_delivery_t: |w, delivery| w.handles.add(Kind::Delivery, delivery.0);
    ferrion_tracker_t: |w, tracker| w.handles.add(Kind::Tracker, tracker.0);
    ferrion_subscription_t: |w, subscription| w.handles.add(Kind::Subscription, subscription.0);
    ferrion_request_t: |w, request| w.handles.add(Kind::Request, request.0);
    ferrion_bytes_t: |w, lent| w.read(lent);
    ferrion_event_t: |w, event| {
        w.handles.add(Kind::Session, event.session.0);
        w.handles.add(Kind::Link, event.link.0);
    };
    ferrion_incoming_t: |w, incoming| {
        w.handles.add(Kind::Delivery, incoming.delivery.0);
        w.read(incoming.tag);
        w.read(incoming.payload);
    };
    ferrion_partial_t: |w, partial| {
        w.handles.add(Kind::Delivery, partial.delivery.0);
        w.read(partial.tag);
    };
    ferrion_update_t: |w, update| {
        w.handles.add(Kind::Delivery, update.delivery.0);
        w.read(update.tag);
    };
    ferrion_unsettled_t: |w, unsettled| {
        w.handles.add(Kind::Delivery, unsettled.delivery.0);
        w.read(unsettled.tag);
    };
    ferrion_remembered_t: |w, remembered| {
        w.read(remembered.tag);
        w.read(remembered.payload);
    };
    ferrion_room_t: |w, room| {
        // All of it is written, so that any part can be told to be filled.
        let filling = w.input.octet();
        // SAFETY: the header says that it can be written until the next call.
        unsafe { room.data.write_bytes(filling, room.len) };
    };
}
