//! The outgoing half of the calls: put, and what became of it.

use std::borrow::Cow;

use bytes::Bytes;
use ferrion_engine::codec::Str;
use ferrion_engine::message::Message;
use ferrion_engine::protocol::{Role, Target, TargetArchetype};
use ferrion_engine::{LinkConfig, LinkId};

use super::Core;
use super::address::{Address, DYNAMIC, without_credentials, without_password};
use super::octets::Octets;
use super::pool::{ConnKey, Party};
use super::request::request_of;
use super::sender::{HANDOVER, Sender, SenderKey};
use super::store::{Queued, Sent};
use super::tracker::{Flags, Status, Tracker};
use crate::error::{Error, Result};

/// Addresses whose destinations are remembered; beyond it all are forgotten and found again.
const MAX_DESTINATIONS: usize = 16_384;
/// So many are remembered before it is first looked whether their senders are still there.
const FEW_DESTINATIONS: usize = 64;
/// Octets put that are worth a write of their own: with more the peer would wait for its share of the work, with less calls
/// to the system cost more than the wait.
const EAGER: usize = HANDOVER / 2;

/// Where an address leads.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    sender: SenderKey,
    /// What is sent as the message's `to`, if that is not what the message says.
    to: Option<Option<String>>,
}

impl Destination {
    pub(crate) const fn nowhere() -> Self {
        Self {
            sender: SenderKey::from_bits(0),
            to: None,
        }
    }

    pub(crate) const fn sender(&self) -> SenderKey {
        self.sender
    }
}

impl Core {
    /// Takes a message for sending. What can be known at once to be impossible is an error; what the
    /// peer must say comes later.
    pub(crate) fn put(&mut self, message: &Message) -> Result<Tracker> {
        let key = self.destination_of(message)?;
        let payload = self.encode(message)?;
        self.enqueue(key, payload)
    }

    /// Takes an encoded message for sending, as it is.
    pub(crate) fn put_octets(&mut self, address: &str, payload: Bytes) -> Result<Tracker> {
        let key = self.destination(address)?;
        self.enqueue(key, Octets::Shared(payload))
    }

    fn enqueue(&mut self, key: SenderKey, payload: Octets) -> Result<Tracker> {
        if self.outgoing.is_full(payload.len()) {
            self.outgoing.refused = payload.len();
            return Err(Error::Overflow {
                messages: self.outgoing.queued,
                octets: self.outgoing.octets,
            });
        }
        let Some(sender) = self.senders.get_mut(key) else {
            return Err(Error::State(
                "the link was lost while the message was put; put it again",
            ));
        };
        let sent = Sent {
            status: Status::Pending,
            sender: key,
            delivery: None,
            payload: None,
        };
        let (sequence, slid) = self.outgoing.window.push(sent);
        self.outgoing.queued += 1;
        self.outgoing.octets += payload.len();
        self.outgoing.fresh += payload.len();
        sender.queue.push_back(Queued { sequence, payload });
        sender.last = sequence;
        if !std::mem::replace(&mut sender.ready, true) {
            self.ready.push_back(key);
        }
        if let Some((sequence, sent)) = slid {
            self.slide_out(sequence, &sent);
        }
        Ok(Tracker::outgoing(sequence))
    }

    /// The sender that a message's address leads to, which becomes the recent one.
    pub(super) fn destination_of(&mut self, message: &Message) -> Result<SenderKey> {
        let Some(address) = message.address()? else {
            return Err(Error::InvalidAddress {
                address: String::new(),
                reason: "the message has no address; give it one before put()".to_owned(),
            });
        };
        self.destination(address)
    }

    fn destination(&mut self, address: &str) -> Result<SenderKey> {
        // One address many times in a row is the commonest case: it costs no hashing.
        if self.recent.0 != address || self.senders.get(self.recent.1.sender).is_none() {
            let destination = match self.destinations.get(address) {
                Some(known) if self.senders.get(known.sender).is_some() => known.clone(),
                _ => self.find_destination(address)?,
            };
            self.recent.0.clear();
            self.recent.0.push_str(address);
            self.recent.1 = destination;
        }
        Ok(self.recent.1.sender)
    }

    /// What is sent as `to` instead of what the message says, to the recent destination.
    pub(super) fn recent_to(&self) -> Option<Option<String>> {
        self.recent.1.to.clone()
    }

