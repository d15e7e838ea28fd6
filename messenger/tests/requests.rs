//! Requests and replies: one reply address for many, and every way in which a reply does not come.

#[macro_use]
mod support;

use std::time::Duration;

use ferrion_engine::message::MessageId;
use ferrion_engine::protocol::Condition;
use ferrion_messenger::{
    Credit, Error, ErrorKind, Flags, Message, Messenger, Reconnect, RequestId,
};
use support::{PATIENCE, Serving, Wire, client, listen, message_to, server, text};

over_every_wire! {
    a_request_is_answered_with_its_reply,
    replies_find_their_requests_in_any_order,
}

/// A server that answers with its requests' texts in capitals, the last of `batch` first.
fn answering(wire: Wire, batch: usize) -> Serving {
    let (mut messenger, address) = wire.server();
    messenger.set_timeout(None);
    messenger.set_incoming_window(1000);
    Serving::start(messenger, address, move |messenger| serve(messenger, batch))
}

fn serve(messenger: &mut Messenger, batch: usize) {
    let mut message = Message::new();
    let mut replies = Vec::new();
    loop {
        match messenger.recv(Credit::All) {
            Ok(()) => {}
            Err(Error::Interrupted) => break,
            Err(error) => panic!("server: {error}"),
        }
        while messenger.incoming() > 0 {
            let tracker = messenger.get(&mut message).unwrap();
            if text(&message) == "reject" {
                let why = Condition::new("test:no".try_into().unwrap());
                messenger.reject_with(tracker, Flags::NONE, why).unwrap();
                continue;
            }
            if text(&message) == "release" {
                messenger.release(tracker, Flags::NONE).unwrap();
                continue;
            }
            messenger.accept(tracker, Flags::NONE).unwrap();
            if text(&message) == "silence" {
                continue;
            }
            let mut reply = messenger.reply_to(tracker, &message).unwrap();
            reply.set_body(text(&message).to_uppercase());
            replies.push(reply);
            if replies.len() >= batch {
                for reply in replies.drain(..).rev() {
                    messenger.put(&reply).unwrap();
                }
            }
        }
    }
    let _ = messenger.stop();
}

fn a_request_is_answered_with_its_reply(wire: Wire) {
    let server = answering(wire, 1);
    let mut messenger = wire.client();
    let mut question = message_to(&format!("{}/upper", server.address), "first");
    question.set_message_id("mine");
    question.set_reply_to("elsewhere");
    let answer = messenger.request(&question).unwrap();
    assert_eq!(text(&answer), "FIRST");
    // The caller's message is as it was.
    let mine = MessageId::String("mine".into());
    assert_eq!(question.message_id().unwrap(), Some(mine));
    assert_eq!(question.reply_to().unwrap(), Some("elsewhere"));
    for n in 0..20 {
        question.set_body(format!("again {n}"));
        let answer = messenger.request(&question).unwrap();
        assert_eq!(text(&answer), format!("AGAIN {n}"));
    }
    assert_eq!(messenger.incoming(), 0);
    assert_eq!(messenger.requests(), 0);
    messenger.stop().unwrap();
}

fn replies_find_their_requests_in_any_order(wire: Wire) {
    const COUNT: usize = 300;
    let server = answering(wire, COUNT);
    let mut clients = [wire.client(), wire.client()];
    let mut waiting: Vec<Vec<RequestId>> = Vec::new();
    for (number, messenger) in clients.iter_mut().enumerate() {
        let ids = (0..COUNT / 2).map(|n| {
            let text = format!("from {number}: {n}");
            messenger
                .send_request(&message_to(&server.address, &text))
                .unwrap()
        });
        waiting.push(ids.collect());
        assert_eq!(messenger.requests(), COUNT / 2);
        messenger.send().unwrap();
    }
    let mut reply = Message::new();
    for (number, messenger) in clients.iter_mut().enumerate() {
        for (n, id) in waiting[number].iter().enumerate() {
            messenger.reply(*id, &mut reply).unwrap();
            assert_eq!(text(&reply), format!("FROM {number}: {n}"));
        }
        assert_eq!(messenger.requests(), 0);
        messenger.stop().unwrap();
    }
}

