//! What is written by users and by peers and read here: addresses and routes.

use crate::core::address::{Address, without_credentials, without_password};
use crate::core::route::Rules;

/// The first line is a user's name, all that follows the rest of an address. What an address means does not change when it is
/// written anew, and nothing that is shown of it depends on the password.
pub fn address(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let (user, rest) = text.split_once('\n').unwrap_or(("joe", text));
    plain(rest);
    if user.contains('/') {
        // It would not be a user's name.
        return;
    }
    let [one, other] = ["sesame", "%6Fpen-thyself"].map(|word| format!("{user}:{word}@{rest}"));
    plain(&one);
    assert_eq!(without_password(&one), without_password(&other));
    assert_eq!(without_credentials(&one), without_credentials(&other));
    match (Address::parse(&one), Address::parse(&other)) {
        (Ok(one), Ok(other)) => {
            assert_eq!(format!("{one:?}"), format!("{other:?}"));
            let passwords = (one.password.as_deref(), other.password.as_deref());
            assert_ne!(passwords.0, passwords.1);
        }
        (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
        (one, other) => panic!("a password decides: {one:?} {other:?}"),
    }
}

fn plain(text: &str) {
    let stripped = without_credentials(text);
    assert!(without_password(text).len() <= 256 + 3);
    let Ok(address) = Address::parse(text) else {
        return;
    };
    let again = Address::parse(&stripped).expect("it is good without user and password");
    let expected = Address {
        user: None,
        password: None,
        ..address.clone()
    };
    assert_eq!(again, expected);
    if !address.host.is_empty() {
        // What errors call it can be written where it came from.
        let endpoint = Address::parse(&address.endpoint()).expect("an endpoint is an address");
        assert_eq!(endpoint.endpoint(), address.endpoint());
        assert_eq!(endpoint.is_loopback(), address.is_loopback());
    }
    assert_eq!(address.is_dynamic(), address.node() == "#");
}

/// The longest address, and the most parts of a pattern, at which every way to match is tried.
const FEW_CHARACTERS: usize = 12;
const FEW_PARTS: usize = 6;

/// The first line is an address, then come patterns and what they lead to, in turn. What the first matching rule makes of the
/// address is what trying everything finds.
pub fn routes(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.split('\n');
    let address = lines.next().unwrap_or_default();
    let mut rules = Rules::default();
    let mut patterns = Vec::new();
    while let Some(pattern) = lines.next() {
        let target = lines.next();
        if rules.add(pattern, target).is_ok() {
            patterns.push((pattern, target));
        }
    }
    for target in rules.fixed_targets() {
        assert!(patterns.iter().any(|(_, to)| to.is_some()), "{target}");
    }
    assert!(format!("{rules:?}").starts_with('['));
    let found = rules.apply(address);
    let parts = |pattern: &str| pattern.matches(['%', '*']).count();
    if address.chars().count() <= FEW_CHARACTERS
        && patterns.iter().all(|(it, _)| parts(it) <= FEW_PARTS)
    {
        assert_eq!(found, naive(&patterns, address), "{patterns:?} {address}");
    }
    for (pattern, _) in &patterns {
        assert!(rules.remove(pattern));
    }
    assert_eq!(rules.apply(address), None);
}

/// By the definition: the first wildcard takes as much as it can, then the next.
#[expect(
    clippy::option_option,
    reason = "no rule and no address are different answers"
)]
fn naive(patterns: &[(&str, Option<&str>)], address: &str) -> Option<Option<String>> {
    patterns.iter().find_map(|(pattern, target)| {
        let mut groups = Vec::new();
        matches(pattern, address, &mut groups)
            .then(|| target.map(|target| expand(target, address, &groups)))
    })
}

fn matches<'a>(pattern: &str, address: &'a str, groups: &mut Vec<&'a str>) -> bool {
    let mut characters = pattern.chars();
    let Some(first) = characters.next() else {
        return address.is_empty();
    };
    let pattern = characters.as_str();
    if !matches!(first, '%' | '*') {
        let rest = address.strip_prefix(first);
        return rest.is_some_and(|rest| matches(pattern, rest, groups));
    }
    let known = groups.len();
    let ends = (0..=address.len()).rev();
    for (taken, rest) in ends.filter_map(|end| address.split_at_checked(end)) {
        if first == '%' && taken.contains('/') {
            continue;
        }
        groups.push(taken);
        if matches(pattern, rest, groups) {
            return true;
        }
        groups.truncate(known);
    }
    false
}

/// A target that was taken as good.
fn expand(target: &str, address: &str, groups: &[&str]) -> String {
    let mut text = String::new();
    let mut rest = target;
    while let Some((before, after)) = rest.split_once('$') {
        text.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            text.push('$');
            rest = after;
            continue;
        }
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = after.split_at(digits);
        match number.parse::<usize>().expect("a number") {
            0 => text.push_str(address),
            number => text.push_str(groups.get(number - 1).unwrap_or(&"")),
        }
        rest = after;
    }
    text + rest
}
