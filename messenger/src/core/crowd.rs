//! Many links on one connection. Peers take only so many on a session (2.7.2): senders that nobody needs at present make
//! room for others, and where all are needed another session is begun.

use ferrion_engine::protocol::Role;
use ferrion_engine::{LinkConfig, LinkId, SessionId, Time, UsageError};

use super::Core;
use super::address::DYNAMIC;
use super::pool::{Conn, ConnKey, Party};
use super::sender::{Sender, SenderKey};
use super::store::Origin;
use crate::error::{Error, Result};

/// Links that a session is given before its peer has said how many it takes: those that do not take any number take 256.
const USUAL: usize = 256;
/// Links of a connection from which on idle ones are ended, however many the peer takes.
const MANY: usize = 4096;

/// Attaches a link on a session.
pub(super) type Attach<'a> =
    dyn Fn(&mut Core, SessionId) -> std::result::Result<LinkId, UsageError> + 'a;

/// See the module's description.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    /// Sessions of ours beside the one in use, which were full when it was begun.
    full: Vec<SessionId>,
    /// Links that were attached on the one in use since then.
    attached: usize,
    /// With fewer links it is not looked for idle ones again.
    many: usize,
    /// Links that the peer takes on a session, if it said so, or is expected to: it did the last time.
    room: Option<usize>,
    /// Links whose session the peer does not take: they go on another, once it is known how many that takes.
    waiting: Vec<LinkId>,
}

impl Crowd {
    /// For a connection to the same peer again.
    pub(super) fn again(&self) -> Self {
        Self {
            room: self.room,
            ..Self::default()
        }
    }

    /// Another session is in use, which is empty.
    pub(super) const fn begun(&mut self) {
        self.attached = 0;
    }

    /// The peer is another than was expected, perhaps.
    pub(super) const fn expect_nothing(&mut self) {
        self.room = None;
    }

    /// The peer says how many links it takes on a session.
    pub(super) fn take_at_most(&mut self, handle_max: u32) {
        let most = usize::try_from(handle_max).unwrap_or(usize::MAX);
        self.room = Some(most.saturating_add(1));
    }
}

impl Core {
    /// Attaches a link of ours where there is room for it; `refused` makes an error of why there is none.
    pub(super) fn attach_where_there_is_room(
        &mut self,
        key: ConnKey,
        role: Role,
        config: LinkConfig,
        refused: impl FnOnce(String) -> Error,
    ) -> Result<LinkId> {
        let attach =
            |core: &mut Self, session| core.attach_ours(key, session, role, config.clone());
        self.attach_in_crowd(key, None, &attach, refused)
    }

    /// The same with any way to attach it; `spare` is not ended for it.
    pub(super) fn attach_in_crowd(
        &mut self,
        key: ConnKey,
        spare: Option<SenderKey>,
        attach: &Attach<'_>,
        refused: impl FnOnce(String) -> Error,
    ) -> Result<LinkId> {
        self.end_idle_of_many(key, spare);
        let session = self.session_with_room(key)?;
        let error = match attach(self, session) {
            Ok(link) => return Ok(link),
            Err(error) => error,
        };
        if !matches!(error, UsageError::LimitReached { .. }) {
            return Err(refused(error.to_string()));
        }
        // There is room when the peer has answered, for links to come.
        self.end_idle(key, spare);
        let attached = self.attach_elsewhere(key, attach);
        attached.ok_or_else(|| {
            let cause = "the peer takes no more links on this connection; try again when the peer has answered, or raise \
                         its limits";
            refused(cause.to_owned())
        })
    }

    /// The session that the next link of ours goes on, as far as is known by now.
    pub(super) fn session_with_room(&mut self, key: ConnKey) -> Result<SessionId> {
        let session = self.session_on(key)?;
        let Some(conn) = self.pool.get_mut(key) else {
            return Ok(session);
        };
        conn.crowd.attached = conn.crowd.attached.saturating_add(1);
        if conn.crowd.attached <= conn.crowd.room.unwrap_or(USUAL) {
            return Ok(session);
        }
        let begun = conn.engine.session(session);
        if begun.is_ok_and(|session| session.remote().is_some()) {
            return Ok(session);
        }
        Ok(self.another_session(key).unwrap_or(session))
    }

