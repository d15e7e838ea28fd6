//! Where the sections of an encoded message lie (3.2): found without decoding any of them.

use core::cmp::Ordering;

use bytes::Bytes;

use crate::codec::{DecodeError, DecodeErrorKind as Kind, Descriptor, Reader, code, jump};

/// The sections of a message, in the only order in which they may stand (3.2).
///
/// The three kinds of body share one place in that order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Section {
    /// Delivery details: durability, priority, time to live (3.2.1).
    Header = 0x70,
    /// Annotations for the next node only (3.2.2).
    DeliveryAnnotations = 0x71,
    /// Annotations that travel with the message (3.2.3).
    MessageAnnotations = 0x72,
    /// The standard properties (3.2.4).
    Properties = 0x73,
    /// The application's own properties (3.2.5).
    ApplicationProperties = 0x74,
    /// A body section of opaque octets (3.2.6).
    Data = 0x75,
    /// A body section that is a list (3.2.7).
    Sequence = 0x76,
    /// The body section that is a single value (3.2.8).
    Value = 0x77,
    /// What can only be computed after the body (3.2.9).
    Footer = 0x78,
}

impl Section {
    /// All sections, by their descriptors.
    pub const ALL: [Self; 9] = [
        Self::Header,
        Self::DeliveryAnnotations,
        Self::MessageAnnotations,
        Self::Properties,
        Self::ApplicationProperties,
        Self::Data,
        Self::Sequence,
        Self::Value,
        Self::Footer,
    ];

    /// The numeric descriptor of the section.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The symbolic descriptor of the section.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "amqp:header:list",
            Self::DeliveryAnnotations => "amqp:delivery-annotations:map",
            Self::MessageAnnotations => "amqp:message-annotations:map",
            Self::Properties => "amqp:properties:list",
            Self::ApplicationProperties => "amqp:application-properties:map",
            Self::Data => "amqp:data:binary",
            Self::Sequence => "amqp:amqp-sequence:list",
            Self::Value => "amqp:amqp-value:*",
            Self::Footer => "amqp:footer:map",
        }
    }

    /// The three octets that open the section in its shortest form.
    pub(super) const fn prefix(self) -> [u8; 3] {
        [0x00, 0x53, self as u8]
    }

    /// Reads the descriptor of a section in either of its forms (1.2).
    #[inline]
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.position();
        let found = match r.u8()? {
            code::DESCRIBED => match r.descriptor()? {
                Descriptor::Code(code) => Self::from_code(code),
                Descriptor::Name(name) => Self::from_name(name),
            },
            other => return Err(r.wrong_type(EXPECTED, other)),
        };
        found.ok_or_else(|| DecodeError::new(at, Kind::UnknownDescriptor(EXPECTED)))
    }

    #[inline]
    fn from_code(code: u64) -> Option<Self> {
        let index = usize::try_from(code.checked_sub(0x70)?).ok()?;
        Self::ALL.get(index).copied()
    }

    #[cold]
    fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name().as_bytes() == name)
    }

    /// The place in the order of sections; it is also the index into [`Layout`].
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "the header is the first of them, and the table has a row for each"
    )]
    const fn place(self) -> usize {
        const PLACES: [u8; 9] = [0, 1, 2, 3, 4, 5, 5, 5, 6];
        PLACES[self as usize - Self::Header as usize] as usize
    }

    /// The bit of that place.
    const fn bit(self) -> u8 {
        1 << self.place()
    }

    /// Whether this section may be there more than once (3.2).
    const fn is_repeatable(self) -> bool {
        matches!(self, Self::Data | Self::Sequence)
    }

    /// Whether this section may stand right behind `last` (3.2), `seen` if it has been there before.
    #[cold]
    fn check_follows(self, last: Self, seen: bool) -> Result<(), Kind> {
        match self.place().cmp(&last.place()) {
            Ordering::Greater => Ok(()),
            Ordering::Less if seen && !self.is_repeatable() => {
                Err(Kind::DuplicateSection(self.name()))
            }
            Ordering::Less => Err(Kind::SectionOrder {
                found: self.name(),
                after: last.name(),
            }),
            Ordering::Equal if self != last => Err(Kind::MixedBody),
            Ordering::Equal if self.is_repeatable() => Ok(()),
            Ordering::Equal => Err(Kind::DuplicateSection(self.name())),
        }
    }

    /// Whether the value that is next has the type of this section.
    #[inline]
    fn check_type(self, r: &Reader<'_>) -> Result<(), DecodeError> {
        let Some(found) = r.peek() else {
            return Err(r.error(Kind::UnexpectedEnd));
        };
        let (fits, expected) = match self {
            Self::Header | Self::Properties | Self::Sequence => (
                matches!(found, code::LIST0 | code::LIST8 | code::LIST32),
                "list",
            ),
            Self::Data => (matches!(found, code::BINARY8 | code::BINARY32), "binary"),
            Self::Value => return Ok(()),
            _ => (matches!(found, code::MAP8 | code::MAP32), "map"),
        };
        if fits {
            return Ok(());
        }
        Err(r.error(Kind::WrongType { expected, found }))
    }
}

