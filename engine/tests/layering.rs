//! Reads the paths in every source file of the engine and fails on one that crosses a wall: a file imports its own floor
//! and those below it, state never names frames, SASL or the codec's machinery, and frames and SASL never name state.
//! `ARCHITECTURE.md` has the picture; the table here is what is checked.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A floor: its modules, and the floors whose modules they may import. Its own floor is always allowed.
struct Floor {
    name: &'static str,
    modules: &'static [&'static str],
    may_import: &'static [&'static str],
}

const FLOORS: &[Floor] = &[
    Floor {
        name: "base",
        modules: &["arena", "event", "ids", "limits", "queues", "seq", "time"],
        may_import: &[],
    },
    Floor {
        name: "codec",
        modules: &["codec"],
        may_import: &[],
    },
    Floor {
        name: "protocol",
        modules: &["protocol", "message"],
        may_import: &["codec"],
    },
    Floor {
        name: "errors",
        modules: &["error"],
        may_import: &["base", "codec", "protocol"],
    },
    Floor {
        name: "bottom half",
        modules: &["transport", "sasl", "trace"],
        may_import: &["base", "codec", "protocol", "errors"],
    },
    Floor {
        name: "config",
        modules: &["config"],
        may_import: &["base", "codec", "protocol", "bottom half"],
    },
    Floor {
        name: "top half",
        modules: &[
            "charges",
            "control",
            "connection",
            "session",
            "link",
            "delivery",
            "recovery",
            "endpoints",
        ],
        may_import: &["base", "codec", "protocol", "errors", "config"],
    },
    Floor {
        name: "face",
        modules: &["dispatch", "engine", "scheduler", "views"],
        may_import: &[
            "base",
            "codec",
            "protocol",
            "errors",
            "bottom half",
            "config",
            "top half",
        ],
    },
    // The bodies of the fuzz targets drive every floor, and no floor knows of them.
    Floor {
        name: "bodies of the fuzz targets",
        modules: &["testing"],
        may_import: &[
            "base",
            "codec",
            "protocol",
            "errors",
            "bottom half",
            "config",
            "face",
        ],
    },
];

/// What the top half may name of the codec: types of values, but no reader, writer or trait that moves octets.
const VALUES: &[&str] = &[
    "Array",
    "Described",
    "Fields",
    "Map",
    "Raw",
    "Str",
    "Symbol",
    "Timestamp",
    "Type",
    "Uuid",
    "Value",
];

#[test]
fn no_import_crosses_a_wall() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(
        !files.is_empty(),
        "no source files under {}",
        root.display()
    );
    let mut faults = Vec::new();
    for file in &files {
        let path = file.strip_prefix(&root).expect("it was found there");
        let text = fs::read_to_string(file).expect("a readable source file");
        faults.extend(check(path, &text));
    }
    assert!(
        faults.is_empty(),
        "{} forbidden imports:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn the_check_itself_finds_what_is_forbidden() {
    let faults = |path: &str, text: &str| check(Path::new(path), text);
    assert_eq!(
        faults(
            "session/mod.rs",
            "use crate::{ids::Id, transport::{frame, Output}};"
        )
        .len(),
        2
    );
    assert_eq!(
        faults("session/mod.rs", "fn f(s: &super::sasl::Stage) {}").len(),
        1
    );
    assert_eq!(
        faults("session/window.rs", "use super::super::scheduler;").len(),
        1
    );
    assert_eq!(
        faults("link/mod.rs", "use crate::codec::{Str, Reader};").len(),
        1
    );
    assert_eq!(
        faults("link/mod.rs", "use crate::codec;").len(),
        1,
        "the whole codec hides what is used of it"
    );
    assert_eq!(
        faults("transport/frame.rs", "let x = crate::link::Link::new();").len(),
        1
    );
    assert_eq!(
        faults("nowhere.rs", "").len(),
        1,
        "a module has to be on some floor"
    );
    assert_eq!(
        faults(
            "link/mod.rs",
            "use crate::codec::Str; use super::seq::Seq; // use crate::transport;"
        ),
        [""; 0]
    );
    assert_eq!(
        faults(
            "link/credit.rs",
            "use super::Half;\n#[cfg(test)]\nmod tests { use crate::transport; }"
        ),
        [""; 0]
    );
}

