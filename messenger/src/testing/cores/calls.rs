//! What a program may call, with arguments that octets say.

use std::time::Duration;

use ferrion_engine::Limits;
use ferrion_engine::message::Message;
use ferrion_engine::protocol::Modified;

use super::World;
use crate::core::credit::Credit;
use crate::core::inbox::Decision;
use crate::core::tracker::Flags;
use crate::error::Error;
use crate::reconnect::Reconnect;
use crate::subscribe::{SubscribeOptions, Unsubscribe};

/// Where messages go. What is not listened on is not there; who connects is also found by name.
const NODES: [&str; 8] = [
    "amqp://right:1/q",
    "amqp://left:1/q",
    "amqp://right:2",
    "left/reply",
    "right",
    "amqp://joe:secret@right:1/q",
    "amqp://nowhere/q",
    "anything",
];
/// Where messages come from.
const SOURCES: [&str; 6] = [
    "~right:1",
    "~left:1",
    "amqp://right:1/q",
    "amqp://right:1/#",
    "amqp://left:1/r",
    "~right:2",
];

impl World<'_> {
    fn message(&mut self) -> (Message, u32) {
        let (node, size) = (self.octet(), self.octet());
        self.numbers += 1;
        let number = self.numbers;
        let filler = "x".repeat(usize::from(size) * 8);
        let mut message = Message::with_body(format!("{number}:{filler}"));
        message.set_address(NODES[usize::from(node & 7)]);
        match node >> 6 {
            1 => message.set_reply_to("~/reply"),
            2 => message.set_reply_to("~"),
            _ => {}
        }
        (message, number)
    }

    pub(super) fn put(&mut self, who: usize) {
        let (message, number) = self.message();
        // What is refused is not taken.
        if let Ok(tracker) = self.cores[who].put(&message) {
            self.put.push((who, tracker, number));
        }
    }

    pub(super) fn subscribe(&mut self, who: usize, which: u8) {
        if self.subscriptions[who].len() >= 8 {
            return;
        }
        let mut options = SubscribeOptions::new();
        match which >> 5 {
            1 => options = options.credit(1),
            2 => options = options.name("named"),
            3 => options = options.durable("kept"),
            4 => options = options.copies(),
            _ => {}
        }
        let source = SOURCES[usize::from(which & 31) % SOURCES.len()];
        if let Ok(subscription) = self.cores[who].subscribe(source, &options) {
            self.subscriptions[who].push(subscription);
        }
    }

    pub(super) fn unsubscribe(&mut self, who: usize) {
        if let Some(subscription) = self.subscriptions[who].pop() {
            let core = &mut self.cores[who];
            let _ = core.subscription_address(subscription);
            let _ = core.subscription_source(subscription);
            // As `subscribe` does where nobody can listen.
            if core.take_listen_error(subscription).is_some() {
                core.drop_listener(subscription);
                return;
            }
            // Half of them each way.
            let how = if subscription.to_bits().is_multiple_of(2) {
                Unsubscribe::Close
            } else {
                Unsubscribe::Detach
            };
            let _ = core.unsubscribe(subscription, how);
            let _ = core.take_parting_error(subscription);
        }
    }

    pub(super) fn grant(&mut self, who: usize) {
        let count = self.octet();
        self.cores[who].request(match count >> 6 {
            0 => Credit::All,
            1 => Credit::Explicit(u32::from(count & 63)),
            2 => Credit::Cancel,
            _ => Credit::Manual,
        });
    }

    pub(super) fn get(&mut self, who: usize) {
        let mut message = Message::new();
        match self.cores[who].get(&mut message) {
            Ok(tracker) => {
                if let Ok(Some(body)) = message.body_text()
                    && let Some(Ok(number)) = body.split(':').next().map(str::parse)
                {
                    self.got.insert(number);
                }
                self.incoming[who].push((tracker, message));
            }
            Err(Error::EndOfQueue) => {}
            Err(error) => assert!(self.is_noisy, "{error}"),
        }
    }

    fn pick<T: Copy>(&mut self, from: impl Fn(&Self) -> Vec<T>) -> Option<T> {
        let which = usize::from(self.octet());
        let all = from(self);
        (!all.is_empty()).then(|| all[which % all.len()])
    }

    fn flags(octet: u8) -> Flags {
        if octet & 0x80 == 0 {
            Flags::NONE
        } else {
            Flags::CUMULATIVE
        }
    }

    pub(super) fn decide(&mut self, who: usize) {
        let how = self.octet();
        let known = |world: &Self| world.incoming[who].iter().map(|(it, _)| *it).collect();
        let Some(tracker) = self.pick(known) else {
            return;
        };
        let decision = match how & 7 {
            0 => Decision::Reject(None),
            1 => Decision::Release,
            2 => Decision::Modify(Modified::default()),
            _ => Decision::Accept,
        };
        // It may have left the window.
        let _ = self.cores[who].decide(tracker, Self::flags(how), &decision);
    }

    pub(super) fn settle(&mut self, who: usize) {
        let how = self.octet();
        let known = |world: &Self| {
            let put = world.put.iter().filter(|(by, ..)| *by == who);
            let got = world.incoming[who].iter().map(|(it, _)| *it);
            put.map(|(_, it, _)| *it).chain(got).collect()
        };
        if let Some(tracker) = self.pick(known) {
            let _ = self.cores[who].settle(tracker, Self::flags(how));
            let _ = self.cores[who].buffered(tracker);
            let _ = self.cores[who].reason(tracker);
        }
    }

    pub(super) fn ask(&mut self, who: usize) {
        let patience = self.octet();
        let (message, _) = self.message();
        let patience = (patience > 0).then(|| u64::from(patience) * 100);
        if let Ok(id) = self.cores[who].send_request(&message, patience) {
            self.requests[who].push(id);
        }
    }

    pub(super) fn take_reply(&mut self, who: usize) {
        let how = self.octet();
        if let Some(id) = self.pick(|world| world.requests[who].clone()) {
            if how & 7 == 0 {
                self.cores[who].cancel_request(id);
            } else {
                let _ = self.cores[who].take_reply(id);
            }
        }
    }

    pub(super) fn reply(&mut self, who: usize) {
        let which = usize::from(self.octet());
        let known = &self.incoming[who];
        if known.is_empty() {
            return;
        }
        let (tracker, request) = &known[which % known.len()];
        let Ok(address) = self.cores[who].reply_address(*tracker, request) else {
            return;
        };
        let mut reply = Message::with_body("reply");
        reply.set_address(address);
        if let Ok(Some(id)) = request.message_id() {
            reply.set_correlation_id(id);
        }
        let _ = self.cores[who].put(&reply);
    }

    pub(super) fn settings(&mut self, who: usize) {
        let (what, amount) = (self.octet(), self.octet());
        let core = &mut self.cores[who];
        let count = usize::from(amount);
        match what & 7 {
            0 => core.set_outgoing_window(count),
            1 => core.set_incoming_window(count),
            2 => core.set_high_water(count, count << 8),
            3 => core.set_incoming_high_water(count, count << 8),
            // Heartbeats for as long as a run takes are many.
            4 => core.options.idle_time_out = (count > 0).then(|| u32::from(amount) * 1000),
            5 => {
                let limits = &mut core.options.limits;
                limits.handshake_time = match count {
                    0 => Limits::default().handshake_time,
                    _ => u64::from(amount) * 100,
                };
            }
            6 => core.set_reconnect((count > 0).then(|| Reconnect {
                first_delay: Duration::from_millis(u64::from(amount)),
                max_delay: Duration::from_millis(u64::from(amount) * 10),
                give_up_after: Some(Duration::from_millis(u64::from(amount) * 100)),
                initial: count & 1 == 0,
            })),
            _ => core.set_tracing(count & 1 == 0),
        }
    }

    pub(super) fn routes(&mut self, who: usize) {
        let what = self.octet();
        let core = &mut self.cores[who];
        // What does not work out leads nowhere.
        let _ = match what & 7 {
            0 => core.routes().add("anything", Some("amqp://right:1/q")),
            1 => core.routes().add("amqp://*:1/%", Some("amqp://$1:2/$2")),
            2 => core.rewrites().add("*", Some("to-$1")),
            3 => core.rewrites().add("%", None),
            4 => core.set_alternatives("amqp://nowhere", &["right:1", "left:1"]),
            _ => {
                core.routes().clear();
                Ok(())
            }
        };
    }

    pub(super) fn try_routes(&mut self, who: usize) {
        let core = &mut self.cores[who];
        let _ = core.begin_checks();
        assert!(core.has_checked() || !core.why_unchecked().is_empty());
        let _ = core.end_checks();
    }

    pub(super) fn stop(&mut self, who: usize) {
        if self.octet() & 7 == 0 {
            self.cores[who].abandon_all();
        }
        self.cores[who].close_all();
    }
}
