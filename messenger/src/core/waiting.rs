//! What a message waits for, so that a timeout can say more than that time has passed.

use std::borrow::Cow;

use ferrion_engine::LinkId;

use super::Core;
use super::pool::{Conn, State};

impl Core {
    /// Says where the messages go that are beyond `left`, and what the first of them waits for.
    pub(crate) fn why_unsent(&mut self, left: usize) -> String {
        let count = self.outgoing().saturating_sub(left);
        let (messages, are) = if count == 1 {
            ("message", "is")
        } else {
            ("messages", "are")
        };
        let unsent = format!("while {count} {messages} {are} not acknowledged");
        let mut senders = self.senders.iter();
        let first = senders.find_map(|(_, sender)| {
            let unfinished = sender.waiting() > 0 || sender.in_flight > 0 || sender.unflushed > 0;
            unfinished.then(|| {
                (
                    sender.conn,
                    sender.link,
                    sender.there().clone(),
                    sender.in_flight,
                )
            })
        });
        let Some((key, link, node, in_flight)) = first else {
            return unsent;
        };
        let Some(conn) = self.pool.get_mut(key) else {
            return unsent;
        };
        let place = format!("{}/{node}", conn.endpoint);
        format!("{unsent}; {place}: {}", stage(conn, link, in_flight))
    }
}

/// The first step that the peer has not taken.
fn stage(conn: &mut Conn, link: LinkId, in_flight: usize) -> Cow<'static, str> {
    if matches!(conn.state, State::Away(_)) {
        return "the peer was lost, and has not come back yet".into();
    }
    if matches!(conn.state, State::Waiting(_) | State::Connecting) {
        let last = conn.line.as_ref().and_then(|line| line.last());
        return match last {
            Some(error) => format!("the connection is being made again ({error})").into(),
            None => "the connection is not made yet".into(),
        };
    }
    if conn.container.is_none() {
        return "the peer has not opened the connection yet".into();
    }
    let Ok(sender) = conn.engine.sender(link) else {
        return "the link is gone".into();
    };
    let credit = sender.credit();
    let attached = conn.engine.link(link).is_ok_and(|link| link.is_attached());
    let text = match (attached, in_flight, credit) {
        (false, ..) => "the peer has not attached the link yet",
        (true, 0, 0) => "the peer grants no credit",
        (true, 0, _) => "the peer does not take the octets",
        (true, ..) => "the peer has not said what became of what it was sent",
    };
    text.into()
}
