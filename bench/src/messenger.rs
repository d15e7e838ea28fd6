//! Messenger to Messenger: the receiver listens and accepts, the sender counts a message only when its tracker says
//! accepted. In one process each to be timed, and in one process and thread for its instructions to be counted.

use std::time::Duration;

use ferrion_engine::message::Message;
use ferrion_messenger::{Credit, Error, Flags, Messenger, Status, Tracker};

use crate::work::{Clock, Options, Outcome, Ring, ensure, fold_payload, report};

const TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) fn recv(options: &Options) -> Outcome<()> {
    let ring = Ring::new(options.body);
    let mut messenger = Messenger::with_name("bench-receiver")?;
    messenger.set_timeout(Some(TIMEOUT));
    messenger.set_incoming_window(options.window as usize);
    messenger.start()?;
    let subscription = messenger.subscribe("amqp://~127.0.0.1:0")?;
    let port = messenger
        .subscription_port(subscription)
        .ok_or("the messenger does not listen")?;
    println!("{{\"port\":{port}}}");

    let mut message = Message::new();
    let (mut received, mut check) = (0, 0);
    let mut clock = Clock::start();
    while received < options.total() {
        messenger.recv(Credit::All)?;
        while messenger.incoming() > 0 {
            if received == options.warmup {
                clock = Clock::start();
            }
            messenger.get(&mut message)?;
            let body = message.body_octets()?.ok_or("a body is not octets")?;
            ensure!(body.len() == options.body, "a message did not arrive whole");
            if received < options.warmup {
                ensure!(
                    body == ring.body(received),
                    "a message did not arrive unchanged"
                );
            } else {
                check = fold_payload(check, body.len(), body, body);
            }
            received += 1;
        }
        if let Some(tracker) = messenger.incoming_tracker() {
            messenger.accept(tracker, Flags::CUMULATIVE)?;
        }
    }
    let time = clock.elapsed();
    messenger.stop()?; // sends the last acceptances before the connection closes
    report(options.count, time, options.body as u64, check);
    Ok(())
}

pub(crate) fn send(options: &Options) -> Outcome<()> {
    let ring = Ring::new(options.body);
    let mut messenger = Messenger::with_name("bench-sender")?;
    messenger.set_timeout(Some(TIMEOUT));
    messenger.set_outgoing_window(options.window as usize);
    messenger.start()?;

    let mut message = Message::new();
    message.set_address(format!("amqp://127.0.0.1:{}/queue", options.port));
    // The trackers of what is under way, by number of the message.
    let mut trackers: Vec<Option<Tracker>> = vec![None; options.window as usize];
    let slot = |number: u64| (number % options.window) as usize;
    let (mut sent, mut confirmed) = (0, 0);
    let mut clock = Clock::start();
    while confirmed < options.total() {
        if confirmed == options.warmup {
            clock = Clock::start();
        }
        let end = if confirmed < options.warmup {
            options.warmup
        } else {
            options.total()
        };
        let batch = options
            .batch
            .min(end - sent)
            .min(options.window - (sent - confirmed));
        for _ in 0..batch {
            message.set_body(ring.body(sent));
            trackers[slot(sent)] = Some(messenger.put(&message)?);
            sent += 1;
        }
        // Waits for a part only, so that the next batch is prepared while the last is under way.
        let all = sent == end || sent - confirmed == options.window;
        if all {
            messenger.send()?;
        } else {
            messenger.send_n(options.advance as usize)?;
        }
        while confirmed < sent {
            let tracker = trackers[slot(confirmed)].ok_or("a tracker is missing")?;
            match messenger.status(tracker) {
                Status::Pending => break,
                Status::Accepted => confirmed += 1,
                status => return Err(format!("a message was not accepted: {status:?}").into()),
            }
        }
        ensure!(
            !all || confirmed == sent,
            "a full send did not confirm every message"
        );
    }
    report(options.count, clock.elapsed(), options.body as u64, 0);
    messenger.stop()?;
    Ok(())
}

/// Both in one thread, in turn, so that every run does the same steps.
pub(crate) fn pair(options: &Options) -> Outcome<()> {
    let ring = Ring::new(options.body);
    let mut receiver = Messenger::with_name("bench-receiver")?;
    receiver.set_passive(true);
    receiver.set_incoming_window(options.window as usize);
    let subscription = receiver.subscribe("amqp://~127.0.0.1:0")?;
    let mut sender = Messenger::with_name("bench-sender")?;
    sender.set_passive(true);
    sender.set_outgoing_window(options.window as usize);
    let port = loop {
        receiver.work(Some(Duration::ZERO))?;
        if let Some(port) = receiver.subscription_port(subscription) {
            break port;
        }
    };

    let mut message = Message::new();
    message.set_address(format!("amqp://127.0.0.1:{port}/queue"));
    let mut received = Message::new();
    let mut trackers = Vec::with_capacity(options.batch as usize);
    let (mut sent, mut check) = (0, 0);
    let clock = Clock::start();
    while sent < options.total() {
        for _ in 0..options.batch.min(options.total() - sent) {
            message.set_body(ring.body(sent));
            trackers.push(sender.put(&message)?);
            sent += 1;
        }
        while trackers
            .iter()
            .any(|tracker| sender.status(*tracker) == Status::Pending)
        {
            sender.work(Some(Duration::ZERO))?;
            receiver.work(Some(Duration::ZERO))?;
            match receiver.recv(Credit::All) {
                Ok(()) | Err(Error::InProgress) => {}
                Err(error) => return Err(error.into()),
            }
            while receiver.incoming() > 0 {
                receiver.get(&mut received)?;
                let body = received.body_octets()?.ok_or("a body is not octets")?;
                check = fold_payload(check, body.len(), body, body);
            }
            if let Some(tracker) = receiver.incoming_tracker() {
                receiver.accept(tracker, Flags::CUMULATIVE)?;
            }
        }
        for tracker in trackers.drain(..) {
            ensure!(
                sender.status(tracker) == Status::Accepted,
                "a message was not accepted"
            );
        }
    }
    report(options.total(), clock.elapsed(), options.body as u64, check);
    Ok(())
}
