//! The session endpoint (2.5): begin, end, windows, and what its links share.

mod disposition;
mod handles;
mod incoming_window;
mod outgoing_window;

use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::format;
use alloc::vec::Vec;

use crate::config::SessionConfig;
use crate::control::Control;
use crate::delivery::{Sum, Unsettled};
use crate::endpoints::{EndError, Endpoints, Phase};
use crate::error::{Fault, Origin, UsageError};
use crate::event::{Event, Queued};
use crate::ids::{DeliveryId, IncomingId, LinkId, OutgoingId, SessionId};
use crate::link::Held;
use crate::protocol::{Begin, Condition, End, Flow, conditions};
use crate::seq::Seq;
pub(crate) use disposition::{Dispositions, Run};
pub(crate) use handles::Handles;
pub(crate) use incoming_window::IncomingWindow;
pub(crate) use outgoing_window::OutgoingWindow;

/// What we say of our outgoing window: there is no limit on this side but the peer's own (2.5.6).
const OUTGOING_WINDOW: u32 = i32::MAX as u32;

/// How far a delivery-id may run ahead of the one before; ids are dense, so more is nonsense.
const MAX_ID_GAP: u32 = 256;

/// The state of one session.
#[derive(Debug)]
pub(crate) struct Session {
    config: Box<SessionConfig>,
    pub(crate) local: Phase,
    pub(crate) remote: Phase,
    pub(crate) local_channel: Option<u16>,
    pub(crate) remote_channel: Option<u16>,
    pub(crate) remote_begin: Option<Box<Begin>>,
    pub(crate) incoming_window: IncomingWindow,
    pub(crate) outgoing_window: OutgoingWindow,
    /// The delivery-id that the next outgoing delivery gets.
    pub(crate) next_delivery: Seq,
    /// The delivery-id of the newest incoming delivery.
    pub(crate) last_incoming: Option<Seq>,
    pub(crate) outgoing: Unsettled<OutgoingId>,
    pub(crate) incoming: Unsettled<IncomingId>,
    /// What deliveries cost that are buffered until they are complete, which the window does not count.
    pub(crate) partial_octets: u64,
    pub(crate) dispositions: Dispositions,
    pub(crate) handles: Handles,
    /// Links that the peer attached and detached before they were answered: they have no handle.
    pub(crate) unanswered: BTreeSet<LinkId>,
    /// Senders with something to send and the credit for it, in turn.
    pub(crate) line: VecDeque<LinkId>,
    /// What is left of the turn of the first in line, if the window shut in the middle of it.
    pub(crate) turn: Option<usize>,
    /// Whether the session stands in the scheduler's line.
    pub(crate) scheduled: bool,
    pub(crate) error: Option<Box<EndError>>,
    /// What our end carries.
    condition: Option<Box<Condition>>,
    /// We ended it for an error: what still comes is ignored until the peer's end (2.5.5).
    pub(crate) discarding: bool,
    pub(crate) flow_due: bool,
    /// Links that are not freed yet, however far they have come.
    pub(crate) links: u32,
    /// What the peer's begin said, in octets.
    said: u64,
    pub(crate) end_written: bool,
    pub(crate) queued: Queued,
    pub(crate) end_was_told: bool,
}

impl Session {
    /// `sum`: where it counts what the peer makes it hold.
    fn new(config: SessionConfig, frame: u32, sum: &Sum) -> Self {
        Self {
            local: Phase::New,
            remote: Phase::New,
            local_channel: None,
            remote_channel: None,
            remote_begin: None,
            incoming_window: incoming_window(&config, frame),
            outgoing_window: OutgoingWindow::new(Seq(config.next_outgoing_id)),
            next_delivery: Seq(config.next_outgoing_id),
            last_incoming: None,
            // Of its own deliveries the program says how many there are.
            outgoing: Unsettled::new(None),
            incoming: Unsettled::new(Some(sum.clone())),
            partial_octets: 0,
            dispositions: Dispositions::default(),
            handles: Handles::default(),
            unanswered: BTreeSet::new(),
            line: VecDeque::new(),
            turn: None,
            scheduled: false,
            error: None,
            condition: None,
            discarding: false,
            flow_due: false,
            links: 0,
            said: 0,
            end_written: false,
            queued: Queued::default(),
            end_was_told: false,
            config: Box::new(config),
        }
    }

