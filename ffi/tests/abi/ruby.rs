//! The Ruby gem: it is built, installed over the installed library, and its own tests pass against what was installed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::{bounded, prefix, run, scratch, tree};

/// A fresh folder of gems that has this one, built and installed as a user would, once for all tests.
pub(crate) fn installed() -> &'static Path {
    static GEMS: OnceLock<PathBuf> = OnceLock::new();
    GEMS.get_or_init(install)
}

fn install() -> PathBuf {
    let place = scratch("ruby");
    let gems = place.join("gems");
    if gems.exists() {
        std::fs::remove_dir_all(&gems).expect("the gems of an earlier run can be removed");
    }
    let gem = place.join("ferrion.gem");
    run(Command::new("make")
        .arg("--no-print-directory")
        .arg("-C")
        .arg(tree().join("bindings/ruby"))
        .arg(format!("GEM={}", gem.display()))
        // The jobs of a surrounding make are not ours to share.
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL"));
    run(bounded("gem")
        .args(["install", "--local", "--no-document", "--norc"])
        .arg(&gem)
        .env("GEM_HOME", &gems)
        .env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"))
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL"));
    gems
}

#[test]
fn the_gem_installs_and_passes_its_tests() {
    let output = run(bounded("ruby")
        .args(["-w", "-e", "ARGV.each { |test| load test }"])
        .args(tests())
        .env("GEM_HOME", installed())
        .env_remove("RUBYLIB")
        .env_remove("RUBYOPT"));
    let report = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        report.contains(" 0 failures, 0 errors, 0 skips"),
        "{report}{complaints}"
    );
    assert_eq!(complaints, "", "Ruby warns");
}

/// The files of tests.
fn tests() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(tree().join("bindings/ruby/test")).expect("the tests");
    let mut tests: Vec<PathBuf> = folder
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with("_test.rb"))
        .collect();
    tests.sort();
    assert!(!tests.is_empty(), "there are tests");
    tests
}
