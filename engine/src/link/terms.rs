//! What both sides said of a link when they attached it (2.7.3).

use alloc::boxed::Box;

use crate::codec::Str;
use crate::config::LinkConfig;
use crate::protocol::{
    Attach, DeliveryState, KeptAttach, OwnAttach, ReceiverSettleMode, Role, Said, SenderSettleMode,
    Source, TargetArchetype,
};

/// What is in force on a link, and what it follows from.
///
/// There can be very many links, and few ask for their termini once they are attached. So what each message needs is
/// kept as it is needed, and all of it as octets.
#[derive(Debug)]
pub(crate) struct Terms {
    /// What this side says, or is going to.
    ours: KeptAttach,
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
    /// What this side says asks for a node, or tells of one that was made.
    pub(crate) has_dynamic_node: bool,
    /// What becomes of a delivery that is settled without an outcome (3.5.3).
    default_outcome: DefaultOutcome,
    /// The largest message that the peer was told we take.
    pub(crate) largest: u64,
    /// The largest message that the peer takes.
    pub(crate) remote_largest: u64,
}

/// What the peer said that it has of its own.
#[derive(Clone, Copy, Debug)]
struct Theirs {
    handle: u32,
    count: Option<u32>,
    /// It told of deliveries that are not settled, if only that there are none.
    remembers: bool,
}

/// The default outcome of our source. One with fields has octets of its own: each delivery that ends with it keeps a clone, which
/// shares them.
#[derive(Debug)]
enum DefaultOutcome {
    None,
    Accepted,
    Released,
    Other(Box<DeliveryState>),
}

impl Terms {
    /// Those of a link that this side attaches, or answers for.
    pub(crate) fn new(config: LinkConfig) -> Self {
        let (attach, recoverable, count) = attach(config);
        Self {
            recoverable,
            count,
            ..Self::of(&attach, KeptAttach::new(&attach))
        }
    }

    /// Those of the answer that repeats what the peer said: its attach, and the octets of its fields.
    pub(crate) fn repeating(attach: &Attach, list: &[u8]) -> Self {
        Self {
            largest: u64::MAX,
            ..Self::of(attach, Said::to_repeat(list).into())
        }
    }

    fn of(attach: &Attach, ours: KeptAttach) -> Self {
        Self {
            ours,
            count: 0,
            theirs: None,
            differs: None,
            snd_settle_mode: attach.snd_settle_mode,
            rcv_settle_mode: attach.rcv_settle_mode,
            recoverable: false,
            is_refused: false,
            has_dynamic_node: has_dynamic_node(attach),
            default_outcome: DefaultOutcome::of(attach.source.as_deref()),
            largest: octets(attach.max_message_size),
            remote_largest: u64::MAX,
        }
    }

    /// This is what our side, of this role, will attach with.
    pub(crate) fn plan(&mut self, role: Role, config: LinkConfig) {
        let planned = Self::new(config);
        match role {
            Role::Sender => self.snd_settle_mode = planned.snd_settle_mode,
            Role::Receiver => self.rcv_settle_mode = planned.rcv_settle_mode,
        }
        self.recoverable = planned.recoverable;
        self.has_dynamic_node = planned.has_dynamic_node;
        self.default_outcome = planned.default_outcome;
        self.largest = planned.largest;
        self.count = planned.count;
        let before = core::mem::replace(&mut self.ours, planned.ours);
        if self.theirs.is_some() && self.differs.is_none() {
            self.differs = Some(before);
        }
        if self.differs.as_ref() == Some(&self.ours) {
            self.differs = None;
        }
    }

    /// The peer attached, with these fields.
    pub(crate) fn hear(&mut self, attach: &Attach, list: &[u8]) {
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
            remembers: attach.unsettled.is_some(),
        });
        let said = Said::all(list);
        self.differs = (self.ours != said).then(|| said.into());
    }

    /// The name of the link.
    pub(crate) fn name(&self) -> Str {
        self.ours.name()
    }

    /// What this side attaches or attached with.
    pub(crate) fn config(&self) -> LinkConfig {
        let attach = self.ours.attach(Role::Sender, 0, None);
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
        self.ours.attach(role, handle, self.count_of(role))
    }

    /// The same, to be written.
    pub(crate) fn to_write(&self, role: Role, handle: u32) -> OwnAttach<'_> {
        self.ours.with(role, handle, self.count_of(role))
    }

    fn count_of(&self, role: Role) -> Option<u32> {
        (role == Role::Sender).then_some(self.count)
    }

    /// The peer's attach, once it has come; this is its role.
    pub(crate) fn remote(&self, role: Role) -> Option<Attach> {
        let Theirs { handle, count, .. } = self.theirs?;
        let kept = self.differs.as_ref().unwrap_or(&self.ours);
        Some(kept.attach(role, handle, count))
    }

    /// Whether the peer's attach told of deliveries that are not settled, once it has come.
    pub(crate) fn peer_remembers(&self) -> Option<bool> {
        Some(self.theirs?.remembers)
    }

    /// What becomes of a delivery that is settled without an outcome (3.5.3).
    pub(crate) fn default_outcome(&self) -> Option<DeliveryState> {
        match &self.default_outcome {
            DefaultOutcome::None => None,
            DefaultOutcome::Accepted => Some(DeliveryState::Accepted),
            DefaultOutcome::Released => Some(DeliveryState::Released),
            DefaultOutcome::Other(outcome) => Some((**outcome).clone()),
        }
    }
}

impl DefaultOutcome {
    fn of(source: Option<&Source>) -> Self {
        match source.and_then(|source| source.default_outcome.as_ref()) {
            None => Self::None,
            Some(DeliveryState::Accepted) => Self::Accepted,
            Some(DeliveryState::Released) => Self::Released,
            Some(other) => Self::Other(Box::new(other.detached())),
        }
    }
}

/// What a configuration says to the peer, and what it says beside that: whether the link is recoverable, and where its
/// delivery-count begins.
fn attach(config: LinkConfig) -> (Attach, bool, u32) {
    // Role and handle are known when it is written.
    let mut attach = Attach::new(config.name, 0, Role::Receiver);
    attach.snd_settle_mode = config.snd_settle_mode;
    attach.rcv_settle_mode = config.rcv_settle_mode;
    attach.source = config.source;
    attach.target = config.target;
    attach.max_message_size = config.max_message_size;
    attach.offered_capabilities = config.offered_capabilities;
    attach.desired_capabilities = config.desired_capabilities;
    attach.properties = config.properties;
    (attach, config.recoverable, config.initial_delivery_count)
}

fn has_dynamic_node(attach: &Attach) -> bool {
    let of_source = attach.source.as_ref().is_some_and(|source| source.dynamic);
    let of_target = match attach.target.as_deref() {
        Some(TargetArchetype::Target(target)) => target.dynamic,
        _ => false,
    };
    of_source || of_target
}

/// How large a message can be; absent, and on the wire also 0, is any size.
fn octets(max_message_size: Option<u64>) -> u64 {
    match max_message_size {
        None | Some(0) => u64::MAX,
        Some(size) => size,
    }
}
