//! The rules by which the header is spelled. Bindings are as small as these are kept: one SWIG typemap for each spelling
//! covers every function.

use std::fs;

use crate::header;
use crate::support::{sources, tree};

/// The header, taken apart.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) text: String,
    pub(crate) functions: Vec<Function>,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) returns: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) doc: String,
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl Header {
    pub(crate) fn read() -> Self {
        let text = header::committed().to_owned();
        let functions = prototypes(&text);
        assert!(functions.len() > 3, "the header has functions");
        Self { text, functions }
    }

    /// The opaque types: `ferrion_message_t` and the like.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &str> {
        self.text
            .lines()
            .filter_map(|line| line.strip_prefix("typedef struct ferrion_"))
            .filter_map(|rest| rest.split(' ').nth(1)?.strip_suffix(';'))
    }

    /// Whether a result of this kind points to memory of the library's.
    fn lends(&self, kind: &str) -> bool {
        let with_end = self.text.split_once(&format!("\n}} {kind};"));
        let body = with_end.and_then(|(before, _)| before.rsplit_once("typedef struct {"));
        kind == "ferrion_bytes_t"
            || body.is_some_and(|(_, body)| {
                body.contains("ferrion_bytes_t ") || body.contains("uint8_t *")
            })
    }

    fn structs(&self) -> impl Iterator<Item = &str> {
        self.text
            .split("typedef struct {")
            .skip(1)
            .filter_map(|rest| rest.split_once("} ").map(|(body, _)| body))
    }
}

/// The prototypes of a header, each with the comment above it.
fn prototypes(text: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    let mut doc = String::new();
    let mut statement = String::new();
    let mut in_comment = false;
    for line in text.lines() {
        let line = line.trim();
        if statement.is_empty() && (in_comment || line.starts_with("/*")) {
            if !in_comment {
                doc.clear();
            }
            doc += line;
            doc.push('\n');
            in_comment = !line.ends_with("*/");
            continue;
        }
        if line.is_empty()
            || line.starts_with('#')
            || line.starts_with("extern \"C\"")
            || line == "}"
        {
            statement.clear();
            continue;
        }
        statement += line;
        statement.push(' ');
        if line.ends_with(';') {
            functions.extend(prototype(&statement, &doc));
            statement.clear();
            doc.clear();
        }
    }
    functions
}

fn prototype(statement: &str, doc: &str) -> Option<Function> {
    if statement.starts_with("typedef") || statement.contains('{') {
        return None;
    }
    let (head, parameters) = statement.trim().strip_suffix(");")?.split_once('(')?;
    let (returns, name) = split_name(head);
    let parameters = parameters
        .split(',')
        .map(str::trim)
        .filter(|parameter| *parameter != "void")
        .map(|parameter| {
            let (kind, name) = split_name(parameter);
            Parameter { kind, name }
        })
        .collect();
    Some(Function {
        name,
        returns,
        parameters,
        doc: doc.to_owned(),
    })
}

/// `const uint8_t *data` to `const uint8_t *` and `data`.
fn split_name(text: &str) -> (String, String) {
    let at = text.rfind([' ', '*']).expect("a type and a name") + 1;
    (text[..at].trim().to_owned(), text[at..].to_owned())
}

#[test]
fn names_have_a_noun_and_a_verb() {
    for function in Header::read().functions {
        let words: Vec<&str> = function.name.split('_').collect();
        assert_eq!(words[0], "ferrion", "{}", function.name);
        assert!(
            words.iter().all(|w| w
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())),
            "{}",
            function.name
        );
    }
}

#[test]
fn what_can_fail_returns_a_status() {
    for function in Header::read().functions {
        let name = &function.name;
        match function.returns.as_str() {
            "ferrion_status" => {}
            // Freeing cannot fail; what was made is NULL when making failed.
            "void" => assert!(name.ends_with("_free"), "{name} returns nothing"),
            "const char *" | "uint32_t" => {
                assert!(
                    function.parameters.iter().all(|p| p.kind == "int32_t"),
                    "{name} can fail: it needs a status"
                );
            }
            returns => {
                assert!(
                    returns.starts_with("ferrion_") && returns.ends_with("_t *"),
                    "{name} returns {returns}"
                );
                assert!(
                    name.ends_with("_new"),
                    "{name} returns memory to be freed; only _new does"
                );
            }
        }
    }
}

