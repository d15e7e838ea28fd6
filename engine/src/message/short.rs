//! Messages that are short, as most are, written in a straight line.
//!
//! By the table each field is appended to a vector, which looks for room and reads and writes its own length for each. Here
//! room is made once, and only what does not fit it, or is of a rare type, is left to the table; a test compares the two.

use alloc::vec::Vec;

use crate::codec::room::{self, NO_ROOM};
use crate::codec::{Map, Str, code};

use super::sections::{Section, Span};
use super::slot::{SectionValue, Slot};
use super::{BODY, Body, Header, Message, MessageId, Properties};

/// Octets that there is room for.
pub(super) const ROOM: usize = 512;

type Room = [u8; ROOM];

/// A section's descriptor, and constructor, size and count of its value.
const HEAD: usize = 6;

/// The most octets of a short list or map with its descriptor: its size has one octet, and counts what is behind it.
const SHORT: usize = HEAD - 1 + u8::MAX as usize;

/// What was written of a message.
pub(super) enum Written {
    /// Everything up to the body and with it.
    Body,
    /// The sections before the body.
    Head,
    /// Nothing.
    Nothing,
}

impl Message {
    /// Writes the sections before the body, and the body, as far as they are short. Answers what was written, and how many
    /// octets it has.
    pub(super) fn write_short(&self, room: &mut Room) -> (Written, usize) {
        let head = self.put_head(room);
        let end = self.put_section(room, head, &self.body, BODY, put_body);
        match (head, end) {
            (_, ..=ROOM) if end > head => (Written::Body, end),
            (..=ROOM, _) => (Written::Head, head),
            _ => (Written::Nothing, 0),
        }
    }

    /// As [`write_short`](Self::write_short), behind what a vector holds.
    pub(super) fn append_short(&self, out: &mut Vec<u8>) -> Written {
        let start = out.len();
        out.extend_from_slice(&[0; ROOM]);
        let place = out
            .get_mut(start..)
            .and_then(|place| place.first_chunk_mut());
        let (written, len) = place.map_or((Written::Nothing, 0), |room| self.write_short(room));
        out.truncate(start.saturating_add(len));
        written
    }

    fn put_head(&self, room: &mut Room) -> usize {
        let at = self.put_section(room, 0, &self.header, Section::Header, put_header);
        let section = Section::DeliveryAnnotations;
        let at = self.put_map(room, at, &self.delivery_annotations, section);
        let section = Section::MessageAnnotations;
        let at = self.put_map(room, at, &self.message_annotations, section);
        let section = Section::Properties;
        let at = self.put_section(room, at, &self.properties, section, put_properties);
        let section = Section::ApplicationProperties;
        self.put_map(room, at, &self.application_properties, section)
    }

    #[inline(always)]
    fn put_map(&self, room: &mut Room, at: usize, slot: &Slot<Map>, section: Section) -> usize {
        self.put_section(room, at, slot, section, |room, at, map| {
            put_map(room, at, map, section)
        })
    }

    /// Writes a section at `at`, if it is there, as it came or as `put` does it.
    #[inline(always)]
    fn put_section<T: SectionValue>(
        &self,
        room: &mut Room,
        at: usize,
        slot: &Slot<T>,
        section: Section,
        put: impl FnOnce(&mut Room, usize, &T) -> usize,
    ) -> usize {
        let span = self.layout.span(section);
        if !span.is_absent() {
            return self.put_received(room, at, span);
        }
        match slot.own() {
            Some(value) => put(room, at, value),
            None => at,
        }
    }

    #[inline(never)]
    fn put_received(&self, room: &mut Room, at: usize, span: &Span) -> usize {
        match self.octets.get(span.start as usize..span.end as usize) {
            Some(octets) => room::octets(room, at, octets),
            None => NO_ROOM,
        }
    }
}

fn put_header(room: &mut Room, start: usize, header: &Header) -> usize {
    let mut list = List::begin(start);
    list.unless(room, header.durable, false, room::flag);
    let priority = Header::DEFAULT_PRIORITY;
    list.unless(room, header.priority, priority, |room, at, priority| {
        room::put(room, at, [code::UBYTE, priority])
    });
    list.field(room, header.ttl, room::uint);
    list.unless(room, header.first_acquirer, false, room::flag);
    list.unless(room, header.delivery_count, 0, room::uint);
    list.end(room, Section::Header, Header::FIELDS.len())
}

fn put_properties(room: &mut Room, start: usize, properties: &Properties) -> usize {
    let mut list = List::begin(start);
    list.id(room, properties.message_id.as_ref());
    let user_id = properties.user_id.as_ref();
    list.field(room, user_id, |room, at, octets| {
        room::sized(room, at, code::BINARY8, octets)
    });
    list.text(room, properties.to.as_ref());
    list.text(room, properties.subject.as_ref());
    list.text(room, properties.reply_to.as_ref());
    list.id(room, properties.correlation_id.as_ref());
    let content_type = properties.content_type.as_ref();
    list.field(room, content_type, |room, at, symbol| symbol.put(room, at));
    let encoding = properties.content_encoding.as_ref();
    list.field(room, encoding, |room, at, symbol| symbol.put(room, at));
    list.field(room, properties.absolute_expiry_time, room::timestamp);
    list.field(room, properties.creation_time, room::timestamp);
    list.text(room, properties.group_id.as_ref());
    list.field(room, properties.group_sequence, room::uint);
    list.text(room, properties.reply_to_group_id.as_ref());
    list.end(room, Section::Properties, Properties::FIELDS.len())
}

