//! Sequences of calls: a connection, what programs do about events, octets on their way.

use core::ptr::null;

use super::world::{Kind, World};
use crate::engine::*;
use crate::message::*;
use crate::messenger::*;
use crate::status::ferrion_status::{self, FERRION_OK};
use crate::types::ferrion_bytes_t;

/// What one side says is carried to another one at most so many times in a row.
const TURNS: usize = 64;

/// Makes a client and a server, and another client.
pub(super) fn make_engines(world: &mut World<'_>) {
    use ferrion_side::{FERRION_CLIENT, FERRION_SERVER};
    let sides = [FERRION_CLIENT, FERRION_SERVER, FERRION_CLIENT];
    let config = world.objects.configs[0];
    // SAFETY: the configuration is live.
    world.objects.engines = sides.map(|side| unsafe { ferrion_engine_new(side as i32, config) });
}

/// Gives the client and the server a session, and a link each way, with credit.
pub(super) fn connect(world: &mut World<'_>) {
    // SAFETY: everything is live, or NULL where the header allows it.
    unsafe {
        let [client, server, _] = world.objects.engines;
        let (mut session, mut link) = (ferrion_session_t(0), ferrion_link_t(0));
        let link_config = ferrion_link_config_new();
        let results = [
            ferrion_connection_open(client),
            ferrion_connection_open(server),
            ferrion_connection_begin(client, null(), &raw mut session),
            ferrion_link_config_sender(link_config, c"sender".as_ptr(), c"node".as_ptr()),
            ferrion_session_attach_sender(client, session, link_config, &raw mut link),
            ferrion_link_config_receiver(link_config, c"receiver".as_ptr(), c"node".as_ptr()),
            ferrion_session_attach_receiver(client, session, link_config, &raw mut link),
            ferrion_receiver_set_credit(client, link, 10),
        ];
        assert_eq!(results, [FERRION_OK; 8]);
        ferrion_link_config_free(link_config);
        world.handles.add(Kind::Session, session.0);
        world.handles.add(Kind::Link, link.0);
    }
    for _ in 0..3 {
        deliver(world, 0, 1, usize::MAX, None);
        answer(world, 1);
        deliver(world, 1, 0, usize::MAX, None);
        answer(world, 0);
    }
}

/// Carries what one engine has to say to another one, or to itself: all of it, a part, or something else.
pub(super) fn carry(world: &mut World<'_>, step: u8) {
    let which = world.input.octet();
    let (from, to) = match step & 3 {
        0 => (0, 1),
        1 => (1, 0),
        _ => (usize::from(which) % 3, usize::from(which >> 4) % 3),
    };
    match step >> 2 & 7 {
        0..4 => deliver(world, from, to, usize::MAX, None),
        4 | 5 => {
            let most = usize::from(world.input.octet());
            deliver(world, from, to, most, None);
        }
        _ => {
            let (at, with) = (world.input.octet(), world.input.octet());
            deliver(world, from, to, usize::MAX, Some((at, with)));
        }
    }
}

/// Carries at most so many octets; the first piece of them with one octet changed if that is wanted.
fn deliver(
    world: &mut World<'_>,
    from: usize,
    to: usize,
    mut most: usize,
    mut change: Option<(u8, u8)>,
) {
    let (from, to) = (world.objects.engines[from], world.objects.engines[to]);
    for _ in 0..TURNS {
        let mut piece = ferrion_bytes_t {
            data: null(),
            len: 0,
        };
        // SAFETY: the engines are live or NULL; the piece is copied before the next call.
        unsafe {
            if ferrion_engine_transmit(from, 0, &raw mut piece) != FERRION_OK {
                return;
            }
            let n = piece.len.min(most);
            let mut octets = core::slice::from_raw_parts(piece.data, n).to_vec();
            if let Some((at, with)) = change.take()
                && n > 0
            {
                octets[usize::from(at) % n] ^= with;
            }
            assert_eq!(ferrion_engine_advance(from, 0, n), FERRION_OK);
            fine(ferrion_engine_recv(to, 0, octets.as_ptr(), n));
            most -= n;
        }
        if most == 0 {
            return;
        }
    }
}

/// What a program does about events: it accepts everything, grants credit, and takes what comes.
pub(super) fn react(world: &mut World<'_>, step: u8) {
    answer(world, usize::from(step) % 3);
}

