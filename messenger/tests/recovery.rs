//! Link recovery over real sockets that are cut under way, and peers that cannot do it.

#[path = "support/puppet.rs"]
mod puppet;
mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ferrion_messenger::{
    ConnectionEvent, Credit, Error, Flags, Interrupter, LinkRecovery, Message, Messenger,
    Reconnect, Status,
};
use puppet::{Deed, Stage, puppet_behind};
use support::{KeptPort, Wire, client, listen, message_to, text};

const COUNT: usize = 300;

/// A messenger that recovers links, and is quick to connect again.
fn recovering() -> Messenger {
    let mut messenger = client();
    messenger.set_link_recovery(Some(LinkRecovery::default()));
    messenger.set_reconnect(Some(Reconnect {
        first_delay: Duration::from_millis(1),
        max_delay: Duration::from_millis(20),
        initial: true,
        ..Reconnect::default()
    }));
    messenger.set_outgoing_window(usize::MAX);
    messenger.set_incoming_window(usize::MAX);
    messenger
}

/// Accepts what comes, each message some time after it was got, until it is interrupted.
fn serve(mut messenger: Messenger) -> (Interrupter, JoinHandle<Vec<String>>) {
    messenger.set_timeout(None);
    let interrupter = messenger.interrupter();
    let thread = std::thread::spawn(move || {
        let (mut bodies, mut undecided) = (Vec::new(), Vec::new());
        let mut message = Message::new();
        while messenger.recv(Credit::All) != Err(Error::Interrupted) {
            while messenger.incoming() > 0 {
                undecided.push(messenger.get(&mut message).unwrap());
                bodies.push(text(&message));
            }
            for tracker in undecided.drain(..) {
                messenger.accept(tracker, Flags::NONE).unwrap();
            }
        }
        bodies
    });
    (interrupter, thread)
}

/// Passes octets on, and cuts connections after so many of them, one limit each; what comes after the last is not cut.
fn cutter(to: &str, limits: Vec<usize>) -> String {
    let to = to.trim_start_matches("amqp://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("amqp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for limit in limits.into_iter().chain(std::iter::repeat(usize::MAX)) {
            let Ok((client, _)) = listener.accept() else {
                return;
            };
            let server = TcpStream::connect(&to).unwrap();
            let left = Arc::new(AtomicUsize::new(limit));
            for (from, to) in [(&client, &server), (&server, &client)] {
                let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                let left = Arc::clone(&left);
                std::thread::spawn(move || pass(from, to, &left));
            }
        }
    });
    address
}

fn pass(mut from: TcpStream, mut to: TcpStream, left: &AtomicUsize) {
    let mut buffer = [0; 2048];
    while let Ok(count) = from.read(&mut buffer)
        && count > 0
    {
        let take = |left: usize| Some(left.saturating_sub(count));
        let before = left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .unwrap();
        let _ = to.write_all(&buffer[..count.min(before)]);
        if before <= count {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

/// Numbers that look drawn, the same in every run.
fn limits(count: usize, seed: usize) -> Vec<usize> {
    let draw = |n: usize| 300 + (n + seed).wrapping_mul(2_654_435_761) % 40_000;
    (1..=count).map(draw).collect()
}

fn body(n: usize) -> String {
    format!("{n}:{}", "x".repeat(n * 37 % 3000))
}

#[test]
fn what_is_sent_through_a_line_that_is_cut_all_the_time_arrives_exactly_once() {
    for seed in 0..3 {
        let mut server = recovering();
        let address = cutter(&listen(&mut server), limits(20, seed));
        let (interrupter, serving) = serve(server);
        let mut messenger = recovering();
        let trackers: Vec<_> = (0..COUNT)
            .map(|n| messenger.put(&message_to(&address, &body(n))).unwrap())
            .collect();
        messenger.send().unwrap();
        for tracker in trackers {
            assert_eq!(messenger.status(tracker), Status::Accepted);
        }
        let mut recovered = 0;
        while let Some(event) = messenger.poll_connection_event() {
            match event {
                ConnectionEvent::Recovered { .. } => recovered += 1,
                ConnectionEvent::Forgotten { .. } => panic!("{event:?}"),
                _ => {}
            }
        }
        assert!(recovered > 5, "{recovered}");
        messenger.stop().unwrap();
        interrupter.interrupt();
        let bodies = serving.join().unwrap();
        let expected: Vec<String> = (0..COUNT).map(body).collect();
        assert!(bodies == expected, "seed {seed}: {} came", bodies.len());
    }
}

#[test]
fn an_answer_after_the_connection_was_made_again_reaches_the_sender() {
    let mut server = recovering();
    let address = cutter(&listen(&mut server), vec![2000]);
    let mut messenger = recovering();
    let tracker = messenger.put(&message_to(&address, "first")).unwrap();
    messenger.set_blocking(false);
    let mut message = Message::new();
    server.set_blocking(false);
    while server.get(&mut message).is_err() {
        messenger.work(Some(Duration::from_millis(1))).unwrap();
        let _ = server.recv(Credit::All);
    }
    let got = server.incoming_tracker().unwrap();
    // This is too much for the line.
    let more = messenger
        .put(&message_to(&address, &"x".repeat(5000)))
        .unwrap();
    let mut events = Vec::new();
    while !events
        .iter()
        .any(|event| matches!(event, ConnectionEvent::Recovered { .. }))
    {
        messenger.work(Some(Duration::from_millis(1))).unwrap();
        server.work(Some(Duration::from_millis(1))).unwrap();
        events.extend(messenger.poll_connection_event());
    }
    assert_eq!(messenger.status(tracker), Status::Pending);
    assert_eq!(server.status(got), Status::Pending);
    server.reject(got, Flags::NONE).unwrap();
    while messenger.status(tracker) == Status::Pending || messenger.status(more) == Status::Pending
    {
        messenger.work(Some(Duration::from_millis(1))).unwrap();
        let _ = server.recv(Credit::All);
        if let Ok(got) = server.get(&mut message) {
            server.accept(got, Flags::NONE).unwrap();
        }
    }
    assert_eq!(messenger.status(tracker), Status::Rejected);
    assert_eq!(messenger.status(more), Status::Accepted);
    assert_eq!(server.status(got), Status::Rejected);
}

#[test]
fn what_a_peer_without_memory_did_not_answer_is_sent_again_and_that_is_told() {
    let port = KeptPort::new();
    let (address, thread) = puppet_behind(port.listener(), Stage::Transferred, Deed::Reset);
    let mut messenger = recovering();
    let tracker = messenger.put(&message_to(&address, "x")).unwrap();
    messenger.set_blocking(false);
    let mut events = Vec::new();
    let mut forgotten = None;
    while forgotten.is_none() {
        messenger.work(Some(Duration::from_millis(20))).unwrap();
        let event = messenger.poll_connection_event();
        if let Some(ConnectionEvent::Forgotten {
            sent_again,
            aborted,
            ..
        }) = event
        {
            forgotten = Some((sent_again, aborted));
        }
        events.extend(event);
        assert!(events.len() < 100, "{events:?}");
    }
    assert_eq!(forgotten, Some((1, 0)));
    assert_eq!(messenger.status(tracker), Status::Pending);
    thread.join().unwrap();
    let (next, _) = Wire::Tcp.server_at(&port);
    let (interrupter, serving) = serve(next);
    messenger.set_blocking(true);
    messenger.send().unwrap();
    assert_eq!(messenger.status(tracker), Status::Accepted);
    interrupter.interrupt();
    assert_eq!(serving.join().unwrap(), ["x"]);
}