    /// Whether a delivery-id can be that of the next incoming delivery: it must go forward (2.6.12), and not by a leap.
    #[inline]
    pub(crate) fn is_next_incoming(&self, number: Seq) -> bool {
        self.last_incoming
            .is_none_or(|last| (1..=MAX_ID_GAP).contains(&number.distance_from(last)))
    }

    /// It ends for this, unless something else ended it before.
    fn ends_for(&mut self, origin: Origin, condition: Condition) {
        self.error
            .get_or_insert_with(|| Box::new(EndError { origin, condition }));
    }

    /// A flow is to be written. Whether that is news.
    #[inline]
    pub(crate) const fn owes_flow(&mut self) -> bool {
        matches!(self.local, Phase::Open) && !core::mem::replace(&mut self.flow_due, true)
    }

    /// What was held is held no more. Whether a flow is due by that: the peer is told once that is worth a frame.
    #[inline]
    pub(crate) fn release(&mut self, held: Held) -> bool {
        self.incoming_window.release(held.transfers, held.octets);
        self.incoming_window.wants_update() && self.owes_flow()
    }

    /// Queues what is to be told of deliveries. Whether dispositions of the session are due by that.
    #[inline]
    pub(crate) fn dispose(&mut self, run: Run) -> bool {
        if self.local != Phase::Open {
            return false;
        }
        let was_empty = self.dispositions.is_empty();
        self.dispositions.push(run);
        was_empty
    }

    /// The delivery-id means this delivery no more.
    /// `false` if it meant none before.
    #[inline]
    pub(crate) fn forget(&mut self, delivery: DeliveryId, number: Seq) -> bool {
        match (delivery.outgoing(), delivery.incoming()) {
            (Some(_), _) => self.outgoing.remove(number).is_some(),
            (_, Some(_)) => self.incoming.remove(number).is_some(),
            (None, None) => false,
        }
    }

    /// Why nothing is begun on a session that has ended, on this side at least.
    pub(crate) const fn refusal(&self) -> UsageError {
        UsageError::WrongState(match self.remote {
            Phase::Ended => "the peer has ended the session already",
            Phase::New | Phase::Open => "the session was ended before",
        })
    }

    /// The highest handle that the peer takes (2.7.2).
    pub(crate) fn remote_handle_max(&self) -> u32 {
        self.remote_begin
            .as_ref()
            .map_or(u32::MAX, |begin| begin.handle_max)
    }
}

fn incoming_window(config: &SessionConfig, frame: u32) -> IncomingWindow {
    IncomingWindow::new(config.incoming_window, config.incoming_octets, frame)
}

impl Endpoints {
    // ---- commands ----

    pub(crate) fn begin(&mut self, config: SessionConfig) -> Result<SessionId, UsageError> {
        self.connection.check_usable()?;
        let (frame, sum) = (self.config.max_frame_size, self.charges.shared());
        let id = self.sessions.insert(Session::new(config, frame, sum));
        match self.announce_session(id) {
            Ok(()) => Ok(id),
            Err(error) => {
                self.sessions.remove(id);
                Err(error)
            }
        }
    }

    /// Answers a begin of the peer's.
    pub(crate) fn accept_session(
        &mut self,
        id: SessionId,
        config: SessionConfig,
    ) -> Result<(), UsageError> {
        self.connection.check_usable()?;
        let frame = self.config.max_frame_size;
        let session = self.session_mut(id)?;
        match session.local {
            Phase::New => {}
            Phase::Open => return Err(UsageError::WrongState("the session was accepted before")),
            Phase::Ended => return Err(session.refusal()),
        }
        self.announce_session(id)?;
        let session = self.session_mut(id)?;
        session.incoming_window = incoming_window(&config, frame);
        session
            .outgoing_window
            .start_from(Seq(config.next_outgoing_id));
        session.next_delivery = Seq(config.next_outgoing_id);
        if let Some(begin) = &session.remote_begin {
            session
                .incoming_window
                .told(begin.next_outgoing_id, begin.outgoing_window);
        }
        *session.config = config;
        Ok(())
    }

