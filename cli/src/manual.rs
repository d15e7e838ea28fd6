//! The manual pages in `cli/man`, as the command line has them: written by `FERRION_BLESS=1 cargo test -p ferrion`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::args::Cli;

/// `ferrion`, and each of its commands under the name of its page.
fn commands() -> Vec<Command> {
    let mut ferrion = Cli::command().disable_help_subcommand(true);
    ferrion.build();
    let below = ferrion.get_subcommands().cloned().map(|command| {
        let name = format!("ferrion-{}", command.get_name());
        command.display_name(name)
    });
    let below: Vec<Command> = below.collect();
    std::iter::once(ferrion).chain(below).collect()
}

fn name(command: &Command) -> &str {
    command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
}

fn page(command: &Command) -> String {
    let source = format!("ferrion {}", env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    Man::new(command.clone())
        .title(name(command).to_uppercase())
        .source(source)
        .manual("ferrion")
        .render(&mut page)
        .expect("a vector takes it");
    String::from_utf8(page).expect("text")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("man")
}

/// The text of a page as `man` shows it, but for what it makes bold.
fn shown(page: &str) -> String {
    let plain = ["\\fB", "\\fI", "\\fR"];
    plain.iter().fold(
        page.replace("\\-", "-").replace("\\*(Aq", "'"),
        |text, mark| text.replace(mark, ""),
    )
}

#[test]
fn the_manual_pages_are_committed_and_there_are_no_others() {
    let mut expected = BTreeSet::new();
    for command in commands() {
        let file = folder().join(format!("{}.1", name(&command)));
        if std::env::var_os("FERRION_BLESS").is_some() {
            fs::create_dir_all(folder()).expect("cli/man can be made");
            fs::write(&file, page(&command)).expect("the page can be written");
        }
        assert_eq!(
            fs::read_to_string(&file).unwrap_or_default(),
            page(&command),
            "{}: run `FERRION_BLESS=1 cargo test -p ferrion` and look at what it changes",
            file.display()
        );
        expected.insert(file);
    }
    let entries = fs::read_dir(folder()).expect("cli/man");
    let found: BTreeSet<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn every_option_with_its_help_is_in_its_manual_page() {
    let mut options = 0;
    for command in commands() {
        let file = folder().join(format!("{}.1", name(&command)));
        let page = shown(&fs::read_to_string(&file).expect("the page"));
        for argument in command.get_arguments() {
            // One without a dash goes by the name of its value.
            let written = match (argument.get_long(), argument.get_value_names()) {
                (Some(long), _) => format!("--{long}"),
                (None, Some([value, ..])) => value.to_string(),
                (None, _) => panic!("{argument} has no name"),
            };
            let help = argument.get_long_help().or_else(|| argument.get_help());
            let help = help.expect("a help text").to_string();
            assert!(page.contains(&written), "{written} is not in {file:?}");
            assert!(page.contains(&help), "{help:?} is not in {file:?}");
            options += 1;
        }
    }
    assert!(
        options > 40,
        "{options} options and arguments were looked for"
    );
}

#[test]
fn the_page_of_the_command_names_the_pages_of_its_commands() {
    let all = commands();
    let (ferrion, below) = all.split_first().expect("ferrion itself");
    let page = shown(&page(ferrion));
    assert_eq!(below.len(), 4);
    for command in below {
        let reference = format!("{}(1)", name(command));
        assert!(page.contains(&reference), "{reference} is not in {page}");
    }
}
