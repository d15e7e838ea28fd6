//! What is measured: the rows, the contestants, and the rounds in which they take turns.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::process::{Sample, run_alone, run_together};
use crate::report;
use crate::stats::Summary;
use crate::work::{Outcome, ensure};

/// A piece of work that every contestant does.
pub(crate) struct Row {
    /// The key in the machine-readable output; never changes its meaning.
    pub(crate) name: &'static str,
    /// What the table says.
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
    /// How many times as fast as Proton C as Debian ships it ferrion wants to be.
    pub(crate) goal: f64,
    shape: Shape,
    /// Command and options, the same for every contestant.
    work: &'static [&'static str],
    count: u64,
    warmup: u64,
}

/// What a sample is turned into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    NanosPerMessage,
    MessagesPerSecond,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// One process does it all.
    Alone,
    /// As `Alone`, on the corpus of encoded messages.
    Corpus,
    /// A receiver that says where it listens, and a sender: `-recv` and `-send` are added to the command.
    Together,
}

/// The batches and windows are those with which Proton C is fastest.
const ROWS: &[Row] = &[
    Row {
        name: "pair-100-settled",
        title: "engine pair, 100 octets, settled",
        unit: Unit::NanosPerMessage,
        goal: 10.0,
        shape: Shape::Alone,
        work: &[
            "pair", "--body", "100", "--mode", "settled", "--credit", "1000", "--batch", "100",
        ],
        count: 500_000,
        warmup: 50_000,
    },
    Row {
        name: "pair-100-accepted",
        title: "engine pair, 100 octets, accepted and settled",
        unit: Unit::NanosPerMessage,
        goal: 9.0,
        shape: Shape::Alone,
        work: &[
            "pair",
            "--body",
            "100",
            "--mode",
            "unsettled",
            "--credit",
            "1000",
            "--batch",
            "100",
        ],
        count: 400_000,
        warmup: 50_000,
    },
    Row {
        name: "pair-10k-accepted",
        title: "engine pair, 10 KiB, accepted and settled",
        unit: Unit::NanosPerMessage,
        goal: 6.0,
        shape: Shape::Alone,
        work: &[
            "pair",
            "--body",
            "10240",
            "--mode",
            "unsettled",
            "--credit",
            "1000",
            "--batch",
            "20",
        ],
        count: 150_000,
        warmup: 10_000,
    },
    Row {
        name: "pair-1m-settled",
        title: "engine pair, 1 MiB, settled",
        unit: Unit::NanosPerMessage,
        goal: 5.0,
        shape: Shape::Alone,
        work: &[
            "pair", "--body", "1048576", "--mode", "settled", "--credit", "100", "--batch", "1",
        ],
        count: 3000,
        warmup: 100,
    },
    Row {
        name: "message-encode",
        title: "message encode, typical",
        unit: Unit::NanosPerMessage,
        goal: 7.0,
        shape: Shape::Alone,
        work: &["encode"],
        count: 1_000_000,
        warmup: 100_000,
    },
    Row {
        name: "message-decode-all",
        title: "message decode, every section read",
        unit: Unit::NanosPerMessage,
        goal: 4.0,
        shape: Shape::Corpus,
        work: &["decode", "--read", "all"],
        count: 1_000_000,
        warmup: 100_000,
    },
    Row {
        name: "message-decode-routing",
        title: "message decode, routing fields only",
        unit: Unit::NanosPerMessage,
        goal: 12.0,
        shape: Shape::Corpus,
        work: &["decode", "--read", "routing"],
        count: 1_000_000,
        warmup: 100_000,
    },
    Row {
        name: "messenger-100-accepted",
        title: "Messenger over loopback, 100 octets, accepted",
        unit: Unit::MessagesPerSecond,
        goal: 8.0,
        shape: Shape::Together,
        work: &[
            "messenger",
            "--body",
            "100",
            "--window",
            "2000",
            "--batch",
            "500",
            "--advance",
            "50",
        ],
        count: 400_000,
        warmup: 20_000,
    },
];

