//! What the border between C and Rust costs: the same work by this program, which calls ferrion from Rust, and by `abi-bench`,
//! which calls it by the C header, in turn; and each kind of call by itself.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::calls::KINDS;
use crate::process::{output_of, run_alone};
use crate::report::machine;
use crate::stats::Summary;
use crate::work::{Outcome, ensure};

/// A piece of work that both do.
struct Row {
    name: &'static str,
    title: &'static str,
    /// Command and options.
    work: &'static [&'static str],
    /// Calls of the header for one message.
    calls: u32,
    count: u64,
}

const ROWS: &[Row] = &[
    Row {
        name: "pair-100-settled",
        title: "engine pair, 100 octets, settled",
        work: &["pair", "--body", "100", "--mode", "settled"],
        calls: 3,
        count: 400_000,
    },
    Row {
        name: "pair-100-accepted",
        title: "engine pair, 100 octets, accepted and settled",
        work: &["pair", "--body", "100"],
        calls: 5,
        count: 300_000,
    },
    Row {
        name: "pair-10k-accepted",
        title: "engine pair, 10 KiB, accepted, payloads shared",
        work: &["pair", "--body", "10240", "--batch", "20"],
        calls: 5,
        count: 100_000,
    },
    Row {
        name: "message-encode",
        title: "message encode, typical, its texts no constants",
        work: &["encode", "--payload", "copied"],
        calls: 1,
        count: 400_000,
    },
    Row {
        name: "message-decode-routing",
        title: "message decode, routing fields only",
        work: &["decode", "--read", "routing"],
        calls: 5,
        count: 400_000,
    },
    Row {
        name: "message-decode-all",
        title: "message decode, every section read",
        work: &["decode", "--read", "all"],
        calls: 40,
        count: 200_000,
    },
    Row {
        name: "messenger-100-accepted",
        title: "Messengers in one thread, 100 octets, accepted",
        work: &["messenger-pair", "--body", "100"],
        calls: 5,
        count: 100_000,
    },
];

/// Messages of the run in which each kind of call has a clock of its own.
const CALLS: u64 = 400_000;

/// Nanoseconds from Rust and by the header, a sample for each round.
#[derive(Default)]
struct Both([Vec<f64>; 2]);

impl Both {
    fn medians(&self) -> Outcome<[Summary; 2]> {
        let [rust, c] = &self.0;
        let of = |samples: &[f64]| Summary::of(samples).ok_or("no run ended");
        Ok([of(rust)?, of(c)?])
    }
}

pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let plan = Plan::parse(arguments)?;
    let programs = [std::env::current_exe()?, plan.out.join("abi-bench")];
    ensure!(
        programs[1].exists(),
        "abi-bench is missing: bench/abi/build.sh builds it"
    );
    let corpus = plan.out.join("border-corpus.bin").display().to_string();
    output_of(
        &programs[0],
        &["corpus".into(), "--corpus".into(), corpus.clone()],
    )?;
    let mut rows: Vec<Both> = ROWS.iter().map(|_| Both::default()).collect();
    let mut kinds: Vec<Both> = KINDS.iter().map(|_| Both::default()).collect();
    for round in 0..plan.rounds {
        for (row, both) in ROWS.iter().zip(&mut rows) {
            for turn in 0..2 {
                let side = (turn + round) % 2;
                let work = with_options(row.work, row.count / plan.divisor, &corpus);
                let sample = run_alone(&programs[side], &work)?;
                both.0[side].push(sample.nanos as f64 / sample.count as f64);
            }
        }
        for turn in 0..2 {
            let side = (turn + round) % 2;
            let nanos = each_kind(&programs[side], CALLS / plan.divisor, &corpus)?;
            kinds
                .iter_mut()
                .zip(nanos)
                .for_each(|(both, nanos)| both.0[side].push(nanos));
        }
    }
    report(&rows, &kinds, &plan)
}

/// Command and options of a run.
fn with_options(work: &[&str], count: u64, corpus: &str) -> Vec<String> {
    let warmup = (count / 10).max(100).to_string();
    let count = count.to_string();
    let options = ["--count", &count, "--warmup", &warmup, "--corpus", corpus];
    work.iter()
        .chain(&options)
        .map(ToString::to_string)
        .collect()
}

/// Nanoseconds of one call of each kind.
fn each_kind(program: &Path, count: u64, corpus: &str) -> Outcome<Vec<f64>> {
    let output = output_of(program, &with_options(&["calls"], count, corpus))?;
    let mut nanos = Vec::new();
    for (line, kind) in output.lines().zip(KINDS) {
        let line: Value = serde_json::from_str(line)?;
        ensure!(line["call"] == kind, "the kinds of calls differ");
        let number = |name: &str| line[name].as_f64().ok_or("a number is missing");
        nanos.push(number("nanos")? / number("count")?);
    }
    ensure!(nanos.len() == KINDS.len(), "a kind of call is missing");
    Ok(nanos)
}

fn report(rows: &[Both], kinds: &[Both], plan: &Plan) -> Outcome<ExitCode> {
    println!(
        "\nWhat the C header costs, in nanoseconds: medians of {} interleaved rounds. {}\n",
        plan.rounds,
        machine()
    );
    println!(
        "{:<47}{:>14}{:>14}{:>9}{:>7}{:>12}",
        "a message", "Rust", "C", "more", "calls", "more a call"
    );
    let mut told = Vec::new();
    for (row, both) in ROWS.iter().zip(rows) {
        let [rust, c] = both.medians()?;
        let more = c.median - rust.median;
        let calls = f64::from(row.calls);
        println!(
            "{:<47}{:>14}{:>14}{more:>9.1}{calls:>7}{:>12.1}",
            row.title,
            cell(&rust),
            cell(&c),
            more / calls
        );
        told.push(
            json!({ "name": row.name, "rust": both.0[0], "c": both.0[1], "calls": row.calls }),
        );
    }
    println!("\n{:<47}{:>14}{:>14}{:>9}", "a call", "Rust", "C", "more");
    for (kind, both) in KINDS.iter().zip(kinds) {
        let [rust, c] = both.medians()?;
        println!(
            "{kind:<47}{:>14}{:>14}{:>9.1}",
            cell(&rust),
            cell(&c),
            c.median - rust.median
        );
        told.push(json!({ "name": format!("call-{kind}"), "rust": both.0[0], "c": both.0[1], "calls": 1 }));
    }
    let file = plan.out.join("border.json");
    let whole = json!({ "machine": machine(), "rounds": plan.rounds, "rows": told });
    std::fs::write(&file, serde_json::to_string_pretty(&whole)? + "\n")?;
    println!("\nMachine-readable: {}", file.display());
    Ok(ExitCode::SUCCESS)
}

fn cell(summary: &Summary) -> String {
    format!("{:.1} ±{:.0}%", summary.median, summary.spread)
}

/// What the command line asks for.
struct Plan {
    rounds: usize,
    /// Counts are divided by this.
    divisor: u64,
    out: PathBuf,
}

impl Plan {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut plan = Self {
            rounds: 11,
            divisor: 1,
            out: PathBuf::from("target/bench"),
        };
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            match name.as_str() {
                "--quick" => (plan.rounds, plan.divisor) = (5, 4),
                "--rounds" => plan.rounds = arguments.next().ok_or("--rounds N")?.parse()?,
                "--out" => plan.out = arguments.next().ok_or("--out FOLDER")?.into(),
                _ => return Err(format!("unknown option {name}").into()),
            }
        }
        ensure!(plan.rounds > 0, "at least one round is needed");
        Ok(plan)
    }
}
