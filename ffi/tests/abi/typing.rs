//! The type hints of the Python package, as a type checker sees them at somebody who uses it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::python;
use crate::support::{bounded, run, scratch, sources, tree};

/// mypy, looking at what was installed.
fn mypy() -> Command {
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
    command
}

/// What the checker says about it; nothing is expected. `scripts/install-test-deps.sh` installs it.
fn check(command: &mut Command) {
    let output = run(command);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
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
    check(
        mypy()
            .arg("--config-file")
            .arg(tree().join("bindings/python/pyproject.toml"))
            .args(["-p", "ferrion"]),
    );
}

#[test]
fn examples_and_programs_of_the_pages_pass_a_strict_type_checker() {
    let pages = ["README.md", "docs/python.md", "bindings/python/README.md"].map(programs);
    assert!(pages.iter().all(|programs| !programs.is_empty()));
    let examples = sources(&tree().join("bindings/python/examples"));
    let is_python = |file: &&PathBuf| file.extension().is_some_and(|kind| kind == "py");
    check(
        mypy()
            .arg("--strict")
            .args(examples.iter().filter(is_python))
            .args(pages.concat()),
    );
}

#[test]
fn what_is_wrong_is_seen_by_a_type_checker() {
    let program = scratch("typing").join("wrong.py");
    let text = "from ferrion import *\n\
                Messenger().timeout = \"ten\"\n\
                Messenger().putt(Message())\n\
                status: str = PENDING\n";
    fs::write(&program, text).expect("a file");
    let output = mypy().arg("--strict").arg(&program).output();
    let said = String::from_utf8(output.expect("mypy").stdout).expect("text");
    for line in 2..=4 {
        assert!(said.contains(&format!("wrong.py:{line}: error")), "{said}");
    }
}
