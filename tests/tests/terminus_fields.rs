//! What source and target say, field by field, both ways (3.5.3, 3.5.4).

use bytes::Bytes;
use ferrion_engine::codec::{Decode, Encode, Fields, Reader, Symbol, Value};
use ferrion_engine::protocol::{
    Condition, DeliveryState, LifetimePolicy, NodeProperties, Source, StdDistMode, Target,
    TargetArchetype, TerminusDurability, TerminusExpiryPolicy, conditions,
};
use ferrion_engine::{Event, Link, LinkConfig, LinkId, SessionId, UsageError};
use ferrion_tests::build::{self, Build, Role, attach, detach, modified, source, target};
use ferrion_tests::oracle::{self, Perf, V};
use ferrion_tests::peer::{Peer, client, server};

const ROLES: [Role; 2] = [Role::Sender, Role::Receiver];

/// Node properties with a lifetime policy (3.5.10 to 3.5.13), distribution modes, and one that nobody here knows.
fn node_properties(policy: u64) -> V {
    V::fields(&[
        ("lifetime-policy", V::described(policy, V::List(vec![]))),
        ("supported-dist-modes", V::symbols(&["move", "copy"])),
        ("vendor", V::Map(vec![(V::Null, V::Bool(true))])),
    ])
}

/// A source with every field set, that of a node with an address or of one to be made.
fn full_source(dynamic: bool) -> Build {
    let selector = V::described(0x0000_468c_0000_0004, V::str("colour = 'red'"));
    let source = source()
        .durable(2)
        .expiry_policy("never")
        .timeout(30)
        .distribution_mode("copy")
        .filter(V::fields(&[("sel", selector), ("none", V::Null)]))
        .default_outcome(modified().delivery_failed(true).v())
        .outcomes(&["amqp:accepted:list", "vendor:outcome:list"])
        .capabilities(&["queue", "vendor:x"]);
    if dynamic {
        source
            .dynamic(true)
            .set("dynamic-node-properties", node_properties(0x2c))
    } else {
        source.address("q")
    }
}

fn full_target(dynamic: bool) -> Build {
    let target = target()
        .durable(1)
        .expiry_policy("link-detach")
        .timeout(u32::MAX)
        .capabilities(&["topic"]);
    if dynamic {
        target
            .dynamic(true)
            .set("dynamic-node-properties", node_properties(0x2e))
    } else {
        target.address("t")
    }
}

fn octets(value: &V) -> Bytes {
    let mut octets = Vec::new();
    oracle::encode(value, &mut octets);
    octets.into()
}

/// As the engine has it.
fn made<T: Decode>(value: &V) -> T {
    T::decode(&mut Reader::new(&octets(value))).expect("a terminus")
}

/// Whether what the engine has is that, judged by the naive codec.
#[track_caller]
fn assert_same(ours: &impl Encode, expected: &V) {
    let mut octets = Vec::new();
    ours.encode(&mut octets);
    let (value, _) = oracle::decode(&octets).expect("a value");
    assert!(oracle::same(&value, expected), "{value} is not {expected}");
}

fn link_config(role: Role, source: &V, target: &V) -> LinkConfig {
    let mut config = match role {
        Role::Sender => LinkConfig::sender("l", "q"),
        Role::Receiver => LinkConfig::receiver("l", "q"),
    };
    config.source = Some(Box::new(made(source)));
    config.target = Some(Box::new(made(target)));
    config
}

fn try_attach(
    p: &mut Peer,
    session: SessionId,
    role: Role,
    config: LinkConfig,
) -> Result<LinkId, UsageError> {
    match role {
        Role::Sender => p.attach_sender(session, config),
        Role::Receiver => p.attach_receiver(session, config),
    }
}

fn from_script(role: Role, source: V, target: V) -> Build {
    attach()
        .name("l")
        .handle(3)
        .role(role)
        .initial_delivery_count(0)
        .source(source)
        .target(target)
}

