//! The engine itself: octets in, octets out, events, and time as an argument.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::{Buf, BytesMut};

use crate::codec::{CodecLimits, MAX_DEPTH, Str, Symbol};
use crate::config::Config;
use crate::endpoints::{Endpoints, Phase};
use crate::error::{Failure, Fault, UsageError};
use crate::event::Event;
use crate::ids::{DeliveryId, LinkId, SessionId};
use crate::limits::Limits;
use crate::protocol::conditions;
use crate::recovery::LinkState;
use crate::sasl::{SaslAnswer, SaslRequest};
use crate::time::{Deadline, Reason, Time};
use crate::transport::frame;
use crate::transport::{Input, Output, Transport};
use crate::views::{Connection, Link, Receiver, Sender, Session};

/// One AMQP 1.0 connection, as a state machine without I/O.
///
/// There are four families of methods, and they may be called in any order:
///
/// - **octets and time in**: [`recv`](Self::recv) (or [`recv_buffer`](Self::recv_buffer) and
///   [`recv_filled`](Self::recv_filled)), [`recv_eof`](Self::recv_eof),
///   [`handle_timeout`](Self::handle_timeout);
/// - **octets and deadlines out**: [`transmit`](Self::transmit), [`poll_timeout`](Self::poll_timeout);
/// - **events out**: [`poll_event`](Self::poll_event), each of which says which view to look at;
/// - **views**, through which everything is read and commanded: [`connection`](Self::connection),
///   [`session`](Self::session), [`link`](Self::link), [`sender`](Self::sender),
///   [`receiver`](Self::receiver).
///
/// Commands write nothing: a thousand of them may come before one `transmit`, and what says the same
/// is said once. What the peer does wrong is never an `Err`: it ends the smallest thing the specification
/// allows, with the right condition, and is told as an event. `Err` is for misuse, and changes nothing.
///
/// ```
/// use bytes::{Buf, BytesMut};
/// use ferrion_engine::{Config, Engine, Event, Time};
///
/// # fn main() -> Result<(), ferrion_engine::UsageError> {
/// let mut client = Engine::client(Config::new("client"));
/// let mut server = Engine::server(Config::new("server"));
/// client.connection().open()?;
/// server.connection().open()?;
///
/// // The "network": what the client gives, the server takes. A real one also goes the other way.
/// let now = Time(0);
/// let mut wire = BytesMut::new();
/// let mut output = client.transmit(now);
/// while output.has_remaining() {
///     let n = output.chunk().len();
///     wire.extend_from_slice(output.chunk());
///     output.advance(n);
/// }
/// server.recv(now, &mut wire);
///
/// assert_eq!(server.poll_event(), Some(Event::RemoteOpen));
/// assert_eq!(server.connection().remote().unwrap().container_id, "client");
/// # Ok(())
/// # }
/// ```
pub struct Engine {
    pub(crate) endpoints: Endpoints,
    pub(crate) transport: Transport,
    pub(crate) open_written: bool,
    pub(crate) close_written: bool,
    inbox: BytesMut,
    /// What is read of frames at most.
    pub(crate) codec_limits: CodecLimits,
    /// Since when the peer reads nothing while frames of its may be left in the input because of that.
    held_back: Option<Time>,
    /// Octets that were left in the input last.
    left: usize,
    /// When the handshake, or the wait for the peer's close, began.
    waiting_since: Option<Time>,
    close_waits: bool,
}

