//! `docs/reference.md`: everything that `include/ferrion.h` declares, object by object, to be read on its own.
//!
//! Text and signatures are the header's. What belongs together is taken from the sources: each of their files is a section, its
//! first sentence the title.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::header;
use crate::support::{sources, tree};

/// The folders (or files) of `ffi/src`, the chapter that each is, the title of what is in its `mod.rs`, and the order in which
/// its other files come, where that of the alphabet says nothing.
const CHAPTERS: &[(&str, &str, &str, &[&str])] = &[
    ("status.rs", "Statuses and errors", "", &[]),
    ("types.rs", "Octets", "", &[]),
    ("version.rs", "Versions", "", &[]),
    (
        "messenger",
        "The Messenger",
        "Begin, wait, end",
        &[
            "queue",
            "outcomes",
            "subscribe",
            "request",
            "batch",
            "addresses",
            "settings",
            "login",
            "tls",
            "reconnect",
            "events",
            "recovery",
            "passive",
        ],
    ),
    ("messages.rs", "Batches of messages", "", &[]),
    (
        "message",
        "Messages",
        "Make, encode, decode",
        &["shortcuts", "sections", "fields"],
    ),
    ("value", "Values", "Make, encode, decode", &["put", "get"]),
    (
        "engine",
        "The engine",
        "Make and free",
        &[
            "config",
            "login",
            "octets",
            "events",
            "handles",
            "connection",
            "session_config",
            "session",
            "link_config",
            "link",
            "send_options",
            "sender",
            "receiver",
            "state",
        ],
    ),
];

/// What a call answers because of what is handed to it: a parameter of this kind, and the statuses.
const BY_KIND: &[(&str, &[&str])] = &[
    ("const char *", &["FERRION_INVALID_ARGUMENT"]),
    (
        "const ferrion_value_t *",
        &["FERRION_INVALID_ARGUMENT", "FERRION_STATE"],
    ),
    ("ferrion_session_t ", HANDLE),
    ("ferrion_link_t ", HANDLE),
    ("ferrion_delivery_t ", HANDLE),
];
const HANDLE: &[&str] = &["FERRION_STALE_HANDLE", "FERRION_WRONG_KIND"];

/// What needs no place at each function.
const ANY_CALL: &str = "\
## Statuses of any call

With each function stand the statuses that its text names, and those that come of what is handed to it. Any call can also answer:

- `FERRION_NULL_POINTER`: a pointer is NULL, and the function does not say that it may be.
- `FERRION_INVALID_ARGUMENT`: a number is none of the enum's; text is not UTF-8; there are no values, or several, where one belongs.
- `FERRION_BUSY`, `FERRION_POISONED`, `FERRION_PANIC`: the object is in use by another call, or a fault of the library's hit it.
- `FERRION_OTHER`: a failure that has no number yet.

Calls of the Messenger that wait or work also answer `FERRION_TIMEOUT`, `FERRION_INTERRUPTED`, `FERRION_WOULD_BLOCK` in non-blocking
mode, and what became of connections: `FERRION_CONNECT`, `FERRION_LISTEN`, `FERRION_LOST`, `FERRION_LOGIN`, `FERRION_REMOTE`,
`FERRION_TLS`, `FERRION_CERTIFICATE`, `FERRION_WEBSOCKET`, `FERRION_SUBSCRIBE`, `FERRION_SYSTEM`.
";

/// A declaration of the header, with the comment above it.
struct Item {
    name: String,
    /// The lines of the declaration.
    code: Vec<String>,
    /// The lines of the comment.
    doc: Vec<String>,
}

/// Writes the page, for a header that is new.
pub(crate) fn bless(header: &str) {
    fs::write(page(), reference(header)).expect("docs/reference.md can be written");
}

fn page() -> PathBuf {
    tree().join("docs/reference.md")
}

#[test]
fn the_reference_is_what_the_header_says() {
    let fresh = reference(header::committed());
    assert!(
        fs::read_to_string(page()).unwrap_or_default() == fresh,
        "docs/reference.md is not what the header says: run `FERRION_BLESS=1 cargo test -p ferrion-ffi` and commit it"
    );
}

