//! Messages that are wrong, each with the fault that is to be named and the octet that it is at.

use ferrion_engine::codec::{DecodeErrorKind as Kind, MAX_DEPTH, Map, Value};
use ferrion_engine::message::{Body, Message};

use crate::sample::hex;

const DATA: &str = "amqp:data:binary";
const FOOTER: &str = "amqp:footer:map";
const HEADER: &str = "amqp:header:list";
const PROPERTIES: &str = "amqp:properties:list";
const VALUE: &str = "amqp:amqp-value:*";

fn order(found: &'static str, after: &'static str) -> Kind {
    Kind::SectionOrder { found, after }
}

fn wrong_type(expected: &'static str, found: u8) -> Kind {
    Kind::WrongType { expected, found }
}

#[test]
fn what_is_no_sequence_of_sections_is_refused_at_once() {
    let no_section = Kind::UnknownDescriptor("a message section");
    let section = |found| wrong_type("a message section", found);
    let table = [
        // Order and number (3.2).
        (
            "header after properties",
            "005373 45 005370 45 005377 40",
            4,
            order(HEADER, PROPERTIES),
        ),
        (
            "properties after the body",
            "005377 40 005373 45",
            4,
            order(PROPERTIES, VALUE),
        ),
        (
            "body after the footer",
            "005378 c10100 005377 40",
            6,
            order(VALUE, FOOTER),
        ),
        (
            "data on both sides of the footer",
            "005375 a000 005378 c10100 005375 a000",
            11,
            order(DATA, FOOTER),
        ),
        (
            "two headers",
            "005370 45 005370 45 005377 40",
            4,
            Kind::DuplicateSection(HEADER),
        ),
        (
            "two headers, not adjacent",
            "005370 45 005373 45 005370 45 005377 40",
            8,
            Kind::DuplicateSection(HEADER),
        ),
        (
            "two footers",
            "005377 40 005378 c10100 005378 c10100",
            10,
            Kind::DuplicateSection(FOOTER),
        ),
        (
            "two values",
            "005377 40 005377 40",
            4,
            Kind::DuplicateSection(VALUE),
        ),
        (
            "data, then a value",
            "005375 a000 005377 40",
            5,
            Kind::MixedBody,
        ),
        (
            "a sequence, then data",
            "005376 45 005375 a000",
            4,
            Kind::MixedBody,
        ),
        (
            "a value, then a sequence",
            "005377 40 005376 45",
            4,
            Kind::MixedBody,
        ),
        // Without a body.
        ("nothing", "", 0, Kind::MissingBody),
        ("only a header", "005370 45", 4, Kind::MissingBody),
        (
            "all but the body",
            "005370 45 005373 45 005374 c10100 005378 c10100",
            20,
            Kind::MissingBody,
        ),
        // No sections.
        ("a performative", "005314 45", 0, no_section),
        ("code one below", "00536f 45", 0, no_section),
        ("code one above", "005379 45", 0, no_section),
        ("ulong zero", "0044 45", 0, no_section),
        (
            "a code whose low octet fits",
            "0080 0000000000000170 45",
            0,
            no_section,
        ),
        ("an unknown name", "00a303616263 45", 0, no_section),
        ("a name cut short", "00a310616d7170", 7, Kind::UnexpectedEnd),
        ("a value without descriptor", "a1026869", 0, section(0xa1)),
        (
            "garbage behind the body",
            "005377 40 ff",
            4,
            Kind::UnknownCode(0xff),
        ),
        // Of another type.
        (
            "header as a map",
            "005370 c10100 005377 40",
            3,
            wrong_type("list", 0xc1),
        ),
        (
            "properties as null",
            "005373 40 005377 40",
            3,
            wrong_type("list", 0x40),
        ),
        (
            "annotations as a list",
            "005372 45 005377 40",
            3,
            wrong_type("map", 0x45),
        ),
        (
            "data as a string",
            "005375 a100",
            3,
            wrong_type("binary", 0xa1),
        ),
        (
            "sequence as an array",
            "005376 e0020040",
            3,
            wrong_type("list", 0xe0),
        ),
        ("value of no type", "005377 ff", 3, Kind::UnknownCode(0xff)),
        // Cut short.
        ("a lone octet", "00", 1, Kind::UnexpectedEnd),
        ("no value", "005377", 3, Kind::UnexpectedEnd),
        (
            "data one octet short",
            "005375 a0020a",
            6,
            Kind::UnexpectedEnd,
        ),
        ("data of 4 GiB", "005375 b0ffffffff", 8, Kind::UnexpectedEnd),
        (
            "list of 4 GiB",
            "005376 d0ffffffffffffffff",
            12,
            Kind::UnexpectedEnd,
        ),
        ("half a size", "005375 b00000", 6, Kind::UnexpectedEnd),
        ("half a uint", "005377 700000", 6, Kind::UnexpectedEnd),
        (
            "described without a value",
            "005377 005301",
            6,
            Kind::UnexpectedEnd,
        ),
    ];
    for (what, octets, at, kind) in table {
        let error = Message::decode(hex(octets)).expect_err(what);
        assert_eq!((error.at, &error.kind), (at, &kind), "{what}: {error}");
        // Only the missing body is forgiven.
        match Message::decode_lenient(hex(octets)) {
            Ok(message) => {
                assert_eq!(kind, Kind::MissingBody, "{what}");
                assert_eq!(message.body().unwrap(), &Body::default(), "{what}");
                let back = Message::decode(message.to_bytes()).expect(what);
                assert_eq!(back.body().unwrap(), &Body::default(), "{what}");
            }
            Err(lenient) => assert_eq!(lenient, error, "{what}"),
        }
    }
}