fn incoming(p: &mut Peer, attach: Build) -> LinkId {
    p.inject(attach);
    p.event_where("LinkAttached", |e| match e {
        Event::LinkAttached(id) => Some(id),
        _ => None,
    })
}

#[test]
fn every_field_of_the_termini_goes_out_and_comes_back() {
    for role in ROLES {
        client(|p| {
            p.opened();
            let session = p.begun();
            let (source, target) = (full_source(false), full_target(false));
            let config = link_config(role, &source.clone().v(), &target.clone().v());
            let id = try_attach(p, session, role, config).unwrap();
            // The peer has its own idea of both.
            let (other_source, other_target) = (
                full_source(false).timeout(7).distribution_mode("move"),
                full_target(false).address("elsewhere"),
            );
            let (their_source, their_target) = (other_source.clone(), other_target.clone());
            p.expect_attach()
                .role(role)
                .source(source.v())
                .target(target.v())
                .respond_with(|b| b.source(their_source.v()).target(their_target.v()));
            p.expect_events(&[Event::LinkAttached(id)]);
            let link = p.engine().link(id).unwrap();
            assert_same(link.remote_source().unwrap(), &other_source.v());
            let Some(TargetArchetype::Target(remote)) = link.remote_target() else {
                panic!()
            };
            assert_same(remote, &other_target.v());
        });
    }
}

#[test]
fn every_field_of_a_peers_termini_reaches_the_application_and_is_echoed() {
    for role in ROLES {
        server(|p| {
            p.opened();
            p.begun_by_script(Default::default(), |b| b);
            let (source, target) = (full_source(false).v(), full_target(false).v());
            let id = incoming(p, from_script(role, source.clone(), target.clone()));
            let link = p.engine().link(id).unwrap();
            assert_same(link.remote_source().unwrap(), &source);
            let Some(TargetArchetype::Target(remote)) = link.remote_target() else {
                panic!()
            };
            assert_same(remote, &target);
            p.accept_link(id).unwrap();
            p.expect_attach()
                .role(role.other())
                .source(source)
                .target(target);
        });
    }
}

#[test]
fn termini_mean_what_their_fields_say() {
    let source: Source = made(&full_source(true).v());
    assert_eq!(source.durable, TerminusDurability::UnsettledState);
    assert_eq!(source.expiry_policy, TerminusExpiryPolicy::Never);
    assert_eq!((source.timeout, source.dynamic), (30, true));
    assert_eq!(source.distribution_mode, Some(StdDistMode::Copy.symbol()));
    let filter = source.filter.unwrap();
    assert!(matches!(filter.get("sel"), Some(Value::Described(_))));
    assert_eq!(filter.get("none"), Some(Value::Null));
    assert!(matches!(
        source.default_outcome,
        Some(DeliveryState::Modified(_))
    ));
    assert_eq!(source.outcomes.len(), 2);
    assert_eq!(source.capabilities.len(), 2);
    let target: Target = made(&full_target(true).v());
    assert_eq!(target.durable, TerminusDurability::Configuration);
    assert_eq!(target.expiry_policy, TerminusExpiryPolicy::LinkDetach);
    // What is not said has its default.
    let (source, target): (Source, Target) = (
        made(&build::source().v()),
        made(&build::target().address("x").v()),
    );
    assert_eq!(source, Source::default());
    assert_eq!(source.expiry_policy, TerminusExpiryPolicy::SessionEnd);
    assert_eq!(target, Target::with_address("x"));
}

