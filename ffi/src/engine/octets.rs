//! Octets and time, in and out.

use bytes::Buf;
use ferrion_engine::{Reason, Time};

use super::ferrion_engine_t;
use crate::status::{Failure, ferrion_status};
use crate::types::ferrion_bytes_t;

/// Room that is lent to be written into.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ferrion_room_t {
    /// Where the first octet goes.
    pub data: *mut u8,
    /// How many there is room for.
    pub len: usize,
}

/// Why an engine wants to be called at its deadline.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_reason {
    /// A reason that has no name yet.
    FERRION_REASON_OTHER = 0,
    /// Headers, SASL and open must be exchanged by then, or the engine gives up.
    FERRION_REASON_HANDSHAKE = 1,
    /// Our close was sent; if the peer's does not arrive by then the engine stops waiting.
    FERRION_REASON_CLOSE = 2,
    /// The peer has been silent; at this moment its silence exceeds our idle time-out (2.4.5).
    FERRION_REASON_PEER_SILENT = 3,
    /// A link that is closing gracefully is detached then.
    FERRION_REASON_LINK_CLOSE = 4,
    /// An empty frame is due, to keep the peer from timing us out (2.4.5).
    FERRION_REASON_HEARTBEAT = 5,
    /// The peer has read nothing of what waits for it, and is not heard because of that; at this moment it is given up.
    FERRION_REASON_PEER_NOT_READING = 6,
}

/// The most octets that are lent at the wish of C; more than a system call moves at once.
const MOST_LENT: usize = 16 << 20;

/// Takes octets that came from the peer: as many, or as few, as there are. They are copied;
/// `ferrion_engine_recv_buffer` spares that. FERRION_INVALID_ARGUMENT: they are in the room that
/// `ferrion_engine_recv_buffer` lent; tell of them with `ferrion_engine_recv_filled`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_recv(
    engine: *mut ferrion_engine_t,
    now: u64,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object engine, bytes data len => {
        // What is in the room may move while it is made larger.
        if engine.lent.is_some_and(|room| overlap(data, room)) {
            return Err(Failure::invalid("these octets are in the room that was lent: call ferrion_engine_recv_filled"));
        }
        engine.lent = None;
        // So may what is left of a room of which too little was told; that much is taken all the same.
        let rescued = engine.room.take().filter(|room| overlap(data, *room)).map(|_| data.to_vec());
        let data = rescued.as_deref().unwrap_or(data);
        engine.engine.recv_buffer(data.len()).extend_from_slice(data);
        engine.engine.recv_filled(Time(now));
        Ok(())
    } }
}

/// Lends room for at least `min` octets from the peer, and for the rest of the frame that has begun. Read into it, then
/// call `ferrion_engine_recv_filled`. FERRION_INVALID_ARGUMENT: more than 16 MiB were asked for.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_recv_buffer(
    engine: *mut ferrion_engine_t,
    min: usize,
    out_room: *mut ferrion_room_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_room => {
        if min > MOST_LENT {
            return Err(Failure::invalid(format!("{min} octets are too many to lend at once: ask for {MOST_LENT} at most")));
        }
        let spare = engine.engine.recv_buffer(min).spare_capacity_mut();
        let room = ferrion_room_t { data: spare.as_mut_ptr().cast(), len: spare.len() };
        engine.lent = Some((room.data.addr(), room.len));
        out_room.set(room);
        Ok(())
    } }
}

/// Takes the first `n` octets of the room that `ferrion_engine_recv_buffer` lent. FERRION_INVALID_ARGUMENT: there is
/// not so much room; FERRION_STATE: another call took the room back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_recv_filled(
    engine: *mut ferrion_engine_t,
    now: u64,
    n: usize,
) -> ferrion_status {
    ffi_fn! { object engine => {
        let (address, room) = engine.lent.ok_or_else(taken_back)?;
        if n > room {
            return Err(Failure::invalid(format!("{n} octets are more than the {room} there was room for")));
        }
        engine.lent = None;
        let inbox = engine.engine.recv_buffer(0);
        let spare = inbox.spare_capacity_mut();
        if spare.as_ptr().addr() != address || n > spare.len() {
            return Err(taken_back());
        }
        let filled = inbox.len() + n;
        // SAFETY: the room is where it was lent, as was just seen, and at least `n` long; the header demands that so much of
        // it was written.
        unsafe { inbox.set_len(filled) };
        engine.room = Some((address, room));
        engine.engine.recv_filled(Time(now));
        Ok(())
    } }
}

/// The peer will send no more octets: the transport was closed, or failed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_recv_eof(
    engine: *mut ferrion_engine_t,
    now: u64,
) -> ferrion_status {
    ffi_fn! { object engine => {
        engine.lent = None;
        engine.engine.recv_eof(Time(now));
        Ok(())
    } }
}

/// Does what is due by `now`. To be called at the deadline that `ferrion_engine_poll_timeout` tells, or at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_handle_timeout(
    engine: *mut ferrion_engine_t,
    now: u64,
) -> ferrion_status {
    ffi_fn! { object engine => {
        engine.engine.handle_timeout(Time(now));
        Ok(())
    } }
}

