//! Whatever the value, it round-trips; whatever the octets, they decode or fail, within bounded memory and time.

use bytes::Bytes;
use ferrion_engine::codec::{
    Array, CodecLimits, Decimal32, Decimal64, Decimal128, Decode, Encode, Fields, Map, Raw, Reader,
    Str, Symbol, Timestamp, Uuid, Value, decode_value, encode_value, jump, skip,
};
use ferrion_engine::protocol::{DeliveryState, Performative, SaslFrame};
use proptest::prelude::*;

/// The most that was allocated at a time while `work` ran, beyond what was there before.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let mut result = None;
    let info = allocation_counter::measure(|| result = Some(work()));
    let peak = usize::try_from(info.bytes_max).unwrap();
    (result.expect("what was measured"), peak)
}

/// A dynamic value takes this many octets of memory for each octet on the wire (a described null: three octets) ...
const PER_OCTET: usize = 160;
/// ... and this many more at most, for array elements that have no octets on the wire.
const SPARE: usize = 8 << 20;

/// What passing over octets may take: an error.
const ERROR: usize = 64;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u8>().prop_map(Value::from),
        any::<u16>().prop_map(Value::from),
        prop_oneof![any::<u32>(), 0..300u32].prop_map(Value::from),
        prop_oneof![any::<u64>(), 0..300u64].prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        any::<i16>().prop_map(Value::from),
        prop_oneof![any::<i32>(), -200..200i32].prop_map(Value::from),
        prop_oneof![any::<i64>(), -200..200i64].prop_map(Value::from),
        any::<u32>().prop_map(|v| f32::from_bits(v).into()),
        any::<u64>().prop_map(|v| f64::from_bits(v).into()),
        any::<[u8; 4]>().prop_map(|v| Decimal32(v).into()),
        any::<[u8; 8]>().prop_map(|v| Decimal64(v).into()),
        any::<[u8; 16]>().prop_map(|v| Decimal128(v).into()),
        any::<char>().prop_map(Value::from),
        any::<i64>().prop_map(|v| Timestamp(v).into()),
        any::<[u8; 16]>().prop_map(|v| Uuid(v).into()),
        binary().prop_map(Value::from),
        text().prop_map(Value::from),
        symbol().prop_map(Value::from),
    ]
}

fn binary() -> impl Strategy<Value = Vec<u8>> {
    let octets = |len| prop::collection::vec(any::<u8>(), len);
    prop_oneof![octets(0..8), octets(250..260)]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![".{0,8}", "[a-z]{250,260}"]
}

fn symbol() -> impl Strategy<Value = Symbol> {
    prop_oneof!["[ -~]{0,8}", "[a-z]{250,260}"].prop_map(|t| Symbol::try_from(t).unwrap())
}

/// Values of one type each, for arrays: a strategy for each constructor that has more than one form.
fn alike(
    inner: impl Strategy<Value = Value> + Clone + 'static,
) -> impl Strategy<Value = Vec<Value>> {
    fn many<T: Into<Value> + std::fmt::Debug + 'static>(
        one: impl Strategy<Value = T> + 'static,
    ) -> BoxedStrategy<Vec<Value>> {
        prop::collection::vec(one.prop_map(Into::into), 0..5).boxed()
    }
    prop_oneof![
        (0..400usize).prop_map(|n| vec![Value::Null; n]),
        many(any::<bool>()),
        many(any::<u8>()),
        many(prop_oneof![any::<u32>(), 0..3u32]),
        many(0..256u32),
        many(prop_oneof![any::<u64>(), 0..3u64]),
        many(-128..128i32),
        many(any::<i64>()),
        many(any::<[u8; 16]>().prop_map(Uuid)),
        many(binary()),
        many(text()),
        many(symbol()),
        many(prop::collection::vec(inner.clone(), 0..4)),
        many(prop::collection::vec((scalar(), inner), 0..3).prop_map(Map::from_iter)),
        many(
            prop::collection::vec(any::<u8>().prop_map(Value::from), 0..3)
                .prop_map(|v| Array::new(v).unwrap())
        ),
        many(
            prop::collection::vec(text().prop_map(Value::from), 0..3)
                .prop_map(|v| Array::new(v).unwrap())
        ),
        (scalar(), prop::collection::vec(any::<u8>(), 0..4)).prop_map(|(descriptor, items)| {
            items
                .into_iter()
                .map(|v| Value::described(descriptor.clone(), v))
                .collect()
        }),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            (0..300usize, scalar()).prop_map(|(n, v)| Value::List(vec![v; n])),
            prop::collection::vec((inner.clone(), inner.clone()), 0..6)
                .prop_map(|e| Map::from_iter(e).into()),
            alike(inner.clone()).prop_map(|items| Array::new(items).unwrap().into()),
            (inner.clone(), inner)
                .prop_map(|(descriptor, value)| Value::described(descriptor, value)),
        ]
    })
}