#[test]
fn node_properties_are_typed_and_others_are_passed_over() {
    let policies = [
        (0x2b, LifetimePolicy::DeleteOnClose),
        (0x2c, LifetimePolicy::DeleteOnNoLinks),
        (0x2d, LifetimePolicy::DeleteOnNoMessages),
        (0x2e, LifetimePolicy::DeleteOnNoLinksOrMessages),
    ];
    let modes = vec![StdDistMode::Move.symbol(), StdDistMode::Copy.symbol()];
    for (code, policy) in policies {
        let properties = NodeProperties {
            lifetime_policy: Some(policy),
            supported_dist_modes: modes.clone(),
        };
        let fields: Fields = made(&node_properties(code));
        assert_eq!(NodeProperties::from_fields(&fields).unwrap(), properties);
        let V::Map(mut known) = node_properties(code) else {
            panic!()
        };
        known.pop();
        assert_same(&properties.to_fields(), &V::Map(known));
    }
    // One mode may stand alone (1.3), and nothing is something too.
    let lone: Fields = made(&V::fields(&[("supported-dist-modes", V::sym("move"))]));
    let lone = NodeProperties::from_fields(&lone).unwrap();
    assert_eq!(lone.supported_dist_modes, modes[..1]);
    let nothing: Fields = made(&V::fields(&[
        ("lifetime-policy", V::Null),
        ("supported-dist-modes", V::Null),
    ]));
    assert_eq!(
        NodeProperties::from_fields(&nothing),
        Ok(NodeProperties::default())
    );
    assert!(NodeProperties::default().to_fields().is_empty());
    for wrong in [
        ("lifetime-policy", V::sym("delete-on-close")),
        ("lifetime-policy", V::described(0x28, V::List(vec![]))),
        ("supported-dist-modes", V::str("move")),
    ] {
        let fields: Fields = made(&V::fields(&[wrong]));
        assert!(NodeProperties::from_fields(&fields).is_err());
    }
}

/// The node is made by the side that the terminus is at; only that side names it (3.5.3, 3.5.4).
#[test]
fn a_dynamic_node_is_asked_for_without_an_address_and_answered_with_one() {
    for role in ROLES {
        let termini = |address: Option<&str>| {
            let (mut source, mut target) = match role {
                Role::Receiver => (full_source(true), full_target(false)),
                Role::Sender => (full_source(false), full_target(true)),
            };
            if let Some(address) = address {
                match role {
                    Role::Receiver => source = source.address(address),
                    Role::Sender => target = target.address(address),
                }
            }
            (source.v(), target.v())
        };
        client(|p| {
            p.opened();
            let session = p.begun();
            let (source, target) = termini(Some("mine"));
            let refused = try_attach(p, session, role, link_config(role, &source, &target));
            assert!(matches!(refused, Err(UsageError::Terminus(_))), "{role:?}");
            p.expect_nothing();
            let (source, target) = termini(None);
            let id = try_attach(p, session, role, link_config(role, &source, &target)).unwrap();
            let (their_source, their_target) = termini(Some("made"));
            p.expect_attach()
                .source(source)
                .target(target)
                .respond_with(|b| b.source(their_source).target(their_target));
            let link = p.engine().link(id).unwrap();
            let address = match (role, link.remote_target()) {
                (Role::Receiver, _) => link.remote_source().unwrap().address.clone(),
                (_, Some(TargetArchetype::Target(target))) => target.address.clone(),
                _ => None,
            };
            assert_eq!(address.as_deref(), Some("made"));
        });
        server(|p| {
            p.opened();
            p.begun_by_script(Default::default(), |b| b);
            let (source, target) = termini(None);
            let id = incoming(p, from_script(role, source, target));
            let start = p.wire(0);
            let mut link = p.engine().link(id).unwrap();
            assert!(matches!(link.accept(), Err(UsageError::Terminus(_))));
            let mut answer = link.offer().unwrap();
            match (role, &mut answer.source, answer.target.as_deref_mut()) {
                (Role::Receiver, Some(source), _) => source.address = Some("made".into()),
                (_, _, Some(TargetArchetype::Target(target))) => {
                    target.address = Some("made".into());
                }
                _ => panic!(),
            }
            answer.initial_delivery_count = start;
            link.accept_with(answer).unwrap();
            let (source, target) = termini(Some("made"));
            p.expect_attach().source(source).target(target);
        });
    }
}

