//! What the attaches of links carry, and links that come again.

use ferrion_engine::{
    Config, LinkConfig,
    codec::Symbol,
    protocol::{Role, Source, Target, TargetArchetype, TerminusDurability},
};
use ferrion_tests::interop::Library;
use serde_json::{Value, json};

use crate::common::{Side, attach, begin, everywhere, fields, meet, message, note, open, plain};

everywhere!(
    dynamic_nodes_get_an_address,
    filters_and_termini_travel,
    properties_travel,
    a_link_comes_again,
);

/// What the node is to live as long as: the link (3.5.10).
fn lifetime() -> Value {
    json!([
        "map",
        [[
            ["symbol", "lifetime-policy"],
            ["described", ["ulong", "43"], ["list", []]]
        ]]
    ])
}

fn dynamic_nodes_get_an_address(library: Library, side: Side) {
    let mut m = meet(library, side);
    let source = Source {
        dynamic: true,
        dynamic_node_properties: Some(fields(&lifetime())),
        ..Source::default()
    };
    let target = Target {
        dynamic: true,
        ..Target::default()
    };
    // Ferrion asks.
    let config = LinkConfig::new("in", source, Target::default());
    let link = m.talk.attach(m.session, Role::Receiver, config).unwrap();
    let heard = m.hear("link");
    assert_eq!(
        (&heard["source"]["dynamic"], &heard["source"]["address"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(
        heard["source"]["node_properties"],
        plain(library, &lifetime())
    );
    let view = m.talk.engine().link(link).unwrap();
    let answer = view.remote_source().unwrap();
    assert_eq!(answer.address.as_deref(), Some("made-1"));
    assert!(answer.dynamic);
    assert_eq!(note(answer.dynamic_node_properties.as_ref()), lifetime());
    let config = LinkConfig::new("out", Source::default(), target);
    let link = m.talk.attach(m.session, Role::Sender, config).unwrap();
    assert_eq!(m.hear("link")["target"]["dynamic"], true);
    let view = m.talk.engine().link(link).unwrap();
    let Some(TargetArchetype::Target(answer)) = view.remote_target() else {
        panic!("{:?}", view.remote_target())
    };
    assert_eq!(
        (answer.address.as_deref(), answer.dynamic),
        (Some("made-2"), true)
    );
    // The peer asks.
    for (role, terminus) in [("receiver", "source"), ("sender", "target")] {
        let mut step = json!({"do": "attach", "role": role, "name": format!("their-{role}")});
        step[terminus] = json!({"dynamic": true, "node_properties": lifetime()});
        let link = m.offered(&step);
        let mut view = m.talk.engine().link(link).unwrap();
        let mut offer = view.offer().unwrap();
        let (dynamic, address, properties) = match (&mut offer.source, &mut offer.target) {
            (Some(source), _) if role == "receiver" => (
                source.dynamic,
                &mut source.address,
                &source.dynamic_node_properties,
            ),
            (_, Some(target)) => match &mut **target {
                TargetArchetype::Target(target) => (
                    target.dynamic,
                    &mut target.address,
                    &target.dynamic_node_properties,
                ),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        assert!(dynamic);
        assert_eq!(note(properties.as_ref()), lifetime());
        *address = Some("ferrion/1".into());
        view.accept_with(offer).unwrap();
        let heard = m.hear("link");
        assert_eq!(heard[terminus]["address"], "ferrion/1");
        assert_eq!(heard[terminus]["dynamic"], true);
        assert_eq!(
            heard[terminus]["node_properties"],
            plain(library, &lifetime())
        );
    }
    m.part();
}

/// The selector that brokers know, under its registered descriptor.
fn filter() -> Value {
    let selector = json!([
        "described",
        ["ulong", "77567109365764"],
        ["string", "colour = 'gr\u{fc}n'"]
    ]);
    json!(["map", [[["symbol", "selector"], selector]]])
}

fn capabilities() -> Value {
    json!([
        "array",
        "symbol",
        null,
        [["symbol", "queue"], ["symbol", "shared"]]
    ])
}

fn filters_and_termini_travel(library: Library, side: Side) {
    let mut m = meet(library, side);
    let source = Source {
        address: Some("node".into()),
        filter: Some(fields(&filter())),
        distribution_mode: Some(Symbol::from_static("copy")),
        durable: TerminusDurability::UnsettledState,
        timeout: 30,
        capabilities: vec![Symbol::from_static("queue"), Symbol::from_static("shared")],
        ..Source::default()
    };
    let is_it = |heard: &Value| {
        assert_eq!(heard["address"], "node");
        assert_eq!(heard["filter"], plain(library, &filter()));
        assert_eq!(heard["distribution"], "copy");
        assert_eq!(heard["durable"], 2);
        assert_eq!(heard["timeout"], 30);
        assert_eq!(heard["capabilities"], capabilities());
    };
    let config = LinkConfig::new("in", source.clone(), Target::with_address("here"));
    let link = m.talk.attach(m.session, Role::Receiver, config).unwrap();
    let heard = m.hear("link");
    is_it(&heard["source"]);
    assert_eq!(heard["target"]["address"], "here");
    // A sender answers with the filters in place (2.7.3): the peer took this one.
    let view = m.talk.engine().link(link).unwrap();
    assert_eq!(view.remote_source(), Some(&source));
    let theirs = json!({
        "address": "node", "filter": filter(), "distribution": "copy", "durable": 2, "timeout": 30,
        "capabilities": capabilities(),
    });
    let step = json!({"do": "attach", "role": "receiver", "name": "out", "source": theirs, "target": {"address": "there"}});
    let link = m.offered(&step);
    let mut view = m.talk.engine().link(link).unwrap();
    assert_eq!(view.remote_source(), Some(&source));
    view.accept().unwrap();
    let heard = m.hear("link");
    is_it(&heard["source"]);
    assert_eq!(heard["target"]["address"], "there");
    m.part();
}

fn properties(of: &str) -> Value {
    json!([
        "map",
        [
            [["symbol", "product"], ["string", of]],
            [
                ["symbol", "list"],
                ["list", [["string", "x"], ["boolean", true]]]
            ]
        ]
    ])
}

fn symbols(names: &[&'static str]) -> Vec<Symbol> {
    names.iter().copied().map(Symbol::from_static).collect()
}

/// Of connections and links. Proton has no capabilities of links: it ignores ours, and says nothing of its own.
fn properties_travel(library: Library, side: Side) {
    let mut config = Config::new("ferrion");
    config.properties = Some(fields(&properties("ferrion")));
    config.offered_capabilities = symbols(&["ANONYMOUS-RELAY", "x-one"]);
    config.desired_capabilities = symbols(&["x-two"]);
    config.channel_max = 7;
    let theirs = json!({
        "properties": properties("peer"), "offered": ["x-three"], "desired": ["x-four", "x-five"], "channel_max": 15,
    });
    let (mut talk, peer, heard) = open(library, side, config, &theirs);
    assert_eq!(heard["container"], "ferrion");
    assert_eq!(heard["properties"], plain(library, &properties("ferrion")));
    assert_eq!(heard["offered"], json!(["ANONYMOUS-RELAY", "x-one"]));
    assert_eq!(heard["desired"], json!(["x-two"]));
    assert_eq!(heard["channel_max"], 7);
    let remote = talk.engine().connection().remote().cloned().unwrap();
    assert_eq!(note(remote.properties.as_ref()), properties("peer"));
    assert_eq!(remote.offered_capabilities, symbols(&["x-three"]));
    assert_eq!(remote.desired_capabilities, symbols(&["x-four", "x-five"]));
    // Proton says no more than it heard.
    let heard_first = library == Library::Proton && side == Side::Client;
    assert_eq!(remote.channel_max, if heard_first { 7 } else { 15 });
    let mut m = begin(talk, peer, side);

    let config = LinkConfig {
        properties: Some(fields(&properties("link"))),
        offered_capabilities: symbols(&["x-six"]),
        desired_capabilities: symbols(&["x-seven", "x-eight"]),
        max_message_size: Some(1 << 40),
        ..LinkConfig::receiver("in", "node")
    };
    m.talk.attach(m.session, Role::Receiver, config).unwrap();
    let heard = m.hear("link");
    assert_eq!(heard["properties"], plain(library, &properties("link")));
    assert_eq!(heard["max_message_size"], 1_u64 << 40);
    let step = json!({
        "do": "attach", "role": "receiver", "name": "out", "source": {"address": "node"}, "target": {},
        "properties": properties("link"), "offered": ["x-six"], "desired": ["x-seven", "x-eight"],
        "max_message_size": 1_u64 << 40,
    });
    let link = m.offered(&step);
    let mut view = m.talk.engine().link(link).unwrap();
    let remote = view.remote().cloned().unwrap();
    assert_eq!(note(remote.properties.as_ref()), properties("link"));
    assert_eq!(remote.max_message_size, Some(1 << 40));
    if library == Library::Proton {
        assert!(remote.offered_capabilities.is_empty() && remote.desired_capabilities.is_empty());
    } else {
        assert_eq!(heard["offered"], json!(["x-six"]));
        assert_eq!(heard["desired"], json!(["x-seven", "x-eight"]));
        assert_eq!(remote.offered_capabilities, symbols(&["x-six"]));
        assert_eq!(
            remote.desired_capabilities,
            symbols(&["x-seven", "x-eight"])
        );
    }
    view.accept().unwrap();
    m.hear("link");
    m.part();
}

/// Detached without being closed, and attached again under its name, by both sides in turn.
fn a_link_comes_again(library: Library, side: Side) {
    let mut m = meet(library, side);
    for round in 0..2 {
        let config = LinkConfig::sender("ours", "node");
        let link = m.talk.attach(m.session, Role::Sender, config).unwrap();
        m.hear("link");
        m.tell(&json!({"do": "credit", "link": "ours", "count": 5}));
        m.talk.send_settled(link, message("one"));
        assert_eq!(m.hear("message")["text"], "one", "round {round}");
        m.talk.engine().link(link).unwrap().detach().unwrap();
        assert_eq!(m.hear("detach")["closed"], false);
        let closed = m.talk.detached(link).closed;
        assert_eq!(closed, library == Library::Rhea);
        if closed {
            // rhea knows no other answer than to close, which is answered by a link that comes and is closed (2.6.6).
            m.hear("link");
            assert_eq!(m.hear("detach")["closed"], true);
        }
        m.talk.until("a free name", |engine| {
            (engine.census().links == 0).then_some(())
        });
    }
    for round in 0..2 {
        let link = m.accept(&attach("sender", "theirs"));
        m.talk.grant(link, 5);
        m.tell(&json!({"do": "send", "link": "theirs", "texts": ["two"]}));
        let delivery = m.talk.receive(link);
        assert_eq!(
            delivery.payload.into_bytes(),
            message("two"),
            "round {round}"
        );
        m.talk.settle(
            link,
            delivery.id.unwrap(),
            ferrion_engine::protocol::DeliveryState::Accepted,
        );
        m.hear("update");
        m.tell(&json!({"do": "detach", "link": "theirs", "closed": false}));
        m.talk.until("a detach", |engine| {
            engine.link(link).ok()?.awaits_detach().then_some(())
        });
        assert!(!m.talk.engine().link(link).unwrap().is_remote_closed());
        m.talk.engine().link(link).unwrap().detach().unwrap();
        assert_eq!(m.hear("detach")["closed"], false);
    }
    assert_eq!(m.talk.engine().census().links, 0);
    m.part();
}
