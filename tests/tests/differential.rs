//! The engine's codec against the naive one: every value in every legal form, and octets that are nearly legal (1.6).

use bytes::Bytes;
use ferrion_engine::codec::{
    CodecLimits, Encode, MAX_DEPTH, MAX_ZERO_WIDTH, decode_value, encode_value,
};
use ferrion_engine::protocol::{Performative, SaslFrame};
use ferrion_tests::build::composite;
use ferrion_tests::oracle::{Form, Kind, V, decode, encode, encode_with, same, shape};
use ferrion_tests::rng::Rng;
use ferrion_tests::values::{alike, value};
use proptest::prelude::*;

const FORMS: [Form; 3] = [Form::Shortest, Form::Small, Form::Widest];

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Decodes with the engine and encodes again.
fn through_engine(octets: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (value, used) =
        decode_value(&Bytes::copy_from_slice(octets), &CodecLimits::default()).ok()?;
    let mut out = Vec::new();
    encode_value(&value, &mut out).expect("what was decoded can be encoded");
    Some((out, used))
}

proptest! {
    #![proptest_config(config(10_000))]

    #[test]
    fn every_legal_form_of_a_value_reads_as_that_value_and_is_written_in_the_shortest(value in value()) {
        let mut shortest = Vec::new();
        encode(&value, &mut shortest);
        for form in FORMS {
            let mut octets = Vec::new();
            encode_with(&value, form, &mut octets);
            octets.push(0x40);
            let (again, used) = through_engine(&octets).expect("legal octets");
            prop_assert_eq!(used, octets.len() - 1);
            let (read, _) = decode(&again).expect("the engine writes legal octets");
            prop_assert!(alike(&read, &value), "{:?} became {:?}", value, read);
            // Elements of no width say nothing that a reader can check: the engine writes them out.
            prop_assert!(
                again.len() <= shortest.len() || has_widthless_elements(&value), "{} octets where {} do: {:?}", again.len(), shortest.len(), value);
        }
    }
}

fn has_widthless_elements(value: &V) -> bool {
    match value {
        V::List(items) => items.iter().any(has_widthless_elements),
        V::Map(pairs) => pairs
            .iter()
            .any(|(k, v)| has_widthless_elements(k) || has_widthless_elements(v)),
        V::Array(element, items) => {
            (0x41..=0x45).contains(&element.code) || items.iter().any(has_widthless_elements)
        }
        V::Described(d, v) => has_widthless_elements(d) || has_widthless_elements(v),
        _ => false,
    }
}

fn depth(value: &V) -> u32 {
    1 + match value {
        V::List(items) => items.iter().map(depth).max().unwrap_or(0),
        V::Map(pairs) => pairs
            .iter()
            .map(|(k, v)| depth(k).max(depth(v)))
            .max()
            .unwrap_or(0),
        V::Array(element, items) => {
            items
                .iter()
                .map(depth)
                .max()
                .unwrap_or(0)
                .max(element.descriptors.iter().map(depth).max().unwrap_or(0))
                + element.descriptors.len() as u32
        }
        V::Described(descriptor, value) => depth(descriptor).max(depth(value)),
        _ => 0,
    }
}

/// Array elements without octets.
fn widthless(value: &V) -> usize {
    match value {
        V::List(items) => items.iter().map(widthless).sum(),
        V::Map(pairs) => pairs.iter().map(|(k, v)| widthless(k) + widthless(v)).sum(),
        V::Array(element, items) if (0x40..=0x45).contains(&element.code) => items.len(),
        V::Array(_, items) => items.iter().map(widthless).sum(),
        V::Described(d, v) => widthless(d) + widthless(v),
        _ => 0,
    }
}

fn repeats_a_key(value: &V) -> bool {
    match value {
        V::List(items) | V::Array(_, items) => items.iter().any(repeats_a_key),
        V::Map(pairs) => {
            pairs
                .iter()
                .enumerate()
                .any(|(i, (key, _))| pairs[..i].iter().any(|(k, _)| alike(k, key)))
                || pairs
                    .iter()
                    .any(|(k, v)| repeats_a_key(k) || repeats_a_key(v))
        }
        V::Described(descriptor, value) => repeats_a_key(descriptor) || repeats_a_key(value),
        _ => false,
    }
}

