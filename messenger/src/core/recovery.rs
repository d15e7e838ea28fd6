//! Link recovery (2.6.13): what links leave when their connection fails, and how others go on with it.
//!
//! A link of ours on a connection of ours goes on at once, on the connection that takes the place of the lost one, and
//! long before that has a transport. Any other link waits for its peer to come back: see `away`.

use std::collections::{HashMap, HashSet};

use ferrion_engine::codec::{Fields, Str, Value};
use ferrion_engine::protocol::{ReceiverSettleMode, Role, Tag};
use ferrion_engine::{
    DeliveryId, Link, LinkConfig, LinkId, LinkState, Payload, SessionId, Time, UsageError,
};

use super::pool::{ConnKey, Party};
use super::pump::sequence;
use super::reasons::{encoded_len, told_octets};
use super::request::request_of;
use super::sender::SenderKey;
use super::source::SourceState;
use super::store::{Origin, Queued};
use super::tracker::Status;
use super::{Core, Options};
use crate::error::Error;
use crate::reconnect::ConnectionEvent;
use crate::recovery::LinkRecovery;

/// What a link and an unsettled delivery cost beyond their payload, in octets.
const OVERHEAD: usize = 128;

/// Why what cannot be sent again by another link is lost.
pub(super) const FORGOTTEN: &str = "the peer did not remember the link";

/// A link that goes on with what another left, until both sides have attached.
#[derive(Debug)]
pub(crate) struct Returning {
    /// The link on the connection that was lost.
    before: Origin,
    /// Deliveries that were received whole before that.
    handed: Vec<Tag>,
}

/// What a link leaves.
pub(super) struct Left {
    pub(super) state: LinkState,
    /// What its deliveries were called.
    ids: HashMap<DeliveryId, Tag>,
}

impl Left {
    /// What it costs to keep it.
    pub(super) fn octets(&self) -> usize {
        let deliveries = self.state.unsettled.iter().map(|delivery| {
            let payload = delivery.payload.as_ref().map_or(0, Payload::len);
            let states = delivery.local_state.iter().chain(&delivery.remote_state);
            payload + states.map(told_octets).sum::<usize>() + OVERHEAD
        });
        // The peer may have chosen all of it.
        let config = &self.state.config;
        let config = config.name.len()
            + config.source.as_deref().map_or(0, encoded_len)
            + config.target.as_deref().map_or(0, encoded_len)
            + config.properties.as_ref().map_or(0, encoded_len);
        deliveries.sum::<usize>() + config + OVERHEAD
    }
}

impl Core {
    pub(crate) fn set_link_recovery(&mut self, recovery: Option<LinkRecovery>) {
        if recovery.is_some() {
            self.pool.name_links();
        }
        self.options.recovery = recovery;
    }

    // ---- attaching ----

    /// Attaches a link of ours, as the settings have it.
    pub(super) fn attach_ours(
        &mut self,
        key: ConnKey,
        session: SessionId,
        role: Role,
        mut config: LinkConfig,
    ) -> Result<LinkId, UsageError> {
        let Some(conn) = self.pool.get_mut(key) else {
            return Err(UsageError::StaleHandle);
        };
        config.snd_settle_mode = self.options.snd_settle_mode.unwrap_or_default();
        config.rcv_settle_mode = self.options.rcv_settle_mode.unwrap_or_default();
        let mut session = conn.engine.session(session)?;
        if self.options.recovery.is_some() && conn.refusing.is_none() {
            config.recoverable = true;
            config.rcv_settle_mode = ReceiverSettleMode::Second;
            // That there is nothing to go on with is told as well: it shows that this side remembers.
            return session.resume(&LinkState::new(role, config));
        }
        match role {
            Role::Sender => session.attach_sender(config),
            Role::Receiver => session.attach_receiver(config),
        }
    }

    // ---- leaving ----

