//! One table of types and messages, carried in every language, and from each to each.
//!
//! The cases are those that other AMQP libraries carry too (`tests/interop`) and more (`tests/languages`, where the program of
//! each language is). What a case is as octets, a naive codec says, not ferrion's own.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use ferrion_engine::message::Message;
use ferrion_tests::interop::notation;
use ferrion_tests::interop::reference::encoded;
use ferrion_tests::interop::table::{self, Case};
use ferrion_tests::oracle::Form;
use serde_json::Value;

use crate::support::{bounded, run, scratch, tree};
use crate::{cpp, perl, programs, python, ruby};

/// A language that ferrion is used from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Rust,
    C,
    Cpp,
    Python,
    Ruby,
    Perl,
}

/// All of them. A language that is new gets a program in `tests/languages`, and a place here.
const LANGUAGES: [Language; 6] = [
    Language::Rust,
    Language::C,
    Language::Cpp,
    Language::Python,
    Language::Ruby,
    Language::Perl,
];

impl Language {
    /// What runs the language's program, which answers each line of its standard input by one.
    fn program(self) -> Option<Command> {
        let programs = tree().join("tests/languages");
        match self {
            Self::Rust => None,
            Self::C => {
                static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
                let source = programs.join("notation.c");
                Some(bounded(
                    PROGRAM.get_or_init(|| programs::build(&source, &[])),
                ))
            }
            Self::Cpp => {
                static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
                let source = programs.join("notation.cpp");
                Some(bounded(
                    PROGRAM.get_or_init(|| cpp::build(&source, "c++11")),
                ))
            }
            Self::Python => {
                let mut command = bounded(python::installed());
                command.arg("-X").arg("dev").arg("-X").arg("utf8");
                command.arg(programs.join("notation.py"));
                command.env_remove("PYTHONPATH");
                Some(command)
            }
            Self::Ruby => {
                let mut command = bounded("ruby");
                command.arg("-w").arg(programs.join("notation.rb"));
                command.env("GEM_HOME", ruby::installed());
                command.env_remove("RUBYLIB").env_remove("RUBYOPT");
                Some(command)
            }
            Self::Perl => {
                let mut command = bounded("perl");
                command.arg("-w").arg(programs.join("notation.pl"));
                command.env("PERL5LIB", &perl::installed().library);
                command.env_remove("PERL5OPT");
                Some(command)
            }
        }
    }

    /// The language's answers to these questions, each `encode NOTATION` or `decode OCTETS`. `about` names the files of both.
    fn answers(self, about: &str, questions: &[String]) -> Vec<String> {
        let Some(mut program) = self.program() else {
            return questions.iter().map(|question| rust(question)).collect();
        };
        let place = scratch("languages");
        let asked = place.join(format!("{about}-{self:?}.txt"));
        fs::write(&asked, questions.join("\n") + "\n").expect("a file of questions");
        let output = run(program.stdin(File::open(&asked).expect("the questions")));
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert_eq!(complaints, "", "{self:?} complains");
        let answers = String::from_utf8(output.stdout).expect("text");
        let answers: Vec<String> = answers.lines().map(str::to_owned).collect();
        assert_eq!(answers.len(), questions.len(), "{self:?}");
        answers
    }

    /// What the language makes of the octets of the messages.
    fn decode(self, about: &str, octets: &[String]) -> Vec<String> {
        let questions: Vec<String> = octets.iter().map(|hex| format!("decode {hex}")).collect();
        let answers = self.answers(about, &questions);
        // An answer that is no notation is what went wrong, in words.
        let read = |answer: &String| serde_json::from_str::<Value>(answer);
        let plain = |answer: &String| {
            read(answer).map_or_else(|_| answer.clone(), |note| sorted(&table::plain(&note)))
        };
        answers.iter().map(plain).collect()
    }

    /// The octets that the language makes of every case.
    fn encoded(self) -> &'static [String] {
        static DONE: OnceLock<Vec<(Language, Vec<String>)>> = OnceLock::new();
        let done = DONE.get_or_init(|| {
            let questions: Vec<String> = cases()
                .iter()
                .map(|case| format!("encode {}", case.message))
                .collect();
            LANGUAGES
                .map(|language| (language, language.answers("encode", &questions)))
                .into()
        });
        let found = done.iter().find(|(language, _)| *language == self);
        found
            .map(|(_, octets)| &octets[..])
            .expect("a language of the list")
    }
}