#[test]
fn the_reference_has_every_name_of_the_header_once_and_its_links_lead_somewhere() {
    let text = reference(header::committed());
    let heads: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect();
    let places: BTreeSet<&String> = heads.iter().collect();
    assert_eq!(places.len(), heads.len(), "two heads are the same");
    for item in items(header::committed()) {
        assert!(places.contains(&item.name), "{} is missing", item.name);
    }
    let links: Vec<&str> = text
        .split("](#")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect();
    assert!(links.len() > 500, "{} links", links.len());
    for link in links {
        assert!(places.contains(&link.to_owned()), "#{link} is nowhere");
    }
}

/// The page.
fn reference(header: &str) -> String {
    let items = items(header);
    let sections = sections(&items);
    let mut page = String::from(
        "# Reference of ferrion.h\n\n\
         <!-- Written by `FERRION_BLESS=1 cargo test -p ferrion-ffi` from include/ferrion.h; do not edit. -->\n\n\
         Every function, type and constant of `ferrion.h`, by what it is about. How to build a program with it, and programs to\n\
         start from, are in `docs/c.md`; `docs/embedding.md` tells how the engine is driven. Numbers in brackets are parts and\n\
         sections of the AMQP 1.0 specification.\n\n",
    );
    for (chapter, sections) in &sections {
        let _ = writeln!(page, "- [{chapter}](#{})", anchor(chapter));
        for (title, _) in sections.iter().filter(|(title, _)| !title.is_empty()) {
            let _ = writeln!(page, "  - [{title}](#{})", anchor(title));
        }
    }
    page += "\n## Rules\n\nThey hold for every function.\n\n";
    let names = links(&items);
    page += &linked(&rules(header), "", &names);
    page.push('\n');
    page += &linked(ANY_CALL, "", &names);
    for (chapter, sections) in &sections {
        let _ = write!(page, "\n## {chapter}\n");
        for (title, items) in sections {
            if !title.is_empty() {
                let _ = write!(page, "\n### {title}\n");
            }
            for item in items {
                page += &entry(item, &names);
            }
        }
    }
    page
}

/// The comment at the top of the header: its list of rules.
fn rules(header: &str) -> String {
    let comment = header.split("*/").next().unwrap_or_default();
    let (_, rules) = comment
        .split_once("for every function:\n *\n")
        .expect("the rules of the header");
    let mut text = String::new();
    for line in rules.lines().map(|line| line.trim_start_matches(" *")) {
        let (word, rest) = line.split_at(line.len().min(13));
        match word.trim() {
            "" if rest.is_empty() => text += "\n",
            "" => {
                let _ = writeln!(text, "  {}", rest.trim());
            }
            _ if line.starts_with(" C99") => {
                let _ = writeln!(text, "{}", line.trim());
            }
            word => {
                let _ = writeln!(text, "- **{word}** {}", rest.trim());
            }
        }
    }
    text.trim_end().to_owned() + "\n"
}

type Sections<'a> = Vec<(String, Vec<&'a Item>)>;

/// The chapters, the titled sections of each, and what is in them, in the order of the header: types first, then functions.
fn sections(items: &[Item]) -> Vec<(&'static str, Sections<'_>)> {
    let root = tree().join("ffi/src");
    let files: Vec<(String, String)> = sources(&root)
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).expect("a source file");
            (relative(file, &root), text)
        })
        .collect();
    let mut found: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for item in items {
        let heads = ["fn ", "struct ", "enum "].map(|head| format!("{head}{}", item.name));
        let file = files.iter().find(|(_, text)| {
            heads.iter().any(|head| {
                text.match_indices(head.as_str()).any(|(at, _)| {
                    let next = text[at + head.len()..].chars().next();
                    next.is_none_or(|c| !c.is_alphanumeric() && c != '_')
                })
            })
        });
        let (file, _) = file.unwrap_or_else(|| panic!("{} is defined nowhere", item.name));
        found.entry(file).or_default().push(item);
    }
    let title = |file: &str| {
        let (_, text) = files.iter().find(|(name, _)| name == file).expect("a file");
        first_sentence(text)
    };
    let mut chapters = Vec::new();
    for (folder, chapter, own, order) in CHAPTERS {
        let place = |file: &str| {
            let stem = file
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .trim_end_matches(".rs");
            let place = order.iter().position(|name| *name == stem);
            (stem != "mod", place.unwrap_or(order.len()), stem.to_owned())
        };
        let mut inside: Vec<&str> = found
            .keys()
            .copied()
            .filter(|file| file == folder || file.starts_with(&format!("{folder}/")))
            .collect();
        inside.sort_by_key(|file| place(file));
        let sections: Sections<'_> = inside
            .into_iter()
            .filter_map(|file| {
                let head = if file == *folder {
                    String::new()
                } else if file.ends_with("/mod.rs") {
                    format!("{chapter}: {}", own.to_lowercase())
                } else {
                    title(file)
                };
                found.remove(file).map(|items| (head, items))
            })
            .collect();
        assert!(!sections.is_empty(), "{folder} declares nothing");
        chapters.push((*chapter, sections));
    }
    assert!(found.is_empty(), "a chapter for {:?}", found.keys());
    chapters
}

