//! The Perl distribution: it is packed, built from what was packed over the installed library, installed, and passes its own tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::pki;
use crate::support::{bounded, prefix, run, scratch, sources, tree};

/// The folder of sources, which MANIFEST lists.
fn folder() -> PathBuf {
    tree().join("bindings/perl")
}

/// What MANIFEST lists, but for what SWIG makes.
fn listed() -> Vec<String> {
    let manifest = fs::read_to_string(folder().join("MANIFEST")).expect("MANIFEST");
    let files = manifest.lines().filter(|line| *line != "abi_wrap.c");
    files.map(str::to_owned).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().expect("a folder")).expect("a folder under target/");
    fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}

/// A command in a folder, away from a surrounding make and from other modules.
fn at(folder: &Path, mut command: Command) -> Command {
    command
        .current_dir(folder)
        .env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"))
        .env("LC_ALL", "C.UTF-8");
    for name in [
        "MAKEFLAGS",
        "MAKELEVEL",
        "PERL5LIB",
        "PERL5OPT",
        "PERL_MM_OPT",
    ] {
        command.env_remove(name);
    }
    command
}

fn perl(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = bounded("perl");
    command.args(arguments);
    at(folder, command)
}

fn make(folder: &Path, goal: &str) -> Command {
    let mut command = bounded("make");
    command.args(["--no-print-directory", goal]);
    at(folder, command)
}

/// The distribution as it is packed, built from that and installed as a user would, once for all tests.
#[derive(Debug)]
pub(crate) struct Installed {
    /// Where it was built.
    packed: PathBuf,
    /// Where Perl finds the modules.
    pub(crate) library: PathBuf,
}

pub(crate) fn installed() -> &'static Installed {
    static INSTALLED: OnceLock<Installed> = OnceLock::new();
    INSTALLED.get_or_init(install)
}

fn install() -> Installed {
    let place = scratch("perl");
    fs::remove_dir_all(&place).expect("an earlier run can be removed");
    let copied = place.join("bindings/perl");
    for file in listed() {
        copy(&folder().join(&file), &copied.join(&file));
    }
    for file in [
        "bindings/at_once.i",
        "bindings/ferrion.i",
        "include/ferrion.h",
    ] {
        copy(&tree().join(file), &place.join(file));
    }
    run(&mut perl(&copied, &["Makefile.PL"]));
    run(&mut make(&copied, "distdir"));

    // What was packed needs neither SWIG nor the sources of ferrion.
    let packed = place.join("packed");
    let version = env!("CARGO_PKG_VERSION");
    fs::rename(copied.join(format!("Ferrion-{version}")), &packed).expect("what was packed");
    let installed = place.join("installed");
    let base = format!("INSTALL_BASE={}", installed.display());
    run(&mut perl(&packed, &["Makefile.PL", &base]));
    // Nothing that cannot be made again is cleaned away.
    run(&mut make(&packed, "clean"));
    run(&mut perl(&packed, &["Makefile.PL", &base]));
    run(&mut make(&packed, "all"));
    run(&mut make(&packed, "install"));
    Installed {
        packed,
        library: installed.join("lib/perl5"),
    }
}

#[test]
fn the_distribution_passes_its_tests_where_it_was_built_and_is_found_where_it_is_installed() {
    let Installed { packed, library } = installed();
    let pages = ["docs/perl.md", "README.md"].map(|page| tree().join(page));
    let output = run(make(packed, "test")
        .env("HARNESS_PERL_SWITCHES", "-w")
        .env("FERRION_TEST_PKI", pki::folder())
        .env(
            "FERRION_PAGES",
            std::env::join_paths(pages).expect("no colons"),
        ));
    let report = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        report.contains("All tests successful") && !report.contains("skipped"),
        "{report}{complaints}"
    );
    assert_eq!(complaints, "", "Perl warns");

    let script = "use Ferrion; print Ferrion::Messenger->new('installed')->name";
    let output = run(perl(&scratch("perl"), &["-w", "-e", script]).env("PERL5LIB", library));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "installed");
}

#[test]
fn the_manifest_lists_every_file() {
    let listed = listed();
    for part in ["lib", "t", "examples"] {
        for file in sources(&folder().join(part)) {
            let name = file.strip_prefix(folder()).expect("a file in the folder");
            let name = name.to_string_lossy();
            assert!(listed.iter().any(|file| *file == name), "{name}");
        }
    }
}

#[test]
fn the_documentation_of_the_modules_is_well_formed() {
    for file in sources(&folder().join("lib")) {
        let text = fs::read_to_string(&file).expect("a module");
        if text.contains("\n=head1 ") {
            run(bounded("podchecker").arg("-warnings").arg(&file));
        }
    }
}
