//! The Python package: `pip install` compiles it, and its own tests pass against what was installed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::pki;
use crate::support::{BUILD_DIR, bounded_to, build_dir, run, scratch, tree};

/// Packages are built one at a time: they share a folder to build in.
pub(crate) static BUILDING: Mutex<()> = Mutex::new(());

/// The Python that is there without any of this.
pub(crate) fn system_python() -> std::ffi::OsString {
    std::env::var_os("FERRION_TEST_PYTHON").unwrap_or_else(|| "python3".into())
}

/// The Python of a virtual environment that has the package, built by pip as a user would, once for all tests.
pub(crate) fn installed() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(install)
}

fn install() -> PathBuf {
    let environment = scratch("python").join("venv");
    let python = environment.join("bin/python");
    if !python.exists() {
        run(Command::new(system_python())
            .args(["-m", "venv"])
            .arg(&environment));
    }
    let _building = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
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
        .env("FERRION_TARGET", scratch("build"))
        .env(BUILD_DIR, build_dir()));
    python
}

#[test]
fn the_package_installs_by_pip_and_passes_its_tests() {
    let output = run(bounded_to(900, installed())
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