/// What the other languages' programs do, in Rust.
fn rust(question: &str) -> String {
    let (verb, what) = question.split_once(' ').expect("a verb, and with what");
    if verb == "encode" {
        let note = serde_json::from_str(what).expect("a message in notation");
        notation::hex(&notation::message(&note).to_bytes())
    } else {
        match Message::decode_lenient(notation::binary(what)) {
            Ok(message) => notation::describe(&message).to_string(),
            Err(error) => format!("error: {error}"),
        }
    }
}

fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| table::cases().into_iter().chain(table::corners()).collect())
}

/// Every case as the notation of it that has nothing to spare.
fn expected() -> Vec<String> {
    let notes = cases().iter().map(|case| table::plain(&case.message));
    notes.map(|note| sorted(&note)).collect()
}

/// The text of a notation, with its fields in an order that says nothing.
fn sorted(note: &Value) -> String {
    let mut note = note.clone();
    note.sort_all_objects();
    note.to_string()
}

/// Asserts that one list is the other, and shows where it is not.
fn assert_same<'a>(
    who: &str,
    cases: impl Iterator<Item = &'a str>,
    found: &[String],
    expected: &[String],
) {
    assert_eq!(found.len(), expected.len(), "{who}");
    let wrong: Vec<String> = cases
        .zip(found.iter().zip(expected))
        .filter(|(_, (found, expected))| found != expected)
        .map(|(case, (found, expected))| {
            format!("{case}:\n    {found:.300}\n    is not\n    {expected:.300}\n")
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{who}: {} of {} are not what they shall be\n{}",
        wrong.len(),
        found.len(),
        wrong.concat()
    );
}

fn names() -> impl Iterator<Item = &'static str> {
    cases().iter().map(|case| case.name.as_str())
}

#[test]
fn every_language_reads_every_type_and_section_in_every_legal_form() {
    assert!(cases().len() > 600, "{} cases", cases().len());
    for form in [Form::Shortest, Form::Small, Form::Widest] {
        let octets: Vec<String> = cases()
            .iter()
            .map(|case| encoded(&table::plain(&case.message), form))
            .collect();
        for language in LANGUAGES {
            let found = language.decode(&format!("{form:?}"), &octets);
            assert_same(
                &format!("{language:?}, {form:?}"),
                names(),
                &found,
                &expected(),
            );
        }
    }
}

#[test]
fn every_language_writes_every_type_and_section_as_what_it_is() {
    // A header that means the same as none may be there or not; it is read below.
    let spare = |case: &Case| table::plain(&case.message) != case.message;
    for language in LANGUAGES {
        let both = cases().iter().zip(language.encoded());
        let (cases, found): (Vec<&Case>, Vec<String>) = both
            .filter(|(case, _)| !spare(case))
            .map(|(case, octets)| (case, octets.clone()))
            .unzip();
        let reference: Vec<String> = cases
            .iter()
            .map(|case| encoded(&case.message, Form::Shortest))
            .collect();
        assert!(cases.len() > 600, "{} cases", cases.len());
        let names = cases.iter().map(|case| case.name.as_str());
        assert_same(&format!("{language:?}"), names, &found, &reference);
    }
}

#[test]
fn what_each_language_writes_each_other_reads() {
    for writer in LANGUAGES {
        for reader in LANGUAGES {
            let found = reader.decode(&format!("of-{writer:?}"), writer.encoded());
            assert_same(
                &format!("{writer:?} to {reader:?}"),
                names(),
                &found,
                &expected(),
            );
        }
    }
}

#[test]
fn every_language_reads_constructors_that_ferrion_never_writes() {
    let rows: Vec<[&str; 3]> = include_str!("../../../tests/languages/octets.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            fields.try_into().expect("three fields")
        })
        .collect();
    let octets: Vec<String> = rows
        .iter()
        .map(|[_, octets, _]| octets.replace(' ', ""))
        .collect();
    let expected: Vec<String> = rows
        .iter()
        .map(|[name, _, note]| {
            let note = serde_json::from_str(note).unwrap_or_else(|error| panic!("{name}: {error}"));
            sorted(&table::plain(&note))
        })
        .collect();
    for language in LANGUAGES {
        let found = language.decode("octets", &octets);
        let names = rows.iter().map(|[name, _, _]| *name);
        assert_same(&format!("{language:?}"), names, &found, &expected);
    }
}
