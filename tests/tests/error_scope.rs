//! What the peer did wrong ends the smallest thing that it is about, and nothing else (2.8.14).

use ferrion_engine::{Event, Failure, LinkConfig, Origin, SessionConfig};
use ferrion_tests::build::{
    Build, Role, attach, begin, close, composite, detach, disposition, end, error, flow, source,
    transfer,
};
use ferrion_tests::oracle::{Perf, V};
use ferrion_tests::peer::{CHANNEL_OFFSET, Peer, Wired, client};

/// A value of a type that no field has.
const ODD: V = V::Char('x');

/// Two sessions, on the first of them a receiver and a sender, both with credit.
fn two_links(p: &mut Peer) -> (Wired, Wired) {
    p.opened();
    let session = p.begun();
    let bad = p.receiver(session, "bad");
    p.take_credit(&bad, 10);
    let good = p.sender(session, "good");
    p.grant(&good, 10);
    (bad, good)
}

/// The other link of the session still sends.
fn lives(p: &mut Peer, good: &Wired) {
    p.send_settled(good, b"t", b"alive");
    p.expect_transfer().handle(good.ours).payload(b"alive");
}

#[test]
fn a_broken_transfer_detaches_its_link() {
    let broken: [fn(Build) -> Build; 5] = [
        |transfer| transfer.delivery_tag(&[1; 33]),
        |transfer| transfer.set("delivery-id", ODD),
        |transfer| transfer.set("state", V::Uint(1)),
        |transfer| transfer.set("batchable", ODD),
        |transfer| transfer.extra(V::Null),
    ];
    for change in broken {
        client(|p| {
            let (bad, good) = two_links(p);
            let delivery = change(p.delivery(&bad, 0, b"x"));
            p.inject(delivery);
            p.expect_detach()
                .handle(bad.ours)
                .closed(true)
                .condition("amqp:decode-error");
            let more = p.delivery(&bad, 1, b"what was under way");
            p.inject(more);
            p.inject(detach().handle(bad.theirs).closed(true));
            p.expect_nothing();
            lives(p, &good);
        });
    }
}

#[test]
fn a_broken_transfer_counts_against_the_window_of_its_session() {
    client(|p| {
        let (bad, good) = two_links(p);
        let delivery = p.delivery(&bad, 0, b"x").set("delivery-id", ODD);
        p.inject(delivery);
        p.expect_detach().condition("amqp:decode-error");
        let ask = p.flow().echo(true);
        p.inject(ask);
        p.expect_flow().next_incoming_id(1);
        lives(p, &good);
    });
}

#[test]
fn a_broken_transfer_in_the_middle_of_a_delivery_voids_the_delivery() {
    client(|p| {
        let (bad, good) = two_links(p);
        let first = p.delivery(&bad, 0, b"a").more(true);
        p.inject(first);
        p.inject(transfer().handle(bad.theirs).set("more", ODD).payload(b"b"));
        p.expect_detach()
            .handle(bad.ours)
            .condition("amqp:decode-error");
        p.inject(transfer().handle(bad.theirs).payload(b"c"));
        p.expect_no_delivery(&bad);
        lives(p, &good);
    });
}

#[test]
fn a_broken_flow_detaches_its_link() {
    client(|p| {
        let (bad, good) = two_links(p);
        let flow = p.link_flow(&bad).set("link-credit", ODD);
        p.inject(flow);
        p.expect_detach()
            .handle(bad.ours)
            .condition("amqp:decode-error");
        lives(p, &good);
    });
}

#[test]
fn a_broken_detach_is_a_detach() {
    client(|p| {
        let (bad, good) = two_links(p);
        p.inject(detach().handle(bad.theirs).set("closed", ODD));
        p.expect_detach()
            .handle(bad.ours)
            .closed(true)
            .condition("amqp:decode-error");
        p.event_where("LinkDetached", |e| {
            (e == Event::LinkDetached(bad.id)).then_some(())
        });
        p.events();
        // Both sides are detached: nothing is kept of it.
        assert_eq!(p.engine().census().links, 1);
        lives(p, &good);
    });
}

