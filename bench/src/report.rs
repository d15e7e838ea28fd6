//! The table for people and the file for programs.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::rows::{Against, Unit};
use crate::stats::Summary;
use crate::suite::RowResult;
use crate::work::Outcome;

/// Prints a table for each that is beside ferrion: medians with their spread, the ratio, and the goal.
pub(crate) fn print(results: &[RowResult], rounds: usize) {
    println!(
        "Medians of {rounds} interleaved rounds, each run a process of its own; ± is half the distance between"
    );
    println!("the quartiles. {}", machine());
    let mut beside = None;
    for result in results {
        let kind = std::mem::discriminant(&result.row.against);
        if beside.replace(kind) != Some(kind) {
            let measured = result.measured.as_ref().ok();
            let label = measured.map(|[_, theirs]| theirs.contestant.label.as_str());
            heading(result.row.against, label.unwrap_or_default());
        }
        print!("{:<47}", result.row.title);
        match &result.measured {
            Ok(measured) => measured
                .iter()
                .for_each(|one| print!("{:>22}", cell(&one.summary, result.row.unit))),
            Err(error) => print!("  failed: {error}"),
        }
        if let Some(ratio) = result.ratio() {
            let note = match result.row.against {
                Against::Limit { .. } if ratio < result.row.goal => "  short of it",
                Against::Limit { .. } => "",
                _ if ratio < 1.0 => "  slower!",
                _ => "",
            };
            print!(
                "{:>9}{:>7}{note}",
                share(result.row.against, ratio),
                share(result.row.against, result.row.goal)
            );
        }
        println!();
    }
}

fn heading(against: Against, other: &str) {
    let (other, ratio) = match against {
        Against::Limit { .. } => ("the limit", "of it"),
        _ => (other, "ratio"),
    };
    println!();
    println!(
        "{:<47}{:>22}{other:>22}{ratio:>9}{:>7}",
        "", "ferrion", "goal"
    );
}

/// How a ratio is told: of a limit as how much of it was reached.
fn share(against: Against, ratio: f64) -> String {
    match against {
        Against::Limit { .. } => format!("{:.0} %", ratio * 100.0),
        _ if ratio >= 9.95 => format!("{ratio:.0}x"),
        _ => format!("{ratio:.1}x"),
    }
}

/// Writes everything that was measured.
pub(crate) fn write(file: &Path, results: &[RowResult], rounds: usize) -> Outcome<()> {
    let rows: Vec<Value> = results.iter().map(row).collect();
    let labels: BTreeMap<&str, &str> = results
        .iter()
        .filter_map(|result| result.measured.as_ref().ok())
        .flatten()
        .filter(|one| one.contestant.name != "limit")
        .map(|one| (one.contestant.name, one.contestant.label.as_str()))
        .collect();
    let whole =
        json!({ "machine": machine(), "rounds": rounds, "contestants": labels, "rows": rows });
    std::fs::write(file, serde_json::to_string_pretty(&whole)? + "\n")?;
    Ok(())
}

fn row(result: &RowResult) -> Value {
    let mut row = json!({
        "name": result.row.name,
        "title": result.row.title,
        "unit": match result.row.unit {
            Unit::NanosPerMessage => "ns/message",
            Unit::MessagesPerSecond => "messages/s",
        },
        "beside": result.row.against.name(),
        "goal": result.row.goal,
        "ratio": result.ratio(),
    });
    match &result.measured {
        Ok(measured) => {
            for one in measured {
                row[one.contestant.name] = json!({
                    "label": one.contestant.label,
                    "text": quantity(&one.summary, result.row.unit),
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
    format!("{} ±{:.0}%", quantity(summary, unit), summary.spread)
}

/// The median with its unit.
fn quantity(summary: &Summary, unit: Unit) -> String {
    let value = summary.median;
    match unit {
        Unit::NanosPerMessage if value >= 10_000.0 => format!("{:.1} us", value / 1e3),
        Unit::NanosPerMessage if value >= 1000.0 => format!("{:.2} us", value / 1e3),
        Unit::NanosPerMessage if value >= 100.0 => format!("{value:.0} ns"),
        Unit::NanosPerMessage => format!("{value:.1} ns"),
        Unit::MessagesPerSecond => format!("{:.0} k/s", value / 1e3),
    }
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
