//! The link endpoint (2.6): attach and detach, for both roles.

mod arrival;
mod closing;
mod credit;
mod flow;
mod receiver;
mod sender;
mod termini;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;

use crate::codec::Str;
use crate::config::LinkConfig;
use crate::delivery::{OfLink, Outgoing};
use crate::endpoints::{Control, EndError, Endpoints, Phase};
use crate::error::{Fault, Origin, UsageError};
use crate::event::{Event, Queued};
use crate::ids::{DeliveryId, LinkId, SessionId};
use crate::limits::Limits;
use crate::protocol::{
    Attach, Condition, Detach, ReceiverSettleMode, Role, SenderSettleMode, conditions,
};
use crate::recovery::Resuming;
use crate::seq::Seq;
pub use closing::Closing;
pub(crate) use closing::Graceful;
pub(crate) use credit::{ReceiverCredit, SenderCredit};
pub use receiver::PartialDelivery;
pub(crate) use receiver::{Held, Partial, ReceiverHalf};
pub(crate) use sender::{After, Resumes, SenderHalf, Sending, TRANSFER_OVERHEAD};

/// The state of one link.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) session: SessionId,
    pub(crate) config: Box<LinkConfig>,
    pub(crate) half: Half,
    pub(crate) local: Phase,
    pub(crate) remote: Phase,
    pub(crate) local_handle: Option<u32>,
    pub(crate) remote_handle: Option<u32>,
    pub(crate) remote_attach: Option<Box<Attach>>,
    pub(crate) error: Option<Box<EndError>>,
    /// What our detach says.
    detach: Option<Box<Detach>>,
    pub(crate) graceful: Option<Graceful>,
    /// Whether the peer's detach closed the link for good.
    pub(crate) remote_closed: bool,
    /// We detached it for an error: what still comes is ignored until the peer's detach.
    pub(crate) discarding: bool,
    pub(crate) flow_due: bool,
    pub(crate) detach_due: bool,
    pub(crate) attach_written: bool,
    pub(crate) detach_written: bool,
    pub(crate) end_was_told: bool,
    pub(crate) queued: Queued,
    /// Deliveries of it that its session remembers as unsettled.
    pub(crate) unsettled: u32,
    /// Deliveries whose state the peer changed, each at most once.
    pub(crate) updates: VecDeque<DeliveryId>,
    /// Deliveries that are not settled and told of.
    pub(crate) deliveries: OfLink,
    /// There for a link that goes on with what another endpoint left.
    pub(crate) resuming: Option<Box<Resuming>>,
    /// The link is attached once more, only to be closed (2.6.6).
    closes_again: bool,
}

/// What only one of the two roles has.
#[derive(Debug)]
pub(crate) enum Half {
    Sender(SenderHalf),
    Receiver(ReceiverHalf),
}

impl Link {
    fn new(session: SessionId, role: Role, config: LinkConfig) -> Self {
        let half = match role {
            Role::Sender => Half::Sender(SenderHalf::new(Seq(config.initial_delivery_count))),
            Role::Receiver => Half::Receiver(ReceiverHalf::default()),
        };
        Self {
            session,
            config: Box::new(config),
            half,
            local: Phase::New,
            remote: Phase::New,
            local_handle: None,
            remote_handle: None,
            remote_attach: None,
            error: None,
            detach: None,
            graceful: None,
            remote_closed: false,
            discarding: false,
            flow_due: false,
            detach_due: false,
            attach_written: false,
            detach_written: false,
            end_was_told: false,
            queued: Queued::default(),
            unsettled: 0,
            updates: VecDeque::new(),
            deliveries: OfLink::default(),
            resuming: None,
            closes_again: false,
        }
    }

    pub(crate) const fn role(&self) -> Role {
        match self.half {
            Half::Sender(_) => Role::Sender,
            Half::Receiver(_) => Role::Receiver,
        }
    }

    /// Both sides have attached and neither has detached.
    pub(crate) const fn is_attached(&self) -> bool {
        matches!((self.local, self.remote), (Phase::Open, Phase::Open))
    }

    /// Both sides have detached, if only in intention on this one.
    const fn is_detached(&self) -> bool {
        matches!((self.local, self.remote), (Phase::Ended, Phase::Ended))
    }

    /// Detaching was asked for and waits for what was sent: the peer knows nothing of it.
    pub(crate) const fn detach_waits(&self) -> bool {
        matches!(self.local, Phase::Ended) && !self.detach_due && !self.detach_written
    }

