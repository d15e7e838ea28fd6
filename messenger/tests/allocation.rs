//! What a Messenger takes from the allocator in a steady flow of small messages. A counting allocator looks on.
#![forbid(unsafe_code)]

use std::time::Duration;

use allocation_counter::measure;
use ferrion_messenger::{Credit, Error, Flags, Message, Messenger, Status, Tracker};

/// Messages that are under way together.
const BATCH: usize = 500;
/// Batches until every container has its size, and batches that are measured.
const WARM_UP: usize = 20;
const MEASURED: usize = 20;

/// Two Messengers in one thread, which take turns.
struct Pair {
    sender: Messenger,
    receiver: Messenger,
    outgoing: Message,
    incoming: Message,
    trackers: Vec<Tracker>,
    /// Allocations of the sending and of the receiving Messenger.
    sending: u64,
    receiving: u64,
}

impl Pair {
    fn new() -> Self {
        let mut receiver = Messenger::with_name("receiver").expect("a name");
        receiver.set_passive(true);
        receiver.set_incoming_window(2 * BATCH);
        let subscription = receiver
            .subscribe("amqp://~127.0.0.1:0")
            .expect("an address");
        let port = loop {
            receiver.work(Some(Duration::ZERO)).expect("no fault");
            if let Some(port) = receiver.subscription_port(subscription) {
                break port;
            }
        };
        let mut sender = Messenger::with_name("sender").expect("a name");
        sender.set_passive(true);
        sender.set_outgoing_window(2 * BATCH);
        let mut outgoing = Message::with_body(vec![7; 100]);
        outgoing.set_address(format!("amqp://127.0.0.1:{port}/queue"));
        Self {
            sender,
            receiver,
            outgoing,
            incoming: Message::new(),
            trackers: Vec::with_capacity(BATCH),
            sending: 0,
            receiving: 0,
        }
    }

    /// Sends a batch, and goes on until all of it is accepted.
    fn exchange(&mut self) {
        let put = measure(|| {
            for _ in 0..BATCH {
                let tracker = self.sender.put(&self.outgoing).expect("room");
                self.trackers.push(tracker);
            }
        });
        self.sending += put.count_total;
        let mut received = 0;
        while received < BATCH || self.is_pending() {
            let sent = measure(|| {
                self.sender.work(Some(Duration::ZERO)).expect("no fault");
            });
            self.sending += sent.count_total;
            let taken = measure(|| received += self.take());
            self.receiving += taken.count_total;
        }
        for tracker in self.trackers.drain(..) {
            assert_eq!(self.sender.status(tracker), Status::Accepted);
        }
    }

    /// Receives what there is, and accepts it. Answers how much it was.
    fn take(&mut self) -> usize {
        self.receiver.work(Some(Duration::ZERO)).expect("no fault");
        match self.receiver.recv(Credit::All) {
            Ok(()) | Err(Error::InProgress) => {}
            Err(error) => panic!("{error}"),
        }
        let mut received = 0;
        while self.receiver.incoming() > 0 {
            self.receiver.get(&mut self.incoming).expect("a message");
            let body = self.incoming.body_octets().expect("a sound body");
            assert_eq!(body.map(<[u8]>::len), Some(100));
            received += 1;
        }
        if let Some(tracker) = self.receiver.incoming_tracker() {
            let accepted = self.receiver.accept(tracker, Flags::CUMULATIVE);
            accepted.expect("a tracker in the window");
        }
        received
    }

    fn is_pending(&self) -> bool {
        let last = self.trackers.last();
        last.is_some_and(|tracker| self.sender.status(*tracker) == Status::Pending)
    }
}

#[test]
fn a_small_message_takes_no_allocation_where_it_is_sent_and_none_where_it_is_received() {
    let mut pair = Pair::new();
    for _ in 0..WARM_UP {
        pair.exchange();
    }
    (pair.sending, pair.receiving) = (0, 0);
    for _ in 0..MEASURED {
        pair.exchange();
    }
    let messages = (MEASURED * BATCH) as f64;
    for (end, taken) in [("sending", pair.sending), ("receiving", pair.receiving)] {
        let each = taken as f64 / messages;
        println!("{end}: {each:.3} allocations a message");
        // Less than a twentieth is what there is once for many: events, and reads of the socket.
        assert!(each < 0.05, "{end}: {each} allocations a message");
    }
}
