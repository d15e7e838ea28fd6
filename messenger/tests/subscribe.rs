//! What subscriptions ask of peers, what peers grant of it, and what is asked for again.

#[path = "support/broker.rs"]
mod broker;
#[macro_use]
mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::{Broker, Dealt};
use ferrion_engine::codec::{Described, Symbol, Value};
use ferrion_engine::protocol::{
    Attach, Role, Source, StdDistMode, TargetArchetype, TerminusDurability, TerminusExpiryPolicy,
};
use ferrion_engine::{Engine, Event};
use ferrion_messenger::{
    Credit, Error, ErrorKind, Message, Messenger, Reconnect, SubscribeOptions,
};
use support::{Wire, client, message_to, server, text};

over_every_wire! {
    a_subscription_with_a_limit_has_no_more_messages_unread,
    a_listening_messenger_says_that_it_does_not_filter,
}

/// Every attach of a receiver, in order.
type Attaches = Arc<Mutex<Vec<Attach>>>;

/// A broker that agrees to everything, or to what `change` makes of it, and tells what it was asked.
fn broker(change: impl Fn(&mut Source) + Send + 'static) -> (Broker, Attaches) {
    let attaches = Attaches::default();
    let seen = Arc::clone(&attaches);
    let broker = Broker::start(move |_, engine, event| {
        let Event::LinkAttached(id) = event else {
            return Dealt::Usual;
        };
        let mut link = engine.link(id).unwrap();
        if link.role() != Role::Sender {
            return Dealt::Usual;
        }
        seen.lock().unwrap().push(link.remote().unwrap().clone());
        let mut answer = link.offer().unwrap();
        let source = answer.source.as_deref_mut().unwrap();
        if source.dynamic {
            source.address = Some("made-up".into());
        }
        change(source);
        link.accept_with(answer).unwrap();
        Dealt::Done
    });
    (broker, attaches)
}

/// Works until the subscription is answered, and the attach that asked for it.
fn attached(messenger: &mut Messenger, attaches: &Attaches, count: usize) -> Attach {
    while attaches.lock().unwrap().len() < count {
        messenger.work(Some(Duration::from_millis(5))).unwrap();
    }
    attaches.lock().unwrap().last().unwrap().clone()
}

fn target(attach: &Attach) -> (TerminusExpiryPolicy, u32) {
    let Some(TargetArchetype::Target(target)) = attach.target.as_deref() else {
        panic!("{:?}", attach.target);
    };
    (target.expiry_policy, target.timeout)
}

const SELECTOR: Symbol = Symbol::from_static("apache.org:selector-filter:string");

fn described(descriptor: impl Into<Value>, value: impl Into<Value>) -> Value {
    Value::from(Described {
        descriptor: descriptor.into(),
        value: value.into(),
    })
}

#[test]
fn a_time_to_live_is_asked_for_at_both_ends_of_the_link() {
    let (broker, attaches) = broker(|_| {});
    let mut messenger = client();
    let ttl = Duration::from_millis(90_500);
    let subscription = messenger
        .subscribe_ttl(&format!("{}/q", broker.address), ttl)
        .unwrap();
    let attach = attached(&mut messenger, &attaches, 1);
    let source = attach.source.as_deref().unwrap();
    assert_eq!(source.address.as_deref(), Some("q"));
    assert_eq!(source.expiry_policy, TerminusExpiryPolicy::LinkDetach);
    assert_eq!(source.timeout, 91);
    assert_eq!(target(&attach), (TerminusExpiryPolicy::LinkDetach, 91));
    while messenger.subscription_source(subscription).is_none() {
        messenger.work(Some(Duration::from_millis(5))).unwrap();
    }
    let granted = messenger.subscription_source(subscription).unwrap();
    assert_eq!(granted.timeout, 91);
    // Nothing in particular is asked for without options.
    messenger
        .subscribe(&format!("{}/plain", broker.address))
        .unwrap();
    let attach = attached(&mut messenger, &attaches, 2);
    let source = attach.source.as_deref().unwrap();
    assert_eq!(source.expiry_policy, TerminusExpiryPolicy::SessionEnd);
    assert_eq!((source.timeout, &source.filter), (0, &None));
    assert_eq!(target(&attach), (TerminusExpiryPolicy::SessionEnd, 0));
    messenger.stop().unwrap();
}

