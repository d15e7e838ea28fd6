//! Values of every type, nested in every way, for generated tests.

use proptest::prelude::*;

use crate::oracle::{Element, V};

fn primitive() -> impl Strategy<Value = V> {
    prop_oneof![
        Just(V::Null),
        any::<bool>().prop_map(V::Bool),
        any::<u8>().prop_map(V::Ubyte),
        any::<u16>().prop_map(V::Ushort),
        prop_oneof![Just(0), 0u32..300, any::<u32>()].prop_map(V::Uint),
        prop_oneof![Just(0), 0u64..300, any::<u64>()].prop_map(V::Ulong),
        any::<i8>().prop_map(V::Byte),
        any::<i16>().prop_map(V::Short),
        prop_oneof![-200i32..200, any::<i32>()].prop_map(V::Int),
        prop_oneof![-200i64..200, any::<i64>()].prop_map(V::Long),
        any::<u32>().prop_map(V::Float),
        any::<u64>().prop_map(V::Double),
        prop_oneof![Just(4usize), Just(8), Just(16)]
            .prop_flat_map(|n| prop::collection::vec(any::<u8>(), n))
            .prop_map(V::Decimal),
        any::<char>().prop_map(V::Char),
        any::<i64>().prop_map(V::Timestamp),
        any::<[u8; 16]>().prop_map(V::Uuid),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(V::Bin),
        ".{0,100}".prop_map(V::Str),
        "[ -~]{0,300}".prop_map(V::Sym),
    ]
}

/// Elements of one constructor, which is what an array holds.
fn array(inner: impl Strategy<Value = V> + Clone + 'static) -> impl Strategy<Value = V> {
    let described =
        prop::collection::vec(prop_oneof![Just(V::Ulong(5)), Just(V::sym("a:b"))], 0..2);
    let elements = prop_oneof![
        (0usize..5).prop_map(|n| (0x40, vec![V::Null; n])),
        (0usize..5).prop_map(|n| (0x41, vec![V::Bool(true); n])),
        (0usize..5).prop_map(|n| (0x42, vec![V::Bool(false); n])),
        (0usize..5).prop_map(|n| (0x43, vec![V::Uint(0); n])),
        (0usize..5).prop_map(|n| (0x44, vec![V::Ulong(0); n])),
        (0usize..5).prop_map(|n| (0x45, vec![V::List(vec![]); n])),
        prop::collection::vec(any::<bool>().prop_map(V::Bool), 0..5).prop_map(|v| (0x56, v)),
        prop::collection::vec(any::<u8>().prop_map(|n| V::Uint(n.into())), 0..5)
            .prop_map(|v| (0x52, v)),
        prop::collection::vec(any::<u32>().prop_map(V::Uint), 0..5).prop_map(|v| (0x70, v)),
        prop::collection::vec(any::<i8>().prop_map(|n| V::Long(n.into())), 0..5)
            .prop_map(|v| (0x55, v)),
        prop::collection::vec(any::<i64>().prop_map(V::Long), 0..300).prop_map(|v| (0x81, v)),
        prop::collection::vec("[a-z]{0,20}".prop_map(V::Sym), 0..5).prop_map(|v| (0xa3, v)),
        prop::collection::vec(".{0,20}".prop_map(V::Str), 0..5).prop_map(|v| (0xb1, v)),
        prop::collection::vec(prop::collection::vec(inner, 0..3).prop_map(V::List), 0..4)
            .prop_map(|v| (0xd0, v)),
    ];
    (described, elements)
        .prop_map(|(descriptors, (code, items))| V::Array(Element { descriptors, code }, items))
}

/// The same value, however the elements of arrays were constructed.
pub fn alike(a: &V, b: &V) -> bool {
    match (a, b) {
        (V::List(a), V::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (V::Map(a), V::Map(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|((ak, av), (bk, bv))| alike(ak, bk) && alike(av, bv))
        }
        (V::Array(ae, a), V::Array(be, b)) => {
            ae.descriptors.len() == be.descriptors.len()
                && ae
                    .descriptors
                    .iter()
                    .zip(&be.descriptors)
                    .all(|(a, b)| alike(a, b))
                && a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (V::Described(ad, av), V::Described(bd, bv)) => alike(ad, bd) && alike(av, bv),
        _ => a == b,
    }
}

/// Any value that can be written, and read again.
pub fn value() -> impl Strategy<Value = V> {
    primitive().prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(V::List),
            prop::collection::vec((inner.clone(), inner.clone()), 0..4).prop_map(|pairs| {
                // Keys that repeat have a test of their own.
                let mut map: Vec<(V, V)> = Vec::new();
                for (key, value) in pairs {
                    if !map.iter().any(|(k, _)| alike(k, &key)) {
                        map.push((key, value));
                    }
                }
                V::Map(map)
            }),
            (inner.clone(), inner.clone())
                .prop_map(|(d, v)| V::Described(Box::new(d), Box::new(v))),
            array(inner),
        ]
    })
}
