//! What both sides said of a link when they attached it (2.7.3).

use alloc::boxed::Box;

use crate::codec::Str;
use crate::config::LinkConfig;
use crate::protocol::{
    Attach, DeliveryState, KeptAttach, ReceiverSettleMode, Role, SenderSettleMode,
};

/// What is in force on a link, and what it follows from.
///
/// There can be very many links, and few ask for their termini once they are attached. So what each message needs is
/// kept as it is needed, and all of it as octets.
#[derive(Debug)]
pub(crate) struct Terms {
    ours: Ours,
    theirs: Option<KeptAttach>,
    /// What the sending side says (2.8.2).
    pub(crate) snd_settle_mode: SenderSettleMode,
    /// What the receiving side says (2.8.3).
    pub(crate) rcv_settle_mode: ReceiverSettleMode,
    /// Whether what is not settled is to outlive the endpoint.
    pub(crate) recoverable: bool,
    /// The peer answered our attach without a terminus of its own: it will detach (2.6.3).
    pub(crate) is_refused: bool,
    /// What becomes of a delivery that is settled without an outcome (3.5.3).
    pub(crate) default_outcome: Option<DeliveryState>,
    /// The largest message that the peer was told we take.
    pub(crate) largest: u64,
    /// The largest message that the peer takes.
    pub(crate) remote_largest: u64,
}

/// What this side says.
#[derive(Debug)]
enum Ours {
    /// It has not been said yet.
    Planned(Box<LinkConfig>),
    /// It has been.
    Said(KeptAttach),
}

impl Terms {
    pub(crate) fn new(config: LinkConfig) -> Self {
        Self {
            snd_settle_mode: config.snd_settle_mode,
            rcv_settle_mode: config.rcv_settle_mode,
            recoverable: config.recoverable,
            is_refused: false,
            default_outcome: default_outcome(&config),
            largest: octets(config.max_message_size),
            remote_largest: u64::MAX,
            ours: Ours::Planned(Box::new(config)),
            theirs: None,
        }
    }

    /// This is what our side, of this role, will attach with.
    pub(crate) fn plan(&mut self, role: Role, config: LinkConfig) {
        match role {
            Role::Sender => self.snd_settle_mode = config.snd_settle_mode,
            Role::Receiver => self.rcv_settle_mode = config.rcv_settle_mode,
        }
        self.recoverable = config.recoverable;
        self.default_outcome = default_outcome(&config);
        self.largest = octets(config.max_message_size);
        self.ours = Ours::Planned(Box::new(config));
    }

    /// Our attach was written.
    pub(crate) fn said(&mut self, role: Role) {
        if let Ours::Planned(config) = &self.ours {
            let mut attach = attach(config, role, 0);
            attach.initial_delivery_count = Some(config.initial_delivery_count);
            self.ours = Ours::Said(KeptAttach::new(&attach));
        }
    }

    /// The peer attached.
    pub(crate) fn hear(&mut self, attach: &Attach) {
        match attach.role {
            Role::Sender => self.snd_settle_mode = attach.snd_settle_mode,
            Role::Receiver => self.rcv_settle_mode = attach.rcv_settle_mode,
        }
        self.is_refused = match attach.role {
            Role::Sender => attach.source.is_none(),
            Role::Receiver => attach.target.is_none(),
        };
        self.remote_largest = octets(attach.max_message_size);
        self.theirs = Some(KeptAttach::new(attach));
    }

    /// The name of the link.
    pub(crate) fn name(&self) -> Str {
        match &self.ours {
            Ours::Planned(config) => config.name.clone(),
            Ours::Said(kept) => kept.name(),
        }
    }

    /// What this side attaches or attached with.
    pub(crate) fn config(&self) -> LinkConfig {
        let kept = match &self.ours {
            Ours::Planned(config) => return (**config).clone(),
            Ours::Said(kept) => kept,
        };
        let attach = kept.attach();
        LinkConfig {
            name: attach.name,
            source: attach.source,
            target: attach.target,
            snd_settle_mode: attach.snd_settle_mode,
            rcv_settle_mode: attach.rcv_settle_mode,
            max_message_size: attach.max_message_size,
            initial_delivery_count: attach.initial_delivery_count.unwrap_or_default(),
            recoverable: self.recoverable,
            offered_capabilities: attach.offered_capabilities,
            desired_capabilities: attach.desired_capabilities,
            properties: attach.properties,
        }
    }

    /// The attach that says it, of an endpoint with this role and handle.
    pub(crate) fn attach(&self, role: Role, handle: u32) -> Attach {
        match &self.ours {
            Ours::Planned(config) => attach(config, role, handle),
            Ours::Said(_) => attach(&self.config(), role, handle),
        }
    }

    /// The peer's attach, once it has come.
    pub(crate) fn remote(&self) -> Option<Attach> {
        Some(self.theirs.as_ref()?.attach())
    }
}

fn attach(config: &LinkConfig, role: Role, handle: u32) -> Attach {
    let mut attach = Attach::new(config.name.clone(), handle, role);
    attach.snd_settle_mode = config.snd_settle_mode;
    attach.rcv_settle_mode = config.rcv_settle_mode;
    attach.source.clone_from(&config.source);
    attach.target.clone_from(&config.target);
    attach.max_message_size = config.max_message_size;
    attach
        .offered_capabilities
        .clone_from(&config.offered_capabilities);
    attach
        .desired_capabilities
        .clone_from(&config.desired_capabilities);
    attach.properties.clone_from(&config.properties);
    if role == Role::Sender {
        attach.initial_delivery_count = Some(config.initial_delivery_count);
    }
    attach
}

fn default_outcome(config: &LinkConfig) -> Option<DeliveryState> {
    config.source.as_ref()?.default_outcome.clone()
}

/// How large a message can be; absent, and on the wire also 0, is any size.
fn octets(max_message_size: Option<u64>) -> u64 {
    match max_message_size {
        None | Some(0) => u64::MAX,
        Some(size) => size,
    }
}
