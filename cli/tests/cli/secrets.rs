//! What the command prints: never a password, wherever it was given, and whatever becomes of it.

use crate::common::{Ran, ferrion, listen, nobody, temporary_file};

const SECRET: &str = "open-sesame";

fn hides(what: &str, ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains(SECRET), "{what}: {text}");
    }
}

#[test]
fn logins_in_addresses_and_from_the_environment_are_printed_without_their_password() {
    let users = temporary_file("users", format!("ann:{SECRET}\nbob:another\n").as_bytes());
    let users = users.to_str().unwrap();
    let (receiver, address) = listen(&["-n", "2", "--trace", "--users", users]);
    for (user, code) in [("ann", 0), ("bob", 1), ("nobody", 1)] {
        let with_password = address.replace("://", &format!("://{user}:{SECRET}@"));
        let ran = ferrion(["send", "--trace", &with_password]);
        let ran = ran.stdin("x\n").run();
        assert_eq!(ran.code, code, "{user}: {}", ran.stderr);
        assert!(ran.stderr.contains("sasl-init"), "{}", ran.stderr);
        hides(user, &ran);
    }
    let ran = ferrion(["send", "--trace", "--user", "ann", &address]);
    let ran = ran.env("FERRION_PASSWORD", SECRET).stdin("x\n").run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    hides("the environment", &ran);
    let received = receiver.finish();
    assert!(received.stderr.contains("sasl-init"), "{}", received.stderr);
    hides("the receiver", &received);
}

#[test]
fn errors_do_not_repeat_the_password_of_an_address_or_of_a_file() {
    let nowhere = nobody();
    for address in [
        format!("ann:{SECRET}@{nowhere}/x"),
        format!("amqp://ann:{SECRET}@ho st/x"),
        format!("amqp://ann:{SECRET}@{nowhere}0/x"),
        format!("http://ann:{SECRET}@{nowhere}/x"),
    ] {
        for command in ["send", "recv"] {
            let ran = ferrion([command, &address]).stdin("x\n").run();
            assert_eq!(ran.code, 1, "{address}: {}", ran.stderr);
            assert!(!ran.stderr.is_empty());
            hides(&address, &ran);
        }
        let ran = ferrion(["send", &nowhere, "--alternative", &address]);
        hides(&address, &ran.stdin("x\n").run());
    }
    let users = temporary_file("users", format!("ann {SECRET}\n").as_bytes());
    let ran = ferrion(["recv", "~127.0.0.1:0", "--users", users.to_str().unwrap()]).run();
    assert_eq!(ran.code, 1);
    hides("a file without a colon", &ran);
}

#[test]
fn a_login_that_is_decoded_is_told_without_what_it_proves_itself_by() {
    // A SASL header, and a sasl-init with PLAIN.
    let response = format!("\0ann\0{SECRET}");
    let mut body = b"\xa3\x05PLAIN\xa0".to_vec();
    body.push(u8::try_from(response.len()).unwrap());
    body.extend(response.as_bytes());
    let list = u8::try_from(body.len() + 1).unwrap();
    let frame = [&[0, 0x53, 0x41, 0xc0, list, 2], &body[..]].concat();
    let size = u8::try_from(frame.len() + 8).unwrap();
    let octets = [
        b"AMQP\x03\x01\0\0",
        &[0, 0, 0, size, 2, 1, 0, 0][..],
        &frame,
    ]
    .concat();
    let ran = ferrion(["decode"]).stdin_octets(&octets).run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("sasl-init") && ran.stdout.contains("PLAIN"),
        "{}",
        ran.stdout
    );
    hides("decode", &ran);
    // Cut short, it is no frame; what is said of it tells no more.
    let ran = ferrion(["decode"])
        .stdin_octets(&octets[..octets.len() - 1])
        .run();
    assert_eq!(ran.code, 1);
    hides("decode of a part", &ran);
}
