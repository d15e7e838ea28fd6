//! Connections that are made again: when, where to, and what moves over to the new one.

use std::collections::HashMap;
use std::time::Duration;

use ferrion_engine::codec::Symbol;
use ferrion_engine::protocol::conditions;
use ferrion_engine::{LinkId, Time};

use super::address::{Address, without_password};
use super::pool::{ConnKey, Party, State};
use super::redirect::Elsewhere;
use super::sender::SenderKey;
use super::source::SourceState;
use super::store::{Origin, Queued};
use super::tracker::Status;
use super::{Action, Core};
use crate::error::{Error, Result};
use crate::reconnect::{ConnectionEvent, Reconnect};

/// Events that nobody asked for yet; beyond it the oldest are dropped.
const MAX_TRAIL: usize = 1024;
/// How long a connection has to stand to count as a success, where no policy says so.
const STEADY: Duration = Duration::from_secs(10);
/// Redirections that are followed one after the other, before anything gets through or a place fails.
pub(super) const MAX_REDIRECTS: u32 = 5;

/// A host and its port.
pub(crate) type Place = (String, u16);

/// Where a connection of ours leads, and how that went so far.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// What was asked for; without credentials, which the connection's identity has.
    address: Address,
    /// Where that may be found. Never empty.
    places: Vec<Place>,
    at: usize,
    /// Where a peer sent us instead, and how often one did.
    redirected: Option<Elsewhere>,
    redirects: u32,
    /// Failures since a message last got through, and when the first of them was.
    failures: u32,
    since: Option<Time>,
    /// Whether any attempt has succeeded.
    opened: bool,
    /// How the last attempt ended.
    last: Option<Error>,
}

impl Line {
    pub(crate) fn new(address: &Address, alternatives: &[Place]) -> Self {
        let mut address = address.clone();
        (address.user, address.password) = (None, None);
        let mut places = vec![(address.host.clone(), address.port())];
        places.extend(alternatives.iter().cloned());
        Self {
            address,
            places,
            at: 0,
            redirected: None,
            redirects: 0,
            failures: 0,
            since: None,
            opened: false,
            last: None,
        }
    }

    /// The address to connect to now.
    pub(crate) fn target(&self) -> Address {
        let mut address = self.address.clone();
        let place = self
            .redirected
            .as_ref()
            .map(|elsewhere| &elsewhere.place)
            .or_else(|| self.places.get(self.at));
        if let Some((host, port)) = place {
            address.host.clone_from(host);
            address.explicit_port = Some(*port);
        }
        address
    }

    /// Who is to be there: what open, SASL and TLS are told, and what a certificate must be for.
    pub(crate) fn name(&self) -> String {
        let named = self.redirected.as_ref().map(|it| it.name().to_owned());
        named.unwrap_or_else(|| self.target().host)
    }

    /// Whether a peer chose where it leads now, and whom it may be told that this is: nobody whom the user named.
    pub(crate) fn is_to_stranger(&self) -> bool {
        let named = |name: &str| {
            let mut places = self.places.iter();
            places.any(|(host, _)| host.eq_ignore_ascii_case(name))
        };
        self.redirected.as_ref().is_some_and(|it| !named(it.name()))
    }

    /// What was asked for.
    pub(crate) const fn asked(&self) -> &Address {
        &self.address
    }

    /// Why it is not connected.
    pub(crate) const fn last(&self) -> Option<&Error> {
        self.last.as_ref()
    }

    /// Something got through: what failed before does not count any more.
    fn succeed(&mut self) {
        self.failures = 0;
        self.redirects = 0;
        self.since = None;
    }

    /// Goes elsewhere, as the peer asks, if it does not ask too often.
    fn redirect(&mut self, elsewhere: Elsewhere) -> bool {
        self.redirects += 1;
        self.redirected = Some(elsewhere);
        self.redirects <= MAX_REDIRECTS
    }

    /// Whether a peer chose where it leads now.
    pub(crate) const fn is_redirected(&self) -> bool {
        self.redirected.is_some()
    }

