//! Prints how much of the specification's normative sentences the tests show: `make conformance`.

use std::path::Path;
use std::process::ExitCode;

use ferrion_tests::ledger::Ledger;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let ledger = Ledger::read(&root);
    print!("{}", ledger.table());
    for fault in ledger.wrong_rows() {
        eprintln!("{fault}");
    }
    ExitCode::from(u8::from(!ledger.faults().is_empty()))
}
