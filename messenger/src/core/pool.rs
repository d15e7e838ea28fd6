//! The connections: as few as possible, one engine each.
//!
//! A connection is found by what it was opened for (scheme, host, port, user), or by the name its
//! peer gave itself: that is how a reply travels down the connection the other side opened.
//! Connections that have something to do stand in lines, so that a thousand idle ones cost nothing.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, BinaryHeap, HashMap, VecDeque};

use ferrion_engine::codec::Str;
use ferrion_engine::sasl::Secret;
use ferrion_engine::{Engine, LinkId, SessionId, Time};

use super::address::{Address, Scheme};
use super::away::Kept;
use super::churn::Churn;
use super::crowd::Crowd;
use super::line::Line;
use super::login::TokenMark;
use super::names::{Links, Names};
use super::partial::{Partial, Partials};
use super::recovery::Returning;
use super::redirect::Elsewhere;
use super::replies::Replies;
use super::sender::SenderKey;
use super::slab::{Key, Slab};
use super::source::SourceKey;
use crate::fault::Cause;

/// Timers that say nothing any more, and are kept whether there are so many connections or not.
const SPARE_TIMERS: usize = 64;

/// Names a connection.
pub(crate) type ConnKey = Key<Conn>;

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Identity({:?}, {}, {}, {:?})",
            self.scheme, self.host, self.port, self.user
        )
    }
}

/// What makes two addresses go down the same connection.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    scheme: Scheme,
    host: String,
    port: u16,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    /// Where a peer found at that host sent links. Nobody asked for that place by its name.
    by_way_of: Option<Elsewhere>,
}

impl Identity {
    /// The same, for links that a peer sends elsewhere.
    pub(super) fn by_way_of(self, elsewhere: Elsewhere) -> Self {
        let by_way_of = Some(elsewhere);
        Self { by_way_of, ..self }
    }

    /// Of what was asked for.
    pub(super) fn home(&self) -> Self {
        let by_way_of = None;
        Self {
            by_way_of,
            ..self.clone()
        }
    }

    /// Whether it is of where a peer sent links.
    pub(super) const fn is_detour(&self) -> bool {
        self.by_way_of.is_some()
    }

    /// Whether it was asked for with this host and port, whoever logs in there.
    pub(crate) fn is_at(&self, address: &Address) -> bool {
        let same = self.host == address.host.to_ascii_lowercase();
        same && (self.scheme, self.port) == (address.scheme, address.port())
    }

    /// Of an address, with the credentials that will be used for it.
    pub(crate) fn new(address: &Address, user: Option<String>, password: Option<Secret>) -> Self {
        Self {
            scheme: address.scheme,
            host: address.host.to_ascii_lowercase(),
            port: address.port(),
            user,
            password,
            by_way_of: None,
        }
    }

    /// An address that leads to a node of this very connection's peer.
    pub(crate) fn address_of(&self, node: &str) -> String {
        let mut address = format!("{}://", self.scheme.as_str());
        if let Some(user) = &self.user {
            escape(user.as_bytes(), &mut address);
            if let Some(password) = &self.password {
                address.push(':');
                escape(password.as_bytes(), &mut address);
            }
            address.push('@');
        }
        let v6 = self.host.contains(':');
        let (open, close) = if v6 { ("[", "]") } else { ("", "") };
        address.push_str(&format!("{open}{}{close}:{}/{node}", self.host, self.port));
        address
    }
}

/// Writes text so that nothing in it has a meaning in an address.
fn escape(text: &[u8], out: &mut String) {
    for &octet in text {
        if octet.is_ascii_alphanumeric() {
            out.push(char::from(octet));
        } else {
            out.push_str(&format!("%{octet:02X}"));
        }
    }
}

/// How a link is used.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Party {
    Sender(SenderKey),
    /// The subscription it belongs to: of its own, or of the listener that admitted the peer.
    Receiver(Option<SourceKey>),
    /// Replies to requests.
    Replies,
}