    /// What a link leaves. `None` if nobody can go on with that.
    pub(super) fn leave(&mut self, origin: Origin, ours: bool) -> Option<Left> {
        self.options.recovery.as_ref()?;
        let conn = self.pool.get_mut(origin.conn)?;
        let link = conn.engine.link(origin.link).ok()?;
        // Who has answered without a map does not remember, and will not.
        let forgets = ours
            && link
                .remote()
                .is_some_and(|attach| attach.unsettled.is_none());
        let ids = link.unsettled().map(|known| (known.id, known.tag));
        let ids = ids.collect();
        let mut state = link.state().filter(|state| state.config.recoverable)?;
        if forgets {
            return None;
        }
        if state.role == Role::Sender {
            // Requests are sent anew: their reply address is gone.
            let is_request = |tag: &Tag| sequence(tag).and_then(request_of).is_some();
            state
                .unsettled
                .retain(|delivery| !is_request(&delivery.tag));
        }
        Some(Left { state, ids })
    }

    /// Goes on with a link of ours on another connection. Answers whether that can be done, and if so how many
    /// messages it costs.
    pub(super) fn go_on_with_ours(
        &mut self,
        from: Origin,
        to: ConnKey,
        party: Party,
    ) -> Option<usize> {
        if self.pool.get(to)?.refusing.is_some() || self.is_parting(party) {
            return None;
        }
        let left = self.leave(from, true)?;
        let session = self.session_with_room(to).ok()?;
        let conn = self.pool.get_mut(to)?;
        let session = conn.engine.session(session);
        let link = session
            .and_then(|mut session| session.resume(&left.state))
            .ok()?;
        self.pool.touch(to);
        Some(self.go_on(from, Origin { conn: to, link }, &left, party))
    }

    /// A link has taken the place of another: what is known of the one is so of the other. Answers how many messages
    /// are lost.
    pub(super) fn go_on(&mut self, from: Origin, to: Origin, left: &Left, party: Party) -> usize {
        let Some(conn) = self.pool.get_mut(to.conn) else {
            return 0;
        };
        let Ok(link) = conn.engine.link(to.link) else {
            return 0;
        };
        let now: HashMap<Tag, DeliveryId> = link
            .unsettled()
            .map(|known| (known.tag, known.id))
            .collect();
        let handed = left.state.unsettled.iter();
        let handed = handed.filter(|delivery| delivery.payload.is_none() && delivery.read == 0);
        let returning = Returning {
            before: from,
            handed: handed.map(|delivery| delivery.tag).collect(),
        };
        conn.returning.insert(to.link, returning);
        self.pool.add_link(to.conn, to.link, party);
        let mut lost = 0;
        match party {
            Party::Sender(key) => lost = self.rename_sent(key, to, &now),
            Party::Receiver(source) => {
                self.credit.detach(from);
                let renamed = left.ids.iter();
                let renamed = renamed.filter_map(|(id, tag)| Some((*id, *now.get(tag)?)));
                self.rename_received(from, to, &renamed.collect());
                if let Some(source) = source.and_then(|source| self.sources.get_mut(source))
                    && matches!(source.state, SourceState::Link(..))
                {
                    source.state = SourceState::Link(to.conn, to.link);
                    source.answer = None;
                }
            }
            Party::Replies => {}
        }
        lost
    }

    fn rename_sent(&mut self, key: SenderKey, to: Origin, ids: &HashMap<Tag, DeliveryId>) -> usize {
        for (tag, id) in ids {
            let sent = sequence(tag).and_then(|sequence| self.outgoing.window.get_mut(sequence));
            if let Some(sent) = sent
                && sent.sender == key
                && sent.delivery.is_some()
            {
                sent.delivery = Some(*id);
            }
        }
        let Some(sender) = self.senders.get_mut(key) else {
            return 0;
        };
        (sender.conn, sender.link, sender.flushing) = (to.conn, to.link, false);
        let node = sender.node.clone();
        let lost = self.lose_unflushed(key, None);
        if let Some(conn) = self.pool.get_mut(to.conn) {
            conn.add_sender(node, key);
        }
        lost
    }

    fn rename_received(&mut self, from: Origin, to: Origin, ids: &HashMap<DeliveryId, DeliveryId>) {
        self.incoming.rename(from, to, ids);
        if let Some((_, origin)) = &mut self.last_origin
            && *origin == from
        {
            *origin = to;
        }
    }

    // ---- both sides have attached ----