fn relative(file: &Path, root: &Path) -> String {
    let path = file.strip_prefix(root).expect("a file of the folder");
    path.to_string_lossy().into_owned()
}

/// The first sentence of the comment that a source file begins with, without its full stop, or what is before its colon.
fn first_sentence(text: &str) -> String {
    let words: Vec<&str> = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .collect();
    let words = words.join(" ");
    let end = [". ", ": "].iter().filter_map(|end| words.find(end)).min();
    words[..end.unwrap_or(words.len())]
        .trim_end_matches('.')
        .to_owned()
}

/// A function or a type, with its own head.
fn entry(item: &Item, names: &BTreeMap<&str, &str>) -> String {
    let mut text = format!("\n#### {}\n\n", item.name);
    let first = item.code[0].as_str();
    let prose = linked(&item.doc.join("\n"), &item.name, names);
    if first.starts_with("typedef enum") {
        let _ = writeln!(text, "{prose}\n\n| Constant | Number | |\n|---|---|---|");
        for (name, number, doc) in members(item) {
            let doc = linked(&doc, &item.name, names);
            let _ = writeln!(
                text,
                "| `{name}` | {number} | {} |",
                doc.replace('|', "\\|")
            );
        }
    } else if first.starts_with("typedef struct {") {
        let _ = writeln!(text, "{prose}\n\n| Field | Type | |\n|---|---|---|");
        for (name, kind, doc) in members(item) {
            let doc = linked(&doc, &item.name, names);
            let _ = writeln!(
                text,
                "| `{name}` | `{kind}` | {} |",
                doc.replace('|', "\\|")
            );
        }
    } else if first.starts_with("typedef") {
        let _ = writeln!(text, "{prose}");
    } else {
        let _ = writeln!(text, "```c\n{}\n```\n\n{prose}", item.code.join("\n"));
        if first.starts_with("ferrion_status ") {
            let _ = writeln!(text, "\n*Statuses:* {}.", statuses(item, names));
        }
    }
    text
}

/// What a call answers: the statuses that its text names, and those that come of what is handed to it.
fn statuses(item: &Item, names: &BTreeMap<&str, &str>) -> String {
    let (doc, code) = (item.doc.join(" "), item.code.join(" "));
    let walks = item.name.starts_with("ferrion_value_");
    let kinds = BY_KIND
        .iter()
        .filter(|(kind, _)| code.contains(kind) && !(walks && kind.contains("value_t")))
        .flat_map(|(_, statuses)| *statuses)
        .copied();
    let mut found = vec!["FERRION_OK"];
    for name in words(&doc).chain(kinds) {
        if names.get(name) == Some(&"ferrion_status") && !found.contains(&name) {
            found.push(name);
        }
    }
    format!(
        "`{}`, and [those of any call](#statuses-of-any-call)",
        found.join("`, `")
    )
}

/// Every name that can be linked to, and the head that it is found under.
fn links(items: &[Item]) -> BTreeMap<&str, &str> {
    let mut names = BTreeMap::new();
    for item in items {
        names.insert(item.name.as_str(), item.name.as_str());
        if item.code[0].starts_with("typedef enum") {
            for line in &item.code {
                let word = line.trim().split(' ').next().unwrap_or_default();
                if word.starts_with("FERRION_") {
                    names.insert(word, &item.name);
                }
            }
        }
    }
    names
}

