//! Routes and rewrites: patterns over addresses, and what a match turns into.
//!
//! In a pattern `%` stands for any run of characters without `/`, `*` for any run at all, and
//! everything else for itself; the whole address must match. Wildcards take as much as they can,
//! the first one first. In the replacement `$1`, `$2` ... are what the wildcards took, `$0` is the
//! whole address, and `$$` a dollar sign; a group that does not exist is empty.
//!
//! Matching takes time proportional to the address, for any pattern, so that an address chosen by a
//! peer (a `reply-to`) cannot stall anyone.

use std::fmt;

use super::address::without_password;
use crate::error::{Error, Result};

/// An ordered list of rules; the first that matches wins.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    rules: Vec<(Pattern, Option<Template>)>,
}

/// Not what they lead to: there may be passwords in it.
impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns = self
            .rules
            .iter()
            .map(|(pattern, _)| without_password(&pattern.text));
        f.debug_list().entries(patterns).finish()
    }
}

impl Rules {
    /// Appends a rule. A replacement of `None` turns a matching address into no address at all.
    pub(crate) fn add(&mut self, pattern: &str, replacement: Option<&str>) -> Result<()> {
        let template = replacement
            .map(|text| Template::new(pattern, text))
            .transpose()?;
        self.rules.push((Pattern::new(pattern), template));
        Ok(())
    }

    /// Removes the first rule with exactly this pattern.
    pub(crate) fn remove(&mut self, pattern: &str) -> bool {
        let found = self.rules.iter().position(|(rule, _)| rule.text == pattern);
        found.map(|at| self.rules.remove(at)).is_some()
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// What stands before the name in the targets that lead to one place whatever matches: scheme, user, host and port.
    pub(crate) fn fixed_targets(&self) -> Vec<String> {
        let templates = self.rules.iter().filter_map(|(_, to)| to.as_ref());
        templates.filter_map(Template::fixed_place).collect()
    }

    /// What becomes of `address`: `None` if no rule matches, `Some(None)` if it is suppressed.
    #[expect(
        clippy::option_option,
        reason = "no rule and no address are different answers"
    )]
    pub(crate) fn apply(&self, address: &str) -> Option<Option<String>> {
        self.rules.iter().find_map(|(pattern, template)| {
            let groups = pattern.matches(address)?;
            Some(
                template
                    .as_ref()
                    .map(|template| template.expand(address, &groups)),
            )
        })
    }
}

/// One side of a rule: what an address must look like.
#[derive(Clone)]
struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// `%`
    Segment,
    /// `*`
    Any,
}

/// What a wildcard took: the octets from `.0` to `.1`.
type Group = (usize, usize);

impl Pattern {
    fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        for c in text.chars() {
            let wildcard = match c {
                '%' => Part::Segment,
                '*' => Part::Any,
                _ => {
                    literal.push(c);
                    continue;
                }
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(wildcard);
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Self {
            text: text.to_owned(),
            parts,
        }
    }

    /// What the wildcards take, if the whole of `address` matches.
    ///
    /// First from the right: from which positions can the rest of the pattern reach the end? One
    /// pass per part, so no path is ever tried twice. Then from the left: every wildcard goes to the
    /// farthest position from which the rest still can.
    fn matches(&self, address: &str) -> Option<Vec<Group>> {
        // Cheap refusals first: most rules do not match.
        if let Some(Part::Literal(literal)) = self.parts.first()
            && !address.starts_with(literal.as_str())
        {
            return None;
        }
        let text = address.as_bytes();
        let mut reachable = Vec::with_capacity(self.parts.len());
        let mut rest = Positions::only(text.len());
        for part in self.parts.iter().rev() {
            let before = match part {
                Part::Literal(literal) => rest.before_literal(text, literal.as_bytes()),
                Part::Segment => rest.before_segment(text),
                Part::Any => rest.before_any(),
            };
            if before.is_empty() {
                return None;
            }
            reachable.push(std::mem::replace(&mut rest, before));
        }
        if !rest.contains(0) {
            return None;
        }
        let mut at = 0;
        let mut groups = Vec::new();
        for (part, rest) in self.parts.iter().zip(reachable.iter().rev()) {
            let end = match part {
                Part::Literal(literal) => {
                    at += literal.len();
                    continue;
                }
                Part::Segment => {
                    let tail = text.get(at..).unwrap_or_default();
                    let run = tail
                        .iter()
                        .position(|octet| *octet == b'/')
                        .unwrap_or(tail.len());
                    rest.last_in(at, at + run)?
                }
                Part::Any => rest.last_in(at, text.len())?,
            };
            groups.push((at, end));
            at = end;
        }
        Some(groups)
    }
}

/// A set of positions in an address, as bits.
struct Positions {
    bits: Vec<u64>,
    len: usize,
}

impl Positions {
    fn none(len: usize) -> Self {
        Self {
            bits: vec![0; len / 64 + 1],
            len,
        }
    }

