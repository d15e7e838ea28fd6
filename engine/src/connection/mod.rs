//! The connection endpoint (2.4): open, close, and the channels between them.

mod channels;

use alloc::boxed::Box;
use alloc::format;

use crate::control::Control;
use crate::endpoints::{Endpoints, Phase};
use crate::error::{Failure, Fault, Origin, UsageError};
use crate::event::Event;
use crate::protocol::{Close, Condition, Open, conditions};
pub(crate) use channels::Channels;

/// The state of one connection.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    pub(crate) local: Phase,
    pub(crate) remote: Phase,
    pub(crate) remote_open: Option<Box<Open>>,
    pub(crate) channels: Channels,
    /// What our close carries.
    condition: Option<Condition>,
    /// Why the connection did not end well.
    pub(crate) failure: Option<Failure>,
    pub(crate) disconnected: bool,
}

impl Connection {
    pub(crate) fn close(&mut self, condition: Option<Condition>) {
        self.local = Phase::Ended;
        self.condition = condition;
    }

    /// Whether anything can be begun on the connection.
    pub(crate) const fn check_usable(&self) -> Result<(), UsageError> {
        if self.disconnected {
            return Err(UsageError::WrongState("the connection has ended"));
        }
        Err(UsageError::WrongState(match (self.local, self.remote) {
            (_, Phase::Ended) => "the peer has closed the connection already",
            (Phase::New, _) => "open the connection first",
            (Phase::Ended, _) => "the connection was closed before",
            (Phase::Open, _) => return Ok(()),
        }))
    }

    /// Whether nothing that comes has an effect but the peer's close: this side closed with an error (2.4.6).
    pub(crate) const fn is_discarding(&self) -> bool {
        self.condition.is_some()
    }

    pub(crate) const fn is_open(&self) -> bool {
        matches!((self.local, self.remote), (Phase::Open, Phase::Open))
    }

    /// Channels that both sides can use: the highest number is the lower of the two maxima (2.7.1).
    pub(crate) fn channel_max(&self, local: u16) -> u16 {
        self.remote_open
            .as_ref()
            .map_or(local, |open| open.channel_max.min(local))
    }
}

impl Endpoints {
    // ---- commands ----

    pub(crate) fn open(&mut self) -> Result<(), UsageError> {
        if self.connection.local != Phase::New {
            return Err(UsageError::WrongState("the connection was opened before"));
        }
        self.connection.local = Phase::Open;
        // The peer may have been answered already, if only in intention; open comes before all.
        self.control.push_front(Control::Open);
        Ok(())
    }

    pub(crate) fn close(&mut self, condition: Option<Condition>) -> Result<(), UsageError> {
        match self.connection.local {
            Phase::New => return Err(UsageError::WrongState("the connection is not open")),
            Phase::Ended => return self.connection.check_usable(),
            Phase::Open => {}
        }
        self.connection.close(condition);
        self.control.push_back(Control::Close);
        Ok(())
    }

    // ---- frames in ----

    pub(crate) fn on_open(&mut self, channel: u16, open: Open) -> Result<(), Fault> {
        if self.connection.remote != Phase::New {
            let text = "the connection was opened before";
            return Err(Fault::connection(conditions::NOT_ALLOWED, text));
        }
        if channel > self.config.channel_max {
            return Err(self.bad_channel(channel));
        }
        self.connection.remote = Phase::Open;
        self.connection.remote_open = Some(Box::new(open));
        self.post(Event::RemoteOpen);
        Ok(())
    }

    pub(crate) fn on_close(&mut self, close: Close) {
        self.connection.remote = Phase::Ended;
        if let Some(error) = close.error {
            self.connection.failure.get_or_insert(Failure::Condition {
                origin: Origin::Remote,
                condition: error,
            });
        }
        self.post(Event::RemoteClose);
        if self.connection.local != Phase::Ended {
            if self.connection.local == Phase::New {
                self.control.push_back(Control::Open);
            }
            // The peer has stopped reading all but our close: whatever else was planned is void.
            self.control.keep_open();
            self.ready.clear();
            self.connection.close(None);
            self.control.push_back(Control::Close);
        }
    }

    /// A frame came before open, or after close.
    pub(crate) fn check_open(&self, what: &'static str) -> Result<(), Fault> {
        match self.connection.remote {
            Phase::Open => Ok(()),
            Phase::New => Err(Fault::connection(
                conditions::NOT_ALLOWED,
                format!("{what} before open"),
            )),
            Phase::Ended => Err(Fault::connection(
                conditions::NOT_ALLOWED,
                format!("{what} after close"),
            )),
        }
    }

    pub(crate) fn bad_channel(&self, channel: u16) -> Fault {
        let max = self.config.channel_max;
        Fault::connection(
            conditions::CONNECTION_FRAMING_ERROR,
            format!("channel {channel} is beyond the channel-max of {max}"),
        )
    }

    // ---- frames out ----

    pub(crate) fn make_open(&self) -> Open {
        let config = &self.config;
        let mut open = Open::new(config.container_id.clone());
        open.hostname.clone_from(&config.hostname);
        open.max_frame_size = config.max_frame_size;
        open.channel_max = config.channel_max;
        // Half of what is enforced, so that a heartbeat sent in time arrives in time (2.4.5).
        open.idle_time_out = config
            .idle_time_out
            .filter(|ms| *ms > 0)
            .map(|ms| (ms / 2).max(1));
        open.offered_capabilities
            .clone_from(&config.offered_capabilities);
        open.desired_capabilities
            .clone_from(&config.desired_capabilities);
        open.properties.clone_from(&config.properties);
        open
    }

    pub(crate) fn make_close(&self) -> Close {
        Close {
            error: self.connection.condition.clone(),
        }
    }
}