    /// Whether what is not settled outlives the endpoint.
    pub(crate) const fn keeps_deliveries(&self) -> bool {
        self.config.recoverable || self.resuming.is_some()
    }

    /// What was begun on another endpoint of the link waits until it is known what the peer remembers of it.
    pub(crate) fn check_resumed(&self) -> Result<(), UsageError> {
        match &self.resuming {
            Some(resuming) if resuming.is_waiting() => Err(UsageError::WrongState(
                "the link is being resumed: wait until it is attached",
            )),
            _ => Ok(()),
        }
    }

    /// Whether the peer answered our attach without a terminus of its own: it will detach (2.6.3).
    pub(crate) fn is_refused(&self) -> bool {
        match (&self.half, &self.remote_attach) {
            (Half::Sender(_), Some(attach)) => attach.target.is_none(),
            (Half::Receiver(_), Some(attach)) => attach.source.is_none(),
            (_, None) => false,
        }
    }

    /// Whether either side closed the link, and not because of an error, after which it may be resumed (2.6.5).
    pub(crate) fn was_closed(&self) -> bool {
        let closed_here = self
            .detach
            .as_ref()
            .is_some_and(|detach| detach.closed && detach.error.is_none());
        closed_here || (self.remote_closed && self.error.is_none())
    }

    /// The sender's settle mode in force: what the sending side says (2.8.2).
    pub(crate) fn snd_settle_mode(&self) -> SenderSettleMode {
        match (&self.half, &self.remote_attach) {
            (Half::Receiver(_), Some(attach)) => attach.snd_settle_mode,
            _ => self.config.snd_settle_mode,
        }
    }

    /// The receiver's settle mode in force: what the receiving side says (2.8.3).
    pub(crate) fn rcv_settle_mode(&self) -> ReceiverSettleMode {
        match (&self.half, &self.remote_attach) {
            (Half::Sender(_), Some(attach)) => attach.rcv_settle_mode,
            _ => self.config.rcv_settle_mode,
        }
    }

    /// The largest message that the peer was told we take.
    #[inline]
    pub(crate) fn advertised_octets(&self) -> u64 {
        match self.config.max_message_size {
            None | Some(0) => u64::MAX,
            Some(size) => size,
        }
    }

    /// The largest delivery that is taken whole.
    #[inline]
    fn most_octets(&self, limits: &Limits) -> u64 {
        self.advertised_octets().min(limits.delivery_octets)
    }

    /// The largest message the peer takes; `None` (on the wire also 0) for any size (2.7.3).
    pub(crate) fn remote_max_message_size(&self) -> Option<u64> {
        self.remote_attach
            .as_ref()
            .and_then(|attach| attach.max_message_size)
            .filter(|size| *size > 0)
    }
}

impl Endpoints {
    // ---- commands ----

    pub(crate) fn attach(
        &mut self,
        session: SessionId,
        role: Role,
        config: LinkConfig,
    ) -> Result<LinkId, UsageError> {
        if self.session_mut(session)?.local != Phase::Open {
            return Err(UsageError::WrongState("the session is not begun"));
        }
        termini::check(role, false, &config)?;
        let key = (role, config.name.clone());
        // A detach of ours that is still to be written leaves before the new attach does.
        let named = self.names.get(&key).and_then(|id| self.links.get(*id));
        if named.is_some_and(|link| !link.is_detached()) {
            return Err(UsageError::DuplicateLink(key.1));
        }
        let id = self.links.insert(Link::new(session, role, config));
        if let Err(error) = self.announce_link(id) {
            self.links.remove(id);
            return Err(error);
        }
        self.count_link(session);
        self.names.insert(key, id);
        Ok(id)
    }

    /// Answers an attach of the peer's, with the termini and modes of `config`.
    pub(crate) fn accept_link(
        &mut self,
        id: LinkId,
        config: Option<LinkConfig>,
    ) -> Result<(), UsageError> {
        let link = self.link_mut(id)?;
        if link.local != Phase::New {
            return Err(UsageError::WrongState("the link was accepted before"));
        }
        let session = link.session;
        if self.session_mut(session)?.local != Phase::Open {
            return Err(UsageError::WrongState("accept the link's session first"));
        }
        let link = self.link_mut(id)?;
        termini::check(link.role(), true, config.as_ref().unwrap_or(&link.config))?;
        self.announce_link(id)?;
        if let Some(config) = config {
            let link = self.link_mut(id)?;
            let name = link.config.name.clone();
            *link.config = LinkConfig { name, ..config };
            if let Half::Sender(sender) = &mut link.half {
                sender
                    .credit
                    .start_from(Seq(link.config.initial_delivery_count));
            }
        }
        Ok(())
    }

