//! The incoming half of the calls: subscribe, get, and decisions about what came.

use std::collections::VecDeque;

use ferrion_engine::LinkConfig;
use ferrion_engine::Time;
use ferrion_engine::codec::Symbol;
use ferrion_engine::message::Message;
use ferrion_engine::protocol::{
    Condition, DeliveryState, Modified, Role, Source as Terminus, TerminusExpiryPolicy, conditions,
};

use super::address::Address;
use super::credit::Credit;
use super::pool::{ConnKey, Party};
use super::source::{Source, SourceKey, SourceState, Subscription};
use super::store::{Origin, Taken};
use super::tracker::{Flags, Status, Tracker};
use super::{Action, Core};
use crate::error::{Error, Result};
use crate::subscribe::SubscribeOptions;

/// What is decided about a received message.
#[derive(Clone, Debug)]
pub(crate) enum Decision {
    Accept,
    Reject(Option<Condition>),
    Release,
    Modify(Modified),
}

impl Decision {
    const fn status(&self) -> Status {
        match self {
            Self::Accept => Status::Accepted,
            Self::Reject(_) => Status::Rejected,
            Self::Release => Status::Released,
            Self::Modify(_) => Status::Modified,
        }
    }

    fn state(&self) -> DeliveryState {
        match self {
            Self::Accept => DeliveryState::Accepted,
            Self::Reject(condition) => DeliveryState::Rejected(condition.clone().map(Box::new)),
            Self::Release => DeliveryState::Released,
            Self::Modify(modified) => DeliveryState::Modified(Box::new(modified.clone())),
        }
    }
}

/// What brokers call a node that lives as long as the link it was made for; RabbitMQ makes no other.
const TEMPORARY_QUEUE: Symbol = Symbol::from_static("temporary-queue");

/// A receiving link from a node that the peer makes up.
pub(super) fn dynamic(mut config: LinkConfig) -> LinkConfig {
    if let Some(terminus) = &mut config.source {
        **terminus = Terminus {
            address: None,
            dynamic: true,
            expiry_policy: TerminusExpiryPolicy::LinkDetach,
            capabilities: vec![TEMPORARY_QUEUE],
            ..(**terminus).clone()
        };
    }
    config
}

impl Core {
    /// Makes messages come from an address, or from everyone who connects to one.
    pub(crate) fn subscribe(
        &mut self,
        address: &str,
        options: &SubscribeOptions,
    ) -> Result<Subscription> {
        let routed = self.routes.apply(address).flatten();
        let address = Address::parse(routed.as_deref().unwrap_or(address))?;
        let fault = if address.listen {
            options.fault_to_listen()
        } else {
            options.fault(address.is_dynamic())
        };
        if let Some(cause) = fault {
            let address = format!("{}/{}", address.endpoint(), address.node());
            return Err(Error::Subscribe { address, cause });
        }
        let options = options.clone();
        if address.listen {
            let source = Source::new(address, options, SourceState::Opening);
            let source = self.sources.insert(source);
            self.listen(source);
            return Ok(Subscription(source));
        }
        let mut source = Source::new(address, options, SourceState::Broken);
        if source.options.is_kept() && source.link_name.is_none() {
            source.link_name = Some(self.link_name("receiver"));
        }
        let source = self.sources.insert(source);
        match self.attach_source(source) {
            Ok(()) => Ok(Subscription(source)),
            Err(error) => {
                self.sources.remove(source);
                Err(error)
            }
        }
    }

    /// Attaches a receiving link for a subscription, on a connection that may have to be made first.
    pub(super) fn attach_source(&mut self, source: SourceKey) -> Result<()> {
        let Some(known) = self.sources.get(source) else {
            return Ok(());
        };
        let address = known.address.clone();
        let key = self.connection_to(&address)?;
        self.attach_source_on(source, key)
    }

