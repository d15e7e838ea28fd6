//! `include/ferrion.hpp`, the owners of the header's objects in C++: whether it is whole, and programs that use it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::{greetings_arrive, sanitized, static_flags};
use crate::rules::Header;
use crate::support::{bounded, run, scratch, tree};

/// The oldest and the newest C++ that the header is for.
const STANDARDS: [&str; 2] = ["c++11", "c++20"];

fn header() -> String {
    fs::read_to_string(tree().join("include/ferrion.hpp")).expect("include/ferrion.hpp")
}

/// Builds a program in C++ against the static library, with every warning as an error and with AddressSanitizer and
/// UndefinedBehaviorSanitizer in it.
pub(crate) fn build(source: &Path, standard: &str) -> PathBuf {
    let name = source.file_stem().expect("a file name");
    let program = scratch(standard).join(name);
    run(Command::new("c++")
        .arg(format!("-std={standard}"))
        .args(["-g", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow"])
        .args(["-Wconversion", "-Werror"])
        .args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"])
        .arg("-fno-omit-frame-pointer")
        .arg("-o")
        .arg(&program)
        .arg(source)
        .args(static_flags()));
    sanitized(&program, &["__asan_init", "__ubsan_handle"]);
    program
}

fn test_program(name: &str) {
    let source = tree().join("ffi/tests/cpp").join(name);
    for standard in STANDARDS {
        run(&mut bounded(build(&source, standard)));
    }
}

#[test]
fn in_cpp_owners_move_errors_are_thrown_and_values_and_messages_are_whole() {
    test_program("values.cpp");
}

#[test]
fn in_cpp_engines_talk_in_memory_and_messengers_over_loopback() {
    test_program("peers.cpp");
}

#[test]
fn the_examples_in_cpp_talk_to_each_other() {
    for standard in STANDARDS {
        let [send, recv] = ["send.cpp", "recv.cpp"]
            .map(|name| build(&tree().join("bindings/cpp").join(name), standard));
        greetings_arrive(&send, &recv);

        // What is thrown ends at their `main`, and says what is wrong.
        for (program, place) in [(&send, "nowhere:port/x"), (&recv, "~nowhere:port")] {
            let output = bounded(program)
                .args([place, "1"])
                .output()
                .expect("it runs");
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains("(FERRION_ADDRESS)"), "{said}");
        }
    }
}

#[test]
fn the_program_in_cpp_of_the_page_builds() {
    let page = fs::read_to_string(tree().join("docs/c.md")).expect("docs/c.md");
    let (_, rest) = page.split_once("```cpp\n").expect("a program in C++");
    let (program, _) = rest.split_once("```").expect("its end");
    let source = scratch("c++11").join("page.cpp");
    fs::write(&source, program).expect("a source file");
    build(&source, "c++11");
}

#[test]
fn every_opaque_type_has_an_owner_in_cpp() {
    let cpp = header();
    let header = Header::read();
    let roots: Vec<&str> = header.roots().collect();
    assert!(roots.len() > 10, "{roots:?}");
    for root in roots {
        let free = root.replace("_t", "_free");
        // What frees is named where the type is owned, and nowhere else.
        let owners = cpp.matches(&format!("{free}>")).count();
        assert!(
            cpp.contains(&format!("<{root},")) && owners == 1,
            "ferrion.hpp has no owner of {root}"
        );
    }
}

/// Names of the functions that the classes of `ferrion.hpp` have.
fn functions(cpp: &str) -> Vec<&str> {
    cpp.lines()
        .take_while(|line| !line.starts_with("inline Link Engine"))
        .scan(true, |public, line| {
            match line {
                " public:" => *public = true,
                " private:" | " protected:" => *public = false,
                _ if line.starts_with("class ") => *public = true,
                _ => {}
            }
            Some((*public, line))
        })
        .filter_map(|(public, line)| public.then_some(line.strip_prefix("  ")?))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
        .filter(|line| !line.starts_with("explicit") && !line.starts_with("friend"))
        .filter(|line| !line.starts_with("using") && !line.starts_with("template"))
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '&', '*']).next())
        // What has the name of its class makes it; what is `operator` is called without a name.
        .filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter(|name| !name.starts_with("operator") && !name.is_empty())
        .collect()
}

#[test]
fn every_function_of_the_owners_is_called_by_a_program() {
    let programs: String = ["values.cpp", "peers.cpp"]
        .map(|name| fs::read_to_string(tree().join("ffi/tests/cpp").join(name)).expect(name))
        .concat();
    let cpp = header();
    let names = functions(&cpp);
    assert!(names.len() > 150, "{names:?}");
    let missing: Vec<&str> = names
        .into_iter()
        .filter(|name| {
            ["::", ".", "->"]
                .iter()
                .all(|before| !programs.contains(&format!("{before}{name}(")))
        })
        .collect();
    assert!(
        missing.is_empty(),
        "no program in ffi/tests/cpp calls {missing:?}"
    );
}
