//! What each section of a message looks like on the wire, and that it comes back.

use bytes::Bytes;
use ferrion_engine::codec::{Map, Str, Symbol, Timestamp, Uuid, Value};
use ferrion_engine::message::{Body, Header, Message, MessageId, Properties, Section};

use crate::sample::{hex, simple_values, values};

const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Message>();
};

fn encoded(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out);
    assert_eq!(message.to_bytes(), out, "the two ways to encode agree");
    let mut tried = Vec::new();
    message.try_encode(&mut tried).unwrap();
    assert_eq!(tried, out, "the fallible way to encode agrees");
    out
}

fn round_trip(message: &Message) -> Message {
    Message::decode(encoded(message)).unwrap()
}

/// All sections of both, decoded.
#[track_caller]
fn assert_same(a: &Message, b: &Message) {
    assert_eq!(a.header().unwrap(), b.header().unwrap());
    assert_eq!(
        a.delivery_annotations().unwrap(),
        b.delivery_annotations().unwrap()
    );
    assert_eq!(
        a.message_annotations().unwrap(),
        b.message_annotations().unwrap()
    );
    assert_eq!(a.properties().unwrap(), b.properties().unwrap());
    assert_eq!(
        a.application_properties().unwrap(),
        b.application_properties().unwrap()
    );
    assert_eq!(a.body().unwrap(), b.body().unwrap());
    assert_eq!(a.footer().unwrap(), b.footer().unwrap());
}

fn properties() -> Properties {
    Properties {
        message_id: Some(MessageId::from(7)),
        user_id: Some(Bytes::from_static(b"\x00guest")),
        to: Some("queue".into()),
        subject: Some("greeting".into()),
        reply_to: Some("answers".into()),
        correlation_id: Some("c-1".into()),
        content_type: Some(Symbol::from_static("text/plain")),
        content_encoding: Some(Symbol::from_static("gzip")),
        absolute_expiry_time: Some(Timestamp(1_700_000_000_000)),
        creation_time: Some(Timestamp(-1)),
        group_id: Some("group".into()),
        group_sequence: Some(u32::MAX),
        reply_to_group_id: Some("other group".into()),
    }
}

fn annotations(of: &str) -> Map {
    Map::from_iter([
        (
            Value::Symbol(Symbol::try_from(format!("x-opt-{of}")).unwrap()),
            Value::from(of),
        ),
        (Value::Ulong(5), Value::List(vec![Value::Null])),
    ])
}

fn full() -> Message {
    let mut message = Message::with_body("body");
    message.set_header(Some(Header {
        durable: true,
        priority: 9,
        ttl: Some(1000),
        first_acquirer: true,
        delivery_count: 3,
    }));
    message.set_delivery_annotations(Some(annotations("delivery")));
    message.set_message_annotations(Some(annotations("message")));
    message.set_properties(Some(properties()));
    message.set_application_properties(Some(Map::from_iter([("a", 1_i32), ("b", -2)])));
    message.set_footer(Some(annotations("footer")));
    message
}