/// Without the octets under way, among which may be secrets.
impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("endpoints", &self.endpoints)
            .field("inbox", &self.inbox.len())
            .field("output", &self.transport.pending().len())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine for the side that opened the transport: it speaks first.
    #[must_use]
    pub fn client(config: Config) -> Self {
        Self::new(config, true)
    }

    /// An engine for the side that accepted the transport: it answers the layer the client begins with.
    #[must_use]
    pub fn server(config: Config) -> Self {
        Self::new(config, false)
    }

    fn new(mut config: Config, is_client: bool) -> Self {
        config.max_frame_size = config.max_frame_size.max(512);
        let transport = Transport::new(
            is_client,
            &config.sasl,
            config.hostname.clone(),
            config.max_frame_size,
            &config.limits,
        );
        Self {
            codec_limits: codec_limits(&config.limits, false),
            held_back: None,
            left: 0,
            endpoints: Endpoints::new(config),
            transport,
            open_written: false,
            close_written: false,
            inbox: BytesMut::new(),
            waiting_since: None,
            close_waits: false,
        }
    }

    // ---- octets and time in ----

    /// Takes octets that came from the peer.
    ///
    /// Whole frames are taken off `input`; the beginning of one that is not whole stays in it: append
    /// what comes next. Payloads are slices of `input`, not copies.
    ///
    /// While the engine [is blocked](Self::is_blocked), frames stay in `input` that are whole: call this again, with more or
    /// with what is there, once some of the output was taken. While a [`sasl_request`](Self::sasl_request) waits for its
    /// answer the engine keeps what comes, and [`sasl_answer`](Self::sasl_answer) goes on with it. All of that came before open,
    /// even what would not have if it had been read later: more than
    /// [`octets_before_open`](crate::Limits::octets_before_open) fails the login. So read no more while a request waits.
    pub fn recv(&mut self, now: Time, input: &mut BytesMut) {
        if !self.inbox.is_empty() {
            let later = core::mem::replace(input, core::mem::take(&mut self.inbox));
            input.unsplit(later);
        }
        self.take_octets(now, input);
        if self.transport.sasl_request().is_some() {
            self.inbox = input.split();
        }
    }

    fn take_octets(&mut self, now: Time, input: &mut BytesMut) {
        self.start_clock(now);
        if input.len() > self.left {
            self.transport.idle.heard(now);
        }
        let was_held_back = self.held_back.is_some();
        self.take_frames(input, was_held_back);
        self.hold_back(now);
        self.check_disconnected();
    }

    /// Takes what is whole off `input`, until the peer is not heard for what it does not read.
    fn take_frames(&mut self, input: &mut BytesMut, was_held_back: bool) {
        loop {
            let room = self.room_for_replies();
            if room == 0 {
                // Their place is in the output, as far as that has any.
                self.encode_due();
            }
            if self.is_blocked() {
                break;
            }
            // What gathered may be much, and each frame of it may be answered.
            let most = if was_held_back {
                room.max(1)
            } else {
                usize::MAX
            };
            let Some(step) = self.transport.next(input, most) else {
                break;
            };
            self.take_input(step, input.capacity());
        }
        self.left = input.len();
    }

    /// Whether nothing more is taken from the peer until it takes some of the output: it has been sending, and not reading
    /// what comes of that. Read no more from it then; what was appended to the [`recv_buffer`](Self::recv_buffer)
    /// already is looked at by [`transmit`](Self::transmit) once there is room, so look at the events after it.
    ///
    /// What the program itself asked for does not block anything, only replies do. Who reads nothing for
    /// [`handshake_time`](crate::Limits::handshake_time) while it is not heard, is given up: the connection ends with
    /// `amqp:resource-limit-exceeded`.
    ///
    /// The limits are [`control_octets`](crate::Limits::control_octets) and
    /// [`pending_replies`](crate::Limits::pending_replies).
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        let connection = &self.endpoints.connection;
        self.room_for_replies() == 0
            && self.transport.pending().weight() >= self.endpoints.limits().control_octets
            // A close that is due goes past all of them.
            && connection.local != Phase::Ended
            && !connection.disconnected
    }

    /// Lends a buffer to read into: append up to as many octets as it has spare capacity (at least
    /// `min`, and room for the rest of the frame that has begun), then call
    /// [`recv_filled`](Self::recv_filled).
    pub fn recv_buffer(&mut self, min: usize) -> &mut BytesMut {
        let missing = self
            .transport
            .wanted(&self.inbox)
            .saturating_sub(self.inbox.len());
        self.inbox.reserve(min.max(missing));
        &mut self.inbox
    }

    /// Takes what was appended to the [`recv_buffer`](Self::recv_buffer).
    pub fn recv_filled(&mut self, now: Time) {
        let mut inbox = core::mem::take(&mut self.inbox);
        self.take_octets(now, &mut inbox);
        self.inbox = inbox;
    }

    /// The peer will send no more octets: the transport was closed, or failed.
    ///
    /// What waits in the [`recv_buffer`](Self::recv_buffer) because the engine [is blocked](Self::is_blocked) still counts.
    pub fn recv_eof(&mut self, now: Time) {
        self.start_clock(now);
        if self.held_back.take().is_some() {
            let mut inbox = core::mem::take(&mut self.inbox);
            while let Some(step) = self.transport.next(&mut inbox, usize::MAX) {
                self.take_input(step, inbox.capacity());
            }
        }
        if !self.endpoints.connection.disconnected {
            if self.endpoints.connection.remote != Phase::Ended {
                self.disconnect(Some(Failure::TransportClosed));
            } else {
                self.disconnect(None);
            }
        }
    }

    /// Does what is due by `now`. To be called at [`poll_timeout`](Self::poll_timeout), or at any time.
    pub fn handle_timeout(&mut self, now: Time) {
        self.start_clock(now);
        if self.endpoints.connection.disconnected {
            return;
        }
        if self
            .wait_deadline()
            .is_some_and(|deadline| now >= deadline.at)
        {
            self.disconnect(Some(Failure::HandshakeTimeout));
            return;
        }
        if let Some(deadline) = self.reading_deadline()
            && now >= deadline.at
        {
            let ms = self.endpoints.limits().handshake_time;
            let text = alloc::format!("the peer asks, and has read no answer for {ms} ms");
            self.transport.stop_reading();
            self.fail(Fault::connection(conditions::RESOURCE_LIMIT_EXCEEDED, text));
        }
        if self.transport.idle.is_peer_silent(now) && self.counts_silence() {
            let ms = self.endpoints.config.idle_time_out.unwrap_or(0);
            let text = alloc::format!("nothing was heard for {ms} ms");
            // There is nobody to wait for: say why, and be done (2.4.5).
            self.transport.stop_reading();
            self.fail(Fault::connection(conditions::RESOURCE_LIMIT_EXCEEDED, text));
        }
        if self.endpoints.connection.local != Phase::Ended {
            self.endpoints.close_overdue(now);
        }
        self.encode_heartbeat(now);
    }

    // ---- octets and deadlines out ----

    /// What is to be sent to the peer: encodes what is due, and lends it.
    ///
    /// Write from its chunks and [`advance`](Buf::advance) it by as much as was written; the rest is
    /// offered again. About [`Limits::output_octets`](crate::Limits::output_octets) of transfers are
    /// encoded at a time, up to four times as much of payloads that are shared with it, so call again
    /// after everything was written, until nothing remains; and [`poll_event`](Self::poll_event) then.
    pub fn transmit(&mut self, now: Time) -> Transmit<'_> {
        self.start_clock(now);
        self.encode_due();
        if self.held_back.is_some() && !self.is_blocked() {
            self.recv_filled(now);
            self.encode_due();
        }
        self.hold_back(now);
        self.encode_heartbeat(now);
        if self.close_written && !self.close_waits {
            self.close_waits = true;
            self.waiting_since = Some(now);
        }
        self.check_disconnected();
        Transmit { engine: self, now }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), and why. `None`: no need to.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        if self.endpoints.connection.disconnected {
            return None;
        }
        let idle = &self.transport.idle;
        // Only what can be carried out then: a deadline in the past would be called for ever.
        let silence = idle.silence_deadline().filter(|_| self.counts_silence());
        let heartbeat = idle.heartbeat_deadline().filter(|_| self.may_beat());
        [
            self.wait_deadline(),
            self.reading_deadline(),
            silence,
            heartbeat,
            self.endpoints.closing_deadline(),
        ]
        .into_iter()
        .fold(None, Deadline::earliest)
    }

    // ---- events out ----

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.endpoints.poll_event()
    }

    /// Why the connection ended in a way that was not orderly; `None` while it has not.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        self.endpoints.connection.failure.as_ref()
    }

    /// Whether a delivery that was sent waits here, whole or in part, for the session's window or the transport: what
    /// becomes of it is not in the peer's hands alone yet.
    ///
    /// # Errors
    /// The delivery is settled and forgotten already, or is one that came in.
    pub fn is_queued(&self, delivery: DeliveryId) -> Result<bool, UsageError> {
        self.endpoints.is_queued(delivery)
    }

    /// Whether the transport can be closed: nothing more will be taken, and no output waits.
    ///
    /// Output that waited when the transport failed goes on waiting, for it is not known here whether it can still be
    /// written: after [`recv_eof`](Self::recv_eof) whoever cannot write any more closes without asking this.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.endpoints.connection.disconnected && self.transport.pending().len() == 0
    }

    /// How many objects the engine holds at the moment, for watching and for tests.
    #[must_use]
    pub fn census(&self) -> Census {
        let endpoints = &self.endpoints;
        Census {
            sessions: endpoints.sessions.len(),
            links: endpoints.links.len(),
            outgoing_deliveries: endpoints.outgoing.len(),
            incoming_deliveries: endpoints.incoming.len(),
        }
    }

    /// What incomplete deliveries hold, of all sessions together, each transfer counted as 64 octets more than its payload: what
    /// [`Limits::partial_octets`](crate::Limits::partial_octets) bounds for one session.
    #[must_use]
    pub const fn partial_octets(&self) -> u64 {
        self.endpoints.charges.partial
    }

    /// What has to outlive this engine for another one to go on with its links, whatever state it is in:
    /// see [`LinkState`]. Of all links that are [recoverable](crate::LinkConfig::recoverable) and were not
    /// closed; one that has ended counts until the event that told so is followed by another.
    #[must_use]
    pub fn link_states(&self) -> Vec<LinkState> {
        self.endpoints.link_states()
    }

    // ---- views ----

    /// The connection.
    pub const fn connection(&mut self) -> Connection<'_> {
        Connection::new(self)
    }

    /// A session.
    ///
    /// # Errors
    /// The session has ended.
    #[inline]
    pub fn session(&mut self, id: SessionId) -> Result<Session<'_>, UsageError> {
        Session::new(self, id)
    }

    /// A link of either role.
    ///
    /// # Errors
    /// The link has ended.
    #[inline]
    pub fn link(&mut self, id: LinkId) -> Result<Link<'_>, UsageError> {
        Link::new(self, id)
    }

    /// A link that sends.
    ///
    /// # Errors
    /// The link has ended, or is a receiver.
    #[inline]
    pub fn sender(&mut self, id: LinkId) -> Result<Sender<'_>, UsageError> {
        Sender::new(self, id)
    }

    /// A link that receives.
    ///
    /// # Errors
    /// The link has ended, or is a sender.
    #[inline]
    pub fn receiver(&mut self, id: LinkId) -> Result<Receiver<'_>, UsageError> {
        Receiver::new(self, id)
    }

    // ---- SASL ----

    /// What the SASL exchange waits for, after [`Event::Authenticate`]. See [`sasl`](crate::sasl).
    #[must_use]
    pub const fn sasl_request(&self) -> Option<&SaslRequest> {
        // What was asked when the connection ended is not waited for any more.
        if self.endpoints.connection.disconnected {
            return None;
        }
        self.transport.sasl_request()
    }

    /// Answers the [`sasl_request`](Self::sasl_request), and takes up what the peer sent behind what was asked about, as
    /// [`recv`](Self::recv) does: look at the events and transmit after it.
    ///
    /// # Errors
    /// Nothing is asked, or the answer does not fit the request.
    pub fn sasl_answer(&mut self, answer: SaslAnswer) -> Result<(), UsageError> {
        if self.endpoints.connection.disconnected {
            return Err(UsageError::WrongState("the connection has ended"));
        }
        if let Some(step) = self.transport.answer_sasl(answer)? {
            self.take_input(step, 0);
        }
        let mut inbox = core::mem::take(&mut self.inbox);
        self.take_frames(&mut inbox, false);
        self.inbox = inbox;
        self.check_disconnected();
        Ok(())
    }

    /// Server: the host that the client says it wants to reach (5.3.3.2), for servers that have a list of users for each.
    /// Known while a request waits.
    #[must_use]
    pub const fn sasl_hostname(&self) -> Option<&Str> {
        self.transport.sasl_hostname()
    }

    /// The SASL mechanism that was chosen, from the choice on.
    #[must_use]
    pub const fn sasl_mechanism(&self) -> Option<&Symbol> {
        self.transport.sasl_mechanism()
    }

    // ---- trace ----

    /// Starts or stops keeping a readable line for each frame, in both directions.
    ///
    /// ```text
    /// 0 -> @open(16) [container-id="x", max-frame-size=65536]
    /// ```
    /// Lines gather until [`poll_trace`](Self::poll_trace) takes them. Secrets are not shown.
    pub fn set_tracing(&mut self, on: bool) {
        self.transport.set_tracing(on);
    }

    /// The next line of the trace.
    pub fn poll_trace(&mut self) -> Option<String> {
        self.transport.poll_trace()
    }

    // ---- inside ----

    /// Opens the connection, if the peer can take the frame that says so.
    pub(crate) fn open(&mut self) -> Result<(), UsageError> {
        let open = self.endpoints.make_open();
        let (size, limit) = (frame::size(&open), self.transport.remote_max());
        if self.endpoints.connection.local == Phase::New && size > limit as usize {
            return Err(UsageError::OpenTooLarge { size, limit });
        }
        self.endpoints.open()
    }

    fn start_clock(&mut self, now: Time) {
        if self.waiting_since.is_none() {
            self.waiting_since = Some(now);
            self.transport.idle.start(now);
        }
    }

    /// The deadline of the handshake, or of the peer's answer to our close.
    fn wait_deadline(&self) -> Option<Deadline> {
        let limit = self.endpoints.limits().handshake_time;
        let since = self.waiting_since.filter(|_| limit > 0)?;
        let reason = if self.close_waits {
            Reason::Close
        } else if self.endpoints.connection.remote == Phase::New {
            Reason::Handshake
        } else {
            return None;
        };
        Some(Deadline {
            at: since.after(limit),
            reason,
        })
    }

    /// How many more replies may wait: one for each link that there is, and for each session that the peer has not ended, as
    /// those are counted by themselves, and as many as are set, but at least one. Two peers that ask each other for more links
    /// or sessions than these must not wait for each other.
    fn room_for_replies(&self) -> usize {
        let replies = self.endpoints.control.replies();
        let most = self.endpoints.limits().pending_replies.max(1) as usize;
        if replies < most {
            return most - replies;
        }
        let most = most.saturating_add(self.endpoints.links.len());
        let most = most.saturating_add(self.endpoints.connection.channels.begun());
        most.saturating_sub(replies)
    }

    /// Notes whether the peer is heard; `true` if not.
    fn hold_back(&mut self, now: Time) -> bool {
        let is_blocked = self.is_blocked();
        if is_blocked {
            self.held_back.get_or_insert(now);
        } else if self.held_back.take().is_some() {
            // It was not silent.
            self.transport.idle.heard(now);
        }
        is_blocked
    }

    /// When a peer is given up that is not heard because it does not read.
    fn reading_deadline(&self) -> Option<Deadline> {
        let limit = self.endpoints.limits().handshake_time;
        let since = self.held_back.filter(|_| limit > 0 && self.is_blocked())?;
        Some(Deadline {
            at: since.after(limit),
            reason: Reason::PeerNotReading,
        })
    }

    /// Whether the peer's silence says anything: not while it is not heard, nor when the end is on its way.
    fn counts_silence(&self) -> bool {
        self.endpoints.connection.local != Phase::Ended && !self.is_blocked()
    }

    /// What came lies in a buffer that has `room` for more.
    fn take_input(&mut self, input: Input, room: usize) {
        match input {
            Input::Frames(octets) => self.dispatch(&octets, room),
            Input::Authenticate => self.endpoints.post(Event::Authenticate),
            Input::Authenticated => self.endpoints.post(Event::Authenticated),
            Input::Fault(fault) => self.fail(fault),
            Input::Failed(failure) => self.disconnect(Some(failure)),
        }
    }

    /// Ends what a fault of the peer's is to end.
    pub(crate) fn fail(&mut self, fault: Fault) {
        self.endpoints.fail(fault);
    }

    fn encode_heartbeat(&mut self, now: Time) {
        if self.may_beat() && self.transport.idle.is_heartbeat_due(now) {
            self.transport.write_empty_frame();
        }
    }

    /// Whether an empty frame may be written: not before open or after close, and there is no point in
    /// one behind output that waits.
    fn may_beat(&self) -> bool {
        self.open_written && self.transport.pending().len() == 0 && !self.close_written
    }

    fn check_disconnected(&mut self) {
        let remote_is_over = self.endpoints.connection.remote == Phase::Ended
            || self.transport.has_stopped_reading();
        if self.close_written && remote_is_over {
            self.disconnect(None);
        }
    }

    fn disconnect(&mut self, failure: Option<Failure>) {
        let connection = &mut self.endpoints.connection;
        if let Some(failure) = failure {
            connection.failure.get_or_insert(failure);
        }
        if !core::mem::replace(&mut connection.disconnected, true) {
            self.transport.stop_reading();
            // Nothing that is still planned will be written.
            self.close_written = true;
            self.endpoints.post(Event::Disconnected);
        }
    }
}

