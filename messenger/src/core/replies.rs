//! Reply addresses: one per connection, made up by the peer, to which all replies come (3.5.3).

use bytes::Bytes;
use ferrion_engine::message::Message;
use ferrion_engine::protocol::{Condition, DeliveryState, conditions};
use ferrion_engine::{LinkConfig, LinkId, SessionConfig, SessionId, UsageError};

use super::Core;
use super::inbox::dynamic;
use super::pool::{ConnKey, Party};
use super::store::SPARSE;
use crate::error::{Error, Result};

/// The reply address of a connection.
#[derive(Debug)]
pub(crate) struct Replies {
    link: LinkId,
    /// Its session, if it has one of its own.
    session: Option<SessionId>,
    /// What the peer called it, once it did.
    address: Option<String>,
}

impl Replies {
    /// The link that replies come by, and what the peer called it, if it did.
    pub(super) fn known(&self) -> Option<(LinkId, String)> {
        Some((self.link, self.address.clone()?))
    }
}

impl Core {
    /// Asks the peer for a reply address, if that was not done yet.
    pub(super) fn attach_replies(&mut self, key: ConnKey) -> Result<()> {
        if self
            .pool
            .get(key)
            .is_some_and(|conn| conn.replies.is_some())
        {
            return Ok(());
        }
        // Replies come on a session of their own: messages that there is no room for would keep them out.
        let own = self.session_for_replies(key);
        let config = dynamic(LinkConfig::receiver(self.link_name("replies"), ""));
        let Some(conn) = self.pool.get(key) else {
            return Err(Error::State("the connection is gone; try again"));
        };
        let address = format!("{}/#", conn.endpoint);
        let refused = |cause| Error::Send { address, cause };
        let attach = |core: &mut Self, session| {
            let conn = core.pool.get_mut(key).ok_or(UsageError::StaleHandle)?;
            let mut session = conn.engine.session(session)?;
            session.attach_receiver(config.clone())
        };
        let link = match own {
            Some(session) => attach(self, session).map_err(|error| refused(error.to_string()))?,
            None => {
                // Who asks for them needs the sender of its request.
                let spare = Some(self.recent.1.sender());
                self.attach_in_crowd(key, spare, &attach, refused)?
            }
        };
        let Some(conn) = self.pool.get_mut(key) else {
            return Err(Error::State("the connection is gone; try again"));
        };
        conn.replies = Some(Replies {
            link,
            session: own,
            address: None,
        });
        self.pool.add_link(key, link, Party::Replies);
        self.pool.touch(key);
        Ok(())
    }

    fn session_for_replies(&mut self, key: ConnKey) -> Option<SessionId> {
        let conn = self.pool.get_mut(key)?;
        if conn.one_session {
            return None;
        }
        // What comes there is bounded by the requests that are made.
        let config = SessionConfig::default();
        conn.engine.connection().begin(config).ok()
    }

    /// The link that replies were to come by is gone: asks for another reply address.
    pub(super) fn attach_replies_anew(&mut self, key: ConnKey) {
        if let Some(conn) = self.pool.get_mut(key) {
            conn.replies = None;
        }
        if let Err(error) = self.attach_replies(key) {
            self.replies_lost(key, &error);
        }
    }

    /// The peer made a reply address up, or did not.
    pub(super) fn replies_attached(&mut self, key: ConnKey, address: Option<String>) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let Some(replies) = &mut conn.replies else {
            return;
        };
        if address.is_some() {
            replies.address = address;
            self.queue_requests(key, None);
            return;
        }
        let link = replies.link;
        if let Ok(mut link) = conn.engine.link(link) {
            let _ = link.close(None);
        }
        let error = Error::Send {
            address: format!("{}/#", conn.endpoint),
            cause: "the peer makes no reply address up; put the request with a reply-to of your \
                    own, and subscribe to that"
                .to_owned(),
        };
        self.pool.remove_link(key, link);
        self.replies_lost(key, &error);
        self.pool.touch(key);
    }

    /// The reply address is gone, and what was asked for with it.
    pub(super) fn replies_lost(&mut self, key: ConnKey, error: &Error) {
        if let Some(conn) = self.pool.get_mut(key)
            && let Some(replies) = conn.replies.take()
            && let Some(session) = replies.session
            && let Ok(mut session) = conn.engine.session(session)
        {
            // It fails if the peer ended it first.
            let _ = session.end(None);
            self.pool.touch(key);
        }
        for id in self.requests_on(key) {
            self.end_request(id, Err(error.clone()));
        }
    }

    /// Every request may be replied to once.
    pub(super) fn grant_replies(&mut self, key: ConnKey, link: LinkId, count: u32) {
        if let Some(conn) = self.pool.get_mut(key)
            && let Ok(mut link) = conn.engine.receiver(link)
            && count > 0
        {
            // A link that ended meanwhile is about to be told of.
            let _ = link.add_credit(count);
            self.pool.touch(key);
        }
    }

    /// Takes what came to the reply address.
    pub(super) fn receive_replies(&mut self, key: ConnKey, id: LinkId) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let Ok(mut link) = conn.engine.receiver(id) else {
            return;
        };
        let mut strays = 0;
        let mut replies = Vec::new();
        while let Some(delivery) = link.next_delivery() {
            let payload = delivery.payload.into_bytes();
            let request = self.requests.find(&payload);
            let readable = request.is_some() || Message::decode_lenient(payload.clone()).is_ok();
            if let Some(delivery) = delivery.id {
                let outcome = if readable {
                    DeliveryState::Accepted
                } else {
                    let condition = Condition::new(conditions::DECODE_ERROR);
                    DeliveryState::Rejected(Some(Box::new(condition)))
                };
                // It fails if the sender settled first, which is as good.
                let _ = link.settle(delivery, outcome);
            }
            match request {
                Some(request) => replies.push((request, payload)),
                None => strays += 1,
            }
        }
        conn.useful = true;
        let octets: usize = replies.iter().map(|(_, payload)| payload.len()).sum();
        let are_sparse = octets < SPARSE && self.requests.untaken_octets() > 0;
        for (request, mut payload) in replies {
            if are_sparse {
                // Others wait already: it counts its octets, and is not to keep what it was read with.
                payload = Bytes::copy_from_slice(&payload);
            }
            // What was answered already is a stray as well.
            strays += u32::from(!self.end_request(request, Ok(payload)));
        }
        // What nobody asked for must not use up the credit of what was.
        self.grant_replies(key, id, strays);
        self.pool.touch(key);
    }
}
