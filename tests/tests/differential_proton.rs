//! The engine's codec against Proton's, the one of the system's package: the same octets to both. Both read the same value, or
//! both refuse; every difference is one of those in `Known`, and each of those is shown by an example of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use bytes::Bytes;
use ferrion_engine::codec::{CodecLimits, DecodeErrorKind, MAX_DEPTH, decode_value, encode_value};
use ferrion_tests::fuzz::{Mutator, corpus};
use ferrion_tests::interop::{Scratch, project};
use ferrion_tests::oracle::{Form, V, decode, encode_with};
use ferrion_tests::rng::Rng;
use ferrion_tests::values::value;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// What the two are known to see differently, and why ferrion is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    /// Proton takes strings that are not UTF-8 (1.6.20).
    Utf8,
    /// Proton takes symbols that are not ASCII (1.6.21).
    Ascii,
    /// Proton takes characters that Unicode does not have (1.6.16).
    Char,
    /// Proton takes any octet as a boolean; 0x00 and 0x01 are all there are (1.6.2).
    Bool,
    /// Proton does not compare the size of a list, map or array with what is in it, and reads on beyond its end or stops
    /// before it (1.6.22 to 1.6.24).
    Size,
    /// Proton takes half a pair at the end of a map (1.6.23).
    OddMap,
    /// A map with a key twice is none (1.6.23), and two readers of it see two things.
    DuplicateKey,
    /// The engine nests no deeper than its limit.
    Depth,
    /// Proton makes no more than 65,535 nodes of an input.
    Nodes,
    /// Proton puts what follows a described value into it, where that is described twice.
    DescribedTwice,
    /// Proton takes no descriptor that is described itself, or has parts (1.2 allows any value), and no array whose elements have
    /// more than one.
    Descriptors,
}

/// What a reader said of an input.
type Read = Option<(usize, String)>;

/// The program that has Proton's codec.
struct Proton {
    program: PathBuf,
    scratch: Scratch,
}

impl Proton {
    fn build() -> Self {
        let scratch = Scratch::new();
        let program = scratch.path().join("proton_values");
        let built = Command::new("cc")
            .args(["-O1", "-Wall", "-Werror", "-o"])
            .arg(&program)
            .arg(project().join("tests/interop/proton_values.c"))
            .arg("-lqpid-proton")
            .output()
            .expect("a C compiler");
        assert!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
        Self { program, scratch }
    }

    fn read(&self, inputs: &[Vec<u8>]) -> Vec<Read> {
        let file = self.scratch.path().join("inputs");
        let mut octets = Vec::new();
        for input in inputs {
            octets.extend_from_slice(&u32::try_from(input.len()).unwrap().to_be_bytes());
            octets.extend_from_slice(input);
        }
        fs::write(&file, octets).expect("the inputs can be written");
        let output = Command::new(&self.program)
            .arg(&file)
            .arg("0")
            .output()
            .expect("it was built");
        let lines = String::from_utf8(output.stdout).expect("it writes ASCII");
        let lines: Vec<Read> = lines.lines().map(line).collect();
        assert!(
            output.status.success(),
            "{} at {:02x?}",
            output.status,
            inputs.get(lines.len())
        );
        assert_eq!(lines.len(), inputs.len());
        lines
    }
}

fn line(line: &str) -> Read {
    let (used, value) = line.split_once(' ')?;
    Some((used.parse().expect("a number"), value.to_owned()))
}

/// The same of the engine, in the same notation; or why not.
fn read(octets: &[u8]) -> Result<(usize, V), DecodeErrorKind> {
    let octets = Bytes::copy_from_slice(octets);
    let (value, used) =
        decode_value(&octets, &CodecLimits::default()).map_err(|error| error.kind)?;
    // By way of the naive codec: what was read is what that reads of what is written.
    let mut out = Vec::new();
    encode_value(&value, &mut out).expect("what was decoded can be encoded");
    let (value, _) = decode(&out).expect("the engine writes legal octets");
    Ok((used, value))
}

