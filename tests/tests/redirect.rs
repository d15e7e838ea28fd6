//! A peer that sends its client elsewhere, or away for a while, is understood (2.8.16, 2.8.18).

use ferrion_engine::protocol::{Condition, Redirect, conditions};
use ferrion_engine::{Event, Failure, Origin};
use ferrion_tests::build::{Role, attach, close, detach, error, source, target};
use ferrion_tests::oracle::V;
use ferrion_tests::peer::{client, server};

fn elsewhere() -> Redirect {
    Redirect {
        hostname: Some("queues.example".into()),
        network_host: Some("10.0.0.7".into()),
        port: Some(5673),
        address: None,
    }
}

fn info(more: &[(&str, V)]) -> V {
    let mut entries = vec![
        ("hostname", V::str("queues.example")),
        ("network-host", V::str("10.0.0.7")),
        ("port", V::Ushort(5673)),
    ];
    entries.extend_from_slice(more);
    V::fields(&entries)
}

#[test]
fn a_redirected_connection_says_where_to_go() {
    client(|p| {
        p.opened();
        let error = error("amqp:connection:redirect").set("info", info(&[]));
        p.inject(close().error(error.v()));
        p.expect_close().no_error();
        let failure = p.engine().failure().unwrap().clone();
        assert!(matches!(
            failure,
            Failure::Condition {
                origin: Origin::Remote,
                ..
            }
        ));
        assert_eq!(failure.condition().unwrap().redirect(), Some(elsewhere()));
        let text = failure.to_string();
        assert!(text.ends_with("connect to 10.0.0.7:5673 instead"), "{text}");
    });
}

#[test]
fn a_redirected_link_says_where_its_terminus_is() {
    client(|p| {
        p.opened();
        let session = p.begun();
        let link = p.receiver(session, "l");
        let error = error("amqp:link:redirect").set("info", info(&[("address", V::str("q2"))]));
        p.inject(detach().handle(link.theirs).closed(true).error(error.v()));
        p.event_where("LinkDetached", |e| {
            (e == Event::LinkDetached(link.id)).then_some(())
        });
        let view = p.engine().link(link.id).unwrap();
        let expected = Redirect {
            address: Some("q2".into()),
            ..elsewhere()
        };
        assert_eq!(view.error().unwrap().condition.redirect(), Some(expected));
    });
}

#[test]
fn an_operators_close_is_told_from_a_fault() {
    for (condition, forced) in [
        ("amqp:connection:forced", true),
        ("amqp:connection:framing-error", false),
    ] {
        client(|p| {
            p.opened();
            p.inject(close().error(error(condition).v()));
            let failure = p.engine().failure().unwrap();
            assert_eq!(failure.condition().unwrap().is_forced(), forced);
            assert_eq!(failure.condition().unwrap().redirect(), None);
        });
    }
}

#[test]
fn a_server_redirects_connections_and_links() {
    server(|p| {
        p.engine_starts_at_zero();
        p.opened();
        p.begun_by_script(Default::default(), |b| b);
        p.inject(
            attach()
                .name("l")
                .handle(0)
                .role(Role::Receiver)
                .source(source().address("moved").v())
                .target(target().v()),
        );
        let link = p.event_where("LinkAttached", |e| match e {
            Event::LinkAttached(id) => Some(id),
            _ => None,
        });
        let there = Redirect {
            address: Some("moved".into()),
            ..elsewhere()
        };
        p.engine().link(link).unwrap().refuse(there.link()).unwrap();
        p.expect_attach().null("source");
        let address = info(&[("address", V::str("moved"))]);
        p.expect_detach()
            .error(error("amqp:link:redirect").set("info", address).v());
        p.engine()
            .connection()
            .close(Some(elsewhere().connection()))
            .unwrap();
        let expected = error("amqp:connection:redirect").set("info", info(&[]));
        p.expect_close().error(expected.v());
    });
}

#[test]
fn a_redirect_without_particulars_is_a_redirect() {
    client(|p| {
        p.opened();
        p.inject(close().error(error("amqp:connection:redirect").v()));
        let condition = p.engine().connection().remote_condition().cloned();
        assert_eq!(
            condition.as_ref().map(|c| c.condition.clone()),
            Some(conditions::CONNECTION_REDIRECT)
        );
        let place = condition.as_ref().and_then(Condition::redirect);
        assert_eq!(place, Some(Redirect::default()));
    });
}
