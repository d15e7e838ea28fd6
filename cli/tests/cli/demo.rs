//! `ferrion demo`: what it counts, and in which form it says so.

use crate::common::ferrion;

#[test]
fn all_messages_are_accepted_and_the_json_object_says_so() {
    let ran = ferrion(["demo", "--count", "2000", "--size", "321", "--json"]).run();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("one JSON object");
    let members: Vec<_> = report
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        members,
        [
            "sent",
            "accepted",
            "rejected",
            "released",
            "modified",
            "rate",
            "latency_us"
        ]
    );
    assert_eq!(
        (report["sent"].as_u64(), report["accepted"].as_u64()),
        (Some(2000), Some(2000))
    );
    assert!(report["rate"].as_f64().expect("a number") > 0.0);
    let latency = |name: &str| report["latency_us"][name].as_u64().expect("a number");
    assert!(0 < latency("p50") && latency("p50") <= latency("p90"));
    assert!(latency("p90") <= latency("p99") && latency("p99") <= latency("max"));
}

#[test]
fn the_summary_is_for_people_and_progress_is_for_terminals() {
    let ran = ferrion(["demo", "--count", "1500", "--window", "1", "--size", "0"]).run();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(
        ran.stdout
            .starts_with("1,500 messages of 0 octets over TCP"),
        "{}",
        ran.stdout
    );
    for name in [
        "sent",
        "accepted",
        "rejected",
        "released",
        "modified",
        "rate",
        "latency p50",
        "p99",
        "max",
    ] {
        assert!(ran.stdout.contains(name), "no {name} in:\n{}", ran.stdout);
    }
}
