//! How a well-behaved application answers events, and what must hold at rest and at the end.

use std::collections::BTreeMap;

use ferrion_engine::protocol::{DeliveryState, Role};
use ferrion_engine::{Engine, Event, LinkId};

use super::{Chaos, side};
use crate::pair::At;

impl Chaos {
    pub(super) fn answer_events(&mut self) {
        for at in [At::Client, At::Server] {
            while let Some(event) = self.pair.next_event(at) {
                self.answer(at, event);
            }
            if let Some(failure) = self.pair.engine(at).failure() {
                let text = format!("the {at:?} failed: {failure}");
                self.wrong(&text);
            }
        }
    }

    fn answer(&mut self, at: At, event: Event) {
        let config = self.session_config();
        match event {
            Event::SessionBegun(id) => {
                let mut session = self.pair.engine(at).session(id).expect("told just now");
                // It may have ended since: then there is nothing to accept.
                if session.is_incoming() && session.accept(config).is_ok() {
                    self.sessions[side(at)].push(id);
                }
            }
            Event::SessionEnded(id) => {
                let error = self
                    .pair
                    .engine(at)
                    .session(id)
                    .ok()
                    .and_then(|s| s.error().cloned());
                if let Some(error) = error {
                    self.wrong(&format!("a session at the {at:?} ended for {error:?}"));
                }
                self.sessions[side(at)].retain(|s| *s != id);
            }
            Event::LinkAttached(id) => {
                let start = self.setting.start;
                let mut link = self.pair.engine(at).link(id).expect("told just now");
                if link.is_incoming()
                    && let Some(mut config) = link.offer()
                {
                    config.initial_delivery_count = start;
                    if link.accept_with(config).is_ok() {
                        self.links[side(at)].push(id);
                        self.stream_every_other(at, id);
                    }
                }
            }
            Event::LinkDetached(id) => {
                // What came before the detach can be taken still.
                while self.take_one(at, id) {}
                self.look_at_updates(at, id);
                let error = self
                    .pair
                    .engine(at)
                    .link(id)
                    .ok()
                    .and_then(|l| l.error().cloned());
                if let Some(error) = error {
                    self.wrong(&format!("a link at the {at:?} ended for {error:?}"));
                }
                let mut link = self.pair.engine(at).link(id).expect("told just now");
                if link.awaits_detach() {
                    let _ = if link.is_remote_closed() {
                        link.close(None)
                    } else {
                        link.detach()
                    };
                }
                self.links[side(at)].retain(|l| *l != id);
                self.taken[side(at)].retain(|(l, ..)| *l != id);
                self.unsettled[side(at)].retain(|(l, ..)| *l != id);
                self.streams[side(at)].retain(|(l, ..)| *l != id);
            }
            Event::Flow(id) => {
                if let Ok(mut sender) = self.pair.engine(at).sender(id)
                    && sender.is_draining()
                {
                    sender.drained().expect("a live sender");
                }
            }
            Event::Updates(id) => self.look_at_updates(at, id),
            Event::Failed | Event::RemoteClose | Event::Disconnected => {
                self.wrong(&format!("{event:?} at the {at:?}, where nobody closed"));
            }
            _ => {}
        }
    }

    fn look_at_updates(&mut self, at: At, id: LinkId) {
        let Ok(mut link) = self.pair.engine(at).link(id) else {
            return;
        };
        let is_sender = link.role() == Role::Sender;
        let updates: Vec<_> = std::iter::from_fn(|| link.next_update()).collect();
        for update in updates {
            if !update.settled {
                // Both settle modes end here: a stated outcome is settled by the sender.
                let writing = self.streams[side(at)]
                    .iter()
                    .any(|(_, d, _)| *d == update.delivery);
                if is_sender
                    && !writing
                    && let Ok(mut sender) = self.pair.engine(at).sender(id)
                {
                    sender.settle(update.delivery).expect("told just now");
                    self.unsettled[side(at)].retain(|(_, d, _)| *d != update.delivery);
                }
                continue;
            }
            if !is_sender {
                self.taken[side(at)].retain(|(_, d, _)| *d != update.delivery);
                continue;
            }
            let unsettled = &mut self.unsettled[side(at)];
            let Some(index) = unsettled.iter().position(|(_, d, _)| *d == update.delivery) else {
                self.wrong(&format!(
                    "an update of a delivery that is not unsettled: {update:?}"
                ));
                continue;
            };
            let (.., key) = unsettled.swap_remove(index);
            let outcome = self.outcomes.get(&key).cloned();
            let went_back = outcome.is_none()
                && self.closing.contains(&key.0)
                && update.state == Some(DeliveryState::Released);
            if update.state != outcome && !went_back {
                self.wrong(&format!(
                    "delivery {key:?} was settled as {outcome:?}, told as {:?}",
                    update.state
                ));
            }
        }
    }

