//! The pump: what engines say into the store, what the store holds into engines.

use ferrion_engine::codec::Str;
use ferrion_engine::protocol::{Condition, DeliveryState, Role, SenderSettleMode, conditions};
use ferrion_engine::{EndError, Event, LinkId, Origin as Side, SendError, SessionId, Time};

use super::Core;
use super::pool::{Conn, ConnKey, Party, State};
use super::reasons::remote;
use super::request::request_of;
use super::sender::{FRAME, HANDOVER, SenderKey};
use super::source::SourceState;
use super::store::{Origin, Queued, Received};
use super::tracker::Status;
use crate::error::{Error, Scope, describe};

/// Messages that are taken of a link in one turn, where several wait for room.
const SHARE: usize = 64;

impl Core {
    /// Does everything that can be done now: events, credit, sending. Leaves lines of connections to
    /// write to and of actions.
    pub(crate) fn pump(&mut self, now: Time) {
        self.outgoing.fresh = 0;
        self.expire_requests(now);
        self.close_parting(now);
        self.resume_stalled();
        loop {
            while let Some(key) = self.pool.next_dirty() {
                self.process_events(key, now);
                self.leave_detour(key, now);
                self.pool.settle_down(key);
            }
            self.trust_unnamed(now);
            self.answer_delayed(now);
            self.deal_credit(now);
            while let Some(sender) = self.ready.pop_front() {
                self.send_from(sender);
            }
            if !self.pool.has_dirty() {
                self.incoming.rest();
                self.outgoing.rest();
                return;
            }
        }
    }

    /// Looks at everything an engine has to tell.
    pub(super) fn process_events(&mut self, key: ConnKey, now: Time) {
        while let Some(conn) = self.pool.get_mut(key)
            && let Some(event) = conn.engine.poll_event()
        {
            conn.work += usize::from(is_costly(&event));
            match event {
                Event::Authenticate => self.authenticate(key),
                Event::RemoteOpen => self.opened(key, now),
                Event::SessionBegun(session) => self.session_begun(key, session, now),
                Event::SessionEnded(session) => self.session_ended(key, session, now),
                Event::LinkAttached(link) => self.link_attached(key, link, now),
                Event::LinkDetached(link) => self.link_detached(key, link, now),
                Event::Flow(link) => self.flow(key, link),
                Event::Deliveries(link) => self.receive(key, link),
                Event::Updates(link) => self.update(key, link),
                // After a failure there is nothing to wait for but that the peer is told.
                Event::Failed | Event::Disconnected => self.end(key, now),
                // The engine does what these need.
                _ => {}
            }
        }
        if self.options.tracing {
            self.collect_trace(key);
        }
    }

    // ---- connections and sessions ----

