//! Transfers as nearly all are, read and written without the table.
//!
//! A small message is one transfer that says five things of itself, each in its shortest form. To go through a table of eleven
//! fields for that, each of which may be absent, null or of several encodings, costs more than all else that is done for
//! the message. What does not look like this is left to [`Transfer`](super::Transfer), which a test compares with.

use core::ops::Range;

use super::tag::MAX_TAG;
use super::transport::Transfer;
use crate::codec::code;

/// A transfer (2.7.5) that is all of its delivery, and says neither a state nor anything else that is rare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlainTransfer<'a> {
    pub(crate) handle: u32,
    pub(crate) delivery_id: u32,
    tag: &'a [u8],
    pub(crate) message_format: u32,
    pub(crate) settled: bool,
    pub(crate) batchable: bool,
}

#[expect(clippy::cast_possible_truncation, reason = "the descriptor is 0x14")]
const PREFIX: [u8; 4] = [
    code::DESCRIBED,
    code::ULONG_SMALL,
    Transfer::DESCRIPTOR as u8,
    code::LIST8,
];

/// The prefix, and the list's size and count.
const HEAD: usize = PREFIX.len() + 2;

/// Where `more` stands in the list, and `batchable`, which is the last.
const MORE: u8 = 5;
const RCV_SETTLE_MODE: u8 = 6;
const STATE: u8 = 7;
const BATCHABLE: u8 = 10;

impl<'a> PlainTransfer<'a> {
    /// A transfer with this tag; `None` if it is longer than a tag can be.
    #[inline]
    pub(crate) fn new(handle: u32, delivery_id: u32, tag: &'a [u8]) -> Option<Self> {
        (tag.len() <= MAX_TAG).then_some(Self {
            handle,
            delivery_id,
            tag,
            message_format: 0,
            settled: false,
            batchable: false,
        })
    }

    /// The tag, of no more octets than one can have.
    #[inline]
    pub(crate) const fn tag(&self) -> &'a [u8] {
        self.tag
    }

    /// The handle in the transfer that a frame's body begins with. `None` says no more than that of [`read`](Self::read).
    #[inline]
    pub(crate) fn handle_in(body: &[u8]) -> Option<u32> {
        let (head, mut rest) = body.split_first_chunk::<HEAD>()?;
        head.starts_with(&PREFIX).then(|| uint(&mut rest)).flatten()
    }

    /// Reads the transfer that a frame's body begins with, and from where to where it goes on behind what says how long its tag
    /// is. `None`: it is another performative, or one that the table has to look at.
    #[inline(always)]
    pub(crate) fn read(body: &'a [u8]) -> Option<(Self, Range<usize>)> {
        let [a, b, c, d, size, count] = body.first_chunk::<HEAD>()?;
        if [*a, *b, *c, *d] != PREFIX || !(3..=BATCHABLE + 1).contains(count) {
            return None;
        }
        // The size counts the octet of the count.
        let end = HEAD - 1 + usize::from(*size);
        let mut rest = body.get(HEAD..end)?;
        let handle = uint(&mut rest)?;
        let delivery_id = uint(&mut rest)?;
        let [code::BINARY8, length, after @ ..] = rest else {
            return None;
        };
        let tag_at = end.wrapping_sub(after.len());
        let (tag, after) = after.split_at_checked(usize::from(*length))?;
        let mut transfer = Self::new(handle, delivery_id, tag)?;
        rest = after;
        if *count > 3 {
            transfer.message_format = uint_or_null(&mut rest)?;
        }
        if *count > 4 {
            transfer.settled = flag(&mut rest)?;
        }
        for field in MORE..*count {
            match field {
                RCV_SETTLE_MODE | STATE => rest = rest.strip_prefix(&[code::NULL])?,
                BATCHABLE => transfer.batchable = flag(&mut rest)?,
                // More to come, resumed, aborted: none of that is plain.
                _ if flag(&mut rest)? => return None,
                _ => {}
            }
        }
        rest.is_empty().then_some((transfer, tag_at..end))
    }

    /// Writes the transfer at the front of room for any of them; answers how many octets it has.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "of octets that fit into the room"
    )]
    pub(crate) fn write(&self, place: &mut [u8; ROOM]) -> usize {
        // Both numbers in one store, and what follows over the rest of it.
        let (handle, first) = uint_octets(self.handle);
        let (delivery_id, second) = uint_octets(self.delivery_id);
        let numbers = u128::from(handle) | u128::from(delivery_id) << (8 * first);
        put(place, HEAD, &numbers.to_le_bytes());
        let mut at = HEAD + first + second;
        at = put(place, at, &[code::BINARY8, self.tag.len() as u8]);
        at = put_short(place, at, self.tag);
        let (format, third) = uint_octets(self.message_format);
        put(place, at, &format.to_le_bytes());
        at += third;
        let (tail, length) = self.tail();
        put(place, at, &tail.to_le_bytes());
        at += length;
        let [a, b, c, d] = PREFIX;
        let (size, count) = (at - HEAD + 1, 4 + length);
        put(place, 0, &[a, b, c, d, size as u8, count as u8]);
        at
    }

    /// The fields behind `message-format`, each of one octet, as they lie in a word, and how many of them there are: all are
    /// written, in one store, and those that are none overwritten or cut off.
    #[inline(always)]
    fn tail(&self) -> (u64, usize) {
        const NULLS: u64 = u64::from_le_bytes([code::NULL; 8]);
        // True is the code behind null's.
        let word = NULLS | u64::from(self.settled) | u64::from(self.batchable) << (8 * (TAIL - 1));
        let count = if self.batchable {
            TAIL
        } else {
            usize::from(self.settled)
        };
        (word, count)
    }
}