/// One connection.
pub(crate) struct Conn {
    pub(crate) engine: Engine,
    /// For error texts.
    pub(crate) endpoint: String,
    /// What it was opened for; `None` if the peer opened it.
    pub(crate) identity: Option<Identity>,
    /// Where it leads, if we opened it.
    pub(crate) line: Option<Line>,
    /// Whether a message got through on it, and since when the peer is there.
    pub(crate) useful: bool,
    pub(crate) since: Option<Time>,
    /// The listener through which the peer came.
    pub(crate) listener: Option<SourceKey>,
    /// Whom the peer's certificate names, if one was shown and checked.
    pub(crate) subject: Option<String>,
    /// The user as whom the peer logged in, by password or token.
    pub(crate) user: Option<String>,
    /// The token with which it did, if it named no user.
    pub(super) token: Option<TokenMark>,
    /// There if it stands for a peer that is away.
    pub(crate) kept: Option<Kept>,
    /// Links that go on with what others left, until both sides have attached.
    pub(crate) returning: HashMap<LinkId, Returning>,
    /// The peer refused links that could be recovered, and first on this session.
    pub(crate) refusing: Option<SessionId>,
    /// The session that was last looked at for that, and whether it ended for links that could be recovered.
    pub(crate) judged: Option<(SessionId, bool)>,
    /// The name the peer gave itself.
    pub(crate) container: Option<Str>,
    /// Milliseconds of silence after which the peer gives up, if it said so (2.4.5).
    pub(crate) peer_idle: Option<u32>,
    /// The session that all links of ours share, as long as there is room for more.
    pub(crate) session: Option<SessionId>,
    /// What is known of how many links there are, and of other sessions that they needed.
    pub(crate) crowd: Crowd,
    /// Links that the peer attached, and that came and went.
    pub(crate) churn: Churn,
    /// Whether the peer takes no session beside those that there are.
    pub(crate) one_session: bool,
    /// The reply address that all requests share.
    pub(crate) replies: Option<Replies>,
    /// Senders by the node they send to: of several, the one that is found by the node.
    pub(crate) senders: HashMap<Str, SenderKey>,
    /// The others of several, which peers asked for.
    more_senders: HashMap<Str, BTreeSet<u64>>,
    pub(crate) links: Links,
    /// Senders to look at once the socket has taken what there is: they have more, or sent messages
    /// that count until then.
    pub(crate) flushing: Vec<SenderKey>,
    /// What incomplete messages held when that was last looked at.
    pub(super) partial: Partial,
    /// Octets given to the engine since the socket last took everything.
    pub(crate) handed: usize,
    /// Links and sessions that began or ended since somebody asked.
    pub(crate) work: usize,
    pub(crate) state: State,
    /// Why the transport ended.
    pub(crate) cause: Option<Cause>,
    /// Marks that keep it from standing in a line twice.
    dirty: bool,
    writing: bool,
    /// The earliest time at which it stands in the line of timers.
    timer: Option<Time>,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The transport is to be made at this time.
    Waiting(Time),
    /// The driver has not made the connection yet: octets of the engine cannot flow.
    Connecting,
    /// Octets flow.
    Running,
    /// We asked for an orderly end.
    Closing,
    /// There is no transport, and none to be made: the engine remembers the links of a peer that may come back until then.
    Away(Time),
    /// The engine is finished; what it has to say last may take until then.
    Over(Time),
}

impl Conn {
    pub(crate) fn new(engine: Engine, endpoint: String, state: State) -> Self {
        Self {
            engine,
            endpoint,
            identity: None,
            line: None,
            useful: false,
            since: None,
            listener: None,
            subject: None,
            user: None,
            token: None,
            kept: None,
            returning: HashMap::new(),
            refusing: None,
            judged: None,
            container: None,
            peer_idle: None,
            session: None,
            crowd: Crowd::default(),
            churn: Churn::default(),
            one_session: false,
            replies: None,
            senders: HashMap::new(),
            more_senders: HashMap::new(),
            links: Links::default(),
            flushing: Vec::new(),
            partial: Partial::default(),
            handed: 0,
            work: 0,
            state,
            cause: None,
            dirty: false,
            writing: false,
            timer: None,
        }
    }