#[test]
fn without_blocking_replies_are_polled_for() {
    let server = answering(Wire::Tcp, 1);
    let mut messenger = client();
    messenger.set_blocking(false);
    let question = message_to(&server.address, "poll");
    let waits = messenger.request(&question).unwrap_err();
    assert_eq!(waits.kind(), ErrorKind::State);
    let id = messenger.send_request(&question).unwrap();
    let mut reply = Message::new();
    assert!(!messenger.poll_reply(id, &mut reply).unwrap());
    assert_eq!(messenger.reply(id, &mut reply), Err(Error::InProgress));
    while !messenger.poll_reply(id, &mut reply).unwrap() {
        assert!(messenger.work(Some(PATIENCE)).unwrap(), "no reply came");
    }
    assert_eq!(text(&reply), "POLL");
    // It is taken now.
    let gone = messenger.poll_reply(id, &mut reply).unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::State);
}

#[test]
fn replies_do_not_mix_with_what_is_received() {
    let server = answering(Wire::Tcp, 1);
    let mut messenger = client();
    let mut ordinary = message_to(&server.address, "ordinary");
    ordinary.set_reply_to("~");
    messenger.put(&ordinary).unwrap();
    let id = messenger
        .send_request(&message_to(&server.address, "request"))
        .unwrap();
    let mut message = Message::new();
    messenger.recv(Credit::All).unwrap();
    messenger.get(&mut message).unwrap();
    assert_eq!(text(&message), "ORDINARY");
    messenger.reply(id, &mut message).unwrap();
    assert_eq!(text(&message), "REQUEST");
    assert_eq!(messenger.incoming(), 0);
}

#[test]
fn a_request_without_a_reply_ends_in_time_and_others_go_on() {
    let server = answering(Wire::Tcp, 1);
    let mut messenger = client();
    let question = message_to(&server.address, "silence");
    let patient = messenger.send_request(&message_to(&server.address, "hello"));
    messenger.set_timeout(Some(Duration::from_millis(100)));
    let error = messenger.request(&question).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    let id = messenger.send_request(&question).unwrap();
    let mut reply = Message::new();
    let error = messenger.reply(id, &mut reply).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    messenger.reply(patient.unwrap(), &mut reply).unwrap();
    assert_eq!(text(&reply), "HELLO");
    assert_eq!(messenger.requests(), 0);
}

#[test]
fn a_reply_that_comes_after_the_request_was_cancelled_is_dropped() {
    let server = answering(Wire::Tcp, 2);
    let mut messenger = client();
    let first = messenger
        .send_request(&message_to(&server.address, "first"))
        .unwrap();
    messenger.send().unwrap();
    assert!(messenger.cancel_request(first));
    assert!(!messenger.cancel_request(first));
    // The server answers both together, the second first.
    for n in 0..40 {
        let question = message_to(&server.address, "question");
        let id = messenger.send_request(&question).unwrap();
        if n > 0 {
            messenger.send_request(&question).unwrap();
        }
        let mut reply = Message::new();
        messenger.reply(id, &mut reply).unwrap();
        assert_eq!(text(&reply), "QUESTION");
        assert_eq!(messenger.incoming(), 0);
    }
}

#[test]
fn a_receiver_that_does_not_take_a_request_ends_it() {
    let server = answering(Wire::Tcp, 1);
    let mut messenger = client();
    let error = messenger
        .request(&message_to(&server.address, "reject"))
        .unwrap_err();
    assert_eq!(
        error.condition().map(|why| why.condition.as_str()),
        Some("test:no"),
        "{error}"
    );
    let error = messenger
        .request(&message_to(&server.address, "release"))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Send, "{error}");
}

#[test]
fn a_request_to_nobody_says_why_there_is_no_reply() {
    let (server, address) = server();
    drop(server);
    let mut messenger = client();
    let error = messenger.request(&message_to(&address, "x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    let error = messenger.request(&Message::with_body("x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidAddress, "{error}");
    assert_eq!(messenger.requests(), 0);
}

#[test]
fn stopping_ends_requests_and_the_next_one_begins_anew() {
    let server = answering(Wire::Tcp, 1);
    let mut messenger = client();
    let id = messenger
        .send_request(&message_to(&server.address, "silence"))
        .unwrap();
    messenger.stop().unwrap();
    let mut reply = Message::new();
    let error = messenger.reply(id, &mut reply).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost, "{error}");
    let reply = messenger
        .request(&message_to(&server.address, "again"))
        .unwrap();
    assert_eq!(text(&reply), "AGAIN");
}

