//! Connections that are made again: when, where to, and what moves over to the new one.

use std::collections::HashMap;
use std::time::Duration;

use ferrion_engine::codec::Symbol;
use ferrion_engine::protocol::conditions;
use ferrion_engine::{LinkId, Time};

use super::address::Address;
use super::line::{Jitter, Line, alternative, asked_for, millis};
use super::pool::{ConnKey, Party, State};
use super::redirect::Elsewhere;
use super::sender::SenderKey;
use super::source::SourceState;
use super::store::{Origin, Queued};
use super::tracker::Status;
use super::{Action, Core};
use crate::error::{Error, Result};
use crate::reconnect::{ConnectionEvent, Reconnect};

/// How long a connection has to stand to count as a success, where no policy says so.
const STEADY: Duration = Duration::from_secs(10);

impl Core {
    // ---- settings ----

    pub(crate) fn set_reconnect(&mut self, policy: Option<Reconnect>) {
        self.options.reconnect = policy;
    }

    pub(crate) const fn reconnect(&self) -> Option<&Reconnect> {
        self.options.reconnect.as_ref()
    }

    pub(crate) const fn set_jitter(&mut self, seed: u64) {
        self.jitter = Jitter::new(seed);
    }

    /// Where else an address may be found. They are asked for from the next connection on.
    pub(crate) fn set_alternatives(&mut self, address: &str, others: &[&str]) -> Result<()> {
        let asked = Address::parse(address)?;
        let mut places = Vec::new();
        for text in others {
            places.push(alternative(&asked, text)?);
        }
        let address = asked;
        let place = asked_for(&address);
        if places.is_empty() {
            self.options.alternatives.remove(&place);
        } else {
            self.options.alternatives.insert(place, places);
        }
        Ok(())
    }

    pub(super) fn line_to(&self, address: &Address) -> Line {
        let others = self.options.alternatives.get(&asked_for(address));
        Line::new(address, others.map_or(&[], Vec::as_slice))
    }

    /// The peer answered on a connection of ours.
    pub(super) fn tell_connected(&mut self, key: ConnKey, now: Time) {
        if let Some(conn) = self.pool.get_mut(key)
            && let Some(line) = &mut conn.line
        {
            conn.since = Some(now);
            line.connected();
            let address = conn.endpoint.clone();
            self.tell(ConnectionEvent::Connected { address });
        }
    }

    // ---- what the driver's clock does ----

    /// Asks for the transport of a connection whose time has come.
    pub(super) fn connect(&mut self, key: ConnKey) {
        if self.go_home(key) {
            return;
        }
        if let Some(conn) = self.pool.get_mut(key)
            && let Some(line) = &conn.line
        {
            conn.state = State::Connecting;
            let target = line.target();
            self.actions.push_back(Action::Connect {
                conn: key,
                scheme: target.scheme,
                port: target.port(),
                host: target.host,
                name: line.name(),
            });
        }
    }

    // ---- failures ----

    /// A connection failed. What depended on it moves to a new one, or is given up.
    pub(super) fn fail(&mut self, key: ConnKey, now: Time, error: Error) {
        let Some(conn) = self.pool.get(key) else {
            return;
        };
        if conn.line.is_none() {
            self.give_up(key, error, true);
            return;
        }
        let address = conn.endpoint.clone();
        self.note_lost(key, &error);
        self.tell(ConnectionEvent::Failed {
            address: address.clone(),
            error: error.clone(),
        });
        if self.is_needed(key)
            && let Some((line, delay)) = self.next_attempt(key, now, &error)
            && self.move_over(key, now, line, delay, &error).is_ok()
        {
            return;
        }
        self.tell(ConnectionEvent::GivenUp {
            address,
            error: error.clone(),
        });
        self.give_up(key, error, true);
    }

    /// Whether anything is to be had of a connection: a subscription, or messages that are not done with.
    fn is_needed(&self, key: ConnKey) -> bool {
        let Some(conn) = self.pool.get(key) else {
            return false;
        };
        conn.links.values().any(|party| match party {
            Party::Sender(sender) => {
                let sender = self.senders.get(*sender);
                sender.is_some_and(|sender| sender.waiting() > 0 || sender.in_flight > 0)
            }
            Party::Receiver(Some(source)) => {
                let source = self.sources.get(*source);
                source.is_none_or(|source| !source.ends_with_link())
            }
            Party::Receiver(None) | Party::Replies => false,
        }) || self.has_requests(key)
            || self.is_checked(key)
    }