const EXPECTED: &str = "a message section";

/// The octets `start..end` of a section, its value beginning at `value`. Absent while `section` is `None`.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) section: Option<Section>,
    pub(super) start: u32,
    pub(super) value: u32,
    pub(super) end: u32,
}

impl Span {
    const ABSENT: Self = Self {
        section: None,
        start: 0,
        value: 0,
        end: 0,
    };

    #[inline]
    pub(super) const fn is_absent(&self) -> bool {
        self.section.is_none()
    }
}

/// Where each section of a received message lies. The sections of the body share one span.
#[derive(Clone, Default)]
pub(super) struct Layout {
    spans: [Span; PLACES],
    /// The places whose sections lie in the octets, but are no more part of the message; a bit for each.
    removed: u8,
}

/// How many places there are in the order of sections.
const PLACES: usize = 7;

impl Layout {
    /// Finds the sections of a message, checking their order (3.2), that each holds a value of its type, and that it
    /// ends within the message. What lies inside a compound is not looked at.
    ///
    /// On an error this is as it was, for the octets of `before`. A layout beside this one, to be moved here when all is
    /// sound, would cost every message what finding the old sections again costs one that is refused.
    pub(super) fn scan(
        &mut self,
        octets: &Bytes,
        needs_body: bool,
        before: &Bytes,
    ) -> Result<(), DecodeError> {
        if u32::try_from(octets.len()).is_err() {
            return Err(DecodeError::new(0, Kind::MessageTooLong(octets.len())));
        }
        let removed = core::mem::take(&mut self.removed);
        let found = self.find(octets).and_then(|()| {
            if needs_body && self.span(Section::Value).is_absent() {
                return Err(DecodeError::new(octets.len(), Kind::MissingBody));
            }
            Ok(())
        });
        if found.is_err() {
            self.restore(before, removed);
        }
        found
    }

    #[cold]
    fn restore(&mut self, octets: &Bytes, removed: u8) {
        // They were found to be sound before.
        let _ = self.find(octets);
        for section in Section::ALL {
            if removed & section.bit() != 0 {
                self.remove(section);
            }
        }
    }

    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::indexing_slicing,
        reason = "of octets that are there, no more than 32 bits can count; there is a span for each place"
    )]
    fn find(&mut self, octets: &Bytes) -> Result<(), DecodeError> {
        self.spans = [Span::ABSENT; PLACES];
        // The last section, and the places that are left behind it.
        let (mut last, mut free) = (Section::Header, 0);
        let mut rest: &[u8] = octets;
        let mut start = 0;
        while !rest.is_empty() {
            let (section, head, behind) = match quick(rest) {
                Some((section, behind)) => (section, QUICK_HEAD, behind),
                None => thorough(octets, start)?,
            };
            let place = section.place();
            let span = &mut self.spans[place];
            let end = octets.len().wrapping_sub(behind.len()) as u32;
            if place < free {
                // One more of the last kind, if it is sound.
                let checked = section.check_follows(last, !span.is_absent());
                checked.map_err(|kind| DecodeError::new(start as usize, kind))?;
                span.end = end;
            } else {
                *span = Span {
                    section: Some(section),
                    start,
                    value: start.wrapping_add(head),
                    end,
                };
            }
            (last, free) = (section, place + 1);
            (start, rest) = (end, behind);
        }
        Ok(())
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "there is a span for each place")]
    pub(super) const fn span(&self, section: Section) -> &Span {
        &self.spans[section.place()]
    }

    /// The section is no more part of the message as it was received.
    #[expect(clippy::indexing_slicing, reason = "there is a span for each place")]
    pub(super) const fn remove(&mut self, section: Section) {
        self.spans[section.place()] = Span::ABSENT;
        self.removed |= section.bit();
    }

    /// How many octets the sections cover.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a section does not end before it begins"
    )]
    pub(super) fn covered(&self) -> usize {
        self.spans
            .iter()
            .map(|span| (span.end - span.start) as usize)
            .sum()
    }
}

