//! The random driver of the ABI (`ffi/src/testing/drive`) under AddressSanitizer: everything that was found with it once, and
//! random octets. The fuzz target `abi` runs the same body with a compiler that watches the library as well.

use std::fmt::Write as _;
use std::fs;

use crate::programs::build_for_testing;
use crate::rules::{Function, Header};
use crate::support::{bless, bounded, run, sources, tree};

#[test]
fn random_calls_find_nothing() {
    let program = build_for_testing(&tree().join("ffi/tests/c/drive.c"), &[]);
    let corpus = sources(&tree().join("fuzz/corpus/abi"));
    assert!(corpus.len() > 5, "{} files", corpus.len());
    run(bounded(program).args(["3000", "1"]).args(corpus));
}

#[test]
fn the_random_driver_has_every_function() {
    let path = tree().join("ffi/src/testing/drive/table.rs");
    let fresh = table(&Header::read());
    if bless() {
        fs::write(&path, &fresh).expect("the table can be written");
    }
    assert!(
        fs::read_to_string(path).unwrap_or_default() == fresh,
        "the header has changed: run `FERRION_BLESS=1 cargo test -p ferrion-ffi` and commit what it writes"
    );
}

/// The functions in the order of the header, but for those that free: what they end, the driver has to know.
fn table(header: &Header) -> String {
    let mut text = String::from(
        "//! Every function that the driver calls. Written by `FERRION_BLESS=1 cargo test -p ferrion-ffi` from include/ferrion.h.\n\n\
         use crate::engine::*;\nuse crate::message::*;\nuse crate::messages::*;\nuse crate::messenger::*;\n\
         use crate::status::*;\nuse crate::value::*;\nuse crate::version::*;\n\ntable! {\n",
    );
    for function in &header.functions {
        if function.name.ends_with("_free") {
            continue;
        }
        let any = vec!["_"; function.parameters.len()].join(", ");
        let small = if is_small(function) { " small" } else { "" };
        writeln!(text, "    {}({any}){small};", function.name).expect("text");
    }
    text + "}\n"
}

/// Whether large numbers would be more than there is room for, or take their time, as they are meant to.
fn is_small(function: &Function) -> bool {
    let mut parameters = function.parameters.iter();
    parameters.any(|parameter| matches!(parameter.name.as_str(), "capacity" | "iterations"))
        || matches!(
            function.name.as_str(),
            "ferrion_messenger_work" | "ferrion_messenger_set_timeout"
        )
}