    /// The message as it is sent to the recent destination: with `to` rewritten and `reply-to` made
    /// absolute, if need be.
    fn encode(&mut self, message: &Message) -> Result<Octets> {
        let to = self.recent.1.to.as_ref();
        let reply_to = match message.reply_to()? {
            Some("~") => Some(format!("amqp://{}", self.name)),
            Some(text) => text
                .strip_prefix("~/")
                .map(|node| format!("amqp://{}/{node}", self.name)),
            None => None,
        };
        // Links that can be recovered keep what they send.
        let keeps = self.options.recovery.is_some();
        if to.is_none() && reply_to.is_none() {
            return Ok(self.buffers.fill(keeps, |out| message.encode(out)));
        }
        let mut changed = message.clone();
        let properties = changed.properties_mut()?;
        if let Some(to) = to {
            properties.to = to.as_deref().map(Str::from);
        }
        if let Some(reply_to) = reply_to {
            properties.reply_to = Some(reply_to.into());
        }
        Ok(self.buffers.fill(keeps, |out| changed.encode(out)))
    }

    fn find_destination(&mut self, address: &str) -> Result<Destination> {
        let to = match self.rewrites.apply(address) {
            Some(to) => (to.as_deref() != Some(address)).then_some(to),
            None => match without_credentials(address) {
                Cow::Borrowed(_) => None,
                Cow::Owned(stripped) => Some(Some(stripped)),
            },
        };
        let routed = match self.routes.apply(address) {
            Some(Some(routed)) => Cow::Owned(routed),
            _ => Cow::Borrowed(address),
        };
        if routed.starts_with(&*self.name)
            && let Some(key) = self.made_up_node(&routed)?
        {
            let to = match self.senders.get(key) {
                // The name of a link means nothing to who is at its other end.
                Some(sender) if to.is_none() && link_of(&self.name, &routed).is_some() => {
                    let node = Some(sender.node.to_string());
                    Some(node.filter(|node| !node.is_empty()))
                }
                _ => to,
            };
            return Ok(Destination { sender: key, to });
        }
        let parsed = Address::parse(&routed)?;
        if parsed.listen {
            return Err(Error::InvalidAddress {
                address: without_password(&routed),
                reason: "'~' means to listen; to send, write the address without the ~".to_owned(),
            });
        }
        let sender = match self.sender_away(&parsed) {
            Some(sender) => sender,
            None => {
                let conn = self.connection_to(&parsed)?;
                self.sender_on(conn, &parsed)?
            }
        };
        self.make_room_for_destination();
        let destination = Destination { sender, to };
        self.destinations
            .insert(address.to_owned(), destination.clone());
        Ok(destination)
    }

    /// Forgets destinations whose senders are gone, each time there are twice as many as were left the last time: who
    /// answers peers that come and go by their names does not remember all of them.
    fn make_room_for_destination(&mut self) {
        if self.destinations.len() < self.many_destinations.max(FEW_DESTINATIONS) {
            return;
        }
        let senders = &self.senders;
        self.destinations
            .retain(|_, known| senders.get(known.sender).is_some());
        if self.destinations.len() >= MAX_DESTINATIONS {
            self.destinations.clear();
        }
        self.many_destinations = (self.destinations.len() * 2).min(MAX_DESTINATIONS);
    }

    /// The sender to a node that was made up for a peer, or to a link that one attached, if the address is the name of one.
    pub(super) fn made_up_node(&self, name: &str) -> Result<Option<SenderKey>> {
        if let Some(sender) = self.made_up.get(&Str::from(name)) {
            return Ok(Some(*sender));
        }
        match link_of(&self.name, name) {
            Some((instance, key))
                if instance == self.instance
                    && self.senders.get(key).is_some_and(|sender| !sender.ours) =>
            {
                return Ok(Some(key));
            }
            None if made_up(&self.name, NODE, name).is_none() => return Ok(None),
            // The peers of another instance of this name left with it.
            _ => {}
        }
        Err(Error::Send {
            address: name.to_owned(),
            cause:
                "it was made up for a peer that has left; drop the message, or ask the peer for an \
                    address that stays"
                    .to_owned(),
        })
    }

    /// What is put to here goes down this link of a peer's and nowhere else, whatever the peer is called and whether it is
    /// there: the name of its node if that was made up, or a name that is made up for the link.
    pub(super) fn address_of_link(&self, key: SenderKey) -> Option<String> {
        let sender = self.senders.get(key)?;
        if self.made_up.get(&sender.node) == Some(&key) {
            return Some(sender.node.to_string());
        }
        let (name, instance) = (&self.name, self.instance);
        Some(format!("{name}{LINK}{instance:016x}-{}", key.to_bits()))
    }

