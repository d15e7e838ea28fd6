//! Every function of the header, called wrongly: a status is the answer, never a crash and never a leak.
//!
//! The program that does it is written from the header, so no function can be forgotten. `arguments` has what the functions
//! are given, `ffi/tests/c/misuse.h` the objects, the states that they are in, and the memory after which there is nothing.

mod arguments;
mod faults;

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::programs::build;
use crate::rules::Header;
use crate::support::{bounded, run, scratch, tree};

use arguments::{calls, noun};

/// What has to be put right again after a function was called with everything that it takes.
const AFTERWARDS: &[(&str, &str)] = &[
    (
        "ferrion_messenger_set_passive",
        "OK(ferrion_messenger_set_passive(messenger, was_passive));",
    ),
    (
        "ferrion_messenger_set_blocking",
        "OK(ferrion_messenger_set_blocking(messenger, false));",
    ),
];

fn program(header: &Header) -> String {
    let roots: Vec<&str> = header.roots().collect();
    let mut text = String::from(
        "/* Written by ffi/tests/abi/misuse from the header. */\n#include \"misuse.h\"\n\n",
    );
    text += &objects(&roots);
    let (mut all, mut alive) = (String::new(), String::new());
    for function in &header.functions {
        let name = &function.name;
        writeln!(text, "static void misuse_{name}(void) {{").expect("text");
        if name.ends_with("_free") {
            writeln!(text, "  {name}(NULL);").expect("text");
        } else {
            if name == "ferrion_messenger_set_passive" {
                text += "  bool was_passive;\n  OK(ferrion_messenger_passive(messenger, &was_passive));\n";
            }
            for call in calls(function, &roots) {
                if name == "ferrion_messenger_work" {
                    // The one call that waits in non-blocking mode too, and with nothing to do for ever.
                    text += "  OK(ferrion_messenger_interrupt(messenger));\n";
                }
                text += &call;
            }
            for (_, statement) in AFTERWARDS.iter().filter(|(of, _)| of == name) {
                writeln!(text, "  {statement}").expect("text");
            }
        }
        text += "}\n\n";
        writeln!(all, "  misuse_{name},").expect("text");
        if is_of_engines(name) {
            writeln!(alive, "  misuse_{name},").expect("text");
        }
    }
    writeln!(text, "static misuse *const ALL[] = {{\n{all}}};\n").expect("text");
    writeln!(text, "static misuse *const OF_ENGINES[] = {{\n{alive}}};\n").expect("text");
    text + MAIN
}

/// Two of each kind of object that needs nothing to be made.
fn objects(roots: &[&str]) -> String {
    let simple = roots
        .iter()
        .map(|root| noun(root))
        .filter(|noun| !matches!(*noun, "messenger" | "interrupter" | "engine"));
    let (mut objects, mut make, mut unmake) = (String::new(), String::new(), String::new());
    for noun in simple {
        objects += &format!("static ferrion_{noun}_t *{noun}, *other_{noun};\n");
        for name in [noun.to_owned(), format!("other_{noun}")] {
            make += &format!("  CHECK({name} = ferrion_{noun}_new());\n");
            unmake += &format!("  ferrion_{noun}_free({name});\n");
        }
    }
    format!(
        "{objects}\nstatic void make(void) {{\n{make}}}\n\nstatic void unmake(void) {{\n{unmake}}}\n\n"
    )
}

/// Whether what a function does depends on nothing outside of the program: messengers would wait for that.
fn is_of_engines(name: &str) -> bool {
    let outside = [
        "ferrion_messenger_",
        "ferrion_messages_",
        "ferrion_connection_events_",
        "ferrion_reconnect_",
        "ferrion_interrupter_",
    ];
    !outside.iter().any(|start| name.starts_with(start))
}

const MAIN: &str = r#"enum { FUNCTIONS = sizeof ALL / sizeof *ALL };

/* Each function on objects that no other has touched. */
static void each_for_itself(void) {
  for (size_t i = 0; i < FUNCTIONS; i++) {
    setup(ALIVE, ALIVE);
    ALL[i]();
    teardown();
  }
}

/* All functions on the same objects, one after the other, whatever those before left behind, twice over; and by turns on
 * the thread that made the objects, and on others. */
static void all_together(enum world world) {
  setup(world, world);
  for (size_t i = 0; i < 2 * FUNCTIONS; i++) {
    if (i % 2) elsewhere(ALL[i % FUNCTIONS]);
    else ALL[i % FUNCTIONS]();
  }
  teardown();
}

/* In every order that a generator of numbers makes up: each call finds what the ones before left behind, while the peer
 * goes on answering. */
static void wander(void) {
  uint64_t number = 88172645463325252u;
  for (int round = 0; round < 200; round++) {
    setup(round % WORLDS, ALIVE);
    for (int step = 0; step < 60; step++) {
      number ^= number << 13;
      number ^= number >> 7;
      number ^= number << 17;
      OF_ENGINES[number % (sizeof OF_ENGINES / sizeof *OF_ENGINES)]();
      if (number >> 60 < 6) {
        carry(own.engine, own.peer);
        answer(own.peer);
        carry(own.peer, own.engine);
      }
    }
    teardown();
  }
}

int main(void) {
  each_for_itself();
  for (int world = ALIVE; world < WORLDS; world++) all_together(world);
  wander();
  return 0;
}
"#;

/// Where the headers of the C programs are.
fn include() -> String {
    let folder = tree().join("ffi/tests/c");
    folder.to_str().expect("a plain path").to_owned()
}

#[test]
fn every_function_survives_what_is_wrong() {
    let source = scratch("misuse").join("misuse.c");
    let header = Header::read();
    fs::write(&source, program(&header)).expect("a source file");
    let built = build(
        &source,
        &["-pthread", "-D_DEFAULT_SOURCE", "-I", &include()],
    );
    run(&mut bounded(built));
}

/// What the sanitizers are there for, done on purpose: had they missed it, the other programs would prove nothing.
#[test]
fn the_sanitizers_see_what_is_planted() {
    let program = build(&tree().join("ffi/tests/c/planted.c"), &[]);
    let planted = [
        ("leak", "LeakSanitizer: detected memory leaks"),
        ("overflow", "AddressSanitizer: heap-buffer-overflow"),
        ("overflow-inside", "AddressSanitizer: heap-buffer-overflow"),
        ("freed", "AddressSanitizer: heap-use-after-free"),
        ("undefined", "runtime error: signed integer overflow"),
    ];
    for (what, report) in planted {
        let output = Command::new(&program).arg(what).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{what} went unseen");
        assert!(said.contains(report), "{what}: {said}");
    }
    run(bounded(&program).arg("nothing"));
}