    fn announce_session(&mut self, id: SessionId) -> Result<(), UsageError> {
        let max = self.connection.channel_max(self.config.channel_max);
        let Some(channel) = self.connection.channels.allocate(id, max) else {
            return Err(UsageError::LimitReached {
                what: "session",
                limit: u32::from(max) + 1,
            });
        };
        let session = self.session_mut(id)?;
        session.local_channel = Some(channel);
        session.local = Phase::Open;
        let is_reply = session.remote != Phase::New;
        self.control.push(Control::Begin(id), is_reply);
        Ok(())
    }

    pub(crate) fn end(
        &mut self,
        id: SessionId,
        condition: Option<Condition>,
    ) -> Result<(), UsageError> {
        let session = self.session_mut(id)?;
        match session.local {
            Phase::New => return Err(UsageError::WrongState("accept the session first")),
            Phase::Ended => return Err(session.refusal()),
            Phase::Open => {}
        }
        if let Some(condition) = condition {
            session.ends_for(Origin::Local, condition.clone());
            session.discarding = true;
            session.condition = Some(Box::new(condition));
        }
        session.local = Phase::Ended;
        self.control.push_back(Control::End(id));
        Ok(())
    }

    pub(crate) fn session_mut(&mut self, id: SessionId) -> Result<&mut Session, UsageError> {
        self.sessions.get_mut(id).ok_or(UsageError::StaleHandle)
    }

    // ---- frames in ----

    /// The session that the peer's frames on `channel` belong to. `None`: ignore the frame.
    pub(crate) fn session_on(
        &self,
        channel: u16,
        what: &'static str,
    ) -> Result<Option<SessionId>, Fault> {
        self.check_open(what)?;
        let found = self.connection.channels.by_remote(channel);
        let Some(id) = found else {
            if channel > self.config.channel_max {
                return Err(self.bad_channel(channel));
            }
            let text = format!("{what} on channel {channel}, which has no session");
            return Err(Fault::connection(conditions::NOT_ALLOWED, text));
        };
        Ok(self
            .sessions
            .get(id)
            .filter(|session| !session.discarding)
            .map(|_| id))
    }

    /// `said`: the octets that are kept of what it says.
    pub(crate) fn on_begin(&mut self, channel: u16, begin: Begin, said: u64) -> Result<(), Fault> {
        self.check_open("begin")?;
        if channel > self.config.channel_max {
            return Err(self.bad_channel(channel));
        }
        if self.connection.channels.by_remote(channel).is_some() {
            let text = format!("begin on channel {channel}, which has a session");
            return Err(Fault::connection(conditions::NOT_ALLOWED, text));
        }
        self.check_session_room(said)?;
        let id = match begin.remote_channel {
            None => {
                // What has ended, but is not told or answered yet, counts too.
                let most = 2 * (usize::from(self.config.channel_max) + 1);
                if self.sessions.len() >= most {
                    let text = format!("more than {most} sessions begun or not ended yet");
                    let condition = conditions::RESOURCE_LIMIT_EXCEEDED;
                    return Err(Fault::connection(condition, text));
                }
                let (frame, sum) = (self.config.max_frame_size, self.charges.shared());
                let session = Session::new(SessionConfig::default(), frame, sum);
                self.sessions.insert(session)
            }
            Some(ours) => {
                let waiting = self.connection.channels.by_local(ours).filter(|id| {
                    self.sessions
                        .get(*id)
                        .is_some_and(|session| session.remote == Phase::New)
                });
                let Some(id) = waiting else {
                    let text = format!("begin answers channel {ours}, which waits for none");
                    return Err(Fault::connection(conditions::NOT_ALLOWED, text));
                };
                id
            }
        };
        if let Some(session) = self.sessions.get_mut(id) {
            session.remote = Phase::Open;
            session.remote_channel = Some(channel);
            session.said = said;
            self.charges.said = self.charges.said.saturating_add(said);
            session
                .incoming_window
                .told(begin.next_outgoing_id, begin.outgoing_window);
            session.outgoing_window.begin(begin.incoming_window);
            session.remote_begin = Some(Box::new(begin));
        }
        self.connection.channels.map_remote(channel, Some(id));
        self.post(Event::SessionBegun(id));
        Ok(())
    }

