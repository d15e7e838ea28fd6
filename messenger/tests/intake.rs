//! How much comes in that nobody takes: messages and octets have a high-water mark, and memory a bound.

#[path = "support/broker.rs"]
mod broker;
#[macro_use]
mod support;

use std::time::Duration;

use broker::{Broker, Dealt};
use ferrion_engine::protocol::Role;
use ferrion_engine::{Event, SessionConfig};
use ferrion_messenger::{Credit, ErrorKind, Message, Messenger};
use support::{Wire, client, message_to, text};

over_every_wire! {
    no_more_octets_come_in_than_the_mark_lets_and_all_arrive_in_the_end,
}

/// Lets both sides work until neither has anything more to do.
fn exhaust(one: &mut Messenger, other: &mut Messenger) {
    let mut quiet = 0;
    while quiet < 10 {
        let moved = one.work(Some(Duration::from_millis(1))).unwrap()
            | other.work(Some(Duration::from_millis(1))).unwrap();
        quiet = if moved { 0 } else { quiet + 1 };
    }
}

/// A text of this size with a number at its end.
fn numbered(n: usize, size: usize) -> String {
    format!("{}{n}", "0".repeat(size))
}

fn no_more_octets_come_in_than_the_mark_lets_and_all_arrive_in_the_end(wire: Wire) {
    const COUNT: usize = 100;
    const SIZE: usize = 100_000;
    const MARK: usize = 1 << 20;
    let (mut receiver, address) = wire.server();
    receiver.set_incoming_high_water(usize::MAX, MARK);
    assert_eq!(receiver.incoming_high_water(), (usize::MAX, MARK));
    receiver.set_blocking(false);
    let mut sender = wire.client();
    sender.set_blocking(false);
    sender.set_outgoing_window(COUNT);
    for n in 0..COUNT {
        let body = numbered(n, SIZE);
        sender.put(&message_to(&address, &body)).unwrap();
    }
    let mut message = Message::new();
    for n in 0..COUNT {
        let _ = receiver.recv(Credit::All);
        if n % 10 == 0 {
            exhaust(&mut sender, &mut receiver);
            // The one that reaches the mark is let in.
            assert!(
                receiver.incoming() <= MARK / SIZE + 1,
                "{}",
                receiver.incoming()
            );
        }
        while receiver.incoming() == 0 {
            let _ = receiver.recv(Credit::All);
            let _ = sender.send();
        }
        receiver.get(&mut message).unwrap();
        assert_eq!(text(&message).parse::<usize>().unwrap(), n);
    }
    assert_eq!(receiver.incoming(), 0);
    while sender.outgoing() > 0 {
        exhaust(&mut sender, &mut receiver);
    }
}

#[test]
fn no_more_messages_come_in_than_the_mark_lets() {
    let (mut receiver, address) = support::server();
    receiver.set_incoming_high_water(10, usize::MAX);
    receiver.set_blocking(false);
    let mut sender = client();
    sender.set_blocking(false);
    for n in 0..100 {
        sender.put(&message_to(&address, &n.to_string())).unwrap();
    }
    let mut message = Message::new();
    for n in 0..100 {
        let _ = receiver.recv(Credit::All);
        exhaust(&mut sender, &mut receiver);
        assert_eq!(receiver.incoming(), 10.min(100 - n));
        receiver.get(&mut message).unwrap();
        assert_eq!(text(&message), n.to_string());
    }
}

#[test]
fn links_that_wait_for_room_take_turns() {
    let (mut receiver, address) = support::server();
    receiver.set_incoming_high_water(200, usize::MAX);
    receiver.set_blocking(false);
    let mut sender = client();
    sender.set_blocking(false);
    for node in ["first", "second"] {
        for _ in 0..600 {
            let message = message_to(&format!("{address}/{node}"), node);
            sender.put(&message).unwrap();
        }
    }
    let _ = receiver.recv(Credit::All);
    let mut message = Message::new();
    let mut second = 0;
    for _ in 0..2 {
        exhaust(&mut sender, &mut receiver);
        assert_eq!(receiver.incoming(), 200);
        second = 0;
        while receiver.incoming() > 0 {
            receiver.get(&mut message).unwrap();
            second += usize::from(text(&message) == "second");
        }
    }
    assert!((64..=136).contains(&second), "{second} of 200");
}

#[test]
fn a_single_message_larger_than_the_mark_gets_through() {
    let (mut receiver, address) = support::server();
    receiver.set_incoming_high_water(1, 1);
    let sending = std::thread::spawn(move || {
        let mut sender = client();
        for n in 0..3 {
            sender
                .put(&message_to(&address, &numbered(n, 6_000_000)))
                .unwrap();
        }
        sender.stop().unwrap();
    });
    let mut message = Message::new();
    for n in 0..3 {
        receiver.recv(Credit::All).unwrap();
        assert_eq!(receiver.incoming(), 1);
        receiver.get(&mut message).unwrap();
        assert_eq!(text(&message).parse::<usize>().unwrap(), n);
    }
    sending.join().unwrap();
}

