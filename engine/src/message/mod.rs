//! The message of AMQP 1.0 (3.2): all its sections, to be built, sent, received and changed.
//!
//! A [`Message`] that was received knows where its sections lie and decodes each when it is first looked at. A section
//! that is not changed is sent on with the octets it came with, which is what 3.2 asks of an intermediary.
//!
//! ```
//! use ferrion_engine::message::{Body, Message};
//! use ferrion_engine::codec::Value;
//!
//! let mut message = Message::with_body("Hello World!");
//! message.set_address("examples");
//! message.set_durable(true);
//! message.set_property("colour", "green");
//! let octets = message.to_bytes();
//!
//! let received = Message::decode(octets)?;
//! assert_eq!(received.address()?, Some("examples"));
//! assert!(received.durable()?);
//! assert_eq!(received.property("colour")?, Some(&Value::from("green")));
//! assert_eq!(received.body()?, &Body::from("Hello World!"));
//! # Ok::<(), ferrion_engine::codec::DecodeError>(())
//! ```

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::cast_lossless
    )
)]

mod access;
mod body;
mod peek;
pub(crate) mod position;
mod properties;
mod sections;
mod short;
mod slot;

use core::fmt;
use core::ops::Range;

use alloc::vec::Vec;
use bytes::Bytes;

use crate::codec::{Decode, DecodeError, Encode, EncodeError, Map, Reader, encode_map};

use body::NULL_BODY;
use peek::FieldIndex;
use sections::{Layout, Span};
use short::{ROOM, Written};
use slot::{SectionValue, Slot};

pub use body::Body;
pub use properties::{Header, MessageId, Properties};
pub use sections::Section;

/// A message with all its sections (3.2), mutable and reusable.
///
/// - **Build** one with [`new`](Self::new) or [`with_body`](Self::with_body) and the setters; a new message has the body null.
/// - **Receive** one with [`decode`](Self::decode), or [`load`](Self::load) into a message that is there already.
///   Only the order and the sizes of the sections are checked then; what is inside a section is decoded, once, by the first
///   call that asks for it, so every getter can answer [`DecodeError`]. [`check`](Self::check) looks at everything at once.
/// - **Send** it with [`encode`](Self::encode) or [`to_bytes`](Self::to_bytes). Sections are written in their order, the body
///   always among them. Sections of a received message that were not changed are copied as they came.
///
/// Setters do not fail: should the received section that they change be undecodable, a new one takes its place. Use the
/// `..._mut` accessors to be told.
///
/// A message may be sent to another thread but not shared between threads (it is `Send`, not `Sync`).
#[derive(Clone, Default)]
pub struct Message {
    /// The octets the message was decoded from.
    octets: Bytes,
    layout: Layout,
    header: Slot<Header>,
    delivery_annotations: Slot<Map>,
    message_annotations: Slot<Map>,
    properties: Slot<Properties>,
    /// Of the received properties, made when one of them is first asked for.
    property_index: FieldIndex,
    application_properties: Slot<Map>,
    body: Slot<Body>,
    footer: Slot<Map>,
}

impl Message {
    /// A message with the body null and nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// A message with this body.
    ///
    /// Text becomes a value, octets become a data section; see [`Body`] for what else there is.
    pub fn with_body(body: impl Into<Body>) -> Self {
        let mut message = Self::default();
        message.set_body(body);
        message
    }

    /// A received message. Keeps the octets and decodes none of them.
    ///
    /// # Errors
    /// The octets are not sections of a message, one is cut short, stands in the wrong place or twice, or the body, which
    /// 3.2 makes mandatory, is missing. [`decode_lenient`](Self::decode_lenient) accepts that last fault.
    pub fn decode(octets: impl Into<Bytes>) -> Result<Self, DecodeError> {
        let mut message = Self::default();
        message.load(octets)?;
        Ok(message)
    }

    /// As [`decode`](Self::decode), but a message without a body is taken as one with the body null.
    ///
    /// Some peers leave out the body of a message that has no content; this is for those who want to hear them.
    ///
    /// # Errors
    /// As [`decode`](Self::decode) apart from the missing body.
    pub fn decode_lenient(octets: impl Into<Bytes>) -> Result<Self, DecodeError> {
        let mut message = Self::default();
        message.load_lenient(octets)?;
        Ok(message)
    }

    /// [`decode`](Self::decode) into a message that is there already, replacing all of it.
    ///
    /// # Errors
    /// As [`decode`](Self::decode). The message is as it was then.
    pub fn load(&mut self, octets: impl Into<Bytes>) -> Result<(), DecodeError> {
        self.take_over(octets.into(), true)
    }

