//! What is remembered of a delivery, whichever its direction: what all have in less than a line of the cache, and apart from it
//! what few have.

use alloc::boxed::Box;

use crate::delivery::OutgoingMore;
use crate::delivery::told::{Charge, Counted};
use crate::ids::LinkId;
use crate::protocol::{DeliveryState, Tag};
use crate::seq::Seq;

/// Octets of a tag that is not long: numbers, and UUIDs.
const SHORT_TAG: usize = 16;

/// What is remembered of an unsettled delivery.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) link: LinkId,
    /// The tag; a longer one lies apart.
    tag: [u8; SHORT_TAG],
    rare: Rare,
    number: Seq,
    pub(crate) format: u32,
    tag_length: u8,
    is_numbered: bool,
    remote_state: Word,
    local_state: Word,
    pub(crate) remote_settled: bool,
    /// Whether it stands in its link's list of updates.
    pub(crate) update_queued: bool,
}

const _: () = assert!(size_of::<Known>() <= 48, "each delivery has one");

/// A state of a delivery. Nearly all are a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Word {
    #[default]
    Nothing,
    Accepted,
    Released,
    /// It lies apart.
    More,
}

/// What few deliveries have. What asks whether there is any where a delivery ends is nothing but a comparison, as the drop of it
/// is a call that is rare.
#[derive(Debug, Default)]
struct Rare(Option<Box<More>>);

#[derive(Debug, Default)]
struct More {
    tag: Tag,
    remote_state: Option<Counted>,
    local_state: Option<DeliveryState>,
    /// By itself, so that a tag that is long costs no more than what a delivery is charged.
    outgoing: Option<Box<OutgoingMore>>,
    read: u64,
}

impl Rare {
    #[cold]
    fn make(&mut self) -> &mut More {
        self.0.get_or_insert_default()
    }

    fn get(&self) -> Option<&More> {
        self.0.as_deref()
    }
}

impl Drop for Rare {
    #[inline]
    fn drop(&mut self) {
        if let Some(more) = self.0.take() {
            drop_more(more);
        }
    }
}

#[cold]
#[inline(never)]
fn drop_more(more: Box<More>) {
    drop(more);
}

impl Word {
    const fn of(state: Option<&DeliveryState>) -> Self {
        match state {
            None => Self::Nothing,
            Some(DeliveryState::Accepted) => Self::Accepted,
            Some(DeliveryState::Released) => Self::Released,
            Some(_) => Self::More,
        }
    }

    fn state<'a>(
        self,
        more: impl FnOnce() -> Option<&'a DeliveryState>,
    ) -> Option<&'a DeliveryState> {
        match self {
            Self::Nothing => None,
            Self::Accepted => Some(const { &DeliveryState::Accepted }),
            Self::Released => Some(const { &DeliveryState::Released }),
            Self::More => more(),
        }
    }
}

impl Known {
    /// A delivery without a tag. With a number if its first transfer was written or read.
    #[inline(always)]
    pub(crate) const fn new(link: LinkId, number: Option<Seq>, format: u32) -> Self {
        let (number, is_numbered) = match number {
            Some(number) => (number, true),
            None => (Seq(0), false),
        };
        Self {
            link,
            tag: [0; SHORT_TAG],
            rare: Rare(None),
            number,
            format,
            tag_length: 0,
            is_numbered,
            remote_state: Word::Nothing,
            local_state: Word::Nothing,
            remote_settled: false,
            update_queued: false,
        }
    }

    pub(crate) fn with_tag(mut self, tag: &Tag) -> Self {
        self.set_tag(tag);
        self
    }

