//! What a subscription asks of the peer beyond an address.

use std::time::Duration;

use ferrion_engine::LinkConfig;
use ferrion_engine::codec::{Described, Fields, Map, Str, Symbol, Value};
use ferrion_engine::protocol::{
    Source, StdDistMode, Target, TargetArchetype, TerminusDurability, TerminusExpiryPolicy,
};

use crate::core::{Core, Subscription};
use crate::error::Result;
use crate::messenger::Messenger;

/// The descriptor that brokers know a JMS selector by.
const SELECTOR: Symbol = Symbol::from_static("apache.org:selector-filter:string");
/// The descriptor of the filter that keeps back what came over the same connection.
const NO_LOCAL: Symbol = Symbol::from_static("apache.org:no-local-filter:list");

/// What [`subscribe_with`](Messenger::subscribe_with) asks of a peer: which messages, and what is to
/// outlast a lost connection.
///
/// It is asked for again, all of it, whenever the connection is [made again](crate::Reconnect).
///
/// ```
/// use ferrion_messenger::{Messenger, SubscribeOptions};
/// # let mut broker = Messenger::new()?;
/// # let listening = broker.subscribe("~127.0.0.1:0")?;
/// # let port = broker.subscription_port(listening).unwrap();
///
/// let mut messenger = Messenger::with_name("billing")?;
/// let options = SubscribeOptions::new()
///     .selector("colour = 'red' AND price > 10")
///     .credit(20);
/// messenger.subscribe_with(&format!("127.0.0.1:{port}/orders"), &options)?;
/// # Ok::<(), ferrion_messenger::Error>(())
/// ```
///
/// A subscription to a topic that goes on while this program is not there:
///
/// ```no_run
/// # use ferrion_messenger::{Messenger, SubscribeOptions};
/// let mut messenger = Messenger::with_name("billing")?;
/// let options = SubscribeOptions::new().durable("invoices").capability("topic");
/// messenger.subscribe_with("broker.example.org/orders", &options)?;
/// # Ok::<(), ferrion_messenger::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubscribeOptions {
    ttl: u32,
    name: Option<Str>,
    durable: bool,
    filters: Map,
    filters_optional: bool,
    distribution: Option<Str>,
    capabilities: Vec<Str>,
    node_properties: Map,
    link_properties: Map,
    credit: Option<u32>,
}

