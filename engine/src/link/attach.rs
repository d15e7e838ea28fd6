//! Attaching a link (2.6.3): from this side, and as the peer does.

use alloc::format;

use crate::config::LinkConfig;
use crate::control::Control;
use crate::endpoints::{Endpoints, Phase};
use crate::error::{Fault, UsageError};
use crate::event::Event;
use crate::ids::{LinkId, SessionId};
use crate::link::{Half, Link, termini};
use crate::protocol::{Attach, Condition, Role, conditions};
use crate::seq::Seq;

impl Endpoints {
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
        let name = config.name.clone();
        // A detach of ours that is still to be written leaves before the new attach does.
        let named = self.names.get(role, &name);
        let named = named.and_then(|id| self.links.get(id));
        if named.is_some_and(|link| !link.is_detached()) {
            return Err(UsageError::DuplicateLink(name));
        }
        let id = self.links.insert(Link::new(session, role, config));
        if let Err(error) = self.announce_link(id) {
            self.links.remove(id);
            return Err(error);
        }
        self.count_link(session);
        self.names.insert(role, &name, id);
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
        match &config {
            Some(config) => termini::check(link.role(), true, config)?,
            None => termini::check(link.role(), true, &link.terms.config())?,
        }
        self.announce_link(id)?;
        if let Some(config) = config {
            let link = self.link_mut(id)?;
            if let Half::Sender(sender) = &mut link.half {
                sender.credit.start_from(Seq(config.initial_delivery_count));
            }
            let name = link.terms.name();
            link.terms.plan(link.role(), LinkConfig { name, ..config });
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
    pub(super) fn attach_without_terminus(&mut self, id: LinkId) -> Result<(), UsageError> {
        let link = self.link_mut(id)?;
        let mut config = link.terms.config();
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
        let is_reply = link.remote != Phase::New;
        self.control.push(Control::Attach(id), is_reply);
        Ok(())
    }

    /// `said`: the octets that are kept of what it says.
    pub(crate) fn on_attach(
        &mut self,
        channel: u16,
        attach: Attach,
        said: u64,
    ) -> Result<(), Fault> {
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
            && let Some(id) = self.names.get(attach.role.peer(), &attach.name)
            && let Some(link) = self.links.get(id)
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
        self.check_link_room(session_id, said)?;
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
            // It may be attached once more only to be closed.
            let before = core::mem::replace(&mut link.said, said);
            self.charges.said = self
                .charges
                .said
                .saturating_sub(before)
                .saturating_add(said);
            if let (Half::Receiver(receiver), Some(count)) =
                (&mut link.half, attach.initial_delivery_count)
            {
                receiver.credit.attach(Seq(count));
            }
            link.terms.hear(attach);
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
        let id = self.names.get(attach.role.peer(), &attach.name)?;
        let link = self.links.get(id)?;
        (link.remote == Phase::New && link.session == session).then_some(id)
    }

    /// A new endpoint for an attach of the peer's that none waits for.
    fn new_endpoint_for(&mut self, session: SessionId, attach: &Attach) -> LinkId {
        let role = attach.role.peer();
        if let Some(id) = self.names.get(role, &attach.name)
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
        self.names.insert(role, &attach.name, id);
        id
    }

    fn count_link(&mut self, session: SessionId) {
        if let Some(session) = self.sessions.get_mut(session) {
            session.links = session.links.saturating_add(1);
        }
    }

    pub(crate) fn make_attach(&self, id: LinkId) -> Option<(u16, Attach)> {
        let link = self.links.get(id)?;
        let session = self.sessions.get(link.session)?;
        // An end that was asked for since stands behind it.
        if session.end_written {
            return None;
        }
        let mut attach = link.terms.attach(link.role(), link.local_handle?);
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

    pub(crate) fn attach_written(&mut self, id: LinkId, attach: Attach) {
        if let Some(link) = self.links.get_mut(id) {
            link.attach_written = true;
            link.terms.said();
            if let Some(resuming) = &mut link.resuming {
                let whole = !attach.incomplete_unsettled;
                resuming.map = attach.unsettled.map(|map| (map, whole));
            }
        }
        // What was sent before waits for this.
        self.schedule(id);
    }
}
