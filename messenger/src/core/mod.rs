//! The core: everything a Messenger knows and decides, without sockets, clock, threads or randomness.
//!
//! It holds one engine per connection and tells a driver what it needs from the world as
//! [`Action`]s; the driver reports what became of them, feeds octets in and takes octets out. Time
//! is an argument. The work is done in [`pump`](Core::pump): commands before it only leave marks.
//!
//! | file | holds |
//! |---|---|
//! | `address`, `route` | where things go |
//! | `store`, `tracker`, `octets`, `slab` | what waits, and what became of it; buffers that are used again; the storage of all |
//! | `index` | of which link a message came, and to which sender it was put, where that is asked |
//! | `credit` | who may send us how much |
//! | `pool`, `sender`, `source` | connections, outgoing links, subscriptions |
//! | `crowd` | many links on one connection |
//! | `outbox`, `inbox` | the calls of the Messenger, per direction |
//! | `request`, `replies` | requests that wait for replies, and the addresses that these come to |
//! | `line`, `reconnect` | where connections lead, and when to try it again; what moves to those that are made again |
//! | `redirect`, `detour` | where peers send us instead, and links of ours that are there |
//! | `recovery`, `away`, `absent` | links that go on where they were, what is kept of peers that may come back, and for whom how much |
//! | `names` | the links of connections, also by what they are called |
//! | `refusal` | peers that take no links of that kind |
//! | `pump` | engine events, and messages to engines |
//! | `admit` | links that peers ask for |
//! | `churn` | links that peers attach again and again in vain |
//! | `partial` | what incomplete messages hold, of all connections together that listeners accepted |
//! | `lifecycle` | connections from the first octet to the last |
//! | `faults`, `check` | what went wrong last at an address; routes that are tried beforehand |
//! | `login` | what connections show, and who is admitted |
//! | `trail` | what happened to connections, until somebody asks |
//! | `unnamed` | links that may have been refused |
//! | `unsubscribe` | subscriptions that end |
//! | `waiting` | what a message waits for |
//! | `reasons` | why things failed, as peers say it, and how much of that is kept |

mod absent;
pub(crate) mod address;
mod admit;
mod away;
mod check;
mod churn;
pub(crate) mod credit;
mod crowd;
#[cfg(test)]
mod deadline_tests;
mod detour;
#[cfg(test)]
mod detour_tests;
mod faults;
#[cfg(test)]
mod forgotten_tests;
pub(crate) mod inbox;
mod index;
mod lifecycle;
mod line;
pub(crate) mod login;
#[cfg(test)]
mod login_tests;
#[cfg(test)]
mod loss_tests;
#[cfg(test)]
mod misheard_tests;
mod names;
#[cfg(test)]
mod names_tests;
mod octets;
#[cfg(test)]
mod origins_tests;
mod outbox;
mod partial;
#[cfg(test)]
mod partial_tests;
mod pool;
mod pump;
mod reasons;
pub(crate) mod reconnect;
pub(crate) mod recovery;
#[cfg(test)]
mod recovery_limits_tests;
#[cfg(test)]
mod recovery_tests;
mod redirect;
#[cfg(test)]
mod redirect_chain_tests;
#[cfg(test)]
mod redirect_tests;
mod refusal;
mod replies;
mod request;
pub(crate) mod route;
mod sender;
mod slab;
mod source;
mod store;
pub(crate) mod tracker;
mod trail;
mod unnamed;
mod unsubscribe;
#[cfg(test)]
mod unsubscribe_tests;
mod waiting;
#[cfg(test)]
mod world_tests;

use std::collections::{HashMap, VecDeque};

use ferrion_engine::codec::Str;
use ferrion_engine::protocol::{ReceiverSettleMode, SenderSettleMode};
use ferrion_engine::sasl::Secret;
use ferrion_engine::{Limits, Time};

