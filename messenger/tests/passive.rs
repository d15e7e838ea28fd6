//! Messengers in loops of the caller's: `poll(2)` over their descriptors, and tokio.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "a test that must not hang looks at the clock"
)]

#[macro_use]
mod support;

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use ferrion_messenger::{Credit, Error, ErrorKind, Flags, Message, Messenger, Status};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use support::{PATIENCE, Wire, client, message_to, text};

over_every_wire! {
    heartbeats_are_part_of_the_deadline,
    an_interrupt_reaches_a_loop_that_waits,
    a_loop_sleeps_while_there_is_nothing_to_do,
    a_loop_that_asks_again_each_time_around_sleeps_all_the_same,
    tokio_drives_both_ends,
}

/// A messenger that only works when it is told to, and a server of that kind with its address.
fn pair(wire: Wire) -> (Messenger, Messenger, String) {
    let (mut server, address) = wire.server();
    let mut client = wire.client();
    server.set_passive(true);
    client.set_passive(true);
    (server, client, address)
}

/// One turn of a loop that poll(2) waits for.
fn turn(messengers: &mut [&mut Messenger], most: Duration) -> bool {
    support::way::turn(messengers, most).unwrap()
}

fn until(messengers: &mut [&mut Messenger], what: &str, done: impl Fn(&[&mut Messenger]) -> bool) {
    let begun = Instant::now();
    while !done(messengers) {
        assert!(begun.elapsed() < PATIENCE, "never {what}");
        turn(messengers, Duration::from_millis(100));
    }
}

fn in_progress<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert_eq!(result.unwrap_err(), Error::InProgress);
}

fn a_loop_sleeps_while_there_is_nothing_to_do(wire: Wire) {
    let (mut server, mut client, address) = pair(wire);
    let both = &mut [&mut server, &mut client];
    both[1].put(&message_to(&address, "x")).unwrap();
    in_progress(both[0].recv(1));
    until(both, "received", |both| both[0].incoming() == 1);
    let idle = |messenger: &Messenger| {
        let due = messenger.deadline();
        due.is_none_or(|due| due > Duration::from_secs(1))
    };
    until(both, "quiet", |both| {
        both.iter().all(|messenger| idle(messenger))
    });
    // What belongs to the exchange may still be under way; then nothing happens any more.
    let mut turns = 0;
    while turn(both, Duration::from_millis(50)) {
        turns += 1;
        assert!(turns < 100, "there is always something to do");
    }
    assert!(!turn(both, Duration::from_millis(50)));
    assert!(idle(both[0]) && idle(both[1]));
    // Whatever is asked for is due at once.
    both[0].get(&mut Message::new()).unwrap();
    assert_eq!(both[0].deadline(), Some(Duration::ZERO));
    both[1].put(&message_to(&address, "x")).unwrap();
    assert_eq!(both[1].deadline(), Some(Duration::ZERO));
    assert_eq!(both[0].descriptor(), both[0].as_raw_fd());
}

fn a_loop_that_asks_again_each_time_around_sleeps_all_the_same(wire: Wire) {
    for credit in [Credit::All, Credit::Explicit(5), Credit::Manual] {
        let (mut server, mut client, address) = pair(wire);
        client.subscribe(&format!("{address}/q")).unwrap();
        let both = &mut [&mut server, &mut client];
        let mut asleep = 0;
        let begun = Instant::now();
        while asleep < 3 {
            assert!(begun.elapsed() < PATIENCE, "{credit:?}: always awake");
            in_progress(both[0].recv(credit));
            in_progress(both[1].recv(credit));
            asleep += usize::from(!turn(both, Duration::from_millis(5)));
        }
        assert!(
            both.iter()
                .all(|messenger| messenger.deadline() != Some(Duration::ZERO))
        );
        in_progress(both[1].recv(credit));
        assert_ne!(both[1].deadline(), Some(Duration::ZERO), "{credit:?}");
    }
}

fn heartbeats_are_part_of_the_deadline(wire: Wire) {
    const SILENCE: Duration = Duration::from_millis(200);
    let (mut server, mut client, address) = pair(wire);
    server.set_idle_time_out(Some(SILENCE));
    client.set_idle_time_out(Some(SILENCE));
    client.subscribe(&format!("{address}/q")).unwrap();
    in_progress(client.recv(1));
    let both = &mut [&mut server, &mut client];
    let begun = Instant::now();
    while begun.elapsed() < SILENCE * 5 {
        // No limit but the deadline: who did not tell it would be found silent.
        turn(both, PATIENCE);
    }
    in_progress(both[1].recv(1));
    assert!(!both[1].stopped());
    assert!(both[1].deadline().unwrap() <= SILENCE);
}

fn an_interrupt_reaches_a_loop_that_waits(wire: Wire) {
    let (mut server, _client, _) = pair(wire);
    in_progress(server.recv(1));
    while turn(&mut [&mut server], Duration::from_millis(10)) {}
    let interrupter = server.interrupter();
    let other = std::thread::spawn(move || interrupter.interrupt());
    let mut watched = [PollFd::new(&server, PollFlags::IN)];
    let patience = Timespec::try_from(PATIENCE).unwrap();
    assert_eq!(poll(&mut watched, Some(&patience)), Ok(1));
    assert_eq!(server.work(Some(Duration::ZERO)), Err(Error::Interrupted));
    other.join().unwrap();
}