    /// Whether something new may be done on it.
    pub(crate) const fn is_usable(&self) -> bool {
        matches!(
            self.state,
            State::Waiting(_) | State::Connecting | State::Running
        )
    }
}

impl Conn {
    /// Whether this link of ours asked to be recovered, and was not answered.
    pub(super) fn asks_in_vain(&mut self, id: LinkId) -> bool {
        self.engine.link(id).is_ok_and(|link| {
            // To decode what it asked for costs more than the rest.
            !link.is_incoming()
                && link.recovered().is_none()
                && link.offer().is_some_and(|offer| offer.recoverable)
        })
    }

    /// Whether a link on this session of ours, which ended, did. Looked at once, and not for each link that ends with it.
    pub(super) fn is_asked_in_vain(&mut self, session: SessionId) -> bool {
        if let Some((_, known)) = self.judged.filter(|(judged, _)| *judged == session) {
            return known;
        }
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        let verdict = links.into_iter().any(|id| {
            let on = self.engine.link(id).map(|link| link.session());
            on == Ok(Some(session)) && self.asks_in_vain(id)
        });
        self.judged = Some((session, verdict));
        verdict
    }

    /// A sender sends to this node. Who was there first is who is found by it.
    pub(super) fn add_sender(&mut self, node: Str, sender: SenderKey) {
        match self.senders.entry(node) {
            Entry::Vacant(place) => drop(place.insert(sender)),
            Entry::Occupied(place) if *place.get() == sender => {}
            Entry::Occupied(place) => {
                let more = self.more_senders.entry(place.key().clone()).or_default();
                more.insert(sender.to_bits());
            }
        }
    }

    /// The sender is there no longer: another one to the node, if there is one, is found by it now.
    pub(super) fn remove_sender(&mut self, node: &Str, sender: SenderKey) {
        let next = match self.more_senders.get_mut(node) {
            None => None,
            Some(more) if self.senders.get(node) == Some(&sender) => more.pop_first(),
            Some(more) => {
                more.remove(&sender.to_bits());
                None
            }
        };
        if self.more_senders.get(node).is_some_and(BTreeSet::is_empty) {
            self.more_senders.remove(node);
        }
        if let Some(next) = next {
            self.senders
                .insert(node.clone(), SenderKey::from_bits(next));
        } else if self.senders.get(node) == Some(&sender) {
            self.senders.remove(node);
        }
    }

    /// Whether only links are on it that a peer sent to where it leads.
    pub(super) fn is_detour(&self) -> bool {
        self.identity.as_ref().is_some_and(Identity::is_detour)
    }

    /// Whether it was such a one, until the place failed: its links are about to go back to what was asked for.
    pub(super) fn leads_home(&self) -> bool {
        let line = self.line.as_ref();
        self.is_detour() && !line.is_some_and(Line::is_redirected)
    }
}

