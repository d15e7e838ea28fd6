//! The core of the Messenger decides and the driver acts: no source file of the core names a socket, a thread, a clock or
//! the driver. `ARCHITECTURE.md` says why.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What the core may not name. Addresses of `std::net` are values and allowed.
const FORBIDDEN: &[&str] = &[
    "crate::driver",
    "crate::messenger",
    "mio::",
    "TcpStream",
    "TcpListener",
    "ToSocketAddrs",
    "std::io",
    "std::fs",
    "std::env",
    "std::thread",
    "std::sync",
    "Instant",
    "SystemTime",
];

#[test]
fn the_core_names_nothing_of_the_world() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core");
    let mut files = 0;
    for entry in fs::read_dir(&core).expect("the sources of the core") {
        let path = entry.expect("a readable entry").path();
        let text = fs::read_to_string(&path).expect("a readable source file");
        files += 1;
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for name in FORBIDDEN {
                assert!(
                    !code.contains(name),
                    "{}:{}: the core names {name}",
                    path.display(),
                    number + 1
                );
            }
        }
    }
    assert!(files > 0, "no source files in {}", core.display());
}

/// The names of the modules in a folder of sources, tests apart.
fn modules(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(folder)).expect("a folder of sources");
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    let names = paths.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    names
        .filter(|name| !matches!(name.as_str(), "lib" | "main" | "mod"))
        .filter(|name| !name.ends_with("_tests"))
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What stands between two backquotes.
fn quoted(text: &str) -> BTreeSet<String> {
    let mut pieces = text.split('`');
    let mut found = BTreeSet::new();
    while let (Some(_), Some(name)) = (pieces.next(), pieces.next()) {
        found.insert(name.to_owned());
    }
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("a readable file")
}

#[test]
fn the_table_of_the_core_has_each_of_its_files_and_no_other() {
    let source = read("messenger/src/core/mod.rs");
    let rows = source.lines().filter(|line| line.starts_with("//! | `"));
    let first = rows.filter_map(|row| row.split('|').nth(1));
    let named: BTreeSet<String> = first.flat_map(quoted).collect();
    assert_eq!(named, modules("messenger/src/core"));
}

#[test]
fn architecture_md_has_each_module_and_no_other() {
    let page = read("ARCHITECTURE.md");
    let section = |title: &str| {
        let (_, rest) = page.split_once(title).expect("the section");
        rest.split("\n### ").next().unwrap_or_default().to_owned()
    };
    let in_table = |title: &str| -> BTreeSet<String> {
        let section = section(title);
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let first = rows.filter_map(|row| row.split('|').nth(1));
        first.flat_map(quoted).collect()
    };
    assert_eq!(in_table("### engine/"), modules("engine/src"));
    let mut messenger = modules("messenger/src");
    for part in ["core", "driver"] {
        let inner = modules(&format!("messenger/src/{part}"));
        messenger.extend(inner.iter().map(|name| format!("{part}::{name}")));
    }
    // What its table has instead.
    messenger.remove("core");
    assert_eq!(in_table("### messenger/"), messenger);
    let command = quoted(&section("### cli/"));
    let missing: Vec<String> = modules("cli/src").difference(&command).cloned().collect();
    assert!(missing.is_empty(), "{missing:?}");
}
