//! How a messenger behaves.

use core::ffi::c_char;

use super::{duration, ferrion_messenger_t, milliseconds};
use crate::engine::of_limit;
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;

/// How long waiting calls wait, in milliseconds; negative is for ever, and the default.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_timeout(
    messenger: *const ferrion_messenger_t,
    out_milliseconds: *mut i64,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_milliseconds => {
        out_milliseconds.set(milliseconds(messenger.messenger.timeout()));
        Ok(())
    } }
}

/// Sets how long waiting calls wait, in milliseconds; negative is for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_timeout(
    messenger: *mut ferrion_messenger_t,
    milliseconds: i64,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_timeout(duration(milliseconds));
        Ok(())
    } }
}

/// Whether waiting calls wait; true unless set otherwise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_blocking(
    messenger: *const ferrion_messenger_t,
    out_blocking: *mut bool,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_blocking => {
        out_blocking.set(messenger.messenger.is_blocking());
        Ok(())
    } }
}

/// Sets whether waiting calls wait, or do what can be done at once and answer FERRION_WOULD_BLOCK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_blocking(
    messenger: *mut ferrion_messenger_t,
    blocking: bool,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_blocking(blocking);
        Ok(())
    } }
}

/// How many of the last messages put have a status; 0 unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_outgoing_window(
    messenger: *const ferrion_messenger_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_n => {
        out_n.set(messenger.messenger.outgoing_window());
        Ok(())
    } }
}

/// Sets how many of the last messages put have a status; FERRION_UNLIMITED is all. With 0 messages are sent settled:
/// nobody asks whether they arrived.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_outgoing_window(
    messenger: *mut ferrion_messenger_t,
    n: usize,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_outgoing_window(n);
        Ok(())
    } }
}

/// How many of the last messages got wait for a decision; 0 unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_incoming_window(
    messenger: *const ferrion_messenger_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_n => {
        out_n.set(messenger.messenger.incoming_window());
        Ok(())
    } }
}

/// Sets how many of the last messages got can be accepted, rejected, released or modified by their trackers;
/// FERRION_UNLIMITED is all. With 0, getting a message accepts it. What leaves the window undecided is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_incoming_window(
    messenger: *mut ferrion_messenger_t,
    n: usize,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_incoming_window(n);
        Ok(())
    } }
}

/// How many messages, and how many octets of them, may wait to be sent; 65,536 and 64 MiB unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_high_water(
    messenger: *const ferrion_messenger_t,
    out_messages: *mut usize,
    out_octets: *mut usize,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_messages, out out_octets => {
        let (messages, octets) = messenger.messenger.high_water();
        out_messages.set(messages);
        out_octets.set(octets);
        Ok(())
    } }
}

/// Sets how many messages, and how many octets of them, may wait to be sent before putting another one waits, or in
/// non-blocking mode answers FERRION_OVERFLOW. Of the reasons that peers gave for messages in the window at most as many octets are
/// kept; those that come beyond that are kept without their text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_high_water(
    messenger: *mut ferrion_messenger_t,
    messages: usize,
    octets: usize,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_high_water(messages, octets);
        Ok(())
    } }
}

/// How many messages, and how many octets of them, may wait to be got; FERRION_UNLIMITED (as many as
/// `ferrion_messenger_recv` lets come) and 64 MiB unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_incoming_high_water(
    messenger: *const ferrion_messenger_t,
    out_messages: *mut usize,
    out_octets: *mut usize,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_messages, out out_octets => {
        let (messages, octets) = messenger.messenger.incoming_high_water();
        out_messages.set(messages);
        out_octets.set(octets);
        Ok(())
    } }
}

/// Sets how many messages, and how many octets of them, may wait to be got, whatever `ferrion_messenger_recv` asked for:
/// beyond it peers are let send no more. A single message gets through whatever its size. Replies that nobody has taken
/// count too, and what peers said instead of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_incoming_high_water(
    messenger: *mut ferrion_messenger_t,
    messages: usize,
    octets: usize,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_incoming_high_water(messages, octets);
        Ok(())
    } }
}

/// What each connection may make the messenger hold or wait for. `limit` is a `ferrion_limit`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_limit(
    messenger: *const ferrion_messenger_t,
    limit: i32,
    out_number: *mut u64,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_number => {
        let mut limits = messenger.messenger.limits().clone();
        out_number.set(of_limit(&mut limits, limit, None)?);
        Ok(())
    } }
}

/// Sets what each connection may make the messenger hold or wait for, whether it is made or accepted, on those that are made from
/// then on. `limit` is a `ferrion_limit`. FERRION_LIMIT_HANDSHAKE_TIME is set by `ferrion_messenger_set_handshake_time_out` too: what
/// was set last counts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_limit(
    messenger: *mut ferrion_messenger_t,
    limit: i32,
    number: u64,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        let mut limits = messenger.messenger.limits().clone();
        of_limit(&mut limits, limit, Some(number))?;
        messenger.messenger.set_limits(limits);
        Ok(())
    } }
}

/// The largest frame that is taken, in octets; 64 KiB unless set, or with link recovery 1 MiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_max_frame_size(
    messenger: *const ferrion_messenger_t,
    out_octets: *mut u32,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_octets => {
        out_octets.set(messenger.messenger.max_frame_size());
        Ok(())
    } }
}

