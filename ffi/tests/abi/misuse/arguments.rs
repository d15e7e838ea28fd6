//! What the parameters of a function can be given, and what may come of it.

use crate::rules::{Function, Parameter};

/// What a parameter can be given.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Given {
    /// Something that fits.
    Right,
    /// NULL for a pointer; the smallest number there is otherwise.
    Low,
    /// The largest number there is, or text of 70,000 letters. Not for other pointers.
    High,
    /// A handle whose object has ended.
    Stale,
    /// A handle of an object of another kind.
    WrongKind,
    /// The handle of an object of another engine.
    Foreign,
    /// Text that is not UTF-8, and octets that would not be if they were text.
    NotUtf8,
    /// Text or octets that are none at all; octets have an address then, NULL has a turn of its own.
    Nothing,
    /// Octets at NULL, none.
    NothingAtNull,
    /// Octets that are said to be as many as there are addresses.
    Huge,
    /// The same at NULL.
    HugeAtNull,
}

/// The calls of one function, as C statements that check the answer: all is right but for one parameter, or nothing is.
pub(crate) fn calls(function: &Function, roots: &[&str]) -> Vec<String> {
    let parameters = &function.parameters;
    let right = vec![Given::Right; parameters.len()];
    let mut variants = vec![right.clone(), vec![Given::Low; parameters.len()]];
    for (at, parameter) in parameters.iter().enumerate() {
        for wrong in wrong(parameter) {
            let mut variant = right.clone();
            variant[at] = *wrong;
            variants.push(variant);
        }
    }
    let calls = variants.iter().map(|variant| {
        let call = call(function, variant, roots);
        statement(function, variant, &call)
    });
    calls.collect()
}

/// The call that has everything right.
pub(crate) fn right_call(function: &Function, roots: &[&str]) -> String {
    call(
        function,
        &vec![Given::Right; function.parameters.len()],
        roots,
    )
}

fn call(function: &Function, variant: &[Given], roots: &[&str]) -> String {
    let parameters = &function.parameters;
    let arguments = (0..parameters.len()).map(|at| match of_octets(parameters, at) {
        // Their number is part of what is given for octets.
        Some(octets) => length(variant[octets], variant[at]),
        None => expression(function, at, variant[at], roots),
    });
    let arguments: Vec<String> = arguments.collect();
    format!("{}({})", function.name, arguments.join(", "))
}

/// What is wrong for a parameter, in turn.
fn wrong(parameter: &Parameter) -> &'static [Given] {
    use Given::*;
    match parameter.kind.as_str() {
        "const char *" => &[Low, NotUtf8, Nothing, High],
        "const uint8_t *" => &[Low, NotUtf8, Nothing, NothingAtNull, Huge, HugeAtNull],
        kind if kind.ends_with('*') => &[Low],
        _ if is_handle(parameter) => &[Low, High, Stale, WrongKind, Foreign],
        "ferrion_tracker_t" => &[Low, High, Stale],
        _ if is_length(parameter) => &[],
        _ => &[Low, High],
    }
}

/// The call, and a check of what it answers.
fn statement(function: &Function, variant: &[Given], call: &str) -> String {
    let parameters = &function.parameters;
    let given = |wanted: fn(&Parameter) -> bool, these: &[Given]| {
        let mut pairs = parameters.iter().zip(variant);
        pairs.any(|(parameter, given)| wanted(parameter) && these.contains(given))
    };
    // An object that is NULL, in first place, is always an error; for the rest it is enough to come back.
    let first = parameters.first().is_some_and(is_object);
    let no_object = first && variant.first() == Some(&Given::Low);
    let no_text = given(|p| p.kind == "const char *", &[Given::NotUtf8]);
    let huge = given(is_octets, &[Given::Huge]);
    // So is a handle that names nothing of the kind, whatever the other arguments are.
    let named_wrongly = given(is_handle, &[Given::Stale, Given::WrongKind, Given::Foreign]);
    let check = match function.returns.as_str() {
        "ferrion_status" if named_wrongly => "refused(",
        "ferrion_status" if no_object => "is(FERRION_NULL_POINTER, ",
        "ferrion_status" if no_text || huge => "is(FERRION_INVALID_ARGUMENT, ",
        "ferrion_status" => "any(",
        returns if returns.ends_with("_t *") => {
            let free = function.name.replace("_new", "_free");
            let none = if no_object || no_text || huge {
                "  CHECK(!made && *ferrion_last_error());"
            } else {
                ""
            };
            return format!("  {{ {returns}made = {call};{none} {free}(made); }}\n");
        }
        _ => return format!("  (void){call};\n"),
    };
    format!("  {check}{call});\n")
}

