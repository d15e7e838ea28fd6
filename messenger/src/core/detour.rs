//! Links that peers send elsewhere (2.8.18): where they are opened, and how they come back.
//!
//! A link of ours that is redirected is attached on another connection, which has the identity of the one that it was on
//! and in addition the place where the peer sent it: nothing but links that were sent there goes by it, for what a peer
//! names is not what the user asked for. If that place fails, its links wait, as long as the policy for lost connections
//! says, and then go back to what was asked for, which may send them elsewhere by then.

use ferrion_engine::codec::Str;
use ferrion_engine::protocol::{Condition, conditions};
use ferrion_engine::{EndError, LinkId, Origin as Side, Time};

use super::Core;
use super::line::MAX_REDIRECTS;
use super::pool::{Conn, ConnKey, Party, State};
use super::reasons::remote;
use super::redirect::Elsewhere;
use super::sender::SenderKey;
use super::source::{SourceKey, SourceState};
use super::store::Origin;
use crate::error::{Error, Result, Scope};
use crate::reconnect::ConnectionEvent;

/// Where a peer sent a link of ours, and how that went so far.
#[derive(Debug, Default)]
pub(crate) struct Detour {
    /// What its node is called there, if the peer said so.
    pub(super) node: Option<Str>,
    /// How often it was sent on, one after the other: nothing got through in between, and no place failed.
    hops: u32,
    /// Failures of places that it was sent to since anything got through, and when the first of them was.
    failures: u32,
    since: Option<Time>,
    /// When it was attached last, if it is.
    attached: Option<Time>,
}

impl Detour {
    /// Something got through: what was before does not count any more.
    pub(super) const fn succeed(&mut self) {
        (self.hops, self.failures, self.since) = (0, 0, None);
    }

    /// It is sent on, to a node of this name. Answers whether that may be once more.
    fn send_on(&mut self, node: Option<Str>, now: Time, steady: u64) -> bool {
        // A link that stood for a while was a success, though nothing came down it.
        if self
            .attached
            .take()
            .is_some_and(|at| now.since(at) >= steady)
        {
            self.succeed();
        }
        self.node = node;
        self.hops += 1;
        self.hops <= MAX_REDIRECTS
    }

    /// The place that it was sent to has failed: it goes back to what was asked for.
    const fn turn_back(&mut self, failures: u32, since: Option<Time>) {
        (self.failures, self.since) = (failures, since);
        (self.hops, self.attached) = (0, None);
    }
}

/// A link of ours that can be sent elsewhere.
#[derive(Clone, Copy)]
enum Ours {
    Sender(SenderKey),
    Source(SourceKey),
}

impl Core {
    /// A link ended. If it is one of ours, and the peer says where its node is instead, it is opened there. Answers
    /// whether it is.
    pub(super) fn follow(
        &mut self,
        key: ConnKey,
        id: LinkId,
        ending: Option<&(Scope, EndError)>,
        now: Time,
    ) -> bool {
        let Some(condition) = ending.and_then(redirection) else {
            return false;
        };
        let Some((elsewhere, node)) = Elsewhere::of_link(condition) else {
            return false;
        };
        let Some(ours) = self.ours(key, id) else {
            return false;
        };
        let Some(endpoint) = self.pool.get(key).map(|conn| conn.endpoint.clone()) else {
            return false;
        };
        let steady = self.steady();
        let Some(detour) = self.detour_of(ours) else {
            return false;
        };
        let detour = detour.get_or_insert_default();
        if !detour.send_on(node, now, steady) {
            return false;
        }
        let strain = (detour.failures, detour.since);
        let Ok(to) = self.connection_elsewhere(key, elsewhere, strain) else {
            return false;
        };
        if self.pool.get(to).is_some_and(Conn::leads_home)
            && let Some(Some(detour)) = self.detour_of(ours)
        {
            // That place has failed, and those who were sent there wait to go back.
            detour.node = None;
        }
        let node = self.node_of(ours);
        let error = remote(Scope::Link, format!("{endpoint}/{node}"), condition.clone());
        let address = self.pool.get(to).map(|conn| conn.endpoint.clone());
        let there = self.node_there(ours);
        self.tell(ConnectionEvent::Redirected {
            address: format!("{}/{there}", address.unwrap_or_default()),
            error: error.clone(),
        });
        self.forget_recovery(key, id);
        match ours {
            Ours::Sender(sender) => self.send_from_elsewhere(key, id, sender, to, &error),
            Ours::Source(source) => self.receive_from_elsewhere(key, id, source, to),
        }
        self.pool.touch(key);
        self.pool.touch(to);
        true
    }

