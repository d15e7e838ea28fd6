//! Places in the source tree, and running the tools of a C user.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::install;

/// The root of the source tree.
pub(crate) fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Whether what is generated and committed is to be written, not compared.
pub(crate) fn bless() -> bool {
    std::env::var_os("FERRION_BLESS").is_some()
}

/// A place of this test's own under `target/`.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&place).expect("a folder under target/");
    place
}

/// The files of a folder and of the folders in it.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// Runs a command that must succeed; shows what it said if it does not.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

/// A command that is ended, and so fails, if it takes longer than any machine needs for it.
pub(crate) fn bounded(program: impl AsRef<OsStr>) -> Command {
    bounded_to(300, program)
}

/// The same with another number of seconds.
pub(crate) fn bounded_to(seconds: u32, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.arg(seconds.to_string()).arg(program);
    command
}

/// What a command printed.
pub(crate) fn stdout(command: &mut Command) -> String {
    String::from_utf8(run(command).stdout).expect("text")
}

/// Names the folder for what cargo compiles on the way to what was asked for.
pub(crate) const BUILD_DIR: &str = "CARGO_BUILD_BUILD_DIR";

/// Where this program was compiled: most of what the libraries need is there already. What comes out of a build goes to a folder
/// of its own, so that one with a feature more is not taken for the one that others install.
pub(crate) fn build_dir() -> &'static Path {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().expect("it is in the target folder")
}

/// Installs ferrion as `make install` does, once for all tests, and gives the prefix.
pub(crate) fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        // The recipe reads the list of exports.
        install::committed_list();
        let prefix = scratch("prefix");
        run(Command::new("make")
            .current_dir(tree())
            .args([
                "--no-print-directory",
                "-f",
                "ffi/install.mk",
                "install-library",
            ])
            .arg(format!("CARGO={}", env!("CARGO")))
            .arg("FERRION_PROFILE=dev")
            .arg(format!("FERRION_TARGET={}", scratch("build").display()))
            .arg(format!("PREFIX={}", prefix.display()))
            .env(BUILD_DIR, build_dir())
            // The jobs of a surrounding make are not ours to share.
            .env_remove("MAKEFLAGS")
            .env_remove("MAKELEVEL"));
        prefix
    })
}

/// The static library with the feature `testing`, built once for all tests.
pub(crate) fn library_for_testing() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        // All but this crate is built then.
        prefix();
        let target = scratch("testing");
        run(Command::new(env!("CARGO"))
            .current_dir(tree())
            .args(["build", "--locked", "--profile", "dev", "-p", "ferrion-ffi"])
            .args(["--lib", "--features", "testing", "--target-dir"])
            .arg(&target)
            .env(BUILD_DIR, build_dir()));
        target.join("debug/libferrion_ffi.a")
    })
}

/// `pkg-config` that knows the installed ferrion.
pub(crate) fn pkg_config(arguments: &[&str]) -> Vec<String> {
    let flags = stdout(
        Command::new("pkg-config")
            .args(arguments)
            .arg("ferrion")
            .env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig")),
    );
    flags.split_whitespace().map(str::to_owned).collect()
}
