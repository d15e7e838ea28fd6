//! Requests that wait for replies: a correlation-id for each (3.2.4), and one reply address per connection.
//!
//! A request waits until the reply address of its connection is known, then in the queue of its
//! sender, then for its reply. It is kept until that has come: a connection that is made again has
//! another reply address, to which the request is then sent again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use ferrion_engine::Time;
use ferrion_engine::message::{Message, MessageId};

use super::Core;
use super::address::Address;
use super::octets::Octets;
use super::pool::{ConnKey, Identity, Party};
use super::reasons::reason_octets;
use super::replies::Replies;
use super::sender::SenderKey;
use super::store::Queued;
use super::tracker::{Status, Tracker};
use crate::error::{Error, Result};

/// Requests that may be outstanding, those included whose reply was not taken yet.
const MAX_REQUESTS: usize = 65_536;
/// Marks sequence numbers, and with them delivery-tags, that are those of requests.
const REQUEST: u64 = 1 << 61;

#[derive(Debug)]
struct Entry {
    /// The request without its reply-to. Empty when it is done.
    payload: Bytes,
    sender: SenderKey,
    stage: Stage,
    until: Option<Time>,
}

impl Entry {
    const fn is_untaken(&self) -> bool {
        matches!(self.stage, Stage::Waiting | Stage::Sent)
    }
}

#[derive(Debug)]
enum Stage {
    /// For the reply address.
    Waiting,
    /// In the queue of its sender, where it has so many octets.
    Queued(usize),
    /// The peer has it, and has not said what became of it.
    Sent,
    /// The peer took it.
    Taken,
    Done(Result<Bytes>),
}

/// All requests whose reply nobody has taken.
#[derive(Debug, Default)]
pub(super) struct Requests {
    entries: BTreeMap<u64, Entry>,
    /// Those that are not done, by the numbers of their senders.
    open: HashMap<u64, BTreeSet<u64>>,
    last: u64,
    /// What correlation-ids begin with, so that nobody guesses those of others.
    token: u64,
    octets: usize,
    /// The octets of replies that nobody has taken, and of reasons why there are none.
    replies: usize,
    /// Requests that are not done.
    outstanding: usize,
    /// Requests that are in no queue and that no peer has taken.
    untaken: usize,
    /// Requests whose time has not begun, with the milliseconds that they have.
    fresh: Vec<(u64, u64)>,
    timers: BTreeSet<(Time, u64)>,
}

