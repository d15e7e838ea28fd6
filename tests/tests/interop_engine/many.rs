//! Many sessions with many links, all of them in use at once.

use std::collections::BTreeMap;

use ferrion_engine::{LinkId, Message};
use ferrion_tests::interop::Library;
use serde_json::json;

use crate::common::{Side, attach, everywhere, meet, message};

everywhere!(sessions_and_links_do_not_mix);

const SESSIONS: usize = 4;
const LINKS: usize = 6;
const MESSAGES: usize = 5;

/// Each of four sessions has six links each way, and each link five messages of its own; half of the sessions and of the links
/// are the peer's idea.
fn sessions_and_links_do_not_mix(library: Library, side: Side) {
    let mut m = meet(library, side);
    let mut sessions = vec![m.session];
    while sessions.len() < SESSIONS {
        if sessions.len() % 2 == 0 {
            sessions.push(m.talk.begin());
        } else {
            m.tell(&json!({"do": "begin"}));
            sessions.push(m.talk.accept_session());
        }
        m.hear("begin");
    }
    let (mut out, mut inward) = (BTreeMap::new(), BTreeMap::new());
    for (index, session) in sessions.iter().enumerate() {
        for number in 0..LINKS {
            for (role, links) in [("receiver", &mut out), ("sender", &mut inward)] {
                let (link, name) = if number % 2 == 0 {
                    let name = format!("{role}-{index}-{number}");
                    let mut step = attach(role, &name);
                    step["session"] = json!(index);
                    (m.accept(&step), name)
                } else {
                    let link = match role {
                        "receiver" => m.talk.sender(*session, "node"),
                        _ => m.talk.receiver(*session, "node"),
                    };
                    let heard = m.hear("link");
                    assert_eq!(heard["session"], index);
                    (link, m.name(link))
                };
                let view = m.talk.engine().link(link).unwrap();
                assert_eq!(view.session(), Some(*session));
                links.insert(name, link);
            }
        }
    }
    assert_eq!(m.talk.engine().census().links, SESSIONS * LINKS * 2);
    assert_eq!(out.len(), SESSIONS * LINKS);
    for name in out.keys() {
        m.tell(&json!({"do": "credit", "link": name, "count": MESSAGES}));
    }
    for number in 0..MESSAGES {
        for (name, link) in &out {
            m.talk
                .send_settled(*link, message(&format!("{name} {number}")));
        }
    }
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..out.len() * MESSAGES {
        let heard = m.hear("message");
        let name = heard["link"].as_str().unwrap();
        let number = next.entry(name.to_owned()).or_default();
        assert_eq!(heard["text"], format!("{name} {number}"));
        *number += 1;
    }
    for (name, link) in &inward {
        m.talk.grant(*link, 5);
        let texts: Vec<String> = (0..MESSAGES)
            .map(|number| format!("{name} {number}"))
            .collect();
        m.tell(&json!({"do": "send", "link": name, "texts": texts, "settled": true}));
    }
    for (name, link) in &inward {
        for number in 0..MESSAGES {
            assert_eq!(text_of(&mut m.talk, *link), format!("{name} {number}"));
        }
    }
    // One session ends; the others and their links go on.
    let last = sessions[SESSIONS - 1];
    m.talk.engine().session(last).unwrap().end(None).unwrap();
    m.hear("end");
    m.talk.expect(ferrion_engine::Event::SessionEnded(last));
    assert_eq!(m.talk.engine().census().links, (SESSIONS - 1) * LINKS * 2);
    let (name, link) = out.iter().next().unwrap();
    m.tell(&json!({"do": "credit", "link": name, "count": 1}));
    m.talk.send_settled(*link, message("still here"));
    assert_eq!(m.hear("message")["text"], "still here");
    m.part();
}

fn text_of(talk: &mut ferrion_tests::interop::Conversation, link: LinkId) -> String {
    let delivery = talk.receive(link);
    let message = Message::decode(delivery.payload.into_bytes()).expect("a message");
    let body = message.body().expect("a body");
    match body {
        ferrion_engine::message::Body::Data(parts) => {
            String::from_utf8_lossy(&parts.concat()).into_owned()
        }
        other => panic!("{other:?}"),
    }
}
