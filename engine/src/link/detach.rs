//! The end of a link (2.6.4 to 2.6.6): detached here or there, failed, or ended with its session; and what it was in the middle of.

use alloc::format;

use crate::config::SessionConfig;
use crate::control::Control;
use crate::delivery::Outgoing;
use crate::endpoints::{Endpoints, Phase};
use crate::error::{Fault, Origin, UsageError};
use crate::event::Event;
use crate::ids::LinkId;
use crate::link::Half;
use crate::protocol::{Condition, Detach, conditions};

impl Endpoints {
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
        if let Some(condition) = &condition {
            link.ends_for(Origin::Local, condition.clone());
        }
        detach.error = condition;
        link.discarding = detach.error.is_some();
        link.ending_mut().detach = Some(detach);
        link.local = Phase::Ended;
        let discarding = link.discarding;
        self.forget_closing(id);
        if discarding {
            self.drop_queue_of(id);
        }
        self.at_rest(id);
        Ok(())
    }

    /// `octets`: of what it says, on the wire.
    pub(crate) fn on_detach(
        &mut self,
        channel: u16,
        detach: Detach,
        octets: usize,
    ) -> Result<(), Fault> {
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
            link.remote_closed |= detach.closed;
            if let Some(condition) = detach.error {
                if link.error().is_none() {
                    self.charges.say(&mut link.said, octets);
                }
                link.ends_for(Origin::Remote, condition);
                link.ending_mut().destroyed = true;
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
        let was_closed = link.remote_closed;
        let ending = link.ending.as_mut().filter(|_| was_closed);
        let Some(detach) = ending.and_then(|ending| ending.detach.as_mut()) else {
            return;
        };
        if core::mem::replace(&mut detach.closed, true) || !link.detach_written {
            return;
        }
        link.closes_again = true;
        link.remote = Phase::New;
        link.attach_written = false;
        link.detach_written = false;
        self.control.reply(Control::Attach(id));
        self.control.reply(Control::Detach(id));
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
        link.ends_for(Origin::Local, condition.clone());
        link.discarding = true;
        let (session, phase) = (link.session, link.local);
        if phase == Phase::New {
            // A detach needs an attach before it, and that needs a session that was begun.
            let begun = self
                .session_mut(session)
                .is_ok_and(|s| s.local == Phase::Open)
                || self
                    .accept_session(session, SessionConfig::default())
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
        let (role, name) = (link.role(), link.terms.name());
        let was_told = link.end_was_told;
        self.names.remove(role, &name, id);
        if let (Some(handle), Some(session)) = (handle, self.sessions.get_mut(session)) {
            session.handles.release(handle);
        }
        if was_told {
            self.free_link(id);
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
        let Some(mut link) = self.links.remove(id) else {
            return;
        };
        while self.updates.pop(&mut link.updates).is_some() {}
        self.updates.shrink();
        self.charges.said = self.charges.said.saturating_sub(link.said);
        if let Half::Receiver(mut receiver) = link.half {
            // What was never taken must not narrow the window of the links that live on.
            while let Some(waits) = self.waiting.pop(&mut receiver.complete) {
                self.unhold(link.session, waits.held());
            }
            self.waiting.shrink();
            self.refresh_window(link.session);
        }
        if let Some(session) = self.sessions.get_mut(link.session) {
            session.links = session.links.saturating_sub(1);
        }
    }

    /// Ends a link of which the peer never heard.
    pub(crate) fn drop_link(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id) {
            let mut condition = Condition::new(conditions::RESOURCE_LIMIT_EXCEEDED);
            condition.description = Some("the handle is beyond the peer's handle-max".into());
            link.ends_for(Origin::Local, condition);
        }
        self.end_link_with_session(id);
        self.free_link_if_over(id);
    }

    pub(crate) fn make_detach(&self, id: LinkId) -> Option<(u16, Detach)> {
        let link = self.links.get(id)?;
        let session = self.sessions.get(link.session)?;
        // Nor is there anything to detach from where the attach before it was not written (2.6.4).
        if session.end_written || !link.attach_written {
            return None;
        }
        Some((session.local_channel?, link.planned_detach()?.clone()))
    }

    pub(crate) fn detach_written(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id) {
            link.detach_written = true;
        }
        self.free_link_if_over(id);
    }
}
