//! The dynamic types of the codec as a program uses them.

use bytes::Bytes;
use ferrion_engine::codec::{
    Array, CodecLimits, Decimal32, Decode, DecodeError, DecodeErrorKind as Kind, Fields, Map, Raw,
    Reader, Symbol, Timestamp, Type, Uuid, Value, WrongType, decode_value,
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

#[test]
fn binary_and_long_text_are_pieces_of_the_buffer_and_short_text_is_not() {
    const LONG: &[u8] = b"text that is too long to be held in place";
    let mut octets = hex("c0 65 05 a003616263 a103646566 a3026768");
    for constructor in [0xa1, 0xa3] {
        octets = [&octets, &[constructor, LONG.len() as u8][..], LONG]
            .concat()
            .into();
    }
    let value = decode(&octets).unwrap();
    let [
        Value::Binary(binary),
        Value::String(short_string),
        Value::Symbol(short_symbol),
        Value::String(string),
        Value::Symbol(symbol),
    ] = value.as_list().unwrap()
    else {
        panic!("{value}")
    };
    let inside = |piece: &[u8]| octets.as_ptr_range().contains(&piece.as_ptr());
    assert!(inside(binary) && inside(string.as_bytes()) && inside(symbol.as_bytes()));
    assert!(!inside(short_string.as_bytes()) && !inside(short_symbol.as_bytes()));
    assert!(!inside(string.detached().as_bytes()));
    assert_eq!(string.clone().into_bytes(), LONG);
    assert_eq!(short_string.clone().into_bytes(), "def");
}

#[test]
fn values_convert_to_and_from_rust_types() {
    assert_eq!(u8::try_from(Value::from(255u64)), Ok(255));
    assert_eq!(i64::try_from(Value::from(-1i8)), Ok(-1));
    let wrong = WrongType {
        expected: "u8",
        found: Type::Int,
    };
    assert_eq!(u8::try_from(Value::from(-1i32)), Err(wrong));
    assert_eq!(wrong.to_string(), "a Int value is not, or does not fit, u8");
    assert!(u8::try_from(Value::from("1")).is_err());
    assert!(bool::try_from(&Value::from(1u8)).is_err());
    assert_eq!(String::try_from(symbol("s")), Ok("s".to_owned()));
    assert!(Symbol::try_from(Value::from("s")).is_err());
    assert_eq!(f64::try_from(Value::from(0.5f32)), Ok(0.5));
    assert_eq!(Value::from(None::<u8>), Value::Null);
    assert_eq!(Value::from(Some(1u8)), Value::Ubyte(1));
    assert_eq!(
        Vec::<u8>::try_from(Value::from(vec![1u8, 2])),
        Ok(vec![1, 2])
    );
}

#[test]
fn values_read_well() {
    let map = Map::from_iter([
        (symbol("x-opt"), array([1u8, 2])),
        (symbol("two words"), Value::described(symbol("d"), "v\n")),
    ]);
    let value = list([
        Value::Null,
        1.0f64.into(),
        'c'.into(),
        Uuid([0xab; 16]).into(),
        Timestamp(5).into(),
        Decimal32([1, 2, 3, 4]).into(),
        Value::from(&b"a\0"[..]),
        map.into(),
    ]);
    assert_eq!(
        value.to_string(),
        r#"[null, 1.0, 'c', abababab-abab-abab-abab-abababababab, 5ms, d32:01020304, b"a\x00", {:x-opt=@[1, 2], :"two words"=@:d "v\n"}]"#
    );
    assert_eq!(
        Value::from(vec![0u8; 300]).to_string().len(),
        256 * 4 + 3 + "...(44 more)".len()
    );
}

#[test]
fn maps_keep_order_and_hold_a_key_once() {
    let mut map = Map::new();
    assert_eq!(map.insert("b", 1u8), None);
    assert_eq!(map.insert("a", 2u8), None);
    assert_eq!(map.insert("b", 3u8), Some(Value::from(1u8)));
    assert_eq!(map.to_string(), r#"{"b"=3, "a"=2}"#);
    assert_eq!(map.get(&"a".into()), Some(&2u8.into()));
    assert_eq!(map.get(&symbol("a")), None);
    assert_eq!(map.get_str("b"), Some(&3u8.into()));
    assert_eq!(map.remove(&"b".into()), Some(3u8.into()));
    assert_eq!((map.len(), map.is_empty()), (1, false));
    assert_ne!(
        Map::from_iter([("a", 1u8), ("b", 2)]),
        Map::from_iter([("b", 2u8), ("a", 1)])
    );
}

#[test]
fn arrays_are_of_one_type() {
    let error = Array::new(vec![1u8.into(), 1u16.into()]).unwrap_err();
    assert_eq!(error.index, 1);
    let described = |d: u64| Value::described(d, 1u8);
    assert_eq!(
        Array::new(vec![described(1), described(1), described(2)])
            .unwrap_err()
            .index,
        2
    );
    assert_eq!(
        Array::new(vec![described(1), 1u8.into()])
            .unwrap_err()
            .index,
        1
    );
    assert_eq!(
        Array::new(vec![1u8.into(), described(1)])
            .unwrap_err()
            .index,
        1
    );
    let array = Array::new(vec![described(1), described(1)]).unwrap();
    assert_eq!(array.descriptors(), [Value::from(1u64)]);
    assert_eq!(array.items(), [Value::from(1u8), Value::from(1u8)]);
    assert_eq!(array.into_values(), [described(1), described(1)]);
}

#[test]
fn fields_stay_encoded() {
    let map = Map::from_iter([(symbol("a"), Value::from(1u8)), ("b".into(), list([true]))]);
    let fields = Fields::from(&map);
    assert_eq!(fields.to_map(), map);
    assert_eq!(fields.len(), 2);
    assert_eq!(fields.get("a"), Some(1u8.into()));
    assert_eq!(fields.get("b"), Some(list([true])));
    assert_eq!(fields.get("c"), None);
    assert_eq!(Fields::from_entries(map.iter()), fields);
    assert!(Fields::default().is_empty());
    assert_eq!(Fields::default().to_map(), Map::new());

    // The same map in its wide form is equal, and goes out as it came in.
    let wide = [&hex("d1 00000010 00000004")[..], &fields.as_bytes()[3..]].concat();
    let wide = Bytes::from(wide);
    let received = Fields::decode(&mut Reader::new(&wide)).unwrap();
    assert_eq!(received, fields);
    assert_eq!(received.as_bytes(), &wide);
    assert_eq!(received.to_string(), r#"{:a=1, "b"=[true]}"#);
}

#[test]
fn raw_values_are_checked_when_they_come_in() {
    let raw = Raw::from_encoded(hex("c0 02 01 41")).unwrap();
    assert_eq!(raw.decode(), Ok(list([true])));
    assert_eq!(raw, Raw::new(&list([true])));
    assert_eq!(raw.to_string(), "[true]");
    assert_eq!(Raw::default().decode(), Ok(Value::Null));
    assert_eq!(
        raw.decode_to::<u8>().unwrap_err().kind,
        Kind::WrongType {
            expected: "ubyte",
            found: 0xc0
        }
    );
    assert_eq!(
        Raw::from_encoded(hex("41 41")).unwrap_err().kind,
        Kind::TrailingOctets
    );
    assert!(Raw::from_encoded(hex("a1 01 ff")).is_err());
}

#[test]
fn errors_say_where_and_what() {
    let error = decode(&hex("c0 03 02 40 ee")).unwrap_err();
    assert_eq!(error.to_string(), "unknown constructor 0xee at octet 4");
}