/// The deepest nesting before open: more than any peer has a use for.
const EARLY_DEPTH: u32 = 8;

/// What is read of frames at most, before and after the peer's open.
pub(crate) fn codec_limits(limits: &Limits, opened: bool) -> CodecLimits {
    let most = if opened { MAX_DEPTH } else { EARLY_DEPTH };
    CodecLimits {
        max_depth: limits.nesting_depth.min(most),
        max_zero_width: limits.zero_width_elements,
        max_compound: limits.compound_octets.max(255),
        max_text: limits.field_octets.max(255),
    }
}

/// How many objects an engine holds; see [`Engine::census`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Sessions.
    pub sessions: usize,
    /// Links of both roles.
    pub links: usize,
    /// Outgoing deliveries that are not settled and told of yet.
    pub outgoing_deliveries: usize,
    /// Incoming deliveries that are not settled and told of yet.
    pub incoming_deliveries: usize,
}

/// Output that waits to be sent; see [`Engine::transmit`].
///
/// It is a [`Buf`]: peek with `chunk` or `chunks_vectored`, then `advance`.
#[derive(Debug)]
pub struct Transmit<'a> {
    engine: &'a mut Engine,
    now: Time,
}

impl Transmit<'_> {
    /// The octets in order, in as few pieces as they lie in memory.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.engine.transport.pending().pieces()
    }

    fn output(&self) -> &Output {
        self.engine.transport.pending()
    }
}

impl Buf for Transmit<'_> {
    fn remaining(&self) -> usize {
        self.output().remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.output().chunk()
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, dst: &mut [std::io::IoSlice<'a>]) -> usize {
        self.output().chunks_vectored(dst)
    }

    /// # Panics
    /// As `Buf` demands, when `count` exceeds what remains.
    fn advance(&mut self, count: usize) {
        self.engine.transport.output().advance(count);
        // What counts for the peer's time-out is what was really sent.
        if count > 0 {
            self.engine.transport.wrote(self.now);
            if let Some(since) = &mut self.engine.held_back {
                // It reads, if slowly, and its silence is counted from when it is heard again.
                *since = self.now;
                self.engine.transport.idle.heard(self.now);
            }
        }
    }
}

const _: fn() = || {
    fn send<T: Send>() {}
    send::<Box<Engine>>();
};
