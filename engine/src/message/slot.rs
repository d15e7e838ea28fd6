//! One optional section of a message: absent, as received, or the user's own.

use core::cell::OnceCell;

use alloc::vec::Vec;
use bytes::Bytes;

use crate::codec::{DecodeError, DecodeErrorKind as Kind, EncodeError, Reader};

use super::sections::{Layout, Section, Span};

/// What a section of a message holds, and how it is read and written.
pub(super) trait SectionValue: Sized + Default {
    /// Reads the section at `span`, where `r` stands at the value behind the first descriptor.
    fn read(r: &mut Reader<'_>, span: &Span) -> Result<Self, DecodeError>;

    /// Reads the section from its value alone if it is in a form for which there is a quicker way than [`read`](Self::read).
    #[inline]
    fn quick(_value: &[u8]) -> Option<Self> {
        None
    }

    /// Appends the section with its descriptor. What the body is made of decides its own descriptors.
    ///
    /// On an error anything may have been appended.
    fn write(&self, section: Section, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Makes the value a default one, keeping its room where it has any.
    fn recycle(&mut self) {
        *self = Self::default();
    }
}

/// A section that is decoded when it is first looked at.
///
/// While the message's layout has a span for the section, that span is the truth and `value` caches its decoded form.
/// Otherwise the section is there only if it is `own`; a `value` without being either is spare room.
#[derive(Clone, Default)]
pub(super) struct Slot<T> {
    own: bool,
    value: OnceCell<T>,
}

impl<T: SectionValue> Slot<T> {
    /// The section's value, decoded now if it never was.
    #[inline]
    pub(super) fn get(&self, octets: &Bytes, span: &Span) -> Result<Option<&T>, DecodeError> {
        if span.is_absent() {
            return Ok(self.own());
        }
        if self.value.get().is_none() {
            self.fill(octets, span)?;
        }
        Ok(self.value.get())
    }

    /// Decodes the section. The quick way ends by itself, so that the value is made where it stays: what is written in small
    /// pieces and then moved in large ones is waited for until all of it has arrived in memory.
    #[inline(never)]
    fn fill(&self, octets: &Bytes, span: &Span) -> Result<(), DecodeError> {
        // The cell is empty: nothing is in the way.
        if let Some(value) = quick(octets, span) {
            let _ = self.value.set(value);
            return Ok(());
        }
        let _ = self.value.set(decode(octets, span)?);
        Ok(())
    }

    /// The value if it can be had without decoding; `None` for an absent section too.
    #[inline]
    pub(super) fn peek(&self, span: &Span) -> Option<&T> {
        if span.is_absent() {
            self.own()
        } else {
            self.value.get()
        }
    }

    /// The section if it is not a received one.
    #[inline]
    pub(super) fn own(&self) -> Option<&T> {
        if self.own { self.value.get() } else { None }
    }

    /// The value to change, created if the section is absent. The section stops being a received one.
    ///
    /// On an error nothing has changed.
    pub(super) fn get_mut(
        &mut self,
        octets: &Bytes,
        layout: &mut Layout,
        section: Section,
    ) -> Result<&mut T, DecodeError> {
        let span = layout.span(section);
        if !span.is_absent() && self.value.get().is_none() {
            self.fill(octets, span)?;
        }
        layout.remove(section);
        Ok(self.claim())
    }

    /// As [`get_mut`](Self::get_mut), but a received section that cannot be decoded gives way to a default one.
    pub(super) fn force_mut(
        &mut self,
        octets: &Bytes,
        layout: &mut Layout,
        section: Section,
    ) -> &mut T {
        let span = layout.span(section);
        if !span.is_absent() && self.value.get().is_none() {
            let _ = self.fill(octets, span);
        }
        layout.remove(section);
        self.claim()
    }

    /// Replaces the section, or removes it. It is no received one.
    pub(super) fn set(&mut self, value: Option<T>) {
        match value {
            Some(value) => {
                self.own = true;
                self.value = OnceCell::from(value);
            }
            None => self.clear(),
        }
    }

    /// Makes the section absent; the room of its value stays for the next one.
    pub(super) fn clear(&mut self) {
        self.own = false;
        if let Some(value) = self.value.get_mut() {
            value.recycle();
        }
    }

    /// Empties the slot, for a received section to take its place. Most are empty: those are only looked at.
    #[inline(always)]
    pub(super) fn forget(&mut self) {
        // What is its own has a value.
        if self.value.get().is_some() {
            self.own = false;
            self.value = OnceCell::new();
        }
    }

    fn claim(&mut self) -> &mut T {
        self.own = true;
        if self.value.get().is_none() {
            self.value = OnceCell::from(T::default());
        }
        self.value.get_mut().expect("the cell was filled just now")
    }
}

#[inline(always)]
fn quick<T: SectionValue>(octets: &Bytes, span: &Span) -> Option<T> {
    octets
        .get(span.value as usize..span.end as usize)
        .and_then(T::quick)
}

/// In whichever form, and the faults.
fn decode<T: SectionValue>(octets: &Bytes, span: &Span) -> Result<T, DecodeError> {
    let mut reader = Reader::new(octets);
    reader.slice(span.value as usize)?;
    let value = T::read(&mut reader, span)?;
    if reader.position() != span.end as usize {
        // The sizes that the scan saw and those that the decoder saw are the same, so this is a second line of defence.
        return Err(reader.error(Kind::SizeMismatch));
    }
    Ok(value)
}
