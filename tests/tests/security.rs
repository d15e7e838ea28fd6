//! What SECURITY.md says of limits is what the code does.

use std::collections::BTreeMap;

use ferrion_engine::{Config, SessionConfig};

const PAGE: &str = include_str!("../../SECURITY.md");

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
