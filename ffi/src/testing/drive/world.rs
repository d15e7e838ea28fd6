//! What the calls have in common: the octets that decide, the objects, the handles, and the memory of the call under way.

use core::alloc::Layout;
use std::alloc::{alloc, dealloc, handle_alloc_error};

use super::Entry;
use super::arguments::Objects;
use crate::types::ferrion_bytes_t;

/// The octets that decide. What is beyond their end is 0.
pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn octet(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    /// So many octets, or what is left.
    pub(super) fn take(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(n.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(super) fn number(&mut self) -> u64 {
        self.take(8)
            .iter()
            .fold(0, |number, octet| number << 8 | u64::from(*octet))
    }
}

/// Handles that were seen, of every kind and of every engine; most of them stale before long.
#[derive(Default)]
pub(super) struct Handles {
    kinds: [Vec<u64>; Kind::Request as usize + 1],
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Session,
    Link,
    Delivery,
    Tracker,
    Subscription,
    Request,
}

impl Handles {
    /// Remembers a handle, and forgets another one if there are many.
    pub(super) fn add(&mut self, kind: Kind, handle: u64) {
        let known = &mut self.kinds[kind as usize];
        if handle == 0 || known.contains(&handle) {
            return;
        }
        if known.len() == 32 {
            known.remove(0);
        }
        known.push(handle);
    }

    /// The last ones come first.
    fn nth(&self, kind: usize, nth: u8) -> u64 {
        let known = &self.kinds[kind % self.kinds.len()];
        match known.len() {
            0 => 0,
            n => known[n - 1 - usize::from(nth) % n],
        }
    }
}

/// Room for results, exactly as much as the header asks for.
struct Room {
    at: *mut u8,
    layout: Layout,
}

/// What room for results is filled with before a call.
const UNTOUCHED: u8 = 0xaa;

pub(super) struct World<'a> {
    pub(super) input: Input<'a>,
    pub(super) objects: Objects,
    pub(super) handles: Handles,
    /// Memory that is lent to the call under way, and room for its results.
    lent: Vec<Box<[u8]>>,
    rooms: Vec<Room>,
    /// How many octets the last parameter said there were, for the next one.
    pub(super) len: Option<usize>,
    /// Numbers shall be small: there is room for so many results only, or work is done so often.
    pub(super) small: bool,
    /// Texts can become addresses that are connected to.
    pub(super) of_messenger: bool,
    /// How many pointers it is to the one that is NULL.
    until_null: u8,
    /// What lent memory is copied to, so that it is read.
    copy: Vec<u8>,
    /// Where the messengers listen.
    pub(super) here: String,
}

/// The most results of a kind that there is room for.
pub(super) const CAPACITY: usize = 16;

impl<'a> World<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Self {
        Self {
            input: Input(octets),
            objects: Objects::new(),
            handles: Handles::default(),
            lent: Vec::new(),
            rooms: Vec::new(),
            len: None,
            small: false,
            of_messenger: false,
            until_null: 0,
            copy: Vec::new(),
            here: String::from("127.0.0.1:1/box"),
        }
    }

    /// Makes one call of the table.
    pub(super) fn call(&mut self, (name, small, call): &Entry) {
        self.small = *small;
        self.of_messenger = name.starts_with("ferrion_messenger_");
        // 0 is none.
        self.until_null = self.input.octet();
        if self.of_messenger || *name == "ferrion_messages_add" {
            super::scenes::address_messages(self);
        }
        call(self);
        if self.of_messenger {
            super::scenes::never_wait(self);
        }
    }

    /// Whether the pointer that is asked for is the one that shall be NULL.
    pub(super) fn is_null(&mut self) -> bool {
        let null = self.until_null == 1;
        self.until_null = self.until_null.saturating_sub(1);
        null
    }

    /// Keeps octets at an address of their own until the call is over.
    pub(super) fn lend(&mut self, octets: Vec<u8>) -> *const u8 {
        let octets = octets.into_boxed_slice();
        let at = octets.as_ptr();
        self.lent.push(octets);
        at
    }

    /// Room for a result, or for as many as are asked for at most.
    pub(super) fn room<T>(&mut self) -> *mut T {
        let n = if self.small { CAPACITY } else { 1 };
        let Ok(layout) = Layout::array::<T>(n) else {
            return core::ptr::null_mut();
        };
        // SAFETY: no result has the size 0.
        let at = unsafe { alloc(layout) };
        if at.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: it is as long.
        unsafe { at.write_bytes(UNTOUCHED, layout.size()) };
        self.rooms.push(Room { at, layout });
        at.cast()
    }

    /// After the call: one that fails writes no results.
    pub(super) fn judge(&self, succeeded: bool) {
        for room in &self.rooms {
            // SAFETY: it was allocated with this size and written over all of it.
            let octets = unsafe { core::slice::from_raw_parts(room.at, room.layout.size()) };
            let untouched = octets.iter().all(|octet| *octet == UNTOUCHED);
            assert!(succeeded || untouched, "a call that fails wrote a result");
            // The first of them; a pointer or a number of 64 bits is never all of these.
            let first = octets.get(..8).unwrap_or_default();
            let written = first.iter().any(|octet| *octet != UNTOUCHED);
            assert!(
                !succeeded || first.is_empty() || written,
                "a call that succeeds wrote no result"
            );
        }
    }

    /// Gives the memory of the call back.
    pub(super) fn clean_up(&mut self) {
        for room in self.rooms.drain(..) {
            // SAFETY: allocated with this layout.
            unsafe { dealloc(room.at, room.layout) };
        }
        self.lent.clear();
        self.len = None;
    }

    /// Reads what the library lends.
    pub(super) fn read(&mut self, lent: ferrion_bytes_t) {
        self.copy.clear();
        if lent.len == 0 {
            return;
        }
        self.copy.reserve(lent.len);
        // SAFETY: the header says that it can be read until the next call; there is room for it. The C library's function
        // copies it, which sanitizers watch.
        unsafe {
            core::ptr::copy_nonoverlapping(lent.data, self.copy.as_mut_ptr(), lent.len);
            self.copy.set_len(lent.len);
        }
    }

    pub(super) fn handle(&mut self, kind: Kind) -> u64 {
        match self.input.octet() {
            nth @ ..224 => self.handles.nth(kind as usize, nth),
            other @ 224..250 => {
                let nth = self.input.octet();
                self.handles.nth(usize::from(other), nth)
            }
            _ => self.input.number(),
        }
    }
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        self.clean_up();
    }
}
