//! How links, sessions and connections end, and what is said about it.

use ferrion_engine::{
    Event, Failure, Origin,
    protocol::{Condition, conditions},
};
use ferrion_tests::interop::Library;
use serde_json::{Value, json};

use crate::common::{Side, attach, everywhere, fields, meet, message, plain};

everywhere!(
    what_does_not_exist_is_refused,
    ferrion_refuses,
    links_and_sessions_end_for_a_reason,
    ferrion_closes_for_a_reason,
    the_peer_closes_for_a_reason,
);

fn refusal() -> Condition {
    Condition::with_description(conditions::NOT_FOUND, "no such node")
}

/// An attach without the terminus that does not come to be, then a detach that says why (2.6.3).
fn what_does_not_exist_is_refused(library: Library, side: Side) {
    use ferrion_engine::{LinkConfig, protocol::Role};

    let mut m = meet(library, side);
    for role in [Role::Sender, Role::Receiver] {
        let config = match role {
            Role::Sender => LinkConfig::sender("out", "nowhere"),
            Role::Receiver => LinkConfig::receiver("in", "nowhere"),
        };
        let end = m.talk.attach(m.session, role, config).unwrap_err();
        assert_eq!(
            (end.condition(), end.description(), end.closed),
            ("amqp:not-found", "there is no node called nowhere", true)
        );
        let attach = end.attach.expect("an attach before the detach");
        match role {
            Role::Sender => assert_eq!(attach.target, None),
            Role::Receiver => assert_eq!(attach.source, None),
        }
        m.hear("detach");
    }
    // The session goes on.
    let link = m.sender("somewhere");
    let name = m.name(link);
    m.tell(&json!({"do": "credit", "link": name, "count": 1}));
    m.talk.send_settled(link, message("one"));
    assert_eq!(m.hear("message")["text"], "one");
    assert_eq!(m.talk.engine().census().links, 1);
    m.part();
}

fn ferrion_refuses(library: Library, side: Side) {
    let mut m = meet(library, side);
    for (role, name, terminus) in [("sender", "in", "target"), ("receiver", "out", "source")] {
        let link = m.offered(&attach(role, name));
        m.talk
            .engine()
            .link(link)
            .unwrap()
            .refuse(refusal())
            .unwrap();
        let heard = m.hear("link");
        assert_eq!(heard["link"], name);
        assert_eq!(heard[terminus], Value::Null, "{heard}");
        let heard = m.hear("detach");
        assert_eq!(heard["closed"], true);
        assert_eq!(heard["condition"], "amqp:not-found");
        assert_eq!(heard["description"], "no such node");
    }
    // The names are free again, and the session goes on.
    let link = m.accept(&attach("sender", "in"));
    m.tell(&json!({"do": "send", "link": "in", "texts": ["one"]}));
    m.talk.grant(link, 1);
    assert_eq!(m.talk.receive(link).payload.into_bytes(), message("one"));
    m.part();
}

fn info() -> Value {
    json!([
        "map",
        [
            [["symbol", "why"], ["string", "\u{e9}"]],
            [["symbol", "final"], ["boolean", true]]
        ]
    ])
}

fn reason() -> Condition {
    Condition {
        info: Some(fields(&info())),
        ..Condition::with_description(conditions::RESOURCE_DELETED, "the node is gone")
    }
}

/// The same from the peer. The keys of an error's info are strings when rhea has written them.
fn theirs(library: Library) -> Condition {
    Condition {
        info: Some(fields(&plain(library, &info()))),
        ..reason()
    }
}

fn step(what: &str) -> Value {
    json!({
        "do": what, "condition": "amqp:resource-deleted", "description": "the node is gone", "info": info(),
    })
}

fn is_the_reason(library: Library, heard: &Value) {
    assert_eq!(heard["condition"], "amqp:resource-deleted", "{heard}");
    assert_eq!(heard["description"], "the node is gone");
    assert_eq!(heard["info"], plain(library, &info()));
}

fn links_and_sessions_end_for_a_reason(library: Library, side: Side) {
    let mut m = meet(library, side);
    // Ferrion's word.
    let link = m.sender("node");
    m.talk
        .engine()
        .link(link)
        .unwrap()
        .close(Some(reason()))
        .unwrap();
    let heard = m.hear("detach");
    assert_eq!(heard["closed"], true);
    is_the_reason(library, &heard);
    m.talk.detached(link);
    let session = m.talk.begin();
    m.hear("begin");
    m.talk.sender(session, "node");
    m.hear("link");
    m.talk
        .engine()
        .session(session)
        .unwrap()
        .end(Some(reason()))
        .unwrap();
    is_the_reason(library, &m.hear("end"));
    assert_eq!(m.talk.ended(session), Some(reason()));
    // The peer's.
    m.accept(&attach("receiver", "theirs"));
    let link = m.receiver("node");
    let name = m.name(link);
    let mut detach = step("detach");
    detach["link"] = json!(name);
    m.tell(&detach);
    let end = m.talk.detached(link);
    assert_eq!((end.closed, end.condition), (true, Some(theirs(library))));
    m.hear("detach");
    m.tell(&step("end"));
    assert_eq!(m.talk.ended(m.session), Some(theirs(library)));
    m.hear("end");
    assert_eq!(m.talk.engine().census(), Default::default());
    m.part();
}

fn ferrion_closes_for_a_reason(library: Library, side: Side) {
    let mut m = meet(library, side);
    m.talk.engine().connection().close(Some(reason())).unwrap();
    let heard = m.hear("close");
    is_the_reason(library, &heard);
    let failure = m.talk.disconnected();
    assert!(
        matches!(
            &failure,
            None | Some(Failure::Condition {
                origin: Origin::Local,
                ..
            })
        ),
        "{failure:?}"
    );
}

fn the_peer_closes_for_a_reason(library: Library, side: Side) {
    let mut m = meet(library, side);
    m.tell(&step("close"));
    m.talk.expect(Event::RemoteClose);
    let failure = m.talk.disconnected();
    let Some(Failure::Condition { origin, condition }) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!((origin, condition), (Origin::Remote, theirs(library)));
    assert_eq!(m.hear("close")["condition"], Value::Null);
}