#[test]
fn each_section_has_its_octets() {
    let build = |f: fn(&mut Message)| {
        let mut message = Message::new();
        f(&mut message);
        message
    };
    let table: [(&str, Message, &str); 16] = [
        ("nothing", Message::new(), "005377 40"),
        (
            "default header",
            build(|m| m.set_header(Some(Header::default()))),
            "005370 45 005377 40",
        ),
        (
            "header",
            build(|m| {
                m.set_durable(true);
                m.set_priority(9);
                m.set_ttl(Some(1000));
            }),
            "005370 c0 09 03 41 5009 70000003e8 005377 40",
        ),
        (
            "delivery count",
            build(|m| m.set_delivery_count(2)),
            "005370 c0 07 05 40 40 40 40 5202 005377 40",
        ),
        (
            "delivery annotations",
            build(|m| {
                m.delivery_annotations_mut()
                    .unwrap()
                    .insert(Symbol::from_static("x-opt-a"), 1_u8);
            }),
            "005371 c1 0c 02 a307782d6f70742d61 5001 005377 40",
        ),
        (
            "message annotations",
            build(|m| m.set_message_annotations(Some(Map::new()))),
            "005372 c1 01 00 005377 40",
        ),
        (
            "address",
            build(|m| m.set_address("q")),
            "005373 c0 06 03 40 40 a10171 005377 40",
        ),
        (
            "message id",
            build(|m| m.set_message_id(7)),
            "005373 c0 03 01 5307 005377 40",
        ),
        (
            "application property",
            build(|m| m.set_property("k", 1_u32)),
            "005374 c1 06 02 a1016b 5201 005377 40",
        ),
        (
            "data",
            Message::with_body(vec![1, 2, 3]),
            "005375 a003010203",
        ),
        (
            "two data sections",
            Message::with_body(Body::Data(vec![Bytes::from_static(b"a"), Bytes::new()])),
            "005375 a00161 005375 a000",
        ),
        (
            "no data section",
            Message::with_body(Body::Data(vec![])),
            "005375 a000",
        ),
        (
            "two sequences",
            Message::with_body(Body::Sequence(vec![vec![Value::Null, true.into()], vec![]])),
            "005376 c0 03 02 40 41 005376 45",
        ),
        (
            "no sequence",
            Message::with_body(Body::Sequence(vec![])),
            "005376 45",
        ),
        ("value", Message::with_body("hi"), "005377 a1026869"),
        (
            "footer",
            build(|m| m.set_footer(Some(Map::new()))),
            "005377 40 005378 c1 01 00",
        ),
    ];
    for (what, message, octets) in table {
        assert_eq!(encoded(&message), hex(octets), "{what}");
        let back = round_trip(&message);
        assert_eq!(back.header().unwrap(), message.header().unwrap(), "{what}");
        assert_eq!(
            back.properties().unwrap(),
            message.properties().unwrap(),
            "{what}"
        );
    }
}

#[test]
fn all_sections_stand_in_their_order() {
    let octets = encoded(&full());
    let received = Message::decode(octets.clone()).unwrap();
    assert_same(&received, &full());
    received.check().unwrap();
    // The sections' descriptors, in the order in which they occur: no value in this message looks like one.
    let codes: Vec<u8> = octets
        .windows(3)
        .filter(|w| w[..2] == [0x00, 0x53] && (0x70..=0x78).contains(&w[2]))
        .map(|w| w[2])
        .collect();
    assert_eq!(codes, [0x70, 0x71, 0x72, 0x73, 0x74, 0x77, 0x78]);
}

#[test]
fn every_type_survives_in_every_place() {
    for value in values() {
        let body = round_trip(&Message::with_body(value.clone()));
        assert_eq!(body.body().unwrap(), &Body::Value(value.clone()), "body");

        let sequence = Body::Sequence(vec![
            vec![value.clone(), value.clone()],
            vec![value.clone()],
        ]);
        assert_eq!(
            round_trip(&Message::with_body(sequence.clone()))
                .body()
                .unwrap(),
            &sequence,
            "sequence"
        );

        let mut annotated = Message::new();
        let map = Map::from_iter([(Symbol::from_static("x-opt-v"), value.clone())]);
        annotated.set_delivery_annotations(Some(map.clone()));
        annotated.set_message_annotations(Some(map.clone()));
        annotated.set_footer(Some(map));
        assert_same(&round_trip(&annotated), &annotated);
    }
    for value in simple_values() {
        let mut message = Message::new();
        message.set_property("name", value.clone());
        assert_eq!(
            round_trip(&message).property("name").unwrap(),
            Some(&value),
            "application property"
        );
    }
}

#[test]
fn every_kind_of_message_id_survives() {
    let ids = [
        MessageId::from(0),
        MessageId::from(u64::MAX),
        MessageId::from(Uuid([7; 16])),
        MessageId::from(vec![0, 255]),
        MessageId::from("text"),
        MessageId::from(""),
    ];
    for id in ids {
        let mut message = Message::new();
        message.set_message_id(id.clone());
        message.set_correlation_id(id.clone());
        let back = round_trip(&message);
        assert_eq!(back.message_id().unwrap(), Some(id.clone()));
        assert_eq!(back.correlation_id().unwrap(), Some(id.clone()));
        assert_eq!(
            back.properties().unwrap().unwrap().message_id,
            Some(id.clone())
        );
        assert_eq!(MessageId::try_from(Value::from(id.clone())), Ok(id));
    }
    assert!(MessageId::try_from(Value::from(7_i32)).is_err());
}