/// Sets the largest frame that is taken, on connections made from then on. Less than 512 counts as 512; 0 is the default again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_max_frame_size(
    messenger: *mut ferrion_messenger_t,
    octets: u32,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_max_frame_size((octets > 0).then_some(octets));
        Ok(())
    } }
}

/// The most octets that messages of which more is to come hold on all connections together that listeners accepted; 1 GiB unless set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_all_partial_octets(
    messenger: *const ferrion_messenger_t,
    out_octets: *mut u64,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_octets => {
        out_octets.set(messenger.messenger.all_partial_octets());
        Ok(())
    } }
}

/// Sets the most octets that messages of which more is to come hold on all connections together that listeners accepted. When it
/// is passed, the links that hold most, of the connection that does, are closed with "amqp:resource-limit-exceeded", and a warning
/// says whose they were: whoever holds most then, be it one that means well. Connections that the messenger made have
/// FERRION_LIMIT_CONNECTION_OCTETS alone. Less than the largest message that is expected makes that one impossible.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_all_partial_octets(
    messenger: *mut ferrion_messenger_t,
    octets: u64,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_all_partial_octets(octets);
        Ok(())
    } }
}

/// Sets whether `ferrion_messenger_start` tries the routes, and fails if one of them leads nowhere; false unless set. Those
/// are tried whose scheme, user, host and port are the same whatever matches, as in "amqp://broker.example.org/$1".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_check_routes(
    messenger: *mut ferrion_messenger_t,
    check: bool,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_check_routes(check);
        Ok(())
    } }
}

/// Appends a route: messages whose address matches the pattern go to `address` instead, though the address they carry
/// stays. In the pattern `%` matches anything but `/`, and `*` anything; `$1`, `$2` ... in the address are what they
/// matched. The first route that matches is taken, for subscriptions too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_route(
    messenger: *mut ferrion_messenger_t,
    pattern: *const c_char,
    address: *const c_char,
) -> ferrion_status {
    ffi_fn! { object messenger, text pattern, text address => { Ok(messenger.messenger.route(pattern, address)?) } }
}

/// Removes the first route with this pattern. FERRION_ABSENT: there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_remove_route(
    messenger: *mut ferrion_messenger_t,
    pattern: *const c_char,
) -> ferrion_status {
    ffi_fn! { object messenger, text pattern => {
        if messenger.messenger.remove_route(pattern) { Ok(()) } else { Err(Failure::absent()) }
    } }
}

/// Appends a rewrite: messages whose address matches the pattern carry `address` instead (or none, if it is NULL), though
/// they go where they would have gone. Patterns are those of `ferrion_messenger_route`. An address that no rewrite matches
/// loses its user and password.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_rewrite(
    messenger: *mut ferrion_messenger_t,
    pattern: *const c_char,
    address: *const c_char,
) -> ferrion_status {
    ffi_fn! { object messenger, text pattern, maybe_text address => {
        Ok(messenger.messenger.rewrite(pattern, address)?)
    } }
}

/// Removes the first rewrite with this pattern. FERRION_ABSENT: there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_remove_rewrite(
    messenger: *mut ferrion_messenger_t,
    pattern: *const c_char,
) -> ferrion_status {
    ffi_fn! { object messenger, text pattern => {
        if messenger.messenger.remove_rewrite(pattern) { Ok(()) } else { Err(Failure::absent()) }
    } }
}

/// Removes all routes and rewrites.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_clear_rules(
    messenger: *mut ferrion_messenger_t,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.clear_rules();
        Ok(())
    } }
}

/// Sets after how many milliseconds a silent peer is given up, on connections made from then on; negative is never, and
/// the default. Peers are asked for something in half of that, and those made of ferrion refuse less than 100: so 200 or more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_idle_time_out(
    messenger: *mut ferrion_messenger_t,
    milliseconds: i64,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_idle_time_out(duration(milliseconds));
        Ok(())
    } }
}

/// Sets whether a readable line is kept for every frame, for `ferrion_messenger_poll_trace`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_set_tracing(
    messenger: *mut ferrion_messenger_t,
    tracing: bool,
) -> ferrion_status {
    ffi_fn! { object messenger => {
        messenger.messenger.set_tracing(tracing);
        Ok(())
    } }
}

/// The next line of the trace. The newest 16,384 are kept: of more the oldest are dropped. FERRION_END: there is none at present.
///
/// Borrowed until: the next call on this messenger.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_poll_trace(
    messenger: *mut ferrion_messenger_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_text => {
        let line = messenger.messenger.poll_trace().ok_or_else(|| Failure::end("no line of trace waits"))?;
        out_text.set(messenger.lend(line));
        Ok(())
    } }
}

/// The next thing that is not as it should be, though nothing failed: a password sent without TLS, for example. The oldest 256
/// are kept that nobody has asked for: what comes after them is dropped. FERRION_END: there is none at present.
///
/// Borrowed until: the next call on this messenger.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_messenger_poll_warning(
    messenger: *mut ferrion_messenger_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object messenger, out out_text => {
        let warning = messenger.messenger.poll_warning().ok_or_else(|| Failure::end("no warning waits"))?;
        out_text.set(messenger.lend(warning));
        Ok(())
    } }
}
