//! `send` and `recv` over TLS, with certificates in files, and over WebSocket.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::common::{ferrion, listen_on, temporary_file};

/// Files: the authority's certificate, a certificate for 127.0.0.1, and its key.
fn certificates() -> [String; 3] {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "authority");
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&own, &issuer).unwrap();
    [
        ("authority.pem", authority.pem()),
        ("own.pem", certificate.pem()),
        ("own.key", own.serialize_pem()),
    ]
    .map(|(name, text)| {
        let path = temporary_file(name, text.as_bytes());
        path.to_str().unwrap().to_owned()
    })
}

#[test]
fn messages_travel_between_two_commands_that_show_each_other_certificates() {
    let [ca, cert, key] = certificates();
    let own = ["--ca", &ca, "--cert", &cert, "--key", &key];
    let mut args = vec!["-n", "1", "--client-certificates", "require"];
    args.extend(own);
    let (receiver, address) = listen_on("amqps", &args);
    // Who has no certificate does not come in, and who trusts nobody does not go.
    let stranger = ferrion(["send", &address, "--ca", &ca]).stdin("x\n").run();
    assert_eq!(stranger.code, 1);
    assert!(
        stranger.stderr.contains("wants a certificate"),
        "{}",
        stranger.stderr
    );
    let mut args = vec!["send", &address];
    args.extend(["--cert", &cert, "--key", &key, "--ca", &cert]);
    let distrustful = ferrion(args).stdin("x\n").run();
    assert_eq!(distrustful.code, 1);
    assert!(
        distrustful.stderr.contains("not trusted"),
        "{}",
        distrustful.stderr
    );
    let mut args = vec!["send", &address];
    args.extend(own);
    let sent = ferrion(args).stdin("over TLS\n").run();
    assert_eq!(
        (sent.code, sent.stdout.as_str()),
        (0, "1 accepted\n"),
        "{}",
        sent.stderr
    );
    let received = receiver.finish();
    assert_eq!((received.code, received.stdout.as_str()), (0, "over TLS\n"));
}

#[test]
fn messages_travel_through_a_websocket_at_the_path_that_was_set() {
    let (receiver, address) = listen_on("ws", &["-n", "1", "--websocket-path", "/amqp"]);
    let lost = ferrion(["send", &address]).stdin("x\n").run();
    assert_eq!(lost.code, 1);
    assert!(lost.stderr.contains("404"), "{}", lost.stderr);
    let sent = ferrion(["send", &address, "--websocket-path", "/amqp"]);
    let sent = sent.stdin("through the web\n").run();
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let received = receiver.finish();
    assert_eq!(
        (received.code, received.stdout.as_str()),
        (0, "through the web\n")
    );
}

#[test]
fn a_file_that_is_missing_is_named() {
    let ran = ferrion(["send", "amqps://127.0.0.1/x", "--ca", "no-such-file.pem"]).run();
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no-such-file.pem"), "{}", ran.stderr);
    let ran = ferrion(["recv", "amqps://~127.0.0.1:0"]).run();
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("needs a certificate"), "{}", ran.stderr);
}
