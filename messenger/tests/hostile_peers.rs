//! Peers that speak AMQP well and mean harm: who send links from place to place, and who answer what nobody asked.

#[path = "support/broker.rs"]
mod broker;
#[path = "support/cost.rs"]
mod cost;
mod support;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use allocation_counter::measure;
use broker::{Broker, Dealt};
use cost::cost;
use ferrion_engine::Event;
use ferrion_engine::message::MessageId;
use ferrion_engine::protocol::{Redirect, Role};
use ferrion_messenger::{ErrorKind, Message, Status};
use support::{client, message_to, text};

/// Links that are sent on, and how often each may be, one time after the other.
const LINKS: usize = 10;
const HOPS: usize = 5;

/// Each link is sent on for ever, each time to a host that was never named before: it is this one under another name.
#[test]
fn links_that_are_sent_to_ever_new_places_make_no_more_connections_than_they_may_be_sent() {
    let port = Arc::new(Mutex::new(0));
    let guests = Arc::new(AtomicUsize::new(0));
    let (own, counted) = (Arc::clone(&port), Arc::clone(&guests));
    let mut places = 0;
    let hostile = Broker::start(move |number, engine, event| match event {
        Event::LinkAttached(link) => {
            counted.fetch_max(number + 1, Ordering::Relaxed);
            places += 1;
            let elsewhere = Redirect {
                hostname: Some(format!("place-{places}.example").into()),
                network_host: Some("127.0.0.1".into()),
                port: Some(*own.lock().unwrap()),
                address: Some(format!("node-{places}").into()),
            };
            let mut link = engine.link(link).unwrap();
            link.refuse(elsewhere.link()).unwrap();
            Dealt::Done
        }
        _ => Dealt::Usual,
    });
    *port.lock().unwrap() = hostile.port;
    let honest = Broker::start(|_, _, _| Dealt::Usual);
    let mut messenger = client();
    messenger.set_outgoing_window(100);
    let mut put = |address: &str, count: usize| -> Vec<_> {
        let to = |n| message_to(&format!("{address}/q{n}"), "x");
        (0..count).map(|n| messenger.put(&to(n)).unwrap()).collect()
    };
    let astray = put(&hostile.address, LINKS);
    let fine = put(&honest.address, LINKS);
    let mut held = 0;
    let work = cost(|| {
        let spent = measure(|| {
            let error = messenger.send().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Remote);
            assert!(error.to_string().contains("amqp:link:redirect"), "{error}");
        });
        held = spent.bytes_max;
    });
    while messenger.outgoing() > 0 {
        // It tells of each link that came to nothing.
        let _ = messenger.work(Some(Duration::from_millis(10)));
    }
    for tracker in astray {
        assert_eq!(messenger.status(tracker), Status::Aborted);
    }
    for tracker in fine {
        assert_eq!(messenger.status(tracker), Status::Accepted);
    }
    let guests = guests.load(Ordering::Relaxed);
    // Each was followed, and none for ever.
    assert!(
        (LINKS..=1 + LINKS * HOPS).contains(&guests),
        "{guests} connections"
    );
    assert!(held < 4 << 20, "{held} octets were held");
    assert!(work < Duration::from_secs(2), "{work:?} of work");
    // The last of those that came to nothing may be told of here.
    let _ = messenger.stop();
}

/// Replies that nobody asked for, before and behind the one that was.
const STRAYS: usize = 20;

/// A peer that answers each request with itself. If it babbles, with as many strays of 10,000 octets as it gets credit for before
/// that, with the same once more, with more strays, and with its first reply of all.
fn answering(babbles: bool) -> Broker {
    let mut replies = None;
    let mut first: Option<Message> = None;
    let mut waiting = VecDeque::new();
    let mut tag = 0u32;
    Broker::start(move |_, engine, event| {
        match event {
            Event::LinkAttached(id) => {
                let mut link = engine.link(id).unwrap();
                let mut answer = link.offer().unwrap();
                if let Some(source) = answer.source.as_deref_mut().filter(|it| it.dynamic) {
                    source.address = Some("replies".into());
                    replies = Some(id);
                }
                let receives = link.role() == Role::Receiver;
                link.accept_with(answer).unwrap();
                if receives {
                    engine.receiver(id).unwrap().set_credit(100).unwrap();
                }
            }
            Event::Deliveries(id) => {
                let mut receiver = engine.receiver(id).unwrap();
                let mut asked = Vec::new();
                while let Some(delivery) = receiver.next_delivery() {
                    receiver.accept(delivery.id.unwrap()).unwrap();
                    asked.push(Message::decode(delivery.payload.into_bytes()).unwrap());
                }
                let mut send = |reply: &Message| waiting.push_back(reply.to_bytes());
                for reply in asked {
                    if !babbles {
                        send(&reply);
                        continue;
                    }
                    (0..STRAYS).for_each(|n| send(&stray(n)));
                    send(&reply);
                    send(&reply);
                    (0..STRAYS).for_each(|n| send(&stray(n)));
                    send(first.get_or_insert(reply));
                }
            }
            Event::Flow(id) if replies == Some(id) => {}
            _ => return Dealt::Usual,
        }
        // As far as there is credit.
        if let Some(mut link) = replies.and_then(|id| engine.sender(id).ok()) {
            while link.credit() > 0
                && let Some(octets) = waiting.pop_front()
            {
                tag += 1;
                link.send_settled(&tag.to_be_bytes(), octets).unwrap();
            }
        }
        Dealt::Done
    })
}

/// A message that looks like a reply to something.
fn stray(n: usize) -> Message {
    let mut message = Message::with_body("?".repeat(10_000));
    match n % 5 {
        0 => message.set_correlation_id(MessageId::from(n as u64)),
        1 => message.set_correlation_id(format!("{n:016x}-1")),
        2 => message.set_correlation_id(vec![0xff; 40]),
        3 => message.set_correlation_id("-"),
        _ => {}
    }
    message
}

#[test]
fn replies_that_nobody_asked_for_are_no_replies_and_keep_none_out() {
    let (babbler, honest) = (answering(true), answering(false));
    let mut messenger = client();
    for n in 0..3 {
        let (mut held, mut kept) = (0, 0);
        let work = cost(|| {
            let spent = measure(|| {
                let question = message_to(&format!("{}/n", babbler.address), &n.to_string());
                let answer = messenger.request(&question).unwrap();
                assert_eq!(text(&answer), n.to_string());
                assert_eq!(messenger.requests(), 0);
                // To whom nobody babbles, requests go on beside it.
                let question = message_to(&format!("{}/n", honest.address), "fine?");
                assert_eq!(text(&messenger.request(&question).unwrap()), "fine?");
            });
            held = spent.bytes_max;
            kept = spent.bytes_current;
        });
        // What came at once is read at once. No stray is kept, once connections and buffers are made.
        assert!(held < 2 << 20, "{held} octets were held");
        assert!(n == 0 || kept < 100_000, "{kept} octets were kept");
        assert!(work < Duration::from_secs(1), "{work:?} of work");
    }
    while messenger.work(Some(Duration::from_millis(50))).unwrap() {}
    assert_eq!(messenger.incoming(), 0);
    messenger.stop().unwrap();
}
