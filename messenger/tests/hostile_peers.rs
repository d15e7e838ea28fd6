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
use ferrion_engine::protocol::{Condition, DeliveryState, Redirect, Role, conditions};
use ferrion_messenger::{Credit, Error, ErrorKind, Flags, Message, Messenger, Status, Tracker};
use support::{Serving, client, message_to, server, text};

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

/// Messages that are rejected, the octets of the text with each, and how many of those there is room for.
const REJECTED: usize = 200;
const WHY: usize = 20_000;
const WHOLE: usize = 5;

#[test]
fn long_reasons_for_every_message_are_not_all_kept_and_never_said_back() {
    let (said_back, settled) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (back, done) = (Arc::clone(&said_back), Arc::clone(&settled));
    let hostile = Broker::start(move |_, engine, event| match event {
        Event::Deliveries(id) => {
            let mut receiver = engine.receiver(id).unwrap();
            while let Some(delivery) = receiver.next_delivery() {
                let why = Condition::with_description(conditions::NOT_ALLOWED, "?".repeat(WHY));
                let rejected = DeliveryState::rejected(why);
                receiver.update(delivery.id.unwrap(), rejected).unwrap();
            }
            Dealt::Done
        }
        Event::Updates(id) => {
            let mut link = engine.link(id).unwrap();
            while let Some(update) = link.next_update() {
                done.fetch_add(usize::from(update.settled), Ordering::Relaxed);
                back.fetch_add(usize::from(update.state.is_some()), Ordering::Relaxed);
            }
            Dealt::Done
        }
        _ => Dealt::Usual,
    });
    let mut messenger = client();
    messenger.set_outgoing_window(REJECTED);
    messenger.set_high_water(REJECTED, WHOLE * (WHY + 100));
    let to = message_to(&format!("{}/q", hostile.address), "x");
    let mut trackers = Vec::new();
    let spent = measure(|| {
        trackers = (0..REJECTED)
            .map(|_| messenger.put(&to).unwrap())
            .collect::<Vec<_>>();
        messenger.send().unwrap();
    });
    let is_whole = |messenger: &Messenger, tracker: Tracker| {
        assert_eq!(messenger.status(tracker), Status::Rejected);
        let reason = messenger.reason(tracker).unwrap();
        let condition = reason.condition().unwrap();
        assert_eq!(condition.condition, conditions::NOT_ALLOWED);
        condition.description.is_some()
    };
    let whole = trackers.iter().filter(|it| is_whole(&messenger, **it));
    assert_eq!(whole.count(), WHOLE);
    // What is left of them is less than half of what the peer sent.
    let kept = spent.bytes_current;
    assert!(kept < 1 << 20, "{kept} octets were kept");
    // Once they left the window there is room again.
    messenger
        .settle(*trackers.last().unwrap(), Flags::CUMULATIVE)
        .unwrap();
    let again = messenger.put(&to).unwrap();
    messenger.send().unwrap();
    assert!(is_whole(&messenger, again));
    messenger.stop().unwrap();
    drop(hostile);
    assert_eq!(settled.load(Ordering::Relaxed), REJECTED + 1);
    assert_eq!(said_back.load(Ordering::Relaxed), 0);
}

#[test]
fn of_a_reason_that_is_longer_than_a_page_the_beginning_is_kept() {
    let hostile = Broker::start(|_, engine, event| match event {
        Event::LinkAttached(id) => {
            let why = Condition::with_description(conditions::NOT_ALLOWED, "\u{e9}".repeat(WHY));
            engine.link(id).unwrap().refuse(why).unwrap();
            Dealt::Done
        }
        _ => Dealt::Usual,
    });
    let mut messenger = client();
    let to = message_to(&format!("{}/q", hostile.address), "x");
    messenger.put(&to).unwrap();
    let error = messenger.send().unwrap_err();
    let condition = error.condition().unwrap();
    assert_eq!(condition.condition, conditions::NOT_ALLOWED);
    let text = condition.description.as_ref().unwrap();
    assert_eq!(**text, "\u{e9}".repeat(2048));
    let _ = messenger.stop();
}

#[test]
fn nodes_whose_names_are_longer_than_a_page_are_refused_in_both_directions() {
    let (server, address) = server();
    let honest = Serving::start(server, address, |server| {
        while server.recv(Credit::All).is_ok() {
            server.get(&mut Message::new()).unwrap();
        }
    });
    let mut messenger = client();
    messenger.set_outgoing_window(1);
    let node = |octets: usize| format!("{}/{}", honest.address, "n".repeat(octets));
    let tracker = messenger.put(&message_to(&node(4096), "x")).unwrap();
    messenger.send().unwrap();
    assert_eq!(messenger.status(tracker), Status::Accepted);
    let taken = messenger.subscribe(&node(4096)).unwrap();
    while messenger.subscription_address(taken).is_none() {
        messenger.work(Some(Duration::from_millis(10))).unwrap();
    }
    let refused = |error: Error| {
        let condition = error.condition().unwrap();
        assert_eq!(condition.condition, conditions::INVALID_FIELD);
        assert!(error.to_string().contains("4096"), "{error}");
    };
    messenger.put(&message_to(&node(4097), "x")).unwrap();
    refused(messenger.send().unwrap_err());
    messenger.subscribe(&node(4097)).unwrap();
    refused(messenger.recv(Credit::All).unwrap_err());
    messenger.stop().unwrap();
}