/// The C expression for a parameter.
fn expression(function: &Function, at: usize, given: Given, roots: &[&str]) -> String {
    let parameter = &function.parameters[at];
    let kind = parameter.kind.as_str();
    let object = kind.trim_start_matches("const ").trim_end_matches(" *");
    match (kind, given) {
        ("const uint8_t *", Given::NothingAtNull | Given::HugeAtNull) => "NULL".into(),
        (_, Given::Low) if kind.ends_with('*') => "NULL".into(),
        ("const char *", Given::High) => format!("long_text({at})"),
        ("const char *", Given::NotUtf8) => format!("text({at}, \"\\xc3(\\xff\")"),
        ("const char *", Given::Nothing) => format!("text({at}, \"\")"),
        ("const char *", _) => format!("text({at}, \"amqp:text\")"),
        ("const uint8_t *", Given::NotUtf8) => {
            format!("octets({at}, \"\\xc3(\\xff\\xff\\xff\\xff\", 6)")
        }
        ("const uint8_t *", Given::Nothing) => format!("octets({at}, \"\", 0)"),
        ("const uint8_t *", _) => format!("octets({at}, \"octets\", 6)"),
        // As much as there is room for, at most.
        _ if parameter.name == "capacity" && given != Given::Low => CAPACITY.to_string(),
        _ if is_handle(parameter) && !matches!(given, Given::Low | Given::High) => {
            handle(function, parameter, given)
        }
        ("ferrion_tracker_t", Given::Stale) => "stale_tracker".into(),
        ("ferrion_tracker_t" | "ferrion_subscription_t" | "ferrion_request_t", Given::Right) => {
            noun(kind).into()
        }
        _ if kind.ends_with('*')
            && parameter.name.starts_with("out_")
            && !roots.contains(&object) =>
        {
            let several = function.parameters.iter().any(|p| p.name == "capacity");
            format!(
                "ROOM({at}, {object}, {})",
                if several { CAPACITY } else { 1 }
            )
        }
        // Nothing is given twice to one call.
        _ if kind.ends_with('*') && is_second(function, at, object) => {
            format!("other_{}", noun(object))
        }
        ("ferrion_engine_t *" | "const ferrion_engine_t *", _) => "own.engine".into(),
        _ if kind.ends_with('*') => noun(object).into(),
        ("bool", Given::High) => "true".into(),
        ("float" | "double", Given::High) => "3e38f".into(),
        ("float" | "double", _) => "-1.0f".into(),
        (_, Given::Low) if kind.starts_with("int") => limit(kind, "MIN"),
        (_, Given::Low) => "0".into(),
        (_, Given::High) => limit(kind, "MAX"),
        _ => "1".into(),
    }
}

/// Whether a parameter before this one takes an object of its kind.
fn is_second(function: &Function, at: usize, object: &str) -> bool {
    let mut before = function.parameters[..at].iter();
    before.any(|other| other.kind.ends_with('*') && other.kind.contains(object))
}

/// How many results there is room for where a function is told.
const CAPACITY: usize = 4;

/// How many octets there are said to be.
fn length(octets: Given, own: Given) -> String {
    match octets {
        Given::Nothing | Given::NothingAtNull => "0".into(),
        Given::Huge | Given::HugeAtNull => "SIZE_MAX".into(),
        // Nothing is right, the number neither.
        _ if own == Given::Low => "0".into(),
        _ => "6".into(),
    }
}

/// Where the octets stand of which this parameter says how many they are.
fn of_octets(parameters: &[Parameter], at: usize) -> Option<usize> {
    is_length(&parameters[at]).then(|| at.checked_sub(1).expect("octets come before their number"))
}

fn is_length(parameter: &Parameter) -> bool {
    matches!(parameter.name.as_str(), "len" | "tag_len")
}

fn is_octets(parameter: &Parameter) -> bool {
    parameter.kind == "const uint8_t *"
}

/// Whether a parameter is an object, and not a place for one that is made.
pub(crate) fn is_object(parameter: &Parameter) -> bool {
    let kind = parameter.kind.trim_start_matches("const ");
    kind.starts_with("ferrion_") && kind.ends_with('*') && !parameter.name.starts_with("out_")
}

/// Whether a parameter is the number of an engine's object.
fn is_handle(parameter: &Parameter) -> bool {
    matches!(
        parameter.kind.as_str(),
        "ferrion_session_t" | "ferrion_link_t" | "ferrion_delivery_t"
    )
}

/// The name that the program has for a handle.
fn handle(function: &Function, parameter: &Parameter, given: Given) -> String {
    let engine = if given == Given::Foreign {
        "other"
    } else {
        "own"
    };
    let receives = function.name.starts_with("ferrion_receiver");
    let noun = match (parameter.kind.as_str(), given == Given::WrongKind) {
        ("ferrion_session_t", false) | ("ferrion_link_t", true) => "session",
        ("ferrion_link_t", false) if receives => "receiver",
        ("ferrion_link_t", false) | (_, true) => "sender",
        _ if receives => "incoming",
        _ => "outgoing",
    };
    match given {
        Given::Stale => format!("stale_{noun}"),
        _ => format!("{engine}.{noun}"),
    }
}

/// The name that C has for the end of a number's range.
fn limit(kind: &str, end: &str) -> String {
    // Handles are numbers of 64 bits.
    let kind = if kind.starts_with("ferrion_") {
        "uint64_t"
    } else {
        kind
    };
    format!("{}_{end}", kind.trim_end_matches("_t").to_uppercase())
}

/// What comes between `ferrion_` and `_t`.
pub(crate) fn noun(object: &str) -> &str {
    object.trim_start_matches("ferrion_").trim_end_matches("_t")
}
