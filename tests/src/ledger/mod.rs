//! The conformance ledger: `tests/conformance/` has a row for each normative sentence of the specification, which names the
//! tests that show that ferrion obeys it, or the reason why it binds nobody here. Beside them stand lists of what else is
//! shown, each row with its tests.
//!
//! The sentences are numbered in the order in which they stand in each part; the ledger has the numbers and sections, not the
//! text. `make conformance` prints [`Ledger::table`]; the test `conformance` fails on [`Ledger::faults`].

mod sources;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

pub use sources::Sources;

/// The parts of the specification, and how many normative sentences each has.
pub const PARTS: [(&str, usize); 5] = [
    ("types", 5),
    ("transport", 142),
    ("messaging", 75),
    ("transactions", 36),
    ("security", 20),
];
/// Of this part, sentences may be planned.
const MAY_PLAN: &str = "transactions";
/// Lists whose rows are numbered from 1, each with the tests that show it: what implementations get wrong most often, what
/// programs count on of a Messenger, and what was decided about it.
const LISTS: [(&str, usize); 3] = [
    ("edge_cases", 30),
    ("messenger_cases", 46),
    ("messenger_decisions", 16),
];

/// What became of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// These tests show it.
    Shown(Vec<String>),
    /// It binds nobody here, for this reason.
    Reason(String),
    /// It will be done.
    Planned,
}

/// One row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Part and number, as in `transport-007`; of a list the number.
    pub id: String,
    /// What became of it.
    pub how: How,
}

/// All rows, and what is wrong with them.
#[derive(Debug, Default)]
pub struct Ledger {
    rows: BTreeMap<&'static str, Vec<Row>>,
    faults: Vec<String>,
}

impl Ledger {
    /// Reads the ledger of the workspace at `root`.
    pub fn read(root: &Path) -> Self {
        let mut sources = Sources::new(root);
        let mut ledger = Self::default();
        for (part, _) in PARTS.into_iter().chain(LISTS) {
            let path = root
                .join("tests/conformance")
                .join(part)
                .with_extension("tsv");
            match fs::read_to_string(&path) {
                Ok(text) => ledger.add(part, &text, &mut |test| sources.find(test)),
                Err(e) => ledger.faults.push(format!("{}: {e}", path.display())),
            }
        }
        ledger
    }

