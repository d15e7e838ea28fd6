//! `ferrion send` and `ferrion recv` with each other, over TCP: bodies, whole messages, outcomes, logins, failures.

use std::time::{Duration, Instant};

use crate::common::{ferrion, listen, nobody, temporary_file};

#[test]
fn lines_arrive_in_order_and_each_outcome_is_reported() {
    let (receiver, address) = listen(&["-n", "3"]);
    let sent = ferrion(["send", &address])
        .stdin("one\n\nthree \u{20ac}")
        .run();
    assert_eq!(
        (sent.code, sent.stdout.as_str()),
        (0, "1 accepted\n2 accepted\n3 accepted\n"),
        "{}",
        sent.stderr
    );
    let received = receiver.finish();
    assert_eq!(
        (received.code, received.stdout.as_str()),
        (0, "one\n\nthree \u{20ac}\n"),
        "{}",
        received.stderr
    );
}

#[test]
fn more_messages_than_the_window_of_either_side() {
    let lines: String = (0..5000).map(|i| format!("line {i}\n")).collect();
    let (receiver, address) = listen(&["-n", "5000"]);
    let sent = ferrion(["send", "--quiet", "--window", "7", &address])
        .stdin(&lines)
        .run();
    assert_eq!(
        (sent.code, sent.stdout.as_str()),
        (0, ""),
        "{}",
        sent.stderr
    );
    let received = receiver.finish();
    assert_eq!(received.code, 0, "{}", received.stderr);
    assert!(
        received.stdout == lines,
        "{} octets came, {} were sent",
        received.stdout.len(),
        lines.len()
    );
}

