//! Replays every file of the fuzzers' corpus, so that what was found once stays found.

use std::fs;
use std::path::Path;

use ferrion_engine::testing::TARGETS;

/// The target whose body is in `ffi`, and whose corpus the tests there replay.
const OF_THE_ABI: &str = "abi";

#[test]
fn every_file_of_the_corpus_passes_its_target() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, target) in TARGETS {
        let folder = corpus.join(name);
        let files = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let mut replayed = 0;
        for file in files {
            let path = file.unwrap().path();
            // Shown only if the target panics.
            println!("{}", path.display());
            target(&fs::read(&path).unwrap());
            replayed += 1;
        }
        assert!(replayed > 0, "the corpus of {name} is empty");
    }
}

#[test]
fn every_folder_of_the_corpus_and_every_target_file_has_its_body() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    for folder in ["corpus", "fuzz_targets"] {
        for entry in fs::read_dir(fuzz.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(
                name == OF_THE_ABI || TARGETS.iter().any(|(target, _)| *target == name),
                "{} has no body in TARGETS",
                path.display()
            );
        }
    }
    let declared = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        assert!(
            declared.contains(&format!("name = \"{name}\"")),
            "{name} is not declared in fuzz/Cargo.toml"
        );
    }
}
