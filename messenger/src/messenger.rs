//! The Messenger itself: calls that wait, on top of a core that decides and a driver that moves octets.

use std::time::{Duration, Instant};

use ferrion_engine::message::Message;
use ferrion_engine::protocol::{Condition, Modified};

use crate::core::credit::Credit;
use crate::core::inbox::Decision;
use crate::core::login::Seeds;
use crate::core::tracker::{Flags, Status, Tracker};
use crate::core::{Core, Subscription};
use crate::driver::{Driver, Interrupter, clock};
use crate::error::{Error, Result};
use crate::name::{random_name, random_word, secret_octets};
use crate::subscribe::SubscribeOptions;

/// How long `stop` tries to get rid of messages when no timeout is set.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// How long `stop` waits for peers to say goodbye. What matters has arrived by then, and a peer that
/// is busy with something else should not hold up who leaves.
const FAREWELL: Duration = Duration::from_secs(1);
/// A call that finds its business done looks at the sockets all the same, if it was not done for this long.
const STALE: Duration = Duration::from_millis(50);

/// Sends and receives messages.
///
/// Calls come in three groups. **Queue** calls (`put`, `get`, `accept`, `status`, ...) do no I/O, but that `put` begins to send
/// what it has, without waiting, each time that this is worth a write (32 KiB), though not in passive mode.
/// **Waiting** calls (`send`, `recv`, `stop`, `work`, and `put` when the queue is full) do everybody's I/O
/// while they wait, at most for the [timeout](Self::set_timeout); in
/// [non-blocking mode](Self::set_blocking) they do what can be done at once and answer
/// [`Error::InProgress`]. **Setters** and getters do neither.
///
/// A messenger belongs to one thread at a time and may move between threads. The only thing that
/// other threads can do to it is [interrupt](Self::interrupter) it. Dropping it closes everything at
/// once; [`stop`](Self::stop) does so in order.
///
/// # Addresses
/// `[amqp[s]://][user[:password]@]host[:port][/name]`; see [`Address`](crate::Address). `~host` listens.
/// `ws://` and `wss://` go through WebSocket.
/// The host can also be the container name of a peer that is connected already, so that replies find
/// their way: a message whose `reply-to` is `~/name` invites answers to this messenger. Peers choose
/// their names themselves: a listening messenger that also sends to real hosts should write those
/// with their ports, which are never taken for names.
///
/// Of several peers with one name the first one gets what is put to it, as long as it is there. Only who came through the
/// same listening address and logged in as the same user, or with the same certificate, takes over: that is one peer, mostly,
/// whose old connection is lost. Where nobody has to log in, all are the same in this, and a newcomer who says a name that is
/// taken gets what is put to it from then on: where that matters, let peers [log in](Self::set_listener_passwords).
#[derive(Debug)]
pub struct Messenger {
    pub(crate) core: Core,
    pub(crate) driver: Driver,
    pub(crate) timeout: Option<Duration>,
    pub(crate) blocking: bool,
    pub(crate) passive: bool,
    pub(crate) checks_routes: bool,
    stopping: Option<Stopping>,
    last_turn: Instant,
    outgoing_tracker: Option<Tracker>,
    incoming_tracker: Option<Tracker>,
}

/// It may move between threads.
const fn is_send<T: Send>() {}
const _: () = is_send::<Messenger>();

/// How far [`Messenger::stop`] has come.
#[derive(Debug)]
struct Stopping {
    /// Until when what is unsent may still be sent.
    flush_until: Option<Instant>,
    /// Once everything is closing: until when peers may answer.
    farewell: Option<Instant>,
    /// Whether `work` has answered that the time of this step is over.
    told: bool,
}

impl Stopping {
    /// When the step that it is at must end.
    fn until(&self) -> Option<Instant> {
        self.farewell.or(self.flush_until)
    }
}

impl Messenger {
    /// A messenger with a random name.
    ///
    /// # Errors
    /// [`Error::System`]: the system refuses a readiness poll, or a pipe or a socket pair to interrupt it with (descriptors
    /// are used up, mostly: close some, or raise the limit), or has no randomness.
    pub fn new() -> Result<Self> {
        Self::with_name(&random_name())
    }