#[test]
fn files_are_messages_octet_by_octet() {
    let (receiver, address) = listen(&["-n", "2", "--json"]);
    let one = temporary_file("send", b"\0\xffone\n");
    let two = temporary_file("send", b"");
    let sent = ferrion([
        "send".as_ref(),
        "--file".as_ref(),
        address.as_ref(),
        one.as_os_str(),
        two.as_os_str(),
    ])
    .run();
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let received = receiver.finish();
    let bodies: Vec<_> = received
        .stdout
        .lines()
        .map(|line| line.split_once(r#""body":"#).expect("a body").1)
        .collect();
    assert_eq!(
        bodies,
        [r#"{"data":["AP9vbmUK"]}}"#, r#"{"data":[""]}}"#],
        "{}",
        received.stderr
    );
}

#[test]
fn a_whole_message_travels_as_json_without_loss() {
    let message = concat!(
        r#"{"header":{"durable":true,"priority":7,"ttl":60000,"first_acquirer":false,"delivery_count":2},"#,
        r#""message_annotations":{"x-opt-a":[null,true,{"ulong":"18446744073709551615"},{"char":"ß"}]},"#,
        r#""properties":{"message_id":{"uuid":"00112233-4455-6677-8899-aabbccddeeff"},"user_id":{"binary":"Zw=="},"#,
        r#""to":"TO","subject":"s","correlation_id":{"ulong":7},"content_type":"text/plain","creation_time":1700000000000},"#,
        r#""application_properties":{"f":{"float":0.1},"d":{"decimal64":"2238000000000001"},"b":{"byte":-1}},"#,
        r#""body":{"sequence":[[{"map":[[{"symbol":"k"},{"array":[{"uint":1},{"uint":0}]}]]}],[{"described":[{"symbol":"a:b"},"x"]}]]},"#,
        r#""footer":{"x-sum":{"binary":"AQI="}}}"#
    );
    let (receiver, address) = listen(&["-n", "1", "--json"]);
    let sent = ferrion(["send", "--json", &address]).stdin(message).run();
    assert_eq!(
        (sent.code, sent.stdout.as_str()),
        (0, "{\"message\":1,\"outcome\":\"accepted\"}\n"),
        "{}",
        sent.stderr
    );
    let received = receiver.finish();
    assert_eq!(
        received.stdout.trim_end(),
        message.replace(r#""to":"TO""#, &format!(r#""to":"{address}""#)),
        "{}",
        received.stderr
    );
}

#[test]
fn every_outcome_reaches_the_sender_and_its_exit_code() {
    for (outcome, name) in [
        ("reject", "rejected"),
        ("release", "released"),
        ("modify", "modified"),
    ] {
        let (receiver, address) = listen(&["-n", "2", "--outcome", outcome]);
        let sent = ferrion(["send", &address]).stdin("a\nb\n").run();
        assert_eq!(sent.code, 3, "{name}: {}", sent.stderr);
        assert!(
            sent.stdout.starts_with(&format!("1 {name}")),
            "{}",
            sent.stdout
        );
        assert!(
            sent.stdout.contains(&format!("\n2 {name}")),
            "{}",
            sent.stdout
        );
        let received = receiver.finish();
        assert_eq!(
            (received.code, received.stdout.as_str()),
            (0, "a\nb\n"),
            "{}",
            received.stderr
        );
    }
}

#[test]
fn a_large_message_arrives_whole() {
    let body: String = (0_u32..1 << 19)
        .map(|i| char::from(b'a' + (i % 26) as u8))
        .collect();
    let (receiver, address) = listen(&["-n", "1"]);
    let sent = ferrion(["send", "--data", &address]).stdin(&body).run();
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let received = receiver.finish();
    assert!(
        received.stdout.trim_end() == body,
        "{} octets came",
        received.stdout.len()
    );
}

#[test]
fn a_file_without_users_does_not_let_everyone_in() {
    let users = temporary_file("users", b"# nobody yet\n");
    let ran = ferrion(["recv", "~127.0.0.1:0", "--users", users.to_str().unwrap()]).run();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("names no user"), "{}", ran.stderr);
}

#[test]
fn only_those_with_a_password_get_in_when_there_are_users() {
    let users = temporary_file("users", b"# who may come\nalice:s3cret\n");
    let users = users.to_str().expect("a plain path");
    let (receiver, address) = listen(&["-n", "2", "--users", users]);
    let with = |login: &str| address.replace("amqp://", &format!("amqp://{login}@"));

    let refused = ferrion(["send", "--timeout", "5", &with("alice:wrong")])
        .stdin("no\n")
        .run();
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    assert!(
        refused.stderr.contains("cannot log in"),
        "{}",
        refused.stderr
    );
    assert!(
        !refused.stderr.contains("wrong@"),
        "a password in an error: {}",
        refused.stderr
    );

    let sent = ferrion(["send", &with("alice:s3cret")])
        .stdin("first\n")
        .run();
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let sent = ferrion(["send", "--user", "alice", &address])
        .env("FERRION_PASSWORD", "s3cret")
        .stdin("second\n")
        .run();
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let received = receiver.finish();
    assert_eq!(
        (received.code, received.stdout.as_str()),
        (0, "first\nsecond\n"),
        "{}",
        received.stderr
    );

    let sent = ferrion(["send", "--user", "alice", &address])
        .stdin("x\n")
        .run();
    assert_eq!(sent.code, 1);
    assert!(sent.stderr.contains("FERRION_PASSWORD"), "{}", sent.stderr);
}

#[test]
fn a_closed_port_is_an_error_with_its_cause_and_not_a_hang() {
    let address = format!("{}/x", nobody());
    let begin = Instant::now();
    let sent = ferrion(["send", &address]).stdin("a\n").run();
    assert_eq!((sent.code, sent.stdout.as_str()), (1, "1 aborted\n"));
    assert!(
        sent.stderr.contains("cannot connect") && sent.stderr.contains("refused"),
        "{}",
        sent.stderr
    );
    let received = ferrion(["recv", &address]).run();
    assert_eq!(received.code, 1);
    assert!(
        received.stderr.contains("cannot connect"),
        "{}",
        received.stderr
    );
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn silence_ends_with_the_timeout() {
    let begin = Instant::now();
    let received = ferrion(["recv", "~127.0.0.1:0", "--timeout", "0.2"]).run();
    assert_eq!(received.code, 4, "{}", received.stderr);
    // A peer that takes the connection and then says nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    let sent = ferrion(["send", "--timeout", "0.2", &address])
        .stdin("a\n")
        .run();
    assert_eq!(sent.code, 4, "{}{}", sent.stdout, sent.stderr);
    assert!(
        sent.stderr
            .contains("no outcome within 0.2 s for 1 messages"),
        "{}",
        sent.stderr
    );
    assert!(begin.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_receiver_without_a_count_ends_well_at_the_timeout() {
    let mut receiver = ferrion(["recv", "~127.0.0.1:0", "--timeout", "1"]).start();
    let address = format!("127.0.0.1:{}", receiver.port());
    let sent = ferrion(["send", &address]).stdin("a\n").run();
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let received = receiver.finish();
    assert_eq!(
        (received.code, received.stdout.as_str()),
        (0, "a\n"),
        "{}",
        received.stderr
    );
}

#[test]
fn bad_input_is_named_and_what_came_before_it_is_sent() {
    let (receiver, address) = listen(&["-n", "1"]);
    let sent = ferrion(["send", "--json", &address])
        .stdin("{\"body\": \"good\"}\n{\"bodi\": 1}\n")
        .run();
    assert_eq!(
        (sent.code, sent.stdout.as_str()),
        (1, "{\"message\":1,\"outcome\":\"accepted\"}\n")
    );
    assert!(
        sent.stderr
            .contains("standard input, line 2: bodi: there is no such section"),
        "{}",
        sent.stderr
    );
    assert_eq!(receiver.finish().stdout, "good\n");
    let sent = ferrion(["send", "not an address"]).stdin("a\n").run();
    assert_eq!(sent.code, 1);
    assert!(sent.stderr.starts_with("ferrion: "), "{}", sent.stderr);
}

#[test]
fn the_trace_shows_the_frames_of_both_directions() {
    let (receiver, address) = listen(&["-n", "1"]);
    let sent = ferrion(["send", "--trace", &address]).stdin("a\n").run();
    for part in [
        "-> @open(16)",
        "<- @open(16)",
        "-> @transfer(20)",
        "<- @disposition(21)",
    ] {
        assert!(sent.stderr.contains(part), "no {part} in:\n{}", sent.stderr);
    }
    assert_eq!(receiver.finish().code, 0);
}

#[test]
fn a_wrong_address_is_told_even_if_there_is_nothing_to_send() {
    let sent = ferrion(["send", "http://127.0.0.1/x"]).stdin("").run();
    assert_eq!(sent.code, 1);
    assert!(sent.stderr.contains("unknown scheme"), "{}", sent.stderr);
}

#[test]
fn messages_without_an_outcome_in_time_are_given_up_at_once_and_told() {
    // The system accepts the connection; nobody ever answers on it.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("{}/x", silent.local_addr().unwrap());
    let begun = Instant::now();
    let sent = ferrion(["send", "--timeout", "1", &address])
        .stdin("one\ntwo")
        .run();
    assert_eq!(
        (sent.code, sent.stdout.as_str()),
        (4, "1 aborted\n2 aborted\n"),
        "{}",
        sent.stderr
    );
    // A second of patience, and at most one more for the farewell.
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(5), "it took {taken:?}");
}
