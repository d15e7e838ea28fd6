//! The bare message, properties to body, keeps its octets whatever is put around it on the way (3.2).

use ferrion_engine::codec::{Map, Symbol, Value};
use ferrion_engine::message::{Header, Message};

use crate::sample::hex;

/// What an intermediary does to a message that it hands on.
type Change = fn(&mut Message);

const CHANGES: [(&str, Change); 10] = [
    ("nothing", |_| {}),
    ("one more delivery", |m| {
        let count = m.delivery_count().unwrap();
        m.set_delivery_count(count + 1);
    }),
    ("less time to live", |m| m.set_ttl(Some(999))),
    ("a whole header", |m| {
        m.set_header(Some(Header {
            durable: true,
            ..Header::default()
        }));
    }),
    ("no header", |m| m.set_header(None)),
    ("delivery annotations", |m| {
        m.set_delivery_annotations(Some(annotations("hop")));
    }),
    ("message annotations, all of them", |m| {
        m.set_message_annotations(Some(annotations("all")));
    }),
    ("one message annotation more", |m| {
        m.message_annotations_mut()
            .unwrap()
            .insert(Symbol::from_static("x-opt-more"), 1_u8);
    }),
    ("a footer", |m| m.set_footer(Some(annotations("hash")))),
    ("no footer", |m| m.set_footer(None)),
];

fn annotations(text: &'static str) -> Map {
    Map::from_iter([(Symbol::from_static("x-opt-it"), Value::from(text))])
}

/// Bare messages, each section in a form that the encoder would not choose.
fn bare() -> Vec<Vec<u8>> {
    let properties = "005373 d0 00000006 00000002 40 40";
    let named = "00 a3 14 616d71703a70726f706572746965733a6c697374 c0 06 03 40 40 a10171";
    let application = "00 80 0000000000000074 d1 00000008 00000002 a1016b 43";
    let bodies = [
        "005377 80 0000000000000001",
        "005377 00 80 0000468c00000004 d0 00000009 00000001 70 00000000",
        "005375 b0 00000001 61 005375 a0 00",
        "005376 d0 00000006 00000001 56 01 005376 c0 01 00",
        "00 80 0000000000000077 40",
    ];
    let both = [properties, application].concat();
    let heads = ["", properties, named, application, &both];
    let messages = heads.iter().flat_map(|head| {
        bodies
            .iter()
            .map(move |body| hex(&[*head, *body].concat()).to_vec())
    });
    messages.collect()
}

/// What comes before the bare message, and after it.
const AROUND: [(&str, &str); 3] = [
    ("", ""),
    (
        "005370 d0 00000005 00000001 41 005372 d1 00000004 00000000",
        "005378 d1 00000004 00000000",
    ),
    ("005370 45 005371 c1 01 00", ""),
];

#[test]
fn the_bare_message_keeps_its_octets_whatever_is_put_around_it() {
    for bare in bare() {
        for (before, after) in AROUND {
            let octets = [&hex(before)[..], &bare, &hex(after)].concat();
            for looked_at in [false, true] {
                for (first, change) in CHANGES {
                    for (second, change_again) in CHANGES {
                        // Two intermediaries, one after the other.
                        let mut message = Message::decode(octets.clone()).unwrap();
                        if looked_at {
                            message.check().unwrap();
                        }
                        change(&mut message);
                        let mut message = Message::decode(message.to_bytes()).unwrap();
                        change_again(&mut message);
                        let out = message.to_bytes();
                        let kept = out.windows(bare.len()).any(|piece| piece == bare);
                        assert!(kept, "{first}, then {second}: {out:02x?}");
                        // And nothing of it stands there twice.
                        let mut plain = Message::decode(out).unwrap();
                        plain.set_header(None);
                        plain.set_delivery_annotations(None);
                        plain.set_message_annotations(None);
                        plain.set_footer(None);
                        assert_eq!(plain.to_bytes(), bare, "{first}, then {second}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_an_intermediary_changes_is_changed_and_all_else_is_handed_on() {
    let mut sent = Message::with_body("x");
    sent.set_header(Some(Header {
        durable: true,
        priority: 7,
        ttl: Some(5000),
        first_acquirer: true,
        delivery_count: u32::MAX - 1,
    }));
    sent.set_message_annotations(Some(annotations("kept")));
    sent.set_footer(Some(annotations("sum")));
    let mut message = Message::decode(sent.to_bytes()).unwrap();
    // 3.2.1: it waited for 3 s, and was not delivered before.
    let ttl = message.ttl().unwrap().unwrap();
    message.set_ttl(Some(ttl - 3000));
    let count = message.delivery_count().unwrap();
    message.set_delivery_count(count + 1);
    let received = Message::decode(message.to_bytes()).unwrap();
    let expected = Header {
        ttl: Some(2000),
        delivery_count: u32::MAX,
        ..sent.header().unwrap().unwrap().clone()
    };
    assert_eq!(received.header().unwrap(), Some(&expected));
    assert_eq!(
        received.message_annotations().unwrap(),
        Some(&annotations("kept"))
    );
    assert_eq!(received.footer().unwrap(), Some(&annotations("sum")));
    assert_eq!(received.body_text().unwrap(), Some("x"));
}

#[test]
fn each_field_of_a_header_that_says_nothing_has_its_default() {
    // No field, a null for each, and each in turn.
    for fields in ["45", "c0 06 05 40 40 40 40 40", "c0 02 01 40"] {
        let octets = hex(&["005370", fields, "005377 40"].concat());
        let message = Message::decode(octets).unwrap();
        assert_eq!(message.header().unwrap(), Some(&Header::default()));
        assert_eq!(
            (message.durable().unwrap(), message.priority().unwrap()),
            (false, 4)
        );
        assert_eq!(
            (message.ttl().unwrap(), message.delivery_count().unwrap()),
            (None, 0)
        );
        assert!(!message.first_acquirer().unwrap());
    }
    // Priority 0 is not the default, and is told.
    let mut message = Message::new();
    message.set_priority(0);
    let received = Message::decode(message.to_bytes()).unwrap();
    assert_eq!(received.priority().unwrap(), 0);
}
