//! Puts the results of the last run into README.md, between its two marks: the tables, and the plot that `plot` leaves
//! in `docs`.

use std::fmt::Write;
use std::process::ExitCode;

use serde_json::Value;

use crate::work::{Outcome, ensure};

const BEGIN: &str = "<!-- measured by `make bench`, put here by `make bench-readme` -->\n";
const END: &str = "<!-- end of what was measured -->\n";

/// `--out`: the folder with `results.json`; `--date`: when that was measured.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let (mut out, mut date) = (String::from("target/bench"), String::new());
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if name == "--out" => out.clone_from(value),
            [name, value] if name == "--date" => date.clone_from(value),
            _ => return Err("usage: ferrion-bench readme [--out FOLDER] --date DATE".into()),
        }
    }
    let results = std::fs::read_to_string(format!("{out}/results.json"))?;
    let readme = std::fs::read_to_string("README.md")?;
    let measured = tables(&serde_json::from_str(&results)?, &date)?;
    std::fs::write("README.md", replaced(&readme, &measured)?)?;
    println!("{measured}");
    Ok(ExitCode::SUCCESS)
}

/// `readme` with something else between the marks.
fn replaced(readme: &str, measured: &str) -> Outcome<String> {
    let (before, rest) = readme
        .split_once(BEGIN)
        .ok_or("the first mark is missing in README.md")?;
    let (_, after) = rest
        .split_once(END)
        .ok_or("the second mark is missing in README.md")?;
    Ok(format!(
        "{before}{BEGIN}\n{}\n\n{END}{after}",
        measured.trim_end()
    ))
}

/// A table for all that is beside ferrion, and one for the limits.
fn tables(results: &Value, date: &str) -> Outcome<String> {
    let rows = results["rows"].as_array().ok_or("there are no rows")?;
    ensure!(
        rows.iter().all(|row| row["ratio"].is_number()),
        "a row has no result: run `make bench` to its end first"
    );
    let mut text = format!(
        "Medians of {} interleaved rounds ({} {date}).\n\n",
        results["rounds"],
        results["machine"].as_str().unwrap_or_default()
    );
    text.push_str("| work | ferrion | beside | | ratio |\n|---|---:|---|---:|---:|\n");
    let is_limit = |row: &&Value| row["beside"] == "limit";
    for row in rows.iter().filter(|row| !is_limit(row)) {
        line(&mut text, row, |ratio| format!("{ratio:.1}"))?;
    }
    text.push_str(
        "\n| work | ferrion | the machine's limit | | of it |\n|---|---:|---|---:|---:|\n",
    );
    for row in rows.iter().filter(is_limit) {
        line(&mut text, row, |ratio| format!("{:.0} %", ratio * 100.0))?;
    }
    text.push_str("\n![The time of a message by its size, by links, and by what is unsettled](docs/scale.svg)\n");
    Ok(text)
}

fn line(text: &mut String, row: &Value, told: impl Fn(f64) -> String) -> Outcome<()> {
    let theirs = &row[row["beside"].as_str().ok_or("nobody is beside")?];
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    writeln!(
        text,
        "| {} | {} | {} | {} | {} |",
        words(&row["title"]),
        words(&row["ferrion"]["text"]),
        words(&theirs["label"]),
        words(&theirs["text"]),
        told(row["ratio"].as_f64().unwrap_or_default())
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{BEGIN, END, replaced, tables};

    #[test]
    fn peers_and_limits_have_a_table_each() {
        let row = |beside: &str| {
            json!({
                "title": "work", "beside": beside, "ratio": 0.5, "ferrion": { "text": "2 ns" },
                beside: { "label": beside, "text": "1 ns" },
            })
        };
        let results = json!({ "rounds": 3, "machine": "It.", "rows": [row("rhea"), row("limit")] });
        let text = tables(&results, "today").expect("all is there");
        assert!(text.contains("| work | 2 ns | rhea | 1 ns | 0.5 |"));
        assert!(text.contains("| work | 2 ns | limit | 1 ns | 50 % |"));
    }

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let readme = format!("a\n{BEGIN}old\n{END}b\n");
        let new = replaced(&readme, "new").expect("the marks are there");
        assert_eq!(new, format!("a\n{BEGIN}\nnew\n\n{END}b\n"));
        assert!(replaced("a\n", "new").is_err());
    }
}
