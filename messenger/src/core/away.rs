//! Peers that were lost and may come back: what is kept of their links (2.6.13), for how long, and how it becomes theirs
//! again.
//!
//! Links with which only the peer can go on wait for that on a connection that has no transport and never will: its engine
//! remembers what is not settled, and takes decisions and messages as the engines of connections do that are being made
//! again.

use std::collections::HashMap;

use ferrion_engine::codec::Str;
use ferrion_engine::protocol::Role;
use ferrion_engine::{Engine, Limits, LinkId, SessionId, Time};

use super::Core;
use super::absent::{Load, Place};
use super::address::Address;
use super::login::TokenMark;
use super::pool::{Conn, ConnKey, Identity, Party, State};
use super::sender::SenderKey;
use super::source::SourceKey;
use super::store::Origin;
use crate::error::Error;
use crate::recovery::LinkRecovery;

/// By what a peer is known again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Peer {
    pub(super) container: Str,
    pub(super) login: Login,
}

/// Who answers for a peer: many may have the same if nobody logs in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Login {
    /// Where it came in, and as whom.
    listener: Option<SourceKey>,
    user: Option<String>,
    token: Option<TokenMark>,
    subject: Option<String>,
    /// Where it was found.
    identity: Option<Identity>,
}

impl Peer {
    /// Whose connection it is, once the peer said its name.
    pub(super) fn of(conn: &Conn) -> Option<Self> {
        if let Some(kept) = &conn.kept {
            return Some(kept.peer.clone());
        }
        Some(Self {
            container: conn.container.clone()?,
            login: Login {
                listener: conn.listener,
                user: conn.user.clone(),
                token: conn.token.clone(),
                subject: conn.subject.clone(),
                identity: conn.identity.clone(),
            },
        })
    }
}

/// What is known of a peer that is away.
#[derive(Debug)]
pub(crate) struct Kept {
    peer: Peer,
    place: Place,
    /// What each of its links costs.
    octets: HashMap<LinkId, usize>,
}

impl Core {
    /// A connection failed: keeps those of its links with which only the peer can go on, or which are ours on a
    /// connection of the peer's.
    pub(super) fn keep_links(&mut self, key: ConnKey, now: Time, error: &Error) {
        let Some(policy) = self.options.recovery.clone() else {
            return;
        };
        let Some((conn, peer)) = self.pool.get(key).zip(self.peer_of(key)) else {
            return;
        };
        let (endpoint, container) = (conn.endpoint.clone(), conn.container.clone());
        let moves = conn.line.is_some();
        let links: Vec<(LinkId, Party)> = conn
            .links
            .iter()
            .filter(|(_, party)| !(moves && self.is_ours(**party) || self.is_parting(**party)))
            .map(|(link, party)| (*link, *party))
            .collect();
        let mut lefts = Vec::new();
        for (link, party) in links {
            let ours = self.is_ours(party);
            let left = self.leave(Origin { conn: key, link }, ours);
            lefts.extend(left.map(|left| (link, party, left.octets(), left)));
        }
        let load = Load {
            links: lefts.len(),
            octets: lefts.iter().map(|(_, _, octets, _)| octets).sum(),
        };
        if lefts.is_empty() || !self.make_room(&policy, &peer.login, load) {
            return;
        }
        let Some((engine, session)) = self.memory() else {
            return;
        };
        let until = millis(&policy.keep_for);
        let mut away = Conn::new(engine, endpoint, State::Away(now.after(until)));
        (away.container, away.session) = (container, Some(session));
        let away = self.pool.insert(away);
        let place = self.away.add(away, &peer);
        if let Some(conn) = self.pool.get_mut(away) {
            conn.kept = Some(Kept {
                peer: peer.clone(),
                place,
                octets: HashMap::new(),
            });
        }
        for (link, party, octets, left) in lefts {
            let Some(conn) = self.pool.get_mut(away) else {
                return;
            };
            let begun = conn.engine.session(session);
            let Ok(id) = begun.and_then(|mut session| session.resume(&left.state)) else {
                continue;
            };
            if let Some(kept) = &mut conn.kept {
                kept.octets.insert(id, octets);
            }
            self.away.load(&peer, Load::of(octets));
            if self.is_ours(party) {
                self.away.expect(place, &peer);
            }
            self.pool.remove_link(key, link);
            if let Some(conn) = self.pool.get_mut(key) {
                conn.flushing.clear();
            }
            if let Party::Sender(sender) = party {
                let node = self.senders.get(sender).map(|sender| sender.node.clone());
                if let Some((conn, node)) = self.pool.get_mut(key).zip(node) {
                    conn.remove_sender(&node, sender);
                }
                self.fail_requests_of(sender, error);
            }
            let (from, to) = (
                Origin { conn: key, link },
                Origin {
                    conn: away,
                    link: id,
                },
            );
            let lost = self.go_on(from, to, &left, party);
            if lost > 0 {
                self.given_up += lost;
                self.push_send_error(error.clone());
            }
        }
        self.pool.touch(away);
    }

