//! The maps of unsettled deliveries in the attaches of both sides (2.7.3), and what comes of comparing them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::codec::{Fields, Raw, Value};
use crate::endpoints::Endpoints;
use crate::ids::{DeliveryId, LinkId};
use crate::link::{Half, Link};
use crate::message::position::end_point;
use crate::protocol::{Attach, Condition, DeliveryState, Role, Tag, conditions};
use crate::recovery::Recovery;

/// What the peer remembers of the deliveries that this side does too: tags, with their states.
pub(super) type Remembered = BTreeMap<Tag, Option<DeliveryState>>;

/// The octets that the headers of map and attach take more when they are long, and the flag that something is missing.
const LONG_OVERHEAD: usize = 6 + 6 + 1;

impl Endpoints {
    /// Adds the map of unsettled deliveries to our attach, if the link resumes: all of it if the peer takes so large a
    /// frame, else as much as fits.
    pub(crate) fn tell_unsettled(&self, id: LinkId, attach: &mut Attach) {
        let Some(resuming) = self.links.get(id).and_then(|link| link.resuming.as_ref()) else {
            return;
        };
        if let Some((map, whole)) = &resuming.map {
            attach.unsettled = Some(map.clone());
            attach.incomplete_unsettled = !whole;
            return;
        }
        attach.unsettled = Some(Fields::default());
        let limit = self
            .connection
            .remote_open
            .as_ref()
            // Until the peer's open is known this waits, should it turn out too large.
            .map_or(usize::MAX, |open| open.max_frame_size as usize);
        let frame = 8 + Raw::new(attach).as_bytes().len() + LONG_OVERHEAD;
        let mut room = limit.saturating_sub(frame);
        let mut entries = Vec::new();
        for (tag, state) in self.entries(id) {
            let state = Raw::new(&state);
            let size = 2 + tag.len() + state.as_bytes().len();
            match room.checked_sub(size) {
                Some(left) => room = left,
                None => {
                    attach.incomplete_unsettled = true;
                    break;
                }
            }
            entries.push((tag, state));
        }
        attach.unsettled = Some(Fields::from_entries(entries));
    }

    /// What this side tells of the deliveries that it remembers from before.
    fn entries(&self, id: LinkId) -> impl Iterator<Item = (Tag, Option<DeliveryState>)> {
        let link = self.links.get(id);
        let deliveries = link.map(|link| (link, link.deliveries.iter()));
        deliveries.into_iter().flat_map(move |(link, deliveries)| {
            deliveries.filter_map(|id| {
                let known = self.known(id)?;
                // What has a number was transferred since.
                if known.remote_settled || known.number().is_some() {
                    return None;
                }
                Some((known.tag(), self.state_to_tell(link, id)?))
            })
        })
    }

    fn state_to_tell(&self, link: &Link, id: DeliveryId) -> Option<Option<DeliveryState>> {
        if let Some(id) = id.outgoing() {
            return Some(self.outgoing.get(id)?.known.local_state().cloned());
        }
        let incoming = self.incoming.get(id.incoming()?)?;
        let Half::Receiver(half) = &link.half else {
            return None;
        };
        let awaited = half.awaited(&incoming.known.tag(), id)?;
        Some(match &awaited.payload {
            // How far it came can only be told of what is still here.
            Some(payload) if incoming.read() == 0 => {
                let point = end_point(&payload.clone().into_bytes(), incoming.known.format);
                Some(DeliveryState::Received(point.into()))
            }
            Some(_) => None,
            None => incoming.known.local_state().cloned(),
        })
    }

    /// Both sides have told what they remember: does about each delivery what follows from it (2.6.13).
    pub(crate) fn reconcile(&mut self, id: LinkId) {
        let Some(link) = self.links.get(id) else {
            return;
        };
        let waits = link.resuming.as_ref().is_some_and(|it| it.is_waiting());
        if !waits || !link.is_attached() || link.terms.is_refused {
            return;
        }
        let Some(theirs) = link.remote() else {
            return;
        };
        let remembered = read(&theirs, &self.tags_of(id)).map_err(|text| {
            let condition = conditions::INVALID_FIELD;
            Condition::with_description(condition, text)
        });
        let (peer_remembers, theirs_whole) =
            (theirs.unsettled.is_some(), !theirs.incomplete_unsettled);
        // What we tell is settled now, if it was not written before.
        let Some((_, ours)) = self.make_resuming_attach(id) else {
            return;
        };
        let map = (
            ours.unsettled.unwrap_or_default(),
            !ours.incomplete_unsettled,
        );
        let mut report = Recovery {
            peer_remembers,
            complete: map.1 && theirs_whole,
            ..Recovery::default()
        };
        self.set_resuming(id, Some(map), report);
        let done = remembered.and_then(|remembered| match ours.role {
            Role::Sender => self.resume_sending(id, remembered, &mut report),
            Role::Receiver => {
                self.await_sender(id, &remembered, &mut report);
                Ok(())
            }
        });
        self.set_resuming(id, None, report);
        if let Err(condition) = done {
            self.fail_link(id, condition);
        }
        self.go_on_closing(id);
    }

    /// The tags of the deliveries that a link has.
    fn tags_of(&self, id: LinkId) -> BTreeSet<Tag> {
        let deliveries = self.links.get(id).map(|link| link.deliveries.iter());
        let known = deliveries.into_iter().flatten();
        known.filter_map(|id| Some(self.known(id)?.tag())).collect()
    }

    fn set_resuming(&mut self, id: LinkId, map: Option<(Fields, bool)>, report: Recovery) {
        if let Some(link) = self.links.get_mut(id)
            && let Some(resuming) = &mut link.resuming
        {
            resuming.report = Some(report);
            if map.is_some() {
                resuming.map = map;
            }
        }
    }
}

/// The peer's map, as far as it is of `known` deliveries: it may be one of very many that never were. The error says what is
/// wrong with it.
fn read(attach: &Attach, known: &BTreeSet<Tag>) -> Result<Remembered, &'static str> {
    let mut remembered = Remembered::new();
    for (key, state) in attach.unsettled.iter().flat_map(Fields::entries) {
        let Value::Binary(tag) = key else {
            return Err("a key of unsettled is not a binary");
        };
        let tag = Tag::new(&tag).map_err(|_| "a key of unsettled is longer than a delivery-tag")?;
        let state = state
            .decode_to()
            .map_err(|_| "a value of unsettled is no delivery-state")?;
        if known.contains(&tag) {
            remembered.insert(tag, state);
        }
    }
    Ok(remembered)
}
