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
    /// The initial-delivery-count of ours.
    count: u32,
    theirs: Option<Theirs>,
    /// What the peer said, where that is not what we said.
    differs: Option<KeptAttach>,
    /// What the sending side says (2.8.2).
    pub(crate) snd_settle_mode: SenderSettleMode,
    /// What the receiving side says (2.8.3).
    pub(crate) rcv_settle_mode: ReceiverSettleMode,
    /// Whether what is not settled is to outlive the endpoint.
    pub(crate) recoverable: bool,
    /// The peer answered our attach without a terminus of its own: it will detach (2.6.3).
    pub(crate) is_refused: bool,
    /// What becomes of a delivery that is settled without an outcome (3.5.3).
    default_outcome: DefaultOutcome,
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

/// What the peer said that it has of its own.
#[derive(Clone, Copy, Debug)]
struct Theirs {
    handle: u32,
    count: Option<u32>,
}

/// The default outcome of our source, as far as it has no fields.
#[derive(Clone, Copy, Debug)]
enum DefaultOutcome {
    None,
    Accepted,
    Released,
    Other,
}

impl Terms {
    pub(crate) fn new(config: LinkConfig) -> Self {
        Self {
            snd_settle_mode: config.snd_settle_mode,
            rcv_settle_mode: config.rcv_settle_mode,
            recoverable: config.recoverable,
            is_refused: false,
            default_outcome: DefaultOutcome::of(&config),
            largest: octets(config.max_message_size),
            remote_largest: u64::MAX,
            count: config.initial_delivery_count,
            ours: Ours::Planned(Box::new(config)),
            theirs: None,
            differs: None,
        }
    }

    /// This is what our side, of this role, will attach with.
    pub(crate) fn plan(&mut self, role: Role, config: LinkConfig) {
        match role {
            Role::Sender => self.snd_settle_mode = config.snd_settle_mode,
            Role::Receiver => self.rcv_settle_mode = config.rcv_settle_mode,
        }
        self.recoverable = config.recoverable;
        self.default_outcome = DefaultOutcome::of(&config);
        self.largest = octets(config.max_message_size);
        self.count = config.initial_delivery_count;
        let before = core::mem::replace(&mut self.ours, Ours::Planned(Box::new(config)));
        if let (Some(_), None, Ours::Said(kept)) = (self.theirs, &self.differs, before) {
            self.differs = Some(kept);
        }
    }

    /// Our attach was written.
    pub(crate) fn said(&mut self) {
        if let Ours::Planned(config) = &self.ours {
            let kept = KeptAttach::new(attach(config, Role::Sender, 0));
            if self.differs.as_ref() == Some(&kept) {
                self.differs = None;
            }
            self.ours = Ours::Said(kept);
        }
    }

    /// The peer attached.
    pub(crate) fn hear(&mut self, attach: Attach) {
        match attach.role {
            Role::Sender => self.snd_settle_mode = attach.snd_settle_mode,
            Role::Receiver => self.rcv_settle_mode = attach.rcv_settle_mode,
        }
        self.is_refused = match attach.role {
            Role::Sender => attach.source.is_none(),
            Role::Receiver => attach.target.is_none(),
        };
        self.remote_largest = octets(attach.max_message_size);
        self.theirs = Some(Theirs {
            handle: attach.handle,
            count: attach.initial_delivery_count,
        });
        let kept = KeptAttach::new(attach);
        let same = matches!(&self.ours, Ours::Said(ours) if *ours == kept);
        self.differs = (!same).then_some(kept);
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
        let attach = kept.attach(Role::Sender, 0, None);
        LinkConfig {
            name: attach.name,
            source: attach.source,
            target: attach.target,
            snd_settle_mode: attach.snd_settle_mode,
            rcv_settle_mode: attach.rcv_settle_mode,
            max_message_size: attach.max_message_size,
            initial_delivery_count: self.count,
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

    /// The peer's attach, once it has come; this is its role.
    pub(crate) fn remote(&self, role: Role) -> Option<Attach> {
        let Theirs { handle, count } = self.theirs?;
        match (&self.differs, &self.ours) {
            (Some(kept), _) | (None, Ours::Said(kept)) => Some(kept.attach(role, handle, count)),
            (None, Ours::Planned(_)) => None,
        }
    }

    /// What becomes of a delivery that is settled without an outcome (3.5.3).
    pub(crate) fn default_outcome(&self) -> Option<DeliveryState> {
        match self.default_outcome {
            DefaultOutcome::None => None,
            DefaultOutcome::Accepted => Some(DeliveryState::Accepted),
            DefaultOutcome::Released => Some(DeliveryState::Released),
            DefaultOutcome::Other => self.config().source?.default_outcome,
        }
    }
}

impl DefaultOutcome {
    fn of(config: &LinkConfig) -> Self {
        let source = config.source.as_ref();
        match source.and_then(|source| source.default_outcome.as_ref()) {
            None => Self::None,
            Some(DeliveryState::Accepted) => Self::Accepted,
            Some(DeliveryState::Released) => Self::Released,
            Some(_) => Self::Other,
        }
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

/// How large a message can be; absent, and on the wire also 0, is any size.
fn octets(max_message_size: Option<u64>) -> u64 {
    match max_message_size {
        None | Some(0) => u64::MAX,
        Some(size) => size,
    }
}