/// A value as `proton_values.c` writes it.
fn notation(value: &V, out: &mut String) {
    let hex = |out: &mut String, octets: &[u8]| {
        for octet in octets {
            write!(out, "{octet:02x}").expect("text");
        }
    };
    let children = |out: &mut String, items: &mut dyn Iterator<Item = &V>| {
        for item in items {
            out.push(' ');
            notation(item, out);
        }
        out.push(')');
    };
    match value {
        V::Null => out.push_str("null"),
        V::Bool(it) => write!(out, "{it}").expect("text"),
        V::Ubyte(it) => write!(out, "ubyte:{it}").expect("text"),
        V::Ushort(it) => write!(out, "ushort:{it}").expect("text"),
        V::Uint(it) => write!(out, "uint:{it}").expect("text"),
        V::Ulong(it) => write!(out, "ulong:{it}").expect("text"),
        V::Byte(it) => write!(out, "byte:{it}").expect("text"),
        V::Short(it) => write!(out, "short:{it}").expect("text"),
        V::Int(it) => write!(out, "int:{it}").expect("text"),
        V::Long(it) => write!(out, "long:{it}").expect("text"),
        V::Float(it) => write!(out, "float:{it:08x}").expect("text"),
        V::Double(it) => write!(out, "double:{it:016x}").expect("text"),
        V::Char(it) => write!(out, "char:{}", u32::from(*it)).expect("text"),
        V::Timestamp(it) => write!(out, "timestamp:{it}").expect("text"),
        V::Decimal(it) => {
            write!(out, "decimal{}:", it.len() * 8).expect("text");
            hex(out, it);
        }
        V::Uuid(it) => {
            out.push_str("uuid:");
            hex(out, it);
        }
        V::Bin(it) => {
            out.push_str("binary:");
            hex(out, it);
        }
        V::Str(it) => {
            out.push_str("string:");
            hex(out, it.as_bytes());
        }
        V::Sym(it) => {
            out.push_str("symbol:");
            hex(out, it.as_bytes());
        }
        V::List(items) => {
            out.push_str("(list");
            children(out, &mut items.iter());
        }
        V::Map(pairs) => {
            out.push_str("(map");
            children(out, &mut pairs.iter().flat_map(|(k, v)| [k, v]));
        }
        V::Described(descriptor, value) => {
            out.push_str("(described");
            children(out, &mut [&**descriptor, &**value].into_iter());
        }
        V::Array(element, items) => {
            write!(out, "(array:{}", type_name(element.code)).expect("text");
            if !element.descriptors.is_empty() {
                out.push_str(" described");
            }
            children(out, &mut element.descriptors.iter().chain(items));
        }
        V::Raw(_) => unreachable!("nothing reads as that"),
    }
}

fn type_name(code: u8) -> &'static str {
    match code {
        0x40 => "PN_NULL",
        0x41 | 0x42 | 0x56 => "PN_BOOL",
        0x50 => "PN_UBYTE",
        0x51 => "PN_BYTE",
        0x60 => "PN_USHORT",
        0x61 => "PN_SHORT",
        0x43 | 0x52 | 0x70 => "PN_UINT",
        0x54 | 0x71 => "PN_INT",
        0x73 => "PN_CHAR",
        0x44 | 0x53 | 0x80 => "PN_ULONG",
        0x55 | 0x81 => "PN_LONG",
        0x83 => "PN_TIMESTAMP",
        0x72 => "PN_FLOAT",
        0x82 => "PN_DOUBLE",
        0x74 => "PN_DECIMAL32",
        0x84 => "PN_DECIMAL64",
        0x94 => "PN_DECIMAL128",
        0x98 => "PN_UUID",
        0xa0 | 0xb0 => "PN_BINARY",
        0xa1 | 0xb1 => "PN_STRING",
        0xa3 | 0xb3 => "PN_SYMBOL",
        0x45 | 0xc0 | 0xd0 => "PN_LIST",
        0xc1 | 0xd1 => "PN_MAP",
        0xe0 | 0xf0 => "PN_ARRAY",
        other => unreachable!("no such constructor: {other:#x}"),
    }
}

/// Compares what both say; the difference, if it is a known one.
fn compare(octets: &[u8], theirs: &Read) -> Result<Option<Known>, String> {
    let ours = read(octets);
    match (&ours, theirs) {
        (Err(_), None) => Ok(None),
        (Ok((used, value)), Some((their_used, text))) => {
            let mut ours = String::new();
            notation(value, &mut ours);
            if (used, &ours) == (their_used, text) {
                return Ok(None);
            }
            if used == their_used
                && any(
                    value,
                    &|it| matches!(it, V::Described(_, it) if matches!(**it, V::Described(..))),
                )
            {
                return Ok(Some(Known::DescribedTwice));
            }
            Err(format!("{used} {ours}\nbut {their_used} {text}"))
        }
        (Err(kind), Some((_, text))) => Ok(Some(match kind {
            DecodeErrorKind::BadUtf8 => Known::Utf8,
            DecodeErrorKind::NotAscii => Known::Ascii,
            DecodeErrorKind::BadChar(_) => Known::Char,
            DecodeErrorKind::BadBool(_) => Known::Bool,
            DecodeErrorKind::SizeMismatch
            | DecodeErrorKind::BadCount(_)
            | DecodeErrorKind::UnexpectedEnd
            | DecodeErrorKind::UnknownCode(_)
                if ["(list", "(map", "(array"]
                    .iter()
                    .any(|it| text.contains(it)) =>
            {
                Known::Size
            }
            DecodeErrorKind::OddMapCount => Known::OddMap,
            DecodeErrorKind::DuplicateKey => Known::DuplicateKey,
            DecodeErrorKind::TooDeep => Known::Depth,
            kind => return Err(format!("only Proton takes {text}: {kind}")),
        })),
        (Ok((_, value)), None) if any(value, &has_rare_descriptor) => Ok(Some(Known::Descriptors)),
        (Ok((_, value)), None) if nodes(value) > 65_535 => Ok(Some(Known::Nodes)),
        (Ok((_, value)), None) => Err(format!("only ferrion takes {value:?}")),
    }
}