    /// [`decode_lenient`](Self::decode_lenient) into a message that is there already, replacing all of it.
    ///
    /// # Errors
    /// As [`decode_lenient`](Self::decode_lenient). The message is as it was then.
    pub fn load_lenient(&mut self, octets: impl Into<Bytes>) -> Result<(), DecodeError> {
        self.take_over(octets.into(), false)
    }

    /// Decodes every section, so that what is wrong anywhere is known, and later getters answer `Ok`.
    ///
    /// # Errors
    /// The first fault. Its [`at`](crate::codec::Fault::at) counts from the start of the message.
    pub fn check(&self) -> Result<(), DecodeError> {
        self.header()?;
        self.delivery_annotations()?;
        self.message_annotations()?;
        self.properties()?;
        self.application_properties()?;
        self.body()?;
        self.footer()?;
        Ok(())
    }

    /// Makes this an empty message with the body null, keeping the room of its maps and lists for the next use.
    pub fn clear(&mut self) {
        self.octets = Bytes::new();
        self.layout = Layout::default();
        self.header.clear();
        self.delivery_annotations.clear();
        self.message_annotations.clear();
        self.properties.clear();
        self.application_properties.clear();
        self.body.clear();
        self.footer.clear();
    }

    /// Appends the encoded message: its sections in their order, always with a body.
    ///
    /// A section that AMQP cannot express (nested deeper than [`MAX_DEPTH`](crate::codec::MAX_DEPTH) or longer than 4 GiB) is
    /// left out, and such a body becomes null; [`try_encode`](Self::try_encode) tells instead.
    pub fn encode(&self, out: &mut Vec<u8>) {
        // With `lenient` there is no error.
        let _ = self.write(out, true);
    }

    /// As [`encode`](Self::encode), for messages whose values come from elsewhere.
    ///
    /// # Errors
    /// A section cannot be expressed; nothing is appended.
    pub fn try_encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let start = out.len();
        let done = self.write(out, false);
        if done.is_err() {
            out.truncate(start);
        }
        done
    }

    /// The encoded message, as by [`encode`](Self::encode). A received message that was not changed gives its octets
    /// without a copy.
    pub fn to_bytes(&self) -> Bytes {
        if let Some(octets) = self.untouched() {
            return octets.clone();
        }
        let mut room = [0; ROOM];
        let (written, short) = self.write_short(&mut room);
        let short = room.get(..short).unwrap_or_default();
        let no_footer =
            self.layout.span(Section::Footer).is_absent() && self.footer.own().is_none();
        if matches!(written, Written::Body) && no_footer {
            // What is kept is no larger than it has to be.
            return Bytes::copy_from_slice(short);
        }
        let body = self.body.own().map_or(0, Body::size_hint);
        let room = self.octets.len().saturating_add(body).saturating_add(256);
        let mut out = Vec::with_capacity(room);
        out.extend_from_slice(short);
        // With `lenient` there is no error.
        let _ = self.write_behind(&written, &mut out, true);
        Bytes::from(out)
    }

    /// The octets that this message was made from, if [`to_bytes`](Self::to_bytes) would give them again: nothing was changed
    /// since.
    #[must_use]
    pub fn untouched(&self) -> Option<&Bytes> {
        // What was not received has no octets, and is asked that first. A received section that was removed or changed leaves a
        // gap in what the spans cover.
        let same = !self.octets.is_empty()
            && self.layout.covered() == self.octets.len()
            && !self.layout.span(BODY).is_absent()
            && self.header.own().is_none()
            && self.delivery_annotations.own().is_none()
            && self.message_annotations.own().is_none()
            && self.properties.own().is_none()
            && self.application_properties.own().is_none()
            && self.footer.own().is_none();
        same.then_some(&self.octets)
    }

    fn write(&self, out: &mut Vec<u8>, lenient: bool) -> Result<(), EncodeError> {
        let written = self.append_short(out);
        self.write_behind(&written, out, lenient)
    }

    /// Appends what comes behind that which is `written` already.
    fn write_behind(
        &self,
        written: &Written,
        out: &mut Vec<u8>,
        lenient: bool,
    ) -> Result<(), EncodeError> {
        let mut to = Output {
            out,
            octets: &self.octets,
            copy: 0..0,
            lenient,
        };
        if matches!(written, Written::Nothing) {
            self.write_head(&mut to)?;
        }
        if !matches!(written, Written::Body) && !self.put(&self.body, BODY, &mut to)? {
            to.own(&NULL_BODY, BODY)?;
        }
        self.put(&self.footer, Section::Footer, &mut to)?;
        to.flush();
        Ok(())
    }

    /// Writes the sections before the body.
    fn write_head(&self, to: &mut Output<'_>) -> Result<(), EncodeError> {
        self.put(&self.header, Section::Header, to)?;
        self.put(&self.delivery_annotations, Section::DeliveryAnnotations, to)?;
        self.put(&self.message_annotations, Section::MessageAnnotations, to)?;
        self.put(&self.properties, Section::Properties, to)?;
        self.put(
            &self.application_properties,
            Section::ApplicationProperties,
            to,
        )?;
        Ok(())
    }

    /// Writes a section if it is there, and answers whether that was done. Most sections are not.
    #[inline(always)]
    fn put<T: SectionValue>(
        &self,
        slot: &Slot<T>,
        section: Section,
        to: &mut Output<'_>,
    ) -> Result<bool, EncodeError> {
        let span = self.layout.span(section);
        if !span.is_absent() {
            to.received(span);
            return Ok(true);
        }
        match slot.own() {
            Some(value) => to.own(value, section),
            None => Ok(false),
        }
    }

    fn take_over(&mut self, octets: Bytes, needs_body: bool) -> Result<(), DecodeError> {
        self.layout.scan(&octets, needs_body, &self.octets)?;
        self.octets = octets;
        self.header.forget();
        self.delivery_annotations.forget();
        self.message_annotations.forget();
        self.properties.forget();
        self.property_index.clear();
        self.application_properties.forget();
        self.body.forget();
        self.footer.forget();
        Ok(())
    }
}