    /// An engine that only remembers. Nobody talks to it, and what it holds is bounded by the policy: what limits peers is not to
    /// lose any of their links here, where those of all their sessions are on one.
    fn memory(&self) -> Option<(Engine, SessionId)> {
        let mut config = self.config();
        config.limits = Limits::default();
        config.limits.links_per_session = u32::MAX;
        let mut engine = Engine::client(config);
        engine.connection().open().ok()?;
        let session = engine
            .connection()
            .begin(ferrion_engine::SessionConfig::default());
        Some((engine, session.ok()?))
    }

    /// Makes room for links of a lost peer that cost so much. Who has the most gives up what it lost longest ago, so
    /// that nobody loses anything to someone who has more. Answers whether there is room then.
    fn make_room(&mut self, policy: &LinkRecovery, login: &Login, load: Load) -> bool {
        while !self.away.has_room(load, policy) {
            let Some(oldest) = self.away.oldest_of_most(login, load, policy) else {
                return false;
            };
            self.forget_away(oldest);
        }
        true
    }

    /// A peer did not come back in time, or there is no room for what it left.
    pub(super) fn forget_away(&mut self, key: ConnKey) {
        let Some(conn) = self.pool.get(key) else {
            return;
        };
        let error = Error::Lost {
            address: conn.endpoint.clone(),
            cause: "the peer did not come back in time to go on with its links".to_owned(),
        };
        for link in conn.links.keys() {
            self.incoming.abort(Origin {
                conn: key,
                link: *link,
            });
        }
        self.give_up(key, error, true);
        self.remove(key);
    }

    /// A connection is about to be gone, perhaps one that stands for a peer that is away.
    pub(super) fn forget_absence(&mut self, key: ConnKey) {
        if let Some(kept) = self.pool.get(key).and_then(|conn| conn.kept.as_ref()) {
            let load = Load {
                links: kept.octets.len(),
                octets: kept.octets.values().sum(),
            };
            self.away.remove(kept.place, &kept.peer, load);
        }
    }

    pub(super) fn peer_of(&self, key: ConnKey) -> Option<Peer> {
        self.pool.get(key).and_then(Peer::of)
    }

    /// Whether we attached a link, rather than the peer.
    pub(super) fn is_ours(&self, party: Party) -> bool {
        match party {
            Party::Sender(key) => self.senders.get(key).is_some_and(|sender| sender.ours),
            Party::Receiver(source) => {
                let source = source.and_then(|source| self.sources.get(source));
                source.is_some_and(|source| !source.address.listen)
            }
            Party::Replies => true,
        }
    }

    // ---- coming back ----

    /// A peer is there: if it was there before, links of ours go on.
    pub(super) fn go_on_at(&mut self, key: ConnKey) {
        if self.away.is_empty() {
            return;
        }
        let Some(peer) = self.peer_of(key) else {
            return;
        };
        for away in self.away.expecting(&peer) {
            let Some(conn) = self.pool.get(away) else {
                continue;
            };
            let links = conn.links.iter().map(|(link, party)| (*link, *party));
            for (link, party) in links.collect::<Vec<_>>() {
                let from = Origin { conn: away, link };
                if self.is_ours(party) && self.go_on_with_ours(from, key, party).is_some() {
                    self.take_from(from);
                }
            }
            if let Some(conn) = self.pool.get(away)
                && let Some(kept) = &conn.kept
                && !conn.links.values().any(|party| self.is_ours(*party))
            {
                self.away.stop_expecting(kept.place, &peer);
            }
        }
    }

