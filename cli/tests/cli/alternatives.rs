//! `--alternative`, `--give-up-after` and `--wait-for-peer`: what happens where nobody is, or is not yet.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::common::{ferrion, listen, nobody};

#[test]
fn where_nobody_is_the_alternatives_are_tried_in_turn() {
    let (receiver, address) = listen(&["-n", "2"]);
    let place = address
        .trim_start_matches("amqp://")
        .trim_end_matches("/queue");
    let (first, second) = (nobody(), nobody());
    let sent = ferrion([
        "send",
        &format!("{first}/queue"),
        "--alternative",
        &second,
        "--alternative",
        place,
    ])
    .stdin("one\ntwo\n")
    .run();
    assert_eq!(
        (sent.code, sent.stdout.as_str()),
        (0, "1 accepted\n2 accepted\n"),
        "{}",
        sent.stderr
    );
    let told = format!("no connection to amqp://{first}; trying amqp://{second}\n");
    assert!(sent.stderr.contains(&told), "{}", sent.stderr);
    let told = format!("no connection to amqp://{second}; trying amqp://{place}\n");
    assert!(sent.stderr.contains(&told), "{}", sent.stderr);
    assert_eq!(receiver.finish().stdout, "one\ntwo\n");
}

#[test]
fn who_is_not_there_yet_is_waited_for_if_that_is_asked_for() {
    // The port is given back, so that the receiver can have it later.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let place = listener.local_addr().expect("its address").to_string();
    drop(listener);
    let sender = ferrion(["send", &format!("{place}/queue"), "--wait-for-peer"])
        .stdin("patience\n")
        .start();
    // It cannot be seen from outside that it was refused once; a moment is enough for it mostly.
    std::thread::sleep(Duration::from_millis(200));
    let receiver = ferrion(["recv", &format!("~{place}"), "-n", "1", "--timeout", "20"]).start();
    let sent = sender.finish();
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    assert_eq!(receiver.finish().stdout, "patience\n");
}

#[test]
fn patience_with_who_never_comes_has_an_end() {
    let place = nobody();
    let begun = Instant::now();
    let received = ferrion(["recv", &place, "--wait-for-peer", "--give-up-after", "0.5"]).run();
    assert_eq!(received.code, 1, "{}", received.stderr);
    assert!(
        received.stderr.contains("cannot connect"),
        "{}",
        received.stderr
    );
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(10), "it took {taken:?}");

    // Without patience there is one attempt.
    let received = ferrion(["recv", &place, "--give-up-after", "0"]).run();
    assert_eq!(received.code, 1);
    assert!(!received.stderr.contains("trying"), "{}", received.stderr);
}

#[test]
fn an_alternative_that_is_no_place_is_named() {
    let sent = ferrion(["send", "127.0.0.1/x", "--alternative", "host:port"])
        .stdin("a\n")
        .run();
    assert_eq!(sent.code, 1);
    assert!(sent.stderr.contains("host:port"), "{}", sent.stderr);
}
