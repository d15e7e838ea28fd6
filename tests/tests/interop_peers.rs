//! The real peers with each other, before ferrion joins: what one of them can not do is not ferrion's fault, and has to be
//! written down in `tests/interop/exceptions.tsv`.

use ferrion_tests::interop::{
    Api::{self, Message, Typed},
    Library::{self, Proton, Rhea},
    Program, Role, SIZES, Sasl, digest,
    exceptions::{Fate, Way, fate, idle_rows},
    pattern,
    table::{cases, plain},
};
use serde_json::{Value, json};

#[test]
fn every_exception_is_about_a_case() {
    let names: Vec<String> = cases().into_iter().map(|case| case.name).collect();
    assert_eq!(idle_rows(&names), [""; 0]);
}

#[test]
fn proton_to_rhea() {
    carry((Proton, Typed), (Rhea, Typed));
}

#[test]
fn rhea_to_proton() {
    carry((Rhea, Typed), (Proton, Typed));
}

#[test]
fn proton_message_to_rhea() {
    carry((Proton, Message), (Rhea, Typed));
}

#[test]
fn rhea_message_to_proton_message() {
    carry((Rhea, Message), (Proton, Message));
}

#[test]
fn proton_to_proton_message() {
    carry((Proton, Typed), (Proton, Message));
}

#[test]
fn proton_to_itself_with_password() {
    carry_with(Sasl::Plain, (Proton, Typed), (Proton, Typed));
}

#[test]
fn rhea_to_itself_with_password() {
    carry_with(Sasl::Plain, (Rhea, Typed), (Rhea, Typed));
}

#[test]
fn proton_to_rhea_with_password() {
    carry_with(Sasl::Plain, (Proton, Typed), (Rhea, Typed));
}

fn carry(from: (Library, Api), to: (Library, Api)) {
    carry_with(Sasl::Anonymous, from, to);
}

/// Sends every case from one peer to the other and looks at what arrives.
fn carry_with(sasl: Sasl, (from, encoder): (Library, Api), (to, decoder): (Library, Api)) {
    let cases = cases();
    let input: Vec<Value> = cases.iter().map(|case| case.message.clone()).collect();
    let mut sink = Program::serve(to, Role::Sink, sasl, &["--api", decoder.name()], &[]);
    let source = Program::connect(
        from,
        sink.port(),
        Role::Source,
        sasl,
        &["--api", encoder.name()],
        &input,
    );
    let open = sink.expect("open");
    assert_eq!(
        open["mechanism"],
        if sasl == Sasl::Plain {
            "PLAIN"
        } else {
            "ANONYMOUS"
        }
    );
    let unsendable: Vec<usize> = source.unsendable().map(|(index, _)| index).collect();
    let mut faults = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let sent = fate(from, encoder, Way::Encodes, &case.name, &case.message);
        let expected = match &sent {
            // An exception of the decoder is about the message as it is in the table.
            Fate::Arrives(message) if *message == case.message => {
                fate(to, decoder, Way::Shows, &case.name, message)
            }
            other => other.clone(),
        };
        let observed = if unsendable.contains(&index) {
            Fate::Unsendable
        } else {
            let event = sink.expect_any(&["message", "refused"]);
            if event["event"] == "refused" {
                Fate::Refused
            } else {
                Fate::Arrives(plain(&event["message"]))
            }
        };
        let alike = match (&expected, &observed) {
            (Fate::Arrives(expected), Fate::Arrives(observed)) => plain(expected) == *observed,
            // What a peer makes of another one's illegal messages is their own affair.
            (Fate::Illegal, _) => true,
            _ => expected == observed,
        };
        if !alike {
            faults.push(format!(
                "{}\n  expected {expected:.300?}\n  observed {observed:.300?}",
                case.name
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn sizes() {
    for (from, to) in [(Proton, Rhea), (Rhea, Proton)] {
        for size in SIZES {
            // Without a limit to the frame, both send all of it in one.
            let limit = ["--digest", "--max-frame", "65536"];
            let mut sink = Program::serve(to, Role::Sink, Sasl::None, &limit, &[]);
            let arguments = ["--size", &size.to_string(), "--count", "1"];
            let mut source =
                Program::connect(from, sink.port(), Role::Source, Sasl::None, &arguments, &[]);
            assert_eq!(
                sink.expect("message")["message"]["body"],
                json!(["octets", [digest(&pattern(size))]])
            );
            assert_eq!(source.expect("outcome")["state"], "accepted");
        }
    }
}

#[test]
fn outcomes() {
    for (from, to) in [(Proton, Rhea), (Rhea, Proton)] {
        let arguments = ["--outcomes", "accept,reject,release,modify,accept"];
        let sink = Program::serve(to, Role::Sink, Sasl::None, &arguments, &[]);
        let arguments = ["--size", "3", "--count", "5"];
        let mut source =
            Program::connect(from, sink.port(), Role::Source, Sasl::None, &arguments, &[]);
        let mut outcomes = source.collect("outcome", "done");
        outcomes.sort_by_key(|outcome| outcome["index"].as_u64());
        let states: Vec<_> = outcomes
            .iter()
            .map(|outcome| outcome["state"].as_str().unwrap_or("?"))
            .collect();
        assert_eq!(
            states,
            ["accepted", "rejected", "released", "modified", "accepted"],
            "{from:?} to {to:?}"
        );
        assert_eq!(outcomes[1]["condition"], "test:refused");
        assert_eq!(outcomes[3]["failed"], true);
    }
}