fn answer(world: &mut World<'_>, which: usize) {
    let engine = world.objects.engines[which];
    let mut event = ferrion_event_t {
        kind: ferrion_event::FERRION_EVENT_OTHER,
        is_sender: 0,
        session: ferrion_session_t(0),
        link: ferrion_link_t(0),
    };
    for _ in 0..TURNS {
        // SAFETY: the engine is live or NULL, and so is everything else.
        unsafe {
            if ferrion_engine_poll_event(engine, &raw mut event) != FERRION_OK {
                return;
            }
            world.handles.add(Kind::Session, event.session.0);
            world.handles.add(Kind::Link, event.link.0);
            match event.kind {
                ferrion_event::FERRION_EVENT_SESSION_BEGUN => {
                    fine(ferrion_session_accept(engine, event.session, null()));
                }
                ferrion_event::FERRION_EVENT_LINK_ATTACHED => {
                    fine(ferrion_link_accept(engine, event.link));
                    if event.is_sender == 0 {
                        fine(ferrion_receiver_set_credit(engine, event.link, 10));
                    }
                }
                ferrion_event::FERRION_EVENT_DELIVERIES => take(world, engine, event.link),
                ferrion_event::FERRION_EVENT_AUTHENTICATE => {
                    let accept = ferrion_sasl_answer::FERRION_SASL_ACCEPT as i32;
                    fine(ferrion_engine_sasl_answer(engine, accept, null(), 0));
                }
                _ => {}
            }
        }
    }
}

/// Takes what has come on a link. What becomes of it is left to others.
fn take(world: &mut World<'_>, engine: *mut ferrion_engine_t, link: ferrion_link_t) {
    let mut incoming = core::mem::MaybeUninit::<ferrion_incoming_t>::uninit();
    // SAFETY: the engine is live; what a call that succeeds lends is read before the next one.
    unsafe {
        while ferrion_receiver_next_delivery(engine, link, incoming.as_mut_ptr()) == FERRION_OK {
            let incoming = incoming.assume_init();
            world.handles.add(Kind::Delivery, incoming.delivery.0);
            world.read(incoming.tag);
            world.read(incoming.payload);
        }
    }
}

/// Sends something down a link that was seen.
pub(super) fn send(world: &mut World<'_>, step: u8) {
    let engine = world.objects.engines[usize::from(step) % 3];
    let link = ferrion_link_t(world.handle(Kind::Link));
    let tag = world.input.take(2).to_vec();
    let payload = vec![step; usize::from(world.input.octet()) * 64];
    let mut delivery = ferrion_delivery_t(0);
    // SAFETY: the engine is live or NULL.
    unsafe {
        fine(ferrion_sender_send(
            engine,
            link,
            tag.as_ptr(),
            tag.len(),
            payload.as_ptr(),
            payload.len(),
            &raw mut delivery,
        ));
    }
    world.handles.add(Kind::Delivery, delivery.0);
}

/// Makes two messengers that never wait; the first one listens, and the second one's messages go there.
pub(super) fn make_messengers(world: &mut World<'_>) {
    let (mut subscription, mut port) = (ferrion_subscription_t(0), 0);
    // SAFETY: everything is live.
    unsafe {
        for messenger in &mut world.objects.messengers {
            *messenger = ferrion_messenger_new(null());
        }
        never_wait(world);
        let [first, _] = world.objects.messengers;
        let listening =
            ferrion_messenger_subscribe(first, c"~127.0.0.1:0".as_ptr(), &raw mut subscription);
        assert_eq!(listening, FERRION_OK);
        fine(ferrion_messenger_subscription_port(
            first,
            subscription,
            &raw mut port,
        ));
    }
    world.handles.add(Kind::Subscription, subscription.0);
    world.here = format!("127.0.0.1:{port}/box");
}

/// Addresses all messages to where messengers may go: octets can say anything, also the names of machines.
pub(super) fn address_messages(world: &mut World<'_>) {
    let address = format!("{}\0", world.here);
    let address = address.as_ptr().cast();
    for message in world.objects.messages {
        if !message.is_null() {
            // SAFETY: the message is live; the text ends.
            unsafe {
                fine(ferrion_message_set_address(message, address));
                fine(ferrion_message_set_reply_to(message, address));
            }
        }
    }
}

/// Nothing that a messenger does shall wait.
pub(super) fn never_wait(world: &World<'_>) {
    for messenger in world.objects.messengers {
        if !messenger.is_null() {
            // SAFETY: the messenger is live.
            unsafe {
                fine(ferrion_messenger_set_blocking(messenger, false));
            }
        }
    }
}

/// Any answer that is none of a fault.
fn fine(status: ferrion_status) {
    assert!(
        !matches!(
            status,
            ferrion_status::FERRION_PANIC | ferrion_status::FERRION_POISONED
        ),
        "{status:?}"
    );
}