    /// A link has been attached, perhaps one that goes on: says what came of that, and does about it what is to be done.
    /// Answers whether the link is still to be used.
    pub(super) fn returned(&mut self, key: ConnKey, id: LinkId, now: Time) -> bool {
        let Some(conn) = self.pool.get_mut(key) else {
            return false;
        };
        let Some(returning) = conn.returning.remove(&id) else {
            return true;
        };
        let (Some(party), Ok(link)) = (conn.links.get(&id).copied(), conn.engine.link(id)) else {
            return false;
        };
        let Some(report) = link.recovered() else {
            // It is refused; then its end follows. Or the peer leaves termini out: then nothing is known of what was.
            self.disown(key, id, &returning);
            return true;
        };
        let node = match (link.role(), link.offer()) {
            (Role::Sender, Some(config)) => target_of(&config),
            (Role::Receiver, Some(config)) => config.source.and_then(|source| source.address),
            _ => None,
        };
        let address = format!("{}/{}", conn.endpoint, node.unwrap_or_default());
        if report.peer_remembers && report.complete {
            // What was handed over before is resumed as well: that takes credit, and brings nothing new.
            let theirs: HashSet<Tag> = remembered(&link);
            let handed = returning.handed.iter().filter(|tag| theirs.contains(tag));
            let credit = u32::try_from(handed.count()).unwrap_or(u32::MAX);
            if let Ok(mut receiver) = conn.engine.receiver(id) {
                // The link was attached a moment ago.
                let _ = receiver.add_credit(credit);
            }
            self.incoming.forget_decided(Origin {
                conn: key,
                link: id,
            });
            self.tell(ConnectionEvent::Recovered {
                address,
                resumed: report.resumed,
                sent_again: report.sent_again,
            });
            return true;
        }
        let mut sent_again = report.sent_again;
        // A link with a name of the user's has no other.
        let is_named = |source| {
            let source = self.sources.get(source);
            source.is_some_and(|source| source.link_name.is_some())
        };
        let named = matches!(party, Party::Receiver(Some(source)) if is_named(source));
        let ours = self.is_ours(party) && !named;
        let in_part = named && !report.complete;
        let aborted = self.disown(key, id, &returning);
        if in_part {
            // Nothing new would come down it (2.6.13), and to close it would end what the peer keeps under its name.
            // When the peer has answered, the subscription is as if the peer had detached it.
            self.suspend(key, id);
        } else if ours {
            sent_again = self.begin_anew(
                Origin {
                    conn: key,
                    link: id,
                },
                party,
                FORGOTTEN,
                now,
            );
        }
        if sent_again > 0 || aborted > 0 {
            self.tell(ConnectionEvent::Forgotten {
                address,
                sent_again,
                aborted,
            });
        }
        !ours && !in_part
    }

    /// Detaches a link without closing it.
    fn suspend(&mut self, key: ConnKey, id: LinkId) {
        let link = self.pool.get_mut(key);
        if let Some(mut link) = link.and_then(|conn| conn.engine.link(id).ok()) {
            // It was attached a moment ago.
            let _ = link.detach();
        }
        self.pool.touch(key);
    }

    /// A link ended that may have been about to go on with what another left: that is nobody's. Answers how many messages this
    /// concerns.
    pub(super) fn forget_recovery(&mut self, key: ConnKey, id: LinkId) -> u32 {
        let conn = self.pool.get_mut(key);
        let returning = conn.and_then(|conn| conn.returning.remove(&id));
        returning.map_or(0, |returning| self.disown(key, id, &returning))
    }

    /// The peer knows nothing of what came before: nobody can be told of decisions about that. Answers how many messages
    /// this concerns.
    fn disown(&mut self, key: ConnKey, id: LinkId, returning: &Returning) -> u32 {
        let here = Origin {
            conn: key,
            link: id,
        };
        let aborted = self.incoming.disown(here, returning.before);
        // That it is settled, as nobody remembers it, is no news.
        if let Some(conn) = self.pool.get_mut(key)
            && let Ok(mut link) = conn.engine.link(id)
            && link.role() == Role::Receiver
        {
            while link.next_update().is_some() {}
        }
        aborted
    }