#[test]
fn properties_read_one_by_one_or_all_at_once() {
    let mut sparse = properties();
    sparse.to = None;
    sparse.content_type = None;
    for properties in [properties(), sparse, Properties::default()] {
        let mut message = Message::new();
        message.set_properties(Some(properties));
        let received = round_trip(&message);
        let whole = round_trip(&message);
        let p = whole.properties().unwrap().unwrap().clone();
        // The same answers before the section is decoded, after it, and from the message that was built.
        for m in [&received, &whole, &message] {
            assert_eq!(m.message_id().unwrap(), p.message_id);
            assert_eq!(m.user_id().unwrap(), p.user_id.as_deref());
            assert_eq!(m.address().unwrap(), p.to.as_deref());
            assert_eq!(m.subject().unwrap(), p.subject.as_deref());
            assert_eq!(m.reply_to().unwrap(), p.reply_to.as_deref());
            assert_eq!(m.correlation_id().unwrap(), p.correlation_id);
            assert_eq!(m.content_type().unwrap(), p.content_type.as_deref());
            assert_eq!(m.content_encoding().unwrap(), p.content_encoding.as_deref());
            assert_eq!(m.absolute_expiry_time().unwrap(), p.absolute_expiry_time);
            assert_eq!(m.creation_time().unwrap(), p.creation_time);
            assert_eq!(m.group_id().unwrap(), p.group_id.as_deref());
            assert_eq!(m.group_sequence().unwrap(), p.group_sequence);
            assert_eq!(
                m.reply_to_group_id().unwrap(),
                p.reply_to_group_id.as_deref()
            );
        }
    }
    assert_eq!(Message::new().address().unwrap(), None);
}

#[test]
fn setters_make_what_the_struct_makes() {
    let mut message = Message::new();
    message.set_message_id(7);
    message.set_user_id(Bytes::from_static(b"\x00guest"));
    message.set_address("queue");
    message.set_subject("greeting");
    message.set_reply_to("answers");
    message.set_correlation_id("c-1");
    message.set_content_type(Symbol::from_static("text/plain"));
    message.set_content_encoding(Symbol::from_static("gzip"));
    message.set_absolute_expiry_time(Timestamp(1_700_000_000_000));
    message.set_creation_time(Timestamp(-1));
    message.set_group_id("group");
    message.set_group_sequence(u32::MAX);
    message.set_reply_to_group_id("other group");
    assert_eq!(message.properties().unwrap(), Some(&properties()));
}

#[test]
fn an_absent_header_has_the_defaults_of_the_specification() {
    for message in [Message::new(), round_trip(&Message::new())] {
        assert_eq!(message.header().unwrap(), None);
        assert!(!message.durable().unwrap());
        assert_eq!(message.priority().unwrap(), 4);
        assert_eq!(message.ttl().unwrap(), None);
        assert!(!message.first_acquirer().unwrap());
        assert_eq!(message.delivery_count().unwrap(), 0);
    }
    let mut message = Message::new();
    message.set_first_acquirer(true);
    assert_eq!(
        message.header().unwrap(),
        Some(&Header {
            first_acquirer: true,
            ..Header::default()
        })
    );
}

