//! Which tests there are, read from the sources: what the compiler would build into a test that runs, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Macros that make tests of the functions whose names they are given.
const RUNNERS: [&str; 4] = [
    "in_every_way",
    "in_every_mode",
    "in_every_mode_over_tcp",
    "over_every_wire",
];

/// Where the folders of the crates are, and what has been read of them.
pub struct Sources {
    root: PathBuf,
    files: BTreeMap<PathBuf, File>,
}

/// What a source file declares, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct File {
    tests: BTreeSet<String>,
    modules: BTreeSet<String>,
}

impl Sources {
    /// The sources below the folder of the workspace.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            files: BTreeMap::new(),
        }
    }

    /// Is `reference` the name of a test that runs? The error says why not.
    ///
    /// `tests/credit::NAME` is the function `NAME` of `tests/tests/credit.rs`; everywhere else the path is that from the
    /// workspace, without `.rs`: `engine/tests/exchange::NAME`, `messenger/src/core/route::NAME`.
    pub fn find(&mut self, reference: &str) -> Result<(), String> {
        let Some((path, name)) = reference.rsplit_once("::") else {
            return Err(format!("`{reference}` is not of the form path::test"));
        };
        let file = match path.strip_prefix("tests/") {
            Some(own) if own.starts_with("src/") => self.root.join(path),
            Some(own) => self.root.join("tests/tests").join(own),
            None => self.root.join(path),
        }
        .with_extension("rs");
        if !file.is_file() {
            return Err(format!(
                "`{reference}`: there is no file {}",
                file.display()
            ));
        }
        if !self.is_built(&file) {
            return Err(format!(
                "`{reference}`: no crate includes {}",
                file.display()
            ));
        }
        if !self.file(&file).tests.contains(name) {
            return Err(format!(
                "`{reference}`: {} has no test of that name that runs",
                file.display()
            ));
        }
        Ok(())
    }

    /// Is the file the root of a target, or a module of one?
    fn is_built(&mut self, file: &Path) -> bool {
        let (Some(dir), Some(stem)) = (file.parent(), file.file_stem().and_then(|s| s.to_str()))
        else {
            return false;
        };
        let is_named = |dir: Option<&Path>, name: &str| {
            dir.and_then(Path::file_name).is_some_and(|n| n == name)
        };
        let is_root = match stem {
            "main" | "lib" if is_named(Some(dir), "src") => true,
            "main" => is_named(dir.parent(), "tests"),
            _ => is_named(Some(dir), "tests"),
        };
        if is_root {
            return true;
        }
        let (module, dir) = match stem {
            "mod" => (dir.file_name().and_then(|n| n.to_str()), dir.parent()),
            _ => (Some(stem), Some(dir)),
        };
        let (Some(module), Some(dir)) = (module, dir) else {
            return false;
        };
        let parents = [
            dir.join("mod.rs"),
            dir.join("main.rs"),
            dir.join("lib.rs"),
            dir.with_extension("rs"),
        ];
        parents.iter().any(|parent| {
            parent.is_file() && self.file(parent).modules.contains(module) && self.is_built(parent)
        })
    }

    fn file(&mut self, path: &Path) -> File {
        if let Some(known) = self.files.get(path) {
            return known.clone();
        }
        let text = fs::read_to_string(path).unwrap_or_default();
        let file = read(&text);
        self.files.insert(path.to_owned(), file.clone());
        file
    }
}

/// Reads a source file. One that is not Rust declares nothing.
fn read(text: &str) -> File {
    let mut file = File::default();
    if let Ok(tokens) = TokenStream::from_str(text) {
        items(tokens, &mut file);
    }
    file
}

/// The attributes before an item.
#[derive(Default)]
struct Attributes {
    test: bool,
    /// Not built, or not run, under circumstances that are not known here.
    doubtful: bool,
}

impl Attributes {
    fn add(&mut self, attribute: TokenStream) {
        let text: String = attribute
            .into_iter()
            .map(|token| token.to_string())
            .collect();
        match text.as_str() {
            "test" => self.test = true,
            // Where the tests are run.
            "cfg(test)" | "cfg(unix)" => {}
            "ignore" => self.doubtful = true,
            other => {
                let starts = ["cfg(", "cfg_attr(", "ignore=", "path="];
                self.doubtful |= starts.iter().any(|start| other.starts_with(start));
            }
        }
    }
}