    /// Everything that is wrong: rows that are missing, doubled, unknown or malformed, and tests that do not exist.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.wrong_rows().to_vec();
        for (part, _) in PARTS.into_iter().chain(LISTS) {
            let missing = self.missing(part);
            faults.extend(
                missing
                    .iter()
                    .map(|id| format!("{part}.tsv: no row for {id}")),
            );
        }
        faults
    }

    /// What is wrong with the rows that there are.
    pub fn wrong_rows(&self) -> &[String] {
        &self.faults
    }

    /// The ids of a part that have no row.
    pub fn missing(&self, part: &str) -> Vec<String> {
        let rows = self.rows.get(part).map_or(&[][..], Vec::as_slice);
        ids(part)
            .into_iter()
            .filter(|id| rows.iter().all(|row| row.id != *id))
            .collect()
    }

    /// How many sentences of each part are shown, reasoned away, planned, and missing; then the missing ids.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, cells: [usize; 5]| {
            let [all, shown, reason, planned, missing] = cells;
            let _ = writeln!(
                text,
                "{name:<20}{all:>10}{shown:>8}{reason:>10}{planned:>9}{missing:>9}"
            );
        };
        let mut total = [0; 5];
        let mut missing = String::new();
        let mut miss = |part: &str, ids: &[String]| {
            if !ids.is_empty() {
                let _ = writeln!(missing, "missing in {part}: {}", ids.join(" "));
            }
        };
        for (part, count) in PARTS {
            let rows = self.rows.get(part).map_or(&[][..], Vec::as_slice);
            let of = |like: fn(&How) -> bool| rows.iter().filter(|row| like(&row.how)).count();
            let open = self.missing(part);
            let cells = [
                count,
                of(|how| matches!(how, How::Shown(_))),
                of(|how| matches!(how, How::Reason(_))),
                of(|how| matches!(how, How::Planned)),
                open.len(),
            ];
            line(part, cells);
            total = std::array::from_fn(|i| total[i] + cells[i]);
            miss(part, &open);
        }
        line("all", total);
        for (list, count) in LISTS {
            let open = self.missing(list);
            let name = list.replace('_', " ");
            line(&name, [count, count - open.len(), 0, 0, open.len()]);
            miss(list, &open);
        }
        format!(
            "{:<20}{:>10}{:>8}{:>10}{:>9}{:>9}\n{text}{missing}",
            "part", "sentences", "shown", "reasoned", "planned", "missing"
        )
    }

    /// Takes the rows of one file; `find` says whether a test exists.
    fn add(
        &mut self,
        part: &'static str,
        text: &str,
        find: &mut dyn FnMut(&str) -> Result<(), String>,
    ) {
        let known = ids(part);
        for (number, line) in (1..).zip(text.lines()) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let read = if LISTS.iter().any(|(list, _)| *list == part) {
                listed(line, find)
            } else {
                sentence(part, line, find)
            };
            let rows = self.rows.entry(part).or_default();
            let fault = match read {
                Err(why) => why,
                Ok(row) if !known.contains(&row.id) => format!("there is no {}", row.id),
                Ok(row) if rows.iter().any(|other| other.id == row.id) => {
                    format!("{} has a row already", row.id)
                }
                Ok(row) => {
                    rows.push(row);
                    continue;
                }
            };
            self.faults
                .push(format!("{part}.tsv, line {number}: {fault}"));
        }
    }
}

/// The ids that a part must have.
fn ids(part: &str) -> Vec<String> {
    let count = |table: &[(&str, usize)]| {
        let row = table.iter().find(|(name, _)| *name == part);
        row.map_or(0, |(_, count)| *count)
    };
    let sentences = (1..=count(&PARTS)).map(|n| format!("{part}-{n:03}"));
    let listed = (1..=count(&LISTS)).map(|n| n.to_string());
    sentences.chain(listed).collect()
}

/// `id, section, how, what it binds, tests or reason`
fn sentence(
    part: &str,
    line: &str,
    find: &mut dyn FnMut(&str) -> Result<(), String>,
) -> Result<Row, String> {
    let cells: Vec<_> = line.split('\t').collect();
    let &[id, section, how, what, because] = cells.as_slice() else {
        return Err(format!("{} columns where 5 are needed", cells.len()));
    };
    if !is_section(section) {
        return Err(format!("{id}: `{section}` is no section, as 2.4.1 is"));
    }
    if what.trim().is_empty() {
        return Err(format!("{id}: what it binds is not said"));
    }
    let how = match how {
        "shown" => How::Shown(tests(id, because, find)?),
        "reason" if because.trim().is_empty() => return Err(format!("{id}: the reason is empty")),
        "reason" => {
            // Tests that a reason mentions must exist as well.
            let words = because.split(|c: char| c.is_whitespace() || "(),;".contains(c));
            for test in words.filter(|word| word.contains('/') && word.contains("::")) {
                find(test).map_err(|why| format!("{id}: {why}"))?;
            }
            How::Reason(because.to_owned())
        }
        "planned" if part != MAY_PLAN => {
            return Err(format!("{id}: only sentences of {MAY_PLAN} may be planned"));
        }
        "planned" => How::Planned,
        other => return Err(format!("{id}: `{other}` is not shown, reason or planned")),
    };
    let id = id.to_owned();
    Ok(Row { id, how })
}