#[test]
fn descriptors_are_read_in_all_their_forms() {
    let forms = |code: u8, name: &str| {
        let size = name.len() as u8;
        let symbolic = |open: &[u8]| [&[0x00], open, name.as_bytes()].concat();
        [
            vec![0x00, 0x53, code],
            vec![0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, code],
            symbolic(&[0xa3, size]),
            symbolic(&[0xb3, 0, 0, 0, size]),
        ]
    };
    let octets = |form: usize| {
        let section = |s: Section, value: &str| {
            [forms(s.code(), s.name())[form].clone(), hex(value)].concat()
        };
        [
            section(Section::Header, "c0 02 01 41"),
            section(Section::DeliveryAnnotations, "c1 01 00"),
            section(Section::MessageAnnotations, "d1 00000004 00000000"),
            section(Section::Properties, "d0 00000009 00000003 40 40 a10171"),
            section(Section::ApplicationProperties, "c1 06 02 a1016b 5201"),
            section(Section::Data, "a00161"),
            section(Section::Data, "b00000000162"),
            section(Section::Footer, "c1 01 00"),
        ]
        .concat()
    };
    for form in 0..4 {
        let message = Message::decode(octets(form)).unwrap();
        message.check().unwrap();
        assert!(message.durable().unwrap());
        assert_eq!(message.address().unwrap(), Some("q"));
        assert_eq!(message.property("k").unwrap(), Some(&Value::from(1_u32)));
        let body = Body::Data(vec![Bytes::from_static(b"a"), Bytes::from_static(b"b")]);
        assert_eq!(message.body().unwrap(), &body);
        // And leave in the form they came in.
        assert_eq!(encoded(&message), octets(form));
    }
}

#[test]
fn untouched_sections_keep_their_octets() {
    // Every section in a form that the encoder would not choose.
    let header = hex("005370 d0 00000005 00000001 42");
    let properties = hex("005373 d0 00000006 00000002 40 40");
    let application = hex("005374 d1 00000008 00000002 a1016b 43");
    let body = hex("005377 80 0000000000000001");
    let footer = hex("005378 d1 00000004 00000000");
    let all = [&header[..], &properties, &application, &body, &footer].concat();

    let message = Message::decode(all.clone()).unwrap();
    message.check().unwrap();
    assert_eq!(encoded(&message), all, "reading changes nothing");

    let mut changed = message.clone();
    changed.set_delivery_count(1);
    let new_header = hex("005370 c0 07 05 40 40 40 40 5201");
    assert_eq!(
        encoded(&changed),
        [&new_header, &all[header.len()..]].concat()
    );

    let mut annotated = message.clone();
    annotated
        .message_annotations_mut()
        .unwrap()
        .insert(Symbol::from_static("x-opt-hop"), 1_u8);
    let out = encoded(&annotated);
    assert!(
        out.starts_with(&header)
            && out.ends_with(&[&properties[..], &application, &body, &footer].concat())
    );

    let mut stripped = message.clone();
    stripped.set_footer(None);
    stripped.set_application_properties(None);
    assert_eq!(
        encoded(&stripped),
        [&header[..], &properties, &body].concat()
    );

    let mut new_body = message.clone();
    new_body.set_body("x");
    assert_eq!(
        encoded(&new_body),
        [
            &header[..],
            &properties,
            &application,
            &hex("005377 a10178"),
            &footer
        ]
        .concat()
    );
    assert_eq!(
        encoded(&message),
        all,
        "the message it was cloned from is as it was"
    );
}

#[test]
fn to_bytes_of_an_unchanged_message_copies_nothing() {
    let octets = Bytes::from(encoded(&full()));
    let message = Message::decode(octets.clone()).unwrap();
    message.check().unwrap();
    assert_eq!(message.to_bytes().as_ptr(), octets.as_ptr());
}

#[test]
fn opening_a_section_to_changes_keeps_what_is_in_it() {
    let mut received = round_trip(&full());
    received.set_subject("other");
    received.set_property("c", "new");
    received.set_priority(1);
    received
        .footer_mut()
        .unwrap()
        .insert(Symbol::from_static("x-opt-more"), true);
    if let Body::Value(value) = received.body_mut().unwrap() {
        *value = Value::from(1_u8);
    }
    let back = round_trip(&received);
    let expected = Properties {
        subject: Some("other".into()),
        ..properties()
    };
    assert_eq!(back.properties().unwrap(), Some(&expected));
    assert_eq!(back.property("a").unwrap(), Some(&Value::from(1_i32)));
    assert_eq!(back.property("c").unwrap(), Some(&Value::from("new")));
    assert_eq!(back.priority().unwrap(), 1);
    assert!(back.durable().unwrap());
    assert_eq!(back.footer().unwrap().unwrap().len(), 3);
    assert_eq!(back.body().unwrap(), &Body::Value(Value::from(1_u8)));
}