    /// Answers an attach of the peer's with a refusal: a terminus of null, then a detach (2.6.3).
    pub(crate) fn refuse_link(
        &mut self,
        id: LinkId,
        condition: Condition,
    ) -> Result<(), UsageError> {
        self.attach_without_terminus(id)?;
        self.detach(id, true, Some(condition))
    }

    /// Answers an attach of the peer's only to be able to detach: our own terminus does not come to be.
    fn attach_without_terminus(&mut self, id: LinkId) -> Result<(), UsageError> {
        let link = self.link_mut(id)?;
        let mut config = (*link.config).clone();
        match link.role() {
            Role::Sender => config.source = None,
            Role::Receiver => config.target = None,
        }
        self.accept_link(id, Some(config))
    }

    fn announce_link(&mut self, id: LinkId) -> Result<(), UsageError> {
        let links = self.limits().links_per_session;
        let session_id = self.link_mut(id)?.session;
        let session = self.session_mut(session_id)?;
        let max = session.remote_handle_max().min(links.saturating_sub(1));
        let Some(handle) = session.handles.allocate(id, max) else {
            return Err(UsageError::LimitReached {
                what: "link",
                limit: max.saturating_add(1),
            });
        };
        session.unanswered.remove(&id);
        let link = self.link_mut(id)?;
        link.local_handle = Some(handle);
        link.local = Phase::Open;
        self.control.push_back(Control::Attach(id));
        Ok(())
    }

    /// Detaches the link once what was sent on it has left, for good if `closed`.
    pub(crate) fn detach(
        &mut self,
        id: LinkId,
        closed: bool,
        condition: Option<Condition>,
    ) -> Result<(), UsageError> {
        let link = self.link_mut(id)?;
        let waits = link.detach_waits();
        match link.local {
            // The peer is gone from it already: nobody needs to accept it first.
            Phase::New if link.remote == Phase::Ended => self.attach_without_terminus(id)?,
            Phase::New => return Err(UsageError::WrongState("accept or refuse the link first")),
            // Closing with an error does not wait for what was sent, as the detach before did.
            Phase::Ended if waits && condition.is_some() => {}
            Phase::Ended => return Err(UsageError::WrongState("the link was detached before")),
            Phase::Open => {}
        }
        let link = self.link_mut(id)?;
        let Some(handle) = link.local_handle else {
            return Err(UsageError::WrongState("the link has no handle"));
        };
        let mut detach = Detach::new(handle);
        // What the peer has closed is closed (2.6.6).
        detach.closed = closed || link.remote_closed;
        detach.error = condition;
        link.discarding = detach.error.is_some();
        link.detach = Some(Box::new(detach));
        link.local = Phase::Ended;
        let discarding = link.discarding;
        self.forget_closing(id);
        if discarding {
            self.drop_queue_of(id);
        }
        self.at_rest(id);
        Ok(())
    }

    pub(crate) fn link_mut(&mut self, id: LinkId) -> Result<&mut Link, UsageError> {
        self.links.get_mut(id).ok_or(UsageError::StaleHandle)
    }

    // ---- frames in ----

    /// The link that the peer's `handle` names. `None`: ignore the frame.
    pub(crate) fn link_on(&self, session: SessionId, handle: u32) -> Result<Option<LinkId>, Fault> {
        let found = self
            .sessions
            .get(session)
            .and_then(|session| session.handles.by_remote(handle));
        let Some(id) = found else {
            let text = format!("handle {handle} is not attached");
            return Err(Fault::session(
                session,
                conditions::SESSION_UNATTACHED_HANDLE,
                text,
            ));
        };
        let discarding = self.links.get(id).filter(|link| link.discarding);
        if let Some(link) = discarding {
            self.check_errant(session, link)?;
            return Ok(None);
        }
        Ok(self.links.get(id).map(|_| id))
    }