#[test]
fn no_call_but_work_does_any_io() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("amqp://{}", listener.local_addr().unwrap());
    let mut messenger = client();
    messenger.set_passive(true);
    messenger.set_high_water(2, usize::MAX);
    let message = message_to(&address, "x");
    messenger.put(&message).unwrap();
    messenger.put(&message).unwrap();
    let full = messenger.put(&message).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::Overflow);
    in_progress(messenger.send());
    in_progress(messenger.recv(1));
    let listening = messenger.subscribe("~127.0.0.1:0").unwrap();
    assert_eq!(messenger.subscription_port(listening), None);
    let nobody = listener.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    while messenger.subscription_port(listening).is_none() {
        messenger.work(Some(Duration::ZERO)).unwrap();
    }
    listener.set_nonblocking(false).unwrap();
    listener.accept().unwrap();
    // A port that is taken is told as soon as it is known.
    let taken = format!("~{}", listener.local_addr().unwrap());
    messenger.subscribe(&taken).unwrap();
    messenger.work(Some(Duration::ZERO)).unwrap();
    let error = messenger.recv(1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Listen);
}

#[test]
fn a_connection_that_is_being_made_has_a_deadline() {
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut messenger = Wire::Tls.client();
    messenger.set_passive(true);
    messenger.set_handshake_time_out(Duration::from_millis(50));
    messenger.set_reconnect(None);
    let to = format!("amqps://{}", mute.local_addr().unwrap());
    messenger.put(&message_to(&to, "x")).unwrap();
    let begun = Instant::now();
    let error = loop {
        match messenger.send() {
            Err(Error::InProgress) => turn(&mut [&mut messenger], PATIENCE),
            other => break other.unwrap_err(),
        };
    };
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

/// A messenger that is connected to a server which neither takes nor answers anything from now on.
fn with_a_mute_server() -> (Messenger, Messenger, String) {
    let (mut server, mut client, address) = pair(Wire::Tcp);
    client.put(&message_to(&address, "first")).unwrap();
    let both = &mut [&mut server, &mut client];
    until(both, "connected", |both| both[0].deadline().is_some());
    // The peer has answered all that it will.
    while turn(both, Duration::from_millis(50)) {}
    client.set_timeout(Some(BRIEF));
    (server, client, address)
}

/// A Messenger counts whole ones: a time may be over so much sooner.
const MILLISECOND: Duration = Duration::from_millis(1);

/// A time that is over long before anything else happens.
const BRIEF: Duration = Duration::from_millis(150);

/// A loop that calls again when work told that something happened, and only then, ends soon after this long, since it was begun.
fn ends_after<T>(
    (begun, least): (Instant, Duration),
    mut call: impl FnMut(&mut Messenger) -> Option<T>,
    mut work: impl FnMut(&mut Messenger) -> bool,
    messenger: &mut Messenger,
) -> T {
    let mut calls = 0;
    loop {
        if let Some(end) = call(messenger) {
            let took = begun.elapsed();
            assert!(
                least <= took + MILLISECOND && took < PATIENCE / 2,
                "{took:?}"
            );
            return end;
        }
        calls += 1;
        assert!(calls < 100, "it does not sleep");
        while !work(messenger) {
            assert!(begun.elapsed() < PATIENCE / 2, "it was not told");
        }
    }
}

fn poll_and_work(messenger: &mut Messenger) -> bool {
    turn(&mut [messenger], PATIENCE)
}

fn work_without_end(messenger: &mut Messenger) -> bool {
    messenger.work(None).unwrap()
}

#[test]
fn a_loop_is_told_that_the_time_of_a_request_is_over() {
    for (passive, work) in [
        (true, poll_and_work as fn(&mut _) -> _),
        (false, work_without_end),
    ] {
        let (_server, mut client, address) = with_a_mute_server();
        client.set_passive(passive);
        let begun = Instant::now();
        let request = client.send_request(&message_to(&address, "?")).unwrap();
        let call = |client: &mut Messenger| {
            let polled = client.poll_reply(request, &mut Message::new());
            (polled != Ok(false)).then_some(polled)
        };
        let error = ends_after((begun, BRIEF), call, work, &mut client).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(client.requests(), 0);
    }
}

#[test]
fn a_loop_is_told_that_stop_has_tried_long_enough() {
    for (passive, work) in [
        (true, poll_and_work as fn(&mut _) -> _),
        (false, work_without_end),
    ] {
        let (_server, mut client, address) = with_a_mute_server();
        client.set_blocking(false);
        client.set_passive(passive);
        client.put(&message_to(&address, "no credit")).unwrap();
        let call = |client: &mut Messenger| {
            let stopped = client.stop();
            (stopped != Err(Error::InProgress)).then_some(stopped)
        };
        // So long for what is unsent, and again for the answer to the close.
        let stopped = ends_after((Instant::now(), BRIEF * 2), call, work, &mut client);
        assert_eq!(stopped, Err(Error::Unsent { count: 2 }));
        assert!(client.stopped());
    }
}

#[test]
fn who_does_not_go_on_with_stop_is_told_once_that_it_could() {
    let (_server, mut client, address) = with_a_mute_server();
    client.put(&message_to(&address, "no credit")).unwrap();
    // What can be done about the message is done: from here on only time passes.
    while turn(&mut [&mut client], Duration::from_millis(20)) {}
    let begun = Instant::now();
    in_progress(client.stop());
    let mut told = Vec::new();
    while begun.elapsed() < BRIEF * 3 {
        if turn(&mut [&mut client], BRIEF) {
            told.push(begun.elapsed());
        }
    }
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0] + MILLISECOND >= BRIEF, "{told:?}");
    // There is nothing to wake up for but that the peer may be silent for too long.
    assert!(client.deadline().is_none_or(|due| due > BRIEF * 10));
    // The next step has its own time, which is told of as well.
    in_progress(client.stop());
    assert!(client.deadline().unwrap() <= BRIEF);
    let call = |client: &mut Messenger| {
        let stopped = client.stop();
        (stopped != Err(Error::InProgress)).then_some(stopped)
    };
    let stopped = ends_after(
        (Instant::now(), Duration::ZERO),
        call,
        poll_and_work,
        &mut client,
    );
    assert_eq!(stopped, Err(Error::Unsent { count: 2 }));
    assert!(client.stopped());
}