    /// The sender to a node of a connection; attaches one if there is none.
    fn sender_on(&mut self, key: ConnKey, address: &Address) -> Result<SenderKey> {
        let node = Str::from(address.node());
        // It may be gone if a peer sent it elsewhere.
        let known = self.pool.get(key).and_then(|conn| conn.senders.get(&node));
        if let Some(sender) = known.filter(|sender| self.senders.get(**sender).is_some()) {
            return Ok(*sender);
        }
        let link = self.attach_sender(key, &node)?;
        let sender = self.add_sender(key, link, &node, true);
        if let Some(conn) = self.pool.get_mut(key) {
            conn.senders.insert(node, sender);
        }
        Ok(sender)
    }

    /// Attaches a sending link to a node.
    pub(super) fn attach_sender(&mut self, key: ConnKey, node: &Str) -> Result<LinkId> {
        let name = self.link_name("sender");
        let mut config = LinkConfig::sender(name, node.clone());
        if node.as_str() == DYNAMIC {
            let target = Target {
                dynamic: true,
                ..Target::default()
            };
            config.target = Some(Box::new(TargetArchetype::Target(target)));
        }
        let Some(conn) = self.pool.get(key) else {
            return Err(Error::State("the connection is gone; try again"));
        };
        let address = format!("{}/{node}", conn.endpoint);
        let refused = |cause| Error::Send { address, cause };
        let link = self.attach_where_there_is_room(key, Role::Sender, config, refused)?;
        self.pool.touch(key);
        Ok(link)
    }

    /// Makes a queue for a sending link.
    pub(super) fn add_sender(
        &mut self,
        conn: ConnKey,
        link: LinkId,
        node: &Str,
        ours: bool,
    ) -> SenderKey {
        let sender = self.senders.insert(Sender {
            conn,
            link,
            ours,
            node: node.clone(),
            detour: None,
            last: 0,
            queue: std::collections::VecDeque::new(),
            struck: 0,
            in_flight: 0,
            unflushed: 0,
            sent_settled: Vec::new(),
            ready: false,
            flushing: false,
        });
        self.pool.add_link(conn, link, Party::Sender(sender));
        self.pool.touch(conn);
        sender
    }

    /// Messages that were put and are neither acknowledged nor, if sent settled, gone.
    pub(crate) const fn outgoing(&self) -> usize {
        self.outgoing.unfinished() + self.requests.untaken()
    }

    /// Whether so much was put since the last [`pump`](Self::pump) that it is worth a write.
    pub(crate) const fn has_much_to_send(&self) -> bool {
        self.outgoing.fresh >= EAGER
    }

    /// Whether `put` after an overflow has room again.
    pub(crate) const fn has_room(&self) -> bool {
        self.outgoing.has_room()
    }

    pub(crate) const fn set_high_water(&mut self, messages: usize, octets: usize) {
        self.outgoing.max_messages = messages;
        self.outgoing.max_octets = octets;
    }

    pub(crate) const fn high_water(&self) -> (usize, usize) {
        (self.outgoing.max_messages, self.outgoing.max_octets)
    }

    pub(crate) const fn outgoing_window(&self) -> usize {
        self.outgoing.window.limit()
    }

    pub(crate) fn set_outgoing_window(&mut self, limit: usize) {
        for (sequence, sent) in self.outgoing.window.set_limit(limit) {
            self.slide_out(sequence, &sent);
        }
    }

    pub(super) fn outgoing_status(&self, sequence: u64) -> Status {
        self.outgoing
            .window
            .get(sequence)
            .map_or(Status::Unknown, |sent| sent.status)
    }

    /// Why a message in the window failed.
    pub(crate) fn reason(&self, tracker: Tracker) -> Option<&Error> {
        if tracker.is_incoming() {
            return None;
        }
        self.outgoing.reasons.get(tracker.sequence())
    }

    /// Whether the message still waits here: in a queue of ours, or of the engine's.
    pub(crate) fn buffered(&self, tracker: Tracker) -> bool {
        let sent = self.outgoing.window.get(tracker.sequence());
        let Some(sent) =
            sent.filter(|sent| !tracker.is_incoming() && sent.status == Status::Pending)
        else {
            return false;
        };
        let Some(delivery) = sent.delivery else {
            return true;
        };
        let sender = self.senders.get(sent.sender);
        let conn = sender.and_then(|sender| self.pool.get(sender.conn));
        conn.is_some_and(|conn| conn.engine.is_queued(delivery) == Ok(true))
    }

    /// Forgets messages that were put: whatever becomes of them, nobody asks.
    pub(super) fn settle_outgoing(&mut self, sequence: u64, flags: Flags) -> Result<()> {
        if sequence >= self.outgoing.window.next() {
            return Err(Error::UnknownTracker);
        }
        let from = if flags.contains(Flags::CUMULATIVE) {
            self.outgoing.window.range().start
        } else {
            sequence
        };
        for sequence in from..=sequence {
            if let Some(sent) = self.outgoing.window.take(sequence) {
                self.slide_out(sequence, &sent);
            }
        }
        Ok(())
    }