    /// `octets`: of what it says, on the wire.
    pub(crate) fn on_end(&mut self, channel: u16, end: End, octets: usize) -> Result<(), Fault> {
        self.check_open("end")?;
        let Some(id) = self.connection.channels.by_remote(channel) else {
            let text = format!("end on channel {channel}, which has no session");
            return Err(Fault::connection(conditions::NOT_ALLOWED, text));
        };
        self.connection.channels.map_remote(channel, None);
        if let Some(session) = self.sessions.get_mut(id) {
            session.remote = Phase::Ended;
            if let Some(condition) = end.error.filter(|_| session.error.is_none()) {
                session.error = Some(Box::new(EndError {
                    origin: Origin::Remote,
                    condition,
                }));
                self.charges.say(&mut session.said, octets);
            }
        }
        self.end_links_of(id);
        self.answer_end(id);
        self.post(Event::SessionEnded(id));
        self.free_session_if_over(id);
        Ok(())
    }

    /// Sends our end if it is still owed; nothing useful can follow the peer's.
    fn answer_end(&mut self, id: SessionId) {
        if !self.ensure_begun(id) {
            return;
        }
        if let Some(session) = self.sessions.get_mut(id)
            && session.local == Phase::Open
        {
            session.local = Phase::Ended;
            self.control.reply(Control::End(id));
        }
    }

    /// An end needs a begin before it, also for a session that nobody accepted. Without a channel for
    /// that the connection fails, and this is `false`: the peer began more than can be answered.
    fn ensure_begun(&mut self, id: SessionId) -> bool {
        match self.sessions.get(id).map(|session| session.local) {
            Some(Phase::New) => {
                let begun = self.announce_session(id).is_ok();
                if !begun {
                    let mut condition = Condition::new(conditions::RESOURCE_LIMIT_EXCEEDED);
                    condition.description = Some("no channel is left to answer on".into());
                    self.fail_connection(condition);
                }
                begun
            }
            Some(_) => true,
            None => false,
        }
    }

    pub(crate) fn fail_session(&mut self, id: SessionId, condition: Condition) {
        if !self.ensure_begun(id) {
            return;
        }
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        session.ends_for(Origin::Local, condition.clone());
        session.discarding = true;
        if session.local == Phase::Open {
            session.condition = Some(Box::new(condition));
            session.local = Phase::Ended;
            self.control.reply(Control::End(id));
        }
        self.end_links_of(id);
        self.post(Event::SessionEnded(id));
    }

    /// With its session, a link ends without a detach of its own.
    fn end_links_of(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(id) else {
            return;
        };
        let mut links: Vec<LinkId> = session.handles.links().collect();
        links.extend(session.handles.remote_links());
        links.extend(&session.unanswered);
        for link in links {
            self.end_link_with_session(link);
            // The caller may have been told of its detach before.
            self.free_link_if_over(link);
        }
    }

    /// The session's part of a flow (2.5.6).
    pub(crate) fn on_session_flow(&mut self, id: SessionId, flow: &Flow) -> Result<(), Fault> {
        let Some(session) = self.sessions.get_mut(id) else {
            return Ok(());
        };
        if !session
            .outgoing_window
            .flow(flow.next_incoming_id, flow.incoming_window)
        {
            let text = "flow claims to have seen transfers that were never sent";
            return Err(Fault::session(id, conditions::INVALID_FIELD, text));
        }
        session
            .incoming_window
            .told(flow.next_outgoing_id, flow.outgoing_window);
        self.line_up(id);
        if flow.handle.is_none() && flow.echo {
            self.request_session_flow(id);
        }
        Ok(())
    }