impl std::fmt::Debug for Conn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not what it was opened for: that has the password in it.
        let Self {
            endpoint,
            container,
            state,
            ..
        } = self;
        write!(f, "Conn({endpoint}, {container:?}, {state:?})")
    }
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Pool {
    conns: Slab<Conn>,
    by_identity: HashMap<Identity, ConnKey>,
    /// Of several peers with one name, who came first is first; but see [`prefer`](Self::prefer).
    by_container: HashMap<Str, Vec<ConnKey>>,
    dirty: VecDeque<ConnKey>,
    writing: VecDeque<ConnKey>,
    timers: BinaryHeap<Reverse<(Time, u64)>>,
    names: Names,
    partials: Partials,
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self {
            conns: Slab::new(),
            by_identity: HashMap::new(),
            by_container: HashMap::new(),
            dirty: VecDeque::new(),
            writing: VecDeque::new(),
            timers: BinaryHeap::new(),
            names: Names::default(),
            partials: Partials::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.conns.is_empty()
    }

    pub(crate) fn keys(&self) -> Vec<ConnKey> {
        self.conns.keys()
    }

    #[inline]
    pub(crate) fn get(&self, key: ConnKey) -> Option<&Conn> {
        self.conns.get(key)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: ConnKey) -> Option<&mut Conn> {
        self.conns.get_mut(key)
    }

    pub(crate) fn insert(&mut self, conn: Conn) -> ConnKey {
        let identity = conn.identity.clone();
        let key = self.conns.insert(conn);
        if let Some(identity) = identity {
            self.by_identity.insert(identity, key);
        }
        key
    }

    pub(crate) fn remove(&mut self, key: ConnKey) -> Option<Conn> {
        self.hide(key);
        self.take_links(key);
        let conn = self.conns.remove(key)?;
        self.partials.change(key, conn.partial, Partial::default());
        Some(conn)
    }

    pub(super) const fn conns_and_partials(&mut self) -> (&mut Slab<Conn>, &mut Partials) {
        (&mut self.conns, &mut self.partials)
    }

    pub(super) const fn conns_and_names(&mut self) -> (&mut Slab<Conn>, &mut Names) {
        (&mut self.conns, &mut self.names)
    }

    /// The connection that was opened for this.
    pub(crate) fn find(&self, identity: &Identity) -> Option<ConnKey> {
        self.by_identity.get(identity).copied()
    }

    /// A connection that was opened for this host and port, whoever logged in there.
    pub(crate) fn find_at(&self, address: &Address) -> Option<ConnKey> {
        let known = self.by_identity.iter();
        let there = known.filter(|(it, _)| it.is_at(address) && !it.is_detour());
        // Of several, the same on every run.
        there.map(|(_, key)| *key).min_by_key(|key| key.to_bits())
    }

    /// The connection whose peer has this name. None to where a peer sent links: nothing else goes there.
    pub(crate) fn find_container(&self, name: &str) -> Option<ConnKey> {
        let mut known = self.by_container.get(&Str::from(name))?.iter().copied();
        known.find(|key| self.get(*key).is_some_and(|conn| !conn.is_detour()))
    }

    /// All connections whose peers have this name, and of those the one to use first.
    pub(crate) fn of_container(&self, name: &Str) -> Vec<ConnKey> {
        self.by_container.get(name).cloned().unwrap_or_default()
    }

    /// The peer said its name. Whoever came first keeps it as long as it is there: a newcomer must
    /// not take over the replies that are meant for someone else.
    pub(crate) fn name(&mut self, key: ConnKey, name: Str) {
        if let Some(conn) = self.conns.get_mut(key) {
            conn.container = Some(name.clone());
            self.by_container.entry(name).or_default().push(key);
        }
    }

    /// A connection comes before another whose peer has the same name.
    pub(crate) fn prefer(&mut self, key: ConnKey, before: ConnKey) {
        let name = self.conns.get(key).and_then(|conn| conn.container.as_ref());
        if let Some(keys) = name.and_then(|name| self.by_container.get_mut(name)) {
            keys.retain(|known| *known != key);
            let at = keys.iter().position(|known| *known == before);
            keys.insert(at.unwrap_or(keys.len()), key);
        }
    }

    /// A connection is for something else from now on.
    pub(super) fn rename(&mut self, key: ConnKey, identity: Identity) {
        self.hide(key);
        if let Some(conn) = self.conns.get_mut(key) {
            conn.identity = Some(identity.clone());
            self.by_identity.insert(identity, key);
        }
    }

    /// Nothing new goes down this connection.
    pub(crate) fn hide(&mut self, key: ConnKey) {
        let Some(conn) = self.conns.get(key) else {
            return;
        };
        if let Some(identity) = &conn.identity
            && self.by_identity.get(identity) == Some(&key)
        {
            self.by_identity.remove(identity);
        }
        if let Some(name) = &conn.container
            && let Some(keys) = self.by_container.get_mut(name)
        {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.by_container.remove(name);
            }
        }
    }

    /// Something was done to the connection: its events must be looked at, its output written.
    #[inline]
    pub(crate) fn touch(&mut self, key: ConnKey) {
        if let Some(conn) = self.conns.get_mut(key)
            && !std::mem::replace(&mut conn.dirty, true)
        {
            self.dirty.push_back(key);
        }
    }

    /// The next connection that was touched.
    pub(crate) fn next_dirty(&mut self) -> Option<ConnKey> {
        while let Some(key) = self.dirty.pop_front() {
            if let Some(conn) = self.conns.get_mut(key) {
                conn.dirty = false;
                return Some(key);
            }
        }
        None
    }

    /// Whether connections were touched that nobody looked at yet.
    pub(crate) fn has_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// After its events were looked at: it may have something to write, and a new deadline.
    pub(crate) fn settle_down(&mut self, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        if !std::mem::replace(&mut conn.writing, true) {
            self.writing.push_back(key);
        }
        self.note_partial(key);
        self.note_deadline(key);
    }

    /// A connection may have another deadline than before.
    pub(crate) fn note_deadline(&mut self, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        let at = match conn.state {
            State::Connecting => None,
            State::Waiting(at) | State::Away(at) | State::Over(at) => Some(at),
            State::Running | State::Closing => {
                conn.engine.poll_timeout().map(|deadline| deadline.at)
            }
        };
        // Later deadlines need no entry: when the earlier one comes up the engine is asked again.
        if let Some(at) = at
            && conn.timer.is_none_or(|timer| at < timer)
        {
            conn.timer = Some(at);
            self.timers.push(Reverse((at, key.to_bits())));
            if self.timers.len() > 2 * self.conns.len() + SPARE_TIMERS {
                self.drop_stale_timers();
            }
        }
    }

    /// Who connects and goes again, over and over, leaves a timer each time, which is not kept until it is due.
    fn drop_stale_timers(&mut self) {
        let conns = &self.conns;
        self.timers.retain(|Reverse((at, bits))| {
            let conn = conns.get(ConnKey::from_bits(*bits));
            conn.is_some_and(|conn| conn.timer == Some(*at))
        });
        self.timers.shrink_to(2 * conns.len() + SPARE_TIMERS);
    }

    /// Whether connections may have something to write.
    pub(crate) fn has_writing(&self) -> bool {
        !self.writing.is_empty()
    }

    /// The next connection that may have something to write.
    pub(crate) fn next_writing(&mut self) -> Option<ConnKey> {
        while let Some(key) = self.writing.pop_front() {
            if let Some(conn) = self.conns.get_mut(key) {
                conn.writing = false;
                return Some(key);
            }
        }
        None
    }

    /// When the first timer is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// A connection whose timer is due.
    pub(crate) fn next_due(&mut self, now: Time) -> Option<ConnKey> {
        while let Some(Reverse((at, bits))) = self.timers.peek().copied()
            && at <= now
        {
            self.timers.pop();
            let key = ConnKey::from_bits(bits);
            // An entry that an earlier one overtook says nothing new.
            if let Some(conn) = self.conns.get_mut(key)
                && conn.timer == Some(at)
            {
                conn.timer = None;
                return Some(key);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use ferrion_engine::{Config, Engine, Time};

    use super::{Conn, Pool, SPARE_TIMERS, State};

    #[test]
    fn connections_that_come_and_go_leave_few_timers_and_those_that_stay_keep_theirs() {
        let mut pool = Pool::new();
        let mut enter = |at: Time| {
            let engine = Engine::server(Config::new("server"));
            let key = pool.insert(Conn::new(engine, String::new(), State::Waiting(at)));
            pool.note_deadline(key);
            key
        };
        let stays = enter(Time(50_000));
        let gone: Vec<_> = (0..10_000).map(|n| enter(Time(60_000 + n))).collect();
        for key in gone {
            pool.remove(key);
            let engine = Engine::server(Config::new("server"));
            let key = pool.insert(Conn::new(
                engine,
                String::new(),
                State::Waiting(Time(70_000)),
            ));
            pool.note_deadline(key);
            pool.remove(key);
        }
        assert!(
            pool.timers.len() <= SPARE_TIMERS + 2 * 3,
            "{}",
            pool.timers.len()
        );
        assert_eq!(pool.next_due(Time(50_000)), Some(stays));
        assert_eq!(pool.next_due(Time(100_000)), None);
    }
}
