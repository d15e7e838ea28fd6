//! Several messengers in one thread, none of which ever waits: credit, back-pressure, names.

#![expect(
    clippy::disallowed_methods,
    reason = "a test that must not hang looks at the clock"
)]

#[macro_use]
mod support;

use std::time::{Duration, Instant};

use ferrion_messenger::{Credit, Error, ErrorKind, Message, Messenger};
use support::{PATIENCE, Wire, message_to, text};

over_every_wire! {
    messages_arrive_in_order_whoever_pumps,
    nobody_who_does_not_read_is_flooded,
    put_refuses_beyond_the_high_water_mark,
    a_reply_goes_down_the_connection_that_the_other_side_opened,
    a_dynamic_node_has_an_address_to_send_to,
    credit_that_one_link_does_not_use_goes_to_another,
    the_credit_of_a_client_that_leaves_comes_back,
    all_that_was_asked_for_comes_however_it_is_spread,
    a_name_that_takes_long_to_look_up_does_not_hold_up_the_caller,
    an_interrupt_ends_the_call_that_waits_or_the_next,
    stop_ends_in_time_when_the_peer_never_says_a_word,
    stop_reports_what_nobody_took_however_often_it_is_called,
}

/// Two clients and a server, pumped in turn.
struct Trio {
    server: Messenger,
    client: Messenger,
    client2: Messenger,
    address: String,
}

impl Trio {
    fn new(wire: Wire) -> Self {
        let mut server = wire.client();
        let address = wire.listen(&mut server);
        let (mut client, mut client2) = (wire.client(), wire.client());
        for messenger in [&mut server, &mut client, &mut client2] {
            messenger.set_blocking(false);
        }
        Self {
            server,
            client,
            client2,
            address,
        }
    }

    fn pump(&mut self) -> bool {
        let mut busy = false;
        for messenger in [&mut self.server, &mut self.client, &mut self.client2] {
            busy |= messenger.work(Some(Duration::ZERO)).unwrap();
        }
        busy
    }

    /// Works until nobody has anything to do for a while.
    fn settle(&mut self) {
        let mut quiet = Instant::now();
        while quiet.elapsed() < Duration::from_millis(30) {
            if self.pump() {
                quiet = Instant::now();
            } else {
                std::thread::yield_now();
            }
        }
    }

    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !done(self) {
            assert!(begun.elapsed() < PATIENCE, "never {what}");
            if !self.pump() {
                std::thread::yield_now();
            }
        }
    }

    fn put(&mut self, node: &str, count: usize) {
        let message = message_to(&format!("{}/{node}", self.address), node);
        for _ in 0..count {
            self.client.put(&message).unwrap();
        }
    }
}

fn in_progress(result: Result<(), Error>) {
    match result {
        Ok(()) | Err(Error::InProgress) => {}
        Err(error) => panic!("{error}"),
    }
}

fn messages_arrive_in_order_whoever_pumps(wire: Wire) {
    for count in [1, 1024, 4096] {
        let mut trio = Trio::new(wire);
        let mut message = message_to(&trio.address, "");
        for n in 0..count {
            message.set_body(n.to_string().as_str());
            trio.client.put(&message).unwrap();
        }
        assert_eq!(trio.client.send(), Err(Error::InProgress));
        assert_eq!(trio.client.outgoing(), count);
        let mut received = 0;
        let begun = Instant::now();
        while received < count {
            assert!(begun.elapsed() < PATIENCE);
            in_progress(trio.server.recv(Credit::All));
            trio.pump();
            while trio.server.incoming() > 0 {
                trio.server.get(&mut message).unwrap();
                assert_eq!(text(&message), received.to_string());
                received += 1;
            }
        }
        trio.until("all gone", |trio| trio.client.outgoing() == 0);
        assert_eq!(trio.server.incoming(), 0);
        assert_eq!(trio.client.send(), Ok(()));
    }
}

fn nobody_who_does_not_read_is_flooded(wire: Wire) {
    let mut trio = Trio::new(wire);
    trio.put("x", 16 * 1024);
    in_progress(trio.server.recv(Credit::All));
    trio.settle();
    assert_eq!(trio.server.incoming(), 1024);
    assert_eq!(trio.client.outgoing(), 15 * 1024);
    let mut message = Message::new();
    trio.server.get(&mut message).unwrap();
    in_progress(trio.server.recv(Credit::All));
    trio.settle();
    assert!((1024..=1025).contains(&trio.server.incoming()));
}

