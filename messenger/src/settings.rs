//! The Messenger's settings.

use std::path::Path;
use std::time::Duration;

use ferrion_engine::Limits;
use ferrion_engine::protocol::{ReceiverSettleMode, SenderSettleMode};
use ferrion_engine::sasl::Secret;

use crate::core::login::TokenCheck;
use crate::driver::ClientCertificates;
use crate::error::Result;
use crate::messenger::Messenger;
use crate::reconnect::{ConnectionEvent, Reconnect};
use crate::recovery::LinkRecovery;

/// What any peer may send (2.7.1).
const MIN_MAX_FRAME_SIZE: u32 = 512;

/// Settings. They concern what is done from then on.
impl Messenger {
    /// How long waiting calls wait. `None`, the default, is for ever.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Sets how long waiting calls wait; see [`timeout`](Self::timeout).
    pub const fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    /// Whether waiting calls wait. Default true.
    #[must_use]
    pub const fn is_blocking(&self) -> bool {
        self.blocking
    }

    /// Sets whether waiting calls wait, or do one round of I/O and answer [`Error::InProgress`](crate::Error::InProgress).
    pub const fn set_blocking(&mut self, blocking: bool) {
        self.blocking = blocking;
    }

    /// How many of the last messages put have a status. Default 0.
    #[must_use]
    pub const fn outgoing_window(&self) -> usize {
        self.core.outgoing_window()
    }

    /// Sets how many of the last messages put have a [`status`](Self::status); `usize::MAX` for all.
    ///
    /// With 0 messages are sent settled: nobody is told, or asks, whether they arrived. Otherwise
    /// every message in the window is sent so that the receiver says what became of it.
    pub fn set_outgoing_window(&mut self, messages: usize) {
        self.core.set_outgoing_window(messages);
    }

    /// How many of the last messages got wait for a decision. Default 0.
    #[must_use]
    pub const fn incoming_window(&self) -> usize {
        self.core.incoming_window()
    }

    /// Sets how many of the last messages got can be accepted, rejected, released or modified by their
    /// trackers; `usize::MAX` for all. With 0, [`get`](Self::get) accepts.
    pub fn set_incoming_window(&mut self, messages: usize) {
        self.core.set_incoming_window(messages);
    }

    /// The high-water mark of [`put`](Self::put): messages and octets. Default 65,536 and 64 MiB.
    #[must_use]
    pub const fn high_water(&self) -> (usize, usize) {
        self.core.high_water()
    }

    /// Sets how much may wait to be sent, in messages and in octets, before [`put`](Self::put) waits, or in
    /// non-blocking mode answers [`Error::Overflow`](crate::Error::Overflow). A single message fits whatever its size.
    ///
    /// Of the [reasons](Self::reason) that peers gave for messages in the window at most as many octets are kept. Those that
    /// come beyond that are kept without their text, or not at all if they are large even so.
    pub const fn set_high_water(&mut self, messages: usize, octets: usize) {
        self.core.set_high_water(messages, octets);
    }

    /// The high-water mark of what comes in: messages and octets. Default `usize::MAX`, which leaves their number to
    /// [`recv`](Self::recv), and 64 MiB.
    #[must_use]
    pub const fn incoming_high_water(&self) -> (usize, usize) {
        self.core.incoming_high_water()
    }

    /// Sets how much may wait for [`get`](Self::get), in messages and in octets, whatever
    /// [`recv`](Self::recv) asked for: beyond it peers are let send no more. A single message gets
    /// through whatever its size. A message counts its octets and 128 for what is kept of it beside them, so that those of no octets
    /// do not come without end. Replies that nobody has taken count too, and what peers said instead of them; as many of them
    /// refuse further [requests](Self::send_request).
    ///
    /// What peers were allowed to send before goes on waiting where it came in, per connection at most
    /// as many octets again, but not less than 1 MiB nor more than 64. That part concerns connections
    /// made from then on.
    pub const fn set_incoming_high_water(&mut self, messages: usize, octets: usize) {
        self.core.set_incoming_high_water(messages, octets);
    }

