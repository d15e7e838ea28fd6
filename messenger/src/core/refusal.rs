//! Peers that have no use for links that could be recovered: what they refuse is asked for without that.

use ferrion_engine::protocol::{ReceiverSettleMode, conditions};
use ferrion_engine::{EndError, LinkId, Origin as Side, Time};

use super::Core;
use super::pool::{ConnKey, Party};
use super::recovery::FORGOTTEN;
use super::store::Origin;
use crate::error::Scope;
use crate::reconnect::ConnectionEvent;

impl Core {
    /// A link ended. If that is because the peer does not implement what recovery takes, which some say of a link and
    /// some, as RabbitMQ, of its whole session, it is attached again without that, as are all later ones on the
    /// connection. Answers whether it is.
    pub(super) fn ask_for_less(
        &mut self,
        key: ConnKey,
        id: LinkId,
        ending: Option<&(Scope, EndError)>,
        now: Time,
    ) -> bool {
        let lacks = |error: &EndError| {
            error.origin == Side::Remote && error.condition.condition == conditions::NOT_IMPLEMENTED
        };
        let Some((scope, _)) = ending.filter(|(_, error)| lacks(error)) else {
            return false;
        };
        let ends_session = *scope == Scope::Session;
        let Some(conn) = self.pool.get_mut(key).filter(|conn| conn.is_usable()) else {
            return false;
        };
        let Some(party) = conn.links.get(&id).copied() else {
            return false;
        };
        let Ok(link) = conn.engine.link(id) else {
            return false;
        };
        let Some(session) = link.session().filter(|_| !link.is_incoming()) else {
            return false;
        };
        let refused = if ends_session {
            conn.is_asked_in_vain(session)
        } else {
            conn.asks_in_vain(id)
        };
        let first = refused && conn.refusing.is_none();
        if first {
            conn.refusing = Some(session);
        }
        let ended_for_others = ends_session && conn.refusing == Some(session);
        if !refused && !ended_for_others {
            return false;
        }
        if ends_session && first {
            // Those that were begun meanwhile are refused as well, perhaps.
            conn.leave_sessions();
        } else if ends_session {
            conn.leave_session(session);
        }
        let mut address = format!("{}/", conn.endpoint);
        let aborted = self.forget_recovery(key, id);
        let origin = Origin {
            conn: key,
            link: id,
        };
        match party {
            Party::Sender(sender) => {
                let sender = self.senders.get(sender);
                address.push_str(sender.map_or("", |sender| sender.node.as_str()));
            }
            Party::Receiver(source) => {
                self.credit.detach(origin);
                let source = source.and_then(|source| self.sources.get(source));
                address.push_str(source.map_or("", |source| source.address.node()));
            }
            Party::Replies => {}
        }
        let sent_again = self.begin_anew(origin, party, FORGOTTEN, now);
        if matches!(party, Party::Replies) {
            self.attach_replies_anew(key);
        }
        if first || sent_again > 0 || aborted > 0 {
            self.tell(ConnectionEvent::Forgotten {
                address,
                sent_again,
                aborted,
            });
        }
        true
    }

    /// Whether what was received there is settled without waiting for the sender, which remembers nothing: rhea would
    /// wait as well.
    pub(super) fn settles_at_once(&mut self, origin: Origin) -> bool {
        if self.options.recovery.is_none()
            || self.options.rcv_settle_mode == Some(ReceiverSettleMode::Second)
        {
            return false;
        }
        let conn = self.pool.get_mut(origin.conn);
        let link = conn.and_then(|conn| conn.engine.link(origin.link).ok());
        link.is_some_and(|link| !link.is_incoming() && link.peer_remembers() == Some(false))
    }
}