fn put_refuses_beyond_the_high_water_mark(wire: Wire) {
    let mut trio = Trio::new(wire);
    trio.client.set_high_water(10, usize::MAX);
    trio.put("x", 10);
    let message = message_to(&trio.address, "x");
    let error = trio.client.put(&message).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overflow);
    trio.client.set_high_water(100, 1);
    assert_eq!(
        trio.client.put(&message).unwrap_err().kind(),
        ErrorKind::Overflow
    );
    in_progress(trio.server.recv(11));
    trio.until("sent", |trio| trio.client.outgoing() == 0);
    // A single message goes, whatever its size.
    trio.client.put(&message).unwrap();
    // In blocking mode put waits, here until the first has used up the credit; but not for ever.
    trio.client.set_blocking(true);
    trio.client.set_timeout(Some(Duration::from_millis(20)));
    trio.client.set_high_water(1, usize::MAX);
    trio.client.put(&message).unwrap();
    assert_eq!(
        trio.client.put(&message).unwrap_err().kind(),
        ErrorKind::Overflow
    );
}

fn a_reply_goes_down_the_connection_that_the_other_side_opened(wire: Wire) {
    let mut trio = Trio::new(wire);
    let mut named = wire.client_with_name(Some("named-client"));
    named.set_blocking(false);
    in_progress(named.recv(Credit::Explicit(2)));
    named.subscribe(&format!("{}/foo", trio.address)).unwrap();
    std::mem::swap(&mut named, &mut trio.client);
    in_progress(trio.client.recv(2));
    trio.settle();
    // By the container's name: to the node it subscribed to, and to one that it did not.
    for node in ["foo", "bar"] {
        let message = message_to(&format!("amqp://named-client/{node}"), node);
        trio.server.put(&message).unwrap();
    }
    trio.until("there", |trio| trio.client.incoming() == 2);
    trio.until("gone", |trio| trio.server.outgoing() == 0);
    let mut message = Message::new();
    trio.client.get(&mut message).unwrap();
    assert_eq!(text(&message), "foo");
    trio.client.get(&mut message).unwrap();
    assert_eq!(text(&message), "bar");
}

fn a_dynamic_node_has_an_address_to_send_to(wire: Wire) {
    let mut trio = Trio::new(wire);
    let subscription = trio
        .client
        .subscribe(&format!("{}/#", trio.address))
        .unwrap();
    assert_eq!(trio.client.subscription_address(subscription), None);
    in_progress(trio.client.recv(1));
    trio.until("attached", |trio| {
        trio.client.subscription_address(subscription).is_some()
    });
    let address = trio.client.subscription_address(subscription).unwrap();
    assert!(address.starts_with(&trio.address), "{address}");
    let node = address.rsplit('/').next().unwrap();
    let to = format!("amqp://{}/{node}", trio.client.name());
    trio.server.put(&message_to(&to, "dynamic")).unwrap();
    trio.until("there", |trio| trio.client.incoming() == 1);
    let mut message = Message::new();
    trio.client.get(&mut message).unwrap();
    assert_eq!(trio.client.incoming_subscription(), Some(subscription));
}

fn credit_that_one_link_does_not_use_goes_to_another(wire: Wire) {
    let mut trio = Trio::new(wire);
    trio.put("link1", 1);
    in_progress(trio.server.recv(5));
    trio.until("first", |trio| trio.server.incoming() == 1);
    assert_eq!(trio.server.receiving(), 4);
    trio.put("link2", 1);
    trio.until("second", |trio| trio.server.incoming() == 2);
    assert_eq!(trio.server.receiving(), 3);
}

