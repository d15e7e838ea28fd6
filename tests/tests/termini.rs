//! What attach says: role, termini, refusal (2.6.3, 2.7.3, 3.5).

use ferrion_engine::protocol::{Condition, TargetArchetype, conditions};
use ferrion_engine::{Event, LinkConfig};
use ferrion_tests::build::{Build, Role, attach, detach, error, source, target};
use ferrion_tests::oracle::V;
use ferrion_tests::peer::{client, server};

fn script_sender(name: &str, handle: u32) -> Build {
    attach()
        .name(name)
        .handle(handle)
        .role(Role::Sender)
        .initial_delivery_count(0)
        .source(source().address("s").v())
        .target(target().address("t").v())
}

fn script_receiver(name: &str, handle: u32) -> Build {
    attach()
        .name(name)
        .handle(handle)
        .role(Role::Receiver)
        .source(source().address("s").v())
        .target(target().address("t").v())
}

#[test]
fn a_senders_attach_names_role_termini_and_delivery_count() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let config = LinkConfig::sender("my-link", "queue");
        p.attach_sender(session, config).unwrap();
        p.expect_attach()
            .name("my-link")
            .handle(0)
            .role(Role::Sender)
            .initial_delivery_count(0)
            .target(target().address("queue").v())
            .check("a source", |attach| !attach.get("source").is_null());
    });
}

#[test]
fn a_receivers_attach_has_no_delivery_count() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let config = LinkConfig::receiver("my-link", "queue");
        p.attach_receiver(session, config).unwrap();
        p.expect_attach()
            .role(Role::Receiver)
            .null("initial-delivery-count")
            .check("the address", |attach| {
                attach.get("source").composite().unwrap().1[0] == V::str("queue")
            });
    });
}

#[test]
fn a_link_of_the_peers_waits_to_be_accepted_and_is_answered_with_its_termini() {
    server(|p| {
        p.opened();
        p.begun_by_script(Default::default(), |b| b);
        p.inject(script_sender("l", 3));
        let Some(Event::LinkAttached(id)) = p.next_event() else {
            panic!()
        };
        p.expect_nothing();
        let mut link = p.engine().link(id).unwrap();
        assert!(link.is_incoming());
        assert_eq!(link.name(), "l");
        assert!(
            matches!(link.remote_target(), Some(TargetArchetype::Target(t)) if t.address.as_deref() == Some("t"))
        );
        link.accept().unwrap();
        p.expect_attach()
            .name("l")
            .role(Role::Receiver)
            .handle(0)
            .source(source().address("s").v())
            .target(target().address("t").v());
        assert!(p.engine().link(id).unwrap().is_attached());
    });
}

#[test]
fn refusing_a_link_attaches_without_a_terminus_and_then_closes() {
    server(|p| {
        p.engine_starts_at_zero();
        p.opened();
        p.begun_by_script(Default::default(), |b| b);
        for (build, role, terminus) in [
            (script_sender("a", 3), Role::Receiver, "target"),
            (script_receiver("b", 4), Role::Sender, "source"),
        ] {
            p.inject(build);
            let id = p.event_where("LinkAttached", |e| {
                if let Event::LinkAttached(id) = e {
                    Some(id)
                } else {
                    None
                }
            });
            p.engine()
                .link(id)
                .unwrap()
                .refuse(Condition::new(conditions::NOT_FOUND))
                .unwrap();
            let got = p.expect_attach().role(role).null(terminus);
            let handle = got.uint("handle");
            p.expect_detach()
                .handle(handle)
                .closed(true)
                .condition("amqp:not-found");
            p.expect_nothing();
        }
    });
}

