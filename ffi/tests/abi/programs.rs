//! Programs in C, built against the installed library and run under the sanitizers.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use ferrion_tests::interop::free_port;

use crate::pki;
use crate::support::{bounded, library_for_testing, pkg_config, run, scratch, stdout, tree};

/// Builds a program against the static library, with AddressSanitizer and UndefinedBehaviorSanitizer, and makes sure that
/// they are really on.
pub(crate) fn build(source: &Path, more: &[&str]) -> PathBuf {
    let on = ["__asan_init", "__ubsan_handle"];
    build_under("address,undefined", &on, source, more)
}

/// The same against the library that has the feature `testing`.
pub(crate) fn build_for_testing(source: &Path, more: &[&str]) -> PathBuf {
    // The first of two libraries that have a symbol is the one that it is taken from.
    let library = library_for_testing().to_str().expect("a plain path");
    let more: Vec<&str> = more.iter().copied().chain([library]).collect();
    build(source, &more)
}

/// The same with ThreadSanitizer.
pub(crate) fn build_with_threads(source: &Path) -> PathBuf {
    build_under("thread", &["__tsan_init"], source, &["-pthread"])
}

fn build_under(sanitizers: &str, on: &[&str], source: &Path, more: &[&str]) -> PathBuf {
    static BUILDS: AtomicUsize = AtomicUsize::new(0);
    let name = source.file_stem().expect("a file name");
    // `bindings/c` and `ffi/tests/c` have programs of the same name, and tests run beside each other.
    let example = source.starts_with(tree().join("bindings"));
    let program = scratch(if example { "examples" } else { "programs" }).join(name);
    // Several tests may want one program at a time: it is there as a whole, or not yet.
    let number = BUILDS.fetch_add(1, Ordering::Relaxed);
    let built = program.with_extension(number.to_string());
    compile(
        source,
        &built,
        &[
            &format!("-fsanitize={sanitizers}"),
            "-fno-sanitize-recover=all",
            "-fno-omit-frame-pointer",
        ],
        more,
    );
    sanitized(&built, on);
    fs::rename(built, &program).expect("a program takes its place");
    program
}

/// Makes sure that what a sanitizer brings along is in a program.
pub(crate) fn sanitized(program: &Path, on: &[&str]) {
    let symbols = stdout(Command::new("nm").arg(program));
    for symbol in on {
        assert!(
            symbols.contains(symbol),
            "{} runs without its sanitizers: it has no {symbol}",
            program.display()
        );
    }
}

/// What a compiler needs to find the header and to link the static library.
pub(crate) fn static_flags() -> impl Iterator<Item = String> {
    let flags = pkg_config(&["--cflags", "--libs", "--static"]);
    flags.into_iter().map(|flag| {
        if flag == "-lferrion" {
            "-l:libferrion.a".to_owned()
        } else {
            flag
        }
    })
}

/// Builds a program against the static library, with warnings as errors.
fn compile(source: &Path, program: &Path, how: &[&str], more: &[&str]) {
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
        .args(how)
        .arg("-o")
        .arg(program)
        .arg(source)
        .args(more)
        .args(static_flags()));
}

fn test_program(name: &str) {
    test_program_with(name, &[]);
}

