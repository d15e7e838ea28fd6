//! The `ferrion` command, as it was built, with both real peers.

use std::{fs, time::Duration};

use ferrion_tests::interop::{
    Api, Command,
    Library::{self, Proton, Rhea},
    Outcome, PATIENCE, Program, Role, SIZES, Sasl, Scratch, digest,
    exceptions::{Fate, Way, fate},
    exchange::{self, OUTCOMES},
    pattern,
    table::{cases, plain},
};
use serde_json::{Value, json};

const BOTH: [Library; 2] = [Proton, Rhea];

/// Runs `ferrion` to its end.
fn ferrion(arguments: &[&str], input: impl Into<Vec<u8>>) -> Outcome {
    Command::start(arguments, input).finish(PATIENCE)
}

fn assert_good(outcome: &Outcome) {
    assert_eq!(
        outcome.code,
        Some(0),
        "{}\n{}",
        outcome.errors,
        String::from_utf8_lossy(&outcome.output)
    );
}

/// From one peer through `recv --json`, whose output is the input of `send --json`, to another.
fn every_case_passes(from: Library, to: Library, sasl: Sasl) {
    let cases = cases();
    let source = Program::serve(from, Role::Source, sasl, &[], &exchange::notes(&cases));
    let unsendable: Vec<usize> = source.unsendable().map(|(index, _)| index).collect();
    let sent = cases.len() - unsendable.len();
    let from_address = exchange::address(source.port(), sasl, "from");
    let received = ferrion(
        &[
            "recv",
            &from_address,
            "--json",
            "-n",
            &sent.to_string(),
            "--timeout",
            "60",
        ],
        "",
    );
    assert_good(&received);
    let mut sink = Program::serve(to, Role::Sink, sasl, &[], &[]);
    let to_address = exchange::address(sink.port(), sasl, "to");
    let reported = ferrion(&["send", &to_address, "--json"], received.output);

    let mut faults = Vec::new();
    let mut reports = reported.json().into_iter();
    for (index, case) in cases.iter().enumerate() {
        let expected = match fate(from, Api::Typed, Way::Encodes, &case.name, &case.message) {
            Fate::Arrives(message) if message == case.message => {
                fate(to, Api::Typed, Way::Shows, &case.name, &message)
            }
            other => other,
        };
        if unsendable.contains(&index) {
            assert_eq!(expected, Fate::Unsendable, "{}", case.name);
            continue;
        }
        let event = sink.expect_any(&["message", "refused"]);
        let outcome = reports
            .next()
            .unwrap_or_else(|| panic!("{}: no outcome\n{}", case.name, reported.errors));
        let alike = match &expected {
            Fate::Arrives(message) => {
                let observed = plain(&without_to(&event["message"]));
                outcome["outcome"] == "accepted" && plain(&without_to(message)) == observed
            }
            _ => event["event"] == "refused" && outcome["outcome"] == "rejected",
        };
        if !alike {
            faults.push(format!(
                "{}\n  expected {expected:.400?}\n  observed {event:.400}\n  told {outcome}",
                case.name
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(reports.next(), None);
}

/// The command addresses what it sends to where it sends it.
fn without_to(message: &Value) -> Value {
    let mut message = message.clone();
    if let Some(Value::Object(properties)) = message.get_mut("properties") {
        properties.remove("to");
    }
    message
}

#[test]
fn every_case_passes_from_proton_to_rhea() {
    every_case_passes(Proton, Rhea, Sasl::Anonymous);
}

#[test]
fn every_case_passes_from_rhea_to_proton_with_passwords() {
    every_case_passes(Rhea, Proton, Sasl::Plain);
}

#[test]
fn lines_are_sent_as_text_and_printed_as_text() {
    for library in BOTH {
        let mut sink = Program::serve(library, Role::Sink, Sasl::Anonymous, &[], &[]);
        let address = exchange::address(sink.port(), Sasl::Anonymous, "lines");
        let sent = ferrion(&["send", &address], "one\n\nthr\u{e9}e\n");
        assert_good(&sent);
        assert_eq!(sent.lines(), ["1 accepted", "2 accepted", "3 accepted"]);
        for text in ["one", "", "thr\u{e9}e"] {
            assert_eq!(
                sink.expect("message")["message"]["body"],
                json!(["value", ["string", text]])
            );
        }

        let notes =
            ["one", "", "thr\u{e9}e"].map(|text| json!({ "body": ["value", ["string", text]] }));
        let source = Program::serve(library, Role::Source, Sasl::Anonymous, &[], &notes);
        let address = exchange::address(source.port(), Sasl::Anonymous, "lines");
        let received = ferrion(&["recv", &address, "-n", "3", "--timeout", "60"], "");
        assert_good(&received);
        assert_eq!(received.output, "one\n\nthr\u{e9}e\n".as_bytes());
    }
}

#[test]
fn files_of_every_size_arrive_whole() {
    let folder = Scratch::new();
    let files: Vec<String> = SIZES
        .iter()
        .map(|size| {
            let path = folder.path().join(size.to_string());
            fs::write(&path, pattern(*size)).expect("a file");
            path.to_string_lossy().into_owned()
        })
        .collect();
    for library in BOTH {
        let mut sink = Program::serve(library, Role::Sink, Sasl::Anonymous, &["--digest"], &[]);
        let address = exchange::address(sink.port(), Sasl::Anonymous, "files");
        let mut arguments = vec!["send", &address, "--file"];
        arguments.extend(files.iter().map(String::as_str));
        assert_good(&ferrion(&arguments, ""));
        for size in SIZES {
            let body = json!(["octets", [digest(&pattern(size))]]);
            assert_eq!(
                sink.expect("message")["message"]["body"],
                body,
                "{library:?}"
            );
        }
    }
}

#[test]
fn bodies_of_every_size_are_printed_whole() {
    for library in BOTH {
        for size in SIZES {
            let arguments = ["--size", &size.to_string(), "--count", "1"];
            let source = Program::serve(library, Role::Source, Sasl::Anonymous, &arguments, &[]);
            let address = exchange::address(source.port(), Sasl::Anonymous, "sizes");
            let received = ferrion(&["recv", &address, "-n", "1", "--timeout", "60"], "");
            assert_good(&received);
            let whole = [&pattern(size)[..], b"\n"].concat();
            assert!(
                received.output == whole,
                "{library:?}: {size} octets are not whole"
            );
        }
    }
}

#[test]
fn every_outcome_is_reported() {
    for library in BOTH {
        let sink = Program::serve(
            library,
            Role::Sink,
            Sasl::Anonymous,
            &["--outcomes", OUTCOMES],
            &[],
        );
        let address = exchange::address(sink.port(), Sasl::Anonymous, "outcomes");
        let sent = ferrion(&["send", &address], "1\n2\n3\n4\n5\n");
        assert_eq!(sent.code, Some(3), "{}", sent.errors);
        assert_eq!(
            sent.lines(),
            [
                "1 accepted",
                "2 rejected test:refused: the sink refuses this one",
                "3 released",
                "4 modified",
                "5 accepted",
            ]
        );
        let told = ferrion(
            &["send", &address, "--json", "--quiet"],
            "{\"body\":\"6\"}\n",
        );
        assert_good(&told);
        assert_eq!(told.output, b"");
    }
}

#[test]
fn every_outcome_is_given() {
    let outcomes = [
        ("accept", "accepted"),
        ("reject", "rejected"),
        ("release", "released"),
        ("modify", "modified"),
    ];
    for library in BOTH {
        for (option, state) in outcomes {
            let arguments = ["--size", "3", "--count", "2"];
            let mut source =
                Program::serve(library, Role::Source, Sasl::Anonymous, &arguments, &[]);
            let address = exchange::address(source.port(), Sasl::Anonymous, "outcomes");
            assert_good(&ferrion(
                &[
                    "recv",
                    &address,
                    "-n",
                    "2",
                    "--timeout",
                    "60",
                    "--outcome",
                    option,
                ],
                "",
            ));
            assert_eq!(exchange::states(&mut source), [state; 2], "{library:?}");
        }
    }
}

/// rhea puts the footer before the body, which is no message (3.2).
#[test]
fn what_is_no_message_is_rejected_and_ends_the_command() {
    let good = json!({ "body": ["value", ["string", "good"]] });
    let bad = json!({
        "body": ["value", ["string", "bad"]],
        "footer": ["map", [[["symbol", "x-opt"], ["uint", "1"]]]],
    });
    let notes = [good, bad];
    let mut source = Program::serve(
        Rhea,
        Role::Source,
        Sasl::Anonymous,
        &["--api", "message"],
        &notes,
    );
    let address = exchange::address(source.port(), Sasl::Anonymous, "x");
    let received = ferrion(&["recv", &address, "-n", "2", "--timeout", "60"], "");
    assert_eq!(received.code, Some(1), "{}", received.errors);
    assert_eq!(received.output, b"good\n");
    assert!(
        received.errors.contains("cannot be read"),
        "{}",
        received.errors
    );
    for state in ["accepted", "rejected"] {
        assert_eq!(source.expect("outcome")["state"], state);
    }
}

#[test]
fn a_listening_command_serves_the_peers_as_clients() {
    let folder = Scratch::new();
    let users = folder.path().join("users");
    fs::write(&users, format!("{}:{}\n", Sasl::user(), Sasl::password())).expect("a file");
    let users = users.to_string_lossy().into_owned();
    for library in BOTH {
        for sasl in [Sasl::None, Sasl::Anonymous, Sasl::Plain] {
            let mut arguments = vec!["recv", "~127.0.0.1:0", "-n", "3", "--timeout", "60"];
            if sasl == Sasl::Plain {
                arguments.extend(["--users", &users]);
            }
            let mut command = Command::start(&arguments, "");
            let notes = ["a", "b", "c"].map(|text| json!({ "body": ["value", ["string", text]] }));
            let mut source =
                Program::connect(library, command.port(), Role::Source, sasl, &[], &notes);
            let received = command.finish(PATIENCE);
            assert_good(&received);
            assert_eq!(received.lines(), ["a", "b", "c"]);
            exchange::check_mechanism(&mut source, sasl);
            assert_eq!(exchange::states(&mut source), ["accepted"; 3]);
        }
    }
}

#[test]
fn what_fails_is_told_in_a_line_and_by_the_exit_code() {
    for library in BOTH {
        let sink = Program::serve(library, Role::Sink, Sasl::Plain, &[], &[]);
        let wrong = format!("amqp://guest%40test:not-it@127.0.0.1:{}/x", sink.port());
        for arguments in [
            &["send", &wrong][..],
            &["recv", &wrong, "-n", "1", "--timeout", "60"],
        ] {
            let refused = ferrion(arguments, "line\n");
            assert_eq!(refused.code, Some(1), "{arguments:?}: {}", refused.errors);
            assert!(refused.errors.contains("log in"), "{}", refused.errors);
            assert!(
                !refused.errors.contains("not-it"),
                "a password is told: {}",
                refused.errors
            );
        }

        let silent = Program::serve(
            library,
            Role::Sink,
            Sasl::Anonymous,
            &["--outcomes", "none"],
            &[],
        );
        let address = exchange::address(silent.port(), Sasl::Anonymous, "x");
        let late = ferrion(&["send", &address, "--timeout", "0.3"], "line\n");
        assert_eq!(late.code, Some(4), "{}", late.errors);
        assert!(late.errors.contains("outcome"), "{}", late.errors);

        let source = Program::serve(library, Role::Source, Sasl::Anonymous, &[], &[]);
        let address = exchange::address(source.port(), Sasl::Anonymous, "x");
        let nothing = Command::start(&["recv", &address, "-n", "1", "--timeout", "0.3"], "");
        let nothing = nothing.finish(Duration::from_secs(20));
        assert_eq!(nothing.code, Some(4), "{}", nothing.errors);
    }
}