fn put_map(room: &mut Room, start: usize, map: &Map, section: Section) -> usize {
    // Each element has an octet or more.
    let count = map.len().saturating_mul(2);
    if count > SHORT {
        return NO_ROOM;
    }
    let end = map.iter().fold(behind_head(start), |at, (key, value)| {
        let at = room::value(room, at, key);
        room::value(room, at, value)
    });
    put_compound(room, start, end, section, code::MAP8, count)
}

/// One section of octets, or a value; other bodies find no room.
#[inline(always)]
fn put_body(room: &mut Room, at: usize, body: &Body) -> usize {
    match body {
        Body::Data(sections) => match sections.as_slice() {
            [octets] => {
                let at = room::put(room, at, Section::Data.prefix());
                room::sized(room, at, code::BINARY8, octets)
            }
            _ => NO_ROOM,
        },
        Body::Value(value) => {
            let at = room::put(room, at, Section::Value.prefix());
            room::value(room, at, value)
        }
        Body::Sequence(_) => NO_ROOM,
    }
}

#[inline(always)]
fn put_id(room: &mut Room, at: usize, id: &MessageId) -> usize {
    match id {
        MessageId::Ulong(number) => room::ulong(room, at, *number),
        MessageId::String(text) => text.put(room, at),
        MessageId::Binary(octets) => room::sized(room, at, code::BINARY8, octets),
        MessageId::Uuid(uuid) => room::wide(room, at, code::UUID, uuid.0),
    }
}

/// Writes the head of a list or map whose elements end at `end`, and answers that; `NO_ROOM` if it is none of the short ones.
#[inline(always)]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "of octets within the room behind the start; what is short has no more than an octet can count, nor more elements"
)]
fn put_compound(
    room: &mut Room,
    start: usize,
    end: usize,
    section: Section,
    constructor: u8,
    count: usize,
) -> usize {
    let len = end - start;
    if end > ROOM || len > SHORT {
        return NO_ROOM;
    }
    let [a, b, c] = section.prefix();
    let size = (len - HEAD + 1) as u8;
    match room
        .get_mut(start..end)
        .and_then(|place| place.first_chunk_mut())
    {
        Some(head) => *head = [a, b, c, constructor, size, count as u8],
        None => return NO_ROOM,
    }
    end
}

/// Where a list or map that begins at `start` goes on behind its head.
#[inline(always)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the place is within the room, or the one that says that there is none, which leaves room for this"
)]
const fn behind_head(start: usize) -> usize {
    start + HEAD
}

/// A list as it is written.
struct List {
    start: usize,
    /// Behind all fields so far.
    at: usize,
    /// Behind the last of them that is not null: those at the end are left out.
    end: usize,
}

impl List {
    #[inline(always)]
    const fn begin(start: usize) -> Self {
        let at = behind_head(start);
        Self { start, at, end: at }
    }

    /// Writes a field, or null.
    #[inline(always)]
    fn field<T>(
        &mut self,
        room: &mut Room,
        value: Option<T>,
        put: impl FnOnce(&mut Room, usize, T) -> usize,
    ) {
        match value {
            Some(value) => {
                self.at = put(room, self.at, value);
                self.end = self.at;
            }
            None => self.at = room::put(room, self.at, [code::NULL]),
        }
    }

    /// Writes a field, or null for what null stands for.
    #[inline(always)]
    fn unless<T: PartialEq>(
        &mut self,
        room: &mut Room,
        value: T,
        default: T,
        put: impl FnOnce(&mut Room, usize, T) -> usize,
    ) {
        self.field(room, Some(value).filter(|value| *value != default), put);
    }

    #[inline(always)]
    fn text(&mut self, room: &mut Room, text: Option<&Str>) {
        self.field(room, text, |room, at, text| text.put(room, at));
    }

    #[inline(always)]
    fn id(&mut self, room: &mut Room, id: Option<&MessageId>) {
        self.field(room, id, put_id);
    }

    /// Writes the head of the list, of which `fields` were written, and answers where it ends.
    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "of places within the room, and nulls that were written for some of the fields"
    )]
    fn end(self, room: &mut Room, section: Section, fields: usize) -> usize {
        // A list without fields has a form of its own.
        if self.at > ROOM || self.end == behind_head(self.start) {
            return NO_ROOM;
        }
        // Each null at the end has one octet.
        let count = fields - (self.at - self.end);
        put_compound(room, self.start, self.end, section, code::LIST8, count)
    }
}
