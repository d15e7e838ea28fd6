//! Fields of any type as values, for objects of which every field can be got and set by its number.

use ferrion_engine::codec::{
    Array, Decode, Encode, FieldSpec, Fields, Raw, Str, Symbol, Type, Value,
};
use ferrion_engine::protocol::{ReceiverSettleMode, SenderSettleMode, Source, TargetArchetype};

use crate::status::{Failure, ferrion_status as Status};
use crate::value::Tape;

/// A field that C gets and sets as a value.
pub(super) trait Field: Sized {
    /// As a value; `None` if it has none.
    fn get(&self) -> Option<Value>;
    /// From a value; null is none.
    fn from_value(value: Value) -> Result<Self, Failure>;
}

/// Makes `get(object, number)` and `set(object, number, value)` for the fields of an object.
macro_rules! fields {
    ($Object:ty as $Number:ident { $($NUMBER:ident => $field:ident,)* }) => {
        /// The value of the field that a number from C names.
        pub(super) fn get(object: &$Object, field: i32) -> Result<Option<Value>, Failure> {
            $(if field == $Number::$NUMBER as i32 {
                return Ok(Field::get(&object.$field));
            })*
            Err(unknown(field))
        }

        /// Sets the field that a number from C names.
        pub(super) fn set(object: &mut $Object, field: i32, value: Value) -> Result<(), Failure> {
            $(if field == $Number::$NUMBER as i32 {
                object.$field = Field::from_value(value)?;
                return Ok(());
            })*
            Err(unknown(field))
        }

        /// Sets a field that is text, or symbols to this one.
        pub(super) fn set_text(object: &mut $Object, field: i32, text: Option<&str>) -> Result<(), Failure> {
            match (text, get(object, field)?) {
                (None, _) => set(object, field, Value::Null),
                (Some(text), Some(Value::Array(_))) => {
                    let symbol = ferrion_engine::codec::Symbol::try_from(text)?;
                    set(object, field, Value::Symbol(symbol))
                }
                (Some(text), _) => set(object, field, Value::from(text)),
            }
        }

        #[cold]
        fn unknown(field: i32) -> Failure {
            Failure::invalid(format!(concat!("{} is not a ", stringify!($Number)), field))
        }
    };
}
pub(super) use fields;

/// The one value that C gave; none at all is null.
pub(super) fn given(value: &Tape) -> Result<Value, Failure> {
    if value.is_empty() {
        Ok(Value::Null)
    } else {
        value.single()
    }
}

/// A number that C asks for, from a field that is one.
pub(super) fn number(value: Option<Value>) -> Result<u64, Failure> {
    match value {
        None => Err(Failure::absent()),
        Some(Value::Bool(truth)) => Ok(u64::from(truth)),
        Some(value) => integer(&value),
    }
}

fn integer<T: TryFrom<i128>>(value: &Value) -> Result<T, Failure> {
    let Some(number) = value.as_i128() else {
        return Err(wrong("a whole number", value));
    };
    T::try_from(number).map_err(|_| Failure::invalid(format!("{number} is out of range here")))
}

#[cold]
fn wrong(expected: &str, found: &Value) -> Failure {
    let found = found.type_of();
    Failure::new(
        Status::FERRION_WRONG_TYPE,
        format!("{expected} belongs here, not a {found:?}"),
    )
}

impl<T: Field> Field for Option<T> {
    fn get(&self) -> Option<Value> {
        self.as_ref().and_then(Field::get)
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        if value.is_null() {
            Ok(None)
        } else {
            T::from_value(value).map(Some)
        }
    }
}

macro_rules! integers {
    ($($Type:ty as $Variant:ident),*) => {$(
        impl Field for $Type {
            fn get(&self) -> Option<Value> {
                Some(Value::$Variant(*self))
            }

            fn from_value(value: Value) -> Result<Self, Failure> {
                integer(&value)
            }
        }
    )*};
}
integers!(u16 as Ushort, u32 as Uint, u64 as Ulong);

impl Field for bool {
    fn get(&self) -> Option<Value> {
        Some(Value::Bool(*self))
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        match value {
            Value::Bool(truth) => Ok(truth),
            // As which C spells it.
            Value::Ulong(0) => Ok(false),
            Value::Ulong(1) => Ok(true),
            other => Err(wrong("a bool", &other)),
        }
    }
}

impl Field for Str {
    fn get(&self) -> Option<Value> {
        Some(Value::String(self.clone()))
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(wrong("a string", &other)),
        }
    }
}

impl Field for Vec<Symbol> {
    fn get(&self) -> Option<Value> {
        let symbols = self.iter().cloned().map(Value::Symbol).collect();
        // Symbols only, so that the array can be made.
        Array::with_descriptors(Type::Symbol, Vec::new(), symbols)
            .ok()
            .map(|array| Value::Array(Box::new(array)))
    }