/// Octets that look like AMQP more often than chance has it.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    const CODES: &[u8] = &[
        0x00, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x50, 0x52, 0x53, 0x54, 0x55, 0x56, 0x60, 0x70,
        0x71, 0x72, 0x73, 0x80, 0x83, 0x94, 0x98, 0xa0, 0xa1, 0xa3, 0xb0, 0xb1, 0xb3, 0xc0, 0xc1,
        0xd0, 0xd1, 0xe0, 0xf0, 0xff, 0x10, 0x12, 0x13, 0x14, 0x24, 0x28, 0x29,
    ];
    let octet = prop_oneof![3 => prop::sample::select(CODES), 3 => 0..6u8, 1 => any::<u8>()];
    prop::collection::vec(octet, 0..80)
}

/// A sound value in which a few octets were changed, so that the damage lies deep inside.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4);
    (value(), changes).prop_map(|(value, changes)| {
        let mut octets = Vec::new();
        value.encode(&mut octets);
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        octets
    })
}

fn decoding_is_safe(octets: Vec<u8>) -> Result<(), TestCaseError> {
    let octets = Bytes::from(octets);
    let limits = CodecLimits::default();
    let (decoded, peak) = peak_of(|| decode_value(&octets, &limits));
    prop_assert!(
        peak <= octets.len() * PER_OCTET + SPARE,
        "{peak} octets of memory for {}",
        octets.len()
    );

    let mut skipping = Reader::new(&octets);
    let (skipped, peak) = peak_of(|| skip(&mut skipping));
    prop_assert!(peak <= ERROR, "skip allocated {peak}");
    let mut jumping = Reader::new(&octets);
    let jumped = jump(&mut jumping);

    match decoded {
        Ok((value, used)) => {
            prop_assert!(skipped.is_ok() && jumped.is_ok());
            prop_assert_eq!((skipping.position(), jumping.position()), (used, used));
            let mut again = Vec::new();
            prop_assert!(encode_value(&value, &mut again).is_ok());
            let (back, _) = decode_value(&again.into(), &limits).unwrap();
            prop_assert_eq!(&back, &value);
            let _ = value.to_string();
        }
        Err(error) => {
            prop_assert!(error.at <= octets.len(), "{error}");
            if let Err(skipped) = skipped {
                prop_assert_eq!(skipped, error);
            }
        }
    }
    let typed = [
        |o: &Bytes| Performative::decode(o).map(|p| p.0.to_string()).ok(),
        |o: &Bytes| SaslFrame::decode(o).map(|p| p.0.to_string()).ok(),
        |o: &Bytes| {
            DeliveryState::decode(&mut Reader::new(o))
                .map(|p| p.to_string())
                .ok()
        },
        |o: &Bytes| {
            Fields::decode(&mut Reader::new(o))
                .map(|p| p.to_string())
                .ok()
        },
        |o: &Bytes| {
            <Raw as Decode>::decode(&mut Reader::new(o))
                .map(|p| p.to_string())
                .ok()
        },
        |o: &Bytes| Str::decode(&mut Reader::new(o)).map(|p| p.to_string()).ok(),
    ];
    for decode in typed {
        let (_, peak) = peak_of(|| decode(&octets));
        prop_assert!(
            peak <= octets.len() * 2 * PER_OCTET + SPARE,
            "{peak} octets of memory for {}",
            octets.len()
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_round_trips(value in value()) {
        let mut octets = b"before".to_vec();
        encode_value(&value, &mut octets).unwrap();
        let octets = Bytes::from(octets).slice(6..);
        let (back, used) = decode_value(&octets, &CodecLimits::default()).unwrap();
        prop_assert_eq!(used, octets.len());
        prop_assert_eq!(&back, &value);
        // The encoding is the shortest, so it cannot become shorter.
        let mut again = Vec::new();
        back.encode(&mut again);
        prop_assert_eq!(&again, &octets);
        for decode in [skip, jump] {
            let mut reader = Reader::new(&octets);
            decode(&mut reader).unwrap();
            prop_assert!(reader.is_empty());
        }
        // Cut anywhere, it is refused.
        for at in [0, 1, octets.len() / 2, octets.len() - 1] {
            let cut = octets.slice(..at.min(octets.len() - 1));
            prop_assert!(decode_value(&cut, &CodecLimits::default()).is_err());
        }
    }

    #[test]
    fn any_octets_decode_or_fail(octets in octets()) {
        decoding_is_safe(octets)?;
    }

    #[test]
    fn any_damage_decodes_or_fails(octets in damaged()) {
        decoding_is_safe(octets)?;
    }

    #[test]
    fn any_map_survives_as_fields(entries in prop::collection::vec((symbol(), value()), 0..40)) {
        let map = Map::from_iter(entries);
        let fields = Fields::from(&map);
        prop_assert_eq!(&fields.to_map(), &map);
        for (key, value) in map.iter() {
            let found = fields.get(key.as_str().unwrap());
            prop_assert_eq!(found.as_ref(), Some(value));
        }
    }
}

/// Few octets that ask for much: each is refused, or answered, in little memory and time.
#[test]
fn hostile_octets_cost_little() {
    let wide = |code: u8, count: u32, body: &[u8]| {
        let size = body.len() as u32 + 4;
        [&[code][..], &size.to_be_bytes(), &count.to_be_bytes(), body].concat()
    };
    let zeros = wide(0xf0, 0xffff, &[0x40]);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("2^31 nulls", wide(0xf0, 1 << 31, &[0x40])),
        ("2^32-1 uint zeros", wide(0xf0, u32::MAX, &[0x43])),
        ("2^32-1 empty lists", wide(0xf0, u32::MAX, &[0x45])),
        (
            "2^32-1 described trues",
            wide(0xf0, u32::MAX, &[0x00, 0x41, 0x41]),
        ),
        ("2^32-1 arrays", wide(0xf0, u32::MAX, &[0xf0])),
        ("a list of 2^32-1", wide(0xd0, u32::MAX, &[0x40])),
        ("a map of 2^32-2", wide(0xd1, u32::MAX - 1, &[0x40, 0x40])),
        (
            "many arrays of many nulls",
            wide(0xd0, 10_000, &zeros.repeat(10_000)),
        ),
        (
            "many described nulls",
            wide(0xd0, 50_000, &[0x00, 0x40, 0x40].repeat(50_000)),
        ),
        (
            "many empty arrays",
            wide(0xd0, 50_000, &[0xe0, 2, 0, 0x40].repeat(50_000)),
        ),
        (
            "many lists of one",
            wide(0xd0, 50_000, &[0xc0, 2, 1, 0x40].repeat(50_000)),
        ),
        (
            "4 GiB of text",
            [&[0xb1][..], &u32::MAX.to_be_bytes(), b"x"].concat(),
        ),
        ("descriptors without end", vec![0; 1 << 20]),
        (
            "arrays of descriptors without end",
            [&[0xf0, 0, 16, 0, 0, 0, 0, 0, 1][..], &[0; 1 << 20]].concat(),
        ),
    ];
    for (name, octets) in cases {
        let octets = Bytes::from(octets);
        let (decoded, peak) = peak_of(|| decode_value(&octets, &CodecLimits::default()).map(drop));
        assert!(
            peak <= octets.len() * PER_OCTET + SPARE,
            "{name}: {peak} for {}, {decoded:?}",
            octets.len()
        );
        let (skipped, peak) = peak_of(|| skip(&mut Reader::new(&octets)));
        assert!(peak <= ERROR, "{name}");
        assert_eq!(skipped, decoded, "{name}");
    }
}

/// The limit of elements without octets is for what peers send, not for what is here already.
#[test]
fn many_nulls_of_our_own_are_kept() {
    let nulls = Value::from(Array::new(vec![Value::Null; 100_000]).unwrap());
    let fields = Fields::from(Map::from_iter([("nulls", nulls.clone())]));
    assert_eq!(fields.get("nulls"), Some(nulls.clone()));
    assert_eq!(fields.to_map().len(), 1);
    assert_eq!(Raw::new(&nulls).decode(), Ok(nulls));
    assert!(Fields::decode(&mut Reader::new(fields.as_bytes())).is_err());
}