/// Where the section at `at` ends; `None` if it is not whole, or no section.
pub(super) fn end_of_section(octets: &Bytes, at: usize) -> Option<usize> {
    let at = u32::try_from(at).ok()?;
    let (.., behind) = thorough(octets, at).ok()?;
    octets.len().checked_sub(behind.len())
}

/// Octets of a section before its value, in the form that nearly all have: a small numeric descriptor.
const QUICK_HEAD: u32 = 3;

/// The section that these octets begin with and what is behind it, if it has that form and a value with a size of its own.
#[inline(always)]
fn quick(octets: &[u8]) -> Option<(Section, &[u8])> {
    // As many as every section has but the one that is null, or another value of one octet.
    let [
        code::DESCRIBED,
        code::ULONG_SMALL,
        descriptor,
        constructor,
        size,
        rest @ ..,
    ] = octets
    else {
        return None;
    };
    let (section, short) = *QUICK.get(usize::from(descriptor.wrapping_sub(0x70)))?;
    let is_any = section as u8 == Section::Value as u8;
    let is_short = *constructor == short
        || is_any && matches!(*constructor, code::BINARY8 | code::MAP8 | code::LIST8);
    let behind = if is_short {
        rest.get(usize::from(*size)..)
    } else if *constructor == short | WIDE {
        let (size, rest) = octets.get(4..)?.split_first_chunk()?;
        rest.get(u32::from_be_bytes(*size) as usize..)
    } else {
        None
    };
    Some((section, behind?))
}

/// What tells the constructor of a value with a size of four octets from that of the same with one.
const WIDE: u8 = code::LIST8 ^ code::LIST32;

/// The sections by their descriptors, each with the constructor that its value has where it is short.
#[expect(clippy::indexing_slicing, reason = "evaluated when this is compiled")]
const QUICK: [(Section, u8); 9] = {
    let mut quick = [(Section::Value, code::STRING8); 9];
    let mut index = 0;
    while index < quick.len() {
        let section = Section::ALL[index];
        let constructor = match section {
            Section::Header | Section::Properties | Section::Sequence => code::LIST8,
            Section::Data => code::BINARY8,
            Section::Value => code::STRING8,
            _ => code::MAP8,
        };
        quick[index] = (section, constructor);
        index += 1;
    }
    quick
};

/// As [`quick`], of the section at `at`, for every form and with the fault where there is one; with how many octets it has
/// before its value.
#[inline(never)]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a descriptor ends behind its beginning, and within the message, whose octets are counted in 32 bits"
)]
fn thorough(octets: &Bytes, at: u32) -> Result<(Section, u32, &[u8]), DecodeError> {
    let mut r = Reader::new(octets);
    r.slice(at as usize)?;
    let section = Section::read(&mut r)?;
    let head = (r.position() - at as usize) as u32;
    section.check_type(&r)?;
    jump(&mut r)?;
    Ok((
        section,
        head,
        octets.get(r.position()..).unwrap_or_default(),
    ))
}