/// The words that can be names.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("ferrion_") || word.starts_with("FERRION_"))
}

/// Text in which every name of the header, but for one's own, is a link.
fn linked(text: &str, own: &str, names: &BTreeMap<&str, &str>) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some(at) = ["ferrion_", "FERRION_"]
        .iter()
        .filter_map(|head| rest.find(head))
        .min()
    {
        let end = rest[at..]
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .map_or(rest.len(), |len| at + len);
        let name = &rest[at..end];
        let end = end + if rest[end..].starts_with("()") { 2 } else { 0 };
        let word = &rest[at..end];
        let quoted = rest[..at].ends_with('`') && rest[end..].starts_with('`');
        let alone = rest[..at].matches('`').count().is_multiple_of(2);
        let (before, after) = if quoted { (at - 1, end + 1) } else { (at, end) };
        done += &rest[..before];
        match names.get(name) {
            // Its own page is here, and inside of code there are no links.
            Some(head) if *head != own && (quoted || alone) => {
                let _ = write!(done, "[`{word}`](#{head})");
            }
            _ if quoted || alone => {
                let _ = write!(done, "`{word}`");
            }
            _ => done += word,
        }
        rest = &rest[after..];
        if !quoted && !alone {
            // The code that goes on behind the name ends before the next one is looked at.
            let close = rest.find('`').map_or(rest.len(), |len| len + 1);
            done += &rest[..close];
            rest = &rest[close..];
        }
    }
    done + rest
}

/// The members of an enum (name, number, text), or the fields of a struct (name, type, text).
fn members(item: &Item) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    let mut doc = Vec::new();
    for line in &item.code[1..item.code.len() - 1] {
        let line = line.trim();
        if line.starts_with("/*") || line.starts_with('*') {
            doc.extend(comment_line(line).filter(|line| !line.is_empty()));
        } else if let Some((name, number)) = line.trim_end_matches(',').split_once(" = ") {
            all.push((name.to_owned(), number.to_owned(), doc.join(" ")));
            doc.clear();
        } else {
            let line = line.trim_end_matches(';');
            let at = line.rfind([' ', '*']).expect("a type and a name") + 1;
            let kind = line[..at].trim().to_owned();
            all.push((line[at..].to_owned(), kind, doc.join(" ")));
            doc.clear();
        }
    }
    all
}

/// The declarations of the header, in its order.
fn items(header: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut doc = Vec::new();
    let mut code: Vec<String> = Vec::new();
    let mut in_comment = false;
    for line in header.lines() {
        if code.is_empty() && (in_comment || line.starts_with("/*")) {
            if !in_comment {
                doc.clear();
            }
            doc.extend(comment_line(line));
            in_comment = !line.ends_with("*/");
            continue;
        }
        let nothing = line.is_empty() || line.starts_with(['#', '}']) || line.starts_with("extern");
        if code.is_empty() && nothing {
            continue;
        }
        code.push(line.to_owned());
        let first = code[0].as_str();
        let block = first.ends_with('{');
        if line.ends_with(';') && (!block || line.starts_with('}')) {
            let name = if block {
                line.trim_start_matches("} ").trim_end_matches(';')
            } else if first.starts_with("typedef") {
                line.trim_end_matches(';')
                    .rsplit(' ')
                    .next()
                    .unwrap_or_default()
            } else {
                let head = first.split('(').next().unwrap_or_default();
                head.rsplit([' ', '*']).next().unwrap_or_default()
            };
            items.push(Item {
                name: name.to_owned(),
                code: std::mem::take(&mut code),
                doc: std::mem::take(&mut doc),
            });
        }
    }
    assert!(items.len() > 500, "{} items", items.len());
    items
}

/// What a line of a comment says; nothing for one that only begins or ends it.
fn comment_line(line: &str) -> Option<String> {
    let line = line.trim();
    if line == "/**" || line == "*/" {
        return None;
    }
    let line = line
        .trim_start_matches("/**")
        .trim_start_matches('*')
        .trim_end_matches("*/");
    Some(line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned())
}

/// How a head is linked to: as the usual viewers of Markdown make it.
fn anchor(head: &str) -> String {
    head.to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