impl SubscribeOptions {
    /// What [`subscribe`](Messenger::subscribe) asks: nothing in particular.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the peer to keep the subscription for so long after the link was lost (3.5.3, `timeout` with the
    /// expiry-policy `link-detach`, on both ends of the link), and to go on with it if it comes back in
    /// time. Whole seconds; what is between is rounded up. Zero asks for nothing.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        let seconds = ttl
            .as_secs()
            .saturating_add(u64::from(ttl.subsec_nanos() > 0));
        self.ttl = u32::try_from(seconds).unwrap_or(u32::MAX);
        self
    }

    /// Names the subscription (2.6.1): a peer that kept it finds it again by this and the
    /// [name of the messenger](Messenger::with_name), which therefore has to be the same one too. It must be
    /// used once at a time. By default a name is made up.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Asks the peer to keep the subscription of this [name](Self::name) and what comes for it, also while
    /// nobody is there (3.5.3: `durable` with unsettled state; it never expires, unless a
    /// [ttl](Self::ttl) says when). [`unsubscribe`](Messenger::unsubscribe) ends it.
    #[must_use]
    pub fn durable(mut self, name: &str) -> Self {
        self.durable = true;
        self.name(name)
    }

    /// Lets only messages come for which this JMS selector is true: SQL-like conditions over application
    /// properties and header fields. Brokers know it as `apache.org:selector-filter:string`.
    #[must_use]
    pub fn selector(self, selector: &str) -> Self {
        self.filter("selector", SELECTOR, selector)
    }

    /// Lets no messages come that were sent over the same connection.
    #[must_use]
    pub fn no_local(self) -> Self {
        self.filter("no-local", NO_LOCAL, Vec::<Value>::new())
    }

    /// Adds a filter (3.5.8): a name that is of one's own choice, the descriptor by which the peer knows
    /// what kind it is (a symbol, or its number as a ulong), and what it is given. Another filter of the
    /// same name is replaced. All have to let a message pass.
    ///
    /// ```
    /// use ferrion_engine::codec::Symbol;
    /// use ferrion_messenger::SubscribeOptions;
    ///
    /// // Where to begin in a stream of RabbitMQ's.
    /// let kind = Symbol::from_static("rabbitmq:stream-offset-spec");
    /// let options = SubscribeOptions::new().filter("offset", kind, "first");
    /// ```
    #[must_use]
    pub fn filter(
        mut self,
        name: &str,
        descriptor: impl Into<Value>,
        value: impl Into<Value>,
    ) -> Self {
        let described = Described {
            descriptor: descriptor.into(),
            value: value.into(),
        };
        self.filters.insert(name, described);
        self
    }

    /// Receives also if the peer does not apply all the filters. By default that is an error of
    /// [`recv`](Messenger::recv): unwanted messages could not be told from others. With this it is a
    /// [warning](Messenger::poll_warning).
    #[must_use]
    pub const fn filters_optional(mut self) -> Self {
        self.filters_optional = true;
        self
    }

    /// Takes copies of messages, which stay there for others (3.5.7). By default the peer decides; a queue
    /// mostly lets them move.
    #[must_use]
    pub fn copies(self) -> Self {
        self.distribution_mode(StdDistMode::Copy.symbol().as_str())
    }

    /// How the peer distributes messages among those who receive them: `move`, `copy`, or what else it
    /// knows (3.5.7).
    #[must_use]
    pub fn distribution_mode(mut self, mode: &str) -> Self {
        self.distribution = Some(mode.into());
        self
    }

    /// Asks for a capability of the node, such as `topic` or `shared` (3.5.3).
    #[must_use]
    pub fn capability(mut self, capability: &str) -> Self {
        self.capabilities.push(capability.into());
        self
    }

    /// Says what kind of node is to be made up (3.5.9), for the address `#`.
    #[must_use]
    pub fn node_property(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.node_properties.insert(key, value);
        self
    }

    /// Adds a property of the link (2.7.3).
    #[must_use]
    pub fn link_property(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.link_properties.insert(key, value);
        self
    }

    /// At most this many messages of the subscription are under way or wait for
    /// [`get`](Messenger::get); at least 1. By default it gets its share of what
    /// [`recv`](Messenger::recv) lets come. Of a listening address it holds for each sender.
    #[must_use]
    pub fn credit(mut self, messages: u32) -> Self {
        self.credit = Some(messages.max(1));
        self
    }

    // ---- what the core asks ----

    pub(crate) const fn most(&self) -> Option<u32> {
        self.credit
    }

    pub(crate) const fn are_filters_optional(&self) -> bool {
        self.filters_optional
    }

    /// The name of the link, where it has to be the same whenever it is attached.
    pub(crate) fn link_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether the peer is to know the subscription again when it comes back.
    pub(crate) const fn is_kept(&self) -> bool {
        self.ttl > 0 || self.durable
    }

    /// What is wrong with the options for a node of a peer's, in words.
    pub(crate) fn fault(&self, dynamic: bool) -> Option<String> {
        let names = self.filters.iter().chain(self.node_properties.iter());
        let names = names.chain(self.link_properties.iter());
        let keys = names.filter_map(|(key, _)| key.as_str());
        let mut symbols = keys
            .chain(self.capabilities.iter().map(Str::as_str))
            .chain(self.distribution.as_deref());
        if let Some(text) = symbols.find(|text| !text.is_ascii()) {
            return Some(format!("{text:?} is not a symbol; use ASCII only"));
        }
        if !dynamic && !self.node_properties.is_empty() {
            let text = "only a node that is made up has node properties; subscribe to the name #";
            return Some(text.to_owned());
        }
        None
    }

    /// What is wrong with the options for a listening address.
    pub(crate) fn fault_to_listen(&self) -> Option<String> {
        let only = Self {
            credit: self.credit,
            ..Self::default()
        };
        (*self != only).then(|| {
            "these options ask something of a peer; whoever listens asks nobody, and can limit the \
             credit only"
                .to_owned()
        })
    }

    /// Writes what is asked for into the attach.
    pub(crate) fn apply(&self, config: &mut LinkConfig) {
        let symbol = |text: &Str| Symbol::try_from(text.clone()).ok();
        if let Some(source) = config.source.as_deref_mut() {
            source.filter = fields(&self.filters);
            source.distribution_mode = self.distribution.as_ref().and_then(symbol);
            if !self.capabilities.is_empty() {
                // In place of what a node that is made up is called by default.
                source.capabilities = self.capabilities.iter().filter_map(symbol).collect();
            }
            source.dynamic_node_properties = fields(&self.node_properties);
            if self.durable {
                source.durable = TerminusDurability::UnsettledState;
                source.expiry_policy = TerminusExpiryPolicy::Never;
            }
            if self.ttl > 0 {
                source.expiry_policy = TerminusExpiryPolicy::LinkDetach;
                source.timeout = self.ttl;
            }
        }
        if self.ttl > 0 {
            let target = Target {
                expiry_policy: TerminusExpiryPolicy::LinkDetach,
                timeout: self.ttl,
                ..Target::default()
            };
            config.target = Some(Box::new(TargetArchetype::Target(target)));
        }
        config.properties = fields(&self.link_properties);
    }

    /// The names of filters that a peer's answer leaves out.
    pub(crate) fn missing_filters(&self, answer: Option<&Source>) -> Vec<String> {
        let granted = answer.and_then(|source| source.filter.as_ref());
        let is_granted = |name: &str| {
            let value = granted.and_then(|filters| filters.get(name));
            value.is_some_and(|value| value != Value::Null)
        };
        let names = self.filters.iter().filter_map(|(name, _)| name.as_str());
        let missing = names.filter(|name| !is_granted(name));
        missing.map(str::to_owned).collect()
    }
}

