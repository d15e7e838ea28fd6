//! The nine performatives (2.7) and the types they use (2.8).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::messaging::Source;
use super::state::{DeliveryState, TargetArchetype};
use super::tag::Tag;
use crate::codec::{Fields, Str, Symbol, choice, composite};

choice! {
    /// Which end of a link an endpoint is (2.8.1).
    #[derive(PartialOrd, Ord)]
    pub enum Role: bool as "role" {
        /// Sends messages.
        Sender = false, "sender";
        /// Receives messages.
        Receiver = true, "receiver";
    }
}

impl Role {
    /// The other end.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Sender => Self::Receiver,
            Self::Receiver => Self::Sender,
        }
    }
}

choice! {
    /// Whether a sender settles its deliveries when it sends them (2.8.2).
    #[derive(Default)]
    pub enum SenderSettleMode: u8 as "sender-settle-mode" {
        /// All deliveries are sent unsettled.
        Unsettled = 0, "unsettled";
        /// All deliveries are sent settled.
        Settled = 1, "settled";
        /// Either, per delivery.
        #[default]
        Mixed = 2, "mixed";
    }
}

choice! {
    /// Who settles first (2.8.3).
    #[derive(Default)]
    pub enum ReceiverSettleMode: u8 as "receiver-settle-mode" {
        /// The receiver settles with its outcome.
        #[default]
        First = 0, "first";
        /// The receiver settles after the sender has settled.
        Second = 1, "second";
    }
}

composite! {
    /// Negotiates the connection (2.7.1).
    pub struct Open: "amqp:open:list" = 0x10 {
        /// The container the sender of this is.
        container_id: Str = "container-id" "string" mandatory,
        /// The host the sender wants to reach.
        hostname: Option<Str> = "hostname" "string" optional,
        /// The largest frame the sender accepts, in octets.
        max_frame_size: u32 = "max-frame-size" "uint" default(u32::MAX, "4294967295"),
        /// The highest channel number that may be used.
        channel_max: u16 = "channel-max" "ushort" default(u16::MAX, "65535"),
        /// Milliseconds without a frame after which the sender gives up; absent and 0 mean never.
        idle_time_out: Option<u32> = "idle-time-out" "milliseconds" optional,
        /// Languages the sender can write its texts in.
        outgoing_locales: Vec<Symbol> = "outgoing-locales" "ietf-language-tag" multiple,
        /// Languages the sender wants to read, the best first.
        incoming_locales: Vec<Symbol> = "incoming-locales" "ietf-language-tag" multiple,
        /// Extensions the sender supports.
        offered_capabilities: Vec<Symbol> = "offered-capabilities" "symbol" multiple,
        /// Extensions the sender would use.
        desired_capabilities: Vec<Symbol> = "desired-capabilities" "symbol" multiple,
        /// What the sender says about itself.
        properties: Option<Fields> = "properties" "fields" optional,
    }
}

composite! {
    /// Begins a session on a channel (2.7.2).
    pub struct Begin: "amqp:begin:list" = 0x11 {
        /// The channel of the begin that this one answers.
        remote_channel: Option<u16> = "remote-channel" "ushort" optional,
        /// The transfer-id of the first transfer the sender will send.
        next_outgoing_id: u32 = "next-outgoing-id" "transfer-number" mandatory,
        /// Transfers the sender can take in.
        incoming_window: u32 = "incoming-window" "uint" mandatory,
        /// Transfers the sender may send.
        outgoing_window: u32 = "outgoing-window" "uint" mandatory,
        /// The highest handle that may be used.
        handle_max: u32 = "handle-max" "handle" default(u32::MAX, "4294967295"),
        /// Extensions the sender supports.
        offered_capabilities: Vec<Symbol> = "offered-capabilities" "symbol" multiple,
        /// Extensions the sender would use.
        desired_capabilities: Vec<Symbol> = "desired-capabilities" "symbol" multiple,
        /// Properties of the session.
        properties: Option<Fields> = "properties" "fields" optional,
    }
}

composite! {
    /// Attaches a link to a session (2.7.3).
    pub struct Attach: "amqp:attach:list" = 0x12 {
        /// The name of the link.
        name: Str = "name" "string" mandatory,
        /// The number of the link on this session, of the sender of this.
        handle: u32 = "handle" "handle" mandatory,
        /// The end of the link that the sender of this is.
        role: Role = "role" "role" mandatory,
        /// When the sending end settles.
        snd_settle_mode: SenderSettleMode = "snd-settle-mode" "sender-settle-mode" default(SenderSettleMode::Mixed, "mixed"),
        /// When the receiving end settles.
        rcv_settle_mode: ReceiverSettleMode = "rcv-settle-mode" "receiver-settle-mode" default(ReceiverSettleMode::First, "first"),
        /// Where messages come from. Absent: the link is refused.
        source: Option<Box<Source>> = "source" "*" optional,
        /// Where messages go. Absent: the link is refused.
        target: Option<Box<TargetArchetype>> = "target" "*" optional,
        /// Delivery-tags that are not settled, with their states; for a link that resumes.
        unsettled: Option<Fields> = "unsettled" "map" optional,
        /// Whether `unsettled` is only a part of the whole.
        incomplete_unsettled: bool = "incomplete-unsettled" "boolean" default(false, "false"),
        /// The delivery-count the sending end starts from; of a sender it is mandatory (2.7.3).
        initial_delivery_count: Option<u32> = "initial-delivery-count" "sequence-no" optional,
        /// The largest message, in octets; absent and 0 mean any.
        max_message_size: Option<u64> = "max-message-size" "ulong" optional,
        /// Extensions the sender of this supports.
        offered_capabilities: Vec<Symbol> = "offered-capabilities" "symbol" multiple,
        /// Extensions the sender of this would use.
        desired_capabilities: Vec<Symbol> = "desired-capabilities" "symbol" multiple,
        /// Properties of the link.
        properties: Option<Fields> = "properties" "fields" optional,
    }
}