    /// Begins another session in place of the one in use, if the peer takes one more.
    fn another_session(&mut self, key: ConnKey) -> Option<SessionId> {
        let conn = self.pool.get_mut(key).filter(|conn| !conn.one_session)?;
        let full = conn.session.take();
        let begun = self.session_on(key).ok();
        let conn = self.pool.get_mut(key)?;
        if begun.is_some() {
            conn.crowd.full.extend(full);
            conn.crowd.attached = 1;
        } else {
            conn.session = full;
        }
        begun
    }

    /// A session that was begun before the peer said how many it takes is one too many: a link of it goes on another.
    /// Answers whether that is why it ended.
    pub(super) fn use_fewer_sessions(&mut self, key: ConnKey, id: LinkId, now: Time) -> bool {
        let Some(conn) = self.pool.get_mut(key).filter(|conn| conn.is_usable()) else {
            return false;
        };
        let link = conn.engine.link(id).ok();
        let session = link.and_then(|link| link.session());
        let begun = session.is_none_or(|session| {
            let session = conn.engine.session(session);
            session.is_ok_and(|session| session.remote().is_some())
        });
        let Some(party) = conn.links.get(&id).copied().filter(|_| !begun) else {
            return false;
        };
        conn.one_session = true;
        conn.leave_ended_sessions();
        conn.crowd.waiting.push(id);
        self.forget_recovery(key, id);
        if let Party::Receiver(_) = party {
            self.credit.detach(Origin {
                conn: key,
                link: id,
            });
        }
        self.attach_waiting(key, now);
        true
    }