    /// Something came for a link that is over for this side.
    fn check_errant(&self, session: SessionId, link: &Link) -> Result<(), Fault> {
        let failed = link
            .detach
            .as_ref()
            .is_some_and(|detach| detach.error.is_some());
        if self.config.ends_errant_sessions && failed {
            let text = format!("link {} was detached with an error", link.config.name);
            return Err(Fault::session(
                session,
                conditions::SESSION_ERRANT_LINK,
                text,
            ));
        }
        Ok(())
    }

    pub(crate) fn on_attach(&mut self, channel: u16, attach: Attach) -> Result<(), Fault> {
        let Some(session_id) = self.session_on(channel, "attach")? else {
            return Ok(());
        };
        let links = self.limits().links_per_session;
        let Some(session) = self.sessions.get(session_id) else {
            return Ok(());
        };
        // A handle-max cannot say "none": with no link allowed, the first is one too many.
        let handle_max = links.saturating_sub(1);
        if attach.handle > handle_max {
            let text = format!(
                "handle {} is beyond the handle-max of {handle_max}",
                attach.handle
            );
            return Err(Fault::connection(
                conditions::CONNECTION_FRAMING_ERROR,
                text,
            ));
        }
        if session.handles.by_remote(attach.handle).is_some() {
            let text = format!("handle {} is in use", attach.handle);
            return Err(Fault::session(
                session_id,
                conditions::SESSION_HANDLE_IN_USE,
                text,
            ));
        }
        if attach.unsettled.is_none()
            && let Some(id) = self.names.get(&opposite(&attach))
            && let Some(link) = self.links.get(*id)
            && link.remote == Phase::Open
        {
            // Only who resumes the link knows that it failed.
            self.check_errant(session_id, link)?;
        }
        let waiting = self.waiting_for(session_id, &attach);
        // The answer to an attach of ours makes no link: that was counted when it was made.
        if waiting.is_none() && session.links >= links {
            let text = format!("more than {links} links");
            let condition = conditions::RESOURCE_LIMIT_EXCEEDED;
            return Err(Fault::session(session_id, condition, text));
        }
        let id = match waiting {
            Some(id) => id,
            None => self.new_endpoint_for(session_id, &attach),
        };
        let handle = attach.handle;
        let uncounted = attach.role == Role::Sender && attach.initial_delivery_count.is_none();
        if let Some(session) = self.sessions.get_mut(session_id) {
            session.handles.map_remote(handle, id);
        }
        if let Some(link) = self.links.get_mut(id) {
            link.remote = Phase::Open;
            link.remote_handle = Some(handle);
            if let (Half::Receiver(receiver), Some(count)) =
                (&mut link.half, attach.initial_delivery_count)
            {
                receiver.credit.attach(Seq(count));
            }
            link.remote_attach = Some(Box::new(attach));
            // Credit that was granted before the delivery-count was known is told now, with it.
            if link.flow_was_early() {
                self.request_link_flow(id);
            }
        }
        if uncounted {
            let text = "a sender's attach needs an initial-delivery-count";
            return Err(Fault::link(id, conditions::INVALID_FIELD, text));
        }
        if self.links.get(id).is_some_and(|link| !link.closes_again) {
            self.post(Event::LinkAttached(id));
            self.reconcile(id);
        }
        Ok(())
    }

    /// The endpoint that waits for this attach of the peer's: ours of that name.
    fn waiting_for(&self, session: SessionId, attach: &Attach) -> Option<LinkId> {
        let id = *self.names.get(&opposite(attach))?;
        let link = self.links.get(id)?;
        (link.remote == Phase::New && link.session == session).then_some(id)
    }

    /// A new endpoint for an attach of the peer's that none waits for.
    fn new_endpoint_for(&mut self, session: SessionId, attach: &Attach) -> LinkId {
        let key = opposite(attach);
        let role = key.0;
        if let Some(id) = self.names.get(&key).copied()
            && let Some(link) = self.links.get(id)
            && link.remote == Phase::Open
        {
            // The name is in use: the newcomer takes it over, the old link is closed (2.6.1).
            let mut stolen = Condition::new(conditions::LINK_STOLEN);
            stolen.description = Some("the link was attached again elsewhere".into());
            self.fail_link(id, stolen);
        }
        let config = termini::mirror(attach);
        let id = self.links.insert(Link::new(session, role, config));
        self.count_link(session);
        self.names.insert(key, id);
        id
    }

