//! Subscriptions that end: what came of them goes back, and the peer is told.
//!
//! A subscription whose link a peer knows again by its name is one that the peer may keep, and to end it there the link has to
//! be closed (2.6.6). If it is not attached at present it is attached once more for that, with nothing let come.

use ferrion_engine::Time;
use ferrion_engine::protocol::conditions;

use super::Core;
use super::inbox::Decision;
use super::pool::{Party, State};
use super::source::{SourceKey, SourceState, Subscription};
use super::store::Origin;
use crate::error::{Error, Result};
use crate::subscribe::Unsubscribe;

/// Milliseconds in which a peer may use up or give back what it was let send, before the link ends all the same.
const PATIENCE: u64 = 2_000;

impl Core {
    /// Begins to end a subscription. It is there until the peer has answered; one that is not there has ended.
    pub(crate) fn unsubscribe(
        &mut self,
        subscription: Subscription,
        how: Unsubscribe,
    ) -> Result<()> {
        let key = subscription.0;
        let Some(source) = self.sources.get_mut(key) else {
            return Ok(());
        };
        if source.address.listen {
            self.leave_listener(subscription);
            return Ok(());
        }
        // Of what has no name nothing is kept, whatever is asked for.
        let how = match source.link_name {
            Some(_) => how,
            None => Unsubscribe::Close,
        };
        let before = source.parting;
        match source.state {
            SourceState::Link(..) if before == Some(how) => return Ok(()),
            SourceState::Link(..) if before.is_some() => {
                return Err(Error::State(
                    "the peer is being told already that the subscription ends, and in another way",
                ));
            }
            // Why it could not be ended is told before that is tried again.
            SourceState::Broken if before.is_some() && source.error.is_some() => return Ok(()),
            _ => source.parting = Some(how),
        }
        match source.state {
            SourceState::Link(conn, link) => self.end_link(key, Origin { conn, link }),
            SourceState::Broken | SourceState::Opening | SourceState::Listening(_) => {
                self.broken.retain(|broken| *broken != key);
                self.end_anew(key)
            }
        }
    }

    /// Whether the peer has not said yet that a subscription has ended, and still may.
    pub(crate) fn is_leaving(&self, subscription: Subscription) -> bool {
        self.sources.get(subscription.0).is_some_and(|source| {
            source.parting.is_some() && !matches!(source.state, SourceState::Broken)
        })
    }

    /// Why a subscription could not be ended, if that is so: the peer has it still.
    pub(crate) fn take_parting_error(&mut self, subscription: Subscription) -> Option<Error> {
        let source = self.sources.get_mut(subscription.0)?;
        let error = source.error.take_if(|_| source.parting.is_some())?;
        self.forget_recv_error(&error);
        Some(error)
    }

    /// Whether a link is of a subscription that ends.
    pub(super) fn is_parting(&self, party: Party) -> bool {
        let Party::Receiver(Some(source)) = party else {
            return false;
        };
        let source = self.sources.get(source);
        source.is_some_and(|source| source.parting.is_some())
    }

    /// The link of a subscription that ends has ended, and if the peer gave a reason not to do what it was asked, with that.
    pub(super) fn parted(&mut self, key: SourceKey, error: Option<Error>) {
        let gone = [conditions::NOT_FOUND, conditions::RESOURCE_DELETED];
        let refused = error.filter(|error| {
            let condition = error.condition();
            condition.is_none_or(|it| !gone.contains(&it.condition))
        });
        match refused {
            Some(error) if self.break_source(key, &error) => self.push_recv_error(error),
            _ => drop(self.sources.remove(key)),
        }
    }

    /// The session of a link ended while the link was still there for what was let come: that the subscription ends was not
    /// told yet, and is told on another link. Answers whether that was so.
    pub(super) fn tell_anew(&mut self, key: SourceKey, origin: Origin) -> bool {
        let source = self.sources.get(key);
        let untold = source.is_some_and(|source| source.drains && source.must_tell());
        let Some(conn) = self.pool.get_mut(origin.conn).filter(|_| untold) else {
            return false;
        };
        let session = conn.engine.link(origin.link).ok();
        let session = session.and_then(|link| link.session());
        let begun = session.and_then(|session| Some(conn.engine.session(session).ok()?.is_begun()));
        if begun == Some(true) {
            // It was detached by the peer, and is closed in answer to that.
            return false;
        }
        if let Some(session) = session {
            conn.leave_session(session);
        }
        if let Err(error) = self.end_anew(key) {
            self.parted(key, Some(error));
        }
        true
    }