    /// Of an address of `len` octets, its end only.
    fn only(len: usize) -> Self {
        let mut set = Self::none(len);
        set.insert(len);
        set
    }

    fn insert(&mut self, at: usize) {
        if let Some(word) = self.bits.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn contains(&self, at: usize) -> bool {
        self.bits
            .get(at / 64)
            .is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    fn is_empty(&self) -> bool {
        self.bits.iter().all(|word| *word == 0)
    }

    /// The largest member in `from..=to`.
    fn last_in(&self, from: usize, to: usize) -> Option<usize> {
        (from..=to.min(self.len))
            .rev()
            .find(|at| self.contains(*at))
    }

    /// Where `literal` must begin so that it ends at a member.
    fn before_literal(&self, text: &[u8], literal: &[u8]) -> Self {
        let mut set = Self::none(self.len);
        for (at, window) in text.windows(literal.len().max(1)).enumerate() {
            if self.contains(at + literal.len()) && window == literal {
                set.insert(at);
            }
        }
        set
    }

    /// Where a run without `/` may begin so that it ends at a member.
    fn before_segment(&self, text: &[u8]) -> Self {
        let mut set = Self::none(self.len);
        let mut open = false;
        for at in (0..=self.len).rev() {
            // Stepping back over a '/' closes every run that would have had to cross it.
            open = self.contains(at) || open && text.get(at) != Some(&b'/');
            if open {
                set.insert(at);
            }
        }
        set
    }

    /// Where any run may begin so that it ends at a member: everywhere up to the last one.
    fn before_any(&self) -> Self {
        let mut set = Self::none(self.len);
        if let Some(last) = self.last_in(0, self.len) {
            for at in 0..=last {
                set.insert(at);
            }
        }
        set
    }
}

/// The other side of a rule: what a match becomes.
#[derive(Clone)]
struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone)]
enum Piece {
    Literal(String),
    Group(usize),
}

impl Template {
    fn new(pattern: &str, text: &str) -> Result<Self> {
        let bad = |what: &str| Error::InvalidPattern {
            pattern: format!(
                "{} -> {}",
                without_password(pattern),
                without_password(text)
            ),
            reason: what.to_owned(),
        };
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '$' {
                literal.push(c);
                continue;
            }
            let mut group = None::<usize>;
            while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                chars.next();
                let digit = digit as usize;
                let next = group
                    .unwrap_or(0)
                    .checked_mul(10)
                    .and_then(|g| g.checked_add(digit));
                group = Some(next.ok_or_else(|| bad("a group number that large cannot exist; count them from 1 up to the last of the pattern"))?);
            }
            match group {
                Some(group) => {
                    if !literal.is_empty() {
                        pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    }
                    pieces.push(Piece::Group(group));
                }
                None if chars.next_if_eq(&'$').is_some() => literal.push('$'),
                None => return Err(bad("after '$' there must be a group number or another '$'")),
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self { pieces })
    }

    /// What stands before the name, unless it depends on what matched.
    fn fixed_place(&self) -> Option<String> {
        let literal = match self.pieces.first() {
            Some(Piece::Literal(literal)) => literal,
            Some(Piece::Group(_)) | None => return None,
        };
        let (scheme, rest) = literal.split_at(literal.find("://").map_or(0, |at| at + 3));
        match rest.split_once('/') {
            Some((place, _)) => Some(format!("{scheme}{place}")),
            // A group may follow, and be part of it.
            None => (self.pieces.len() == 1).then(|| literal.clone()),
        }
    }

    fn expand(&self, address: &str, groups: &[Group]) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            text.push_str(match piece {
                Piece::Literal(literal) => literal,
                Piece::Group(0) => address,
                Piece::Group(n) => {
                    let range = n.checked_sub(1).and_then(|n| groups.get(n));
                    // Wildcards begin and end at '/', at a literal or at the end: never inside a character.
                    range
                        .and_then(|(from, to)| address.get(*from..*to))
                        .unwrap_or_default()
                }
            });
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Rules;

    fn apply(pattern: &str, template: &str, address: &str) -> Option<String> {
        let mut rules = Rules::default();
        rules.add(pattern, Some(template)).unwrap();
        rules.apply(address).map(Option::unwrap)
    }

    #[test]
    fn places_are_fixed_where_no_group_is_part_of_them() {
        let mut rules = Rules::default();
        for target in [
            "amqp://a:1/$1",
            "b",
            "amqps://joe:s$$x@[::1]/q$1/$2",
            "amqp://c$1/q",
            "$1",
            "amqp://$1:5/q",
            "amqp://d:$2",
            "ws://~e:0/$0",
        ] {
            rules.add("*", Some(target)).unwrap();
        }
        rules.add("*", None).unwrap();
        assert_eq!(
            rules.fixed_targets(),
            ["amqp://a:1", "b", "amqps://joe:s$x@[::1]", "ws://~e:0"]
        );
    }