    pub(crate) fn on_detach(&mut self, channel: u16, detach: Detach) -> Result<(), Fault> {
        let Some(session_id) = self.session_on(channel, "detach")? else {
            return Ok(());
        };
        let Some(session) = self.sessions.get_mut(session_id) else {
            return Ok(());
        };
        let Some(id) = session.handles.by_remote(detach.handle) else {
            let text = format!("detach of handle {}, which is not attached", detach.handle);
            return Err(Fault::session(
                session_id,
                conditions::SESSION_UNATTACHED_HANDLE,
                text,
            ));
        };
        session.handles.unmap_remote(detach.handle);
        if self
            .links
            .get(id)
            .is_some_and(|link| link.local == Phase::New)
        {
            session.unanswered.insert(id);
        }
        if let Some(link) = self.links.get_mut(id) {
            link.remote = Phase::Ended;
            link.remote_handle = None;
            link.remote_closed |= detach.closed;
            if let Some(condition) = detach.error {
                link.error.get_or_insert_with(|| {
                    Box::new(EndError {
                        origin: Origin::Remote,
                        condition,
                    })
                });
            }
        }
        self.drop_transfers(id);
        self.answer_while_closing(id);
        self.post(Event::LinkDetached(id));
        self.close_too(id);
        self.free_link_if_over(id);
        Ok(())
    }

    /// The peer closed the link while we detached it without closing: it must be told that we close it too,
    /// and where our detach is on its way that takes another attach (2.6.6).
    fn close_too(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        let Some(detach) = link.detach.as_mut().filter(|_| link.remote_closed) else {
            return;
        };
        if core::mem::replace(&mut detach.closed, true) || !link.detach_written {
            return;
        }
        link.closes_again = true;
        link.remote = Phase::New;
        link.attach_written = false;
        link.detach_written = false;
        self.control.push_back(Control::Attach(id));
        self.control.push_back(Control::Detach(id));
    }

    /// What the link was in the middle of is void: its queue, and what arrived of a delivery, unless that is
    /// kept for the link to be resumed.
    pub(crate) fn drop_transfers(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        let keeps = link.keeps_deliveries();
        match &mut link.half {
            Half::Sender(_) => self.drop_queue_of(id),
            Half::Receiver(_) if keeps => {}
            Half::Receiver(receiver) => {
                let partial = receiver.drop_partial();
                let session = link.session;
                self.forget_partial(session, partial);
            }
        }
    }

    /// What waits to be sent on the link will not be.
    pub(crate) fn drop_queue_of(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        let keeps = link.keeps_deliveries();
        let Half::Sender(sender) = &mut link.half else {
            return;
        };
        for (delivery, is_known) in sender.drop_queue() {
            let is_void = |sent: &Outgoing| sent.is_over() || sent.is_settled();
            if !(is_known || keeps) || self.outgoing.get(delivery).is_some_and(is_void) {
                self.outgoing.discard(delivery);
            }
        }
        self.at_rest(id);
    }