    /// Attaches the links whose session the peer does not take on the one that is left, as soon as that has begun: more
    /// than it takes would end the connection (2.7.2).
    pub(super) fn attach_waiting(&mut self, key: ConnKey, now: Time) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let left = conn.session.and_then(|id| conn.engine.session(id).ok());
        if left.is_some_and(|session| session.remote().is_none()) {
            return;
        }
        for id in std::mem::take(&mut conn.crowd.waiting) {
            let conn = self.pool.get_mut(key);
            // It may have been given up meanwhile.
            let Some(party) = conn.and_then(|conn| conn.links.get(&id).copied()) else {
                continue;
            };
            let origin = Origin {
                conn: key,
                link: id,
            };
            self.begin_anew(origin, party, "the peer takes no more links", now);
            if let Party::Replies = party {
                self.attach_replies_anew(key);
            }
        }
    }

    /// The session in use is full: attaches a link on one that was, or on another one.
    fn attach_elsewhere(&mut self, key: ConnKey, attach: &Attach<'_>) -> Option<LinkId> {
        let known = std::mem::take(&mut self.pool.get_mut(key)?.crowd.full);
        let mut attached = None;
        let mut full = Vec::new();
        for session in known {
            if attached.is_some() {
                full.push(session);
                continue;
            }
            match attach(self, session) {
                Ok(link) => {
                    attached = Some(link);
                    let conn = self.pool.get_mut(key)?;
                    full.extend(conn.session.replace(session));
                }
                Err(UsageError::LimitReached { .. }) => full.push(session),
                // It has ended meanwhile.
                Err(_) => {}
            }
        }
        self.pool.get_mut(key)?.crowd.full = full;
        if attached.is_some() {
            return attached;
        }
        let session = self.another_session(key)?;
        attach(self, session).ok()
    }

    /// Ends idle senders of a connection before there is no room for more, but not each time anew where most are needed.
    fn end_idle_of_many(&mut self, key: ConnKey, spare: Option<SenderKey>) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let whole = conn.whole_room();
        let session = conn.session.and_then(|it| conn.engine.session(it).ok());
        let begun = session.as_ref().and_then(|session| session.remote());
        let room = begun.and_then(|begin| usize::try_from(begin.handle_max).ok());
        let room = room.map_or(usize::MAX, |most| most.saturating_add(1));
        let most = MANY.min(room - room / 4);
        // Receivers and the reply address take room as well.
        if conn.links.len() < most.max(conn.crowd.many) {
            return;
        }
        self.end_idle(key, spare);
        if let Some(conn) = self.pool.get_mut(key) {
            let links = conn.links.len();
            let left = whole.saturating_sub(links);
            conn.crowd.many = links.saturating_add(links.min(left / 2));
        }
    }

    /// Ends those half of the idle senders of a connection that were put to longest ago. What is put to their nodes
    /// attaches them again.
    fn end_idle(&mut self, key: ConnKey, spare: Option<SenderKey>) {
        let Some(conn) = self.pool.get(key) else {
            return;
        };
        let known: Vec<SenderKey> = conn.senders.values().copied().collect();
        let mut idle: Vec<(u64, SenderKey)> = Vec::new();
        for sender in known {
            if let Some(known) = self.senders.get(sender)
                && known.conn == key
                && spare != Some(sender)
                && self.is_idle(key, sender)
            {
                idle.push((self.last_use(sender), sender));
            }
        }
        idle.sort_unstable_by_key(|(last, _)| *last);
        idle.truncate(idle.len().div_ceil(2));
        for (_, sender) in idle {
            self.end_sender(key, sender);
        }
    }

    fn last_use(&self, key: SenderKey) -> u64 {
        self.senders.get(key).map_or(0, |sender| sender.last)
    }

    /// Whether nothing is lost with a sender of ours: all that was put is with the peer, which has said all that is asked.
    fn is_idle(&mut self, key: ConnKey, sender: SenderKey) -> bool {
        if self.requests.are_open_at(sender) {
            return false;
        }
        let Some(Sender {
            link,
            node,
            ours: true,
            detour: None,
            queue,
            in_flight: 0,
            unflushed: 0,
            ..
        }) = self.senders.get(sender)
        else {
            return false;
        };
        // A node that the peer made up for a link is gone with it.
        let may_end = queue.is_empty() && node.as_str() != DYNAMIC;
        let link = *link;
        let Some(conn) = self.pool.get_mut(key).filter(|_| may_end) else {
            return false;
        };
        let attached = conn.engine.link(link).is_ok_and(|link| link.is_attached());
        attached && conn.engine.sender(link).is_ok_and(|it| it.queued() == 0)
    }

    fn end_sender(&mut self, key: ConnKey, sender: SenderKey) {
        let Some(ended) = self.senders.remove(sender) else {
            return;
        };
        self.pool.remove_link(key, ended.link);
        if let Some(conn) = self.pool.get_mut(key) {
            conn.remove_sender(&ended.node, sender);
            if let Ok(mut link) = conn.engine.link(ended.link) {
                // It fails if the peer has ended it, which is as good.
                let _ = link.close(None);
            }
        }
        self.pool.touch(key);
    }
}

impl Conn {
    /// How many links of ours the peer takes on all sessions together, as far as is known.
    fn whole_room(&mut self) -> usize {
        let Some(room) = self.crowd.room else {
            return usize::MAX;
        };
        let open = self.engine.connection();
        let most = open
            .remote()
            .map_or(0, |open| usize::from(open.channel_max))
            + 1;
        let begun = self.crowd.full.len() + 1;
        let sessions = if self.one_session { begun } else { most };
        room.saturating_mul(sessions)
    }

    /// A session has ended: another is in use, if there is one.
    pub(super) fn leave_session(&mut self, id: SessionId) {
        self.crowd.full.retain(|full| *full != id);
        if self.session == Some(id) {
            self.session = self.crowd.full.pop();
            // That it has room again is known when its peer has begun it.
            self.crowd.attached = usize::MAX;
        }
    }

    /// The next link of ours goes on a new session.
    pub(super) fn leave_sessions(&mut self) {
        self.session = None;
        self.crowd.full.clear();
    }

    /// The same for all sessions that have failed, of which some may not be told yet.
    fn leave_ended_sessions(&mut self) {
        let known = self.crowd.full.clone();
        for id in known.into_iter().chain(self.session) {
            let session = self.engine.session(id);
            if session.is_ok_and(|session| session.error().is_none()) {
                continue;
            }
            self.leave_session(id);
        }
    }
}
