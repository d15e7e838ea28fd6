//! The Python package: `pip install` compiles it, and its own tests pass against what was installed.

use std::path::PathBuf;
use std::process::Command;

use crate::pki;
use crate::support::{bounded, run, scratch, tree};

/// The Python of a fresh virtual environment that has the package, built by pip as a user would.
fn installed() -> PathBuf {
    let environment = scratch("python").join("venv");
    let python = environment.join("bin/python");
    if !python.exists() {
        let system = std::env::var_os("FERRION_TEST_PYTHON").unwrap_or_else(|| "python3".into());
        run(Command::new(system).args(["-m", "venv"]).arg(&environment));
    }
    run(Command::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--force-reinstall",
        ])
        .arg(tree().join("bindings/python"))
        .env("CARGO", env!("CARGO"))
        .env("FERRION_PROFILE", "dev")
        // Where the C programs get their library from too: it is built once.
        .env("FERRION_TARGET", scratch("build")));
    python
}

#[test]
fn the_package_installs_by_pip_and_passes_its_tests() {
    let output = run(bounded(installed())
        .args([
            "-X",
            "dev",
            "-m",
            "unittest",
            "discover",
            "--verbose",
            "--start-directory",
        ])
        .arg(tree().join("bindings/python/tests"))
        .env("FERRION_TEST_PKI", pki::folder())
        .env_remove("PYTHONPATH"));
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(report.contains("\nOK"), "{report}");
    // What was skipped is told, but is no failure.
    for line in report.lines().filter(|line| line.contains("skipped")) {
        println!("{line}");
    }
}