    /// Appends a route: a message whose address matches `pattern` goes to `address` instead, though its
    /// `to` stays as it is. The first match wins. Also for [`subscribe`](Self::subscribe).
    ///
    /// In the pattern `%` matches anything but `/`, `*` anything; `$1`, `$2`, ... in the address are what
    /// they matched, `$0` is all of it, `$$` a dollar sign.
    ///
    /// ```
    /// # let mut messenger = ferrion_messenger::Messenger::new()?;
    /// messenger.route("colour/%", "amqp://paint.example.org/$1")?;
    /// messenger.route("*", "amqp://broker.example.org/$1")?;
    /// # Ok::<(), ferrion_messenger::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidPattern`](crate::Error::InvalidPattern) if a `$` in the address is followed by neither a number nor another `$`.
    pub fn route(&mut self, pattern: &str, address: &str) -> Result<()> {
        self.core.routes().add(pattern, Some(address))
    }

    /// Sets whether [`start`](Self::start) tries the routes, and fails if one of them leads nowhere. Default false.
    ///
    /// Those are tried whose scheme, user, host and port are the same whatever matches, as in
    /// `amqp://broker.example.org/$1`; what follows them is not. Routes to listening addresses are not tried.
    ///
    /// ```no_run
    /// # let mut messenger = ferrion_messenger::Messenger::new()?;
    /// messenger.route("*", "amqp://broker.example.org/$1")?;
    /// messenger.set_check_routes(true);
    /// messenger.start()?; // or it says why the broker cannot be reached
    /// # Ok::<(), ferrion_messenger::Error>(())
    /// ```
    pub const fn set_check_routes(&mut self, check: bool) {
        self.checks_routes = check;
    }

    /// Removes the first route with this pattern; answers whether there was one.
    pub fn remove_route(&mut self, pattern: &str) -> bool {
        self.core.routes().remove(pattern)
    }