/// A link that asks for a node can be refused, and given up before it was answered.
#[test]
fn a_dynamic_node_that_is_not_made_is_no_terminus() {
    for gone in [false, true] {
        server(|p| {
            p.engine_starts_at_zero();
            p.opened();
            p.begun_by_script(Default::default(), |b| b);
            let attach = from_script(
                Role::Receiver,
                full_source(true).v(),
                full_target(false).v(),
            );
            let id = incoming(p, attach);
            let mut link = p.engine().link(id).unwrap();
            if gone {
                p.inject(detach().handle(3).closed(true));
                p.engine().link(id).unwrap().close(None).unwrap();
            } else {
                link.refuse(Condition::new(conditions::NOT_IMPLEMENTED))
                    .unwrap();
            }
            p.expect_attach().null("source");
            p.expect_detach().closed(true);
            p.expect_nothing();
        });
    }
}

#[test]
fn termini_that_must_not_be_are_refused_before_anything_is_sent() {
    let properties = node_properties(0x2b);
    let wrong_policy = V::fields(&[("lifetime-policy", V::str("for ever"))]);
    let unnamed = V::Map(vec![(V::str("sel"), V::described(7, V::Null))]);
    let sources = [
        source().set("dynamic-node-properties", properties.clone()),
        source()
            .dynamic(true)
            .set("dynamic-node-properties", wrong_policy.clone()),
        source().default_outcome(build::received().section_number(0).section_offset(0).v()),
        source().default_outcome(V::described(0x34, V::List(vec![V::bin(b"t")]))),
        source().filter(V::fields(&[("sel", V::str("plain"))])),
        source().filter(unnamed),
    ];
    let targets = [
        target().set("dynamic-node-properties", properties),
        target()
            .dynamic(true)
            .set("dynamic-node-properties", wrong_policy),
    ];
    let sources = sources.map(|source| (source.v(), target().v()));
    let targets = targets.map(|target| (build::source().v(), target.v()));
    for (source, target) in sources.iter().chain(&targets) {
        for role in ROLES {
            client(|p| {
                p.opened();
                let session = p.begun();
                let refused = try_attach(p, session, role, link_config(role, source, target));
                assert!(matches!(refused, Err(UsageError::Terminus(_))), "{source}");
                p.expect_nothing();
            });
            // The peer's mistake is seen as it is, but not repeated in the answer.
            server(|p| {
                p.opened();
                p.begun_by_script(Default::default(), |b| b);
                let id = incoming(p, from_script(role, source.clone(), target.clone()));
                let link = p.engine().link(id).unwrap();
                assert_same(link.remote_source().unwrap(), source);
                if p.accept_link(id).is_err() {
                    // Dynamic: without a name only a refusal is possible.
                    p.engine_starts_at_zero();
                    let mut link = p.engine().link(id).unwrap();
                    link.refuse(Condition::new(conditions::INVALID_FIELD))
                        .unwrap();
                }
                p.expect_attach()
                    .check("nothing that must not be", |attach| {
                        ["source", "target"].iter().all(|terminus| {
                            let terminus = attach.get(terminus);
                            let fields = terminus.composite().map_or(&[][..], |(_, fields)| fields);
                            fields.get(5).is_none_or(V::is_null)
                                && fields.get(8).is_none_or(V::is_null)
                                && match fields.get(7) {
                                    Some(V::Map(filters)) => filters.is_empty(),
                                    _ => true,
                                }
                        })
                    });
            });
        }
    }
}

#[test]
fn a_coordinator_is_a_target_and_keeps_its_capabilities() {
    let coordinator = V::described(
        0x30,
        V::List(vec![V::symbols(&[
            "amqp:local-transactions",
            "amqp:multi-txns-per-ssn",
        ])]),
    );
    let source = source().outcomes(&["amqp:rejected:list"]).v();
    client(|p| {
        p.opened();
        let session = p.begun();
        let config = link_config(Role::Sender, &source, &coordinator);
        let id = try_attach(p, session, Role::Sender, config).unwrap();
        p.expect_attach().target(coordinator.clone()).respond();
        let link = p.engine().link(id).unwrap();
        let Some(TargetArchetype::Coordinator(remote)) = link.remote_target() else {
            panic!()
        };
        assert_same(remote, &coordinator);
    });
    server(|p| {
        p.opened();
        p.begun_by_script(Default::default(), |b| b);
        let attach = from_script(Role::Sender, source.clone(), coordinator.clone());
        let id = incoming(p, attach);
        let link = p.engine().link(id).unwrap();
        assert!(matches!(
            link.remote_target(),
            Some(TargetArchetype::Coordinator(_))
        ));
        p.accept_link(id).unwrap();
        p.expect_attach().target(coordinator.clone());
    });
}