    /// Attaches it on this connection; or if it ends, either not at all, or to close it at once.
    pub(super) fn attach_source_on(&mut self, source: SourceKey, key: ConnKey) -> Result<()> {
        let Some(known) = self.sources.get_mut(source) else {
            return Ok(());
        };
        if known.ends_with_link() {
            self.sources.remove(source);
            return Ok(());
        }
        // Until the peer answers: a node that it makes up has another name than the last.
        known.answer = None;
        let (address, name) = (known.address.clone(), known.link_name.clone());
        let node = known.there().to_owned();
        let name = name.unwrap_or_else(|| self.link_name("receiver"));
        let mut config = LinkConfig::receiver(name, node.as_str());
        if address.is_dynamic() {
            config = dynamic(config);
        }
        if let Some(source) = self.sources.get(source) {
            source.options.apply(&mut config);
        }
        let address = match self.pool.get(key) {
            Some(conn) => format!("{}/{node}", conn.endpoint),
            None => return Err(Error::State("the connection is gone; try again")),
        };
        let refused = |cause| Error::Subscribe { address, cause };
        let link = self.attach_where_there_is_room(key, Role::Receiver, config, refused)?;
        let party = Party::Receiver(Some(source));
        self.pool.add_link(key, link, party);
        if let Some(source) = self.sources.get_mut(source) {
            source.state = SourceState::Link(key, link);
            if source.parting.is_some()
                && let Some(conn) = self.pool.get_mut(key)
                && let Ok(mut link) = conn.engine.link(link)
            {
                // It was attached this moment.
                let _ = link.close(None);
            }
        }
        self.pool.touch(key);
        Ok(())
    }

    /// Asks for a listening socket.
    fn listen(&mut self, key: SourceKey) {
        if let Some(source) = self.sources.get_mut(key) {
            source.state = SourceState::Opening;
            self.actions.push_back(Action::Listen {
                source: key,
                scheme: source.address.scheme,
                host: source.address.host.clone(),
                port: source.address.port(),
            });
        }
    }

    /// A subscription's link or connection is gone, for this reason. Answers whether that is any news: it is what was wanted of
    /// most that end.
    pub(super) fn break_source(&mut self, key: SourceKey, error: &Error) -> bool {
        let Some(source) = self.sources.get_mut(key) else {
            return false;
        };
        if source.ends_with_link() {
            self.sources.remove(key);
            return false;
        }
        let ends = source.parting.is_some();
        if ends {
            source.error = Some(error.clone());
        }
        if !matches!(source.state, SourceState::Broken) {
            source.state = SourceState::Broken;
            source.detour = None;
            // `recv` does not bring up again what ends.
            self.broken.extend((!ends).then_some(key));
        }
        true
    }

    /// What `recv` asks for. Brings lost subscriptions up again.
    pub(crate) fn request(&mut self, credit: Credit) {
        self.credit_changed |= self.credit.request(credit);
        for source in std::mem::take(&mut self.broken) {
            let Some(state) = self.sources.get(source) else {
                continue;
            };
            if state.address.listen {
                self.listen(source);
            } else if let Err(error) = self.attach_source(source) {
                self.broken.push(source);
                self.push_recv_error(error);
            }
        }
    }

    /// Whether a listening socket is not open yet, and may still be.
    pub(crate) fn is_opening(&self, subscription: Subscription) -> bool {
        let source = self.sources.get(subscription.0);
        source.is_some_and(|source| matches!(source.state, SourceState::Opening))
    }

    /// If a listening address could not be listened on: why. The subscription is gone then.
    pub(crate) fn take_listen_error(&mut self, subscription: Subscription) -> Option<Error> {
        let source = self.sources.get_mut(subscription.0)?;
        if !source.address.listen || !matches!(source.state, SourceState::Broken) {
            return None;
        }
        let error = source.error.take()?;
        self.forget_recv_error(&error);
        self.drop_listener(subscription);
        Some(error)
    }

    /// Forgets a listening address, whether or not it is listened on.
    pub(crate) fn drop_listener(&mut self, subscription: Subscription) {
        let source = subscription.0;
        let Some(known) = self.sources.get(source) else {
            return;
        };
        if known.address.listen {
            // Where it could not be listened on, there is nothing to let go of.
            if !matches!(known.state, SourceState::Broken) {
                self.actions.push_back(Action::Unlisten { source });
            }
            self.sources.remove(source);
            self.broken.retain(|broken| *broken != source);
        }
    }

    /// Whether anything can come at all.
    pub(crate) fn has_sources(&self) -> bool {
        // `recv` does not bring up again what ends.
        let comes = |source: &Source| {
            source.parting.is_none() || !matches!(source.state, SourceState::Broken)
        };
        !self.pool.is_empty() || self.sources.iter().any(|(_, source)| comes(source))
    }

