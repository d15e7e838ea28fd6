//! How many requests there may be, what ends together, and replies that are none.

#[path = "support/broker.rs"]
mod broker;
#[path = "support/cost.rs"]
mod cost;
mod support;

use std::time::Duration;

use broker::{Broker, Dealt};
use cost::cost;
use ferrion_engine::protocol::{DeliveryState, Role};
use ferrion_engine::{Engine, Event, LinkId};
use ferrion_messenger::{ConnectionEvent, ErrorKind, Message, Messenger, RequestId};
use support::{client, message_to};

/// Answers an attach, with the name of a node where one is asked for.
fn attach(engine: &mut Engine, id: LinkId) {
    let mut link = engine.link(id).unwrap();
    let mut answer = link.offer().unwrap();
    if let Some(source) = answer.source.as_deref_mut().filter(|it| it.dynamic) {
        source.address = Some("replies".into());
    }
    link.accept_with(answer).unwrap();
}

/// A broker that takes no message: it grants no credit.
fn mute() -> Broker {
    Broker::start(|_, engine, event| match event {
        Event::LinkAttached(id) => {
            attach(engine, id);
            Dealt::Done
        }
        _ => Dealt::Usual,
    })
}

/// Makes requests, over so many nodes.
fn ask(messenger: &mut Messenger, address: &str, count: usize, nodes: usize) -> Vec<RequestId> {
    let mut asked = Vec::new();
    for n in 0..count {
        let question = message_to(&format!("{address}/n{}", n % nodes), "?");
        asked.push(messenger.send_request(&question).unwrap());
    }
    asked
}

/// Works until the connection is there and nothing more happens.
fn settle_down(messenger: &mut Messenger) {
    loop {
        messenger.work(None).unwrap();
        if let Some(ConnectionEvent::Connected { .. }) = messenger.poll_connection_event() {
            break;
        }
    }
    while messenger.work(Some(Duration::from_millis(50))).unwrap() {}
}

/// What it costs that so many requests end together.
fn cost_of_the_end(
    count: usize,
    nodes: usize,
    end: fn(&mut Messenger, &[RequestId], Broker),
) -> Duration {
    let broker = mute();
    let mut messenger = client();
    messenger.set_reconnect(None);
    let asked = ask(&mut messenger, &broker.address, count, nodes);
    settle_down(&mut messenger);
    assert_eq!(messenger.requests(), count);
    let cost = cost(|| end(&mut messenger, &asked, broker));
    assert_eq!((messenger.requests(), messenger.outgoing()), (0, 0));
    cost
}

/// Eight times as many requests cost at most three times as much each.
fn assert_linear(nodes: fn(usize) -> usize, end: fn(&mut Messenger, &[RequestId], Broker)) {
    let (few, many) = (500, 4_000);
    let few = cost_of_the_end(few, nodes(few), end);
    let many = cost_of_the_end(many, nodes(many), end);
    assert!(
        many < few * 24 + Duration::from_millis(20),
        "{few:?}, {many:?}"
    );
}

#[test]
fn requests_that_are_cancelled_together_cost_the_same_each() {
    assert_linear(
        |_| 1,
        |messenger, asked, _| {
            for request in asked {
                assert!(messenger.cancel_request(*request));
            }
        },
    );
    // The newest first: each would be found at the end of the queue.
    assert_linear(
        |_| 1,
        |messenger, asked, _| {
            for request in asked.iter().rev() {
                assert!(messenger.cancel_request(*request));
            }
        },
    );
}

#[test]
fn requests_that_are_lost_with_their_connection_cost_the_same_each() {
    let lose = |messenger: &mut Messenger, asked: &[RequestId], broker: Broker| {
        drop(broker);
        let mut reply = Message::new();
        for request in asked {
            let error = messenger.reply(*request, &mut reply).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Lost, "{error}");
        }
    };
    assert_linear(|_| 1, lose);
    assert_linear(|count| count / 32, lose);
}