    pub(super) fn come_to_rest(&mut self) {
        loop {
            self.pair.run();
            let before = [At::Client, At::Server].map(|at| self.pair.end(at).events.len());
            self.answer_events();
            let after = [At::Client, At::Server].map(|at| self.pair.end(at).events.len());
            if before == after {
                break;
            }
        }
        self.check_agreement();
        self.check_unsettled();
    }

    /// At rest both sides must have the same idea of everything that is attached on both.
    fn check_agreement(&mut self) {
        let mut credit = [BTreeMap::new(), BTreeMap::new()];
        for at in [At::Client, At::Server] {
            for link in self.links[side(at)].clone() {
                let Some(number) = self.number(at, link) else {
                    continue;
                };
                if !self
                    .pair
                    .engine(at)
                    .link(link)
                    .is_ok_and(|l| l.is_attached())
                {
                    continue;
                }
                if let Ok(sender) = self.pair.engine(at).sender(link) {
                    // What waits for the session's window is on neither side.
                    if sender.queued() == 0 {
                        credit[0].insert(number, sender.credit());
                    }
                } else if let Ok(receiver) = self.pair.engine(at).receiver(link) {
                    credit[1].insert(number, receiver.credit());
                }
            }
        }
        let [senders, receivers] = credit;
        for (number, credit) in senders {
            if receivers
                .get(&number)
                .is_some_and(|granted| *granted != credit)
            {
                self.wrong(&format!(
                    "link {number}: the sender has credit {credit}, the receiver gave {:?}",
                    receivers.get(&number)
                ));
            }
        }
    }

    /// At rest, and with nothing half sent, each side has as many unsettled deliveries as the other knows of.
    fn check_unsettled(&mut self) {
        let mut sessions = [BTreeMap::new(), BTreeMap::new()];
        for at in [At::Client, At::Server] {
            for id in self.links[side(at)].clone() {
                let Some(number) = self.number(at, id) else {
                    continue;
                };
                let engine = self.pair.engine(at);
                if engine.sender(id).is_ok_and(|sender| sender.queued() > 0) {
                    return;
                }
                let Ok(link) = engine.link(id) else { continue };
                if link.is_attached()
                    && let Some(session) = link.session()
                {
                    sessions[side(at)].insert(number, session);
                }
            }
        }
        for (number, ours) in &sessions[0] {
            let Some(theirs) = sessions[1].get(number) else {
                continue;
            };
            let count = |engine: &mut Engine, id| {
                let session = engine.session(id).expect("it has a link");
                (session.unsettled_outgoing(), session.unsettled_incoming())
            };
            let client = count(&mut self.pair.client.engine, *ours);
            let server = count(&mut self.pair.server.engine, *theirs);
            if client != (server.1, server.0) {
                self.wrong(&format!(
                    "unsettled (out, in): the client has {client:?}, the server {server:?}"
                ));
            }
        }
    }

    pub(super) fn close_everything(&mut self) {
        self.pair.note("everything is closed");
        for at in [At::Client, At::Server] {
            for link in self.links[side(at)].clone() {
                while self.take_one(at, link) {}
            }
        }
        self.come_to_rest();
        for at in [At::Client, At::Server] {
            for link in self.links[side(at)].clone() {
                if let Ok(mut view) = self.pair.engine(at).link(link) {
                    let _ = view.close(None);
                }
            }
        }
        self.come_to_rest();
        for at in [At::Client, At::Server] {
            for session in self.sessions[side(at)].clone() {
                if let Ok(mut view) = self.pair.engine(at).session(session) {
                    let _ = view.end(None);
                }
            }
        }
        self.come_to_rest();
        for at in [At::Client, At::Server] {
            let census = self.pair.engine(at).census();
            if census != Default::default() {
                self.wrong(&format!(
                    "after everything was closed the {at:?} still holds {census:?}"
                ));
            }
        }
        self.pair
            .client
            .engine
            .connection()
            .close(None)
            .expect("open");
        self.pair.run();
        for at in [At::Client, At::Server] {
            if !self.pair.engine(at).is_done() || self.pair.engine(at).failure().is_some() {
                self.wrong(&format!("the {at:?} did not end well"));
            }
        }
    }
}
