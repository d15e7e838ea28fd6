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
    const fn place(self) -> usize {
        const PLACES: [u8; 9] = [0, 1, 2, 3, 4, 5, 5, 5, 6];
        PLACES[self as usize - Self::Header as usize] as usize
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
    #[inline]
    pub(super) const fn is_absent(self) -> bool {
        self.section.is_none()
    }
}

/// Where each section of a received message lies. The sections of the body share one span.
#[derive(Clone, Default)]
pub(super) struct Layout {
    spans: [Span; 7],
}

impl Layout {
    /// Finds the sections of a message, checking their order (3.2), that each holds a value of its type, and that it
    /// ends within the message. What lies inside a compound is not looked at.
    pub(super) fn scan(octets: &Bytes) -> Result<Self, DecodeError> {
        if u32::try_from(octets.len()).is_err() {
            return Err(DecodeError::new(0, Kind::MessageTooLong(octets.len())));
        }
        let mut layout = Self::default();
        // The last section, and the places that are left behind it.
        let (mut last, mut free) = (Section::Header, 0);
        let mut at = 0;
        while at < octets.len() {
            let (section, value, end) = match quick(octets, at) {
                Some(found) => found,
                None => thorough(octets, at)?,
            };
            let place = section.place();
            let span = layout.span_mut(section);
            if place < free {
                let checked = section.check_follows(last, !span.is_absent());
                checked.map_err(|kind| DecodeError::new(at, kind))?;
            }
            (last, free) = (section, place + 1);
            // The conversions lose nothing: the length of the message fits 32 bits.
            if span.is_absent() {
                *span = Span {
                    section: Some(section),
                    start: at as u32,
                    value: value as u32,
                    end: end as u32,
                };
            } else {
                span.end = end as u32;
            }
            at = end;
        }
        Ok(layout)
    }

    #[inline]
    pub(super) const fn span(&self, section: Section) -> Span {
        self.spans[section.place()]
    }

    #[inline]
    pub(super) const fn span_mut(&mut self, section: Section) -> &mut Span {
        &mut self.spans[section.place()]
    }

    /// How many octets the sections cover.
    pub(super) fn covered(&self) -> usize {
        self.spans
            .iter()
            .map(|span| (span.end - span.start) as usize)
            .sum()
    }
}

/// Where the section at `at` ends; `None` if it is not whole, or no section.
pub(super) fn end_of_section(octets: &Bytes, at: usize) -> Option<usize> {
    thorough(octets, at).ok().map(|(.., end)| end)
}

/// The section at `at`, where its value begins and where it ends, if it is in the form that nearly all have: a small
/// numeric descriptor and a value with a size of one octet.
#[inline]
fn quick(octets: &[u8], at: usize) -> Option<(Section, usize, usize)> {
    let [
        code::DESCRIBED,
        code::ULONG_SMALL,
        descriptor,
        constructor,
        size,
    ] = octets.get(at..)?.first_chunk()?
    else {
        return None;
    };
    let (section, expected) = *QUICK.get(usize::from(descriptor.checked_sub(0x70)?))?;
    let fits = *constructor == expected
        || (section == Section::Value
            && matches!(*constructor, code::BINARY8 | code::MAP8 | code::LIST8));
    let end = at + 5 + usize::from(*size);
    (fits && end <= octets.len()).then_some((section, at + 3, end))
}

/// The sections by their descriptors, each with the constructor that its value has where it is short.
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

/// As [`quick`], for every form and with the fault where there is one.
fn thorough(octets: &Bytes, at: usize) -> Result<(Section, usize, usize), DecodeError> {
    let mut r = Reader::new(octets);
    r.slice(at)?;
    let section = Section::read(&mut r)?;
    let value = r.position();
    section.check_type(&r)?;
    jump(&mut r)?;
    Ok((section, value, r.position()))
}