const _: () = assert!(code::TRUE == code::NULL | 1, "a flag is the lowest bit");

/// Fields from `settled` to `batchable`.
const TAIL: usize = 7;

/// At least the octets that any plain transfer has, and those that are written behind it on the way.
pub(crate) const ROOM: usize = 72;

/// The list's head, three numbers, the tag, and the fields behind, which are written as a word.
const LARGEST: usize = HEAD + 2 * 5 + 2 + MAX_TAG + 5 + 8;
const _: () = assert!(LARGEST <= ROOM, "every plain transfer is written whole");

/// Writes octets at a place, where there is room for them; answers the place behind them.
///
/// A message's sections are written by `codec::room`, where each piece may be the one too many. Here all of them fit (`LARGEST`),
/// so nothing is carried along that says whether they did.
#[inline(always)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "of octets that fit into the room"
)]
fn put(place: &mut [u8; ROOM], at: usize, octets: &[u8]) -> usize {
    let end = at + octets.len();
    if let Some(place) = place.get_mut(at..end) {
        place.copy_from_slice(octets);
    }
    end
}

/// As [`put`], for octets that nearly always are a number of 32 or 64 bits: those are written in one store, not by a call.
#[inline(always)]
fn put_short(place: &mut [u8; ROOM], at: usize, octets: &[u8]) -> usize {
    if let Ok(word) = <&[u8; 8]>::try_from(octets) {
        put(place, at, word)
    } else if let Ok(word) = <&[u8; 4]>::try_from(octets) {
        put(place, at, word)
    } else {
        put(place, at, octets)
    }
}

/// The octets of a number, as they lie in a word whose low octets come first, and how many there are.
#[inline(always)]
fn uint_octets(number: u32) -> (u64, usize) {
    let behind = |code: u8, octets: u32| u64::from(code) | u64::from(octets) << 8;
    match number {
        0 => (code::UINT_ZERO.into(), 1),
        small @ 1..256 => (behind(code::UINT_SMALL, small), 2),
        large => (behind(code::UINT, large.swap_bytes()), 5),
    }
}

#[inline(always)]
fn uint(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = match *rest {
        [code::UINT_SMALL, small, after @ ..] => (u32::from(*small), after),
        [code::UINT, a, b, c, d, after @ ..] => (u32::from_be_bytes([*a, *b, *c, *d]), after),
        [code::UINT_ZERO, after @ ..] => (0, after),
        _ => return None,
    };
    *rest = after;
    Some(number)
}

#[inline(always)]
fn uint_or_null(rest: &mut &[u8]) -> Option<u32> {
    if let [code::NULL, after @ ..] = *rest {
        *rest = after;
        return Some(0);
    }
    uint(rest)
}

/// A boolean in one octet, or null, which is false for all of these fields.
#[inline(always)]
fn flag(rest: &mut &[u8]) -> Option<bool> {
    let (set, after) = match *rest {
        [code::TRUE, after @ ..] => (true, after),
        [code::FALSE | code::NULL, after @ ..] => (false, after),
        _ => return None,
    };
    *rest = after;
    Some(set)
}

#[cfg(test)]
mod tests {
    use super::{PlainTransfer, ROOM};
    use crate::codec::{Decode, Encode, Reader};
    use crate::protocol::{DeliveryState, ReceiverSettleMode, Tag, Transfer};
    use alloc::vec::Vec;
    use bytes::Bytes;
    use proptest::prelude::*;

    /// What the table makes of the same octets, if it is a transfer that is plain.
    fn by_table(octets: &[u8]) -> Option<(Transfer, usize)> {
        let octets = Bytes::copy_from_slice(octets);
        let mut reader = Reader::new(&octets);
        let transfer = Transfer::decode(&mut reader).ok()?;
        Some((transfer, reader.position()))
    }

