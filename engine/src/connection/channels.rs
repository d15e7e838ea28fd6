//! Channel numbers, ours and the peer's, which are independent of each other (2.4).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::ids::SessionId;

/// Which session uses which channel, in each direction.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    local: Vec<Option<SessionId>>,
    /// Numbers of ours that were used and are free again.
    free: BTreeSet<u16>,
    remote: Vec<Option<SessionId>>,
    /// How many of the peer's have a session.
    begun: usize,
}

impl Channels {
    /// The lowest free number of ours up to `max`, which then is `session`'s.
    pub(crate) fn allocate(&mut self, session: SessionId, max: u16) -> Option<u16> {
        let channel = match self.free.first() {
            Some(channel) => *channel,
            None => u16::try_from(self.local.len()).ok()?,
        };
        if channel > max {
            return None;
        }
        self.free.remove(&channel);
        set(&mut self.local, channel, Some(session));
        Some(channel)
    }

    pub(crate) fn release(&mut self, channel: u16) {
        set(&mut self.local, channel, None);
        self.free.insert(channel);
    }

    pub(crate) fn by_local(&self, channel: u16) -> Option<SessionId> {
        *self.local.get(usize::from(channel))?
    }

    #[inline]
    pub(crate) fn by_remote(&self, channel: u16) -> Option<SessionId> {
        *self.remote.get(usize::from(channel))?
    }

    pub(crate) fn map_remote(&mut self, channel: u16, session: Option<SessionId>) {
        self.begun += usize::from(session.is_some());
        let before = set(&mut self.remote, channel, session);
        self.begun -= usize::from(before.is_some());
    }

    /// Sessions that the peer has begun, or answered, and not ended.
    pub(crate) const fn begun(&self) -> usize {
        self.begun
    }
}

/// Answers which session used the channel before.
fn set(
    map: &mut Vec<Option<SessionId>>,
    channel: u16,
    session: Option<SessionId>,
) -> Option<SessionId> {
    let index = usize::from(channel);
    if map.len() <= index {
        map.resize(index + 1, None);
    }
    let slot = map.get_mut(index)?;
    core::mem::replace(slot, session)
}

#[cfg(test)]
mod tests {
    use super::Channels;
    use crate::arena::Arena;
    use crate::ids::SessionId;

    #[test]
    fn the_lowest_free_channel_is_used_and_none_beyond_the_limit() {
        let session = Arena::<SessionId, ()>::new().insert(());
        let mut channels = Channels::default();
        let take = |channels: &mut Channels| channels.allocate(session, 2);
        assert_eq!([0; 3].map(|_| take(&mut channels)), [0, 1, 2].map(Some));
        assert_eq!(take(&mut channels), None);
        channels.release(2);
        channels.release(0);
        assert_eq!(
            [0; 3].map(|_| take(&mut channels)),
            [Some(0), Some(2), None]
        );
        channels.release(2);
        assert_eq!(channels.allocate(session, 1), None, "the limit went down");
        assert_eq!(channels.allocate(session, 2), Some(2));
    }

    #[test]
    fn those_that_the_peer_uses_are_counted_however_often_it_says_so() {
        let session = Arena::<SessionId, ()>::new().insert(());
        let mut channels = Channels::default();
        for (channel, now, count) in [(7, true, 1), (7, true, 1), (0, true, 2), (7, false, 1)] {
            channels.map_remote(channel, now.then_some(session));
            assert_eq!(channels.begun(), count);
        }
        channels.map_remote(7, None);
        channels.map_remote(0, None);
        assert_eq!(channels.begun(), 0);
    }
}
