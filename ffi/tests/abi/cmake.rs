//! What CMake finds of the installed library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{prefix, run, scratch, stdout};

/// A project that takes ferrion from `prefix`, configured and built.
fn project(name: &str, prefix: &Path, version: &str) -> (PathBuf, std::process::Output) {
    let place = scratch("cmake").join(name);
    fs::create_dir_all(&place).expect("a folder");
    fs::write(
        place.join("CMakeLists.txt"),
        format!(
            "cmake_minimum_required(VERSION 3.13)\n\
             project(user LANGUAGES C)\n\
             find_package(ferrion {version} REQUIRED CONFIG)\n\
             add_executable(shared user.c)\n\
             target_link_libraries(shared PRIVATE ferrion::ferrion)\n\
             add_executable(fixed user.c)\n\
             target_link_libraries(fixed PRIVATE ferrion::ferrion-static)\n"
        ),
    )
    .expect("CMakeLists.txt");
    fs::write(
        place.join("user.c"),
        "#include <ferrion.h>\n#include <stdio.h>\nint main(void) { return puts(ferrion_version()) < 0; }\n",
    )
    .expect("user.c");
    let build = place.join("build");
    let configured = Command::new("cmake")
        .arg("-S")
        .arg(&place)
        .arg("-B")
        .arg(&build)
        .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()))
        // What an earlier run found is not what is there now.
        .arg("-Uferrion_DIR")
        .output()
        .expect("cmake");
    (build, configured)
}

fn builds_and_runs(build: &Path) {
    run(Command::new("cmake").arg("--build").arg(build));
    for program in ["shared", "fixed"] {
        let said = stdout(&mut Command::new(build.join(program)));
        assert_eq!(said.trim(), env!("CARGO_PKG_VERSION"), "{program}");
    }
    let linked = stdout(Command::new("readelf").arg("-d").arg(build.join("shared")));
    assert!(linked.contains("libferrion.so.0"), "{linked}");
    let linked = stdout(Command::new("readelf").arg("-d").arg(build.join("fixed")));
    assert!(!linked.contains("libferrion"), "{linked}");
}

#[test]
fn a_program_builds_by_cmake_against_either_library() {
    let (build, configured) = project("plain", prefix(), env!("CARGO_PKG_VERSION"));
    assert!(configured.status.success(), "{configured:?}");
    builds_and_runs(&build);
}

#[test]
fn cmake_finds_a_prefix_that_was_moved() {
    let moved = scratch("cmake").join("moved");
    run(Command::new("rm").arg("-rf").arg(&moved));
    run(Command::new("cp").arg("-a").arg(prefix()).arg(&moved));
    let (build, configured) = project("relocated", &moved, "");
    assert!(configured.status.success(), "{configured:?}");
    builds_and_runs(&build);
    let cache = fs::read_to_string(build.join("CMakeCache.txt")).expect("the cache");
    assert!(cache.contains(&format!("{}/lib/cmake/ferrion", moved.display())));
}

#[test]
fn cmake_does_not_take_a_version_that_is_too_old_or_of_another_abi() {
    for version in ["0.99", "1.0"] {
        let (_, configured) = project("version", prefix(), version);
        assert!(!configured.status.success(), "{version}");
        let said = String::from_utf8_lossy(&configured.stderr);
        assert!(said.contains("compatible with requested"), "{said}");
    }
}