    fn agrees(octets: &[u8]) -> Result<bool, TestCaseError> {
        let Some((plain, from_tag)) = PlainTransfer::read(octets) else {
            return Ok(false);
        };
        let Some((table, length_by_table)) = by_table(octets) else {
            return Err(TestCaseError::fail("the table refuses it"));
        };
        prop_assert_eq!(from_tag.end, length_by_table);
        prop_assert!(octets[from_tag].starts_with(plain.tag()));
        prop_assert_eq!(plain.handle, table.handle);
        prop_assert_eq!(Some(plain.delivery_id), table.delivery_id);
        prop_assert_eq!(Some(plain.tag()), table.delivery_tag.as_deref());
        prop_assert_eq!(plain.message_format, table.message_format.unwrap_or(0));
        prop_assert_eq!(plain.settled, table.settled.unwrap_or(false));
        prop_assert_eq!(plain.batchable, table.batchable);
        let rare = table.more || table.resume || table.aborted;
        prop_assert!(!rare && table.rcv_settle_mode.is_none() && table.state.is_none());
        Ok(true)
    }

    fn number() -> impl Strategy<Value = u32> {
        prop_oneof![Just(0), 0u32..300, any::<u32>()]
    }

    prop_compose! {
        fn plain_fields()(
            handle in number(),
            id in number(),
            tag in prop::collection::vec(any::<u8>(), 0..=32),
            format in number(),
            settled in any::<bool>(),
            batchable in any::<bool>(),
        ) -> Transfer {
            let mut transfer = Transfer::new(handle);
            transfer.delivery_id = Some(id);
            transfer.delivery_tag = Some(Tag::new(&tag).unwrap());
            transfer.message_format = Some(format);
            transfer.settled = settled.then_some(true);
            transfer.batchable = batchable;
            transfer
        }
    }

    fn encoded(transfer: &Transfer) -> Vec<u8> {
        let mut octets = Vec::new();
        transfer.encode(&mut octets);
        octets
    }

    proptest! {
        #[test]
        fn a_plain_transfer_has_the_octets_that_the_table_gives_it(transfer in plain_fields(), payload in any::<[u8; 3]>()) {
            let tag = transfer.delivery_tag.unwrap();
            let mut plain = PlainTransfer::new(transfer.handle, transfer.delivery_id.unwrap(), &tag).unwrap();
            plain.message_format = transfer.message_format.unwrap();
            plain.settled = transfer.settled.is_some();
            plain.batchable = transfer.batchable;
            let mut room = [0; ROOM];
            let length = plain.write(&mut room);
            let mut octets = room[..length].to_vec();
            prop_assert_eq!(&octets, &encoded(&transfer));
            octets.extend_from_slice(&payload);
            let (read, from_tag) = PlainTransfer::read(&octets).unwrap();
            prop_assert_eq!((read, from_tag.end), (plain, length));
        }

        #[test]
        fn what_is_read_is_what_the_table_reads(
            mut transfer in plain_fields(),
            rare in 0u8..12,
            flag in any::<bool>(),
            at in any::<prop::sample::Index>(),
            octet in prop_oneof![Just(0x40u8), Just(0x41), Just(0x42), Just(0x43), Just(0x52), Just(0xa0), any::<u8>()],
        ) {
            match rare {
                0 => transfer.more = flag,
                1 => transfer.resume = flag,
                2 => transfer.aborted = flag,
                3 => transfer.state = flag.then_some(DeliveryState::Accepted),
                4 => transfer.rcv_settle_mode = flag.then_some(ReceiverSettleMode::Second),
                5 => transfer.message_format = None,
                6 => transfer.settled = Some(flag),
                7 => transfer.delivery_tag = None,
                8 => transfer.delivery_id = None,
                _ => {}
            }
            let mut octets = encoded(&transfer);
            agrees(&octets)?;
            // One octet of the fields is another.
            let at = at.index(octets.len());
            octets[at] = octet;
            octets.extend_from_slice(&[0x40; 4]);
            agrees(&octets)?;
        }

        #[test]
        fn nothing_is_made_of_other_octets(list in prop::collection::vec(any::<u8>(), 0..40), count in 0u8..13) {
            let mut octets = Vec::from([0, 0x53, 0x14, 0xc0, list.len() as u8 + 1, count]);
            octets.extend(list);
            agrees(&octets)?;
        }
    }

    #[test]
    fn longer_tags_and_wider_encodings_are_left_to_the_table() {
        assert!(PlainTransfer::new(0, 0, &[7; 33]).is_none());
        let wide = [
            0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x14, 0xc0, 5, 3, 0x43, 0x43, 0xa0, 0,
        ];
        assert!(by_table(&wide).is_some() && PlainTransfer::read(&wide).is_none());
        let short = [0, 0x53, 0x14, 0xc0, 5, 3, 0x43, 0x43, 0xa0, 0];
        assert!(PlainTransfer::read(&short).is_some());
    }
}