impl Requests {
    pub(super) fn deadline(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    fn correlation(&self, id: u64) -> String {
        format!("{:016x}-{id}", self.token)
    }

    /// The request that a message replies to.
    pub(super) fn find(&self, payload: &Bytes) -> Option<u64> {
        let reply = Message::decode_lenient(payload.clone()).ok()?;
        let Some(MessageId::String(text)) = reply.correlation_id().ok()? else {
            return None;
        };
        let id = text.rsplit_once('-')?.1.parse().ok()?;
        (text.as_str() == self.correlation(id)).then_some(id)
    }

    pub(super) fn is_queued(&self, id: u64) -> bool {
        self.queued(id).is_some()
    }

    /// In whose queue a request is, and with how many octets.
    fn queued(&self, id: u64) -> Option<(SenderKey, usize)> {
        let entry = self.entries.get(&id)?;
        match entry.stage {
            Stage::Queued(octets) => Some((entry.sender, octets)),
            _ => None,
        }
    }

    /// Requests to a sender that are not done, the oldest first.
    fn open_at(&self, sender: SenderKey) -> Vec<u64> {
        let ids = self.open.get(&sender.to_bits());
        ids.map_or_else(Vec::new, |ids| ids.iter().copied().collect())
    }

    /// Whether requests to a sender are not done.
    pub(super) fn are_open_at(&self, sender: SenderKey) -> bool {
        self.open.contains_key(&sender.to_bits())
    }

    /// An engine has the request.
    pub(super) fn sent(&mut self, id: u64) {
        if let Some(entry) = self.entries.get_mut(&id)
            && matches!(entry.stage, Stage::Queued(_))
        {
            entry.stage = Stage::Sent;
            self.untaken += 1;
        }
    }

    /// Its receiver took it, or was not asked whether it did.
    pub(super) fn taken(&mut self, id: u64) {
        if let Some(entry) = self.entries.get_mut(&id)
            && matches!(entry.stage, Stage::Sent)
        {
            entry.stage = Stage::Taken;
            self.untaken -= 1;
        }
    }

    /// Requests that are under way and not in the queue of a sender: they count as outgoing.
    pub(super) const fn untaken(&self) -> usize {
        self.untaken
    }

    /// A request got its reply, or never will. The first end counts; answers whether this was it. One that
    /// may be in a queue is [ended](Core::end_request) instead.
    fn finish(&mut self, id: u64, result: Result<Bytes>) -> bool {
        let Some(entry) = self.entries.get_mut(&id) else {
            return false;
        };
        if matches!(entry.stage, Stage::Done(_)) {
            return false;
        }
        self.outstanding -= 1;
        self.untaken -= usize::from(entry.is_untaken());
        self.octets -= std::mem::take(&mut entry.payload).len();
        if let Some(until) = entry.until.take() {
            self.timers.remove(&(until, id));
        }
        let sender = entry.sender.to_bits();
        if let Some(ids) = self.open.get_mut(&sender) {
            ids.remove(&id);
            if ids.is_empty() {
                self.open.remove(&sender);
            }
        }
        self.replies += octets_of(&result);
        entry.stage = Stage::Done(result);
        true
    }

    /// Forgets a request that is done.
    fn remove(&mut self, id: u64) -> Option<Result<Bytes>> {
        match self.entries.remove(&id)?.stage {
            Stage::Done(result) => {
                self.replies -= octets_of(&result);
                Some(result)
            }
            _ => None,
        }
    }

    /// The octets of replies, and of reasons why there are none, that nobody has taken.
    pub(super) const fn untaken_octets(&self) -> usize {
        self.replies
    }
}

/// What a result counts for as long as nobody takes it.
fn octets_of(result: &Result<Bytes>) -> usize {
    result.as_ref().map_or_else(reason_octets, Bytes::len)
}

/// The request that a sequence number is of, if it is of one.
pub(super) const fn request_of(sequence: u64) -> Option<u64> {
    if sequence & REQUEST == 0 {
        None
    } else {
        Some(sequence & !REQUEST)
    }
}

impl Core {
    pub(crate) const fn set_request_token(&mut self, token: u64) {
        self.requests.token = token;
    }

    // ---- the calls ----

    /// Takes a request for sending, for whose reply there is time for so many milliseconds.
    pub(crate) fn send_request(&mut self, message: &Message, patience: Option<u64>) -> Result<u64> {
        let sender = self.destination_of(message)?;
        if self.requests.entries.len() >= MAX_REQUESTS {
            return Err(Error::State(
                "65536 requests are outstanding; take their replies, or cancel some",
            ));
        }
        let id = self.requests.last + 1;
        let mut changed = message.clone();
        let correlation = MessageId::String(self.requests.correlation(id).into());
        let properties = changed.properties_mut()?;
        if let Some(to) = self.recent_to() {
            properties.to = to.as_deref().map(Into::into);
        }
        properties.reply_to = None;
        // Servers copy the one or the other.
        properties.message_id = Some(correlation.clone());
        properties.correlation_id = Some(correlation);
        let payload = changed.to_bytes();
        let (_, most) = self.high_water();
        let octets = self.requests.octets.saturating_add(payload.len());
        if self.requests.octets > 0 && octets > most {
            return Err(Error::Overflow {
                messages: self.requests.outstanding,
                octets: self.requests.octets,
            });
        }
        let (_, most) = self.incoming_high_water();
        if self.requests.replies > 0 && self.requests.replies >= most {
            return Err(Error::State(
                "the replies that wait have as many octets as may wait; take some of them",
            ));
        }
        let Some(conn) = self.senders.get(sender).map(|sender| sender.conn) else {
            return Err(Error::State("the connection is gone; try again"));
        };
        self.attach_replies(conn)?;
        let requests = &mut self.requests;
        requests.last = id;
        requests.octets = octets;
        requests.outstanding += 1;
        requests.untaken += 1;
        let entry = Entry {
            payload,
            sender,
            stage: Stage::Waiting,
            until: None,
        };
        requests.entries.insert(id, entry);
        requests
            .open
            .entry(sender.to_bits())
            .or_default()
            .insert(id);
        if let Some(patience) = patience {
            requests.fresh.push((id, patience));
        }
        self.queue_requests(conn, Some(id));
        self.pool.touch(conn);
        Ok(id)
    }