/// What [`unsubscribe`](Messenger::unsubscribe) does about what the peer keeps of a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unsubscribe {
    /// The link is closed for good (2.6.6), and with it the subscription ends at the peer.
    #[default]
    Close,
    /// The link is detached and not closed: what the peer [keeps](SubscribeOptions::durable) under the
    /// [name](SubscribeOptions::name) of the subscription, and what comes for it meanwhile, is there when it is subscribed to
    /// again. A subscription without a name is closed all the same.
    Detach,
}

/// A map whose keys are symbols; none if it is empty.
fn fields(map: &Map) -> Option<Fields> {
    let entries = map.iter().filter_map(|(key, value)| {
        let key = Symbol::try_from(key.as_str()?).ok()?;
        Some((key, value.clone()))
    });
    (!map.is_empty()).then(|| Fields::from_entries(entries))
}

/// Subscriptions that ask for more than an address.
impl Messenger {
    /// As [`subscribe`](Self::subscribe), with [options](SubscribeOptions).
    ///
    /// # Errors
    /// As for [`subscribe`](Self::subscribe). [`Error::Subscribe`](crate::Error::Subscribe): the options do
    /// not fit the address, or have a text where AMQP has a symbol, which is ASCII.
    ///
    /// That the peer does not apply a filter is told by [`recv`](Self::recv).
    pub fn subscribe_with(
        &mut self,
        address: &str,
        options: &SubscribeOptions,
    ) -> Result<Subscription> {
        let subscription = self.core.subscribe(address, options)?;
        let opened = self.open(subscription, address);
        if opened.is_err() {
            // Nobody knows the subscription: its port must not stay taken.
            self.core.drop_listener(subscription);
        }
        opened.map(|()| subscription)
    }

    /// As [`subscribe`](Self::subscribe); the peer is asked to keep the subscription for so long after the
    /// link was lost. See [`SubscribeOptions::ttl`].
    ///
    /// # Errors
    /// As for [`subscribe_with`](Self::subscribe_with).
    pub fn subscribe_ttl(&mut self, address: &str, ttl: Duration) -> Result<Subscription> {
        self.subscribe_with(address, &SubscribeOptions::new().ttl(ttl))
    }