#[test]
fn a_refused_sender_learns_why_and_sends_nothing() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let id = p
            .attach_sender(session, LinkConfig::sender("l", "q"))
            .unwrap();
        p.expect_attach()
            .respond_with(|attach| attach.target(V::Null));
        p.inject(
            detach()
                .handle(7)
                .closed(true)
                .error(error("amqp:not-found").v()),
        );
        assert_eq!(p.next_event(), Some(Event::LinkAttached(id)));
        assert!(
            p.engine().link(id).unwrap().remote_target().is_none(),
            "a null target is not a target without address"
        );
        assert_eq!(p.next_event(), Some(Event::LinkDetached(id)));
        let mut sender = p.engine().sender(id).unwrap();
        assert!(sender.send(b"t", b"x").is_err());
        let mut link = p.engine().link(id).unwrap();
        assert_eq!(link.error().unwrap().condition.condition, "amqp:not-found");
        assert!(link.is_remote_closed());
        link.close(None).unwrap();
        p.expect_detach().handle(0).closed(true).no_error();
        p.expect_nothing();
    });
}

#[test]
fn a_target_without_an_address_is_a_target() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let mut config = LinkConfig::sender("anonymous", "");
        config.target = Some(Box::new(TargetArchetype::Target(Default::default())));
        let link = p.sender_with(session, config, |b| b.target(target().v()));
        assert!(p.engine().link(link.id).unwrap().remote_target().is_some());
    });
}

#[test]
fn a_senders_attach_without_a_delivery_count_ends_the_link_and_no_more() {
    server(|p| {
        // The engine attaches only to be able to detach.
        p.engine_starts_at_zero();
        p.opened();
        let session = p.begun_by_script(Default::default(), |b| b);
        let good = p.attached_by_script(script_sender("good", 0));
        p.inject(script_sender("s", 1).set("initial-delivery-count", V::Null));
        let handle = p.expect_attach().name("s").null("target").uint("handle");
        p.expect_detach()
            .handle(handle)
            .closed(true)
            .condition("amqp:invalid-field");
        // So for the answer to a link of ours.
        let id = p
            .attach_receiver(session, LinkConfig::receiver("r", "q"))
            .unwrap();
        let handle = p.expect_attach().name("r").uint("handle");
        p.inject(script_sender("r", 2).set("initial-delivery-count", V::Null));
        p.expect_detach()
            .handle(handle)
            .closed(true)
            .condition("amqp:invalid-field");
        p.inject(detach().handle(2).closed(true));
        assert!(!p.engine().link(id).unwrap().is_attached());
        assert!(p.engine().link(good.id).unwrap().is_attached());
        p.expect_nothing();
    });
}

#[test]
fn a_receivers_attach_may_say_a_delivery_count_which_means_nothing() {
    for said in [V::Null, V::Uint(77)] {
        server(|p| {
            p.opened();
            p.begun_by_script(Default::default(), |b| b);
            p.inject(script_receiver("r", 2).set("initial-delivery-count", said.clone()));
            let id = p.event_where("LinkAttached", |e| match e {
                Event::LinkAttached(id) => Some(id),
                _ => None,
            });
            p.accept_link(id).unwrap();
            p.expect_attach().initial_delivery_count(0);
            // The receiver has not seen that attach: its credit counts from there all the same.
            let flow = p.flow().handle(2).link_credit(3);
            p.inject(flow);
            assert_eq!(p.engine().sender(id).unwrap().credit(), 3);
        });
    }
}

#[test]
fn a_refused_receiver_learns_why() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let id = p
            .attach_receiver(session, LinkConfig::receiver("l", "q"))
            .unwrap();
        p.expect_attach()
            .respond_with(|attach| attach.source(V::Null));
        let gone = error("amqp:resource-deleted").v();
        p.inject(detach().handle(7).closed(true).error(gone));
        p.expect_events(&[Event::LinkAttached(id), Event::LinkDetached(id)]);
        let mut link = p.engine().link(id).unwrap();
        assert!(link.remote_source().is_none());
        let why = &link.error().unwrap().condition;
        assert_eq!(why.condition, "amqp:resource-deleted");
        link.close(None).unwrap();
        p.expect_detach().handle(0).closed(true).no_error();
        p.expect_nothing();
    });
}