fn the_credit_of_a_client_that_leaves_comes_back(wire: Wire) {
    let mut trio = Trio::new(wire);
    in_progress(trio.server.recv(9));
    trio.put("link1", 1);
    trio.put("link2", 1);
    let message = message_to(&format!("{}/link3", trio.address), "link3");
    trio.client2.put(&message).unwrap();
    trio.until("each sent one", |trio| trio.server.incoming() == 3);
    assert_eq!(trio.server.receiving(), 6);
    let begun = Instant::now();
    while trio.client2.stop() == Err(Error::InProgress) {
        assert!(begun.elapsed() < PATIENCE);
        trio.server.work(Some(Duration::ZERO)).unwrap();
    }
    assert!(trio.client2.stopped());
    trio.put("link1", 4);
    trio.put("link2", 2);
    trio.until("all came", |trio| trio.server.incoming() == 9);
    assert_eq!(trio.server.receiving(), 0);
    assert_eq!(trio.client.outgoing(), 0);
}

fn all_that_was_asked_for_comes_however_it_is_spread(wire: Wire) {
    let mut trio = Trio::new(wire);
    in_progress(trio.server.recv(50));
    for node in ["link1", "link2", "link3"] {
        trio.put(node, 1);
    }
    trio.until("each sent one", |trio| trio.server.incoming() == 3);
    trio.put("link2", 17);
    trio.until("a burst", |trio| trio.server.incoming() == 20);
    trio.put("link1", 15);
    trio.put("link3", 15);
    trio.until("all came", |trio| trio.server.incoming() == 50);
    assert_eq!(trio.server.receiving(), 0);
    assert_eq!(trio.client.outgoing(), 0);
}

fn a_name_that_takes_long_to_look_up_does_not_hold_up_the_caller(wire: Wire) {
    let mut messenger = wire.client();
    messenger.set_blocking(false);
    messenger.set_outgoing_window(1);
    let begun = Instant::now();
    let tracker = messenger
        .put(&message_to(
            &format!("{}://no-such-host.invalid:5/x", wire.scheme()),
            "x",
        ))
        .unwrap();
    assert_eq!(messenger.send(), Err(Error::InProgress));
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(messenger.buffered(tracker));
    let error = loop {
        match messenger.send() {
            Err(Error::InProgress) => {
                let _ = messenger.work(Some(Duration::from_millis(50))).unwrap();
            }
            other => break other.unwrap_err(),
        }
        assert!(begun.elapsed() < PATIENCE);
    };
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(
        error.to_string().contains("no-such-host.invalid"),
        "{error}"
    );
}

fn an_interrupt_ends_the_call_that_waits_or_the_next(wire: Wire) {
    let (mut server, _) = wire.server();
    server.set_timeout(None);
    server.interrupter().interrupt();
    assert_eq!(server.recv(1), Err(Error::Interrupted));
    let interrupter = server.interrupter();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        interrupter.interrupt();
    });
    assert_eq!(server.recv(1), Err(Error::Interrupted));
    thread.join().unwrap();
    assert_eq!(server.work(Some(Duration::ZERO)), Ok(false));
}

fn stop_ends_in_time_when_the_peer_never_says_a_word(wire: Wire) {
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut messenger = wire.client();
    messenger.set_blocking(false);
    messenger.set_outgoing_window(1);
    messenger.set_timeout(Some(Duration::from_millis(50)));
    let to = format!("{}://{}", wire.scheme(), mute.local_addr().unwrap());
    messenger.put(&message_to(&to, "lost")).unwrap();
    let begun = Instant::now();
    let stopped = loop {
        match messenger.stop() {
            Err(Error::InProgress) => messenger
                .work(Some(Duration::from_millis(5)))
                .map(drop)
                .unwrap(),
            other => break other,
        }
        assert!(begun.elapsed() < PATIENCE, "never stopped");
    };
    assert_eq!(stopped, Err(Error::Unsent { count: 1 }));
    assert!(messenger.stopped());
}

fn stop_reports_what_nobody_took_however_often_it_is_called(wire: Wire) {
    let mut trio = Trio::new(wire);
    trio.put("x", 3);
    trio.settle();
    trio.client.set_timeout(Some(Duration::from_millis(50)));
    let begun = Instant::now();
    let stopped = loop {
        assert!(begun.elapsed() < PATIENCE);
        match trio.client.stop() {
            Err(Error::InProgress) => {
                trio.server.work(Some(Duration::ZERO)).unwrap();
            }
            stopped => break stopped,
        }
    };
    assert_eq!(stopped, Err(Error::Unsent { count: 3 }));
    assert!(trio.client.stopped());
    assert_eq!(trio.client.stop(), Ok(()));
}