#[test]
fn every_object_can_be_made_and_freed() {
    let header = Header::read();
    let has = |name: &str| header.functions.iter().any(|f| f.name == name);
    let objects = header
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("typedef struct ferrion_"));
    let mut count = 0;
    for object in objects {
        let noun = object.split("_t ").next().expect("a name");
        assert!(has(&format!("ferrion_{noun}_new")), "ferrion_{noun}_new");
        assert!(has(&format!("ferrion_{noun}_free")), "ferrion_{noun}_free");
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn octets_always_go_with_their_length() {
    for function in Header::read().functions {
        let parameters = &function.parameters;
        for (i, parameter) in parameters.iter().enumerate() {
            let next = parameters
                .get(i + 1)
                .map(|p| (p.kind.as_str(), p.name.as_str()));
            let previous = i
                .checked_sub(1)
                .and_then(|i| parameters.get(i))
                .map(|p| p.name.as_str());
            // The one octets that come with others: those of the delivery that they are the payload of.
            if parameter.name == "tag" {
                assert_eq!(next, Some(("size_t", "tag_len")), "{}", function.name);
                continue;
            }
            if parameter.kind == "const uint8_t *" || parameter.name == "data" {
                assert_eq!(
                    (parameter.kind.as_str(), parameter.name.as_str()),
                    ("const uint8_t *", "data"),
                    "{}",
                    function.name
                );
                assert_eq!(next, Some(("size_t", "len")), "{}", function.name);
            }
            if parameter.name == "len" {
                assert_eq!(previous, Some("data"), "{}", function.name);
            }
        }
    }
}

#[test]
fn results_go_to_out_parameters_at_the_end() {
    for function in Header::read().functions {
        let mut seen_out = false;
        for (i, parameter) in function.parameters.iter().enumerate() {
            let kind = parameter.kind.as_str();
            let is_out = parameter.name.starts_with("out_");
            assert!(
                is_out || !seen_out,
                "{}: {} comes after a result",
                function.name,
                parameter.name
            );
            seen_out |= is_out;
            // What is pointed to is an object, text, octets or a result; nothing else.
            let is_object = kind
                .strip_prefix("const ")
                .unwrap_or(kind)
                .starts_with("ferrion_")
                && kind.ends_with("_t *");
            let object_in = is_object && kind != "ferrion_bytes_t *" && !is_out;
            if kind.ends_with('*') {
                assert!(
                    object_in || is_out || matches!(kind, "const char *" | "const uint8_t *"),
                    "{}: {kind}{}",
                    function.name,
                    parameter.name
                );
            }
            if is_out {
                assert!(
                    kind.ends_with('*') && !kind.starts_with("const"),
                    "{}: {kind}{}",
                    function.name,
                    parameter.name
                );
                assert_eq!(function.returns, "ferrion_status", "{}", function.name);
            }
            // The object that a function belongs to comes first; a `_new` has none yet.
            if i == 0 && object_in && !function.name.ends_with("_new") {
                let noun = kind.trim_start_matches("const ").trim_end_matches("_t *");
                // What an engine holds is named by a handle after it; the connection is there without one.
                let handle = function.parameters.get(1).map(|p| p.kind.as_str());
                let below = match handle {
                    _ if noun != "ferrion_engine" => None,
                    Some("ferrion_session_t") => Some(&["ferrion_session_"][..]),
                    Some("ferrion_link_t") => {
                        Some(&["ferrion_link_", "ferrion_sender_", "ferrion_receiver_"][..])
                    }
                    _ => Some(&["ferrion_connection_"][..]),
                };
                let fits = |start: &&str| function.name.starts_with(start);
                assert!(
                    function.name.starts_with(noun)
                        || below.is_some_and(|starts| starts.iter().any(fits)),
                    "{} works on a {kind}",
                    function.name
                );
            }
        }
    }
}

#[test]
fn choices_and_widths_are_the_same_everywhere() {
    let header = Header::read();
    for function in &header.functions {
        for parameter in &function.parameters {
            let kind = parameter
                .kind
                .trim_start_matches("const ")
                .trim_end_matches([' ', '*']);
            assert!(
                matches!(
                    kind,
                    "bool"
                        | "char"
                        | "float"
                        | "double"
                        | "size_t"
                        | "int8_t"
                        | "int16_t"
                        | "int32_t"
                        | "int64_t"
                        | "uint8_t"
                        | "uint16_t"
                        | "uint32_t"
                        | "uint64_t"
                ) || kind.starts_with("ferrion_"),
                "{}: {} {}",
                function.name,
                parameter.kind,
                parameter.name
            );
            // An enum that comes from C may hold any number; Rust would be undone by it.
            let is_enum = header.text.contains(&format!("}} {kind};")) && !kind.ends_with("_t");
            assert!(
                !is_enum || parameter.name.starts_with("out_"),
                "{} takes an enum: take int32_t and check it",
                function.name
            );
        }
    }
    for body in header.structs() {
        for word in ["bool", "long", "union", ":"] {
            let fields = body.lines().filter(|line| line.ends_with(';'));
            assert!(
                fields.clone().all(|field| !field.contains(word)),
                "a struct has {word}: {body}"
            );
        }
    }
}

#[test]
fn the_bindings_know_every_kind_of_result() {
    let shared = fs::read_to_string(tree().join("bindings/ferrion.i")).expect("bindings/ferrion.i");
    let header = Header::read();
    let (_, left_out) = shared
        .split_once("LEFT OUT: ")
        .expect("the nouns that bindings leave out");
    let (left_out, _) = left_out.split_once('.').expect("their end");
    let left_out = left_out.replace("\n *", "");
    let is_left_out = |name: &str| left_out.split(", ").any(|out| name.starts_with(out));
    let parameters = header
        .functions
        .iter()
        .filter(|function| !is_left_out(&function.name))
        .flat_map(|function| &function.parameters);
    for parameter in parameters.filter(|parameter| parameter.name.starts_with("out_")) {
        let kind = parameter.kind.trim_end_matches(" *");
        // Octets and values are what each language's own file is about.
        let known = matches!(kind, "ferrion_bytes_t" | "ferrion_value_t")
            || shared.contains(&format!("FERRION_RESULT({kind}, "));
        assert!(
            known,
            "bindings/ferrion.i needs a FERRION_RESULT for {kind}"
        );
    }
    for object in header
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("typedef struct ferrion_"))
    {
        let noun = object.split("_t ").next().expect("a name");
        assert!(
            is_left_out(&format!("ferrion_{noun}_"))
                || shared.contains(&format!("FERRION_OBJECT({noun})")),
            "bindings/ferrion.i needs a FERRION_OBJECT for {noun}"
        );
    }
}