#[test]
fn what_is_wrong_inside_a_section_is_told_by_its_accessor() {
    type Probe = fn(&Message) -> Option<ferrion_engine::codec::DecodeError>;
    let header: Probe = |m| m.header().err();
    let properties: Probe = |m| m.properties().err();
    let application: Probe = |m| m.application_properties().err();
    let annotations: Probe = |m| m.message_annotations().err();
    let body: Probe = |m| m.body().err();
    let subject: Probe = |m| m.subject().err();
    let table = [
        (
            "more fields than a header has",
            header,
            "005370 c0 07 06 40 40 40 40 40 40 005377 40",
        ),
        (
            "priority as an int",
            header,
            "005370 c0 04 02 40 5409 005377 40",
        ),
        (
            "a count beyond its octets",
            header,
            "005370 c0 02 05 41 005377 40",
        ),
        (
            "octets left over in the list",
            header,
            "005370 c0 04 01 41 41 41 005377 40",
        ),
        (
            "address as a ulong",
            properties,
            "005373 c0 05 03 40 40 5301 005377 40",
        ),
        (
            "message-id as an int",
            properties,
            "005373 c0 03 01 5401 005377 40",
        ),
        (
            "subject that is not UTF-8",
            subject,
            "005373 c0 07 04 40 40 40 a101ff 005377 40",
        ),
        (
            "subject as a symbol",
            subject,
            "005373 c0 07 04 40 40 40 a30161 005377 40",
        ),
        (
            "subject beyond the list",
            subject,
            "005373 c0 07 04 40 40 40 a1ff61 005377 40",
        ),
        (
            "subject beyond the list by count",
            subject,
            "005373 c0 02 04 40 005377 40",
        ),
        (
            "a key without a value",
            application,
            "005374 c1 04 01 a1016b 005377 40",
        ),
        (
            "a key twice",
            application,
            "005374 c1 09 04 a1016b 40 a1016b 40 005377 40",
        ),
        (
            "a map of four billion",
            annotations,
            "005372 d1 00000004 fffffffe 005377 40",
        ),
        ("a char that is none", body, "005377 73 0000d800"),
        ("a boolean of two", body, "005377 56 02"),
        ("text that is not UTF-8", body, "005377 a1 01 80"),
        ("a symbol that is not ASCII", body, "005377 a3 01 80"),
        ("a list shorter than its count", body, "005376 c0 02 02 40"),
        (
            "the second of two lists",
            body,
            "005376 45 005376 c0 02 01 ff",
        ),
        (
            "an array of two billion nulls",
            body,
            "005377 f0 00000005 7fffffff 40",
        ),
    ];
    for (what, probe, octets) in table {
        let octets = hex(octets);
        let message = Message::decode(octets.clone()).expect(what);
        let error = probe(&message).unwrap_or_else(|| panic!("{what}: accepted"));
        assert!(error.at <= octets.len(), "{what}: {error}");
        assert!(message.check().is_err(), "{what}");
        // The fault is nobody's who only passes the message on.
        assert_eq!(message.to_bytes(), octets, "{what}");
        // To open the section to changes is to be told, and changes nothing.
        let mut changed = message.clone();
        if message.properties().is_err() {
            assert!(changed.properties_mut().is_err(), "{what}");
            assert_eq!(changed.to_bytes(), octets, "{what}");
        }
        // A setter gives the section a fresh start.
        changed.set_subject("s");
        changed.set_priority(1);
        changed.set_property("p", 1_u8);
        changed.set_body("b");
        changed.set_message_annotations(None);
        changed.check().expect(what);
        Message::decode(changed.to_bytes())
            .expect(what)
            .check()
            .expect(what);
    }
}

