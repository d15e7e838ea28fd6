//! A broker that is killed in the middle, and started again on the data that it left, and that is asked to recover links.

use ferrion_messenger::LinkRecovery;
use ferrion_tests::interop::{
    ActiveMqPlan, Signal, Traffic, messaging::settles_on_links_that_would_be_recovered,
};

#[test]
fn nothing_accepted_is_lost_when_the_broker_is_killed_and_started_again() {
    let mut broker = ActiveMqPlan::new().persistent().start();
    let place = format!("amqp://127.0.0.1:{}", broker.port());
    let traffic = Traffic::start(&format!("{place}/queue://killed"), &[]);
    // The broker remembers nothing: then it is as if nobody had asked.
    let asking = Traffic::start_with(&format!("{place}/queue://asked"), &[], |messenger| {
        messenger.set_link_recovery(Some(LinkRecovery::default()));
    });
    for _ in 0..2 {
        traffic.flow(300);
        asking.flow(1);
        broker.signal(Signal::Kill);
        broker.restart();
    }
    traffic.flow(300);
    for places in [traffic.finish(), asking.finish()].concat() {
        assert_eq!(places, vec![place.clone(); 3]);
    }
}

#[test]
fn what_is_accepted_is_settled_on_links_that_would_be_recovered() {
    let broker = ActiveMqPlan::new().start();
    let address = format!("amqp://127.0.0.1:{}/queue://asked", broker.port());
    settles_on_links_that_would_be_recovered(&address);
}
