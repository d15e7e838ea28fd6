//! A broker that is killed in the middle, and started again on the data that it left, and that is asked to recover links.

use ferrion_messenger::LinkRecovery;
use ferrion_tests::interop::{
    Queue, Signal, Traffic, messaging::settles_on_links_that_would_be_recovered,
};

use crate::support::{at, declare, victim};

#[test]
fn nothing_accepted_is_lost_when_the_broker_is_killed_and_started_again() {
    let mut broker = victim();
    let queue = Queue::quorum("killed");
    broker.declare(&queue);
    let other = Queue::quorum("killed-and-asked");
    broker.declare(&other);
    broker.save_queues();
    let traffic = Traffic::start(&at(&broker, &queue), &[]);
    // The broker remembers nothing: then it is as if nobody had asked.
    let asking = Traffic::start_with(&at(&broker, &other), &[], |messenger| {
        messenger.set_link_recovery(Some(LinkRecovery::default()));
    });
    for _ in 0..2 {
        traffic.flow(300);
        asking.flow(1);
        broker.signal(0, Signal::Kill);
        broker.restart(0);
    }
    traffic.flow(300);
    let place = format!("amqp://127.0.0.1:{}", broker.port());
    for places in [traffic.finish(), asking.finish()].concat() {
        assert_eq!(places, vec![place.clone(); 3]);
    }
}

#[test]
fn what_is_accepted_is_settled_on_links_that_would_be_recovered() {
    settles_on_links_that_would_be_recovered(&declare(&Queue::quorum("asked")));
}