    /// A connection failed whose peer may have made another before that was noticed: links of ours go on there.
    pub(super) fn go_on_elsewhere(&mut self, peer: Option<Peer>) {
        let Some(peer) = peer.filter(|peer| self.away.expects(peer)) else {
            return;
        };
        for other in self.pool.of_container(&peer.container) {
            if !self.away.expects(&peer) {
                return;
            }
            let running = self.pool.get(other).map(|conn| conn.state) == Some(State::Running);
            if running && self.peer_of(other).as_ref() == Some(&peer) {
                self.go_on_at(other);
            }
        }
    }

    /// The peer attaches a link: if it is one of before, it goes on. Answers whether it is.
    pub(super) fn welcome_back(&mut self, key: ConnKey, id: LinkId, now: Time) -> bool {
        if self.options.recovery.is_none() {
            return false;
        }
        let Some(peer) = self.peer_of(key) else {
            return false;
        };
        let Some(conn) = self
            .pool
            .get_mut(key)
            .filter(|conn| conn.state == State::Running)
        else {
            return false;
        };
        let Ok(link) = conn.engine.link(id) else {
            return false;
        };
        let known = (link.role(), link.name());
        // Who remembers nothing may have several connections with links of the same name, as containers of Proton do.
        let remembers = link.remote().is_some_and(|it| it.unsettled.is_some());
        if remembers {
            self.oust(key, &peer, &known, now);
        }
        let Some((from, party)) = self.pool.kept_with(&peer, &known) else {
            return false;
        };
        let Some(left) = self.leave(from, false) else {
            return false;
        };
        let link = self
            .pool
            .get_mut(key)
            .and_then(|conn| conn.engine.link(id).ok());
        if link.is_none_or(|mut link| link.resume(&left.state).is_err()) {
            return false;
        }
        self.go_on(
            from,
            Origin {
                conn: key,
                link: id,
            },
            &left,
            party,
        );
        self.take_from(from);
        self.returned(key, id, now);
        match party {
            Party::Receiver(source) => {
                let source = source.and_then(|source| self.sources.get(source));
                let most = source.and_then(|source| source.options.most());
                let origin = Origin {
                    conn: key,
                    link: id,
                };
                self.credit.attach(origin, most);
            }
            Party::Sender(sender) => self.make_ready(sender),
            Party::Replies => {}
        }
        self.pool.touch(key);
        true
    }

    /// A peer that attaches a link once more has lost the connection on which it was, sooner than this side (2.6.1).
    fn oust(&mut self, key: ConnKey, peer: &Peer, known: &(Role, Str), now: Time) {
        for other in self.pool.running_with(peer, known) {
            let Some(conn) = self.pool.get_mut(other).filter(|_| other != key) else {
                continue;
            };
            let error = Error::Lost {
                address: conn.endpoint.clone(),
                cause: "the peer came back on another connection".to_owned(),
            };
            conn.state = State::Over(now);
            self.keep_links(other, now, &error);
            self.fail(other, now, error);
            self.remove(other);
            self.go_on_at(key);
        }
    }

    /// A link is not away any more.
    pub(super) fn take_from(&mut self, from: Origin) {
        let Some(conn) = self.pool.get_mut(from.conn) else {
            return;
        };
        if let Some(kept) = &mut conn.kept
            && let Some(octets) = kept.octets.remove(&from.link)
        {
            self.away.unload(&kept.peer, Load::of(octets));
        }
        self.pool.remove_link(from.conn, from.link);
        let conn = self.pool.get(from.conn);
        if conn.is_some_and(|conn| conn.links.is_empty()) {
            self.remove(from.conn);
        }
    }

    /// Whether an address leads to a peer that is away, and to which of its senders.
    pub(super) fn sender_away(&self, address: &Address) -> Option<SenderKey> {
        let (host, node) = (address.host.as_str(), Str::from(address.node()));
        let bare = address.explicit_port.is_none() && address.user.is_none();
        if !bare || self.away.is_empty() {
            return None;
        }
        let conns = self.away.of_container(host);
        let mut conns = conns.filter_map(|key| self.pool.get(key));
        conns.find_map(|conn| conn.senders.get(&node).copied())
    }
}

pub(super) fn is_link(engine: &mut Engine, link: LinkId, known: &(Role, Str)) -> bool {
    let link = engine.link(link);
    link.is_ok_and(|link| (link.role(), link.name()) == *known)
}

fn millis(duration: &std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