/// `number, what, tests`
fn listed(line: &str, find: &mut dyn FnMut(&str) -> Result<(), String>) -> Result<Row, String> {
    let cells: Vec<_> = line.split('\t').collect();
    let &[id, what, because] = cells.as_slice() else {
        return Err(format!("{} columns where 3 are needed", cells.len()));
    };
    if what.trim().is_empty() {
        return Err(format!("{id}: what it is about is not said"));
    }
    let how = How::Shown(tests(id, because, find)?);
    let id = id.to_owned();
    Ok(Row { id, how })
}

/// The tests that a row names, all of which must exist.
fn tests(
    id: &str,
    names: &str,
    find: &mut dyn FnMut(&str) -> Result<(), String>,
) -> Result<Vec<String>, String> {
    let names: Vec<_> = names.split_whitespace().map(str::to_owned).collect();
    if names.is_empty() {
        return Err(format!("{id}: no test is named"));
    }
    for name in &names {
        find(name).map_err(|why| format!("{id}: {why}"))?;
    }
    Ok(names)
}

fn is_section(text: &str) -> bool {
    let mut numbers = text.split('.');
    text.contains('.') && numbers.all(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(part: &'static str, text: &str) -> Vec<String> {
        let mut ledger = Ledger::default();
        ledger.add(part, text, &mut |test| match test {
            "tests/credit::exists" => Ok(()),
            other => Err(format!("no {other}")),
        });
        ledger.faults
    }

    #[test]
    fn good_rows_pass() {
        let text = "# a remark\n\
            types-001\t1.6\tshown\teven maps\ttests/credit::exists tests/credit::exists\n\
            types-002\t1.6\treason\tx\tbinds the reader\n";
        assert_eq!(faults("types", text), [""; 0]);
        let planned = "transactions-001\t4.2\tplanned\tx\t";
        assert_eq!(faults("transactions", planned), [""; 0]);
        assert_eq!(faults("edge_cases", "30\tx\ttests/credit::exists"), [""; 0]);
    }

    #[test]
    fn every_kind_of_bad_row_is_found() {
        for (row, why) in [
            ("types-006\t1.6\treason\tx\ty", "there is no types-006"),
            (
                "transport-001\t1.6\treason\tx\ty",
                "there is no transport-001",
            ),
            ("types-001\t1.6\tshown\tx\t", "no test is named"),
            (
                "types-001\t1.6\tshown\tx\ttests/credit::gone",
                "no tests/credit::gone",
            ),
            ("types-001\t1.6\treason\tx\t ", "the reason is empty"),
            (
                "types-001\t1.6\tplanned\tx\t",
                "only sentences of transactions",
            ),
            (
                "types-001\t1.6\treason\tx\tas (tests/credit::gone)",
                "no tests/credit::gone",
            ),
            ("types-001\t1.6\tdone\tx\ty", "`done` is not shown"),
            ("types-001\tmaps\treason\tx\ty", "`maps` is no section"),
            ("types-001\t1.6\treason\t\ty", "what it binds is not said"),
            ("types-001\t1.6\treason\ty", "4 columns"),
        ] {
            let faults = faults("types", row);
            assert_eq!(faults.len(), 1, "{row}");
            assert!(faults[0].contains(why), "{faults:?}");
        }
        let twice = "types-001\t1.6\treason\tx\ty\ntypes-001\t1.6\treason\tx\ty";
        assert_eq!(faults("types", twice).len(), 1);
        assert_eq!(faults("edge_cases", "31\tx\ttests/credit::exists").len(), 1);
        assert_eq!(faults("edge_cases", "1\tx\t").len(), 1);
    }

    #[test]
    fn what_has_no_row_is_missing() {
        let mut ledger = Ledger::default();
        ledger.add("types", "types-002\t1.6\treason\tx\ty", &mut |_| Ok(()));
        let rest = ["types-001", "types-003", "types-004", "types-005"];
        assert_eq!(ledger.missing("types"), rest);
        assert!(
            ledger
                .faults()
                .contains(&"types.tsv: no row for types-001".to_owned())
        );
        assert!(
            ledger
                .table()
                .contains("missing in types: types-001 types-003")
        );
    }
}
