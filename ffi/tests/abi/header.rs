//! `include/ferrion.h` is what the sources say, and every compiler takes it.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use crate::reference;
use crate::support::{self, run, scratch, tree};

fn generate() -> String {
    let here = env!("CARGO_MANIFEST_DIR");
    let mut config =
        cbindgen::Config::from_file(format!("{here}/cbindgen.toml")).expect("cbindgen.toml");
    config.header = Some(fs::read_to_string(format!("{here}/preamble.h")).expect("preamble.h"));
    config.after_includes = Some(format!("\n{}", ferrion_ffi::version::constants()));
    let mut text = Vec::new();
    cbindgen::Builder::new()
        .with_crate(here)
        .with_config(config)
        .generate()
        .expect("sources that cbindgen understands")
        .write(&mut text);
    String::from_utf8(text).expect("text")
}

/// The committed header. With `FERRION_BLESS` in the environment it is written first, before any test looks, and the page
/// about it too.
pub(crate) fn committed() -> &'static str {
    static HEADER: OnceLock<String> = OnceLock::new();
    HEADER.get_or_init(|| {
        let path = tree().join("include/ferrion.h");
        if support::bless() {
            let header = generate();
            fs::write(&path, &header).expect("include/ferrion.h can be written");
            reference::bless(&header);
        }
        fs::read_to_string(path).unwrap_or_default()
    })
}

#[test]
fn the_header_is_what_the_sources_say() {
    assert!(
        committed() == generate(),
        "include/ferrion.h is not what the sources say: run `FERRION_BLESS=1 cargo test -p ferrion-ffi` and commit it"
    );
}

#[test]
fn every_compiler_takes_it_without_a_warning() {
    assert!(!committed().is_empty());
    let place = scratch("header");
    for (language, standards) in [
        ("c", &["c99", "c11", "c17"][..]),
        ("c++", &["c++11", "c++17"][..]),
    ] {
        for standard in standards {
            let source = place.join(format!("include.{standard}.{language}"));
            fs::write(&source, "#include <ferrion.h>\n#include <ferrion.h>\nint main(void) { return FERRION_OK; }\n")
                .expect("a source file");
            run(Command::new("cc")
                .args(["-x", language, &format!("-std={standard}"), "-fsyntax-only"])
                .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"])
                .arg(tree().join("include"))
                .arg(&source));
        }
    }
}
