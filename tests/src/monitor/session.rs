//! What a monitor knows of one session: windows, ids, links.

use super::link::Credit;
use super::{Link, before, uint_or_zero};
use crate::oracle::{Perf, V};

/// One session of the endpoint.
#[derive(Debug, Default)]
pub struct Session {
    /// The endpoint's channel, once it sent `begin`.
    pub outgoing: Option<u16>,
    /// The partner's channel, once its `begin` was seen.
    pub incoming: Option<u16>,
    /// The endpoint ended it.
    pub end_sent: bool,
    /// The partner ended it.
    pub end_received: bool,
    /// `next-outgoing-id` of the endpoint's `begin`.
    pub initial_outgoing_id: u32,
    /// Transfer-id of the endpoint's next transfer.
    pub next_outgoing_id: u32,
    /// Transfer-id of the next transfer from the partner.
    pub next_incoming_id: Option<u32>,
    /// The endpoint's latest advertised incoming window.
    pub incoming_window: u32,
    /// Delivery-id of the endpoint's next delivery, once it sent one.
    pub next_delivery_id: Option<u32>,
    /// The highest delivery-id seen from the partner.
    pub last_received_id: Option<u32>,
    handle_max: u32,
    window: Credit,
    links: Vec<Link>,
    /// Tags that are unsettled at the endpoint's senders: delivery-id, link, tag.
    unsettled: Vec<(u32, usize, Vec<u8>)>,
}

impl Session {
    /// The links that exist or existed, oldest first.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The attached link with this handle of the endpoint.
    pub fn link(&self, handle: u32) -> Option<&Link> {
        self.links.iter().rev().find(|l| l.ours == Some(handle))
    }

    /// The attached link with this handle of the partner.
    pub fn link_of_partner(&self, handle: u32) -> Option<&Link> {
        self.links.iter().rev().find(|l| l.theirs == Some(handle))
    }

    pub(super) fn drained(&mut self) {
        self.window.settle();
        self.links.iter_mut().for_each(|l| l.credit.settle());
    }

    pub(super) fn begin_sent(&mut self, channel: u16, perf: &Perf) {
        self.outgoing = Some(channel);
        self.initial_outgoing_id = uint_or_zero(perf, "next-outgoing-id");
        self.next_outgoing_id = self.initial_outgoing_id;
        self.incoming_window = uint_or_zero(perf, "incoming-window");
        // A partner that began first gave its window before it could know where our ids start.
        if let Some((_, window)) = self.window.latest() {
            self.window = Credit::default();
            self.window.set(self.initial_outgoing_id, window);
        }
    }

    pub(super) fn begin_received(&mut self, channel: u16, perf: &Perf) {
        self.incoming = Some(channel);
        self.next_incoming_id = Some(uint_or_zero(perf, "next-outgoing-id"));
        self.handle_max = uint_or_zero(perf, "handle-max");
        let window = uint_or_zero(perf, "incoming-window");
        self.window.set(self.initial_outgoing_id, window);
    }

    pub(super) fn received(&mut self, perf: &Perf) {
        match perf.code {
            0x12 => self.attach_received(perf),
            0x13 => self.flow_received(perf),
            0x14 => self.transfer_received(perf),
            0x15 if perf.flag("settled") && perf.flag("role") => self.settle_sent(perf),
            0x16 => {
                if let Some(link) = self.theirs(perf.uint("handle")) {
                    link.theirs = None;
                    link.detached_by_partner = true;
                }
            }
            _ => {}
        }
    }

    pub(super) fn sent(&mut self, perf: &Perf) -> Result<(), String> {
        match perf.code {
            0x12 => self.attach_sent(perf),
            0x13 => self.flow_sent(perf),
            0x14 => self.transfer_sent(perf),
            0x15 => self.disposition_sent(perf),
            0x16 => {
                let handle = uint_or_zero(perf, "handle");
                let Some(link) = self.ours(handle) else {
                    return Err(format!(
                        "detach of handle {handle}, which is not attached (2.6.4)"
                    ));
                };
                link.ours = None;
                Ok(())
            }
            _ => Err(format!("{} inside a session", perf.name())),
        }
    }

    fn ours(&mut self, handle: u32) -> Option<&mut Link> {
        self.links.iter_mut().rev().find(|l| l.ours == Some(handle))
    }

    fn theirs(&mut self, handle: Option<u32>) -> Option<&mut Link> {
        let handle = handle?;
        self.links
            .iter_mut()
            .rev()
            .find(|l| l.theirs == Some(handle))
    }

    fn attach_received(&mut self, perf: &Perf) {
        let V::Str(name) = perf.get("name") else {
            return;
        };
        let Some(handle) = perf.uint("handle") else {
            return;
        };
        if self.theirs(Some(handle)).is_some() {
            return;
        }
        let we_send = perf.flag("role");
        let waits = |l: &Link| {
            l.name == name
                && l.sender == we_send
                && l.ours.is_some()
                && l.theirs.is_none()
                && !l.detached_by_partner
        };
        let index = match self.links.iter().rposition(waits) {
            Some(index) => index,
            None => {
                self.links.push(Link::new(&name, we_send));
                self.links.len() - 1
            }
        };
        self.links[index].attach_received(handle, perf);
    }

