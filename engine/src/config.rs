//! What an engine, a session, a link and a delivery are told when they are made.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::codec::{Fields, Str, Symbol};
use crate::limits::Limits;
use crate::protocol::{
    DeliveryState, ReceiverSettleMode, SenderSettleMode, Source, Target, TargetArchetype,
};
use crate::sasl::SaslConfig;

/// How an [`Engine`](crate::Engine) presents itself and what it allows (2.7.1).
///
/// ```
/// use ferrion_engine::{Config, sasl::{SaslClient, SaslConfig}};
/// let mut config = Config::new("client-1");
/// config.hostname = Some("broker.example".into());
/// config.sasl = SaslConfig::Client(SaslClient::anonymous());
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// The name of this container; the peer may use it to find it again.
    pub container_id: Str,
    /// The host the client wants to talk to, for servers that have many.
    pub hostname: Option<Str>,
    /// The largest frame taken, in octets including its header; at least 512. Default 65,536.
    pub max_frame_size: u32,
    /// The highest channel number taken; one less than the number of sessions. Default 1,023.
    pub channel_max: u16,
    /// Milliseconds of silence after which the peer is given up; half of it is advertised (2.4.5).
    /// `None` (the default) waits for ever. A peer that cannot write something so often closes the connection: this engine
    /// does, with `amqp:not-implemented`, if it is asked for less than 100 ms, so that between two of it this is 200 or more.
    pub idle_time_out: Option<u32>,
    /// Extensions offered to the peer.
    pub offered_capabilities: Vec<Symbol>,
    /// Extensions that will be used if the peer offers them.
    pub desired_capabilities: Vec<Symbol>,
    /// Connection properties.
    pub properties: Option<Fields>,
    /// Whether and how to authenticate.
    pub sasl: SaslConfig,
    /// Bounds on what a peer can make this engine hold or wait for.
    pub limits: Limits,
    /// Send begin, attach and flow without waiting for the peer's open. Default true.
    pub pipelined: bool,
    /// End a session when its peer sends anything but the detach for a link that this side detached with
    /// an error, as 2.6.5 has it. Default false: it is ignored. What was under way when the link
    /// failed looks the same as what was sent after, so that with this every fault of a busy link
    /// becomes one of its session.
    pub ends_errant_sessions: bool,
}

impl Config {
    /// A configuration with defaults for everything but the name.
    pub fn new(container_id: impl Into<Str>) -> Self {
        Self {
            container_id: container_id.into(),
            hostname: None,
            max_frame_size: 65_536,
            channel_max: 1023,
            idle_time_out: None,
            offered_capabilities: Vec::new(),
            desired_capabilities: Vec::new(),
            properties: None,
            sasl: SaslConfig::None,
            limits: Limits::default(),
            pipelined: true,
            ends_errant_sessions: false,
        }
    }
}

/// How a session is begun, or a peer's begin answered (2.7.2).
#[derive(Clone, Debug, PartialEq)]
pub struct SessionConfig {
    /// Transfer frames that the peer may send before the application takes deliveries. Default 2,048.
    pub incoming_window: u32,
    /// Octets of payload that may wait for the application before the window closes, whatever it is in
    /// frames. Default 64 MiB.
    pub incoming_octets: u64,
    /// The transfer-id that this side starts from. Default 0.
    pub next_outgoing_id: u32,
    /// Extensions offered to the peer.
    pub offered_capabilities: Vec<Symbol>,
    /// Extensions that will be used if the peer offers them.
    pub desired_capabilities: Vec<Symbol>,
    /// Session properties.
    pub properties: Option<Fields>,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            incoming_window: 2048,
            incoming_octets: 64 << 20,
            next_outgoing_id: 0,
            offered_capabilities: Vec::new(),
            desired_capabilities: Vec::new(),
            properties: None,
        }
    }
}

/// How a link is attached, or a peer's attach answered (2.7.3).
#[derive(Clone, Debug, PartialEq)]
pub struct LinkConfig {
    /// Unique among the links of this role between the two containers.
    pub name: Str,
    /// Where the messages come from. `None` in an answer refuses the link.
    pub source: Option<Box<Source>>,
    /// Where the messages go. `None` in an answer refuses the link.
    pub target: Option<Box<TargetArchetype>>,
    /// Whether the sender settles before, after, or as it likes. Default mixed.
    pub snd_settle_mode: SenderSettleMode,
    /// Whether the receiver settles first or second. Default first.
    pub rcv_settle_mode: ReceiverSettleMode,
    /// The largest message taken, in octets over all sections; `None` for any.
    pub max_message_size: Option<u64>,
    /// The delivery-count a sender starts from. Default 0.
    pub initial_delivery_count: u32,
    /// Keep what the link needs to be recovered after it was suspended or its connection lost: what was
    /// sent until it is settled, and what arrived of deliveries that are not complete. See
    /// [`LinkState`](crate::LinkState). Default false.
    pub recoverable: bool,
    /// Extensions offered to the peer.
    pub offered_capabilities: Vec<Symbol>,
    /// Extensions that will be used if the peer offers them.
    pub desired_capabilities: Vec<Symbol>,
    /// Link properties.
    pub properties: Option<Fields>,
}

impl LinkConfig {
    /// A sender of this name to `address` at the peer.
    pub fn sender(name: impl Into<Str>, address: impl Into<Str>) -> Self {
        let target = Target {
            address: Some(address.into()),
            ..Target::default()
        };
        Self::new(name, Source::default(), target)
    }

    /// A receiver of this name from `address` at the peer.
    pub fn receiver(name: impl Into<Str>, address: impl Into<Str>) -> Self {
        let source = Source {
            address: Some(address.into()),
            default_outcome: Some(DeliveryState::Released),
            ..Source::default()
        };
        Self::new(name, source, Target::default())
    }

    /// A link between these termini.
    pub fn new(name: impl Into<Str>, source: Source, target: Target) -> Self {
        Self {
            name: name.into(),
            source: Some(Box::new(source)),
            target: Some(Box::new(TargetArchetype::Target(target))),
            snd_settle_mode: SenderSettleMode::Mixed,
            rcv_settle_mode: ReceiverSettleMode::First,
            max_message_size: None,
            initial_delivery_count: 0,
            recoverable: false,
            offered_capabilities: Vec::new(),
            desired_capabilities: Vec::new(),
            properties: None,
        }
    }
}

/// How a message is sent, where the defaults do not do (2.7.5).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SendOptions {
    /// The format of the payload (2.8.11); 0 is an AMQP message.
    pub message_format: u32,
    /// Whether the delivery is settled by being sent: then there will be no outcome.
    pub settled: bool,
    /// Its state here, said on every transfer of it: that it belongs to a transaction (4.4.1), for example.
    /// Not [`Received`](DeliveryState::Received), which is for deliveries that are resumed (3.4.1).
    ///
    /// If the link is recovered, what belongs to a transaction is not sent again outside of it. An outcome is not held
    /// against the delivery: it is resumed or sent again as any other, without the state.
    pub state: Option<DeliveryState>,
    /// A hint that the receiver need not hurry to tell its outcome, so that it can tell that of many at once (2.7.5).
    pub batchable: bool,
}

impl SendOptions {
    /// An AMQP message that is settled by being sent.
    #[must_use]
    pub fn settled() -> Self {
        Self {
            settled: true,
            ..Self::default()
        }
    }
}
