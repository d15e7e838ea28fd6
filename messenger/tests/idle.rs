//! Idle time-outs: who works is heard, who does not is given up.
#![expect(
    clippy::disallowed_methods,
    reason = "silence is what is tested, and it takes time"
)]

#[macro_use]
mod support;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use ferrion_messenger::{Credit, ErrorKind, Message, Reconnect, Status};
use support::message_to;
use support::way::{Party, Way};

in_every_way! {
    work_alone_keeps_a_connection_alive,
    who_was_busy_hears_what_came_before_finding_anyone_silent,
    who_only_puts_finds_nobody_silent,
    a_peer_that_does_nothing_is_given_up,
    who_hears_nothing_is_heard_all_the_same,
}

const SILENCE: Duration = Duration::from_millis(250);

fn work_alone_keeps_a_connection_alive(way: Way) {
    let mut server = way.party();
    server.set_idle_time_out(Some(SILENCE));
    let address = way.listen(&mut server);
    let mut client = way.party();
    client.set_idle_time_out(Some(SILENCE));
    client.subscribe(&address).unwrap();
    client.ask(1);
    they_stay_connected(server, client);
}

/// The client wants nothing to be said, and so it hears nothing in between that would remind it of its own heartbeats.
fn who_hears_nothing_is_heard_all_the_same(way: Way) {
    let mut server = way.party();
    server.set_idle_time_out(Some(SILENCE));
    let address = way.listen(&mut server);
    let mut client = way.party();
    client.set_reconnect(None);
    client.subscribe(&address).unwrap();
    client.ask(1);
    they_stay_connected(server, client);
}

/// Both do nothing but work for longer than anybody is silent.
fn they_stay_connected(mut server: Party, mut client: Party) {
    let serving = std::thread::spawn(move || {
        let begun = Instant::now();
        while begun.elapsed() < SILENCE * 3 {
            server.step(SILENCE).unwrap();
        }
        server
    });
    let begun = Instant::now();
    while begun.elapsed() < SILENCE * 3 {
        client.step(SILENCE).unwrap();
        assert!(!client.stopped());
    }
    client.set_timeout(Some(Duration::ZERO));
    let error = client.recv(1).unwrap_err();
    assert!(client.is_unfinished(&error), "it is still there: {error}");
    serving.join().unwrap();
}

fn who_was_busy_hears_what_came_before_finding_anyone_silent(way: Way) {
    let mut server = way.party();
    server.set_idle_time_out(Some(SILENCE));
    let address = way.listen(&mut server);
    let sending = std::thread::spawn(move || {
        let mut client = way.party();
        client.set_outgoing_window(2);
        for body in ["one", "two"] {
            client.put(&message_to(&address, body)).unwrap();
            client.send().unwrap();
        }
        client
    });
    server.recv(Credit::All).unwrap();
    server.get(&mut Message::new()).unwrap();
    server.step(Duration::from_millis(10)).unwrap();
    // The server computes for longer than it would wait; the client has gone on talking.
    std::thread::sleep(SILENCE * 2);
    server.recv(Credit::All).unwrap();
    server.get(&mut Message::new()).unwrap();
    server.step(Duration::from_millis(10)).unwrap();
    sending.join().unwrap();
}

/// Much that is put begins to leave at once; what came meanwhile is heard when the program waits.
fn who_only_puts_finds_nobody_silent(way: Way) {
    let mut server = way.party();
    let address = way.listen(&mut server);
    let serving = std::thread::spawn(move || {
        for _ in 0..2 {
            server.recv(Credit::All).unwrap();
            server.get(&mut Message::new()).unwrap();
        }
        server.step(Duration::from_millis(10)).unwrap();
    });
    let mut client = way.party();
    client.set_idle_time_out(Some(SILENCE));
    client.set_reconnect(None);
    client.set_outgoing_window(2);
    client.put(&message_to(&address, "one")).unwrap();
    client.send().unwrap();
    std::thread::sleep(SILENCE * 2);
    let much = "x".repeat(100_000);
    let tracker = client.put(&message_to(&address, &much)).unwrap();
    assert_eq!(client.status(tracker), Status::Pending);
    client.send().unwrap();
    assert_eq!(client.status(tracker), Status::Accepted);
    serving.join().unwrap();
}

fn a_peer_that_does_nothing_is_given_up(way: Way) {
    let mut server = way.party();
    let address = way.listen(&mut server);
    let mut client = way.party();
    client.set_reconnect(None);
    client.set_idle_time_out(Some(SILENCE));
    client.set_outgoing_window(1);
    client.put(&message_to(&address, "x")).unwrap();
    // The server says hello, and then nothing more.
    let begun = Instant::now();
    while begun.elapsed() < SILENCE / 4 {
        client.step(Duration::ZERO).unwrap();
        server.step(Duration::ZERO).unwrap();
    }
    let error = client.send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost, "{error}");
    assert!(error.to_string().contains("nothing was heard"), "{error}");
}

/// No idle time-out was agreed on yet.
#[test]
fn a_peer_that_never_says_anything_is_given_up_as_soon_as_one_wants() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("amqp://{}", silent.local_addr().unwrap());
    for reconnect in [None, Some(Reconnect::default())] {
        let mut client = support::client();
        client.set_handshake_time_out(SILENCE / 4);
        client.set_reconnect(reconnect);
        client.put(&message_to(&address, "x")).unwrap();
        let begun = Instant::now();
        let error = client.send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        assert!(error.to_string().contains("did not answer"), "{error}");
        assert!(begun.elapsed() < support::PATIENCE / 2);
    }
}