    /// The peer opened: it has a name now, and gets our open if we have not sent it.
    fn opened(&mut self, key: ConnKey, now: Time) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let name = conn
            .engine
            .connection()
            .remote()
            .map(|open| (open.container_id.clone(), open.idle_time_out));
        conn.crowd.expect_nothing();
        if conn.identity.is_none() {
            // It fails only if the connection is ending; then that event follows.
            let _ = conn.engine.connection().open();
        }
        if let Some((name, idle)) = name {
            conn.peer_idle = idle;
            self.pool.name(key, name.clone());
            self.prefer_newest(key, &name);
        }
        self.tell_connected(key, now);
        self.go_on_at(key);
        self.warn_of_clear_text(key);
        self.warn_of_nobody(key);
        self.pool.touch(key);
    }

    /// A peer that is there twice, by what it logged in with, has mostly lost the connection that is older, and only this
    /// side does not know it yet: what is put to its name goes down the newest one.
    fn prefer_newest(&mut self, key: ConnKey, name: &Str) {
        let peer = self.peer_of(key);
        let known = self.pool.of_container(name).into_iter();
        let mut older = known.filter(|other| *other != key);
        if let Some(older) = older.find(|other| self.peer_of(*other) == peer) {
            self.pool.prefer(key, older);
            self.forget_destinations();
        }
    }

    fn session_begun(&mut self, key: ConnKey, id: SessionId, now: Time) {
        let config = self.session_config();
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        if let Ok(mut session) = conn.engine.session(id) {
            if let Some(begin) = session.remote() {
                conn.crowd.take_at_most(begin.handle_max);
            }
            if conn.session != Some(id) && session.is_incoming() {
                let _ = session.accept(config);
            }
        }
        self.pool.touch(key);
        self.attach_waiting(key, now);
    }

    /// A session ended, and with it its links, which have events of their own.
    fn session_ended(&mut self, key: ConnKey, id: SessionId, now: Time) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        if let Ok(mut session) = conn.engine.session(id) {
            let _ = session.end(None);
        }
        conn.leave_session(id);
        self.pool.touch(key);
        self.attach_waiting(key, now);
    }

    // ---- links ----

    fn link_attached(&mut self, key: ConnKey, id: LinkId, now: Time) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let Ok(link) = conn.engine.link(id) else {
            return;
        };
        let role = link.role();
        if link.is_incoming() {
            if !self.keeps_waiting(key, id, now) {
                self.admit(key, id, now);
            }
            return;
        }
        if !self.returned(key, id, now) {
            return;
        }
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let Ok(link) = conn.engine.link(id) else {
            return;
        };
        let Some(party) = conn.links.get(&id).copied() else {
            // Nobody wants it any more: it is being closed, and gets no credit.
            return;
        };
        let origin = Origin {
            conn: key,
            link: id,
        };
        match role {
            Role::Receiver if link.remote_source().is_none() => self.suspect(origin, now),
            Role::Receiver => {
                let answer = link.remote_source().cloned().unwrap_or_default();
                match party {
                    Party::Replies => {
                        let address = answer.address.map(|address| address.to_string());
                        self.replies_attached(key, address);
                    }
                    Party::Receiver(Some(source)) => {
                        self.note_attached(party, now);
                        self.source_attached(source, origin, answer);
                    }
                    _ => self.credit.attach(origin, None),
                }
            }
            Role::Sender => {
                let refused = link.remote_target().is_none();
                if let Party::Sender(sender) = party {
                    if !refused {
                        self.note_attached(party, now);
                    }
                    self.make_ready(sender);
                }
            }
        }
        self.pool.touch(key);
    }

    /// A link ended: for the peer's reasons, or with its session.
    fn link_detached(&mut self, key: ConnKey, id: LinkId, now: Time) {
        let origin = Origin {
            conn: key,
            link: id,
        };
        if self.incoming.stalled.remove(origin) {
            // Whatever the room: the link is about to be gone.
            self.receive_up_to(key, id, None);
        }
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let ending = ending(conn, id);
        if self.ended_soon(key, id, now) {
            return;
        }
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        if let Ok(mut link) = conn.engine.link(id)
            && link.awaits_detach()
        {
            let _ = link.close(None);
        }
        if self.ask_for_less(key, id, ending.as_ref(), now)
            || self.follow(key, id, ending.as_ref(), now)
            || exceeds(ending.as_ref()) && self.use_fewer_sessions(key, id, now)
        {
            return;
        }
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let endpoint = conn.endpoint.clone();
        let party = self.pool.remove_link(key, id);
        self.pool.touch(key);
        match party {
            Some(Party::Sender(sender)) => {
                let known = self.senders.get(sender);
                let node = known.map(|sender| sender.node.clone());
                let there = known.map(|sender| sender.there().as_str());
                let address = format!("{endpoint}/{}", there.unwrap_or_default());
                let error = detached(address, ending);
                self.note_detached(key, node.as_deref(), &error);
                if self.drop_senders(&[sender], &error) > 0 {
                    self.push_send_error(error);
                }
            }
            Some(Party::Receiver(source)) => {
                self.credit.detach(origin);
                let Some(source) = source else {
                    return;
                };
                let Some(known) = self.sources.get(source) else {
                    return;
                };
                if matches!(known.state, SourceState::Link(conn, link) if (conn, link) == (key, id))
                {
                    let node = known.address.node().to_owned();
                    let address = format!("{endpoint}/{}", known.there());
                    if known.parting.is_some() {
                        if ending.is_none() && self.tell_anew(source, origin) {
                            return;
                        }
                        let refused = ending.is_some().then(|| detached(address, ending));
                        return self.parted(source, refused);
                    }
                    let error = detached(address, ending);
                    self.note_detached(key, Some(&node), &error);
                    if self.break_source(source, &error) {
                        self.push_recv_error(error);
                    }
                }
            }
            Some(Party::Replies) => {
                self.replies_lost(key, &detached(format!("{endpoint}/#"), ending));
            }
            None => self.credit.detach(origin),
        }
    }

    fn flow(&mut self, key: ConnKey, id: LinkId) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        match conn.links.get(&id) {
            Some(Party::Sender(sender)) => {
                let sender = *sender;
                self.make_ready(sender);
            }
            Some(Party::Receiver(_)) => {
                // What came before the answer must be counted before it.
                self.receive(key, id);
                self.look_at_credit(key, id);
            }
            Some(Party::Replies) | None => {}
        }
    }

    /// Everything that came down a link may have been taken, and its credit with that.
    fn look_at_credit(&mut self, key: ConnKey, id: LinkId) {
        let origin = Origin {
            conn: key,
            link: id,
        };
        if self.incoming.stalled.contains(origin) {
            // It is looked at again when there is room.
            return;
        }
        let done = self.pool.get_mut(key).and_then(|conn| {
            let link = conn.engine.receiver(id).ok()?;
            Some(!link.is_draining() && link.credit() == 0)
        });
        if done == Some(true) {
            self.credit.drained(origin);
        }
    }

    // ---- messages ----

    /// Takes everything that came down a link.
    fn receive(&mut self, key: ConnKey, id: LinkId) {
        self.receive_up_to(key, id, Some(usize::MAX));
    }

    /// Takes so many messages that came down a link, or as many as there is room for; `None` takes all, whatever
    /// the room. The rest stays with the engine, which lets no more come than the session has room for.
    fn receive_up_to(&mut self, key: ConnKey, id: LinkId, most: Option<usize>) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let source = match conn.links.get(&id).copied() {
            Some(Party::Receiver(source)) => source,
            Some(Party::Replies) => return self.receive_replies(key, id),
            _ => return,
        };
        let known = source.and_then(|source| self.sources.get(source));
        let parting = known.is_some_and(|source| source.parting.is_some());
        let Ok(mut link) = conn.engine.receiver(id) else {
            return;
        };
        let origin = Origin {
            conn: key,
            link: id,
        };
        // Of what is left without being closed the rest stays with the peer.
        let closing = conn.state == State::Closing || parting;
        let mut count: u32 = 0;
        let waited = self.incoming.queue.len();
        let replies = self.requests.untaken_octets();
        loop {
            if most.is_some_and(|most| count as usize >= most || self.incoming.is_full(replies)) {
                self.incoming.stalled.push(origin);
                break;
            }
            let Some(delivery) = link.next_delivery() else {
                break;
            };
            count += 1;
            if closing && delivery.id.is_some() {
                // Nobody can be told of it any more: its sender still has it, and gives it to another.
                continue;
            }
            self.incoming.push(Received {
                payload: delivery.payload.into_bytes(),
                origin,
                source,
                delivery: delivery.id,
            });
        }
        let came = self.incoming.queue.len() - waited;
        self.incoming.came_together(came);
        conn.useful |= count > 0;
        if count > 0 && !conn.churn.is_empty() {
            conn.note_carried(id);
        }
        if count > 0
            && let Some(source) = source.and_then(|source| self.sources.get_mut(source))
            && let Some(detour) = &mut source.detour
        {
            detour.succeed();
        }
        self.credit.received(origin, count);
    }

    /// There is room again: takes what engines hold, until there is none. They take turns, or who holds most would
    /// get through before the others get anywhere.
    fn resume_stalled(&mut self) {
        while !self.incoming.stalled.is_empty()
            && !self.incoming.is_full(self.requests.untaken_octets())
        {
            let Some(origin) = self.incoming.stalled.pop() else {
                return;
            };
            self.receive_up_to(origin.conn, origin.link, Some(SHARE));
            self.look_at_credit(origin.conn, origin.link);
            self.pool.touch(origin.conn);
        }
    }

    /// Takes what the engine of a connection holds whatever the room: it is about to be gone.
    pub(super) fn rescue_stalled(&mut self, key: ConnKey) {
        for origin in self.incoming.stalled.remove_all(key) {
            self.receive_up_to(origin.conn, origin.link, None);
        }
    }

    /// The peer said what became of deliveries.
    pub(super) fn update(&mut self, key: ConnKey, id: LinkId) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let Some(Party::Sender(sender_key)) = conn.links.get(&id).copied() else {
            if let Ok(mut link) = conn.engine.link(id) {
                while let Some(update) = link.next_update() {
                    if update.settled {
                        self.incoming.note_settled(key, update.delivery);
                    }
                }
            }
            return;
        };
        let endpoint = conn.endpoint.as_str();
        let Ok(mut link) = conn.engine.sender(id) else {
            return;
        };
        let mut ended = Vec::new();
        while let Some(update) = link.next_update() {
            conn.useful = true;
            let (status, condition) = outcome(update.state.as_ref(), update.settled);
            if status == Status::Pending {
                continue;
            }
            if !update.settled {
                // Nothing more will be said about it: the other side may forget it as well. It knows what it said; to say that
                // back would be to hold its details until it reads them.
                let _ = link.settle(update.delivery);
            }
            let Some(sequence) = sequence(&update.tag) else {
                continue;
            };
            let request = request_of(sequence);
            let sent = self.outgoing.window.get(sequence);
            if request.is_none() && sent.is_none_or(|sent| sent.delivery.is_none()) {
                continue;
            }
            let reason = condition.map(|condition| {
                let node = self
                    .senders
                    .get(sender_key)
                    .map(|sender| sender.there().as_str());
                let address = format!("{endpoint}/{}", node.unwrap_or_default());
                remote(Scope::Message, address, condition)
            });
            if let Some(request) = request {
                ended.push((request, status, reason));
                continue;
            }
            if let Some(payload) = self.outgoing.answered(sequence) {
                self.buffers.take_back(payload);
            }
            if let Some(sender) = self.senders.get_mut(sender_key) {
                sender.in_flight -= 1;
                if let Some(detour) = &mut sender.detour {
                    detour.succeed();
                }
            }
            self.outgoing.finish(sequence, status, reason);
        }
        for (request, status, reason) in ended {
            self.request_outcome(request, status, reason);
        }
        self.pool.touch(key);
    }

    pub(super) fn make_ready(&mut self, key: SenderKey) {
        if let Some(sender) = self.senders.get_mut(key)
            && !std::mem::replace(&mut sender.ready, true)
        {
            self.ready.push_back(key);
        }
    }

    /// Hands messages to the engine, as far as credit and the socket's pace allow.
    fn send_from(&mut self, key: SenderKey) {
        let Some(sender) = self.senders.get_mut(key) else {
            return;
        };
        sender.ready = false;
        let Some(conn) = self.pool.get_mut(sender.conn) else {
            return;
        };
        let Ok(link) = conn.engine.link(sender.link) else {
            return;
        };
        let mode = link.snd_settle_mode();
        let Ok(mut link) = conn.engine.sender(sender.link) else {
            return;
        };
        let keeps = self.options.recovery.is_some()
            || self.options.reconnect.is_some() && conn.line.is_some();
        let mut failed = None;
        let (mut sent, mut carried) = (false, false);
        while let Some(queued) = sender.queue.front() {
            let request = request_of(queued.sequence);
            if request.is_some_and(|request| !self.requests.is_queued(request)) {
                // It ended while it waited.
                sender.queue.pop_front();
                sender.struck -= 1;
                continue;
            }
            if link.credit() == 0 {
                break;
            }
            if conn.handed >= HANDOVER {
                break;
            }
            let sequence = queued.sequence;
            let octets = queued.payload.len();
            let tag = sequence.to_be_bytes();
            let tracked = self.outgoing.window.get(sequence).is_some();
            let unsettled = match mode {
                SenderSettleMode::Mixed => tracked || request.is_some(),
                SenderSettleMode::Unsettled => true,
                SenderSettleMode::Settled => false,
            };
            let result = if unsettled {
                link.send(&tag, queued.payload.to_send()).map(Some)
            } else {
                link.send_settled(&tag, queued.payload.to_send())
                    .map(|()| None)
            };
            let result = match result {
                Ok(delivery) => Ok(delivery),
                Err(error @ (SendError::MessageTooLarge { .. } | SendError::SettleMode { .. })) => {
                    Err(error.to_string())
                }
                Err(_) => break,
            };
            let Some(Queued { payload, .. }) = sender.queue.pop_front() else {
                break;
            };
            sent = true;
            self.outgoing.queued -= 1;
            self.outgoing.octets -= octets;
            let delivery = match result {
                Ok(delivery) => delivery,
                Err(cause) => {
                    failed = Some((sequence, cause));
                    break;
                }
            };
            conn.handed += octets + FRAME;
            carried = true;
            if let Some(delivery) = delivery.filter(|_| tracked) {
                sender.in_flight += 1;
                if keeps {
                    self.outgoing.hand_over(sequence, delivery, Some(payload));
                } else {
                    self.outgoing.hand_over(sequence, delivery, None);
                    self.buffers.take_back(payload);
                }
                continue;
            }
            self.buffers.take_back(payload);
            match request {
                Some(request) => {
                    self.requests.sent(request);
                    if delivery.is_none() {
                        self.requests.taken(request);
                    }
                }
                None => {
                    sender.unflushed += 1;
                    self.outgoing.unflushed += 1;
                    sender.sent_settled.extend(tracked.then_some(sequence));
                }
            }
        }
        let more = !sender.queue.is_empty() && link.credit() > 0;
        if (more || sender.unflushed > 0) && !std::mem::replace(&mut sender.flushing, true) {
            conn.flushing.push(key);
        }
        if sender.queue.is_empty() && link.is_draining() {
            let _ = link.drained();
            (sent, carried) = (true, true);
        }
        if carried && !conn.churn.is_empty() {
            conn.note_carried(sender.link);
        }
        let address = failed
            .as_ref()
            .map(|_| format!("{}/{}", conn.endpoint, sender.there()));
        if sent {
            let conn = sender.conn;
            self.pool.touch(conn);
        }
        if let (Some((sequence, cause)), Some(address)) = (failed, address) {
            let error = Error::Send { address, cause };
            self.note_unsendable(key, &error);
            if let Some(request) = request_of(sequence) {
                self.refuse_request(request, error);
            } else {
                self.outgoing
                    .finish(sequence, Status::Aborted, Some(error.clone()));
                self.push_send_error(error);
            }
            self.make_ready(key);
        }
    }
}

