//! What a peer's library is known to do to some messages: `tests/interop/exceptions.tsv`, which says how to read it.

use super::{Api, Library};
use serde_json::{Value, json};

/// What becomes of a message on its way through a library.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It arrives, as this.
    Arrives(Value),
    /// The library can not encode it.
    Unsendable,
    /// The library can not decode it.
    Refused,
    /// The library encodes something that is no legal message.
    Illegal,
}

/// Which way a message goes through a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The library receives it.
    Decodes,
    /// The library receives it, and the program prints it.
    Shows,
    /// The library sends it.
    Encodes,
    /// The library sends what it received.
    Returns,
}

/// Says what becomes of a message that goes through this library this way: the exception that is written down for the
/// case, or else the message as it is.
///
/// # Panics
///
/// When the table can not be read.
pub fn fate(library: Library, api: Api, way: Way, case: &str, message: &Value) -> Fate {
    let ways: &[Way] = match way {
        Way::Decodes | Way::Encodes => &[way],
        Way::Shows => &[Way::Shows, Way::Decodes],
        Way::Returns => &[Way::Returns, Way::Decodes, Way::Encodes],
    };
    let row = ways
        .iter()
        .find_map(|way| rows().find(|row| row.is_about(library, api, *way, case)));
    row.map_or_else(|| Fate::Arrives(message.clone()), |row| row.befall(message))
}

/// The rows of the table that name no case of `names`: an exception for something that is not tested says nothing.
///
/// # Panics
///
/// When the table can not be read.
pub fn idle_rows(names: &[String]) -> Vec<String> {
    rows()
        .filter(|row| !names.iter().any(|name| row.names(name)))
        .map(|row| row.case.to_owned())
        .collect()
}

struct Row {
    who: &'static str,
    way: &'static str,
    case: &'static str,
    fate: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    include_str!("../../interop/exceptions.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&'static str> = line.split('\t').collect();
            let [who, way, case, fate, why] = fields[..] else {
                panic!("not five fields: {line}")
            };
            assert!(!why.is_empty(), "an exception needs a reason: {line}");
            Row {
                who,
                way,
                case,
                fate,
            }
        })
}

impl Row {
    fn is_about(&self, library: Library, api: Api, way: Way, case: &str) -> bool {
        let library = match library {
            Library::Proton => "proton",
            Library::Rhea => "rhea",
        };
        let way = match way {
            Way::Decodes => "decodes",
            Way::Shows => "shows",
            Way::Encodes => "encodes",
            Way::Returns => "returns",
        };
        let (who, codec) = self
            .who
            .split_once(':')
            .unwrap_or_else(|| panic!("no codec in {:?}", self.who));
        who == library && is(codec, api.name()) && is(self.way, way) && self.names(case)
    }

    fn names(&self, case: &str) -> bool {
        match self.case.strip_suffix('*') {
            Some(value) => case == value || case.strip_suffix(", as an annotation") == Some(value),
            None => case == self.case,
        }
    }

    fn befall(&self, message: &Value) -> Fate {
        let parse = |json: &str| {
            serde_json::from_str(json).unwrap_or_else(|error| panic!("{}: {error}", self.case))
        };
        let (what, rest) = self.fate.split_once(' ').unwrap_or((self.fate, ""));
        let mut message = message.clone();
        match what {
            "unsendable" => return Fate::Unsendable,
            "refused" => return Fate::Refused,
            "illegal" => return Fate::Illegal,
            "message" => message = parse(rest),
            "value" if message["body"][0] == "value" => message["body"][1] = parse(rest),
            "value" => message["message_annotations"][1][0][1] = parse(rest),
            "without" | "no" => {
                message
                    .as_object_mut()
                    .and_then(|sections| sections.remove(rest));
            }
            "last" => {
                let last = message["body"][1]
                    .as_array()
                    .and_then(|parts| parts.last())
                    .cloned();
                message["body"][1] = json!([last]);
            }
            _ => panic!("{}: no such fate: {}", self.case, self.fate),
        }
        Fate::Arrives(message)
    }
}

fn is(pattern: &str, word: &str) -> bool {
    pattern == "*" || pattern == word
}