#[test]
fn requests_whose_time_is_over_together_cost_the_same_each() {
    let expire = |count: usize| {
        let broker = mute();
        let mut messenger = client();
        messenger.set_timeout(Some(Duration::from_millis(900)));
        let asked = ask(&mut messenger, &broker.address, count, 1);
        settle_down(&mut messenger);
        let cost = cost(|| {
            while messenger.requests() > 0 {
                messenger.work(Some(Duration::from_millis(100))).unwrap();
            }
        });
        assert_eq!(messenger.outgoing(), 0);
        let mut reply = Message::new();
        for request in asked {
            let error = messenger.poll_reply(request, &mut reply).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout);
        }
        messenger.stop().unwrap();
        cost
    };
    let (few, many) = (expire(1_000), expire(8_000));
    assert!(
        many < few * 24 + Duration::from_millis(20),
        "{few:?}, {many:?}"
    );
}

#[test]
fn what_is_put_between_requests_is_sent_when_they_are_cancelled() {
    let broker = Broker::start(|_, engine, event| match event {
        Event::LinkAttached(id) => {
            attach(engine, id);
            if engine.link(id).unwrap().role() == Role::Receiver {
                // One message, no more.
                engine.receiver(id).unwrap().set_credit(1).unwrap();
            }
            Dealt::Done
        }
        _ => Dealt::Usual,
    });
    let mut messenger = client();
    messenger.set_outgoing_window(10);
    // The first takes the credit.
    ask(&mut messenger, &broker.address, 1, 1);
    settle_down(&mut messenger);
    let mut asked = ask(&mut messenger, &broker.address, 3, 1);
    let message = message_to(&format!("{}/n0", broker.address), "kept");
    let tracker = messenger.put(&message).unwrap();
    asked.extend(ask(&mut messenger, &broker.address, 3, 1));
    assert!(messenger.buffered(tracker));
    let before = messenger.outgoing();
    for request in asked {
        messenger.cancel_request(request);
    }
    assert_eq!(messenger.outgoing(), before - 6);
    assert!(messenger.buffered(tracker));
}

#[test]
fn there_is_an_end_to_the_number_of_requests_and_one_more_when_one_ends() {
    let broker = mute();
    let mut messenger = client();
    let question = message_to(&format!("{}/n", broker.address), "?");
    let mut asked = Vec::new();
    let error = loop {
        match messenger.send_request(&question) {
            Ok(request) => asked.push(request),
            Err(error) => break error,
        }
    };
    assert_eq!(asked.len(), 65_536);
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.to_string().contains("take their replies"), "{error}");
    messenger.cancel_request(asked[7]);
    messenger.send_request(&question).unwrap();
    assert!(messenger.send_request(&question).is_err());
}

#[test]
fn replies_that_are_no_messages_are_rejected_and_the_reply_still_comes() {
    const STRAYS: u8 = 40;
    let mut replies = None;
    let (mut sent, mut rejected) = (0, 0);
    let mut asked = None;
    let broker = Broker::start(move |_, engine, event| {
        match event {
            Event::LinkAttached(id) => {
                attach(engine, id);
                if engine.link(id).unwrap().role() == Role::Sender {
                    replies = Some(id);
                } else {
                    engine.receiver(id).unwrap().set_credit(10).unwrap();
                }
            }
            Event::Deliveries(id) => {
                let mut receiver = engine.receiver(id).unwrap();
                let delivery = receiver.next_delivery().unwrap();
                receiver.accept(delivery.id.unwrap()).unwrap();
                asked = Some(Message::decode(delivery.payload.into_bytes()).unwrap());
            }
            Event::Flow(_) | Event::Updates(_) => {}
            _ => return Dealt::Usual,
        }
        let Some(mut link) = replies.and_then(|id| engine.sender(id).ok()) else {
            return Dealt::Done;
        };
        while let Some(update) = link.next_update() {
            let Some(DeliveryState::Rejected(Some(why))) = update.state else {
                continue;
            };
            assert_eq!(why.condition.as_str(), "amqp:decode-error");
            rejected += 1;
        }
        while sent < STRAYS && link.credit() > 0 {
            sent += 1;
            link.send(&[sent], &b"garbage"[..]).unwrap();
        }
        // Not before the other side has said what it holds of all the others.
        if rejected == STRAYS
            && link.credit() > 0
            && let Some(mut reply) = asked.take()
        {
            reply.set_body("here it is");
            link.send(b"reply", reply.to_bytes()).unwrap();
        }
        Dealt::Done
    });
    let mut messenger = client();
    let question = message_to(&format!("{}/n", broker.address), "?");
    let answer = messenger.request(&question).unwrap();
    assert_eq!(answer.body_text().unwrap(), Some("here it is"));
    messenger.stop().unwrap();
}
