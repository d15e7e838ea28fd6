//! Flow frames of links: credit, drain and echo (2.6.7, 2.7.4).

use crate::control::Control;
use crate::endpoints::{Endpoints, Phase};
use crate::error::{Fault, UsageError};
use crate::event::Event;
use crate::ids::LinkId;
use crate::link::{Half, Link};
use crate::protocol::Flow;

impl Link {
    /// A receiver told its credit before it could know the delivery-count it counts from.
    pub(crate) const fn flow_was_early(&self) -> bool {
        match &self.half {
            Half::Receiver(receiver) => receiver.credit.credit() > 0,
            Half::Sender(_) => false,
        }
    }
}

impl Endpoints {
    pub(crate) fn on_flow(&mut self, channel: u16, flow: &Flow) -> Result<(), Fault> {
        let Some(session) = self.session_on(channel, "flow")? else {
            return Ok(());
        };
        self.on_session_flow(session, flow)?;
        let Some(handle) = flow.handle else {
            return Ok(());
        };
        let Some(id) = self.link_on(session, handle)? else {
            return Ok(());
        };
        let Some(link) = self.links.get_mut(id) else {
            return Ok(());
        };
        match &mut link.half {
            Half::Sender(sender) => {
                sender
                    .credit
                    .flow(flow.delivery_count, flow.link_credit, flow.drain);
                self.schedule(id);
                self.post(Event::Flow(id));
            }
            Half::Receiver(receiver) => {
                receiver.available = flow.available.unwrap_or(0);
                if receiver.credit.flow(flow.delivery_count, flow.drain) {
                    self.post(Event::Flow(id));
                }
                self.go_on_closing(id);
            }
        }
        if flow.echo {
            self.answer_echo(id);
        }
        Ok(())
    }

    /// A link that was not accepted yet tells its state as soon as it is attached (2.7.4).
    fn answer_echo(&mut self, id: LinkId) {
        match self.links.get_mut(id) {
            Some(link) if link.local == Phase::New => link.flow_due = true,
            _ => self.request_link_flow(id),
        }
    }

    /// Marks a flow of the link as due; however often that happens, one is written.
    pub(crate) fn request_link_flow(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(id)
            && link.local == Phase::Open
            && link.remote != Phase::Ended
            && !core::mem::replace(&mut link.flow_due, true)
        {
            self.control.push_back(Control::LinkFlow(id));
        }
    }

    /// Grants credit: `link-credit` becomes what `change` makes of it.
    pub(crate) fn set_credit(
        &mut self,
        id: LinkId,
        change: impl FnOnce(u32) -> u32,
        drain: bool,
    ) -> Result<(), UsageError> {
        let link = self.link_mut(id)?;
        if link.local == Phase::Ended {
            return Err(UsageError::WrongState("the link was detached"));
        }
        if link.is_closing() {
            return Err(UsageError::WrongState("the link is being closed"));
        }
        let attached = link.local == Phase::Open;
        let Half::Receiver(receiver) = &mut link.half else {
            return Err(UsageError::WrongKind {
                expected: "a receiver",
            });
        };
        if !attached {
            return Err(UsageError::WrongState("accept the link first"));
        }
        let credit = change(receiver.credit.credit());
        receiver.credit.set(credit);
        // Where no credit is left there is nothing to give back, and some senders would not answer.
        let drained = drain && receiver.credit.is_used_up();
        receiver.credit.set_drain(drain && !drained);
        if drained {
            self.post(Event::Flow(id));
        } else {
            self.request_link_flow(id);
        }
        Ok(())
    }

    /// The sender has nothing more for a drain: it uses up the rest of its credit (2.6.7).
    pub(crate) fn drained(&mut self, id: LinkId) -> Result<(), UsageError> {
        let link = self.link_mut(id)?;
        let Half::Sender(sender) = &mut link.half else {
            return Err(UsageError::WrongKind {
                expected: "a sender",
            });
        };
        if !sender.credit.is_draining() {
            return Ok(());
        }
        // The answer must not overtake the transfers it counts.
        sender.drain_when_idle = true;
        self.at_rest(id);
        Ok(())
    }

    pub(crate) fn make_link_flow(&mut self, id: LinkId) -> Option<(u16, Flow)> {
        let link = self.links.get_mut(id)?;
        link.flow_due = false;
        // Nor does who has detached, and may have forgotten the handle, need to hear of credit (2.6.4).
        if link.local != Phase::Open || link.remote == Phase::Ended {
            return None;
        }
        let (session, handle) = (link.session, link.local_handle);
        let (channel, mut flow) = self.make_session_flow(session)?;
        let link = self.links.get_mut(id)?;
        flow.handle = handle;
        match &mut link.half {
            Half::Sender(sender) => {
                flow.delivery_count = Some(sender.credit.count().0);
                flow.link_credit = Some(sender.credit.credit());
                flow.available = Some(sender.queued());
                flow.drain = sender.credit.drain();
            }
            Half::Receiver(receiver) => {
                flow.delivery_count = receiver.credit.count().map(|count| count.0);
                flow.link_credit = Some(receiver.credit.advertise());
                flow.drain = receiver.credit.is_draining();
            }
        }
        Some((channel, flow))
    }
}