    /// The same, to where a peer sends links that have come to nothing so often since then.
    pub(super) fn detour(&self, elsewhere: Elsewhere, failures: u32, since: Option<Time>) -> Self {
        Self {
            redirected: Some(elsewhere),
            redirects: 0,
            failures,
            since,
            opened: true,
            last: None,
            ..self.clone()
        }
    }

    /// Whether that is just what was asked for.
    pub(super) fn is_home(&self, elsewhere: &Elsewhere) -> bool {
        elsewhere.is_at(&self.address, &self.address.host)
    }

    /// Whether that is where it leads now.
    pub(super) fn leads_to(&self, elsewhere: &Elsewhere) -> bool {
        elsewhere.is_at(&self.target(), &self.name())
    }

    /// Failures since a message last got through, and when the first of them was.
    pub(super) const fn strain(&self) -> (u32, Option<Time>) {
        (self.failures, self.since)
    }

    /// Chooses the next place after a failure, and the milliseconds to wait. `None`: give up.
    fn retry(
        &mut self,
        policy: &Reconnect,
        now: Time,
        vary: impl FnOnce(u64) -> u64,
    ) -> Option<u64> {
        let count = u32::try_from(self.places.len()).unwrap_or(u32::MAX).max(1);
        let since = *self.since.get_or_insert(now);
        self.failures = self.failures.saturating_add(1);
        // Where we were sent has failed: what was asked for may send us elsewhere now, and as often as it takes. That
        // there is always some time in between, and an end to it, is the policy's to say.
        if self.redirected.take().is_some() {
            self.redirects = 0;
        } else {
            self.at = (self.at + 1) % self.places.len().max(1);
        }
        let round = self.failures / count;
        if round > 0 && !self.opened && !policy.initial {
            return None;
        }
        let delay = round.checked_sub(1).map_or(0, |doublings| {
            let first = millis(policy.first_delay);
            let longer = first.saturating_mul(1u64.checked_shl(doublings).unwrap_or(u64::MAX));
            // Never at once: what fails without any wait would keep the caller for ever.
            vary(longer.min(millis(policy.max_delay))).max(1)
        });
        let until = policy
            .give_up_after
            .map(|patience| since.0.saturating_add(millis(patience)));
        until
            .is_none_or(|until| now.0.saturating_add(delay) <= until)
            .then_some(delay)
    }
}

/// Numbers that vary delays: repeatable, for they come from a seed.
#[derive(Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) const fn new(seed: u64) -> Self {
        // The generator (xorshift64) stands still at zero.
        Self(if seed == 0 {
            0x9e37_79b9_7f4a_7c15
        } else {
            seed
        })
    }

    /// `delay`, up to a quarter more or less.
    fn vary(&mut self, delay: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        delay - delay / 4 + self.0 % (delay / 2 + 1)
    }
}

impl Core {
    // ---- settings, and what is told ----

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

    pub(crate) fn next_connection_event(&mut self) -> Option<ConnectionEvent> {
        self.trail.pop_front()
    }

    pub(super) fn tell(&mut self, event: ConnectionEvent) {
        if self.trail.len() == MAX_TRAIL {
            self.trail.pop_front();
        }
        self.trail.push_back(event);
    }