/// The three kinds of body section have one place in the layout; this one stands for all of them.
const BODY: Section = Section::Value;

/// Where a message is written to. Adjacent received sections are copied in one go.
struct Output<'a> {
    out: &'a mut Vec<u8>,
    octets: &'a [u8],
    /// What is still to be copied.
    copy: Range<usize>,
    lenient: bool,
}

impl Output<'_> {
    fn received(&mut self, span: &Span) {
        let (start, end) = (span.start as usize, span.end as usize);
        if start != self.copy.end {
            self.flush();
            self.copy.start = start;
        }
        self.copy.end = end;
    }

    fn own<T: SectionValue>(&mut self, value: &T, section: Section) -> Result<bool, EncodeError> {
        self.flush();
        let start = self.out.len();
        match value.write(section, self.out) {
            Ok(()) => Ok(true),
            Err(_) if self.lenient => {
                self.out.truncate(start);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    #[inline]
    fn flush(&mut self) {
        if self.copy.is_empty() {
            return;
        }
        if let Some(octets) = self.octets.get(self.copy.clone()) {
            self.out.extend_from_slice(octets);
        }
        self.copy.start = self.copy.end;
    }
}

impl SectionValue for Header {
    fn read(r: &mut Reader<'_>, _: &Span) -> Result<Self, DecodeError> {
        Self::decode_body(r)
    }

    #[inline(always)]
    fn quick(value: &[u8]) -> Option<Self> {
        Self::quick(value)
    }

    fn write(&self, _: Section, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Encode::encode(self, out);
        Ok(())
    }
}

impl SectionValue for Properties {
    fn read(r: &mut Reader<'_>, _: &Span) -> Result<Self, DecodeError> {
        Self::decode_body(r)
    }

    fn write(&self, _: Section, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Encode::encode(self, out);
        Ok(())
    }
}

impl SectionValue for Map {
    fn read(r: &mut Reader<'_>, _: &Span) -> Result<Self, DecodeError> {
        Self::decode(r)
    }

    fn write(&self, section: Section, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(&section.prefix());
        encode_map(self, out)
    }

    fn recycle(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for Message {
    /// Shows all sections; one that cannot be decoded shows its error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Message");
        macro_rules! show {
            ($($section:ident)*) => {$(
                match self.$section() {
                    Ok(Some(value)) => { shown.field(stringify!($section), value); }
                    Ok(None) => {}
                    Err(error) => { shown.field(stringify!($section), &format_args!("<{error}>")); }
                }
            )*};
        }
        show!(header delivery_annotations message_annotations properties application_properties);
        match self.body() {
            Ok(body) => shown.field("body", body),
            Err(error) => shown.field("body", &format_args!("<{error}>")),
        };
        show!(footer);
        shown.finish()
    }
}