use crate::error::Error;
use crate::reconnect::Reconnect;
use crate::recovery::LinkRecovery;
use absent::Absent;
use address::Scheme;
use check::Check;
use churn::Delayed;
use credit::{Order, Scheduler};
use faults::Faults;
use line::{Jitter, Place};
use login::{Admission, Seeds};
use octets::Buffers;
use outbox::Destination;
pub(crate) use pool::ConnKey;
use pool::Pool;
use request::Requests;
use route::Rules;
use sender::{Sender, SenderKey};
use slab::Slab;
use source::Source;
pub(crate) use source::SourceKey;
pub use source::Subscription;
use store::{Incoming, Origin, Outgoing};
use trail::Trail;
use unnamed::Unnamed;

/// Errors and warnings that nobody asked for yet; beyond it the newest are dropped.
const MAX_REMEMBERED: usize = 256;
/// Lines of trace that nobody asked for yet; beyond it the oldest are dropped.
const MAX_TRACE: usize = 16_384;

/// The largest frame that is taken, and the same where links are recovered: an attach that fits tells of tens of
/// thousands of messages.
const FRAME_SIZE: u32 = 64 << 10;
const FRAME_SIZE_TO_RECOVER: u32 = 1 << 20;

/// What incomplete messages hold at most on all connections that listeners accepted: as much as one connection may make an engine hold.
const ALL_PARTIAL_OCTETS: u64 = 1 << 30;

/// What the driver is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Connect, by way of what the scheme says, then report `connected` or `connect_failed`.
    Connect {
        conn: ConnKey,
        scheme: Scheme,
        host: String,
        port: u16,
        /// Who is to be there, for TLS and HTTP: the host, unless a peer that sent us there said otherwise.
        name: String,
    },
    /// Listen, then report `listening` or `listen_failed`, and for everyone who comes `accepted` and
    /// then, once octets can flow, `connected` or `connect_failed`.
    Listen {
        source: SourceKey,
        scheme: Scheme,
        host: String,
        port: u16,
    },
    /// Let go of a connection. There is nothing to report. Where it `failed`, the peer may not know yet.
    Close { conn: ConnKey, failed: bool },
    /// Let go of a listening socket.
    Unlisten { source: SourceKey },
}

/// What is the same for all connections.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) token: Option<Secret>,
    pub(crate) allow_plain: bool,
    /// Whether nobody checks who peers are.
    pub(crate) accepts_any: bool,
    /// Whether there is a certificate to show to peers.
    pub(crate) has_certificate: bool,
    pub(crate) idle_time_out: Option<u32>,
    /// What one connection holds or waits for at most.
    pub(crate) limits: Limits,
    /// What incomplete messages hold at most on all connections that listeners accepted.
    pub(crate) all_partial_octets: u64,
    pub(crate) tracing: bool,
    /// How connections of ours are made again that fail, if they are.
    pub(crate) reconnect: Option<Reconnect>,
    /// Whether links are recovered, and what is kept of peers that are lost.
    pub(crate) recovery: Option<LinkRecovery>,
    /// The largest frame that is taken, if it was set.
    pub(crate) max_frame_size: Option<u32>,
    /// What links are attached with, if not with the defaults.
    pub(crate) snd_settle_mode: Option<SenderSettleMode>,
    pub(crate) rcv_settle_mode: Option<ReceiverSettleMode>,
    /// Where else a host and port may be found.
    pub(crate) alternatives: HashMap<Place, Vec<Place>>,
}