#[test]
fn one_bad_section_does_not_spoil_the_others() {
    let message = Message::decode(hex(
        "005370 c0 02 01 ff 005373 c0 09 04 40 40 a10171 a10173 005377 a1026869",
    ))
    .unwrap();
    assert!(message.header().is_err());
    assert!(message.durable().is_err());
    assert_eq!(message.address().unwrap(), Some("q"));
    assert_eq!(message.body().unwrap(), &Body::from("hi"));
    assert!(format!("{message:?}").contains("unknown constructor"));
}

#[test]
fn nesting_beyond_the_limit_is_refused_without_recursion() {
    // Lists in lists, and values that are described by described values.
    let mut lists = vec![0x45];
    for _ in 0..1000 {
        let mut outer = vec![0xd0];
        outer.extend_from_slice(&(lists.len() as u32 + 4).to_be_bytes());
        outer.extend_from_slice(&1_u32.to_be_bytes());
        outer.extend_from_slice(&lists);
        lists = outer;
    }
    let described = [vec![0x00; 100_000], vec![0x40; 100_001]].concat();
    for value in [lists, described] {
        let octets = [&hex("005377")[..], &value].concat();
        let message = Message::decode(octets).unwrap();
        assert_eq!(message.body().unwrap_err().kind, Kind::TooDeep);
        assert!(message.body_text().unwrap().is_none());
    }
}

#[test]
fn what_amqp_cannot_express_is_told_or_left_out() {
    let nested = |levels: u32| (0..levels).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    // Just within the limit.
    let mut message = Message::with_body(nested(MAX_DEPTH));
    message.set_address("q");
    let mut out = Vec::new();
    message.try_encode(&mut out).unwrap();
    Message::decode(out.clone()).unwrap().check().unwrap();
    // A sequence is itself a list.
    let sequence = Body::Sequence(vec![vec![nested(MAX_DEPTH - 1)]]);
    Message::decode(Message::with_body(sequence).to_bytes())
        .unwrap()
        .check()
        .unwrap();

    for (what, change) in [
        ("body", (|m, v| m.set_body(v)) as fn(&mut Message, Value)),
        ("sequence", |m, v| m.set_body(Body::Sequence(vec![vec![v]]))),
        ("footer", |m, v| {
            m.set_footer(Some(Map::from_iter([("k", v)])));
        }),
    ] {
        let mut message = Message::new();
        message.set_address("q");
        change(&mut message, nested(MAX_DEPTH + 1));
        let mut out = vec![1, 2, 3];
        assert!(message.try_encode(&mut out).is_err(), "{what}");
        assert_eq!(out, [1, 2, 3], "{what}: nothing is appended");
        let sent = Message::decode(message.to_bytes()).expect(what);
        sent.check().expect(what);
        assert_eq!(sent.address().unwrap(), Some("q"), "{what}");
        assert_eq!(sent.body().unwrap(), &Body::default(), "{what}");
        assert_eq!(sent.footer().unwrap(), None, "{what}");
    }
}
