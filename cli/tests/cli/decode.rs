//! `ferrion decode`, as a user runs it: octets in, a trace or an error with its offset out.

use crate::common::{ferrion, temporary_file};

/// A protocol header, an open, a heartbeat, a transfer with payload and a close.
const STREAM: &str = "
    41 4d 51 50 00 01 00 00
    00 00 00 14 02 00 00 00  00 53 10 c0 07 01 a1 04 74 65 73 74
    00 00 00 08 02 00 00 07
    00 00 00 1a 02 00 00 07  00 53 14 c0 06 03 43 43 a0 01 61  00 53 77 a1 02 68 69
    00 00 00 0c 02 00 00 00  00 53 18 45";

#[test]
fn a_stream_is_printed_frame_by_frame_with_its_offsets() {
    let ran = ferrion(["decode", "--hex"])
        .stdin("41 4d 51 50 03 01 00 00 41:4d:51:50:00:01:00:00 0x0000000c02000000 00531845")
        .run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "       0  -  SASL 1.0.0",
            "       8  -  AMQP 1.0.0",
            "      16  0  @close(24) []"
        ]
    );
}

#[test]
fn transfers_say_how_much_payload_they_have() {
    let ran = ferrion(["decode", "--hex"]).stdin(STREAM).run();
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        lines[1].contains("@open(16)") && lines[1].contains("test"),
        "{}",
        lines[1]
    );
    assert!(lines[2].ends_with("7  (empty frame)"), "{}", lines[2]);
    assert!(
        lines[3].contains("@transfer(20)") && lines[3].ends_with("(7 octets of payload)"),
        "{}",
        lines[3]
    );
}

#[test]
fn malformed_input_is_an_error_with_the_offset_after_what_could_be_read() {
    for (input, expected) in [
        (
            "414d5150000100000000000c02000000005318",
            "octet 8: the input ends within a frame of 12 octets, of which 11 are there",
        ),
        (
            "414d515000010000 0000000c02000000 0053ff45",
            "malformed at octet 17",
        ),
        (
            "414d515000010000 0000000b02000000 005310",
            "malformed at octet 19",
        ),
        ("0000000402000000", "octet 0: not a frame: its size is 4"),
        ("0000000803000000", "octet 0: not a frame"),
        ("0000000802070000", "unknown type 7"),
        ("414d51", "octet 0"),
    ] {
        let ran = ferrion(["decode", "--hex"]).stdin(input).run();
        assert_eq!(ran.code, 1, "{input}");
        assert!(ran.stderr.contains(expected), "{input}: {}", ran.stderr);
        let header = input.starts_with("414d51500001");
        assert_eq!(
            ran.stdout.contains("AMQP 1.0.0"),
            header,
            "{input}: {}",
            ran.stdout
        );
    }
}

#[test]
fn a_message_is_printed_by_sections_or_as_json() {
    let message = "005370c0020141 005373c006034040a10171 005377a1026869";
    let ran = ferrion(["decode", "--hex", "--message"])
        .stdin(message)
        .run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("header") && ran.stdout.contains(r#""durable":true"#),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains(r#"{"to":"q"}"#), "{}", ran.stdout);

    let ran = ferrion(["decode", "--hex", "--message", "--json"])
        .stdin("005377a1026869")
        .run();
    assert_eq!(ran.stdout, "{\"body\":{\"value\":\"hi\"}}\n");

    let sniffed = ferrion(["decode"])
        .stdin_octets(b"\0\x53\x77\xa1\x02hi")
        .run();
    assert_eq!(
        sniffed.stdout,
        "body                    {\"value\":\"hi\"}\n"
    );

    let ran = ferrion(["decode", "--hex", "--message"])
        .stdin("005377a10568")
        .run();
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("malformed message") && ran.stderr.contains("at octet"),
        "{}",
        ran.stderr
    );
}

#[test]
fn files_are_read_and_missing_ones_named() {
    let file = temporary_file("decode", b"AMQP\x00\x01\x00\x00");
    let ran = ferrion(["decode".as_ref(), file.as_os_str()]).run();
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "       0  -  AMQP 1.0.0\n")
    );
    let ran = ferrion(["decode", "/nonexistent/file"]).run();
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("cannot read /nonexistent/file"),
        "{}",
        ran.stderr
    );
    let ran = ferrion(["decode", "--hex"]).stdin("xyz").run();
    assert!(
        ran.stderr.contains("line 1, column 1: 'x'"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_wrong_command_line_has_its_own_exit_code() {
    assert_eq!(ferrion(["decode", "--nonsense"]).run().code, 2);
    assert_eq!(ferrion([] as [&str; 0]).run().code, 2);
    assert_eq!(ferrion(["demo", "--count", "0"]).run().code, 2);
    let help = ferrion(["--help"]).run();
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("Exit codes"));
}

#[test]
fn the_examples_of_its_help_are_understood() {
    let help = ferrion(["decode", "--help"]).run();
    let lines = help.stdout.lines().map(str::trim);
    let examples: Vec<_> = lines
        .filter_map(|line| line.strip_prefix("echo '")?.split_once("' | ferrion "))
        .collect();
    assert_eq!(examples.len(), 2, "{}", help.stdout);
    for (input, command) in examples {
        let ran = ferrion(command.split(' ')).stdin(input).run();
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{command}");
    }
}