/// When to call `ferrion_engine_handle_timeout`, and why. FERRION_ABSENT: no need to. `out_reason` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_poll_timeout(
    engine: *const ferrion_engine_t,
    out_at: *mut u64,
    out_reason: *mut ferrion_reason,
) -> ferrion_status {
    ffi_fn! { object engine, out out_at, optional out_reason => {
        let deadline = engine.engine.poll_timeout().ok_or_else(Failure::absent)?;
        out_at.set(deadline.at.0);
        out_reason.set(match deadline.reason {
            Reason::Handshake => ferrion_reason::FERRION_REASON_HANDSHAKE,
            Reason::Close => ferrion_reason::FERRION_REASON_CLOSE,
            Reason::PeerSilent => ferrion_reason::FERRION_REASON_PEER_SILENT,
            Reason::PeerNotReading => ferrion_reason::FERRION_REASON_PEER_NOT_READING,
            Reason::LinkClose => ferrion_reason::FERRION_REASON_LINK_CLOSE,
            Reason::Heartbeat => ferrion_reason::FERRION_REASON_HEARTBEAT,
            _ => ferrion_reason::FERRION_REASON_OTHER,
        });
        Ok(())
    } }
}

/// Encodes what is due to be sent to the peer, and lends the first piece of it. Write it, tell with
/// `ferrion_engine_advance` how much of it was written, and ask again. FERRION_END: there is nothing to send at
/// present.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_transmit(
    engine: *mut ferrion_engine_t,
    now: u64,
    out_data: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_data => {
        engine.offered = 0;
        let inner = &mut *engine;
        let output = inner.engine.transmit(Time(now));
        let piece = output.chunk();
        if piece.is_empty() {
            return Err(Failure::end("nothing is to be sent"));
        }
        let lent = ferrion_bytes_t::from(piece);
        inner.offered = lent.len;
        out_data.set(lent);
        Ok(())
    } }
}

/// The same with as many pieces as lie in memory, `capacity` at most: `out_pieces` has room for that many. On POSIX
/// systems a `ferrion_bytes_t` has the layout of a `struct iovec`, so that they can be given to `writev`. FERRION_END:
/// there is nothing to send at present.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_transmit_pieces(
    engine: *mut ferrion_engine_t,
    now: u64,
    capacity: usize,
    out_pieces: *mut ferrion_bytes_t,
    out_n: *mut usize,
) -> ferrion_status {
    ffi_fn! { object engine, out out_pieces, out out_n => {
        engine.offered = 0;
        let inner = &mut *engine;
        let output = inner.engine.transmit(Time(now));
        let (mut n, mut offered) = (0, 0);
        for piece in output.pieces().filter(|piece| !piece.is_empty()).take(capacity) {
            out_pieces.set_at(n, piece.into());
            offered += piece.len();
            n += 1;
        }
        if n == 0 && output.has_remaining() {
            return Err(Failure::invalid("capacity is 0: make room for at least one piece"));
        }
        if n == 0 {
            return Err(Failure::end("nothing is to be sent"));
        }
        inner.offered = offered;
        out_n.set(n);
        Ok(())
    } }
}

/// The first `n` octets of what was lent to be sent have been written. FERRION_INVALID_ARGUMENT: it was less.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_advance(
    engine: *mut ferrion_engine_t,
    now: u64,
    n: usize,
) -> ferrion_status {
    ffi_fn! { object engine => {
        if n > engine.offered {
            return Err(Failure::invalid(format!("{n} octets are more than the {} that were lent", engine.offered)));
        }
        engine.offered = 0;
        engine.engine.transmit(Time(now)).advance(n);
        Ok(())
    } }
}

/// Whether the transport can be closed: nothing more will be taken, and no output waits. Output that waited when the
/// transport failed goes on waiting: after `ferrion_engine_recv_eof` whoever cannot write any more closes without asking this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_is_done(
    engine: *const ferrion_engine_t,
    out_done: *mut bool,
) -> ferrion_status {
    ffi_fn! { object engine, out out_done => {
        out_done.set(engine.engine.is_done());
        Ok(())
    } }
}

/// Whether nothing more is taken from the peer until it takes some of the output: it has been sending, and not reading what
/// comes of that. Read no more from it then. What it sent already is looked at by `ferrion_engine_transmit` once there is
/// room, so ask for events after that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_is_blocked(
    engine: *const ferrion_engine_t,
    out_blocked: *mut bool,
) -> ferrion_status {
    ffi_fn! { object engine, out out_blocked => {
        out_blocked.set(engine.engine.is_blocked());
        Ok(())
    } }
}

/// Starts or stops keeping a readable line for each frame, in both directions, for `ferrion_engine_poll_trace`. Secrets
/// are not shown.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_set_tracing(
    engine: *mut ferrion_engine_t,
    on: bool,
) -> ferrion_status {
    ffi_fn! { object engine => {
        engine.engine.set_tracing(on);
        Ok(())
    } }
}

/// The next line of the trace, `0 -> @open(16) [container-id="x"]` for example. FERRION_END: there is none at present.
///
/// Borrowed until: the next call on this engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_engine_poll_trace(
    engine: *mut ferrion_engine_t,
    out_text: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object engine, out out_text => {
        let line = engine.engine.poll_trace().ok_or_else(|| Failure::end("no line of trace waits"))?;
        out_text.set(engine.lend(line));
        Ok(())
    } }
}

/// Whether octets are, at least in part, in a room: where it is, and its octets.
fn overlap(data: &[u8], (room, octets): (usize, usize)) -> bool {
    let start = data.as_ptr().addr();
    let (end, room_end) = (
        start.saturating_add(data.len()),
        room.saturating_add(octets),
    );
    !data.is_empty() && start < room_end && room < end
}

#[cold]
fn taken_back() -> Failure {
    Failure::new(
        ferrion_status::FERRION_STATE,
        "no room is lent: call ferrion_engine_recv_buffer first",
    )
}