/// Whether what happened is a link or session that begins or ends.
const fn is_costly(event: &Event) -> bool {
    matches!(
        event,
        Event::SessionBegun(_)
            | Event::SessionEnded(_)
            | Event::LinkAttached(_)
            | Event::LinkDetached(_)
    )
}

/// What a delivery state means for a tracker, and the condition that came with it.
fn outcome(state: Option<&DeliveryState>, settled: bool) -> (Status, Option<Condition>) {
    let undecided = if settled {
        Status::Settled
    } else {
        Status::Pending
    };
    match state {
        Some(DeliveryState::Accepted) => (Status::Accepted, None),
        Some(DeliveryState::Rejected(condition)) => {
            (Status::Rejected, condition.as_deref().cloned())
        }
        Some(DeliveryState::Released) => (Status::Released, None),
        Some(DeliveryState::Modified(_)) => (Status::Modified, None),
        Some(DeliveryState::Transactional(state)) if settled => {
            outcome(state.outcome.as_ref(), settled)
        }
        _ => (undecided, None),
    }
}

/// The sequence number in a tag of ours.
pub(super) fn sequence(tag: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(tag.try_into().ok()?))
}

/// What ended a link: an error of its own, or of its session.
fn ending(conn: &mut Conn, id: LinkId) -> Option<(Scope, EndError)> {
    let link = conn.engine.link(id).ok()?;
    if let Some(error) = link.error() {
        return Some((Scope::Link, error.clone()));
    }
    let session = link.session()?;
    let session = conn.engine.session(session).ok()?;
    Some((Scope::Session, session.error()?.clone()))
}

/// Whether the peer does not take as many sessions as there are.
fn exceeds(ending: Option<&(Scope, EndError)>) -> bool {
    ending.is_some_and(|(scope, error)| {
        let limit = error.condition.condition == conditions::RESOURCE_LIMIT_EXCEEDED;
        *scope == Scope::Session && error.origin == Side::Local && limit
    })
}

fn detached(address: String, ending: Option<(Scope, EndError)>) -> Error {
    let cause = match ending {
        Some((scope, error)) if error.origin == Side::Remote => {
            return remote(scope, address, error.condition);
        }
        Some((_, error)) => {
            // The peer may have kept to every rule, and not be the only one that sends.
            let what = if error.condition.condition == conditions::RESOURCE_LIMIT_EXCEEDED {
                "a limit of this side is passed"
            } else {
                "the peer broke the protocol"
            };
            format!("{what}: {}", describe(&error.condition))
        }
        None => "the peer detached the link".to_owned(),
    };
    Error::Lost { address, cause }
}
