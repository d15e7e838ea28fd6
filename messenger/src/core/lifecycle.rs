//! Connections from the first octet to the last: found or made, admitted, lost, closed.

use ferrion_engine::sasl::{Mechanism, SaslConfig, Secret};
use ferrion_engine::{
    Config, Engine, Failure, HeaderFailure, Origin as FaultOrigin, SaslFailure, SessionConfig,
    SessionId, Time, Transmit,
};

use super::address::{Address, Scheme};
use super::line::Line;
use super::login::TOKEN_FRAME;
use super::pool::{Conn, ConnKey, Identity, Party, State};
use super::reasons::remote;
use super::source::{Source, SourceKey, SourceState};
use super::store::Origin;
use super::tracker::Status;
use super::{Action, Core, faults};
use crate::error::{Error, Result, Scope};
use crate::fault::{Cause, TlsFault};

/// Milliseconds that a finished connection may take to get its last octets out.
const LINGER: u64 = 2_000;
/// Octets that a session has room for at least: some frames of the size that is usual.
const LEAST_WINDOW: u64 = 1 << 20;

impl Core {
    /// The connection an address leads to; asks for one if there is none.
    pub(super) fn connection_to(&mut self, address: &Address) -> Result<ConnKey> {
        let identity = self.identity_of(address);
        let usable = |key: &ConnKey| self.pool.get(*key).is_some_and(Conn::is_usable);
        let known = self.pool.find(&identity);
        let named = || self.peer_named(address);
        if let Some(key) = known.or_else(named).filter(usable) {
            return Ok(key);
        }
        let key = self.open(identity, self.line_to(address), State::Connecting)?;
        self.connect(key);
        Ok(key)
    }

    /// What a connection for an address is opened for: where it leads, and who logs in there.
    pub(super) fn identity_of(&self, address: &Address) -> Identity {
        let (user, password) = if address.user.is_some() || address.password.is_some() {
            (
                address.user.clone(),
                address.password.as_deref().map(Secret::from),
            )
        } else {
            // A token takes the place of the password.
            let password = self.options.password.clone();
            let password = password.filter(|_| self.options.token.is_none());
            (self.options.user.clone(), password)
        };
        Identity::new(address, user, password)
    }

    /// The connection whose peer gave itself the name that an address has in place of a host.
    pub(super) fn peer_named(&self, address: &Address) -> Option<ConnKey> {
        // A container name is a bare word: who writes a port, a user or amqps means a host.
        let bare = address.explicit_port.is_none() && address.user.is_none();
        let name = bare && address.scheme == Scheme::Amqp && !address.is_loopback();
        name.then(|| self.pool.find_container(&address.host))
            .flatten()
    }

    /// A connection that is to be made to where `line` leads.
    pub(super) fn open(&mut self, identity: Identity, line: Line, state: State) -> Result<ConnKey> {
        let address = line.target();
        let sasl = self.client_login(&identity, &line);
        let mut config = self.config();
        config.hostname = Some(line.name().into());
        config.sasl = SaslConfig::Client(sasl);
        if let Some(token) = &self.options.token {
            let size = u32::try_from(token.as_bytes().len()).unwrap_or(u32::MAX);
            // Tokens are longer than what the specification had in mind (5.3.1).
            let size = size.saturating_mul(2).saturating_add(2048);
            config.limits.sasl_frame_size = config.limits.sasl_frame_size.max(size);
        }
        let mut engine = Engine::client(config);
        engine.set_tracing(self.options.tracing);
        let endpoint = address.endpoint();
        engine
            .connection()
            .open()
            .map_err(|error| usage(&endpoint, &error))?;
        let mut conn = Conn::new(engine, endpoint, state);
        conn.identity = Some(identity);
        conn.line = Some(line);
        let key = self.pool.insert(conn);
        self.pool.touch(key);
        Ok(key)
    }

    pub(super) fn config(&self) -> Config {
        let mut config = Config::new(self.name.clone());
        config.idle_time_out = self.options.idle_time_out;
        config.limits = self.options.limits.clone();
        config.max_frame_size = self.options.max_frame_size();
        config
    }

