//! A broker that is killed in the middle, and started again on the data that it left.

use ferrion_tests::interop::{Queue, Signal, Traffic};

use crate::support::{at, victim};

#[test]
fn nothing_accepted_is_lost_when_the_broker_is_killed_and_started_again() {
    let mut broker = victim();
    let queue = Queue::quorum("killed");
    broker.declare(&queue);
    broker.save_queues();
    let traffic = Traffic::start(&at(&broker, &queue), &[]);
    for _ in 0..2 {
        traffic.flow(300);
        broker.signal(0, Signal::Kill);
        broker.restart(0);
    }
    traffic.flow(300);
    let place = format!("amqp://127.0.0.1:{}", broker.port());
    for places in traffic.finish() {
        assert_eq!(places, vec![place.clone(); 3]);
    }
}