    /// Attaches a fresh link in place of one of ours that could not go on. Answers how many messages are sent again.
    pub(super) fn begin_anew(
        &mut self,
        origin: Origin,
        party: Party,
        cause: &str,
        now: Time,
    ) -> u32 {
        let Origin { conn: key, link } = origin;
        self.pool.remove_link(key, link);
        if let Some(conn) = self.pool.get_mut(key) {
            if let Ok(mut link) = conn.engine.link(link) {
                // At once: what the engine would send again is sent on the other one.
                let _ = link.close_by(now);
            }
            conn.engine.handle_timeout(now);
        }
        self.pool.touch(key);
        let address = self
            .pool
            .get(key)
            .map(|conn| conn.endpoint.clone())
            .unwrap_or_default();
        let error = Error::Lost {
            address,
            cause: cause.to_owned(),
        };
        match party {
            Party::Sender(sender) => {
                let (again, mut lost) = self.take_back(sender, &error);
                let count = u32::try_from(again.len()).unwrap_or(u32::MAX);
                lost += self.move_sender(sender, key, again, &error);
                if lost > 0 {
                    self.push_send_error(error);
                }
                count
            }
            Party::Receiver(Some(source)) => {
                if let Err(error) = self.attach_source_on(source, key)
                    && self.break_source(source, &error)
                {
                    self.push_recv_error(error);
                }
                0
            }
            Party::Receiver(None) | Party::Replies => 0,
        }
    }

    /// Links are to be recovered, and the peer of this one did not remember: says so.
    pub(super) fn tell_resent(&mut self, conn: ConnKey, key: SenderKey, count: usize) {
        let conn = self.pool.get(conn).filter(|_| count > 0);
        if let Some((conn, sender)) = conn.zip(self.senders.get(key))
            && self.options.recovery.is_some()
        {
            let address = format!("{}/{}", conn.endpoint, sender.node);
            self.tell(ConnectionEvent::Forgotten {
                address,
                sent_again: u32::try_from(count).unwrap_or(u32::MAX),
                aborted: 0,
            });
        }
    }

    /// Messages that the system did not take in time, and that nobody will send again. Answers how many.
    pub(super) fn lose_unflushed(&mut self, key: SenderKey, error: Option<&Error>) -> usize {
        let Some(sender) = self.senders.get_mut(key) else {
            return 0;
        };
        let lost = std::mem::take(&mut sender.unflushed);
        self.outgoing.unflushed -= lost;
        for sequence in std::mem::take(&mut sender.sent_settled) {
            self.outgoing
                .finish(sequence, Status::Aborted, error.cloned());
        }
        lost
    }

    /// Puts messages back where they were, before all that wait.
    pub(super) fn queue_again(&mut self, key: SenderKey, again: Vec<Queued>) {
        let Some(sender) = self.senders.get_mut(key) else {
            return;
        };
        for queued in again.into_iter().rev() {
            self.outgoing.queued += 1;
            self.outgoing.octets += queued.payload.len();
            sender.queue.push_front(queued);
        }
    }
}

/// Answers the attach of a peer, as the peer and the settings have it.
pub(super) fn accept_theirs(
    options: &Options,
    link: &mut Link<'_>,
    mut config: LinkConfig,
) -> Result<(), UsageError> {
    let role = link.role();
    let theirs = link
        .remote()
        .map(|attach| (&attach.unsettled, attach.rcv_settle_mode));
    let (unsettled, asked) = theirs.unwrap_or((&None, ReceiverSettleMode::First));
    let second = asked == ReceiverSettleMode::Second;
    let wanted = unsettled.is_some() || second;
    config.recoverable = options.recovery.is_some() && wanted;
    if role == Role::Receiver {
        let mode = options.rcv_settle_mode.unwrap_or_default();
        config.rcv_settle_mode = if config.recoverable && second {
            ReceiverSettleMode::Second
        } else {
            mode
        };
    }
    // Who still remembers something here must learn that this side does not: it gets no map.
    if config.recoverable && unsettled.as_ref().is_some_and(Fields::is_empty) {
        return link.resume(&LinkState::new(role, config));
    }
    link.accept_with(config)
}

/// The deliveries that the peer told of.
fn remembered(link: &Link<'_>) -> HashSet<Tag> {
    let map = link.remote().and_then(|attach| attach.unsettled.as_ref());
    let keys = map.into_iter().flat_map(Fields::entries);
    keys.filter_map(|(key, _)| match key {
        Value::Binary(tag) => Tag::new(&tag).ok(),
        _ => None,
    })
    .collect()
}

fn target_of(config: &LinkConfig) -> Option<Str> {
    use ferrion_engine::protocol::TargetArchetype;
    match config.target.as_deref()? {
        TargetArchetype::Target(target) => target.address.clone(),
        TargetArchetype::Coordinator(_) => None,
    }
}