#[test]
fn everything_that_is_asked_for_is_in_the_attach() {
    let (broker, attaches) = broker(|_| {});
    let mut messenger = Messenger::with_name("billing").unwrap();
    let options = SubscribeOptions::new()
        .durable("invoices")
        .selector("price > 10")
        .no_local()
        .filter("mine", 77u64, vec![Value::from(1u32)])
        .copies()
        .capability("topic")
        .capability("shared")
        .link_property("paid", true);
    messenger
        .subscribe_with(&format!("{}/orders", broker.address), &options)
        .unwrap();
    let attach = attached(&mut messenger, &attaches, 1);
    assert_eq!(attach.name, "invoices");
    let source = attach.source.as_deref().unwrap();
    assert_eq!(source.durable, TerminusDurability::UnsettledState);
    assert_eq!(source.expiry_policy, TerminusExpiryPolicy::Never);
    assert_eq!(source.distribution_mode, Some(StdDistMode::Copy.symbol()));
    let capabilities: Vec<&str> = source.capabilities.iter().map(Symbol::as_str).collect();
    assert_eq!(capabilities, ["topic", "shared"]);
    let filter = source.filter.as_ref().unwrap();
    assert_eq!(filter.len(), 3);
    assert_eq!(
        filter.get("selector"),
        Some(described(SELECTOR, "price > 10"))
    );
    let no_local = Symbol::from_static("apache.org:no-local-filter:list");
    assert_eq!(
        filter.get("no-local"),
        Some(described(no_local, Vec::<Value>::new()))
    );
    assert_eq!(
        filter.get("mine"),
        Some(described(77u64, vec![Value::from(1u32)]))
    );
    let properties = attach.properties.as_ref().unwrap();
    assert_eq!(properties.get("paid"), Some(Value::from(true)));
    messenger.stop().unwrap();
}

#[test]
fn a_dynamic_node_is_of_the_kind_that_was_asked_for() {
    let (broker, attaches) = broker(|_| {});
    let mut messenger = client();
    let modes = Value::from(Symbol::from_static("copy"));
    let options = SubscribeOptions::new().node_property("supported-dist-modes", modes.clone());
    let subscription = messenger
        .subscribe_with(&format!("{}/#", broker.address), &options)
        .unwrap();
    let attach = attached(&mut messenger, &attaches, 1);
    let source = attach.source.as_deref().unwrap();
    assert!(source.dynamic && source.address.is_none());
    let properties = source.dynamic_node_properties.as_ref().unwrap();
    assert_eq!(properties.get("supported-dist-modes"), Some(modes));
    while messenger.subscription_address(subscription).is_none() {
        messenger.work(Some(Duration::from_millis(5))).unwrap();
    }
    let address = messenger.subscription_address(subscription).unwrap();
    assert_eq!(address, format!("{}/made-up", broker.address));
    messenger.stop().unwrap();
}

#[test]
fn options_that_do_not_fit_the_address_are_refused_at_once() {
    let mut messenger = client();
    let refused =
        |messenger: &mut Messenger, address: &str, options: SubscribeOptions| match messenger
            .subscribe_with(address, &options)
        {
            Err(error @ Error::Subscribe { .. }) => error.to_string(),
            other => panic!("{other:?}"),
        };
    let kind = SubscribeOptions::new().node_property("k", 1u32);
    let text = refused(&mut messenger, "127.0.0.1:1/q", kind);
    assert!(text.contains("subscribe to the name #"), "{text}");
    let named = SubscribeOptions::new().capability("thème");
    let text = refused(&mut messenger, "127.0.0.1:1/q", named);
    assert!(text.contains("\"thème\" is not a symbol"), "{text}");
    let filter = SubscribeOptions::new().selector("a = 1");
    let text = refused(&mut messenger, "~127.0.0.1:0", filter);
    assert!(text.contains("the credit only"), "{text}");
    // Nothing was begun.
    assert!(messenger.stopped());
}

#[test]
fn a_filter_that_is_not_granted_is_an_error_and_nothing_comes() {
    let (broker, _) = broker(|source| source.filter = None);
    let mut messenger = client();
    let options = SubscribeOptions::new().selector("a = 1").no_local();
    let address = format!("{}/q", broker.address);
    messenger.subscribe_with(&address, &options).unwrap();
    for _ in 0..2 {
        let error = messenger.recv(1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Subscribe, "{error}");
        let text = error.to_string();
        assert!(
            text.contains(&address) && text.contains("selector, no-local"),
            "{text}"
        );
    }
    messenger.stop().unwrap();
}

#[test]
fn a_filter_may_be_missing_where_that_is_allowed_and_can_be_asked_about() {
    let (broker, _) = broker(|source| source.filter = None);
    let mut messenger = client();
    let options = SubscribeOptions::new().selector("a = 1").filters_optional();
    let subscription = messenger
        .subscribe_with(&format!("{}/q", broker.address), &options)
        .unwrap();
    assert_eq!(messenger.subscription_source(subscription), None);
    while messenger.subscription_source(subscription).is_none() {
        messenger.work(Some(Duration::from_millis(5))).unwrap();
    }
    let granted = messenger.subscription_source(subscription).unwrap();
    assert_eq!(granted.filter, None);
    let warning = messenger.poll_warning().unwrap();
    assert!(warning.contains("does not filter by selector"), "{warning}");
    messenger.stop().unwrap();
}