    /// Messages that wait for `get`.
    pub(crate) fn incoming(&self) -> usize {
        self.incoming.queue.len()
    }

    pub(crate) const fn set_incoming_high_water(&mut self, messages: usize, octets: usize) {
        self.incoming.max_messages = messages;
        self.incoming.max_octets = octets;
        self.credit_changed = true;
    }

    pub(crate) const fn incoming_high_water(&self) -> (usize, usize) {
        (self.incoming.max_messages, self.incoming.max_octets)
    }

    /// Messages that may still come.
    pub(crate) const fn receiving(&self) -> u64 {
        self.credit.receiving()
    }

    /// Takes the oldest message that came in.
    pub(crate) fn get(&mut self, message: &mut Message) -> Result<Tracker> {
        let Some(received) = self.incoming.pop() else {
            return Err(Error::EndOfQueue);
        };
        // Its place can be taken by another.
        self.credit_changed = true;
        let known = received.source.and_then(|source| self.sources.get(source));
        if known.is_some_and(|source| source.options.most().is_some()) {
            self.credit.taken(received.origin);
        }
        let loaded = message.load_lenient(received.payload);
        self.last_subscription = received.source;
        let taken = Taken {
            status: Status::Pending,
            origin: received.origin,
            delivery: received.delivery,
        };
        let (sequence, slid) = self.incoming.window.push(taken);
        self.last_origin = Some((sequence, received.origin));
        if let Err(error) = loaded {
            let mut condition = Condition::new(conditions::DECODE_ERROR);
            condition.description = Some(error.to_string().into());
            let decision = Decision::Reject(Some(condition));
            match slid {
                // It is this very message if there is no window.
                Some((number, mut taken)) if number == sequence => {
                    self.decide_one(&mut taken, &decision);
                }
                slid => {
                    self.accept_slid(slid);
                    self.decide_in_window(sequence, &decision);
                }
            }
            return Err(error.into());
        }
        self.accept_slid(slid);
        Ok(Tracker::incoming(sequence))
    }

    /// A message that leaves the window undecided is accepted.
    fn accept_slid(&mut self, slid: Option<(u64, Taken)>) {
        if let Some((_, mut taken)) = slid {
            self.decide_one(&mut taken, &Decision::Accept);
        }
    }

    pub(super) fn decide_in_window(&mut self, sequence: u64, decision: &Decision) {
        // Taken out and put back: deciding needs the pool as well.
        let Some(slot) = self.incoming.window.get_mut(sequence) else {
            return;
        };
        let mut taken = *slot;
        self.decide_one(&mut taken, decision);
        if let Some(slot) = self.incoming.window.get_mut(sequence) {
            *slot = taken;
        }
    }

    /// Gives a message its outcome and settles it. The first outcome counts.
    fn decide_one(&mut self, taken: &mut Taken, decision: &Decision) {
        if taken.status != Status::Pending {
            return;
        }
        taken.status = decision.status();
        let Some(delivery) = taken.delivery.take() else {
            return;
        };
        self.incoming.forget(taken.origin.conn, delivery);
        let recovers = self.options.recovery.is_some();
        let conn = self.pool.get_mut(taken.origin.conn);
        if let Some(conn) = conn.filter(|_| recovers) {
            if !conn.links.contains_key(&taken.origin.link) {
                // Its link began anew without it: nobody will be told, though an engine remembers it, perhaps.
                taken.status = Status::Aborted;
                return;
            }
            if let Ok(link) = conn.engine.link(taken.origin.link)
                && !link.is_attached()
            {
                // It is told when the link goes on, if it does.
                taken.delivery = Some(delivery);
            }
        }
        let at_once = self.settles_at_once(taken.origin);
        let conn = self.pool.get_mut(taken.origin.conn);
        match conn.and_then(|conn| conn.engine.receiver(taken.origin.link).ok()) {
            // If it fails, the sender settled first: what is decided here stays here.
            Some(mut link) if at_once => {
                drop(link.settle_at_once(delivery, Some(decision.state())));
            }
            Some(mut link) => drop(link.settle(delivery, decision.state())),
            // The link ended first: the sender cannot hear of it any more.
            None => taken.status = Status::Aborted,
        }
        self.pool.touch(taken.origin.conn);
    }