    /// A session lets no more wait in the engine than may wait here.
    pub(super) fn session_config(&self) -> SessionConfig {
        let (_, octets) = self.incoming_high_water();
        let most = SessionConfig::default().incoming_octets;
        let octets = u64::try_from(octets).unwrap_or(u64::MAX);
        SessionConfig {
            incoming_octets: octets.clamp(LEAST_WINDOW, most),
            ..SessionConfig::default()
        }
    }

    /// The session that our links on a connection share; begins it if there is none.
    pub(super) fn session_on(&mut self, key: ConnKey) -> Result<SessionId> {
        let config = self.session_config();
        let Some(conn) = self.pool.get_mut(key) else {
            return Err(Error::State("the connection is gone; try again"));
        };
        if let Some(session) = conn.session {
            return Ok(session);
        }
        let begun = conn.engine.connection().begin(config);
        let session = begun.map_err(|error| usage(&conn.endpoint, &error))?;
        conn.session = Some(session);
        conn.crowd.begun();
        self.pool.touch(key);
        Ok(session)
    }

    // ---- what the driver reports ----

    /// Whether the connection still waits to be made.
    pub(crate) fn is_connecting(&self, key: ConnKey) -> bool {
        self.pool
            .get(key)
            .is_some_and(|conn| conn.state == State::Connecting)
    }

    /// Whether the listening socket is still wanted.
    pub(crate) fn is_listening(&self, key: SourceKey) -> bool {
        let source = self.sources.get(key);
        source.is_some_and(|source| matches!(source.state, SourceState::Opening))
    }

    /// Octets can flow. `subject` is whom the peer's certificate names, if it showed one that is good.
    pub(crate) fn connected(&mut self, key: ConnKey, now: Time, subject: Option<String>) {
        let Some(conn) = self.pool.get(key) else {
            return;
        };
        let proved = (conn.listener.is_some() && subject.is_some())
            .then(|| self.server_engine(subject.is_some()));
        if let Some(conn) = self.pool.get_mut(key) {
            if let Some(engine) = proved {
                conn.engine = engine;
            }
            conn.subject = subject;
            conn.state = State::Running;
            // Time begins for the engine, and with it the deadline of the handshake.
            conn.engine.handle_timeout(now);
            self.pool.touch(key);
        }
    }

    pub(crate) fn connect_failed(&mut self, key: ConnKey, now: Time, cause: impl Into<Cause>) {
        let Some(conn) = self.pool.get(key) else {
            return;
        };
        let (cause, address) = (cause.into(), conn.endpoint.clone());
        if conn.listener.is_some() {
            // Whoever listens waits for nobody in particular: it is no error of any call.
            self.warn(format!("{address} could not come in: {cause}"));
        }
        self.fail(key, now, cause.while_connecting(address));
        self.remove(key);
    }

    pub(crate) fn listening(&mut self, key: SourceKey, port: u16) {
        if let Some(source) = self.sources.get_mut(key) {
            source.state = SourceState::Listening(port);
        }
    }

    pub(crate) fn listen_failed(&mut self, key: SourceKey, cause: impl Into<Cause>) {
        if let Some(source) = self.sources.get_mut(key) {
            let error = cause.into().while_listening(source.address.endpoint());
            let place = faults::place(&source.address);
            source.error = Some(error.clone());
            self.faults.note(place, &error);
            if self.break_source(key, &error) {
                self.push_recv_error(error);
            }
        }
    }

    /// Someone came through a listener; `connected` follows, or `connect_failed`. `None` if the
    /// listener is not wanted any more.
    pub(crate) fn accepted(&mut self, source: SourceKey, peer: String) -> Option<ConnKey> {
        self.sources.get(source)?;
        let mut conn = Conn::new(self.server_engine(false), peer, State::Connecting);
        conn.listener = Some(source);
        Some(self.pool.insert(conn))
    }

    /// The engine for somebody who comes in, whose certificate may have proved who it is.
    fn server_engine(&mut self, proved: bool) -> Engine {
        let mut config = self.config();
        if self.admission.takes_tokens() {
            config.limits.sasl_frame_size = config.limits.sasl_frame_size.max(TOKEN_FRAME);
        }
        config.sasl = SaslConfig::Server(self.server_login(proved));
        let mut engine = Engine::server(config);
        engine.set_tracing(self.options.tracing);
        engine
    }