/// Only the session of the channel ends: what is broken names no link, or none that can be found.
#[test]
fn what_is_broken_and_names_no_link_ends_its_session() {
    let receiver = || attach().name("new").handle(3).role(Role::Receiver);
    let session_flow = || {
        flow()
            .incoming_window(1)
            .next_outgoing_id(0)
            .outgoing_window(1)
    };
    let frames = [
        attach().name("new").handle(3).source(source().v()),
        receiver().set("snd-settle-mode", V::Ubyte(7)),
        receiver().target(composite(0x24).v()),
        flow().incoming_window(1),
        session_flow().set("handle", ODD),
        disposition().role(Role::Receiver),
        disposition()
            .role(Role::Receiver)
            .first(0)
            .set("state", V::Uint(5)),
        transfer().set("handle", ODD),
        detach().closed(true),
    ];
    for frame in frames {
        client(|p| {
            p.opened();
            let other = p.begun();
            let session = p.begin(SessionConfig::default()).unwrap();
            p.expect_begin().on(1).respond();
            p.events();
            p.inject(frame.clone());
            p.expect_end().on(1).condition("amqp:decode-error");
            p.expect_events(&[Event::SessionEnded(session)]);
            p.inject(end());
            p.use_channel(CHANNEL_OFFSET);
            let good = p.sender(other, "good");
            p.grant(&good, 1);
            lives(p, &good);
        });
    }
}

#[test]
fn a_broken_end_is_an_end() {
    client(|p| {
        let (_, _) = two_links(p);
        p.inject(end().set("error", ODD));
        p.expect_end().condition("amqp:decode-error");
        p.events();
        assert_eq!(p.engine().census().sessions, 0);
        assert!(p.engine().connection().is_open());
        p.begun();
    });
}

#[test]
fn a_broken_close_is_a_close() {
    client(|p| {
        p.opened();
        p.inject(close().set("error", ODD));
        p.expect_close().condition("amqp:decode-error");
        p.expect_done();
        let Some(Failure::Condition { origin, condition }) = p.engine().failure() else {
            panic!("no failure")
        };
        assert_eq!(*origin, Origin::Local);
        assert_eq!(condition.condition, "amqp:decode-error");
    });
}

#[test]
fn a_broken_begin_belongs_to_nothing_but_the_connection() {
    client(|p| {
        two_links(p);
        p.inject(begin().on(9).incoming_window(1).outgoing_window(1));
        p.expect_close().condition("amqp:decode-error");
    });
}

/// The condition is for programs; people get a sentence with it (2.8.14).
#[test]
fn whatever_ends_for_an_error_says_what_was_wrong() {
    fn explained(perf: &Perf) -> bool {
        let error = perf.get("error");
        let text = error.composite().and_then(|(_, f)| f.get(1).cloned());
        matches!(text, Some(V::Str(text)) if text.len() > 10)
    }
    client(|p| {
        let (bad, _) = two_links(p);
        let delivery = p.delivery(&bad, 0, b"x").delivery_tag(&[1; 33]);
        p.inject(delivery);
        p.expect_detach().check("a text", explained);
        p.inject(detach().handle(77));
        p.expect_end().check("a text", explained);
        p.inject(begin().on(9));
        p.expect_close().check("a text", explained);
    });
}

#[test]
fn the_application_is_told_which_fault_ended_a_link() {
    client(|p| {
        let (bad, _) = two_links(p);
        let delivery = p.delivery(&bad, 0, b"x").set("delivery-id", ODD);
        p.inject(delivery);
        p.expect_detach()
            .check("a text that names the place", |detach| {
                let error = detach.get("error");
                let text = error.composite().and_then(|(_, f)| f.get(1).cloned());
                matches!(text, Some(V::Str(text)) if text.contains("delivery-id"))
            });
        let engine = p.engine();
        let error = engine.link(bad.id).unwrap().error().cloned().unwrap();
        assert_eq!(error.origin, Origin::Local);
        assert_eq!(error.condition.condition, "amqp:decode-error");
    });
}

#[test]
fn what_the_peer_reports_ends_no_more_than_it_names() {
    client(|p| {
        let (bad, good) = two_links(p);
        let because = error("amqp:resource-deleted").description("gone").v();
        p.inject(detach().handle(bad.theirs).closed(true).error(because));
        p.engine().link(bad.id).unwrap().close(None).unwrap();
        p.expect_detach().handle(bad.ours).no_error();
        lives(p, &good);
        let session = p.engine().link(good.id).unwrap().session().unwrap();
        let again = LinkConfig::receiver("bad", "bad");
        p.receiver_with(session, again, |attach| attach);
    });
}