    /// How many milliseconds something has to stand to count as a success.
    pub(super) fn steady(&self) -> u64 {
        let policy = self.options.reconnect.as_ref();
        millis(policy.map_or(STEADY, |policy| policy.max_delay))
    }

    /// Where and when to try again, if that is wanted and has any prospect.
    fn next_attempt(&mut self, key: ConnKey, now: Time, error: &Error) -> Option<(Line, u64)> {
        let conn = self.pool.get(key)?;
        let mut line = conn.line.clone()?;
        // A connection that stood for a while was a success, though nothing was to be sent.
        let steady = self.steady();
        let stood = conn.since.is_some_and(|since| now.since(since) >= steady);
        if conn.useful || stood {
            line.succeed();
        }
        line.failed(error);
        if let Some(elsewhere) = Elsewhere::of(error) {
            return line.redirect(elsewhere).then_some((line, 0));
        }
        let policy = self.options.reconnect.as_ref()?;
        if !has_prospect(error) {
            return None;
        }
        let delay = line.retry(policy, now, |delay| self.jitter.vary(delay))?;
        Some((line, delay))
    }

    /// Replaces a connection: its senders, their messages and its subscriptions go to the new one.
    fn move_over(
        &mut self,
        old: ConnKey,
        now: Time,
        line: Line,
        delay: u64,
        error: &Error,
    ) -> Result<()> {
        let identity = self.pool.get(old).and_then(|conn| conn.identity.clone());
        let Some(identity) = identity else {
            return Err(Error::State("the connection is not ours"));
        };
        let (failures, _) = line.strain();
        let is_detour = identity.is_detour();
        if !(is_detour && line.is_redirected()) {
            self.forget_nodes(old);
        }
        self.pool.hide(old);
        let crowd = self.pool.get(old).filter(|_| !line.is_redirected());
        let crowd = crowd.map(|conn| conn.crowd.again()).unwrap_or_default();
        let new = self.open(identity, line, State::Waiting(now.after(delay)))?;
        if let Some(conn) = self.pool.get_mut(new) {
            conn.crowd = crowd;
        }
        if let Some(conn) = self.pool.get(new) {
            let address = conn.endpoint.clone();
            let delay = Duration::from_millis(delay);
            self.tell(ConnectionEvent::Retrying {
                address,
                failures,
                delay,
            });
        }
        // Another peer knows nothing of what this one was sent.
        self.move_links(old, new, !is_detour, error);
        if delay == 0 {
            self.connect(new);
        }
        self.pool.touch(new);
        Ok(())
    }

    /// Moves the links of a connection to another, on which they go on where they were if they may.
    pub(super) fn move_links(&mut self, old: ConnKey, new: ConnKey, go_on: bool, error: &Error) {
        self.hold_requests(old);
        self.keep_senders_elsewhere(old, new);
        if let Some(conn) = self.pool.get_mut(old) {
            // What is written there from now on is no concern of the senders.
            conn.flushing.clear();
        }
        let links = self.pool.take_links(old);
        self.incoming.forget_settled(old);
        let mut moved = 0;
        let links: Vec<(LinkId, Party)> = links
            .into_iter()
            .filter(|(link, party)| {
                let from = Origin {
                    conn: old,
                    link: *link,
                };
                match go_on
                    .then(|| self.go_on_with_ours(from, new, *party))
                    .flatten()
                {
                    Some(lost) => moved += lost,
                    None => return true,
                }
                false
            })
            .collect();
        self.given_up += moved;
        let mut lost = moved;
        for (link, party) in links {
            match party {
                Party::Sender(sender) => {
                    let (again, given_up) = self.take_back(sender, error);
                    lost += given_up;
                    self.tell_resent(new, sender, again.len());
                    lost += self.move_sender(sender, new, again, error);
                }
                Party::Receiver(source) => {
                    let from = Origin { conn: old, link };
                    self.credit.detach(from);
                    if self.is_parting(party) {
                        // It does not go on where it was.
                        self.incoming.abort(from);
                    }
                    let ours = |key: &_| {
                        let source = self.sources.get(*key);
                        source.is_some_and(|source| matches!(source.state, SourceState::Link(..)))
                    };
                    if let Some(source) = source.filter(ours)
                        && let Err(error) = self.attach_source_on(source, new)
                        && self.break_source(source, &error)
                    {
                        self.push_recv_error(error);
                    }
                }
                Party::Replies => {}
            }
        }
        self.renew_requests(new);
        if lost > 0 {
            self.push_send_error(error.clone());
        }
    }