    /// A message left the window. If it is under way it is settled without waiting for an answer; if
    /// it is still here it will be sent settled.
    fn slide_out(&mut self, sequence: u64, sent: &Sent) {
        self.outgoing.reasons.remove(sequence);
        let Some(delivery) = sent.delivery else {
            return;
        };
        let Some(sender) = self.senders.get_mut(sent.sender) else {
            return;
        };
        self.outgoing.forget(sent.payload.as_ref());
        sender.in_flight -= 1;
        let link_id = sender.link;
        if let Some(conn) = self.pool.get_mut(sender.conn)
            && let Ok(mut link) = conn.engine.sender(link_id)
        {
            // The link may have ended meanwhile, and the delivery with it.
            let _ = link.settle(delivery);
        }
        self.pool.touch(sender.conn);
    }

    /// Senders are gone: their messages are given up. Answers how many there were.
    pub(super) fn drop_senders(&mut self, keys: &[SenderKey], error: &Error) -> usize {
        let mut lost = 0;
        for key in keys {
            self.fail_requests_of(*key, error);
            lost += self.lose_unflushed(*key, Some(error));
            let Some(sender) = self.senders.remove(*key) else {
                continue;
            };
            if self.made_up.get(&sender.node) == Some(key) {
                self.made_up.remove(&sender.node);
            }
            self.pool.remove_link(sender.conn, sender.link);
            // A sender that was sent elsewhere is known where it was asked for.
            let identity = self
                .pool
                .get(sender.conn)
                .and_then(|conn| conn.identity.as_ref());
            let detour = identity.filter(|identity| identity.is_detour());
            let home = detour.and_then(|identity| self.pool.find(&identity.home()));
            if let Some(conn) = self.pool.get_mut(home.unwrap_or(sender.conn)) {
                conn.remove_sender(&sender.node, *key);
            }
            lost += sender.in_flight + sender.waiting();
            if sender.in_flight > 0 {
                self.abort_under_way(*key, error);
            }
            for queued in sender.queue {
                if request_of(queued.sequence).is_some() {
                    // It has ended with the others above.
                    continue;
                }
                self.outgoing.queued -= 1;
                self.outgoing.octets -= queued.payload.len();
                self.outgoing
                    .finish(queued.sequence, Status::Aborted, Some(error.clone()));
            }
        }
        self.given_up += lost;
        lost
    }

    /// Gives up what was under way on a sender that is not any more.
    fn abort_under_way(&mut self, key: SenderKey, error: &Error) {
        for sequence in self.outgoing.under_way_of(key) {
            drop(self.outgoing.answered(sequence));
            self.outgoing
                .finish(sequence, Status::Aborted, Some(error.clone()));
        }
    }
}

/// What follows the name of the messenger in a name that it makes up, and comes before its instance and a number.
const NODE: &str = "-node-";
const LINK: &str = "-link-";

/// The instance and the number in a name of this kind.
fn made_up(messenger: &str, kind: &str, name: &str) -> Option<(u64, u64)> {
    let rest = name.strip_prefix(messenger)?.strip_prefix(kind)?;
    let (instance, number) = rest.split_once('-')?;
    let instance = u64::from_str_radix(instance, 16).ok()?;
    Some((instance, number.parse().ok()?))
}

/// The sender whose link this is the name of, if it is one, and the instance that it is one of.
fn link_of(messenger: &str, name: &str) -> Option<(u64, SenderKey)> {
    let (instance, bits) = made_up(messenger, LINK, name)?;
    Some((instance, SenderKey::from_bits(bits)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::FEW_DESTINATIONS;
    use crate::core::login::Seeds;
    use crate::core::{Action, Core};
    use crate::fault::Cause;
    use ferrion_engine::Time;
    use ferrion_engine::message::Message;

    #[test]
    fn addresses_of_peers_that_are_gone_are_not_remembered() {
        let mut core = Core::new("one".into(), Seeds::new([1; 32], [2; 32]));
        for number in 0..10 * FEW_DESTINATIONS {
            let mut message = Message::with_body("x");
            message.set_address(format!("amqp://peer-{number}/node"));
            core.put(&message).unwrap();
            while let Some(action) = core.next_action() {
                if let Action::Connect { conn, .. } = action {
                    core.connect_failed(
                        conn,
                        Time(number as u64),
                        Cause::from("nobody is there".to_owned()),
                    );
                }
            }
        }
        assert!(core.senders.is_empty());
        assert!(core.destinations.len() <= FEW_DESTINATIONS);
    }
}
