//! What servers get wrong, or refuse.

use std::time::Instant;

use ferrion_messenger::ErrorKind;
use ferrion_tests::{
    build,
    interop::{
        PATIENCE,
        script::{self, Script, Step},
    },
    oracle::{AMQP_HEADER, SASL_HEADER, TLS_HEADER},
};

use super::{GRACE, SHORT, exchange};

#[test]
fn every_misfortune_with_a_server_is_an_error_that_says_so() {
    let mut faults = Vec::new();
    for (name, steps, kind, words) in misfortunes() {
        let server = Script::start(steps);
        let place = format!("127.0.0.1:{}", server.port());
        let timeout = if kind == ErrorKind::Timeout {
            SHORT
        } else {
            PATIENCE
        };
        let begun = Instant::now();
        let result = exchange(server.port(), timeout);
        let taken = begun.elapsed();
        let Err(error) = result else {
            faults.push(format!("{name}: all went well"));
            continue;
        };
        let text = error.to_string();
        let told = words
            .iter()
            .chain([&place.as_str()])
            .all(|word| word.split('|').any(|word| text.contains(word)));
        if error.kind() != kind || !told || taken > SHORT + GRACE {
            faults.push(format!(
                "{name}: after {taken:?}: {:?}: {text}",
                error.kind()
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What servers get wrong or refuse, the error it is to a client, and words that its text has to have.
fn misfortunes() -> Vec<(&'static str, Vec<Step>, ErrorKind, &'static [&'static str])> {
    use ErrorKind::{Connect, Login, Lost, Remote, Timeout, Tls};
    let then = |mut steps: Vec<Step>, more: &[Step]| {
        steps.extend_from_slice(more);
        steps
    };
    let raw = |octets: &[u8]| Step::Send(octets.to_vec());
    let frame = |frame: build::Build| Step::Send(frame.octets(0));
    let reason = |condition| build::error(condition).description("for the test").v();
    let header = || vec![Step::Await("header")];
    let offer = |mechanism: &str| {
        let offer = build::sasl_mechanisms().sasl_server_mechanisms(&[mechanism]);
        then(header(), &[raw(&SASL_HEADER), Step::Send(offer.octets(0))])
    };
    let verdict = |code| {
        then(
            offer("ANONYMOUS"),
            &[
                Step::Await("sasl-init"),
                frame(build::sasl_outcome().code(code)),
            ],
        )
    };
    let opened = || {
        then(
            script::login(),
            &[
                Step::Await("open"),
                frame(build::open().container_id("script")),
            ],
        )
    };
    let detach = || build::detach().handle(0).closed(true);
    let refusal = detach().error(reason("amqp:not-found"));
    vec![
        (
            "closes at once",
            vec![Step::Close],
            Connect,
            &["closed|reset"],
        ),
        ("resets at once", vec![Step::Reset], Connect, &["reset"]),
        (
            "speaks HTTP",
            vec![raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")],
            Connect,
            &["does not speak AMQP", "HTTP/1.1"],
        ),
        (
            "speaks SSH",
            vec![raw(b"SSH-2.0-OpenSSH_9\r\n"), Step::Close],
            Connect,
            &["does not speak AMQP", "SSH-2.0-"],
        ),
        (
            "speaks AMQP 0-9-1",
            then(header(), &[raw(b"AMQP\0\0\x09\x01"), Step::Close]),
            Connect,
            &["0.9.1"],
        ),
        (
            "wants TLS",
            then(header(), &[raw(&TLS_HEADER), Step::Close]),
            Tls,
            &["TLS"],
        ),
        (
            "has no SASL",
            then(header(), &[raw(&AMQP_HEADER), Step::Close]),
            Login,
            &["SASL"],
        ),
        (
            "has only unknown mechanisms",
            offer("GSSAPI"),
            Login,
            &["mechanism", "GSSAPI"],
        ),
        ("refuses the login", verdict(1), Login, &["refused"]),
        ("can not check the login", verdict(3), Login, &["server"]),
        (
            "sends a frame of 4 GiB",
            then(script::login(), &[raw(&[255, 255, 255, 255, 2, 0, 0, 0])]),
            Connect,
            &["amqp:connection:framing-error"],
        ),
        (
            "sends a frame of 4 octets",
            then(script::login(), &[raw(&[0, 0, 0, 4, 2, 0, 0, 0])]),
            Connect,
            &["amqp:connection:framing-error"],
        ),
        (
            "sends a frame without a body's place",
            then(script::login(), &[raw(&[0, 0, 0, 8, 1, 0, 0, 0])]),
            Connect,
            &["amqp:connection:framing-error"],
        ),
        (
            "opens without a name",
            then(script::login(), &[frame(build::open())]),
            Connect,
            &["amqp:decode-error", "container-id"],
        ),
        (
            "begins before it opens",
            then(
                script::login(),
                &[frame(
                    build::begin()
                        .next_outgoing_id(0)
                        .incoming_window(1)
                        .outgoing_window(1),
                )],
            ),
            Connect,
            &["broke the protocol"],
        ),
        (
            "closes the connection",
            then(opened(), &[frame(build::close())]),
            Lost,
            &["closed the connection"],
        ),
        (
            "closes the connection for a reason",
            then(
                opened(),
                &[frame(
                    build::close().error(reason("amqp:connection:forced")),
                )],
            ),
            Remote,
            &["connection", "amqp:connection:forced", "for the test"],
        ),
        (
            "closes for a reason, and is gone",
            then(
                opened(),
                &[
                    frame(build::close().error(reason("amqp:connection:forced"))),
                    Step::Close,
                ],
            ),
            Remote,
            &["amqp:connection:forced"],
        ),
        (
            "ends the session",
            then(script::session(), &[frame(build::end())]),
            Lost,
            &["detached the link"],
        ),
        (
            "ends the session for a reason",
            then(
                script::session(),
                &[frame(build::end().error(reason("amqp:not-allowed")))],
            ),
            Remote,
            &["session", "amqp:not-allowed", "for the test"],
        ),
        (
            "refuses the link",
            then(
                script::session(),
                &[
                    Step::Await("attach"),
                    Step::Answer(|attach| script::answer(attach).octets(0)),
                    frame(refusal.clone()),
                ],
            ),
            Remote,
            &["link", "amqp:not-found", "/faults"],
        ),
        (
            "detaches for a reason",
            then(script::link(), &[Step::Await("transfer"), frame(refusal)]),
            Remote,
            &["link", "amqp:not-found"],
        ),
        (
            "detaches",
            then(script::link(), &[Step::Await("transfer"), frame(detach())]),
            Lost,
            &["detached the link"],
        ),
        (
            "resets while a message is not settled",
            then(script::link(), &[Step::Await("transfer"), Step::Reset]),
            Lost,
            &["reset"],
        ),
        (
            "transfers on a handle that is not there",
            then(
                script::link(),
                &[frame(
                    build::transfer()
                        .handle(9)
                        .delivery_id(0)
                        .delivery_tag(b"x")
                        .payload(b"x"),
                )],
            ),
            Lost,
            &["broke the protocol", "amqp:session:unattached-handle"],
        ),
        (
            "uses a channel that is not there",
            then(
                script::link(),
                &[Step::Send(
                    build::flow()
                        .incoming_window(1)
                        .next_outgoing_id(0)
                        .outgoing_window(0)
                        .octets(77),
                )],
            ),
            Lost,
            &["broke the protocol", "channel 77"],
        ),
        (
            "has seen what was never sent",
            then(
                script::link(),
                &[frame(
                    build::flow()
                        .next_incoming_id(99)
                        .incoming_window(1)
                        .next_outgoing_id(0)
                        .outgoing_window(0),
                )],
            ),
            Lost,
            &["broke the protocol"],
        ),
        (
            "sends garbage in a frame",
            then(
                script::link(),
                &[raw(&[0, 0, 0, 12, 2, 0, 0, 0, 255, 255, 255, 255])],
            ),
            Lost,
            &["broke the protocol", "amqp:decode-error"],
        ),
        ("says nothing", vec![], Timeout, &[]),
        (
            "says nothing after the login",
            script::login(),
            Timeout,
            &["not opened"],
        ),
        (
            "does not answer the attach",
            script::session(),
            Timeout,
            &["not attached"],
        ),
        (
            "grants no credit",
            then(
                script::session(),
                &[Step::Await("attach"), Step::Answer(script::answer_attach)],
            ),
            Timeout,
            &["credit"],
        ),
        (
            "does not settle",
            script::link(),
            Timeout,
            &["what became of"],
        ),
    ]
}
