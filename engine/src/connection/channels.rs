//! Channel numbers, ours and the peer's, which are independent of each other (2.4).

use alloc::vec::Vec;

use crate::ids::SessionId;

/// Which session uses which channel, in each direction.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    local: Vec<Option<SessionId>>,
    remote: Vec<Option<SessionId>>,
}

impl Channels {
    /// The lowest free number of ours up to `max`, which then is `session`'s.
    pub(crate) fn allocate(&mut self, session: SessionId, max: u16) -> Option<u16> {
        let free = self.local.iter().position(Option::is_none);
        let index = free.unwrap_or(self.local.len());
        let channel = u16::try_from(index)
            .ok()
            .filter(|channel| *channel <= max)?;
        set(&mut self.local, channel, Some(session));
        Some(channel)
    }

    pub(crate) fn release(&mut self, channel: u16) {
        set(&mut self.local, channel, None);
    }

    pub(crate) fn by_local(&self, channel: u16) -> Option<SessionId> {
        *self.local.get(usize::from(channel))?
    }

    #[inline]
    pub(crate) fn by_remote(&self, channel: u16) -> Option<SessionId> {
        *self.remote.get(usize::from(channel))?
    }

    pub(crate) fn map_remote(&mut self, channel: u16, session: Option<SessionId>) {
        set(&mut self.remote, channel, session);
    }
}

fn set(map: &mut Vec<Option<SessionId>>, channel: u16, session: Option<SessionId>) {
    let index = usize::from(channel);
    if map.len() <= index {
        map.resize(index + 1, None);
    }
    if let Some(slot) = map.get_mut(index) {
        *slot = session;
    }
}
