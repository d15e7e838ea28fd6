//! Long runs and large numbers: serial numbers that go round, and ten thousand links on one session.

use std::fs;

use ferrion_engine::protocol::{DeliveryState, ReceiverSettleMode, Role, Tag};
use ferrion_engine::{
    Census, Config, Event, LinkConfig, LinkState, SendOptions, SessionConfig, Time,
    UnsettledDelivery,
};
use ferrion_tests::line::{Line, Link};

/// More than any counter of 16 bits holds twice, from a few before the wrap.
const TRANSFERS: u32 = (1 << 17) + 1_000;
const START: u32 = u32::MAX - 500;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Settle {
    BySender,
    First,
    Second,
}

/// Sends so many transfers on one link, in messages of `frames` frames, and looks at every one of them.
fn long_run(settle: Settle, frames: u32, keep_first: bool) {
    let config = |name: &'static str| {
        let mut config = Config::new(name);
        config.max_frame_size = 512;
        config
    };
    let from_start = || SessionConfig {
        next_outgoing_id: START,
        ..SessionConfig::default()
    };
    let mut line = Line::new(config("client"), config("server"));
    let (session, _) = line.begun(from_start(), from_start());
    let mut link = LinkConfig::sender("l", "node");
    link.initial_delivery_count = START;
    if settle == Settle::Second {
        link.rcv_settle_mode = ReceiverSettleMode::Second;
    }
    let [Link { sender, receiver }] = line.joined(session, [link])[..] else {
        panic!("one link");
    };
    let mut view = line.server.receiver(receiver).unwrap();
    view.set_automatic_credit(100).unwrap();
    line.run();

    // Every frame has room for a little over 400 octets.
    let size = 380 * frames as usize - 100;
    let messages = TRANSFERS / frames + 1;
    let (mut sent, mut taken, mut told) = (0u32, 0u32, 0u32);
    let mut kept = None;
    let settled = settle == Settle::BySender;
    let unsettled = if settled { 0 } else { messages };
    while taken < messages || told + u32::from(kept.is_some()) < unsettled {
        let before = (sent, taken, told);
        let mut view = line.client.sender(sender).unwrap();
        while view.credit() > 0 && sent < messages {
            let mut payload = vec![sent as u8; size];
            payload[..4].copy_from_slice(&sent.to_be_bytes());
            if settled {
                view.send_settled(&sent.to_be_bytes(), payload).unwrap();
            } else {
                view.send(&sent.to_be_bytes(), payload).unwrap();
            }
            sent += 1;
        }
        line.run();
        let mut view = line.server.receiver(receiver).unwrap();
        while let Some(delivery) = view.next_delivery() {
            assert_eq!(*delivery.tag, taken.to_be_bytes());
            let payload = delivery.payload.into_bytes();
            assert_eq!(payload[..4], taken.to_be_bytes());
            assert_eq!(payload.len(), size);
            assert_eq!(delivery.id.is_none(), settled);
            if keep_first && taken == 0 {
                kept = delivery.id;
            } else if let Some(id) = delivery.id {
                view.accept(id).unwrap();
            }
            taken += 1;
        }
        line.run();
        let mut view = line.client.sender(sender).unwrap();
        while let Some(update) = view.next_update() {
            assert_eq!(update.state, Some(DeliveryState::Accepted));
            assert_eq!(update.settled, settle == Settle::First);
            if !update.settled {
                view.settle(update.delivery).unwrap();
            }
            told += 1;
        }
        while line.client.poll_event().is_some() || line.server.poll_event().is_some() {}
        let live = line.client.census().outgoing_deliveries;
        assert!(live <= 101, "{live} deliveries live on");
        assert_ne!((sent, taken, told), before, "nothing moves any more");
    }
    if let Some(id) = kept {
        line.server.receiver(receiver).unwrap().accept(id).unwrap();
        line.run();
        let mut view = line.client.sender(sender).unwrap();
        let update = view.next_update().unwrap();
        assert_eq!(*update.tag, 0u32.to_be_bytes());
        if !update.settled {
            view.settle(update.delivery).unwrap();
        }
    }
    line.run();
    let (credit, granted) = (
        line.client.sender(sender).unwrap().credit(),
        line.server.receiver(receiver).unwrap().credit(),
    );
    assert_eq!(credit, granted);
    for census in [line.client.census(), line.server.census()] {
        let one_link = Census {
            sessions: 1,
            links: 1,
            ..Census::default()
        };
        assert_eq!(census, one_link);
    }
}

#[test]
fn a_hundred_thousand_messages_settled_by_the_sender_go_round_the_serial_numbers() {
    long_run(Settle::BySender, 1, false);
}

#[test]
fn a_hundred_thousand_messages_settled_by_the_receiver_go_round_the_serial_numbers() {
    long_run(Settle::First, 1, false);
}

#[test]
fn a_hundred_thousand_messages_that_the_receiver_settles_second_go_round_the_serial_numbers() {
    long_run(Settle::Second, 1, false);
}

#[test]
fn messages_of_many_frames_go_round_the_serial_numbers_in_all_settle_modes() {
    for settle in [Settle::BySender, Settle::First, Settle::Second] {
        long_run(settle, 5, false);
    }
}