    /// The peer answered on a connection of ours.
    pub(super) fn tell_connected(&mut self, key: ConnKey, now: Time) {
        if let Some(conn) = self.pool.get_mut(key)
            && let Some(line) = &mut conn.line
        {
            conn.since = Some(now);
            line.opened = true;
            line.last = None;
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
            Party::Receiver(source) => source.is_some(),
            Party::Replies => false,
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
        line.last = Some(error.clone());
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
        let failures = line.failures;
        let is_detour = identity.is_detour();
        if !(is_detour && line.is_redirected()) {
            self.forget_nodes(old);
        }
        self.pool.hide(old);
        let new = self.open(identity, line, State::Waiting(now.after(delay)))?;
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
        let links = self
            .pool
            .get_mut(old)
            .map(|conn| {
                // What is written there from now on is no concern of the senders.
                conn.flushing.clear();
                std::mem::take(&mut conn.links)
            })
            .unwrap_or_default();
        self.incoming.settled.retain(|(conn, _)| *conn != old);
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
        let (mut resent, mut lost) = self.take_back(|conn, _| conn == old, error);
        lost += moved;
        for (link, party) in links {
            match party {
                Party::Sender(sender) => {
                    let again = resent.remove(&sender).unwrap_or_default();
                    self.tell_resent(new, sender, again.len());
                    lost += self.move_sender(sender, new, again, error);
                }
                Party::Receiver(source) => {
                    self.credit.detach(Origin { conn: old, link });
                    let ours = |key: &_| {
                        let source = self.sources.get(*key);
                        source.is_some_and(|source| matches!(source.state, SourceState::Link(..)))
                    };
                    if let Some(source) = source.filter(ours)
                        && let Err(error) = self.attach_source_on(source, new)
                    {
                        self.break_source(source);
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

    /// Takes what the peers of some senders have not answered back into the form of messages that wait.
    ///
    /// What was sent before there was a policy is not there any more, and is given up: how many, is
    /// answered too.
    pub(super) fn take_back(
        &mut self,
        of: impl Fn(ConnKey, SenderKey) -> bool,
        error: &Error,
    ) -> (HashMap<SenderKey, Vec<Queued>>, usize) {
        let mut resent: HashMap<SenderKey, Vec<Queued>> = HashMap::new();
        let mut lost = 0;
        if self.outgoing.awaiting == 0 {
            return (resent, lost);
        }
        for sequence in self.outgoing.window.range() {
            let Some(sent) = self.outgoing.window.get_mut(sequence) else {
                continue;
            };
            let Some(sender) = self.senders.get_mut(sent.sender) else {
                continue;
            };
            if sent.delivery.is_none() || !of(sender.conn, sent.sender) {
                continue;
            }
            let key = sent.sender;
            sender.in_flight -= 1;
            match self.outgoing.answered(sequence) {
                Some(payload) => {
                    let queue = resent.entry(key).or_default();
                    queue.push(Queued { sequence, payload });
                }
                None => {
                    lost += 1;
                    self.outgoing
                        .finish(sequence, Status::Aborted, Some(error.clone()));
                }
            }
        }
        self.given_up += lost;
        (resent, lost)
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
        if let Some(conn) = self.pool.get_mut(conn) {
            conn.links.insert(link, Party::Sender(key));
            // Nothing is put to where a peer sends links but what they bring.
            if !conn.is_detour() {
                conn.senders.entry(node).or_insert(key);
            }
        }
        self.given_up += lost;
        lost
    }
}

/// The place that an alternative means: it has nothing to say but host and port.
fn alternative(asked: &Address, text: &str) -> Result<Place> {
    let mut other = Address::parse(text)?;
    let reason = if other.listen {
        "'~' means to listen; an alternative is connected to, write it without the ~"
    } else if other.user.is_some() || other.password.is_some() {
        "an alternative gets the user and password of the address that it stands for; leave them out"
    } else if !other.node().is_empty() {
        "an alternative is another host for the same nodes; leave the name out"
    } else if text.contains("://") && other.scheme != asked.scheme {
        "an alternative has the scheme of the address that it stands for; write the same, or none"
    } else {
        // Its port is that of the scheme, unless it says one.
        other.scheme = asked.scheme;
        return Ok((other.host.clone(), other.port()));
    };
    Err(Error::InvalidAddress {
        address: without_password(text),
        reason: reason.to_owned(),
    })
}

/// The host and port that alternatives are set for.
fn asked_for(address: &Address) -> Place {
    (address.host.to_ascii_lowercase(), address.port())
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

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Jitter, Line};
    use crate::core::address::Address;
    use crate::core::redirect::Elsewhere;
    use crate::reconnect::Reconnect;
    use ferrion_engine::Time;
    use std::time::Duration;

    fn line(others: &[(&str, u16)]) -> Line {
        let others: Vec<_> = others
            .iter()
            .map(|(host, port)| ((*host).to_owned(), *port))
            .collect();
        Line::new(&Address::parse("amqp://a").unwrap(), &others)
    }

    /// The delays and hosts of attempts that all fail, until it is given up.
    fn attempts(line: &mut Line, policy: &Reconnect) -> Vec<(u64, String)> {
        let mut now = Time(0);
        let mut seen = Vec::new();
        while seen.len() < 20
            && let Some(delay) = line.retry(policy, now, |delay| delay)
        {
            now = now.after(delay);
            seen.push((delay, line.target().host));
        }
        seen
    }

    #[test]
    fn delays_double_up_to_the_most_and_end_in_time() {
        let mut line = line(&[]);
        line.opened = true;
        let policy = Reconnect {
            max_delay: Duration::from_millis(500),
            give_up_after: Some(Duration::from_millis(2_300)),
            ..Reconnect::default()
        };
        let delays: Vec<u64> = attempts(&mut line, &policy)
            .iter()
            .map(|(delay, _)| *delay)
            .collect();
        assert_eq!(delays, [100, 200, 400, 500, 500, 500]);
        line.succeed();
        assert_eq!(line.retry(&policy, Time(9_000), |delay| delay), Some(100));
    }

    #[test]
    fn alternatives_are_tried_in_turn_before_any_delay() {
        let mut line = line(&[("b", 5672), ("c", 1)]);
        line.opened = true;
        let seen = attempts(&mut line, &Reconnect::default());
        let seen: Vec<(u64, &str)> = seen
            .iter()
            .take(7)
            .map(|(delay, host)| (*delay, host.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (0, "b"),
                (0, "c"),
                (100, "a"),
                (100, "b"),
                (100, "c"),
                (200, "a"),
                (200, "b")
            ]
        );
    }

    #[test]
    fn what_was_never_there_is_tried_once_at_every_place() {
        let policy = Reconnect::default();
        assert_eq!(attempts(&mut line(&[]), &policy), []);
        assert_eq!(
            attempts(&mut line(&[("b", 1)]), &policy),
            [(0, "b".to_owned())]
        );
        let initial = Reconnect {
            initial: true,
            ..policy
        };
        assert!(attempts(&mut line(&[]), &initial).len() > 5);
    }

    #[test]
    fn delays_vary_by_a_quarter_and_repeat_with_the_seed() {
        let mut one = Jitter::new(7);
        let mut two = Jitter::new(7);
        let mut other = Jitter::new(8);
        let mut differ = false;
        for _ in 0..1000 {
            let delay = one.vary(1000);
            assert!((750..=1250).contains(&delay), "{delay}");
            assert_eq!(delay, two.vary(1000));
            differ |= delay != other.vary(1000);
        }
        assert!(differ);
        assert_eq!(Jitter::new(0).vary(0), 0);
    }

    fn to(host: &str) -> Elsewhere {
        Elsewhere {
            place: (host.to_owned(), 1),
            hostname: None,
        }
    }

    #[test]
    fn redirections_end() {
        let mut line = line(&[]);
        for n in 0..5 {
            assert!(line.redirect(to(&format!("r{n}"))));
            assert_eq!(line.target().host, format!("r{n}"));
        }
        assert!(!line.redirect(to("r9")));
        line.succeed();
        assert!(line.redirect(to("r9")));
    }

    #[test]
    fn who_is_named_by_a_peer_only_is_a_stranger() {
        let mut line = line(&[("b", 1)]);
        assert!(!line.is_to_stranger());
        for (elsewhere, stranger) in [("c", true), ("B", false), ("a", false), ("a.b", true)] {
            line.redirect(to(elsewhere));
            assert_eq!(line.is_to_stranger(), stranger, "{elsewhere}");
            line.redirect(Elsewhere {
                hostname: Some(elsewhere.to_owned()),
                ..to("a")
            });
            assert_eq!(line.is_to_stranger(), stranger, "{elsewhere}");
            assert_eq!(line.name(), elsewhere);
            assert_eq!(line.target().host, "a");
        }
    }
}