    /// An array or a list of symbols, or a single one.
    fn from_value(value: Value) -> Result<Self, Failure> {
        let items = match value {
            Value::Null => Vec::new(),
            Value::List(items) => items,
            Value::Array(array) => array.items().to_vec(),
            single => Vec::from([single]),
        };
        let symbol = |item| match item {
            Value::Symbol(symbol) => Ok(symbol),
            other => Err(wrong("symbols", &other)),
        };
        items.into_iter().map(symbol).collect()
    }
}

impl Field for Fields {
    fn get(&self) -> Option<Value> {
        Some(Value::Map(self.to_map()))
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        match value {
            Value::Map(map) => Ok(map.into()),
            other => Err(wrong("a map", &other)),
        }
    }
}

macro_rules! codes {
    ($($Type:ty),*) => {$(
        impl Field for $Type {
            fn get(&self) -> Option<Value> {
                Some(Value::Ubyte(self.code()))
            }

            fn from_value(value: Value) -> Result<Self, Failure> {
                let code = integer(&value)?;
                Self::from_code(code)
                    .ok_or_else(|| Failure::invalid(format!("{code} is not a {}", Self::NAME)))
            }
        }
    )*};
}
codes!(SenderSettleMode, ReceiverSettleMode);

macro_rules! whole {
    ($($Type:ty),*) => {$(
        impl Field for Box<$Type> {
            fn get(&self) -> Option<Value> {
                to_value(&**self).ok()
            }

            fn from_value(value: Value) -> Result<Self, Failure> {
                from_value(&value).map(Box::new)
            }
        }
    )*};
}
whole!(Source, TargetArchetype);

/// What the protocol has a type for, as the value that it is on the wire.
pub(super) fn to_value(composite: &impl Encode) -> Result<Value, Failure> {
    Ok(Raw::new(composite).decode()?)
}

/// What the protocol has a type for, from the value that it is on the wire.
pub(super) fn from_value<T: Decode>(value: &Value) -> Result<T, Failure> {
    let raw = Raw::try_new(value)?;
    raw.decode_to()
        .map_err(|error| Failure::new(Status::FERRION_WRONG_TYPE, error.to_string()))
}

/// The field of a composite type that a number from C names: 1 for the first. What it leaves out has its default.
pub(super) fn field(
    composite: &impl Encode,
    specs: &[FieldSpec],
    number: i32,
) -> Result<Value, Failure> {
    let (at, spec) = spec(specs, number)?;
    let (_, items) = items(composite)?;
    match items.into_iter().nth(at) {
        Some(value) if !value.is_null() => Ok(value),
        _ => default(spec).ok_or_else(Failure::absent),
    }
}

/// The same with another value in the field; null takes it away.
pub(super) fn with_field<T: Encode + Decode>(
    composite: &T,
    specs: &[FieldSpec],
    number: i32,
    value: Value,
) -> Result<T, Failure> {
    let (at, _) = spec(specs, number)?;
    let (descriptor, mut items) = items(composite)?;
    items.resize(specs.len().max(items.len()), Value::Null);
    if let Some(place) = items.get_mut(at) {
        *place = value;
    }
    from_value(&Value::described(descriptor, Value::List(items)))
}

fn spec(specs: &[FieldSpec], number: i32) -> Result<(usize, &FieldSpec), Failure> {
    let at = usize::try_from(number)
        .ok()
        .and_then(|number| number.checked_sub(1));
    let found = at.and_then(|at| Some((at, specs.get(at)?)));
    found.ok_or_else(|| {
        Failure::invalid(format!(
            "there is no field {number}: the last is {}",
            specs.len()
        ))
    })
}

fn items(composite: &impl Encode) -> Result<(Value, Vec<Value>), Failure> {
    match to_value(composite)? {
        Value::Described(described) => match described.value {
            Value::List(items) => Ok((described.descriptor, items)),
            _ => Ok((described.descriptor, Vec::new())),
        },
        other => Err(wrong("a described list", &other)),
    }
}

/// What a field that is left out stands for.
fn default(spec: &FieldSpec) -> Option<Value> {
    let text = spec.default?;
    Some(match spec.ty {
        "boolean" => Value::Bool(text == "true"),
        "ushort" => Value::Ushort(text.parse().ok()?),
        "terminus-durability" => Value::Uint(0),
        "terminus-expiry-policy" => Value::Symbol(Symbol::try_from(text).ok()?),
        "sender-settle-mode" => Value::Ubyte(SenderSettleMode::default().code()),
        "receiver-settle-mode" => Value::Ubyte(ReceiverSettleMode::default().code()),
        _ => Value::Uint(text.parse().ok()?),
    })
}
