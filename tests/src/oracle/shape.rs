//! What the composite types of the specification look like: names, field order, which fields must be there, defaults.
//!
//! Written down a second time on purpose (the engine has its own table): the instruments judge the engine by this one.

use super::frame::Perf;
use super::value::V;

/// What a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `string`
    Str,
    /// `symbol`
    Sym,
    /// one or several symbols
    Symbols,
    /// `binary`
    Bin,
    /// `boolean`
    Bool,
    /// `ubyte`
    Ubyte,
    /// `ushort`
    Ushort,
    /// `uint`
    Uint,
    /// `ulong`
    Ulong,
    /// `map`
    Map,
    /// a described list with one of these descriptor codes
    One(&'static [u64]),
    /// anything
    Any,
}

/// One field of a composite type.
#[derive(Debug)]
pub struct Field {
    /// The name, as the specification spells it.
    pub name: &'static str,
    /// What it may hold when it is not null.
    pub kind: Kind,
    /// Null is not allowed.
    pub mandatory: bool,
    /// What null stands for.
    pub default: fn() -> V,
}

/// One composite type.
#[derive(Debug)]
pub struct Shape {
    /// The numeric descriptor.
    pub code: u64,
    /// The name; the symbolic descriptor is `amqp:NAME:list`.
    pub name: &'static str,
    /// The fields in order.
    pub fields: &'static [Field],
}

impl Shape {
    /// The place of a field.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == name)
    }

    /// The symbolic descriptor.
    pub fn symbol(&self) -> String {
        format!("amqp:{}:list", self.name)
    }
}

/// The shape with this descriptor code.
pub fn shape(code: u64) -> Option<&'static Shape> {
    SHAPES.iter().find(|s| s.code == code)
}

/// The shape with this symbolic descriptor.
pub fn shape_named(symbol: &str) -> Option<&'static Shape> {
    let name = symbol.strip_prefix("amqp:")?.strip_suffix(":list")?;
    SHAPES.iter().find(|s| s.name == name)
}

/// Holds a performative, and every composite inside it, against its shape: known descriptor, no missing mandatory field, no
/// field of a wrong type, none too many.
pub fn check(perf: &Perf) -> Result<(), String> {
    check_fields(perf.code, &perf.fields)
}

fn check_fields(code: u64, fields: &[V]) -> Result<(), String> {
    let Some(shape) = shape(code) else {
        return Err(format!("unknown descriptor {code:#04x}"));
    };
    if fields.len() > shape.fields.len() {
        return Err(format!(
            "{} has {} fields, not {}",
            shape.name,
            shape.fields.len(),
            fields.len()
        ));
    }
    for (i, field) in shape.fields.iter().enumerate() {
        let value = fields.get(i).unwrap_or(&V::Null);
        let place = || format!("{} of {}", field.name, shape.name);
        if value.is_null() {
            if field.mandatory {
                return Err(format!("{} is missing", place()));
            }
            continue;
        }
        if !holds(field.kind, value) {
            return Err(format!("{} is {value:?}", place()));
        }
        if field.mandatory && field.kind == Kind::Symbols && value.multiple().is_empty() {
            return Err(format!("{} is empty", place()));
        }
        if let Some((inner, inner_fields)) = value.composite()
            && super::shape(inner).is_some()
        {
            check_fields(inner, inner_fields).map_err(|e| format!("{}: {e}", place()))?;
        }
    }
    Ok(())
}

fn holds(kind: Kind, value: &V) -> bool {
    match (kind, value) {
        (Kind::Any, _)
        | (Kind::Str, V::Str(_))
        | (Kind::Sym, V::Sym(_))
        | (Kind::Bin, V::Bin(_))
        | (Kind::Bool, V::Bool(_))
        | (Kind::Ubyte, V::Ubyte(_))
        | (Kind::Ushort, V::Ushort(_))
        | (Kind::Uint, V::Uint(_))
        | (Kind::Ulong, V::Ulong(_))
        | (Kind::Map, V::Map(_)) => true,
        (Kind::Symbols, value) => value.multiple().iter().all(|v| matches!(v, V::Sym(_))),
        (Kind::One(codes), value) => value
            .composite()
            .is_some_and(|(code, _)| codes.contains(&code)),
        _ => false,
    }
}

/// Do two values mean the same? Null is its field's default, trailing nulls are nothing, a lone symbol is an array of one.
pub fn same(a: &V, b: &V) -> bool {
    if let (Some((code, left)), Some((other, right))) = (a.composite(), b.composite())
        && code == other
        && let Some(shape) = shape(code)
    {
        return shape.fields.iter().enumerate().all(|(i, field)| {
            let or_default = |fields: &[V]| match fields.get(i) {
                None | Some(V::Null) => (field.default)(),
                Some(value) => value.clone(),
            };
            let (left, right) = (or_default(left), or_default(right));
            match field.kind {
                Kind::Symbols => left.multiple() == right.multiple(),
                _ => same(&left, &right),
            }
        });
    }
    a == b
}