/// A server takes the request and leaves; another one comes in its place.
fn after_a_loss(policy: Option<Reconnect>) -> Result<String, Error> {
    let (mut first, address) = server();
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    let mut second = client();
    let spare = listen(&mut second);
    let mut messenger = client();
    messenger.set_reconnect(policy);
    messenger
        .set_alternatives(&format!("127.0.0.1:{port}"), [spare.as_str()])
        .unwrap();
    let serving = std::thread::spawn(move || {
        first.recv(1).unwrap();
        drop(first);
        // Only who asks again is answered.
        second.set_timeout(Some(Duration::from_secs(2)));
        if second.recv(1).is_ok() {
            let mut request = Message::new();
            let tracker = second.get(&mut request).unwrap();
            let mut reply = second.reply_to(tracker, &request).unwrap();
            reply.set_body(text(&request));
            second.put(&reply).unwrap();
            second.stop().unwrap();
        }
    });
    let answer = messenger.request(&message_to(&address, "still there?"));
    drop(messenger);
    serving.join().unwrap();
    answer.map(|answer| text(&answer))
}

#[test]
fn requests_without_a_reply_are_sent_again_with_the_reply_address_of_the_new_connection() {
    let answer = after_a_loss(Some(Reconnect::default()));
    assert_eq!(answer.as_deref(), Ok("still there?"));
}

#[test]
fn without_reconnecting_a_lost_connection_ends_its_requests() {
    let error = after_a_loss(None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost, "{error}");
}

#[test]
fn a_reply_needs_a_request_and_somewhere_to_go() {
    let (mut receiver, address) = server();
    let mut sender = client();
    sender.put(&message_to(&address, "no reply-to")).unwrap();
    let sending = std::thread::spawn(move || sender.send());
    let mut message = Message::new();
    receiver.recv(1).unwrap();
    let tracker = receiver.get(&mut message).unwrap();
    let _ = sending.join().unwrap();
    let error = receiver.reply_to(tracker, &message).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidAddress, "{error}");
    message.set_reply_to("somewhere");
    message.set_message_id(7u64);
    let reply = receiver.reply_to(tracker, &message).unwrap();
    assert_eq!(reply.address().unwrap(), Some("amqp://@somewhere"));
    assert_eq!(reply.correlation_id().unwrap(), Some(MessageId::Ulong(7)));
    message.set_correlation_id("tied");
    let reply = receiver.reply_to(tracker, &message).unwrap();
    let tied = MessageId::String("tied".into());
    assert_eq!(reply.correlation_id().unwrap(), Some(tied));
    let outgoing = receiver.put(&message_to(&address, "x")).unwrap();
    let error = receiver.reply_to(outgoing, &message).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTracker, "{error}");
}

/// Who asks may name anybody as the one to reply to.
#[test]
fn a_reply_does_not_take_our_password_to_whom_a_stranger_names() {
    let mut collector = client();
    collector.set_listener_passwords([("joe", "secret")]);
    let named = listen(&mut collector);
    let interrupter = collector.interrupter();
    let collecting = std::thread::spawn(move || {
        let _ = collector.recv(Credit::All);
        collector.incoming()
    });
    let (mut receiver, address) = server();
    receiver.set_credentials(Some("joe"), Some("secret"));
    let mut stranger = client();
    let mut request = message_to(&address, "reply there");
    request.set_reply_to(format!("{named}/trap"));
    stranger.put(&request).unwrap();
    let sending = std::thread::spawn(move || stranger.send());
    let mut message = Message::new();
    receiver.recv(1).unwrap();
    let tracker = receiver.get(&mut message).unwrap();
    let _ = sending.join().unwrap();
    let reply = receiver.reply_to(tracker, &message).unwrap();
    receiver.set_outgoing_window(1);
    receiver.put(&reply).unwrap();
    let error = receiver.send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Login, "{error}");
    interrupter.interrupt();
    assert_eq!(collecting.join().unwrap(), 0);
}