    /// Whether a request is done, or is none.
    pub(crate) fn is_answered(&self, id: u64) -> bool {
        let entry = self.requests.entries.get(&id);
        entry.is_none_or(|entry| matches!(entry.stage, Stage::Done(_)))
    }

    /// Takes the reply; `None` if it has not come.
    pub(crate) fn take_reply(&mut self, id: u64) -> Result<Option<Bytes>> {
        if !self.requests.entries.contains_key(&id) {
            return Err(Error::State(
                "there is no such request; its reply was taken, or it was cancelled",
            ));
        }
        if !self.is_answered(id) {
            return Ok(None);
        }
        // There is room for others.
        self.credit_changed = true;
        self.requests.remove(id).transpose()
    }

    /// Forgets a request. Answers whether there was one.
    pub(crate) fn cancel_request(&mut self, id: u64) -> bool {
        self.end_request(id, Err(Error::EndOfQueue));
        self.requests.remove(id).is_some()
    }

    /// Requests that wait for their reply.
    pub(crate) const fn outstanding_requests(&self) -> usize {
        self.requests.outstanding
    }

    /// Where the reply goes to a message that `get` gave.
    pub(crate) fn reply_address(&self, tracker: Tracker, request: &Message) -> Result<String> {
        let last = self.last_origin;
        let last = last.filter(|(sequence, _)| *sequence == tracker.sequence());
        let taken = self.incoming.window.get(tracker.sequence());
        let known = taken
            .map(|taken| taken.origin)
            .or_else(|| last.map(|last| last.1));
        let Some(origin) = known.filter(|_| tracker.is_incoming()) else {
            return Err(Error::UnknownTracker);
        };
        let Some(text) = request.reply_to()? else {
            return Err(Error::InvalidAddress {
                address: String::new(),
                reason: "the request has no reply-to: nobody waits for a reply".to_owned(),
            });
        };
        let absolute = ["amqp:", "amqps:"]
            .iter()
            .any(|scheme| text.starts_with(scheme));
        // A node of the peer that we connected to is found there; peers that came to us write
        // addresses that mean something here.
        let conn = self.pool.get(origin.conn);
        let identity = conn.and_then(|conn| conn.identity.as_ref());
        // That peer may be where another sent the link: a place that only a peer named.
        let there = conn.filter(|conn| conn.is_detour() && !conn.leads_home());
        if let Some(line) = there.and_then(|conn| conn.line.as_ref())
            && !absolute
        {
            let address = format!("{}/{text}", line.target().endpoint());
            return Ok(self.as_nobody(&address, None));
        }
        Ok(match identity {
            Some(identity) if !absolute => identity.address_of(text),
            _ => self.as_nobody(text, identity),
        })
    }