#[test]
fn what_came_before_the_sender_left_is_not_lost() {
    let (mut receiver, address) = support::server();
    receiver.set_incoming_high_water(2, usize::MAX);
    receiver.set_blocking(false);
    let mut sender = client();
    sender.set_blocking(false);
    for n in 0..20 {
        sender.put(&message_to(&address, &n.to_string())).unwrap();
    }
    let _ = receiver.recv(20);
    exhaust(&mut sender, &mut receiver);
    assert_eq!(receiver.incoming(), 2);
    // They were sent settled: nobody would send them again.
    assert_eq!(sender.outgoing(), 0);
    drop(sender);
    while receiver.incoming() < 20 {
        receiver.work(Some(Duration::from_millis(1))).unwrap();
    }
    let mut message = Message::new();
    for n in 0..20 {
        receiver.get(&mut message).unwrap();
        assert_eq!(text(&message), n.to_string());
    }
}

/// A broker with a queue of messages for whoever asks, and replies for whoever wants one.
fn broker(channel_max: u16, bodies: usize) -> Broker {
    let mut replies = None;
    let mut flooded = 0;
    Broker::with_config(
        move |config| config.channel_max = channel_max,
        move |_, engine, event| {
            match event {
                Event::SessionBegun(id) => {
                    let mut session = engine.session(id).unwrap();
                    session.accept(SessionConfig::default()).unwrap();
                }
                Event::LinkAttached(id) => {
                    let mut link = engine.link(id).unwrap();
                    let mut answer = link.offer().unwrap();
                    let source = answer.source.as_deref_mut().unwrap();
                    if source.dynamic {
                        source.address = Some("replies".into());
                        replies = Some(id);
                    }
                    let is_ours = link.role() == Role::Receiver;
                    link.accept_with(answer).unwrap();
                    if is_ours {
                        engine.receiver(id).unwrap().set_credit(100).unwrap();
                    }
                }
                Event::Flow(id) if replies != Some(id) => {
                    let Ok(mut link) = engine.sender(id) else {
                        return Dealt::Done;
                    };
                    while link.credit() > 0 && flooded < 3000 {
                        let tag = u32::to_be_bytes(flooded);
                        flooded += 1;
                        link.send_settled(&tag, Message::with_body("m".repeat(bodies)).to_bytes())
                            .unwrap();
                    }
                }
                Event::Deliveries(id) => {
                    let mut receiver = engine.receiver(id).unwrap();
                    let mut asked = Vec::new();
                    while let Some(delivery) = receiver.next_delivery() {
                        receiver.accept(delivery.id.unwrap()).unwrap();
                        asked.push(Message::decode(delivery.payload.into_bytes()).unwrap());
                    }
                    let mut link = engine.sender(replies.unwrap()).unwrap();
                    for reply in asked {
                        link.send_settled(b"r", reply.to_bytes()).unwrap();
                    }
                }
                _ => return Dealt::Usual,
            }
            Dealt::Done
        },
    )
}

#[test]
fn replies_come_though_there_is_no_room_for_messages() {
    let broker = broker(100, 50_000);
    let mut messenger = client();
    messenger.set_incoming_high_water(usize::MAX, 1 << 20);
    messenger
        .subscribe(&format!("{}/q", broker.address))
        .unwrap();
    messenger.recv(Credit::All).unwrap();
    while messenger.work(Some(Duration::from_millis(100))).unwrap() {}
    assert!(messenger.incoming() <= 22, "{}", messenger.incoming());
    let question = message_to(&format!("{}/n", broker.address), "anyone?");
    let answer = messenger.request(&question).unwrap();
    assert_eq!(text(&answer), "anyone?");
    messenger.stop().unwrap();
}

#[test]
fn a_peer_that_takes_one_session_only_replies_on_that() {
    let broker = broker(0, 10);
    let mut messenger = client();
    let question = message_to(&format!("{}/n", broker.address), "anyone?");
    for _ in 0..3 {
        assert_eq!(text(&messenger.request(&question).unwrap()), "anyone?");
    }
    messenger.stop().unwrap();
}

#[test]
fn replies_that_nobody_takes_count_and_refuse_further_requests() {
    let broker = broker(100, 10);
    let mut messenger = client();
    messenger.set_incoming_high_water(usize::MAX, 100_000);
    let question = message_to(&format!("{}/n", broker.address), &"?".repeat(30_000));
    let mut asked = Vec::new();
    let error = loop {
        match messenger.send_request(&question) {
            Ok(request) => asked.push(request),
            Err(error) => break error,
        }
        while messenger.requests() > 0 {
            messenger.work(None).unwrap();
        }
    };
    assert_eq!((asked.len(), error.kind()), (4, ErrorKind::State));
    assert!(error.to_string().contains("take some of them"), "{error}");
    messenger.reply(asked[0], &mut Message::new()).unwrap();
    messenger.reply(asked[1], &mut Message::new()).unwrap();
    messenger.send_request(&question).unwrap();
}