/// Walks over the items of a module, or of a macro that is given items, as `proptest!` is.
fn items(tokens: TokenStream, file: &mut File) {
    let mut tokens = tokens.into_iter().peekable();
    let mut attributes = Attributes::default();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(p) if p.as_char() == '#' => {
                let inner = tokens.next_if(|t| t.to_string() == "!").is_some();
                let Some(TokenTree::Group(group)) = tokens.next() else {
                    continue;
                };
                attributes.add(group.stream());
                if inner && std::mem::take(&mut attributes).doubtful {
                    return;
                }
            }
            TokenTree::Ident(word) if word == "macro_rules" => {
                // Patterns, not items.
                tokens.by_ref().take(3).for_each(drop);
                attributes = Attributes::default();
            }
            TokenTree::Ident(word) if word == "mod" => {
                let Attributes { doubtful, .. } = std::mem::take(&mut attributes);
                let name = tokens.next().map(|t| t.to_string()).unwrap_or_default();
                match tokens.next() {
                    _ if doubtful => {}
                    Some(TokenTree::Group(body)) => items(body.stream(), file),
                    _ => {
                        file.modules.insert(name);
                    }
                }
            }
            TokenTree::Ident(word) if word == "fn" => {
                let Attributes { test, doubtful } = std::mem::take(&mut attributes);
                if let Some(TokenTree::Ident(name)) = tokens.next()
                    && test
                    && !doubtful
                {
                    file.tests.insert(name.to_string());
                }
                // The body: a function inside a function is no test.
                tokens.by_ref().find(ends_item);
            }
            TokenTree::Ident(word) if tokens.next_if(|t| t.to_string() == "!").is_some() => {
                let doubtful = std::mem::take(&mut attributes).doubtful;
                if let Some(TokenTree::Group(group)) = tokens.next()
                    && !doubtful
                {
                    if RUNNERS.iter().any(|runner| word == runner) {
                        listed(group.stream(), file);
                    } else {
                        items(group.stream(), file);
                    }
                }
            }
            other if ends_item(&other) => attributes = Attributes::default(),
            _ => {}
        }
    }
}

/// The names between the commas.
fn listed(tokens: TokenStream, file: &mut File) {
    let names = tokens.into_iter().filter_map(|token| match token {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    });
    file.tests.extend(names);
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(p) => p.as_char() == ';',
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests_of(text: &str) -> Vec<String> {
        read(text).tests.into_iter().collect()
    }

    #[test]
    fn a_test_is_a_function_with_the_attribute() {
        let text = "
            #[test] fn plain() {}
            #[test] #[should_panic(expected = \"x\")] fn panicking() {}
            /// Documented.
            #[test]
            fn documented() { let _ = \"#[test] fn in_a_string() {}\"; }
            mod inner { #[test] fn deeper() {} }
            #[cfg(test)] mod tests { #[test] fn of_a_module() {} }
            #[cfg(unix)] #[test] fn here() {}
            proptest! { #![proptest_config(config(7))] #[test] fn made(a in any::<u8>(), b in {1..2}) {} }
            in_every_way! { run_in_each, run_too, }
            fn run_in_each(way: Way) {}
        ";
        let found = [
            "deeper",
            "documented",
            "here",
            "made",
            "of_a_module",
            "panicking",
            "plain",
            "run_in_each",
            "run_too",
        ];
        assert_eq!(tests_of(text), found);
    }

    #[test]
    fn what_does_not_run_is_no_test() {
        let text = "
            fn helper() { #[test] fn nested() {} }
            // #[test] fn in_a_comment() {}
            /* #[test] /* */ fn in_a_block() {} */
            #[test] #[ignore] fn ignored() {}
            #[ignore = \"slow\"] #[test] fn ignored_for_a_reason() {}
            #[cfg(any())] #[test] fn configured_away() {}
            #[cfg(feature = \"x\")] mod away { #[test] fn too() {} }
            #[test] struct Taken; fn after_the_attribute_of_another() {}
            macro_rules! never { () => { #[test] fn in_a_pattern() {} } }
            impl X { #[test] fn method() {} }
        ";
        assert_eq!(tests_of(text), [""; 0]);
    }

    #[test]
    fn a_file_counts_only_as_part_of_a_crate() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut sources = Sources::new(&root);
        let own = "a_file_counts_only_as_part_of_a_crate";
        assert_eq!(
            sources.find(&format!("tests/src/ledger/sources::{own}")),
            Ok(())
        );
        assert!(sources.is_built(&root.join("tests/tests/faults/misfortunes.rs")));
        assert!(!sources.is_built(&root.join("tests/tests/faults/nowhere.rs")));
        for wrong in ["tests/credit::nothing", "tests/nowhere::x", "tests/credit"] {
            assert!(sources.find(wrong).is_err());
        }
    }
}