    /// A link was attached by both sides.
    pub(super) fn note_attached(&mut self, party: Party, now: Time) {
        let ours = match party {
            Party::Sender(sender) => Ours::Sender(sender),
            Party::Receiver(Some(source)) => Ours::Source(source),
            Party::Receiver(None) | Party::Replies => return,
        };
        if let Some(Some(detour)) = self.detour_of(ours) {
            detour.attached = Some(now);
        }
    }

    /// A connection is about to be made that leads back to what was asked for: its links go to the one that is there for
    /// that, if there is one. Answers whether they do; otherwise it becomes that one.
    pub(super) fn go_home(&mut self, key: ConnKey) -> bool {
        let Some(conn) = self.pool.get(key).filter(|conn| conn.leads_home()) else {
            return false;
        };
        let (Some(identity), Some(line)) = (&conn.identity, &conn.line) else {
            return false;
        };
        let home = identity.home();
        let (failures, since) = line.strain();
        let error = line.last().cloned().unwrap_or_else(|| Error::Lost {
            address: conn.endpoint.clone(),
            cause: "where the peer sent the link, nobody is".to_owned(),
        });
        let parties: Vec<Party> = conn.links.values().copied().collect();
        for party in &parties {
            if let Some(detour) = self.detour_of_party(*party) {
                detour.turn_back(failures, since);
            }
        }
        let there = self.pool.find(&home);
        let there = there.filter(|there| self.pool.get(*there).is_some_and(Conn::is_usable));
        let Some(there) = there else {
            self.pool.rename(key, home);
            for party in parties {
                if let Party::Sender(sender) = party
                    && let Some(node) = self.senders.get(sender).map(|sender| sender.node.clone())
                    && let Some(conn) = self.pool.get_mut(key)
                {
                    conn.senders.insert(node, sender);
                }
            }
            return false;
        };
        self.pool.hide(key);
        self.move_links(key, there, false, &error);
        self.remove(key);
        true
    }

    /// Closes a connection to where a peer sent links, if none of them is there any more: whoever sends them around could
    /// have any number of connections made.
    pub(super) fn leave_detour(&mut self, key: ConnKey, now: Time) {
        let Some(conn) = self.pool.get(key) else {
            return;
        };
        if !conn.is_detour() || !conn.is_usable() {
            return;
        }
        // What the peer attached of its own accord keeps nothing open.
        let is_ours = |party: &Party| match party {
            Party::Sender(sender) => self.senders.get(*sender).is_some_and(|it| it.ours),
            Party::Receiver(source) => source.is_some(),
            Party::Replies => false,
        };
        if conn.links.values().any(is_ours) {
            return;
        }
        let error = Error::Lost {
            address: conn.endpoint.clone(),
            cause: "no link that was sent there is left".to_owned(),
        };
        self.close_unneeded(key, now, error);
    }

    /// The links of a connection do not go on where a peer sent them: their nodes have the names again that were asked
    /// for.
    pub(super) fn forget_nodes(&mut self, key: ConnKey) {
        let links = self.pool.get(key).map(|conn| conn.links.values().copied());
        let parties: Vec<Party> = links.into_iter().flatten().collect();
        for party in parties {
            if let Some(detour) = self.detour_of_party(party) {
                detour.node = None;
            }
        }
    }

    // ---- one link ----

    /// Whose a link is, if it is one of ours on a connection of ours, and nothing is about to be closed.
    fn ours(&self, key: ConnKey, id: LinkId) -> Option<Ours> {
        let conn = self.pool.get(key)?;
        if conn.state != State::Running || conn.line.is_none() {
            return None;
        }
        match *conn.links.get(&id)? {
            Party::Sender(key) => {
                let sender = self.senders.get(key)?;
                sender.ours.then_some(Ours::Sender(key))
            }
            Party::Receiver(source) => {
                let source = source?;
                let here = |state: &SourceState| matches!(state, SourceState::Link(conn, link) if (*conn, *link) == (key, id));
                let known = self.sources.get(source)?;
                here(&known.state).then_some(Ours::Source(source))
            }
            Party::Replies => None,
        }
    }