    /// An address that somebody else wrote: it must not bring our user and password to whom they
    /// choose. A peer that is connected already is found without them.
    fn as_nobody(&self, text: &str, origin: Option<&Identity>) -> String {
        let Ok(address) = Address::parse(text) else {
            return text.to_owned();
        };
        let named =
            address.explicit_port.is_none() && self.pool.find_container(&address.host).is_some();
        let known = origin.is_some_and(|origin| origin.is_at(&address));
        // Nodes that were made up here go to those they were made up for, also if they have left.
        let made_up = !matches!(self.made_up_node(text), Ok(None));
        // Where a route leads is this messenger's own choice.
        let routed = self.routes.apply(text).is_some();
        if address.user.is_some() || named || known || made_up || routed {
            return text.to_owned();
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("amqp", text));
        format!("{scheme}://@{rest}")
    }

    // ---- what waits for a reply address ----

    /// Requests on a connection that are not done.
    pub(super) fn requests_on(&self, key: ConnKey) -> Vec<u64> {
        let mut ids: Vec<u64> = self
            .senders_with_requests(key)
            .flat_map(|sender| self.requests.open_at(sender))
            .collect();
        // In the order in which they were made.
        ids.sort_unstable();
        ids
    }

    fn senders_with_requests(&self, key: ConnKey) -> impl Iterator<Item = SenderKey> {
        let conn = self.pool.get(key).filter(|_| self.requests.outstanding > 0);
        let parties = conn.into_iter().flat_map(|conn| conn.links.values());
        parties.filter_map(|party| match party {
            Party::Sender(sender) => {
                let open = self.requests.are_open_at(*sender);
                open.then_some(*sender)
            }
            _ => None,
        })
    }

    pub(super) fn has_requests(&self, key: ConnKey) -> bool {
        self.senders_with_requests(key).next().is_some()
    }

    /// Queues what waited for the reply address: one request, or all of the connection.
    pub(super) fn queue_requests(&mut self, key: ConnKey, only: Option<u64>) {
        let replies = self.pool.get(key).and_then(|conn| conn.replies.as_ref());
        let Some((link, address)) = replies.and_then(Replies::known) else {
            return;
        };
        let ids = only.map_or_else(|| self.requests_on(key), |id| vec![id]);
        let mut count = 0;
        for id in ids {
            let Some(entry) = self.requests.entries.get_mut(&id) else {
                continue;
            };
            let Some(sender) = self.senders.get_mut(entry.sender) else {
                continue;
            };
            if !matches!(entry.stage, Stage::Waiting) {
                continue;
            }
            let mut message = match Message::decode_lenient(entry.payload.clone()) {
                Ok(message) => message,
                Err(error) => {
                    self.requests.finish(id, Err(error.into()));
                    continue;
                }
            };
            message.set_reply_to(address.as_str());
            let payload = message.to_bytes();
            entry.stage = Stage::Queued(payload.len());
            count += 1;
            self.requests.untaken -= 1;
            self.outgoing.queued += 1;
            self.outgoing.octets += payload.len();
            let sequence = REQUEST | id;
            let payload = Octets::Shared(payload);
            sender.queue.push_back(Queued { sequence, payload });
            sender.last = self.outgoing.window.next();
            let sender = entry.sender;
            self.make_ready(sender);
        }
        self.grant_replies(key, link, count);
    }

    // ---- how requests end ----

    /// A request is over, and is not sent any more if it was not yet.
    /// The first end counts; answers whether this was it.
    pub(super) fn end_request(&mut self, id: u64, result: Result<Bytes>) -> bool {
        let queued = self.requests.queued(id);
        let ended = self.requests.finish(id, result);
        if let Some((sender, octets)) = queued {
            self.strike_out(sender, octets);
        }
        ended
    }

    /// A request in a queue does not belong there any more.
    fn strike_out(&mut self, key: SenderKey, octets: usize) {
        let Some(sender) = self.senders.get_mut(key) else {
            return;
        };
        self.outgoing.queued -= 1;
        self.outgoing.octets -= octets;
        sender.struck += 1;
        // Each is moved at most as often as others were struck out: linear, however many end together.
        if sender.struck * 2 > sender.queue.len() {
            self.sweep(key);
        }
    }