    /// How many links and sessions of a connection began or ended since this was last asked.
    pub(crate) fn take_work(&mut self, key: ConnKey) -> usize {
        let conn = self.pool.get_mut(key);
        conn.map_or(0, |conn| std::mem::take(&mut conn.work))
    }

    /// Octets came.
    pub(crate) fn input(&mut self, key: ConnKey, now: Time, octets: &[u8]) {
        if let Some(conn) = self.pool.get_mut(key) {
            conn.engine
                .recv_buffer(octets.len())
                .extend_from_slice(octets);
            conn.engine.recv_filled(now);
            self.pool.touch(key);
            self.bound_partials(key, now);
        }
    }

    /// Nothing more comes: in order, or for a cause that explains why the engine did not expect it.
    pub(crate) fn ended(&mut self, key: ConnKey, now: Time, cause: Option<Cause>) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        conn.cause = conn.cause.take().or(cause);
        conn.engine.recv_eof(now);
        self.process_events(key, now);
        self.pool.touch(key);
    }

    /// The transport failed: nothing more comes, and nothing more goes.
    pub(crate) fn lost(&mut self, key: ConnKey, now: Time, cause: impl Into<Cause>) {
        self.ended(key, now, Some(cause.into()));
        self.end(key, now);
        self.remove(key);
    }

    /// What a connection has to say.
    pub(crate) fn output(&mut self, key: ConnKey, now: Time) -> Option<Transmit<'_>> {
        self.pool.get_mut(key).map(|conn| conn.engine.transmit(now))
    }

    /// Whether nothing more is taken from the peer until it reads some of what a connection has to say.
    pub(crate) fn is_blocked(&self, key: ConnKey) -> bool {
        let conn = self.pool.get(key);
        conn.is_some_and(|conn| conn.engine.is_blocked())
    }

    /// What a connection was told before is looked at only now.
    pub(crate) fn heard(&mut self, key: ConnKey, now: Time) {
        self.bound_partials(key, now);
        self.process_events(key, now);
        self.pool.touch(key);
    }

    /// Everything a connection had to say has gone.
    pub(crate) fn flushed(&mut self, key: ConnKey, now: Time) {
        // What was written may have been the last thing.
        self.process_events(key, now);
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        conn.handed = 0;
        if matches!(conn.state, State::Over(_)) && conn.engine.is_done() {
            self.remove(key);
            return;
        }
        let mut waiting = std::mem::take(&mut conn.flushing);
        waiting.retain(|key| {
            let Some(sender) = self.senders.get_mut(*key) else {
                return false;
            };
            let link = conn.engine.sender(sender.link);
            if link.is_ok_and(|link| link.queued() > 0) {
                // The session's window is closed: the peer must open it first.
                return true;
            }
            self.outgoing.unflushed -= std::mem::take(&mut sender.unflushed);
            for sequence in sender.sent_settled.drain(..) {
                self.outgoing.finish(sequence, Status::Settled, None);
            }
            sender.flushing = false;
            if !sender.queue.is_empty() && !std::mem::replace(&mut sender.ready, true) {
                self.ready.push_back(*key);
            }
            false
        });
        conn.flushing = waiting;
        // The next heartbeat is counted from what was written.
        self.pool.note_deadline(key);
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Time) {
        while let Some(key) = self.pool.next_due(now) {
            let Some(conn) = self.pool.get_mut(key) else {
                continue;
            };
            match conn.state {
                State::Over(at) if at <= now => self.remove(key),
                State::Waiting(at) if at <= now => self.connect(key),
                State::Away(at) if at <= now => self.forget_away(key),
                State::Waiting(_) | State::Away(_) => self.pool.touch(key),
                _ => {
                    conn.engine.handle_timeout(now);
                    self.pool.touch(key);
                }
            }
        }
    }

    // ---- ends ----

    /// The engine is finished: nothing more comes, and only rests of output go.
    pub(super) fn end(&mut self, key: ConnKey, now: Time) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        if matches!(conn.state, State::Over(_)) {
            return;
        }
        self.ended = true;
        self.rescue_stalled(key);
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let error = loss(conn);
        let closing = conn.state == State::Closing;
        // Who closes in order is done, and does not come back to go on.
        let orderly = conn.engine.failure().is_none();
        conn.state = State::Over(now.after(LINGER));
        if closing {
            self.give_up(key, error, false);
        } else {
            let peer = self.peer_of(key).filter(|_| !orderly);
            if !orderly {
                self.keep_links(key, now, &error);
            }
            self.fail(key, now, error);
            self.go_on_elsewhere(peer);
        }
    }

    /// Everything that depends on a connection is told that it ended.
    pub(super) fn give_up(&mut self, key: ConnKey, error: Error, unexpected: bool) {
        self.pool.hide(key);
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        let ours = conn.identity.is_some();
        let mut senders = Vec::new();
        let mut receivers = Vec::new();
        for (link, party) in self.pool.take_links(key) {
            match party {
                Party::Sender(sender) => senders.push(sender),
                Party::Receiver(source) => receivers.push((link, source)),
                Party::Replies => {}
            }
        }
        let lost = self.drop_senders(&senders, &error);
        self.incoming.forget_settled(key);
        let mut broken = false;
        for (link, source) in receivers {
            self.credit.detach(Origin { conn: key, link });
            if let Some(source) = source
                && self
                    .sources
                    .get(source)
                    .is_some_and(|source| !source.address.listen)
            {
                broken |= self.break_source(source, &error);
            }
        }
        if lost > 0 {
            self.push_send_error(error.clone());
        }
        if broken && unexpected {
            self.push_recv_error(error.clone());
        }
        if ours && unexpected {
            self.last_loss = Some(error);
        }
    }

    pub(super) fn remove(&mut self, key: ConnKey) {
        self.collect_trace(key);
        self.forget_absence(key);
        if let Some(conn) = self.pool.remove(key) {
            let failure = conn.engine.failure();
            let failed = failure.is_some_and(|failure| *failure != Failure::TransportClosed);
            self.actions.push_back(Action::Close { conn: key, failed });
        }
    }

    /// How the last connection was lost, if there is nothing else to say.
    pub(crate) fn take_last_loss(&mut self) -> Option<Error> {
        self.last_loss.take()
    }

    // ---- the orderly end ----

    /// Begins to close everything. What is unsent then is given up.
    pub(crate) fn close_all(&mut self) {
        self.given_up = 0;
        self.checks.clear();
        self.release_unread(|_| true);
        for source in self.sources.keys() {
            self.sources.remove(source);
            self.actions.push_back(Action::Unlisten { source });
        }
        self.broken.clear();
        self.parting.clear();
        for key in self.pool.keys() {
            let Some(conn) = self.pool.get_mut(key) else {
                continue;
            };
            match conn.state {
                State::Waiting(_) | State::Connecting | State::Away(_) => self.abandon(key),
                State::Running => {
                    conn.state = State::Closing;
                    match conn.engine.connection().close(None) {
                        Ok(()) => self.pool.touch(key),
                        // The peer has not even said what it speaks.
                        Err(_) => self.abandon(key),
                    }
                }
                State::Closing | State::Over(_) => {}
            }
        }
    }

    /// Messages given up since [`close_all`](Self::close_all); what peers still answered is not among them.
    pub(crate) const fn given_up(&self) -> usize {
        self.given_up
    }

    /// Closes a connection of which nobody needs anything any more, and waits for no answer but a moment.
    pub(super) fn close_unneeded(&mut self, key: ConnKey, now: Time, error: Error) {
        self.rescue_stalled(key);
        self.give_up(key, error, false);
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        if conn.state == State::Running && conn.engine.connection().close(None).is_ok() {
            conn.state = State::Over(now.after(LINGER));
            self.pool.touch(key);
        } else {
            // There is no peer that could be told, or it has not even said what it speaks.
            self.remove(key);
        }
    }

    /// Lets go of everything that is still there, without ceremony.
    pub(crate) fn abandon_all(&mut self) {
        for key in self.pool.keys() {
            self.abandon(key);
        }
    }

    fn abandon(&mut self, key: ConnKey) {
        self.rescue_stalled(key);
        if let Some(conn) = self.pool.get(key) {
            let cause = "the messenger was stopped".to_owned();
            let error = Error::Lost {
                address: conn.endpoint.clone(),
                cause,
            };
            self.give_up(key, error, false);
            self.remove(key);
        }
    }

    /// Whether there are neither connections nor listeners, nor anything that the driver has not let go of yet.
    pub(crate) fn is_stopped(&self) -> bool {
        // A subscription that is broken has neither.
        let listens =
            |source: &Source| !matches!(source.state, SourceState::Broken | SourceState::Link(..));
        let listening = self.sources.iter().any(|(_, source)| listens(source));
        self.pool.is_empty() && !listening && self.actions.is_empty()
    }

    /// Errors that nobody needs after a stop.
    pub(crate) fn forget_errors(&mut self) {
        self.send_errors.clear();
        self.recv_errors.clear();
        self.last_loss = None;
    }

    pub(super) fn collect_trace(&mut self, key: ConnKey) {
        let Some(conn) = self.pool.get_mut(key) else {
            return;
        };
        while let Some(line) = conn.engine.poll_trace() {
            if self.trace.len() == super::MAX_TRACE {
                self.trace.pop_front();
            }
            self.trace.push_back(format!("{} {line}", conn.endpoint));
        }
    }
}