    fn detour_of(&mut self, ours: Ours) -> Option<&mut Option<Box<Detour>>> {
        match ours {
            Ours::Sender(key) => self.senders.get_mut(key).map(|sender| &mut sender.detour),
            Ours::Source(key) => self.sources.get_mut(key).map(|source| &mut source.detour),
        }
    }

    fn detour_of_party(&mut self, party: Party) -> Option<&mut Detour> {
        let ours = match party {
            Party::Sender(sender) => Ours::Sender(sender),
            Party::Receiver(source) => Ours::Source(source?),
            Party::Replies => return None,
        };
        self.detour_of(ours)?.as_deref_mut()
    }

    /// What was asked for.
    fn node_of(&self, ours: Ours) -> Str {
        match ours {
            Ours::Sender(key) => self.senders.get(key).map(|sender| sender.node.clone()),
            Ours::Source(key) => {
                let source = self.sources.get(key);
                source.map(|source| source.address.node().into())
            }
        }
        .unwrap_or_default()
    }

    /// What it is called where the link goes.
    fn node_there(&self, ours: Ours) -> Str {
        match ours {
            Ours::Sender(key) => self.senders.get(key).map(|sender| sender.there().clone()),
            Ours::Source(key) => {
                let source = self.sources.get(key);
                source.map(|source| source.there().into())
            }
        }
        .unwrap_or_default()
    }

    /// The connection to where a peer sends links of another, which have come to nothing so often since then.
    fn connection_elsewhere(
        &mut self,
        from: ConnKey,
        elsewhere: Elsewhere,
        (failures, since): (u32, Option<Time>),
    ) -> Result<ConnKey> {
        let gone = Error::State("the connection is gone; try again");
        let Some(conn) = self.pool.get(from) else {
            return Err(gone);
        };
        let (Some(identity), Some(line)) = (conn.identity.clone(), conn.line.clone()) else {
            return Err(gone);
        };
        let home = self.pool.find(&identity.home());
        let home = home.and_then(|key| self.pool.get(key).filter(|conn| conn.is_usable()));
        // What was asked for may have been found at an alternative, or where a peer sent the whole connection.
        let goes_home = match home.and_then(|conn| conn.line.as_ref()) {
            Some(home) => home.leads_to(&elsewhere),
            None => line.is_home(&elsewhere),
        };
        let (identity, line) = if goes_home {
            (identity.home(), self.line_to(line.asked()))
        } else {
            let line = line.detour(elsewhere.clone(), failures, since);
            (identity.by_way_of(elsewhere), line)
        };
        let known = self.pool.find(&identity);
        if let Some(key) = known.filter(|key| self.pool.get(*key).is_some_and(Conn::is_usable)) {
            return Ok(key);
        }
        let key = self.open(identity, line, State::Connecting)?;
        self.connect(key);
        Ok(key)
    }

    /// Moves a sender, and what its peer has not answered.
    fn send_from_elsewhere(
        &mut self,
        key: ConnKey,
        id: LinkId,
        sender: SenderKey,
        to: ConnKey,
        error: &Error,
    ) {
        // What was answered before the link ended is not sent again.
        self.update(key, id);
        self.hold_requests_of(sender);
        self.pool.remove_link(key, id);
        if let Some(conn) = self.pool.get_mut(key) {
            conn.flushing.retain(|flushing| *flushing != sender);
        }
        let (again, mut lost) = self.take_back(sender, error);
        lost += self.move_sender(sender, to, again, error);
        self.renew_requests(to);
        if lost > 0 {
            self.push_send_error(error.clone());
        }
    }

    fn receive_from_elsewhere(&mut self, key: ConnKey, id: LinkId, source: SourceKey, to: ConnKey) {
        self.pool.remove_link(key, id);
        self.credit.detach(Origin {
            conn: key,
            link: id,
        });
        if let Err(error) = self.attach_source_on(source, to)
            && self.break_source(source, &error)
        {
            self.push_recv_error(error);
        }
    }
}

/// With what a peer sends a link elsewhere, if it does.
fn redirection((scope, error): &(Scope, EndError)) -> Option<&Condition> {
    let redirects = *scope == Scope::Link
        && error.origin == Side::Remote
        && error.condition.condition == conditions::LINK_REDIRECT;
    redirects.then_some(&error.condition)
}
