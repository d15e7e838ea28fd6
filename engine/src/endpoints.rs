//! The top half of an engine: every connection, session, link and delivery endpoint it has.
//!
//! Performatives come in through the `on_*` methods, commands through the views. Neither writes
//! anything: they change state and leave a [`Control`] mark, which the scheduler turns into frames
//! when output is asked for. The methods live in the files of the objects they change.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use crate::arena::Arena;
use crate::charges::Charges;
use crate::config::Config;
use crate::connection::Connection;
use crate::control::{Control, Due};
use crate::delivery::{Incoming, Outgoing};
use crate::error::{Failure, Fault, Origin, Scope};
use crate::event::{Event, Events};
use crate::ids::{DeliveryId, IncomingId, LinkId, OutgoingId, SessionId};
use crate::limits::Limits;
use crate::link::{Link, Names, Waiting};
use crate::protocol::Condition;
use crate::queues::Queues;
use crate::session::Session;
use crate::time::Time;

/// How far one side of a connection, session or link has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not announced yet.
    #[default]
    New,
    /// Announced (open, begin, attach).
    Open,
    /// Taken back (close, end, detach).
    Ended,
}

/// Why something ended: what the ending frame carried, and who sent it.
#[derive(Clone, Debug, PartialEq)]
pub struct EndError {
    /// Who found the error.
    pub origin: Origin,
    /// What it is.
    pub condition: Condition,
}

#[derive(Debug)]
pub(crate) struct Endpoints {
    pub(crate) config: Config,
    pub(crate) connection: Connection,
    pub(crate) sessions: Arena<SessionId, Session>,
    pub(crate) links: Arena<LinkId, Link>,
    pub(crate) outgoing: Arena<OutgoingId, Outgoing>,
    pub(crate) incoming: Arena<IncomingId, Incoming>,
    pub(crate) waiting: Waiting,
    /// Deliveries whose state the peer changed, of all links.
    pub(crate) updates: Queues<DeliveryId>,
    /// Links by role and name.
    pub(crate) names: Names,
    pub(crate) events: Events,
    pub(crate) control: Due,
    /// Sessions with a link in line and a window for it, in turn.
    pub(crate) ready: VecDeque<SessionId>,
    /// Links that close gracefully, by the moment at which they wait no longer.
    pub(crate) closings: BTreeSet<(Time, LinkId)>,
    /// Links and sessions whose last event was handed out, to be freed at the next poll.
    farewell: Vec<Event>,
    pub(crate) charges: Charges,
}

impl Endpoints {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            connection: Connection::default(),
            sessions: Arena::new(),
            links: Arena::new(),
            outgoing: Arena::new(),
            incoming: Arena::new(),
            waiting: Waiting::new(),
            updates: Queues::new(),
            names: Names::default(),
            events: Events::new(),
            control: Due::default(),
            ready: VecDeque::new(),
            closings: BTreeSet::new(),
            farewell: Vec::new(),
            charges: Charges::default(),
        }
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.config.limits
    }

    /// Queues an event, unless the same one waits already.
    pub(crate) fn post(&mut self, event: Event) {
        let fresh = match event {
            Event::SessionBegun(id) | Event::SessionEnded(id) => self
                .sessions
                .get_mut(id)
                .is_some_and(|session| session.queued.mark(event)),
            Event::LinkAttached(id)
            | Event::LinkDetached(id)
            | Event::Flow(id)
            | Event::Deliveries(id)
            | Event::Updates(id) => self
                .links
                .get_mut(id)
                .is_some_and(|link| link.queued.mark(event)),
            _ => true,
        };
        if fresh {
            self.events.push_back(event);
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        for event in core::mem::take(&mut self.farewell) {
            match event {
                Event::LinkDetached(id) => self.free_link_if_over(id),
                Event::SessionEnded(id) => self.free_session_if_over(id),
                _ => {}
            }
        }
        let event = self.events.pop_front()?;
        match event {
            Event::SessionBegun(id) => {
                if let Some(session) = self.sessions.get_mut(id) {
                    session.queued.clear(event);
                }
            }
            Event::SessionEnded(id) => {
                if let Some(session) = self.sessions.get_mut(id) {
                    session.end_was_told = true;
                    self.farewell.push(event);
                }
            }
            Event::LinkDetached(id) => {
                if let Some(link) = self.links.get_mut(id) {
                    link.end_was_told = true;
                    self.farewell.push(event);
                }
            }
            Event::LinkAttached(id)
            | Event::Flow(id)
            | Event::Deliveries(id)
            | Event::Updates(id) => {
                if let Some(link) = self.links.get_mut(id) {
                    link.queued.clear(event);
                }
            }
            _ => {}
        }
        Some(event)
    }

    /// Ends what the peer's fault is to end, and no more (2.8.14).
    pub(crate) fn fail(&mut self, fault: Fault) {
        let Fault { scope, condition } = fault;
        match scope {
            Scope::Connection => self.fail_connection(condition),
            Scope::Session(id) => self.fail_session(id, condition),
            Scope::Link(id) => self.fail_link(id, condition),
        }
    }

    /// A frame of a session's, or of one of its links', that cannot be decoded: it ends the smaller of them that is known.
    /// `Ok`: ignore it.
    pub(crate) fn on_broken(
        &self,
        channel: u16,
        what: &'static str,
        handle: Option<u32>,
        condition: Condition,
    ) -> Result<(), Fault> {
        let Some(session) = self.session_on(channel, what)? else {
            return Ok(());
        };
        let scope = match handle {
            None => Scope::Session(session),
            Some(handle) => match self.link_on(session, handle)? {
                Some(link) => Scope::Link(link),
                None => return Ok(()),
            },
        };
        Err(Fault { scope, condition })
    }

    pub(crate) fn fail_connection(&mut self, condition: Condition) {
        if self.connection.local == Phase::Ended {
            return;
        }
        if self.connection.failure.is_none() {
            self.connection.failure = Some(Failure::Condition {
                origin: Origin::Local,
                condition: condition.clone(),
            });
            self.post(Event::Failed);
        }
        // Nothing of what was planned matters now, but open must come before close (2.4).
        self.control.keep_open();
        self.ready.clear();
        if self.connection.local == Phase::New {
            self.control.push_front(Control::Open);
        }
        self.connection.close(Some(condition));
        self.control.push_back(Control::Close);
    }
}
