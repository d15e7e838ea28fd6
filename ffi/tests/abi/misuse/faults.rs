//! A fault inside the library comes back as a status, and spoils nothing but the objects of that call.

use std::fmt::Write as _;
use std::fs;

use super::arguments::{is_object, right_call};
use super::{include, objects};
use crate::programs::build_for_testing;
use crate::rules::{Function, Header};
use crate::support::{bounded, run, scratch, tree};

/// Functions for which any number of threads may use one object at once: there is nothing in it that a fault could spoil.
const SHARED: &[&str] = &[
    "ferrion_messenger_interrupt",
    "ferrion_interrupter_interrupt",
];

#[test]
fn what_suffered_a_fault_can_only_be_freed_and_all_else_goes_on() {
    let program = build_for_testing(&tree().join("ffi/tests/c/faults.c"), &[]);
    run(&mut bounded(program));
}

#[test]
fn a_fault_in_any_function_is_a_status() {
    let source = scratch("misuse").join("faults_everywhere.c");
    fs::write(&source, everywhere(&Header::read())).expect("a source file");
    let built = build_for_testing(
        &source,
        &["-pthread", "-D_DEFAULT_SOURCE", "-I", &include()],
    );
    run(&mut bounded(built));
}

/// A program in which each function that works on an object suffers a fault there.
fn everywhere(header: &Header) -> String {
    let roots: Vec<&str> = header.roots().collect();
    let mut text = String::from(
        "/* Written by ffi/tests/abi/misuse from the header. */\n#include \"misuse.h\"\n#include \"faults.h\"\n\n",
    );
    text += &objects(&roots);
    text += OTHERS;
    text += "int main(void) {\n";
    let mut count = 0;
    for function in &header.functions {
        let Some(object) = entered(function) else {
            continue;
        };
        let call = right_call(function, &roots);
        let object = call.split(['(', ',', ')']).nth(object + 1);
        let object = object.expect("an argument").trim();
        let (faulty, spoilt) = match function.returns.as_str() {
            "ferrion_status" => (format!("faulty({call})"), format!("spoilt({call})")),
            _ => {
                let none = format!("CHECK({call} == NULL)");
                (none.clone(), none)
            }
        };
        writeln!(
            text,
            "  setup(ALIVE, ALIVE);\n  plant({object}, 0);\n  {faulty};\n  judge(true);\n  {spoilt};\n  judge(true);\n  \
             others({object});\n  teardown();"
        )
        .expect("text");
        count += 1;
    }
    assert!(count > 250, "{count} functions");
    text + "  return 0;\n}\n"
}

/// Which parameter is the object that a function works on.
fn entered(function: &Function) -> Option<usize> {
    if function.name.ends_with("_free") || SHARED.contains(&function.name.as_str()) {
        return None;
    }
    // The interrupter is made of what a messenger shares.
    if function.name == "ferrion_interrupter_new" {
        return None;
    }
    function.parameters.iter().position(is_object)
}

const OTHERS: &str = r#"/* Objects beside the one that suffered a fault, one of each kind that does something. */
static void others(const void *faulty) {
  ferrion_census_t census;
  ferrion_bytes_t octets;
  size_t n;
  OK(ferrion_engine_census(other.engine, &census));
  CHECK(census.links == 2);
  OK(ferrion_message_encode(other_message, &octets));
  OK(ferrion_value_encode(other_value, &octets));
  OK(ferrion_messages_count(other_messages, &n));
  OK(ferrion_interrupter_interrupt(interrupter));
  if (faulty != messenger) OK(ferrion_messenger_outgoing(messenger, &n));
  if (faulty != own.engine) OK(ferrion_engine_census(own.engine, &census));
}

"#;