/// The forbidden paths of one file, as text.
fn check(path: &Path, text: &str) -> Vec<String> {
    let module = module_of(path);
    let Some(own) = module.first() else {
        return Vec::new();
    };
    let Some(floor) = floor_of(own) else {
        return vec![format!(
            "{}: the module {own} is on no floor; add it to FLOORS",
            path.display()
        )];
    };
    let mut faults = Vec::new();
    for target in paths_from_root(&module, &without_tests_and_comments(text)) {
        let (Some(first), second) = (target.first(), target.get(1)) else {
            continue;
        };
        let reason = match floor_of(first) {
            None => "name the module it is defined in, not the root's re-export".to_owned(),
            Some(there) if there.name == floor.name => continue,
            Some(there) if !floor.may_import.contains(&there.name) => {
                format!("{} must not import {}", floor.name, there.name)
            }
            Some(there) if floor.name == "top half" && there.name == "codec" => match second {
                Some(item) if VALUES.contains(&item.as_str()) => continue,
                _ => "state names values of the codec only, one by one".to_owned(),
            },
            Some(_) => continue,
        };
        faults.push(format!(
            "{}: crate::{}: {reason}",
            path.display(),
            target.join("::")
        ));
    }
    faults
}

fn floor_of(module: &str) -> Option<&'static Floor> {
    FLOORS.iter().find(|floor| floor.modules.contains(&module))
}

/// `session/window.rs` is `[session, window]`, `session/mod.rs` is `[session]`, `lib.rs` is the root, which may do anything.
fn module_of(path: &Path) -> Vec<String> {
    let mut module: Vec<String> = path
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if module
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        module.pop();
    }
    module
}

/// The source without line comments and without what follows `#[cfg(test)]`, which stands at the end of a file.
fn without_tests_and_comments(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Every path in `code` that begins with `crate` or climbs to the root by `super`, from the root, two segments deep.
fn paths_from_root(module: &[String], code: &str) -> BTreeSet<Vec<String>> {
    let tokens = tokens(code);
    let mut found = BTreeSet::new();
    for (i, token) in tokens.iter().enumerate() {
        let begins = i == 0 || tokens[i - 1] != "::";
        if !begins || !matches!(token.as_str(), "crate" | "super") {
            continue;
        }
        let mut at = i;
        let mut base = module.to_vec();
        if token == "crate" {
            base.clear();
            at += 1;
        } else {
            while tokens.get(at).is_some_and(|t| t == "super") {
                base.pop();
                at += 1;
                if tokens.get(at).is_some_and(|t| t == "::")
                    && tokens.get(at + 1).is_some_and(|t| t == "super")
                {
                    at += 1;
                }
            }
        }
        // `pub(super)` and `pub(in crate::x)` name no import; the former has no `::` behind it.
        if tokens.get(at).is_some_and(|t| t == "::") {
            expand(&tokens, at + 1, &base, &mut found);
        }
    }
    found
}

/// Adds the path at `tokens[at]`, or each path of the group there; gives where it ends.
fn expand(
    tokens: &[String],
    mut at: usize,
    base: &[String],
    found: &mut BTreeSet<Vec<String>>,
) -> usize {
    let mut path = base.to_vec();
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while tokens.get(at).is_some_and(|t| t != "}") {
                    at = expand(tokens, at, &path, found);
                    while tokens.get(at).is_some_and(|t| t != "," && t != "}") {
                        at += 1;
                    }
                    at += usize::from(tokens.get(at).is_some_and(|t| t == ","));
                }
                return at + 1;
            }
            Some("self") if path.len() > base.len() || !base.is_empty() => {
                at += 1;
            }
            Some(name) if is_name(name) || name == "*" => {
                path.push(name.to_owned());
                at += 1;
            }
            _ => return at,
        }
        if tokens.get(at).is_some_and(|t| t == "::") {
            at += 1;
        } else {
            path.truncate(2);
            found.insert(path);
            return at;
        }
    }
}

/// Names, `::`, and single other characters; the content of string literals is left out.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() || c == '_' {
            let mut name = String::from(c);
            while let Some(next) = chars.next_if(|n| n.is_alphanumeric() || *n == '_') {
                name.push(next);
            }
            tokens.push(name);
        } else if c == ':' && chars.next_if_eq(&':').is_some() {
            tokens.push("::".to_owned());
        } else if c == '"' {
            while let Some(inner) = chars.next() {
                match inner {
                    '\\' => drop(chars.next()),
                    '"' => break,
                    _ => {}
                }
            }
        } else if c == '\'' && chars.peek() == Some(&'"') {
            chars.next();
        } else if !c.is_whitespace() {
            tokens.push(c.to_string());
        }
    }
    tokens
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
