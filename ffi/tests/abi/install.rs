//! What `make install` leaves behind.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::programs::static_flags;
use crate::rules::Header;
use crate::support::{self, pkg_config, prefix, run, scratch, stdout, tree};

/// The symbols of the header in the form of a linker's version script: the list of what the ABI promises.
fn version_script(names: impl Iterator<Item = String>) -> String {
    let mut script = String::from(
        "# What the shared library exports, and since when. Written by `FERRION_BLESS=1 cargo test -p ferrion-ffi`\n\
         # from include/ferrion.h. A name that was released never goes, and later names get a version of their own.\n\
         FERRION_0.1 {\nglobal:\n",
    );
    for name in names {
        script += &format!("    {name};\n");
    }
    script + "local:\n    *;\n};\n"
}

/// The committed list; written first if `FERRION_BLESS` is in the environment.
pub(crate) fn committed_list() -> String {
    let path = tree().join("ffi/ferrion.map");
    if support::bless() {
        fs::write(&path, fresh_list()).expect("ffi/ferrion.map can be written");
    }
    fs::read_to_string(&path).unwrap_or_default()
}

fn fresh_list() -> String {
    let names: BTreeSet<String> = Header::read()
        .functions
        .into_iter()
        .map(|f| f.name)
        .collect();
    version_script(names.into_iter())
}

#[test]
fn the_list_of_exports_is_committed() {
    assert_eq!(
        committed_list(),
        fresh_list(),
        "run `FERRION_BLESS=1 cargo test -p ferrion-ffi` and look at what it changes"
    );
}

#[test]
fn the_shared_library_exports_the_header_with_versions_and_nothing_else() {
    let library = prefix().join("lib/libferrion.so");
    let symbols = stdout(
        Command::new("nm")
            .args(["-D", "--defined-only"])
            .arg(&library),
    );
    let exported: BTreeSet<String> = symbols
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .filter(|name| *name != "FERRION_0.1")
        .map(str::to_owned)
        .collect();
    let declared: BTreeSet<String> = Header::read()
        .functions
        .iter()
        .map(|f| format!("{}@@FERRION_0.1", f.name))
        .collect();
    assert_eq!(exported, declared);
}

#[test]
fn the_shared_library_has_its_soname() {
    let dynamic = stdout(
        Command::new("readelf")
            .arg("-d")
            .arg(prefix().join("lib/libferrion.so")),
    );
    assert!(
        dynamic.contains("Library soname: [libferrion.so.0]"),
        "{dynamic}"
    );
    assert!(prefix().join("lib/libferrion.so.0").exists());
}

#[test]
fn both_headers_and_their_reference_are_installed_as_they_are_in_the_tree() {
    for (place, name) in [
        ("include/ferrion.h", "include/ferrion.h"),
        ("include/ferrion.hpp", "include/ferrion.hpp"),
        ("share/doc/ferrion/reference.md", "docs/reference.md"),
    ] {
        let [installed, source] = [prefix().join(place), tree().join(name)]
            .map(|file| fs::read_to_string(file).expect(name));
        assert!(installed == source, "{name}");
    }
}

#[test]
fn a_program_builds_by_pkg_config_against_either_library() {
    let place = scratch("install");
    let source = place.join("version.c");
    fs::write(
        &source,
        r#"#include <ferrion.h>
           #include <string.h>
           int main(void) {
             if (strcmp(ferrion_version(), FERRION_VERSION) != 0) return 1;
             if (ferrion_version_number() != FERRION_VERSION_NUMBER) return 2;
             if (strcmp(ferrion_status_name(FERRION_TIMEOUT), "FERRION_TIMEOUT") != 0) return 3;
             if (strcmp(ferrion_status_name(12345), "FERRION_UNKNOWN_STATUS") != 0) return 4;
             return 0;
           }"#,
    )
    .expect("a source file");
    assert_eq!(pkg_config(&["--modversion"]), [env!("CARGO_PKG_VERSION")]);

    let shared = place.join("shared");
    run(Command::new("cc")
        .arg(&source)
        .arg("-o")
        .arg(&shared)
        .args(pkg_config(&["--cflags", "--libs"])));
    run(Command::new(&shared).env("LD_LIBRARY_PATH", prefix().join("lib")));

    let fixed = place.join("static");
    run(Command::new("cc")
        .arg(&source)
        .arg("-o")
        .arg(&fixed)
        .args(static_flags()));
    run(&mut Command::new(&fixed));
}

#[test]
fn the_program_in_the_readme_builds() {
    let readme = fs::read_to_string(tree().join("README.md")).expect("README.md");
    let (_, rest) = readme.split_once("```c\n").expect("a program in C");
    let (program, _) = rest.split_once("```").expect("its end");
    let source = scratch("install").join("readme.c");
    fs::write(&source, program).expect("a source file");
    run(Command::new("cc")
        .args([
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-o",
        ])
        .arg(source.with_extension(""))
        .arg(&source)
        .args(pkg_config(&["--cflags", "--libs"])));
}
