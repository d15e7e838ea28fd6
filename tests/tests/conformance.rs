//! The conformance ledger in `tests/conformance/` is complete, and every test that it names exists.

use std::path::Path;

use ferrion_tests::ledger::Ledger;

#[test]
fn every_normative_sentence_has_a_test_or_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let faults = Ledger::read(&root).faults();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
