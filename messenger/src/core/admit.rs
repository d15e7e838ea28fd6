//! Links that peers ask for.

use ferrion_engine::codec::{Str, Symbol};
use ferrion_engine::protocol::{Condition, Role, Source, TargetArchetype, conditions};
use ferrion_engine::{LinkId, Time};

use super::Core;
use super::address::MAX_NODE;
use super::pool::{ConnKey, Party, State};
use super::recovery::accept_theirs;
use super::store::Origin;

impl Core {
    /// The peer attached a link.
    pub(super) fn admit(&mut self, key: ConnKey, id: LinkId, now: Time) {
        if self.welcome_back(key, id, now) {
            return;
        }
        let link = self.pool.get_mut(key).map(|conn| conn.engine.link(id));
        let role = link.and_then(|link| Some(link.ok()?.role()));
        match role {
            Some(Role::Receiver) => self.admit_sender(key, id, now),
            Some(Role::Sender) => self.admit_receiver(key, id, now),
            None => {}
        }
    }

    /// The peer wants to send to us: whatever the node, it may.
    fn admit_sender(&mut self, key: ConnKey, id: LinkId, now: Time) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let listener = conn.listener;
        let usable = conn.state == State::Running;
        let Ok(mut link) = conn.engine.link(id) else {
            return;
        };
        let coordinator = matches!(link.remote_target(), Some(TargetArchetype::Coordinator(_)));
        if coordinator {
            let text = "a messenger does not coordinate transactions";
            return self.refuse(key, id, because(conditions::NOT_IMPLEMENTED, text), now);
        }
        if usable && listener.is_some_and(|source| self.sources.get(source).is_none()) {
            let text = "nobody receives here any more";
            return self.refuse(key, id, because(conditions::NOT_ALLOWED, text), now);
        }
        if usable && link.remote_target().is_none() {
            let text = "a sender has to say where its messages go: attach with a target";
            return self.refuse(key, id, because(conditions::INVALID_FIELD, text), now);
        }
        let target = match link.remote_target() {
            Some(TargetArchetype::Target(target)) => target.address.as_ref(),
            _ => None,
        };
        if is_long(target) {
            return self.refuse(key, id, too_long(), now);
        }
        let offer = link.offer().filter(|_| usable);
        let accepted = if let Some(mut answer) = offer {
            if let Some(TargetArchetype::Target(target)) = answer.target.as_deref_mut()
                && target.dynamic
            {
                // A node made up for this link: no other has its name.
                target.address = Some(format!("{}-{}", self.name, id.to_bits()).into());
            }
            accept_theirs(&self.options, &mut link, answer).is_ok()
        } else {
            false
        };
        if accepted {
            self.pool.add_link(key, id, Party::Receiver(listener));
            let known = listener.and_then(|source| self.sources.get(source));
            let most = known.and_then(|source| source.options.most());
            let origin = Origin {
                conn: key,
                link: id,
            };
            self.credit.attach(origin, most);
        }
        self.pool.touch(key);
    }

    /// The peer wants messages from us: what is put to its name and this node goes there.
    fn admit_receiver(&mut self, key: ConnKey, id: LinkId, now: Time) {
        // A node made up for this link: no other has its name.
        let made_up = self.node_name();
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let Ok(mut link) = conn.engine.link(id) else {
            return;
        };
        if conn.state != State::Running {
            return;
        }
        let Some(source) = link.remote_source().cloned() else {
            let text = "a receiver has to say where its messages come from: attach with a source";
            return self.refuse(key, id, because(conditions::INVALID_FIELD, text), now);
        };
        if is_long(source.address.as_ref()) {
            return self.refuse(key, id, too_long(), now);
        }
        let Some(mut answer) = link.offer() else {
            return;
        };
        let node = if source.dynamic {
            made_up
        } else {
            source.address.unwrap_or_default()
        };
        // What is put goes to whoever asked first, unfiltered, and is kept for nobody.
        answer.source = Some(Box::new(Source {
            address: Some(node.clone()),
            dynamic: source.dynamic,
            default_outcome: source.default_outcome,
            outcomes: source.outcomes,
            ..Source::default()
        }));
        if accept_theirs(&self.options, &mut link, answer).is_ok() {
            let sender = self.add_sender(key, id, &node, false);
            if source.dynamic {
                self.made_up.insert(node.clone(), sender);
            }
            if let Some(conn) = self.pool.get_mut(key) {
                conn.add_sender(node, sender);
            }
            self.tell_of_receiver(sender);
            // What it asked for while it waited for its answer.
            self.make_ready(sender);
        }
        self.pool.touch(key);
    }
}

fn is_long(node: Option<&Str>) -> bool {
    node.is_some_and(|node| node.len() > MAX_NODE)
}

fn too_long() -> Condition {
    let text = format!("the address of a node has at most {MAX_NODE} octets");
    because(conditions::INVALID_FIELD, text)
}

fn because(condition: Symbol, text: impl Into<Str>) -> Condition {
    let mut condition = Condition::new(condition);
    condition.description = Some(text.into());
    condition
}