    /// Ends a subscription, and waits until the peer has answered that.
    ///
    /// From the beginning of this call on nothing more comes of it but what is sent settled: until the peer has answered, and
    /// for two seconds at most, that may still come if it was let come before, and like what came before it stays for
    /// [`get`](Self::get), for nobody else has it any more. What else came and has no outcome, got or not, goes back to whom it
    /// came from, and its trackers say [`RELEASED`](crate::Status::Released); decide before what is to be decided otherwise. If
    /// the connection is lost at present, nobody can be told, and they say [`ABORTED`](crate::Status::Aborted).
    ///
    /// A subscription that a peer keeps ends there with [`Unsubscribe::Close`], also if its connection is lost at present: that
    /// is then made again for it. Of a listening address nobody is let in any more; who is connected stays, for what is put
    /// to it, and can send nothing more.
    ///
    /// ```
    /// use ferrion_messenger::{Messenger, SubscribeOptions, Unsubscribe};
    /// # let mut broker = Messenger::new()?;
    /// # let listening = broker.subscribe("~127.0.0.1:0")?;
    /// # let port = broker.subscription_port(listening).unwrap();
    /// # let broker = std::thread::spawn(move || broker.recv(1));
    ///
    /// let mut messenger = Messenger::with_name("billing")?;
    /// let options = SubscribeOptions::new().durable("invoices");
    /// let subscription = messenger.subscribe_with(&format!("127.0.0.1:{port}/orders"), &options)?;
    /// // ... and when nobody wants the invoices any more:
    /// messenger.unsubscribe(subscription, Unsubscribe::Close)?;
    /// # messenger.put(&{
    /// #     let mut message = ferrion_messenger::Message::with_body("over");
    /// #     message.set_address(format!("127.0.0.1:{port}"));
    /// #     message
    /// # })?;
    /// # messenger.send()?;
    /// # broker.join().unwrap()?;
    /// # Ok::<(), ferrion_messenger::Error>(())
    /// ```
    ///
    /// # Errors
    /// A subscription that is not there (any more) has ended, which is no error.
    /// - [`Error::Connect`](crate::Error::Connect), [`Error::Lost`](crate::Error::Lost),
    ///   [`Error::Remote`](crate::Error::Remote) and what else [`recv`](Self::recv) tells of a subscription: it could not be
    ///   ended at the peer, which may keep it. It is not received from any more. Call again to try again; or with
    ///   [`Unsubscribe::Detach`] to leave it there, which takes no connection. Where calls do not wait, the failure is told first,
    ///   and only the call after that tries again.
    /// - [`Error::State`](crate::Error::State): a call before this one asked for the other of [`Unsubscribe`], and the peer has
    ///   not answered that yet, which goes on.
    /// - [`Error::Timeout`](crate::Error::Timeout): the peer has not answered in time. Call again to wait longer.
    /// - [`Error::InProgress`](crate::Error::InProgress) in non-blocking and passive mode: call [`work`](Self::work), then again.
    /// - [`Error::Interrupted`](crate::Error::Interrupted), [`Error::System`](crate::Error::System): while it waited.
    pub fn unsubscribe(&mut self, subscription: Subscription, how: Unsubscribe) -> Result<()> {
        self.core.unsubscribe(subscription, how)?;
        let done = |core: &Core| !core.is_leaving(subscription);
        let waited = self.wait(self.give_up_at(), done, |_| {
            "while the peer has not answered that the subscription ends".to_owned()
        });
        match self.core.take_parting_error(subscription) {
            Some(error) => Err(error),
            None => waited,
        }
    }

    /// What the peer granted of what was asked for: the source of its answer (3.5.3), with the filters that
    /// it applies, and what it made of expiry, distribution and capabilities. `None` before it has
    /// answered, and for listening addresses.
    #[must_use]
    pub fn subscription_source(&self, subscription: Subscription) -> Option<&Source> {
        self.core.subscription_source(subscription)
    }
}