    /// Accepts, rejects, releases or modifies.
    pub(crate) fn decide(
        &mut self,
        tracker: Tracker,
        flags: Flags,
        decision: &Decision,
    ) -> Result<()> {
        let sequence = tracker.sequence();
        let window = &mut self.incoming.window;
        if !tracker.is_incoming() || sequence >= window.next() {
            return Err(Error::UnknownTracker);
        }
        // What left the window is accepted already: saying so again is true, anything else is late.
        let accepting = matches!(decision, Decision::Accept);
        if window.get(sequence).is_none() && !accepting {
            return Err(Error::UnknownTracker);
        }
        if flags.contains(Flags::CUMULATIVE) {
            for sequence in self.incoming.window.undecided(sequence) {
                self.decide_in_window(sequence, decision);
            }
        } else {
            self.decide_in_window(sequence, decision);
        }
        Ok(())
    }

    pub(crate) const fn incoming_window(&self) -> usize {
        self.incoming.window.limit()
    }

    pub(crate) fn set_incoming_window(&mut self, limit: usize) {
        for slid in self.incoming.window.set_limit(limit) {
            self.accept_slid(Some(slid));
        }
    }

    pub(super) fn incoming_status(&self, sequence: u64) -> Status {
        let Some(taken) = self.incoming.window.get(sequence) else {
            return Status::Unknown;
        };
        if taken.status != Status::Pending {
            return taken.status;
        }
        let Some(delivery) = taken.delivery else {
            return Status::Settled;
        };
        let known = |conn: &super::pool::Conn| conn.links.contains_key(&taken.origin.link);
        if self.incoming.is_settled(taken.origin.conn, delivery) {
            Status::Settled
        } else if self.pool.get(taken.origin.conn).is_some_and(known) {
            Status::Pending
        } else {
            Status::Aborted
        }
    }

    /// Forgets received messages, settling those that have no outcome without one.
    pub(super) fn settle_incoming(&mut self, sequence: u64, flags: Flags) -> Result<()> {
        if sequence >= self.incoming.window.next() {
            return Err(Error::UnknownTracker);
        }
        let from = if flags.contains(Flags::CUMULATIVE) {
            self.incoming.window.range().start
        } else {
            sequence
        };
        for sequence in from..=sequence {
            let Some(taken) = self.incoming.window.take(sequence) else {
                continue;
            };
            let Some(delivery) = taken.delivery else {
                continue;
            };
            self.incoming.forget(taken.origin.conn, delivery);
            let at_once = self.settles_at_once(taken.origin);
            if let Some(conn) = self.pool.get_mut(taken.origin.conn)
                && let Ok(mut link) = conn.engine.receiver(taken.origin.link)
                && !(at_once && link.settle_at_once(delivery, None).is_ok())
                && link.forget(delivery).is_err()
            {
                // Who settles second cannot settle without an outcome (2.8.3). If this fails too, the sender
                // settled first, which is as good.
                let _ = link.settle(delivery, DeliveryState::Released);
            }
            self.pool.touch(taken.origin.conn);
        }
        Ok(())
    }

    /// What became of a message.
    pub(crate) fn status(&self, tracker: Tracker) -> Status {
        if tracker.is_incoming() {
            self.incoming_status(tracker.sequence())
        } else {
            self.outgoing_status(tracker.sequence())
        }
    }

    /// Forgets messages of either direction.
    pub(crate) fn settle(&mut self, tracker: Tracker, flags: Flags) -> Result<()> {
        if tracker.is_incoming() {
            self.settle_incoming(tracker.sequence(), flags)
        } else {
            self.settle_outgoing(tracker.sequence(), flags)
        }
    }

    /// Gives unread messages of these sources back to whom they came from: nobody here has seen them. What was sent settled
    /// nobody has any more, and it stays.
    pub(super) fn release_unread(&mut self, of: impl Fn(Option<SourceKey>) -> bool) {
        let mut kept = VecDeque::new();
        while let Some(received) = self.incoming.pop() {
            let Some(delivery) = received.delivery.filter(|_| of(received.source)) else {
                kept.push_back(received);
                continue;
            };
            if let Some(conn) = self.pool.get_mut(received.origin.conn)
                && let Ok(mut link) = conn.engine.receiver(received.origin.link)
            {
                let _ = link.settle(delivery, DeliveryState::Released);
                self.pool.touch(received.origin.conn);
            }
        }
        self.incoming.refill(kept);
    }