    /// Gives the session a place in line, if one of its links has something to send and there is a
    /// window for it.
    pub(crate) fn line_up(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id)
            && !session.scheduled
            && !session.line.is_empty()
            && session.outgoing_window.available() > 0
        {
            session.scheduled = true;
            self.ready.push_back(id);
        }
    }

    pub(crate) fn request_session_flow(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id)
            && session.owes_flow()
        {
            self.control.push_back(Control::SessionFlow(id));
        }
    }

    /// Asks for a flow once half of the window is used and free again.
    #[inline]
    pub(crate) fn refresh_window(&mut self, id: SessionId) {
        if self
            .sessions
            .get(id)
            .is_some_and(|session| session.incoming_window.wants_update())
        {
            self.request_session_flow(id);
        }
    }

    pub(crate) fn request_dispositions(&mut self, id: SessionId, run: Run) {
        if let Some(session) = self.sessions.get_mut(id)
            && session.dispose(run)
        {
            self.control.push_back(Control::Dispositions(id));
        }
    }

    /// Frees the channel once both ends were exchanged, and the session once that was told too.
    pub(crate) fn free_session_if_over(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if session.remote != Phase::Ended || !session.end_written {
            return;
        }
        if let Some(channel) = session.local_channel.take() {
            self.connection.channels.release(channel);
        }
        if session.end_was_told
            && let Some(session) = self.sessions.remove(id)
        {
            for delivery in session.outgoing.iter() {
                self.outgoing.discard(delivery);
            }
            for delivery in session.incoming.iter() {
                self.incoming.discard(delivery);
            }
            self.charges.said = self.charges.said.saturating_sub(session.said);
            // What its links held goes with it: they release nothing more.
            let (transfers, octets) = session.incoming_window.held();
            self.charges.release(Held { transfers, octets });
            let charges = &mut self.charges;
            charges.waiting = charges.waiting.saturating_sub(session.partial_octets);
            charges.partial = charges.partial.saturating_sub(session.partial_octets);
        }
    }

    // ---- frames out ----

    pub(crate) fn make_begin(&mut self, id: SessionId) -> Option<(u16, Begin)> {
        let handle_max = self.limits().links_per_session.saturating_sub(1);
        let session = self.sessions.get_mut(id)?;
        let (_, incoming_window) = session.incoming_window.advertise();
        let mut begin = Begin::new(
            session.outgoing_window.next_id().0,
            incoming_window,
            OUTGOING_WINDOW,
        );
        begin.remote_channel = session.remote_channel;
        begin.handle_max = handle_max;
        let config = &session.config;
        begin
            .offered_capabilities
            .clone_from(&config.offered_capabilities);
        begin
            .desired_capabilities
            .clone_from(&config.desired_capabilities);
        begin.properties.clone_from(&config.properties);
        Some((session.local_channel?, begin))
    }

    /// Whether a session that was to begin got a channel that the peer turns out not to take (2.7.1).
    pub(crate) fn begin_exceeds_peer(&self, id: SessionId) -> bool {
        let max = match &self.connection.remote_open {
            Some(open) => open.channel_max,
            None => 0,
        };
        self.sessions
            .get(id)
            .and_then(|session| session.local_channel)
            .is_some_and(|channel| channel > max)
    }

    /// Ends a session of which the peer never heard.
    pub(crate) fn drop_session(&mut self, id: SessionId) {
        let max = self.connection.channel_max(self.config.channel_max);
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let mut condition = Condition::new(conditions::RESOURCE_LIMIT_EXCEEDED);
        condition.description = Some(format!("the peer's channel-max is {max}").into());
        session.ends_for(Origin::Local, condition);
        session.local = Phase::Ended;
        session.remote = Phase::Ended;
        session.end_written = true;
        self.end_links_of(id);
        self.post(Event::SessionEnded(id));
        self.free_session_if_over(id);
    }

    pub(crate) fn make_end(&self, id: SessionId) -> Option<(u16, End)> {
        let session = self.sessions.get(id)?;
        let error = session.condition.as_deref().cloned();
        Some((session.local_channel?, End { error }))
    }

    pub(crate) fn end_written(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.end_written = true;
            // What had no credit or window for it comes too late.
            let links: Vec<LinkId> = session.handles.links().collect();
            for link in links {
                self.drop_queue_of(link);
            }
        }
        self.free_session_if_over(id);
    }

    /// The session's part of every flow; marks it as told.
    pub(crate) fn make_session_flow(&mut self, id: SessionId) -> Option<(u16, Flow)> {
        let session = self.sessions.get_mut(id)?;
        if session.local != Phase::Open {
            return None;
        }
        session.flow_due = false;
        let (next_incoming_id, incoming_window) = session.incoming_window.advertise();
        let mut flow = Flow::new(
            incoming_window,
            session.outgoing_window.next_id().0,
            OUTGOING_WINDOW,
        );
        flow.next_incoming_id = next_incoming_id.map(|id| id.0);
        Some((session.local_channel?, flow))
    }
}