    /// Appends a rewrite: a message whose address matches `pattern` is sent with this `to` (or with none),
    /// though it goes where it would have gone. Patterns are those of [`route`](Self::route), and
    /// are matched against the original address.
    ///
    /// An address that no rewrite matches loses its user and password, and nothing else.
    ///
    /// # Errors
    /// As for [`route`](Self::route).
    pub fn rewrite<'a>(&mut self, pattern: &str, to: impl Into<Option<&'a str>>) -> Result<()> {
        self.core.rewrites().add(pattern, to.into())
    }

    /// Removes the first rewrite with this pattern; answers whether there was one.
    pub fn remove_rewrite(&mut self, pattern: &str) -> bool {
        self.core.rewrites().remove(pattern)
    }

    /// Removes all routes and rewrites.
    pub fn clear_rules(&mut self) {
        self.core.routes().clear();
        self.core.rewrites().clear();
    }

    /// User and password for addresses that have none of their own. They are used with SCRAM, which shows
    /// the password to nobody, where the peer offers it, or else with PLAIN; that one without TLS only
    /// to this very machine, or as [`set_allow_plain_without_tls`](Self::set_allow_plain_without_tls) says.
    ///
    /// A peer that takes the password in none of these ways is not gone to as nobody (ANONYMOUS), whatever it offers: that is an
    /// [error](crate::Error::Login), and the same with a token. A user without password, token or certificate is nobody, and a
    /// [warning](Self::poll_warning) says so.
    ///
    /// A peer may send us to another host (a redirection), which could use a password elsewhere: PLAIN and tokens are for
    /// it only if TLS shows that it is the host in the address, or one of its
    /// [alternatives](Self::set_alternatives). SCRAM is for any.
    pub fn set_credentials(&mut self, user: Option<&str>, password: Option<&str>) {
        self.core.options.user = user.map(str::to_owned);
        self.core.options.password = password.map(Secret::from);
    }

    /// An OAuth 2.0 token to log in with (OAUTHBEARER, or else XOAUTH2) for addresses that have no password of
    /// their own; the user is that of [`set_credentials`](Self::set_credentials), or none. It goes over connections
    /// without TLS only where a password may. Tokens expire: set the next one in time, for connections
    /// are made again with the last that was set. Those that are there stay: another token is taken for the next one of
    /// the same user. To be somebody else, set another user with it, or use another messenger.
    ///
    /// ```
    /// # let mut messenger = ferrion_messenger::Messenger::new()?;
    /// messenger.set_credentials(Some("ann@example.org"), None);
    /// messenger.set_token(Some("eyJhbGciOi..."));
    /// # Ok::<(), ferrion_messenger::Error>(())
    /// ```
    pub fn set_token(&mut self, token: Option<&str>) {
        self.core.options.token = token.map(Secret::from);
    }

    /// Allows passwords and tokens to go in clear over connections without TLS. To this very machine they may in any case,
    /// with a [warning](Self::poll_warning).
    pub const fn set_allow_plain_without_tls(&mut self, allow: bool) {
        self.core.options.allow_plain = allow;
    }

    /// Who may connect to listening addresses, with which password: by SCRAM, or by PLAIN. Without any,
    /// the default, everyone may, and nobody is asked.
    pub fn set_listener_passwords<U, P>(&mut self, users: impl IntoIterator<Item = (U, P)>)
    where
        U: Into<String>,
        P: Into<String>,
    {
        let users = users
            .into_iter()
            .map(|(user, password)| (user.into(), Secret::from(password.into().into_bytes())));
        self.core.set_passwords(users.collect());
    }

    /// Admits a user with this password to listening addresses, beside those who are admitted already, or no longer if there is
    /// no password: one row of what [`set_listener_passwords`](Self::set_listener_passwords) sets. When the last one is taken
    /// away nobody is admitted; only an empty [`set_listener_passwords`](Self::set_listener_passwords) opens the door to everyone.
    pub fn set_listener_user(&mut self, user: &str, password: Option<&str>) {
        self.core.set_password(user, password);
    }

    /// Admits who shows this token as this user to listening addresses (OAUTHBEARER, XOAUTH2), or no longer if there is no
    /// token. A user has one; the empty user is for tokens that come without a user's name. They are admitted beside those of
    /// [`set_listener_passwords`](Self::set_listener_passwords) and of [`set_listener_tokens`](Self::set_listener_tokens), and
    /// nobody else is, even when the last token is taken away.
    pub fn set_listener_token(&mut self, user: &str, token: Option<&str>) {
        self.core.set_known_token(user, token);
    }

    /// Lets those connect to listening addresses whose token `check` finds good (OAUTHBEARER, XOAUTH2): it is
    /// given the user, which may be empty where the token says who it is, and the token. Peers that show different tokens
    /// and name no user are different ones: none of them gets what is for another of the same name. Also those of
    /// [`set_listener_passwords`](Self::set_listener_passwords) and
    /// [`set_listener_token`](Self::set_listener_token), if there are any, but nobody else. `None`, the default, asks nobody.
    ///
    /// It is called while the messenger works, so it must not wait: check a signature, or look the token up
    /// in what is known already.
    ///
    /// ```
    /// # let mut messenger = ferrion_messenger::Messenger::new()?;
    /// messenger.set_listener_tokens(Some(Box::new(|user, token| {
    ///     user == "ann@example.org" && token == "eyJhbGciOi..."
    /// })));
    /// # Ok::<(), ferrion_messenger::Error>(())
    /// ```
    pub fn set_listener_tokens(&mut self, check: Option<TokenCheck>) {
        self.core.set_token_check(check);
    }

    /// Shows this certificate to peers that want to see one, and listens with it on `amqps://~`: a file in
    /// PEM form with a chain of certificates, the own one first, and a file with its key, which may be the
    /// same. Where no user is set, it is also what a connection with TLS logs in by (SASL EXTERNAL).
    ///
    /// The files are read now: after they changed, call it again.
    ///
    /// # Errors
    /// [`Error::Certificate`](crate::Error::Certificate) says which file cannot be used, and what is wanted.
    pub fn set_certificate(
        &mut self,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<()> {
        let tls = &mut self.driver.tls;
        tls.set_certificate(certificate.as_ref(), key.as_ref())?;
        self.core.options.has_certificate = true;
        Ok(())
    }

    /// Trusts the authorities whose certificates are in this file (PEM form) to say who is who, and no
    /// others. Without it those whom the system trusts are trusted; the environment variables
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` say where those are, if not in the usual place.
    ///
    /// # Errors
    /// As for [`set_certificate`](Self::set_certificate).
    pub fn set_trusted_certificates(&mut self, file: impl AsRef<Path>) -> Result<()> {
        self.driver.tls.set_authorities(file.as_ref())
    }

    /// **Turns off what TLS is for**: connects to whoever answers, with whatever certificate, so that
    /// anybody on the way can read and change everything. For experiments only; each connection that is
    /// made so leaves a [warning](Self::poll_warning). Default false: the certificate must be valid, from a
    /// [trusted authority](Self::set_trusted_certificates), and for the host in the address.
    pub fn set_dangerous_accept_any_certificate(&mut self, accept: bool) {
        self.driver.tls.set_accept_any(accept);
        self.core.options.accepts_any = accept;
    }

    /// What `amqps://~` listeners do about certificates of those who connect. Who may issue them must be
    /// said with [`set_trusted_certificates`](Self::set_trusted_certificates): the system's authorities
    /// would vouch for anybody. Whoever shows a good one can log in by it (SASL EXTERNAL) under the name
    /// in it.
    pub fn set_client_certificates(&mut self, what: ClientCertificates) {
        self.driver.tls.set_clients(what);
    }

    /// Lets those who connect to `amqps://~` listeners also begin without TLS, on the same port: the first
    /// octet tells. Default false.
    pub const fn set_listeners_allow_plain(&mut self, allow: bool) {
        self.driver.listeners_allow_plain = allow;
    }

    /// The path of a WebSocket: which one is asked for on `ws://` and `wss://`, by default `/`, and which one
    /// listeners of that kind insist on; by default they take any. It begins with `/` and is not part of
    /// the address, where the node follows the host.
    pub fn set_websocket_path(&mut self, path: &str) {
        self.driver.web.path = Some(path.to_owned());
    }

    /// How long the two sides of a new connection may take to agree on TLS and WebSocket, and then as long again for
    /// the login and the opening of AMQP, on connections made from then on. Default 30 s.
    ///
    /// The [idle time-out](Self::set_idle_time_out) is agreed on by that, so that a peer which says nothing from
    /// the beginning is given up by this one.
    pub fn set_handshake_time_out(&mut self, patience: Duration) {
        self.driver.handshake = patience;
        // To the engine nothing means for ever.
        let ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        self.core.options.limits.handshake_time = ms.max(1);
    }

    /// What each connection may make this messenger hold or wait for.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.core.options.limits
    }

    /// Sets what each connection may make this messenger hold or wait for, whether it is made or accepted, on those that are made
    /// from then on. Who listens for many peers that are not trusted lowers what its clients do not need:
    ///
    /// ```
    /// # let mut messenger = ferrion_messenger::Messenger::new()?;
    /// let mut limits = messenger.limits().clone();
    /// limits.connection_octets = 64 << 20;
    /// limits.links_per_session = 100;
    /// limits.unsettled_per_session = 10_000;
    /// messenger.set_limits(limits);
    /// # Ok::<(), ferrion_messenger::Error>(())
    /// ```
    ///
    /// The largest frame is [another setting](Self::set_max_frame_size), and so is what
    /// [all that came in together](Self::set_all_partial_octets) may hold. [`handshake_time`](Limits::handshake_time) is set by
    /// [`set_handshake_time_out`](Self::set_handshake_time_out) too, and bounds TLS and WebSocket likewise: what was set last counts. Where tokens are taken or shown,
    /// [`sasl_frame_size`](Limits::sasl_frame_size) is raised to what they need.
    pub fn set_limits(&mut self, limits: Limits) {
        self.driver.handshake = match limits.handshake_time {
            // For ever.
            0 => Duration::MAX,
            ms => Duration::from_millis(ms),
        };
        self.core.options.limits = limits;
    }

    /// The largest frame that is taken, in octets. Default 64 KiB, or with [link recovery](Self::set_link_recovery) 1 MiB, as
    /// what is not settled of a link is told of in one.
    #[must_use]
    pub const fn max_frame_size(&self) -> u32 {
        self.core.options.max_frame_size()
    }

    /// Sets the largest frame that is taken, on connections made from then on; less than 512 counts as 512. With `None` it is
    /// the default, which [`max_frame_size`](Self::max_frame_size) tells.
    pub const fn set_max_frame_size(&mut self, octets: Option<u32>) {
        self.core.options.max_frame_size = match octets {
            Some(octets) if octets < MIN_MAX_FRAME_SIZE => Some(MIN_MAX_FRAME_SIZE),
            octets => octets,
        };
    }

    /// The most octets that incomplete messages hold on all connections together that listeners accepted. Default 1 GiB.
    #[must_use]
    pub const fn all_partial_octets(&self) -> u64 {
        self.core.options.all_partial_octets
    }

    /// Sets the most octets that messages of which more is to come hold on all connections together that listeners accepted, each
    /// transfer counted as 64 octets more than its payload. They are in no [high-water mark](Self::set_incoming_high_water), as only
    /// their rest makes room again. When it is passed, the links that hold most, of the connection that does, are closed with
    /// `amqp:resource-limit-exceeded`, and a [warning](Self::poll_warning) says whose they were. That is whoever holds most then:
    /// where many peers that are not trusted hold a little each, it may be one that means well, whose message is large.
    ///
    /// Connections that this messenger made have [their own limit](Limits::connection_octets) alone: nothing that strangers do
    /// ends a link there.
    ///
    /// The default is what [one connection](Limits::connection_octets) may hold, so that a single peer can do what it can do
    /// to an engine, and many of them no more than that. Less than the largest message that is expected makes that one
    /// impossible.
    pub const fn set_all_partial_octets(&mut self, octets: u64) {
        self.core.options.all_partial_octets = octets;
    }

    /// Gives up peers that were silent for this long, on connections made from then on. `None`, the
    /// default, never does. A peer that gets no [`work`](Self::work) done is silent. Less than 200 ms is refused by other
    /// messengers: they close a connection on which they would have to write more often than every 50 ms.
    pub fn set_idle_time_out(&mut self, silence: Option<Duration>) {
        let ms = silence.map(|silence| u32::try_from(silence.as_millis()).unwrap_or(u32::MAX));
        self.core.options.idle_time_out = ms;
    }

    /// How connections that fail are made again, if they are.
    #[must_use]
    pub const fn reconnect(&self) -> Option<&Reconnect> {
        self.core.reconnect()
    }

    /// Sets how connections that fail are made again; see [`Reconnect`] for what that means for
    /// messages. With `None` a lost connection is an error of the next [`send`](Self::send) or
    /// [`recv`](Self::recv), and its messages are ABORTED.
    pub fn set_reconnect(&mut self, policy: Option<Reconnect>) {
        self.core.set_reconnect(policy);
    }

    /// Whether links are recovered, and what is kept for that. Default `None`.
    #[must_use]
    pub const fn link_recovery(&self) -> Option<&LinkRecovery> {
        self.core.options.recovery.as_ref()
    }

    /// Sets whether links that are made from then on are recovered after their connection was lost, so that messages
    /// arrive exactly once: [`LinkRecovery`] says what that takes. Default `None`: they arrive at least once. With it frames of
    /// 1 MiB are taken, where [`max_frame_size`](Self::max_frame_size) is not set.
    pub fn set_link_recovery(&mut self, recovery: Option<LinkRecovery>) {
        self.core.set_link_recovery(recovery);
    }

    /// Sets whether messages are sent settled or not (2.8.2), on links that are made from then on. With `None`, the default,
    /// and with [`Mixed`](SenderSettleMode::Mixed) that is as the [outgoing window](Self::set_outgoing_window) has it.
    /// Always [`Settled`](SenderSettleMode::Settled), trackers become [`Status::Settled`](crate::Status::Settled) as soon
    /// as the system has taken the message; always [`Unsettled`](SenderSettleMode::Unsettled), the receiver of a message
    /// outside of the window is also asked for an outcome, which nobody then looks at.
    ///
    /// On links that receive it is what the sender is asked to do. What it does do is its own choice, and peers that
    /// attach links themselves get what they ask for.
    pub const fn set_snd_settle_mode(&mut self, mode: Option<SenderSettleMode>) {
        self.core.options.snd_settle_mode = mode;
    }

    /// Sets whether receivers settle first or second (2.8.3), on links that are made from then on.
    ///
    /// A receiver that settles [`First`](ReceiverSettleMode::First), the default, is done with a message when it has
    /// accepted it, though the sender may never hear of that. One that settles [`Second`](ReceiverSettleMode::Second)
    /// remembers the message and its outcome until the sender has settled it. For whoever uses a messenger both look the
    /// same: the status is what was decided, from then on.
    ///
    /// On links that send it is what the receiver is asked to do; what it does do is its own choice.
    pub const fn set_rcv_settle_mode(&mut self, mode: Option<ReceiverSettleMode>) {
        self.core.options.rcv_settle_mode = mode;
    }

    /// Sets the seed from which the delays between attempts are varied, so that a run can be repeated.
    /// By default it is random.
    pub const fn set_reconnect_seed(&mut self, seed: u64) {
        self.core.set_jitter(seed);
    }

    /// Where else an address may be found, by host and port: `others` are tried in turn if it
    /// fails. They speak the same scheme, and get the same user and password. Replaces what was set for
    /// the address before; concerns connections made from then on.
    ///
    /// # Errors
    /// [`Error::InvalidAddress`](crate::Error::InvalidAddress) if one of them cannot be understood, or says
    /// more than a host and a port: user, password, name, `~` or another scheme. Nothing is set then.
    pub fn set_alternatives<'a>(
        &mut self,
        address: &str,
        others: impl IntoIterator<Item = &'a str>,
    ) -> Result<()> {
        let others: Vec<&str> = others.into_iter().collect();
        self.core.set_alternatives(address, &others)
    }

    /// The next thing that happened to a connection that this messenger made, to links that were
    /// [recovered](LinkRecovery), whoever made their connection, or a peer that [receives](ConnectionEvent::Subscribed). The
    /// newest 1,024 are kept, and all peers that still receive.
    pub fn poll_connection_event(&mut self) -> Option<ConnectionEvent> {
        self.core.next_connection_event()
    }

    /// Starts or stops keeping a readable line for every frame; see [`poll_trace`](Self::poll_trace).
    pub fn set_tracing(&mut self, on: bool) {
        self.core.set_tracing(on);
    }

    /// The next line of the trace: the peer, then `channel -> @performative(..) [..]`. The newest 16,384 are kept: of more the
    /// oldest are dropped.
    pub fn poll_trace(&mut self) -> Option<String> {
        self.core.next_trace()
    }

    /// The next thing that is not as it should be, though nothing failed. The oldest 256 are kept that nobody has asked for: what
    /// comes after them is dropped.
    pub fn poll_warning(&mut self) -> Option<String> {
        self.core.next_warning()
    }
}
