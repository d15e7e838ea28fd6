//! Programs in C, built against the installed library and run under the sanitizers.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{bounded, pkg_config, run, scratch, stdout, tree};

/// Builds a program against the static library, with AddressSanitizer and UndefinedBehaviorSanitizer, and makes sure that
/// they are really on.
pub(crate) fn build(source: &Path, more: &[&str]) -> PathBuf {
    let on = ["__asan_init", "__ubsan_handle"];
    build_under("address,undefined", &on, source, more)
}

/// The same with ThreadSanitizer.
pub(crate) fn build_with_threads(source: &Path) -> PathBuf {
    build_under("thread", &["__tsan_init"], source, &["-pthread"])
}

fn build_under(sanitizers: &str, on: &[&str], source: &Path, more: &[&str]) -> PathBuf {
    let name = source.file_stem().expect("a file name");
    let program = scratch("programs").join(name);
    let flags = pkg_config(&["--cflags", "--libs", "--static"]);
    let flags = flags.iter().map(|flag| {
        if flag == "-lferrion" {
            "-l:libferrion.a"
        } else {
            flag.as_str()
        }
    });
    run(Command::new("cc")
        .args([
            "-std=c99",
            "-D_POSIX_C_SOURCE=200809L",
            "-g",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
        ])
        .args([
            &format!("-fsanitize={sanitizers}"),
            "-fno-sanitize-recover=all",
            "-fno-omit-frame-pointer",
        ])
        .arg("-o")
        .arg(&program)
        .arg(source)
        .args(more)
        .args(flags));
    let symbols = stdout(Command::new("nm").arg(&program));
    for symbol in on {
        assert!(
            symbols.contains(symbol),
            "{} runs without {sanitizers}: it has no {symbol}",
            program.display()
        );
    }
    program
}

fn test_program(name: &str) {
    run(&mut bounded(build(
        &tree().join("ffi/tests/c").join(name),
        &[],
    )));
}

#[test]
fn values_of_every_type() {
    test_program("value.c");
}

#[test]
fn messages_with_every_section() {
    test_program("message.c");
}

#[test]
fn two_engines_in_memory() {
    test_program("engine.c");
}

#[test]
fn logins_through_the_engine() {
    test_program("engine_sasl.c");
}

#[test]
fn links_that_outlive_their_connection() {
    test_program("engine_recovery.c");
}

#[test]
fn messengers_over_loopback() {
    test_program("messenger.c");
}

#[test]
fn batches_and_messages_sent_on() {
    test_program("batch.c");
}

#[test]
fn requests_and_replies() {
    test_program("request.c");
}

#[test]
fn messengers_in_a_loop_around_poll() {
    test_program("passive.c");
}

#[test]
fn connections_made_again() {
    test_program("reconnect.c");
}

#[test]
fn the_examples_talk_to_each_other() {
    let recv = build(&tree().join("bindings/c/recv.c"), &[]);
    let send = build(&tree().join("bindings/c/send.c"), &[]);
    let texts = ["Hello World!", "", "Grüße"];

    let mut receiving = bounded(recv)
        .args(["~127.0.0.1:0", "3"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("recv runs");
    let mut printed = BufReader::new(receiving.stdout.take().expect("a pipe")).lines();
    let mut line = || printed.next().expect("a line").expect("text");
    let first = line();
    let port = first
        .strip_prefix("listening on port ")
        .expect("the port comes first");

    let sent = stdout(
        bounded(send)
            .arg(format!("127.0.0.1:{port}/greetings"))
            .args(texts),
    );
    assert_eq!(
        sent,
        "Hello World!: accepted\n: accepted\nGrüße: accepted\n"
    );
    for text in texts {
        assert_eq!(line(), text);
    }
    assert!(receiving.wait().expect("recv ends").success());
}