    /// A messenger with a name of its own: the container-id that peers see, and by which they can reply.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with_name(name: &str) -> Result<Self> {
        let seeds = Seeds::new(secret_octets()?, secret_octets()?);
        let mut core = Core::new(name.into(), seeds);
        core.set_jitter(random_word());
        core.set_request_token(random_word());
        core.set_instance(random_word());
        Ok(Self {
            core,
            driver: Driver::new()?,
            timeout: None,
            blocking: true,
            passive: false,
            checks_routes: false,
            stopping: None,
            last_turn: clock(),
            outgoing_tracker: None,
            incoming_tracker: None,
        })
    }

    /// The name that peers see.
    #[must_use]
    pub fn name(&self) -> &str {
        self.core.name()
    }

    // ---- sending ----

    /// Queues a message for the address it carries, and answers a tracker by which to ask for its
    /// [`status`](Self::status), if the [outgoing window](Self::set_outgoing_window) is larger than 0.
    ///
    /// Of many messages in a row the first begin to leave before [`send`](Self::send) is called, where that needs no wait.
    ///
    /// The message itself is not changed. The copy that is sent has its `to` rewritten as the
    /// [rules](Self::rewrite) say, or without credentials if none matches; a `reply-to` of `~` or
    /// `~/name` becomes this messenger's own address.
    ///
    /// # Errors
    /// Nothing is queued then:
    /// - [`Error::InvalidAddress`]: the address is missing, cannot be understood (after the [routes](Self::route)), or begins
    ///   with `~`, which is for [`subscribe`](Self::subscribe).
    /// - [`Error::Overflow`]: more waits already than the [high-water mark](Self::set_high_water) allows, in non-blocking and
    ///   passive mode, or still after the timeout. Call [`send`](Self::send) or [`work`](Self::work), then put again.
    /// - [`Error::Send`]: the address was made up for a peer that has left, or the connection takes no more sessions or links.
    /// - [`Error::Decode`]: the message was received, and its header or properties cannot be decoded, which are needed here.
    /// - [`Error::State`]: the connection was lost in this moment; put it again.
    /// - [`Error::Interrupted`], [`Error::System`]: while it waited for room.
    ///
    /// That nobody can be reached there, or may log in, is known later and told by [`send`](Self::send) and by the tracker.
    pub fn put(&mut self, message: &Message) -> Result<Tracker> {
        self.put_by(|core| core.put(message))
    }

    /// Puts; when there is no room, waits and tries once more.
    pub(crate) fn put_by(
        &mut self,
        attempt: impl Fn(&mut Core) -> Result<Tracker>,
    ) -> Result<Tracker> {
        let mut put = attempt(&mut self.core);
        if self.waits() && matches!(put, Err(Error::Overflow { .. })) {
            match self.wait(self.give_up_at(), Core::has_room, |_| String::new()) {
                // At the deadline there may be room all the same.
                Ok(()) | Err(Error::Timeout { .. }) => put = attempt(&mut self.core),
                Err(error) => return Err(error),
            }
        }
        let tracker = put?;
        self.outgoing_tracker = Some(tracker);
        if self.core.has_much_to_send() && !self.passive {
            // The peer works on it while the caller makes the next ones.
            self.driver.hand_on(&mut self.core);
        }
        Ok(tracker)
    }

    /// Sends everything that was put, and waits until it is acknowledged (or, with an outgoing
    /// window of 0, until the system has taken it).
    ///
    /// # Errors
    /// - [`Error::Connect`], [`Error::Tls`], [`Error::WebSocket`], [`Error::Login`], [`Error::Lost`],
    ///   [`Error::Remote`], [`Error::Send`]: messages
    ///   were lost for this reason; their trackers say ABORTED. What goes elsewhere is not affected:
    ///   call again for it. Each loss is told once, also if the tracker was looked at or settled before.
    /// - [`Error::Timeout`]: not everything was acknowledged in time; the text says what is waited for. It is still being
    ///   sent: call again to wait longer.
    /// - [`Error::InProgress`] in non-blocking and passive mode: call [`work`](Self::work), then again.
    /// - [`Error::Interrupted`]: an [`Interrupter`] ended the wait. Messages are still being sent.
    /// - [`Error::System`]: the system's poll failed.
    pub fn send(&mut self) -> Result<()> {
        self.send_until(0)
    }

    /// As [`send`](Self::send), but returns when `count` messages fewer are unsent than before.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn send_n(&mut self, count: usize) -> Result<()> {
        self.send_until(self.core.outgoing().saturating_sub(count))
    }

    fn send_until(&mut self, left: usize) -> Result<()> {
        let done = |core: &Core| core.outgoing() <= left || core.has_send_error();
        let waited = self.wait(self.give_up_at(), done, |core| core.why_unsent(left));
        if let Err(error @ (Error::Interrupted | Error::System { .. })) = waited {
            return Err(error);
        }
        // Whatever else happened, a cause explains more than a timeout does.
        match self.core.take_send_error() {
            Some(error) => Err(error),
            None => waited,
        }
    }

    /// Messages that were put and are not acknowledged (or, if sent settled, not with the system) yet.
    #[must_use]
    pub const fn outgoing(&self) -> usize {
        self.core.outgoing()
    }

    /// The tracker that the last successful [`put`](Self::put) answered.
    #[must_use]
    pub const fn outgoing_tracker(&self) -> Option<Tracker> {
        self.outgoing_tracker
    }

    /// Whether a message that was put still waits in this process: for the connection, for credit, for the peer to take
    /// what was sent before it. It is `false` once it was written for the system to send, which does not mean that it
    /// arrived, and for trackers of anything else.
    #[must_use]
    pub fn buffered(&self, tracker: Tracker) -> bool {
        self.core.buffered(tracker)
    }

    // ---- receiving ----

    /// Makes messages come from an address, or with `~host` from everyone who connects to it.
    ///
    /// The port of a listening address may be 0; [`subscription_port`](Self::subscription_port) then tells
    /// which one it is. Of a listening address the name is ignored: senders may send to any node.
    ///
    /// # Errors
    /// - [`Error::InvalidAddress`]: it cannot be understood (after the [routes](Self::route)).
    /// - [`Error::Subscribe`], [`Error::Send`]: the connection takes no more links, or no more sessions.
    /// - [`Error::Tls`]: to listen on `amqps://~` or `wss://~` needs a [certificate](Self::set_certificate).
    /// - [`Error::Listen`]: the port is taken, or the address is not this machine's. In non-blocking and passive mode this,
    ///   and that there is no certificate, is told by [`recv`](Self::recv) if it is not known at once.
    /// - [`Error::Timeout`], [`Error::Interrupted`]: the name of a listening address was not found in time. The subscription is
    ///   given up.
    /// - [`Error::System`]: the system's poll failed.
    ///
    /// That a remote address cannot be reached, or refuses, is told by [`recv`](Self::recv).
    /// [`subscribe_with`](Self::subscribe_with) asks for more: filters, durability, a time to live.
    pub fn subscribe(&mut self, address: &str) -> Result<Subscription> {
        self.subscribe_with(address, &SubscribeOptions::new())
    }

    /// Waits until a listening subscription listens.
    pub(crate) fn open(&mut self, subscription: Subscription, address: &str) -> Result<()> {
        if self.passive {
            return Ok(());
        }
        self.turn(Some(Duration::ZERO))?;
        if self.blocking && self.core.is_opening(subscription) {
            // The name of a local address is being looked up.
            let done = |core: &Core| !core.is_opening(subscription);
            self.wait(self.give_up_at(), done, |_| {
                format!("while {address} is looked up")
            })?;
        }
        match self.core.take_listen_error(subscription) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// The port that a listening subscription listens on; `None` for others, or if it is not open.
    #[must_use]
    pub fn subscription_port(&self, subscription: Subscription) -> Option<u16> {
        self.core.subscription_port(subscription)
    }

    /// The absolute address that messages of a subscription come from, once the peer has answered. For
    /// a dynamic node (`#`) it is where others can send to.
    #[must_use]
    pub fn subscription_address(&self, subscription: Subscription) -> Option<String> {
        self.core.subscription_address(subscription)
    }

    /// Lets messages come, and waits until at least one is there for [`get`](Self::get).
    ///
    /// Subscriptions whose connection was lost are connected again.
    ///
    /// # Errors
    /// What came before is there for [`get`](Self::get) whatever the answer is.
    /// - [`Error::State`]: there is nothing from which messages could come; [`subscribe`](Self::subscribe) first.
    /// - [`Error::Connect`], [`Error::Tls`], [`Error::WebSocket`], [`Error::Login`], [`Error::Lost`],
    ///   [`Error::Remote`], [`Error::Subscribe`], [`Error::Listen`]: a subscription was lost, or
    ///   could not be made, and no message waits. The next call tries again.
    /// - [`Error::Timeout`]: nothing came in time. What was asked for is still let come.
    /// - [`Error::InProgress`] in non-blocking and passive mode: nothing is there yet; call [`work`](Self::work), then again.
    /// - [`Error::Interrupted`]: an [`Interrupter`] ended the call, also if messages wait.
    /// - [`Error::System`]: the system's poll failed.
    pub fn recv(&mut self, credit: impl Into<Credit>) -> Result<()> {
        let credit = credit.into();
        self.core.request(credit);
        if matches!(credit, Credit::Cancel | Credit::Explicit(0)) {
            if self.passive {
                return Ok(());
            }
            return self.turn(Some(Duration::ZERO)).map(drop);
        }
        let idle = |core: &Core| !core.has_sources();
        let done = |core: &Core| core.incoming() > 0 || core.has_recv_error() || idle(core);
        let waited = self.wait(self.give_up_at(), done, |_| {
            "while no message came".to_owned()
        });
        // Who interrupts wants to be heard, also when messages are there.
        if let Err(error @ (Error::Interrupted | Error::System { .. })) = waited {
            return Err(error);
        }
        if self.core.incoming() > 0 {
            return Ok(());
        }
        if let Some(error) = self.core.take_recv_error() {
            return Err(error);
        }
        waited?;
        // Nothing can come any more, unless somebody subscribes.
        match self.core.take_last_loss() {
            Some(lost) => Err(lost),
            None if self.waits() => Err(Error::State(
                "there is nothing to receive from; call subscribe() first",
            )),
            None => Err(Error::InProgress),
        }
    }

    /// Messages that wait for [`get`](Self::get).
    #[must_use]
    pub fn incoming(&self) -> usize {
        self.core.incoming()
    }

    /// Messages that may still come without another [`recv`](Self::recv).
    #[must_use]
    pub const fn receiving(&self) -> u64 {
        self.core.receiving()
    }

    /// Takes the oldest message received and puts it in place of what `message` was.
    ///
    /// With an [incoming window](Self::set_incoming_window) of 0 this accepts it. Otherwise it is for
    /// [`accept`](Self::accept), [`reject`](Self::reject), [`release`](Self::release) or
    /// [`modify`](Self::modify), by the tracker answered, while it is in the window; what leaves the
    /// window undecided is accepted.
    ///
    /// # Errors
    /// - [`Error::EndOfQueue`]: no message waits; call [`recv`](Self::recv).
    /// - [`Error::Decode`]: what came was not an AMQP message. It is gone, and its sender told so by a rejection; the next call
    ///   takes the next message.
    pub fn get(&mut self, message: &mut Message) -> Result<Tracker> {
        let tracker = self.core.get(message)?;
        self.incoming_tracker = Some(tracker);
        Ok(tracker)
    }

    /// The tracker that the last successful [`get`](Self::get) answered.
    #[must_use]
    pub const fn incoming_tracker(&self) -> Option<Tracker> {
        self.incoming_tracker
    }

    /// The subscription that the last [`get`](Self::get) took a message of; `None` if a peer that we
    /// connected to sent it unasked.
    #[must_use]
    pub fn incoming_subscription(&self) -> Option<Subscription> {
        self.core.last_subscription()
    }

    // ---- outcomes ----

    /// Tells the sender that the message is ours to take care of, and settles it. With
    /// [`Flags::CUMULATIVE`] also all earlier ones in the window that have no outcome yet.
    ///
    /// # Errors
    /// [`Error::UnknownTracker`]: no such message was received, or it is of [`put`](Self::put). One that left the window was
    /// accepted by that, which is no error.
    pub fn accept(&mut self, tracker: Tracker, flags: Flags) -> Result<()> {
        self.core.decide(tracker, flags, &Decision::Accept)
    }

    /// Tells the sender that the message is invalid, and settles it; see [`accept`](Self::accept).
    ///
    /// # Errors
    /// [`Error::UnknownTracker`]: the message is not in the window, or not any more: it was accepted by leaving that. Set an
    /// [incoming window](Self::set_incoming_window) as large as the number of messages that are not decided at a time.
    pub fn reject(&mut self, tracker: Tracker, flags: Flags) -> Result<()> {
        self.core.decide(tracker, flags, &Decision::Reject(None))
    }

    /// As [`reject`](Self::reject), and says why.
    ///
    /// # Errors
    /// As for [`reject`](Self::reject).
    pub fn reject_with(&mut self, tracker: Tracker, flags: Flags, why: Condition) -> Result<()> {
        self.core
            .decide(tracker, flags, &Decision::Reject(Some(why)))
    }

    /// Gives the message back as if it had never come, and settles it; see [`accept`](Self::accept).
    ///
    /// # Errors
    /// As for [`reject`](Self::reject).
    pub fn release(&mut self, tracker: Tracker, flags: Flags) -> Result<()> {
        self.core.decide(tracker, flags, &Decision::Release)
    }

    /// Gives the message back with changes: whether the attempt counts as failed, whether it should
    /// not come here again, and annotations to add. Settles it; see [`accept`](Self::accept).
    ///
    /// # Errors
    /// As for [`reject`](Self::reject).
    pub fn modify(&mut self, tracker: Tracker, flags: Flags, changes: Modified) -> Result<()> {
        self.core.decide(tracker, flags, &Decision::Modify(changes))
    }

    /// Forgets a message of either direction: its outcome, if it has none yet, is of no interest. Its
    /// status is [`Status::Unknown`] from then on.
    ///
    /// # Errors
    /// [`Error::UnknownTracker`]: no such message was put or received by this messenger. One that left the window is
    /// settled, and no error.
    pub fn settle(&mut self, tracker: Tracker, flags: Flags) -> Result<()> {
        self.core.settle(tracker, flags)
    }

    /// What became of a message in the window.
    #[must_use]
    pub fn status(&self, tracker: Tracker) -> Status {
        self.core.status(tracker)
    }

    /// Why a message that was put is ABORTED, or with which condition the receiver REJECTED it. `None` also if the condition was
    /// too large to be kept, as [`set_high_water`](Self::set_high_water) says.
    #[must_use]
    pub fn reason(&self, tracker: Tracker) -> Option<&Error> {
        self.core.reason(tracker)
    }

    /// The condition that the receiver gave for a message that was put.
    #[must_use]
    pub fn condition(&self, tracker: Tracker) -> Option<&Condition> {
        self.core.reason(tracker)?.condition()
    }

    // ---- life ----

    /// Begins to work. Nothing needs it but [checked routes](Self::set_check_routes), which it tries: it connects to
    /// where they lead, and waits until all of those peers have answered, or it is known why one cannot.
    ///
    /// # Errors
    /// Without checked routes, none. With them:
    /// - [`Error::Connect`], [`Error::Tls`], [`Error::WebSocket`], [`Error::Login`], [`Error::Lost`],
    ///   [`Error::Remote`]: a route leads nowhere, for this reason. There may be more of them:
    ///   [`address_reason`](Self::address_reason) knows of each.
    /// - [`Error::InvalidAddress`]: a route leads to what is no address.
    /// - [`Error::Timeout`], [`Error::Interrupted`], and [`Error::InProgress`] in non-blocking mode: call again.
    pub fn start(&mut self) -> Result<()> {
        self.stopping = None;
        if !self.checks_routes {
            return Ok(());
        }
        self.core.begin_checks()?;
        let waited = self.wait(self.give_up_at(), Core::has_checked, |core| {
            core.why_unchecked()
        });
        if let Err(error @ (Error::Interrupted | Error::System { .. } | Error::InProgress)) = waited
        {
            return Err(error);
        }
        // A cause explains more than a timeout does.
        match self.core.end_checks() {
            Some(error) => Err(error),
            None => waited,
        }
    }

    /// Sends what is unsent, closes all connections in order, and forgets all subscriptions and
    /// what [`recv`](Self::recv) asked for. Messages
    /// that came and were not taken are given back to their senders; those that were sent settled, which nobody else has any
    /// more, stay for [`get`](Self::get). What peers [keep](crate::SubscribeOptions::durable) of subscriptions stays there:
    /// [`unsubscribe`](Self::unsubscribe) ends it.
    ///
    /// Sending takes no longer than the timeout, or 10 s without one; peers then have at most a second
    /// to answer the close. The messenger can be used again.
    ///
    /// # Errors
    /// - [`Error::Unsent`]: messages were given up; their trackers say ABORTED, and why.
    /// - [`Error::Interrupted`]: while messages were sent, and nothing is closed yet: go on, or call again.
    /// - [`Error::Connect`], [`Error::Lost`], [`Error::Send`] and what else [`send`](Self::send) has to tell, if it was not
    ///   called for it: messages were lost before.
    /// - [`Error::InProgress`] in non-blocking mode: call [`work`](Self::work), then again. In
    ///   [passive mode](Self::set_passive) nothing has left and nothing is closed until then.
    /// - [`Error::System`]: the system's poll failed.
    pub fn stop(&mut self) -> Result<()> {
        let mut stopping = match self.stopping.take() {
            Some(stopping) => stopping,
            None => Stopping {
                flush_until: clock().checked_add(self.timeout.unwrap_or(STOP_PATIENCE)),
                farewell: None,
                told: false,
            },
        };
        stopping.told = false;
        if let Err(error) = self.go_on_stopping(&mut stopping) {
            // What was cut short before anything was closed is over: a later stop has its full time.
            if error == Error::InProgress || stopping.farewell.is_some() {
                self.stopping = Some(stopping);
            }
            return Err(error);
        }
        let failed = self.core.take_send_error();
        self.core.forget_errors();
        match (self.core.given_up(), failed) {
            (0, None) => Ok(()),
            (0, Some(error)) => Err(error),
            (count, _) => Err(Error::Unsent { count }),
        }
    }

    /// Flushes, closes, and waits for the answers; each step for as long as it may take.
    fn go_on_stopping(&mut self, stopping: &mut Stopping) -> Result<()> {
        let late = |until: Option<Instant>| until.is_some_and(|until| clock() >= until);
        if stopping.farewell.is_none() {
            let until = stopping.flush_until;
            match self.wait(until, |core| core.outgoing() == 0, |_| String::new()) {
                Ok(()) | Err(Error::Timeout { .. }) => {}
                Err(Error::InProgress) if late(until) => {}
                Err(error) => return Err(error),
            }
            stopping.farewell = Some(clock() + self.timeout.unwrap_or(FAREWELL).min(FAREWELL));
            self.core.close_all();
        }
        match self.wait(stopping.farewell, Core::is_stopped, |_| String::new()) {
            Err(Error::InProgress) if !late(stopping.farewell) => return Err(Error::InProgress),
            _ => self.core.abandon_all(),
        }
        self.core.request(Credit::Cancel);
        if !self.passive {
            self.driver.advance(&mut self.core);
        } else if !self.core.is_stopped() {
            // What is to be let go of is the caller's loop's to do.
            return Err(Error::InProgress);
        }
        Ok(())
    }

    /// Whether there are neither connections nor listeners, as before the first is made. Subscriptions that were lost, or
    /// cannot be listened on, do not count until the next [`recv`](Self::recv) tries them again.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.core.is_stopped()
    }

    /// Does I/O until something happened, at most for `timeout` (`None`: for ever). Answers whether
    /// anything did: octets came or left, or a time was over, of a connection, of a [request](Self::send_request) or of a
    /// [`stop`](Self::stop) that was begun. It is then that a call which was not finished may be.
    ///
    /// # Errors
    /// - [`Error::Interrupted`]: an [`Interrupter`] ended the call, or was told to before it began.
    /// - [`Error::System`]: the system's poll failed.
    ///
    /// What happens to connections and messages is no error of this call: it is told by the calls that are about them.
    pub fn work(&mut self, timeout: Option<Duration>) -> Result<bool> {
        let deadline = timeout.and_then(|timeout| clock().checked_add(timeout));
        loop {
            if self.driver.interrupter().take() {
                return Err(Error::Interrupted);
            }
            let left = deadline.map(|at| at.saturating_duration_since(clock()));
            let until_stopped = self.until_stopped();
            let wait = left.into_iter().chain(until_stopped).min();
            if self.turn(wait)? || self.is_late_to_stop() {
                return Ok(true);
            }
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(false);
            }
        }
    }

    /// A handle with which any thread can end the call that is waiting, or else the next one that would.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.driver.interrupter().clone()
    }

    /// Whether calls wait, rather than the caller.
    pub(crate) const fn waits(&self) -> bool {
        self.blocking && !self.passive
    }

    /// How long there is until [`stop`](Self::stop) has to go on, if it was begun and that was not told yet.
    pub(crate) fn until_stopped(&self) -> Option<Duration> {
        let stopping = self.stopping.as_ref().filter(|stopping| !stopping.told);
        Some(stopping?.until()?.saturating_duration_since(clock()))
    }

    /// Whether [`stop`](Self::stop) has to go on now; answers so once, for there is nothing to be done about it but to call
    /// it.
    fn is_late_to_stop(&mut self) -> bool {
        let late = self.until_stopped().is_some_and(|left| left.is_zero());
        if let Some(stopping) = &mut self.stopping {
            stopping.told |= late;
        }
        late
    }

    fn turn(&mut self, wait: Option<Duration>) -> Result<bool> {
        self.last_turn = clock();
        self.driver.turn(&mut self.core, wait, |_, busy| busy)
    }

    /// When a call that waits from now on has waited long enough.
    pub(crate) fn give_up_at(&self) -> Option<Instant> {
        self.timeout
            .and_then(|timeout| clock().checked_add(timeout))
    }

    /// Works until `done`, or `deadline`, or an interrupt; in non-blocking mode for one turn, and in
    /// passive mode not at all.
    pub(crate) fn wait(
        &mut self,
        deadline: Option<Instant>,
        done: impl Fn(&Core) -> bool,
        waiting: impl FnOnce(&mut Core) -> String,
    ) -> Result<()> {
        if self.passive {
            let done = done(&self.core);
            return if done { Ok(()) } else { Err(Error::InProgress) };
        }
        if done(&self.core) && clock().saturating_duration_since(self.last_turn) < STALE {
            // What was decided since the last call must leave; looking for news can wait a little.
            self.driver.advance(&mut self.core);
            return Ok(());
        }
        loop {
            if self.blocking && self.driver.interrupter().take() {
                return Err(Error::Interrupted);
            }
            self.last_turn = clock();
            let left = deadline.map(|at| at.saturating_duration_since(self.last_turn));
            let left = if self.blocking {
                left
            } else {
                Some(Duration::ZERO)
            };
            self.driver
                .turn(&mut self.core, left, |core, _| done(core))?;
            if done(&self.core) {
                return Ok(());
            }
            if !self.blocking {
                return Err(Error::InProgress);
            }
            if left.is_some_and(|left| left.is_zero()) {
                return Err(Error::Timeout {
                    waiting: waiting(&mut self.core),
                });
            }
        }
    }
}