fn test_program_with(name: &str, arguments: &[&Path]) {
    let source = tree().join("ffi/tests/c").join(name);
    run(bounded(build(&source, &[])).args(arguments));
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
fn subscriptions_with_options() {
    test_program("subscribe.c");
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
fn certificates_passwords_and_websockets() {
    test_program_with("secure.c", &[pki::folder()]);
}

/// Builds a program as it is, and runs it under valgrind: no octet is used before it was written or after it was freed, and
/// none is left over.
fn under_valgrind(name: &str) {
    under_valgrind_with(name, "definite,indirect,possible");
}

/// The same, of what is left over only these kinds.
fn under_valgrind_with(name: &str, leaks: &str) {
    let source = tree().join("ffi/tests/c").join(name);
    let program = scratch("valgrind").join(name).with_extension("");
    compile(&source, &program, &["-O1"], &[]);
    let output = run(bounded("valgrind")
        .args([
            "--error-exitcode=99",
            "--leak-check=full",
            "--track-origins=yes",
        ])
        .arg(format!("--show-leak-kinds={leaks}"))
        .arg(format!("--errors-for-leak-kinds={leaks}"))
        .arg(program));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("Memcheck") && said.contains("ERROR SUMMARY: 0 errors"),
        "{said}"
    );
}

#[test]
fn valgrind_finds_nothing_in_messages() {
    under_valgrind("message.c");
}

#[test]
fn valgrind_finds_nothing_in_engines() {
    under_valgrind("engine.c");
}

#[test]
fn valgrind_finds_nothing_in_values() {
    under_valgrind("value.c");
}

#[test]
fn valgrind_finds_nothing_in_batches() {
    under_valgrind("batch.c");
}

#[test]
fn valgrind_finds_nothing_in_logins() {
    under_valgrind("engine_sasl.c");
}

#[test]
fn valgrind_finds_nothing_in_links_that_outlive_their_connection() {
    under_valgrind("engine_recovery.c");
}

#[test]
fn valgrind_finds_nothing_in_messengers() {
    // The C library keeps the stack of a thread that has ended for the next one, which looks as if it were lost, possibly.
    under_valgrind_with("messenger.c", "definite,indirect");
}

/// A program of `bindings` that listens, and prints on which port first: the process, what it prints next, and the port.
pub(crate) fn listening(
    program: &Path,
    address: &str,
    count: &str,
) -> (Child, impl Iterator<Item = String> + use<>, String) {
    let mut running = bounded(program)
        .args([address, count])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let lines = BufReader::new(running.stdout.take().expect("a pipe")).lines();
    let mut lines = lines.map(|line| line.expect("text"));
    let first = lines.next().expect("a line");
    let port = first.strip_prefix("listening on port ");
    let port = port.expect("the port comes first").to_owned();
    (running, lines, port)
}

/// Texts go from one example to the other, which listens.
pub(crate) fn greetings_arrive(send: &Path, recv: &Path) {
    let texts = ["Hello World!", "", "Grüße"];
    let (mut receiving, mut lines, port) = listening(recv, "~127.0.0.1:0", "3");
    let address = format!("127.0.0.1:{port}/greetings");
    let sent = stdout(bounded(send).arg(address).args(texts));
    assert_eq!(
        sent,
        "Hello World!: accepted\n: accepted\nGrüße: accepted\n"
    );
    for text in texts {
        assert_eq!(lines.next().as_deref(), Some(text));
    }
    assert!(receiving.wait().expect("recv ends").success());
}

#[test]
fn the_examples_talk_to_each_other_whoever_comes_first() {
    let send = build(&tree().join("bindings/c/send.c"), &[]);
    let recv = build(&tree().join("bindings/c/recv.c"), &[]);
    greetings_arrive(&send, &recv);

    // Nobody listens there until somebody does.
    let port = free_port();
    let sending = patient(&send, port);
    let (mut receiving, mut lines, _) = listening(&recv, &format!("~127.0.0.1:{port}"), "1");
    assert_eq!(lines.next().as_deref(), Some("patience"));
    arrived(sending);
    assert!(receiving.wait().expect("recv ends").success());

    // The program of the page listens without end, where this test finds a port.
    let port = free_port();
    let sending = patient(&send, port);
    let page = fs::read_to_string(tree().join("docs/c.md")).expect("docs/c.md");
    let (_, rest) = page.split_once("```c\n").expect("a program in C");
    let (program, _) = rest.split_once("```").expect("its end");
    let source = scratch("programs").join("page.c");
    let program = program.replace("~127.0.0.1", &format!("~127.0.0.1:{port}"));
    fs::write(&source, program).expect("a source file");
    let receiving = bounded(build(&source, &[]))
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    arrived(sending);
    // What bounds it hands this on.
    run(Command::new("kill").arg(receiving.id().to_string()));
    let said = receiving.wait_with_output().expect("it ended").stdout;
    assert_eq!(String::from_utf8_lossy(&said), "patience\n");
}

/// Sends to a port where somebody is to listen some time.
fn patient(send: &Path, port: u16) -> Child {
    bounded(send)
        .args([&format!("127.0.0.1:{port}/greetings"), "patience"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("send runs")
}

fn arrived(sending: Child) {
    let sent = sending.wait_with_output().expect("send ends");
    let said = String::from_utf8_lossy(&sent.stdout);
    assert_eq!(said, "patience: accepted\n");
}

#[test]
fn the_examples_ask_and_answer() {
    let request = build(&tree().join("bindings/c/request.c"), &[]);
    let serve = build(&tree().join("bindings/c/serve.c"), &[]);
    let (mut serving, _lines, port) = listening(&serve, "~127.0.0.1:0", "3");
    let asked = stdout(
        bounded(request)
            .arg(format!("127.0.0.1:{port}/capitals"))
            .args(["hello", "", "world"]),
    );
    let mut replies: Vec<&str> = asked.lines().collect();
    replies.sort_unstable();
    assert_eq!(replies, [": ", "hello: HELLO", "world: WORLD"]);
    assert!(serving.wait().expect("serve ends").success());
}