#[test]
fn one_delivery_that_stays_unsettled_holds_up_none_of_a_hundred_thousand_after_it() {
    long_run(Settle::First, 1, true);
    long_run(Settle::Second, 3, true);
}

// ---- many objects

/// Nanoseconds that this thread has had a processor, so that what else the machine does is not counted. `None` where the system
/// does not say.
fn processor_time() -> Option<f64> {
    // The system counts when it takes the processor away.
    std::thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// Once ten thousand may take little longer than ten times a thousand. What is quadratic takes ten times as long; caches and
/// memory are what the difference to one is for. The best of a few, since others use the machine too.
fn is_linear(what: &str, work: impl Fn(usize)) {
    let best = |times: usize, size: usize| {
        let measure = || {
            let start = processor_time()?;
            (0..times).for_each(|_| work(size));
            Some(processor_time()? - start)
        };
        (0..3).filter_map(|_| measure()).reduce(f64::min)
    };
    let (Some(small), Some(large)) = (best(10, 1_000), best(1, 10_000)) else {
        // Without a measure it has to do that the work gets done.
        work(10_000);
        return;
    };
    let ratio = large / small;
    assert!(
        ratio < 4.0,
        "{what}: ten thousand take {ratio:.1} times as long as ten times a thousand"
    );
}

fn roomy() -> Config {
    let mut config = Config::new("roomy");
    config.channel_max = u16::MAX;
    config
}

fn while_events(line: &mut Line, mut answer: impl FnMut(&mut Line, Event)) {
    while let Some(event) = line.server.poll_event() {
        answer(line, event);
    }
    while line.client.poll_event().is_some() {}
    line.run();
    while line.client.poll_event().is_some() || line.server.poll_event().is_some() {}
}

fn close_what_detached(line: &mut Line, event: Event) {
    if let Event::LinkDetached(id) = event {
        let mut link = line.server.link(id).unwrap();
        if link.awaits_detach() {
            link.close(None).unwrap();
        }
    }
}

/// Opens links, sends on all, settles all and detaches all, twice, so that handles and names are used again.
fn links_come_and_go(count: usize) {
    let mut line = Line::new(roomy(), roomy());
    let (session, _) = line.begun(SessionConfig::default(), SessionConfig::default());
    for round in 0..2u8 {
        let configs = (0..count).map(|i| LinkConfig::sender(format!("link-{i}"), "node"));
        let links = line.joined(session, configs);
        for link in &links {
            let mut receiver = line.server.receiver(link.receiver).unwrap();
            receiver.set_credit(2).unwrap();
        }
        line.run();
        for (i, link) in links.iter().enumerate() {
            let mut sender = line.client.sender(link.sender).unwrap();
            sender.send(&[round], &i.to_be_bytes()).unwrap();
            sender.send_settled(&[round], &i.to_be_bytes()).unwrap();
        }
        // The window is smaller than all of it, so it takes some turns.
        let mut taken = 0;
        while taken < 2 * count {
            line.run();
            let before = taken;
            for event in std::iter::from_fn(|| line.server.poll_event()).collect::<Vec<_>>() {
                let Event::Deliveries(id) = event else {
                    continue;
                };
                let mut receiver = line.server.receiver(id).unwrap();
                while let Some(delivery) = receiver.next_delivery() {
                    taken += 1;
                    if let Some(id) = delivery.id {
                        receiver.accept(id).unwrap();
                    }
                }
            }
            assert_ne!(taken, before, "the links stall");
        }
        line.run();
        for link in &links {
            let mut sender = line.client.sender(link.sender).unwrap();
            let update = sender.next_update().unwrap();
            assert_eq!(update.state, Some(DeliveryState::Accepted));
            line.client.link(link.sender).unwrap().close(None).unwrap();
        }
        line.run();
        while_events(&mut line, close_what_detached);
        for census in [line.client.census(), line.server.census()] {
            assert_eq!((census.links, census.outgoing_deliveries), (0, 0));
        }
    }
}

#[test]
fn ten_thousand_links_of_one_session_take_what_ten_times_a_thousand_take() {
    is_linear("links", links_come_and_go);
}

fn sessions_come_and_go(count: usize) {
    let mut line = Line::new(roomy(), roomy());
    for _ in 0..2 {
        let sessions: Vec<_> = (0..count)
            .map(|_| {
                let begun = line.client.connection().begin(SessionConfig::default());
                begun.unwrap()
            })
            .collect();
        line.run();
        while_events(&mut line, |line, event| {
            if let Event::SessionBegun(id) = event {
                let mut session = line.server.session(id).unwrap();
                session.accept(SessionConfig::default()).unwrap();
            }
        });
        for id in sessions {
            line.client.session(id).unwrap().end(None).unwrap();
        }
        line.run();
        while_events(&mut line, |_, _| {});
        assert_eq!(line.client.census(), Census::default());
        assert_eq!(line.server.census(), Census::default());
    }
}

#[test]
fn ten_thousand_sessions_take_what_ten_times_a_thousand_take() {
    is_linear("sessions", sessions_come_and_go);
}

/// What a caller does who runs far ahead of the peer's window, and looks at how far after each step.
fn a_long_queue(count: usize) {
    let mut line = Line::new(roomy(), roomy());
    let shut = SessionConfig {
        incoming_window: 0,
        ..SessionConfig::default()
    };
    let (session, _) = line.begun(SessionConfig::default(), shut);
    let link = line.joined(session, [LinkConfig::sender("l", "node")])[0];
    let credit = u32::try_from(count).unwrap() + 1;
    let mut receiver = line.server.receiver(link.receiver).unwrap();
    receiver.set_credit(credit).unwrap();
    line.run();
    let mut sender = line.client.sender(link.sender).unwrap();
    let mut ids = Vec::new();
    for i in 0..count {
        ids.push(sender.send(&i.to_be_bytes(), b"waits").unwrap());
        assert_eq!(sender.queued_octets(), 5 * (i + 1));
    }
    let stream = sender.stream(b"s", &SendOptions::default()).unwrap();
    for i in 0..count {
        sender.write(stream, &b"x"[..]).unwrap();
        assert_eq!(sender.queued_octets(), 5 * count + i + 1);
    }
    for id in ids.into_iter().rev() {
        sender.abort(id).unwrap();
    }
    assert_eq!((sender.queued(), sender.queued_octets()), (1, count));
}

#[test]
fn a_queue_of_ten_thousand_messages_takes_what_ten_of_a_thousand_take() {
    is_linear("messages in a queue", a_long_queue);
}

/// All that was closed gracefully has a deadline of its own, and all of them pass at once.
fn closes_that_are_overdue(count: usize) {
    let mut line = Line::new(roomy(), roomy());
    let (session, _) = line.begun(SessionConfig::default(), SessionConfig::default());
    let configs = (0..count).map(|i| LinkConfig::sender(format!("link-{i}"), "node"));
    let links = line.joined(session, configs);
    for (i, link) in links.iter().enumerate() {
        let mut receiver = line.server.receiver(link.receiver).unwrap();
        receiver.set_credit(1).unwrap();
        line.run();
        let by = Time(10_000 + i as u64 % 7);
        line.server
            .link(link.receiver)
            .unwrap()
            .close_by(by)
            .unwrap();
    }
    line.run();
    assert_eq!(line.server.poll_timeout().unwrap().at, Time(10_000));
    line.server.handle_timeout(Time(10_006));
    assert_eq!(line.server.poll_timeout(), None);
    line.run();
    while let Some(event) = line.client.poll_event() {
        if let Event::LinkDetached(id) = event {
            line.client.link(id).unwrap().close(None).unwrap();
        }
    }
    line.run();
    while_events(&mut line, |_, _| {});
    assert_eq!(line.client.census().links, 0);
    assert_eq!(line.server.census().links, 0);
}

#[test]
fn ten_thousand_overdue_closes_take_what_ten_times_a_thousand_take() {
    is_linear("overdue closes", closes_that_are_overdue);
}

/// Resumes a link with so many deliveries, which the sender settles while they wait to be sent again.
fn settled_while_they_wait(count: usize) {
    let config = || {
        let mut config = roomy();
        config.max_frame_size = 1 << 20;
        config
    };
    let mut line = Line::new(config(), config());
    let (session, _) = line.begun(SessionConfig::default(), SessionConfig::default());
    let mut state = LinkState::new(Role::Sender, LinkConfig::sender("link", "node"));
    state.unsettled = (0..count)
        .map(|i| UnsettledDelivery {
            payload: Some(b"precious".to_vec().into()),
            ..UnsettledDelivery::new(Tag::new(&i.to_be_bytes()).unwrap())
        })
        .collect();
    let mut session = line.client.session(session).unwrap();
    let sender = session.resume(&state).unwrap();
    line.run();
    let Some(Event::LinkAttached(receiver)) = line.server.poll_event() else {
        panic!("no link came");
    };
    line.server.link(receiver).unwrap().accept().unwrap();
    line.run();
    let link = line.client.link(sender).unwrap();
    let waiting: Vec<_> = link.unsettled().map(|delivery| delivery.id).collect();
    assert_eq!(waiting.len(), count);
    for delivery in waiting {
        let mut sender = line.client.sender(sender).unwrap();
        sender.settle(delivery).unwrap();
    }
    assert_eq!(line.client.census().outgoing_deliveries, 0);
    let credit = u32::try_from(count).unwrap();
    let mut view = line.server.receiver(receiver).unwrap();
    view.set_credit(credit).unwrap();
    let mut taken = 0;
    while taken < count {
        line.run();
        let before = taken;
        let mut view = line.server.receiver(receiver).unwrap();
        while let Some(delivery) = view.next_delivery() {
            assert!(delivery.is_settled());
            taken += 1;
        }
        assert_ne!(taken, before, "the link stalls");
    }
}

#[test]
fn ten_thousand_resumed_deliveries_are_settled_in_what_ten_times_a_thousand_take() {
    is_linear("resumed deliveries", settled_while_they_wait);
}