/// What an attach says besides its termini (2.7.3).
fn extras(of: &str) -> Build {
    attach()
        .max_message_size(1 << 40)
        .offered_capabilities(&["offered", of])
        .desired_capabilities(&["desired", of])
        .properties(V::fields(&[("product", V::str(of)), ("n", V::Null)]))
}

fn with_extras(attach: Build, of: &str) -> Build {
    let extras = extras(of);
    [
        "max-message-size",
        "offered-capabilities",
        "desired-capabilities",
        "properties",
    ]
    .iter()
    .fold(attach, |attach, name| attach.set(name, extras.field(name)))
}

fn has_extras(attach: &Perf, of: &str) -> bool {
    let expected = with_extras(attach_like(attach), of).frame(0);
    let expected = expected.perf.expect("an attach");
    oracle::same(
        &V::described(attach.code, V::List(attach.fields.clone())),
        &V::described(expected.code, V::List(expected.fields)),
    )
}

/// Name, handle, role, modes and termini of an attach, and nothing else.
fn attach_like(like: &Perf) -> Build {
    let kept = [
        "name",
        "handle",
        "role",
        "snd-settle-mode",
        "rcv-settle-mode",
        "source",
        "target",
        "initial-delivery-count",
    ];
    kept.iter()
        .fold(attach(), |attach, name| attach.set(name, like.get(name)))
}

fn config_with_extras(mut config: LinkConfig, of: &str) -> LinkConfig {
    let symbols = |first: &'static str| {
        [first.to_owned(), of.to_owned()].map(|text| Symbol::try_from(text).expect("ASCII"))
    };
    config.max_message_size = Some(1 << 40);
    config.offered_capabilities = symbols("offered").into();
    config.desired_capabilities = symbols("desired").into();
    config.properties = Some(made(&extras(of).field("properties")));
    config
}

#[track_caller]
fn assert_shown(link: &Link<'_>, of: &str) {
    let remote = link.remote().expect("an attach of the peer's");
    let words = |symbols: &[Symbol]| symbols.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(remote.max_message_size, Some(1 << 40));
    assert_eq!(words(&remote.offered_capabilities), ["offered", of]);
    assert_eq!(words(&remote.desired_capabilities), ["desired", of]);
    assert_same(
        remote.properties.as_ref().expect("properties"),
        &extras(of).field("properties"),
    );
}

#[test]
fn capabilities_properties_and_sizes_of_links_go_both_ways() {
    for role in ROLES {
        client(|p| {
            p.opened();
            let session = p.begun();
            let config = link_config(role, &full_source(false).v(), &full_target(false).v());
            let config = config_with_extras(config, "ours");
            let id = try_attach(p, session, role, config).unwrap();
            p.expect_attach()
                .check("the extras", |attach| has_extras(attach, "ours"))
                .respond_with(|answer| with_extras(answer, "theirs"));
            assert_shown(&p.engine().link(id).unwrap(), "theirs");
        });
        server(|p| {
            p.opened();
            p.begun_by_script(Default::default(), |b| b);
            let attach = from_script(role, full_source(false).v(), full_target(false).v());
            let id = incoming(p, with_extras(attach, "theirs"));
            let start = p.wire(0);
            let mut link = p.engine().link(id).unwrap();
            assert_shown(&link, "theirs");
            let mut answer = config_with_extras(link.offer().unwrap(), "ours");
            answer.initial_delivery_count = start;
            link.accept_with(answer).unwrap();
            p.expect_attach()
                .check("the extras", |attach| has_extras(attach, "ours"));
        });
    }
}