    /// What is put to a node whose sender a peer sent elsewhere goes there, also when the connection to that peer is
    /// another.
    fn keep_senders_elsewhere(&mut self, old: ConnKey, new: ConnKey) {
        let Some(conn) = self.pool.get_mut(old) else {
            return;
        };
        let known = std::mem::take(&mut conn.senders);
        let (here, elsewhere): (HashMap<_, _>, HashMap<_, _>) = known
            .into_iter()
            .filter(|(_, key)| self.senders.get(*key).is_some())
            .partition(|(_, key)| self.senders.get(*key).is_some_and(|it| it.conn == old));
        conn.senders = here;
        if let Some(conn) = self.pool.get_mut(new) {
            conn.senders.extend(elsewhere);
        }
    }

    /// Takes what the peer of a sender has not answered back into the form of messages that wait.
    ///
    /// What was sent before there was a policy is not there any more, and is given up: how many, is
    /// answered too.
    pub(super) fn take_back(&mut self, key: SenderKey, error: &Error) -> (Vec<Queued>, usize) {
        let mut again = Vec::new();
        let mut lost = 0;
        let Some(sender) = self.senders.get_mut(key).filter(|it| it.in_flight > 0) else {
            return (again, lost);
        };
        sender.in_flight = 0;
        for sequence in self.outgoing.under_way_of(key) {
            match self.outgoing.answered(sequence) {
                Some(payload) => again.push(Queued { sequence, payload }),
                None => {
                    lost += 1;
                    self.outgoing
                        .finish(sequence, Status::Aborted, Some(error.clone()));
                }
            }
        }
        self.given_up += lost;
        (again, lost)
    }

    /// Moves a sender to another connection. Answers how many messages that cost.
    pub(super) fn move_sender(
        &mut self,
        key: SenderKey,
        conn: ConnKey,
        again: Vec<Queued>,
        error: &Error,
    ) -> usize {
        let known = self.senders.get(key);
        let ours = known.is_some_and(|sender| sender.ours);
        let node = known.map(|sender| sender.node.clone()).unwrap_or_default();
        let there = known.map(|sender| sender.there().clone());
        let link = if ours {
            self.attach_sender(conn, &there.unwrap_or_default()).ok()
        } else {
            // The peer asked for it, and may ask again.
            None
        };
        self.queue_again(key, again);
        let Some(link) = link else {
            return self.drop_senders(&[key], error);
        };
        let lost = self.lose_unflushed(key, Some(error));
        let Some(sender) = self.senders.get_mut(key) else {
            return 0;
        };
        (sender.conn, sender.link, sender.flushing) = (conn, link, false);
        self.pool.add_link(conn, link, Party::Sender(key));
        if let Some(conn) = self.pool.get_mut(conn) {
            // Nothing is put to where a peer sends links but what they bring.
            if !conn.is_detour() {
                conn.add_sender(node, key);
            }
        }
        self.given_up += lost;
        lost
    }
}

/// Whether the same can succeed at another time or place.
fn has_prospect(error: &Error) -> bool {
    const HOPELESS: [Symbol; 6] = [
        conditions::UNAUTHORIZED_ACCESS,
        conditions::NOT_ALLOWED,
        conditions::NOT_IMPLEMENTED,
        conditions::NOT_FOUND,
        conditions::DECODE_ERROR,
        conditions::CONNECTION_FRAMING_ERROR,
    ];
    match error {
        Error::Connect { .. } | Error::Lost { .. } => true,
        // A handshake that was cut short may be finished the next time; a wrong certificate stays one.
        Error::Tls { .. } => error.is_retryable(),
        Error::Remote { condition, .. } => !HOPELESS.contains(&condition.condition),
        _ => false,
    }
}
