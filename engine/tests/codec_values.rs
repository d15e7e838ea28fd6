//! Every type in every encoding, the limits, and what is refused.

use bytes::Bytes;
use ferrion_engine::codec::{
    Array, CodecLimits, Decimal32, Decimal64, Decimal128, Decode, DecodeError,
    DecodeErrorKind as Kind, Encode, EncodeError, Fields, MAX_DEPTH, Map, Reader, Str, Symbol,
    Timestamp, Type, Uuid, Value, decode_value, encode_value, jump, skip,
};

fn hex(text: &str) -> Bytes {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

fn decode(octets: &Bytes) -> Result<Value, DecodeError> {
    let (value, used) = decode_value(octets, &CodecLimits::default())?;
    assert_eq!(used, octets.len(), "{value} took all octets");
    Ok(value)
}

fn encode(value: &Value) -> Bytes {
    let mut out = Vec::new();
    encode_value(value, &mut out).unwrap();
    out.into()
}

fn symbol(text: &str) -> Value {
    Symbol::try_from(text).unwrap().into()
}

fn array(values: impl IntoIterator<Item = impl Into<Value>>) -> Value {
    Array::new(values.into_iter().map(Into::into).collect())
        .unwrap()
        .into()
}

fn list(values: impl IntoIterator<Item = impl Into<Value>>) -> Value {
    Value::List(values.into_iter().map(Into::into).collect())
}

fn map<const N: usize>(entries: [(Value, Value); N]) -> Value {
    Map::from_iter(entries).into()
}

/// Decodes, encodes as itself: the shortest form.
#[test]
fn shortest_forms_round_trip() {
    let table: Vec<(&str, Value)> = vec![
        ("40", Value::Null),
        ("41", true.into()),
        ("42", false.into()),
        ("50 00", 0u8.into()),
        ("50 ff", u8::MAX.into()),
        ("60 0000", 0u16.into()),
        ("60 ffff", u16::MAX.into()),
        ("43", 0u32.into()),
        ("52 01", 1u32.into()),
        ("52 ff", 255u32.into()),
        ("70 00000100", 256u32.into()),
        ("70 ffffffff", u32::MAX.into()),
        ("44", 0u64.into()),
        ("53 01", 1u64.into()),
        ("53 ff", 255u64.into()),
        ("80 0000000000000100", 256u64.into()),
        ("80 8000000000000000", (1u64 << 63).into()),
        ("80 ffffffffffffffff", u64::MAX.into()),
        ("51 00", 0i8.into()),
        ("51 80", i8::MIN.into()),
        ("51 7f", i8::MAX.into()),
        ("61 8000", i16::MIN.into()),
        ("61 7fff", i16::MAX.into()),
        ("54 00", 0i32.into()),
        ("54 ff", (-1i32).into()),
        ("54 80", (-128i32).into()),
        ("54 7f", 127i32.into()),
        ("71 00000080", 128i32.into()),
        ("71 ffffff7f", (-129i32).into()),
        ("71 80000000", i32::MIN.into()),
        ("55 00", 0i64.into()),
        ("55 ff", (-1i64).into()),
        ("55 80", (-128i64).into()),
        ("81 0000000000000080", 128i64.into()),
        ("81 ffffffffffffff7f", (-129i64).into()),
        ("81 8000000000000000", i64::MIN.into()),
        ("72 3fc00000", 1.5f32.into()),
        ("72 80000000", (-0.0f32).into()),
        ("72 7fa00001", f32::from_bits(0x7fa0_0001).into()),
        ("82 3ff8000000000000", 1.5f64.into()),
        ("82 8000000000000000", (-0.0f64).into()),
        (
            "82 7ff4000000000001",
            f64::from_bits(0x7ff4_0000_0000_0001).into(),
        ),
        ("82 fff0000000000000", f64::NEG_INFINITY.into()),
        ("74 22500001", Decimal32([0x22, 0x50, 0, 1]).into()),
        (
            "84 2238000000000001",
            Decimal64([0x22, 0x38, 0, 0, 0, 0, 0, 1]).into(),
        ),
        (
            "94 22080000000000000000000000000001",
            Decimal128([0x22, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]).into(),
        ),
        ("73 00000041", 'A'.into()),
        ("73 0001f980", '\u{1f980}'.into()),
        ("73 0010ffff", '\u{10ffff}'.into()),
        ("83 0000000000000000", Timestamp(0).into()),
        ("83 ffffffffffffffff", Timestamp(-1).into()),
        // The largest date of .NET, in milliseconds.
        ("83 0000e677d21fdbff", Timestamp(253_402_300_799_999).into()),
        (
            "98 00112233445566778899aabbccddeeff",
            Uuid(*b"\0\x11\"3DUfw\x88\x99\xaa\xbb\xcc\xdd\xee\xff").into(),
        ),
        ("a0 00", Bytes::new().into()),
        ("a0 03 00ff80", Value::from(&[0u8, 0xff, 0x80][..])),
        ("a1 00", "".into()),
        ("a1 05 68c3a96c6c", "h\u{e9}ll".into()),
        ("a3 00", symbol("")),
        ("a3 03 666f6f", symbol("foo")),
        ("45", Value::List(vec![])),
        ("c0 02 01 40", list([Value::Null])),
        (
            "c0 05 03 40 41 5203",
            list([Value::Null, true.into(), 3u32.into()]),
        ),
        (
            "c0 03 02 45 45",
            list([Value::List(vec![]), Value::List(vec![])]),
        ),
        ("c1 01 00", map([])),
        ("c1 06 02 a10161 5201", map([("a".into(), 1u32.into())])),
        (
            "c1 05 04 43 41 44 42",
            map([(0u32.into(), true.into()), (0u64.into(), false.into())]),
        ),
        ("e0 05 03 50 010203", array([1u8, 2, 3])),
        ("e0 05 03 56 010001", array([true, false, true])),
        ("e0 04 02 52 00ff", array([0u32, 255])),
        ("e0 0a 02 70 00000000 00000100", array([0u32, 256])),
        ("e0 04 02 53 00ff", array([0u64, 255])),
        (
            "e0 12 02 80 0000000000000000 0000000000000100",
            array([0u64, 256]),
        ),
        ("e0 04 02 54 80ff", array([-128i32, -1])),
        ("e0 0a 02 71 00000080 ffffffff", array([128i32, -1])),
        ("e0 04 02 55 807f", array([-128i64, 127])),
        (
            "e0 02 03 40",
            array([Value::Null, Value::Null, Value::Null]),
        ),
        ("e0 07 02 a1 0161 026262", array(["a", "bb"])),
        ("e0 04 01 a3 0161", array([symbol("a")])),
        (
            "e0 06 02 a0 00 020102",
            array([Value::from(&[][..]), Value::from(&[1u8, 2][..])]),
        ),
        ("e0 0a 02 73 00000041 0001f980", array(['A', '\u{1f980}'])),
        // Arrays of lists, of maps, of arrays: size, count, content; no constructor of each.
        (
            "e0 07 02 c0 0100 020140",
            array([Value::List(vec![]), list([Value::Null])]),
        ),
        (
            "e0 06 01 c1 03024341",
            array([map([(0u32.into(), true.into())])]),
        ),
        (
            "e0 0b 02 e0 03015007 0402a10000",
            array([array([7u8]), array(["", ""])]),
        ),
        // Described values, by number, by name, by anything.
        ("00 5324 45", Value::described(0x24u64, Value::List(vec![]))),
        (
            "00 80 0000468c00000004 a10161",
            Value::described(0x0000_468c_0000_0004u64, "a"),
        ),
        ("00 a3 03 612f62 41", Value::described(symbol("a/b"), true)),
        ("00 c1 01 00 40", Value::described(Map::new(), Value::Null)),
        (
            "00 00 41 42 40",
            Value::described(Value::described(true, false), Value::Null),
        ),
        (
            "00 41 00 42 40",
            Value::described(true, Value::described(false, Value::Null)),
        ),
        // Arrays of described values share the descriptor.
        (
            "e0 07 02 00 5301 50 0102",
            array([Value::described(1u64, 1u8), Value::described(1u64, 2u8)]),
        ),
        (
            "e0 08 01 00 5301 00 41 50 07",
            array([Value::described(1u64, Value::described(true, 7u8))]),
        ),
    ];
    for (text, value) in table {
        let octets = hex(text);
        assert_eq!(decode(&octets).as_ref(), Ok(&value), "{text}");
        assert_eq!(encode(&value), octets, "{text} is {value}");
    }
}

#[test]
fn empty_arrays_keep_their_type() {
    for (text, element) in [
        ("e0 02 00 40", Type::Null),
        ("e0 02 00 56", Type::Bool),
        ("e0 02 00 50", Type::Ubyte),
        ("e0 02 00 52", Type::Uint),
        ("e0 02 00 a3", Type::Symbol),
        ("e0 02 00 94", Type::Decimal128),
    ] {
        let value = decode(&hex(text)).unwrap();
        assert_eq!(value, Array::empty(element).into());
        assert_eq!(encode(&value), hex(text));
    }
    // An empty array of compounds is written in the short form, whichever it came in.
    for text in ["e0 02 00 d0", "e0 02 00 45", "f0 00000005 00000000 c0"] {
        let value = decode(&hex(text)).unwrap();
        assert_eq!(encode(&value), hex("e0 02 00 c0"), "{text}");
    }
    let described = decode(&hex("e0 05 00 00 5301 50")).unwrap();
    assert_eq!(encode(&described), hex("e0 05 00 00 5301 50"));
}

/// Legal, though longer than need be.
#[test]
fn longer_forms_decode() {
    let table: Vec<(&str, Value)> = vec![
        ("56 01", true.into()),
        ("56 00", false.into()),
        ("70 00000000", 0u32.into()),
        ("52 00", 0u32.into()),
        ("80 0000000000000007", 7u64.into()),
        ("53 00", 0u64.into()),
        ("71 ffffffff", (-1i32).into()),
        ("81 ffffffffffffffff", (-1i64).into()),
        ("b0 00000001 61", Value::from(&b"a"[..])),
        ("b1 00000001 61", "a".into()),
        ("b3 00000001 61", symbol("a")),
        ("c0 01 00", Value::List(vec![])),
        ("d0 00000004 00000000", Value::List(vec![])),
        ("d0 00000005 00000001 40", list([Value::Null])),
        ("d1 00000004 00000000", map([])),
        (
            "d1 00000006 00000002 41 42",
            map([(true.into(), false.into())]),
        ),
        ("f0 00000007 00000002 50 0102", array([1u8, 2])),
        (
            "00 80 0000000000000024 45",
            Value::described(0x24u64, Value::List(vec![])),
        ),
        // Elements without octets.
        ("e0 02 02 41", array([true, true])),
        ("e0 02 02 42", array([false, false])),
        ("e0 02 02 43", array([0u32, 0])),
        ("e0 02 02 44", array([0u64, 0])),
        (
            "e0 02 02 45",
            array([Value::List(vec![]), Value::List(vec![])]),
        ),
        // Elements in the wide form.
        ("e0 07 01 b1 00000001 61", array(["a"])),
        (
            "e0 0b 01 d0 00000005 00000001 40",
            array([list([Value::Null])]),
        ),
        ("e0 0c 01 f0 00000006 00000001 50 07", array([array([7u8])])),
    ];
    for (text, value) in table {
        assert_eq!(decode(&hex(text)).as_ref(), Ok(&value), "{text}");
        let short = encode(&value);
        assert!(
            short.len() <= hex(text).len() || text.starts_with("e0 02"),
            "{text} encodes as {short:?}"
        );
        assert_eq!(decode(&short).as_ref(), Ok(&value), "{text}");
    }
}

#[test]
fn the_wide_forms_begin_where_the_short_ones_end() {
    for (length, header) in [(255, "a1 ff"), (256, "b1 00000100")] {
        let value = Value::from("x".repeat(length));
        assert!(encode(&value).starts_with(&hex(header)), "{length}");
        assert_eq!(decode(&encode(&value)), Ok(value));
    }
    // A short list has a size of 255 at most, of which one is the count.
    for (nulls, header) in [
        (254, "c0 ff fe"),
        (255, "d0 00000103 000000ff"),
        (256, "d0 00000104 00000100"),
    ] {
        let value = list(vec![Value::Null; nulls]);
        assert!(encode(&value).starts_with(&hex(header)), "{nulls}");
        assert_eq!(decode(&encode(&value)), Ok(value));
    }
    // An array of nulls has no octets: there the count is what does not fit.
    for (nulls, header) in [(255, "e0 02 ff 40"), (256, "f0 00000005 00000100 40")] {
        let value = array(vec![Value::Null; nulls]);
        assert_eq!(encode(&value), hex(header));
        assert_eq!(decode(&encode(&value)), Ok(value));
    }
    for length in [255, 256] {
        let value = array(["a".to_owned(), "x".repeat(length)]);
        assert_eq!(decode(&encode(&value)), Ok(value));
        let value = array([list([Value::Null]), list(vec![Value::Null; length])]);
        assert_eq!(decode(&encode(&value)), Ok(value));
        let value = array([array([1u8]), array(vec![7u8; length])]);
        assert_eq!(decode(&encode(&value)), Ok(value));
        let value = array([array([array(vec![7u8; length])]), array([array([1u8])])]);
        assert_eq!(decode(&encode(&value)), Ok(value));
    }
}

#[test]
fn malformed_octets_are_refused_where_the_fault_is() {
    let table: Vec<(&str, usize, Kind)> = vec![
        ("", 0, Kind::UnexpectedEnd),
        ("3f", 0, Kind::UnknownCode(0x3f)),
        ("57", 0, Kind::UnknownCode(0x57)),
        ("c0 03 02 40 ee", 4, Kind::UnknownCode(0xee)),
        ("50", 1, Kind::UnexpectedEnd),
        ("70 000000", 4, Kind::UnexpectedEnd),
        ("98 00", 2, Kind::UnexpectedEnd),
        ("a0 02 00", 3, Kind::UnexpectedEnd),
        ("b0 ffffffff 00", 6, Kind::UnexpectedEnd),
        ("a1 02 61", 3, Kind::UnexpectedEnd),
        ("56 02", 1, Kind::BadBool(2)),
        ("e0 04 02 56 01 ff", 5, Kind::BadBool(0xff)),
        ("73 0000d800", 1, Kind::BadChar(0xd800)),
        ("73 00110000", 1, Kind::BadChar(0x11_0000)),
        ("a1 02 61 ff", 3, Kind::BadUtf8),
        ("a1 02 c3 28", 2, Kind::BadUtf8),
        ("a1 03 eda080", 2, Kind::BadUtf8),
        ("a3 02 61 80", 3, Kind::NotAscii),
        // Sizes and counts.
        ("c0 00", 2, Kind::UnexpectedEnd),
        ("c0 02 02 40", 3, Kind::BadCount(2)),
        ("c0 03 01 40 40", 4, Kind::SizeMismatch),
        ("c0 03 02 50 01", 5, Kind::UnexpectedEnd),
        ("c0 05 01 40", 4, Kind::UnexpectedEnd),
        ("d0 00000003 000000", 8, Kind::UnexpectedEnd),
        ("d0 00000005 ffffffff 40", 9, Kind::BadCount(u32::MAX)),
        ("d0 ffffffff 00000001 40", 10, Kind::UnexpectedEnd),
        ("c1 02 01 40", 1, Kind::OddMapCount),
        ("c1 05 04 41 40 41 40", 0, Kind::DuplicateKey),
        ("c1 06 04 43 40 5200 40", 0, Kind::DuplicateKey),
        ("e0 01 00", 3, Kind::UnexpectedEnd),
        ("e0 02 00 3f", 3, Kind::UnknownCode(0x3f)),
        ("e0 03 00 50 01", 4, Kind::SizeMismatch),
        ("e0 03 01 41 01", 4, Kind::SizeMismatch),
        ("e0 03 02 50 01", 4, Kind::BadCount(2)),
        ("e0 04 01 50 0102", 4, Kind::SizeMismatch),
        ("e0 05 02 a1 0161 01", 7, Kind::UnexpectedEnd),
        ("f0 00000005 80000000 40", 10, Kind::BadCount(1 << 31)),
        ("f0 00000005 00010001 40", 10, Kind::BadCount(0x10001)),
        ("f0 00000005 7fffffff 43", 10, Kind::BadCount(0x7fff_ffff)),
        ("f0 00000005 ffffffff d0", 10, Kind::BadCount(u32::MAX)),
        ("e0 03 01 00 41", 5, Kind::UnexpectedEnd),
        ("00", 1, Kind::UnexpectedEnd),
        ("00 5324", 3, Kind::UnexpectedEnd),
    ];
    for (text, at, kind) in table {
        let octets = hex(text);
        let expected = DecodeError::new(at, kind);
        assert_eq!(decode(&octets), Err(expected.clone()), "{text}");
        // Passing over finds the same faults, but for keys that are there twice.
        let skipped = skip(&mut Reader::new(&octets));
        if expected.kind == Kind::DuplicateKey {
            assert_eq!(skipped, Ok(()), "{text}");
        } else {
            assert_eq!(skipped, Err(expected), "{text}");
        }
    }
}

#[test]
fn every_unknown_constructor_is_refused() {
    let known =
        "00 40 41 42 43 44 45 50 51 52 53 54 55 56 60 61 70 71 72 73 74 80 81 82 83 84 94 98
        a0 a1 a3 b0 b1 b3 c0 c1 d0 d1 e0 f0";
    let known = hex(known);
    for constructor in 0..=255u8 {
        let octets: Bytes = [&[constructor][..], &[0; 40]].concat().into();
        let refused = matches!(
            decode_value(&octets, &CodecLimits::default()),
            Err(error) if (error.at, error.kind) == (0, Kind::UnknownCode(constructor))
        );
        assert_eq!(refused, !known.contains(&constructor), "{constructor:02x}");
        let jumped = jump(&mut Reader::new(&octets));
        assert_eq!(
            jumped.is_err(),
            !known.contains(&constructor) || constructor == 0,
            "{constructor:02x}"
        );
    }
}

/// One level more than the limit is refused, in each way to nest.
#[test]
fn nesting_is_bounded() {
    type Wrap = fn(Value) -> Value;
    let wraps: [(&str, Wrap); 4] = [
        ("list", |v| Value::List(vec![v])),
        ("map", |v| Map::from_iter([(true, v)]).into()),
        ("array", |v| Array::new(vec![v]).unwrap().into()),
        ("described", |v| Value::described(true, v)),
    ];
    for (name, wrap) in wraps {
        let deepest = (0..MAX_DEPTH).fold(Value::from(7u8), |v, _| wrap(v));
        let octets = encode(&deepest);
        assert_eq!(decode(&octets).as_ref(), Ok(&deepest), "{name}");
        skip(&mut Reader::new(&octets)).unwrap();
        assert!(!deepest.to_string().contains("..."), "{name}");

        let deeper = wrap(deepest);
        let mut out = b"before".to_vec();
        assert_eq!(
            encode_value(&deeper, &mut out),
            Err(EncodeError::TooDeep),
            "{name}"
        );
        assert_eq!(out, b"before");
        deeper.encode(&mut out);
        assert_eq!(out, b"before\x40");
        assert!(deeper.to_string().contains("..."), "{name}");
    }
    for (opening, tail) in [
        (&b"\x00"[..], &b"\x40"[..]),
        (b"\x00\x40", b"\x40"),
        (b"\xe0\xff\x01\x00", b"\x40"),
    ] {
        let octets: Bytes = [opening.repeat(100_000), tail.to_vec()].concat().into();
        assert!(decode_value(&octets, &CodecLimits::default()).is_err());
        assert!(skip(&mut Reader::new(&octets)).is_err());
        let _ = jump(&mut Reader::new(&octets));
    }
    let mut lists = vec![0x40];
    for _ in 0..200 {
        let size = u32::try_from(lists.len() + 4).unwrap();
        lists = [&[0xd0][..], &size.to_be_bytes(), &[0, 0, 0, 1], &lists].concat();
    }
    let lists = Bytes::from(lists);
    assert_eq!(decode(&lists).unwrap_err().kind, Kind::TooDeep);
    assert_eq!(
        skip(&mut Reader::new(&lists)).unwrap_err().kind,
        Kind::TooDeep
    );
    assert_eq!(jump(&mut Reader::new(&lists)), Ok(()));
}

#[test]
fn limits_can_be_narrower() {
    let limits = CodecLimits {
        max_depth: 1,
        max_zero_width: 3,
        max_compound: 300,
        max_text: 260,
    };
    let kind = |text| decode_value(&hex(text), &limits).map_err(|e| e.kind);
    assert!(kind("c0 02 01 40").is_ok());
    assert_eq!(kind("c0 02 01 45"), Err(Kind::TooDeep));
    assert_eq!(kind("c0 04 01 00 40 40"), Err(Kind::TooDeep));
    assert!(kind("e0 02 03 40").is_ok());
    assert_eq!(kind("e0 02 04 40"), Err(Kind::BadCount(4)));
    let sized = |constructor: u8, size: u32| {
        let mut octets = vec![constructor];
        octets.extend(size.to_be_bytes());
        octets.resize(5 + size as usize, 0);
        decode_value(&octets.into(), &limits).map_err(|e| e.kind)
    };
    for text in [0xb0, 0xb1, 0xb3] {
        assert!(sized(text, 260).is_ok());
        assert_eq!(sized(text, 261), Err(Kind::TooLarge(261)));
    }
    for compound in [0xd0, 0xd1, 0xf0] {
        // Too large comes before anything inside is looked at.
        assert_ne!(sized(compound, 300).map(|_| ()), Err(Kind::TooLarge(300)));
        assert_eq!(sized(compound, 301), Err(Kind::TooLarge(301)));
    }
    // The limit is for all arrays of a buffer together.
    let limits = CodecLimits {
        max_depth: 2,
        ..limits
    };
    let two = decode_value(&hex("c0 09 02 e0 02 02 40 e0 02 02 40"), &limits);
    assert_eq!(two.unwrap_err().kind, Kind::BadCount(2));
}

#[test]
fn many_keys_are_compared_with_each_other() {
    let entries = |keys: &[u32]| {
        let body: Vec<u8> = keys
            .iter()
            .flat_map(|k| [&[0x70][..], &k.to_be_bytes(), &[0x40]].concat())
            .collect();
        let (size, count) = (body.len() as u32 + 4, keys.len() as u32 * 2);
        Bytes::from(
            [
                &[0xd1][..],
                &size.to_be_bytes(),
                &count.to_be_bytes(),
                &body,
            ]
            .concat(),
        )
    };
    let mut keys: Vec<u32> = (0..50_000).collect();
    assert_eq!(
        decode(&entries(&keys)).unwrap().as_map().unwrap().len(),
        keys.len()
    );
    keys[40_000] = 7;
    assert_eq!(
        decode(&entries(&keys)).unwrap_err().kind,
        Kind::DuplicateKey
    );
    let fields = Fields::decode(&mut Reader::new(&entries(&keys)));
    assert_eq!(fields.unwrap_err().kind, Kind::DuplicateKey);
}

#[test]
fn typed_decoding_refuses_other_types() {
    let uint = hex("52 07");
    assert_eq!(u32::decode(&mut Reader::new(&uint)), Ok(7));
    let wrong = |expected| {
        Err::<(), _>(DecodeError::new(
            0,
            Kind::WrongType {
                expected,
                found: 0x52,
            },
        ))
    };
    let r = || Reader::new(&uint);
    assert_eq!(u64::decode(&mut r()).map(drop), wrong("ulong"));
    assert_eq!(bool::decode(&mut r()).map(drop), wrong("boolean"));
    assert_eq!(Str::decode(&mut r()).map(drop), wrong("string"));
    assert_eq!(Symbol::decode(&mut r()).map(drop), wrong("symbol"));
    assert_eq!(Bytes::decode(&mut r()).map(drop), wrong("binary"));
    assert_eq!(Map::decode(&mut r()).map(drop), wrong("map"));
    assert_eq!(Option::<u8>::decode(&mut r()).map(drop), wrong("ubyte"));
    assert_eq!(Option::<u8>::decode(&mut Reader::new(&hex("40"))), Ok(None));
}

/// What the entries of a map hold is let go with them, whichever way they leave it.
#[test]
fn what_a_map_holds_goes_with_it() {
    let octets = Bytes::from(vec![7; 100]);
    let text = Bytes::from(vec![b'a'; 100]);
    {
        let mut map = Map::new();
        map.insert("short", 1);
        map.insert("octets", octets.clone());
        map.insert(
            Str::try_from(text.clone()).unwrap(),
            vec![Value::from(octets.clone())],
        );
        map.insert(
            symbol("nested"),
            Map::from_iter([("in it", octets.clone())]),
        );
        drop(map.clone());
        map.clone().clear();
        let mut entries = map.clone().into_iter();
        assert_eq!(entries.next(), Some(("short".into(), 1.into())));
        drop(entries);
        assert_eq!(map.remove(&"octets".into()), Some(octets.clone().into()));
        assert_eq!(map.insert("short", octets.clone()), Some(1.into()));
        assert!(!octets.is_unique() && !text.is_unique());
    }
    assert!(octets.is_unique() && text.is_unique());

    // Nor does a map stay that is found to be none: its last value is cut short, or a key is there twice.
    let text = "61".repeat(40);
    for broken in [
        format!("c1 58 04 a1 28 {text} 40 a0 28 {text} a1 05"),
        format!("c1 57 04 a1 28 {text} 40 a1 28 {text} 40"),
    ] {
        let octets = hex(&broken);
        assert!(decode_value(&octets, &CodecLimits::default()).is_err());
        assert!(octets.is_unique(), "{broken}");
    }
}
