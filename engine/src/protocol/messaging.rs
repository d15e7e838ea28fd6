//! Termini, delivery states and lifetime policies (3.4, 3.5).

use alloc::vec::Vec;

use super::state::DeliveryState;
use super::transport::Condition;
use crate::codec::{Fields, Str, Symbol, choice, composite};

choice! {
    /// What of a terminus survives the loss of its container (3.5.5).
    #[derive(Default)]
    pub enum TerminusDurability: u32 as "terminus-durability" {
        /// Nothing.
        #[default]
        None = 0, "none";
        /// That it exists, and its configuration.
        Configuration = 1, "configuration";
        /// Its unsettled deliveries too.
        UnsettledState = 2, "unsettled-state";
    }
}

choice! {
    /// When the time-out of a terminus begins to run (3.5.6).
    #[derive(Default)]
    pub enum TerminusExpiryPolicy: symbol as "terminus-expiry-policy" {
        /// When the link detaches.
        LinkDetach, "link-detach";
        /// When the last session with the link ends.
        #[default]
        SessionEnd, "session-end";
        /// When the last connection with the link closes.
        ConnectionClose, "connection-close";
        /// Never.
        Never, "never";
    }
}

choice! {
    /// The distribution modes that the specification defines (3.5.7). The field takes any symbol: see [`symbol`](Self::symbol).
    pub enum StdDistMode: symbol as "std-dist-mode" {
        /// A message that is sent is no longer there for others.
        Move, "move";
        /// A message that is sent stays for others.
        Copy, "copy";
    }
}

composite! {
    /// Where the messages of a link come from (3.5.3).
    pub struct Source: "amqp:source:list" = 0x28 {
        /// The address of the node. The standard defines addresses as strings; one of another type is refused.
        address: Option<Str> = "address" "*" optional,
        /// What survives the loss of the container.
        durable: TerminusDurability = "durable" "terminus-durability" default(TerminusDurability::None, "none"),
        /// When `timeout` begins to run.
        expiry_policy: TerminusExpiryPolicy = "expiry-policy" "terminus-expiry-policy"
            default(TerminusExpiryPolicy::SessionEnd, "session-end"),
        /// Seconds the terminus is kept.
        timeout: u32 = "timeout" "seconds" default(0, "0"),
        /// Whether the peer is to make a node and tell its address.
        dynamic: bool = "dynamic" "boolean" default(false, "false"),
        /// Properties of the node to make.
        dynamic_node_properties: Option<Fields> = "dynamic-node-properties" "node-properties" optional,
        /// Whether messages move or are copied, mostly a [`StdDistMode`].
        distribution_mode: Option<Symbol> = "distribution-mode" "symbol" optional,
        /// Which messages are let onto the link.
        filter: Option<Fields> = "filter" "filter-set" optional,
        /// The outcome of a delivery that is settled without one.
        default_outcome: Option<DeliveryState> = "default-outcome" "*" optional,
        /// Descriptors of the outcomes that may be chosen.
        outcomes: Vec<Symbol> = "outcomes" "symbol" multiple,
        /// Extensions.
        capabilities: Vec<Symbol> = "capabilities" "symbol" multiple,
    }
}

impl Source {
    /// A source with this address.
    pub fn with_address(address: impl Into<Str>) -> Self {
        Self {
            address: Some(address.into()),
            ..Self::default()
        }
    }
}

composite! {
    /// Where the messages of a link go (3.5.4).
    pub struct Target: "amqp:target:list" = 0x29 {
        /// The address of the node; absent: each message says where it goes. A string, as for [`Source`].
        address: Option<Str> = "address" "*" optional,
        /// What survives the loss of the container.
        durable: TerminusDurability = "durable" "terminus-durability" default(TerminusDurability::None, "none"),
        /// When `timeout` begins to run.
        expiry_policy: TerminusExpiryPolicy = "expiry-policy" "terminus-expiry-policy"
            default(TerminusExpiryPolicy::SessionEnd, "session-end"),
        /// Seconds the terminus is kept.
        timeout: u32 = "timeout" "seconds" default(0, "0"),
        /// Whether the peer is to make a node and tell its address.
        dynamic: bool = "dynamic" "boolean" default(false, "false"),
        /// Properties of the node to make.
        dynamic_node_properties: Option<Fields> = "dynamic-node-properties" "node-properties" optional,
        /// Extensions.
        capabilities: Vec<Symbol> = "capabilities" "symbol" multiple,
    }
}

impl Target {
    /// A target with this address.
    pub fn with_address(address: impl Into<Str>) -> Self {
        Self {
            address: Some(address.into()),
            ..Self::default()
        }
    }
}

composite! {
    /// How much of a message the receiver has got (3.4.1).
    pub struct Received: "amqp:received:list" = 0x23 {
        /// The section the receiver is at, from 0.
        section_number: u32 = "section-number" "uint" mandatory,
        /// The octets it has of that section.
        section_offset: u64 = "section-offset" "ulong" mandatory,
    }
}

composite! {
    /// The receiver has taken the message over (3.4.2).
    pub struct Accepted: "amqp:accepted:list" = 0x24 {}
}

composite! {
    /// The message is not valid and cannot be processed (3.4.3).
    pub struct Rejected: "amqp:rejected:list" = 0x25 {
        /// What is wrong with it.
        error: Option<Condition> = "error" "error" optional,
    }
}

composite! {
    /// The message was not, and will not be, acted upon (3.4.4).
    pub struct Released: "amqp:released:list" = 0x26 {}
}

composite! {
    /// The message was not acted upon, and should be changed (3.4.5).
    pub struct Modified: "amqp:modified:list" = 0x27 {
        /// Whether this counts as a failed delivery.
        delivery_failed: Option<bool> = "delivery-failed" "boolean" optional,
        /// Whether the message must not come to this link again.
        undeliverable_here: Option<bool> = "undeliverable-here" "boolean" optional,
        /// Annotations to put onto the message.
        message_annotations: Option<Fields> = "message-annotations" "fields" optional,
    }
}

composite! {
    /// A dynamic node lives as long as the link that made it (3.5.10).
    pub struct DeleteOnClose: "amqp:delete-on-close:list" = 0x2b {}
}

composite! {
    /// A dynamic node lives as long as it has links (3.5.11).
    pub struct DeleteOnNoLinks: "amqp:delete-on-no-links:list" = 0x2c {}
}

composite! {
    /// A dynamic node lives as long as its link is there or it has messages (3.5.12).
    pub struct DeleteOnNoMessages: "amqp:delete-on-no-messages:list" = 0x2d {}
}

composite! {
    /// A dynamic node lives as long as it has links or messages (3.5.13).
    pub struct DeleteOnNoLinksOrMessages: "amqp:delete-on-no-links-or-messages:list" = 0x2e {}
}
