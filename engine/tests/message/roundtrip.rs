//! Any message survives the wire, and any octets are a message or an error.

use bytes::Bytes;
use ferrion_engine::codec::{
    Array, Decimal32, Decimal64, Decimal128, Encode, Map, Str, Symbol, Timestamp, Uuid, Value,
};
use ferrion_engine::message::{Body, Header, Message, MessageId, Properties, Section};
use ferrion_engine::testing;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn octets() -> impl Strategy<Value = Bytes> {
    prop_oneof![9 => vec(any::<u8>(), 0..20), 1 => vec(any::<u8>(), 250..300)].prop_map(Bytes::from)
}

fn text() -> impl Strategy<Value = Str> {
    prop_oneof![9 => ".{0,12}", 1 => "[a-z\u{e9}]{250,260}"]
        .prop_map(|text| Str::from(text.as_str()))
}

fn symbol() -> impl Strategy<Value = Symbol> {
    "[ -~]{0,12}".prop_map(|text| Symbol::try_from(text).unwrap())
}

/// The types that an application property may have (3.2.5), apart from described ones.
fn simple() -> impl Strategy<Value = Value> {
    let numbers = prop_oneof![
        any::<u8>().prop_map(Value::Ubyte),
        any::<u16>().prop_map(Value::Ushort),
        any::<u32>().prop_map(Value::Uint),
        any::<u64>().prop_map(Value::Ulong),
        any::<i8>().prop_map(Value::Byte),
        any::<i16>().prop_map(Value::Short),
        any::<i32>().prop_map(Value::Int),
        any::<i64>().prop_map(Value::Long),
        // The short forms of the wide types are worth more than chance gives them.
        (0..300_u32).prop_map(Value::Uint),
        (0..300_u64).prop_map(Value::Ulong),
        (-200..200_i32).prop_map(Value::Int),
        (-200..200_i64).prop_map(Value::Long),
    ];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        numbers,
        any::<u32>().prop_map(|bits| Value::Float(f32::from_bits(bits))),
        any::<u64>().prop_map(|bits| Value::Double(f64::from_bits(bits))),
        any::<[u8; 4]>().prop_map(|v| Value::Decimal32(Decimal32(v))),
        any::<[u8; 8]>().prop_map(|v| Value::Decimal64(Decimal64(v))),
        any::<[u8; 16]>().prop_map(|v| Value::Decimal128(Decimal128(v))),
        any::<char>().prop_map(Value::Char),
        any::<i64>().prop_map(|v| Value::Timestamp(Timestamp(v))),
        any::<[u8; 16]>().prop_map(|v| Value::Uuid(Uuid(v))),
        octets().prop_map(Value::Binary),
        text().prop_map(Value::String),
        symbol().prop_map(Value::Symbol),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    simple().prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::List),
            vec((inner.clone(), inner.clone()), 0..6)
                .prop_map(|pairs| Value::Map(Map::from_iter(pairs))),
            // Of what was drawn, the elements that an array can hold beside the first.
            vec(inner.clone(), 0..6).prop_map(|items| {
                let mut fitting = Vec::new();
                for item in items {
                    fitting.push(item);
                    if Array::new(fitting.clone()).is_err() {
                        fitting.pop();
                    }
                }
                Value::from(Array::new(fitting).unwrap())
            }),
            (inner.clone(), inner)
                .prop_map(|(descriptor, value)| Value::described(descriptor, value)),
        ]
    })
}

fn annotations() -> impl Strategy<Value = Map> {
    let key = prop_oneof![9 => symbol().prop_map(Value::Symbol), 1 => any::<u64>().prop_map(Value::Ulong)];
    vec((key, value()), 0..4).prop_map(Map::from_iter)
}

fn header() -> impl Strategy<Value = Header> {
    // The defaults are worth more than chance gives them.
    let number = || prop_oneof![Just(0), 0..300_u32, any::<u32>()];
    let fields = (
        any::<bool>(),
        prop_oneof![Just(Header::DEFAULT_PRIORITY), any::<u8>()],
        option::of(number()),
        any::<bool>(),
        number(),
    );
    fields.prop_map(
        |(durable, priority, ttl, first_acquirer, delivery_count)| Header {
            durable,
            priority,
            ttl,
            first_acquirer,
            delivery_count,
        },
    )
}