    /// Links of subscriptions that end use up or give back what they were let send, and then end.
    pub(super) fn close_parting(&mut self, now: Time) {
        for origin in std::mem::take(&mut self.parting) {
            if let Some(conn) = self.pool.get_mut(origin.conn)
                && let Ok(mut link) = conn.engine.link(origin.link)
            {
                // If it has ended meanwhile, that has an event of its own.
                let _ = link.close_by(now.after(PATIENCE));
            }
            self.pool.touch(origin.conn);
        }
    }

    fn end_link(&mut self, key: SourceKey, origin: Origin) -> Result<()> {
        self.give_back(key, &[origin]);
        let Some(source) = self.sources.get(key) else {
            return Ok(());
        };
        let (parting, must_tell) = (source.parting, source.must_tell());
        let Some(conn) = self.pool.get_mut(origin.conn) else {
            return self.end_anew(key);
        };
        match conn.state {
            State::Running if parting == Some(Unsubscribe::Close) => {
                self.parting.push(origin);
                if let Some(source) = self.sources.get_mut(key) {
                    source.drains = true;
                }
            }
            State::Running => {
                if let Ok(mut link) = conn.engine.link(origin.link) {
                    // As above.
                    let _ = link.detach();
                }
            }
            // It is told as soon as there is anybody to tell it to.
            State::Waiting(_) | State::Connecting if must_tell => {
                if let Ok(mut link) = conn.engine.link(origin.link) {
                    let _ = link.close(None);
                }
            }
            State::Away(_) => {
                self.incoming.abort(origin);
                self.take_from(origin);
                return self.end_anew(key);
            }
            State::Waiting(_) | State::Connecting | State::Closing | State::Over(_) => {
                if let Ok(mut link) = conn.engine.link(origin.link) {
                    // What the peer keeps stays there if the connection comes up after all.
                    let _ = match parting {
                        Some(Unsubscribe::Detach) => link.detach(),
                        _ => link.close(None),
                    };
                }
                self.incoming.abort(origin);
                self.pool.remove_link(origin.conn, origin.link);
                self.sources.remove(key);
            }
        }
        self.pool.touch(origin.conn);
        Ok(())
    }

    /// There is no link: one is attached to be closed, where the peer has to be told.
    fn end_anew(&mut self, key: SourceKey) -> Result<()> {
        let Some(source) = self.sources.get_mut(key) else {
            return Ok(());
        };
        if !source.must_tell() {
            self.sources.remove(key);
            return Ok(());
        }
        (source.state, source.drains) = (SourceState::Broken, false);
        self.attach_source(key)
    }

    /// Nobody is let in any more through a listening address. Who is there stays, and sends no more.
    fn leave_listener(&mut self, subscription: Subscription) {
        let mut origins = Vec::new();
        for conn in self.pool.keys() {
            let links = self.pool.get(conn).map(|known| known.links.iter());
            for (link, party) in links.into_iter().flatten() {
                if matches!(party, Party::Receiver(Some(source)) if *source == subscription.0) {
                    origins.push(Origin { conn, link: *link });
                }
            }
        }
        self.give_back(subscription.0, &origins);
        for origin in origins {
            match self.pool.get(origin.conn).map(|conn| conn.state) {
                Some(State::Away(_)) => {
                    self.incoming.abort(origin);
                    self.take_from(origin);
                }
                _ => self.parting.push(origin),
            }
            self.pool.touch(origin.conn);
        }
        self.drop_listener(subscription);
    }

    /// What came down links of a subscription, and nobody has decided about, goes back to whom it came from. What was sent
    /// settled nobody else has any more, and it stays.
    fn give_back(&mut self, key: SourceKey, origins: &[Origin]) {
        self.release_unread(|source| source == Some(key));
        for origin in origins {
            for sequence in self.incoming.undecided_of(*origin) {
                self.decide_in_window(sequence, &Decision::Release);
            }
            self.incoming.stalled.remove(*origin);
            self.credit.detach(*origin);
        }
        self.credit_changed = true;
    }
}
