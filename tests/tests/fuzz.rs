//! The fuzz targets without a fuzzer: what was found once stays found, and what is near it is tried.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use ferrion_tests::fuzz::{Mutator, corpus, folder, targets};

/// The target whose body is in `ffi`, and whose corpus the tests there replay.
const OF_THE_ABI: &str = "abi";

#[test]
fn every_file_of_the_corpus_passes_its_target() {
    for (name, body) in targets() {
        for (path, octets) in corpus(name) {
            // Shown only if the target panics.
            println!("{}", path.display());
            body(&octets);
        }
    }
}

#[test]
fn inputs_that_are_like_those_of_the_corpus_find_nothing() {
    for (name, body) in targets() {
        let mut mutator = Mutator::new(name, 1);
        // Those that drive whole conversations take a hundred times as long.
        let count = if matches!(name, "messenger_core" | "pair") {
            500
        } else {
            5_000
        };
        for _ in 0..count {
            let input = mutator.input();
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(&input))) {
                println!("{name}: {input:02x?}");
                resume_unwind(panic);
            }
        }
    }
}

#[test]
fn every_folder_of_the_corpus_and_every_target_file_has_its_body() {
    let fuzz = folder();
    for place in ["corpus", "fuzz_targets"] {
        for entry in fs::read_dir(fuzz.join(place)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(
                name == OF_THE_ABI || targets().iter().any(|(target, _)| *target == name),
                "{} has no body",
                path.display()
            );
        }
    }
    let declared = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (name, _) in targets() {
        assert!(
            declared.contains(&format!("name = \"{name}\"")),
            "{name} is not declared in fuzz/Cargo.toml"
        );
    }
}