/// A program that does the rows' work.
pub(crate) struct Contestant {
    /// The key in the machine-readable output.
    pub(crate) name: &'static str,
    pub(crate) label: String,
    program: PathBuf,
}

/// What one contestant showed in one row.
pub(crate) struct Measured {
    pub(crate) samples: Vec<f64>,
    pub(crate) summary: Summary,
}

/// One row of the result, contestants in their order; or why there is none.
pub(crate) struct RowResult {
    pub(crate) row: &'static Row,
    pub(crate) measured: Outcome<Vec<Measured>>,
}

impl RowResult {
    /// How many times as fast as the second contestant the first is.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let [ours, theirs, ..] = self.measured.as_deref().ok()? else {
            return None;
        };
        Some(match self.row.unit {
            Unit::NanosPerMessage => theirs.summary.median / ours.summary.median,
            Unit::MessagesPerSecond => ours.summary.median / theirs.summary.median,
        })
    }
}

/// Runs every row and reports; fails if a row has no result.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let plan = Plan::parse(arguments)?;
    let contestants = contestants(&plan.out)?;
    let corpus = plan.out.join("corpus.bin");
    prepare_corpus(&plan.out, &corpus, &contestants)?;

    let rows: Vec<&'static Row> = ROWS.iter().filter(|row| plan.wants(row)).collect();
    let mut samples: BTreeMap<&str, Outcome<Vec<Vec<f64>>>> = BTreeMap::new();
    for round in 0..plan.rounds {
        for row in &rows {
            progress(&format!(
                "round {} of {}: {}",
                round + 1,
                plan.rounds,
                row.title
            ));
            let so_far = samples
                .entry(row.name)
                .or_insert_with(|| Ok(vec![Vec::new(); contestants.len()]));
            if let Ok(lists) = so_far
                && let Err(error) = play(row, &plan, &corpus, &contestants, round, lists)
            {
                *so_far = Err(error);
            }
        }
    }
    progress("");

    let results: Vec<RowResult> = rows
        .into_iter()
        .map(|row| {
            let lists = samples
                .remove(row.name)
                .unwrap_or_else(|| Err("was not run".into()));
            RowResult {
                row,
                measured: lists.and_then(summarise),
            }
        })
        .collect();
    report::print(&contestants, &results, plan.rounds);
    let file = plan.out.join("results.json");
    report::write(&file, &contestants, &results, plan.rounds)?;
    println!("\nMachine-readable: {}", file.display());
    let complete = results.iter().all(|result| result.measured.is_ok());
    Ok(if complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One round of one row: every contestant once, who goes first changes with the round.
fn play(
    row: &Row,
    plan: &Plan,
    corpus: &Path,
    contestants: &[Contestant],
    round: usize,
    lists: &mut [Vec<f64>],
) -> Outcome<()> {
    let (count, warmup) = (
        (row.count / plan.divisor).max(100),
        (row.warmup / plan.divisor).max(50),
    );
    let mut seen: Option<Sample> = None;
    for turn in 0..contestants.len() {
        let index = (turn + round) % contestants.len();
        let program = &contestants[index].program;
        let mut work: Vec<String> = row.work.iter().map(ToString::to_string).collect();
        work.extend([
            "--count".into(),
            count.to_string(),
            "--warmup".into(),
            warmup.to_string(),
        ]);
        let sample = match row.shape {
            Shape::Alone => run_alone(program, &work),
            Shape::Corpus => {
                work.extend(["--corpus".into(), corpus.display().to_string()]);
                run_alone(program, &work)
            }
            Shape::Together => run_together(program, &work),
        }
        .map_err(|error| format!("{}: {error}", contestants[index].name))?;

        ensure!(
            sample.count == count,
            format!("{} counted {}", contestants[index].name, sample.count)
        );
        if let Some(other) = &seen {
            ensure!(
                sample.check == other.check,
                "the contestants' checksums differ: not the same work"
            );
        }
        let each = sample.nanos as f64 / count as f64;
        lists[index].push(match row.unit {
            Unit::NanosPerMessage => each,
            Unit::MessagesPerSecond => 1e9 / each,
        });
        seen = Some(sample);
    }
    Ok(())
}

fn summarise(lists: Vec<Vec<f64>>) -> Outcome<Vec<Measured>> {
    let measure = |samples: Vec<f64>| {
        let summary = Summary::of(&samples).ok_or("no run ended")?;
        Ok(Measured { samples, summary })
    };
    lists.into_iter().map(measure).collect()
}

/// ferrion first: the ratios are its own against the second.
fn contestants(out: &Path) -> Outcome<Vec<Contestant>> {
    let proton = out.join("proton-bench");
    ensure!(
        proton.exists(),
        format!("{} is missing: bench/run.sh builds it", proton.display())
    );
    let version = crate::process::output_of(&proton, &["version".into()])?;
    Ok(vec![
        Contestant {
            name: "ferrion",
            label: format!("ferrion {}", env!("CARGO_PKG_VERSION")),
            program: std::env::current_exe()?,
        },
        Contestant {
            name: "proton-c",
            label: format!("Proton C {}", version.trim()),
            program: proton,
        },
    ])
}

/// Writes the messages that the decode rows read, encoded by Proton C, and makes sure that encoding is the same
/// work: each side reads the same from the other's messages as from its own.
fn prepare_corpus(out: &Path, corpus: &Path, contestants: &[Contestant]) -> Outcome<()> {
    let mut seen: Option<String> = None;
    for encoder in contestants {
        let file = if encoder.name == "proton-c" {
            corpus.to_path_buf()
        } else {
            out.join("corpus-ferrion.bin")
        };
        let name = file.display().to_string();
        crate::process::output_of(
            &encoder.program,
            &["corpus".into(), "--corpus".into(), name.clone()],
        )?;
        for decoder in contestants {
            let work = [
                "decode", "--read", "all", "--count", "16", "--warmup", "0", "--corpus", &name,
            ];
            let sample = run_alone(&decoder.program, &work.map(String::from))?;
            let check = seen.get_or_insert_with(|| sample.check.clone());
            ensure!(
                *check == sample.check,
                format!(
                    "{} reads other values from the messages of {}",
                    decoder.name, encoder.name
                )
            );
        }
    }
    Ok(())
}

/// What the command line asks for.
struct Plan {
    rounds: usize,
    /// Counts are divided by this.
    divisor: u64,
    only: Option<String>,
    out: PathBuf,
}

impl Plan {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut plan = Self {
            rounds: 11,
            divisor: 1,
            only: None,
            out: PathBuf::from("target/bench"),
        };
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("{name} takes a value"))
            };
            match name.as_str() {
                "--quick" => (plan.rounds, plan.divisor) = (5, 4),
                "--rounds" => plan.rounds = value()?.parse()?,
                "--only" => plan.only = Some(value()?.clone()),
                "--out" => plan.out = value()?.into(),
                _ => return Err(format!("unknown option {name}").into()),
            }
        }
        ensure!(plan.rounds > 0, "at least one round is needed");
        std::fs::create_dir_all(&plan.out)?;
        Ok(plan)
    }

    fn wants(&self, row: &Row) -> bool {
        self.only
            .as_ref()
            .is_none_or(|text| row.name.contains(text.as_str()))
    }
}

/// Shows what is going on, to people only.
fn progress(text: &str) {
    let mut err = std::io::stderr();
    if err.is_terminal() {
        // Nothing is lost when this cannot be written.
        let _ = write!(err, "\r\x1b[K{text}");
        let _ = err.flush();
    }
}
