//! Runs the rows, round after round in turn, and reports.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::process::{Sample, output_of, run_alone, run_together};
use crate::report;
use crate::rows::{Against, ROWS, Row, Shape, Unit};
use crate::stats::Summary;
use crate::work::{Outcome, ensure};

/// A program that does the rows' work.
#[derive(Clone)]
pub(crate) struct Contestant {
    /// The key in the machine-readable output.
    pub(crate) name: &'static str,
    pub(crate) label: String,
    program: PathBuf,
    /// The command in the place of the row's, if it is another.
    command: Option<&'static str>,
}

/// What one contestant showed in one row.
pub(crate) struct Measured {
    pub(crate) contestant: Contestant,
    pub(crate) samples: Vec<f64>,
    pub(crate) summary: Summary,
}

/// One row of the result: ferrion and the other; or why there is none.
pub(crate) struct RowResult {
    pub(crate) row: &'static Row,
    pub(crate) measured: Outcome<[Measured; 2]>,
}

impl RowResult {
    /// How many times as fast as the other ferrion is.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let [ours, theirs] = self.measured.as_ref().ok()?;
        Some(match self.row.unit {
            Unit::NanosPerMessage => theirs.summary.median / ours.summary.median,
            Unit::MessagesPerSecond => ours.summary.median / theirs.summary.median,
        })
    }
}

/// Runs every row and reports; fails if a row has no result.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let plan = Plan::parse(arguments)?;
    let rows: Vec<&'static Row> = ROWS.iter().filter(|row| plan.wants(row)).collect();
    let corpus = plan.out.join("corpus.bin");
    if rows.iter().any(|row| row.shape == Shape::Corpus) {
        let proton = contestant(Against::Proton, &plan.out)?;
        prepare_corpus(&plan.out, &corpus, &[ferrion()?, proton])?;
    }
    let mut games: BTreeMap<&str, Outcome<Game>> = rows
        .iter()
        .map(|row| (row.name, Game::new(row, &plan.out)))
        .collect();
    for round in 0..plan.rounds {
        for row in &rows {
            progress(&format!(
                "round {} of {}: {}",
                round + 1,
                plan.rounds,
                row.title
            ));
            if let Some(game) = games.get_mut(row.name)
                && let Ok(under_way) = game
                && let Err(error) = under_way.play(row, &plan, &corpus, round)
            {
                *game = Err(error);
            }
        }
    }
    progress("");

    let results: Vec<RowResult> = rows
        .into_iter()
        .map(|row| RowResult {
            row,
            measured: games
                .remove(row.name)
                .unwrap_or_else(|| Err("was not run".into()))
                .and_then(Game::end),
        })
        .collect();
    report::print(&results, plan.rounds);
    let file = plan.out.join("results.json");
    report::write(&file, &results, plan.rounds)?;
    println!("\nMachine-readable: {}", file.display());
    let complete = results.iter().all(|result| result.measured.is_ok());
    Ok(if complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A row under way: ferrion and the other, and what they showed so far.
struct Game([(Contestant, Vec<f64>); 2]);

impl Game {
    fn new(row: &Row, out: &Path) -> Outcome<Self> {
        let theirs = contestant(row.against, out)?;
        Ok(Self([(ferrion()?, Vec::new()), (theirs, Vec::new())]))
    }

    /// One round: each once, who goes first changes with the round.
    fn play(&mut self, row: &Row, plan: &Plan, corpus: &Path, round: usize) -> Outcome<()> {
        let (count, warmup) = (
            (row.count / plan.divisor).max(100),
            (row.warmup / plan.divisor).max(50),
        );
        let mut seen: Option<Sample> = None;
        for turn in 0..2 {
            let (contestant, samples) = &mut self.0[(turn + round) % 2];
            let mut work: Vec<String> = row.work.iter().map(ToString::to_string).collect();
            if let (Some(command), Some(other)) = (work.first_mut(), contestant.command) {
                other.clone_into(command);
            }
            work.extend([
                "--count".into(),
                count.to_string(),
                "--warmup".into(),
                warmup.to_string(),
            ]);
            let sample = match row.shape {
                Shape::Alone => run_alone(&contestant.program, &work),
                Shape::Corpus => {
                    work.extend(["--corpus".into(), corpus.display().to_string()]);
                    run_alone(&contestant.program, &work)
                }
                Shape::Together => run_together(&contestant.program, &work),
            }
            .map_err(|error| format!("{}: {error}", contestant.name))?;

            ensure!(
                sample.count == count,
                format!("{} counted {}", contestant.name, sample.count)
            );
            if let Some(other) = &seen {
                // A limit makes nothing of what it moves.
                ensure!(
                    sample.check == other.check || matches!(row.against, Against::Limit { .. }),
                    "the contestants' checksums differ: not the same work"
                );
            }
            let each = sample.nanos as f64 / count as f64;
            samples.push(match row.unit {
                Unit::NanosPerMessage => each,
                Unit::MessagesPerSecond => 1e9 / each,
            });
            seen = Some(sample);
        }
        Ok(())
    }

    fn end(self) -> Outcome<[Measured; 2]> {
        let [ours, theirs] = self.0.map(|(contestant, samples)| {
            Summary::of(&samples).map(|summary| Measured {
                contestant,
                samples,
                summary,
            })
        });
        Ok([ours.ok_or("no run ended")?, theirs.ok_or("no run ended")?])
    }
}

fn ferrion() -> Outcome<Contestant> {
    Ok(Contestant {
        name: "ferrion",
        label: format!("ferrion {}", env!("CARGO_PKG_VERSION")),
        program: std::env::current_exe()?,
        command: None,
    })
}

/// Who is beside ferrion. All but the limits are programs that `bench/run.sh` leaves in the folder `out`.
fn contestant(against: Against, out: &Path) -> Outcome<Contestant> {
    let (label, file) = match against {
        Against::Limit { command, label } => {
            return Ok(Contestant {
                name: against.name(),
                label: label.into(),
                command: Some(command),
                ..ferrion()?
            });
        }
        Against::Proton => ("Proton C", "proton-bench"),
        Against::Fe2o3 => ("fe2o3-amqp", "fe2o3-bench"),
        Against::Rhea => ("rhea", "rhea-bench"),
    };
    let program = out.join(file);
    ensure!(
        program.exists(),
        format!("{} is missing: bench/run.sh builds it", program.display())
    );
    let version = output_of(&program, &["version".into()])?;
    Ok(Contestant {
        name: against.name(),
        label: format!("{label} {}", version.trim()),
        program,
        command: None,
    })
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
        output_of(
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