composite! {
    /// Updates the flow state of a session, and of a link if it has a handle (2.7.4).
    pub struct Flow: "amqp:flow:list" = 0x13 {
        /// The transfer-id the sender expects next; absent before it has seen the peer's begin.
        next_incoming_id: Option<u32> = "next-incoming-id" "transfer-number" optional,
        /// Transfers the sender can take in.
        incoming_window: u32 = "incoming-window" "uint" mandatory,
        /// The transfer-id the sender gives out next.
        next_outgoing_id: u32 = "next-outgoing-id" "transfer-number" mandatory,
        /// Transfers the sender may send.
        outgoing_window: u32 = "outgoing-window" "uint" mandatory,
        /// The link the fields below are about.
        handle: Option<u32> = "handle" "handle" optional,
        /// Deliveries so far.
        delivery_count: Option<u32> = "delivery-count" "sequence-no" optional,
        /// Messages that can be received.
        link_credit: Option<u32> = "link-credit" "uint" optional,
        /// Messages that wait at the sending end.
        available: Option<u32> = "available" "uint" optional,
        /// Whether credit is to be used up or given back.
        drain: bool = "drain" "boolean" default(false, "false"),
        /// Whether a flow is asked for in answer.
        echo: bool = "echo" "boolean" default(false, "false"),
        /// Properties of the link state.
        properties: Option<Fields> = "properties" "fields" optional,
    }
}

composite! {
    /// Carries a message or a part of one (2.7.5).
    pub struct Transfer: "amqp:transfer:list" = 0x14 {
        /// The link.
        handle: u32 = "handle" "handle" mandatory,
        /// The delivery; may be absent on all transfers of a delivery but the first.
        delivery_id: Option<u32> = "delivery-id" "delivery-number" optional,
        /// The delivery's name, unique among those not settled on this link.
        delivery_tag: Option<Tag> = "delivery-tag" "delivery-tag" optional,
        /// The format of the message; 0 is that of part 3.
        message_format: Option<u32> = "message-format" "message-format" optional,
        /// Whether the sender has settled the delivery.
        settled: Option<bool> = "settled" "boolean" optional,
        /// Whether more transfers of this delivery follow.
        more: bool = "more" "boolean" default(false, "false"),
        /// Overrides the link's mode for this delivery.
        rcv_settle_mode: Option<ReceiverSettleMode> = "rcv-settle-mode" "receiver-settle-mode" optional,
        /// The state of the delivery at the sender.
        state: Option<DeliveryState> = "state" "*" optional,
        /// Whether this resumes a delivery of before.
        resume: bool = "resume" "boolean" default(false, "false"),
        /// Whether the delivery is called off.
        aborted: bool = "aborted" "boolean" default(false, "false"),
        /// Whether an answer may wait for others to join it.
        batchable: bool = "batchable" "boolean" default(false, "false"),
    }
}

composite! {
    /// Tells the peer about states of deliveries (2.7.6).
    pub struct Disposition: "amqp:disposition:list" = 0x15 {
        /// The end of the link that the sender of this is.
        role: Role = "role" "role" mandatory,
        /// The first delivery.
        first: u32 = "first" "delivery-number" mandatory,
        /// The last delivery; absent: `first` alone.
        last: Option<u32> = "last" "delivery-number" optional,
        /// Whether the sender has settled them.
        settled: bool = "settled" "boolean" default(false, "false"),
        /// Their state at the sender.
        state: Option<DeliveryState> = "state" "*" optional,
        /// Whether an answer may wait for others to join it.
        batchable: bool = "batchable" "boolean" default(false, "false"),
    }
}

composite! {
    /// Detaches a link from its session (2.7.7).
    pub struct Detach: "amqp:detach:list" = 0x16 {
        /// The link.
        handle: u32 = "handle" "handle" mandatory,
        /// Whether the link ends for good.
        closed: bool = "closed" "boolean" default(false, "false"),
        /// Why, if something went wrong.
        error: Option<Condition> = "error" "error" optional,
    }
}

composite! {
    /// Ends a session (2.7.8).
    pub struct End: "amqp:end:list" = 0x17 {
        /// Why, if something went wrong.
        error: Option<Condition> = "error" "error" optional,
    }
}

composite! {
    /// Closes the connection (2.7.9).
    pub struct Close: "amqp:close:list" = 0x18 {
        /// Why, if something went wrong.
        error: Option<Condition> = "error" "error" optional,
    }
}

composite! {
    /// What went wrong: the specification's type "error" (2.8.14). The values of `condition` are in
    /// [`conditions`](super::conditions).
    pub struct Condition: "amqp:error:list" = 0x1d, shown as Condition::without_secrets {
        /// The kind, for programs.
        condition: Symbol = "condition" "symbol" mandatory,
        /// The details, for people.
        description: Option<Str> = "description" "string" optional,
        /// More, for programs that know the condition.
        info: Option<Fields> = "info" "fields" optional,
    }
}

impl Condition {
    /// A condition with a text for people.
    pub fn with_description(condition: Symbol, description: impl Into<Str>) -> Self {
        Self {
            condition,
            description: Some(description.into()),
            info: None,
        }
    }
}