impl Options {
    /// The largest frame that is taken. Unsettled messages of a link that is recovered are told of in one.
    pub(crate) const fn max_frame_size(&self) -> u32 {
        match (self.max_frame_size, &self.recovery) {
            (Some(size), _) => size,
            (None, Some(_)) => FRAME_SIZE_TO_RECOVER,
            (None, None) => FRAME_SIZE,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // No secrets.
        f.debug_struct("Options")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// See the module's description.
pub(crate) struct Core {
    name: Str,
    pub(crate) options: Options,
    pool: Pool,
    senders: Slab<Sender>,
    /// Senders that may have something to send.
    ready: VecDeque<SenderKey>,
    sources: Slab<Source>,
    /// Sources that `recv` must bring up again.
    broken: Vec<SourceKey>,
    /// Links of subscriptions that end.
    parting: Vec<Origin>,
    outgoing: Outgoing,
    incoming: Incoming,
    credit: Scheduler<Origin>,
    /// Whether there may be credit to deal out that was not there before.
    credit_changed: bool,
    unnamed: Unnamed,
    delayed: Delayed,
    orders: Vec<Order<Origin>>,
    routes: Rules,
    rewrites: Rules,
    /// Where addresses lead, so that rules and connections are looked up once.
    destinations: HashMap<String, Destination>,
    /// How many are remembered before those are forgotten that lead nowhere any more.
    many_destinations: usize,
    /// Senders to the nodes that were made up for peers.
    made_up: HashMap<Str, SenderKey>,
    requests: Requests,
    seeds: Seeds,
    admission: Admission,
    /// The last address put to, and where it led.
    recent: (String, Destination),
    buffers: Buffers,
    /// Makes link names unique: among those of this messenger, and of others of its name.
    links: u64,
    instance: u64,
    /// Connections that stand for peers that are away.
    away: Absent,
    actions: VecDeque<Action>,
    send_errors: VecDeque<Error>,
    recv_errors: VecDeque<Error>,
    /// Messages given up since the last stop began to close.
    given_up: usize,
    /// How the last connection ended that was lost.
    last_loss: Option<Error>,
    last_subscription: Option<SourceKey>,
    /// The last message that was got, and where it came from.
    last_origin: Option<(u64, Origin)>,
    /// What went wrong last, by address.
    faults: Faults,
    /// Routes that are being tried.
    checks: Vec<Check>,
    warnings: VecDeque<String>,
    trail: Trail,
    jitter: Jitter,
    trace: VecDeque<String>,
    /// Whether anything ended that somebody may wait for.
    ended: bool,
}

/// Not the messages under way, nor the addresses that were put to: there may be passwords in them.
impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core")
            .field("name", &self.name)
            .field("options", &self.options)
            .field("pool", &self.pool)
            .field("sources", &self.sources)
            .field("routes", &self.routes)
            .field("rewrites", &self.rewrites)
            .field("queued", &self.outgoing.queued)
            .finish_non_exhaustive()
    }
}

impl Core {
    pub(crate) fn new(name: Str, seeds: Seeds) -> Self {
        Self {
            name,
            options: Options {
                user: None,
                password: None,
                token: None,
                allow_plain: false,
                accepts_any: false,
                has_certificate: false,
                idle_time_out: None,
                limits: Limits::default(),
                all_partial_octets: ALL_PARTIAL_OCTETS,
                tracing: false,
                reconnect: Some(Reconnect::default()),
                recovery: None,
                max_frame_size: None,
                snd_settle_mode: None,
                rcv_settle_mode: None,
                alternatives: HashMap::new(),
            },
            pool: Pool::new(),
            senders: Slab::new(),
            ready: VecDeque::new(),
            sources: Slab::new(),
            broken: Vec::new(),
            parting: Vec::new(),
            outgoing: Outgoing::new(),
            incoming: Incoming::new(),
            credit: Scheduler::new(),
            credit_changed: false,
            unnamed: Unnamed::default(),
            delayed: Delayed::default(),
            orders: Vec::new(),
            routes: Rules::default(),
            rewrites: Rules::default(),
            destinations: HashMap::new(),
            many_destinations: 0,
            made_up: HashMap::new(),
            requests: Requests::default(),
            seeds,
            admission: Admission::default(),
            recent: (String::new(), Destination::nowhere()),
            buffers: Buffers::default(),
            links: 0,
            instance: 0,
            away: Absent::default(),
            actions: VecDeque::new(),
            send_errors: VecDeque::new(),
            recv_errors: VecDeque::new(),
            given_up: 0,
            last_loss: None,
            last_subscription: None,
            last_origin: None,
            faults: Faults::default(),
            checks: Vec::new(),
            warnings: VecDeque::new(),
            trail: Trail::default(),
            jitter: Jitter::new(0),
            trace: VecDeque::new(),
            ended: false,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    // ---- what the driver calls ----

    /// What the driver is to do next.
    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next connection that may have something to write.
    pub(crate) fn next_output(&mut self) -> Option<ConnKey> {
        self.pool.next_writing()
    }

    /// Whether [`pump`](Self::pump) has messages to hand over.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether anything ended since this was last asked: a connection, or the time of a request. There may be nothing to
    /// write for it.
    pub(crate) fn take_ended(&mut self) -> bool {
        std::mem::take(&mut self.ended)
    }

    /// Whether anything was asked for that [`pump`](Self::pump) and the driver have not seen yet.
    pub(crate) fn has_work(&self) -> bool {
        self.credit_changed
            || self.has_ready()
            || self.pool.has_dirty()
            || self.pool.has_writing()
            || !self.actions.is_empty()
    }

    /// When [`handle_timeout`](Self::handle_timeout) and [`pump`](Self::pump) must be called at the latest.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let deadlines = [
            self.pool.deadline(),
            self.credit.deadline(),
            self.unnamed.deadline(),
            self.delayed.deadline(),
            self.requests.deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Something is not as it should be, but nothing failed.
    pub(crate) fn warn(&mut self, text: String) {
        if self.warnings.len() < MAX_REMEMBERED && self.warnings.back() != Some(&text) {
            self.warnings.push_back(text);
        }
    }

    // ---- what the Messenger asks ----

    pub(crate) fn next_warning(&mut self) -> Option<String> {
        self.warnings.pop_front()
    }

    pub(crate) fn next_trace(&mut self) -> Option<String> {
        self.trace.pop_front()
    }

    pub(crate) fn set_tracing(&mut self, on: bool) {
        self.options.tracing = on;
        for key in self.pool.keys() {
            if let Some(conn) = self.pool.get_mut(key) {
                conn.engine.set_tracing(on);
            }
        }
    }

    pub(crate) fn routes(&mut self) -> &mut Rules {
        self.forget_destinations();
        &mut self.routes
    }

    pub(crate) fn rewrites(&mut self) -> &mut Rules {
        self.forget_destinations();
        &mut self.rewrites
    }

    /// The rules are about to change.
    fn forget_destinations(&mut self) {
        self.destinations.clear();
        self.recent.1 = Destination::nowhere();
    }

    /// The next error that concerns what was put.
    pub(crate) fn take_send_error(&mut self) -> Option<Error> {
        self.send_errors.pop_front()
    }

    pub(crate) fn has_send_error(&self) -> bool {
        !self.send_errors.is_empty()
    }

    /// The next error that concerns what was subscribed to.
    pub(crate) fn take_recv_error(&mut self) -> Option<Error> {
        self.recv_errors.pop_front()
    }

    pub(crate) fn has_recv_error(&self) -> bool {
        !self.recv_errors.is_empty()
    }

    fn push_send_error(&mut self, error: Error) {
        if self.send_errors.len() < MAX_REMEMBERED {
            self.send_errors.push_back(error);
        }
    }

    /// An error was told by another call.
    fn forget_recv_error(&mut self, error: &Error) {
        if let Some(at) = self.recv_errors.iter().rposition(|known| known == error) {
            self.recv_errors.remove(at);
        }
    }

    fn push_recv_error(&mut self, error: Error) {
        if self.recv_errors.len() < MAX_REMEMBERED {
            self.recv_errors.push_back(error);
        }
    }

    /// The name of a node made up for a peer: no other has it.
    fn node_name(&mut self) -> Str {
        self.links += 1;
        // Who still has the name when another instance of this one runs must not reach another peer with it.
        let (name, instance, number) = (&self.name, self.instance, self.links);
        format!("{name}-node-{instance:016x}-{number}").into()
    }

    /// Sets what tells the links of this messenger from those of another of the same name.
    pub(crate) const fn set_instance(&mut self, instance: u64) {
        self.instance = instance;
    }

    /// A link name that neither side has used: container, direction, number.
    fn link_name(&mut self, direction: &str) -> String {
        self.links += 1;
        if self.options.recovery.is_some() {
            // Peers keep what links leave under their names: another messenger must not find what is ours.
            let (name, instance, number) = (&self.name, self.instance, self.links);
            return format!("{name}-{direction}-{instance:016x}-{number}");
        }
        format!("{}-{direction}-{}", self.name, self.links)
    }
}
