//! Short values written into a row of octets that has room for all of them.
//!
//! A vector looks for room each time something is appended, and reads and writes its own length in memory for that. Here each
//! piece takes one comparison with a known number, and the place goes from one to the next in a register.
//!
//! Each function writes at the place `at` and answers the place behind. What finds no room is not written, nor anything behind
//! it: the place is [`NO_ROOM`] from there on.

use super::code;
use super::prim::Timestamp;
use super::value::Value;

/// The most octets of a piece. Before each is written, there has to be room for the largest, be it as short as it may: what is
/// compared with is a number that is known then, and the compiler sees that no piece goes beyond the room.
pub(crate) const PIECE: usize = 128;

/// The place that says that there was no room, or that what was to be written is left to the table. No piece is written there;
/// what leaves places free for a head may reckon a little beyond it, where no piece is written either.
pub(crate) const NO_ROOM: usize = usize::MAX / 2;

/// Octets of a number known beforehand.
#[inline(always)]
pub(crate) fn put<const ROOM: usize, const N: usize>(
    room: &mut [u8; ROOM],
    at: usize,
    octets: [u8; N],
) -> usize {
    put_some(room, at, &octets, N)
}

/// The first `len` of these octets, which are written in one move.
#[inline(always)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the place is within the room, and a piece is no longer than it can be"
)]
pub(super) fn put_some<const ROOM: usize, const N: usize>(
    room: &mut [u8; ROOM],
    at: usize,
    octets: &[u8; N],
    len: usize,
) -> usize {
    const { assert!(N <= PIECE && PIECE <= ROOM) };
    if at > ROOM - PIECE {
        return NO_ROOM;
    }
    if let Some(place) = room.get_mut(at..at + N) {
        place.copy_from_slice(octets);
    }
    at + len.min(N)
}

/// Text or octets with a size of one octet, no longer than a piece is.
#[inline(always)]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "the place is within the room, and a piece is no longer than it can be, which fits one octet"
)]
pub(crate) fn sized<const ROOM: usize>(
    room: &mut [u8; ROOM],
    at: usize,
    constructor: u8,
    octets: &[u8],
) -> usize {
    const { assert!(PIECE <= u8::MAX as usize && PIECE <= ROOM) };
    let size = octets.len();
    if at > ROOM - PIECE || size > PIECE - 2 {
        return NO_ROOM;
    }
    let end = at + 2 + size;
    if let Some([first, second, place @ ..]) = room.get_mut(at..end) {
        (*first, *second) = (constructor, size as u8);
        copy(place, octets);
    }
    end
}

/// Octets as they are, of whichever number.
pub(crate) fn octets<const ROOM: usize>(room: &mut [u8; ROOM], at: usize, octets: &[u8]) -> usize {
    let end = at.saturating_add(octets.len());
    match room.get_mut(at..end) {
        Some(place) => {
            place.copy_from_slice(octets);
            end
        }
        None => NO_ROOM,
    }
}

/// Copies as many octets as there are places. Of most text and short bodies the first and the last octets of a power of two, which
/// overlap: that takes less than a call.
#[inline(always)]
fn copy(place: &mut [u8], octets: &[u8]) {
    let done = match place.len() {
        8..=16 => copy_ends::<8>(place, octets),
        17..=32 => copy_ends::<16>(place, octets),
        33..=64 => copy_ends::<32>(place, octets),
        _ => false,
    };
    if !done {
        place.copy_from_slice(octets);
    }
}

/// Copies the first and the last `N` octets if there are as many.
#[inline(always)]
fn copy_ends<const N: usize>(place: &mut [u8], octets: &[u8]) -> bool {
    let (Some(first), Some(last)) = (octets.first_chunk::<N>(), octets.last_chunk::<N>()) else {
        return false;
    };
    if let Some(place) = place.first_chunk_mut() {
        *place = *first;
    }
    if let Some(place) = place.last_chunk_mut() {
        *place = *last;
    }
    true
}

#[inline(always)]
pub(crate) fn flag<const ROOM: usize>(room: &mut [u8; ROOM], at: usize, flag: bool) -> usize {
    put(room, at, [if flag { code::TRUE } else { code::FALSE }])
}

#[inline(always)]
pub(crate) fn uint<const ROOM: usize>(room: &mut [u8; ROOM], at: usize, number: u32) -> usize {
    match u8::try_from(number) {
        Ok(0) => put(room, at, [code::UINT_ZERO]),
        Ok(small) => put(room, at, [code::UINT_SMALL, small]),
        Err(_) => wide(room, at, code::UINT, number.to_be_bytes()),
    }
}

#[inline(always)]
pub(crate) fn ulong<const ROOM: usize>(room: &mut [u8; ROOM], at: usize, number: u64) -> usize {
    match u8::try_from(number) {
        Ok(0) => put(room, at, [code::ULONG_ZERO]),
        Ok(small) => put(room, at, [code::ULONG_SMALL, small]),
        Err(_) => wide(room, at, code::ULONG, number.to_be_bytes()),
    }
}

#[inline(always)]
fn int<const ROOM: usize>(room: &mut [u8; ROOM], at: usize, number: i32) -> usize {
    match i8::try_from(number) {
        Ok(small) => put(room, at, [code::INT_SMALL, small.cast_unsigned()]),
        Err(_) => wide(room, at, code::INT, number.to_be_bytes()),
    }
}

#[inline(always)]
fn long<const ROOM: usize>(room: &mut [u8; ROOM], at: usize, number: i64) -> usize {
    match i8::try_from(number) {
        Ok(small) => put(room, at, [code::LONG_SMALL, small.cast_unsigned()]),
        Err(_) => wide(room, at, code::LONG, number.to_be_bytes()),
    }
}

#[inline(always)]
pub(crate) fn timestamp<const ROOM: usize>(
    room: &mut [u8; ROOM],
    at: usize,
    time: Timestamp,
) -> usize {
    wide(room, at, code::TIMESTAMP, time.0.to_be_bytes())
}

/// A value of one of the types that most are of; for any other there is no room.
#[inline(always)]
pub(crate) fn value<const ROOM: usize>(room: &mut [u8; ROOM], at: usize, value: &Value) -> usize {
    match value {
        // Each key, and most else.
        Value::String(text) => text.put(room, at),
        other => rarer_value(room, at, other),
    }
}

#[inline(never)]
fn rarer_value<const ROOM: usize>(room: &mut [u8; ROOM], at: usize, value: &Value) -> usize {
    match value {
        Value::Symbol(text) => text.put(room, at),
        Value::Int(number) => int(room, at, *number),
        Value::Ulong(number) => ulong(room, at, *number),
        Value::Long(number) => long(room, at, *number),
        Value::Uint(number) => uint(room, at, *number),
        Value::Bool(it) => flag(room, at, *it),
        Value::Timestamp(time) => timestamp(room, at, *time),
        Value::Double(number) => wide(room, at, code::DOUBLE, number.to_bits().to_be_bytes()),
        Value::Null => put(room, at, [code::NULL]),
        _ => NO_ROOM,
    }
}

/// A constructor and the octets of its width.
#[inline(always)]
pub(crate) fn wide<const ROOM: usize, const N: usize>(
    room: &mut [u8; ROOM],
    at: usize,
    constructor: u8,
    octets: [u8; N],
) -> usize {
    let at = put(room, at, [constructor]);
    put(room, at, octets)
}