/// Both codecs must be of one mind about these octets.
fn agree(octets: &[u8]) {
    let naive = decode(octets);
    let engine = through_engine(octets);
    match (&naive, &engine) {
        (Ok((value, used)), Some((again, engine_used))) => {
            assert_eq!(used, engine_used, "{octets:02x?}");
            let (read, _) = decode(again).expect("the engine writes legal octets");
            assert!(
                repeats_a_key(value) || alike(&read, value),
                "{octets:02x?}: {value:?} became {read:?}"
            );
        }
        (Err(_), None) => {}
        // The engine has bounds of its own, and may refuse what says two things at once.
        (Ok((value, _)), None) => {
            assert!(
                depth(value) > MAX_DEPTH
                    || repeats_a_key(value)
                    || widthless(value) > MAX_ZERO_WIDTH as usize,
                "only the naive codec takes {octets:02x?}: {value:?}"
            );
        }
        (Err(fault), Some(_)) => panic!("only the engine takes {octets:02x?}: {fault}"),
    }
}

proptest! {
    #![proptest_config(config(10_000))]

    #[test]
    fn both_codecs_agree_on_what_is_nearly_a_value(value in value(), seed in any::<u64>()) {
        let mut rng = Rng::new(seed);
        let mut octets = Vec::new();
        encode_with(&value, FORMS[rng.below(3)], &mut octets);
        for _ in 0..8 {
            let mut broken = octets.clone();
            for _ in 0..=rng.below(3) {
                let at = rng.below(broken.len());
                match rng.below(4) {
                    0 => broken[at] = rng.next_u64() as u8,
                    1 => broken[at] ^= 1 << rng.below(8),
                    2 if broken.len() > 1 => { broken.remove(at); }
                    _ => broken.insert(at, rng.next_u64() as u8),
                }
            }
            agree(&broken);
        }
    }

    #[test]
    fn both_codecs_agree_on_random_octets(octets in prop::collection::vec(any::<u8>(), 0..40)) {
        agree(&octets);
    }
}

#[test]
fn both_codecs_agree_on_every_start_of_three_octets() {
    for first in 0..=255u8 {
        for second in 0..=255u8 {
            for third in [0, 1, 2, 0x40, 0x45, 0x80, 0xa1, 0xc0, 0xff] {
                agree(&[first, second, third]);
                agree(&[first, second, third, 0x40, 0x43, 0, 0, 0, 0, 0, 0]);
            }
        }
    }
}

/// A field's value of the right type; enumerations and the like get what is legal for them.
fn field_value(name: &str, kind: Kind, rng: &mut Rng) -> V {
    let n = rng.next_u64();
    match (name, kind) {
        ("snd-settle-mode", _) => V::Ubyte((n % 3) as u8),
        ("rcv-settle-mode", _) => V::Ubyte((n % 2) as u8),
        ("code", _) => V::Ubyte((n % 5) as u8),
        ("durable", _) => V::Uint((n % 3) as u32),
        ("expiry-policy", _) => {
            V::sym(["link-detach", "session-end", "connection-close", "never"][(n % 4) as usize])
        }
        ("distribution-mode", _) => V::sym(["move", "copy"][(n % 2) as usize]),
        ("delivery-tag", _) => V::Bin(vec![n as u8; (n % 33) as usize]),
        ("address", _) => V::Str(format!("address-{n}")),
        ("unsettled", _) => V::Map(vec![
            (V::bin(b"tag"), composite(0x24).v()),
            (V::bin(b"u"), V::Null),
        ]),
        ("state" | "default-outcome" | "outcome", _) => {
            let states = [0x24, 0x25, 0x26, 0x27];
            filled(states[(n % 4) as usize], rng)
        }
        (_, Kind::Str) => V::Str(format!("text é {n}")),
        (_, Kind::Sym) => V::Sym(format!("symbol:{n}")),
        (_, Kind::Symbols) => match n % 4 {
            0 => V::sym("one"),
            1 => V::symbols(&[]),
            _ => V::symbols(&["one", "two", "three"][..1 + (n % 3) as usize]),
        },
        (_, Kind::Bin) => V::Bin(vec![n as u8; (n % 50) as usize]),
        (_, Kind::Bool) => V::Bool(n.is_multiple_of(2)),
        (_, Kind::Ubyte) => V::Ubyte(n as u8),
        (_, Kind::Ushort) => V::Ushort(n as u16),
        (_, Kind::Uint) => V::Uint(if n.is_multiple_of(3) {
            (n % 4) as u32
        } else {
            (n >> 32) as u32
        }),
        (_, Kind::Ulong) => V::Ulong(if n.is_multiple_of(3) { n % 4 } else { n }),
        (_, Kind::Map) => V::fields(&[
            ("a", V::Uint(n as u32)),
            ("b", V::List(vec![V::Null, V::str("x")])),
        ]),
        (_, Kind::One(codes)) => filled(codes[0], rng),
        (_, Kind::Any) => V::bin(b"any"),
    }
}

