//! The type hints of the Python package, as a type checker sees them at somebody who uses it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use crate::python;
use crate::support::{bounded, scratch, sources, tree};

/// What mypy says, looking at what was installed. One at a time: what it remembers is in a database that takes no two at once.
fn mypy(arguments: impl FnOnce(&mut Command)) -> Output {
    static ALONE: Mutex<()> = Mutex::new(());
    // Another test that failed meanwhile is no reason for this one to fail.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut command = bounded(python::system_python());
    command
        .args(["-m", "mypy", "--no-error-summary", "--python-executable"])
        .arg(python::installed())
        .arg("--cache-dir")
        .arg(scratch("mypy"))
        // Nothing of the tree is mistaken for what was installed.
        .current_dir(scratch("typing"))
        .env_remove("MYPYPATH")
        .env_remove("PYTHONPATH");
    arguments(&mut command);
    let output = command.output();
    output.unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// The checker has nothing to say. `scripts/install-test-deps.sh` installs it.
fn check(arguments: impl FnOnce(&mut Command)) {
    let output = mypy(arguments);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

/// The programs of a page, each in a file.
fn programs(page: &str) -> Vec<PathBuf> {
    let text = fs::read_to_string(tree().join(page)).expect(page);
    let name = page.replace(['/', '.'], "_");
    let blocks = text.split("\n```python\n").skip(1);
    blocks
        .enumerate()
        .map(|(number, block)| {
            let (program, _) = block.split_once("```").expect("the end of a program");
            let file = scratch("typing").join(format!("{name}_{number}.py"));
            // A program that goes on where another one stopped.
            let import = if program.contains("import ") {
                ""
            } else {
                "from ferrion import *\n"
            };
            fs::write(&file, format!("{import}{program}")).expect("a file");
            file
        })
        .collect()
}

#[test]
fn the_package_agrees_with_its_own_type_hints() {
    check(|mypy| {
        mypy.arg("--config-file")
            .arg(tree().join("bindings/python/pyproject.toml"))
            .args(["-p", "ferrion"]);
    });
}

#[test]
fn examples_and_programs_of_the_pages_pass_a_strict_type_checker() {
    let pages = ["README.md", "docs/python.md", "bindings/python/README.md"].map(programs);
    assert!(pages.iter().all(|programs| !programs.is_empty()));
    let examples = sources(&tree().join("bindings/python/examples"));
    let is_python = |file: &&PathBuf| file.extension().is_some_and(|kind| kind == "py");
    check(|mypy| {
        mypy.arg("--strict")
            .args(examples.iter().filter(is_python))
            .args(pages.concat());
    });
}

#[test]
fn what_is_wrong_is_seen_by_a_type_checker() {
    let program = scratch("typing").join("wrong.py");
    let text = "from ferrion import *\n\
                Messenger().timeout = \"ten\"\n\
                Messenger().putt(Message())\n\
                status: str = PENDING\n";
    fs::write(&program, text).expect("a file");
    let output = mypy(|mypy| {
        mypy.arg("--strict").arg(&program);
    });
    let said = String::from_utf8(output.stdout).expect("text");
    for line in 2..=4 {
        assert!(said.contains(&format!("wrong.py:{line}: error")), "{said}");
    }
}