    #[test]
    fn wildcards_take_what_they_should() {
        for (pattern, template, address, expected) in [
            ("%/%/%", "<$1><$2><$3>", "a/b/c", Some("<a><b><c>")),
            ("%/%/%", "$1", "a/b", None),
            ("*", "<$1>", "anything/at/all", Some("<anything/at/all>")),
            ("*", "<$1>", "", Some("<>")),
            ("%", "<$1>", "", Some("<>")),
            ("", "empty", "", Some("empty")),
            ("", "empty", "x", None),
            ("amqp://%", "amqp://$1", "amqp://foo", Some("amqp://foo")),
            ("amqp://%/%", "$1|$2", "amqp://foo/bar", Some("foo|bar")),
            ("amqp://%", "$1", "amqp://foo/bar", None),
            ("amqp://*", "$1", "amqp://foo/bar", Some("foo/bar")),
            ("a*b*c", "<$1><$2>", "axbxbxc", Some("<xbx><x>")),
            ("a%b*c", "<$1><$2>", "axb/bxc", Some("<x></bx>")),
            ("*/%", "<$1><$2>", "a/b/c", Some("<a/b><c>")),
            ("%/*", "<$1><$2>", "a/b/c", Some("<a><b/c>")),
            ("**", "<$1><$2>", "ab", Some("<ab><>")),
            ("%%", "<$1><$2>", "ab", Some("<ab><>")),
            ("%%", "", "a/b", None),
            ("*%", "<$1><$2>", "a/b", Some("<a/b><>")),
            ("%*", "<$1><$2>", "a/b", Some("<a></b>")),
            ("a%a", "<$1>", "aa", Some("<>")),
            ("a%a", "<$1>", "a", None),
            ("aab*", "$1", "aaab", None),
            ("*aab", "$1", "aaab", Some("a")),
            ("é%ü", "$1$1", "éöü", Some("öö")),
            ("literal", "x", "literal", Some("x")),
            ("literal", "x", "literally", None),
        ] {
            let got = apply(pattern, template, address);
            assert_eq!(
                got.as_deref(),
                expected,
                "{pattern} -> {template} on {address}"
            );
        }
    }

    #[test]
    fn replacements_expand_groups() {
        assert_eq!(
            apply("%.%", "$0 $2 $1 $3 $$1 $$", "a.b").unwrap(),
            "a.b b a  $1 $"
        );
        let many = "%.".repeat(100);
        let address: String = (1..=100).map(|n| format!("g{n}.")).collect();
        assert_eq!(
            apply(&many, "$1-$64-$65-$100-$101", &address).unwrap(),
            "g1-g64-g65-g100-"
        );
        for bad in ["$", "a$", "$x", "$99999999999999999999999"] {
            assert!(Rules::default().add("*", Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_match_wins_and_rules_can_be_removed() {
        let mut rules = Rules::default();
        rules.add("a%", Some("first")).unwrap();
        rules.add("*", Some("second")).unwrap();
        rules.add("b", None).unwrap();
        assert_eq!(rules.apply("ab"), Some(Some("first".to_owned())));
        assert_eq!(rules.apply("b"), Some(Some("second".to_owned())));
        assert!(rules.remove("*"));
        assert!(!rules.remove("*"));
        assert_eq!(rules.apply("b"), Some(None));
        assert_eq!(rules.apply("c"), None);
        rules.clear();
        assert_eq!(rules.apply("ab"), None);
    }

    #[test]
    fn whole_addresses_are_rewritten() {
        assert_eq!(apply("a", "b", "a").unwrap(), "b");
        assert_eq!(
            apply("amqp://%@*", "amqp://$2", "amqp://joe:x@host/n").unwrap(),
            "amqp://host/n"
        );
        assert_eq!(
            apply("amqp://%/*", "$2@$1", "amqp://host/node").unwrap(),
            "node@host"
        );
        assert_eq!(apply("*", "$1", "u:p@host").unwrap(), "u:p@host");
    }

    /// Backtracking matchers need longer than the age of the universe for these.
    #[test]
    fn hostile_addresses_take_linear_time() {
        let pattern = "%a".repeat(40) + "b";
        let address = "a".repeat(50_000);
        assert_eq!(apply(&pattern, "", &address), None);
        let pattern = "*a%".repeat(30) + "*b";
        assert_eq!(apply(&pattern, "", &address), None);
        assert!(apply(&"*".repeat(64), "$1", &address).is_some());
    }
}