fn tokio_drives_both_ends(wire: Wire) {
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// Works until `done` answers something.
    async fn drive<T>(
        messenger: Messenger,
        mut done: impl FnMut(&mut Messenger) -> Option<T>,
    ) -> (Messenger, T) {
        #[expect(
            deprecated,
            reason = "a messenger keeps its descriptor for life, and no unsafe code is needed"
        )]
        let mut watched = AsyncFd::with_interest(messenger, Interest::READABLE).unwrap();
        loop {
            if let Some(answer) = done(watched.get_mut()) {
                return (watched.into_inner(), answer);
            }
            match watched.get_ref().deadline() {
                None => watched.readable().await.unwrap().clear_ready(),
                Some(due) => {
                    if let Ok(ready) = tokio::time::timeout(due, watched.readable()).await {
                        ready.unwrap().clear_ready();
                    }
                }
            }
            watched.get_mut().work(Some(Duration::ZERO)).unwrap();
        }
    }

    let (mut server, mut client, address) = pair(wire);
    server.set_incoming_window(10);
    client.set_outgoing_window(10);
    let serving = drive(server, |server| {
        let _ = server.recv(Credit::All);
        let mut message = Message::new();
        let tracker = server.get(&mut message).ok()?;
        server.accept(tracker, Flags::NONE).unwrap();
        Some(text(&message))
    });
    let sending = async {
        let tracker = client.put(&message_to(&address, "through tokio")).unwrap();
        drive(client, |client| {
            client.send().ok().map(|()| client.status(tracker))
        })
        .await
    };
    let run = async {
        let (server, body) = serving.await;
        assert_eq!(body, "through tokio");
        // The outcome has still to go out.
        drive(server, |server| {
            (server.deadline() != Some(Duration::ZERO)).then_some(())
        })
        .await;
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let (_, (_, status)) = tokio::join!(run, sending);
            assert_eq!(status, Status::Accepted);
        });
}

#[test]
fn stop_leaves_to_the_loop_what_is_to_be_closed() {
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut messenger, listening) = Wire::Tcp.server();
    messenger.set_passive(true);
    // No time at all for what is unsent, and for goodbyes.
    messenger.set_timeout(Some(Duration::ZERO));
    let mute = format!("amqp://{}/q", peer.local_addr().unwrap());
    messenger.put(&message_to(&mute, "x")).unwrap();
    until(&mut [&mut messenger], "connected", |all| {
        all[0].deadline() != Some(Duration::ZERO)
    });
    let (mut stream, _) = peer.accept().unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    let place = listening.trim_start_matches("amqp://").to_owned();

    for _ in 0..2 {
        in_progress(messenger.stop());
        assert!(!messenger.stopped());
        assert_eq!(messenger.deadline(), Some(Duration::ZERO));
        // Nothing was closed: not the connection, nor who listens.
        let ended = std::io::copy(&mut stream, &mut std::io::sink());
        assert_eq!(ended.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        TcpStream::connect(&place).unwrap();
    }

    messenger.work(Some(Duration::ZERO)).unwrap();
    assert!(messenger.stopped());
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let ended = stream.read(&mut [0; 1]);
    assert!(!ended.is_ok_and(|octets| octets > 0));
    TcpStream::connect(&place).unwrap_err();
    assert_eq!(messenger.stop(), Err(Error::Unsent { count: 1 }));
    assert_eq!(messenger.stop(), Ok(()));
    assert!(messenger.stopped());
}