fn message_id() -> impl Strategy<Value = Option<MessageId>> {
    option::of(prop_oneof![
        any::<u64>().prop_map(MessageId::Ulong),
        any::<[u8; 16]>().prop_map(|v| MessageId::Uuid(Uuid(v))),
        octets().prop_map(MessageId::Binary),
        text().prop_map(MessageId::String),
    ])
}

fn properties() -> impl Strategy<Value = Properties> {
    let ids = (message_id(), message_id(), option::of(octets()));
    let addresses = (option::of(text()), option::of(text()), option::of(text()));
    let content = (option::of(symbol()), option::of(symbol()));
    let times = (option::of(any::<i64>()), option::of(any::<i64>()));
    let group = (
        option::of(text()),
        option::of(any::<u32>()),
        option::of(text()),
    );
    (ids, addresses, content, times, group).prop_map(|(ids, addresses, content, times, group)| {
        Properties {
            message_id: ids.0,
            correlation_id: ids.1,
            user_id: ids.2,
            to: addresses.0,
            subject: addresses.1,
            reply_to: addresses.2,
            content_type: content.0,
            content_encoding: content.1,
            absolute_expiry_time: times.0.map(Timestamp),
            creation_time: times.1.map(Timestamp),
            group_id: group.0,
            group_sequence: group.1,
            reply_to_group_id: group.2,
        }
    })
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        vec(octets(), 1..4).prop_map(Body::Data),
        vec(vec(value(), 0..4), 1..4).prop_map(Body::Sequence),
        value().prop_map(Body::Value),
    ]
}

#[derive(Debug, Clone)]
struct Sections {
    header: Option<Header>,
    delivery_annotations: Option<Map>,
    message_annotations: Option<Map>,
    properties: Option<Properties>,
    application_properties: Option<Map>,
    body: Body,
    footer: Option<Map>,
}

fn sections() -> impl Strategy<Value = Sections> {
    let application = vec((text(), simple()), 0..4).prop_map(Map::from_iter);
    (
        option::of(header()),
        option::of(annotations()),
        option::of(annotations()),
        option::of(properties()),
        option::of(application),
        body(),
        option::of(annotations()),
    )
        .prop_map(|s| Sections {
            header: s.0,
            delivery_annotations: s.1,
            message_annotations: s.2,
            properties: s.3,
            application_properties: s.4,
            body: s.5,
            footer: s.6,
        })
}

/// A section that holds one value.
fn encoded(section: Section, value: &impl Encode) -> Vec<u8> {
    let mut octets = vec![0x00, 0x53, section.code()];
    value.encode(&mut octets);
    octets
}

/// A composite, which has its descriptor with it.
fn composite(value: &impl Encode) -> Vec<u8> {
    let mut octets = Vec::new();
    value.encode(&mut octets);
    octets
}

impl Sections {
    /// The encoded message, put together of what the types of its sections say of themselves.
    fn parts(&self) -> Vec<u8> {
        let map = |section, map: &Option<Map>| map.as_ref().map(|map| encoded(section, map));
        let body = match &self.body {
            Body::Data(sections) => {
                let sections = sections.iter();
                sections.flat_map(|it| encoded(Section::Data, it)).collect()
            }
            Body::Sequence(lists) => {
                let lists = lists.iter().map(|list| Value::List(list.clone()));
                lists
                    .flat_map(|it| encoded(Section::Sequence, &it))
                    .collect()
            }
            Body::Value(value) => encoded(Section::Value, value),
        };
        [
            self.header.as_ref().map(composite),
            map(Section::DeliveryAnnotations, &self.delivery_annotations),
            map(Section::MessageAnnotations, &self.message_annotations),
            self.properties.as_ref().map(composite),
            map(Section::ApplicationProperties, &self.application_properties),
            Some(body),
            map(Section::Footer, &self.footer),
        ]
        .into_iter()
        .flatten()
        .flatten()
        .collect()
    }

