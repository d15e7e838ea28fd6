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
    senders: OfRole,
    receivers: OfRole,
}

#[derive(Debug, Default)]
struct OfRole {
    links: BTreeMap<Box<[u8]>, LinkId>,
    /// Links beside those of the same name, as the attaches of the two crossed.
    crossed: BTreeMap<Box<[u8]>, LinkId>,
}

impl Names {
    /// The link of this name, and one whose attach crossed that one's.
    pub(crate) fn get(&self, role: Role, name: &Str) -> [Option<LinkId>; 2] {
        let of_role = match role {
            Role::Sender => &self.senders,
            Role::Receiver => &self.receivers,
        };
        [&of_role.links, &of_role.crossed].map(|links| links.get(name.as_bytes()).copied())
    }

    /// The name is this link's alone from now on.
    pub(crate) fn insert(&mut self, role: Role, name: &Str, link: LinkId) {
        let of_role = self.of_role(role);
        of_role.links.insert(name.as_bytes().into(), link);
        of_role.crossed.remove(name.as_bytes());
    }

    /// The name is this link's, and that of the one that waits for the peer's attach of it.
    pub(crate) fn insert_crossed(&mut self, role: Role, name: &Str, link: LinkId, waits: LinkId) {
        let of_role = self.of_role(role);
        of_role.links.insert(name.as_bytes().into(), waits);
        of_role.crossed.insert(name.as_bytes().into(), link);
    }

    /// The name is not this link's any more, if it was.
    pub(crate) fn remove(&mut self, role: Role, name: &Str, link: LinkId) {
        let [first, crossed] = self.get(role, name);
        let of_role = self.of_role(role);
        if crossed == Some(link) {
            of_role.crossed.remove(name.as_bytes());
        } else if first == Some(link) {
            match of_role.crossed.remove_entry(name.as_bytes()) {
                Some((name, crossed)) => of_role.links.insert(name, crossed),
                None => of_role.links.remove(name.as_bytes()),
            };
        }
    }

    const fn of_role(&mut self, role: Role) -> &mut OfRole {
        match role {
            Role::Sender => &mut self.senders,
            Role::Receiver => &mut self.receivers,
        }
    }
}
