//! The table for people and the file for programs.

use std::path::Path;

use serde_json::{Value, json};

use crate::stats::Summary;
use crate::suite::{Contestant, RowResult, Unit};
use crate::work::Outcome;

/// Prints the table: medians with their spread, the ratio, and the goal.
pub(crate) fn print(contestants: &[Contestant], results: &[RowResult], rounds: usize) {
    println!(
        "Medians of {rounds} interleaved rounds, each run a process of its own; ± is half the distance between"
    );
    println!("the quartiles. {}", machine());
    println!();
    print!("{:<47}", "");
    contestants
        .iter()
        .for_each(|contestant| print!("{:>22}", contestant.label));
    println!("{:>9}{:>7}", "ratio", "goal");
    for result in results {
        print!("{:<47}", result.row.title);
        match &result.measured {
            Ok(measured) => measured
                .iter()
                .for_each(|one| print!("{:>22}", cell(&one.summary, result.row.unit))),
            Err(error) => print!("  failed: {error}"),
        }
        if let Some(ratio) = result.ratio() {
            let note = if ratio < 1.0 { "  slower!" } else { "" };
            print!(
                "{:>9}{:>7}{note}",
                format!("{ratio:.1}x"),
                format!("{:.0}x", result.row.goal)
            );
        }
        println!();
    }
}

/// Writes everything that was measured.
pub(crate) fn write(
    file: &Path,
    contestants: &[Contestant],
    results: &[RowResult],
    rounds: usize,
) -> Outcome<()> {
    let rows: Vec<Value> = results
        .iter()
        .map(|result| row(contestants, result))
        .collect();
    let labels: Value = contestants
        .iter()
        .map(|one| (one.name.to_owned(), json!(one.label)))
        .collect();
    let whole =
        json!({ "machine": machine(), "rounds": rounds, "contestants": labels, "rows": rows });
    std::fs::write(file, serde_json::to_string_pretty(&whole)? + "\n")?;
    Ok(())
}

fn row(contestants: &[Contestant], result: &RowResult) -> Value {
    let mut row = json!({
        "name": result.row.name,
        "title": result.row.title,
        "unit": match result.row.unit {
            Unit::NanosPerMessage => "ns/message",
            Unit::MessagesPerSecond => "messages/s",
        },
        "goal": result.row.goal,
        "ratio": result.ratio(),
    });
    match &result.measured {
        Ok(measured) => {
            for (contestant, one) in contestants.iter().zip(measured) {
                row[contestant.name] = json!({
                    "median": one.summary.median,
                    "min": one.summary.min,
                    "max": one.summary.max,
                    "spread_percent": one.summary.spread,
                    "samples": one.samples,
                });
            }
        }
        Err(error) => row["error"] = json!(error.to_string()),
    }
    row
}

fn cell(summary: &Summary, unit: Unit) -> String {
    let value = summary.median;
    let text = match unit {
        Unit::NanosPerMessage if value >= 10_000.0 => format!("{:.1} us", value / 1e3),
        Unit::NanosPerMessage if value >= 1000.0 => format!("{:.2} us", value / 1e3),
        Unit::NanosPerMessage if value >= 100.0 => format!("{value:.0} ns"),
        Unit::NanosPerMessage => format!("{value:.1} ns"),
        Unit::MessagesPerSecond => format!("{:.0} k/s", value / 1e3),
    };
    format!("{text} ±{:.0}%", summary.spread)
}

/// The processor and its number of cores, as far as the system tells.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    format!("{}, {cores} cores.", model.unwrap_or("Unknown processor"))
}
