//! Attaching a link (2.6.3): from this side, and as the peer does.

use alloc::format;

use bytes::Bytes;

use crate::config::LinkConfig;
use crate::control::Control;
use crate::endpoints::{Endpoints, Phase};
use crate::error::{Fault, UsageError};
use crate::event::Event;
use crate::ids::{LinkId, SessionId};
use crate::link::{Half, Link, Terms, termini};
use crate::protocol::{Attach, Condition, OwnAttach, Role, conditions};
use crate::seq::Seq;

impl Endpoints {
    pub(crate) fn attach(
        &mut self,
        session: SessionId,
        role: Role,
        config: LinkConfig,
    ) -> Result<LinkId, UsageError> {
        let state = self.session_mut(session)?;
        match state.local {
            Phase::Open => {}
            Phase::New => return Err(UsageError::WrongState("accept the session first")),
            Phase::Ended => return Err(state.refusal()),
        }
        termini::check(role, false, &config)?;
        let name = config.name.clone();
        // A detach of ours that is still to be written leaves before the new attach does.
        let named = self.names.get(role, &name).into_iter().flatten();
        let mut named = named.filter_map(|id| self.links.get(id));
        if named.any(|link| !link.is_detached()) {
            return Err(UsageError::DuplicateLink(name));
        }
        let count = Seq(config.initial_delivery_count);
        let link = Link::new(session, role, count, Terms::new(config));
        let id = self.links.insert(link);
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
        match link.local {
            Phase::New => {}
            Phase::Open => return Err(UsageError::WrongState("the link was accepted before")),
            Phase::Ended => return Err(UsageError::WrongState("the link has ended already")),
        }
        let session = link.session;
        let state = self.session_mut(session)?;
        match state.local {
            Phase::Open => {}
            Phase::New => return Err(UsageError::WrongState("accept the link's session first")),
            Phase::Ended => return Err(state.refusal()),
        }
        let link = self.link_mut(id)?;
        match &config {
            Some(config) => termini::check(link.role(), true, config)?,
            // What repeats the peer's attach lacks nothing but the address of a node that it asks for.
            None if link.terms.has_dynamic_node => {
                termini::check(link.role(), true, &link.terms.config())?;
            }
            None => {}
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
        let (is_reply, flow_due) = (link.remote != Phase::New, link.flow_due);
        self.control.push(Control::Attach(id), is_reply);
        if flow_due {
            self.control.push_back(Control::LinkFlow(id));
        }
        Ok(())
    }

    /// `list`: the octets of its fields; `said`: how many are kept of what it says.
    pub(crate) fn on_attach(
        &mut self,
        channel: u16,
        attach: &Attach,
        list: &Bytes,
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
        let named = self.names.get(attach.role.peer(), &attach.name);
        let [asked_for, in_use] = [Phase::New, Phase::Open].map(|phase| {
            let is_there = |id: &LinkId| self.links.get(*id).is_some_and(|l| l.remote == phase);
            named.map(|id| id.filter(is_there))
        });
        if attach.unsettled.is_none() {
            // Only who resumes the link knows that it failed.
            for link in in_use.iter().flatten().filter_map(|id| self.links.get(*id)) {
                self.check_errant(session_id, link)?;
            }
        }
        // The endpoint that waits for this attach: ours of that name.
        let mut asked_for = asked_for.into_iter().flatten();
        let is_here = |id: &LinkId| self.links.get(*id).is_some_and(|l| l.session == session_id);
        let waiting = asked_for.clone().find(is_here);
        // The answer to an attach of ours makes no link: that was counted when it was made.
        if waiting.is_none() && session.links >= links {
            let text = format!("more than {links} links");
            let condition = conditions::RESOURCE_LIMIT_EXCEEDED;
            return Err(Fault::session(session_id, condition, text));
        }
        self.check_link_room(session_id, said)?;
        let id = match waiting {
            Some(id) => id,
            None => {
                for id in in_use.into_iter().flatten() {
                    // The newcomer takes the name over, the old link is closed (2.6.1).
                    let mut stolen = Condition::new(conditions::LINK_STOLEN);
                    stolen.description = Some("the link was attached again elsewhere".into());
                    self.fail_link(id, stolen);
                }
                self.new_endpoint_for(session_id, attach, list, asked_for.next())
            }
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
            link.terms.hear(attach, list);
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

    /// A new endpoint for an attach of the peer's that none waits for. It does not take the name from one that `waits` on
    /// another session for its answer, which is found by that: the two crossed, and neither is the newcomer (2.6.1).
    fn new_endpoint_for(
        &mut self,
        session: SessionId,
        attach: &Attach,
        list: &[u8],
        waits: Option<LinkId>,
    ) -> LinkId {
        let role = attach.role.peer();
        let terms = if termini::may_be_repeated(attach) {
            Terms::repeating(attach, list)
        } else {
            Terms::new(termini::mirror(attach))
        };
        let link = Link::new(session, role, Seq(0), terms);
        let id = self.links.insert(link);
        self.count_link(session);
        match waits {
            Some(waits) => self.names.insert_crossed(role, &attach.name, id, waits),
            None => self.names.insert(role, &attach.name, id),
        }
        id
    }

    fn count_link(&mut self, session: SessionId) {
        if let Some(session) = self.sessions.get_mut(session) {
            session.links = session.links.saturating_add(1);
        }
    }

    /// The attach of a link, and the channel it goes to. `None`: there is nothing to attach any more.
    pub(crate) fn make_attach(&self, id: LinkId) -> Option<(u16, OwnAttach<'_>)> {
        let (channel, link) = self.to_attach(id)?;
        let attach = link.terms.to_write(link.role(), link.local_handle?);
        Some((channel, attach))
    }

    /// The same, of a link that goes on with what another endpoint left: it tells what that is.
    pub(crate) fn make_resuming_attach(&self, id: LinkId) -> Option<(u16, Attach)> {
        let (channel, link) = self.to_attach(id)?;
        link.resuming.as_ref()?;
        let mut attach = link.terms.attach(link.role(), link.local_handle?);
        self.tell_unsettled(id, &mut attach);
        Some((channel, attach))
    }

    fn to_attach(&self, id: LinkId) -> Option<(u16, &Link)> {
        let link = self.links.get(id)?;
        let session = self.sessions.get(link.session)?;
        // An end that was asked for since stands behind it.
        if session.end_written {
            return None;
        }
        Some((session.local_channel?, link))
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

    /// `told`: what it told of deliveries that another endpoint left.
    pub(crate) fn attach_written(&mut self, id: LinkId, told: Option<Attach>) {
        if let Some(link) = self.links.get_mut(id) {
            link.attach_written = true;
            if let (Some(resuming), Some(attach)) = (&mut link.resuming, told) {
                let whole = !attach.incomplete_unsettled;
                resuming.map = attach.unsettled.map(|map| (map, whole));
            }
        }
        // What was sent before waits for this.
        self.schedule(id);
    }
}