    /// Has these octets as its tag, which are no more than one can have.
    #[inline(always)]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a tag has 32 octets at most"
    )]
    pub(crate) fn set_tag(&mut self, octets: &[u8]) {
        // Nearly all tags are numbers of 32 or 64 bits: those are copied in one move, not by a call.
        if let (Ok(word), Some(place)) = (<[u8; 8]>::try_from(octets), self.tag.first_chunk_mut()) {
            *place = word;
        } else if let (Ok(word), Some(place)) =
            (<[u8; 4]>::try_from(octets), self.tag.first_chunk_mut())
        {
            *place = word;
        } else if let Some(place) = self.tag.get_mut(..octets.len()) {
            place.copy_from_slice(octets);
        } else {
            self.rare.make().tag = Tag::new(octets).unwrap_or_default();
        }
        self.tag_length = octets.len() as u8;
    }

    #[inline(always)]
    pub(crate) fn tag(&self) -> Tag {
        let length = usize::from(self.tag_length);
        if length <= SHORT_TAG {
            Tag::at_front(&self.tag, length)
        } else {
            self.long_tag()
        }
    }

    #[cold]
    fn long_tag(&self) -> Tag {
        self.rare.get().map(|more| more.tag).unwrap_or_default()
    }

    /// The delivery-id, once the first transfer was written or read.
    #[inline]
    pub(crate) fn number(&self) -> Option<Seq> {
        self.is_numbered.then_some(self.number)
    }

    #[inline]
    pub(crate) const fn set_number(&mut self, number: Seq) {
        self.number = number;
        self.is_numbered = true;
    }

    // ---- states ----

    /// What the peer told.
    pub(crate) fn remote_state(&self) -> Option<&DeliveryState> {
        self.remote_state.state(|| {
            let counted = self.rare.get()?.remote_state.as_ref();
            counted.map(|counted| &counted.state)
        })
    }

    /// What the peer told, which this does not remember any more.
    #[inline]
    pub(crate) fn take_remote_state(&mut self) -> Option<DeliveryState> {
        match core::mem::take(&mut self.remote_state) {
            Word::Nothing => None,
            Word::Accepted => Some(DeliveryState::Accepted),
            Word::Released => Some(DeliveryState::Released),
            Word::More => self.take_rare_state(),
        }
    }

    #[cold]
    fn take_rare_state(&mut self) -> Option<DeliveryState> {
        let counted = self.rare.make().remote_state.take();
        counted.map(Counted::into_state)
    }

    /// The peer told this, with octets of its own. What does not count is small, or the caller's own.
    pub(crate) fn set_remote_state(&mut self, state: DeliveryState, charge: Option<&Charge>) {
        let word = Word::of(Some(&state));
        let new = (word == Word::More).then(|| Counted::new(state, charge));
        if new.is_some() || self.remote_state == Word::More {
            self.rare.make().remote_state = new;
        }
        self.remote_state = word;
    }

    /// Octets that count no more once another state takes the place of what the peer told.
    pub(super) fn counted(&self) -> u64 {
        let counted = self.rare.get().and_then(|more| more.remote_state.as_ref());
        counted.map_or(0, Counted::octets)
    }

    /// Whether it was settled without a word on what became of it.
    #[inline]
    pub(super) fn is_undecided(&self) -> bool {
        self.remote_settled
            && match self.remote_state {
                Word::Accepted | Word::Released => false,
                _ => matches!(self.remote_state(), None | Some(DeliveryState::Received(_))),
            }
    }

    /// The peer told a state of it, which costs this much if it is large. Answers whether that is to be queued as an update.
    // Inlined: it comes once for every delivery, and hardly ever does more than set a byte.
    #[inline(always)]
    pub(super) fn hear(
        &mut self,
        state: Option<&DeliveryState>,
        charge: Option<&Charge>,
        settled: bool,
    ) -> bool {
        match (self.remote_state, state) {
            // As nearly always: there is nothing to be dropped.
            (Word::Nothing, Some(DeliveryState::Accepted)) => self.remote_state = Word::Accepted,
            (_, Some(state)) => self.set_remote_state(state.clone(), charge),
            (_, None) => {}
        }
        self.remote_settled |= settled;
        !core::mem::replace(&mut self.update_queued, true)
    }

    /// The state that the caller is to be told; of a delivery that `is_over` for the last time.
    #[inline(always)]
    pub(super) fn take_update(&mut self, is_over: bool) -> Option<DeliveryState> {
        self.update_queued = false;
        if is_over {
            self.take_remote_state()
        } else {
            self.remote_state().cloned()
        }
    }

    /// Its state at this side. Of a received one what the caller told of it; of a sent one as
    /// [`state_to_keep`](super::state_to_keep) says.
    pub(crate) fn local_state(&self) -> Option<&DeliveryState> {
        self.local_state
            .state(|| self.rare.get()?.local_state.as_ref())
    }

    pub(crate) fn set_local_state(&mut self, state: Option<DeliveryState>) {
        let word = Word::of(state.as_ref());
        if word == Word::More || self.local_state == Word::More {
            self.rare.make().local_state = state;
        }
        self.local_state = word;
    }

    // ---- one direction ----

    /// The caller is still writing it.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.outgoing().is_some_and(|more| more.is_open)
    }

    pub(super) fn outgoing(&self) -> Option<&OutgoingMore> {
        self.rare.get()?.outgoing.as_deref()
    }

    pub(super) fn outgoing_mut(&mut self) -> &mut OutgoingMore {
        self.rare.make().outgoing.get_or_insert_default()
    }

    /// Octets that the caller took of a received one before it was complete.
    pub(super) fn read(&self) -> u64 {
        self.rare.get().map_or(0, |more| more.read)
    }

    pub(super) fn set_read(&mut self, octets: u64) {
        if octets != self.read() {
            self.rare.make().read = octets;
        }
    }
}
