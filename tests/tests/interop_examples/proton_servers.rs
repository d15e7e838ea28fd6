//! Proton's examples that listen themselves, and a Messenger that connects to them.

use ferrion_messenger::{Flags, Status};

use crate::support::{
    Example, listening, message_to, messenger, take, take_sequence, work_until_over,
};

/// Those that receive, and the port of each.
fn receivers() -> [(Example, u16); 3] {
    let mut direct = Example::compiled("c-direct", "direct", &["127.0.0.1", "0", "examples", "5"]);
    let port = direct.port();
    [
        (direct, port),
        listening(|port| {
            Example::python(
                "direct_recv",
                &["-a", &format!("127.0.0.1:{port}/examples"), "-m", "5"],
            )
        }),
        listening(|port| {
            let place = format!("127.0.0.1:{port}/examples");
            Example::compiled("cpp-direct_recv", "direct", &["-a", &place, "-m", "5"])
        }),
    ]
}

#[test]
fn the_receivers_print_what_is_sent() {
    for (receiver, port) in receivers() {
        let mut messenger = messenger();
        let address = format!("amqp://127.0.0.1:{port}/examples");
        let trackers: Vec<_> = (0..5)
            .map(|number: u64| {
                let mut message = message_to(&address, &format!("hello {number}"));
                // The receiver in C++ ends at a message without one.
                message.set_message_id(number);
                messenger.put(&message)
            })
            .collect::<Result<_, _>>()
            .expect("room");
        messenger.send().expect("outcomes");
        for tracker in trackers {
            assert_eq!(messenger.status(tracker), Status::Accepted);
        }
        let said = work_until_over(&mut messenger, receiver);
        for number in 0..5 {
            let text = format!("hello {number}");
            assert_eq!(
                said.iter().filter(|line| line.contains(&text)).count(),
                1,
                "{said:?}"
            );
        }
    }
}

#[test]
fn what_the_senders_have_arrives_and_is_acknowledged() {
    let mut direct = Example::compiled("c-direct", "direct", &["127.0.0.1", "0", "examples", "5"]);
    let port = direct.port();
    let senders = [
        (direct, port),
        listening(|port| {
            Example::python(
                "direct_send",
                &["-a", &format!("127.0.0.1:{port}/examples"), "-m", "5"],
            )
        }),
        listening(|port| {
            let place = format!("127.0.0.1:{port}/examples");
            Example::compiled("cpp-direct_send", "direct", &["-a", &place, "-m", "5"])
        }),
    ];
    for (sender, port) in senders {
        let mut messenger = messenger();
        messenger
            .subscribe(&format!("amqp://127.0.0.1:{port}/examples"))
            .expect("a subscription");
        take_sequence(&mut messenger, 5);
        let said = work_until_over(&mut messenger, sender).join("\n");
        let told = said.contains("all messages confirmed")
            || said.contains("5 messages sent and acknowledged");
        assert!(told, "{said}");
    }
}

/// They take acceptance for the end; what is refused is told, and the rest goes on.
#[test]
fn a_sender_hears_that_a_message_is_refused() {
    let mut direct = Example::compiled("c-direct", "direct", &["127.0.0.1", "0", "examples", "2"]);
    let port = direct.port();
    let mut messenger = messenger();
    messenger
        .subscribe(&format!("amqp://127.0.0.1:{port}/examples"))
        .expect("a subscription");
    let (first, _) = take(&mut messenger);
    messenger.reject(first, Flags::NONE).expect("a tracker");
    let (second, _) = take(&mut messenger);
    messenger.accept(second, Flags::NONE).expect("a tracker");
    messenger.stop().expect("an orderly end");
    assert_eq!(messenger.status(first), Status::Rejected);
    assert_eq!(messenger.status(second), Status::Accepted);
}
