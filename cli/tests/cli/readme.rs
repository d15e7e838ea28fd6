//! What README.md shows is true: its message travels, its scripts are in the language they say they are.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{ferrion, listen, temporary_file};

const README: &str = include_str!("../../../README.md");

/// The text between the lines "```language" and "```".
fn block(language: &str) -> &'static str {
    let open = format!("\n```{language}\n");
    let begin = README
        .find(&open)
        .unwrap_or_else(|| panic!("no {language} in README.md"))
        + open.len();
    let length = README[begin..]
        .find("\n```\n")
        .expect("the end of the block");
    &README[begin..=begin + length]
}

#[test]
fn the_message_in_json_is_sent_and_comes_out_as_it_is_written() {
    let (receiver, address) = listen(&["-n", "1", "--json"]);
    let file = temporary_file("readme.json", block("json").as_bytes());
    let file = file.to_str().expect("a plain path");
    let sent = ferrion(["send", "--json", "--file", &address, file]).run();
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let received: serde_json::Value =
        serde_json::from_str(&receiver.finish().stdout).expect("JSON");
    let mut written: serde_json::Value = serde_json::from_str(block("json")).expect("JSON");
    written["properties"]["to"] = address.into();
    assert_eq!(received, written);
}

#[test]
fn the_c_program_compiles_without_a_warning() {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include");
    let mut compiler = Command::new("cc")
        .args([
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-fsyntax-only",
            "-x",
            "c",
            "-",
            "-I",
        ])
        .arg(include)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a C compiler");
    let mut stdin = compiler.stdin.take().expect("a piped standard input");
    stdin
        .write_all(block("c").as_bytes())
        .expect("a compiler that reads");
    drop(stdin);
    let compiled = compiler.wait_with_output().expect("a compiler that ends");
    assert!(
        compiled.status.success(),
        "{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
}

#[test]
fn the_python_script_parses() {
    let python = std::env::var_os("FERRION_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let parsed = Command::new(python)
        .args([
            "-c",
            "import ast, sys; ast.parse(sys.argv[1])",
            block("python"),
        ])
        .stdin(Stdio::null())
        .output()
        .expect("a Python");
    assert!(
        parsed.status.success(),
        "{}",
        String::from_utf8_lossy(&parsed.stderr)
    );
}
