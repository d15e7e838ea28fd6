//! The way of somebody who has never seen ferrion. It takes longer than all other tests here: by its name it begins among the
//! first, and has most of them beside it.

use std::sync::PoisonError;

use crate::python::{BUILDING, system_python};
use crate::support::{BUILD_DIR, bounded_to, build_dir, prefix, scratch, stdout, tree};

#[test]
fn a_newcomer_gets_from_a_fresh_copy_to_programs_in_c_python_ruby_and_perl_that_talk() {
    // The library is there by then; the folder it is built in serves the newcomer too.
    prefix();
    let _building = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let said = stdout(
        // It compiles the command, too.
        bounded_to(900, tree().join("scripts/newcomer.sh"))
            .arg(scratch("newcomer"))
            .env("PYTHON", system_python())
            .env("CARGO", env!("CARGO"))
            .env("FERRION_PROFILE", "dev")
            .env("FERRION_TARGET", scratch("build"))
            .env(BUILD_DIR, build_dir())
            // The jobs of a surrounding make are not ours to share.
            .env_remove("MAKEFLAGS")
            .env_remove("MAKELEVEL")
            .env_remove("PYTHONPATH")
            .env_remove("RUBYLIB")
            .env_remove("RUBYOPT")
            .env_remove("PERL5OPT"),
    );
    assert!(said.ends_with("==> all of it works\n"), "{said}");
}