#[test]
fn a_connection_that_is_made_again_is_asked_for_the_same() {
    let attaches = Attaches::default();
    let seen = Arc::clone(&attaches);
    let broker = Broker::start(move |number, engine: &mut Engine, event| {
        let Event::LinkAttached(id) = event else {
            return Dealt::Usual;
        };
        seen.lock()
            .unwrap()
            .push(engine.link(id).unwrap().remote().unwrap().clone());
        // The first connection does not live to see the third link.
        if number == 0 && seen.lock().unwrap().len() == 3 {
            return Dealt::Cut;
        }
        Dealt::Usual
    });
    let mut messenger = client();
    messenger.set_reconnect(Some(Reconnect {
        first_delay: Duration::from_millis(1),
        ..Reconnect::default()
    }));
    let kept = SubscribeOptions::new()
        .ttl(Duration::from_secs(60))
        .selector("a = 1")
        .capability("topic");
    let named = SubscribeOptions::new().name("mine");
    let address = |node: &str| format!("{}/{node}", broker.address);
    messenger.subscribe_with(&address("kept"), &kept).unwrap();
    messenger.subscribe_with(&address("named"), &named).unwrap();
    attached(&mut messenger, &attaches, 2);
    messenger.subscribe(&address("plain")).unwrap();
    attached(&mut messenger, &attaches, 6);
    let attaches = attaches.lock().unwrap();
    let (before, after) = attaches.split_at(3);
    let of = |attaches: &[Attach], node: &str| {
        let is =
            |attach: &&Attach| attach.source.as_deref().unwrap().address.as_deref() == Some(node);
        attaches.iter().find(is).unwrap().clone()
    };
    for node in ["kept", "named"] {
        let (before, after) = (of(before, node), of(after, node));
        assert_eq!(before.name, after.name);
        assert_eq!(before.source, after.source);
        assert_eq!(before.target, after.target);
    }
    assert_eq!(of(after, "named").name, "mine");
    assert_ne!(of(before, "plain").name, of(after, "plain").name);
    messenger.stop().unwrap();
}

fn a_subscription_with_a_limit_has_no_more_messages_unread(wire: Wire) {
    let mut receiver = wire.client();
    let options = SubscribeOptions::new().credit(3);
    if wire.is_secure() {
        let server = &support::pki::pki().server;
        receiver
            .set_certificate(&server.certificate, &server.key)
            .unwrap();
    }
    let scheme = wire.scheme();
    let subscription = receiver
        .subscribe_with(&format!("{scheme}://~127.0.0.1:0"), &options)
        .unwrap();
    let port = receiver.subscription_port(subscription).unwrap();
    let mut sender = wire.client();
    sender.set_blocking(false);
    for n in 0..20 {
        let address = format!("{scheme}://127.0.0.1:{port}/q");
        sender.put(&message_to(&address, &n.to_string())).unwrap();
    }
    receiver.set_blocking(false);
    let mut message = Message::new();
    let mut seen = 0;
    while seen < 20 {
        let _ = receiver.recv(Credit::All);
        let mut quiet = 0;
        // Until neither side has anything more to do.
        while quiet < 20 {
            let moved = sender.work(Some(Duration::from_millis(1))).unwrap()
                | receiver.work(Some(Duration::from_millis(1))).unwrap();
            quiet = if moved { 0 } else { quiet + 1 };
            assert!(receiver.incoming() <= 3, "{}", receiver.incoming());
        }
        assert_eq!(receiver.incoming(), 3.min(20 - seen));
        receiver.get(&mut message).unwrap();
        assert_eq!(text(&message), seen.to_string());
        seen += 1;
    }
    for mut messenger in [sender, receiver] {
        messenger.set_blocking(true);
        messenger.stop().unwrap();
    }
}

fn a_listening_messenger_says_that_it_does_not_filter(wire: Wire) {
    let (mut listening, address) = wire.server();
    let mut messenger = wire.client();
    listening.set_blocking(false);
    messenger.set_blocking(false);
    let options = SubscribeOptions::new().selector("a = 1");
    messenger
        .subscribe_with(&format!("{address}/q"), &options)
        .unwrap();
    let error = loop {
        listening.work(Some(Duration::from_millis(1))).unwrap();
        match messenger.recv(1) {
            Err(Error::InProgress) => {}
            Err(error) => break error,
            Ok(()) => panic!("a message"),
        }
    };
    assert_eq!(error.kind(), ErrorKind::Subscribe, "{error}");
}

#[test]
fn a_subscription_to_a_listening_messenger_receives_what_is_put_to_its_name() {
    let (mut listening, address) = server();
    let mut messenger = Messenger::with_name("reader").unwrap();
    let options = SubscribeOptions::new().ttl(Duration::from_secs(5));
    let subscription = messenger
        .subscribe_with(&format!("{address}/news"), &options)
        .unwrap();
    listening.set_blocking(false);
    messenger.set_blocking(false);
    let _ = messenger.recv(1);
    // Who is there is known by name from then on.
    while messenger.subscription_source(subscription).is_none() {
        listening.work(Some(Duration::from_millis(1))).unwrap();
        messenger.work(Some(Duration::from_millis(1))).unwrap();
    }
    let granted = messenger.subscription_source(subscription).unwrap();
    assert_eq!(
        granted.timeout, 0,
        "a messenger keeps nothing for who leaves"
    );
    listening
        .put(&message_to("amqp://reader/news", "hello"))
        .unwrap();
    while messenger.incoming() == 0 {
        listening.work(Some(Duration::from_millis(1))).unwrap();
        messenger.work(Some(Duration::from_millis(1))).unwrap();
    }
}
