//! What happened to connections and on them, until somebody asks.

use std::collections::VecDeque;

use super::Core;
use super::sender::SenderKey;
use crate::reconnect::ConnectionEvent;

/// Events that nobody asked for yet; beyond it the oldest are dropped.
const MAX_TRAIL: usize = 1024;
/// Peers that came and went are looked for among those who ask for messages when there are more of these.
const FEW_ARRIVALS: usize = 64;

/// Events in the order in which they came about.
///
/// Peers that ask for messages are in a line of their own, and are told of only as long as they are there: those who come and
/// go all the time take no room, and push nothing out that happened to others.
#[derive(Debug, Default)]
pub(super) struct Trail {
    events: VecDeque<(u64, ConnectionEvent)>,
    arrivals: VecDeque<(u64, SenderKey)>,
    count: u64,
}

impl Trail {
    fn push(&mut self, event: ConnectionEvent) {
        if self.events.len() == MAX_TRAIL {
            self.events.pop_front();
        }
        self.events.push_back((self.count, event));
        self.count += 1;
    }

    fn arrive(&mut self, sender: SenderKey) {
        self.arrivals.push_back((self.count, sender));
        self.count += 1;
    }

    /// Who asked for messages, if that was before the first event.
    fn next_arrival(&mut self) -> Option<SenderKey> {
        let (at, sender) = *self.arrivals.front()?;
        if self.events.front().is_some_and(|(first, _)| *first < at) {
            return None;
        }
        self.arrivals.pop_front();
        Some(sender)
    }
}

impl Core {
    pub(crate) fn next_connection_event(&mut self) -> Option<ConnectionEvent> {
        while let Some(sender) = self.trail.next_arrival() {
            let event = self.subscribed(sender);
            if event.is_some() {
                return event;
            }
        }
        self.trail.events.pop_front().map(|(_, event)| event)
    }

    pub(super) fn tell(&mut self, event: ConnectionEvent) {
        self.trail.push(event);
    }

    /// A peer asked for messages.
    pub(super) fn tell_of_receiver(&mut self, sender: SenderKey) {
        let there = self.senders.len();
        if self.trail.arrivals.len() >= FEW_ARRIVALS + 2 * there {
            let senders = &self.senders;
            let mut arrivals = std::mem::take(&mut self.trail.arrivals);
            arrivals.retain(|(_, sender)| senders.get(*sender).is_some());
            self.trail.arrivals = arrivals;
        }
        self.trail.arrive(sender);
    }

    /// What there is to say of a peer that asked for messages, if it still does.
    fn subscribed(&self, key: SenderKey) -> Option<ConnectionEvent> {
        let sender = self.senders.get(key)?;
        let conn = self.pool.get(sender.conn)?;
        Some(ConnectionEvent::Subscribed {
            address: self.address_of_link(key)?,
            container: conn.container.as_deref().unwrap_or_default().to_owned(),
            node: sender.node.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::FEW_ARRIVALS;
    use crate::core::Core;
    use crate::core::login::Seeds;
    use crate::core::pool::ConnKey;
    use crate::reconnect::ConnectionEvent;
    use ferrion_engine::LinkId;

    #[test]
    fn peers_that_come_and_go_take_no_room_and_push_nothing_out() {
        let mut core = Core::new("one".into(), Seeds::new([1; 32], [2; 32]));
        let address = "amqp://broker".to_owned();
        core.tell(ConnectionEvent::Connected { address });
        let link = (1..32)
            .find_map(|kind| LinkId::from_bits(kind << 59 | 1))
            .unwrap();
        for _ in 0..100 * FEW_ARRIVALS {
            let conn = ConnKey::from_bits(1);
            let sender = core.add_sender(conn, link, &"node".into(), false);
            core.tell_of_receiver(sender);
            core.senders.remove(sender).unwrap();
            assert!(core.trail.arrivals.len() <= FEW_ARRIVALS + 2);
        }
        let first = core.next_connection_event();
        assert!(matches!(first, Some(ConnectionEvent::Connected { .. })));
        assert_eq!(core.next_connection_event(), None);
        assert!(core.trail.arrivals.is_empty());
    }
}
