//! Who settles when (2.8.2, 2.8.3), as set, and as peers have it.

mod support;

use ferrion_messenger::{
    Credit, Flags, Message, Messenger, ReceiverSettleMode, SenderSettleMode, Status,
};
use support::{client, listen, message_to, text};

/// Gets one message, and says what it was told in return once it was accepted.
fn accept_one(mut server: Messenger) -> std::thread::JoinHandle<(String, Status)> {
    std::thread::spawn(move || {
        server.set_incoming_window(10);
        let mut message = Message::new();
        server.recv(Credit::All).unwrap();
        let tracker = server.get(&mut message).unwrap();
        server.accept(tracker, Flags::NONE).unwrap();
        let status = server.status(tracker);
        // The sender leaves when it knows.
        while server
            .work(Some(std::time::Duration::from_millis(200)))
            .unwrap()
        {}
        assert_eq!(server.status(tracker), status);
        (text(&message), status)
    })
}

fn trace(messenger: &mut Messenger, name: &str) -> Vec<String> {
    std::iter::from_fn(|| messenger.poll_trace())
        .filter(|line| line.contains(name))
        .collect()
}

#[test]
fn a_receiver_that_settles_second_waits_for_the_sender_and_both_know() {
    for asks in ["the receiver", "the sender"] {
        let mut server = client();
        let mut messenger = client();
        let second = Some(ReceiverSettleMode::Second);
        server.set_rcv_settle_mode(second);
        if asks == "the sender" {
            messenger.set_rcv_settle_mode(second);
        }
        let address = listen(&mut server);
        let serving = accept_one(server);
        messenger.set_tracing(true);
        messenger.set_outgoing_window(10);
        let tracker = messenger.put(&message_to(&address, "x")).unwrap();
        messenger.send().unwrap();
        assert_eq!(messenger.status(tracker), Status::Accepted);
        messenger.stop().unwrap();
        assert_eq!(serving.join().unwrap(), ("x".to_owned(), Status::Accepted));
        let told = trace(&mut messenger, "@disposition");
        let [theirs, ours] = told.as_slice() else {
            panic!("{told:?}");
        };
        assert!(
            theirs.contains("<-") && !theirs.contains("settled=true"),
            "{told:?}"
        );
        assert!(
            ours.contains("->") && ours.contains("settled=true"),
            "{told:?}"
        );
    }
}

#[test]
fn what_is_always_sent_settled_is_settled_once_the_system_has_it() {
    let mut server = client();
    let address = listen(&mut server);
    let serving = accept_one(server);
    let mut messenger = client();
    messenger.set_snd_settle_mode(Some(SenderSettleMode::Settled));
    messenger.set_outgoing_window(10);
    messenger.set_tracing(true);
    let tracker = messenger.put(&message_to(&address, "x")).unwrap();
    assert_eq!(messenger.status(tracker), Status::Pending);
    messenger.send().unwrap();
    assert_eq!(messenger.status(tracker), Status::Settled);
    messenger.stop().unwrap();
    assert_eq!(serving.join().unwrap().0, "x");
    let sent = trace(&mut messenger, "@transfer");
    assert!(
        sent.len() == 1 && sent[0].contains("settled=true"),
        "{sent:?}"
    );
}

#[test]
fn what_is_always_sent_unsettled_is_answered_also_outside_of_the_window() {
    let mut server = client();
    let address = listen(&mut server);
    let serving = accept_one(server);
    let mut messenger = client();
    messenger.set_snd_settle_mode(Some(SenderSettleMode::Unsettled));
    messenger.set_tracing(true);
    let tracker = messenger.put(&message_to(&address, "x")).unwrap();
    messenger.send().unwrap();
    assert_eq!(messenger.status(tracker), Status::Unknown);
    assert_eq!(serving.join().unwrap().0, "x");
    messenger.stop().unwrap();
    let sent = trace(&mut messenger, "@transfer");
    assert!(
        sent.len() == 1 && !sent[0].contains("settled=true"),
        "{sent:?}"
    );
}

#[test]
fn a_subscriber_that_wants_settled_messages_gets_them_from_a_window_too() {
    let mut server = client();
    let address = listen(&mut server);
    server.set_outgoing_window(10);
    let subscribing = std::thread::spawn(move || {
        let mut messenger = Messenger::with_name("sub..scriber").unwrap();
        messenger.set_snd_settle_mode(Some(SenderSettleMode::Settled));
        messenger.subscribe(&format!("{address}/news")).unwrap();
        let mut message = Message::new();
        messenger.recv(1).unwrap();
        messenger.get(&mut message).unwrap();
        text(&message)
    });
    let message = message_to("amqp://sub..scriber/news", "x");
    let tracker = loop {
        server
            .work(Some(std::time::Duration::from_millis(1)))
            .unwrap();
        // Until the subscriber is there its name leads nowhere.
        if let Ok(tracker) = server.put(&message)
            && server.send().is_ok()
        {
            break tracker;
        }
    };
    assert!(server.status(tracker).is_final());
    assert_ne!(server.status(tracker), Status::Aborted);
    assert_eq!(subscribing.join().unwrap(), "x");
}

#[test]
fn a_message_that_is_forgotten_undecided_is_given_back_by_a_receiver_that_settles_second() {
    let mut server = client();
    server.set_rcv_settle_mode(Some(ReceiverSettleMode::Second));
    let address = listen(&mut server);
    let serving = std::thread::spawn(move || {
        server.set_incoming_window(10);
        let mut message = Message::new();
        server.recv(Credit::All).unwrap();
        let tracker = server.get(&mut message).unwrap();
        server.settle(tracker, Flags::NONE).unwrap();
        while server
            .work(Some(std::time::Duration::from_millis(200)))
            .unwrap()
        {}
    });
    let mut messenger = client();
    messenger.set_outgoing_window(10);
    let tracker = messenger.put(&message_to(&address, "x")).unwrap();
    messenger.send().unwrap();
    assert_eq!(messenger.status(tracker), Status::Released);
    serving.join().unwrap();
}