/// The parts of a value, but for descriptors.
fn parts(value: &V) -> Vec<&V> {
    match value {
        V::List(items) | V::Array(_, items) => items.iter().collect(),
        V::Map(pairs) => pairs.iter().flat_map(|(k, v)| [k, v]).collect(),
        V::Described(_, value) => vec![value],
        _ => Vec::new(),
    }
}

fn any(value: &V, is: &impl Fn(&V) -> bool) -> bool {
    is(value) || parts(value).into_iter().any(|part| any(part, is))
}

fn nodes(value: &V) -> usize {
    1 + parts(value).into_iter().map(nodes).sum::<usize>()
}

fn has_rare_descriptor(value: &V) -> bool {
    let is_rare = |it: &V| matches!(it, V::Described(..) | V::List(_) | V::Map(_) | V::Array(..));
    match value {
        V::Array(element, _) => {
            element.descriptors.len() > 1 || element.descriptors.iter().any(is_rare)
        }
        V::Described(descriptor, _) => is_rare(descriptor),
        _ => false,
    }
}

fn compare_all(inputs: &[Vec<u8>]) -> BTreeMap<Known, usize> {
    let proton = Proton::build();
    let mut known = BTreeMap::new();
    let mut faults = Vec::new();
    for (octets, theirs) in inputs.iter().zip(proton.read(inputs)) {
        match compare(octets, &theirs) {
            Ok(None) => {}
            Ok(Some(difference)) => *known.entry(difference).or_default() += 1,
            Err(why) => faults.push(format!("{octets:02x?}: {why}")),
        }
    }
    faults.sort_by_key(String::len);
    assert!(
        faults.is_empty(),
        "{} differences; {}",
        faults.len(),
        faults[..faults.len().min(10)].join("\n")
    );
    known
}

const FORMS: [Form; 3] = [Form::Shortest, Form::Small, Form::Widest];

/// Values of every type in every form, whole, cut, and with some octets changed.
fn generated(count: usize) -> Vec<Vec<u8>> {
    let mut runner = TestRunner::deterministic();
    let strategy = value();
    let mut rng = Rng::new(7);
    let mut inputs = Vec::new();
    for _ in 0..count {
        let value = strategy.new_tree(&mut runner).expect("a value").current();
        for form in FORMS {
            let mut octets = Vec::new();
            encode_with(&value, form, &mut octets);
            inputs.push(octets.clone());
            inputs.push(octets[..rng.below(octets.len())].to_vec());
            for _ in 0..3 {
                let mut changed = octets.clone();
                for _ in 0..=rng.below(2) {
                    let at = rng.below(changed.len());
                    changed[at] = match rng.below(3) {
                        0 => rng.next_u64() as u8,
                        1 => changed[at] ^ 1 << rng.below(8),
                        _ => changed[at].wrapping_add([1, 255][rng.below(2)]),
                    };
                }
                inputs.push(changed);
            }
        }
    }
    inputs
}

#[test]
fn each_known_difference_is_one() {
    let mut deep = vec![0x45];
    for _ in 0..MAX_DEPTH {
        let mut outer = vec![0xd0];
        outer.extend((deep.len() as u32 + 4).to_be_bytes());
        outer.extend([0, 0, 0, 1]);
        outer.append(&mut deep);
        deep = outer;
    }
    let examples: [(Known, &[u8]); 11] = [
        (Known::Utf8, b"\xa1\x01\xff"),
        (Known::Ascii, b"\xa3\x01\xff"),
        (Known::Char, b"\x73\x00\x11\x00\x00"),
        (Known::Bool, b"\x56\x02"),
        (Known::Size, b"\xc0\x05\x01\x40\x40\x40\x40"),
        (Known::OddMap, b"\xd1\0\0\0\x07\0\0\0\x03\x40\x43\x44"),
        (Known::DuplicateKey, b"\xc1\x05\x04\x43\x40\x43\x40"),
        (Known::Depth, &deep),
        (Known::Nodes, b"\xf0\0\0\0\x05\0\x01\0\0\x45"),
        (
            Known::DescribedTwice,
            b"\xc0\x09\x02\0\x53\x01\0\x53\x02\x40\x40",
        ),
        (Known::Descriptors, b"\x00\xc0\x01\x00\x40"),
    ];
    let inputs = examples.map(|(_, octets)| octets.to_vec());
    let read = Proton::build().read(&inputs);
    for ((known, octets), theirs) in examples.into_iter().zip(read) {
        assert_eq!(compare(octets, &theirs), Ok(Some(known)), "{theirs:?}");
    }
}

#[test]
fn both_read_the_same_values_of_every_type_or_refuse_them() {
    println!("{:?}", compare_all(&generated(3_000)));
}

#[test]
fn both_agree_on_what_the_fuzzers_found_and_on_what_is_like_it() {
    let mut inputs: Vec<Vec<u8>> = corpus("value_decode").into_iter().map(|it| it.1).collect();
    let mut mutator = Mutator::new("value_decode", 3);
    inputs.extend((0..20_000).map(|_| mutator.input()));
    println!("{:?}", compare_all(&inputs));
}