#[test]
fn a_cleared_message_is_a_new_one() {
    let mut built = full();
    let mut received = round_trip(&full());
    received.check().unwrap();
    for message in [&mut built, &mut received] {
        message.clear();
        assert_same(message, &Message::new());
        assert_eq!(encoded(message), encoded(&Message::new()));
        // What the maps held before must not show.
        message.set_property("only", 1_u8);
        assert_eq!(message.application_properties().unwrap().unwrap().len(), 1);
        assert_eq!(message.delivery_annotations_mut().unwrap(), &Map::new());
        assert_eq!(message.properties_mut().unwrap(), &Properties::default());
        assert_eq!(message.header_mut().unwrap(), &Header::default());
        assert_eq!(message.body_mut().unwrap(), &Body::default());
    }
}

#[test]
fn one_message_is_loaded_again_and_again() {
    let mut message = Message::new();
    for i in 0..3_u32 {
        let mut sent = full();
        sent.set_body(Value::from(i));
        sent.set_property("i", i);
        message.load(encoded(&sent)).unwrap();
        assert_same(&message, &sent);
        message.set_subject("a change that must not outlive the next load");
    }
    message.load(encoded(&Message::new())).unwrap();
    assert_same(&message, &Message::new());
    // What cannot be loaded leaves the message alone.
    message.set_address("kept");
    assert!(message.load(vec![0x00]).is_err());
    assert_eq!(message.address().unwrap(), Some("kept"));
}

#[test]
fn bodies_are_borrowed_where_they_are_one_piece() {
    let octets = |body: Body| {
        let built = Message::with_body(body);
        let received = round_trip(&built);
        let found = received.body_octets().unwrap().map(<[u8]>::to_vec);
        received.check().unwrap();
        assert_eq!(
            found.as_deref(),
            received.body_octets().unwrap(),
            "decoded or not"
        );
        assert_eq!(
            found.as_deref(),
            built.body_octets().unwrap(),
            "received or built"
        );
        found
    };
    assert_eq!(octets(vec![1, 2].into()), Some(vec![1, 2]));
    assert_eq!(octets(Body::Data(vec![])), Some(vec![]));
    assert_eq!(
        octets(Value::Binary(Bytes::from_static(b"x")).into()),
        Some(b"x".to_vec())
    );
    assert_eq!(octets(Body::Data(vec![Bytes::new(), Bytes::new()])), None);
    assert_eq!(octets("text".into()), None);
    assert_eq!(octets(Body::Sequence(vec![vec![]])), None);

    let text = |body: Body| {
        let built = Message::with_body(body);
        let received = round_trip(&built);
        let found = received.body_text().unwrap().map(str::to_owned);
        received.check().unwrap();
        assert_eq!(
            found.as_deref(),
            received.body_text().unwrap(),
            "decoded or not"
        );
        assert_eq!(
            found.as_deref(),
            built.body_text().unwrap(),
            "received or built"
        );
        found
    };
    assert_eq!(text("text".into()), Some("text".to_owned()));
    assert_eq!(
        text(Str::from("x".repeat(300).as_str()).into()),
        Some("x".repeat(300))
    );
    assert_eq!(
        text(Value::Symbol(Symbol::from_static("symbol")).into()),
        None
    );
    assert_eq!(text(vec![1].into()), None);
    assert_eq!(text(Body::default()), None);
}

#[test]
fn large_bodies_arrive_whole() {
    for size in [0, 1, 100, 255, 256, 65_535, 1 << 20] {
        let content: Vec<u8> = (0..size).map(|i| i as u8).collect();
        let received = round_trip(&Message::with_body(content.clone()));
        assert_eq!(
            received.body().unwrap(),
            &Body::Data(vec![Bytes::from(content)])
        );
    }
}

#[test]
fn debug_shows_the_sections_that_are_there() {
    let mut message = Message::with_body("hi");
    message.set_address("q");
    let text = format!("{message:?}");
    assert!(text.contains("to=\"q\"") && text.contains("hi"), "{text}");
    assert!(!text.contains("footer"), "{text}");
}