    fn put_into(self, message: &mut Message) {
        message.set_header(self.header);
        message.set_delivery_annotations(self.delivery_annotations);
        message.set_message_annotations(self.message_annotations);
        message.set_properties(self.properties);
        message.set_application_properties(self.application_properties);
        message.set_body(self.body);
        message.set_footer(self.footer);
    }

    fn check(&self, message: &Message) {
        assert_eq!(message.header().unwrap(), self.header.as_ref());
        assert_eq!(
            message.delivery_annotations().unwrap(),
            self.delivery_annotations.as_ref()
        );
        assert_eq!(
            message.message_annotations().unwrap(),
            self.message_annotations.as_ref()
        );
        assert_eq!(message.properties().unwrap(), self.properties.as_ref());
        assert_eq!(
            message.application_properties().unwrap(),
            self.application_properties.as_ref()
        );
        assert_eq!(message.body().unwrap(), &self.body);
        assert_eq!(message.footer().unwrap(), self.footer.as_ref());
    }
}

proptest! {
    #[test]
    fn any_message_survives_the_wire(sections in sections()) {
        let mut message = Message::new();
        sections.clone().put_into(&mut message);
        let octets = message.to_bytes();
        sections.check(&Message::decode(octets.clone()).unwrap());
        // Everything the fuzzer asks of a message, of one that is sure to be whole.
        testing::message(&octets);
    }

    #[test]
    fn a_message_is_written_as_its_sections_are(sections in sections(), changed in sections(), what in 0..7) {
        let mut message = Message::new();
        sections.clone().put_into(&mut message);
        let octets = message.to_bytes();
        prop_assert_eq!(&octets[..], &sections.parts()[..]);
        // With one section changed, those that are sent on as they came stand beside it.
        let mut message = Message::decode(octets).unwrap();
        let mut mixed = sections;
        match what {
            0 => { mixed.header = changed.header; message.set_header(mixed.header.clone()); }
            1 => {
                mixed.delivery_annotations = changed.delivery_annotations;
                message.set_delivery_annotations(mixed.delivery_annotations.clone());
            }
            2 => {
                mixed.message_annotations = changed.message_annotations;
                message.set_message_annotations(mixed.message_annotations.clone());
            }
            3 => { mixed.properties = changed.properties; message.set_properties(mixed.properties.clone()); }
            4 => {
                mixed.application_properties = changed.application_properties;
                message.set_application_properties(mixed.application_properties.clone());
            }
            5 => { mixed.body = changed.body; message.set_body(mixed.body.clone()); }
            _ => { mixed.footer = changed.footer; message.set_footer(mixed.footer.clone()); }
        }
        let mut out = vec![7; 3];
        message.encode(&mut out);
        prop_assert_eq!(&out[..3], &[7; 3]);
        prop_assert_eq!(&out[3..], &mixed.parts()[..]);
    }

    #[test]
    fn a_message_used_before_is_as_good_as_a_new_one(first in sections(), second in sections()) {
        let mut message = Message::new();
        first.clone().put_into(&mut message);
        let octets = message.to_bytes();
        message.clear();
        second.clone().put_into(&mut message);
        second.check(&message);
        message.load(octets).unwrap();
        first.check(&message);
        // Change every section of a received message.
        second.clone().put_into(&mut message);
        second.check(&Message::decode(message.to_bytes()).unwrap());
    }

    #[test]
    fn a_message_is_as_it_was_when_others_cannot_be_loaded_into_it(
        sections in sections(),
        removed in any::<[bool; 2]>(),
        wrong in vec(any::<u8>(), 0..40),
        order in any::<bool>(),
    ) {
        let mut message = Message::new();
        sections.clone().put_into(&mut message);
        let mut message = Message::decode(message.to_bytes()).unwrap();
        if removed[0] {
            message.set_header(None);
        }
        if removed[1] {
            message.set_subject("changed");
        }
        let before = message.to_bytes();
        // Sections that are sound, and then one that is not; or anything.
        let mut octets = vec![0, 0x53, 0x73, 0xc0, 1, 0, 0, 0x53, 0x77, 0x40];
        if order {
            octets.extend_from_within(..6);
        } else {
            octets.extend(wrong);
        }
        if message.load(octets).is_err() {
            prop_assert_eq!(message.to_bytes(), before);
            prop_assert_eq!(message.header().unwrap(), sections.header.as_ref().filter(|_| !removed[0]));
            prop_assert_eq!(message.body().unwrap(), &sections.body);
        }
    }

    #[test]
    fn any_octets_are_a_message_or_an_error(octets in vec(any::<u8>(), 0..200)) {
        testing::message(&octets);
    }

    #[test]
    fn a_message_with_a_few_wrong_octets_does_no_harm(
        sections in sections(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in option::of(any::<prop::sample::Index>()),
    ) {
        let mut message = Message::new();
        sections.put_into(&mut message);
        let mut octets = message.to_bytes().to_vec();
        for (place, octet) in changes {
            let place = place.index(octets.len());
            octets[place] = octet;
        }
        if let Some(cut) = cut {
            octets.truncate(cut.index(octets.len()));
        }
        testing::message(&octets);
    }
}

/// Sections of which nothing but a body of this many octets is there.
fn with_body(octets: usize) -> Sections {
    Sections {
        header: None,
        delivery_annotations: None,
        message_annotations: None,
        properties: None,
        application_properties: None,
        body: Body::Data(vec![vec![7; octets].into()]),
        footer: None,
    }
}

/// Text of so many octets.
fn text_of(octets: usize) -> Str {
    Str::from("x".repeat(octets).as_str())
}

/// Properties whose list is longer by an octet for each of `octets`, with texts of a hundred octets and one of the rest.
fn properties_of(octets: usize) -> Properties {
    Properties {
        to: Some(text_of(100)),
        subject: Some(text_of(octets.min(100))),
        reply_to: Some(text_of(octets.saturating_sub(100))),
        ..Properties::default()
    }
}

/// A map as [`properties_of`].
fn map_of(octets: usize) -> Map {
    let values = [100, octets.min(100), octets.saturating_sub(100)];
    let pairs = values.iter().zip(["a", "b", "c"]);
    pairs
        .map(|(octets, key)| (Value::from(key), Value::String(text_of(*octets))))
        .collect()
}

/// Compares what is written of these sections, of the same as they were received, and of those with another body, with what
/// their types say of themselves.
fn check_written(mut sections: Sections) {
    let mut message = Message::new();
    sections.clone().put_into(&mut message);
    let octets = message.to_bytes();
    assert_eq!(octets, sections.parts());
    let mut message = Message::decode(octets).unwrap();
    sections.body = Body::Value(Value::from("another"));
    message.set_body(sections.body.clone());
    assert_eq!(message.to_bytes(), sections.parts());
    let mut appended = vec![7];
    message.encode(&mut appended);
    assert_eq!(appended[1..], sections.parts());
    sections.footer = Some(map_of(7));
    message.set_footer(sections.footer.clone());
    assert_eq!(message.to_bytes(), sections.parts());
}

#[test]
fn sections_about_as_long_as_short_ones_can_be_are_written_as_all_others() {
    for octets in 110..140 {
        check_written(with_body(octets));
        let mut sections = with_body(0);
        sections.body = Body::Value(Value::String(text_of(octets)));
        sections.properties = Some(Properties {
            subject: Some(text_of(octets)),
            message_id: Some(MessageId::Binary(vec![7; octets].into())),
            ..Properties::default()
        });
        check_written(sections);
    }
    // What the sizes count are from 240 to 270 octets.
    for octets in 100..160 {
        let mut sections = with_body(3);
        sections.properties = Some(properties_of(octets));
        check_written(sections);
        let mut sections = with_body(3);
        sections.application_properties = Some(map_of(octets));
        check_written(sections);
    }
}

#[test]
fn heads_about_as_long_as_there_is_room_for_are_written_as_all_others() {
    for octets in 0..170 {
        for body in [0, 1, 60, 126, 300] {
            let mut sections = with_body(body);
            sections.properties = Some(properties_of(90));
            sections.application_properties = Some(map_of(octets));
            check_written(sections.clone());
            sections.header = Some(Header {
                durable: true,
                ..Header::default()
            });
            check_written(sections);
        }
    }
}