fn usage(endpoint: &str, error: &ferrion_engine::UsageError) -> Error {
    Error::Send {
        address: endpoint.to_owned(),
        cause: error.to_string(),
    }
}

/// Why a connection ended, as an error that says what it means for the user.
fn loss(conn: &mut Conn) -> Error {
    let address = conn.endpoint.clone();
    let opened = conn.container.is_some();
    let cause = match (conn.engine.failure(), &conn.cause) {
        (
            Some(Failure::Condition {
                origin: FaultOrigin::Remote,
                condition,
            }),
            _,
        ) => {
            return remote(Scope::Connection, address, condition.clone());
        }
        (Some(Failure::Header(HeaderFailure::TlsRequested)), _) => {
            let fault = TlsFault::PeerWantsTls;
            return Error::Tls { address, fault };
        }
        (Some(Failure::Sasl(SaslFailure::ClearText { .. })), _)
            if conn.line.as_ref().is_some_and(Line::is_redirected) =>
        {
            let cause =
                "another peer sent us there, and it takes the password or token only in a form that it could use \
                 elsewhere; connect to it by its own address, or name it with set_alternatives() and use amqps://, if it \
                 may have them"
                    .to_owned();
            return Error::Login { address, cause };
        }
        (Some(Failure::Sasl(SaslFailure::ClearText { .. })), _) => {
            let cause =
                "without TLS everyone on the way could read the password or token, and the peer takes \
                         it in no other way; use amqps://, or call \
                         set_allow_plain_without_tls(true) if the network is trusted"
                    .to_owned();
            return Error::Login { address, cause };
        }
        (Some(Failure::Sasl(SaslFailure::System { temporary: true })), _) => {
            let cause = "it cannot log anybody in at present".to_owned();
            return Error::Connect { address, cause };
        }
        (Some(Failure::Sasl(failure)), _) => {
            let mut cause = failure.to_string();
            if matches!(
                failure,
                SaslFailure::Refused { .. }
                    | SaslFailure::NoCommonMechanism { .. }
                    | SaslFailure::Credentials(_)
            ) {
                cause.push_str(
                    "; user and password are those in the address, or else of set_credentials()",
                );
                let anonymous = Mechanism::Anonymous.name();
                if let SaslFailure::NoCommonMechanism { offered } = failure
                    && offered.split(' ').any(|mechanism| mechanism == anonymous)
                {
                    cause.push_str("; leave them out to go there as nobody");
                }
            }
            return Error::Login { address, cause };
        }
        (Some(Failure::TransportClosed) | None, Some(cause)) => {
            let cause = cause.clone();
            return if opened {
                cause.after_opening(address)
            } else {
                cause.while_connecting(address)
            };
        }
        (Some(Failure::TransportClosed), None) => {
            "the peer closed the transport without closing the connection".to_owned()
        }
        (Some(failure), _) => failure.to_string(),
        (None, None) => "the peer closed the connection".to_owned(),
    };
    if opened {
        Error::Lost { address, cause }
    } else {
        Error::Connect { address, cause }
    }
}