#[test]
fn every_function_is_explained() {
    let header = Header::read();
    for function in &header.functions {
        let name = &function.name;
        assert!(function.doc.starts_with("/**"), "{name} has no comment");
        let lends = function.returns == "const char *"
            || function
                .parameters
                .iter()
                .any(|p| p.name.starts_with("out_") && header.lends(p.kind.trim_end_matches(" *")));
        assert_eq!(
            lends,
            function.doc.contains("Borrowed until:"),
            "{name} must say until when what it lends stays, if it lends something"
        );
    }
}

#[test]
fn every_export_is_one_ffi_fn() {
    let mut exports = 0;
    let testing = tree().join("ffi/src/testing");
    for path in sources(&tree().join("ffi/src")) {
        if path.starts_with(&testing) {
            continue;
        }
        let source = fs::read_to_string(&path).expect("a source file");
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        let functions = source.split("extern \"C\" fn ").skip(1);
        exports += functions.clone().count();
        for function in functions {
            let name = function.split('(').next().unwrap_or_default();
            let body = function
                .split_once('{')
                .map(|(_, body)| body.trim_start())
                .unwrap_or_default();
            assert!(
                body.starts_with("ffi_fn! {"),
                "{}: {name} does not begin with ffi_fn!",
                path.display()
            );
            // The function's brace closes right after the macro's: nothing stands outside the guard.
            let end = body.find("\n}").unwrap_or(body.len());
            let inside = body[..end].trim_end();
            assert!(
                inside.ends_with('}') && balanced(inside),
                "{}: {name} does something outside ffi_fn!",
                path.display()
            );
        }
        assert_eq!(
            source.matches("extern \"C\" fn").count(),
            source.matches("#[unsafe(no_mangle)]").count(),
            "{}: every extern function is an export",
            path.display()
        );
    }
    assert_eq!(
        exports,
        Header::read().functions.len(),
        "the header declares every export"
    );
}

/// Whether the first brace that opens is closed by the last character.
fn balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    let mut closed_at = None;
    for (i, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 && closed_at.is_none() {
                    closed_at = Some(i);
                }
            }
            _ => {}
        }
    }
    closed_at == Some(text.len() - 1)
}
