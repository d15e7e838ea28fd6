//! Who waits is neither held up for nothing nor passed over: interrupts, full queues, crowds, and stopping twice.
#![expect(
    clippy::disallowed_methods,
    reason = "time that really passes is what these are about"
)]

mod support;

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use ferrion_messenger::{Credit, Error, Flags, Message};
use support::{KeptPort, client, message_to, server};

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Both ends of what a script does between two calls: longer than the messenger trusts what it knows.
const WORK: Duration = ms(80);

#[test]
fn an_interrupt_is_told_although_messages_wait() {
    let (mut receiver, address) = server();
    receiver.set_timeout(Some(ms(1500)));
    let sending = thread::spawn(move || {
        let mut sender = client();
        for body in ["a", "b"] {
            sender.put(&message_to(&address, body)).unwrap();
        }
        sender.send().unwrap();
        sender
    });
    while receiver.incoming() < 2 {
        receiver.recv(2).unwrap();
    }
    let _sender = sending.join().unwrap();
    receiver.get(&mut Message::new()).unwrap();
    thread::sleep(WORK);
    receiver.interrupter().interrupt();
    assert_eq!(receiver.recv(2), Err(Error::Interrupted));
    assert_eq!(receiver.recv(2), Ok(()));
}

#[test]
fn a_stop_after_an_interrupted_one_has_its_full_time() {
    let (mut receiver, address) = server();
    receiver.set_incoming_window(10);
    let receiving = thread::spawn(move || {
        receiver.set_timeout(Some(ms(3000)));
        let mut message = Message::new();
        while receiver.recv(Credit::All).is_ok() {
            while let Ok(tracker) = receiver.get(&mut message) {
                thread::sleep(ms(100));
                receiver.accept(tracker, Flags::NONE).unwrap();
            }
        }
    });
    let mut sender = client();
    sender.set_timeout(Some(ms(800)));
    sender.set_outgoing_window(10);
    sender.put(&message_to(&address, "a")).unwrap();
    sender.interrupter().interrupt();
    assert_eq!(sender.stop(), Err(Error::Interrupted));
    sender.send().unwrap();
    // The patience of the first stop is over by now.
    thread::sleep(ms(900));
    sender.put(&message_to(&address, "b")).unwrap();
    assert_eq!(sender.stop(), Ok(()));
    receiving.join().unwrap();
}

#[test]
fn put_waits_for_room_for_its_message_and_no_more() {
    let (mut receiver, address) = server();
    let receiving = thread::spawn(move || {
        receiver.set_timeout(Some(ms(2500)));
        // Twenty are taken, and the rest of the hundred stays where it is.
        receiver.recv(20).unwrap();
        let begun = Instant::now();
        while begun.elapsed() < ms(2000) {
            receiver.work(Some(ms(100))).unwrap();
        }
    });
    let mut sender = client();
    sender.set_timeout(Some(ms(1500)));
    sender.set_high_water(100, 1 << 20);
    let message = message_to(&address, "x");
    for _ in 0..100 {
        sender.put(&message).unwrap();
    }
    let begun = Instant::now();
    assert!(sender.put(&message).is_ok());
    let taken = begun.elapsed();
    assert!(taken < ms(1400), "it took {taken:?}");
    receiving.join().unwrap();
}

#[test]
fn a_subscription_that_was_interrupted_leaves_its_port_free() {
    let port = KeptPort::new();
    let mut messenger = client();
    messenger.interrupter().interrupt();
    // A name has to be looked up, which gives the interrupt its time.
    let address = format!("~localhost:{}", port.number);
    if messenger.subscribe(&address).is_ok() {
        // The name was found before the interrupt was seen, which is left to the next call.
        return;
    }
    for _ in 0..2 {
        messenger.work(Some(ms(300))).unwrap();
    }
    messenger.subscribe(&address).unwrap();
}

#[test]
fn a_client_behind_a_crowd_that_left_is_served_at_once() {
    let (mut receiver, address) = server();
    let (_, port) = address.rsplit_once(':').unwrap();
    for _ in 0..64 {
        drop(TcpStream::connect(format!("127.0.0.1:{port}")).unwrap());
    }
    let to = address.clone();
    let sending = thread::spawn(move || {
        let mut sender = client();
        sender.set_timeout(Some(ms(15_000)));
        sender.put(&message_to(&to, "a")).unwrap();
        sender.send()
    });
    thread::sleep(ms(300));
    receiver.set_timeout(Some(ms(14_000)));
    let begun = Instant::now();
    receiver.recv(1).unwrap();
    let taken = begun.elapsed();
    // A turn of the messenger, not a time-out of something else's.
    assert!(taken < ms(1500), "it took {taken:?}");
    receiver.stop().unwrap();
    // It was let in; whether it was answered before the stop does not matter here.
    let _ = sending.join().unwrap();
}

#[test]
fn stop_takes_back_what_recv_asked_for() {
    let (mut receiver, _address) = server();
    receiver.set_timeout(Some(ms(100)));
    assert!(receiver.recv(5).is_err());
    receiver.stop().unwrap();
    assert_eq!(receiver.receiving(), 0);
}