    pub(crate) fn fail_link(&mut self, id: LinkId, condition: Condition) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        link.error.get_or_insert_with(|| {
            Box::new(EndError {
                origin: Origin::Local,
                condition: condition.clone(),
            })
        });
        link.discarding = true;
        let (session, phase) = (link.session, link.local);
        if phase == Phase::New {
            // A detach needs an attach before it, and that needs a session that was begun.
            let begun = self
                .session_mut(session)
                .is_ok_and(|s| s.local == Phase::Open)
                || self
                    .accept_session(session, crate::config::SessionConfig::default())
                    .is_ok();
            if !begun || self.attach_without_terminus(id).is_err() {
                self.fail_session(session, condition);
                return;
            }
        }
        self.drop_transfers(id);
        if phase != Phase::Ended {
            // It was found out here that the link is attached, so it can be detached.
            let _ = self.detach(id, true, Some(condition));
        }
        self.post(Event::LinkDetached(id));
    }

    pub(crate) fn end_link_with_session(&mut self, id: LinkId) {
        self.forget_closing(id);
        self.drop_transfers(id);
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        link.local = Phase::Ended;
        link.remote = Phase::Ended;
        link.detach_written = true;
        self.post(Event::LinkDetached(id));
    }

    pub(crate) fn free_link_if_over(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        if link.remote != Phase::Ended || !link.detach_written {
            return;
        }
        // Both sides have detached: handle and name may be used again, whatever the caller knows yet.
        let (handle, session) = (link.local_handle.take(), link.session);
        let key = (link.role(), link.config.name.clone());
        let was_told = link.end_was_told;
        if self.names.get(&key) == Some(&id) {
            self.names.remove(&key);
        }
        if let (Some(handle), Some(session)) = (handle, self.sessions.get_mut(session)) {
            session.handles.release(handle);
        }
        if was_told {
            self.free_link(id);
        }
    }

    fn count_link(&mut self, session: SessionId) {
        if let Some(session) = self.sessions.get_mut(session) {
            session.links = session.links.saturating_add(1);
        }
    }

    fn free_link(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id)
            && let Half::Receiver(receiver) = &mut link.half
        {
            let (session, partial) = (link.session, receiver.drop_partial());
            self.forget_partial(session, partial);
        }
        self.free_deliveries_of(id);
        let Some(link) = self.links.remove(id) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(link.session) else {
            return;
        };
        session.links = session.links.saturating_sub(1);
        if let Half::Receiver(receiver) = link.half {
            // What was never taken must not narrow the window of the links that live on.
            for (_, held) in &receiver.complete {
                session.incoming_window.release(held.transfers, held.octets);
            }
            self.refresh_window(link.session);
        }
    }

    // ---- frames out ----

    pub(crate) fn make_attach(&self, id: LinkId) -> Option<(u16, Attach)> {
        let link = self.links.get(id)?;
        let session = self.sessions.get(link.session)?;
        // An end that was asked for since stands behind it.
        if session.end_written {
            return None;
        }
        let config: &LinkConfig = &link.config;
        let mut attach = Attach::new(config.name.clone(), link.local_handle?, link.role());
        attach.snd_settle_mode = config.snd_settle_mode;
        attach.rcv_settle_mode = config.rcv_settle_mode;
        attach.source.clone_from(&config.source);
        attach.target.clone_from(&config.target);
        attach.max_message_size = config.max_message_size;
        attach
            .offered_capabilities
            .clone_from(&config.offered_capabilities);
        attach
            .desired_capabilities
            .clone_from(&config.desired_capabilities);
        attach.properties.clone_from(&config.properties);
        if link.role() == Role::Sender {
            attach.initial_delivery_count = Some(config.initial_delivery_count);
        }
        self.tell_unsettled(id, &mut attach);
        Some((session.local_channel?, attach))
    }

    /// Whether a link that was to be attached got a handle that the peer turns out not to take (2.7.2).
    pub(crate) fn attach_exceeds_peer(&self, id: LinkId) -> bool {
        let link = self.links.get(id);
        let session = link.and_then(|link| self.sessions.get(link.session));
        match (link.and_then(|link| link.local_handle), session) {
            (Some(handle), Some(session)) => handle > session.remote_handle_max(),
            _ => false,
        }
    }

    /// Ends a link of which the peer never heard.
    pub(crate) fn drop_link(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id) {
            let mut condition = Condition::new(conditions::RESOURCE_LIMIT_EXCEEDED);
            condition.description = Some("the handle is beyond the peer's handle-max".into());
            link.error.get_or_insert_with(|| {
                Box::new(EndError {
                    origin: Origin::Local,
                    condition,
                })
            });
        }
        self.end_link_with_session(id);
        self.free_link_if_over(id);
    }

    pub(crate) fn make_detach(&self, id: LinkId) -> Option<(u16, Detach)> {
        let link = self.links.get(id)?;
        let session = self.sessions.get(link.session)?;
        if session.end_written {
            return None;
        }
        Some((session.local_channel?, link.detach.as_deref()?.clone()))
    }

    pub(crate) fn attach_written(&mut self, id: LinkId, attach: Attach) {
        if let Some(link) = self.links.get_mut(id) {
            link.attach_written = true;
            if let Some(resuming) = &mut link.resuming {
                let whole = !attach.incomplete_unsettled;
                resuming.map = attach.unsettled.map(|map| (map, whole));
            }
        }
        // What was sent before waits for this.
        self.schedule(id);
    }

    pub(crate) fn detach_written(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id) {
            link.detach_written = true;
        }
        self.free_link_if_over(id);
    }
}

/// Our end of the link that a peer's attach is for, by role and name.
fn opposite(attach: &Attach) -> (Role, Str) {
    let role = match attach.role {
        Role::Sender => Role::Receiver,
        Role::Receiver => Role::Sender,
    };
    (role, attach.name.clone())
}