/// A composite with its mandatory fields and some of the others.
fn filled(code: u64, rng: &mut Rng) -> V {
    let shape = shape(code).expect("a known type");
    let mut fields = Vec::new();
    for field in shape.fields {
        let mut value = V::Null;
        if field.mandatory || !rng.one_in(3) {
            value = field_value(field.name, field.kind, rng);
            if field.mandatory && value.multiple().is_empty() {
                value = V::sym("one");
            }
        }
        fields.push(value);
    }
    while fields.last().is_some_and(V::is_null) && !rng.one_in(4) {
        fields.pop();
    }
    V::described(code, V::List(fields))
}

#[test]
fn performatives_and_sasl_frames_mean_the_same_to_both() {
    let mut rng = Rng::new(1);
    for round in 0..4000 {
        let code = [
            0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x40, 0x41, 0x42, 0x43, 0x44,
        ][round % 14];
        let value = filled(code, &mut rng);
        for form in FORMS {
            let mut octets = Vec::new();
            encode_with(&value, form, &mut octets);
            let octets = Bytes::from(octets);
            let mut out = Vec::new();
            let used = if code < 0x40 {
                let (read, used) =
                    Performative::decode(&octets).unwrap_or_else(|e| panic!("{value}: {e}"));
                read.encode(&mut out);
                used
            } else {
                let (read, used) =
                    SaslFrame::decode(&octets).unwrap_or_else(|e| panic!("{value}: {e}"));
                read.encode(&mut out);
                used
            };
            assert_eq!(used, octets.len());
            let (again, _) = decode(&out).expect("the engine writes legal octets");
            assert!(same(&again, &value), "{value}\nbecame\n{again}");
        }
    }
}

#[test]
fn a_mandatory_field_that_is_missing_or_null_is_refused() {
    let mut rng = Rng::new(2);
    for code in [
        0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x40, 0x41, 0x42, 0x43, 0x44u64,
    ] {
        let shape = shape(code).unwrap();
        for (i, field) in shape.fields.iter().enumerate().filter(|(_, f)| f.mandatory) {
            let V::Described(descriptor, list) = filled(code, &mut rng) else {
                unreachable!()
            };
            let V::List(fields) = *list else {
                unreachable!()
            };
            let mut with_null = fields.clone();
            with_null[i] = V::Null;
            for fields in [with_null, fields[..i].to_vec()] {
                let broken = V::Described(descriptor.clone(), Box::new(V::List(fields)));
                let mut octets = Vec::new();
                encode(&broken, &mut octets);
                let octets = Bytes::from(octets);
                let taken = if code < 0x40 {
                    Performative::decode(&octets).is_ok()
                } else {
                    SaslFrame::decode(&octets).is_ok()
                };
                assert!(!taken, "{} without {}", shape.name, field.name);
            }
        }
    }
}

#[test]
fn a_field_of_another_type_is_refused() {
    let mut rng = Rng::new(3);
    for code in [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18u64] {
        let shape = shape(code).unwrap();
        for (i, field) in shape
            .fields
            .iter()
            .enumerate()
            .filter(|(_, f)| f.kind != Kind::Any)
        {
            let V::Described(descriptor, list) = filled(code, &mut rng) else {
                unreachable!()
            };
            let V::List(mut fields) = *list else {
                unreachable!()
            };
            fields.resize(shape.fields.len(), V::Null);
            // No field of a performative is a char.
            fields[i] = V::Char('x');
            let mut octets = Vec::new();
            encode(
                &V::Described(descriptor, Box::new(V::List(fields))),
                &mut octets,
            );
            assert!(
                Performative::decode(&Bytes::from(octets)).is_err(),
                "{} of {}",
                field.name,
                shape.name
            );
        }
    }
}
