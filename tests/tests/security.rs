//! What SECURITY.md says of limits, and of sums that wrap, is what the code does.

use std::collections::BTreeMap;

use ferrion_engine::{Config, SessionConfig};
use ferrion_messenger::{LinkRecovery, Messenger};

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

/// Numbers of the Messenger that are no settings: how their rows begin, where they are, and what they are called there.
const CONSTANTS: &[(&str, &str, &str)] = &[
    (
        "a frame of SASL, where tokens are taken",
        include_str!("../../messenger/src/core/login.rs"),
        "TOKEN_FRAME",
    ),
    (
        "the head of a WebSocket",
        include_str!("../../messenger/src/driver/web/handshake.rs"),
        "HEAD",
    ),
    (
        "encrypted output",
        include_str!("../../messenger/src/driver/tls/mod.rs"),
        "BACKLOG",
    ),
    (
        "redirects",
        include_str!("../../messenger/src/core/line.rs"),
        "MAX_REDIRECTS",
    ),
    (
        "an address that went wrong",
        include_str!("../../messenger/src/core/faults.rs"),
        "MAX_FAULTS",
    ),
    (
        "connection events",
        include_str!("../../messenger/src/core/trail.rs"),
        "MAX_TRAIL",
    ),
    ("warnings and errors", CORE, "MAX_REMEMBERED"),
    ("the trace", CORE, "MAX_TRACE"),
];
const CORE: &str = include_str!("../../messenger/src/core/mod.rs");

/// A number that a source calls by this name.
fn constant(source: &str, name: &str) -> u64 {
    let (_, rest) = source.split_once(&format!("const {name}: ")).unwrap();
    let (_, rest) = rest.split_once(" = ").unwrap();
    let (number, _) = rest.split_once(';').unwrap();
    let number = number.replace('_', "");
    match number.split_once(" << ") {
        Some((number, bits)) => number.parse::<u64>().unwrap() << bits.parse::<u32>().unwrap(),
        None => number.parse().unwrap(),
    }
}

/// What the page says of engines, and what it says of the Messenger.
fn parts() -> (&'static str, &'static str) {
    PAGE.split_once("### Limits of the Messenger").unwrap()
}

/// The number in the row of the Messenger's table that begins like this.
fn told(first: &str) -> Option<u64> {
    let rows = parts().1.lines();
    let mut rows = rows.filter_map(|line| line.strip_prefix(&format!("| {first} | ")));
    let number = rows.next()?.split(' ').next()?.replace(',', "");
    number.parse().ok()
}

#[test]
fn the_page_has_the_messengers_own_limits() {
    let mut messenger = Messenger::new().unwrap();
    assert_eq!(*messenger.limits(), Config::new("").limits);
    let recovery = LinkRecovery::default();
    let (_, incoming) = messenger.incoming_high_water();
    let (_, outgoing) = messenger.high_water();
    let size = messenger.max_frame_size();
    messenger.set_link_recovery(Some(recovery.clone()));
    let settings = [
        ("`set_all_partial_octets`", messenger.all_partial_octets()),
        ("`set_incoming_high_water`", incoming as u64),
        ("`set_high_water`", outgoing as u64),
        ("`set_max_frame_size`", size.into()),
        (
            "the same, with `set_link_recovery`",
            messenger.max_frame_size().into(),
        ),
        ("`LinkRecovery::max_links`", recovery.max_links as u64),
        ("`LinkRecovery::max_octets`", recovery.max_octets as u64),
        (
            "`set_handshake_time_out`",
            messenger.limits().handshake_time,
        ),
    ];
    for (first, number) in settings {
        assert_eq!(told(first), Some(number), "{first}");
    }
    for (first, source, name) in CONSTANTS {
        assert_eq!(told(first), Some(constant(source, name)), "{first}");
    }
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
    let told: BTreeMap<String, u64> = parts().0.lines().filter_map(row).collect();
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