    fn attach_sent(&mut self, perf: &Perf) -> Result<(), String> {
        let handle = uint_or_zero(perf, "handle");
        if self.ours(handle).is_some() {
            return Err(format!(
                "attach on handle {handle}, which is in use (2.7.3)"
            ));
        }
        if self.incoming.is_some() && handle > self.handle_max {
            return Err(format!(
                "handle {handle} above the partner's {} (2.7.2)",
                self.handle_max
            ));
        }
        let V::Str(name) = perf.get("name") else {
            return Err("attach without a name".to_owned());
        };
        let sender = !perf.flag("role");
        if sender && perf.uint("initial-delivery-count").is_none() {
            return Err("a sender's attach without initial-delivery-count (2.7.3)".to_owned());
        }
        let answers = |l: &Link| {
            l.name == name
                && l.sender == sender
                && l.ours.is_none()
                && l.theirs.is_some()
                && !l.was_ours
        };
        let index = match self.links.iter().rposition(answers) {
            Some(index) => index,
            None => {
                self.links.push(Link::new(&name, sender));
                self.links.len() - 1
            }
        };
        self.links[index].attach_sent(handle, perf);
        Ok(())
    }

    fn flow_received(&mut self, perf: &Perf) {
        self.next_incoming_id = perf.uint("next-outgoing-id").or(self.next_incoming_id);
        let base = perf
            .uint("next-incoming-id")
            .unwrap_or(self.initial_outgoing_id);
        self.window.set(base, uint_or_zero(perf, "incoming-window"));
        let handle = perf.uint("handle");
        if let Some(link) = self.theirs(handle) {
            link.flow_received(perf);
        }
    }

    fn flow_sent(&mut self, perf: &Perf) -> Result<(), String> {
        let next_incoming = perf.uint("next-incoming-id");
        if next_incoming != self.next_incoming_id {
            return Err(format!(
                "flow with next-incoming-id {next_incoming:?}, not {:?} (2.5.6)",
                self.next_incoming_id
            ));
        }
        if perf.uint("next-outgoing-id") != Some(self.next_outgoing_id) {
            return Err(format!(
                "flow with a next-outgoing-id that is not {} (2.5.6)",
                self.next_outgoing_id
            ));
        }
        self.incoming_window = uint_or_zero(perf, "incoming-window");
        let Some(handle) = perf.uint("handle") else {
            for field in ["delivery-count", "link-credit", "available", "properties"] {
                if !perf.get(field).is_null() {
                    return Err(format!("flow without a handle but with {field} (2.7.4)"));
                }
            }
            return if perf.flag("drain") {
                Err("flow without a handle but with drain (2.7.4)".to_owned())
            } else {
                Ok(())
            };
        };
        match self.ours(handle) {
            Some(link) => link.flow_sent(perf),
            None => Err(format!(
                "flow for handle {handle}, which is not attached (2.7.4)"
            )),
        }
    }

    fn transfer_received(&mut self, perf: &Perf) {
        if let Some(next) = &mut self.next_incoming_id {
            *next = next.wrapping_add(1);
        }
        if let Some(id) = perf.uint("delivery-id")
            && self.last_received_id.is_none_or(|last| before(last, id))
        {
            self.last_received_id = Some(id);
        }
        let handle = perf.uint("handle");
        if let Some(link) = self.theirs(handle) {
            link.transfer_received(perf);
        }
    }

    fn transfer_sent(&mut self, perf: &Perf) -> Result<(), String> {
        if !self.window.allows(self.next_outgoing_id) {
            return Err(format!(
                "transfer {} outside the partner's window (2.5.6)",
                self.next_outgoing_id
            ));
        }
        self.next_outgoing_id = self.next_outgoing_id.wrapping_add(1);
        let handle = uint_or_zero(perf, "handle");
        let Some(index) = self.links.iter().rposition(|l| l.ours == Some(handle)) else {
            return Err(format!(
                "transfer on handle {handle}, which is not attached (2.7.5)"
            ));
        };
        let id = perf.uint("delivery-id");
        let first = self.links[index].in_progress.is_none();
        if first {
            let Some(id) = id else {
                return Err("first transfer without a delivery-id (2.7.5)".to_owned());
            };
            if self.next_delivery_id.is_some_and(|next| next != id) {
                return Err(format!(
                    "delivery-id {id}, not {:?} (2.6.12)",
                    self.next_delivery_id
                ));
            }
            self.next_delivery_id = Some(id.wrapping_add(1));
            let V::Bin(tag) = perf.get("delivery-tag") else {
                return Err("first transfer without a delivery-tag (2.7.5)".to_owned());
            };
            let resumed = perf.flag("resume");
            if !resumed
                && self
                    .unsettled
                    .iter()
                    .any(|(_, link, t)| *link == index && *t == tag)
            {
                return Err(format!("delivery-tag {tag:?} is still unsettled (2.6.12)"));
            }
            self.unsettled.push((id, index, tag));
        }
        let current = self.links[index].transfer_sent(perf)?;
        if current.settled || perf.flag("aborted") {
            self.unsettled.retain(|(id, ..)| *id != current.id);
        }
        Ok(())
    }

    fn disposition_sent(&mut self, perf: &Perf) -> Result<(), String> {
        let first = uint_or_zero(perf, "first");
        let last = perf.uint("last").unwrap_or(first);
        if before(last, first) {
            return Err("disposition with last before first (2.7.6)".to_owned());
        }
        let newest = if perf.flag("role") {
            self.last_received_id
        } else {
            self.next_delivery_id.map(|n| n.wrapping_sub(1))
        };
        match newest {
            Some(newest) if !before(newest, last) => {}
            _ => {
                return Err(format!(
                    "disposition of {last}, which was not delivered yet (2.7.6)"
                ));
            }
        }
        if !perf.flag("role") && perf.flag("settled") {
            self.settle_sent(perf);
        }
        Ok(())
    }

    fn settle_sent(&mut self, perf: &Perf) {
        let first = uint_or_zero(perf, "first");
        let last = perf.uint("last").unwrap_or(first);
        let span = last.wrapping_sub(first);
        self.unsettled
            .retain(|(id, ..)| id.wrapping_sub(first) > span);
    }
}
