//! Every bound that a peer could push against, in one place.

/// What one engine will hold or wait for at most. Every limit has a default that suits a server.
///
/// Two more are told to the peer, and so are in [`Config`](crate::Config): the largest frame
/// ([`max_frame_size`](crate::Config::max_frame_size), of which 512 octets are taken before open was exchanged, 2.4.1) and
/// the number of sessions ([`channel_max`](crate::Config::channel_max)); and so is what of a session may wait for the
/// application ([`SessionConfig::incoming_octets`](crate::SessionConfig::incoming_octets)), which closes its window instead
/// of ending anything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Milliseconds from the first moment (`now`) that the engine is given until the peer's open must
    /// have arrived; also how long the engine waits for the answer to its own close, and for a peer to read that is
    /// [not heard](crate::Engine::is_blocked) until it does.
    /// Default 30,000. 0 means without limit.
    pub handshake_time: u64,
    /// Octets that may come until the peer's open has: headers, SASL, and open itself, and whatever comes while a
    /// [`sasl_request`](crate::Engine::sasl_request) waits for its answer. Beyond it the connection ends, with
    /// `amqp:resource-limit-exceeded` if AMQP has begun. Default 16,384; what
    /// [`sasl_frame_size`](Self::sasl_frame_size) exceeds its least by is added to it.
    pub octets_before_open: u32,
    /// Levels to which values may be nested in a frame (not in the messages, of which the engine reads nothing); deeper is
    /// `amqp:decode-error` of what the frame is about. Default 32, which is also the most; before open never more than 8.
    pub nesting_depth: u32,
    /// Array elements in one frame that have no octets of their own, as null, true or 0 have none; more is
    /// `amqp:decode-error` of what the frame is about. Default 65,536.
    pub zero_width_elements: u32,
    /// Octets of one list, map or array in a frame, the list of its fields among them; more is `amqp:decode-error` of what
    /// the frame is about. Default 1 MiB. Less than 256 counts as 255.
    pub compound_octets: u32,
    /// Octets of one string, symbol or binary in a frame's fields; more is `amqp:decode-error` of what the frame is about.
    /// Default 65,536. Less than 256 counts as 255.
    pub field_octets: u32,
    /// Links that may exist on one session (both roles together, until the caller was told of their
    /// end); beyond it the session ends with `amqp:resource-limit-exceeded`. Default 65,536. Also
    /// advertised as handle-max; a handle beyond that closes the connection (2.7.2).
    pub links_per_session: u32,
    /// Octets of one incoming delivery that are buffered until it is complete; beyond it the link is
    /// detached with `amqp:link:message-size-exceeded`. Default 256 MiB. More than `partial_octets`, `link_octets` or
    /// `connection_octets` allow does not come of raising this alone.
    pub delivery_octets: u64,
    /// Octets of all incoming deliveries of one session together that are buffered until they are
    /// complete, each transfer counted as 64 octets more than its payload; beyond it the link whose
    /// transfer it was is detached with `amqp:resource-limit-exceeded`. Deliveries that are
    /// [read while they come](crate::Receiver::set_streaming) do not count: the session's window
    /// bounds them. Default 512 MiB; less than `delivery_octets` makes that useless, and more than `link_octets` and
    /// `connection_octets` allow is never reached.
    pub partial_octets: u64,
    /// Octets of all incoming deliveries of one link together that wait here, complete or not; beyond it the link is
    /// detached with `amqp:resource-limit-exceeded`. A session's window ([`incoming_octets`](crate::SessionConfig::incoming_octets))
    /// closes before, unless this is less. Default 512 MiB.
    pub link_octets: u64,
    /// Octets of everything that the peer makes this engine hold: its sessions and links with what they said when they
    /// began, deliveries that wait or are not settled, each counted as what it costs, about. Beyond it the link whose
    /// transfer it was is detached, the session with one link more ended, or the connection with one session more closed,
    /// all with `amqp:resource-limit-exceeded`. Default 1 GiB.
    ///
    /// Windows do not know of each other: sixteen sessions whose windows of
    /// [`incoming_octets`](crate::SessionConfig::incoming_octets) are full, at the defaults, are all that fits, and a peer
    /// that fills those of more has a link detached though it kept to each. A program that is slow to take what comes on
    /// many sessions lowers the windows, the number of sessions, or raises this.
    pub connection_octets: u64,
    /// Transfers without payload in one incoming delivery, which cost memory and bring nothing;
    /// beyond it the link is detached with `amqp:resource-limit-exceeded`. Default 1,024.
    pub empty_transfers: u32,
    /// Incoming deliveries of one session that wait to be settled; beyond it the link whose delivery it was is detached with
    /// `amqp:resource-limit-exceeded`. Default 2,097,152.
    pub unsettled_per_session: u32,
    /// Times that the peer may tell a state of deliveries of a session without settling them, on the average of those that
    /// the session carried unsettled, in each direction. A state of more than 64 octets counts twice, as its deliveries are first
    /// looked at for whether there is room for it. 16 deliveries beside that are free with each disposition, so that a receiver may
    /// name all it has not settled with each of its dispositions for as long as that is few, and 4,096 deliveries count as if
    /// they had been there; no more is saved up than those pay for that are there. Beyond it the session ends with
    /// `amqp:resource-limit-exceeded`. Default 16, where receivers that settle second tell a state once or twice.
    pub states_per_delivery: u32,
    /// Octets of output at which the engine stops encoding transfers until some are taken. Of payloads that are
    /// [chained](Self::chain_octets), and so in memory anyway, a quarter counts while they have less than 32 KiB. Default 65,536.
    pub output_octets: usize,
    /// Octets of output at which the engine stops encoding anything but a close until some are taken, counted likewise.
    /// Default 262,144.
    pub control_octets: usize,
    /// Replies to the peer that wait because of that (begins, attaches, detaches and ends), beside one for each link
    /// that there is and each session that the peer has not ended, at which nothing more is taken from the peer either, until it has read some: see
    /// [`Engine::is_blocked`](crate::Engine::is_blocked). Default 16,384.
    pub pending_replies: u32,
    /// Payloads of at least this many octets are chained into the output instead of copied.
    /// Default 4,096.
    pub chain_octets: usize,
    /// Octets of one SASL frame, in both directions; a larger one ends the connection. The specification's 512 (5.3.1) is
    /// too little for large tokens: raise it at both sides. Default 512, which is also the least.
    pub sasl_frame_size: u32,
    /// Challenges that a server, or responses that a client, may send; one more ends the exchange. Default 16.
    pub sasl_rounds: u32,
    /// Iterations of SCRAM that a server may ask a client to compute; for more the client gives up. A million take about a
    /// second. Default 600,000.
    pub scram_iterations: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake_time: 30_000,
            octets_before_open: 16 << 10,
            nesting_depth: 32,
            zero_width_elements: 64 << 10,
            compound_octets: 1 << 20,
            field_octets: 64 << 10,
            links_per_session: 65_536,
            delivery_octets: 256 << 20,
            partial_octets: 512 << 20,
            link_octets: 512 << 20,
            connection_octets: 1 << 30,
            empty_transfers: 1024,
            unsettled_per_session: 2 << 20,
            states_per_delivery: 16,
            output_octets: 64 << 10,
            control_octets: 256 << 10,
            pending_replies: 16 << 10,
            chain_octets: 4 << 10,
            sasl_frame_size: 512,
            sasl_rounds: 16,
            scram_iterations: 600_000,
        }
    }
}