const fn field(name: &'static str, kind: Kind, default: fn() -> V) -> Field {
    Field {
        name,
        kind,
        mandatory: false,
        default,
    }
}
const fn opt(name: &'static str, kind: Kind) -> Field {
    field(name, kind, || V::Null)
}
const fn must(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        mandatory: true,
        default: || V::Null,
    }
}
const fn flag(name: &'static str) -> Field {
    field(name, Kind::Bool, || V::Bool(false))
}

const ERROR: Kind = Kind::One(&[0x1d]);
const SOURCE: Kind = Kind::One(&[0x28]);
const TARGET: Kind = Kind::One(&[0x29, 0x30]);
const OFFERED: Field = opt("offered-capabilities", Kind::Symbols);
const DESIRED: Field = opt("desired-capabilities", Kind::Symbols);
const PROPERTIES: Field = opt("properties", Kind::Map);

static SHAPES: &[Shape] = &[
    Shape {
        code: 0x10,
        name: "open",
        fields: &[
            must("container-id", Kind::Str),
            opt("hostname", Kind::Str),
            field("max-frame-size", Kind::Uint, || V::Uint(u32::MAX)),
            field("channel-max", Kind::Ushort, || V::Ushort(u16::MAX)),
            opt("idle-time-out", Kind::Uint),
            opt("outgoing-locales", Kind::Symbols),
            opt("incoming-locales", Kind::Symbols),
            OFFERED,
            DESIRED,
            PROPERTIES,
        ],
    },
    Shape {
        code: 0x11,
        name: "begin",
        fields: &[
            opt("remote-channel", Kind::Ushort),
            must("next-outgoing-id", Kind::Uint),
            must("incoming-window", Kind::Uint),
            must("outgoing-window", Kind::Uint),
            field("handle-max", Kind::Uint, || V::Uint(u32::MAX)),
            OFFERED,
            DESIRED,
            PROPERTIES,
        ],
    },
    Shape {
        code: 0x12,
        name: "attach",
        fields: &[
            must("name", Kind::Str),
            must("handle", Kind::Uint),
            must("role", Kind::Bool),
            field("snd-settle-mode", Kind::Ubyte, || V::Ubyte(2)),
            field("rcv-settle-mode", Kind::Ubyte, || V::Ubyte(0)),
            opt("source", SOURCE),
            opt("target", TARGET),
            opt("unsettled", Kind::Map),
            flag("incomplete-unsettled"),
            opt("initial-delivery-count", Kind::Uint),
            opt("max-message-size", Kind::Ulong),
            OFFERED,
            DESIRED,
            PROPERTIES,
        ],
    },
    Shape {
        code: 0x13,
        name: "flow",
        fields: &[
            opt("next-incoming-id", Kind::Uint),
            must("incoming-window", Kind::Uint),
            must("next-outgoing-id", Kind::Uint),
            must("outgoing-window", Kind::Uint),
            opt("handle", Kind::Uint),
            opt("delivery-count", Kind::Uint),
            opt("link-credit", Kind::Uint),
            opt("available", Kind::Uint),
            flag("drain"),
            flag("echo"),
            PROPERTIES,
        ],
    },
    Shape {
        code: 0x14,
        name: "transfer",
        fields: &[
            must("handle", Kind::Uint),
            opt("delivery-id", Kind::Uint),
            opt("delivery-tag", Kind::Bin),
            opt("message-format", Kind::Uint),
            flag("settled"),
            flag("more"),
            opt("rcv-settle-mode", Kind::Ubyte),
            opt("state", Kind::Any),
            flag("resume"),
            flag("aborted"),
            flag("batchable"),
        ],
    },
    Shape {
        code: 0x15,
        name: "disposition",
        fields: &[
            must("role", Kind::Bool),
            must("first", Kind::Uint),
            opt("last", Kind::Uint),
            flag("settled"),
            opt("state", Kind::Any),
            flag("batchable"),
        ],
    },
    Shape {
        code: 0x16,
        name: "detach",
        fields: &[
            must("handle", Kind::Uint),
            flag("closed"),
            opt("error", ERROR),
        ],
    },
    Shape {
        code: 0x17,
        name: "end",
        fields: &[opt("error", ERROR)],
    },
    Shape {
        code: 0x18,
        name: "close",
        fields: &[opt("error", ERROR)],
    },
    Shape {
        code: 0x1d,
        name: "error",
        fields: &[
            must("condition", Kind::Sym),
            opt("description", Kind::Str),
            opt("info", Kind::Map),
        ],
    },
    Shape {
        code: 0x23,
        name: "received",
        fields: &[
            must("section-number", Kind::Uint),
            must("section-offset", Kind::Ulong),
        ],
    },
    Shape {
        code: 0x24,
        name: "accepted",
        fields: &[],
    },
    Shape {
        code: 0x25,
        name: "rejected",
        fields: &[opt("error", ERROR)],
    },
    Shape {
        code: 0x26,
        name: "released",
        fields: &[],
    },
    Shape {
        code: 0x27,
        name: "modified",
        fields: &[
            opt("delivery-failed", Kind::Bool),
            opt("undeliverable-here", Kind::Bool),
            opt("message-annotations", Kind::Map),
        ],
    },
    Shape {
        code: 0x28,
        name: "source",
        fields: &[
            opt("address", Kind::Any),
            field("durable", Kind::Uint, || V::Uint(0)),
            field("expiry-policy", Kind::Sym, || V::sym("session-end")),
            field("timeout", Kind::Uint, || V::Uint(0)),
            flag("dynamic"),
            opt("dynamic-node-properties", Kind::Map),
            opt("distribution-mode", Kind::Sym),
            opt("filter", Kind::Map),
            opt("default-outcome", Kind::Any),
            opt("outcomes", Kind::Symbols),
            opt("capabilities", Kind::Symbols),
        ],
    },
    Shape {
        code: 0x29,
        name: "target",
        fields: &[
            opt("address", Kind::Any),
            field("durable", Kind::Uint, || V::Uint(0)),
            field("expiry-policy", Kind::Sym, || V::sym("session-end")),
            field("timeout", Kind::Uint, || V::Uint(0)),
            flag("dynamic"),
            opt("dynamic-node-properties", Kind::Map),
            opt("capabilities", Kind::Symbols),
        ],
    },
    Shape {
        code: 0x30,
        name: "coordinator",
        fields: &[opt("capabilities", Kind::Symbols)],
    },
    Shape {
        code: 0x31,
        name: "declare",
        fields: &[opt("global-id", Kind::Any)],
    },
    Shape {
        code: 0x32,
        name: "discharge",
        fields: &[must("txn-id", Kind::Bin), opt("fail", Kind::Bool)],
    },
    Shape {
        code: 0x33,
        name: "declared",
        fields: &[must("txn-id", Kind::Bin)],
    },
    Shape {
        code: 0x34,
        name: "transactional-state",
        fields: &[must("txn-id", Kind::Bin), opt("outcome", Kind::Any)],
    },
    Shape {
        code: 0x40,
        name: "sasl-mechanisms",
        fields: &[must("sasl-server-mechanisms", Kind::Symbols)],
    },
    Shape {
        code: 0x41,
        name: "sasl-init",
        fields: &[
            must("mechanism", Kind::Sym),
            opt("initial-response", Kind::Bin),
            opt("hostname", Kind::Str),
        ],
    },
    Shape {
        code: 0x42,
        name: "sasl-challenge",
        fields: &[must("challenge", Kind::Bin)],
    },
    Shape {
        code: 0x43,
        name: "sasl-response",
        fields: &[must("response", Kind::Bin)],
    },
    Shape {
        code: 0x44,
        name: "sasl-outcome",
        fields: &[must("code", Kind::Ubyte), opt("additional-data", Kind::Bin)],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_mandatory_field_is_named() {
        let perf = Perf {
            code: 0x11,
            fields: vec![V::Null, V::Uint(0), V::Uint(1)],
        };
        assert_eq!(
            check(&perf),
            Err("outgoing-window of begin is missing".to_owned())
        );
    }

    #[test]
    fn a_fault_inside_a_nested_composite_is_found() {
        let error = V::described(0x1d, V::List(vec![V::str("not a symbol")]));
        let perf = Perf {
            code: 0x18,
            fields: vec![error],
        };
        assert!(
            check(&perf)
                .unwrap_err()
                .starts_with("error of close: condition of error is")
        );
    }

    #[test]
    fn explicit_defaults_and_absent_fields_are_the_same() {
        let bare = V::described(0x29, V::List(vec![V::str("q")]));
        let full = V::described(
            0x29,
            V::List(vec![
                V::str("q"),
                V::Uint(0),
                V::Null,
                V::Uint(0),
                V::Bool(false),
                V::Null,
                V::Null,
            ]),
        );
        assert!(same(&bare, &full));
        assert!(!same(
            &bare,
            &V::described(0x29, V::List(vec![V::str("r")]))
        ));
    }
}
