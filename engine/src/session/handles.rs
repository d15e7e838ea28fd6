//! Link handles, ours and the peer's, which are independent of each other (2.6.2).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::ids::LinkId;

/// Handles up to this are looked up by index whatever the number of links.
const ALWAYS_DENSE: usize = 256;

/// Which link uses which handle on one session, in each direction.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    local: Vec<Option<LinkId>>,
    free: Vec<u32>,
    remote: Vec<Option<LinkId>>,
    /// Remote handles far beyond the number of links: a peer may choose any number, and one large
    /// one must not cost a large table.
    sparse: BTreeMap<u32, LinkId>,
    remote_count: usize,
}

impl Handles {
    /// A free handle of ours up to `max`, which then is `link`'s.
    pub(crate) fn allocate(&mut self, link: LinkId, max: u32) -> Option<u32> {
        while let Some(handle) = self.free.pop() {
            // Given out before the peer said how many it has, which never become more.
            if handle > max {
                continue;
            }
            if let Some(slot) = self.local.get_mut(handle as usize) {
                *slot = Some(link);
            }
            return Some(handle);
        }
        let handle = u32::try_from(self.local.len())
            .ok()
            .filter(|handle| *handle <= max)?;
        self.local.push(Some(link));
        Some(handle)
    }

    pub(crate) fn release(&mut self, handle: u32) {
        if let Some(slot) = self.local.get_mut(handle as usize)
            && slot.take().is_some()
        {
            self.free.push(handle);
        }
    }

    /// The links that have a handle of ours.
    pub(crate) fn links(&self) -> impl Iterator<Item = LinkId> {
        self.local.iter().flatten().copied()
    }

    /// The links that have a handle of the peer's.
    pub(crate) fn remote_links(&self) -> impl Iterator<Item = LinkId> {
        self.remote
            .iter()
            .flatten()
            .copied()
            .chain(self.sparse.values().copied())
    }

    #[inline]
    pub(crate) fn by_remote(&self, handle: u32) -> Option<LinkId> {
        match self.remote.get(handle as usize) {
            Some(slot) => *slot,
            None => self.sparse.get(&handle).copied(),
        }
    }

    pub(crate) fn map_remote(&mut self, handle: u32, link: LinkId) {
        let index = handle as usize;
        self.remote_count += 1;
        if let Some(slot) = self.remote.get_mut(index) {
            *slot = Some(link);
        } else if index < ALWAYS_DENSE || index <= self.remote_count * 2 {
            self.remote.resize(index + 1, None);
            if let Some(slot) = self.remote.get_mut(index) {
                *slot = Some(link);
            }
            // What was too far out before may lie inside the table now.
            let outside = self.sparse.split_off(&(handle + 1));
            for (handle, link) in core::mem::replace(&mut self.sparse, outside) {
                if let Some(slot) = self.remote.get_mut(handle as usize) {
                    *slot = Some(link);
                }
            }
        } else {
            self.sparse.insert(handle, link);
        }
    }

    pub(crate) fn unmap_remote(&mut self, handle: u32) {
        let was = match self.remote.get_mut(handle as usize) {
            Some(slot) => slot.take(),
            None => self.sparse.remove(&handle),
        };
        if was.is_some() {
            self.remote_count -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Handles;
    use crate::arena::Arena;
    use crate::ids::LinkId;

    #[test]
    fn far_handles_are_sparse_until_the_table_reaches_them() {
        let mut ids = Arena::<LinkId, ()>::new();
        let mut handles = Handles::default();
        let far = ids.insert(());
        handles.map_remote(600, far);
        assert_eq!(handles.remote.len(), 0);
        for handle in 0..600 {
            handles.map_remote(handle, ids.insert(()));
        }
        assert_eq!(handles.by_remote(600), Some(far));
        handles.map_remote(601, ids.insert(()));
        assert!(handles.sparse.is_empty());
        assert_eq!(handles.by_remote(600), Some(far));
        handles.unmap_remote(600);
        handles.unmap_remote(600);
        assert_eq!(handles.by_remote(600), None);
        assert_eq!(handles.remote_count, 601);
    }

    #[test]
    fn our_handles_are_reused_and_bounded() {
        let mut ids = Arena::<LinkId, ()>::new();
        let mut handles = Handles::default();
        let (a, b) = (ids.insert(()), ids.insert(()));
        assert_eq!(handles.allocate(a, 1), Some(0));
        assert_eq!(handles.allocate(b, 1), Some(1));
        assert_eq!(handles.allocate(b, 1), None);
        handles.release(0);
        assert_eq!(handles.allocate(b, 1), Some(0));
        handles.release(0);
        handles.release(1);
        assert_eq!(handles.allocate(a, 0), Some(0), "the limit went down");
        assert_eq!(handles.allocate(b, 0), None);
    }
}
