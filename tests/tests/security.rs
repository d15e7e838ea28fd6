//! What SECURITY.md says of limits, and of sums that wrap, is what the code does.

use std::collections::BTreeMap;

use ferrion_engine::{Config, SessionConfig};

const PAGE: &str = include_str!("../../SECURITY.md");
const WORKSPACE: &str = include_str!("../../Cargo.toml");

/// Limits that bound how things are done here, and nothing that a peer could push against.
const OURS: &[&str] = &["chain_octets"];

/// The name and the number in the first two columns of a row.
fn row(line: &str) -> Option<(String, u64)> {
    let mut cells = line.strip_prefix("| `")?.split('|');
    let name = cells.next()?.trim().trim_end_matches('`');
    let number = cells.next()?.trim().replace(',', "");
    Some((name.to_owned(), number.parse().ok()?))
}

#[test]
fn the_page_has_every_limit_with_its_default() {
    let config = Config::new("");
    let text = format!("{:?}", config.limits);
    let fields = text.trim_start_matches("Limits {").trim_end_matches('}');
    let mut defaults: BTreeMap<String, u64> = fields
        .split(',')
        .filter_map(|field| field.split_once(": "))
        .map(|(name, number)| (name.trim().to_owned(), number.trim().parse().unwrap()))
        .filter(|(name, _)| !OURS.contains(&name.as_str()))
        .collect();
    assert!(defaults.len() > 15, "{defaults:?}");
    defaults.insert("max_frame_size".into(), config.max_frame_size.into());
    defaults.insert("channel_max".into(), config.channel_max.into());
    let session = SessionConfig::default();
    defaults.insert("incoming_octets".into(), session.incoming_octets);
    let told: BTreeMap<String, u64> = PAGE.lines().filter_map(row).collect();
    assert_eq!(told, defaults, "SECURITY.md on the left");
}

/// Whether a build catches them cannot be asked in stable Rust, so this reads what the release is built by.
#[test]
fn sums_that_wrap_are_caught_in_release_builds_of_the_engine() {
    let profile = "[profile.release.package.ferrion-engine]";
    let checks = "overflow-checks = true";
    let lines = |of: &str| {
        let mut lines = WORKSPACE
            .lines()
            .map(str::trim)
            .skip_while(|line| *line != of);
        lines.next();
        lines
            .take_while(|line| !line.starts_with('['))
            .collect::<Vec<_>>()
    };
    assert!(
        lines(profile).contains(&checks),
        "{profile} has no {checks}"
    );
    // A profile that is made of that one could switch them off again.
    let switched_off = WORKSPACE
        .lines()
        .any(|line| line.replace(' ', "") == "overflow-checks=false");
    assert!(!switched_off);
    for said in [profile, checks] {
        assert!(
            PAGE.contains(&format!("`{said}`")),
            "SECURITY.md names `{said}`"
        );
    }
}
