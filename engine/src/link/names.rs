//! Links by role and name (2.6.1).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use crate::codec::Str;
use crate::ids::LinkId;
use crate::protocol::Role;

/// Which endpoint has which name. Ordered, not hashed: a peer chooses the names, and nothing it chooses may make looking
/// one up slow.
#[derive(Debug, Default)]
pub(crate) struct Names {
    senders: BTreeMap<Box<[u8]>, LinkId>,
    receivers: BTreeMap<Box<[u8]>, LinkId>,
}

impl Names {
    pub(crate) fn get(&self, role: Role, name: &Str) -> Option<LinkId> {
        let of_role = match role {
            Role::Sender => &self.senders,
            Role::Receiver => &self.receivers,
        };
        of_role.get(name.as_bytes()).copied()
    }

    /// The name is this link's from now on.
    pub(crate) fn insert(&mut self, role: Role, name: &Str, link: LinkId) {
        self.of_role(role).insert(name.as_bytes().into(), link);
    }

    /// The name is nobody's, if it was this link's.
    pub(crate) fn remove(&mut self, role: Role, name: &Str, link: LinkId) {
        if self.get(role, name) == Some(link) {
            self.of_role(role).remove(name.as_bytes());
        }
    }

    const fn of_role(&mut self, role: Role) -> &mut BTreeMap<Box<[u8]>, LinkId> {
        match role {
            Role::Sender => &mut self.senders,
            Role::Receiver => &mut self.receivers,
        }
    }
}