    /// The subscription that the last message got came from.
    pub(crate) fn last_subscription(&self) -> Option<Subscription> {
        self.last_subscription.map(Subscription)
    }

    /// The port a subscription listens on, once it does.
    pub(crate) fn subscription_port(&self, subscription: Subscription) -> Option<u16> {
        match self.sources.get(subscription.0)?.state {
            SourceState::Listening(port) => Some(port),
            _ => None,
        }
    }

    /// The absolute address messages come from; known once the peer has answered.
    pub(crate) fn subscription_address(&self, subscription: Subscription) -> Option<String> {
        let source = self.sources.get(subscription.0)?;
        let mut address = source.address.clone();
        match source.state {
            SourceState::Listening(port) => {
                address.explicit_port = Some(port);
                return Some(address.endpoint());
            }
            SourceState::Link(conn, _) => {
                // A node that was made up where a peer sent the link is known there only.
                let conn = self.pool.get(conn).filter(|conn| conn.is_detour());
                if let Some(line) = conn.and_then(|conn| conn.line.as_ref()) {
                    address = line.target();
                }
            }
            SourceState::Opening | SourceState::Broken => return None,
        }
        match source.answer.as_deref()?.address.as_deref()? {
            absolute if absolute.starts_with("amqp:") || absolute.starts_with("amqps:") => {
                Some(absolute.to_owned())
            }
            node => Some(format!("{}/{node}", address.endpoint())),
        }
    }

    /// What the peer answered to a subscription.
    pub(crate) fn subscription_source(&self, subscription: Subscription) -> Option<&Terminus> {
        self.sources.get(subscription.0)?.answer.as_deref()
    }

    /// The peer answered to a subscription. Without the filters that it asks for it must not go on.
    pub(super) fn source_attached(&mut self, key: SourceKey, origin: Origin, answer: Terminus) {
        let Some(source) = self.sources.get_mut(key) else {
            return;
        };
        if source.parting.is_some() {
            return;
        }
        let missing = source.options.missing_filters(Some(&answer));
        let optional = source.options.are_filters_optional();
        let most = source.options.most();
        let address = format!("{}/{}", source.address.endpoint(), source.address.node());
        source.answer = Some(Box::new(answer));
        if missing.is_empty() || optional {
            if !missing.is_empty() {
                let names = missing.join(", ");
                self.warn(format!("{address}: the peer does not filter by {names}"));
            }
            self.credit.attach(origin, most);
            return;
        }
        let cause = format!(
            "the peer does not filter by {}; do without, or allow it with filters_optional()",
            missing.join(", ")
        );
        self.pool.remove_link(origin.conn, origin.link);
        if let Some(conn) = self.pool.get_mut(origin.conn)
            && let Ok(mut link) = conn.engine.link(origin.link)
        {
            let _ = link.close(None);
        }
        let node = self.sources.get(key).map(|source| source.address.node());
        let node = node.unwrap_or_default().to_owned();
        let error = Error::Subscribe { address, cause };
        self.note_link(origin.conn, &node, &error);
        if self.break_source(key, &error) {
            self.push_recv_error(error);
        }
    }

    /// Deals out credit and carries the orders out.
    pub(super) fn deal_credit(&mut self, now: Time) {
        self.credit_changed = false;
        let mut orders = std::mem::take(&mut self.orders);
        let full = self.incoming.is_full(self.requests.untaken_octets());
        let unread = self.incoming.queue.len();
        self.credit.schedule(now, unread, full, &mut orders);
        for order in orders.drain(..) {
            let (super::Order::Grant(origin, _) | super::Order::Drain(origin)) = order;
            if let Some(conn) = self.pool.get_mut(origin.conn)
                && let Ok(mut link) = conn.engine.receiver(origin.link)
            {
                // A link that ended meanwhile is about to leave the scheduler.
                let _ = match order {
                    super::Order::Grant(_, credit) => link.add_credit(credit),
                    super::Order::Drain(_) => link.drain(),
                };
                self.pool.touch(origin.conn);
            }
        }
        self.orders = orders;
    }
}