    /// Takes out of a queue what was struck out.
    fn sweep(&mut self, key: SenderKey) {
        if let Some(sender) = self.senders.get_mut(key) {
            sender.struck = 0;
            let requests = &self.requests;
            sender.queue.retain(|queued| {
                request_of(queued.sequence).is_none_or(|id| requests.is_queued(id))
            });
        }
    }

    /// The peer said what became of a request.
    pub(super) fn request_outcome(&mut self, id: u64, status: Status, reason: Option<Error>) {
        let what = match status {
            Status::Rejected => {
                "the receiver rejected the request; see what it takes, its log may say more"
            }
            Status::Released | Status::Modified => {
                "the receiver gave the request back; send it again later"
            }
            _ => return self.requests.taken(id),
        };
        let sender = self.requests.entries.get(&id).map(|entry| entry.sender);
        let sender = sender.and_then(|sender| self.senders.get(sender));
        let node = sender.map_or_else(String::new, |sender| sender.node.to_string());
        let error = reason.unwrap_or_else(|| Error::Send {
            address: node,
            cause: what.to_owned(),
        });
        self.end_request(id, Err(error));
    }

    /// A send failed for what the request is.
    pub(super) fn refuse_request(&mut self, id: u64, error: Error) {
        self.requests.finish(id, Err(error));
    }

    /// A sender is gone: its requests will not be answered.
    pub(super) fn fail_requests_of(&mut self, key: SenderKey, error: &Error) {
        for id in self.requests.open_at(key) {
            self.end_request(id, Err(error.clone()));
        }
    }

    /// A connection is about to be replaced: its requests wait for another reply address.
    pub(super) fn hold_requests(&mut self, key: ConnKey) {
        self.hold(self.requests_on(key));
    }

    /// A sender is about to move to another connection: its requests wait for the reply address there.
    pub(super) fn hold_requests_of(&mut self, key: SenderKey) {
        self.hold(self.requests.open_at(key));
    }

    fn hold(&mut self, ids: Vec<u64>) {
        let mut senders = BTreeSet::new();
        for id in ids {
            let queued = self.requests.queued(id);
            if let Some(entry) = self.requests.entries.get_mut(&id) {
                self.requests.untaken += usize::from(!entry.is_untaken());
                entry.stage = Stage::Waiting;
            }
            if let Some((sender, octets)) = queued {
                self.strike_out(sender, octets);
                senders.insert(sender.to_bits());
            }
        }
        // They may be queued again: then what was struck out could not be told from them.
        for bits in senders {
            self.sweep(SenderKey::from_bits(bits));
        }
    }

    /// Senders were moved to a connection: asks for a reply address there if anybody needs one.
    pub(super) fn renew_requests(&mut self, key: ConnKey) {
        if !self.has_requests(key) {
            return;
        }
        match self.attach_replies(key) {
            // It may be known already.
            Ok(()) => self.queue_requests(key, None),
            Err(error) => self.replies_lost(key, &error),
        }
    }

    /// Ends the requests whose time is over.
    pub(super) fn expire_requests(&mut self, now: Time) {
        for (id, patience) in std::mem::take(&mut self.requests.fresh) {
            if let Some(entry) = self.requests.entries.get_mut(&id)
                && !matches!(entry.stage, Stage::Done(_))
            {
                let until = now.after(patience);
                entry.until = Some(until);
                self.requests.timers.insert((until, id));
            }
        }
        while let Some((until, id)) = self.requests.timers.first().copied()
            && until <= now
        {
            self.requests.timers.remove(&(until, id));
            self.ended = true;
            let waiting = "while no reply came to a request".to_owned();
            self.end_request(id, Err(Error::Timeout { waiting }));
        }
    }
}
